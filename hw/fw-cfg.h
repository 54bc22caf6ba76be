/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/fw-cfg.h: what firmware is told of the machine, item by item. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "hw/core/device.h"

#define FW_CFG_NAME 56 /* of a file, with its NUL (fw_cfg specification, "file directory") */

/* Keys of the specification; files begin at FW_CFG_FILES in the order of their names. */
enum {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_NUMA = 0x0d,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILES = 0x20,
    FW_CFG_IRQ0_OVERRIDE = 0x8002, /* of a PC: IRQ 0 is at I/O APIC input 2 */
    FW_CFG_HPET = 0x8004,
};

/*
 * These are for set-up, before the guest runs: a file that comes later moves
 * the keys of those after it. All but fw_cfg_give_bytes() copy what they are given. Each returns 0,
 * or a negative errno with a line in err: -ENOMEM, -ENOSPC (too many items), -EINVAL (a name that
 * is empty, too long or there already).
 */
int fw_cfg_add_bytes(struct device *dev, uint16_t key, const void *data, size_t len,
                     struct err *err);
/* Of malloc(): the device's from here on, also on failure. */
int fw_cfg_give_bytes(struct device *dev, uint16_t key, uint8_t *data, size_t len, struct err *err);
/* A little-endian number of `bytes` bytes, at most 8. */
int fw_cfg_add_uint(struct device *dev, uint16_t key, uint64_t val, unsigned bytes,
                    struct err *err);
int fw_cfg_add_file(struct device *dev, const char *name, const void *data, size_t len,
                    struct err *err);
