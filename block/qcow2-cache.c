/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metadata of a qcow2 image, in a write-back cache of fixed size: pages of
 * up to 4 KiB of any table, in sets of eight. Callers get and set values and
 * never hold a page.
 *
 * What makes the order of writes safe (q_flush_meta()): a table that refers to
 * a cluster is written after a barrier behind the cluster's contents and its
 * refcount; a refcount goes down only after a barrier behind the tables that
 * no longer refer to the cluster. So at any moment the file on disk has, at
 * worst, clusters that are counted and not used.
 */
#include "block/qcow2.h"
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 8

int q_cache_init(struct qcow2 *q, size_t bytes)
{
    struct q_cache *c = &q->cache;
    size_t pages;

    c->page_bits = q->cluster_bits < 12 ? q->cluster_bits : 12;
    c->sets = (bytes >> c->page_bits) / WAYS;
    pages = (size_t)c->sets * WAYS;
    c->page = calloc(pages, sizeof(*c->page));
    c->data = calloc(pages, 1u << c->page_bits);
    if (!c->page || !c->data)
        return ENOMEM;
    for (size_t i = 0; i < pages; i++)
        c->page[i].off = UINT64_MAX;
    return pthread_mutex_init(&c->lock, NULL);
}

void q_cache_free(struct qcow2 *q)
{
    if (q->cache.page && q->cache.data)
        pthread_mutex_destroy(&q->cache.lock);
    free(q->cache.page);
    free(q->cache.data);
}

static uint8_t *page_data(const struct q_cache *c, const struct q_page *p)
{
    return c->data + ((size_t)(p - c->page) << c->page_bits);
}

static struct q_page *page_set(const struct q_cache *c, uint64_t off)
{
    uint64_t n = off >> c->page_bits;

    return c->page + (n ^ n >> 9 ^ n >> 21) % c->sets * WAYS;
}

static struct q_page *page_find(struct q_cache *c, uint64_t off)
{
    struct q_page *set = page_set(c, off);

    off &= -(1ULL << c->page_bits);
    for (int i = 0; i < WAYS; i++) {
        if (set[i].off == off) {
            set[i].used = ++c->clock;
            return &set[i];
        }
    }
    return NULL;
}

/* The page to give up for one at off: an empty one, the oldest clean one, a dirty one. */
static struct q_page *page_victim(const struct q_cache *c, uint64_t off)
{
    struct q_page *set = page_set(c, off), *best = set;

    for (int i = 0; i < WAYS; i++) {
        if (set[i].off == UINT64_MAX)
            return &set[i];
        if (set[i].dirty != best->dirty ? !set[i].dirty
                                        : c->clock - set[i].used > c->clock - best->used)
            best = &set[i];
    }
    return best;
}

static void page_dirty(struct qcow2 *q, struct q_page *p)
{
    if (!p->dirty) {
        p->dirty = true;
        q->cache.dirty[p->kind]++;
        __atomic_store_n(&q->busy_meta, true, __ATOMIC_SEQ_CST);
    }
}

static void page_clean(struct qcow2 *q, struct q_page *p)
{
    if (p->dirty) {
        p->dirty = false;
        q->cache.dirty[p->kind]--;
    }
}

/* A page for off, not yet to be found under it. */
static int page_make(struct qcow2 *q, uint64_t off, struct q_page **page)
{
    struct q_cache *c = &q->cache;
    struct q_page *p;
    int rc = 0;

    pthread_mutex_lock(&c->lock);
    p = page_victim(c, off);
    pthread_mutex_unlock(&c->lock);
    if (p->dirty)
        rc = q_flush_meta(q);
    if (rc)
        return rc;
    pthread_mutex_lock(&c->lock);
    p = page_victim(c, off);
    if (p->dirty) { /* of an image that takes no writes any more */
        pthread_mutex_unlock(&c->lock);
        return EIO;
    }
    p->off = UINT64_MAX;
    pthread_mutex_unlock(&c->lock);
    *page = p;
    return 0;
}

static void page_publish(struct qcow2 *q, struct q_page *p, uint64_t off, enum q_kind kind)
{
    pthread_mutex_lock(&q->cache.lock);
    p->off = off & -(1ULL << q->cache.page_bits);
    p->kind = kind;
    p->checked = false;
    p->used = ++q->cache.clock;
    pthread_mutex_unlock(&q->cache.lock);
}

static int page_load(struct qcow2 *q, enum q_kind kind, uint64_t off, struct q_page **page)
{
    struct q_cache *c = &q->cache;
    struct q_page *p;
    int rc;

    pthread_mutex_lock(&c->lock); /* q_map() too notes which page was used */
    p = page_find(c, off);
    pthread_mutex_unlock(&c->lock);
    if (p && p->kind == kind) {
        *page = p;
        return 0;
    }
    if (p) /* the image says that one cluster is two tables */
        return q_damaged(q, "a table is used twice", off);
    rc = page_make(q, off, &p);
    if (!rc)
        rc = image_file_get(q->im, off & -(1ULL << c->page_bits), page_data(c, p),
                            1u << c->page_bits);
    if (rc)
        return rc;
    page_publish(q, p, off, kind);
    *page = p;
    return 0;
}

int q_get_bytes(struct qcow2 *q, enum q_kind kind, uint64_t off, void *val, size_t len)
{
    struct q_page *p = NULL;
    int rc;

    rc = page_load(q, kind, off, &p);
    if (rc)
        return rc;
    memcpy(val, page_data(&q->cache, p) + (off & ((1u << q->cache.page_bits) - 1)), len);
    return 0;
}

int q_set_bytes(struct qcow2 *q, enum q_kind kind, uint64_t off, const void *val, size_t len)
{
    struct q_page *p = NULL;
    int rc;

    if (q->corrupt || q->im->readonly)
        return EIO;
    rc = page_load(q, kind, off, &p);
    if (rc)
        return rc;
    pthread_mutex_lock(&q->cache.lock);
    memcpy(page_data(&q->cache, p) + (off & ((1u << q->cache.page_bits) - 1)), val, len);
    page_dirty(q, p);
    pthread_mutex_unlock(&q->cache.lock);
    return 0;
}

int q_get64(struct qcow2 *q, enum q_kind kind, uint64_t off, uint64_t *val)
{
    uint64_t be;
    int rc = q_get_bytes(q, kind, off, &be, sizeof(be));

    *val = rc ? 0 : be64toh(be);
    return rc;
}

int q_set64(struct qcow2 *q, enum q_kind kind, uint64_t off, uint64_t val)
{
    uint64_t be = htobe64(val);

    return q_set_bytes(q, kind, off, &be, sizeof(be));
}

bool q_peek64(struct qcow2 *q, enum q_kind kind, uint64_t off, bool checked, uint64_t *val)
{
    struct q_page *p = page_find(&q->cache, off);
    uint64_t be;

    if (!p || p->kind != kind || (checked && !p->checked))
        return false;
    memcpy(&be, page_data(&q->cache, p) + (off & ((1u << q->cache.page_bits) - 1)), sizeof(be));
    *val = be64toh(be);
    return true;
}

bool q_page_checked(struct qcow2 *q, uint64_t off, bool mark)
{
    struct q_page *p;
    bool was;

    pthread_mutex_lock(&q->cache.lock);
    p = page_find(&q->cache, off);
    was = p && p->checked;
    if (p && mark)
        p->checked = true;
    pthread_mutex_unlock(&q->cache.lock);
    return was;
}

void q_forget(struct qcow2 *q, uint64_t off, uint64_t len)
{
    pthread_mutex_lock(&q->cache.lock);
    for (uint64_t n = 0; n < len; n += 1ULL << q->cache.page_bits) {
        struct q_page *p = page_find(&q->cache, off + n);

        if (p) {
            page_clean(q, p);
            p->off = UINT64_MAX;
        }
    }
    pthread_mutex_unlock(&q->cache.lock);
}

/* One page of a new table: zeroes, or the same page of the one at from. */
static int new_page(struct qcow2 *q, enum q_kind kind, uint64_t off, uint64_t from)
{
    size_t size = 1u << q->cache.page_bits;
    uint8_t copy[4096] = { 0 };
    struct q_page *p;
    int rc = from ? q_get_bytes(q, kind, from, copy, size) : 0;

    if (!rc)
        rc = page_make(q, off, &p);
    if (rc)
        return rc;
    memcpy(page_data(&q->cache, p), copy, size);
    page_publish(q, p, off, kind);
    pthread_mutex_lock(&q->cache.lock);
    p->checked = !from;
    page_dirty(q, p);
    pthread_mutex_unlock(&q->cache.lock);
    if (off + size > q->end)
        q->end = off + size;
    return 0;
}

int q_copy_table(struct qcow2 *q, enum q_kind kind, uint64_t off, uint64_t from)
{
    uint64_t page = 1ULL << q->cache.page_bits;
    int rc = 0;

    q_forget(q, off, q_csize(q));
    for (uint64_t n = 0; !rc && n < q_csize(q); n += page)
        rc = new_page(q, kind, off + n, from ? from + n : 0);
    return rc;
}

int q_new_table(struct qcow2 *q, enum q_kind kind, uint64_t off)
{
    return q_copy_table(q, kind, off, 0);
}

int q_barrier(struct qcow2 *q)
{
    int rc = q->unsynced ? image_file_sync(q->im) : 0;

    if (!rc)
        q->unsynced = false;
    return rc;
}

static int write_kind(struct qcow2 *q, enum q_kind kind)
{
    struct q_cache *c = &q->cache;
    struct q_page *end = c->page + (size_t)c->sets * WAYS;

    for (struct q_page *p = c->page; c->dirty[kind] && p < end; p++) {
        int rc;

        if (!p->dirty || p->kind != kind)
            continue;
        q->unsynced = true;
        rc = image_file_put(q->im, p->off, page_data(c, p), 1u << c->page_bits);
        if (rc)
            return rc;
        page_clean(q, p);
    }
    return 0;
}

int q_flush_meta(struct qcow2 *q)
{
    int rc = 0;

    if (q->corrupt || q->im->readonly)
        return 0;
    for (enum q_kind kind = 0; !rc && kind < Q_KINDS; kind++) {
        if (!q->cache.dirty[kind])
            continue;
        if (kind != Q_REFBLOCK) {
            q->unsynced = true; /* data that went past the worker */
            rc = q_barrier(q);
        }
        if (!rc)
            rc = write_kind(q, kind);
    }
    if (!rc)
        rc = q_barrier(q);
    if (!rc && q->pending.n && !q->committing)
        rc = q_release_commit(q);
    if (!rc) /* what was counted down needs no barrier: a leak is no damage */
        rc = write_kind(q, Q_REFBLOCK);
    if (!rc)
        __atomic_store_n(&q->busy_meta, false, __ATOMIC_SEQ_CST);
    return rc;
}
