/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random accesses to everything the device model owns, the same for the Linux guest and for the
 * bare one that starts from the boot sector: both include this file.
 */
#pragma once
#include <stdint.h>

struct fuzz {
    uint64_t rng, count;
    int wild;          /* also what resets the machine or switches it off */
    uint32_t bars[64]; /* where memory BARs were when we began */
    unsigned nbars;
};

static inline void io_write(uint16_t port, uint32_t v, unsigned width)
{
    if (width == 1)
        __asm__ volatile("outb %b0, %w1" : : "a"(v), "d"(port));
    else if (width == 2)
        __asm__ volatile("outw %w0, %w1" : : "a"(v), "d"(port));
    else
        __asm__ volatile("outl %0, %w1" : : "a"(v), "d"(port));
}

static inline uint32_t io_read(uint16_t port, unsigned width)
{
    uint32_t v = 0;

    if (width == 1)
        __asm__ volatile("inb %w1, %b0" : "+a"(v) : "d"(port));
    else if (width == 2)
        __asm__ volatile("inw %w1, %w0" : "+a"(v) : "d"(port));
    else
        __asm__ volatile("inl %w1, %0" : "+a"(v) : "d"(port));
    return v;
}

/* The user of this file says how to reach guest-physical memory; NULL: not there. */
static volatile void *fuzz_mem(struct fuzz *f, uint32_t addr);

static const struct {
    uint16_t first, last;
} fuzz_ports[] = {
    { 0x0, 0xf },       { 0x10, 0x1f },     { 0x60, 0x60 },     { 0x64, 0x64 },
    { 0x70, 0x71 },     { 0x80, 0x8f },     { 0x92, 0x92 },     { 0xb2, 0xb3 },
    { 0xc0, 0xdf },     { 0xf0, 0xf0 },     { 0x170, 0x177 },   { 0x1ce, 0x1d1 },
    { 0x1f0, 0x1f7 },   { 0x2e8, 0x2ef },   { 0x2f8, 0x2ff },   { 0x376, 0x376 },
    { 0x3b4, 0x3b5 },   { 0x3ba, 0x3ba },   { 0x3c0, 0x3cf },   { 0x3d4, 0x3d5 },
    { 0x3da, 0x3da },   { 0x3e8, 0x3ef },   { 0x3f0, 0x3f7 },   { 0x3f8, 0x3ff },
    { 0x510, 0x51b },   { 0xae00, 0xae17 }, { 0xaf00, 0xaf1f }, { 0xafe0, 0xafe3 },
    { 0xb004, 0xb005 }, { 0xb100, 0xb13f }, { 0xc000, 0xc2ff }, { 0xcf8, 0xcff },
};
#define FUZZ_PORTS (sizeof(fuzz_ports) / sizeof(fuzz_ports[0]))

static inline uint32_t fuzz_random(struct fuzz *f)
{
    f->rng ^= f->rng << 13;
    f->rng ^= f->rng >> 7;
    f->rng ^= f->rng << 17;
    return f->rng >> 16;
}

/* Values that devices find interesting more often than chance would have it. */
static inline uint32_t fuzz_value(struct fuzz *f)
{
    static const uint32_t odd[] = { 0,      1,      0x80,    0xff,       0x100,      0x7fff,
                                    0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff };
    uint32_t r = fuzz_random(f);

    switch (r & 7) {
    case 0:
        return odd[(r >> 3) % (sizeof(odd) / sizeof(odd[0]))];
    case 1:
        return 1u << (r >> 3) % 32;
    case 2:
        return r >> 24;
    default:
        return r ^ fuzz_random(f) << 11;
    }
}

/* What would end the test instead of testing: reset, power off. */
static inline int fuzz_forbidden(uint16_t port, uint32_t v, unsigned width)
{
    for (unsigned i = 0; i < width; i++, port++, v >>= 8) {
        uint8_t b = v;

        if (port == 0xcf9 || (port == 0x64 && b >= 0xf0) || (port == 0x92 && (b & 1)))
            return 1;
        if (port == 0x64 && b == 0xd1) /* the next byte to 60 could be a reset */
            return 1;
        if (port == 0xb005 && (b & 0x20)) /* SLP_EN */
            return 1;
    }
    return 0;
}

static inline void fuzz_port(struct fuzz *f, uint16_t port)
{
    uint32_t r = fuzz_random(f), v = fuzz_value(f);
    unsigned width = 1u << (r & 3) % 3;

    if (r & 4)
        io_read(port, width);
    else if (f->wild || !fuzz_forbidden(port, v, width))
        io_write(port, v, width);
}

static inline void fuzz_config(struct fuzz *f)
{
    uint32_t r = fuzz_random(f), devfn = r % 48, reg = r >> 8 & 0xff;

    io_write(0xcf8, 0x80000000 | devfn << 8 | (reg & 0xfc), 4);
    /* The PM base of 01.3 stays, for else nothing is forbidden any more. */
    if (!f->wild && devfn == 11 && (reg & 0xfc) >= 0x40)
        return;
    fuzz_port(f, 0xcfc + (reg & 3));
}

static inline void fuzz_memory(struct fuzz *f)
{
    uint32_t r = fuzz_random(f), v = fuzz_value(f), addr;
    volatile void *p;

    if (!f->nbars || (r & 3))
        addr = 0xa0000 + (fuzz_random(f) & 0x1fff8);
    else
        addr = f->bars[(r >> 4) % f->nbars] + (fuzz_random(f) & (r & 8 ? 0xff8 : 0xfffff8));
    p = fuzz_mem(f, addr);
    if (!p)
        return;
    switch (r >> 12 & 7) {
    case 0:
        (void)*(volatile uint8_t *)p;
        break;
    case 1:
        (void)*(volatile uint16_t *)p;
        break;
    case 2:
        (void)*(volatile uint32_t *)p;
        break;
    case 3:
        *(volatile uint8_t *)p = v;
        break;
    case 4:
        *(volatile uint16_t *)p = v;
        break;
    default:
        *(volatile uint32_t *)p = v;
        break;
    }
}

/*
 * A register file is reached by the right sequence, not by luck alone: an index followed by data,
 * a command with its parameters. So one step often stays with one device for a few accesses.
 */
static inline void fuzz_step(struct fuzz *f)
{
    uint32_t r = fuzz_random(f), i = r % (FUZZ_PORTS + 6), n = 1 + (r >> 12) % 8;

    for (; n; n--, f->count++) {
        if (i < FUZZ_PORTS) {
            unsigned span = fuzz_ports[i].last - fuzz_ports[i].first + 1;

            fuzz_port(f, fuzz_ports[i].first + fuzz_random(f) % span);
        } else if (i < FUZZ_PORTS + 2) {
            fuzz_config(f);
        } else {
            fuzz_memory(f);
        }
    }
}

/* Finds the memory BARs of bus 0 as the firmware has set them. */
static inline void fuzz_find_bars(struct fuzz *f)
{
    for (uint32_t devfn = 0; devfn < 256 && f->nbars < 64; devfn++)
        for (uint32_t reg = 0x10; reg < 0x28 && f->nbars < 64; reg += 4) {
            uint32_t bar;

            io_write(0xcf8, 0x80000000 | devfn << 8 | reg, 4);
            bar = io_read(0xcfc, 4);
            if (bar && bar != 0xffffffff && !(bar & 1) && bar >= 0x80000000)
                f->bars[f->nbars++] = bar & ~15u;
        }
}
