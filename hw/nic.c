/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the network cards share. Sources: RFC 1071 (checksum), RFC 791, 793,
 * 768 (headers), IEEE 802.3 §3.2.9 (FCS), IEEE 802.1Q §9 (tag).
 */
#include "hw/nic.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include "hw/core/log.h"

#define ETHER_TYPE   12
#define ETHER_HEADER 14
#define TYPE_IP4     0x0800
#define TYPE_TAG     0x8100
#define PROTO_TCP    6
#define PROTO_UDP    17
#define IP4_MIN      20
#define IP6_HEADER   40
#define TCP_MIN      20
#define UDP_HEADER   8
#define TCP_FLAGS    13
#define TCP_LAST     0x09 /* FIN and PSH belong to the last segment */

static int nic_mac(struct nic *n, const char *id, const char *text, struct err *err)
{
    unsigned m[6];
    int end = 0;

    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5], &end) !=
            6 ||
        text[end])
        return err_set(err, -EINVAL, "%s: mac=%s is not of the form aa:bb:cc:dd:ee:ff", id, text);
    for (unsigned i = 0; i < 6; i++)
        n->mac[i] = m[i];
    return 0;
}

int nic_init(struct nic *n, struct pci_func *f, const struct config *cfg, const char *rom,
             const struct nic_ops *ops, struct err *err)
{
    const char *id = f->dev.id;
    struct err why = { "" };
    int rc = nic_mac(n, id, config_str(cfg, "mac", "52:54:00:12:34:56"), err);

    if (rc)
        return rc;
    rc = pci_load_rom(f, cfg, rom, &why);
    if (rc && config_str(cfg, "romfile", NULL)) /* asked for by name, unlike the card's own */
        return err_set(err, rc, "%s", why.msg);
    if (rc)
        log_line("%s; the guest cannot boot from this card", why.msg);
    n->net = config_obj(cfg, "net");
    if (!n->net)
        return 0;
    memcpy(n->net->mac, n->mac, sizeof(n->mac));
    n->net->can_receive = ops->can_receive;
    n->net->receive = ops->receive;
    n->net->link_changed = ops->link_changed;
    n->net->nic = f;
    return 0;
}

void nic_fini(struct nic *n)
{
    if (n->net)
        n->net->nic = NULL;
}

bool nic_send(struct nic *n, const uint8_t *frame, size_t len)
{
    uint8_t padded[NIC_MIN_FRAME] = { 0 };

    if (len >= NIC_MIN_FRAME)
        return net_send(n->net, frame, len);
    memcpy(padded, frame, len);
    return net_send(n->net, padded, sizeof(padded));
}

uint32_t nic_fcs(const uint8_t *frame, size_t len)
{
    return crc32(0, frame, len);
}

bool nic_is_broadcast(const uint8_t *frame)
{
    static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    return !memcmp(frame, all, sizeof(all));
}

uint16_t nic_fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* Sums in the host's byte order and swaps once: RFC 1071 §2(B). */
uint32_t nic_sum(const uint8_t *p, size_t len, uint32_t start)
{
    uint64_t sum = 0;
    uint32_t word;
    uint16_t half;

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
    half = nic_fold(nic_fold(sum) + nic_fold(sum >> 32));
    return nic_fold(start) + (uint32_t)(uint16_t)(half << 8 | half >> 8);
}

bool nic_ip4(struct nic_ip4 *ip, const uint8_t *f, size_t len)
{
    uint32_t l3 = ETHER_HEADER, header, total;

    memset(ip, 0, sizeof(*ip));
    if (len >= ETHER_HEADER + NIC_TAG && nic_be16(f + ETHER_TYPE) == TYPE_TAG)
        l3 += NIC_TAG;
    if (len < l3 + IP4_MIN || nic_be16(f + l3 - 2) != TYPE_IP4 || f[l3] >> 4 != 4)
        return false;
    header = (f[l3] & 15) * 4;
    total = nic_be16(f + l3 + 2);
    if (header < IP4_MIN || total < header || l3 + total > len)
        return false;
    ip->l3 = l3;
    ip->l4 = l3 + header;
    ip->end = l3 + total;
    ip->proto = f[l3 + 9];
    ip->fragment = nic_be16(f + l3 + 6) & 0x3fff; /* more to come, or not the first */
    ip->tcp = !ip->fragment && ip->proto == PROTO_TCP && ip->end - ip->l4 >= TCP_MIN;
    ip->udp = !ip->fragment && ip->proto == PROTO_UDP && ip->end - ip->l4 >= UDP_HEADER;
    return true;
}

bool nic_ip4_sum_ok(const struct nic_ip4 *ip, const uint8_t *f)
{
    return nic_fold(nic_sum(f + ip->l3, ip->l4 - ip->l3, 0)) == 0xffff;
}

uint32_t nic_pseudo_sum(const struct nic_ip4 *ip, const uint8_t *f)
{
    return nic_sum(f + ip->l3 + 12, 8, ip->proto);
}

bool nic_l4_sum_ok(const struct nic_ip4 *ip, const uint8_t *f)
{
    uint32_t len = ip->end - ip->l4;

    if (ip->udp && !nic_be16(f + ip->l4 + 6))
        return true; /* the sender made none */
    return nic_fold(nic_sum(f + ip->l4, len, nic_pseudo_sum(ip, f) + len)) == 0xffff;
}

void nic_put_sum(uint8_t *f, size_t len, size_t from, size_t to, size_t at, bool zero_is_ones)
{
    uint16_t sum;

    if (to > len)
        to = len;
    if (from >= to || at + 2 > len)
        return;
    sum = ~nic_fold(nic_sum(f + from, to - from, 0));
    nic_put_be16(f + at, !sum && zero_is_ones ? 0xffff : sum);
}

uint8_t *nic_tag(uint8_t *f, unsigned type, unsigned tag)
{
    memmove(f - NIC_TAG, f, ETHER_TYPE);
    f -= NIC_TAG;
    nic_put_be16(f + ETHER_TYPE, type);
    nic_put_be16(f + ETHER_TYPE + 2, tag);
    return f;
}

/* Do all the places that segment_finish() writes lie in the header? */
static bool tso_sane(const struct nic_tso *t, size_t len)
{
    uint32_t l3_min = t->ipv6 ? IP6_HEADER : IP4_MIN, l4_min = t->udp ? UDP_HEADER : TCP_MIN;

    return t->header <= NIC_HEADER && t->header < len && t->mss && t->l3 + l3_min <= t->header &&
           t->l4 + l4_min <= t->header && t->l3_sum + 2 <= t->header &&
           t->l4_sum + 2 <= t->header &&
           (!t->l3_sum || (t->l3 < t->l3_end && t->l3_end <= t->header)) &&
           (len - t->header + t->mss - 1) / t->mss <= NIC_SEGMENTS;
}

static void segment_ip(const struct nic_tso *t, uint8_t *f, size_t len, unsigned index)
{
    if (t->ipv6) {
        nic_put_be16(f + t->l3 + 4, len - t->l3 - IP6_HEADER);
        return;
    }
    nic_put_be16(f + t->l3 + 2, len - t->l3);
    nic_put_be16(f + t->l3 + 4, nic_be16(f + t->l3 + 4) + index);
    if (t->l3_sum) {
        nic_put_be16(f + t->l3_sum, 0);
        nic_put_sum(f, len, t->l3, t->l3_end, t->l3_sum, false);
    }
}

static void segment_l4(const struct nic_tso *t, uint8_t *f, size_t len, uint32_t at, bool last)
{
    uint8_t *l4 = f + t->l4;

    if (t->udp) {
        nic_put_be16(l4 + 4, len - t->l4);
    } else {
        uint32_t seq = ((uint32_t)nic_be16(l4 + 4) << 16 | nic_be16(l4 + 6)) + at;

        nic_put_be16(l4 + 4, seq >> 16);
        nic_put_be16(l4 + 6, seq);
        if (!last)
            l4[TCP_FLAGS] &= ~TCP_LAST;
    }
    if (t->l4_sum) { /* the pseudo header's part is there; the length was missing from it */
        nic_put_be16(f + t->l4_sum, nic_fold(nic_be16(f + t->l4_sum) + (uint32_t)(len - t->l4)));
        nic_put_sum(f, len, t->l4, len, t->l4_sum, t->udp);
    }
}

unsigned nic_segment(uint8_t *f, size_t len, const struct nic_tso *t,
                     void (*send)(void *arg, uint8_t *frame, size_t len), void *arg)
{
    uint8_t header[NIC_HEADER];
    unsigned n = 0;
    size_t payload;

    if (!tso_sane(t, len))
        return 0;
    payload = len - t->header;
    memcpy(header, f, t->header);
    for (size_t at = 0; at < payload; at += t->mss, n++) {
        size_t left = payload - at, part = left < t->mss ? left : t->mss;
        uint8_t *seg = f + at; /* over the end of the segment before, which is sent */

        memcpy(seg, header, t->header);
        segment_ip(t, seg, t->header + part, n);
        segment_l4(t, seg, t->header + part, at, part == left);
        send(arg, seg, t->header + part);
    }
    return n;
}
