/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hypervisor for the back ends of PV devices, in memory: a xenstore that
 * tells of changes, pages that a guest has granted, event channels. Shared by
 * unit tests and the fuzzer, so it knows no test runner.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ioreq/pv/pv.h"

#define FAKE_NODES   256
#define FAKE_WATCHES 64
#define FAKE_PAGES   640 /* a grant reference is a number of a page */
#define FAKE_PORTS   32
#define FAKE_DOMID   7

struct fake_pv {
    struct pv *pv;
    struct {
        char *path, *val; /* path NULL: free */
    } node[FAKE_NODES];
    struct {
        char path[192], token[64];
        bool on, due;
    } watch[FAKE_WATCHES];
    int memfd;
    uint8_t *page[FAKE_PAGES]; /* as the guest sees them, side by side */
    bool granted[FAKE_PAGES];
    bool readonly[FAKE_PAGES]; /* granted for reading only */
    unsigned mapped, maps, copies;
    bool bound[FAKE_PORTS]; /* local ports, which are 100 + the remote one */
    unsigned notified[FAKE_PORTS];
};

/* types NULL: all. False: out of memory. */
bool fake_pv_open(struct fake_pv *f, struct uv_loop_s *loop, const struct pv_type *const *types);
bool fake_pv_start(struct fake_pv *f, const struct pv_outside *outside);
/* False: something is still mapped, bound or watched. */
bool fake_pv_close(struct fake_pv *f);

void fake_set(struct fake_pv *f, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void fake_rm(struct fake_pv *f, const char *path);               /* and what is below */
const char *fake_get(const struct fake_pv *f, const char *path); /* "" when there is none */
/* Tells of what has changed until nothing changes any more (or for some rounds). */
void fake_settle(struct fake_pv *f);
void fake_event(struct fake_pv *f, unsigned remote_port); /* the guest notifies */
