/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hot-plug as the guest's DSDT describes it: GPE0 (ACPI 2.0 4.7.4.1) at 0xafe0,
 * PCI slots at 0xae00, the bitmap of CPUs at 0xaf00 (docs/chips/piix4-pm.md).
 * No chip has these; the PIIX4's own GPE block (82371AB 7.2) is not modelled.
 */
#include "hw/piix4-pm-int.h"

/* PCI hot-plug, dwords */
enum { HP_UP, HP_DOWN, HP_EJECT, HP_REMOVABLE };

uint64_t pm_gpe_read(struct device *dev, uint64_t off, unsigned width)
{
    struct piix4_pm *p = pm_of(dev);

    return pm_pair_read(p->s.gpe_sts, p->s.gpe_en, off);
}

void pm_gpe_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct piix4_pm *p = pm_of(dev);

    pm_pair_write(&p->s.gpe_sts, &p->s.gpe_en, 0xffff, off, val);
    dev->type->sync(dev);
}

static void gpe_raise(struct piix4_pm *p, uint16_t bit)
{
    p->s.gpe_sts |= bit;
    p->pci.dev.type->sync(&p->pci.dev);
}

/* PCI hot-plug. Bit n is slot n. PCIU is not cleared by reading it. */

/* Bridges, displays and the Xen platform device stay. */
static uint32_t removable_slots(const struct platform *plat)
{
    uint32_t slots = 0;

    for (unsigned slot = 0; slot < PM_SLOTS; slot++) {
        const struct pci_func *f = plat->pci[PCI_DEVFN(slot, 0)];
        uint8_t class = f ? f->cfg[PCI_CLASS + 2] : 0;

        if (class != 0x03 && class != 0x06 && class != 0xff)
            slots |= 1u << slot;
    }
    return slots;
}

uint64_t pm_pci_hp_read(struct device *dev, uint64_t off, unsigned width)
{
    struct piix4_pm *p = pm_of(dev);
    uint32_t val = 0;

    switch (off / 4) {
    case HP_UP:
        val = p->s.pci_up;
        break;
    case HP_DOWN:
        val = p->s.pci_down;
        break;
    case HP_REMOVABLE:
        val = removable_slots(dev->plat);
        break;
    }
    return val >> (8 * (off & 3));
}

void pm_pci_hp_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct piix4_pm *p = pm_of(dev);
    uint32_t slots = (uint32_t)val << (8 * (off & 3)) & removable_slots(dev->plat);

    if (off / 4 != HP_EJECT)
        return;
    p->s.pci_up &= ~slots;
    p->s.pci_down &= ~slots;
    for (unsigned slot = 0; slot < PM_SLOTS && p->eject; slot++)
        if (slots & 1u << slot)
            p->eject(p->eject_arg, slot);
}

void pm_pci_plugged(struct device *pm, unsigned slot)
{
    struct piix4_pm *p = pm_of(pm);

    if (slot >= PM_SLOTS)
        return;
    p->s.pci_up |= 1u << slot;
    gpe_raise(p, GPE_PCI);
}

void pm_pci_unplug_request(struct device *pm, unsigned slot)
{
    struct piix4_pm *p = pm_of(pm);

    if (slot >= PM_SLOTS)
        return;
    p->s.pci_down |= 1u << slot;
    gpe_raise(p, GPE_PCI);
}

uint32_t pm_pci_leaving(struct device *pm)
{
    return pm_of(pm)->s.pci_down;
}

void pm_set_eject(struct device *pm, void (*eject)(void *arg, unsigned slot), void *arg)
{
    pm_of(pm)->eject = eject;
    pm_of(pm)->eject_arg = arg;
}

/* CPU hot-plug */

uint64_t pm_cpus_read(struct device *dev, uint64_t off, unsigned width)
{
    return pm_of(dev)->s.cpus[off & (PM_CPUS / 8 - 1)];
}

void pm_cpus_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    guest_err(dev, "write %02x to the CPU bitmap", (unsigned)val);
}

void pm_cpu_plug(struct device *pm, unsigned cpu)
{
    struct piix4_pm *p = pm_of(pm);

    if (cpu >= PM_CPUS)
        return;
    p->s.cpus[cpu / 8] |= 1u << (cpu % 8);
    gpe_raise(p, GPE_CPU);
}

bool pm_cpu_present(const struct device *pm, unsigned cpu)
{
    const struct piix4_pm *p = container_of(pm, const struct piix4_pm, pci.dev);

    return cpu < PM_CPUS && (p->s.cpus[cpu / 8] & 1u << (cpu % 8));
}
