/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-vnc: keys and pointer. A viewer that speaks the QEMU Extended Key
 * Event sends scancodes, which need no layout. Of others we get keysyms: what
 * the viewer's own keyboard made of a key. The keymap says which key of the
 * guest's keyboard gives that, and with which modifiers; where the viewer
 * holds other ones they are changed for the moment of the stroke.
 * Sources: RFC 6143 7.5.4, 7.5.5; the RFB protocol's community edition for
 * the pseudo-encodings -257 (pointer motion change), -258 (QEMU extended
 * key event) and -261 (LED state), and message 255.
 */
#include <arpa/inet.h>
#include <linux/input-event-codes.h>
#include <string.h>
#include "display/vnc/helper.h"

#define ENCODING_MOTION    (-257)
#define ENCODING_SCANCODES (-258)
#define ENCODING_LEDS      (-261)
#define MESSAGE_QEMU       255
#define MESSAGE_QEMU_KEY   0
#define MOTION_ORIGIN      0x7fff

#define XK_SPACE     0x20
#define XK_ISO       0xfe00 /* below: characters of one alphabet after another */
#define XK_DEAD      0xfe50 /* accents wait for a letter */
#define XK_DEAD_END  0xfea0
#define XK_KP_DIGIT  0xffb0 /* to 0xffb9 */
#define XK_UNICODE   0x1000000
#define XK_UNICODE_N 0x110000

/* ---- keys ---- */

bool input_is_down(const struct helper *h, uint16_t code)
{
    return h->in.down[code / 8] & 1u << code % 8;
}

void input_say(uint16_t code, bool down)
{
    struct viewer_msg m = { .type = VM_KEY, .key = { code, down } };

    channel_say(&m);
}

/* Ctrl-Alt-V, where it is meant to type the clipboard: the V is not for the guest. */
static bool is_paste(struct helper *h, uint16_t code, bool down)
{
    bool ctrl = input_is_down(h, KEY_LEFTCTRL) || input_is_down(h, KEY_RIGHTCTRL);

    if (!(h->flags & CONFIG_PASTE_KEY) || code != KEY_V || !down || !ctrl ||
        !input_is_down(h, KEY_LEFTALT) || !h->paste.clip)
        return false;
    paste_start(h);
    return true;
}

static void press(struct helper *h, uint16_t code, bool down)
{
    uint8_t bit = (uint8_t)(1u << code % 8);

    if ((h->flags & CONFIG_VIEW_ONLY) || is_paste(h, code, down))
        return;
    if (down)
        h->in.down[code / 8] |= bit;
    else
        h->in.down[code / 8] &= (uint8_t)~bit;
    if (down && code == KEY_CAPSLOCK && !h->in.leds_known)
        h->in.caps = !h->in.caps;
    input_say(code, down);
}

/* The keys behind KEYMAP_SHIFT and KEYMAP_ALTGR; the first is pressed where one is wanted. */
static const struct {
    unsigned mod;
    uint16_t code;
    bool first;
} modifiers[] = {
    { KEYMAP_SHIFT, KEY_LEFTSHIFT, true },
    { KEYMAP_SHIFT, KEY_RIGHTSHIFT, false },
    { KEYMAP_ALTGR, KEY_RIGHTALT, true },
};
#define NMODIFIERS (sizeof(modifiers) / sizeof(modifiers[0]))

static unsigned held_mods(const struct helper *h)
{
    unsigned held = 0;

    for (size_t i = 0; i < NMODIFIERS; i++)
        held |= input_is_down(h, modifiers[i].code) ? modifiers[i].mod : 0;
    return held;
}

static bool is_shortcut(const struct helper *h)
{
    return input_is_down(h, KEY_LEFTCTRL) || input_is_down(h, KEY_RIGHTCTRL) ||
           input_is_down(h, KEY_LEFTALT) || input_is_down(h, KEY_LEFTMETA) ||
           input_is_down(h, KEY_RIGHTMETA);
}

/* Not a key like Enter or F1, which means what it means under any modifier. */
static bool is_character(uint32_t keysym)
{
    return (keysym > XK_SPACE && keysym < XK_ISO) || (keysym >= XK_DEAD && keysym < XK_DEAD_END) ||
           keysym - XK_UNICODE < XK_UNICODE_N;
}

/* Which of Shift and AltGr the guest must see changed to read this keysym from this key. */
static unsigned mods_to_change(const struct helper *h, uint32_t keysym, const struct keymap_key *k)
{
    unsigned change = k->mods ^ held_mods(h);

    if (!is_character(keysym) || is_shortcut(h))
        return 0;
    if (h->in.caps && keymap_is_letter(keysym))
        change &= ~KEYMAP_SHIFT;
    return change;
}

/* Says the modifiers to change (or to put back, when back is set); what is held stays known. */
static void say_mods(const struct helper *h, unsigned change, bool back)
{
    for (size_t i = 0; i < NMODIFIERS; i++) {
        bool down = input_is_down(h, modifiers[i].code);
        bool held = held_mods(h) & modifiers[i].mod;
        if (!(change & modifiers[i].mod))
            continue;
        if (held ? down : modifiers[i].first)
            input_say(modifiers[i].code, held == back);
    }
}

/* Digits of the keypad are digits only while the guest's NumLock is on. */
static void fix_numlock(const struct helper *h, uint32_t keysym)
{
    if (!h->in.leds_known || (h->in.lights & LED_NUM) || keysym < XK_KP_DIGIT ||
        keysym > XK_KP_DIGIT + 9)
        return;
    input_say(KEY_NUMLOCK, true);
    input_say(KEY_NUMLOCK, false);
}

static void keysym_down(struct helper *h, uint32_t keysym)
{
    struct keymap_key k;
    unsigned change;

    if (h->flags & CONFIG_VIEW_ONLY)
        return;
    fix_numlock(h, keysym);

    if (!keymap_lookup(h->keymap, keysym, held_mods(h), &k) || k.code >= HELPER_KEYS)
        return;
    for (size_t i = 0; i < HELPER_PRESSED; i++) {
        if (h->in.pressed[i].code == 0 || h->in.pressed[i].keysym == keysym) {
            h->in.pressed[i].keysym = keysym;
            h->in.pressed[i].code = k.code;
            break;
        }
    }
    change = mods_to_change(h, keysym, &k);
    say_mods(h, change, false);
    press(h, k.code, true);
    say_mods(h, change, true);
}

/* Shift may have come or gone since: '1' is pressed, '!' released. What went down comes up. */
static void keysym_up(struct helper *h, uint32_t keysym)
{
    struct keymap_key k = { 0 };

    for (size_t i = 0; i < HELPER_PRESSED; i++) {
        if (h->in.pressed[i].code && h->in.pressed[i].keysym == keysym)
            k.code = h->in.pressed[i].code;
    }
    if (k.code == 0 && !keymap_lookup(h->keymap, keysym, held_mods(h), &k))
        return;
    if (k.code >= HELPER_KEYS || !input_is_down(h, k.code))
        return;
    for (size_t i = 0; i < HELPER_PRESSED; i++) {
        if (h->in.pressed[i].code == k.code)
            h->in.pressed[i].code = 0;
    }
    press(h, k.code, false);
}

static void on_key(rfbBool down, rfbKeySym keysym, rfbClientPtr cl)
{
    if (down)
        keysym_down(helper_of(cl), keysym);
    else
        keysym_up(helper_of(cl), keysym);
}

/* ---- pointer ---- */

static void on_pointer(int mask, int x, int y, rfbClientPtr cl)
{
    struct helper *h = helper_of(cl);
    int risen = mask & ~h->in.buttons;
    struct viewer_msg m = { .type = VM_POINTER };

    if (h->flags & CONFIG_VIEW_ONLY)
        return;
    m.pointer.buttons = (mask & rfbButton1Mask ? BUTTON_LEFT : 0) |
                        (mask & rfbButton2Mask ? BUTTON_MIDDLE : 0) |
                        (mask & rfbButton3Mask ? BUTTON_RIGHT : 0);
    m.pointer.dz = (risen & rfbButton5Mask ? 1 : 0) - (risen & rfbButton4Mask ? 1 : 0);
    m.pointer.relative = h->in.motion && !h->in.absolute;
    m.pointer.x = m.pointer.relative ? x - MOTION_ORIGIN : x;
    m.pointer.y = m.pointer.relative ? y - MOTION_ORIGIN : y;
    h->in.buttons = mask;
    channel_say(&m);
}

/* ---- the extensions ---- */

/* An update of one rectangle that is none: its encoding says what the server can do. */
static void send_pseudo_rect(rfbClientPtr cl, int encoding, uint16_t x)
{
    struct {
        rfbFramebufferUpdateMsg fu;
        rfbFramebufferUpdateRectHeader r;
    } m = { .fu = { .type = rfbFramebufferUpdate, .nRects = htons(1) } };

    m.r.r.x = htons(x);
    m.r.encoding = htonl((uint32_t)encoding);
    if (rfbWriteExact(cl, (const char *)&m, sizeof(m)) < 0)
        rfbCloseClient(cl);
}

static void send_leds(struct helper *h)
{
    struct {
        rfbFramebufferUpdateMsg fu;
        rfbFramebufferUpdateRectHeader r;
        uint8_t lights;
    } __attribute__((packed)) m = { .fu = { .type = rfbFramebufferUpdate, .nRects = htons(1) } };

    m.r.encoding = htonl((uint32_t)ENCODING_LEDS);
    m.lights = (uint8_t)h->in.lights; /* the bits are the guest's keyboard's */
    if (rfbWriteExact(h->cl, (const char *)&m, sizeof(m)) < 0)
        rfbCloseClient(h->cl);
}

void input_leds(struct helper *h, unsigned leds)
{
    bool changed = !h->in.leds_known || h->in.lights != leds;

    /* A guest that never lit a lamp may not drive them at all: then caps is what keys say. */
    h->in.leds_known |= leds != 0;
    h->in.lights = leds;
    if (h->in.leds_known)
        h->in.caps = leds & LED_CAPS;
    if (changed && h->in.leds && h->cl && h->cl->sock >= 0)
        send_leds(h);
}

void input_lift_modifiers(const struct helper *h, bool lift)
{
    static const uint16_t mods[] = { KEY_LEFTSHIFT, KEY_RIGHTSHIFT, KEY_LEFTCTRL, KEY_RIGHTCTRL,
                                     KEY_LEFTALT,   KEY_RIGHTALT,   KEY_LEFTMETA, KEY_RIGHTMETA };

    for (size_t i = 0; i < sizeof(mods) / sizeof(mods[0]); i++) {
        if (input_is_down(h, mods[i]))
            input_say(mods[i], !lift);
    }
}

void input_mode(struct helper *h, bool absolute)
{
    bool changed = h->in.absolute != absolute;

    h->in.absolute = absolute;
    if (changed && h->in.motion && h->cl && h->cl->sock >= 0)
        send_pseudo_rect(h->cl, ENCODING_MOTION, absolute);
}

static rfbBool ext_new_client(rfbClientPtr cl, void **data)
{
    return TRUE;
}

static rfbBool ext_enable(rfbClientPtr cl, void **data, int encoding)
{
    struct helper *h = helper_of(cl);

    if (encoding == ENCODING_SCANCODES) {
        if (!h->in.scancodes)
            send_pseudo_rect(cl, ENCODING_SCANCODES, 0);
        h->in.scancodes = true;
        return TRUE;
    }
    if (encoding == ENCODING_MOTION) {
        if (!h->in.motion)
            send_pseudo_rect(cl, ENCODING_MOTION, h->in.absolute);
        h->in.motion = true;
        return TRUE;
    }
    if (encoding == ENCODING_LEDS) {
        if (!h->in.leds)
            send_leds(h);
        h->in.leds = true;
        return TRUE;
    }
    return FALSE;
}

static rfbBool ext_message(rfbClientPtr cl, void *data, const rfbClientToServerMsg *msg)
{
    struct helper *h = helper_of(cl);
    uint8_t b[11]; /* subtype, down (2), keysym (4), scancode (4) */
    uint32_t keysym, xt;
    uint16_t code;

    if (msg->type != MESSAGE_QEMU)
        return FALSE;
    if (rfbReadExact(cl, (char *)b, sizeof(b)) <= 0 || b[0] != MESSAGE_QEMU_KEY) {
        rfbCloseClient(cl);
        return TRUE;
    }
    memcpy(&keysym, b + 3, 4);
    memcpy(&xt, b + 7, 4);
    code = keymap_scancode(ntohl(xt));
    if (code && (input_is_down(h, code) || b[1] || b[2]))
        press(h, code, b[1] || b[2]);
    else if (!code)
        on_key(b[1] || b[2], ntohl(keysym), cl);
    return TRUE;
}

/* The library links it into its list, so it is not const. */
static int ext_encodings[] = { ENCODING_SCANCODES, ENCODING_MOTION, ENCODING_LEDS, 0 };
static rfbProtocolExtension extension = {
    .newClient = ext_new_client,
    .pseudoEncodings = ext_encodings,
    .enablePseudoEncoding = ext_enable,
    .handleMessage = ext_message,
};

void input_start(struct helper *h)
{
    h->screen->kbdAddEvent = on_key;
    h->screen->ptrAddEvent = on_pointer;
    rfbRegisterProtocolExtension(&extension);
}
