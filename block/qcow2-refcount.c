/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which clusters of a qcow2 file are in use, and by how many. A region is what
 * one refcount block counts; a region without one is all free, and the first
 * cluster that is wanted of it becomes its block.
 */
#include "block/qcow2.h"
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "block/store.h"

uint64_t q_count_get(const struct qcow2 *q, const uint8_t *p, uint64_t i)
{
    unsigned order = q->refcount_order;
    uint64_t val = 0;

    if (order < 3)
        return p[i >> (3 - order)] >> ((i & ((8u >> order) - 1)) << order) &
               ((1u << (1u << order)) - 1);
    for (unsigned n = 1u << (order - 3), j = 0; j < n; j++)
        val = val << 8 | p[(i << (order - 3)) + j];
    return val;
}

void q_count_put(const struct qcow2 *q, uint8_t *p, uint64_t i, uint64_t count)
{
    unsigned order = q->refcount_order;

    if (order < 3) {
        unsigned shift = (i & ((8u >> order) - 1)) << order;
        unsigned mask = (1u << (1u << order)) - 1;
        uint8_t *byte = &p[i >> (3 - order)];

        *byte = (*byte & ~(mask << shift)) | (count & mask) << shift;
        return;
    }
    for (unsigned n = 1u << (order - 3), j = n; j-- > 0; count >>= 8)
        p[(i << (order - 3)) + j] = count;
}

/* The refcount block of a region, *block 0: none. */
static int find_block(struct qcow2 *q, uint64_t region, uint64_t *block)
{
    int rc;

    *block = 0;
    if (region >= q->rt_size)
        return 0;
    rc = q_get64(q, Q_REFTABLE, q->rt_off + region * 8, block);
    *block &= ~511ULL;
    if (!rc && *block && (*block & (q_csize(q) - 1) || *block >= q->end))
        return q_damaged(q, "a refcount block is where none can be", *block);
    return rc;
}

/* The bytes that hold the count of a cluster: where, how many, and the index among them. */
static uint64_t count_bytes(const struct qcow2 *q, uint64_t cluster, size_t *len, uint64_t *i)
{
    uint64_t n = cluster & ((1ULL << q->rb_bits) - 1);

    if (q->refcount_order < 3) {
        *len = 1;
        *i = n & ((8u >> q->refcount_order) - 1);
        return n >> (3 - q->refcount_order);
    }
    *len = 1u << (q->refcount_order - 3);
    *i = 0;
    return n * *len;
}

int q_refcount_get(struct qcow2 *q, uint64_t cluster, uint64_t *count)
{
    uint8_t bytes[8];
    uint64_t block, i, pos;
    size_t len;
    int rc = find_block(q, cluster >> q->rb_bits, &block);

    *count = 0;
    if (rc || !block)
        return rc;
    pos = block + count_bytes(q, cluster, &len, &i);
    rc = q_get_bytes(q, Q_REFBLOCK, pos, bytes, len);
    if (!rc)
        *count = q_count_get(q, bytes, i);
    return rc;
}

static int put_count(struct qcow2 *q, uint64_t block, uint64_t cluster, uint64_t count)
{
    uint8_t bytes[8];
    uint64_t i, pos;
    size_t len;
    int rc;

    pos = block + count_bytes(q, cluster, &len, &i);
    rc = q_get_bytes(q, Q_REFBLOCK, pos, bytes, len);
    if (rc)
        return rc;
    q_count_put(q, bytes, i, count);
    return q_set_bytes(q, Q_REFBLOCK, pos, bytes, len);
}

/* Makes a free cluster the refcount block of a region. Its own count is the caller's matter. */
static int make_block(struct qcow2 *q, uint64_t region, uint64_t cluster)
{
    uint64_t off = cluster << q->cluster_bits;
    bool meta = false;
    int rc = q_is_meta(q, cluster, 1, &meta);

    if (!rc && meta)
        return q_damaged(q, "a table lies in a cluster that counts as free", off);
    if (!rc)
        rc = q_new_table(q, Q_REFBLOCK, off);
    if (!rc)
        rc = q_set64(q, Q_REFTABLE, q->rt_off + region * 8, off);
    if (!rc)
        q_bloom_add(&q->refblocks, cluster);
    return rc;
}

/* ---- a longer refcount table ---- */

struct new_table {
    uint64_t base;             /* cluster: the table, then the blocks that count both */
    uint64_t clusters, blocks; /* how many */
};

static int plan_table(struct qcow2 *q, struct new_table *t)
{
    uint64_t per_cluster = q_csize(q) / 8, region = 1ULL << q->rb_bits;
    uint64_t eof = (q->end + q_csize(q) - 1) >> q->cluster_bits, last;
    bool meta;
    int rc;

    t->base = (uint64_t)q->rt_size << q->rb_bits;
    if (t->base < eof)
        t->base = (eof + region - 1) >> q->rb_bits << q->rb_bits;
    t->blocks = 0;
    do {
        t->blocks++;
        last = t->base + t->blocks * region; /* what the new blocks count up to */
        t->clusters = 2 * (last >> q->rb_bits) / per_cluster + 1;
    } while (t->clusters + t->blocks > t->blocks * region);
    if (t->clusters * q_csize(q) > Q_REFTABLE_MAX)
        return EFBIG;
    rc = q_is_meta(q, t->base, t->clusters + t->blocks, &meta);
    if (!rc && meta)
        return q_damaged(q, "a table lies in a cluster that counts as free",
                         t->base << q->cluster_bits);
    return rc;
}

static int write_table(struct qcow2 *q, const struct new_table *t, uint8_t *buf)
{
    uint64_t csize = q_csize(q), at = t->base << q->cluster_bits;
    uint64_t first = t->base >> q->rb_bits, used = t->clusters + t->blocks;
    uint64_t blocks_at = at + t->clusters * csize;
    int rc = 0;

    for (uint64_t n = 0; !rc && n < t->clusters * csize; n += csize) {
        uint64_t old = (uint64_t)q->rt_size * 8;

        memset(buf, 0, csize);
        if (n < old)
            rc = image_file_get(q->im, q->rt_off + n, buf, old - n < csize ? old - n : csize);
        for (uint64_t k = 0; k < t->blocks; k++) {
            uint64_t be = htobe64(blocks_at + k * csize), pos = (first + k) * 8;

            if (pos >= n && pos < n + csize)
                memcpy(buf + (pos - n), &be, 8);
        }
        if (!rc)
            rc = image_file_put(q->im, at + n, buf, csize);
    }
    for (uint64_t k = 0; !rc && k < t->blocks; k++) {
        memset(buf, 0, csize);
        for (uint64_t i = 0; i < 1ULL << q->rb_bits && (k << q->rb_bits) + i < used; i++)
            q_count_put(q, buf, i, 1);
        rc = image_file_put(q->im, blocks_at + k * csize, buf, csize);
        q_bloom_add(&q->refblocks, (blocks_at >> q->cluster_bits) + k);
    }
    return rc;
}

static int grow_table(struct qcow2 *q)
{
    uint64_t csize = q_csize(q), old = q->rt_off;
    uint64_t old_clusters = ((uint64_t)q->rt_size * 8) >> q->cluster_bits;
    struct new_table t;
    uint8_t head[12], *buf;
    uint32_t n;
    int rc = q_flush_meta(q);

    if (!rc)
        rc = plan_table(q, &t);
    if (rc)
        return rc;
    buf = malloc(csize);
    rc = buf ? write_table(q, &t, buf) : ENOMEM;
    free(buf);
    q->unsynced = true;
    if (!rc)
        rc = q_barrier(q);
    if (rc)
        return rc;
    memcpy(head, &(uint64_t){ htobe64(t.base << q->cluster_bits) }, 8);
    n = htobe32(t.clusters);
    memcpy(head + 8, &n, 4);
    rc = q_header_put(q, 48, head, sizeof(head));
    if (rc)
        return rc;
    q_forget(q, old, old_clusters * csize);
    q->rt_off = t.base << q->cluster_bits;
    q->rt_size = t.clusters * csize / 8;
    q->fixed[2] = (struct q_extent){ t.base, t.clusters };
    if (q->end < (t.base + t.clusters + t.blocks) << q->cluster_bits)
        q->end = (t.base + t.clusters + t.blocks) << q->cluster_bits;
    return q->spare ? 0 : q_release(q, old >> q->cluster_bits, old_clusters);
}

/* ---- setting ---- */

/* For q_repair(): a block for a region whose own clusters may all be in use. */
static int spare_block(struct qcow2 *q, uint64_t region)
{
    uint64_t eof, cluster, own, block;
    int rc = 0;

    while (!rc && region >= q->rt_size)
        rc = grow_table(q);
    if (!rc)
        rc = find_block(q, region, &block);
    if (rc || block)
        return rc;
    eof = (q->end + q_csize(q) - 1) >> q->cluster_bits;
    cluster = q->spare > eof ? q->spare : eof;
    q->spare = cluster + 1;
    own = cluster >> q->rb_bits;
    rc = make_block(q, region, cluster);
    if (!rc && own != region) {
        rc = find_block(q, own, &block);
        if (!rc && !block)
            rc = spare_block(q, own); /* that one will count itself */
    }
    return rc ? rc : q_refcount_set(q, cluster, 1);
}

int q_refcount_set(struct qcow2 *q, uint64_t cluster, uint64_t count)
{
    uint64_t block;
    int rc = find_block(q, cluster >> q->rb_bits, &block);

    if (!rc && !block && q->spare) {
        rc = spare_block(q, cluster >> q->rb_bits);
        if (!rc)
            rc = find_block(q, cluster >> q->rb_bits, &block);
    }
    if (!rc && !block)
        return q_damaged(q, "a refcount block is missing", cluster << q->cluster_bits);
    return rc ? rc : put_count(q, block, cluster, count);
}

/* ---- taking and giving back ---- */

/* Is the cluster free? Gives its region a block when it has none, out of that cluster. */
static int look_at(struct qcow2 *q, uint64_t cluster, bool *is_free)
{
    uint64_t block, count, region = cluster >> q->rb_bits;
    int rc = 0;

    *is_free = false;
    if (cluster >= Q_HOST_MAX >> q->cluster_bits)
        return EFBIG;
    if (region >= q->rt_size)
        rc = grow_table(q);
    if (rc || region >= q->rt_size)
        return rc ? rc : EFBIG;
    rc = find_block(q, region, &block);
    if (!rc && !block) {
        rc = make_block(q, region, cluster);
        return rc ? rc : q_refcount_set(q, cluster, 1);
    }
    if (!rc)
        rc = q_refcount_get(q, cluster, &count);
    *is_free = !rc && !count;
    return rc;
}

static int take(struct qcow2 *q, uint64_t cluster, uint64_t n)
{
    bool meta;
    int rc = q_is_meta(q, cluster, n, &meta);

    if (!rc && meta)
        return q_damaged(q, "a table lies in a cluster that counts as free",
                         cluster << q->cluster_bits);
    for (uint64_t i = 0; !rc && i < n; i++)
        rc = q_refcount_set(q, cluster + i, 1);
    return rc;
}

int q_alloc(struct qcow2 *q, uint64_t *n, uint64_t *cluster)
{
    uint64_t start = q->hint, c = start, run = 0, want = *n;
    bool is_free = false;
    int rc = 0;

    if (q->corrupt)
        return EIO;
    for (; !is_free; c += !is_free) {
        rc = look_at(q, c, &is_free);
        if (rc)
            return rc;
    }
    for (; is_free && run < want; run++) { /* look_at() may take one itself: then it is not free */
        if ((c + run) >> q->rb_bits != c >> q->rb_bits)
            break;
        rc = look_at(q, c + run, &is_free);
        if (rc || !is_free)
            break;
    }
    if (!rc)
        rc = take(q, c, run);
    if (rc)
        return rc;
    if (q->hint >= start) /* nothing was given back below it meanwhile */
        q->hint = c + run;
    *n = run;
    *cluster = c;
    return 0;
}

int q_alloc_exact(struct qcow2 *q, uint64_t n, uint64_t *cluster)
{
    uint64_t c = (q->end + q_csize(q) - 1) >> q->cluster_bits, run = 0;
    int rc;

    while (run < n) {
        bool is_free;

        rc = look_at(q, c + run, &is_free);
        if (rc)
            return rc;
        if (is_free) {
            run++;
        } else {
            c += run + 1;
            run = 0;
        }
    }
    rc = take(q, c, n);
    *cluster = c;
    return rc;
}

int q_release(struct qcow2 *q, uint64_t cluster, uint64_t count)
{
    struct q_pending *p = &q->pending;
    int rc = 0;

    if (!count)
        return 0;
    if (p->n == Q_PENDING)
        rc = q_flush_meta(q);
    if (rc || p->n == Q_PENDING)
        return rc ? rc : EIO;
    __atomic_store_n(&q->busy_meta, true, __ATOMIC_SEQ_CST);
    if (p->n && p->free[p->n - 1].cluster + p->free[p->n - 1].count == cluster)
        p->free[p->n - 1].count += count;
    else
        p->free[p->n++] = (struct q_extent){ cluster, count };
    return 0;
}

static int count_down(struct qcow2 *q, struct q_extent *e, uint64_t *freed)
{
    uint64_t count = 0;
    int rc = q_refcount_get(q, e->cluster, &count);

    if (!rc && !count)
        return q_damaged(q, "a cluster in use counts as free", e->cluster << q->cluster_bits);
    if (!rc)
        rc = q_refcount_set(q, e->cluster, count - 1);
    if (rc)
        return rc;
    *freed = count == 1;
    if (*freed && e->cluster < q->hint)
        q->hint = e->cluster;
    e->cluster++;
    e->count--;
    return 0;
}

int q_release_commit(struct qcow2 *q)
{
    int rc = 0;

    q->committing = true;
    while (!rc && q->pending.n) {
        struct q_extent *e = &q->pending.free[q->pending.n - 1];
        uint64_t start = e->cluster, freed = 0;

        while (!rc && e->count) {
            rc = count_down(q, e, &freed);
            if (rc || freed)
                continue;
            /* somebody else uses this one: the hole ends before it */
            store_discard(q->im->store, start << q->cluster_bits,
                          (e->cluster - 1 - start) << q->cluster_bits);
            start = e->cluster;
        }
        store_discard(q->im->store, start << q->cluster_bits,
                      (e->cluster - start) << q->cluster_bits);
        q->pending.n -= !rc;
    }
    q->committing = false;
    return rc;
}
