/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net/segment.h: one's complement sums, and the cutting of a large TCP or UDP
 * packet into frames. Shared by the cards, which do it for their drivers, and
 * by the cable, which does it for cards that cannot take large packets.
 * Offsets are from a frame's first byte; frames are without FCS.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_HEADER   256  /* no header of a cut packet is longer */
#define NET_SEGMENTS 1500 /* of one packet: bounds the time of one handler */
#define NET_IP4_MIN  20
#define NET_IP6_MIN  40

static inline unsigned net_be16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static inline void net_put_be16(uint8_t *p, unsigned val)
{
    p[0] = val >> 8;
    p[1] = val;
}

/* One's complement sum (RFC 1071) of len bytes added to start; net_fold() makes it 16 bits. */
uint32_t net_sum(const uint8_t *p, size_t len, uint32_t start);
uint16_t net_fold(uint32_t sum);

/*
 * Puts the sum of frame[from..to) at `at`; what is there already counts. Does
 * nothing when the places are not in the frame. zero_is_ones: UDP's rule.
 */
void net_put_sum(uint8_t *frame, size_t len, size_t from, size_t to, size_t at, bool zero_is_ones);

struct net_tso {
    uint32_t header, mss;    /* bytes repeated in each segment; payload bytes of each */
    uint32_t l3, l3_end, l4; /* l3_end: of what the IPv4 header's sum covers */
    uint32_t l3_sum, l4_sum; /* where those sums go; 0: not wanted */
    bool ipv6, udp;
};

struct net_cut { /* how far the cutting of one packet is */
    struct net_tso tso;
    uint8_t *frame;
    size_t payload, at; /* bytes behind the header; of those, already cut off */
    size_t base;        /* of those, no longer at frame */
    unsigned n;         /* segments so far */
    uint8_t header[NET_HEADER];
};

/* False: the numbers make no sense for a frame of len bytes, or there would be too many segments.
 */
bool net_tso_sane(const struct net_tso *t, size_t len);
/* net_tso_sane(), and makes ready. At l4_sum must be the pseudo header's sum without length. */
bool net_cut_start(struct net_cut *c, uint8_t *frame, size_t len, const struct net_tso *t);
/*
 * The next segment, made in the packet's own bytes over the end of the one
 * before; good until the next call. NULL: there is no more.
 */
uint8_t *net_cut_next(struct net_cut *c, size_t *len);
