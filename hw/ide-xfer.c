/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IDE: data between a medium and the guest, by PIO or bus master, for disks
 * and CD drives. Everything a command still has to do is in s (phase, lba,
 * left, buf): xfer_resume() starts whatever I/O that asks for, also in a
 * process that has just loaded it (ide-io.c). The bounce buffer is a cache of
 * the host: a read fetches up to IDE_BOUNCE bytes of the command at once and
 * DRQ blocks are served from there. Sources: ATA/ATAPI-7 volume 2, §11.
 */
#include <string.h>
#include "hw/ide-int.h"

/* s asks for I/O (again): whatever is in flight now is not for it. */
void xfer_want(struct ide_chan *ch, enum ide_phase phase)
{
    if (ch->seq < ch->s->seq)
        ch->seq = ch->s->seq;
    ch->s->seq = ++ch->seq;
    ch->s->phase = phase;
}

void xfer_stop(struct ide_chan *ch)
{
    struct ide_chan_state *s = ch->s;

    xfer_want(ch, PH_IDLE);
    s->left = s->pos = s->end = s->len = 0;
    s->held = false;
    ch->ahead_n = 0;
    if (ch->host->tr->dropped)
        ch->host->tr->dropped(ch);
    block_cancel(&ch->req);
}

void xfer_fail(struct ide_chan *ch, enum xfer_fail why, int err)
{
    struct ide_unit *u = chan_active(ch);

    ch->s->phase = PH_IDLE;
    if (ch->s->dma)
        ch->host->tr->end(ch, why == FAIL_SHORT ? DMA_SHORT
                              : why == FAIL_DMA ? DMA_ERROR
                                                : DMA_DONE);
    u->ops->failed(u, why, err);
}

static void xfer_finish(struct ide_chan *ch)
{
    struct ide_unit *u = chan_active(ch);

    ch->s->phase = PH_IDLE;
    if (ch->s->dma)
        ch->host->tr->end(ch, DMA_DONE);
    u->ops->finished(u);
}

/* ---- PIO: DRQ blocks ---- */

/* Offers the next window of buf; the data sheet's "first block of a write" makes no INTRQ. */
static void pio_window(struct ide_chan *ch, enum ide_phase phase, bool interrupt)
{
    struct ide_chan_state *s = ch->s;
    struct ide_unit *u = chan_active(ch);
    uint32_t n = s->len - s->pos;

    if (s->limit && n > s->limit)
        n = s->limit;
    s->end = s->pos + n;
    s->phase = phase;
    u->ops->drq(u, n);
    if (interrupt)
        ide_raise(u);
}

/* Sectors of the running command in the bounce buffer from s->lba on; 0: fetch first. */
static uint32_t ahead_count(const struct ide_chan *ch)
{
    uint64_t skip = ch->s->lba - ch->ahead_lba;

    return ch->s->lba >= ch->ahead_lba && skip < ch->ahead_n ? ch->ahead_n - skip : 0;
}

/* Bytes of a sector as the guest gets it. */
static uint32_t sector_size(struct ide_chan *ch)
{
    return ch->s->raw ? ch->s->sector : chan_active(ch)->bsize;
}

/* Copies one sector out of the bounce buffer in the shape the guest asked for. */
static void sector_out(struct ide_chan *ch, uint64_t lba, uint8_t *dst)
{
    struct ide_unit *u = chan_active(ch);
    const uint8_t *src = ch->bounce + (lba - ch->ahead_lba) * u->bsize;

    if (ch->s->raw && u->ops->cook)
        u->ops->cook(u, lba, src, dst);
    else
        memcpy(dst, src, u->bsize);
}

static void pio_in_next(struct ide_chan *ch)
{
    struct ide_chan_state *s = ch->s;
    uint32_t n = ahead_count(ch), size = sector_size(ch);

    if (!n) {
        xfer_want(ch, PH_READ);
        return;
    }
    if (n > s->per_drq)
        n = s->per_drq;
    if (n > IDE_BUF / size)
        n = IDE_BUF / size;
    if (n > s->left)
        n = s->left;
    for (uint32_t i = 0; i < n; i++)
        sector_out(ch, s->lba + i, s->buf + i * size);
    s->lba += n;
    s->left -= n;
    s->pos = 0;
    s->len = n * size;
    pio_window(ch, PH_IN, true);
}

static void pio_out_next(struct ide_chan *ch, bool interrupt)
{
    struct ide_chan_state *s = ch->s;
    uint32_t n = s->left < s->per_drq ? s->left : s->per_drq;

    if (n > IDE_MAX_MUL)
        n = IDE_MAX_MUL;
    s->pos = 0;
    s->len = n * IDE_SECTOR;
    pio_window(ch, PH_OUT, interrupt);
}

void xfer_drq_done(struct ide_chan *ch)
{
    struct ide_chan_state *s = ch->s;
    struct ide_unit *u = chan_active(ch);

    if (s->phase == PH_PACKET) {
        s->phase = PH_IDLE;
        u->ops->packet(u);
    } else if (s->pos < s->len) {
        pio_window(ch, s->phase, true);
    } else if (s->phase == PH_OUT && s->left) {
        xfer_want(ch, PH_WRITE);
    } else if (s->phase == PH_OUT) {
        s->phase = PH_IDLE;
        u->ops->accepted(u);
    } else if (s->left) {
        pio_in_next(ch);
    } else {
        xfer_finish(ch);
    }
}

/* The guest has moved the last word of a DRQ block. */
static void pio_block_done(struct ide_chan *ch)
{
    xfer_drq_done(ch);
    ide_sync_chan(ch);
}

uint32_t xfer_data_read(struct ide_chan *ch, unsigned width)
{
    struct ide_chan_state *s = ch->s;
    uint8_t val[4] = { 0 };
    uint32_t n;

    if (s->phase != PH_IN || chan_active(ch) != chan_selected(ch) || s->pos >= s->end ||
        s->end > IDE_BUF || width > sizeof(val))
        return 0;
    n = s->end - s->pos < width ? s->end - s->pos : width;
    memcpy(val, s->buf + s->pos, n);
    s->pos += n;
    if (s->pos == s->end)
        pio_block_done(ch);
    return val[0] | val[1] << 8 | val[2] << 16 | (uint32_t)val[3] << 24;
}

void xfer_data_write(struct ide_chan *ch, uint32_t val, unsigned width)
{
    struct ide_chan_state *s = ch->s;

    if ((s->phase != PH_OUT && s->phase != PH_PACKET) || chan_active(ch) != chan_selected(ch))
        return;
    for (unsigned i = 0; i < width && s->pos < s->end && s->pos < IDE_BUF; i++)
        s->buf[s->pos++] = val >> (8 * i);
    if (s->pos >= s->end)
        pio_block_done(ch);
}

/* ---- bus master ---- */

void xfer_dma_reply(struct ide_chan *ch)
{
    struct ide_chan_state *s = ch->s;
    struct dma_cursor cur = ch->host->tr->cursor(ch);
    struct ide_unit *u = chan_active(ch);
    uint32_t len = s->len < IDE_BUF ? s->len : IDE_BUF, moved;
    enum dma_result how = ide_dma_move(&ch->table, &cur, s->buf, len, len, !s->out, &moved);

    ch->host->tr->commit(ch, &cur);
    if (how != DMA_DONE) {
        xfer_fail(ch, how == DMA_SHORT ? FAIL_SHORT : FAIL_DMA, 0);
    } else if (s->out) {
        s->phase = PH_IDLE;
        u->ops->accepted(u);
        if (s->phase == PH_IDLE) /* else the bus master waits for the drive, as it does for INTRQ */
            ch->host->tr->end(ch, DMA_DONE);
    } else {
        xfer_finish(ch);
    }
}

/* n sectors have arrived in the bounce buffer: on to the guest's memory. */
static void dma_in(struct ide_chan *ch, uint32_t n)
{
    struct ide_chan_state *s = ch->s;
    struct ide_unit *u = chan_active(ch);
    struct dma_cursor cur = ch->host->tr->cursor(ch);
    enum dma_result how = DMA_DONE;
    uint32_t moved, done = 0;

    if (!s->raw) {
        how = ide_dma_move(&ch->table, &cur, ch->bounce, n * u->bsize, u->bsize, true, &moved);
        done = moved / u->bsize;
    } else {
        for (; done < n && how == DMA_DONE && !ide_dma_paused(&cur); done++) {
            sector_out(ch, s->lba + done, s->buf);
            how = ide_dma_move(&ch->table, &cur, s->buf, s->sector, s->sector, true, &moved);
        }
    }
    ch->host->tr->commit(ch, &cur);
    if (how != DMA_DONE) {
        xfer_fail(ch, how == DMA_SHORT ? FAIL_SHORT : FAIL_DMA, 0);
        return;
    }
    s->single |= done < n; /* a table of crumbs: fetch no more than it takes in a step */
    s->lba += done;
    s->left -= done;
    if (s->left)
        xfer_want(ch, PH_READ);
    else
        xfer_finish(ch);
}

/* ---- what a request to the medium brought ---- */

static void advance_read(struct ide_chan *ch, uint32_t n)
{
    struct ide_chan_state *s = ch->s;

    ch->ahead_lba = s->lba;
    ch->ahead_n = n;
    if (s->dma && !ch->io_direct) {
        dma_in(ch, n);
    } else if (s->dma || s->verify) { /* the data is where it belongs, or nobody wants it */
        s->lba += n;
        s->left -= n;
        ch->ahead_n = 0;
        if (s->dma)
            ch->host->tr->commit(ch, &ch->io_cursor);
        if (s->left)
            xfer_want(ch, PH_READ);
        else
            xfer_finish(ch);
    } else {
        pio_in_next(ch);
    }
}

static void advance_write(struct ide_chan *ch, uint32_t n)
{
    struct ide_chan_state *s = ch->s;

    s->lba += n;
    s->left -= n;
    if (s->dma)
        ch->host->tr->commit(ch, &ch->io_cursor);
    if (s->left && s->dma)
        xfer_want(ch, PH_WRITE);
    else if (s->left)
        pio_out_next(ch, true);
    else if (s->through)
        xfer_want(ch, PH_FLUSH);
    else
        xfer_finish(ch);
}

void xfer_advance(struct ide_chan *ch, uint32_t n)
{
    struct ide_chan_state *s = ch->s;

    switch (s->phase) {
    case PH_READ:
        advance_read(ch, n);
        break;
    case PH_WRITE:
        advance_write(ch, n);
        break;
    case PH_TRIM:
        s->pos += n;
        if (s->pos < s->len)
            xfer_want(ch, PH_TRIM);
        else
            xfer_finish(ch);
        break;
    default: /* PH_FLUSH */
        xfer_finish(ch);
        break;
    }
}

/* ---- what the command handlers call ---- */

void xfer_reply(struct ide_chan *ch, uint32_t len)
{
    struct ide_chan_state *s = ch->s;

    s->out = false;
    s->left = s->pos = s->end = 0;
    s->len = len;
    if (!len)
        xfer_finish(ch);
    else if (s->dma)
        s->phase = PH_DMA;
    else
        pio_window(ch, PH_IN, true);
}

void xfer_accept(struct ide_chan *ch, uint32_t len)
{
    struct ide_chan_state *s = ch->s;

    s->out = true;
    s->left = s->pos = s->end = 0;
    s->len = len;
    if (s->dma)
        s->phase = PH_DMA;
    else
        pio_window(ch, PH_OUT, true);
}

void xfer_media(struct ide_chan *ch)
{
    struct ide_chan_state *s = ch->s;

    ch->ahead_n = 0;
    s->single = false;
    s->pos = s->end = s->len = 0;
    if (!s->left)
        xfer_finish(ch);
    else if (!s->out)
        xfer_want(ch, PH_READ);
    else if (s->dma)
        xfer_want(ch, PH_WRITE);
    else
        pio_out_next(ch, false);
}

void xfer_flush(struct ide_chan *ch)
{
    xfer_want(ch, PH_FLUSH);
}

void xfer_trim(struct ide_chan *ch)
{
    ch->s->pos = 0;
    ch->s->end = ch->s->len;
    xfer_want(ch, PH_TRIM);
}

bool xfer_dma_runs(const struct ide_chan *ch)
{
    const struct ide_chan_state *s = ch->s;

    return s->dma && !s->held && ch->host->tr->active(ch) &&
           (s->phase == PH_READ || s->phase == PH_WRITE);
}

void xfer_dma_again(struct ide_chan *ch)
{
    struct ide_chan_state *s = ch->s;

    if (s->dma && (s->phase == PH_READ || s->phase == PH_WRITE)) {
        s->held = false;
        xfer_want(ch, s->phase);
        block_cancel(&ch->req);
    }
}
