/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/guest-clock.h: guest time on the host's clock, for worlds in which it
 * runs by itself. It stands while the guest is paused; the earliest guest
 * timer is a timerfd that the loop watches.
 */
#pragma once
#include <uv.h>
#include "hw/core/platform.h"

struct guest_clock {
    struct platform *plat;
    uv_poll_t poll;
    int fd; /* -1: not open */
    bool paused, closing;
    int64_t skew; /* guest ns = CLOCK_MONOTONIC - skew */
    int64_t paused_at;
};

/* Runs the timers of p from the loop from here on. 0, or -errno with a line in err. */
int guest_clock_open(struct guest_clock *c, struct platform *p, struct err *err);
/* Turns the loop until the handle is gone. Fine for one that was zeroed and never opened. */
void guest_clock_close(struct guest_clock *c);

int64_t guest_clock_now(const struct guest_clock *c); /* guest ns */
/* What the platform's op `timer` is: the earliest deadline is now `at`. */
void guest_clock_arm(struct guest_clock *c, int64_t at);
/* Both do nothing the second time. */
void guest_clock_pause(struct guest_clock *c);
void guest_clock_resume(struct guest_clock *c);
