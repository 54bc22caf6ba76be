/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU's state, which is kept as the kernel made it, because that is what a
 * reset brings back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "hw/core/log.h"
#include "ioreq/kvm-impl.h"

#define MSRS_MAX     512
#define MSR_IA32_TSC 0x10

/* ---- reset ---- */

struct kvm_reset {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_fpu fpu;
    struct kvm_xcrs xcrs;
    struct kvm_debugregs debug;
    struct kvm_lapic_state lapic;
    struct kvm_vcpu_events events;
    struct kvm_mp_state mp;
    unsigned nmsrs;
    struct kvm_msr_entry msrs[MSRS_MAX];
};

/* Those that the kernel lets be read, one by one: it stops at the first that it does not. */
static void keep_msrs(struct vcpu *c, const struct kvm_msr_list *list)
{
    struct kvm_reset *r = c->reset;

    for (unsigned i = 0; i < list->nmsrs; i++) {
        struct {
            struct kvm_msrs head;
            struct kvm_msr_entry entry;
        } one = { .head = { .nmsrs = 1 }, .entry = { .index = list->indices[i] } };

        if (list->indices[i] != MSR_IA32_TSC && ioctl(c->fd, KVM_GET_MSRS, &one) == 1)
            r->msrs[r->nmsrs++] = one.entry;
    }
}

static int keep_all_msrs(struct vcpu *c)
{
    struct kvm_msr_list *list = calloc(1, sizeof(*list) + MSRS_MAX * sizeof(list->indices[0]));
    int rc = -ENOMEM;

    if (list) {
        list->nmsrs = MSRS_MAX;
        rc = ioctl(c->kvm->fd, KVM_GET_MSR_INDEX_LIST, list) ? -errno : 0;
        if (!rc)
            keep_msrs(c, list);
    }
    free(list);
    return rc;
}

int kvm_state_keep(struct vcpu *c, struct err *err)
{
    struct kvm_reset *r = c->reset = calloc(1, sizeof(*r));
    int rc;

    if (!r)
        return err_set(err, -ENOMEM, "out of memory");
    rc = ioctl(c->fd, KVM_GET_REGS, &r->regs) || ioctl(c->fd, KVM_GET_SREGS, &r->sregs) ||
         ioctl(c->fd, KVM_GET_FPU, &r->fpu) || ioctl(c->fd, KVM_GET_LAPIC, &r->lapic) ||
         ioctl(c->fd, KVM_GET_VCPU_EVENTS, &r->events) ||
         ioctl(c->fd, KVM_GET_DEBUGREGS, &r->debug) || ioctl(c->fd, KVM_GET_MP_STATE, &r->mp);
    if (rc)
        rc = -errno;
    if (ioctl(c->fd, KVM_GET_XCRS, &r->xcrs)) /* a processor without XSAVE has none */
        r->xcrs.nr_xcrs = 0;
    rc = rc ? rc : keep_all_msrs(c);
    return rc ? err_set(err, rc, "KVM: vCPU %u: state: %s", c->index, strerror(-rc)) : 0;
}

void kvm_state_forget(struct vcpu *c)
{
    free(c->reset);
    c->reset = NULL;
}

void kvm_state_reset(struct vcpu *c)
{
    struct kvm_reset *r = c->reset;

    ioctl(c->fd, KVM_SET_SREGS, &r->sregs);
    ioctl(c->fd, KVM_SET_REGS, &r->regs);
    ioctl(c->fd, KVM_SET_FPU, &r->fpu);
    if (r->xcrs.nr_xcrs)
        ioctl(c->fd, KVM_SET_XCRS, &r->xcrs);
    ioctl(c->fd, KVM_SET_DEBUGREGS, &r->debug);
    for (unsigned i = 0; i < r->nmsrs; i++) {
        struct {
            struct kvm_msrs head;
            struct kvm_msr_entry entry;
        } one = { .head = { .nmsrs = 1 }, .entry = r->msrs[i] };

        ioctl(c->fd, KVM_SET_MSRS, &one);
    }
    ioctl(c->fd, KVM_SET_LAPIC, &r->lapic);
    ioctl(c->fd, KVM_SET_VCPU_EVENTS, &r->events);
    ioctl(c->fd, KVM_SET_MP_STATE, &r->mp);
    c->parked = false;
}

int kvm_chips_keep(struct kvm *k, struct err *err)
{
    int rc = ioctl(k->vm, KVM_GET_PIT2, &k->pit);

    for (unsigned i = 0; i < 3; i++) {
        k->chip[i].chip_id = i;
        rc = rc ? rc : ioctl(k->vm, KVM_GET_IRQCHIP, &k->chip[i]);
    }
    return rc ? err_set(err, -errno, "KVM: state of its chips: %s", strerror(errno)) : 0;
}

void kvm_chips_reset(struct kvm *k)
{
    for (unsigned i = 0; i < 3; i++)
        ioctl(k->vm, KVM_SET_IRQCHIP, &k->chip[i]);
    ioctl(k->vm, KVM_SET_PIT2, &k->pit);
}

/* ---- for people ---- */

void kvm_state_log(struct vcpu *c)
{
    struct kvm_regs r;
    struct kvm_sregs s;

    if (ioctl(c->fd, KVM_GET_REGS, &r) || ioctl(c->fd, KVM_GET_SREGS, &s))
        return;
    log_line("rip %016llx rflags %08llx cs %04x base %llx", r.rip, r.rflags, s.cs.selector,
             s.cs.base);
    log_line("rax %016llx rbx %016llx rcx %016llx rdx %016llx", r.rax, r.rbx, r.rcx, r.rdx);
    log_line("rsi %016llx rdi %016llx rbp %016llx rsp %016llx", r.rsi, r.rdi, r.rbp, r.rsp);
    log_line("r8  %016llx r9  %016llx r10 %016llx r11 %016llx", r.r8, r.r9, r.r10, r.r11);
    log_line("r12 %016llx r13 %016llx r14 %016llx r15 %016llx", r.r12, r.r13, r.r14, r.r15);
    log_line("cr0 %llx cr2 %llx cr3 %llx cr4 %llx efer %llx ss %04x ds %04x es %04x", s.cr0, s.cr2,
             s.cr3, s.cr4, s.efer, s.ss.selector, s.ds.selector, s.es.selector);
}
