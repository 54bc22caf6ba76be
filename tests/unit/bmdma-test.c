/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bus master: 82371SB data sheet §2.7; tables that are as they should be, and that are not. */
#include <uv.h>
#include "tests/unit/ide-util.h"

#define TABLE 0x10000
#define DATA  0x100000
#define BM(r) (BM_BASE + (r))

static void check_ram(struct qt *t, uint32_t at, uint64_t sector, unsigned n)
{
    uint8_t want[512];

    for (unsigned i = 0; i < n; i++) {
        pattern(want, sector + i, 512);
        CHECK(!memcmp(t->ram + at + 512 * i, want, 512));
    }
}

TEST(registers)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;

    outb(t, BM(0), 0xff);
    CHECK_EQ(inb(t, BM(0)), 0x09);
    CHECK_EQ(inb(t, BM(2)), 0x01);
    outb(t, BM(0), 0x00);
    CHECK_EQ(inb(t, BM(2)), 0x00);
    outb(t, BM(2), 0xff);
    CHECK_EQ(inb(t, BM(2)), 0x60); /* drive capable bits are memory; the rest is not */
    outl(t, BM(4), 0x12345677);
    CHECK_EQ(inl(t, BM(4)), 0x12345674);
    outw(t, BM(6), 0xabcd);
    CHECK_EQ(inl(t, BM(4)), 0xabcd5674);
    CHECK_EQ(inl(t, BM(12)), 0);
    outl(t, BM(12), 0x1000);
    CHECK_EQ(inl(t, BM(12)), 0x1000);
    CHECK_EQ(inb(t, BM(1)), 0);
    rig_end(&r);
}

/* PCISTS read 0, and every bit of PCICMD could be written (82371SB §2.3.3, §2.3.4). */
TEST(header)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;

    CHECK_EQ(cfg_read(t, IDE_DEVFN, 0x06, 2), 0x0280);
    cfg_write(t, IDE_DEVFN, 0x06, 0xffff, 2);
    CHECK_EQ(cfg_read(t, IDE_DEVFN, 0x06, 2), 0x0280);
    cfg_write(t, IDE_DEVFN, 0x04, 0xffff, 2);
    CHECK_EQ(cfg_read(t, IDE_DEVFN, 0x04, 2), 0x0007);
    rig_end(&r);
}

static void check_read(struct qt *t, unsigned n)
{
    CHECK_EQ(settled(t, PRI), 0x50);
    CHECK(irq(t, 14));
    CHECK_EQ(inb(t, BM(2)) & 7, 4);
    CHECK_EQ(inb(t, PRI + R_CMD), 0x50);
    CHECK(!irq(t, 14));
    outb(t, BM(0), 8);
    check_ram(t, DATA, 8, n);
    CHECK_EQ(t->ram[DATA + 512 * n], 0xee);
}

TEST(reads_whichever_comes_first)
{
    for (int start_first = 0; start_first < 2; start_first++) {
        struct rig r = rig_disk(1024);
        struct qt *t = r.t;

        memset(t->ram + DATA, 0xee, 1 << 20);
        prd(t, TABLE, 0, DATA, 700, false); /* pieces that cut through sectors */
        prd(t, TABLE, 1, DATA + 700, 0, false);
        prd(t, TABLE, 2, DATA + 700 + 65536, 300 * 512 - 700 - 65536 - 65536, false);
        prd(t, TABLE, 3, DATA + 300 * 512 - 65536, 0, true);
        if (start_first)
            bm_start(t, 0, TABLE, true);
        command(t, PRI, 0x40, 8, 300, 0x25);
        CHECK_EQ(inb(t, CTL(PRI)) & 0x80, 0x80);
        loop_step(t);
        if (!start_first) {
            CHECK_EQ(inb(t, CTL(PRI)) & 0x80, 0x80);
            bm_start(t, 0, TABLE, true);
        }
        check_read(t, 300);
        rig_end(&r);
    }
}

TEST(writes)
{
    struct rig r = rig_disk(1024);
    struct qt *t = r.t;
    static uint8_t back[300 * 512];

    for (unsigned i = 0; i < sizeof(back); i++)
        t->ram[DATA + i] = i * 3 + (i >> 9);
    prd(t, TABLE, 0, DATA, 0, false);
    prd(t, TABLE, 1, DATA + 65536, 0, false);
    prd(t, TABLE, 2, DATA + 131072, 300 * 512 - 131072, true);
    command(t, PRI, 0x40, 20, 300, 0x35);
    bm_start(t, 0, TABLE, false);
    CHECK_EQ(settled(t, PRI), 0x50);
    CHECK_EQ(inb(t, BM(2)) & 7, 4);
    medium_io(r.blk[0], BLOCK_READ, 20 * 512, back, sizeof(back));
    CHECK(!memcmp(back, t->ram + DATA, sizeof(back)));
    rig_end(&r);
}

TEST(a_table_longer_than_the_data_stays_active)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;

    prd(t, TABLE, 0, DATA, 4096, true);
    command(t, PRI, 0xe0, 3, 2, 0xc8);
    bm_start(t, 0, TABLE, true);
    CHECK_EQ(settled(t, PRI), 0x50);
    CHECK(irq(t, 14));
    CHECK_EQ(inb(t, BM(2)) & 7, 5);
    check_ram(t, DATA, 3, 2);
    outb(t, BM(0), 0);
    CHECK_EQ(inb(t, BM(2)) & 7, 4);
    outb(t, BM(2), 4);
    CHECK_EQ(inb(t, BM(2)) & 7, 0);
    rig_end(&r);
}

TEST(a_table_shorter_than_the_data_ends_without_interrupt)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    uint8_t buf[1024];

    prd(t, TABLE, 0, DATA, 1300, true);
    command(t, PRI, 0xe0, 3, 8, 0xc8);
    bm_start(t, 0, TABLE, true);
    CHECK_EQ(settled(t, PRI), 0x50);
    CHECK(!irq(t, 14));
    CHECK_EQ(inb(t, BM(2)) & 7, 0);
    check_ram(t, DATA, 3, 2);
    /* A write: the whole sectors the table had get to the disk, no more. */
    memset(t->ram + DATA, 0x77, 4096);
    command(t, PRI, 0xe0, 10, 8, 0xca);
    bm_start(t, 0, TABLE, false);
    CHECK_EQ(settled(t, PRI), 0x50);
    CHECK(!irq(t, 14));
    CHECK_EQ(inb(t, BM(2)) & 7, 0);
    medium_io(r.blk[0], BLOCK_READ, 11 * 512, buf, 1024);
    CHECK_EQ(buf[0], 0x77);
    CHECK_EQ(buf[511], 0x77);
    CHECK_EQ(buf[512], 12);
    rig_end(&r);
}

TEST(memory_that_is_not_there)
{
    for (int where = 0; where < 3; where++) {
        for (int write = 0; write < 2; write++) {
            struct rig r = rig_disk(64);
            struct qt *t = r.t;

            prd(t, TABLE, 0, where == 0 ? 0xfee00000 : QT_RAM - 512, 1024, true);
            command(t, PRI, 0xe0, 3, 2, write ? 0xca : 0xc8);
            bm_start(t, 0, where == 1 ? 0xfffffffc : TABLE, !write);
            CHECK_EQ(settled(t, PRI), 0x51);
            CHECK_EQ(inb(t, PRI + R_FEAT), 0x04);
            CHECK_EQ(inb(t, BM(2)) & 7, 6);
            CHECK(irq(t, 14));
            rig_end(&r);
        }
    }
}

TEST(a_table_ends_at_its_64_kib_boundary)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;

    for (unsigned i = 0; i < 8192; i++)
        prd(t, TABLE, i, DATA, 2, false); /* no last entry anywhere */
    prd(t, TABLE + 65536, 0, DATA + 2, 512, true);
    command(t, PRI, 0xe0, 0, 40, 0xc8);
    bm_start(t, 0, TABLE, true);
    CHECK_EQ(settled(t, PRI), 0x50);
    CHECK(!irq(t, 14));
    CHECK_EQ(inb(t, BM(2)) & 7, 0);
    CHECK_EQ(t->ram[DATA + 2], 0);
    rig_end(&r);
}

TEST(stopping_and_starting_again)
{
    struct rig r = rig_disk(512);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    qt_no_reload(t, "the request in flight is what is tested");
    prd(t, TABLE, 0, DATA, 4096, true);
    f->hold = true;
    command(t, PRI, 0xe0, 8, 8, 0xc8);
    bm_start(t, 0, TABLE, true);
    outb(t, BM(0), 0);
    CHECK_EQ(inb(t, BM(2)) & 7, 1); /* the memory is still in use */
    prd(t, TABLE, 0, DATA + 8192, 4096, true);
    bm_start(t, 0, TABLE, true); /* another place, amid it all */
    fault_release(r.blk[0]);
    f->hold = false;
    CHECK_EQ(settled(t, PRI), 0x50);
    CHECK_EQ(inb(t, BM(2)) & 7, 4);
    CHECK_EQ(t->pins, 0);
    check_ram(t, DATA + 8192, 8, 8);
    rig_end(&r);
}

/* It used to stay busy for ever: a driver that stops the bus master does not start it again. */
TEST(a_stopped_command_runs_out)
{
    static const struct {
        uint16_t bytes;
        uint8_t sectors, status; /* ... of the bus master at the end */
    } cases[] = { { 4096, 8, 4 }, { 8192, 8, 4 }, { 2048, 8, 0 }, { 256, 1, 0 }, { 768, 2, 0 } };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig r = rig_disk(512);
        struct qt *t = r.t;

        prd(t, TABLE, 0, DATA, cases[i].bytes, true);
        command(t, PRI, 0xe0, 8, cases[i].sectors, 0xc8);
        bm_start(t, 0, TABLE, true);
        outb(t, BM(0), 0);
        CHECK_EQ(settled(t, PRI), 0x50);
        CHECK_EQ(inb(t, BM(2)) & 7, cases[i].status);
        CHECK_EQ(irq(t, 14), cases[i].status == 4);
        check_ram(t, DATA, 8,
                  cases[i].bytes / 512 < cases[i].sectors ? cases[i].bytes / 512
                                                          : cases[i].sectors);
        rig_end(&r);
    }
}

/* A reset amid that: nothing is left that the active bit could wait for. */
TEST(a_stopped_command_that_is_reset)
{
    struct rig r = rig_disk(512);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    qt_no_reload(t, "the request in flight is what is tested");
    prd(t, TABLE, 0, DATA, 4096, true);
    f->hold = true;
    command(t, PRI, 0xe0, 8, 8, 0xc8);
    bm_start(t, 0, TABLE, true);
    outb(t, BM(0), 0);
    outb(t, CTL(PRI), 4);
    outb(t, CTL(PRI), 0);
    fault_release(r.blk[0]);
    settled(t, PRI);
    CHECK_EQ(inb(t, BM(2)) & 7, 0);
    CHECK_EQ(t->pins, 0);
    rig_end(&r);
}

TEST(without_bus_mastering)
{
    for (int write = 0; write < 2; write++) {
        struct rig r = rig_disk(512);
        struct qt *t = r.t;

        cfg_write(t, IDE_DEVFN, 0x04, 0x0003, 2);
        prd(t, TABLE, 0, DATA, 4096, true);
        memset(t->ram + DATA, 0xee, 4096);
        command(t, PRI, 0xe0, 8, 8, write ? 0xca : 0xc8);
        bm_start(t, 0, TABLE, !write);
        CHECK_EQ(settled(t, PRI), write ? 0x51 : 0x50);
        CHECK_EQ(inb(t, BM(2)) & 7, write ? 6 : 5);
        CHECK_EQ(t->ram[DATA], 0xee);
        CHECK_EQ(t->ram[DATA + 4095], 0xee);
        rig_end(&r);
    }
}

TEST(no_command_no_transfer)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    uint8_t buf[512], want[512];

    prd(t, TABLE, 0, DATA, 512, true);
    bm_start(t, 0, TABLE, true);
    loop_step(t);
    CHECK_EQ(inb(t, BM(2)) & 7, 1);
    /* A PIO command beside a started bus master is a PIO command. */
    command(t, PRI, 0xe0, 5, 1, 0x20);
    CHECK_EQ(settled(t, PRI), 0x58);
    pio_in(t, PRI, buf, 512);
    pattern(want, 5, 512);
    CHECK(!memcmp(buf, want, 512));
    CHECK_EQ(t->ram[DATA], 0);
    rig_end(&r);
}

TEST(a_bad_sector_under_dma)
{
    struct rig r = rig_disk(256);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    f->bad = 21 * 512;
    f->bad_len = 512;
    prd(t, TABLE, 0, DATA, 0, true);
    command(t, PRI, 0x40, 16, 128, 0x25);
    bm_start(t, 0, TABLE, true);
    CHECK_EQ(settled(t, PRI), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x40);
    CHECK_EQ(inb(t, PRI + R_LOW), 21);
    check_ram(t, DATA, 16, 5);
    CHECK_EQ(inb(t, BM(2)) & 7, 5);
    command(t, PRI, 0x40, 16, 128, 0x35);
    bm_start(t, 0, TABLE, false);
    CHECK_EQ(settled(t, PRI), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x04);
    CHECK_EQ(inb(t, PRI + R_LOW), 21);
    rig_end(&r);
}

TEST(the_longest_command_drains)
{
    struct rig r = { qt_new(), { NULL } };
    struct qt *t = r.t;

    rig_unit(&r, 0, false, 70000);
    rig_go(&r);
    for (unsigned i = 0; i < 512; i++)
        prd(t, TABLE, i, DATA, 0, i == 511); /* 32 MiB into the same 64 KiB */
    command(t, PRI, 0x40, 0, 0, 0x25);
    bm_start(t, 0, TABLE, true);
    CHECK_EQ(ide_drain(t->dev), 0);
    CHECK_EQ(inb(t, CTL(PRI)), 0x50);
    CHECK_EQ(inb(t, BM(2)) & 7, 4);
    rig_end(&r);
}

static unsigned reads; /* of guest memory */

static int counted_read(struct platform *p, uint64_t gpa, void *dst, size_t len)
{
    const struct qt *t = container_of(p, const struct qt, plat);

    reads++;
    if (gpa >= QT_RAM || len > QT_RAM - gpa)
        return -EFAULT;
    memcpy(dst, t->ram + gpa, len);
    return 0;
}

/* Turns the loop until the command is done; the most reads of one turn. */
static unsigned most_reads_a_turn(struct qt *t)
{
    unsigned most = 0;

    for (int i = 0; i < 1000 && (inb(t, CTL(PRI)) & 0x80); i++) {
        reads = 0;
        uv_run(t->plat.loop, UV_RUN_NOWAIT);
        most = reads > most ? reads : most;
    }
    CHECK_EQ(inb(t, CTL(PRI)) & 0x80, 0);
    return most;
}

/* 65536 regions of two bytes for one request held the loop; an image read by crumbs is the same. */
TEST(a_table_of_crumbs_does_not_hold_the_loop)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    struct platform_ops ops = *t->plat.ops;
    uint8_t back[16 * 512];

    qt_no_reload(t, "turns of the loop are counted");
    ops.mem_read = counted_read;
    t->plat.ops = &ops;
    for (unsigned i = 0; i < 16 * 256; i++)
        prd(t, TABLE, i, DATA + 2 * i, 2, i == 16 * 256 - 1);
    command(t, PRI, 0xe0, 8, 16, 0xc8);
    bm_start(t, 0, TABLE, true);
    CHECK(most_reads_a_turn(t) < 1200);
    check_ram(t, DATA, 8, 16);
    CHECK(irq(t, 14));
    CHECK_EQ(inb(t, BM(2)) & 7, 4);
    outb(t, BM(0), 0);

    for (unsigned i = 0; i < sizeof(back); i++)
        t->ram[DATA + i] = i * 5 + (i >> 8);
    command(t, PRI, 0xe0, 40, 16, 0xca);
    bm_start(t, 0, TABLE, false);
    CHECK(most_reads_a_turn(t) < 2400); /* each region is a read, too */
    CHECK_EQ(inb(t, BM(2)) & 7, 4);
    medium_io(r.blk[0], BLOCK_READ, 40 * 512, back, sizeof(back));
    CHECK(!memcmp(back, t->ram + DATA, sizeof(back)));
    rig_end(&r);
}

/* A table at 4 mod 8 has no entry that begins at the boundary: the walk went on for ever. */
TEST(a_table_ends_at_its_boundary_wherever_it_begins)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;

    memset(t->ram + DATA, 0xee, 0x3000);
    prd(t, 0x1fff4, 0, DATA, 512, false);
    prd(t, 0x1fff4, 1, DATA + 512, 512, false);
    prd(t, 0x1fff4, 2, DATA + 1024, 0, true);
    command(t, PRI, 0xe0, 3, 8, 0xc8);
    bm_start(t, 0, 0x1fff4, true);
    CHECK_EQ(settled(t, PRI), 0x50);
    CHECK(!irq(t, 14)); /* the table was short */
    check_ram(t, DATA, 3, 2);
    CHECK_EQ(t->ram[DATA + 1024], 0xee);
    rig_end(&r);
}

/* Everything of the disk's 512-byte sectors that one request could do is one request. */
TEST(a_transfer_is_one_request_into_the_guests_memory)
{
    struct rig r = rig_disk(1024);
    struct qt *t = r.t;
    uint64_t before;
    uint8_t back[1024];

    for (unsigned i = 0; i < 75; i++) /* scattered, and not on sector boundaries */
        prd(t, TABLE, i, DATA + (i % 5 ? 0 : 0x100000) + 4096 * i + 2, 2048, i == 74);
    qt_no_reload(t, "requests are counted");
    before = r.blk[0]->stat[BLOCK_READ].ops;
    command(t, PRI, 0x40, 8, 300, 0x25);
    bm_start(t, 0, TABLE, true);
    CHECK(t->pins >= 75);
    CHECK_EQ(settled(t, PRI), 0x50);
    CHECK_EQ(t->pins, 0);
    CHECK_EQ(r.blk[0]->stat[BLOCK_READ].ops - before, 1);
    CHECK_EQ(inb(t, BM(2)) & 7, 4);
    for (unsigned i = 0; i < 75; i++)
        check_ram(t, DATA + (i % 5 ? 0 : 0x100000) + 4096 * i + 2, 8 + 4 * i, 4);
    before = r.blk[0]->stat[BLOCK_WRITE].ops;
    command(t, PRI, 0x40, 500, 300, 0x35);
    bm_start(t, 0, TABLE, false);
    CHECK_EQ(settled(t, PRI), 0x50);
    CHECK_EQ(r.blk[0]->stat[BLOCK_WRITE].ops - before, 1);
    medium_io(r.blk[0], BLOCK_READ, 799 * 512, back, 512);
    CHECK_EQ(back[0] | back[1] << 8, 307);
    CHECK_EQ(t->pins, 0);
    rig_end(&r);
}

TEST(a_world_that_lends_no_memory_is_copied_to)
{
    struct rig r = rig_disk(1024);
    struct qt *t = r.t;

    t->no_pin = true;
    memset(t->ram + DATA, 0xee, 1 << 20);
    prd(t, TABLE, 0, DATA, 0, false);
    prd(t, TABLE, 1, DATA + 65536, 0, false);
    prd(t, TABLE, 2, DATA + 131072, 300 * 512 - 131072, true);
    command(t, PRI, 0x40, 8, 300, 0x25);
    bm_start(t, 0, TABLE, true);
    check_read(t, 300);
    rig_end(&r);
}

/* What O_DIRECT says of foreign mappings. */
TEST(lent_memory_that_the_host_cannot_use_is_copied_to)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    memset(t->ram + DATA, 0xee, 65536);
    f->err = EFAULT;
    f->bad = 8 * 512;
    f->bad_len = 512;
    f->once = true;
    prd(t, TABLE, 0, DATA, 4096, true);
    command(t, PRI, 0x40, 8, 8, 0x25);
    bm_start(t, 0, TABLE, true);
    check_read(t, 8);
    rig_end(&r);
}

TEST(a_reset_is_busy_until_lent_memory_is_back)
{
    struct rig r = rig_disk(512);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    qt_no_reload(t, "the request in flight is what is tested");
    prd(t, TABLE, 0, DATA, 4096, true);
    f->hold = true;
    command(t, PRI, 0xe0, 8, 8, 0xc8);
    bm_start(t, 0, TABLE, true);
    outb(t, BM(0), 0);
    outb(t, CTL(PRI), 4);
    outb(t, CTL(PRI), 0);
    CHECK_EQ(inb(t, CTL(PRI)), 0x80);
    outb(t, PRI + R_CMD, 0xec);
    CHECK_EQ(guest_errors(t), 1);
    fault_release(r.blk[0]);
    loop_step(t);
    CHECK_EQ(inb(t, CTL(PRI)), 0x50);
    CHECK(!irq(t, 14));
    CHECK_EQ(inb(t, BM(2)) & 7, 0);
    /* The machine's reset waits for it. */
    f->hold = true;
    command(t, PRI, 0xe0, 8, 8, 0xc8);
    bm_start(t, 0, TABLE, true);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(t->pins, 0);
    CHECK_EQ(inb(t, CTL(PRI)), 0x50);
    rig_end(&r);
}
