/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drawing the VGA's picture: which pages changed, which lines that makes, and
 * the packed pixels of the Bochs modes. A line that may have changed is
 * converted aside and compared with the surface, so only pixels that really
 * differ are damaged. Pages are dirty when the hypervisor saw the guest's CPU
 * write them or when our own window did (the hypervisor does not see that).
 */
#include "hw/vga.h"
#include <byteswap.h>

#define PAGE_WORDS(bytes) ((bytes) >> VGA_PAGE_SHIFT >> 6)

/* ---- dirty pages ---- */

bool vga_is_dirty(const struct vga *v, uint64_t addr, uint64_t len)
{
    uint64_t last = addr + len - 1;

    if (!len || last >= v->vram_size)
        return true;
    for (uint64_t page = addr >> VGA_PAGE_SHIFT; page <= last >> VGA_PAGE_SHIFT; page++) {
        if (v->dirty[page / 64] & 1ULL << (page % 64))
            return true;
    }
    return false;
}

/* The memory a view shows, in words of the dirty bitmap: [*first, *end). */
static void view_words(const struct vga *v, uint32_t *first, uint32_t *end)
{
    const struct vga_view *w = &v->view;
    uint64_t from = 0, to = (uint64_t)w->mask * 4 + 4;

    if (w->kind == VIEW_PACKED) {
        from = w->start;
        to = from + (uint64_t)w->pitch * w->height;
    }
    if (to > v->vram_size)
        to = v->vram_size;
    *first = PAGE_WORDS(from);
    *end = PAGE_WORDS(to + (64 << VGA_PAGE_SHIFT) - 1);
}

/*
 * Always asks for the whole range of the view: Xen tracks one range, and one
 * that changes would come back all dirty.
 */
static void fetch_dirty(struct vga *v, uint32_t first, uint32_t end)
{
    struct platform *p = v->pci.dev.plat;
    size_t bytes = (end - first) * sizeof(*v->dirty);

    if (!v->pci.mapped[0] || !p->ops->vram_dirty || first >= end)
        return;
    memset(v->fetched, 0, bytes);
    if (p->ops->vram_dirty(p, first * 64, (end - first) * 64, v->fetched)) {
        memset(v->dirty + first, 0xff, bytes);
        return;
    }
    for (uint32_t i = first; i < end; i++)
        v->dirty[i] |= v->fetched[i - first];
}

static bool any_dirty(const struct vga *v, uint32_t first, uint32_t end)
{
    uint64_t any = 0;

    for (uint32_t i = first; i < end; i++)
        any |= v->dirty[i];
    return any;
}

/* ---- damage ---- */

static void span_flush(struct vga *v)
{
    struct vga_span *n = &v->span;

    if (n->y0 != n->y1 && n->display)
        display_damage(n->display, (struct rect){ .x = (int32_t)n->x0,
                                                  .y = (int32_t)n->y0,
                                                  .w = (int32_t)(n->x1 - n->x0),
                                                  .h = (int32_t)(n->y1 - n->y0) });
    n->y0 = n->y1 = 0;
}

void vga_span_add(struct vga *v, uint32_t y, uint32_t lines, uint32_t x0, uint32_t x1)
{
    struct vga_span *n = &v->span;

    if (n->y0 == n->y1 || y != n->y1) {
        span_flush(v);
        n->x0 = x0;
        n->x1 = x1;
        n->y0 = y;
    }
    n->x0 = x0 < n->x0 ? x0 : n->x0;
    n->x1 = x1 > n->x1 ? x1 : n->x1;
    n->y1 = y + lines;
}

void vga_put_line(struct vga *v, struct surface *s, uint32_t y, const uint32_t *src)
{
    uint32_t *dst = s->pixels + (size_t)y * (s->stride / 4);
    uint32_t x0 = 0, x1 = s->width;

    if (y >= s->height || !memcmp(dst, src, (size_t)s->width * 4))
        return;
    while (x0 < x1 && dst[x0] == src[x0])
        x0++;
    while (x1 > x0 && dst[x1 - 1] == src[x1 - 1])
        x1--;
    memcpy(dst + x0, src + x0, (size_t)(x1 - x0) * 4);
    vga_span_add(v, y, 1, x0, x1);
}

/* ---- packed pixels ---- */

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

static uint32_t from555(uint32_t p)
{
    uint32_t r = p >> 10 & 31, g = p >> 5 & 31, b = p & 31;

    return (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | b << 3 | b >> 2;
}

static uint32_t from565(uint32_t p)
{
    uint32_t r = p >> 11 & 31, g = p >> 5 & 63, b = p & 31;

    return (r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 | b << 3 | b >> 2;
}

static void line8(uint32_t *dst, const uint8_t *src, uint32_t n, const uint32_t *pal)
{
    for (uint32_t i = 0; i < n; i++)
        dst[i] = pal[src[i]];
}

static void line15(uint32_t *dst, const uint8_t *src, uint32_t n, const uint32_t *pal)
{
    for (uint32_t i = 0; i < n; i++)
        dst[i] = from555(load16(src + 2 * i));
}

static void line16(uint32_t *dst, const uint8_t *src, uint32_t n, const uint32_t *pal)
{
    for (uint32_t i = 0; i < n; i++)
        dst[i] = from565(load16(src + 2 * i));
}

static void line24(uint32_t *dst, const uint8_t *src, uint32_t n, const uint32_t *pal)
{
    for (uint32_t i = 0; i < n; i++)
        dst[i] = src[3 * i] | src[3 * i + 1] << 8 | src[3 * i + 2] << 16;
}

static void line32(uint32_t *dst, const uint8_t *src, uint32_t n, const uint32_t *pal)
{
    for (uint32_t i = 0; i < n; i++)
        dst[i] = load32(src + 4 * i) & 0xffffff;
}

static void line15be(uint32_t *dst, const uint8_t *src, uint32_t n, const uint32_t *pal)
{
    for (uint32_t i = 0; i < n; i++)
        dst[i] = from555(bswap_16(load16(src + 2 * i)));
}

static void line16be(uint32_t *dst, const uint8_t *src, uint32_t n, const uint32_t *pal)
{
    for (uint32_t i = 0; i < n; i++)
        dst[i] = from565(bswap_16(load16(src + 2 * i)));
}

static void line24be(uint32_t *dst, const uint8_t *src, uint32_t n, const uint32_t *pal)
{
    for (uint32_t i = 0; i < n; i++)
        dst[i] = src[3 * i] << 16 | src[3 * i + 1] << 8 | src[3 * i + 2];
}

static void line32be(uint32_t *dst, const uint8_t *src, uint32_t n, const uint32_t *pal)
{
    for (uint32_t i = 0; i < n; i++)
        dst[i] = bswap_32(load32(src + 4 * i)) & 0xffffff;
}

typedef void line_fn(uint32_t *dst, const uint8_t *src, uint32_t n, const uint32_t *pal);

static const struct {
    unsigned depth, bytes;
    line_fn *little, *big;
} packed[] = {
    { 8, 1, line8, line8 },      { 15, 2, line15, line15be }, { 16, 2, line16, line16be },
    { 24, 3, line24, line24be }, { 32, 4, line32, line32be },
};

static void draw_packed(struct vga *v, struct surface *s, bool full)
{
    const struct vga_view *w = &v->view;
    unsigned k = 0;

    while (k < sizeof(packed) / sizeof(packed[0]) - 1 && packed[k].depth != w->depth)
        k++;
    for (uint32_t y = 0; y < s->height; y++) {
        uint64_t addr = w->start + (uint64_t)y * w->pitch, len = s->width * packed[k].bytes;

        if (!full && !vga_is_dirty(v, addr, len))
            continue;
        if (addr + len <= v->vram_size)
            (w->big_endian ? packed[k].big : packed[k].little)(v->line, v->vram + addr, s->width,
                                                               v->pal);
        else
            memset(v->line, 0, (size_t)s->width * 4);
        vga_put_line(v, s, y, v->line);
    }
}

static void draw_blank(struct vga *v, struct surface *s, bool full)
{
    if (!full)
        return;
    memset(v->line, 0, (size_t)s->width * 4);
    for (uint32_t y = 0; y < s->height; y++)
        vga_put_line(v, s, y, v->line);
}

/* ---- a frame ---- */

static bool palette_changed(struct vga *v)
{
    uint32_t pal[256], pal16[16];

    vga_palette_get(v, pal, pal16);
    if (!memcmp(pal, v->pal, sizeof(pal)) && !memcmp(pal16, v->pal16, sizeof(pal16)))
        return false;
    memcpy(v->pal, pal, sizeof(pal));
    memcpy(v->pal16, pal16, sizeof(pal16));
    return true;
}

static void draw_picture(struct vga *v, struct surface *s, bool full)
{
    uint32_t first, end;

    view_words(v, &first, &end);
    fetch_dirty(v, first, end);
    if (v->view.kind == VIEW_TEXT)
        vga_draw_text(v, s, full);
    else if (v->view.kind == VIEW_BLANK)
        draw_blank(v, s, full);
    else if (!full && !any_dirty(v, first, end))
        return;
    else if (v->view.kind == VIEW_PACKED)
        draw_packed(v, s, full);
    else
        vga_draw_planes(v, s, full);
    if (first < end)
        memset(v->dirty + first, 0, (end - first) * sizeof(*v->dirty));
}

static void vga_draw(void *card, struct display *d, bool all)
{
    struct vga *v = card;
    struct vga_view view;
    struct surface *s;
    bool full;

    vga_view_get(v, &view);
    all |= view.width != v->view.width || view.height != v->view.height;
    s = display_resize(d, view.width, view.height);
    if (!s)
        return;
    full = all || memcmp(&view, &v->view, sizeof(view));
    if (full) {
        v->view = view;
        if (!vga_text_prepare(v))
            return;
    }
    full |= palette_changed(v);
    v->span = (struct vga_span){ .display = all ? NULL : d };
    draw_picture(v, s, full);
    span_flush(v);
    if (all)
        display_damage(d, (struct rect){ 0, 0, (int32_t)s->width, (int32_t)s->height });
}

const struct card_ops vga_card_ops = { .draw = vga_draw, .text = vga_text };
