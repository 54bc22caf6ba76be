/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Creative Sound Blaster 16 (CT1740: DSP 4.05, CT1745 mixer), an ISA card.
 * Document: Creative, Sound Blaster Series Hardware Programming Guide (1996);
 * command numbers besides from Baresel and Jackson's Sound Blaster Programming
 * Information 0.90. This file has the ports and the lines; sb16-dsp.c the
 * commands, sb16-stream.c DMA, sb16-mixer.c the mixer.
 *
 * Not modelled: FM (OPL3), MPU-401, the game port, ASP, ADPCM's sound, direct
 * output's sound, DMA identification (E2). Config: sound, iobase, irq, dma,
 * dma16, version.
 */
#include <errno.h>
#include <string.h>
#include "hw/core/config.h"
#include "hw/core/platform.h"
#include "hw/core/state.h"
#include "hw/devices.h"
#include "hw/dma8237.h"
#include "hw/sb16-int.h"

/* Ports, from the card's base on; the window is of 4 to f */
#define FIRST    0x4
#define P_INDEX  0x4
#define P_MIXER  0x5
#define P_RESET  0x6
#define P_READ   0xa
#define P_WRITE  0xc /* read: bit 7 is busy */
#define P_STATUS 0xe /* bit 7: something to read; acknowledges the bytes' interrupt */
#define P_ACK16  0xf

#define RESET_BIT 0x01
#define DATA_BIT  0x80

#define S struct sb16
static const struct field sb16_state[] = { ARRAY(S, tick),
                                           ARRAY(S, ahead, .max = PACE_FRAMES),
                                           ARRAY(S, left, .max = 0x10000),
                                           ARRAY(S, block),
                                           FIELD(S, next_block),
                                           FIELD(S, rate, .max = SB_RATE_MAX),
                                           ARRAY(S, mode),
                                           FIELD(S, pack, .max = SB_PACK_MAX),
                                           FIELD(S, tc),
                                           FIELD(S, cmd),
                                           ARRAY(S, args),
                                           FIELD(S, nargs, .max = SB_ARGS),
                                           ARRAY(S, reply),
                                           FIELD(S, replies, .max = SB_REPLIES),
                                           FIELD(S, last),
                                           FIELD(S, pending, .bits = 3),
                                           FIELD(S, test),
                                           FIELD(S, index),
                                           ARRAY(S, mixer),
                                           FIELD(S, irq_setup),
                                           FIELD(S, dma_setup),
                                           FIELD(S, by_tc),
                                           FIELD(S, speaker),
                                           FIELD(S, reset),
                                           FIELD(S, busy),
                                           FIELDS_END };

/* Bit n of register 80, and what -device calls it */
static const uint8_t irq_pin[SB_IRQS] = { 9, 5, 7, 10 };

static struct sb16 *sb_of(struct device *dev)
{
    return container_of(dev, struct sb16, dev);
}

/* The guest asks the DMA controller how far it is. */
static void sb16_look(struct device *dev)
{
    sb16_catch_up(sb_of(dev));
    dev->type->sync(dev);
}

static void sb16_sync(struct device *dev)
{
    struct sb16 *sb = sb_of(dev);

    dma8237_watch(dev, sb16_look);
    for (unsigned i = 0; i < SB_IRQS; i++)
        irq_set(&sb->irq[i], sb->s.pending && (sb->s.irq_setup >> i & 1));
    sb16_stream_sync(sb);
}

/* ---- ports ---- */

static uint8_t read_data(struct sb16 *sb)
{
    if (sb->s.replies) {
        sb->s.last = sb->s.reply[0];
        sb->s.replies--;
        memmove(sb->s.reply, sb->s.reply + 1, sb->s.replies);
        sb->s.reply[sb->s.replies] = 0;
    }
    return sb->s.last;
}

static uint64_t sb16_read(struct device *dev, uint64_t off, unsigned width)
{
    struct sb16 *sb = sb_of(dev);
    uint8_t val = 0xff;

    sb16_catch_up(sb);
    switch (off + FIRST) {
    case P_MIXER:
        val = sb16_mixer_read(sb);
        break;
    case P_READ:
        val = read_data(sb);
        break;
    case P_WRITE:
        val = 0; /* never busy */
        break;
    case P_STATUS:
        sb->s.pending &= ~(1u << SB_8);
        val = sb->s.replies ? DATA_BIT : 0;
        break;
    case P_ACK16:
        sb->s.pending &= ~(1u << SB_16);
        break;
    }
    sb16_sync(dev);
    return val;
}

static void write_reset(struct sb16 *sb, uint8_t val)
{
    bool now = val & RESET_BIT;

    if (sb->s.reset && !now)
        sb16_dsp_reset(sb);
    sb->s.reset = now;
}

static void sb16_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct sb16 *sb = sb_of(dev);

    sb16_catch_up(sb);
    switch (off + FIRST) {
    case P_INDEX:
        sb->s.index = (uint8_t)val;
        break;
    case P_MIXER:
        sb16_mixer_write(sb, (uint8_t)val);
        break;
    case P_RESET:
        write_reset(sb, (uint8_t)val);
        break;
    case P_WRITE:
        sb16_dsp_write(sb, (uint8_t)val);
        break;
    }
    sb16_sync(dev);
}

static const struct io_range sb16_window = { IO_PORT, 0, 0x10 - FIRST, 1, sb16_read, sb16_write };

/* ---- the device ---- */

static void sb16_reset(struct device *dev, enum reset_kind kind)
{
    struct sb16 *sb = sb_of(dev);

    sb16_dsp_reset(sb);
    sb->s.replies = sb->s.reply[0] = 0; /* nobody has asked yet */
    sb16_mixer_reset(sb);
    sb->s.irq_setup = sb->irq_jumper;
    sb->s.dma_setup = sb->dma_jumper;
}

static bool sb16_check(const struct device *dev)
{
    const struct sb16 *sb = container_of(dev, const struct sb16, dev);

    return sb16_stream_check(sb) && sb16_dsp_check(sb) && sb16_mixer_check(sb);
}

static int read_irq(struct sb16 *sb, const struct config *cfg, struct err *err)
{
    uint64_t irq;
    int rc = config_uint(cfg, "irq", 5, 15, &irq, err);

    for (unsigned i = 0; !rc && i < SB_IRQS; i++) {
        if (irq_pin[i] == (irq == 2 ? 9 : irq))
            sb->irq_jumper = (uint8_t)(1u << i);
    }
    if (!rc && !sb->irq_jumper)
        rc = err_set(err, -EINVAL, "%s: irq=%u: use 5, 7, 9 or 10", sb->dev.id, (unsigned)irq);
    return rc;
}

static int read_jumpers(struct sb16 *sb, const struct config *cfg, struct err *err)
{
    uint64_t dma, dma16;
    int rc = config_uint(cfg, "iobase", 0x220, 0xfff0, &sb->base, err);

    rc = rc ? rc : config_uint(cfg, "version", 0x405, 0xffff, &sb->version, err);
    rc = rc ? rc : config_uint(cfg, "dma", 1, 7, &dma, err);
    rc = rc ? rc : config_uint(cfg, "dma16", 5, 7, &dma16, err);
    rc = rc ? rc : read_irq(sb, cfg, err);
    if (rc)
        return rc;
    if (dma > 3 || dma == 2)
        return err_set(err, -EINVAL, "%s: dma=%u: use 0, 1 or 3", sb->dev.id, (unsigned)dma);
    if (dma16 < 5)
        return err_set(err, -EINVAL, "%s: dma16=%u: use 5, 6 or 7", sb->dev.id, (unsigned)dma16);
    sb->dma_jumper = (uint8_t)(1u << dma | 1u << dma16);
    return 0;
}

static int sb16_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct sb16 *sb = sb_of(dev);
    int rc = read_jumpers(sb, cfg, err);

    if (rc)
        return rc;
    if (platform_map(dev->plat, dev, &sb16_window, sb->base + FIRST, sb16_window.size) < 0)
        return err_set(err, -EBUSY, "%s: ports %x to %x are taken; give another iobase", dev->id,
                       (unsigned)sb->base + FIRST, (unsigned)sb->base + 0xf);
    for (unsigned i = 0; i < SB_IRQS; i++)
        irq_isa(dev, &sb->irq[i], irq_pin[i]);
    for (unsigned n = 0; n < SB_STREAMS; n++) {
        sb->stream[n].card = sb;
        pace_init(&sb->stream[n].pace, dev, &sb->s.tick[n], &sb->s.ahead[n], sb16_tick,
                  &sb->stream[n]);
        sound_attach(&sb->voice[n], config_obj(cfg, "sound"));
    }
    return 0;
}

static void sb16_fini(struct device *dev)
{
    struct sb16 *sb = sb_of(dev);

    dma8237_watch(dev, NULL);
    for (unsigned i = 0; i < SB_IRQS; i++)
        irq_set(&sb->irq[i], false);
    for (unsigned n = 0; n < SB_STREAMS; n++) {
        sound_detach(&sb->voice[n]);
        pace_fini(&sb->stream[n].pace);
    }
    platform_unmap(dev->plat, dev, &sb16_window, sb->base + FIRST);
}

const struct device_type sb16_type = {
    .name = "sb16",
    .version = 1,
    DEVICE_LAYOUT(struct sb16),
    .state = sb16_state,
    .init = sb16_init,
    .fini = sb16_fini,
    .reset = sb16_reset,
    .sync = sb16_sync,
    .check = sb16_check,
};
