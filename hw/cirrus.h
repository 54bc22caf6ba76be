/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/cirrus.h: what the files of the Cirrus share. cirrus.c is the PCI card,
 * cirrus-regs.c the registers that a VGA does not have, cirrus-mem.c its
 * windows to video memory, cirrus-view.c the picture and the pointer,
 * cirrus-blt.c the blitter and cirrus-rop.c what it does to a line.
 */
#pragma once
#include "hw/ddc.h"
#include "hw/vga.h"

#define CIRRUS_VRAM      (4u << 20)
#define CIRRUS_MASK      (CIRRUS_VRAM - 1)
#define CIRRUS_SRS       0x20
#define CIRRUS_GRS       0x40
#define CIRRUS_CRS       0x40
#define CIRRUS_BLT_WIDTH 8192 /* bytes of a line, at most */
#define CIRRUS_MMIO      0x100

/* Sequencer */
#define SR_KEY       0x06
#define SR_EXT_MODE  0x07
#define SR_DDC       0x08
#define SR_DRAM      0x0f
#define SR_CURSOR_X  0x10
#define SR_CURSOR_Y  0x11
#define SR_CURSOR    0x12
#define SR_PATTERN   0x13
#define SR_BUS       0x17
#define KEY_OPEN     0x12
#define KEY_LOCKED   0x0f
#define EXT_PACKED   0x01 /* SR07: 256 and more colours, linear memory */
#define CURSOR_ON    0x01
#define CURSOR_DAC   0x02 /* 3c8 and 3c9 are the pointer's colours */
#define CURSOR_64    0x04
#define BUS_MMIO     0x04 /* SR17: the blitter's registers are in memory … */
#define BUS_MMIO_LFB 0x40 /* … at the end of the frame buffer, not at b8000 */

/* Graphics controller */
#define GR_BANK0       0x09
#define GR_BANK1       0x0a
#define GR_EXT         0x0b
#define GR_BG1         0x10
#define GR_FG1         0x11
#define GR_BG2         0x12
#define GR_FG2         0x13
#define GR_BG3         0x14
#define GR_FG3         0x15
#define GR_BLT_FIRST   0x20
#define GR_BLT_DST_TOP 0x2a
#define GR_BLT_MODE    0x30
#define GR_BLT_START   0x31
#define GR_BLT_EXT     0x33
#define GREXT_DUAL     0x01
#define GREXT_BY8      0x02
#define GREXT_WRITE    0x04 /* write modes 4 and 5 */
#define GREXT_16BIT    0x10
#define GREXT_16K      0x20

/* GR30 */
#define BLT_BACKWARD    0x01
#define BLT_TO_SYSTEM   0x02
#define BLT_FROM_SYSTEM 0x04
#define BLT_TRANSPARENT 0x08
#define BLT_PATTERN     0x40
#define BLT_EXPAND      0x80
/* GR33 */
#define BLTX_DWORDS 0x01
#define BLTX_INVERT 0x02
#define BLTX_SOLID  0x04
/* GR31 */
#define START_BUSY  0x01
#define START_GO    0x02
#define START_RESET 0x04
#define START_MOVES 0x08
#define START_FULL  0x10
#define START_AUTO  0x80

enum blt_phase { BLT_IDLE, BLT_RUN, BLT_FEED, BLT_DRAIN, BLT_PHASES };

struct cirrus_blt {    /* one operation, as its registers were when it began */
    uint32_t dst, src; /* of the line that is next */
    uint32_t fg, bg;
    uint16_t width, height; /* bytes; lines that are left, 0: none */
    uint16_t dst_pitch, src_pitch;
    uint16_t key, key_mask;
    uint8_t mode, ext, rop, skip;
};

struct cirrus_pointer {
    uint32_t size; /* 0: none, 32 or 64 */
    uint32_t x, y;
    uint32_t colour[2];
    uint8_t bits[1024];
};

struct cirrus {
    struct vga v;
    uint64_t placed;             /* where video memory is for the guest's CPU, 0: nowhere */
    struct cirrus_pointer drawn; /* in the last frame */
    struct {
        struct timer step;   /* the blitter goes on */
        struct timer linger; /* memory stays trapped after a transfer: more may follow */
        struct cirrus_blt blt, next;
        struct vga_regs vga;
        uint16_t cursor_x, cursor_y;
        uint16_t fed; /* bytes in feed (into the chip), or taken of the line (out of it) */
        uint16_t row; /* of the pattern */
        uint8_t sr[CIRRUS_SRS], gr[CIRRUS_GRS], cr[CIRRUS_CRS]; /* those beyond the VGA's */
        uint8_t hidden_dac, hidden_reads;
        uint8_t cursor_dac[48];
        uint8_t phase; /* enum blt_phase */
        bool queued;   /* next is waiting */
        struct ddc ddc;
        uint8_t feed[CIRRUS_BLT_WIDTH];
    } s;
};

#define cirrus_of(devp) container_of((devp), struct cirrus, v.pci.dev)
static inline const struct cirrus *cirrus_of_vga(const struct vga *v)
{
    return container_of(v, const struct cirrus, v);
}

/* cirrus-regs.c */
uint8_t cirrus_port_read(struct vga *v, unsigned port);
void cirrus_port_write(struct vga *v, unsigned port, uint8_t val);
uint8_t cirrus_mmio_read(struct cirrus *c, unsigned off); /* off: 0-ff of the blitter's registers */
void cirrus_mmio_write(struct cirrus *c, unsigned off, uint8_t val);
bool cirrus_regs_valid(const struct cirrus *c);
void cirrus_regs_reset(struct cirrus *c);

/* cirrus-mem.c: the window at a0000, BAR 0. */
uint64_t cirrus_window_read(struct device *dev, uint64_t off, unsigned width);
void cirrus_window_write(struct device *dev, uint64_t off, uint64_t val, unsigned width);
uint64_t cirrus_lfb_read(struct device *dev, uint64_t off, unsigned width);
void cirrus_lfb_write(struct device *dev, uint64_t off, uint64_t val, unsigned width);
bool cirrus_traps(const struct cirrus *c); /* may the guest's CPU not reach memory by itself? */

/* cirrus-view.c */
bool cirrus_view(const struct vga *v, struct vga_view *w);
bool cirrus_pointer_lines(struct vga *v, uint32_t *y0, uint32_t *y1);
void cirrus_pointer_draw(const struct vga *v, uint32_t y, uint32_t *line, uint32_t width);

/* cirrus-blt.c */
void cirrus_blt_start(struct cirrus *c);
void cirrus_blt_stop(struct cirrus *c);
uint8_t cirrus_blt_status(struct cirrus *c); /* of GR31; a busy blitter does a step's work */
/* The processor's part in a transfer: when phase is BLT_FEED, or BLT_DRAIN. */
void cirrus_blt_feed(struct cirrus *c, uint64_t val, unsigned width);
uint64_t cirrus_blt_drain(struct cirrus *c, unsigned width);
void cirrus_blt_step(void *c); /* the timer's */
bool cirrus_blt_valid(const struct cirrus *c);

/* cirrus-rop.c: line s.blt.dst, with the source from the processor in s.feed or from memory. */
void cirrus_blt_line(struct cirrus *c);
unsigned cirrus_blt_pixel(const struct cirrus_blt *b);  /* bytes */
unsigned cirrus_blt_source(const struct cirrus_blt *b); /* bytes of source a line takes (or, of a
                                                           pattern, all of it) */
void cirrus_mark(struct cirrus *c, uint32_t addr, uint32_t len);
