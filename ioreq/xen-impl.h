/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/xen-impl.h: what xen.c, xen-ops.c, xen-vram.c and xenstore.c share. One
 * ioreq server for one domain, its two shared pages, its event channels, and
 * the device-model hypercalls. The contract is written down in docs/xen.md.
 */
#pragma once
#include <stdbool.h>
#include <uv.h>
#include <xenctrl.h>
#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>
#include <xenstore.h>
#include <xentoollog.h>
#include "ioreq/guest-clock.h"
#include "ioreq/guest-mem.h"
#include "ioreq/ioreq.h"
#include "ioreq/pv/pv.h"
#include "ioreq/world.h"

#define XEN_PAGE_SHIFT 12
#define XEN_MAX_VCPUS  128 /* slots in the one shared page */

struct xen_vram {
    uint8_t *host; /* mapped for ever: relocation keeps the machine pages */
    uint64_t pages;
    uint64_t hidden_gfn; /* above RAM, where it is made and where it waits without a BAR */
    uint64_t gfn;        /* where it is now */
    bool mapped;         /* false: restored guest, BAR not known yet */
};

struct xen {
    struct platform plat;
    struct world_options o;
    xc_interface *xc;
    xendevicemodel_handle *dmod;
    xenforeignmemory_handle *fmem;
    xenevtchn_handle *xce;
    struct xs_handle *xs;
    struct guest_mem *mem;

    struct pv *pv;
    xengnttab_handle *gnt;
    xenevtchn_handle *pv_xce;
    uv_poll_t pv_events;

    ioservid_t server;
    bool have_server;
    xenforeignmemory_resource_handle *pages;
    buffered_iopage_t *ring;
    shared_iopage_t *slots;
    unsigned nvcpus;
    evtchn_port_t port[XEN_MAX_VCPUS];

    uv_poll_t events, store;
    unsigned nhandles; /* libuv handles still closing */
    bool started;
    struct guest_clock clock;
    uint64_t answered, gap; /* in cycles: the last answer, and the mean pause after one */

    struct xen_vram vram;
};

#define xen_of(p) container_of((p), struct xen, plat)

/* xen-ops.c */
extern const struct platform_ops xen_ops;

/* xen-vram.c */
int xen_vram_alloc(struct platform *p, uint64_t size, void **host, struct err *err);
int xen_vram_place(struct platform *p, uint64_t gpa);
int xen_vram_dirty(struct platform *p, uint64_t first_page, size_t pages, uint64_t *bits);
int xen_vram_restored(struct xen *x); /* after the saved state is loaded, before the start */
void xen_vram_free(struct xen *x);

/* xen-pv.c */
int xen_pv_open(struct xen *x, struct err *err);
void xen_pv_close(struct xen *x); /* when its handles are closed */
struct pv *xen_pv(struct platform *p);

/* xenstore.c: watches @releaseDomain and calls o.gone. */
int xen_store_open(struct xen *x, struct err *err);
void xen_store_close(struct xen *x);
/* A word under the guest's UUID, which a reboot keeps: as world.h has it. */
int xen_leave_word(struct platform *p, const char *word, struct err *err);
bool xen_take_word(struct platform *p, char *word, size_t size);
int xen_announce(struct platform *p, struct err *err); /* device-model/N/state = "running" */
