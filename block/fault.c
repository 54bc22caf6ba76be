/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk that fails as block/fault.h says: a share of requests at random (the
 * same ones for the same seed), by rules, late, or in the middle of a write.
 */
#include "block/fault.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "block/filter.h"

struct fault {
    struct fault_plan plan;
    struct torn *torn;     /* under way */
    struct delayed *first; /* soonest first */
    uv_timer_t *timer;
};

struct delayed {
    struct block_req *req;
    struct delayed *next;
    uint64_t due; /* host ns */
    int err;
};

struct torn { /* a write that stops in the middle */
    struct block_req own;
    struct block_req *req;
    struct torn *next;
    struct fault *f;
    int err;
    struct iovec iov[];
};

/* xorshift64*, from 0 up to 1. */
static double roll(struct fault_plan *p)
{
    p->dice ^= p->dice >> 12;
    p->dice ^= p->dice << 25;
    p->dice ^= p->dice >> 27;
    return (p->dice * 0x2545f4914f6cdd1dull >> 11) / 9007199254740992.0;
}

static unsigned req_events(const struct block_req *req)
{
    switch (req->op) {
    case BLOCK_READ:
        return FAULT_READ;
    case BLOCK_WRITE:
    case BLOCK_ZERO:
        return FAULT_WRITE;
    case BLOCK_FLUSH:
        return FAULT_FLUSH_OS | FAULT_FLUSH_DISK;
    default:
        return 0x10; /* only "none" */
    }
}

static bool rule_hits(const struct fault_plan *p, const struct fault_rule *r,
                      const struct block_req *req)
{
    uint64_t at = (uint64_t)r->sector * 512;

    if (r->spent || !(r->events & req_events(req)) || !(r->ops & 1u << req->op) ||
        (r->state && r->state != p->state))
        return false;
    if (r->set_state || r->sector < 0)
        return true;
    return req->op != BLOCK_FLUSH && at >= req->offset && at - req->offset < req->len;
}

/* The errno by the rules, or 0; moves on to the next state. */
static int by_rules(struct fault_plan *p, const struct block_req *req)
{
    unsigned next = p->state;
    int err = 0;

    for (unsigned i = 0; i < p->nrules; i++) {
        struct fault_rule *r = &p->rules[i];

        if (!rule_hits(p, r, req))
            continue;
        if (r->set_state) {
            next = r->new_state;
        } else if (!err) {
            err = r->err;
            r->spent = r->once;
        }
    }
    p->state = next;
    return err;
}

static void torn_done(struct block_req *own, int err)
{
    struct torn *x = own->arg;
    struct block_req *req = x->req;
    struct torn **p = &x->f->torn;

    while (*p != x)
        p = &(*p)->next;
    *p = x->next;
    err = err ? err : x->err;
    free(x);
    block_finish(req, err);
}

/* Writes a part of whole sectors, and fails. */
static void tear(struct block *b, struct block_req *req)
{
    struct fault *f = b->priv;
    uint64_t sectors = req->len / 512;
    uint64_t keep = (uint64_t)(roll(&f->plan) * (double)sectors) * 512, left = keep;
    struct torn *x = keep ? malloc(sizeof(*x) + req->niov * sizeof(x->iov[0])) : NULL;
    int n = 0;

    if (!x) {
        block_finish_later(req, f->plan.err);
        return;
    }
    for (; n < req->niov && left; n++) {
        x->iov[n] = req->iov[n];
        if (x->iov[n].iov_len > left)
            x->iov[n].iov_len = left;
        left -= x->iov[n].iov_len;
    }
    x->req = req;
    x->f = f;
    x->next = f->torn;
    f->torn = x;
    x->err = f->plan.err;
    x->own = (struct block_req){ .op = BLOCK_WRITE,
                                 .offset = req->offset,
                                 .len = keep,
                                 .iov = x->iov,
                                 .niov = n,
                                 .done = torn_done,
                                 .arg = x };
    block_submit(b->below, &x->own);
}

#define TEAR (-1) /* for an errno: the write is to be torn */

static void act(struct block *b, struct block_req *req, int err)
{
    req->back[0] = NULL;
    if (err == TEAR)
        tear(b, req);
    else if (err)
        block_finish_later(req, err);
    else
        filter_pass(b, req);
}

static void arm(struct fault *f);

/* Acts on those whose time has come; all: on every one. */
static void release(struct block *b, bool all)
{
    struct fault *f = b->priv;
    struct delayed *d;

    while ((d = f->first) && (all || d->due <= uv_hrtime())) {
        f->first = d->next;
        act(b, d->req, d->err);
        free(d);
    }
    arm(f);
}

static void fault_due(uv_timer_t *timer)
{
    release(timer->data, false);
}

static void arm(struct fault *f)
{
    uint64_t now = uv_hrtime();

    if (!f->first)
        uv_timer_stop(f->timer);
    else
        uv_timer_start(f->timer, fault_due,
                       f->first->due > now ? (f->first->due - now) / 1000000 + 1 : 0, 0);
}

static bool delay(struct block *b, struct block_req *req, int err)
{
    struct fault *f = b->priv;
    unsigned span = f->plan.delay_max - f->plan.delay_min + 1;
    unsigned ms = f->plan.delay_min + (unsigned)(roll(&f->plan) * span);
    struct delayed *d = malloc(sizeof(*d)), **p = &f->first;

    if (!d)
        return false;
    *d = (struct delayed){ .req = req, .due = uv_hrtime() + ms * 1000000ull, .err = err };
    while (*p && (*p)->due <= d->due)
        p = &(*p)->next;
    d->next = *p;
    *p = d;
    arm(f);
    return true;
}

static void fault_submit(struct block *b, struct block_req *req)
{
    struct fault *f = b->priv;
    struct fault_plan *p = &f->plan;
    int err = by_rules(p, req);

    if (p->ops >> req->op & 1) {
        if (!err && p->rate && roll(p) < p->rate)
            err = p->err;
        if (!err && req->op == BLOCK_WRITE && p->torn && roll(p) < p->torn)
            err = TEAR;
        if (p->delay_max && delay(b, req, err))
            return;
    }
    act(b, req, err);
}

static void fault_cancel(struct block *b, struct block_req *req)
{
    struct fault *f = b->priv;

    for (struct delayed **p = &f->first; *p; p = &(*p)->next) {
        struct delayed *d = *p;

        if (d->req != req)
            continue;
        *p = d->next;
        free(d);
        block_finish_later(req, ECANCELED);
        return;
    }
    for (struct torn *x = f->torn; x; x = x->next) {
        if (x->req == req) {
            block_cancel(&x->own);
            return;
        }
    }
    filter_cancel(b, req);
}

/* Somebody waits: delays are over. */
static void fault_wait(struct block *b)
{
    release(b, true);
    if (b->ready)
        block_wait(b);
    else
        filter_wait(b);
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void fault_close(struct block *b)
{
    struct fault *f = b->priv;

    uv_close((uv_handle_t *)f->timer, timer_closed);
    filter_close(b);
}

static const struct block_ops fault_ops = {
    .name = "fault",
    .close = fault_close,
    .submit = fault_submit,
    .cancel = fault_cancel,
    .wait = fault_wait,
    .resize = filter_resize,
};

struct block *block_open_fault(struct block *below, const char *spec, struct err *err)
{
    struct fault_plan plan;
    struct block *b;
    struct fault *f;

    if (fault_parse(&plan, spec, err))
        return NULL;
    b = filter_new(&fault_ops, sizeof(struct fault), below);
    if (!b)
        return NULL;
    f = b->priv;
    f->plan = plan;
    f->timer = calloc(1, sizeof(*f->timer));
    if (!f->timer || uv_timer_init(b->loop, f->timer)) {
        free(f->timer);
        block_listen(below, NULL, NULL);
        block_free(b);
        return NULL;
    }
    f->timer->data = b;
    return b;
}
