/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/piix4-pm-int.h: between the two files of the PIIX4's power management. */
#pragma once
#include "hw/core/pci.h"
#include "hw/core/state.h"
#include "hw/piix4-pm.h"

#define SMB_REGS 16

/* GPE0: two bytes of status, two of enable */
#define GPE_PCI  0x0002
#define GPE_CPU  0x0004
#define GPE_BITS (GPE_PCI | GPE_CPU)

struct piix4_pm {
    struct pci_func pci;
    struct irq sci;
    uint64_t pm_at, smb_at;    /* where the two movable blocks are mapped; 0: nowhere */
    int64_t due;               /* s.overflow's deadline: a timer that fires forgets its own */
    bool no_smm;               /* firmware is not to wait for an SMI */
    bool pm1;                  /* PM1 events and the timer are ours */
    uint8_t cpus[PM_CPUS / 8]; /* kept over a warm reset; s.cpus is the guest's view */
    uint64_t cpus_at_start;
    uint16_t woken; /* follows s.pm1_sts: what of it outlives a wake-up */
    void (*eject)(void *arg, unsigned slot);
    void *eject_arg;
    void (*sleeps)(void *arg);
    void *sleeps_arg;
    struct {
        struct timer overflow; /* when bit 23 of the timer next changes */
        uint32_t pci_up, pci_down;
        uint32_t timer_high; /* bit 23 of the timer; the rest is how near overflow is */
        uint16_t pm1_sts, pm1_en, pm1_cnt, gpe_sts, gpe_en;
        uint8_t apm[2];
        uint8_t smb[SMB_REGS];
        uint8_t cpus[PM_CPUS / 8];
        bool asleep; /* in S3 */
        uint8_t spare[7];
    } s;
};

static inline struct piix4_pm *pm_of(struct device *dev)
{
    return container_of(pci_of(dev), struct piix4_pm, pci);
}

/* Byte off of a register pair {status, enable}: status bits are cleared by ones. */
uint8_t pm_pair_read(uint16_t sts, uint16_t en, uint64_t off);
void pm_pair_write(uint16_t *sts, uint16_t *en, uint16_t en_bits, uint64_t off, uint8_t val);

/* hw/piix4-hotplug.c: handlers of the fixed windows */
uint64_t pm_gpe_read(struct device *dev, uint64_t off, unsigned width);
void pm_gpe_write(struct device *dev, uint64_t off, uint64_t val, unsigned width);
uint64_t pm_pci_hp_read(struct device *dev, uint64_t off, unsigned width);
void pm_pci_hp_write(struct device *dev, uint64_t off, uint64_t val, unsigned width);
uint64_t pm_cpus_read(struct device *dev, uint64_t off, unsigned width);
void pm_cpus_write(struct device *dev, uint64_t off, uint64_t val, unsigned width);
