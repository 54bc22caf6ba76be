/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `portico console`: this terminal as a guest's serial terminal. Ctrl-] leaves. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>
#include "cli/verbs.h"

#define ESCAPE 0x1d /* Ctrl-] */

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

static bool write_all(int fd, const char *p, ssize_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, p, (size_t)n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        p += k;
        n -= k;
    }
    return true;
}

/* false: it is over */
static bool from_guest(int port)
{
    char buf[4096];
    ssize_t n = read(port, buf, sizeof(buf));

    if (n < 0 && errno == EINTR)
        return true;
    return n > 0 && write_all(1, buf, n);
}

/* *in is -1 afterwards when there will be no more. false: the user leaves. */
static bool from_user(int *in, int port, bool terminal)
{
    char buf[256], *escape;
    ssize_t n = read(*in, buf, sizeof(buf));

    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0) {
        *in = -1; /* a pipe that has ended: go on showing what the guest says */
        return true;
    }
    escape = terminal ? memchr(buf, ESCAPE, (size_t)n) : NULL;
    if (!write_all(port, buf, escape ? escape - buf : n))
        return false;
    return !escape;
}

static void carry(int port)
{
    struct termios old, raw;
    bool terminal = !tcgetattr(0, &old);
    struct pollfd p[2] = { { .fd = port, .events = POLLIN }, { .fd = 0, .events = POLLIN } };

    if (terminal) {
        raw = old;
        cfmakeraw(&raw);
        tcsetattr(0, TCSANOW, &raw);
    }
    for (;;) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            break;
        if (p[0].revents && !from_guest(port))
            break;
        if (p[1].fd >= 0 && p[1].revents && !from_user(&p[1].fd, port, terminal))
            break;
    }
    if (terminal) {
        tcsetattr(0, TCSANOW, &old);
        fputc('\n', stderr);
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
