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
#define TYPE_IP6     0x86dd
#define TYPE_TAG     0x8100
#define PROTO_TCP    6
#define PROTO_UDP    17
#define TCP_MIN      20
#define TCP_OFF      12 /* its header in dwords, in the upper half */
#define TCP_FLAGS    13
#define TCP_CWR      0x80
#define TCP_SUM      16
#define UDP_HEADER   8

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

bool nic_leave_sum(const struct nic *n, size_t len, size_t from, size_t at,
                   struct net_offload *undone)
{
    if (!(net_takes(n->net) & NET_TAKES_SUM) || len < NIC_MIN_FRAME || from >= len || at < from ||
        at + 2 > len)
        return false;
    *undone = (struct net_offload){ .flags = NET_F_NEEDS_CSUM };
    undone->csum_start = from;
    undone->csum_offset = at - from;
    return true;
}

/* Is it what the numbers say, TCP right behind an IP header, all sums wanted? */
static bool plain_tcp(const uint8_t *f, size_t len, const struct net_tso *t)
{
    unsigned type = net_be16(f + t->l3 - 2);

    if (t->udp || t->l3 < ETHER_HEADER || t->l4_sum != t->l4 + TCP_SUM || len - t->l3 > 0xffff ||
        t->header != t->l4 + (f[t->l4 + TCP_OFF] >> 4) * 4u)
        return false;
    if (t->ipv6)
        return type == TYPE_IP6 && f[t->l3 + 6] == PROTO_TCP && t->l4 == t->l3 + NET_IP6_MIN;
    return type == TYPE_IP4 && f[t->l3 + 9] == PROTO_TCP && t->l3_sum == t->l3 + 10 &&
           t->l3_end == t->l4 && t->l4 == t->l3 + (f[t->l3] & 15) * 4u;
}

bool nic_leave_cut(const struct nic *n, uint8_t *f, size_t len, const struct net_tso *t,
                   struct net_offload *undone)
{
    unsigned takes = net_takes(n->net);
    uint8_t *l4 = f + t->l4;

    if (!(takes & (t->ipv6 ? NET_TAKES_TSO6 : NET_TAKES_TSO4)) || t->mss > 0xffff ||
        len > NET_FRAME_MAX - NIC_TAG || !net_tso_sane(t, len) || !plain_tcp(f, len, t))
        return false;
    if (t->ipv6) {
        net_put_be16(f + t->l3 + 4, len - t->l4);
    } else {
        net_put_be16(f + t->l3 + 2, len - t->l3);
        net_put_be16(f + t->l3_sum, 0);
        net_put_sum(f, len, t->l3, t->l3_end, t->l3_sum, false);
    }
    net_put_be16(f + t->l4_sum, net_fold(net_be16(f + t->l4_sum) + (uint32_t)(len - t->l4)));
    *undone = (struct net_offload){ .flags = NET_F_NEEDS_CSUM,
                                    .gso_type = (t->ipv6 ? NET_GSO_TCP6 : NET_GSO_TCP4) |
                                                (l4[TCP_FLAGS] & TCP_CWR ? NET_GSO_ECN : 0),
                                    .csum_offset = TCP_SUM };
    undone->hdr_len = t->header;
    undone->gso_size = t->mss;
    undone->csum_start = t->l4;
    return true;
}

bool nic_send_undone(struct nic *n, const struct net_offload *undone, size_t moved,
                     const uint8_t *frame, size_t len)
{
    struct net_offload o = *undone;

    o.csum_start += moved;
    o.hdr_len += o.hdr_len ? moved : 0;
    return net_send_offload(n->net, &o, frame, len);
}

uint32_t nic_fcs_padded(const uint8_t *frame, size_t len)
{
    static const uint8_t pad[NIC_MIN_FRAME];
    uint32_t crc = nic_fcs(frame, len);

    return len < NIC_MIN_FRAME ? crc32(crc, pad, NIC_MIN_FRAME - len) : crc;
}

unsigned nic_hash_be(const uint8_t *addr)
{
    uint32_t crc = ~nic_fcs(addr, 6);
    unsigned hash = 0;

    for (unsigned i = 0; i < 6; i++)
        hash = hash << 1 | (crc >> i & 1);
    return hash;
}

unsigned nic_hash_le(const uint8_t *addr)
{
    return ~nic_fcs(addr, 6) >> 26;
}

bool nic_is_broadcast(const uint8_t *frame)
{
    static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    return !memcmp(frame, all, sizeof(all));
}

bool nic_ip4(struct nic_ip4 *ip, const uint8_t *f, size_t len)
{
    uint32_t l3 = ETHER_HEADER, header, total;

    memset(ip, 0, sizeof(*ip));
    if (len >= ETHER_HEADER + NIC_TAG && net_be16(f + ETHER_TYPE) == TYPE_TAG)
        l3 += NIC_TAG;
    if (len < l3 + NET_IP4_MIN || net_be16(f + l3 - 2) != TYPE_IP4 || f[l3] >> 4 != 4)
        return false;
    header = (f[l3] & 15) * 4;
    total = net_be16(f + l3 + 2);
    if (header < NET_IP4_MIN || total < header || l3 + total > len)
        return false;
    ip->l3 = l3;
    ip->l4 = l3 + header;
    ip->end = l3 + total;
    ip->proto = f[l3 + 9];
    ip->fragment = net_be16(f + l3 + 6) & 0x3fff; /* more to come, or not the first */
    ip->tcp = !ip->fragment && ip->proto == PROTO_TCP && ip->end - ip->l4 >= TCP_MIN;
    ip->udp = !ip->fragment && ip->proto == PROTO_UDP && ip->end - ip->l4 >= UDP_HEADER;
    return true;
}

bool nic_ip4_sum_ok(const struct nic_ip4 *ip, const uint8_t *f)
{
    return net_fold(net_sum(f + ip->l3, ip->l4 - ip->l3, 0)) == 0xffff;
}

uint32_t nic_pseudo_sum(const struct nic_ip4 *ip, const uint8_t *f)
{
    return net_sum(f + ip->l3 + 12, 8, ip->proto);
}

bool nic_l4_sum_ok(const struct nic_ip4 *ip, const uint8_t *f)
{
    uint32_t len = ip->end - ip->l4;

    if (ip->udp && !net_be16(f + ip->l4 + 6))
        return true; /* the sender made none */
    return net_fold(net_sum(f + ip->l4, len, nic_pseudo_sum(ip, f) + len)) == 0xffff;
}

uint8_t *nic_tag(uint8_t *f, unsigned type, unsigned tag)
{
    memmove(f - NIC_TAG, f, ETHER_TYPE);
    f -= NIC_TAG;
    net_put_be16(f + ETHER_TYPE, type);
    net_put_be16(f + ETHER_TYPE + 2, tag);
    return f;
}

unsigned nic_segment(uint8_t *f, size_t len, const struct net_tso *t,
                     void (*send)(void *arg, uint8_t *frame, size_t len), void *arg)
{
    struct net_cut cut;
    uint8_t *seg;
    size_t n;

    if (!net_cut_start(&cut, f, len, t))
        return 0;
    while ((seg = net_cut_next(&cut, &n)))
        send(arg, seg, n);
    return cut.n;
}
