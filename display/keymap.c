/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keysyms and scancodes to evdev codes. The layouts are data, made from
 * xkb-data by tools/gen-keymap.py. Scancodes are those of IBM's set 1, with the
 * 0xe0 prefix written as bit 7 (RFB protocol, "QEMU Extended Key Event
 * Message"); Linux took its first 88 key codes from the unprefixed ones.
 */
#include "display/keymap.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <linux/input-event-codes.h>

#define KEYMAP_NUMLOCK 4u /* in the tables only: the guest's state is not known here */

struct keymap_entry {
    uint32_t keysym;
    uint16_t code;
    uint8_t mods;
};

struct keymap {
    const char *name;
    const struct keymap_entry *entries; /* by keysym, then modifiers */
    size_t n;
};

#include "display/keymap-tables.inc"

#define NKEYMAPS (sizeof(keymaps) / sizeof(keymaps[0]))

static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        int x = *a == '_' ? '-' : tolower((unsigned char)*a);
        int y = *b == '_' ? '-' : tolower((unsigned char)*b);
        if (x != y)
            return false;
    }
    return *a == *b;
}

const struct keymap *keymap_find(const char *name)
{
    for (size_t i = 0; i < NKEYMAPS; i++) {
        if (same_name(keymaps[i].name, name))
            return &keymaps[i];
    }
    return NULL;
}

void keymap_names(char *dst, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < NKEYMAPS && len < size; i++) {
        int n = snprintf(dst + len, size - len, "%s%s", i ? ", " : "", keymaps[i].name);
        len += n > 0 ? (size_t)n : 0;
    }
}

/* The first entry of a sorted table with this keysym, or the end. */
static const struct keymap_entry *lower_bound(const struct keymap_entry *e, size_t n,
                                              uint32_t keysym)
{
    while (n > 0) {
        size_t half = n / 2;
        if (e[half].keysym < keysym) {
            e += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return e;
}

static bool lookup_in(const struct keymap_entry *table, size_t n, uint32_t keysym, unsigned held,
                      struct keymap_key *out)
{
    const struct keymap_entry *e = lower_bound(table, n, keysym), *end = table + n;
    const struct keymap_entry *best = NULL;

    for (; e < end && e->keysym == keysym; e++) {
        unsigned mods = e->mods & ~KEYMAP_NUMLOCK;
        if (!best || (mods == held && (best->mods & ~KEYMAP_NUMLOCK) != held))
            best = e;
    }
    if (best)
        *out = (struct keymap_key){ best->code, best->mods & ~KEYMAP_NUMLOCK };
    return best != NULL;
}

/* Keysyms 0x01000000 + U are the character U; Latin-1 has shorter ones. */
static uint32_t plain_keysym(uint32_t keysym)
{
    uint32_t u = keysym & 0xffffff;

    return keysym >> 24 == 1 && u >= 0x20 && u <= 0xff ? u : keysym;
}

bool keymap_lookup(const struct keymap *map, uint32_t keysym, unsigned held, struct keymap_key *out)
{
    uint32_t k = plain_keysym(keysym);

    return lookup_in(map->entries, map->n, k, held, out) ||
           lookup_in(map_common, sizeof(map_common) / sizeof(map_common[0]), k, held, out);
}

bool keymap_is_letter(uint32_t keysym)
{
    uint32_t k = plain_keysym(keysym);

    if (k < 0x80)
        return isalpha((int)k);
    /* Latin-1 to Greek, and the Unicode ones: letters above the punctuation of Latin-1. */
    return (k >= 0xc0 && k < 0x800) || (k >= 0x1000100 && k < 0x1002000);
}

/* Scancodes that are not their own evdev code. Index: set 1, | 0x80 with the 0xe0 prefix. */
static const uint8_t scancodes[256] = {
    [0x54] = KEY_SYSRQ,
    [0x59] = KEY_KPEQUAL,
    [0x5c] = KEY_KPJPCOMMA,
    [0x64] = KEY_F13,
    [0x65] = KEY_F14,
    [0x66] = KEY_F15,
    [0x70] = KEY_KATAKANAHIRAGANA,
    [0x71] = KEY_HANJA,
    [0x72] = KEY_HANGEUL,
    [0x73] = KEY_RO,
    [0x76] = KEY_ZENKAKUHANKAKU,
    [0x77] = KEY_HIRAGANA,
    [0x78] = KEY_KATAKANA,
    [0x79] = KEY_HENKAN,
    [0x7b] = KEY_MUHENKAN,
    [0x7d] = KEY_YEN,
    [0x7e] = KEY_KPCOMMA,
    [0x90] = KEY_PREVIOUSSONG,
    [0x99] = KEY_NEXTSONG,
    [0x9c] = KEY_KPENTER,
    [0x9d] = KEY_RIGHTCTRL,
    [0xa0] = KEY_MUTE,
    [0xa1] = KEY_CALC,
    [0xa2] = KEY_PLAYPAUSE,
    [0xa4] = KEY_STOPCD,
    [0xae] = KEY_VOLUMEDOWN,
    [0xb0] = KEY_VOLUMEUP,
    [0xb2] = KEY_HOMEPAGE,
    [0xb5] = KEY_KPSLASH,
    [0xb7] = KEY_SYSRQ,
    [0xb8] = KEY_RIGHTALT,
    [0xc6] = KEY_PAUSE,
    [0xc7] = KEY_HOME,
    [0xc8] = KEY_UP,
    [0xc9] = KEY_PAGEUP,
    [0xcb] = KEY_LEFT,
    [0xcd] = KEY_RIGHT,
    [0xcf] = KEY_END,
    [0xd0] = KEY_DOWN,
    [0xd1] = KEY_PAGEDOWN,
    [0xd2] = KEY_INSERT,
    [0xd3] = KEY_DELETE,
    [0xdb] = KEY_LEFTMETA,
    [0xdc] = KEY_RIGHTMETA,
    [0xdd] = KEY_COMPOSE,
    [0xde] = KEY_POWER,
    [0xdf] = KEY_SLEEP,
    [0xe3] = KEY_WAKEUP,
    [0xe5] = KEY_SEARCH,
    [0xe6] = KEY_BOOKMARKS,
    [0xe7] = KEY_REFRESH,
    [0xe8] = KEY_STOP,
    [0xe9] = KEY_FORWARD,
    [0xea] = KEY_BACK,
    [0xeb] = KEY_COMPUTER,
    [0xec] = KEY_MAIL,
    [0xed] = KEY_MEDIA,
};

uint16_t keymap_scancode(uint32_t xt)
{
    if (xt == 0 || xt >= sizeof(scancodes))
        return 0;
    if (xt <= KEY_F12 && xt != 0x54 && xt != 0x55)
        return (uint16_t)xt;
    return scancodes[xt];
}
