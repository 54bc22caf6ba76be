/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus master of the PIIX3 IDE function: 82371SB (PIIX3) data sheet §2.7,
 * "Programming Interface for Bus Master IDE Controller" rev 1.0. Eight bytes
 * of registers per channel; a table of physical region descriptors (PRDs) in
 * guest memory. A table ends at its last entry or at its 64 KiB boundary.
 * A walk pauses after PRD_A_STEP entries: regions of two bytes would make it
 * 65536 for one request. Not modelled: that a region must not cross 64 KiB (it
 * simply continues).
 */
#include "hw/ide-int.h"

#define PRD_BYTES  8
#define PRD_LAST   0x80000000u
#define PRD_A_STEP 512 /* more than any driver's table has: theirs are never cut */

enum { BM_REG_CMD = 0, BM_REG_STATUS = 2, BM_REG_PRD = 4, BM_REG_END = 8 };

struct bmdma_cursor bmdma_cursor(const struct ide_chan *ch)
{
    return (struct bmdma_cursor){ ch->s->prd_next, ch->s->prd_addr, ch->s->prd_left, 0,
                                  ch->s->prd_last };
}

void bmdma_commit(struct ide_chan *ch, const struct bmdma_cursor *cur)
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

static bool prd_fetch(struct ide_chan *ch, struct bmdma_cursor *cur)
{
    uint8_t prd[PRD_BYTES];
    uint32_t count, next = cur->next + PRD_BYTES;

    if (pci_dma_read(&ch->ide->pci, cur->next, prd, sizeof(prd)))
        return false;
    count = le32(prd + 4) & 0xfffe;
    cur->addr = le32(prd) & ~1u;
    cur->left = count ? count : 0x10000;
    cur->last = (le32(prd + 4) & PRD_LAST) || (next ^ cur->next) >> 16;
    cur->next = next;
    cur->walked++;
    return true;
}

bool bmdma_paused(const struct bmdma_cursor *cur)
{
    return cur->walked >= PRD_A_STEP;
}

enum bmdma_result bmdma_move(struct ide_chan *ch, struct bmdma_cursor *cur, void *buf, uint32_t len,
                             uint32_t unit, bool to_guest, uint32_t *moved)
{
    struct pci_func *pci = &ch->ide->pci;
    struct bmdma_cursor mark = *cur; /* behind the last whole unit */
    uint8_t *p = buf;
    uint32_t whole = 0;

    *moved = 0;
    while (*moved < len) {
        uint32_t n = len - *moved;
        int rc;

        if (!cur->left && cur->last)
            return BMDMA_SHORT;
        if (!cur->left && bmdma_paused(cur) && whole) {
            *cur = mark;
            *moved = whole;
            return BMDMA_DONE;
        }
        if (!cur->left && !prd_fetch(ch, cur))
            return BMDMA_ERROR;
        if (n > cur->left)
            n = cur->left;
        rc = to_guest ? pci_dma_write(pci, cur->addr, p + *moved, n)
                      : pci_dma_read(pci, cur->addr, p + *moved, n);
        if (rc)
            return BMDMA_ERROR;
        cur->addr += n;
        cur->left -= n;
        *moved += n;
        if (*moved - whole >= unit) {
            uint32_t over = *moved % unit;

            whole = *moved - over;
            mark = *cur;
            mark.addr -= over;
            mark.left += over;
        }
    }
    return BMDMA_DONE;
}

void bmdma_release(struct ide_chan *ch, int from, bool written)
{
    while (ch->niov > from) {
        struct iovec *v = &ch->iov[--ch->niov];

        dma_unpin(&ch->ide->pci.dev, v->iov_base, v->iov_len, written);
    }
}

/* Cuts iov[], which has total bytes, down to len. */
static void gather_trim(struct ide_chan *ch, uint64_t total, uint64_t len)
{
    while (ch->niov && total - len >= ch->iov[ch->niov - 1].iov_len) {
        total -= ch->iov[ch->niov - 1].iov_len;
        bmdma_release(ch, ch->niov - 1, false);
    }
    if (ch->niov)
        ch->iov[ch->niov - 1].iov_len -= total - len;
}

uint64_t bmdma_gather(struct ide_chan *ch, struct bmdma_cursor *cur, uint64_t max, uint32_t unit,
                      bool to_guest)
{
    struct bmdma_cursor mark = *cur; /* behind the last whole unit */
    uint64_t total = 0, whole = 0, n, got;
    void *host;

    ch->niov = 0;
    while (total < max && ch->niov < IDE_SG) {
        if (!cur->left && (cur->last || bmdma_paused(cur) || !prd_fetch(ch, cur)))
            break;
        n = max - total < cur->left ? max - total : cur->left;
        host = pci_dma_pin(&ch->ide->pci, cur->addr, n, to_guest, &got);
        if (!host)
            break;
        ch->iov[ch->niov++] = (struct iovec){ host, got };
        cur->addr += got;
        cur->left -= got;
        total += got;
        if (total - whole >= unit) {
            uint32_t over = total % unit;

            whole = total - over;
            mark = *cur;
            mark.addr -= over;
            mark.left += over;
        }
    }
    gather_trim(ch, total, whole);
    *cur = mark;
    return whole;
}

void bmdma_end(struct ide_chan *ch, enum bmdma_result how)
{
    struct ide_chan_state *s = ch->s;

    if (how == BMDMA_ERROR)
        s->bm_status |= BM_ERROR;
    if (how != BMDMA_DONE || (!s->prd_left && s->prd_last))
        s->bm_status &= ~BM_ACTIVE;
}

static void bmdma_command(struct ide_chan *ch, uint8_t val)
{
    struct ide_chan_state *s = ch->s;
    uint8_t risen = val & ~s->bm_cmd, fallen = ~val & s->bm_cmd;

    s->bm_cmd = val & (BM_START | BM_TO_RAM);
    if (risen & BM_START) {
        bmdma_commit(ch, &(struct bmdma_cursor){ .next = s->prd });
        s->bm_status |= BM_ACTIVE;
    } else if ((fallen & BM_START) && bmdma_active(ch)) {
        s->bm_status &= ~BM_ACTIVE;
        xfer_dma_stopped(ch);
    }
}

static struct ide_chan *bmdma_chan(struct device *dev, uint64_t off)
{
    return &container_of(dev, struct ide, pci.dev)->ch[off >= BM_REG_END];
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
