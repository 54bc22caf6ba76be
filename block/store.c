/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all stores share: bounds, zeroes past the end, and doing without what a store cannot do. */
#include "block/store-impl.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "block/impl.h"

#define ZERO_CHUNK (256u << 10)

struct store *store_new(const struct store_ops *ops, size_t priv_size, const char *name)
{
    struct store *s = calloc(1, sizeof(*s) + priv_size);

    if (!s)
        return NULL;
    s->name = strdup(name ? name : "");
    if (!s->name) {
        free(s);
        return NULL;
    }
    s->ops = ops;
    s->priv = s + 1;
    return s;
}

void store_free(struct store *s)
{
    free(s->name);
    free(s);
}

struct store *store_open(const struct block_options *o, struct err *err)
{
    struct store *s =
        o->fd < 0 && block_is_nbd(o->file) ? store_open_nbd(o, err) : store_open_file(o, err);

    if (s)
        s->no_flush = o->no_flush;
    return s;
}

int store_lock(struct store *s, bool on, struct err *err)
{
    return s->ops->lock ? s->ops->lock(s, on, err) : 0;
}

void store_close(struct store *s)
{
    if (s)
        s->ops->close(s);
}

const char *store_name(const struct store *s)
{
    return s->name;
}

bool store_readonly(const struct store *s)
{
    return s->readonly;
}

bool store_is_device(const struct store *s)
{
    return s->fixed;
}

uint64_t store_size(struct store *s)
{
    return s->ops->size(s);
}

/* How many of len bytes at off are there; the rest is past the end. */
static uint64_t within(struct store *s, uint64_t off, uint64_t len)
{
    uint64_t size = s->ops->size(s), there = off < size ? size - off : 0;

    return len < there ? len : there;
}

/* 0 when something may be changed at [off, off + len). */
static int changeable(struct store *s, uint64_t off, uint64_t len)
{
    if (s->readonly)
        return -EROFS;
    if (off > INT64_MAX || len > INT64_MAX - off)
        return -EFBIG;
    return s->fixed && within(s, off, len) < len ? -ENOSPC : 0;
}

int store_read(struct store *s, uint64_t off, void *buf, size_t len)
{
    size_t there = within(s, off, len);
    int rc = there ? s->ops->read(s, off, buf, there) : 0;

    if (!rc && there < len)
        memset((char *)buf + there, 0, len - there);
    return rc;
}

int store_write(struct store *s, uint64_t off, const void *buf, size_t len)
{
    int rc = changeable(s, off, len);

    return rc || !len ? rc : s->ops->write(s, off, buf, len);
}

static uint64_t iov_sum(const struct iovec *iov, int niov)
{
    uint64_t sum = 0;

    for (int i = 0; i < niov; i++)
        sum += iov[i].iov_len;
    return sum;
}

int store_readv(struct store *s, uint64_t off, const struct iovec *iov, int niov)
{
    uint64_t len = iov_sum(iov, niov);
    int rc = 0;

    if (len && s->ops->readv && within(s, off, len) == len)
        return s->ops->readv(s, off, iov, niov);
    for (int i = 0; i < niov && !rc; off += iov[i++].iov_len)
        rc = store_read(s, off, iov[i].iov_base, iov[i].iov_len);
    return rc;
}

int store_writev(struct store *s, uint64_t off, const struct iovec *iov, int niov)
{
    uint64_t len = iov_sum(iov, niov);
    int rc = changeable(s, off, len);

    if (!rc && len && s->ops->writev)
        return s->ops->writev(s, off, iov, niov);
    for (int i = 0; i < niov && !rc; off += iov[i++].iov_len)
        rc = store_write(s, off, iov[i].iov_base, iov[i].iov_len);
    return rc;
}

int store_flush(struct store *s)
{
    return s->readonly || s->no_flush ? 0 : s->ops->flush(s);
}

int store_discard(struct store *s, uint64_t off, uint64_t len)
{
    uint64_t there = within(s, off, len);
    int rc;

    if (s->readonly)
        return -EROFS;
    rc = there ? s->ops->discard(s, off, there) : 0;
    return rc == -EOPNOTSUPP ? 0 : rc; /* they go on taking space, which is all that was asked */
}

static int write_zeroes(struct store *s, uint64_t off, uint64_t len)
{
    void *zero = aligned_alloc(4096, ZERO_CHUNK);
    int rc = zero ? 0 : -ENOMEM;

    if (zero)
        memset(zero, 0, ZERO_CHUNK);
    while (!rc && len) {
        size_t n = len < ZERO_CHUNK ? len : ZERO_CHUNK;

        rc = s->ops->write(s, off, zero, n);
        off += n;
        len -= n;
    }
    free(zero);
    return rc;
}

int store_zero(struct store *s, uint64_t off, uint64_t len, bool may_unmap)
{
    int rc = changeable(s, off, len);
    uint64_t there = rc ? 0 : within(s, off, len);

    if (!rc && there) {
        rc = s->ops->zero(s, off, there, may_unmap);
        if (rc == -EOPNOTSUPP)
            rc = write_zeroes(s, off, there);
    }
    if (!rc && there < len)
        rc = store_resize(s, off + len);
    return rc;
}

int store_resize(struct store *s, uint64_t size)
{
    if (s->readonly)
        return -EROFS;
    if (s->fixed || !s->ops->resize)
        return size == s->ops->size(s) ? 0 : -ENOTSUP;
    return size > INT64_MAX ? -EFBIG : s->ops->resize(s, size);
}

int store_next_data(struct store *s, uint64_t off, uint64_t *start, uint64_t *len)
{
    uint64_t size = s->ops->size(s);

    *start = off;
    *len = off < size ? size - off : 0;
    return *len && s->ops->next_data ? s->ops->next_data(s, off, start, len) : 0;
}
