/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/qcow2.h: what the files of the qcow2 format share. Names follow the
 * format's specification (docs/interop/qcow2 of the QEMU project); a "unit" is
 * a subcluster where the image has extended L2 entries and a cluster elsewhere.
 *
 * Everything but q_map() runs on the image's worker.
 */
#pragma once
#include <pthread.h>
#include "block/image.h"

#define Q_L1_MAX       (32u << 20) /* bytes of an L1 table */
#define Q_REFTABLE_MAX (8u << 20)  /* bytes of a refcount table */
#define Q_SNAPSHOTS    65536
#define Q_OFFSET       0x00fffffffffffe00ULL /* host offset in L1 and L2 entries */
#define Q_COPIED       (1ULL << 63)
#define Q_COMPRESSED   (1ULL << 62)
#define Q_ZERO         1ULL
#define Q_HOST_MAX     (1ULL << 56)

enum { Q_DIRTY = 1, Q_CORRUPT = 2, Q_EXTERNAL = 4, Q_ZSTD = 8, Q_EXTENDED = 16 }; /* incompatible */

/* Metadata, in the order in which it may reach the disk; see q_flush_meta(). */
enum q_kind { Q_REFBLOCK, Q_REFTABLE, Q_L2, Q_L1, Q_KINDS };

struct q_page {
    uint64_t off; /* in the file; UINT64_MAX: empty */
    uint32_t used;
    uint8_t kind;
    bool dirty;
    bool checked; /* L2 pages: the entries were compared with the refcounts */
};

struct q_cache {
    pthread_mutex_t lock; /* pages and what they hold: the worker writes, q_map() reads */
    unsigned page_bits, sets;
    struct q_page *page;
    uint8_t *data;
    uint32_t clock;
    unsigned dirty[Q_KINDS];
};

struct q_bloom { /* a set that may answer "yes" wrongly, never "no" */
    uint64_t *bits;
    uint64_t mask; /* number of bits - 1 */
};

struct q_extent {
    uint64_t cluster, count;
};

#define Q_CHUNK 65536

#define Q_PENDING 512
struct q_pending { /* references given up; counted down when no table on disk holds them */
    struct q_extent free[Q_PENDING];
    unsigned n;
};

struct q_ent { /* an L2 entry */
    uint64_t desc, bits;
};

struct qcow2 {
    struct image *im;
    unsigned version, header_len;
    unsigned cluster_bits, unit_bits, l2_bits; /* l2_bits: log2 of a table's entries */
    bool extended;
    bool zstd;
    bool corrupt;  /* nothing is written any more */
    bool unsynced; /* something was written since the last barrier */
    uint64_t incompat;
    uint64_t l1_off, rt_off, snap_off;
    uint32_t l1_size, rt_size, nsnaps; /* entries */
    unsigned refcount_order, rb_bits;  /* rb_bits: log2 of a refcount block's entries */
    uint64_t hint;                     /* the first cluster that may be free */
    uint64_t end;                      /* bytes of the file */
    uint64_t bitmap_off, bitmap_size;  /* the directory of persistent bitmaps, 0: none */
    struct q_cache cache;
    struct q_bloom l2s, refblocks; /* clusters that hold such tables; of writable images */
    struct q_pending pending;
    bool busy_meta;  /* atomic: q_flush_meta() would have something to do */
    bool committing; /* in q_release_commit() */
    uint64_t spare;  /* of q_repair(): clusters from here on are used by nobody; 0: not repairing */
    struct q_extent *fixed; /* header, tables that do not move, snapshots; of writable images */
    size_t nfixed;
    uint8_t *chunk; /* Q_CHUNK bytes for copying; of writable images */
};

static inline uint64_t q_csize(const struct qcow2 *q)
{
    return 1ULL << q->cluster_bits;
}

/* ---- qcow2-cache.c: metadata by value ---- */

int q_cache_init(struct qcow2 *q, size_t bytes);
void q_cache_free(struct qcow2 *q);
/* The big-endian number at off of a table of that kind. */
int q_get64(struct qcow2 *q, enum q_kind kind, uint64_t off, uint64_t *val);
int q_set64(struct qcow2 *q, enum q_kind kind, uint64_t off, uint64_t val);
int q_get_bytes(struct qcow2 *q, enum q_kind kind, uint64_t off, void *val, size_t len);
int q_set_bytes(struct qcow2 *q, enum q_kind kind, uint64_t off, const void *val, size_t len);
/* On the loop's thread, under cache.lock: false when the page is not there, or not checked. */
bool q_peek64(struct qcow2 *q, enum q_kind kind, uint64_t off, bool checked, uint64_t *val);
/* A new table of one cluster: zeroes in the cache, without reading. */
int q_new_table(struct qcow2 *q, enum q_kind kind, uint64_t off);
/* The same, filled with the table at from. */
int q_copy_table(struct qcow2 *q, enum q_kind kind, uint64_t off, uint64_t from);
/* Forgets pages of [off, off + len), dirty or not: nobody uses that table any more. */
void q_forget(struct qcow2 *q, uint64_t off, uint64_t len);
bool q_page_checked(struct qcow2 *q, uint64_t off, bool mark);
/*
 * Writes what is pending in an order that a kill or a power cut cannot make
 * inconsistent, and waits for the disk. Then counts down what was given up.
 */
int q_flush_meta(struct qcow2 *q);
int q_barrier(struct qcow2 *q); /* all that was written is on stable storage */

/* ---- qcow2-refcount.c ---- */

int q_refcount_get(struct qcow2 *q, uint64_t cluster, uint64_t *count);
/* The refcount block is there, or q_repair() is at work. */
int q_refcount_set(struct qcow2 *q, uint64_t cluster, uint64_t count);
/* *n > 0 clusters in a row wanted; gets 1 to that many, each with refcount 1. */
int q_alloc(struct qcow2 *q, uint64_t *n, uint64_t *cluster);
/* Exactly n clusters in a row. */
int q_alloc_exact(struct qcow2 *q, uint64_t n, uint64_t *cluster);
/* One reference less to each, once nothing on disk refers to them. */
int q_release(struct qcow2 *q, uint64_t cluster, uint64_t count);
int q_release_commit(struct qcow2 *q);

/* Puts the count into entry i of a refcount block in memory. */
void q_count_put(const struct qcow2 *q, uint8_t *block, uint64_t i, uint64_t count);
uint64_t q_count_get(const struct qcow2 *q, const uint8_t *block, uint64_t i);

/* ---- qcow2-check.c: keeping away from damage ---- */

/* Marks the image corrupt, once, with a line in the log; returns EIO. */
int q_damaged(struct qcow2 *q, const char *what, uint64_t where);
int q_meta_init(struct qcow2 *q, struct err *err); /* the sets below, from the tables */
void q_bloom_add(struct q_bloom *b, uint64_t cluster);
/* Do the n clusters hold metadata? *yes. */
int q_is_meta(struct qcow2 *q, uint64_t cluster, uint64_t n, bool *yes);
void q_meta_free(struct qcow2 *q);
/*
 * Before the L2 table of that L1 entry is used for writing: the table, and the
 * entries of its page around off, against the refcounts. Does it once.
 */
int q_check_page(struct qcow2 *q, uint64_t l1e, uint64_t off);

/* ---- qcow2-repair.c ---- */

int q_repair(struct qcow2 *q, struct err *err); /* the refcounts, from the tables; not the bit */

/* ---- qcow2-map.c ---- */

enum q_what { Q_UNALLOCATED, Q_ZEROES, Q_PLAIN, Q_PACKED };

struct q_run { /* bytes of the disk that are of one kind, in a row in the file */
    enum q_what what;
    uint64_t len;
    uint64_t host; /* PLAIN: where; PACKED: the descriptor */
};

/* Unit u of the cluster that e describes. */
enum q_what q_unit(const struct qcow2 *q, const struct q_ent *e, unsigned u);
static inline uint64_t q_host(const struct q_ent *e) /* 0: it has none */
{
    return e->desc & Q_COMPRESSED ? 0 : e->desc & Q_OFFSET;
}
/* Where the L2 entry for off is, 0: there is no table; and the L1 entry. */
int q_entry_at(struct qcow2 *q, uint64_t off, uint64_t *at, uint64_t *l1e);
int q_entry(struct qcow2 *q, uint64_t off, struct q_ent *e); /* of the cluster around off */
int q_find(struct qcow2 *q, uint64_t off, uint64_t len, struct q_run *run);
/* Makes the L2 table for off ours to change; then the entry can be set. */
int q_own_l2(struct qcow2 *q, uint64_t off);
int q_set_entry(struct qcow2 *q, uint64_t off, const struct q_ent *e);
/* Whether the host cluster may be written in place. */
int q_owned(struct qcow2 *q, const struct q_ent *e, bool *yes);
bool q_map(struct image *im, uint64_t off, uint64_t *len, bool write, uint64_t *host);
/* Gives up what e refers to. */
int q_drop(struct qcow2 *q, const struct q_ent *e);
void q_packed_range(const struct qcow2 *q, uint64_t desc, uint64_t *pos, uint64_t *len);

/* ---- qcow2-io.c, qcow2-zero.c, qcow2-resize.c: the operations ---- */

int q_read(struct image *im, uint64_t off, uint64_t len, const struct image_buf *buf);
int q_write(struct image *im, uint64_t off, uint64_t len, const struct image_buf *buf);
int q_discard(struct image *im, uint64_t off, uint64_t len);
int q_zero(struct image *im, uint64_t off, uint64_t len, bool may_unmap);
int q_resize(struct image *im, uint64_t size, struct err *err);
int q_put_file(struct qcow2 *q, uint64_t pos, uint64_t len, const struct image_buf *buf);

/* ---- qcow2-unpack.c ---- */

/* The unpacked cluster; valid until the next call for any image of the chain. */
int q_unpack(struct qcow2 *q, uint64_t desc, const uint8_t **data);

/* ---- qcow2-snapshot.c ---- */

struct q_snapshot {
    uint64_t l1_off;
    uint32_t l1_size;
};
/* Snapshot i. *pos: where it is, the start of the table for 0; moved to the next. */
int q_snapshot_get(struct qcow2 *q, uint64_t *pos, struct q_snapshot *snap);

/* ---- qcow2.c ---- */

/* Changes len bytes of the header at off, on stable storage. */
int q_header_put(struct qcow2 *q, unsigned off, const void *data, size_t len);
