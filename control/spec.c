/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line's arguments, sorted by the device they are for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "control/parts.h"
#include "hw/ata.h"
#include "hw/core/log.h"

#define SECTOR            512
#define TRANSLATION_NONE  0 /* CMOS 0x39, two bits a disk */
#define TRANSLATION_LBA   1
#define CYLINDERS_OF_INT13 1024

static void set_number(struct config *cfg, const char *key, uint64_t val)
{
    char text[32];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)val);
    config_set(cfg, key, text);
}

static void spec_memory(const struct vm_args *a, struct config *cfg)
{
    uint64_t low = a->ram < a->max_ram_below_4g ? a->ram : a->max_ram_below_4g;

    set_number(cfg, "ram-low", low);
    set_number(cfg, "ram-high", a->ram - low);
}

static void spec_geometry(const struct vm_drive *d, struct config *cfg)
{
    unsigned cyls, heads, secs;
    char     key[32], val[64];

    ata_geometry(d->block->size / SECTOR, &cyls, &heads, &secs);
    snprintf(key, sizeof(key), "disk%d.geometry", d->arg->unit);
    snprintf(val, sizeof(val), "%u,%u,%u,%u", cyls, heads, secs,
             cyls <= CYLINDERS_OF_INT13 ? TRANSLATION_NONE : TRANSLATION_LBA);
    config_set(cfg, key, val);
}

static void spec_drive(struct vm_drive *d, struct config *ide, struct config *cmos)
{
    const struct drive_arg *a = d->arg;
    char                    key[32];

    if (a->unit < 0)
        return;
    snprintf(key, sizeof(key), "drive%d", a->unit);
    config_set_obj(ide, key, d->block);
    snprintf(key, sizeof(key), "drive%d.kind", a->unit);
    config_set(ide, key, a->cdrom ? "cdrom" : "disk");
    snprintf(key, sizeof(key), "drive%d.cache", a->unit);
    config_set(ide, key, a->writeback ? "writeback" : "writethrough");
    snprintf(key, sizeof(key), "drive%d.serial", a->unit);
    if (a->serial)
        config_set(ide, key, a->serial);
    if (!a->cdrom && d->block)
        spec_geometry(d, cmos);
}

static void spec_board(struct vm *vm, struct machine_spec *spec)
{
    const struct vm_args *a = &vm->args;
    struct config        *ide = machine_spec_add(spec, "piix3-ide", "ide");
    struct config        *cmos = machine_spec_add(spec, "cmos", "cmos");

    for (unsigned i = 0; i < a->ndrives; i++)
        spec_drive(&vm->drives[i], ide, cmos);
    spec_memory(a, cmos);
    config_set(cmos, "boot", a->boot);
    set_number(cmos, "cpus", a->cpus);
    config_set_obj(machine_spec_add(spec, "i8042", "i8042"), "display", vm->display);
    if (a->acpi)
        set_number(machine_spec_add(spec, "PIIX4_PM", "pm"), "cpus", a->cpus);
    if (a->platform_pci)
        machine_spec_add(spec, "xen-platform", "platform");
    if (a->parallel)
        config_set(machine_spec_add(spec, "isa-parallel", "parallel0"), "sink", a->parallel);
    if (a->usb || a->tablet)
        log_line("USB is not emulated yet: the guest has a PS/2 mouse instead of a tablet");
    if (a->debugcon)
        config_set(machine_spec_add(spec, "isa-debugcon", "debugcon"), "sink", a->debugcon);
}

static int spec_serials(struct vm *vm, struct machine_spec *spec, struct err *err)
{
    for (unsigned i = 0; i < vm->args.nserials; i++) {
        struct config  sink = { 0 };
        struct config *cfg;
        char           id[24];
        int            rc;

        if (!strcmp(vm->args.serials[i], "none"))
            continue;
        config_set(&sink, "sink", vm->args.serials[i]);
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

/* xl's default card is the Cirrus; every guest that has its driver also has one for plain VGA. */
static const char *card_name(const char *driver)
{
    return strcmp(driver, "cirrus-vga") ? driver : "VGA";
}

static int spec_nic(struct vm *vm, unsigned i, struct machine_spec *spec, struct err *err)
{
    const struct nic_arg *a = &vm->args.nics[i];
    struct config        *cfg;
    char                  mac[18];

    if (!machine_has_card(a->model))
        return 0;
    cfg = machine_spec_add(spec, a->model, a->id);
    if (!cfg)
        return err_set(err, -ENOSPC, "NIC %s: more than %d devices", a->id, MACHINE_DEVICES);
    snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", a->mac[0], a->mac[1], a->mac[2],
             a->mac[3], a->mac[4], a->mac[5]);
    config_set(cfg, "mac", mac);
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
        struct config           *cfg;
        char                     id[24];
        int                      rc = spec_nics(vm, i, spec, err);

        if (rc)
            return rc;
        if (!machine_has_card(card_name(a->driver))) {
            log_line("-device %s: not emulated yet; the guest goes without it", a->driver);
            continue;
        }
        if (strcmp(card_name(a->driver), a->driver))
            log_line("-device %s: the guest gets a standard VGA instead; vga=\"stdvga\" asks for "
                     "it", a->driver);
        snprintf(id, sizeof(id), "card%u", i);
        cfg = machine_spec_add(spec, card_name(a->driver), config_str(&a->cfg, "id", id));
        if (!cfg)
            return err_set(err, -ENOSPC, "-device %s: more than %d devices", a->driver,
                           MACHINE_DEVICES);
        for (size_t k = 0; k < a->cfg.n; k++) {
            if (a->cfg.items[k].val)
                config_set(cfg, a->cfg.items[k].key, a->cfg.items[k].val);
        }
        config_set(cfg, "rom-path", vm->args.rom_path ? vm->args.rom_path : "");
        config_set_obj(cfg, "display", vm->display);
    }
    return spec_nics(vm, vm->args.ndevices, spec, err);
}

int spec_make(struct vm *vm, struct machine_spec *spec, struct err *err)
{
    int rc;

    memset(spec, 0, sizeof(*spec));
    spec_board(vm, spec);
    rc = spec_serials(vm, spec, err);
    return rc ? rc : spec_cards(vm, spec, err);
}
