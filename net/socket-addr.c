/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net/socket-addr.c: see socket-addr.h. Set-up only: names are looked up, a connect may wait. */
#include "net/socket-addr.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include "hw/core/config.h"

#define CONNECT_MS 10000

struct addr {
    struct sockaddr_storage ss;
    socklen_t len;
    const char *path; /* of a UNIX socket */
};

static int fail(const char *id, struct err *err, const char *what, const char *where)
{
    int e = errno;

    return err_set(err, -e, "netdev %s: %s %s: %s", id, what, where, strerror(e));
}

static int look_up(struct addr *a, const char *id, const char *host, const char *port, bool stream,
                   struct err *err)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
                              .ai_socktype = stream ? SOCK_STREAM : SOCK_DGRAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *list;
    int rc;

    if (!host || !*host)
        hints.ai_family = AF_INET;
    rc = getaddrinfo(host && *host ? host : NULL, port, &hints, &list);
    if (rc)
        return err_set(err, -EINVAL, "netdev %s: %s:%s: %s", id, host ? host : "", port ? port : "",
                       gai_strerror(rc));
    memcpy(&a->ss, list->ai_addr, list->ai_addrlen);
    a->len = list->ai_addrlen;
    freeaddrinfo(list);
    return 0;
}

/* "HOST:PORT", ":PORT", "[::1]:PORT". */
static int split(struct addr *a, const char *id, const char *text, bool stream, struct err *err)
{
    /* cppcheck-suppress nullPointerRedundantCheck ; exactly one of the keys was given */
    const char *colon = strrchr(text, ':');
    char host[256];
    size_t len = colon ? (size_t)(colon - text) : 0;

    if (!colon || !colon[1] || len >= sizeof(host))
        return err_set(err, -EINVAL, "netdev %s: %s: not HOST:PORT", id, text);
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    memcpy(host, text, len);
    host[len] = 0;
    return look_up(a, id, host, colon + 1, stream, err);
}

static int unix_addr(struct addr *a, const char *id, const char *path, struct err *err)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&a->ss;

    if (!path || !*path || strlen(path) >= sizeof(un->sun_path))
        return err_set(err, -EINVAL, "netdev %s: path=%s: must have 1 to %d characters", id,
                       path ? path : "", (int)sizeof(un->sun_path) - 1);
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, strlen(path) + 1);
    a->len = sizeof(*un);
    a->path = path;
    return 0;
}

static const char *sub(const struct config *cfg, const char *prefix, const char *key)
{
    char full[32];

    snprintf(full, sizeof(full), "%s.%s", prefix, key);
    return config_str(cfg, full, NULL);
}

/* Takes over a descriptor of the caller's that has this type of socket. */
static int take_fd(const char *id, const char *text, int *type, struct err *err)
{
    char *end;
    long fd = strtol(text, &end, 10);
    socklen_t len = sizeof(*type);

    if (end == text || *end || fd < 0 || fd > 65535)
        return err_set(err, -EINVAL, "netdev %s: fd=%s: not a descriptor number", id, text);
    if (getsockopt((int)fd, SOL_SOCKET, SO_TYPE, type, &len))
        return fail(id, err, "fd", text);
    fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    fcntl((int)fd, F_SETFL, fcntl((int)fd, F_GETFL) | O_NONBLOCK);
    return (int)fd;
}

/* local.* or remote.* or addr.*: 0 with *fd set for type=fd, and -1 in it otherwise. */
static int sub_addr(struct addr *a, const char *id, const struct config *cfg, const char *prefix,
                    bool stream, int *fd, struct err *err)
{
    const char *type = sub(cfg, prefix, "type");
    int got;

    *fd = -1;
    if (!type)
        return err_set(err, -EINVAL, "netdev %s: %s.type is missing", id, prefix);
    if (!strcmp(type, "inet"))
        return look_up(a, id, sub(cfg, prefix, "host"), sub(cfg, prefix, "port"), stream, err);
    if (!strcmp(type, "unix"))
        return unix_addr(a, id, sub(cfg, prefix, "path"), err);
    if (strcmp(type, "fd"))
        return err_set(err, -EINVAL, "netdev %s: %s.type=%s: use inet, unix or fd", id, prefix,
                       type);
    *fd = take_fd(id, sub(cfg, prefix, "str") ? sub(cfg, prefix, "str") : "", &got, err);
    if (*fd >= 0 && (got == SOCK_STREAM) != stream)
        return err_set(err, -EINVAL, "netdev %s: %s.str: the descriptor is not a %s socket", id,
                       prefix, stream ? "stream" : "datagram");
    return *fd < 0 ? *fd : 0;
}

static int new_socket(const char *id, const struct addr *a, bool stream, struct err *err)
{
    int on = 1, fd = socket(a->ss.ss_family,
                            (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return fail(id, err, "socket", "");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    return fd;
}

/* The name of a UNIX socket is ours to make, and to take away at the end. */
static int bind_it(struct sock_plan *p, const char *id, int fd, const struct addr *a,
                   struct err *err)
{
    if (a->path)
        unlink(a->path);
    if (bind(fd, (const struct sockaddr *)&a->ss, a->len))
        return fail(id, err, "cannot bind", a->path ? a->path : "its address");
    if (a->path)
        snprintf(p->path, sizeof(p->path), "%s", a->path);
    return 0;
}

static int listen_at(struct sock_plan *p, const char *id, const struct addr *a, struct err *err)
{
    int rc;

    p->listen_fd = new_socket(id, a, true, err);
    if (p->listen_fd < 0)
        return p->listen_fd;
    rc = bind_it(p, id, p->listen_fd, a, err);
    if (!rc && listen(p->listen_fd, 1))
        rc = fail(id, err, "listen", "");
    return rc;
}

static int connect_to(struct sock_plan *p, const char *id, const struct addr *a, struct err *err)
{
    struct pollfd pfd = { .events = POLLOUT };
    int e = 0;
    socklen_t len = sizeof(e);

    p->fd = new_socket(id, a, true, err);
    if (p->fd < 0)
        return p->fd;
    if (!connect(p->fd, (const struct sockaddr *)&a->ss, a->len))
        return 0;
    pfd.fd = p->fd;
    if (errno == EINPROGRESS) {
        if (poll(&pfd, 1, CONNECT_MS) != 1)
            errno = ETIMEDOUT;
        else if (!getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &e, &len) && !e)
            return 0;
        else
            errno = e;
    }
    return fail(id, err, "cannot connect to", a->path ? a->path : "its peer");
}

static int dgram_between(struct sock_plan *p, const char *id, const struct addr *local,
                         const struct addr *remote, struct err *err)
{
    p->fd = new_socket(id, local->len ? local : remote, false, err);
    if (p->fd < 0)
        return p->fd;
    memcpy(&p->peer, &remote->ss, remote->len);
    p->peer_len = remote->len;
    return local->len ? bind_it(p, id, p->fd, local, err) : 0;
}

/* A multicast group: everybody binds its port and hears everybody, this host included. */
static int join_group(struct sock_plan *p, const char *id, const struct addr *group,
                      const char *from, struct err *err)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&group->ss;
    struct ip_mreq m = { 0 };
    struct addr any = *group;
    struct addr local = { 0 };
    int on = 1, rc = 0;

    if (group->ss.ss_family != AF_INET || !IN_MULTICAST(ntohl(in->sin_addr.s_addr)))
        return err_set(err, -EINVAL, "netdev %s: mcast: not a multicast address of IPv4", id);
    if (from)
        rc = look_up(&local, id, from, "0", false, err);
    if (!rc)
        rc = dgram_between(p, id, &any, group, err);
    if (rc)
        return rc;
    m.imr_multiaddr = in->sin_addr;
    if (local.len)
        m.imr_interface = ((struct sockaddr_in *)&local.ss)->sin_addr;
    if (setsockopt(p->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)) ||
        setsockopt(p->fd, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof(on)) ||
        (local.len &&
         setsockopt(p->fd, IPPROTO_IP, IP_MULTICAST_IF, &m.imr_interface, sizeof(m.imr_interface))))
        return fail(id, err, "cannot join", "the multicast group");
    return 0;
}

/* -netdev socket: exactly one of these says what it is. */
static int plan_socket(struct sock_plan *p, const char *id, const struct config *cfg,
                       struct err *err)
{
    const char *fd = config_str(cfg, "fd", NULL), *on = config_str(cfg, "listen", NULL);
    const char *to = config_str(cfg, "connect", NULL), *group = config_str(cfg, "mcast", NULL);
    const char *udp = config_str(cfg, "udp", NULL), *from = config_str(cfg, "localaddr", NULL);
    struct addr a = { 0 }, local = { 0 };
    const char *where;
    int type = SOCK_STREAM, rc;

    if (!!fd + !!on + !!to + !!group + !!udp != 1)
        return err_set(err, -EINVAL,
                       "netdev %s: exactly one of listen=, connect=, mcast= or udp= is required "
                       "(or fd=)",
                       id);
    if (udp && !from)
        return err_set(err, -EINVAL, "netdev %s: localaddr= is mandatory with udp=", id);
    if (fd) {
        p->fd = take_fd(id, fd, &type, err);
        p->stream = type == SOCK_STREAM;
        return p->fd < 0 ? p->fd : 0;
    }
    p->stream = on || to;
    where = on ? on : to ? to : group ? group : udp;
    rc = split(&a, id, where, p->stream, err);
    if (!rc && udp)
        rc = split(&local, id, from, false, err);
    if (rc)
        return rc;
    if (group)
        return join_group(p, id, &a, from, err);
    if (udp)
        return dgram_between(p, id, &local, &a, err);
    return on ? listen_at(p, id, &a, err) : connect_to(p, id, &a, err);
}

static int plan_dgram(struct sock_plan *p, const char *id, const struct config *cfg,
                      struct err *err)
{
    struct addr local = { 0 }, remote = { 0 };
    bool to = sub(cfg, "remote", "type") != NULL, from = sub(cfg, "local", "type") != NULL;
    const struct sockaddr_in *in = (const struct sockaddr_in *)&remote.ss;
    int fd = -1, none, rc = 0;

    if (!to && !from)
        return err_set(err, -EINVAL, "netdev %s: dgram requires local= or remote= parameter", id);
    if (from)
        rc = sub_addr(&local, id, cfg, "local", false, &fd, err);
    p->fd = fd;
    if (rc || fd >= 0)
        return rc;
    if (!to)
        return err_set(err, -EINVAL, "netdev %s: remote.type is missing", id);
    rc = sub_addr(&remote, id, cfg, "remote", false, &none, err);
    p->fd = none;
    if (!rc && none >= 0)
        rc = err_set(err, -EINVAL, "netdev %s: remote.type=fd: say local.type=fd", id);
    if (rc)
        return rc;
    if (remote.ss.ss_family == AF_INET && IN_MULTICAST(ntohl(in->sin_addr.s_addr)))
        return join_group(p, id, &remote, sub(cfg, "local", "host"), err);
    if (!from)
        return err_set(err, -EINVAL, "netdev %s: local.type is missing", id);
    return dgram_between(p, id, &local, &remote, err);
}

static int plan_stream(struct sock_plan *p, const char *id, const struct config *cfg,
                       struct err *err)
{
    struct addr a = { 0 };
    int fd, rc = sub_addr(&a, id, cfg, "addr", true, &fd, err);

    p->stream = true;
    p->fd = fd;
    if (rc || fd >= 0)
        return rc;
    return config_bool(cfg, "server", false) ? listen_at(p, id, &a, err)
                                             : connect_to(p, id, &a, err);
}

int sock_plan_make(struct sock_plan *p, const char *id, const struct config *cfg, struct err *err)
{
    const char *type = config_str(cfg, "type", "");
    int rc;

    memset(p, 0, sizeof(*p));
    p->fd = p->listen_fd = -1;
    rc = !strcmp(type, "socket")   ? plan_socket(p, id, cfg, err)
         : !strcmp(type, "dgram")  ? plan_dgram(p, id, cfg, err)
         : !strcmp(type, "stream") ? plan_stream(p, id, cfg, err)
                                   : err_set(err, -EINVAL, "netdev %s: type=%s", id, type);
    if (rc)
        sock_plan_close(p);
    return rc;
}

void sock_plan_close(struct sock_plan *p)
{
    if (p->fd >= 0)
        close(p->fd);
    if (p->listen_fd >= 0)
        close(p->listen_fd);
    if (*p->path)
        unlink(p->path);
    p->fd = p->listen_fd = -1;
    *p->path = 0;
}
