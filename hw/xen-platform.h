/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/xen-platform.h: what the Xen platform device knows of the guest's PV
 * drivers, and what the outside may tell it. Config:
 *   unplug     "on" (default); "off": drivers are told that they are not
 *              welcome, and who asks to unplug all the same is refused
 *   blacklist  drivers that are not welcome: PRODUCT[:FIRST[-LAST]] of build
 *              numbers, several with "/" between them
 */
#pragma once
#include "hw/core/pci.h"

#define XP_LINES 8 /* of the guest's log are kept */
#define XP_LINE  128

/* The bits of the unplug mask. */
enum { XP_DISKS = 1, XP_NICS = 2, XP_AUX_DISKS = 4, XP_NVME = 8, XP_ALL = 15 };

extern const struct pci_type xen_platform_type;

struct xp_info {
    bool named;        /* product and build are told */
    bool refused;      /* it is told to stay away */
    uint16_t product;  /* who wrote the drivers: 3 is Linux */
    uint32_t build;    /* their version */
    uint8_t protocol;  /* version of the unplug protocol that we speak */
    uint8_t unplugged; /* XP_DISKS... */
    bool rom_locked;
    unsigned nlines; /* of the guest's log, oldest first */
    const char *line[XP_LINES];
};

bool xp_is_platform(const struct device *dev);
void xp_info(const struct device *dev, struct xp_info *info); /* lines: good until the guest runs */
/* "Microsoft"-like name of a product number, or NULL. */
const char *xp_product_name(unsigned product);
/* Whether PV drivers are welcome from the next reset on; the running guest's are not touched. */
void xp_welcome_next(struct device *dev, bool welcome);

struct xp_events {
    /* The guest unplugs a network card: it leaves the bus when this returns. */
    void (*nic_leaves)(void *arg, struct device *nic);
};
void xp_listen(struct device *dev, const struct xp_events *events, void *arg);
