/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * display/screen-text.h: the screen as characters. In text modes a card knows
 * them; in graphics modes they are found again by comparing what is drawn with
 * the fonts of firmware, boot loaders and consoles.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct surface;

/*
 * rows x cols characters of code page 437, row after row, as UTF-8 rows joined
 * by '\n', spaces at the end of a row left out. The caller frees it; NULL when
 * there is no memory.
 */
char *screen_text(const uint8_t *chars, unsigned cols, unsigned rows);

struct screen_cell {
    uint32_t ch;     /* Unicode; 0: something is drawn here that is no known character */
    uint32_t fg, bg; /* xRGB */
    uint8_t attr;    /* of a text mode: the attribute byte */
};

struct screen_cells {
    unsigned cols, rows, cell_w, cell_h; /* cell_w, cell_h: pixels; in text modes 0 */
    int x, y;                            /* graphics: where the first cell begins */
    int cursor_x, cursor_y;              /* -1: none is seen */
    bool graphics;
    struct screen_cell cell[]; /* row after row */
};

/* All spaces, no cursor. NULL: no memory. The caller frees it. */
struct screen_cells *screen_cells_new(unsigned cols, unsigned rows);
uint16_t screen_cp437(uint8_t ch);
/* As screen_text() has it; what is no character is U+FFFD. */
char *screen_cells_text(const struct screen_cells *c);

/*
 * The characters of a picture, or NULL when there are hardly any (or no memory). rom: the VGA
 * BIOS, with its 8x8, 8x14 and 8x16 fonts; may be NULL. Takes milliseconds: call it from a
 * thread, with a copy of the surface.
 */
struct screen_cells *screen_read(const struct surface *s, const uint8_t *rom, size_t rom_len);
