/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Cirrus Logic CL-GD5446 on a PCI card with 4 MiB: CL-GD5446 Technical
 * Reference Manual, "PCI configuration registers". A VGA with packed modes of 8
 * to 32 bits a pixel, a blitter and a pointer; what old Windows has a driver
 * for. BAR 0 is video memory with its apertures, BAR 1 the ports 3c0-3df at 000
 * and the blitter's registers at 100.
 *
 * Options: vgamem_mb (4, 8 or 16, of which the chip has 4), xres and yres,
 * romfile (vgabios-cirrus.bin, empty for none), display.
 */
#include "hw/cirrus.h"
#include <errno.h>
#include <string.h>
#include "hw/core/config.h"
#include "hw/devices.h"

#define LFB_SIZE      (32u << 20)
#define REGS_SIZE     0x1000
#define REGS_PORTS_N  0x20
#define REGS_BLT      0x100
#define NO_BYTE       0xff
#define VGAMEM_MIN_MB 4
#define VGAMEM_MAX_MB 16

/* NOLINTBEGIN(bugprone-macro-parentheses): b is the name of a member */
#define BLT_FIELDS(b)                                                                              \
    FIELD(struct cirrus, b.dst, .max = CIRRUS_MASK),                                               \
        FIELD(struct cirrus, b.src, .max = CIRRUS_MASK), FIELD(struct cirrus, b.fg),               \
        FIELD(struct cirrus, b.bg), FIELD(struct cirrus, b.width, .max = CIRRUS_BLT_WIDTH),        \
        FIELD(struct cirrus, b.height, .max = 2048),                                               \
        FIELD(struct cirrus, b.dst_pitch, .max = CIRRUS_BLT_WIDTH - 1),                            \
        FIELD(struct cirrus, b.src_pitch, .max = CIRRUS_BLT_WIDTH - 1),                            \
        FIELD(struct cirrus, b.key), FIELD(struct cirrus, b.key_mask),                             \
        FIELD(struct cirrus, b.mode), FIELD(struct cirrus, b.ext, .bits = 0x1f),                   \
        FIELD(struct cirrus, b.rop), FIELD(struct cirrus, b.skip)
/* NOLINTEND(bugprone-macro-parentheses) */

static const struct field cirrus_state[] = {
    FIELD(struct cirrus, step),
    FIELD(struct cirrus, linger),
    BLT_FIELDS(blt),
    BLT_FIELDS(next),
    VGA_MONITOR(struct cirrus, vga),
    VGA_FIELDS(struct cirrus, vga, 0xff, 0x3f, 0x3f),
    VGA_NAMED(struct cirrus, FIELD, vga, ar_data),
    FIELD(struct cirrus, cursor_x, .max = 0x7ff),
    FIELD(struct cirrus, cursor_y, .max = 0x7ff),
    FIELD(struct cirrus, fed, .max = CIRRUS_BLT_WIDTH),
    FIELD(struct cirrus, row, .max = 7),
    { .name = "xsr", .off = offsetof(struct cirrus, s.sr), .count = CIRRUS_SRS, .kind = F_U8 },
    { .name = "xgr", .off = offsetof(struct cirrus, s.gr), .count = CIRRUS_GRS, .kind = F_U8 },
    { .name = "xcr", .off = offsetof(struct cirrus, s.cr), .count = CIRRUS_CRS, .kind = F_U8 },
    FIELD(struct cirrus, hidden_dac),
    FIELD(struct cirrus, hidden_reads, .max = 4),
    ARRAY(struct cirrus, cursor_dac, .max = 0x3f),
    FIELD(struct cirrus, phase, .max = BLT_PHASES - 1),
    FIELD(struct cirrus, queued),
    FIELD(struct cirrus, ddc.phase, .max = DDC_PHASES - 1),
    FIELD(struct cirrus, ddc.bit, .max = 8),
    FIELD(struct cirrus, ddc.shift),
    FIELD(struct cirrus, ddc.offset, .max = 127),
    FIELD(struct cirrus, ddc.scl),
    FIELD(struct cirrus, ddc.sda),
    FIELD(struct cirrus, ddc.low),
    FIELD(struct cirrus, ddc.read),
    ARRAY(struct cirrus, feed),
    FIELDS_END
};

static bool cirrus_check(const struct device *dev)
{
    const struct cirrus *c = container_of(dev, const struct cirrus, v.pci.dev);

    return vga_regs_valid(&c->v) && cirrus_regs_valid(c) && cirrus_blt_valid(c);
}

/* Video memory is at BAR 0 unless accesses mean something: then they come to us. */
static void cirrus_place(struct cirrus *c)
{
    uint64_t at = cirrus_traps(c) ? 0 : c->v.pci.mapped[0];

    if (at == c->placed)
        return;
    c->placed = at;
    vga_card_place(&c->v.pci, at);
}

static void cirrus_sync(struct device *dev)
{
    struct cirrus *c = cirrus_of(dev);

    vga_card_sync(&c->v);
    cirrus_place(c);
}

static void cirrus_bar_mapped(struct pci_func *f, unsigned bar, uint64_t base)
{
    if (bar == 0)
        cirrus_place(cirrus_of(&f->dev));
}

static void cirrus_reset(struct device *dev, enum reset_kind kind)
{
    struct cirrus *c = cirrus_of(dev);

    vga_card_reset(&c->v);
    cirrus_regs_reset(c);
    timer_set(dev->plat, &c->s.step, TIMER_OFF);
    timer_set(dev->plat, &c->s.linger, TIMER_OFF);
}

static const struct io_range cirrus_io[] = { VGA_PORT_RANGE(3b4, 2),
                                             VGA_PORT_RANGE(3ba, 1),
                                             VGA_PORT_RANGE(3c0, 16),
                                             VGA_PORT_RANGE(3d4, 2),
                                             VGA_PORT_RANGE(3da, 1),
                                             { IO_MEM, 0xa0000, 0x20000, 1 | 2 | 4 | 8,
                                               cirrus_window_read, cirrus_window_write },
                                             { 0 } };

/* ---- BAR 1 ---- */

static uint64_t regs_read(struct device *dev, uint64_t off, unsigned width)
{
    struct cirrus *c = cirrus_of(dev);
    uint8_t val = NO_BYTE;

    if (off < REGS_PORTS_N)
        val = cirrus_port_read(&c->v, 0x3c0 + (unsigned)off);
    else if (off - REGS_BLT < CIRRUS_MMIO)
        val = cirrus_mmio_read(c, (unsigned)off - REGS_BLT);
    return val;
}

static void regs_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct cirrus *c = cirrus_of(dev);

    if (off < REGS_PORTS_N)
        cirrus_port_write(&c->v, 0x3c0 + (unsigned)off, (uint8_t)val);
    else if (off - REGS_BLT < CIRRUS_MMIO)
        cirrus_mmio_write(c, (unsigned)off - REGS_BLT, (uint8_t)val);
    else
        guest_err(dev, "write to BAR 1 at %x", (unsigned)off);
    cirrus_sync(dev);
}

static const struct io_range cirrus_bar0[] = {
    { IO_MEM, 0, LFB_SIZE, 1 | 2 | 4 | 8, cirrus_lfb_read, cirrus_lfb_write }, { 0 }
};
static const struct io_range cirrus_bar1[] = { { IO_MEM, 0, REGS_SIZE, 1, regs_read, regs_write },
                                               { 0 } };

/* ---- set-up ---- */

static const struct vga_ops cirrus_ops = {
    .sr_index = 0xff,
    .gr_index = 0x3f,
    .cr_index = 0x3f,
    .port_read = cirrus_port_read,
    .port_write = cirrus_port_write,
    .view = cirrus_view,
    .pointer_lines = cirrus_pointer_lines,
    .pointer_draw = cirrus_pointer_draw,
};

static void linger_over(void *arg)
{
    struct cirrus *c = arg;

    cirrus_sync(&c->v.pci.dev);
}

static int cirrus_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct cirrus *c = cirrus_of(dev);
    uint64_t mb = 0;
    int rc = config_uint(cfg, "vgamem_mb", VGAMEM_MIN_MB, UINT32_MAX, &mb, err);

    c->v.ops = &cirrus_ops;
    c->v.r = &c->s.vga;
    if (rc)
        return rc;
    if (mb < VGAMEM_MIN_MB || mb > VGAMEM_MAX_MB)
        return err_set(err, -EINVAL, "%s: vgamem_mb=%llu: give %d to %d (the chip has 4)", dev->id,
                       (unsigned long long)mb, VGAMEM_MIN_MB, VGAMEM_MAX_MB);
    rc = vga_card_init(&c->v, cfg, CIRRUS_VRAM, "vgabios-cirrus.bin", err);
    if (rc)
        return rc;
    timer_init(dev->plat, &c->s.step, cirrus_blt_step, c);
    timer_init(dev->plat, &c->s.linger, linger_over, c);
    return 0;
}

static void cirrus_fini(struct device *dev)
{
    struct cirrus *c = cirrus_of(dev);

    timer_fini(dev->plat, &c->s.step);
    timer_fini(dev->plat, &c->s.linger);
    vga_card_free(&c->v);
}

const struct pci_type cirrus_type = {
    .dev = {
        .name = "cirrus-vga", .version = 1, DEVICE_LAYOUT(struct cirrus), .pci = true,
        .io = cirrus_io, .state = cirrus_state,
        .init = cirrus_init, .fini = cirrus_fini, .reset = cirrus_reset, .sync = cirrus_sync,
        .check = cirrus_check,
    },
    .vendor = 0x1013, .device = 0x00b8, .subvendor = 0x1af4, .subdevice = 0x1100,
    .class_code = 0x030000, .revision = 0,
    .bar = { [0] = cirrus_bar0, [1] = cirrus_bar1 },
    .bar_prefetch = 1 << 0,
    .bar_mapped = cirrus_bar_mapped,
};
