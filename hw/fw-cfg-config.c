/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/fw-cfg-config.c: the items that config asks for: the machine, its memory, how it boots. */
#include <errno.h>
#include <string.h>
#include "hw/core/config.h"
#include "hw/fw-cfg-int.h"

#define ID_PORT    0x01 /* the selector and data ports are there */
#define ID_DMA     0x02
#define NO_DELAY   UINT32_MAX /* of etc/boot-fail-wait: do not reboot */
#define HPET_ID    0x8086a201
#define HPET_BASE  0xfed00000
#define HPET_SLOTS 8

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;

    return at ? at - digits : -1;
}

static int add_uuid(struct device *fw, const struct config *cfg, struct err *err)
{
    const char *text = config_str(cfg, "uuid", "00000000-0000-0000-0000-000000000000");
    uint8_t uuid[16];
    unsigned n = 0;

    for (const char *p = text; *p; p++) {
        int digit = hex_digit(*p);

        if (*p == '-')
            continue;
        if (digit < 0 || n == 32)
            return err_set(err, -EINVAL, "uuid=%s: not 32 hexadecimal digits", text);
        uuid[n / 2] = n & 1 ? uuid[n / 2] | digit : digit << 4;
        n++;
    }
    if (n != 32)
        return err_set(err, -EINVAL, "uuid=%s: not 32 hexadecimal digits", text);
    return fw_cfg_add_bytes(fw, FW_CFG_UUID, uuid, sizeof(uuid), err);
}

/* The memory map, 20 bytes a range: base, length, type 1 for RAM (ACPI, 15.1). */
static int add_memory(struct device *fw, const struct config *cfg, struct err *err)
{
    uint8_t map[2 * 20];
    uint64_t low, high;
    int rc = config_uint(cfg, "ram-low", 0, 1ULL << 32, &low, err);

    if (rc == 0)
        rc = config_uint(cfg, "ram-high", 0, 1ULL << 48, &high, err);
    if (rc == 0)
        rc = fw_cfg_add_uint(fw, FW_CFG_RAM_SIZE, low + high, 8, err);
    if (rc)
        return rc;
    fw_put_le(map, 0, 8);
    fw_put_le(map + 8, low, 8);
    fw_put_le(map + 16, 1, 4);
    fw_put_le(map + 20, 1ULL << 32, 8);
    fw_put_le(map + 28, high, 8);
    fw_put_le(map + 36, 1, 4);
    return fw_cfg_add_file(fw, "etc/e820", map, high ? 40 : 20, err);
}

static int add_cpus(struct device *fw, const struct config *cfg, struct err *err)
{
    uint64_t cpus, max;
    int rc = config_uint(cfg, "cpus", 1, 65535, &cpus, err);

    if (rc == 0)
        rc = config_uint(cfg, "max-cpus", cpus, 65535, &max, err);
    if (rc == 0)
        rc = fw_cfg_add_uint(fw, FW_CFG_NB_CPUS, cpus, 2, err);
    if (rc == 0)
        rc = fw_cfg_add_uint(fw, FW_CFG_MAX_CPUS, max, 2, err);
    /* No NUMA nodes: a count of none, and a node for each CPU. */
    return rc ? rc : fw_cfg_add_uint(fw, FW_CFG_NUMA, 0, 8, err);
}

/* A file of text; an absent one is empty, and a present one ends with a NUL. */
static int add_text(struct device *fw, const struct config *cfg, const char *name, struct err *err)
{
    const char *text = config_str(cfg, name, "");

    return fw_cfg_add_file(fw, name, text, *text ? strlen(text) + 1 : 0, err);
}

static int add_boot(struct device *fw, const struct config *cfg, struct err *err)
{
    uint64_t timeout, splash;
    bool menu = config_bool(cfg, "boot-menu", false);
    uint8_t le[4];
    int rc = config_uint(cfg, "reboot-timeout", NO_DELAY, UINT32_MAX, &timeout, err);

    if (rc == 0)
        rc = config_uint(cfg, "splash-time", 0, UINT16_MAX, &splash, err);
    if (rc)
        return rc;
    fw_put_le(le, timeout, 4);
    rc = fw_cfg_add_file(fw, "etc/boot-fail-wait", le, 4, err);
    fw_put_le(le, splash, 2);
    if (rc == 0 && config_str(cfg, "splash-time", NULL))
        rc = fw_cfg_add_file(fw, "etc/boot-menu-wait", le, 2, err);
    if (rc == 0)
        rc = fw_cfg_add_uint(fw, FW_CFG_BOOT_MENU, menu, 2, err);
    if (rc == 0)
        rc = add_text(fw, cfg, "bootorder", err);
    return rc ? rc : add_text(fw, cfg, "bios-geometry", err);
}

/* S3, S4 and S5 with the sleep types that the power management function knows. */
static const uint8_t sleep_states[] = { 0x80, 0x00, 0x00, 0x81, 0x82, 0x80 };

static int add_board(struct device *fw, const struct config *cfg, struct err *err)
{
    uint8_t hpet[1 + HPET_SLOTS * 15] = { 1 }; /* how many; id, base, tick, protection */
    int rc = fw_cfg_add_bytes(fw, FW_CFG_SIGNATURE, "QEMU", 4, err);

    if (rc == 0)
        rc = fw_cfg_add_uint(fw, FW_CFG_ID, ID_PORT | ID_DMA, 4, err);
    if (rc == 0)
        rc = fw_cfg_add_uint(fw, FW_CFG_NOGRAPHIC, 0, 2, err);
    if (rc == 0)
        rc = fw_cfg_add_uint(fw, FW_CFG_IRQ0_OVERRIDE, 1, 4, err);
    if (rc == 0)
        rc = fw_cfg_add_file(fw, "etc/system-states", sleep_states, sizeof(sleep_states), err);
    fw_put_le(hpet + 1, HPET_ID, 4);
    fw_put_le(hpet + 5, HPET_BASE, 8);
    if (rc == 0 && config_bool(cfg, "hpet", false))
        rc = fw_cfg_add_bytes(fw, FW_CFG_HPET, hpet, sizeof(hpet), err);
    return rc;
}

/* Where a hypervisor's own loader has told firmware of the machine: only what to boot. */
static int describe_bare(struct device *fw, const struct config *cfg, struct err *err)
{
    int rc = fw_cfg_add_bytes(fw, FW_CFG_SIGNATURE, "QEMU", 4, err);

    if (rc == 0)
        rc = fw_cfg_add_uint(fw, FW_CFG_ID, ID_PORT | ID_DMA, 4, err);
    return rc ? rc : add_text(fw, cfg, "bootorder", err);
}

int fw_cfg_describe(struct device *fw, const struct config *cfg, struct err *err)
{
    int rc;

    if (config_bool(cfg, "bare", false))
        return describe_bare(fw, cfg, err);
    rc = add_board(fw, cfg, err);

    if (rc == 0)
        rc = add_uuid(fw, cfg, err);
    if (rc == 0)
        rc = add_memory(fw, cfg, err);
    if (rc == 0)
        rc = add_cpus(fw, cfg, err);
    if (rc == 0)
        rc = add_boot(fw, cfg, err);
    return rc;
}
