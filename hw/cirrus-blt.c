/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Cirrus' blitter from the outside: CL-GD5446 Technical Reference Manual,
 * "BitBLT engine", GR20-GR39. An operation keeps the registers as they were
 * when it began. It works in steps of a bounded number of bytes: one at its
 * start, the next from a timer or when the guest asks whether it is done. A
 * second operation may be written meanwhile and waits, as in the chip; a third
 * that does not look at the status first is lost, which is where the chip
 * would have held up the bus.
 *
 * Source from the processor: whatever it writes into video memory is data.
 */
#include "hw/cirrus.h"

#define STEP_BYTES    (128u << 10)
#define BLT_PIXELWISE (BLT_TRANSPARENT | BLT_PATTERN | BLT_EXPAND)
#define STEP_NS       (5 * NS_PER_US)
#define LINGER_NS     (20 * NS_PER_MS)

static uint16_t gr16(const struct cirrus *c, unsigned i)
{
    return (uint16_t)(c->s.gr[i] | c->s.gr[i + 1] << 8);
}

static uint32_t gr24(const struct cirrus *c, unsigned i)
{
    return gr16(c, i) | (uint32_t)c->s.gr[i + 2] << 16;
}

static uint32_t colour(const struct cirrus *c, unsigned low, unsigned rest)
{
    return c->s.gr[low] | (uint32_t)c->s.gr[rest] << 8 | (uint32_t)c->s.gr[rest + 2] << 16 |
           (uint32_t)c->s.gr[rest + 4] << 24;
}

static struct cirrus_blt latch(const struct cirrus *c)
{
    return (struct cirrus_blt){
        .dst = gr24(c, 0x28) & CIRRUS_MASK,
        .src = gr24(c, 0x2c) & CIRRUS_MASK,
        .bg = colour(c, 0, GR_BG1),
        .fg = colour(c, 1, GR_FG1),
        .width = gr16(c, 0x20) + 1,
        .height = gr16(c, 0x22) + 1,
        .dst_pitch = gr16(c, 0x24),
        .src_pitch = gr16(c, 0x26),
        .key = gr16(c, 0x34),
        .key_mask = gr16(c, 0x38),
        .mode = c->s.gr[GR_BLT_MODE],
        .ext = c->s.gr[GR_BLT_EXT],
        .rop = c->s.gr[0x32],
        .skip = c->s.gr[0x2f],
    };
}

static void begin(struct cirrus *c, const struct cirrus_blt *b)
{
    c->s.blt = *b;
    c->s.fed = 0;
    c->s.row = b->src & 7;
    if (b->mode & BLT_TO_SYSTEM)
        c->s.phase = BLT_DRAIN;
    else if (b->mode & BLT_FROM_SYSTEM)
        c->s.phase = BLT_FEED;
    else
        c->s.phase = BLT_RUN;
}

static void done(struct cirrus *c)
{
    bool queued = c->s.queued;

    c->s.phase = BLT_IDLE;
    c->s.queued = false;
    memset(&c->s.blt, 0, sizeof(c->s.blt));
    c->s.fed = 0;
    if (queued)
        begin(c, &c->s.next);
    memset(&c->s.next, 0, sizeof(c->s.next));
}

/* A line is done: both addresses go on, and bits from memory lie one line behind the other. */
static void next_line(struct cirrus *c)
{
    struct cirrus_blt *b = &c->s.blt;
    uint32_t down = b->dst_pitch, source = b->src_pitch;

    if (b->mode & BLT_EXPAND)
        source = cirrus_blt_source(b);
    if (b->mode & BLT_PATTERN)
        source = 0;
    if (b->mode & BLT_BACKWARD && !(b->mode & (BLT_PATTERN | BLT_EXPAND))) {
        down = -down;
        source = -source;
    }
    b->dst = (b->dst + down) & CIRRUS_MASK;
    b->src = (b->src + source) & CIRRUS_MASK;
    c->s.row = (c->s.row + 1) & 7;
    if (!--b->height)
        done(c);
}

static void run(struct cirrus *c)
{
    uint32_t bytes = 0;

    while (c->s.phase == BLT_RUN && bytes < STEP_BYTES) {
        /* A line costs something by itself, and bits and keys are looked at one by one. */
        bytes += 64u + c->s.blt.width * (c->s.blt.mode & BLT_PIXELWISE ? 4u : 1u);
        cirrus_blt_line(c);
        next_line(c);
    }
    timer_set(c->v.pci.dev.plat, &c->s.step,
              c->s.phase == BLT_RUN ? platform_now(c->v.pci.dev.plat) + STEP_NS : TIMER_OFF);
}

void cirrus_blt_step(void *arg)
{
    struct cirrus *c = arg;

    run(c);
    c->v.pci.dev.type->sync(&c->v.pci.dev);
}

void cirrus_blt_start(struct cirrus *c)
{
    struct cirrus_blt b = latch(c);

    if (c->s.phase != BLT_IDLE) {
        if (c->s.queued)
            guest_err(&c->v.pci.dev, "a third blit while one runs and one waits: lost");
        else
            c->s.next = b;
        c->s.queued = true;
        return;
    }
    begin(c, &b);
    if (c->s.phase == BLT_RUN)
        run(c);
}

void cirrus_blt_stop(struct cirrus *c)
{
    c->s.queued = false;
    done(c);
    timer_set(c->v.pci.dev.plat, &c->s.step, TIMER_OFF);
}

uint8_t cirrus_blt_status(struct cirrus *c)
{
    uint8_t val = c->s.gr[GR_BLT_START] & START_AUTO;

    if (c->s.phase == BLT_RUN) {
        run(c);
        c->v.pci.dev.type->sync(&c->v.pci.dev);
    }
    if (c->s.phase != BLT_IDLE)
        val |= START_BUSY | START_GO | START_MOVES;
    if (c->s.queued)
        val |= START_FULL;
    return val;
}

/* ---- data from and for the processor ---- */

static void linger(struct cirrus *c)
{
    struct platform *p = c->v.pci.dev.plat;

    timer_set(p, &c->s.linger, platform_now(p) + LINGER_NS);
}

static void fed_enough(struct cirrus *c)
{
    c->s.fed = 0;
    linger(c);
    if (c->s.blt.mode & BLT_PATTERN) { /* it is all here: the rest is as from memory */
        c->s.phase = BLT_RUN;
        run(c);
        return;
    }
    cirrus_blt_line(c);
    next_line(c);
    if (c->s.phase == BLT_RUN)
        run(c); /* the one that waited */
}

void cirrus_blt_feed(struct cirrus *c, uint64_t val, unsigned width)
{
    for (unsigned i = 0; i < width && c->s.phase == BLT_FEED; i++) {
        c->s.feed[c->s.fed++] = val >> (8 * i);
        if (c->s.fed >= cirrus_blt_source(&c->s.blt))
            fed_enough(c);
    }
}

/* Plain lines of memory, each filled up to doublewords. */
uint64_t cirrus_blt_drain(struct cirrus *c, unsigned width)
{
    uint64_t val = 0;

    for (unsigned i = 0; i < width && c->s.phase == BLT_DRAIN; i++) {
        const struct cirrus_blt *b = &c->s.blt;
        uint32_t at = b->mode & BLT_BACKWARD ? b->src - c->s.fed : b->src + c->s.fed;

        if (c->s.fed < b->width)
            val |= (uint64_t)c->v.vram[at & CIRRUS_MASK] << (8 * i);
        if (++c->s.fed < ((b->width + 3u) & ~3u))
            continue;
        c->s.fed = 0;
        linger(c);
        next_line(c);
    }
    if (c->s.phase == BLT_RUN)
        run(c);
    return val;
}

static bool blt_ok(const struct cirrus_blt *b)
{
    return b->width && b->width <= CIRRUS_BLT_WIDTH && b->height && b->height <= 2048 &&
           b->dst <= CIRRUS_MASK && b->src <= CIRRUS_MASK;
}

static bool blt_none(const struct cirrus_blt *b)
{
    const struct cirrus_blt none = { 0 };

    return !memcmp(b, &none, sizeof(none));
}

bool cirrus_blt_valid(const struct cirrus *c)
{
    const struct cirrus_blt *b = &c->s.blt;
    bool in = b->mode & BLT_FROM_SYSTEM && !(b->mode & BLT_TO_SYSTEM);

    if (c->s.queued ? !blt_ok(&c->s.next) : !blt_none(&c->s.next))
        return false;
    switch (c->s.phase) {
    case BLT_IDLE:
        return blt_none(b) && !c->s.fed && !c->s.queued;
    case BLT_RUN:
        return blt_ok(b) && !c->s.fed && !(b->mode & BLT_TO_SYSTEM) &&
               (!in || b->mode & BLT_PATTERN) && c->s.step.at != TIMER_OFF;
    case BLT_FEED:
        return blt_ok(b) && in && c->s.fed < cirrus_blt_source(b);
    default:
        return blt_ok(b) && b->mode & BLT_TO_SYSTEM && c->s.fed < ((b->width + 3u) & ~3u);
    }
}
