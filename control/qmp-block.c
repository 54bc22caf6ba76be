/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-block.c: verbs that say what the drives are and have done: what
 * libxl, xentop and libvirt's kind read.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "control/qmp-impl.h"
#include "control/types.h"

/* Of the anonymous: fixed for a drive as long as it has this medium. */
static json_t *node_name(struct vm *vm, const struct vm_drive *d)
{
    for (unsigned i = 0; i < VM_NODES; i++) {
        if (vm->nodes[i].name && vm->nodes[i].block == d->block)
            return qmp_str(vm->nodes[i].name);
    }
    if (d->arg->node)
        return qmp_str(d->arg->node);
    return json_sprintf("#block%03u", (unsigned)(d - vm->drives));
}

static json_t *image_info(const struct block *b)
{
    const char *name = b->name ? b->name : "";
    struct stat st;
    json_t *image =
        json_pack("{s:I, s:o, s:s, s:b}", "virtual-size", (json_int_t)b->size, "filename",
                  qmp_str(name), "format", b->format ? b->format : "raw", "dirty-flag", 0);

    if (*name && !stat(name, &st) && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
        json_object_set_new(image, "actual-size", json_integer((json_int_t)st.st_blocks * 512));
    return image;
}

static void add_limit(json_t *o, const char *kind, const char *suffix, const struct block_limit *l)
{
    char key[32];

    snprintf(key, sizeof(key), "%s%s", kind, suffix);
    json_object_set_new(o, key, json_integer((json_int_t)l->avg));
    snprintf(key, sizeof(key), "%s%s_max", kind, suffix);
    if (l->max)
        json_object_set_new(o, key, json_integer((json_int_t)l->max));
    snprintf(key, sizeof(key), "%s%s_max_length", kind, suffix);
    if (l->max)
        json_object_set_new(o, key, json_integer(l->length ? l->length : 1));
}

static void add_limits(json_t *o, const struct block *b)
{
    static const char *const suffixes[BLOCK_LIMITS] = { "", "_rd", "_wr" };
    const struct block_group *g = block_group_of(b);
    struct block_throttle t;
    bool limited = false;

    block_get_throttle(b, &t);
    for (unsigned i = 0; i < BLOCK_LIMITS; i++) {
        add_limit(o, "iops", suffixes[i], &t.iops[i]);
        add_limit(o, "bps", suffixes[i], &t.bps[i]);
        limited |= t.iops[i].avg || t.bps[i].avg;
    }
    if (limited && g && block_group_name(g))
        json_object_set_new(o, "group", qmp_str(block_group_name(g)));
    if (t.iops_size)
        json_object_set_new(o, "iops_size", json_integer((json_int_t)t.iops_size));
}

json_t *qmp_block_info(const struct block *b, json_t *node, bool writeback)
{
    json_t *o = json_pack(
        "{s:s, s:o, s:b, s:o, s:i, s:s, s:i, s:b, s:{s:b, s:b, s:b}, s:o}", "detect_zeroes",
        !b->zeroes   ? "off"
        : b->discard ? "unmap"
                     : "on",
        "image", image_info(b), "ro", b->readonly, "node-name", node, "backing_file_depth",
        (int)b->backing_depth, "drv", b->format ? b->format : "raw", "write_threshold", 0,
        "encrypted", 0, "cache", "no-flush", b->no_flush, "direct", b->direct, "writeback",
        writeback, "file", qmp_str(b->name ? b->name : ""));

    add_limits(o, b);
    return o;
}

static json_t *holder(struct vm *vm, const struct vm_drive *d)
{
    char name[96];

    qom_drive_name(vm, d, name, sizeof(name));
    return *name ? qmp_str(name) : NULL; /* plugged in nowhere */
}

static bool is_removable(const struct vm_drive *d)
{
    bool plugged = d->arg->unit >= 0 || d->arg->iface != DRIVE_NONE;

    return !plugged || d->arg->cdrom || d->arg->iface == DRIVE_FLOPPY;
}

/* PV disks, as far as a front end is connected to them: behind the drives. */

static json_t *pv_name(const struct pv_disk *d)
{
    return json_sprintf("qdisk-%u", d->id);
}

static void query_pv(struct qmp_call *c)
{
    struct pv_disk d;

    for (unsigned i = 0; pv_disk(c->vm->pv, i, &d); i++) {
        json_t *e;

        if (!d.connected)
            continue;
        e = json_pack("{s:o, s:b, s:b, s:s, s:s}", "device", pv_name(&d), "locked", 0, "removable",
                      d.removable, "type", "unknown", "io-status", "ok");
        if (d.block)
            json_object_set_new(e, "inserted", qmp_block_info(d.block, pv_name(&d), true));
        json_array_append_new(c->ret, e);
    }
}

static void query_block(struct qmp_call *c)
{
    c->ret = json_array();
    for (unsigned i = 0; i < c->vm->args.ndrives; i++) {
        struct vm_drive *d = &c->vm->drives[i];
        bool failing = c->vm->halt == HALT_IO_ERROR && !c->vm->running && d->failed;
        json_t *e;

        if (!d->arg)
            continue;
        e = json_pack("{s:o, s:b, s:b, s:o*, s:s, s:s}", "device",
                      qmp_str(d->arg->id ? d->arg->id : ""), "locked",
                      d->arg->cdrom && vm_tray_locked(c->vm, d), "removable", is_removable(d),
                      "qdev", holder(c->vm, d), "type", "unknown", "io-status",
                      !failing              ? "ok"
                      : d->failed == ENOSPC ? "nospace"
                                            : "failed");
        if (d->arg->cdrom)
            json_object_set_new(e, "tray_open", json_boolean(d->tray_open));
        if (d->block || d->waiting)
            json_object_set_new(e, "inserted",
                                qmp_block_info(d->block ? d->block : d->waiting,
                                               node_name(c->vm, d), d->arg->writeback));
        json_array_append_new(c->ret, e);
    }
    query_pv(c);
}

/* ---- figures ---- */

static void add_figure(json_t *o, const char *before, const char *kind, const char *after,
                       uint64_t val)
{
    char key[48];

    snprintf(key, sizeof(key), "%s%s%s", before, kind, after);
    json_object_set_new(o, key, json_integer((json_int_t)val));
}

static json_t *stats(const struct block *b)
{
    static const struct {
        enum block_op op;
        const char *name;
    } kinds[] = { { BLOCK_READ, "rd" },
                  { BLOCK_WRITE, "wr" },
                  { BLOCK_FLUSH, "flush" },
                  { BLOCK_DISCARD, "unmap" } };
    const struct block none = { 0 };
    json_t *o =
        json_pack("{s:i, s:i, s:i, s:b, s:b, s:[]}", "rd_merged", 0, "wr_merged", 0, "unmap_merged",
                  0, "account_invalid", 1, "account_failed", 1, "timed_stats");

    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct block_stat *st = &(b ? b : &none)->stat[kinds[i].op];

        add_figure(o, "", kinds[i].name, "_operations", st->ops);
        add_figure(o, "", kinds[i].name, "_total_time_ns", st->ns);
        add_figure(o, "failed_", kinds[i].name, "_operations", st->failed);
        add_figure(o, "invalid_", kinds[i].name, "_operations", st->invalid);
        if (kinds[i].op != BLOCK_FLUSH)
            add_figure(o, "", kinds[i].name, "_bytes", st->bytes);
    }
    return o;
}

static void query_pv_stats(struct qmp_call *c)
{
    struct pv_disk d;

    for (unsigned i = 0; pv_disk(c->vm->pv, i, &d); i++) {
        if (d.connected)
            json_array_append_new(c->ret,
                                  json_pack("{s:o, s:o, s:o}", "device", pv_name(&d), "stats",
                                            stats(d.block), "node-name", pv_name(&d)));
    }
}

static void query_blockstats(struct qmp_call *c)
{
    c->ret = json_array();
    for (unsigned i = 0; i < c->vm->args.ndrives; i++) {
        const struct vm_drive *d = &c->vm->drives[i];
        json_t *e;

        if (!d->arg)
            continue;
        e = json_pack("{s:o, s:o, s:o*}", "device", qmp_str(d->arg->id ? d->arg->id : ""), "stats",
                      stats(d->block), "qdev", holder(c->vm, d));
        if (d->block)
            json_object_set_new(e, "node-name", node_name(c->vm, d));
        json_array_append_new(c->ret, e);
    }
    query_pv_stats(c);
}

/* Of one that another node has open: the image is the same, the names are its own. */
static json_t *node_info(struct vm *vm, const struct vm_node *n)
{
    const struct block *b = qmp_node_image(vm, n);
    const char *driver = qmp_node_option(vm, n, "driver");
    const char *file = qmp_node_option(vm, n, "filename");
    json_t *o = b ? qmp_block_info(b, qmp_str(n->name), true) : NULL;

    if (o && driver)
        json_object_set_new(o, "drv", qmp_str(driver));
    if (o && file)
        json_object_set_new(o, "file", qmp_str(file));
    return o;
}

static void query_nodes(struct qmp_call *c)
{
    c->ret = json_array();
    for (unsigned i = 0; i < VM_NODES; i++) {
        const struct vm_node *n = &c->vm->nodes[i];
        json_t *info = n->name ? node_info(c->vm, n) : NULL;

        if (info)
            json_array_append_new(c->ret, info);
    }
    for (unsigned i = 0; i < c->vm->args.ndrives; i++) {
        const struct vm_drive *d = &c->vm->drives[i];

        if (d->arg && d->block && !qmp_node_of(c->vm, d->block))
            json_array_append_new(c->ret,
                                  qmp_block_info(d->block, node_name(c->vm, d), d->arg->writeback));
    }
}

const struct qmp_verb qmp_block_verbs[] = {
    { "query-block", query_block, NULL, NULL },
    { "query-blockstats", query_blockstats, "query-nodes:b?", NULL },
    { "query-named-block-nodes", query_nodes, "flat:b?", NULL },
    { NULL, NULL, NULL, NULL },
};
