/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RTL8029AS: registers, remote DMA, the reset and data ports (DP 10.0, 8.0;
 * page 3 and 9346CR: RTL8029AS data sheet, chapter 5). See ne2000.c.
 */
#include "hw/ne2000-int.h"

enum {
    P0_FIFO = 0x06,
    P0_ISR = 0x07,
    P0_ID0 = 0x0a,
    P0_ID1,
    P0_CNTR0 = 0x0d,
    P3_9346CR = 0x01,
    P3_CONFIG2 = 0x05,
    P3_CONFIG3,
    P3_ID0 = 0x0e,
    P3_ID1,
    DATA_PORT = 0x10, /* to 17 */
    RESET_PORT = 0x18 /* to 1f */
};

#define CR_RD(cr)    ((cr) >> 3 & 7)
#define CR_PAGE(cr)  ((cr) >> 6)
#define DCR_WTS      0x01 /* remote DMA moves words */
#define EE_MODE_LOAD 0x40
#define EE_MODE_PROG 0x80
#define EE_DO        0x01

enum { RD_READ = 1, RD_WRITE, RD_SEND, RD_NONE };

/* ---- remote DMA ---- */

static bool dma_on(const struct ne2000 *n, bool write)
{
    unsigned rd = CR_RD(n->s.cr);

    return n->s.rbcr && (write ? rd == RD_WRITE : rd == RD_READ || rd == RD_SEND);
}

static void dma_step(struct ne2000 *n, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        n->s.rsar = ne_ring_next(n, n->s.rsar);
    n->s.rbcr -= n->s.rbcr < bytes ? n->s.rbcr : bytes;
    if (n->s.rbcr)
        return;
    n->s.isr |= ISR_RDC;
    if (CR_RD(n->s.cr) == RD_SEND) /* the packet has been taken out of the ring */
        n->s.bnry = ne_mem_get(n, n->s.bnry * PAGE + 1);
}

/* Words are at even addresses, and a byte that is read of one takes it all (Linux reads so). */
static uint32_t data_read(struct ne2000 *n, unsigned width)
{
    unsigned unit = n->s.dcr & DCR_WTS ? 2 : 1, step = width > unit ? width : unit;
    uint16_t at = n->s.dcr & DCR_WTS ? n->s.rsar & ~1 : n->s.rsar;
    uint32_t val = 0;

    if (!dma_on(n, false))
        return 0;
    for (unsigned i = 0; i < width; i++, at = ne_ring_next(n, at))
        val |= (uint32_t)ne_mem_get(n, at) << 8 * i;
    dma_step(n, step);
    return val;
}

static void data_write(struct ne2000 *n, uint32_t val, unsigned width)
{
    unsigned unit = n->s.dcr & DCR_WTS ? 2 : 1, step = width > unit ? width : unit;
    uint16_t at = n->s.dcr & DCR_WTS ? n->s.rsar & ~1 : n->s.rsar;

    if (!dma_on(n, true))
        return;
    for (unsigned i = 0; i < step; i++, at = ne_ring_next(n, at))
        ne_mem_put(n, at, val >> 8 * i);
    dma_step(n, step);
}

static void dma_start(struct ne2000 *n)
{
    if (CR_RD(n->s.cr) == RD_SEND) { /* the packet at BNRY, header and all (DP 8.0) */
        n->s.rsar = n->s.bnry * PAGE;
        n->s.rbcr = ne_mem_get(n, n->s.rsar + 2) | ne_mem_get(n, n->s.rsar + 3) << 8;
    }
    if (!n->s.rbcr)
        n->s.isr |= ISR_RDC;
}

/* ---- registers ---- */

static void cr_write(struct ne2000 *n, uint8_t val)
{
    unsigned rd = CR_RD(val);

    n->s.cr = val & ~CR_TXP; /* sent before anybody can look */
    if (val & CR_STP) {
        n->s.isr |= ISR_RST;
        return;
    }
    if (val & CR_STA)
        n->s.isr &= ~ISR_RST;
    if (rd && rd < RD_NONE)
        dma_start(n);
    if (val & CR_TXP)
        ne_transmit(n);
}

/* Where the registers of a page are kept, by offset; 0: nowhere. Pairs are little endian. */
#define AT(m)   offsetof(struct ne2000, s.m)
#define HIGH(m) (offsetof(struct ne2000, s.m) + 1)
struct place {
    uint32_t at;
    uint8_t bits, ones; /* that can be set; that read as ones */
};
static const struct place page0_read[16] = {
    [1] = { AT(clda) }, [2] = { HIGH(clda) }, [3] = { AT(bnry) },   [4] = { AT(tsr) },
    [7] = { AT(isr) },  [8] = { AT(rsar) },   [9] = { HIGH(rsar) }, [12] = { AT(rsr) },
};
static const struct place page0_write[16] = {
    [1] = { AT(pstart), 0xff },   [2] = { AT(pstop), 0xff },    [3] = { AT(bnry), 0xff },
    [4] = { AT(tpsr), 0xff },     [5] = { AT(tbcr), 0xff },     [6] = { HIGH(tbcr), 0xff },
    [8] = { AT(rsar), 0xff },     [9] = { HIGH(rsar), 0xff },   [10] = { AT(rbcr), 0xff },
    [11] = { HIGH(rbcr), 0xff },  [12] = { AT(rcr), RCR_BITS }, [13] = { AT(tcr), TCR_BITS },
    [14] = { AT(dcr), DCR_BITS }, [15] = { AT(imr), IMR_ALL },
};
static const struct place page1[16] = {
    [1] = { AT(par[0]), 0xff },  [2] = { AT(par[1]), 0xff },  [3] = { AT(par[2]), 0xff },
    [4] = { AT(par[3]), 0xff },  [5] = { AT(par[4]), 0xff },  [6] = { AT(par[5]), 0xff },
    [7] = { AT(curr), 0xff },    [8] = { AT(mar[0]), 0xff },  [9] = { AT(mar[1]), 0xff },
    [10] = { AT(mar[2]), 0xff }, [11] = { AT(mar[3]), 0xff }, [12] = { AT(mar[4]), 0xff },
    [13] = { AT(mar[5]), 0xff }, [14] = { AT(mar[6]), 0xff }, [15] = { AT(mar[7]), 0xff },
};
/* What page 0 was given (DP 10.2). Writing page 2 is for diagnostics and does nothing here. */
static const struct place page2[16] = {
    [1] = { AT(pstart) },
    [2] = { AT(pstop) },
    [4] = { AT(tpsr) },
    [12] = { AT(rcr), 0, (uint8_t)~RCR_BITS },
    [13] = { AT(tcr), 0, (uint8_t)~TCR_BITS },
    [14] = { AT(dcr), 0, (uint8_t)~DCR_BITS },
    [15] = { AT(imr), 0, (uint8_t)~IMR_ALL },
};

static uint8_t place_get(const struct ne2000 *n, const struct place *p)
{
    return *((const uint8_t *)n + p->at) | p->ones;
}

static void place_put(struct ne2000 *n, const struct place *p, uint8_t val)
{
    uint8_t *at = (uint8_t *)n + p->at;

    if (p->at)
        *at = (*at & ~p->bits) | (val & p->bits);
}

static uint8_t page0_get(struct ne2000 *n, unsigned reg)
{
    uint8_t val = 0;

    if (page0_read[reg].at)
        return place_get(n, &page0_read[reg]);
    if (reg == P0_FIFO) {
        val = n->s.fifo[n->s.fifo_at % FIFO_SIZE];
        n->s.fifo_at = (n->s.fifo_at + 1) % FIFO_SIZE;
    } else if (reg == P0_ID0) {
        val = 0x50;
    } else if (reg == P0_ID1) {
        val = 0x43;
    } else if (reg >= P0_CNTR0) { /* cleared by reading */
        val = n->s.cntr[(reg - P0_CNTR0) % 3];
        n->s.cntr[(reg - P0_CNTR0) % 3] = 0;
    }
    return val; /* NCR: there are no collisions */
}

static uint8_t page3_get(const struct ne2000 *n, unsigned reg)
{
    switch (reg) {
    case P3_9346CR:
        return n->s.eecr | (n->s.ee.out ? EE_DO : 0);
    case P3_CONFIG2:
        return n->s.config2;
    case P3_CONFIG3:
        return n->s.config3;
    case P3_ID0:
        return 0x29;
    case P3_ID1:
        return 0x80;
    default: /* CONFIG0: 10BaseT; the others are reserved */
        return 0;
    }
}

static void eecr_write(struct ne2000 *n, uint8_t val)
{
    bool wired = (val & EE_MODE) == EE_MODE_PROG;

    if ((val & EE_MODE) == EE_MODE_LOAD) {
        ne_autoload(n);
        val &= ~EE_MODE; /* and back to normal by itself */
    }
    n->s.eecr = val & (EE_MODE | EE_CS | EE_SK | EE_DI);
    if (eeprom_pins(&n->s.ee, n->eeprom, wired && (val & EE_CS), wired && (val & EE_SK),
                    val & EE_DI))
        guest_err(&n->pci.dev, "the EEPROM cannot be programmed");
}

static void page3_write(struct ne2000 *n, unsigned reg, uint8_t val)
{
    bool unlocked = (n->s.eecr & EE_MODE) == EE_MODE;

    if (reg == P3_9346CR)
        eecr_write(n, val);
    else if (reg == P3_CONFIG2 && unlocked)
        n->s.config2 = val & CONFIG2_BITS;
    else if (reg == P3_CONFIG3 && unlocked)
        n->s.config3 = val & CONFIG3_BITS;
}

static uint8_t reg_read(struct ne2000 *n, unsigned reg)
{
    if (reg == 0)
        return n->s.cr;
    switch (CR_PAGE(n->s.cr)) {
    case 0:
        return page0_get(n, reg);
    case 1:
        return place_get(n, &page1[reg]);
    case 2:
        return page2[reg].at ? place_get(n, &page2[reg]) : 0xff;
    default:
        return page3_get(n, reg);
    }
}

static void reg_write(struct ne2000 *n, unsigned reg, uint8_t val)
{
    unsigned page = CR_PAGE(n->s.cr);

    if (reg == 0)
        cr_write(n, val);
    else if (page == 0 && reg == P0_ISR)
        n->s.isr &= ~(val & ~ISR_RST); /* RST shows a state */
    else if (page == 0)
        place_put(n, &page0_write[reg], val);
    else if (page == 1)
        place_put(n, &page1[reg], val);
    else if (page == 3)
        page3_write(n, reg, val);
}

uint64_t ne_read(struct device *dev, uint64_t off, unsigned width)
{
    struct ne2000 *n = NE(dev);
    uint64_t val = 0;

    if (off >= RESET_PORT) {
        ne_chip_reset(n);
    } else if (off >= DATA_PORT) {
        val = data_read(n, width);
    } else {
        for (unsigned i = 0; i < width; i++)
            val |= (uint64_t)reg_read(n, (off + i) & 15) << 8 * i;
    }
    ne_sync(dev);
    return val;
}

void ne_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct ne2000 *n = NE(dev);

    if (off >= RESET_PORT)
        return; /* the read began and ended the pulse */
    if (off >= DATA_PORT) {
        data_write(n, val, width);
    } else {
        for (unsigned i = 0; i < width; i++)
            reg_write(n, (off + i) & 15, val >> 8 * i);
    }
    ne_sync(dev);
}
