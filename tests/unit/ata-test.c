/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disk's commands, by PIO. ATA/ATAPI-7 volume 1 §6. DMA is in bmdma-test.c. */
#include "tests/unit/ide-util.h"
#include "hw/ata.h"

static uint16_t word(const uint8_t *id, unsigned n)
{
    return id[2 * n] | id[2 * n + 1] << 8;
}

static void identify(struct qt *t, uint8_t *id)
{
    outb(t, PRI + R_DEV, 0xa0);
    outb(t, PRI + R_CMD, 0xec);
    CHECK_EQ(settled(t, PRI), 0x58);
    CHECK(irq(t, 14));
    CHECK_EQ(inb(t, PRI + R_CMD), 0x58);
    pio_in(t, PRI, id, 512);
    CHECK_EQ(inb(t, PRI + R_CMD), 0x50);
    CHECK(!irq(t, 14));
}

static void check_sectors(const uint8_t *buf, uint64_t first, unsigned n)
{
    uint8_t want[512];

    for (unsigned i = 0; i < n; i++) {
        pattern(want, first + i, 512);
        CHECK(!memcmp(buf + 512 * i, want, 512));
    }
}

/* Status after a command without data; acknowledges, and checks there was one interrupt. */
static uint8_t outcome(struct qt *t)
{
    settled(t, PRI);
    CHECK(irq(t, 14));
    return inb(t, PRI + R_CMD);
}

TEST(identify_device)
{
    struct rig r = { qt_new(), { NULL } };
    struct qt *t = r.t;
    uint8_t id[512], sum = 0;

    rig_unit(&r, 0, false, 20480);
    qt_config(t, "drive0.serial", "SN1");
    rig_go(&r);
    identify(t, id);
    for (int i = 0; i < 512; i++)
        sum += id[i];
    CHECK_EQ(sum, 0);
    CHECK_EQ(word(id, 255) & 0xff, 0xa5);
    CHECK_EQ(word(id, 0), 0x0040);
    CHECK_EQ(word(id, 1), 20);
    CHECK_EQ(word(id, 3), 16);
    CHECK_EQ(word(id, 6), 63);
    CHECK(!memcmp(id + 20, "NS 1 ", 5)); /* bytes swapped */
    CHECK(!memcmp(id + 54, "OPTRCI OAHDRIDKS", 16));
    CHECK_EQ(word(id, 47), 0x8010);
    CHECK_EQ(word(id, 59), 0x0110);
    CHECK_EQ(word(id, 60) | word(id, 61) << 16, 20480);
    CHECK_EQ(word(id, 100), 20480);
    CHECK_EQ(word(id, 54) * word(id, 55) * word(id, 56), word(id, 57) | word(id, 58) << 16);
    CHECK_EQ(word(id, 83) & 0xf400, 0x7400);
    CHECK_EQ(word(id, 85) & 0x20, 0x20); /* write cache on */
    CHECK_EQ(word(id, 88), 0x003f);
    CHECK_EQ(word(id, 63), 0x0007);
    rig_end(&r);
}

TEST(geometry)
{
    unsigned c, h, s;

    ata_geometry(1 << 20, &c, &h, &s);
    CHECK(c == 1040 && h == 16 && s == 63);
    ata_geometry(1ULL << 40, &c, &h, &s);
    CHECK(c == 16383 && h == 16 && s == 63);
    ata_geometry(1, &c, &h, &s);
    CHECK(c == 1);
}

TEST(read_sectors_one_interrupt_per_block)
{
    struct rig r = rig_disk(1024);
    struct qt *t = r.t;
    uint8_t buf[3 * 512];

    command(t, PRI, 0xe0, 5, 3, 0x20);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(settled(t, PRI), 0x58);
        CHECK(irq(t, 14));
        CHECK_EQ(inb(t, PRI + R_CMD), 0x58);
        CHECK(!irq(t, 14));
        pio_in(t, PRI, buf + 512 * i, 512);
    }
    CHECK(!irq(t, 14)); /* none at the end */
    CHECK_EQ(inb(t, PRI + R_CMD), 0x50);
    check_sectors(buf, 5, 3);
    CHECK_EQ(inb(t, PRI + R_LOW), 7); /* the last one read */
    CHECK_EQ(inb(t, PRI + R_COUNT), 0);
    CHECK_EQ(inw(t, PRI), 0); /* nothing more */
    rig_end(&r);
}

TEST(a_pio_read_of_256_sectors_is_few_requests)
{
    struct rig r = rig_disk(1024);
    struct qt *t = r.t;
    static uint8_t buf[256 * 512];
    uint64_t before = r.blk[0]->stat[BLOCK_READ].ops;

    qt_no_reload(t, "requests are counted");
    command(t, PRI, 0xe0, 0, 0, 0x20); /* 0: 256 */
    for (int i = 0; i < 256; i++) {
        CHECK_EQ(settled(t, PRI), 0x58);
        for (int k = 0; k < 512; k += 4) {
            uint32_t val = inl(t, PRI);

            memcpy(buf + 512 * i + k, &val, 4);
        }
    }
    CHECK_EQ(inb(t, PRI + R_CMD), 0x50);
    check_sectors(buf, 0, 256);
    CHECK_EQ(r.blk[0]->stat[BLOCK_READ].ops - before, 1);
    rig_end(&r);
}

TEST(write_sectors)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    uint8_t buf[1024], back[1024];

    memset(buf, 0xa5, sizeof(buf));
    buf[1023] = 1;
    command(t, PRI, 0xe0, 10, 2, 0x30);
    CHECK_EQ(settled(t, PRI), 0x58);
    CHECK(!irq(t, 14)); /* the first block is polled for */
    pio_out(t, PRI, buf, 512);
    CHECK_EQ(settled(t, PRI), 0x58);
    CHECK(irq(t, 14));
    inb(t, PRI + R_CMD);
    pio_out(t, PRI, buf + 512, 512);
    CHECK_EQ(outcome(t), 0x50);
    medium_io(r.blk[0], BLOCK_READ, 5120, back, 1024);
    CHECK(!memcmp(buf, back, 1024));
    rig_end(&r);
}

TEST(multiple_mode)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    uint8_t buf[6 * 512], back[6 * 512];

    command(t, PRI, 0xe0, 0, 3, 0xc6); /* no power of two */
    CHECK_EQ(outcome(t), 0x51);
    command(t, PRI, 0xe0, 0, 1, 0xc4); /* and now it is off */
    CHECK_EQ(outcome(t), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x04);
    command(t, PRI, 0xe0, 0, 32, 0xc6);
    CHECK_EQ(outcome(t), 0x51);
    command(t, PRI, 0xe0, 0, 4, 0xc6);
    CHECK_EQ(outcome(t), 0x50);
    command(t, PRI, 0xe0, 2, 6, 0xc4);
    CHECK_EQ(settled(t, PRI), 0x58);
    inb(t, PRI + R_CMD);
    pio_in(t, PRI, buf, 4 * 512);
    CHECK_EQ(settled(t, PRI), 0x58);
    CHECK(irq(t, 14));
    pio_in(t, PRI, buf + 4 * 512, 2 * 512);
    CHECK_EQ(inb(t, PRI + R_CMD), 0x50);
    check_sectors(buf, 2, 6);
    for (unsigned i = 0; i < sizeof(buf); i++)
        buf[i] ^= 0xff;
    command(t, PRI, 0x40, 2, 6, 0x39);
    CHECK_EQ(settled(t, PRI), 0x58);
    pio_out(t, PRI, buf, 4 * 512);
    CHECK_EQ(settled(t, PRI), 0x58);
    pio_out(t, PRI, buf + 4 * 512, 2 * 512);
    CHECK_EQ(outcome(t), 0x50);
    medium_io(r.blk[0], BLOCK_READ, 1024, back, sizeof(back));
    CHECK(!memcmp(buf, back, sizeof(back)));
    rig_end(&r);
}

TEST(extended_addresses)
{
    struct rig r = { qt_new(), { NULL } };
    struct qt *t = r.t;
    uint8_t buf[512], want[512];

    rig_unit(&r, 0, false, 0x02000000); /* 16 GiB: lba bits 24 and up count */
    rig_go(&r);
    pattern(want, 77, 512);
    medium_io(r.blk[0], BLOCK_WRITE, 0x1234567ULL * 512, want, 512);
    command(t, PRI, 0x40, 0x1234567, 1, 0x24);
    CHECK_EQ(settled(t, PRI), 0x58);
    pio_in(t, PRI, buf, 512);
    CHECK(!memcmp(buf, want, 512));
    command(t, PRI, 0xe1, 0x234567, 1, 0x20); /* the same in 28 bits */
    CHECK_EQ(settled(t, PRI), 0x58);
    pio_in(t, PRI, buf, 512);
    CHECK(!memcmp(buf, want, 512));
    command(t, PRI, 0x40, 0x01ffffff, 2, 0x24); /* runs over the end */
    CHECK_EQ(outcome(t), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x14);
    CHECK_EQ(inb(t, PRI + R_LOW), 0);
    outb(t, CTL(PRI), 0x80);
    CHECK_EQ(inb(t, PRI + R_LOW), 2);               /* LBA 02000000 is the first that is not */
    command(t, PRI, 0x40, 0xffffffffffff, 0, 0x24); /* 65536 sectors at the very end */
    CHECK_EQ(outcome(t), 0x51);
    outb(t, PRI + R_CMD, 0x27); /* READ NATIVE MAX ADDRESS EXT */
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(inb(t, PRI + R_LOW), 0xff);
    outb(t, CTL(PRI), 0x80);
    CHECK_EQ(inb(t, PRI + R_LOW), 1);
    rig_end(&r);
}

TEST(cylinder_head_sector)
{
    struct rig r = rig_disk(4096);
    struct qt *t = r.t;
    uint8_t buf[512];

    command(t, PRI, 0xa3, 0x0102, 1, 0x20); /* head 3, cylinder 1, sector 2 */
    CHECK_EQ(settled(t, PRI), 0x58);
    pio_in(t, PRI, buf, 512);
    check_sectors(buf, (1 * 16 + 3) * 63 + 1, 1);
    command(t, PRI, 0xa3, 0x0100, 1, 0x20); /* there is no sector 0 */
    CHECK_EQ(outcome(t), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x14);
    command(t, PRI, 0xa7, 0, 17, 0x91); /* another translation: 8 heads, 17 sectors */
    CHECK_EQ(outcome(t), 0x50);
    command(t, PRI, 0xa3, 0x0102, 1, 0x20);
    CHECK_EQ(settled(t, PRI), 0x58);
    pio_in(t, PRI, buf, 512);
    check_sectors(buf, (1 * 8 + 3) * 17 + 1, 1);
    command(t, PRI, 0xa8, 0x0102, 1, 0x20); /* no head 8 */
    CHECK_EQ(outcome(t), 0x51);
    command(t, PRI, 0xa0, 0, 0, 0x91);
    CHECK_EQ(outcome(t), 0x51);
    command(t, PRI, 0xa3, 0x0102, 0, 0x70); /* SEEK */
    CHECK_EQ(outcome(t), 0x50);
    command(t, PRI, 0xaf, 0xffff02, 0, 0x7f);
    CHECK_EQ(outcome(t), 0x51);
    command(t, PRI, 0xa0, 0x010101, 0, 0x10); /* RECALIBRATE */
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(inb(t, PRI + R_MID), 0);
    rig_end(&r);
}

TEST(verify_native_max_and_power)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;

    command(t, PRI, 0xe0, 60, 4, 0x40);
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(inb(t, PRI + R_LOW), 63);
    command(t, PRI, 0x40, 60, 5, 0x42);
    CHECK_EQ(outcome(t), 0x51);
    CHECK_EQ(inb(t, PRI + R_LOW), 64);
    command(t, PRI, 0xe0, 0, 0, 0xf8);
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(inb(t, PRI + R_LOW), 63);
    for (unsigned old = 0; old < 2; old++) {
        static const uint8_t cmd[2][4] = { { 0xe5, 0xe0, 0xe1, 0xe6 }, { 0x98, 0x94, 0x95, 0x99 } };
        static const uint8_t mode[3] = { 0xff, 0x00, 0x80 };

        for (int i = 0; i < 3; i++) {
            uint8_t b[512];

            if (i) {
                outb(t, PRI + R_CMD, cmd[old][i]);
                CHECK_EQ(outcome(t), 0x50);
            }
            outb(t, PRI + R_CMD, cmd[old][0]);
            CHECK_EQ(outcome(t), 0x50);
            CHECK_EQ(inb(t, PRI + R_COUNT), mode[i]);
            command(t, PRI, 0xe0, 1, 1, 0x20); /* wakes it */
            CHECK_EQ(settled(t, PRI), 0x58);
            pio_in(t, PRI, b, 512);
        }
        outb(t, PRI + R_CMD, cmd[old][3]); /* SLEEP: then only a reset is heard */
        CHECK_EQ(outcome(t), 0x50);
        outb(t, PRI + R_CMD, cmd[old][0]);
        outb(t, PRI + R_CMD, 0x90);
        CHECK(!irq(t, 14));
        outb(t, CTL(PRI), 4);
        outb(t, CTL(PRI), 0);
        CHECK_EQ(inb(t, PRI + R_CMD), 0x50);
    }
    rig_end(&r);
}

static uint8_t feature(struct qt *t, uint8_t sub, uint8_t val)
{
    outb(t, PRI + R_FEAT, sub);
    command(t, PRI, 0xa0, 0, val, 0xef);
    return outcome(t);
}

TEST(set_features)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    uint8_t id[512];

    CHECK_EQ(feature(t, 0x03, 0x45), 0x50); /* UDMA 5 */
    identify(t, id);
    CHECK_EQ(word(id, 88), 0x203f);
    CHECK_EQ(word(id, 63), 0x0007);
    CHECK_EQ(feature(t, 0x03, 0x46), 0x51);
    CHECK_EQ(feature(t, 0x03, 0x22), 0x50); /* MDMA 2 */
    CHECK_EQ(feature(t, 0x03, 0x23), 0x51);
    CHECK_EQ(feature(t, 0x03, 0x0c), 0x50); /* PIO 4 */
    CHECK_EQ(feature(t, 0x03, 0x0d), 0x51);
    CHECK_EQ(feature(t, 0x03, 0x01), 0x50);
    CHECK_EQ(feature(t, 0x03, 0x10), 0x51); /* single-word DMA */
    CHECK_EQ(feature(t, 0x82, 0), 0x50);
    CHECK_EQ(feature(t, 0x55, 0), 0x50);
    identify(t, id);
    CHECK_EQ(word(id, 85) & 0x60, 0);
    CHECK_EQ(feature(t, 0x02, 0), 0x50);
    CHECK_EQ(feature(t, 0xaa, 0), 0x50);
    identify(t, id);
    CHECK_EQ(word(id, 85) & 0x60, 0x60);
    CHECK_EQ(feature(t, 0x66, 0), 0x50);
    CHECK_EQ(feature(t, 0xcc, 0), 0x50);
    CHECK_EQ(feature(t, 0x05, 0x80), 0x51); /* APM is not claimed */
    CHECK_EQ(feature(t, 0x10, 0x06), 0x51); /* a serial drive's */
    rig_end(&r);
}

static uint8_t smart(struct qt *t, uint8_t sub)
{
    outb(t, PRI + R_FEAT, sub);
    command(t, PRI, 0xa0, 0xc24f00, 1, 0xb0);
    return settled(t, PRI);
}

TEST(smart_says_the_disk_is_well)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    uint8_t page[512], sum;

    CHECK_EQ(smart(t, 0xda), 0x50);
    CHECK_EQ(inb(t, PRI + R_MID), 0x4f);
    CHECK_EQ(inb(t, PRI + R_HIGH), 0xc2);
    for (unsigned sub = 0xd0; sub <= 0xd1; sub++) {
        CHECK_EQ(smart(t, sub), 0x58);
        pio_in(t, PRI, page, 512);
        sum = 0;
        for (int i = 0; i < 512; i++)
            sum += page[i];
        CHECK_EQ(sum, 0);
        CHECK_EQ(page[2 + 12], 5);
    }
    CHECK_EQ(smart(t, 0xd9), 0x50);
    CHECK_EQ(smart(t, 0xd0), 0x51);
    CHECK_EQ(smart(t, 0xd8), 0x50);
    CHECK_EQ(smart(t, 0xd2), 0x50);
    CHECK_EQ(smart(t, 0xd4), 0x50);
    CHECK_EQ(smart(t, 0xd6), 0x51); /* logs are not written */
    rig_end(&r);
}

TEST(flushes_reach_the_medium)
{
    struct rig r = { qt_new(), { NULL } };
    struct qt *t = r.t;
    uint8_t buf[512] = { 1 };

    qt_no_reload(t, "requests are counted");
    rig_unit(&r, 0, false, 64);
    qt_config(t, "drive0.cache", "writethrough");
    rig_go(&r);
    command(t, PRI, 0xe0, 0, 0, 0xe7);
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(r.blk[0]->stat[BLOCK_FLUSH].ops, 1);
    command(t, PRI, 0x40, 0, 0, 0xea);
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(r.blk[0]->stat[BLOCK_FLUSH].ops, 2);
    command(t, PRI, 0xe0, 0, 1, 0x30);
    pio_out(t, PRI, buf, 512);
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(r.blk[0]->stat[BLOCK_FLUSH].ops, 3); /* before the command ended */
    CHECK_EQ(feature(t, 0x02, 0), 0x50);
    command(t, PRI, 0xe0, 0, 1, 0x30);
    pio_out(t, PRI, buf, 512);
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(r.blk[0]->stat[BLOCK_FLUSH].ops, 3);
    rig_end(&r);
}

TEST(a_bad_sector_is_named_after_the_good_ones)
{
    struct rig r = rig_disk(256);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;
    uint8_t buf[512];

    f->bad = 21 * 512;
    f->bad_len = 512;
    command(t, PRI, 0xe0, 16, 32, 0x20);
    for (int i = 16; i < 21; i++) {
        CHECK_EQ(settled(t, PRI), 0x58);
        pio_in(t, PRI, buf, 512);
        check_sectors(buf, i, 1);
        inb(t, PRI + R_CMD);
    }
    CHECK_EQ(outcome(t), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x40);
    CHECK_EQ(inb(t, PRI + R_LOW), 21);
    command(t, PRI, 0xe0, 21, 1, 0x30);
    pio_out(t, PRI, buf, 512);
    CHECK_EQ(outcome(t), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x04);
    CHECK_EQ(inb(t, PRI + R_LOW), 21);
    rig_end(&r);
}

TEST(a_read_only_disk_refuses_writes)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;

    r.blk[0]->readonly = true;
    command(t, PRI, 0xe0, 1, 1, 0x30);
    CHECK_EQ(outcome(t), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x44);
    command(t, PRI, 0x40, 1, 1, 0x35);
    CHECK_EQ(outcome(t), 0x51);
    rig_end(&r);
}

TEST(a_new_command_ends_one_that_waits_for_data)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    uint8_t buf[512], id[512];

    command(t, PRI, 0xe0, 1, 2, 0x20);
    CHECK_EQ(settled(t, PRI), 0x58);
    pio_in(t, PRI, buf, 100);
    identify(t, id);
    CHECK_EQ(word(id, 0), 0x0040);
    command(t, PRI, 0xe0, 1, 1, 0x30);
    pio_out(t, PRI, buf, 100);
    outb(t, CTL(PRI), 4);
    outb(t, CTL(PRI), 0);
    CHECK_EQ(inb(t, PRI + R_CMD), 0x50);
    medium_io(r.blk[0], BLOCK_READ, 512, buf, 512);
    check_sectors(buf, 1, 1); /* half a sector was never written */
    rig_end(&r);
}

TEST(two_disks_keep_apart)
{
    struct rig r = { qt_new(), { NULL } };
    struct qt *t = r.t;
    uint8_t buf[512], want[512];

    rig_unit(&r, 2, false, 64);
    rig_unit(&r, 3, false, 128);
    rig_go(&r);
    memset(want, 0x3c, 512);
    command(t, SEC, 0xf0, 100, 1, 0x30);
    pio_out(t, SEC, want, 512);
    CHECK_EQ(settled(t, SEC), 0x50);
    CHECK(irq(t, 15) && !irq(t, 14));
    medium_io(r.blk[3], BLOCK_READ, 51200, buf, 512);
    CHECK(!memcmp(buf, want, 512));
    command(t, SEC, 0xe0, 100, 1, 0x20); /* beyond unit 0 */
    CHECK_EQ(settled(t, SEC), 0x51);
    outb(t, SEC + R_DEV, 0xf0);
    CHECK_EQ(inb(t, CTL(SEC)), 0x50);
    rig_end(&r);
}
