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

static int set_accel(struct args_ctx *c, const char *opt, const char *accel, char **where)
{
    static const char *const accels[] = { "xen", "kvm", "qtest" };

    for (unsigned i = 0; i < sizeof(accels) / sizeof(accels[0]); i++) {
        if (!strcmp(accel, accels[i])) {
            args_replace(where, accel);
            return 0;
        }
    }
    return err_set(c->err, -ENOTSUP, "%s=%s: not supported; use xen, kvm or qtest", opt, accel);
}

int args_accel(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 };
    int rc = keyval_parse(&cfg, "-accel", arg, "accel", NULL, c->err);

    if (!rc)
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
    if (!strcmp(type, "xenpv") || !strcmp(type, "xenpvh"))
        return err_set(c->err, -ENOTSUP,
                       "-machine %s: not supported; PV and PVH domains need no "
                       "device model of this kind",
                       type);
    return err_set(c->err, -ENOTSUP, "-machine %s: not supported; use xenfv or pc", type);
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
        { "dump-guest-core", 0 },
        { "kernel_irqchip", 0 },
        { "hpet", 0 },
        { "vmport", 0 },
        { "acpi", 0 },
        { NULL, 0 },
    };
    struct config cfg = { 0 };
    const char *type, *accel, *hole;
    bool igd = false;
    int rc;

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
        rc = keyval_bool(&cfg, "-machine", "igd-passthru", false, &igd, c->err);
    if (!rc && igd)
        rc = err_set(c->err, -ENOTSUP,
                     "-machine igd-passthru=on: not supported; remove "
                     "gfx_passthru and use vga=\"stdvga\"");
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
    if (!rc && (config_str(&cfg, "slots", NULL) || config_str(&cfg, "maxmem", NULL)))
        rc = err_set(c->err, -ENOTSUP,
                     "-m %s: memory hot-plug is not supported; give the size "
                     "alone and let the guest balloon",
                     arg);
    else if (!rc &&
             (!parse_size(size, MIB, RAM_MAX, &c->a->ram) || c->a->ram < MIB || c->a->ram % 4096))
        rc = err_set(c->err, -EINVAL,
                     "-m %s: not a size in MiB (or with a suffix M, G, T) from "
                     "1 MiB to 4 TiB",
                     arg);
    config_free(&cfg);
    return rc;
}

/* Sockets, cores and threads are the hypervisor's to show; here they only count CPUs. */
int args_smp(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const struct keyval_key keys[] = { { "cpus", 0 }, { "maxcpus", 0 }, { "sockets", 0 },
                                              { "dies", 0 }, { "cores", 0 },   { "threads", 0 },
                                              { NULL, 0 } };
    struct config cfg = { 0 };
    uint64_t val[6] = { 0 }, product = 1, cpus, max;
    int rc = keyval_parse(&cfg, "-smp", arg, "cpus", keys, c->err);

    for (unsigned i = 0; !rc && i < 6; i++) {
        rc = keyval_uint(&cfg, "-smp", keys[i].name, 0, CPUS_MAX, &val[i], c->err);
        if (!rc && !val[i] && config_str(&cfg, keys[i].name, NULL))
            rc = err_set(c->err, -EINVAL, "-smp: %s=0: must be at least 1", keys[i].name);
    }
    config_free(&cfg);
    if (rc)
        return rc;
    for (unsigned i = 2; i < 6; i++)
        product *= val[i] ? val[i] : 1;
    cpus = val[0] ? val[0] : val[1] ? val[1] : product;
    max = val[1] ? val[1] : cpus;
    if (cpus > max || max > CPUS_MAX)
        return err_set(c->err, -EINVAL, "-smp %s: needs 1 <= cpus <= maxcpus <= %u", arg, CPUS_MAX);
    c->a->cpus = (unsigned)cpus;
    c->a->max_cpus = (unsigned)max;
    return 0;
}

int args_boot(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const struct keyval_key keys[] = { { "order", 0 },       { "once", 0 },
                                              { "menu", 0 },        { "splash", KV_NAME },
                                              { "splash-time", 0 }, { "reboot-timeout", 0 },
                                              { "strict", 0 },      { NULL, 0 } };
    struct config cfg = { 0 };
    const char *order;
    int rc = keyval_parse(&cfg, "-boot", arg, "order", keys, c->err);

    order = config_str(&cfg, "order", NULL);
    if (!rc && config_str(&cfg, "once", NULL))
        rc = err_set(c->err, -ENOTSUP,
                     "-boot once=: not supported; a reboot starts a new process, "
                     "use order=");
    for (const char *p = order; !rc && p && *p; p++) {
        if (!strchr("acdn", *p) || strchr(p + 1, *p))
            rc = err_set(c->err, -EINVAL,
                         "-boot order=%s: use each of a (floppy), c (disk), "
                         "d (CD), n (network) at most once",
                         order);
    }
    if (!rc && order && strlen(order) < sizeof(c->a->boot))
        memcpy(c->a->boot, order, strlen(order) + 1);
    if (!rc && (config_str(&cfg, "menu", NULL) || config_str(&cfg, "splash", NULL)))
        log_line("-boot %s: only order= has an effect; SeaBIOS shows its menu on Esc", arg);
    config_free(&cfg);
    return rc;
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
