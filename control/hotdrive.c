/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/hotdrive.c: drives that come and go while the guest runs, by the
 * monitor's drive_add and drive_del. One that comes is plugged in nowhere. One
 * that goes takes its image along at once; where it is plugged in the guest
 * keeps an empty drive, or misses a disk from then on.
 */
#include <errno.h>
#include <string.h>
#include "control/parts.h"
#include "control/qmp.h"
#include "hw/fdc.h"
#include "hw/ide.h"

int vm_drive_add(struct vm *vm, const struct config *cfg, struct err *err)
{
    const char *id = config_str(cfg, "id", NULL);
    unsigned slot = args_drive_slot(&vm->args);
    struct vm_drive *d = slot < ARGS_DRIVES ? &vm->drives[slot] : NULL;
    int rc;

    if (id && (vm_find_drive(vm, id) || machine_find(&vm->machine, id)))
        return err_set(err, -EEXIST, "Duplicate ID '%s' for drive", id);
    rc = args_add_drive(&vm->args, cfg, err);
    if (rc || !d)
        return rc;
    memset(d, 0, sizeof(*d));
    d->arg = &vm->args.drives[slot];
    rc = drive_open(vm, d, err);
    if (!rc)
        return 0;
    block_group_unref(d->group);
    memset(d, 0, sizeof(*d));
    args_drop_drive(&vm->args, slot);
    return rc;
}

/* The medium leaves the drive's device, which may not be asked. */
static int pull_out(struct vm *vm, struct vm_drive *d, struct err *err)
{
    unsigned unit;
    struct device *fdc = d->arg->iface == DRIVE_FLOPPY ? machine_find(&vm->machine, "fdc") : NULL;
    struct device *ide = drive_host(vm, d, &unit);

    if (d->arg->iface == DRIVE_PFLASH)
        return err_set(err, -EBUSY, "Device '%s' is in use", d->arg->id);
    if (fdc)
        return floppy_eject(fdc, (unsigned)d->arg->index, err);
    if (ide && d->arg->cdrom)
        return ide_eject(ide, unit, true, err);
    if (ide)
        ide_unplug_unit(ide,
                        unit); /* calls back: the block may be closed, and noted as to return */
    d->unplugged = false;
    return 0;
}

static void close_image(struct vm *vm, struct block *b)
{
    if (!qmp_node_of(vm, b))
        block_close(b);
}

int vm_drive_del(struct vm *vm, struct vm_drive *d, struct err *err)
{
    unsigned slot = (unsigned)(d - vm->drives);
    bool plugged = d->arg->unit >= 0 || d->arg->iface != DRIVE_NONE;
    int rc = plugged ? pull_out(vm, d, err) : 0;

    if (rc)
        return rc;
    tape_stop(vm->tape, "a drive was deleted");
    close_image(vm, d->block);
    close_image(vm, d->waiting);
    block_group_unref(d->group);
    d->block = d->waiting = NULL;
    d->group = NULL;
    if (plugged) {
        args_forget_drive(&vm->args, slot);
        return 0;
    }
    memset(d, 0, sizeof(*d));
    args_drop_drive(&vm->args, slot);
    return 0;
}
