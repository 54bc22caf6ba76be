/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every card with a VGA inside sets up alike: the fixed ports, video
 * memory, the monitor's EDID, the option ROM and the way to the display.
 *
 * Options: xres and yres (1280x800, what the EDID prefers until a viewer
 * wishes another size), romfile, display.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/config.h"
#include "hw/edid.h"
#include "hw/vga.h"

#define XRES 1280
#define YRES 800

uint8_t vga_any_port_read(struct vga *v, unsigned port)
{
    return v->ops->port_read ? v->ops->port_read(v, port) : vga_port_read(v, port);
}

void vga_any_port_write(struct vga *v, unsigned port, uint8_t val)
{
    if (v->ops->port_write)
        v->ops->port_write(v, port, val);
    else
        vga_port_write(v, port, val);
}

/* The fixed ports answer whatever the command register says: firmware wants them early. */
#define PORT_RANGE(base)                                                                           \
    uint64_t vga_##base##_read(struct device *dev, uint64_t off, unsigned width)                   \
    {                                                                                              \
        return vga_any_port_read(vga_of(dev), 0x##base + (unsigned)off);                           \
    }                                                                                              \
    void vga_##base##_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)        \
    {                                                                                              \
        vga_any_port_write(vga_of(dev), 0x##base + (unsigned)off, val);                            \
        dev->type->sync(dev);                                                                      \
    }

PORT_RANGE(3b4)
PORT_RANGE(3ba)
PORT_RANGE(3c0)
PORT_RANGE(3d4)
PORT_RANGE(3da)

void vga_card_reset(struct vga *v)
{
    v->r->pel_mask = 0xff;
    v->r->enable = 1;
    v->r->edid_x = v->wish_x; /* a reset does not change the monitor */
    v->r->edid_y = v->wish_y;
}

void vga_card_sync(struct vga *v)
{
    vga_mem_sync(v);
    if (v->made_x == v->r->edid_x && v->made_y == v->r->edid_y)
        return;
    v->made_x = v->wish_x = v->r->edid_x; /* a loaded state brings its monitor along */
    v->made_y = v->wish_y = v->r->edid_y;
    edid_make(v->edid, v->made_x, v->made_y);
}

static uint16_t edid_size(uint32_t pixels)
{
    return (uint16_t)(pixels < 8 ? 8 : pixels > EDID_MAX_PIXELS ? EDID_MAX_PIXELS : pixels);
}

/* A viewer's window has another size: the monitor prefers it from now on. */
static void vga_want_size(void *card, uint32_t width, uint32_t height)
{
    struct vga *v = card;

    v->r->edid_x = v->wish_x = edid_size(width & ~7u); /* whole character clocks: any mode can */
    v->r->edid_y = v->wish_y = edid_size(height);
    v->pci.dev.type->sync(&v->pci.dev);
}

const struct card_ops vga_card_ops = {
    .draw = vga_draw,
    .text = vga_text,
    .want_size = vga_want_size,
    .cells = vga_cells,
    .rom = vga_rom,
};

static int monitor_init(struct vga *v, const struct config *cfg, struct err *err)
{
    uint64_t xres = 0, yres = 0;
    int rc = config_uint(cfg, "xres", XRES, EDID_MAX_PIXELS, &xres, err);

    if (!rc)
        rc = config_uint(cfg, "yres", YRES, EDID_MAX_PIXELS, &yres, err);
    if (!rc && (!xres || !yres))
        rc = err_set(err, -EINVAL, "%s: xres and yres must not be 0", v->pci.dev.id);
    v->wish_x = (uint16_t)xres;
    v->wish_y = (uint16_t)yres;
    return rc;
}

static int vram_init(struct vga *v, uint32_t size, struct err *err)
{
    struct platform *p = v->pci.dev.plat;
    void *host = NULL;
    int rc;

    v->vram_size = size;
    if (!p->ops->vram_alloc)
        return err_set(err, -ENOTSUP, "%s: %s has no video memory", v->pci.dev.id, p->ops->name);
    rc = p->ops->vram_alloc(p, size, &host, err);
    if (rc)
        return rc;
    v->vram = host;
    v->dirty = calloc(size >> VGA_PAGE_SHIFT >> 6, sizeof(*v->dirty));
    v->fetched = calloc(size >> VGA_PAGE_SHIFT >> 6, sizeof(*v->fetched));
    if (!v->dirty || !v->fetched)
        return err_set(err, -ENOMEM, "%s: out of memory", v->pci.dev.id);
    return 0;
}

int vga_card_init(struct vga *v, const struct config *cfg, uint32_t size, const char *rom,
                  struct err *err)
{
    int rc = vram_init(v, size, err);

    rom = config_str(cfg, "romfile", rom);
    if (!rc)
        rc = monitor_init(v, cfg, err);
    if (!rc && *rom)
        rc = pci_load_rom(&v->pci, cfg, rom, err);
    if (rc) {
        vga_card_free(v);
        return rc;
    }
    v->display = config_obj(cfg, "display");
    if (v->display)
        display_set_card(v->display, &vga_card_ops, v);
    return 0;
}

void vga_card_free(struct vga *v)
{
    if (v->display)
        display_set_card(v->display, NULL, NULL);
    free(v->dirty);
    free(v->fetched);
    free(v->cells);
}

void vga_card_place(struct pci_func *f, uint64_t at)
{
    struct platform *p = f->dev.plat;
    int rc = p->ops->vram_place ? p->ops->vram_place(p, at) : 0;

    if (rc)
        guest_err(&f->dev, "the video memory cannot be at %llx: %s", (unsigned long long)at,
                  strerror(-rc));
}
