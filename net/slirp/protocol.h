/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net/slirp/protocol.h: between portico-dm and portico-slirp, which gets KEY=VALUE arguments. */
#pragma once

#define SLIRP_PAIR_FD   3       /* SOCK_SEQPACKET; each packet is one frame, both ways */
#define SLIRP_STATUS_FD 4       /* a pipe: one line, then it is closed */
#define SLIRP_READY     "ready" /* that line; any other says what is wrong */
