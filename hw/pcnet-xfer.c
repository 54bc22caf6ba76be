/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Am79C970A: receiving and transmitting (DS "Receive Operation", "Transmit
 * Operation", "Buffer Management Unit"). A packet is sent when its last
 * descriptor is there, and a frame is received when it fits into the
 * descriptors there are, so none is ever half moved. Not modelled: collisions,
 * thresholds, errors of the medium, look-ahead (LAPPEN).
 */
#include <string.h>
#include "hw/pcnet-int.h"

#define WORK_A_STEP  256 /* descriptors, about */
#define CHAIN        64  /* of one frame; longer ones are UFLO */
#define RX_CHAIN     16  /* the same for receiving, or a miss: that must cost little */
#define STARVED_NS   (2 * NS_PER_MS)
#define PCI_CLOCK_NS 30
#define IDLE_SLOW    PC_IDLE_MAX /* polls in vain; then the chip looks less often than it could */
#define SLOW         16
#define BABBLE       1518
#define RX_MAX       4095 /* MCNT has 12 bits */
#define ETHER_HEADER 14
#define LENGTH_MIN   46 /* a shorter 802.3 length has padding behind it */

/* ---- receiving ---- */

static bool listens(const struct pcnet *p)
{
    return p->s.csr[CSR_STATUS] & C0_RXON;
}

/* PAM, LAFM, BAM; ENP alone for somebody else's; 0: not wanted (DS CSR15). */
static uint32_t filter(const struct pcnet *p, const uint8_t *dst)
{
    uint16_t mode = p->s.csr[CSR_MODE];
    unsigned hash = nic_hash_le(dst);

    if (nic_is_broadcast(dst) && !(mode & MODE_DRCVBC))
        return PD_BAM;
    if ((dst[0] & 1) && (p->s.csr[CSR_LADRF + hash / 16] >> hash % 16 & 1))
        return PD_LAFM;
    if (!(mode & MODE_DRCVPA) && !memcmp(dst, &p->s.csr[CSR_PADR], 6))
        return PD_PAM;
    return mode & MODE_PROM ? PD_ENP : 0;
}

static void missed(struct pcnet *p)
{
    p->s.csr[CSR_STATUS] |= C0_MISS;
    if (!++p->s.csr[CSR_MFC])
        p->s.csr[CSR_FEATURE] |= C4_MFCO;
}

/* The descriptors that hold len bytes, into d[]; 0: the driver has not given enough. */
static unsigned rx_gather(struct pcnet *p, size_t len, struct pc_desc *d)
{
    unsigned at = pc_ring_at(p, RING_RX), first = at;

    for (unsigned n = 0; n < RX_CHAIN; n++) {
        uint32_t size;

        if ((n && at == first) || !pc_desc_get(p, RING_RX, at, &d[n]) || !(d[n].status & PD_OWN))
            return 0;
        size = pc_desc_size(&d[n]);
        if (size >= len)
            return n + 1;
        len -= size;
        at = pc_ring_next(p, RING_RX, at);
    }
    return 0;
}

static void rx_put(struct pcnet *p, const uint8_t *f, size_t len, uint32_t match)
{
    struct pc_desc d[RX_CHAIN];
    unsigned n = rx_gather(p, len, d), at = pc_ring_at(p, RING_RX);
    size_t done = 0;

    if (!n) {
        if (listens(p)) /* not after a bus error */
            missed(p);
        return;
    }
    for (unsigned i = 0; i < n; i++, at = pc_ring_next(p, RING_RX, at)) {
        uint32_t size = pc_desc_size(&d[i]), part = len - done < size ? len - done : size;

        if (pci_dma_write(&p->pci, d[i].addr, f + done, part)) {
            pc_master_failed(p, d[i].addr);
            return;
        }
        done += part;
        d[i].status = (d[i].status & 0xffff) | (i == 0 ? PD_STP : 0);
        if (i == n - 1) {
            d[i].status |= PD_ENP | (match & (PD_PAM | PD_LAFM | PD_BAM));
            d[i].count = len;
        }
        if (!pc_desc_put(p, RING_RX, at, &d[i]))
            return;
        pc_ring_go(p, RING_RX, pc_ring_next(p, RING_RX, at));
    }
    p->s.csr[CSR_STATUS] |= C0_RINT;
}

static bool has_room(struct pcnet *p)
{
    struct pc_desc d;

    if (!listens(p))
        return true; /* nobody listens: the frame passes by */
    return !pc_suspended(p) &&
           (!pc_desc_get(p, RING_RX, pc_ring_at(p, RING_RX), &d) || (d.status & PD_OWN));
}

bool pc_can_receive(void *dev)
{
    struct pcnet *p = PC(dev);

    if (has_room(p))
        return true;
    p->s.waiting = true;
    pc_rx_room(p);
    return false;
}

void pc_rx_room(struct pcnet *p)
{
    struct platform *plat = p->pci.dev.plat;

    if (!p->s.waiting)
        return;
    if (has_room(p)) {
        p->s.waiting = false;
        timer_stop(plat, &p->s.starved);
        net_kick(p->nic.net);
    } else if (p->s.starved.at == TIMER_OFF) {
        timer_set(plat, &p->s.starved, platform_now(plat) + STARVED_NS);
    }
}

/* The length without the pad and FCS of an 802.3 frame, when the driver wants it so. */
static size_t stripped(const struct pcnet *p, const uint8_t *f, size_t len)
{
    unsigned length = net_be16(f + ETHER_HEADER - 2);

    if (!(p->s.csr[CSR_FEATURE] & C4_ASTRP_RCV) || length >= LENGTH_MIN)
        return len;
    return ETHER_HEADER + length;
}

void pc_receive(void *dev, const uint8_t *frame, size_t len)
{
    struct pcnet *p = PC(dev);
    uint8_t f[RX_MAX + 1];
    uint32_t fcs, match = len >= 6 && listens(p) ? filter(p, frame) : 0;

    if (!match || len > RX_MAX - NIC_FCS)
        return;
    memcpy(f, frame, len);
    if (len < NIC_MIN_FRAME) { /* as its sender's card does */
        memset(f + len, 0, NIC_MIN_FRAME - len);
        len = NIC_MIN_FRAME;
    }
    fcs = nic_fcs(f, len);
    memcpy(f + len, &fcs, NIC_FCS);
    rx_put(p, f, stripped(p, f, len + NIC_FCS), match);
    pc_sync(&p->pci.dev);
}

/* ---- transmitting ---- */

struct chain { /* the descriptors of one packet, as they are in the ring */
    struct pc_desc d[CHAIN];
    unsigned n;
    size_t len;
    bool broken;    /* too long, or without an end */
    uint32_t error; /* PDC_*: for the last descriptor */
};

enum tx_result { TX_DONE, TX_NOTHING, TX_FAILED };

static bool gather_data(struct pcnet *p, struct chain *c, const struct pc_desc *d)
{
    uint32_t size = pc_desc_size(d);

    if (c->broken)
        return true;
    if (size > sizeof(p->tx) - c->len) {
        c->broken = true;
    } else if (pci_dma_read(&p->pci, d->addr, p->tx + c->len, size)) {
        pc_master_failed(p, d->addr);
        return false;
    } else {
        c->len += size;
    }
    return true;
}

static enum tx_result gather(struct pcnet *p, struct chain *c)
{
    unsigned first = pc_ring_at(p, RING_TX), at = first;

    c->n = c->len = c->error = 0;
    c->broken = false;
    do {
        struct pc_desc *d = &c->d[c->n];

        if (!pc_desc_get(p, RING_TX, at, d))
            return TX_FAILED;
        if (!(d->status & PD_OWN))
            return TX_NOTHING;
        c->n++;
        if (c->n == 1 && !(d->status & PD_STP)) { /* not a start: it is given back and passed */
            c->broken = true;
            return TX_DONE;
        }
        if (!gather_data(p, c, d))
            return TX_FAILED;
        if (d->status & PD_ENP)
            return TX_DONE;
        at = pc_ring_next(p, RING_TX, at);
    } while (c->n < CHAIN && at != first);
    c->broken = true;
    return TX_DONE;
}

/* What goes over the wire has an FCS; with DXMTFCS the driver made it. False: it is wrong. */
static bool take_fcs(const struct pcnet *p, struct chain *c)
{
    uint32_t fcs;

    if (!(p->s.csr[CSR_MODE] & MODE_DXMTFCS) || (c->d[0].status & PD_FCS))
        return true;
    if (c->len < NIC_FCS)
        return false;
    c->len -= NIC_FCS;
    memcpy(&fcs, p->tx + c->len, NIC_FCS);
    return fcs == nic_fcs(p->tx, c->len);
}

static void emit(struct pcnet *p, struct chain *c)
{
    p->s.csr[CSR_FEATURE] |= C4_TXSTRT;
    if (c->len > BABBLE)
        p->s.csr[CSR_STATUS] |= C0_BABL;
    if (!take_fcs(p, c))
        return; /* every receiver throws it away */
    if (p->s.csr[CSR_MODE] & MODE_LOOP)
        pc_receive(p, p->tx, c->len);
    else if (net_link(p->nic.net))
        nic_send(&p->nic, p->tx, c->len);
    else
        c->error = PDC_LCAR;
}

static bool give_back(struct pcnet *p, struct chain *c)
{
    unsigned at = pc_ring_at(p, RING_TX);

    for (unsigned i = 0; i < c->n; i++, at = pc_ring_next(p, RING_TX, at)) {
        struct pc_desc *d = &c->d[i];

        d->status &= ~PD_OWN;
        if (c->error && i == c->n - 1) {
            d->status |= PD_ERR;
            d->count = c->error;
        }
        if (!pc_desc_put(p, RING_TX, at, d))
            return false;
        pc_ring_go(p, RING_TX, pc_ring_next(p, RING_TX, at));
    }
    return true;
}

/* TINT for every packet, or with TOKINTD only where LTINT asks for it (DS CSR5). */
static bool tells(const struct pcnet *p, const struct pc_desc *last)
{
    uint16_t ext = p->s.csr[CSR_EXT];

    return !(ext & C5_TOKINTD) || ((ext & C5_LTINTEN) && (last->status & PD_LTI));
}

static enum tx_result tx_one(struct pcnet *p, unsigned *work)
{
    struct chain c;
    enum tx_result rc = gather(p, &c);

    if (rc != TX_DONE)
        return rc;
    *work += c.n + c.len / 4096;
    if (!c.broken) {
        emit(p, &c);
        if (tells(p, &c.d[c.n - 1]))
            p->s.csr[CSR_STATUS] |= C0_TINT;
    } else if (c.n > 1) { /* an underflow: that switches the transmitter off (DS CSR3 DXSUFLO) */
        guest_err(&p->pci.dev, "packet of %u descriptors, %zu bytes is not sent", c.n, c.len);
        c.error = PDC_BUFF | PDC_UFLO;
        p->s.csr[CSR_STATUS] |= C0_TINT;
        if (!(p->s.csr[CSR_MASK] & C3_DXSUFLO))
            p->s.csr[CSR_STATUS] &= ~C0_TXON;
    }
    return give_back(p, &c) ? TX_DONE : TX_FAILED;
}

void pc_poll_start(struct pcnet *p)
{
    struct platform *plat = p->pci.dev.plat;
    uint16_t interval = -p->s.csr[CSR_POLLINT];
    int64_t clocks = interval ? interval : 65536;
    bool on =
        (p->s.csr[CSR_STATUS] & C0_TXON) && !(p->s.csr[CSR_FEATURE] & C4_DPOLL) && !pc_suspended(p);

    if (clocks < 4096)
        clocks = 4096; /* 0.1 ms: a shorter one is more than a host can do */
    if (p->s.idle >= IDLE_SLOW)
        clocks *= SLOW;
    timer_set(plat, &p->s.poll, on ? platform_now(plat) + clocks * PCI_CLOCK_NS : TIMER_OFF);
}

void pc_tx(struct pcnet *p)
{
    struct platform *plat = p->pci.dev.plat;
    enum tx_result rc = TX_DONE;
    unsigned work = 0;

    timer_stop(plat, &p->s.more);
    if (!(p->s.csr[CSR_STATUS] & C0_TXON) || pc_suspended(p))
        return;
    net_batch(p->nic.net, true);
    while (rc == TX_DONE && work < WORK_A_STEP && (p->s.csr[CSR_STATUS] & C0_TXON))
        rc = tx_one(p, &work);
    net_batch(p->nic.net, false);
    if (work)
        p->s.idle = 0;
    else if (p->s.idle < IDLE_SLOW)
        p->s.idle++;
    if (rc == TX_DONE && (p->s.csr[CSR_STATUS] & C0_TXON))
        timer_set(plat, &p->s.more, platform_now(plat) + 1);
    pc_poll_start(p);
}
