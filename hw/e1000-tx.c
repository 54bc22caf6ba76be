/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82540EM: transmitting (SDM 3.3 to 3.5). Legacy, context and data
 * descriptors, sums, TCP and UDP segmentation, tags. A packet is sent when its
 * last descriptor is there, so none is ever half sent. Not modelled: thresholds
 * of TXDCTL other than LWTHRESH, collisions, SNAP headers.
 */
#include <string.h>
#include "hw/e1000-int.h"

#define WORK_A_STEP 256 /* frames, about; give or take the segments of one packet */
#define WORK_BROKEN 32  /* memory that is none takes the longest to find */
#define CHAIN       256 /* descriptors of a packet, at most */

#define CMD_EOP            0x01000000
#define CMD_IC             0x04000000 /* legacy */
#define CMD_TSE            0x04000000 /* data, context */
#define CMD_RS             0x08000000
#define CMD_RPS            0x10000000
#define CMD_DEXT           0x20000000
#define CMD_VLE            0x40000000
#define CMD_IDE            0x80000000 /* the interrupt may be late */
#define TUCMD_TCP          0x01000000
#define TUCMD_IP           0x02000000
#define TXDCTL_LWTHRESH(r) ((r) >> 25)
#define DTYP_DATA          0x00100000
#define DTYP               0x00f00000
#define LEN_EXT            0x000fffff
#define LEN_OLD            0x0000ffff
#define STA_DD             0x00000001
#define POPTS_IXSM         0x0100
#define POPTS_TXSM         0x0200

struct tx_desc {
    uint32_t addr_low, addr_high;
    uint32_t cmd, opts;
};
_Static_assert(sizeof(struct tx_desc) == DESC, "SDM 3.3.3");

struct tx_chain { /* the descriptors of one packet, as they are in the ring from TDH on */
    struct tx_desc d[CHAIN];
    unsigned n;
    size_t len;
    bool broken;
};

enum tx_result { TX_DONE, TX_NOTHING, TX_FAILED };

struct outgoing {
    struct e1000 *e;
    bool tagged;
    uint16_t tag;
    unsigned work;
    struct net_offload undone; /* flags 0: nothing is left to the cable */
};

static const struct e1000_counters sent = {
    ST_TPT, ST_GPTC, ST_BPTC, ST_MPTC, ST_GOTCL, ST_TOTL, ST_PTC64,
};

static bool is_looped(const struct e1000 *e)
{
    return RCTL_LBM(e->s.r.rctl) == LBM_MAC || (e->s.phy[PHY_BMCR] & BMCR_LOOPBACK);
}

static bool goes_out(const struct e1000 *e)
{
    return !is_looped(e) && e1000_link(e);
}

static void emit(void *arg, uint8_t *f, size_t len)
{
    struct outgoing *o = arg;
    struct e1000 *e = o->e;
    size_t moved = 0;

    if (len < 14) { /* not even addresses: what the wire would do with it nobody knows */
        guest_err(&e->pci.dev, "frame of %zu bytes is not sent", len);
        return;
    }
    if (o->tagged) {
        f = nic_tag(f, e->s.r.vet & 0xffff, o->tag);
        len += moved = NIC_TAG;
    }
    if (o->undone.gso_type == NET_GSO_NONE)
        e1000_count_frame(e, &sent, f, len < NIC_MIN_FRAME ? NIC_MIN_FRAME : len);
    if (is_looped(e))
        e1000_receive(e, f, len);
    else if (o->undone.flags)
        nic_send_undone(&e->nic, &o->undone, moved, f, len);
    else if (e1000_link(e))
        nic_send(&e->nic, f, len);
    o->work++;
}

/* The whole packet to the cable, which cuts it; counted are the frames that come of it. */
static void emit_uncut(struct outgoing *o, uint8_t *f, size_t len, const struct net_tso *t)
{
    size_t tag = o->tagged ? NIC_TAG : 0, left = len - t->header;

    for (; left; left -= left < t->mss ? left : t->mss)
        e1000_count_frame(o->e, &sent, f, t->header + tag + (left < t->mss ? left : t->mss));
    emit(o, f, len);
}

/* ---- what is done to a packet ---- */

static void legacy_packet(struct outgoing *o, uint8_t *f, size_t len, const struct tx_desc *last)
{
    unsigned cso = last->cmd >> 16 & 0xff, css = last->opts >> 8 & 0xff;

    if (last->cmd & CMD_IC)
        net_put_sum(f, len, css, len, cso, false);
    emit(o, f, len);
}

/* A context descriptor (SDM 3.3.6), decoded where it is used */
#define IPCSS(c)  ((c)[0] & 0xff)
#define IPCSO(c)  ((c)[0] >> 8 & 0xff)
#define IPCSE(c)  ((c)[0] >> 16)
#define TUCSS(c)  ((c)[1] & 0xff)
#define TUCSO(c)  ((c)[1] >> 8 & 0xff)
#define TUCSE(c)  ((c)[1] >> 16)
#define HDRLEN(c) ((c)[3] >> 8 & 0xff)
#define MSS(c)    ((c)[3] >> 16)

/* The last byte's offset is in the descriptor; 0 means the packet's end. */
static size_t sum_end(uint32_t end, size_t len)
{
    return end ? end + 1 : len;
}

static void segmented_packet(struct outgoing *o, uint8_t *f, size_t len, uint32_t popts)
{
    const uint32_t *c = o->e->s.r.ctx[CTX_TSO];
    struct net_tso t = {
        .header = HDRLEN(c),
        .mss = MSS(c),
        .l3 = IPCSS(c),
        .l4 = TUCSS(c),
        .l3_end = sum_end(IPCSE(c), 0),
        .l3_sum = popts & POPTS_IXSM ? IPCSO(c) : 0,
        .l4_sum = popts & POPTS_TXSM ? TUCSO(c) : 0,
        .ipv6 = !(c[2] & TUCMD_IP),
        .udp = !(c[2] & TUCMD_TCP),
    };

    if (len == t.header) {
        emit(o, f, len);
    } else if (goes_out(o->e) && nic_leave_cut(&o->e->nic, f, len, &t, &o->undone)) {
        emit_uncut(o, f, len, &t);
        e1000_count(o->e, ST_TSCTC);
    } else if (nic_segment(f, len, &t, emit, o)) {
        e1000_count(o->e, ST_TSCTC);
    } else {
        guest_err(&o->e->pci.dev, "segmentation of %zu bytes: header %u, MSS %u", len, t.header,
                  t.mss);
        e1000_count(o->e, ST_TSCTFC);
    }
}

static void summed_packet(struct outgoing *o, uint8_t *f, size_t len, uint32_t popts)
{
    const uint32_t *c = o->e->s.r.ctx[CTX_NORMAL];

    if (popts & POPTS_IXSM)
        net_put_sum(f, len, IPCSS(c), sum_end(IPCSE(c), len), IPCSO(c), false);
    if ((popts & POPTS_TXSM) && (TUCSE(c) || !goes_out(o->e) ||
                                 !nic_leave_sum(&o->e->nic, len, TUCSS(c), TUCSO(c), &o->undone)))
        net_put_sum(f, len, TUCSS(c), sum_end(TUCSE(c), len), TUCSO(c), !(c[2] & TUCMD_TCP));
    emit(o, f, len);
}

/* The options of sums are in the first descriptor, those of tags in the last (SDM 3.3.7). */
static void packet_send(struct outgoing *o, const struct tx_chain *c)
{
    const struct tx_desc *first = &c->d[0], *last = &c->d[c->n - 1];
    uint8_t *f = E1000_TX_FRAME(o->e);

    o->tagged = (last->cmd & CMD_VLE) && (o->e->s.r.ctrl & CTRL_VME);
    o->tag = last->opts >> 16;
    o->undone.flags = o->undone.gso_type = 0;
    if (!(first->cmd & CMD_DEXT))
        legacy_packet(o, f, c->len, last);
    else if (first->cmd & CMD_TSE)
        segmented_packet(o, f, c->len, first->opts);
    else
        summed_packet(o, f, c->len, first->opts);
}

/* ---- the ring ---- */

static uint64_t desc_gpa(const struct e1000 *e, uint32_t i)
{
    return (e->s.r.tdbal | (uint64_t)e->s.r.tdbah << 32) + (uint64_t)i * DESC;
}

static bool is_context(const struct tx_desc *d)
{
    return (d->cmd & CMD_DEXT) && (d->cmd & DTYP) != DTYP_DATA;
}

static void gather_data(struct e1000 *e, struct tx_chain *c, const struct tx_desc *d)
{
    uint32_t size = d->cmd & (d->cmd & CMD_DEXT ? LEN_EXT : LEN_OLD);

    if (c->broken)
        return;
    if (size > NIC_TX_MAX - c->len)
        c->broken = true;
    else if (pci_dma_read(&e->pci, d->addr_low | (uint64_t)d->addr_high << 32,
                          E1000_TX_FRAME(e) + c->len, size))
        c->broken = true;
    else
        c->len += size;
}

/* The descriptors from TDH to an end of packet, or one context. ring: their number in it. */
static enum tx_result gather(struct e1000 *e, struct tx_chain *c, uint32_t ring)
{
    c->n = c->len = 0;
    c->broken = false;
    for (uint32_t at = e->s.r.tdh; at != e->s.r.tdt; at = (at + 1) % ring) {
        struct tx_desc *d = &c->d[c->n];

        if (pci_dma_read(&e->pci, desc_gpa(e, at), d, sizeof(*d)))
            return TX_FAILED;
        c->n++;
        if (is_context(d)) { /* inside a packet: it makes an end of it */
            c->broken = c->n > 1;
            return TX_DONE;
        }
        gather_data(e, c, d);
        if (d->cmd & CMD_EOP)
            return TX_DONE;
        if (c->n == CHAIN) {
            c->broken = true;
            return TX_DONE;
        }
    }
    return TX_NOTHING;
}

/* Tells the driver, where it asked (RS), and moves TDH on. */
static bool give_back(struct e1000 *e, const struct tx_chain *c, uint32_t ring)
{
    struct e1000_delay d = e1000_tx_delay(e);
    bool late = false;

    for (unsigned i = 0; i < c->n; i++) {
        uint32_t opts = c->d[i].opts | STA_DD;

        if (c->d[i].cmd & (CMD_RS | CMD_RPS)) {
            if (pci_dma_write(&e->pci, desc_gpa(e, e->s.r.tdh) + 12, &opts, sizeof(opts)))
                return false;
            if (c->d[i].cmd & CMD_IDE)
                late = true;
            else
                e1000_cause(e, ICR_TXDW);
        }
        e->s.r.tdh = (e->s.r.tdh + 1) % ring;
    }
    if (late)
        e1000_cause_late(e, &d);
    return true;
}

static enum tx_result tx_one(struct outgoing *o, uint32_t ring)
{
    struct e1000 *e = o->e;
    struct tx_chain c;
    enum tx_result rc = gather(e, &c, ring);

    if (rc != TX_DONE)
        return rc;
    o->work += 1 + c.n / 8 + c.len / 8192 + (c.broken ? WORK_BROKEN : 0);
    if (c.broken)
        guest_err(&e->pci.dev, "packet of %u descriptors, %zu bytes is not sent", c.n, c.len);
    else if (is_context(&c.d[0]))
        memcpy(e->s.r.ctx[c.d[0].cmd & CMD_TSE ? CTX_TSO : CTX_NORMAL], &c.d[0], DESC);
    else
        packet_send(o, &c);
    return give_back(e, &c, ring) ? TX_DONE : TX_FAILED;
}

void e1000_tx(struct e1000 *e)
{
    struct platform *plat = e->pci.dev.plat;
    struct outgoing o = { .e = e };
    uint32_t ring = e->s.r.tdlen / DESC;
    enum tx_result rc = TX_DONE;

    timer_stop(plat, &e->s.more);
    if (!(e->s.r.tctl & TCTL_EN) || e->s.r.tdh == e->s.r.tdt)
        return;
    if (e->s.r.tdh >= ring || e->s.r.tdt >= ring) {
        guest_err(&e->pci.dev, "TDH %u, TDT %u in a ring of %u", e->s.r.tdh, e->s.r.tdt, ring);
        return;
    }
    net_batch(e->nic.net, true);
    while (rc == TX_DONE && o.work < WORK_A_STEP)
        rc = tx_one(&o, ring);
    net_batch(e->nic.net, false);
    if (e->s.r.tdh == e->s.r.tdt)
        e1000_cause(e, ICR_TXQE | (TXDCTL_LWTHRESH(e->s.r.txdctl) ? ICR_TXDLOW : 0));
    else if (rc == TX_DONE)
        timer_set(plat, &e->s.more, platform_now(plat) + 1);
}
