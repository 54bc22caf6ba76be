/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RTL8139C+: transmitting. C mode: four slots used in turn (RTL8139C datasheet
 * 1.4 §5.2 TSD, §5.3 TSAD). C+ mode: rings of descriptors of normal and high
 * priority with checksums, large send and tags (RTL8139C+ 1.6 §7.1). A packet
 * is sent when all its descriptors are the chip's, so none is ever half sent.
 * Not modelled: collisions, thresholds, loss of carrier.
 */
#include <string.h>
#include "hw/rtl8139-int.h"

#define WORK_A_STEP 256 /* frames, about; give or take the segments of one large send */
#define WORK_BROKEN 32  /* memory that is none takes the longest to find */

#define CP_TX_SIZE   0x0000ffff
#define CP_TX_ERROR  0x00800000
#define CP_TX_LARGE  0x08000000
#define CP_TX_MSS(o) ((o) >> 16 & 0x7ff)
#define CP_TX_IPCS   0x00040000 /* without CP_TX_LARGE */
#define CP_TX_UDPCS  0x00020000
#define CP_TX_TCPCS  0x00010000
#define CP_TX_TAGC   0x00020000 /* second dword */
#define TYPE_TAG     0x8100
#define ETHER_TYPE   12

enum cp_result { CP_SENT, CP_NOTHING, CP_FAILED };

struct outgoing {
    struct rtl8139 *r;
    uint32_t vlan; /* second dword of the descriptors */
    unsigned work;
    struct net_offload undone; /* flags 0: nothing is left to the cable */
};

static bool is_looped(const struct rtl8139 *r)
{
    return (r->s.tcr & TCR_LOOPBACK) == TCR_LOOPBACK;
}

static void emit(void *arg, uint8_t *frame, size_t len)
{
    struct outgoing *o = arg;
    struct rtl8139 *r = o->r;
    size_t moved = 0;

    if (o->vlan & CP_TX_TAGC) { /* the tag is in the order of the wire */
        frame = nic_tag(frame, TYPE_TAG, (o->vlan & 0xff) << 8 | (o->vlan >> 8 & 0xff));
        len += moved = NIC_TAG;
    }
    if (is_looped(r))
        rtl_receive(r, frame, len);
    else if (o->undone.flags)
        nic_send_undone(&r->nic, &o->undone, moved, frame, len);
    else
        nic_send(&r->nic, frame, len);
    r->s.tally.tx_ok++;
    o->work++;
}

/* ---- C mode ---- */

static void slot_send(struct rtl8139 *r, unsigned slot)
{
    struct outgoing o = { .r = r };
    uint32_t len = r->s.tsd[slot] & TSD_SIZE;

    if (len && !pci_dma_read(&r->pci, r->s.tsad[slot], RTL_TX_FRAME(r), len)) {
        emit(&o, RTL_TX_FRAME(r), len);
        r->s.tsd[slot] |= TSD_TOK;
        r->s.isr |= ISR_TOK;
    } else {
        r->s.tsd[slot] |= TSD_TABT;
        r->s.isr |= ISR_TER;
        r->s.tally.tx_err++;
        r->s.tally.tx_abort++;
    }
    r->s.tsd[slot] |= TSD_OWN;
}

static void slots_send(struct rtl8139 *r)
{
    for (unsigned i = 0; i < TX_SLOTS; i++) {
        unsigned slot = r->s.tx_slot % TX_SLOTS;

        if (r->s.tsd[slot] & TSD_OWN)
            return;
        slot_send(r, slot);
        r->s.tx_slot = (slot + 1) % TX_SLOTS;
    }
}

/* ---- C+ mode ---- */

/* The cable sums up to a frame's end: what is behind the IP packet must not count. */
static bool leave_sum(struct outgoing *o, const struct nic_ip4 *ip, size_t len, size_t at)
{
    return !is_looped(o->r) && ip->end == len &&
           nic_leave_sum(&o->r->nic, len, ip->l4, at, &o->undone);
}

static void cp_sums(struct outgoing *o, uint8_t *f, size_t len, uint32_t opts)
{
    struct nic_ip4 ip;
    uint32_t seed;

    if (!nic_ip4(&ip, f, len))
        return;
    if (opts & CP_TX_IPCS) {
        net_put_be16(f + ip.l3 + 10, 0);
        net_put_sum(f, len, ip.l3, ip.l4, ip.l3 + 10, false);
    }
    seed = net_fold(nic_pseudo_sum(&ip, f) + (ip.end - ip.l4));
    if ((opts & CP_TX_TCPCS) && ip.tcp) {
        net_put_be16(f + ip.l4 + 16, seed);
        if (!leave_sum(o, &ip, len, ip.l4 + 16))
            net_put_sum(f, len, ip.l4, ip.end, ip.l4 + 16, false);
    } else if ((opts & CP_TX_UDPCS) && ip.udp) {
        net_put_be16(f + ip.l4 + 6, seed);
        if (!leave_sum(o, &ip, len, ip.l4 + 6))
            net_put_sum(f, len, ip.l4, ip.end, ip.l4 + 6, true);
    }
}

/* Large send: the chip finds the headers itself; some drivers leave the total length 0. */
static bool cp_large(struct outgoing *o, uint8_t *f, size_t len, uint32_t mss)
{
    size_t l3 = len > ETHER_TYPE + 2 && net_be16(f + ETHER_TYPE) == TYPE_TAG ? 18 : 14;
    struct nic_ip4 ip;
    struct net_tso t = { .mss = mss };

    if (len < l3 + 20)
        return false;
    net_put_be16(f + l3 + 2, len - l3 > 0xffff ? 0xffff : len - l3);
    if (!nic_ip4(&ip, f, len) || !ip.tcp)
        return false;
    t.l3 = ip.l3;
    t.l3_end = t.l4 = ip.l4;
    t.l3_sum = ip.l3 + 10;
    t.l4_sum = ip.l4 + 16;
    t.header = ip.l4 + (f[ip.l4 + 12] >> 4) * 4;
    net_put_be16(f + t.l4_sum, net_fold(nic_pseudo_sum(&ip, f)));
    if (!is_looped(o->r) && nic_leave_cut(&o->r->nic, f, len, &t, &o->undone)) {
        o->r->s.tally.tx_ok += (len - t.header + t.mss - 1) / t.mss - 1; /* emit() counts one */
        emit(o, f, len);
        return true;
    }
    return nic_segment(f, len, &t, emit, o) != 0;
}

/* The last descriptor says what is to be done: Linux sets large send only there. */
static bool cp_packet(struct outgoing *o, size_t len, const struct cp_desc *last)
{
    uint8_t *f = RTL_TX_FRAME(o->r);

    o->vlan = last->vlan;
    o->undone.flags = 0;
    if (!len)
        return false;
    if (last->opts & CP_TX_LARGE)
        return cp_large(o, f, len, CP_TX_MSS(last->opts));
    if (last->opts & (CP_TX_IPCS | CP_TX_UDPCS | CP_TX_TCPCS))
        cp_sums(o, f, len, last->opts);
    emit(o, f, len);
    return true;
}

static uint64_t desc_gpa(const struct rtl8139 *r, unsigned ring, unsigned i)
{
    return (rtl_addr(&r->s.tsad[ring * 2]) & ~0xffULL) + i * sizeof(struct cp_desc);
}

static unsigned desc_next(const struct cp_desc *d, unsigned i)
{
    return (d->opts & CP_EOR) || i + 1 >= CP_RING ? 0 : i + 1;
}

struct cp_chain { /* the descriptors of one packet */
    struct cp_desc d[CP_RING];
    unsigned n;
    size_t len;
    bool broken; /* too long, or in memory that is none */
};

static void cp_gather_data(struct rtl8139 *r, struct cp_chain *c, const struct cp_desc *d)
{
    uint32_t size = d->opts & CP_TX_SIZE;

    if (c->broken)
        return;
    if (size > NIC_TX_MAX - c->len ||
        pci_dma_read(&r->pci, rtl_desc_addr(d), RTL_TX_FRAME(r) + c->len, size))
        c->broken = true;
    else
        c->len += size;
}

static enum cp_result cp_gather(struct rtl8139 *r, unsigned ring, struct cp_chain *c)
{
    unsigned first = r->s.tx_at[ring], at = first;

    c->n = c->len = 0;
    c->broken = false;
    do {
        struct cp_desc *d = &c->d[c->n];

        if (pci_dma_read(&r->pci, desc_gpa(r, ring, at), d, sizeof(*d)))
            return CP_FAILED;
        if (!(d->opts & CP_OWN))
            return CP_NOTHING;
        c->n++;
        cp_gather_data(r, c, d);
        if (d->opts & CP_LS)
            return CP_SENT;
        at = desc_next(d, at);
    } while (c->n < CP_RING && at != first);
    c->broken = true; /* a ring without an end of packet */
    return CP_SENT;
}

static enum cp_result cp_one(struct outgoing *o, unsigned ring)
{
    struct rtl8139 *r = o->r;
    struct cp_chain c;
    enum cp_result rc = cp_gather(r, ring, &c);
    uint32_t error = 0;

    if (rc != CP_SENT)
        return rc;
    o->work += 1 + c.n / 8 + c.len / 8192 + (c.broken ? WORK_BROKEN : 0);
    if (c.broken || !cp_packet(o, c.len, &c.d[c.n - 1])) {
        guest_err(&r->pci.dev, "C+ packet of %u descriptors, %zu bytes cannot be sent", c.n, c.len);
        error = CP_TX_ERROR;
        r->s.tally.tx_err++;
    }
    r->s.isr |= error ? ISR_TER : ISR_TOK;
    for (unsigned i = 0; i < c.n; i++) {
        uint32_t opts = (c.d[i].opts & (CP_EOR | CP_FS | CP_LS | CP_TX_SIZE)) | error;

        if (pci_dma_write(&r->pci, desc_gpa(r, ring, r->s.tx_at[ring]), &opts, sizeof(opts)))
            return CP_FAILED;
        r->s.tx_at[ring] = desc_next(&c.d[i], r->s.tx_at[ring]);
    }
    return CP_SENT;
}

static void rings_send(struct rtl8139 *r)
{
    struct platform *plat = r->pci.dev.plat;
    struct outgoing o = { .r = r };

    net_batch(r->nic.net, true);
    while (r->s.polled && o.work < WORK_A_STEP) {
        unsigned ring = r->s.polled >> 1; /* the high priority first */
        enum cp_result rc = cp_one(&o, ring);

        if (rc == CP_SENT)
            continue;
        r->s.polled &= ~(1 << ring);
        r->s.isr |= rc == CP_FAILED ? ISR_SERR : ISR_TDU;
    }
    net_batch(r->nic.net, false);
    timer_set(plat, &r->s.more, r->s.polled ? platform_now(plat) + 1 : TIMER_OFF);
}

void rtl_tx(struct rtl8139 *r)
{
    if (!(r->s.cr & CR_TE))
        return;
    if (rtl_cplus_tx(r))
        rings_send(r);
    else
        slots_send(r);
}
