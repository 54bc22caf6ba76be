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

#define IDLE_UNIT (4 * NS_PER_MS)
#define BOOT_IDLE 125 /* of a keyboard: 500 ms, HID 1.11 §7.2.4 */

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

static const struct field hid_state[] = { FIELD(struct usb_hid, idle),
                                          USB_STATE_FIELDS(struct usb_hid, usb),
                                          ARRAY(struct usb_hid, x),
                                          ARRAY(struct usb_hid, y),
                                          ARRAY(struct usb_hid, dz),
                                          FIELD(struct usb_hid, now_x),
                                          FIELD(struct usb_hid, now_y),
                                          ARRAY(struct usb_hid, buttons, .max = HID_POINTER_BITS),
                                          ARRAY(struct usb_hid, code),
                                          ARRAY(struct usb_hid, down, .max = 1),
                                          FIELD(struct usb_hid, head, .max = HID_QUEUE - 1),
                                          FIELD(struct usb_hid, len, .max = HID_QUEUE),
                                          FIELD(struct usb_hid, now_buttons,
                                                .max = HID_POINTER_BITS),
                                          FIELD(struct usb_hid, mods),
                                          FIELD(struct usb_hid, nkeys, .max = HID_KEYS),
                                          ARRAY(struct usb_hid, keys),
                                          FIELD(struct usb_hid, leds, .max = 0x1f),
                                          FIELD(struct usb_hid, protocol, .max = 1),
                                          FIELD(struct usb_hid, idle_rate),
                                          FIELD(struct usb_hid, polled, .max = 1),
                                          FIELD(struct usb_hid, due, .max = 1),
                                          FIELDS_END };

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
    uint8_t r[HID_REPORT_MAX];
    unsigned n;

    if (!h->s.polled) {
        h->s.polled = 1;
        hid_sync(&u->dev);
    }
    if (!hid_ready(u))
        return USB_NAK;
    n = hid_report(h, r);
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
    uint8_t bytes[HID_REPORT_MAX];

    if (r->value >> 8 == REPORT_OUTPUT && h->kind == HID_KEYBOARD)
        return copy(data, &h->s.leds, 1);
    if (r->value >> 8 != REPORT_INPUT)
        return USB_STALL;
    return copy(data, bytes, hid_report(h, bytes));
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
