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

#define RAM_BELOW_4G UINT64_C(0xf0000000) /* where hvmloader's PCI hole begins by default */
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
        { "usb", &a->usb, true },
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
                                               : &a->runas;

    if (!*arg)
        return err_set(c->err, -EINVAL, "-%s: the argument is empty", o->name);
    args_replace(p, arg);
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

static int opt_parallel(struct args_ctx *c, const struct option *o, const char *arg)
{
    if (!strcmp(arg, "none"))
        return 0;
    if (!*arg)
        return err_set(c->err, -EINVAL, "-parallel: the argument is empty");
    args_replace(&c->a->parallel, arg);
    return 0;
}

#define DISPLAYS "use vnc=1 in the guest's configuration (-vnc HOST:N)"
#define PV       "PV and PVH domains need no device model of this kind"
#define XEN_CPU  "the hypervisor makes the CPU (cpuid= in the guest's configuration)"
#define LOGGING  "the log is standard error"
#define LIBXL    "the toolstack does this"

/* In the order of `portico-dm -help`, more or less libxl's. */
static const struct option options[] = {
    { "xen-domid", true, args_domid, NULL },
    { "no-shutdown", false, opt_ignore, NULL },
    { "chardev", true, args_chardev, NULL },
    { "S", false, opt_flag, NULL },
    { "mon", true, args_mon, NULL },
    { "qmp", true, args_qmp, NULL },
    { "nodefaults", false, opt_ignore, NULL },
    { "no-user-config", false, opt_ignore, NULL },
    { "xen-attach", false, opt_refuse, PV },
    { "name", true, opt_name, NULL },
    { "vnc", true, args_vnc, NULL },
    { "display", true, args_display, NULL },
    { "k", true, opt_string, NULL },
    { "kernel", true, opt_refuse, "boot from a disk or CD image instead" },
    { "initrd", true, opt_refuse, "boot from a disk or CD image instead" },
    { "append", true, opt_refuse, "boot from a disk or CD image instead" },
    { "serial", true, args_serial, NULL },
    { "nographic", false, opt_flag, NULL },
    { "spice", true, opt_refuse, "use -vnc" },
    { "sdl", false, opt_refuse, DISPLAYS },
    { "vga", true, args_vga, NULL },
    { "boot", true, args_boot, NULL },
    { "usb", false, opt_flag, NULL },
    { "usbdevice", true, args_usbdevice, NULL },
    { "soundhw", true, opt_refuse, "guests have no sound yet; remove it" },
    { "no-acpi", false, opt_flag, NULL },
    { "smp", true, args_smp, NULL },
    { "device", true, args_device, NULL },
    { "netdev", true, args_netdev, NULL },
    { "net", true, args_net, NULL },
    { "nic", true, args_net, NULL },
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
    { "fda", true, opt_refuse, "boot from a CD image instead" },
    { "fdb", true, opt_refuse, "boot from a CD image instead" },
    { "runas", true, opt_string, NULL },
    { "L", true, opt_rom_dir, NULL },
    { "uuid", true, args_uuid, NULL },
    { "debugcon", true, args_debugcon, NULL },
    { "parallel", true, opt_parallel, NULL },
    { "monitor", true, args_monitor, NULL },
    { "global", true, args_global, NULL },
    { "set", true, args_set, NULL },
    { "cpu", true, opt_note, XEN_CPU },
    { "trace", true, opt_note, LOGGING " and has no trace events of this name" },
    { "d", true, opt_note, LOGGING },
    { "D", true, opt_note, LOGGING },
    { "msg", true, opt_note, LOGGING },
    { "rtc", true, opt_note, "the clock is the hypervisor's (rtc_timeoffset=)" },
    { "no-hpet", false, opt_note, "the HPET is the hypervisor's (hpet=0)" },
    { "no-reboot", false, opt_note, "say on_reboot=\"destroy\" in the guest's configuration" },
    { "overcommit", true, opt_note, LIBXL },
    { "sandbox", true, opt_note, "say dm_restrict=1 to confine portico-dm" },
    { "daemonize", false, opt_refuse, "it stays in the foreground: start it with '&' or setsid" },
    { "pidfile", true, opt_refuse, "it does not fork: the caller knows its process id" },
    { "bios", true, opt_refuse, "the firmware is the hypervisor's (bios=, bios_path_override=)" },
    { "object", true, opt_refuse, "leave it out: no device here uses objects" },
    { "blockdev", true, opt_refuse, "use -drive" },
    { "pflash", true, opt_refuse, "use a guest with bios=\"seabios\"" },
    { "gdb", true, opt_refuse, "use gdbsx, which debugs a Xen guest" },
    { "fsdev", true, opt_refuse, "share files over the network" },
    { "virtfs", true, opt_refuse, "share files over the network" },
    { "help", false, opt_flag, NULL },
    { "h", false, opt_flag, NULL },
    { "version", false, opt_flag, NULL },
};

static const struct option *find_option(const char *name)
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
        o = find_option(name);
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
        if (c->a->show_help || c->a->show_version)
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

static int finish(struct args_ctx *c)
{
    struct vm_args *a = c->a;
    char *dirs = a->rom_path;

    a->rom_path = dirs ? xasprintf("%s:%s", dirs, ARGS_ROM_DIRS) : xstrdup(ARGS_ROM_DIRS);
    free(dirs);
    if (a->tablet)
        a->usb = true;
    if (c->accel_opt)
        args_replace(&a->accel, c->accel_opt);
    if (!a->accel && a->qtest)
        a->accel = xstrdup("qtest");
    if (!a->accel && (a->domid >= 0 || a->platform_pci))
        a->accel = xstrdup("xen");
    a->own_clocks = a->accel && strcmp(a->accel, "xen");
    if (a->own_clocks)
        pc_hole(a);
    if (a->accel && !strcmp(a->accel, "xen") && a->domid < 0)
        return err_set(c->err, -EINVAL, "-xen-domid: missing; -accel xen needs -xen-domid N");
    if (a->domid_restrict && a->domid < 0)
        return err_set(c->err, -EINVAL, "-xen-domid-restrict: needs -xen-domid N");
    return 0;
}

static void free_ctx(struct args_ctx *c)
{
    for (unsigned i = 0; i < c->nnetdevs; i++) {
        free(c->netdevs[i].id);
        free(c->netdevs[i].ifname);
    }
    for (unsigned i = 0; i < ARGS_NICS; i++)
        free(c->nic_netdev[i]);
    for (unsigned i = 0; i < c->nides; i++) {
        free(c->ides[i].drive);
        free(c->ides[i].serial);
    }
    for (unsigned i = 0; i < c->nmons; i++)
        free(c->mons[i].chardev);
    for (unsigned i = 0; i < c->nsets; i++) {
        free(c->sets[i].what);
        free(c->sets[i].key);
        free(c->sets[i].val);
    }
    free(c->accel_opt);
}

int args_parse(struct vm_args *a, int argc, char **argv, struct err *err)
{
    struct args_ctx c = { .a = a, .err = err };
    int rc;

    set_defaults(a);
    rc = parse_options(&c, argc, argv);
    if (!rc && !a->show_help && !a->show_version) {
        rc = args_join_chardevs(&c);
        if (!rc)
            rc = args_join_drives(&c);
        if (!rc)
            rc = args_join_nics(&c);
        if (!rc)
            rc = args_join_sets(&c);
        if (!rc)
            rc = finish(&c);
    }
    free_ctx(&c);
    if (rc)
        args_free(a);
    return rc;
}

void args_free(struct vm_args *a)
{
    char *strings[] = { a->name,     a->machine,       a->accel,  a->keymap,
                        a->vnc.host, a->vnc.unix_path, a->chroot, a->runas,
                        a->debugcon, a->parallel, a->rom_path,      a->uuid,
                        a->qtest,    a->qtest_log };

    for (unsigned i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        free(strings[i]);
    for (unsigned i = 0; i < a->nserials; i++)
        free(a->serials[i]);
    for (unsigned i = 0; i < a->nchardevs; i++) {
        free(a->chardevs[i].id);
        free(a->chardevs[i].kind);
        free(a->chardevs[i].path);
    }
    for (unsigned i = 0; i < a->ndrives; i++) {
        free(a->drives[i].id);
        free(a->drives[i].file);
        free(a->drives[i].format);
        free(a->drives[i].serial);
    }
    for (unsigned i = 0; i < a->ndevices; i++) {
        free(a->devices[i].driver);
        config_free(&a->devices[i].cfg);
    }
    for (unsigned i = 0; i < a->nnics; i++) {
        free(a->nics[i].model);
        free(a->nics[i].id);
        free(a->nics[i].ifname);
    }
    memset(a, 0, sizeof(*a));
    a->domid = a->incoming = -1;
}
