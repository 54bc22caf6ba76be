/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Bochs display interface: registers, banks, and pictures at each depth. */
#include "tests/unit/vga-util.h"

#define GETCAPS 2

TEST(id_caps_and_memory)
{
    struct qt *t = vga_world().t;

    CHECK_EQ(vbe_get(t, 0), 0xb0c5);
    vbe_set(t, 0, 0xb0c2);
    CHECK_EQ(vbe_get(t, 0), 0xb0c2);
    vbe_set(t, 0, 0xb0ff);
    CHECK_EQ(vbe_get(t, 0), 0xb0c2);
    CHECK_EQ(vbe_get(t, 10), 128); /* 8 MiB in 64 KiB */
    vbe_set(t, 4, GETCAPS);
    CHECK(vbe_get(t, 1) >= 2560 && vbe_get(t, 2) >= 1600);
    CHECK_EQ(vbe_get(t, 3), 32);
    vbe_set(t, 4, 0);
    CHECK_EQ(vbe_get(t, 1), 0);
}

TEST(ports_in_bytes_and_at_1d0)
{
    struct qt *t = vga_world().t;

    vbe_set(t, 1, 0x320);
    CHECK_EQ(inw(t, 0x1ce), 1);
    CHECK_EQ(inw(t, 0x1cf), 0x320);
    CHECK_EQ(inw(t, 0x1d0), 0x320);
    outw(t, 0x1d0, 0x280);
    CHECK_EQ(vbe_get(t, 1), 0x280);
}

TEST(registers_in_bar2)
{
    struct qt *t = vga_world().t;

    vga_map_bars(t);
    CHECK_EQ(mmio_read(t, VGA_BAR2 + 0x500, 2), 0xb0c5);
    mmio_write(t, VGA_BAR2 + 0x502, 0x01e00280, 4); /* two registers at once */
    CHECK_EQ(vbe_get(t, 1), 640);
    CHECK_EQ(vbe_get(t, 2), 480);
    CHECK_EQ(mmio_read(t, VGA_BAR2 + 0x514, 2), 128);
}

TEST(a_mode_has_offsets_and_a_virtual_size)
{
    struct qt *t = vga_world().t;

    vbe_mode(t, 800, 600, 16);
    CHECK_EQ(vbe_get(t, 4), 0x41);
    CHECK_EQ(vbe_get(t, 6), 800);
    CHECK_EQ(vbe_get(t, 7), (8 << 20) / 1600);
    vbe_set(t, 6, 1024);
    CHECK_EQ(vbe_get(t, 7), (8 << 20) / 2048);
    vbe_set(t, 8, 500);
    CHECK_EQ(vbe_get(t, 8), 224); /* 1024 - 800 */
    vbe_set(t, 9, 0xffff);
    CHECK_EQ(vbe_get(t, 9), (8 << 20) / 2048 - 600);
    vbe_set(t, 6, 10);
    CHECK_EQ(vbe_get(t, 6), 800);
    CHECK_EQ(vbe_get(t, 8), 0);
    CHECK_EQ(guest_errors(t), 0);
}

TEST(modes_that_do_not_fit_are_made_to)
{
    struct qt *t = vga_world().t;

    vbe_mode(t, 4096, 4096, 32);
    CHECK_EQ(vbe_get(t, 1), 4096);
    CHECK_EQ(vbe_get(t, 2), 512);
    vbe_mode(t, 0xffff, 0xffff, 0xffff);
    CHECK_EQ(vbe_get(t, 1), 4096);
    CHECK_EQ(vbe_get(t, 3), 8);
    vbe_mode(t, 0, 0, 24);
    CHECK(vbe_get(t, 1) == 1 && vbe_get(t, 2) == 1);
    CHECK_EQ(guest_errors(t), 3);
    vbe_mode(t, 1366, 768, 32); /* need not be a multiple of 8 */
    CHECK_EQ(vbe_get(t, 1), 1366);
    CHECK_EQ(guest_errors(t), 3);
}

TEST(turning_on_clears_unless_told_not_to)
{
    struct qt *t = vga_world().t;

    memset(t->vram, 0x55, t->vram_size);
    vbe_set(t, 1, 64);
    vbe_set(t, 2, 64);
    vbe_set(t, 3, 8);
    vbe_set(t, 4, 0xc1);
    CHECK_EQ(t->vram[0], 0x55);
    vbe_set(t, 4, 0);
    vbe_set(t, 4, 0x41);
    CHECK(t->vram[0] == 0 && t->vram[4095] == 0 && t->vram[4096] == 0x55);
}

TEST(banks_reach_all_memory_and_no_more)
{
    struct qt *t = vga_world().t;

    vbe_mode(t, 640, 480, 8);
    vbe_set(t, 5, 3);
    mmio_write(t, 0xa0010, 0x1122334455667788, 8);
    CHECK(t->vram[0x30010] == 0x88 && t->vram[0x30017] == 0x11);
    CHECK_EQ(mmio_read(t, 0xa0012, 2), 0x5566);
    vbe_set(t, 5, 127);
    mmio_write(t, 0xaffff, 0x42, 1);
    CHECK_EQ(t->vram[t->vram_size - 1], 0x42);
    vbe_set(t, 5, 0xffff);
    CHECK_EQ(vbe_get(t, 5), 127);
    CHECK_EQ(mmio_read(t, 0xb8000, 1), 0xff);
}

TEST(planar_banks)
{
    struct qt *t = vga_world().t;

    set_mode(t, &mode_12);
    vbe_mode(t, 1024, 768, 4);
    set_mode(t, &mode_12); /* as a BIOS does around it */
    vbe_set(t, 5, 1);
    mmio_write(t, 0xa0005, 0xa5, 1);
    CHECK_EQ(t->vram[0x10005 * 4], 0xa5);
    CHECK_EQ(mmio_read(t, 0xa0005, 1), 0xa5);
}

static uint32_t packed_pixel(unsigned x, unsigned y)
{
    return (x * 0x010305u) ^ (y * 0x020100u);
}

static void put_pixel(uint8_t *at, unsigned depth, uint32_t rgb)
{
    unsigned r = rgb >> 16 & 255, g = rgb >> 8 & 255, b = rgb & 255, val = rgb;

    if (depth == 15)
        val = r >> 3 << 10 | g >> 3 << 5 | b >> 3;
    else if (depth == 16)
        val = r >> 3 << 11 | g >> 2 << 5 | b >> 3;
    for (unsigned i = 0; i < (depth + 7) / 8; i++)
        at[i] = val >> (8 * i);
}

/* What a depth leaves of a colour: the bits it has, repeated downwards. */
static uint32_t kept(unsigned depth, uint32_t rgb)
{
    unsigned g_bits = depth == 15 ? 5 : 6, r = rgb >> 16 & 255, g = rgb >> 8 & 255, b = rgb & 255;

    if (depth >= 24)
        return rgb & 0xffffff;
    r = (r & 0xf8) | r >> 5;
    b = (b & 0xf8) | b >> 5;
    g = (g & (0xff00u >> g_bits & 0xff)) | (g >> g_bits & (0xffu >> g_bits));
    return r << 16 | g << 8 | b;
}

TEST(each_packed_depth_is_drawn)
{
    static const unsigned depths[] = { 15, 16, 24, 32 };
    struct vga_world w = vga_world();
    const struct surface *s;

    for (unsigned k = 0; k < 4; k++) {
        unsigned bytes = (depths[k] + 7) / 8;

        vbe_mode(w.t, 201, 150, (uint16_t)depths[k]);
        vbe_set(w.t, 6, 300);
        vbe_set(w.t, 8, 7);
        vbe_set(w.t, 9, 11);
        for (unsigned y = 0; y < 161; y++) {
            for (unsigned x = 0; x < 208; x++)
                put_pixel(w.t->vram + (y * 300 + x) * bytes, depths[k], packed_pixel(x, y));
        }
        s = display_refresh(w.d, true);
        CHECK(s && s->width == 201 && s->height == 150);
        for (unsigned y = 0; y < 150; y++) {
            for (unsigned x = 0; x < 201; x++)
                CHECK_EQ(px(s, x, y), kept(depths[k], packed_pixel(x + 7, y + 11)));
        }
    }
}

TEST(big_endian_pixels)
{
    struct vga_world w = vga_world();

    vga_map_bars(w.t);
    vbe_mode(w.t, 64, 64, 32);
    mmio_write(w.t, VGA_BAR2 + 0x604, 0xbebebebe, 4);
    memcpy(w.t->vram, "\x00\x11\x22\x33", 4);
    CHECK_EQ(px(display_refresh(w.d, true), 0, 0), 0x112233);
    vbe_set(w.t, 4, 0);
    vbe_mode(w.t, 64, 64, 16);
    memcpy(w.t->vram, "\xf8\x1f", 2);
    CHECK_EQ(px(display_refresh(w.d, true), 0, 0), 0xff00ff);
}

TEST(eight_bits_and_the_eight_bit_dac)
{
    struct vga_world w = vga_world();

    vbe_mode(w.t, 64, 64, 8);
    vbe_set(w.t, 4, 0x61);
    outb(w.t, 0x3c8, 9);
    outb(w.t, 0x3c9, 0x81);
    outb(w.t, 0x3c9, 0x42);
    outb(w.t, 0x3c9, 0xfe);
    w.t->vram[70] = 9;
    CHECK_EQ(px(display_refresh(w.d, true), 6, 1), 0x8142fe);
    outb(w.t, 0x3c7, 9);
    CHECK_EQ(inb(w.t, 0x3c9), 0x81);
    outb(w.t, 0x3c6, 0xf6); /* PEL mask: 9 becomes 0 */
    CHECK_EQ(px(display_refresh(w.d, false), 6, 1), 0);
}

TEST(four_bits_are_planes)
{
    struct vga_world w = vga_world();

    set_mode(w.t, &mode_12);
    set_dac(w.t);
    vbe_mode(w.t, 800, 600, 4);
    vbe_set(w.t, 9, 2);
    w.t->vram[(2 * 100 + 3) * 4] = 0x80;
    w.t->vram[(2 * 100 + 3) * 4 + 3] = 0x81;
    CHECK_EQ(px(display_refresh(w.d, true), 24, 0), dac_pixel(0x39));
    CHECK_EQ(px(display_refresh(w.d, true), 31, 0), dac_pixel(0x38));
    CHECK_EQ(px(display_refresh(w.d, true), 25, 0), dac_pixel(0));
}

TEST(only_dirty_pages_and_changed_pixels_are_damaged)
{
    struct vga_world w = vga_world();
    struct seen seen = { 0 };
    uint32_t red = 0xff0000;

    qt_no_reload(w.t, "a new device draws everything");
    vga_map_bars(w.t);
    vbe_mode(w.t, 1024, 768, 32);
    display_refresh(w.d, true);
    display_add_viewer(w.d, &seen_ops, &seen);
    display_refresh(w.d, false);
    CHECK_EQ(seen.damaged, 0);
    memcpy(w.t->vram + (100 * 1024 + 50) * 4, &red, 4); /* nobody knows yet */
    memcpy(w.t->vram + (100 * 1024 + 60) * 4, &red, 4);
    display_refresh(w.d, false);
    CHECK_EQ(seen.damaged, 0);
    w.t->vram_dirty[100 / 64] |= 1ULL << (100 % 64); /* a line is a page here */
    display_refresh(w.d, false);
    CHECK(box_is(&seen, 50, 100, 11, 1));
    seen.damaged = 0;
    mmio_write(w.t, 0xa0004, 0x00ff0000, 4); /* and through the window */
    CHECK_EQ(px(display_refresh(w.d, false), 1, 0), red);
    CHECK(box_is(&seen, 1, 0, 1, 1));
    CHECK_EQ(w.t->vram_dirty[1], 0);
    display_remove_viewer(w.d, &seen);
}

TEST(damage_of_lines_that_touch_is_one_box)
{
    struct vga_world w = vga_world();
    struct seen seen = { 0 };

    qt_no_reload(w.t, "a new device draws everything");
    vbe_mode(w.t, 256, 200, 8);
    set_dac(w.t);
    display_refresh(w.d, true);
    display_add_viewer(w.d, &seen_ops, &seen);
    mmio_write(w.t, 0xa0000 + 10 * 256 + 40, 1, 1);
    mmio_write(w.t, 0xa0000 + 11 * 256 + 90, 1, 1);
    mmio_write(w.t, 0xa0000 + 12 * 256 + 20, 1, 1);
    display_refresh(w.d, false);
    CHECK_EQ(seen.damaged, 1);
    CHECK(box_is(&seen, 20, 10, 71, 3));
    seen.damaged = 0;
    mmio_write(w.t, 0xa0000 + 20 * 256, 1, 1);
    mmio_write(w.t, 0xa0000 + 150 * 256, 1, 1);
    display_refresh(w.d, false);
    CHECK_EQ(seen.damaged, 2); /* far apart: two boxes */
    display_remove_viewer(w.d, &seen);
}
