/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the guest's bytes to the file's: L1 and L2 tables. */
#include "block/qcow2.h"
#include <endian.h>
#include <errno.h>

#define MAP_CLUSTERS 256 /* that q_map() looks at: the loop has others to serve */

enum q_what q_unit(const struct qcow2 *q, const struct q_ent *e, unsigned u)
{
    if (e->desc & Q_COMPRESSED)
        return Q_PACKED;
    if (q->extended) {
        if (e->bits >> (32 + u) & 1)
            return Q_ZEROES;
        return e->bits >> u & 1 ? Q_PLAIN : Q_UNALLOCATED;
    }
    if (e->desc & Q_ZERO && q->version >= 3)
        return Q_ZEROES;
    return e->desc & Q_OFFSET ? Q_PLAIN : Q_UNALLOCATED;
}

static unsigned l1_index(const struct qcow2 *q, uint64_t off)
{
    return off >> (q->cluster_bits + q->l2_bits);
}

static uint64_t l2_pos(const struct qcow2 *q, uint64_t off)
{
    uint64_t i = off >> q->cluster_bits & ((1ULL << q->l2_bits) - 1);

    return i << (q->extended ? 4 : 3);
}

int q_entry_at(struct qcow2 *q, uint64_t off, uint64_t *at, uint64_t *l1e)
{
    uint64_t table;
    int rc;

    *at = 0;
    *l1e = 0;
    if (l1_index(q, off) >= q->l1_size)
        return EIO;
    rc = q_get64(q, Q_L1, q->l1_off + 8ULL * l1_index(q, off), l1e);
    table = *l1e & Q_OFFSET;
    if (rc || !table)
        return rc;
    if (table & (q_csize(q) - 1) || table >= q->end)
        return q_damaged(q, "an L2 table is where none can be", table);
    *at = table + l2_pos(q, off);
    return 0;
}

int q_entry(struct qcow2 *q, uint64_t off, struct q_ent *e)
{
    uint64_t at, l1e;
    int rc = q_entry_at(q, off, &at, &l1e);

    *e = (struct q_ent){ 0 };
    if (rc || !at)
        return rc;
    rc = q_check_page(q, l1e, at);
    if (rc && !q->corrupt) /* what is damaged can still be read where it makes sense */
        return rc;
    rc = q_get64(q, Q_L2, at, &e->desc);
    if (!rc && q->extended)
        rc = q_get64(q, Q_L2, at + 8, &e->bits);
    return rc;
}

/* The units from that of `in` on which are of one kind, as bytes. */
static uint64_t same_units(const struct qcow2 *q, const struct q_ent *e, uint64_t in)
{
    uint64_t end = (in >> q->unit_bits << q->unit_bits) + (1ULL << q->unit_bits);
    enum q_what what = q_unit(q, e, in >> q->unit_bits);

    while (end < q_csize(q) && q_unit(q, e, end >> q->unit_bits) == what)
        end += 1ULL << q->unit_bits;
    return end - in;
}

static int check_host(struct qcow2 *q, const struct q_ent *e)
{
    uint64_t host = q_host(e);

    if (!host || host & (q_csize(q) - 1) || host >= q->end)
        return q_damaged(q, "a data cluster is where none can be", host);
    return 0;
}

int q_find(struct qcow2 *q, uint64_t off, uint64_t len, struct q_run *run)
{
    uint64_t in = off & (q_csize(q) - 1);
    struct q_ent e;
    int rc = q_entry(q, off, &e);

    if (rc)
        return rc;
    *run = (struct q_run){ .what = q_unit(q, &e, in >> q->unit_bits) };
    run->len = same_units(q, &e, in);
    run->host = run->what == Q_PACKED ? e.desc : q_host(&e) + in;
    if (run->what == Q_PLAIN)
        rc = check_host(q, &e);
    while (!rc && run->len < len && !((off + run->len) & (q_csize(q) - 1)) &&
           run->what != Q_PACKED && l2_pos(q, off + run->len)) {
        rc = q_entry(q, off + run->len, &e);
        if (rc || q_unit(q, &e, 0) != run->what ||
            (run->what == Q_PLAIN && q_host(&e) != run->host + run->len))
            break;
        if (run->what == Q_PLAIN && q_host(&e) >= q->end)
            break;
        run->len += same_units(q, &e, 0);
    }
    if (run->len > len)
        run->len = len;
    return rc;
}

/* q_entry() for q_map(): true when the entry is at hand. */
static bool peek(struct qcow2 *q, uint64_t off, struct q_ent *e)
{
    bool checked = !q->im->readonly;
    uint64_t l1e, at;

    e->bits = 0;
    if (!q_peek64(q, Q_L1, q->l1_off + 8ULL * l1_index(q, off), false, &l1e))
        return false;
    at = l1e & Q_OFFSET;
    if (!at || at & (q_csize(q) - 1))
        return false;
    at += l2_pos(q, off);
    return q_peek64(q, Q_L2, at, checked, &e->desc) &&
           (!q->extended || q_peek64(q, Q_L2, at + 8, checked, &e->bits));
}

/* How many bytes at off are plain data that starts at *host; 0: none. */
static uint64_t peek_run(struct qcow2 *q, uint64_t off, uint64_t len, bool write, uint64_t *host)
{
    uint64_t got = 0;

    for (unsigned i = 0; i < MAP_CLUSTERS && got < len; i++) {
        uint64_t in = (off + got) & (q_csize(q) - 1), n;
        struct q_ent e;

        if ((got && in) || !peek(q, off + got, &e) ||
            q_unit(q, &e, in >> q->unit_bits) != Q_PLAIN || (write && !(e.desc & Q_COPIED)) ||
            !q_host(&e) || q_host(&e) & (q_csize(q) - 1))
            break;
        if (!got)
            *host = q_host(&e) + in;
        else if (q_host(&e) != *host + got)
            break;
        n = same_units(q, &e, in);
        got += n < len - got ? n : len - got;
    }
    return got;
}

bool q_map(struct image *im, uint64_t off, uint64_t *len, bool write, uint64_t *host)
{
    struct qcow2 *q = im->priv;

    if ((write && __atomic_load_n(&q->corrupt, __ATOMIC_SEQ_CST)) ||
        pthread_mutex_trylock(&q->cache.lock))
        return false;
    *len = peek_run(q, off, *len, write, host);
    pthread_mutex_unlock(&q->cache.lock);
    return *len != 0;
}

/* ---- changes ---- */

int q_owned(struct qcow2 *q, const struct q_ent *e, bool *yes)
{
    uint64_t count = 0;
    int rc = 0;

    *yes = q_host(e) && e->desc & Q_COPIED;
    if (q_host(e) && !*yes) { /* the flag may be out of date, the count is not */
        rc = q_refcount_get(q, q_host(e) >> q->cluster_bits, &count);
        *yes = count == 1;
    }
    return rc;
}

int q_own_l2(struct qcow2 *q, uint64_t off)
{
    uint64_t at, l1e, cluster, n = 1, slot = q->l1_off + 8ULL * l1_index(q, off), old;
    struct q_ent as_ent = { 0 };
    bool owned;
    int rc = q_entry_at(q, off, &at, &l1e);

    if (rc || l1e & Q_COPIED)
        return rc;
    old = l1e & Q_OFFSET;
    as_ent.desc = old;
    rc = q_owned(q, &as_ent, &owned);
    if (!rc && owned)
        return q_set64(q, Q_L1, slot, old | Q_COPIED);
    if (!rc)
        rc = q_alloc(q, &n, &cluster);
    if (!rc)
        rc = q_copy_table(q, Q_L2, cluster << q->cluster_bits, old);
    if (!rc)
        rc = q_set64(q, Q_L1, slot, cluster << q->cluster_bits | Q_COPIED);
    if (rc)
        return rc;
    q_bloom_add(&q->l2s, cluster);
    return old ? q_release(q, old >> q->cluster_bits, 1) : 0;
}

int q_set_entry(struct qcow2 *q, uint64_t off, const struct q_ent *e)
{
    uint64_t at, l1e;
    int rc = q_entry_at(q, off, &at, &l1e);

    if (rc || !at)
        return rc ? rc : EIO;
    if (!q->extended)
        return q_set64(q, Q_L2, at, e->desc);
    return q_set_bytes(q, Q_L2, at, (uint64_t[]){ htobe64(e->desc), htobe64(e->bits) }, 16);
}

void q_packed_range(const struct qcow2 *q, uint64_t desc, uint64_t *pos, uint64_t *len)
{
    unsigned x = 62 - (q->cluster_bits - 8);

    *pos = desc & ((1ULL << x) - 1);
    *len = (((desc & (Q_COMPRESSED - 1)) >> x) + 1) * 512 - (*pos & 511);
}

int q_drop(struct qcow2 *q, const struct q_ent *e)
{
    uint64_t pos, len, first;

    if (!(e->desc & Q_COMPRESSED))
        return q_host(e) ? q_release(q, q_host(e) >> q->cluster_bits, 1) : 0;
    q_packed_range(q, e->desc, &pos, &len);
    first = pos >> q->cluster_bits;
    return q_release(q, first, ((pos + len - 1) >> q->cluster_bits) - first + 1);
}
