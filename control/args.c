/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args.c: the command line. One table of options; libxl's whole
 * grammar for HVM guests, and what people add to it by device_model_args.
 * What would change the guest and is not there is refused with what to use
 * instead; what only helps to debug another program is noted and ignored.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"
#include "hw/core/log.h"

#define RAM_BELOW_4G    UINT64_C(0xf0000000) /* where hvmloader's PCI hole begins by default */
#define PC_RAM_BELOW_4G UINT64_C(0xe0000000)
#define PC_RAM_SPLIT    UINT64_C(0xc0000000)

void args_replace(char **p, const char *val)
{
    free(*p);
    *p = xstrdup(val);
}

/* -ENOTSUP: "-NAME: not supported; TEXT". */
static int opt_refuse(struct args_ctx *c, const struct option *o, const char *arg)
{
    return err_set(c->err, -ENOTSUP, "-%s: not supported; %s", o->name, o->text);
}

/* Accepted, with one line in the log saying that it does nothing, and TEXT. */
static int opt_note(struct args_ctx *c, const struct option *o, const char *arg)
{
    log_line("-%s%s%s: has no effect; %s", o->name, arg ? " " : "", arg ? arg : "", o->text);
    return 0;
}

static int opt_ignore(struct args_ctx *c, const struct option *o, const char *arg)
{
    return 0;
}

static int opt_name(struct args_ctx *c, const struct option *o, const char *arg)
{
    args_replace(&c->a->name, arg); /* raw: libxl passes any character, unescaped */
    return 0;
}

static int opt_flag(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct vm_args *a = c->a;
    const struct {
        const char *name;
        bool *flag, value;
    } flags[] = {
        { "S", &a->paused, true },
        { "nodefaults", &a->nodefaults, true },
        { "preconfig", &a->preconfig, true },
        { "no-fd-bootchk", &a->fd_bootchk, false },
        { "no-hpet", &a->hpet, false },
        { "usb", &a->usb, true },
        { "sdl", &a->sdl, true },
        { "full-screen", &a->full_screen, true },
        { "no-quit", &a->keep_open, true },
        { "no-acpi", &a->acpi, false },
        { "xen-domid-restrict", &a->domid_restrict, true },
        { "nographic", &a->vnc.enabled, false },
        { "help", &a->show_help, true },
        { "h", &a->show_help, true },
        { "version", &a->show_version, true },
    };

    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (!strcmp(flags[i].name, o->name))
            *flags[i].flag = flags[i].value;
    }
    return 0;
}

static int opt_string(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct vm_args *a = c->a;
    char **p = !strcmp(o->name, "k")           ? &a->keymap
               : !strcmp(o->name, "chroot")    ? &a->chroot
               : !strcmp(o->name, "qtest")     ? &a->qtest
               : !strcmp(o->name, "qtest-log") ? &a->qtest_log
               : !strcmp(o->name, "replay")    ? &a->replay
                                               : &a->runas;

    if (!*arg)
        return err_set(c->err, -EINVAL, "-%s: the argument is empty", o->name);
    args_replace(p, arg);
    return 0;
}

/* -trace ioreq=FILE; what else QEMU can trace is noted. */
static int opt_trace(struct args_ctx *c, const struct option *o, const char *arg)
{
    if (strncmp(arg, "ioreq=", 6))
        return opt_note(c, o, arg);
    if (!arg[6])
        return err_set(c->err, -EINVAL, "-trace ioreq=: the file is missing");
    args_replace(&c->a->trace, arg + 6);
    return 0;
}

/* -snapshot: every -drive's writes are thrown away. */
static int opt_snapshot(struct args_ctx *c, const struct option *o, const char *arg)
{
    c->snapshot = true;
    return 0;
}

static int opt_rom_dir(struct args_ctx *c, const struct option *o, const char *arg)
{
    char *old = c->a->rom_path;

    if (!*arg || strchr(arg, ':'))
        return err_set(c->err, -EINVAL, "-L %s: not a directory name (it must have no ':')", arg);
    c->a->rom_path = old ? xasprintf("%s:%s", old, arg) : xstrdup(arg);
    free(old);
    return 0;
}

static int opt_incoming(struct args_ctx *c, const struct option *o, const char *arg)
{
    uint64_t fd;

    if (strncmp(arg, "fd:", 3))
        return err_set(c->err, -ENOTSUP, "-incoming %s: not supported; use fd:N, an open file",
                       arg);
    if (!parse_uint(arg + 3, 65535, &fd))
        return err_set(c->err, -EINVAL, "-incoming %s: not a descriptor number", arg);
    c->a->incoming = (int)fd;
    return 0;
}

static int opt_enable_kvm(struct args_ctx *c, const struct option *o, const char *arg)
{
    args_replace(&c->accel_opt, "kvm");
    return 0;
}

#define PV      "PV and PVH domains need no device model of this kind"
#define LOGGING "the log is standard error"
#define LIBXL   "the toolstack does this"

/* In the order of `portico-dm -help`, more or less libxl's. */
static const struct option options[] = {
    { "xen-domid", true, args_domid, NULL },
    { "no-shutdown", false, args_no_shutdown, NULL },
    { "chardev", true, args_chardev, NULL },
    { "S", false, opt_flag, NULL },
    { "mon", true, args_mon, NULL },
    { "qmp", true, args_qmp, NULL },
    { "qmp-pretty", true, args_qmp, NULL },
    { "nodefaults", false, opt_flag, NULL },
    { "no-user-config", false, opt_ignore, NULL },
    { "nouserconfig", false, opt_ignore, NULL },
    { "xen-attach", false, opt_refuse, PV },
    { "name", true, opt_name, NULL },
    { "vnc", true, args_vnc, NULL },
    { "web-console", true, args_web_console, NULL },
    { "display", true, args_display, NULL },
    { "k", true, opt_string, NULL },
    { "kernel", true, args_kernel, NULL },
    { "initrd", true, args_kernel, NULL },
    { "append", true, args_kernel, NULL },
    { "serial", true, args_serial, NULL },
    { "nographic", false, opt_flag, NULL },
    { "spice", true, opt_refuse, "use -vnc" },
    { "sdl", false, opt_flag, NULL },
    { "full-screen", false, opt_flag, NULL },
    { "vga", true, args_vga, NULL },
    { "boot", true, args_boot, NULL },
    { "usb", false, opt_flag, NULL },
    { "usbdevice", true, args_usbdevice, NULL },
    { "soundhw", true, args_soundhw, NULL },
    { "no-acpi", false, opt_flag, NULL },
    { "smp", true, args_smp, NULL },
    { "device", true, args_device, NULL },
    { "netdev", true, args_netdev, NULL },
    { "net", true, args_net, NULL },
    { "nic", true, args_nic, NULL },
    { "xen-domid-restrict", false, opt_flag, NULL },
    { "chroot", true, opt_string, NULL },
    { "incoming", true, opt_incoming, NULL },
    { "machine", true, args_machine, NULL },
    { "M", true, args_machine, NULL },
    { "accel", true, args_accel, NULL },
    { "enable-kvm", false, opt_enable_kvm, NULL },
    { "m", true, args_memory, NULL },
    { "qtest", true, opt_string, NULL },
    { "qtest-log", true, opt_string, NULL },
    { "drive", true, args_drive, NULL },
    { "hda", true, args_drive_short, NULL },
    { "hdb", true, args_drive_short, NULL },
    { "hdc", true, args_drive_short, NULL },
    { "hdd", true, args_drive_short, NULL },
    { "cdrom", true, args_drive_short, NULL },
    { "fda", true, args_drive_short, NULL },
    { "fdb", true, args_drive_short, NULL },
    { "pflash", true, args_drive_short, NULL },
    { "blockdev", true, args_blockdev, NULL },
    { "snapshot", false, opt_snapshot, NULL },
    { "rtc", true, args_rtc, NULL },
    { "bios", true, args_bios, NULL },
    { "action", true, args_action, NULL },
    { "no-reboot", false, args_no_reboot, NULL },
    { "no-fd-bootchk", false, opt_flag, NULL },
    { "no-hpet", false, opt_flag, NULL },
    { "runas", true, opt_string, NULL },
    { "L", true, opt_rom_dir, NULL },
    { "uuid", true, args_uuid, NULL },
    { "debugcon", true, args_debugcon, NULL },
    { "parallel", true, args_parallel, NULL },
    { "monitor", true, args_monitor, NULL },
    { "global", true, args_global, NULL },
    { "set", true, args_set, NULL },
    { "cpu", true, args_cpu, NULL },
    { "replay", true, opt_string, NULL },
    { "trace", true, opt_trace, LOGGING " and has no trace events of this name" },
    { "d", true, opt_note, LOGGING },
    { "D", true, opt_note, LOGGING },
    { "msg", true, opt_note, LOGGING },
    { "icount", true, opt_refuse, "time is stepped by the client of -accel qtest" },
    { "win2k-hack", false, opt_note, "disks interrupt late enough for it" },
    { "no-quit", false, opt_flag, NULL },
    { "mem-path", true, opt_note, "guest memory is not backed by a file" },
    { "mem-prealloc", false, opt_note, "guest memory is not backed by a file" },
    { "numa", true, opt_refuse, "leave it out: guests have one node" },
    { "watchdog", true, opt_refuse, "leave it out: there is no watchdog" },
    { "watchdog-action", true, opt_note, "there is no watchdog" },
    { "smbios", true, args_smbios, NULL },
    { "acpitable", true, args_acpitable, NULL },
    { "fw_cfg", true, opt_refuse, "leave it out" },
    { "audiodev", true, args_audiodev, NULL },
    { "audio", true, args_audio, NULL },
    { "loadvm", true, opt_refuse, "use -incoming fd:N" },
    { "readconfig", true, args_readconfig, NULL },
    { "preconfig", false, opt_flag, NULL },
    { "writeconfig", true, opt_refuse, "say it on the command line" },
    { "tpmdev", true, opt_refuse, "leave it out" },
    { "compat", true, opt_ignore, NULL },
    { "seed", true, opt_ignore, NULL },
    { "overcommit", true, opt_note, LIBXL },
    { "sandbox", true, opt_note, "say dm_restrict=1 to confine portico-dm" },
    { "daemonize", false, opt_refuse, "it stays in the foreground: start it with '&' or setsid" },
    { "pidfile", true, opt_refuse, "it does not fork: the caller knows its process id" },
    { "object", true, args_object, NULL },
    { "gdb", true, opt_refuse, "use gdbsx, which debugs a Xen guest" },
    { "fsdev", true, opt_refuse, "share files over the network" },
    { "virtfs", true, opt_refuse, "share files over the network" },
    { "help", false, opt_flag, NULL },
    { "h", false, opt_flag, NULL },
    { "version", false, opt_flag, NULL },
};

const struct option *args_find_option(const char *name)
{
    for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (!strcmp(options[i].name, name))
            return &options[i];
    }
    return NULL;
}

static void set_defaults(struct vm_args *a)
{
    memset(a, 0, sizeof(*a));
    a->domid = -1;
    a->incoming = -1;
    a->acpi = a->hpet = a->fd_bootchk = true;
    a->bootopt.menu = a->bootopt.splash_time = a->bootopt.reboot_timeout = BOOT_NOT_SAID;
    a->ram = 128u << 20;
    a->max_ram_below_4g = RAM_BELOW_4G;
    a->cpus = a->max_cpus = 1;
    a->sockets = a->dies = a->cores = a->threads = 1;
    a->debugcon_port = 0x402;
    a->machine = xstrdup("pc");
    memcpy(a->boot, "cda", 4);
    for (unsigned i = 0; i < ARGS_CHARDEVS; i++)
        a->chardevs[i].fd = -1;
    for (unsigned i = 0; i < ARGS_DRIVES; i++)
        a->drives[i].unit = -1;
}

static int parse_options(struct args_ctx *c, int argc, char **argv)
{
    int rc;

    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *arg = NULL;
        const struct option *o;

        if (name[0] != '-' || !name[1])
            return err_set(c->err, -EINVAL, "%s: not an option; a disk is -drive file=...", name);
        name += name[1] == '-' ? 2 : 1; /* both dashes do, as in QEMU */
        o = args_find_option(name);
        if (!o)
            return err_set(c->err, -EINVAL, "-%s: unknown option; -help lists them", name);
        if (o->takes_arg) {
            if (i + 1 >= argc)
                return err_set(c->err, -EINVAL, "-%s: the argument is missing", name);
            arg = argv[++i];
        }
        rc = o->handle(c, o, arg);
        if (rc)
            return rc;
        if (c->a->show_help || c->a->show_version || c->a->print)
            return 0;
    }
    return 0;
}

/*
 * As QEMU's "pc" has it: up to 3.5 GiB lie below 4 GiB, and of more than that 3,
 * so that the rest begins at a whole GiB.
 */
static void pc_hole(struct vm_args *a)
{
    if (a->max_ram_below_4g > PC_RAM_BELOW_4G)
        a->max_ram_below_4g = PC_RAM_BELOW_4G;
    if (a->ram >= a->max_ram_below_4g && a->max_ram_below_4g > PC_RAM_SPLIT)
        a->max_ram_below_4g = PC_RAM_SPLIT;
}

/* Which world it is: much depends on it, so it is settled before anything is joined. */
static int settle_world(struct args_ctx *c)
{
    struct vm_args *a = c->a;
    int rc = args_check_accel(c);

    if (rc)
        return rc;
    if (c->accel_opt)
        args_replace(&a->accel, c->accel_opt);
    if (!a->accel && a->qtest)
        a->accel = xstrdup("qtest");
    if (!a->accel && (a->domid >= 0 || a->platform_pci))
        a->accel = xstrdup("xen");
    a->own_clocks = a->accel && strcmp(a->accel, "xen");
    if (a->own_clocks) {
        pc_hole(a);
        if (!c->seen.boot)
            memcpy(a->boot, "cad", 4);
    }
    rc = args_check_memory(c);
    if (rc)
        return rc;
    if (a->trace && (a->incoming >= 0 || a->replay))
        return err_set(c->err, -ENOTSUP,
                       "-trace ioreq=: not supported with %s; a recording begins "
                       "with a machine that is switched on",
                       a->replay ? "-replay" : "-incoming");
    if (a->replay && a->incoming >= 0)
        return err_set(c->err, -ENOTSUP, "-replay: not supported with -incoming");
    if (a->accel && !strcmp(a->accel, "xen") && a->domid < 0 && !a->replay)
        return err_set(c->err, -EINVAL, "-xen-domid: missing; -accel xen needs -xen-domid N");
    if (a->domid_restrict && a->domid < 0)
        return err_set(c->err, -EINVAL, "-xen-domid-restrict: needs -xen-domid N");
    if (!a->own_clocks && a->domid >= 0 && a->bios)
        return err_set(c->err, -ENOTSUP,
                       "-bios: not supported; the firmware is the hypervisor's "
                       "(bios=, bios_path_override=)");
    return 0;
}

static int finish(struct args_ctx *c)
{
    struct vm_args *a = c->a;
    char *dirs = a->rom_path;

    a->rom_path = dirs ? xasprintf("%s:%s", dirs, ARGS_ROM_DIRS) : xstrdup(ARGS_ROM_DIRS);
    free(dirs);
    for (unsigned i = 0; c->snapshot && i < a->ndrives; i++) {
        if (!a->drives[i].cdrom && !config_str(&a->drives[i].opts, "snapshot", NULL))
            config_set(&a->drives[i].opts, "snapshot", "on");
    }
    if (c->debugcon_default) /* QEMU's default is what Xen keeps for itself */
        a->debugcon_port = a->own_clocks ? 0xe9 : 0x402;
    else if (!a->own_clocks && a->domid >= 0 && a->debugcon && a->debugcon_port != 0x402)
        return err_set(c->err, -ENOTSUP,
                       "-device isa-debugcon,iobase=0x%x: not supported; use 0x402 "
                       "(0xe9 is the hypervisor's)",
                       (unsigned)a->debugcon_port);
    return 0;
}

void args_free_ctx(struct args_ctx *c)
{
    for (unsigned i = 0; i < c->nplugs; i++)
        config_free(&c->plugs[i].cfg);
    for (unsigned i = 0; i < c->nids; i++)
        free(c->ids[i]);
    for (unsigned i = 0; i < c->nmons; i++)
        free(c->mons[i].chardev);
    for (unsigned i = 0; i < c->nsets; i++) {
        free(c->sets[i].what);
        free(c->sets[i].key);
        free(c->sets[i].val);
    }
    for (unsigned i = 0; i < ARGS_FLASHES; i++)
        free(c->flash[i]);
    free(c->memory_id);
    free(c->memory_size);
    free(c->memory_wanted);
    free(c->accel_opt);
    free(c->bad_accel);
}

int args_parse(struct vm_args *a, int argc, char **argv, struct err *err)
{
    static int (*const steps[])(struct args_ctx *) = {
        settle_world,        args_join_sets,     args_join_plugs,    args_join_flash,
        args_join_nics,      args_join_defaults, args_join_chardevs, args_join_name,
        args_join_bootorder, args_join_audio,    args_join_kernel,   finish,
    };
    struct args_ctx c = { .a = a, .err = err };
    int rc;

    set_defaults(a);
    rc = parse_options(&c, argc, argv);
    if (!a->show_help && !a->show_version && !a->print) {
        for (unsigned i = 0; !rc && i < sizeof(steps) / sizeof(steps[0]); i++)
            rc = steps[i](&c);
    }
    args_free_ctx(&c);
    if (rc)
        args_free(a);
    return rc;
}

void args_free_drive(struct drive_arg *d)
{
    free(d->id);
    free(d->file);
    free(d->format);
    free(d->serial);
    free(d->node);
    free(d->device);
    free(d->bus);
    config_free(&d->opts);
    config_free(&d->props);
    memset(d, 0, sizeof(*d));
    d->unit = -1;
}

void args_free_nic(struct nic_arg *nic)
{
    free(nic->model);
    free(nic->id);
    free(nic->ifname);
    free(nic->netdev);
    config_free(&nic->cfg);
    memset(nic, 0, sizeof(*nic));
}

void args_free(struct vm_args *a)
{
    char *strings[] = {
        a->name,           a->machine, a->accel,     a->keymap,      a->vnc.host,
        a->vnc.unix_path,  a->chroot,  a->runas,     a->debugcon,    a->parallel,
        a->rom_path,       a->uuid,    a->print,     a->bios,        a->bootorder,
        a->bootopt.splash, a->qtest,   a->qtest_log, a->trace,       a->replay,
        a->kernel,         a->initrd,  a->append,    a->smbios_file, a->acpi_tables
    };

    for (unsigned i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        free(strings[i]);
    for (unsigned i = 0; i < a->nserials; i++)
        free(a->serials[i]);
    for (unsigned i = 0; i < a->nchardevs; i++) {
        free(a->chardevs[i].id);
        free(a->chardevs[i].kind);
        free(a->chardevs[i].path);
        free(a->chardevs[i].host);
    }
    for (unsigned i = 0; i < a->ndrives; i++)
        args_free_drive(&a->drives[i]);
    for (unsigned i = 0; i < a->nnetdevs; i++) {
        free(a->netdevs[i].id);
        free(a->netdevs[i].type);
        config_free(&a->netdevs[i].cfg);
    }
    for (unsigned i = 0; i < a->ngroups; i++) {
        free(a->groups[i].name);
        config_free(&a->groups[i].cfg);
    }
    for (unsigned i = 0; i < a->nnodes; i++) {
        free(a->nodes[i].name);
        config_free(&a->nodes[i].cfg);
    }
    for (unsigned i = 0; i < a->ndevices; i++) {
        free(a->devices[i].driver);
        config_free(&a->devices[i].cfg);
    }
    for (unsigned i = 0; i < a->nnics; i++)
        args_free_nic(&a->nics[i]);
    for (unsigned i = 0; i < a->nobjects; i++)
        config_free(&a->objects[i]);
    config_free(&a->platform);
    config_free(&a->smbios);
    args_free_audiodevs(a);
    args_free_vnc(a);
    memset(a, 0, sizeof(*a));
    a->domid = a->incoming = -1;
}
