/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net/net.h: frames both ways; the queue is always the sender's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/core/err.h"

#define NET_FRAME_MAX 65549 /* 64 KiB of payload, header and a VLAN tag */

#define NET_FILTERS 8 /* on one cable */

/* A back end delivers no more in one turn of the loop: storms leave others their turns. */
#define NET_TURN_FRAMES 64
#define NET_TURN_BYTES  (256 * 1024)

struct net;
struct net_rest;
struct net_filter; /* net/filter.h */
struct uv_loop_s;
/*
 * What is still to be done to a frame: the meaning and the values of virtio's
 * struct virtio_net_hdr (Virtio 1.2, 5.1.6), in the host's byte order. At
 * csum_start + csum_offset is the pseudo header's sum, with the length.
 */
struct net_offload {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size; /* hdr_len is a hint */
    uint16_t csum_start, csum_offset;
};
#define NET_F_NEEDS_CSUM 1
enum { NET_GSO_NONE = 0, NET_GSO_TCP4 = 1, NET_GSO_TCP6 = 4, NET_GSO_ECN = 0x80 };
/* What a back end takes undone (struct net's takes) */
#define NET_TAKES_SUM  1u
#define NET_TAKES_TSO4 2u /* with NET_TAKES_SUM */
#define NET_TAKES_TSO6 4u /* with NET_TAKES_SUM */

struct net_ops {
    const char *name;
    void (*shut)(struct net *n); /* lets go of the host's side; called once */
    void (*free)(struct net *n); /* after shut */
    bool (*send)(struct net *n, const uint8_t *frame, size_t len); /* false: dropped */
    void (*kick)(struct net *n); /* look again whether the NIC has room; never delivers itself */
    /* As send(), where only what takes says is undone. NULL where takes is always 0. */
    bool (*send_offload)(struct net *n, const struct net_offload *o, const uint8_t *frame,
                         size_t len);
    /* May be NULL. Between true and false a back end may keep frames back, to send them at once. */
    void (*batch)(struct net *n, bool on);
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
    bool rx_sums_good; /* true while receive() is given a frame whose IPv4 and TCP sums are right */
    uint16_t delivered;    /* frames that net_deliver() was given, segments too; wraps */
    unsigned takes;        /* the back end's: NET_TAKES_*; it may change between two frames */
    struct net_rest *rest; /* net_deliver_offload()'s */
    /* The NIC sets these; nic NULL: none yet, frames are discarded. */
    bool (*can_receive)(void *nic); /* false: the frame waits until net_kick() */
    void (*receive)(void *nic, const uint8_t *frame, size_t len); /* 1..NET_FRAME_MAX */
    void (*link_changed)(void *nic);                              /* may be NULL */
    void *nic, *priv;
    const struct net_tap *tap; /* NULL: nobody listens */
    void *tap_arg;
    struct net_filter *filter[NET_FILTERS]; /* the first is next to the back end */
    unsigned nfilters;
};

/* For a NIC. n may be NULL: a card with no cable. Frames are without FCS. */
bool net_send(struct net *n, const uint8_t *frame, size_t len); /* false: dropped */
/*
 * Offloads: a NIC asks net_takes() what it may leave undone (0 without a link,
 * and while somebody listens in), and does the rest itself.
 */
unsigned net_takes(const struct net *n);
bool net_send_offload(struct net *n, const struct net_offload *o, const uint8_t *frame, size_t len);
/* Around several frames sent from one handler, which ends with off. */
void net_batch(struct net *n, bool on);
void net_kick(struct net *n);       /* the NIC has room again */
bool net_link(const struct net *n); /* is the cable live? */

/* For the user's verbs: pulls the cable or puts it back; the NIC tells its driver. */
void net_set_link(struct net *n, bool up);
/* While held nothing is delivered: a stopped guest's memory stands still. */
void net_hold(struct net *n, bool held); /* n may be NULL */
/*
 * Gives up the host's side for good (a tap vanishes) and leaves a dead cable:
 * what unplugging a NIC needs. Idempotent; net_close() is still due.
 */
void net_shut(struct net *n);
/* Six pairs of hexadecimal digits with ':' or '-' between; a multicast address is no card's. */
bool net_parse_mac(const char *text, uint8_t mac[6]);
void net_close(struct net *n); /* the NIC must be gone; n may be NULL */

/* For a back end: may a frame be delivered now? Then deliver it (len 0 and giants are dropped). */
bool net_wants(struct net *n);
void net_deliver(struct net *n, const uint8_t *frame, size_t len);
/*
 * As net_deliver(), of a frame that is not finished (a tap with IFF_VNET_HDR);
 * it is spoilt. Any card can be given these: sums are put in here and large
 * TCP packets are cut; segments for which the card has no room are kept here,
 * and net_wants() is false until it has taken them. Makes no sense: dropped.
 */
void net_deliver_offload(struct net *n, const struct net_offload *o, uint8_t *frame, size_t len);

/* Between net.c and offload.c: has the card room; are there no segments left that wait for it? */
bool net_has_room(struct net *n);
bool net_rest_run(struct net *n);
void net_rest_drop(struct net *n);

/*
 * Creates the tap interface `ifname` (IFF_TAP | IFF_NO_PI): it exists when
 * this returns; bringing it up and bridging it is the toolstack's. Frames are
 * discarded while n->nic is NULL. NULL and a line in err on failure.
 */
struct net *net_open_tap(struct uv_loop_s *loop, const char *ifname, struct err *err);

/*
 * The back end that cfg's `type` names, with the keys of docs/command-line.md.
 * dir: where portico-slirp is. NULL and a line in err on failure.
 */
struct config;
struct net *net_open(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                     const char *dir, struct err *err);
bool net_has_type(const char *type);

/* A live cable with nobody at the other end. */
struct net *net_open_null(struct err *err);

/*
 * User-mode networking: portico-slirp in `dir` is started, and again when it
 * dies. May wait until it is ready. NULL and a line in err on failure.
 */
struct net *net_open_user(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                          const char *dir, struct err *err);

/*
 * Frames over a socket, as QEMU's -netdev socket, dgram and stream have them;
 * cfg: type and the keys of docs/command-line.md; fd= is owned from here on,
 * also on failure. May wait for a connect. NULL and a line in err on failure.
 */
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
/* What was left undone in the frame that net_mem_get() gave; set n->takes to allow it. */
const struct net_offload *net_mem_offload(const struct net *n);
/* As net_mem_put(), of an unfinished frame. */
bool net_mem_put_offload(struct net *n, const struct net_offload *o, const void *frame, size_t len);
unsigned net_mem_kicks(const struct net *n); /* how often the NIC said "room again" */
unsigned net_mem_sends(const struct net *n); /* frames that the NIC sent, also those dropped */
