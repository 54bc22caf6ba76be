/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images as a back end of block.h: the loop's side of block/image.h. Requests
 * whose bytes are plain data of the file go there as they are (`fast`); the
 * others go to the image's worker. Some of those have to be alone: they wait
 * for the fast ones in flight, and hold back what comes after them until they
 * are done. DISCARD and ZERO, for what they do to the map; and with O_DIRECT
 * whatever makes the worker read a block of the file, change a part of it, and
 * write it back, since a fast write to the same block would be undone by that.
 */
#include "block/image.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>
#include "block/impl.h"
#include "block/store.h"
#include "block/req-list.h"

#define FAST_MAX   64
#define BACK_FAST  0          /* in struct block_req.back[] */
#define WORK_STACK (1u << 20) /* bytes */

struct fast { /* a request that the file below serves */
    struct block_req sub, *req;
    struct image_block *ib; /* req->block may be a filter above */
    struct fast *next;
};

struct image_block {
    struct block *b;
    struct image *im;
    struct block *below; /* the same file, for the fast path; NULL: there is none */
    uv_async_t *wake;
    /* The loop's. */
    struct fast fast[FAST_MAX], *free;
    unsigned nfast;  /* in flight below */
    unsigned nslow;  /* with the worker */
    unsigned nalone; /* those that must be, parked or with the worker */
    unsigned block;  /* bytes: with O_DIRECT what is written in one piece; else 1 */
    struct req_list parked;
    /* Of both threads, under lock. */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work, news;
    struct req_list todo, finished;
    bool idle, stop;
};

/* ---- the worker ---- */

static int work_one(struct image *im, struct block_req *req)
{
    struct image_buf buf = { req->iov, req->niov, 0 };

    switch (req->op) {
    case BLOCK_READ:
        return im->ops->read(im, req->offset, req->len, &buf);
    case BLOCK_WRITE:
        return im->readonly ? EROFS : im->ops->write(im, req->offset, req->len, &buf);
    case BLOCK_FLUSH:
        return im->readonly ? 0 : im->ops->flush(im);
    case BLOCK_DISCARD:
        return im->readonly ? EROFS : im->ops->discard(im, req->offset, req->len);
    case BLOCK_ZERO:
        return im->readonly ? EROFS : im->ops->zero(im, req->offset, req->len, req->may_unmap);
    }
    return EINVAL;
}

static void *worker(void *arg)
{
    struct image_block *ib = arg;

    prctl(PR_SET_NAME, "image");
    pthread_mutex_lock(&ib->lock);
    while (!ib->stop || ib->todo.first) {
        struct block_req *req = ib->todo.first;
        bool first;

        if (!req) {
            ib->idle = true;
            pthread_cond_wait(&ib->work, &ib->lock);
            ib->idle = false;
            continue;
        }
        ib->todo.first = req->next;
        pthread_mutex_unlock(&ib->lock);
        req->status = work_one(ib->im, req);
        pthread_mutex_lock(&ib->lock);
        first = !ib->finished.first;
        list_push(&ib->finished, req);
        if (first) { /* the loop takes all of them at once */
            pthread_cond_signal(&ib->news);
            uv_async_send(ib->wake);
        }
    }
    pthread_mutex_unlock(&ib->lock);
    return NULL;
}

/* ---- the loop's side ---- */

/* Tables and data of different places share a block: there is no telling what the worker reads. */
static bool is_narrow(const struct image_block *ib)
{
    return ib->im->align < ib->block;
}

static bool is_crooked(const struct image_block *ib, uint64_t off, uint64_t len)
{
    return (off | len) & (ib->block - 1);
}

/* Of a request that is not fast. */
static bool is_alone(const struct image_block *ib, const struct block_req *req)
{
    if (req->op == BLOCK_DISCARD || req->op == BLOCK_ZERO || is_narrow(ib))
        return true;
    return req->op == BLOCK_WRITE && is_crooked(ib, req->offset, req->len);
}

static void give_worker(struct image_block *ib, struct block_req *req)
{
    if (!ib->nslow++)
        uv_ref((uv_handle_t *)ib->wake);
    pthread_mutex_lock(&ib->lock);
    list_push(&ib->todo, req);
    if (ib->idle)
        pthread_cond_signal(&ib->work);
    pthread_mutex_unlock(&ib->lock);
}

static void enqueue(struct image_block *ib, struct block_req *req)
{
    ib->nalone += is_alone(ib, req);
    if (ib->parked.first || (is_alone(ib, req) && ib->nfast))
        list_push(&ib->parked, req);
    else
        give_worker(ib, req);
}

/* No fast request is in flight: what waited for that goes on. */
static void unpark(struct image_block *ib)
{
    struct block_req *req = ib->parked.first;

    ib->parked.first = NULL;
    while (req) {
        struct block_req *next = req->next;

        give_worker(ib, req);
        req = next;
    }
}

static void fast_done(struct block_req *sub, int err)
{
    struct fast *f = sub->arg;
    struct block_req *req = f->req;
    struct image_block *ib = f->ib;

    f->next = ib->free;
    ib->free = f;
    if (!--ib->nfast)
        unpark(ib);
    req->back[BACK_FAST] = NULL;
    block_finish(req, err);
}

static void fast_start(struct image_block *ib, struct block_req *req, uint64_t host)
{
    struct fast *f = ib->free;

    ib->free = f->next;
    ib->nfast++;
    f->req = req;
    f->ib = ib;
    req->back[BACK_FAST] = f;
    f->sub = (struct block_req){ .op = req->op,
                                 .offset = host,
                                 .len = req->len,
                                 .iov = req->iov,
                                 .niov = req->niov,
                                 .done = fast_done,
                                 .arg = f };
    block_submit(ib->below, &f->sub);
}

/*
 * Does the file reach that far? With O_DIRECT a write at its end makes it longer than it will
 * be, and cuts it off again: so it is looked at only while the worker sleeps.
 */
static bool is_there(struct image_block *ib, uint64_t host, uint64_t len)
{
    if (len <= ib->below->size && host <= ib->below->size - len)
        return true;
    if (ib->block > 1 && ib->nslow)
        return false;
    block_file_look(ib->below);
    return len <= ib->below->size && host <= ib->below->size - len;
}

/* True: req is on its way. */
static bool try_fast(struct image_block *ib, struct block_req *req)
{
    struct image *im = ib->im;
    uint64_t len = req->len, host = 0;

    if (!ib->below || !ib->free || ib->nalone || ib->parked.first || req->op == BLOCK_DISCARD ||
        req->op == BLOCK_ZERO || (im->readonly && req->op != BLOCK_READ))
        return false;
    if (req->op == BLOCK_FLUSH) {
        if (ib->nslow || !im->ops->dirty || im->ops->dirty(im))
            return false;
    } else if (!im->ops->map(im, req->offset, &len, req->op == BLOCK_WRITE, &host) ||
               len < req->len) {
        return false;
    }
    if (req->op == BLOCK_WRITE && is_crooked(ib, host, len))
        return false;
    if (req->op != BLOCK_FLUSH && !is_there(ib, host, len))
        return false;
    fast_start(ib, req, host);
    return true;
}

static void image_submit(struct block *b, struct block_req *req)
{
    struct image_block *ib = b->priv;

    if (!try_fast(ib, req))
        enqueue(ib, req);
}

/* Completes what the worker has finished. */
static void reap(struct image_block *ib)
{
    struct block_req *req;

    pthread_mutex_lock(&ib->lock);
    req = ib->finished.first;
    ib->finished.first = NULL;
    pthread_mutex_unlock(&ib->lock);
    while (req) {
        struct block_req *next = req->next;

        if (!--ib->nslow)
            uv_unref((uv_handle_t *)ib->wake);
        ib->nalone -= is_alone(ib, req);
        block_finish(req, req->status);
        req = next;
    }
}

static void woken(uv_async_t *wake)
{
    if (wake->data)
        reap(wake->data);
}

static void image_cancel(struct block *b, struct block_req *req)
{
    struct image_block *ib = b->priv;
    struct fast *f = req->back[BACK_FAST];
    bool parked, found;

    if (f) {
        block_cancel(&f->sub);
        return;
    }
    parked = list_remove(&ib->parked, req);
    pthread_mutex_lock(&ib->lock);
    found = !parked && list_remove(&ib->todo, req);
    pthread_mutex_unlock(&ib->lock);
    if (!parked && !found)
        return; /* the worker has it, or it is done */
    ib->nalone -= is_alone(ib, req);
    if (found && !--ib->nslow)
        uv_unref((uv_handle_t *)ib->wake);
    block_finish_later(req, ECANCELED);
}

static void image_wait(struct block *b)
{
    struct image_block *ib = b->priv;

    if (ib->nfast) {
        block_wait(ib->below);
        return;
    }
    if (!ib->nslow)
        return;
    pthread_mutex_lock(&ib->lock);
    while (!ib->finished.first)
        pthread_cond_wait(&ib->news, &ib->lock);
    pthread_mutex_unlock(&ib->lock);
    reap(ib);
}

/* Nothing is in flight, so the worker sleeps and the image is this thread's. */
static int image_resize(struct block *b, uint64_t size, struct err *err)
{
    struct image_block *ib = b->priv;
    int rc;

    if (!ib->im->ops->resize)
        return err_set(err, -ENOTSUP, "disk %s: a %s image cannot be resized", b->name, b->format);
    if (ib->im->readonly)
        return err_set(err, -EROFS, "disk %s: is read-only", b->name);
    rc = ib->im->ops->resize(ib->im, size, err);
    if (rc)
        return rc;
    b->size = ib->im->size;
    block_changed(b, BLOCK_RESIZED);
    return 0;
}

/*
 * Whose image it is not, does not write to it: not even when it is closed.
 * Nothing is in flight, so the worker sleeps.
 */
static int image_lock(struct block *b, bool on, struct err *err)
{
    struct image_block *ib = b->priv;
    int rc = store_lock(ib->im->store, on, err);

    if (!rc)
        ib->im->readonly = !on || b->readonly;
    return rc;
}

static void handle_closed(uv_handle_t *handle)
{
    free(handle);
}

static void image_block_close(struct block *b)
{
    struct image_block *ib = b->priv;

    pthread_mutex_lock(&ib->lock);
    ib->stop = true;
    pthread_cond_signal(&ib->work);
    pthread_mutex_unlock(&ib->lock);
    pthread_join(ib->thread, NULL);
    pthread_mutex_destroy(&ib->lock);
    pthread_cond_destroy(&ib->work);
    pthread_cond_destroy(&ib->news);
    ib->wake->data = NULL;
    uv_close((uv_handle_t *)ib->wake, handle_closed);
    block_close(ib->below);
    image_close(ib->im);
    block_free(b);
}

static const struct block_ops image_block_ops = {
    .name = "image",
    .close = image_block_close,
    .submit = image_submit,
    .cancel = image_cancel,
    .wait = image_wait,
    .resize = image_resize,
    .lock = image_lock,
};

/* ---- opening ---- */

static int start_thread(struct image_block *ib)
{
    pthread_attr_t attr;
    sigset_t all, old;
    int rc;

    pthread_mutex_init(&ib->lock, NULL);
    pthread_cond_init(&ib->work, NULL);
    pthread_cond_init(&ib->news, NULL);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WORK_STACK);
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&ib->thread, &attr, worker, ib);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return rc;
}

/* The same file as a raw one, for the fast path. NULL is no error: then there is none. */
static struct block *open_below(struct uv_loop_s *loop, const struct block_options *o, int fd)
{
    if (block_is_nbd(o->file) && o->fd < 0)
        return NULL;
    return block_open_file(loop,
                           &BLOCK_OPTIONS(.file = o->file, .fd = fd, .readonly = o->readonly,
                                          .direct = o->direct, .locking = BLOCK_LOCK_OFF),
                           false, NULL);
}

static struct block *make_block(struct uv_loop_s *loop, const struct block_options *o,
                                struct image *im, struct block *below)
{
    struct block *b = block_new(loop, &image_block_ops, sizeof(struct image_block), o->file);
    struct image_block *ib;

    if (!b)
        return NULL;
    ib = b->priv;
    ib->wake = calloc(1, sizeof(*ib->wake));
    if (!ib->wake || uv_async_init(loop, ib->wake, woken)) {
        free(ib->wake);
        block_free(b);
        return NULL;
    }
    uv_unref((uv_handle_t *)ib->wake);
    ib->wake->data = ib;
    ib->b = b;
    ib->im = im;
    for (int i = 0; i < FAST_MAX; i++) {
        ib->fast[i].next = ib->free;
        ib->free = &ib->fast[i];
    }
    if (start_thread(ib)) {
        ib->wake->data = NULL;
        uv_close((uv_handle_t *)ib->wake, handle_closed);
        block_free(b);
        return NULL;
    }
    ib->below = below;
    ib->block = below ? below->align : 1;
    if (below)
        block_file_look(below);
    b->size = im->size;
    b->readonly = o->readonly;
    b->direct = o->direct;
    b->format = im->ops->name;
    for (const struct image *behind = im->backing; behind; behind = behind->backing)
        b->backing_depth++;
    return b;
}

struct block *image_block_open(struct uv_loop_s *loop, const struct block_options *o,
                               struct err *err)
{
    const struct image_ops *ops = image_ops_find(o->format);
    int fd = o->fd >= 0 ? dup(o->fd) : -1; /* the store owns the other */
    struct store *st = store_open(o, err);
    struct block *below = NULL, *b = NULL;
    struct image *im = NULL;

    if (st && ops)
        im = image_open(ops, st, o->file, o->readonly, o->backing, NULL, err);
    else if (st)
        store_close(st);
    if (im && ops->map)
        below = open_below(loop, o, fd);
    else if (fd >= 0)
        close(fd);
    if (im)
        b = make_block(loop, o, im, below);
    if (im && !b) {
        block_close(below);
        image_close(im);
        err_set(err, -ENOMEM, "disk %s: out of memory or threads", o->file);
    }
    return b;
}
