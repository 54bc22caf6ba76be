/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/xen.h: Xen as the outside world. One ioreq server for one domain, its
 * two shared pages, its event channels, and the device-model hypercalls.
 * The contract is written down in docs/xen.md.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "hw/core/platform.h"

struct xen_options {
    int      domid;
    uint64_t ram;          /* bytes of guest RAM, video memory not counted (-m) */
    uint64_t low_ram_max;  /* where RAM stops below 4 GiB (-machine max-ram-below-4g) */
    bool     incoming;     /* the guest's memory, VRAM included, is restored already */
    void (*gone)(void *arg); /* the domain has died under us */
    bool (*busy)(void *arg); /* the loop is needed soon: disk requests are in flight */
    void *arg;
};

/*
 * Opens the handles, makes the ioreq server and maps its pages, so that
 * devices can claim windows. NULL and one line in err: no Xen, no such
 * domain, not HVM, no permission. Freed by xen_close().
 */
struct platform *xen_open(struct uv_loop_s *loop, const struct xen_options *o, struct err *err);
void             xen_close(struct platform *p);

/* Enables the server, binds the event channels and answers requests from now on. */
int xen_start(struct platform *p, struct err *err);

/* Tells libxl that the device model is ready (device-model/N/state = "running"). */
int xen_announce(struct platform *p, struct err *err);

/* `stop` and `cont`: requests wait and guest time stands still in between. */
void xen_pause(struct platform *p);
void xen_resume(struct platform *p);

void xen_log_dirty(struct platform *p, bool on);

/* -xen-domid-restrict: from here on every handle is good for this domain only. */
int xen_restrict(struct platform *p, struct err *err);
