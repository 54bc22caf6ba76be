/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures of text, drawn with fonts that the reader is to know, and pictures that are none. */
#include <stdlib.h>
#include <string.h>
#include "display/display.h"
#include "display/screen-text.h"
#include "tests/unit/qt.h"

static const struct {
    uint32_t ch;
    char rows[17];
} font[] = {
#include "display/font-tables.inc"
};

static struct surface make(uint32_t w, uint32_t h, uint32_t colour)
{
    struct surface s = { .width = w, .height = h, .stride = w * 4, .fd = -1 };

    s.pixels = calloc(h, s.stride);
    for (uint32_t i = 0; i < w * h; i++)
        s.pixels[i] = colour;
    return s;
}

static void dots(struct surface *s, unsigned x, unsigned y, const uint8_t *rows, unsigned h,
                 uint32_t fg, uint32_t bg)
{
    for (unsigned r = 0; r < h; r++)
        for (unsigned c = 0; c < 8; c++)
            s->pixels[(y + r) * s->width + x + c] = rows[r] & 0x80 >> c ? fg : bg;
}

/* Glyph number `which` of the character: a character has one in every font. */
static void draw(struct surface *s, unsigned x, unsigned y, const char *text, unsigned which,
                 uint32_t fg, uint32_t bg)
{
    for (; *text; text++, x += 8) {
        unsigned n = 0;

        for (size_t i = 0; i < sizeof(font) / sizeof(font[0]); i++) {
            if (font[i].ch == (uint8_t)*text && n++ <= which)
                dots(s, x, y, (const uint8_t *)font[i].rows, 16, fg, bg);
        }
    }
}

static bool reads(const struct surface *s, const char *text)
{
    struct screen_cells *c = screen_read(s, NULL, 0);
    char *got = c ? screen_cells_text(c) : NULL;
    bool same = got && !strcmp(got, text);

    if (!same)
        fprintf(stderr, "read: %s\n", got ? got : "nothing");
    free(got);
    free(c);
    return same;
}

TEST(a_console_is_read_with_every_font)
{
    for (unsigned which = 0; which < 5; which++) {
        struct surface s = make(640, 64, 0);

        draw(&s, 0, 16, "login: root", which, 0xaaaaaa, 0);
        draw(&s, 80, 32, "Password 0OIl1'`~f", which, 0xffffff, 0x0000aa);
        CHECK(reads(&s, "\nlogin: root\n          Password 0OIl1'`~f\n"));
        free(s.pixels);
    }
}

TEST(a_grid_that_begins_anywhere_is_found)
{
    struct surface s = make(1024, 768, 0x102030);
    struct screen_cells *c;

    draw(&s, 13, 26, "GNU GRUB  version 2.06", 0, 0xffffff, 0x102030);
    draw(&s, 13 + 8, 26 + 32, "*Debian GNU/Linux", 0, 0x102030, 0xffffff);
    c = screen_read(&s, NULL, 0);
    CHECK(c != NULL);
    CHECK(c->graphics && c->cell_w == 8 && c->cell_h == 16 && c->x == 5 && c->y == 10);
    CHECK_EQ(c->cell[c->cols + 1].ch, 'G');
    CHECK_EQ(c->cell[c->cols + 1].fg, 0xffffff);
    CHECK_EQ(c->cell[c->cols + 1].bg, 0x102030);
    CHECK_EQ(c->cell[3 * c->cols + 2].ch, '*');
    CHECK_EQ(c->cell[3 * c->cols + 2].bg, 0xffffff);
    CHECK_EQ(c->cursor_x, -1);
    free(c);
    free(s.pixels);
}

TEST(a_cursor_is_no_character)
{
    static const uint8_t line[16] = { [14] = 0xff, [15] = 0xff };
    struct surface s = make(320, 64, 0);
    struct screen_cells *c;

    draw(&s, 0, 0, "root@debian:~#", 0, 0xaaaaaa, 0);
    dots(&s, 15 * 8, 0, line, 16, 0xaaaaaa, 0);
    c = screen_read(&s, NULL, 0);
    CHECK(c && c->cursor_x == 15 && c->cursor_y == 0 && c->cell[15].ch == ' ');
    free(c);
    free(s.pixels);
}

TEST(the_font_of_the_firmware_is_learned)
{
    static const uint8_t look_a[] = { 0x30, 0x78, 0xcc, 0xcc, 0xfc, 0xcc, 0xcc, 0 };
    static const uint8_t look_b[] = { 0xfc, 0x66, 0x66, 0x7c, 0x66, 0x66, 0xfc, 0 };
    static uint8_t rom[32768];
    struct surface s = make(320, 200, 0);
    struct screen_cells *c;

    memcpy(rom + 5000 + 'A' * 8, look_a, 8);
    memcpy(rom + 5000 + 'B' * 8, look_b, 8);
    for (unsigned i = 0; i < 10; i++)
        dots(&s, 8 * i, 8, i & 1 ? look_b : look_a, 8, 0x55ff55, 0);
    CHECK(!screen_read(&s, NULL, 0));
    c = screen_read(&s, rom, sizeof(rom));
    CHECK(c && c->cell_h == 8 && c->cols == 40 && c->rows == 25);
    CHECK(c->cell[40].ch == 'A' && c->cell[41].ch == 'B' && c->cell[49].ch == 'B');
    free(c);
    free(s.pixels);
}

TEST(what_is_no_text_is_none)
{
    struct surface s = make(800, 600, 0x336699);
    uint32_t seed = 1;

    CHECK(!screen_read(&s, NULL, 0));
    for (unsigned i = 0; i < 800 * 600; i++) {
        seed = seed * 1664525 + 1013904223;
        s.pixels[i] = seed & 0x100000 ? 0xffffff : 0;
    }
    CHECK(!screen_read(&s, NULL, 0));
    free(s.pixels);
    s = make(9, 3, 0);
    CHECK(!screen_read(&s, NULL, 0));
    free(s.pixels);
}
