/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A monitor's EDID: VESA Enhanced EDID Standard, release A revision 2 (EDID
 * 1.4), section 3. One base block: a digital display with the preferred mode
 * as its first detailed timing, the usual established and standard timings, a
 * range and a name. No extension blocks.
 */
#include "hw/edid.h"
#include <string.h>

#define REFRESH_HZ  60
#define MAX_CLOCK   65535 /* of a detailed timing, in 10 kHz */
#define DESCRIPTORS 54
#define STANDARDS   38
#define STANDARD_N  8

/* Standard timings (§3.9): all at 60 Hz. aspect: 0 16:10, 1 4:3, 2 5:4, 3 16:9. */
static const struct {
    uint16_t x;
    uint8_t aspect;
} standard[STANDARD_N] = {
    { 1920, 3 }, { 1920, 0 }, { 1680, 0 }, { 1600, 1 },
    { 1440, 0 }, { 1280, 0 }, { 1280, 2 }, { 1280, 3 },
};

static void put_identity(uint8_t *e)
{
    static const uint8_t head[] = {
        0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, /* §3.3 */
        0x41, 0xf4,                                     /* "POT", five bits a letter */
        0x01, 0x00, 0x00, 0x00, 0x00, 0x00,             /* product 1, no serial number */
        0x00, 0x24,                                     /* made in 2026 */
        0x01, 0x04,                                     /* EDID 1.4 */
        0xa5,                                           /* digital, 8 bits a colour */
    };
    /* sRGB's primaries and white point (§3.7). */
    static const uint8_t colours[] = { 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54 };
    /* 640x480, 800x600, 1024x768, all at 60 Hz (§3.8). */
    static const uint8_t established[] = { 0x21, 0x08, 0x00 };

    memcpy(e, head, sizeof(head));
    e[23] = 120;  /* gamma 2.2 */
    e[24] = 0x06; /* sRGB; the first detailed timing is the native one */
    memcpy(e + 25, colours, sizeof(colours));
    memcpy(e + 35, established, sizeof(established));
    for (unsigned i = 0; i < STANDARD_N; i++) {
        e[STANDARDS + 2 * i] = standard[i].x / 8 - 31;
        e[STANDARDS + 2 * i + 1] = standard[i].aspect << 6 | (REFRESH_HZ - 60);
    }
}

/* Detailed timing (§3.10.2), blanking as in CVT reduced. */
static void put_timing(uint8_t *d, unsigned x, unsigned y, unsigned x_mm, unsigned y_mm)
{
    const unsigned hblank = 160, hfront = 48, hsync = 32, vfront = 3, vsync = 6;
    unsigned vblank = 30 + y / 60;
    uint64_t clock = (uint64_t)(x + hblank) * (y + vblank) * REFRESH_HZ / 10000;

    if (clock > MAX_CLOCK)
        clock = MAX_CLOCK; /* then with fewer frames a second */
    d[0] = clock;
    d[1] = clock >> 8;
    d[2] = x;
    d[3] = hblank;
    d[4] = (x >> 8) << 4 | hblank >> 8;
    d[5] = y;
    d[6] = vblank;
    d[7] = (y >> 8) << 4 | vblank >> 8;
    d[8] = hfront;
    d[9] = hsync;
    d[10] = (vfront & 15) << 4 | (vsync & 15);
    d[11] = 0;
    d[12] = x_mm;
    d[13] = y_mm;
    d[14] = (x_mm >> 8) << 4 | y_mm >> 8;
    d[17] = 0x1a; /* separate sync, horizontal positive */
}

/* Display descriptor (§3.10.3): tag and 13 bytes. */
static void put_descriptor(uint8_t *d, uint8_t tag, const void *data, unsigned len)
{
    d[3] = tag;
    memset(d + 5, 0x20, 13);
    memcpy(d + 5, data, len);
}

void edid_make(uint8_t out[128], unsigned xres, unsigned yres)
{
    /* Range (§3.10.3.3): 50-75 Hz, 30-255 kHz, up to 660 MHz, no timing formula. */
    static const uint8_t range[] = { 50, 75, 30, 255, 66, 0x01, 0x0a };
    unsigned x_mm = xres * 254 / 960, y_mm = yres * 254 / 960; /* 96 dots an inch */
    uint8_t sum = 0;

    memset(out, 0, 128);
    put_identity(out);
    out[21] = x_mm / 10 < 255 ? x_mm / 10 : 255;
    out[22] = y_mm / 10 < 255 ? y_mm / 10 : 255;
    put_timing(out + DESCRIPTORS, xres, yres, x_mm, y_mm);
    put_descriptor(out + DESCRIPTORS + 18, 0xfd, range, sizeof(range));
    put_descriptor(out + DESCRIPTORS + 36, 0xfc, "Portico\n", 8);
    put_descriptor(out + DESCRIPTORS + 54, 0x10, "", 0);
    memset(out + DESCRIPTORS + 54 + 5, 0, 13); /* a dummy's bytes are zero */
    for (unsigned i = 0; i < 127; i++)
        sum += out[i];
    out[127] = -sum;
}
