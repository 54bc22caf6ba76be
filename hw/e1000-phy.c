/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82540EM: its PHY (Marvell 88E1011; SDM 11, IEEE 802.3 §22.2.4), reached by
 * MDIC, the link, and its EEPROM (SDM 5), reached by EERD or wire by wire.
 * Negotiation takes a moment and always ends at 1000 Mbit/s full duplex. Not
 * modelled: other speeds, cable tests, PHY interrupts.
 */
#include "hw/e1000-int.h"

#define ANEG_NS (100 * NS_PER_MS)

#define MDIC_DATA      0x0000ffff
#define MDIC_REG(v)    ((v) >> 16 & 31)
#define MDIC_PHY(v)    ((v) >> 21 & 31)
#define MDIC_OP(v)     ((v) >> 26 & 3)
#define MDIC_OP_WRITE  1
#define MDIC_OP_READ   2
#define MDIC_READY     0x10000000
#define MDIC_INTERRUPT 0x20000000
#define MDIC_ERROR     0x40000000
#define PHY_ADDR       1

#define BMCR_RESET   0x8000
#define BMCR_ANE     0x1000
#define BMCR_RESTART 0x0200
#define BMSR_LINK    0x0024 /* up, negotiated */

#define EECD_SK   0x01
#define EECD_CS   0x02
#define EECD_DI   0x04
#define EECD_DO   0x08
#define EECD_KEPT 0x77 /* SK CS DI FWE REQ */
#define EECD_REQ  0x40
#define EECD_GNT  0x80
#define EECD_PRES 0x100

#define EERD_START   0x01
#define EERD_DONE    0x10
#define EEPROM_SUM   0xbaba /* of all words (SDM 5.6.35) */
#define WORD_CONTROL 0x0a
#define WORD_SUBDEV  0x0b
#define WORD_FLOW    0x0f /* bits 13:12: pause both ways */
#define WORD_SUM     0x3f

static const struct {
    uint8_t reg;
    bool link; /* reads as 0 without a link */
    uint16_t init, writable;
} phy_regs[] = {
    { PHY_BMCR, false, 0x1140, 0x7dff },
    { PHY_BMSR, false, 0x7949, 0 },
    { 2, false, 0x0141, 0 }, /* identifier: 88E1011 */
    { 3, false, 0x0c20, 0 },
    { 4, false, 0x0de1, 0xffff }, /* advertised */
    { 5, true, 0x45e1, 0 },       /* what the other end can */
    { 6, true, 0x000f, 0 },
    { 7, false, 0x2001, 0xffff },
    { 9, false, 0x0300, 0xff00 }, /* 1000BASE-T control, status */
    { 10, true, 0x3c00, 0 },
    { 15, false, 0x3000, 0 },
    { 16, false, 0x0360, 0xffff }, /* 88E1011: control; status: 1000, full, resolved, up */
    { 17, true, 0xac00, 0 },
    { 18, false, 0, 0xffff },
    { 20, false, 0x0d60, 0xffff },
    { 22, false, 0, 0xffff },
    { 24, false, 0x4100, 0xffff },
    { 29, false, 0, 0xffff },
    { 30, false, 0, 0xffff },
};
#define PHY_KNOWN (sizeof(phy_regs) / sizeof(phy_regs[0]))

bool e1000_link(const struct e1000 *e)
{
    return net_link(e->nic.net) && e->s.aneg.at == TIMER_OFF;
}

static void aneg_start(struct e1000 *e)
{
    struct platform *plat = e->pci.dev.plat;

    timer_set(plat, &e->s.aneg, platform_now(plat) + ANEG_NS);
}

void e1000_phy_reset(struct e1000 *e)
{
    for (unsigned i = 0; i < PHY_KNOWN; i++)
        e->s.phy[phy_regs[i].reg % PHY_REGS] = phy_regs[i].init;
    aneg_start(e);
}

static uint16_t phy_read(const struct e1000 *e, unsigned reg)
{
    bool link = e1000_link(e);

    for (unsigned i = 0; i < PHY_KNOWN; i++) {
        if (phy_regs[i].reg == reg && phy_regs[i].link && !link)
            return 0;
    }
    return e->s.phy[reg % PHY_REGS] | (reg == PHY_BMSR && link ? BMSR_LINK : 0);
}

static void phy_write(struct e1000 *e, unsigned reg, uint16_t val)
{
    if (reg == PHY_BMCR && (val & BMCR_RESET)) {
        e1000_phy_reset(e);
        return;
    }
    for (unsigned i = 0; i < PHY_KNOWN; i++) {
        if (phy_regs[i].reg == reg)
            e->s.phy[reg % PHY_REGS] =
                (e->s.phy[reg % PHY_REGS] & ~phy_regs[i].writable) | (val & phy_regs[i].writable);
    }
    if (reg == PHY_BMCR && (val & BMCR_RESTART) && (val & BMCR_ANE))
        aneg_start(e);
}

void e1000_mdic_write(struct e1000 *e, uint32_t val)
{
    unsigned op = MDIC_OP(val);

    val &= ~(MDIC_READY | MDIC_ERROR);
    if (MDIC_PHY(val) != PHY_ADDR || (op != MDIC_OP_READ && op != MDIC_OP_WRITE))
        val |= MDIC_ERROR;
    else if (op == MDIC_OP_READ)
        val = (val & ~MDIC_DATA) | phy_read(e, MDIC_REG(val));
    else
        phy_write(e, MDIC_REG(val), val & MDIC_DATA);
    e->s.r.mdic = val | MDIC_READY;
    if (val & MDIC_INTERRUPT)
        e1000_cause(e, ICR_MDAC);
}

/* ---- EEPROM ---- */

void e1000_eeprom_fill(struct e1000 *e)
{
    const struct pci_type *t = pci_type_of(&e->pci);
    uint16_t sum = EEPROM_SUM;

    for (unsigned i = 0; i < 3; i++)
        e->eeprom[i] = e->nic.mac[2 * i] | e->nic.mac[2 * i + 1] << 8;
    e->eeprom[WORD_CONTROL] = 0x0003; /* the identifiers below are valid */
    e->eeprom[WORD_SUBDEV] = t->subdevice;
    e->eeprom[WORD_SUBDEV + 1] = t->subvendor;
    e->eeprom[WORD_SUBDEV + 2] = t->device;
    e->eeprom[WORD_SUBDEV + 3] = t->vendor;
    e->eeprom[WORD_FLOW] = 0x3000;
    for (unsigned i = 0; i < WORD_SUM; i++)
        sum -= e->eeprom[i];
    e->eeprom[WORD_SUM] = sum;
}

uint32_t e1000_eecd_read(const struct e1000 *e)
{
    return e->s.eecd | EECD_PRES | (e->s.ee.out ? EECD_DO : 0) |
           (e->s.eecd & EECD_REQ ? EECD_GNT : 0);
}

void e1000_eecd_write(struct e1000 *e, uint32_t val)
{
    e->s.eecd = val & EECD_KEPT;
    if (eeprom_pins(&e->s.ee, e->eeprom, val & EECD_CS, val & EECD_SK, val & EECD_DI))
        guest_err(&e->pci.dev, "the EEPROM cannot be programmed");
}

void e1000_eerd_write(struct e1000 *e, uint32_t val)
{
    unsigned addr = val >> 8 & 0xff;

    if (!(val & EERD_START))
        return;
    e->s.r.eerd =
        addr << 8 | EERD_DONE | (uint32_t)(addr < EEPROM_WORDS ? e->eeprom[addr] : 0xffff) << 16;
}
