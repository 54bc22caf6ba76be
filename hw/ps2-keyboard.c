/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 101/102-key PS/2 keyboard: IBM PS/2 Hardware Interface Technical
 * Reference, "Keyboards"; scan code sets 1, 2 and 3, with the multimedia keys
 * of Microsoft's "Keyboard Scan Code Specification".
 *
 * Not modelled: the keyboard does not repeat keys by itself, it passes on the
 * repetitions that a viewer sends, so the typematic rate is only remembered;
 * it does not surround the grey arrow keys with make-believe shifts; the self
 * test takes no time.
 */
#include "hw/ps2.h"
#include <stddef.h>
#include <linux/input-event-codes.h>

#define BREAK    0xf0 /* prefix of a release in sets 2 and 3 */
#define EXT      0xe0
#define EXT1     0xe1
#define ID1      0xab
#define ID2      0x83
#define HEADROOM 24 /* queue bytes that a key press leaves for releases */

enum { MOD_CTRL = 0x03, MOD_SHIFT = 0x0c, MOD_ALT = 0x30 }; /* left and right of each */
enum { KIND_BREAK = 1, KIND_TYPEMATIC = 2 };

/*
 * A key as the keyboard's own set, 2, knows it, and in set 3. Set 1 is set 2
 * seen through the i8042's translation; keyboards hold it as a second table.
 */
struct key {
    uint8_t ext; /* EXT or 0 */
    uint8_t set2, set3;
};

static const struct key keys[] = {
    [KEY_ESC] = { 0, 0x76, 0x08 },         [KEY_1] = { 0, 0x16, 0x16 },
    [KEY_2] = { 0, 0x1e, 0x1e },           [KEY_3] = { 0, 0x26, 0x26 },
    [KEY_4] = { 0, 0x25, 0x25 },           [KEY_5] = { 0, 0x2e, 0x2e },
    [KEY_6] = { 0, 0x36, 0x36 },           [KEY_7] = { 0, 0x3d, 0x3d },
    [KEY_8] = { 0, 0x3e, 0x3e },           [KEY_9] = { 0, 0x46, 0x46 },
    [KEY_0] = { 0, 0x45, 0x45 },           [KEY_MINUS] = { 0, 0x4e, 0x4e },
    [KEY_EQUAL] = { 0, 0x55, 0x55 },       [KEY_BACKSPACE] = { 0, 0x66, 0x66 },
    [KEY_TAB] = { 0, 0x0d, 0x0d },         [KEY_Q] = { 0, 0x15, 0x15 },
    [KEY_W] = { 0, 0x1d, 0x1d },           [KEY_E] = { 0, 0x24, 0x24 },
    [KEY_R] = { 0, 0x2d, 0x2d },           [KEY_T] = { 0, 0x2c, 0x2c },
    [KEY_Y] = { 0, 0x35, 0x35 },           [KEY_U] = { 0, 0x3c, 0x3c },
    [KEY_I] = { 0, 0x43, 0x43 },           [KEY_O] = { 0, 0x44, 0x44 },
    [KEY_P] = { 0, 0x4d, 0x4d },           [KEY_LEFTBRACE] = { 0, 0x54, 0x54 },
    [KEY_RIGHTBRACE] = { 0, 0x5b, 0x5b },  [KEY_ENTER] = { 0, 0x5a, 0x5a },
    [KEY_LEFTCTRL] = { 0, 0x14, 0x11 },    [KEY_A] = { 0, 0x1c, 0x1c },
    [KEY_S] = { 0, 0x1b, 0x1b },           [KEY_D] = { 0, 0x23, 0x23 },
    [KEY_F] = { 0, 0x2b, 0x2b },           [KEY_G] = { 0, 0x34, 0x34 },
    [KEY_H] = { 0, 0x33, 0x33 },           [KEY_J] = { 0, 0x3b, 0x3b },
    [KEY_K] = { 0, 0x42, 0x42 },           [KEY_L] = { 0, 0x4b, 0x4b },
    [KEY_SEMICOLON] = { 0, 0x4c, 0x4c },   [KEY_APOSTROPHE] = { 0, 0x52, 0x52 },
    [KEY_GRAVE] = { 0, 0x0e, 0x0e },       [KEY_LEFTSHIFT] = { 0, 0x12, 0x12 },
    [KEY_BACKSLASH] = { 0, 0x5d, 0x5c },   [KEY_Z] = { 0, 0x1a, 0x1a },
    [KEY_X] = { 0, 0x22, 0x22 },           [KEY_C] = { 0, 0x21, 0x21 },
    [KEY_V] = { 0, 0x2a, 0x2a },           [KEY_B] = { 0, 0x32, 0x32 },
    [KEY_N] = { 0, 0x31, 0x31 },           [KEY_M] = { 0, 0x3a, 0x3a },
    [KEY_COMMA] = { 0, 0x41, 0x41 },       [KEY_DOT] = { 0, 0x49, 0x49 },
    [KEY_SLASH] = { 0, 0x4a, 0x4a },       [KEY_RIGHTSHIFT] = { 0, 0x59, 0x59 },
    [KEY_KPASTERISK] = { 0, 0x7c, 0x7e },  [KEY_LEFTALT] = { 0, 0x11, 0x19 },
    [KEY_SPACE] = { 0, 0x29, 0x29 },       [KEY_CAPSLOCK] = { 0, 0x58, 0x14 },
    [KEY_F1] = { 0, 0x05, 0x07 },          [KEY_F2] = { 0, 0x06, 0x0f },
    [KEY_F3] = { 0, 0x04, 0x17 },          [KEY_F4] = { 0, 0x0c, 0x1f },
    [KEY_F5] = { 0, 0x03, 0x27 },          [KEY_F6] = { 0, 0x0b, 0x2f },
    [KEY_F7] = { 0, 0x83, 0x37 },          [KEY_F8] = { 0, 0x0a, 0x3f },
    [KEY_F9] = { 0, 0x01, 0x47 },          [KEY_F10] = { 0, 0x09, 0x4f },
    [KEY_NUMLOCK] = { 0, 0x77, 0x76 },     [KEY_SCROLLLOCK] = { 0, 0x7e, 0x5f },
    [KEY_KP7] = { 0, 0x6c, 0x6c },         [KEY_KP8] = { 0, 0x75, 0x75 },
    [KEY_KP9] = { 0, 0x7d, 0x7d },         [KEY_KPMINUS] = { 0, 0x7b, 0x84 },
    [KEY_KP4] = { 0, 0x6b, 0x6b },         [KEY_KP5] = { 0, 0x73, 0x73 },
    [KEY_KP6] = { 0, 0x74, 0x74 },         [KEY_KPPLUS] = { 0, 0x79, 0x7c },
    [KEY_KP1] = { 0, 0x69, 0x69 },         [KEY_KP2] = { 0, 0x72, 0x72 },
    [KEY_KP3] = { 0, 0x7a, 0x7a },         [KEY_KP0] = { 0, 0x70, 0x70 },
    [KEY_KPDOT] = { 0, 0x71, 0x71 },       [KEY_ZENKAKUHANKAKU] = { 0, 0x5f, 0 },
    [KEY_102ND] = { 0, 0x61, 0x13 },       [KEY_F11] = { 0, 0x78, 0x56 },
    [KEY_F12] = { 0, 0x07, 0x5e },         [KEY_RO] = { 0, 0x51, 0x51 },
    [KEY_KATAKANA] = { 0, 0x63, 0 },       [KEY_HIRAGANA] = { 0, 0x62, 0 },
    [KEY_HENKAN] = { 0, 0x64, 0x86 },      [KEY_KATAKANAHIRAGANA] = { 0, 0x13, 0x87 },
    [KEY_MUHENKAN] = { 0, 0x67, 0x85 },    [KEY_KPENTER] = { EXT, 0x5a, 0x79 },
    [KEY_RIGHTCTRL] = { EXT, 0x14, 0x58 }, [KEY_KPSLASH] = { EXT, 0x4a, 0x77 },
    [KEY_SYSRQ] = { EXT, 0x7c, 0x57 },     [KEY_RIGHTALT] = { EXT, 0x11, 0x39 },
    [KEY_HOME] = { EXT, 0x6c, 0x6e },      [KEY_UP] = { EXT, 0x75, 0x63 },
    [KEY_PAGEUP] = { EXT, 0x7d, 0x6f },    [KEY_LEFT] = { EXT, 0x6b, 0x61 },
    [KEY_RIGHT] = { EXT, 0x74, 0x6a },     [KEY_END] = { EXT, 0x69, 0x65 },
    [KEY_DOWN] = { EXT, 0x72, 0x60 },      [KEY_PAGEDOWN] = { EXT, 0x7a, 0x6d },
    [KEY_INSERT] = { EXT, 0x70, 0x67 },    [KEY_DELETE] = { EXT, 0x71, 0x64 },
    [KEY_MUTE] = { EXT, 0x23, 0 },         [KEY_VOLUMEDOWN] = { EXT, 0x21, 0 },
    [KEY_VOLUMEUP] = { EXT, 0x32, 0 },     [KEY_POWER] = { EXT, 0x37, 0 },
    [KEY_KPEQUAL] = { 0, 0x0f, 0 },        [KEY_PAUSE] = { EXT, 0x7e, 0x62 },
    [KEY_KPCOMMA] = { 0, 0x6d, 0 },        [KEY_YEN] = { 0, 0x6a, 0x5d },
    [KEY_LEFTMETA] = { EXT, 0x1f, 0x8b },  [KEY_RIGHTMETA] = { EXT, 0x27, 0x8c },
    [KEY_COMPOSE] = { EXT, 0x2f, 0x8d },   [KEY_STOP] = { EXT, 0x28, 0 },
    [KEY_CALC] = { EXT, 0x2b, 0 },         [KEY_SLEEP] = { EXT, 0x3f, 0 },
    [KEY_WAKEUP] = { EXT, 0x5e, 0 },       [KEY_MAIL] = { EXT, 0x48, 0 },
    [KEY_BOOKMARKS] = { EXT, 0x18, 0 },    [KEY_COMPUTER] = { EXT, 0x40, 0 },
    [KEY_BACK] = { EXT, 0x38, 0 },         [KEY_FORWARD] = { EXT, 0x30, 0 },
    [KEY_NEXTSONG] = { EXT, 0x4d, 0 },     [KEY_PLAYPAUSE] = { EXT, 0x34, 0 },
    [KEY_PREVIOUSSONG] = { EXT, 0x15, 0 }, [KEY_STOPCD] = { EXT, 0x3b, 0 },
    [KEY_HOMEPAGE] = { EXT, 0x3a, 0 },     [KEY_REFRESH] = { EXT, 0x20, 0 },
    [KEY_SEARCH] = { EXT, 0x10, 0 },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* What the i8042 makes of the codes below 0x80 (IBM PS/2 TR, "scan code translation"). */
static const uint8_t set1_of[128] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

uint8_t ps2_set2_to_set1(uint8_t code)
{
    if (code < sizeof(set1_of))
        return set1_of[code];
    if (code == 0x83)
        return 0x41;                   /* F7 */
    return code == 0x84 ? 0x54 : code; /* Alt+SysRq; answers pass as they are */
}

/* Keys to bytes */

struct bytes {
    uint8_t b[8];
    unsigned n;
};

struct step {
    uint8_t prefix, code;
    bool up;
};

static void add(struct bytes *out, uint8_t byte)
{
    if (out->n < sizeof(out->b))
        out->b[out->n++] = byte;
}

static void encode(struct bytes *out, unsigned set, struct step s)
{
    if (s.prefix)
        add(out, s.prefix);
    if (s.up && set == 2)
        add(out, BREAK);
    if (set == 2)
        add(out, s.code);
    else
        add(out, ps2_set2_to_set1(s.code) | (s.up ? 0x80 : 0));
}

/* The two keys whose codes depend on others; a list of steps that ends with a zero code. */
static const struct step *steps_of(unsigned code, bool down, uint8_t mods)
{
    static const struct step nothing[] = { { 0 } };
    static const struct step pause[] = {
        { EXT1, 0x14, false }, { 0, 0x77, false }, { EXT1, 0x14, true }, { 0, 0x77, true }, { 0 }
    };
    static const struct step brk[] = { { EXT, 0x7e, false }, { EXT, 0x7e, true }, { 0 } };
    static const struct step print[][3] = { { { EXT, 0x7c, true }, { EXT, 0x12, true }, { 0 } },
                                            { { EXT, 0x12, false }, { EXT, 0x7c, false }, { 0 } } };
    static const struct step bare[][2] = { { { EXT, 0x7c, true }, { 0 } },
                                           { { EXT, 0x7c, false }, { 0 } } };
    static const struct step sysrq[][2] = { { { 0, 0x84, true }, { 0 } },
                                            { { 0, 0x84, false }, { 0 } } };

    if (code == KEY_PAUSE && !down)
        return nothing; /* the press has sent it all */
    if (code == KEY_PAUSE)
        return mods & MOD_CTRL ? brk : pause;
    if (code == KEY_SYSRQ && (mods & MOD_ALT))
        return sysrq[down];
    if (code == KEY_SYSRQ)
        return mods & (MOD_CTRL | MOD_SHIFT) ? bare[down] : print[down];
    return NULL;
}

static void encode_set3(struct bytes *out, const struct ps2_keyboard *k, uint8_t code, bool down)
{
    uint8_t kind = code < PS2_SET3_CODES ? k->kind[code] : 0;

    if (!code || (!down && !(kind & KIND_BREAK)))
        return;
    if (!down)
        add(out, BREAK);
    add(out, code);
}

static void encode_key(struct bytes *out, const struct ps2_keyboard *k, unsigned code, bool down)
{
    const struct key *key = &keys[code];
    const struct step *s = steps_of(code, down, k->mods);

    if (k->set == 3)
        encode_set3(out, k, key->set3, down);
    else if (!s)
        encode(out, k->set, (struct step){ key->ext, key->set2, !down });
    for (; k->set != 3 && s && s->code; s++)
        encode(out, k->set, *s);
}

/* All of a key's bytes or, where they do not fit, the code that says so: once. */
static void send_key(struct ps2_keyboard *k, const struct bytes *out, bool down)
{
    uint8_t overrun = k->set == 1 ? 0xff : 0x00;
    unsigned room = ps2_room(&k->out);

    if (room > out->n + (down ? HEADROOM : 0)) {
        for (unsigned i = 0; i < out->n; i++)
            ps2_put(&k->out, out->b[i]);
    } else if (room &&
               k->out.data[(k->out.head + k->out.len + PS2_QUEUE - 1) % PS2_QUEUE] != overrun) {
        ps2_put(&k->out, overrun);
    }
}

static uint8_t mod_of(unsigned code)
{
    static const uint16_t mods[] = { KEY_LEFTCTRL,   KEY_RIGHTCTRL, KEY_LEFTSHIFT,
                                     KEY_RIGHTSHIFT, KEY_LEFTALT,   KEY_RIGHTALT };

    for (unsigned i = 0; i < sizeof(mods) / sizeof(mods[0]); i++)
        if (mods[i] == code)
            return 1 << i;
    return 0;
}

void ps2_keyboard_key(struct ps2_keyboard *k, uint16_t code, bool down)
{
    struct bytes out = { .n = 0 };
    uint8_t mod = mod_of(code);

    k->mods = down ? k->mods | mod : k->mods & ~mod;
    if (!k->scanning || code >= KEYS || !keys[code].set2)
        return;
    encode_key(&out, k, code, down);
    if (out.n)
        send_key(k, &out, down);
}

/* Commands */

static void set_kinds(struct ps2_keyboard *k, uint8_t kind)
{
    for (unsigned i = 0; i < PS2_SET3_CODES; i++)
        k->kind[i] = kind;
}

static void defaults(struct ps2_keyboard *k)
{
    static const uint8_t make_break[] = { 0x11, 0x12, 0x14, 0x19,
                                          0x59 }; /* left ones, caps, rshift */

    k->set = 2;
    k->typematic = 0x2b; /* 10.9 a second after half a second */
    set_kinds(k, KIND_TYPEMATIC);
    for (unsigned i = 0; i < sizeof(make_break); i++)
        k->kind[make_break[i]] = KIND_BREAK;
    ps2_flush(&k->out);
}

static void cmd_echo(struct ps2_keyboard *k, uint8_t cmd)
{
    ps2_reply(&k->out, cmd);
}

static void cmd_param(struct ps2_keyboard *k, uint8_t cmd)
{
    k->param = cmd;
    ps2_reply(&k->out, PS2_ACK);
}

static void cmd_id(struct ps2_keyboard *k, uint8_t cmd)
{
    ps2_reply(&k->out, PS2_ACK);
    ps2_reply(&k->out, ID1);
    ps2_reply(&k->out, ID2);
}

static void cmd_enable(struct ps2_keyboard *k, uint8_t cmd)
{
    ps2_flush(&k->out);
    k->scanning = true;
    ps2_reply(&k->out, PS2_ACK);
}

static void cmd_disable(struct ps2_keyboard *k, uint8_t cmd)
{
    defaults(k);
    k->scanning = false;
    ps2_reply(&k->out, PS2_ACK);
}

static void cmd_defaults(struct ps2_keyboard *k, uint8_t cmd)
{
    defaults(k);
    k->scanning = true;
    ps2_reply(&k->out, PS2_ACK);
}

static void cmd_all_keys(struct ps2_keyboard *k, uint8_t cmd)
{
    static const uint8_t kinds[] = { KIND_TYPEMATIC, KIND_BREAK, 0, KIND_TYPEMATIC | KIND_BREAK };

    set_kinds(k, kinds[(cmd - 0xf7) & 3]);
    ps2_reply(&k->out, PS2_ACK);
}

static void cmd_resend(struct ps2_keyboard *k, uint8_t cmd)
{
    ps2_reply(&k->out, k->out.last);
}

static void cmd_reset(struct ps2_keyboard *k, uint8_t cmd)
{
    defaults(k);
    k->leds = 0;
    k->scanning = true;
    ps2_reply(&k->out, PS2_ACK);
    ps2_reply(&k->out, PS2_BAT_OK);
}

static const struct {
    uint8_t first, last;
    void (*run)(struct ps2_keyboard *k, uint8_t cmd);
} commands[] = {
    { 0xed, 0xed, cmd_param },                               /* LEDs */
    { 0xee, 0xee, cmd_echo },     { 0xf0, 0xf0, cmd_param }, /* scan code set */
    { 0xf2, 0xf2, cmd_id },       { 0xf3, 0xf3, cmd_param }, /* typematic rate and delay */
    { 0xf4, 0xf4, cmd_enable },   { 0xf5, 0xf5, cmd_disable }, { 0xf6, 0xf6, cmd_defaults },
    { 0xf7, 0xfa, cmd_all_keys }, { 0xfb, 0xfd, cmd_param }, /* one key of set 3 */
    { 0xfe, 0xfe, cmd_resend },   { 0xff, 0xff, cmd_reset },
};

static void param_set(struct ps2_keyboard *k, uint8_t val)
{
    if (val > 3) {
        ps2_reply(&k->out, PS2_RESEND);
        return;
    }
    ps2_reply(&k->out, PS2_ACK);
    if (val == 0)
        ps2_reply(&k->out, k->set);
    else
        k->set = val;
}

static void param_key(struct ps2_keyboard *k, uint8_t cmd, uint8_t val)
{
    static const uint8_t kinds[] = { KIND_TYPEMATIC, KIND_BREAK, 0 };

    if (val < PS2_SET3_CODES && cmd >= 0xfb && cmd <= 0xfd)
        k->kind[val] = kinds[cmd - 0xfb];
    k->param = cmd; /* more keys may follow, until a command */
    ps2_reply(&k->out, PS2_ACK);
}

static void take_param(struct ps2_keyboard *k, uint8_t val)
{
    uint8_t cmd = k->param;

    k->param = 0;
    if (cmd == 0xf0) {
        param_set(k, val);
    } else if (cmd >= 0xfb) {
        param_key(k, cmd, val);
    } else {
        if (cmd == 0xed)
            k->leds = val & 7;
        else
            k->typematic = val & 0x7f;
        ps2_reply(&k->out, PS2_ACK);
    }
}

void ps2_keyboard_write(struct ps2_keyboard *k, uint8_t val)
{
    if (val != 0xfe)
        ps2_begin_reply(&k->out);
    if (k->param && val < 0xed) {
        take_param(k, val);
        return;
    }
    k->param = 0; /* a command in place of a parameter is a command */
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (val >= commands[i].first && val <= commands[i].last) {
            commands[i].run(k, val);
            return;
        }
    ps2_reply(&k->out, PS2_RESEND);
}

/* An answer does not split the bytes of a key in two: after a prefix the rest goes first. */
int ps2_keyboard_take(struct ps2_keyboard *k)
{
    uint8_t last = k->out.last;
    bool inside = last == EXT || last == EXT1 || last == BREAK;

    return inside && k->out.len ? ps2_take_event(&k->out) : ps2_take(&k->out);
}

void ps2_keyboard_reset(struct ps2_keyboard *k)
{
    defaults(k);
    k->scanning = true;
}
