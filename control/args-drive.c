/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-drive.c: -drive, and the -device ide-cd/ide-hd that says where
 * an if=none drive is plugged. The IDE controller has four units: 0 and 1 are
 * master and slave of the first channel, 2 and 3 of the second.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"

#define IDE_UNITS 4

static const struct keyval_key drive_keys[] = {
    { "file", KV_NAME },
    { "if", 0 },
    { "index", 0 },
    { "bus", 0 },
    { "unit", 0 },
    { "id", 0 },
    { "media", 0 },
    { "format", 0 },
    { "driver", 0 },
    { "readonly", 0 },
    { "read-only", 0 },
    { "cache", 0 },
    { "cache.writeback", 0 },
    { "cache.direct", 0 },
    { "cache.no-flush", 0 },
    { "serial", 0 },
    { "aio", 0 },
    { "discard", 0 },
    { "detect-zeroes", 0 },
    { "werror", 0 },
    { "rerror", 0 },
    { "snapshot", 0 },
    { "copy-on-read", 0 },
    { "node-name", 0 },
    { "file.locking", 0 },
    { "locking", 0 },
    { "throttling.iops-total", 0 },
    { "throttling.bps-total", 0 },
    { "iops", 0 },
    { "bps", 0 },
    { "addr", 0 },
    { "encrypt.key-secret", 0 },
    { NULL, 0 },
};

static const struct {
    const char *key, *text;
} drive_refused[] = {
    { "throttling.iops-total", "limit the process with a cgroup instead" },
    { "throttling.bps-total", "limit the process with a cgroup instead" },
    { "iops", "limit the process with a cgroup instead" },
    { "bps", "limit the process with a cgroup instead" },
    { "encrypt.key-secret", "encrypt the disk below the image (dm-crypt)" },
    { "addr", "use index=" },
};

static const struct {
    const char *name, *text;
} drive_ifs[] = {
    { "scsi", "use hd* vdevs (if=ide,index=0 to 3)" },
    { "virtio", "use hd* vdevs (if=ide,index=0 to 3)" },
    { "xen", "the PV back ends are found in xenstore" },
    { "floppy", "boot from a CD image instead" },
    { "pflash", "use a guest with bios=\"seabios\"" },
    { "sd", "use hd* vdevs (if=ide,index=0 to 3)" },
    { "mtd", "use hd* vdevs (if=ide,index=0 to 3)" },
};

/* "cache=": is a write done when it is in the host's memory? */
static const struct {
    const char *name;
    bool writeback;
} drive_caches[] = {
    { "writeback", true },     { "none", true },        { "unsafe", true },
    { "writethrough", false }, { "directsync", false },
};

static struct drive_arg *find_drive(struct vm_args *a, const char *id)
{
    for (unsigned i = 0; i < a->ndrives; i++) {
        if (a->drives[i].id && !strcmp(a->drives[i].id, id))
            return &a->drives[i];
    }
    return NULL;
}

static struct drive_arg *at_unit(struct vm_args *a, int unit)
{
    for (unsigned i = 0; i < a->ndrives; i++) {
        if (a->drives[i].unit == unit)
            return &a->drives[i];
    }
    return NULL;
}

/* unit -1: the first free one. The id is for messages. */
static int place(struct args_ctx *c, struct drive_arg *d, int unit, const char *id)
{
    if (unit < 0) {
        for (unit = 0; unit < IDE_UNITS && at_unit(c->a, unit); unit++)
            ;
    }
    if (unit >= IDE_UNITS)
        return err_set(c->err, -EINVAL,
                       "-drive %s: more than %u IDE drives; only hda to hdd are "
                       "emulated",
                       id, IDE_UNITS);
    if (at_unit(c->a, unit))
        return err_set(c->err, -EINVAL, "-drive %s: IDE unit %d (hd%c) is taken by '%s'", id, unit,
                       'a' + unit, at_unit(c->a, unit)->id);
    d->unit = unit;
    return 0;
}

static int check_drive(struct args_ctx *c, const struct config *cfg)
{
    const char *iface = config_str(cfg, "if", "ide"), *media = config_str(cfg, "media", "disk");
    bool snapshot, cor;
    int rc;

    for (unsigned i = 0; i < sizeof(drive_refused) / sizeof(drive_refused[0]); i++) {
        if (config_str(cfg, drive_refused[i].key, NULL))
            return err_set(c->err, -ENOTSUP, "-drive %s=: not supported; %s", drive_refused[i].key,
                           drive_refused[i].text);
    }
    for (unsigned i = 0; i < sizeof(drive_ifs) / sizeof(drive_ifs[0]); i++) {
        if (!strcmp(drive_ifs[i].name, iface))
            return err_set(c->err, -ENOTSUP, "-drive if=%s: not supported; %s", iface,
                           drive_ifs[i].text);
    }
    if (strcmp(iface, "ide") && strcmp(iface, "none"))
        return err_set(c->err, -EINVAL, "-drive if=%s: unknown; use ide or none", iface);
    if (strcmp(media, "disk") && strcmp(media, "cdrom"))
        return err_set(c->err, -EINVAL, "-drive media=%s: unknown; use disk or cdrom", media);
    rc = keyval_bool(cfg, "-drive", "snapshot", false, &snapshot, c->err);
    if (!rc)
        rc = keyval_bool(cfg, "-drive", "copy-on-read", false, &cor, c->err);
    if (!rc && (snapshot || cor))
        rc = err_set(c->err, -ENOTSUP, "-drive %s=on: not supported; copy the image first",
                     snapshot ? "snapshot" : "copy-on-read");
    return rc;
}

static int set_cache(struct args_ctx *c, const struct config *cfg, struct drive_arg *d)
{
    const char *cache = config_str(cfg, "cache", "writeback");

    for (unsigned i = 0; i < sizeof(drive_caches) / sizeof(drive_caches[0]); i++) {
        if (!strcmp(drive_caches[i].name, cache)) {
            return keyval_bool(cfg, "-drive", "cache.writeback", drive_caches[i].writeback,
                               &d->writeback, c->err);
        }
    }
    return err_set(c->err, -EINVAL, "-drive cache=%s: unknown; use writeback or writethrough",
                   cache);
}

/* index=, or bus= and unit=; -1 in *unit: neither was given. */
static int wanted_unit(struct args_ctx *c, const struct config *cfg, int *unit)
{
    uint64_t index, bus, u;
    int rc = keyval_uint(cfg, "-drive", "index", 0, UINT32_MAX, &index, c->err);

    if (!rc)
        rc = keyval_uint(cfg, "-drive", "bus", 0, 1, &bus, c->err);
    if (!rc)
        rc = keyval_uint(cfg, "-drive", "unit", 0, 1, &u, c->err);
    if (rc)
        return rc;
    *unit = -1;
    if (config_str(cfg, "index", NULL)) {
        if (index >= IDE_UNITS)
            return err_set(c->err, -EINVAL,
                           "-drive index=%llu: only hda to hdd (index 0 to 3) are "
                           "emulated",
                           (unsigned long long)index);
        *unit = (int)index;
    } else if (config_str(cfg, "bus", NULL) || config_str(cfg, "unit", NULL)) {
        *unit = (int)(2 * bus + u);
    }
    return 0;
}

static int fill_drive(struct args_ctx *c, const struct config *cfg, struct drive_arg *d)
{
    const char *file = config_str(cfg, "file", NULL), *serial = config_str(cfg, "serial", NULL);
    const char *format = config_str(cfg, "format", config_str(cfg, "driver", NULL));
    int rc;

    d->file = file && *file ? xstrdup(file) : NULL;
    d->format = format ? xstrdup(format) : NULL;
    d->serial = serial ? xstrdup(serial) : NULL;
    d->cdrom = !strcmp(config_str(cfg, "media", "disk"), "cdrom");
    rc = keyval_bool(cfg, "-drive", "readonly", d->cdrom, &d->readonly, c->err);
    if (!rc)
        rc = keyval_bool(cfg, "-drive", "read-only", d->readonly, &d->readonly, c->err);
    if (!rc)
        rc = set_cache(c, cfg, d);
    d->readonly |= d->cdrom;
    return rc;
}

static int name_drive(struct args_ctx *c, const struct config *cfg, struct drive_arg *d, bool ide)
{
    const char *id = config_str(cfg, "id", NULL);
    char *name;

    if (id)
        name = xstrdup(id);
    else if (ide)
        name = xasprintf("ide%d-%s%d", d->unit / 2, d->cdrom ? "cd" : "hd", d->unit % 2);
    else
        return err_set(c->err, -EINVAL, "-drive if=none: id= is missing");
    if (!*name || find_drive(c->a, name)) {
        int rc = err_set(c->err, -EINVAL, "-drive id=%s: %s", name,
                         *name ? "there are two of that name" : "empty");

        free(name);
        return rc;
    }
    d->id = name;
    return 0;
}

static int add_drive(struct args_ctx *c, const struct config *cfg)
{
    struct vm_args *a = c->a;
    bool ide = !strcmp(config_str(cfg, "if", "ide"), "ide");
    const char *what = config_str(cfg, "file", config_str(cfg, "id", "(empty)"));
    struct drive_arg *d;
    int unit, rc = check_drive(c, cfg);

    if (rc)
        return rc;
    if (a->ndrives == ARGS_DRIVES)
        return err_set(c->err, -EINVAL, "-drive %s: more than %u", what, ARGS_DRIVES);
    d = &a->drives[a->ndrives++];
    rc = fill_drive(c, cfg, d);
    if (!rc)
        rc = wanted_unit(c, cfg, &unit);
    if (!rc && ide)
        rc = place(c, d, unit, what);
    return rc ? rc : name_drive(c, cfg, d, ide);
}

int args_drive(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 };
    int rc = keyval_parse(&cfg, "-drive", arg, "file", drive_keys, c->err);

    if (!rc)
        rc = add_drive(c, &cfg);
    config_free(&cfg);
    return rc;
}

/* -hda F … -hdd F, -cdrom F; F is a file name and nothing else. */
int args_drive_short(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 };
    bool cd = !strcmp(o->name, "cdrom");
    char index[2] = { cd ? '2' : (char)(o->name[2] - 'a' + '0'), 0 };
    int rc;

    config_set(&cfg, "file", arg);
    config_set(&cfg, "index", index);
    config_set(&cfg, "media", cd ? "cdrom" : "disk");
    rc = add_drive(c, &cfg);
    config_free(&cfg);
    return rc;
}

/* "ide.0" → 0, "ide.1" → 2: the first unit of the channel; -1 otherwise. */
static int bus_unit(const char *bus)
{
    if (strncmp(bus, "ide.", 4) || (bus[4] != '0' && bus[4] != '1') || bus[5])
        return -1;
    return 2 * (bus[4] - '0');
}

int args_ide_device(struct args_ctx *c, const char *driver, const char *arg)
{
    static const struct keyval_key keys[] = {
        { "driver", 0 }, { "id", 0 },        { "drive", 0 }, { "bus", 0 },           { "unit", 0 },
        { "serial", 0 }, { "bootindex", 0 }, { "ver", 0 },   { "rotation_rate", 0 }, { NULL, 0 }
    };
    struct config cfg = { 0 };
    const char *drive, *bus, *serial;
    uint64_t unit = 0;
    int rc = keyval_parse(&cfg, "-device", arg, "driver", keys, c->err);

    drive = config_str(&cfg, "drive", NULL);
    bus = config_str(&cfg, "bus", NULL);
    serial = config_str(&cfg, "serial", NULL);
    if (!rc)
        rc = keyval_uint(&cfg, "-device", "unit", 0, 1, &unit, c->err);
    if (!rc && !drive)
        rc = err_set(c->err, -EINVAL, "-device %s: drive= is missing", driver);
    else if (!rc && bus && !strncmp(bus, "ahci", 4))
        rc = err_set(c->err, -ENOTSUP, "-device %s,bus=%s: not supported; use hdtype=\"ide\"",
                     driver, bus);
    else if (!rc && bus && bus_unit(bus) < 0)
        rc = err_set(c->err, -EINVAL, "-device %s,bus=%s: no such bus; use ide.0 or ide.1", driver,
                     bus);
    else if (!rc && !bus && config_str(&cfg, "unit", NULL))
        rc = err_set(c->err, -EINVAL, "-device %s,unit=%u: bus= is missing; use ide.0 or ide.1",
                     driver, (unsigned)unit);
    else if (!rc && c->nides == ARGS_DRIVES)
        rc = err_set(c->err, -EINVAL, "-device %s,drive=%s: more than %u", driver, drive,
                     ARGS_DRIVES);
    if (!rc) {
        struct ide_def *ide = &c->ides[c->nides++];

        ide->drive = xstrdup(drive);
        ide->serial = serial ? xstrdup(serial) : NULL;
        ide->cdrom = !strcmp(driver, "ide-cd");
        ide->unit = bus ? bus_unit(bus) + (int)unit : -1;
    }
    config_free(&cfg);
    return rc;
}

int args_join_drives(struct args_ctx *c)
{
    for (unsigned i = 0; i < c->nides; i++) {
        struct ide_def *ide = &c->ides[i];
        struct drive_arg *d = find_drive(c->a, ide->drive);
        int rc;

        if (!d)
            return err_set(c->err, -EINVAL, "-device %s,drive=%s: there is no -drive of that id",
                           ide->cdrom ? "ide-cd" : "ide-hd", ide->drive);
        if (d->unit >= 0)
            return err_set(c->err, -EINVAL, "-device %s,drive=%s: that drive is plugged in already",
                           ide->cdrom ? "ide-cd" : "ide-hd", ide->drive);
        rc = place(c, d, ide->unit, ide->drive);
        if (rc)
            return rc;
        d->cdrom = ide->cdrom;
        d->readonly |= d->cdrom;
        if (ide->serial)
            args_replace(&d->serial, ide->serial);
    }
    return 0;
}
