/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The images behind the drives, and changing a CD. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "control/parts.h"
#include "control/qmp.h"
#include "hw/core/log.h"
#include "hw/ide.h"

#define SECTOR        2048
#define VOLUME_SECTOR 16        /* of the primary volume descriptor, ECMA-119 §6.7.1 */
#define ISO_SLACK     (1 << 20) /* writers differ about the padding at the end */

static uint32_t le32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/*
 * 0, or -EIO with a line in err when the file's ISO 9660 volume is longer than
 * the file by over a MiB: a download that broke off (ECMA-119 §8.4.8).
 */
static int check_iso(const char *file, struct err *err)
{
    uint8_t     pvd[SECTOR];
    struct stat st;
    uint64_t    want;
    int         fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;

    if (fd < 0)
        return 0; /* block_open() says it better */
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) &&
        pread(fd, pvd, sizeof(pvd), VOLUME_SECTOR * SECTOR) == sizeof(pvd) &&
        pvd[0] == 1 && !memcmp(pvd + 1, "CD001", 5)) {
        want = (uint64_t)le32(pvd + 80) * SECTOR;
        if (want > (uint64_t)st.st_size + ISO_SLACK)
            rc = err_set(err, -EIO,
                         "CD image %s is truncated: it has %llu bytes, its volume says %llu; "
                         "fetch it again",
                         file, (unsigned long long)st.st_size, (unsigned long long)want);
    }
    close(fd);
    return rc;
}

static bool is_empty_file(const char *file)
{
    struct stat st;

    return !stat(file, &st) && S_ISREG(st.st_mode) && st.st_size == 0;
}

static int drive_open(struct vm *vm, struct vm_drive *d, struct err *err)
{
    const struct drive_arg *a = d->arg;
    int                     rc;

    if (!a->file || (a->cdrom && is_empty_file(a->file)))
        return 0; /* an empty drive */
    rc = a->cdrom && vm->args.incoming < 0 ? check_iso(a->file, err) : 0;
    if (rc)
        return rc;
    d->block = block_open(vm->loop,
                          &BLOCK_OPTIONS(.file = a->file, .format = a->format, .discard = true,
                                         .readonly = a->readonly || a->cdrom),
                          err);
    if (d->block)
        return 0;
    if (a->cdrom && vm->args.incoming >= 0) {
        log_line("%s; the guest finds the drive empty", err->msg);
        return 0; /* a running guest is worth more than its CD */
    }
    return -EIO;
}

int drives_open(struct vm *vm, struct err *err)
{
    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        vm->drives[i].arg = &vm->args.drives[i];
        if (drive_open(vm, &vm->drives[i], err)) {
            drives_close(vm);
            return -EIO;
        }
    }
    return 0;
}

void drives_close(struct vm *vm)
{
    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        block_close(vm->drives[i].block);
        vm->drives[i].block = NULL;
    }
}

struct vm_drive *vm_find_drive(struct vm *vm, const char *id)
{
    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        if (vm->drives[i].arg->id && !strcmp(vm->drives[i].arg->id, id))
            return &vm->drives[i];
    }
    return NULL;
}

static struct device *ide_of(struct vm *vm)
{
    return machine_find(&vm->machine, "ide");
}

static void tray_moved(void *arg, unsigned unit, bool open)
{
    struct vm *vm = arg;

    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        struct vm_drive *d = &vm->drives[i];

        if (d->arg->unit != (int)unit)
            continue;
        d->tray_open = open;
        if (d->arg->id)
            qmp_event(vm->qmp, "DEVICE_TRAY_MOVED", qmp_tray_data(d->arg->id, open));
    }
}

void drives_listen(struct vm *vm)
{
    static const struct ide_events events = { .tray = tray_moved };

    ide_listen(ide_of(vm), &events, vm);
}

bool vm_tray_locked(struct vm *vm, struct vm_drive *d)
{
    struct device *ide = ide_of(vm);

    return ide && d->arg->unit >= 0 && ide_tray_locked(ide, d->arg->unit);
}

int vm_eject(struct vm *vm, struct vm_drive *d, bool force, struct err *err)
{
    struct device *ide = ide_of(vm);
    int            rc;

    if (!ide || d->arg->unit < 0 || !d->arg->cdrom)
        return err_set(err, -EINVAL, "Device '%s' is not removable", d->arg->id);
    rc = ide_eject(ide, d->arg->unit, force, err);
    if (rc)
        return rc;
    block_close(d->block);
    d->block = NULL;
    d->tray_open = true;
    return 0;
}

int vm_insert(struct vm *vm, struct vm_drive *d, struct block *medium, struct err *err)
{
    struct device *ide = ide_of(vm);
    int            rc;

    if (!ide || d->arg->unit < 0 || !d->arg->cdrom)
        rc = err_set(err, -EINVAL, "Device '%s' is not removable", d->arg->id);
    else if (d->block)
        rc = err_set(err, -EBUSY, "Device '%s' has a medium; eject it first", d->arg->id);
    else
        rc = ide_insert(ide, d->arg->unit, medium, err);
    if (rc) {
        block_close(medium);
        return rc;
    }
    d->block = medium;
    d->tray_open = false;
    return 0;
}
