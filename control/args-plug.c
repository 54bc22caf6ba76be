/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-plug.c: -device ide-hd, ide-cd and floppy: where a drive is
 * plugged, and what it says of itself. The drive= is an if=none -drive or a
 * node of -blockdev.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"

#define IDE_UNITS  4
#define AHCI_PORTS 6
#define SECTOR     512

const struct keyval_key args_ide_keys[] = {
    { "driver", 0 },
    { "id", 0 },
    { "drive", 0 },
    { "bus", 0 },
    { "unit", 0 },
    { "serial", 0 },
    { "ver", 0 },
    { "model", 0 },
    { "wwn", 0 },
    { "cyls", 0 },
    { "heads", 0 },
    { "secs", 0 },
    { "bios-chs-trans", 0 },
    { "chs-trans", 0 },
    { "lcyls", 0 },
    { "lheads", 0 },
    { "lsecs", 0 },
    { "bootindex", 0 },
    { "logical_block_size", 0 },
    { "physical_block_size", 0 },
    { "min_io_size", 0 },
    { "opt_io_size", 0 },
    { "discard_granularity", 0 },
    { "werror", 0 },
    { "rerror", 0 },
    { "write-cache", 0 },
    { "share-rw", 0 },
    { "rotation_rate", 0 },
    { "account-invalid", 0 },
    { "account-failed", 0 },
    { "backend_defaults", 0 },
    { NULL, 0 },
};

const struct keyval_key args_floppy_keys[] = {
    { "driver", 0 },
    { "id", 0 },
    { "drive", 0 },
    { "bus", 0 },
    { "unit", 0 },
    { "drive-type", 0 },
    { "bootindex", 0 },
    { "werror", 0 },
    { "rerror", 0 },
    { "write-cache", 0 },
    { "share-rw", 0 },
    { "logical_block_size", 0 },
    { "physical_block_size", 0 },
    { NULL, 0 },
};

static bool is_floppy(const char *driver)
{
    return !strcmp(driver, "floppy");
}

/* "ide.0" → 0, "ide.1" → 2: the first unit of the channel; -1 otherwise. */
static int bus_unit(const char *bus)
{
    if (strncmp(bus, "ide.", 4) || (bus[4] != '0' && bus[4] != '1') || bus[5])
        return -1;
    return 2 * (bus[4] - '0');
}

/* "ahci0.3" → 3; -1: it is not the spelling of a port. */
static int ahci_port(const char *bus)
{
    const char *dot = strrchr(bus, '.');

    if (!dot || dot == bus || !strncmp(bus, "ide.", 4) || dot[1] < '0' ||
        dot[1] >= '0' + AHCI_PORTS || dot[2])
        return -1;
    return dot[1] - '0';
}

static bool is_ahci(const struct device_arg *d, const char *bus)
{
    const char *id = config_str(&d->cfg, "id", NULL);

    return id && (!strcmp(d->driver, "ahci") || !strcmp(d->driver, "ich9-ahci")) &&
           strlen(id) == (size_t)(strrchr(bus, '.') - bus) && !strncmp(bus, id, strlen(id));
}

/* Puts d on the port of an AHCI controller that has been named before. */
static int plug_ahci(struct args_ctx *c, const struct config *cfg, struct drive_arg *d)
{
    const char *driver = config_str(cfg, "driver", ""), *bus = config_str(cfg, "bus", "");
    const struct device_arg *card = NULL;
    int port = ahci_port(bus);

    for (unsigned i = 0; i < c->a->ndevices && !card; i++) {
        if (is_ahci(&c->a->devices[i], bus))
            card = &c->a->devices[i];
    }
    if (!card)
        return err_set(c->err, -EINVAL,
                       "-device %s: Bus '%s' not found; is there a -device ahci of that id?",
                       driver, bus);
    for (unsigned i = 0; i < c->a->ndrives; i++) {
        const struct drive_arg *o = &c->a->drives[i];

        if (o->iface == DRIVE_AHCI && o->index == port &&
            !strcmp(o->bus, config_str(&card->cfg, "id", "")))
            return err_set(c->err, -EINVAL, "-device %s: IDE unit 0 of bus '%s' is in use", driver,
                           bus);
    }
    d->iface = DRIVE_AHCI;
    d->index = port;
    d->bus = xstrdup(config_str(&card->cfg, "id", ""));
    return 0;
}

static int check_numbers(struct args_ctx *c, const char *opt, const struct config *cfg)
{
    uint64_t n, physical;
    int64_t index;
    bool on;
    int rc = args_check_props(cfg, opt, c->err);

    if (!rc)
        rc = keyval_uint(cfg, opt, "logical_block_size", SECTOR, 32768, &n, c->err);
    if (!rc && n != SECTOR)
        rc = err_set(c->err, -EINVAL, "%s: logical_block_size must be 512 for IDE", opt);
    if (!rc)
        rc = keyval_uint(cfg, opt, "physical_block_size", SECTOR, 2 << 20, &physical, c->err);
    if (!rc && (physical < SECTOR || physical & (physical - 1)))
        rc = err_set(c->err, -EINVAL,
                     "%s: physical_block_size=%llu: must be a power of 2 from 512 "
                     "to 2097152",
                     opt, (unsigned long long)physical);
    if (!rc)
        rc = keyval_addr(cfg, opt, "wwn", 0, UINT64_MAX, &n, c->err);
    if (!rc)
        rc = keyval_int(cfg, opt, "bootindex", -1, -1, INT32_MAX, &index, c->err);
    if (!rc && config_str(cfg, "write-cache", NULL) &&
        strcmp(config_str(cfg, "write-cache", ""), "auto"))
        rc = keyval_bool(cfg, opt, "write-cache", true, &on, c->err);
    if (!rc)
        rc = keyval_bool(cfg, opt, "share-rw", false, &on, c->err);
    return rc;
}

static int check_ide(struct args_ctx *c, const char *driver, const struct config *cfg)
{
    const char *bus = config_str(cfg, "bus", NULL);
    uint64_t unit = 0;
    char opt[48];
    int rc;

    snprintf(opt, sizeof(opt), "-device %s", driver);
    rc = keyval_check(cfg, "-device", is_floppy(driver) ? args_floppy_keys : args_ide_keys, c->err);
    if (!rc)
        rc = keyval_uint(cfg, "-device", "unit", 0, 1, &unit, c->err);
    if (!rc && !config_str(cfg, "drive", NULL) && !strcmp(driver, "ide-hd"))
        rc = err_set(c->err, -EINVAL, "-device %s: drive= is missing", driver);
    if (!rc && bus && !is_floppy(driver) && bus_unit(bus) < 0 && ahci_port(bus) < 0)
        rc =
            err_set(c->err, -EINVAL,
                    "-device %s,bus=%s: no such bus; use ide.0 or ide.1, or AHCI-ID.0 to AHCI-ID.5",
                    driver, bus);
    if (!rc && bus && ahci_port(bus) >= 0 && bus_unit(bus) < 0 && unit)
        rc = err_set(c->err, -EINVAL,
                     "-device %s,bus=%s: Can't create IDE unit %u, bus supports "
                     "only 1 units",
                     driver, bus, (unsigned)unit);
    return rc ? rc : check_numbers(c, opt, cfg);
}

int args_note_plug(struct args_ctx *c, const char *driver, const struct config *cfg)
{
    struct plug_def *p;
    int rc = check_ide(c, driver, cfg);

    if (!rc && c->nplugs == ARGS_DRIVES)
        rc = err_set(c->err, -EINVAL, "-device %s,drive=%s: more than %u", driver,
                     config_str(cfg, "drive", ""), ARGS_DRIVES);
    if (rc)
        return rc;
    p = &c->plugs[c->nplugs++];
    for (size_t i = 0; i < cfg->n; i++)
        config_set(&p->cfg, cfg->items[i].key, cfg->items[i].val);
    config_set(&p->cfg, "driver", driver);
    c->seen.cdrom |= !is_floppy(driver);
    c->seen.floppy |= is_floppy(driver);
    return 0;
}

/* A drive for a node of -blockdev, or an empty one; it has the device's id, or the node's name. */
static struct drive_arg *new_drive(struct args_ctx *c, const struct config *cfg, const char *node)
{
    struct vm_args *a = c->a;
    const char *id = config_str(cfg, "id", node);
    struct drive_arg *d;
    char *made = NULL;

    if (a->ndrives == ARGS_DRIVES) {
        err_set(c->err, -EINVAL, "-device %s: more than %u drives", config_str(cfg, "driver", ""),
                ARGS_DRIVES);
        return NULL;
    }
    if (!id || args_find_drive(a, id))
        id = made = xasprintf("drive%u", a->ndrives);
    d = &a->drives[a->ndrives++];
    d->id = xstrdup(id);
    d->node = node ? xstrdup(node) : NULL;
    d->unit = -1;
    d->writeback = true;
    free(made);
    return d;
}

/* The plug's drive, which is on no bus yet. NULL and the line otherwise. */
static struct drive_arg *find_medium(struct args_ctx *c, const struct config *cfg)
{
    const char *driver = config_str(cfg, "driver", ""), *name = config_str(cfg, "drive", NULL);
    struct drive_arg *d = name ? args_find_drive(c->a, name) : NULL;
    struct node_arg *n = name && !d ? args_find_node(c->a, name) : NULL;

    if (!name || n) {
        for (unsigned i = 0; n && i < c->a->ndrives; i++) {
            if (c->a->drives[i].node && !strcmp(c->a->drives[i].node, name)) {
                err_set(c->err, -EINVAL, "-device %s,drive=%s: that drive is plugged in already",
                        driver, name);
                return NULL;
            }
        }
        return new_drive(c, cfg, name);
    }
    if (!d)
        err_set(c->err, -EINVAL, "-device %s,drive=%s: there is no -drive of that id", driver,
                name);
    else if (d->iface != DRIVE_NONE)
        err_set(c->err, -EINVAL, "-device %s,drive=%s: that drive is plugged in already", driver,
                name);
    return d && d->iface == DRIVE_NONE ? d : NULL;
}

static bool is_full(struct args_ctx *c, int first)
{
    return args_drive_at(c->a, DRIVE_IDE, first) && args_drive_at(c->a, DRIVE_IDE, first + 1);
}

/*
 * The unit it asks for; -1: the first free one of all. Without a bus QEMU takes the second channel
 * until it is full, and its users count on that; libxl's always name one.
 */
static int wanted_ide(struct args_ctx *c, const struct config *cfg)
{
    const char *bus = config_str(cfg, "bus", NULL), *unit = config_str(cfg, "unit", NULL);
    int first = bus ? bus_unit(bus) : c->a->own_clocks && !is_full(c, 2) ? 2 : 0;

    if (!bus && !unit && !c->a->own_clocks)
        return -1;
    if (unit)
        return first + (*unit == '1');
    return args_drive_at(c->a, DRIVE_IDE, first) ? first + 1 : first;
}

static int plug_floppy(struct args_ctx *c, const struct config *cfg, struct drive_arg *d)
{
    const char *unit = config_str(cfg, "unit", NULL);
    int want = unit ? *unit - '0' : -1;

    for (int i = 0; i < 2 && want < 0; i++) {
        if (!args_drive_at(c->a, DRIVE_FLOPPY, i))
            want = i;
    }
    if (want < 0 || args_drive_at(c->a, DRIVE_FLOPPY, want))
        return err_set(c->err, -EINVAL, "-device floppy: Floppy unit %d is in use",
                       want < 0 ? 0 : want);
    d->iface = DRIVE_FLOPPY;
    d->index = want;
    return 0;
}

/* The device's own keys win over those of its -drive. */
static void take_props(const struct config *cfg, struct drive_arg *d)
{
    static const char *const not_props[] = { "driver", "id", "drive", "bus", "unit", "serial" };

    for (size_t i = 0; i < cfg->n; i++) {
        bool prop = true;

        for (unsigned k = 0; k < sizeof(not_props) / sizeof(not_props[0]); k++)
            prop &= strcmp(not_props[k], cfg->items[i].key) != 0;
        if (prop)
            config_set(&d->props, cfg->items[i].key, cfg->items[i].val);
    }
    if (config_str(cfg, "serial", NULL))
        args_replace(&d->serial, config_str(cfg, "serial", ""));
    if (config_str(cfg, "id", NULL))
        args_replace(&d->device, config_str(cfg, "id", ""));
}

static int join_plug(struct args_ctx *c, const struct config *cfg)
{
    const char *driver = config_str(cfg, "driver", ""), *write = config_str(cfg, "write-cache", "");
    struct drive_arg *d;
    unsigned before = c->a->ndrives;
    int rc;

    d = find_medium(c, cfg);
    if (!d)
        return -EINVAL;
    if (is_floppy(driver))
        rc = plug_floppy(c, cfg, d);
    else if (config_str(cfg, "bus", NULL) && bus_unit(config_str(cfg, "bus", "")) < 0)
        rc = plug_ahci(c, cfg, d);
    else
        rc = args_place_ide(c->a, d, wanted_ide(c, cfg), config_str(cfg, "drive", d->id), c->err);
    if (rc) {
        if (c->a->ndrives > before)
            args_free_drive(&c->a->drives[--c->a->ndrives]);
        return rc;
    }
    d->cdrom = !strcmp(driver, "ide-cd");
    d->readonly |= d->cdrom;
    if (!strcmp(write, "on") || !strcmp(write, "off"))
        d->writeback = !strcmp(write, "on");
    take_props(cfg, d);
    c->joined = (struct args_added){ ARGS_DRIVE, (unsigned)(d - c->a->drives) };
    return 0;
}

int args_join_plugs(struct args_ctx *c)
{
    int rc = 0;

    for (unsigned i = 0; !rc && i < c->nplugs; i++)
        rc = join_plug(c, &c->plugs[i].cfg);
    return rc;
}
