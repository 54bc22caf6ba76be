/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/qmp.c: the chardevs of the control protocol, and its events. */
#include "control/qmp.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "control/keyval.h"
#include "control/qmp-impl.h"
#include "hw/core/log.h"
#include "net/accept.h"

#define ACCEPT_MAX 16 /* connections taken per turn of the loop */

void qmp_unref(struct qmp *q)
{
    if (--q->handles || !q->closing)
        return;
    for (unsigned i = 0; i < q->nlisteners; i++) {
        free(q->listener[i].id);
        free(q->listener[i].name);
    }
    free(q->listener);
    free(q);
}

static void on_handle_closed(uv_handle_t *h)
{
    struct qmp_listener *l = h->data;

    qmp_unref(l->q);
}

static void on_connection(uv_poll_t *h, int status, int events)
{
    struct qmp_listener *l = h->data;

    for (unsigned i = 0; i < ACCEPT_MAX; i++) {
        int fd = accept_next(l->fd, &l->spare);

        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                log_provoked("control socket %s: accept: %s", l->id, strerror(errno));
            return;
        }
        qmp_client_open(l, fd);
    }
}

/* Connects again to a client that went, or was not there: every reconnect= seconds. */
static void on_again(uv_timer_t *h)
{
    struct qmp_listener *l = h->data;
    char *name = NULL;
    int fd = qmp_socket_open(l->ch, &name, NULL);

    free(name);
    if (fd < 0)
        uv_timer_start(&l->again, on_again, (uint64_t)l->ch->reconnect * 1000, 0);
    else
        qmp_client_open(l, fd);
}

void qmp_client_gone(struct qmp_listener *l)
{
    if (!l->ch->server && l->ch->reconnect && !l->q->closing)
        uv_timer_start(&l->again, on_again, (uint64_t)l->ch->reconnect * 1000, 0);
}

static int watch(struct qmp_listener *l, struct err *err)
{
    int rc = uv_poll_init(l->q->loop, &l->poll, l->fd);

    if (rc)
        return err_set(err, rc, "control socket %s: %s", l->id, uv_strerror(rc));
    l->poll.data = l;
    l->q->handles++;
    uv_poll_start(&l->poll, UV_READABLE, on_connection);
    return 0;
}

/* A socket that listens is kept and watched; one that is connected is its one client. */
static int open_chardev(struct qmp *q, const struct chardev_arg *ch, struct err *err)
{
    struct qmp_listener *l = &q->listener[q->nlisteners];
    bool stdio = !strcmp(ch->kind, "stdio"), connected = ch->fd < 0 && !ch->server;
    int fd = -1;

    if (!stdio)
        fd = qmp_socket_open(ch, &l->name, err);
    else if (!(l->stdio = qmp_stdio_open(&fd, err)))
        return -EIO;
    if (fd < 0 && !(connected && ch->reconnect))
        return fd;
    l->q = q;
    l->ch = ch;
    l->fd = connected ? -1 : fd;
    l->id = xstrdup(ch->id);
    l->unlink = ch->path && !connected && !ch->abstract;
    q->nlisteners++;
    uv_timer_init(q->loop, &l->again);
    l->again.data = l;
    q->handles++;
    if (!connected)
        return watch(l, err);
    if (stdio)
        l->name = xstrdup("stdio");
    if (!l->name)
        l->name = xasprintf("disconnected:%s", ch->id);
    if (fd >= 0)
        qmp_client_open(l, fd);
    else
        qmp_client_gone(l);
    return 0;
}

struct qmp *qmp_new(uv_loop_t *loop, struct vm *vm, const struct chardev_arg *chardevs, unsigned n,
                    struct err *err)
{
    struct qmp *q = calloc(1, sizeof(*q));
    int rc = 0;

    if (q)
        q->listener = calloc(n ? n : 1, sizeof(*q->listener));
    if (!q || !q->listener) {
        free(q);
        err_set(err, -ENOMEM, "control sockets: out of memory");
        return NULL;
    }
    q->loop = loop;
    q->vm = vm;
    q->handles = 1;
    uv_timer_init(loop, &q->keys.timer);
    q->keys.timer.data = q;
    vm->qmp = q;
    for (unsigned i = 0; !rc && i < n; i++) {
        if (chardevs[i].monitor)
            rc = open_chardev(q, &chardevs[i], err);
    }
    if (!rc)
        return q;
    qmp_free(q);
    return NULL;
}

static void on_timer_closed(uv_handle_t *h)
{
    qmp_unref(h->data);
}

void qmp_free(struct qmp *q)
{
    if (!q || q->closing)
        return;
    q->closing = true;
    q->vm->qmp = NULL;
    for (unsigned i = 0; i < q->nlisteners; i++) {
        struct qmp_listener *l = &q->listener[i];

        for (unsigned k = 0; k < QMP_CLIENTS_MAX; k++) {
            if (l->client[k])
                qmp_client_hang_up(l->client[k]);
        }
        if (l->poll.data)
            uv_close((uv_handle_t *)&l->poll, on_handle_closed);
        uv_close((uv_handle_t *)&l->again, on_handle_closed);
        accept_end(&l->spare);
        if (l->fd >= 0)
            close(l->fd);
        if (l->unlink)
            unlink(l->ch->path);
        qmp_stdio_close(l->stdio);
    }
    uv_close((uv_handle_t *)&q->keys.timer, on_timer_closed);
}

const char *qmp_awaited(const struct qmp *q)
{
    for (unsigned i = 0; q && i < q->nlisteners; i++) {
        const struct qmp_listener *l = &q->listener[i];

        if (l->ch->server && l->ch->wait && !l->met)
            return l->name;
    }
    return NULL;
}

void qmp_hold_clients(struct qmp *q, bool held)
{
    if (!q)
        return;
    q->held = held;
    for (unsigned i = 0; i < q->nlisteners; i++) {
        for (unsigned k = 0; k < QMP_CLIENTS_MAX; k++) {
            if (q->listener[i].client[k])
                qmp_client_hold(q->listener[i].client[k]);
        }
    }
}

void qmp_event(struct qmp *q, const char *name, json_t *data)
{
    struct timeval now;
    json_t *msg;

    gettimeofday(&now, NULL);
    msg = json_pack("{s:{s:I, s:I}, s:o}", "timestamp", "seconds", (json_int_t)now.tv_sec,
                    "microseconds", (json_int_t)now.tv_usec, "event", qmp_str(name));
    if (data)
        json_object_set_new(msg, "data", data);
    for (unsigned i = 0; q && i < q->nlisteners; i++) {
        for (unsigned k = 0; k < QMP_CLIENTS_MAX; k++) {
            struct qmp_client *cl = q->listener[i].client[k];

            if (cl && cl->negotiated)
                qmp_client_send(cl, msg);
        }
    }
    json_decref(msg);
}
