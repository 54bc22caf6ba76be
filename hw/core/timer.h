/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/core/timer.h: guest time. It stands still while the guest is paused. */
#pragma once
#include <stdint.h>

struct platform;
#define TIMER_OFF INT64_MAX
#define NS_PER_S  1000000000LL
#define NS_PER_MS 1000000LL
#define NS_PER_US 1000LL

struct timer {  /* embedded in the device (in s when its deadline is guest state) */
    int64_t at; /* guest ns; TIMER_OFF when idle: the saved part */
    void (*fire)(void *arg);
    void *arg;
};

/* Call once from the device's init, before timer_set(). Deregistered by timer_fini(). */
void timer_init(struct platform *plat, struct timer *t, void (*fire)(void *arg), void *arg);
void timer_fini(struct platform *plat, struct timer *t);
/* at: guest ns, TIMER_OFF stops it. A timer that fires is idle before fire() is called. */
void timer_set(struct platform *plat, struct timer *t, int64_t at);
/* Stops it; costs nothing when it is idle. */
static inline void timer_stop(struct platform *plat, struct timer *t)
{
    if (t->at != TIMER_OFF)
        timer_set(plat, t, TIMER_OFF);
}
/* For the worlds in ioreq/: run what is due at `now`; the earliest deadline of all timers. */
void timers_run(struct platform *plat, int64_t now);
int64_t timers_next(const struct platform *plat);
