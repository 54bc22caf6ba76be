/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/ac97-codec.h: the registers of an AC '97 codec; regs is AC97_REGS words in the card's s. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define AC97_REGS 64 /* 00-7e, one word each */

enum ac97_stream { AC97_PCM_OUT, AC97_PCM_IN, AC97_MIC };

void ac97_codec_reset(uint16_t *regs);
/* off: 0-7e, even. */
uint16_t ac97_codec_read(const uint16_t *regs, unsigned off);
void ac97_codec_write(uint16_t *regs, unsigned off, uint16_t val);
/* Can a guest bring them about? */
bool ac97_codec_check(const uint16_t *regs);
/* Frames a second. */
uint32_t ac97_codec_rate(const uint16_t *regs, enum ac97_stream stream);
/* What the PCM stream is multiplied with on its way to LINE_OUT, as sound_gain() has it. */
void ac97_codec_gain(const uint16_t *regs, uint32_t *left, uint32_t *right);
