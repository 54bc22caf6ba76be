/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of a Sound Blaster 16's DSP, version 4.05 (Creative, Sound
 * Blaster Series Hardware Programming Guide, chapter 6; what is in no guide is
 * in Baresel and Jackson's Sound Blaster Programming Information 0.90).
 *
 * ADPCM is played as silence of its length. There is no MIDI, no signal
 * processor (ASP) and nothing to record.
 */
#include <string.h>
#include "hw/sb16-int.h"

#define READY      0xaa
#define QUIET      0x80
#define USUAL_RATE 11025
#define RATE_MIN   4000

/* Of a command Bx or Cx, and of the mode that follows it */
#define X_INPUT  0x08
#define X_AUTO   0x04
#define X_STEREO 0x20
#define X_SIGNED 0x10

static const char copyright[] = "COPYRIGHT (C) CREATIVE TECHNOLOGY LTD, 1992.";

static void reply(struct sb16 *sb, uint8_t val)
{
    if (sb->s.replies < SB_REPLIES)
        sb->s.reply[sb->s.replies++] = val;
}

static uint16_t low_high(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static void taken(struct sb16 *sb)
{
}

/* ---- streams ---- */

/* 14-1f, 24-2c, 74-7f, 90-99: bytes by single or repeated DMA, packed ones among them. */
static void bytes_dma(struct sb16 *sb)
{
    static const struct {
        uint8_t cmd, mode, pack;
    } how[] = {
        { 0x14, 0, 1 },
        { 0x15, 0, 1 },
        { 0x16, 0, 4 }, /* ADPCM of 2 bits */
        { 0x17, 0, 4 },
        { 0x1c, SB_AUTO, 1 },
        { 0x1f, SB_AUTO, 4 },
        { 0x24, SB_INPUT, 1 },
        { 0x2c, SB_INPUT | SB_AUTO, 1 },
        { 0x74, 0, 2 }, /* of 4 bits */
        { 0x75, 0, 2 },
        { 0x76, 0, 3 }, /* of 2.6 bits */
        { 0x77, 0, 3 },
        { 0x7d, SB_AUTO, 2 },
        { 0x7f, SB_AUTO, 3 },
        { 0x90, SB_AUTO, 1 }, /* "high speed", which is no other here */
        { 0x91, 0, 1 },
        { 0x98, SB_INPUT | SB_AUTO, 1 },
        { 0x99, SB_INPUT, 1 },
    };
    bool given = sb->s.nargs == 2; /* the length; else it is command 48's */
    uint16_t len = given ? low_high(sb->s.args) : sb->s.next_block;

    for (unsigned i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
        if (how[i].cmd != sb->s.cmd)
            continue;
        sb->s.pack = how[i].pack;
        sb16_start(sb, SB_8, how[i].mode, len + 1u);
    }
}

/* Bx (words) and Cx (bytes): mode, length */
static void any_dma(struct sb16 *sb)
{
    unsigned n = sb->s.cmd < 0xc0 ? SB_16 : SB_8;
    uint8_t mode = 0;

    mode |= sb->s.cmd & X_INPUT ? SB_INPUT : 0;
    mode |= sb->s.cmd & X_AUTO ? SB_AUTO : 0;
    mode |= sb->s.args[0] & X_STEREO ? SB_STEREO : 0;
    mode |= sb->s.args[0] & X_SIGNED ? SB_SIGNED : 0;
    if (n == SB_8)
        sb->s.pack = 1;
    sb16_start(sb, n, mode, low_high(sb->s.args + 1) + 1u);
}

static void silence(struct sb16 *sb)
{
    sb->s.pack = 1;
    sb16_start(sb, SB_8, SB_SILENT, low_high(sb->s.args) + 1u);
}

/* D0, D4, D5, D6: halt and go on, of bytes and of words */
static void halt_or_go(struct sb16 *sb)
{
    unsigned n = sb->s.cmd == 0xd5 || sb->s.cmd == 0xd6 ? SB_16 : SB_8;

    sb16_pause(sb, n, sb->s.cmd == 0xd0 || sb->s.cmd == 0xd5);
}

/* D9, DA: this block is the last; 45, 47: it is not */
static void exit_or_repeat(struct sb16 *sb)
{
    unsigned n = sb->s.cmd == 0xd9 || sb->s.cmd == 0x47 ? SB_16 : SB_8;

    if (!(sb->s.mode[n] & SB_ON))
        return;
    if (sb->s.cmd >= 0xd9)
        sb->s.mode[n] |= SB_EXIT;
    else
        sb->s.mode[n] = (sb->s.mode[n] & ~SB_EXIT) | SB_AUTO;
}

/* ---- rates and lengths ---- */

static void time_constant(struct sb16 *sb)
{
    sb->s.tc = sb->s.args[0];
    sb->s.by_tc = true;
    sb16_arm_again(sb);
}

/* High byte first, unlike all else. */
static void sample_rate(struct sb16 *sb)
{
    uint16_t rate = (uint16_t)(sb->s.args[0] << 8 | sb->s.args[1]);

    sb->s.rate = rate < RATE_MIN ? RATE_MIN : rate > SB_RATE_MAX ? SB_RATE_MAX : rate;
    sb->s.by_tc = false;
    sb16_arm_again(sb);
}

static void block_size(struct sb16 *sb)
{
    sb->s.next_block = low_high(sb->s.args);
}

/* ---- the rest ---- */

static void direct_input(struct sb16 *sb)
{
    reply(sb, QUIET);
}

static void speaker(struct sb16 *sb)
{
    sb->s.speaker = sb->s.cmd == 0xd1;
}

static void speaker_status(struct sb16 *sb)
{
    reply(sb, sb->s.speaker ? 0xff : 0);
}

static void identify(struct sb16 *sb)
{
    reply(sb, (uint8_t)~sb->s.args[0]);
}

static void version(struct sb16 *sb)
{
    reply(sb, (uint8_t)(sb->version >> 8));
    reply(sb, (uint8_t)sb->version);
}

static void rights(struct sb16 *sb)
{
    for (unsigned i = 0; i < sizeof(copyright); i++)
        reply(sb, (uint8_t)copyright[i]);
}

static void test_register(struct sb16 *sb)
{
    if (sb->s.cmd == 0xe4)
        sb->s.test = sb->s.args[0];
    else
        reply(sb, sb->s.test);
}

static void trigger(struct sb16 *sb)
{
    sb->s.pending |= sb->s.cmd == 0xf2 ? 1u << SB_8 : 1u << SB_16;
}

static void no_asp(struct sb16 *sb)
{
    reply(sb, 0xff);
}

static void answer_zero(struct sb16 *sb)
{
    reply(sb, 0);
}

static const struct dsp_cmd {
    uint8_t first, last, args;
    void (*run)(struct sb16 *sb);
} commands[] = {
    { 0x03, 0x03, 0, no_asp },
    { 0x04, 0x04, 1, taken }, /* the ASP's: modes, parameters, registers */
    { 0x05, 0x05, 2, taken },
    { 0x08, 0x08, 1, no_asp },
    { 0x0e, 0x0e, 2, taken },
    { 0x0f, 0x0f, 1, no_asp },
    { 0x10, 0x11, 1, taken }, /* direct output */
    { 0x14, 0x17, 2, bytes_dma },
    { 0x1c, 0x1c, 0, bytes_dma },
    { 0x1f, 0x1f, 0, bytes_dma },
    { 0x20, 0x20, 0, direct_input },
    { 0x24, 0x24, 2, bytes_dma },
    { 0x2c, 0x2c, 0, bytes_dma },
    { 0x30, 0x37, 0, taken }, /* MIDI: nothing comes in … */
    { 0x38, 0x38, 1, taken }, /* … and nothing goes out */
    { 0x40, 0x40, 1, time_constant },
    { 0x41, 0x42, 2, sample_rate },
    { 0x45, 0x45, 0, exit_or_repeat },
    { 0x47, 0x47, 0, exit_or_repeat },
    { 0x48, 0x48, 2, block_size },
    { 0x74, 0x77, 2, bytes_dma },
    { 0x7d, 0x7d, 0, bytes_dma },
    { 0x7f, 0x7f, 0, bytes_dma },
    { 0x80, 0x80, 2, silence },
    { 0x90, 0x91, 0, bytes_dma },
    { 0x98, 0x99, 0, bytes_dma },
    { 0xa0, 0xa0, 0, taken }, /* the Pro's input: mono, stereo */
    { 0xa8, 0xa8, 0, taken },
    { 0xb0, 0xcf, 3, any_dma },
    { 0xd0, 0xd0, 0, halt_or_go },
    { 0xd1, 0xd1, 0, speaker },
    { 0xd3, 0xd3, 0, speaker },
    { 0xd4, 0xd6, 0, halt_or_go },
    { 0xd8, 0xd8, 0, speaker_status },
    { 0xd9, 0xda, 0, exit_or_repeat },
    { 0xe0, 0xe0, 1, identify },
    { 0xe1, 0xe1, 0, version },
    { 0xe2, 0xe2, 1, taken }, /* an answer by DMA that nobody wrote down */
    { 0xe3, 0xe3, 0, rights },
    { 0xe4, 0xe4, 1, test_register },
    { 0xe8, 0xe8, 0, test_register },
    { 0xf2, 0xf3, 0, trigger },
    { 0xf8, 0xf8, 0, answer_zero },
    { 0xf9, 0xf9, 1, answer_zero }, /* a byte of the DSP's memory */
    { 0xfa, 0xfa, 1, taken },       /* … which is written */
    { 0xfc, 0xfc, 0, answer_zero },
};

static const struct dsp_cmd *find(uint8_t cmd)
{
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (cmd >= commands[i].first && cmd <= commands[i].last)
            return &commands[i];
    }
    return NULL;
}

void sb16_dsp_write(struct sb16 *sb, uint8_t val)
{
    const struct dsp_cmd *c;

    if (sb->s.busy) {
        c = find(sb->s.cmd);
        sb->s.args[sb->s.nargs++ % SB_ARGS] = val;
    } else {
        c = find(val);
        sb->s.cmd = val;
        sb->s.nargs = 0;
    }
    if (!c) {
        guest_err(&sb->dev, "DSP command %02x", val);
        return;
    }
    sb->s.busy = sb->s.nargs < c->args;
    if (!sb->s.busy)
        c->run(sb);
}

bool sb16_dsp_check(const struct sb16 *sb)
{
    const struct dsp_cmd *c = find(sb->s.cmd);

    return !sb->s.busy || (c && sb->s.nargs < c->args);
}

/* What it was told before, as rates, goes; the test register stays. */
void sb16_dsp_reset(struct sb16 *sb)
{
    for (unsigned n = 0; n < SB_STREAMS; n++)
        sb16_stop(sb, n);
    sb->s.rate = USUAL_RATE;
    sb->s.by_tc = sb->s.speaker = sb->s.busy = false;
    sb->s.next_block = 0;
    sb->s.nargs = sb->s.pending = sb->s.replies = 0;
    reply(sb, READY);
}
