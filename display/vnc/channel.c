/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portico-vnc: messages to and from portico-dm (display/protocol.h). */
#include "display/vnc/helper.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void channel_say(const struct viewer_msg *m)
{
    ssize_t n;

    do {
        n = send(VIEWER_FD, m, sizeof(*m), MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n != sizeof(*m))
        _exit(EXIT_GONE);
}

bool channel_hear(struct viewer_msg *m, int *fd, bool wait)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } ctl = { 0 };
    struct iovec iov = { m, sizeof(*m) };
    struct msghdr msg = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = ctl.bytes,
                          .msg_controllen = sizeof(ctl.bytes) };
    struct cmsghdr *c;
    ssize_t n;

    *fd = -1;
    do {
        n = recvmsg(VIEWER_FD, &msg, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n != sizeof(*m))
        _exit(EXIT_GONE);
    c = CMSG_FIRSTHDR(&msg);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(fd, CMSG_DATA(c), sizeof(int));
    return true;
}
