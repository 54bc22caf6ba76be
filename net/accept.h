/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net/accept.h: taking connections, also when descriptors have run out. */
#pragma once

/*
 * A new non-blocking, close-on-exec socket from a listening one, or -1 and errno. Who waits while
 * the process, or the host, has no descriptor left is let in and shown out again (EMFILE or
 * ENFILE, and the socket is not readable any more): else a loop that watches fd would spin. *spare
 * is a descriptor kept for that, 0 at first; what is left of it is for accept_end().
 */
int accept_next(int fd, int *spare);
void accept_end(int *spare); /* before, or after, the listening socket is closed */
