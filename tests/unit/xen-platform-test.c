/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Xen platform device, as PV drivers find it. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "block/block.h"
#include "hw/devices.h"
#include "hw/ide.h"
#include "hw/xen-platform.h"
#include "tests/unit/qt.h"

#define XP  PCI_DEVFN(2, 0)
#define BAR 0xc500

static struct qt *start(void)
{
    struct qt *t = qt_new();

    qt_add(t, &xen_platform_type.dev, XP);
    return t;
}

/* Linux' check_platform_magic(), up to its second look. */
static uint16_t announce(struct qt *t)
{
    CHECK_EQ(inw(t, 0x10), 0x49d2);
    CHECK_EQ(inb(t, 0x12), 1);
    outw(t, 0x12, 3);
    outl(t, 0x10, 0x00000001);
    return inw(t, 0x10);
}

TEST(identity)
{
    struct qt *t = start();

    CHECK_EQ(cfg_read(t, XP, 0x00, 4), 0x00015853);
    CHECK_EQ(cfg_read(t, XP, 0x08, 4), 0xff800001);
    CHECK_EQ(cfg_read(t, XP, 0x2c, 4), 0x00015853);
    CHECK_EQ(cfg_read(t, XP, 0x3d, 1), 1);
    cfg_write(t, XP, 0x10, 0xffffffff, 4);
    cfg_write(t, XP, 0x14, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, XP, 0x10, 4), 0xffffff01);
    CHECK_EQ(cfg_read(t, XP, 0x14, 4), 0xff000008);
    CHECK_EQ(cfg_read(t, XP, 0x18, 4), 0);
}

static struct qt *start_with(const char *key, const char *val)
{
    struct qt *t = qt_new();

    qt_config(t, key, val);
    qt_add(t, &xen_platform_type.dev, XP);
    return t;
}

TEST(drivers_may_be_told_to_stay_away)
{
    struct qt *t = start_with("unplug", "off");

    outw(t, 0x10, 3); /* a driver that does not even say who it is */
    CHECK_EQ(guest_errors(t), 1);
    CHECK_EQ(announce(t), 0xd249); /* "blacklisted": Linux keeps its emulated disks */
    outw(t, 0x10, 3);              /* a driver that does not listen */
    CHECK_EQ(guest_errors(t), 2);
    CHECK_EQ(inw(t, 0x10), 0xd249);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(announce(t), 0xd249);
}

TEST(drivers_are_welcome)
{
    struct qt *t = start();

    CHECK_EQ(announce(t), 0x49d2);
    outw(t, 0x10, 3);
    outw(t, 0x10, 0xf);
    CHECK_EQ(guest_errors(t), 0);
    outw(t, 0x10, 0x13); /* a bit that nobody has thought of */
    CHECK_EQ(guest_errors(t), 1);
}

static uint16_t announce_as(struct qt *t, uint16_t product, uint32_t build)
{
    device_reset(t->dev, RESET_WARM);
    outl(t, 0x10, build); /* in either order */
    outw(t, 0x12, product);
    return inw(t, 0x10);
}

TEST(the_blacklist_knows_products_and_builds)
{
    struct qt *t = start_with("blacklist", "1/2:40-61/4:7");

    CHECK_EQ(announce_as(t, 1, 0), 0xd249);
    CHECK_EQ(announce_as(t, 1, 0xffffffff), 0xd249);
    CHECK_EQ(announce_as(t, 2, 39), 0x49d2);
    CHECK_EQ(announce_as(t, 2, 40), 0xd249);
    CHECK_EQ(announce_as(t, 2, 61), 0xd249);
    CHECK_EQ(announce_as(t, 2, 62), 0x49d2);
    CHECK_EQ(announce_as(t, 4, 7), 0xd249);
    CHECK_EQ(announce_as(t, 4, 8), 0x49d2);
    CHECK_EQ(announce_as(t, 3, 40), 0x49d2);
}

/* Who kept its emulated disks must not lose them when it names itself anew, as after a restore. */
TEST(the_answer_stands_until_a_reset)
{
    struct qt *t = start_with("blacklist", "3:1");

    CHECK_EQ(announce(t), 0xd249);
    outl(t, 0x10, 2);
    CHECK_EQ(inw(t, 0x10), 0xd249);
    outw(t, 0x10, 3);
    CHECK_EQ(guest_errors(t), 1);
}

TEST(next_boot_may_be_without_drivers)
{
    struct qt *t = start();

    qt_no_reload(t, "what the user wishes is not the guest's state");
    CHECK_EQ(announce(t), 0x49d2);
    xp_welcome_next(t->dev, false);
    CHECK_EQ(inw(t, 0x10), 0x49d2); /* the running guest is not touched */
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(announce(t), 0xd249);
    xp_welcome_next(t->dev, true);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(announce(t), 0x49d2);
}

TEST(what_is_known_of_the_drivers)
{
    struct qt *t = start();
    struct xp_info x;
    char text[16];

    qt_no_reload(t, "lines are kept for people, not for the guest");
    xp_info(t->dev, &x);
    CHECK(!x.named && !x.refused && x.nlines == 0 && x.unplugged == 0);
    outw(t, 0x12, 3);
    outl(t, 0x10, 77);
    outw(t, 0x10, XP_NICS);
    for (unsigned i = 0; i < 11; i++) {
        snprintf(text, sizeof(text), "line %u\n", i);
        for (const char *s = text; *s; s++)
            outb(t, 0x12, *s);
    }
    xp_info(t->dev, &x);
    CHECK(x.named && x.product == 3 && x.build == 77 && x.protocol == 1);
    CHECK_EQ(x.unplugged, XP_NICS);
    CHECK_EQ(x.nlines, XP_LINES);
    CHECK(!strcmp(x.line[0], "line 3"));
    CHECK(!strcmp(x.line[7], "line 10"));
    CHECK(!strcmp(xp_product_name(3), "linux") && !xp_product_name(99));
}

/* ---- what is unplugged ---- */

#define IDE PCI_DEVFN(1, 1)
#define NIC PCI_DEVFN(4, 0)

struct pc {
    struct qt *t;
    struct block *disk[3]; /* units 0, 1 and, a CD, 2 */
};

static struct pc pc(void)
{
    struct pc pc = { qt_new(), { NULL } };
    struct qt *t = pc.t;

    for (unsigned i = 0; i < 3; i++) {
        char key[16];

        pc.disk[i] = block_open_mem(t->plat.loop, 1 << 20);
        snprintf(key, sizeof(key), "drive%u", i);
        qt_config_obj(t, key, pc.disk[i]);
        snprintf(key, sizeof(key), "drive%u.kind", i);
        qt_config(t, key, i < 2 ? "disk" : "cdrom");
    }
    qt_add(t, &piix3_ide_type.dev, IDE);
    qt_add(t, &xen_platform_type.dev, XP);
    qt_add(t, &e1000_type.dev, NIC);
    cfg_write(t, NIC, 0x10, 0xf0000000, 4);
    cfg_write(t, NIC, 0x04, 0x0007, 2);
    return pc;
}

static void pc_end(struct pc *pc)
{
    loop_step(pc->t);
    for (unsigned i = 0; i < 3; i++)
        block_close(pc->disk[i]);
}

/* A unit that is there keeps what is written to its registers. */
static bool unit_there(struct qt *t, unsigned unit)
{
    uint16_t at = unit < 2 ? 0x1f0 : 0x170;

    outb(t, at + 6, unit & 1 ? 0xb0 : 0xa0);
    outb(t, at + 3, 0x5a);
    return inb(t, at + 3) == 0x5a && (unit < 2 ? inb(t, at + 7) != 0 : true);
}

static bool nic_there(struct qt *t)
{
    bool mapped = mmio_read(t, 0xf0000008, 4) != 0xffffffff; /* STATUS */

    CHECK_EQ(cfg_read(t, NIC, 0, 4) != 0xffffffff, mapped);
    return mapped;
}

TEST(unplugging_takes_disks_and_cards_and_leaves_the_cd)
{
    struct pc p = pc();
    struct qt *t = p.t;

    CHECK(unit_there(t, 0) && unit_there(t, 1) && unit_there(t, 2) && nic_there(t));
    outw(t, 0x10, XP_NVME); /* there is none: no harm */
    outw(t, 0x10, XP_AUX_DISKS);
    CHECK(unit_there(t, 0) && !unit_there(t, 1) && unit_there(t, 2) && nic_there(t));
    outw(t, 0x10, XP_DISKS);
    CHECK(!unit_there(t, 0) && !unit_there(t, 1) && unit_there(t, 2) && nic_there(t));
    outw(t, 0x10, XP_NICS);
    CHECK(!nic_there(t));
    outw(t, 0x10, XP_DISKS | XP_NICS); /* again, as after a restore */
    CHECK(!unit_there(t, 0) && unit_there(t, 2) && !nic_there(t));
    CHECK_EQ(guest_errors(t), 0);
    pc_end(&p);
}

TEST(old_drivers_unplug_by_the_bar)
{
    struct pc p = pc();
    struct qt *t = p.t;

    cfg_write(t, XP, 0x10, BAR, 4);
    cfg_write(t, XP, 0x04, 1, 2);
    outb(t, BAR + 8, 1);
    CHECK(!unit_there(t, 0) && nic_there(t));
    outb(t, BAR + 8, 2);
    CHECK(!nic_there(t));
    pc_end(&p);
    p = pc();
    t = p.t;
    cfg_write(t, XP, 0x10, BAR, 4);
    cfg_write(t, XP, 0x04, 1, 2);
    outl(t, BAR + 4, 1);
    CHECK(!unit_there(t, 0) && !nic_there(t));
    pc_end(&p);
}

TEST(cards_come_back_with_a_reset_and_disks_when_they_are_given_back)
{
    struct pc p = pc();
    struct qt *t = p.t;

    qt_no_reload(t, "the reset is this process's");
    outw(t, 0x10, XP_DISKS | XP_NICS);
    CHECK(ide_is_unplugged(t->devs[0], 0) && !ide_is_unplugged(t->devs[0], 2));
    ide_replug(t->devs[0], 0, p.disk[0]);
    for (unsigned i = 0; i < t->ndevs; i++)
        device_reset(t->devs[i], RESET_WARM);
    CHECK(unit_there(t, 0) && !unit_there(t, 1));
    cfg_write(t, NIC, 0x10, 0xf0000000, 4);
    cfg_write(t, NIC, 0x04, 0x0007, 2);
    CHECK(nic_there(t));
    pc_end(&p);
}

static unsigned left, let_go;

static void nic_leaves(void *arg, struct device *nic)
{
    CHECK(nic_there(arg)); /* still: its tap goes first */
    left++;
}

/* At this moment all that was written is on the image, and nothing is in flight. */
static void released(void *arg, unsigned unit, struct block *medium)
{
    CHECK_EQ(medium->inflight, 0);
    CHECK(medium->stat[BLOCK_FLUSH].ops > 0);
    let_go |= 1u << unit;
}

TEST(whoever_has_the_images_is_told)
{
    static const struct xp_events xp_events = { .nic_leaves = nic_leaves };
    static const struct ide_events ide_events = { .released = released };
    struct pc p = pc();
    struct qt *t = p.t;

    qt_no_reload(t, "who listens is this process's");
    left = let_go = 0;
    ide_listen(t->devs[0], &ide_events, t);
    xp_listen(t->devs[1], &xp_events, t);
    outw(t, 0x10, XP_DISKS | XP_NICS);
    CHECK_EQ(left, 1);
    CHECK_EQ(let_go, 3);
    outw(t, 0x10, XP_DISKS | XP_NICS);
    CHECK_EQ(left, 1);
    pc_end(&p);
}

TEST(half_an_announcement_changes_nothing)
{
    struct qt *t = start();

    outw(t, 0x12, 3);
    CHECK_EQ(inw(t, 0x10), 0x49d2);
}

TEST(widths_are_different_registers)
{
    struct qt *t = start();

    CHECK_EQ(inb(t, 0x10), 0);
    CHECK_EQ(inl(t, 0x10), 0xffffffff);
    CHECK_EQ(inw(t, 0x12), 0xffff);
    CHECK_EQ(inb(t, 0x11), 0xff);
    CHECK_EQ(inb(t, 0x1f), 0xff);
    outl(t, 0x1c, 0);
}

static int readonly_called(struct platform *p, uint64_t gpa, uint64_t len, bool readonly)
{
    CHECK_EQ(gpa, 0xc0000);
    CHECK_EQ(len, 0x40000);
    container_of(p, struct qt, plat)->power = readonly; /* a place to tell the test */
    return 0;
}

TEST(rom_lock_flag)
{
    struct qt *t = start();
    struct platform_ops ops = *t->plat.ops;
    const struct platform_ops *old = t->plat.ops;

    ops.mem_readonly = readonly_called;
    t->plat.ops = &ops;
    outb(t, 0x10, 0x00);
    CHECK_EQ(t->power, -1);
    outb(t, 0x10, 0xff);
    CHECK_EQ(t->power, 1);
    CHECK_EQ(inb(t, 0x10), 0x01);
    outb(t, 0x10, 0x00);
    CHECK_EQ(t->power, 0);
    outb(t, 0x10, 0x01);
    device_reset(t->dev, RESET_WARM);
    CHECK_EQ(t->power, 0);
    t->plat.ops = old;
}

TEST(bars)
{
    struct qt *t = start();

    cfg_write(t, XP, 0x10, BAR, 4);
    cfg_write(t, XP, 0x14, 0xf0000000, 4);
    cfg_write(t, XP, 0x04, 3, 2);
    CHECK_EQ(inb(t, BAR), 0);
    outb(t, BAR, 1);
    CHECK_EQ(inb(t, 0x10), 1);
    CHECK_EQ(inb(t, BAR + 1), 0xff);
    outl(t, BAR + 4, 1); /* an old SUSE driver */
    outb(t, BAR + 8, 2);
    CHECK_EQ(mmio_read(t, 0xf0000000, 4), 0);
    mmio_write(t, 0xf0001000, 0x55, 8);
    CHECK_EQ(mmio_read(t, 0xf0fffff8, 8), 0);
    CHECK_EQ(guest_errors(t), 0);
}

TEST(the_guests_log_is_bounded)
{
    struct qt *t = start();

    qt_no_reload(t, "many characters");
    for (unsigned i = 0; i < 5000; i++)
        outb(t, 0x12, i & 0xff);
    for (const char *s = "drivers\rloaded\n"; *s; s++)
        outb(t, 0x12, *s);
    CHECK_EQ(guest_errors(t), 0);
}

TEST(inta_is_never_driven)
{
    struct qt *t = start();

    announce(t);
    outb(t, 0x10, 1);
    CHECK(!intx(t, 2, 0));
}

static void must_fail(const char *key, const char *val, const char *line)
{
    struct qt *t = qt_new();
    struct config cfg = { 0 };
    struct err err = { "" };

    config_set(&cfg, key, val);
    CHECK(!device_new(&t->plat, &xen_platform_type.dev, "platform", XP, &cfg, &err));
    CHECK(strstr(err.msg, line) != NULL);
    config_free(&cfg);
}

TEST(configurations_that_cannot_be)
{
    must_fail("unplug", "all", "unplug=all");
    must_fail("blacklist", "x", "PRODUCT");
    must_fail("blacklist", "1//2", "PRODUCT");
    must_fail("blacklist", "65536", "PRODUCT");
    must_fail("blacklist", "1:5-4", "PRODUCT");
    must_fail("blacklist", "1:5-", "PRODUCT");
    must_fail("blacklist", "1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1", "more than 16");
}

/* What the guest's characters became in our log. */
TEST(the_guests_log_is_made_printable)
{
    struct qt *t = start();
    char got[512] = "";
    int log = memfd_create("log", 0), err = dup(STDERR_FILENO);

    dup2(log, STDERR_FILENO);
    for (const char *s = "a~\x1b[2J\x80z\r\n"; *s; s++)
        outb(t, 0x12, *s);
    outb(t, 0x12, '\n'); /* an empty line is none */
    dup2(err, STDERR_FILENO);
    CHECK(pread(log, got, sizeof(got) - 1, 0) > 0);
    CHECK(strstr(got, "guest says: a~?[2J?z\n") != NULL);
    CHECK(strchr(got, '\n') == got + strlen(got) - 1);
    close(log);
    close(err);
}

TEST(the_old_interface_does_the_same)
{
    struct qt *t = start();
    struct platform_ops ops = *t->plat.ops;
    const struct platform_ops *old = t->plat.ops;
    char got[512] = "";
    int log = memfd_create("log", 0), err = dup(STDERR_FILENO);

    ops.mem_readonly = readonly_called;
    t->plat.ops = &ops;
    cfg_write(t, XP, 0x10, BAR, 4);
    cfg_write(t, XP, 0x04, 1, 2);
    outb(t, BAR, 1);
    CHECK_EQ(t->power, 1);
    outb(t, BAR, 0);
    CHECK_EQ(t->power, 0);
    t->plat.ops = old;
    dup2(log, STDERR_FILENO);
    outb(t, BAR + 8, 'x');
    outb(t, BAR + 9, 'y');
    outb(t, BAR + 8, '\n');
    dup2(err, STDERR_FILENO);
    CHECK(pread(log, got, sizeof(got) - 1, 0) > 0);
    CHECK(strstr(got, "guest says: x\n") != NULL);
    close(log);
    close(err);
}
