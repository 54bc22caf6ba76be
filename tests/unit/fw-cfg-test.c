/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firmware configuration device, as SeaBIOS, Linux and OVMF read it. */
#include <string.h>
#include "hw/devices.h"
#include "hw/fw-cfg.h"
#include "tests/unit/qt.h"

#define DESC 0x1000
#define BUF  0x2000

static struct qt *start(void)
{
    struct qt *t = qt_new();

    qt_config(t, "uuid", "00112233-4455-6677-8899-AAbbccddeeff");
    qt_config(t, "ram-low", "0x80000000");
    qt_config(t, "ram-high", "0x40000000");
    qt_config(t, "cpus", "2");
    qt_config(t, "max-cpus", "4");
    qt_config(t, "boot-menu", "on");
    qt_config(t, "splash-time", "5000");
    qt_config(t, "bootorder", "/rom@x\n");
    qt_config(t, "hpet", "on");
    qt_add(t, &fw_cfg_type, -1);
    return t;
}

static uint64_t be(const uint8_t *p, unsigned n)
{
    uint64_t val = 0;

    while (n--)
        val = val << 8 | *p++;
    return val;
}

/* n bytes of item key, the least significant first. */
static uint64_t item(struct qt *t, uint16_t key, unsigned n)
{
    uint64_t val = 0;

    outw(t, 0x510, key);
    for (unsigned i = 0; i < n; i++)
        val |= (uint64_t)inb(t, 0x511) << (8 * i);
    return val;
}

static void bytes(struct qt *t, uint16_t key, uint8_t *to, unsigned n)
{
    outw(t, 0x510, key);
    for (unsigned i = 0; i < n; i++)
        to[i] = inb(t, 0x511);
}

/* The key and size of a file; 0 when there is none. */
static uint16_t file(struct qt *t, const char *name, uint32_t *size)
{
    uint8_t dir[4 + 32 * 64];
    unsigned n;

    bytes(t, FW_CFG_FILE_DIR, dir, 4);
    n = be(dir, 4);
    CHECK(n <= 32);
    bytes(t, FW_CFG_FILE_DIR, dir, 4 + n * 64);
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *e = dir + 4 + i * 64;

        CHECK_EQ(be(e + 4, 2), 0x20 + i);
        if (i)
            CHECK(strcmp((const char *)e + 8, (const char *)e + 8 - 64) > 0);
        if (!strcmp((const char *)e + 8, name)) {
            *size = be(e, 4);
            return be(e + 4, 2);
        }
    }
    return 0;
}

TEST(numbers)
{
    struct qt *t = start();
    uint8_t uuid[17];

    CHECK_EQ(item(t, FW_CFG_SIGNATURE, 4), 0x554d4551);
    CHECK_EQ(item(t, FW_CFG_ID, 4), 3);
    CHECK_EQ(item(t, FW_CFG_RAM_SIZE, 8), 0xc0000000);
    CHECK_EQ(item(t, FW_CFG_NB_CPUS, 2), 2);
    CHECK_EQ(item(t, FW_CFG_MAX_CPUS, 2), 4);
    CHECK_EQ(item(t, FW_CFG_BOOT_MENU, 2), 1);
    CHECK_EQ(item(t, FW_CFG_NOGRAPHIC, 2), 0);
    CHECK_EQ(item(t, FW_CFG_IRQ0_OVERRIDE, 4), 1);
    bytes(t, FW_CFG_UUID, uuid, 17);
    for (unsigned i = 0; i < 16; i++)
        CHECK_EQ(uuid[i], i * 0x11);
    CHECK_EQ(uuid[16], 0); /* past the end */
}

TEST(nothing_asked_for)
{
    struct qt *t = qt_start(&fw_cfg_type);
    uint32_t size = 0;

    CHECK_EQ(item(t, FW_CFG_UUID, 8), 0);
    CHECK_EQ(item(t, FW_CFG_NB_CPUS, 2), 1);
    CHECK_EQ(item(t, FW_CFG_MAX_CPUS, 2), 1);
    CHECK_EQ(item(t, FW_CFG_BOOT_MENU, 2), 0);
    CHECK_EQ(item(t, FW_CFG_HPET, 1), 0);
    CHECK_EQ(item(t, file(t, "etc/boot-fail-wait", &size), 4), 0xffffffff);
    CHECK(file(t, "etc/boot-menu-wait", &size) == 0);
    CHECK(file(t, "bootorder", &size) != 0);
    CHECK_EQ(size, 0);
}

TEST(ports)
{
    struct qt *t = start();

    CHECK_EQ(item(t, 0x7f0, 4), 0); /* nobody has it */
    CHECK_EQ(item(t, FW_CFG_SIGNATURE, 2), 0x4551);
    outb(t, 0x511, 0x55); /* items cannot be written */
    CHECK_EQ(inb(t, 0x511), 'M');
    outw(t, 0x510, 0x4000); /* nor with the write bit */
    outb(t, 0x511, 0x55);
    CHECK_EQ(item(t, FW_CFG_SIGNATURE, 4), 0x554d4551);
    CHECK_EQ(inb(t, 0x510), 0);
    CHECK_EQ(inw(t, 0x510), 0);
    outb(t, 0x510, 0x01); /* half a selector is none */
    CHECK_EQ(inb(t, 0x511), 0);
    CHECK_EQ(inl(t, 0x514), 0x554d4551);
    CHECK_EQ(inl(t, 0x518), 0x47464320);
    CHECK_EQ(inb(t, 0x519), 'C');
    outw(t, 0x510, FW_CFG_SIGNATURE);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(inb(t, 0x511), 'Q');
}

TEST(files)
{
    struct qt *t = start();
    uint32_t size = 0;
    uint16_t key = file(t, "etc/e820", &size);
    uint8_t map[40];

    CHECK_EQ(size, 40);
    bytes(t, key, map, 40);
    CHECK_EQ(map[11], 0x80); /* 2 GiB at 0 */
    CHECK_EQ(map[16], 1);
    CHECK_EQ(map[24], 1); /* 1 GiB at 4 GiB */
    CHECK_EQ(map[31], 0x40);
    CHECK_EQ(map[36], 1);
    CHECK_EQ(item(t, file(t, "etc/boot-menu-wait", &size), 4), 5000);
    CHECK_EQ(size, 2);
    CHECK_EQ(item(t, file(t, "etc/system-states", &size), 6), 0x808281000080);
    CHECK_EQ(item(t, file(t, "bootorder", &size), 8), 0x000a78406d6f722f);
    CHECK_EQ(size, 8);
    CHECK_EQ(item(t, FW_CFG_HPET, 5), 0x8086a20101);
}

TEST(files_are_added_in_the_order_of_their_names)
{
    struct qt *t = start();
    struct err err = { "" };
    uint32_t size = 0;
    uint16_t key;

    qt_no_reload(t, "the file is not of the configuration");
    CHECK(fw_cfg_add_file(t->dev, "aaa", "xyz", 3, &err) == 0);
    key = file(t, "aaa", &size);
    CHECK_EQ(key, 0x20);
    CHECK_EQ(size, 3);
    CHECK_EQ(item(t, key, 4), 0x7a7978);
    CHECK(fw_cfg_add_file(t->dev, "aaa", "xyz", 3, &err) < 0);
    CHECK(fw_cfg_add_file(t->dev, "", "xyz", 3, &err) < 0);
    CHECK(fw_cfg_add_file(t->dev, "0123456789012345678901234567890123456789012345678901234/", "x",
                          1, &err) < 0);
}

/* ---- DMA ---- */

static uint32_t dma_at(struct qt *t, uint64_t desc, uint32_t control, uint32_t len, uint64_t addr)
{
    put32(t, DESC, __builtin_bswap32(control));
    put32(t, DESC + 4, __builtin_bswap32(len));
    put64(t, DESC + 8, __builtin_bswap64(addr));
    outl(t, 0x514, __builtin_bswap32(desc >> 32));
    outl(t, 0x518, __builtin_bswap32((uint32_t)desc));
    return __builtin_bswap32(ram32(t, DESC));
}

static uint32_t dma(struct qt *t, uint32_t control, uint32_t len, uint64_t addr)
{
    return dma_at(t, DESC, control, len, addr);
}

TEST(dma_reads_skips_and_selects)
{
    struct qt *t = start();

    put64(t, BUF, ~0ULL);
    CHECK_EQ(dma(t, 0x0000000a, 6, BUF), 0);
    CHECK_EQ(ram64(t, BUF), 0xffff0000554d4551); /* zeroes past the end, and no more */
    CHECK_EQ(dma(t, 0x00000008, 0, BUF), 0);
    CHECK_EQ(dma(t, 0x00000004, 2, BUF), 0);
    CHECK_EQ(dma(t, 0x00000002, 1, BUF), 0);
    CHECK_EQ(ram32(t, BUF) & 0xff, 'M');
    CHECK_EQ(inb(t, 0x511), 'U'); /* one offset for both ways */
    CHECK_EQ(dma(t, 0x0000000c, 0xffffffff, BUF), 0);
    CHECK_EQ(dma(t, 0x00000002, 1, BUF), 0);
    CHECK_EQ(ram32(t, BUF) & 0xff, 0);
    CHECK_EQ(dma(t, 0x00000000, 8, BUF), 0);
}

TEST(dma_errors)
{
    struct qt *t = start();

    CHECK_EQ(dma(t, 0x00010018, 4, BUF), 1); /* a write */
    CHECK_EQ(inb(t, 0x511), 3);              /* that did select */
    CHECK_EQ(dma(t, 0x0001000a, 4, 0xf0000000), 1);
    CHECK_EQ(dma(t, 0x0001000a, 0xffffffff, QT_RAM - 0x10000), 1); /* runs off the end */
    CHECK_EQ(guest_errors(t), 0);
    CHECK_EQ(dma_at(t, 0x100001000, 0x0000000a, 4, BUF), 0x0000000a); /* nothing is there */
    CHECK_EQ(guest_errors(t), 1);
    put32(t, BUF, 0xaaaaaaaa);
    outw(t, 0x518, 0x1000); /* the address is written by dwords only */
    CHECK_EQ(ram32(t, BUF), 0xaaaaaaaa);
    CHECK_EQ(dma(t, 0x0000000a, 4, BUF), 0);
    CHECK_EQ(ram32(t, BUF), 0x554d4551);
}

TEST(a_long_dma_takes_turns)
{
    struct qt *t = start();
    unsigned turns = 0;

    memset(t->ram + 0x100000, 0xaa, 0x800001);
    CHECK_EQ(dma(t, 0x0000000a, 0x800000, 0x100000), 0x0000000a); /* not yet over */
    for (; turns < 100 && ram32(t, DESC); turns++)
        clock_step(t, NS_PER_MS / 20);
    CHECK_EQ(turns, 7); /* a MiB each, and the first at once */
    CHECK_EQ(ram32(t, 0x100000), 0x554d4551);
    CHECK_EQ(ram64(t, 0x8ffff8), 0);
    CHECK_EQ(ram32(t, 0x900000) & 0xff, 0xaa);
}

TEST(a_new_dma_ends_the_old_one)
{
    struct qt *t = start();

    dma(t, 0x0000000a, 0x800000, 0x100000);
    put32(t, 0x3000, __builtin_bswap32(0x0000000a));
    put32(t, 0x3004, __builtin_bswap32(4));
    put64(t, 0x3008, __builtin_bswap64(BUF));
    outl(t, 0x518, __builtin_bswap32(0x3000));
    CHECK_EQ(ram32(t, 0x3000), 0);
    CHECK_EQ(__builtin_bswap32(ram32(t, DESC)), 1);
    clock_step(t, NS_PER_S);
    CHECK_EQ(ram32(t, BUF), 0x554d4551);
    dma(t, 0x0000000a, 0x800000, 0x100000);
    device_reset(t->dev, RESET_WARM);
    clock_step(t, NS_PER_S);
    CHECK_EQ(ram32(t, 0x8ffffc), 0);
    CHECK_EQ(__builtin_bswap32(ram32(t, DESC)), 0x0000000a); /* a reset forgets it */
}

TEST(bad_config_is_refused)
{
    static const char *const bad[][2] = {
        { "uuid", "0011" },           { "uuid", "0011223g-4455-6677-8899-aabbccddeeff" },
        { "cpus", "many" },           { "splash-time", "65536" },
        { "reboot-timeout", "soon" }, { "uuid", "00112233-4455-6677-8899-aabbccddeeff00" },
        { "ram-low", "0x100000001" },
    };
    struct qt *t = qt_new();

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct config cfg = { 0 };
        struct err err = { "" };

        config_set(&cfg, bad[i][0], bad[i][1]);
        CHECK(!device_new(&t->plat, &fw_cfg_type, "fw_cfg", -1, &cfg, &err));
        CHECK(strstr(err.msg, bad[i][1]) != NULL);
        config_free(&cfg);
    }
}
