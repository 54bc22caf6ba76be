/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/qmp-query.c: verbs that say what this program is and has, guest or no guest. */
#include <string.h>
#include "control/qmp-impl.h"
#include "control/types.h"

#define CPUS_MAX 128 /* as -smp takes them */

static const struct {
    const char *name, *alias;
    bool is_default;
    int cpus;
} machines[] = {
    { "pc-i440fx-7.2", "pc", true, CPUS_MAX },
    { "xenfv-4.2", "xenfv", false, CPUS_MAX },
    { "none", NULL, false, 1 },
};

static void query_machines(struct qmp_call *c)
{
    c->ret = json_array();
    for (unsigned i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
        bool pc = machines[i].cpus > 1;
        json_t *m = json_pack("{s:b, s:s, s:b, s:i, s:b}", "hotpluggable-cpus", pc, "name",
                              machines[i].name, "numa-mem-supported", 0, "cpu-max",
                              machines[i].cpus, "deprecated", 0);

        if (machines[i].alias)
            json_object_set_new(m, "alias", json_string(machines[i].alias));
        if (machines[i].is_default)
            json_object_set_new(m, "is-default", json_true());
        if (pc)
            json_object_set_new(m, "default-cpu-type", json_string("qemu32-i386-cpu"));
        json_object_set_new(m, "default-ram-id", json_string(pc ? "pc.ram" : "ram"));
        json_array_append_new(c->ret, m);
    }
}

static void query_target(struct qmp_call *c)
{
    c->ret = json_pack("{s:s}", "arch", "i386");
}

static void empty_list(struct qmp_call *c)
{
    c->ret = json_array();
}

static void query_memory(struct qmp_call *c)
{
    bool none = !strcmp(qom_machine_type(c->vm), "none-machine");

    c->ret = json_pack("{s:I, s:i}", "base-memory", (json_int_t)(none ? 0 : c->vm->args.ram),
                       "plugged-memory", 0);
}

/* What -chardev takes. */
static void query_backends(struct qmp_call *c)
{
    static const char *const names[] = { "file",   "null",   "pipe",  "pty",
                                         "serial", "socket", "stdio", "udp" };

    c->ret = json_array();
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        json_array_append_new(c->ret, json_pack("{s:s}", "name", names[i]));
}

/* The one that display_pointer() reaches is current. */
static void query_mice(struct qmp_call *c)
{
    c->ret = json_array();
    if (machine_find(&c->vm->machine, "i8042"))
        json_array_append_new(c->ret, json_pack("{s:i, s:s, s:b, s:b}", "index", 2, "name",
                                                "Portico PS/2 Mouse", "current",
                                                !display_pointer_is_absolute(c->vm->display),
                                                "absolute", 0));
    if (c->vm->display && display_pointer_is_absolute(c->vm->display))
        json_array_append_new(c->ret, json_pack("{s:i, s:s, s:b, s:b}", "index", 3, "name",
                                                "Portico USB Tablet", "current", 1, "absolute", 1));
}

static json_t *parameters(const char *list)
{
    json_t *params = json_array();

    for (const char *p = list; *p; p += strspn(p, " ")) {
        size_t colon = strcspn(p, ":"), len = strcspn(p, " ");
        static const struct {
            char letter;
            const char *type;
        } types[] = { { 's', "string" }, { 'b', "boolean" }, { 'n', "number" }, { 'z', "size" } };

        for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
            if (p[colon + 1] == types[i].letter)
                json_array_append_new(
                    params, json_pack("{s:s%, s:s}", "name", p, colon, "type", types[i].type));
        }
        p += len;
    }
    return params;
}

static const struct {
    const char *option, *parameters;
} options[] = {
    { "machine", "type:s accel:s usb:b max-ram-below-4g:z" },
    { "accel", "accel:s" },
    { "name", "guest:s" },
    { "memory", "size:z" },
    { "smp-opts", "cpus:n sockets:n dies:n cores:n threads:n maxcpus:n" },
    { "boot-opts", "order:s once:s menu:b splash:s splash-time:n reboot-timeout:n strict:b" },
    { "rtc", "base:s clock:s driftfix:s" },
    { "action", "reboot:s shutdown:s panic:s watchdog:s" },
    { "mon", "mode:s chardev:s pretty:b" },
    { "chardev", "backend:s path:s host:s port:s server:b wait:b fd:s telnet:b" },
    { "drive", "file:s format:s media:s if:s index:n bus:n unit:n id:s readonly:b cache:s "
               "discard:s snapshot:b rerror:s werror:s detect-zeroes:s" },
    { "device", "" },
    { "netdev", "" },
    { "nic", "" },
    { "global", "driver:s property:s value:s" },
    { "vnc", "vnc:s to:n password:b password-secret:s share:s websocket:s tls-creds:s "
             "power-control:b key-delay-ms:n view-only:b paste-key:b" },
};

/* Guest memory where it is ours; a machine without a guest has what -m says, if anything. */
static void query_memdev(struct qmp_call *c)
{
    const struct vm_args *a = &c->vm->args;
    bool none = !strcmp(a->machine, "none");

    c->ret = json_array();
    if (!a->own_clocks || (none && !a->ram_said))
        return;
    json_array_append_new(c->ret, json_pack("{s:s, s:I, s:b, s:b, s:b, s:b, s:b, s:[], s:s}", "id",
                                            none ? "ram" : "pc.ram", "size", (json_int_t)a->ram,
                                            "merge", 0, "dump", 1, "prealloc", 0, "share", 0,
                                            "reserve", 0, "host-nodes", "policy", "default"));
}

static void query_options(struct qmp_call *c)
{
    const char *wanted = qmp_arg(c, "option", NULL);

    c->ret = json_array();
    for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (!wanted || !strcmp(wanted, options[i].option))
            json_array_append_new(c->ret,
                                  json_pack("{s:s, s:o}", "option", options[i].option, "parameters",
                                            parameters(options[i].parameters)));
    }
    if (wanted && !json_array_size(c->ret))
        qmp_fail(c, "invalid option name");
}

const struct qmp_verb qmp_query_verbs[] = {
    { "query-machines", query_machines, NULL, NULL },
    { "query-target", query_target, NULL, NULL },
    { "query-memory-size-summary", query_memory, NULL, NULL },
    { "query-chardev-backends", query_backends, NULL, NULL },
    { "query-mice", query_mice, NULL, NULL },
    { "query-command-line-options", query_options, "option:s?", NULL },
    { "query-iothreads", empty_list, NULL, NULL },
    { "query-jobs", empty_list, NULL, NULL },
    { "query-block-jobs", empty_list, NULL, NULL },
    { "query-memory-devices", empty_list, NULL, NULL },
    { "query-memdev", query_memdev, NULL, NULL },
    { "query-tpm", empty_list, NULL, NULL },
    { "query-tpm-models", empty_list, NULL, NULL },
    { "query-tpm-types", empty_list, NULL, NULL },
    { NULL, NULL, NULL, NULL },
};
