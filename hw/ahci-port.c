/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AHCI: one port: its registers (§3.3), its link to the drive (§10.4), and the
 * FISes the drive sends, which go to guest memory (§4.2.1). There is no time
 * between a reset of the link and the drive's signature.
 */
#include "hw/ahci-int.h"

#define SSTS_UP 0x123 /* a drive, 3 Gb/s, active */

/* Offsets in the area of received FISes */
enum { RFIS_DMA = 0x00, RFIS_PIO = 0x20, RFIS_REGISTER = 0x40, RFIS_BITS = 0x58 };

enum { FIS_REGISTER = 0x34, FIS_DMA = 0x41, FIS_PIO = 0x5f, FIS_BITS = 0xa1 };
#define FIS_IRQ 0x40
#define FIS_IN  0x20 /* data goes to the guest */
#define ST_SDB  0x77 /* what a set device bits FIS changes of the status */

/* ---- received FISes ---- */

void ahci_port_halt(struct ahci_port *p, uint32_t is)
{
    p->s->is |= is;
    p->s->halted = true;
    p->s->slot = AHCI_NO_SLOT;
    xfer_stop(p->ch);
    ahci_ncq_stop(p);
}

static void fis_put(struct ahci_port *p, unsigned off, const uint8_t *fis, unsigned len)
{
    if ((p->s->cmd & CMD_FRE) && !ahci_write(p->ahci, p->s->fb + off, fis, len))
        ahci_port_halt(p, IS_HBFS);
}

/* The drive's registers, as a register and a PIO setup FIS have them. */
static void fis_registers(const struct ahci_port *p, uint8_t *f, uint8_t type, uint8_t flags)
{
    const struct ide_unit_state *u = p->u->s;

    f[0] = type;
    f[1] = flags;
    f[2] = u->status;
    f[3] = u->error;
    f[4] = u->low[0];
    f[5] = u->mid[0];
    f[6] = u->high[0];
    f[7] = p->ch->s->device;
    f[8] = u->low[1];
    f[9] = u->mid[1];
    f[10] = u->high[1];
    f[12] = u->count[0];
    f[13] = u->count[1];
}

static void set_tfd(struct ahci_port *p, uint8_t status, uint8_t error)
{
    p->s->tfd = status | error << 8;
    if (status & (ST_ERR | ST_DF)) {
        p->s->is |= IS_TFES;
        p->s->halted = true;
    }
}

void ahci_fis_register(struct ahci_port *p, bool interrupt)
{
    uint8_t f[20] = { 0 };

    fis_registers(p, f, FIS_REGISTER, interrupt ? FIS_IRQ : 0);
    if (interrupt)
        p->s->is |= IS_DHRS;
    set_tfd(p, p->u->s->status, p->u->s->error);
    fis_put(p, RFIS_REGISTER, f, sizeof(f));
}

void ahci_fis_pio(struct ahci_port *p, bool in, bool last, uint32_t bytes)
{
    uint8_t f[20] = { 0 }, after = last && in ? ST_DRDY | ST_DSC : ST_BSY | ST_DRDY | ST_DSC;

    fis_registers(p, f, FIS_PIO, (p->u->s->intrq ? FIS_IRQ : 0) | (in ? FIS_IN : 0));
    f[2] = ST_DRDY | ST_DSC | ST_DRQ;
    f[15] = after;
    f[16] = bytes;
    f[17] = bytes >> 8;
    p->s->tfd = after;
    fis_put(p, RFIS_PIO, f, sizeof(f));
}

void ahci_fis_dma(struct ahci_port *p, unsigned tag, bool in, uint32_t bytes)
{
    uint8_t f[28] = { FIS_DMA, in ? FIS_IN : 0 };

    f[4] = tag;
    for (unsigned i = 0; i < 4; i++)
        f[20 + i] = bytes >> (8 * i);
    fis_put(p, RFIS_DMA, f, sizeof(f));
}

void ahci_fis_bits(struct ahci_port *p, uint8_t status, uint8_t error, uint32_t done)
{
    uint8_t f[8] = { FIS_BITS, FIS_IRQ, status & ST_SDB, error };

    for (unsigned i = 0; i < 4; i++)
        f[4 + i] = done >> (8 * i);
    p->s->sact &= ~done;
    p->s->is |= IS_SDBS;
    set_tfd(p, (p->s->tfd & (uint8_t)~ST_SDB) | (status & ST_SDB), error);
    fis_put(p, RFIS_BITS, f, sizeof(f));
}

void ahci_signature(struct ahci_port *p)
{
    const struct ide_unit_state *u = p->u->s;

    if (!p->s->fis_due || !(p->s->cmd & CMD_FRE) || !ahci_linked(p))
        return;
    p->s->fis_due = false;
    p->s->sig = u->count[0] | u->low[0] << 8 | u->mid[0] << 16 | (uint32_t)u->high[0] << 24;
    ahci_fis_register(p, false);
}

/* ---- the link ---- */

bool ahci_port_lingers(const struct ahci_port *p)
{
    return xfer_lingers(p->ch) || ahci_ncq_lingers(p);
}

/* PxCMD.ST falls, or the link: the port forgets its commands. */
static void port_stop(struct ahci_port *p)
{
    struct ahci_port_state *s = p->s;

    xfer_stop(p->ch);
    ahci_ncq_stop(p);
    s->slot = AHCI_NO_SLOT;
    s->ci = s->sact = 0;
    s->ccs = 0;
    s->last = AHCI_SLOTS - 1;
    s->halted = s->lost = s->overflow = s->fault = s->asked = false;
}

static void link_down(struct ahci_port *p)
{
    port_stop(p);
    p->s->tfd = TFD_NONE;
    p->s->sig = SIG_NONE;
    p->s->fis_due = false;
    if (p->u->ops)
        p->s->serr |= SERR_PHYRDY;
}

static void link_up(struct ahci_port *p)
{
    struct ide_unit *u = p->u;

    if (!ahci_linked(p))
        return;
    p->ch->s->control = p->ch->s->device = 0;
    u->ops->reset(u);
    u->s->intrq = false;
    p->s->serr |= SERR_PHYRDY | SERR_EXCHANG;
    p->s->fis_due = true;
    ahci_signature(p);
}

void ahci_port_reset(struct ahci_port *p)
{
    struct ahci_port_state *s = p->s;

    s->is = s->ie = s->cmd = s->sctl = 0;
    link_down(p);
    s->serr = 0;
    link_up(p);
}

void ahci_port_drop(struct ide_chan *ch)
{
    struct ahci_port *p = ahci_port_of(ch);

    ahci_ncq_stop(p);
    ahci_ncq_drain(p);
    if (p->s->sig != SIG_NONE || p->s->fis_due) /* else s was loaded, and has it all */
        link_down(p);
}

static void write_sctl(struct ahci_port *p, uint32_t val)
{
    unsigned was = p->s->sctl & SCTL_DET, det = val & SCTL_DET;

    p->s->sctl = val & SCTL_BITS;
    if (det == was)
        return;
    if (det == DET_RESET || det == DET_OFFLINE)
        link_down(p);
    else if (was == DET_RESET || was == DET_OFFLINE)
        link_up(p);
}

/* ---- registers ---- */

static void write_cmd(struct ahci_port *p, uint32_t val)
{
    struct ahci_port_state *s = p->s;
    uint32_t fallen = s->cmd & ~val;

    if ((val & CMD_CLO) && !(s->cmd & CMD_ST))
        s->tfd &= ~(ST_BSY | ST_DRQ);
    s->cmd = val & CMD_BITS;
    if (fallen & CMD_ST)
        port_stop(p);
    ahci_signature(p);
}

static uint32_t read_cmd(const struct ahci_port *p)
{
    const struct ahci_port_state *s = p->s;
    uint32_t val = s->cmd | CMD_SUD | CMD_POD | (uint32_t)s->ccs << 8;

    if ((s->cmd & CMD_ST) || ahci_port_lingers(p))
        val |= CMD_CR;
    return val | (s->cmd & CMD_FRE ? CMD_FR : 0);
}

static uint32_t read_is(const struct ahci_port *p)
{
    uint32_t serr = p->s->serr;

    return p->s->is | (serr & SERR_EXCHANG ? IS_PCS : 0) | (serr & SERR_PHYRDY ? IS_PRCS : 0);
}

static uint32_t read_ssts(const struct ahci_port *p)
{
    if ((p->s->sctl & SCTL_DET) == DET_OFFLINE)
        return DET_OFFLINE;
    return ahci_linked(p) ? SSTS_UP : 0;
}

uint32_t ahci_port_read(struct ahci_port *p, unsigned reg)
{
    const struct ahci_port_state *s = p->s;

    switch (reg) {
    case PX_CLB:
        return s->clb;
    case PX_CLBU:
        return s->clb >> 32;
    case PX_FB:
        return s->fb;
    case PX_FBU:
        return s->fb >> 32;
    case PX_IS:
        return read_is(p);
    case PX_IE:
        return s->ie;
    case PX_CMD:
        return read_cmd(p);
    case PX_TFD:
        return s->tfd;
    case PX_SIG:
        return s->sig;
    case PX_SSTS:
        return read_ssts(p);
    case PX_SCTL:
        return s->sctl;
    case PX_SERR:
        return s->serr;
    case PX_SACT:
        return s->sact;
    case PX_CI:
        return s->ci;
    default:
        return 0;
    }
}

static uint64_t low_half(uint64_t old, uint32_t val)
{
    return (old & ~0xffffffffULL) | val;
}

static uint64_t high_half(uint64_t old, uint32_t val)
{
    return (old & 0xffffffff) | (uint64_t)val << 32;
}

void ahci_port_write(struct ahci_port *p, unsigned reg, uint32_t val)
{
    struct ahci_port_state *s = p->s;

    if (reg == PX_CLB)
        s->clb = low_half(s->clb, val & ~0x3ffu);
    else if (reg == PX_CLBU)
        s->clb = high_half(s->clb, val);
    else if (reg == PX_FB)
        s->fb = low_half(s->fb, val & ~0xffu);
    else if (reg == PX_FBU)
        s->fb = high_half(s->fb, val);
    else if (reg == PX_IS)
        s->is &= ~val;
    else if (reg == PX_IE)
        s->ie = val & IE_BITS;
    else if (reg == PX_CMD)
        write_cmd(p, val);
    else if (reg == PX_SCTL)
        write_sctl(p, val);
    else if (reg == PX_SERR)
        s->serr &= ~val;
    else if (reg == PX_SACT && (s->cmd & CMD_ST))
        s->sact |= val;
    else if (reg == PX_CI && (s->cmd & CMD_ST))
        s->ci |= val;
    ide_sync_chan(p->ch);
}
