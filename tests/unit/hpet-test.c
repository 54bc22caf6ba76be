/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HPET: counter, comparators, routing, legacy replacement. */
#include "hw/devices.h"
#include "tests/unit/qt.h"

#define BASE    0xfed00000
#define GEN     (BASE + 0x10)
#define STATUS  (BASE + 0x20)
#define COUNTER (BASE + 0xf0)
#define CONF(n) (BASE + 0x100 + 0x20 * (n))
#define CMP(n)  (BASE + 0x108 + 0x20 * (n))
#define FSB(n)  (BASE + 0x110 + 0x20 * (n))

#define LEVEL    0x02
#define ENABLE   0x04
#define PERIODIC 0x08
#define SET      0x40
#define BITS32   0x100
#define CAPS     0x400000030

static uint64_t r64(struct qt *t, uint64_t at)
{
    return mmio_read(t, at, 8);
}

static void w64(struct qt *t, uint64_t at, uint64_t val)
{
    mmio_write(t, at, val, 8);
}

/* Counts rising edges of the pins, for pulses. */
static unsigned edges[16];
static const struct platform_ops *plain;
static struct platform_ops counting;

static void count_edge(struct platform *p, unsigned pin, bool level)
{
    edges[pin] += level;
    plain->isa_irq(p, pin, level);
}

static struct qt *start(void)
{
    struct qt *t = qt_start(&hpet_type);

    plain = t->plat.ops;
    counting = *plain;
    counting.isa_irq = count_edge;
    t->plat.ops = &counting;
    for (unsigned i = 0; i < 16; i++)
        edges[i] = 0;
    return t;
}

TEST(identity)
{
    struct qt *t = start();

    CHECK_EQ(r64(t, BASE), 0x009896808086a201);
    CHECK_EQ(mmio_read(t, BASE, 4), 0x8086a201);
    CHECK_EQ(mmio_read(t, BASE + 4, 4), 10000000); /* femtoseconds */
    w64(t, BASE, 0);
    CHECK_EQ(mmio_read(t, BASE, 4), 0x8086a201);
    CHECK_EQ(r64(t, GEN), 0);
    for (unsigned n = 0; n < 3; n++) {
        CHECK_EQ(r64(t, CONF(n)), CAPS);
        CHECK_EQ(r64(t, CMP(n)), UINT64_MAX);
        w64(t, FSB(n), 0x1234);
        CHECK_EQ(r64(t, FSB(n)), 0);
    }
    CHECK_EQ(r64(t, CONF(3)), 0);
    CHECK_EQ(mmio_read(t, BASE + 1, 1), 0xff); /* dwords and quadwords only */
}

TEST(counter_runs_and_halts)
{
    struct qt *t = start();

    clock_step(t, NS_PER_S);
    CHECK_EQ(r64(t, COUNTER), 0);
    w64(t, COUNTER, 0x1fffffff0);
    mmio_write(t, GEN, 1, 4);
    clock_step(t, 325);
    CHECK_EQ(r64(t, COUNTER), 0x200000010);
    CHECK_EQ(mmio_read(t, COUNTER, 4), 0x10);
    CHECK_EQ(mmio_read(t, COUNTER + 4, 4), 2);
    clock_step(t, 5); /* the half tick was not lost */
    CHECK_EQ(r64(t, COUNTER), 0x200000011);
    w64(t, COUNTER, 0);
    CHECK_EQ(guest_errors(t), 1);
    CHECK_EQ(r64(t, COUNTER), 0x200000011);
    mmio_write(t, GEN, 0, 4);
    clock_step(t, NS_PER_S);
    CHECK_EQ(r64(t, COUNTER), 0x200000011);
    mmio_write(t, COUNTER + 4, 7, 4); /* by halves */
    CHECK_EQ(r64(t, COUNTER), 0x700000011);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(r64(t, COUNTER), 0);
}

TEST(one_shot)
{
    struct qt *t = start();

    w64(t, CONF(2), ENABLE | 2 << 9);
    CHECK_EQ(r64(t, CONF(2)), CAPS | ENABLE | 2 << 9);
    w64(t, CMP(2), 1000);
    w64(t, GEN, 1);
    clock_step(t, 9999);
    CHECK_EQ(edges[2], 0);
    clock_step(t, 1);
    CHECK_EQ(edges[2], 1);
    CHECK(!irq(t, 2)); /* a pulse */
    CHECK_EQ(r64(t, STATUS), 0);
    CHECK_EQ(r64(t, CMP(2)), 1000);
    clock_step(t, 100 * NS_PER_S);
    CHECK_EQ(edges[2], 1);
    w64(t, CMP(2), 5); /* gone by */
    clock_step(t, 100 * NS_PER_S);
    CHECK_EQ(edges[2], 1);
    w64(t, CMP(2), r64(t, COUNTER) + 10);
    clock_step(t, 100);
    CHECK_EQ(edges[2], 2);
    w64(t, CONF(2), 2 << 9); /* not enabled */
    w64(t, CMP(2), r64(t, COUNTER) + 10);
    clock_step(t, 100);
    CHECK_EQ(edges[2], 2);
}

TEST(thirty_two_bits_come_round)
{
    struct qt *t = start();

    w64(t, COUNTER, 0xfffffff0);
    w64(t, CONF(1), ENABLE | BITS32);
    CHECK_EQ(r64(t, CMP(1)), UINT32_MAX);
    mmio_write(t, CMP(1), 0x10, 4);
    w64(t, GEN, 1);
    clock_step(t, 0x20 * 10 - 1);
    CHECK_EQ(edges[0], 0);
    clock_step(t, 1);
    CHECK_EQ(edges[0], 1);
    clock_step(t, 0x100000000 * 10);
    CHECK_EQ(edges[0], 2);
    mmio_write(t, CMP(1) + 4, 5, 4);
    CHECK_EQ(r64(t, CMP(1)), 0x10);
}

TEST(periodic)
{
    struct qt *t = start();

    w64(t, CONF(0), ENABLE | PERIODIC | SET | BITS32);
    mmio_write(t, CMP(0), 50000, 4); /* as Linux: the first match, ... */
    CHECK_EQ(r64(t, CONF(0)), CAPS | ENABLE | PERIODIC | BITS32);
    mmio_write(t, CMP(0), 100000, 4); /* ... and the period: 1 ms */
    w64(t, GEN, 3);
    clock_step(t, NS_PER_MS / 2 - 1);
    CHECK_EQ(edges[0], 0);
    clock_step(t, 1);
    CHECK_EQ(edges[0], 1);
    CHECK_EQ(r64(t, CMP(0)), 150000);
    clock_step(t, 10 * NS_PER_MS);
    CHECK_EQ(edges[0], 11);
    w64(t, GEN, 2); /* halted, and on again: what was left is left */
    clock_step(t, NS_PER_S);
    CHECK_EQ(edges[0], 11);
    w64(t, GEN, 3);
    clock_step(t, NS_PER_MS);
    CHECK_EQ(edges[0], 12);
}

TEST(periodic_without_interrupt_counts_on)
{
    struct qt *t = start();

    w64(t, CONF(0), PERIODIC | SET);
    w64(t, CMP(0), 100000);
    w64(t, GEN, 1);
    clock_step(t, 7 * NS_PER_MS + 500);
    CHECK_EQ(r64(t, CMP(0)), 800000);
    CHECK_EQ(edges[0], 0);
}

TEST(a_late_host_catches_up)
{
    struct qt *t = start();

    w64(t, CONF(0), ENABLE | PERIODIC | SET);
    w64(t, CMP(0), 100000);
    w64(t, GEN, 1);
    t->now += 10 * NS_PER_MS + 300; /* nobody looked */
    timers_run(&t->plat, t->now);
    qt_touched(t);
    CHECK_EQ(edges[0], 1);
    CHECK_EQ(r64(t, CMP(0)), 1100000);
}

TEST(no_faster_than_the_host_likes)
{
    struct qt *t = start();

    qt_no_reload(t, "the number of steps is what is looked at");
    w64(t, CONF(0), ENABLE | PERIODIC | SET);
    w64(t, CMP(0), 1); /* 10 ns */
    w64(t, GEN, 1);
    clock_step(t, NS_PER_MS);
    CHECK(edges[0] >= 19 && edges[0] <= 21);
    w64(t, CONF(0), ENABLE | PERIODIC | SET);
    w64(t, CMP(0), 0);
    clock_step(t, NS_PER_S);
    CHECK(edges[0] <= 22);
}

TEST(level)
{
    struct qt *t = start();

    w64(t, CONF(2), ENABLE | LEVEL | PERIODIC | SET | 2 << 9);
    w64(t, CMP(2), 100000);
    w64(t, GEN, 1);
    clock_step(t, NS_PER_MS);
    CHECK(irq(t, 2));
    CHECK_EQ(r64(t, STATUS), 4);
    w64(t, STATUS, 3); /* other timers' */
    CHECK(irq(t, 2));
    w64(t, STATUS, 4);
    CHECK(!irq(t, 2));
    clock_step(t, NS_PER_MS);
    CHECK(irq(t, 2));
    w64(t, CONF(2), LEVEL | PERIODIC | 2 << 9);
    CHECK(!irq(t, 2));
    w64(t, CONF(2), ENABLE | LEVEL | PERIODIC | 2 << 9);
    CHECK(irq(t, 2));
    w64(t, GEN, 0);
    CHECK(!irq(t, 2));
    w64(t, GEN, 1);
    CHECK(irq(t, 2));
    w64(t, CONF(2), ENABLE | PERIODIC | 2 << 9); /* by edge: there is no status */
    CHECK(!irq(t, 2));
    CHECK_EQ(r64(t, STATUS), 0);
}

TEST(routes_that_are_not_offered_do_not_stick)
{
    struct qt *t = start();

    w64(t, CONF(0), 5 << 9);
    CHECK_EQ(r64(t, CONF(0)), CAPS);
    w64(t, CONF(0), 2 << 9);
    w64(t, CONF(0), 20 << 9);
    CHECK_EQ(r64(t, CONF(0)), CAPS | 2 << 9);
    w64(t, CONF(0), 0x4000 | 0xffffffff00000000); /* FSB, capabilities */
    CHECK_EQ(r64(t, CONF(0)), CAPS);
}

TEST(legacy_replacement_takes_the_clocks_interrupt)
{
    struct qt *t = start();

    qt_config(t, "rtc", "on");
    qt_add(t, &cmos_type, -1);
    outb(t, 0x70, 0x0b);
    outb(t, 0x71, 0x12);
    clock_step(t, NS_PER_S);
    CHECK(irq(t, 8));
    w64(t, GEN, 3);
    CHECK(!irq(t, 8)); /* the clock is cut off */
    w64(t, CONF(1), ENABLE);
    w64(t, CMP(1), 1000);
    w64(t, CONF(0), ENABLE | LEVEL | 2 << 9);
    w64(t, CMP(0), 2000);
    edges[8] = edges[0] = 0;
    clock_step(t, 20000);
    CHECK_EQ(edges[8], 1);
    CHECK(irq(t, 0) && !irq(t, 2));
    w64(t, GEN, 1); /* each where it says again */
    CHECK(!irq(t, 0) && irq(t, 2));
    w64(t, GEN, 0);
    CHECK(!irq(t, 2));
    CHECK(irq(t, 8)); /* the clock's again */
    outb(t, 0x70, 0x0c);
    inb(t, 0x71);
    CHECK(!irq(t, 8));
}

/* 64 bits of 100 MHz last for thousands of years; the counter must not stop before. */
TEST(a_century)
{
    struct qt *t = start();
    const int64_t century = 100LL * 365 * 86400 * NS_PER_S;

    w64(t, GEN, 1);
    clock_step(t, century);
    CHECK_EQ(r64(t, COUNTER), century / 10);
    clock_step(t, 1000);
    CHECK_EQ(r64(t, COUNTER), century / 10 + 100);
}

/* Section 2.3.9.2.2: the comparator goes on by the last value written; nothing was. */
TEST(periodic_without_a_period)
{
    struct qt *t = start();

    w64(t, CMP(0), 1000);
    w64(t, CONF(0), ENABLE | PERIODIC | SET);
    w64(t, CMP(0), 1000); /* sets the accumulator; the period that it also is goes */
    w64(t, CMP(0), 0);
    w64(t, GEN, 1);
    clock_step(t, 10000);
    CHECK_EQ(edges[0], 1);
    CHECK_EQ(r64(t, CMP(0)), 1000);
    clock_step(t, NS_PER_S);
    CHECK_EQ(edges[0], 1);
}
