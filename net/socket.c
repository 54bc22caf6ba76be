/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames over a socket, in QEMU's formats: on a stream each frame has its
 * length before it, four bytes, big endian; on datagrams it is one datagram.
 * control/args-net.c has the keys. A stream that listens takes one peer at a
 * time and waits for the next when it leaves. A peer that says a length of
 * nought or over NET_FRAME_MAX has lost its place and is cut off.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include "hw/core/log.h"
#include "net/net.h"
#include "net/accept.h"
#include "net/socket-addr.h"

#define HEADER  4
#define OUT_MAX (4 * (HEADER + NET_FRAME_MAX)) /* for a peer that reads slowly; then drop */

struct sock {
    struct net net;
    struct uv_loop_s *loop;
    struct sock_plan plan; /* who sends where; plan.fd: -1 while there is no peer */
    uv_poll_t *poll, *listening;
    uv_idle_t *again; /* a stream's: another turn is due */
    int spare;        /* of accept_next() */
    bool waiting;     /* the card had no room */
    bool batch;       /* more is about to be sent */
    bool told;        /* of a peer that cannot be reached, once */
    char id[64];
    size_t have, at;              /* of in: read, and of that delivered */
    size_t out_at, out_len, turn; /* turn: bytes delivered in this one */
    uint8_t in[HEADER + NET_FRAME_MAX], out[OUT_MAX];
};

static void io_ready(uv_poll_t *h, int status, int events);
static void go_on(struct sock *s);

static void poll_closed(uv_handle_t *h)
{
    free(h);
}

static uv_poll_t *watch(struct sock *s, int fd, int events, uv_poll_cb cb)
{
    uv_poll_t *poll = calloc(1, sizeof(*poll));

    if (!poll || uv_poll_init(s->loop, poll, fd)) {
        free(poll);
        return NULL;
    }
    poll->data = s;
    uv_poll_start(poll, events, cb);
    return poll;
}

static void unwatch(uv_poll_t **poll)
{
    if (*poll)
        uv_close((uv_handle_t *)*poll, poll_closed);
    *poll = NULL;
}

static void watch_again(struct sock *s)
{
    int events = (s->waiting ? 0 : UV_READABLE) | (s->out_len ? UV_WRITABLE : 0);

    if (!s->poll)
        return;
    if (events)
        uv_poll_start(s->poll, events, io_ready);
    else
        uv_poll_stop(s->poll);
}

/* The peer of a stream has gone; a server waits for the next one. */
static void hang_up(struct sock *s, const char *why)
{
    log_provoked("netdev %s: %s; %s", s->id, why,
                 s->listening ? "waiting for the next peer" : "the guest's network is cut");
    unwatch(&s->poll);
    close(s->plan.fd);
    s->plan.fd = -1;
    s->have = s->at = s->out_len = s->out_at = 0;
    if (!s->listening)
        net_set_link(&s->net, false);
}

static void flush(struct sock *s)
{
    while (s->out_len) {
        ssize_t n = send(s->plan.fd, s->out + s->out_at, s->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN) {
            s->out_len = 0; /* reading will find out too, and hang up outside of a card's handler */
            break;
        }
        if (n <= 0)
            break;
        s->out_at += (size_t)n;
        s->out_len -= (size_t)n;
    }
    watch_again(s);
}

static bool send_stream(struct sock *s, const uint8_t *frame, size_t len)
{
    const uint8_t head[HEADER] = { len >> 24, len >> 16, len >> 8, len };

    if (s->plan.fd < 0 || s->out_len + HEADER + len > OUT_MAX)
        return false;
    if (s->out_at)
        memmove(s->out, s->out + s->out_at, s->out_len);
    s->out_at = 0;
    memcpy(s->out + s->out_len, head, HEADER);
    memcpy(s->out + s->out_len + HEADER, frame, len);
    s->out_len += HEADER + len;
    if (!s->batch || s->out_len > OUT_MAX / 2)
        flush(s);
    return true;
}

/* On a stream the frames of one handler go out in one write. */
static void sock_batch(struct net *n, bool on)
{
    struct sock *s = n->priv;

    s->batch = on;
    if (!on && s->out_len && s->plan.stream && s->plan.fd >= 0)
        flush(s);
}

static bool sock_send(struct net *n, const uint8_t *frame, size_t len)
{
    struct sock *s = n->priv;
    ssize_t sent;

    if (s->plan.stream)
        return send_stream(s, frame, len);
    sent = sendto(s->plan.fd, frame, len, MSG_NOSIGNAL | MSG_DONTWAIT,
                  s->plan.peer_len ? (struct sockaddr *)&s->plan.peer : NULL, s->plan.peer_len);
    if (sent < 0 && errno != EAGAIN && errno != ENOBUFS && !s->told) {
        s->told = true;
        log_line("netdev %s: %s; frames are dropped until the other end is there", s->id,
                 strerror(errno));
    }
    return sent == (ssize_t)len;
}

static size_t be32(const uint8_t *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* Is a whole frame in s->in? Then it is delivered. */
static bool frame_ready(const struct sock *s)
{
    size_t have = s->have - s->at;

    return have >= HEADER && have - HEADER >= be32(s->in + s->at);
}

static void frame_deliver(struct sock *s)
{
    const uint8_t *f = s->in + s->at;
    size_t len = be32(f);

    s->at += HEADER + len;
    s->turn += len;
    net_deliver(&s->net, f + HEADER, len);
}

/* Reads as much as there is: a system call for many frames. */
static bool read_more(struct sock *s)
{
    ssize_t n;

    s->have -= s->at;
    memmove(s->in, s->in + s->at, s->have);
    s->at = 0;
    n = recv(s->plan.fd, s->in + s->have, sizeof(s->in) - s->have, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        hang_up(s, n ? strerror(errno) : "the other end has closed");
        return false;
    }
    s->have += (size_t)n;
    return true;
}

static bool read_stream(struct sock *s)
{
    size_t len = s->have - s->at >= HEADER ? be32(s->in + s->at) : 1;

    if (!len || len > NET_FRAME_MAX) {
        hang_up(s, "the other end sends no frames of this format");
        return false;
    }
    if (!frame_ready(s))
        return read_more(s);
    frame_deliver(s);
    return true;
}

static bool read_dgram(struct sock *s)
{
    ssize_t n = recv(s->plan.fd, s->in, sizeof(s->in), MSG_DONTWAIT);

    if (n < 0)
        return errno == ECONNREFUSED; /* of what was sent: the other end is not there yet */
    s->turn += (size_t)n;
    net_deliver(&s->net, s->in, (size_t)n);
    return true;
}

/* A turn's worth of frames, for which the card has room. */
static void serve(struct sock *s)
{
    s->turn = 0;
    /* Of a stream a frame is at most a read and a delivery. */
    for (unsigned i = 0; i < 2 * NET_TURN_FRAMES && s->turn < NET_TURN_BYTES && s->plan.fd >= 0;
         i++) {
        if (!net_wants(&s->net)) {
            s->waiting = true;
            watch_again(s);
            return;
        }
        if (!(s->plan.stream ? read_stream(s) : read_dgram(s)))
            return;
    }
    go_on(s);
}

static void io_ready(uv_poll_t *h, int status, int events)
{
    struct sock *s = h->data;

    if (events & UV_WRITABLE)
        flush(s);
    serve(s);
}

static void turn_again(uv_idle_t *h)
{
    uv_idle_stop(h);
    serve(h->data);
}

/* Frames that have been read and not delivered wait for no event of the socket. */
static void go_on(struct sock *s)
{
    if (s->plan.stream && s->have > s->at)
        uv_idle_start(s->again, turn_again);
}

static void peer_comes(uv_poll_t *h, int status, int events)
{
    struct sock *s = h->data;
    int fd = accept_next(s->plan.listen_fd, &s->spare);

    if (fd < 0)
        return;
    if (s->plan.fd >= 0) { /* one at a time */
        close(fd);
        return;
    }
    s->plan.fd = fd;
    s->poll = watch(s, fd, s->waiting ? 0 : UV_READABLE, io_ready);
    if (!s->poll) {
        close(fd);
        s->plan.fd = -1;
    }
}

static void sock_kick(struct net *n)
{
    struct sock *s = n->priv;

    if (!s->waiting)
        return;
    s->waiting = false;
    watch_again(s);
    go_on(s);
}

static void sock_shut(struct net *n)
{
    struct sock *s = n->priv;

    unwatch(&s->poll);
    unwatch(&s->listening);
    uv_close((uv_handle_t *)s->again, poll_closed);
    accept_end(&s->spare);
    sock_plan_close(&s->plan);
}

static void sock_free(struct net *n)
{
    free(n->priv);
}

static const struct net_ops sock_ops = { .name = "socket",
                                         .shut = sock_shut,
                                         .free = sock_free,
                                         .send = sock_send,
                                         .kick = sock_kick,
                                         .batch = sock_batch };

struct net *net_open_socket(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                            struct err *err)
{
    struct sock *s = calloc(1, sizeof(*s));

    if (!s) {
        err_set(err, -ENOMEM, "netdev %s: out of memory", id);
        return NULL;
    }
    if (sock_plan_make(&s->plan, id, cfg, err)) {
        free(s);
        return NULL;
    }
    s->loop = loop;
    s->net.ops = &sock_ops;
    s->net.priv = s;
    strncpy(s->id, id, sizeof(s->id) - 1);
    s->again = calloc(1, sizeof(*s->again));
    if (!s->again) {
        err_set(err, -ENOMEM, "netdev %s: out of memory", id);
        sock_plan_close(&s->plan);
        free(s);
        return NULL;
    }
    uv_idle_init(loop, s->again);
    s->again->data = s;
    if (s->plan.fd >= 0)
        s->poll = watch(s, s->plan.fd, UV_READABLE, io_ready);
    if (s->plan.listen_fd >= 0)
        s->listening = watch(s, s->plan.listen_fd, UV_READABLE, peer_comes);
    if (s->poll || s->listening)
        return &s->net;
    err_set(err, -EINVAL, "netdev %s: its descriptor cannot be watched: is it a socket?", id);
    uv_close((uv_handle_t *)s->again, poll_closed);
    sock_plan_close(&s->plan);
    free(s);
    return NULL;
}
