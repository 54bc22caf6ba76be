/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core with a device made to be looked at: splitting, state tables, PCI, timers. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "hw/core/buf.h"
#include "hw/core/irq.h"
#include "hw/core/log.h"
#include "tests/unit/qt.h"

struct toy {
    struct pci_func pf;
    struct irq irq;
    struct {
        struct timer alarm;
        uint32_t reg;
        uint16_t last_off;
        uint8_t last_width;
        bool fired;
    } s;
};

static const struct field toy_state[] = { FIELD(struct toy, alarm),
                                          FIELD(struct toy, reg, .max = 0xffff),
                                          FIELD(struct toy, last_off, .bits = 0xf0ff),
                                          FIELD(struct toy, last_width, .max = 8),
                                          FIELD(struct toy, fired),
                                          FIELDS_END };

static struct toy *toy_of(struct device *dev)
{
    return container_of(pci_of(dev), struct toy, pf);
}

static uint64_t toy_read(struct device *dev, uint64_t off, unsigned width)
{
    return off < 4 ? (uint64_t)toy_of(dev)->s.reg >> (8 * off) : 0x11223344;
}

static void toy_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct toy *t = toy_of(dev);

    t->s.last_off = off;
    t->s.last_width = width;
    if (off == 0)
        t->s.reg = val & 0xffff;
    if (off == 4)
        timer_set(dev->plat, &t->s.alarm, platform_now(dev->plat) + (int64_t)val);
}

static void toy_sync(struct device *dev)
{
    irq_set(&toy_of(dev)->irq, toy_of(dev)->s.fired);
    pci_intx(pci_of(dev), toy_of(dev)->s.fired);
}

static void toy_fire(void *arg)
{
    struct toy *t = arg;

    t->s.fired = true;
    toy_sync(&t->pf.dev);
}

static int toy_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct toy *t = toy_of(dev);

    irq_isa(dev, &t->irq, 5);
    timer_init(dev->plat, &t->s.alarm, toy_fire, t);
    return config_bool(cfg, "broken", false) ? err_set(err, -EINVAL, "toy: told to be broken") : 0;
}

static void toy_fini(struct device *dev)
{
    timer_fini(dev->plat, &toy_of(dev)->s.alarm);
}

static const struct io_range toy_io[] = { { IO_PORT, 0x200, 8, 1 | 2 | 4, toy_read, toy_write },
                                          { IO_PORT, 0x208, 3, 1, toy_read, toy_write },
                                          { 0 } };
static const struct io_range toy_bar = { IO_MEM, 0, 0x1000, 1 | 2 | 4, toy_read, toy_write };
static const struct io_range toy_iobar = { IO_PORT, 0, 0x10, 1, toy_read, toy_write };

static const struct pci_reg toy_regs[] = { { 0x40, 4, 0x12340000, 0x0000ffff, 0 },
                                           { 0x44, 1, 0x00, 0x00, 0xff },
                                           { 0 } };

static const struct pci_type toy_type = {
    .dev = { .name = "toy",
             .version = 2,
             DEVICE_LAYOUT(struct toy),
             .io = toy_io,
             .state = toy_state,
             .pci = true,
             .init = toy_init,
             .fini = toy_fini,
             .sync = toy_sync },
    .vendor = 0x1234,
    .device = 0x5678,
    .class_code = 0x020000,
    .intx = 1,
    .bar = { &toy_bar, &toy_iobar },
    .regs = toy_regs,
};

TEST(accesses_are_cut_to_what_the_device_takes)
{
    struct qt *t = qt_start(&toy_type.dev);

    outl(t, 0x200, 0xaabbccdd);
    CHECK_EQ(toy_of(t->dev)->s.last_width, 4);
    CHECK_EQ(inl(t, 0x200), 0xccdd);
    outw(t, 0x209, 0xffff); /* two byte cycles */
    CHECK_EQ(toy_of(t->dev)->s.last_width, 1);
    CHECK_EQ(toy_of(t->dev)->s.last_off, 2);
    CHECK_EQ(inl(t, 0x20a), 0xffffff00); /* the last three have no owner */
    CHECK_EQ(inw(t, 0x1ff), 0xddff);
    CHECK_EQ(inb(t, 0x1000), 0xff);
}

TEST(unaligned_wide_access_is_cut_to_aligned_ones)
{
    struct qt *t = qt_start(&toy_type.dev);

    outw(t, 0x201, 0x1234);
    CHECK_EQ(toy_of(t->dev)->s.last_width, 1);
    CHECK_EQ(toy_of(t->dev)->s.last_off, 2);
}

TEST(bars_are_sized_mapped_and_moved)
{
    struct qt *t = qt_start(&toy_type.dev);

    cfg_write(t, 0x08, 0x10, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, 0x08, 0x10, 4), 0xfffff000);
    cfg_write(t, 0x08, 0x14, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, 0x08, 0x14, 4), 0xfffffff1);
    CHECK_EQ(cfg_read(t, 0x08, 0x18, 4), 0);
    cfg_write(t, 0x08, 0x10, 0xf0001000, 4);
    cfg_write(t, 0x08, 0x14, 0xc000, 4);
    CHECK_EQ(mmio_read(t, 0xf0001008, 4), 0xffffffff);
    cfg_write(t, 0x08, 0x04, 7, 2);
    CHECK_EQ(mmio_read(t, 0xf0001008, 4), 0x11223344);
    CHECK_EQ(inb(t, 0xc008), 0x44);
    cfg_write(t, 0x08, 0x10, 0xf0002000, 4);
    CHECK_EQ(mmio_read(t, 0xf0001008, 4), 0xffffffff);
    CHECK_EQ(mmio_read(t, 0xf0002008, 4), 0x11223344);
    cfg_write(t, 0x08, 0x04, 0, 2);
    CHECK_EQ(mmio_read(t, 0xf0002008, 4), 0xffffffff);
}

TEST(config_masks_hold)
{
    struct qt *t = qt_start(&toy_type.dev);

    cfg_write(t, 0x08, 0x00, 0, 4);
    CHECK_EQ(cfg_read(t, 0x08, 0x00, 4), 0x56781234);
    cfg_write(t, 0x08, 0x40, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, 0x08, 0x40, 4), 0x1234ffff);
    cfg_write(t, 0x08, 0x3c, 0xaa, 1);
    CHECK_EQ(cfg_read(t, 0x08, 0x3c, 2), 0x01aa);
    pci_of(t->dev)->cfg[0x44] = 0x0f;
    cfg_write(t, 0x08, 0x44, 0x05, 1);
    CHECK_EQ(cfg_read(t, 0x08, 0x44, 1), 0x0a);
    CHECK_EQ(cfg_read(t, 0x10, 0x00, 4), 0xffffffff);
}

TEST(timers_fire_in_guest_time_and_survive_a_save)
{
    struct qt *t = qt_start(&toy_type.dev);

    outl(t, 0x204, 5000);
    clock_step(t, 4999);
    CHECK(!irq(t, 5));
    clock_step(t, 1);
    CHECK(irq(t, 5));
    CHECK(intx(t, 1, 0));
    device_reset(t->dev, RESET_WARM);
    CHECK(!irq(t, 5));
}

TEST(intx_can_be_disabled)
{
    struct qt *t = qt_start(&toy_type.dev);

    outl(t, 0x204, 1);
    clock_step(t, 2);
    cfg_write(t, 0x08, 0x04, 0x400, 2);
    CHECK(!intx(t, 1, 0));
    CHECK_EQ(cfg_read(t, 0x08, 0x06, 2) & 8, 8);
    cfg_write(t, 0x08, 0x04, 0, 2);
    CHECK(intx(t, 1, 0));
}

TEST(a_bad_image_changes_nothing)
{
    struct qt *t = qt_start(&toy_type.dev);
    struct buf b = { 0 };
    struct err err;

    outl(t, 0x200, 0x1111);
    state_save(t->dev, &b);
    outl(t, 0x200, 0x2222);
    for (size_t len = 0; len < b.len; len++) { /* every truncation */
        struct buf cut = { .data = b.data, .len = len };

        CHECK(state_load(t->dev, &cut, &err) < 0);
        CHECK_EQ(inl(t, 0x200), 0x2222);
    }
    for (size_t i = 0; i + 256 < b.len; i++) { /* a reg over its max is somewhere in here */
        struct buf one = { .data = malloc(b.len), .len = b.len };

        memcpy(one.data, b.data, b.len);
        one.data[i] ^= 0x80;
        if (!state_load(t->dev, &one, &err))
            CHECK(state_valid(t->dev));
        free(one.data);
    }
    CHECK_EQ(state_load(t->dev, &b, &err), 0);
    CHECK_EQ(inl(t, 0x200), 0x1111);
    buf_free(&b);
}

/* A number below the largest one can still have a bit that no write can set. */
TEST(a_register_with_a_bit_it_does_not_have_is_refused)
{
    struct qt *t = qt_start(&toy_type.dev);
    struct err err;
    struct buf b = { 0 };

    toy_of(t->dev)->s.last_off = 0xf0ff;
    CHECK(state_valid(t->dev));
    toy_of(t->dev)->s.last_off = 0x0f00;
    CHECK(!state_valid(t->dev));
    state_save(t->dev, &b);
    toy_of(t->dev)->s.last_off = 0x10;
    CHECK(state_load(t->dev, &b, &err) < 0);
    CHECK_EQ(toy_of(t->dev)->s.last_off, 0x10);
    buf_free(&b);
}

TEST(coverage_notices_a_forgotten_field)
{
    static const struct field some[] = { FIELD(struct toy, alarm), FIELD(struct toy, reg),
                                         FIELD(struct toy, last_off), FIELD(struct toy, fired),
                                         FIELDS_END };
    struct device_type type = toy_type.dev;

    CHECK(state_covers(&type));
    type.state = some;
    CHECK(!state_covers(&type));
}

TEST(a_failed_device_leaves_nothing)
{
    struct qt *t = qt_new();
    struct config cfg = { 0 };
    struct err err;

    config_set(&cfg, "broken", "on");
    CHECK(!device_new(&t->plat, &toy_type.dev, "toy", 8, &cfg, &err));
    CHECK(!strcmp(err.msg, "toy: told to be broken"));
    CHECK(device_new(&t->plat, &toy_type.dev, "toy", 256, NULL, &err) == NULL);
    CHECK_EQ(t->plat.nwindows[IO_PORT], 0);
    CHECK(!t->plat.pci[8]);
    config_free(&cfg);
}

TEST(shared_lines_are_ored)
{
    struct qt *t = qt_new();
    struct irq a = { .drive = platform_isa_irq, .to = &t->plat, .pin = 4 }, b = a;

    irq_set(&a, true);
    irq_set(&b, true);
    irq_set(&a, false);
    CHECK(irq(t, 4));
    irq_set(&b, false);
    CHECK(!irq(t, 4));
}

TEST(config_numbers)
{
    struct config cfg = { 0 };
    struct err err;
    uint64_t v;

    config_set(&cfg, "a", "0x10");
    config_set(&cfg, "b", "ten");
    config_set(&cfg, "c", "-1");
    CHECK_EQ(config_uint(&cfg, "a", 1, 100, &v, &err), 0);
    CHECK_EQ(v, 16);
    CHECK(config_uint(&cfg, "a", 1, 15, &v, &err) < 0);
    CHECK(config_uint(&cfg, "b", 1, 15, &v, &err) < 0);
    CHECK(config_uint(&cfg, "c", 1, ~0ULL, &v, &err) < 0);
    CHECK_EQ(config_uint(&cfg, "d", 7, 15, &v, &err), 0);
    CHECK_EQ(v, 7);
    config_free(&cfg);
}

/* A guest that filled the log's allowance could keep the host's own messages out of it. */
TEST(a_flood_in_the_log_is_bounded_and_hides_nothing_of_ours)
{
    static char text[1 << 16];
    int fd = memfd_create("log", MFD_CLOEXEC), status = 0;
    unsigned lines = 0;
    pid_t pid = fork();

    if (pid == 0) {
        dup2(fd, STDERR_FILENO);
        for (unsigned i = 0; i < 10000; i++)
            log_provoked("flood %u", i);
        log_line("the disk is full");
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(pread(fd, text, sizeof(text) - 1, 0) > 0);
    close(fd);
    for (const char *p = text; (p = strchr(p, '\n')); p++)
        lines++;
    CHECK(lines > LOG_BURST / 2 && lines <= LOG_BURST + 2);
    CHECK(strstr(text, "the disk is full\n") != NULL);
}
