/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floppy controller: commands that move sectors (82078 datasheet, 5.1 and 5.2).
 * All that is still to do is in s, a sector at a time: s.step says whom
 * execution waits for, so that a process which has just loaded s goes on.
 */
#include "hw/fdc-int.h"
#include <string.h>
#include "hw/dma8237.h"

#define DMA_TRIES 100
#define DMA_PAUSE NS_PER_MS
#define ID_BYTES  4 /* that FORMAT takes for a sector: C, H, R, N */

static bool writes(const struct fdc *f)
{
    return f->s.job >= FJ_WRITE;
}

/* In the PS/2 manner of the registers DMAGATE stops DMA and leaves the interrupt alone. */
bool fdc_is_pio(const struct fdc *f)
{
    return (f->s.load_time & 1) || !(f->s.dor & DOR_DMA);
}

static void set_step(struct fdc *f, enum fdc_step step)
{
    f->s.step = step;
    f->s.pos = 0;
    f->s.tries = 0;
    if (f->latest < f->s.seq)
        f->latest = f->s.seq;
    f->s.seq = ++f->latest;
    timer_set(f->dev.plat, &f->s.again, TIMER_OFF);
    if (step == FS_NONE)
        memset(f->s.buf, 0, sizeof(f->s.buf));
}

void fdc_stop(struct fdc *f)
{
    set_step(f, FS_NONE);
    f->ahead_n = 0;
    f->single = false;
}

void fdc_finish(struct fdc *f, uint8_t st0, uint8_t st1, uint8_t st2)
{
    uint8_t *fifo = f->s.fifo;

    fdc_stop(f);
    fifo[0] = st0 | (f->s.seeked ? ST0_SEEK : 0) | (f->s.head ? ST0_HEAD : 0) | f->s.unit;
    fifo[1] = st1 | f->s.st1;
    fifo[2] = st2 | f->s.st2;
    fifo[3] = f->s.c;
    fifo[4] = f->s.h;
    fifo[5] = f->s.r;
    fifo[6] = f->s.n;
    fdc_result(f, 7, true);
}

/* ---- from sector to sector ---- */

/*
 * Goes to the next sector as table 5-5 has it; false: that was the last one of
 * the cylinder, and c, h and r are what the result shows for it.
 */
static bool next_sector(struct fdc *f)
{
    if (f->s.r != f->s.eot) {
        f->s.r++;
        return true;
    }
    f->s.r = 1;
    if (!f->s.multi || (f->s.h & 1)) {
        f->s.c++;
        f->s.h ^= f->s.multi;
        return false;
    }
    f->s.h = 1;
    f->s.head = true;
    return !f->s.tc;
}

static void start_sector(struct fdc *f);
static void host_begin(struct fdc *f, enum fdc_step step);

/* A sector is through. */
static void advance(struct fdc *f)
{
    bool more = next_sector(f);

    if (f->s.job == FJ_VERIFY && f->s.counted && --f->s.left == 0) {
        fdc_finish(f, 0, 0, 0);
    } else if (f->s.tc || f->s.st2) { /* a mark of the other kind ends it too */
        fdc_finish(f, 0, 0, 0);
    } else if (!more && (fdc_is_pio(f) || (f->s.job == FJ_VERIFY && !f->s.counted))) {
        fdc_finish(f, 0, 0, 0); /* nobody gives a terminal count */
    } else if (!more) {
        fdc_finish(f, ST0_ABNORMAL, ST1_END, 0);
    } else {
        start_sector(f);
    }
}

static void format_next(struct fdc *f)
{
    if (f->s.left && --f->s.left && !f->s.tc)
        host_begin(f, FS_IN);
    else
        fdc_finish(f, 0, 0, 0);
}

/* The host has given or taken what it was asked for. */
static void host_done(struct fdc *f)
{
    uint64_t at;

    if (f->s.job == FJ_FORMAT) {
        uint8_t *id = f->s.buf;

        f->s.c = id[0];
        f->s.h = id[1];
        f->s.r = id[2];
        if (id[3] != FDC_SIZE_N || id[0] != f->s.track[f->s.unit & 1] ||
            !fdc_sector(f, f->s.unit, id[0], id[1], id[2], &at)) {
            fdc_finish(f, ST0_ABNORMAL, ST1_NO_DATA, 0); /* a raw image cannot hold it */
            return;
        }
        memset(f->s.buf, f->s.filler, sizeof(f->s.buf));
        set_step(f, FS_WRITE);
    } else if (writes(f)) {
        set_step(f, FS_WRITE);
    } else {
        advance(f);
    }
}

/* Bytes that the host moves now */
static unsigned host_bytes(const struct fdc *f)
{
    return f->s.job == FJ_FORMAT ? ID_BYTES : FDC_SECTOR;
}

/* True: the host has moved all. */
static bool dma_move(struct fdc *f)
{
    enum dma_dir dir = f->s.step == FS_OUT ? DMA_TO_MEMORY : DMA_FROM_MEMORY;
    unsigned want = host_bytes(f) - f->s.pos;
    size_t n;

    n = dma8237_transfer(&f->dev, FDC_CHANNEL, f->s.buf + f->s.pos, want, dir, &f->s.tc);
    if (n && f->s.tc && n < want && f->s.step == FS_IN)
        memset(f->s.buf + f->s.pos + n, 0, want - n); /* zeroes to the end of the sector (5.2.4) */
    f->s.pos += n;
    return f->s.pos == host_bytes(f) || (n && f->s.tc);
}

/* One visit: the DMA channel is asked, or in time given up. */
static void host_dma(struct fdc *f)
{
    if (dma_move(f)) {
        host_done(f);
    } else if (f->s.tries >= DMA_TRIES) {
        fdc_finish(f, ST0_ABNORMAL, ST1_OVERRUN, 0);
    } else {
        f->s.tries++;
        timer_set(f->dev.plat, &f->s.again, platform_now(f->dev.plat) + DMA_PAUSE);
    }
}

static void host_begin(struct fdc *f, enum fdc_step step)
{
    set_step(f, step);
    f->s.irq = fdc_is_pio(f);
    if (!fdc_is_pio(f))
        host_dma(f);
}

void fdc_again(void *arg)
{
    struct fdc *f = arg;

    if ((f->s.step == FS_OUT || f->s.step == FS_IN) && !fdc_is_pio(f))
        host_dma(f);
    f->dev.type->sync(&f->dev);
}

/*
 * A guest that reads byte by byte gets the next sector at once: on a disk that
 * turns it is under the head by then, and such a guest loses what it waits for.
 */
static bool read_ahead(struct fdc *f, uint64_t at)
{
    if (!fdc_is_pio(f) || f->s.job == FJ_VERIFY || at < f->ahead_at ||
        at - f->ahead_at >= f->ahead_n)
        return false;
    memcpy(f->s.buf, f->io + (at - f->ahead_at), sizeof(f->s.buf));
    return true;
}

static void start_sector(struct fdc *f)
{
    uint64_t at;

    if (!fdc_readable(f, f->s.unit)) /* it was taken out, or the rate was changed */
        fdc_finish(f, ST0_ABNORMAL, ST1_NO_MARK, 0);
    else if (!fdc_sector(f, f->s.unit, f->s.c, f->s.h, f->s.r, &at) || f->s.n != FDC_SIZE_N)
        fdc_finish(f, ST0_ABNORMAL, ST1_NO_DATA, 0);
    else if (writes(f))
        host_begin(f, FS_IN);
    else if (read_ahead(f, at))
        host_begin(f, FS_OUT);
    else
        set_step(f, FS_READ);
}

/* Sectors that carry no mark of the wanted kind: all of them are passed over. */
static void skip_all(struct fdc *f)
{
    while (next_sector(f)) {
    }
    fdc_finish(f, ST0_ABNORMAL, ST1_END, ST2_CONTROL);
}

void fdc_start(struct fdc *f)
{
    struct fdc_drive *d = fdc_drive_of(f, f->s.unit);
    uint64_t at;

    f->s.phase = FP_EXEC;
    f->s.seeks = 0;
    f->s.st1 = f->s.st2 = 0;
    f->s.tc = false;
    if (!fdc_readable(f, f->s.unit)) {
        fdc_finish(f, ST0_ABNORMAL, ST1_NO_MARK, 0);
    } else if (writes(f) && d->blk->readonly) {
        fdc_finish(f, ST0_ABNORMAL, ST1_PROTECT, 0);
    } else if (f->s.job == FJ_FORMAT) {
        host_begin(f, FS_IN);
    } else if ((f->s.h & 1) != f->s.head || f->s.h > 1 ||
               !fdc_sector(f, f->s.unit, f->s.c, f->s.h, f->s.r, &at)) {
        fdc_finish(f, ST0_ABNORMAL, ST1_NO_DATA, 0);
    } else {
        f->s.seeked = fdc_seek(f, f->s.unit, f->s.c);
        f->s.pcn[f->s.unit & 3] = f->s.c;
        if (f->s.job == FJ_READ_DELETED && f->s.skip && f->s.n == FDC_SIZE_N &&
            f->s.eot >= f->s.r) {
            skip_all(f);
            return;
        }
        if (f->s.job == FJ_READ_DELETED)
            f->s.st2 = ST2_CONTROL;
        start_sector(f);
    }
}

/* ---- the medium ---- */

static void io_done(struct block_req *req, int err)
{
    struct fdc *f = req->arg;

    if (f->closing)
        return;
    if (f->io_seq == f->s.seq && (f->s.step == FS_READ || f->s.step == FS_WRITE)) {
        if (err && f->s.step == FS_READ && f->req.len > FDC_SECTOR) {
            f->single = true;
            set_step(f, FS_READ);
        } else if (err) {
            fdc_finish(f, ST0_ABNORMAL, ST1_DATA, ST2_DATA);
        } else if (f->s.step == FS_READ) {
            f->ahead_at = f->req.offset;
            f->ahead_n = f->req.len;
            memcpy(f->s.buf, f->io, sizeof(f->s.buf));
            if (f->s.job == FJ_VERIFY)
                advance(f);
            else
                host_begin(f, FS_OUT);
        } else if (f->s.job == FJ_FORMAT) {
            format_next(f);
        } else {
            advance(f);
        }
    }
    f->dev.type->sync(&f->dev);
}

/* Bytes of the next request: for PIO, what is left of the track. */
static uint32_t io_bytes(const struct fdc *f, const struct fdc_drive *d, uint64_t at)
{
    uint64_t rest = d->blk->size - at;
    uint32_t n = d->geo->sectors - f->s.r + 1u;

    if (f->s.multi && !f->s.head && d->geo->heads > 1)
        n += d->geo->sectors; /* the other side */
    if (f->s.step == FS_WRITE || f->single || !fdc_is_pio(f) || n > FDC_AHEAD)
        n = 1;
    return n * FDC_SECTOR <= rest ? n * FDC_SECTOR : FDC_SECTOR;
}

void fdc_resume(struct fdc *f)
{
    struct fdc_drive *d = fdc_drive_of(f, f->s.unit);
    uint64_t at;

    if (f->closing || f->s.step == FS_NONE)
        return;
    if (!d || !d->blk) { /* it was taken out */
        fdc_finish(f, ST0_ABNORMAL, ST1_NO_MARK, 0);
        return;
    }
    if ((f->s.step != FS_READ && f->s.step != FS_WRITE) || f->req.busy)
        return;
    if (!fdc_sector(f, f->s.unit, f->s.c, f->s.h, f->s.r, &at)) {
        fdc_finish(f, ST0_ABNORMAL, ST1_NO_DATA, 0);
        return;
    }
    if (f->s.step == FS_WRITE)
        memcpy(f->io, f->s.buf, FDC_SECTOR);
    f->ahead_n = 0;
    f->io_seq = f->s.seq;
    f->iov = (struct iovec){ f->io, io_bytes(f, d, at) };
    f->req = (struct block_req){ .op = f->s.step == FS_WRITE ? BLOCK_WRITE : BLOCK_READ,
                                 .offset = at,
                                 .len = f->iov.iov_len,
                                 .iov = &f->iov,
                                 .niov = 1,
                                 .done = io_done,
                                 .arg = f };
    block_submit(d->blk, &f->req);
}

/* ---- PIO ---- */

/* The interrupt comes for each FIFO threshold of bytes, and ceases with an access. */
static void pio_moved(struct fdc *f)
{
    unsigned burst = f->s.config & CFG_NO_FIFO ? 1 : (f->s.config & CFG_THRESH) + 1;

    irq_set(&f->irq, false);
    f->s.irq = f->s.pos % burst == 0;
    if (f->s.pos >= host_bytes(f)) {
        f->s.irq = false;
        host_done(f);
    }
}

uint8_t fdc_pio_read(struct fdc *f)
{
    uint8_t val = f->s.pos < sizeof(f->s.buf) ? f->s.buf[f->s.pos] : 0;

    f->s.pos++;
    pio_moved(f);
    return val;
}

void fdc_pio_write(struct fdc *f, uint8_t val)
{
    if (f->s.pos < sizeof(f->s.buf))
        f->s.buf[f->s.pos] = val;
    f->s.pos++;
    pio_moved(f);
}
