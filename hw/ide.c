/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IDE function of the PIIX3 (82371SB data sheet §2.7, §4.2): two channels
 * at the legacy ports, interrupts 14 and 15, two units each. This file is the
 * task file: selection, commands, reset, INTRQ (ATA/ATAPI-7 volume 2, §5, §9).
 * Not modelled: the decode enables of IDETIM (the ports always answer, as
 * firmware expects of a machine it did not set up) and all timing. A unit that
 * is not there reads as zeroes in every register, so nobody waits for it.
 */
#include "hw/ide-int.h"
#include <stdio.h>
#include "hw/core/state.h"

enum { REG_DATA, REG_FEATURE, REG_COUNT, REG_LOW, REG_MID, REG_HIGH, REG_DEVICE, REG_COMMAND };

#define CMD_DEVICE_RESET 0x08
#define CMD_DIAGNOSTIC   0x90

#define DEV_ONES 0xa0 /* obsolete bits that read as ones */

/* ---- lines ---- */

static void chan_line(struct ide_chan *ch)
{
    struct ide_chan_state *s = ch->s;
    struct ide_unit *u = chan_selected(ch);
    bool level;

    level = u->ops && u->s->intrq && !(s->control & CTL_NIEN);
    if (level && !s->line)
        s->bm_status |= BM_INT; /* set by the edge, cleared by the guest */
    s->line = level;
    irq_set(&ch->irq, level);
}

/* ---- task file ---- */

static uint8_t unit_status(const struct ide_chan *ch, const struct ide_unit *u)
{
    const struct ide_chan_state *s = ch->s;

    if ((s->control & CTL_SRST) || xfer_lingers(ch))
        return ST_BSY;
    if (s->phase == PH_IDLE || (s->active & 1) != u->index)
        return u->s->status;
    return ST_DRDY | ST_DSC | (s->phase >= PH_READ ? ST_BSY : ST_DRQ);
}

static uint8_t reg_read(struct ide_chan *ch, unsigned reg)
{
    struct ide_unit *u = chan_selected(ch);
    unsigned h = ch->s->control & CTL_HOB ? 1 : 0;

    if (!u->ops)
        return 0;
    switch (reg) {
    case REG_DATA: /* the data port has no byte access */
        return 0xff;
    case REG_FEATURE:
        return u->s->error;
    case REG_COUNT:
        return u->s->count[h];
    case REG_LOW:
        return u->s->low[h];
    case REG_MID:
        return u->s->mid[h];
    case REG_HIGH:
        return u->s->high[h];
    case REG_DEVICE:
        return ch->s->device | DEV_ONES;
    default:
        u->s->intrq = false;
        ide_sync_chan(ch);
        return unit_status(ch, u);
    }
}

static void pair_write(uint8_t pair[2], uint8_t val)
{
    pair[1] = pair[0];
    pair[0] = val;
}

/* Both units of a cable hear a write. */
static void regs_write(struct ide_chan *ch, unsigned reg, uint8_t val)
{
    for (int i = 0; i < 2; i++) {
        struct ide_unit_state *s = ch->unit[i].s;
        uint8_t *const pair[] = { NULL, s->feature, s->count, s->low, s->mid, s->high };

        if (reg >= REG_FEATURE && reg <= REG_HIGH)
            pair_write(pair[reg], val);
    }
}

static void ide_bus_reset(struct ide_chan *ch)
{
    xfer_stop(ch);
    ch->s->device = 0;
    for (int i = 0; i < 2; i++) {
        struct ide_unit *u = &ch->unit[i];

        u->s->intrq = false;
        if (u->ops)
            u->ops->reset(u);
    }
}

/* EXECUTE DEVICE DIAGNOSTIC is for both units, whichever is selected; unit 0 reports. */
static void ide_diagnostic(struct ide_chan *ch)
{
    ide_bus_reset(ch);
    for (int i = 0; i < 2; i++) {
        if (ch->unit[i].ops) {
            ide_raise(&ch->unit[i]);
            break;
        }
    }
}

static void ide_command(struct ide_chan *ch, uint8_t cmd)
{
    struct ide_chan_state *s = ch->s;
    struct ide_unit *u = chan_selected(ch);

    if ((s->control & CTL_SRST) || (u->s->power == PM_SLEEP && cmd != CMD_DEVICE_RESET))
        return;
    if (cmd == CMD_DIAGNOSTIC) {
        ide_diagnostic(ch);
        return;
    }
    if (!u->ops)
        return;
    if ((s->phase >= PH_READ || xfer_lingers(ch)) &&
        !(cmd == CMD_DEVICE_RESET && u->kind == IDE_CD && chan_active(ch) == u)) {
        guest_err(ide_dev(u), "command %02x while busy", cmd);
        return;
    }
    if (s->phase != PH_IDLE)
        xfer_stop(ch); /* the new command ends the one that waited for its data */
    ide_begin(u, cmd);
}

static void reg_write(struct ide_chan *ch, unsigned reg, uint8_t val)
{
    ch->s->control &= ~CTL_HOB;
    if (reg == REG_COMMAND)
        ide_command(ch, val);
    else if (reg == REG_DEVICE)
        ch->s->device = val & ~DEV_ONES;
    else if (reg == REG_DATA)
        guest_err(&ch->host->pci.dev, "byte write %02x to the data port", val);
    else if (ch->s->phase >= PH_READ)
        guest_err(&ch->host->pci.dev, "write %02x to register %u while busy", val, reg);
    else
        regs_write(ch, reg, val);
    ide_sync_chan(ch);
}

static uint64_t chan_read(struct device *dev, unsigned n, uint64_t off, unsigned width)
{
    struct ide_chan *ch = &container_of(dev, struct ide, host.pci.dev)->ch[n];
    uint64_t val = 0;

    if (off == REG_DATA && width > 1)
        return xfer_data_read(ch, width);
    for (unsigned i = 0; i < width; i++)
        val |= (uint64_t)reg_read(ch, off + i) << (8 * i);
    return val;
}

static void chan_write(struct device *dev, unsigned n, uint64_t off, uint64_t val, unsigned width)
{
    struct ide_chan *ch = &container_of(dev, struct ide, host.pci.dev)->ch[n];

    if (off == REG_DATA && width > 1) {
        xfer_data_write(ch, val, width);
        return;
    }
    for (unsigned i = 0; i < width; i++)
        reg_write(ch, off + i, val >> (8 * i));
}

static uint64_t control_read(struct device *dev, unsigned n)
{
    struct ide_chan *ch = &container_of(dev, struct ide, host.pci.dev)->ch[n];
    struct ide_unit *u = chan_selected(ch);

    return u->ops ? unit_status(ch, u) : 0; /* alternate status: acknowledges nothing */
}

static void control_write(struct device *dev, unsigned n, uint8_t val)
{
    struct ide_chan *ch = &container_of(dev, struct ide, host.pci.dev)->ch[n];
    uint8_t risen = val & ~ch->s->control;

    ch->s->control = val & (CTL_NIEN | CTL_SRST | CTL_HOB);
    if (risen & CTL_SRST)
        ide_bus_reset(ch);
    ide_sync_chan(ch);
}

/* The bus tells handlers the offset only, so each channel has its own. */
#define CHANNEL_HANDLERS(name, n)                                                                  \
    static uint64_t name##_read(struct device *dev, uint64_t off, unsigned width)                  \
    {                                                                                              \
        return chan_read(dev, n, off, width);                                                      \
    }                                                                                              \
    static void name##_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)       \
    {                                                                                              \
        chan_write(dev, n, off, val, width);                                                       \
    }                                                                                              \
    static uint64_t name##_control_read(struct device *dev, uint64_t off, unsigned width)          \
    {                                                                                              \
        return control_read(dev, n);                                                               \
    }                                                                                              \
    static void name##_control_write(struct device *dev, uint64_t off, uint64_t val,               \
                                     unsigned width)                                               \
    {                                                                                              \
        control_write(dev, n, val);                                                                \
    }
CHANNEL_HANDLERS(primary, 0)
CHANNEL_HANDLERS(secondary, 1)

static const struct io_range ide_io[] = {
    { IO_PORT, 0x1f0, 8, 1 | 2 | 4, primary_read, primary_write },
    { IO_PORT, 0x3f6, 1, 1, primary_control_read, primary_control_write },
    { IO_PORT, 0x170, 8, 1 | 2 | 4, secondary_read, secondary_write },
    { IO_PORT, 0x376, 1, 1, secondary_control_read, secondary_control_write },
    { 0 }
};

/* ---- the device ---- */

static void ide_sync(struct device *dev)
{
    struct ide *ide = container_of(dev, struct ide, host.pci.dev);

    ide_drop_gone(&ide->host);
    ide_sync_chan(&ide->ch[0]);
    ide_sync_chan(&ide->ch[1]);
}

static void ide_reset(struct device *dev, enum reset_kind kind)
{
    struct ide *ide = container_of(dev, struct ide, host.pci.dev);

    for (unsigned i = 0; i < IDE_UNITS; i++)
        ide_unit_reset(&ide->unit[i]);
    /* Power-on is long past when the guest looks: it meets a CD drive that is ready. */
    for (unsigned i = 0; kind == RESET_COLD && i < IDE_UNITS; i++)
        ide->unit[i].s->attention = UA_NONE;
    for (unsigned i = 0; i < 2; i++) {
        ide_bus_reset(&ide->ch[i]);
        if (xfer_lingers(&ide->ch[i])) /* firmware finds the machine's memory at rest */
            block_drain(ide->ch[i].req.block);
    }
}

static void ide_fini(struct device *dev)
{
    struct ide *ide = container_of(dev, struct ide, host.pci.dev);

    for (unsigned i = 0; i < 2; i++) {
        ide_chan_fini(&ide->ch[i]);
        irq_set(&ide->ch[i].irq, false);
        for (unsigned k = 0; k < 2; k++)
            timer_fini(dev->plat, &ide->ch[i].unit[k].s->standby);
    }
}

static const struct ide_transport ide_transport = {
    .cursor = bmdma_cursor,
    .commit = bmdma_commit,
    .active = bmdma_active,
    .end = bmdma_end,
    .dropped = bmdma_drop,
    .sync = chan_line,
};

static void ide_wire(struct ide *ide)
{
    struct device *dev = &ide->host.pci.dev;

    ide->host.tr = &ide_transport;
    ide->host.ch = ide->ch;
    ide->host.nch = 2;
    ide->host.unit = ide->unit;
    ide->host.nunits = IDE_UNITS;
    for (unsigned i = 0; i < 2; i++) {
        struct ide_chan *ch = &ide->ch[i];

        ch->host = &ide->host;
        ch->s = &ide->s.ch[i];
        ch->unit = &ide->unit[2 * i];
        ch->table = (struct dma_table){ &ide->host.pci, bmdma_fetch };
        irq_isa(dev, &ch->irq, 14 + i);
        for (unsigned k = 0; k < 2; k++) {
            ch->unit[k].s = &ide->s.unit[2 * i + k];
            ch->unit[k].ch = ch;
            ch->unit[k].index = k;
            ch->unit[k].number = 2 * i + k;
            timer_init(dev->plat, &ch->unit[k].s->standby, ata_standby_fired, &ch->unit[k]);
        }
    }
}

static int ide_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct ide *ide = container_of(dev, struct ide, host.pci.dev);
    int rc = 0;

    ide_wire(ide);
    for (unsigned i = 0; !rc && i < IDE_UNITS; i++) {
        char key[16];

        snprintf(key, sizeof(key), "drive%u", i);
        rc = ide_unit_init(&ide->unit[i], key, cfg, err);
    }
    if (rc)
        ide_fini(dev);
    return rc;
}

static const struct pci_reg ide_regs[] = {
    /* PCICMD: I/O space and mastering; drivers that set all three bits read back that they took */
    { .off = 0x04, .len = 2, .writable = 0x0007 },
    { .off = 0x06, .len = 2, .init = 0x0280, .w1c = 0x3800 }, /* PCISTS: DEVSEL# medium */
    { .off = 0x40, .len = 2, .writable = 0xf3ff },            /* IDETIM, primary */
    { .off = 0x42, .len = 2, .writable = 0xf3ff },            /* IDETIM, secondary */
    { .off = 0x44, .len = 1, .writable = 0xff },              /* SIDETIM */
    { 0 }
};

const struct pci_type piix3_ide_type = {
    .dev = { .name = "piix3-ide",
             .version = 2,
             DEVICE_LAYOUT(struct ide),
             .pci = true,
             .io = ide_io,
             .state = ide_fields,
             .init = ide_init,
             .fini = ide_fini,
             .reset = ide_reset,
             .sync = ide_sync,
             .check = ide_check },
    .vendor = 0x8086,
    .device = 0x7010,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = 0x010180,
    .bar = { [4] = &bmdma_io },
    .regs = ide_regs,
};
