/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/eeprom93c46.h: a 93C46 serial EEPROM, 64 words of 16 bits, on three wires.
 * The words are the owner's and constant: they come from the configuration.
 * Commands that would program it are taken, answered "ready" and change
 * nothing. The state belongs in the owner's s; EEPROM_FIELDS() are its rows.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define EEPROM_WORDS  64
#define EEPROM_PHASES 5

struct eeprom93c46 {
    uint16_t shift, addr; /* shift: command bits in, or data bits out */
    uint8_t phase, bits;  /* bits: moved in this phase */
    bool clock, out;      /* SK's level; DO's */
};

#define EEPROM_FIELDS(T, m)                                                                        \
    FIELD(T, m.shift), FIELD(T, m.phase, .max = EEPROM_PHASES - 1), FIELD(T, m.bits, .max = 16),   \
        FIELD(T, m.addr, .max = EEPROM_WORDS - 1), FIELD(T, m.clock), FIELD(T, m.out)

/* The levels of chip select, clock and DI are now these; DO is e->out. True: asked to program. */
bool eeprom_pins(struct eeprom93c46 *e, const uint16_t words[EEPROM_WORDS], bool cs, bool clock,
                 bool in);
