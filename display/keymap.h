/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * display/keymap.h: what viewers send for a key, turned into Linux evdev
 * codes: X keysyms by a keyboard layout (the one the guest has set; `-k`), and
 * the raw PC scancodes of newer viewers, which need no layout.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYMAP_SHIFT 1u
#define KEYMAP_ALTGR 2u

struct keymap;
struct keymap_key {
    uint16_t code; /* evdev */
    unsigned mods; /* KEYMAP_*: what must be held for the guest to read the keysym */
};

/* By QEMU's names ("en-us", "de-ch", …; case and _ for - do not matter); NULL: unknown. */
const struct keymap *keymap_find(const char *name);
/* All names, comma separated, cut at size. */
void keymap_names(char *dst, size_t size);
/*
 * The key for a keysym: of several, the one that reads so with the modifiers
 * that are held, else the one that takes the fewest. False: the layout has none.
 */
bool keymap_lookup(const struct keymap *map, uint32_t keysym, unsigned held,
                   struct keymap_key *out);
/* A keysym whose key CapsLock turns into its other case. */
bool keymap_is_letter(uint32_t keysym);
/*
 * XT scancode as the QEMU extended key event carries it (0xe0 prefix as bit 7)
 * to evdev; 0: no such key.
 */
uint16_t keymap_scancode(uint32_t xt);
