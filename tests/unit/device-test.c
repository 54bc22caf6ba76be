/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The birth of a device that fails half way, and windows that would lie on each other. */
#include <errno.h>
#include <string.h>
#include "tests/unit/qt.h"

#define DEVFN 0x08
#define BAR   0xf0000000u

struct brick {
    struct pci_func pf;
    struct {
        uint8_t reg;
    } s;
};

static const struct field brick_state[] = { FIELD(struct brick, reg), FIELDS_END };

static unsigned alive;

static uint64_t brick_read(struct device *dev, uint64_t off, unsigned width)
{
    return container_of(pci_of(dev), struct brick, pf)->s.reg;
}

static void brick_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    container_of(pci_of(dev), struct brick, pf)->s.reg = val;
}

static int brick_init(struct device *dev, const struct config *cfg, struct err *err)
{
    alive++;
    return 0;
}

static void brick_fini(struct device *dev)
{
    alive--;
}

static const struct io_range brick_io[] = { { IO_PORT, 0x300, 4, 1, brick_read, brick_write },
                                            { IO_MEM, 0xe0000000, 0x10, 1, brick_read,
                                              brick_write },
                                            { IO_PORT, 0x310, 4, 1, brick_read, brick_write },
                                            { 0 } };
static const struct io_range brick_bar = { IO_MEM, 0, 0x100, 1, brick_read, brick_write };

static unsigned written_off, written_len;

static void brick_cfg(struct pci_func *f, unsigned off, unsigned len)
{
    written_off = off;
    written_len = len;
}

static const struct pci_type brick_type = {
    .dev = { .name = "brick",
             .version = 1,
             DEVICE_LAYOUT(struct brick),
             .io = brick_io,
             .state = brick_state,
             .pci = true,
             .init = brick_init,
             .fini = brick_fini },
    .vendor = 0x1234,
    .device = 0x0001,
    .bar = { &brick_bar },
    .cfg_written = brick_cfg,
};

/* A world that counts what it is asked for, and can refuse it. */
static struct platform_ops ops;
static int ranges, functions, refuse_range, refuse_pci;
static int64_t armed;

static int count_range(struct platform *p, bool add, enum io_space space, uint64_t base,
                       uint64_t size)
{
    if (add && refuse_range && ranges + 1 == refuse_range)
        return -ENOMEM;
    ranges += add ? 1 : -1;
    return 0;
}

static int count_pci(struct platform *p, bool add, unsigned devfn)
{
    if (add && refuse_pci)
        return -EPERM;
    functions += add ? 1 : -1;
    return 0;
}

static void count_timer(struct platform *p, int64_t at)
{
    armed = at;
}

static struct qt *world(void)
{
    struct qt *t = qt_new();

    ops = *t->plat.ops;
    ops.range = count_range;
    ops.pci = count_pci;
    ops.timer = count_timer;
    t->plat.ops = &ops;
    ranges = functions = refuse_range = refuse_pci = 0;
    armed = -1;
    alive = 0;
    return t;
}

static bool fails(struct qt *t, const char *says)
{
    struct err err = { "" };
    struct device *dev = device_new(&t->plat, &brick_type.dev, "b", DEVFN, NULL, &err);

    if (!dev && strcmp(err.msg, says))
        fprintf(stderr, "%s\n", err.msg);
    if (dev)
        device_free(dev);
    return !dev && !strcmp(err.msg, says) && !alive && !t->plat.pci[DEVFN];
}

TEST(the_world_hears_of_every_window_and_of_its_end)
{
    struct qt *t = world();
    struct err err = { "" };
    struct device *dev = device_new(&t->plat, &brick_type.dev, "b", DEVFN, NULL, &err);

    CHECK(dev && alive == 1 && ranges == 3 && functions == 1);
    CHECK(platform_covers(&t->plat, IO_PORT, 0x303));
    CHECK(!platform_covers(&t->plat, IO_PORT, 0x304));
    CHECK(!platform_covers(&t->plat, IO_PORT, 0x2ff));
    CHECK(platform_covers(&t->plat, IO_MEM, 0xe000000f));
    CHECK(!platform_covers(&t->plat, IO_MEM, 0x303));
    device_free(dev);
    CHECK(!alive && !ranges && !functions);
    CHECK(!platform_covers(&t->plat, IO_PORT, 0x303));
    device_free(NULL); /* harmless */
}

TEST(a_world_that_refuses_leaves_nothing_behind)
{
    struct qt *t = world();

    refuse_range = 1;
    CHECK(fails(t, "b: cannot claim ports 0x300-0x303: Cannot allocate memory"));
    refuse_range = 2;
    CHECK(fails(t, "b: cannot claim memory 0xe0000000-0xe000000f: Cannot allocate memory"));
    refuse_range = 0;
    refuse_pci = 1;
    CHECK(fails(t, "b: cannot claim PCI function 01.0: Operation not permitted"));
    CHECK(!ranges && !functions && !t->plat.nwindows[IO_PORT] && !t->plat.nwindows[IO_MEM]);
    refuse_pci = 0;
    qt_add(t, &brick_type.dev, DEVFN); /* and it is as if it had never been tried */
    CHECK(ranges == 3 && functions == 1);
}

TEST(two_of_a_kind_do_not_fit)
{
    struct qt *t = world();
    struct err err = { "" };

    qt_add(t, &brick_type.dev, DEVFN);
    CHECK(!device_new(&t->plat, &brick_type.dev, "c", DEVFN, NULL, &err));
    CHECK(!strcmp(err.msg, "c: PCI slot 1.0 is not free"));
    CHECK(!device_new(&t->plat, &brick_type.dev, "c", 0x1b, NULL, &err));
    CHECK(!strcmp(err.msg, "c: cannot claim ports 0x300-0x303: Device or resource busy"));
    CHECK(alive == 1 && ranges == 3 && functions == 1);
    CHECK(t->plat.pci[DEVFN] && !t->plat.pci[0x1b]);
}

/* PCI 2.1 leaves it open who answers where two BARs overlap; here it is who was there. */
TEST(a_bar_on_another_window_is_not_mapped)
{
    struct qt *t = world();

    qt_add(t, &brick_type.dev, DEVFN);
    cfg_write(t, DEVFN, PCI_COMMAND, PCI_COMMAND_MEM, 2);
    cfg_write(t, DEVFN, PCI_BAR0, 0xe0000000, 4);
    CHECK_EQ(guest_errors(t), 1);
    CHECK(ranges == 3 && !pci_of(t->dev)->mapped[0]);
    CHECK_EQ(mmio_read(t, 0xe0000080, 1), 0xff);
    mmio_write(t, 0xe0000003, 0x5a, 1);
    CHECK_EQ(mmio_read(t, 0xe0000000, 1), 0x5a);
    cfg_write(t, DEVFN, PCI_BAR0, BAR, 4);
    CHECK_EQ(ranges, 4);
    CHECK_EQ(mmio_read(t, BAR + 0xff, 1), 0x5a);
    CHECK(written_off == PCI_BAR0 && written_len == 4);
}

TEST(windows_that_cannot_be)
{
    struct qt *t = world();
    static const struct io_range one = { IO_MEM, 0, 0x10, 1, brick_read, brick_write };
    struct device *dev;
    unsigned n;

    qt_no_reload(t, "its windows are claimed by hand");
    qt_add(t, &brick_type.dev, DEVFN);
    dev = t->dev;
    CHECK_EQ(platform_map(&t->plat, dev, &one, 0x1000, 0), -EINVAL);
    CHECK_EQ(platform_map(&t->plat, dev, &one, UINT64_MAX - 7, 0x10), -EINVAL);
    CHECK_EQ(platform_map(&t->plat, dev, &one, UINT64_MAX - 15, 0x10), 0); /* the last 16 bytes */
    CHECK_EQ(mmio_read(t, UINT64_MAX, 1), 0);
    CHECK_EQ(platform_map(&t->plat, dev, &one, 0xdffffff1, 0x10), -EBUSY);
    CHECK_EQ(platform_map(&t->plat, dev, &one, 0xe000000f, 0x10), -EBUSY);
    for (n = 0; platform_map(&t->plat, dev, &one, 0x100000 + 0x10 * n, 0x10) == 0; n++) {
        if (n > PLATFORM_WINDOWS)
            break;
    }
    CHECK_EQ(n, PLATFORM_WINDOWS - 2);
    CHECK_EQ(platform_map(&t->plat, dev, &one, 0x900000, 0x10), -ENOSPC);
    while (n--)
        platform_unmap(&t->plat, dev, &one, 0x100000 + 0x10 * n);
    platform_unmap(&t->plat, dev, &one, 0x555550); /* of nobody: nothing happens */
    platform_unmap(&t->plat, dev, &one, UINT64_MAX - 15);
    CHECK_EQ(ranges, 3);
}

TEST(without_bus_mastering_no_dma)
{
    struct qt *t = world();
    struct pci_func *f;
    uint32_t val = 0x12345678;
    uint64_t got = 0;

    qt_add(t, &brick_type.dev, DEVFN);
    f = pci_of(t->dev);
    put32(t, 0x1000, 0xcafe0000);
    CHECK_EQ(pci_dma_write(f, 0x1000, &val, 4), -EPERM);
    CHECK_EQ(pci_dma_read(f, 0x1000, &val, 4), -EPERM);
    CHECK_EQ(val, 0xffffffff);
    CHECK(!pci_dma_pin(f, 0x1000, 4, false, &got));
    CHECK_EQ(ram32(t, 0x1000), 0xcafe0000);
    cfg_write(t, DEVFN, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    f = pci_of(t->dev);
    CHECK_EQ(pci_dma_read(f, 0x1000, &val, 4), 0);
    CHECK_EQ(val, 0xcafe0000);
    CHECK_EQ(pci_dma_write(f, QT_RAM - 2, &val, 4), -EFAULT);
    CHECK_EQ(pci_dma_read(f, QT_RAM, &val, 4), -EFAULT);
    CHECK_EQ(val, 0xffffffff);
}

static void fired(void *arg)
{
    ++*(unsigned *)arg;
}

/* The world is told the earliest deadline, and only of changes of it. */
TEST(the_world_is_told_when_to_come_back)
{
    struct qt *t = world();
    struct timer a = { 0 }, b = { 0 };
    unsigned na = 0, nb = 0;

    timer_init(&t->plat, &a, fired, &na);
    timer_init(&t->plat, &b, fired, &nb);
    timer_set(&t->plat, &a, t->now + 100);
    CHECK_EQ(armed, t->now + 100);
    armed = -1;
    timer_set(&t->plat, &b, t->now + 200);
    CHECK_EQ(armed, -1);
    clock_step(t, 150);
    CHECK(na == 1 && !nb);
    CHECK_EQ(armed, t->now + 50);
    timer_set(&t->plat, &b, TIMER_OFF);
    CHECK_EQ(armed, TIMER_OFF);
    timer_fini(&t->plat, &b);
    timer_fini(&t->plat, &a);
}
