/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two DMA streams of a Sound Blaster 16: blocks of samples between guest
 * memory and the sound, at the pace of guest time. Where the DMA controller
 * gives nothing (its channel is masked), the stream waits for it.
 */
#include <string.h>
#include "hw/core/platform.h"
#include "hw/dma8237.h"
#include "hw/sb16-int.h"

#define NO_CHANNEL 0xff

static unsigned channels(const struct sb16 *sb, unsigned n)
{
    return sb->s.mode[n] & SB_STEREO ? 2 : 1;
}

static bool is_packed(const struct sb16 *sb, unsigned n)
{
    return n == SB_8 && sb->s.pack > 1;
}

/* Frames a second; bytes a second of what is packed. A time constant is of samples. */
static uint32_t rate_of(const struct sb16 *sb, unsigned n)
{
    uint32_t rate = sb->s.rate;

    if (sb->s.by_tc)
        rate = 1000000 / (256u - sb->s.tc) / channels(sb, n);
    if (is_packed(sb, n))
        rate /= sb->s.pack;
    return rate > SB_RATE_MAX ? SB_RATE_MAX : rate ? rate : 1;
}

bool sb16_runs(const struct sb16 *sb, unsigned n)
{
    return (sb->s.mode[n] & (SB_ON | SB_PAUSED)) == SB_ON;
}

void sb16_stream_sync(struct sb16 *sb)
{
    for (unsigned n = 0; n < SB_STREAMS; n++) {
        struct sound_format f = { .rate = rate_of(sb, n),
                                  .channels = (uint8_t)channels(sb, n),
                                  .bits = n == SB_16 ? 16 : 8,
                                  .is_signed = sb->s.mode[n] & SB_SIGNED };
        bool heard =
            sb16_runs(sb, n) && !is_packed(sb, n) && !(sb->s.mode[n] & (SB_INPUT | SB_SILENT));
        uint32_t left, right;

        pace_sync(&sb->stream[n].pace);
        sb16_mixer_gain(sb, &left, &right);
        sound_gain(&sb->voice[n], left, right);
        sound_set(&sb->voice[n], heard ? &f : NULL);
    }
}

bool sb16_stream_check(const struct sb16 *sb)
{
    for (unsigned n = 0; n < SB_STREAMS; n++) {
        bool on = sb->s.mode[n] & SB_ON;

        if (!pace_check(&sb->stream[n].pace, sb16_runs(sb, n)) || on != (sb->s.left[n] > 0))
            return false;
    }
    return true;
}

/* Of register 81: bits 0, 1 and 3 for bytes, 5 to 7 for words, which have the bytes' if none. */
static unsigned dma_channel(const struct sb16 *sb, unsigned n)
{
    uint8_t setup = sb->s.dma_setup;

    for (unsigned ch = 5; n == SB_16 && ch < 8; ch++) {
        if (setup >> ch & 1)
            return ch;
    }
    for (unsigned ch = 0; ch < 4; ch++) {
        if (setup >> ch & 1)
            return ch;
    }
    return NO_CHANNEL;
}

/* Moves so many samples (or bytes) at most, and returns how many. */
static uint32_t transfer(struct sb16 *sb, unsigned n, uint32_t count)
{
    bool input = sb->s.mode[n] & SB_INPUT, tc;
    uint8_t data[2 * PACE_FRAMES * sizeof(uint16_t)];
    size_t len = (size_t)count << n, done = 0, moved = 1;
    int quiet = n == SB_8 && !(sb->s.mode[n] & SB_SIGNED) ? 0x80 : 0;

    if (sb->s.mode[n] & SB_SILENT)
        return count;
    memset(data, quiet, sizeof(data));
    if (n == SB_16 && !(sb->s.mode[n] & SB_SIGNED)) {
        for (size_t i = 1; i < sizeof(data); i += 2)
            data[i] = 0x80;
    }
    while (done < len && moved) {
        moved = dma8237_transfer(&sb->dev, dma_channel(sb, n), data + done, len - done,
                                 input ? DMA_TO_MEMORY : DMA_FROM_MEMORY, &tc);
        done += moved;
    }
    if (!input)
        sound_play(&sb->voice[n], data, done);
    return (uint32_t)(done >> n);
}

static void block_done(struct sb16 *sb, unsigned n)
{
    sb->s.pending |= 1u << n;
    if ((sb->s.mode[n] & (SB_AUTO | SB_EXIT)) == SB_AUTO)
        sb->s.left[n] = sb->s.block[n] + 1u;
    else
        sb16_stop(sb, n);
}

/* So many frames have gone by. */
static void run(struct sb16 *sb, unsigned n, uint32_t frames)
{
    uint32_t count = frames * channels(sb, n);

    while (count && sb16_runs(sb, n)) {
        uint32_t want = count < sb->s.left[n] ? count : sb->s.left[n];
        uint32_t moved = transfer(sb, n, want);

        if (!moved)
            break;
        count -= moved;
        sb->s.left[n] -= moved;
        if (!sb->s.left[n])
            block_done(sb, n);
    }
}

static void arm(struct sb16 *sb, unsigned n)
{
    unsigned ch = channels(sb, n);

    if (sb16_runs(sb, n))
        pace_arm(&sb->stream[n].pace, rate_of(sb, n), (sb->s.left[n] + ch - 1) / ch);
}

void sb16_arm_again(struct sb16 *sb)
{
    for (unsigned n = 0; n < SB_STREAMS; n++)
        arm(sb, n);
}

void sb16_catch_up(struct sb16 *sb)
{
    for (unsigned n = 0; n < SB_STREAMS; n++) {
        uint32_t frames = pace_due(&sb->stream[n].pace, rate_of(sb, n));

        if (frames)
            run(sb, n, frames);
    }
}

void sb16_tick(void *arg)
{
    struct sb16_stream *st = arg;
    struct sb16 *sb = st->card;
    unsigned n = (unsigned)(st - sb->stream);

    run(sb, n, pace_fired(&st->pace));
    arm(sb, n);
    sb->dev.type->sync(&sb->dev);
}

void sb16_start(struct sb16 *sb, unsigned n, uint8_t mode, uint32_t count)
{
    sb16_stop(sb, n);
    sb->s.mode[n] = mode | SB_ON;
    sb->s.block[n] = (uint16_t)(count - 1);
    sb->s.left[n] = count;
    arm(sb, n);
}

void sb16_stop(struct sb16 *sb, unsigned n)
{
    sb->s.mode[n] = 0;
    sb->s.left[n] = 0;
    pace_stop(&sb->stream[n].pace);
}

void sb16_pause(struct sb16 *sb, unsigned n, bool pause)
{
    uint8_t mode = sb->s.mode[n];

    if (!(mode & SB_ON) || !(mode & SB_PAUSED) == !pause)
        return;
    sb->s.mode[n] = mode ^ SB_PAUSED;
    if (pause)
        pace_stop(&sb->stream[n].pace);
    else
        arm(sb, n);
}
