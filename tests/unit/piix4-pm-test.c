/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power management at 00:01.3, as hvmloader, the DSDT and Linux drive it. */
#include <string.h>
#include "hw/core/buf.h"
#include "hw/devices.h"
#include "hw/piix4-pm.h"
#include "tests/unit/qt.h"

#define PM  PCI_DEVFN(1, 3)
#define SCI 9

/* What hvmloader writes, in its order. */
static struct qt *start_with(const char *cpus, const char *pm1)
{
    struct qt *t = qt_new();

    qt_config(t, "cpus", cpus);
    qt_config(t, "pm1-timer", pm1);
    qt_add(t, &piix4_pm_type.dev, PM);
    cfg_write(t, PM, 0x20, 0, 2);
    cfg_write(t, PM, 0xd2, 0, 2);
    cfg_write(t, PM, 0x22, 0, 2);
    cfg_write(t, PM, 0x3c, 0x0009, 2);
    cfg_write(t, PM, 0x3c, 0x0001, 2);
    cfg_write(t, PM, 0x40, 0xb001, 4);
    cfg_write(t, PM, 0x80, 1, 1);
    return t;
}

static struct qt *start(void)
{
    return start_with("2", "off");
}

TEST(identity_and_hvmloaders_writes)
{
    struct qt *t = start();

    CHECK_EQ(cfg_read(t, PM, 0x00, 4), 0x71138086);
    CHECK_EQ(cfg_read(t, PM, 0x08, 4), 0x06800003);
    CHECK_EQ(cfg_read(t, PM, 0x2c, 4), 0x11001af4);
    CHECK_EQ(cfg_read(t, PM, 0x40, 4), 0xb001);
    CHECK_EQ(cfg_read(t, PM, 0x3d, 1), 1);
    cfg_write(t, PM, 0x3c, 0x0a, 1);
    CHECK_EQ(cfg_read(t, PM, 0x3c, 2), 0x010a);
}

TEST(the_block_is_where_config_says)
{
    struct qt *t = start();

    CHECK_EQ(inw(t, 0xb004), 0);
    CHECK_EQ(inl(t, 0xb000), 0xffffffff); /* the hypervisor's */
    CHECK_EQ(inl(t, 0xb008), 0xffffffff);
    cfg_write(t, PM, 0x40, 0x0601, 4);
    CHECK_EQ(inw(t, 0xb004), 0xffff);
    CHECK_EQ(inw(t, 0x604), 0);
    cfg_write(t, PM, 0x80, 0, 1);
    CHECK_EQ(inw(t, 0x604), 0xffff);
    cfg_write(t, PM, 0x80, 1, 1);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(inw(t, 0x604), 0xffff);
}

TEST(apm_commands_switch_sci_en)
{
    struct qt *t = start();

    CHECK_EQ(inb(t, 0xb004), 0);
    outb(t, 0xb2, 0xf1); /* hvmloader gives up if this does not work */
    CHECK_EQ(inb(t, 0xb004), 1);
    CHECK_EQ(inb(t, 0xb2), 0xf1);
    outb(t, 0xb3, 0x77);
    CHECK_EQ(inb(t, 0xb3), 0x77);
    outb(t, 0xb2, 0x42);
    CHECK_EQ(inb(t, 0xb004), 1);
    outb(t, 0xb2, 0xf0);
    CHECK_EQ(inb(t, 0xb004), 0);
}

TEST(sleep_types)
{
    static const int asks[8] = { POWER_OFF, POWER_SUSPEND, POWER_OFF, -1, -1, -1, -1, -1 };
    struct qt *t = start();

    for (unsigned typ = 0; typ < 8; typ++) {
        t->power = -1;
        outw(t, 0xb004, typ << 10 | 1);
        CHECK_EQ(t->power, -1); /* not before SLP_EN */
        outw(t, 0xb004, typ << 10 | 0x2000 | 1);
        CHECK_EQ(t->power, asks[typ]);
        CHECK_EQ(inw(t, 0xb004), typ << 10 | 1); /* SLP_EN reads 0 */
    }
    CHECK_EQ(guest_errors(t), 5);
    t->power = -1;
    outb(t, 0xb005, 0x24); /* by bytes */
    CHECK_EQ(t->power, POWER_SUSPEND);
    t->power = -1;
    outb(t, 0xb004, 0);
    CHECK_EQ(t->power, -1);
    CHECK_EQ(inw(t, 0xb004), 0x0400);
}

#define PM1 0xb000 /* status, enable two bytes on */

static void sleep_s3(struct qt *t)
{
    outw(t, 0xb004, 0x2401);
    CHECK_EQ(t->power, POWER_SUSPEND);
    t->power = -1;
}

/* As the machine does it. */
static void wake_reset(struct qt *t)
{
    device_reset(t->dev, RESET_WAKE);
    cfg_write(t, PM, 0x40, 0xb001, 4);
    cfg_write(t, PM, 0x80, 1, 1);
}

TEST(the_power_button_wakes_who_sleeps)
{
    struct qt *t = start_with("2", "on");

    pm_power_button(t->dev);
    qt_touched(t);
    CHECK_EQ(t->power, -1); /* nobody sleeps */
    outw(t, PM1, 0x0100);
    sleep_s3(t);
    pm_power_button(t->dev);
    qt_touched(t);
    CHECK_EQ(t->power, POWER_WAKE);
    t->power = -1;
    pm_power_button(t->dev);
    CHECK_EQ(t->power, -1); /* once */
    wake_reset(t);
    CHECK_EQ(inw(t, PM1), 0x8100);
    CHECK_EQ(inw(t, PM1 + 2), 0);
    outw(t, PM1, 0x8000);
    CHECK_EQ(inw(t, PM1), 0x0100);
}

TEST(an_alarm_wakes_who_has_enabled_it)
{
    struct qt *t = start_with("2", "on");

    sleep_s3(t);
    pm_rtc_alarm(t->dev);
    qt_touched(t);
    CHECK_EQ(t->power, -1);
    outw(t, PM1, 0x0400);
    outw(t, PM1 + 2, 0x0400);
    pm_rtc_alarm(t->dev);
    qt_touched(t);
    CHECK_EQ(t->power, POWER_WAKE);
    wake_reset(t);
    CHECK_EQ(inw(t, PM1), 0x8400);
}

TEST(other_wakers)
{
    struct qt *t = start_with("2", "on");

    pm_wake(t->dev);
    CHECK_EQ(t->power, -1);
    sleep_s3(t);
    pm_wake(t->dev);
    qt_touched(t);
    CHECK_EQ(t->power, POWER_WAKE);
    wake_reset(t);
    CHECK_EQ(inw(t, PM1), 0x8000);
    t->power = -1;
    sleep_s3(t);
    pm_woken(t->dev); /* by the toolstack */
    qt_touched(t);
    pm_wake(t->dev);
    CHECK_EQ(t->power, -1);
    sleep_s3(t);
    device_reset(t->dev, RESET_WARM); /* a plain reset is none */
    pm_wake(t->dev);
    CHECK_EQ(t->power, -1);
    cfg_write(t, PM, 0x40, 0xb001, 4);
    cfg_write(t, PM, 0x80, 1, 1);
    CHECK_EQ(inw(t, PM1), 0);
}

TEST(cpu_hotplug)
{
    struct qt *t = start_with("9", "off");

    CHECK_EQ(inb(t, 0xaf00), 0xff);
    CHECK_EQ(inb(t, 0xaf01), 0x01);
    CHECK_EQ(inb(t, 0xaf1f), 0x00);
    CHECK(!pm_cpu_present(t->dev, 9));
    outw(t, 0xafe2, 0x0006); /* enable */
    pm_cpu_plug(t->dev, 9);
    qt_touched(t);
    pm_cpu_plug(t->dev, 5000);
    CHECK(pm_cpu_present(t->dev, 9) && !pm_cpu_present(t->dev, 5000));
    CHECK(irq(t, SCI));
    CHECK_EQ(inw(t, 0xafe0), 0x0004);
    CHECK_EQ(inb(t, 0xaf01), 0x03);
    outb(t, 0xafe0, 0x04);
    CHECK(!irq(t, SCI));
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(inb(t, 0xaf01), 0x03); /* it does not leave because the guest restarts */
    device_reset(t->dev, RESET_COLD);
    CHECK_EQ(inb(t, 0xaf01), 0x01);
    outb(t, 0xaf00, 0);
    CHECK_EQ(inb(t, 0xaf00), 0xff);
}

TEST(gpe_levels)
{
    struct qt *t = start();

    pm_cpu_plug(t->dev, 1);
    qt_touched(t);
    CHECK(!irq(t, SCI)); /* not enabled */
    outb(t, 0xafe2, 0x04);
    CHECK(irq(t, SCI));
    outb(t, 0xafe2, 0x00);
    CHECK(!irq(t, SCI));
    outl(t, 0xafe0, 0xffff0002); /* another status bit, all enables */
    CHECK(irq(t, SCI));
    CHECK_EQ(inl(t, 0xafe0), 0xffff0004);
    outw(t, 0xafe0, 0xffff);
    CHECK(!irq(t, SCI));
}

static void ejected(void *arg, unsigned slot)
{
    *(uint32_t *)arg |= 1u << slot;
}

TEST(pci_hotplug)
{
    struct qt *t = start();
    uint32_t gone = 0;

    qt_no_reload(t, "the eject callback belongs to the device that was made");
    pm_set_eject(t->dev, ejected, &gone);
    outb(t, 0xafe2, 0x02);
    pm_pci_plugged(t->dev, 5);
    CHECK(irq(t, SCI));
    CHECK_EQ(inl(t, 0xae00), 0x20);
    CHECK_EQ(inl(t, 0xae00), 0x20); /* reading does not clear it */
    pm_pci_unplug_request(t->dev, 5);
    pm_pci_unplug_request(t->dev, 77);
    CHECK_EQ(inl(t, 0xae04), 0x20);
    outl(t, 0xae08, 0x20);
    CHECK_EQ(gone, 0x20);
    CHECK_EQ(inl(t, 0xae00), 0);
    CHECK_EQ(inl(t, 0xae04), 0);
    CHECK_EQ(inl(t, 0xae08), 0);
    outb(t, 0xafe0, 0x02);
    CHECK(!irq(t, SCI));
}

TEST(bridges_stay)
{
    struct qt *t = start();
    qt_add(t, &i440fx_type.dev, 0);
    qt_add(t, &piix3_type.dev, PCI_DEVFN(1, 0));
    CHECK_EQ(inl(t, 0xae0c), 0xfffffffc);
    CHECK_EQ(inl(t, 0xae14), 0);
}

TEST(smbus_is_idle_and_nobody_answers)
{
    struct qt *t = start();

    CHECK_EQ(inb(t, 0xb100), 0xff);
    cfg_write(t, PM, 0x90, 0xb101, 4);
    cfg_write(t, PM, 0xd2, 1, 1);
    CHECK_EQ(inb(t, 0xb100), 0xff); /* not without I/O decoding */
    cfg_write(t, PM, 0x04, 1, 2);
    CHECK_EQ(inb(t, 0xb100), 0);
    outb(t, 0xb104, 0xa1);
    outb(t, 0xb102, 0x48);
    CHECK_EQ(inb(t, 0xb100), 0x04);
    CHECK_EQ(inb(t, 0xb102), 0x08);
    CHECK_EQ(inb(t, 0xb104), 0xa1);
    outb(t, 0xb100, 0xff);
    CHECK_EQ(inb(t, 0xb100), 0);
}

TEST(pm_timer_where_it_is_ours)
{
    struct qt *t = start_with("1", "on");
    uint32_t a, b;

    a = inl(t, 0xb008);
    CHECK(a < 0x1000000);
    clock_step(t, NS_PER_S);
    b = inl(t, 0xb008);
    CHECK(((b - a) & 0xffffff) >= 3579544 && ((b - a) & 0xffffff) <= 3579546);
    outw(t, 0xb000, 0x0001);
    outw(t, 0xb002, 0x0001);
    CHECK(!irq(t, SCI));
    outw(t, 0xb004, 1);
    clock_step(t, 2 * NS_PER_S);
    CHECK(irq(t, SCI)); /* bit 23 changed */
    CHECK_EQ(inw(t, 0xb000), 0x0001);
    outb(t, 0xb000, 1);
    CHECK(!irq(t, SCI));
    a = inl(t, 0xb008);
    for (unsigned i = 0; i < 40; i++) { /* no jump at an overflow, nor over a reload */
        clock_step(t, 333333333);
        b = inl(t, 0xb008);
        CHECK(((b - a) & 0xffffff) >= 1193180 && ((b - a) & 0xffffff) <= 1193183);
        a = b;
    }
}

TEST(a_late_host_does_not_slow_the_timer)
{
    struct qt *t = start_with("1", "on");
    uint32_t a = inl(t, 0xb008), b;

    for (unsigned i = 0; i < 10; i++) { /* every deadline is served some ms late */
        int64_t next = timers_next(&t->plat);

        t->now = next + 7 * NS_PER_MS;
        timers_run(&t->plat, t->now);
        qt_touched(t);
    }
    b = inl(t, 0xb008); /* ten changes of bit 23, and 7 ms: an even number of halves */
    CHECK(((b - a) & 0xffffff) >= 25056 && ((b - a) & 0xffffff) <= 25058);
}

TEST(power_button_where_it_is_ours)
{
    struct qt *t = start_with("1", "on");

    outb(t, 0xb2, 0xf1);
    outw(t, 0xb002, 0x0100);
    pm_power_button(t->dev);
    qt_touched(t);
    CHECK(irq(t, SCI));
    CHECK_EQ(inw(t, 0xb000) & 0x0100, 0x0100);
    outw(t, 0xb000, 0x0100);
    CHECK(!irq(t, SCI));
    CHECK_EQ(inw(t, 0xb002), 0x0100);
}

TEST(power_button_elsewhere_is_not_ours)
{
    struct qt *t = start();

    pm_power_button(t->dev);
    qt_touched(t);
    CHECK(!irq(t, SCI));
}

TEST(the_smbus_block_moves)
{
    struct qt *t = start();

    cfg_write(t, PM, 0x90, 0xb101, 4);
    cfg_write(t, PM, 0xd2, 1, 1);
    cfg_write(t, PM, 0x04, 1, 2);
    for (unsigned reg = 3; reg < 10; reg++)
        outb(t, 0xb100 + reg, 0x30 + reg);
    cfg_write(t, PM, 0x90, 0x7000, 4);
    CHECK_EQ(cfg_read(t, PM, 0x90, 4), 0x7001);
    CHECK_EQ(inb(t, 0xb103), 0xff);
    for (unsigned reg = 3; reg < 10; reg++)
        CHECK_EQ(inb(t, 0x7000 + reg), 0x30 + reg);
    cfg_write(t, PM, 0x90, 0x2f0, 4); /* over nothing of ours */
    CHECK_EQ(inb(t, 0x2f3), 0x33);
    cfg_write(t, PM, 0x90, 0xaf00, 4); /* over our CPU bitmap: refused */
    CHECK_EQ(inb(t, 0xaf00), 0x03);
    CHECK(guest_errors(t) >= 1);
    cfg_write(t, PM, 0xd2, 0, 1);
    CHECK_EQ(inb(t, 0x2f3), 0xff);
}

TEST(monitor_registers_are_stored)
{
    struct qt *t = start();

    for (unsigned reg = 0x44; reg < 0x80; reg += 4)
        cfg_write(t, PM, reg, 0xa5000000 + reg, 4);
    for (unsigned reg = 0x44; reg < 0x80; reg += 4)
        CHECK_EQ(cfg_read(t, PM, reg, 4), 0xa5000000 + reg);
}

TEST(bad_config_is_refused)
{
    struct qt *t = qt_new();
    struct config cfg = { 0 };
    struct err err = { "" };

    config_set(&cfg, "cpus", "257");
    CHECK(!device_new(&t->plat, &piix4_pm_type.dev, "pm", PM, &cfg, &err));
    config_free(&cfg);
}

/* A saved state whose timer changes in a week: reading the timer multiplied it past 64 bits. */
TEST(a_timer_that_is_too_far_away_is_refused)
{
    struct qt *t = start_with("2", "on");
    const uint64_t ahead[] = { NS_PER_S, 7 * 86400ull * NS_PER_S };

    (void)inl(t, 0xb008);
    for (unsigned i = 0; i < 2; i++) {
        struct buf b = { 0 };
        struct err err = { "" };
        uint8_t *at;

        state_save(t->dev, &b);
        at = memmem(b.data, b.len, "\x08overflow", 9);
        CHECK(at != NULL && at[14] == 1); /* kind and count, and that it runs */
        for (unsigned k = 0; k < 8; k++)
            at[15 + k] = (uint8_t)(ahead[i] >> 8 * k);
        CHECK((state_load(t->dev, &b, &err) == 0) == (i == 0));
        buf_free(&b);
        (void)inl(t, 0xb008);
    }
}
