/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mixer of the Sound Blaster 16, a CT1745 (Creative, Sound Blaster Series
 * Hardware Programming Guide, chapter 4). Master, Voice and the output gain
 * make the streams' volume. The Pro's registers are the upper halves of its
 * own. The other inputs, tone and gain control are remembered.
 */
#include <string.h>
#include "hw/sb16-int.h"

#define R_RESET     0x00
#define R_MIC       0x0a
#define R_MASTER    0x30
#define R_VOICE     0x32
#define R_OUT_GAIN  0x41
#define R_IRQ_SETUP 0x80
#define R_DMA_SETUP 0x81
#define R_PENDING   0x82

#define IRQ_SETUP_BITS 0x0f
#define DMA_SETUP_BITS 0xeb
#define NO_REGISTER    0xff
#define HALF_UP        0x08 /* what the Pro's four bits leave of five */
#define FULL           24   /* the volume after power-on, which is taken for 0 dB */

static const struct {
    uint8_t first, last, init, bits;
} regs_of[] = {
    { 0x30, 0x35, 0xc0, 0xf8 }, /* Master, Voice, MIDI; left and right */
    { 0x36, 0x3a, 0x00, 0xf8 }, /* CD, Line; microphone */
    { 0x3b, 0x3b, 0x00, 0xc0 }, /* the PC's speaker */
    { 0x3c, 0x3c, 0x1f, 0x1f }, /* switches to the output */
    { 0x3d, 0x3d, 0x15, 0x7f }, /* … and to the input: left */
    { 0x3e, 0x3e, 0x0b, 0x7f }, /* … right */
    { 0x3f, 0x42, 0x00, 0xc0 }, /* gains of input and output */
    { 0x43, 0x43, 0x00, 0x01 }, /* automatic gain control */
    { 0x44, 0x47, 0x80, 0xf0 }, /* treble, bass */
};

/* The Pro's registers, left in the upper half, and the left one of the two they are */
static const uint8_t pro[][2] = {
    { 0x04, 0x32 }, { 0x22, 0x30 }, { 0x26, 0x34 }, { 0x28, 0x36 }, { 0x2e, 0x38 }
};

#define NREGS (sizeof(regs_of) / sizeof(regs_of[0]))
#define NPRO  (sizeof(pro) / sizeof(pro[0]))

static uint8_t bits_of(unsigned reg)
{
    for (unsigned i = 0; i < NREGS; i++) {
        if (reg >= regs_of[i].first && reg <= regs_of[i].last)
            return regs_of[i].bits;
    }
    return 0;
}

/* Its own register behind one of the Pro's; 0: none. */
static unsigned behind(unsigned reg)
{
    for (unsigned i = 0; i < NPRO; i++) {
        if (pro[i][0] == reg)
            return pro[i][1];
    }
    return 0;
}

/* Jumpers, of which software has the say here, stay. */
void sb16_mixer_reset(struct sb16 *sb)
{
    for (unsigned i = 0; i < NREGS; i++) {
        for (unsigned r = regs_of[i].first; r <= regs_of[i].last; r++)
            sb->s.mixer[r] = regs_of[i].init;
    }
}

uint8_t sb16_mixer_read(const struct sb16 *sb)
{
    const uint8_t *m = sb->s.mixer;
    unsigned reg = sb->s.index, own = behind(reg);

    if (own)
        return (m[own] & 0xf0) | m[own + 1] >> 4;
    switch (reg) {
    case R_MIC:
        return m[0x3a] >> 5;
    case R_IRQ_SETUP:
        return sb->s.irq_setup;
    case R_DMA_SETUP:
        return sb->s.dma_setup;
    case R_PENDING:
        return sb->s.pending;
    default:
        return bits_of(reg) ? m[reg] : NO_REGISTER;
    }
}

void sb16_mixer_write(struct sb16 *sb, uint8_t val)
{
    uint8_t *m = sb->s.mixer;
    unsigned reg = sb->s.index, own = behind(reg);

    if (own) {
        m[own] = (val & 0xf0) | HALF_UP;
        m[own + 1] = (uint8_t)(val << 4) | HALF_UP;
        return;
    }
    switch (reg) {
    case R_RESET:
        sb16_mixer_reset(sb);
        break;
    case R_MIC:
        m[0x3a] = (uint8_t)(val << 5) | 0x18;
        break;
    case R_IRQ_SETUP:
        sb->s.irq_setup = val & IRQ_SETUP_BITS;
        break;
    case R_DMA_SETUP:
        sb->s.dma_setup = val & DMA_SETUP_BITS;
        break;
    default:
        if (bits_of(reg))
            m[reg] = val & bits_of(reg);
    }
}

bool sb16_mixer_check(const struct sb16 *sb)
{
    for (unsigned r = 0; r < SB_MIXER; r++) {
        if (sb->s.mixer[r] & ~bits_of(r))
            return false;
    }
    return !(sb->s.irq_setup & ~IRQ_SETUP_BITS) && !(sb->s.dma_setup & ~DMA_SETUP_BITS);
}

/* Halves of a decibel below full; the steps are of 2 dB. */
static int below_full(uint8_t reg)
{
    int level = reg >> 3;

    return level < FULL ? 4 * (level - FULL) : 0;
}

static uint32_t side_gain(const uint8_t *m, unsigned right)
{
    uint8_t master = m[R_MASTER + right], voice = m[R_VOICE + right];

    if (!master || !voice)
        return 0;
    return sound_half_db(below_full(master) + below_full(voice) +
                         12 * (m[R_OUT_GAIN + right] >> 6));
}

void sb16_mixer_gain(const struct sb16 *sb, uint32_t *left, uint32_t *right)
{
    *left = side_gain(sb->s.mixer, 0);
    *right = side_gain(sb->s.mixer, 1);
}
