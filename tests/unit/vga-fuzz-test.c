/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that writes anything anywhere, and a viewer that looks all the same.
 * Run with sanitizers: what counts is that nothing is read or written outside.
 */
#include <stdlib.h>
#include "tests/unit/vga-util.h"

static const uint16_t ports[] = {
    0x1ce, 0x1cf, 0x1d0, 0x1d1, 0x3b4, 0x3b5, 0x3ba, 0x3c0, 0x3c1, 0x3c2, 0x3c3, 0x3c4,
    0x3c5, 0x3c6, 0x3c7, 0x3c8, 0x3c9, 0x3ca, 0x3cc, 0x3ce, 0x3cf, 0x3d4, 0x3d5, 0x3da,
};

static void one_access(struct qt *t, uint64_t *seed)
{
    uint16_t port = ports[rnd(seed) % (sizeof(ports) / sizeof(ports[0]))];
    unsigned width = 1u << rnd(seed) % 4;
    uint64_t val = rnd(seed) | (uint64_t)rnd(seed) << 32;

    switch (rnd(seed) % 10) {
    case 0:
        inw(t, port);
        break;
    case 1:
        outl(t, port, (uint32_t)val);
        break;
    case 2:
        vbe_set(t, rnd(seed) % 11, rnd(seed) % 4 ? val & 0x7ff : val & 0xffff);
        break;
    case 3:
        mmio_write(t, 0xa0000 + rnd(seed) % 0x20008, val, width);
        break;
    case 4:
        mmio_read(t, 0xa0000 + rnd(seed) % 0x20008, width);
        break;
    case 5:
        mmio_write(t, VGA_BAR2 + rnd(seed) % 0x1000, val, width);
        break;
    case 6:
        set_cr(t, rnd(seed) % 25, (uint8_t)val);
        break;
    case 7:
        set_ar(t, rnd(seed) % 21, (uint8_t)val);
        break;
    default:
        outw(t, port, (uint16_t)val);
        break;
    }
}

static void random_memory(struct qt *t, uint64_t *seed)
{
    for (unsigned i = 0; i < 4096; i++)
        t->vram[rnd(seed) % t->vram_size] = (uint8_t)rnd(seed);
    for (unsigned i = 0; i < 32; i++)
        t->vram_dirty[rnd(seed) % 32] |= rnd(seed);
}

TEST(hostile_registers)
{
    struct vga_world w = vga_world();
    uint64_t seed = 4711;

    if (w.t->reload)
        return; /* too many accesses for that */
    vga_map_bars(w.t);
    set_mode(w.t, &mode_3);
    for (unsigned i = 0; i < 200000; i++) {
        one_access(w.t, &seed);
        if (i % 1000)
            continue;
        random_memory(w.t, &seed);
        clock_step(w.t, 5 * NS_PER_MS);
        display_refresh(w.d, i % 3000 == 0);
        free(display_text(w.d));
    }
}

/* Every register at its largest in text and graphics, at the ends of memory. */
TEST(extreme_registers)
{
    struct vga_world w = vga_world();

    qt_no_reload(w.t, "only pictures count");
    for (unsigned kind = 0; kind < 64; kind++) {
        set_mode(w.t, kind & 1 ? &mode_3 : &mode_12);
        set_gr(w.t, 5, (uint8_t)(kind << 4 & 0x60));
        set_sr(w.t, 1, kind & 8 ? 8 : 1);
        set_cr(w.t, 0x11, 0);
        for (unsigned i = 0; i < 25; i++)
            set_cr(w.t, i, 0xff);
        set_cr(w.t, 9, kind & 16 ? 0xe0 : 0xff);
        set_cr(w.t, 0x14, kind & 32 ? 0x60 : 0x20);
        set_cr(w.t, 0x17, kind & 8 ? 0x00 : 0xff);
        set_ar(w.t, 0x13, 0x07);
        CHECK(display_refresh(w.d, true) != NULL);
    }
}

TEST(extreme_bochs_modes)
{
    static const uint16_t bpp[] = { 4, 8, 15, 16, 24, 32 };
    struct vga_world w = vga_world();

    qt_no_reload(w.t, "only pictures count");
    for (unsigned i = 0; i < 6; i++) {
        vbe_mode(w.t, 0xffff, 0xffff, bpp[i]);
        for (unsigned reg = 6; reg <= 9; reg++)
            vbe_set(w.t, reg, 0xffff);
        CHECK(display_refresh(w.d, true) != NULL);
        vbe_mode(w.t, 1, 0xffff, bpp[i]);
        for (unsigned reg = 6; reg <= 9; reg++)
            vbe_set(w.t, reg, 0xffff);
        CHECK(display_refresh(w.d, true) != NULL);
    }
}

/* States that no guest can bring about are not loaded. */
TEST(impossible_states_are_refused)
{
    struct vga_world w = vga_world();

    vbe_mode(w.t, 800, 600, 32);
    CHECK(state_valid(w.t->dev));
    for (unsigned i = 1; i < 10; i++) {
        uint16_t *vbe = (uint16_t *)(void *)((char *)w.t->dev + w.t->dev->type->s_off);
        uint16_t was = vbe[i];

        if (i == 4 || i == 2) /* any height that fits is a good one */
            continue;
        vbe[i] = 0xffff;
        CHECK(!state_valid(w.t->dev));
        vbe[i] = was;
    }
}
