/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drawing the VGA's picture: which pages changed, which lines that makes, and
 * what of them is told to the display. A line that may have changed is
 * converted aside and compared with the surface, so only pixels that really
 * differ are damaged. Pages are dirty when the hypervisor saw the guest's CPU
 * write them or when our own window did (the hypervisor does not see that).
 */
#include "hw/vga.h"

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
        if (w->split < w->height || to > v->vram_size) /* it starts again at 0 somewhere */
            from = 0;
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

    if (y >= s->height)
        return;
    if (vga_pointer_line(v, y)) { /* on a copy: other lines may be made of src */
        memcpy(v->over, src, (size_t)s->width * 4);
        v->ops->pointer_draw(v, y, v->over, s->width);
        src = v->over;
    }
    if (!memcmp(dst, src, (size_t)s->width * 4))
        return;
    while (x0 < x1 && dst[x0] == src[x0])
        x0++;
    while (x1 > x0 && dst[x1 - 1] == src[x1 - 1])
        x1--;
    memcpy(dst + x0, src + x0, (size_t)(x1 - x0) * 4);
    vga_span_add(v, y, 1, x0, x1);
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
    for (unsigned i = 0; i < 256; i++) {
        v->pair16[i][0] = pal16[i >> 4];
        v->pair16[i][1] = pal16[i & 15];
    }
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
    else if (!full && !any_dirty(v, first, end) && !v->pointer_new)
        return;
    else if (v->view.kind == VIEW_PACKED)
        vga_draw_packed(v, s, full);
    else
        vga_draw_planes(v, s, full);
    if (first < end)
        memset(v->dirty + first, 0, (end - first) * sizeof(*v->dirty));
}

void vga_draw(void *card, struct display *d, bool all)
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
    v->pointer_y0 = v->pointer_y1 = 0;
    v->pointer_new =
        v->ops->pointer_lines && v->ops->pointer_lines(v, &v->pointer_y0, &v->pointer_y1);
    v->span = (struct vga_span){ .display = all ? NULL : d };
    draw_picture(v, s, full);
    span_flush(v);
    if (all)
        display_damage(d, (struct rect){ 0, 0, (int32_t)s->width, (int32_t)s->height });
}
