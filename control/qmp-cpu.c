/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-cpu.c: verbs about CPUs and devices that come while the guest
 * runs. Only CPUs can; one CPU a socket. They cannot be unplugged here: the
 * toolstack asks the guest for that through xenstore.
 */
#include <string.h>
#include <unistd.h>
#include "control/qmp-impl.h"

#define CPU_TYPE "qemu32-i386-cpu" /* any name does; libxl gives it back to device_add */

static json_t *cpu_props(unsigned i)
{
    return json_pack("{s:i, s:i, s:i}", "core-id", 0, "thread-id", 0, "socket-id", (int)i);
}

static json_t *cpu_path(unsigned i)
{
    return json_sprintf("/machine/cpu[%u]", i);
}

static void query_cpus_fast(struct qmp_call *c)
{
    c->ret = json_array();
    for (unsigned i = 0; i < c->vm->args.max_cpus; i++) {
        if (!vm_cpu_present(c->vm, i))
            continue;
        json_array_append_new(c->ret,
                              json_pack("{s:i, s:o, s:o, s:i, s:s}", "thread-id", (int)getpid(),
                                        "props", cpu_props(i), "qom-path", cpu_path(i), "cpu-index",
                                        (int)i, "target", "i386"));
    }
}

/* The last first; what has a qom-path is plugged in. */
static void query_hotpluggable(struct qmp_call *c)
{
    c->ret = json_array();
    for (unsigned i = c->vm->args.max_cpus; i-- > 0;) {
        json_t *cpu = json_pack("{s:o, s:i}", "props", cpu_props(i), "vcpus-count", 1);

        if (vm_cpu_present(c->vm, i))
            json_object_set_new(cpu, "qom-path", cpu_path(i));
        json_object_set_new(cpu, "type", json_string(CPU_TYPE));
        json_array_append_new(c->ret, cpu);
    }
}

/* A number that must be there (or, with max 0, may be) and at most max. */
static bool cpu_number(struct qmp_call *c, const char *key, unsigned max, unsigned *out)
{
    const json_t *val = json_object_get(c->args, key);

    *out = 0;
    if (!val && !max)
        return true;
    if (!json_is_integer(val)) {
        qmp_fail(c,
                 val ? "Invalid parameter type for '%s', expected: integer"
                     : "Parameter '%s' is missing",
                 key);
        return false;
    }
    if (json_integer_value(val) < 0 || json_integer_value(val) > max) {
        qmp_fail(c, "Invalid CPU %s: %lld must be in range 0:%u", key,
                 (long long)json_integer_value(val), max);
        return false;
    }
    *out = (unsigned)json_integer_value(val);
    return true;
}

static void cpu_add(struct qmp_call *c)
{
    struct err err = { "" };
    unsigned socket, zero, last = c->vm->args.max_cpus - 1;

    if (!json_object_get(c->args, "socket-id"))
        qmp_fail(c, "Parameter 'socket-id' is missing");
    else if (!cpu_number(c, "socket-id", last, &socket) || !cpu_number(c, "core-id", 0, &zero) ||
             !cpu_number(c, "thread-id", 0, &zero))
        return; /* it said why */
    else if (vm_cpu_present(c->vm, socket))
        qmp_fail(c, "CPU[%u] with socket-id %u exists", socket, socket);
    else if (vm_cpu_plug(c->vm, socket, &err))
        qmp_fail(c, "device_add cpu-%u: %s", socket, err.msg);
}

#define NO_PASS "devices of the host are not passed through"

static const struct {
    const char *driver, *text;
} refused[] = {
    { "xen-pci-passthrough", NO_PASS },
    { "vfio-pci", NO_PASS },
    { "usb-host", NO_PASS },
    { "piix3-usb-uhci", "USB controllers are there from the start (usb=1) or not at all" },
    { "usb-ehci", "USB controllers are there from the start (usb=1) or not at all" },
    { "nec-usb-xhci", "USB controllers are there from the start (usb=1) or not at all" },
};

static void device_add(struct qmp_call *c)
{
    const char *driver = qmp_arg(c, "driver", "");
    size_t len = strlen(driver);

    if (len >= 4 && !strcmp(driver + len - 4, "-cpu")) {
        cpu_add(c);
        return;
    }
    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (!strcmp(refused[i].driver, driver)) {
            qmp_fail(c, "device_add %s: not supported; %s", driver, refused[i].text);
            return;
        }
    }
    qmp_fail(c, "'%s' is not a device that can be added to a running guest", driver);
}

static void device_del(struct qmp_call *c)
{
    const char *id = qmp_arg(c, "id", "");

    if (!strncmp(id, "cpu-", 4))
        qmp_fail(c,
                 "device_del %s: CPUs are not unplugged here; the guest takes them offline "
                 "(`xl vcpu-set`)",
                 id);
    else
        qmp_fail_as(c, "DeviceNotFound", "Device '%s' not found", id);
}

const struct qmp_verb qmp_cpu_verbs[] = {
    { "query-cpus-fast", query_cpus_fast, NULL, NULL },
    { "query-hotpluggable-cpus", query_hotpluggable, NULL, NULL },
    { "device_add", device_add, "driver:s id:s? *", NULL },
    { "device_del", device_del, "id:s", NULL },
    { NULL, NULL, NULL, NULL },
};
