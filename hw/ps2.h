/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PS/2 keyboard and mouse as parts of the i8042, whose state holds theirs:
 * bytes go in by ps2_*_write(), come out of the port by ps2_take().
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "hw/core/device.h"
#include "hw/core/state.h"

#define PS2_QUEUE 64 /* bytes of events that wait to be sent */
#define PS2_REPLY 8  /* bytes of answer to a command; they go first */

#define PS2_ACK    0xfa
#define PS2_RESEND 0xfe
#define PS2_BAT_OK 0xaa

struct ps2_port {
    uint8_t data[PS2_QUEUE], reply[PS2_REPLY];
    uint8_t head, len, reply_head, reply_len;
    uint8_t last; /* byte sent, for "resend" */
};

#define PS2_PORT_FIELDS(T, m)                                                                      \
    ARRAY(T, m.data), ARRAY(T, m.reply), FIELD(T, m.head, .max = PS2_QUEUE - 1),                   \
        FIELD(T, m.len, .max = PS2_QUEUE), FIELD(T, m.reply_head, .max = PS2_REPLY - 1),           \
        FIELD(T, m.reply_len, .max = PS2_REPLY), FIELD(T, m.last)

/* hw/ps2.c */
void ps2_put(struct ps2_port *p, uint8_t byte);   /* an event's byte; dropped when full */
void ps2_reply(struct ps2_port *p, uint8_t byte); /* an answer's byte */
int ps2_take(struct ps2_port *p);                 /* the next byte to send, or -1 */
int ps2_take_event(struct ps2_port *p);
bool ps2_pending(const struct ps2_port *p);
unsigned ps2_room(const struct ps2_port *p); /* for event bytes */
void ps2_flush(struct ps2_port *p);          /* forgets events */
void ps2_begin_reply(struct ps2_port *p);    /* a command: forgets what is left of an old answer */

/* hw/ps2-keyboard.c */
#define PS2_SET3_CODES 0x95 /* 0x8e are known; the rest leaves no hole in the i8042's state */

struct ps2_keyboard {
    struct ps2_port out;
    uint8_t set, leds, typematic;
    uint8_t param; /* the command whose parameter comes next; 0: none */
    uint8_t mods;  /* modifier keys that are down */
    bool scanning;
    uint8_t kind[PS2_SET3_CODES]; /* what each key of set 3 does */
};

#define PS2_KEYBOARD_FIELDS(T, m)                                                                  \
    PS2_PORT_FIELDS(T, m.out), FIELD(T, m.set, .max = 3), FIELD(T, m.leds, .max = 7),              \
        FIELD(T, m.typematic, .max = 0x7f), FIELD(T, m.param), FIELD(T, m.mods, .max = 0x3f),      \
        FIELD(T, m.scanning), ARRAY(T, m.kind, .max = 3)

void ps2_keyboard_reset(struct ps2_keyboard *k); /* power-on; k is zeroed */
int ps2_keyboard_take(struct ps2_keyboard *k);   /* as ps2_take() */
void ps2_keyboard_write(struct ps2_keyboard *k, uint8_t val);
void ps2_keyboard_key(struct ps2_keyboard *k, uint16_t evdev_code, bool down);
uint8_t ps2_set2_to_set1(uint8_t code); /* the i8042's translation of one byte that is not F0 */

/* hw/ps2-mouse.c */
enum ps2_mouse_mode { PS2_STREAM, PS2_REMOTE };

struct ps2_mouse {
    uint16_t dx, dy, dz; /* movement not yet sent, two's complement */
    struct ps2_port out;
    uint8_t buttons, sent; /* as they are; as the guest was told */
    uint8_t mode, rate, resolution;
    uint8_t id;       /* 0 plain, 3 with a wheel, 4 with five buttons as well */
    uint8_t param;    /* as the keyboard's */
    uint8_t knock[3]; /* the last three sample rates set */
    bool wrap, reporting, scaling;
};

#define PS2_MOUSE_FIELDS(T, m)                                                                     \
    FIELD(T, m.dx), FIELD(T, m.dy), FIELD(T, m.dz), PS2_PORT_FIELDS(T, m.out),                     \
        FIELD(T, m.buttons, .max = 0x1f), FIELD(T, m.sent, .max = 0x1f),                           \
        FIELD(T, m.mode, .max = PS2_REMOTE), FIELD(T, m.rate), FIELD(T, m.resolution, .max = 3),   \
        FIELD(T, m.id, .max = 4), FIELD(T, m.param), ARRAY(T, m.knock), FIELD(T, m.wrap),          \
        FIELD(T, m.reporting), FIELD(T, m.scaling)

void ps2_mouse_reset(struct ps2_mouse *m); /* power-on; m is zeroed */
void ps2_mouse_write(struct ps2_mouse *m, uint8_t val);
/* dy: down is positive; dz: towards the user is positive; buttons: display.h's, and 8 and 16. */
void ps2_mouse_move(struct ps2_mouse *m, int dx, int dy, int dz, unsigned buttons);
void ps2_mouse_fill(struct ps2_mouse *m); /* makes a packet of what has gathered, if it may */

/* hw/i8042.c: what the display calls, for tests. */
void i8042_key(struct device *dev, uint16_t evdev_code, bool down);
void i8042_move(struct device *dev, int dx, int dy, int dz, unsigned buttons);
