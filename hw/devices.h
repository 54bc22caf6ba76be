/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/devices.h: every device type there is, one line a chip, each defined in the file it names. */
#pragma once
#include "hw/core/pci.h"

extern const struct pci_type i440fx_type;        /* hw/i440fx.c */
extern const struct pci_type piix3_type;         /* hw/piix3.c */
extern const struct pci_type piix3_ide_type;     /* hw/ide.c */
extern const struct pci_type piix4_pm_type;      /* hw/piix4-pm.c */
extern const struct pci_type xen_platform_type;  /* hw/xen-platform.c */
extern const struct pci_type vga_type;           /* hw/vga.c */
extern const struct pci_type cirrus_type;        /* hw/cirrus.c */
extern const struct pci_type rtl8139_type;       /* hw/rtl8139.c */
extern const struct pci_type e1000_type;         /* hw/e1000.c */
extern const struct pci_type pcnet_type;         /* hw/pcnet.c */
extern const struct pci_type ne2000_type;        /* hw/ne2000.c */
extern const struct pci_type ac97_type;          /* hw/ac97.c */
extern const struct pci_type es1370_type;        /* hw/es1370.c */
extern const struct pci_type ahci_type;          /* hw/ahci.c */
extern const struct pci_type piix3_uhci_type;    /* hw/uhci.c */
extern const struct device_type usb_tablet_type; /* hw/usb-hid.c */
extern const struct device_type usb_mouse_type;  /* hw/usb-hid.c */
extern const struct device_type usb_kbd_type;    /* hw/usb-hid.c */
extern const struct device_type pci_host_type;   /* hw/pci-host.c */
extern const struct device_type port92_type;     /* hw/port92.c */
extern const struct device_type cmos_type;       /* hw/cmos.c */
extern const struct device_type dma8237_type;    /* hw/dma8237.c */
extern const struct device_type i8042_type;      /* hw/i8042.c */
extern const struct device_type serial_type;     /* hw/serial.c */
extern const struct device_type parallel_type;   /* hw/parallel.c */
extern const struct device_type debugcon_type;   /* hw/debugcon.c */
extern const struct device_type fw_cfg_type;     /* hw/fw-cfg.c */
extern const struct device_type hpet_type;       /* hw/hpet.c */
extern const struct device_type fdc_type;        /* hw/fdc.c */
extern const struct device_type sb16_type;       /* hw/sb16.c */
extern const struct device_type pflash_type;     /* hw/pflash.c */
