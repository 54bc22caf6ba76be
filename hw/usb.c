/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all USB devices share: Universal Serial Bus Specification 1.1, §8.5.2
 * (control transfers) and chapter 9 (standard requests, descriptors). Data
 * toggles are the host's affair here: no packet is ever lost between the two,
 * so none is ever sent twice.
 */
#include "hw/usb.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/config.h"

#define TYPE_IN        0x80
#define TYPE_DEVICE    0x00
#define TYPE_INTERFACE 0x01
#define TYPE_ENDPOINT  0x02

/* Standard requests, USB 1.1 table 9-4 */
enum {
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    SET_FEATURE = 3,
    SET_ADDRESS = 5,
    GET_DESCRIPTOR = 6,
    GET_CONFIGURATION = 8,
    SET_CONFIGURATION = 9,
    GET_INTERFACE = 10,
    SET_INTERFACE = 11,
};
enum { DESC_DEVICE = 1, DESC_CONFIG = 2, DESC_STRING = 3 };
enum { ENDPOINT_HALT = 0, REMOTE_WAKEUP = 1 };

#define EP1_IN       0x81
#define LANG_ENGLISH 0x0409
#define CONFIG_ATTRS 7 /* offset of bmAttributes */
#define SELF_POWERED 0x40

/* ---- buses ---- */

int usb_bus_add(struct usb_bus *bus, struct device *host, const char *id, struct err *err)
{
    struct platform *p = host->plat;

    if (p->nusb == PLATFORM_USB)
        return err_set(err, -ENOSPC, "%s: more than %d USB controllers", host->id, PLATFORM_USB);
    bus->host = host;
    if (id)
        snprintf(bus->name, sizeof(bus->name), "%.24s.0", id);
    else
        snprintf(bus->name, sizeof(bus->name), "usb-bus.%u", p->nusb);
    p->usb[p->nusb++] = bus;
    return 0;
}

void usb_bus_remove(struct usb_bus *bus)
{
    struct platform *p = bus->host->plat;

    for (unsigned i = 0; i < USB_PORTS; i++) {
        if (bus->port[i])
            bus->port[i]->bus = NULL;
    }
    for (unsigned i = 0; i < p->nusb; i++) {
        if (p->usb[i] != bus)
            continue;
        memmove(&p->usb[i], &p->usb[i + 1], (p->nusb - i - 1) * sizeof(p->usb[0]));
        p->nusb--;
        return;
    }
}

static int free_port(const struct usb_bus *bus, const char *want)
{
    for (unsigned i = 0; i < USB_PORTS; i++) {
        char name[4];

        snprintf(name, sizeof(name), "%u", i + 1);
        if (!bus->port[i] && (!want || !strcmp(want, name)))
            return (int)i;
    }
    return -1;
}

int usb_attach(struct usb_dev *u, const struct usb_class *cls, struct usb_state *s,
               const struct config *cfg, struct err *err)
{
    const char *name = config_str(cfg, "bus", NULL), *want = config_str(cfg, "port", NULL);
    struct platform *p = u->dev.plat;
    const char *type = u->dev.type->name;
    bool found = false;

    u->cls = cls;
    u->s = s;
    for (unsigned i = 0; i < p->nusb; i++) {
        struct usb_bus *bus = p->usb[i];
        int port = name && strcmp(name, bus->name) ? -1 : free_port(bus, want);

        found |= !name || !strcmp(name, bus->name);
        if (port < 0)
            continue;
        u->bus = bus;
        u->port = (unsigned)port;
        bus->port[port] = u;
        bus->plugged(bus, u->port);
        return 0;
    }
    if (!found)
        return err_set(err, -ENODEV, "%s: %s%s%s; -usb gives the guest a controller", type,
                       name ? "Bus '" : "No 'usb-bus' bus found", name ? name : "",
                       name ? "' not found" : "");
    return err_set(err, -ENODEV,
                   "%s: %s%s of the USB bus is free (a controller has %d; -device "
                   "piix3-usb-uhci adds one)",
                   type, want ? "not port " : "no port", want ? want : "", USB_PORTS);
}

void usb_detach(struct usb_dev *u)
{
    struct usb_bus *bus = u->bus;

    u->bus = NULL;
    if (!bus)
        return;
    bus->port[u->port] = NULL;
    bus->plugged(bus, u->port);
}

void usb_wake(struct usb_dev *u)
{
    if (u->bus)
        u->bus->wake(u->bus, u->port);
}

void usb_reset(struct usb_dev *u)
{
    memset(u->s, 0, sizeof(*u->s));
    u->cls->reset(u);
    u->cls->changed(u);
}

bool usb_state_ok(const struct usb_state *s)
{
    return s->pos <= s->len;
}

/* ---- descriptors ---- */

static const char *serial_of(const struct usb_dev *u, char *text, size_t size)
{
    unsigned devfn = 0;

    if (u->bus && u->bus->host->type->pci)
        devfn = container_of(u->bus->host, const struct pci_func, dev)->devfn;
    snprintf(text, size, "%s-0000:00:%02x.%u-%u", u->cls->serial, PCI_SLOT(devfn), devfn & 7,
             u->port + 1);
    return text;
}

/* String `index` as UTF-16, with its header; -2 where there is none. */
static int get_string(const struct usb_dev *u, unsigned index, uint8_t *data)
{
    const char *text = NULL;
    char serial[64];
    unsigned n = 0, len = 2;

    if (!index) {
        data[0] = 4;
        data[1] = DESC_STRING;
        data[2] = LANG_ENGLISH & 0xff;
        data[3] = LANG_ENGLISH >> 8;
        return 4;
    }
    while (n < index - 1 && u->cls->strings[n])
        n++;
    text = u->cls->strings[n];
    if (!text && n == index - 1 && u->cls->serial)
        text = serial_of(u, serial, sizeof(serial));
    if (!text)
        return USB_STALL;
    for (; *text && len + 2 <= USB_CTRL_DATA - 2; text++) {
        data[len++] = (uint8_t)*text;
        data[len++] = 0;
    }
    data[0] = (uint8_t)len;
    data[1] = DESC_STRING;
    return (int)len;
}

static int get_descriptor(struct usb_dev *u, const struct usb_setup *r, uint8_t *data)
{
    unsigned index = r->value & 0xff;

    switch (r->value >> 8) {
    case DESC_DEVICE:
        memcpy(data, u->cls->device, sizeof(u->cls->device));
        return sizeof(u->cls->device);
    case DESC_CONFIG:
        if (index)
            return USB_STALL;
        memcpy(data, u->cls->config, u->cls->config_len);
        return u->cls->config_len;
    case DESC_STRING:
        return get_string(u, index, data);
    default:
        return USB_STALL;
    }
}

/* ---- standard requests: value in data, its length; or USB_STALL ---- */

static int answer(uint8_t *data, unsigned val, unsigned len)
{
    data[0] = val & 0xff;
    data[1] = val >> 8 & 0xff;
    return (int)len;
}

static int set_config(struct usb_dev *u, unsigned config)
{
    if (config > 1)
        return USB_STALL;
    u->s->config = config;
    u->s->halted = 0; /* USB 1.1 §9.4.5: configuring clears it */
    u->cls->changed(u);
    return 0;
}

static int device_request(struct usb_dev *u, const struct usb_setup *r, uint8_t *data)
{
    struct usb_state *s = u->s;

    switch (r->request) {
    case GET_STATUS:
        return answer(
            data, (u->cls->config[CONFIG_ATTRS] & SELF_POWERED ? 1 : 0) | s->remote_wakeup << 1, 2);
    case CLEAR_FEATURE:
    case SET_FEATURE:
        if (r->value != REMOTE_WAKEUP)
            return USB_STALL;
        s->remote_wakeup = r->request == SET_FEATURE;
        return 0;
    case SET_ADDRESS: /* it counts once the host has fetched the status */
        return r->value > 127 ? USB_STALL : 0;
    case GET_DESCRIPTOR:
        return get_descriptor(u, r, data);
    case GET_CONFIGURATION:
        return answer(data, s->config, 1);
    case SET_CONFIGURATION:
        return set_config(u, r->value & 0xff);
    default:
        return USB_STALL;
    }
}

static int interface_request(struct usb_dev *u, const struct usb_setup *r, uint8_t *data)
{
    switch (r->request) {
    case GET_STATUS:
        return answer(data, 0, 2);
    case GET_INTERFACE:
        return u->s->config ? answer(data, 0, 1) : USB_STALL;
    case SET_INTERFACE:
        return u->s->config && !r->value && !r->index ? 0 : USB_STALL;
    default:
        return u->cls->control(u, r, data);
    }
}

static int endpoint_request(struct usb_dev *u, const struct usb_setup *r, uint8_t *data)
{
    unsigned ep = r->index & 0xff;
    bool ep1 = ep == EP1_IN && u->s->config;

    if (!ep1 && (ep & 0x7f))
        return USB_STALL;
    if (r->request == GET_STATUS)
        return answer(data, ep1 && u->s->halted, 2);
    if ((r->request != CLEAR_FEATURE && r->request != SET_FEATURE) || r->value != ENDPOINT_HALT)
        return USB_STALL;
    if (ep1)
        u->s->halted = r->request == SET_FEATURE;
    return 0;
}

static int request(struct usb_dev *u, uint8_t *data)
{
    const uint8_t *b = u->s->setup;
    struct usb_setup r = { b[0], b[1], (uint16_t)(b[2] | b[3] << 8), (uint16_t)(b[4] | b[5] << 8),
                           (uint16_t)(b[6] | b[7] << 8) };

    switch (r.type & ~TYPE_IN) {
    case TYPE_DEVICE:
        return device_request(u, &r, data);
    case TYPE_INTERFACE:
        return interface_request(u, &r, data);
    case TYPE_ENDPOINT:
        return endpoint_request(u, &r, data);
    default:
        return u->cls->control(u, &r, data);
    }
}

/* ---- endpoint 0 ---- */

static int setup_packet(struct usb_dev *u, const uint8_t *buf, unsigned len)
{
    struct usb_state *s = u->s;
    unsigned want;
    int rc;

    if (len != 8)
        return USB_NO_ANSWER;
    memcpy(s->setup, buf, 8);
    want = s->setup[6] | s->setup[7] << 8;
    s->pos = s->len = 0;
    if (want && !(s->setup[0] & TYPE_IN)) {
        s->stage = want > USB_CTRL_DATA ? USB_STALLED : USB_DATA_OUT;
        s->len = want > USB_CTRL_DATA ? 0 : want;
        return 8;
    }
    rc = request(u, s->data);
    if (rc < 0) {
        s->stage = USB_STALLED;
    } else if (want) {
        s->stage = USB_DATA_IN;
        s->len = (unsigned)rc < want ? (unsigned)rc : want;
    } else {
        s->stage = USB_STATUS;
    }
    return 8;
}

static int ep0_in(struct usb_dev *u, uint8_t *buf, unsigned len)
{
    struct usb_state *s = u->s;
    unsigned n;

    if (s->stage == USB_STALLED || s->stage == USB_IDLE)
        return USB_STALL;
    if (s->stage !=
        USB_DATA_IN) { /* the status stage of a request without data, or a given-up one */
        if (s->stage == USB_STATUS && s->setup[0] == TYPE_DEVICE && s->setup[1] == SET_ADDRESS)
            s->addr = s->setup[2] & 0x7f;
        s->stage = USB_IDLE;
        return 0;
    }
    n = s->len - s->pos;
    n = n > USB_EP0_SIZE ? USB_EP0_SIZE : n;
    if (n > len)
        return USB_BABBLE;
    memcpy(buf, s->data + s->pos, n);
    s->pos += n;
    return (int)n;
}

static int ep0_out(struct usb_dev *u, const uint8_t *buf, unsigned len)
{
    struct usb_state *s = u->s;

    if (s->stage == USB_DATA_IN) { /* status: the host has had enough */
        s->stage = USB_IDLE;
        return (int)len;
    }
    if (s->stage != USB_DATA_OUT || len > USB_EP0_SIZE || len > (unsigned)s->len - s->pos) {
        s->stage = USB_STALLED;
        return USB_STALL;
    }
    memcpy(s->data + s->pos, buf, len);
    s->pos += len;
    if (s->pos == s->len)
        s->stage = request(u, s->data) < 0 ? USB_STALLED : USB_STATUS;
    return (int)len;
}

int usb_packet(struct usb_dev *u, enum usb_pid pid, unsigned ep, uint8_t *buf, unsigned len)
{
    if (pid == USB_PID_SETUP)
        return ep ? USB_STALL : setup_packet(u, buf, len);
    if (!ep)
        return pid == USB_PID_IN ? ep0_in(u, buf, len) : ep0_out(u, buf, len);
    if (ep != 1 || pid != USB_PID_IN || !u->s->config || u->s->halted)
        return USB_STALL;
    return u->cls->in(u, buf, len);
}

bool usb_would_nak(const struct usb_dev *u, enum usb_pid pid, unsigned ep)
{
    return pid == USB_PID_IN && ep == 1 && u->s->config && !u->s->halted && !u->cls->ready(u);
}
