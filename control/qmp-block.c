/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-block.c: verbs about drives: changing a CD, and the figures
 * xentop shows. The only media that come and go are CDs, read-only always.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "control/qmp-impl.h"

/* "id" is today's spelling, "device" the one of before QEMU 2.8. */
static struct vm_drive *wanted_drive(struct qmp_call *c)
{
    const char *id = qmp_arg(c, "id", qmp_arg(c, "device", NULL));
    struct vm_drive *d = id ? vm_find_drive(c->vm, id) : NULL;

    if (!id) {
        qmp_fail(c, "Parameter 'id' is missing");
    } else if (!d) {
        qmp_fail_as(c, "DeviceNotFound", "Device '%s' not found", id);
    } else if (!d->arg->cdrom) {
        qmp_fail(c, "Device '%s' is not removable", id);
        return NULL;
    }
    return d;
}

static void tell_tray(struct qmp_call *c, const struct vm_drive *d, bool was_open)
{
    if (d->tray_open != was_open)
        qmp_event(c->q, "DEVICE_TRAY_MOVED", qmp_tray_data(d->arg->id, d->tray_open));
}

/* A guest that locked its tray is asked all the same: it may eject by itself then. */
static bool take_out(struct qmp_call *c, struct vm_drive *d, bool force)
{
    bool was_open = d->tray_open;
    struct err err = { "" };

    if (!vm_eject(c->vm, d, force, &err)) {
        tell_tray(c, d, was_open);
        return true;
    }
    if (!force && vm_tray_locked(c->vm, d))
        qmp_fail(c,
                 "Device '%s' is locked and force was not specified, wait for tray to open and "
                 "try again",
                 d->arg->id);
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

static struct block *open_medium(struct qmp_call *c)
{
    const char *filename = qmp_arg(c, "filename", ""), *opaque = NULL;
    const char *mode = qmp_arg(c, "read-only-mode", "read-only");
    struct block *medium;
    struct err err = { "" };
    int fd;

    if (strcmp(mode, "read-only") && strcmp(mode, "retain")) {
        qmp_fail(c, "read-only-mode %s: not supported; a CD is read-only", mode);
        return NULL;
    }
    fd = qmp_fdset_open(c, filename, false, &opaque);
    if (fd == -1)
        return NULL;
    medium = block_open(c->vm->loop,
                        &BLOCK_OPTIONS(.file = image_name(opaque, filename),
                                       .format = qmp_arg(c, "format", "raw"), .readonly = true,
                                       .fd = fd >= 0 ? fd : -1),
                        &err);
    if (!medium)
        qmp_fail(c, "Could not open '%s': %s", filename, err.msg);
    return medium;
}

static void change_medium(struct qmp_call *c)
{
    struct vm_drive *d = wanted_drive(c);
    struct block *medium = d ? open_medium(c) : NULL;
    struct err err = { "" };
    bool was_open;

    if (!medium)
        return;
    if (!take_out(c, d, qmp_arg_bool(c, "force", false))) {
        block_close(medium);
        return;
    }
    was_open = d->tray_open;
    if (vm_insert(c->vm, d, medium, &err))
        qmp_fail(c, "Device '%s': %s", d->arg->id, err.msg);
    else
        tell_tray(c, d, was_open);
}

/* ---- figures ---- */

static json_t *inserted(const struct vm_drive *d)
{
    const struct block *b = d->block;
    const char *format = b->format ? b->format : "raw";
    json_t *image;

    image = json_pack("{s:I, s:o, s:s}", "virtual-size", (json_int_t)b->size, "filename",
                      qmp_str(b->name ? b->name : ""), "format", format);
    return json_pack("{s:i, s:s, s:o, s:{s:b, s:b, s:b}, s:i, s:i, s:i, s:i, s:b, s:s, s:i, s:o, "
                     "s:i, s:i, s:b}",
                     "iops_rd", 0, "detect_zeroes", "off", "image", image, "cache", "no-flush", 0,
                     "direct", 0, "writeback", d->arg->writeback, "bps_rd", 0, "bps_wr", 0, "bps",
                     0, "iops_wr", 0, "ro", b->readonly, "drv", format, "iops", 0, "file",
                     qmp_str(b->name ? b->name : ""), "write_threshold", 0, "backing_file_depth", 0,
                     "encrypted", 0);
}

static void query_block(struct qmp_call *c)
{
    c->ret = json_array();
    for (unsigned i = 0; i < c->vm->args.ndrives; i++) {
        struct vm_drive *d = &c->vm->drives[i];
        json_t *e;

        if (!d->arg)
            continue;
        e = json_pack("{s:o, s:b, s:b, s:o, s:s}", "device", qmp_str(d->arg->id), "locked",
                      d->arg->cdrom && vm_tray_locked(c->vm, d), "removable", d->arg->cdrom, "qdev",
                      qmp_str(d->arg->id), "type", "unknown");
        if (d->arg->cdrom)
            json_object_set_new(e, "tray_open", json_boolean(d->tray_open));
        if (d->block)
            json_object_set_new(e, "inserted", inserted(d));
        json_object_set_new(e, "io-status", json_string("ok"));
        json_array_append_new(c->ret, e);
    }
}

static json_t *stats(const struct block *b)
{
    const struct block       none = { 0 };
    const struct block_stat *st;

    if (!b)
        b = &none;
    st = b->stat;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rd_bytes",
                     (json_int_t)st[BLOCK_READ].bytes, "wr_bytes",
                     (json_int_t)st[BLOCK_WRITE].bytes, "rd_operations",
                     (json_int_t)st[BLOCK_READ].ops, "wr_operations",
                     (json_int_t)st[BLOCK_WRITE].ops, "flush_operations",
                     (json_int_t)st[BLOCK_FLUSH].ops, "failed_rd_operations",
                     (json_int_t)st[BLOCK_READ].failed, "failed_wr_operations",
                     (json_int_t)st[BLOCK_WRITE].failed);
}

static void query_blockstats(struct qmp_call *c)
{
    c->ret = json_array();
    for (unsigned i = 0; i < c->vm->args.ndrives; i++) {
        const struct vm_drive *d = &c->vm->drives[i];

        if (d->arg)
            json_array_append_new(c->ret,
                                  json_pack("{s:o, s:o, s:o}", "device", qmp_str(d->arg->id),
                                            "stats", stats(d->block), "qdev", qmp_str(d->arg->id)));
    }
}

const struct qmp_verb qmp_block_verbs[] = {
    { "eject", eject, "id:s? device:s? force:b?", NULL },
    { "blockdev-change-medium", change_medium,
      "id:s? device:s? filename:s format:s? read-only-mode:s? force:b?", NULL },
    { "query-block", query_block, NULL, NULL },
    { "query-blockstats", query_blockstats, "query-nodes:b?", NULL },
    { NULL, NULL, NULL, NULL },
};
