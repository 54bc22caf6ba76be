/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all back ends share: the one bounds check, the promise that done()
 * never comes from inside block_submit(), statistics, draining.
 */
#include "block/impl.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static void ready_run(struct block *b)
{
    struct block_req *req = b->ready;

    b->ready = b->ready_last = NULL;
    uv_unref((uv_handle_t *)b->later);
    while (req) {
        struct block_req *next = req->next;

        block_finish(req, req->status);
        req = next;
    }
}

static void later_woken(uv_async_t *async)
{
    struct block *b = async->data;

    if (b->ready)
        ready_run(b);
}

struct block *block_new(struct uv_loop_s *loop, const struct block_ops *ops, size_t priv_size,
                        const char *name)
{
    struct block *b = calloc(1, sizeof(*b) + priv_size);

    if (!b)
        return NULL;
    b->name = strdup(name);
    b->later = calloc(1, sizeof(*b->later));
    if (!b->name || !b->later || uv_async_init(loop, b->later, later_woken)) {
        free(b->later);
        free(b->name);
        free(b);
        return NULL;
    }
    uv_unref((uv_handle_t *)b->later);
    b->later->data = b;
    b->ops = ops;
    b->loop = loop;
    b->format = "raw";
    b->discard = true;
    b->align = 1;
    b->priv = b + 1;
    return b;
}

static void later_closed(uv_handle_t *handle)
{
    free(handle);
}

void block_free(struct block *b)
{
    uv_close((uv_handle_t *)b->later, later_closed);
    free(b->name);
    free(b);
}

void block_close(struct block *b)
{
    if (!b)
        return;
    while (b->inflight)
        block_wait(b);
    b->ops->close(b);
}

/* 0, or the errno of a request that no back end may see. */
static int req_check(const struct block *b, const struct block_req *req)
{
    uint64_t sum = 0;

    if (req->op == BLOCK_FLUSH)
        return 0;
    if ((unsigned)req->op >= BLOCK_OPS)
        return EINVAL;
    if (req->offset > b->size || req->len > b->size - req->offset)
        return EINVAL;
    if (req->op == BLOCK_DISCARD || req->op == BLOCK_ZERO)
        return 0;
    if (req->niov < 0 || req->niov > IOV_MAX)
        return EINVAL;
    for (int i = 0; i < req->niov; i++)
        sum += req->iov[i].iov_len;
    return sum == req->len ? 0 : EINVAL;
}

/* Whether the options make req a matter of no work. */
static bool req_idle(const struct block *b, const struct block_req *req)
{
    switch (req->op) {
    case BLOCK_FLUSH:
        return b->no_flush;
    case BLOCK_DISCARD:
        return !req->len || (!b->discard && !b->readonly);
    default:
        return !req->len;
    }
}

void block_submit(struct block *b, struct block_req *req)
{
    int rc = req_check(b, req);

    req->block = b;
    req->next = NULL;
    req->status = 0;
    req->ended = false;
    req->busy = true;
    req->began = uv_hrtime();
    req->may_unmap &= b->discard;
    memset(req->back, 0, sizeof(req->back));
    b->inflight++;
    if (rc || req_idle(b, req)) {
        b->stat[req->op].invalid += rc != 0;
        block_finish_later(req, rc);
    } else {
        b->ops->submit(b, req);
    }
}

void block_cancel(struct block_req *req)
{
    if (req->busy && !req->ended && req->block->ops->cancel)
        req->block->ops->cancel(req->block, req);
}

static void req_count(const struct block_req *req, int err)
{
    struct block_stat *st = &req->block->stat[req->op];

    if (err == ECANCELED || err == EINVAL)
        return;
    st->ns += uv_hrtime() - req->began;
    if (err) {
        st->failed++;
    } else {
        st->ops++;
        st->bytes += req->op == BLOCK_FLUSH ? 0 : req->len;
    }
}

void block_finish(struct block_req *req, int err)
{
    req_count(req, err);
    req->busy = false;
    req->block->inflight--;
    req->done(req, err);
}

void block_finish_later(struct block_req *req, int err)
{
    struct block *b = req->block;

    req->status = err;
    req->ended = true;
    req->next = NULL;
    if (b->ready)
        b->ready_last->next = req;
    else
        b->ready = req;
    b->ready_last = req;
    uv_ref((uv_handle_t *)b->later);
    uv_async_send(b->later);
}

void block_wait(struct block *b)
{
    if (b->ready)
        ready_run(b);
    else if (b->inflight && b->ops->wait)
        b->ops->wait(b);
}

static void drain_done(struct block_req *req, int err)
{
    req->status = err;
}

void block_settle(struct block *b)
{
    while (b->inflight)
        block_wait(b);
}

int block_drain(struct block *b)
{
    struct block_req flush = { .op = BLOCK_FLUSH, .done = drain_done };

    block_settle(b);
    if (b->readonly)
        return 0;
    block_submit(b, &flush);
    while (flush.busy)
        block_wait(b);
    return flush.status;
}

/* ---- changes ---- */

void block_listen(struct block *b, void (*changed)(void *arg, enum block_event event), void *arg)
{
    b->changed = changed;
    b->changed_arg = arg;
}

void block_changed(struct block *b, enum block_event event)
{
    if (b->changed)
        b->changed(b->changed_arg, event);
}

int block_resize(struct block *b, uint64_t size, struct err *err)
{
    if (b->readonly)
        return err_set(err, -EROFS, "disk %s: is read-only; its size cannot change", b->name);
    if (!size || size % 512 || size > INT64_MAX)
        return err_set(err, -EINVAL, "disk %s: %llu bytes is no size; give a multiple of 512",
                       b->name, (unsigned long long)size);
    if (!b->ops->resize)
        return err_set(err, -ENOTSUP, "disk %s: format %s cannot be resized", b->name, b->format);
    while (b->inflight)
        block_wait(b);
    return b->ops->resize(b, size, err);
}

int block_lock(struct block *b, bool on, struct err *err)
{
    while (b->below) /* filters have nothing to lock */
        b = b->below;
    return b->ops->lock ? b->ops->lock(b, on, err) : 0;
}

/* ---- iovecs ---- */

/* The next piece at *off of at most len bytes; NULL at the end. */
static char *iov_piece(const struct iovec *iov, int niov, size_t off, size_t *len)
{
    for (int i = 0; i < niov; i++) {
        if (off < iov[i].iov_len) {
            if (*len > iov[i].iov_len - off)
                *len = iov[i].iov_len - off;
            return (char *)iov[i].iov_base + off;
        }
        off -= iov[i].iov_len;
    }
    return NULL;
}

void iov_read(const struct iovec *iov, int niov, size_t off, void *dst, size_t len)
{
    for (size_t n = len; len; off += n, dst = (char *)dst + n, len -= n, n = len) {
        const char *p = iov_piece(iov, niov, off, &n);

        if (!p)
            return;
        memcpy(dst, p, n);
    }
}

void iov_write(const struct iovec *iov, int niov, size_t off, const void *src, size_t len)
{
    for (size_t n = len; len; off += n, src = (const char *)src + n, len -= n, n = len) {
        char *p = iov_piece(iov, niov, off, &n);

        if (!p)
            return;
        memcpy(p, src, n);
    }
}

void iov_zero(const struct iovec *iov, int niov, size_t off, size_t len)
{
    for (size_t n = len; len; off += n, len -= n, n = len) {
        char *p = iov_piece(iov, niov, off, &n);

        if (!p)
            return;
        memset(p, 0, n);
    }
}
