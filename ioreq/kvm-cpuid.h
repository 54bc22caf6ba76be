/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/kvm-cpuid.h: the features that a vCPU tells the guest of: those of
 * this machine as KVM offers them, without what cannot be had in a guest of
 * ours, with the guest's own topology, and Hyper-V's leaves if they are asked
 * for.
 */
#pragma once
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#define CPUID_MAX 256

struct cpuid { /* kvm_cpuid2 with room */
    struct kvm_cpuid2 head;
    struct kvm_cpuid_entry2 entries[CPUID_MAX];
};

struct cpuid_wish {
    unsigned index, cpus; /* of this vCPU, and there can ever be */
    bool deadline;        /* KVM has the APIC timer's TSC-deadline mode */
    uint32_t hyperv;      /* of hyperv.h; 0: none of it */
};

/*
 * Changes *id, KVM's answer to KVM_GET_SUPPORTED_CPUID, into what the guest is to see. can: its
 * answer to KVM_GET_SUPPORTED_HV_CPUID; NULL: it has none. Returns the parts of Hyper-V that were
 * asked for and are not there.
 */
uint32_t kvm_cpuid_make(struct cpuid *id, const struct cpuid_wish *w, const struct kvm_cpuid2 *can);
