/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the Cirrus' blitter does to one line: CL-GD5446 Technical Reference
 * Manual, "BitBLT engine": sixteen raster operations of source and
 * destination; sources are memory, the processor, an 8x8 pattern, or bits that
 * become the two colours; transparency by bit or by colour. The codes of the
 * operations are those that X.Org's driver for the chip has.
 *
 * A line's source is made aside, then combined in one loop. Every address is
 * masked to video memory; a line may run over its end.
 */
#include "hw/cirrus.h"

#define PATTERN_ROWS 8
#define ROW_24BIT    32 /* a pattern's line of 24-bit pixels is as long as one of 32-bit ones */

/* ---- the raster operations, byte by byte ---- */

typedef void rop_fn(uint8_t *restrict d, const uint8_t *restrict s, size_t n);

#define ROP(name, expr)                                                                            \
    static void name(uint8_t *restrict d, const uint8_t *restrict s, size_t n)                     \
    {                                                                                              \
        size_t i = 0;                                                                              \
                                                                                                   \
        for (; i + 8 <= n; i += 8) {                                                               \
            uint64_t S, D;                                                                         \
                                                                                                   \
            memcpy(&S, s + i, 8);                                                                  \
            memcpy(&D, d + i, 8);                                                                  \
            D = (expr);                                                                            \
            memcpy(d + i, &D, 8);                                                                  \
        }                                                                                          \
        for (; i < n; i++) {                                                                       \
            uint64_t S = s[i], D = d[i];                                                           \
                                                                                                   \
            d[i] = (uint8_t)(expr);                                                                \
            (void)S;                                                                               \
            (void)D;                                                                               \
        }                                                                                          \
    }

ROP(rop_black, 0 * (S ^ D))
ROP(rop_and, S &D)
ROP(rop_keep, D | (S & 0))
ROP(rop_and_not, S & ~D)
ROP(rop_invert, ~D | (S & 0))
ROP(rop_white, ~(0 * (S ^ D)))
ROP(rop_not_and, ~S &D)
ROP(rop_xor, S ^ D)
ROP(rop_or, S | D)
ROP(rop_nor, ~(S | D))
ROP(rop_equal, ~(S ^ D))
ROP(rop_or_not, S | ~D)
ROP(rop_not, ~S | (D & 0))
ROP(rop_not_or, ~S | D)
ROP(rop_nand, ~(S &D))

static void rop_copy(uint8_t *restrict d, const uint8_t *restrict s, size_t n)
{
    memcpy(d, s, n);
}

static const struct {
    uint8_t code;
    rop_fn *fn;
} rops[] = {
    { 0x0d, rop_copy },    { 0x00, rop_black },  { 0x05, rop_and },    { 0x06, rop_keep },
    { 0x09, rop_and_not }, { 0x0b, rop_invert }, { 0x0e, rop_white },  { 0x50, rop_not_and },
    { 0x59, rop_xor },     { 0x6d, rop_or },     { 0x90, rop_nor },    { 0x95, rop_equal },
    { 0xad, rop_or_not },  { 0xd0, rop_not },    { 0xd6, rop_not_or }, { 0xda, rop_nand },
};

/* A code that is none leaves the destination as it is. */
static rop_fn *rop_of(uint8_t code)
{
    for (unsigned i = 0; i < sizeof(rops) / sizeof(rops[0]); i++) {
        if (rops[i].code == code)
            return rops[i].fn;
    }
    return rop_keep;
}

/* ---- sources ---- */

unsigned cirrus_blt_pixel(const struct cirrus_blt *b)
{
    return (b->mode >> 4 & 3) + 1u;
}

static unsigned pattern_pitch(const struct cirrus_blt *b)
{
    unsigned pixel = cirrus_blt_pixel(b);

    return pixel == 3 ? ROW_24BIT : PATTERN_ROWS * pixel;
}

unsigned cirrus_blt_source(const struct cirrus_blt *b)
{
    unsigned pixels = (b->width + cirrus_blt_pixel(b) - 1) / cirrus_blt_pixel(b);

    if (b->mode & BLT_PATTERN)
        return b->mode & BLT_EXPAND ? PATTERN_ROWS : PATTERN_ROWS * pattern_pitch(b);
    if (b->mode & BLT_EXPAND)
        return b->ext & BLTX_DWORDS && b->mode & BLT_FROM_SYSTEM ? (pixels + 31) / 32 * 4
                                                                 : (pixels + 7) / 8;
    return (b->width + 3u) & ~3u; /* whole doublewords come from the processor */
}

/* n bytes of memory from addr on. */
static void gather(const struct cirrus *c, uint32_t addr, uint8_t *dst, uint32_t n)
{
    uint32_t first = CIRRUS_VRAM - (addr & CIRRUS_MASK);

    first = first < n ? first : n;
    memcpy(dst, c->v.vram + (addr & CIRRUS_MASK), first);
    memcpy(dst + first, c->v.vram, n - first);
}

static void scatter(struct cirrus *c, uint32_t addr, const uint8_t *src, uint32_t n)
{
    uint32_t first = CIRRUS_VRAM - (addr & CIRRUS_MASK);

    first = first < n ? first : n;
    memcpy(c->v.vram + (addr & CIRRUS_MASK), src, first);
    memcpy(c->v.vram, src + first, n - first);
}

/* What the line's source is: all buffers have room for a last pixel that is cut. */
struct line {
    uint8_t src[CIRRUS_BLT_WIDTH + 4];
    uint8_t dst[CIRRUS_BLT_WIDTH + 4];
    uint8_t out[CIRRUS_BLT_WIDTH + 4];
    bool on[CIRRUS_BLT_WIDTH + 4]; /* with transparency: bytes that are written */
};

static void put_colour(uint8_t *dst, uint32_t colour, unsigned pixel)
{
    for (unsigned k = 0; k < pixel; k++)
        dst[k] = colour >> (8 * k);
}

/* Bits to colours: the highest first, one a pixel; every eighth pixel begins a byte. */
static void expand(const struct cirrus_blt *b, struct line *l, const uint8_t *bits, bool repeat)
{
    unsigned pixel = cirrus_blt_pixel(b);
    uint8_t flip = b->ext & BLTX_INVERT ? 0xff : 0;
    bool transparent = b->mode & BLT_TRANSPARENT;
    uint32_t set = flip && transparent ? b->bg : b->fg;

    for (unsigned x = 0, i = 0; x < b->width; x += pixel, i++) {
        bool on = (bits[repeat ? 0 : i / 8] ^ flip) << (i % 8) & 0x80;

        put_colour(l->src + x, on ? set : b->bg, pixel);
        if (transparent)
            memset(l->on + x, on, pixel);
    }
}

static void fill(const struct cirrus_blt *b, struct line *l)
{
    unsigned pixel = cirrus_blt_pixel(b);

    put_colour(l->src, b->fg, pixel);
    for (unsigned have = pixel, n; have < b->width; have += n) {
        n = have < b->width - have ? have : b->width - have;
        memcpy(l->src + have, l->src, n);
    }
}

static void pattern(struct cirrus *c, struct line *l)
{
    const struct cirrus_blt *b = &c->s.blt;
    unsigned row = c->s.row & 7, pitch = pattern_pitch(b), pixel = cirrus_blt_pixel(b);
    uint32_t size = cirrus_blt_source(b), addr = b->src & ~(size - 1);
    uint8_t bytes[PATTERN_ROWS * ROW_24BIT];

    if (b->mode & BLT_FROM_SYSTEM)
        memcpy(bytes, c->s.feed, size);
    else
        gather(c, addr, bytes, size);
    if (b->mode & BLT_EXPAND) {
        expand(b, l, bytes + row, true);
        return;
    }
    for (unsigned x = 0, i = 0; x < b->width; x += pixel, i = (i + 1) & 7)
        memcpy(l->src + x, bytes + row * pitch + i * pixel, pixel);
}

/* The line's first byte: a blit backwards has the address of its last. */
static uint32_t low_end(const struct cirrus_blt *b, uint32_t addr)
{
    return b->mode & BLT_BACKWARD && !(b->mode & (BLT_PATTERN | BLT_EXPAND)) ? addr - b->width + 1
                                                                             : addr;
}

static void source(struct cirrus *c, struct line *l)
{
    const struct cirrus_blt *b = &c->s.blt;
    uint8_t bits[CIRRUS_BLT_WIDTH / 8 + 4];

    if (b->mode & BLT_PATTERN) {
        if (b->ext & BLTX_SOLID && b->mode & BLT_EXPAND)
            fill(b, l);
        else
            pattern(c, l);
    } else if (b->mode & BLT_EXPAND) {
        if (!(b->mode & BLT_FROM_SYSTEM))
            gather(c, b->src, bits, cirrus_blt_source(b));
        expand(b, l, b->mode & BLT_FROM_SYSTEM ? c->s.feed : bits, false);
    } else if (b->mode & BLT_FROM_SYSTEM) {
        memcpy(l->src, c->s.feed, b->width);
    } else {
        gather(c, low_end(b, b->src), l->src, b->width);
    }
}

/* ---- the line ---- */

/* Pixels whose outcome has the key's colour stay as they are; there are keys of 8 and 16 bits. */
static void by_key(const struct cirrus_blt *b, struct line *l)
{
    unsigned pixel = cirrus_blt_pixel(b);
    uint32_t care = pixel == 1 ? 0xff : 0xffff;

    if (pixel > 2)
        return;
    care &= ~(uint32_t)b->key_mask;
    for (unsigned x = 0; x + pixel <= b->width; x += pixel) {
        uint32_t val = l->out[x] | (pixel == 2 ? l->out[x + 1] << 8 : 0);

        memset(l->on + x, ((val ^ b->key) & care) != 0, pixel);
    }
}

/* GR2F: bytes at the left that are not written, in blits that have pixels. */
static unsigned left_out(const struct cirrus_blt *b)
{
    unsigned pixel = cirrus_blt_pixel(b), skip;

    if (!(b->mode & (BLT_PATTERN | BLT_EXPAND)))
        return 0;
    skip = pixel == 3 ? b->skip & 0x1f : (b->skip & 7) * pixel;
    return skip < b->width ? skip : b->width;
}

void cirrus_mark(struct cirrus *c, uint32_t addr, uint32_t len)
{
    for (uint32_t at = 0; at < len; at += 1 << VGA_PAGE_SHIFT)
        vga_mark(&c->v, (addr + at) & CIRRUS_MASK);
    vga_mark(&c->v, (addr + len - 1) & CIRRUS_MASK);
}

void cirrus_blt_line(struct cirrus *c)
{
    const struct cirrus_blt *b = &c->s.blt;
    unsigned left = left_out(b), n = b->width - left;
    uint32_t addr = low_end(b, b->dst) + left;
    struct line l;

    if (!n)
        return;
    if (b->mode & BLT_TRANSPARENT)
        memset(l.on, 1, b->width);
    source(c, &l);
    gather(c, addr, l.dst + left, n);
    memcpy(l.out + left, l.dst + left, n);
    rop_of(b->rop)(l.out + left, l.src + left, n);
    if (b->mode & BLT_TRANSPARENT) {
        memset(l.out, 0, left);
        if (!(b->mode & BLT_EXPAND))
            by_key(b, &l);
        for (unsigned x = left; x < b->width; x++) {
            if (!l.on[x])
                l.out[x] = l.dst[x];
        }
    }
    scatter(c, addr, l.out + left, n);
    cirrus_mark(c, addr, n);
}
