/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DMA controllers' registers, and what a device moves through them. */
#include <string.h>
#include "hw/devices.h"
#include "hw/dma8237.h"
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

/* ---- transfers ---- */

/* Programs channel 2 as a floppy driver does. */
static void channel2(struct qt *t, uint8_t mode, uint32_t addr, uint16_t count)
{
    outb(t, 0x0a, 0x06);
    outb(t, 0x0c, 0);
    outb(t, 0x0b, mode);
    outb(t, 0x04, addr);
    outb(t, 0x04, addr >> 8);
    outb(t, 0x81, addr >> 16);
    outb(t, 0x05, count);
    outb(t, 0x05, count >> 8);
    outb(t, 0x0a, 0x02);
}

static unsigned reg16(struct qt *t, uint16_t port)
{
    unsigned low;

    outb(t, 0x0c, 0);
    low = inb(t, port);
    return low | inb(t, port) << 8;
}

TEST(to_memory_until_the_count_runs_out)
{
    struct qt *t = qt_start(&dma8237_type);
    bool tc = true;

    channel2(t, 0x46, 0x12000, 9);
    CHECK(dma8237_ready(t->dev, 2, DMA_TO_MEMORY));
    CHECK(!dma8237_ready(t->dev, 2, DMA_FROM_MEMORY));
    CHECK(!dma8237_ready(t->dev, 1, DMA_TO_MEMORY));
    CHECK_EQ(dma8237_transfer(t->dev, 2, (char[]){ "abcd" }, 4, DMA_TO_MEMORY, &tc), 4);
    CHECK(!tc);
    CHECK_EQ(reg16(t, 0x04), 0x2004);
    CHECK_EQ(reg16(t, 0x05), 5);
    CHECK_EQ(inb(t, 0x08), 0);
    CHECK_EQ(dma8237_transfer(t->dev, 2, (char[]){ "efghijkl" }, 8, DMA_TO_MEMORY, &tc), 6);
    CHECK(tc);
    CHECK(!memcmp(t->ram + 0x12000, "abcdefghij\0", 11));
    CHECK_EQ(inb(t, 0x08), 0x04); /* the terminal count, until it is read */
    CHECK_EQ(inb(t, 0x08), 0);
    CHECK_EQ(inb(t, 0x0f), 0xff); /* it masked itself */
    CHECK_EQ(reg16(t, 0x05), 0xffff);
    CHECK_EQ(dma8237_transfer(t->dev, 2, (char[]){ "x" }, 1, DMA_TO_MEMORY, &tc), 0);
    CHECK(!tc);
}

TEST(from_memory_and_the_exact_end)
{
    struct qt *t = qt_start(&dma8237_type);
    char buf[5] = "";
    bool tc = false;

    memcpy(t->ram + 0x12000, "wxyz", 4);
    channel2(t, 0x4a, 0x12000, 3);
    CHECK_EQ(dma8237_transfer(t->dev, 2, buf, 4, DMA_TO_MEMORY, &tc), 0); /* the wrong way */
    CHECK_EQ(dma8237_transfer(t->dev, 2, buf, 4, DMA_FROM_MEMORY, &tc), 4);
    CHECK(tc);
    CHECK(!strcmp(buf, "wxyz"));
}

/* Channel 6 moves words: its page has 128 KiB, and an odd byte stays. */
TEST(words)
{
    struct qt *t = qt_start(&dma8237_type);
    char buf[8] = "";
    bool tc = false;

    memcpy(t->ram + 0x3fffc, "abcd", 4);
    memcpy(t->ram + 0x20000, "efgh", 4);
    outb(t, 0xd8, 0);
    outb(t, 0xd6, 0x5a);
    outb(t, 0xc8, 0xfe); /* words 1fffe and on */
    outb(t, 0xc8, 0xff);
    outb(t, 0x89, 0x03); /* bit 0 is not used */
    outb(t, 0xca, 0x03);
    outb(t, 0xca, 0x00);
    CHECK_EQ(dma8237_transfer(t->dev, 6, buf, 4, DMA_FROM_MEMORY, &tc), 0); /* masked */
    outb(t, 0xd4, 0x02);
    CHECK(dma8237_ready(t->dev, 6, DMA_FROM_MEMORY) && !dma8237_ready(t->dev, 4, DMA_FROM_MEMORY));
    CHECK_EQ(dma8237_transfer(t->dev, 6, buf, 1, DMA_FROM_MEMORY, &tc), 0);
    CHECK_EQ(dma8237_transfer(t->dev, 6, buf, 7, DMA_FROM_MEMORY, &tc), 6);
    CHECK(!tc && !memcmp(buf, "abcdef", 6));
    outb(t, 0xd8, 0);
    CHECK_EQ(inb(t, 0xca), 0);
    CHECK_EQ(inb(t, 0xca), 0);
    CHECK_EQ(dma8237_transfer(t->dev, 6, buf, 6, DMA_FROM_MEMORY, &tc), 2);
    CHECK(tc && !memcmp(buf, "gh", 2));
    CHECK_EQ(inb(t, 0xd0), 0x04);
    CHECK_EQ(inb(t, 0x08), 0);
    CHECK_EQ(dma8237_transfer(t->dev, 6, buf, 4, DMA_FROM_MEMORY, &tc), 4); /* again */
    CHECK(!memcmp(buf, "abcd", 4));
    CHECK_EQ(dma8237_transfer(t->dev, 4, buf, 4, DMA_FROM_MEMORY, &tc), 0);
    CHECK_EQ(dma8237_transfer(t->dev, 8, buf, 4, DMA_FROM_MEMORY, &tc), 0);
}

TEST(autoinitialize_starts_again)
{
    struct qt *t = qt_start(&dma8237_type);
    bool tc = false;

    channel2(t, 0x56, 0x12000, 1);
    CHECK_EQ(dma8237_transfer(t->dev, 2, (char[]){ "ab" }, 2, DMA_TO_MEMORY, &tc), 2);
    CHECK(tc);
    CHECK_EQ(reg16(t, 0x04), 0x2000);
    CHECK_EQ(reg16(t, 0x05), 1);
    CHECK_EQ(inb(t, 0x0f), 0xfb);
    CHECK_EQ(dma8237_transfer(t->dev, 2, (char[]){ "c" }, 1, DMA_TO_MEMORY, &tc), 1);
    CHECK(!tc);
    CHECK(!memcmp(t->ram + 0x12000, "cb", 2));
}

TEST(addresses_wrap_in_their_page_and_run_down)
{
    struct qt *t = qt_start(&dma8237_type);
    char buf[4];
    bool tc = false;

    channel2(t, 0x46, 0x1fffe, 3);
    CHECK_EQ(dma8237_transfer(t->dev, 2, (char[]){ "abcd" }, 4, DMA_TO_MEMORY, &tc), 4);
    CHECK(!memcmp(t->ram + 0x1fffe, "ab\0", 3));
    CHECK(!memcmp(t->ram + 0x10000, "cd", 2));
    channel2(t, 0x6a, 0x10001, 3); /* downwards */
    CHECK_EQ(dma8237_transfer(t->dev, 2, buf, 4, DMA_FROM_MEMORY, &tc), 4);
    CHECK(!memcmp(buf, "dcba", 4));
}

TEST(verify_moves_nothing)
{
    struct qt *t = qt_start(&dma8237_type);
    char buf[2] = "ab";
    bool tc = false;

    channel2(t, 0x42, 0x12000, 1);
    CHECK_EQ(dma8237_transfer(t->dev, 2, buf, 2, DMA_TO_MEMORY, &tc), 2);
    CHECK(tc);
    CHECK_EQ(ram32(t, 0x12000), 0);
    channel2(t, 0x42, 0x12000, 1);
    CHECK_EQ(dma8237_transfer(t->dev, 2, buf, 2, DMA_FROM_MEMORY, &tc), 2);
    CHECK_EQ(buf[0], 0);
}

TEST(what_stops_a_channel)
{
    struct qt *t = qt_start(&dma8237_type);
    bool tc;

    channel2(t, 0xc6, 0x12000, 9); /* cascade */
    CHECK(!dma8237_ready(t->dev, 2, DMA_TO_MEMORY));
    channel2(t, 0x46, 0x12000, 9);
    outb(t, 0x08, 0x04); /* the controller is disabled */
    CHECK(!dma8237_ready(t->dev, 2, DMA_TO_MEMORY));
    outb(t, 0x08, 0x00);
    CHECK(dma8237_ready(t->dev, 2, DMA_TO_MEMORY));
    CHECK(!dma8237_ready(t->dev, 4, DMA_TO_MEMORY));
    CHECK_EQ(dma8237_transfer(t->dev, 2, (char[]){ "" }, 0, DMA_TO_MEMORY, &tc), 0);
}

TEST(no_memory_there)
{
    static struct platform_ops none; /* all that a channel can address is RAM in this world */
    struct qt *t = qt_start(&dma8237_type);
    char buf[2] = "ab";
    bool tc = false;

    none = *t->plat.ops;
    none.mem_read = NULL;
    channel2(t, 0x4a, 0x12000, 1);
    t->plat.ops = &none;
    CHECK_EQ(dma8237_transfer(t->dev, 2, buf, 1, DMA_FROM_MEMORY, &tc), 1);
    CHECK_EQ((uint8_t)buf[0], 0xff);
    CHECK_EQ(guest_errors(t), 1);
}
