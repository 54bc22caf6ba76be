/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/ioreq.h: Xen's ioreq ABI (xen/include/public/hvm/ioreq.h, docs/xen.md)
 * seen as calls on a platform. Knows no event channel and no hypercall, so the
 * unit tests drive it with pages of their own.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/hvm/ioreq.h>
#include "hw/core/platform.h"

/* What the non-I/O request types ask for. Either may be NULL. */
struct ioreq_hooks {
    void (*invalidate)(struct platform *p);                   /* drop cached guest mappings */
    void (*time_offset)(struct platform *p, int64_t seconds); /* the guest set its clock */
};

/*
 * Performs one request, already copied out of the shared page: expands count,
 * df and data_is_ptr in chunks of a page. For a read without data_is_ptr,
 * req->data holds the answer afterwards. A request no Xen sends (odd size,
 * unknown type) reads as ones and is counted in the return value: false.
 */
bool ioreq_serve(struct platform *p, const struct ioreq_hooks *hooks, struct ioreq *req);

/*
 * Serves vCPU slot `slot` of the shared page if it is READY: drains the
 * buffered ring, copies the request once, performs it, stores the answer and
 * releases the slot to RESP_READY. True when the vCPU is to be notified.
 */
bool ioreq_slot(struct platform *p, const struct ioreq_hooks *hooks, struct ioreq *slot,
                buffered_iopage_t *ring);

/* Is the slot READY? Only a look: ioreq_slot() decides. */
bool ioreq_waits(const struct ioreq *slot);

/* Serves what is in the buffered ring, at most one ring full. How many entries there were. */
unsigned ioreq_drain(struct platform *p, const struct ioreq_hooks *hooks, buffered_iopage_t *ring);
