/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the Cirrus' registers mean for the picture in its packed modes, and its
 * pointer: CL-GD5446 Technical Reference Manual, SR07, CR1A, CR1B, CR1D, the
 * hidden DAC register, SR10-SR13 "Hardware cursor". The rest of the modes is
 * the VGA's.
 *
 * An interlaced mode's picture is both fields. Not modelled: the video window;
 * panning by pixels in packed modes; the pointer over text.
 */
#include "hw/cirrus.h"

#define CR_PITCH       0x13
#define CR_MISC        0x1a
#define CR_EXT         0x1b
#define CR_OVERLAY     0x1d
#define MISC_INTERLACE 0x01
#define MODE_DOUBLE    0x04 /* CR17 */
#define SCAN_MASK      0x1f
#define SCAN_TWICE     0x80
#define CURSOR_AREA    (16u << 10) /* patterns are in the last 16 KiB */

/* The hidden DAC register: how 15 and 16 bits, and 8 without a palette, are colours. */
#define DAC_EXTENDED 0xc0
#define DAC_MIXED    0x10
#define DAC_KIND     0x0f
#define DAC_565      0x01
#define DAC_GREY     0x08
#define DAC_332      0x09

static void view_depth(const struct cirrus *c, struct vga_view *w)
{
    uint8_t dac = c->s.hidden_dac, kind = dac & DAC_KIND;

    switch (c->s.sr[SR_EXT_MODE] >> 1 & 7) {
    case 1: /* with the clock doubled */
    case 3:
        w->depth = kind == DAC_565 ? 16 : dac & DAC_MIXED ? DEPTH_15MIX : 15;
        break;
    case 2:
        w->depth = 24;
        break;
    case 4:
        w->depth = 32;
        break;
    default:
        w->depth = 8;
        if ((dac & DAC_EXTENDED) == DAC_EXTENDED && kind == DAC_GREY)
            w->direct8 = DIRECT_GREY;
        else if ((dac & DAC_EXTENDED) == DAC_EXTENDED && kind == DAC_332)
            w->direct8 = DIRECT_332;
        break;
    }
}

static uint32_t vertical(const uint8_t *cr, unsigned reg, unsigned bit8, uint8_t high,
                         unsigned bit9)
{
    return cr[reg] | (cr[7] >> bit8 & 1) << 8 | (high >> bit9 & 1) << 9;
}

bool cirrus_view(const struct vga *v, struct vga_view *w)
{
    const struct cirrus *c = cirrus_of_vga(v);
    const uint8_t *cr = v->r->cr, *x = c->s.cr;
    unsigned twice = cr[CR_MODE] & MODE_DOUBLE ? 2 : 1;

    if (!(c->s.sr[SR_EXT_MODE] & EXT_PACKED) || !(v->r->gr[GR_MISC] & GR_MISC_GFX) ||
        v->r->sr[SR_CLOCK] & SR_CLOCK_OFF)
        return false;
    if (x[CR_MISC] & MISC_INTERLACE)
        twice *= 2; /* the counters count lines of one field */
    w->kind = VIEW_PACKED;
    view_depth(c, w);
    w->rep = 1;
    w->dots = 8;
    w->chars = cr[1] + 1u;
    w->width = w->chars * 8;
    w->height = (vertical(cr, CR_VDE, 1, cr[7], 6) + 1) * twice;
    w->split = vertical(cr, CR_LINE_CMP, 4, cr[CR_MAX_SCAN], 6) * twice + twice - 1;
    w->row_scans = (cr[CR_MAX_SCAN] & SCAN_MASK) + 1u;
    w->scan_lines = cr[CR_MAX_SCAN] & SCAN_TWICE ? 2 : 1;
    w->pitch = (cr[CR_PITCH] | (x[CR_EXT] & 0x10u) << 4) * 8;
    w->start = (uint32_t)cr[CR_START_HIGH] << 8 | cr[CR_START_HIGH + 1];
    w->start |=
        (x[CR_EXT] & 1u) << 16 | (x[CR_EXT] >> 2 & 3u) << 17 | (x[CR_OVERLAY] >> 7 & 1u) << 19;
    w->start = w->start * 4 & CIRRUS_MASK;
    return true;
}

/* ---- the pointer ---- */

/* Five to six bits more are the same as for the palette: the upper ones again. */
static uint32_t dac_colour(const uint8_t *rgb)
{
    uint32_t px = 0;

    for (unsigned i = 0; i < 3; i++)
        px = px << 8 | (rgb[i] & 0x3fu) << 2 | (rgb[i] >> 4 & 3u);
    return px;
}

static void pointer_get(const struct cirrus *c, struct cirrus_pointer *p)
{
    uint8_t attr = c->s.sr[SR_CURSOR];
    uint32_t large = attr & CURSOR_64, at;

    memset(p, 0, sizeof(*p));
    if (!(attr & CURSOR_ON))
        return;
    p->size = large ? 64 : 32;
    p->x = c->s.cursor_x;
    p->y = c->s.cursor_y;
    p->colour[0] = dac_colour(c->s.cursor_dac);
    p->colour[1] = dac_colour(c->s.cursor_dac + 45);
    at = CIRRUS_VRAM - CURSOR_AREA + (c->s.sr[SR_PATTERN] & (large ? 0x3cu : 0x3fu)) * 256;
    memcpy(p->bits, c->v.vram + at, large ? 1024 : 256);
}

static void widen(const struct cirrus_pointer *p, uint32_t *y0, uint32_t *y1)
{
    if (!p->size)
        return;
    if (*y0 == *y1) {
        *y0 = p->y;
        *y1 = p->y + p->size;
        return;
    }
    *y0 = p->y < *y0 ? p->y : *y0;
    *y1 = p->y + p->size > *y1 ? p->y + p->size : *y1;
}

bool cirrus_pointer_lines(struct vga *v, uint32_t *y0, uint32_t *y1)
{
    struct cirrus *c = container_of(v, struct cirrus, v);
    struct cirrus_pointer now;
    bool changed;

    pointer_get(c, &now);
    changed = memcmp(&now, &c->drawn, sizeof(now)) != 0;
    if (changed)
        widen(&c->drawn, y0, y1);
    widen(&now, y0, y1);
    c->drawn = now;
    return changed;
}

void cirrus_pointer_draw(const struct vga *v, uint32_t y, uint32_t *line, uint32_t width)
{
    const struct cirrus_pointer *p = &cirrus_of_vga(v)->drawn;
    uint32_t row = y - p->y, pitch = p->size == 64 ? 16 : 4, second = p->size == 64 ? 8 : 128;

    if (y < p->y || row >= p->size)
        return;
    for (uint32_t x = 0; x < p->size && p->x + x < width; x++) {
        const uint8_t *bits = p->bits + row * pitch + x / 8;
        unsigned both = (bits[0] << x % 8 >> 7 & 1) | (bits[second] << x % 8 >> 6 & 2);
        uint32_t *px = line + p->x + x;

        if (both == 1)
            *px ^= 0xffffff;
        else if (both)
            *px = p->colour[both - 2];
    }
}
