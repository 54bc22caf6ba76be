/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Xen platform device: PCI function 5853:0001 and the fixed ports
 * 0x10-0x1f. Xen's docs/misc/hvm-emulated-unplug.pandoc and the guests'
 * drivers are the document (docs/chips/xen-platform.md).
 *
 * PV drivers find Xen's memory window in BAR 1, announce themselves at the
 * fixed ports and then unplug the emulated disks and NICs, to which they are
 * the faster way. All that an unplugged disk had to write is on its image,
 * and the image is let go of, when the guest's OUT is over. What was unplugged
 * stays away, also after save and restore, until the guest is reset.
 *
 * Drivers that are not welcome (config "unplug", "blacklist") are told so in
 * the protocol's own way: once they have named themselves the magic number
 * reads "blacklisted", and they keep the emulated devices.
 *
 * INTA of this slot is raised by the hypervisor and never from here.
 */
#include "hw/xen-platform.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/config.h"
#include "hw/core/log.h"
#include "hw/core/state.h"
#include "hw/ide.h"

#define MAGIC             0x49d2
#define MAGIC_BLACKLISTED 0xd249
#define PROTOCOL          1
#define FLAG_ROM_LOCK     0x01

#define OFF_MAGIC   0 /* word: magic, unplug mask; long: build; byte: flags */
#define OFF_VERSION 2 /* byte: protocol version, log; word: product */

#define BAR_FLAGS   0
#define BAR_UNPLUG  4 /* 1: disks and network cards */
#define BAR_UNPLUG2 8 /* 1: disks; 2: network cards; or a character for the log */

#define ROM_BASE 0xc0000
#define ROM_SIZE 0x40000
#define SLOTS    32
#define UNWANTED 16 /* entries of the blacklist */

#define CLASS_NETWORK 0x02

enum { NAMED_PRODUCT = 1, NAMED_BUILD = 2, NAMED_BOTH = 3 };

/* States from before there was an unplug have NO_ANSWER: those guests were told to stay away. */
enum answer { NO_ANSWER, WELCOME, STAY_AWAY, ANSWERS };

struct xp_unwanted {
    uint16_t product;
    uint32_t first, last; /* builds */
};

struct xen_platform {
    struct pci_func pci;
    bool locked;                /* what the platform was told of the ROM area */
    bool told;                  /* the log has the drivers' names */
    bool welcome, welcome_next; /* may drivers unplug: now, from the next reset on */
    struct xp_unwanted unwanted[UNWANTED];
    unsigned nunwanted;
    char lines[XP_LINES][XP_LINE + 1]; /* a ring of the guest's log */
    unsigned nlines;
    const struct xp_events *events;
    void *events_arg;
    struct {
        uint32_t build;
        uint32_t cards; /* bit n: the network card in slot n was unplugged */
        uint16_t product;
        uint8_t named; /* which of the two the guest has told */
        uint8_t flags;
        uint8_t line_len;
        uint8_t line[XP_LINE + 3]; /* what the guest writes to our log, until a newline */
        uint16_t unplugged;        /* mask, as the guest wrote it so far */
        uint16_t answer;           /* what it was told when it had named itself: enum answer */
    } s;
};

static const struct field xen_platform_state[] = {
    FIELD(struct xen_platform, build),
    FIELD(struct xen_platform, product),
    FIELD(struct xen_platform, named, .bits = NAMED_PRODUCT | NAMED_BUILD),
    FIELD(struct xen_platform, flags, .bits = FLAG_ROM_LOCK),
    FIELD(struct xen_platform, line_len, .max = XP_LINE),
    ARRAY(struct xen_platform, line),
    FIELD(struct xen_platform, cards, .since = 2),
    FIELD(struct xen_platform, unplugged, .bits = XP_ALL, .since = 2),
    FIELD(struct xen_platform, answer, .max = ANSWERS - 1, .since = 2),
    FIELDS_END
};

static struct xen_platform *xp_of(struct device *dev)
{
    return container_of(pci_of(dev), struct xen_platform, pci);
}

/* ---- what is unplugged ---- */

/* The function 0 of a slot, on the bus or off it, if it is a network card; else NULL. */
static struct pci_func *nic_in(const struct platform *p, unsigned slot)
{
    unsigned devfn = PCI_DEVFN(slot, 0);
    struct pci_func *f = p->pci[devfn] ? p->pci[devfn] : p->away[devfn];

    return f && pci_type_of(f)->class_code >> 16 == CLASS_NETWORK ? f : NULL;
}

static void sync_cards(struct xen_platform *x)
{
    struct platform *p = x->pci.dev.plat;

    for (unsigned slot = 0; slot < SLOTS; slot++) {
        struct pci_func *f = nic_in(p, slot);

        if (f)
            pci_set_away(f, x->s.cards & (1u << slot));
    }
}

static void xp_sync(struct device *dev)
{
    struct xen_platform *x = xp_of(dev);
    bool lock = x->s.flags & FLAG_ROM_LOCK;

    sync_cards(x);
    if (lock == x->locked)
        return;
    x->locked = lock;
    if (dev->plat->ops->mem_readonly &&
        dev->plat->ops->mem_readonly(dev->plat, ROM_BASE, ROM_SIZE, lock) < 0)
        log_line("%s: cannot make the ROM area %s", dev->id, lock ? "read-only" : "writable");
}

static void unplug_disks(struct xen_platform *x, bool aux_only)
{
    struct platform *p = x->pci.dev.plat;

    for (unsigned devfn = 0; devfn < 256; devfn++) {
        if (p->pci[devfn] && ide_is_host(&p->pci[devfn]->dev))
            ide_unplug(&p->pci[devfn]->dev, aux_only);
    }
}

/* A card off the bus is reset: it hears nothing, and its state is worth nothing. */
static void unplug_nics(struct xen_platform *x)
{
    struct platform *p = x->pci.dev.plat;

    for (unsigned slot = 0; slot < SLOTS; slot++) {
        struct pci_func *f = nic_in(p, slot);

        if (!f || pci_is_away(f))
            continue;
        if (x->events && x->events->nic_leaves)
            x->events->nic_leaves(x->events_arg, &f->dev);
        device_reset(&f->dev, RESET_COLD);
        x->s.cards |= 1u << slot;
    }
}

/* ---- who is welcome ---- */

static bool announced(const struct xen_platform *x)
{
    return x->s.named == NAMED_BOTH;
}

static bool blacklisted(const struct xen_platform *x)
{
    for (unsigned i = 0; i < x->nunwanted; i++) {
        const struct xp_unwanted *u = &x->unwanted[i];

        if (u->product == x->s.product && u->first <= x->s.build && x->s.build <= u->last)
            return true;
    }
    return false;
}

/* The answer stands until the guest is reset: who kept its disks must not lose them in a resume. */
static void named(struct xen_platform *x, uint8_t what)
{
    bool was = announced(x);

    x->s.named |= what;
    if (!was && announced(x))
        x->s.answer = x->welcome && !blacklisted(x) ? WELCOME : STAY_AWAY;
}

static bool refused(const struct xen_platform *x)
{
    return announced(x) ? x->s.answer != WELCOME : !x->welcome;
}

const char *xp_product_name(unsigned product)
{
    static const char *const names[] = {
        NULL,    "xensource-windows",       "gplpv-windows",
        "linux", "xenserver-windows-v7.0+", "xenserver-windows-v7.2+"
    };

    if (product == 0xffff)
        return "experimental";
    return product < sizeof(names) / sizeof(names[0]) ? names[product] : NULL;
}

static uint16_t magic(struct xen_platform *x)
{
    const char *name = xp_product_name(x->s.product);

    if (!announced(x))
        return MAGIC;
    if (!x->told)
        log_line("%s: PV drivers of the guest: product %u (%s), build %u%s", x->pci.dev.id,
                 x->s.product, name ? name : "unknown", x->s.build,
                 refused(x) ? "; they are told to stay away" : "");
    x->told = true;
    return refused(x) ? MAGIC_BLACKLISTED : MAGIC;
}

/* Idempotent: drivers repeat it after a restore. */
static void unplug(struct xen_platform *x, unsigned what)
{
    unsigned fresh = what & XP_ALL & ~x->s.unplugged;

    if (refused(x)) {
        guest_err(&x->pci.dev, "unplug %x is refused", what);
        return;
    }
    if (what & ~XP_ALL)
        guest_err(&x->pci.dev, "unplug %x: bits that mean nothing", what);
    x->s.unplugged |= what & XP_ALL;
    if (what & (XP_DISKS | XP_AUX_DISKS))
        unplug_disks(x, !(what & XP_DISKS));
    if (what & XP_NICS)
        unplug_nics(x);
    if (fresh)
        log_provoked("%s: the guest has unplugged:%s%s%s%s", x->pci.dev.id,
                     fresh & XP_DISKS ? " disks" : "", fresh & XP_AUX_DISKS ? " aux-disks" : "",
                     fresh & XP_NICS ? " network-cards" : "", fresh & XP_NVME ? " nvme-disks" : "");
}

/* ---- the guest's log, made harmless: log_provoked() bounds how much there can be of it ---- */

static void log_flush(struct xen_platform *x)
{
    char *line = x->lines[x->nlines % XP_LINES];
    unsigned len = x->s.line_len < XP_LINE ? x->s.line_len : XP_LINE;

    x->s.line_len = 0;
    if (!len)
        return;
    for (unsigned i = 0; i < len; i++)
        line[i] = x->s.line[i] >= ' ' && x->s.line[i] < 0x7f ? (char)x->s.line[i] : '?';
    line[len] = '\0';
    x->nlines = x->nlines + 1 < 2 * XP_LINES ? x->nlines + 1 : XP_LINES;
    log_provoked("%s: guest says: %s", x->pci.dev.id, line);
}

static void log_char(struct xen_platform *x, uint8_t c)
{
    if (c == '\r')
        return;
    if (c != '\n' && x->s.line_len < XP_LINE)
        x->s.line[x->s.line_len++] = c;
    if (c == '\n' || x->s.line_len >= XP_LINE)
        log_flush(x);
}

/* ---- the fixed ports: byte, word and long at one address are different registers ---- */

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
        named(x, NAMED_BUILD);
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
        named(x, NAMED_PRODUCT);
    }
    xp_sync(dev);
}

/* ---- BAR 0: the interface before the fixed ports ---- */

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
        unplug(x, XP_DISKS | XP_NICS);
    else if (off == BAR_UNPLUG2 && (val == 1 || val == 2))
        unplug(x, val == 1 ? XP_DISKS : XP_NICS);
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

/* ---- the device ---- */

/* "3", "3:40", "3:40-61" */
static bool parse_unwanted(const char *text, size_t len, struct xp_unwanted *u)
{
    char word[48], *end;
    unsigned long product, first, last;

    if (!len || len >= sizeof(word) || text[0] < '0' || text[0] > '9')
        return false;
    memcpy(word, text, len);
    word[len] = '\0';
    product = strtoul(word, &end, 0);
    first = 0;
    last = UINT32_MAX;
    if (*end == ':' && end[1] >= '0' && end[1] <= '9') {
        first = last = strtoul(end + 1, &end, 0);
        if (*end == '-' && end[1] >= '0' && end[1] <= '9')
            last = strtoul(end + 1, &end, 0);
    }
    *u = (struct xp_unwanted){ (uint16_t)product, (uint32_t)first, (uint32_t)last };
    return !*end && product <= UINT16_MAX && first <= last && last <= UINT32_MAX;
}

static int parse_blacklist(struct xen_platform *x, const char *list, struct err *err)
{
    while (*list) {
        size_t len = strcspn(list, "/");

        if (x->nunwanted == UNWANTED)
            return err_set(err, -ENOSPC, "%s: blacklist: more than %d entries", x->pci.dev.id,
                           UNWANTED);
        if (!parse_unwanted(list, len, &x->unwanted[x->nunwanted++]))
            return err_set(err, -EINVAL,
                           "%s: blacklist: %.*s is not of the form PRODUCT[:BUILD[-BUILD]]",
                           x->pci.dev.id, (int)len, list);
        list += len + (list[len] == '/');
    }
    return 0;
}

static int xp_init(struct device *dev, const struct config *cfg, struct err *err)
{
    const char *mode = config_str(cfg, "unplug", "on");

    if (strcmp(mode, "on") && strcmp(mode, "off"))
        return err_set(err, -EINVAL, "%s: unplug=%s: on or off", dev->id, mode);
    xp_of(dev)->welcome_next = !strcmp(mode, "on");
    return parse_blacklist(xp_of(dev), config_str(cfg, "blacklist", ""), err);
}

static void xp_reset(struct device *dev, enum reset_kind kind)
{
    struct xen_platform *x = xp_of(dev);

    x->told = false;
    x->welcome = x->welcome_next;
}

bool xp_is_platform(const struct device *dev)
{
    return dev->type == &xen_platform_type.dev;
}

void xp_info(const struct device *dev, struct xp_info *info)
{
    const struct xen_platform *x = container_of(dev, const struct xen_platform, pci.dev);
    unsigned kept = x->nlines < XP_LINES ? x->nlines : XP_LINES;

    *info = (struct xp_info){ .named = announced(x),
                              .refused = refused(x),
                              .product = x->s.product,
                              .build = x->s.build,
                              .protocol = PROTOCOL,
                              .unplugged = x->s.unplugged,
                              .rom_locked = x->s.flags & FLAG_ROM_LOCK,
                              .nlines = kept };
    for (unsigned i = 0; i < kept; i++)
        info->line[i] = x->lines[(x->nlines - kept + i) % XP_LINES];
}

void xp_welcome_next(struct device *dev, bool welcome)
{
    xp_of(dev)->welcome_next = welcome;
}

void xp_listen(struct device *dev, const struct xp_events *events, void *arg)
{
    xp_of(dev)->events = events;
    xp_of(dev)->events_arg = arg;
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
             .version = 2,
             DEVICE_LAYOUT(struct xen_platform),
             .io = fixed_io,
             .state = xen_platform_state,
             .pci = true,
             .init = xp_init,
             .reset = xp_reset,
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
