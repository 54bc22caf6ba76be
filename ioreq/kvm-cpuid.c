/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID. Intel's leaves are in the SDM, volume 2, CPUID; AMD's in the APM,
 * volume 3, appendix E; KVM's own in Documentation/virt/kvm/x86/cpuid.rst.
 */
#include "ioreq/kvm-cpuid.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "hw/core/log.h"
#include "ioreq/hyperv.h"
#include "ioreq/kvm-impl.h"

#define EBX1_COUNT(n) ((n) << 16) /* logical processors of the package */
#define EBX1_APIC(id) ((uint32_t)(id) << 24)
#define ECX1_DEADLINE (1u << 24)
#define ECX1_GUEST    (1u << 31)
#define EDX1_HTT      (1u << 28)

#define KVM_FIRST 0x40000000u
#define KVM_LAST  0x400000ffu
#define KVM_MOVED 0x100u /* Linux looks for KVM's leaves at every 100h */

/*
 * What KVM offers and a guest here cannot have: a hypervisor of its own (a reset could not end it),
 * counters and traces that show the host, enclaves and their memory, and MWAIT, which would keep a
 * processor of the host from everybody else.
 */
static const struct {
    uint32_t function, index;
    uint32_t eax, ebx, ecx, edx; /* bits to be left out */
} unsafe[] = {
    { 1, 0, 0, 0, 1u << 3 | 1u << 5 | 1u << 6 | 1u << 15, 0 }, /* MONITOR, VMX, SMX, PDCM */
    { 5, 0, ~0u, ~0u, ~0u, ~0u },                              /* MONITOR, MWAIT */
    { 7, 0, 0, 1u << 2 | 1u << 25, 1u << 30, 0 },              /* SGX, PT, its launch control */
    { 0xa, 0, ~0u, ~0u, ~0u, ~0u },                            /* performance counters */
    { 0x12, 0, ~0u, ~0u, ~0u, ~0u },                           /* SGX */
    { 0x12, 1, ~0u, ~0u, ~0u, ~0u },                           /* */
    { 0x14, 0, ~0u, ~0u, ~0u, ~0u },                           /* PT */
    { 0x14, 1, ~0u, ~0u, ~0u, ~0u },                           /* */
    { 0x80000001, 0, 0, 0, 1u << 2 | 1u << 23 | 1u << 29, 0 }, /* SVM, performance, MWAITX */
    { 0x8000000a, 0, ~0u, ~0u, ~0u, ~0u },                     /* SVM */
    { 0x8000001f, 0, ~0u, ~0u, ~0u, ~0u },                     /* encrypted memory */
    { 0x80000022, 0, ~0u, ~0u, ~0u, ~0u },                     /* performance counters */
};

static unsigned bits_for(unsigned n)
{
    unsigned bits = 0;

    while (1u << bits < n)
        bits++;
    return bits;
}

/* All vCPUs are cores of one package; leaf 0Bh. */
static void topology(struct kvm_cpuid_entry2 *e, const struct cpuid_wish *w)
{
    unsigned level = e->index;

    e->edx = w->index;
    e->ecx = level & 0xff;
    e->eax = e->ebx = 0;
    if (level == 0) {
        e->ebx = 1;
        e->ecx |= 1u << 8; /* SMT */
    } else if (level == 1) {
        e->eax = bits_for(w->cpus);
        e->ebx = w->cpus;
        e->ecx |= 2u << 8; /* core */
    }
}

static void adapt(struct kvm_cpuid_entry2 *e, const struct cpuid_wish *w)
{
    switch (e->function) {
    case 1:
        e->ebx = (e->ebx & 0xffff) | EBX1_APIC(w->index);
        e->ecx |= ECX1_GUEST | (w->deadline ? ECX1_DEADLINE : 0);
        if (w->cpus > 1) {
            e->ebx |= EBX1_COUNT(1u << bits_for(w->cpus));
            e->edx |= EDX1_HTT;
        }
        break;
    case 4: /* caches: shared by nobody; so many cores in the package */
        e->eax = (e->eax & 0x3fff) | (((1u << bits_for(w->cpus)) - 1) & 0x3f) << 26;
        break;
    case 0xb:
    case 0x1f:
        topology(e, w);
        break;
    case 0x80000008: /* AMD: number of cores - 1, and the bits of the APIC id that name them */
        e->ecx = (w->cpus - 1) | bits_for(w->cpus) << 12;
        break;
    case 0x8000001d: /* AMD: caches, shared by nobody */
        e->eax &= 0x3fff;
        break;
    case 0x8000001e: /* AMD: extended APIC id; no threads, one node */
        e->eax = w->index;
        e->ebx = w->index & 0xff;
        e->ecx = 0;
        break;
    default:
        break;
    }
}

static void leave_out(struct kvm_cpuid_entry2 *e)
{
    for (unsigned i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
        if (unsafe[i].function != e->function || unsafe[i].index != e->index)
            continue;
        e->eax &= ~unsafe[i].eax;
        e->ebx &= ~unsafe[i].ebx;
        e->ecx &= ~unsafe[i].ecx;
        e->edx &= ~unsafe[i].edx;
    }
}

/* KVM's own leaves make room for them: Linux finds both, and takes the ones it knows best. */
static uint32_t add_hyperv(struct cpuid *id, uint32_t wanted, const struct kvm_cpuid2 *can)
{
    static const struct kvm_cpuid2 nothing;

    if (id->head.nent + HYPERV_LEAVES > CPUID_MAX)
        return wanted;
    for (unsigned i = 0; i < id->head.nent; i++) {
        struct kvm_cpuid_entry2 *e = &id->entries[i];

        if (e->function < KVM_FIRST || e->function > KVM_LAST)
            continue;
        if (e->function == KVM_FIRST && e->eax)
            e->eax += KVM_MOVED;
        e->function += KVM_MOVED;
    }
    id->head.nent += HYPERV_LEAVES;
    return hyperv_leaves(wanted, can ? can : &nothing, &id->entries[id->head.nent - HYPERV_LEAVES]);
}

uint32_t kvm_cpuid_make(struct cpuid *id, const struct cpuid_wish *w, const struct kvm_cpuid2 *can)
{
    for (unsigned i = 0; i < id->head.nent; i++) {
        leave_out(&id->entries[i]);
        adapt(&id->entries[i], w);
    }
    return w->hyperv ? add_hyperv(id, w->hyperv, can) : 0;
}

/* Older kernels answer through a vCPU only. */
static bool ask_hyperv(const struct vcpu *c, struct cpuid *can)
{
    can->head.nent = CPUID_MAX;
    return !ioctl(c->kvm->fd, KVM_GET_SUPPORTED_HV_CPUID, can) ||
           !ioctl(c->fd, KVM_GET_SUPPORTED_HV_CPUID, can);
}

/* Before CPUID, which says that it is there. */
static int begin_synic(struct vcpu *c, uint32_t wanted)
{
    struct kvm_enable_cap cap = { .cap = KVM_CAP_HYPERV_SYNIC };

    return wanted & HYPERV_SYNIC && ioctl(c->fd, KVM_ENABLE_CAP, &cap) ? -errno : 0;
}

static int set(struct vcpu *c, struct cpuid *id, struct cpuid *can)
{
    struct kvm *k = c->kvm;
    struct cpuid_wish w = { c->index, k->o.max_cpus, false, k->o.hyperv };
    uint32_t missing;
    bool hyperv;

    id->head.nent = CPUID_MAX;
    if (ioctl(k->fd, KVM_GET_SUPPORTED_CPUID, id))
        return -errno;
    w.deadline = ioctl(k->fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
    hyperv = w.hyperv && ask_hyperv(c, can);
    missing = kvm_cpuid_make(id, &w, hyperv ? &can->head : NULL);
    for (uint32_t left = c->index ? 0 : missing; left; left &= left - 1)
        log_line("%s: this machine's KVM does not have it; left out", hyperv_name(left));
    if (begin_synic(c, w.hyperv & ~missing) || ioctl(c->fd, KVM_SET_CPUID2, id))
        return -errno;
    return 0;
}

int kvm_cpuid_set(struct vcpu *c, struct err *err)
{
    struct cpuid *id = calloc(2, sizeof(*id));
    int rc = id ? set(c, &id[0], &id[1]) : -ENOMEM;

    free(id);
    return rc ? err_set(err, rc, "KVM: vCPU %u: features: %s", c->index, strerror(-rc)) : 0;
}
