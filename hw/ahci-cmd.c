/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AHCI: commands, one at a time: the list and the tables in guest memory (§4.2),
 * what is done with a command (§5), and between this port and the drive's
 * commands (hw/ata*.c, hw/atapi*.c) the moving of their data. The header, the
 * FIS and each entry of the table are read once. A port that is told to run
 * goes on until it waits for a medium: what one register write can start is
 * bounded by the 32 slots, and each of those by the drive's buffer.
 */
#include "hw/ahci-int.h"
#include <string.h>

#define HEADER_BYTES 32
#define HEADER_PRDBC 4
#define TABLE_ACMD   0x40
#define TABLE_PRDT   0x80

#define FIS_HOST    0x27 /* a register FIS to the drive */
#define FIS_COMMAND 0x80 /* in its second byte: for the command register */

#define CMD_DIAGNOSTIC 0x90
#define CMD_READ_NCQ   0x60
#define CMD_WRITE_NCQ  0x61

static uint32_t le32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* ---- the table of regions (§4.2.3.3) ---- */

bool ahci_prd_fetch(struct ahci *a, uint64_t table, uint32_t entries, struct dma_cursor *cur)
{
    uint8_t e[AHCI_PRD];
    uint64_t addr;

    if (cur->next / AHCI_PRD >= entries || table > UINT64_MAX - TABLE_PRDT - cur->next ||
        !ahci_read(a, table + TABLE_PRDT + cur->next, e, sizeof(e)))
        return false;
    addr = (le32(e) & ~1u) | (uint64_t)le32(e + 4) << 32;
    cur->addr = addr;
    cur->left = ((le32(e + 12) & (AHCI_REGION - 1)) | 1) + 1;
    cur->asked |= le32(e + 12) >> 31;
    cur->next += AHCI_PRD;
    cur->last = cur->next / AHCI_PRD >= entries;
    return addr <= UINT64_MAX - cur->left;
}

bool ahci_fetch(struct dma_table *t, struct dma_cursor *cur)
{
    struct ahci_port *p = ahci_port_of(container_of(t, struct ide_chan, table));

    return ahci_prd_fetch(p->ahci, p->s->table, p->s->prds, cur);
}

/* ---- struct ide_transport ---- */

static struct dma_cursor port_cursor(const struct ide_chan *ch)
{
    const struct ahci_port_state *s = ahci_port_of(ch)->s;

    return (struct dma_cursor){ .next = ch->s->prd_next,
                                .addr = ch->s->prd_addr | (uint64_t)s->prd_high << 32,
                                .left = ch->s->prd_left,
                                .last = ch->s->prd_last,
                                .moved = s->moved,
                                .asked = s->asked };
}

static void port_commit(struct ide_chan *ch, const struct dma_cursor *cur)
{
    struct ahci_port_state *s = ahci_port_of(ch)->s;

    ch->s->prd_next = cur->next;
    ch->s->prd_addr = cur->addr;
    ch->s->prd_left = cur->left;
    ch->s->prd_last = cur->last;
    s->prd_high = cur->addr >> 32;
    s->moved = cur->moved;
    s->asked = cur->asked;
}

static bool port_active(const struct ide_chan *ch)
{
    return ahci_port_of(ch)->s->slot != AHCI_NO_SLOT;
}

static void port_end(struct ide_chan *ch, enum dma_result how)
{
    struct ahci_port_state *s = ahci_port_of(ch)->s;

    s->overflow |= how == DMA_SHORT;
    s->fault |= how == DMA_ERROR;
}

/* ---- how a command ends ---- */

static void port_finish(struct ahci_port *p)
{
    struct ahci_port_state *s = p->s;
    struct ide_chan_state *cs = p->ch->s;
    struct ide_unit_state *us = p->u->s;
    /* The last data block of a PIO read said all there is to say. */
    bool said = !us->intrq && cs->len && !cs->out && !cs->dma;
    unsigned slot = s->slot;
    uint8_t moved[4] = { s->moved, s->moved >> 8, s->moved >> 16, s->moved >> 24 };

    if (s->fault ||
        !ahci_write(p->ahci, s->clb + HEADER_BYTES * slot + HEADER_PRDBC, moved, sizeof(moved))) {
        ahci_port_halt(p, IS_HBFS);
        return;
    }
    if (s->overflow && cs->out) { /* data that never came must not pass for written */
        us->status = ST_DRDY | ST_DSC | ST_ERR;
        us->error = ER_ABRT;
    }
    s->is |= (s->overflow ? IS_OFS : 0) | (s->asked ? IS_DPS : 0);
    s->slot = AHCI_NO_SLOT;
    if (said && !s->overflow)
        s->tfd = us->status | us->error << 8;
    else
        ahci_fis_register(p, us->intrq || s->overflow);
    us->intrq = false;
    if (!s->halted)
        s->ci &= ~(1u << slot);
}

/* ---- data by PIO ---- */

static void pio_short(struct ahci_port *p, bool in)
{
    p->s->overflow = true;
    if (in) /* what there is no room for is dropped */
        return;
    xfer_stop(p->ch);
    p->ch->s->out = true;
}

/* A DRQ block, both ways. */
static void pio_block(struct ahci_port *p)
{
    struct ide_chan_state *cs = p->ch->s;
    bool in = cs->phase == PH_IN, last = cs->end == cs->len && !cs->left;
    uint32_t n = cs->end - cs->pos, moved;
    struct dma_cursor cur = port_cursor(p->ch);
    enum dma_result how;

    ahci_fis_pio(p, in, last && p->u->kind == IDE_DISK, n);
    if (p->s->halted)
        return;
    how = ide_dma_move(&p->ch->table, &cur, cs->buf + cs->pos, n, n, in, &moved);
    port_commit(p->ch, &cur);
    if (how == DMA_ERROR) {
        ahci_port_halt(p, IS_HBFS);
        return;
    }
    if (p->u->s->intrq)
        p->s->is |= IS_PSS;
    p->u->s->intrq = false;
    if (how == DMA_SHORT)
        pio_short(p, in);
    if (cs->phase == PH_IDLE)
        return;
    cs->pos = cs->end;
    xfer_drq_done(p->ch);
}

static void packet_block(struct ahci_port *p)
{
    struct ide_chan_state *cs = p->ch->s;

    p->u->s->intrq = false;
    ahci_fis_pio(p, false, false, IDE_PACKET);
    if (p->s->halted)
        return;
    memcpy(cs->buf, p->s->acmd, IDE_PACKET);
    cs->pos = cs->end;
    xfer_drq_done(p->ch);
}

/* ---- how a command begins ---- */

struct command { /* copied from guest memory */
    uint64_t table;
    uint16_t prds;
    uint8_t words; /* of the FIS */
    uint8_t fis[64], acmd[AHCI_ACMD];
};

static bool command_fetch(struct ahci_port *p, unsigned slot, struct command *c)
{
    uint8_t header[HEADER_BYTES], table[TABLE_ACMD + AHCI_ACMD];

    if (!ahci_read(p->ahci, p->s->clb + slot * HEADER_BYTES, header, sizeof(header)))
        return false;
    c->words = header[0] & 0x1f;
    c->prds = le32(header) >> 16;
    c->table = (le32(header + 8) & ~0x7fu) | (uint64_t)le32(header + 12) << 32;
    if (!ahci_read(p->ahci, c->table, table, sizeof(table)))
        return false;
    memset(c->fis, 0, sizeof(c->fis));
    memcpy(c->fis, table, c->words <= 16 ? 4u * c->words : sizeof(c->fis));
    memcpy(c->acmd, table + TABLE_ACMD, sizeof(c->acmd));
    return true;
}

static void load_registers(struct ahci_port *p, const uint8_t *f)
{
    struct ide_unit_state *u = p->u->s;

    u->feature[0] = f[3];
    u->feature[1] = f[11];
    u->low[0] = f[4];
    u->low[1] = f[8];
    u->mid[0] = f[5];
    u->mid[1] = f[9];
    u->high[0] = f[6];
    u->high[1] = f[10];
    u->count[0] = f[12];
    u->count[1] = f[13];
    p->ch->s->device = f[7] & (DEV_LBA | DEV_HEAD);
}

/* The control register: only a software reset matters to a drive of its own cable. */
static void run_control(struct ahci_port *p, unsigned slot, uint8_t control)
{
    struct ide_chan_state *cs = p->ch->s;
    bool fell = (cs->control & CTL_SRST) && !(control & CTL_SRST);

    cs->control = control & CTL_SRST;
    if (control & CTL_SRST)
        ahci_ncq_stop(p);
    p->s->ci &= ~(1u << slot);
    if (!fell)
        return;
    p->u->ops->reset(p->u);
    p->s->fis_due = true;
    ahci_signature(p);
}

static void run_command(struct ahci_port *p, unsigned slot, const struct command *c)
{
    struct ahci_port_state *s = p->s;
    uint8_t cmd = c->fis[2];

    s->slot = s->ccs = slot;
    s->table = c->table;
    s->prds = c->prds;
    s->overflow = s->fault = s->asked = false;
    memcpy(s->acmd, c->acmd, sizeof(s->acmd));
    port_commit(p->ch, &(struct dma_cursor){ .last = !c->prds });
    s->tfd |= ST_BSY;
    s->lost = (p->ch->s->control & CTL_SRST) || p->u->s->power == PM_SLEEP;
    if (s->lost)
        return;
    if (cmd == CMD_DIAGNOSTIC) {
        p->u->ops->reset(p->u);
        ide_raise(p->u);
    } else {
        ide_begin(p->u, cmd);
    }
}

static bool is_queued(const struct ahci_port *p, uint8_t cmd)
{
    return p->u->kind == IDE_DISK && (cmd == CMD_READ_NCQ || cmd == CMD_WRITE_NCQ);
}

static void port_begin(struct ahci_port *p, unsigned slot)
{
    struct command c;
    uint8_t cmd;

    p->s->last = p->s->ccs = slot;
    if (!command_fetch(p, slot, &c)) {
        ahci_port_halt(p, IS_HBFS);
        return;
    }
    cmd = c.fis[2];
    if (c.words < 2 || c.words > 16 || c.fis[0] != FIS_HOST) {
        guest_err(ide_dev(p->u), "port %u, slot %u: FIS %02x of %u words", p->index, slot, c.fis[0],
                  c.words);
        p->s->serr |= SERR_PROTO;
        ahci_port_halt(p, IS_IFS);
        return;
    }
    if (!(c.fis[1] & FIS_COMMAND)) {
        run_control(p, slot, c.fis[15]);
        return;
    }
    load_registers(p, c.fis);
    if (is_queued(p, cmd) && p->u->s->power != PM_SLEEP && !(p->ch->s->control & CTL_SRST))
        ahci_ncq_issue(p, slot, c.fis, c.table, c.prds);
    else if (ahci_ncq_active(p))
        ahci_ncq_broken(p, LOG_NQ);
    else
        run_command(p, slot, &c);
}

/* May the next command begin? */
static bool port_ready(const struct ahci_port *p)
{
    const struct ahci_port_state *s = p->s;

    return (s->cmd & CMD_ST) && s->ci && !s->halted && !s->lost && ahci_linked(p) &&
           !ahci_port_lingers(p) && !p->ch->req.busy &&
           (pci_cfg16(&p->ahci->host.pci, PCI_COMMAND) & PCI_COMMAND_MASTER);
}

static bool port_next(struct ahci_port *p)
{
    unsigned slot = p->s->last;

    if (!port_ready(p))
        return false;
    do {
        slot = (slot + 1) % AHCI_SLOTS;
    } while (!(p->s->ci & (1u << slot)));
    port_begin(p, slot);
    return true;
}

/* ---- the port's work ---- */

static bool port_step(struct ahci_port *p)
{
    if (p->s->slot == AHCI_NO_SLOT)
        return port_next(p);
    if (p->s->lost)
        return false;
    switch (p->ch->s->phase) {
    case PH_IDLE:
        port_finish(p);
        return true;
    case PH_PACKET:
        packet_block(p);
        return true;
    case PH_IN:
    case PH_OUT:
        pio_block(p);
        return true;
    default: /* the medium is at work */
        return false;
    }
}

static void port_sync(struct ide_chan *ch)
{
    struct ahci_port *p = ahci_port_of(ch);

    if (p->stepping)
        return;
    p->stepping = true;
    while (port_step(p))
        xfer_resume(ch);
    ahci_ncq_resume(p);
    p->stepping = false;
    ahci_irq(p->ahci);
}

const struct ide_transport ahci_transport = {
    .cursor = port_cursor,
    .commit = port_commit,
    .active = port_active,
    .end = port_end,
    .sync = port_sync,
    .retry = ahci_ncq_retry,
    .drop = ahci_port_drop,
    .error_log = ahci_ncq_log,
};
