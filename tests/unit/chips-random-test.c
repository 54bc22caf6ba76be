/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest gone mad: random accesses, config writes, keys, movement, time and
 * resets against each small chip. After every step the state must be one that
 * its table allows, and now and then it must survive save and load.
 */
#include <string.h>
#include "hw/core/buf.h"
#include "hw/core/sink.h"
#include "hw/devices.h"
#include "hw/piix4-pm.h"
#include "hw/ps2.h"
#include "tests/unit/qt.h"
#include "tests/unit/random.h"

#define STEPS 20000

/* Values that mean something are more likely than others. */
static uint64_t interesting(uint64_t *r)
{
    static const uint8_t bytes[] = { 0x00, 0xff, 0x01, 0x80, 0xd4, 0x60, 0xf4, 0xf3,
                                     0xc8, 0x50, 0x64, 0xaa, 0xd1, 0xd3, 0xeb, 0xfe };

    return rnd(r) % 3 ? bytes[rnd(r) % sizeof(bytes)] : rnd64(r);
}

static void random_access(struct qt *t, uint64_t *r)
{
    enum io_space space = t->plat.nwindows[IO_PORT] ? IO_PORT : IO_MEM;
    unsigned n = t->plat.nwindows[space];
    unsigned width = 1u << rnd(r) % 3;
    const struct window *w;
    struct io_req req;

    if (!n)
        return;
    w = &t->plat.windows[space][rnd(r) % n];
    req = (struct io_req){ space, rnd(r) & 1, width, w->base + rnd(r) % w->size, 0 };
    req.data = interesting(r) & (width == 4 ? 0xffffffff : (1u << 8 * width) - 1);
    platform_io(&t->plat, &req);
}

static void random_config(struct qt *t, uint64_t *r)
{
    struct io_req req = { IO_PORT, true, 1u << rnd(r) % 3, 0, rnd(r) };

    if (t->dev->type->pci)
        platform_pci_cfg(&t->plat, pci_of(t->dev)->devfn, rnd(r) & 0xfc, &req);
}

static void random_event(struct qt *t, uint64_t *r)
{
    if (t->dev->type == &i8042_type && rnd(r) & 1)
        i8042_key(t->dev, rnd(r) % 256, rnd(r) & 1);
    else if (t->dev->type == &i8042_type)
        i8042_move(t->dev, (int16_t)rnd(r), (int16_t)rnd(r), (int8_t)rnd(r), rnd(r) & 0xff);
    if (t->dev->type == &piix4_pm_type.dev)
        pm_cpu_plug(t->dev, rnd(r) % 300);
}

static void save_and_load(struct qt *t)
{
    struct buf a = { 0 }, b = { 0 };
    struct err err = { "" };

    state_save(t->dev, &a);
    CHECK(state_load(t->dev, &a, &err) == 0);
    state_save(t->dev, &b);
    CHECK(a.len == b.len && !memcmp(a.data, b.data, a.len));
    buf_free(&a);
    buf_free(&b);
}

static void step(struct qt *t, uint64_t *r, struct sink *host)
{
    unsigned what = rnd(r) % 100;
    uint64_t data = rnd64(r);

    if (what < 80)
        random_access(t, r);
    else if (what < 85)
        random_config(t, r);
    else if (what < 92)
        random_event(t, r);
    else if (what < 94)
        sink_feed(host, &data, sizeof(data));
    else if (what < 97)
        clock_step(t, rnd(r) % NS_PER_MS);
    else if (what < 99)
        save_and_load(t);
    else if (rnd(r) % 20 == 0)
        device_reset(t->dev, rnd(r) & 1 ? RESET_WARM : RESET_COLD);
}

static void go_mad(const struct device_type *type)
{
    uint64_t r = 0x9e3779b97f4a7c15ULL;
    struct sink host = { 0 };
    struct config cfg = { 0 };
    struct err err;
    struct qt *t = qt_new();

    qt_no_reload(t, "saves and loads by itself");
    config_set(&cfg, "sink", "mem:");
    CHECK(sink_open(&host, NULL, &cfg, "sink", &err) == 0);
    config_free(&cfg);
    qt_config_obj(t, "sink", &host);
    qt_config(t, "pm1-timer", "on");
    qt_config(t, "rtc", "on");
    qt_config(t, "drive0", "on");
    qt_add(t, type, type->pci ? PCI_DEVFN(2, 0) : -1);
    for (unsigned i = 0; i < STEPS; i++) {
        step(t, &r, &host);
        CHECK(state_valid(t->dev));
    }
    sink_close(&host);
}

#define MAD(type, dev)                                                                             \
    TEST(type)                                                                                     \
    {                                                                                              \
        go_mad(dev);                                                                               \
    }

MAD(i440fx, &i440fx_type.dev)
MAD(piix3, &piix3_type.dev)
MAD(piix4_pm, &piix4_pm_type.dev)
MAD(xen_platform, &xen_platform_type.dev)
MAD(pci_host, &pci_host_type)
MAD(port92, &port92_type)
MAD(cmos, &cmos_type)
MAD(dma8237, &dma8237_type)
MAD(i8042, &i8042_type)
MAD(serial, &serial_type)
MAD(parallel, &parallel_type)
MAD(debugcon, &debugcon_type)
MAD(fw_cfg, &fw_cfg_type)
MAD(hpet, &hpet_type)
MAD(fdc, &fdc_type)
