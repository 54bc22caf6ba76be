/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames whose sums or cutting was left to the receiver (Virtio 1.2, 5.1.6.2
 * has the meaning of the fields). No card here takes such a frame from the
 * wire, so the cable finishes them: sums are put in, large packets are cut,
 * and what the card has no room for stays here, before all that waits behind.
 */
#include <stdlib.h>
#include <string.h>
#include "net/net.h"
#include "net/segment.h"

#define ETHER_TYPE   12
#define ETHER_HEADER 14
#define TAG          4
#define TYPE_IP4     0x0800
#define TYPE_IP6     0x86dd
#define TYPE_TAG     0x8100
#define TYPE_STAG    0x88a8
#define TCP          6
#define TCP_SUM      16
#define TCP_OFF      12
#define IP6_ADDRS    8
#define IP4_ADDRS    12

struct net_rest { /* a large packet that is partly delivered */
    struct net_cut cut;
    uint8_t frame[NET_FRAME_MAX];
};

/* Where the network header is, past two tags at most; 0: not of this version. */
static size_t find_l3(const uint8_t *f, size_t len, bool ipv6)
{
    size_t l3 = ETHER_HEADER;

    for (unsigned i = 0; i < 2 && len >= l3 + TAG; i++) {
        unsigned type = net_be16(f + l3 - 2);

        if (type != TYPE_TAG && type != TYPE_STAG)
            break;
        l3 += TAG;
    }
    if (len < l3 + (ipv6 ? NET_IP6_MIN : NET_IP4_MIN))
        return 0;
    return net_be16(f + l3 - 2) == (ipv6 ? TYPE_IP6 : TYPE_IP4) ? l3 : 0;
}

/* What is to be done to cut a large packet; puts the sum of the pseudo header without length. */
static bool tso_of(const struct net_offload *o, uint8_t *f, size_t len, struct net_tso *t)
{
    bool ipv6 = (o->gso_type & ~NET_GSO_ECN) == NET_GSO_TCP6;
    size_t l3 = find_l3(f, len, ipv6), l4 = o->csum_start;

    if (!ipv6 && (o->gso_type & ~NET_GSO_ECN) != NET_GSO_TCP4)
        return false;
    if (!l3 || !(o->flags & NET_F_NEEDS_CSUM) || o->csum_offset != TCP_SUM ||
        l4 < l3 + (ipv6 ? NET_IP6_MIN : NET_IP4_MIN) || l4 + TCP_SUM + 2 > len)
        return false;
    *t = (struct net_tso){ .mss = o->gso_size, .ipv6 = ipv6 };
    t->l3 = (uint32_t)l3;
    t->l3_end = t->l4 = (uint32_t)l4;
    t->l3_sum = ipv6 ? 0 : t->l3 + 10;
    t->l4_sum = t->l4 + TCP_SUM;
    t->header = t->l4 + (uint32_t)(f[l4 + TCP_OFF] >> 4) * 4;
    net_put_be16(f + t->l4_sum, net_fold(ipv6 ? net_sum(f + l3 + IP6_ADDRS, 32, TCP)
                                              : net_sum(f + l3 + IP4_ADDRS, 8, TCP)));
    return true;
}

static void deliver_known_good(struct net *n, const uint8_t *frame, size_t len)
{
    n->rx_sums_good = !n->tap; /* a recording has frames only: a card must not do otherwise */
    net_deliver(n, frame, len);
    n->rx_sums_good = false;
}

/* Delivers segments while there is room; true: all of them are gone. */
static bool cut_all(struct net *n, struct net_cut *c)
{
    const uint8_t *seg;
    size_t len;

    while (c->at < c->payload) {
        if (!net_has_room(n))
            return false;
        seg = net_cut_next(c, &len);
        deliver_known_good(n, seg, len);
    }
    return true;
}

bool net_rest_run(struct net *n)
{
    struct net_rest *r = n->rest;

    if (!r)
        return true;
    if (!cut_all(n, &r->cut))
        return false;
    n->rest = NULL;
    free(r);
    return true;
}

void net_rest_drop(struct net *n)
{
    free(n->rest);
    n->rest = NULL;
}

/* The card is full: what is left of the packet must outlive the back end's buffer. */
static void keep_rest(struct net *n, const struct net_cut *c)
{
    struct net_rest *r = malloc(sizeof(*r));
    size_t left = c->payload - c->at;

    if (!r)
        return; /* lost, as frames get lost */
    r->cut = *c;
    r->cut.frame = r->frame;
    /* The next segment's header goes before the payload that is left. */
    memcpy(r->frame, c->frame + c->at, c->tso.header + left);
    r->cut.base = c->at;
    n->rest = r;
}

void net_deliver_offload(struct net *n, const struct net_offload *o, uint8_t *f, size_t len)
{
    struct net_tso t;
    struct net_cut cut;

    if (!len || len > NET_FRAME_MAX)
        return;
    if (o->gso_type != NET_GSO_NONE) {
        if (tso_of(o, f, len, &t) && net_cut_start(&cut, f, len, &t) && !cut_all(n, &cut))
            keep_rest(n, &cut);
        return;
    }
    if (!(o->flags & NET_F_NEEDS_CSUM)) {
        net_deliver(n, f, len);
        return;
    }
    if ((size_t)o->csum_start + o->csum_offset + 2 > len)
        return;
    net_put_sum(f, len, o->csum_start, len, (size_t)o->csum_start + o->csum_offset, true);
    deliver_known_good(n, f, len);
}
