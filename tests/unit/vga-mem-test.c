/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window at a0000 against a model that does every bit of every plane for
 * itself, the way FreeVGA's text tells it.
 */
#include "tests/unit/vga-util.h"

#define SPAN 0x10000

struct model {
    uint8_t plane[4][SPAN], latch[4];
    uint8_t sr[5], gr[9];
};

static struct model model;

static bool bit(unsigned val, unsigned n)
{
    return val >> n & 1;
}

/* Bit n of what plane p takes, for a byte from the CPU. */
static bool model_bit(const struct model *m, unsigned p, unsigned n, uint8_t cpu)
{
    unsigned rot = m->gr[3] & 7, mode = m->gr[5] & 3;
    bool latch = bit(m->latch[p], n), data, use = bit(m->gr[8], n);
    bool turned = bit(cpu, (n + rot) % 8);

    if (mode == 1)
        return latch;
    if (mode == 0)
        data = bit(m->gr[1], p) ? bit(m->gr[0], p) : turned;
    else if (mode == 2)
        data = bit(cpu, p);
    else
        data = bit(m->gr[0], p);
    if (mode == 3)
        use = use && turned;
    if ((m->gr[3] >> 3) == 1)
        data = data && latch;
    else if ((m->gr[3] >> 3) == 2)
        data = data || latch;
    else if ((m->gr[3] >> 3) == 3)
        data = data != latch;
    return use ? data : latch;
}

/* Offset and plane set of a window address, for odd/even and chain 4. */
static unsigned model_at(const struct model *m, unsigned off, bool write, unsigned *planes)
{
    bool oe = write ? !(m->sr[4] & 4) : m->gr[5] & 0x10;

    *planes = 15;
    if (m->sr[4] & 8) {
        *planes = 1u << (off & 3);
        return (off & 0xfffc) | (off >> 14 & 3);
    }
    if (oe) {
        *planes = off & 1 ? 10 : 5;
        return off & 0xfffe;
    }
    return off & 0xffff;
}

static void model_write(struct model *m, unsigned off, uint8_t cpu)
{
    unsigned planes, at = model_at(m, off, true, &planes);

    for (unsigned p = 0; p < 4; p++) {
        uint8_t val = 0;

        if (!bit(planes & m->sr[2], p))
            continue;
        for (unsigned n = 0; n < 8; n++)
            val |= model_bit(m, p, n, cpu) << n;
        m->plane[p][at] = val;
    }
}

static uint8_t model_read(struct model *m, unsigned off)
{
    unsigned planes, at = model_at(m, off, false, &planes), p = m->gr[4];
    uint8_t val = 0;

    for (unsigned i = 0; i < 4; i++)
        m->latch[i] = m->plane[i][at];
    if (m->gr[5] & 8) {
        for (unsigned n = 0; n < 8; n++) {
            bool same = true;

            for (unsigned i = 0; i < 4; i++)
                same &= !bit(m->gr[7], i) || bit(m->latch[i], n) == bit(m->gr[2], i);
            val |= same << n;
        }
        return val;
    }
    if (m->sr[4] & 8)
        p = off & 3;
    else if (planes != 15)
        p = (p & 2) | (off & 1);
    return m->latch[p];
}

static bool model_matches(const struct qt *t)
{
    for (unsigned off = 0; off < SPAN; off++) {
        for (unsigned p = 0; p < 4; p++) {
            if (t->vram[off * 4 + p] != model.plane[p][off])
                return false;
        }
    }
    return true;
}

static void model_sr(struct qt *t, unsigned i, uint8_t val)
{
    model.sr[i] = val;
    set_sr(t, i, val);
}

static void model_gr(struct qt *t, unsigned i, uint8_t val)
{
    model.gr[i] = val;
    set_gr(t, i, val);
}

static void random_registers(struct qt *t, uint64_t *seed)
{
    static const uint8_t memory[] = { 0x02, 0x06, 0x06, 0x0e };
    static const uint8_t gr_mask[] = { 15, 15, 15, 0x1f, 3, 0x1b, 0, 15, 0xff };
    unsigned plain = rnd(seed) % 3;

    model_sr(t, 2, rnd(seed) % 4 ? 15 : rnd(seed) & 15);
    model_sr(t, 4, memory[rnd(seed) % 4]);
    for (unsigned i = 0; i < 9; i++)
        model_gr(t, i, plain ? 0 : rnd(seed) & gr_mask[i]);
    if (plain) { /* what takes the short ways */
        model_gr(t, 8, 0xff);
        if (plain == 2)
            model_sr(t, 2, 3);
    }
    model_gr(t, 6, 0x05); /* 64 KiB at a0000 */
}

static void random_access(struct qt *t, uint64_t *seed)
{
    unsigned width = 1u << rnd(seed) % 4;
    unsigned off = (rnd(seed) & 0xffff) & ~(width - 1);
    uint64_t val = rnd(seed) | (uint64_t)rnd(seed) << 32, expected = 0;

    if (rnd(seed) % 3) {
        mmio_write(t, 0xa0000 + off, val, width);
        for (unsigned i = 0; i < width; i++)
            model_write(&model, off + i, val >> (8 * i));
        return;
    }
    for (unsigned i = 0; i < width; i++)
        expected |= (uint64_t)model_read(&model, off + i) << (8 * i);
    CHECK_EQ(mmio_read(t, 0xa0000 + off, width), expected);
}

TEST(every_mode_is_the_models)
{
    struct qt *t = vga_world().t;
    uint64_t seed = 12345;

    qt_no_reload(t, "many accesses");
    memset(&model, 0, sizeof(model));
    outb(t, 0x3c2, 3);
    for (unsigned i = 0; i < 3000; i++) {
        random_registers(t, &seed);
        for (unsigned k = 0; k < 20; k++)
            random_access(t, &seed);
    }
    CHECK(model_matches(t));
}

TEST(latches_survive_save_and_load)
{
    struct qt *t = vga_world().t;

    set_mode(t, &mode_12);
    for (unsigned i = 0; i < 4; i++)
        t->vram[100 * 4 + i] = (uint8_t)(0x11 * (i + 1));
    mmio_read(t, 0xa0000 + 100, 1);
    set_gr(t, 5, 1); /* write mode 1: copy the latches */
    mmio_write(t, 0xa0000 + 200, 0, 1);
    CHECK(!memcmp(t->vram + 200 * 4, t->vram + 100 * 4, 4));
    set_gr(t, 4, 2);
    CHECK_EQ(get_cr(t, 0x22), 0x33);
}

TEST(the_window_is_where_gr06_says)
{
    static const struct {
        uint32_t base, end;
    } map[4] = {
        { 0xa0000, 0xc0000 }, { 0xa0000, 0xb0000 }, { 0xb0000, 0xb8000 }, { 0xb8000, 0xc0000 }
    };
    struct qt *t = vga_world().t;

    set_mode(t, &mode_12);
    memset(t->vram, 0x77, 0x40000);
    for (unsigned i = 0; i < 4; i++) {
        set_gr(t, 6, (uint8_t)(i << 2 | 1));
        for (uint32_t at = 0xa0000; at < 0xc0000; at += 0x4000)
            CHECK_EQ(mmio_read(t, at, 1), at >= map[i].base && at < map[i].end ? 0x77 : 0xff);
    }
    set_gr(t, 6, 5);
    outb(t, 0x3c2, 0xe1); /* memory off */
    CHECK_EQ(mmio_read(t, 0xa0000, 4), 0xffffffff);
    mmio_write(t, 0xa0000, 0, 4);
    CHECK_EQ(t->vram[0], 0x77);
}

TEST(text_writes_of_all_widths)
{
    struct qt *t = vga_world().t;

    set_mode(t, &mode_3);
    mmio_write(t, 0xb8000, 0x1f48, 2);
    mmio_write(t, 0xb8002, 'i', 1);
    mmio_write(t, 0xb8003, 0x1e, 1);
    mmio_write(t, 0xb8008, 0x0744074307420741, 8);
    CHECK(t->vram[0] == 'H' && t->vram[1] == 0x1f);
    CHECK(t->vram[8] == 'i' && t->vram[9] == 0x1e);
    CHECK(t->vram[4 * 8] == 'A' && t->vram[7 * 8] == 'D' && t->vram[7 * 8 + 1] == 7);
    CHECK_EQ(mmio_read(t, 0xb8000, 4), 0x1e691f48);
    CHECK_EQ(mmio_read(t, 0xb8008, 8), 0x0744074307420741);
}
