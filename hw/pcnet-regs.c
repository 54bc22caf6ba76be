/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Am79C970A: the I/O window (word or dword accesses), CSRs and BCRs (DS "I/O
 * Resources", "User Accessible Registers"). See pcnet.c.
 */
#include <string.h>
#include "hw/pcnet-int.h"

#define WINDOW_REGS 0x10 /* below it is the address PROM */
enum { RDP, RAP, RESET, BDP };

#define BCR19_WRITABLE (B19_EEN | B19_ECS | B19_ESK | B19_EDI)
#define LED_OUT        0x8000
#define LED_LINK       0x0040

struct range {
    uint8_t first, last;
    uint16_t writable;
};

/* These only while the chip is stopped or suspended. */
static const struct range csr_ranges[] = {
    { CSR_IADRL, CSR_IADRH, 0xffff },
    { CSR_LADRF, 14, 0xffff },
    { CSR_MODE, CSR_MODE, 0xf7ff },
    { 18, 47, 0xffff },
    { 60, 67, 0xffff },
    { CSR_RX_PLACE, CSR_RX_PLACE, 0xffff },
    { CSR_TX_PLACE, CSR_TX_PLACE, 0xffff },
    { CSR_RX_LEN, CSR_RX_LEN, 0xffff },
    { CSR_TX_LEN, CSR_TX_LEN, 0xffff },
    { CSR_BURST, CSR_BURST, 0x3fff },
    { 82, 82, 0xffff },
    { 84, 86, 0xffff },
    { CSR_TIMEOUT, CSR_TIMEOUT, 0xffff },
    { CSR_MFC, CSR_MFC, 0xffff },
    { CSR_COLLISIONS, CSR_COLLISIONS, 0xffff },
    { 0 },
};
static const struct range bcr_ranges[] = {
    { BCR_MASTER_RD, BCR_MASTER_WR, 0xffff }, { BCR_MC, BCR_MC, 0x41bf },
    { BCR_LNKST, BCR_LED3, 0x63ff },          { BCR_FDC, BCR_FDC, 0x0007 },
    { BCR_IOBASEL, BCR_IOBASEU, 0xffff },     { BCR_BSBC, BCR_BSBC, 0xf37f },
    { BCR_INTC, BCR_PCILAT, 0xffff },         { 0 },
};

static uint16_t writable(const struct range *r, unsigned reg)
{
    for (; r->writable; r++) {
        if (reg >= r->first && reg <= r->last)
            return r->writable;
    }
    return 0;
}

/* ---- CSRs ---- */

static void start(struct pcnet *p)
{
    uint16_t mode = p->s.csr[CSR_MODE];

    p->s.csr[CSR_STATUS] &= ~C0_STOP;
    p->s.csr[CSR_STATUS] |=
        C0_STRT | (mode & MODE_DRX ? 0 : C0_RXON) | (mode & MODE_DTX ? 0 : C0_TXON);
    p->s.idle = 0;
    pc_tx(p);
}

static void status_write(struct pcnet *p, uint16_t val)
{
    uint16_t *status = &p->s.csr[CSR_STATUS];

    *status &= ~(val & 0x7f00);
    if (val & C0_STOP) { /* whatever else is asked for */
        pc_stop(p);
        return;
    }
    *status = (*status & ~C0_IENA) | (val & C0_IENA);
    if ((val & C0_INIT) && !(*status & C0_INIT))
        pc_init_block(p);
    if ((val & C0_STRT) && !(*status & C0_STRT))
        start(p);
    else if (val & C0_TDMD)
        pc_tx(p);
}

static void feature_write(struct pcnet *p, uint16_t val)
{
    uint16_t kept = p->s.csr[CSR_FEATURE] & C4_EVENTS & ~val;

    p->s.csr[CSR_FEATURE] = (val & ~C4_EVENTS & ~C4_UINTCMD) | kept;
    if (val & C4_UINTCMD)
        p->s.csr[CSR_FEATURE] |= C4_UINT;
    pc_poll_start(p);
}

static void ext_write(struct pcnet *p, uint16_t val)
{
    uint16_t kept = p->s.csr[CSR_EXT] & C5_MPEVENTS & ~val;
    bool was = pc_suspended(p);

    p->s.csr[CSR_EXT] = (val & C5_WRITABLE) | kept;
    if (was && !pc_suspended(p))
        pc_tx(p);
    else
        pc_poll_start(p);
}

/* DS "BCR20": what a style means for the size of descriptors. */
static void style_write(struct pcnet *p, uint16_t val)
{
    static const uint16_t of_style[] = { B20_CSRPC, B20_SSIZE32, B20_SSIZE32 | B20_CSRPC,
                                         B20_SSIZE32 | B20_CSRPC };
    unsigned style = val & B20_STYLE;

    if (!pc_stopped(p) && !pc_suspended(p))
        return;
    if (style >= sizeof(of_style) / sizeof(of_style[0])) {
        guest_err(&p->pci.dev, "software style %u is reserved", style);
        return;
    }
    p->s.bcr[BCR_STYLE] = (val & 0x0400) | of_style[style] | style;
    p->s.csr[CSR_STYLE] = p->s.bcr[BCR_STYLE];
}

static void csr_write(struct pcnet *p, unsigned reg, uint16_t val)
{
    uint16_t mask;

    if (reg == CSR_IADRL2 || reg == CSR_IADRH2)
        reg -= CSR_IADRL2 - CSR_IADRL;
    mask = writable(csr_ranges, reg);
    if (reg == CSR_STATUS)
        status_write(p, val);
    else if (reg == CSR_MASK)
        p->s.csr[reg] = val & C3_WRITABLE;
    else if (reg == CSR_FEATURE)
        feature_write(p, val);
    else if (reg == CSR_EXT)
        ext_write(p, val);
    else if (reg == CSR_STYLE)
        style_write(p, val);
    else if (mask && (pc_stopped(p) || pc_suspended(p)))
        p->s.csr[reg % CSRS] = val & mask;
}

static uint16_t csr_read(const struct pcnet *p, unsigned reg)
{
    if (reg == CSR_STATUS)
        return pc_status(p);
    if (reg == CSR_IADRL2 || reg == CSR_IADRH2)
        reg -= CSR_IADRL2 - CSR_IADRL;
    return p->s.csr[reg % CSRS];
}

/* ---- BCRs ---- */

/* DS "BCR19": the EEPROM's lines, and loading all of it again. */
static void eecas_write(struct pcnet *p, uint16_t val)
{
    bool wired = val & B19_EEN;

    if (val & B19_PREAD) {
        memcpy(p->s.aprom, p->eeprom, sizeof(p->s.aprom));
        return;
    }
    p->s.bcr[BCR_EECAS] = B19_PVALID | B19_EEDET | (val & BCR19_WRITABLE);
    if (eeprom_pins(&p->s.ee, p->eeprom, wired && (val & B19_ECS), wired && (val & B19_ESK),
                    val & B19_EDI))
        guest_err(&p->pci.dev, "the EEPROM cannot be programmed");
}

static void bcr_write(struct pcnet *p, unsigned reg, uint16_t val)
{
    uint16_t mask = writable(bcr_ranges, reg);

    if (reg == BCR_STYLE)
        style_write(p, val);
    else if (reg == BCR_EECAS)
        eecas_write(p, val);
    else if (mask)
        p->s.bcr[reg % BCRS] = (p->s.bcr[reg % BCRS] & ~mask) | (val & mask);
}

static uint16_t bcr_read(const struct pcnet *p, unsigned reg)
{
    uint16_t val;

    if (reg >= BCRS) /* the MII's on later chips */
        return 0;
    val = p->s.bcr[reg];
    if (reg >= BCR_LNKST && reg <= BCR_LED3 && (val & LED_LINK) && net_link(p->nic.net))
        val |= LED_OUT;
    if (reg == BCR_EECAS && (val & B19_EEN))
        val = (val & ~B19_EDI) | (p->s.ee.out ? B19_EDI : 0);
    return val;
}

/* ---- the window ---- */

static bool dwords(const struct pcnet *p)
{
    return p->s.bcr[BCR_BSBC] & B18_DWIO;
}

static uint16_t reg_read(struct pcnet *p, unsigned reg)
{
    switch (reg) {
    case RDP:
        return csr_read(p, p->s.rap);
    case RAP:
        return p->s.rap;
    case RESET:
        pc_soft_reset(p);
        return 0;
    default:
        return bcr_read(p, p->s.rap);
    }
}

static void reg_write(struct pcnet *p, unsigned reg, uint16_t val)
{
    if (reg == RDP)
        csr_write(p, p->s.rap, val);
    else if (reg == RAP)
        p->s.rap = val & (CSRS - 1);
    else if (reg == BDP)
        bcr_write(p, p->s.rap, val);
}

uint64_t pc_read(struct device *dev, uint64_t off, unsigned width)
{
    struct pcnet *p = PC(dev);
    uint64_t val = ~0ULL;

    if (off < WINDOW_REGS) {
        val = 0;
        for (unsigned i = 0; i < width; i++)
            val |= (uint64_t)p->s.aprom[(off + i) % APROM_SIZE] << 8 * i;
    } else if (width == (dwords(p) ? 4 : 2)) {
        val = reg_read(p, (off - WINDOW_REGS) / width % 4);
        pc_sync(dev);
    }
    return width < 8 ? val & ((1ULL << 8 * width) - 1) : val;
}

void pc_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct pcnet *p = PC(dev);

    if (off < WINDOW_REGS) {
        for (unsigned i = 0; i < width && (p->s.bcr[BCR_MC] & B2_APROMWE); i++)
            p->s.aprom[(off + i) % APROM_SIZE] = val >> 8 * i;
    } else if (width == (dwords(p) ? 4 : 2)) {
        reg_write(p, (off - WINDOW_REGS) / width % 4, val);
    } else if (off == WINDOW_REGS && width == 4) { /* that is how a driver chooses (DS "BCR18") */
        p->s.bcr[BCR_BSBC] |= B18_DWIO;
    }
    pc_sync(dev);
}
