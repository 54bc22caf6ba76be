/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/guest-mem.h: guest memory of a Xen domain, mapped on demand in chunks
 * and copied, or lent to a disk's request. The only code that touches guest RAM.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xenforeignmemory_handle;
struct xendevicemodel_handle;
struct guest_mem;

/* NULL when out of memory. The handles stay the caller's and must outlive it. */
struct guest_mem *guest_mem_new(struct xenforeignmemory_handle *fmem,
                                struct xendevicemodel_handle *dmod, unsigned domid);
void guest_mem_free(struct guest_mem *m);

/* 0, or -EFAULT when any byte is not RAM (bytes before it may have been copied). */
int guest_mem_copy(struct guest_mem *m, uint64_t gpa, void *buf, size_t len, bool write);

/*
 * Lends guest RAM, as mem_pin of hw/core/platform.h has it: the first *got of
 * len bytes at gpa, at most to the end of its MiB. NULL when that is no RAM,
 * or as much as can be is lent already. What is lent stays mapped until it is
 * given back by the address it was lent at, whatever happens to the guest's
 * memory map.
 */
void *guest_mem_pin(struct guest_mem *m, uint64_t gpa, uint64_t len, uint64_t *got);
void guest_mem_unpin(struct guest_mem *m, void *host, uint64_t len, bool written);

/* Forgets every mapping: the guest's memory map changed (INVALIDATE), or we moved pages. */
void guest_mem_drop(struct guest_mem *m);

/* While on, pages written are reported to the hypervisor for live migration. */
void guest_mem_log_dirty(struct guest_mem *m, bool on);
