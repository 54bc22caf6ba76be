/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/plug.c: cards and network back ends that come and go while the guest
 * runs. The guest hears of a card by ACPI (docs/chips/piix4-pm.md) and lets go
 * of it by writing the eject register; a reset lets go as well.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/keyval.h"
#include "control/qmp.h"
#include "control/types.h"
#include "hw/core/pci.h"
#include "hw/nic.h"
#include "hw/piix4-pm.h"
#include "net/filter.h"

static struct device *pm_of_vm(struct vm *vm)
{
    return machine_find(&vm->machine, "pm");
}

static bool is_nic(const struct device *dev)
{
    return dev->type->pci && pci_of((struct device *)(uintptr_t)dev)->cfg[PCI_CLASS + 2] == 0x02;
}

bool vm_card_is_named(const struct vm *vm, const struct device *dev)
{
    for (unsigned i = 0; i < MACHINE_DEVICES; i++) {
        if (vm->cards[i].dev == dev)
            return vm->cards[i].named;
    }
    return false;
}

/* ---- the other end of the cable ---- */

/* Of the command line's NICs and of netdev_add's, by turns. */
static struct net *net_at(struct vm *vm, unsigned i, const char **id)
{
    if (i >= ARGS_NICS) {
        *id = vm->netdevs[i - ARGS_NICS].id;
        return vm->netdevs[i - ARGS_NICS].net;
    }
    *id = i < vm->args.nnics ? vm->args.nics[i].netdev : NULL;
    return vm->nets[i];
}

struct net *vm_find_netdev(struct vm *vm, const char *id, struct device **card)
{
    for (unsigned i = 0; i < 2 * ARGS_NICS; i++) {
        const char *name;
        struct net *net = net_at(vm, i, &name);

        if (!net || !name || strcmp(name, id))
            continue;
        for (unsigned k = 0; card; k++) {
            *card = k < vm->machine.n ? vm->machine.dev[k] : NULL;
            if (!*card || vm_net_of(vm, *card) == net)
                break;
        }
        return net;
    }
    return NULL;
}

struct net *vm_net_of(struct vm *vm, const struct device *dev)
{
    if (!is_nic(dev))
        return NULL;
    for (unsigned i = 0; i < 2 * ARGS_NICS; i++) {
        const char *name;
        struct net *net = net_at(vm, i, &name);

        if (net && net->nic == dev)
            return net;
    }
    return NULL;
}

/* A constant of that spelling; NULL: there is no such back end. */
static const char *name_of(const char *type)
{
    static const char *const types[] = { "tap", "user", "null", "socket", "dgram", "stream" };

    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!strcmp(types[i], type))
            return types[i];
    }
    return NULL;
}

static struct net *open_net(struct vm *vm, const char *type, const char *id,
                            const struct config *cfg, struct err *err)
{
    struct config full = { 0 };
    struct net *net;

    for (size_t i = 0; i < cfg->n; i++)
        config_set(&full, cfg->items[i].key, cfg->items[i].val);
    config_set(&full, "type", type);
    net = net_open(vm->loop, id, &full, vm->helpers ? vm->helpers : ".", err);
    config_free(&full);
    return net;
}

int vm_netdev_add(struct vm *vm, const char *type, const char *id, const struct config *cfg,
                  struct err *err)
{
    const char *ifname = config_str(cfg, "ifname", NULL);
    const char *known;
    struct vm_netdev *n = NULL;

    for (unsigned i = 0; i < ARGS_NICS && !n; i++) {
        if (!vm->netdevs[i].net)
            n = &vm->netdevs[i];
    }
    if (vm_find_netdev(vm, id, NULL))
        return err_set(err, -EEXIST, "Duplicate ID '%s' for netdev", id);
    if (!n)
        return err_set(err, -ENOSPC, "more than %d network back ends", ARGS_NICS);
    known = name_of(type);
    if (!known)
        return err_set(err, -EINVAL, "Invalid parameter '%s'", type);
    if (!strcmp(type, "tap") && !ifname)
        return err_set(err, -EINVAL, "netdev_add tap: ifname is missing: name the interface");
    n->net = open_net(vm, type, id, cfg, err);
    if (!n->net)
        return -EIO;
    net_hold(n->net, !vm->running);
    n->id = xstrdup(id);
    n->type = known;
    return 0;
}

int vm_netdev_del(struct vm *vm, const char *id, struct err *err)
{
    struct device *card = NULL;
    struct net *net = vm_find_netdev(vm, id, &card);

    if (!net)
        return err_set(err, -ENOENT, "Device '%s' not found", id);
    net_set_link(net, false);
    net_shut(net); /* a NIC that is plugged into it keeps a dead cable */
    for (unsigned i = 0; i < ARGS_NICS; i++) {
        struct vm_netdev *n = &vm->netdevs[i];

        if (i < vm->args.nnics && vm->nets[i] == net) {
            free(vm->args.nics[i].netdev); /* the id may come again; the back end ends with us */
            vm->args.nics[i].netdev = NULL;
        }
        if (n->net != net)
            continue;
        free(n->id);
        n->id = NULL;
        if (!card) {
            net_close(net);
            n->net = NULL;
        }
    }
    return 0;
}

/* A back end whose id went while its card was still there. */
static void close_orphans(struct vm *vm)
{
    for (unsigned i = 0; i < ARGS_NICS; i++) {
        struct vm_netdev *n = &vm->netdevs[i];

        if (n->net && !n->id && !n->net->nic) {
            net_close(n->net);
            n->net = NULL;
        }
    }
}

/* ---- filters on it ---- */

static struct net_filter *find_filter(struct vm *vm, const char *id)
{
    for (unsigned i = 0; i < 2 * ARGS_NICS; i++) {
        const char *name;
        const struct net *net = net_at(vm, i, &name);

        for (unsigned k = 0; net && k < net->nfilters; k++) {
            if (!strcmp(net->filter[k]->id, id))
                return net->filter[k];
        }
    }
    return NULL;
}

int vm_filter_add(struct vm *vm, const struct config *cfg, struct err *err)
{
    const char *id = config_str(cfg, "id", ""), *netdev = config_str(cfg, "netdev", "");
    struct net *net = vm_find_netdev(vm, netdev, NULL);

    if (find_filter(vm, id))
        return err_set(err, -EEXIST, "attempt to add duplicate property '%s' to object", id);
    if (!net)
        return err_set(err, -ENOENT, "Property 'netdev' can't find value '%s'", netdev);
    return net_filter_add(vm->loop, net, cfg, err) ? 0 : -EIO;
}

int vm_filter_del(struct vm *vm, const char *id, struct err *err)
{
    struct net_filter *f = find_filter(vm, id);
    struct net *net = f ? f->net : NULL;

    if (!f)
        return err_set(err, -ENOENT, "object '%s' not found", id);
    net_filter_remove(f);
    net_kick(net);
    return 0;
}

void vm_plug_free(struct vm *vm)
{
    for (unsigned i = 0; i < ARGS_NICS; i++) {
        net_close(vm->netdevs[i].net);
        free(vm->netdevs[i].id);
        vm->netdevs[i] = (struct vm_netdev){ 0 };
    }
}

/* ---- cards ---- */

static bool same_name(void *arg, const char *name, const char *type, json_t *def)
{
    json_decref(def);
    return strcmp(name, arg) != 0;
}

static int check_props(const struct qom_type *t, const struct config *cfg, struct err *err)
{
    for (size_t i = 0; cfg && i < cfg->n; i++) {
        const char *key = cfg->items[i].key;

        if (!strcmp(key, "driver") || !strcmp(key, "id"))
            continue;
        if (!strcmp(key, "bus") && qom_type_is(t, "usb-device"))
            continue;
        if (!strcmp(key, "bus")) {
            if (strcmp(config_str(cfg, "bus", ""), "pci.0"))
                return err_set(err, -EINVAL, "Bus '%s' not found", config_str(cfg, "bus", ""));
            continue;
        }
        if (qom_type_props(t, same_name, cfg->items[i].key))
            return err_set(err, -EINVAL, "Property '%s.%s' not found", t->name, key);
    }
    return 0;
}

static int check_driver(struct vm *vm, const struct qom_type *t, const char *driver,
                        const struct config *cfg, struct err *err)
{
    if (!t || !qom_type_is(t, "device"))
        return err_set(err, -EINVAL, "'%s' is not a valid device model name", driver);
    if (t->abstract)
        return err_set(err, -EINVAL, "Parameter 'driver' expects a non-abstract device type");
    if (qom_type_is(t, "isa-device"))
        return err_set(err, -EINVAL, "Bus 'isa.0' does not support hotplugging");
    if (qom_type_is(t, "ide-device"))
        return err_set(err, -EINVAL, "Bus '%s' does not support hotplugging",
                       config_str(cfg, "bus", "ide.0"));
    if (qom_type_is(t, "usb-device"))
        return vm->machine.plat && vm->machine.plat->nusb
                   ? check_props(t, cfg, err)
                   : err_set(err, -EINVAL, "No 'usb-bus' bus found for device '%s'", driver);
    if (!machine_has_card(driver) || qom_type_is(t, "pci-vga") || !strcmp(driver, "cirrus-vga"))
        return err_set(err, -EINVAL, "Device '%s' does not support hotplugging", driver);
    if (!pm_of_vm(vm))
        return err_set(err, -ENOTSUP, "Bus 'pci.0' does not support hotplugging");
    return check_props(t, cfg, err);
}

struct sound *vm_sound_of(struct vm *vm, const struct config *cfg)
{
    const char *id = config_str(cfg, "audiodev", NULL);

    for (unsigned i = 0; i < vm->args.naudiodevs; i++) {
        if (!id || !strcmp(vm->args.audiodevs[i].id, id))
            return vm->sounds[i];
    }
    return NULL;
}

/* The card's config, with its cable and where ROMs are. */
static int make_config(struct vm *vm, const char *driver, const struct config *cfg,
                       struct config *out, struct err *err)
{
    const char *netdev = config_str(cfg, "netdev", NULL);
    struct device *card = NULL;
    struct net *net = netdev ? vm_find_netdev(vm, netdev, &card) : NULL;
    unsigned nics = 0;
    char mac[18];

    for (size_t i = 0; cfg && i < cfg->n; i++) {
        if (cfg->items[i].val)
            config_set(out, cfg->items[i].key, cfg->items[i].val);
    }
    if (netdev && !net)
        return err_set(err, -EINVAL, "Property '%s.netdev' can't find value '%s'", driver, netdev);
    if (card)
        return err_set(err, -EBUSY, "Property '%s.netdev' can't take value '%s', it's in use",
                       driver, netdev);
    if (net)
        config_set_obj(out, "net", net);
    for (unsigned i = 0; i < vm->machine.n; i++)
        nics += is_nic(vm->machine.dev[i]);
    snprintf(mac, sizeof(mac), "52:54:00:12:34:%02x", (0x56 + nics) & 0xff);
    if (!config_str(cfg, "mac", NULL))
        config_set(out, "mac", mac);
    config_set(out, "rom-path", vm->args.rom_path ? vm->args.rom_path : "");
    config_set_obj(out, "display", vm->display);
    config_set_obj(out, "sound", vm_sound_of(vm, cfg));
    return 0;
}

static bool id_is_taken(struct vm *vm, const char *id)
{
    struct qom_object o;

    return machine_find(&vm->machine, id) || qom_find(vm, id, &o);
}

/* "device-3": of a card without an id, for saving and `info registers`. */
static void free_id(struct vm *vm, char id[24])
{
    for (unsigned i = 0; i == 0 || machine_find(&vm->machine, id); i++)
        snprintf(id, 24, "device-%u", i);
}

int vm_device_add(struct vm *vm, const char *driver, const char *id, const struct config *cfg,
                  struct err *err)
{
    const struct qom_type *t = qom_type_find(driver);
    struct config full = { 0 };
    struct device *dev = NULL;
    char made_up[24];
    int rc = check_driver(vm, t, driver, cfg, err);

    if (rc)
        return rc;
    tape_stop(vm->tape, "a card was plugged in");
    if (id && id_is_taken(vm, id))
        return err_set(err, -EEXIST, "Duplicate device ID '%s'", id);
    if (id && strlen(id) >= sizeof(made_up))
        return err_set(err, -EINVAL, "id=%s: longer than %zu characters", id, sizeof(made_up) - 1);
    if (!id)
        free_id(vm, made_up);
    rc = make_config(vm, driver, cfg, &full, err);
    if (!rc)
        dev = machine_plug(&vm->machine, driver, id ? id : made_up, &full, err);
    config_free(&full);
    if (!dev)
        return rc ? rc : -EINVAL;
    for (unsigned i = 0; i < MACHINE_DEVICES; i++) {
        if (!vm->cards[i].dev) {
            vm->cards[i] = (struct vm_card){ dev, id != NULL };
            break;
        }
    }
    if (dev->type->pci)
        pm_pci_plugged(pm_of_vm(vm), PCI_SLOT(pci_of(dev)->devfn));
    return 0;
}

static void take_out(struct vm *vm, struct device *dev);

/* A plug is pulled without asking. */
static bool is_usb(const struct device *dev)
{
    return qom_type_is(qom_type_find(dev->type->name), "usb-device");
}

int vm_device_del(struct vm *vm, struct device *dev, struct err *err)
{
    struct device *pm = pm_of_vm(vm);
    unsigned slot = dev->type->pci ? PCI_SLOT(pci_of(dev)->devfn) : 0;

    if (is_usb(dev)) {
        tape_stop(vm->tape, "a device was pulled out");
        take_out(vm, dev);
        return 0;
    }
    if (!dev->type->pci)
        return err_set(err, -EINVAL, "Bus 'isa.0' does not support hotplugging");
    if (!pm)
        return err_set(err, -ENOTSUP, "Bus 'pci.0' does not support hotplugging");
    if (machine_card_in(&vm->machine, slot) != dev || !is_nic(dev))
        return err_set(err, -EINVAL, "Device '%s' does not support hotplugging", dev->type->name);
    if (pm_pci_leaving(pm) & 1u << slot)
        return err_set(err, -EBUSY, "Device %s is already in the process of unplug", dev->id);
    tape_stop(vm->tape, "a card is to leave");
    pm_pci_unplug_request(pm, slot);
    return 0;
}

static void take_out(struct vm *vm, struct device *dev)
{
    struct qom_object o;
    json_t *data = json_object();

    if (qom_of_device(vm, dev, &o)) {
        if (o.user)
            json_object_set_new(data, "device", json_string(dev->id));
        json_object_set_new(data, "path", json_string(o.path));
    }
    for (unsigned i = 0; i < MACHINE_DEVICES; i++) {
        if (vm->cards[i].dev == dev)
            vm->cards[i].dev = NULL;
    }
    machine_unplug(&vm->machine, dev);
    close_orphans(vm);
    qmp_event(vm->qmp, "DEVICE_DELETED", data);
}

/* The guest may eject what nobody asked it for: that, too, is gone then. */
static void ejected(void *arg, unsigned slot)
{
    struct vm *vm = arg;
    struct device *dev = machine_card_in(&vm->machine, slot);

    if (dev && is_nic(dev))
        take_out(vm, dev);
}

void vm_plug_listen(struct vm *vm)
{
    struct device *pm = pm_of_vm(vm);

    if (pm)
        pm_set_eject(pm, ejected, vm);
}

void vm_unplug_asked(struct vm *vm)
{
    struct device *pm = pm_of_vm(vm);
    uint32_t slots = pm ? pm_pci_leaving(pm) : 0;

    for (unsigned slot = 0; slot < PM_SLOTS; slot++) {
        if (slots & 1u << slot)
            ejected(vm, slot);
    }
}
