/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-vnc: the connection to the client: a socket, over that perhaps TLS,
 * over that perhaps WebSocket. libvncserver gets it in place of its own: the
 * functions at the end have the names of those with which the library reads
 * and writes, and the linker prefers the program's. So TLS needs no thread to
 * pump bytes, and the library's own WebSocket code, with its wait of 100 ms
 * for every client's first byte, is not used.
 */
#include "display/vnc/stream.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "display/vnc/helper.h"

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- bytes from and to the network: > 0, 0 at the end, -EAGAIN or another -errno ---- */

static ssize_t tls_result(ssize_t n)
{
    if (n >= 0)
        return n;
    return n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED ? -EAGAIN : -EIO;
}

static ssize_t net_recv(struct stream *s, void *buf, size_t len)
{
    ssize_t n;

    if (s->tls)
        return tls_result(gnutls_record_recv(s->tls, buf, len));
    n = recv(s->fd, buf, len, MSG_DONTWAIT);
    if (n < 0)
        return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
    return n;
}

static ssize_t net_send(struct stream *s, const struct iovec *iov, unsigned n)
{
    struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n };
    ssize_t put;

    if (s->tls)
        return tls_result(gnutls_record_send(s->tls, iov[0].iov_base, iov[0].iov_len));
    put = sendmsg(s->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0)
        return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
    return put;
}

static bool wait_for(struct stream *s, short events, int64_t until)
{
    for (;;) {
        struct pollfd p = { s->fd, events, 0 };
        int64_t left = until - now_ms();
        int n = poll(&p, 1, left > 0 ? (int)left : 0);

        if (n > 0)
            return true;
        if (n == 0 && left <= 0)
            return false;
        if (n < 0 && errno != EINTR)
            return false;
    }
}

/* ---- reading ---- */

static void on_ping(void *ctx, const uint8_t *data, size_t len)
{
    struct stream *s = ctx;

    stream_frame(s, WS_PONG, data, len);
}

static void on_text(void *ctx, const char *text, size_t len)
{
    struct stream *s = ctx;

    if (s->on_text)
        s->on_text(s->ctx, text, len);
}

/* What arrives becomes payload in s->in. As net_recv(); > 0 even when no payload came of it. */
static ssize_t fill(struct stream *s)
{
    static const struct ws_events events = { on_text, on_ping };
    uint8_t raw[STREAM_IN / 2];
    ssize_t n, got;

    if (s->ended)
        return 0;
    if (s->in_at) {
        memmove(s->in, s->in + s->in_at, s->in_len - s->in_at);
        s->in_len -= s->in_at;
        s->in_at = 0;
    }
    if (s->in_len > STREAM_IN / 2)
        return -ENOBUFS;
    if (!s->ws) {
        n = net_recv(s, s->in + s->in_len, STREAM_IN - s->in_len);
        s->in_len += n > 0 ? (size_t)n : 0;
        s->ended = n == 0;
        return n;
    }
    n = net_recv(s, raw, sizeof(raw));
    s->ended = n == 0;
    if (n <= 0)
        return n;
    got = ws_decode(&s->rx, raw, (size_t)n, s->in + s->in_len, &events, s);
    s->ended = got < 0;
    if (got < 0)
        return 0;
    s->in_len += (size_t)got;
    return n;
}

/* A message of the page, or half a record, makes the socket readable and brings nothing to read. */
bool stream_ready(struct stream *s)
{
    ssize_t n = 1;

    while (n > 0 && s->in_len == s->in_at)
        n = fill(s);
    return n != -EAGAIN;
}

bool stream_pending(const struct stream *s)
{
    return s->in_len > s->in_at || (s->tls && gnutls_record_check_pending(s->tls) > 0);
}

/* Until at least n payload bytes are there: 1, 0 at the end, -1 and errno. */
static int gather(struct stream *s, size_t n, int timeout_ms)
{
    int64_t until = now_ms() + timeout_ms;

    while (s->in_len - s->in_at < n) {
        ssize_t got = fill(s);

        if (got == 0)
            return 0;
        if (got == -EAGAIN && !wait_for(s, POLLIN, until)) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (got < 0 && got != -EAGAIN) {
            errno = (int)-got;
            return -1;
        }
    }
    return 1;
}

int stream_peek(struct stream *s, void *buf, size_t len, int timeout_ms)
{
    int rc = gather(s, len, timeout_ms);

    if (rc == 1)
        memcpy(buf, s->in + s->in_at, len);
    return rc;
}

int stream_read(struct stream *s, void *buf, size_t len, int timeout_ms)
{
    uint8_t *to = buf;

    while (len > 0) {
        size_t have = s->in_len - s->in_at, part = have < len ? have : len;
        int rc;

        memcpy(to, s->in + s->in_at, part);
        s->in_at += part;
        to += part;
        len -= part;
        if (len == 0)
            break;
        rc = gather(s, 1, timeout_ms);
        if (rc != 1)
            return rc;
    }
    return 1;
}

size_t stream_buffered(const struct stream *s, const uint8_t **bytes)
{
    *bytes = s->in + s->in_at;
    return s->in_len - s->in_at;
}

int stream_more(struct stream *s, int timeout_ms)
{
    return gather(s, s->in_len - s->in_at + 1, timeout_ms);
}

void stream_skip(struct stream *s, size_t n)
{
    size_t have = s->in_len - s->in_at;

    s->in_at += n < have ? n : have;
}

/* ---- writing ---- */

/* A client that takes nothing for so long is given up. */
static int send_all(struct stream *s, struct iovec *iov, unsigned n)
{
    int64_t until = now_ms() + STREAM_WAIT_MS;

    while (n > 0) {
        ssize_t put;

        if (iov->iov_len == 0) {
            iov++;
            n--;
            continue;
        }
        put = net_send(s, iov, n < 64 ? n : 64);
        if (put == -EAGAIN) {
            if (!wait_for(s, POLLOUT, until)) {
                errno = ETIMEDOUT;
                return -1;
            }
            continue;
        }
        if (put <= 0) {
            errno = put ? (int)-put : EPIPE;
            return -1;
        }
        until = now_ms() + STREAM_WAIT_MS;
        for (; n > 0 && (size_t)put >= iov->iov_len; iov++, n--)
            put -= (ssize_t)iov->iov_len;
        if (n > 0) {
            iov->iov_base = (uint8_t *)iov->iov_base + put;
            iov->iov_len -= (size_t)put;
        }
    }
    return 1;
}

int stream_frame(struct stream *s, enum ws_op op, const void *data, size_t len)
{
    uint8_t head[10];
    struct iovec iov[2] = { { head, ws_head(head, op, len) }, { (void *)(uintptr_t)data, len } };

    return send_all(s, iov, 2);
}

int stream_write(struct stream *s, const void *data, size_t len)
{
    struct iovec iov = { (void *)(uintptr_t)data, len };

    return s->ws ? stream_frame(s, WS_BINARY, data, len) : send_all(s, &iov, 1);
}

int stream_write_rows(struct stream *s, const uint8_t *rows, size_t len, size_t stride, unsigned n)
{
    if (len == stride)
        return stream_write(s, rows, len * n);
    while (n > 0) {
        struct iovec iov[65];
        unsigned part = n < 64 ? n : 64;
        uint8_t head[10];

        iov[0] = (struct iovec){ head, s->ws ? ws_head(head, WS_BINARY, len * part) : 0 };
        for (unsigned i = 0; i < part; i++)
            iov[i + 1] = (struct iovec){ (void *)(uintptr_t)(rows + i * stride), len };
        if (send_all(s, iov, part + 1) != 1)
            return -1;
        rows += part * stride;
        n -= part;
    }
    return 1;
}

/* ---- TLS ---- */

int stream_start_tls(struct stream *s, struct gnutls_session_int *tls)
{
    int rc;

    if (s->in_len > s->in_at) /* said in the clear, to be taken for said under TLS */
        return -1;
    gnutls_transport_set_int(tls, s->fd);
    gnutls_handshake_set_timeout(tls, GNUTLS_INDEFINITE_TIMEOUT); /* an alarm ends it */
    while ((rc = gnutls_handshake(tls)) < 0 && !gnutls_error_is_fatal(rc)) {
        short want = gnutls_record_get_direction(tls) ? POLLOUT : POLLIN;
        if (!wait_for(s, want, now_ms() + STREAM_WAIT_MS))
            return -1;
    }
    if (rc < 0)
        return -1;
    s->tls = tls;
    return 0;
}

/* ---- in the library's place ---- */

static struct stream *stream_of(rfbClientPtr cl)
{
    return &helper_of(cl)->stream;
}

int rfbReadExactTimeout(rfbClientPtr cl, char *buf, int len, int timeout)
{
    if (cl->sock < 0 || len < 0) {
        errno = EBADF;
        return -1;
    }
    return stream_read(stream_of(cl), buf, (size_t)len, timeout);
}

int rfbReadExact(rfbClientPtr cl, char *buf, int len)
{
    return rfbReadExactTimeout(cl, buf, len, STREAM_WAIT_MS);
}

int rfbPeekExactTimeout(rfbClientPtr cl, char *buf, int len, int timeout)
{
    if (cl->sock < 0 || len < 0 || len > STREAM_IN / 2) {
        errno = EBADF;
        return -1;
    }
    return stream_peek(stream_of(cl), buf, (size_t)len, timeout);
}

int rfbWriteExact(rfbClientPtr cl, const char *buf, int len)
{
    if (cl->sock < 0 || len < 0) {
        errno = EBADF;
        return -1;
    }
    return stream_write(stream_of(cl), buf, (size_t)len);
}

/* Is this client a browser? Those come in by another port. */
rfbBool webSocketsCheck(rfbClientPtr cl)
{
    return TRUE;
}

/*
 * RFC 6143 7.7.1. Pixels that need no translation go from the shared screen to
 * the socket without a copy between.
 */
rfbBool rfbSendRectEncodingRaw(rfbClientPtr cl, int x, int y, int w, int h)
{
    rfbFramebufferUpdateRectHeader r = { .encoding = Swap32IfLE(rfbEncodingRaw) };
    size_t stride = (size_t)cl->scaledScreen->paddedWidthInBytes, bpp = cl->format.bitsPerPixel / 8;
    const char *from = cl->scaledScreen->frameBuffer + (size_t)y * stride + (size_t)x * 4;

    if (w <= 0 || h <= 0)
        return TRUE;
    r.r.x = Swap16IfLE(x);
    r.r.y = Swap16IfLE(y);
    r.r.w = Swap16IfLE(w);
    r.r.h = Swap16IfLE(h);
    if (w > SURFACE_MAX_WIDTH || (cl->ublen > 0 && !rfbSendUpdateBuf(cl)))
        return FALSE;
    if (rfbWriteExact(cl, (const char *)&r, sz_rfbFramebufferUpdateRectHeader) != 1)
        return FALSE;
    if (cl->translateFn == rfbTranslateNone)
        return stream_write_rows(stream_of(cl), (const uint8_t *)from, (size_t)w * 4, stride,
                                 (unsigned)h) == 1;
    for (int i = 0; i < h; i++, from += stride) {
        if ((size_t)cl->ublen + (size_t)w * bpp > UPDATE_BUF_SIZE && !rfbSendUpdateBuf(cl))
            return FALSE;
        cl->translateFn(cl->translateLookupTable, &cl->screen->serverFormat, &cl->format,
                        (char *)(uintptr_t)from, cl->updateBuf + cl->ublen, (int)stride, w, 1);
        cl->ublen += (int)((size_t)w * bpp);
    }
    return TRUE;
}
