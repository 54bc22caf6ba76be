/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82540EM: receiving (SDM 3.2). Filters by address and VLAN, buffers of all
 * sizes, sums and tags. Not modelled: wake-up, bad frames, pauses.
 */
#include <string.h>
#include "hw/e1000-int.h"

#define RX_FRAME_MAX 16380 /* with FCS: 16384, long packets' end (RCTL.LPE) */
#define RX_USUAL_MAX 1518  /* with a tag, without FCS */
#define RX_JUMBO_MAX 9022  /* what is waited for with LPE: a longer one may find no room */
#define ETHER_TYPE   12
#define TYPE_CONTROL 0x8808

#define RX_DD    0x01
#define RX_EOP   0x02
#define RX_IXSM  0x04
#define RX_VP    0x08
#define RX_TCPCS 0x20
#define RX_IPCS  0x40
#define RX_PIF   0x80
#define RX_TCPE  0x20
#define RX_IPE   0x40

struct rx_desc {
    uint64_t addr;
    uint16_t len, sum;
    uint8_t status, errors;
    uint16_t special;
};
_Static_assert(sizeof(struct rx_desc) == DESC, "SDM 3.2.3");

enum match { NO_MATCH, EXACT, INEXACT };

struct packet { /* what goes into the buffers: a frame, and its FCS unless the driver wants none */
    const uint8_t *frame;
    size_t len, whole; /* of the frame, and with the FCS */
    uint8_t fcs[NIC_FCS];
};

/* ---- which frames (SDM 3.2.1) ---- */

static bool station_match(const struct e1000 *e, const uint8_t *dst)
{
    uint32_t low, high = dst[4] | dst[5] << 8;

    memcpy(&low, dst, sizeof(low));
    for (unsigned i = 0; i < RA_PAIRS; i++) {
        uint32_t rah = e->s.r.ra[2 * i + 1];

        if ((rah & RAH_AV) && (rah & 0xffff) == high && e->s.r.ra[2 * i] == low)
            return true;
    }
    return false;
}

static bool hash_match(const struct e1000 *e, const uint8_t *dst)
{
    static const uint8_t shift[4] = { 4, 3, 2, 0 };
    unsigned hash = (dst[4] | dst[5] << 8) >> shift[RCTL_MO(e->s.r.rctl)] & 0xfff;

    return e->s.r.mta[hash / 32] >> hash % 32 & 1;
}

static enum match address_match(const struct e1000 *e, const uint8_t *dst)
{
    uint32_t rctl = e->s.r.rctl;

    if (station_match(e, dst) || (!(dst[0] & 1) && (rctl & RCTL_UPE)))
        return EXACT;
    if ((dst[0] & 1) && (rctl & RCTL_MPE))
        return EXACT;
    if (nic_is_broadcast(dst))
        return rctl & RCTL_BAM ? EXACT : NO_MATCH;
    return (dst[0] & 1) && hash_match(e, dst) ? INEXACT : NO_MATCH;
}

static bool is_tagged(const struct e1000 *e, const uint8_t *frame, size_t len)
{
    return len >= ETHER_TYPE + NIC_TAG && net_be16(frame + ETHER_TYPE) == (e->s.r.vet & 0xffff);
}

static bool vlan_match(const struct e1000 *e, const uint8_t *frame, size_t len)
{
    unsigned id;

    if (!(e->s.r.rctl & RCTL_VFE) || !is_tagged(e, frame, len))
        return true;
    id = net_be16(frame + ETHER_TYPE + 2);
    if ((e->s.r.rctl & RCTL_CFIEN) && !(id & 0x1000) == !!(e->s.r.rctl & RCTL_CFI))
        return false;
    id &= 0xfff;
    return e->s.r.vfta[id / 32] >> id % 32 & 1;
}

/* MAC control frames stay in the MAC, but for PMCF; pauses also with DPF (SDM 13.4.22). */
static bool is_for_mac(const struct e1000 *e, const uint8_t *frame, size_t len)
{
    return len >= ETHER_TYPE + 2 && net_be16(frame + ETHER_TYPE) == TYPE_CONTROL &&
           (e->s.r.rctl & (RCTL_PMCF | RCTL_DPF)) != RCTL_PMCF;
}

static bool size_match(struct e1000 *e, size_t len)
{
    if (len <= (e->s.r.rctl & RCTL_LPE ? RX_FRAME_MAX : RX_USUAL_MAX))
        return true;
    e1000_count(e, ST_ROC);
    return false;
}

/* ---- the ring ---- */

static uint32_t buffer_size(const struct e1000 *e)
{
    unsigned n = RCTL_BSIZE(e->s.r.rctl);

    if ((e->s.r.rctl & RCTL_BSEX) && n)
        return 32768u >> n;
    return 2048u >> n;
}

/* Descriptors that the driver has given; 0 also when the registers make no sense. */
static uint32_t ring_free(const struct e1000 *e)
{
    uint32_t n = e->s.r.rdlen / DESC;

    if (e->s.r.rdh >= n || e->s.r.rdt >= n)
        return 0;
    return (e->s.r.rdt + n - e->s.r.rdh) % n;
}

static bool has_room(const struct e1000 *e)
{
    uint32_t size = e->s.r.rctl & RCTL_LPE ? RX_JUMBO_MAX : RX_USUAL_MAX + NIC_FCS;
    uint32_t need = (size + buffer_size(e) - 1) / buffer_size(e), most = e->s.r.rdlen / DESC;

    if (!(e->s.r.rctl & RCTL_EN))
        return true; /* nobody listens: the frame passes by */
    return ring_free(e) >= (need < most ? need : most - !!most); /* all of a small ring */
}

bool e1000_can_receive(void *dev)
{
    struct e1000 *e = E1000(dev);

    e->s.waiting = !has_room(e);
    return !e->s.waiting;
}

void e1000_rx_room(struct e1000 *e)
{
    if (!e->s.waiting || !has_room(e))
        return;
    e->s.waiting = false;
    net_kick(e->nic.net);
}

/* len bytes of the packet, from `at` on. */
static int data_put(struct e1000 *e, uint64_t gpa, const struct packet *p, size_t at, size_t len)
{
    size_t left = at < p->len ? p->len - at : 0, part = len < left ? len : left;

    if (part && pci_dma_write(&e->pci, gpa, p->frame + at, part))
        return -1;
    return part == len
               ? 0
               : pci_dma_write(&e->pci, gpa + part, p->fcs + (at + part - p->len), len - part);
}

/* One buffer and its descriptor; an address of 0 is a padding descriptor: no data (SDM 3.2.3). */
static bool ring_put(struct e1000 *e, const struct rx_desc *done, const struct packet *p,
                     size_t from)
{
    uint64_t at = (e->s.r.rdbal | (uint64_t)e->s.r.rdbah << 32) + e->s.r.rdh * DESC;
    struct rx_desc d;

    if (pci_dma_read(&e->pci, at, &d, sizeof(d)))
        return false;
    if (d.addr && data_put(e, d.addr, p, from, done->len))
        return false;
    memcpy((uint8_t *)&d + 8, (const uint8_t *)done + 8, DESC - 8);
    if (pci_dma_write(&e->pci, at, &d, sizeof(d)))
        return false;
    e->s.r.rdh = (e->s.r.rdh + 1) % (e->s.r.rdlen / DESC);
    return true;
}

/* A small packet is announced at once, whatever the delays are (SDM 13.4.35 RSRPD). */
static void announce(struct e1000 *e, size_t len)
{
    struct e1000_delay d = e1000_rx_delay(e);

    if (e->s.r.rsrpd && len <= (e->s.r.rsrpd & 0xfff)) {
        e1000_cause(e, ICR_SRPD);
        e1000_cause_now(e, &d);
    } else {
        e1000_cause_late(e, &d);
    }
}

static void ring_deliver(struct e1000 *e, struct rx_desc *d, const struct packet *p)
{
    uint8_t status = d->status;
    size_t len = p->whole;
    uint32_t size = buffer_size(e), n = e->s.r.rdlen / DESC;

    if (ring_free(e) < (len + size - 1) / size) {
        e1000_count(e, ST_RNBC);
        e1000_count(e, ST_MPC);
        e1000_cause(e, ICR_RXO);
        return;
    }
    for (size_t at = 0; at < len; at += size) {
        bool last = len - at <= size;

        d->len = last ? len - at : size;
        d->status = RX_DD | (last ? status | RX_EOP : status & RX_VP);
        if (!ring_put(e, d, p, at))
            return;
    }
    announce(e, len);
    if (ring_free(e) <= n >> (RCTL_RDMTS(e->s.r.rctl) + 1))
        e1000_cause(e, ICR_RXDMT0);
}

/* ---- a frame ---- */

/* SDM 3.2.9: what the card finds out about sums. */
static void receive_sums(const struct e1000 *e, struct rx_desc *d, const uint8_t *f, size_t len)
{
    uint32_t rxcsum = e->s.r.rxcsum, start = RXCSUM_PCSS(rxcsum);
    struct nic_ip4 ip;

    if (start < len)
        d->sum = ~net_fold(net_sum(f + start, len - start, 0));
    if (!(rxcsum & (RXCSUM_IPOFL | RXCSUM_TUOFL)) || !nic_ip4(&ip, f, len)) {
        d->status |= RX_IXSM;
        return;
    }
    if (rxcsum & RXCSUM_IPOFL) {
        d->status |= RX_IPCS;
        d->errors |= nic_ip4_sum_ok(&ip, f) ? 0 : RX_IPE;
    }
    if ((rxcsum & RXCSUM_TUOFL) && (ip.tcp || (ip.udp && net_be16(f + ip.l4 + 6)))) {
        d->status |= RX_TCPCS;
        d->errors |= nic_knows_sums(&e->nic) || nic_l4_sum_ok(&ip, f) ? 0 : RX_TCPE;
    }
}

/* Without its tag, in f, where the driver wants that. */
static void untag(const struct e1000 *e, struct rx_desc *d, struct packet *p, uint8_t *f)
{
    if (!(e->s.r.ctrl & CTRL_VME) || !is_tagged(e, p->frame, p->len))
        return;
    d->special = net_be16(p->frame + ETHER_TYPE + 2);
    d->status |= RX_VP;
    p->len -= NIC_TAG;
    memmove(f + ETHER_TYPE, p->frame + ETHER_TYPE + NIC_TAG, p->len - ETHER_TYPE);
    memmove(f, p->frame, ETHER_TYPE);
    p->frame = f;
}

static const struct e1000_counters received = {
    ST_TPR, ST_GPRC, ST_BPRC, ST_MPRC, ST_GORCL, ST_TORL, ST_PRC64,
};

void e1000_receive(void *dev, const uint8_t *frame, size_t len)
{
    struct e1000 *e = E1000(dev);
    struct rx_desc d = { 0 };
    struct packet p = { frame, len, 0, { 0 } };
    uint8_t f[RX_FRAME_MAX]; /* for what cannot go as it came */
    uint32_t fcs;
    enum match match;

    if (len < 6 || !(e->s.r.rctl & RCTL_EN) || !size_match(e, len) || len > RX_FRAME_MAX)
        return;
    match = address_match(e, frame);
    if (match == NO_MATCH || !vlan_match(e, frame, len) || is_for_mac(e, frame, len))
        return;
    if (len < NIC_MIN_FRAME) { /* as its sender's card does */
        memcpy(f, frame, len);
        memset(f + len, 0, NIC_MIN_FRAME - len);
        p.frame = f;
        p.len = NIC_MIN_FRAME;
    }
    e1000_count_frame(e, &received, p.frame, p.len);
    if (!(e->s.r.rctl & RCTL_SECRC)) {
        fcs = nic_fcs(p.frame, p.len); /* as it was on the wire: with a tag */
        memcpy(p.fcs, &fcs, NIC_FCS);
    }
    d.status = match == INEXACT ? RX_PIF : 0;
    receive_sums(e, &d, p.frame, p.len);
    untag(e, &d, &p, f);
    p.whole = p.len + (e->s.r.rctl & RCTL_SECRC ? 0 : NIC_FCS);
    ring_deliver(e, &d, &p);
    e1000_sync(&e->pci.dev);
}
