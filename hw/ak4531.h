/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/ak4531.h: the registers of an AK4531 codec; regs is AK4531_REGS bytes in the card's s. */
#pragma once
#include <stdint.h>

#define AK4531_REGS 32 /* 00-19, and six that are not there and stay 0 */

enum ak4531_input { AK4531_VOICE, AK4531_FM };

void ak4531_reset(uint8_t *regs);
void ak4531_write(uint8_t *regs, unsigned reg, uint8_t val);
/* What an input is multiplied with on its way to the line out, as sound_gain() has it. */
void ak4531_gain(const uint8_t *regs, enum ak4531_input input, uint32_t *left, uint32_t *right);
