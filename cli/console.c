/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `portico console`: this terminal as a guest's serial terminal. Ctrl-] leaves. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>
#include "cli/verbs.h"

#define ESCAPE    0x1d /* Ctrl-] */
#define TYPED_MAX 4096

/* Where serial port N goes: "pty:/dev/pts/3", "file:…", … */
static int find_port(struct target *t, unsigned port, char *path, size_t size)
{
    json_t *list = target_call(t, "query-chardev", NULL), *dev;
    const char *file = NULL;
    char label[24];
    size_t i;
    int rc = 1;

    snprintf(label, sizeof(label), "serial%u", port);
    for (i = 0; i < json_array_size(list); i++) {
        dev = json_array_get(list, i);
        if (!strcmp(fact(dev, "label"), label))
            file = fact(dev, "filename");
    }
    if (list && !file)
        complain("%s: it has no serial port %u; write serial=\"pty\"", fact(t->facts, "name"),
                 port);
    else if (list && strncmp(file, "pty:", 4))
        complain("%s: its serial port %u goes to %s; look there", fact(t->facts, "name"), port,
                 file);
    else if (list && snprintf(path, size, "%s", file + 4) < (int)size)
        rc = 0;
    json_decref(list);
    return rc;
}

static int open_port(const char *name, const char *path)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios tio;

    if (fd < 0)
        return complain("%s: %s: %s", name, path, strerror(errno)), -1;
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        return complain("%s: another console is attached; leave that one first (Ctrl-])", name), -1;
    }
    if (!tcgetattr(fd, &tio)) {
        cfmakeraw(&tio);
        tcsetattr(fd, TCSANOW, &tio);
    }
    return fd;
}

static volatile sig_atomic_t ended_by; /* a signal: the terminal is put right before it counts */

static void on_signal(int signum)
{
    ended_by = signum;
}

/* What the user has typed and the guest has not taken yet. */
struct typed {
    char buf[TYPED_MAX];
    size_t len;
    int in;        /* where from; -1: there will be no more */
    bool terminal; /* it is one: Ctrl-] leaves, and nobody waits for a guest that takes nothing */
};

static bool later(void)
{
    return errno == EINTR || errno == EAGAIN;
}

/* Whoever started us may have made our standard output one that does not wait. */
static bool show(const char *p, ssize_t n)
{
    while (n > 0) {
        struct pollfd out = { .fd = 1, .events = POLLOUT };
        ssize_t k = write(1, p, (size_t)n);

        if (k < 0 && !later())
            return false;
        if (k < 0 && ended_by)
            return false;
        if (k < 0 && errno == EAGAIN)
            poll(&out, 1, -1);
        p += k > 0 ? k : 0;
        n -= k > 0 ? k : 0;
    }
    return true;
}

/* false: it is over */
static bool from_guest(int port)
{
    char buf[4096];
    ssize_t n = read(port, buf, sizeof(buf));

    if (n < 0 && later())
        return true;
    return n > 0 && show(buf, n);
}

/* As much as it takes: a guest that reads nothing must keep nobody from seeing it, or from leaving.
 */
static bool to_guest(struct typed *t, int port)
{
    ssize_t n = write(port, t->buf, t->len);

    if (n < 0)
        return later();
    t->len -= (size_t)n;
    memmove(t->buf, t->buf + n, t->len);
    return true;
}

/* false: the user leaves. */
static bool from_user(struct typed *t)
{
    char buf[256], *escape;
    ssize_t n = read(t->in, buf, sizeof(buf));
    size_t room = sizeof(t->buf) - t->len, take;

    if (n < 0 && later())
        return true;
    if (n <= 0) {
        t->in = -1; /* a pipe that has ended: go on showing what the guest says */
        return true;
    }
    escape = t->terminal ? memchr(buf, ESCAPE, (size_t)n) : NULL;
    take = escape ? (size_t)(escape - buf) : (size_t)n;
    if (take > room) {
        take = room;
        show("\a", 1);
    }
    memcpy(t->buf + t->len, buf, take);
    t->len += take;
    return !escape;
}

/* Until the guest, the user or a signal ends it. */
static void turn(struct typed *t, int port, const sigset_t *open)
{
    while (!ended_by) {
        bool ask = t->terminal || sizeof(t->buf) - t->len >= 256;
        struct pollfd p[2] = { { .fd = port, .events = t->len ? POLLIN | POLLOUT : POLLIN },
                               { .fd = ask ? t->in : -1, .events = POLLIN } };

        if (ppoll(p, 2, NULL, open) < 0) {
            if (!later())
                return;
            continue;
        }
        if (p[0].revents & ~POLLOUT && !from_guest(port))
            return;
        if (p[1].revents && !from_user(t)) {
            to_guest(t, port);
            return;
        }
        if (t->len && !to_guest(t, port))
            return;
    }
}

static void carry(int port)
{
    struct sigaction act = { .sa_handler = on_signal };
    struct termios old, raw;
    struct typed t = { .in = 0, .terminal = !tcgetattr(0, &old) };
    sigset_t ends, before;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGHUP);
    sigprocmask(SIG_BLOCK, &ends, &before); /* they come in ppoll() */
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGHUP, &act, NULL);
    fcntl(port, F_SETFL, fcntl(port, F_GETFL) | O_NONBLOCK);
    if (t.terminal) {
        raw = old;
        cfmakeraw(&raw);
        tcsetattr(0, TCSANOW, &raw);
    }
    turn(&t, port, &before);
    if (t.terminal) {
        tcsetattr(0, TCSANOW, &old);
        fputc('\n', stderr);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (ended_by) {
        signal(ended_by, SIG_DFL);
        raise(ended_by);
    }
}

int console_attach(const struct place *p, const char *name, unsigned port, bool go)
{
    char path[256];
    struct target t;
    int rc = target_open(&t, name, true), fd = -1;

    if (!rc)
        rc = find_port(&t, port, path, sizeof(path));
    if (!rc) {
        fd = open_port(name, path);
        rc = fd < 0;
    }
    if (go && t.qmp.fd >= 0)
        rc |= target_do(&t, "cont", NULL);
    if (fd >= 0 && !rc && isatty(2))
        fprintf(stderr, "connected to %s; Ctrl-] leaves\n", fact(t.facts, "name"));
    target_close(&t);
    if (fd < 0)
        return 1;
    if (!rc)
        carry(fd);
    close(fd);
    return rc;
}

int verb_console(int argc, char **argv)
{
    unsigned port = 0;
    struct place place;
    int opt;

    while ((opt = getopt(argc, argv, "n:t:e:")) != -1) {
        if (opt == 'n')
            port = (unsigned)strtoul(optarg, NULL, 10);
        else if (opt == 't' && strcmp(optarg, "serial"))
            return complain("console -t %s: only serial ports are there", optarg), 2;
        else if (opt != 't')
            return complain("console: only -n PORT and -t serial are known"), 2;
    }
    if (argc - optind != 1)
        return complain("console: which guest? portico console [-n PORT] NAME"), 2;
    return place_find(&place) ? 1 : console_attach(&place, argv[optind], port, false);
}
