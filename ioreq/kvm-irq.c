/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PICs and the I/O APIC are the kernel's. GSI n is ISA interrupt n: input
 * n of the PICs and of the I/O APIC, but for the timer (GSI 0), which a PC has
 * at input 2 of the I/O APIC (fw_cfg and the MADT say so too).
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include "ioreq/kvm-impl.h"

#define IOAPIC_INPUTS 24

static void add_route(struct kvm_irq_routing *table, unsigned gsi, unsigned chip, unsigned pin)
{
    struct kvm_irq_routing_entry *e = &table->entries[table->nr++];

    e->gsi = gsi;
    e->type = KVM_IRQ_ROUTING_IRQCHIP;
    e->u.irqchip.irqchip = chip;
    e->u.irqchip.pin = pin;
}

static void lines_changed(struct pc_lines *l, unsigned irq, bool level)
{
    struct kvm *k = container_of(l, struct kvm, lines);
    struct kvm_irq_level line = { .irq = irq, .level = level };

    if (irq && irq != 2) /* the kernel's own timer, and the cascade */
        ioctl(k->vm, KVM_IRQ_LINE, &line);
}

int kvm_irq_open(struct kvm *k, struct err *err)
{
    struct {
        struct kvm_irq_routing head;
        struct kvm_irq_routing_entry entries[16 + IOAPIC_INPUTS];
    } table = { { 0 } };
    struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

    k->lines.changed = lines_changed;
    if (ioctl(k->vm, KVM_CREATE_IRQCHIP))
        return err_set(err, -errno, "KVM: no interrupt controllers: %s", strerror(errno));
    if (ioctl(k->vm, KVM_CREATE_PIT2, &pit))
        return err_set(err, -errno, "KVM: no interval timer: %s", strerror(errno));
    for (unsigned i = 0; i < 16; i++) {
        if (i != 2)
            add_route(&table.head, i, i < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
                      i & 7);
    }
    for (unsigned i = 0; i < IOAPIC_INPUTS; i++) {
        if (i != 2)
            add_route(&table.head, i, KVM_IRQCHIP_IOAPIC, i ? i : 2);
    }
    if (ioctl(k->vm, KVM_SET_GSI_ROUTING, &table))
        return err_set(err, -errno, "KVM: interrupt routes: %s", strerror(errno));
    return 0;
}

void kvm_isa_irq(struct platform *p, unsigned pin, bool level)
{
    pc_lines_isa(&kvm_of(p)->lines, pin, level);
}

void kvm_pci_intx(struct platform *p, unsigned devfn, unsigned pin, bool level)
{
    pc_lines_intx(&kvm_of(p)->lines, devfn, pin, level);
}

void kvm_pci_link(struct platform *p, unsigned link, unsigned irq)
{
    pc_lines_route(&kvm_of(p)->lines, link, irq);
}

void kvm_msi(struct platform *p, uint64_t addr, uint32_t data)
{
    struct kvm_msi msi = { .address_lo = (uint32_t)addr,
                           .address_hi = (uint32_t)(addr >> 32),
                           .data = data };

    ioctl(kvm_of(p)->vm, KVM_SIGNAL_MSI, &msi);
}
