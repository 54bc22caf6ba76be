/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VGA in worlds that can do less, with settings that cannot be, and rare pixels. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tests/unit/vga-util.h"

static struct platform_ops ops;
static bool refuse;

/* A world of one's own; the VGA is yet to be added. */
static struct vga_world world(void)
{
    struct vga_world w = { qt_new(), screen() };

    qt_config(w.t, "romfile", "");
    qt_config(w.t, "vgamem_mb", "8");
    qt_config_obj(w.t, "display", w.d);
    ops = *w.t->plat.ops;
    w.t->plat.ops = &ops;
    refuse = true;
    return w;
}

/* Blue, green and red fill the low bits up in the order of the depth, the high byte first. */
TEST(big_endian_pixels_of_every_depth)
{
    static const struct {
        uint16_t bpp;
        const char *bytes;
        unsigned n;
        uint32_t rgb;
    } all[] = {
        { 15, "\x7c\x00", 2, 0xff0000 },         { 15, "\x03\xe0", 2, 0x00ff00 },
        { 15, "\x00\x1f", 2, 0x0000ff },         { 15, "\x80\x00", 2, 0x000000 },
        { 16, "\xf8\x00", 2, 0xff0000 },         { 16, "\x07\xe0", 2, 0x00ff00 },
        { 24, "\x11\x22\x33", 3, 0x112233 },     { 24, "\xff\x00\x00", 3, 0xff0000 },
        { 32, "\x00\x11\x22\x33", 4, 0x112233 },
    };
    struct vga_world w = vga_world();

    vga_map_bars(w.t);
    mmio_write(w.t, VGA_BAR2 + 0x604, 0xbebebebe, 4);
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        vbe_mode(w.t, 64, 64, all[i].bpp);
        memcpy(w.t->vram + all[i].n, all[i].bytes, all[i].n); /* the second pixel */
        CHECK_EQ(px(display_refresh(w.d, true), 1, 0), all[i].rgb);
        CHECK_EQ(px(display_refresh(w.d, true), 0, 0), 0);
        vbe_set(w.t, 4, 0);
    }
}

static int no_dirty(struct platform *p, uint64_t first, size_t pages, uint64_t *bits)
{
    return -EIO;
}

/* Who cannot say what was written is taken to have written all: nothing may be missed. */
TEST(a_world_that_cannot_tell_what_was_written)
{
    struct vga_world w = world();
    struct seen v = { 0 };

    ops.vram_dirty = no_dirty;
    qt_add(w.t, &vga_type.dev, VGA_DEVFN);
    vga_map_bars(w.t);
    vbe_mode(w.t, 64, 64, 32);
    display_add_viewer(w.d, &seen_ops, &v);
    display_refresh(w.d, true);
    memset(&v, 0, sizeof(v));
    memset(w.t->vram + 64 * 4 * 63, 0xff, 4); /* the guest's CPU, unseen */
    CHECK_EQ(px(display_refresh(w.d, false), 0, 63), 0xffffff);
    CHECK(v.damaged > 0 && v.box.y + v.box.h == 64);
    display_remove_viewer(w.d, &v);
}

static int no_place(struct platform *p, uint64_t gpa)
{
    return gpa && refuse ? -ENOMEM : 0;
}

/* The guest hears nothing of it, the log does; where there is room it is seen again. */
TEST(video_memory_that_cannot_be_where_the_guest_wants_it)
{
    struct vga_world w = world();

    ops.vram_place = no_place;
    qt_add(w.t, &vga_type.dev, VGA_DEVFN);
    qt_no_reload(w.t, "each load says it again");
    vga_map_bars(w.t);
    CHECK_EQ(guest_errors(w.t), 1);
    CHECK_EQ(cfg_read(w.t, VGA_DEVFN, PCI_BAR0, 4), VGA_BAR0 | 8);
    refuse = false;
    cfg_write(w.t, VGA_DEVFN, PCI_BAR0, VGA_BAR0 + 0x1000000, 4);
    CHECK_EQ(guest_errors(w.t), 1);
}

/* A guest may outlive its device model: the next one finds the memory where the BAR says. */
TEST(video_memory_stays_when_the_card_ends)
{
    struct vga_world w = world();
    struct qt *t = w.t;

    qt_add(t, &vga_type.dev, VGA_DEVFN);
    vga_map_bars(t);
    CHECK_EQ(t->vram_gpa, VGA_BAR0);
    device_free(t->devs[--t->ndevs]);
    config_free(&t->cfgs[t->ndevs]);
    CHECK_EQ(t->vram_gpa, VGA_BAR0);
}

static int no_memory(struct platform *p, uint64_t size, void **host, struct err *err)
{
    return err_set(err, -ENOMEM, "no room for %llu bytes", (unsigned long long)size);
}

static bool refused(struct vga_world *w, const char *key, const char *val, const char *says)
{
    struct config cfg = { 0 };
    struct err err = { "" };
    struct device *dev;

    config_set(&cfg, "romfile", "");
    config_set_obj(&cfg, "display", w->d);
    if (key)
        config_set(&cfg, key, val);
    dev = device_new(&w->t->plat, &vga_type.dev, "vga", VGA_DEVFN, &cfg, &err);
    config_free(&cfg);
    if (!dev && !strstr(err.msg, says))
        fprintf(stderr, "%s\n", err.msg);
    if (dev)
        device_free(dev);
    return !dev && strstr(err.msg, says) && !w->t->plat.pci[VGA_DEVFN] &&
           !w->t->plat.nwindows[IO_PORT];
}

TEST(settings_and_worlds_without_a_screen)
{
    struct vga_world w = world();

    CHECK(refused(&w, "vgamem_mb", "lots", "lots"));
    CHECK(refused(&w, "vgamem_mb", "0", "vgamem_mb=0: give "));
    CHECK(refused(&w, "xres", "0", "vga: xres and yres must not be 0"));
    CHECK(refused(&w, "yres", "0", "vga: xres and yres must not be 0"));
    CHECK(refused(&w, "xres", "-1", "-1"));
    ops.vram_alloc = no_memory;
    CHECK(refused(&w, "vgamem_mb", "8", "no room for 8388608 bytes"));
    ops.vram_alloc = NULL;
    CHECK(refused(&w, NULL, NULL, "vga: test has no video memory"));
}

/* What reads text off a picture finds the card's fonts there. */
TEST(the_screen_knows_the_firmware_of_its_card)
{
    struct vga_world w = world();
    uint8_t image[1024] = { 0x55, 0xaa, 2 };
    int fd = memfd_create("rom", MFD_CLOEXEC);
    const uint8_t *rom;
    char path[32];
    size_t len = 1;

    CHECK(!display_rom(w.d, &len) && !len); /* no card yet */
    for (unsigned i = 3; i < sizeof(image); i++)
        image[i] = (uint8_t)(i * 7 ^ i >> 8);
    CHECK(write(fd, image, sizeof(image)) == sizeof(image));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    qt_config(w.t, "romfile", path);
    qt_add(w.t, &vga_type.dev, VGA_DEVFN);
    rom = display_rom(w.d, &len);
    CHECK(rom && len == 2048 && !memcmp(rom, image, sizeof(image)));
    CHECK(rom && rom[1024] == 0xff && rom[2047] == 0xff); /* padded */
    close(fd);
}

TEST(a_card_without_firmware_has_no_fonts_to_show)
{
    struct vga_world w = world();
    size_t len = 1;

    qt_add(w.t, &vga_type.dev, VGA_DEVFN);
    CHECK(!display_rom(w.d, &len) && !len);
}
