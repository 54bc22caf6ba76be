/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping away from damage in a qcow2 image that is written. Before a page of
 * an L2 table is used its entries are compared with the refcounts, and with
 * where metadata is: writing in place to a cluster that holds a table, or that
 * somebody else uses, would destroy more than is broken already. What is found
 * sets the image's corrupt bit, and nothing is written any more.
 */
#include "block/qcow2.h"
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/log.h"

#define BLOOM_MIN (1ULL << 16) /* bits */
#define BLOOM_MAX (1ULL << 25)

int q_damaged(struct qcow2 *q, const char *what, uint64_t where)
{
    uint64_t be;

    if (q->corrupt)
        return EIO;
    __atomic_store_n(&q->corrupt, true, __ATOMIC_SEQ_CST);
    log_line("disk %s: the image is damaged: %s (at 0x%" PRIx64 ")%s", q->im->file, what, where,
             q->im->readonly ? "" : "; nothing is written to it any more: qemu-img check -r all");
    if (q->im->readonly || q->version < 3)
        return EIO;
    q->incompat |= Q_CORRUPT;
    be = htobe64(q->incompat);
    q_header_put(q, 72, &be, sizeof(be));
    return EIO;
}

/* ---- sets ---- */

static int bloom_init(struct q_bloom *b, uint64_t count)
{
    uint64_t bits = BLOOM_MIN;

    while (bits < count * 16 && bits < BLOOM_MAX)
        bits *= 2;
    b->mask = bits - 1;
    b->bits = calloc(bits / 64, 8);
    return b->bits ? 0 : ENOMEM;
}

static uint64_t bloom_hash(uint64_t n, unsigned i)
{
    n = (n + i) * 0x9e3779b97f4a7c15ULL;
    return (n ^ n >> 29) * 0xbf58476d1ce4e5b9ULL >> 32;
}

void q_bloom_add(struct q_bloom *b, uint64_t cluster)
{
    for (unsigned i = 0; i < 3 && b->bits; i++) {
        uint64_t n = bloom_hash(cluster, i << 20) & b->mask;

        b->bits[n / 64] |= 1ULL << n % 64;
    }
}

static bool bloom_maybe(const struct q_bloom *b, uint64_t cluster)
{
    for (unsigned i = 0; i < 3; i++) {
        uint64_t n = bloom_hash(cluster, i << 20) & b->mask;

        if (!b->bits || !(b->bits[n / 64] & 1ULL << n % 64))
            return false;
    }
    return true;
}

/* ---- where metadata is ---- */

/* Adds all the tables that the table at off names to a set. */
static int read_set(struct qcow2 *q, struct q_bloom *b, uint64_t off, uint64_t entries)
{
    uint64_t buf[512];
    int rc = bloom_init(b, entries);

    for (uint64_t i = 0; !rc && i < entries; i += 512) {
        uint64_t n = entries - i < 512 ? entries - i : 512;

        rc = image_file_get(q->im, off + i * 8, buf, n * 8);
        for (uint64_t k = 0; !rc && k < n; k++) {
            uint64_t at = be64toh(buf[k]) & Q_OFFSET;

            if (at)
                q_bloom_add(b, at >> q->cluster_bits);
        }
    }
    return rc;
}

static struct q_extent extent(const struct qcow2 *q, uint64_t off, uint64_t len)
{
    return (struct q_extent){ off >> q->cluster_bits, (len + q_csize(q) - 1) >> q->cluster_bits };
}

int q_meta_init(struct qcow2 *q, struct err *err)
{
    uint64_t pos = q->snap_off;
    int rc;

    q->fixed = calloc(4 + (size_t)q->nsnaps, sizeof(*q->fixed));
    if (!q->fixed)
        return err_set(err, -ENOMEM, "disk %s: out of memory", q->im->file);
    q->fixed[0] = extent(q, 0, 1);
    q->fixed[1] = extent(q, q->l1_off, (uint64_t)q->l1_size * 8);
    q->fixed[2] = extent(q, q->rt_off, (uint64_t)q->rt_size * 8);
    q->nfixed = 4;
    for (uint32_t i = 0; i < q->nsnaps; i++) {
        struct q_snapshot snap;

        if (q_snapshot_get(q, &pos, &snap))
            return err_set(err, -EINVAL, "disk %s: snapshot %u is damaged; qemu-img check -r all",
                           q->im->file, i);
        q->fixed[q->nfixed++] = extent(q, snap.l1_off, (uint64_t)snap.l1_size * 8);
    }
    q->fixed[3] = extent(q, q->snap_off, pos - q->snap_off);
    rc = read_set(q, &q->l2s, q->l1_off, q->l1_size);
    if (!rc)
        rc = read_set(q, &q->refblocks, q->rt_off, q->rt_size);
    return rc ? err_set(err, -rc, "disk %s: cannot read its tables: %s", q->im->file, strerror(rc))
              : 0;
}

void q_meta_free(struct qcow2 *q)
{
    free(q->fixed);
    free(q->l2s.bits);
    free(q->refblocks.bits);
}

static int table_names(struct qcow2 *q, enum q_kind kind, uint64_t off, uint64_t entries,
                       uint64_t cluster, bool *yes)
{
    int rc = 0;

    for (uint64_t i = 0; !rc && !*yes && i < entries; i++) {
        uint64_t e;

        rc = q_get64(q, kind, off + i * 8, &e);
        *yes = !rc && e & Q_OFFSET && (e & Q_OFFSET) >> q->cluster_bits == cluster;
    }
    return rc;
}

static bool in_fixed(const struct qcow2 *q, uint64_t cluster, uint64_t n)
{
    for (size_t i = 0; i < q->nfixed; i++) {
        if (cluster < q->fixed[i].cluster + q->fixed[i].count && q->fixed[i].cluster < cluster + n)
            return true;
    }
    return false;
}

static int is_refblock(struct qcow2 *q, uint64_t cluster, bool *yes)
{
    *yes = false;
    if (!bloom_maybe(&q->refblocks, cluster))
        return 0;
    return table_names(q, Q_REFTABLE, q->rt_off, q->rt_size, cluster, yes);
}

int q_is_meta(struct qcow2 *q, uint64_t cluster, uint64_t n, bool *yes)
{
    int rc = 0;

    *yes = in_fixed(q, cluster, n);
    for (uint64_t i = 0; !rc && !*yes && i < n; i++) {
        rc = is_refblock(q, cluster + i, yes);
        if (!rc && !*yes && bloom_maybe(&q->l2s, cluster + i))
            rc = table_names(q, Q_L1, q->l1_off, q->l1_size, cluster + i, yes);
    }
    return rc;
}

/* ---- a page of entries ---- */

static int check_table(struct qcow2 *q, uint64_t l1e)
{
    uint64_t count, cluster = (l1e & Q_OFFSET) >> q->cluster_bits;
    bool yes = in_fixed(q, cluster, 1);
    int rc = yes ? 0 : is_refblock(q, cluster, &yes);

    if (!rc && yes)
        return q_damaged(q, "an L2 table lies on other metadata", l1e & Q_OFFSET);
    if (!rc)
        rc = q_refcount_get(q, cluster, &count);
    if (!rc && (!count || (l1e & Q_COPIED && count != 1)))
        return q_damaged(q, "the refcount of an L2 table is wrong", l1e & Q_OFFSET);
    return rc;
}

static int check_entry(struct qcow2 *q, uint64_t desc)
{
    uint64_t host = desc & Q_OFFSET, count;
    bool meta;
    int rc;

    if (desc & Q_COMPRESSED || !host)
        return 0;
    if (host & (q_csize(q) - 1))
        return q_damaged(q, "a data cluster is not aligned", host);
    rc = q_refcount_get(q, host >> q->cluster_bits, &count);
    if (!rc && (!count || (desc & Q_COPIED && count != 1)))
        return q_damaged(q, "the refcount of a data cluster is wrong", host);
    if (!rc)
        rc = q_is_meta(q, host >> q->cluster_bits, 1, &meta);
    if (!rc && meta)
        return q_damaged(q, "a data cluster lies on metadata", host);
    return rc;
}

int q_check_page(struct qcow2 *q, uint64_t l1e, uint64_t off)
{
    uint64_t page = 1ULL << q->cache.page_bits, entries[512];
    unsigned step = q->extended ? 2 : 1;
    int rc;

    if (q->im->readonly || q->corrupt || q_page_checked(q, off, false))
        return 0;
    off &= -page;
    rc = check_table(q, l1e);
    if (!rc)
        rc = q_get_bytes(q, Q_L2, off, entries, page);
    for (unsigned i = 0; !rc && i < page / 8; i += step)
        rc = check_entry(q, be64toh(entries[i]));
    if (!rc) { /* it may have left the cache meanwhile */
        rc = q_get_bytes(q, Q_L2, off, entries, 8);
        q_page_checked(q, off, !rc);
    }
    return rc;
}
