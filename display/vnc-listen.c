/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the VNC display listens: TCP port 5900 + display on every address the
 * host name stands for, or a Unix socket; and the port of web clients.
 */
#include "display/vnc-impl.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PORT_BASE 5900
#define WEB_BASE  5700
#define BACKLOG   128

void vnc_unlisten(struct vnc *v)
{
    for (unsigned i = 0; i < v->nfds; i++)
        close(v->fds[i]);
    v->nfds = 0;
    if (v->unix_path) {
        unlink(v->unix_path);
        free(v->unix_path);
        v->unix_path = NULL;
    }
}

static int bind_to(const struct sockaddr *addr, socklen_t len, bool dual)
{
    int one = 1, v6only = !dual;
    int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if (addr->sa_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (addr->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
    /* With SO_REUSEADDR two may bind; the second to listen is told. */
    if (bind(fd, addr, len) || listen(fd, BACKLOG)) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

/* Every address on one port, or none: an address the machine does not have is left out. */
static int bind_all(struct vnc *v, struct addrinfo *list, unsigned port, bool web)
{
    unsigned before = v->nfds;
    bool dual = list && !list->ai_next;
    int rc = -EADDRNOTAVAIL;

    for (struct addrinfo *a = list; a && v->nfds < VNC_SOCKETS; a = a->ai_next) {
        union {
            struct sockaddr any;
            struct sockaddr_in in;
            struct sockaddr_in6 in6;
        } sa = { 0 };
        int fd;

        if ((a->ai_family != AF_INET && a->ai_family != AF_INET6) || a->ai_addrlen > sizeof(sa))
            continue;
        memcpy(&sa, a->ai_addr, a->ai_addrlen);
        if (a->ai_family == AF_INET)
            sa.in.sin_port = htons((uint16_t)port);
        else
            sa.in6.sin6_port = htons((uint16_t)port);
        fd = bind_to(&sa.any, a->ai_addrlen, dual);
        if (fd >= 0) {
            v->web[v->nfds] = web;
            v->fds[v->nfds++] = fd;
        } else if (fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT) {
            rc = v->nfds > before ? rc : fd;
        } else {
            while (v->nfds > before)
                close(v->fds[--v->nfds]);
            return fd;
        }
    }
    return v->nfds > before ? 0 : rc;
}

static int resolve(const char *host, struct addrinfo **list, struct err *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    char name[256];
    int rc, n;

    if (host && host[0] == '[') { /* "[::1]" */
        n = snprintf(name, sizeof(name), "%s", host + 1);
        if (n > 0 && (size_t)n < sizeof(name) && name[n - 1] == ']')
            name[n - 1] = 0;
        host = name;
    }
    rc = getaddrinfo(host && *host ? host : NULL, "0", &hints, list);
    if (rc)
        return err_set(err, -EINVAL, "VNC: %s is not an address to listen on: %s", host ? host : "",
                       gai_strerror(rc));
    return 0;
}

static void describe(int fd, char *host, size_t host_size, char *service, size_t service_size,
                     char family[8])
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(sa);

    if (getsockname(fd, (struct sockaddr *)&sa, &len) ||
        getnameinfo((struct sockaddr *)&sa, len, host, host_size, service, service_size,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        host[0] = 0;
    snprintf(family, 8, "%s", sa.ss_family == AF_INET6 ? "ipv6" : "ipv4");
}

static int listen_tcp(struct vnc *v, const struct vnc_options *o, struct err *err)
{
    int last = o->to > o->display ? o->to : o->display, rc;
    const char *host = o->host && *o->host ? o->host : "any address";
    struct addrinfo *list = NULL;

    if (o->display < 0 || o->display > 65535 - PORT_BASE)
        return err_set(err, -EINVAL, "VNC: there is no display %d; the last one is %d", o->display,
                       65535 - PORT_BASE);
    if (last > 65535 - PORT_BASE)
        last = 65535 - PORT_BASE;
    rc = resolve(o->host, &list, err);
    if (rc)
        return rc;
    rc = -EADDRINUSE;
    for (int n = o->display; n <= last && rc == -EADDRINUSE; n++)
        rc = bind_all(v, list, PORT_BASE + (unsigned)n, false);
    freeaddrinfo(list);
    if (rc == -EADDRINUSE && last > o->display)
        return err_set(err, rc, "VNC: %s: ports %d to %d are all in use; give another display",
                       host, PORT_BASE + o->display, PORT_BASE + last);
    if (rc)
        return err_set(err, rc, "VNC: %s: cannot listen on port %d: %s%s", host,
                       PORT_BASE + o->display, strerror(-rc),
                       rc == -EADDRINUSE ? "; give another display, or to= to try more" : "");
    describe(v->fds[0], v->info.host, sizeof(v->info.host), v->info.service,
             sizeof(v->info.service), v->info.family);
    return 0;
}

static int listen_web(struct vnc *v, const struct vnc_options *o, struct err *err)
{
    const char *host = o->web_host ? o->web_host : o->unix_path ? "127.0.0.1" : o->host;
    struct vnc_info *i = &v->info;
    struct addrinfo *list = NULL;
    unsigned first = v->nfds;
    int port = o->web_port, rc = resolve(host, &list, err);

    if (rc)
        return rc;
    if (port < 0) /* as QEMU counts them */
        port = WEB_BASE + (int)strtoul(i->service, NULL, 10) - PORT_BASE;
    rc = port > 0 && port < 65536 ? bind_all(v, list, (unsigned)port, true) : -EINVAL;
    freeaddrinfo(list);
    if (rc)
        return err_set(err, rc, "VNC: %s: cannot listen on port %d for WebSocket: %s%s",
                       host && *host ? host : "any address", port, strerror(-rc),
                       rc == -EADDRINUSE ? "; give another port" : "");
    describe(v->fds[first], i->web_host, sizeof(i->web_host), i->web_service,
             sizeof(i->web_service), i->web_family);
    return 0;
}

/* A socket file nobody listens on any more is left over from a crash. */
static bool is_stale(const struct sockaddr_un *sa)
{
    struct stat st;
    bool stale;
    int fd;

    if (lstat(sa->sun_path, &st) || !S_ISSOCK(st.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    stale = connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) && errno == ECONNREFUSED;
    close(fd);
    return stale;
}

static int listen_unix(struct vnc *v, const char *path, struct err *err)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(sa.sun_path))
        return err_set(err, -EINVAL, "VNC: socket path %s is longer than %zu bytes", path,
                       sizeof(sa.sun_path) - 1);
    memcpy(sa.sun_path, path, strlen(path));
    fd = bind_to((struct sockaddr *)&sa, sizeof(sa), false);
    if (fd == -EADDRINUSE && is_stale(&sa) && unlink(path) == 0)
        fd = bind_to((struct sockaddr *)&sa, sizeof(sa), false);
    if (fd < 0)
        return err_set(err, fd, "VNC: cannot listen on %s: %s", path, strerror(-fd));
    v->fds[v->nfds++] = fd;
    v->unix_path = strdup(path);
    if (!v->unix_path)
        return err_set(err, -ENOMEM, "VNC: out of memory");
    snprintf(v->info.host, sizeof(v->info.host), "%s", path);
    snprintf(v->info.family, sizeof(v->info.family), "unix");
    return 0;
}

int vnc_listen(struct vnc *v, const struct vnc_options *o, struct err *err)
{
    int rc = 0;

    if (!o->no_vnc)
        rc = o->unix_path ? listen_unix(v, o->unix_path, err) : listen_tcp(v, o, err);
    return !rc && o->web_port ? listen_web(v, o, err) : rc;
}
