/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest-time timers. A PC has some dozens of them and few are running, so a
 * plain array beats a heap.
 */
#include "hw/core/timer.h"
#include <assert.h>
#include "hw/core/platform.h"

int64_t timers_next(const struct platform *plat)
{
    int64_t next = TIMER_OFF;

    for (unsigned i = 0; i < plat->ntimers; i++) {
        if (plat->timers[i]->at < next)
            next = plat->timers[i]->at;
    }
    return next;
}

static void timers_arm(struct platform *plat)
{
    int64_t next = timers_next(plat);

    if (next == plat->armed)
        return;
    plat->armed = next;
    if (plat->ops->timer)
        plat->ops->timer(plat, next);
}

void timer_init(struct platform *plat, struct timer *t, void (*fire)(void *arg), void *arg)
{
    assert(plat->ntimers < PLATFORM_TIMERS); /* a machine that grew: raise the number */
    t->at = TIMER_OFF;
    t->fire = fire;
    t->arg = arg;
    plat->timers[plat->ntimers++] = t;
}

void timer_fini(struct platform *plat, struct timer *t)
{
    for (unsigned i = 0; i < plat->ntimers; i++) {
        if (plat->timers[i] == t) {
            plat->timers[i] = plat->timers[--plat->ntimers];
            break;
        }
    }
    timers_arm(plat);
}

void timer_set(struct platform *plat, struct timer *t, int64_t at)
{
    t->at = at;
    timers_arm(plat);
}

static struct timer *timers_due(struct platform *plat, int64_t now)
{
    struct timer *due = NULL;

    for (unsigned i = 0; i < plat->ntimers; i++) {
        struct timer *t = plat->timers[i];

        if (t->at <= now && (!due || t->at < due->at))
            due = t;
    }
    return due;
}

void timers_run(struct platform *plat, int64_t now)
{
    struct timer *t;

    if (plat->tap)
        plat->tap->timers(plat, now);
    /* A timer that re-arms itself in the past must not hold the loop: one round each. */
    for (unsigned n = 0; n < PLATFORM_TIMERS && (t = timers_due(plat, now)); n++) {
        t->at = TIMER_OFF;
        t->fire(t->arg);
    }
    plat->armed = TIMER_OFF;
    timers_arm(plat);
    if (plat->tap)
        plat->tap->timers_done(plat);
}
