/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/ddc.h: the monitor's end of the DDC wires, VESA DDC/CI 2B: an I²C memory with the EDID. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define DDC_PHASES 7

struct ddc { /* guest-visible state, all bytes; zeroed is an idle bus with both wires low */
    uint8_t phase, bit, shift, offset;
    bool scl, sda; /* as the card drives them */
    bool low;      /* the monitor pulls the data wire down */
    bool read;     /* the monitor sends, or (in the bit after a byte) has been told to go on */
};

/* The card's two open-collector outputs changed; edid: 128 bytes. */
void ddc_wires(struct ddc *d, bool scl, bool sda, const uint8_t *edid);
static inline bool ddc_sda(const struct ddc *d)
{
    return d->sda && !d->low;
}
