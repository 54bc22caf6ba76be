/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/usb-hid-report.c: keys and movements wait in a queue, and become HID 1.11's reports. */
#include <string.h>
#include "hw/usb-hid.h"

#define ROLLOVER  0x01
#define FIRST_MOD 0xe0
#define RAW_MAX   0x7fff

static int clamp(int val, int lo, int hi)
{
    return val < lo ? lo : val > hi ? hi : val;
}

/* ---- what happens ---- */

static void add_up(uint16_t *raw, int delta)
{
    delta = clamp(delta, -RAW_MAX, RAW_MAX);
    *raw = (uint16_t)clamp((int16_t)*raw + delta, -RAW_MAX, RAW_MAX);
}

static unsigned last_place(const struct usb_hid *h)
{
    return (h->s.head + h->s.len - 1u) % HID_QUEUE;
}

/* A new event's place, zeroed; -1 when the queue is full. */
static int new_place(struct usb_hid *h)
{
    unsigned at;

    if (h->s.len == HID_QUEUE)
        return -1;
    h->s.len++;
    at = last_place(h);
    h->s.x[at] = h->s.y[at] = h->s.dz[at] = 0;
    h->s.buttons[at] = h->s.code[at] = h->s.down[at] = 0;
    return (int)at;
}

/* Movement joins what waits with the same buttons, or anything when there is no more room. */
static unsigned pointer_place(struct usb_hid *h, unsigned buttons)
{
    int at = -1;

    if (!h->s.len || h->s.buttons[last_place(h)] != buttons)
        at = new_place(h);
    return at < 0 ? last_place(h) : (unsigned)at;
}

static void input_abs(void *dev, uint16_t x, uint16_t y, int dz, unsigned buttons)
{
    struct usb_hid *h = hid_of(usb_of((struct device *)dev));
    unsigned at = pointer_place(h, buttons & HID_POINTER_BITS);

    h->s.x[at] = x;
    h->s.y[at] = y;
    add_up(&h->s.dz[at], -dz);
    h->s.buttons[at] = buttons & HID_POINTER_BITS;
    usb_wake(&h->usb);
}

static void input_rel(void *dev, int dx, int dy, int dz, unsigned buttons)
{
    struct usb_hid *h = hid_of(usb_of((struct device *)dev));
    unsigned at = pointer_place(h, buttons & HID_POINTER_BITS);

    add_up(&h->s.x[at], dx);
    add_up(&h->s.y[at], dy);
    add_up(&h->s.dz[at], -dz);
    h->s.buttons[at] = buttons & HID_POINTER_BITS;
    usb_wake(&h->usb);
}

static void input_key(void *dev, uint16_t code, bool down)
{
    struct usb_hid *h = hid_of(usb_of((struct device *)dev));
    uint8_t usage = hid_usage(code);
    int at = usage ? new_place(h) : -1;

    if (at < 0)
        return;
    h->s.code[at] = usage;
    h->s.down[at] = down;
    usb_wake(&h->usb);
}

const struct input_ops hid_input[3] = {
    [HID_TABLET] = { .abs = input_abs },
    [HID_MOUSE] = { .rel = input_rel },
    [HID_KEYBOARD] = { .key = input_key },
};

/* ---- reports ---- */

/* Takes up to ±127 of what has added up. */
static uint8_t take(uint16_t *raw)
{
    int val = clamp((int16_t)*raw, -127, 127);

    *raw = (uint16_t)((int16_t)*raw - val);
    return (uint8_t)val;
}

static void pop(struct usb_hid *h)
{
    h->s.head = (h->s.head + 1) % HID_QUEUE;
    h->s.len--;
}

static unsigned tablet_report(struct usb_hid *h, uint8_t r[HID_REPORT_MAX])
{
    unsigned at = h->s.head;

    r[5] = 0;
    if (h->s.len) {
        h->s.now_x = h->s.x[at];
        h->s.now_y = h->s.y[at];
        h->s.now_buttons = h->s.buttons[at];
        r[5] = take(&h->s.dz[at]);
        if (!h->s.dz[at])
            pop(h);
    }
    r[0] = h->s.now_buttons;
    r[1] = h->s.now_x & 0xff;
    r[2] = h->s.now_x >> 8;
    r[3] = h->s.now_y & 0xff;
    r[4] = h->s.now_y >> 8;
    return 6;
}

/* In the boot protocol there is no wheel (HID 1.11 appendix B.2). */
static unsigned mouse_report(struct usb_hid *h, uint8_t r[HID_REPORT_MAX])
{
    unsigned at = h->s.head;

    r[1] = r[2] = r[3] = 0;
    if (h->s.len) {
        h->s.now_buttons = h->s.buttons[at];
        r[1] = take(&h->s.x[at]);
        r[2] = take(&h->s.y[at]);
        r[3] = take(&h->s.dz[at]);
        if (!h->s.x[at] && !h->s.y[at] && (!h->s.dz[at] || !h->s.protocol))
            pop(h);
    }
    r[0] = h->s.now_buttons;
    return h->s.protocol ? 4 : 3;
}

static void note_key(struct usb_hid *h, uint8_t code, bool down)
{
    unsigned i = 0;

    if (code >= FIRST_MOD) {
        uint8_t bit = (uint8_t)(1u << (code & 7));

        h->s.mods = down ? h->s.mods | bit : h->s.mods & ~bit;
        return;
    }
    while (i < h->s.nkeys && i < HID_KEYS && h->s.keys[i] != code)
        i++;
    if (down && i == h->s.nkeys && i < HID_KEYS) {
        h->s.keys[h->s.nkeys++] = code;
    } else if (!down && i < h->s.nkeys) {
        memmove(&h->s.keys[i], &h->s.keys[i + 1], HID_KEYS - i - 1u);
        h->s.keys[HID_KEYS - 1] = 0;
        h->s.nkeys--;
    }
}

static unsigned keyboard_report(struct usb_hid *h, uint8_t r[HID_REPORT_MAX])
{
    if (h->s.len) {
        note_key(h, h->s.code[h->s.head], h->s.down[h->s.head]);
        pop(h);
    }
    memset(r, 0, HID_REPORT_MAX);
    r[0] = h->s.mods;
    if (h->s.nkeys > 6)
        memset(r + 2, ROLLOVER, 6);
    else
        memcpy(r + 2, h->s.keys, h->s.nkeys);
    return 8;
}

unsigned hid_report(struct usb_hid *h, uint8_t r[HID_REPORT_MAX])
{
    return h->kind == HID_TABLET  ? tablet_report(h, r)
           : h->kind == HID_MOUSE ? mouse_report(h, r)
                                  : keyboard_report(h, r);
}
