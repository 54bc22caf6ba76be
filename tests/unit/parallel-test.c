/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LPT1. */
#include "hw/devices.h"
#include "tests/unit/qt.h"

TEST(strobe_sends_one_byte_and_raises_irq7)
{
    struct qt *t = qt_start(&parallel_type);

    outb(t, 0x37a, 0x1c); /* INIT# high, selected, interrupt on */
    outb(t, 0x378, 'A');
    outb(t, 0x37a, 0x1d); /* STROBE up: sent once ... */
    CHECK(sunk(t, "A"));
    outb(t, 0x37a, 0x1d); /* ... and only on the edge */
    CHECK(sunk(t, ""));
    CHECK(irq(t, 7));
    CHECK_EQ(inb(t, 0x379), 0xd8);
    CHECK(!irq(t, 7)); /* the read acknowledged it */
}

TEST(nothing_is_sent_while_deselected_or_held_in_reset)
{
    struct qt *t = qt_start(&parallel_type);

    outb(t, 0x378, 'A');
    outb(t, 0x37a, 0x09); /* INIT# low */
    outb(t, 0x37a, 0x04);
    outb(t, 0x37a, 0x05); /* not selected */
    CHECK(sunk(t, ""));
}

TEST(hvmloader_finds_it)
{
    struct qt *t = qt_start(&parallel_type);

    outb(t, 0x37a, 0x0c);
    CHECK_EQ(inb(t, 0x37a), 0xcc);
}

TEST(wide_and_stray_accesses)
{
    struct qt *t = qt_start(&parallel_type);

    outl(t, 0x378, 0xffffffff); /* four byte cycles; the last has no owner */
    CHECK_EQ(inl(t, 0x378), 0xffffd8ff);
    CHECK_EQ(guest_errors(t), 1);
}

TEST(a_reset_is_complete)
{
    struct qt *t = qt_start(&parallel_type);

    outb(t, 0x378, 'A');
    outb(t, 0x37a, 0x1c);
    outb(t, 0x37a, 0x1d);
    device_reset(t->dev, RESET_WARM);
    qt_touched(t);
    CHECK(!irq(t, 7));
    CHECK_EQ(inl(t, 0x378), 0xffc0d800);
}
