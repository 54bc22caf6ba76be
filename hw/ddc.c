/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor behind a card's two DDC wires: VESA Display Data Channel
 * standard 3.0, DDC2B, which is an I²C memory (UM10204) at address 50 with 128
 * bytes. A word address written to it is where the next read begins; reads go
 * on and wrap. Not modelled: DDC1, E-DDC segments, DDC/CI.
 */
#include "hw/ddc.h"

#define ADDRESS   0xa0 /* bits 7-1; bit 0 says read */
#define EDID_MASK 127

enum { IDLE, ADDR, ACK, WRITE, READ, MASTER_ACK, GONE };

static void next_byte(struct ddc *d, const uint8_t *edid)
{
    d->shift = edid[d->offset & EDID_MASK];
    d->offset = (d->offset + 1) & EDID_MASK;
    d->bit = 0;
    d->low = !(d->shift & 0x80);
    d->phase = READ;
}

/* The clock rose: whoever listens takes the bit. */
static void clock_up(struct ddc *d)
{
    switch (d->phase) {
    case ADDR:
    case WRITE:
        d->shift = d->shift << 1 | d->sda;
        d->bit++;
        break;
    case READ:
        d->bit++;
        break;
    case MASTER_ACK:
        d->read = !d->sda;
        break;
    default:
        break;
    }
}

static void byte_came(struct ddc *d)
{
    if (d->phase == WRITE) {
        d->offset = d->shift & EDID_MASK;
        d->read = false;
    } else if ((d->shift & 0xfe) == ADDRESS) {
        d->read = d->shift & 1;
    } else {
        d->phase = GONE; /* somebody else is meant: wait for the next start */
        return;
    }
    d->low = true;
    d->phase = ACK;
}

/* The clock fell: the data wire may change. */
static void clock_down(struct ddc *d, const uint8_t *edid)
{
    switch (d->phase) {
    case ADDR:
    case WRITE:
        if (d->bit == 8)
            byte_came(d);
        break;
    case ACK:
        d->low = false;
        d->bit = d->shift = 0;
        d->phase = WRITE;
        if (d->read)
            next_byte(d, edid);
        break;
    case READ:
        d->low = d->bit < 8 && !(d->shift << d->bit & 0x80);
        if (d->bit == 8)
            d->phase = MASTER_ACK;
        break;
    case MASTER_ACK:
        if (d->read)
            next_byte(d, edid);
        else
            d->phase = GONE;
        break;
    default:
        break;
    }
}

void ddc_wires(struct ddc *d, bool scl, bool sda, const uint8_t *edid)
{
    bool rose = scl && !d->scl, fell = !scl && d->scl, start, stop;

    start = scl && d->scl && d->sda && !sda;
    stop = scl && d->scl && !d->sda && sda;
    d->scl = scl;
    d->sda = sda;
    if (start || stop) {
        d->phase = start ? ADDR : IDLE;
        d->bit = d->shift = 0;
        d->low = false;
    } else if (rose) {
        clock_up(d);
    } else if (fell) {
        clock_down(d, edid);
    }
}
