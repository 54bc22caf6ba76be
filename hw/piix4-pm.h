/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine asks of the power management function: hot-plug, and the power button. */
#pragma once
#include <stdbool.h>
#include "hw/core/device.h"

#define PM_CPUS  256
#define PM_SLOTS 32

/* Makes a CPU present and tells the guest by GPE 2. Over PM_CPUS: ignored. */
void pm_cpu_plug(struct device *pm, unsigned cpu);
bool pm_cpu_present(const struct device *pm, unsigned cpu);

/*
 * Hot-plug of cards: one has come to a slot, or is asked to leave it. Tells
 * the guest by GPE 1.
 */
void pm_pci_plugged(struct device *pm, unsigned slot);
void pm_pci_unplug_request(struct device *pm, unsigned slot);
uint32_t pm_pci_leaving(struct device *pm); /* bit n: slot n was asked and has not left yet */
/* eject is called when the guest lets go of a slot; NULL: the device stays. */
void pm_set_eject(struct device *pm, void (*eject)(void *arg, unsigned slot), void *arg);

/*
 * Sleep with memory kept, ACPI S3. sleeps is called when the guest goes there, before the world
 * is told; NULL: nobody is. Only one is.
 */
void pm_set_sleeps(struct device *pm, void (*sleeps)(void *arg), void *arg);
/* A key or another thing that wakes a PC: the world is told if the guest sleeps. */
void pm_wake(struct device *pm);
/* Whoever else woke it: it does not sleep any more. */
void pm_woken(struct device *pm);
/* The power management of this platform, for other chips of the board; NULL: none. */
struct device *pm_find(struct platform *plat);

/*
 * The power button, where PM1 is ours (config "pm1-timer"); elsewhere nothing happens. It wakes a
 * guest that sleeps.
 */
void pm_power_button(struct device *pm);

/*
 * The clock's alarm: RTC_STS, where PM1 is ours; elsewhere nothing happens. It wakes a guest that
 * has enabled it.
 */
void pm_rtc_alarm(struct device *pm);
