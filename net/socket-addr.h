/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net/socket-addr.h: the sockets that the keys of -netdev socket, dgram and stream ask for. */
#pragma once
#include <stdbool.h>
#include <sys/socket.h>
#include "hw/core/err.h"

struct config;

struct sock_plan {
    bool stream;
    int fd;                       /* -1: no peer yet */
    int listen_fd;                /* of a stream that waits for its peer; or -1 */
    struct sockaddr_storage peer; /* where datagrams go */
    socklen_t peer_len;           /* 0: the socket knows */
    char path[108];               /* a name we made in the file system; "": none */
};

/* 0, or -errno and a line in err that begins with "netdev ID"; nothing is open then. */
int sock_plan_make(struct sock_plan *p, const char *id, const struct config *cfg, struct err *err);
void sock_plan_close(struct sock_plan *p);
