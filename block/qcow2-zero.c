/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zeroes and discarded ranges: whole clusters by their table entries, the rest
 * by writing. Version 2 has no entry that says "zero": there a cluster can only
 * be given up where nothing shows through from behind.
 */
#include "block/qcow2.h"
#include <errno.h>

static bool shows_backing(const struct qcow2 *q, uint64_t off)
{
    return q->im->backing && off < q->im->backing->size;
}

/* [off, off + len) within a cluster, by writing where it is not zero already. */
static int write_zeroes(struct qcow2 *q, uint64_t off, uint64_t len)
{
    static const uint8_t zero[Q_CHUNK];
    struct iovec iov = { (void *)(uintptr_t)zero, Q_CHUNK };
    struct image_buf buf = { &iov, 1, 0 };
    struct q_run run;
    int rc = 0;

    for (; len && !rc; off += run.len, len -= run.len) {
        rc = q_find(q, off, len, &run);
        if (rc || run.what == Q_ZEROES)
            continue;
        if (run.what == Q_UNALLOCATED && !shows_backing(q, off))
            continue;
        if (run.len > Q_CHUNK)
            run.len = Q_CHUNK;
        rc = q_write(q->im, off, run.len, &buf);
    }
    return rc;
}

/* The entry of a cluster that is zero. keep: it has a place of its own, which stays. */
static struct q_ent zero_entry(const struct qcow2 *q, uint64_t off, const struct q_ent *old,
                               bool keep)
{
    struct q_ent e = { 0 };

    if (!keep && !shows_backing(q, off))
        return e;
    if (keep)
        e.desc = (old->desc & Q_OFFSET) | Q_COPIED;
    if (q->extended)
        e.bits = 0xffffffffULL << 32;
    else
        e.desc |= Q_ZERO;
    return e;
}

static int zero_cluster(struct qcow2 *q, uint64_t off, bool may_unmap)
{
    struct q_ent old, e;
    bool keep = false;
    int rc = q_entry(q, off, &old);

    if (rc || (!old.desc && !old.bits && !shows_backing(q, off)))
        return rc;
    if (q->version < 3 && (shows_backing(q, off) || !may_unmap) && !(old.desc & Q_COMPRESSED))
        return write_zeroes(q, off, q_csize(q));
    if (q->version < 3 && shows_backing(q, off))
        return write_zeroes(q, off, q_csize(q));
    if (!may_unmap)
        rc = q_owned(q, &old, &keep);
    if (!rc)
        rc = q_own_l2(q, off);
    if (rc)
        return rc;
    e = zero_entry(q, off, &old, keep);
    if (e.desc == old.desc && e.bits == old.bits)
        return 0;
    rc = q_set_entry(q, off, &e);
    return rc || keep ? rc : q_drop(q, &old);
}

/* The end of what the L2 table for off covers when there is no table and nothing behind; or off. */
static uint64_t skip_table(struct qcow2 *q, uint64_t off)
{
    uint64_t at, l1e, span = 1ULL << (q->cluster_bits + q->l2_bits);

    if (shows_backing(q, off) || q_entry_at(q, off, &at, &l1e) || at)
        return off;
    return (off | (span - 1)) + 1;
}

int q_zero(struct image *im, uint64_t off, uint64_t len, bool may_unmap)
{
    struct qcow2 *q = im->priv;
    uint64_t csize = q_csize(q), end = off + len, n;
    int rc = 0;

    for (; off < end && !rc; off += n) {
        uint64_t in = off & (csize - 1), skip;

        if (q->corrupt)
            return EIO;
        n = csize - in < end - off ? csize - in : end - off;
        skip = skip_table(q, off);
        if (skip > off)
            n = skip < end ? skip - off : end - off;
        else if (n == csize || (!in && end == im->size)) /* the last cluster may be cut */
            rc = zero_cluster(q, off, may_unmap);
        else
            rc = write_zeroes(q, off, n);
    }
    return rc || !q->corrupt ? rc : EIO;
}

static int discard_cluster(struct qcow2 *q, uint64_t off)
{
    struct q_ent old;
    int rc = q_entry(q, off, &old);

    if (rc || (!q_host(&old) && !(old.desc & Q_COMPRESSED)))
        return rc; /* there is nothing to give up */
    if (q->version < 3 && shows_backing(q, off))
        return 0; /* old data would come back from behind */
    return zero_cluster(q, off, true);
}

int q_discard(struct image *im, uint64_t off, uint64_t len)
{
    struct qcow2 *q = im->priv;
    uint64_t csize = q_csize(q), end = off + len;
    int rc = 0;

    off = (off + csize - 1) & -csize;
    if (end < im->size)
        end &= -csize;
    while (off < end && !rc) {
        uint64_t skip = skip_table(q, off);

        if (q->corrupt)
            return EIO;
        if (skip == off) {
            rc = discard_cluster(q, off);
            skip = off + csize;
        }
        off = skip;
    }
    return rc || !q->corrupt ? rc : EIO;
}
