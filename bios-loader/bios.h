/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bios-loader/bios.h: what hvmloader does for a Xen guest before its BIOS
 * starts, for worlds where nobody else does: the ACPI and SMBIOS tables. They are handed to
 * firmware as files of fw_cfg; SeaBIOS and OVMF put them where they belong. docs/boot.md has
 * hvmloader's steps beside these.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/core/device.h"

#define BIOS_OEM 16

/* Of SMBIOS; NULL: our own word for it. Not kept. */
struct bios_strings {
    const char *bios_vendor, *bios_version, *bios_date;
    const char *manufacturer, *product, *version, *serial, *sku, *family;
    const char *board_manufacturer, *board_product,
        *board_version; /* all NULL: no board is told of */
    const char *board_serial, *board_asset, *board_location;
    const char *chassis_manufacturer, *chassis_version, *chassis_serial, *chassis_sku, *asset;
    const char *oem[BIOS_OEM]; /* the first NULL ends them */
};

struct bios_facts {
    unsigned cpus, max_cpus;
    uint64_t ram_low, ram_high; /* bytes below and above 4 GiB */
    bool hpet, floppy, parallel;
    unsigned serials;      /* bit n: serial port n */
    const uint8_t *uuid;   /* 16 bytes as text has them in order; NULL: none */
    const uint8_t *tables; /* ACPI tables to pass on, one behind the other; NULL: none */
    size_t tables_len;
    const uint8_t *structs; /* SMBIOS structures likewise; 0 to 3 and 11 stand for our own */
    size_t structs_len;
    struct bios_strings smbios;
};

#define BIOS_KERNEL_ROM "genroms/kernel.bin" /* a file of fw_cfg: an option ROM that starts it */

struct bios_kernel { /* started directly; paths of files */
    const char *kernel;
    const char *initrd; /* NULL: none */
    const char *append; /* its command line; NULL: an empty one */
    uint64_t ram_low;   /* bytes below 4 GiB */
};

/*
 * Adds what firmware starts the kernel with. The files are read here. 0, or -errno with a line in
 * err that names -kernel, -initrd or -append.
 */
int bios_kernel(struct device *fw_cfg, const struct bios_kernel *k, struct err *err);

/* Adds all to the fw_cfg device. Before the guest runs. 0, or -errno with a line in err. */
int bios_load(struct device *fw_cfg, const struct bios_facts *f, struct err *err);

/* ---- the steps, each of which bios_load() takes ---- */

int bios_acpi(struct device *fw_cfg, const struct bios_facts *f, struct err *err);
int bios_smbios(struct device *fw_cfg, const struct bios_facts *f, struct err *err);
