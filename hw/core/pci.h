/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/core/pci.h: a PCI function is a device with a config space in front.
 * Source: PCI Local Bus Specification 2.1, chapter 6. Only bus 0, only type 0
 * headers, 32-bit memory and 16-bit I/O BARs.
 */
#pragma once
#include "hw/core/irq.h"
#include "hw/core/platform.h"

#define PCI_DEVFN(slot, fn) (((slot) << 3) | (fn))
#define PCI_SLOT(devfn)     ((devfn) >> 3)
#define PCI_BARS            6
#define PCI_ROM             6 /* index of the expansion ROM in mapped[] and bar_size[] */

/* Configuration registers */
#define PCI_VENDOR_ID    0x00
#define PCI_DEVICE_ID    0x02
#define PCI_COMMAND      0x04
#define PCI_STATUS       0x06
#define PCI_REVISION     0x08
#define PCI_CLASS        0x09
#define PCI_HEADER_TYPE  0x0e
#define PCI_BAR0         0x10
#define PCI_SUBVENDOR_ID 0x2c
#define PCI_SUBSYSTEM_ID 0x2e
#define PCI_ROM_BAR      0x30
#define PCI_INT_LINE     0x3c
#define PCI_INT_PIN      0x3d

#define PCI_COMMAND_IO       0x0001
#define PCI_COMMAND_MEM      0x0002
#define PCI_COMMAND_MASTER   0x0004
#define PCI_COMMAND_INTX_DIS 0x0400
#define PCI_STATUS_INTX      0x0008

struct pci_func;
struct pci_reg { /* a config register beyond the standard ones; len 0 ends a table */
    uint8_t off, len;
    uint32_t init, writable, w1c;
};

struct pci_type {
    struct device_type dev; /* its io holds fixed ports, if any; BARs are in bar[] */
    uint16_t vendor, device, subvendor, subdevice;
    uint32_t class_code;    /* 24 bits: class, subclass, programming interface */
    uint8_t revision, intx; /* intx: 0 none, 1-4 = A-D */
    bool multifunction;     /* header type bit 7 */
    /* One window each, NULL for none. Without handlers it is memory: bar_mapped hears of it. */
    const struct io_range *bar[PCI_BARS];
    uint8_t bar_prefetch; /* bit n: BAR n is prefetchable */
    const struct pci_reg *regs;
    void (*cfg_written)(struct pci_func *f, unsigned off, unsigned len); /* after the store */
    /* 0: unmapped, by the guest. Not at the device's end: what lay there stays (a soft reset of
     * a Xen guest gives it a new device model, which finds the video memory where the BAR is). */
    void (*bar_mapped)(struct pci_func *f, unsigned bar, uint64_t base);
};

struct pci_func {
    struct device dev;
    struct irq intx;
    uint8_t devfn;
    uint8_t writable[256], w1c[256], init[256]; /* from the type; constant after init */
    uint64_t bar_size[PCI_BARS + 1];            /* 0: no such BAR; [PCI_ROM] the ROM's */
    uint64_t mapped[PCI_BARS + 1];              /* derived from cfg; 0 = not mapped */
    uint8_t *rom;                               /* bar_size[PCI_ROM] bytes, or NULL */
    uint8_t cfg[256];                           /* guest-owned bytes: no pointer near them */
};

#define pci_of(devp) container_of((devp), struct pci_func, dev)
const struct pci_type *pci_type_of(const struct pci_func *f);

/* Called by device_new() for a type with .pci, before and after init, and by device_free(). */
int pci_attach(struct pci_func *f, int devfn, struct err *err);
int pci_plug(struct pci_func *f, struct err *err);
void pci_detach(struct pci_func *f);
void pci_reset(struct pci_func *f);

/* From a device's init: another BAR size than the type's (a power of two); a ROM image. */
void pci_set_bar_size(struct pci_func *f, unsigned bar, uint64_t size);
/*
 * Reads the option ROM `file` (searched along the directories in cfg's "rom-path", colon
 * separated), pads it to a power of two and makes its PCIR vendor and device match.
 * -ENOENT with a line in err when it is nowhere. cfg's "romfile" names another file, which is
 * looked for as a path first, or with an empty name none; "rombar=off" is none too.
 */
int pci_load_rom(struct pci_func *f, const struct config *cfg, const char *file, struct err *err);

uint64_t pci_cfg_read(struct pci_func *f, unsigned off, unsigned len);
void pci_cfg_write(struct pci_func *f, unsigned off, uint64_t val, unsigned len);
void pci_remap(struct pci_func *f);            /* cfg -> mapped[]; after write, reset, load */
void pci_intx(struct pci_func *f, bool level); /* from sync; honours INTx disable */
/*
 * Takes a function from the bus as if it had never been there (nothing mapped,
 * no interrupt, no DMA; its device stays, and keeps its slot), or puts it
 * back. Idempotent. Whoever does it remembers it: it is no part of f's state.
 */
void pci_set_away(struct pci_func *f, bool away);
bool pci_is_away(const struct pci_func *f);
uint16_t pci_cfg16(const struct pci_func *f, unsigned off);
uint32_t pci_cfg32(const struct pci_func *f, unsigned off);
must_check int pci_dma_read(struct pci_func *f, uint64_t gpa, void *dst, size_t len);
must_check int pci_dma_write(struct pci_func *f, uint64_t gpa, const void *src, size_t len);
/* Is bus mastering on? While it is off the functions here fail. */
bool pci_may_master(const struct pci_func *f);
/* dma_pin() that refuses while bus mastering is off; given back by dma_unpin(). */
void *pci_dma_pin(struct pci_func *f, uint64_t gpa, uint64_t len, bool write, uint64_t *got);

/* hw/core/pci-rom.c, for pci.c: the window of the expansion ROM, and the end of its bytes. */
extern const struct io_range pci_rom_range;
void pci_rom_free(struct pci_func *f);
