/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the VGA shows, for programs: the characters of a text mode with their
 * colours and the cursor, and the firmware whose fonts a graphics mode is
 * likely to show.
 */
#include <stdlib.h>
#include "display/screen-text.h"
#include "hw/vga.h"

#define CR_START  0x0a /* cursor start; bit 5: off */
#define CR_OFF    0x20
#define CR_CURSOR 0x0e /* its address, high byte first */

static void set_cell(const struct vga_view *w, const uint32_t pal16[16], uint16_t cell,
                     struct screen_cell *out)
{
    uint8_t attr = cell >> 8;

    out->ch = screen_cp437(cell & 0xff);
    out->attr = attr;
    out->fg = pal16[attr & 15];
    out->bg = pal16[attr >> 4 & (w->blink ? 7 : 15)];
}

struct screen_cells *vga_cells(void *card)
{
    struct vga *v = card;
    const uint8_t *cr = v->r->cr;
    uint32_t cursor = (uint32_t)cr[CR_CURSOR] << 8 | cr[CR_CURSOR + 1];
    uint32_t pal[256], pal16[16], rows = 0;
    struct vga_band b = { 0 };
    struct screen_cells *s;
    struct vga_view w;

    vga_view_get(v, &w);
    if (w.kind != VIEW_TEXT)
        return NULL;
    vga_palette_get(v, pal, pal16);
    while (vga_band_next(&w, &b))
        rows++;
    s = screen_cells_new(w.chars, rows);
    b = (struct vga_band){ 0 };
    while (s && vga_band_next(&w, &b)) {
        for (uint32_t c = 0; c < w.chars; c++) {
            uint32_t addr = b.addr + (c >> w.slow);

            set_cell(&w, pal16, (uint16_t)vga_planes(v, vga_plane_off(&w, addr, 0)),
                     &s->cell[b.index * w.chars + c]);
            if ((addr & 0xffff) != cursor || cr[CR_START] & CR_OFF ||
                w.cursor_first > w.cursor_last)
                continue;
            s->cursor_x = (int)c;
            s->cursor_y = (int)b.index;
        }
    }
    return s;
}

const uint8_t *vga_rom(void *card, size_t *len)
{
    struct vga *v = card;

    *len = v->pci.rom ? v->pci.bar_size[PCI_ROM] : 0;
    return v->pci.rom;
}
