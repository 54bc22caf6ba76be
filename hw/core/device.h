/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/core/device.h: what a device is. Knows nothing of Xen, KVM or a test. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/core/err.h"

enum io_space { IO_PORT, IO_MEM };
/* Power-on; asked for by the guest; back from sleep with memory kept (ACPI S3). */
enum reset_kind { RESET_COLD, RESET_WARM, RESET_WAKE };

struct device;
struct config;
struct field;
struct platform;

/*
 * One window of registers. The bus promises the handlers: width is one of
 * widths, off is a multiple of width, off + width <= size, val has no bits
 * above width. Accesses that do not fit are cut into ones that do, lowest
 * address first; bytes nobody claims read as ones. A handler cannot fail and
 * cannot block.
 */
struct io_range {
    enum io_space space;
    uint64_t base;   /* default; not used for a BAR */
    uint64_t size;   /* 0 ends a table */
    unsigned widths; /* OR of 1, 2, 4, 8 */
    uint64_t (*read)(struct device *dev, uint64_t off, unsigned width);
    void (*write)(struct device *dev, uint64_t off, uint64_t val, unsigned width);
};

struct device_type {
    const char *name;           /* option, log prefix, save key */
    unsigned version;           /* of the state table */
    size_t size, s_off, s_size; /* DEVICE_LAYOUT() fills these */
    const struct io_range *io;  /* ends with size 0; NULL for none */
    const struct field *state;  /* NULL for none */
    bool pci;                   /* this is the .dev of a struct pci_type */
    int (*init)(struct device *dev, const struct config *cfg, struct err *err);
    void (*fini)(struct device *dev);
    void (*reset)(struct device *dev, enum reset_kind kind); /* s arrives zeroed */
    void (*sync)(struct device *dev);                        /* re-derive lines, maps, from s */
    bool (*check)(const struct device *dev);                 /* can a guest bring s about? */
};
#define DEVICE_LAYOUT(T) .size = sizeof(T), .s_off = offsetof(T, s), .s_size = sizeof(((T *)0)->s)

struct device { /* first member of every device */
    const struct device_type *type;
    struct platform *plat;
    char id[24];           /* "parallel0" */
    unsigned guest_errors; /* nonsense the guest did; see guest_err() */
};

#define container_of(p, T, m) ((T *)(void *)((char *)(p)-offsetof(T, m)))

/*
 * Makes a device: allocates, registers its windows with the platform, calls
 * init, resets it cold. On failure returns NULL, err says why, nothing is left
 * behind. init may set up irqs, timers and host objects; s is set by reset.
 * devfn: of a PCI function, else -1.
 */
struct device *device_new(struct platform *plat, const struct device_type *type, const char *id,
                          int devfn, const struct config *cfg, struct err *err);
void device_reset(struct device *dev, enum reset_kind kind);
void device_free(struct device *dev);

/* Counts guest nonsense and logs the first few and then every power of two. */
void guest_err(struct device *dev, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
