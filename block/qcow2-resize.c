/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making a qcow2 disk larger; or smaller, when nothing is stored in what is
 * cut off. What is added reads as zeroes even where a larger backing file, or
 * what is left in the last cluster, would show through.
 */
#include "block/qcow2.h"
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* A longer L1 table with the same contents, in the file but not in the header. */
static int copy_l1(struct qcow2 *q, uint64_t cluster, uint64_t clusters)
{
    uint64_t len = (uint64_t)q->l1_size * 8, to = cluster << q->cluster_bits;
    struct iovec iov = { q->chunk, Q_CHUNK };
    struct image_buf buf = { &iov, 1, 0 };
    int rc = 0;

    for (uint64_t pos = 0; !rc && pos < clusters << q->cluster_bits; pos += Q_CHUNK) {
        uint64_t n = (clusters << q->cluster_bits) - pos;

        n = n < Q_CHUNK ? n : Q_CHUNK;
        memset(q->chunk, 0, Q_CHUNK);
        if (pos < len)
            rc = image_file_get(q->im, q->l1_off + pos, q->chunk, len - pos < n ? len - pos : n);
        if (!rc)
            rc = q_put_file(q, to + pos, n, &buf);
    }
    return rc ? rc : q_barrier(q);
}

static int grow_l1(struct qcow2 *q, uint64_t entries)
{
    uint64_t clusters = (entries * 8 + q_csize(q) - 1) >> q->cluster_bits, cluster;
    uint64_t old = q->l1_off >> q->cluster_bits, be;
    uint64_t old_clusters = ((uint64_t)q->l1_size * 8 + q_csize(q) - 1) >> q->cluster_bits;
    uint32_t size;
    uint8_t head[12];
    int rc = q_alloc_exact(q, clusters, &cluster);

    if (!rc)
        rc = q_flush_meta(q);
    if (!rc)
        rc = copy_l1(q, cluster, clusters);
    if (rc)
        return rc;
    size = htobe32(entries);
    be = htobe64(cluster << q->cluster_bits);
    memcpy(head, &size, 4);
    memcpy(head + 4, &be, 8);
    rc = q_header_put(q, 36, head, sizeof(head));
    if (rc)
        return rc;
    q_forget(q, q->l1_off, old_clusters << q->cluster_bits);
    q->l1_off = cluster << q->cluster_bits;
    q->l1_size = entries;
    q->fixed[1] = (struct q_extent){ cluster, clusters };
    return q_release(q, old, old_clusters);
}

static int set_size(struct qcow2 *q, uint64_t size)
{
    uint64_t be = htobe64(size);
    int rc = q_flush_meta(q);

    return rc ? rc : q_header_put(q, 24, &be, sizeof(be));
}

static int grow(struct qcow2 *q, uint64_t size, uint64_t entries)
{
    uint64_t old = q->im->size, end = (old + q_csize(q) - 1) & -q_csize(q);
    uint64_t behind = q->im->backing ? q->im->backing->size : 0;
    int rc = entries > q->l1_size ? grow_l1(q, entries) : 0;

    if (end < behind)
        end = behind;
    if (end > size)
        end = size;
    if (!rc && end > old) {
        q->im->size = size;
        rc = q_zero(q->im, old, end - old, true);
        q->im->size = old;
    }
    return rc ? rc : set_size(q, size);
}

/* Is something stored from off on? */
static int is_used(struct qcow2 *q, uint64_t off, bool *used)
{
    uint64_t span = 1ULL << (q->cluster_bits + q->l2_bits);
    int rc = 0;

    *used = false;
    off = (off + q_csize(q) - 1) & -q_csize(q);
    while (!rc && !*used && off < q->im->size) {
        uint64_t at, l1e;
        struct q_ent e = { 0 };

        rc = q_entry_at(q, off, &at, &l1e);
        if (!rc && !at) {
            off = (off | (span - 1)) + 1;
            continue;
        }
        if (!rc)
            rc = q_entry(q, off, &e);
        *used = q_host(&e) || e.desc & Q_COMPRESSED;
        off += q_csize(q);
    }
    return rc;
}

int q_resize(struct image *im, uint64_t size, struct err *err)
{
    struct qcow2 *q = im->priv;
    uint64_t span = 1ULL << (q->cluster_bits + q->l2_bits), entries = size / span + !!(size % span);
    bool used = false;
    int rc;

    if (q->corrupt)
        return err_set(err, -EIO, "disk %s: is damaged; qemu-img check -r all", im->file);
    if (entries > Q_L1_MAX / 8)
        return err_set(err, -EFBIG, "disk %s: %" PRIu64 " bytes are too many for its cluster size",
                       im->file, size);
    if (q->nsnaps && q->version < 3)
        return err_set(err, -ENOTSUP,
                       "disk %s: has snapshots that do not note its size; qemu-img amend "
                       "-o compat=1.1",
                       im->file);
    rc = size < im->size ? is_used(q, size, &used) : 0;
    if (!rc && used)
        return err_set(err, -EBUSY,
                       "disk %s: there is data behind byte %" PRIu64 "; discard it "
                       "first",
                       im->file, size);
    if (!rc)
        rc = size < im->size ? set_size(q, size) : grow(q, size, entries);
    if (rc)
        return err_set(err, -rc, "disk %s: cannot be made %" PRIu64 " bytes long: %s", im->file,
                       size, strerror(rc));
    im->size = size;
    return 0;
}
