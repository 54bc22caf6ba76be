/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host bridge, alone at 00:00.0. */
#include "hw/devices.h"
#include "tests/unit/qt.h"

static struct qt *start(void)
{
    struct qt *t = qt_new();

    qt_add(t, &i440fx_type.dev, 0);
    return t;
}

TEST(identity_is_what_seabios_keys_on)
{
    struct qt *t = start();

    CHECK_EQ(cfg_read(t, 0, 0x00, 4), 0x12378086);
    CHECK_EQ(cfg_read(t, 0, 0x08, 4), 0x06000002);
    CHECK_EQ(cfg_read(t, 0, 0x0e, 1), 0x00);
    CHECK_EQ(cfg_read(t, 0, 0x2c, 4), 0x11001af4);
    CHECK_EQ(cfg_read(t, 0, 0x3d, 1), 0);
    cfg_write(t, 0, 0x00, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, 0, 0x00, 4), 0x12378086);
}

TEST(pam_registers_are_stored)
{
    struct qt *t = start();

    for (unsigned reg = 0x59; reg <= 0x5f; reg++) {
        CHECK_EQ(cfg_read(t, 0, reg, 1), 0);
        cfg_write(t, 0, reg, 0x33 + reg, 1);
    }
    for (unsigned reg = 0x59; reg <= 0x5f; reg++)
        CHECK_EQ(cfg_read(t, 0, reg, 1), 0x33 + reg);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(cfg_read(t, 0, 0x5a, 1), 0);
}

TEST(no_bars_and_hardwired_command_bits)
{
    struct qt *t = start();

    for (unsigned bar = 0x10; bar <= 0x24; bar += 4) {
        cfg_write(t, 0, bar, 0xffffffff, 4);
        CHECK_EQ(cfg_read(t, 0, bar, 4), 0);
    }
    cfg_write(t, 0, 0x04, 0, 2);
    CHECK_EQ(cfg_read(t, 0, 0x04, 2), 0x0006);
    CHECK_EQ(cfg_read(t, 0, 0x72, 1), 0x02);
}
