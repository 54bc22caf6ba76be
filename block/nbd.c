/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk at an NBD server, without waiting for it: the handle of libnbd is
 * watched by the loop. When the connection breaks, or the server is silent for
 * the reconnect delay, a new one is made, less and less often, and what was in
 * flight is sent again from the start: each request is a whole write, read,
 * zeroing or flush that can be done twice. When the delay is over, requests
 * fail with EIO until the server is back; so does one that the server has been
 * breaking on for so long, though it comes back each time. A server that comes
 * back with another size, or can do less, is not taken.
 *
 * Data goes through a buffer per command, because libnbd takes flat memory.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include "block/nbd-conn.h"

#define TICK_MS 20 /* while connecting */
#define LOOK_MS 500

enum nbd_state { UP, AWAY, CONNECTING };

struct nbd_op { /* a request under way */
    struct block_req *req;
    struct nbd_op *next;
    uint64_t pos; /* bytes done */
    size_t len;   /* of the command in flight */
    uint64_t sent_at;
    uint64_t lost_at; /* the first connection that broke while it was in flight; 0: none has */
    bool sent, answered;
    int err;   /* of the answer */
    void *buf; /* NBD_PIECE bytes or fewer */
};

struct nbd {
    struct block *b;
    enum nbd_state state;
    struct nbd_handle *h;
    struct nbd_export e;
    uv_poll_t *poll; /* while UP */
    uv_timer_t *timer;
    struct nbd_op *first, *last;
    uint64_t up_since, away_since, try_at; /* host ns */
    uint64_t delay;                        /* ns */
    unsigned backoff;                      /* ms */
    bool given_up;                         /* the delay is over */
};

static void handle_closed(uv_handle_t *handle)
{
    free(handle);
}

static void op_free(struct nbd_op *op)
{
    free(op->buf);
    free(op);
}

/* Takes op out and ends its request; from the loop or from wait. */
static void op_end(struct nbd *n, struct nbd_op *op, int err)
{
    struct nbd_op **p = &n->first;
    struct block_req *req = op->req;

    n->last = NULL;
    while (*p) {
        if (*p == op) {
            *p = op->next;
        } else {
            n->last = *p;
            p = &(*p)->next;
        }
    }
    op_free(op);
    block_finish(req, err);
}

static int op_answered(void *arg, int *error)
{
    struct nbd_op *op = arg;

    op->answered = true;
    op->err = *error;
    return 1; /* libnbd may forget it */
}

/* Whether the server is asked at all. */
static bool op_is_empty(const struct nbd *n, const struct nbd_op *op)
{
    return (op->req->op == BLOCK_FLUSH && !n->e.can_flush) ||
           (op->req->op == BLOCK_DISCARD && !n->e.can_trim);
}

static int64_t op_issue(struct nbd *n, struct nbd_op *op)
{
    nbd_completion_callback cb = { .callback = op_answered, .user_data = op };
    const struct block_req *req = op->req;
    uint64_t off = req->offset + op->pos;

    switch (req->op) {
    case BLOCK_READ:
        return nbd_aio_pread(n->h, op->buf, op->len, off, cb, 0);
    case BLOCK_WRITE:
        return nbd_aio_pwrite(n->h, op->buf, op->len, off, cb, 0);
    case BLOCK_FLUSH:
        return nbd_aio_flush(n->h, cb, 0);
    case BLOCK_DISCARD:
        return nbd_aio_trim(n->h, op->len, off, cb, 0);
    default:
        if (!n->e.can_zero)
            return nbd_aio_pwrite(n->h, op->buf, op->len, off, cb, 0);
        return nbd_aio_zero(n->h, op->len, off, cb, req->may_unmap ? 0 : LIBNBD_CMD_FLAG_NO_HOLE);
    }
}

static void op_send(struct nbd *n, struct nbd_op *op)
{
    const struct block_req *req = op->req;
    uint64_t left = req->len - op->pos;

    op->len = req->op == BLOCK_FLUSH ? 0 : left < NBD_PIECE ? left : NBD_PIECE;
    if (req->op == BLOCK_WRITE)
        iov_read(req->iov, req->niov, op->pos, op->buf, op->len);
    op->sent = true;
    op->answered = op_is_empty(n, op);
    op->err = 0;
    op->sent_at = uv_hrtime();
    if (op->answered)
        op->len = left;
    else if (op_issue(n, op) < 0) {
        op->answered = true;
        op->err = nbd_get_errno() ? nbd_get_errno() : EIO;
    }
}

static void nbd_work(struct nbd *n);

static void nbd_ready(uv_poll_t *poll, int status, int events)
{
    struct nbd *n = poll->data;

    if ((events & UV_READABLE || status < 0) &&
        nbd_aio_get_direction(n->h) & LIBNBD_AIO_DIRECTION_READ)
        nbd_aio_notify_read(n->h);
    else if (events & UV_WRITABLE && nbd_aio_get_direction(n->h) & LIBNBD_AIO_DIRECTION_WRITE)
        nbd_aio_notify_write(n->h);
    nbd_work(n);
}

static void nbd_tick(uv_timer_t *timer)
{
    nbd_work(timer->data);
}

static void nbd_drop(struct nbd *n)
{
    if (n->poll)
        uv_close((uv_handle_t *)n->poll, handle_closed);
    n->poll = NULL;
    nbd_close(n->h);
    n->h = NULL;
}

/* The connection is gone: everything is to be sent again. One that was short was no success. */
static void nbd_away(struct nbd *n)
{
    uint64_t now = uv_hrtime();

    if (n->state == UP) {
        n->away_since = now;
        n->given_up = false;
    }
    if (n->state == UP && now - n->up_since > NBD_BACKOFF_MAX * 1000000ull) {
        n->backoff = NBD_BACKOFF_MIN;
        n->try_at = now;
    } else {
        n->try_at = now + n->backoff * 1000000ull;
        n->backoff = n->backoff * 2 < NBD_BACKOFF_MAX ? n->backoff * 2 : NBD_BACKOFF_MAX;
    }
    for (struct nbd_op *op = n->first; op; op = op->next) {
        if (op->sent && !op->lost_at && n->state == UP)
            op->lost_at = now; /* libnbd may have called it answered, with an error */
        op->sent = op->answered = false;
    }
    nbd_drop(n);
    n->state = AWAY;
}

static int nbd_watch(struct nbd *n)
{
    n->poll = calloc(1, sizeof(*n->poll));
    if (!n->poll || uv_poll_init(n->b->loop, n->poll, nbd_aio_get_fd(n->h))) {
        free(n->poll);
        n->poll = NULL;
        return -ENOMEM;
    }
    n->poll->data = n;
    return 0;
}

static void nbd_connect_step(struct nbd *n)
{
    struct nbd_export e;
    int rc;

    if (n->state == AWAY && uv_hrtime() >= n->try_at) {
        n->h = nbd_begin(n->b->name, NULL);
        n->state = CONNECTING;
        n->away_since = n->away_since ? n->away_since : uv_hrtime();
        n->try_at = uv_hrtime() + NBD_OPEN_MS * 1000000ull;
    }
    if (n->state != CONNECTING)
        return;
    rc = n->h ? nbd_progress(n->h, n->b->name, &e, NULL) : -EIO;
    if (rc > 0 && nbd_same(&n->e, &e) && !nbd_watch(n)) {
        n->state = UP;
        n->up_since = uv_hrtime();
    } else if (rc || uv_hrtime() > n->try_at)
        nbd_away(n);
}

static bool op_is_late(const struct nbd *n, const struct nbd_op *op)
{
    return op->sent && !op->answered && uv_hrtime() - op->sent_at > n->delay;
}

/* The answer to one op: the next piece, or the end. */
static void op_step(struct nbd *n, struct nbd_op *op)
{
    struct block_req *req = op->req;

    op->sent = false;
    if (op->err) {
        op_end(n, op, op->err);
        return;
    }
    if (req->op == BLOCK_READ)
        iov_write(req->iov, req->niov, op->pos, op->buf, op->len);
    op->pos += op->len;
    op->lost_at = 0;
    if (req->op == BLOCK_FLUSH || op->pos >= req->len)
        op_end(n, op, 0);
}

/* Takes the answers. done() may submit and cancel, so the list is looked at afresh each time. */
static void take_answers(struct nbd *n)
{
    struct nbd_op *op = n->first;

    while (op) {
        if (op->sent && op->answered) {
            op_step(n, op);
            op = n->first;
        } else {
            op = op->next;
        }
    }
}

static void fail_all(struct nbd *n)
{
    struct nbd_op *last = n->last, *op;
    bool more = true;

    while (more && (op = n->first)) { /* what those submit may wait its turn */
        more = op != last;
        op_end(n, op, EIO);
    }
}

static void send_all(struct nbd *n)
{
    uint64_t now = uv_hrtime();

    for (struct nbd_op *op = n->first; op; op = op->next) {
        if (op->sent)
            continue;
        if (op->lost_at && now - op->lost_at > n->delay) { /* the server breaks on it, it seems */
            op->sent = op->answered = true;
            op->err = EIO;
        } else {
            op_send(n, op);
        }
    }
}

static void set_watches(struct nbd *n)
{
    unsigned dir = n->state == UP ? nbd_aio_get_direction(n->h) : 0;
    int events = (dir & LIBNBD_AIO_DIRECTION_READ ? UV_READABLE : 0) |
                 (dir & LIBNBD_AIO_DIRECTION_WRITE ? UV_WRITABLE : 0);
    uint64_t ms = n->state == CONNECTING ? TICK_MS : n->state == AWAY ? NBD_BACKOFF_MIN : LOOK_MS;
    bool soon = n->state != UP && n->given_up && n->first; /* those fail at once */

    if (n->state == UP && nbd_lost(n->h)) { /* libnbd has closed the descriptor */
        soon = true;
        if (n->poll)
            uv_close((uv_handle_t *)n->poll, handle_closed);
        n->poll = NULL;
    }
    for (struct nbd_op *op = n->first; op; op = op->next)
        soon |= (op->sent && op->answered) || (n->state == UP && !op->sent);
    if (n->poll) {
        uv_poll_start(n->poll, events ? events : UV_READABLE, nbd_ready);
        uv_unref((uv_handle_t *)n->poll);
    }
    uv_timer_start(n->timer, nbd_tick, soon ? 0 : ms, 0);
    if (n->first)
        uv_ref((uv_handle_t *)n->timer);
    else
        uv_unref((uv_handle_t *)n->timer);
}

/* Whatever can be done now. Calls done(). */
static void nbd_work(struct nbd *n)
{
    bool late = false;

    for (struct nbd_op *op = n->first; op; op = op->next)
        late |= op_is_late(n, op);
    if (n->state == UP && (nbd_lost(n->h) || late)) {
        nbd_away(n);
        if (late) {
            n->given_up = true;
            fail_all(n);
        }
    }
    if (n->state != UP)
        nbd_connect_step(n);
    if (n->state != UP && (n->given_up || uv_hrtime() - n->away_since > n->delay)) {
        n->given_up = true;
        fail_all(n);
    }
    if (n->state == UP) {
        take_answers(n);
        send_all(n);
    }
    set_watches(n);
}

static void nbd_submit(struct block *b, struct block_req *req)
{
    struct nbd *n = *(struct nbd **)b->priv;
    struct nbd_op *op = calloc(1, sizeof(*op));
    bool data = req->op == BLOCK_READ || req->op == BLOCK_WRITE;

    if (op && (data || (req->op == BLOCK_ZERO && !n->e.can_zero))) {
        op->buf = calloc(1, req->len < NBD_PIECE ? req->len : NBD_PIECE);
        if (!op->buf) {
            free(op);
            op = NULL;
        }
    }
    if (!op) {
        block_finish_later(req, ENOMEM);
        return;
    }
    op->req = req;
    req->back[0] = op;
    if (n->first)
        n->last->next = op;
    else
        n->first = op;
    n->last = op;
    if (n->state == UP && !nbd_lost(n->h))
        op_send(n, op);
    set_watches(n);
}

/* One that is with the server runs to its end: it may be done there at any moment. */
static void nbd_cancel(struct block *b, struct block_req *req)
{
    struct nbd *n = *(struct nbd **)b->priv;
    struct nbd_op *op = n->first;

    while (op && op->req != req)
        op = op->next;
    if (!op || op->sent)
        return;
    op->sent = op->answered = true;
    op->err = ECANCELED;
    if (n->state != UP) { /* there are no answers to take: end it now, and tell later */
        struct nbd_op **p = &n->first;

        n->last = NULL;
        while (*p) {
            if (*p == op) {
                *p = op->next;
            } else {
                n->last = *p;
                p = &(*p)->next;
            }
        }
        op_free(op);
        block_finish_later(req, ECANCELED);
    }
    set_watches(n);
}

static void nbd_wait(struct block *b)
{
    struct nbd *n = *(struct nbd **)b->priv;

    if (!n->first)
        return;
    if (n->state == UP && !nbd_lost(n->h)) {
        bool answered = false;

        for (struct nbd_op *op = n->first; op; op = op->next)
            answered |= op->answered;
        if (!answered)
            nbd_poll(n->h, LOOK_MS);
    } else if (n->state != UP) {
        usleep(TICK_MS * 1000);
    }
    nbd_work(n);
}

static void nbd_block_close(struct block *b)
{
    struct nbd *n = *(struct nbd **)b->priv;

    if (n->state == UP)
        nbd_aio_disconnect(n->h, 0);
    nbd_drop(n);
    uv_close((uv_handle_t *)n->timer, handle_closed);
    free(n);
    block_free(b);
}

static const struct block_ops nbd_ops = {
    .name = "nbd",
    .close = nbd_block_close,
    .submit = nbd_submit,
    .cancel = nbd_cancel,
    .wait = nbd_wait,
};

static int check_export(const struct block_options *o, const struct nbd_export *e, struct err *err)
{
    if (e->readonly && !o->readonly)
        return err_set(err, -EROFS, "disk %s: the export is read-only; say readonly=on", o->file);
    if (e->align > 512)
        return err_set(err, -EINVAL,
                       "disk %s: the server takes blocks of %u bytes only; put nbdkit "
                       "--filter=blocksize in between",
                       o->file, e->align);
    if (e->size < 512 || e->size > INT64_MAX)
        return err_set(err, -EINVAL, "disk %s: is empty; a disk needs at least one sector",
                       o->file);
    return 0;
}

static struct block *make(struct uv_loop_s *loop, const struct block_options *o,
                          struct nbd_handle *h, const struct nbd_export *e)
{
    struct block *b = block_new(loop, &nbd_ops, sizeof(struct nbd *), o->file);
    struct nbd *n = calloc(1, sizeof(*n));

    if (n)
        n->timer = calloc(1, sizeof(*n->timer));
    if (!b || !n || !n->timer || uv_timer_init(loop, n->timer)) {
        if (n)
            free(n->timer);
        free(n);
        if (b)
            block_free(b);
        return NULL;
    }
    *(struct nbd **)b->priv = n;
    n->b = b;
    n->h = h;
    n->e = *e;
    n->timer->data = n;
    n->backoff = NBD_BACKOFF_MIN;
    n->delay = (o->reconnect_delay ? o->reconnect_delay : NBD_RECONNECT) * 1000000000ull;
    b->size = e->size / 512 * 512;
    b->readonly = o->readonly;
    return b;
}

struct block *block_open_nbd(struct uv_loop_s *loop, const struct block_options *o, struct err *err)
{
    struct nbd_export e;
    struct nbd_handle *h = NULL;
    struct block *b = NULL;

    if (o->fd >= 0)
        close(o->fd);
    if (!block_is_nbd(o->file))
        err_set(err, -EINVAL,
                "disk %s: no NBD address; use nbd://HOST:PORT/EXPORT or "
                "nbd+unix:///EXPORT?socket=PATH",
                o->file ? o->file : "");
    else
        h = nbd_dial(o->file, NBD_OPEN_MS, &e, err);
    if (!h)
        return NULL;
    if (!check_export(o, &e, err)) {
        b = make(loop, o, h, &e);
        if (!b)
            err_set(err, -ENOMEM, "disk %s: out of memory", o->file);
    }
    if (!b)
        nbd_close(h);
    else if (nbd_watch(*(struct nbd **)b->priv)) {
        err_set(err, -ENOMEM, "disk %s: out of memory", o->file);
        nbd_block_close(b);
        return NULL;
    } else {
        set_watches(*(struct nbd **)b->priv);
    }
    return b;
}
