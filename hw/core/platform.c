/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bus: finds the window of an access, cuts it to what the device takes. */
#include "hw/core/platform.h"
#include <errno.h>
#include <string.h>
#include <time.h>
#include "hw/core/irq.h"
#include "hw/core/pci.h"

void platform_init(struct platform *p, const struct platform_ops *ops, struct uv_loop_s *loop)
{
    memset(p, 0, sizeof(*p));
    p->ops = ops;
    p->loop = loop;
    p->armed = TIMER_OFF;
}

/* Index of the first window that ends after addr. */
static unsigned window_search(const struct platform *p, enum io_space space, uint64_t addr)
{
    unsigned lo = 0, hi = p->nwindows[space];

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        const struct window *w = &p->windows[space][mid];

        if (addr - w->base < w->size || addr < w->base)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static struct window *window_at(struct platform *p, enum io_space space, uint64_t addr)
{
    unsigned i = window_search(p, space, addr);
    struct window *w = &p->windows[space][i];

    return i < p->nwindows[space] && addr >= w->base ? w : NULL;
}

bool platform_covers(const struct platform *p, enum io_space space, uint64_t addr)
{
    unsigned i = window_search(p, space, addr);

    return i < p->nwindows[space] && addr >= p->windows[space][i].base;
}

int platform_map(struct platform *p, struct device *dev, const struct io_range *r, uint64_t base,
                 uint64_t size)
{
    struct window *tab = p->windows[r->space];
    unsigned n = p->nwindows[r->space], i = window_search(p, r->space, base);
    int rc;

    if (!size || base + size - 1 < base)
        return -EINVAL;
    if (i < n && tab[i].base < base + size)
        return -EBUSY;
    if (n == PLATFORM_WINDOWS)
        return -ENOSPC;
    rc = p->ops->range ? p->ops->range(p, true, r->space, base, size) : 0;
    if (rc)
        return rc;
    memmove(&tab[i + 1], &tab[i], (n - i) * sizeof(*tab));
    tab[i] = (struct window){ .base = base, .range = r, .dev = dev, .size = size };
    p->nwindows[r->space]++;
    return 0;
}

void platform_unmap(struct platform *p, struct device *dev, const struct io_range *r, uint64_t base)
{
    struct window *tab = p->windows[r->space];
    unsigned n = p->nwindows[r->space];

    for (unsigned i = 0; i < n; i++) {
        if (tab[i].dev != dev || tab[i].range != r || tab[i].base != base)
            continue;
        if (p->ops->range)
            p->ops->range(p, false, r->space, base, tab[i].size);
        memmove(&tab[i], &tab[i + 1], (n - i - 1) * sizeof(*tab));
        p->nwindows[r->space]--;
        return;
    }
}

static uint64_t width_mask(unsigned width)
{
    return width >= 8 ? ~0ULL : (1ULL << (8 * width)) - 1;
}

/* The widest access the window takes at off, not beyond left bytes; 0: none. */
static unsigned window_chunk(const struct window *w, uint64_t off, unsigned left)
{
    for (unsigned width = 8; width; width >>= 1) {
        if (width <= left && (w->range->widths & width) && !(off & (width - 1)) &&
            w->size - off >= width)
            return width;
    }
    return 0;
}

static void window_io(struct window *w, struct io_req *req, uint64_t off, unsigned at,
                      unsigned chunk)
{
    uint64_t mask = width_mask(chunk);

    w->hits++;
    if (req->write) {
        if (w->range->write)
            w->range->write(w->dev, off, (req->data >> (8 * at)) & mask, chunk);
    } else {
        uint64_t val = w->range->read ? w->range->read(w->dev, off, chunk) & mask : mask;

        req->data = (req->data & ~(mask << (8 * at))) | val << (8 * at);
    }
}

static void serve_io(struct platform *p, struct io_req *req)
{
    unsigned done = 0;

    if (!req->write)
        req->data = width_mask(req->width);
    while (done < req->width) {
        struct window *w = window_at(p, req->space, req->addr + done);
        unsigned chunk = 0;

        if (w)
            chunk = window_chunk(w, req->addr + done - w->base, req->width - done);
        if (chunk)
            window_io(w, req, req->addr + done - w->base, done, chunk);
        done += chunk ? chunk : 1;
    }
}

void platform_io(struct platform *p, struct io_req *req)
{
    p->accesses++;
    if (!p->tap) {
        serve_io(p, req);
        return;
    }
    p->tap->request(p, -1, 0, req);
    serve_io(p, req);
    p->tap->answer(p, req);
}

static void serve_pci_cfg(struct platform *p, unsigned devfn, unsigned off, struct io_req *req)
{
    struct pci_func *f = devfn < 256 ? p->pci[devfn] : NULL;

    if (!f || off + req->width > sizeof(f->cfg) || req->width > 4) {
        if (!req->write)
            req->data = width_mask(req->width);
        return;
    }
    if (req->write)
        pci_cfg_write(f, off, req->data & width_mask(req->width), req->width);
    else
        req->data = pci_cfg_read(f, off, req->width);
}

void platform_pci_cfg(struct platform *p, unsigned devfn, unsigned off, struct io_req *req)
{
    p->accesses++;
    p->config_cycles++;
    if (!p->tap) {
        serve_pci_cfg(p, devfn, off, req);
        return;
    }
    p->tap->request(p, (int)devfn, off, req);
    serve_pci_cfg(p, devfn, off, req);
    p->tap->answer(p, req);
}

int64_t platform_now(struct platform *p)
{
    return p->ops->now(p);
}

int64_t platform_wall(struct platform *p)
{
    return p->ops->wall ? p->ops->wall(p) : (int64_t)time(NULL);
}

void platform_power(struct platform *p, enum power what)
{
    if (p->ops->power)
        p->ops->power(p, what);
}

void platform_rom(struct platform *p, uint64_t gpa, uint64_t size, uint8_t *host, bool shown)
{
    if (p->ops->rom)
        p->ops->rom(p, gpa, size, host, shown);
}

void platform_isa_irq(void *to, unsigned pin, bool level)
{
    struct platform *p = to;
    uint8_t old = p->isa_level[pin & 15];

    p->isa_level[pin & 15] = level ? old + 1 : old - 1;
    if (p->ops->isa_irq && (old == 0 || p->isa_level[pin & 15] == 0))
        p->ops->isa_irq(p, pin & 15, level);
}

void irq_isa(struct device *dev, struct irq *irq, unsigned pin)
{
    *irq = (struct irq){ .drive = platform_isa_irq, .to = dev->plat, .pin = pin & 15 };
}

int dma_read(struct device *dev, uint64_t gpa, void *dst, size_t len)
{
    struct platform *p = dev->plat;
    int rc = p->ops->mem_read ? p->ops->mem_read(p, gpa, dst, len) : -ENXIO;

    if (rc)
        memset(dst, 0xff, len); /* what nobody answers reads as ones */
    return rc;
}

int dma_write(struct device *dev, uint64_t gpa, const void *src, size_t len)
{
    struct platform *p = dev->plat;

    return p->ops->mem_write ? p->ops->mem_write(p, gpa, src, len) : -ENXIO;
}

void *dma_pin(struct device *dev, uint64_t gpa, uint64_t len, bool write, uint64_t *got)
{
    const struct platform_ops *ops = dev->plat->ops;

    return ops->mem_pin && ops->mem_unpin ? ops->mem_pin(dev->plat, gpa, len, write, got) : NULL;
}

void dma_unpin(struct device *dev, void *host, uint64_t len, bool written)
{
    dev->plat->ops->mem_unpin(dev->plat, host, len, written);
}
