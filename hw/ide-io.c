/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IDE: requests to a medium, made from what s asks for, and what becomes of
 * their errors. A bus master transfer is one request whose iovec points into
 * guest memory, as far as the world lends it; else, and for PIO, the bounce
 * buffer is between. Lent memory is given back when the request is done, and
 * until then the channel is busy, whatever the guest has done meanwhile: a
 * reset must not let late data run into memory that has another use by now.
 */
#include <errno.h>
#include <string.h>
#include "block/impl.h"
#include "hw/ide-int.h"

bool xfer_lingers(const struct ide_chan *ch)
{
    return ch->req.busy && ch->pinned && ch->io_seq != ch->s->seq;
}

static void io_unpin(struct ide_chan *ch)
{
    if (ch->pinned)
        ide_dma_release(&ch->table, ch->iov, &ch->niov, 0, ch->req.op == BLOCK_READ);
    ch->pinned = false;
}

/* ---- errors ---- */

enum ide_action ide_error_action(const struct ide_unit *u, bool write, int err)
{
    uint8_t policy = write ? u->werror : u->rerror;

    if (policy == IDE_ENOSPC)
        return err == ENOSPC ? IDE_STOP : IDE_REPORT;
    return policy;
}

void ide_error_event(struct ide_unit *u, bool write, int err, enum ide_action action)
{
    const struct ide_host *host = u->ch->host;

    if (host->events && host->events->io_error)
        host->events->io_error(host->events_arg, u->number, write, err, action);
}

static void io_error(struct ide_chan *ch, uint32_t n, int err)
{
    struct ide_chan_state *s = ch->s;
    struct ide_unit *u = chan_active(ch);
    bool write = s->phase != PH_READ;
    enum ide_action action = ide_error_action(u, write, err);

    if (!u->blk) {
        xfer_fail(ch, FAIL_GONE, ENOMEDIUM);
    } else if (err == EFAULT && ch->io_direct) {
        ch->copies = true; /* O_DIRECT cannot use memory of this kind */
        xfer_want(ch, s->phase);
    } else if (action == IDE_STOP) {
        s->held = true;
        ide_error_event(u, write, err, action);
    } else if ((s->phase == PH_READ || s->phase == PH_WRITE) && n > 1 && err != EROFS &&
               (s->dma || !s->out)) {
        s->single = true; /* the guest is owed the sectors before the bad one, and its number */
        xfer_want(ch, s->phase);
    } else {
        ide_error_event(u, write, err, action);
        if (action == IDE_IGNORE)
            xfer_advance(ch, n);
        else
            xfer_fail(ch, FAIL_IO, err);
    }
}

/* ---- one request ---- */

static void io_done(struct block_req *req, int err)
{
    struct ide_chan *ch = req->arg;
    struct ide_chan_state *s = ch->s;
    bool current = ch->io_seq == s->seq && ch->io_phase == s->phase;

    if (current && !ch->closing &&
        (s->phase == PH_FLUSH || ch->io_n <= (s->phase == PH_TRIM ? s->len - s->pos : s->left))) {
        if (err == EOPNOTSUPP && s->phase == PH_TRIM)
            err = 0; /* it was advice */
        if (err && s->phase == PH_READ && chan_active(ch)->rerror == IDE_IGNORE)
            iov_zero(ch->iov, ch->niov, 0, ch->req.len);
        io_unpin(ch);
        if (err || !chan_active(ch)->blk)
            io_error(ch, ch->io_n, err);
        else
            xfer_advance(ch, ch->io_n);
    }
    io_unpin(ch);
    if (!ch->closing)
        ide_sync_chan(ch);
}

/* n: what xfer_advance() is to be told. iov, off and len are the caller's. */
static void io_submit(struct ide_chan *ch, enum block_op op, uint32_t n, uint64_t off, uint64_t len)
{
    ch->ahead_n = 0; /* the bounce buffer is about to change */
    if (ch->seq < ch->s->seq)
        ch->seq = ch->s->seq;
    ch->io_seq = ch->s->seq;
    ch->io_phase = ch->s->phase;
    ch->io_n = n;
    ch->req = (struct block_req){ .op = op, .offset = off, .len = len, .done = io_done, .arg = ch };
    if (op == BLOCK_READ || op == BLOCK_WRITE) {
        ch->req.iov = ch->iov;
        ch->req.niov = ch->niov;
    }
    block_submit(chan_active(ch)->blk, &ch->req);
}

/* Sectors of the next request. */
static uint32_t io_chunk(struct ide_chan *ch, uint32_t most)
{
    uint32_t n = ch->s->single ? 1 : most / chan_active(ch)->bsize;

    return ch->s->left < n ? ch->s->left : n;
}

/* The next request straight between medium and guest memory; false: it needs the bounce buffer. */
static bool io_direct(struct ide_chan *ch)
{
    struct ide_chan_state *s = ch->s;
    struct ide_unit *u = chan_active(ch);
    struct dma_cursor cur = ch->host->tr->cursor(ch);
    uint64_t off = s->lba * u->bsize, len = (uint64_t)io_chunk(ch, IDE_DIRECT) * u->bsize;

    if (!s->dma || s->raw || ch->copies || off >= u->blk->size)
        return false;
    if (len > u->blk->size - off) /* an image that ends within a sector: that one is padded */
        len = (u->blk->size - off) / u->bsize * u->bsize;
    len = ide_dma_gather(&ch->table, &cur, ch->iov, &ch->niov, len, u->bsize, !s->out);
    if (!len)
        return false;
    ch->pinned = ch->io_direct = true;
    ch->io_cursor = cur;
    io_submit(ch, s->out ? BLOCK_WRITE : BLOCK_READ, len / u->bsize, off, len);
    return true;
}

static void io_bounce(struct ide_chan *ch, enum block_op op, uint32_t n)
{
    struct ide_unit *u = chan_active(ch);
    uint64_t off = ch->s->lba * u->bsize, len = (uint64_t)n * u->bsize;

    if (op == BLOCK_READ && off < u->blk->size && len > u->blk->size - off) {
        len = u->blk->size - off; /* an image that ends within a CD sector */
        memset(ch->bounce + len, 0, (uint64_t)n * u->bsize - len);
    }
    ch->iov[0] = (struct iovec){ ch->bounce, len };
    ch->niov = 1;
    ch->io_direct = false;
    io_submit(ch, op, n, off, len);
}

static void io_write_dma(struct ide_chan *ch)
{
    struct ide_unit *u = chan_active(ch);
    struct dma_cursor cur = ch->host->tr->cursor(ch);
    uint32_t moved, n = io_chunk(ch, IDE_BOUNCE);
    enum dma_result how;

    how = ide_dma_move(&ch->table, &cur, ch->bounce, n * u->bsize, u->bsize, false, &moved);
    ch->s->single |= ide_dma_paused(&cur);
    n = moved / u->bsize;
    if (how == DMA_ERROR) {
        xfer_fail(ch, FAIL_DMA, 0);
    } else if (!n) {
        xfer_fail(ch, FAIL_SHORT, 0);
    } else {
        ch->io_cursor = cur;
        io_bounce(ch, BLOCK_WRITE, n);
    }
}

static void io_write(struct ide_chan *ch)
{
    uint32_t n = ch->s->len / IDE_SECTOR;

    if (ch->s->dma) {
        io_write_dma(ch);
        return;
    }
    if (n > IDE_MAX_MUL)
        n = IDE_MAX_MUL;
    memcpy(ch->bounce, ch->s->buf, n * IDE_SECTOR);
    io_bounce(ch, BLOCK_WRITE, n);
}

/* ---- TRIM ---- */

void xfer_trim_entry(const struct ide_chan *ch, uint32_t pos, uint64_t *lba, uint32_t *count)
{
    const uint8_t *p = ch->s->buf + pos;

    *lba = 0;
    for (int i = 5; i >= 0; i--)
        *lba = *lba << 8 | p[i];
    *count = p[6] | p[7] << 8;
}

/* As many entries as make one range; drivers cut a large one into entries of 65535 sectors. */
static void io_trim(struct ide_chan *ch)
{
    struct ide_chan_state *s = ch->s;
    uint64_t begin = 0, len = 0, lba;
    uint32_t count, pos = s->pos;

    for (; pos + IDE_TRIM <= s->len; pos += IDE_TRIM) {
        xfer_trim_entry(ch, pos, &lba, &count);
        if (!count)
            continue;
        if (len && lba != begin + len)
            break;
        begin = len ? begin : lba;
        len += count;
    }
    if (len)
        io_submit(ch, BLOCK_DISCARD, pos - s->pos, begin * IDE_SECTOR, len * IDE_SECTOR);
    else
        xfer_advance(ch, s->len - s->pos);
}

/* ---- */

static void io_start(struct ide_chan *ch)
{
    struct ide_chan_state *s = ch->s;

    switch (s->phase) {
    case PH_READ:
        if (!io_direct(ch))
            io_bounce(ch, BLOCK_READ, io_chunk(ch, IDE_BOUNCE));
        break;
    case PH_WRITE:
        if (!io_direct(ch))
            io_write(ch);
        break;
    case PH_TRIM:
        io_trim(ch);
        break;
    default:
        io_submit(ch, BLOCK_FLUSH, 0, 0, 0);
        break;
    }
}

void xfer_resume(struct ide_chan *ch)
{
    struct ide_chan_state *s = ch->s;
    struct ide_unit *u = chan_active(ch);
    bool moves = s->phase == PH_READ || s->phase == PH_WRITE || s->phase == PH_DMA;

    if (s->phase < PH_READ || ch->req.busy || !u->ops || s->held)
        return;
    if (moves && s->dma && !ch->host->tr->active(ch))
        return; /* until the guest sets the start bit */
    if (s->phase == PH_DMA)
        xfer_dma_reply(ch); /* what came from the guest may ask for more */
    if (s->phase < PH_READ || s->phase == PH_DMA)
        return;
    if (!u->blk)
        xfer_fail(ch, FAIL_GONE, ENOMEDIUM);
    else
        io_start(ch);
}
