/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packed pixels: lines of 8 to 32 bits a pixel as the Bochs display interface
 * and the Cirrus have them. Four pixels at a time where the compiler's vectors
 * help; all stores are whole pixels of the surface's xRGB.
 */
#include <byteswap.h>
#include "hw/vga.h"

typedef uint32_t px4 __attribute__((vector_size(16)));
typedef uint16_t half4 __attribute__((vector_size(8)));

static uint16_t load16(const uint8_t *p)
{
    uint16_t val;

    memcpy(&val, p, 2);
    return val;
}

static uint32_t load32(const uint8_t *p)
{
    uint32_t val;

    memcpy(&val, p, 4);
    return val;
}

static px4 load4(const uint8_t *p)
{
    px4 val;

    memcpy(&val, p, sizeof(val));
    return val;
}

static px4 load4_16(const uint8_t *p)
{
    half4 val;

    memcpy(&val, p, sizeof(val));
    return __builtin_convertvector(val, px4);
}

/* Five or six bits become eight by repeating the upper ones: white stays white. */
#define FROM555(p)                                                                                 \
    (((p) << 9 & 0xf80000) | ((p) << 4 & 0x070000) | ((p) << 6 & 0x00f800) |                       \
     ((p) << 1 & 0x000700) | ((p) << 3 & 0x0000f8) | ((p) >> 2 & 0x000007))
#define FROM565(p)                                                                                 \
    (((p) << 8 & 0xf80000) | ((p) << 3 & 0x070000) | ((p) << 5 & 0x00fc00) |                       \
     ((p) >> 1 & 0x000300) | ((p) << 3 & 0x0000f8) | ((p) >> 2 & 0x000007))

static void line8(uint32_t *restrict dst, const uint8_t *restrict src, uint32_t n,
                  const uint32_t *restrict pal)
{
    uint32_t i = 0;

    for (; i + 4 <= n; i += 4) {
        uint32_t four = load32(src + i);

        dst[i] = pal[four & 0xff];
        dst[i + 1] = pal[four >> 8 & 0xff];
        dst[i + 2] = pal[four >> 16 & 0xff];
        dst[i + 3] = pal[four >> 24];
    }
    for (; i < n; i++)
        dst[i] = pal[src[i]];
}

/* The two of 16 bits a pixel differ in one word: made by the same lines. */
#define LINE_16BIT(name, convert)                                                                  \
    static void name(uint32_t *restrict dst, const uint8_t *restrict src, uint32_t n,              \
                     const uint32_t *restrict pal)                                                 \
    {                                                                                              \
        uint32_t i = 0;                                                                            \
                                                                                                   \
        for (; i + 4 <= n; i += 4) {                                                               \
            px4 p = load4_16(src + 2 * (size_t)i), out = convert(p);                               \
                                                                                                   \
            memcpy(dst + i, &out, sizeof(out));                                                    \
        }                                                                                          \
        for (; i < n; i++) {                                                                       \
            uint32_t p = load16(src + 2 * (size_t)i);                                              \
                                                                                                   \
            dst[i] = convert(p);                                                                   \
        }                                                                                          \
    }

LINE_16BIT(line15, FROM555)
LINE_16BIT(line16, FROM565)

/* The Cirrus' mixed mode: bit 15 says that the low byte is a colour of the palette. */
static void line15mix(uint32_t *restrict dst, const uint8_t *restrict src, uint32_t n,
                      const uint32_t *restrict pal)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t p = load16(src + 2 * (size_t)i);

        dst[i] = p & 0x8000 ? pal[p & 0xff] : FROM555(p);
    }
}

/* Twelve bytes are four pixels: three words, shifted against each other. */
static void line24(uint32_t *restrict dst, const uint8_t *restrict src, uint32_t n,
                   const uint32_t *restrict pal)
{
    uint32_t i = 0;

    for (; i + 4 <= n; i += 4, src += 12) {
        uint32_t a = load32(src), b = load32(src + 4), c = load32(src + 8);

        dst[i] = a & 0xffffff;
        dst[i + 1] = (a >> 24 | b << 8) & 0xffffff;
        dst[i + 2] = (b >> 16 | c << 16) & 0xffffff;
        dst[i + 3] = c >> 8;
    }
    for (; i < n; i++, src += 3)
        dst[i] = src[0] | src[1] << 8 | (uint32_t)src[2] << 16;
}

static void line32(uint32_t *restrict dst, const uint8_t *restrict src, uint32_t n,
                   const uint32_t *restrict pal)
{
    const px4 rgb = { 0xffffff, 0xffffff, 0xffffff, 0xffffff };
    uint32_t i = 0;

    for (; i + 4 <= n; i += 4) {
        px4 out = load4(src + 4 * (size_t)i) & rgb;

        memcpy(dst + i, &out, sizeof(out));
    }
    for (; i < n; i++)
        dst[i] = load32(src + 4 * (size_t)i) & 0xffffff;
}

/* Big-endian memory is rare: a pixel at a time. */
static void line15be(uint32_t *restrict dst, const uint8_t *restrict src, uint32_t n,
                     const uint32_t *restrict pal)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t p = bswap_16(load16(src + 2 * (size_t)i));

        dst[i] = FROM555(p);
    }
}

static void line16be(uint32_t *restrict dst, const uint8_t *restrict src, uint32_t n,
                     const uint32_t *restrict pal)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t p = bswap_16(load16(src + 2 * (size_t)i));

        dst[i] = FROM565(p);
    }
}

static void line24be(uint32_t *restrict dst, const uint8_t *restrict src, uint32_t n,
                     const uint32_t *restrict pal)
{
    for (uint32_t i = 0; i < n; i++, src += 3)
        dst[i] = (uint32_t)src[0] << 16 | src[1] << 8 | src[2];
}

static void line32be(uint32_t *restrict dst, const uint8_t *restrict src, uint32_t n,
                     const uint32_t *restrict pal)
{
    for (uint32_t i = 0; i < n; i++)
        dst[i] = bswap_32(load32(src + 4 * (size_t)i)) & 0xffffff;
}

typedef void line_fn(uint32_t *restrict dst, const uint8_t *restrict src, uint32_t n,
                     const uint32_t *restrict pal);

static const struct format {
    unsigned depth, bytes;
    line_fn *little, *big;
} formats[] = {
    { 8, 1, line8, line8 },      { 15, 2, line15, line15be },
    { 16, 2, line16, line16be }, { DEPTH_15MIX, 2, line15mix, line15mix },
    { 24, 3, line24, line24be }, { 32, 4, line32, line32be },
};

static void make_line(struct vga *v, const struct format *f, uint32_t addr, uint32_t width)
{
    line_fn *fn = v->view.big_endian ? f->big : f->little;
    uint32_t bytes = width * f->bytes, first = v->vram_size - addr;

    if (bytes <= first) {
        fn(v->line, v->vram + addr, width, v->pal);
        return;
    }
    /* The line runs over the end of memory and goes on at its beginning. */
    for (uint32_t i = 0; i < bytes; i++)
        v->wrapped[i] = v->vram[(addr + i) & (v->vram_size - 1)];
    fn(v->line, v->wrapped, width, v->pal);
}

void vga_draw_packed(struct vga *v, struct surface *s, bool full)
{
    const struct vga_view *w = &v->view;
    struct vga_band b = { 0 };
    const struct format *f = formats;

    while (f < formats + sizeof(formats) / sizeof(formats[0]) - 1 && f->depth != w->depth)
        f++;
    while (vga_band_next(w, &b)) {
        uint32_t addr = b.addr & (v->vram_size - 1);
        bool dirty = full || vga_is_dirty(v, addr, (uint64_t)s->width * f->bytes), made = false;

        for (uint32_t y = b.y; y < b.y + b.lines; y++) {
            if (!dirty && !vga_pointer_came(v, y))
                continue;
            if (!made)
                make_line(v, f, addr, s->width);
            made = true;
            vga_put_line(v, s, y, v->line);
        }
    }
}
