/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-stdio.c: the control protocol on standard input and output,
 * which may be a terminal, a pipe, a file or a device, and are shared with
 * other processes, so that they may not be made non-blocking. Two threads
 * carry bytes between them and a socket, whose other end is a client's. They
 * know nothing else.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "control/qmp-impl.h"

#define LAST_WORDS_S 2 /* for what is still to be written when the process ends */

struct qmp_stdio {
    int fd;   /* the threads' end of the socket */
    int stop; /* readable: no more input is wanted */
    pthread_t in, out;
    bool has_in, has_out;
};

static bool write_all(int fd, const char *p, size_t len)
{
    while (len) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* stop: an event that ends it, or -1. */
static void carry(int from, int to, int stop)
{
    struct pollfd p[] = { { .fd = from, .events = POLLIN }, { .fd = stop, .events = POLLIN } };
    char buf[4096];
    ssize_t n;

    do {
        if (stop >= 0 && (poll(p, 2, -1) < 0 || p[1].revents))
            n = p[1].revents ? 0 : -1;
        else
            n = read(from, buf, sizeof(buf));
    } while ((n < 0 && errno == EINTR) || (n > 0 && write_all(to, buf, (size_t)n)));
}

/* The end of the input is an end for the client, which still gets its answers written. */
static void *carry_in(void *arg)
{
    struct qmp_stdio *s = arg;

    carry(STDIN_FILENO, s->fd, s->stop);
    shutdown(s->fd, SHUT_WR);
    return NULL;
}

static void *carry_out(void *arg)
{
    struct qmp_stdio *s = arg;

    carry(s->fd, STDOUT_FILENO, -1);
    return NULL;
}

/* Signals are the loop's. */
static int start(pthread_t *t, void *(*run)(void *), void *arg)
{
    sigset_t all, old;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(t, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}

struct qmp_stdio *qmp_stdio_open(int *fd, struct err *err)
{
    struct qmp_stdio *s = calloc(1, sizeof(*s));
    int pair[2], rc = ENOMEM;

    if (s)
        s->fd = s->stop = eventfd(0, EFD_CLOEXEC);
    if (s && s->stop >= 0 && !socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
        s->fd = pair[0];
        *fd = pair[1];
        rc = start(&s->out, carry_out, s);
        s->has_out = !rc;
        rc = rc ? rc : start(&s->in, carry_in, s);
        s->has_in = !rc;
        if (!rc)
            return s;
        close(*fd);
    }
    err_set(err, -rc, "control protocol on stdio: %s", strerror(rc));
    qmp_stdio_close(s);
    return NULL;
}

/* False: it is held up by somebody who does not read, or has taken our input, and is left alone. */
static bool ended(pthread_t t)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LAST_WORDS_S;
    if (!pthread_timedjoin_np(t, NULL, &until))
        return true;
    pthread_detach(t);
    return false;
}

/* The client's end is closed: what it has said is written. */
void qmp_stdio_close(struct qmp_stdio *s)
{
    const uint64_t one = 1;
    bool gone = true;

    if (!s)
        return;
    if (s->has_in)
        gone = write(s->stop, &one, sizeof(one)) == sizeof(one) && ended(s->in);
    if (s->has_out)
        gone &= ended(s->out);
    if (!gone)
        return; /* what they use stays until the process ends */
    if (s->fd != s->stop && s->fd >= 0)
        close(s->fd);
    if (s->stop >= 0)
        close(s->stop);
    free(s);
}
