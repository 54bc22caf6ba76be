/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors of the host: what the guest is told, and the policies report, ignore, stop, enospc. */
#include "tests/unit/ide-util.h"

#define TABLE 0x10000
#define DATA  0x100000

static struct {
    unsigned n, unit;
    bool write;
    int err;
    enum ide_action action;
} seen;

static void on_error(void *arg, unsigned unit, bool write, int err, enum ide_action action)
{
    seen.n++;
    seen.unit = unit;
    seen.write = write;
    seen.err = err;
    seen.action = action;
}

static const struct ide_events events = { .io_error = on_error };

static struct rig rig_policy(const char *werror, const char *rerror)
{
    struct rig r = { qt_new(), { NULL } };

    memset(&seen, 0, sizeof(seen));
    if (werror)
        qt_config(r.t, "drive0.werror", werror);
    if (rerror)
        qt_config(r.t, "drive0.rerror", rerror);
    rig_unit(&r, 0, false, 256);
    rig_go(&r);
    ide_listen(r.t->dev, &events, NULL);
    return r;
}

/* Bytes of sector n go wrong with err. */
static struct fault *spoil(struct rig *r, uint64_t n, int err)
{
    struct fault *f = r->blk[0]->priv;

    f->bad = n * 512;
    f->bad_len = 512;
    f->err = err;
    return f;
}

/* A DMA of sectors 16-31; the status when it has settled. */
static uint8_t transfer(struct qt *t, bool write)
{
    prd(t, TABLE, 0, DATA, 8192, true);
    command(t, PRI, 0x40, 16, 16, write ? 0x35 : 0x25);
    bm_start(t, 0, TABLE, !write);
    return settled(t, PRI);
}

TEST(reported_with_the_sector)
{
    struct rig r = rig_policy("report", NULL);
    struct qt *t = r.t;

    qt_no_reload(t, "the listener is not of the state");
    spoil(&r, 21, ENOSPC);
    CHECK_EQ(transfer(t, true), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x04);
    CHECK_EQ(inb(t, PRI + R_LOW), 21);
    CHECK_EQ(seen.n, 1);
    CHECK(seen.write && seen.err == ENOSPC && seen.action == IDE_REPORT && seen.unit == 0);
    spoil(&r, 22, EIO);
    CHECK_EQ(transfer(t, false), 0x51);
    CHECK_EQ(inb(t, PRI + R_FEAT), 0x40);
    CHECK_EQ(inb(t, PRI + R_LOW), 22);
    CHECK_EQ(seen.n, 2);
    CHECK(!seen.write);
    rig_end(&r);
}

TEST(ignored)
{
    struct rig r = rig_policy("ignore", "ignore");
    struct qt *t = r.t;

    qt_no_reload(t, "the listener is not of the state");
    spoil(&r, 21, EIO);
    memset(t->ram + DATA, 0xee, 8192);
    CHECK_EQ(transfer(t, false), 0x50);
    CHECK_EQ(seen.n, 1);
    CHECK_EQ(seen.action, IDE_IGNORE);
    CHECK_EQ(t->ram[DATA + 4 * 512], 20);
    CHECK_EQ(t->ram[DATA + 5 * 512], 0); /* zeroes, not what was there */
    CHECK_EQ(t->ram[DATA + 5 * 512 + 511], 0);
    CHECK_EQ(t->ram[DATA + 6 * 512], 22);
    CHECK_EQ(transfer(t, true), 0x50);
    rig_end(&r);
}

static void check_held(struct rig *r, bool write)
{
    struct qt *t = r->t;

    loop_step(t);
    CHECK_EQ(inb(t, CTL(PRI)) & 0x80, 0x80);
    CHECK(!irq(t, 14));
    ide_retry(t->dev); /* the trouble is still there */
    qt_touched(t);
    loop_step(t);
    CHECK_EQ(inb(t, CTL(PRI)) & 0x80, 0x80);
    ((struct fault *)r->blk[0]->priv)->bad_len = 0;
    ((struct fault *)r->blk[0]->priv)->bad_flush = false;
    loop_step(t);
    CHECK_EQ(inb(t, CTL(PRI)) & 0x80, 0x80);
    ide_retry(t->dev);
    CHECK_EQ(settled(t, PRI), 0x50);
    CHECK(irq(t, 14));
}

TEST(stopped_and_tried_again)
{
    struct rig r = rig_policy("stop", "stop");
    struct qt *t = r.t;
    uint8_t buf[512];

    spoil(&r, 21, EIO);
    prd(t, TABLE, 0, DATA, 8192, true);
    command(t, PRI, 0x40, 16, 16, 0x25);
    bm_start(t, 0, TABLE, true);
    check_held(&r, false);
    CHECK_EQ(t->ram[DATA + 5 * 512], 21);
    spoil(&r, 21, EIO);
    t->ram[DATA + 5 * 512] = 0x99;
    command(t, PRI, 0x40, 16, 16, 0x35);
    bm_start(t, 0, TABLE, false);
    check_held(&r, true);
    medium_io(r.blk[0], BLOCK_READ, 21 * 512, buf, 512);
    CHECK_EQ(buf[0], 0x99);
    rig_end(&r);
}

TEST(out_of_space_stops_and_other_errors_do_not)
{
    struct rig r = rig_policy(NULL, NULL);
    struct qt *t = r.t;
    uint8_t buf[512] = { 0x42 };

    spoil(&r, 5, EIO);
    command(t, PRI, 0xe0, 5, 1, 0x30);
    pio_out(t, PRI, buf, 512);
    CHECK_EQ(settled(t, PRI), 0x51);
    inb(t, PRI + R_CMD);
    spoil(&r, 5, ENOSPC);
    command(t, PRI, 0xe0, 5, 1, 0x30);
    pio_out(t, PRI, buf, 512);
    check_held(&r, true);
    medium_io(r.blk[0], BLOCK_READ, 5 * 512, buf, 512);
    CHECK_EQ(buf[0], 0x42);
    rig_end(&r);
}

TEST(flushes)
{
    struct rig r = rig_policy("stop", NULL);
    struct qt *t = r.t;
    struct fault *f = spoil(&r, 0, EIO);

    f->bad_len = 0;
    f->bad_flush = true;
    command(t, PRI, 0xe0, 0, 0, 0xe7);
    check_held(&r, true);
    rig_end(&r);

    r = rig_policy("report", NULL);
    f = spoil(&r, 0, EIO);
    f->bad_len = 0;
    f->bad_flush = true;
    command(r.t, PRI, 0xe0, 0, 0, 0xe7);
    CHECK_EQ(settled(r.t, PRI), 0x51);
    CHECK_EQ(inb(r.t, PRI + R_FEAT), 0x04);
    f->bad_flush = false;
    rig_end(&r);
}

TEST(a_reset_lets_go_of_a_held_request)
{
    struct rig r = rig_policy("stop", "stop");
    struct qt *t = r.t;

    spoil(&r, 21, EIO);
    prd(t, TABLE, 0, DATA, 8192, true);
    command(t, PRI, 0x40, 16, 16, 0x25);
    bm_start(t, 0, TABLE, true);
    loop_step(t);
    outb(t, CTL(PRI), 4);
    outb(t, CTL(PRI), 0);
    CHECK_EQ(settled(t, PRI), 0x50);
    ide_retry(t->dev);
    loop_step(t);
    CHECK(!irq(t, 14));
    rig_end(&r);
}

TEST(policies_that_are_none)
{
    struct qt *t = qt_new();
    struct config cfg = { 0 };
    struct block *blk = block_open_mem(t->plat.loop, 1 << 20);
    struct err err = { "" };

    config_set(&cfg, "drive0.kind", "disk");
    config_set_obj(&cfg, "drive0", blk);
    config_set(&cfg, "drive0.rerror", "enospc");
    CHECK(!device_new(&t->plat, &piix3_ide_type.dev, "ide", IDE_DEVFN, &cfg, &err));
    CHECK(strstr(err.msg, "drive0.rerror is enospc; use report, ignore, stop") != NULL);
    config_free(&cfg);
    block_close(blk);
}
