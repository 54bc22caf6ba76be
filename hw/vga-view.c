/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the VGA's registers mean for the picture: geometry, addressing and
 * colours, as pure functions. IBM PS/2 Hardware Interface Technical Reference,
 * "Video Subsystem"; FreeVGA, "VGA Sequencer/CRTC/Attribute Controller
 * Operation". The surface has the CRTC's dots and scan lines: 320 pixels wide
 * modes are shown doubled, as a monitor shows them.
 *
 * Not modelled: overscan, display skew, shift-load (SR01 bits 2, 4), blinking
 * in graphics modes; a standard VGA has no interlace.
 */
#include "hw/vga.h"

#define CR_PRESET    0x08
#define SCAN_MASK    0x1f
#define MODE_NO_CGA  0x01 /* CR17: clear, row scan bit 0 is address bit 13 */
#define MODE_NO_HERC 0x02 /*       clear, row scan bit 1 is address bit 14 */
#define MODE_DOUBLE  0x04 /* vertical counters count every second line */
#define MODE_SLOW2   0x08
#define MODE_WRAP15  0x20
#define MODE_BYTE    0x40
#define UNDER_SLOW4  0x20
#define UNDER_DWORD  0x40
#define CUR_OFF      0x20
#define NO_UNDERLINE 32

static uint32_t min32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* A vertical register: 8 bits of its own, bit 8 in CR07, bit 9 there or in CR09. */
static uint32_t vertical(const uint8_t *cr, unsigned reg, unsigned bit8, uint8_t high,
                         unsigned bit9)
{
    return cr[reg] | (cr[7] >> bit8 & 1) << 8 | (high >> bit9 & 1) << 9;
}

static void view_size(const struct vga *v, struct vga_view *w, uint32_t dots)
{
    const uint8_t *cr = v->r->cr;
    unsigned twice = cr[CR_MODE] & MODE_DOUBLE ? 2 : 1;

    w->dots = dots;
    w->rep = v->r->sr[SR_CLOCK] & SR_CLOCK_HALF ? 2 : 1;
    w->chars = min32(cr[1] + 1u, SURFACE_MAX_WIDTH / (dots * w->rep));
    w->width = w->chars * dots * w->rep;
    w->height = (vertical(cr, CR_VDE, 1, cr[7], 6) + 1) * twice;
    w->split = vertical(cr, CR_LINE_CMP, 4, cr[CR_MAX_SCAN], 6) * twice + twice - 1;
}

static void view_rows(const struct vga *v, struct vga_view *w)
{
    const uint8_t *cr = v->r->cr;

    w->row_scans = (cr[CR_MAX_SCAN] & SCAN_MASK) + 1u;
    w->scan_lines = cr[CR_MAX_SCAN] & 0x80 ? 2 : 1;
    w->preset = min32(cr[CR_PRESET] & SCAN_MASK, w->row_scans - 1);
    w->start = cr[CR_START_HIGH] << 8 | cr[CR_START_HIGH + 1];
    w->start += cr[CR_PRESET] >> 5 & 3; /* byte panning */
    w->pitch = cr[CR_OFFSET] * 2u;
}

static void view_addressing(const struct vga *v, struct vga_view *w)
{
    const uint8_t *cr = v->r->cr;

    w->unit = UNIT_WORD;
    if (cr[CR_UNDERLINE] & UNDER_DWORD)
        w->unit = UNIT_DWORD;
    else if (cr[CR_MODE] & MODE_BYTE)
        w->unit = UNIT_BYTE;
    w->wrap_bit = cr[CR_MODE] & MODE_WRAP15 ? 15 : 13;
    w->slow = cr[CR_UNDERLINE] & UNDER_SLOW4 ? 2 : cr[CR_MODE] & MODE_SLOW2 ? 1 : 0;
    w->scan13 = !(cr[CR_MODE] & MODE_NO_CGA);
    w->scan14 = !(cr[CR_MODE] & MODE_NO_HERC);
    w->mask = VGA_PLANES_SIZE / 4 - 1;
}

/* SR03: three scattered bits choose one of eight places for 8 KiB of glyphs. */
static uint32_t font_off(unsigned low, unsigned high)
{
    return (low & 3) * 0x4000 + (high & 1) * 0x2000;
}

static void view_text(const struct vga *v, struct vga_view *w)
{
    const uint8_t *cr = v->r->cr;
    uint8_t font = v->r->sr[SR_FONT], mode = v->r->ar[AR_MODE], pan = v->r->ar[AR_PAN];

    w->kind = VIEW_TEXT;
    view_size(v, w, v->r->sr[SR_CLOCK] & SR_CLOCK_8DOT ? 8 : 9);
    view_rows(v, w);
    view_addressing(v, w);
    w->scan13 = w->scan14 = 0;
    w->font[0] = font_off(font, font >> 4);
    w->font[1] = font_off(font >> 2, font >> 5);
    w->line_graphics = mode & AR_MODE_LINE && w->dots == 9;
    w->blink = !!(mode & AR_MODE_BLINK);
    w->underline = mode & AR_MODE_MONO ? cr[CR_UNDERLINE] & SCAN_MASK : NO_UNDERLINE;
    /* Nine dots: 8 stands for no shift and 0-7 for one more than they say. */
    if (w->dots == 9)
        w->pan = pan >= 8 ? 0 : pan + 1u;
    else
        w->pan = pan & 7;
    w->pan *= w->rep;
    w->pan_below = mode & AR_MODE_SPLIT ? 0 : w->pan;
    w->cursor_first = cr[CR_CUR_START] & SCAN_MASK;
    w->cursor_last = cr[CR_CUR_END] & SCAN_MASK;
    if (cr[CR_CUR_START] & CUR_OFF)
        w->cursor_first = NO_UNDERLINE;
}

static void view_graphics(const struct vga *v, struct vga_view *w)
{
    uint8_t mode = v->r->gr[GR_MODE];

    view_size(v, w, 8);
    view_rows(v, w);
    view_addressing(v, w);
    w->pan = v->r->ar[AR_PAN] & 7;
    if (mode & GR_MODE_256) {
        w->kind = VIEW_256;
        w->pan &= 6; /* two dots a pixel */
    } else {
        w->kind = mode & GR_MODE_CGA ? VIEW_CGA : VIEW_PLANAR;
    }
    w->pan *= w->rep;
    w->pan_below = v->r->ar[AR_MODE] & AR_MODE_SPLIT ? 0 : w->pan;
}

void vga_view_get(const struct vga *v, struct vga_view *w)
{
    memset(w, 0, sizeof(*w));
    if (!(v->r->ar_index & AR_INDEX_PAS))
        w->kind = VIEW_BLANK;
    else if (v->ops->view && v->ops->view(v, w))
        ;
    else if (v->r->sr[SR_CLOCK] & SR_CLOCK_OFF)
        w->kind = VIEW_BLANK;
    else if (v->r->gr[GR_MISC] & GR_MISC_GFX)
        view_graphics(v, w);
    else
        view_text(v, w);
    if (w->kind == VIEW_BLANK) { /* a dark screen keeps its size */
        w->width = v->view.width ? v->view.width : 720;
        w->height = v->view.height ? v->view.height : 400;
    }
}

/*
 * CRTC "address output": the counter as it is, or rotated to count words or
 * doublewords; then row scan bits in place of bits 13 and 14. The mask keeps
 * the result inside video memory whatever the registers say.
 */
uint32_t vga_plane_off(const struct vga_view *w, uint32_t addr, uint32_t scan)
{
    uint32_t off = addr;

    if (w->unit == UNIT_WORD)
        off = addr << 1 | (addr >> w->wrap_bit & 1);
    else if (w->unit == UNIT_DWORD)
        off = addr << 2 | (addr >> 12 & 3);
    if (w->scan13)
        off = (off & ~0x2000u) | (scan & 1) << 13;
    if (w->scan14)
        off = (off & ~0x4000u) | (scan >> 1 & 1) << 14;
    return off & w->mask;
}

bool vga_band_next(const struct vga_view *w, struct vga_band *b)
{
    uint32_t row = w->row_scans * w->scan_lines;

    if (!b->lines) {
        b->addr = w->start;
        b->first = w->preset * w->scan_lines;
        b->pan = w->pan;
    } else {
        b->y += b->lines;
        b->index++;
        if (b->y == w->split + 1) { /* the split: everything starts again */
            b->addr = 0;
            b->first = 0;
            b->pan = w->pan_below;
        } else {
            b->addr += w->pitch;
            b->first = 0;
        }
    }
    if (b->y >= w->height)
        return false;
    b->lines = min32(row - b->first, w->height - b->y);
    if (b->y <= w->split)
        b->lines = min32(b->lines, w->split - b->y + 1);
    return true;
}

static uint32_t pixel(const uint8_t *rgb)
{
    return (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
}

static uint32_t from332(uint32_t i)
{
    uint32_t r = i >> 5, g = i >> 2 & 7, b = i & 3;

    return (r << 5 | r << 2 | r >> 1) << 16 | (g << 5 | g << 2 | g >> 1) << 8 | b * 0x55;
}

void vga_palette_get(const struct vga *v, uint32_t pal[256], uint32_t pal16[16])
{
    for (unsigned i = 0; i < 256; i++) {
        if (v->view.kind == VIEW_PACKED && v->view.direct8 == DIRECT_GREY)
            pal[i] = i * 0x010101;
        else if (v->view.kind == VIEW_PACKED && v->view.direct8 == DIRECT_332)
            pal[i] = from332(i);
        else
            pal[i] = pixel(&v->r->dac[(i & v->r->pel_mask) * 3]);
    }
    for (unsigned i = 0; i < 16; i++) {
        unsigned c = v->r->ar[i & v->r->ar[AR_PLANES]] & 0x3f, top = v->r->ar[AR_COLOUR];

        if (v->r->ar[AR_MODE] & AR_MODE_P54S)
            c = (c & 0x0f) | (top & 3) << 4;
        pal16[i] = pal[c | (top & 0x0c) << 4];
    }
}
