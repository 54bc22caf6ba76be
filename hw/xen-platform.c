/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Xen platform device: PCI function 5853:0001 and the fixed ports
 * 0x10-0x1f. Xen's docs/misc/hvm-emulated-unplug.pandoc and the guests'
 * drivers are the document (docs/chips/xen-platform.md).
 *
 * PV drivers find Xen's memory window in BAR 1 and announce themselves at the
 * fixed ports before they unplug the emulated disks and NICs. Unplugging is
 * not modelled. So that a guest does not drive the same disk twice it is told,
 * the way the protocol has for it, that its drivers are not welcome: once it
 * has named itself, the magic number reads "blacklisted", and it keeps the
 * emulated devices. A guest that asks to unplug all the same is ignored.
 *
 * INTA of this slot is raised by the hypervisor and never from here.
 */
#include <errno.h>
#include <string.h>
#include "hw/core/config.h"
#include "hw/core/log.h"
#include "hw/core/state.h"
#include "hw/devices.h"

#define MAGIC             0x49d2
#define MAGIC_BLACKLISTED 0xd249
#define PROTOCOL          1
#define FLAG_ROM_LOCK     0x01

#define OFF_MAGIC   0 /* word: magic, unplug mask; long: build; byte: flags */
#define OFF_VERSION 2 /* byte: protocol version, log; word: product */

#define BAR_FLAGS   0
#define BAR_UNPLUG  4
#define BAR_UNPLUG2 8 /* 1, 2, or a character for the log */

#define ROM_BASE 0xc0000
#define ROM_SIZE 0x40000
#define LINE     128

enum { NAMED_PRODUCT = 1, NAMED_BUILD = 2 };

struct xen_platform {
    struct pci_func pci;
    bool locked;  /* what the platform was told of the ROM area */
    bool refused; /* said so in the log */
    struct {
        uint32_t build;
        uint16_t product;
        uint8_t named; /* which of the two the guest has told */
        uint8_t flags;
        uint8_t line_len;
        uint8_t line[LINE + 3]; /* what the guest writes to our log, until a newline */
    } s;
};

static const struct field xen_platform_state[] = {
    FIELD(struct xen_platform, build),
    FIELD(struct xen_platform, product),
    FIELD(struct xen_platform, named, .bits = NAMED_PRODUCT | NAMED_BUILD),
    FIELD(struct xen_platform, flags, .bits = FLAG_ROM_LOCK),
    FIELD(struct xen_platform, line_len, .max = LINE),
    ARRAY(struct xen_platform, line),
    FIELDS_END
};

static struct xen_platform *xp_of(struct device *dev)
{
    return container_of(pci_of(dev), struct xen_platform, pci);
}

static void xp_sync(struct device *dev)
{
    struct xen_platform *x = xp_of(dev);
    bool lock = x->s.flags & FLAG_ROM_LOCK;

    if (lock == x->locked)
        return;
    x->locked = lock;
    if (dev->plat->ops->mem_readonly &&
        dev->plat->ops->mem_readonly(dev->plat, ROM_BASE, ROM_SIZE, lock) < 0)
        log_line("%s: cannot make the ROM area %s", dev->id, lock ? "read-only" : "writable");
}

/* The guest's log, made harmless: log_provoked() bounds how much there can be of it. */

static void log_flush(struct xen_platform *x)
{
    char line[LINE + 1];
    unsigned len = x->s.line_len < LINE ? x->s.line_len : LINE;

    for (unsigned i = 0; i < len; i++)
        line[i] = x->s.line[i] >= ' ' && x->s.line[i] < 0x7f ? (char)x->s.line[i] : '?';
    line[len] = '\0';
    x->s.line_len = 0;
    if (len)
        log_provoked("%s: guest says: %s", x->pci.dev.id, line);
}

static void log_char(struct xen_platform *x, uint8_t c)
{
    if (c == '\r')
        return;
    if (c != '\n' && x->s.line_len < LINE)
        x->s.line[x->s.line_len++] = c;
    if (c == '\n' || x->s.line_len >= LINE)
        log_flush(x);
}

/* The announcement, and the answer to it */

static bool announced(const struct xen_platform *x)
{
    return x->s.named == (NAMED_PRODUCT | NAMED_BUILD);
}

static uint16_t magic(struct xen_platform *x)
{
    if (!announced(x))
        return MAGIC;
    if (!x->refused)
        log_line("%s: PV drivers (product %u, build %u) are told to stay away: unplugging emulated "
                 "devices is not supported",
                 x->pci.dev.id, x->s.product, x->s.build);
    x->refused = true;
    return MAGIC_BLACKLISTED;
}

static void unplug(struct xen_platform *x, unsigned what)
{
    guest_err(&x->pci.dev, "unplug %x is refused", what);
}

/* The fixed ports: byte, word and long at one address are different registers. */

static uint64_t fixed_read(struct device *dev, uint64_t off, unsigned width)
{
    struct xen_platform *x = xp_of(dev);

    if (off == OFF_MAGIC && width == 2)
        return magic(x);
    if (off == OFF_MAGIC && width == 1)
        return x->s.flags;
    return off == OFF_VERSION && width == 1 ? PROTOCOL : ~0ULL;
}

static void write_magic(struct xen_platform *x, uint64_t val, unsigned width)
{
    if (width == 1) {
        x->s.flags = val & FLAG_ROM_LOCK;
    } else if (width == 2) {
        unplug(x, val);
    } else {
        x->s.build = val;
        x->s.named |= NAMED_BUILD;
    }
}

static void fixed_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct xen_platform *x = xp_of(dev);

    if (off == OFF_MAGIC) {
        write_magic(x, val, width);
    } else if (off == OFF_VERSION && width == 1) {
        log_char(x, val);
    } else if (off == OFF_VERSION && width == 2) {
        x->s.product = val;
        x->s.named |= NAMED_PRODUCT;
    }
    xp_sync(dev);
}

/* BAR 0: the interface before the fixed ports */

static uint64_t bar_read(struct device *dev, uint64_t off, unsigned width)
{
    return off == BAR_FLAGS ? xp_of(dev)->s.flags : 0xff;
}

static void bar_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct xen_platform *x = xp_of(dev);

    if (off == BAR_FLAGS)
        x->s.flags = val & FLAG_ROM_LOCK;
    else if (off == BAR_UNPLUG && val == 1)
        unplug(x, val);
    else if (off == BAR_UNPLUG2 && (val == 1 || val == 2))
        unplug(x, val);
    else if (off == BAR_UNPLUG2)
        log_char(x, val);
    xp_sync(dev);
}

/* BAR 1: an address range for the guest's PV drivers. Pages appear there by hypercall. */

static uint64_t window_read(struct device *dev, uint64_t off, unsigned width)
{
    return 0;
}

static void window_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
}

static int xp_init(struct device *dev, const struct config *cfg, struct err *err)
{
    const char *mode = config_str(cfg, "unplug", "refuse");

    if (strcmp(mode, "refuse"))
        return err_set(err, -ENOTSUP, "%s: unplug=%s: only unplug=refuse is supported", dev->id,
                       mode);
    return 0;
}

static const struct io_range fixed_io[] = {
    { IO_PORT, 0x10, 0x10, 1 | 2 | 4, fixed_read, fixed_write }, { 0 }
};

static const struct io_range bar0 = { IO_PORT, 0, 0x100, 1, bar_read, bar_write };
static const struct io_range bar1 = {
    IO_MEM, 0, 16 << 20, 1 | 2 | 4 | 8, window_read, window_write
};

const struct pci_type xen_platform_type = {
    .dev = { .name = "xen-platform",
             .version = 1,
             DEVICE_LAYOUT(struct xen_platform),
             .io = fixed_io,
             .state = xen_platform_state,
             .pci = true,
             .init = xp_init,
             .sync = xp_sync },
    .vendor = 0x5853,
    .device = 0x0001,
    .subvendor = 0x5853,
    .subdevice = 0x0001,
    .class_code = 0xff8000,
    .revision = 1,
    .intx = 1,
    .bar = { &bar0, &bar1 },
    .bar_prefetch = 1 << 1,
};
