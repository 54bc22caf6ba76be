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
#include "net/segment.h"

#define NIC_MIN_FRAME 60 /* shorter ones are padded on the wire */
#define NIC_FCS       4  /* frame check sequence */
#define NIC_TAG       4  /* an 802.1Q tag: also the room nic_tag() needs before a frame */
#define NIC_TX_MAX    (NET_HEADER + 65536)

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

/*
 * What a card may leave to its cable (net_takes()). Never in loopback.
 * nic_leave_sum(): may the sum of frame[from..len) at `at` be left? Then undone says so.
 * nic_leave_cut(): may the packet go uncut? Then its header is made right for that.
 */
bool nic_leave_sum(const struct nic *n, size_t len, size_t from, size_t at,
                   struct net_offload *undone);
bool nic_leave_cut(const struct nic *n, uint8_t *frame, size_t len, const struct net_tso *t,
                   struct net_offload *undone);
/* As nic_send(), of a frame of which something is undone; nic_tag() moved it by `moved` bytes. */
bool nic_send_undone(struct nic *n, const struct net_offload *undone, size_t moved,
                     const uint8_t *frame, size_t len);

/* In receive(): has the cable made or checked the sums of TCP and UDP? */
static inline bool nic_knows_sums(const struct nic *n)
{
    return n->net && n->net->rx_sums_good;
}

uint32_t nic_fcs(const uint8_t *frame, size_t len); /* as it follows the frame, little endian */

/* Of a frame that is padded with zeroes to NIC_MIN_FRAME first, as its sender's card would. */
uint32_t nic_fcs_padded(const uint8_t *frame, size_t len);

/* The six bits of a multicast filter: the CRC of the address, from its most or least significant
 * end (Linux: ether_crc() >> 26, ether_crc_le() >> 26). */
unsigned nic_hash_be(const uint8_t *addr);
unsigned nic_hash_le(const uint8_t *addr);

bool nic_is_broadcast(const uint8_t *frame); /* of at least 6 bytes */

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

/* Moves the addresses NIC_TAG bytes down and puts a tag in; returns the frame's new start. */
uint8_t *nic_tag(uint8_t *frame, unsigned type, unsigned tag);

/*
 * Cuts a frame into segments and hands each to send(), which may use NIC_TAG
 * bytes before it. The frame is spoilt. At l4_sum must be the pseudo header's
 * sum without length. Returns the number sent, 0 when the numbers make no sense.
 */
unsigned nic_segment(uint8_t *frame, size_t len, const struct net_tso *t,
                     void (*send)(void *arg, uint8_t *frame, size_t len), void *arg);
