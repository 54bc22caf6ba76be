/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CD drive: packet protocol, sense, reads, what it tells. MMC-3, SFF-8020i. */
#include "tests/unit/cd-util.h"

#define TABLE 0x10000
#define DATA  0x100000

TEST(identify_packet_device_and_refusals)
{
    struct rig r = rig_cd(16);
    struct qt *t = r.t;
    uint8_t id[512], sum = 0;

    outb(t, SEC + R_DEV, DEV);
    outb(t, SEC + R_CMD, 0xec); /* IDENTIFY DEVICE: the signature, and an abort */
    CHECK_EQ(inb(t, SEC + R_CMD), 0x51);
    CHECK_EQ(inb(t, SEC + R_FEAT), 0x04);
    CHECK_EQ(inb(t, SEC + R_MID), 0x14);
    CHECK_EQ(inb(t, SEC + R_HIGH), 0xeb);
    outb(t, SEC + R_CMD, 0xa1);
    CHECK_EQ(settled(t, SEC), 0x58);
    CHECK(irq(t, 15));
    inb(t, SEC + R_CMD);
    pio_in(t, SEC, id, 512);
    CHECK(!irq(t, 15));
    CHECK_EQ(inb(t, SEC + R_CMD), 0x50);
    for (int i = 0; i < 512; i++)
        sum += id[i];
    CHECK_EQ(sum, 0);
    CHECK_EQ(id[0] | id[1] << 8, 0x85c0);
    CHECK(!memcmp(id + 54, "OPTRCI OVD-DOR M", 16));
    for (unsigned cmd = 0; cmd < 256; cmd++) {
        static const uint8_t known[] = { 0x08, 0x90, 0xa0, 0xa1, 0xe0, 0xe1, 0xe5, 0xe6 };

        if (memchr(known, cmd, sizeof(known)))
            continue;
        outb(t, SEC + R_FEAT, 0);
        outb(t, SEC + R_CMD, cmd);
        CHECK_EQ(inb(t, SEC + R_CMD), 0x51);
        CHECK_EQ(inb(t, SEC + R_FEAT), 0x04);
    }
    outb(t, SEC + R_FEAT, 2); /* overlap */
    outb(t, SEC + R_CMD, 0xa0);
    CHECK_EQ(inb(t, SEC + R_CMD), 0x51);
    rig_end(&r);
}

TEST(device_reset_ends_a_packet)
{
    struct rig r = rig_cd(16);
    struct qt *t = r.t;

    outb(t, SEC + R_DEV, DEV);
    outb(t, SEC + R_FEAT, 0);
    outb(t, SEC + R_CMD, 0xa0);
    outw(t, SEC, 0x28);
    outb(t, SEC + R_CMD, 0x08);
    CHECK_EQ(inb(t, SEC + R_CMD), 0x00);
    CHECK_EQ(inb(t, SEC + R_HIGH), 0xeb);
    CHECK(!irq(t, 15));
    cd_awake(t);
    rig_end(&r);
}

TEST(attention_and_sense)
{
    struct rig r = rig_cd(16);
    struct qt *t = r.t;
    uint8_t inquiry[12] = { 0x12, 0, 0, 0, 36 }, bad[12] = { 0xff }, buf[64];

    CHECK_EQ(cd(t, inquiry, buf, sizeof(buf)), 36); /* not held up by the attention */
    CHECK_EQ(buf[0], 5);
    CHECK_EQ(buf[1], 0x80);
    CHECK(!memcmp(buf + 8, "PORTICO DVD-ROM         1.0 ", 28));
    cd_awake(t);
    CHECK_EQ(tur(t), 0);
    CHECK_EQ(inb(t, SEC + R_CMD), 0x50);
    CHECK_EQ(cd(t, bad, NULL, 0), -1);
    CHECK_EQ(inb(t, SEC + R_FEAT) >> 4, 5);
    CHECK_EQ(cd_sense(t), 0x052000);
    CHECK_EQ(cd_sense(t), 0); /* told once */
    CHECK_EQ(cd(t, bad, NULL, 0), -1);
    CHECK_EQ(tur(t), 0); /* the next command clears it as well */
    CHECK_EQ(cd_sense(t), 0);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(cd_sense(t), 0x062900); /* REQUEST SENSE takes an attention too */
    CHECK_EQ(tur(t), 0);
    rig_end(&r);
}

TEST(an_empty_drive)
{
    struct rig r = rig_cd(0);
    struct qt *t = r.t;
    uint8_t cap[12] = { 0x25 }, read[12] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 1 }, buf[128];
    uint8_t config[12] = { 0x46, 0, 0, 0, 0, 0, 0, 0, 128 };

    cd_awake(t);
    CHECK_EQ(tur(t), -1);
    CHECK_EQ(cd_sense(t), 0x023a01);
    CHECK_EQ(cd(t, cap, buf, sizeof(buf)), -1);
    CHECK_EQ(cd(t, read, buf, sizeof(buf)), -1);
    CHECK_EQ(cd_sense(t), 0x023a01);
    CHECK_EQ(cd(t, config, buf, sizeof(buf)), 76);
    CHECK_EQ(be16_at(buf + 6), 0); /* no current profile */
    for (int i = 0; i < 1000 && !t->reload; i++)
        CHECK_EQ(tur(t), -1);
    CHECK_EQ(guest_errors(t), 0); /* polling is no offence */
    rig_end(&r);
}

TEST(reading_by_pio_respects_the_byte_count_limit)
{
    static const uint16_t limit[] = { 2047, 0xffff, 0xfffe, 2048, 512, 2, 4096 };
    struct rig r = rig_cd(64);
    struct qt *t = r.t;
    uint8_t p[12] = { 0x28, 0, 0, 0, 0, 7, 0, 0, 6 };
    static uint8_t buf[6 * 2048];

    cd_awake(t);
    for (unsigned i = 0; i < (t->reload ? 1 : 7); i++) {
        unsigned got = 0, n, st;

        packet(t, SEC, DEV, p, limit[i], false);
        while ((st = settled(t, SEC)) & 8) {
            CHECK(irq(t, 15));
            inb(t, SEC + R_CMD);
            n = inb(t, SEC + R_MID) | inb(t, SEC + R_HIGH) << 8;
            CHECK(n && n <= limit[i] && got + n <= sizeof(buf));
            pio_in(t, SEC, buf + got, n);
            got += n;
        }
        CHECK(irq(t, 15)); /* and one for the status */
        CHECK_EQ(inb(t, SEC + R_CMD), 0x50);
        CHECK_EQ(got, sizeof(buf));
        for (int k = 0; k < 6; k++)
            check_block(buf + 2048 * k, 7 + k);
    }
    packet(t, SEC, DEV, p, 0, false); /* no room at all: aborted */
    CHECK_EQ(settled(t, SEC), 0x51);
    CHECK_EQ(inb(t, SEC + R_FEAT), 0x04);
    rig_end(&r);
}

TEST(reading_by_dma)
{
    struct rig r = rig_cd(200);
    struct qt *t = r.t;
    uint8_t p[12] = { 0xa8, 0, 0, 0, 0, 3, 0, 0, 0, 150 }, raw[12] = { 0xbe, 0, 0, 0, 0, 5 };

    cd_awake(t);
    for (unsigned i = 0; i < 5; i++)
        prd(t, TABLE, i, DATA + 65536 * i, i == 4 ? 150 * 2048 - 4 * 65536 : 0, i == 4);
    packet(t, SEC, DEV, p, 0, true);
    CHECK_EQ(inb(t, CTL(SEC)) & 0x80, 0x80);
    bm_start(t, 1, TABLE, true);
    CHECK_EQ(settled(t, SEC), 0x50);
    CHECK(irq(t, 15));
    CHECK_EQ(inb(t, BM_BASE + 10) & 7, 4);
    for (unsigned i = 0; i < 150; i++)
        check_block(t->ram + DATA + 2048 * i, 3 + i);
    raw[8] = 3;
    raw[9] = 0xf8;
    memset(t->ram + DATA, 0, 3 * 2352);
    prd(t, TABLE, 0, DATA, 3 * 2352, true);
    packet(t, SEC, DEV, raw, 0, true);
    bm_start(t, 1, TABLE, true);
    CHECK_EQ(settled(t, SEC), 0x50);
    check_block(t->ram + DATA + 2 * 2352 + 16, 7);
    /* A reply that is no data of the disc goes the same way. */
    prd(t, TABLE, 0, DATA, 8, true);
    packet(t, SEC, DEV, (uint8_t[12]){ 0x25 }, 0, true);
    bm_start(t, 1, TABLE, true);
    CHECK_EQ(settled(t, SEC), 0x50);
    CHECK_EQ(be32_at(t->ram + DATA), 199);
    CHECK_EQ(inb(t, SEC + R_COUNT) & 3, 3);
    rig_end(&r);
}

TEST(dma_that_goes_wrong)
{
    struct rig r = rig_cd(32);
    struct qt *t = r.t;
    uint8_t p[12] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 4 };

    cd_awake(t);
    prd(t, TABLE, 0, DATA, 4096, true); /* short */
    packet(t, SEC, DEV, p, 0, true);
    bm_start(t, 1, TABLE, true);
    inb(t, SEC + R_CMD);
    settled(t, SEC);
    CHECK(!irq(t, 15));
    CHECK_EQ(inb(t, BM_BASE + 10) & 7, 0);
    prd(t, TABLE, 0, 0xf0000000, 8192, true); /* no RAM */
    packet(t, SEC, DEV, p, 0, true);
    bm_start(t, 1, TABLE, true);
    CHECK_EQ(settled(t, SEC), 0x51);
    CHECK_EQ(inb(t, BM_BASE + 10) & 7, 6);
    CHECK_EQ(cd_sense(t), 0x0b4b00);
    rig_end(&r);
}

TEST(bounds_and_bad_blocks)
{
    struct rig r = rig_cd(32);
    struct qt *t = r.t;
    struct fault *f = r.blk[2]->priv;
    uint8_t p[12] = { 0x28, 0, 0, 0, 0, 31, 0, 0, 2 }, buf[8192];

    cd_awake(t);
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), -1);
    CHECK_EQ(cd_sense(t), 0x052100);
    p[8] = 0; /* nothing: fine */
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), 0);
    p[8] = 1;
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), 2048);
    check_block(buf, 31);
    memset(p + 2, 0xff, 7);
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), -1);
    CHECK_EQ(cd_sense(t), 0x052100);
    f->bad = 10 * 2048;
    f->bad_len = 1;
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x28, 0, 0, 0, 0, 10, 0, 0, 1 }, buf, sizeof(buf)), -1);
    CHECK_EQ(cd_sense(t), 0x031100);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x2b, 0, 0, 0, 0, 31 }, NULL, 0), 0); /* SEEK */
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x2b, 0, 0, 0, 0, 32 }, NULL, 0), -1);
    rig_end(&r);
}

TEST(an_image_that_ends_within_a_block)
{
    struct rig r = { qt_new(), { NULL } };
    struct qt *t = r.t;
    uint8_t buf[2048], ones[512];

    r.blk[0] = block_open_mem(t->plat.loop, 2 * 2048 + 512);
    memset(ones, 0xff, 512);
    medium_io(r.blk[0], BLOCK_WRITE, 4096, ones, 512);
    qt_config(t, "drive0.kind", "cdrom");
    qt_config_obj(t, "drive0", r.blk[0]);
    rig_go(&r);
    CHECK_EQ(sense(t, PRI, DEV), 0);
    CHECK_EQ(packet_in(t, PRI, DEV, (uint8_t[12]){ 0x25 }, buf, 8), 8);
    CHECK_EQ(be32_at(buf), 2);
    CHECK_EQ(packet_in(t, PRI, DEV, (uint8_t[12]){ 0x28, 0, 0, 0, 0, 2, 0, 0, 1 }, buf, 2048),
             2048);
    CHECK(buf[0] == 0xff && buf[511] == 0xff && buf[512] == 0 && buf[2047] == 0);
    rig_end(&r);
}

TEST(table_of_contents)
{
    struct rig r = rig_cd(5000);
    struct qt *t = r.t;
    uint8_t p[12] = { 0x43, 0, 0, 0, 0, 0, 0, 0, 64 }, buf[64];

    cd_awake(t);
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), 20);
    CHECK_EQ(be16_at(buf), 18);
    CHECK(buf[2] == 1 && buf[3] == 1 && buf[5] == 0x14 && buf[6] == 1 && buf[14] == 0xaa);
    CHECK_EQ(be32_at(buf + 8), 0);
    CHECK_EQ(be32_at(buf + 16), 5000);
    p[1] = 2; /* MSF: 5150 frames are 01:08:50 */
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), 20);
    CHECK(buf[17] == 1 && buf[18] == 8 && buf[19] == 50 && buf[9] == 0 && buf[10] == 2);
    p[6] = 0xaa;
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), 12);
    p[6] = 2;
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), -1);
    CHECK_EQ(cd_sense(t), 0x052400);
    p[6] = 0;
    p[2] = 1;
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), 12);
    p[2] = 0;
    p[9] = 0x40; /* the same, as SFF-8020i says it */
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), 12);
    p[2] = 2;
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), 48);
    CHECK(buf[7] == 0xa0 && buf[18] == 0xa1 && buf[29] == 0xa2 && buf[40] == 1);
    CHECK(buf[34] == 1 && buf[35] == 8 && buf[36] == 50);
    p[8] = 4; /* cut to the allocation */
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), 4);
    CHECK_EQ(be16_at(buf), 46);
    p[2] = 5; /* CD-TEXT: there is none */
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), 4);
    CHECK_EQ(be16_at(buf), 2);
    for (p[2] = 3; p[2] < 16; p[2] = p[2] == 4 ? 6 : p[2] + 1) {
        CHECK_EQ(cd(t, p, buf, sizeof(buf)), -1);
        CHECK_EQ(cd_sense(t), 0x052400);
    }
    rig_end(&r);
}

TEST(what_the_disc_is)
{
    struct rig r = rig_cd(5000);
    struct qt *t = r.t;
    uint8_t buf[64];

    cd_awake(t);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x25 }, buf, 64), 8);
    CHECK(be32_at(buf) == 4999 && be32_at(buf + 4) == 2048);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x51, 0, 0, 0, 0, 0, 0, 0, 64 }, buf, 64), 34);
    CHECK(buf[2] == 0x0e && buf[3] == 1 && buf[6] == 1);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x51, 1, 0, 0, 0, 0, 0, 0, 64 }, buf, 64), -1);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x52, 1, 0, 0, 0, 1, 0, 0, 64 }, buf, 64), 36);
    CHECK_EQ(be32_at(buf + 24), 5000);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x52, 1, 0, 0, 0, 2, 0, 0, 64 }, buf, 64), -1);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x52, 0, 0, 0, 0x13, 0x88, 0, 0, 64 }, buf, 64), -1);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0xad, 0, 0, 0, 0, 0, 0, 0, 0, 64 }, buf, 64), -1);
    CHECK_EQ(cd_sense(t), 0x053002); /* no DVD */
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x42, 2, 0x40, 1, 0, 0, 0, 0, 64 }, buf, 64), 16);
    CHECK(buf[1] == 0x15 && buf[3] == 12 && buf[4] == 1);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x42, 0, 0x40, 2, 0, 0, 0, 0, 64 }, buf, 64), 24);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x42, 0, 0x40, 4, 0, 0, 0, 0, 64 }, buf, 64), -1);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x42, 0, 0, 0, 0, 0, 0, 0, 64 }, buf, 64), 4);
    rig_end(&r);
}

TEST(a_large_image_is_a_dvd)
{
    struct rig r = rig_cd(360001);
    struct qt *t = r.t;
    static uint8_t buf[4096];

    cd_awake(t);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0xad, 0, 0, 0, 0, 0, 0, 0, 16, 0 }, buf, 4096), 2052);
    CHECK(be16_at(buf) == 2050 && buf[4] == 0x01);
    CHECK_EQ(be32_at(buf + 12), 0x30000 + 360000);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0xad, 0, 0, 0, 0, 0, 0, 1, 16, 0 }, buf, 4096), 8);
    CHECK(be16_at(buf) == 6 && be32_at(buf + 4) == 0); /* no protection, every region */
    CHECK_EQ(cd(t, (uint8_t[12]){ 0xad, 0, 0, 0, 0, 0, 0, 4, 16, 0 }, buf, 4096), 2052);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0xad, 0, 0, 0, 0, 0, 0, 0xff, 16, 0 }, buf, 4096), 20);
    CHECK(buf[4] == 0 && be16_at(buf + 6) == 2052 && buf[16] == 0xff && be16_at(buf + 18) == 20);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0xad, 0, 0, 0, 0, 0, 0, 3, 16, 0 }, buf, 4096), -1);
    CHECK_EQ(cd_sense(t), 0x052400); /* no burst cutting area */
    CHECK_EQ(cd(t, (uint8_t[12]){ 0xad, 0, 0, 0, 0, 0, 1, 0, 16, 0 }, buf, 4096), -1); /* layer 1 */
    CHECK_EQ(cd(t, (uint8_t[12]){ 0xa4, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0x08 }, buf, 4096), 8);
    CHECK(be16_at(buf) == 6 && be32_at(buf + 4) == 0);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0xa4, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0x04 }, buf, 4096), -1);
    CHECK_EQ(cd_sense(t), 0x056f01);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x46, 0, 0, 0, 0, 0, 0, 0, 255 }, buf, 255), 76);
    CHECK_EQ(be16_at(buf + 6), 0x0010);
    rig_end(&r);
}

TEST(configuration_features)
{
    struct rig r = rig_cd(64);
    struct qt *t = r.t;
    uint8_t buf[255], p[12] = { 0x46, 0, 0, 0, 0, 0, 0, 0, 255 };
    unsigned n = 0;
    int len;

    CHECK((len = cd(t, p, buf, 255)) > 8); /* answers before the attention is taken */
    CHECK_EQ(be32_at(buf), len - 4);
    CHECK_EQ(be16_at(buf + 6), 0x0008);
    for (int at = 8; at < len; at += 4 + buf[at + 3])
        n++;
    CHECK_EQ(n, 7);
    p[1] = 1; /* current ones: no DVD read */
    CHECK_EQ(cd(t, p, buf, 255), len - 8);
    p[1] = 2;
    p[3] = 0x1e;
    CHECK_EQ(cd(t, p, buf, 255), 16);
    CHECK(buf[9] == 0x1e && (buf[10] & 1));
    p[3] = 0x99;
    CHECK_EQ(cd(t, p, buf, 255), 8);
    p[1] = 3;
    CHECK_EQ(cd(t, p, buf, 255), -1);
    rig_end(&r);
}

TEST(inquiry_pages)
{
    struct rig r = rig_cd(64);
    struct qt *t = r.t;
    uint8_t buf[64];

    CHECK_EQ(cd(t, (uint8_t[12]){ 0x12, 1, 0x00, 0, 64 }, buf, 64), 7);
    CHECK(buf[5] == 0x80 && buf[6] == 0x83);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x12, 1, 0x80, 0, 64 }, buf, 64), 24);
    CHECK(!memcmp(buf + 4, "PT00003 ", 8));
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x12, 1, 0x83, 0, 64 }, buf, 64), 28);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x12, 1, 0x84, 0, 64 }, buf, 64), -1);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x12, 0, 0x80, 0, 64 }, buf, 64), -1);
    CHECK_EQ(cd_sense(t), 0x052400);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x12, 0, 0, 0, 5 }, buf, 64), 5); /* odd, and cut */
    rig_end(&r);
}

static void select_pages(struct qt *t, const uint8_t *p, const uint8_t *data, size_t len, bool dma)
{
    if (dma) {
        memcpy(t->ram + DATA, data, len);
        prd(t, TABLE, 0, DATA, len, true);
        packet(t, SEC, DEV, p, 0, true);
        bm_start(t, 1, TABLE, false);
        return;
    }
    packet(t, SEC, DEV, p, 0xfffe, false);
    CHECK_EQ(settled(t, SEC) & 0x89, 0x08);
    CHECK_EQ(inb(t, SEC + R_COUNT) & 3, 0);
    CHECK_EQ(inb(t, SEC + R_MID), len);
    pio_out(t, SEC, data, len);
}

TEST(mode_pages)
{
    struct rig r = rig_cd(64);
    struct qt *t = r.t;
    uint8_t buf[128], sense10[12] = { 0x5a, 0, 0x01, 0, 0, 0, 0, 0, 128 };
    uint8_t sel10[12] = { 0x55, 0x10, 0, 0, 0, 0, 0, 0, 16 };
    uint8_t data[16] = { [8] = 0x01, 6, 0x00, 0x77 };

    cd_awake(t);
    CHECK_EQ(cd(t, sense10, buf, 128), 16);
    CHECK(be16_at(buf) == 14 && buf[2] == 1 && buf[8] == 1 && buf[9] == 6 && buf[11] == 5);
    for (int dma = 0; dma < 2; dma++) {
        data[11] = 0x77 + dma;
        select_pages(t, sel10, data, 16, dma);
        CHECK_EQ(settled(t, SEC), 0x50);
        CHECK_EQ(cd(t, sense10, buf, 128), 16);
        CHECK_EQ(buf[11], 0x77 + dma);
    }
    sense10[2] = 0x81; /* default */
    CHECK_EQ(cd(t, sense10, buf, 128), 16);
    CHECK_EQ(buf[11], 5);
    sense10[2] = 0xc1;
    CHECK_EQ(cd(t, sense10, buf, 128), -1);
    CHECK_EQ(cd_sense(t), 0x053900);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x1a, 0, 0x3f, 0, 128 }, buf, 128), 4 + 8 + 8 + 16 + 12 + 20);
    CHECK_EQ(buf[0], 67);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x1a, 0, 0x2a, 0, 128 }, buf, 128), 24);
    CHECK_EQ(buf[4 + 6] & 0x2b, 0x29);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x1a, 0, 0x05, 0, 128 }, buf, 128), -1);
    data[8] = 0x05; /* a page there is not */
    select_pages(t, sel10, data, 16, false);
    CHECK_EQ(settled(t, SEC), 0x51);
    CHECK_EQ(cd_sense(t), 0x052600);
    data[8] = 0x01;
    data[9] = 7; /* longer than the list */
    select_pages(t, sel10, data, 16, false);
    CHECK_EQ(settled(t, SEC), 0x51);
    CHECK_EQ(cd_sense(t), 0x051a00);
    data[7] = 0xff; /* a block descriptor that long */
    select_pages(t, sel10, data, 16, false);
    CHECK_EQ(settled(t, SEC), 0x51);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x55, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, buf, 128), -1);
    CHECK_EQ(cd_sense(t), 0x051a00);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x15 }, buf, 128), 0);
    rig_end(&r);
}

TEST(speed_buffer_and_audio)
{
    struct rig r = rig_cd(64);
    struct qt *t = r.t;
    uint8_t buf[64], page[12] = { 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 64 };

    cd_awake(t);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0xbb, 0, 0x02, 0xc2, 0xff, 0xff }, NULL, 0), 0); /* 4 times */
    CHECK_EQ(cd(t, page, buf, 64), 28);
    CHECK_EQ(be16_at(buf + 8 + 14), 706);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0xbb, 0, 0xff, 0xff }, NULL, 0), 0);
    CHECK_EQ(cd(t, page, buf, 64), 28);
    CHECK_EQ(be16_at(buf + 8 + 14), be16_at(buf + 8 + 8)); /* the fastest */
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x5c, 0, 0, 0, 0, 0, 0, 0, 12 }, buf, 64), 12);
    CHECK(be16_at(buf) == 10 && be32_at(buf + 4) == 512 * 1024);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x45, 0, 0, 0, 0, 1, 0, 0, 1 }, buf, 64), -1);
    CHECK_EQ(cd_sense(t), 0x056400);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x4b }, buf, 64), -1);
    CHECK_EQ(cd_sense(t), 0x052c00);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x4e }, buf, 64), 0);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0xa4, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0x08 }, buf, 64), -1);
    CHECK_EQ(cd_sense(t), 0x053002); /* a CD has no keys */
    rig_end(&r);
}
