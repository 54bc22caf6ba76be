/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that writes anything into the Cirrus, and a viewer that looks all the
 * same. Run with sanitizers: what counts is that nothing is read or written
 * outside, that no state is one that no guest can bring about, and that no
 * access does more than a step's work.
 */
#include "tests/unit/cirrus-util.h"

static const uint8_t rops[] = { 0x00, 0x05, 0x06, 0x09, 0x0b, 0x0d, 0x0e, 0x50, 0x59,
                                0x6d, 0x90, 0x95, 0xad, 0xd0, 0xd6, 0xda, 0x77 };

static void any_blit(struct qt *t, uint64_t *seed)
{
    unsigned most = rnd(seed) % 4 ? 200 : 8192;

    set_gr(t, 0x33, (uint8_t)rnd(seed));
    set_gr(t, 0x2f, (uint8_t)rnd(seed));
    set_gr(t, 0x31, rnd(seed) % 8 ? 0 : (uint8_t)rnd(seed));
    blit(t, (struct blit){ 1 + rnd(seed) % most, 1 + rnd(seed) % (most / 4), rnd(seed),
                           rnd(seed) % 0x2000, rnd(seed), rnd(seed) % 0x2000, rnd(seed) & 0xff,
                           rops[rnd(seed) % sizeof(rops)] });
}

static uint64_t any_address(uint64_t *seed)
{
    switch (rnd(seed) % 6) {
    case 0:
        return REGS + rnd(seed) % 0x1000;
    case 1:
        return REGS + 0x100 + rnd(seed) % 0x44;
    case 2:
        return LFB + rnd(seed) % 0x2000000;
    case 3:
        return LFB + 0x3ffff0 + rnd(seed) % 32;
    default:
        return 0xa0000 + rnd(seed) % 0x20008;
    }
}

static void one_access(struct qt *t, uint64_t *seed)
{
    unsigned width = 1u << rnd(seed) % 4;
    uint64_t val = rnd(seed) | (uint64_t)rnd(seed) << 32;

    switch (rnd(seed) % 12) {
    case 0:
        any_blit(t, seed);
        break;
    case 1:
        set_sr(t, rnd(seed) & 0xff, rnd(seed) % 3 ? (uint8_t)val : 0x12);
        set_sr(t, 6, 0x12);
        break;
    case 2:
        set_gr(t, rnd(seed) % 64, (uint8_t)val);
        break;
    case 3:
        set_cr(t, rnd(seed) % 64, (uint8_t)val);
        break;
    case 4:
        set_ar(t, rnd(seed) % 21, (uint8_t)val);
        break;
    case 5:
        inl(t, 0x3c6);
        inb(t, 0x3c6);
        break;
    case 6:
        outl(t, 0x3c6, (uint32_t)val);
        break;
    case 7:
        set_sr(t, 7, (uint8_t)(1 | (rnd(seed) & 0x0e)));
        set_gr(t, 6, 5);
        break;
    case 8:
        mmio_read(t, any_address(seed), width);
        break;
    default:
        mmio_write(t, any_address(seed), val, width);
        break;
    }
}

static void play(struct vga_world w, uint64_t seed, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        for (unsigned k = 0; k < 20; k++)
            one_access(w.t, &seed);
        if (rnd(&seed) % 4 == 0)
            clock_step(w.t, rnd(&seed) % 30 * NS_PER_MS);
        for (unsigned k = 0; k < 8; k++)
            w.t->vram_dirty[rnd(&seed) % 16] |= rnd(&seed);
        display_refresh(w.d, rnd(&seed) % 8 == 0);
    }
}

TEST(hostile_registers)
{
    struct vga_world w = cirrus_world();

    set_mode(w.t, &mode_12);
    play(w, 5446, w.t->reload ? 10 : 1500);
}

TEST(hostile_from_a_packed_mode)
{
    struct vga_world w = cirrus_world();

    packed_mode(w.t);
    play(w, 1996, w.t->reload ? 10 : 1500);
}

/* The chip's worst: all of memory, a bit a pixel, transparent. */
TEST(no_access_is_long)
{
    struct vga_world w = cirrus_world();
    unsigned polls = 0;

    qt_no_reload(w.t, "counts polls");
    blit(w.t, (struct blit){ 8192, 2048, 0, 8191, 0, 0, 0x88, 0x59 });
    while (get_gr(w.t, 0x31) & 1 && polls < 100000)
        polls++;
    CHECK(polls >= 500 && polls < 2000); /* 64 MiB of work, at most 128 KiB a step */
}
