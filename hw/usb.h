/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/usb.h: a USB device, and the bus between it and its host controller.
 * Source: Universal Serial Bus Specification 1.1, chapters 8 (packets) and 9
 * (the device framework). A device is a struct device of its own with its own
 * saved state; usb.c has what all of them share: endpoint 0 and the standard
 * requests. Every packet is answered at once: nothing here waits.
 */
#pragma once
#include "hw/core/pci.h"
#include "hw/core/state.h"

#define USB_PORTS     2
#define USB_EP0_SIZE  8   /* bMaxPacketSize0 of every device here */
#define USB_CTRL_DATA 255 /* the longest data stage */

enum usb_pid { USB_PID_OUT = 0xe1, USB_PID_IN = 0x69, USB_PID_SETUP = 0x2d };

/* What a packet came to: a number of bytes, or one of these. */
enum { USB_NAK = -1, USB_STALL = -2, USB_NO_ANSWER = -3, USB_BABBLE = -4 };

enum usb_stage {
    USB_IDLE,
    USB_DATA_IN,  /* the device sends data[pos..len) */
    USB_DATA_OUT, /* the host sends len bytes */
    USB_STATUS,   /* done; the host fetches the empty packet that says so */
    USB_STALLED,
    USB_STAGES
};

struct usb_state { /* of any device, a part of its s */
    uint16_t pos, len;
    uint8_t setup[8];
    uint8_t data[USB_CTRL_DATA];
    uint8_t addr, config, stage;
    uint8_t halted; /* endpoint 1's "halt" feature */
    uint8_t remote_wakeup;
};

#define USB_STATE_FIELDS(T, m)                                                                     \
    FIELD(T, m.pos, .max = USB_CTRL_DATA), FIELD(T, m.len, .max = USB_CTRL_DATA),                  \
        ARRAY(T, m.setup), ARRAY(T, m.data), FIELD(T, m.addr, .max = 127),                         \
        FIELD(T, m.config, .max = 1), FIELD(T, m.stage, .max = USB_STAGES - 1),                    \
        FIELD(T, m.halted, .max = 1), FIELD(T, m.remote_wakeup, .max = 1)

struct usb_setup { /* USB 1.1 table 9-2 */
    uint8_t type, request;
    uint16_t value, index, length;
};

struct usb_dev;
struct usb_class { /* what one kind of device is; constant */
    uint8_t device[18];
    const uint8_t *config; /* with all that follows it in GET_DESCRIPTOR */
    uint16_t config_len;
    const char *const *strings; /* of index 1 and on; NULL ends; those of 0 are in usb.c */
    const char *serial;         /* the last string: this, the bus and the port; NULL: none */
    /* A request that usb.c does not know. IN: fills data, returns its length; OUT: returns 0. */
    int (*control)(struct usb_dev *u, const struct usb_setup *setup, uint8_t *data);
    int (*in)(struct usb_dev *u, uint8_t *buf, unsigned len); /* endpoint 1; or USB_NAK */
    bool (*ready)(const struct usb_dev *u);                   /* in() would not be NAKed */
    void (*reset)(struct usb_dev *u);                         /* a bus reset: forget all */
    void (*changed)(struct usb_dev *u);                       /* the configuration, maybe */
};

struct usb_bus { /* a part of its host controller */
    struct device *host;
    char name[32]; /* "usb-bus.0" */
    struct usb_dev *port[USB_PORTS];
    void (*plugged)(struct usb_bus *bus, unsigned port); /* port[port] has come, or gone */
    void (*wake)(struct usb_bus *bus, unsigned port);    /* it has something to send */
};

struct usb_dev { /* first member of a device */
    struct device dev;
    const struct usb_class *cls;
    struct usb_state *s; /* the part of its s */
    struct usb_bus *bus;
    unsigned port;
};

#define usb_of(devp) container_of((devp), struct usb_dev, dev)

/* For a host controller's init and fini. id: what the user called it, or NULL. */
int usb_bus_add(struct usb_bus *bus, struct device *host, const char *id, struct err *err);
void usb_bus_remove(struct usb_bus *bus);

/*
 * For a device's init and fini. cfg may name "bus" and "port" (1 or 2); else it is the first free
 * port. -ENODEV: there is no bus, or none with a free port.
 */
int usb_attach(struct usb_dev *u, const struct usb_class *cls, struct usb_state *s,
               const struct config *cfg, struct err *err);
void usb_detach(struct usb_dev *u);

void usb_reset(struct usb_dev *u); /* the bus signals reset */
/* One packet: IN fills buf with up to len bytes, OUT and SETUP send len. Bytes or USB_NAK… */
int usb_packet(struct usb_dev *u, enum usb_pid pid, unsigned ep, uint8_t *buf, unsigned len);
/* Would such a packet be NAKed now? */
bool usb_would_nak(const struct usb_dev *u, enum usb_pid pid, unsigned ep);
/* For a device: it has something to send. */
void usb_wake(struct usb_dev *u);
/* Of a saved state: a control transfer that can be. */
bool usb_state_ok(const struct usb_state *s);
