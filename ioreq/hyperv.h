/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/hyperv.h: which parts of Microsoft's interface of a hypervisor a guest
 * on KVM is told of. The kernel does the work; this says so in CPUID, as the
 * Hypervisor Top-Level Functional Specification (TLFS) 2.4 has it. The names
 * are those of QEMU's -cpu, "hv-NAME".
 */
#pragma once
#include <linux/kvm.h>
#include <stdint.h>
#include "hw/core/err.h"

enum {
    HYPERV_RELAXED = 1 << 0,     /* no watchdog on clock interrupts */
    HYPERV_VAPIC = 1 << 1,       /* MSRs of the local APIC, the assist page */
    HYPERV_VPINDEX = 1 << 2,     /* MSR with the number of the vCPU */
    HYPERV_RUNTIME = 1 << 3,     /* MSR with the time that the vCPU ran */
    HYPERV_TIME = 1 << 4,        /* the reference counter, and its page for the TSC */
    HYPERV_CRASH = 1 << 5,       /* MSRs that a guest writes when it crashes */
    HYPERV_RESET = 1 << 6,       /* MSR that resets */
    HYPERV_FREQUENCIES = 1 << 7, /* MSRs with the TSC's and the APIC's */
    HYPERV_SYNIC = 1 << 8,       /* synthetic interrupts */
    HYPERV_STIMER = 1 << 9,      /* synthetic timers */
    HYPERV_TLBFLUSH = 1 << 10,   /* hypercalls that flush other vCPUs' TLBs */
    HYPERV_IPI = 1 << 11,        /* a hypercall for interrupts to many vCPUs */
    HYPERV_SPINLOCKS = 1 << 12,  /* never tell the hypervisor of a lock that is spun on */
};

#define HYPERV_FIRST  0x40000000u
#define HYPERV_LEAVES 6

/* The bit of "hv-NAME" or "hv_NAME"; 0: there is none of that name. */
uint32_t hyperv_by_name(const char *name);
/* "hv-NAME" of the lowest bit in `bits`. */
const char *hyperv_name(uint32_t bits);
/* Does each have what it needs? 0, or -EINVAL and a line. */
int hyperv_check(uint32_t wanted, struct err *err);
/*
 * The leaves from HYPERV_FIRST for what is wanted and among `can`, which is KVM's answer to
 * KVM_GET_SUPPORTED_HV_CPUID. Returns what is wanted and cannot be had.
 */
uint32_t hyperv_leaves(uint32_t wanted, const struct kvm_cpuid2 *can,
                       struct kvm_cpuid_entry2 out[HYPERV_LEAVES]);
