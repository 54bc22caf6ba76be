/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flash chip: Intel's commands, the query table, and what gets into the image. */
#include "hw/pflash.h"
#include <string.h>
#include "hw/devices.h"
#include "tests/unit/block-util.h"

#define SIZE 0x20000u
#define AT   (0x100000000ull - SIZE)

static uint8_t rd(struct qt *t, uint64_t off)
{
    return (uint8_t)mmio_read(t, AT + off, 1);
}

static void wr(struct qt *t, uint64_t off, uint8_t val)
{
    mmio_write(t, AT + off, val, 1);
}

static struct block *image_of(struct qt *t, struct block *b)
{
    uint8_t *bytes = malloc(SIZE);

    CHECK(bytes != NULL);
    memset(bytes, 0xff, SIZE);
    bytes[0] = 0x12;
    bytes[SIZE - 1] = 0x34;
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 0, bytes, SIZE), 0);
    free(bytes);
    return b;
}

static struct qt *start(struct block **b)
{
    struct qt *t = qt_new();

    *b = image_of(t, block_open_mem(t->plat.loop, SIZE));
    qt_config_obj(t, "medium", *b);
    qt_config(t, "base", "0xfffe0000");
    qt_add(t, &pflash_type, -1);
    return t;
}

static void end(struct qt *t, struct block *b)
{
    device_free(t->devs[0]);
    t->devs[0] = t->dev = NULL;
    t->ndevs = 0;
    config_free(&t->cfgs[0]);
    CHECK(!t->rom);
    block_close(b);
}

static uint8_t on_disk(struct qt *t, struct block *b, uint64_t off)
{
    uint8_t byte = 0;

    CHECK_EQ(pflash_drain(t->dev), 0);
    CHECK_EQ(io_run(t, b, BLOCK_READ, off, &byte, 1), 0);
    return byte;
}

TEST(shows_the_image_and_its_tables)
{
    static const uint8_t geometry[] = { 17, 2, 0, 8, 0, 1, SIZE / 4096 - 1, 0, 0x10, 0 };
    struct block *b;
    struct qt *t = start(&b);

    CHECK_EQ(rd(t, 0), 0x12);
    CHECK_EQ(mmio_read(t, AT + SIZE - 4, 4), 0x34ffffff);
    CHECK(t->rom_shown && t->rom_at == AT && t->rom_size == SIZE && t->rom[0] == 0x12);
    wr(t, 0x55, 0x98);
    CHECK(!t->rom_shown);
    CHECK(rd(t, 0x10) == 'Q' && rd(t, 0x11) == 'R' && rd(t, 0x12) == 'Y');
    for (unsigned i = 0; i < sizeof(geometry); i++)
        CHECK_EQ(rd(t, 0x27 + i), geometry[i]);
    CHECK(rd(t, 0x31) == 'P' && rd(t, 0x34) == '1' && rd(t, 0x1000) == 0);
    wr(t, 0, 0x90);
    CHECK_EQ(rd(t, 0), 0);
    wr(t, 0, 0xff);
    CHECK(t->rom_shown);
    CHECK_EQ(rd(t, 0), 0x12);
    end(t, b);
}

/* As OVMF's driver looks whether this is RAM, ROM or a flash. */
TEST(firmware_knows_it_for_a_flash)
{
    struct block *b;
    struct qt *t = start(&b);

    wr(t, 0, 0x50);
    CHECK_EQ(rd(t, 0), 0x12);
    wr(t, 0, 0x70);
    CHECK_EQ(rd(t, 0), 0x00);
    wr(t, 0, 0xff);
    CHECK_EQ(rd(t, 0), 0x12);
    end(t, b);
}

TEST(programs_clear_bits_and_erases_set_them)
{
    struct block *b;
    struct qt *t = start(&b);

    wr(t, 0x1005, 0x10);
    CHECK(!t->rom_shown);
    wr(t, 0x1005, 0x5a);
    CHECK_EQ(rd(t, 0), 0x80);
    wr(t, 0x1005, 0x40);
    wr(t, 0x1005, 0xf3);
    wr(t, 0x1005, 0xff);
    CHECK_EQ(rd(t, 0x1005), 0x5a & 0xf3);
    CHECK_EQ(rd(t, 0x1004), 0xff);
    CHECK_EQ(on_disk(t, b, 0x1005), 0x52);
    wr(t, 0x0123, 0x20);
    wr(t, 0x0123, 0xd0);
    CHECK_EQ(rd(t, 0), 0x80);
    wr(t, 0, 0xff);
    CHECK_EQ(rd(t, 0), 0xff);
    CHECK_EQ(rd(t, 0x1005), 0x52); /* another block */
    CHECK_EQ(on_disk(t, b, 0), 0xff);
    end(t, b);
}

static void buffer(struct qt *t, uint64_t off, unsigned n, uint8_t first, uint8_t last)
{
    wr(t, off, 0xe8);
    CHECK_EQ(rd(t, off), 0x80);
    wr(t, off, (uint8_t)(n - 1));
    for (unsigned i = 0; i < n; i++)
        wr(t, off + i, (uint8_t)(first + i));
    wr(t, off, last);
}

TEST(a_buffer_is_programmed_at_once)
{
    struct block *b;
    struct qt *t = start(&b);

    buffer(t, 0x2ff0, 16, 0xa0, 0xd0);
    CHECK_EQ(rd(t, 0), 0x80);
    wr(t, 0, 0xff);
    for (unsigned i = 0; i < 16; i++)
        CHECK_EQ(rd(t, 0x2ff0 + i), 0xa0 + i);
    CHECK_EQ(on_disk(t, b, 0x2fff), 0xaf);
    buffer(t, 0x3000, 256, 0, 0xd0);
    wr(t, 0, 0xff);
    CHECK(rd(t, 0x3000) == 0 && rd(t, 0x30ff) == 0xff && rd(t, 0x30fe) == 0xfe);
    CHECK_EQ(guest_errors(t), 0);
    end(t, b);
}

TEST(wrong_sequences_change_nothing)
{
    struct block *b;
    struct qt *t = start(&b);

    wr(t, 0, 0x20);
    wr(t, 0, 0x10); /* not the confirmation */
    CHECK_EQ(rd(t, 0), 0xb0);
    wr(t, 0, 0x50);
    buffer(t, 0, 2, 0, 0xff);
    CHECK_EQ(rd(t, 0), 0xb0);
    wr(t, 0, 0x50);
    buffer(t, 0xffe, 4, 0, 0xd0); /* into the next block */
    CHECK_EQ(rd(t, 0), 0xb0);
    wr(t, 0, 0x50);
    wr(t, 0, 0x60);
    wr(t, 0, 0x77);
    CHECK_EQ(rd(t, 0), 0xb0);
    wr(t, 0, 0x60);
    wr(t, 0, 0xd0);
    CHECK_EQ(rd(t, 0), 0xb0);
    wr(t, 0, 0x33); /* no command */
    CHECK_EQ(rd(t, 0), 0x12);
    CHECK_EQ(rd(t, 0xffe), 0xff);
    CHECK_EQ(guest_errors(t), 4);
    end(t, b);
}

TEST(what_is_read_only_stays)
{
    struct qt *t = qt_new();
    struct block *b = block_open_readonly(image_of(t, block_open_mem(t->plat.loop, SIZE)));

    qt_config_obj(t, "medium", b);
    qt_config(t, "base", "0xfffe0000");
    qt_add(t, &pflash_type, -1);
    wr(t, 0, 0x10);
    wr(t, 0, 0x00);
    CHECK_EQ(rd(t, 0), 0x92);
    wr(t, 0, 0x50);
    wr(t, 0, 0x20);
    wr(t, 0, 0xd0);
    CHECK_EQ(rd(t, 0), 0xa2);
    wr(t, 0, 0xff);
    CHECK_EQ(rd(t, 0), 0x12);
    CHECK_EQ(b->stat[BLOCK_WRITE].failed + b->stat[BLOCK_WRITE].ops, 0);
    end(t, b);
}

/* More sectors than wait in order: nothing is lost of them, and none is older than another. */
TEST(many_changes_at_once_all_get_to_the_image)
{
    struct block *b;
    struct qt *t = start(&b);

    qt_no_reload(t, "a reload waits for the image after every access");
    for (unsigned off = 0x1000; off < 0x11000; off++) {
        wr(t, off ^ 0x200, 0x10);
        wr(t, off ^ 0x200, (uint8_t)(off * 7 ^ off >> 8));
    }
    for (unsigned off = 0x1000; off < SIZE; off += 512) { /* and each sector again: 248 of them */
        wr(t, off + 3, 0x10);
        wr(t, off + 3, 0);
    }
    wr(t, 0, 0xff);
    CHECK_EQ(pflash_drain(t->dev), 0);
    for (unsigned off = 0x1000; off < 0x11000; off++) {
        uint8_t want = (uint8_t)((off ^ 0x200) * 7 ^ (off ^ 0x200) >> 8);

        CHECK_EQ(t->rom[off], off % 512 == 3 ? 0 : want);
    }
    for (unsigned off = 0; off < SIZE; off += 4096) {
        uint8_t there[4096];

        CHECK_EQ(io_run(t, b, BLOCK_READ, off, there, 4096), 0);
        CHECK(!memcmp(there, t->rom + off, 4096));
    }
    end(t, b);
}

/* The image gets each sector as it was then: one that is changed again later comes twice. */
TEST(the_image_sees_the_guests_order)
{
    struct block *b;
    struct qt *t = start(&b);
    uint8_t byte;

    qt_no_reload(t, "a reload waits for the image after every access");
    for (unsigned off = 0x1000; off <= 0x3000; off += 0x1000) {
        wr(t, off, 0x10);
        wr(t, off, 0x0f);
    }
    wr(t, 0x1000, 0x10);
    wr(t, 0x1000, 0x03); /* says that all of it is there */
    for (unsigned done = 0; done < 4; done++) {
        uint64_t now = b->stat[BLOCK_WRITE].ops;

        CHECK_EQ(io_run(t, b, BLOCK_READ, 0x1000, &byte, 1), 0);
        if (byte == 0x03) {
            CHECK_EQ(io_run(t, b, BLOCK_READ, 0x3000, &byte, 1), 0);
            CHECK_EQ(byte, 0x0f);
        }
        loop_until(t, b->stat[BLOCK_WRITE].ops > now || !b->inflight);
    }
    CHECK_EQ(on_disk(t, b, 0x1000), 0x03);
    CHECK_EQ(b->stat[BLOCK_WRITE].ops, 1 + 4);
    end(t, b);
}

TEST(a_host_that_cannot_write_is_a_failed_program)
{
    struct qt *t = qt_new();
    int fd = sparse_image(SIZE);
    struct block_options o =
        BLOCK_OPTIONS(.file = "vars", .fd = fd, .fault = "rate=1,errno=ENOSPC,ops=write");
    struct block *b = must_open(t, &o);

    qt_no_reload(t, "the error comes when the image is written");
    qt_config_obj(t, "medium", b);
    qt_config(t, "base", "0xfffe0000");
    qt_add(t, &pflash_type, -1);
    wr(t, 0, 0x20);
    wr(t, 0, 0xd0);
    block_settle(b);
    CHECK_EQ(rd(t, 0), 0x90);
    end(t, b);
}

TEST(only_sizes_that_a_chip_can_have)
{
    static const uint64_t bad[] = { 0, 4095, 4097, 6144, (8 << 20) + 4096 };
    struct qt *t = qt_new();

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct block *b = bad[i] ? block_open_mem(t->plat.loop, bad[i]) : NULL;
        struct config cfg = { 0 };
        struct err err = { "" };

        if (b)
            config_set_obj(&cfg, "medium", b);
        config_set(&cfg, "base", "0xfe000000");
        CHECK(!device_new(&t->plat, &pflash_type, "flash", -1, &cfg, &err));
        CHECK(strstr(err.msg, "flash: ") == err.msg && strstr(err.msg, "4096") != NULL);
        config_free(&cfg);
        block_close(b);
    }
}

TEST(a_reset_shows_the_array)
{
    struct block *b;
    struct qt *t = start(&b);

    wr(t, 0, 0xe8);
    wr(t, 0, 3);
    device_reset(t->dev, RESET_WARM);
    qt_touched(t);
    CHECK(t->rom_shown);
    CHECK_EQ(rd(t, 0), 0x12);
    wr(t, 0, 0x70);
    CHECK_EQ(rd(t, 0), 0x80);
    end(t, b);
}
