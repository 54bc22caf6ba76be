/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keyboard by itself: its codes, its commands, its queue. */
#include <linux/input-event-codes.h>
#include <string.h>
#include "hw/ps2.h"
#include "tests/unit/qt.h"

static struct ps2_keyboard *start(uint8_t set)
{
    static struct ps2_keyboard k;

    memset(&k, 0, sizeof(k));
    ps2_keyboard_reset(&k);
    k.set = set;
    return &k;
}

/* Takes everything and compares: "e0 f0 7c", "" for nothing. */
static bool sends(struct ps2_keyboard *k, const char *hex)
{
    uint8_t got[128];
    unsigned n = 0;

    for (int byte; n < sizeof(got) && (byte = ps2_keyboard_take(k)) >= 0;)
        got[n++] = byte;
    return hex_is(hex, got, n);
}

static bool tap(struct ps2_keyboard *k, unsigned code, const char *hex)
{
    ps2_keyboard_key(k, code, true);
    ps2_keyboard_key(k, code, false);
    return sends(k, hex);
}

static bool command(struct ps2_keyboard *k, uint8_t cmd, const char *hex)
{
    ps2_keyboard_write(k, cmd);
    return sends(k, hex);
}

TEST(set_1_codes_are_linux_key_codes)
{
    struct ps2_keyboard *k = start(1);
    char hex[16];

    for (unsigned code = KEY_ESC; code <= KEY_F12; code++) {
        if (code == 84 || code == KEY_ZENKAKUHANKAKU)
            continue;
        snprintf(hex, sizeof(hex), "%02x %02x", code, code | 0x80);
        CHECK(tap(k, code, hex));
    }
}

TEST(set_1_codes_of_the_grey_keys)
{
    /* From Microsoft's "Keyboard Scan Code Specification", not from the table under test */
    static const struct {
        unsigned key;
        uint8_t code;
    } grey[] = {
        { KEY_KPENTER, 0x1c },      { KEY_RIGHTCTRL, 0x1d }, { KEY_KPSLASH, 0x35 },
        { KEY_RIGHTALT, 0x38 },     { KEY_HOME, 0x47 },      { KEY_UP, 0x48 },
        { KEY_PAGEUP, 0x49 },       { KEY_LEFT, 0x4b },      { KEY_RIGHT, 0x4d },
        { KEY_END, 0x4f },          { KEY_DOWN, 0x50 },      { KEY_PAGEDOWN, 0x51 },
        { KEY_INSERT, 0x52 },       { KEY_DELETE, 0x53 },    { KEY_LEFTMETA, 0x5b },
        { KEY_RIGHTMETA, 0x5c },    { KEY_COMPOSE, 0x5d },   { KEY_POWER, 0x5e },
        { KEY_SLEEP, 0x5f },        { KEY_WAKEUP, 0x63 },    { KEY_MUTE, 0x20 },
        { KEY_VOLUMEDOWN, 0x2e },   { KEY_VOLUMEUP, 0x30 },  { KEY_NEXTSONG, 0x19 },
        { KEY_PREVIOUSSONG, 0x10 }, { KEY_STOPCD, 0x24 },    { KEY_PLAYPAUSE, 0x22 },
        { KEY_MAIL, 0x6c },         { KEY_CALC, 0x21 },      { KEY_COMPUTER, 0x6b },
        { KEY_HOMEPAGE, 0x32 },     { KEY_SEARCH, 0x65 },    { KEY_BOOKMARKS, 0x66 },
        { KEY_REFRESH, 0x67 },      { KEY_STOP, 0x68 },      { KEY_FORWARD, 0x69 },
        { KEY_BACK, 0x6a },
    };
    struct ps2_keyboard *k = start(1);
    char hex[16];

    for (unsigned i = 0; i < sizeof(grey) / sizeof(grey[0]); i++) {
        snprintf(hex, sizeof(hex), "e0 %02x e0 %02x", grey[i].code, grey[i].code | 0x80);
        CHECK(tap(k, grey[i].key, hex));
    }
    CHECK(tap(k, KEY_RO, "73 f3"));
    CHECK(tap(k, KEY_YEN, "7d fd"));
    CHECK(tap(k, KEY_HENKAN, "79 f9"));
    CHECK(tap(k, KEY_MUHENKAN, "7b fb"));
    CHECK(tap(k, KEY_KATAKANAHIRAGANA, "70 f0"));
    CHECK(tap(k, KEY_KPCOMMA, "7e fe"));
}

TEST(set_2_spot_checks)
{
    struct ps2_keyboard *k = start(2);

    CHECK(tap(k, KEY_A, "1c f0 1c"));
    CHECK(tap(k, KEY_F7, "83 f0 83"));
    CHECK(tap(k, KEY_102ND, "61 f0 61"));
    CHECK(tap(k, KEY_UP, "e0 75 e0 f0 75"));
    CHECK(tap(k, KEY_LEFTMETA, "e0 1f e0 f0 1f"));
    CHECK(tap(k, KEY_RESERVED, ""));
    CHECK(tap(k, KEY_MICMUTE, "")); /* beyond the table */
    CHECK(tap(k, 0xffff, ""));
}

TEST(pause_and_print)
{
    struct ps2_keyboard *k = start(2);

    CHECK(tap(k, KEY_PAUSE, "e1 14 77 e1 f0 14 f0 77"));
    CHECK(tap(k, KEY_SYSRQ, "e0 12 e0 7c e0 f0 7c e0 f0 12"));
    ps2_keyboard_key(k, KEY_RIGHTCTRL, true);
    CHECK(sends(k, "e0 14"));
    CHECK(tap(k, KEY_PAUSE, "e0 7e e0 f0 7e"));
    CHECK(tap(k, KEY_SYSRQ, "e0 7c e0 f0 7c"));
    ps2_keyboard_key(k, KEY_RIGHTCTRL, false);
    ps2_keyboard_key(k, KEY_LEFTALT, true);
    CHECK(sends(k, "e0 f0 14 11"));
    CHECK(tap(k, KEY_SYSRQ, "84 f0 84"));
    k = start(1);
    CHECK(tap(k, KEY_PAUSE, "e1 1d 45 e1 9d c5"));
    CHECK(tap(k, KEY_SYSRQ, "e0 2a e0 37 e0 b7 e0 aa"));
    ps2_keyboard_key(k, KEY_LEFTALT, true);
    CHECK(sends(k, "38"));
    CHECK(tap(k, KEY_SYSRQ, "54 d4"));
}

TEST(set_3_keys_have_kinds)
{
    struct ps2_keyboard *k = start(2);

    CHECK(command(k, 0xf0, "fa"));
    CHECK(command(k, 0x03, "fa"));
    CHECK(command(k, 0xf0, "fa"));
    CHECK(command(k, 0x00, "fa 03"));
    CHECK(tap(k, KEY_A, "1c"));               /* make only, by default */
    CHECK(tap(k, KEY_LEFTSHIFT, "12 f0 12")); /* but modifiers */
    CHECK(tap(k, KEY_UP, "63"));              /* no prefixes */
    CHECK(tap(k, KEY_PAUSE, "62"));
    CHECK(command(k, 0xfa, "fa"));
    CHECK(tap(k, KEY_A, "1c f0 1c"));
    CHECK(command(k, 0xf9, "fa"));
    CHECK(tap(k, KEY_LEFTSHIFT, "12"));
    CHECK(command(k, 0xfc, "fa")); /* make/break for these: */
    CHECK(command(k, 0x1c, "fa"));
    CHECK(command(k, 0x63, "fa"));
    CHECK(command(k, 0xe9, "fa")); /* no such key: harmless */
    CHECK(command(k, 0xf4, "fa"));
    CHECK(tap(k, KEY_A, "1c f0 1c"));
    CHECK(tap(k, KEY_UP, "63 f0 63"));
    CHECK(tap(k, KEY_B, "32"));
    CHECK(command(k, 0xff, "fa aa"));
    CHECK(tap(k, KEY_A, "1c f0 1c"));
    CHECK_EQ(k->set, 2);
}

TEST(commands)
{
    struct ps2_keyboard *k = start(2);

    CHECK(command(k, 0xee, "ee"));
    CHECK(command(k, 0xf2, "fa ab 83"));
    CHECK(command(k, 0xed, "fa"));
    CHECK(command(k, 0x07, "fa"));
    CHECK_EQ(k->leds, 7);
    CHECK(command(k, 0xf3, "fa"));
    CHECK(command(k, 0x20, "fa"));
    CHECK_EQ(k->typematic, 0x20);
    CHECK(command(k, 0xf0, "fa"));
    CHECK(command(k, 0x09, "fe"));
    CHECK(command(k, 0x42, "fe"));
    CHECK(command(k, 0xf1, "fe"));
    CHECK(command(k, 0xed, "fa")); /* a command where a parameter should be */
    CHECK(command(k, 0xf4, "fa"));
    CHECK_EQ(k->leds, 7);
    CHECK(command(k, 0x01, "fe"));
    CHECK(command(k, 0xf5, "fa"));
    CHECK(tap(k, KEY_A, ""));
    CHECK(command(k, 0xf6, "fa"));
    CHECK(tap(k, KEY_A, "1c f0 1c"));
    CHECK(command(k, 0xf2, "fa ab 83"));
    CHECK(command(k, 0xfe, "83"));
    CHECK(command(k, 0xff, "fa aa"));
    CHECK_EQ(k->leds, 0);
}

TEST(an_answer_goes_first_but_splits_no_key)
{
    struct ps2_keyboard *k = start(2);

    ps2_keyboard_key(k, KEY_UP, true);
    ps2_keyboard_key(k, KEY_A, true);
    CHECK_EQ(ps2_keyboard_take(k), 0xe0);
    ps2_keyboard_write(k, 0xee);
    CHECK(sends(k, "75 ee 1c"));
    ps2_keyboard_key(k, KEY_DOWN, true);
    CHECK_EQ(ps2_keyboard_take(k), 0xe0);
    ps2_keyboard_write(k, 0xf4); /* forgets the queue */
    ps2_keyboard_key(k, KEY_B, true);
    CHECK(sends(k, "fa 32"));
}

TEST(too_many_keys)
{
    struct ps2_keyboard *k = start(2);
    unsigned zeros = 0, presses = 0, releases = 0;
    int byte;

    ps2_keyboard_key(k, KEY_LEFTSHIFT, true);
    for (unsigned i = 0; i < 200; i++)
        ps2_keyboard_key(k, KEY_A, true);
    ps2_keyboard_key(k, KEY_LEFTSHIFT, false); /* there is room left for this */
    for (unsigned i = 0; i < 200; i++)
        ps2_keyboard_key(k, KEY_B, false);
    while ((byte = ps2_keyboard_take(k)) >= 0) {
        zeros += byte == 0;
        presses += byte == 0x1c;
        releases += byte == 0xf0;
    }
    CHECK(zeros >= 1 && zeros <= 2);
    CHECK(presses > 16);
    CHECK(releases >= 1);
    CHECK(tap(k, KEY_A, "1c f0 1c"));
}

TEST(set_3_codes)
{
    /* IBM PS/2 Technical Reference, set 3; typewriter keys are as in set 2 */
    static const struct {
        unsigned key;
        uint8_t code;
    } own[] = {
        { KEY_ESC, 0x08 },      { KEY_F1, 0x07 },        { KEY_F2, 0x0f },
        { KEY_F3, 0x17 },       { KEY_F4, 0x1f },        { KEY_F5, 0x27 },
        { KEY_F6, 0x2f },       { KEY_F7, 0x37 },        { KEY_F8, 0x3f },
        { KEY_F9, 0x47 },       { KEY_F10, 0x4f },       { KEY_F11, 0x56 },
        { KEY_F12, 0x5e },      { KEY_SYSRQ, 0x57 },     { KEY_SCROLLLOCK, 0x5f },
        { KEY_PAUSE, 0x62 },    { KEY_BACKSLASH, 0x5c }, { KEY_102ND, 0x13 },
        { KEY_CAPSLOCK, 0x14 }, { KEY_LEFTCTRL, 0x11 },  { KEY_LEFTALT, 0x19 },
        { KEY_RIGHTALT, 0x39 }, { KEY_RIGHTCTRL, 0x58 }, { KEY_INSERT, 0x67 },
        { KEY_HOME, 0x6e },     { KEY_PAGEUP, 0x6f },    { KEY_DELETE, 0x64 },
        { KEY_END, 0x65 },      { KEY_PAGEDOWN, 0x6d },  { KEY_UP, 0x63 },
        { KEY_LEFT, 0x61 },     { KEY_DOWN, 0x60 },      { KEY_RIGHT, 0x6a },
        { KEY_NUMLOCK, 0x76 },  { KEY_KPSLASH, 0x77 },   { KEY_KPASTERISK, 0x7e },
        { KEY_KPMINUS, 0x84 },  { KEY_KPPLUS, 0x7c },    { KEY_KPENTER, 0x79 },
    };
    struct ps2_keyboard *k = start(3);
    char hex[8], two[8];

    CHECK(command(k, 0xf9, "fa"));
    for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        snprintf(hex, sizeof(hex), "%02x", own[i].code);
        CHECK(tap(k, own[i].key, hex));
    }
    for (unsigned key = KEY_1; key <= KEY_SLASH; key++) {
        if (key == KEY_LEFTCTRL || key == KEY_BACKSLASH)
            continue;
        k->set = 2;
        ps2_keyboard_key(k, key, true);
        snprintf(two, sizeof(two), "%02x", (uint8_t)ps2_keyboard_take(k));
        k->set = 3;
        CHECK(tap(k, key, two));
    }
}
