/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The standard VGA card: an IBM VGA (vga-regs.c, vga-mem.c) with the Bochs
 * display interface (vbe.c) as PCI function 1234:1111. BAR 0 is the video
 * memory, which the guest reads and writes without us; BAR 2 holds the
 * monitor's EDID at 000, the VGA's ports 3c0-3df at 400, the Bochs registers
 * at 500 and a byte order switch at 600. The fixed ports answer whatever the
 * command register says, as the firmware expects before it finds the card.
 *
 * Options: vgamem_mb (16), xres and yres (1280x800, what the EDID prefers),
 * romfile (vgabios-stdvga.bin, empty for none), display. Not modelled: the list
 * at the end of docs/chips/vga.md.
 */
#include "hw/vga.h"
#include <errno.h>
#include <stdlib.h>
#include "hw/core/config.h"
#include "hw/edid.h"

#define VRAM_MIN_MB 8
#define VRAM_MAX_MB 256
#define XRES        1280
#define YRES        800

#define MMIO_SIZE          0x1000
#define MMIO_EDID_END      0x400
#define MMIO_PORTS         0x400 /* 3c0-3df */
#define MMIO_PORTS_N       0x20
#define MMIO_VBE           0x500
#define MMIO_VBE_N         (2 * VBE_REGS + 2)
#define MMIO_EXT           0x600 /* size of this block, then the byte order */
#define MMIO_EXT_N         8
#define LITTLE_ENDIAN_BYTE 0x1e
#define BIG_ENDIAN_BYTE    0xbe

static const struct field vga_state[] = { ARRAY(struct vga, vbe),
                                          FIELD(struct vga, vbe_index, .max = 0xff),
                                          ARRAY(struct vga, latch),
                                          ARRAY(struct vga, dac),
                                          ARRAY(struct vga, dac_cache),
                                          FIELD(struct vga, dac_sub, .max = 2),
                                          FIELD(struct vga, dac_read),
                                          FIELD(struct vga, dac_write),
                                          FIELD(struct vga, dac_state, .max = 3),
                                          FIELD(struct vga, pel_mask),
                                          FIELD(struct vga, sr_index, .max = 7),
                                          ARRAY(struct vga, sr),
                                          FIELD(struct vga, gr_index, .max = 15),
                                          ARRAY(struct vga, gr),
                                          FIELD(struct vga, cr_index, .max = 0x3f),
                                          ARRAY(struct vga, cr),
                                          FIELD(struct vga, ar_index, .max = 0x3f),
                                          ARRAY(struct vga, ar),
                                          FIELD(struct vga, misc, .bits = 0xef),
                                          FIELD(struct vga, feature, .bits = 0x0b),
                                          FIELD(struct vga, enable, .max = 1),
                                          FIELD(struct vga, vbe_low),
                                          FIELD(struct vga, ar_data),
                                          FIELD(struct vga, big_endian),
                                          FIELDS_END };

static bool vga_check(const struct device *dev)
{
    const struct vga *v = container_of(dev, const struct vga, pci.dev);

    return vga_regs_valid(v) && vbe_valid(v);
}

static void vga_sync(struct device *dev)
{
    vga_mem_sync(vga_of(dev));
}

static void vga_reset(struct device *dev, enum reset_kind kind)
{
    struct vga *v = vga_of(dev);

    v->s.pel_mask = 0xff;
    v->s.enable = 1;
    v->s.vbe[VBE_ID] = 0xb0c5;
}

/* ---- the fixed ports ---- */

#define PORT_RANGE(base)                                                                           \
    static uint64_t port_##base##_read(struct device *dev, uint64_t off, unsigned width)           \
    {                                                                                              \
        return vga_port_read(vga_of(dev), 0x##base + (unsigned)off);                               \
    }                                                                                              \
    static void port_##base##_write(struct device *dev, uint64_t off, uint64_t val,                \
                                    unsigned width)                                                \
    {                                                                                              \
        vga_port_write(vga_of(dev), 0x##base + (unsigned)off, val);                                \
        vga_sync(dev);                                                                             \
    }

PORT_RANGE(3b4)
PORT_RANGE(3ba)
PORT_RANGE(3c0)
PORT_RANGE(3d4)
PORT_RANGE(3da)

static const struct io_range vga_io[] = {
    { IO_PORT, 0x3b4, 2, 1, port_3b4_read, port_3b4_write },
    { IO_PORT, 0x3ba, 1, 1, port_3ba_read, port_3ba_write },
    { IO_PORT, 0x3c0, 16, 1, port_3c0_read, port_3c0_write },
    { IO_PORT, 0x3d4, 2, 1, port_3d4_read, port_3d4_write },
    { IO_PORT, 0x3da, 1, 1, port_3da_read, port_3da_write },
    { IO_PORT, 0x1ce, 1, 1, vbe_index_read, vbe_index_write },
    { IO_PORT, 0x1cf, 2, 1 | 2, vbe_data_read, vbe_data_write },
    { IO_PORT, 0x1d1, 1, 1, vbe_high_read, vbe_high_write },
    { IO_MEM, 0xa0000, 0x20000, 1 | 2 | 4 | 8, vga_mem_read, vga_mem_write },
    { 0 }
};

/* ---- BAR 2 ---- */

static uint8_t mmio_read8(struct vga *v, unsigned off)
{
    if (off < MMIO_EDID_END)
        return off < EDID_SIZE ? v->edid[off] : 0;
    if (off - MMIO_PORTS < MMIO_PORTS_N)
        return vga_port_read(v, 0x3c0 + off - MMIO_PORTS);
    if (off - MMIO_VBE < MMIO_VBE_N)
        return vbe_read(v, (off - MMIO_VBE) / 2) >> (off & 1 ? 8 : 0);
    if (off - MMIO_EXT < MMIO_EXT_N) {
        if (off >= MMIO_EXT + 4)
            return v->s.big_endian ? BIG_ENDIAN_BYTE : LITTLE_ENDIAN_BYTE;
        return off == MMIO_EXT ? MMIO_EXT_N : 0;
    }
    return 0xff;
}

static uint64_t vga_mmio_read(struct device *dev, uint64_t off, unsigned width)
{
    uint64_t val = 0;

    for (unsigned i = 0; i < width; i++)
        val |= (uint64_t)mmio_read8(vga_of(dev), (unsigned)off + i) << (8 * i);
    return val;
}

static void mmio_write_vbe(struct vga *v, unsigned off, uint64_t val, unsigned width)
{
    if (width == 1) {
        guest_err(&v->pci.dev, "byte write to a 16-bit register");
        return;
    }
    for (unsigned i = 0; i < width; i += 2)
        vbe_write(v, (off + i - MMIO_VBE) / 2, val >> (8 * i));
}

static void vga_mmio_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct vga *v = vga_of(dev);
    unsigned at = (unsigned)off;

    if (at - MMIO_PORTS < MMIO_PORTS_N) {
        for (unsigned i = 0; i < width; i++)
            vga_port_write(v, 0x3c0 + at - MMIO_PORTS + i, val >> (8 * i));
    } else if (at - MMIO_VBE < MMIO_VBE_N) {
        mmio_write_vbe(v, at, val, width);
    } else if (at == MMIO_EXT + 4) {
        if ((val & 0xff) == BIG_ENDIAN_BYTE || (val & 0xff) == LITTLE_ENDIAN_BYTE)
            v->s.big_endian = (val & 0xff) == BIG_ENDIAN_BYTE;
    } else {
        guest_err(dev, "write to BAR 2 at %x", at);
    }
    vga_sync(dev);
}

static const struct io_range vga_bar0[] = {
    { .space = IO_MEM, .size = 16 << 20 }, /* memory: no handlers; init sets the size */
    { 0 }
};
static const struct io_range vga_bar2[] = {
    { IO_MEM, 0, MMIO_SIZE, 1 | 2 | 4, vga_mmio_read, vga_mmio_write }, { 0 }
};

static void vga_bar_mapped(struct pci_func *f, unsigned bar, uint64_t base)
{
    struct platform *p = f->dev.plat;

    if (bar == 0 && p->ops->vram_place && p->ops->vram_place(p, base))
        guest_err(&f->dev, "the video memory cannot be at %llx", (unsigned long long)base);
}

/* ---- set-up ---- */

static int vram_init(struct vga *v, const struct config *cfg, struct err *err)
{
    struct platform *p = v->pci.dev.plat;
    uint64_t mb = 0, size = VRAM_MAX_MB;
    void *host = NULL;
    int rc = config_uint(cfg, "vgamem_mb", 16, UINT32_MAX, &mb, err);

    if (rc)
        return rc;
    if (mb < VRAM_MIN_MB || mb > VRAM_MAX_MB)
        return err_set(err, -EINVAL, "%s: vgamem_mb=%llu: give %d to %d", v->pci.dev.id,
                       (unsigned long long)mb, VRAM_MIN_MB, VRAM_MAX_MB);
    while (size > mb) /* downwards: the toolstack counted on no more */
        size /= 2;
    v->vram_size = (uint32_t)size << 20;
    if (!p->ops->vram_alloc)
        return err_set(err, -ENOTSUP, "%s: %s has no video memory", v->pci.dev.id, p->ops->name);
    rc = p->ops->vram_alloc(p, v->vram_size, &host, err);
    if (rc)
        return rc;
    v->vram = host;
    v->dirty = calloc(v->vram_size >> VGA_PAGE_SHIFT >> 6, sizeof(*v->dirty));
    v->fetched = calloc(v->vram_size >> VGA_PAGE_SHIFT >> 6, sizeof(*v->fetched));
    if (!v->dirty || !v->fetched)
        return err_set(err, -ENOMEM, "%s: out of memory", v->pci.dev.id);
    pci_set_bar_size(&v->pci, 0, v->vram_size);
    return 0;
}

static int edid_init(struct vga *v, const struct config *cfg, struct err *err)
{
    uint64_t xres = 0, yres = 0;
    int rc = config_uint(cfg, "xres", XRES, EDID_MAX_PIXELS, &xres, err);

    if (!rc)
        rc = config_uint(cfg, "yres", YRES, EDID_MAX_PIXELS, &yres, err);
    if (!rc && (!xres || !yres))
        rc = err_set(err, -EINVAL, "%s: xres and yres must not be 0", v->pci.dev.id);
    if (!rc)
        edid_make(v->edid, (unsigned)xres, (unsigned)yres);
    return rc;
}

static void vga_free(struct vga *v)
{
    if (v->display)
        display_set_card(v->display, NULL, NULL);
    free(v->dirty);
    free(v->fetched);
    free(v->cells);
}

static int vga_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct vga *v = vga_of(dev);
    const char *rom = config_str(cfg, "romfile", "vgabios-stdvga.bin");
    int rc = vram_init(v, cfg, err);

    if (!rc)
        rc = edid_init(v, cfg, err);
    if (!rc && *rom)
        rc = pci_load_rom(&v->pci, cfg, rom, err);
    if (rc) {
        vga_free(v);
        return rc;
    }
    v->display = config_obj(cfg, "display");
    if (v->display)
        display_set_card(v->display, &vga_card_ops, v);
    return 0;
}

static void vga_fini(struct device *dev)
{
    vga_free(vga_of(dev));
}

const struct pci_type vga_type = {
    .dev = {
        .name = "VGA", .version = 1, DEVICE_LAYOUT(struct vga), .pci = true,
        .io = vga_io, .state = vga_state,
        .init = vga_init, .fini = vga_fini, .reset = vga_reset, .sync = vga_sync,
        .check = vga_check,
    },
    .vendor = 0x1234, .device = 0x1111, .subvendor = 0x1af4, .subdevice = 0x1100,
    .class_code = 0x030000, .revision = 2,
    .bar = { [0] = vga_bar0, [2] = vga_bar2 },
    .bar_prefetch = 1 << 0,
    .bar_mapped = vga_bar_mapped,
};
