/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keysyms and scancodes to evdev codes. Expected keys: read off the printed keyboards. */
#include <linux/input-event-codes.h>
#include <string.h>
#include "display/keymap.h"
#include "tests/unit/qt.h"

static const char *const known[] = {
    "ar", "bepo",  "cz",    "da",    "de",    "de-ch", "en-gb", "en-us", "es", "et", "fi", "fo",
    "fr", "fr-be", "fr-ca", "fr-ch", "hr",    "hu",    "is",    "it",    "ja", "lt", "lv", "mk",
    "nl", "no",    "pl",    "pt",    "pt-br", "ru",    "sl",    "sv",    "th", "tr",
};
#define NKNOWN (sizeof(known) / sizeof(known[0]))

static bool gives(const char *layout, uint32_t keysym, unsigned held, uint16_t code, unsigned mods)
{
    const struct keymap *m = keymap_find(layout);
    struct keymap_key k = { 0 };

    if (!m || !keymap_lookup(m, keysym, held, &k))
        return code == 0;
    return k.code == code && k.mods == mods;
}

TEST(names)
{
    char list[512], small[8];

    for (size_t i = 0; i < NKNOWN; i++)
        CHECK(keymap_find(known[i]));
    CHECK(keymap_find("EN_US") == keymap_find("en-us"));
    CHECK(!keymap_find("en"));
    CHECK(!keymap_find("en-us2"));
    CHECK(!keymap_find(""));
    keymap_names(list, sizeof(list));
    CHECK(strstr(list, "de-ch, ") && strstr(list, ", tr"));
    keymap_names(small, sizeof(small));
    CHECK(strlen(small) == sizeof(small) - 1);
}

TEST(printable_keys_of_some_layouts)
{
    CHECK(gives("en-us", 'a', 0, KEY_A, 0));
    CHECK(gives("en-us", 'A', KEYMAP_SHIFT, KEY_A, KEYMAP_SHIFT));
    CHECK(gives("en-us", '@', KEYMAP_SHIFT, KEY_2, KEYMAP_SHIFT));
    CHECK(gives("en-us", '<', 0, KEY_COMMA, KEYMAP_SHIFT));
    CHECK(gives("en-gb", '@', 0, KEY_APOSTROPHE, KEYMAP_SHIFT));
    CHECK(gives("en-gb", 0xa3, 0, KEY_3, KEYMAP_SHIFT)); /* sterling */
    CHECK(gives("de", 'z', 0, KEY_Y, 0));
    CHECK(gives("de", '@', 0, KEY_Q, KEYMAP_ALTGR));
    CHECK(gives("de", 0xdf, 0, KEY_MINUS, 0)); /* sharp s */
    CHECK(gives("de", '<', 0, KEY_102ND, 0));
    CHECK(gives("de", 0x20ac, KEYMAP_ALTGR, KEY_E, KEYMAP_ALTGR)); /* euro, both spellings */
    CHECK(gives("de", 0x10020ac, KEYMAP_ALTGR, KEY_E, KEYMAP_ALTGR));
    CHECK(gives("de", 0xfe52, 0, KEY_GRAVE, 0)); /* dead circumflex, and the plain one */
    CHECK(gives("de", '^', 0, KEY_GRAVE, 0));
    CHECK(gives("fr", 'a', 0, KEY_Q, 0));
    CHECK(gives("fr", '1', KEYMAP_SHIFT, KEY_1, KEYMAP_SHIFT));
    CHECK(gives("fr", '<', 0, KEY_102ND, 0));
    CHECK(gives("it", 0xe8, 0, KEY_LEFTBRACE, 0));
    CHECK(gives("es", 0xf1, 0, KEY_SEMICOLON, 0)); /* n tilde */
    CHECK(gives("es", 0x10000f1, 0, KEY_SEMICOLON, 0));
    CHECK(gives("ja", '@', 0, KEY_LEFTBRACE, 0));
    CHECK(gives("ja", '_', KEYMAP_SHIFT, KEY_RO, KEYMAP_SHIFT));
    CHECK(gives("pt-br", 0xe7, 0, KEY_SEMICOLON, 0)); /* c cedilla */
    CHECK(gives("pt-br", '/', 0, KEY_RO, 0));
    CHECK(gives("ru", 0x6d1, 0, KEY_Z, 0)); /* Cyrillic ya, and by Unicode */
    CHECK(gives("ru", 0x100044f, 0, KEY_Z, 0));
    CHECK(gives("ru", 'q', 0, KEY_Q, 0)); /* Latin letters are not lost */
    CHECK(gives("en-us", 0x6d1, 0, 0, 0));
}

TEST(every_layout_types_ascii)
{
    for (size_t n = 0; n < NKNOWN; n++) {
        for (uint32_t c = 0x20; c < 0x7f; c++) {
            struct keymap_key k;
            CHECK(keymap_lookup(keymap_find(known[n]), c, 0, &k) && k.code > 0 && k.code < 128);
        }
    }
}

TEST(keys_that_are_the_same_everywhere)
{
    static const struct {
        uint32_t sym;
        uint16_t code;
    } keys[] = {
        { 0xff0d, KEY_ENTER },      { 0xff1b, KEY_ESC },       { 0xff09, KEY_TAB },
        { 0xfe20, KEY_TAB },        { 0xff08, KEY_BACKSPACE }, { 0xffe1, KEY_LEFTSHIFT },
        { 0xffe2, KEY_RIGHTSHIFT }, { 0xffe3, KEY_LEFTCTRL },  { 0xffe4, KEY_RIGHTCTRL },
        { 0xffe9, KEY_LEFTALT },    { 0xffea, KEY_RIGHTALT },  { 0xfe03, KEY_RIGHTALT },
        { 0xffeb, KEY_LEFTMETA },   { 0xffec, KEY_RIGHTMETA }, { 0xff67, KEY_COMPOSE },
        { 0xffbe, KEY_F1 },         { 0xffc9, KEY_F12 },       { 0xff51, KEY_LEFT },
        { 0xff52, KEY_UP },         { 0xffff, KEY_DELETE },    { 0xff63, KEY_INSERT },
        { 0xff8d, KEY_KPENTER },    { 0xffb7, KEY_KP7 },       { 0xff95, KEY_KP7 },
        { 0xffae, KEY_KPDOT },      { 0xff7f, KEY_NUMLOCK },   { 0xffe5, KEY_CAPSLOCK },
        { 0xff61, KEY_SYSRQ },      { 0xff13, KEY_PAUSE },     { 0xff14, KEY_SCROLLLOCK },
    };
    for (size_t n = 0; n < NKNOWN; n++) {
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            struct keymap_key k = { 0 };
            bool found = keymap_lookup(keymap_find(known[n]), keys[i].sym, 0, &k);
            if (!found || k.code != keys[i].code)
                printf("%s: keysym %x gave %u\n", known[n], keys[i].sym, k.code);
            CHECK(found && k.code == keys[i].code);
        }
    }
}

TEST(scancodes)
{
    CHECK(keymap_scancode(0x1e) == KEY_A);
    CHECK(keymap_scancode(0x01) == KEY_ESC);
    CHECK(keymap_scancode(0x56) == KEY_102ND);
    CHECK(keymap_scancode(0x58) == KEY_F12);
    CHECK(keymap_scancode(0x9d) == KEY_RIGHTCTRL);
    CHECK(keymap_scancode(0xb8) == KEY_RIGHTALT);
    CHECK(keymap_scancode(0xc6) == KEY_PAUSE);
    CHECK(keymap_scancode(0xb7) == KEY_SYSRQ);
    CHECK(keymap_scancode(0x54) == KEY_SYSRQ);
    CHECK(keymap_scancode(0x73) == KEY_RO);
    CHECK(keymap_scancode(0) == 0);
    CHECK(keymap_scancode(0x55) == 0);
    CHECK(keymap_scancode(0xff) == 0);
    CHECK(keymap_scancode(0x100) == 0);
    CHECK(keymap_scancode(0xffffffff) == 0);
}

TEST(letters_follow_caps_lock)
{
    CHECK(keymap_is_letter('a') && keymap_is_letter('Z') && keymap_is_letter(0xe9));
    CHECK(!keymap_is_letter('1') && !keymap_is_letter('@') && !keymap_is_letter(0xff0d));
}
