/* SPDX-License-Identifier: GPL-2.0-or-later */
#define NBD_LIB_IMPL
#include "block/nbd-lib.h"
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

struct nbd_lib nbd_lib;

#define FUNC(name)                                                                                 \
    {                                                                                              \
        "nbd_" #name, offsetof(struct nbd_lib, name)                                               \
    }

static const struct {
    const char *name;
    size_t at;
} functions[] = {
    FUNC(aio_command_completed),
    FUNC(aio_connect_uri),
    FUNC(aio_disconnect),
    FUNC(aio_flush),
    FUNC(aio_get_direction),
    FUNC(aio_get_fd),
    FUNC(aio_is_closed),
    FUNC(aio_is_dead),
    FUNC(aio_is_ready),
    FUNC(aio_notify_read),
    FUNC(aio_notify_write),
    FUNC(aio_pread),
    FUNC(aio_pwrite),
    FUNC(aio_trim),
    FUNC(aio_zero),
    FUNC(can_flush),
    FUNC(can_trim),
    FUNC(can_zero),
    FUNC(close),
    FUNC(create),
    FUNC(get_block_size),
    FUNC(get_errno),
    FUNC(get_error),
    FUNC(get_size),
    FUNC(is_read_only),
    FUNC(poll),
    FUNC(set_uri_allow_tls),
};

int nbd_lib_load(struct err *err)
{
    void *lib;

    if (nbd_lib.create)
        return 0;
    lib = dlopen("libnbd.so.0", RTLD_NOW | RTLD_LOCAL);
    for (unsigned i = 0; lib && i < sizeof(functions) / sizeof(functions[0]); i++) {
        void *f = dlsym(lib, functions[i].name);

        if (!f) {
            dlclose(lib);
            lib = NULL;
            break;
        }
        memcpy((char *)&nbd_lib + functions[i].at, &f, sizeof(f));
    }
    if (lib)
        return 0;
    memset(&nbd_lib, 0, sizeof(nbd_lib));
    return err_set(err, -ENOENT, "NBD disks need libnbd: install the package libnbd0");
}
