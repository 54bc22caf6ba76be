/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the firmware is that the guest starts with, in worlds where nobody else brings it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "bios-loader/bios.h"
#include "control/parts.h"

#define DEFAULT_FIRMWARE "bios-256k.bin"

/* Looks along the -L directories, then takes the name for a path. */
static bool find(const char *dirs, const char *name, char *path, size_t size)
{
    while (dirs && *dirs && !strchr(name, '/')) {
        size_t len = strcspn(dirs, ":");
        int n = snprintf(path, size, "%.*s/%s", (int)len, dirs, name);

        if (n > 0 && (size_t)n < size && !access(path, R_OK))
            return true;
        dirs += len + (dirs[len] == ':');
    }
    return (size_t)snprintf(path, size, "%s", name) < size && !access(path, R_OK);
}

int firmware_find(const struct vm_args *a, char *path, size_t size, struct err *err)
{
    path[0] = 0;
    for (unsigned i = 0; i < a->ndrives; i++) {
        if (a->drives[i].iface == DRIVE_PFLASH && a->drives[i].index == 0)
            return 0; /* it is in the flash */
    }
    if (find(a->rom_path, a->bios ? a->bios : DEFAULT_FIRMWARE, path, size))
        return 0;
    path[0] = 0;
    if (!a->bios)
        return 0;
    return err_set(err, -ENOENT, "-bios %s: no such file, neither here nor in %s", a->bios,
                   a->rom_path ? a->rom_path : "a -L directory");
}

/* "12345678-9abc-…" as its 16 bytes in order; args.c has checked it. */
static void uuid_bytes(const char *text, uint8_t *out)
{
    for (unsigned i = 0; i < 16 && *text; i++) {
        unsigned val = 0;

        text += *text == '-';
        if (sscanf(text, "%2x", &val) != 1)
            return;
        out[i] = (uint8_t)val;
        text += 2;
    }
}

static uint64_t ram_low(const struct vm_args *a)
{
    return a->ram < a->max_ram_below_4g ? a->ram : a->max_ram_below_4g;
}

static int add_kernel(const struct vm_args *a, struct device *fw, struct err *err)
{
    const struct bios_kernel k = {
        .kernel = a->kernel, .initrd = a->initrd, .append = a->append, .ram_low = ram_low(a)
    };

    return a->kernel ? bios_kernel(fw, &k, err) : 0;
}

int firmware_tables(struct vm *vm, struct err *err)
{
    const struct vm_args *a = &vm->args;
    struct device *fw = machine_find(&vm->machine, "fw_cfg");
    uint64_t low = ram_low(a);
    uint8_t uuid[16] = { 0 };
    struct bios_facts f = {
        .cpus = a->cpus,
        .max_cpus = a->max_cpus,
        .ram_low = low,
        .ram_high = a->ram - low,
        .hpet = machine_find(&vm->machine, "hpet") != NULL,
        .floppy = machine_find(&vm->machine, "fdc") != NULL,
        .parallel = machine_find(&vm->machine, "parallel0") != NULL,
    };

    if (fw && add_kernel(a, fw, err))
        return -EINVAL;
    if (vm->world != &world_kvm || !fw || !a->acpi)
        return 0;
    for (unsigned i = 0; i < ARGS_SERIALS; i++)
        f.serials |= (unsigned)vm->serial_open[i] << i;
    if (a->uuid) {
        uuid_bytes(a->uuid, uuid);
        f.uuid = uuid;
    }
    return bios_load(fw, &f, err);
}
