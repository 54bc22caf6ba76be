/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client of the control protocol: one question at a time, with a limit of patience. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "cli/qmp.h"

static long long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static int fail(struct qmp *q, const char *why)
{
    snprintf(q->err, sizeof(q->err), "%s", why);
    return -1;
}

/* Waits until there is more, and takes it. */
static int fill(struct qmp *q, long long until)
{
    struct pollfd p = { .fd = q->fd, .events = POLLIN };
    long long left = until < 0 ? -1 : until - now_ms();
    ssize_t n;
    int rc;

    if (q->len + 4096 > q->cap) {
        size_t cap = q->cap ? q->cap * 2 : 16384;
        char *buf = cap <= QMP_MAX ? realloc(q->buf, cap) : NULL;

        if (!buf)
            return fail(q, "its answer is too long");
        q->buf = buf;
        q->cap = cap;
    }
    if (until >= 0 && left <= 0)
        return fail(q, "it does not answer");
    rc = poll(&p, 1, left > 1000000 ? 1000000 : (int)left);
    if (rc < 0 && errno == EINTR)
        return 0;
    if (rc == 0)
        return left > 1000000 ? 0 : fail(q, "it does not answer");
    n = read(q->fd, q->buf + q->len, q->cap - q->len);
    if (n < 0 && errno == EINTR)
        return 0;
    if (n <= 0)
        return fail(q, "it has ended");
    q->len += (size_t)n;
    return 0;
}

/* Takes one line of JSON out of the buffer; NULL: there is no whole one. */
static json_t *take(struct qmp *q)
{
    json_t *msg = NULL;
    char *nl;

    while (!msg && q->len && (nl = memchr(q->buf, '\n', q->len))) {
        msg = json_loadb(q->buf, (size_t)(nl - q->buf), 0, NULL);
        q->len -= (size_t)(nl + 1 - q->buf);
        memmove(q->buf, nl + 1, q->len);
    }
    return msg;
}

json_t *qmp_next(struct qmp *q, int timeout_ms)
{
    long long until = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
    json_t *msg;

    if (q->fd < 0)
        return NULL;
    while (!(msg = take(q))) {
        if (fill(q, until))
            return NULL;
    }
    return msg;
}

static int send_all(struct qmp *q, const char *s, size_t n)
{
    while (n) {
        ssize_t k = send(q->fd, s, n, MSG_NOSIGNAL);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return fail(q, "it has ended");
        s += k;
        n -= (size_t)k;
    }
    return 0;
}

json_t *qmp_call(struct qmp *q, const char *verb, json_t *args, int timeout_ms)
{
    long long until = now_ms() + timeout_ms;
    json_t *msg = json_pack("{s:s}", "execute", verb), *ret = NULL;
    char *text;
    int rc;

    if (args)
        json_object_set_new(msg, "arguments", args);
    text = json_dumps(msg, JSON_COMPACT);
    json_decref(msg);
    rc = text && q->fd >= 0 ? send_all(q, text, strlen(text)) : fail(q, "it has ended");
    free(text);
    while (!rc && !ret) {
        long long left = until - now_ms();

        msg = qmp_next(q, left > 0 ? (int)left : 0);
        if (!msg)
            return NULL;
        ret = json_incref(json_object_get(msg, "return"));
        if (json_object_get(msg, "error")) {
            const char *desc =
                json_string_value(json_object_get(json_object_get(msg, "error"), "desc"));

            rc = fail(q, desc ? desc : "it refuses");
        }
        json_decref(msg);
    }
    return ret;
}

int qmp_do(struct qmp *q, const char *verb, json_t *args, int timeout_ms)
{
    json_t *ret = qmp_call(q, verb, args, timeout_ms);

    json_decref(ret);
    return ret ? 0 : -1;
}

int qmp_open(struct qmp *q, const char *dir, const char *name, int timeout_ms)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    json_t *greeting;

    memset(q, 0, sizeof(*q));
    q->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (q->fd < 0)
        return fail(q, strerror(errno));
    if (snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", dir, name) >= (int)sizeof(a.sun_path))
        return fail(q, "the path of its socket is too long");
    if (connect(q->fd, (struct sockaddr *)&a, sizeof(a)))
        return fail(q, strerror(errno));
    greeting = qmp_next(q, timeout_ms);
    if (!greeting)
        return -1;
    json_decref(greeting);
    return qmp_do(q, "qmp_capabilities", NULL, timeout_ms);
}

void qmp_close(struct qmp *q)
{
    if (q->fd >= 0)
        close(q->fd);
    free(q->buf);
    q->buf = NULL;
    q->fd = -1;
    q->len = q->cap = 0;
}
