/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA's pictures, pixel by pixel, against what the mode's definition says.
 * Expected values are made from pixel coordinates, not from addresses.
 */
#include <stdlib.h>
#include "display/screen-text.h"
#include <stdlib.h>
#include "tests/unit/vga-util.h"

/* ---- text ---- */

static uint8_t glyph(unsigned ch, unsigned row, unsigned font)
{
    return (uint8_t)(ch * 37 + row * 59 + font * 101 + (ch ^ row));
}

/* Loads font number font where a BIOS would: through plane 2, flat at a0000. */
static void load_font(struct qt *t, unsigned font, uint32_t off)
{
    bool reload = t->reload;

    t->reload = false; /* 8 KiB of writes; the modes are tested for themselves */
    set_sr(t, 2, 4);
    set_sr(t, 4, 6);
    set_gr(t, 5, 0);
    set_gr(t, 6, 5);
    for (unsigned ch = 0; ch < 256; ch++) {
        for (unsigned row = 0; row < 32; row++)
            mmio_write(t, 0xa0000 + off + ch * 32 + row, glyph(ch, row, font), 1);
    }
    set_sr(t, 2, 3);
    set_sr(t, 4, 2);
    set_gr(t, 5, 0x10);
    set_gr(t, 6, 0x0e);
    t->reload = reload;
}

static uint16_t cell_at(unsigned x, unsigned y)
{
    return (uint16_t)((x * 5 + y * 83) & 0xff) | (uint16_t)((x * 11 + y * 29 + 1) & 0x7f) << 8;
}

static void text_mode(struct qt *t)
{
    bool reload = t->reload;

    t->reload = false;
    set_mode(t, &mode_3);
    set_dac(t);
    set_cr(t, 0x0a, 0x20); /* no cursor */
    load_font(t, 0, 0);
    for (unsigned y = 0; y < 25; y++) {
        for (unsigned x = 0; x < 80; x += 2)
            mmio_write(t, 0xb8000 + y * 160 + x * 2,
                       cell_at(x, y) | (uint32_t)cell_at(x + 1, y) << 16, 4);
    }
    t->reload = reload;
}

/* Colour of a text attribute's four bits through mode 3's palette registers. */
static uint32_t text_colour(unsigned i)
{
    return dac_pixel(mode_3.ar[i]);
}

/* The dot d (0-8) of row scan row of a cell in mode 3. */
static uint32_t text_dot(uint16_t cell, unsigned row, unsigned d, unsigned font)
{
    unsigned ch = cell & 0xff, bits = glyph(ch, row, font);
    bool on = d < 8 ? bits >> (7 - d) & 1 : ch >= 0xc0 && ch <= 0xdf && (bits & 1);

    return text_colour(on ? cell >> 8 & 15 : cell >> 12 & 7);
}

TEST(mode_3_is_drawn_dot_by_dot)
{
    struct vga_world w = vga_world();
    const struct surface *s;

    text_mode(w.t);
    s = display_refresh(w.d, true);
    CHECK(s && s->width == 720 && s->height == 400);
    for (unsigned y = 0; y < 400; y++) {
        for (unsigned x = 0; x < 720; x++)
            CHECK_EQ(px(s, x, y), text_dot(cell_at(x / 9, y / 16), y % 16, x % 9, 0));
    }
}

TEST(eight_dots_and_forty_columns)
{
    struct vga_world w = vga_world();
    const struct surface *s;

    text_mode(w.t);
    set_sr(w.t, 1, 0x09); /* 8 dots, half the clock */
    set_cr(w.t, 0x11, 0x0e);
    set_cr(w.t, 1, 39);
    set_cr(w.t, 0x13, 20);
    s = display_refresh(w.d, true);
    CHECK(s && s->width == 640 && s->height == 400);
    for (unsigned x = 0; x < 640; x++) /* the second row begins in the middle of the first's 80 */
        CHECK_EQ(px(s, x, 16), text_dot(cell_at(40 + x / 16, 0), 0, x / 2 % 8, 0));
}

TEST(the_screen_as_text)
{
    static const char line[] = "C:\\>dir /w";
    struct vga_world w = vga_world();
    char *text;
    unsigned rows = 1;

    CHECK(display_text(w.d) == NULL);
    set_mode(w.t, &mode_3);
    for (unsigned i = 0; line[i]; i++)
        mmio_write(w.t, 0xb8000 + 160 * 2 + i * 2, 0x700u | (uint8_t)line[i], 2);
    mmio_write(w.t, 0xb8000 + 160 * 24, 0x07c9, 2); /* a box corner */
    text = display_text(w.d);
    CHECK(text != NULL);
    for (const char *p = text; *p; p++)
        rows += *p == '\n';
    CHECK_EQ(rows, 25);
    CHECK(!strncmp(text, "\n\nC:\\>dir /w\n", 13));
    CHECK(!strcmp(strrchr(text, '\n'), "\n\xe2\x95\x94"));
    free(text);
    set_gr(w.t, 6, 0x0f);
    CHECK(display_text(w.d) == NULL);
}

TEST(cursor_shows_blinks_and_moves)
{
    struct vga_world w = vga_world();
    struct seen seen = { 0 };

    qt_no_reload(w.t, "a new device draws everything");
    text_mode(w.t);
    mmio_write(w.t, 0xb8000 + (160 * 3 + 10), 0x0720, 2);
    load_font(w.t, 0, 0);
    w.t->now = 0;
    set_cr(w.t, 0x0a, 13);
    set_cr(w.t, 0x0b, 14);
    set_cr(w.t, 0x0e, (80 * 3 + 5) >> 8);
    set_cr(w.t, 0x0f, (80 * 3 + 5) & 0xff);
    CHECK_EQ(px(display_refresh(w.d, true), 45, 3 * 16 + 13), text_colour(7));
    CHECK_EQ(px(display_refresh(w.d, true), 53, 3 * 16 + 14), text_colour(7));
    display_add_viewer(w.d, &seen_ops, &seen);
    display_refresh(w.d, false);
    CHECK_EQ(seen.damaged, 0);
    clock_step(w.t, 300 * NS_PER_MS);
    CHECK_EQ(px(display_refresh(w.d, false), 53, 3 * 16 + 14), text_colour(0)); /* blinked off */
    CHECK(box_is(&seen, 45, 48, 9, 16));
    clock_step(w.t, 300 * NS_PER_MS);
    display_refresh(w.d, false);
    seen.damaged = 0;
    set_cr(w.t, 0x0f, (80 * 3 + 6) & 0xff);
    display_refresh(w.d, false);
    CHECK(box_is(&seen, 45, 48, 18, 16));
    display_remove_viewer(w.d, &seen);
}

TEST(only_cells_that_change_are_damaged)
{
    struct vga_world w = vga_world();
    struct seen seen = { 0 };

    qt_no_reload(w.t, "a new device draws everything");
    text_mode(w.t);
    display_refresh(w.d, true);
    display_add_viewer(w.d, &seen_ops, &seen);
    mmio_write(w.t, 0xb8000 + 160 * 7 + 2 * 20, cell_at(20, 7), 2); /* the same again */
    display_refresh(w.d, false);
    CHECK_EQ(seen.damaged, 0);
    mmio_write(w.t, 0xb8000 + 160 * 7 + 2 * 20, 0x1e41, 2);
    mmio_write(w.t, 0xb8000 + 160 * 7 + 2 * 22, 0x1e42, 2);
    display_refresh(w.d, false);
    CHECK(box_is(&seen, 180, 112, 27, 16));
    seen.damaged = 0;
    load_font(w.t, 1, 0); /* other glyphs: everything */
    CHECK_EQ(px(display_refresh(w.d, false), 180 + 7, 112 + 3), text_dot(0x1e41, 3, 7, 1));
    CHECK(box_is(&seen, 0, 0, 720, 400));
    display_remove_viewer(w.d, &seen);
}

TEST(blinking_characters)
{
    struct vga_world w = vga_world();
    unsigned d = 0;

    text_mode(w.t);
    mmio_write(w.t, 0xb8000, 0x9c41, 2); /* blinks */
    mmio_write(w.t, 0xb8002, 0x1c41, 2);
    while (!(glyph('A', 0, 0) >> (7 - d) & 1))
        d++;
    w.t->now = 0;
    CHECK_EQ(px(display_refresh(w.d, false), d, 0), text_colour(12));
    clock_step(w.t, 600 * NS_PER_MS);
    CHECK_EQ(px(display_refresh(w.d, false), d, 0), text_colour(1));
    CHECK_EQ(px(display_refresh(w.d, false), d + 9, 0), text_colour(12));
    set_ar(w.t, 0x10, 0x04); /* no blinking: sixteen backgrounds */
    CHECK_EQ(px(display_refresh(w.d, false), d, 0), text_colour(12));
    set_gr(w.t, 5, 0x10);
    mmio_write(w.t, 0xb8000, 0x9c00 | 'A', 2);
    for (d = 0; glyph('A', 0, 0) >> (7 - d) & 1;)
        d++;
    CHECK_EQ(px(display_refresh(w.d, false), d, 0), text_colour(9));
}

TEST(two_fonts_of_256)
{
    struct vga_world w = vga_world();
    const struct surface *s;

    text_mode(w.t);
    load_font(w.t, 1, 0x6000);
    set_sr(w.t, 3, 0x04 | 0x20); /* A (attribute bit 3): 101 = 6000; B: 0 */
    s = display_refresh(w.d, true);
    for (unsigned y = 0; y < 16; y++) {
        for (unsigned x = 0; x < 720; x++) {
            uint16_t cell = cell_at(x / 9, 0);

            CHECK_EQ(px(s, x, y), text_dot(cell, y, x % 9, cell >> 11 & 1));
        }
    }
}

TEST(underline_in_mono)
{
    struct vga_world w = vga_world();

    text_mode(w.t);
    mmio_write(w.t, 0xb8000, 0x0120, 2);
    set_ar(w.t, 0x10, 0x0e);
    set_cr(w.t, 0x14, 0x0d);
    for (unsigned x = 0; x < 9; x++)
        CHECK_EQ(px(display_refresh(w.d, false), x, 13), text_colour(1));
}

TEST(text_scrolls_by_lines_and_dots)
{
    struct vga_world w = vga_world();
    const struct surface *s;

    text_mode(w.t);
    set_cr(w.t, 8, 5);     /* row scans */
    set_cr(w.t, 0x0d, 80); /* and a row */
    set_ar(w.t, 0x13, 2);  /* three dots */
    s = display_refresh(w.d, true);
    for (unsigned y = 0; y < 300; y++) {
        for (unsigned x = 0; x < 700; x++)
            CHECK_EQ(px(s, x, y), text_dot(cell_at((x + 3) / 9, 1 + (y + 5) / 16), (y + 5) % 16,
                                           (x + 3) % 9, 0));
    }
}

TEST(text_split_screen)
{
    struct vga_world w = vga_world();
    const struct surface *s;

    text_mode(w.t);
    set_cr(w.t, 0x11, 0x0e);
    set_cr(w.t, 0x0d, 160);
    set_cr(w.t, 0x18, 199); /* line compare, bits 8 and 9 clear */
    set_cr(w.t, 7, 0x0f);
    set_cr(w.t, 9, 0x0f);
    s = display_refresh(w.d, true);
    for (unsigned x = 0; x < 720; x++) {
        CHECK_EQ(px(s, x, 0), text_dot(cell_at(x / 9, 2), 0, x % 9, 0));
        CHECK_EQ(px(s, x, 199), text_dot(cell_at(x / 9, 2 + 12), 7, x % 9, 0));
        CHECK_EQ(px(s, x, 200), text_dot(cell_at(x / 9, 0), 0, x % 9, 0));
        CHECK_EQ(px(s, x, 217), text_dot(cell_at(x / 9, 1), 1, x % 9, 0));
    }
}

/* In word units the counter's top bit, 15 or 13 by CR17, is the offset's lowest. */
TEST(word_addresses_wrap)
{
    struct vga_world w = vga_world();
    char *text;

    set_mode(w.t, &mode_3);
    w.t->vram[1 * 4] = 'X';
    set_cr(w.t, 0x0c, 0x80);
    text = display_text(w.d);
    CHECK(text && text[0] == 'X');
    free(text);
    set_cr(w.t, 0x17, 0x83);
    set_cr(w.t, 0x0c, 0x20);
    w.t->vram[0x4001 * 4] = 'Y';
    text = display_text(w.d);
    CHECK(text && text[0] == 'Y');
    free(text);
}

/* ---- graphics ---- */

static uint32_t picture(unsigned x, unsigned y)
{
    return x * 3 + y * 7 + (x * y >> 5);
}

static void no_reload_while(struct qt *t, void (*fill)(struct qt *t))
{
    bool reload = t->reload;

    t->reload = false;
    set_dac(t);
    fill(t);
    t->reload = reload;
}

static void fill_13(struct qt *t)
{
    for (unsigned y = 0; y < 200; y++) {
        for (unsigned x = 0; x < 320; x++)
            mmio_write(t, 0xa0000 + y * 320 + x, picture(x, y) & 255, 1);
    }
}

TEST(mode_13_is_drawn)
{
    struct vga_world w = vga_world();
    const struct surface *s;

    set_mode(w.t, &mode_13);
    no_reload_while(w.t, fill_13);
    s = display_refresh(w.d, true);
    CHECK(s && s->width == 640 && s->height == 400);
    for (unsigned y = 0; y < 400; y++) {
        for (unsigned x = 0; x < 640; x++)
            CHECK_EQ(px(s, x, y), dac_pixel(picture(x / 2, y / 2) & 255));
    }
    outb(w.t, 0x3c6, 0x0f); /* the PEL mask */
    CHECK_EQ(px(display_refresh(w.d, false), 300, 200), dac_pixel(picture(150, 100) & 15));
}

/* 320x240, unchained: a plane for every fourth pixel. */
static void mode_x(struct qt *t)
{
    static const uint8_t cr[][2] = { { 0x06, 0x0d }, { 0x07, 0x3e }, { 0x09, 0x41 }, { 0x10, 0xea },
                                     { 0x12, 0xdf }, { 0x14, 0x00 }, { 0x15, 0xe7 }, { 0x16, 0x06 },
                                     { 0x17, 0xe3 }, { 0x11, 0xac } };

    set_mode(t, &mode_13);
    set_sr(t, 4, 6);
    set_cr(t, 0x11, 0x0c);
    for (unsigned i = 0; i < 10; i++)
        set_cr(t, cr[i][0], cr[i][1]);
}

static void fill_x(struct qt *t)
{
    for (unsigned plane = 0; plane < 4; plane++) {
        set_sr(t, 2, (uint8_t)(1 << plane));
        for (unsigned y = 0; y < 241; y++) {
            for (unsigned x = plane; x < 320; x += 4)
                mmio_write(t, 0xa0000 + y * 80 + x / 4, picture(x, y) & 255, 1);
        }
    }
}

TEST(mode_x_is_drawn_and_pans)
{
    struct vga_world w = vga_world();
    const struct surface *s;

    mode_x(w.t);
    no_reload_while(w.t, fill_x);
    set_cr(w.t, 0x0d, 1); /* four pixels */
    set_ar(w.t, 0x13, 4); /* and two */
    s = display_refresh(w.d, true);
    CHECK(s && s->width == 640 && s->height == 480);
    for (unsigned y = 0; y < 480; y++) {
        for (unsigned x = 0; x < 628; x++)
            CHECK_EQ(px(s, x, y), dac_pixel(picture(x / 2 + 6, y / 2) & 255));
    }
}

static void fill_planes(struct qt *t, unsigned width, unsigned height)
{
    for (unsigned plane = 0; plane < 4; plane++) {
        set_sr(t, 2, (uint8_t)(1 << plane));
        for (unsigned y = 0; y < height; y++) {
            for (unsigned x = 0; x < width; x += 8) {
                unsigned val = 0;

                for (unsigned i = 0; i < 8; i++)
                    val |= (picture(x + i, y) >> plane & 1) << (7 - i);
                mmio_write(t, 0xa0000 + y * width / 8 + x / 8, val, 1);
            }
        }
    }
}

static void fill_12(struct qt *t)
{
    fill_planes(t, 640, 480);
}

static void fill_0d(struct qt *t)
{
    fill_planes(t, 320, 200);
}

TEST(mode_12_is_drawn_pans_and_splits)
{
    struct vga_world w = vga_world();
    const struct surface *s;

    set_mode(w.t, &mode_12);
    no_reload_while(w.t, fill_12);
    s = display_refresh(w.d, true);
    CHECK(s && s->width == 640 && s->height == 480);
    for (unsigned y = 0; y < 480; y++) {
        for (unsigned x = 0; x < 640; x++)
            CHECK_EQ(px(s, x, y), dac_pixel(mode_12.ar[picture(x, y) & 15]));
    }
    set_ar(w.t, 0x13, 3);
    set_ar(w.t, 0x10, 0x21); /* no panning below the split */
    set_cr(w.t, 8, 0x20);    /* a byte */
    set_cr(w.t, 0x11, 0x0c);
    set_cr(w.t, 0x18, 99);
    set_cr(w.t, 7, 0x2e);
    set_cr(w.t, 9, 0x00);
    s = display_refresh(w.d, true);
    for (unsigned x = 0; x < 620; x++) {
        CHECK_EQ(px(s, x, 99), dac_pixel(mode_12.ar[picture(x + 11, 99) & 15]));
        CHECK_EQ(px(s, x, 100), dac_pixel(mode_12.ar[picture(x, 0) & 15]));
        CHECK_EQ(px(s, x, 300), dac_pixel(mode_12.ar[picture(x, 200) & 15]));
    }
}

TEST(attribute_controller_colours)
{
    struct vga_world w = vga_world();

    set_mode(w.t, &mode_12);
    no_reload_while(w.t, fill_12);
    set_ar(w.t, 0x12, 0x05); /* planes 0 and 2 only */
    CHECK_EQ(px(display_refresh(w.d, false), 9, 9), dac_pixel(mode_12.ar[picture(9, 9) & 5]));
    set_ar(w.t, 0x14, 0x0c);
    CHECK_EQ(px(display_refresh(w.d, false), 9, 9),
             dac_pixel(0xc0 | mode_12.ar[picture(9, 9) & 5]));
    set_ar(w.t, 0x10, 0x81);
    set_ar(w.t, 0x14, 0x06);
    CHECK_EQ(px(display_refresh(w.d, false), 9, 9),
             dac_pixel(0x60 | (mode_12.ar[picture(9, 9) & 5] & 15)));
}

TEST(mode_0d_is_doubled)
{
    struct vga_world w = vga_world();
    const struct surface *s;

    set_mode(w.t, &mode_0d);
    no_reload_while(w.t, fill_0d);
    s = display_refresh(w.d, true);
    CHECK(s && s->width == 640 && s->height == 400);
    for (unsigned y = 0; y < 400; y++) {
        for (unsigned x = 0; x < 640; x++)
            CHECK_EQ(px(s, x, y), dac_pixel(mode_0d.ar[picture(x / 2, y / 2) & 15]));
    }
}

/* The CGA's memory: even lines at b8000, odd ones 8 KiB on; bits pixels to a byte. */
static void fill_cga(struct qt *t, unsigned bits)
{
    unsigned n = 8 / bits;

    for (unsigned y = 0; y < 200; y++) {
        for (unsigned x = 0; x < 80; x++) {
            unsigned val = 0;

            for (unsigned i = 0; i < n; i++)
                val = val << bits | (picture(x * n + i, y) & ((1u << bits) - 1));
            mmio_write(t, 0xb8000 + (y & 1) * 0x2000 + y / 2 * 80 + x, val, 1);
        }
    }
}

static void fill_4(struct qt *t)
{
    fill_cga(t, 2);
}

static void fill_6(struct qt *t)
{
    fill_cga(t, 1);
}

TEST(cga_modes_are_drawn)
{
    struct vga_world w = vga_world();
    const struct surface *s;

    set_mode(w.t, &mode_4);
    no_reload_while(w.t, fill_4);
    s = display_refresh(w.d, true);
    CHECK(s && s->width == 640 && s->height == 400);
    for (unsigned y = 0; y < 400; y++) {
        for (unsigned x = 0; x < 640; x++)
            CHECK_EQ(px(s, x, y), dac_pixel(mode_4.ar[picture(x / 2, y / 2) & 3]));
    }
    set_mode(w.t, &mode_6);
    no_reload_while(w.t, fill_6);
    s = display_refresh(w.d, true);
    CHECK(s && s->width == 640 && s->height == 400);
    for (unsigned y = 0; y < 400; y++) {
        for (unsigned x = 0; x < 640; x++)
            CHECK_EQ(px(s, x, y), dac_pixel(mode_6.ar[picture(x, y / 2) & 1]));
    }
}

TEST(graphics_damage_is_small)
{
    struct vga_world w = vga_world();
    struct seen seen = { 0 };

    qt_no_reload(w.t, "a new device draws everything");
    set_mode(w.t, &mode_12);
    set_dac(w.t);
    display_refresh(w.d, true);
    display_add_viewer(w.d, &seen_ops, &seen);
    mmio_write(w.t, 0xa0000 + 200 * 80 + 10, 0x18, 1);
    display_refresh(w.d, false);
    CHECK(box_is(&seen, 83, 200, 2, 1));
    seen.damaged = 0;
    set_mode(w.t, &mode_13);
    display_refresh(w.d, false);
    CHECK(box_is(&seen, 0, 0, 640, 400));
    seen.damaged = 0;
    mmio_write(w.t, 0xa0000 + 50 * 320 + 7, 0x44, 1);
    display_refresh(w.d, false);
    CHECK(box_is(&seen, 14, 100, 2, 2));
    seen.damaged = 0;
    outb(w.t, 0x3c8, 0x44); /* its colour changes, nothing else */
    outb(w.t, 0x3c9, 1);
    outb(w.t, 0x3c9, 1);
    outb(w.t, 0x3c9, 1);
    display_refresh(w.d, false);
    CHECK(box_is(&seen, 14, 100, 2, 2));
    display_remove_viewer(w.d, &seen);
}

TEST(blank_is_black_and_keeps_its_size)
{
    struct vga_world w = vga_world();
    const struct surface *s = display_refresh(w.d, false);

    CHECK(s && s->width == 720 && s->height == 400 && px(s, 0, 0) == 0);
    qt_no_reload(w.t, "the size is the last picture's");
    set_mode(w.t, &mode_13);
    no_reload_while(w.t, fill_13);
    CHECK(px(display_refresh(w.d, false), 100, 100) != 0);
    inb(w.t, 0x3da);
    outb(w.t, 0x3c0, 0); /* the palette is the CPU's */
    s = display_refresh(w.d, false);
    CHECK(s && s->width == 640 && px(s, 100, 100) == 0);
    outb(w.t, 0x3c0, 0x20);
    inb(w.t, 0x3da);
    outb(w.t, 0x3c0, 0x20);
    CHECK(px(display_refresh(w.d, false), 100, 100) != 0);
    set_sr(w.t, 1, 0x21); /* screen off */
    CHECK_EQ(px(display_refresh(w.d, false), 100, 100), 0);
}

TEST(programs_are_told_characters_colours_and_the_cursor)
{
    struct vga_world w = vga_world();
    struct screen_cells *c;

    text_mode(w.t);
    set_cr(w.t, 0x0a, 0x0d);
    set_cr(w.t, 0x0b, 0x0e);
    set_cr(w.t, 0x0e, (80 * 3 + 7) >> 8);
    set_cr(w.t, 0x0f, (80 * 3 + 7) & 0xff);
    c = display_cells(w.d);
    CHECK(c && c->cols == 80 && c->rows == 25 && !c->graphics);
    CHECK(c->cursor_x == 7 && c->cursor_y == 3);
    for (unsigned i = 0; i < 80 * 25; i++) {
        uint16_t cell = cell_at(i % 80, i / 80);

        CHECK_EQ(c->cell[i].ch, screen_cp437(cell & 0xff));
        CHECK_EQ(c->cell[i].attr, cell >> 8);
        CHECK_EQ(c->cell[i].fg, text_colour(cell >> 8 & 15));
        CHECK_EQ(c->cell[i].bg, text_colour(cell >> 12 & 7));
    }
    free(c);
    set_cr(w.t, 0x0a, 0x2d); /* the cursor is off */
    c = display_cells(w.d);
    CHECK(c && c->cursor_x == -1);
    free(c);
    set_mode(w.t, &mode_13);
    CHECK(!display_cells(w.d));
}
