/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-device.c: verbs about devices and network back ends that come
 * and go while the guest runs, and the cable of a NIC.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "control/qmp-impl.h"
#include "control/types.h"
#include "hw/core/pci.h"
#include "net/net.h"

/* A JSON argument as the command line would spell it. False: an object or array. */
static bool as_text(const char *key, const json_t *val, char *out, size_t size)
{
    if (json_is_string(val)) {
        snprintf(out, size, "%s", json_string_value(val));
    } else if (json_is_integer(val)) {
        json_int_t n = json_integer_value(val);

        if (!strcmp(key, "addr")) /* a number is slot and function in one */
            snprintf(out, size, "%llx.%llx", (unsigned long long)n >> 3, (unsigned long long)n & 7);
        else
            snprintf(out, size, "%lld", (long long)n);
    } else if (json_is_boolean(val)) {
        snprintf(out, size, "%s", json_is_true(val) ? "on" : "off");
    } else if (json_is_real(val)) {
        snprintf(out, size, "%g", json_real_value(val));
    } else {
        return false;
    }
    return true;
}

/* All arguments but `skip`s as a config. False and a failed call when one cannot be. */
static bool to_config(struct qmp_call *c, const char *skip1, const char *skip2, struct config *cfg)
{
    const char *key;
    json_t *val;

    json_object_foreach(c->args, key, val)
    {
        char text[1024];

        if (!strcmp(key, skip1) || !strcmp(key, skip2))
            continue;
        if (!as_text(key, val, text, sizeof(text))) {
            qmp_fail(c, "Invalid parameter type for '%s', expected: string", key);
            config_free(cfg);
            return false;
        }
        config_set(cfg, key, text);
    }
    return true;
}

static const struct {
    const char *driver;
} passed_through[] = { { "xen-pci-passthrough" }, { "vfio-pci" }, { "usb-host" } };

static void device_add(struct qmp_call *c)
{
    const char *driver = qmp_arg(c, "driver", "");
    struct config cfg = { 0 };
    struct err err = { "" };
    size_t len = strlen(driver);

    if (len >= 4 && !strcmp(driver + len - 4, "-cpu")) {
        qmp_cpu_add(c);
        return;
    }
    for (unsigned i = 0; i < sizeof(passed_through) / sizeof(passed_through[0]); i++) {
        if (!strcmp(passed_through[i].driver, driver)) {
            qmp_fail(c, "device_add %s: not supported; devices of the host are not passed through",
                     driver);
            return;
        }
    }
    if (!to_config(c, "driver", "id", &cfg))
        return;
    if (vm_device_add(c->vm, driver, qmp_arg(c, "id", NULL), &cfg, &err))
        qmp_fail(c, "%s", err.msg);
    config_free(&cfg);
}

static void device_del(struct qmp_call *c)
{
    const char *id = qmp_arg(c, "id", "");
    struct qom_object o;
    struct err err = { "" };

    if (!strncmp(id, "cpu-", 4))
        qmp_fail(c,
                 "device_del %s: CPUs are not unplugged here; the guest takes them offline "
                 "(`xl vcpu-set`)",
                 id);
    else if (!qom_find(c->vm, id, &o) || (!o.dev && !o.drive) || (*id != '/' && !o.user))
        qmp_fail_as(c, "DeviceNotFound", "Device '%s' not found", id);
    else if (o.drive)
        qmp_fail(c, "Bus '%s.%d' does not support hotplugging",
                 o.drive->arg->iface == DRIVE_FLOPPY ? "floppy-bus" : "ide",
                 o.drive->arg->unit > 1);
    else if (vm_device_del(c->vm, o.dev, &err))
        qmp_fail(c, "%s", err.msg);
}

/* ---- the network ---- */

static void netdev_add(struct qmp_call *c)
{
    struct config cfg = { 0 };
    struct err err = { "" };

    if (!qmp_flatten(c, &cfg))
        qmp_fail(c, "Invalid parameter type; strings, numbers, booleans and objects of them only");
    else if (vm_netdev_add(c->vm, qmp_arg(c, "type", ""), qmp_arg(c, "id", ""), &cfg, &err))
        qmp_fail(c, "%s", err.msg);
    config_free(&cfg);
}

static void netdev_del(struct qmp_call *c)
{
    struct err err = { "" };
    int rc = vm_netdev_del(c->vm, qmp_arg(c, "id", ""), &err);

    if (rc)
        qmp_fail_as(c, rc == -ENOENT ? "DeviceNotFound" : "GenericError", "%s", err.msg);
}

/* ---- objects: filters on cables ---- */

static void object_add(struct qmp_call *c)
{
    struct config cfg = { 0 };
    struct err err = { "" };

    if (!qmp_flatten(c, &cfg))
        qmp_fail(c, "Invalid parameter type; strings, numbers, booleans and objects of them only");
    else if (!strcmp(qmp_arg(c, "qom-type", ""), "throttle-group")) {
        if (vm_group_add(c->vm, &cfg, &err))
            qmp_fail(c, "%s", err.msg);
    } else if (args_check_filter("object-add", &cfg, &err) || vm_filter_add(c->vm, &cfg, &err))
        qmp_fail(c, "%s", err.msg);
    config_free(&cfg);
}

static void object_del(struct qmp_call *c)
{
    const char *id = qmp_arg(c, "id", "");
    struct err err = { "" };
    int rc = vm_group_del(c->vm, id, &err);

    if (rc == -ENOENT)
        rc = vm_filter_del(c->vm, id, &err);
    if (rc)
        qmp_fail(c, "%s", err.msg);
}

/* By the id of the NIC or of its back end. */
static void set_link(struct qmp_call *c)
{
    const char *name = qmp_arg(c, "name", "");
    struct net *net = vm_find_netdev(c->vm, name, NULL);
    struct qom_object o;

    if (!net && qom_find(c->vm, name, &o) && o.dev)
        net = vm_net_of(c->vm, o.dev);
    if (net)
        net_set_link(net, qmp_arg_bool(c, "up", true));
    else
        qmp_fail_as(c, "DeviceNotFound", "Device '%s' not found", name);
}

/* As QEMU has it for all NICs that are not virtio's: none can be asked. */
static void query_rx_filter(struct qmp_call *c)
{
    const char *name = qmp_arg(c, "name", NULL);
    struct qom_object o;

    c->ret = json_array();
    if (!name)
        return;
    if (vm_find_netdev(c->vm, name, NULL))
        qmp_fail(c, "net client(%s) isn't a NIC", name);
    else if (qom_find(c->vm, name, &o) && o.user && o.dev && vm_net_of(c->vm, o.dev))
        qmp_fail(c, "net client(%s) doesn't support rx-filter querying", name);
    else
        qmp_fail(c, "invalid net client name: %s", name);
}

const struct qmp_verb qmp_device_verbs[] = {
    { "device_add", device_add, "driver:s id:s? *", NULL },
    { "device_del", device_del, "id:s", NULL },
    { "netdev_add", netdev_add, "type:s id:s *", NULL },
    { "netdev_del", netdev_del, "id:s", NULL },
    { "object-add", object_add, "qom-type:s id:s *", NULL },
    { "object-del", object_del, "id:s", NULL },
    { "query-rx-filter", query_rx_filter, "name:s?", NULL },
    { "set_link", set_link, "name:s up:b", NULL },
    { NULL, NULL, NULL, NULL },
};
