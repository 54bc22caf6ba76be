/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ioreq/guest-clock.h"
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int64_t host_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t guest_clock_now(const struct guest_clock *c)
{
    return (c->paused ? c->paused_at : host_now()) - c->skew;
}

void guest_clock_arm(struct guest_clock *c, int64_t at)
{
    struct itimerspec it = { .it_value = { 0 } };

    if (at != TIMER_OFF && !c->paused) {
        int64_t host = at + c->skew;

        if (host < 1)
            host = 1; /* zero would disarm */
        it.it_value.tv_sec = host / NS_PER_S;
        it.it_value.tv_nsec = host % NS_PER_S;
    }
    timerfd_settime(c->fd, TFD_TIMER_ABSTIME, &it, NULL);
}

static void due(uv_poll_t *h, int status, int events)
{
    struct guest_clock *c = h->data;
    uint64_t ticks;

    if (read(c->fd, &ticks, sizeof(ticks)) == sizeof(ticks) && !c->paused)
        timers_run(c->plat, guest_clock_now(c));
}

int guest_clock_open(struct guest_clock *c, struct platform *p, struct err *err)
{
    c->plat = p;
    c->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (c->fd < 0)
        return err_set(err, -errno, "timerfd: %s", strerror(errno));
    uv_poll_init(p->loop, &c->poll, c->fd);
    c->poll.data = c;
    uv_poll_start(&c->poll, UV_READABLE, due);
    return 0;
}

static void closed(uv_handle_t *h)
{
    struct guest_clock *c = h->data;

    c->closing = false;
}

void guest_clock_close(struct guest_clock *c)
{
    if (!c->plat || c->fd < 0)
        return;
    c->closing = true;
    uv_close((uv_handle_t *)&c->poll, closed);
    while (c->closing)
        uv_run(c->plat->loop, UV_RUN_NOWAIT);
    close(c->fd);
    c->fd = -1;
}

void guest_clock_pause(struct guest_clock *c)
{
    if (c->paused)
        return;
    c->paused_at = host_now();
    c->paused = true;
    guest_clock_arm(c, TIMER_OFF);
}

void guest_clock_resume(struct guest_clock *c)
{
    if (!c->paused)
        return;
    c->skew += host_now() - c->paused_at;
    c->paused = false;
    guest_clock_arm(c, timers_next(c->plat));
}
