/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The debug port. */
#include <string.h>
#include "hw/devices.h"
#include "tests/unit/qt.h"

TEST(says_it_is_there_and_passes_bytes_on)
{
    struct qt *t = qt_start(&debugcon_type);

    CHECK_EQ(inb(t, 0x402), 0xe9);
    outb(t, 0x402, 'o');
    outb(t, 0x402, 'k');
    outb(t, 0x403, '!');
    CHECK(sunk(t, "ok"));
}

TEST(elsewhere)
{
    struct qt *t = qt_new();

    qt_config(t, "iobase", "0xe9");
    qt_add(t, &debugcon_type, -1);
    CHECK_EQ(inb(t, 0x402), 0xff);
    CHECK_EQ(inb(t, 0xe9), 0xe9);
}

TEST(bad_config_is_refused)
{
    struct qt *t = qt_start(&debugcon_type);
    struct config cfg = { 0 };
    struct err err = { "" };

    CHECK(!device_new(&t->plat, &debugcon_type, "second", -1, &cfg, &err));
    CHECK(strstr(err.msg, "402") != NULL);
    config_set(&cfg, "iobase", "0x10000");
    CHECK(!device_new(&t->plat, &debugcon_type, "second", -1, &cfg, &err));
    config_free(&cfg);
}
