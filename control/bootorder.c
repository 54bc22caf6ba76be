/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/bootorder.c: bootindex= of drives and cards, as the list of Open
 * Firmware paths that firmware looks for in fw_cfg's "bootorder" (IEEE 1275,
 * its PCI and ISA bindings; SeaBIOS, docs/Runtime_config), and lcyls=, lheads=
 * and lsecs= as its list "bios-geometry". The slots of cards are worked out as
 * hw/machine.c will give them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bios-loader/bios.h"
#include "control/args-impl.h"
#include "control/bootorder.h"

#define SLOTS   32
#define ENTRIES (ARGS_DRIVES + ARGS_NICS + ARGS_DEVICES)

struct entry {
    int index;
    char path[80];
};

struct order {
    const struct vm_args *a;
    struct err *err;
    bool geometry; /* what is wanted is text: lines of path, cylinders, heads and sectors */
    char *text;
    struct entry list[ENTRIES];
    unsigned n;
    bool taken[SLOTS];
    int rc;
};

/* Sorts it in; two of the same number are an error. */
static void add(struct order *o, int index, const char *what, const char *path)
{
    unsigned at = o->n;

    if (o->rc)
        return;
    for (unsigned i = 0; i < o->n; i++) {
        if (o->list[i].index == index)
            o->rc = err_set(o->err, -EINVAL, "-device %s: The bootindex %d has already been used",
                            what, index);
    }
    while (at && o->list[at - 1].index > index) {
        o->list[at] = o->list[at - 1];
        at--;
    }
    o->list[at].index = index;
    snprintf(o->list[at].path, sizeof(o->list[at].path), "%s", path);
    o->n++;
}

static int bootindex(struct order *o, const struct config *cfg, const char *what)
{
    char opt[64];
    int64_t index = -1;
    int rc;

    snprintf(opt, sizeof(opt), "-device %s", what);
    rc = keyval_int(cfg, opt, "bootindex", -1, -1, INT32_MAX, &index, o->err);
    if (rc)
        o->rc = rc;
    return rc ? -1 : (int)index;
}

/* A geometry of zeroes is none. */
static void add_geometry(struct order *o, const struct config *cfg, const char *path)
{
    static const char *const keys[] = { "lcyls", "lheads", "lsecs" };
    uint64_t n[3] = { 0 };
    struct err err;
    char *longer;

    for (unsigned i = 0; i < 3; i++) {
        if (keyval_uint(cfg, "-device", keys[i], 0, UINT32_MAX, &n[i], &err))
            return; /* args_check_props() has said so */
    }
    if (!n[0] && !n[1] && !n[2])
        return;
    longer = xasprintf("%s%s%s %u %u %u", o->text ? o->text : "", o->text ? "\n" : "", path,
                       (unsigned)n[0], (unsigned)n[1], (unsigned)n[2]);
    free(o->text);
    o->text = longer;
}

static void add_disk(struct order *o, const struct drive_arg *d, const char *path)
{
    int index;

    if (o->geometry) {
        add_geometry(o, &d->props, path);
        return;
    }
    index = bootindex(o, &d->props, d->id);
    if (index >= 0)
        add(o, index, d->id, path);
}

static void add_drive(struct order *o, const struct drive_arg *d)
{
    char path[80];

    if (d->iface == DRIVE_IDE)
        snprintf(path, sizeof(path), "/pci@i0cf8/ide@1,1/drive@%d/disk@%d", d->unit / 2,
                 d->unit % 2);
    else if (d->iface == DRIVE_FLOPPY)
        snprintf(path, sizeof(path), "/pci@i0cf8/isa@1/fdc@03f0/floppy@%d", d->index);
    else
        return;
    add_disk(o, d, path);
}

/* The slot that a card gets: its addr=, or the next free one. */
static unsigned slot_of(struct order *o, const struct config *cfg)
{
    const char *addr = config_str(cfg, "addr", NULL);
    unsigned slot = addr ? (unsigned)strtoul(addr, NULL, 16) : 2;

    while (!addr && slot < SLOTS - 1 && o->taken[slot])
        slot++;
    slot %= SLOTS;
    o->taken[slot] = true;
    return slot;
}

/* The drives of an AHCI controller. */
static void add_ahci(struct order *o, const struct device_arg *card, unsigned slot)
{
    const char *id = config_str(&card->cfg, "id", "");

    for (unsigned i = 0; i < o->a->ndrives; i++) {
        const struct drive_arg *d = &o->a->drives[i];
        char path[80];

        if (d->iface != DRIVE_AHCI || strcmp(d->bus, id))
            continue;
        snprintf(path, sizeof(path), "/pci@i0cf8/pci8086,2922@%x/drive@%d/disk@0", slot, d->index);
        add_disk(o, d, path);
    }
}

static void add_nics(struct order *o, unsigned after)
{
    const struct vm_args *a = o->a;

    for (unsigned i = 0; i < a->nnics; i++) {
        unsigned slot;
        char path[80];
        int index;

        if (a->nics[i].after != after)
            continue;
        slot = slot_of(o, &a->nics[i].cfg);
        index = bootindex(o, &a->nics[i].cfg, a->nics[i].id);
        snprintf(path, sizeof(path), "/pci@i0cf8/ethernet@%x/ethernet-phy@0", slot);
        if (index >= 0)
            add(o, index, a->nics[i].id, path);
    }
}

static void add_cards(struct order *o)
{
    const struct vm_args *a = o->a;

    o->taken[0] = o->taken[1] = true;
    o->taken[2] = a->platform_pci;
    for (unsigned i = 0; i < a->ndevices; i++) {
        add_nics(o, i);
        add_ahci(o, &a->devices[i], slot_of(o, &a->devices[i].cfg));
        bootindex(o, &a->devices[i].cfg, a->devices[i].driver); /* firmware boots from none */
    }
    add_nics(o, a->ndevices);
}

static void order_all(struct order *o)
{
    for (unsigned i = 0; i < o->a->ndrives; i++)
        add_drive(o, &o->a->drives[i]);
    add_cards(o);
}

char *args_geometry(const struct vm_args *a)
{
    struct err err;
    struct order o = { .a = a, .err = &err, .geometry = true };

    order_all(&o);
    return o.text;
}

int args_join_bootorder(struct args_ctx *c)
{
    struct order *o = calloc(1, sizeof(*o));
    char *text = NULL;
    int rc;

    if (!o)
        return err_set(c->err, -ENOMEM, "out of memory");
    o->a = c->a;
    o->err = c->err;
    order_all(o);
    for (unsigned i = 0; !o->rc && i < o->n; i++) {
        char *longer = text ? xasprintf("%s\n%s", text, o->list[i].path) : xstrdup(o->list[i].path);

        free(text);
        text = longer;
    }
    if (!o->rc && c->a->kernel) { /* bios-loader/kernel.c brings the ROM */
        char *longer =
            xasprintf("/rom@" BIOS_KERNEL_ROM "%s%s", text ? "\n" : "", text ? text : "");

        free(text);
        text = longer;
    }
    if (!o->rc && c->a->bootopt.strict) {
        char *longer = xasprintf("%s%sHALT", text ? text : "", text ? "\n" : "");

        free(text);
        text = longer;
    }
    c->a->bootorder = text;
    rc = o->rc;
    free(o);
    return rc;
}
