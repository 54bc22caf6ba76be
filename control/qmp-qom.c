/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-qom.c: verbs that read the tables of control/types.h: how
 * clients find out which devices exist, what they are told, where they are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/qmp-impl.h"
#include "control/types.h"
#include "hw/core/pci.h"

static void list_types(struct qmp_call *c)
{
    const char *implements = qmp_arg(c, "implements", NULL);
    bool abstract = qmp_arg_bool(c, "abstract", false);

    c->ret = json_array();
    for (const struct qom_type *t = qom_types; t->name; t++) {
        json_t *e;

        if ((t->abstract && !abstract) || !qom_type_find(t->name) ||
            (implements && !qom_type_is(t, implements)))
            continue;
        e = json_pack("{s:s}", "name", t->name);
        if (t->abstract)
            json_object_set_new(e, "abstract", json_true());
        if (t->parent)
            json_object_set_new(e, "parent", json_string(t->parent));
        json_array_append_new(c->ret, e);
    }
}

/* ---- properties of a type ---- */

static bool add_prop(void *list, const char *name, const char *type, json_t *def)
{
    json_t *p = json_pack("{s:s, s:s}", "name", name, "type", type);

    if (def)
        json_object_set_new(p, "default-value", def);
    json_array_append_new(list, p);
    return true;
}

static void device_props(struct qmp_call *c)
{
    const char *name = qmp_arg(c, "typename", "");
    const struct qom_type *t = qom_type_find(name);

    if (!t) {
        qmp_fail_as(c, "DeviceNotFound", "Device '%s' not found", name);
    } else if (!qom_type_is(t, "device") || t->abstract) {
        qmp_fail(c, "Parameter 'typename' expects a non-abstract device type");
    } else {
        c->ret = json_array();
        qom_type_props(t, add_prop, c->ret);
    }
}

static void type_props(struct qmp_call *c)
{
    const char *name = qmp_arg(c, "typename", "");
    const struct qom_type *t = qom_type_find(name);

    if (!t) {
        qmp_fail_as(c, "DeviceNotFound", "Class '%s' not found", name);
        return;
    }
    c->ret = json_array();
    add_prop(c->ret, "type", "string", NULL);
    if (qom_type_is(t, "device")) {
        add_prop(c->ret, "realized", "bool", NULL);
        add_prop(c->ret, "hotplugged", "bool", NULL);
        add_prop(c->ret, "hotpluggable", "bool", NULL);
    }
    qom_type_props(t, add_prop, c->ret);
}

/* ---- objects ---- */

struct prop { /* one that was asked for */
    struct vm *vm;
    const struct qom_object *o;
    const char *name;
    json_t *val; /* NULL: not found */
};

static json_t *machine_prop(struct vm *vm, const char *name)
{
    const struct vm_args *a = &vm->args;

    if (!strcmp(name, "usb"))
        return json_boolean(a->usb);
    if (!strcmp(name, "hpet"))
        return json_boolean(a->hpet);
    if (!strcmp(name, "acpi"))
        return json_string(a->acpi ? "on" : "off");
    if (!strcmp(name, "i8042"))
        return json_boolean(machine_find(&vm->machine, "i8042") != NULL);
    if (!strcmp(name, "max-ram-below-4g"))
        return json_integer((json_int_t)a->max_ram_below_4g);
    if (!strcmp(name, "memory"))
        return json_pack("{s:I}", "size", (json_int_t)a->ram);
    if (!strcmp(name, "smp"))
        return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "cpus", (int)a->cpus, "sockets",
                         (int)a->sockets, "dies", (int)a->dies, "cores", (int)a->cores, "threads",
                         (int)a->threads, "maxcpus", (int)a->max_cpus);
    return NULL;
}

static const char *const machine_props[][2] = {
    { "usb", "bool" },
    { "hpet", "bool" },
    { "acpi", "OnOffAuto" },
    { "i8042", "bool" },
    { "max-ram-below-4g", "size" },
    { "memory", "MemorySizeConfiguration" },
    { "smp", "SMPConfiguration" },
};

/* What the command line, or device_add, said of this device. */
static const char *configured(const struct prop *p)
{
    const struct vm_args *a = &p->vm->args;
    const struct config *cfg = NULL;

    if (p->o->drive) {
        const struct drive_arg *d = p->o->drive->arg;

        if (!strcmp(p->name, "serial") && d->serial)
            return d->serial;
        return !strcmp(p->name, "drive") ? d->id : config_str(&d->props, p->name, NULL);
    }
    for (unsigned i = 0; i < a->ndevices && !cfg; i++) {
        if (!strcmp(config_str(&a->devices[i].cfg, "id", ""), p->o->dev->id))
            cfg = &a->devices[i].cfg;
    }
    for (unsigned i = 0; i < a->nnics && !cfg; i++) {
        if (a->nics[i].id && !strcmp(a->nics[i].id, p->o->dev->id)) {
            if (!strcmp(p->name, "netdev"))
                return a->nics[i].netdev;
            cfg = &a->nics[i].cfg;
        }
    }
    return config_str(cfg, p->name, NULL);
}

static json_t *typed(const char *type, const char *text)
{
    char *end;
    long long n = strtoll(text, &end, 0);

    if (!strcmp(type, "bool"))
        return json_boolean(!strcmp(text, "on") || !strcmp(text, "yes") || !strcmp(text, "true"));
    if ((!strncmp(type, "uint", 4) || !strncmp(type, "int", 3)) && end != text && !*end)
        return json_integer(n);
    return json_string(text);
}

static json_t *live_prop(const struct prop *p)
{
    const struct device *dev = p->o->dev;
    const struct net *net = dev ? vm_net_of(p->vm, dev) : NULL;

    if (dev && dev->type->pci && !strcmp(p->name, "addr"))
        return json_integer(pci_of((struct device *)(uintptr_t)dev)->devfn);
    if (net && !strcmp(p->name, "mac"))
        return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", net->mac[0], net->mac[1], net->mac[2],
                            net->mac[3], net->mac[4], net->mac[5]);
    if (p->o->drive && !strcmp(p->name, "unit"))
        return json_integer(p->o->drive->arg->unit > 0 ? p->o->drive->arg->unit & 1 : 0);
    return NULL;
}

static bool match_prop(void *arg, const char *name, const char *type, json_t *def)
{
    struct prop *p = arg;
    const char *text;

    if (strcmp(p->name, name)) {
        json_decref(def);
        return true;
    }
    p->val = live_prop(p);
    text = p->val ? NULL : configured(p);
    if (text)
        p->val = typed(type, text);
    if (!p->val)
        p->val = def ? json_incref(def) : json_string("");
    json_decref(def);
    return false;
}

static json_t *device_prop(struct prop *p)
{
    bool card = p->o->dev && vm_card_is_named(p->vm, p->o->dev);

    if (!strcmp(p->name, "realized"))
        return json_true();
    if (!strcmp(p->name, "hotplugged"))
        return json_boolean(card);
    if (!strcmp(p->name, "hotpluggable"))
        return json_boolean(p->o->dev && vm_net_of(p->vm, p->o->dev));
    qom_type_props(qom_type_find(p->o->type), match_prop, p);
    return p->val;
}

/* Is child in the folder? */
static bool is_child(const struct qom_object *child, const char *folder)
{
    size_t len = strlen(folder);

    return !strncmp(child->path, folder, len) && child->path[len] == '/' &&
           !strchr(child->path + len + 1, '/');
}

static void list_object(struct qmp_call *c, const struct qom_object *o)
{
    struct qom_object all[QOM_OBJECTS];
    unsigned n = qom_objects(c->vm, all);

    c->ret = json_array();
    add_prop(c->ret, "type", "string", NULL);
    for (unsigned i = 0; !o->dev && !o->drive && i < n; i++) {
        char type[48];

        snprintf(type, sizeof(type), "child<%s>", all[i].type);
        if (is_child(&all[i], o->path))
            add_prop(c->ret, strrchr(all[i].path, '/') + 1, type, NULL);
    }
    for (unsigned i = 0;
         !strcmp(o->path, "/machine") && i < sizeof(machine_props) / sizeof(machine_props[0]); i++)
        add_prop(c->ret, machine_props[i][0], machine_props[i][1], NULL);
    if (!o->dev && !o->drive)
        return;
    add_prop(c->ret, "realized", "bool", NULL);
    add_prop(c->ret, "hotplugged", "bool", NULL);
    add_prop(c->ret, "hotpluggable", "bool", NULL);
    qom_type_props(qom_type_find(o->type), add_prop, c->ret);
}

static void qom_list(struct qmp_call *c)
{
    const char *path = qmp_arg(c, "path", "");
    struct qom_object o = { .path = "", .type = "container" };

    if (!strcmp(path, "/") || qom_find(c->vm, path, &o))
        list_object(c, &o);
    else
        qmp_fail_as(c, "DeviceNotFound", "Device '%s' not found", path);
}

static void qom_get(struct qmp_call *c)
{
    const char *path = qmp_arg(c, "path", ""), *name = qmp_arg(c, "property", "");
    struct qom_object o = { .path = "", .type = "container" }, child;
    struct prop p = { .vm = c->vm, .o = &o, .name = name };
    char full[256];

    if (strcmp(path, "/") && !qom_find(c->vm, path, &o)) {
        qmp_fail_as(c, "DeviceNotFound", "Device '%s' not found", path);
        return;
    }
    snprintf(full, sizeof(full), "%s/%s", o.path, name);
    if (!strcmp(name, "type"))
        c->ret = json_string(o.type);
    else if (o.dev || o.drive)
        c->ret = device_prop(&p);
    else if (qom_find(c->vm, full, &child))
        c->ret = json_string(child.path);
    else if (!strcmp(o.path, "/machine"))
        c->ret = machine_prop(c->vm, name);
    if (!c->ret)
        qmp_fail(c, "Property '%s.%s' not found", o.type, name);
}

/* Every property there is tells of the machine as it was built: none can be set. */
static void qom_set(struct qmp_call *c)
{
    struct qmp_call get;

    if (!json_object_get(c->args, "value")) {
        qmp_fail(c, "Parameter 'value' is missing");
        return;
    }
    qmp_run(c, "qom-get",
            json_pack("{s:o, s:o}", "path", qmp_str(qmp_arg(c, "path", "")), "property",
                      qmp_str(qmp_arg(c, "property", ""))),
            &get);
    json_decref(get.ret);
    if (get.error)
        qmp_fail_as(c, get.error, "%s", get.desc);
    else
        qmp_fail(c, "Property '%s' of %s is not writable", qmp_arg(c, "property", ""),
                 qmp_arg(c, "path", ""));
}

const struct qmp_verb qmp_qom_verbs[] = {
    { "qom-list-types", list_types, "implements:s? abstract:b?", NULL },
    { "qom-list", qom_list, "path:s", NULL },
    { "qom-get", qom_get, "path:s property:s", NULL },
    { "qom-set", qom_set, "path:s property:s *", NULL },
    { "qom-list-properties", type_props, "typename:s", NULL },
    { "device-list-properties", device_props, "typename:s", NULL },
    { NULL, NULL, NULL, NULL },
};
