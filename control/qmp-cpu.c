/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-cpu.c: verbs about CPUs, and those that come while the guest
 * runs; one CPU a socket. They cannot be unplugged here: the toolstack asks
 * the guest for that through xenstore.
 */
#include <string.h>
#include <unistd.h>
#include "control/qmp-impl.h"
#include "control/types.h"

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
    if (!strcmp(qom_machine_type(c->vm), "none-machine"))
        return;
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
    if (!strcmp(qom_machine_type(c->vm), "none-machine")) {
        qmp_fail(c, "The feature 'query-hotpluggable-cpus' is not enabled");
        return;
    }
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

void qmp_cpu_add(struct qmp_call *c)
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

const struct qmp_verb qmp_cpu_verbs[] = {
    { "query-cpus-fast", query_cpus_fast, NULL, NULL },
    { "query-hotpluggable-cpus", query_hotpluggable, NULL, NULL },
    { NULL, NULL, NULL, NULL },
};
