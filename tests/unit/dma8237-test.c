/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DMA controllers' registers. */
#include "hw/devices.h"
#include "tests/unit/qt.h"

TEST(address_and_count_by_the_flip_flop)
{
    struct qt *t = qt_start(&dma8237_type);

    outb(t, 0x0c, 0);
    outb(t, 0x04, 0x34); /* channel 2 address */
    outb(t, 0x04, 0x12);
    outb(t, 0x05, 0xff); /* count */
    outb(t, 0x05, 0x01);
    outb(t, 0x0c, 0);
    CHECK_EQ(inb(t, 0x04), 0x34);
    CHECK_EQ(inb(t, 0x04), 0x12);
    CHECK_EQ(inb(t, 0x05), 0xff);
    outb(t, 0x0c, 0); /* in the middle: back to the low byte */
    CHECK_EQ(inb(t, 0x05), 0xff);
    CHECK_EQ(inb(t, 0x05), 0x01);
    CHECK_EQ(inb(t, 0x02), 0);
}

TEST(second_controller_at_even_ports)
{
    struct qt *t = qt_start(&dma8237_type);

    outb(t, 0xd8, 0);
    outb(t, 0xc8, 0x78); /* channel 6 address */
    outb(t, 0xc8, 0x56);
    outb(t, 0xd8, 0);
    CHECK_EQ(inb(t, 0xc8), 0x78);
    CHECK_EQ(inb(t, 0xc9), 0x56); /* the odd port is the same register */
    outb(t, 0x0c, 0);
    CHECK_EQ(inb(t, 0x04), 0); /* and the first controller another chip */
}

TEST(masks)
{
    struct qt *t = qt_start(&dma8237_type);

    CHECK_EQ(inb(t, 0x0f), 0xff);
    outb(t, 0xd4, 0x00); /* unmask the cascade, as SeaBIOS does */
    CHECK_EQ(inb(t, 0xde), 0xfe);
    outb(t, 0x0a, 0x02);
    CHECK_EQ(inb(t, 0x0f), 0xfb);
    outb(t, 0x0a, 0x06);
    CHECK_EQ(inb(t, 0x0f), 0xff);
    outb(t, 0x0e, 0);
    CHECK_EQ(inb(t, 0x0f), 0xf0);
    outb(t, 0x0f, 0xa5);
    CHECK_EQ(inb(t, 0x0f), 0xf5);
    outb(t, 0x0d, 0); /* master clear */
    CHECK_EQ(inb(t, 0x0f), 0xff);
    outb(t, 0x0b, 0x46);
    outb(t, 0x08, 0x10);
}

TEST(software_request_shows_in_the_status)
{
    struct qt *t = qt_start(&dma8237_type);

    CHECK_EQ(inb(t, 0x08), 0);
    outb(t, 0x09, 0x05);
    CHECK_EQ(inb(t, 0x08), 0x20);
    outb(t, 0x09, 0x01);
    CHECK_EQ(inb(t, 0x08), 0);
    CHECK_EQ(inb(t, 0x0d), 0);
}

TEST(pages_and_the_holes_between_them)
{
    static const uint8_t ports[] = { 0x81, 0x82, 0x83, 0x87, 0x89, 0x8a, 0x8b, 0x8f };
    struct qt *t = qt_start(&dma8237_type);

    for (unsigned i = 0; i < sizeof(ports); i++)
        outb(t, ports[i], 0x10 + i);
    for (unsigned i = 0; i < sizeof(ports); i++)
        CHECK_EQ(inb(t, ports[i]), 0x10 + i);
    CHECK_EQ(inb(t, 0x80), 0xff);
    CHECK_EQ(inb(t, 0x84), 0xff);
    CHECK_EQ(inb(t, 0x88), 0xff);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(inb(t, 0x83), 0);
}

TEST(master_clear_clears_all_but_the_addresses)
{
    struct qt *t = qt_start(&dma8237_type);

    outb(t, 0x09, 0x07);
    outb(t, 0x00, 0x11); /* half an address */
    outb(t, 0x0d, 0);
    CHECK_EQ(inb(t, 0x08), 0);
    outb(t, 0x00, 0x22); /* the low half again */
    outb(t, 0x00, 0x33);
    CHECK_EQ(inb(t, 0x00), 0x22);
    CHECK_EQ(inb(t, 0x00), 0x33);
    outb(t, 0x0c, 0);
    outb(t, 0x06, 0x44);
    outb(t, 0x06, 0x55);
    outb(t, 0x0d, 0);
    CHECK_EQ(inb(t, 0x06), 0x44);
    CHECK_EQ(inb(t, 0x06), 0x55);
}
