/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter-shape: a slower, longer and worse cable: so many bytes a second, so
 * many milliseconds of delay, so many frames lost. filter-buffer: QEMU's, which
 * keeps frames until the end of an interval. Frames are kept in two queues of
 * bounded size, one for each direction. What goes to the guest waits before a
 * full one, in the back end's own queue; what the guest sends is then dropped,
 * as on any cable that is slower than its sender. Frames keep their order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "hw/core/config.h"
#include "net/filter.h"

#define FRAMES     1024 /* of one queue */
#define BYTES      (1024 * 1024)
#define BURST      (64 * 1024)
#define NS         UINT64_C(1000000000)
#define NS_MS      UINT64_C(1000000)
#define MAX_DELAY  60000 /* ms */
#define MAX_RATE   (UINT64_C(1) << 40)
#define LOSS_WHOLE 1000000 /* loss= has at most four digits behind the point */

struct kept {
    uint64_t due; /* ns, uv_hrtime() */
    uint8_t *data;
    size_t len;
};

struct lane { /* one direction */
    struct kept q[FRAMES];
    unsigned head, n;
    size_t bytes;
    uint64_t free_at; /* when the frames before are through, at the rate */
};

struct shape {
    uint64_t rate, burst;     /* bytes a second, 0: any; bytes */
    uint64_t delay, interval; /* ns */
    uint32_t loss;            /* of LOSS_WHOLE */
    uint64_t dice;
    uv_timer_t *timer; /* its own allocation: libuv lets go of it after we are gone */
    struct lane lane[2];
};

/* Xorshift (Marsaglia 2003): the same seed loses the same frames. */
static bool is_lost(struct shape *s)
{
    s->dice ^= s->dice << 13;
    s->dice ^= s->dice >> 7;
    s->dice ^= s->dice << 17;
    return s->dice % LOSS_WHOLE < s->loss;
}

static bool is_full(const struct lane *l)
{
    return l->n == FRAMES || l->bytes >= BYTES;
}

static bool keep(struct lane *l, const uint8_t *frame, size_t len, uint64_t due)
{
    struct kept *k = &l->q[(l->head + l->n) % FRAMES];

    k->data = malloc(len);
    if (!k->data)
        return false;
    memcpy(k->data, frame, len);
    k->len = len;
    k->due = due;
    l->n++;
    l->bytes += len;
    return true;
}

static struct kept take(struct lane *l)
{
    struct kept k = l->q[l->head];

    l->head = (l->head + 1) % FRAMES;
    l->n--;
    l->bytes -= k.len;
    return k;
}

/* When a frame that comes now leaves the rate's bucket, which may run ahead by `burst`. */
static uint64_t through(const struct shape *s, struct lane *l, size_t len, uint64_t now)
{
    uint64_t slack = s->rate ? s->burst * NS / s->rate : 0;

    if (!s->rate)
        return now;
    if (l->free_at + slack < now)
        l->free_at = now - slack;
    l->free_at += len * NS / s->rate;
    return l->free_at > now ? l->free_at : now;
}

static void shape_due(uv_timer_t *t);

/* At least a millisecond: a timer of none would come again before the loop has turned. */
static void wake_at(struct shape *s, uint64_t due, uint64_t now)
{
    uv_timer_start(s->timer, shape_due, due > now + NS_MS ? (due - now + NS_MS - 1) / NS_MS : 1, 0);
}

static void run_timer(struct shape *s, uint64_t now)
{
    uint64_t next = UINT64_MAX;

    for (unsigned i = 0; i < 2; i++) {
        struct lane *l = &s->lane[i];

        if (l->n && l->q[l->head].due < next)
            next = l->q[l->head].due;
    }
    if (next != UINT64_MAX)
        wake_at(s, next, now);
}

/* Sends on what is due of one direction, a turn's share; false: the card has no room. */
static bool drain(struct net_filter *f, struct lane *l, bool to_guest, uint64_t now)
{
    unsigned place = net_filter_place(f);

    for (unsigned i = 0; i < NET_TURN_FRAMES && l->n && l->q[l->head].due <= now; i++) {
        struct kept k;

        if (to_guest && !net_filter_wants(f->net, place + 1))
            return false;
        k = take(l);
        if (to_guest)
            net_filter_deliver(f->net, place + 1, k.data, k.len);
        else
            net_filter_send(f->net, place, k.data, k.len);
        free(k.data);
    }
    return true;
}

static void shape_due(uv_timer_t *t)
{
    struct net_filter *f = t->data;
    struct shape *s = f->priv;
    uint64_t now = uv_hrtime();
    bool was_full = is_full(&s->lane[1]), waits;

    drain(f, &s->lane[0], false, now);
    waits = !drain(f, &s->lane[1], true, now);
    if (was_full && !is_full(&s->lane[1]))
        net_filter_kick(f->net, net_filter_place(f));
    if (!waits)
        run_timer(s, now);
    else if (s->lane[0].n) /* for the other direction the card's room does not matter */
        wake_at(s, s->lane[0].q[s->lane[0].head].due, now);
}

static enum net_verdict shape_frame(struct net_filter *f, bool to_guest, const uint8_t *frame,
                                    size_t len)
{
    struct shape *s = f->priv;
    struct lane *l = &s->lane[to_guest];
    uint64_t now = uv_hrtime(), due;

    if (s->loss && is_lost(s))
        return NET_DROP;
    if (is_full(l))
        return NET_DROP;
    due = through(s, l, len, now) + s->delay;
    if (s->interval)
        due = (now / s->interval + 1) * s->interval;
    if (due <= now && !l->n)
        return NET_PASS;
    if (!keep(l, frame, len, due))
        return NET_DROP;
    if (l->n == 1)
        run_timer(s, now);
    return NET_KEPT;
}

static bool shape_wants(struct net_filter *f)
{
    struct shape *s = f->priv;

    /* With nothing kept a frame may go straight through, so there must be room behind. */
    return s->lane[1].n ? !is_full(&s->lane[1]) : net_filter_wants(f->net, net_filter_place(f) + 1);
}

static void shape_kick(struct net_filter *f)
{
    struct shape *s = f->priv;

    if (s->lane[1].n)
        run_timer(s, uv_hrtime());
}

static void timer_closed(uv_handle_t *h)
{
    free(h);
}

static void shape_fini(struct net_filter *f)
{
    struct shape *s = f->priv;

    uv_close((uv_handle_t *)s->timer, timer_closed);
    for (unsigned i = 0; i < 2; i++) {
        while (s->lane[i].n)
            free(take(&s->lane[i]).data);
    }
    free(s);
}

/* "2.5": percent with at most four digits behind the point, in parts of LOSS_WHOLE. */
static int parse_loss(const char *text, uint32_t *loss, struct err *err)
{
    uint32_t whole = 0, part = 0, unit = LOSS_WHOLE / 100;
    const char *p = text;

    for (; *p >= '0' && *p <= '9' && whole <= 100; p++)
        whole = whole * 10 + (uint32_t)(*p - '0');
    if (p != text && *p == '.') {
        for (p++; *p >= '0' && *p <= '9' && unit >= 10; p++) {
            unit /= 10;
            part += unit * (uint32_t)(*p - '0');
        }
    }
    *loss = whole * (LOSS_WHOLE / 100) + part;
    if (p == text || *p || *loss > LOSS_WHOLE)
        return err_set(err, -EINVAL, "loss=%s: percent, from 0 to 100", text);
    return 0;
}

static int shape_new(struct net_filter *f, const struct shape *want, struct err *err)
{
    struct shape *s = malloc(sizeof(*s));
    uv_timer_t *timer = malloc(sizeof(*timer));

    if (!s || !timer) {
        free(s);
        free(timer);
        return err_set(err, -ENOMEM, "out of memory");
    }
    *s = *want;
    s->timer = timer;
    uv_timer_init(f->loop, timer);
    timer->data = f;
    f->priv = s;
    return 0;
}

static int shape_init(struct net_filter *f, const struct config *cfg, struct err *err)
{
    static const struct shape none;
    struct shape *s = malloc(sizeof(*s));
    uint64_t seed;
    int rc;

    if (!s)
        return err_set(err, -ENOMEM, "out of memory");
    *s = none;
    rc = config_uint(cfg, "bps", 0, MAX_RATE, &s->rate, err);
    if (!rc)
        rc = config_uint(cfg, "burst", BURST, 1 << 30, &s->burst, err);
    if (!rc)
        rc = config_uint(cfg, "delay", 0, MAX_DELAY, &s->delay, err);
    if (!rc)
        rc = config_uint(cfg, "seed", 1, UINT64_MAX, &seed, err);
    if (!rc)
        rc = parse_loss(config_str(cfg, "loss", "0"), &s->loss, err);
    if (!rc) {
        s->delay *= NS_MS;
        s->dice = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1; /* never 0, and well mixed */
        rc = shape_new(f, s, err);
    }
    free(s);
    return rc;
}

static int buffer_init(struct net_filter *f, const struct config *cfg, struct err *err)
{
    static const struct shape none;
    struct shape *s = malloc(sizeof(*s));
    uint64_t us;
    int rc;

    if (!s)
        return err_set(err, -ENOMEM, "out of memory");
    *s = none;
    rc = config_uint(cfg, "interval", 0, MAX_DELAY * UINT64_C(1000), &us, err);
    if (!rc && !us)
        rc =
            err_set(err, -EINVAL, "interval= is missing: microseconds, from 1 to %u000", MAX_DELAY);
    if (!rc) {
        s->interval = us * 1000;
        rc = shape_new(f, s, err);
    }
    free(s);
    return rc;
}

static const char *const shape_keys[] = { "bps", "burst", "delay", "loss", "seed", NULL };
const struct net_filter_ops net_filter_shape = {
    .type = "filter-shape",
    .init = shape_init,
    .fini = shape_fini,
    .frame = shape_frame,
    .wants = shape_wants,
    .kick = shape_kick,
    .keys = shape_keys,
};

static const char *const buffer_keys[] = { "interval", NULL };
const struct net_filter_ops net_filter_buffer = {
    .type = "filter-buffer",
    .init = buffer_init,
    .fini = shape_fini,
    .frame = shape_frame,
    .wants = shape_wants,
    .kick = shape_kick,
    .keys = buffer_keys,
};
