/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB tablet, mouse and keyboard: Device Class Definition for Human Interface
 * Devices (HID) 1.11. What happened waits in a queue until the guest fetches
 * it by endpoint 1, so that a click between two polls is not lost: movement
 * with the same buttons adds up, each press and each release is a report of
 * its own.
 *
 * A device takes the viewer's input from when the guest polls it until it is
 * reset or configured anew; before that (firmware, which configures what it
 * finds, a boot loader, a guest without the driver) the PS/2 devices have it.
 */
#include "hw/usb-hid.h"
#include <string.h>
#include "display/display.h"
#include "hw/core/config.h"
#include "hw/devices.h"

#define QUEUE        16
#define KEYS         18 /* that can be held and told from each other */
#define ROLLOVER     0x01
#define FIRST_MOD    0xe0
#define RAW_MAX      0x7fff
#define IDLE_UNIT    (4 * NS_PER_MS)
#define BOOT_IDLE    125 /* of a keyboard: 500 ms, HID 1.11 §7.2.4 */
#define REPORT_MAX   8
#define POINTER_BITS 0x1f

/* Class requests, HID 1.11 §7.2 */
enum {
    GET_REPORT = 1,
    GET_IDLE = 2,
    GET_PROTOCOL = 3,
    GET_DESCRIPTOR = 6, /* the standard request, asked of an interface */
    SET_REPORT = 9,
    SET_IDLE = 10,
    SET_PROTOCOL = 11,
};
#define CLASS_IN      0xa1
#define CLASS_OUT     0x21
#define STANDARD_IN   0x81
#define DESC_HID      0x21
#define DESC_REPORT   0x22
#define REPORT_INPUT  1
#define REPORT_OUTPUT 2

struct usb_hid {
    struct usb_dev usb;
    enum hid_kind kind;
    struct display *display;
    bool taking; /* input, from the display */
    struct {
        struct timer idle; /* running: when the same report is sent again */
        struct usb_state usb;
        /* What waits; [head] first. A pointer's in x, y, dz, buttons; a key in code and down. */
        uint16_t x[QUEUE], y[QUEUE], dz[QUEUE];
        uint16_t now_x, now_y; /* as the guest was told: a tablet's place */
        uint8_t buttons[QUEUE], code[QUEUE], down[QUEUE];
        uint8_t head, len;
        uint8_t now_buttons;
        uint8_t mods, nkeys, keys[KEYS]; /* as the guest was told */
        uint8_t leds, protocol, idle_rate;
        uint8_t polled; /* since it was configured */
        uint8_t due;    /* the idle time is over: send though nothing changed */
    } s;
};

static const struct field hid_state[] = { FIELD(struct usb_hid, idle),
                                          USB_STATE_FIELDS(struct usb_hid, usb),
                                          ARRAY(struct usb_hid, x),
                                          ARRAY(struct usb_hid, y),
                                          ARRAY(struct usb_hid, dz),
                                          FIELD(struct usb_hid, now_x),
                                          FIELD(struct usb_hid, now_y),
                                          ARRAY(struct usb_hid, buttons, .max = POINTER_BITS),
                                          ARRAY(struct usb_hid, code),
                                          ARRAY(struct usb_hid, down, .max = 1),
                                          FIELD(struct usb_hid, head, .max = QUEUE - 1),
                                          FIELD(struct usb_hid, len, .max = QUEUE),
                                          FIELD(struct usb_hid, now_buttons, .max = POINTER_BITS),
                                          FIELD(struct usb_hid, mods),
                                          FIELD(struct usb_hid, nkeys, .max = KEYS),
                                          ARRAY(struct usb_hid, keys),
                                          FIELD(struct usb_hid, leds, .max = 0x1f),
                                          FIELD(struct usb_hid, protocol, .max = 1),
                                          FIELD(struct usb_hid, idle_rate),
                                          FIELD(struct usb_hid, polled, .max = 1),
                                          FIELD(struct usb_hid, due, .max = 1),
                                          FIELDS_END };

static struct usb_hid *hid_of(struct usb_dev *u)
{
    return container_of(u, struct usb_hid, usb);
}

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
    return (h->s.head + h->s.len - 1u) % QUEUE;
}

/* A new event's place, zeroed; -1 when the queue is full. */
static int new_place(struct usb_hid *h)
{
    unsigned at;

    if (h->s.len == QUEUE)
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
    unsigned at = pointer_place(h, buttons & POINTER_BITS);

    h->s.x[at] = x;
    h->s.y[at] = y;
    add_up(&h->s.dz[at], -dz);
    h->s.buttons[at] = buttons & POINTER_BITS;
    usb_wake(&h->usb);
}

static void input_rel(void *dev, int dx, int dy, int dz, unsigned buttons)
{
    struct usb_hid *h = hid_of(usb_of((struct device *)dev));
    unsigned at = pointer_place(h, buttons & POINTER_BITS);

    add_up(&h->s.x[at], dx);
    add_up(&h->s.y[at], dy);
    add_up(&h->s.dz[at], -dz);
    h->s.buttons[at] = buttons & POINTER_BITS;
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

static const struct input_ops hid_input[] = {
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
    h->s.head = (h->s.head + 1) % QUEUE;
    h->s.len--;
}

static unsigned tablet_report(struct usb_hid *h, uint8_t r[REPORT_MAX])
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
static unsigned mouse_report(struct usb_hid *h, uint8_t r[REPORT_MAX])
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
    while (i < h->s.nkeys && i < KEYS && h->s.keys[i] != code)
        i++;
    if (down && i == h->s.nkeys && i < KEYS) {
        h->s.keys[h->s.nkeys++] = code;
    } else if (!down && i < h->s.nkeys) {
        memmove(&h->s.keys[i], &h->s.keys[i + 1], KEYS - i - 1u);
        h->s.keys[KEYS - 1] = 0;
        h->s.nkeys--;
    }
}

static unsigned keyboard_report(struct usb_hid *h, uint8_t r[REPORT_MAX])
{
    if (h->s.len) {
        note_key(h, h->s.code[h->s.head], h->s.down[h->s.head]);
        pop(h);
    }
    memset(r, 0, REPORT_MAX);
    r[0] = h->s.mods;
    if (h->s.nkeys > 6)
        memset(r + 2, ROLLOVER, 6);
    else
        memcpy(r + 2, h->s.keys, h->s.nkeys);
    return 8;
}

static unsigned report(struct usb_hid *h, uint8_t r[REPORT_MAX])
{
    return h->kind == HID_TABLET  ? tablet_report(h, r)
           : h->kind == HID_MOUSE ? mouse_report(h, r)
                                  : keyboard_report(h, r);
}

/* ---- the idle rate, HID 1.11 §7.2.4 ---- */

static void idle_start(struct usb_hid *h)
{
    struct platform *p = h->usb.dev.plat;
    bool on = h->s.idle_rate && h->s.usb.config;

    timer_set(p, &h->s.idle, on ? platform_now(p) + h->s.idle_rate * IDLE_UNIT : TIMER_OFF);
}

static void idle_over(void *arg)
{
    struct usb_hid *h = arg;

    h->s.due = 1; /* the timer starts again when that has been fetched */
    usb_wake(&h->usb);
}

/* ---- what the host asks ---- */

/* HID Usage Tables 1.12, page 08: num lock, caps lock, scroll lock are bits 0 to 2. */
static void show_leds(struct usb_hid *h)
{
    uint8_t on = h->s.leds;

    if (h->taking && h->kind == HID_KEYBOARD)
        display_set_leds(h->display, (on & 1 ? LED_NUM : 0) | (on & 2 ? LED_CAPS : 0) |
                                         (on & 4 ? LED_SCROLL : 0));
}

static void hid_sync(struct device *dev)
{
    struct usb_hid *h = hid_of(usb_of(dev));
    bool take_it = h->s.polled && h->display;

    if (take_it == h->taking)
        return;
    h->taking = take_it;
    if (take_it)
        display_add_input(h->display, &hid_input[h->kind], dev);
    else
        display_remove_input(h->display, dev);
    show_leds(h);
}

bool hid_ready(const struct usb_dev *u)
{
    const struct usb_hid *h = container_of(u, const struct usb_hid, usb);

    return h->s.len || h->s.due;
}

int hid_in(struct usb_dev *u, uint8_t *buf, unsigned len)
{
    struct usb_hid *h = hid_of(u);
    uint8_t r[REPORT_MAX];
    unsigned n;

    if (!h->s.polled) {
        h->s.polled = 1;
        hid_sync(&u->dev);
    }
    if (!hid_ready(u))
        return USB_NAK;
    n = report(h, r);
    h->s.due = 0;
    if (h->s.idle_rate)
        idle_start(h);
    if (n > len)
        return USB_BABBLE;
    memcpy(buf, r, n);
    return (int)n;
}

static int copy(uint8_t *data, const void *from, unsigned len)
{
    memcpy(data, from, len);
    return (int)len;
}

static int get_descriptor(struct usb_hid *h, const struct usb_setup *r, uint8_t *data)
{
    if (r->value >> 8 == DESC_HID)
        return copy(data, hid_class[h->kind].config + HID_DESC_AT, HID_DESC_LEN);
    if (r->value >> 8 == DESC_REPORT)
        return copy(data, hid_report_desc[h->kind], hid_report_desc_len[h->kind]);
    return USB_STALL;
}

/* The report as it would be sent now; movement it tells is told. */
static int get_report(struct usb_hid *h, const struct usb_setup *r, uint8_t *data)
{
    uint8_t bytes[REPORT_MAX];

    if (r->value >> 8 == REPORT_OUTPUT && h->kind == HID_KEYBOARD)
        return copy(data, &h->s.leds, 1);
    if (r->value >> 8 != REPORT_INPUT)
        return USB_STALL;
    return copy(data, bytes, report(h, bytes));
}

static int set_report(struct usb_hid *h, const struct usb_setup *r, const uint8_t *data)
{
    if (h->kind != HID_KEYBOARD || r->value >> 8 != REPORT_OUTPUT || r->length != 1)
        return USB_STALL;
    h->s.leds = data[0] & 0x1f;
    show_leds(h);
    return 0;
}

static int set_something(struct usb_hid *h, const struct usb_setup *r, const uint8_t *data)
{
    switch (r->request) {
    case SET_REPORT:
        return set_report(h, r, data);
    case SET_IDLE:
        h->s.idle_rate = r->value >> 8;
        idle_start(h);
        return 0;
    case SET_PROTOCOL:
        if (h->kind == HID_TABLET || r->value > 1)
            return USB_STALL;
        h->s.protocol = r->value & 1;
        return 0;
    default:
        return USB_STALL;
    }
}

int hid_control(struct usb_dev *u, const struct usb_setup *r, uint8_t *data)
{
    struct usb_hid *h = hid_of(u);

    if (r->type == STANDARD_IN && r->request == GET_DESCRIPTOR)
        return get_descriptor(h, r, data);
    if (r->type == CLASS_OUT)
        return set_something(h, r, data);
    if (r->type != CLASS_IN)
        return USB_STALL;
    if (r->request == GET_REPORT)
        return get_report(h, r, data);
    if (r->request == GET_IDLE)
        return copy(data, &h->s.idle_rate, 1);
    if (r->request == GET_PROTOCOL && h->kind != HID_TABLET)
        return copy(data, &h->s.protocol, 1);
    return USB_STALL;
}

/* ---- life ---- */

static void power_on(struct usb_hid *h)
{
    h->s.protocol = 1; /* the report protocol, HID 1.11 §7.2.6 */
    h->s.idle_rate = h->kind == HID_KEYBOARD ? BOOT_IDLE : 0;
}

void hid_bus_reset(struct usb_dev *u)
{
    struct usb_hid *h = hid_of(u);
    struct timer keep = h->s.idle;

    memset(&h->s, 0, sizeof(h->s));
    h->s.idle = keep;
    timer_set(u->dev.plat, &h->s.idle, TIMER_OFF);
    power_on(h);
}

void hid_changed(struct usb_dev *u)
{
    hid_of(u)->s.polled = 0;
    idle_start(hid_of(u));
    hid_sync(&u->dev);
}

static void hid_reset(struct device *dev, enum reset_kind kind)
{
    power_on(hid_of(usb_of(dev)));
}

static bool hid_check(const struct device *dev)
{
    const struct usb_hid *h = container_of(dev, const struct usb_hid, usb.dev);

    return usb_state_ok(&h->s.usb);
}

static int hid_start(struct device *dev, enum hid_kind kind, const struct config *cfg,
                     struct err *err)
{
    struct usb_hid *h = hid_of(usb_of(dev));
    int rc;

    h->kind = kind;
    rc = usb_attach(&h->usb, &hid_class[kind], &h->s.usb, cfg, err);
    if (rc)
        return rc;
    timer_init(dev->plat, &h->s.idle, idle_over, h);
    h->display = config_obj(cfg, "display");
    return 0;
}

static int tablet_init(struct device *dev, const struct config *cfg, struct err *err)
{
    return hid_start(dev, HID_TABLET, cfg, err);
}

static int mouse_init(struct device *dev, const struct config *cfg, struct err *err)
{
    return hid_start(dev, HID_MOUSE, cfg, err);
}

static int keyboard_init(struct device *dev, const struct config *cfg, struct err *err)
{
    return hid_start(dev, HID_KEYBOARD, cfg, err);
}

static void hid_fini(struct device *dev)
{
    struct usb_hid *h = hid_of(usb_of(dev));

    if (h->taking)
        display_remove_input(h->display, dev);
    usb_detach(&h->usb);
    timer_fini(dev->plat, &h->s.idle);
}

#define HID_TYPE(type_name, type_init)                                                             \
    {                                                                                              \
        .name = (type_name), .version = 1, DEVICE_LAYOUT(struct usb_hid), .state = hid_state,      \
        .init = (type_init), .fini = hid_fini, .reset = hid_reset, .sync = hid_sync,               \
        .check = hid_check,                                                                        \
    }

const struct device_type usb_tablet_type = HID_TYPE("usb-tablet", tablet_init);
const struct device_type usb_mouse_type = HID_TYPE("usb-mouse", mouse_init);
const struct device_type usb_kbd_type = HID_TYPE("usb-kbd", keyboard_init);
