/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA's window at a0000-bffff and the graphics controller behind it: IBM
 * PS/2 Hardware Interface Technical Reference, "Video Subsystem", and FreeVGA,
 * "Accessing the VGA Display Memory". The four planes lie side by side: plane
 * p of offset o is byte 4 * o + p of video memory. A card may make a plain bank
 * of the window instead (PATH_LINEAR).
 *
 * Not modelled: the page bit of odd/even modes (misc bit 5): offset bit 0 is 0.
 */
#include "hw/vga.h"

/* GR06 bits 3-2: which part of a0000-bffff answers. */
static const struct {
    uint32_t start, size;
} memory_map[4] = {
    { 0x00000, 0x20000 }, { 0x00000, 0x10000 }, { 0x10000, 0x8000 }, { 0x18000, 0x8000 }
};

/* The bits of the low nibble as bytes of ones. */
static uint32_t expand(unsigned planes)
{
    static const uint32_t table[16] = {
        0x00000000, 0x000000ff, 0x0000ff00, 0x0000ffff, 0x00ff0000, 0x00ff00ff,
        0x00ffff00, 0x00ffffff, 0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ffff,
        0xffff0000, 0xffff00ff, 0xffffff00, 0xffffffff,
    };

    return table[planes & 15];
}

/* Does the graphics controller pass bytes as they are? */
static bool gc_transparent(const struct vga *v)
{
    const uint8_t *gr = v->r->gr;

    return !(gr[GR_MODE] & 3) && !gr[GR_SET_ENABLE] && !gr[GR_FUNCTION] && gr[GR_BITS] == 0xff;
}

void vga_mem_sync(struct vga *v)
{
    struct vga_window *w = &v->window;
    unsigned map = v->r->gr[GR_MISC] >> 2 & 3;

    w->start = memory_map[map].start;
    w->size = memory_map[map].size;
    w->bank = 0;
    w->mask = VGA_PLANES_SIZE / 4 - 1;
    w->path = PATH_PLANAR;
    if (v->ops->window && v->ops->window(v, w))
        return;
    if (!(v->r->misc & MISC_RAM))
        w->path = PATH_CLOSED;
    else if (w->bank || !gc_transparent(v))
        w->path = PATH_PLANAR;
    else if ((v->r->sr[SR_MEMORY] & SR_MEM_CHAIN4) && v->r->sr[SR_PLANES] == 0xf)
        w->path = PATH_CHAIN4;
    else if (!(v->r->sr[SR_MEMORY] & (SR_MEM_CHAIN4 | SR_MEM_NOT_OE)) && v->r->sr[SR_PLANES] == 3)
        w->path = PATH_TEXT;
}

/* Chain 4: address bits 15-14 take the place of the two that choose the plane. */
static uint32_t chain4_off(uint32_t off)
{
    return (off & ~3u) | (off >> 14 & 3);
}

/* Plane offset of a byte of the window, and which of the planes a write reaches. */
static uint32_t write_target(const struct vga *v, uint32_t off, unsigned *planes)
{
    *planes = v->r->sr[SR_PLANES];
    if (v->r->sr[SR_MEMORY] & SR_MEM_CHAIN4) {
        *planes &= 1 << (off & 3);
        off = chain4_off(off);
    } else if (!(v->r->sr[SR_MEMORY] & SR_MEM_NOT_OE)) {
        *planes &= off & 1 ? 0xa : 0x5;
        off &= ~1u;
    }
    return (off + v->window.bank) & v->window.mask;
}

static uint32_t get_latch(const struct vga *v)
{
    uint32_t val;

    memcpy(&val, v->r->latch, 4);
    return val;
}

/* GR03 bits 4-3. */
static uint32_t logical(unsigned function, uint32_t data, uint32_t latch)
{
    switch (function >> 3 & 3) {
    case 1:
        return data & latch;
    case 2:
        return data | latch;
    case 3:
        return data ^ latch;
    default:
        return data;
    }
}

/* What the four planes would take of one byte from the CPU: GR05 bits 1-0. */
static uint32_t gc_data(const struct vga *v, uint8_t val)
{
    const uint8_t *gr = v->r->gr;
    uint32_t latch = get_latch(v), set = expand(gr[GR_SET]), data, enable;
    unsigned rotate = gr[GR_FUNCTION] & GR_FUNC_ROTATE;
    uint8_t bits = gr[GR_BITS], rotated = val >> rotate | val << (8 - rotate);

    switch (gr[GR_MODE] & 3) {
    case 0:
        enable = expand(gr[GR_SET_ENABLE]);
        data = (rotated * 0x01010101u & ~enable) | (set & enable);
        break;
    case 1:
        return latch;
    case 2:
        data = expand(val);
        break;
    default:
        data = set;
        bits &= rotated;
        break;
    }
    data = logical(gr[GR_FUNCTION], data, latch);
    return (data & bits * 0x01010101u) | (latch & ~(bits * 0x01010101u));
}

static void planar_write(struct vga *v, uint32_t off, uint8_t val)
{
    unsigned planes;
    uint32_t at = write_target(v, off, &planes), keep = ~expand(planes), now = vga_planes(v, at);

    now = (now & keep) | (gc_data(v, val) & ~keep);
    memcpy(v->vram + (size_t)at * 4, &now, 4);
    vga_mark(v, at * 4);
}

/* Four bytes of the window are the four planes of one offset. */
static void chain4_write(struct vga *v, uint32_t off, uint64_t val, unsigned width)
{
    unsigned n = width < 4 ? width : 4;

    for (; width; width -= n, off += n, val >>= 32) {
        uint32_t at = (chain4_off(off) & v->window.mask) * 4 + (off & 3);

        memcpy(v->vram + at, &val, n);
        vga_mark(v, at);
    }
}

/* Odd/even, planes 0 and 1: character and attribute of a cell are two bytes side by side. */
static void text_write(struct vga *v, uint32_t off, uint64_t val, unsigned width)
{
    unsigned n = width < 2 ? width : 2;

    for (; width; width -= n, off += n, val >>= 16) {
        uint32_t at = (off & ~1u & v->window.mask) * 4 + (off & 1);

        memcpy(v->vram + at, &val, n);
        vga_mark(v, at);
    }
}

static void linear_write(struct vga *v, uint32_t off, uint64_t val, unsigned width)
{
    uint64_t at = (uint64_t)v->window.bank + off;

    if (at + width > v->vram_size)
        return;
    memcpy(v->vram + at, &val, width);
    vga_mark(v, at);
}

void vga_mem_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct vga *v = vga_of(dev);

    off -= v->window.start;
    if (off >= v->window.size)
        return;
    switch (v->window.path) {
    case PATH_TEXT:
        text_write(v, off, val, width);
        break;
    case PATH_CHAIN4:
        chain4_write(v, off, val, width);
        break;
    case PATH_LINEAR:
        linear_write(v, off, val, width);
        break;
    case PATH_PLANAR:
        for (unsigned i = 0; i < width; i++)
            planar_write(v, off + i, val >> (8 * i));
        break;
    default:
        break;
    }
}

/* Read mode 1: a one where all the planes one cares for have the colour GR02. */
static uint8_t colour_compare(const struct vga *v, uint32_t planes)
{
    uint32_t differ = (planes ^ expand(v->r->gr[GR_COMPARE])) & expand(v->r->gr[GR_CARE]);

    differ |= differ >> 16;
    differ |= differ >> 8;
    return ~differ;
}

static uint8_t planar_read(struct vga *v, uint32_t off)
{
    unsigned plane = v->r->gr[GR_READ_PLANE];
    uint32_t planes;

    if (v->r->sr[SR_MEMORY] & SR_MEM_CHAIN4) {
        plane = off & 3;
        off = chain4_off(off);
    } else if (v->r->gr[GR_MODE] & GR_MODE_OE) {
        plane = (plane & 2) | (off & 1);
        off &= ~1u;
    }
    planes = vga_planes(v, (off + v->window.bank) & v->window.mask);
    memcpy(v->r->latch, &planes, 4);
    if (v->r->gr[GR_MODE] & GR_MODE_READ1)
        return colour_compare(v, planes);
    return planes >> (8 * (plane & 3));
}

uint64_t vga_mem_read(struct device *dev, uint64_t off, unsigned width)
{
    struct vga *v = vga_of(dev);
    uint64_t val = 0, at;

    off -= v->window.start;
    if (off >= v->window.size || v->window.path == PATH_CLOSED)
        return ~0ULL;
    if (v->window.path == PATH_LINEAR) {
        at = v->window.bank + off;
        if (at + width > v->vram_size)
            return ~0ULL;
        memcpy(&val, v->vram + at, width);
        return val;
    }
    for (unsigned i = 0; i < width; i++)
        val |= (uint64_t)planar_read(v, off + i) << (8 * i);
    return val;
}
