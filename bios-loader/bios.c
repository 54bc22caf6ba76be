/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps, in hvmloader's order. The memory map is fw_cfg's own (hw/fw-cfg.c). */
#include "bios-loader/bios.h"

int bios_load(struct device *fw_cfg, const struct bios_facts *f, struct err *err)
{
    int rc = bios_smbios(fw_cfg, f, err);

    return rc ? rc : bios_acpi(fw_cfg, f, err);
}
