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
#include <errno.h>
#include "hw/core/config.h"
#include "hw/stdvga.h"

#define VRAM_MIN_MB 8
#define VRAM_MAX_MB 256

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

static const struct field vga_state[] = { ARRAY(struct stdvga, vbe),
                                          FIELD(struct stdvga, vbe_index, .max = 0xff),
                                          VGA_FIELDS(struct stdvga, vga, 7, 15, 0x3f),
                                          FIELD(struct stdvga, vbe_low),
                                          VGA_NAMED(struct stdvga, FIELD, vga, ar_data),
                                          FIELD(struct stdvga, big_endian),
                                          VGA_MONITOR(struct stdvga, vga, .since = 2),
                                          FIELDS_END };

static bool vga_check(const struct device *dev)
{
    const struct stdvga *v = container_of(dev, const struct stdvga, v.pci.dev);

    return vga_regs_valid(&v->v) && vbe_valid(v);
}

static void vga_sync(struct device *dev)
{
    vga_card_sync(vga_of(dev));
}

static void vga_reset(struct device *dev, enum reset_kind kind)
{
    vga_card_reset(vga_of(dev));
    stdvga_of(dev)->s.vbe[VBE_ID] = 0xb0c5;
}

static const struct io_range vga_io[] = {
    VGA_PORT_RANGE(3b4, 2),
    VGA_PORT_RANGE(3ba, 1),
    VGA_PORT_RANGE(3c0, 16),
    VGA_PORT_RANGE(3d4, 2),
    VGA_PORT_RANGE(3da, 1),
    { IO_PORT, 0x1ce, 1, 1, vbe_index_read, vbe_index_write },
    { IO_PORT, 0x1cf, 2, 1 | 2, vbe_data_read, vbe_data_write },
    { IO_PORT, 0x1d1, 1, 1, vbe_high_read, vbe_high_write },
    { IO_MEM, 0xa0000, 0x20000, 1 | 2 | 4 | 8, vga_mem_read, vga_mem_write },
    { 0 }
};

/* ---- BAR 2 ---- */

static uint8_t mmio_read8(struct stdvga *v, unsigned off)
{
    if (off < MMIO_EDID_END)
        return off < EDID_SIZE ? v->v.edid[off] : 0;
    if (off - MMIO_PORTS < MMIO_PORTS_N)
        return vga_any_port_read(&v->v, 0x3c0 + off - MMIO_PORTS);
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
        val |= (uint64_t)mmio_read8(stdvga_of(dev), (unsigned)off + i) << (8 * i);
    return val;
}

static void mmio_write_vbe(struct stdvga *v, unsigned off, uint64_t val, unsigned width)
{
    if (width == 1) {
        guest_err(&v->v.pci.dev, "byte write to a 16-bit register");
        return;
    }
    for (unsigned i = 0; i < width; i += 2)
        vbe_write(v, (off + i - MMIO_VBE) / 2, val >> (8 * i));
}

static void vga_mmio_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct stdvga *v = stdvga_of(dev);
    unsigned at = (unsigned)off;

    if (at - MMIO_PORTS < MMIO_PORTS_N) {
        for (unsigned i = 0; i < width; i++)
            vga_any_port_write(&v->v, 0x3c0 + at - MMIO_PORTS + i, val >> (8 * i));
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
    if (bar == 0)
        vga_card_place(f, base);
}

/* ---- set-up ---- */

static const struct vga_ops std_ops = {
    .sr_index = 7,
    .gr_index = 15,
    .cr_index = 0x3f,
    .view = vbe_view,
    .window = vbe_window,
    .own_timing = vbe_enabled,
    .dac_8bit = vbe_dac_8bit,
};

static int vga_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct stdvga *v = stdvga_of(dev);
    uint64_t mb = 0, size = VRAM_MAX_MB;
    int rc = config_uint(cfg, "vgamem_mb", 16, UINT32_MAX, &mb, err);

    v->v.ops = &std_ops;
    v->v.r = &v->s.vga;
    if (rc)
        return rc;
    if (mb < VRAM_MIN_MB || mb > VRAM_MAX_MB)
        return err_set(err, -EINVAL, "%s: vgamem_mb=%llu: give %d to %d", dev->id,
                       (unsigned long long)mb, VRAM_MIN_MB, VRAM_MAX_MB);
    while (size > mb) /* downwards: the toolstack counted on no more */
        size /= 2;
    pci_set_bar_size(&v->v.pci, 0, size << 20);
    return vga_card_init(&v->v, cfg, (uint32_t)size << 20, "vgabios-stdvga.bin", err);
}

static void vga_fini(struct device *dev)
{
    vga_card_free(vga_of(dev));
}

const struct pci_type vga_type = {
    .dev = {
        .name = "VGA", .version = 2, DEVICE_LAYOUT(struct stdvga), .pci = true,
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
