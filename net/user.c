/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User-mode networking, portico-dm's half: frames to and from portico-slirp
 * (net/slirp/), one packet of a SOCK_SEQPACKET pair each. What the guest sends
 * is parsed over there. portico-slirp starts its own worker again when that
 * dies, with the pair as it is; when all of it is gone, it is started again
 * from here, ever more slowly. The guest's cable stays live all the time.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>
#include "hw/core/config.h"
#include "hw/core/helper.h"
#include "hw/core/log.h"
#include "net/net.h"
#include "net/slirp/protocol.h"

#define READY_MS    30000 /* on a machine that is busy */
#define RETRY_MS    200   /* and twice as long each time, up to */
#define RETRY_MAX   10000
#define LONG_ENOUGH UINT64_C(10000) /* ms; who lived so long is started again at once */
#define PAIR_BYTES  (1024 * 1024)

struct user {
    struct net net;
    struct uv_loop_s *loop;
    char id[64];
    char *helper;
    char **argv;
    int fd; /* our end of the pair; -1: it is gone, and `retry` runs */
    pid_t pid;
    uv_poll_t *poll; /* allocations of their own: libuv lets go of them after we are gone */
    uv_timer_t *retry;
    uint64_t started; /* ms */
    unsigned pause;   /* ms */
    bool waiting;     /* the card had no room */
    bool full;        /* log once that frames are dropped: nobody reads them */
    uint8_t frame[NET_FRAME_MAX];
};

static void user_readable(uv_poll_t *h, int status, int events);

static void handle_closed(uv_handle_t *h)
{
    free(h);
}

/* ---- the process ---- */

static int spawn(struct user *u, int pair, int status)
{
    const struct helper_fd fds[] = { { pair, SLIRP_PAIR_FD },
                                     { status, SLIRP_STATUS_FD },
                                     { -1, 0 } };

    return helper_spawn(u->helper, u->argv, fds, 3, &u->pid);
}

/* Descriptors that the file actions cannot take for one another. */
static int above(int fd)
{
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, SLIRP_STATUS_FD + 1);

    if (fd >= 0)
        close(fd);
    return high;
}

static int start(struct user *u, int *status)
{
    int pair[2] = { -1, -1 }, pipe_fd[2] = { -1, -1 }, size = PAIR_BYTES, rc;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) ||
        pipe2(pipe_fd, O_CLOEXEC)) {
        rc = -errno;
    } else {
        setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        pair[1] = above(pair[1]);
        pipe_fd[1] = above(pipe_fd[1]);
        rc = pair[1] < 0 || pipe_fd[1] < 0 ? -EMFILE : spawn(u, pair[1], pipe_fd[1]);
    }
    if (pair[1] >= 0)
        close(pair[1]);
    if (pipe_fd[1] >= 0)
        close(pipe_fd[1]);
    if (!rc) {
        u->fd = pair[0];
        *status = pipe_fd[0];
        u->started = uv_hrtime() / 1000000;
        return 0;
    }
    if (pair[0] >= 0)
        close(pair[0]);
    if (pipe_fd[0] >= 0)
        close(pipe_fd[0]);
    return rc;
}

/* Until portico-slirp says that it is ready, by closing the pipe, or what is wrong. */
static int wait_ready(struct user *u, int status, struct err *err)
{
    char text[400];
    size_t len = 0;
    ssize_t n = 1;
    struct pollfd p = { .fd = status, .events = POLLIN };

    while (n > 0 && len < sizeof(text) - 1) {
        int got = poll(&p, 1, READY_MS);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set(err, -ETIMEDOUT, "netdev %s: %s does not answer", u->id, u->helper);
        n = read(status, text + len, sizeof(text) - 1 - len);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            len += (size_t)n;
    }
    text[len] = 0;
    text[strcspn(text, "\n")] = 0;
    if (!len) /* it fell before it could say anything */
        return err_set(err, -EIO, "netdev %s: %s ended at once", u->id, u->helper);
    return strcmp(text, SLIRP_READY) ? err_set(err, -EINVAL, "netdev %s: %s", u->id, text) : 0;
}

static void end_process(struct user *u)
{
    if (u->fd >= 0)
        close(u->fd);
    u->fd = -1;
    if (u->pid <= 0)
        return;
    kill(u->pid, SIGKILL);
    while (waitpid(u->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    u->pid = 0;
}

static int watch(struct user *u)
{
    u->poll = calloc(1, sizeof(*u->poll));
    if (!u->poll || uv_poll_init(u->loop, u->poll, u->fd)) {
        free(u->poll);
        u->poll = NULL;
        return -ENOMEM;
    }
    u->poll->data = u;
    if (!u->waiting)
        uv_poll_start(u->poll, UV_READABLE, user_readable);
    return 0;
}

static void try_again(uv_timer_t *t);

static void start_later(struct user *u)
{
    uint64_t lived = uv_hrtime() / 1000000 - u->started;

    u->pause = lived >= LONG_ENOUGH ? RETRY_MS : u->pause * 2;
    if (u->pause > RETRY_MAX)
        u->pause = RETRY_MAX;
    uv_timer_start(u->retry, try_again, u->pause, 0);
}

/* Nobody waits for it to be ready: frames do, in the pair. What is wrong it says in the log. */
static void try_again(uv_timer_t *t)
{
    struct user *u = t->data;
    int status, rc = start(u, &status);

    if (!rc) {
        close(status);
        rc = watch(u);
    }
    if (!rc)
        return;
    log_provoked("netdev %s: cannot run %s: %s", u->id, u->helper, strerror(-rc));
    end_process(u);
    start_later(u);
}

static void process_gone(struct user *u)
{
    if (u->poll)
        uv_close((uv_handle_t *)u->poll, handle_closed);
    u->poll = NULL;
    end_process(u);
    log_provoked("netdev %s: portico-slirp has ended; it is started again", u->id);
    start_later(u);
}

/* ---- frames ---- */

static void user_readable(uv_poll_t *h, int status, int events)
{
    struct user *u = h->data;
    size_t bytes = 0;

    for (unsigned i = 0; i < NET_TURN_FRAMES && bytes < NET_TURN_BYTES; i++) {
        ssize_t len;

        if (!net_wants(&u->net)) {
            u->waiting = true;
            uv_poll_stop(u->poll);
            return;
        }
        len = recv(u->fd, u->frame, sizeof(u->frame), MSG_DONTWAIT);
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (len <= 0) {
            process_gone(u);
            return;
        }
        bytes += (size_t)len;
        net_deliver(&u->net, u->frame, (size_t)len);
    }
}

static bool user_send(struct net *n, const uint8_t *frame, size_t len)
{
    struct user *u = n->priv;

    return u->fd >= 0 && send(u->fd, frame, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
}

static void user_kick(struct net *n)
{
    struct user *u = n->priv;

    if (!u->waiting)
        return;
    u->waiting = false;
    if (u->poll)
        uv_poll_start(u->poll, UV_READABLE, user_readable);
}

/* ---- life ---- */

static void user_shut(struct net *n)
{
    struct user *u = n->priv;

    if (u->poll)
        uv_close((uv_handle_t *)u->poll, handle_closed);
    if (u->retry)
        uv_close((uv_handle_t *)u->retry, handle_closed);
    u->poll = NULL;
    u->retry = NULL;
    end_process(u);
}

static void user_free(struct net *n)
{
    struct user *u = n->priv;

    for (unsigned i = 0; u->argv && u->argv[i]; i++)
        free(u->argv[i]);
    free(u->argv);
    free(u->helper);
    free(u);
}

static const struct net_ops user_ops = {
    .name = "user", .shut = user_shut, .free = user_free, .send = user_send, .kick = user_kick
};

/* portico-slirp KEY=VALUE…: what it is to do, but for what only we care for. */
static bool make_argv(struct user *u, const struct config *cfg)
{
    unsigned n = 0;

    u->argv = calloc(cfg->n + 2, sizeof(*u->argv));
    if (!u->argv || !(u->argv[n++] = strdup("portico-slirp")))
        return false;
    for (size_t i = 0; i < cfg->n; i++) {
        const char *key = cfg->items[i].key;

        if (!strcmp(key, "type") || !strcmp(key, "id"))
            continue;
        if (asprintf(&u->argv[n], "%s=%s", key, cfg->items[i].val) < 0) {
            u->argv[n] = NULL;
            return false;
        }
        n++;
    }
    return true;
}

static int user_start(struct user *u, struct err *err)
{
    int status, rc;

    if (access(u->helper, X_OK))
        return err_set(err, -errno, "netdev %s: %s: %s; it belongs beside portico-dm", u->id,
                       u->helper, strerror(errno));
    rc = start(u, &status);
    if (rc)
        return err_set(err, rc, "netdev %s: cannot run %s: %s", u->id, u->helper, strerror(-rc));
    rc = wait_ready(u, status, err);
    close(status);
    return rc;
}

struct net *net_open_user(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                          const char *dir, struct err *err)
{
    struct user *u = calloc(1, sizeof(*u));
    int rc = -ENOMEM;

    err_set(err, -ENOMEM, "netdev %s: out of memory", id);
    if (!u)
        return NULL;
    u->loop = loop;
    u->fd = -1;
    u->pause = RETRY_MS / 2;
    u->net.ops = &user_ops;
    u->net.priv = u;
    snprintf(u->id, sizeof(u->id), "%s", id);
    if (asprintf(&u->helper, "%s/portico-slirp", dir) < 0)
        u->helper = NULL;
    u->retry = u->helper ? malloc(sizeof(*u->retry)) : NULL;
    if (u->retry && make_argv(u, cfg))
        rc = user_start(u, err);
    if (!rc)
        rc = watch(u);
    if (rc) {
        end_process(u);
        free(u->retry);
        user_free(&u->net);
        return NULL;
    }
    uv_timer_init(loop, u->retry);
    u->retry->data = u;
    return &u->net;
}
