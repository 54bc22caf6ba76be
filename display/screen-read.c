/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a picture: finds the grid of character cells and compares each cell
 * with glyphs: those of Linux's consoles and of GRUB (font-tables.inc) and
 * those of the guest's VGA BIOS, which are found in its ROM by the look of an
 * "A". A cell counts when it has two colours and its pattern, or the inverse,
 * is a glyph. Of the possible grids, the one that shows the most letters and
 * digits is taken; too few of them and the picture is none of text.
 */
#include <stdlib.h>
#include <string.h>
#include "display/display.h"
#include "display/screen-text.h"

#define CELL_W    8
#define ROWS_MAX  16
#define SLOTS     16384  /* of the hash of glyphs, several times their number */
#define SAMPLES   1500   /* cells that are looked at to judge a grid */
#define ENOUGH    3      /* letters and digits that make a picture one of text */
#define LOW_BLOCK 0x2581 /* looks like a cursor, and mostly is one */
#define WIDE_GRID 4      /* in a sample, this many are worth a whole look */

struct glyph {
    uint32_t ch;
    char rows[ROWS_MAX + 1];
};

static const struct glyph built_in[] = {
#include "display/font-tables.inc"
};

struct slot {
    uint32_t ch; /* 0: free */
    uint8_t rows[ROWS_MAX];
};

struct font { /* all glyphs of one height */
    unsigned height, n;
    struct slot slot[SLOTS];
};

static unsigned hash(const uint8_t rows[ROWS_MAX])
{
    uint64_t a, b;

    memcpy(&a, rows, 8);
    memcpy(&b, rows + 8, 8);
    a = (a ^ b * 0x9e3779b97f4a7c15ull) * 0xff51afd7ed558ccdull;
    return (unsigned)(a >> 50) % SLOTS;
}

static uint32_t font_find(const struct font *f, const uint8_t rows[ROWS_MAX])
{
    for (unsigned i = hash(rows); f->slot[i].ch; i = (i + 1) % SLOTS) {
        if (!memcmp(f->slot[i].rows, rows, ROWS_MAX))
            return f->slot[i].ch;
    }
    return 0;
}

/* Of two characters with one picture the first stays. */
static void font_add(struct font *f, uint32_t ch, const uint8_t *rows)
{
    uint8_t key[ROWS_MAX] = { 0 };
    unsigned i;

    memcpy(key, rows, f->height);
    if (ch == LOW_BLOCK || f->n >= SLOTS / 2 || font_find(f, key))
        return;
    for (i = hash(key); f->slot[i].ch; i = (i + 1) % SLOTS)
        ;
    f->slot[i].ch = ch;
    memcpy(f->slot[i].rows, key, ROWS_MAX);
    f->n++;
}

/* Printable ASCII first, then the rest of code page 437, so that 'A' is no Alpha. */
static void font_add_rom(struct font *f, const uint8_t *glyphs)
{
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned c = 1; c < 256; c++) {
            bool ascii = c > ' ' && c < 0x7f;

            if (ascii == !pass && screen_cp437((uint8_t)c) != ' ')
                font_add(f, screen_cp437((uint8_t)c), glyphs + (size_t)c * f->height);
        }
    }
}

/* The "A" that all VGA BIOSes have, without the blank rows above: of 8x8, 8x14 and 8x16. */
static const struct {
    unsigned height, blank, rows;
    uint8_t bits[10];
} landmark[] = {
    { 16, 2, 10, { 0x10, 0x38, 0x6c, 0xc6, 0xc6, 0xfe, 0xc6, 0xc6, 0xc6, 0xc6 } },
    { 14, 2, 9, { 0x10, 0x38, 0x6c, 0xc6, 0xc6, 0xfe, 0xc6, 0xc6, 0xc6 } },
    { 8, 0, 7, { 0x30, 0x78, 0xcc, 0xcc, 0xfc, 0xcc, 0xcc } },
};

static bool is_landmark(unsigned i, const uint8_t *glyph)
{
    for (unsigned r = 0; r < landmark[i].height; r++) {
        bool in = r >= landmark[i].blank && r < landmark[i].blank + landmark[i].rows;

        if (glyph[r] != (in ? landmark[i].bits[r - landmark[i].blank] : 0))
            return false;
    }
    return true;
}

static void learn_rom(struct font *f, const uint8_t *rom, size_t len)
{
    for (unsigned i = 0; rom && i < 3; i++) {
        size_t size = 256u * landmark[i].height, a = (size_t)'A' * landmark[i].height;

        if (landmark[i].height != f->height || len < size)
            continue;
        for (size_t at = 0; at <= len - size; at++) {
            if (is_landmark(i, rom + at + a)) {
                font_add_rom(f, rom + at);
                return;
            }
        }
    }
}

static void font_fill(struct font *f, unsigned height, const uint8_t *rom, size_t len)
{
    memset(f, 0, sizeof(*f));
    f->height = height;
    for (size_t i = 0; height == 16 && i < sizeof(built_in) / sizeof(built_in[0]); i++)
        font_add(f, built_in[i].ch, (const uint8_t *)built_in[i].rows);
    learn_rom(f, rom, len);
}

/* ---- cells ---- */

struct bits {
    uint32_t first, other;        /* colours; other is first where there is only one */
    bool busy;                    /* more than two */
    uint8_t rows[ROWS_MAX], cols; /* 1: other */
};

static void take_cell(const struct surface *s, unsigned x, unsigned y, unsigned h, struct bits *b)
{
    const uint32_t *row = s->pixels + (size_t)y * (s->stride / 4) + x;

    *b = (struct bits){ .first = row[0], .other = row[0] };
    for (unsigned r = 0; r < h; r++, row += s->stride / 4) {
        for (unsigned c = 0; c < CELL_W; c++) {
            if (row[c] == b->first)
                continue;
            if (b->other == b->first)
                b->other = row[c];
            if (row[c] != b->other) {
                b->busy = true;
                return;
            }
            b->rows[r] |= (uint8_t)(0x80 >> c);
        }
    }
}

static void invert(struct bits *b, unsigned h)
{
    uint32_t keep = b->first;

    for (unsigned r = 0; r < h; r++)
        b->rows[r] ^= 0xff;
    b->first = b->other;
    b->other = keep;
}

/* A cursor that underlines: up to three rows from edge to edge at the bottom are taken away. */
static bool strip_underline(struct bits *b, unsigned h)
{
    unsigned r = b->rows[h - 1] ? h - 1 : h - 2, stripped = 0;

    for (; stripped < 3 && b->rows[r] == 0xff; r--, stripped++)
        b->rows[r] = 0;
    return stripped;
}

static bool is_blank(const struct bits *b, unsigned h)
{
    for (unsigned r = 0; r < h; r++) {
        if (b->rows[r])
            return false;
    }
    return true;
}

/* The character of a cell, and in *b its colours: first is the ground. 0: none. */
static uint32_t read_cell(const struct font *f, struct bits *b, bool *cursor)
{
    struct bits under = *b;
    uint32_t ch;

    *cursor = false;
    if (b->busy)
        return 0;
    if (b->first == b->other)
        return ' ';
    ch = font_find(f, b->rows);
    if (ch)
        return ch;
    invert(b, f->height);
    ch = font_find(f, b->rows);
    if (ch)
        return ch;
    invert(b, f->height);
    if (!strip_underline(&under, f->height))
        return 0;
    ch = is_blank(&under, f->height) ? ' ' : font_find(f, under.rows);
    *cursor = ch != 0;
    return ch;
}

static bool is_telling(uint32_t ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z');
}

struct grid {
    const struct font *font;
    unsigned x, y, cols, rows;
    unsigned telling, unknown; /* cells */
};

/* Counts letters and digits in every step'th cell. */
static void judge(const struct surface *s, struct grid *g, unsigned step)
{
    unsigned h = g->font->height, n = g->cols * g->rows;

    g->telling = g->unknown = 0;
    for (unsigned i = 0; i < n; i += step) {
        struct bits b;
        bool cursor;
        uint32_t ch;

        take_cell(s, g->x + i % g->cols * CELL_W, g->y + i / g->cols * h, h, &b);
        ch = read_cell(g->font, &b, &cursor);
        g->telling += is_telling(ch);
        g->unknown += !ch;
    }
}

static struct grid grid_at(const struct surface *s, const struct font *f, unsigned x, unsigned y)
{
    return (struct grid){ .font = f,
                          .x = x,
                          .y = y,
                          .cols = (s->width - x) / CELL_W,
                          .rows = (s->height - y) / f->height };
}

/* The best grid of this font: at the corner if that is good, else anywhere. */
static struct grid best_grid(const struct surface *s, const struct font *f)
{
    struct grid best = grid_at(s, f, 0, 0);
    unsigned cells = best.cols * best.rows, step = cells / SAMPLES + 1;

    judge(s, &best, 1);
    if (best.telling >= ENOUGH && best.telling > best.unknown)
        return best;
    for (unsigned y = 0; y < f->height; y++) {
        for (unsigned x = 0; x < CELL_W; x++) {
            struct grid g = grid_at(s, f, x, y);

            judge(s, &g, step);
            if (g.telling < WIDE_GRID && step > 1)
                continue;
            judge(s, &g, 1);
            if (g.telling > best.telling)
                best = g;
        }
    }
    return best;
}

static struct screen_cells *read_grid(const struct surface *s, const struct grid *g)
{
    struct screen_cells *c = screen_cells_new(g->cols, g->rows);
    unsigned h = g->font->height;

    if (!c)
        return NULL;
    c->graphics = true;
    c->cell_w = CELL_W;
    c->cell_h = h;
    c->x = (int)g->x;
    c->y = (int)g->y;
    for (unsigned i = 0; i < g->cols * g->rows; i++) {
        struct screen_cell *cell = &c->cell[i];
        struct bits b;
        bool cursor;

        take_cell(s, g->x + i % g->cols * CELL_W, g->y + i / g->cols * h, h, &b);
        cell->ch = read_cell(g->font, &b, &cursor);
        cell->bg = b.first;
        cell->fg = b.other;
        if (cursor) {
            c->cursor_x = (int)(i % g->cols);
            c->cursor_y = (int)(i / g->cols);
        }
    }
    return c;
}

struct screen_cells *screen_read(const struct surface *s, const uint8_t *rom, size_t rom_len)
{
    static const unsigned heights[] = { 16, 14, 8 };
    struct font *f = malloc(sizeof(*f));
    struct screen_cells *c = NULL;
    struct grid g;

    for (unsigned i = 0; f && !c && i < 3; i++) {
        if (s->width < 2 * CELL_W || s->height < 2 * heights[i])
            continue;
        font_fill(f, heights[i], rom, rom_len);
        if (!f->n)
            continue;
        g = best_grid(s, f);
        if (g.telling >= ENOUGH)
            c = read_grid(s, &g);
    }
    free(f);
    return c;
}
