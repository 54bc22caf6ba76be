/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asahi Kasei AK4531, the codec of the AudioPCI: a mixer that can be written
 * and not read. Source: what the drivers of Linux (ak4531_codec) and NetBSD (eap)
 * say of AKM's data sheet: registers, volumes, switches. Of the inputs only Voice and FM
 * have a source here; the other registers are remembered.
 */
#include "hw/ak4531.h"
#include <string.h>
#include "sound/sound.h"

#define R_MASTER 0x00 /* and 01: right, as of the others */
#define R_VOICE  0x02
#define R_FM     0x04
#define R_MONO   0x0f
#define R_OUT1   0x10
#define R_OUT2   0x11
#define R_RESET  0x16
#define R_LAST   0x19

#define MUTE      0x80
#define ATT       0x1f /* 2 dB a step; an input's 6 is 0 dB */
#define RESET_RST 0x01 /* 0: held in reset */
#define RESET_PD  0x02 /* 0: powered down */

void ak4531_reset(uint8_t *regs)
{
    memset(regs, 0, AK4531_REGS);
    regs[R_MASTER] = regs[R_MASTER + 1] = MUTE;
    memset(&regs[R_VOICE], MUTE | 6, R_MONO - R_VOICE);
    regs[R_MONO] = MUTE;
    regs[R_RESET] = RESET_RST | RESET_PD;
}

void ak4531_write(uint8_t *regs, unsigned reg, uint8_t val)
{
    if (reg > R_LAST)
        return;
    if (reg == R_RESET && !(val & RESET_RST))
        ak4531_reset(regs);
    regs[reg] = val;
}

static uint32_t side_gain(uint8_t master, uint8_t input)
{
    if ((master | input) & MUTE)
        return 0;
    return sound_half_db(4 * (6 - (input & ATT) - (master & ATT)));
}

void ak4531_gain(const uint8_t *regs, enum ak4531_input input, uint32_t *left, uint32_t *right)
{
    unsigned vol = input == AK4531_VOICE ? R_VOICE : R_FM;
    uint8_t sw = input == AK4531_VOICE ? regs[R_OUT2] >> 2 : regs[R_OUT1] >> 5; /* right, left */
    bool on = (regs[R_RESET] & (RESET_RST | RESET_PD)) == (RESET_RST | RESET_PD);

    *left = on && (sw & 2) ? side_gain(regs[R_MASTER], regs[vol]) : 0;
    *right = on && (sw & 1) ? side_gain(regs[R_MASTER + 1], regs[vol + 1]) : 0;
}
