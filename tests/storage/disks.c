/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One disk of each kind: see disks.h. */
#include "tests/storage/disks.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>
#include "tests/storage/util.h"
#include "tests/storage/vhd-make.h"

#define PATIENCE 3000 /* hundredths of a second */

static bool make_raw(const char *name, uint64_t size)
{
    int fd = scratch_file(name);
    bool ok = !ftruncate(fd, size);

    close(fd);
    return ok;
}

static bool make_by_qemu(const char *name, uint64_t size, const char *format, const char *options)
{
    char bytes[32];

    snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)size);
    return run(NULL, 0, "qemu-img", "create", "-f", format, "-o", options, scratch_path(name),
               bytes, NULL) == 0;
}

static bool make_qcow2(const char *name, uint64_t size)
{
    return make_by_qemu(name, size, "qcow2", "cluster_size=65536");
}

static bool make_qcow2_small(const char *name, uint64_t size)
{
    return make_by_qemu(name, size, "qcow2", "cluster_size=512,lazy_refcounts=on");
}

/* Nothing grows at an NBD server: the file has room behind what is used. */
static bool make_qcow2_roomy(const char *name, uint64_t size)
{
    return make_qcow2(name, size) && !truncate(scratch_path(name), 2 * size);
}

static bool make_fixed(const char *name, uint64_t size)
{
    return make_by_qemu(name, size, "vpc", "subformat=fixed,force_size=on");
}

static bool make_dynamic(const char *name, uint64_t size)
{
    return make_by_qemu(name, size, "vpc", "subformat=dynamic,force_size=on");
}

static bool make_vhd(const char *name, const struct vhd_make *m)
{
    int fd = scratch_file(name);
    bool ok = vhd_make(fd, m);

    close(fd);
    return ok;
}

static bool make_differencing(const char *name, uint64_t size)
{
    char parent[64], url[96];
    struct vhd_make m = { .type = 4, .size = size, .id = 2, .parent_id = 1 };

    snprintf(parent, sizeof(parent), "%s-parent", name);
    snprintf(url, sizeof(url), "file://./%s", parent);
    m.locator[0] = (struct vhd_make_locator){ "MACX", url };
    return make_vhd(parent, &(struct vhd_make){ .type = 3, .size = size, .id = 1 }) &&
           make_vhd(name, &m);
}

const struct disk_kind disk_kinds[] = {
    { "raw", "raw", "raw", make_raw },
    { "qcow2", "qcow2", "qcow2", make_qcow2, .qemu_check = true },
    { "qcow2-small", "qcow2", "qcow2", make_qcow2_small, .qemu_check = true },
    { "vhd-fixed", "vpc", "vpc", make_fixed },
    { "vhd-dynamic", "vpc", "vpc", make_dynamic },
    { "vhd-differencing", "vhd", NULL, make_differencing },
    { "raw-direct", "raw", "raw", make_raw, .direct = true },
    { "qcow2-direct", "qcow2", "qcow2", make_qcow2, .qemu_check = true, .direct = true },
    { "vhd-direct", "vpc", "vpc", make_dynamic, .direct = true },
    { "nbd", "raw", "raw", make_raw, .nbd = true },
    { "qcow2-nbd", "qcow2", "qcow2", make_qcow2_roomy, .qemu_check = true, .nbd = true },
    { "vhd-nbd", "vpc", "vpc", make_fixed, .nbd = true },
    { "snapshot", "raw", "raw", make_raw, .snapshot = true },
    { NULL },
};

bool disk_make(const struct disk_kind *k, const char *name, uint64_t size)
{
    return k->make(name, size);
}

static pid_t server;

static void serve(const char *name)
{
    const char *sock = scratch_path("nbd.sock"), *path = scratch_path(name);

    unlink(sock);
    server = fork();
    if (server == 0) {
        execlp("nbdkit", "nbdkit", "-f", "--exit-with-parent", "-U", sock, "file", path, NULL);
        _exit(127);
    }
    for (int i = 0; i < PATIENCE && access(sock, F_OK); i++)
        usleep(10000);
}

void disk_stop(void)
{
    if (server <= 0)
        return;
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    server = 0;
}

static bool has_direct(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    else
        fprintf(stderr, "%s: no O_DIRECT here: tested buffered; set TMPDIR\n", path);
    return fd >= 0;
}

struct block *disk_open(const struct disk_kind *k, const char *name, struct uv_loop_s *loop)
{
    char uri[600];
    struct block_options o =
        BLOCK_OPTIONS(.file = scratch_path(name), .format = k->format, .discard = true,
                      .snapshot = k->snapshot, .locking = BLOCK_LOCK_OFF);
    struct err err = { "" };
    struct block *b;

    o.direct = k->direct && has_direct(o.file);
    if (k->nbd) {
        if (!server)
            serve(name);
        snprintf(uri, sizeof(uri), "nbd+unix:///?socket=%s", scratch_path("nbd.sock"));
        o.file = uri;
    }
    b = block_open(loop, &o, &err);
    if (!b)
        fprintf(stderr, "%s: %s\n", k->name, err.msg);
    return b;
}

void disk_close(struct block *b, struct uv_loop_s *loop)
{
    block_close(b);
    for (int i = 0; i < 1000 && uv_run(loop, UV_RUN_NOWAIT); i++)
        usleep(1000);
}
