/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One's complement sums and segmentation. Sources: RFC 1071 (checksum), RFC
 * 791, 793, 768, 8200 (headers), RFC 3168 §6.1.2 (CWR only once).
 */
#include "net/segment.h"
#include <string.h>

#define TCP_MIN    20
#define UDP_HEADER 8
#define TCP_FLAGS  13
#define TCP_LAST   0x09 /* FIN and PSH belong to the last segment */
#define TCP_FIRST  0x80 /* CWR to the first */

uint16_t net_fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/*
 * Sums in the host's byte order and swaps once: RFC 1071 §2(B). Halves of 64
 * bits are added apart, so that no carry is waited for: compilers make vectors
 * of that.
 */
uint32_t net_sum(const uint8_t *p, size_t len, uint32_t start)
{
    uint64_t sum = 0, low = 0, high = 0, both;
    uint32_t word;
    uint16_t half;

    for (; len >= sizeof(both); p += sizeof(both), len -= sizeof(both)) {
        memcpy(&both, p, sizeof(both));
        low += both & 0xffffffff;
        high += both >> 32;
    }
    sum = low + high;
    sum = (sum & 0xffffffff) + (sum >> 32);
    for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        sum += word;
    }
    if (len >= sizeof(half)) {
        memcpy(&half, p, sizeof(half));
        sum += half;
        p += sizeof(half);
        len -= sizeof(half);
    }
    if (len)
        sum += *p;
    half = net_fold(net_fold(sum) + net_fold(sum >> 32));
    return net_fold(start) + (uint32_t)(uint16_t)(half << 8 | half >> 8);
}

void net_put_sum(uint8_t *f, size_t len, size_t from, size_t to, size_t at, bool zero_is_ones)
{
    uint16_t sum;

    if (to > len)
        to = len;
    if (from >= to || at + 2 > len)
        return;
    sum = ~net_fold(net_sum(f + from, to - from, 0));
    net_put_be16(f + at, !sum && zero_is_ones ? 0xffff : sum);
}

/* Do all the places that the cutting writes lie in the header? */
bool net_tso_sane(const struct net_tso *t, size_t len)
{
    uint32_t l3_min = t->ipv6 ? NET_IP6_MIN : NET_IP4_MIN, l4_min = t->udp ? UDP_HEADER : TCP_MIN;

    return t->header <= NET_HEADER && t->header < len && t->mss && t->l3 + l3_min <= t->header &&
           t->l4 + l4_min <= t->header && t->l3_sum + 2 <= t->header &&
           t->l4_sum + 2 <= t->header &&
           (!t->l3_sum || (t->l3 < t->l3_end && t->l3_end <= t->header)) &&
           (len - t->header + t->mss - 1) / t->mss <= NET_SEGMENTS;
}

static void segment_ip(const struct net_tso *t, uint8_t *f, size_t len, unsigned index)
{
    if (t->ipv6) {
        net_put_be16(f + t->l3 + 4, len - t->l3 - NET_IP6_MIN);
        return;
    }
    net_put_be16(f + t->l3 + 2, len - t->l3);
    net_put_be16(f + t->l3 + 4, net_be16(f + t->l3 + 4) + index);
    if (t->l3_sum) {
        net_put_be16(f + t->l3_sum, 0);
        net_put_sum(f, len, t->l3, t->l3_end, t->l3_sum, false);
    }
}

static void segment_l4(const struct net_cut *c, uint8_t *f, size_t len, bool last)
{
    const struct net_tso *t = &c->tso;
    uint8_t *l4 = f + t->l4;

    if (t->udp) {
        net_put_be16(l4 + 4, len - t->l4);
    } else {
        uint32_t seq = ((uint32_t)net_be16(l4 + 4) << 16 | net_be16(l4 + 6)) + (uint32_t)c->at;

        net_put_be16(l4 + 4, seq >> 16);
        net_put_be16(l4 + 6, seq);
        if (!last)
            l4[TCP_FLAGS] &= ~TCP_LAST;
        if (c->n)
            l4[TCP_FLAGS] &= ~TCP_FIRST;
    }
    if (t->l4_sum) { /* the pseudo header's part is there; the length was missing from it */
        net_put_be16(f + t->l4_sum, net_fold(net_be16(f + t->l4_sum) + (uint32_t)(len - t->l4)));
        net_put_sum(f, len, t->l4, len, t->l4_sum, t->udp);
    }
}

bool net_cut_start(struct net_cut *c, uint8_t *f, size_t len, const struct net_tso *t)
{
    if (!net_tso_sane(t, len))
        return false;
    c->tso = *t;
    c->frame = f;
    c->payload = len - t->header;
    c->at = c->base = c->n = 0;
    memcpy(c->header, f, t->header);
    return true;
}

uint8_t *net_cut_next(struct net_cut *c, size_t *len)
{
    size_t left = c->payload - c->at, part = left < c->tso.mss ? left : c->tso.mss;
    uint8_t *seg = c->frame + (c->at - c->base);

    if (!left)
        return NULL;
    *len = c->tso.header + part;
    memcpy(seg, c->header, c->tso.header);
    segment_ip(&c->tso, seg, *len, c->n);
    segment_l4(c, seg, *len, part == left);
    c->at += part;
    c->n++;
    return seg;
}
