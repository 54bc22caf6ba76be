/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What usb-hid.c and usb-hid-desc.c share. Nobody else includes it. */
#pragma once
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
