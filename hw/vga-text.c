/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA's text modes: characters in plane 0, attributes in plane 1, glyphs
 * of 32 row scans in plane 2. IBM PS/2 Hardware Interface Technical Reference,
 * "Video Subsystem"; FreeVGA, "VGA Text Mode Operation". What stands in each
 * cell is remembered and only cells that differ are drawn.
 *
 * Blinking is by guest time, slower than the chip's 16 and 32 frames: a viewer
 * far away gets every blink as traffic.
 */
#include "hw/vga.h"
#include <stdlib.h>
#include "display/screen-text.h"

#define CURSOR_NS (266 * NS_PER_MS) /* on, then as long off */
#define BLINK_NS  (533 * NS_PER_MS)

#define CELL_CURSOR 0x10000u
#define CELL_HIDDEN 0x20000u /* a blinking character while it is off */

static uint32_t band_cells(const struct vga_view *w)
{
    return w->chars + 1; /* with panning, parts of one more are seen */
}

bool vga_text_prepare(struct vga *v)
{
    struct vga_band b = { 0 };
    uint32_t n = 0;

    if (v->view.kind != VIEW_TEXT)
        return true;
    while (vga_band_next(&v->view, &b))
        n += band_cells(&v->view);
    if (n > v->ncells) {
        free(v->cells);
        v->cells = calloc(n, sizeof(*v->cells));
        v->ncells = v->cells ? n : 0;
    }
    return v->cells;
}

/* Takes a fresh copy of the glyphs where plane 2 may have changed. True: they did. */
static bool font_changed(struct vga *v, unsigned k, bool full)
{
    uint32_t off = v->view.font[k];
    bool changed = false;

    if (!full && !vga_is_dirty(v, (uint64_t)off * 4, VGA_FONT_SIZE * 4))
        return false;
    for (uint32_t i = 0; i < VGA_FONT_SIZE; i++) {
        uint8_t bits = vga_planes(v, (off + i) & v->view.mask) >> 16;

        changed |= v->font[k][i] != bits;
        v->font[k][i] = bits;
    }
    return changed;
}

/* Glyph row of a cell as dots, the leftmost highest. */
static uint32_t cell_bits(const struct vga *v, uint32_t cell, uint32_t scan)
{
    const struct vga_view *w = &v->view;
    uint8_t ch = cell, attr = cell >> 8;
    unsigned k = w->font[0] != w->font[1] && (attr & 8);
    uint32_t bits = v->font[k][ch * 32 + (scan & 31)];

    if (w->dots == 9) {
        bits <<= 1;
        if (w->line_graphics && (ch & 0xe0) == 0xc0)
            bits |= bits >> 1 & 1;
    }
    if (cell & CELL_HIDDEN)
        bits = 0;
    if (scan == w->underline && (attr & 7) == 1)
        bits = ~0u;
    if ((cell & CELL_CURSOR) && scan >= w->cursor_first && scan <= w->cursor_last)
        bits = ~0u;
    return bits;
}

/* Draws the part of a cell that band b shows, its left edge at x (may be off the screen). */
static void draw_cell(struct vga *v, struct surface *s, const struct vga_band *b, int x,
                      uint32_t cell)
{
    const struct vga_view *w = &v->view;
    int n = (int)(w->dots * w->rep), lo = x < 0 ? -x : 0, width = (int)s->width;
    int hi = x + n > width ? width - x : n;
    unsigned back = cell >> 12 & (w->blink ? 7 : 15);
    uint32_t bg = v->pal16[back], differ = bg ^ v->pal16[cell >> 8 & 15];

    for (uint32_t i = 0; i < b->lines; i++) {
        uint32_t bits = cell_bits(v, cell, (b->first + i) / w->scan_lines);
        uint32_t *dst = s->pixels + (size_t)(b->y + i) * (s->stride / 4);

        for (int k = lo; k < hi; k++) {
            unsigned shift = w->dots - 1 - ((unsigned)k >> (w->rep - 1));

            dst[x + k] = bg ^ (differ & -(bits >> shift & 1));
        }
    }
}

static void draw_band(struct vga *v, struct surface *s, const struct vga_band *b, uint32_t cursor,
                      bool hidden, bool full)
{
    const struct vga_view *w = &v->view;
    uint32_t n = band_cells(w), x0 = s->width, x1 = 0;
    uint32_t *was;
    int step = (int)(w->dots * w->rep), x = -(int)b->pan;

    if ((size_t)(b->index + 1) * n > v->ncells || b->y + b->lines > s->height)
        return;
    was = v->cells + (size_t)b->index * n;
    for (uint32_t c = 0; c < n; c++, x += step) {
        uint32_t addr = b->addr + (c >> w->slow);
        uint32_t cell = vga_planes(v, vga_plane_off(w, addr, 0)) & 0xffff;

        if ((addr & 0xffff) == cursor)
            cell |= CELL_CURSOR;
        if (hidden && (cell & 0x8000))
            cell |= CELL_HIDDEN;
        if ((!full && was[c] == cell) || x >= (int)s->width)
            continue;
        was[c] = cell;
        draw_cell(v, s, b, x, cell);
        if (x < (int)x0)
            x0 = x < 0 ? 0 : (uint32_t)x;
        x1 = x + step < (int)s->width ? (uint32_t)(x + step) : s->width;
    }
    if (x0 < x1)
        vga_span_add(v, b->y, b->lines, x0, x1);
}

/* The address the cursor is on, or one that no cell has. */
static uint32_t cursor_addr(const struct vga *v, int64_t now)
{
    const uint8_t *cr = v->r->cr;
    uint32_t skew = cr[CR_CUR_END] >> 5 & 3;

    if (v->view.cursor_first > v->view.cursor_last || now / CURSOR_NS % 2)
        return UINT32_MAX;
    return ((uint32_t)cr[CR_CUR_HIGH] << 8 | cr[CR_CUR_HIGH + 1]) + skew;
}

void vga_draw_text(struct vga *v, struct surface *s, bool full)
{
    int64_t now = platform_now(v->pci.dev.plat);
    uint32_t cursor = cursor_addr(v, now);
    bool hidden = v->view.blink && now / BLINK_NS % 2;
    struct vga_band b = { 0 };

    for (unsigned k = 0; k < 2; k++)
        full |= font_changed(v, k, full);
    while (vga_band_next(&v->view, &b))
        draw_band(v, s, &b, cursor, hidden, full);
}

char *vga_text(void *card)
{
    struct vga *v = card;
    struct vga_view w;
    struct vga_band b = { 0 };
    uint8_t *chars;
    char *text;
    uint32_t rows = 0;

    vga_view_get(v, &w);
    if (w.kind != VIEW_TEXT)
        return NULL;
    while (vga_band_next(&w, &b))
        rows++;
    chars = calloc(rows, w.chars);
    if (!chars)
        return NULL;
    b = (struct vga_band){ 0 };
    while (vga_band_next(&w, &b)) {
        for (uint32_t c = 0; c < w.chars; c++)
            chars[b.index * w.chars + c] =
                vga_planes(v, vga_plane_off(&w, b.addr + (c >> w.slow), 0));
    }
    text = screen_text(chars, w.chars, rows);
    free(chars);
    return text;
}
