/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net/net.h: frames both ways; the queue is always the sender's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/core/err.h"

#define NET_FRAME_MAX 65549 /* 64 KiB of payload, header and a VLAN tag */

struct net;
struct uv_loop_s;
struct net_ops { /* tap, mem; later socket, pcap, slirp */
    const char *name;
    void (*shut)(struct net *n); /* lets go of the host's side; called once */
    void (*free)(struct net *n); /* after shut */
    bool (*send)(struct net *n, const uint8_t *frame, size_t len); /* false: dropped */
    void (*kick)(struct net *n); /* look again whether the NIC has room; never delivers itself */
};
/* Stands between a cable and its NIC, and calls what n has from it; sent() is told only. */
struct net_tap {
    bool (*can_receive)(struct net *n);
    void (*receive)(struct net *n, const uint8_t *frame, size_t len);
    void (*link_changed)(struct net *n);
    void (*sent)(struct net *n, const uint8_t *frame, size_t len, bool taken);
};
struct net {
    const struct net_ops *ops;
    uint8_t mac[6];
    bool link_down, is_shut, held;
    /* The NIC sets these; nic NULL: none yet, frames are discarded. */
    bool (*can_receive)(void *nic); /* false: the frame waits until net_kick() */
    void (*receive)(void *nic, const uint8_t *frame, size_t len); /* 1..NET_FRAME_MAX */
    void (*link_changed)(void *nic);                              /* may be NULL */
    void *nic, *priv;
    const struct net_tap *tap; /* NULL: nobody listens */
    void *tap_arg;
};

/* For a NIC. n may be NULL: a card with no cable. Frames are without FCS. */
bool net_send(struct net *n, const uint8_t *frame, size_t len); /* false: dropped */
void net_kick(struct net *n);                                   /* the NIC has room again */
bool net_link(const struct net *n);                             /* is the cable live? */

/* For the user's verbs: pulls the cable or puts it back; the NIC tells its driver. */
void net_set_link(struct net *n, bool up);
/* While held nothing is delivered: a stopped guest's memory stands still. */
void net_hold(struct net *n, bool held); /* n may be NULL */
/*
 * Gives up the host's side for good (a tap vanishes) and leaves a dead cable:
 * what unplugging a NIC needs. Idempotent; net_close() is still due.
 */
void net_shut(struct net *n);
void net_close(struct net *n); /* the NIC must be gone; n may be NULL */

/* For a back end: may a frame be delivered now? Then deliver it (len 0 and giants are dropped). */
bool net_wants(struct net *n);
void net_deliver(struct net *n, const uint8_t *frame, size_t len);

/*
 * Creates the tap interface `ifname` (IFF_TAP | IFF_NO_PI): it exists when
 * this returns; bringing it up and bridging it is the toolstack's. Frames are
 * discarded while n->nic is NULL. NULL and a line in err on failure.
 */
struct net *net_open_tap(struct uv_loop_s *loop, const char *ifname, struct err *err);

/*
 * Frames over a socket, as QEMU's -netdev socket, dgram and stream have them;
 * cfg: type and the keys of docs/command-line.md; fd= is owned from here on,
 * also on failure. May wait for a connect. NULL and a line in err on failure.
 */
struct config;
struct net *net_open_socket(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                            struct err *err);

/*
 * A cable whose other end is in the caller's hand, for tests. What the NIC
 * sends is kept (the oldest NET_MEM_FRAMES, then dropped); what is put waits
 * until net_mem_run() delivers it to a NIC that has room.
 */
#define NET_MEM_FRAMES 512
struct net *net_open_mem(struct err *err);
bool net_mem_put(struct net *n, const void *frame, size_t len); /* false: full */
unsigned net_mem_run(struct net *n); /* delivers what it can; returns how many still wait */
/* The oldest frame sent, good until the next call; NULL: none. */
const uint8_t *net_mem_get(struct net *n, size_t *len);
unsigned net_mem_kicks(const struct net *n); /* how often the NIC said "room again" */
