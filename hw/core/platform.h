/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/core/platform.h: the seam. ioreq/{xen,kvm,qtest,fuzz}.c each fill one in. */
#pragma once
#include "hw/core/device.h"
#include "hw/core/timer.h"

struct io_req { /* what every outside world is turned into */
    enum io_space space;
    bool write;
    unsigned width; /* 1, 2, 4 or 8 */
    uint64_t addr, data;
};

enum power { POWER_OFF, POWER_RESET, POWER_SUSPEND, POWER_WAKE };

struct platform;
struct pci_func;
struct usb_bus;
struct uv_loop_s;

/* Every op but now may be NULL: then the call does nothing and succeeds. */
struct platform_ops {
    const char *name;
    /* Ask for (or give back) the accesses to a window. -errno when refused. */
    int (*range)(struct platform *p, bool add, enum io_space space, uint64_t base, uint64_t size);
    int (*pci)(struct platform *p, bool add, unsigned devfn);
    int (*mem_read)(struct platform *p, uint64_t gpa, void *dst, size_t len);
    int (*mem_write)(struct platform *p, uint64_t gpa, const void *src, size_t len);
    /*
     * Lends guest RAM to one request of bulk data: the host address of gpa, good for the first
     * *got (1 to len) bytes until mem_unpin() is told the same address. NULL: no RAM there, or
     * nothing to lend; the device then copies. written: the request may have changed the len
     * bytes at host.
     */
    void *(*mem_pin)(struct platform *p, uint64_t gpa, uint64_t len, bool write, uint64_t *got);
    void (*mem_unpin)(struct platform *p, void *host, uint64_t len, bool written);
    /* Memory that a guest may be forbidden to write (the ROM lock of xen-platform). */
    int (*mem_readonly)(struct platform *p, uint64_t gpa, uint64_t len, bool readonly);
    /*
     * A chip whose bytes a guest may read at [gpa, gpa + size) without us while it is shown; the
     * memory is the device's, until host NULL. Writes come as requests always. The chip that ends
     * at 4 GiB is the firmware's.
     */
    void (*rom)(struct platform *p, uint64_t gpa, uint64_t size, uint8_t *host, bool shown);
    /* The one video memory: made once, zeroed, *host good to the end. Moved; gpa 0 hides it. */
    int (*vram_alloc)(struct platform *p, uint64_t size, void **host, struct err *err);
    int (*vram_place)(struct platform *p, uint64_t gpa);
    /* Bit n: page n written by the guest's CPU since the last call. An error means "all". */
    int (*vram_dirty)(struct platform *p, uint64_t first_page, size_t pages, uint64_t *bits);
    void (*isa_irq)(struct platform *p, unsigned pin, bool level);
    void (*pci_intx)(struct platform *p, unsigned devfn, unsigned pin, bool level);
    void (*pci_link)(struct platform *p, unsigned link, unsigned irq); /* PIRQ A-D; irq 0: off */
    void (*msi)(struct platform *p, uint64_t addr, uint32_t data);
    void (*power)(struct platform *p, enum power what);
    void (*timer)(struct platform *p, int64_t at); /* the earliest deadline is now `at` */
    int64_t (*now)(struct platform *p);            /* guest ns */
    int64_t (*wall)(struct platform *p);           /* s since 1970; NULL: the host's clock */
};

/* Told of what goes in, if there is one: ioreq/record.c. */
struct platform_tap {
    /* Around a request; devfn -1 where it is to a window, else off is in that function's config. */
    void (*request)(struct platform *p, int devfn, unsigned off, const struct io_req *req);
    void (*answer)(struct platform *p, const struct io_req *req);
    void (*timers)(struct platform *p, int64_t now); /* around timers_run() */
    void (*timers_done)(struct platform *p);
};

#define PLATFORM_WINDOWS 256
#define PLATFORM_TIMERS  256
#define PLATFORM_USB     4

struct window {
    uint64_t base;
    const struct io_range *range;
    struct device *dev;
    uint64_t size;
    uint64_t hits; /* accesses, for "info accesses" */
};

struct platform { /* embedded first in each world's struct; platform_init() fills it */
    const struct platform_ops *ops;
    const struct platform_tap *tap; /* NULL: nobody listens */
    struct uv_loop_s *loop;         /* for sinks and back ends; NULL where nothing is real */
    unsigned nwindows[2];           /* by enum io_space, sorted by base */
    struct window windows[2][PLATFORM_WINDOWS];
    unsigned ntimers;
    struct timer *timers[PLATFORM_TIMERS];
    int64_t armed;             /* what ops->timer was told last */
    uint8_t isa_level[16];     /* drivers that hold the line up */
    uint8_t intx_level[32][4]; /* by PCI device and pin */
    struct pci_func *pci[256]; /* by devfn, bus 0 */
    struct usb_bus *usb[PLATFORM_USB];
    unsigned nusb;
    struct pci_func *away[256]; /* those that pci_set_away() took from the bus */
    uint64_t accesses;          /* served, for "info accesses" */
    uint64_t config_cycles;     /* those of them to config space */
};

void platform_init(struct platform *p, const struct platform_ops *ops, struct uv_loop_s *loop);

/* The only way in. For a read, req->data is filled (bytes nobody claims are ones). */
void platform_io(struct platform *p, struct io_req *req);
void platform_pci_cfg(struct platform *p, unsigned devfn, unsigned off, struct io_req *req);
/* Is there a device's window at addr? */
bool platform_covers(const struct platform *p, enum io_space space, uint64_t addr);

/* A device's window appears or goes; base is absolute. -EBUSY where two would overlap. */
int platform_map(struct platform *p, struct device *dev, const struct io_range *r, uint64_t base,
                 uint64_t size);
void platform_unmap(struct platform *p, struct device *dev, const struct io_range *r,
                    uint64_t base);

int64_t platform_now(struct platform *p);
int64_t platform_wall(struct platform *p); /* the host's clock: s since 1970 */
void platform_power(struct platform *p, enum power what);
/* ops->rom, where there is one: elsewhere every read is a request. */
void platform_rom(struct platform *p, uint64_t gpa, uint64_t size, uint8_t *host, bool shown);
void platform_isa_irq(void *p, unsigned pin, bool level); /* an irq's drive; ORs the drivers */

/*
 * Guest RAM is copied. A target that is not RAM is an error for the device to
 * report the way its hardware would; it is never dispatched, so no device can
 * be re-entered through its own DMA. Only the data of disks is not copied
 * where the world can lend it (mem_pin): what is in it must not matter to us.
 */
#define must_check __attribute__((warn_unused_result))
must_check int dma_read(struct device *dev, uint64_t gpa, void *dst, size_t len);
must_check int dma_write(struct device *dev, uint64_t gpa, const void *src, size_t len);
#define dma_get(dev, gpa, p) dma_read((dev), (gpa), (p), sizeof(*(p)))
#define dma_put(dev, gpa, p) dma_write((dev), (gpa), (p), sizeof(*(p)))
/* mem_pin() and mem_unpin(), or NULL and nothing where the world has none. */
void *dma_pin(struct device *dev, uint64_t gpa, uint64_t len, bool write, uint64_t *got);
void dma_unpin(struct device *dev, void *host, uint64_t len, bool written);
