/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Bochs display interface, ids B0C0 to B0C5: an index and a data port of
 * 16 bits at 1ce and 1cf (or 1d0), and the same registers from 500 on in BAR
 * 2. Source: Bochs' "VBE Display API" document and what the vgabios and
 * Linux's bochs driver expect of it.
 *
 * While a mode is on, its registers are always a picture that fits in video
 * memory: vbe_fixup() trims what a guest writes until it is.
 *
 * Not modelled: separate read and write banks, and banks of 32 KiB.
 */
#include "hw/stdvga.h"

#define ID_FIRST 0xb0c0
#define ID_LAST  0xb0c5

#define CAPS_XRES SURFACE_MAX_WIDTH
#define CAPS_YRES SURFACE_MAX_HEIGHT
#define CAPS_BPP  32

#define ENABLE_BITS (VBE_ENABLED | VBE_GETCAPS | VBE_8BIT_DAC | VBE_LFB | VBE_NOCLEAR)

static uint64_t pitch_of(unsigned bpp, uint64_t pixels)
{
    if (bpp == 4)
        return pixels / 8 * 4; /* a byte in each of the four planes is eight pixels */
    return pixels * ((bpp + 7) / 8);
}

static uint64_t vbe_pitch(const struct stdvga *v)
{
    return pitch_of(v->s.vbe[VBE_BPP], v->s.vbe[VBE_VIRT_WIDTH]);
}

static const struct stdvga *std_of(const struct vga *v)
{
    return container_of(v, const struct stdvga, v);
}

static bool enabled(const struct stdvga *v)
{
    return v->s.vbe[VBE_ENABLE] & VBE_ENABLED;
}

bool vbe_enabled(const struct vga *v)
{
    return enabled(std_of(v));
}

bool vbe_dac_8bit(const struct vga *v)
{
    return std_of(v)->s.vbe[VBE_ENABLE] & VBE_8BIT_DAC;
}

static bool bpp_known(unsigned bpp)
{
    return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

static uint16_t clamp16(uint64_t val, uint64_t min, uint64_t max)
{
    return val < min ? min : val > max ? max : val;
}

/* The nearest mode to r[] that fits in size bytes (8 MiB or more, so that one always does). */
static void vbe_fixup(uint16_t r[VBE_REGS], uint64_t size)
{
    unsigned min = 1, step = 1;
    uint64_t pitch;

    if (!bpp_known(r[VBE_BPP]))
        r[VBE_BPP] = 8;
    if (r[VBE_BPP] == 4)
        min = step = 8;
    r[VBE_XRES] = clamp16(r[VBE_XRES] / step * step, min, CAPS_XRES);
    pitch = pitch_of(r[VBE_BPP], r[VBE_XRES]);
    r[VBE_YRES] = clamp16(r[VBE_YRES], 1, CAPS_YRES);
    r[VBE_YRES] = clamp16(r[VBE_YRES], 1, size / pitch);
    r[VBE_VIRT_WIDTH] = clamp16(r[VBE_VIRT_WIDTH] / step * step, r[VBE_XRES], UINT16_MAX);
    pitch = pitch_of(r[VBE_BPP], r[VBE_VIRT_WIDTH]);
    if (pitch * r[VBE_YRES] > size) {
        uint64_t pixels = size / r[VBE_YRES] * r[VBE_XRES] / pitch_of(r[VBE_BPP], r[VBE_XRES]);

        r[VBE_VIRT_WIDTH] = clamp16(pixels / step * step, r[VBE_XRES], UINT16_MAX);
        pitch = pitch_of(r[VBE_BPP], r[VBE_VIRT_WIDTH]);
    }
    r[VBE_VIRT_HEIGHT] = clamp16(size / pitch, r[VBE_YRES], UINT16_MAX);
    r[VBE_X_OFFSET] = clamp16(r[VBE_X_OFFSET], 0, r[VBE_VIRT_WIDTH] - r[VBE_XRES]);
    r[VBE_Y_OFFSET] = clamp16(r[VBE_Y_OFFSET], 0, r[VBE_VIRT_HEIGHT] - r[VBE_YRES]);
}

static uint16_t bank_mask(const struct stdvga *v)
{
    return (v->v.vram_size >> 16) - 1;
}

bool vbe_valid(const struct stdvga *v)
{
    uint16_t r[VBE_REGS];

    memcpy(r, v->s.vbe, sizeof(r));
    if (enabled(v))
        vbe_fixup(r, v->v.vram_size);
    return !memcmp(r, v->s.vbe, sizeof(r)) && r[VBE_ID] >= ID_FIRST && r[VBE_ID] <= ID_LAST &&
           !(r[VBE_ENABLE] & ~ENABLE_BITS) && r[VBE_BANK] <= bank_mask(v);
}

static void vbe_clear(struct stdvga *v)
{
    uint64_t len = vbe_pitch(v) * v->s.vbe[VBE_YRES];

    if (len > v->v.vram_size)
        len = v->v.vram_size;
    memset(v->v.vram, 0, len);
    for (uint64_t at = 0; at < len; at += 1 << VGA_PAGE_SHIFT)
        vga_mark(&v->v, at);
}

static void vbe_switch(struct stdvga *v, uint16_t val)
{
    uint16_t *r = v->s.vbe, asked[VBE_REGS];
    bool was = enabled(v);

    r[VBE_ENABLE] = val & ENABLE_BITS;
    if (was == enabled(v))
        return;
    r[VBE_BANK] = 0;
    if (was)
        return;
    r[VBE_VIRT_WIDTH] = r[VBE_XRES];
    r[VBE_X_OFFSET] = r[VBE_Y_OFFSET] = 0;
    memcpy(asked, r, sizeof(asked));
    vbe_fixup(r, v->v.vram_size);
    if (memcmp(asked, r, VBE_ENABLE * sizeof(*r)))
        guest_err(&v->v.pci.dev, "mode %ux%ux%u does not exist: made it %ux%ux%u", asked[VBE_XRES],
                  asked[VBE_YRES], asked[VBE_BPP], r[VBE_XRES], r[VBE_YRES], r[VBE_BPP]);
    if (!(val & VBE_NOCLEAR))
        vbe_clear(v);
}

uint16_t vbe_read(struct stdvga *v, unsigned index)
{
    const uint16_t *r = v->s.vbe;

    if (index == VBE_MEMORY_64K)
        return v->v.vram_size >> 16;
    if (index >= VBE_REGS)
        return 0;
    if (r[VBE_ENABLE] & VBE_GETCAPS) {
        if (index == VBE_XRES)
            return CAPS_XRES;
        if (index == VBE_YRES)
            return CAPS_YRES;
        if (index == VBE_BPP)
            return CAPS_BPP;
    }
    return r[index];
}

void vbe_write(struct stdvga *v, unsigned index, uint16_t val)
{
    uint16_t *r = v->s.vbe;

    switch (index) {
    case VBE_ID:
        if (val >= ID_FIRST && val <= ID_LAST)
            r[VBE_ID] = val;
        return;
    case VBE_ENABLE:
        vbe_switch(v, val);
        return;
    case VBE_BANK:
        r[VBE_BANK] = val & bank_mask(v);
        return;
    case VBE_XRES:
    case VBE_YRES:
    case VBE_BPP:
    case VBE_VIRT_WIDTH:
    case VBE_X_OFFSET:
    case VBE_Y_OFFSET:
        r[index] = val;
        if (enabled(v))
            vbe_fixup(r, v->v.vram_size);
        return;
    case VBE_VIRT_HEIGHT: /* follows from the width and the memory */
        return;
    default:
        guest_err(&v->v.pci.dev, "display interface register %x does not exist", index);
    }
}

/* ---- the picture and the window ---- */

bool vbe_view(const struct vga *card, struct vga_view *w)
{
    const struct stdvga *v = std_of(card);
    const uint16_t *r = v->s.vbe;

    if (!enabled(v))
        return false;
    w->width = r[VBE_XRES] < SURFACE_MAX_WIDTH ? r[VBE_XRES] : SURFACE_MAX_WIDTH;
    w->height = r[VBE_YRES] < SURFACE_MAX_HEIGHT ? r[VBE_YRES] : SURFACE_MAX_HEIGHT;
    w->pitch = vbe_pitch(v);
    w->split = 2 * SURFACE_MAX_HEIGHT; /* there is none */
    w->row_scans = w->scan_lines = w->rep = 1;
    w->depth = r[VBE_BPP];
    w->big_endian = v->s.big_endian;
    if (w->depth == 4) {
        w->kind = VIEW_PLANAR;
        w->dots = 8;
        w->chars = w->width / 8;
        w->width = w->chars * 8;
        w->pitch /= 4;
        w->start = r[VBE_Y_OFFSET] * w->pitch + r[VBE_X_OFFSET] / 8;
        w->pan = w->pan_below = r[VBE_X_OFFSET] % 8;
        w->mask = card->vram_size / 4 - 1;
    } else {
        w->kind = VIEW_PACKED;
        w->start = r[VBE_Y_OFFSET] * w->pitch + r[VBE_X_OFFSET] * ((w->depth + 7) / 8);
    }
    return true;
}

/* In depths of a byte and more, a plain bank of 64 KiB. */
bool vbe_window(const struct vga *card, struct vga_window *w)
{
    const struct stdvga *v = std_of(card);

    if (!enabled(v))
        return false;
    w->bank = (uint32_t)v->s.vbe[VBE_BANK] << 16;
    w->mask = card->vram_size / 4 - 1;
    if (v->s.vbe[VBE_BPP] == 4)
        return false;
    w->start = 0;
    w->size = 1 << 16;
    w->path = PATH_LINEAR;
    return true;
}

/* ---- ports ---- */

/*
 * 1ce answers bytes: the indices are small, so the byte that a word access
 * leaves for 1cf is zero and is told from data by being a byte there. 1cf
 * takes words; the bytes at 1d0 and 1d1 are the two halves of data once more.
 */
uint64_t vbe_index_read(struct device *dev, uint64_t off, unsigned width)
{
    return stdvga_of(dev)->s.vbe_index;
}

void vbe_index_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    stdvga_of(dev)->s.vbe_index = val & 0xff;
}

uint64_t vbe_data_read(struct device *dev, uint64_t off, unsigned width)
{
    struct stdvga *v = stdvga_of(dev);

    if (width == 2)
        return vbe_read(v, v->s.vbe_index);
    return off ? vbe_read(v, v->s.vbe_index) & 0xff : 0;
}

void vbe_data_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct stdvga *v = stdvga_of(dev);

    if (width == 2)
        vbe_write(v, v->s.vbe_index, val);
    else if (off)
        v->s.vbe_low = val;
    dev->type->sync(dev);
}

uint64_t vbe_high_read(struct device *dev, uint64_t off, unsigned width)
{
    struct stdvga *v = stdvga_of(dev);

    return vbe_read(v, v->s.vbe_index) >> 8;
}

void vbe_high_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct stdvga *v = stdvga_of(dev);

    vbe_write(v, v->s.vbe_index, v->s.vbe_low | val << 8);
    dev->type->sync(dev);
}
