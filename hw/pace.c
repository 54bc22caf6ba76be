/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock of a stream of frames: see hw/pace.h. */
#include "hw/pace.h"
#include "hw/core/platform.h"

#define TOO_LATE (NS_PER_S / 5) /* what was missed by more than this is not made up for */

static uint32_t bounded(uint32_t rate)
{
    return rate > PACE_RATE_MAX ? PACE_RATE_MAX : rate ? rate : 1;
}

void pace_init(struct pace *p, struct device *dev, struct timer *tick, uint32_t *ahead,
               void (*fire)(void *arg), void *arg)
{
    *p = (struct pace){ .plat = dev->plat, .tick = tick, .ahead = ahead };
    timer_init(p->plat, tick, fire, arg);
}

void pace_fini(struct pace *p)
{
    timer_fini(p->plat, p->tick);
}

void pace_sync(struct pace *p)
{
    if (p->tick->at != TIMER_OFF)
        p->deadline = p->tick->at;
    p->fired = false;
}

bool pace_check(const struct pace *p, bool running)
{
    if (p->tick->at == TIMER_OFF)
        return !running && !*p->ahead;
    return running && p->tick->at - platform_now(p->plat) <= NS_PER_S;
}

void pace_arm(struct pace *p, uint32_t rate, uint32_t frames)
{
    int64_t from = p->fired ? p->deadline : platform_now(p->plat);
    uint32_t most, least;

    rate = bounded(rate);
    most = rate / PACE_HZ ? rate / PACE_HZ : 1;
    least = rate / PACE_HZ_MAX ? rate / PACE_HZ_MAX : 1;
    if (frames > most) /* what stays must not be too near to be met */
        frames = frames - most < least ? frames - least : most;
    if (frames < least)
        frames = least;
    *p->ahead = frames;
    p->deadline = from + (int64_t)frames * NS_PER_S / rate;
    p->fired = false;
    timer_set(p->plat, p->tick, p->deadline);
}

void pace_stop(struct pace *p)
{
    timer_stop(p->plat, p->tick);
    *p->ahead = 0;
    p->fired = false;
}

uint32_t pace_due(struct pace *p, uint32_t rate)
{
    int64_t left = p->deadline - platform_now(p->plat);
    uint32_t gone = 0;

    if (p->tick->at == TIMER_OFF || p->fired)
        return 0;
    left = left <= 0 ? 0 : (left * bounded(rate) + NS_PER_S - 1) / NS_PER_S;
    if (left < *p->ahead)
        gone = *p->ahead - (uint32_t)left;
    *p->ahead -= gone;
    return gone;
}

uint32_t pace_fired(struct pace *p)
{
    uint32_t gone = *p->ahead;
    int64_t now = platform_now(p->plat);

    *p->ahead = 0;
    p->fired = true;
    if (now - p->deadline > TOO_LATE)
        p->deadline = now;
    return gone;
}
