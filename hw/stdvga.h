/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/stdvga.h: what the files of the standard VGA card share: vga.c and vbe.c. */
#pragma once
#include "hw/vga.h"

enum {
    VBE_ID,
    VBE_XRES,
    VBE_YRES,
    VBE_BPP,
    VBE_ENABLE,
    VBE_BANK,
    VBE_VIRT_WIDTH,
    VBE_VIRT_HEIGHT,
    VBE_X_OFFSET,
    VBE_Y_OFFSET,
    VBE_REGS,
    VBE_MEMORY_64K = VBE_REGS
};
#define VBE_ENABLED  0x01
#define VBE_GETCAPS  0x02
#define VBE_8BIT_DAC 0x20
#define VBE_LFB      0x40
#define VBE_NOCLEAR  0x80

struct stdvga {
    struct vga v;
    struct {
        uint16_t vbe[VBE_REGS];
        uint16_t vbe_index;
        struct vga_regs vga;
        uint8_t vbe_low; /* first half of a data write by bytes */
        bool big_endian;
    } s;
};

#define stdvga_of(devp) container_of((devp), struct stdvga, v.pci.dev)

/* vbe.c */
uint16_t vbe_read(struct stdvga *v, unsigned index);
void vbe_write(struct stdvga *v, unsigned index, uint16_t val);
uint64_t vbe_index_read(struct device *dev, uint64_t off, unsigned width);
void vbe_index_write(struct device *dev, uint64_t off, uint64_t val, unsigned width);
uint64_t vbe_data_read(struct device *dev, uint64_t off, unsigned width);
void vbe_data_write(struct device *dev, uint64_t off, uint64_t val, unsigned width);
uint64_t vbe_high_read(struct device *dev, uint64_t off, unsigned width);
void vbe_high_write(struct device *dev, uint64_t off, uint64_t val, unsigned width);
bool vbe_valid(const struct stdvga *v);
bool vbe_view(const struct vga *v, struct vga_view *w);
bool vbe_window(const struct vga *v, struct vga_window *w);
bool vbe_enabled(const struct vga *v);
bool vbe_dac_8bit(const struct vga *v);
