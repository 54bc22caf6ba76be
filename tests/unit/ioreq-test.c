/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Xen's ioreq ABI against a device that writes down what it is told. */
#include <string.h>
#include "ioreq/ioreq.h"
#include "tests/unit/qt.h"

struct scribe {
    struct device dev;
    struct {
        uint64_t data[64];
        uint32_t off[64];
        uint32_t n;
        uint32_t next; /* what reads return, counting up */
    } s;
};

static const struct field scribe_state[] = { ARRAY(struct scribe, data), ARRAY(struct scribe, off),
                                             FIELD(struct scribe, n, .max = 64),
                                             FIELD(struct scribe, next), FIELDS_END };

static struct scribe *scribe_of(struct device *dev)
{
    return container_of(dev, struct scribe, dev);
}

static uint64_t scribe_read(struct device *dev, uint64_t off, unsigned width)
{
    return 0x0101010101010101ULL * ++scribe_of(dev)->s.next;
}

static void scribe_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct scribe *w = scribe_of(dev);

    if (w->s.n < 64) {
        w->s.off[w->s.n] = off;
        w->s.data[w->s.n++] = val;
    }
}

static const struct io_range scribe_io[] = {
    { IO_PORT, 0x100, 8, 1 | 2 | 4, scribe_read, scribe_write },
    { IO_MEM, 0xa0000, 0x20000, 1 | 2 | 4 | 8, scribe_read, scribe_write },
    { 0 }
};

static const struct device_type scribe_type = {
    .name = "scribe",
    .version = 1,
    DEVICE_LAYOUT(struct scribe),
    .io = scribe_io,
    .state = scribe_state,
};

static unsigned invalidated;
static int64_t offset_told;

static void on_invalidate(struct platform *p)
{
    invalidated++;
}

static void on_offset(struct platform *p, int64_t seconds)
{
    offset_told = seconds;
}

static const struct ioreq_hooks hooks = { on_invalidate, on_offset };

static struct scribe *the(struct qt *t)
{
    return scribe_of(t->dev);
}

static bool serve(struct qt *t, struct ioreq *r)
{
    bool ok = ioreq_serve(&t->plat, &hooks, r);

    qt_touched(t);
    return ok;
}

TEST(single_port_accesses_of_every_size)
{
    struct qt *t = qt_start(&scribe_type);

    for (unsigned size = 1; size <= 4; size *= 2) {
        struct ioreq w = { .type = IOREQ_TYPE_PIO,
                           .dir = IOREQ_WRITE,
                           .addr = 0x100,
                           .size = size,
                           .count = 1,
                           .data = 0x1122334455667788 };
        struct ioreq r = {
            .type = IOREQ_TYPE_PIO, .dir = IOREQ_READ, .addr = 0x104, .size = size, .count = 1
        };

        CHECK(serve(t, &w));
        CHECK_EQ(the(t)->s.data[the(t)->s.n - 1], 0x55667788 & ((1ULL << 8 * size) - 1));
        CHECK(serve(t, &r));
        CHECK_EQ(r.data, (0x0101010101010101ULL * the(t)->s.next) & ((1ULL << 8 * size) - 1));
    }
}

TEST(rep_outs_takes_words_from_memory_and_the_port_stands_still)
{
    struct qt *t = qt_start(&scribe_type);
    struct ioreq r = { .type = IOREQ_TYPE_PIO,
                       .dir = IOREQ_WRITE,
                       .addr = 0x100,
                       .size = 2,
                       .count = 3,
                       .data = 0x5000,
                       .data_is_ptr = 1 };

    memcpy(t->ram + 0x5000, "\x11\x22\x33\x44\x55\x66", 6);
    CHECK(serve(t, &r));
    CHECK_EQ(the(t)->s.n, 3);
    CHECK_EQ(the(t)->s.data[0], 0x2211);
    CHECK_EQ(the(t)->s.data[2], 0x6655);
    CHECK_EQ(the(t)->s.off[2], 0);
}

TEST(rep_ins_descending_fills_memory_downwards)
{
    struct qt *t = qt_start(&scribe_type);
    struct ioreq r = { .type = IOREQ_TYPE_PIO,
                       .dir = IOREQ_READ,
                       .addr = 0x100,
                       .size = 4,
                       .count = 3,
                       .data = 0x5008,
                       .data_is_ptr = 1,
                       .df = 1 };

    CHECK(serve(t, &r));
    CHECK(!memcmp(t->ram + 0x5000, "\3\3\3\3\2\2\2\2\1\1\1\1\0", 13));
    CHECK_EQ(r.data, 0x5008);
}

TEST(rep_movs_to_mmio_advances_both_sides)
{
    struct qt *t = qt_start(&scribe_type);
    struct ioreq r = { .type = IOREQ_TYPE_COPY,
                       .dir = IOREQ_WRITE,
                       .addr = 0xa0010,
                       .size = 8,
                       .count = 2,
                       .data = 0x6000,
                       .data_is_ptr = 1 };

    memcpy(t->ram + 0x6000, "abcdefghABCDEFGH", 16);
    CHECK(serve(t, &r));
    CHECK_EQ(the(t)->s.off[0], 0x10);
    CHECK_EQ(the(t)->s.off[1], 0x18);
    CHECK_EQ(the(t)->s.data[1], 0x4847464544434241);
}

TEST(rep_stos_to_mmio_repeats_the_value_and_descends)
{
    struct qt *t = qt_start(&scribe_type);
    struct ioreq r = { .type = IOREQ_TYPE_COPY,
                       .dir = IOREQ_WRITE,
                       .addr = 0xa0010,
                       .size = 2,
                       .count = 3,
                       .data = 0x0720,
                       .df = 1 };

    CHECK(serve(t, &r));
    CHECK_EQ(the(t)->s.off[2], 0x0c);
    CHECK_EQ(the(t)->s.data[0], 0x0720);
    CHECK_EQ(the(t)->s.data[2], 0x0720);
}

TEST(a_long_string_goes_in_chunks_and_stays_in_order)
{
    struct qt *t = qt_start(&scribe_type);
    struct ioreq r = { .type = IOREQ_TYPE_PIO,
                       .dir = IOREQ_READ,
                       .addr = 0x100,
                       .size = 2,
                       .count = 5000,
                       .data = 0x10000,
                       .data_is_ptr = 1 };

    CHECK(serve(t, &r));
    CHECK_EQ(the(t)->s.next, 5000);
    CHECK_EQ(t->ram[0x10000], 1);
    CHECK_EQ(t->ram[0x10000 + 2 * 4998], 4999 & 0xff);
}

TEST(pointers_to_nowhere_drop_writes_and_lose_reads)
{
    struct qt *t = qt_start(&scribe_type);
    struct ioreq w = { .type = IOREQ_TYPE_PIO,
                       .dir = IOREQ_WRITE,
                       .addr = 0x100,
                       .size = 1,
                       .count = 4,
                       .data = 0xfffffff0,
                       .data_is_ptr = 1 };
    struct ioreq r = w;

    CHECK(serve(t, &w));
    CHECK_EQ(the(t)->s.n, 0);
    r.dir = IOREQ_READ;
    CHECK(serve(t, &r));
    r.data = 0xffffffffffffff00;
    r.df = 1;
    CHECK(serve(t, &r));
}

TEST(odd_requests_read_as_ones)
{
    struct qt *t = qt_start(&scribe_type);
    struct ioreq r = { .type = IOREQ_TYPE_PIO, .dir = IOREQ_READ, .addr = 0x100, .count = 1 };

    for (unsigned size = 0; size < 20; size++) {
        r.size = size;
        r.data = 0;
        if (size == 1 || size == 2 || size == 4 || size == 8)
            continue;
        CHECK(!serve(t, &r));
        CHECK_EQ(r.data, ~0ULL);
    }
    r.size = 1;
    r.type = 77;
    CHECK(!serve(t, &r));
    r.type = IOREQ_TYPE_PIO;
    r.count = 0xffffffff; /* bounded, whatever it says */
    CHECK(serve(t, &r));
}

TEST(invalidate_and_time_offset_reach_their_hooks)
{
    struct qt *t = qt_start(&scribe_type);
    struct ioreq r = { .type = IOREQ_TYPE_INVALIDATE, .size = 4, .data = ~0ULL };

    invalidated = 0;
    CHECK(serve(t, &r));
    CHECK_EQ(invalidated, 1);
    r.type = IOREQ_TYPE_TIMEOFFSET;
    r.data = -3600;
    CHECK(serve(t, &r));
    CHECK_EQ(offset_told, -3600);
}

static void ring_put(buffered_iopage_t *ring, unsigned addr, unsigned size, uint64_t data)
{
    uint32_t *p = (uint32_t *)(void *)ring;
    struct buf_ioreq e = { .type = IOREQ_TYPE_COPY, .size = size, .addr = addr, .data = data };

    ring->buf_ioreq[p[1]++ % 511] = e;
    if (size == 3) {
        e.data = data >> 32;
        ring->buf_ioreq[p[1]++ % 511] = e;
    }
}

TEST(the_ring_is_drained_in_order_and_wraps_at_511)
{
    struct qt *t = qt_start(&scribe_type);
    static buffered_iopage_t ring;
    uint32_t *p = (uint32_t *)(void *)&ring;

    memset(&ring, 0, sizeof(ring));
    p[0] = p[1] = 510;
    ring_put(&ring, 0xa0000, 0, 0xff11);
    ring_put(&ring, 0xa0008, 3, 0x1122334455667788);
    ring_put(&ring, 0xa0002, 1, 0x12345678);
    CHECK_EQ(ioreq_drain(&t->plat, &hooks, &ring), 3);
    CHECK_EQ(the(t)->s.data[0], 0x11);
    CHECK_EQ(the(t)->s.data[1], 0x1122334455667788);
    CHECK_EQ(the(t)->s.data[2], 0x5678);
    CHECK_EQ(p[0], 514);
    CHECK_EQ(ioreq_drain(&t->plat, &hooks, &ring), 0);
}

TEST(a_ring_with_impossible_pointers_or_half_a_pair_is_left_alone)
{
    struct qt *t = qt_start(&scribe_type);
    static buffered_iopage_t ring;
    uint32_t *p = (uint32_t *)(void *)&ring;

    memset(&ring, 0, sizeof(ring));
    p[0] = 1000;
    CHECK_EQ(ioreq_drain(&t->plat, &hooks, &ring), 0);
    p[0] = 0;
    ring_put(&ring, 0xa0000, 3, 1);
    p[1] = 1;
    CHECK_EQ(ioreq_drain(&t->plat, &hooks, &ring), 0);
    CHECK_EQ(p[0], 0);
}

TEST(a_slot_is_served_once_after_the_ring_and_keeps_its_flags)
{
    struct qt *t = qt_start(&scribe_type);
    static buffered_iopage_t ring;
    struct ioreq slot = { .type = IOREQ_TYPE_PIO,
                          .dir = IOREQ_WRITE,
                          .addr = 0x100,
                          .size = 1,
                          .count = 1,
                          .data = 2,
                          .df = 1,
                          .vp_eport = 9,
                          .state = STATE_IOREQ_READY };

    memset(&ring, 0, sizeof(ring));
    ring_put(&ring, 0xa0000, 0, 1);
    CHECK(ioreq_slot(&t->plat, &hooks, &slot, &ring));
    CHECK_EQ(the(t)->s.data[0], 1);
    CHECK_EQ(the(t)->s.data[1], 2);
    CHECK_EQ(slot.state, STATE_IORESP_READY);
    CHECK_EQ(slot.df, 1);
    CHECK_EQ(slot.vp_eport, 9);
    CHECK(!ioreq_slot(&t->plat, &hooks, &slot, &ring));
    CHECK_EQ(the(t)->s.n, 2);
}

TEST(config_cycles_carry_the_function_in_the_address)
{
    struct qt *t = qt_start(&scribe_type);
    struct ioreq r = { .type = IOREQ_TYPE_PCI_CONFIG,
                       .dir = IOREQ_READ,
                       .size = 4,
                       .count = 1,
                       .addr = 0x18ULL << 32 | 0x10 };

    CHECK(serve(t, &r));
    CHECK_EQ(r.data, 0xffffffff); /* nobody there */
}
