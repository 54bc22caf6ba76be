/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The images behind the drives, and changing a CD. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "control/blockopts.h"
#include "control/parts.h"
#include "control/qmp.h"
#include "control/types.h"
#include "hw/core/log.h"
#include "hw/fdc.h"
#include "hw/ide.h"

#define LOCK_TRIES    100
#define LOCK_PAUSE_MS 100

static bool is_empty_file(const char *file)
{
    struct stat st;

    return !stat(file, &st) && S_ISREG(st.st_mode) && st.st_size == 0;
}

static int put_tape(struct vm *vm, struct vm_drive *d, struct err *err)
{
    struct block *top = tape_disk(vm->tape, (unsigned)(d - vm->drives), d->block);

    if (!top)
        return err_set(err, -ENOMEM, "disk %s: out of memory", d->block->name);
    d->block = top;
    return 0;
}

static int open_wanted(struct vm *vm, struct vm_drive *d, const struct block_want *w,
                       struct err *err)
{
    const struct drive_arg *a = d->arg;
    int rc;

    if (w->empty || (a->cdrom && w->o.file && is_empty_file(w->o.file)))
        return 0; /* an empty drive */
    rc = a->cdrom && vm->args.incoming < 0 && w->o.file ? iso_check(w->o.file, -1, err) : 0;
    if (rc)
        return rc;
    d->block = block_open(vm->loop, &w->o, err);
    rc = d->block && w->group ? vm_drive_join(vm, d, w->group, err) : 0;
    if (!rc && d->group && w->set_group)
        block_group_set(d->group, &w->o.throttle);
    if (!rc && d->block && a->iface == DRIVE_PFLASH)
        return 0; /* read when the machine is built, before a tape begins */
    if (rc || d->block)
        return rc ? rc : put_tape(vm, d, err);
    if (a->cdrom && vm->args.incoming >= 0) {
        log_line("%s; the guest finds the drive empty", err->msg);
        return 0; /* a running guest is worth more than its CD */
    }
    return -EIO;
}

int drive_open(struct vm *vm, struct vm_drive *d, struct err *err)
{
    struct block_want w;
    int rc;

    rc = block_want_drive(&w, &vm->args, d->arg, err);
    w.o.readonly |= d->arg->cdrom;
    w.o.snapshot |= vm->args.replay && !w.o.readonly;
    w.o.lock_later = vm->args.incoming >= 0; /* who saved the guest may still hold it */
    if (!rc)
        rc = open_wanted(vm, d, &w, err);
    block_want_free(&w);
    return rc;
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
        struct vm_drive *d = &vm->drives[i];

        if (!qmp_node_of(vm, d->block))
            block_close(d->block);
        if (!qmp_node_of(vm, d->waiting))
            block_close(d->waiting);
        d->block = d->waiting = NULL;
        block_group_unref(d->group);
        d->group = NULL;
    }
}

/* The i-th image that is open, of drives and of nodes; NULL: none. */
static struct block *image_at(struct vm *vm, unsigned i)
{
    if (i < ARGS_DRIVES)
        return vm->drives[i].block;
    return vm->nodes[i - ARGS_DRIVES].block;
}

int drives_lock(struct vm *vm, bool patient, struct err *err)
{
    unsigned tries = patient ? LOCK_TRIES : 1;
    int rc = 0;

    for (unsigned i = 0; i < ARGS_DRIVES + VM_NODES && !rc; i++) {
        struct block *b = image_at(vm, i);

        while (b && (rc = block_lock(b, true, err)) == -EBUSY && --tries)
            uv_sleep(LOCK_PAUSE_MS);
    }
    return rc ? rc : pv_lock(vm->pv, true, err);
}

void drives_unlock(struct vm *vm)
{
    for (unsigned i = 0; i < ARGS_DRIVES + VM_NODES; i++) {
        if (image_at(vm, i))
            block_lock(image_at(vm, i), false, NULL);
    }
    pv_lock(vm->pv, false, NULL);
}

struct vm_drive *vm_find_drive(struct vm *vm, const char *id)
{
    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        const struct drive_arg *a = vm->drives[i].arg;

        if (a && a->id && !strcmp(a->id, id))
            return &vm->drives[i];
    }
    return NULL;
}

struct device *drive_host(struct vm *vm, const struct vm_drive *d, unsigned *unit)
{
    bool ahci = d->arg && d->arg->iface == DRIVE_AHCI;

    *unit = 0;
    if (!d->arg) /* drive_del */
        return NULL;
    *unit = (unsigned)(ahci ? d->arg->index : d->arg->unit);
    if (ahci)
        return machine_find(&vm->machine, d->arg->bus);
    return d->arg->unit >= 0 ? machine_find(&vm->machine, "ide") : NULL;
}

/* The controller of a floppy drive; NULL for any other drive. */
static struct device *fdc_of(struct vm *vm, const struct vm_drive *d)
{
    return d->arg->iface == DRIVE_FLOPPY ? machine_find(&vm->machine, "fdc") : NULL;
}

static struct vm_drive *drive_of_unit(const struct vm_host *h, unsigned unit)
{
    for (unsigned i = 0; i < h->vm->args.ndrives; i++) {
        unsigned at;

        if (drive_host(h->vm, &h->vm->drives[i], &at) == h->dev && at == unit)
            return &h->vm->drives[i];
    }
    return NULL;
}

static void tray_moved(void *arg, unsigned unit, bool open)
{
    const struct vm_host *h = arg;
    struct vm_drive *d = drive_of_unit(h, unit);

    if (!d)
        return;
    d->tray_open = open;
    if (d->arg->id)
        qmp_event(h->vm->qmp, "DEVICE_TRAY_MOVED", qmp_tray_data(h->vm, d, open));
}

/* A guest can bring errors about as fast as it likes: one event a second for each drive. */
static bool may_tell(struct vm *vm, struct vm_drive *d)
{
    uint64_t now = uv_now(vm->loop);

    if (d->told && now - d->told < 1000)
        return false;
    d->told = now ? now : 1;
    return true;
}

static void tell_error(struct vm *vm, struct vm_drive *d, bool is_write, int errnum,
                       const char *action)
{
    struct vm_node *n = qmp_node_of(vm, d->block);
    char holder[96], node[32];

    qom_drive_name(vm, d, holder, sizeof(holder));
    snprintf(node, sizeof(node), "#block%03u", (unsigned)(d - vm->drives));
    qmp_event(vm->qmp, "BLOCK_IO_ERROR",
              json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "device",
                        d->arg->id ? d->arg->id : "", "qom-path", holder, "node-name",
                        n              ? n->name
                        : d->arg->node ? d->arg->node
                                       : node,
                        "operation", is_write ? "write" : "read", "action", action, "nospace",
                        errnum == ENOSPC, "reason", strerror(errnum)));
}

static void io_error(void *arg, unsigned unit, bool is_write, int errnum, enum ide_action action)
{
    const struct vm_host *h = arg;
    struct vm *vm = h->vm;
    struct vm_drive *d = drive_of_unit(h, unit);
    bool stop = action == IDE_STOP;

    if (!d)
        return;
    if (stop || may_tell(vm, d))
        tell_error(vm, d, is_write, errnum,
                   stop                   ? "stop"
                   : action == IDE_IGNORE ? "ignore"
                                          : "report");
    if (stop) {
        d->failed = errnum;
        vm_halt(vm, HALT_IO_ERROR);
    }
}

/* Unplugged: the image is for the PV disk's back end now, which may sit in another process. */
static void released(void *arg, unsigned unit, struct block *medium)
{
    const struct vm_host *h = arg;
    struct vm_drive *d = drive_of_unit(h, unit);

    if (!d || d->block != medium)
        return;
    tape_stop(h->vm->tape, "a disk was unplugged");
    d->unplugged = true;
    if (qmp_node_of(h->vm, d->block)) /* it is its maker's, who can close it */
        return;
    block_close(d->block);
    d->block = NULL;
}

void drives_replug(struct vm *vm)
{
    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        struct vm_drive *d = &vm->drives[i];
        struct err err = { "" };
        unsigned unit;
        struct device *host = drive_host(vm, d, &unit);

        if (!d->unplugged || !host)
            continue;
        if (!d->block && (drive_open(vm, d, &err) || !d->block)) {
            log_line("%s; the guest goes on without it", err.msg);
            continue;
        }
        d->unplugged = false;
        ide_replug(host, unit, d->block);
    }
}

void drives_listen(struct vm *vm)
{
    static const struct ide_events events = { .tray = tray_moved,
                                              .io_error = io_error,
                                              .released = released };

    for (unsigned i = 0; i < vm->machine.n; i++) {
        vm->hosts[i] = (struct vm_host){ vm, vm->machine.dev[i] };
        if (ide_is_host(vm->machine.dev[i]))
            ide_listen(vm->machine.dev[i], &events, &vm->hosts[i]);
    }
}

void drives_retry(struct vm *vm)
{
    for (unsigned i = 0; i < vm->machine.n; i++) {
        if (ide_is_host(vm->machine.dev[i]))
            ide_retry(vm->machine.dev[i]);
    }
}

int drives_drain(struct vm *vm)
{
    int rc = 0;

    for (unsigned i = 0; i < vm->machine.n; i++) {
        int one = ide_is_host(vm->machine.dev[i]) ? ide_drain(vm->machine.dev[i]) : 0;

        rc = rc ? rc : one;
    }
    return rc;
}

bool vm_tray_locked(struct vm *vm, struct vm_drive *d)
{
    unsigned unit;
    struct device *host = drive_host(vm, d, &unit);

    return host && ide_tray_locked(host, unit);
}

int vm_eject(struct vm *vm, struct vm_drive *d, bool force, struct err *err)
{
    unsigned unit;
    struct device *ide = drive_host(vm, d, &unit), *fdc = fdc_of(vm, d);
    int rc;

    tape_stop(vm->tape, "a medium was taken out");
    if (fdc)
        rc = floppy_eject(fdc, (unsigned)d->arg->index, err);
    else if (!ide || !d->arg->cdrom)
        return err_set(err, -EINVAL, "Device '%s' is not removable", d->arg->id);
    else
        rc = ide_eject(ide, unit, force, err);
    if (rc)
        return rc;
    block_close(d->block);
    d->block = NULL;
    d->tray_open = !fdc; /* a floppy drive has none */
    return 0;
}

int vm_close_tray(struct vm *vm, struct vm_drive *d, struct err *err)
{
    unsigned unit;
    struct device *ide = drive_host(vm, d, &unit);
    int rc;

    tape_stop(vm->tape, "a tray was closed");
    if (!ide || !d->arg->cdrom)
        return err_set(err, -EINVAL, "Device '%s' is not removable", d->arg->id);
    rc = ide_close_tray(ide, unit, err);
    if (!rc)
        d->tray_open = false;
    return rc;
}

int vm_insert(struct vm *vm, struct vm_drive *d, struct block *medium, struct err *err)
{
    unsigned unit;
    struct device *ide = drive_host(vm, d, &unit), *fdc = fdc_of(vm, d);
    int rc;

    tape_stop(vm->tape, "a medium was put in");
    if (!fdc && (!ide || !d->arg->cdrom))
        rc = err_set(err, -EINVAL, "Device '%s' is not removable", d->arg->id);
    else if (d->block)
        rc = err_set(err, -EBUSY, "Device '%s' has a medium; eject it first", d->arg->id);
    else if (fdc)
        rc = floppy_insert(fdc, (unsigned)d->arg->index, medium, err);
    else
        rc = ide_insert(ide, unit, medium, err);
    if (rc) {
        block_close(medium);
        return rc;
    }
    d->block = medium;
    d->tray_open = false;
    return 0;
}
