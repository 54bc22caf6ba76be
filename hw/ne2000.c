/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NE2000 on PCI: Realtek RTL8029AS (10ec:8029, "ne2k_pci"). Sources: National
 * Semiconductor DP8390D/NS32490D data sheet (1995; "DP" below), Realtek
 * RTL8029AS data sheet (registers of page 3, identifiers), and what Linux's
 * ne2k-pci and 8390, iPXE's ns8390 and Windows' rtl8029 expect. The card has 32
 * KiB of packet memory at 4000 and its address doubled at 0, both reached by
 * remote DMA through the data port only. Registers are in ne2000-regs.c. Not
 * modelled: errors of the medium, timing of DMA, flash, LED and sleep bits.
 */
#include <string.h>
#include "hw/core/state.h"
#include "hw/devices.h"
#include "hw/ne2000-int.h"

#define RCR_AR         0x02
#define RCR_AB         0x04
#define RCR_AM         0x08
#define RCR_PRO        0x10
#define RCR_MON        0x20
#define TSR_PTX        0x01
#define RSR_PRX        0x01
#define RSR_PHY        0x20
#define RSR_DIS        0x40
#define CNTR_TELLS     0x80 /* CNT is set from here */
#define EEPROM_CONFIG  0x4040
#define RX_HEADER      4
#define RX_FRAME_MAX   (RAM_SIZE - PAGE)
#define RX_USUAL_PAGES ((RX_HEADER + 1518 + NIC_FCS + PAGE - 1) / PAGE)
#define CONFIG2_INIT   0x40 /* 10BaseT, link test on */
#define CONFIG3_INIT   0x40 /* full duplex: this cable has no collisions */

#define N struct ne2000
static const struct field ne2000_state[] = { EEPROM_FIELDS(N, ee),
                                             FIELD(N, tbcr),
                                             FIELD(N, rsar),
                                             FIELD(N, rbcr),

                                             FIELD(N, clda),
                                             ARRAY(N, par),
                                             ARRAY(N, mar),
                                             ARRAY(N, cntr, .max = CNTR_MAX),
                                             ARRAY(N, fifo),
                                             FIELD(N, fifo_at, .max = FIFO_SIZE - 1),
                                             FIELD(N, cr),
                                             FIELD(N, pstart),
                                             FIELD(N, pstop),
                                             FIELD(N, bnry),
                                             FIELD(N, curr),
                                             FIELD(N, tpsr),
                                             FIELD(N, tsr),
                                             FIELD(N, isr),
                                             FIELD(N, rsr),
                                             FIELD(N, rcr, .bits = RCR_BITS),
                                             FIELD(N, tcr, .bits = TCR_BITS),
                                             FIELD(N, dcr, .bits = DCR_BITS),
                                             FIELD(N, imr, .bits = IMR_ALL),
                                             FIELD(N, eecr,
                                                   .bits = EE_MODE | EE_CS | EE_SK | EE_DI),
                                             FIELD(N, config2, .bits = CONFIG2_BITS),
                                             FIELD(N, config3, .bits = CONFIG3_BITS),
                                             FIELD(N, waiting),
                                             ARRAY(N, ram),
                                             FIELDS_END };

static void ne_kick(struct ne2000 *n);

void ne_sync(struct device *dev)
{
    struct ne2000 *n = NE(dev);

    pci_intx(&n->pci, n->s.isr & n->s.imr);
    ne_kick(n);
}

/* ---- the card's memory ---- */

uint8_t ne_mem_get(const struct ne2000 *n, uint16_t at)
{
    if (at < PROM_SIZE)
        return n->prom[at];
    if (at >= RAM_START && at < RAM_START + RAM_SIZE)
        return n->s.ram[at - RAM_START];
    return 0xff;
}

void ne_mem_put(struct ne2000 *n, uint16_t at, uint8_t val)
{
    if (at >= RAM_START && at < RAM_START + RAM_SIZE)
        n->s.ram[at - RAM_START] = val;
}

/* The address after `at` in the ring: both kinds of DMA turn at PSTOP (DP 7.0, 8.0). */
uint16_t ne_ring_next(const struct ne2000 *n, uint16_t at)
{
    at++;
    return at == n->s.pstop * PAGE ? n->s.pstart * PAGE : at;
}

static uint16_t ring_page(const struct ne2000 *n, unsigned page)
{
    unsigned size = n->s.pstop - n->s.pstart;

    return page >= n->s.pstop ? page - size : page;
}

/* ---- sending ---- */

static void loop_back(struct ne2000 *n, size_t len)
{
    uint32_t fcs = nic_fcs(n->tx, len);

    /* Only the end of a packet is to be seen, in the FIFO (DP 11.0). */
    n->s.fifo[0] = len ? n->tx[len - 1] : 0;
    memcpy(&n->s.fifo[1], &fcs, NIC_FCS);
    n->s.fifo[5] = len + NIC_FCS;
    n->s.fifo[6] = n->s.fifo[7] = (len + NIC_FCS) >> 8;
    n->s.fifo_at = 0;
    n->s.rsr = RSR_PRX;
}

void ne_transmit(struct ne2000 *n)
{
    uint16_t at = n->s.tpsr * PAGE;
    size_t len = n->s.tbcr;

    if (at >= RAM_START && (size_t)at + len <= RAM_START + RAM_SIZE) {
        memcpy(n->tx, &n->s.ram[at - RAM_START], len);
    } else {
        for (size_t i = 0; i < len; i++)
            n->tx[i] = ne_mem_get(n, at + i);
    }
    n->s.clda = at + len;
    if (n->s.tcr & TCR_LB)
        loop_back(n, len);
    else if (len)
        nic_send(&n->nic, n->tx, len);
    n->s.tsr = TSR_PTX;
    n->s.isr |= ISR_PTX;
}

/* ---- receiving ---- */

/* Pages that the ring has for packets; 0 where its registers make no sense. */
static unsigned ring_free(const struct ne2000 *n)
{
    unsigned start = n->s.pstart, stop = n->s.pstop;

    if (start >= stop || n->s.curr < start || n->s.curr >= stop || n->s.bnry < start ||
        n->s.bnry >= stop)
        return 0;
    return n->s.bnry > n->s.curr ? 0u + n->s.bnry - n->s.curr
                                 : stop - start - n->s.curr + n->s.bnry;
}

static bool listens(const struct ne2000 *n)
{
    return !(n->s.cr & CR_STP) && (n->s.cr & CR_STA) && !(n->s.tcr & TCR_LB);
}

/* A ring of few pages, or of none, is not waited for. */
static bool has_room(const struct ne2000 *n)
{
    return !listens(n) || (n->s.rcr & RCR_MON) || ring_free(n) > RX_USUAL_PAGES ||
           n->s.pstop <= n->s.pstart + RX_USUAL_PAGES;
}

static bool ne_can_receive(void *dev)
{
    struct ne2000 *n = NE(dev);

    n->s.waiting = !has_room(n);
    return !n->s.waiting;
}

static void ne_kick(struct ne2000 *n)
{
    if (!n->s.waiting || !has_room(n))
        return;
    n->s.waiting = false;
    net_kick(n->nic.net);
}

static void count_missed(struct ne2000 *n)
{
    uint8_t *missed = &n->s.cntr[2];

    if (*missed < CNTR_MAX)
        ++*missed;
    if (*missed >= CNTR_TELLS)
        n->s.isr |= ISR_CNT;
}

/* RSR's bits for a frame to this address; 0: not wanted (DP 10.0 RCR). */
static uint8_t filter(const struct ne2000 *n, const uint8_t *dst)
{
    uint8_t rcr = n->s.rcr;
    unsigned hash;

    if (nic_is_broadcast(dst))
        return rcr & (RCR_AB | RCR_PRO) ? RSR_PRX | RSR_PHY : 0;
    if (dst[0] & 1) {
        hash = nic_hash_be(dst);
        return (rcr & RCR_AM) && (n->s.mar[hash / 8] >> hash % 8 & 1) ? RSR_PRX | RSR_PHY : 0;
    }
    return (rcr & RCR_PRO) || !memcmp(dst, n->s.par, sizeof(n->s.par)) ? RSR_PRX : 0;
}

static void ring_put(struct ne2000 *n, uint16_t *at, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        ne_mem_put(n, *at, p[i]);
        *at = ne_ring_next(n, *at);
    }
}

/* A header of status, next page and length goes before the packet (DP 7.0). */
static void store(struct ne2000 *n, const uint8_t *frame, size_t len, uint8_t status)
{
    static const uint8_t pad[NIC_MIN_FRAME];
    size_t whole = len < NIC_MIN_FRAME ? NIC_MIN_FRAME : len, count = whole + NIC_FCS;
    unsigned pages = (RX_HEADER + count + PAGE - 1) / PAGE;
    uint32_t fcs = nic_fcs_padded(frame, len);
    uint16_t at = n->s.curr * PAGE;
    uint8_t next, head[RX_HEADER];

    if (pages >= ring_free(n)) {
        n->s.isr |= ISR_OVW;
        count_missed(n);
        return;
    }
    next = ring_page(n, n->s.curr + pages);
    head[0] = status;
    head[1] = next;
    head[2] = count;
    head[3] = count >> 8;
    ring_put(n, &at, head, sizeof(head));
    ring_put(n, &at, frame, len);
    ring_put(n, &at, pad, whole - len);
    ring_put(n, &at, (const uint8_t *)&fcs, NIC_FCS);
    n->s.clda = at;
    n->s.curr = next;
    n->s.rsr = status;
    n->s.isr |= ISR_PRX;
}

static void ne_receive(void *dev, const uint8_t *frame, size_t len)
{
    struct ne2000 *n = NE(dev);
    uint8_t status = len >= 6 && listens(n) ? filter(n, frame) : 0;

    if (!status || len > RX_FRAME_MAX)
        return;
    if (n->s.rcr & RCR_MON) { /* only looked at */
        n->s.rsr = status | RSR_DIS;
        count_missed(n);
    } else {
        store(n, frame, len, status);
    }
    ne_sync(&n->pci.dev);
}

static void ne_link_changed(void *dev)
{
    /* An 8390 does not know of links. */
}

/* ---- reset, the device ---- */

void ne_chip_reset(struct ne2000 *n)
{
    n->s.cr = CR_STP | CR_ABORT; /* DP 10.1: what a reset changes */
    n->s.isr = ISR_RST;
    n->s.imr = 0;
    n->s.dcr |= DCR_LAS;
    n->s.tcr &= ~TCR_LB;
}

void ne_autoload(struct ne2000 *n)
{
    n->s.config2 = CONFIG2_INIT;
    n->s.config3 = CONFIG3_INIT;
}

static void ne_reset(struct device *dev, enum reset_kind kind)
{
    struct ne2000 *n = NE(dev);

    n->s.ee.out = true;
    ne_autoload(n);
    ne_chip_reset(n);
    net_kick(n->nic.net); /* who waited need not any more: nobody listens */
}

static const struct nic_ops ne_nic = { ne_can_receive, ne_receive, ne_link_changed };

static int ne_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct ne2000 *n = NE(dev);
    int rc = nic_init(&n->nic, &n->pci, cfg, "pxe-ne2k_pci.rom", &ne_nic, err);

    if (rc)
        return rc;
    n->eeprom[0] = EEPROM_CONFIG;
    for (unsigned i = 0; i < 3; i++)
        n->eeprom[1 + i] = n->nic.mac[2 * i] | n->nic.mac[2 * i + 1] << 8;
    n->eeprom[0x0c] = 0x8029; /* device, vendor */
    n->eeprom[0x0d] = 0x10ec;
    for (unsigned i = 0; i < PROM_SIZE; i++) /* each byte twice; 57 says that it is 16 bits wide */
        n->prom[i] = i / 2 < 6 ? n->nic.mac[i / 2] : i / 2 >= 14 ? 0x57 : 0;
    return 0;
}

static void ne_fini(struct device *dev)
{
    nic_fini(&NE(dev)->nic);
}

static const struct io_range ne_ports = {
    .space = IO_PORT, .size = 32, .widths = 1 | 2 | 4, .read = ne_read, .write = ne_write
};

const struct pci_type ne2000_type = {
    .dev = { .name = "ne2k_pci",
             .version = 1,
             DEVICE_LAYOUT(struct ne2000),
             .state = ne2000_state,
             .pci = true,
             .init = ne_init,
             .fini = ne_fini,
             .reset = ne_reset,
             .sync = ne_sync },
    .vendor = 0x10ec,
    .device = 0x8029,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = 0x020000,
    .intx = 1,
    .bar = { &ne_ports },
};
