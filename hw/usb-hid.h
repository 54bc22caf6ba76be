/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the usb-hid*.c files share. Nobody else includes it. */
#pragma once
#include "display/display.h"
#include "hw/usb.h"

enum hid_kind { HID_TABLET, HID_MOUSE, HID_KEYBOARD };

extern const struct usb_class hid_class[3]; /* by kind; hooks are usb-hid.c's */
extern const uint8_t *const hid_report_desc[3];
extern const uint16_t hid_report_desc_len[3];
#define HID_DESC_AT  18 /* of the HID descriptor in the configuration's, HID_DESC_LEN bytes */
#define HID_DESC_LEN 9

/* The usage (HID Usage Tables 1.12, page 07) of an evdev key; 0: there is none. */
uint8_t hid_usage(uint16_t evdev_code);

/* usb-hid.c */
int hid_control(struct usb_dev *u, const struct usb_setup *r, uint8_t *data);
int hid_in(struct usb_dev *u, uint8_t *buf, unsigned len);
bool hid_ready(const struct usb_dev *u);
void hid_bus_reset(struct usb_dev *u);
void hid_changed(struct usb_dev *u);

/* The device itself, for usb-hid.c and usb-hid-report.c. */
#define HID_QUEUE        16
#define HID_KEYS         18 /* that can be held and told from each other */
#define HID_REPORT_MAX   8
#define HID_POINTER_BITS 0x1f

struct usb_hid {
    struct usb_dev usb;
    enum hid_kind kind;
    struct display *display;
    bool taking; /* input, from the display */
    struct {
        struct timer idle; /* running: when the same report is sent again */
        struct usb_state usb;
        /* What waits; [head] first. A pointer's in x, y, dz, buttons; a key in code and down. */
        uint16_t x[HID_QUEUE], y[HID_QUEUE], dz[HID_QUEUE];
        uint16_t now_x, now_y; /* as the guest was told: a tablet's place */
        uint8_t buttons[HID_QUEUE], code[HID_QUEUE], down[HID_QUEUE];
        uint8_t head, len;
        uint8_t now_buttons;
        uint8_t mods, nkeys, keys[HID_KEYS]; /* as the guest was told */
        uint8_t leds, protocol, idle_rate;
        uint8_t polled; /* since it was configured */
        uint8_t due;    /* the idle time is over: send though nothing changed */
    } s;
};

static inline struct usb_hid *hid_of(struct usb_dev *u)
{
    return container_of(u, struct usb_hid, usb);
}

/* usb-hid-report.c: what the display says goes into the queue; the next report comes out of it. */
extern const struct input_ops hid_input[3];                        /* by kind */
unsigned hid_report(struct usb_hid *h, uint8_t r[HID_REPORT_MAX]); /* its length */
