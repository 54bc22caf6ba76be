/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The refcounts of an image with the dirty bit, from its tables. Its last
 * writer postponed them and did not live to write them. Clusters are counted
 * a window at a time, so that memory stays small; an image too large or too
 * strange for this is refused, and qemu-img can look at it.
 */
#include "block/qcow2.h"
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/log.h"

#define WINDOW      (1ULL << 20) /* clusters */
#define WINDOWS_MAX 256
#define READ_MAX    (1ULL << 30) /* bytes of tables in one walk */

struct walk {
    struct qcow2 *q;
    uint32_t *count; /* of [base, base + WINDOW) */
    uint64_t base, total;
    uint64_t read;
};

/* n bytes at off are referred to once more. */
static int note(struct walk *w, uint64_t off, uint64_t n)
{
    uint64_t first = off >> w->q->cluster_bits, last = (off + n - 1) >> w->q->cluster_bits;

    if (!n)
        return 0;
    /* Up to q->end: refcount blocks made meanwhile lie behind total, and count themselves. */
    if (off > UINT64_MAX - n || last << w->q->cluster_bits >= w->q->end)
        return EINVAL;
    for (uint64_t c = first; c <= last; c++) {
        if (c - w->base < WINDOW && w->count[c - w->base] < UINT32_MAX)
            w->count[c - w->base]++;
    }
    return 0;
}

/* Calls fn with the entries of a table. */
static int each(struct walk *w, uint64_t off, uint64_t entries,
                int (*fn)(struct walk *w, uint64_t entry))
{
    uint64_t buf[512];
    int rc = 0;

    w->read += entries * 8;
    if (w->read > READ_MAX)
        return EFBIG;
    for (uint64_t i = 0; !rc && i < entries; i += 512) {
        uint64_t n = entries - i < 512 ? entries - i : 512;

        rc = image_file_get(w->q->im, off + i * 8, buf, n * 8);
        for (uint64_t k = 0; !rc && k < n; k++)
            rc = fn(w, be64toh(buf[k]));
    }
    return rc;
}

static int note_cluster(struct walk *w, uint64_t entry)
{
    return entry & Q_OFFSET ? note(w, entry & Q_OFFSET, q_csize(w->q)) : 0;
}

static int note_data(struct walk *w, uint64_t desc)
{
    uint64_t pos, len;

    if (!(desc & Q_COMPRESSED))
        return note_cluster(w, desc);
    q_packed_range(w->q, desc, &pos, &len);
    return note(w, pos, len);
}

static int walk_l2(struct walk *w, uint64_t off)
{
    uint64_t buf[512], page = 1ULL << w->q->cache.page_bits;
    int rc = 0;

    w->read += q_csize(w->q);
    if (w->read > READ_MAX)
        return EFBIG;
    for (uint64_t at = 0; !rc && at < q_csize(w->q); at += page) {
        rc = image_file_get(w->q->im, off + at, buf, page);
        for (unsigned i = 0; !rc && i < page / 8; i += w->q->extended ? 2 : 1)
            rc = note_data(w, be64toh(buf[i]));
    }
    return rc;
}

static int note_tree(struct walk *w, uint64_t l1e)
{
    uint64_t table = l1e & Q_OFFSET;
    int rc = 0;

    if (!table)
        return 0;
    if (table & (q_csize(w->q) - 1))
        return EINVAL;
    rc = note(w, table, q_csize(w->q));
    return rc ? rc : walk_l2(w, table);
}

static int walk_snapshots(struct walk *w)
{
    uint64_t pos = w->q->snap_off;
    int rc = 0;

    for (uint32_t i = 0; !rc && i < w->q->nsnaps; i++) {
        struct q_snapshot snap = { 0 };

        rc = q_snapshot_get(w->q, &pos, &snap);
        if (!rc)
            rc = note(w, snap.l1_off, snap.l1_size * 8ULL);
        if (!rc)
            rc = each(w, snap.l1_off, snap.l1_size, note_tree);
    }
    return rc ? rc : note(w, w->q->snap_off, pos - w->q->snap_off);
}

static int walk_bitmaps(struct walk *w)
{
    struct qcow2 *q = w->q;
    uint64_t pos = q->bitmap_off, end = pos + q->bitmap_size;
    int rc = note(w, q->bitmap_off, q->bitmap_size);

    while (!rc && pos < end) {
        uint8_t head[24];
        uint64_t off;
        uint32_t size, extra;
        uint16_t name;

        rc = image_file_get(q->im, pos, head, sizeof(head));
        memcpy(&off, head, 8);
        memcpy(&size, head + 8, 4);
        memcpy(&name, head + 18, 2);
        memcpy(&extra, head + 20, 4);
        if (!rc)
            rc = note(w, be64toh(off), be32toh(size) * 8ULL);
        if (!rc)
            rc = each(w, be64toh(off), be32toh(size), note_cluster);
        pos += (sizeof(head) + be16toh(name) + (uint64_t)be32toh(extra) + 7) & ~7ULL;
    }
    return rc;
}

static int walk_all(struct walk *w)
{
    struct qcow2 *q = w->q;
    int rc;

    memset(w->count, 0, WINDOW * sizeof(*w->count));
    w->read = 0;
    rc = note(w, 0, 1);
    if (!rc)
        rc = note(w, q->l1_off, q->l1_size * 8ULL);
    if (!rc)
        rc = note(w, q->rt_off, q->rt_size * 8ULL);
    if (!rc)
        rc = each(w, q->rt_off, q->rt_size, note_cluster);
    if (!rc)
        rc = each(w, q->l1_off, q->l1_size, note_tree);
    if (!rc)
        rc = walk_snapshots(w);
    return rc ? rc : walk_bitmaps(w);
}

/* What this walk has found, into the refcount blocks. */
static int settle(struct walk *w, uint64_t *fixed)
{
    struct qcow2 *q = w->q;
    unsigned bits = 1u << q->refcount_order;
    uint64_t max = bits >= 64 ? UINT64_MAX : (1ULL << bits) - 1;
    int rc = 0;

    for (uint64_t i = 0; !rc && i < WINDOW && w->base + i < w->total; i++) {
        uint64_t have;

        rc = q_refcount_get(q, w->base + i, &have);
        if (rc || have == w->count[i])
            continue;
        if (w->count[i] > max)
            return ERANGE;
        rc = q_refcount_set(q, w->base + i, w->count[i]);
        ++*fixed;
    }
    return rc;
}

/* The "copied" flags of the active tables, after the refcounts. */
static int fix_flag(struct qcow2 *q, enum q_kind kind, uint64_t at)
{
    uint64_t e, count = 0;
    int rc = q_get64(q, kind, at, &e);

    if (rc || !(e & Q_OFFSET) || e & Q_COMPRESSED)
        return rc;
    rc = q_refcount_get(q, (e & Q_OFFSET) >> q->cluster_bits, &count);
    if (rc || !(e & Q_COPIED) == (count != 1))
        return rc;
    return q_set64(q, kind, at, e ^ Q_COPIED);
}

static int fix_flags(struct qcow2 *q)
{
    int rc = 0;

    for (uint64_t i = 0; !rc && i < q->l1_size; i++) {
        uint64_t table;

        rc = q_get64(q, Q_L1, q->l1_off + i * 8, &table);
        table &= Q_OFFSET;
        for (uint64_t at = 0; table && !rc && at < q_csize(q); at += q->extended ? 16 : 8)
            rc = fix_flag(q, Q_L2, table + at);
        if (!rc)
            rc = fix_flag(q, Q_L1, q->l1_off + i * 8);
    }
    return rc;
}

static int rebuild(struct walk *w, uint64_t *fixed)
{
    int rc = 0;

    /* Blocks that are made on the way lie behind `total` and count themselves. */
    w->q->spare = w->total;
    for (; !rc && w->base < w->total; w->base += WINDOW) {
        rc = walk_all(w);
        if (!rc)
            rc = settle(w, fixed);
        if (!rc) /* the next walk reads the refcount table from the file */
            rc = q_flush_meta(w->q);
    }
    if (!rc)
        rc = fix_flags(w->q);
    if (!rc)
        rc = q_flush_meta(w->q);
    w->q->spare = 0;
    return rc;
}

int q_repair(struct qcow2 *q, struct err *err)
{
    struct walk w = { .q = q, .total = (q->end + q_csize(q) - 1) >> q->cluster_bits };
    uint64_t fixed = 0, rt_off = q->rt_off;
    int rc;

    if (w.total > WINDOW * WINDOWS_MAX)
        return err_set(err, -EFBIG,
                       "disk %s: was not closed and is too large to repair here; "
                       "qemu-img check -r all",
                       q->im->file);
    w.count = malloc(WINDOW * sizeof(*w.count));
    rc = w.count ? rebuild(&w, &fixed) : ENOMEM;
    if (!rc && rt_off != q->rt_off) { /* the table has moved: once more for its old place */
        w.base = 0;
        w.total = (q->end + q_csize(q) - 1) >> q->cluster_bits;
        rc = rebuild(&w, &fixed);
    }
    free(w.count);
    if (rc)
        return err_set(err, -rc,
                       "disk %s: was not closed and cannot be repaired here (%s); "
                       "qemu-img check -r all",
                       q->im->file, strerror(rc));
    if (fixed)
        log_line("disk %s: was not closed; %llu refcounts were put right", q->im->file,
                 (unsigned long long)fixed);
    return 0;
}
