/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What firmware finds in the CMOS. */
#include <string.h>
#include "hw/devices.h"
#include "tests/unit/qt.h"

static uint8_t cmos(struct qt *t, uint8_t index)
{
    outb(t, 0x70, index);
    return inb(t, 0x71);
}

static unsigned cmos16(struct qt *t, uint8_t index)
{
    return cmos(t, index) | cmos(t, index + 1) << 8;
}

TEST(index_and_data)
{
    struct qt *t = qt_start(&cmos_type);

    outb(t, 0x70, 0x8f); /* with the NMI mask */
    outb(t, 0x71, 0x0a);
    CHECK_EQ(inb(t, 0x71), 0x0a);
    CHECK_EQ(inb(t, 0x70), 0xff);
    CHECK_EQ(cmos(t, 0x0f), 0x0a);
    CHECK_EQ(cmos(t, 0x7f), 0);
    outw(t, 0x70, 0x5540); /* index and data in one */
    CHECK_EQ(cmos(t, 0x40), 0x55);
}

TEST(memory_sizes)
{
    struct qt *t = qt_new();

    qt_config(t, "ram-low", "0xe0000000");
    qt_config(t, "ram-high", "0x120000000");
    qt_config(t, "cpus", "4");
    qt_add(t, &cmos_type, -1);
    CHECK_EQ(cmos16(t, 0x15), 640);
    CHECK_EQ(cmos16(t, 0x17), 0xffff);
    CHECK_EQ(cmos16(t, 0x30), 0xffff);
    CHECK_EQ(cmos16(t, 0x34), (0xe0000000 - 0x1000000) / 0x10000);
    CHECK_EQ(cmos16(t, 0x5b) | cmos(t, 0x5d) << 16, 0x12000);
    CHECK_EQ(cmos(t, 0x5f), 3);
    CHECK_EQ(cmos(t, 0x14), 0x06);
    CHECK_EQ(cmos(t, 0x10), 0);
}

TEST(small_memory)
{
    struct qt *t = qt_new();

    qt_config(t, "ram-low", "0x800000");
    qt_config(t, "century", "21");
    qt_add(t, &cmos_type, -1);
    CHECK_EQ(cmos16(t, 0x17), 7 * 1024);
    CHECK_EQ(cmos16(t, 0x30), 7 * 1024);
    CHECK_EQ(cmos16(t, 0x34), 0);
    CHECK_EQ(cmos(t, 0x32), 0x21);
}

TEST(boot_order)
{
    static const struct {
        const char *boot, *check;
        uint8_t r3d, r38;
    } orders[] = {
        { "c", "on", 0x02, 0x00 },    { "dc", "on", 0x23, 0x00 },   { "cdn", "on", 0x32, 0x40 },
        { "nca", "off", 0x24, 0x11 }, { "cdan", "on", 0x32, 0x10 }, { "", "on", 0x00, 0x00 },
    };

    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct qt *t = qt_new();

        qt_config(t, "boot", orders[i].boot);
        qt_config(t, "fd-bootchk", orders[i].check);
        qt_add(t, &cmos_type, -1);
        CHECK_EQ(cmos(t, 0x3d), orders[i].r3d);
        CHECK_EQ(cmos(t, 0x38), orders[i].r38);
    }
}

TEST(a_boot_order_for_once)
{
    struct qt *t = qt_new();

    qt_config(t, "boot", "cd");
    qt_config(t, "boot-once", "da");
    qt_add(t, &cmos_type, -1);
    CHECK_EQ(cmos(t, 0x3d), 0x13);
    outb(t, 0x70, 0x0f);
    outb(t, 0x71, 0x05);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(cmos(t, 0x3d), 0x32);
    CHECK_EQ(cmos(t, 0x0f), 0x05);
    device_reset(t->dev, RESET_COLD);
    CHECK_EQ(cmos(t, 0x3d), 0x32);
}

TEST(types_of_floppy_drives)
{
    struct qt *t = qt_new();

    qt_config(t, "floppy0.type", "5");
    qt_add(t, &cmos_type, -1);
    CHECK_EQ(cmos(t, 0x10), 0x50);
    CHECK_EQ(cmos(t, 0x14), 0x07);
    t = qt_new();
    qt_config(t, "floppy0.type", "4");
    qt_config(t, "floppy1.type", "2");
    qt_add(t, &cmos_type, -1);
    CHECK_EQ(cmos(t, 0x10), 0x42);
    CHECK_EQ(cmos(t, 0x14), 0x47);
}

TEST(disks)
{
    struct qt *t = qt_new();

    qt_config(t, "disk0.geometry", "1023,16,63,lba");
    qt_config(t, "disk3.geometry", "100,4,17,rechs");
    qt_config(t, "floppies", "1");
    qt_add(t, &cmos_type, -1);
    CHECK_EQ(cmos(t, 0x12), 0xf0);
    CHECK_EQ(cmos(t, 0x19), 47);
    CHECK_EQ(cmos(t, 0x1a), 0);
    CHECK_EQ(cmos16(t, 0x1b), 1023);
    CHECK_EQ(cmos(t, 0x1d), 16);
    CHECK_EQ(cmos16(t, 0x1e), 0xffff);
    CHECK_EQ(cmos(t, 0x20), 0xc8);
    CHECK_EQ(cmos16(t, 0x21), 1023);
    CHECK_EQ(cmos(t, 0x23), 63);
    CHECK_EQ(cmos(t, 0x39), 0xc1);
    for (unsigned i = 0x24; i <= 0x2d; i++)
        CHECK_EQ(cmos(t, i), 0); /* no second disk */
    CHECK_EQ(cmos(t, 0x10), 0x40);
    CHECK_EQ(cmos(t, 0x14), 0x07);
}

TEST(a_second_disk_with_few_heads)
{
    struct qt *t = qt_new();

    qt_config(t, "disk1.geometry", "615,8,17,2");
    qt_add(t, &cmos_type, -1);
    CHECK_EQ(cmos(t, 0x12), 0x0f);
    CHECK_EQ(cmos(t, 0x1a), 47);
    CHECK_EQ(cmos16(t, 0x24), 615);
    CHECK_EQ(cmos(t, 0x29), 0xc0);
    CHECK_EQ(cmos(t, 0x2c), 17);
    CHECK_EQ(cmos(t, 0x39), 0x08);
    CHECK_EQ(cmos(t, 0x1b), 0);
}

TEST(a_warm_reset_keeps_the_battery_a_cold_one_does_not)
{
    struct qt *t = qt_start(&cmos_type);

    outb(t, 0x70, 0x0f);
    outb(t, 0x71, 0x05); /* shutdown status: how a BIOS survives a reset */
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(cmos(t, 0x0f), 0x05);
    device_reset(t->dev, RESET_COLD);
    CHECK_EQ(cmos(t, 0x0f), 0);
}

/* 0Fh: firmware's word for what the coming reset is. */
TEST(sleep_is_remembered)
{
    struct qt *t = qt_new();

    qt_config(t, "pm1-timer", "on");
    qt_add(t, &piix4_pm_type.dev, PCI_DEVFN(1, 3));
    qt_config(t, "boot", "d");
    qt_config(t, "boot-once", "n");
    qt_add(t, &cmos_type, -1);
    cfg_write(t, PCI_DEVFN(1, 3), 0x40, 0x601, 4);
    cfg_write(t, PCI_DEVFN(1, 3), 0x80, 1, 1);
    CHECK_EQ(cmos(t, 0x0f), 0);
    outw(t, 0x604, 0x2000); /* off */
    CHECK_EQ(cmos(t, 0x0f), 0);
    outw(t, 0x604, 0x2400);
    CHECK_EQ(cmos(t, 0x0f), 0xfe);
    device_reset(t->devs[1], RESET_WAKE);
    CHECK_EQ(cmos(t, 0x0f), 0xfe);
    CHECK_EQ(cmos(t, 0x3d) & 0xf, 4); /* that was no boot: once is not over */
}

TEST(bad_config_is_refused)
{
    static const char *const bad[][2] = {
        { "boot", "cx" },
        { "disk0.geometry", "1,2,3" },
        { "disk1.geometry", "1,2,3,chs" },
        { "disk0.geometry", "99999,16,63,lba" },
        { "ram-low", "lots" },
        { "floppies", "3" },
        { "floppy0.type", "6" },
        { "boot-once", "x" },
    };
    struct qt *t = qt_new();

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct config cfg = { 0 };
        struct err err = { "" };

        config_set(&cfg, bad[i][0], bad[i][1]);
        CHECK(!device_new(&t->plat, &cmos_type, "cmos", -1, &cfg, &err));
        CHECK(strstr(err.msg, bad[i][1]) != NULL);
        config_free(&cfg);
    }
}
