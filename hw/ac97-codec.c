/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An AC '97 codec (Audio Codec '97 Component Specification 2.3, section 5.7),
 * that says it is a SigmaTel STAC9700: stereo, one microphone, variable rates.
 * Only the PCM stream has a source and a way out, so its volume is what the
 * registers Master and PCM Out make of it; the other inputs' are remembered.
 */
#include "hw/ac97-codec.h"
#include <string.h>
#include "sound/sound.h"

#define R_RESET    0x00
#define R_MASTER   0x02
#define R_PCM_OUT  0x18
#define R_POWER    0x26
#define R_EXT_ID   0x28
#define R_EXT_CTL  0x2a
#define R_DAC_RATE 0x2c
#define R_ADC_RATE 0x32
#define R_MIC_RATE 0x34
#define R_ID1      0x7c
#define R_ID2      0x7e

#define MUTE      0x8000
#define VOL_BIT5  0x20
#define VOL       0x1f
#define PWR_PR    0x7f00 /* PR0-PR6 */
#define PWR_ADC   0x0100 /* PR0 */
#define PWR_DAC   0x0200 /* PR1 */
#define PWR_MIXER 0x0c00 /* PR2, PR3 */
#define PWR_READY 0x000f
#define EXT_VRA   0x0001
#define EXT_VRM   0x0008
#define RATE_FIX  48000
#define RATE_MIN  4000

static const struct {
    uint8_t off;
    uint16_t init, writable;
} regs_of[] = {
    { 0x02, 0x8000, 0xbf3f }, /* Master; the 6th bits are folded into the others */
    { 0x06, 0x8000, 0x803f }, /* Master Mono */
    { 0x0a, 0x0000, 0x801e }, /* PC Beep */
    { 0x0c, 0x8008, 0x801f }, /* Phone */
    { 0x0e, 0x8008, 0x805f }, /* Mic, with its 20 dB */
    { 0x10, 0x8808, 0x9f1f }, /* Line In */
    { 0x12, 0x8808, 0x9f1f }, /* CD */
    { 0x14, 0x8808, 0x9f1f }, /* Video */
    { 0x16, 0x8808, 0x9f1f }, /* Aux */
    { 0x18, 0x8808, 0x9f1f }, /* PCM Out */
    { 0x1a, 0x0000, 0x0707 }, /* Record Select */
    { 0x1c, 0x8000, 0x8f0f }, /* Record Gain */
    { 0x1e, 0x8000, 0x800f }, /* Record Gain Mic */
    { 0x20, 0x0000, 0x8380 }, /* General Purpose: POP, MIX, MS, LPBK */
    { 0x26, 0x0000, 0xff00 }, /* Powerdown; what is ready is derived from it */
    { 0x28, 0x0809, 0x0000 }, /* Extended ID: revision 2.3, VRA, VRM */
    { 0x2a, 0x0000, 0x0009 }, /* Extended Status: VRA, VRM */
    { 0x2c, 0xbb80, 0xffff }, /* rates */
    { 0x32, 0xbb80, 0xffff }, { 0x34, 0xbb80, 0xffff },
    { 0x7c, 0x8384, 0x0000 }, /* "ST" of SigmaTel, STAC9700 */
    { 0x7e, 0x7600, 0x0000 },
};

#define NREGS (sizeof(regs_of) / sizeof(regs_of[0]))

void ac97_codec_reset(uint16_t *regs)
{
    memset(regs, 0, AC97_REGS * sizeof(*regs));
    for (unsigned i = 0; i < NREGS; i++)
        regs[regs_of[i].off / 2] = regs_of[i].init;
}

/* ADC, DAC, analog mixer and references are ready when they have power (5.7.10). */
static uint16_t power_status(uint16_t val)
{
    uint16_t ready = PWR_READY;

    if (val & PWR_ADC)
        ready &= ~0x1;
    if (val & PWR_DAC)
        ready &= ~0x2;
    if (val & PWR_MIXER)
        ready &= ~0x4;
    if (val & 0x0800)
        ready &= ~0x8;
    return (val & (PWR_PR | MUTE)) | ready;
}

uint16_t ac97_codec_read(const uint16_t *regs, unsigned off)
{
    uint16_t val = regs[off / 2 % AC97_REGS];

    return off == R_POWER ? power_status(val) : val;
}

/* A codec with five bits of attenuation takes a sixth to mean all of them (5.7.2). */
static uint16_t five_bits(uint16_t val)
{
    if (val & VOL_BIT5)
        val |= VOL;
    if (val & VOL_BIT5 << 8)
        val |= VOL << 8;
    return val & ~(VOL_BIT5 | VOL_BIT5 << 8);
}

static uint16_t good_rate(uint16_t rate)
{
    return rate > RATE_FIX ? RATE_FIX : rate < RATE_MIN ? RATE_MIN : rate;
}

/* Rates can be set while they may vary, else they are what AC '97 began with (5.8.2). */
static void settle_rates(uint16_t *regs)
{
    uint16_t ctl = regs[R_EXT_CTL / 2];

    if (!(ctl & EXT_VRA))
        regs[R_DAC_RATE / 2] = regs[R_ADC_RATE / 2] = RATE_FIX;
    if (!(ctl & EXT_VRM))
        regs[R_MIC_RATE / 2] = RATE_FIX;
}

void ac97_codec_write(uint16_t *regs, unsigned off, uint16_t val)
{
    if (off == R_RESET) {
        ac97_codec_reset(regs);
        return;
    }
    for (unsigned i = 0; i < NREGS; i++) {
        if (regs_of[i].off != off || !regs_of[i].writable)
            continue;
        val &= regs_of[i].writable;
        if (off < 0x08)
            val = five_bits(val);
        if (off == R_DAC_RATE || off == R_ADC_RATE || off == R_MIC_RATE)
            val = good_rate(val);
        regs[off / 2] = val;
    }
    settle_rates(regs);
}

bool ac97_codec_check(const uint16_t *regs)
{
    uint16_t again[AC97_REGS];

    ac97_codec_reset(again);
    for (unsigned off = R_EXT_CTL; off < 2 * AC97_REGS; off += 2)
        ac97_codec_write(again, off, regs[off / 2]);
    for (unsigned off = 2; off < R_EXT_CTL; off += 2)
        ac97_codec_write(again, off, regs[off / 2]);
    return !memcmp(again, regs, sizeof(again));
}

uint32_t ac97_codec_rate(const uint16_t *regs, enum ac97_stream stream)
{
    static const uint8_t reg[] = {
        [AC97_PCM_OUT] = R_DAC_RATE, [AC97_PCM_IN] = R_ADC_RATE, [AC97_MIC] = R_MIC_RATE
    };

    return regs[reg[stream] / 2];
}

/* 1.5 dB a step; Master's 0 is 0 dB, PCM Out's 8 (5.7.2, 5.7.6). */
static uint32_t side_gain(uint16_t master, uint16_t pcm)
{
    if ((master | pcm) & MUTE)
        return 0;
    return sound_half_db(3 * (8 - (pcm & VOL) - (master & VOL)));
}

void ac97_codec_gain(const uint16_t *regs, uint32_t *left, uint32_t *right)
{
    uint16_t master = regs[R_MASTER / 2], pcm = regs[R_PCM_OUT / 2];

    if (regs[R_POWER / 2] & (PWR_DAC | PWR_MIXER)) {
        *left = *right = 0;
        return;
    }
    *right = side_gain(master, pcm);
    *left = side_gain((master & MUTE) | (master >> 8 & VOL), (pcm & MUTE) | (pcm >> 8 & VOL));
}
