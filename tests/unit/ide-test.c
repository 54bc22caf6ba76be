/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The controller: configuration space, who answers, resets, interrupts. ATA/ATAPI-7 vol. 2 §9. */
#include "tests/unit/ide-util.h"

static struct rig disk_and_cd(void)
{
    struct rig r = { qt_new(), { NULL } };

    rig_unit(&r, 0, false, 64);
    rig_unit(&r, 1, true, 16);
    rig_unit(&r, 3, true, 0);
    rig_go(&r);
    return r;
}

TEST(configuration_space_of_the_function)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;

    CHECK_EQ(cfg_read(t, IDE_DEVFN, 0x00, 4), 0x70108086);
    CHECK_EQ(cfg_read(t, IDE_DEVFN, 0x08, 4), 0x01018000);
    CHECK_EQ(cfg_read(t, IDE_DEVFN, 0x2c, 4), 0x11001af4);
    CHECK_EQ(cfg_read(t, IDE_DEVFN, 0x3c, 2), 0x0000);
    cfg_write(t, IDE_DEVFN, 0x20, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, IDE_DEVFN, 0x20, 4), 0xfffffff1);
    cfg_write(t, IDE_DEVFN, 0x40, 0x8000, 2);
    CHECK_EQ(cfg_read(t, IDE_DEVFN, 0x40, 4), 0x00008000);
    cfg_write(t, IDE_DEVFN, 0x40, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, IDE_DEVFN, 0x40, 4), 0xf3fff3ff);
    rig_end(&r);
}

TEST(a_controller_without_units_reads_as_zero)
{
    struct rig r = { qt_new(), { NULL } };
    struct qt *t = r.t;

    rig_go(&r);
    for (unsigned base = SEC; base <= PRI; base += PRI - SEC) {
        for (unsigned i = 0; i < 8; i++)
            outb(t, base + i, 0x55);
        for (unsigned i = 1; i < 8; i++)
            CHECK_EQ(inb(t, base + i), 0);
        CHECK_EQ(inw(t, base), 0);
        CHECK_EQ(inb(t, CTL(base)), 0);
        outb(t, CTL(base), 4);
        CHECK_EQ(inb(t, CTL(base)), 0);
        outb(t, CTL(base), 0);
        outb(t, base + R_CMD, 0x90);
        CHECK_EQ(inb(t, base + R_CMD), 0);
    }
    CHECK(!irq(t, 14) && !irq(t, 15));
    rig_end(&r);
}

TEST(signatures_after_power_on_and_who_is_not_there)
{
    struct rig r = disk_and_cd();
    struct qt *t = r.t;

    CHECK_EQ(inb(t, PRI + R_CMD), 0x50);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x01);
    CHECK_EQ(inl(t, PRI + R_DEV) & 0xffff, 0x50a0);
    CHECK_EQ(inb(t, PRI + R_COUNT), 1);
    CHECK_EQ(inb(t, PRI + R_LOW), 1);
    CHECK_EQ(inb(t, PRI + R_MID), 0);
    CHECK_EQ(inb(t, PRI + R_HIGH), 0);
    outb(t, PRI + R_DEV, 0xb0);
    CHECK_EQ(inb(t, PRI + R_MID), 0x14);
    CHECK_EQ(inb(t, PRI + R_HIGH), 0xeb);
    CHECK_EQ(inb(t, PRI + R_CMD), 0x00);
    /* Secondary: unit 0 absent, unit 1 an empty CD drive. */
    outb(t, SEC + R_COUNT, 0x55);
    CHECK_EQ(inb(t, SEC + R_COUNT), 0);
    CHECK_EQ(inb(t, SEC + R_CMD), 0);
    outb(t, SEC + R_DEV, 0x10);
    CHECK_EQ(inb(t, SEC + R_COUNT), 0x55);
    CHECK_EQ(inb(t, SEC + R_HIGH), 0xeb);
    rig_end(&r);
}

TEST(both_units_hear_writes_and_hob_shows_the_one_before)
{
    struct rig r = disk_and_cd();
    struct qt *t = r.t;

    outb(t, PRI + R_LOW, 0x12);
    outb(t, PRI + R_LOW, 0x34);
    CHECK_EQ(inb(t, PRI + R_LOW), 0x34);
    outb(t, CTL(PRI), 0x80);
    CHECK_EQ(inb(t, PRI + R_LOW), 0x12);
    outb(t, PRI + R_DEV, 0xb0); /* any write to the command block clears HOB */
    CHECK_EQ(inb(t, PRI + R_LOW), 0x34);
    rig_end(&r);
}

TEST(wide_accesses_beside_the_data_port_are_bytes)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;

    outw(t, PRI + R_COUNT, 0xaa55);
    CHECK_EQ(inb(t, PRI + R_COUNT), 0x55);
    CHECK_EQ(inb(t, PRI + R_LOW), 0xaa);
    CHECK_EQ(inw(t, PRI + R_COUNT), 0xaa55);
    CHECK_EQ(inb(t, PRI), 0xff); /* no byte access to the data port */
    outb(t, PRI, 0);
    CHECK_EQ(guest_errors(t), 1);
    rig_end(&r);
}

TEST(software_reset)
{
    struct rig r = disk_and_cd();
    struct qt *t = r.t;

    command(t, PRI, 0xf0, 0x1234, 7, 0xe5);
    CHECK(irq(t, 14));
    outb(t, CTL(PRI), 0x04);
    CHECK_EQ(inb(t, CTL(PRI)), 0x80);
    CHECK(!irq(t, 14));
    outb(t, PRI + R_CMD, 0xec); /* ignored while in reset */
    outb(t, CTL(PRI), 0x00);
    CHECK_EQ(inb(t, PRI + R_CMD), 0x50);
    CHECK_EQ(inb(t, PRI + R_DEV), 0xa0);
    CHECK_EQ(inb(t, PRI + R_COUNT), 1);
    CHECK_EQ(inb(t, PRI + R_MID), 0);
    CHECK_EQ(inb(t, PRI + R_FEAT), 1);
    outb(t, PRI + R_DEV, 0x10);
    CHECK_EQ(inb(t, PRI + R_MID), 0x14);
    CHECK(!irq(t, 14));
    rig_end(&r);
}

TEST(diagnostics_run_on_both_units)
{
    struct rig r = disk_and_cd();
    struct qt *t = r.t;

    outb(t, PRI + R_DEV, 0xb0);
    outb(t, PRI + R_MID, 0x77);
    outb(t, PRI + R_CMD, 0x90);
    CHECK(irq(t, 14));
    CHECK_EQ(inb(t, PRI + R_CMD), 0x50); /* unit 0 is selected again and reports */
    CHECK(!irq(t, 14));
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x01);
    CHECK_EQ(inb(t, PRI + R_MID), 0x00);
    outb(t, PRI + R_DEV, 0xb0);
    CHECK_EQ(inb(t, PRI + R_MID), 0x14);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x01);
    rig_end(&r);
}

TEST(interrupts_follow_nien_and_selection)
{
    struct rig r = disk_and_cd();
    struct qt *t = r.t;

    outb(t, CTL(PRI), 0x02);
    command(t, PRI, 0xe0, 0, 0, 0xe5);
    CHECK(!irq(t, 14));
    CHECK_EQ(inb(t, BM_BASE + 2) & 4, 0);
    outb(t, CTL(PRI), 0x00); /* still pending */
    CHECK(irq(t, 14));
    CHECK_EQ(inb(t, BM_BASE + 2) & 4, 4);
    outb(t, PRI + R_DEV, 0xf0); /* the other unit drives the wire now */
    CHECK(!irq(t, 14));
    outb(t, PRI + R_DEV, 0xe0);
    CHECK(irq(t, 14));
    inb(t, CTL(PRI)); /* alternate status acknowledges nothing */
    CHECK(irq(t, 14));
    inb(t, PRI + R_CMD);
    CHECK(!irq(t, 14));
    command(t, SEC, 0xb0, 0, 0, 0xe5);
    CHECK(irq(t, 15) && !irq(t, 14));
    rig_end(&r);
}

TEST(a_device_reset_cancels_what_is_in_flight)
{
    struct rig r = rig_disk(512);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;
    uint8_t buf[512], want[512];

    qt_no_reload(t, "the request in flight is what is tested");
    f->hold = true;
    command(t, PRI, 0xe0, 3, 8, 0x20);
    CHECK_EQ(inb(t, CTL(PRI)) & 0x80, 0x80);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(inb(t, CTL(PRI)), 0x50);
    command(t, PRI, 0xe0, 9, 1, 0x20); /* waits behind the stale request */
    CHECK_EQ(inb(t, CTL(PRI)) & 0x80, 0x80);
    fault_release(r.blk[0]);
    CHECK_EQ(settled(t, PRI), 0x58);
    pio_in(t, PRI, buf, 512);
    pattern(want, 9, 512);
    CHECK(!memcmp(buf, want, 512));
    CHECK_EQ(inb(t, PRI + R_CMD), 0x50);
    rig_end(&r);
}

TEST(software_reset_in_flight_and_commands_while_busy)
{
    struct rig r = rig_disk(512);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    qt_no_reload(t, "the request in flight is what is tested");
    f->hold = true;
    command(t, PRI, 0xe0, 3, 8, 0x20);
    outb(t, PRI + R_LOW, 0x77);
    outb(t, PRI + R_CMD, 0xec);
    CHECK_EQ(guest_errors(t), 2);
    outb(t, CTL(PRI), 4);
    outb(t, CTL(PRI), 0);
    CHECK_EQ(inb(t, CTL(PRI)), 0x50);
    fault_release(r.blk[0]);
    loop_step(t);
    CHECK_EQ(inb(t, CTL(PRI)), 0x50); /* nobody hears of the stale completion */
    CHECK(!irq(t, 14));
    rig_end(&r);
}

TEST(freeing_waits_for_what_is_in_flight)
{
    struct rig r = rig_disk(512);
    struct fault *f = r.blk[0]->priv;

    qt_no_reload(r.t, "the request in flight is what is tested");
    f->hold = true;
    command(r.t, PRI, 0xe0, 3, 8, 0x20);
    /* The runner frees the device, then this must not complete into it: drained there. */
    CHECK_EQ(r.blk[0]->inflight, 1);
    CHECK_EQ(ide_drain(r.t->dev), 0);
    CHECK_EQ(r.blk[0]->inflight, 0);
    CHECK_EQ(inb(r.t, CTL(PRI)), 0x58);
    rig_end(&r);
}

TEST(unplug_takes_disks_for_good_and_leaves_cd_drives)
{
    struct rig r = disk_and_cd();
    struct qt *t = r.t;
    struct block *blk = r.blk[0];
    uint8_t buf[512];

    command(t, PRI, 0xe0, 1, 1, 0x30);
    memset(buf, 0x5a, 512);
    pio_out(t, PRI, buf, 512);
    ide_unplug(t->dev, true); /* auxiliary disks: not the primary master */
    CHECK(ide_medium(t->dev, 0) == blk);
    ide_unplug(t->dev, false);
    CHECK(ide_medium(t->dev, 0) == NULL);
    CHECK(ide_medium(t->dev, 1) == r.blk[1]);
    CHECK_EQ(blk->inflight, 0);
    CHECK(blk->stat[BLOCK_FLUSH].ops > 0);
    medium_io(blk, BLOCK_READ, 512, buf, 512);
    CHECK_EQ(buf[100], 0x5a); /* the write in flight has got there */
    CHECK_EQ(inb(t, PRI + R_CMD), 0);
    outb(t, PRI + R_CMD, 0xec);
    CHECK_EQ(inb(t, PRI + R_CMD), 0);
    ide_unplug(t->dev, false);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(inb(t, PRI + R_CMD), 0);
    outb(t, PRI + R_DEV, 0x10);
    CHECK_EQ(inb(t, PRI + R_HIGH), 0xeb);
    outb(t, PRI + R_DEV, 0x00); /* when reloaded: in a process that was given the disk again */
    outb(t, PRI + R_COUNT, 0x55);
    CHECK_EQ(inb(t, PRI + R_COUNT), 0);
    rig_end(&r);
}

static int bad_config(const char *key, const char *val, struct err *err)
{
    struct qt *t = qt_new();
    struct config cfg = { 0 };
    struct device *dev;

    config_set(&cfg, key, val);
    dev = device_new(&t->plat, &piix3_ide_type.dev, "ide", IDE_DEVFN, &cfg, err);
    config_free(&cfg);
    if (dev)
        device_free(dev);
    return dev ? 0 : -1;
}

TEST(configurations_that_cannot_be)
{
    struct err err = { "" };

    CHECK_EQ(bad_config("drive0.kind", "floppy", &err), -1);
    CHECK(strstr(err.msg, "use disk or cdrom") != NULL);
    CHECK_EQ(bad_config("drive2.kind", "disk", &err), -1);
    CHECK(strstr(err.msg, "drive2 is a disk without an image") != NULL);
    CHECK_EQ(bad_config("drive2.kind", "cdrom", &err), 0);
}
