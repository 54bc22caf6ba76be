/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/args-machine.c: the options that say what the PC is: machine, memory, CPUs, boot. */
#include <errno.h>
#include <string.h>
#include "control/args-impl.h"
#include "hw/core/log.h"

#define DOMID_MAX   0x7fef /* above are Xen's special ones */
#define CPUS_MAX    128    /* one page of ioreq slots */
#define RAM_MAX     (UINT64_C(1) << 42)
#define RAM_LOW_MIN (UINT64_C(1) << 28)
#define RAM_LOW_MAX UINT64_C(0xf0000000)
#define MIB         (UINT64_C(1) << 20)

int args_domid(struct args_ctx *c, const struct option *o, const char *arg)
{
    uint64_t domid;

    if (!parse_uint(arg, DOMID_MAX, &domid) || !domid)
        return err_set(c->err, -EINVAL, "-xen-domid %s: not a domain id from 1 to %u", arg,
                       DOMID_MAX);
    c->a->domid = (int)domid;
    return 0;
}

/*
 * Several may be named, here with colons and by several -accel; as in QEMU those that this
 * program does not have are passed over, so long as one is left.
 */
static int set_accel(struct args_ctx *c, const char *opt, const char *accel, char **where)
{
    static const char *const accels[] = { "xen", "kvm", "qtest" };
    size_t len = strcspn(accel, ":");

    for (unsigned i = 0; i < sizeof(accels) / sizeof(accels[0]); i++) {
        if (strlen(accels[i]) == len && !memcmp(accel, accels[i], len)) {
            args_replace(where, accels[i]);
            return 0;
        }
    }
    if (!c->bad_accel)
        c->bad_accel = xasprintf("%s=%s", opt, accel);
    return accel[len] ? set_accel(c, opt, accel + len + 1, where) : 0;
}

int args_check_accel(struct args_ctx *c)
{
    if (c->bad_accel && !c->accel_opt && !c->a->accel)
        return err_set(c->err, -ENOTSUP, "%s: not supported; use xen, kvm or qtest", c->bad_accel);
    return 0;
}

int args_accel(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 };
    int rc = keyval_parse(&cfg, "-accel", arg, "accel", NULL, c->err);

    if (!rc && !strcmp(config_str(&cfg, "accel", ""), "help")) {
        args_replace(&c->a->print, "Accelerators supported in portico-dm:\nxen\nqtest");
    } else if (!rc)
        rc = set_accel(c, "-accel accel", config_str(&cfg, "accel", ""), &c->accel_opt);
    config_free(&cfg);
    return rc;
}

/* The names libxl and people use; the board is the same i440FX for all. */
static int set_machine(struct args_ctx *c, const char *type)
{
    struct vm_args *a = c->a;

    if (!strcmp(type, "xenfv") || !strncmp(type, "xenfv-", 6)) {
        args_replace(&a->machine, "xenfv");
        a->platform_pci = true;
        return 0;
    }
    if (!strcmp(type, "pc") || !strncmp(type, "pc-i440fx-", 10)) {
        args_replace(&a->machine, "pc");
        a->platform_pci = false;
        return 0;
    }
    if (!strcmp(type, "none")) {
        args_replace(&a->machine, "none");
        a->platform_pci = false;
        return 0;
    }
    if (!strcmp(type, "xenpv") || !strcmp(type, "xenpvh"))
        return err_set(c->err, -ENOTSUP,
                       "-machine %s: not supported; PV and PVH domains need no "
                       "device model of this kind",
                       type);
    return err_set(c->err, -ENOTSUP, "-machine %s: not supported; use xenfv, pc or none", type);
}

static int set_hole(struct args_ctx *c, const char *val)
{
    uint64_t low;

    if (!parse_size(val, 1, RAM_LOW_MAX, &low) || low < RAM_LOW_MIN || low % 4096)
        return err_set(c->err, -EINVAL,
                       "-machine max-ram-below-4g=%s: must be whole pages from "
                       "0x10000000 to 0xf0000000 bytes (mmio_hole= from 256 to 3840)",
                       val);
    c->a->max_ram_below_4g = low;
    return 0;
}

static void note_flashes(struct args_ctx *c, const struct config *cfg)
{
    char key[] = "pflash0";

    for (unsigned i = 0; i < ARGS_FLASHES; i++, key[6]++) {
        const char *name = config_str(cfg, key, NULL);

        if (name)
            args_replace(&c->flash[i], name);
    }
}

int args_machine(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const struct keyval_key keys[] = {
        { "type", 0 },
        { "accel", 0 },
        { "suppress-vmdesc", 0 },
        { "usb", 0 },
        { "max-ram-below-4g", 0 },
        { "igd-passthru", 0 },
        { "mem-merge", 0 },
        { "memory-backend", 0 },
        { "dump-guest-core", 0 },
        { "kernel_irqchip", 0 },
        { "hpet", 0 },
        { "vmport", 0 },
        { "acpi", 0 },
        { "smm", 0 },
        { "pit", 0 },
        { "sata", 0 },
        { "smbus", 0 },
        { "pflash0", 0 },
        { "pflash1", 0 },
        { "graphics", 0 },
        { NULL, 0 },
    };
    struct config cfg = { 0 };
    const char *type, *accel, *hole;
    bool igd = false;
    int rc;

    if (!strcmp(arg, "help") || !strcmp(arg, "?")) {
        args_replace(&c->a->print, args_machines());
        return 0;
    }
    rc = keyval_parse(&cfg, "-machine", arg, "type", keys, c->err);
    type = config_str(&cfg, "type", NULL);
    accel = config_str(&cfg, "accel", NULL);
    hole = config_str(&cfg, "max-ram-below-4g", NULL);
    if (!rc && type)
        rc = set_machine(c, type);
    if (!rc && accel)
        rc = set_accel(c, "-machine accel", accel, &c->a->accel);
    if (!rc && hole)
        rc = set_hole(c, hole);
    if (!rc)
        rc = keyval_bool(&cfg, "-machine", "usb", c->a->usb, &c->a->usb, c->err);
    if (!rc)
        rc = keyval_bool(&cfg, "-machine", "acpi", c->a->acpi, &c->a->acpi, c->err);
    if (!rc)
        rc = keyval_bool(&cfg, "-machine", "hpet", c->a->hpet, &c->a->hpet, c->err);
    if (!rc)
        rc = keyval_bool(&cfg, "-machine", "igd-passthru", false, &igd, c->err);
    if (!rc && igd)
        rc = err_set(c->err, -ENOTSUP,
                     "-machine igd-passthru=on: not supported; remove "
                     "gfx_passthru and use vga=\"stdvga\"");
    if (!rc && config_str(&cfg, "memory-backend", NULL))
        args_replace(&c->memory_wanted, config_str(&cfg, "memory-backend", NULL));
    if (!rc)
        note_flashes(c, &cfg);
    config_free(&cfg);
    return rc;
}

int args_memory(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const struct keyval_key keys[] = {
        { "size", 0 }, { "slots", 0 }, { "maxmem", 0 }, { NULL, 0 }
    };
    struct config cfg = { 0 };
    const char *size;
    int rc = keyval_parse(&cfg, "-m", arg, "size", keys, c->err);

    size = config_str(&cfg, "size", "");
    c->a->ram_said = true;
    if (!rc && (config_str(&cfg, "slots", NULL) || config_str(&cfg, "maxmem", NULL)))
        log_line("-m %s: slots= and maxmem= have no effect; no memory can be plugged in", arg);
    if (!rc && (!parse_size(size, MIB, RAM_MAX, &c->a->ram) || c->a->ram < MIB || c->a->ram % 4096))
        rc = err_set(c->err, -EINVAL,
                     "-m %s: not a size in MiB (or with a suffix M, G, T) from "
                     "1 MiB to 4 TiB",
                     arg);
    config_free(&cfg);
    return rc;
}

/* What is not given, as QEMU 7.2 makes it up for a PC: cores before sockets before threads. */
static void fill_topology(struct vm_args *a, const uint64_t val[6])
{
    uint64_t cpus = val[0], max = val[1], sockets = val[2], dies = val[3] ? val[3] : 1;
    uint64_t cores = val[4], threads = val[5];

    if (!cpus && !max) {
        sockets = sockets ? sockets : 1;
        cores = cores ? cores : 1;
        threads = threads ? threads : 1;
    } else {
        max = max ? max : cpus;
        if (!cores) {
            sockets = sockets ? sockets : 1;
            threads = threads ? threads : 1;
            cores = max / (sockets * dies * threads);
        } else if (!sockets) {
            threads = threads ? threads : 1;
            sockets = max / (dies * cores * threads);
        }
        if (!threads) { /* sockets and cores are given here */
            uint64_t all = sockets * dies * cores;

            threads = all ? max / all : 0;
        }
    }
    max = max ? max : sockets * dies * cores * threads;
    cpus = cpus ? cpus : max;
    a->cpus = (unsigned)cpus;
    a->max_cpus = (unsigned)max;
    a->sockets = (unsigned)sockets;
    a->dies = (unsigned)dies;
    a->cores = (unsigned)cores;
    a->threads = (unsigned)threads;
}

int args_smp(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const struct keyval_key keys[] = { { "cpus", 0 }, { "maxcpus", 0 }, { "sockets", 0 },
                                              { "dies", 0 }, { "cores", 0 },   { "threads", 0 },
                                              { NULL, 0 } };
    struct vm_args *a = c->a;
    struct config cfg = { 0 };
    uint64_t val[6] = { 0 };
    int rc = keyval_parse(&cfg, "-smp", arg, "cpus", keys, c->err);

    for (unsigned i = 0; !rc && i < 6; i++) {
        rc = keyval_uint(&cfg, "-smp", keys[i].name, 0, CPUS_MAX, &val[i], c->err);
        if (!rc && !val[i] && config_str(&cfg, keys[i].name, NULL))
            rc = err_set(c->err, -EINVAL, "-smp: %s=0: must be at least 1", keys[i].name);
    }
    config_free(&cfg);
    if (rc)
        return rc;
    fill_topology(a, val);
    if (a->cpus > a->max_cpus || a->max_cpus > CPUS_MAX)
        return err_set(c->err, -EINVAL, "-smp %s: needs 1 <= cpus <= maxcpus <= %u", arg, CPUS_MAX);
    if (a->sockets * a->dies * a->cores * a->threads != a->max_cpus)
        return err_set(c->err, -EINVAL,
                       "-smp %s: Invalid CPU topology: sockets (%u) * dies (%u) * cores (%u) * "
                       "threads (%u) != maxcpus (%u)",
                       arg, a->sockets, a->dies, a->cores, a->threads, a->max_cpus);
    return 0;
}

int args_uuid(struct args_ctx *c, const struct option *o, const char *arg)
{
    char uuid[37];
    size_t i;

    for (i = 0; i < 36 && arg[i]; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char ch = arg[i] >= 'A' && arg[i] <= 'F' ? (char)(arg[i] - 'A' + 'a') : arg[i];

        if (dash ? ch != '-' : !strchr("0123456789abcdef", ch))
            break;
        uuid[i] = ch;
    }
    if (i != 36 || arg[36])
        return err_set(c->err, -EINVAL, "-uuid %s: not a UUID (8-4-4-4-12 hexadecimal digits)",
                       arg);
    uuid[36] = 0;
    args_replace(&c->a->uuid, uuid);
    return 0;
}
