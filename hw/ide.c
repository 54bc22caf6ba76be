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
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/config.h"
#include "hw/core/state.h"

enum { REG_DATA, REG_FEATURE, REG_COUNT, REG_LOW, REG_MID, REG_HIGH, REG_DEVICE, REG_COMMAND };

#define CMD_DEVICE_RESET 0x08
#define CMD_DIAGNOSTIC   0x90

#define DEV_ONES 0xa0 /* obsolete bits that read as ones */

/* ---- lines ---- */

void ide_sync_chan(struct ide_chan *ch)
{
    struct ide_chan_state *s = ch->s;
    struct ide_unit *u = chan_selected(ch);
    bool level;

    xfer_resume(ch);
    level = u->ops && u->s->intrq && !(s->control & CTL_NIEN);
    if (level && !s->line)
        s->bm_status |= BM_INT; /* set by the edge, cleared by the guest */
    s->line = level;
    irq_set(&ch->irq, level);
}

void ide_raise(struct ide_unit *u)
{
    u->s->intrq = true;
}

void ide_complete(struct ide_unit *u, uint8_t status, uint8_t error)
{
    u->s->status = status;
    u->s->error = error;
    ide_raise(u);
}

void ide_signature(struct ide_unit *u, uint8_t mid, uint8_t high)
{
    struct ide_unit_state *s = u->s;

    s->count[0] = s->low[0] = 1;
    s->mid[0] = mid;
    s->high[0] = high;
    s->count[1] = s->low[1] = s->mid[1] = s->high[1] = 0;
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
    s->active = u->index;
    s->command = cmd;
    s->dma = s->out = s->raw = s->through = s->single = s->verify = false;
    s->limit = 0;
    s->left = s->pos = s->end = s->len = 0;
    s->per_drq = 1;
    u->s->intrq = false;
    u->s->error = 0;
    u->s->status = ST_DRDY | ST_DSC;
    ide_set_medium(u, u->blk); /* its size may be another by now */
    u->ops->command(u, cmd);
}

static void reg_write(struct ide_chan *ch, unsigned reg, uint8_t val)
{
    ch->s->control &= ~CTL_HOB;
    if (reg == REG_COMMAND)
        ide_command(ch, val);
    else if (reg == REG_DEVICE)
        ch->s->device = val & ~DEV_ONES;
    else if (reg == REG_DATA)
        guest_err(&ch->ide->pci.dev, "byte write %02x to the data port", val);
    else if (ch->s->phase >= PH_READ)
        guest_err(&ch->ide->pci.dev, "write %02x to register %u while busy", val, reg);
    else
        regs_write(ch, reg, val);
    ide_sync_chan(ch);
}

static uint64_t chan_read(struct device *dev, unsigned n, uint64_t off, unsigned width)
{
    struct ide_chan *ch = &container_of(dev, struct ide, pci.dev)->ch[n];
    uint64_t val = 0;

    if (off == REG_DATA && width > 1)
        return xfer_data_read(ch, width);
    for (unsigned i = 0; i < width; i++)
        val |= (uint64_t)reg_read(ch, off + i) << (8 * i);
    return val;
}

static void chan_write(struct device *dev, unsigned n, uint64_t off, uint64_t val, unsigned width)
{
    struct ide_chan *ch = &container_of(dev, struct ide, pci.dev)->ch[n];

    if (off == REG_DATA && width > 1) {
        xfer_data_write(ch, val, width);
        return;
    }
    for (unsigned i = 0; i < width; i++)
        reg_write(ch, off + i, val >> (8 * i));
}

static uint64_t control_read(struct device *dev, unsigned n)
{
    struct ide_chan *ch = &container_of(dev, struct ide, pci.dev)->ch[n];
    struct ide_unit *u = chan_selected(ch);

    return u->ops ? unit_status(ch, u) : 0; /* alternate status: acknowledges nothing */
}

static void control_write(struct device *dev, unsigned n, uint8_t val)
{
    struct ide_chan *ch = &container_of(dev, struct ide, pci.dev)->ch[n];
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
    struct ide *ide = container_of(dev, struct ide, pci.dev);

    ide_drop_gone(ide);
    ide_sync_chan(&ide->ch[0]);
    ide_sync_chan(&ide->ch[1]);
}

static void unit_reset(struct ide_unit *u, bool gone)
{
    struct ide_unit_state *s = u->s;

    s->gone = gone;
    s->wcache = u->writeback;
    s->look_ahead = s->smart = s->smart_save = true;
    s->multiple = u->kind == IDE_DISK ? IDE_MAX_MUL : 0;
    s->xfer_mode = 0x08; /* PIO 0; the guest sets what it wants */
    s->heads = u->cyls ? u->heads : 16;
    s->secs = u->cyls ? u->secs : 63;
    s->attention = u->kind == IDE_CD ? UA_RESET : UA_NONE;
    s->page01[0] = 0x20; /* TB clear; read retries below */
    s->page01[1] = 5;
    s->page0e[0] = 0x04; /* IMMED, as the standard fixes it */
}

static void ide_reset(struct device *dev, enum reset_kind kind)
{
    struct ide *ide = container_of(dev, struct ide, pci.dev);

    for (unsigned i = 0; i < IDE_UNITS; i++)
        unit_reset(&ide->unit[i], ide->gone & (1 << i));
    for (unsigned i = 0; i < 2; i++) {
        ide_bus_reset(&ide->ch[i]);
        if (xfer_lingers(&ide->ch[i])) /* firmware finds the machine's memory at rest */
            block_drain(ide->ch[i].req.block);
    }
}

static const char *unit_str(const struct config *cfg, unsigned n, const char *what, const char *def)
{
    char key[32];

    snprintf(key, sizeof(key), "drive%u.%s", n, what);
    return config_str(cfg, key, def);
}

/* -EINVAL and a line when what the key says is none of the first n words. */
static int unit_policy(struct ide *ide, unsigned n, const struct config *cfg, const char *key,
                       unsigned words, enum ide_action def, uint8_t *out, struct err *err)
{
    static const char *const word[] = { "report", "ignore", "stop", "enospc" };
    const char *val = unit_str(cfg, n, key, word[def]);

    for (unsigned i = 0; i < words; i++) {
        if (!strcmp(val, word[i])) {
            *out = i;
            return 0;
        }
    }
    return err_set(err, -EINVAL, "%s: drive%u.%s is %s; use report, ignore, stop%s",
                   ide->pci.dev.id, n, key, val, words > 3 ? " or enospc" : "");
}

static int unit_number(struct ide *ide, unsigned n, const struct config *cfg, const char *what,
                       uint64_t max, uint64_t *out, struct err *err)
{
    char key[32];

    snprintf(key, sizeof(key), "drive%u.%s", n, what);
    return config_uint(cfg, key, 0, max, out, err);
}

/* A geometry that was asked for, and the world-wide name. */
static int unit_numbers(struct ide *ide, unsigned n, const struct config *cfg, struct err *err)
{
    struct ide_unit *u = &ide->unit[n];
    uint64_t cyls, heads, secs;
    int rc = unit_number(ide, n, cfg, "wwn", UINT64_MAX, &u->wwn, err);

    if (!rc)
        rc = unit_number(ide, n, cfg, "cyls", 65535, &cyls, err);
    if (!rc)
        rc = unit_number(ide, n, cfg, "heads", 16, &heads, err);
    if (!rc)
        rc = unit_number(ide, n, cfg, "secs", 255, &secs, err);
    if (rc)
        return rc;
    if ((cyls || heads || secs) && !(cyls && heads && secs))
        return err_set(err, -EINVAL, "%s: drive%u: give cyls, heads and secs, or none of them",
                       ide->pci.dev.id, n);
    u->cyls = cyls;
    u->heads = heads;
    u->secs = secs;
    return 0;
}

static int unit_init(struct ide *ide, unsigned n, const struct config *cfg, struct err *err)
{
    struct ide_unit *u = &ide->unit[n];
    const char *kind = unit_str(cfg, n, "kind", NULL), *cache, *model;
    char key[32], serial[16];
    int rc;

    u->ch = &ide->ch[n / 2];
    u->index = n % 2;
    if (!kind)
        return 0;
    if (strcmp(kind, "disk") && strcmp(kind, "cdrom"))
        return err_set(err, -EINVAL, "%s: drive%u.kind is %s; use disk or cdrom", ide->pci.dev.id,
                       n, kind);
    u->kind = kind[0] == 'd' ? IDE_DISK : IDE_CD;
    u->ops = u->kind == IDE_DISK ? &ata_ops : &atapi_ops;
    u->bsize = u->kind == IDE_DISK ? IDE_SECTOR : 2048;
    cache = unit_str(cfg, n, "cache", "writeback");
    u->writeback = strcmp(cache, "writethrough");
    snprintf(serial, sizeof(serial), "PT%05u", n + 1);
    snprintf(u->serial, sizeof(u->serial), "%s", unit_str(cfg, n, "serial", serial));
    model = u->kind == IDE_DISK ? "PORTICO HARDDISK" : "PORTICO DVD-ROM";
    snprintf(u->model, sizeof(u->model), "%s", unit_str(cfg, n, "model", model));
    snprintf(u->version, sizeof(u->version), "%s",
             unit_str(cfg, n, "ver", unit_str(cfg, n, "version", "1.0")));
    snprintf(key, sizeof(key), "drive%u", n);
    ide_set_medium(u, config_obj(cfg, key));
    ide_watch_medium(u, true);
    if (u->kind == IDE_DISK && !u->blk)
        return err_set(err, -EINVAL, "%s: drive%u is a disk without an image; name its file",
                       ide->pci.dev.id, n);
    rc = unit_policy(ide, n, cfg, "werror", 4, IDE_ENOSPC, &u->werror, err);
    if (!rc)
        rc = unit_policy(ide, n, cfg, "rerror", 3, IDE_REPORT, &u->rerror, err);
    return rc ? rc : unit_numbers(ide, n, cfg, err);
}

static void ide_fini(struct device *dev)
{
    struct ide *ide = container_of(dev, struct ide, pci.dev);

    for (unsigned i = 0; i < 2; i++) {
        struct ide_chan *ch = &ide->ch[i];

        ch->closing = true;
        block_cancel(&ch->req);
        if (ch->req.busy)
            block_drain(ch->req.block);
        irq_set(&ch->irq, false);
        free(ch->bounce);
        for (unsigned k = 0; k < 2; k++)
            timer_fini(dev->plat, &ch->unit[k].s->standby);
    }
}

static int ide_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct ide *ide = container_of(dev, struct ide, pci.dev);

    for (unsigned i = 0; i < 2; i++) {
        struct ide_chan *ch = &ide->ch[i];

        ch->ide = ide;
        ch->s = &ide->s.ch[i];
        ch->unit = &ide->unit[2 * i];
        irq_isa(dev, &ch->irq, 14 + i);
        for (unsigned k = 0; k < 2; k++) {
            ch->unit[k].s = &ide->s.unit[2 * i + k];
            timer_init(dev->plat, &ch->unit[k].s->standby, ata_standby_fired, &ch->unit[k]);
        }
    }
    for (unsigned i = 0; i < IDE_UNITS; i++) {
        struct ide_chan *ch = &ide->ch[i / 2];
        int rc = unit_init(ide, i, cfg, err);

        if (!rc && ide->unit[i].ops && !ch->bounce) {
            ch->bounce = malloc(IDE_BOUNCE);
            if (!ch->bounce)
                rc = err_set(err, -ENOMEM, "%s: out of memory", dev->id);
        }
        if (rc) {
            ide_fini(dev);
            return rc;
        }
    }
    return 0;
}

static const struct pci_reg ide_regs[] = {
    { .off = 0x40, .len = 2, .writable = 0xf3ff }, /* IDETIM, primary */
    { .off = 0x42, .len = 2, .writable = 0xf3ff }, /* IDETIM, secondary */
    { .off = 0x44, .len = 1, .writable = 0xff },   /* SIDETIM */
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
