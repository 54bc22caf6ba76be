/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The serial EEPROM: commands cut short or that would program it; and what its cards make of it. */
#include "hw/devices.h"
#include "hw/eeprom93c46.h"
#include "tests/unit/nic-frames.h"

#define DEVFN 0x20
#define MEM   0xf0000000u
#define PORT  0xc000

#define EECD 0x10 /* of the 82540EM: SK 1, CS 2, DI 4, DO 8, REQ 40 */
#define MDIC 0x20

#define READ  0x180 /* the start bit, two of the opcode, six of the address */
#define WRITE 0x140
#define ERASE 0x1c0
#define EWEN  0x130
#define EWDS  0x100
#define ERAL  0x120
#define WRAL  0x110

static uint16_t words[EEPROM_WORDS];

/* The lowest n bits of val, the highest first; true if the part was asked to program. */
static bool shift_in(struct eeprom93c46 *e, uint32_t val, unsigned n)
{
    bool programs = false;

    while (n--) {
        programs |= eeprom_pins(e, words, true, false, val >> n & 1);
        programs |= eeprom_pins(e, words, true, true, val >> n & 1);
    }
    return programs;
}

static uint16_t shift_out(struct eeprom93c46 *e)
{
    uint16_t val = 0;

    for (unsigned i = 0; i < 16; i++) {
        eeprom_pins(e, words, true, false, false);
        eeprom_pins(e, words, true, true, false);
        val = val << 1 | e->out;
    }
    return val;
}

static bool deselect(struct eeprom93c46 *e)
{
    return eeprom_pins(e, words, false, false, false);
}

static void fill(void)
{
    for (unsigned i = 0; i < EEPROM_WORDS; i++)
        words[i] = 0x8001 + i * 0x0203;
}

TEST(a_clock_that_does_not_rise_moves_nothing)
{
    struct eeprom93c46 e = { 0 };

    fill();
    deselect(&e);
    shift_in(&e, READ | 5, 9);
    for (unsigned i = 0; i < 7; i++)
        eeprom_pins(&e, words, true, true, true);
    CHECK_EQ(shift_out(&e), words[5]);
}

TEST(deselecting_ends_a_command_half_way)
{
    struct eeprom93c46 e = { 0 };

    fill();
    deselect(&e);
    shift_in(&e, 0x1f, 5);
    deselect(&e);
    shift_in(&e, READ | 9, 9);
    CHECK_EQ(shift_out(&e), words[9]);
}

/* Each is taken, with its data; the part then says "ready" on DO and holds what it held. */
TEST(what_would_program_is_taken_and_changes_nothing)
{
    static const struct {
        uint16_t code;
        bool data, programs;
    } all[] = {
        { EWEN, false, false }, { WRITE | 7, true, true }, { ERASE | 7, false, true },
        { ERAL, false, true },  { WRAL, true, true },      { EWDS, false, false },
    };

    fill();
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct eeprom93c46 e = { 0 };

        deselect(&e);
        CHECK_EQ(shift_in(&e, all[i].code, 9), all[i].programs);
        if (all[i].data)
            CHECK(!shift_in(&e, 0x1234, 16));
        CHECK(!shift_in(&e, READ | 7, 9)); /* deaf until CS has gone low */
        CHECK_EQ(shift_out(&e), 0xffff);
        deselect(&e);
        eeprom_pins(&e, words, true, false, false);
        CHECK(e.out); /* ready */
        shift_in(&e, READ | 7, 9);
        CHECK_EQ(shift_out(&e), words[7]);
    }
}

/* Six of the sixteen data bits, then CS low: what follows is a command again. */
TEST(data_cut_short)
{
    struct eeprom93c46 e = { 0 };

    fill();
    deselect(&e);
    CHECK(shift_in(&e, WRITE | 3, 9));
    CHECK(!shift_in(&e, 0x3f, 6));
    deselect(&e);
    CHECK(!shift_in(&e, READ | 3, 9));
    CHECK_EQ(shift_out(&e), words[3]);
}

static struct qt *card(const struct device_type *type, struct net **net)
{
    struct qt *t = qt_new();

    *net = cable(t);
    qt_add(t, type, DEVFN);
    cfg_write(t, DEVFN, PCI_BAR0, type == &e1000_type.dev ? MEM : PORT, 4);
    cfg_write(t, DEVFN, PCI_COMMAND, 7, 2);
    return t;
}

static uint32_t rd(struct qt *t, uint32_t reg)
{
    return (uint32_t)mmio_read(t, MEM + reg, 4);
}

static void wr(struct qt *t, uint32_t reg, uint32_t val)
{
    mmio_write(t, MEM + reg, val, 4);
}

TEST(the_82540em_keeps_its_address)
{
    struct net *net;
    struct qt *t = card(&e1000_type.dev, &net);
    uint32_t ral = rd(t, 0x5400);

    wr(t, EECD, 0x40);
    CHECK_EQ(rd(t, EECD) & 0xc0, 0xc0); /* granted at once */
    for (int n = 24; n >= 0; n--) {     /* WRITE to word 0, then data */
        uint32_t di = (((uint32_t)WRITE << 16 | 0xdead) >> n & 1) << 2;

        wr(t, EECD, 0x42 | di);
        wr(t, EECD, 0x43 | di);
    }
    wr(t, EECD, 0x40);
    CHECK_EQ(guest_errors(t), 1);
    wr(t, 0x0000, 0x04000000); /* CTRL.RST loads the address anew */
    CHECK_EQ(rd(t, 0x5400), ral);
    cable_end(t, net);
}

static void phy_set(struct qt *t, unsigned reg, uint16_t val)
{
    wr(t, MDIC, 1u << 26 | 1u << 21 | reg << 16 | val);
    CHECK_EQ(rd(t, MDIC) & 0x50000000, 0x10000000);
}

static uint16_t phy_get(struct qt *t, unsigned reg)
{
    wr(t, MDIC, 2u << 26 | 1u << 21 | reg << 16);
    CHECK_EQ(rd(t, MDIC) & 0x50000000, 0x10000000);
    return (uint16_t)rd(t, MDIC);
}

/* IEEE 802.3 §22.2.4.1.1: reset clears itself, and every register is what it was at power-on. */
TEST(the_phy_resets_itself)
{
    struct net *net;
    struct qt *t = card(&e1000_type.dev, &net);
    uint16_t adv = phy_get(t, 4);

    clock_step(t, NS_PER_S);
    phy_set(t, 4, 0x0021);
    phy_set(t, 0, 0x2100);
    CHECK_EQ(phy_get(t, 4), 0x0021);
    CHECK_EQ(phy_get(t, 0), 0x2100);
    phy_set(t, 0, 0x8000);
    CHECK_EQ(phy_get(t, 0), 0x1140);
    CHECK_EQ(phy_get(t, 4), adv);
    CHECK_EQ(phy_get(t, 1) & 0x24, 0); /* and it negotiates anew */
    clock_step(t, NS_PER_S);
    CHECK_EQ(phy_get(t, 1) & 0x24, 0x24);
    cable_end(t, net);
}

/* 9346CR at 50: EEM1-0 10 is programming, CS 08, SK 04, DI 02. */
TEST(the_8139_keeps_its_address)
{
    struct net *net;
    struct qt *t = card(&rtl8139_type.dev, &net);

    for (int n = 8; n >= 0; n--) {
        uint8_t di = (ERASE >> n & 1) << 1;

        outb(t, PORT + 0x50, 0x88 | di);
        outb(t, PORT + 0x50, 0x8c | di);
    }
    outb(t, PORT + 0x50, 0x80);
    CHECK_EQ(guest_errors(t), 1);
    outb(t, PORT + 0x50, 0x40); /* auto-load */
    CHECK_EQ(inb(t, PORT + 0x50) & 0xc0, 0);
    for (unsigned i = 0; i < 6; i++)
        CHECK_EQ(inb(t, PORT + i), mac_card[i]);
    cable_end(t, net);
}
