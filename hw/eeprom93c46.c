/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 93C46 serial EEPROM (Microwire, x16 organisation; e.g. Atmel AT93C46). A
 * command is a start bit, two bits of opcode, six of address; READ answers
 * with a zero and then the word, and goes on with the next word as long as it
 * is clocked. Not modelled: programming (see the header) and its time.
 */
#include "hw/eeprom93c46.h"

enum { PH_START, PH_COMMAND, PH_READ, PH_WRITE, PH_DONE };
_Static_assert(PH_DONE + 1 == EEPROM_PHASES, "the state table's bound");

#define COMMAND_BITS 8
#define OP_EXTENDED  0 /* by the address' top bits: EWDS, WRAL, ERAL, EWEN */
#define OP_WRITE     1
#define OP_READ      2
#define EXT_WRAL     1

static void enter(struct eeprom93c46 *e, uint8_t phase)
{
    e->phase = phase;
    e->bits = 0;
}

/* True when the command would have programmed a cell. */
static bool command(struct eeprom93c46 *e, const uint16_t words[EEPROM_WORDS])
{
    unsigned op = e->shift >> 6 & 3, ext = e->shift >> 4 & 3;

    e->addr = e->shift & (EEPROM_WORDS - 1);
    if (op == OP_READ) {
        enter(e, PH_READ);
        e->shift = words[e->addr % EEPROM_WORDS];
        e->out = false;
        return false;
    }
    enter(e, op == OP_WRITE || (op == OP_EXTENDED && ext == EXT_WRAL) ? PH_WRITE : PH_DONE);
    return op != OP_EXTENDED || ext == EXT_WRAL || ext == 2;
}

static void read_bit(struct eeprom93c46 *e, const uint16_t words[EEPROM_WORDS])
{
    e->out = e->shift >> 15;
    e->shift <<= 1;
    if (++e->bits < 16)
        return;
    e->bits = 0;
    e->addr = (e->addr + 1) % EEPROM_WORDS;
    e->shift = words[e->addr % EEPROM_WORDS];
}

static bool clocked(struct eeprom93c46 *e, const uint16_t words[EEPROM_WORDS], bool in)
{
    switch (e->phase) {
    case PH_START:
        if (in)
            enter(e, PH_COMMAND);
        return false;
    case PH_COMMAND:
        e->shift = e->shift << 1 | in;
        return ++e->bits == COMMAND_BITS && command(e, words);
    case PH_READ:
        read_bit(e, words);
        return false;
    case PH_WRITE:
        if (++e->bits == 16)
            enter(e, PH_DONE);
        return false;
    default:
        return false;
    }
}

bool eeprom_pins(struct eeprom93c46 *e, const uint16_t words[EEPROM_WORDS], bool cs, bool clock,
                 bool in)
{
    bool rising = clock && !e->clock, programs = false;

    e->clock = clock;
    if (!cs) {
        enter(e, PH_START);
        e->out = true; /* not driven: the pull-up's level, which also says "ready" */
    } else if (rising) {
        programs = clocked(e, words, in);
    }
    return programs;
}
