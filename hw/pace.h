/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/pace.h: the clock of a stream of frames. A card says how many frames are
 * to go and at what rate; the pace says when they have gone, and in between
 * how many have. It goes by guest time, whether anybody listens or not.
 *
 * Two members of the card's state hold it: a timer (the deadline) and how many
 * frames lie between what was handed out and that deadline. All the rest is
 * derived, so a stream goes on after a load where it was.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "hw/core/device.h"
#include "hw/core/timer.h"

#define PACE_HZ       100                       /* a deadline is set no later than this … */
#define PACE_HZ_MAX   1000                      /* … and no earlier than this */
#define PACE_RATE_MAX 48000                     /* faster streams are slowed down to it */
#define PACE_FRAMES   (PACE_RATE_MAX / PACE_HZ) /* at most between two deadlines */

struct pace {
    struct platform *plat;
    struct timer *tick; /* in s */
    uint32_t *ahead;    /* in s: .max = PACE_FRAMES */
    int64_t deadline;   /* the tick's, also when it has fired */
    bool fired;         /* … and the next one is counted from there */
};

/* From the card's init; fire() begins with pace_fired(). */
void pace_init(struct pace *p, struct device *dev, struct timer *tick, uint32_t *ahead,
               void (*fire)(void *arg), void *arg);
void pace_fini(struct pace *p);
/* From the card's sync. */
void pace_sync(struct pace *p);
/* From the card's check: can this be? running: would the card have armed it? */
bool pace_check(const struct pace *p, bool running);

/*
 * The next deadline, when the card's next `frames` (any number) have gone, or
 * sooner where that is far; later where it is near (see PACE_HZ_MAX). rate is
 * in frames a second.
 */
void pace_arm(struct pace *p, uint32_t rate, uint32_t frames);
void pace_stop(struct pace *p);
/* Frames that have gone since the last call, for the card to move now; at most PACE_FRAMES. */
uint32_t pace_due(struct pace *p, uint32_t rate);
/* In fire(): all that were to go have gone. The card moves them and arms again or stops. */
uint32_t pace_fired(struct pace *p);
