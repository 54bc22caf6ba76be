/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/nic.h: what the network cards share: the cable, and the sums that both
 * of them do for their drivers. Config of a card:
 *   mac       aa:bb:cc:dd:ee:ff       net   object: struct net *; absent: no cable
 *   rom-path  directories with the iPXE ROMs
 * Frames are without FCS; offsets are from a frame's first byte.
 */
#pragma once
#include "hw/core/config.h"
#include "hw/core/pci.h"
#include "net/net.h"

#define NIC_MIN_FRAME 60  /* shorter ones are padded on the wire */
#define NIC_FCS       4   /* frame check sequence */
#define NIC_TAG       4   /* an 802.1Q tag: also the room nic_tag() needs before a frame */
#define NIC_HEADER    256 /* no header of a segmented frame is longer */
#define NIC_TX_MAX    (NIC_HEADER + 65536)

struct nic {
    struct net *net; /* NULL: no cable */
    uint8_t mac[6];
};

struct nic_ops {
    bool (*can_receive)(void *dev);
    void (*receive)(void *dev, const uint8_t *frame, size_t len);
    void (*link_changed)(void *dev);
};

/* Reads the config, plugs the cable into dev (the card's struct), loads its ROM if there is one. */
int nic_init(struct nic *n, struct pci_func *f, const struct config *cfg, const char *rom,
             const struct nic_ops *ops, struct err *err);
void nic_fini(struct nic *n);
bool nic_send(struct nic *n, const uint8_t *frame, size_t len); /* pads; false: dropped */

uint32_t nic_fcs(const uint8_t *frame, size_t len); /* as it follows the frame, little endian */

static inline unsigned nic_be16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static inline void nic_put_be16(uint8_t *p, unsigned val)
{
    p[0] = val >> 8;
    p[1] = val;
}

bool nic_is_broadcast(const uint8_t *frame); /* of at least 6 bytes */

/* One's complement sum (RFC 1071) of len bytes added to start; nic_fold() makes it 16 bits. */
uint32_t nic_sum(const uint8_t *p, size_t len, uint32_t start);
uint16_t nic_fold(uint32_t sum);

struct nic_ip4 { /* where the parts of a checked IPv4 packet are */
    uint32_t l3, l4, end;
    uint8_t proto;           /* of l4; meaningless in a fragment */
    bool fragment, tcp, udp; /* tcp, udp: whole, with room for that header */
};
bool nic_ip4(struct nic_ip4 *ip, const uint8_t *frame, size_t len); /* false: is none */
bool nic_ip4_sum_ok(const struct nic_ip4 *ip, const uint8_t *frame);
bool nic_l4_sum_ok(const struct nic_ip4 *ip, const uint8_t *frame); /* ip->tcp or ip->udp */
/* Of the pseudo header, without the length of TCP or UDP. */
uint32_t nic_pseudo_sum(const struct nic_ip4 *ip, const uint8_t *frame);

/*
 * Puts the sum of frame[from..to) at `at`; what is there already counts. Does
 * nothing when the places are not in the frame. zero_is_ones: UDP's rule.
 */
void nic_put_sum(uint8_t *frame, size_t len, size_t from, size_t to, size_t at, bool zero_is_ones);

/* Moves the addresses NIC_TAG bytes down and puts a tag in; returns the frame's new start. */
uint8_t *nic_tag(uint8_t *frame, unsigned type, unsigned tag);

struct nic_tso {
    uint32_t header, mss;    /* bytes repeated in each segment; payload bytes of each */
    uint32_t l3, l3_end, l4; /* l3_end: of what the IPv4 header's sum covers */
    uint32_t l3_sum, l4_sum; /* where those sums go; 0: not wanted */
    bool ipv6, udp;
};
#define NIC_SEGMENTS 1500 /* of one frame: bounds the time of one handler */
/*
 * Cuts a frame into segments and hands each to send(), which may use NIC_TAG
 * bytes before it. The frame is spoilt. At l4_sum must be the pseudo header's
 * sum without length. Returns the number sent, 0 when the numbers make no sense.
 */
unsigned nic_segment(uint8_t *frame, size_t len, const struct nic_tso *t,
                     void (*send)(void *arg, uint8_t *frame, size_t len), void *arg);
