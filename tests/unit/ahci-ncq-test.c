/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AHCI's queued commands: many at once, in any order, and what an error does to them. */
#include "hw/ahci-int.h"
#include "tests/unit/ahci-util.h"
#include "tests/unit/random.h"

/* Issues the tags of mask, as drivers do: PxSACT, then PxCI. */
static void issue(struct qt *t, uint32_t mask)
{
    px_set(t, 0, P_SACT, mask);
    px_set(t, 0, P_CI, mask);
}

static unsigned held(const struct rig *r)
{
    const struct fault *f = r->blk[0]->priv;
    unsigned n = 0;

    for (const struct block_req *q = f->held; q; q = q->next)
        n++;
    return n;
}

TEST(all_tags_at_once_and_out_of_order)
{
    struct rig r = ahci_disk(1024);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    qt_no_reload(t, "the end of a device waits for what is in flight");
    f->hold = true;
    for (unsigned s = 0; s < 32; s++)
        make_ncq(t, 0, s, false, s * 8, 8, AHCI_DAT + 4096 * s);
    issue(t, 0xffffffff);
    CHECK_EQ(px(t, 0, P_CI), 0); /* taken, and the bus is free */
    CHECK_EQ(px(t, 0, P_SACT), 0xffffffff);
    CHECK_EQ(px(t, 0, P_TFD), 0x50);
    CHECK_EQ(px(t, 0, P_IS), 0);
    CHECK_EQ(held(&r), 32);
    while (f->held) { /* the last one first */
        struct block_req *q = f->held;
        uint32_t tag = q->offset / 4096, sact = px(t, 0, P_SACT);

        CHECK_EQ(sact, 0xffffffffu >> (31 - tag));
        f->held = q->next;
        fault_pass(r.blk[0], q);
        loop_until(t, px(t, 0, P_SACT) != sact);
        CHECK_EQ(px(t, 0, P_SACT), sact & ~(1u << tag));
        CHECK_EQ(ram32(t, RFIS(0) + 0x5c), 1u << tag);
        CHECK(hex_is("a1 40 50 00", t->ram + RFIS(0) + 0x58, 4));
        CHECK_EQ(px(t, 0, P_IS), 8);
        CHECK(intx(t, 4, 0));
        px_set(t, 0, P_IS, 8);
        hba_set(t, G_IS, 1);
    }
    CHECK(sectors_are(t, AHCI_DAT, 0, 256, 512));
    rig_end(&r);
}

TEST(reads_and_writes)
{
    for (int no_pin = 0; no_pin < 2; no_pin++) {
        struct rig r = ahci_disk(2048);
        struct qt *t = r.t;
        static uint8_t back[200 * 512];

        t->no_pin = no_pin;
        make_ncq(t, 0, 3, false, 5, 1000, AHCI_DAT);
        issue(t, 1 << 3);
        port_settled(t, 0);
        CHECK_EQ(px(t, 0, P_SACT), 0);
        CHECK(sectors_are(t, AHCI_DAT, 5, 1000, 512));
        CHECK(hex_is("41 20 00 00 03", t->ram + RFIS(0), 5)); /* DMA setup */
        CHECK_EQ(ram32(t, RFIS(0) + 20), 1000 * 512);
        CHECK_EQ(prdbc(t, 0, 3), 0xeeeeeeee); /* not used by queued commands */
        for (unsigned i = 0; i < sizeof(back); i++)
            t->ram[AHCI_DAT + i] = i * 3 + (i >> 9);
        make_ncq(t, 0, 31, true, 100, 200, AHCI_DAT);
        issue(t, 1u << 31);
        port_settled(t, 0);
        CHECK_EQ(px(t, 0, P_TFD), 0x50);
        medium_io(r.blk[0], BLOCK_READ, 100 * 512, back, sizeof(back));
        CHECK(!memcmp(back, t->ram + AHCI_DAT, sizeof(back)));
        rig_end(&r);
    }
}

TEST(through_the_write_cache)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    f->bad_flush = true; /* so that one is seen */
    make_ncq(t, 0, 0, true, 1, 1, AHCI_DAT);
    issue(t, 1);
    port_settled(t, 0);
    CHECK_EQ(px(t, 0, P_TFD), 0x50);
    t->ram[TAB(0) + 7] |= 0x80; /* FUA */
    issue(t, 1);
    port_settled(t, 0);
    CHECK_EQ(px(t, 0, P_TFD), 0x0451);
    port_restart(t, 0);
    f->bad_flush = false;
    issue(t, 1);
    port_settled(t, 0);
    CHECK_EQ(px(t, 0, P_TFD), 0x50);
    host_fis(t, 1, 0xef, 0x82, 0, 0, 0); /* write cache off */
    header(t, 0, 1, 0, 0);
    px_set(t, 0, P_CI, 2);
    port_settled(t, 0);
    f->bad_flush = true;
    make_ncq(t, 0, 0, true, 1, 1, AHCI_DAT);
    issue(t, 1);
    port_settled(t, 0);
    CHECK_EQ(px(t, 0, P_TFD), 0x0451);
    rig_end(&r);
}

static void read_log(struct qt *t, uint8_t log)
{
    make(t, 0, 0, 0x2f, log, 1, AHCI_DAT + 0x80000, 512);
    CHECK_EQ(run(t, 0), 0x50);
    px_set(t, 0, P_IS, 2);
}

TEST(an_error_aborts_all_and_is_in_the_log)
{
    struct rig r = ahci_disk(1024);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;
    const uint8_t *log = t->ram + AHCI_DAT + 0x80000;
    uint8_t sum = 0;

    f->bad = 43 * 512;
    f->bad_len = 512;
    for (unsigned s = 0; s < 16; s++)
        make_ncq(t, 0, s, false, s * 8, 8, AHCI_DAT + 4096 * s);
    issue(t, 0x0020);
    port_settled(t, 0);
    CHECK_EQ(px(t, 0, P_TFD), 0x4051);
    CHECK_EQ(px(t, 0, P_IS), 0x40000008);
    CHECK_EQ(px(t, 0, P_SACT), 0x20);
    CHECK(hex_is("a1 40 51 40 00 00 00 00", t->ram + RFIS(0) + 0x58, 8));
    CHECK(sectors_are(t, AHCI_DAT + 5 * 4096, 40, 3, 512));
    issue(t, 0x8000); /* deaf */
    CHECK_EQ(px(t, 0, P_CI), 0x8000);
    port_restart(t, 0);
    CHECK_EQ(px(t, 0, P_SACT), 0);
    read_log(t, 0x10);
    CHECK(hex_is("05 00 51 40 2b 00 00 40 00 00 00", log, 11));
    for (unsigned i = 0; i < 512; i++)
        sum += log[i];
    CHECK_EQ(sum, 0);
    read_log(t, 0x00);
    CHECK(hex_is("01 00", log, 2));
    CHECK_EQ(log[0x20], 1);
    issue(t, 0xffde);
    port_settled(t, 0);
    CHECK_EQ(px(t, 0, P_TFD), 0x50);
    CHECK(sectors_are(t, AHCI_DAT + 4096, 8, 32, 512));
    CHECK(sectors_are(t, AHCI_DAT + 6 * 4096, 48, 80, 512));
    rig_end(&r);
}

static void check_refused(struct qt *t, uint8_t error)
{
    CHECK_EQ(px(t, 0, P_TFD), error << 8 | 0x51);
    CHECK_EQ(px(t, 0, P_IS), 0x40000001);
    port_restart(t, 0);
}

TEST(commands_that_break_the_rules)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    qt_no_reload(t, "the end of a device waits for what is in flight");
    make_ncq(t, 0, 0, false, 60, 8, AHCI_DAT); /* past the end */
    issue(t, 1);
    check_refused(t, 0x14);
    make_ncq(t, 0, 0, false, 0, 8, AHCI_DAT);
    t->ram[TAB(0) + 12] = 7 << 3; /* not the slot's tag */
    issue(t, 1);
    check_refused(t, 0x04);
    f->hold = true;
    make_ncq(t, 0, 0, false, 0, 8, AHCI_DAT);
    make(t, 0, 1, 0xec, 0, 0, AHCI_DAT + 8192, 512);
    issue(t, 1);
    px_set(t, 0, P_CI, 2); /* an ordinary one between */
    CHECK_EQ(px(t, 0, P_TFD), 0x0451);
    fault_release(r.blk[0]);
    check_refused(t, 0x04);
    read_log(t, 0x10);
    CHECK_EQ(t->ram[AHCI_DAT + 0x80000] & 0x80, 0x80);
    f->hold = true;
    make_ncq(t, 0, 0, false, 0, 8, AHCI_DAT);
    issue(t, 1);
    issue(t, 1); /* a tag that is busy */
    fault_release(r.blk[0]);
    check_refused(t, 0x04);
    r.blk[0]->readonly = true;
    make_ncq(t, 0, 4, true, 0, 8, AHCI_DAT);
    issue(t, 1 << 4);
    check_refused(t, 0x44);
    rig_end(&r);
}

TEST(tables_of_queued_commands)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;

    for (int write = 0; write < 2; write++) {
        make_ncq(t, 0, 2, write, 0, 8, AHCI_DAT);
        region(t, 2, 0, AHCI_DAT, 1024);
        issue(t, 4);
        port_settled(t, 0);
        CHECK_EQ(px(t, 0, P_TFD), 0x0451);
        CHECK_EQ(px(t, 0, P_IS) & 0x41000000, 0x41000000);
        port_restart(t, 0);
        make_ncq(t, 0, 2, write, 0, 8, AHCI_DAT);
        put32(t, LIST(0) + 64, 5); /* no regions */
        issue(t, 4);
        port_settled(t, 0);
        CHECK_EQ(px(t, 0, P_TFD), 0x0451);
        port_restart(t, 0);
        make_ncq(t, 0, 2, write, 0, 8, 0xfee00000);
        issue(t, 4);
        port_settled(t, 0);
        CHECK_EQ(px(t, 0, P_IS) & 0x60000000, 0x20000000);
        port_restart(t, 0);
    }
    make_ncq(t, 0, 2, false, 7, 8, AHCI_DAT);
    issue(t, 4);
    port_settled(t, 0);
    CHECK(sectors_are(t, AHCI_DAT, 7, 8, 512));
    rig_end(&r);
}

TEST(held_until_it_is_tried_again)
{
    struct rig r = { qt_new(), { NULL } };
    struct qt *t = r.t;
    struct fault *f;

    qt_config(t, "port0.rerror", "stop");
    ahci_unit(&r, 0, false, 64);
    ahci_go(&r);
    f = r.blk[0]->priv;
    f->bad = 8 * 512;
    f->bad_len = 512;
    make_ncq(t, 0, 0, false, 0, 8, AHCI_DAT);
    make_ncq(t, 0, 1, false, 8, 8, AHCI_DAT + 4096);
    issue(t, 3);
    loop_until(t, px(t, 0, P_SACT) == 2);
    CHECK_EQ(ide_drain(t->dev), 0);
    loop_step(t);
    CHECK_EQ(px(t, 0, P_SACT), 2); /* the others go on, this one waits */
    f->bad_len = 0;
    ide_retry(t->dev);
    qt_touched(t);
    port_settled(t, 0);
    CHECK_EQ(px(t, 0, P_SACT), 0);
    CHECK_EQ(px(t, 0, P_TFD), 0x50);
    CHECK(sectors_are(t, AHCI_DAT, 0, 16, 512));
    rig_end(&r);
}

TEST(stopping_with_tags_in_flight)
{
    struct rig r = ahci_disk(1024);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    qt_no_reload(t, "the end of a device waits for what is in flight");
    for (unsigned how = 0; how < 3; how++) {
        f->hold = true;
        for (unsigned s = 0; s < 32; s++)
            make_ncq(t, 0, s, s & 1, s * 8, 8, AHCI_DAT + 4096 * s);
        issue(t, 0x0ffffffe);
        CHECK_EQ(held(&r), 27);
        if (how == 0)
            px_set(t, 0, P_CMD, 0x10);
        else if (how == 1)
            hba_set(t, G_GHC, 1);
        else
            device_reset(t->dev, RESET_WARM); /* this one waits */
        if (how < 2) {
            CHECK_EQ(px(t, 0, P_CMD) & 0x8000, 0x8000);
            CHECK_EQ(px(t, 0, P_SACT), 0);
            fault_release(r.blk[0]);
            loop_until(t, !t->pins);
            CHECK_EQ(px(t, 0, P_CMD) & 0x8000, 0);
        }
        CHECK_EQ(t->pins, 0);
        f->hold = false;
        cfg_write(t, AHCI_DEVFN, 0x24, ABAR, 4);
        cfg_write(t, AHCI_DEVFN, 0x04, 0x0007, 2);
        port_up(t, 0);
        make_ncq(t, 0, 9, false, 999, 8, AHCI_DAT);
        issue(t, 1 << 9);
        port_settled(t, 0);
        CHECK(sectors_are(t, AHCI_DAT, 999, 8, 512));
    }
    rig_end(&r);
}

/* Writes with random tags, sizes and regions, then the same bytes back by other commands. */
TEST(what_is_written_is_what_is_read)
{
    struct rig r = ahci_disk(4096);
    struct qt *t = r.t;
    static uint8_t all[4096 * 512], back[4096 * 512];
    uint64_t seed = 7;

    medium_io(r.blk[0], BLOCK_READ, 0, all, sizeof(all));
    for (int round = 0; round < (t->reload ? 6 : 60); round++) {
        uint32_t mask = 0;

        for (unsigned s = 0; s < 32; s++) {
            uint32_t lba = s * 128 + rnd_below(&seed, 64), n = 1 + rnd_below(&seed, 64);
            uint32_t at = AHCI_DAT + s * 0x8000, cut = 2 * (rnd_below(&seed, 256));

            make_ncq(t, 0, s, true, lba, n, at);
            if (cut) {
                put32(t, LIST(0) + 32 * s, 2u << 16 | 5);
                region(t, s, 0, at, cut);
                region(t, s, 1, at + cut, n * 512 - cut);
            }
            for (unsigned i = 0; i < n * 512; i++)
                t->ram[at + i] = rnd(&seed);
            memcpy(all + lba * 512, t->ram + at, n * 512);
            mask |= 1u << s;
        }
        issue(t, mask);
        port_settled(t, 0);
        CHECK_EQ(px(t, 0, P_TFD), 0x50);
    }
    medium_io(r.blk[0], BLOCK_READ, 0, back, sizeof(back));
    CHECK(!memcmp(all, back, sizeof(all)));
    rig_end(&r);
}

/* Is the state refused? It is put back. */
static bool refused(struct qt *t, struct ahci_port_state *s, const struct ahci_port_state *good)
{
    bool valid = state_valid(t->dev);

    *s = *good;
    return !valid && state_valid(t->dev);
}

TEST(tags_no_guest_can_bring_about)
{
    struct rig r = ahci_disk_cd(1024, 16);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;
    struct ahci *a = container_of(t->dev, struct ahci, host.pci.dev);
    struct ahci_port_state *s = &a->s.port[0], *cd = &a->s.port[1], good;

    qt_no_reload(t, "states are made up, not reached");
    f->hold = true;
    make_ncq(t, 0, 3, true, 8, 8, AHCI_DAT);
    issue(t, 1 << 3);
    good = *s;
    CHECK_EQ(s->tag_flags[3] & ~TAG_LAST, TAG_ACTIVE | TAG_WRITE);
    s->tag_flags[3] = 0;
    CHECK(refused(t, s, &good)); /* sectors left of nothing */
    s->tag_flags[3] &= ~TAG_ACTIVE;
    CHECK(refused(t, s, &good));
    s->tag_next[3] = AHCI_PRD / 2;
    CHECK(refused(t, s, &good)); /* within an entry */
    s->tag_next[3] = AHCI_PRD * (s->tag_prds[3] + 1u);
    CHECK(refused(t, s, &good)); /* behind the table */
    s->tag_flags[3] = TAG_ACTIVE | TAG_THROUGH;
    CHECK(refused(t, s, &good)); /* flushes after a read */
    s->tag_flags[3] |= TAG_FLUSH | TAG_THROUGH;
    CHECK(refused(t, s, &good)); /* ... and before the data has moved */
    s->tag_flags[3] |= TAG_FLUSH | TAG_THROUGH;
    s->tag_left[3] = 0;
    CHECK(state_valid(t->dev));
    s->tag_flags[3] &= ~TAG_THROUGH;
    CHECK(refused(t, s, &good)); /* that nobody asked for */
    s->tag_left[3] = 0;
    CHECK(refused(t, s, &good)); /* nothing left, and not done */
    s->slot = 0;
    CHECK(refused(t, s, &good)); /* beside a command that is not queued */
    s->cmd &= ~CMD_ST;
    s->ci = s->sact = 0;
    CHECK(refused(t, s, &good)); /* of a port that is stopped */
    s->halted = true;
    CHECK(refused(t, s, &good));
    s->unit.gone = true;
    CHECK(refused(t, s, &good));
    good = *cd;
    cd->tag_flags[0] = TAG_ACTIVE;
    cd->tag_left[0] = 1;
    CHECK(refused(t, cd, &good)); /* a CD drive has no queue */
    fault_release(r.blk[0]);
    port_settled(t, 0);
    CHECK_EQ(px(t, 0, P_TFD), 0x50);
    rig_end(&r);
}

TEST(ports_no_guest_can_bring_about)
{
    struct rig r = ahci_disk(1024);
    struct qt *t = r.t;
    struct ahci *a = container_of(t->dev, struct ahci, host.pci.dev);
    struct ahci_port_state *s = &a->s.port[0], good = *s;

    qt_no_reload(t, "states are made up, not reached");
    CHECK(state_valid(t->dev));
    s->unit.heads = 0;
    CHECK(refused(t, s, &good)); /* it divides */
    s->ch.active = 1;
    CHECK(refused(t, s, &good)); /* there is one drive on a cable */
    s->ch.device = 0x10;
    CHECK(refused(t, s, &good));
    s->ch.phase = PH_FLUSH;
    s->ch.per_drq = 1;
    CHECK(refused(t, s, &good)); /* work without a command */
    s->slot = 5;
    s->ch.phase = PH_FLUSH;
    s->ch.per_drq = 1;
    CHECK(state_valid(t->dev));
    s->ch.phase = PH_IN;
    s->ch.end = s->ch.len = 512;
    CHECK(refused(t, s, &good)); /* PIO data waits for nobody */
    s->slot = 5;
    s->cmd &= ~CMD_ST;
    CHECK(refused(t, s, &good)); /* a command at a port that is stopped */
    s->slot = 5;
    s->halted = true;
    CHECK(refused(t, s, &good));
    s->slot = 5;
    s->unit.gone = true;
    CHECK(refused(t, s, &good)); /* of a drive that has left */
    s->cmd &= ~CMD_ST;
    CHECK(state_valid(t->dev));
    s->ci = 1;
    CHECK(refused(t, s, &good)); /* PxCI and PxSACT fall with PxCMD.ST */
    s->cmd &= ~CMD_ST;
    s->sact = 1;
    CHECK(refused(t, s, &good));
    s->ch.pos = 2;
    CHECK(refused(t, s, &good)); /* beyond end */
    s = &a->s.port[3];
    good = *s;
    s->cmd |= CMD_ST;
    s->slot = 0;
    CHECK(refused(t, s, &good)); /* no drive is there at all */
    a->s.spare[1] = 1;
    CHECK(!state_valid(t->dev));
    a->s.spare[1] = 0;
    CHECK(state_valid(t->dev));
    rig_end(&r);
}
