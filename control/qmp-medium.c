/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-medium.c: verbs that change drives: media, trays, sizes, limits.
 * A tray that the user opened keeps its medium (vm_drive.waiting) until he
 * takes it out or closes the tray on it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "control/parts.h"
#include "control/qmp-impl.h"
#include "control/types.h"
#include "hw/core/log.h"

/* By drive id, by the id or path of the device it is plugged into. */
static struct vm_drive *drive_called(struct vm *vm, const char *name)
{
    struct vm_drive *d = vm_find_drive(vm, name);
    struct qom_object o;

    if (!d && qom_find(vm, name, &o))
        d = o.drive;
    return d;
}

static struct vm_drive *any_drive(struct qmp_call *c)
{
    const char *id = qmp_arg(c, "id", NULL), *device = qmp_arg(c, "device", NULL);
    struct vm_drive *d;

    if (!id == !device) {
        qmp_fail(c, "Need exactly one of 'device' and 'id'");
        return NULL;
    }
    d = drive_called(c->vm, id ? id : device);
    if (!d)
        qmp_fail_as(c, "DeviceNotFound", "Device '%s' not found", id ? id : device);
    return d;
}

static bool is_floppy(const struct vm_drive *d)
{
    return d->arg->iface == DRIVE_FLOPPY;
}

/* One whose medium can be changed. */
static struct vm_drive *wanted_drive(struct qmp_call *c)
{
    struct vm_drive *d = any_drive(c);

    if (d && !d->arg->cdrom && !is_floppy(d)) {
        qmp_fail(c, "Device '%s' is not removable", qmp_arg(c, "id", qmp_arg(c, "device", "")));
        return NULL;
    }
    return d;
}

json_t *qmp_tray_data(struct vm *vm, const struct vm_drive *d, bool open)
{
    char holder[96];

    qom_drive_name(vm, d, holder, sizeof(holder));
    return json_pack("{s:o, s:o, s:b}", "device", qmp_str(d->arg->id ? d->arg->id : ""), "id",
                     qmp_str(holder), "tray-open", open);
}

static void tell_tray(struct qmp_call *c, const struct vm_drive *d, bool was_open)
{
    if (d->tray_open != was_open)
        qmp_event(c->q, "DEVICE_TRAY_MOVED", qmp_tray_data(c->vm, d, d->tray_open));
}

static bool opened_locked(struct qmp_call *c, struct vm_drive *d, bool force)
{
    return !force && !d->tray_open && vm_tray_locked(c->vm, d);
}

static void fail_locked(struct qmp_call *c, const struct vm_drive *d)
{
    qmp_fail(c,
             "Device '%s' is locked and force was not specified, wait for tray to open and "
             "try again",
             qmp_arg(c, "id", qmp_arg(c, "device", d->arg->id)));
}

/* ---- the medium ---- */

static void drop_waiting(struct vm *vm, struct vm_drive *d)
{
    struct vm_node *n = d->waiting ? qmp_node_of(vm, d->waiting) : NULL;

    if (!n)
        block_close(d->waiting);
    d->waiting = NULL;
}

/* A node outlives its time in a drive. */
static void set_aside_node(struct vm *vm, struct vm_drive *d)
{
    if (d->block && qmp_node_of(vm, d->block)) {
        if (d->group)
            block_set_group(d->block, NULL, NULL);
        d->waiting = d->block;
        d->block = NULL;
    }
}

/* A guest that locked its tray is asked all the same: it may eject by itself then. */
static bool take_out(struct qmp_call *c, struct vm_drive *d, bool force)
{
    bool was_open = d->tray_open, locked = opened_locked(c, d, force);
    struct block *had = d->block;
    struct err err = { "" };

    set_aside_node(c->vm, d);
    if (!vm_eject(c->vm, d, force, &err)) {
        drop_waiting(c->vm, d);
        tell_tray(c, d, was_open);
        return true;
    }
    d->block = had;
    if (d->waiting == had)
        d->waiting = NULL;
    if (locked)
        fail_locked(c, d);
    else
        qmp_fail(c, "Device '%s': %s", d->arg->id, err.msg);
    return false;
}

static void eject(struct qmp_call *c)
{
    struct vm_drive *d = wanted_drive(c);

    if (d)
        take_out(c, d, qmp_arg_bool(c, "force", false));
}

/* What add-fd's opaque ("raw:/cd.iso") calls the image, for messages and query-block. */
static const char *image_name(const char *opaque, const char *filename)
{
    const char *colon = opaque ? strchr(opaque, ':') : NULL;

    return colon && colon[1] ? colon + 1 : filename;
}

/* *readonly: how the medium is to be opened. */
static bool mode_is_fine(struct qmp_call *c, const struct vm_drive *d, bool *readonly)
{
    static const char *const modes[] = { "retain", "read-only", "read-write" };
    const char *mode = qmp_arg(c, "read-only-mode", "retain");

    *readonly =
        d->arg->cdrom || !strcmp(mode, modes[1]) || (!strcmp(mode, modes[0]) && d->arg->readonly);
    for (unsigned i = 0; i < (d->arg->cdrom ? 2 : 3); i++) {
        if (!strcmp(mode, modes[i]))
            return true;
    }
    if (!strcmp(mode, modes[2]))
        qmp_fail(c, "read-only-mode %s: not supported; a CD is read-only", mode);
    else
        qmp_fail(c, "Invalid parameter '%s'", mode);
    return false;
}

/* NULL: the call has failed, or a line is in err. */
static struct block *open_file(struct qmp_call *c, const struct vm_drive *d, bool readonly,
                               struct err *err)
{
    const char *filename = qmp_arg(c, "filename", ""), *opaque = NULL;
    int fd = qmp_fdset_open(c, filename, !readonly, &opaque);

    if (fd == -1)
        return NULL;
    if (is_floppy(d) || !iso_check(image_name(opaque, filename), fd >= 0 ? fd : -1, err))
        return block_open(c->vm->loop,
                          &BLOCK_OPTIONS(.file = image_name(opaque, filename),
                                         .format = qmp_arg(c, "format", NULL), .readonly = readonly,
                                         .fd = fd >= 0 ? fd : -1, .lock_later = c->vm->let_go),
                          err);
    if (fd >= 0)
        close(fd);
    return NULL;
}

/*
 * Where the medium that is in the drive can be written, it is locked, and when
 * it is to be changed for itself, against us: so it lets go for the second try.
 */
static struct block *open_medium(struct qmp_call *c, const struct vm_drive *d)
{
    struct block *medium;
    struct err err = { "" }, again = { "" };
    bool readonly;

    if (!mode_is_fine(c, d, &readonly))
        return NULL;
    medium = open_file(c, d, readonly, &err);
    if (!medium && !c->error && d->block && !d->block->readonly && !c->vm->let_go) {
        block_drain(d->block);
        block_lock(d->block, false, NULL);
        medium = open_file(c, d, readonly, &err);
        if (!medium && block_lock(d->block, true, &again))
            log_line("%s", again.msg);
    }
    if (!medium && !c->error)
        qmp_fail(c, "Could not open '%s': %s", qmp_arg(c, "filename", ""), err.msg);
    return medium;
}

static void put_in(struct qmp_call *c, struct vm_drive *d, struct block *medium)
{
    bool was_open = d->tray_open;
    struct err err = { "" };

    if (vm_insert(c->vm, d, medium, &err))
        qmp_fail(c, "Device '%s': %s", d->arg->id, err.msg);
    else
        tell_tray(c, d, was_open);
    if (d->block && d->group)
        block_set_group(d->block, d->group, NULL);
}

static void change_medium(struct qmp_call *c)
{
    struct vm_drive *d = wanted_drive(c);
    struct block *medium = d ? open_medium(c, d) : NULL;

    if (!medium)
        return;
    if (take_out(c, d, qmp_arg_bool(c, "force", false))) {
        put_in(c, d, medium);
        return;
    }
    block_close(medium);
    if (d->block && !c->vm->let_go) /* it may have let go of its lock for the new one */
        block_lock(d->block, true, NULL);
}

/* ---- the tray, step by step ---- */

static void open_tray(struct qmp_call *c)
{
    struct vm_drive *d = wanted_drive(c);
    bool force = qmp_arg_bool(c, "force", false), was_open;
    struct block *medium;
    struct err err = { "" };

    if (!d || d->tray_open || is_floppy(d))
        return;
    was_open = d->tray_open;
    medium = d->block;
    d->block = NULL; /* vm_eject() would close it */
    if (!vm_eject(c->vm, d, force, &err)) {
        d->waiting = medium;
        tell_tray(c, d, was_open);
        return;
    }
    d->block = medium;
    if (!opened_locked(c, d, force)) /* else the guest was asked, which is all this verb promises */
        qmp_fail(c, "Device '%s': %s", d->arg->id, err.msg);
}

static void close_tray(struct qmp_call *c)
{
    struct vm_drive *d = wanted_drive(c);
    struct block *medium;
    struct err err = { "" };

    if (!d || !d->tray_open)
        return;
    medium = d->waiting;
    d->waiting = NULL;
    if (medium) {
        put_in(c, d, medium);
        return;
    }
    if (vm_close_tray(c->vm, d, &err))
        qmp_fail(c, "Device '%s': %s", d->arg->id, err.msg);
    else
        tell_tray(c, d, true);
}

static bool tray_is_open(struct qmp_call *c, const struct vm_drive *d)
{
    if (d->tray_open || is_floppy(d))
        return true;
    qmp_fail(c, "Tray of device '%s' is not open", qmp_arg(c, "id", qmp_arg(c, "device", "")));
    return false;
}

static void remove_medium(struct qmp_call *c)
{
    struct vm_drive *d = wanted_drive(c);

    if (!d || !tray_is_open(c, d))
        return;
    if (is_floppy(d))
        take_out(c, d, true);
    else
        drop_waiting(c->vm, d);
}

static void insert_medium(struct qmp_call *c)
{
    const char *name = qmp_arg(c, "node-name", "");
    struct vm_drive *d = wanted_drive(c);
    struct vm_node *n = qmp_node_find(c->vm, name);

    if (!d || !tray_is_open(c, d))
        return;
    if (!n)
        qmp_fail(c, "Node '%s' not found", name);
    else if (qmp_node_in_use(c->vm, n))
        qmp_fail(c, "Node '%s' is already in use", name);
    else if (!n->block)
        qmp_fail(c, "Node '%s' has no image; delete and add it again", name);
    else if (d->waiting || (is_floppy(d) && d->block))
        qmp_fail(c, "There already is a medium in device '%s'",
                 qmp_arg(c, "id", qmp_arg(c, "device", "")));
    else if (is_floppy(d))
        put_in(c, d, n->block);
    else
        d->waiting = n->block;
}

/* ---- sizes and limits ---- */

/* A PV disk that a front end is connected to, by the name query-block has for it. */
static struct block *pv_block_called(struct vm *vm, const char *name)
{
    struct pv_disk d;
    char its[24];

    for (unsigned i = 0; name && pv_disk(vm->pv, i, &d); i++) {
        snprintf(its, sizeof(its), "qdisk-%u", d.id);
        if (d.block && !strcmp(its, name))
            return d.block;
    }
    return NULL;
}

static struct block *block_called(struct qmp_call *c, const char *device, const char *node)
{
    struct block *pv = pv_block_called(c->vm, device ? device : node);

    struct vm_node *n = node ? qmp_node_find(c->vm, node) : NULL;
    struct vm_drive *d = device ? drive_called(c->vm, device) : NULL;

    if (pv)
        return pv;
    if (n && n->block)
        return n->block;
    if (d && !d->block)
        qmp_fail(c, "Device '%s' has no medium", device);
    else if (!d)
        qmp_fail(c, "Cannot find device='%s' nor node-name='%s'", device ? device : "",
                 node ? node : "");
    return d ? d->block : NULL;
}

static void resize(struct qmp_call *c)
{
    json_int_t size = qmp_arg_int(c, "size", 0);
    struct block *b = block_called(c, qmp_arg(c, "device", NULL), qmp_arg(c, "node-name", NULL));
    struct err err = { "" };

    if (!b)
        return;
    if (size < 0 || size > INT64_MAX - 512)
        qmp_fail(c, "Parameter 'size' expects a >0 size");
    else if (block_resize(b, ((uint64_t)size + 511) & ~UINT64_C(511), &err))
        qmp_fail(c, "%s", err.msg);
}

static bool take_limit(struct qmp_call *c, const char *kind, const char *suffix,
                       struct block_limit *l)
{
    json_int_t val[3];
    static const char *const ends[] = { "", "_max", "_max_length" };

    for (unsigned i = 0; i < 3; i++) {
        char key[32];

        snprintf(key, sizeof(key), "%s%s%s", kind, suffix, ends[i]);
        val[i] = qmp_arg_int(c, key, 0);
        if (val[i] < 0 || val[i] > (i == 2 ? INT32_MAX : INT64_C(1000000000000000))) {
            qmp_fail(c, "bps/iops/max values must be within [0, 1000000000000000]");
            return false;
        }
    }
    *l = (struct block_limit){ (uint64_t)val[0], (uint64_t)val[1], (unsigned)val[2] };
    if (l->max && !l->avg)
        qmp_fail(c, "bps_max/iops_max require corresponding bps/iops values");
    else if (l->max && l->max < l->avg)
        qmp_fail(c, "bps_max/iops_max cannot be lower than the bps/iops values");
    return !c->error;
}

static bool take_limits(struct qmp_call *c, struct block_throttle *t)
{
    static const char *const suffixes[BLOCK_LIMITS] = { "", "_rd", "_wr" };

    *t = (struct block_throttle){ 0 };
    for (unsigned i = 0; i < BLOCK_LIMITS; i++) {
        if (!take_limit(c, "bps", suffixes[i], &t->bps[i]) ||
            !take_limit(c, "iops", suffixes[i], &t->iops[i]))
            return false;
    }
    t->iops_size = (uint64_t)qmp_arg_int(c, "iops_size", 0);
    if ((t->bps[0].avg && (t->bps[1].avg || t->bps[2].avg)) ||
        (t->iops[0].avg && (t->iops[1].avg || t->iops[2].avg)))
        qmp_fail(c, "bps/iops/max total values and read/write values cannot be used at the same "
                    "time");
    return !c->error;
}

/* The drive joins the group that is named, or stays where it is, or begins one of its own name. */
static int limit_drive(struct qmp_call *c, struct vm_drive *d, const struct block_throttle *t,
                       struct err *err)
{
    const char *group = qmp_arg(c, "group", NULL);
    bool limited = false;
    int rc;

    for (unsigned i = 0; i < BLOCK_LIMITS; i++)
        limited |= t->iops[i].avg || t->bps[i].avg;
    if (!limited)
        return vm_drive_join(c->vm, d, NULL, err);
    if (!group)
        group = d->group ? block_group_name(d->group)
                         : qmp_arg(c, "device", qmp_arg(c, "id", d->arg->id));
    rc = block_limits_check(t, group, err);
    if (!rc)
        rc = vm_drive_join(c->vm, d, group, err);
    if (!rc)
        block_group_set(d->group, t);
    return rc;
}

static void set_throttle(struct qmp_call *c)
{
    struct vm_drive *d = any_drive(c);
    struct block_throttle t;
    struct err err = { "" };

    if (!d || !take_limits(c, &t))
        return;
    if (!d->block)
        qmp_fail(c, "Device '%s' has no medium", d->arg->id);
    else if (limit_drive(c, d, &t, &err))
        qmp_fail(c, "%s", err.msg);
}

#define LIMIT(k)                                                                                   \
    k ":i " k "_rd:i " k "_wr:i " k "_max:i? " k "_rd_max:i? " k "_wr_max:i? " k                   \
      "_max_length:i? " k "_rd_max_length:i? " k "_wr_max_length:i? "

const struct qmp_verb qmp_medium_verbs[] = {
    { "eject", eject, "id:s? device:s? force:b?", NULL },
    { "blockdev-change-medium", change_medium,
      "id:s? device:s? filename:s format:s? read-only-mode:s? force:b?", NULL },
    { "blockdev-open-tray", open_tray, "id:s? device:s? force:b?", NULL },
    { "blockdev-close-tray", close_tray, "id:s? device:s?", NULL },
    { "blockdev-remove-medium", remove_medium, "id:s? device:s?", NULL },
    { "blockdev-insert-medium", insert_medium, "id:s? device:s? node-name:s", NULL },
    { "block_resize", resize, "device:s? node-name:s? size:i", NULL },
    { "block_set_io_throttle", set_throttle,
      "id:s? device:s? group:s? iops_size:i? " LIMIT("bps") LIMIT("iops"), NULL },
    { NULL, NULL, NULL, NULL },
};
