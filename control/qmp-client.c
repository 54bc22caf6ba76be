/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-client.c: one connection of the control protocol: bytes and
 * passed descriptors in, one line a reply out. A client that does not read its
 * replies is first not listened to any more, then (events go on) dropped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "control/qmp-impl.h"
#include "hw/core/log.h"

#define READS_MAX 64          /* per turn of the loop, so that the guest goes on */
#define OUT_PAUSE (64u << 10) /* no new commands while this much is unread */
#define MSG_KEEP  (64u << 10) /* a larger buffer is given back after its message */

static void on_event(uv_poll_t *h, int status, int events);

static void on_closed(uv_handle_t *h)
{
    struct qmp_client *cl = h->data;

    qmp_unref(cl->q);
    free(cl->msg);
    free(cl->out);
    free(cl);
}

void qmp_client_hang_up(struct qmp_client *cl)
{
    if (cl->dead)
        return;
    cl->dead = true;
    if (cl->later)
        cl->later->client = NULL;
    for (unsigned i = 0; i < QMP_CLIENTS_MAX; i++) {
        if (cl->listener->client[i] == cl)
            cl->listener->client[i] = NULL;
    }
    uv_close((uv_handle_t *)&cl->poll, on_closed);
    close(cl->fd);
    for (unsigned i = 0; i < cl->nfds; i++)
        close(cl->fds[i].fd);
    cl->nfds = 0;
    qmp_fdset_forget(cl->q->vm, cl);
    qmp_client_gone(cl->listener);
}

static void drop(struct qmp_client *cl, const char *why)
{
    log_provoked("control socket %s: a client is dropped: %s", cl->listener->id, why);
    qmp_client_hang_up(cl);
}

static size_t out_pending(const struct qmp_client *cl)
{
    return cl->out_len - cl->out_pos;
}

static void update_poll(struct qmp_client *cl)
{
    int events = out_pending(cl) ? UV_WRITABLE : 0;

    if (cl->dead)
        return;
    if (!cl->leaving && !cl->later && !cl->q->held && out_pending(cl) < OUT_PAUSE)
        events |= UV_READABLE;
    if (!events && (cl->later || cl->q->held))
        uv_poll_stop(&cl->poll);
    else if (!events)
        qmp_client_hang_up(cl);
    else
        uv_poll_start(&cl->poll, events, on_event);
}

/* ---- out ---- */

static bool put_later(struct qmp_client *cl, const char *data, size_t len)
{
    size_t need;

    if (cl->out_pos) {
        memmove(cl->out, cl->out + cl->out_pos, out_pending(cl));
        cl->out_len -= cl->out_pos;
        cl->out_pos = 0;
    }
    if (len > QMP_OUT_MAX || cl->out_len > QMP_OUT_MAX - len)
        return false;
    need = cl->out_len + len;
    if (need > cl->out_cap) {
        char *bigger = realloc(cl->out, need + need / 2);

        if (!bigger)
            return false;
        cl->out = bigger;
        cl->out_cap = need + need / 2;
    }
    memcpy(cl->out + cl->out_len, data, len);
    cl->out_len = need;
    return true;
}

/* Bytes written, 0 when the peer is not reading, -1 when it is gone. */
static ssize_t put_now(struct qmp_client *cl, const char *data, size_t len)
{
    ssize_t n = send(cl->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return n;
}

static void put(struct qmp_client *cl, const char *data, size_t len)
{
    ssize_t n = 0;

    if (!out_pending(cl))
        n = put_now(cl, data, len);
    if (n < 0) {
        qmp_client_hang_up(cl);
    } else if ((size_t)n < len) {
        if (put_later(cl, data + n, len - (size_t)n))
            update_poll(cl);
        else
            drop(cl, "it does not read its replies");
    }
}

void qmp_client_send(struct qmp_client *cl, const json_t *msg)
{
    char *text = cl->dead ? NULL : json_dumps(msg, JSON_ENSURE_ASCII);
    size_t len;

    if (!text)
        return;
    len = strlen(text);
    text = realloc(text, len + 3);
    if (!text)
        abort();
    memcpy(text + len, "\r\n", 3);
    put(cl, text, len + 2);
    free(text);
}

static void flush(struct qmp_client *cl)
{
    ssize_t n = put_now(cl, cl->out + cl->out_pos, out_pending(cl));

    if (n < 0) {
        qmp_client_hang_up(cl);
        return;
    }
    cl->out_pos += (size_t)n;
    if (out_pending(cl))
        return;
    cl->out_len = cl->out_pos = 0;
    if (cl->out_cap > MSG_KEEP) {
        free(cl->out);
        cl->out = NULL;
        cl->out_cap = 0;
    }
}

/* ---- in ---- */

static bool keep(struct qmp_client *cl, uint8_t byte)
{
    if (cl->msg_len == QMP_MESSAGE_MAX)
        return false;
    if (cl->msg_len == cl->msg_cap) {
        size_t cap = cl->msg_cap ? 2 * cl->msg_cap : 1024;
        char *bigger = realloc(cl->msg, cap);

        if (!bigger)
            return false;
        cl->msg = bigger;
        cl->msg_cap = cap;
    }
    cl->msg[cl->msg_len++] = (char)byte;
    return true;
}

static void forget_message(struct qmp_client *cl)
{
    cl->msg_len = 0;
    if (cl->msg_cap > MSG_KEEP) {
        free(cl->msg);
        cl->msg = NULL;
        cl->msg_cap = 0;
    }
}

/* Descriptors that came with a message (or before it) and that it did not want. */
static void close_unclaimed(struct qmp_client *cl)
{
    unsigned n = 0;

    while (n < cl->nfds && cl->fds[n].end <= cl->consumed)
        close(cl->fds[n++].fd);
    cl->nfds -= n;
    memmove(cl->fds, cl->fds + n, cl->nfds * sizeof(cl->fds[0]));
}

int qmp_client_take_fd(struct qmp_client *cl)
{
    int fd;

    if (!cl->nfds)
        return -1;
    fd = cl->fds[0].fd;
    cl->nfds--;
    memmove(cl->fds, cl->fds + 1, cl->nfds * sizeof(cl->fds[0]));
    return fd;
}

static void complain(struct qmp_client *cl, const char *desc)
{
    json_t *msg = qmp_error("GenericError", desc, NULL);

    qmp_client_send(cl, msg);
    json_decref(msg);
}

/* Says why, and hangs up when that is written. */
static void leave(struct qmp_client *cl, const char *desc)
{
    complain(cl, desc);
    cl->leaving = true;
}

static void take_byte(struct qmp_client *cl, uint8_t byte)
{
    enum qmp_frame_is is = qmp_frame_byte(&cl->frame, byte);

    switch (is) {
    case FRAME_SKIP:
        break;
    case FRAME_KEEP:
    case FRAME_END:
        if (!keep(cl, byte)) {
            leave(cl, "JSON message exceeds 1 MiB");
        } else if (is == FRAME_END) {
            qmp_dispatch(cl, cl->msg, cl->msg_len);
            forget_message(cl);
            close_unclaimed(cl);
        }
        break;
    case FRAME_BAD:
        forget_message(cl);
        complain(cl, "JSON parse error, invalid character or bracket");
        break;
    case FRAME_DEEP:
        leave(cl, "JSON nesting exceeds 64 levels");
        break;
    }
}

static void take_fds(struct qmp_client *cl, struct msghdr *mh)
{
    for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm; cm = CMSG_NXTHDR(mh, cm)) {
        size_t n;

        if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
            continue;
        n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(fd));
            if (cl->nfds < QMP_FDS_MAX)
                cl->fds[cl->nfds++] = (struct qmp_fd){ fd, cl->received };
            else
                close(fd);
        }
    }
}

/* Fills the chunk. False: nothing there now, or the end. */
static bool read_chunk(struct qmp_client *cl)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(QMP_FDS_MAX * sizeof(int))];
    } control;
    struct iovec iov = { cl->chunk, sizeof(cl->chunk) };
    struct msghdr mh = { .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.space,
                         .msg_controllen = sizeof(control.space) };
    ssize_t n = recvmsg(cl->fd, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

    cl->chunk_len = cl->chunk_pos = 0;
    if (n > 0) {
        cl->chunk_len = (size_t)n;
        cl->received += (uint64_t)n;
        take_fds(cl, &mh);
        return true;
    }
    if (n == 0)
        cl->leaving = true; /* it may have shut down its writing only */
    else if (errno != EAGAIN && errno != EINTR)
        qmp_client_hang_up(cl);
    return false;
}

static bool may_read(const struct qmp_client *cl)
{
    return !cl->dead && !cl->leaving && !cl->later && !cl->q->held && out_pending(cl) < OUT_PAUSE;
}

static void pump(struct qmp_client *cl)
{
    for (unsigned reads = 0; may_read(cl);) {
        if (cl->chunk_pos < cl->chunk_len) {
            cl->consumed++;
            take_byte(cl, cl->chunk[cl->chunk_pos++]);
        } else if (reads++ == READS_MAX || !read_chunk(cl)) {
            break;
        }
    }
}

void qmp_client_go_on(struct qmp_client *cl)
{
    pump(cl);
    update_poll(cl);
}

void qmp_client_hold(struct qmp_client *cl)
{
    update_poll(cl); /* nothing is read from in here: the caller is not ready for a verb */
}

static void on_event(uv_poll_t *h, int status, int events)
{
    struct qmp_client *cl = h->data;

    if (status < 0) {
        qmp_client_hang_up(cl);
        return;
    }
    if (events & UV_WRITABLE)
        flush(cl);
    pump(cl);
    update_poll(cl);
}

void qmp_client_open(struct qmp_listener *l, int fd)
{
    struct qmp_client *cl = NULL;
    json_t *hello;
    unsigned i;

    for (i = 0; i < QMP_CLIENTS_MAX && l->client[i]; i++)
        ;
    if (i < QMP_CLIENTS_MAX)
        cl = calloc(1, sizeof(*cl));
    if (!cl || uv_poll_init(l->q->loop, &cl->poll, fd)) {
        if (i == QMP_CLIENTS_MAX)
            log_provoked("control socket %s: more than %u clients at a time", l->id, i);
        free(cl);
        close(fd);
        return;
    }
    cl->poll.data = cl;
    cl->q = l->q;
    cl->q->handles++;
    cl->listener = l;
    cl->fd = fd;
    l->client[i] = cl;
    l->met = true;
    hello = qmp_greeting();
    qmp_client_send(cl, hello);
    json_decref(hello);
    update_poll(cl);
}
