/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VGA's registers and its PCI function. */
#include "tests/unit/vga-util.h"

TEST(pci_identity_and_bars)
{
    struct qt *t = vga_world().t;

    CHECK_EQ(cfg_read(t, VGA_DEVFN, PCI_VENDOR_ID, 4), 0x11111234);
    CHECK_EQ(cfg_read(t, VGA_DEVFN, PCI_REVISION, 4), 0x03000002);
    CHECK_EQ(cfg_read(t, VGA_DEVFN, PCI_SUBVENDOR_ID, 4), 0x11001af4);
    cfg_write(t, VGA_DEVFN, PCI_BAR0, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, VGA_DEVFN, PCI_BAR0, 4), 0xff800008); /* 8 MiB, prefetchable */
    cfg_write(t, VGA_DEVFN, PCI_BAR0 + 8, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, VGA_DEVFN, PCI_BAR0 + 8, 4), 0xfffff000);
}

TEST(video_memory_follows_bar0)
{
    struct qt *t = vga_world().t;

    CHECK_EQ(t->vram_gpa, 0);
    vga_map_bars(t);
    CHECK_EQ(t->vram_gpa, VGA_BAR0);
    cfg_write(t, VGA_DEVFN, PCI_COMMAND, 0, 2);
    CHECK_EQ(t->vram_gpa, 0);
}

static int start_with(const char *key, const char *val, struct err *err)
{
    struct qt *t = qt_new();
    struct device *dev;

    qt_config(t, "romfile", "");
    qt_config(t, key, val);
    dev = device_new(&t->plat, &vga_type.dev, "vga", VGA_DEVFN, &t->cfg, err);
    if (!dev)
        return -1;
    device_free(dev);
    return (int)(t->vram_size >> 20);
}

TEST(memory_size_is_checked)
{
    struct err err = { "" };

    CHECK(start_with("vgamem_mb", "8", &err) == 8);
    CHECK(start_with("vgamem_mb", "20", &err) == 16);
    CHECK(start_with("vgamem_mb", "256", &err) == 256);
    CHECK(start_with("vgamem_mb", "7", &err) == -1 && strstr(err.msg, "vgamem_mb"));
    CHECK(start_with("vgamem_mb", "512", &err) == -1);
}

TEST(missing_rom_is_said)
{
    struct err err = { "" };

    CHECK(start_with("romfile", "no-such-rom.bin", &err) == -1);
    CHECK(strstr(err.msg, "no-such-rom.bin"));
}

TEST(colour_bit_moves_the_crtc_ports)
{
    struct qt *t = vga_world().t;

    outb(t, 0x3c2, 0); /* mono: 3b4 */
    outw(t, 0x3b4, 0x5a0f);
    CHECK_EQ(inb(t, 0x3b5), 0x5a);
    CHECK_EQ(inb(t, 0x3d5), 0xff);
    CHECK(inb(t, 0x3da) == 0xff && inb(t, 0x3ba) != 0xff);
    outb(t, 0x3c2, 1);
    CHECK_EQ(inb(t, 0x3d5), 0x5a);
    CHECK_EQ(inb(t, 0x3b5), 0xff);
    CHECK(inb(t, 0x3ba) == 0xff && inb(t, 0x3da) != 0xff);
    CHECK_EQ(inb(t, 0x3cc), 1);
}

TEST(registers_keep_the_bits_they_have)
{
    struct qt *t = vga_world().t;
    static const uint8_t sr[] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0, 0 };
    static const uint8_t gr[] = { 15, 15, 15, 0x1f, 3, 0x7b, 15, 15, 0xff, 0 };

    for (unsigned i = 0; i < sizeof(sr); i++) {
        set_sr(t, i, 0xff);
        CHECK_EQ(inb(t, 0x3c5), sr[i]);
    }
    for (unsigned i = 0; i < sizeof(gr); i++) {
        set_gr(t, i, 0xff);
        CHECK_EQ(inb(t, 0x3cf), gr[i]);
    }
    CHECK_EQ(inw(t, 0x3ce), 9);
}

TEST(crtc_write_protect)
{
    struct qt *t = vga_world().t;

    outb(t, 0x3c2, 1);
    set_cr(t, 1, 0x4f);
    set_cr(t, 7, 0);
    set_cr(t, 0x11, 0x80);
    set_cr(t, 1, 0x11);
    set_cr(t, 7, 0xff);
    set_cr(t, 9, 0x0f);
    CHECK_EQ(get_cr(t, 1), 0x4f);
    CHECK_EQ(get_cr(t, 7), 0x10); /* line compare is not protected */
    CHECK_EQ(get_cr(t, 9), 0x0f);
    CHECK_EQ(get_cr(t, 0x30), 0);
}

TEST(attribute_flip_flop)
{
    struct qt *t = vga_world().t;

    outb(t, 0x3c2, 1);
    inb(t, 0x3da);
    outb(t, 0x3c0, 5);
    CHECK_EQ(get_cr(t, 0x24), 0x80);
    outb(t, 0x3c0, 0x2a);
    outb(t, 0x3c0, 5 | 0x20);
    CHECK_EQ(inb(t, 0x3c0), 0x25);
    CHECK_EQ(inb(t, 0x3c1), 0x2a);
    inb(t, 0x3da); /* back to index */
    outb(t, 0x3c0, 6);
    CHECK_EQ(inb(t, 0x3c0), 6);
    CHECK_EQ(get_cr(t, 0x26), 6);
}

TEST(dac_in_six_bits)
{
    struct qt *t = vga_world().t;

    outb(t, 0x3c8, 10);
    outb(t, 0x3c9, 0xff); /* the top bits are not there */
    outb(t, 0x3c9, 0x15);
    CHECK_EQ(inb(t, 0x3c7), 0);
    outb(t, 0x3c7, 10);
    CHECK_EQ(inb(t, 0x3c7), 3);
    CHECK_EQ(inb(t, 0x3c9), 0); /* not stored before the third */
    outb(t, 0x3c8, 10);
    outb(t, 0x3c9, 0xff);
    outb(t, 0x3c9, 0x15);
    outb(t, 0x3c9, 0x2a);
    outb(t, 0x3c9, 1);
    outb(t, 0x3c9, 2);
    outb(t, 0x3c9, 3);
    CHECK_EQ(inb(t, 0x3c8), 12);
    outb(t, 0x3c7, 10);
    CHECK_EQ(inb(t, 0x3c9), 0x3f);
    CHECK_EQ(inb(t, 0x3c9), 0x15);
    CHECK_EQ(inb(t, 0x3c9), 0x2a);
    CHECK_EQ(inb(t, 0x3c9), 1);
    CHECK_EQ(inb(t, 0x3c6), 0xff);
}

TEST(retrace_comes_and_goes_with_time)
{
    struct qt *t = vga_world().t;
    unsigned retraces = 0, blank = 0, shown = 0;
    bool was = false;

    qt_no_reload(t, "many accesses");
    set_mode(t, &mode_3);
    for (unsigned i = 0; i < 100000; i++) {
        uint8_t st = inb(t, 0x3da);

        retraces += (st & 8) && !was;
        was = st & 8;
        blank += st & 1;
        shown += !(st & 1);
        CHECK(!(st & 8) || (st & 1));
        clock_step(t, 10 * NS_PER_US);
    }
    CHECK(retraces >= 69 && retraces <= 71); /* one second at 70 Hz */
    CHECK(shown > blank && blank > 10000);
}

TEST(registers_in_bar2)
{
    struct qt *t = vga_world().t;

    vga_map_bars(t);
    mmio_write(t, VGA_BAR2 + 0x402, 0x01, 1); /* 3c2 */
    mmio_write(t, VGA_BAR2 + 0x414, 0x3412, 2);
    outb(t, 0x3d4, 0x12);
    CHECK_EQ(inb(t, 0x3d5), 0x34);
    CHECK_EQ(mmio_read(t, VGA_BAR2 + 0x40c, 1), 1);
    CHECK_EQ(mmio_read(t, VGA_BAR2 + 0x600, 4), 8);
    CHECK_EQ(mmio_read(t, VGA_BAR2 + 0x604, 4), 0x1e1e1e1e);
    mmio_write(t, VGA_BAR2 + 0x604, 0xbebebebe, 4);
    CHECK_EQ(mmio_read(t, VGA_BAR2 + 0x604, 4), 0xbebebebe);
    CHECK_EQ(mmio_read(t, VGA_BAR2 + 0x700, 4), 0xffffffff);
    CHECK_EQ(mmio_read(t, VGA_BAR2, 8), 0x00ffffffffffff00); /* the EDID's first bytes */
    CHECK_EQ(mmio_read(t, VGA_BAR2 + 0x3fc, 4), 0);
}

TEST(reset_forgets_everything)
{
    struct qt *t = vga_world().t;

    set_mode(t, &mode_12);
    vbe_mode(t, 640, 480, 32);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(inb(t, 0x3cc), 0);
    CHECK_EQ(vbe_get(t, 4), 0);
    CHECK_EQ(vbe_get(t, 1), 0);
    outb(t, 0x3c2, 1);
    for (unsigned i = 0; i < 25; i++)
        CHECK_EQ(get_cr(t, i), 0);
}

/* A viewer's window is another size: the monitor is, from the next look on, also after a reset. */
TEST(the_monitor_follows_the_viewer)
{
    struct vga_world w = vga_world();

    vga_map_bars(w.t);
    CHECK_EQ(mmio_read(w.t, VGA_BAR2 + 56, 1), 1280 & 0xff);
    CHECK(display_want_size(w.d, 1927, 1081));
    qt_touched(w.t);
    CHECK_EQ(mmio_read(w.t, VGA_BAR2 + 56, 1), 1920 & 0xff); /* whole characters */
    CHECK_EQ(mmio_read(w.t, VGA_BAR2 + 58, 1) >> 4, 1920 >> 8);
    CHECK_EQ(mmio_read(w.t, VGA_BAR2 + 59, 1), 1081 & 0xff);
    device_reset(w.t->dev, RESET_WARM);
    vga_map_bars(w.t);
    CHECK_EQ(mmio_read(w.t, VGA_BAR2 + 59, 1), 1081 & 0xff);
    CHECK(display_want_size(w.d, 4096, 3)); /* what an EDID cannot say is cut */
    qt_touched(w.t);
    CHECK_EQ(mmio_read(w.t, VGA_BAR2 + 58, 1) >> 4, 4095 >> 8);
    CHECK_EQ(mmio_read(w.t, VGA_BAR2 + 59, 1), 8);
}
