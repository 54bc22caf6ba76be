/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA's graphics modes proper: four planes shifted out as 16 colours, as
 * the CGA's four colours, or as bytes. IBM PS/2 Hardware Interface Technical
 * Reference, "Video Subsystem", graphics controller mode register; FreeVGA,
 * "Attribute Controller". One character clock fetches a byte of each plane and
 * makes eight dots.
 */
#include "hw/vga.h"

/* Bits 7-0 as bytes 0-7, each 0 or 1. */
static uint64_t spread(uint8_t bits)
{
    uint64_t each = bits * 0x0101010101010101ULL & 0x0102040810204080ULL;

    return (each + 0x7f7f7f7f7f7f7f7fULL) >> 7 & 0x0101010101010101ULL;
}

static void clock_planar(const struct vga *v, uint32_t planes, uint32_t *dst)
{
    uint64_t px = spread(planes) | spread(planes >> 8) << 1 | spread(planes >> 16) << 2 |
                  spread(planes >> 24) << 3;

    px |= px << 12; /* odd bytes: two pixels, the left one's colour above the right one's */
    for (unsigned i = 0; i < 4; i++)
        memcpy(dst + 2 * (size_t)i, v->pair16[px >> (16 * i + 8) & 0xff], 8);
}

/* Two bits a pixel: planes 0 and 1 one after the other, 2 and 3 above them. */
static void clock_cga(const struct vga *v, uint32_t planes, uint32_t *dst)
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned at = (i < 4 ? 6 : 22) - 2 * i; /* bit 6-0 of plane 0, 14-8 of plane 1 */

        dst[i] = v->pal16[(planes >> at & 3) | (planes >> (at + 16) & 3) << 2];
    }
}

static void clock_256(const struct vga *v, uint32_t planes, uint32_t *dst)
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t both = v->pal[planes >> (8 * i) & 0xff] * 0x100000001ULL;

        memcpy(dst + 2 * (size_t)i, &both, 8);
    }
}

static void double_dots(uint32_t *dst)
{
    for (unsigned i = 16; i-- > 0;)
        dst[i] = dst[i / 2];
}

/* One line of the picture into v->line, from its first dot, before panning. */
static void make_line(struct vga *v, uint32_t addr, uint32_t scan)
{
    const struct vga_view *w = &v->view;
    uint32_t *dst = v->line;

    for (uint32_t c = 0; c <= w->chars; c++, dst += 8 * w->rep) {
        uint32_t planes = vga_planes(v, vga_plane_off(w, addr + (c >> w->slow), scan));

        if (w->kind == VIEW_256)
            clock_256(v, planes, dst);
        else if (w->kind == VIEW_CGA)
            clock_cga(v, planes, dst);
        else
            clock_planar(v, planes, dst);
        if (w->rep == 2)
            double_dots(dst);
    }
}

/* Where the line is one run of memory, only its pages count; else any page does. */
static bool line_dirty(const struct vga *v, uint32_t addr, uint32_t scan)
{
    const struct vga_view *w = &v->view;
    uint32_t steps = w->chars >> w->slow;
    uint32_t from = vga_plane_off(w, addr, scan);
    uint32_t to = vga_plane_off(w, addr + steps, scan);

    if (to < from || to - from != steps << w->unit)
        return true;
    return vga_is_dirty(v, (uint64_t)from * 4, (uint64_t)(to - from) * 4 + 4);
}

void vga_draw_planes(struct vga *v, struct surface *s, bool full)
{
    const struct vga_view *w = &v->view;
    struct vga_band b = { 0 };

    while (vga_band_next(w, &b)) {
        bool made = false;
        uint32_t made_scan = 0;

        for (uint32_t i = 0; i < b.lines; i++) {
            uint32_t scan = (b.first + i) / w->scan_lines;

            /* Without the CGA's address bits all row scans of a row show the same. */
            if (!w->scan13 && !w->scan14)
                scan = 0;
            if (!full && !line_dirty(v, b.addr, scan) && !vga_pointer_came(v, b.y + i))
                continue;
            if (!made || made_scan != scan)
                make_line(v, b.addr, scan);
            made = true;
            made_scan = scan;
            vga_put_line(v, s, b.y + i, v->line + b.pan);
        }
    }
}
