/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Cirrus' windows to video memory: CL-GD5446 Technical Reference Manual,
 * "Memory apertures", GR09-GR0B, SR17. In the VGA's own modes the window at
 * a0000 is the VGA's. In packed modes it shows one bank of 64 KiB or two of 32,
 * and bytes written in modes 4 and 5 are eight pixels in the two colours. BAR 0
 * has the memory four times (as it is, with bytes swapped in words and in
 * doublewords, as it is) and, from 16 MiB on, a place for the blitter's data.
 *
 * The guest's CPU reaches memory through BAR 0 by itself except while a write
 * means something else: a blit that waits for data, write modes 4 and 5, or the
 * blitter's registers at the end of the memory.
 */
#include "hw/cirrus.h"

#define MMIO_LOW       0x18000 /* b8000, in the window at a0000 */
#define BANK           0x8000
#define APERTURE       (4u << 20)
#define APERTURE_DATA  4 /* this one and all above */
#define WRITE_EXPAND   4 /* GR05 bits 2-0 */
#define WRITE_EXPAND_2 5

static bool packed(const struct cirrus *c)
{
    return c->s.sr[SR_EXT_MODE] & EXT_PACKED;
}

static bool waits_for_data(const struct cirrus *c)
{
    return c->s.phase == BLT_FEED || c->s.phase == BLT_DRAIN;
}

/* GR05 bits 2-0 where they have a third bit; 0: a plain write. */
static unsigned write_mode(const struct cirrus *c)
{
    unsigned mode = (c->s.vga.gr[GR_MODE] & 3) | (c->s.gr[GR_MODE] & 4);

    if (!packed(c) || !(c->s.gr[GR_EXT] & GREXT_WRITE))
        return 0;
    return mode == WRITE_EXPAND || mode == WRITE_EXPAND_2 ? mode : 0;
}

static bool pixels_of_16(const struct cirrus *c)
{
    return (c->s.gr[GR_EXT] & (GREXT_16BIT | GREXT_WRITE)) == (GREXT_16BIT | GREXT_WRITE);
}

/* A byte of the window may stand for eight pixels. */
static unsigned address_shift(const struct cirrus *c)
{
    if (!packed(c))
        return 0;
    if (pixels_of_16(c))
        return 4;
    return c->s.gr[GR_EXT] & GREXT_BY8 ? 3 : 0;
}

static bool mmio_at_end(const struct cirrus *c)
{
    return (c->s.sr[SR_BUS] & (BUS_MMIO | BUS_MMIO_LFB)) == (BUS_MMIO | BUS_MMIO_LFB);
}

bool cirrus_traps(const struct cirrus *c)
{
    return waits_for_data(c) || c->s.linger.at != TIMER_OFF || write_mode(c) || address_shift(c) ||
           mmio_at_end(c);
}

/* ---- bytes of packed memory ---- */

/* Eight pixels, the highest bit first; mode 4 leaves those of clear bits alone. */
static void write_expanded(struct cirrus *c, uint32_t addr, uint8_t bits)
{
    unsigned bytes = pixels_of_16(c) ? 2 : 1;
    const uint8_t *gr = c->s.gr;
    uint8_t colour[2][2] = { { gr[0], gr[GR_BG1] }, { gr[1], gr[GR_FG1] } };
    bool all = write_mode(c) == WRITE_EXPAND_2;

    for (unsigned x = 0; x < 8; x++) {
        bool on = bits << x & 0x80;

        for (unsigned k = 0; k < bytes && (on || all); k++)
            c->v.vram[(addr + x * bytes + k) & CIRRUS_MASK] = colour[on][k];
    }
    cirrus_mark(c, addr, 8 * bytes);
}

static uint8_t packed_read(const struct cirrus *c, uint32_t addr)
{
    return c->v.vram[(addr << address_shift(c)) & CIRRUS_MASK];
}

static void packed_write(struct cirrus *c, uint32_t addr, uint8_t val)
{
    addr = (addr << address_shift(c)) & CIRRUS_MASK;
    if (write_mode(c)) {
        write_expanded(c, addr, val);
        return;
    }
    c->v.vram[addr] = val;
    vga_mark(&c->v, addr);
}

/* ---- a0000-bffff ---- */

/* Where an offset of the window is in memory: GR09, and GR0A for the upper half where there are
 * two. */
static uint32_t bank_address(const struct cirrus *c, uint32_t off)
{
    uint8_t ext = c->s.gr[GR_EXT];
    unsigned shift = ext & GREXT_16K ? 14 : 12, bank = GR_BANK0;

    if (ext & GREXT_DUAL && off & BANK) {
        bank = GR_BANK1;
        off &= BANK - 1;
    }
    return ((uint32_t)c->s.gr[bank] << shift) + off;
}

static bool mmio_in_window(const struct cirrus *c, uint64_t off)
{
    return (c->s.sr[SR_BUS] & (BUS_MMIO | BUS_MMIO_LFB)) == BUS_MMIO && off >= MMIO_LOW &&
           off < MMIO_LOW + CIRRUS_MMIO;
}

static uint64_t mmio_read(struct cirrus *c, uint64_t off, unsigned width)
{
    uint64_t val = 0;

    for (unsigned i = 0; i < width; i++)
        val |= (uint64_t)cirrus_mmio_read(c, (off + i) & (CIRRUS_MMIO - 1)) << (8 * i);
    return val;
}

static void mmio_write(struct cirrus *c, uint64_t off, uint64_t val, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        cirrus_mmio_write(c, (off + i) & (CIRRUS_MMIO - 1), val >> (8 * i));
    c->v.pci.dev.type->sync(&c->v.pci.dev);
}

static uint64_t take_data(struct cirrus *c, unsigned width)
{
    uint64_t val = c->s.phase == BLT_DRAIN ? cirrus_blt_drain(c, width) : ~0ULL;

    c->v.pci.dev.type->sync(&c->v.pci.dev);
    return val;
}

static void give_data(struct cirrus *c, uint64_t val, unsigned width)
{
    cirrus_blt_feed(c, val, width);
    c->v.pci.dev.type->sync(&c->v.pci.dev);
}

uint64_t cirrus_window_read(struct device *dev, uint64_t off, unsigned width)
{
    struct cirrus *c = cirrus_of(dev);
    uint64_t val = 0;

    if (mmio_in_window(c, off))
        return mmio_read(c, off, width);
    if (c->s.phase == BLT_DRAIN)
        return take_data(c, width);
    if (!packed(c))
        return vga_mem_read(dev, off, width);
    off -= c->v.window.start;
    for (unsigned i = 0; i < width; i++) {
        uint8_t byte =
            off + i < c->v.window.size ? packed_read(c, bank_address(c, (uint32_t)off + i)) : 0xff;

        val |= (uint64_t)byte << (8 * i);
    }
    return val;
}

void cirrus_window_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct cirrus *c = cirrus_of(dev);

    if (mmio_in_window(c, off)) {
        mmio_write(c, off, val, width);
        return;
    }
    if (c->s.phase == BLT_FEED) {
        give_data(c, val, width);
        return;
    }
    if (!packed(c)) {
        vga_mem_write(dev, off, val, width);
        return;
    }
    off -= c->v.window.start;
    for (unsigned i = 0; i < width && off + i < c->v.window.size; i++)
        packed_write(c, bank_address(c, (uint32_t)off + i), val >> (8 * i));
}

/* ---- BAR 0 ---- */

/* Byte addresses of the two middle apertures, with the ends of words or doublewords swapped. */
static uint32_t swapped(uint32_t off)
{
    static const uint8_t flip[APERTURE_DATA] = { 0, 1, 3, 0 };

    return off ^ flip[off / APERTURE % APERTURE_DATA];
}

static bool mmio_in_lfb(const struct cirrus *c, uint64_t off)
{
    return mmio_at_end(c) && off / APERTURE < APERTURE_DATA &&
           (off & CIRRUS_MASK) >= CIRRUS_VRAM - CIRRUS_MMIO;
}

uint64_t cirrus_lfb_read(struct device *dev, uint64_t off, unsigned width)
{
    struct cirrus *c = cirrus_of(dev);
    uint64_t val = 0;

    if (mmio_in_lfb(c, off))
        return mmio_read(c, off, width);
    if (c->s.phase == BLT_DRAIN || off / APERTURE >= APERTURE_DATA)
        return take_data(c, width);
    for (unsigned i = 0; i < width; i++)
        val |= (uint64_t)packed_read(c, swapped((uint32_t)off + i) & CIRRUS_MASK) << (8 * i);
    return val;
}

void cirrus_lfb_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct cirrus *c = cirrus_of(dev);

    if (mmio_in_lfb(c, off)) {
        mmio_write(c, off, val, width);
        return;
    }
    if (c->s.phase == BLT_FEED || off / APERTURE >= APERTURE_DATA) {
        give_data(c, val, width);
        return;
    }
    for (unsigned i = 0; i < width; i++)
        packed_write(c, swapped((uint32_t)off + i) & CIRRUS_MASK, val >> (8 * i));
}
