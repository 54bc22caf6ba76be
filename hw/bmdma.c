/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus master of the PIIX3 IDE function: 82371SB (PIIX3) data sheet §2.7,
 * "Programming Interface for Bus Master IDE Controller" rev 1.0. Eight bytes
 * of registers per channel; a table of physical region descriptors (PRDs) in
 * guest memory. A table ends at its last entry or at its 64 KiB boundary.
 * A start bit that is cleared amid a transfer does not tear it (the data sheet
 * lets data be lost, and a disk has no way to take a command up again): the
 * command runs out, and the active bit falls when it has.
 * Not modelled: that a region must not cross 64 KiB (it simply continues).
 */
#include "hw/ide-int.h"

#define PRD_BYTES 8
#define PRD_LAST  0x80000000u

enum { BM_REG_CMD = 0, BM_REG_STATUS = 2, BM_REG_PRD = 4, BM_REG_END = 8 };

struct dma_cursor bmdma_cursor(const struct ide_chan *ch)
{
    return (struct dma_cursor){ .next = ch->s->prd_next,
                                .addr = ch->s->prd_addr,
                                .left = ch->s->prd_left,
                                .last = ch->s->prd_last };
}

void bmdma_commit(struct ide_chan *ch, const struct dma_cursor *cur)
{
    ch->s->prd_next = cur->next;
    ch->s->prd_addr = cur->addr;
    ch->s->prd_left = cur->left;
    ch->s->prd_last = cur->last;
}

static uint32_t le32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

bool bmdma_fetch(struct dma_table *t, struct dma_cursor *cur)
{
    uint8_t prd[PRD_BYTES] = { 0 }; /* what a function sees that may not master the bus */
    uint32_t count, next = cur->next + PRD_BYTES;

    if (pci_may_master(t->pci) && pci_dma_read(t->pci, cur->next, prd, sizeof(prd)))
        return false;
    count = le32(prd + 4) & 0xfffe;
    cur->addr = le32(prd) & ~1u;
    cur->left = count ? count : 0x10000;
    cur->last = (le32(prd + 4) & PRD_LAST) || (next ^ cur->next) >> 16;
    cur->next = next;
    return true;
}

bool bmdma_active(const struct ide_chan *ch)
{
    return ch->s->bm_status & BM_ACTIVE;
}

void bmdma_end(struct ide_chan *ch, enum dma_result how)
{
    struct ide_chan_state *s = ch->s;

    if (how == DMA_ERROR)
        s->bm_status |= BM_ERROR;
    if (how != DMA_DONE || (!s->prd_left && s->prd_last) || !(s->bm_cmd & BM_START))
        s->bm_status &= ~BM_ACTIVE;
}

void bmdma_drop(struct ide_chan *ch)
{
    if (!(ch->s->bm_cmd & BM_START))
        ch->s->bm_status &= ~BM_ACTIVE;
}

static void bmdma_command(struct ide_chan *ch, uint8_t val)
{
    struct ide_chan_state *s = ch->s;
    uint8_t risen = val & ~s->bm_cmd, fallen = ~val & s->bm_cmd;

    s->bm_cmd = val & (BM_START | BM_TO_RAM);
    if (risen & BM_START) {
        if (bmdma_active(ch))
            xfer_dma_again(ch);
        bmdma_commit(ch, &(struct dma_cursor){ .next = s->prd });
        s->bm_status |= BM_ACTIVE;
    } else if ((fallen & BM_START) && !xfer_dma_runs(ch)) {
        s->bm_status &= ~BM_ACTIVE;
        xfer_dma_again(ch);
    }
}

static struct ide_chan *bmdma_chan(struct device *dev, uint64_t off)
{
    return &container_of(dev, struct ide, host.pci.dev)->ch[off >= BM_REG_END];
}

static uint64_t bmdma_read(struct device *dev, uint64_t off, unsigned width)
{
    struct ide_chan *ch = bmdma_chan(dev, off);
    unsigned reg = off % BM_REG_END;

    if (reg == BM_REG_CMD)
        return ch->s->bm_cmd;
    if (reg == BM_REG_STATUS)
        return ch->s->bm_status | (xfer_lingers(ch) ? BM_ACTIVE : 0);
    if (reg >= BM_REG_PRD)
        return (ch->s->prd >> (8 * (reg - BM_REG_PRD))) & 0xff;
    return 0;
}

static void bmdma_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct ide_chan *ch = bmdma_chan(dev, off);
    struct ide_chan_state *s = ch->s;
    unsigned reg = off % BM_REG_END;

    if (reg == BM_REG_CMD) {
        bmdma_command(ch, val);
    } else if (reg == BM_REG_STATUS) { /* error and interrupt: written ones clear */
        s->bm_status = (s->bm_status & BM_ACTIVE) | (val & BM_CAPABLE) |
                       (s->bm_status & ~val & (BM_ERROR | BM_INT));
    } else if (reg >= BM_REG_PRD) {
        unsigned shift = 8 * (reg - BM_REG_PRD);

        s->prd = ((s->prd & ~(0xffu << shift)) | (uint32_t)val << shift) & ~3u;
    }
    ide_sync_chan(ch);
}

const struct io_range bmdma_io = { IO_PORT, 0, 2 * BM_REG_END, 1, bmdma_read, bmdma_write };
