/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The moving part of a sink: two rings, up to three watched descriptors and a
 * wake-up. Output goes into a ring and is written from the loop, so that a
 * device's handler costs a store; with no reader, or a slow one, the oldest
 * bytes are dropped. Input is read only while the device takes it, so a guest
 * that does not read its port holds the peer back.
 *
 * Telnet (RFC 854, 856, 857, 858) is spoken just far enough for a client to
 * switch to character mode. A connection made by us is not made again.
 */
#include "hw/core/sink-impl.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "hw/core/config.h"
#include "hw/core/log.h"
#include "net/accept.h"

#define DATAGRAM_MAX 1400

enum {
    IAC = 255,
    SB = 250,
    SE = 240,
    WILL = 251,
    DO_ = 253,
    DONT = 254,
    BINARY = 0,
    ECHO_ = 1,
    SGA = 3
};
enum { TN_DATA, TN_IAC, TN_OPTION, TN_SUB, TN_SUB_IAC };

static const uint8_t telnet_hello[] = { IAC, WILL, ECHO_,  IAC, WILL, SGA,
                                        IAC, WILL, BINARY, IAC, DO_,  BINARY };

/* Rings */

static void ring_put(struct ring *r, uint8_t byte)
{
    if (r->len == r->size) { /* full: the oldest goes */
        r->head = (r->head + 1) % r->size;
        r->len--;
    }
    r->data[(r->head + r->len) % r->size] = byte;
    r->len++;
}

static int ring_get(struct ring *r)
{
    uint8_t byte;

    if (!r->len)
        return -1;
    byte = r->data[r->head];
    r->head = (r->head + 1) % r->size;
    r->len--;
    return byte;
}

/* Watched descriptors */

static void sink_update(struct sink_impl *impl);
static void sink_flush(struct sink_impl *impl);
static void sink_read(struct sink_impl *impl);
static void sink_accept(struct sink_impl *impl);

static void watch_closed(uv_handle_t *h)
{
    free(h->data);
}

static void watch_free(struct watch **wp)
{
    struct watch *w = *wp;

    if (!w)
        return;
    *wp = NULL;
    if (!w->polled) {
        close(w->fd);
        free(w);
        return;
    }
    uv_poll_stop(&w->poll);
    uv_close((uv_handle_t *)&w->poll, watch_closed);
    close(w->fd);
}

static void watch_event(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    struct sink_impl *impl = w->impl;

    if (w == impl->lis)
        sink_accept(impl);
    else if (w == impl->in)
        sink_read(impl);
    else if (w == impl->out)
        sink_flush(impl);
    sink_update(impl);
}

/* Takes fd over, also on failure. A descriptor that cannot be polled is a file. */
static struct watch *watch_new(struct sink_impl *impl, int fd)
{
    struct watch *w = fd < 0 ? NULL : calloc(1, sizeof(*w));

    if (!w) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    w->impl = impl;
    w->fd = fd;
    w->poll.data = w;
    w->polled = impl->loop && uv_poll_init(impl->loop, &w->poll, fd) == 0;
    return w;
}

static void watch_want(struct watch *w, int events)
{
    if (!w || !w->polled || w->events == events)
        return;
    w->events = events;
    if (events)
        uv_poll_start(&w->poll, events, watch_event);
    else
        uv_poll_stop(&w->poll);
}

static void sink_update(struct sink_impl *impl)
{
    watch_want(impl->in, impl->inq.len < impl->inq.size ? UV_READABLE : 0);
    watch_want(impl->out, impl->outq.len ? UV_WRITABLE : 0);
    watch_want(impl->lis, impl->in || impl->out ? 0 : UV_READABLE);
}

static void sink_hangup(struct sink_impl *impl)
{
    if (impl->is_socket && !impl->lis && !impl->datagram)
        log_line("%s: the other end has closed", impl->name);
    watch_free(&impl->in);
    watch_free(&impl->out);
    impl->telnet_state = TN_DATA;
}

/* Output */

static ssize_t sink_write(struct sink_impl *impl, const uint8_t *data, size_t len)
{
    ssize_t n;

    if (impl->datagram && len > DATAGRAM_MAX)
        len = DATAGRAM_MAX;
    do {
        n = impl->is_socket ? send(impl->out->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT)
                            : write(impl->out->fd, data, len);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && impl->datagram && errno != EAGAIN)
        return (ssize_t)len; /* nobody listens there: gone, as datagrams go */
    return n;
}

static void sink_flush(struct sink_impl *impl)
{
    struct ring *q = &impl->outq;

    while (q->len && impl->out) {
        size_t part = q->size - q->head < q->len ? q->size - q->head : q->len;
        ssize_t n = sink_write(impl, q->data + q->head, part);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            if (!impl->complained)
                log_line("%s: cannot write: %s", impl->name, strerror(n ? errno : EIO));
            impl->complained = true;
            if (impl->is_socket)
                sink_hangup(impl);
            else
                q->len = 0; /* a full disk: the guest goes on without */
            return;
        }
        q->head = (q->head + (size_t)n) % q->size;
        q->len -= (size_t)n;
    }
}

/* Input */

/* One byte from a telnet peer; true when it is data. */
static bool telnet_data(struct sink_impl *impl, uint8_t byte)
{
    switch (impl->telnet_state) {
    case TN_DATA:
        if (byte != IAC)
            return true;
        impl->telnet_state = TN_IAC;
        return false;
    case TN_IAC:
        if (byte == SB)
            impl->telnet_state = TN_SUB;
        else
            impl->telnet_state = byte >= WILL && byte <= DONT ? TN_OPTION : TN_DATA;
        return byte == IAC;
    case TN_SUB:
        impl->telnet_state = byte == IAC ? TN_SUB_IAC : TN_SUB;
        return false;
    case TN_SUB_IAC:
        impl->telnet_state = byte == SE ? TN_DATA : TN_SUB;
        return false;
    default:
        impl->telnet_state = TN_DATA;
        return false;
    }
}

static void sink_input(struct sink_impl *impl, const uint8_t *data, size_t len)
{
    uint8_t kept[SINK_IN];
    size_t n = 0;

    for (size_t i = 0; i < len && n < sizeof(kept); i++) {
        if (!impl->telnet || telnet_data(impl, data[i]))
            kept[n++] = data[i];
    }
    if (impl->tap && n)
        impl->tap(impl->tap_arg, kept, n);
    for (size_t i = 0; i < n; i++)
        ring_put(&impl->inq, kept[i]);
    if (impl->inq.len && impl->sink && impl->sink->readable)
        impl->sink->readable(impl->sink->arg);
    if (impl->tap && n)
        impl->tap(impl->tap_arg, NULL, 0);
}

static void sink_read(struct sink_impl *impl)
{
    uint8_t data[SINK_IN];
    size_t room = impl->inq.size - impl->inq.len;
    ssize_t n;

    if (!room)
        return;
    n = read(impl->in->fd, data, room);
    if (n > 0) {
        sink_input(impl, data, (size_t)n);
        return;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (impl->datagram)
        return; /* an ICMP error or an empty datagram */
    if (impl->is_socket)
        sink_hangup(impl);
    else
        watch_free(&impl->in); /* end of file; output goes on */
}

static void sink_accept(struct sink_impl *impl)
{
    int fd = accept_next(impl->lis->fd, &impl->spare);

    if (fd < 0)
        return;
    impl->in = watch_new(impl, fcntl(fd, F_DUPFD_CLOEXEC, 3));
    impl->out = watch_new(impl, fd);
    impl->complained = impl->awaited = false;
    if (!impl->in || !impl->out) {
        sink_hangup(impl);
        return;
    }
    if (impl->telnet)
        (void)!send(fd, telnet_hello, sizeof(telnet_hello), MSG_NOSIGNAL | MSG_DONTWAIT);
    sink_flush(impl);
}

static void sink_woken(uv_async_t *wake)
{
    struct sink_impl *impl = wake->data;

    sink_flush(impl);
    sink_update(impl);
}

/* Opening and closing */

static void impl_freed(uv_handle_t *h)
{
    free(h->data);
}

static void impl_free(struct sink_impl *impl)
{
    sink_flush(impl); /* last words, as far as they can be said at once */
    watch_free(&impl->in);
    watch_free(&impl->out);
    watch_free(&impl->lis);
    accept_end(&impl->spare);
    if (impl->slave >= 0)
        close(impl->slave);
    if (impl->unlink_path[0])
        unlink(impl->unlink_path);
    if (impl->tty_changed)
        tcsetattr(STDIN_FILENO, TCSANOW, &impl->tty);
    if (impl->loop)
        uv_close((uv_handle_t *)&impl->wake, impl_freed);
    else
        free(impl);
}

static struct sink_impl *impl_new(struct uv_loop_s *loop)
{
    struct sink_impl *impl = calloc(1, sizeof(*impl));

    if (!impl)
        return NULL;
    impl->refs = 1;
    impl->rfd = impl->wfd = impl->lfd = impl->slave = -1;
    impl->outq = (struct ring){ .data = impl->out_data, .size = SINK_OUT };
    impl->inq = (struct ring){ .data = impl->in_data, .size = SINK_IN };
    impl->wake.data = impl;
    if (loop && uv_async_init(loop, &impl->wake, sink_woken) == 0)
        impl->loop = loop;
    return impl;
}

int sink_open(struct sink *s, struct uv_loop_s *loop, const struct config *cfg, const char *key,
              struct err *err)
{
    const char *spec = config_str(cfg, key, "null");
    struct sink *shared = config_obj(cfg, key);
    struct sink_impl *impl;
    int rc;

    s->impl = shared ? shared->impl : NULL;
    if (s->impl) {
        s->impl->refs++;
        s->impl->sink = s;
        return 0;
    }
    if (shared || !strcmp(spec, "null") || !strcmp(spec, "none"))
        return 0;
    if (!loop && sink_needs_loop(spec))
        return err_set(err, -EINVAL, "%s: only null, mem: and file: work without an event loop",
                       spec);
    impl = impl_new(loop);
    if (!impl)
        return err_set(err, -ENOMEM, "%s: out of memory", spec);
    rc = sink_open_spec(impl, spec, err);
    impl->in = watch_new(impl, impl->rfd);
    impl->out = watch_new(impl, impl->wfd);
    impl->lis = watch_new(impl, impl->lfd);
    if (rc < 0) {
        impl_free(impl);
        return rc;
    }
    s->impl = impl;
    impl->sink = s;
    sink_update(impl);
    return 0;
}

void sink_close(struct sink *s)
{
    struct sink_impl *impl = s->impl;

    s->impl = NULL;
    if (!impl)
        return;
    if (impl->sink == s)
        impl->sink = NULL;
    if (--impl->refs == 0)
        impl_free(impl);
}

/* The device's side */

static void sink_wake(struct sink_impl *impl)
{
    if (impl->loop)
        uv_async_send(&impl->wake);
    else
        sink_flush(impl);
}

void sink_put(struct sink *s, uint8_t byte)
{
    struct sink_impl *impl = s->impl;

    if (!impl)
        return;
    if (impl->mem) {
        if (impl->mem_len < SINK_MEM)
            impl->mem_data[impl->mem_len++] = byte;
        return;
    }
    ring_put(&impl->outq, byte);
    if (impl->telnet && byte == IAC)
        ring_put(&impl->outq, byte);
    sink_wake(impl);
}

int sink_get(struct sink *s)
{
    struct sink_impl *impl = s->impl;
    int byte;

    if (!impl)
        return -1;
    byte = ring_get(&impl->inq);
    if (byte >= 0 && impl->inq.len == impl->inq.size / 2)
        sink_wake(impl); /* there is room again: go on reading */
    return byte;
}

bool sink_is_awaited(const struct sink *s)
{
    return s->impl && s->impl->awaited;
}

const char *sink_name(const struct sink *s)
{
    return s->impl ? s->impl->name : "null";
}

const uint8_t *sink_mem(const struct sink *s, size_t *len)
{
    *len = s->impl ? s->impl->mem_len : 0;
    return s->impl ? s->impl->mem_data : NULL;
}

void sink_feed(struct sink *s, const void *data, size_t len)
{
    struct sink_impl *impl = s->impl;

    if (!impl || !impl->mem)
        return;
    if (len > impl->inq.size - impl->inq.len)
        len = impl->inq.size - impl->inq.len;
    sink_input(impl, data, len);
}

void sink_tap(struct sink *s, void (*tap)(void *arg, const uint8_t *data, size_t len), void *arg)
{
    if (s->impl) {
        s->impl->tap = tap;
        s->impl->tap_arg = arg;
    }
}
