/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Cirrus' card, registers and blitter. What its pictures look like is in
 * tests/qtest/picture-cirrus*.qt, against QEMU.
 */
#include <stdlib.h>
#include "tests/unit/cirrus-util.h"

TEST(pci_identity_and_bars)
{
    struct qt *t = cirrus_world().t;

    CHECK_EQ(cfg_read(t, VGA_DEVFN, PCI_VENDOR_ID, 4), 0x00b81013);
    CHECK_EQ(cfg_read(t, VGA_DEVFN, PCI_REVISION, 4), 0x03000000);
    cfg_write(t, VGA_DEVFN, PCI_BAR0, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, VGA_DEVFN, PCI_BAR0, 4), 0xfe000008); /* 32 MiB, prefetchable */
    cfg_write(t, VGA_DEVFN, PCI_BAR0 + 4, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, VGA_DEVFN, PCI_BAR0 + 4, 4), 0xfffff000);
    CHECK_EQ(t->vram_size, 4 << 20);
}

static int start_with(const char *key, const char *val, struct err *err)
{
    struct qt *t = qt_new();
    struct device *dev;

    qt_config(t, "romfile", "");
    qt_config(t, key, val);
    dev = device_new(&t->plat, &cirrus_type.dev, "vga", VGA_DEVFN, &t->cfg, err);
    if (!dev)
        return -1;
    device_free(dev);
    return 0;
}

TEST(memory_size_is_checked)
{
    struct err err = { "" };

    CHECK(start_with("vgamem_mb", "8", &err) == 0);
    CHECK(start_with("vgamem_mb", "3", &err) == -1 && strstr(err.msg, "vgamem_mb=3"));
    CHECK(start_with("vgamem_mb", "32", &err) == -1);
    CHECK(start_with("xres", "0", &err) == -1);
    CHECK(start_with("romfile", "no-such-rom.bin", &err) == -1);
}

TEST(without_the_key_there_is_only_a_vga)
{
    struct qt *t = cirrus_world().t;

    set_gr(t, 0x20, 0x55);
    set_sr(t, 7, 1);
    outb(t, 0x3c2, 1);
    set_cr(t, 0x1b, 0x22);
    CHECK(get_gr(t, 0x20) == 0x55 && get_sr(t, 7) == 1 && get_cr(t, 0x1b) == 0x22);
    CHECK_EQ(get_sr(t, 6), 0x12);
    set_sr(t, 6, 0);
    CHECK_EQ(get_sr(t, 6), 0x0f);
    CHECK(get_gr(t, 0x20) == 0xff && get_sr(t, 7) == 0xff && get_cr(t, 0x1b) == 0xff);
    set_gr(t, 0x20, 0xaa);
    set_sr(t, 7, 0);
    set_cr(t, 0x1b, 0);
    set_sr(t, 2, 0x0f); /* what a VGA has stays */
    CHECK_EQ(get_sr(t, 2), 0x0f);
    set_sr(t, 6, 0xf2); /* bit 4, and 010 */
    CHECK_EQ(get_sr(t, 6), 0x12);
    CHECK(get_gr(t, 0x20) == 0x55 && get_sr(t, 7) == 1 && get_cr(t, 0x1b) == 0x22);
    CHECK_EQ(get_cr(t, 0x27), 0xb8);
}

TEST(what_the_firmware_looks_for)
{
    struct qt *t = cirrus_world().t;

    CHECK_EQ(get_sr(t, 0x0f) & 0x98, 0x98); /* 4 MiB */
    set_sr(t, 0x17, 0xff);
    CHECK_EQ(get_sr(t, 0x17), 0xe7); /* the strap says PCI */
}

TEST(hidden_dac_is_behind_four_reads)
{
    struct qt *t = cirrus_world().t;

    outb(t, 0x3c6, 0x3f);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(inb(t, 0x3c6), 0x3f);
    outb(t, 0x3c6, 0xc5);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(inb(t, 0x3c6), 0x3f);
    CHECK_EQ(inb(t, 0x3c6), 0xc5);
    CHECK_EQ(inb(t, 0x3c6), 0x3f);
    inb(t, 0x3c6);
    inb(t, 0x3c6);
    inb(t, 0x3c8); /* counts from the start again */
    CHECK_EQ(inb(t, 0x3c6), 0x3f);
    CHECK_EQ(inb(t, 0x3c6), 0x3f);
}

TEST(apertures_swap_bytes)
{
    struct qt *t = cirrus_world().t;

    packed_mode(t);
    mmio_write(t, LFB + 0x100, 0x44332211, 4);
    CHECK_EQ(mmio_read(t, LFB + 0x400100, 4), 0x33441122);
    CHECK_EQ(mmio_read(t, LFB + 0x800100, 4), 0x11223344);
    CHECK_EQ(mmio_read(t, LFB + 0xc00100, 4), 0x44332211);
    mmio_write(t, LFB + 0x800200, 0x44332211, 4);
    CHECK_EQ(mmio_read(t, LFB + 0x200, 4), 0x11223344);
    CHECK_EQ(t->vram[0x203], 0x11);
}

TEST(a_small_blit_is_done_at_once)
{
    struct qt *t = cirrus_world().t;

    packed_mode(t);
    for (unsigned i = 0; i < 64; i++)
        t->vram[i] = (uint8_t)(i + 1);
    blit(t, (struct blit){ 8, 4, 0x1000, 0x100, 0, 16, 0, 0x0d });
    CHECK_EQ(get_gr(t, 0x31), 0);
    for (unsigned i = 0; i < 32; i++)
        CHECK_EQ(t->vram[0x1000 + i / 8 * 0x100 + i % 8], i / 8 * 16 + i % 8 + 1);
    CHECK_EQ(t->vram[0x1008], 0);
}

/* TRM GR2C: of a pattern's address the low bits are the row that it begins with. */
TEST(a_pattern_begins_with_the_row_of_its_address)
{
    struct qt *t = cirrus_world().t;

    for (unsigned i = 0; i < 64; i++)
        t->vram[0x40 + i] = (uint8_t)(i + 1);
    blit(t, (struct blit){ 9, 5, 0x1000, 0x100, 0x40 + 5, 0, 0x40, 0x0d });
    for (unsigned y = 0; y < 5; y++) {
        for (unsigned x = 0; x < 9; x++)
            CHECK_EQ(t->vram[0x1000 + y * 0x100 + x], (y + 5) % 8 * 8 + x % 8 + 1);
    }
}

/* Every address is masked: the end of memory is followed by its beginning. */
TEST(blits_wrap_at_the_end_of_memory)
{
    struct qt *t = cirrus_world().t;

    t->vram[0x3fffff] = 0x5a;
    t->vram[0] = 0xa5;
    blit(t, (struct blit){ 2, 1, 0x3fffff, 0, 0x3fffff, 0, 0, 0xd0 }); /* NOT, in place */
    CHECK(t->vram[0x3fffff] == 0xa5 && t->vram[0] == 0x5a);
    t->vram[0x3fffff] = 0x11;
    t->vram[0] = 0x22;
    blit(t, (struct blit){ 2, 1, 0x101, 0, 0, 0, 1, 0x0d }); /* backwards from 0 */
    CHECK(t->vram[0x100] == 0x11 && t->vram[0x101] == 0x22);
}

/* The largest there is goes on from a timer, and the guest sees it busy meanwhile. */
TEST(a_large_blit_is_done_in_steps)
{
    struct qt *t = cirrus_world().t;

    t->vram[0] = 0x77;
    t->vram[0x3fffff] = 0;
    set_gr(t, 1, 0xee);
    set_gr(t, 0x33, 4);
    blit(t, (struct blit){ 8192, 512, 0, 0x1fff & 8191, 0, 0, 0xc0, 0x0d });
    CHECK(t->vram[0] == 0xee && t->vram[0x300000] == 0);
    CHECK_EQ(get_gr(t, 0x31), 0x0b);
    clock_step(t, 10 * NS_PER_MS);
    CHECK_EQ(get_gr(t, 0x31), 0);
    CHECK_EQ(t->vram[511 * 8191], 0xee);
}

/* One that asks moves it on; a second waits for the first; a third has lost. */
TEST(status_is_work_and_one_may_wait)
{
    struct qt *t = cirrus_world().t;
    unsigned polls = 0;

    set_gr(t, 0x33, 4);
    set_gr(t, 1, 0x11);
    blit(t, (struct blit){ 4096, 512, 0, 4096, 0, 0, 0xc0, 0x0d });
    set_gr(t, 1, 0x22);
    blit(t, (struct blit){ 16, 1, 0x200000, 4096, 0, 0, 0xc0, 0x0d });
    CHECK_EQ(get_gr(t, 0x31), 0x1b);
    CHECK_EQ(guest_errors(t), 0);
    set_gr(t, 1, 0x33);
    blit(t, (struct blit){ 16, 1, 0x200000, 4096, 0, 0, 0xc0, 0x0d });
    CHECK_EQ(guest_errors(t), 1);
    while (get_gr(t, 0x31) & 1 && polls < 1000)
        polls++;
    CHECK(polls > 5 && polls < 1000);
    CHECK(t->vram[0x1fffff] == 0x11 && t->vram[0x200000] == 0x22);
}

TEST(reset_of_the_blitter_forgets_it)
{
    struct qt *t = cirrus_world().t;

    blit(t, (struct blit){ 16, 16, 0, 16, 0, 0, 0x04, 0x0d });
    CHECK_EQ(get_gr(t, 0x31), 0x0b);
    set_gr(t, 0x31, 4);
    CHECK_EQ(get_gr(t, 0x31), 0);
    mmio_write(t, LFB, 0xabcd, 2); /* memory, not data */
    CHECK_EQ(t->vram[0], 0xcd);
}

/* While the blitter waits for data the guest's CPU may not reach memory by itself, nor soon after.
 */
TEST(data_from_the_processor)
{
    struct qt *t = cirrus_world().t;

    packed_mode(t);
    CHECK_EQ(t->vram_gpa, LFB);
    blit(t, (struct blit){ 6, 2, 0x1000, 0x100, 0, 0, 0x04, 0x0d });
    CHECK_EQ(t->vram_gpa, 0);
    mmio_write(t, LFB + 0x20, 0x04030201, 4);
    mmio_write(t, 0xa0000, 0x0605, 2);
    mmio_write(t, DATA, 0xffff, 2); /* fills the line's last doubleword */
    CHECK_EQ(t->vram[0x1005], 6);
    CHECK_EQ(t->vram[0x1006], 0);
    mmio_write(t, DATA + 8, 0xffff161514131211, 8);
    CHECK(t->vram[0x1100] == 0x11 && t->vram[0x1105] == 0x16 && t->vram[0x1106] == 0);
    CHECK_EQ(get_gr(t, 0x31), 0);
    CHECK_EQ(t->vram_gpa, 0);
    mmio_write(t, LFB + 3, 0x99, 1); /* memory again, by way of us */
    CHECK_EQ(t->vram[3], 0x99);
    clock_step(t, 25 * NS_PER_MS);
    CHECK_EQ(t->vram_gpa, LFB);
}

TEST(data_for_the_processor)
{
    struct qt *t = cirrus_world().t;

    for (unsigned i = 0; i < 16; i++)
        t->vram[0x1000 + i] = (uint8_t)(0x20 + i);
    blit(t, (struct blit){ 6, 2, 0, 0, 0x1000, 8, 0x02, 0x0d });
    CHECK_EQ(mmio_read(t, DATA, 4), 0x23222120);
    CHECK_EQ(mmio_read(t, 0xa0000, 4), 0x00002524);
    CHECK_EQ(mmio_read(t, LFB, 8), 0x00002d2c2b2a2928);
    CHECK_EQ(get_gr(t, 0x31), 0);
}

TEST(registers_in_memory)
{
    struct qt *t = cirrus_world().t;

    mmio_write(t, REGS + 0x108, 0x00020007, 4);
    CHECK(get_gr(t, 0x20) == 7 && get_gr(t, 0x22) == 2);
    CHECK_EQ(mmio_read(t, REGS + 0x108, 4), 0x00020007);
    CHECK_EQ(mmio_read(t, REGS + 0x1ff, 1), 0xff);
    mmio_write(t, REGS + 4, 6, 1); /* 3c4 */
    CHECK_EQ(mmio_read(t, REGS + 5, 1), 0x12);
    set_gr(t, 6, 4); /* 64 KiB at a0000: b8000 answers all the same */
    set_sr(t, 0x17, 4);
    CHECK_EQ(mmio_read(t, 0xb8008, 2), 7);
    set_sr(t, 0x17, 0x44); /* … at the end of memory instead */
    CHECK_EQ(mmio_read(t, LFB + 0x3fff08, 2), 7);
    CHECK_EQ(mmio_read(t, 0xb8008, 2), 0xffff);
    CHECK_EQ(t->vram_gpa, 0);
    set_sr(t, 0x17, 0);
    CHECK_EQ(t->vram_gpa, LFB);
}

TEST(a_start_by_the_last_byte_of_the_address)
{
    struct qt *t = cirrus_world().t;

    set_gr(t, 0x33, 4);
    set_gr(t, 1, 0x42);
    set_gr(t, 0x30, 0xc0);
    set_gr(t, 0x32, 0x0d);
    mmio_write(t, REGS + 0x108, 0x00000003, 4);
    mmio_write(t, REGS + 0x110, 0x2000, 4);
    CHECK_EQ(t->vram[0x2000], 0);
    set_gr(t, 0x31, 0x80);
    mmio_write(t, REGS + 0x110, 0x2000, 4);
    CHECK(t->vram[0x2000] == 0x42 && t->vram[0x2003] == 0x42 && t->vram[0x2004] == 0);
    CHECK_EQ(get_gr(t, 0x31), 0x80);
}

TEST(the_pointer_costs_its_lines_only)
{
    struct vga_world w = cirrus_world();
    const struct surface *s;
    struct seen v = { 0 };

    qt_no_reload(w.t, "what was drawn last is not state");
    packed_mode(w.t);
    display_refresh(w.d, true);
    display_add_viewer(w.d, &seen_ops, &v);
    memset(w.t->vram + 0x3fc000, 0xff, 256); /* 32x32 of the second colour */
    set_sr(w.t, 0x12, 2);
    outb(w.t, 0x3c8, 0x0f);
    for (unsigned i = 0; i < 3; i++)
        outb(w.t, 0x3c9, 0x3f);
    set_sr(w.t, 0x12, 1);
    set_sr(w.t, 0x10 | 5 << 5, 10); /* x 85 */
    set_sr(w.t, 0x11 | 1 << 5, 4);  /* y 33 */
    s = display_refresh(w.d, false);
    CHECK(px(s, 85, 33) == 0xffffff && px(s, 116, 64) == 0xffffff && px(s, 84, 33) == 0);
    CHECK(px(s, 117, 33) == 0 && px(s, 85, 65) == 0);
    CHECK(box_is(&v, 85, 33, 32, 32));
    memset(&v, 0, sizeof(v));
    display_refresh(w.d, false);
    CHECK_EQ(v.damaged, 0);
    set_sr(w.t, 0x10 | 6 << 5, 10);
    s = display_refresh(w.d, false);
    CHECK(px(s, 85, 40) == 0 && px(s, 117, 40) == 0xffffff);
    CHECK(box_is(&v, 85, 33, 33, 32));
    memset(&v, 0, sizeof(v));
    set_sr(w.t, 0x11 | 1 << 5, 9); /* y 73: where it was, the picture is again */
    s = display_refresh(w.d, false);
    CHECK(px(s, 100, 40) == 0 && px(s, 100, 80) == 0xffffff);
    CHECK(box_is(&v, 86, 33, 32, 72));
    display_remove_viewer(w.d, &v);
}

TEST(text_is_read_as_on_a_vga)
{
    struct vga_world w = cirrus_world();
    char *text;

    set_mode(w.t, &mode_3);
    mmio_write(w.t, 0xb8000, 0x0748, 2);
    mmio_write(w.t, 0xb8002, 0x0769, 2);
    text = display_text(w.d);
    CHECK(text && !strncmp(text, "Hi", 2));
    free(text);
}

/* ---- the monitor's wires ---- */

static void wires(struct qt *t, bool clock, bool data)
{
    set_sr(t, 8, (uint8_t)(0x40 | clock | data << 1));
}

static bool bit(struct qt *t, bool out)
{
    bool in;

    wires(t, false, out);
    wires(t, true, out);
    in = get_sr(t, 8) & 0x80;
    wires(t, false, out);
    return in;
}

static bool send(struct qt *t, uint8_t byte)
{
    for (unsigned i = 0; i < 8; i++)
        bit(t, byte << i & 0x80);
    return !bit(t, true); /* acknowledged? */
}

static void start(struct qt *t)
{
    wires(t, false, true);
    wires(t, true, true);
    wires(t, true, false);
    wires(t, false, false);
}

static uint8_t receive(struct qt *t, bool more)
{
    uint8_t byte = 0;

    for (unsigned i = 0; i < 8; i++)
        byte = byte << 1 | bit(t, true);
    bit(t, !more);
    return byte;
}

static void read_edid(struct qt *t, uint8_t edid[128])
{
    start(t);
    CHECK(send(t, 0xa0) && send(t, 0));
    start(t);
    CHECK(send(t, 0xa1));
    for (unsigned i = 0; i < 128; i++)
        edid[i] = receive(t, i < 127);
    wires(t, false, false);
    wires(t, true, false);
    wires(t, true, true);
}

TEST(edid_by_wire_and_the_size_a_viewer_wants)
{
    struct vga_world w = cirrus_world();
    uint8_t edid[128], sum = 0;

    read_edid(w.t, edid);
    for (unsigned i = 0; i < 128; i++)
        sum += edid[i];
    CHECK(!memcmp(edid, "\0\377\377\377\377\377\377\0", 8) && sum == 0);
    CHECK((edid[56] | edid[58] >> 4 << 8) == 1280 && (edid[59] | edid[61] >> 4 << 8) == 800);
    start(w.t);
    CHECK(!send(w.t, 0x6e)); /* nobody there */
    CHECK(display_want_size(w.d, 1027, 769));
    qt_touched(w.t);
    read_edid(w.t, edid);
    CHECK((edid[56] | edid[58] >> 4 << 8) == 1024 && (edid[59] | edid[61] >> 4 << 8) == 769);
    device_reset(w.t->dev, RESET_WARM);
    set_sr(w.t, 6, 0x12);
    read_edid(w.t, edid);
    CHECK_EQ(edid[56] | edid[58] >> 4 << 8, 1024); /* the same monitor after a reset */
}
