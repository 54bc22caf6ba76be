/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports 0xcf8-0xcff, with a bridge behind them to be found. */
#include "hw/devices.h"
#include "tests/unit/qt.h"

static struct qt *start(void)
{
    struct qt *t = qt_start(&pci_host_type);

    qt_add(t, &piix3_type.dev, PCI_DEVFN(1, 0));
    return t;
}

TEST(a_config_cycle)
{
    struct qt *t = start();

    outl(t, 0xcf8, 0x80000800);
    CHECK_EQ(inl(t, 0xcf8), 0x80000800);
    CHECK_EQ(inl(t, 0xcfc), 0x70008086);
    CHECK_EQ(inw(t, 0xcfe), 0x7000);
    CHECK_EQ(inb(t, 0xcfd), 0x80);
    outl(t, 0xcf8, 0x80000860);
    outb(t, 0xcfe, 11);
    CHECK_EQ(t->link[2], 11);
    CHECK_EQ(inl(t, 0xcfc), 0x800b8080);
}

TEST(nobody_there_reads_as_ones)
{
    struct qt *t = start();

    CHECK_EQ(inl(t, 0xcfc), 0xffffffff); /* not enabled */
    outl(t, 0xcf8, 0x80001000);          /* no device 2 */
    CHECK_EQ(inl(t, 0xcfc), 0xffffffff);
    outl(t, 0xcf8, 0x80010800); /* no bus 1 */
    CHECK_EQ(inw(t, 0xcfc), 0xffff);
    outl(t, 0xcfc, 0);
}

TEST(low_address_bits_choose_the_byte)
{
    struct qt *t = start();

    outl(t, 0xcf8, 0x80000802); /* a word at the first data port */
    CHECK_EQ(inw(t, 0xcfc), 0x7000);
    outl(t, 0xcf8, 0x80000801);
    CHECK_EQ(inb(t, 0xcfc), 0x80);
    CHECK_EQ(inl(t, 0xcf8), 0x80000800);
    outl(t, 0xcf8, 0x80000863);
    outb(t, 0xcfc, 10);
    CHECK_EQ(t->link[3], 10);
    outl(t, 0xcf8, 0x800008ff); /* up to the end of the function's registers and no further */
    CHECK_EQ(inl(t, 0xcfc), 0xffffffff);
    outl(t, 0xcfc, 0xffffffff);
}

TEST(reserved_address_bits_read_zero)
{
    struct qt *t = start();

    outl(t, 0xcf8, 0xffffffff);
    CHECK_EQ(inl(t, 0xcf8), 0x80fffffc);
    outl(t, 0xcf8, 0);
    outw(t, 0xcf8, 0x0000); /* only 32 bits reach the address register */
    outb(t, 0xcfa, 0x55);
    CHECK_EQ(inl(t, 0xcf8), 0);
    CHECK_EQ(inb(t, 0xcf8), 0xff);
}

TEST(reset_control_acts_on_the_rising_edge)
{
    struct qt *t = start();

    outb(t, 0xcf9, 0x02);
    CHECK_EQ(t->power, -1);
    outb(t, 0xcf9, 0x06); /* what FADT's reset register is written with */
    CHECK_EQ(t->power, POWER_RESET);
    CHECK_EQ(inb(t, 0xcf9), 0x06);
    t->power = -1;
    outb(t, 0xcf9, 0x06);
    CHECK_EQ(t->power, -1);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(inb(t, 0xcf9), 0);
}

TEST(a_long_write_is_no_reset)
{
    struct qt *t = start();

    outl(t, 0xcf8, 0x80000e00); /* byte 1 holds 0x0e */
    CHECK_EQ(t->power, -1);
    CHECK_EQ(inb(t, 0xcf9), 0);
}

TEST(disabled_means_disabled)
{
    struct qt *t = start();

    outl(t, 0xcf8, 0x00000800); /* there is a device, but bit 31 is clear */
    CHECK_EQ(inl(t, 0xcfc), 0xffffffff);
    outl(t, 0xcfc, 0);
}

TEST(words_at_the_address_port)
{
    struct qt *t = start();

    outw(t, 0xcf8, 0x0200);
    CHECK_EQ(inw(t, 0xcf8), 0x02ff);
    CHECK_EQ(inw(t, 0xcfa), 0xffff);
    outw(t, 0xcfa, 0x0606); /* nothing is there */
    CHECK_EQ(t->power, -1);
    outw(t, 0xcf8, 0x0600);
    CHECK_EQ(t->power, POWER_RESET);
}
