/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The serial EEPROM by itself: National NM93C46, 64 words of 16 bits. */
#include "hw/eeprom93c46.h"
#include "tests/unit/qt.h"

struct chip {
    struct eeprom93c46 e;
    uint16_t words[EEPROM_WORDS + 8]; /* what is behind the end must never be seen */
};

static struct chip filled(void)
{
    struct chip c = { 0 };

    for (unsigned i = 0; i < EEPROM_WORDS + 8; i++)
        c.words[i] = i < EEPROM_WORDS ? 0x1234 + 0x0101 * i : 0xdead;
    return c;
}

static bool tick(struct chip *c, bool in)
{
    bool programs = eeprom_pins(&c->e, c->words, true, false, in);

    programs |= eeprom_pins(&c->e, c->words, true, true, in);
    CHECK(c->e.addr < EEPROM_WORDS);
    return programs;
}

static bool send(struct chip *c, unsigned bits, unsigned val)
{
    bool programs = false;

    while (bits--)
        programs |= tick(c, val >> bits & 1);
    return programs;
}

static uint16_t word(struct chip *c)
{
    uint16_t val = 0;

    for (unsigned i = 0; i < 16; i++) {
        tick(c, false);
        val = val << 1 | c->e.out;
    }
    return val;
}

static void select_chip(struct chip *c)
{
    eeprom_pins(&c->e, c->words, false, false, false);
}

TEST(a_read_goes_on_to_the_next_word_and_wraps_at_the_end)
{
    struct chip c = filled();

    select_chip(&c);
    send(&c, 9, 0x180 | 60); /* start, READ, address 60 */
    CHECK(!c.e.out);         /* the dummy bit */
    for (unsigned i = 60; i < 60 + 3 * EEPROM_WORDS; i++)
        CHECK_EQ(word(&c), 0x1234 + 0x0101 * (i % EEPROM_WORDS));
}

TEST(zeroes_before_the_start_bit_are_nothing)
{
    struct chip c = filled();

    select_chip(&c);
    send(&c, 30, 0);
    send(&c, 9, 0x180 | 7);
    CHECK_EQ(word(&c), 0x1234 + 0x0707);
}

TEST(writes_are_said_and_reads_are_not)
{
    struct chip c = filled();

    select_chip(&c);
    CHECK(!send(&c, 9, 0x180 | 3));
    select_chip(&c);
    CHECK(send(&c, 9, 0x140 | 3)); /* WRITE: the card refuses it, so it has to hear of it */
    select_chip(&c);
    CHECK(!send(&c, 9, 0x100 | 0x30)); /* EWEN */
    select_chip(&c);
    CHECK(send(&c, 9, 0x1c0 | 3)); /* ERASE */
    select_chip(&c);
    CHECK(send(&c, 9, 0x100 | 0x20)); /* ERAL */
    select_chip(&c);
    CHECK(c.e.out); /* ready */
}
