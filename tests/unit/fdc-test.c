/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The floppy controller, as drivers program it: commands, DMA, PIO, media. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "block/block.h"
#include "block/filter.h"
#include "block/impl.h"
#include "hw/core/buf.h"
#include "hw/devices.h"
#include "hw/fdc.h"
#include "tests/unit/qt.h"

#define SRB  0x3f1
#define DOR  0x3f2
#define TDR  0x3f3
#define MSR  0x3f4
#define FIFO 0x3f5
#define CCR  0x3f7

#define BUF    0x10000
#define SECTOR 512

static struct block *disk[2];

static void io_end(struct block_req *req, int err)
{
    *(int *)req->arg = err;
}

/* Reads or writes the medium past the controller. */
static void medium(struct qt *t, unsigned drive, enum block_op op, uint64_t at, void *data,
                   size_t len)
{
    struct iovec iov = { data, len };
    int err = -1;
    struct block_req req = {
        .op = op, .offset = at, .len = len, .iov = &iov, .niov = 1, .done = io_end, .arg = &err
    };

    block_submit(disk[drive], &req);
    loop_until(t, err != -1);
    CHECK_EQ(err, 0);
}

/* A disk whose sectors begin with their number. */
static struct block *numbered(struct qt *t, unsigned drive, uint32_t kib)
{
    uint8_t *all = calloc(1, kib * 1024);

    disk[drive] = block_open_mem(t->plat.loop, kib * 1024ULL);
    for (uint32_t i = 0; i < kib * 2; i++)
        memcpy(all + i * SECTOR, &i, 4);
    medium(t, drive, BLOCK_WRITE, 0, all, kib * 1024);
    free(all);
    return disk[drive];
}

/* kib 0: an empty drive A. There is no B. */
static struct qt *start_with(uint32_t kib)
{
    struct qt *t = qt_new();

    disk[0] = disk[1] = NULL;
    qt_config(t, "drive0", "on");
    if (kib)
        qt_config_obj(t, "drive0.medium", numbered(t, 0, kib));
    qt_add(t, &fdc_type, -1);
    qt_add(t, &dma8237_type, -1);
    outb(t, DOR, 0x1c);
    return t;
}

static struct qt *start(void)
{
    return start_with(1440);
}

/* The runner frees the world after the test; media are the test's. */
static void finish(struct qt *t)
{
    for (unsigned i = 0; i < 2; i++) {
        struct err err;

        if (disk[i]) {
            floppy_eject(t->dev, i, &err);
            block_close(disk[i]);
            disk[i] = NULL;
        }
    }
}

static void send(struct qt *t, const char *hex)
{
    char *end;

    for (;; hex = end) {
        unsigned val = strtoul(hex, &end, 16);

        if (end == hex)
            return;
        outb(t, FIFO, val);
    }
}

/* Sends a command, waits for its end, compares the result: "" for none. */
static bool gives(struct qt *t, const char *command, const char *result)
{
    uint8_t got[16];
    unsigned n = 0;

    send(t, command);
    for (int i = 0; i < 6000 && inb(t, MSR) == 0x10; i++) {
        loop_step(t);
        if (t->reload && i % 16 == 0)
            qt_touched(t);
    }
    while (n < sizeof(got) && (inb(t, MSR) & 0xd0) == 0xd0)
        got[n++] = inb(t, FIFO);
    return hex_is(result, got, n) && inb(t, MSR) == 0x80;
}

/* Programs channel 2: mode 0x46 to memory, 0x4a from it. */
static void channel(struct qt *t, uint8_t mode, uint32_t addr, unsigned bytes)
{
    outb(t, 0x0a, 0x06);
    outb(t, 0x0c, 0);
    outb(t, 0x0b, mode);
    outb(t, 0x04, addr);
    outb(t, 0x04, addr >> 8);
    outb(t, 0x81, addr >> 16);
    outb(t, 0x05, bytes - 1);
    outb(t, 0x05, (bytes - 1) >> 8);
    outb(t, 0x0a, 0x02);
}

static bool reads(struct qt *t, unsigned bytes, const char *command, const char *result)
{
    channel(t, 0x46, BUF, bytes);
    return gives(t, command, result);
}

static bool writes(struct qt *t, unsigned bytes, const char *command, const char *result)
{
    channel(t, 0x4a, BUF, bytes);
    return gives(t, command, result);
}

/* ---- reset, registers ---- */

TEST(reset_and_its_four_interrupts)
{
    struct qt *t = start();

    CHECK_EQ(inb(t, MSR), 0x80);
    outb(t, DOR, 0x18);
    CHECK_EQ(inb(t, MSR), 0); /* held in reset */
    outb(t, FIFO, 0x10);
    CHECK(!irq(t, 6));
    outb(t, DOR, 0x1c);
    CHECK(irq(t, 6));
    CHECK(gives(t, "08", "c0 00"));
    CHECK(!irq(t, 6));
    CHECK(gives(t, "08", "c1 00"));
    CHECK(gives(t, "08", "c2 00"));
    CHECK(gives(t, "08", "c3 00"));
    CHECK(gives(t, "08", "80"));
    outb(t, MSR, 0x80); /* DSR: a reset that ends by itself */
    CHECK(irq(t, 6));
    CHECK(gives(t, "08", "c0 00"));
    CHECK(gives(t, "13 00 10 00", "")); /* without polling */
    CHECK(gives(t, "94", "10"));        /* which LOCK keeps */
    outb(t, MSR, 0x80);
    CHECK(!irq(t, 6));
    CHECK(gives(t, "08", "80"));
    finish(t);
}

TEST(registers)
{
    struct qt *t = start();

    CHECK_EQ(inb(t, SRB), 0xc1);
    CHECK_EQ(inb(t, DOR), 0x1c);
    outb(t, DOR, 0x3d);
    CHECK_EQ(inb(t, SRB), 0xe3);
    outb(t, TDR, 0xff);
    CHECK_EQ(inb(t, TDR), 0x03);
    CHECK_EQ(inb(t, 0x3f0), 0xff);
    CHECK_EQ(inb(t, 0x3f6), 0xff); /* the hard disk's */
    CHECK_EQ(inb(t, FIFO), 0);     /* nothing to read */
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(inb(t, DOR), 0x0c);
    finish(t);
}

TEST(commands_without_a_drive)
{
    struct qt *t = start();

    CHECK(gives(t, "10", "90"));
    CHECK(gives(t, "18", "41"));
    CHECK(gives(t, "0e", "00 00 00 00 00 00 00 00 20 00"));
    CHECK(gives(t, "03 df 02", ""));
    CHECK(gives(t, "13 00 57 05", ""));
    CHECK(gives(t, "12 85", ""));
    CHECK(gives(t, "12 02", "")); /* without OW the drive bits stay */
    CHECK(gives(t, "94", "10"));
    CHECK(gives(t, "0e", "00 00 00 00 df 02 00 86 57 05"));
    outb(t, MSR, 0x80);
    CHECK(gives(t, "0e", "00 00 00 00 df 02 00 84 57 05"));
    CHECK(gives(t, "14", "00"));
    outb(t, MSR, 0x80);
    CHECK(gives(t, "0e", "00 00 00 00 df 02 00 04 20 00"));
    CHECK(gives(t, "17 02", "02"));
    CHECK(gives(t, "8e 05 c0", "")); /* as Linux sends it */
    CHECK(gives(t, "8e 3f 51 80", "05 1f 11 00"));
    CHECK(!irq(t, 6) || gives(t, "08", "c0 00"));
    finish(t);
}

TEST(invalid_commands)
{
    static const char *const codes[] = { "00", "01", "11", "19", "1d", "1f", "2e",
                                         "33", "4e", "87", "88", "83", "ef", "ff" };
    struct qt *t = start();

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        CHECK(gives(t, codes[i], "80"));
    CHECK_EQ(guest_errors(t), sizeof(codes) / sizeof(codes[0]));
    CHECK(!irq(t, 6));
    finish(t);
}

/* ---- seeks ---- */

TEST(seeks)
{
    struct qt *t = start();

    send(t, "07 00");
    CHECK(irq(t, 6));
    CHECK(gives(t, "08", "20 00"));
    CHECK(!irq(t, 6));
    CHECK(gives(t, "04 00", "38"));
    CHECK(gives(t, "04 04", "3c"));
    CHECK(gives(t, "0f 04 0a", ""));
    CHECK(gives(t, "08", "24 0a"));
    CHECK(gives(t, "04 00", "28")); /* not at track 0 */
    CHECK(gives(t, "4a 00", "00 00 00 0a 00 01 02"));
    CHECK(gives(t, "4a 00", "00 00 00 0a 00 02 02")); /* the disk turns */
    CHECK(gives(t, "4a 04", "04 00 00 0a 01 03 02"));
    CHECK(gives(t, "8f 00 03", ""));
    CHECK(gives(t, "08", "20 07"));
    CHECK(gives(t, "cf 00 05", ""));
    CHECK(gives(t, "08", "20 0c"));
    CHECK(gives(t, "8f 00 c8", ""));
    CHECK(gives(t, "08", "20 00"));
    CHECK(gives(t, "0f 00 fa", ""));
    CHECK(gives(t, "08", "20 fa"));
    CHECK(gives(t, "cf 00 c8", ""));
    CHECK(gives(t, "08", "20 ff"));
    CHECK(gives(t, "4a 00", "40 01 00 54 00 01 02")); /* at the stop: no track there */
    CHECK(gives(t, "07 00", ""));
    CHECK(gives(t, "08", "70 00")); /* 80 steps did not do */
    CHECK(gives(t, "07 00", ""));
    CHECK(gives(t, "08", "20 00"));
    finish(t);
}

TEST(two_seeks_at_once)
{
    struct qt *t = qt_new();

    qt_config(t, "drive0", "on");
    qt_config(t, "drive1", "on");
    qt_add(t, &fdc_type, -1);
    disk[0] = disk[1] = NULL;
    CHECK(gives(t, "0f 01 05", ""));
    CHECK(gives(t, "0f 00 07", ""));
    CHECK(gives(t, "08", "20 07"));
    CHECK(irq(t, 6)); /* the other one's */
    CHECK(gives(t, "08", "21 05"));
    CHECK(!irq(t, 6));
    CHECK(gives(t, "08", "80"));
}

TEST(a_drive_that_is_not_there)
{
    struct qt *t = start();

    CHECK(gives(t, "07 01", ""));
    CHECK(gives(t, "08", "71 00"));
    CHECK(gives(t, "04 01", "29"));
    CHECK(gives(t, "4a 01", "41 01 00 00 00 01 02"));
    CHECK(reads(t, SECTOR, "e6 01 00 00 01 02 12 1b ff", "41 01 00 00 00 01 02"));
    outb(t, DOR, 0x2d);
    CHECK_EQ(inb(t, CCR), 0);
    finish(t);
}

/* ---- reading ---- */

TEST(read_ends_as_the_table_of_results_has_it)
{
    struct qt *t = start();

    CHECK(reads(t, SECTOR, "e6 00 00 00 01 02 12 1b ff", "00 00 00 00 00 02 02"));
    CHECK_EQ(ram32(t, BUF), 0);
    CHECK(reads(t, SECTOR, "46 00 00 00 05 02 12 1b ff", "00 00 00 00 00 06 02"));
    CHECK_EQ(ram32(t, BUF), 4);
    CHECK(reads(t, SECTOR, "46 00 00 00 12 02 12 1b ff", "00 00 00 01 00 01 02"));
    CHECK_EQ(ram32(t, BUF), 17);
    CHECK(reads(t, SECTOR, "c6 00 00 00 12 02 12 1b ff", "04 00 00 00 01 01 02"));
    CHECK(reads(t, SECTOR, "c6 04 00 01 12 02 12 1b ff", "04 00 00 01 00 01 02"));
    CHECK_EQ(ram32(t, BUF), 35);
    CHECK(reads(t, 2 * SECTOR, "c6 00 00 00 12 02 12 1b ff", "04 00 00 00 01 02 02"));
    CHECK_EQ(ram32(t, BUF), 17);
    CHECK_EQ(ram32(t, BUF + SECTOR), 18);
    CHECK(reads(t, 2 * SECTOR, "46 00 00 00 12 02 12 1b ff", "40 80 00 01 00 01 02"));
    CHECK(reads(t, 2 * SECTOR, "46 04 00 01 12 02 12 1b ff", "44 80 00 01 01 01 02"));
    finish(t);
}

TEST(read_a_cylinder)
{
    struct qt *t = start();

    CHECK(reads(t, 36 * SECTOR, "c6 00 02 00 01 02 12 1b ff", "24 00 00 03 00 01 02"));
    for (uint32_t i = 0; i < 36; i++)
        CHECK_EQ(ram32(t, BUF + i * SECTOR), 72 + i);
    CHECK_EQ(ram32(t, BUF + 36 * SECTOR), 0);
    finish(t);
}

TEST(dma_stops_in_the_middle_of_a_sector)
{
    struct qt *t = start();

    memset(t->ram + BUF, 0xaa, 2 * SECTOR);
    CHECK(reads(t, 300, "46 00 00 00 03 02 12 1b ff", "00 00 00 00 00 04 02"));
    CHECK_EQ(ram32(t, BUF), 2);
    CHECK_EQ(ram32(t, BUF + 296), 0);
    CHECK_EQ(ram32(t, BUF + 300), 0xaaaaaaaa);
    CHECK(reads(t, 700, "46 00 00 00 03 02 12 1b ff", "00 00 00 00 00 05 02"));
    CHECK_EQ(ram32(t, BUF + SECTOR), 3);
    finish(t);
}

TEST(sectors_that_are_not_there)
{
    struct qt *t = start();

    CHECK(reads(t, SECTOR, "46 00 00 00 13 02 13 1b ff", "40 04 00 00 00 13 02"));
    CHECK(reads(t, SECTOR, "46 00 00 00 00 02 12 1b ff", "40 04 00 00 00 00 02"));
    CHECK(reads(t, SECTOR, "46 00 50 00 01 02 12 1b ff", "40 04 00 50 00 01 02"));
    CHECK(
        reads(t, SECTOR, "46 00 00 01 01 02 12 1b ff", "40 04 00 00 01 01 02")); /* H is not HDS */
    CHECK(reads(t, SECTOR, "46 04 00 02 01 02 12 1b ff", "44 04 00 00 02 01 02"));
    CHECK(reads(t, SECTOR, "46 00 00 00 01 03 12 1b ff", "40 04 00 00 00 01 03"));
    CHECK(reads(t, SECTOR, "46 00 00 00 01 00 12 1b 80", "40 04 00 00 00 01 00"));
    CHECK(reads(t, 4 * SECTOR, "46 00 00 00 11 02 20 1b ff", "40 04 00 00 00 13 02"));
    CHECK_EQ(ram32(t, BUF + SECTOR), 17); /* up to there it was good */
    finish(t);
}

TEST(the_data_rate_must_be_the_mediums)
{
    struct qt *t = start();

    outb(t, CCR, 0x02);
    CHECK(reads(t, SECTOR, "46 00 00 00 01 02 12 1b ff", "40 01 00 00 00 01 02"));
    CHECK(gives(t, "4a 00", "40 01 00 00 00 01 02"));
    outb(t, MSR, 0x00); /* DSR sets it as well */
    CHECK(reads(t, SECTOR, "46 00 00 00 01 02 12 1b ff", "00 00 00 00 00 02 02"));
    finish(t);
}

TEST(deleted_marks)
{
    struct qt *t = start();

    /* There are none: the first plain sector is read and tells so, or with SK all are skipped. */
    CHECK(reads(t, 2 * SECTOR, "4c 00 00 00 02 02 12 1b ff", "00 00 40 00 00 03 02"));
    CHECK_EQ(ram32(t, BUF), 1);
    CHECK(reads(t, SECTOR, "6c 00 00 00 02 02 12 1b ff", "40 80 40 01 00 01 02"));
    CHECK(reads(t, SECTOR, "ec 00 00 00 02 02 12 1b ff", "44 80 40 01 00 01 02"));
    finish(t);
}

TEST(read_track_begins_at_the_index_hole)
{
    struct qt *t = start();

    CHECK(reads(t, 3 * SECTOR, "42 04 00 01 07 02 12 1b ff", "04 00 00 00 01 04 02"));
    CHECK_EQ(ram32(t, BUF), 18);
    CHECK_EQ(ram32(t, BUF + 2 * SECTOR), 20);
    finish(t);
}

TEST(verify)
{
    struct qt *t = start();

    CHECK(gives(t, "56 00 00 00 01 02 12 1b ff", "00 00 00 01 00 01 02"));
    CHECK(gives(t, "56 80 00 00 01 02 12 1b 04", "00 00 00 00 00 05 02"));
    CHECK(gives(t, "d6 80 00 00 01 02 12 1b 24", "04 00 00 01 00 01 02"));
    CHECK(gives(t, "56 80 00 00 01 02 12 1b 14", "40 80 00 01 00 01 02")); /* more than there are */
    CHECK(gives(t, "56 00 00 00 01 02 13 1b ff", "40 04 00 00 00 13 02"));
    finish(t);
}

TEST(dma_that_is_not_ready)
{
    struct qt *t = start();
    unsigned i;

    channel(t, 0x46, BUF, SECTOR);
    outb(t, 0x0a, 0x06); /* masked */
    send(t, "46 00 00 00 02 02 12 1b ff");
    for (i = 0; i < 6000 && !i; i++)
        loop_step(t);
    loop_until(t, timers_next(&t->plat) != TIMER_OFF);
    CHECK_EQ(inb(t, MSR), 0x10);
    outb(t, 0x0a, 0x02);
    clock_step(t, 2 * NS_PER_MS);
    CHECK(irq(t, 6));
    CHECK_EQ(ram32(t, BUF), 1);
    CHECK(gives(t, "", "00 00 00 00 00 03 02"));
    channel(t, 0x4a, BUF, SECTOR); /* the wrong way */
    send(t, "46 00 00 00 02 02 12 1b ff");
    loop_until(t, timers_next(&t->plat) != TIMER_OFF);
    clock_step(t, NS_PER_S);
    CHECK(gives(t, "", "40 10 00 00 00 02 02")); /* overrun */
    CHECK(timers_next(&t->plat) == TIMER_OFF);
    finish(t);
}

/* ---- writing ---- */

TEST(write)
{
    struct qt *t = start();
    uint8_t got[3 * SECTOR];

    memset(t->ram + BUF, 0x5a, 2 * SECTOR);
    CHECK(writes(t, 2 * SECTOR, "c5 00 01 00 02 02 12 1b ff", "20 00 00 01 00 04 02"));
    medium(t, 0, BLOCK_READ, 37 * SECTOR, got, sizeof(got));
    CHECK_EQ(got[0], 0x5a);
    CHECK_EQ(got[2 * SECTOR - 1], 0x5a);
    CHECK_EQ(got[2 * SECTOR], 39);
    CHECK(writes(t, 100, "49 00 01 00 04 02 12 1b ff", "00 00 00 01 00 05 02")); /* deleted */
    medium(t, 0, BLOCK_READ, 39 * SECTOR, got, sizeof(got));
    CHECK_EQ(got[99], 0x5a);
    CHECK_EQ(got[100], 0); /* the rest of a sector is zeroes */
    CHECK(writes(t, SECTOR, "c5 00 01 00 13 02 13 1b ff", "40 04 00 01 00 13 02"));
    finish(t);
}

TEST(write_protected)
{
    struct qt *t = start();

    disk[0]->readonly = true;
    CHECK(writes(t, SECTOR, "c5 00 00 00 01 02 12 1b ff", "40 02 00 00 00 01 02"));
    CHECK(writes(t, 72, "4d 00 02 12 54 f6", "40 02 00 00 00 01 02"));
    CHECK(gives(t, "04 00", "78"));
    finish(t);
}

TEST(format)
{
    struct qt *t = start();
    uint8_t got[18 * SECTOR];

    for (unsigned i = 0; i < 18; i++)
        put32(t, BUF + 4 * i, 0x02000103 | (i + 1) << 16);
    CHECK(gives(t, "0f 00 03", ""));
    CHECK(gives(t, "08", "20 03"));
    CHECK(writes(t, 72, "4d 04 02 12 54 f6", "04 00 00 03 01 12 02"));
    medium(t, 0, BLOCK_READ, (3 * 36 + 18) * SECTOR, got, sizeof(got));
    for (unsigned i = 0; i < 18; i++)
        CHECK_EQ(got[i * SECTOR + 511], 0xf6);
    put32(t, BUF, 0x03010103); /* 1024 bytes a sector */
    CHECK(writes(t, 72, "4d 04 03 12 54 f6", "44 04 00 03 01 01 03"));
    put32(t, BUF, 0x02010105); /* another track than this */
    CHECK(writes(t, 72, "4d 04 02 12 54 f6", "44 04 00 05 01 01 02"));
    finish(t);
}

/* ---- PIO ---- */

TEST(pio_read)
{
    struct qt *t = start();

    CHECK(gives(t, "03 df 03", "")); /* ND */
    send(t, "46 00 00 00 02 02 03 1b ff");
    for (unsigned i = 0; i < 2 * SECTOR; i++) {
        loop_until(t, inb(t, MSR) & 0x80);
        CHECK_EQ(inb(t, MSR), 0xf0);
        CHECK(irq(t, 6)); /* no FIFO: for each byte */
        CHECK_EQ(inb(t, FIFO), i == 0 ? 1 : i == SECTOR ? 2 : 0);
    }
    CHECK(irq(t, 6));
    CHECK(gives(t, "", "00 00 00 01 00 01 02")); /* at EOT, without a terminal count */
    CHECK(!irq(t, 6));
    finish(t);
}

/* A driver that copies bytes in a loop looks for no pause between sectors: it lost them here. */
TEST(pio_read_of_a_track_has_no_gaps)
{
    struct qt *t = start();

    qt_no_reload(t, "what was read ahead is fetched again by the new one");
    CHECK(gives(t, "03 df 03", "")); /* ND */
    for (unsigned eot = 1; eot <= 18; eot += 17) {
        send(t, eot == 1 ? "c6 00 00 00 01 02 01 1b ff" : "c6 00 00 00 01 02 12 1b ff");
        loop_until(t, inb(t, MSR) & 0x80);
        for (unsigned i = 0; i < 2 * eot * SECTOR; i++) {
            unsigned n = i / SECTOR;

            CHECK_EQ(inb(t, MSR), 0xf0);
            CHECK_EQ(inb(t, FIFO), i % SECTOR ? 0 : n < eot ? n : 18 + n - eot);
        }
        CHECK(gives(t, "", "04 00 00 01 00 01 02"));
    }
    finish(t);
}

/* A bad sector behind good ones: those come first. */
TEST(pio_read_up_to_a_bad_sector)
{
    struct qt *t = start();
    struct err err;

    qt_no_reload(t, "the medium is changed by hand");
    CHECK_EQ(floppy_eject(t->dev, 0, &err), 0);
    disk[0] = block_open_fault(disk[0], "rule=inject-error:event=none:iotype=read:sector=2", &err);
    CHECK(disk[0] != NULL);
    CHECK_EQ(floppy_insert(t->dev, 0, disk[0], &err), 0);
    CHECK(gives(t, "0f 00 01", ""));
    CHECK(gives(t, "08", "20 01"));
    CHECK(gives(t, "0f 00 00", ""));
    CHECK(gives(t, "08", "20 00"));
    CHECK(gives(t, "03 df 03", ""));
    send(t, "46 00 00 00 01 02 12 1b ff");
    for (unsigned i = 0; i < 2 * SECTOR; i++) {
        loop_until(t, inb(t, MSR) & 0x80);
        CHECK_EQ(inb(t, FIFO), i == SECTOR ? 1 : 0);
    }
    loop_until(t, inb(t, MSR) & 0x80);
    CHECK(gives(t, "", "40 20 20 00 00 03 02"));
    finish(t);
}

TEST(pio_interrupts_come_by_the_fifo_threshold)
{
    struct qt *t = start();
    unsigned raised = 0;

    qt_no_reload(t, "512 accesses; pio_read reloads");
    CHECK(gives(t, "13 00 07 00", "")); /* FIFO on, eight bytes */
    outb(t, DOR, 0x14);                 /* DMA gate off does it too */
    send(t, "46 00 00 00 01 02 01 1b ff");
    for (unsigned i = 0; i < SECTOR; i++) {
        loop_until(t, inb(t, MSR) & 0x80);
        raised += irq(t, 6);
        CHECK_EQ(irq(t, 6), i % 8 == 0);
        inb(t, FIFO);
    }
    CHECK_EQ(raised, SECTOR / 8);
    CHECK(gives(t, "", "00 00 00 01 00 01 02"));
    finish(t);
}

TEST(pio_write_and_format)
{
    struct qt *t = start();
    uint8_t got[SECTOR];

    CHECK(gives(t, "03 df 03", ""));
    send(t, "45 00 00 00 02 02 02 1b ff");
    CHECK_EQ(inb(t, MSR), 0xb0);
    for (unsigned i = 0; i < SECTOR; i++)
        outb(t, FIFO, i + 1);
    loop_until(t, inb(t, MSR) & 0x80);
    CHECK(gives(t, "", "00 00 00 01 00 01 02"));
    medium(t, 0, BLOCK_READ, SECTOR, got, sizeof(got));
    CHECK_EQ(got[0], 1);
    CHECK_EQ(got[511], 0);
    CHECK_EQ(got[300], (uint8_t)301);
    send(t, "4d 00 02 01 54 e5");
    CHECK_EQ(inb(t, MSR), 0xb0);
    send(t, "00 00 02 02");
    loop_until(t, inb(t, MSR) & 0x80);
    CHECK(gives(t, "", "00 00 00 00 00 02 02"));
    medium(t, 0, BLOCK_READ, SECTOR, got, sizeof(got));
    CHECK_EQ(got[7], 0xe5);
    finish(t);
}

TEST(a_reset_in_the_middle)
{
    struct qt *t = start();

    channel(t, 0x46, BUF, 18 * SECTOR);
    send(t, "46 00 00 00 01 02 12 1b ff");
    outb(t, DOR, 0x18);
    outb(t, DOR, 0x1c);
    for (unsigned i = 0; i < 20; i++)
        loop_step(t);
    CHECK_EQ(inb(t, MSR), 0x80);
    CHECK(gives(t, "08", "c0 00"));
    CHECK(reads(t, SECTOR, "46 00 00 00 03 02 12 1b ff", "00 00 00 00 00 04 02"));
    CHECK_EQ(ram32(t, BUF), 2);
    send(t, "46 00 00"); /* in the middle of a command */
    outb(t, MSR, 0x80);
    CHECK(gives(t, "10", "90"));
    finish(t);
}

/* ---- media ---- */

TEST(geometry_by_size)
{
    static const struct {
        unsigned kib, sectors, heads, tracks, rate, type;
    } g[] = {
        { 160, 8, 1, 40, 2, 2 },   { 180, 9, 1, 40, 1, 2 },   { 320, 8, 2, 40, 2, 2 },
        { 360, 9, 2, 40, 1, 2 },   { 720, 9, 2, 80, 2, 4 },   { 1200, 15, 2, 80, 0, 2 },
        { 1440, 18, 2, 80, 0, 4 }, { 1680, 21, 2, 80, 0, 4 }, { 2880, 36, 2, 80, 3, 5 },
    };

    for (unsigned i = 0; i < sizeof(g) / sizeof(g[0]); i++) {
        struct qt *t = start_with(g[i].kib);
        char cmd[64], res[64];
        unsigned c = g[i].tracks - 1, h = g[i].heads - 1, r = g[i].sectors;

        qt_no_reload(t, "the geometry comes from the medium");
        CHECK_EQ(floppy_cmos_type(g[i].kib * 1024), g[i].type);
        outb(t, CCR, g[i].rate);
        snprintf(cmd, sizeof(cmd), "46 %02x %02x %02x %02x 02 %02x 1b ff", h << 2, c, h, r, r);
        snprintf(res, sizeof(res), "%02x 00 00 %02x %02x 01 02", 0x20 | h << 2, c + 1, h);
        CHECK(reads(t, SECTOR, cmd, res));
        CHECK_EQ(ram32(t, BUF), g[i].kib * 2 - 1); /* the last sector of all */
        finish(t);
        if (i == 5)
            break; /* a test may make eight worlds */
    }
    CHECK_EQ(floppy_cmos_type(2880 * 1024), 5);
    CHECK_EQ(floppy_cmos_type(0), 5);
    CHECK_EQ(floppy_cmos_type(12345), 4);
}

TEST(big_media)
{
    struct qt *t = start_with(2880);

    CHECK(reads(t, SECTOR, "46 00 00 00 01 02 24 1b ff", "40 01 00 00 00 01 02"));
    outb(t, CCR, 3);
    CHECK(reads(t, SECTOR, "46 04 4f 01 24 02 24 1b ff", "24 00 00 50 01 01 02"));
    CHECK_EQ(ram32(t, BUF), 5759);
    finish(t);
}

TEST(an_image_of_an_odd_size)
{
    struct qt *t = start_with(100); /* 200 sectors, as the beginning of a 1.44M disk */

    CHECK(reads(t, SECTOR, "46 04 05 01 02 02 12 1b ff", "24 00 00 05 01 03 02"));
    CHECK_EQ(ram32(t, BUF), 199);
    CHECK(reads(t, SECTOR, "46 04 05 01 03 02 12 1b ff", "44 04 00 05 01 03 02"));
    finish(t);
}

TEST(change_line)
{
    struct qt *t = start();

    CHECK_EQ(inb(t, CCR), 0x80); /* since power-on */
    CHECK(gives(t, "07 00", ""));
    CHECK_EQ(inb(t, CCR), 0x80); /* no step */
    CHECK(gives(t, "08", "20 00"));
    CHECK(gives(t, "0f 00 01", ""));
    CHECK_EQ(inb(t, CCR), 0);
    CHECK(gives(t, "08", "20 01"));
    qt_no_reload(t, "the medium is of the configuration");
    finish(t); /* takes it out */
    CHECK_EQ(inb(t, CCR), 0x80);
    CHECK(gives(t, "07 00", ""));
    CHECK_EQ(inb(t, CCR), 0x80);
}

TEST(an_empty_drive)
{
    struct qt *t = start_with(0);
    struct err err = { "" };

    CHECK_EQ(inb(t, CCR), 0x80);
    CHECK(gives(t, "07 00", ""));
    CHECK(gives(t, "08", "20 00"));
    CHECK(gives(t, "04 00", "78"));
    CHECK(gives(t, "4a 00", "40 01 00 00 00 01 02"));
    CHECK(reads(t, SECTOR, "e6 00 00 00 01 02 12 1b ff", "40 01 00 00 00 01 02"));
    CHECK(writes(t, SECTOR, "c5 00 00 00 01 02 12 1b ff", "40 01 00 00 00 01 02"));
    qt_no_reload(t, "what comes now is not of the configuration");
    CHECK(floppy_insert(t->dev, 1, NULL, &err) < 0);
    CHECK(floppy_insert(t->dev, 0, numbered(t, 0, 1440), &err) == 0);
    CHECK(floppy_medium(t->dev, 0) == disk[0]);
    CHECK(floppy_insert(t->dev, 0, disk[0], &err) < 0);
    CHECK(reads(t, SECTOR, "e6 00 00 00 03 02 12 1b ff", "00 00 00 00 00 04 02"));
    CHECK_EQ(ram32(t, BUF), 2);
    CHECK_EQ(inb(t, CCR), 0x80);
    CHECK(gives(t, "0f 00 01", ""));
    CHECK_EQ(inb(t, CCR), 0);
    CHECK(gives(t, "08", "20 01"));
    CHECK(floppy_drain(t->dev) == 0);
    CHECK(floppy_eject(t->dev, 0, &err) == 0);
    CHECK(floppy_eject(t->dev, 0, &err) == 0);
    CHECK(floppy_eject(t->dev, 1, &err) < 0);
    CHECK_EQ(inb(t, CCR), 0x80);
    block_close(disk[0]);
    disk[0] = NULL;
}

TEST(taken_out_while_it_is_read)
{
    struct qt *t = start();

    qt_no_reload(t, "the medium is of the configuration");
    channel(t, 0x46, BUF, 18 * SECTOR);
    send(t, "46 00 00 00 01 02 12 1b ff");
    finish(t);
    CHECK(gives(t, "", "40 01 00 00 00 02 02"));
}

static void bad_submit(struct block *b, struct block_req *req)
{
    block_finish_later(req, EIO);
}

TEST(errors_of_the_host)
{
    static struct block_ops bad;
    struct qt *t = start();

    bad = *disk[0]->ops;
    bad.submit = bad_submit;
    disk[0]->ops = &bad;
    CHECK(reads(t, SECTOR, "46 00 00 00 01 02 12 1b ff", "40 20 20 00 00 01 02"));
    CHECK(writes(t, SECTOR, "45 00 00 00 01 02 12 1b ff", "40 20 20 00 00 01 02"));
    CHECK(gives(t, "56 00 00 00 01 02 12 1b ff", "40 20 20 00 00 01 02"));
    finish(t);
}
