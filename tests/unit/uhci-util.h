/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver for the UHCI as far as tests need one: a schedule of queues, and transfers on it. */
#pragma once
#include <stdlib.h>
#include <string.h>
#include "display/display.h"
#include "hw/devices.h"
#include "hw/usb.h"
#include "tests/unit/qt.h"

#define UHCI_DEVFN 0x0a /* 01.2, as in the PC */
#define UHCI       0xc040

#define FRAMES_AT 0x10000 /* the frame list */
#define POLL_QH   0x20000 /* in every eighth frame: interrupt endpoints */
#define CTRL_QH   0x20010 /* in every frame: control transfers */
#define TDS       0x21000
#define POLL_TD   0x22000
#define SETUP_AT  0x23000
#define DATA_AT   0x24000
#define POLL_AT   0x25000

#define TD_ACTIVE  (1u << 23)
#define TD_STALLED (1u << 22)
#define TD_TIMEOUT (1u << 18)
#define TD_NAKED   (1u << 19)
#define TD_IOC     (1u << 24)
#define TD_SPD     (1u << 29)
#define TD_CERR3   (3u << 27)
#define TD_CERR2   (2u << 27)
#define TERMINATE  1u
#define IS_QH      2u

static inline uint32_t td_token(unsigned pid, unsigned addr, unsigned ep, unsigned len)
{
    return (len ? len - 1 : 0x7ff) << 21 | ep << 15 | addr << 8 | pid;
}

static inline void put_td(struct qt *t, uint32_t at, uint32_t link, uint32_t ctrl, uint32_t token,
                          uint32_t buffer)
{
    put32(t, at, link);
    put32(t, at + 8, token);
    put32(t, at + 12, buffer);
    put32(t, at + 4, ctrl); /* the last: now the controller may have it */
}

static inline void qh_link(struct qt *t, uint32_t at, uint32_t head, uint32_t element)
{
    put32(t, at, head);
    put32(t, at + 4, element);
}

/* Registers and schedule as a driver sets them up; not running yet. */
static inline void uhci_setup(struct qt *t)
{
    cfg_write(t, UHCI_DEVFN, 0x20, UHCI, 4);
    cfg_write(t, UHCI_DEVFN, PCI_COMMAND, 5, 2);
    qh_link(t, CTRL_QH, TERMINATE, TERMINATE);
    qh_link(t, POLL_QH, CTRL_QH | IS_QH, TERMINATE);
    for (unsigned i = 0; i < 1024; i++)
        put32(t, FRAMES_AT + 4 * i, (i % 8 == 3 ? POLL_QH : CTRL_QH) | IS_QH);
    outl(t, UHCI + 8, FRAMES_AT);
    outw(t, UHCI + 4, 0x0f);
}

static inline void uhci_go(struct qt *t)
{
    outw(t, UHCI, 0xc1); /* run, configured, 64 byte packets */
    clock_step(t, NS_PER_US);
}

static inline void ms(struct qt *t, unsigned n)
{
    while (n--)
        clock_step(t, NS_PER_MS);
}

static inline void port_enable(struct qt *t, unsigned port)
{
    outw(t, UHCI + 0x10 + 2 * port, 0x0200);
    ms(t, 50);
    outw(t, UHCI + 0x10 + 2 * port, 0);
    outw(t, UHCI + 0x10 + 2 * port, 0x000e); /* enabled; forget the changes */
}

/*
 * A control transfer on CTRL_QH, one TD a packet of 8. Returns what came of the data stage (bytes),
 * -1 for a stall, -2 when nothing answered. Data go from or to DATA_AT.
 */
static inline int control(struct qt *t, unsigned addr, const uint8_t setup[8])
{
    unsigned len = setup[6] | setup[7] << 8, n = 0, at = TDS, got = 0;
    bool in = setup[0] & 0x80;
    uint32_t flags = TD_ACTIVE | TD_CERR3, status;

    memcpy(t->ram + SETUP_AT, setup, 8);
    put_td(t, at, (at + 32) | 4, flags, td_token(USB_PID_SETUP, addr, 0, 8), SETUP_AT);
    for (n = 0; n < len; n += 8) {
        unsigned part = len - n < 8 ? len - n : 8;

        at += 32;
        put_td(t, at, (at + 32) | 4, flags | (in ? TD_SPD : 0),
               td_token(in ? USB_PID_IN : USB_PID_OUT, addr, 0, part), DATA_AT + n);
    }
    at += 32;
    put_td(t, at, TERMINATE, flags | TD_IOC,
           td_token(in && len ? USB_PID_OUT : USB_PID_IN, addr, 0, 0), 0);
    put32(t, CTRL_QH + 4, TDS);
    for (unsigned i = 0; i < 600 && ram32(t, CTRL_QH + 4) != TERMINATE; i++) {
        uint32_t e = ram32(t, CTRL_QH + 4) & ~15u, ctrl = ram32(t, e + 4);

        if (ctrl & TD_STALLED) {
            put32(t, CTRL_QH + 4, TERMINATE);
            return ctrl & TD_TIMEOUT ? -2 : -1;
        }
        if (!(ctrl & TD_ACTIVE) && (ctrl & TD_SPD))
            put32(t, CTRL_QH + 4, at); /* a short packet: on with the status stage */
        ms(t, 1);
    }
    CHECK_EQ(ram32(t, CTRL_QH + 4), TERMINATE);
    for (uint32_t d = TDS + 32; d < at; d += 32) {
        status = ram32(t, d + 4);
        if (!(status & TD_ACTIVE))
            got += ((status & 0x7ff) + 1) & 0x7ff;
    }
    return (int)got;
}

static inline int request(struct qt *t, unsigned addr, unsigned type, unsigned req, unsigned value,
                          unsigned index, unsigned len)
{
    uint8_t s[8] = { (uint8_t)type,  (uint8_t)req,          (uint8_t)value, (uint8_t)(value >> 8),
                     (uint8_t)index, (uint8_t)(index >> 8), (uint8_t)len,   (uint8_t)(len >> 8) };

    return control(t, addr, s);
}

/* Resets the port, gives the device an address and the configuration. */
static inline void enumerate(struct qt *t, unsigned port, unsigned addr)
{
    port_enable(t, port);
    CHECK_EQ(request(t, 0, 0x00, 5, addr, 0, 0), 0);
    CHECK_EQ(request(t, addr, 0x00, 9, 1, 0, 0), 0);
    put_td(t, POLL_TD, TERMINATE, TD_ACTIVE | TD_CERR3, td_token(USB_PID_IN, addr, 1, 8), POLL_AT);
    put32(t, POLL_QH + 4, POLL_TD);
    ms(t, 10); /* from now on it takes the viewer's input */
    put32(t, POLL_QH + 4, TERMINATE);
}

/* Asks for a report by endpoint 1; poll_done() says whether it has come. */
static inline void poll_start(struct qt *t, unsigned addr, unsigned len)
{
    put_td(t, POLL_TD, TERMINATE, TD_ACTIVE | TD_CERR3 | TD_IOC | TD_SPD,
           td_token(USB_PID_IN, addr, 1, len), POLL_AT);
    put32(t, POLL_QH + 4, POLL_TD);
}

static inline bool poll_done(struct qt *t)
{
    return !(ram32(t, POLL_TD + 4) & TD_ACTIVE);
}

/* Fetches one report of n bytes, "" when none comes in 300 ms. */
static inline bool report_is(struct qt *t, unsigned addr, unsigned len, const char *hex)
{
    poll_start(t, addr, len);
    for (unsigned i = 0; i < 300 && !poll_done(t); i++)
        ms(t, 1);
    if (!poll_done(t)) {
        put32(t, POLL_QH + 4, TERMINATE);
        return hex_is(hex, NULL, 0);
    }
    return hex_is(hex, t->ram + POLL_AT, (ram32(t, POLL_TD + 4) + 1) & 0x7ff);
}
