/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every opcode against the command tables of ATA/ATAPI-7 (volume 1, annex E), and the commands of
 * the optional feature sets: TRIM, FUA, host protected area, buffers, SMART's logs, power timers.
 */
#include "tests/unit/ide-util.h"

#define TABLE 0x10000
#define DATA  0x100000

/*
 * One letter an opcode, for a disk and a CD drive: . aborted; o done without data; i data in by
 * PIO; w data out by PIO; d DMA, busy until the bus master starts; r no interrupt (DEVICE RESET);
 * p a packet is asked for; f flushes or verifies, then done. SMART and SET FEATURES want a key.
 */
static const char *const disk_table[16] = {
    /* 0123456789abcdef */
    "................", /* 0: NOP; CFA; 06 TRIM, without the feature's key */
    "oooooooooooooooo", /* 1: RECALIBRATE */
    "ii..id.o.i......", /* 2: READ SECTOR(S), LONG, EXT, DMA EXT, NATIVE MAX EXT, MULTIPLE EXT */
    "ww..wd...w...d..", /* 3: WRITE SECTOR(S), LONG, EXT, DMA EXT, SET MAX, MULTIPLE, FUA EXT */
    "fff.............", /* 4: READ VERIFY */
    "................", /* 5 */
    "................", /* 6 */
    "oooooooooooooooo", /* 7: SEEK */
    "................", /* 8 */
    "oo..fofoof......", /* 9: DIAGNOSTIC, INIT PARAMETERS, DOWNLOAD MICROCODE, old power */
    "................", /* a: PACKET and its IDENTIFY are no disk's */
    "................", /* b: SMART without the key, CONFIGURATION */
    "....iwo.dddd..w.", /* c: MULTIPLE, SET MULTIPLE, DMA, queued DMA, MULTIPLE FUA */
    "................", /* d: media card, removable */
    "fofoioffw.f.i...", /* e: power, READ BUFFER, FLUSH, WRITE BUFFER, IDENTIFY, SET FEATURES */
    "........o.......", /* f: security; READ NATIVE MAX, SET MAX without it */
};
static const char *const cd_table[16] = {
    "........r.......", "................", "................", "................",
    "................", "................", "................", "................",
    "................", "o...............", "pi..............", "................",
    "................", "................", "oo...oo.........", "................",
};

static void spin_up(struct qt *t)
{
    outb(t, CTL(PRI), 4);
    outb(t, CTL(PRI), 0);
    for (int i = 0; i < 50 && (inb(t, CTL(PRI)) & 0x80); i++)
        loop_step(t);
}

static char kind_of(struct qt *t)
{
    uint8_t st = inb(t, CTL(PRI));

    if ((st & 0x80) && !irq(t, 14)) {
        loop_step(t);
        st = inb(t, CTL(PRI));
        if (st & 0x80)
            return 'd';
        if (!(st & 0x08)) {
            CHECK(irq(t, 14));
            return st & 1 ? 'e' : 'f';
        }
    }
    if ((st & 0x09) == 0x08 && irq(t, 14))
        return 'i';
    if ((st & 0x09) == 0x08)
        return 'w';
    if (!irq(t, 14))
        return 'r';
    if (!(st & 1))
        return 'o';
    CHECK_EQ(inb(t, PRI + R_FEAT) & 0x04, 0x04);
    return '.';
}

TEST(every_opcode_of_a_disk)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;

    qt_no_reload(t, "256 commands, and who is busy when is looked at");
    for (unsigned cmd = 0; cmd < 256; cmd++) {
        char want = disk_table[cmd >> 4][cmd & 15], got;

        spin_up(t);
        command(t, PRI, 0xe0, 1, 1, cmd);
        got = kind_of(t);
        if (got != want)
            fprintf(stderr, "opcode %02x: %c instead of %c\n", cmd, got, want);
        CHECK(got == want);
    }
    rig_end(&r);
}

TEST(every_opcode_of_a_cd_drive)
{
    struct rig r = { qt_new(), { NULL } };
    struct qt *t = r.t;

    qt_no_reload(t, "256 commands, and who is busy when is looked at");
    rig_unit(&r, 0, true, 16);
    rig_go(&r);
    for (unsigned cmd = 0; cmd < 256; cmd++) {
        char want = cd_table[cmd >> 4][cmd & 15], got;

        spin_up(t);
        command(t, PRI, 0xe0, 1, 1, cmd);
        got = kind_of(t);
        if (got == 'w' && cmd == 0xa0)
            got = 'p';
        if (got != want)
            fprintf(stderr, "opcode %02x: %c instead of %c\n", cmd, got, want);
        CHECK(got == want);
    }
    rig_end(&r);
}

static uint16_t word(const uint8_t *id, unsigned n)
{
    return id[2 * n] | id[2 * n + 1] << 8;
}

static void identify(struct qt *t, uint8_t *id)
{
    command(t, PRI, 0xa0, 0, 0, 0xec);
    CHECK_EQ(settled(t, PRI), 0x58);
    inb(t, PRI + R_CMD);
    pio_in(t, PRI, id, 512);
}

static uint8_t outcome(struct qt *t)
{
    settled(t, PRI);
    CHECK(irq(t, 14));
    return inb(t, PRI + R_CMD);
}

/* ---- TRIM ---- */

static uint8_t trim(struct qt *t, unsigned blocks)
{
    prd(t, TABLE, 0, DATA, 512 * blocks, true);
    outb(t, PRI + R_FEAT, 0);
    outb(t, PRI + R_FEAT, 1);
    outb(t, PRI + R_DEV, 0x40);
    outb(t, PRI + R_COUNT, blocks >> 8);
    outb(t, PRI + R_COUNT, blocks);
    outb(t, PRI + R_CMD, 0x06);
    bm_start(t, 0, TABLE, false);
    return outcome(t);
}

static void range(struct qt *t, unsigned i, uint64_t lba, uint16_t count)
{
    put64(t, DATA + 8 * i, lba | (uint64_t)count << 48);
}

static struct rig rig_trim(void)
{
    struct rig r = { qt_new(), { NULL } };

    rig_unit(&r, 0, false, 8192);
    r.blk[0]->discard = true;
    rig_go(&r);
    return r;
}

TEST(trim_reaches_the_medium_in_as_few_requests_as_can_be)
{
    struct rig r = rig_trim();
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;
    uint8_t id[512];

    identify(t, id);
    CHECK_EQ(word(id, 169), 1);
    CHECK_EQ(word(id, 105), 16);
    CHECK_EQ(word(id, 69), 0x4000);
    qt_no_reload(t, "requests are counted");
    range(t, 0, 100, 50);
    range(t, 1, 150, 1000); /* goes on where the one before ends */
    range(t, 3, 8000, 192); /* [2] is empty */
    range(t, 100, 7, 1);
    CHECK_EQ(trim(t, 2), 0x50);
    CHECK_EQ(f->ndiscards, 3);
    CHECK(f->discards[0][0] == 100 * 512 && f->discards[0][1] == 1050 * 512);
    CHECK(f->discards[1][0] == 8000 * 512 && f->discards[1][1] == 192 * 512);
    CHECK(f->discards[2][0] == 7 * 512 && f->discards[2][1] == 512);
    memset(t->ram + DATA, 0, 1024);
    CHECK_EQ(trim(t, 1), 0x50); /* nothing at all */
    rig_end(&r);
}

TEST(trim_survives_a_save_in_the_middle)
{
    struct rig r = rig_trim();
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;
    uint8_t buf[512];

    for (unsigned i = 0; i < 64; i++)
        range(t, i, 10 * i, 3);
    CHECK_EQ(trim(t, 1), 0x50);
    CHECK(f->ndiscards >= 64);
    for (unsigned i = 0; i < 64; i++) {
        medium_io(r.blk[0], BLOCK_READ, (10 * i + 2) * 512, buf, 512);
        CHECK_EQ(buf[0], 0);
        medium_io(r.blk[0], BLOCK_READ, (10 * i + 3) * 512, buf, 512);
        CHECK_EQ(buf[0], (10 * i + 3) & 0xff);
    }
    rig_end(&r);
}

TEST(trims_that_cannot_be)
{
    struct rig r = rig_trim();
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    range(t, 0, 100, 1);
    range(t, 1, 8190, 3); /* beyond the end */
    CHECK_EQ(trim(t, 1), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x14);
    CHECK_EQ(f->ndiscards, 0); /* and nothing of the list */
    CHECK_EQ(trim(t, 0), 0x51);
    CHECK_EQ(trim(t, 17), 0x51);
    range(t, 1, 0xffffffffffff, 0xffff);
    CHECK_EQ(trim(t, 1), 0x51);
    range(t, 1, 200, 1);
    f->bad_discard = true;
    f->err = EOPNOTSUPP; /* advice that the host does not take is no error */
    CHECK_EQ(trim(t, 1), 0x50);
    f->err = EIO;
    CHECK_EQ(trim(t, 1), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x04);
    outb(t, PRI + R_FEAT, 0); /* no TRIM bit */
    command(t, PRI, 0x40, 0, 1, 0x06);
    CHECK_EQ(outcome(t), 0x51);
    rig_end(&r);
}

/* ---- FUA, buffers, verify ---- */

TEST(fua_writes_are_flushed_with_the_cache_on)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    uint8_t buf[512] = { 7 };
    uint64_t flushes = r.blk[0]->stat[BLOCK_FLUSH].ops;

    qt_no_reload(t, "requests are counted");
    prd(t, TABLE, 0, DATA, 512, true);
    command(t, PRI, 0x40, 3, 1, 0x3d);
    bm_start(t, 0, TABLE, false);
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(r.blk[0]->stat[BLOCK_FLUSH].ops, flushes + 1);
    outb(t, PRI + R_DEV, 0x40);
    command(t, PRI, 0x40, 3, 1, 0xce);
    pio_out(t, PRI, buf, 512);
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(r.blk[0]->stat[BLOCK_FLUSH].ops, flushes + 2);
    rig_end(&r);
}

TEST(the_buffer_keeps_a_sector)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    uint8_t in[512], out[512];

    pattern(out, 77, 512);
    command(t, PRI, 0xa0, 0, 0, 0xe8);
    pio_out(t, PRI, out, 512);
    CHECK_EQ(outcome(t), 0x50);
    command(t, PRI, 0xa0, 0, 0, 0xe4);
    CHECK_EQ(settled(t, PRI), 0x58);
    pio_in(t, PRI, in, 512);
    CHECK(!memcmp(in, out, 512));
    rig_end(&r);
}

TEST(verify_finds_a_bad_sector)
{
    struct rig r = rig_disk(512);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    command(t, PRI, 0xe0, 0, 0, 0x40); /* 256 sectors */
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(inb(t, PRI + R_LOW), 255);
    f->bad = 300 * 512;
    f->bad_len = 512;
    command(t, PRI, 0x40, 290, 20, 0x42);
    CHECK_EQ(outcome(t), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x40);
    CHECK_EQ(inb(t, PRI + R_LOW) | inb(t, PRI + R_MID) << 8, 300);
    rig_end(&r);
}

/* ---- host protected area ---- */

TEST(a_host_protected_area)
{
    struct rig r = rig_disk(1000);
    struct qt *t = r.t;
    uint8_t id[512];

    command(t, PRI, 0xe0, 499, 0, 0xf9); /* not after READ NATIVE MAX */
    CHECK_EQ(outcome(t), 0x51);
    command(t, PRI, 0xe0, 0, 0, 0xf8);
    CHECK_EQ(outcome(t), 0x50);
    command(t, PRI, 0xe0, 499, 1, 0xf9); /* for ever: there is nowhere to keep it */
    CHECK_EQ(outcome(t), 0x51);
    command(t, PRI, 0xe0, 0, 0, 0xf8);
    CHECK_EQ(outcome(t), 0x50);
    command(t, PRI, 0xe0, 499, 0, 0xf9);
    CHECK_EQ(outcome(t), 0x50);
    identify(t, id);
    CHECK_EQ(word(id, 60), 500);
    CHECK_EQ(word(id, 100), 500);
    command(t, PRI, 0xe0, 500, 1, 0x40);
    CHECK_EQ(outcome(t), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x14);
    command(t, PRI, 0x40, 0, 0, 0x27);
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(inb(t, PRI + R_LOW) | inb(t, PRI + R_MID) << 8, 999);
    command(t, PRI, 0x40, 1000, 0, 0x37);
    CHECK_EQ(outcome(t), 0x51);
    command(t, PRI, 0x40, 0, 0, 0x27);
    CHECK_EQ(outcome(t), 0x50);
    command(t, PRI, 0x40, 999, 0, 0x37);
    CHECK_EQ(outcome(t), 0x50);
    command(t, PRI, 0xe0, 999, 1, 0x40);
    CHECK_EQ(outcome(t), 0x50);
    rig_end(&r);
}

/* ---- SMART's logs, timers, configuration ---- */

static uint8_t smart(struct qt *t, uint8_t feature, uint8_t low)
{
    outb(t, PRI + R_FEAT, feature);
    command(t, PRI, 0xa0, 0xc24f00 | low, 1, 0xb0);
    return settled(t, PRI);
}

TEST(logs_of_errors_and_self_tests)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;
    uint8_t page[512], sum = 0;

    CHECK_EQ(smart(t, 0xd5, 0), 0x58);
    pio_in(t, PRI, page, 512);
    CHECK(page[0] == 1 && page[2] == 1 && page[12] == 1);
    CHECK_EQ(smart(t, 0xd5, 1), 0x58);
    pio_in(t, PRI, page, 512);
    CHECK(page[1] == 0 && page[452] == 0);
    f->bad = 33 * 512;
    f->bad_len = 512;
    for (int i = 0; i < 7; i++) {
        command(t, PRI, 0xe0, 33, 1, 0x20);
        CHECK_EQ(outcome(t), 0x51);
    }
    CHECK_EQ(smart(t, 0xd5, 1), 0x58);
    pio_in(t, PRI, page, 512);
    for (int i = 0; i < 512; i++)
        sum += page[i];
    CHECK_EQ(sum, 0);
    CHECK_EQ(page[1], 2); /* the seventh is in the second place */
    CHECK_EQ(page[452], 7);
    CHECK_EQ(page[2 + 90 + 48 + 7], 0x20); /* the command */
    CHECK_EQ(page[2 + 90 + 60 + 1], 0x40); /* UNC */
    CHECK_EQ(page[2 + 90 + 60 + 3], 33);   /* where */
    CHECK_EQ(smart(t, 0xd4, 2), 0x50);
    CHECK_EQ(smart(t, 0xd4, 0x81), 0x50);
    CHECK_EQ(smart(t, 0xd4, 0x40), 0x51);
    CHECK_EQ(smart(t, 0xd5, 6), 0x58);
    pio_in(t, PRI, page, 512);
    CHECK(page[508] == 2 && page[2] == 2 && page[26] == 0x81);
    CHECK_EQ(smart(t, 0xd5, 9), 0x51);
    rig_end(&r);
}

TEST(the_standby_timer)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;

    command(t, PRI, 0xe0, 0, 12, 0xe3); /* IDLE, a minute */
    CHECK_EQ(outcome(t), 0x50);
    command(t, PRI, 0xe0, 1, 1, 0x40);
    CHECK_EQ(outcome(t), 0x50);
    clock_step(t, 59 * NS_PER_S);
    outb(t, PRI + R_CMD, 0xe5);
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(inb(t, PRI + R_COUNT), 0xff);
    clock_step(t, 2 * NS_PER_S);
    outb(t, PRI + R_CMD, 0xe5);
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(inb(t, PRI + R_COUNT), 0x00);
    command(t, PRI, 0xe0, 1, 1, 0x40);
    CHECK_EQ(outcome(t), 0x50);
    outb(t, PRI + R_CMD, 0xe5);
    CHECK_EQ(outcome(t), 0x50);
    CHECK_EQ(inb(t, PRI + R_COUNT), 0xff);
    rig_end(&r);
}

TEST(what_the_configuration_says)
{
    struct rig r = { qt_new(), { NULL } };
    struct qt *t = r.t;
    uint8_t id[512];

    qt_config(t, "drive0.cyls", "1024");
    qt_config(t, "drive0.heads", "4");
    qt_config(t, "drive0.secs", "17");
    qt_config(t, "drive0.wwn", "0x5000c50012345678");
    qt_config(t, "drive0.ver", "7.2");
    qt_config(t, "drive0.model", "MYDISK");
    rig_unit(&r, 0, false, 69632);
    rig_go(&r);
    identify(t, id);
    CHECK(word(id, 1) == 1024 && word(id, 3) == 4 && word(id, 6) == 17);
    CHECK(word(id, 54) == 1024 && word(id, 55) == 4 && word(id, 56) == 17);
    CHECK_EQ(word(id, 108), 0x5000);
    CHECK_EQ(word(id, 111), 0x5678);
    CHECK_EQ(word(id, 84) & 0xc100, 0x4100);
    CHECK(!memcmp(id + 46, ".7 2", 4) && !memcmp(id + 54, "YMIDKS", 6));
    command(t, PRI, 0xa3, 1023 << 8 | 17, 1, 0x40); /* the last sector by its old name */
    CHECK_EQ(outcome(t), 0x50);
    command(t, PRI, 0xa4, 1023 << 8 | 17, 1, 0x40);
    CHECK_EQ(outcome(t), 0x51);
    rig_end(&r);
}

TEST(a_disk_that_grows)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    uint8_t id[512];

    command(t, PRI, 0xe0, 64, 1, 0x40);
    CHECK_EQ(outcome(t), 0x51);
    r.blk[0]->size = 128 * 512; /* as block_resize() leaves it */
    ((struct fault *)r.blk[0]->priv)->bad = 0;
    identify(t, id);
    CHECK_EQ(word(id, 60), 128);
    r.blk[0]->size = 64 * 512;
    command(t, PRI, 0xe0, 64, 1, 0x40);
    CHECK_EQ(outcome(t), 0x51);
    rig_end(&r);
}
