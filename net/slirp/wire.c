/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-slirp: the worker's loop: frames from portico-dm into libslirp and
 * back, and the host's sockets. When portico-dm does not take frames (the
 * guest's card is full, or the guest stands still) nothing more is read from
 * the host, so that the senders wait; what libslirp makes all the same is kept
 * in a queue of bounded size.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "net/net.h"
#include "net/slirp/helper.h"

#define POLLS       1200 /* RLIMIT_NOFILE is less: sandbox.c */
#define TIMERS      4
#define QUEUE       512
#define CROWDED     64 /* frames in the queue: no more is read from the host */
#define FRAMES_TURN 64
#define MS          1000000

struct timer {
    SlirpTimerCb cb;
    void *arg;
    int64_t due; /* ms; < 0: not set */
};

struct wire {
    Slirp *slirp;
    struct pollfd polls[POLLS];
    int npolls;
    struct timer timers[TIMERS];
    struct {
        uint8_t *data;
        size_t len;
    } queue[QUEUE];
    unsigned head, n;
    bool gone;
    uint8_t frame[NET_FRAME_MAX];
};

static int64_t clock_ns(void *arg)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* ---- to the guest ---- */

/* 1: it went; 0: the pair is full; -1: there is nobody. */
static int send_frame(struct wire *w, const void *data, size_t len)
{
    if (send(SLIRP_PAIR_FD, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return 1;
    if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == EMSGSIZE)
        return errno == EMSGSIZE;
    w->gone = true;
    return -1;
}

static void flush(struct wire *w)
{
    while (w->n && send_frame(w, w->queue[w->head].data, w->queue[w->head].len) > 0) {
        free(w->queue[w->head].data);
        w->head = (w->head + 1) % QUEUE;
        w->n--;
    }
}

static ssize_t to_guest(const void *buf, size_t len, void *arg)
{
    struct wire *w = arg;
    unsigned at = (w->head + w->n) % QUEUE;

    if (!w->n && send_frame(w, buf, len) != 0)
        return (ssize_t)len;
    if (w->n == QUEUE)
        return (ssize_t)len; /* lost, as frames get lost */
    w->queue[at].data = malloc(len ? len : 1);
    if (!w->queue[at].data)
        return (ssize_t)len;
    memcpy(w->queue[at].data, buf, len);
    w->queue[at].len = len;
    w->n++;
    return (ssize_t)len;
}

/* ---- what libslirp asks of its host ---- */

static void guest_error(const char *msg, void *arg)
{
    /* Guest nonsense is no line in the log: it could write as many as it likes. */
}

static void *timer_new(SlirpTimerCb cb, void *cb_arg, void *arg)
{
    struct wire *w = arg;

    for (unsigned i = 0; i < TIMERS; i++) {
        if (!w->timers[i].cb) {
            w->timers[i] = (struct timer){ .cb = cb, .arg = cb_arg, .due = -1 };
            return &w->timers[i];
        }
    }
    return NULL;
}

static void timer_free(void *timer, void *arg)
{
    if (timer)
        memset(timer, 0, sizeof(struct timer));
}

static void timer_mod(void *timer, int64_t due_ms, void *arg)
{
    if (timer)
        ((struct timer *)timer)->due = due_ms;
}

static void ignore_fd(int fd, void *arg)
{
}

static void ignore_notify(void *arg)
{
}

static const SlirpCb callbacks = {
    .send_packet = to_guest,
    .guest_error = guest_error,
    .clock_get_ns = clock_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = ignore_fd,
    .unregister_poll_fd = ignore_fd,
    .notify = ignore_notify,
};

/* ---- the loop ---- */

static int add_poll(int fd, int events, void *arg)
{
    struct wire *w = arg;
    struct pollfd *p = &w->polls[w->npolls];

    if (w->npolls == POLLS)
        return -1;
    *p = (struct pollfd){ .fd = fd };
    if (events & SLIRP_POLL_IN && w->n < CROWDED)
        p->events |= POLLIN;
    if (events & SLIRP_POLL_OUT)
        p->events |= POLLOUT;
    if (events & SLIRP_POLL_PRI)
        p->events |= POLLPRI;
    return w->npolls++;
}

static int get_revents(int i, void *arg)
{
    const struct wire *w = arg;
    int events = 0;

    if (i < 0 || i >= w->npolls)
        return 0;
    if (w->polls[i].revents & POLLIN)
        events |= SLIRP_POLL_IN;
    if (w->polls[i].revents & POLLOUT)
        events |= SLIRP_POLL_OUT;
    if (w->polls[i].revents & POLLPRI)
        events |= SLIRP_POLL_PRI;
    if (w->polls[i].revents & POLLERR)
        events |= SLIRP_POLL_ERR;
    if (w->polls[i].revents & POLLHUP)
        events |= SLIRP_POLL_HUP;
    return events;
}

static int wait_ms(const struct wire *w, uint32_t slirp_ms)
{
    int64_t now = clock_ns(NULL) / MS, most = slirp_ms > 60000 ? 60000 : slirp_ms;

    for (unsigned i = 0; i < TIMERS; i++) {
        const struct timer *t = &w->timers[i];

        if (t->cb && t->due >= 0 && t->due - now < most)
            most = t->due > now ? t->due - now : 0;
    }
    return (int)most;
}

static void run_timers(struct wire *w)
{
    int64_t now = clock_ns(NULL) / MS;

    for (unsigned i = 0; i < TIMERS; i++) {
        struct timer *t = &w->timers[i];

        if (!t->cb || t->due < 0 || t->due > now)
            continue;
        t->due = -1;
        t->cb(t->arg);
    }
}

static void from_guest(struct wire *w)
{
    for (unsigned i = 0; i < FRAMES_TURN && !w->gone; i++) {
        ssize_t n = recv(SLIRP_PAIR_FD, w->frame, sizeof(w->frame), MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0)
            w->gone = true;
        else
            slirp_input(w->slirp, w->frame, (int)n);
    }
}

static void turn(struct wire *w)
{
    uint32_t timeout = UINT32_MAX;
    int rc, pair;

    w->npolls = 0;
    pair = w->npolls++;
    slirp_pollfds_fill(w->slirp, &timeout, add_poll, w);
    w->polls[pair] =
        (struct pollfd){ .fd = SLIRP_PAIR_FD, .events = (short)(POLLIN | (w->n ? POLLOUT : 0)) };
    rc = poll(w->polls, (nfds_t)w->npolls, wait_ms(w, timeout));
    if (w->polls[pair].revents & POLLOUT)
        flush(w);
    if (w->polls[pair].revents & (POLLIN | POLLHUP | POLLERR))
        from_guest(w);
    slirp_pollfds_poll(w->slirp, rc < 0, get_revents, w);
    run_timers(w);
}

void wire_run(struct wire *w)
{
    while (!w->gone)
        turn(w);
}

struct wire *wire_open(const struct settings *s, struct err *err)
{
    struct wire *w = calloc(1, sizeof(*w));

    if (w)
        w->slirp = slirp_new(&s->slirp, &callbacks, w);
    if (!w || !w->slirp) {
        free(w);
        err_set(err, -ENOMEM, "out of memory");
        return NULL;
    }
    for (unsigned i = 0; i < s->nforwards; i++) {
        const struct forward *f = &s->forwards[i];

        errno = 0;
        if (!slirp_add_hostfwd(w->slirp, f->udp, f->host, f->host_port, f->guest, f->guest_port))
            continue;
        err_set(err, -EADDRINUSE, "hostfwd=%s: cannot take that port of the host: %s", f->text,
                errno ? strerror(errno) : "libslirp refuses");
        slirp_cleanup(w->slirp);
        free(w);
        return NULL;
    }
    return w;
}
