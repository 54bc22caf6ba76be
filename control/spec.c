/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line's arguments, sorted by the device they are for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "control/bootorder.h"
#include "control/geometry.h"
#include "control/parts.h"
#include "hw/core/log.h"
#include "hw/fdc.h"
#include "hw/pflash.h"

static void set_number(struct config *cfg, const char *key, uint64_t val)
{
    char text[32];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)val);
    config_set(cfg, key, text);
}

static void spec_platform(struct vm *vm, struct config *cfg)
{
    const struct vm_args *a = &vm->args;

    for (size_t i = 0; i < a->platform.n; i++)
        config_set(cfg, a->platform.items[i].key, a->platform.items[i].val);
    vm_platform_word(vm, cfg);
}

static void spec_memory(const struct vm_args *a, struct config *cfg)
{
    uint64_t low = a->ram < a->max_ram_below_4g ? a->ram : a->max_ram_below_4g;

    set_number(cfg, "ram-low", low);
    set_number(cfg, "ram-high", a->ram - low);
}

static void set_unit(struct config *cfg, const char *unit, const char *key, const char *val)
{
    char full[48];

    snprintf(full, sizeof(full), "%s.%s", unit, key);
    config_set(cfg, full, val);
}

static void set_unit_number(struct config *cfg, const char *unit, const char *key, uint64_t val)
{
    char full[48];

    snprintf(full, sizeof(full), "%s.%s", unit, key);
    set_number(cfg, full, val);
}

/* A disk's geometry, as it was told or guessed; cmos: firmware asks only for those of IDE. */
static void spec_geometry(const struct vm_drive *d, const char *unit, struct config *ide,
                          struct config *cmos)
{
    struct geometry g;
    char key[32], val[64];

    geometry_of(d, &g);
    if (cmos) {
        snprintf(key, sizeof(key), "disk%d.geometry", d->arg->unit);
        snprintf(val, sizeof(val), "%u,%u,%u,%s", g.cyls, g.heads, g.secs, g.trans);
        config_set(cmos, key, val);
    }
    if (!g.told)
        return;
    set_unit_number(ide, unit, "cyls", g.cyls);
    set_unit_number(ide, unit, "heads", g.heads);
    set_unit_number(ide, unit, "secs", g.secs);
}

static void spec_drive(struct vm_drive *d, const char *unit, struct config *ide,
                       struct config *cmos)
{
    static const char *const props[] = { "model", "ver", "wwn", "werror", "rerror" };
    const struct drive_arg *a = d->arg;

    config_set_obj(ide, unit, d->block);
    set_unit(ide, unit, "kind", a->cdrom ? "cdrom" : "disk");
    set_unit(ide, unit, "cache", a->writeback ? "writeback" : "writethrough");
    if (a->serial)
        set_unit(ide, unit, "serial", a->serial);
    for (unsigned i = 0; i < sizeof(props) / sizeof(props[0]); i++) {
        const char *val = config_str(&a->props, props[i], "auto");

        if (strcmp(val, "auto"))
            set_unit(ide, unit, props[i], val);
    }
    if (!a->cdrom && d->block)
        spec_geometry(d, unit, ide, cmos);
}

static void spec_ide(struct vm *vm, struct config *ide, struct config *cmos)
{
    char unit[32];

    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        snprintf(unit, sizeof(unit), "drive%d", vm->args.drives[i].unit);
        if (vm->args.drives[i].unit >= 0)
            spec_drive(&vm->drives[i], unit, ide, cmos);
    }
}

/* The drives of the AHCI controller of that id. */
static void spec_ahci(struct vm *vm, const char *id, struct config *cfg)
{
    char unit[32];

    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        const struct drive_arg *a = &vm->args.drives[i];

        if (a->iface != DRIVE_AHCI || strcmp(a->bus, id))
            continue;
        snprintf(unit, sizeof(unit), "port%d", a->index);
        spec_drive(&vm->drives[i], unit, cfg, NULL);
    }
}

static void spec_rtc(const struct rtc_arg *r, struct config *cmos)
{
    time_t date = (time_t)r->date;
    struct tm tm;
    char text[40];

    config_set(cmos, "rtc", "on");
    config_set(cmos, "clock", r->vm_clock ? "vm" : "host");
    config_set(cmos, "driftfix", r->slew ? "slew" : "none");
    config_set(cmos, "base", r->base == RTC_LOCALTIME ? "localtime" : "utc");
    if (r->base == RTC_DATE && gmtime_r(&date, &tm) &&
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
        config_set(cmos, "base", text);
}

static void spec_fw_cfg(const struct vm_args *a, struct config *fw)
{
    const struct boot_arg *b = &a->bootopt;
    char *geometry = args_geometry(a);

    spec_memory(a, fw);
    set_number(fw, "cpus", a->cpus);
    set_number(fw, "max-cpus", a->max_cpus);
    if (a->uuid)
        config_set(fw, "uuid", a->uuid);
    config_set(fw, "boot-menu", b->menu == 1 ? "on" : "off");
    if (b->reboot_timeout >= 0)
        set_number(fw, "reboot-timeout", (uint64_t)b->reboot_timeout);
    if (b->splash_time >= 0)
        set_number(fw, "splash-time", (uint64_t)b->splash_time);
    if (a->bootorder)
        config_set(fw, "bootorder", a->bootorder);
    if (geometry)
        config_set(fw, "bios-geometry", geometry);
    free(geometry);
    config_set(fw, "hpet", a->hpet ? "on" : "off");
}

/* Under Xen there is the device only for SeaBIOS to find a kernel in. */
static void spec_loader(const struct vm_args *a, struct config *fw)
{
    config_set(fw, "bare", "on");
    config_set(fw, "bootorder", a->bootorder);
}

/* What Xen has itself. */
static void spec_clocks(const struct vm_args *a, struct machine_spec *spec, struct config *cmos)
{
    spec_rtc(&a->rtc, cmos);
    spec_fw_cfg(a, machine_spec_add(spec, "fw_cfg", "fw_cfg"));
    if (a->hpet)
        machine_spec_add(spec, "hpet", "hpet");
}

/* Drive types of QEMU's floppy devices, as the CMOS numbers them. */
static unsigned floppy_type(const struct vm_drive *d)
{
    static const struct {
        const char *name;
        unsigned type;
    } types[] = { { "120", 2 }, { "144", 4 }, { "288", 5 } };
    const char *want = config_str(&d->arg->props, "drive-type", "auto");

    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!strcmp(want, types[i].name))
            return types[i].type;
    }
    return floppy_cmos_type(d->block ? d->block->size : 0);
}

/* A PC has the controller always; under Xen a device that nobody asked for is not there. */
static void spec_floppies(struct vm *vm, struct machine_spec *spec, struct config *cmos)
{
    bool there = vm->args.own_clocks || vm->args.fdc;
    struct config *fdc = there ? machine_spec_add(spec, "isa-fdc", "fdc") : NULL;

    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        const struct vm_drive *d = &vm->drives[i];
        char key[24];

        if (d->arg->iface != DRIVE_FLOPPY || d->arg->index < 0 || d->arg->index >= FLOPPY_DRIVES)
            continue;
        if (!fdc)
            fdc = machine_spec_add(spec, "isa-fdc", "fdc");
        snprintf(key, sizeof(key), "drive%d", d->arg->index);
        config_set(fdc, key, "on");
        snprintf(key, sizeof(key), "drive%d.medium", d->arg->index);
        config_set_obj(fdc, key, d->block);
        snprintf(key, sizeof(key), "floppy%d.type", d->arg->index);
        set_number(cmos, key, floppy_type(d));
    }
}

/* One under the other, the first ends at 4 GiB. */
static int spec_flashes(struct vm *vm, struct machine_spec *spec, struct err *err)
{
    uint64_t base = UINT64_C(1) << 32;
    char id[] = "flash0";

    for (int unit = 0; unit < ARGS_FLASHES; unit++, id[5]++) {
        for (unsigned i = 0; i < vm->args.ndrives; i++) {
            const struct vm_drive *d = &vm->drives[i];
            struct config *cfg;

            if (d->arg->iface != DRIVE_PFLASH || d->arg->index != unit)
                continue;
            base -= d->block ? d->block->size : 0;
            if (base < (UINT64_C(1) << 32) - PFLASH_MAX)
                return err_set(err, -EINVAL,
                               "drive %s: the flash chips together may have %u MiB at most",
                               d->arg->id, PFLASH_MAX >> 20);
            cfg = machine_spec_add(spec, "cfi.pflash01", id);
            config_set_obj(cfg, "medium", d->block);
            set_number(cfg, "base", base);
        }
    }
    return 0;
}

static void spec_board(struct vm *vm, struct machine_spec *spec)
{
    const struct vm_args *a = &vm->args;
    struct config *ide = machine_spec_add(spec, "piix3-ide", "ide");
    struct config *cmos = machine_spec_add(spec, "cmos", "cmos");

    spec_ide(vm, ide, cmos);
    spec_floppies(vm, spec, cmos);
    spec_memory(a, cmos);
    config_set(cmos, "boot", a->boot);
    if (a->bootopt.once[0])
        config_set(cmos, "boot-once", a->bootopt.once);
    config_set(cmos, "fd-bootchk", a->fd_bootchk ? "on" : "off");
    set_number(cmos, "cpus", a->cpus);
    config_set_obj(machine_spec_add(spec, "i8042", "i8042"), "display", vm->display);
    if (a->acpi) {
        struct config *pm = machine_spec_add(spec, "PIIX4_PM", "pm");

        set_number(pm, "cpus", a->cpus);
        config_set(pm, "pm1-timer", a->own_clocks ? "on" : "off");
        config_set(pm, "smm", vm->world == &world_kvm ? "off" : "on");
    }
    if (a->own_clocks)
        spec_clocks(a, spec, cmos);
    else if (a->kernel)
        spec_loader(a, machine_spec_add(spec, "fw_cfg", "fw_cfg"));
    if (a->platform_pci)
        spec_platform(vm, machine_spec_add(spec, "xen-platform", "platform"));
    if (a->parallel)
        config_set(machine_spec_add(spec, "isa-parallel", "parallel0"), "sink",
                   a->replay ? "null" : a->parallel);
    if (a->usb)
        machine_spec_add(spec, "piix3-usb-uhci", "piix3-usb");
    if (a->debugcon) {
        struct config *con = machine_spec_add(spec, "isa-debugcon", "debugcon");

        config_set(con, "sink", a->replay ? "null" : a->debugcon);
        set_number(con, "iobase", a->debugcon_port);
    }
}

static int spec_serials(struct vm *vm, struct machine_spec *spec, struct err *err)
{
    for (unsigned i = 0; i < vm->args.nserials; i++) {
        struct config sink = { 0 };
        struct config *cfg;
        char id[24];
        int rc;

        if (!strcmp(vm->args.serials[i], "none"))
            continue;
        config_set(&sink, "sink", vm->args.replay ? "mem:" : vm->args.serials[i]);
        rc = sink_open(&vm->serials[i], vm->loop, &sink, "sink", err);
        config_free(&sink);
        if (rc)
            return rc;
        vm->serial_open[i] = true;
        snprintf(id, sizeof(id), "serial%u", i);
        cfg = machine_spec_add(spec, "isa-serial", id);
        set_number(cfg, "index", i);
        config_set_obj(cfg, "sink", &vm->serials[i]);
    }
    return 0;
}

static int spec_nic(struct vm *vm, unsigned i, struct machine_spec *spec, struct err *err)
{
    const struct nic_arg *a = &vm->args.nics[i];
    struct config *cfg;
    char mac[18];

    if (!machine_has_card(a->model))
        return 0;
    cfg = machine_spec_add(spec, a->model, a->id);
    if (!cfg)
        return err_set(err, -ENOSPC, "NIC %s: more than %d devices", a->id, MACHINE_DEVICES);
    for (size_t k = 0; k < a->cfg.n; k++)
        config_set(cfg, a->cfg.items[k].key, a->cfg.items[k].val);
    snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", a->mac[0], a->mac[1], a->mac[2],
             a->mac[3], a->mac[4], a->mac[5]);
    config_set(cfg, "mac", mac);
    if (*config_str(&a->cfg, "romfile", "x") && config_bool(&a->cfg, "rombar", true))
        config_set(cfg, "rom-path", vm->args.rom_path ? vm->args.rom_path : "");
    config_set_obj(cfg, "net", vm->nets[i]);
    return 0;
}

/* The NICs that stood on the command line after `after` devices: PCI slots go by that order. */
static int spec_nics(struct vm *vm, unsigned after, struct machine_spec *spec, struct err *err)
{
    int rc = 0;

    for (unsigned i = 0; !rc && i < vm->args.nnics; i++) {
        if (vm->args.nics[i].after == after)
            rc = spec_nic(vm, i, spec, err);
    }
    return rc;
}

static int spec_cards(struct vm *vm, struct machine_spec *spec, struct err *err)
{
    for (unsigned i = 0; i < vm->args.ndevices; i++) {
        const struct device_arg *a = &vm->args.devices[i];
        struct config *cfg;
        char id[24];
        int rc = spec_nics(vm, i, spec, err);

        if (rc)
            return rc;
        if (!machine_has_card(a->driver)) {
            log_line("-device %s: not emulated yet; the guest goes without it", a->driver);
            continue;
        }
        snprintf(id, sizeof(id), "card%u", i);
        cfg = machine_spec_add(spec, a->driver, config_str(&a->cfg, "id", id));
        if (!cfg)
            return err_set(err, -ENOSPC, "-device %s: more than %d devices", a->driver,
                           MACHINE_DEVICES);
        for (size_t k = 0; k < a->cfg.n; k++) {
            if (a->cfg.items[k].val)
                config_set(cfg, a->cfg.items[k].key, a->cfg.items[k].val);
        }
        config_set(cfg, "rom-path", vm->args.rom_path ? vm->args.rom_path : "");
        config_set_obj(cfg, "display", vm->display);
        config_set_obj(cfg, "sound", vm_sound_of(vm, &a->cfg));
        spec_ahci(vm, config_str(&a->cfg, "id", id), cfg);
    }
    return spec_nics(vm, vm->args.ndevices, spec, err);
}

int spec_make(struct vm *vm, struct machine_spec *spec, struct err *err)
{
    int rc;

    memset(spec, 0, sizeof(*spec));
    spec_board(vm, spec);
    rc = spec_flashes(vm, spec, err);
    rc = rc ? rc : spec_serials(vm, spec, err);
    return rc ? rc : spec_cards(vm, spec, err);
}
