/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and writing the guest's data. A write to a cluster that is not ours
 * alone (unallocated, shared with a snapshot, compressed) goes to new clusters,
 * together with what of the old contents it does not cover; the table is
 * changed when the data is in the file, and the old clusters are given up then.
 */
#include "block/qcow2.h"
#include <errno.h>
#include "block/store.h"

#define ALL_UNITS 0xffffffffULL

/* ---- reading ---- */

static int read_packed(struct qcow2 *q, uint64_t off, const struct q_run *run,
                       const struct image_buf *buf)
{
    const uint8_t *data;
    int rc = q_unpack(q, run->host, &data);

    if (!rc)
        image_buf_put(buf, data + (off & (q_csize(q) - 1)), run->len);
    return rc;
}

int q_read(struct image *im, uint64_t off, uint64_t len, const struct image_buf *buf)
{
    struct qcow2 *q = im->priv;
    struct image_buf at = *buf;
    struct q_run run;
    int rc = 0;

    for (; len && !rc; off += run.len, len -= run.len, at.at += run.len) {
        rc = q_find(q, off, len, &run);
        if (rc)
            break;
        switch (run.what) {
        case Q_UNALLOCATED:
            rc = image_read_backing(im, off, run.len, &at);
            break;
        case Q_ZEROES:
            image_buf_zero(&at, run.len);
            break;
        case Q_PLAIN:
            rc = image_file_read(im, run.host, run.len, &at);
            break;
        case Q_PACKED:
            rc = read_packed(q, off, &run, &at);
            break;
        }
    }
    return rc;
}

/* ---- writing ---- */

int q_put_file(struct qcow2 *q, uint64_t pos, uint64_t len, const struct image_buf *buf)
{
    q->unsynced = true;
    if (pos + len > q->end)
        q->end = pos + len;
    return image_file_write(q->im, pos, len, buf);
}

static bool reads_zero(const struct qcow2 *q, const struct q_run *run, uint64_t off)
{
    return run->what == Q_ZEROES ||
           (run->what == Q_UNALLOCATED && (!q->im->backing || off >= q->im->backing->size));
}

/*
 * Copies what the guest sees at [off, off + len) to host. blank: the file is
 * zero there already.
 */
static int copy_old(struct qcow2 *q, uint64_t off, uint64_t len, uint64_t host, bool blank)
{
    struct iovec iov = { q->chunk, Q_CHUNK };
    struct image_buf buf = { &iov, 1, 0 };
    struct q_run run;
    int rc = 0;

    for (; len && !rc; off += run.len, host += run.len, len -= run.len) {
        rc = q_find(q, off, len, &run);
        if (rc)
            break;
        if (reads_zero(q, &run, off)) {
            if (!blank) {
                q->unsynced = true;
                rc = -store_zero(q->im->store, host, run.len, true);
            }
            continue;
        }
        if (run.len > Q_CHUNK)
            run.len = Q_CHUNK;
        rc = q_read(q->im, off, run.len, &buf);
        if (!rc)
            rc = q_put_file(q, host, run.len, &buf);
    }
    return rc;
}

/* Writes to one cluster of ours, of which not all that is touched is plain data. */
static int write_mixed(struct qcow2 *q, uint64_t off, uint64_t len, struct q_ent *e,
                       const struct image_buf *buf)
{
    uint64_t unit = 1ULL << q->unit_bits, mask = q_csize(q) - 1, in = off & mask;
    uint64_t first = in >> q->unit_bits, last = (in + len - 1) >> q->unit_bits;
    uint64_t start = first * unit, end = (last + 1) * unit, host = q_host(e), base = off - in;
    int rc = 0;

    if (q_unit(q, e, first) == Q_PLAIN)
        start = in;
    if (q_unit(q, e, last) == Q_PLAIN)
        end = in + len;
    if (start < in)
        rc = copy_old(q, base + start, in - start, host + start, false);
    if (!rc && end > in + len)
        rc = copy_old(q, off + len, end - in - len, host + in + len, false);
    if (!rc)
        rc = q_put_file(q, host + in, len, buf);
    if (rc)
        return rc;
    e->desc = (e->desc & Q_OFFSET) | Q_COPIED;
    for (uint64_t u = first; q->extended && u <= last; u++)
        e->bits = (e->bits | 1ULL << u) & ~(1ULL << (32 + u));
    return q_set_entry(q, off, e);
}

/* Writes to a cluster of ours. */
static int write_owned(struct qcow2 *q, uint64_t off, uint64_t *len, struct q_ent *e,
                       const struct image_buf *buf)
{
    uint64_t in = off & (q_csize(q) - 1);
    bool plain = e->desc & Q_COPIED;

    if (*len > q_csize(q) - in)
        *len = q_csize(q) - in;
    for (uint64_t u = in >> q->unit_bits; u <= (in + *len - 1) >> q->unit_bits; u++)
        plain = plain && q_unit(q, e, u) == Q_PLAIN;
    return plain ? q_put_file(q, q_host(e) + in, *len, buf) : write_mixed(q, off, *len, e, buf);
}

/* How many clusters from off on, at most n, are not ours: all in one table. */
static int count_foreign(struct qcow2 *q, uint64_t off, uint64_t n, uint64_t *got)
{
    uint64_t per_table = 1ULL << q->l2_bits, index = off >> q->cluster_bits & (per_table - 1);
    bool owned = false;
    int rc = 0;

    for (*got = 1; !rc && *got < n && index + *got < per_table; (*got)++) {
        struct q_ent e;

        rc = q_entry(q, off + (*got << q->cluster_bits), &e);
        if (!rc)
            rc = q_owned(q, &e, &owned);
        if (!rc && owned)
            break;
    }
    return rc;
}

/* Does the old cluster have data that must come along to a new one? */
static bool has_data(const struct qcow2 *q, const struct q_ent *e)
{
    return !q->extended || e->desc & Q_COMPRESSED || e->bits & ALL_UNITS;
}

struct fresh { /* clusters that take a write */
    uint64_t off, len, host, clusters;
    uint64_t start, end; /* what of them is filled, as bytes from the first one's start */
};

/* What is filled: whole clusters, or with subclusters and nothing to keep, whole units. */
static int fresh_extent(struct qcow2 *q, struct fresh *f)
{
    uint64_t mask = q_csize(q) - 1, in = f->off & mask, unit = (1ULL << q->unit_bits) - 1;
    struct q_ent e;
    int rc = q_entry(q, f->off, &e);

    f->start = !rc && has_data(q, &e) ? 0 : in & ~unit;
    if (!rc)
        rc = q_entry(q, f->off + f->len - 1, &e);
    f->end = (in + f->len + unit) & ~unit;
    if (!rc && has_data(q, &e))
        f->end = f->clusters << q->cluster_bits;
    return rc;
}

static int fresh_fill(struct qcow2 *q, const struct fresh *f, const struct image_buf *buf)
{
    uint64_t in = f->off & (q_csize(q) - 1), base = f->off - in, end = in + f->len;
    uint64_t host_end = f->host + (f->clusters << q->cluster_bits);
    bool blank = f->host >= q->end;
    int rc = 0;

    if (f->start < in)
        rc = copy_old(q, base + f->start, in - f->start, f->host + f->start, blank);
    if (!rc && end < f->end)
        rc = copy_old(q, base + end, f->end - end, f->host + end, blank);
    if (!rc)
        rc = q_put_file(q, f->host + in, f->len, buf);
    if (!rc && q->end < host_end) { /* a file of whole clusters */
        rc = -store_resize(q->im->store, host_end);
        q->end = rc ? q->end : host_end;
    }
    return rc;
}

static int fresh_link(struct qcow2 *q, const struct fresh *f)
{
    uint64_t base = f->off & -q_csize(q);
    int rc = 0;

    for (uint64_t i = 0; !rc && i < f->clusters; i++) {
        uint64_t at = i << q->cluster_bits;
        struct q_ent old, e;

        rc = q_entry(q, base + at, &old);
        if (rc)
            break;
        e.desc = (f->host + at) | Q_COPIED;
        e.bits = old.desc & Q_COMPRESSED ? 0 : old.bits;
        for (unsigned u = 0; q->extended && u < 32; u++) {
            uint64_t pos = at + ((uint64_t)u << q->unit_bits);

            if (pos >= f->start && pos < f->end)
                e.bits = (e.bits | 1ULL << u) & ~(1ULL << (32 + u));
        }
        rc = q_set_entry(q, base + at, &e);
        if (!rc)
            rc = q_drop(q, &old);
    }
    return rc;
}

static int write_fresh(struct qcow2 *q, uint64_t off, uint64_t *len, const struct image_buf *buf)
{
    uint64_t in = off & (q_csize(q) - 1), n = (in + *len + q_csize(q) - 1) >> q->cluster_bits;
    struct fresh f = { .off = off };
    int rc = count_foreign(q, off, n, &n);

    if (!rc)
        rc = q_alloc(q, &n, &f.host);
    if (rc)
        return rc;
    f.host <<= q->cluster_bits;
    f.clusters = n;
    if (*len > (n << q->cluster_bits) - in)
        *len = (n << q->cluster_bits) - in;
    f.len = *len;
    rc = fresh_extent(q, &f);
    if (!rc)
        rc = fresh_fill(q, &f, buf);
    if (!rc)
        return fresh_link(q, &f);
    q_release(q, f.host >> q->cluster_bits, n); /* no space, say: nothing refers to them */
    return rc;
}

int q_write(struct image *im, uint64_t off, uint64_t len, const struct image_buf *buf)
{
    struct qcow2 *q = im->priv;
    struct image_buf at = *buf;
    uint64_t n;
    int rc = 0;

    for (; len && !rc; off += n, len -= n, at.at += n) {
        struct q_ent e;
        bool owned;

        if (q->corrupt)
            return EIO;
        n = len;
        rc = q_own_l2(q, off);
        if (!rc)
            rc = q_entry(q, off, &e);
        if (!rc)
            rc = q_owned(q, &e, &owned);
        if (rc || q->corrupt)
            break;
        rc = owned ? write_owned(q, off, &n, &e, &at) : write_fresh(q, off, &n, &at);
    }
    return rc || !q->corrupt ? rc : EIO;
}
