/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client. It may send hundreds of requests at once: what has come is read
 * in one piece, served where it lies, and the answers leave together. A client
 * that does not take its answers is not read from until it does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "ioreq/qtest-impl.h"
#include "net/accept.h"

#define READ_SIZE 65536
#define OUT_FULL  (1u << 20) /* answers waiting: send them before serving more */
#define IN_KEPT   (4 * READ_SIZE)

static void client_ready(uv_poll_t *h, int status, int events);
static void idle_turn(uv_idle_t *h);

/* ---- the log ---- */

static int64_t host_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* "[R +0.044837] inb 0x64": R a request, S an answer, I what happens to the connection. */
void qtest_conn_log(struct qtest *q, char kind, const char *text, size_t len)
{
    int64_t us = (host_now() - q->conn.log_start) / 1000;

    if (q->conn.log_fd >= 0)
        dprintf(q->conn.log_fd, "[%c %s%lld.%06lld] %.*s\n", kind, kind == 'I' && !us ? "" : "+",
                (long long)(us / 1000000), (long long)(us % 1000000), (int)len, text);
}

static bool is_null_device(int fd)
{
    struct stat st, null;

    return !fstat(fd, &st) && !stat("/dev/null", &null) && S_ISCHR(st.st_mode) &&
           st.st_rdev == null.st_rdev;
}

static int open_log(struct qtest *q, struct err *err)
{
    const char *file = q->o.qtest_log;
    int fd;

    q->conn.log_fd = -1;
    if (file && !strcmp(file, "none"))
        return 0;
    fd = file ? open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
              : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (file && fd < 0)
        return err_set(err, -errno, "-qtest-log %s: %s", file, strerror(errno));
    if (fd >= 0 && is_null_device(fd)) { /* nobody looks: nothing to be formatted */
        close(fd);
        fd = -1;
    }
    q->conn.log_fd = fd;
    return 0;
}

/* ---- answers ---- */

char *qtest_conn_room(struct qtest *q, size_t n)
{
    struct qtest_conn *c = &q->conn;
    size_t cap = c->out_cap ? c->out_cap : READ_SIZE;
    char *more;

    if (c->out_cap - c->out_len >= n)
        return c->out + c->out_len;
    while (cap - c->out_len < n)
        cap *= 2;
    more = realloc(c->out, cap);
    if (!more) {
        c->broken = true;
        return NULL;
    }
    c->out = more;
    c->out_cap = cap;
    return c->out + c->out_len;
}

void qtest_conn_put(struct qtest *q, size_t n)
{
    struct qtest_conn *c = &q->conn;

    if (c->log_fd >= 0)
        qtest_conn_log(q, 'S', c->out + c->out_len, n - 1);
    c->out_len += n;
}

/*
 * A client is a socket nearly always. Its own calls go to it directly, where write() and read() go
 * through what files have in common: that is felt in a request of some microseconds.
 */
static ssize_t conn_send(int fd, const void *from, size_t len)
{
    ssize_t n = send(fd, from, len, MSG_NOSIGNAL);

    return n < 0 && errno == ENOTSOCK ? write(fd, from, len) : n;
}

static ssize_t conn_recv(int fd, void *to, size_t len)
{
    ssize_t n = recv(fd, to, len, 0);

    return n < 0 && errno == ENOTSOCK ? read(fd, to, len) : n;
}

/* Sends what the client takes; without a client there is nobody to tell. */
void qtest_conn_flush(struct qtest *q)
{
    struct qtest_conn *c = &q->conn;

    while (c->out_sent < c->out_len && c->out_fd >= 0) {
        ssize_t n = conn_send(c->out_fd, c->out + c->out_sent, c->out_len - c->out_sent);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n <= 0) {
            c->broken = true;
            break;
        }
        c->out_sent += (size_t)n;
    }
    if (c->out_sent < c->out_len && c->out_fd >= 0 && !c->broken)
        return;
    c->out_len = c->out_sent = 0;
    if (c->out_cap > IN_KEPT) {
        free(c->out);
        c->out = NULL;
        c->out_cap = 0;
    }
}

/* ---- requests ---- */

/* May another request be served now? */
static bool may_serve(struct qtest *q)
{
    const struct qtest_conn *c = &q->conn;

    return !q->stepping && !q->yield && !c->broken && c->out_len < OUT_FULL;
}

static void serve_line(struct qtest *q, const char *line, size_t len)
{
    if (q->conn.log_fd >= 0)
        qtest_conn_log(q, 'R', line, len);
    qtest_request(q, line, len);
}

static void fail_long_line(struct qtest *q)
{
    static const char text[] = "FAIL the request is too long\n";
    char *to = qtest_conn_room(q, sizeof(text));

    if (!to)
        return;
    memcpy(to, text, sizeof(text) - 1);
    qtest_conn_put(q, sizeof(text) - 1);
}

/* A line that ended: served, unless it is the rest of one that was too long. */
static void end_of_line(struct qtest *q, const char *line, size_t len)
{
    if (q->conn.skipping)
        q->conn.skipping = false;
    else
        serve_line(q, line, len);
}

static void keep_rest(struct qtest *q, size_t from)
{
    struct qtest_conn *c = &q->conn;

    if (from && c->in_len > from)
        memmove(c->in, c->in + from, c->in_len - from);
    c->in_len -= from;
    c->scanned = c->scanned > from ? c->scanned - from : 0;
    if (c->scanned >= QTEST_LINE_MAX) {
        if (!c->skipping)
            fail_long_line(q);
        c->skipping = true;
        c->in_len = c->scanned = 0;
    }
    if (!c->in_len && c->in_cap > IN_KEPT) {
        free(c->in);
        c->in = NULL;
        c->in_cap = 0;
    }
}

/* Serves what is complete in the buffer, as far as that is possible. */
static void serve_lines(struct qtest *q)
{
    struct qtest_conn *c = &q->conn;
    size_t from = 0;

    while (may_serve(q)) {
        size_t at = c->scanned > from ? c->scanned : from;
        char *end = c->in_len > at ? memchr(c->in + at, '\n', c->in_len - at) : NULL;

        if (!end) {
            c->scanned = c->in_len;
            break;
        }
        end_of_line(q, c->in + from, (size_t)(end - (c->in + from)));
        from = (size_t)(end + 1 - c->in);
    }
    keep_rest(q, from);
}

static void watch(struct qtest_watch *w, int events)
{
    if (w->events == events || !w->poll.data)
        return;
    w->events = events;
    uv_poll_start(&w->poll, events, client_ready); /* 0 stops it */
}

static void drop_client(struct qtest *q);

/* All complete requests are served, answers sent; what must wait is waited for. */
static void go_on(struct qtest *q)
{
    struct qtest_conn *c = &q->conn;
    bool more, waits;

    q->yield = false;
    if (q->stepping)
        qtest_step_on(q);
    serve_lines(q);
    qtest_conn_flush(q);
    waits = c->out_len != 0;
    more = q->stepping || (c->in_len > c->scanned && !waits);
    if (c->broken || (c->eof && !more && !waits)) {
        drop_client(q);
        return;
    }
    if (c->in_fd == c->out_fd) {
        watch(&c->rd, waits ? UV_WRITABLE : more || c->eof ? 0 : UV_READABLE);
    } else {
        watch(&c->rd, waits || more || c->eof ? 0 : UV_READABLE);
        watch(&c->wr, waits ? UV_WRITABLE : 0);
    }
    if (more || (!c->pollable && !c->eof && !waits))
        uv_idle_start(&c->idle, idle_turn);
    else
        uv_idle_stop(&c->idle);
}

static bool room_for_input(struct qtest_conn *c)
{
    size_t cap = c->in_cap ? 2 * c->in_cap : 2 * READ_SIZE;
    char *more;

    if (c->in_cap - c->in_len >= READ_SIZE)
        return true;
    more = realloc(c->in, cap);
    if (!more)
        return false;
    c->in = more;
    c->in_cap = cap;
    return true;
}

static void take_input(struct qtest *q)
{
    struct qtest_conn *c = &q->conn;
    ssize_t n;

    if (!room_for_input(c)) {
        c->broken = true;
        return;
    }
    n = conn_recv(c->in_fd, c->in + c->in_len, READ_SIZE);
    if (n > 0)
        c->in_len += (size_t)n;
    else if (n == 0)
        c->eof = true;
    else if (errno != EAGAIN && errno != EINTR)
        c->broken = true;
}

static void client_ready(uv_poll_t *h, int status, int events)
{
    struct qtest *q = h->data;

    if (status < 0)
        q->conn.broken = true;
    else if (events & UV_READABLE)
        take_input(q);
    go_on(q);
}

static void idle_turn(uv_idle_t *h)
{
    struct qtest *q = h->data;
    struct qtest_conn *c = &q->conn;

    if (!c->pollable && !c->eof && !q->stepping && c->in_len <= c->scanned)
        take_input(q);
    go_on(q);
}

/* ---- connecting ---- */

static void closed(uv_handle_t *h)
{
    struct qtest *q = h->data;

    q->conn.nhandles--;
    h->data = NULL;
}

static void close_handle(uv_handle_t *h, uv_close_cb cb)
{
    if (h->data && !uv_is_closing(h))
        uv_close(h, cb);
}

static void set_nonblocking(struct qtest_conn *c, unsigned i, int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags >= 0 && !(flags & O_NONBLOCK) && !fcntl(fd, F_SETFL, flags | O_NONBLOCK))
        c->flags[i] = flags;
}

static void put_flags_back(struct qtest_conn *c)
{
    if (c->flags[0] >= 0)
        fcntl(c->in_fd, F_SETFL, c->flags[0]);
    if (c->flags[1] >= 0)
        fcntl(c->out_fd, F_SETFL, c->flags[1]);
    c->flags[0] = c->flags[1] = -1;
}

static void release_fds(struct qtest_conn *c)
{
    if (c->in_fd < 0)
        return;
    put_flags_back(c);
    if (c->own_fds)
        close(c->in_fd);
    c->in_fd = c->out_fd = -1;
}

static void client_comes(uv_poll_t *h, int status, int events);

/* Only now may another one come: the loop has let go of the descriptors. */
static void client_closed(uv_handle_t *h)
{
    struct qtest *q = h->data;
    struct qtest_conn *c = &q->conn;

    closed(h);
    if (c->rd.poll.data || c->wr.poll.data)
        return;
    release_fds(c);
    if (c->listen.data && !uv_is_closing((uv_handle_t *)&c->listen))
        uv_poll_start(&c->listen, UV_READABLE, client_comes);
}

/* The machine goes on without a client, as it does under QEMU. */
static void drop_client(struct qtest *q)
{
    struct qtest_conn *c = &q->conn;

    qtest_conn_log(q, 'I', "CLOSED", 6);
    c->met = false;
    c->in_len = c->scanned = c->out_len = c->out_sent = 0;
    c->skipping = false;
    c->eof = true;
    q->stepping = false;
    uv_idle_stop(&c->idle);
    if (!c->rd.poll.data && !c->wr.poll.data)
        release_fds(c);
    close_handle((uv_handle_t *)&c->rd.poll, client_closed);
    close_handle((uv_handle_t *)&c->wr.poll, client_closed);
}

static bool watch_init(struct qtest *q, struct qtest_watch *w, int fd)
{
    if (uv_poll_init(q->conn.loop, &w->poll, fd))
        return false;
    w->poll.data = q;
    w->events = 0;
    q->conn.nhandles++;
    return true;
}

static void meet_client(struct qtest *q)
{
    struct qtest_conn *c = &q->conn;

    set_nonblocking(c, 0, c->in_fd);
    c->eof = c->broken = false;
    qtest_client_new(q);
    qtest_conn_log(q, 'I', "OPENED", 6);
    c->met = true;
    c->pollable = watch_init(q, &c->rd, c->in_fd);
    if (c->out_fd != c->in_fd) {
        set_nonblocking(c, 1, c->out_fd);
        watch_init(q, &c->wr, c->out_fd);
    }
    go_on(q);
}

static void client_comes(uv_poll_t *h, int status, int events)
{
    struct qtest *q = h->data;
    struct qtest_conn *c = &q->conn;
    int fd = accept_next(c->listen_fd, &c->spare);

    if (fd < 0)
        return;
    uv_poll_stop(&c->listen); /* one at a time */
    c->in_fd = c->out_fd = fd;
    c->own_fds = true;
    meet_client(q);
}

static int open_unix(struct qtest *q, const char *path, bool server, struct err *err)
{
    struct qtest_conn *c = &q->conn;
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd, rc;

    if (!*path || strlen(path) >= sizeof(a.sun_path))
        return err_set(err, -EINVAL, "-qtest unix:%s: a socket's path has 1 to %zu characters",
                       path, sizeof(a.sun_path) - 1);
    memcpy(a.sun_path, path, strlen(path)); /* the rest is zero */
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, -errno, "-qtest unix:%s: %s", path, strerror(errno));
    if (server)
        unlink(path);
    rc = server ? bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1)
                : connect(fd, (struct sockaddr *)&a, sizeof(a));
    if (rc) {
        rc = -errno;
        close(fd);
        return err_set(err, rc, "-qtest unix:%s: %s%s", path, strerror(-rc),
                       server ? "" : "; start the client first, or say server=on");
    }
    if (server) {
        c->listen_fd = fd;
        snprintf(c->unlink_path, sizeof(c->unlink_path), "%s", path);
    } else {
        c->in_fd = c->out_fd = fd;
        c->own_fds = true;
    }
    return 0;
}

/* PATH[,server[=on]][,wait=off|,nowait]: waiting is the same to a machine whose time stands. */
static int parse_unix(struct qtest *q, const char *spec, struct err *err)
{
    char text[256], *save = NULL, *path, *opt;
    bool server = false;

    if (strlen(spec) >= sizeof(text))
        return err_set(err, -EINVAL, "-qtest unix:%s: too long", spec);
    memcpy(text, spec, strlen(spec) + 1);
    path = *text == ',' ? text + strlen(text) : strtok_r(text, ",", &save);
    while (path && save && (opt = strtok_r(NULL, ",", &save))) {
        if (!strcmp(opt, "server") || !strcmp(opt, "server=on"))
            server = true;
        else if (strcmp(opt, "server=off") && strcmp(opt, "wait") && strcmp(opt, "wait=on") &&
                 strcmp(opt, "wait=off") && strcmp(opt, "nowait"))
            return err_set(err, -EINVAL,
                           "-qtest unix:%s: %s: not known; use server=on|off and "
                           "wait=on|off",
                           spec, opt);
    }
    return open_unix(q, path ? path : "", server, err);
}

static int parse_fd(struct qtest *q, const char *text, struct err *err)
{
    char *end;
    long fd = strtol(text, &end, 10);

    if (*end || end == text || fd < 0 || fd > 65535 || fcntl((int)fd, F_GETFD) < 0)
        return err_set(err, -EINVAL, "-qtest fd:%s: not an open descriptor", text);
    fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    q->conn.in_fd = q->conn.out_fd = (int)fd;
    q->conn.own_fds = true;
    return 0;
}

int qtest_conn_open(struct qtest *q, struct err *err)
{
    struct qtest_conn *c = &q->conn;
    const char *spec = q->o.qtest;
    int rc;

    c->in_fd = c->out_fd = c->listen_fd = c->log_fd = -1;
    c->flags[0] = c->flags[1] = -1;
    c->log_start = host_now();
    rc = open_log(q, err);
    if (rc || !spec)
        return rc;
    if (!strncmp(spec, "unix:", 5))
        return parse_unix(q, spec + 5, err);
    if (!strncmp(spec, "fd:", 3))
        return parse_fd(q, spec + 3, err);
    if (strcmp(spec, "stdio"))
        return err_set(err, -EINVAL, "-qtest %s: not supported; use unix:PATH, fd:N or stdio",
                       spec);
    c->in_fd = STDIN_FILENO;
    c->out_fd = STDOUT_FILENO;
    return 0;
}

int qtest_conn_start(struct qtest *q, struct err *err)
{
    struct qtest_conn *c = &q->conn;

    uv_idle_init(c->loop, &c->idle);
    c->idle.data = q;
    c->nhandles++;
    if (c->listen_fd >= 0) {
        uv_poll_init(c->loop, &c->listen, c->listen_fd);
        c->listen.data = q;
        c->nhandles++;
        uv_poll_start(&c->listen, UV_READABLE, client_comes);
    }
    if (c->in_fd >= 0)
        meet_client(q);
    return 0;
}

void qtest_conn_close(struct qtest *q)
{
    struct qtest_conn *c = &q->conn;

    if (c->met) /* a start that fails says one line, and that is its own */
        qtest_conn_log(q, 'I', "CLOSED", 6);
    close_handle((uv_handle_t *)&c->rd.poll, closed);
    close_handle((uv_handle_t *)&c->wr.poll, closed);
    close_handle((uv_handle_t *)&c->listen, closed);
    close_handle((uv_handle_t *)&c->idle, closed);
    while (c->nhandles)
        uv_run(c->loop, UV_RUN_NOWAIT);
    release_fds(c);
    accept_end(&c->spare);
    if (c->listen_fd >= 0) {
        unlink(c->unlink_path);
        close(c->listen_fd);
    }
    if (c->log_fd >= 0)
        close(c->log_fd);
    free(c->in);
    free(c->out);
}
