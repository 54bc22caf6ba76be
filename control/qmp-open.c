/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-open.c: the sockets of the control protocol: one that listens, one
 * that was inherited, or one that is connected to a client that waits for us
 * (-chardev socket without server=on), by path, abstract name or TCP.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "control/keyval.h"
#include "control/qmp-impl.h"

#define BACKLOG 16

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

static int fail(int fd, const char *name, struct err *err)
{
    int rc = err_set(err, -errno, "control socket %s: %s", name, strerror(errno));

    if (fd >= 0)
        close(fd);
    return rc;
}

/* Listens at the address, or connects to who listens there. */
static int attach(int fd, const struct sockaddr *sa, socklen_t len, bool server)
{
    int one = 1;

    if (!server)
        return connect(fd, sa, len);
    if (sa->sa_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    return bind(fd, sa, len) || listen(fd, BACKLOG) ? -1 : 0;
}

static int open_path(const struct chardev_arg *ch, struct err *err)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    size_t len = strlen(ch->path);
    int fd, rc = 0;

    if (!len || len >= sizeof(sa.sun_path))
        return err_set(err, -ENAMETOOLONG, "control socket %s: the path must have 1 to %zu bytes",
                       ch->path, sizeof(sa.sun_path) - 1);
    memcpy(sa.sun_path + (ch->abstract ? 1 : 0), ch->path, ch->abstract ? len : len + 1);
    if (ch->server && !ch->abstract)
        rc = remove_stale(ch->path, err);
    if (rc)
        return rc;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || attach(fd, (struct sockaddr *)&sa,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1), ch->server))
        return fail(fd, ch->path, err);
    if (ch->server && !ch->abstract && chmod(ch->path, 0600))
        return fail(fd, ch->path, err);
    return fd;
}

static int open_tcp(const struct chardev_arg *ch, struct err *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = ch->server ? AI_PASSIVE : 0 };
    struct addrinfo *list;
    char port[16], *name;
    int fd = -1, rc;

    snprintf(port, sizeof(port), "%d", ch->port);
    rc = getaddrinfo(*ch->host ? ch->host : NULL, port, &hints, &list);
    if (rc)
        return err_set(err, -EINVAL, "control socket %s:%s: %s", ch->host, port, gai_strerror(rc));
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && attach(fd, a->ai_addr, a->ai_addrlen, ch->server)) {
            rc = errno;
            close(fd);
            errno = rc;
            fd = -1;
        }
    }
    name = xasprintf("%s:%s", ch->host, port);
    rc = fd < 0 ? fail(-1, name, err) : fd;
    freeaddrinfo(list);
    free(name);
    return rc;
}

/* A socket that the toolstack bound and listens on; where it is bound is for query-chardev. */
static int adopt_fd(const struct chardev_arg *ch, char **name, struct err *err)
{
    struct sockaddr_un sa = { 0 };
    socklen_t len = sizeof(sa) - 1, optlen = sizeof(int);
    int listening = 0;

    if (getsockname(ch->fd, (struct sockaddr *)&sa, &len) || sa.sun_family != AF_UNIX ||
        getsockopt(ch->fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &optlen) || !listening)
        return err_set(err, -EINVAL, "-chardev id=%s: fd=%d is not a listening UNIX socket", ch->id,
                       ch->fd);
    if (fcntl(ch->fd, F_SETFD, FD_CLOEXEC))
        return err_set(err, -errno, "-chardev id=%s: fd=%d: %s", ch->id, ch->fd, strerror(errno));
    *name = xasprintf("unix:%s,server=on", sa.sun_path);
    return ch->fd;
}

int qmp_socket_open(const struct chardev_arg *ch, char **name, struct err *err)
{
    const char *server = ch->server ? ",server=on" : "";
    int fd;

    if (strcmp(ch->kind, "socket"))
        return err_set(err, -ENOTSUP, "-mon chardev=%s: a %s is not supported; use a socket",
                       ch->id, ch->kind);
    if (ch->path)
        fd = open_path(ch, err);
    else if (ch->host)
        fd = open_tcp(ch, err);
    else
        fd = adopt_fd(ch, name, err);
    if (fd < 0)
        return fd;
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
        return fail(fd, ch->id, err);
    if (ch->path)
        *name = xasprintf("unix:%s%s%s", ch->path, ch->abstract ? ",abstract=on" : "", server);
    else if (ch->host)
        *name = xasprintf("tcp:%s:%d%s", ch->host, ch->port, server);
    return fd;
}
