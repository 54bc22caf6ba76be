/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/qmp.c: the listening sockets of the control protocol, and its events. */
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

#define BACKLOG    16
#define ACCEPT_MAX 16 /* connections taken per turn of the loop */

void qmp_unref(struct qmp *q)
{
    if (--q->handles || !q->closing)
        return;
    for (unsigned i = 0; i < q->nlisteners; i++) {
        free(q->listener[i].id);
        free(q->listener[i].path);
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
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                log_line("control socket %s: accept: %s", l->id, strerror(errno));
            return;
        }
        qmp_client_open(l, fd);
    }
}

/* Only a socket may be in the way; anything else is somebody's file. */
static int remove_stale(const char *path, struct err *err)
{
    struct stat st;

    if (lstat(path, &st))
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, -EEXIST, "control socket %s: there is a file of that name; remove it",
                       path);
    if (unlink(path))
        return err_set(err, -errno, "control socket %s: cannot remove the old one: %s", path,
                       strerror(errno));
    return 0;
}

static int bind_path(const char *path, struct err *err)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd, rc;

    if (!*path || strlen(path) >= sizeof(sa.sun_path))
        return err_set(err, -ENAMETOOLONG, "control socket %s: the path must have 1 to %zu bytes",
                       path, sizeof(sa.sun_path) - 1);
    memcpy(sa.sun_path, path, strlen(path) + 1);
    rc = remove_stale(path, err);
    if (rc)
        return rc;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || chmod(path, 0600) ||
        listen(fd, BACKLOG)) {
        rc = err_set(err, -errno, "control socket %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    return fd;
}

/* A socket that the toolstack bound and listens on; where it is bound is for query-chardev. */
static int adopt_fd(int fd, const char *id, char **path, struct err *err)
{
    struct sockaddr_un sa = { 0 };
    socklen_t len = sizeof(sa) - 1, optlen = sizeof(int);
    int listening = 0;

    if (getsockname(fd, (struct sockaddr *)&sa, &len) || sa.sun_family != AF_UNIX ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &optlen) || !listening)
        return err_set(err, -EINVAL, "-chardev id=%s: fd=%d is not a listening UNIX socket", id,
                       fd);
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
        return err_set(err, -errno, "-chardev id=%s: fd=%d: %s", id, fd, strerror(errno));
    *path = xstrdup(sa.sun_path);
    return fd;
}

static int listen_on(struct qmp *q, const struct chardev_arg *ch, struct err *err)
{
    struct qmp_listener *l = &q->listener[q->nlisteners];
    int fd, rc;

    if (ch->path)
        fd = bind_path(ch->path, err);
    else
        fd = adopt_fd(ch->fd, ch->id, &l->path, err);
    if (fd < 0)
        return fd;
    l->q = q;
    l->fd = fd;
    l->id = xstrdup(ch->id);
    l->unlink = ch->path;
    if (ch->path)
        l->path = xstrdup(ch->path);
    q->nlisteners++;
    rc = uv_poll_init(q->loop, &l->poll, fd);
    if (rc) {
        l->poll.data = NULL; /* qmp_free(): there is no handle to close */
        return err_set(err, rc, "control socket %s: %s", l->id, uv_strerror(rc));
    }
    l->poll.data = l;
    q->handles++;
    uv_poll_start(&l->poll, UV_READABLE, on_connection);
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
            rc = listen_on(q, &chardevs[i], err);
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
        close(l->fd);
        if (l->unlink)
            unlink(l->path);
    }
    uv_close((uv_handle_t *)&q->keys.timer, on_timer_closed);
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

char *qmp_listener_name(const struct qmp_listener *l)
{
    return xasprintf("unix:%s,server=on", l->path);
}
