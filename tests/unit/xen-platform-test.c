/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Xen platform device, as PV drivers find it. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "hw/devices.h"
#include "tests/unit/qt.h"

#define XP  PCI_DEVFN(2, 0)
#define BAR 0xc500

static struct qt *start(void)
{
    struct qt *t = qt_new();

    qt_add(t, &xen_platform_type.dev, XP);
    return t;
}

/* Linux' check_platform_magic(), up to its second look. */
static uint16_t announce(struct qt *t)
{
    CHECK_EQ(inw(t, 0x10), 0x49d2);
    CHECK_EQ(inb(t, 0x12), 1);
    outw(t, 0x12, 3);
    outl(t, 0x10, 0x00000001);
    return inw(t, 0x10);
}

TEST(identity)
{
    struct qt *t = start();

    CHECK_EQ(cfg_read(t, XP, 0x00, 4), 0x00015853);
    CHECK_EQ(cfg_read(t, XP, 0x08, 4), 0xff800001);
    CHECK_EQ(cfg_read(t, XP, 0x2c, 4), 0x00015853);
    CHECK_EQ(cfg_read(t, XP, 0x3d, 1), 1);
    cfg_write(t, XP, 0x10, 0xffffffff, 4);
    cfg_write(t, XP, 0x14, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, XP, 0x10, 4), 0xffffff01);
    CHECK_EQ(cfg_read(t, XP, 0x14, 4), 0xff000008);
    CHECK_EQ(cfg_read(t, XP, 0x18, 4), 0);
}

TEST(pv_drivers_are_told_to_stay_away)
{
    struct qt *t = start();

    CHECK_EQ(announce(t), 0xd249); /* "blacklisted": Linux keeps its emulated disks */
    outw(t, 0x10, 3);              /* a driver that does not listen */
    CHECK_EQ(guest_errors(t), 1);
    CHECK_EQ(inw(t, 0x10), 0xd249);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(announce(t), 0xd249);
}

TEST(half_an_announcement_changes_nothing)
{
    struct qt *t = start();

    outw(t, 0x12, 3);
    CHECK_EQ(inw(t, 0x10), 0x49d2);
}

TEST(widths_are_different_registers)
{
    struct qt *t = start();

    CHECK_EQ(inb(t, 0x10), 0);
    CHECK_EQ(inl(t, 0x10), 0xffffffff);
    CHECK_EQ(inw(t, 0x12), 0xffff);
    CHECK_EQ(inb(t, 0x11), 0xff);
    CHECK_EQ(inb(t, 0x1f), 0xff);
    outl(t, 0x1c, 0);
}

static int readonly_called(struct platform *p, uint64_t gpa, uint64_t len, bool readonly)
{
    CHECK_EQ(gpa, 0xc0000);
    CHECK_EQ(len, 0x40000);
    container_of(p, struct qt, plat)->power = readonly; /* a place to tell the test */
    return 0;
}

TEST(rom_lock_flag)
{
    struct qt *t = start();
    struct platform_ops ops = *t->plat.ops;
    const struct platform_ops *old = t->plat.ops;

    ops.mem_readonly = readonly_called;
    t->plat.ops = &ops;
    outb(t, 0x10, 0x00);
    CHECK_EQ(t->power, -1);
    outb(t, 0x10, 0xff);
    CHECK_EQ(t->power, 1);
    CHECK_EQ(inb(t, 0x10), 0x01);
    outb(t, 0x10, 0x00);
    CHECK_EQ(t->power, 0);
    outb(t, 0x10, 0x01);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(t->power, 0);
    t->plat.ops = old;
}

TEST(bars)
{
    struct qt *t = start();

    cfg_write(t, XP, 0x10, BAR, 4);
    cfg_write(t, XP, 0x14, 0xf0000000, 4);
    cfg_write(t, XP, 0x04, 3, 2);
    CHECK_EQ(inb(t, BAR), 0);
    outb(t, BAR, 1);
    CHECK_EQ(inb(t, 0x10), 1);
    CHECK_EQ(inb(t, BAR + 1), 0xff);
    outl(t, BAR + 4, 1); /* an old SUSE driver */
    CHECK_EQ(guest_errors(t), 1);
    outb(t, BAR + 8, 2);
    CHECK_EQ(guest_errors(t), 2);
    CHECK_EQ(mmio_read(t, 0xf0000000, 4), 0);
    mmio_write(t, 0xf0001000, 0x55, 8);
    CHECK_EQ(mmio_read(t, 0xf0fffff8, 8), 0);
    CHECK_EQ(guest_errors(t), 2);
}

TEST(the_guests_log_is_bounded)
{
    struct qt *t = start();

    qt_no_reload(t, "many characters");
    for (unsigned i = 0; i < 5000; i++)
        outb(t, 0x12, i & 0xff);
    for (const char *s = "drivers\rloaded\n"; *s; s++)
        outb(t, 0x12, *s);
    CHECK_EQ(guest_errors(t), 0);
}

TEST(inta_is_never_driven)
{
    struct qt *t = start();

    announce(t);
    outb(t, 0x10, 1);
    CHECK(!intx(t, 2, 0));
}

TEST(only_refusal_is_supported)
{
    struct qt *t = qt_new();
    struct config cfg = { 0 };
    struct err err = { "" };

    config_set(&cfg, "unplug", "all");
    CHECK(!device_new(&t->plat, &xen_platform_type.dev, "platform", XP, &cfg, &err));
    CHECK(strstr(err.msg, "unplug=refuse") != NULL);
    config_free(&cfg);
}

/* What the guest's characters became in our log. */
TEST(the_guests_log_is_made_printable)
{
    struct qt *t = start();
    char got[512] = "";
    int log = memfd_create("log", 0), err = dup(STDERR_FILENO);

    dup2(log, STDERR_FILENO);
    for (const char *s = "a~\x1b[2J\x80z\r\n"; *s; s++)
        outb(t, 0x12, *s);
    outb(t, 0x12, '\n'); /* an empty line is none */
    dup2(err, STDERR_FILENO);
    CHECK(pread(log, got, sizeof(got) - 1, 0) > 0);
    CHECK(strstr(got, "guest says: a~?[2J?z\n") != NULL);
    CHECK(strchr(got, '\n') == got + strlen(got) - 1);
    close(log);
    close(err);
}

TEST(the_old_interface_does_the_same)
{
    struct qt *t = start();
    struct platform_ops ops = *t->plat.ops;
    const struct platform_ops *old = t->plat.ops;
    char got[512] = "";
    int log = memfd_create("log", 0), err = dup(STDERR_FILENO);

    ops.mem_readonly = readonly_called;
    t->plat.ops = &ops;
    cfg_write(t, XP, 0x10, BAR, 4);
    cfg_write(t, XP, 0x04, 1, 2);
    outb(t, BAR, 1);
    CHECK_EQ(t->power, 1);
    outb(t, BAR, 0);
    CHECK_EQ(t->power, 0);
    t->plat.ops = old;
    dup2(log, STDERR_FILENO);
    outb(t, BAR + 8, 'x');
    outb(t, BAR + 9, 'y');
    outb(t, BAR + 8, '\n');
    dup2(err, STDERR_FILENO);
    CHECK(pread(log, got, sizeof(got) - 1, 0) > 0);
    CHECK(strstr(got, "guest says: x\n") != NULL);
    close(log);
    close(err);
}
