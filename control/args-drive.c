/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-drive.c: -drive: an image, and where it is plugged. The keys
 * that are about the image go to the block layer by control/blockopts.c, in
 * -blockdev's spelling; those that are about the drive go to the device. The
 * IDE controller has four units: 0 and 1 are master and slave of the first
 * channel, 2 and 3 of the second.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"
#include "hw/machine.h"

#define IDE_UNITS    4
#define FLOPPY_UNITS 2

static const struct keyval_key drive_keys[] = {
    { "file", KV_NAME },   { "if", 0 },         { "index", 0 },
    { "bus", 0 },          { "unit", 0 },       { "id", 0 },
    { "media", 0 },        { "format", 0 },     { "driver", 0 },
    { "readonly", 0 },     { "read-only", 0 },  { "auto-read-only", 0 },
    { "cache", 0 },        { "cache.", 0 },     { "serial", 0 },
    { "aio", 0 },          { "discard", 0 },    { "detect-zeroes", 0 },
    { "werror", 0 },       { "rerror", 0 },     { "snapshot", 0 },
    { "copy-on-read", 0 }, { "node-name", 0 },  { "file.", 0 },
    { "backing", 0 },      { "backing.", 0 },   { "locking", 0 },
    { "throttling.", 0 },  { "iops", 0 },       { "iops_rd", 0 },
    { "iops_wr", 0 },      { "iops_max", 0 },   { "iops_rd_max", 0 },
    { "iops_wr_max", 0 },  { "iops_size", 0 },  { "bps", 0 },
    { "bps_rd", 0 },       { "bps_wr", 0 },     { "bps_max", 0 },
    { "bps_rd_max", 0 },   { "bps_wr_max", 0 }, { "group", 0 },
    { "cyls", 0 },         { "heads", 0 },      { "secs", 0 },
    { "trans", 0 },        { "size", 0 },       { "latency-ns", 0 },
    { "read-zeroes", 0 },  { "addr", 0 },       { "encrypt.", 0 },
    { NULL, 0 },
};

static const struct {
    const char *key, *text;
} drive_refused[] = {
    { "encrypt.key-secret", "encrypt the disk below the image (dm-crypt)" },
    { "addr", "use index=" },
};

static const struct {
    const char *name, *text;
} drive_ifs[] = {
    { "scsi", "use hd* vdevs (if=ide,index=0 to 3)" },
    { "virtio", "use hd* vdevs (if=ide,index=0 to 3)" },
    { "xen", "the PV back ends are found in xenstore" },
    { "sd", "use hd* vdevs (if=ide,index=0 to 3)" },
    { "mtd", "use hd* vdevs (if=ide,index=0 to 3)" },
};

/* Of the drive, not of the image; the rest of drive_keys is the block layer's. */
static const char *const place_keys[] = { "if",    "index",  "bus",  "unit", "id",
                                          "media", "serial", "addr", NULL };
static const char *const prop_keys[] = {
    "werror", "rerror", "cyls", "heads", "secs", "trans", NULL
};

static bool is_one_of(const char *const *words, const char *key)
{
    for (; *words; words++) {
        if (!strcmp(*words, key))
            return true;
    }
    return false;
}

struct drive_arg *args_find_drive(struct vm_args *a, const char *id)
{
    for (unsigned i = 0; i < a->ndrives; i++) {
        if (a->drives[i].id && !strcmp(a->drives[i].id, id))
            return &a->drives[i];
    }
    return NULL;
}

struct drive_arg *args_drive_at(struct vm_args *a, enum drive_if iface, int index)
{
    for (unsigned i = 0; i < a->ndrives; i++) {
        const struct drive_arg *d = &a->drives[i];

        if (iface == DRIVE_IDE ? d->unit == index : d->iface == iface && d->index == index)
            return &a->drives[i];
    }
    return NULL;
}

static struct drive_arg *at_unit(struct vm_args *a, int unit)
{
    return args_drive_at(a, DRIVE_IDE, unit);
}

int args_place_ide(struct vm_args *a, struct drive_arg *d, int unit, const char *what,
                   struct err *err)
{
    if (unit < 0) {
        for (unit = 0; unit < IDE_UNITS && at_unit(a, unit); unit++)
            ;
    }
    if (unit >= IDE_UNITS)
        return err_set(err, -EINVAL,
                       "-drive %s: more than %u IDE drives; only hda to hdd are "
                       "emulated",
                       what, IDE_UNITS);
    if (at_unit(a, unit))
        return err_set(err, -EINVAL, "-drive %s: IDE unit %d (hd%c) is taken by '%s'", what, unit,
                       'a' + unit, at_unit(a, unit)->id);
    d->unit = unit;
    d->iface = DRIVE_IDE;
    return 0;
}

/* The other drives that have an index: a floppy is A or B, a flash the first or second. */
static int place_index(struct vm_args *a, struct drive_arg *d, int unit, const char *what,
                       struct err *err)
{
    bool floppy = d->iface == DRIVE_FLOPPY;
    int units = floppy ? FLOPPY_UNITS : (int)ARGS_FLASHES;

    if (unit < 0) {
        for (unit = 0; unit < units && args_drive_at(a, d->iface, unit); unit++)
            ;
    }
    if (unit >= units)
        return err_set(err, -EINVAL, "-drive %s: index %d: a PC has %d %s", what, unit, units,
                       floppy ? "floppy drives" : "flash chips");
    if (args_drive_at(a, d->iface, unit))
        return err_set(err, -EINVAL, "-drive %s: drive with bus=0, unit=%d (index=%d) exists", what,
                       unit, unit);
    d->index = unit;
    return 0;
}

static bool have_fdc(void)
{
    return machine_has_type("isa-fdc");
}

static int check_if(const char *iface, enum drive_if *out, struct err *err)
{
    static const char *const names[] = { "none", "ide", "floppy", "pflash" };

    if (!strcmp(iface, "floppy") && !have_fdc())
        return err_set(err, -ENOTSUP,
                       "-drive if=floppy: not supported; boot from a CD image instead");
    for (unsigned i = 0; i < sizeof(drive_ifs) / sizeof(drive_ifs[0]); i++) {
        if (!strcmp(drive_ifs[i].name, iface))
            return err_set(err, -ENOTSUP, "-drive if=%s: not supported; %s", iface,
                           drive_ifs[i].text);
    }
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!strcmp(names[i], iface)) {
            *out = (enum drive_if)i;
            return 0;
        }
    }
    return err_set(err, -EINVAL, "-drive if=%s: unknown; use ide, floppy, pflash or none", iface);
}

static int check_drive(const struct config *cfg, enum drive_if *iface, struct err *err)
{
    const char *media = config_str(cfg, "media", "disk");
    bool snapshot, cor;
    int rc;

    for (unsigned i = 0; i < sizeof(drive_refused) / sizeof(drive_refused[0]); i++) {
        if (config_str(cfg, drive_refused[i].key, NULL))
            return err_set(err, -ENOTSUP, "-drive %s=: not supported; %s", drive_refused[i].key,
                           drive_refused[i].text);
    }
    rc = check_if(config_str(cfg, "if", "ide"), iface, err);
    if (rc)
        return rc;
    if (strcmp(media, "disk") && strcmp(media, "cdrom"))
        return err_set(err, -EINVAL, "-drive media=%s: unknown; use disk or cdrom", media);
    rc = keyval_bool(cfg, "-drive", "snapshot", false, &snapshot, err);
    if (!rc)
        rc = keyval_bool(cfg, "-drive", "copy-on-read", false, &cor, err);
    if (!rc && cor)
        rc = err_set(err, -ENOTSUP, "-drive copy-on-read=on: not supported; copy the image first");
    return rc ? rc : args_check_props(cfg, "-drive", err);
}

int args_check_props(const struct config *cfg, const char *opt, struct err *err)
{
    static const char *const werrors[] = { "report", "ignore", "stop", "enospc", "auto", NULL };
    static const char *const rerrors[] = { "report", "ignore", "stop", "auto", NULL };
    static const char *const trans[] = { "none", "lba", "large", "rechs", "auto", NULL };
    static const char *const trans_keys[] = { "trans", "bios-chs-trans", "chs-trans" };
    const struct {
        const char *key;
        uint32_t max;
    } chs[] = { { "cyls", 65535 },       { "heads", 16 },          { "secs", 255 },
                { "lcyls", UINT32_MAX }, { "lheads", UINT32_MAX }, { "lsecs", UINT32_MAX } };
    uint64_t n;
    unsigned given = 0;
    int rc = keyval_word(cfg, opt, "werror", werrors, "auto", err);

    if (rc >= 0)
        rc = keyval_word(cfg, opt, "rerror", rerrors, "auto", err);
    for (unsigned i = 0; rc >= 0 && i < 3; i++)
        rc = keyval_word(cfg, opt, trans_keys[i], trans, "auto", err);
    rc = rc < 0 ? rc : 0;
    for (unsigned i = 0; !rc && i < 6; i++) {
        rc = keyval_uint(cfg, opt, chs[i].key, 0, chs[i].max, &n, err);
        given += i < 3 && n != 0;
    }
    if (!rc && given && given < 3)
        rc = err_set(err, -EINVAL, "%s: cyls, heads and secs: give all three", opt);
    return rc;
}

/* "cache=": is a write done when it is in the host's memory, and the two that go with it. */
static int set_cache(const struct config *cfg, struct drive_arg *d, struct err *err)
{
    static const struct {
        const char *name;
        bool writeback, direct, no_flush;
    } caches[] = {
        { "writeback", true, false, false },  { "none", true, true, false },
        { "unsafe", true, false, true },      { "writethrough", false, false, false },
        { "directsync", false, true, false },
    };
    const char *cache = config_str(cfg, "cache", "writeback");

    for (unsigned i = 0; i < sizeof(caches) / sizeof(caches[0]); i++) {
        if (strcmp(caches[i].name, cache))
            continue;
        if (caches[i].direct && !config_str(&d->opts, "cache.direct", NULL))
            config_set(&d->opts, "cache.direct", "on");
        if (caches[i].no_flush && !config_str(&d->opts, "cache.no-flush", NULL))
            config_set(&d->opts, "cache.no-flush", "on");
        return keyval_bool(cfg, "-drive", "cache.writeback", caches[i].writeback, &d->writeback,
                           err);
    }
    return err_set(err, -EINVAL,
                   "-drive cache=%s: unknown; use none, writeback, writethrough, directsync or "
                   "unsafe",
                   cache);
}

/* index=, or bus= and unit=; -1 in *unit: neither was given. */
static int wanted_unit(const struct config *cfg, enum drive_if iface, int *unit, struct err *err)
{
    uint64_t index, bus, u;
    int rc = keyval_uint(cfg, "-drive", "index", 0, UINT32_MAX, &index, err);

    if (!rc)
        rc = keyval_uint(cfg, "-drive", "bus", 0, 1, &bus, err);
    if (!rc)
        rc = keyval_uint(cfg, "-drive", "unit", 0, 1, &u, err);
    if (rc)
        return rc;
    *unit = -1;
    if (config_str(cfg, "index", NULL)) {
        if (iface == DRIVE_IDE && index >= IDE_UNITS)
            return err_set(err, -EINVAL,
                           "-drive index=%llu: only hda to hdd (index 0 to 3) are "
                           "emulated",
                           (unsigned long long)index);
        *unit = index > INT16_MAX ? INT16_MAX : (int)index;
    } else if (config_str(cfg, "bus", NULL) || config_str(cfg, "unit", NULL)) {
        *unit = (int)(2 * bus + u);
    }
    return 0;
}

/* Old spellings become the new: "iops_rd_max" is "throttling.iops-read-max". */
static void set_opt(struct config *opts, const char *key, const char *val)
{
    static const struct {
        const char *old, *now;
    } names[] = {
        { "iops", "throttling.iops-total" },
        { "iops_rd", "throttling.iops-read" },
        { "iops_wr", "throttling.iops-write" },
        { "iops_max", "throttling.iops-total-max" },
        { "iops_rd_max", "throttling.iops-read-max" },
        { "iops_wr_max", "throttling.iops-write-max" },
        { "iops_size", "throttling.iops-size" },
        { "bps", "throttling.bps-total" },
        { "bps_rd", "throttling.bps-read" },
        { "bps_wr", "throttling.bps-write" },
        { "bps_max", "throttling.bps-total-max" },
        { "bps_rd_max", "throttling.bps-read-max" },
        { "bps_wr_max", "throttling.bps-write-max" },
        { "group", "throttling.group" },
        { "locking", "file.locking" },
        { "aio", "file.aio" },
        { "readonly", "read-only" },
    };

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!strcmp(names[i].old, key))
            key = names[i].now;
    }
    config_set(opts, key, val);
}

static int fill_drive(const struct config *cfg, struct drive_arg *d, struct err *err)
{
    const char *file = config_str(cfg, "file", NULL), *serial = config_str(cfg, "serial", NULL);
    const char *format = config_str(cfg, "format", config_str(cfg, "driver", NULL));
    int rc;

    d->file = file && *file ? xstrdup(file) : NULL;
    d->format = format ? xstrdup(format) : NULL;
    d->serial = serial ? xstrdup(serial) : NULL;
    d->cdrom = !strcmp(config_str(cfg, "media", "disk"), "cdrom");
    for (size_t i = 0; i < cfg->n; i++) {
        const char *key = cfg->items[i].key, *val = cfg->items[i].val;

        if (is_one_of(prop_keys, key))
            config_set(&d->props, key, val);
        else if (!is_one_of(place_keys, key) && strcmp(key, "file") && strcmp(key, "cache"))
            set_opt(&d->opts, key, val);
    }
    rc = keyval_bool(cfg, "-drive", "readonly", d->cdrom, &d->readonly, err);
    if (!rc)
        rc = keyval_bool(cfg, "-drive", "read-only", d->readonly, &d->readonly, err);
    if (!rc)
        rc = set_cache(cfg, d, err);
    d->readonly |= d->cdrom;
    return rc;
}

/* "none0": of one that was given no name, to be seen in query-block. */
static char *free_name(struct vm_args *a)
{
    char *name = NULL;
    unsigned i = 0;

    for (unsigned k = 0; k < a->ndrives; k++)
        i += a->drives[k].id && a->drives[k].iface == DRIVE_NONE;
    for (; !name || args_find_drive(a, name); i++) {
        free(name);
        name = xasprintf("none%u", i);
    }
    return name;
}

static int name_drive(struct vm_args *a, const struct config *cfg, struct drive_arg *d,
                      struct err *err)
{
    const char *id = config_str(cfg, "id", NULL);
    char *name;

    if (id)
        name = xstrdup(id);
    else if (d->iface == DRIVE_IDE)
        name = xasprintf("ide%d-%s%d", d->unit / 2, d->cdrom ? "cd" : "hd", d->unit % 2);
    else if (d->iface != DRIVE_NONE)
        name = xasprintf("%s%d", d->iface == DRIVE_FLOPPY ? "floppy" : "pflash", d->index);
    else
        name = free_name(a);
    if (!*name || args_find_drive(a, name)) {
        int rc = err_set(err, -EINVAL, "-drive id=%s: %s", name,
                         *name ? "there are two of that name" : "empty");

        free(name);
        return rc;
    }
    d->id = name;
    return 0;
}

unsigned args_drive_slot(const struct vm_args *a)
{
    for (unsigned i = 0; i < a->ndrives; i++) {
        if (!a->drives[i].id && a->drives[i].iface == DRIVE_NONE)
            return i; /* drive_del has left it */
    }
    return a->ndrives;
}

void args_drop_drive(struct vm_args *a, unsigned slot)
{
    args_free_drive(&a->drives[slot]);
    a->ndrives -= slot + 1 == a->ndrives;
}

void args_forget_drive(struct vm_args *a, unsigned slot)
{
    struct drive_arg *d = &a->drives[slot];

    free(d->id);
    free(d->file);
    free(d->node);
    config_free(&d->opts);
    d->id = d->file = d->node = NULL;
}

int args_add_drive(struct vm_args *a, const struct config *cfg, struct err *err)
{
    const char *what = config_str(cfg, "file", config_str(cfg, "id", "(empty)"));
    enum drive_if iface = DRIVE_NONE;
    struct drive_arg *d;
    unsigned slot;
    int unit, rc = keyval_check(cfg, "-drive", drive_keys, err);

    if (!rc)
        rc = check_drive(cfg, &iface, err);
    if (rc)
        return rc;
    slot = args_drive_slot(a);
    if (slot == ARGS_DRIVES)
        return err_set(err, -EINVAL, "-drive %s: more than %u", what, ARGS_DRIVES);
    a->ndrives += slot == a->ndrives;
    d = &a->drives[slot];
    d->unit = -1;
    rc = fill_drive(cfg, d, err);
    if (!rc)
        rc = wanted_unit(cfg, iface, &unit, err);
    if (!rc && iface == DRIVE_IDE)
        rc = args_place_ide(a, d, unit, what, err);
    if (!rc && (iface == DRIVE_FLOPPY || iface == DRIVE_PFLASH)) {
        d->iface = iface;
        d->index = -1;
        rc = place_index(a, d, unit, what, err);
    }
    if (!rc)
        rc = name_drive(a, cfg, d, err);
    if (!rc && iface == DRIVE_PFLASH)
        rc = args_check_flash(d, err);
    if (rc)
        args_drop_drive(a, slot);
    return rc;
}

int args_drive(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 };
    int rc = keyval_parse(&cfg, "-drive", arg, "file", drive_keys, c->err);

    if (!rc)
        rc = args_add_drive(c->a, &cfg, c->err);
    config_free(&cfg);
    return rc;
}

/* -hda F … -hdd F, -cdrom F, -fda F, -fdb F, -pflash F; F is a file name and nothing else. */
int args_drive_short(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 };
    bool cd = !strcmp(o->name, "cdrom"), fd = o->name[0] == 'f', flash = o->name[0] == 'p';
    char index[2] = { cd ? '2' : (char)(o->name[2] - 'a' + '0'), 0 };
    int rc;

    config_set(&cfg, "file", arg);
    config_set(&cfg, "if", fd ? "floppy" : flash ? "pflash" : "ide");
    if (!flash)
        config_set(&cfg, "index", index);
    config_set(&cfg, "media", cd ? "cdrom" : "disk");
    rc = args_add_drive(c->a, &cfg, c->err);
    config_free(&cfg);
    return rc;
}
