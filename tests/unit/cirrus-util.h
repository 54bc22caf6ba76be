/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the Cirrus share: the card in a world, and its registers. */
#pragma once
#include "tests/unit/vga-util.h"

#define LFB  0xf0000000u /* BAR 0 */
#define REGS 0xfa000000u /* BAR 1 */
#define DATA (LFB + 0x1000000u)

static inline struct vga_world cirrus_world(void)
{
    struct vga_world w = { qt_new(), screen() };

    qt_config(w.t, "romfile", "");
    qt_config_obj(w.t, "display", w.d);
    qt_add(w.t, &cirrus_type.dev, VGA_DEVFN);
    cfg_write(w.t, VGA_DEVFN, PCI_BAR0, LFB, 4);
    cfg_write(w.t, VGA_DEVFN, PCI_BAR0 + 4, REGS, 4);
    cfg_write(w.t, VGA_DEVFN, PCI_COMMAND, PCI_COMMAND_MEM | PCI_COMMAND_IO, 2);
    set_sr(w.t, 6, 0x12);
    return w;
}

static inline uint8_t get_gr(struct qt *t, unsigned i)
{
    outb(t, 0x3ce, (uint8_t)i);
    return inb(t, 0x3cf);
}

static inline uint8_t get_sr(struct qt *t, unsigned i)
{
    outb(t, 0x3c4, (uint8_t)i);
    return inb(t, 0x3c5);
}

struct blit {
    unsigned w, h, dst, dst_pitch, src, src_pitch, mode, rop;
};

static inline void blit(struct qt *t, struct blit b)
{
    unsigned val[16] = { b.w - 1,     (b.w - 1) >> 8,   b.h - 1,     (b.h - 1) >> 8,
                         b.dst_pitch, b.dst_pitch >> 8, b.src_pitch, b.src_pitch >> 8,
                         b.dst,       b.dst >> 8,       b.dst >> 16, 0,
                         b.src,       b.src >> 8,       b.src >> 16, 0 };

    for (unsigned i = 0; i < 15; i++)
        set_gr(t, 0x20 + i, (uint8_t)val[i]);
    set_gr(t, 0x30, (uint8_t)b.mode);
    set_gr(t, 0x32, (uint8_t)b.rop);
    set_gr(t, 0x31, 2);
}

/* 640x480 in packed pixels of 8 bits. */
static inline void packed_mode(struct qt *t)
{
    set_mode(t, &mode_12);
    set_cr(t, 0x13, 80);
    set_sr(t, 7, 1);
    set_gr(t, 5, 0x40);
}
