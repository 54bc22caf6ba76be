/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/edid.h: the monitor's description of itself, VESA E-EDID 1.4, base block. */
#pragma once
#include <stdint.h>

#define EDID_MAX_PIXELS 4095 /* what a detailed timing can say */

/* Writes the 128 bytes for a monitor that likes xres x yres (1..EDID_MAX_PIXELS) best. */
void edid_make(uint8_t out[128], unsigned xres, unsigned yres);
