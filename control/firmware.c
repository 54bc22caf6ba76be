/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the firmware is that the guest starts with, in worlds where nobody else brings it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bios-loader/bios.h"
#include "control/parts.h"

#define DEFAULT_FIRMWARE "bios-256k.bin"
#define FILE_MAX         (1 << 20) /* bytes of tables to pass on */

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

static void set_strings(struct bios_strings *to, const struct config *cfg)
{
    const struct {
        const char *key, **to;
    } all[] = {
        { "0.vendor", &to->bios_vendor },      { "0.version", &to->bios_version },
        { "0.date", &to->bios_date },          { "1.manufacturer", &to->manufacturer },
        { "1.product", &to->product },         { "1.version", &to->version },
        { "1.serial", &to->serial },           { "1.sku", &to->sku },
        { "1.family", &to->family },           { "2.manufacturer", &to->board_manufacturer },
        { "2.product", &to->board_product },   { "2.version", &to->board_version },
        { "2.serial", &to->board_serial },     { "2.asset", &to->board_asset },
        { "2.location", &to->board_location }, { "3.manufacturer", &to->chassis_manufacturer },
        { "3.version", &to->chassis_version }, { "3.serial", &to->chassis_serial },
        { "3.sku", &to->chassis_sku },         { "3.asset", &to->asset }
    };
    char key[16];

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        *all[i].to = config_str(cfg, all[i].key, NULL);
    for (unsigned i = 0; i < BIOS_OEM; i++) {
        snprintf(key, sizeof(key), "11.%u", i);
        to->oem[i] = config_str(cfg, key, NULL);
    }
}

/* A whole file; path NULL: none is named. */
static int read_file(const char *opt, const char *path, uint8_t **data, size_t *len,
                     struct err *err)
{
    FILE *f;
    int e;

    if (!path)
        return 0;
    f = fopen(path, "re");
    *data = malloc(FILE_MAX + 1);
    errno = f ? 0 : errno;
    if (f && *data)
        *len = fread(*data, 1, FILE_MAX + 1, f);
    e = !f || ferror(f) ? errno : *data ? 0 : ENOMEM;
    if (f)
        fclose(f);
    if (e)
        return err_set(err, -e, "%s %s: %s", opt, path, strerror(e));
    if (*len > FILE_MAX)
        return err_set(err, -EINVAL, "%s %s: larger than %d bytes", opt, path, FILE_MAX);
    return 0;
}

/* hvmloader's form (xl.cfg(5), smbios_firmware): a size of 32 bits before each. */
static int drop_sizes(const char *path, uint8_t *data, size_t *len, struct err *err)
{
    size_t to = 0;

    for (size_t at = 0; at < *len;) {
        uint32_t size = 0;

        if (*len - at >= sizeof(size))
            memcpy(&size, data + at, sizeof(size));
        at += sizeof(size);
        if (!size || at > *len || size > *len - at)
            return err_set(err, -EINVAL, "-smbios sized-file=%s: it ends within a structure", path);
        memmove(data + to, data + at, size);
        to += size;
        at += size;
    }
    *len = to;
    return 0;
}

static int load(const struct vm_args *a, struct device *fw, struct bios_facts *f, struct err *err)
{
    uint8_t *tables = NULL, *structs = NULL;
    int rc = read_file("-acpitable", a->acpi_tables, &tables, &f->tables_len, err);

    rc = rc ? rc : read_file("-smbios", a->smbios_file, &structs, &f->structs_len, err);
    if (!rc && a->smbios_sized)
        rc = drop_sizes(a->smbios_file, structs, &f->structs_len, err);
    f->tables = tables;
    f->structs = structs;
    rc = rc ? rc : bios_load(fw, f, err);
    free(tables);
    free(structs);
    return rc;
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
    set_strings(&f.smbios, &a->smbios);
    return load(a, fw, &f, err);
}
