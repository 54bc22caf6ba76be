/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits on requests and bytes a second: total, reads and writes each, of one
 * disk or of several together (a group; a disk alone is a group of one). A leaky
 * bucket for each limit: a request pours in what it costs and waits while the
 * bucket is over its brim; it leaks at the average rate. Without a burst the
 * brim is a tenth of a second. With one, `max` a second for `length` seconds
 * fit above it, and a second bucket leaking at `max` bounds the burst itself.
 * Reads and writes queue apart at each disk, each first come first served; they
 * take turns at what they share, and the disks of a group take turns, too.
 * FLUSH and DISCARD are free. Draining ignores the limits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "block/filter.h"
#include "block/req-list.h"

struct bucket {
    struct block_limit limit;
    double level, burst; /* what has been poured in and not yet leaked */
};

struct throttle { /* a disk */
    struct block *b;
    struct block_group *group;
    struct throttle *next;    /* in the group's ring of disks */
    struct req_list queue[2]; /* reads, writes */
};

struct block_group {
    char *name; /* NULL: a disk's own */
    unsigned refs;
    struct block_throttle set;
    struct bucket iops[BLOCK_LIMITS], bps[BLOCK_LIMITS];
    struct throttle
        *served[2];   /* the disk that was last let through, by direction; NULL: no disk */
    unsigned waiting; /* requests in the queues of its disks */
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

static double dir_wait(const struct block_group *t, unsigned dir)
{
    return longer(longer(bucket_wait(&t->iops[BLOCK_LIMIT_TOTAL]), bucket_wait(&t->iops[dir])),
                  longer(bucket_wait(&t->bps[BLOCK_LIMIT_TOTAL]), bucket_wait(&t->bps[dir])));
}

static void leak(struct block_group *t)
{
    uint64_t now = uv_hrtime();
    double seconds = (now - t->leaked_at) / 1e9;

    t->leaked_at = now;
    for (unsigned i = 0; i < BLOCK_LIMITS; i++) {
        bucket_leak(&t->iops[i], seconds);
        bucket_leak(&t->bps[i], seconds);
    }
}

static void let_go(struct throttle *t, struct block_req *req)
{
    struct block_group *g = t->group;
    unsigned dir = req_dir(req);
    uint64_t size = g->set.iops_size, ops = size ? (req->len + size - 1) / size : 1;

    bucket_pour(&g->iops[BLOCK_LIMIT_TOTAL], ops);
    bucket_pour(&g->iops[dir], ops);
    bucket_pour(&g->bps[BLOCK_LIMIT_TOTAL], req->len);
    bucket_pour(&g->bps[dir], req->len);
    filter_pass(t->b, req);
}

static void throttle_due(uv_timer_t *timer);

static void wake_after(struct block_group *g, double seconds)
{
    double ms = seconds * 1e3 + 1;

    uv_timer_start(g->timer, throttle_due, ms < 60e3 ? (uint64_t)ms : 60000, 0);
}

/* Whose request is next in this direction: the first disk with one, after that served last. */
static struct throttle *next_disk(const struct block_group *g, unsigned i)
{
    struct throttle *t = g->served[i], *last = t;

    if (!t || !g->waiting)
        return NULL;
    do {
        t = t->next;
        if (t->queue[i].first)
            return t;
    } while (t != last);
    return NULL;
}

/* Lets go what there is room for, reads and writes in turn, and sets the timer for the rest. */
static void serve(struct block_group *g)
{
    double wait, soonest = -1;

    leak(g);
    for (unsigned idle = 0; idle < 2; g->turn ^= 1) {
        struct throttle *t = next_disk(g, g->turn);

        wait = t ? dir_wait(g, req_dir(t->queue[g->turn].first)) : 0;
        if (t && wait <= 0) {
            g->served[g->turn] = t;
            g->waiting--;
            let_go(t, list_pop(&t->queue[g->turn]));
            idle = 0;
        } else {
            idle++;
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        struct throttle *t = next_disk(g, i);

        wait = t ? dir_wait(g, req_dir(t->queue[i].first)) : 0;
        if (t && (soonest < 0 || wait < soonest))
            soonest = wait;
    }
    if (soonest >= 0)
        wake_after(g, soonest);
    else
        uv_timer_stop(g->timer);
}

static void throttle_due(uv_timer_t *timer)
{
    serve(timer->data);
}

static bool is_free(const struct block_group *g, const struct block_req *req)
{
    if (req->op == BLOCK_FLUSH || req->op == BLOCK_DISCARD)
        return true;
    for (unsigned i = 0; i < BLOCK_LIMITS; i++) {
        if (g->iops[i].limit.avg || g->bps[i].limit.avg)
            return false;
    }
    return !g->waiting;
}

static void throttle_submit(struct block *b, struct block_req *req)
{
    struct throttle *t = b->priv;

    if (is_free(t->group, req)) {
        filter_pass(b, req);
        return;
    }
    list_push(&t->queue[req->op != BLOCK_READ], req);
    t->group->waiting++;
    serve(t->group);
}

static void throttle_cancel(struct block *b, struct block_req *req)
{
    struct throttle *t = b->priv;

    if (list_remove(&t->queue[0], req) || list_remove(&t->queue[1], req)) {
        t->group->waiting--;
        block_finish_later(req, ECANCELED);
    } else {
        filter_cancel(b, req);
    }
}

/* Somebody waits for everything: the limits have to give way. */
static void throttle_wait(struct block *b)
{
    struct throttle *t = b->priv;
    struct block_req *req;

    for (unsigned i = 0; i < 2; i++) {
        while ((req = list_pop(&t->queue[i]))) {
            t->group->waiting--;
            let_go(t, req);
        }
    }
    if (!t->group->waiting)
        uv_timer_stop(t->group->timer);
    if (b->ready)
        block_wait(b);
    else
        filter_wait(b);
}

/* ---- groups ---- */

static void timer_closed(uv_handle_t *handle)
{
    free(handle);
}

struct block_group *block_group_new(struct uv_loop_s *loop, const char *name)
{
    struct block_group *g = calloc(1, sizeof(*g));

    if (!g)
        return NULL;
    g->refs = 1;
    g->name = name ? strdup(name) : NULL;
    g->timer = calloc(1, sizeof(*g->timer));
    if ((name && !g->name) || !g->timer || uv_timer_init(loop, g->timer)) {
        free(g->timer);
        free(g->name);
        free(g);
        return NULL;
    }
    g->timer->data = g;
    g->leaked_at = uv_hrtime();
    return g;
}

void block_group_ref(struct block_group *g)
{
    g->refs++;
}

void block_group_unref(struct block_group *g)
{
    if (!g || --g->refs)
        return;
    uv_close((uv_handle_t *)g->timer, timer_closed);
    free(g->name);
    free(g);
}

bool block_group_is_used(const struct block_group *g)
{
    return g->refs > 1;
}

const char *block_group_name(const struct block_group *g)
{
    return g->name;
}

void block_group_set(struct block_group *g, const struct block_throttle *set)
{
    g->set = *set;
    for (unsigned i = 0; i < BLOCK_LIMITS; i++) {
        g->iops[i] = (struct bucket){ .limit = set->iops[i] };
        g->bps[i] = (struct bucket){ .limit = set->bps[i] };
    }
    serve(g);
}

static unsigned waiting_of(const struct throttle *t)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 2; i++) {
        for (const struct block_req *req = t->queue[i].first; req; req = req->next)
            n++;
    }
    return n;
}

static void leave(struct throttle *t)
{
    struct block_group *g = t->group;
    struct throttle *prev = t;

    while (prev->next != t)
        prev = prev->next;
    prev->next = t->next;
    for (unsigned i = 0; i < 2; i++) {
        if (g->served[i] == t)
            g->served[i] = prev == t ? NULL : prev;
    }
    g->waiting -= waiting_of(t);
    if (!g->waiting)
        uv_timer_stop(g->timer);
    t->group = NULL;
    block_group_unref(g);
}

/* Takes over one reference. What waits goes on waiting, by the new limits. */
static void join(struct throttle *t, struct block_group *g)
{
    struct throttle *after = g->served[0];

    t->group = g;
    t->next = after ? after->next : t;
    if (after)
        after->next = t;
    else
        g->served[0] = g->served[1] = t;
    g->waiting += waiting_of(t);
    serve(g);
}

int throttle_join(struct block *b, struct block_group *g)
{
    struct throttle *t = b->priv;

    if (g == t->group)
        return 0;
    if (g)
        g->refs++;
    else
        g = block_group_new(b->loop, NULL);
    if (!g)
        return -ENOMEM;
    leave(t);
    join(t, g);
    return 0;
}

struct block_group *throttle_group(const struct block *b)
{
    return ((const struct throttle *)b->priv)->group;
}

static void throttle_close(struct block *b)
{
    leave(b->priv);
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
    struct block_group *g = block_group_new(below->loop, NULL);
    struct block *b = g ? filter_new(&throttle_ops, sizeof(struct throttle), below) : NULL;

    if (!b) {
        block_group_unref(g);
        return NULL;
    }
    ((struct throttle *)b->priv)->b = b;
    join(b->priv, g);
    return b;
}

bool block_is_throttle(const struct block *b)
{
    return b->ops == &throttle_ops;
}

void block_group_get(const struct block_group *g, struct block_throttle *t)
{
    *t = g->set;
}
