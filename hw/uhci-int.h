/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What uhci.c (registers, ports) and uhci-frame.c (the schedule) share. */
#pragma once
#include "hw/core/pci.h"
#include "hw/core/state.h"
#include "hw/usb.h"

#define FRAME_NS  NS_PER_MS
#define FRAMES    1024  /* in the frame list */
#define FRNUM_MAX 0x7ff /* the counter has a bit more */

#define CMD_RS      0x0001
#define CMD_HCRESET 0x0002
#define CMD_GRESET  0x0004
#define CMD_EGSM    0x0008
#define CMD_FGR     0x0010
#define CMD_BITS    0x00ff

#define STS_USBINT 0x01
#define STS_ERR    0x02
#define STS_RESUME 0x04
#define STS_HSE    0x08 /* host system error: memory that is none */
#define STS_HCPE   0x10 /* host controller process error: a schedule that is none */
#define STS_HALTED 0x20

#define PORT_CONNECTED 0x0001
#define PORT_CONN_CHG  0x0002
#define PORT_ENABLED   0x0004
#define PORT_EN_CHG    0x0008
#define PORT_DPLUS     0x0010
#define PORT_RESUME    0x0040
#define PORT_ALWAYS1   0x0080
#define PORT_RESET     0x0200
#define PORT_SUSPEND   0x1000

enum { CAUSE_IOC = 1, CAUSE_SHORT = 2 }; /* why STS_USBINT is set */

struct uhci {
    struct pci_func pci;
    struct usb_bus bus;
    int64_t due; /* when s.frame fires, also while it does */
    struct {
        struct timer frame; /* running: the next look at the schedule */
        uint32_t base;      /* FRBASEADD */
        uint32_t busy;      /* frames that are looked at one by one, before gaps grow */
        uint16_t cmd, sts, intr;
        uint16_t backoff; /* the next gap is 2^backoff frames */
        uint16_t frnum;   /* halted: FRNUM; running: what it is from the moment `frame` fires */
        uint16_t port[USB_PORTS];
        uint8_t sofmod, cause;
    } s;
};

#define uhci_of(devp) container_of(pci_of(devp), struct uhci, pci)

/* uhci.c */
void uhci_halt(struct uhci *u, uint16_t why); /* STS_ bits, 0 for none */
void uhci_update_irq(struct uhci *u);

/* uhci-frame.c */
void uhci_run(struct uhci *u);  /* RS was set: the frame in s.frnum begins now */
void uhci_stop(struct uhci *u); /* RS was cleared */
void uhci_due(void *uhci);      /* the timer's fire */
/* The guest or a device has done something: look again at once, and then often for a while. */
void uhci_stir(struct uhci *u);
void uhci_input(struct uhci *u);
uint16_t uhci_frnum(const struct uhci *u);
