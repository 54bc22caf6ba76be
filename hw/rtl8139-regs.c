/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The RTL8139C+'s registers: RTL8139C(L)+ datasheet 1.6 chapter 5, RTL8139C(L)
 * datasheet 1.4 for the MII. A table says where each one is kept; those that
 * are more than a place to store have functions, in the order of the table.
 * What is not modelled: see rtl8139.c.
 */
#include <string.h>
#include "hw/core/state.h"
#include "hw/rtl8139-int.h"

#define DTCCR_DUMP      0x08
#define DTCCR_ADDR      0xffffffc0
#define TPPOLL_RINGS(v) ((v) >> 6)
#define TPPOLL_FSWINT   0x01
#define BMCR_RESET      0x8000
#define BMSR_ABLE       0x7809
#define BMSR_LINK       0x0024 /* up, negotiated */
#define ANLPAR_LINK     0x45e1
#define ANER_ABLE       0x0001
#define MSR_AUX         0x10
#define MSR_LINKB       0x04
#define RERID           0x10

struct rtl_reg {
    uint8_t off, len;
    uint32_t at; /* of the place in struct rtl8139; 0: none */
    uint32_t writable;
    bool locked; /* needs EE_MODE_CONFIG */
    uint32_t (*read)(const struct rtl8139 *r, unsigned off);
    void (*write)(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask);
};

static void merge(uint32_t *reg, uint32_t val, uint32_t mask)
{
    *reg = (*reg & ~mask) | (val & mask);
}

static uint32_t tsd_read(const struct rtl8139 *r, unsigned off)
{
    unsigned i = (off - 0x10) / 4 % TX_SLOTS;

    if (rtl_cplus_tx(r))
        return i < 2 ? r->s.dtccr[i] : 0;
    return r->s.tsd[i];
}

static void tally_dump(struct rtl8139 *r)
{
    uint64_t at = rtl_addr(r->s.dtccr) & ~0x3fULL;

    r->s.dtccr[0] &= DTCCR_ADDR;
    if (pci_dma_write(&r->pci, at, &r->s.tally, sizeof(r->s.tally)))
        r->s.isr |= ISR_SERR;
}

static void tsd_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    unsigned i = (off - 0x10) / 4 % TX_SLOTS;

    if (!rtl_cplus_tx(r)) {
        merge(&r->s.tsd[i], val, mask);
        r->s.tsd[i] &= TSD_WRITABLE;
        rtl_tx(r);
    } else if (i < 2) {
        merge(&r->s.dtccr[i], val, mask);
        if (i == 0 && (val & mask & DTCCR_DUMP))
            tally_dump(r);
    }
}

/* In C+ mode these are the rings' addresses, and a new ring begins at its start. */
static void tsad_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    unsigned i = (off - 0x20) / 4 % TX_SLOTS;

    merge(&r->s.tsad[i], val, mask);
    r->s.tx_at[i / 2] = 0;
}

static void rdsar_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    merge(&r->s.rdsar[(off - 0xe4) / 4 & 1], val, mask);
    r->s.rx_desc = 0;
}

static void rbstart_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    merge(&r->s.rbstart, val, mask);
    rtl_rx_start(r);
}

static uint32_t cr_read(const struct rtl8139 *r, unsigned off)
{
    return r->s.cr | (rtl_rx_empty(r) ? CR_BUFE : 0);
}

static void cr_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    uint8_t risen = val & ~r->s.cr;

    if (val & CR_RST) {
        rtl_soft_reset(r);
        return;
    }
    r->s.cr = val & (CR_RE | CR_TE);
    if (risen & CR_RE)
        rtl_rx_start(r);
    if (risen & CR_TE) {
        memset(r->s.tx_at, 0, sizeof(r->s.tx_at));
        r->s.tx_slot = 0;
        rtl_tx(r);
    }
}

static uint32_t cbr_read(const struct rtl8139 *r, unsigned off)
{
    return r->s.rx_at;
}

static void isr_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    r->s.isr &= ~(val & mask);
}

static uint32_t tcr_read(const struct rtl8139 *r, unsigned off)
{
    return r->s.tcr | TCR_VERSION;
}

/* It belongs to the transmitter, which has to be on: drivers take care to switch it on first. */
static void tcr_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    if (r->s.cr & CR_TE)
        merge(&r->s.tcr, val, mask);
}

static uint32_t tctr_read(const struct rtl8139 *r, unsigned off)
{
    return rtl_counter(r);
}

static void tctr_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    rtl_counter_start(r); /* any value clears it */
}

static void timer_int_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    merge(&r->s.timer_int, val, mask);
    rtl_alarm_set(r);
}

static void mpc_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    r->s.mpc = 0;
}

static uint32_t eecr_read(const struct rtl8139 *r, unsigned off)
{
    return r->s.eecr | (r->s.ee.out ? EE_DO : 0);
}

static void eecr_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    unsigned mode = val & EE_MODE_CONFIG;
    bool wired = mode == EE_MODE_PROG;

    if (mode == EE_MODE_LOAD) {
        rtl_autoload(r);
        val &= ~EE_MODE_CONFIG; /* and back to normal by itself */
    }
    r->s.eecr = val & (EE_MODE_CONFIG | EE_CS | EE_SK | EE_DI);
    if (eeprom_pins(&r->s.ee, r->eeprom, wired && (val & EE_CS), wired && (val & EE_SK),
                    val & EE_DI))
        guest_err(&r->pci.dev, "the EEPROM cannot be programmed");
}

static uint32_t config1_read(const struct rtl8139 *r, unsigned off)
{
    return r->s.config1 | CONFIG1_INIT;
}

static uint32_t msr_read(const struct rtl8139 *r, unsigned off)
{
    return r->s.msr | MSR_AUX | (net_link(r->nic.net) ? 0 : MSR_LINKB);
}

static uint32_t rerid_read(const struct rtl8139 *r, unsigned off)
{
    return RERID;
}

/* TSAD: the slots' bits side by side: OWN, TABT, TUN, TOK */
static uint32_t tsad_all_read(const struct rtl8139 *r, unsigned off)
{
    uint32_t all = 0;

    for (unsigned i = 0; i < TX_SLOTS; i++) {
        if (r->s.tsd[i] & TSD_OWN)
            all |= 0x0001 << i;
        if (r->s.tsd[i] & TSD_TABT)
            all |= 0x0010 << i;
        if (r->s.tsd[i] & TSD_TOK)
            all |= 0x1000 << i;
    }
    return all;
}

static void bmcr_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    if (val & mask & BMCR_RESET)
        rtl_mii_reset(r);
    else
        r->s.bmcr = ((r->s.bmcr & ~mask) | (val & mask)) & BMCR_WRITABLE;
}

static uint32_t bmsr_read(const struct rtl8139 *r, unsigned off)
{
    return BMSR_ABLE | (net_link(r->nic.net) ? BMSR_LINK : 0);
}

static uint32_t anlpar_read(const struct rtl8139 *r, unsigned off)
{
    return net_link(r->nic.net) ? ANLPAR_LINK : 0;
}

static uint32_t aner_read(const struct rtl8139 *r, unsigned off)
{
    return ANER_ABLE;
}

/* CSCR: heart beat, link disable clear, forced 100; bit 3 with a link */
static uint32_t cscr_read(const struct rtl8139 *r, unsigned off)
{
    return net_link(r->nic.net) ? 0x0348 : 0x0340;
}

static void tppoll_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    if (val & TPPOLL_FSWINT)
        r->s.isr |= ISR_SWINT;
    if (!rtl_cplus_tx(r) || !(r->s.cr & CR_TE))
        return;
    r->s.polled |= TPPOLL_RINGS(val) & 3;
    rtl_tx(r);
}

static void cpcr_write(struct rtl8139 *r, unsigned off, uint32_t val, uint32_t mask)
{
    r->s.cpcr = ((r->s.cpcr & ~mask) | (val & mask)) & CPCR_WRITABLE;
    if (!rtl_cplus_tx(r))
        r->s.polled = 0;
}

/* ---- the table of registers, by offset ---- */

#define AT(m) offsetof(struct rtl8139, s.m)
#define ALL   0xffffffff
#define TSD(n)                                                                                     \
    {                                                                                              \
        0x10 + 4 * (n), 4, 0, ALL, false, tsd_read, tsd_write                                      \
    }
#define TSAD(n)                                                                                    \
    {                                                                                              \
        0x20 + 4 * (n), 4, AT(tsad[n]), ALL, false, NULL, tsad_write                               \
    }
static const struct rtl_reg regs[] = {
    { 0x00, 4, AT(idr[0]), ALL },
    { 0x04, 2, AT(idr[4]), ALL },
    { 0x08, 4, AT(mar[0]), ALL },
    { 0x0c, 4, AT(mar[4]), ALL },
    TSD(0),
    TSD(1),
    TSD(2),
    TSD(3),
    TSAD(0),
    TSAD(1),
    TSAD(2),
    TSAD(3),
    { 0x30, 4, AT(rbstart), ALL, false, NULL, rbstart_write },
    { 0x37, 1, AT(cr), ALL, false, cr_read, cr_write },
    { 0x38, 2, AT(capr), ALL },
    { 0x3a, 2, 0, 0, false, cbr_read },
    { 0x3c, 2, AT(imr), ISR_BITS },
    { 0x3e, 2, AT(isr), ALL, false, NULL, isr_write },
    { 0x40, 4, AT(tcr), TCR_WRITABLE, false, tcr_read, tcr_write },
    { 0x44, 4, AT(rcr), RCR_WRITABLE },
    { 0x48, 4, 0, ALL, false, tctr_read, tctr_write },
    { 0x4c, 4, AT(mpc), ALL, false, NULL, mpc_write },
    { 0x50, 1, AT(eecr), ALL, false, eecr_read, eecr_write },
    { 0x52, 1, AT(config1), 0xf3, true, config1_read },
    { 0x54, 4, AT(timer_int), ALL, false, NULL, timer_int_write },
    { 0x58, 1, AT(msr), MSR_FLOW, true, msr_read },
    { 0x59, 1, AT(config3), 0x70, true },
    { 0x5a, 1, AT(config4), 0xff, true },
    { 0x5c, 2, AT(mulint), 0xfff },
    { 0x5e, 1, 0, 0, false, rerid_read },
    { 0x60, 2, 0, 0, false, tsad_all_read },
    { 0x62, 2, AT(bmcr), ALL, false, NULL, bmcr_write },
    { 0x64, 2, 0, 0, false, bmsr_read },
    { 0x66, 2, AT(anar), 0x2fff },
    { 0x68, 2, 0, 0, false, anlpar_read },
    { 0x6a, 2, 0, 0, false, aner_read },
    { 0x70, 2, AT(nwaytr), 0x00ff },
    { 0x74, 2, 0, 0, false, cscr_read },
    { 0xd8, 1, AT(config5), 0x7f },
    { 0xd9, 1, 0, ALL, false, NULL, tppoll_write },
    { 0xe0, 2, AT(cpcr), ALL, false, NULL, cpcr_write },
    { 0xe4, 4, AT(rdsar[0]), ALL, false, NULL, rdsar_write },
    { 0xe8, 4, AT(rdsar[1]), ALL, false, NULL, rdsar_write },
    { 0xec, 1, AT(mtps), 0x3f },
};
#define REGS (sizeof(regs) / sizeof(regs[0]))

static uint32_t reg_get(const struct rtl8139 *r, const struct rtl_reg *g)
{
    uint32_t val = 0;

    if (g->read)
        return g->read(r, g->off);
    if (g->at)
        memcpy(&val, (const char *)r + g->at, g->len);
    return val;
}

static void reg_put(struct rtl8139 *r, const struct rtl_reg *g, uint32_t val, uint32_t mask)
{
    uint32_t old = 0;

    mask &= g->writable;
    if (g->locked && (r->s.eecr & EE_MODE_CONFIG) != EE_MODE_CONFIG)
        return;
    if (g->write) {
        g->write(r, g->off, val, mask);
    } else if (g->at) {
        memcpy(&old, (char *)r + g->at, g->len);
        merge(&old, val, mask);
        memcpy((char *)r + g->at, &old, g->len);
    }
}

/* Wake-up frames: kept for who reads them back; LWAKE and PME# go nowhere on this board. */
static uint64_t wake_read(const struct rtl8139 *r, unsigned off, unsigned width)
{
    uint64_t val = 0;

    for (unsigned i = 0; i < width; i++) {
        if (off + i >= WAKE_START && off + i < WAKE_END)
            val |= (uint64_t)r->s.wake[off + i - WAKE_START] << 8 * i;
    }
    return val;
}

static void wake_write(struct rtl8139 *r, unsigned off, uint64_t val, unsigned width)
{
    for (unsigned i = 0; i < width; i++) {
        if (off + i >= WAKE_START && off + i < WAKE_END)
            r->s.wake[off + i - WAKE_START] = (uint8_t)(val >> 8 * i);
    }
}

/* Moves bits of an access at off to their place in a register at reg, or back (swap the two). */
static uint64_t shifted(uint64_t val, unsigned off, unsigned reg)
{
    return off >= reg ? val << 8 * (off - reg) : val >> 8 * (reg - off);
}

uint64_t rtl_read(struct device *dev, uint64_t off, unsigned width)
{
    const struct rtl8139 *r = RTL(dev);
    uint64_t val = wake_read(r, (unsigned)off, width);

    for (unsigned i = 0; i < REGS && regs[i].off < off + width; i++) {
        if (regs[i].off + regs[i].len > off)
            val |= shifted(reg_get(r, &regs[i]), regs[i].off, off);
    }
    return val;
}

void rtl_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct rtl8139 *r = RTL(dev);
    uint64_t mask = (1ULL << 8 * width) - 1;

    wake_write(r, (unsigned)off, val, width);
    for (unsigned i = 0; i < REGS && regs[i].off < off + width; i++) {
        const struct rtl_reg *g = &regs[i];
        uint32_t whole = (1ULL << 8 * g->len) - 1;

        if (g->off + g->len > off)
            reg_put(r, g, shifted(val, off, g->off) & whole, shifted(mask, off, g->off) & whole);
    }
    rtl_sync(dev);
}
