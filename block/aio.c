/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine of file I/O. With io_uring: a ring without any IORING_SETUP
 * flags and only the operations of Linux 5.1 (READV, WRITEV, FSYNC) and 5.5
 * (CANCEL), its descriptor watched by the loop. What one turn of the loop
 * submits goes to the kernel in one call, before the loop waits. Without (an older
 * kernel, a sysctl, a seccomp filter): up to AIO_WORKERS jobs of libuv's
 * thread pool, which take requests from a list until it is empty.
 */
#include "block/aio.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <liburing.h>
#include <uv.h>
#include "block/impl.h"
#include "block/req-list.h"

#define AIO_DEPTH   64 /* requests in the ring; its completion queue has twice that */
#define AIO_WORKERS 4
#define AIO_BATCH   256 /* completions per wake-up: the loop has others to serve */

struct aio {
    uv_async_t wake; /* also how the loop's engine is found again */
    uv_poll_t poll;
    uv_idle_t feed;     /* runs when something is to be told to the kernel */
    uv_thread_t thread; /* the loop's */
    const struct aio_ops *ops;
    unsigned refs;     /* aio_get()s */
    unsigned pins;     /* open handles and busy workers: libuv still knows us */
    unsigned inflight; /* submitted, done() not yet called */
    bool threads;      /* asked for, rather than all there is */
    bool uring;
    struct req_list waiting; /* for a place in the ring, or for a worker */
    struct io_uring ring;
    unsigned in_ring;
    uv_mutex_t lock; /* waiting and finished, with threads */
    uv_cond_t cond;
    struct req_list finished;
    struct aio_worker {
        uv_work_t work;
        struct aio *aio;
        bool busy;
    } worker[AIO_WORKERS];
};

static void aio_unpin(struct aio *a)
{
    if (--a->pins)
        return;
    if (a->uring)
        io_uring_queue_exit(&a->ring);
    uv_cond_destroy(&a->cond);
    uv_mutex_destroy(&a->lock);
    free(a);
}

/* ---- in flight: what keeps the loop alive ---- */

static uv_handle_t *aio_handle(struct aio *a)
{
    return a->uring ? (uv_handle_t *)&a->poll : (uv_handle_t *)&a->wake;
}

static void aio_begin(struct aio *a)
{
    if (a->inflight++ == 0)
        uv_ref(aio_handle(a));
}

static void aio_end(struct aio *a, struct block_req *req, int err)
{
    if (--a->inflight == 0)
        uv_unref(aio_handle(a));
    a->ops->done(req, err);
}

/* ---- io_uring ---- */

static void ring_prepare(struct io_uring_sqe *sqe, const struct aio_step *s)
{
    switch (s->op) {
    case BLOCK_READ:
        io_uring_prep_readv(sqe, s->fd, s->iov, s->niov, s->offset);
        break;
    case BLOCK_WRITE:
        io_uring_prep_writev(sqe, s->fd, s->iov, s->niov, s->offset);
        break;
    case BLOCK_FLUSH:
        io_uring_prep_fsync(sqe, s->fd, IORING_FSYNC_DATASYNC);
        break;
    default: /* aio_ring() keeps them away */
        io_uring_prep_nop(sqe);
        break;
    }
}

/* Places what waits into the ring and tells the kernel. */
static void ring_feed(struct aio *a)
{
    struct aio_step step;

    while (a->waiting.first && a->in_ring < AIO_DEPTH) {
        struct block_req *req = a->waiting.first;
        struct io_uring_sqe *sqe = io_uring_get_sqe(&a->ring);

        if (!sqe)
            break;
        a->ops->next(req, &step); /* there is a step, or req would not be here */
        list_pop(&a->waiting);
        ring_prepare(sqe, &step);
        io_uring_sqe_set_data(sqe, req);
        a->in_ring++;
    }
    if (io_uring_submit(&a->ring) < 0 || (a->waiting.first && !a->in_ring))
        uv_async_send(&a->wake); /* short of memory: the loop's next turn tries again */
}

static void ring_result(struct aio *a, struct block_req *req, int res)
{
    struct aio_step step;
    int err = 0;

    a->in_ring--;
    if (!a->ops->result(req, res, &err) && a->ops->next(req, &step))
        list_push(&a->waiting, req);
    else
        aio_end(a, req, err);
}

static void ring_reap(struct aio *a)
{
    struct io_uring_cqe *cqe;

    for (int i = 0; i < AIO_BATCH && io_uring_peek_cqe(&a->ring, &cqe) == 0; i++) {
        struct block_req *req = io_uring_cqe_get_data(cqe);
        int res = cqe->res;

        io_uring_cqe_seen(&a->ring, cqe);
        if (req) /* a cancellation's own completion has none */
            ring_result(a, req, res);
    }
    if (a->waiting.first)
        ring_feed(a);
}

static void ring_feed_due(uv_idle_t *feed)
{
    uv_idle_stop(feed);
    ring_feed(feed->data);
}

/* Soon: with what else this turn of the loop submits. From another thread there is no turn. */
static void ring_feed_soon(struct aio *a)
{
    uv_thread_t self = uv_thread_self();

    if (uv_thread_equal(&self, &a->thread))
        uv_idle_start(&a->feed, ring_feed_due);
    else
        ring_feed(a);
}

static void ring_ready(uv_poll_t *poll, int status, int events)
{
    ring_reap(poll->data);
}

static void cancelled(struct aio *a, struct block_req *req)
{
    if (--a->inflight == 0)
        uv_unref(aio_handle(a));
    a->ops->cancelled(req);
}

static void ring_cancel(struct aio *a, struct block_req *req)
{
    struct io_uring_sqe *sqe;

    if (list_remove(&a->waiting, req)) {
        cancelled(a, req);
        return;
    }
    sqe = io_uring_get_sqe(&a->ring);
    if (!sqe)
        return;
    io_uring_prep_cancel(sqe, req, 0);
    io_uring_sqe_set_data(sqe, NULL);
    io_uring_submit(&a->ring);
}

/* ---- threads ---- */

static int64_t step_blocking(const struct aio_step *s)
{
    int64_t res = -EINVAL;

    if (s->call)
        return s->call(s->req);
    switch (s->op) {
    case BLOCK_READ:
        res = preadv(s->fd, s->iov, s->niov, s->offset);
        break;
    case BLOCK_WRITE:
        res = pwritev(s->fd, s->iov, s->niov, s->offset);
        break;
    case BLOCK_FLUSH:
        res = fdatasync(s->fd);
        break;
    default:
        break;
    }
    return res < 0 ? -errno : res;
}

static void req_blocking(struct aio *a, struct block_req *req)
{
    struct aio_step step;
    int err = 0;

    while (a->ops->next(req, &step) && !a->ops->result(req, step_blocking(&step), &err))
        ;
    req->status = err;
}

static struct block_req *threads_take(struct aio *a)
{
    struct block_req *req;

    uv_mutex_lock(&a->lock);
    req = list_pop(&a->waiting);
    uv_mutex_unlock(&a->lock);
    return req;
}

static void threads_work(uv_work_t *work) /* in a thread of the pool */
{
    struct aio *a = ((struct aio_worker *)work->data)->aio;
    struct block_req *req;

    while ((req = threads_take(a))) {
        req_blocking(a, req);
        uv_mutex_lock(&a->lock);
        list_push(&a->finished, req);
        uv_cond_signal(&a->cond);
        uv_mutex_unlock(&a->lock);
        uv_async_send(&a->wake);
    }
}

static void threads_kick(struct aio *a);

static void threads_after(uv_work_t *work, int status)
{
    struct aio_worker *w = work->data;

    w->busy = false;
    threads_kick(w->aio); /* something may have been queued as it was leaving */
    aio_unpin(w->aio);
}

/* A worker more when something waits and there is a free one. */
static void threads_kick(struct aio *a)
{
    bool some;

    uv_mutex_lock(&a->lock);
    some = a->waiting.first;
    uv_mutex_unlock(&a->lock);
    for (int i = 0; some && i < AIO_WORKERS; i++) {
        struct aio_worker *w = &a->worker[i];

        if (w->busy)
            continue;
        w->work.data = w;
        w->aio = a;
        w->busy = !uv_queue_work(a->wake.loop, &w->work, threads_work, threads_after);
        if (w->busy)
            a->pins++;
        return;
    }
}

static void threads_reap(struct aio *a)
{
    struct block_req *req;

    uv_mutex_lock(&a->lock);
    req = a->finished.first;
    a->finished.first = NULL;
    uv_mutex_unlock(&a->lock);
    while (req) {
        struct block_req *next = req->next;

        aio_end(a, req, req->status);
        req = next;
    }
}

/* The pool may be busy with others' work: what nobody has taken yet is done right here. */
static void threads_wait(struct aio *a)
{
    struct block_req *req = threads_take(a);

    if (req) {
        req_blocking(a, req);
        aio_end(a, req, req->status);
        return;
    }
    uv_mutex_lock(&a->lock);
    while (!a->finished.first)
        uv_cond_wait(&a->cond, &a->lock);
    uv_mutex_unlock(&a->lock);
    threads_reap(a);
}

static void threads_cancel(struct aio *a, struct block_req *req)
{
    bool found;

    uv_mutex_lock(&a->lock);
    found = list_remove(&a->waiting, req);
    uv_mutex_unlock(&a->lock);
    if (found)
        cancelled(a, req);
}

/* ---- both ---- */

static void aio_woken(uv_async_t *wake)
{
    struct aio *a = wake->data;

    if (a->uring)
        ring_feed(a);
    else
        threads_reap(a);
}

static void aio_closed(uv_handle_t *handle)
{
    aio_unpin(handle->data);
}

struct aio_search {
    struct aio *found;
    bool threads;
};

static void aio_look(uv_handle_t *handle, void *arg)
{
    struct aio_search *search = arg;

    if (handle->type == UV_ASYNC && !uv_is_closing(handle) &&
        ((uv_async_t *)handle)->async_cb == aio_woken) {
        struct aio *a = handle->data;

        if (search->threads == a->threads)
            search->found = a;
    }
}

static int aio_init(struct aio *a, struct uv_loop_s *loop, bool threads)
{
    int rc = uv_async_init(loop, &a->wake, aio_woken);

    if (rc)
        return rc;
    a->wake.data = a;
    a->thread = uv_thread_self();
    a->threads = threads;
    a->pins = 1;
    uv_unref((uv_handle_t *)&a->wake);
    uv_mutex_init(&a->lock);
    uv_cond_init(&a->cond);
    if (threads || io_uring_queue_init(AIO_DEPTH, &a->ring, 0))
        return 0;
    if (uv_poll_init(loop, &a->poll, a->ring.ring_fd)) {
        io_uring_queue_exit(&a->ring);
        return 0;
    }
    a->uring = true;
    a->poll.data = a;
    uv_idle_init(loop, &a->feed);
    a->feed.data = a;
    a->pins += 2;
    uv_poll_start(&a->poll, UV_READABLE, ring_ready);
    uv_unref((uv_handle_t *)&a->poll);
    return 0;
}

struct aio *aio_get(struct uv_loop_s *loop, const struct aio_ops *ops, bool threads)
{
    struct aio_search search = { NULL, threads };

    uv_walk(loop, aio_look, &search);
    if (!search.found) {
        search.found = calloc(1, sizeof(struct aio));
        if (search.found && aio_init(search.found, loop, threads)) {
            free(search.found);
            return NULL;
        }
    }
    if (search.found) {
        search.found->ops = ops;
        search.found->refs++;
    }
    return search.found;
}

void aio_put(struct aio *a)
{
    if (--a->refs)
        return;
    if (a->uring) {
        uv_close((uv_handle_t *)&a->poll, aio_closed);
        uv_close((uv_handle_t *)&a->feed, aio_closed);
    }
    uv_close((uv_handle_t *)&a->wake, aio_closed);
}

void aio_submit(struct aio *a, struct block_req *req)
{
    struct aio_step step;

    if (!a->ops->next(req, &step)) {
        block_finish_later(req, 0);
        return;
    }
    aio_begin(a);
    if (a->uring) {
        list_push(&a->waiting, req);
        ring_feed_soon(a);
        return;
    }
    uv_mutex_lock(&a->lock);
    list_push(&a->waiting, req);
    uv_mutex_unlock(&a->lock);
    threads_kick(a);
}

void aio_cancel(struct aio *a, struct block_req *req)
{
    if (a->uring)
        ring_cancel(a, req);
    else
        threads_cancel(a, req);
}

void aio_wait(struct aio *a)
{
    if (!a->inflight)
        return;
    if (!a->uring) {
        threads_wait(a);
        return;
    }
    ring_feed(a);
    io_uring_submit_and_wait(&a->ring, 1);
    ring_reap(a);
}
