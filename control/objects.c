/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/objects.c: the guest's devices in QEMU's tree of objects. What the
 * user gave an id is in /machine/peripheral, what he added without one in
 * peripheral-anon, what every PC has in unattached.
 */
#include <stdio.h>
#include <string.h>
#include "control/types.h"
#include "hw/devices.h"

struct walk {
    struct vm *vm;
    struct qom_object *out;
    unsigned n, anon, board;
};

const char *qom_machine_type(const struct vm *vm)
{
    const char *name = vm->args.machine ? vm->args.machine : "pc";

    if (!strcmp(name, "none"))
        return "none-machine";
    return strncmp(name, "xenfv", 5) ? "pc-i440fx-7.2-machine" : "xenfv-4.2-machine";
}

static struct qom_object *add(struct walk *w, const char *type)
{
    struct qom_object *o;

    if (w->n == QOM_OBJECTS)
        return NULL;
    o = &w->out[w->n++];
    memset(o, 0, sizeof(*o));
    o->id = "";
    snprintf(o->type, sizeof(o->type), "%s", type);
    return o;
}

static void place(struct walk *w, struct qom_object *o, const char *id, bool board)
{
    if (id) {
        o->user = true;
        o->id = id;
        snprintf(o->path, sizeof(o->path), "/machine/peripheral/%.60s", id);
    } else if (board) {
        snprintf(o->path, sizeof(o->path), "/machine/unattached/device[%u]", w->board++);
    } else {
        snprintf(o->path, sizeof(o->path), "/machine/peripheral-anon/device[%u]", w->anon++);
    }
}

static void containers(struct walk *w)
{
    static const char *const paths[] = { "/machine/peripheral", "/machine/peripheral-anon",
                                         "/machine/unattached" };
    struct qom_object *o = add(w, qom_machine_type(w->vm));

    if (!o)
        return;
    snprintf(o->path, sizeof(o->path), "/machine");
    for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        o = add(w, "container");
        if (!o)
            return;
        snprintf(o->path, sizeof(o->path), "%s", paths[i]);
    }
}

static void flash(struct walk *w, struct vm_drive *d)
{
    struct qom_object *o = add(w, "cfi.pflash01");

    if (!o)
        return;
    o->drive = d;
    snprintf(o->path, sizeof(o->path), "/machine/system.flash%d", d->arg->index);
}

static void drives(struct walk *w)
{
    for (unsigned i = 0; i < w->vm->args.ndrives; i++) {
        struct vm_drive *d = &w->vm->drives[i];
        bool floppy = d->arg && d->arg->iface == DRIVE_FLOPPY;
        struct qom_object *o;

        bool ahci = d->arg && d->arg->iface == DRIVE_AHCI;

        if (d->arg && d->arg->iface == DRIVE_PFLASH) {
            flash(w, d);
            continue;
        }
        if (!d->arg || (!floppy && !ahci && d->arg->unit < 0))
            continue;
        o = add(w, floppy ? "floppy" : d->arg->cdrom ? "ide-cd" : "ide-hd");
        if (!o)
            return;
        o->drive = d;
        place(w, o, d->arg->device, d->arg->iface == DRIVE_IDE);
    }
}

/* The id the user gave a card, or NULL: card%u and the like are made up. */
static const char *card_id(const struct vm *vm, const struct device *dev)
{
    for (unsigned i = 0; i < vm->args.ndevices; i++) {
        const char *id = config_str(&vm->args.devices[i].cfg, "id", NULL);

        if (id && !strcmp(id, dev->id))
            return dev->id;
    }
    for (unsigned i = 0; i < vm->args.nnics; i++) {
        const char *id = config_str(&vm->args.nics[i].cfg, "id", vm->args.nics[i].id);

        if (id && !strcmp(id, dev->id))
            return dev->id;
    }
    return vm_card_is_named(vm, dev) ? dev->id : NULL;
}

/* The machine's own names where they are not QEMU's. */
static const char *type_name(const char *name)
{
    for (const struct qom_type *t = qom_types; t->name; t++) {
        if (t->needs && !t->abstract && strcmp(t->name, "floppy") && strncmp(t->name, "ide-", 4) &&
            !strcmp(t->needs, name))
            return t->name;
    }
    return name;
}

static void devices(struct walk *w)
{
    const struct machine *m = &w->vm->machine;

    for (unsigned i = 0; i < m->n; i++) {
        bool board = i < m->nboard;
        struct qom_object *o;

        if (m->dev[i]->type == &pflash_type) /* known by its drive */
            continue;
        o = add(w, type_name(m->dev[i]->type->name));
        if (!o)
            return;
        o->dev = m->dev[i];
        place(w, o, board ? NULL : card_id(w->vm, m->dev[i]), board);
    }
}

unsigned qom_objects(struct vm *vm, struct qom_object out[QOM_OBJECTS])
{
    struct walk w = { .vm = vm, .out = out };

    containers(&w);
    drives(&w);
    devices(&w);
    return w.n;
}

bool qom_find(struct vm *vm, const char *path, struct qom_object *out)
{
    struct qom_object all[QOM_OBJECTS];
    unsigned n = qom_objects(vm, all), found = 0;

    for (unsigned i = 0; i < n; i++) {
        const char *last = strrchr(all[i].path, '/') + 1;

        if (strcmp(*path == '/' ? all[i].path : last, path))
            continue;
        *out = all[i];
        found++;
    }
    return found == 1;
}

bool qom_of_device(struct vm *vm, const struct device *dev, struct qom_object *out)
{
    struct qom_object all[QOM_OBJECTS];
    unsigned n = qom_objects(vm, all);

    for (unsigned i = 0; i < n; i++) {
        if (all[i].dev == dev) {
            *out = all[i];
            return true;
        }
    }
    return false;
}

void qom_drive_name(struct vm *vm, const struct vm_drive *d, char *out, size_t size)
{
    struct qom_object all[QOM_OBJECTS];
    unsigned n = qom_objects(vm, all);

    out[0] = 0;
    for (unsigned i = 0; i < n; i++) {
        if (all[i].drive == d)
            snprintf(out, size, "%s", all[i].user ? all[i].id : all[i].path);
    }
}
