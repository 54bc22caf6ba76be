/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net/accept.h: connections that come when descriptors have run out. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "net/accept.h"
#include "tests/unit/qt.h"

#define LIMIT 40

/* Connected, at `name` of the abstract names; -1: refused. */
static int sock(const char *name, bool server)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);

    memcpy(a.sun_path + 1, name, strlen(name));
    CHECK(fd >= 0);
    if (server)
        CHECK(!bind(fd, (struct sockaddr *)&a, len) && !listen(fd, 4));
    else
        CHECK_EQ(connect(fd, (struct sockaddr *)&a, len), 0);
    if (server)
        fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static unsigned fill(int *fds)
{
    unsigned n = 0;

    while (n < LIMIT && (fds[n] = dup(0)) >= 0)
        n++;
    CHECK_EQ(errno, EMFILE);
    return n;
}

TEST(who_cannot_be_served_is_not_kept_waiting)
{
    struct rlimit was, few = { LIMIT, LIMIT };
    int spare = 0, fds[LIMIT], listener, a, b, c, got;
    char name[32], byte;
    unsigned n;

    snprintf(name, sizeof(name), "accept-test-%d", (int)getpid());
    listener = sock(name, true);
    CHECK_EQ(accept_next(listener, &spare), -1);
    CHECK_EQ(errno, EAGAIN);
    a = sock(name, false);
    got = accept_next(listener, &spare);
    CHECK(got >= 0 && (fcntl(got, F_GETFL) & O_NONBLOCK) && (fcntl(got, F_GETFD) & FD_CLOEXEC));
    close(got);

    b = sock(name, false);
    c = sock(name, false);
    getrlimit(RLIMIT_NOFILE, &was);
    few.rlim_max = was.rlim_max;
    setrlimit(RLIMIT_NOFILE, &few);
    n = fill(fds);
    for (unsigned i = 0; i < 2; i++) { /* twice: the spare one is there again */
        CHECK_EQ(accept_next(listener, &spare), -1);
        CHECK_EQ(errno, EMFILE);
    }
    CHECK_EQ(poll(&(struct pollfd){ listener, POLLIN, 0 }, 1, 0), 0); /* no loop spins for it */
    CHECK_EQ(read(b, &byte, 1), 0);
    CHECK_EQ(read(c, &byte, 1), 0);
    while (n)
        close(fds[--n]);
    setrlimit(RLIMIT_NOFILE, &was);

    close(b);
    b = sock(name, false);
    got = accept_next(listener, &spare);
    CHECK(got >= 0);
    close(got);
    accept_end(&spare);
    CHECK_EQ(spare, 0);
    close(listener);
    close(a);
    close(b);
    close(c);
}
