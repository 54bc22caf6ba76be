/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net/slirp/helper.h: the parts of portico-slirp. */
#pragma once
#include <netinet/in.h>
#include <slirp/libslirp.h>
#include <stdbool.h>
#include <stdint.h>
#include "hw/core/err.h"
#include "net/slirp/protocol.h"

#define SLIRP_FORWARDS 64
#define SLIRP_DOMAINS  32

/* How a worker ends; the supervisor starts another one after anything but these. */
#define EXIT_GONE  0 /* portico-dm has closed its end */
#define EXIT_SETUP 2 /* what it was told cannot be done; the line has been said */

struct forward { /* hostfwd= */
    bool udp;
    struct in_addr host, guest;
    int host_port, guest_port;
    const char *text;
};

struct settings {
    SlirpConfig slirp; /* its strings are the arguments' */
    struct forward forwards[SLIRP_FORWARDS];
    unsigned nforwards;
    const char *domains[SLIRP_DOMAINS + 1]; /* NULL at the end */
    unsigned ndomains;
};

/* From KEY=VALUE arguments. 0, or -errno and one line: what is wrong, what to do. */
int settings_parse(struct settings *s, int argc, char **argv, struct err *err);

/* Makes the network and opens the forwarded ports. NULL and a line on failure. */
struct Slirp;
struct wire;
struct wire *wire_open(const struct settings *s, struct err *err);
/* Moves frames until portico-dm closes its end; then returns. */
void wire_run(struct wire *w);

/*
 * Gives up all that a worker does not need: root, files but for those below
 * tftp (NULL: none) and of /etc, other programs. 0, or -errno and a line.
 */
int sandbox_enter(const char *tftp, struct err *err);
