/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CD drive's tray and media: eject, load, lock, change, events, attention. MMC-3 §6.7, §6.45.
 */
#include "tests/unit/cd-util.h"

static unsigned event(struct qt *t) /* event << 8 | media status */
{
    uint8_t buf[8];

    CHECK_EQ(cd(t, (uint8_t[12]){ 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8 }, buf, 8), 8);
    CHECK(be16_at(buf) == 6 && buf[2] == 4 && buf[3] == 0x10);
    return buf[4] << 8 | buf[5];
}

struct heard {
    unsigned calls, unit;
    bool open;
};

static void hear(void *arg, unsigned unit, bool open)
{
    struct heard *h = arg;

    h->calls++;
    h->unit = unit;
    h->open = open;
}

TEST(the_guest_ejects_and_loads)
{
    static const struct ide_events events = { .tray = hear };
    struct rig r = rig_cd(64);
    struct qt *t = r.t;
    struct heard h = { 0 };
    uint8_t eject[12] = { 0x1b, 0, 0, 0, 2 }, load[12] = { 0x1b, 0, 0, 0, 3 };
    uint8_t lock[12] = { 0x1e, 0, 0, 0, 1 }, unlock[12] = { 0x1e }, buf[8];

    cd_awake(t);
    CHECK_EQ(event(t), 0x0002);
    CHECK_EQ(cd(t, lock, NULL, 0), 0);
    CHECK(ide_tray_locked(t->dev, 2));
    CHECK_EQ(cd(t, eject, NULL, 0), -1);
    CHECK_EQ(cd_sense(t), 0x055302);
    CHECK_EQ(cd(t, unlock, NULL, 0), 0);
    ide_listen(t->dev, &events, &h);
    CHECK_EQ(cd(t, eject, NULL, 0), 0);
    CHECK(t->reload || (h.calls == 1 && h.unit == 2 && h.open)); /* of this process only */
    CHECK(ide_tray_open(t->dev, 2));
    CHECK(ide_medium(t->dev, 2) == r.blk[2]);
    CHECK_EQ(event(t), 0x0301);
    CHECK_EQ(event(t), 0x0001);
    CHECK_EQ(tur(t), -1);
    CHECK_EQ(cd_sense(t), 0x023a02);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8 }, buf, 8), 8);
    CHECK_EQ(buf[1], 0x10);
    CHECK_EQ(cd(t, load, NULL, 0), 0);
    CHECK_EQ(event(t), 0x0202);
    CHECK_EQ(tur(t), -1);
    CHECK_EQ(cd_sense(t), 0x062800);
    CHECK_EQ(tur(t), 0);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x1b, 0, 0, 0, 1 }, NULL, 0), 0);                /* spin up */
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8 }, buf, 8), -1); /* not polled */
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x4a, 1, 0, 0, 0x02, 0, 0, 0, 8 }, buf, 8), 4);
    CHECK_EQ(buf[2], 0x80);
    rig_end(&r);
}

TEST(the_host_changes_the_medium)
{
    struct rig r = rig_cd(64);
    struct qt *t = r.t;
    struct block *other = fault_open(t, 8 * 2048);
    struct err err = { "" };
    uint8_t buf[8], lock[12] = { 0x1e, 0, 0, 0, 1 };

    qt_no_reload(t, "a medium is the host's; a new process is given the right one");
    cd_awake(t);
    CHECK_EQ(ide_insert(t->dev, 2, other, &err), -EBUSY);
    CHECK_EQ(cd(t, lock, NULL, 0), 0);
    CHECK_EQ(ide_eject(t->dev, 2, false, &err), -EBUSY);
    CHECK(strstr(err.msg, "locked the tray") != NULL);
    CHECK_EQ(event(t), 0x0102); /* the guest is asked */
    CHECK_EQ(ide_eject(t->dev, 2, true, &err), 0);
    CHECK(ide_medium(t->dev, 2) == NULL && ide_tray_open(t->dev, 2));
    CHECK(!ide_tray_locked(t->dev, 2));
    CHECK_EQ(ide_eject(t->dev, 2, false, &err), 0); /* empty already */
    CHECK_EQ(event(t), 0x0301);
    CHECK_EQ(tur(t), -1);
    CHECK_EQ(cd_sense(t), 0x023a02);
    CHECK_EQ(ide_insert(t->dev, 2, other, &err), 0);
    CHECK_EQ(event(t), 0x0202);
    CHECK_EQ(tur(t), -1);
    CHECK_EQ(cd_sense(t), 0x023a01); /* seen empty once ... */
    CHECK_EQ(tur(t), -1);
    CHECK_EQ(cd_sense(t), 0x062800); /* ... then changed */
    CHECK_EQ(tur(t), 0);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x25 }, buf, 8), 8);
    CHECK_EQ(be32_at(buf), 7);
    CHECK_EQ(ide_eject(t->dev, 0, false, &err), -EINVAL);
    CHECK_EQ(ide_insert(t->dev, 9, other, &err), -EINVAL);
    block_close(r.blk[2]);
    r.blk[2] = other;
    rig_end(&r);
}

TEST(ejecting_in_the_middle_of_a_read)
{
    struct rig r = rig_cd(64);
    struct qt *t = r.t;
    struct fault *f = r.blk[2]->priv;
    struct err err = { "" };

    qt_no_reload(t, "the request in flight is what is tested");
    cd_awake(t);
    f->hold = true;
    packet(t, SEC, DEV, (uint8_t[12]){ 0x28, 0, 0, 0, 0, 3, 0, 0, 8 }, 0xfffe, false);
    CHECK_EQ(inb(t, CTL(SEC)) & 0x80, 0x80);
    CHECK_EQ(ide_eject(t->dev, 2, false, &err), 0);
    CHECK_EQ(r.blk[2]->inflight, 0);
    CHECK_EQ(inb(t, CTL(SEC)), 0x51);
    CHECK(irq(t, 15));
    CHECK_EQ(cd_sense(t) >> 8, 0x023a);
    rig_end(&r);
}

TEST(a_host_drive_changes_its_disc)
{
    struct rig r = rig_cd(64);
    struct qt *t = r.t;
    uint8_t buf[8];

    qt_no_reload(t, "a medium is the host's; a new process is given the right one");
    cd_awake(t);
    r.blk[2]->size = 0;
    block_changed(r.blk[2], BLOCK_MEDIUM);
    CHECK_EQ(event(t), 0x0300);
    CHECK_EQ(tur(t), -1);
    CHECK_EQ(cd_sense(t), 0x023a01);
    r.blk[2]->size = 32 * 2048;
    block_changed(r.blk[2], BLOCK_MEDIUM);
    CHECK_EQ(event(t), 0x0202);
    CHECK_EQ(tur(t), -1);
    CHECK_EQ(cd_sense(t), 0x062800);
    CHECK_EQ(cd(t, (uint8_t[12]){ 0x25 }, buf, 8), 8);
    CHECK_EQ(be32_at(buf), 31);
    rig_end(&r);
}

TEST(a_drive_put_to_sleep_hears_a_device_reset)
{
    struct rig r = rig_cd(64);
    struct qt *t = r.t;

    cd_awake(t);
    outb(t, SEC + R_CMD, 0xe6);
    CHECK_EQ(inb(t, SEC + R_CMD), 0x50);
    outb(t, SEC + R_CMD, 0xa1);
    CHECK(!irq(t, 15));
    outb(t, SEC + R_CMD, 0x08);
    CHECK_EQ(inb(t, SEC + R_HIGH), 0xeb);
    CHECK_EQ(tur(t), 0);
    rig_end(&r);
}
