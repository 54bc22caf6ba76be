/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking connections. The spare descriptor is a copy of the listening one: that needs no file. */
#include "net/accept.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static int take(int fd)
{
    return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void keep_spare(int fd, int *spare)
{
    int copy = *spare > 0 ? *spare : fcntl(fd, F_DUPFD_CLOEXEC, 3);

    *spare = copy > 0 ? copy : 0;
}

int accept_next(int fd, int *spare)
{
    int got, why;

    keep_spare(fd, spare);
    got = take(fd);
    why = errno;
    if (got < 0 && (why == EMFILE || why == ENFILE)) {
        accept_end(spare);
        got = take(fd);
        if (got >= 0)
            close(got);
        keep_spare(fd, spare);
        got = -1;
    }
    errno = why;
    return got;
}

void accept_end(int *spare)
{
    if (*spare > 0)
        close(*spare);
    *spare = 0;
}
