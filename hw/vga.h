/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/vga.h: the IBM VGA that every card here has inside. vga-regs.c is its
 * registers, vga-mem.c the window at a0000, vga-view.c what the registers mean
 * for the picture, vga-draw.c, vga-packed.c, vga-planar.c and vga-text.c the
 * picture, vga-card.c what all cards set up alike. A card (vga.c, the standard
 * VGA with Bochs' display interface; cirrus.c) has a struct vga first and says
 * in struct vga_ops where it is more than a VGA.
 */
#pragma once
#include <string.h>
#include "display/display.h"
#include "hw/core/pci.h"
#include "hw/core/state.h"
#include "hw/edid.h"

/* Counts of the registers, and bits that more than one file looks at. */
#define SR_COUNT 5
#define GR_COUNT 9
#define CR_COUNT 25
#define AR_COUNT 21

#define MISC_COLOUR 0x01 /* 3dx; else 3bx */
#define MISC_RAM    0x02
#define MISC_CLOCK  0x0c

enum { SR_RESET, SR_CLOCK, SR_PLANES, SR_FONT, SR_MEMORY };
#define SR_CLOCK_8DOT 0x01
#define SR_CLOCK_HALF 0x08
#define SR_CLOCK_OFF  0x20
#define SR_MEM_NOT_OE 0x04
#define SR_MEM_CHAIN4 0x08

enum {
    GR_SET,
    GR_SET_ENABLE,
    GR_COMPARE,
    GR_FUNCTION,
    GR_READ_PLANE,
    GR_MODE,
    GR_MISC,
    GR_CARE,
    GR_BITS
};
#define GR_MODE_READ1  0x08
#define GR_MODE_OE     0x10
#define GR_MODE_CGA    0x20
#define GR_MODE_256    0x40
#define GR_MISC_GFX    0x01
#define GR_FUNC_ROTATE 0x07

#define CR_MAX_SCAN   0x09
#define CR_CUR_START  0x0a
#define CR_CUR_END    0x0b
#define CR_START_HIGH 0x0c
#define CR_CUR_HIGH   0x0e
#define CR_VRS        0x10
#define CR_VRE        0x11
#define CR_VDE        0x12
#define CR_OFFSET     0x13
#define CR_UNDERLINE  0x14
#define CR_VBS        0x15
#define CR_MODE       0x17
#define CR_LINE_CMP   0x18

#define AR_MODE       0x10
#define AR_PLANES     0x12
#define AR_PAN        0x13
#define AR_COLOUR     0x14
#define AR_MODE_MONO  0x02
#define AR_MODE_LINE  0x04
#define AR_MODE_BLINK 0x08
#define AR_MODE_SPLIT 0x20 /* no panning below the split */
#define AR_MODE_P54S  0x80
#define AR_INDEX_PAS  0x20 /* the palette is the display's; clear: blank */

#define VGA_PAGE_SHIFT  12
#define VGA_PLANES_SIZE (256u << 10) /* what the VGA proper can address of the memory */
#define VGA_FONT_SIZE   (256 * 32)
#define EDID_SIZE       128

/* How the window at a0000 reaches the memory; derived by vga_mem_sync(). */
enum vga_path { PATH_CLOSED, PATH_LINEAR, PATH_CHAIN4, PATH_TEXT, PATH_PLANAR };
struct vga_window {
    uint8_t path;         /* enum vga_path */
    uint32_t start, size; /* the part of a0000-bffff that is memory */
    uint32_t bank;        /* bytes (linear) or plane offset of its first byte */
    uint32_t mask;        /* of plane offsets */
};

enum vga_kind { VIEW_BLANK, VIEW_TEXT, VIEW_PLANAR, VIEW_CGA, VIEW_256, VIEW_PACKED };
#define DEPTH_15MIX 0x8f
enum vga_direct { DIRECT_NOT, DIRECT_GREY, DIRECT_332 };
enum vga_unit { UNIT_BYTE, UNIT_WORD, UNIT_DWORD };

/*
 * What the registers mean for the picture. All words, so that two views are
 * the same picture when their bytes are. An address is the CRTC's counter
 * (one a character clock); in packed modes it is a byte of video memory.
 */
struct vga_view {
    uint32_t kind;           /* enum vga_kind */
    uint32_t width, height;  /* pixels of the surface */
    uint32_t start, pitch;   /* address of the first row, and from row to row */
    uint32_t chars;          /* character clocks a line */
    uint32_t rep;            /* pixels a dot of the character clock: 1 or 2 */
    uint32_t dots;           /* a character: 8 or 9 */
    uint32_t row_scans;      /* row scans a row: 1-32 */
    uint32_t scan_lines;     /* lines a row scan: 1 or 2 */
    uint32_t preset;         /* row scan of the very first line */
    uint32_t pan, pan_below; /* pixels to the left; below the split */
    uint32_t split;          /* the line after this one starts again at address 0 */
    uint32_t unit;           /* enum vga_unit */
    uint32_t wrap_bit;       /* address bit that becomes bit 0 in word units */
    uint32_t slow;           /* address advances every 1 << slow characters */
    uint32_t scan13, scan14; /* row scan bits are offset bits 13, 14 */
    uint32_t mask;           /* of plane offsets */
    uint32_t depth;          /* packed: 8, 15, 16, 24, 32 or DEPTH_15MIX */
    uint32_t direct8;        /* enum vga_direct: packed bytes that are colours without a palette */
    uint32_t big_endian;
    uint32_t font[2];                   /* plane 2 offsets, by attribute bit 3 */
    uint32_t underline;                 /* row scan of it; 32: none */
    uint32_t line_graphics, blink;      /* flags of AR10 */
    uint32_t cursor_first, cursor_last; /* row scans; first > last: none */
};

struct vga_span { /* lines changed so far, not yet told to the display */
    struct display *display;
    uint32_t x0, x1, y0, y1; /* y0 == y1: none */
};

struct vga;

/* The registers of an IBM VGA and the monitor behind it: a part of a card's guest-visible state. */
struct vga_regs {
    uint16_t edid_x, edid_y; /* the mode that the monitor prefers */
    uint8_t latch[4];
    uint8_t dac[768]; /* 8 bits a colour */
    uint8_t dac_cache[3];
    uint8_t dac_sub; /* colour of the three that is next */
    uint8_t dac_read, dac_write, dac_state, pel_mask;
    uint8_t sr_index, sr[SR_COUNT];
    uint8_t gr_index, gr[GR_COUNT];
    uint8_t cr_index, cr[CR_COUNT];
    uint8_t ar_index, ar[AR_COUNT];
    uint8_t misc, feature, enable;
    bool ar_data; /* the next write to 3c0 is data */
};

/*
 * Their lines in a card's state table; R is the path of the struct vga_regs within s. The monitor
 * and ar_data are lines of their own: the monitor is newer than the standard VGA's first state.
 */
#define VGA_MONITOR(T, R, ...)                                                                     \
    VGA_NAMED(T, FIELD, R, edid_x, .max = EDID_MAX_PIXELS, __VA_ARGS__),                           \
        VGA_NAMED(T, FIELD, R, edid_y, .max = EDID_MAX_PIXELS, __VA_ARGS__)
#define VGA_NAMED(T, what, R, m, ...) what(T, R.m, .name = #m, __VA_ARGS__)
#define VGA_FIELDS(T, R, SR_MAX, GR_MAX, CR_MAX)                                                   \
    VGA_NAMED(T, ARRAY, R, latch), VGA_NAMED(T, ARRAY, R, dac), VGA_NAMED(T, ARRAY, R, dac_cache), \
        VGA_NAMED(T, FIELD, R, dac_sub, .max = 2), VGA_NAMED(T, FIELD, R, dac_read),               \
        VGA_NAMED(T, FIELD, R, dac_write), VGA_NAMED(T, FIELD, R, dac_state, .max = 3),            \
        VGA_NAMED(T, FIELD, R, pel_mask), VGA_NAMED(T, FIELD, R, sr_index, .max = SR_MAX),         \
        VGA_NAMED(T, ARRAY, R, sr), VGA_NAMED(T, FIELD, R, gr_index, .max = GR_MAX),               \
        VGA_NAMED(T, ARRAY, R, gr), VGA_NAMED(T, FIELD, R, cr_index, .max = CR_MAX),               \
        VGA_NAMED(T, ARRAY, R, cr), VGA_NAMED(T, FIELD, R, ar_index, .max = 0x3f),                 \
        VGA_NAMED(T, ARRAY, R, ar), VGA_NAMED(T, FIELD, R, misc, .bits = 0xef),                    \
        VGA_NAMED(T, FIELD, R, feature, .bits = 0x0b), VGA_NAMED(T, FIELD, R, enable, .max = 1)

/* Where a card is more than a VGA. Any function may be NULL. */
struct vga_ops {
    uint8_t sr_index, gr_index, cr_index; /* bits that the index registers have */
    /* 3b4-3df; NULL: vga_port_read() and vga_port_write(), which a card's own end in. */
    uint8_t (*port_read)(struct vga *v, unsigned port);
    void (*port_write)(struct vga *v, unsigned port, uint8_t val);
    /* What the card's own registers make of the picture. False: it is the VGA's. */
    bool (*view)(const struct vga *v, struct vga_view *w);
    /* The same of the window at a0000: true when *w is done; else bank and mask are kept. */
    bool (*window)(const struct vga *v, struct vga_window *w);
    bool (*own_timing)(const struct vga *v); /* the frame is not what the CRTC says */
    bool (*dac_8bit)(const struct vga *v);
    /*
     * Before a frame: the card's pointer is on lines *y0 to *y1 - 1, or was when it was drawn
     * last. True: it changed, so those are to be drawn again.
     */
    bool (*pointer_lines)(struct vga *v, uint32_t *y0, uint32_t *y1);
    void (*pointer_draw)(const struct vga *v, uint32_t y, uint32_t *line, uint32_t width);
};

struct vga {
    struct pci_func pci;
    const struct vga_ops *ops;
    struct vga_regs *r;      /* in the card's s */
    struct display *display; /* may be NULL */
    uint8_t *vram;
    uint32_t vram_size;      /* a power of two, at least 4 MiB */
    uint64_t *dirty;         /* a bit a page: written, not yet drawn */
    uint64_t *fetched;       /* scratch of the same size */
    uint8_t edid[EDID_SIZE]; /* of the mode made_x, made_y */
    uint16_t made_x, made_y;
    uint16_t wish_x, wish_y; /* the monitor on the desk: configured, or what a viewer wanted */
    struct vga_window window;

    /* What was drawn last. */
    struct vga_view view;
    uint32_t pal[256];              /* the DAC as pixels */
    uint32_t pal16[16];             /* and through the attribute controller */
    uint8_t font[2][VGA_FONT_SIZE]; /* copies of plane 2 */
    uint32_t *cells;                /* text: what is drawn in each cell */
    uint32_t ncells;
    uint32_t line[SURFACE_MAX_WIDTH + 64];  /* with room for what panning cuts off */
    uint32_t pair16[256][2];                /* pal16 for two pixels at once, the left one high */
    uint32_t pointer_y0, pointer_y1;        /* lines of the card's pointer in this frame */
    bool pointer_new;                       /* it is another than in the last */
    uint32_t over[SURFACE_MAX_WIDTH];       /* a line with the pointer on it */
    uint8_t wrapped[SURFACE_MAX_WIDTH * 4]; /* a line of memory that runs over its end */
    struct vga_span span;
};

#define vga_of(devp) container_of((devp), struct vga, pci.dev)

extern const struct card_ops vga_card_ops; /* vga-card.c */

/* vga-mem.c: the window. sync re-derives v->window from s. */
void vga_mem_sync(struct vga *v);
uint64_t vga_mem_read(struct device *dev, uint64_t off, unsigned width);
void vga_mem_write(struct device *dev, uint64_t off, uint64_t val, unsigned width);

/* vga-regs.c: the registers. port: 3b4-3df; both also serve BAR 2. */
uint8_t vga_port_read(struct vga *v, unsigned port);
void vga_port_write(struct vga *v, unsigned port, uint8_t val);
bool vga_regs_valid(const struct vga *v); /* no bit set that a register does not have */

/* vga-view.c: pure functions of the registers. */
void vga_view_get(const struct vga *v, struct vga_view *view);
void vga_palette_get(const struct vga *v, uint32_t pal[256], uint32_t pal16[16]);
/* Where in a plane an address on a row scan is; every plane access of the drawing asks here. */
uint32_t vga_plane_off(const struct vga_view *view, uint32_t addr, uint32_t scan);

/* A run of lines that show the same row: what the CRTC's counters do in a frame. */
struct vga_band {
    uint32_t y, lines; /* of the surface */
    uint32_t first;    /* line within the row, counted in surface lines */
    uint32_t addr, pan, index;
};
/* The first band (band zeroed), then the next. False after the last. */
bool vga_band_next(const struct vga_view *view, struct vga_band *band);

/* vga-card.c: what cards do alike. The fixed ports of a VGA, for the card's table of windows. */
#define VGA_PORT_RANGE(base, n)                                                                    \
    {                                                                                              \
        IO_PORT, 0x##base, n, 1, vga_##base##_read, vga_##base##_write                             \
    }
#define VGA_PORT_DECL(base)                                                                        \
    uint64_t vga_##base##_read(struct device *dev, uint64_t off, unsigned width);                  \
    void vga_##base##_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
VGA_PORT_DECL(3b4);
VGA_PORT_DECL(3ba);
VGA_PORT_DECL(3c0);
VGA_PORT_DECL(3d4);
VGA_PORT_DECL(3da);
/* Through the card's port_read and port_write; the caller ends in sync. */
uint8_t vga_any_port_read(struct vga *v, unsigned port);
void vga_any_port_write(struct vga *v, unsigned port, uint8_t val);
/* Of init and fini. size: of the video memory, a power of two; BAR 0 is not touched. */
int vga_card_init(struct vga *v, const struct config *cfg, uint32_t size, const char *rom,
                  struct err *err);
void vga_card_free(struct vga *v);
void vga_card_reset(struct vga *v); /* what all cards have after power-on */
void vga_card_sync(struct vga *v);  /* the window and the EDID */
/* Video memory is at this guest address, 0: at none; where it cannot be, the log says so. */
void vga_card_place(struct pci_func *f, uint64_t at);

/* vga-draw.c */
void vga_draw(void *card, struct display *d, bool all);
bool vga_is_dirty(const struct vga *v, uint64_t addr, uint64_t len);
static inline bool vga_pointer_line(const struct vga *v, uint32_t y)
{
    return y >= v->pointer_y0 && y < v->pointer_y1;
}
/* Is this line to be drawn again for the card's pointer? */
static inline bool vga_pointer_came(const struct vga *v, uint32_t y)
{
    return v->pointer_new && vga_pointer_line(v, y);
}
/* Puts a finished line on the surface where it differs, and remembers the damage. */
void vga_put_line(struct vga *v, struct surface *s, uint32_t y, const uint32_t *src);
void vga_span_add(struct vga *v, uint32_t y, uint32_t lines, uint32_t x0, uint32_t x1);

/* vga-packed.c, vga-planar.c, vga-text.c: draw what is dirty, or everything. */
void vga_draw_packed(struct vga *v, struct surface *s, bool full);
void vga_draw_planes(struct vga *v, struct surface *s, bool full);
bool vga_text_prepare(struct vga *v); /* after a change of view; false: no memory */
void vga_draw_text(struct vga *v, struct surface *s, bool full);
char *vga_text(void *card);
/* vga-cells.c: as struct card_ops has it. */
struct screen_cells *vga_cells(void *card);
const uint8_t *vga_rom(void *card, size_t *len);

/* Four plane bytes at a plane offset below the mask. x86 only: little endian both sides. */
static inline uint32_t vga_planes(const struct vga *v, uint32_t off)
{
    uint32_t val;

    memcpy(&val, v->vram + (size_t)off * 4, 4);
    return val;
}

static inline void vga_mark(struct vga *v, uint32_t addr)
{
    uint32_t page = addr >> VGA_PAGE_SHIFT;

    v->dirty[page / 64] |= 1ULL << (page % 64);
}
