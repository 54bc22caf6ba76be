/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a sink's spelling means: each kind is one row of a table and one short
 * function that opens host descriptors. All of it is set-up, so it may wait
 * (for a name to be resolved, a connection to be made). "server" does not wait
 * for a client unless "wait" is said, unlike QEMU's: a domain that does not start until
 * someone looks at its console helps nobody, and the ring keeps the beginning.
 *
 * A file is appended to without a bound; whoever names one watches its size.
 */
#include "hw/core/sink-impl.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct socket_spec {
    char addr[PATH_MAX];
    bool server, wait;
};

static int open_failed(struct err *err, const char *what, const char *hint)
{
    int rc = -errno;

    return err_set(err, rc, "%s: %s; %s", what, strerror(-rc), hint);
}

/* Local kinds */

static int open_mem(struct sink_impl *impl, const char *rest, struct err *err)
{
    impl->mem = true;
    return 0;
}

static int open_file(struct sink_impl *impl, const char *rest, struct err *err)
{
    impl->wfd = open(rest, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
    if (impl->wfd < 0)
        return open_failed(err, rest, "give file: a path that can be written");
    return 0;
}

static int open_pipe(struct sink_impl *impl, const char *rest, struct err *err)
{
    char in[PATH_MAX], out[PATH_MAX];
    int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK; /* both ends ours: no hang-up, no SIGPIPE */

    if ((size_t)snprintf(in, sizeof(in), "%s.in", rest) >= sizeof(in) ||
        (size_t)snprintf(out, sizeof(out), "%s.out", rest) >= sizeof(out))
        return err_set(err, -ENAMETOOLONG, "pipe: the path is too long");
    impl->rfd = open(in, flags);
    impl->wfd = open(out, flags);
    if (impl->rfd >= 0 && impl->wfd >= 0)
        return 0;
    if (impl->rfd >= 0)
        close(impl->rfd);
    if (impl->wfd >= 0)
        close(impl->wfd);
    impl->rfd = open(rest, flags);
    impl->wfd = impl->rfd < 0 ? -1 : fcntl(impl->rfd, F_DUPFD_CLOEXEC, 3);
    if (impl->wfd < 0)
        return open_failed(err, rest, "make it with mkfifo, or the pair PATH.in and PATH.out");
    return 0;
}

static void make_raw(int fd)
{
    struct termios tio;

    if (tcgetattr(fd, &tio) == 0) {
        cfmakeraw(&tio);
        tcsetattr(fd, TCSANOW, &tio);
    }
}

static int open_device(struct sink_impl *impl, const char *path, struct err *err)
{
    impl->rfd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (impl->rfd < 0)
        return open_failed(err, path, "give the path of a character device");
    make_raw(impl->rfd);
    impl->wfd = fcntl(impl->rfd, F_DUPFD_CLOEXEC, 3);
    return impl->wfd < 0 ? open_failed(err, path, "out of descriptors") : 0;
}

/*
 * The slave side stays open here, so that what the guest writes before anyone
 * attaches waits in the terminal and the ring, and a reader that leaves is no
 * hang-up. Raw, or the terminal would echo the guest's output back as input.
 */
static int open_pty(struct sink_impl *impl, const char *rest, struct err *err)
{
    char path[64];

    impl->rfd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (impl->rfd < 0 || grantpt(impl->rfd) < 0 || unlockpt(impl->rfd) < 0 ||
        ptsname_r(impl->rfd, path, sizeof(path)) != 0)
        return open_failed(err, "pty", "is /dev/pts mounted?");
    impl->slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (impl->slave < 0)
        return open_failed(err, path, "cannot open the terminal just made");
    make_raw(impl->slave);
    snprintf(impl->name, sizeof(impl->name), "pty:%s", path);
    impl->wfd = fcntl(impl->rfd, F_DUPFD_CLOEXEC, 3);
    return impl->wfd < 0 ? open_failed(err, "pty", "out of descriptors") : 0;
}

/*
 * Descriptors 0 and 1 are shared with whoever started us, so they must not
 * become non-blocking: a terminal or pipe is opened anew. A regular file
 * keeps the shared position.
 */
static int reopen(int fd, int flags)
{
    struct stat st;
    char path[32];
    int fresh = -1;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
        fresh = open(path, flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    return fresh >= 0 ? fresh : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int open_stdio(struct sink_impl *impl, const char *rest, struct err *err)
{
    struct termios tio;

    impl->rfd = reopen(STDIN_FILENO, O_RDONLY); /* may be closed: then there is no input */
    impl->wfd = reopen(STDOUT_FILENO, O_WRONLY);
    if (impl->wfd < 0)
        return open_failed(err, "stdio", "standard output is closed");
    if (tcgetattr(STDIN_FILENO, &impl->tty) == 0) {
        tio = impl->tty;
        tio.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN); /* ISIG stays: ^C ends us */
        tio.c_iflag &= ~(tcflag_t)(ICRNL | IXON | INLCR | IGNCR);
        impl->tty_changed = tcsetattr(STDIN_FILENO, TCSANOW, &tio) == 0;
    }
    return 0;
}

/* Sockets */

static int parse_option(struct socket_spec *spec, const char *opt, struct err *err)
{
    static const char *const on[] = { "server", "server=on" };
    static const char *const wait[] = { "wait", "wait=on" };
    static const char *const ignored[] = { "server=off", "nowait",     "wait=off",
                                           "nodelay",    "nodelay=on", "nodelay=off" };

    for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
        if (!strcmp(opt, on[i])) {
            spec->server = true;
            return 0;
        }
    for (size_t i = 0; i < sizeof(wait) / sizeof(wait[0]); i++)
        if (!strcmp(opt, wait[i])) {
            spec->wait = true;
            return 0;
        }
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        if (!strcmp(opt, ignored[i]))
            return 0;
    return err_set(err, -EINVAL, "%s: unknown option '%s'; server and nowait are known", spec->addr,
                   opt);
}

static int parse_socket(struct socket_spec *spec, const char *rest, struct err *err)
{
    char *opt, *save = NULL;

    if ((size_t)snprintf(spec->addr, sizeof(spec->addr), "%s", rest) >= sizeof(spec->addr))
        return err_set(err, -ENAMETOOLONG, "the socket's address is too long");
    spec->server = spec->wait = false;
    opt = strchr(spec->addr, ',');
    if (!opt)
        return 0;
    *opt++ = '\0';
    for (opt = strtok_r(opt, ",", &save); opt; opt = strtok_r(NULL, ",", &save)) {
        int rc = parse_option(spec, opt, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static int take_socket(struct sink_impl *impl, int fd, bool server, const char *addr,
                       struct err *err)
{
    impl->is_socket = true;
    if (server) {
        impl->lfd = fd;
        if (!impl->datagram && listen(fd, 1) < 0)
            return open_failed(err, addr, "cannot listen there");
        return 0;
    }
    impl->rfd = fd;
    impl->wfd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return impl->wfd < 0 ? open_failed(err, addr, "out of descriptors") : 0;
}

static int open_unix(struct sink_impl *impl, const char *rest, struct err *err)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    struct socket_spec spec;
    int rc = parse_socket(&spec, rest, err), fd;

    if (rc < 0)
        return rc;
    if ((size_t)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", spec.addr) >= sizeof(sa.sun_path))
        return err_set(err, -ENAMETOOLONG, "unix:%s: a socket's path has at most %zu characters",
                       spec.addr, sizeof(sa.sun_path) - 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return open_failed(err, spec.addr, "cannot make a socket");
    if (spec.server)
        unlink(sa.sun_path); /* left behind by an earlier run */
    if ((spec.server ? bind : connect)(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
        rc =
            open_failed(err, spec.addr, spec.server ? "cannot bind there" : "is anyone listening?");
        close(fd);
        return rc;
    }
    if (spec.server)
        snprintf(impl->unlink_path, sizeof(impl->unlink_path), "%s", spec.addr);
    impl->awaited = spec.server && spec.wait;
    return take_socket(impl, fd, spec.server, spec.addr, err);
}

/* "HOST:PORT", "[V6]:PORT", ":PORT" → a list of addresses. Cuts addr in place. */
static int resolve(char *addr, int type, bool passive, struct addrinfo **list, struct err *err)
{
    struct addrinfo hints = { .ai_socktype = type, .ai_flags = passive ? AI_PASSIVE : 0 };
    char *host = addr, *colon = strrchr(addr, ':');
    size_t len;
    int rc;

    if (!colon || !colon[1])
        return err_set(err, -EINVAL, "'%s' is not HOST:PORT", addr);
    *colon = '\0';
    len = strlen(host);
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        host++;
    }
    rc = getaddrinfo(*host ? host : NULL, colon + 1, &hints, list);
    if (rc)
        return err_set(err, -EINVAL, "%s port %s: %s", host, colon + 1, gai_strerror(rc));
    return 0;
}

static int try_address(const struct addrinfo *ai, bool server)
{
    int one = 1, rc;
    int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);

    if (fd < 0)
        return -errno;
    if (server)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if ((server ? bind : connect)(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
        rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

static int open_tcp(struct sink_impl *impl, const char *rest, struct err *err)
{
    struct socket_spec spec;
    struct addrinfo *list, *ai;
    int fd = -EINVAL, rc = parse_socket(&spec, rest, err);

    if (rc < 0)
        return rc;
    rc = resolve(spec.addr, SOCK_STREAM, spec.server, &list, err);
    if (rc < 0)
        return rc;
    for (ai = list; ai && fd < 0; ai = ai->ai_next)
        fd = try_address(ai, spec.server);
    freeaddrinfo(list);
    if (fd < 0)
        return err_set(err, fd, "tcp:%s: %s; %s", rest, strerror(-fd),
                       spec.server ? "is the port taken?" : "is anyone listening?");
    impl->awaited = spec.server && spec.wait;
    return take_socket(impl, fd, spec.server, rest, err);
}

static int open_telnet(struct sink_impl *impl, const char *rest, struct err *err)
{
    impl->telnet = true;
    return open_tcp(impl, rest, err);
}

/* udp:[HOST]:PORT[@[SRC]:PORT]: datagrams to there, from here. */
static int open_udp(struct sink_impl *impl, const char *rest, struct err *err)
{
    struct addrinfo *to = NULL, *from = NULL;
    char addr[PATH_MAX], *src;
    int rc, fd;

    if ((size_t)snprintf(addr, sizeof(addr), "%s", rest) >= sizeof(addr))
        return err_set(err, -ENAMETOOLONG, "udp: the address is too long");
    src = strchr(addr, '@');
    if (src)
        *src++ = '\0';
    rc = resolve(addr, SOCK_DGRAM, false, &to, err);
    if (rc == 0 && src)
        rc = resolve(src, SOCK_DGRAM, true, &from, err);
    if (rc == 0) {
        fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || (from && bind(fd, from->ai_addr, from->ai_addrlen) < 0) ||
            connect(fd, to->ai_addr, to->ai_addrlen) < 0)
            rc = open_failed(err, rest, "cannot send from there to there");
        else
            impl->datagram = true;
        if (rc < 0 && fd >= 0)
            close(fd);
        else if (rc == 0)
            rc = take_socket(impl, fd, false, rest, err);
    }
    if (to)
        freeaddrinfo(to);
    if (from)
        freeaddrinfo(from);
    return rc;
}

static const struct kind {
    const char *word;
    bool exact, needs_loop; /* exact: nothing follows the word */
    int (*open)(struct sink_impl *impl, const char *rest, struct err *err);
} kinds[] = {
    { "mem:", false, false, open_mem },  { "file:", false, false, open_file },
    { "stdio", true, true, open_stdio }, { "pty", true, true, open_pty },
    { "pipe:", false, true, open_pipe }, { "unix:", false, true, open_unix },
    { "tcp:", false, true, open_tcp },   { "telnet:", false, true, open_telnet },
    { "udp:", false, true, open_udp },
};

static const struct kind *find_kind(const char *spec)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].exact ? !strcmp(spec, kinds[i].word)
                           : !strncmp(spec, kinds[i].word, strlen(kinds[i].word)))
            return &kinds[i];
    return NULL;
}

bool sink_needs_loop(const char *spec)
{
    const struct kind *k = find_kind(spec);

    return !k || k->needs_loop;
}

int sink_open_spec(struct sink_impl *impl, const char *spec, struct err *err)
{
    const struct kind *k = find_kind(spec);

    snprintf(impl->name, sizeof(impl->name), "%s", spec);
    if (k)
        return k->open(impl, spec + strlen(k->word), err);
    if (spec[0] == '/')
        return open_device(impl, spec, err);
    return err_set(
        err, -EINVAL,
        "'%s' is no place for a port's bytes; use null, stdio, pty, file:PATH, pipe:PATH, "
        "unix:PATH, tcp:HOST:PORT, telnet:HOST:PORT, udp:HOST:PORT or a device's path",
        spec);
}
