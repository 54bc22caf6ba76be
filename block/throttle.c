/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits on requests and bytes a second: total, reads and writes each. A leaky
 * bucket for each limit: a request pours in what it costs and waits while the
 * bucket is over its brim; it leaks at the average rate. Without a burst the
 * brim is a tenth of a second. With one, `max` a second for `length` seconds
 * fit above it, and a second bucket leaking at `max` bounds the burst itself.
 * Reads and writes queue apart, each first come first served, and take turns
 * at what they share. FLUSH and DISCARD are free. Draining ignores the limits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "block/filter.h"

struct bucket {
    struct block_limit limit;
    double level, burst; /* what has been poured in and not yet leaked */
};

struct throttle {
    struct block_throttle set;
    struct bucket iops[BLOCK_LIMITS], bps[BLOCK_LIMITS];
    struct req_queue queue[2]; /* reads, writes */
    unsigned turn;
    uint64_t leaked_at; /* host ns */
    uv_timer_t *timer;
};

static unsigned req_dir(const struct block_req *req)
{
    return req->op == BLOCK_READ ? BLOCK_LIMIT_READ : BLOCK_LIMIT_WRITE;
}

static void bucket_leak(struct bucket *k, double seconds)
{
    double level = k->level - seconds * k->limit.avg, burst = k->burst - seconds * k->limit.max;

    k->level = level > 0 ? level : 0;
    k->burst = burst > 0 ? burst : 0;
}

static double bucket_brim(const struct bucket *k)
{
    double length = k->limit.length ? k->limit.length : 1;

    return k->limit.max ? k->limit.max * length : k->limit.avg / 10.0;
}

/* Seconds until there is room. */
static double bucket_wait(const struct bucket *k)
{
    double wait = 0, over;

    if (!k->limit.avg)
        return 0;
    over = k->level - bucket_brim(k);
    if (over > 0)
        wait = over / k->limit.avg;
    if (k->limit.max && k->limit.length > 1) {
        over = k->burst - k->limit.max / 10.0;
        if (over > 0 && over / k->limit.max > wait)
            wait = over / k->limit.max;
    }
    return wait;
}

static void bucket_pour(struct bucket *k, double units)
{
    if (!k->limit.avg)
        return;
    k->level += units;
    k->burst += units;
}

static double longer(double a, double b)
{
    return a > b ? a : b;
}

static double dir_wait(const struct throttle *t, unsigned dir)
{
    return longer(longer(bucket_wait(&t->iops[BLOCK_LIMIT_TOTAL]), bucket_wait(&t->iops[dir])),
                  longer(bucket_wait(&t->bps[BLOCK_LIMIT_TOTAL]), bucket_wait(&t->bps[dir])));
}

static void leak(struct throttle *t)
{
    uint64_t now = uv_hrtime();
    double seconds = (now - t->leaked_at) / 1e9;

    t->leaked_at = now;
    for (unsigned i = 0; i < BLOCK_LIMITS; i++) {
        bucket_leak(&t->iops[i], seconds);
        bucket_leak(&t->bps[i], seconds);
    }
}

static void let_go(struct block *b, struct block_req *req)
{
    struct throttle *t = b->priv;
    unsigned dir = req_dir(req);
    uint64_t size = t->set.iops_size, ops = size ? (req->len + size - 1) / size : 1;

    bucket_pour(&t->iops[BLOCK_LIMIT_TOTAL], ops);
    bucket_pour(&t->iops[dir], ops);
    bucket_pour(&t->bps[BLOCK_LIMIT_TOTAL], req->len);
    bucket_pour(&t->bps[dir], req->len);
    filter_pass(b, req);
}

static void throttle_due(uv_timer_t *timer);

static void wake_after(struct throttle *t, double seconds)
{
    double ms = seconds * 1e3 + 1;

    uv_timer_start(t->timer, throttle_due, ms < 60e3 ? (uint64_t)ms : 60000, 0);
}

/* Lets go what there is room for, reads and writes in turn, and sets the timer for the rest. */
static void serve(struct block *b)
{
    struct throttle *t = b->priv;
    double wait[2] = { 0, 0 }, soonest = -1;

    leak(t);
    for (unsigned idle = 0; idle < 2; t->turn ^= 1) {
        struct req_queue *q = &t->queue[t->turn];

        wait[t->turn] = q->first ? dir_wait(t, req_dir(q->first)) : 0;
        if (q->first && wait[t->turn] <= 0) {
            let_go(b, req_queue_pop(q));
            idle = 0;
        } else {
            idle++;
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        if (t->queue[i].first && (soonest < 0 || wait[i] < soonest))
            soonest = wait[i];
    }
    if (soonest >= 0)
        wake_after(t, soonest);
    else
        uv_timer_stop(t->timer);
}

static void throttle_due(uv_timer_t *timer)
{
    serve(timer->data);
}

static bool is_free(const struct throttle *t, const struct block_req *req)
{
    if (req->op == BLOCK_FLUSH || req->op == BLOCK_DISCARD)
        return true;
    for (unsigned i = 0; i < BLOCK_LIMITS; i++) {
        if (t->iops[i].limit.avg || t->bps[i].limit.avg)
            return false;
    }
    return !t->queue[0].first && !t->queue[1].first;
}

static void throttle_submit(struct block *b, struct block_req *req)
{
    struct throttle *t = b->priv;

    if (is_free(t, req)) {
        filter_pass(b, req);
        return;
    }
    req_queue_push(&t->queue[req->op != BLOCK_READ], req);
    serve(b);
}

static void throttle_cancel(struct block *b, struct block_req *req)
{
    struct throttle *t = b->priv;

    if (req_queue_remove(&t->queue[0], req) || req_queue_remove(&t->queue[1], req))
        block_finish_later(req, ECANCELED);
    else
        filter_cancel(b, req);
}

/* Somebody waits for everything: the limits have to give way. */
static void throttle_wait(struct block *b)
{
    struct throttle *t = b->priv;
    struct block_req *req;

    for (unsigned i = 0; i < 2; i++) {
        while ((req = req_queue_pop(&t->queue[i])))
            let_go(b, req);
    }
    uv_timer_stop(t->timer);
    if (b->ready)
        block_wait(b);
    else
        filter_wait(b);
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void throttle_close(struct block *b)
{
    struct throttle *t = b->priv;

    uv_close((uv_handle_t *)t->timer, timer_closed);
    filter_close(b);
}

static const struct block_ops throttle_ops = {
    .name = "throttle",
    .close = throttle_close,
    .submit = throttle_submit,
    .cancel = throttle_cancel,
    .wait = throttle_wait,
    .resize = filter_resize,
};

struct block *block_open_throttle(struct block *below)
{
    struct block *b = filter_new(&throttle_ops, sizeof(struct throttle), below);
    struct throttle *t;

    if (!b)
        return NULL;
    t = b->priv;
    t->timer = calloc(1, sizeof(*t->timer));
    if (!t->timer || uv_timer_init(b->loop, t->timer)) {
        free(t->timer);
        block_listen(below, NULL, NULL);
        block_free(b);
        return NULL;
    }
    t->timer->data = b;
    t->leaked_at = uv_hrtime();
    return b;
}

bool block_is_throttle(const struct block *b)
{
    return b->ops == &throttle_ops;
}

void throttle_set(struct block *b, const struct block_throttle *set)
{
    struct throttle *t = b->priv;

    t->set = *set;
    for (unsigned i = 0; i < BLOCK_LIMITS; i++) {
        t->iops[i] = (struct bucket){ .limit = set->iops[i] };
        t->bps[i] = (struct bucket){ .limit = set->bps[i] };
    }
    serve(b);
}

void throttle_get(const struct block *b, struct block_throttle *t)
{
    *t = ((const struct throttle *)b->priv)->set;
}
