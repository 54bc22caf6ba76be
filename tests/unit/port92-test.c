/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports 0x92 and 0xf0. */
#include "hw/devices.h"
#include "tests/unit/qt.h"

TEST(a20_is_remembered)
{
    struct qt *t = qt_start(&port92_type);

    CHECK_EQ(inb(t, 0x92), 0);
    outb(t, 0x92, 0x02);
    CHECK_EQ(inb(t, 0x92), 0x02);
    outb(t, 0x92, 0xfc); /* no other bit exists */
    CHECK_EQ(inb(t, 0x92), 0);
    CHECK_EQ(t->power, -1);
}

TEST(bit_0_rising_resets)
{
    struct qt *t = qt_start(&port92_type);

    outb(t, 0x92, 0x03);
    CHECK_EQ(t->power, POWER_RESET);
    t->power = -1;
    outb(t, 0x92, 0x03);
    CHECK_EQ(t->power, -1);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(inb(t, 0x92), 0);
}

TEST(fpu_error_port_is_silent)
{
    struct qt *t = qt_start(&port92_type);

    outb(t, 0xf0, 0);
    CHECK_EQ(inb(t, 0xf0), 0xff);
    CHECK_EQ(guest_errors(t), 0);
}
