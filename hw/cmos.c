/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 128 bytes of battery-backed RAM at ports 0x70 and 0x71 (Motorola
 * MC146818A; the meaning of the bytes is the IBM AT's, and SeaBIOS' for the
 * newer ones). With firmware that finds no fw_cfg they are the only way to
 * tell it of memory, disks and boot order.
 *
 * The clock, indexes 0-13, is in hw/rtc.c, with config "rtc". Under Xen the
 * hypervisor has it and those accesses do not arrive. The NMI mask is remembered
 * and masks nothing.
 *
 * Config: that of hw/rtc.h; ram-low, ram-high (bytes below and above 4 GiB),
 * cpus, boot (letters a c d n, three count), boot-once (the same, until the
 * next reset), fd-bootchk (on/off), floppies (0-2), floppy0.type and
 * floppy1.type (1 360K, 2 1.2M, 3 720K, 4 1.44M, 5 2.88M), century (19-99),
 * disk0.geometry and disk1.geometry "cylinders,heads,sectors,translation" and
 * disk2/disk3 likewise for their translation.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "hw/core/config.h"
#include "hw/core/platform.h"
#include "hw/core/state.h"
#include "hw/devices.h"
#include "hw/piix4-pm.h"
#include "hw/rtc.h"

#define NMI_OFF 0x80

enum { REG_INDEX, REG_DATA, REG_END };

enum {
    AT_SHUTDOWN = 0x0f,
    AT_FLOPPY = 0x10,
    AT_DISKS = 0x12,
    AT_EQUIPMENT = 0x14,
    AT_BASE_MEM = 0x15,  /* KiB */
    AT_EXT_MEM = 0x17,   /* KiB above 1 MiB, at most 64 MiB */
    AT_DISK_TYPE = 0x19, /* and 0x1a */
    AT_DISK0 = 0x1b,     /* nine bytes a disk */
    AT_DISK1 = 0x24,
    AT_EXT_MEM2 = 0x30, /* as AT_EXT_MEM */
    AT_HIGH_MEM = 0x34, /* 64 KiB units above 16 MiB */
    AT_BOOT3 = 0x38,
    AT_TRANSLATION = 0x39,
    AT_BOOT12 = 0x3d,
    AT_MEM_4G = 0x5b, /* 64 KiB units above 4 GiB, three bytes */
    AT_CPUS = 0x5f,   /* less one */
};

#define EQUIP_FLOPPY  0x01
#define EQUIP_FPU     0x02
#define EQUIP_MOUSE   0x04
#define EQUIP_FLOPPY2 0x40
#define FLOPPY_1440K  4
#define FLOPPY_TYPES  5
#define TYPE_EXTENDED 47 /* "see the geometry bytes" */
#define NO_FD_CHECK   0x01
#define SHUTDOWN_S3   0xfe /* SeaBIOS and OVMF: the processor's reset is a wake-up from S3 */

#define KIB   1024ULL
#define MIB   (1024 * KIB)
#define DISKS 4

static const struct field cmos_state[] = { FIELD(struct cmos, index, .max = CMOS_SIZE - 1),
                                           FIELD(struct cmos, nmi_off),
                                           ARRAY(struct cmos, ram),
                                           FIELD(struct cmos, second, .since = 2),
                                           FIELD(struct cmos, period, .since = 2),
                                           FIELD(struct cmos, again, .since = 2),
                                           FIELD(struct cmos, host_offset, .since = 2),
                                           FIELD(struct cmos, lost, .since = 2, .max = 65535),
                                           ARRAY(struct cmos, spare, .since = 2),
                                           FIELD(struct cmos, phase, .since = 3, .max = 32767),
                                           ARRAY(struct cmos, spare2, .since = 3),
                                           FIELDS_END };

/* Has the clock this index? */
static bool is_clock(const struct cmos *c)
{
    return c->rtc.on && (c->s.index < RTC_REGS || c->s.index == RTC_CENTURY);
}

static uint64_t cmos_read(struct device *dev, uint64_t off, unsigned width)
{
    struct cmos *c = container_of(dev, struct cmos, dev);

    if (off == REG_INDEX || c->s.index >= CMOS_SIZE)
        return 0xff; /* the index port cannot be read */
    return is_clock(c) ? rtc_read(c, c->s.index) : c->s.ram[c->s.index];
}

static void cmos_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct cmos *c = container_of(dev, struct cmos, dev);

    if (off == REG_INDEX) {
        c->s.index = val & (CMOS_SIZE - 1);
        c->s.nmi_off = val & NMI_OFF;
        if (c->rtc.on && c->s.index == RTC_CENTURY_PS2)
            c->s.index = RTC_CENTURY;
    } else if (is_clock(c)) {
        rtc_write(c, c->s.index, val);
    } else if (c->s.index < CMOS_SIZE) {
        c->s.ram[c->s.index] = val;
    }
    dev->type->sync(dev);
}

/* Contents from the factory */

static void put_le(uint8_t *ram, unsigned at, uint64_t val, unsigned bytes)
{
    for (unsigned i = 0; i < bytes && at + i < CMOS_SIZE; i++)
        ram[at + i] = val >> (8 * i);
}

static uint64_t at_most(uint64_t val, uint64_t max)
{
    return val < max ? val : max;
}

static int fill_memory(uint8_t *ram, const struct config *cfg, struct err *err)
{
    uint64_t low, high, cpus;
    int rc = config_uint(cfg, "ram-low", 0, 1ULL << 32, &low, err);

    if (rc == 0)
        rc = config_uint(cfg, "ram-high", 0, (1ULL << 40) - 1, &high, err);
    if (rc == 0)
        rc = config_uint(cfg, "cpus", 1, 256, &cpus, err);
    if (rc < 0)
        return rc;
    put_le(ram, AT_BASE_MEM, at_most(low / KIB, 640), 2);
    put_le(ram, AT_EXT_MEM, low > MIB ? at_most((low - MIB) / KIB, 0xffff) : 0, 2);
    put_le(ram, AT_EXT_MEM2, low > MIB ? at_most((low - MIB) / KIB, 0xffff) : 0, 2);
    put_le(ram, AT_HIGH_MEM, low > 16 * MIB ? at_most((low - 16 * MIB) / (64 * KIB), 0xffff) : 0,
           2);
    put_le(ram, AT_MEM_4G, high / (64 * KIB), 3);
    ram[AT_CPUS] = cpus ? cpus - 1 : 0;
    return 0;
}

/* Boot devices as SeaBIOS numbers them; 0: none. */
static int boot_code(char letter)
{
    static const struct {
        char first, last;
        uint8_t code;
    } codes[] = { { 'a', 'b', 1 }, { 'c', 'c', 2 }, { 'd', 'd', 3 }, { 'n', 'p', 4 } };

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (letter >= codes[i].first && letter <= codes[i].last)
            return codes[i].code;
    return -1;
}

static int fill_boot(uint8_t *ram, const struct config *cfg, const char *boot, struct err *err)
{
    int code[3] = { 0 };

    for (unsigned i = 0; i < 3 && boot[i]; i++) {
        code[i] = boot_code(boot[i]);
        if (code[i] < 0)
            return err_set(err, -EINVAL, "boot=%s: '%c' is none of a, c, d and n", boot, boot[i]);
    }
    ram[AT_BOOT12] = code[1] << 4 | code[0];
    ram[AT_BOOT3] = code[2] << 4 | (config_bool(cfg, "fd-bootchk", true) ? 0 : NO_FD_CHECK);
    return 0;
}

/* The order that counts, and another one that is there for the first boot only. */
static int fill_boots(struct cmos *c, const struct config *cfg, struct err *err)
{
    const char *once = config_str(cfg, "boot-once", NULL);
    int rc = fill_boot(c->factory, cfg, config_str(cfg, "boot", "cda"), err);

    if (rc || !once)
        return rc;
    c->order[0] = c->factory[AT_BOOT3];
    c->order[1] = c->factory[AT_BOOT12];
    c->once = 2; /* the reset at the start, and the next */
    return fill_boot(c->factory, cfg, once, err);
}

static int translation_code(const char *word)
{
    static const char *const words[] = { "none", "lba", "large", "rechs" };

    for (int i = 0; i < 4; i++)
        if (!strcmp(word, words[i]) || (word[0] == '0' + i && !word[1]))
            return i;
    return -1;
}

/* The nine bytes of a disk of "type 47" (IBM AT BIOS, user defined drive). */
static void fill_disk(uint8_t *ram, unsigned disk, unsigned cyls, unsigned heads, unsigned secs)
{
    unsigned at = disk ? AT_DISK1 : AT_DISK0;

    ram[AT_DISKS] |= disk ? 0x0f : 0xf0;
    ram[AT_DISK_TYPE + disk] = TYPE_EXTENDED;
    put_le(ram, at, cyls, 2);
    ram[at + 2] = heads;
    put_le(ram, at + 3, 0xffff, 2); /* no write precompensation */
    ram[at + 5] = 0xc0 | (heads > 8 ? 0x08 : 0);
    put_le(ram, at + 6, cyls, 2); /* landing zone */
    ram[at + 8] = secs;
}

static int fill_disks(uint8_t *ram, const struct config *cfg, struct err *err)
{
    for (unsigned disk = 0; disk < DISKS; disk++) {
        char key[24], word[8] = "";
        const char *geometry;
        unsigned cyls, heads, secs;
        int code;

        snprintf(key, sizeof(key), "disk%u.geometry", disk);
        geometry = config_str(cfg, key, NULL);
        if (!geometry)
            continue;
        if (sscanf(geometry, "%5u,%3u,%3u,%7[a-z0-9]", &cyls, &heads, &secs, word) != 4 ||
            (code = translation_code(word)) < 0 || cyls > 0xffff || heads > 0xff || secs > 0xff)
            return err_set(err, -EINVAL, "%s=%s: not cylinders,heads,sectors,none|lba|large|rechs",
                           key, geometry);
        ram[AT_TRANSLATION] |= code << (2 * disk);
        if (disk < 2)
            fill_disk(ram, disk, cyls, heads, secs);
    }
    return 0;
}

/* Types of the drives, A in the high half, and how many there are. */
static int fill_floppies(uint8_t *ram, const struct config *cfg, struct err *err)
{
    uint64_t n, a, b;
    int rc = config_uint(cfg, "floppies", 0, 2, &n, err);

    if (rc == 0)
        rc = config_uint(cfg, "floppy0.type", n > 0 ? FLOPPY_1440K : 0, FLOPPY_TYPES, &a, err);
    if (rc == 0)
        rc = config_uint(cfg, "floppy1.type", n > 1 ? FLOPPY_1440K : 0, FLOPPY_TYPES, &b, err);
    if (rc < 0)
        return rc;
    ram[AT_FLOPPY] = a << 4 | b;
    if (a || b)
        ram[AT_EQUIPMENT] |= EQUIP_FLOPPY | (a && b ? EQUIP_FLOPPY2 : 0);
    return 0;
}

static int fill_equipment(uint8_t *ram, const struct config *cfg, struct err *err)
{
    time_t now = time(NULL);
    struct tm tm;
    uint64_t century;
    int rc = config_uint(cfg, "century", gmtime_r(&now, &tm) ? (tm.tm_year + 1900) / 100 : 20, 99,
                         &century, err);

    if (rc < 0)
        return rc;
    ram[RTC_CENTURY] = century / 10 << 4 | century % 10;
    ram[AT_EQUIPMENT] = EQUIP_FPU | EQUIP_MOUSE;
    return fill_floppies(ram, cfg, err);
}

/* The device's life */

static void cmos_sync(struct device *dev)
{
    struct cmos *c = container_of(dev, struct cmos, dev);

    rtc_sync(c);
    memcpy(c->battery, c->s.ram, sizeof(c->battery));
}

static bool cmos_check(const struct device *dev)
{
    const struct cmos *c = container_of(dev, const struct cmos, dev);

    for (unsigned i = 0; i < sizeof(c->s.spare2); i++) {
        if (c->s.spare2[i])
            return false;
    }
    return !c->s.spare[0] && !c->s.spare[1] && rtc_check(c);
}

static void cmos_reset(struct device *dev, enum reset_kind kind)
{
    struct cmos *c = container_of(dev, struct cmos, dev);

    memcpy(c->s.ram, kind == RESET_COLD ? c->factory : c->battery, sizeof(c->s.ram));
    if (kind != RESET_WAKE && c->once && !--c->once) {
        c->s.ram[AT_BOOT3] = c->factory[AT_BOOT3] = c->order[0];
        c->s.ram[AT_BOOT12] = c->factory[AT_BOOT12] = c->order[1];
    }
    rtc_reset(c, kind);
}

/* Firmware is to know what the reset that ends this sleep is. */
static void cmos_sleeps(void *arg)
{
    struct cmos *c = arg;

    c->s.ram[AT_SHUTDOWN] = SHUTDOWN_S3;
    cmos_sync(&c->dev);
}

static int cmos_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct cmos *c = container_of(dev, struct cmos, dev);
    struct device *pm = pm_find(dev->plat);
    int rc = fill_memory(c->factory, cfg, err);

    if (rc == 0)
        rc = fill_boots(c, cfg, err);
    if (rc == 0)
        rc = fill_disks(c->factory, cfg, err);
    if (rc == 0)
        rc = fill_equipment(c->factory, cfg, err);
    if (rc == 0)
        rc = rtc_init(c, cfg, err);
    if (rc == 0 && pm)
        pm_set_sleeps(pm, cmos_sleeps, c);
    return rc;
}

static void cmos_fini(struct device *dev)
{
    struct device *pm = pm_find(dev->plat);

    if (pm)
        pm_set_sleeps(pm, NULL, NULL);
    rtc_fini(container_of(dev, struct cmos, dev));
}

static const struct io_range cmos_io[] = { { IO_PORT, 0x70, REG_END, 1, cmos_read, cmos_write },
                                           { 0 } };

const struct device_type cmos_type = {
    .name = "cmos",
    .version = 3,
    DEVICE_LAYOUT(struct cmos),
    .io = cmos_io,
    .state = cmos_state,
    .init = cmos_init,
    .fini = cmos_fini,
    .reset = cmos_reset,
    .sync = cmos_sync,
    .check = cmos_check,
};
