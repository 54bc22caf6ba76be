/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ISA bridge at 00:01.0: interrupt routing. */
#include "hw/devices.h"
#include "tests/unit/qt.h"

#define ISA 0x08

TEST(hvmloader_asserts_this_identity)
{
    struct qt *t = qt_start(&piix3_type.dev);

    CHECK_EQ(cfg_read(t, ISA, 0x00, 4), 0x70008086);
    CHECK_EQ(cfg_read(t, ISA, 0x0a, 2), 0x0601);
    CHECK_EQ(cfg_read(t, ISA, 0x0e, 1), 0x80);
    CHECK_EQ(cfg_read(t, ISA, 0x2c, 4), 0x11001af4);
}

TEST(routes_follow_the_registers)
{
    static const uint8_t irqs[] = { 5, 10, 11, 5 };
    struct qt *t = qt_start(&piix3_type.dev);

    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(cfg_read(t, ISA, 0x60 + i, 1), 0x80);
        cfg_write(t, ISA, 0x60 + i, irqs[i], 1);
    }
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(t->link[i], irqs[i]);
    cfg_write(t, ISA, 0x60, 0x8a058b07, 4); /* all four at once; bit 7 is "not routed" */
    CHECK_EQ(t->link[0], 7);
    CHECK_EQ(t->link[1], 0);
    CHECK_EQ(t->link[2], 5);
    CHECK_EQ(t->link[3], 0);
    CHECK_EQ(cfg_read(t, ISA, 0x60, 4), 0x8a058b07);
    device_reset(t->dev, RESET_WARM);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(t->link[i], 0);
}

TEST(a_fresh_bridge_says_so)
{
    struct qt *t = qt_new();

    t->link[2] = 9; /* left over */
    qt_add(t, &piix3_type.dev, ISA);
    CHECK_EQ(t->link[2], 0);
}

TEST(reserved_bits_stay_clear)
{
    struct qt *t = qt_start(&piix3_type.dev);

    cfg_write(t, ISA, 0x61, 0xff, 1);
    CHECK_EQ(cfg_read(t, ISA, 0x61, 1), 0x8f);
    cfg_write(t, ISA, 0x4e, 0x0123, 2);
    CHECK_EQ(cfg_read(t, ISA, 0x4e, 2), 0x0123);
}

TEST(power_on_values_of_the_datasheet)
{
    static const struct {
        uint8_t reg, width;
        uint32_t val;
    } regs[] = {
        { 0x04, 2, 0x0007 }, { 0x06, 2, 0x0200 }, { 0x4c, 1, 0x4d }, { 0x4e, 2, 0x0003 },
        { 0x69, 1, 0x02 },   { 0x6a, 2, 0x0000 }, { 0x70, 1, 0x80 }, { 0x76, 2, 0x0c0c },
        { 0x78, 2, 0x0002 }, { 0x80, 1, 0x00 },   { 0x82, 1, 0x00 }, { 0xa0, 1, 0x08 },
        { 0xa2, 2, 0x0000 }, { 0xa4, 4, 0 },      { 0xa8, 1, 0x0f }, { 0xaa, 2, 0 },
    };
    struct qt *t = qt_start(&piix3_type.dev);

    for (unsigned i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
        CHECK_EQ(cfg_read(t, ISA, regs[i].reg, regs[i].width), regs[i].val);
    cfg_write(t, ISA, 0x09, 0xff, 1);
    CHECK_EQ(cfg_read(t, ISA, 0x08, 4), 0x06010000);
}
