/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the USB tablet, mouse and keyboard say of themselves: USB 1.1 §9.6, and
 * Device Class Definition for Human Interface Devices 1.11, §6.2, appendix B
 * (boot descriptors) and E. Names and numbers are those that guests know from
 * QEMU, so that a guest that moves here finds the devices it had.
 */
#include <assert.h>
#include <linux/input-event-codes.h>
#include "hw/usb-hid.h"

#define LE16(x) (x) & 0xff, (x) >> 8

/* ---- report descriptors, HID 1.11 §6.2.2 ---- */

#define BUTTONS(n)                                                                                 \
    0x05, 0x09,                   /* usage page: buttons */                                        \
        0x19, 0x01,               /* usage minimum 1 */                                            \
        0x29, (n),                /* usage maximum */                                              \
        0x15, 0x00,               /* logical minimum 0 */                                          \
        0x25, 0x01,               /* logical maximum 1 */                                          \
        0x95, (n),                /* report count */                                               \
        0x75, 0x01,               /* report size: a bit each */                                    \
        0x81, 0x02,               /* input: data, variable, absolute */                            \
        0x95, 0x01,               /* the rest of the byte */                                       \
        0x75, 8 - (n), 0x81, 0x01 /* input: constant */

#define WHEEL                                                                                      \
    0x05, 0x01,                 /* usage page: generic desktop */                                  \
        0x09, 0x38,             /* usage: wheel */                                                 \
        0x15, 0x81,             /* logical minimum -127 */                                         \
        0x25, 0x7f,             /* logical maximum 127 */                                          \
        0x35, 0x00,             /* physical range: as the logical one */                           \
        0x45, 0x00, 0x75, 0x08, /* report size 8 */                                                \
        0x95, 0x01,             /* report count 1 */                                               \
        0x81, 0x06              /* input: data, variable, relative */

static const uint8_t tablet_report[] = {
    0x05,       0x01,       /* usage page: generic desktop */
    0x09,       0x02,       /* usage: mouse */
    0xa1,       0x01,       /* collection: application */
    0x09,       0x01,       /* usage: pointer */
    0xa1,       0x00,       /* collection: physical */
    BUTTONS(5),             /* byte 0 */
    0x05,       0x01,       /* usage page: generic desktop */
    0x09,       0x30,       /* usage: X; bytes 1 and 2 */
    0x09,       0x31,       /* usage: Y; bytes 3 and 4 */
    0x15,       0x00,       /* logical minimum 0 */
    0x26,       0xff, 0x7f, /* logical maximum 32767 */
    0x35,       0x00,       /* physical minimum 0 */
    0x46,       0xff, 0x7f, /* physical maximum 32767 */
    0x75,       0x10,       /* report size 16 */
    0x95,       0x02,       /* report count 2 */
    0x81,       0x02,       /* input: data, variable, absolute */
    WHEEL,                  /* byte 5 */
    0xc0,       0xc0,       /* end of the collections */
};

static const uint8_t mouse_report[] = {
    0x05,       0x01, /* usage page: generic desktop */
    0x09,       0x02, /* usage: mouse */
    0xa1,       0x01, /* collection: application */
    0x09,       0x01, /* usage: pointer */
    0xa1,       0x00, /* collection: physical */
    BUTTONS(5),       /* byte 0 */
    0x05,       0x01, /* usage page: generic desktop */
    0x09,       0x30, /* usage: X; byte 1 */
    0x09,       0x31, /* usage: Y; byte 2 */
    0x15,       0x81, /* logical minimum -127 */
    0x25,       0x7f, /* logical maximum 127 */
    0x75,       0x08, /* report size 8 */
    0x95,       0x02, /* report count 2 */
    0x81,       0x06, /* input: data, variable, relative */
    WHEEL,            /* byte 3 */
    0xc0,       0xc0, /* end of the collections */
};

static const uint8_t keyboard_report[] = {
    0x05, 0x01,       /* usage page: generic desktop */
    0x09, 0x06,       /* usage: keyboard */
    0xa1, 0x01,       /* collection: application */
    0x75, 0x01,       /* report size 1 */
    0x95, 0x08,       /* report count 8 */
    0x05, 0x07,       /* usage page: keys */
    0x19, 0xe0,       /* usage minimum: left control */
    0x29, 0xe7,       /* usage maximum: right GUI */
    0x15, 0x00,       /* logical minimum 0 */
    0x25, 0x01,       /* logical maximum 1 */
    0x81, 0x02,       /* input: byte 0, the modifiers */
    0x95, 0x01,       /* report count 1 */
    0x75, 0x08,       /* report size 8 */
    0x81, 0x01,       /* input: byte 1, constant */
    0x95, 0x05,       /* report count 5 */
    0x75, 0x01,       /* report size 1 */
    0x05, 0x08,       /* usage page: LEDs */
    0x19, 0x01,       /* usage minimum: num lock */
    0x29, 0x05,       /* usage maximum: kana */
    0x91, 0x02,       /* output: data, variable, absolute */
    0x95, 0x01,       /* report count 1 */
    0x75, 0x03,       /* report size 3 */
    0x91, 0x01,       /* output: constant */
    0x95, 0x06,       /* report count 6 */
    0x75, 0x08,       /* report size 8 */
    0x15, 0x00,       /* logical minimum 0 */
    0x26, 0xff, 0x00, /* logical maximum 255 */
    0x05, 0x07,       /* usage page: keys */
    0x19, 0x00,       /* usage minimum 0 */
    0x2a, 0xff, 0x00, /* usage maximum 255 */
    0x81, 0x00,       /* input: bytes 2 to 7, the keys that are down */
    0xc0,             /* end of the collection */
};

const uint8_t *const hid_report_desc[3] = { tablet_report, mouse_report, keyboard_report };
const uint16_t hid_report_desc_len[3] = { sizeof(tablet_report), sizeof(mouse_report),
                                          sizeof(keyboard_report) };

/* ---- device, configuration, interface, HID and endpoint descriptors ---- */

#define VENDOR  0x0627
#define PRODUCT 0x0001
enum { STR_NONE, STR_MAKER, STR_PRODUCT, STR_CONFIG, STR_SERIAL };

#define DEVICE_DESC                                                                                \
    {                                                                                              \
        18, 1, LE16(0x0110), 0, 0, 0, USB_EP0_SIZE, LE16(VENDOR), LE16(PRODUCT), LE16(0),          \
            STR_MAKER, STR_PRODUCT, STR_SERIAL, 1                                                  \
    }

/* Bus powered with 100 mA, wakes the host; one interface; endpoint 1 in, every 10 ms. */
#define CONFIG_DESC(subclass, protocol, report, size)                                              \
    {                                                                                              \
        9, 2, LE16(34), 1, 1, STR_CONFIG, 0xa0, 50,                     /* configuration */        \
            9, 4, 0, 0, 1, 3, (subclass), (protocol), STR_NONE,         /* interface */            \
            HID_DESC_LEN, 0x21, LE16(0x0001), 0, 1, 0x22, LE16(report), /* HID */                  \
            7, 5, 0x81, 3, LE16(size), 10                               /* endpoint */             \
    }

static const uint8_t tablet_config[] = CONFIG_DESC(0, 0, sizeof(tablet_report), 8);
static const uint8_t mouse_config[] = CONFIG_DESC(1, 2, sizeof(mouse_report), 4);
static const uint8_t keyboard_config[] = CONFIG_DESC(1, 1, sizeof(keyboard_report), 8);
static_assert(sizeof(tablet_config) == 34, "wTotalLength");

static const char *const tablet_strings[] = { "QEMU", "QEMU USB Tablet", "HID Tablet", NULL };
static const char *const mouse_strings[] = { "QEMU", "QEMU USB Mouse", "HID Mouse", NULL };
static const char *const keyboard_strings[] = { "QEMU", "QEMU USB Keyboard", "HID Keyboard", NULL };

#define HID_CLASS(config_desc, names, number)                                                      \
    {                                                                                              \
        .device = DEVICE_DESC, .config = (config_desc), .config_len = sizeof(config_desc),         \
        .strings = (names), .serial = (number), .control = hid_control, .in = hid_in,              \
        .ready = hid_ready, .reset = hid_bus_reset, .changed = hid_changed,                        \
    }

const struct usb_class hid_class[3] = {
    HID_CLASS(tablet_config, tablet_strings, "28754"),
    HID_CLASS(mouse_config, mouse_strings, "89126"),
    HID_CLASS(keyboard_config, keyboard_strings, "68284"),
};

/* ---- keys: HID Usage Tables 1.12, chapter 10 ---- */

static const uint8_t usages[] = {
    [KEY_A] = 0x04,
    [KEY_B] = 0x05,
    [KEY_C] = 0x06,
    [KEY_D] = 0x07,
    [KEY_E] = 0x08,
    [KEY_F] = 0x09,
    [KEY_G] = 0x0a,
    [KEY_H] = 0x0b,
    [KEY_I] = 0x0c,
    [KEY_J] = 0x0d,
    [KEY_K] = 0x0e,
    [KEY_L] = 0x0f,
    [KEY_M] = 0x10,
    [KEY_N] = 0x11,
    [KEY_O] = 0x12,
    [KEY_P] = 0x13,
    [KEY_Q] = 0x14,
    [KEY_R] = 0x15,
    [KEY_S] = 0x16,
    [KEY_T] = 0x17,
    [KEY_U] = 0x18,
    [KEY_V] = 0x19,
    [KEY_W] = 0x1a,
    [KEY_X] = 0x1b,
    [KEY_Y] = 0x1c,
    [KEY_Z] = 0x1d,
    [KEY_1] = 0x1e,
    [KEY_2] = 0x1f,
    [KEY_3] = 0x20,
    [KEY_4] = 0x21,
    [KEY_5] = 0x22,
    [KEY_6] = 0x23,
    [KEY_7] = 0x24,
    [KEY_8] = 0x25,
    [KEY_9] = 0x26,
    [KEY_0] = 0x27,
    [KEY_ENTER] = 0x28,
    [KEY_ESC] = 0x29,
    [KEY_BACKSPACE] = 0x2a,
    [KEY_TAB] = 0x2b,
    [KEY_SPACE] = 0x2c,
    [KEY_MINUS] = 0x2d,
    [KEY_EQUAL] = 0x2e,
    [KEY_LEFTBRACE] = 0x2f,
    [KEY_RIGHTBRACE] = 0x30,
    [KEY_BACKSLASH] = 0x31,
    [KEY_SEMICOLON] = 0x33,
    [KEY_APOSTROPHE] = 0x34,
    [KEY_GRAVE] = 0x35,
    [KEY_COMMA] = 0x36,
    [KEY_DOT] = 0x37,
    [KEY_SLASH] = 0x38,
    [KEY_CAPSLOCK] = 0x39,
    [KEY_F1] = 0x3a,
    [KEY_F2] = 0x3b,
    [KEY_F3] = 0x3c,
    [KEY_F4] = 0x3d,
    [KEY_F5] = 0x3e,
    [KEY_F6] = 0x3f,
    [KEY_F7] = 0x40,
    [KEY_F8] = 0x41,
    [KEY_F9] = 0x42,
    [KEY_F10] = 0x43,
    [KEY_F11] = 0x44,
    [KEY_F12] = 0x45,
    [KEY_SYSRQ] = 0x46,
    [KEY_SCROLLLOCK] = 0x47,
    [KEY_PAUSE] = 0x48,
    [KEY_INSERT] = 0x49,
    [KEY_HOME] = 0x4a,
    [KEY_PAGEUP] = 0x4b,
    [KEY_DELETE] = 0x4c,
    [KEY_END] = 0x4d,
    [KEY_PAGEDOWN] = 0x4e,
    [KEY_RIGHT] = 0x4f,
    [KEY_LEFT] = 0x50,
    [KEY_DOWN] = 0x51,
    [KEY_UP] = 0x52,
    [KEY_NUMLOCK] = 0x53,
    [KEY_KPSLASH] = 0x54,
    [KEY_KPASTERISK] = 0x55,
    [KEY_KPMINUS] = 0x56,
    [KEY_KPPLUS] = 0x57,
    [KEY_KPENTER] = 0x58,
    [KEY_KP1] = 0x59,
    [KEY_KP2] = 0x5a,
    [KEY_KP3] = 0x5b,
    [KEY_KP4] = 0x5c,
    [KEY_KP5] = 0x5d,
    [KEY_KP6] = 0x5e,
    [KEY_KP7] = 0x5f,
    [KEY_KP8] = 0x60,
    [KEY_KP9] = 0x61,
    [KEY_KP0] = 0x62,
    [KEY_KPDOT] = 0x63,
    [KEY_102ND] = 0x64,
    [KEY_COMPOSE] = 0x65,
    [KEY_POWER] = 0x66,
    [KEY_KPEQUAL] = 0x67,
    [KEY_F13] = 0x68,
    [KEY_F14] = 0x69,
    [KEY_F15] = 0x6a,
    [KEY_F16] = 0x6b,
    [KEY_F17] = 0x6c,
    [KEY_F18] = 0x6d,
    [KEY_F19] = 0x6e,
    [KEY_F20] = 0x6f,
    [KEY_F21] = 0x70,
    [KEY_F22] = 0x71,
    [KEY_F23] = 0x72,
    [KEY_F24] = 0x73,
    [KEY_OPEN] = 0x74,
    [KEY_HELP] = 0x75,
    [KEY_PROPS] = 0x76,
    [KEY_FRONT] = 0x77,
    [KEY_STOP] = 0x78,
    [KEY_AGAIN] = 0x79,
    [KEY_UNDO] = 0x7a,
    [KEY_CUT] = 0x7b,
    [KEY_COPY] = 0x7c,
    [KEY_PASTE] = 0x7d,
    [KEY_FIND] = 0x7e,
    [KEY_MUTE] = 0x7f,
    [KEY_VOLUMEUP] = 0x80,
    [KEY_VOLUMEDOWN] = 0x81,
    [KEY_KPCOMMA] = 0x85,
    [KEY_RO] = 0x87,
    [KEY_KATAKANAHIRAGANA] = 0x88,
    [KEY_YEN] = 0x89,
    [KEY_HENKAN] = 0x8a,
    [KEY_MUHENKAN] = 0x8b,
    [KEY_KPJPCOMMA] = 0x8c,
    [KEY_HANGEUL] = 0x90,
    [KEY_HANJA] = 0x91,
    [KEY_KATAKANA] = 0x92,
    [KEY_HIRAGANA] = 0x93,
    [KEY_ZENKAKUHANKAKU] = 0x94,
    [KEY_LEFTCTRL] = 0xe0,
    [KEY_LEFTSHIFT] = 0xe1,
    [KEY_LEFTALT] = 0xe2,
    [KEY_LEFTMETA] = 0xe3,
    [KEY_RIGHTCTRL] = 0xe4,
    [KEY_RIGHTSHIFT] = 0xe5,
    [KEY_RIGHTALT] = 0xe6,
    [KEY_RIGHTMETA] = 0xe7,
};

uint8_t hid_usage(uint16_t code)
{
    return code < sizeof(usages) ? usages[code] : 0;
}
