/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The blob libxl carries to the device model that goes on with the guest:
 * magic, format version, number of devices; for each its id and its state.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "control/parts.h"
#include "hw/core/buf.h"
#include "hw/core/state.h"

#define SAVE_MAGIC   "PORTICO\n"
#define SAVE_VERSION 1
#define SAVE_MAX     (64u << 20)

static int write_all(int fd, const uint8_t *p, size_t len)
{
    while (len) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ENOSPC;
        p += n;
        len -= n;
    }
    return 0;
}

int save_write(struct vm *vm, int fd, struct err *err)
{
    struct buf b = { 0 };
    int rc = 0;

    buf_put(&b, SAVE_MAGIC, strlen(SAVE_MAGIC));
    buf_put_uint(&b, SAVE_VERSION, 4);
    buf_put_uint(&b, vm->machine.n, 4);
    for (unsigned i = 0; i < vm->machine.n; i++) {
        buf_put_str(&b, vm->machine.dev[i]->id);
        state_save(vm->machine.dev[i], &b);
    }
    if (b.bad)
        rc = -ENOMEM;
    if (!rc && (lseek(fd, 0, SEEK_SET) < 0 && errno != ESPIPE))
        rc = -errno;
    if (!rc)
        rc = write_all(fd, b.data, b.len);
    buf_free(&b);
    return rc ? err_set(err, rc, "cannot write the device state: %s", strerror(-rc)) : 0;
}

static int read_all(int fd, struct buf *b)
{
    uint8_t part[65536];
    ssize_t n;

    while ((n = read(fd, part, sizeof(part))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (b->len + n > SAVE_MAX)
            return -EFBIG;
        buf_put(b, part, n);
    }
    return b->bad ? -ENOMEM : 0;
}

static int load_header(struct vm *vm, struct buf *b, unsigned *n, struct err *err)
{
    char magic[sizeof(SAVE_MAGIC)] = "";
    unsigned version;

    buf_get(b, magic, strlen(SAVE_MAGIC));
    if (strcmp(magic, SAVE_MAGIC))
        return err_set(err, -EINVAL,
                       "-incoming: this is not a state saved by portico-dm; restore "
                       "it with the device model that saved it");
    version = buf_get_uint(b, 4);
    if (version != SAVE_VERSION)
        return err_set(err, -EINVAL, "-incoming: saved in format %u, this program reads %d",
                       version, SAVE_VERSION);
    *n = buf_get_uint(b, 4);
    if (*n != vm->machine.n)
        return err_set(err, -EINVAL,
                       "-incoming: saved with %u devices, configured are %u; use "
                       "the configuration it was saved with",
                       *n, vm->machine.n);
    return 0;
}

static int load_devices(struct vm *vm, struct buf *b, unsigned n, struct err *err)
{
    for (unsigned i = 0; i < n; i++) {
        char id[256];
        struct device *dev;
        int rc;

        if (!buf_get_str(b, id, sizeof(id)))
            return err_set(err, -EINVAL, "-incoming: the saved state ends early");
        dev = machine_find(&vm->machine, id);
        if (!dev)
            return err_set(err, -EINVAL,
                           "-incoming: saved with a device %s that is not "
                           "configured",
                           id);
        rc = state_load(dev, b, err);
        if (rc)
            return rc;
    }
    return b->pos == b->len ? 0 : err_set(err, -EINVAL, "-incoming: the saved state is too long");
}

int save_read(struct vm *vm, int fd, struct err *err)
{
    struct buf b = { 0 };
    unsigned n = 0;
    int rc = read_all(fd, &b);

    if (rc)
        err_set(err, rc, "-incoming: cannot read the saved state: %s", strerror(-rc));
    else
        rc = load_header(vm, &b, &n, err);
    if (!rc)
        rc = load_devices(vm, &b, n, err);
    buf_free(&b);
    return rc;
}
