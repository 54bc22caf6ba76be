/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The AHCI controller: Serial ATA AHCI 1.3.1, 82801IR data sheet §14, §15. Its
 * registers, one command at a time, and command lists as no driver makes them.
 */
#include "tests/unit/ahci-util.h"

TEST(configuration_space_and_capabilities)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;

    CHECK_EQ(cfg_read(t, AHCI_DEVFN, 0x00, 4), 0x29228086);
    CHECK_EQ(cfg_read(t, AHCI_DEVFN, 0x08, 4), 0x01060102);
    CHECK_EQ(cfg_read(t, AHCI_DEVFN, 0x06, 2) & 0x10, 0x10);
    CHECK_EQ(cfg_read(t, AHCI_DEVFN, 0x34, 1), 0x80);
    CHECK_EQ(cfg_read(t, AHCI_DEVFN, 0x3d, 1), 1);
    CHECK_EQ(cfg_read(t, AHCI_DEVFN, 0x80, 4), 0x0080a805);
    CHECK_EQ(cfg_read(t, AHCI_DEVFN, 0xa8, 4), 0x00100012);
    CHECK_EQ(cfg_read(t, AHCI_DEVFN, 0xac, 4), 0x00000048);
    cfg_write(t, AHCI_DEVFN, 0x24, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, AHCI_DEVFN, 0x24, 4), 0xfffff000);
    cfg_write(t, AHCI_DEVFN, 0x24, ABAR, 4);
    CHECK_EQ(hba(t, G_CAP), 0xc1241f05);
    CHECK_EQ(hba(t, G_PI), 0x3f);
    CHECK_EQ(hba(t, G_VS), 0x00010000);
    CHECK_EQ(hba(t, G_GHC), 0x80000002);
    hba_set(t, G_GHC, 0); /* this one knows nothing but AHCI */
    CHECK_EQ(hba(t, G_GHC), 0x80000000);
    CHECK_EQ(mmio_read(t, ABAR + 1, 1), 0x1f);
    CHECK_EQ(mmio_read(t, ABAR + 0xffc, 4), 0);
    hba_set(t, 0x24, 0xffffffff);
    CHECK_EQ(hba(t, 0x24), 0);
    CHECK_EQ(guest_errors(t), 0);
    mmio_write(t, ABAR + G_GHC, 2, 1);
    CHECK_EQ(hba(t, G_GHC), 0x80000000);
    CHECK_EQ(guest_errors(t), 1);
    rig_end(&r);
}

TEST(registers_through_the_index_and_data_ports)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;

    outl(t, IDP + 0x10, 0xfffff003);
    CHECK_EQ(inl(t, IDP + 0x10), 0);
    CHECK_EQ(inl(t, IDP + 0x14), 0xc1241f05);
    outl(t, IDP + 0x10, 0x114);
    outl(t, IDP + 0x14, 0x00000041);
    CHECK_EQ(px(t, 0, P_IE), 0x41);
    outl(t, IDP + 0x10, 0xffc);
    CHECK_EQ(inl(t, IDP + 0x14), 0);
    CHECK_EQ(inl(t, IDP), 0);
    rig_end(&r);
}

TEST(port_registers)
{
    struct rig r = { qt_new(), { NULL } };
    struct qt *t = r.t;

    ahci_unit(&r, 0, false, 64);
    qt_add(t, &ahci_type.dev, AHCI_DEVFN);
    cfg_write(t, AHCI_DEVFN, 0x24, ABAR, 4);
    cfg_write(t, AHCI_DEVFN, 0x04, 0x0006, 2);
    for (unsigned n = 0; n < 6; n++) {
        CHECK_EQ(px(t, n, P_CMD), 0x06);
        CHECK_EQ(px(t, n, P_TFD), 0x7f);
        CHECK_EQ(px(t, n, P_SIG), 0xffffffff);
        CHECK_EQ(px(t, n, P_SSTS), n ? 0 : 0x123);
        CHECK_EQ(px(t, n, P_SERR), n ? 0 : 0x04010000);
        CHECK_EQ(px(t, n, P_IS), n ? 0 : 0x00400040);
    }
    px_set(t, 0, P_CLB, 0xffffffff);
    px_set(t, 0, P_CLB + 4, 0xffffffff);
    px_set(t, 0, P_FB, 0xffffffff);
    px_set(t, 0, P_FB + 4, 0x12345678);
    CHECK_EQ(px(t, 0, P_CLB), 0xfffffc00);
    CHECK_EQ(px(t, 0, P_CLB + 4), 0xffffffff);
    CHECK_EQ(px(t, 0, P_FB), 0xffffff00);
    CHECK_EQ(px(t, 0, P_FB + 4), 0x12345678);
    px_set(t, 0, P_IE, 0xffffffff);
    CHECK_EQ(px(t, 0, P_IE), 0x7d4000ff);
    px_set(t, 0, P_CI, 0xffffffff); /* not started: nothing can be issued */
    px_set(t, 0, P_SACT, 0xffffffff);
    CHECK_EQ(px(t, 0, P_CI), 0);
    CHECK_EQ(px(t, 0, P_SACT), 0);
    px_set(t, 0, P_SERR, 0x00010000);
    CHECK_EQ(px(t, 0, P_IS), 0x00000040); /* PCS and PRCS show what PxSERR says */
    px_set(t, 0, P_IS, 0xffffffff);
    CHECK_EQ(px(t, 0, P_IS), 0x00000040);
    px_set(t, 0, P_SERR, 0x04000000);
    CHECK_EQ(px(t, 0, P_IS), 0);
    px_set(t, 5, P_CMD, 0x11);
    px_set(t, 5, P_CI, 0xffffffff); /* a port without a drive: nobody answers */
    CHECK_EQ(px(t, 5, P_CI), 0xffffffff);
    CHECK_EQ(px(t, 5, P_CMD), 0xc017);
    px_set(t, 5, P_CMD, 0);
    CHECK_EQ(px(t, 5, P_CI), 0);
    CHECK_EQ(px(t, 5, P_CMD), 0x06);
    rig_end(&r);
}

TEST(signatures_arrive_with_fis_receive)
{
    struct rig r = ahci_disk_cd(64, 16);
    struct qt *t = r.t;

    CHECK_EQ(px(t, 0, P_SIG), 0x00000101);
    CHECK_EQ(px(t, 0, P_TFD), 0x0150);
    CHECK_EQ(px(t, 1, P_SIG), 0xeb140101);
    CHECK_EQ(px(t, 1, P_TFD) & 0x89, 0);
    CHECK(hex_is("34 00 50 01 01 00 00 00 00 00 00 00 01 00", t->ram + RFIS(0) + 0x40, 14));
    CHECK(hex_is("34 00 00 01 01 14 eb 00 00 00 00 00 01 00", t->ram + RFIS(1) + 0x40, 14));
    CHECK_EQ(px(t, 0, P_IS), 0); /* a signature does not interrupt */
    rig_end(&r);
}

TEST(a_reset_of_the_link)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;

    px_set(t, 0, P_CMD, 0x10);
    memset(t->ram + RFIS(0), 0, 0x100);
    px_set(t, 0, P_SCTL, 0x301);
    CHECK_EQ(px(t, 0, P_SSTS), 0);
    CHECK_EQ(px(t, 0, P_TFD), 0x7f);
    CHECK_EQ(px(t, 0, P_SIG), 0xffffffff);
    CHECK_EQ(px(t, 0, P_SERR), 0x00010000);
    CHECK_EQ(ram32(t, RFIS(0) + 0x40), 0);
    px_set(t, 0, P_SCTL, 0x300);
    CHECK_EQ(px(t, 0, P_SSTS), 0x123);
    CHECK_EQ(px(t, 0, P_TFD), 0x0150);
    CHECK_EQ(px(t, 0, P_SIG), 0x00000101);
    CHECK_EQ(px(t, 0, P_SERR), 0x04010000);
    CHECK_EQ(t->ram[RFIS(0) + 0x40], 0x34);
    CHECK(intx(t, 4, 0)); /* PCS and PRCS are enabled */
    px_set(t, 0, P_SCTL, 0x004);
    CHECK_EQ(px(t, 0, P_SSTS), 4);
    CHECK_EQ(px(t, 0, P_SIG), 0xffffffff);
    px_set(t, 0, P_SCTL, 0);
    CHECK_EQ(px(t, 0, P_SSTS), 0x123);
    rig_end(&r);
}

TEST(identify_by_pio)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;
    const uint8_t *id = t->ram + AHCI_DAT;
    uint8_t sum = 0;

    make(t, 0, 0, 0xec, 0, 0, AHCI_DAT, 512);
    CHECK_EQ(run(t, 0), 0x50);
    CHECK_EQ(px(t, 0, P_IS), 2); /* PSS, and no register FIS */
    CHECK_EQ(prdbc(t, 0, 0), 512);
    CHECK(hex_is("5f 60 58 00", t->ram + RFIS(0) + 0x20, 4));
    CHECK_EQ(t->ram[RFIS(0) + 0x2f], 0x50); /* what the status is afterwards */
    CHECK_EQ(ram32(t, RFIS(0) + 0x30), 512);
    CHECK_EQ(hba(t, G_IS), 1);
    CHECK(intx(t, 4, 0));
    hba_set(t, G_IS, 1); /* but the port still asks */
    CHECK(intx(t, 4, 0));
    px_set(t, 0, P_IS, 2);
    hba_set(t, G_IS, 1);
    CHECK(!intx(t, 4, 0));
    for (unsigned i = 0; i < 512; i++)
        sum += id[i];
    CHECK_EQ(sum, 0);
    CHECK(hex_is("1f 00 06 01 00 00 40 00 40 00", id + 150, 10)); /* words 75-79 */
    CHECK(hex_is("00 00", id + 186, 2));                          /* 93: not a parallel one */
    CHECK_EQ(id[168] & 0x20, 0x20);                               /* general purpose logging */
    CHECK(hex_is("1f 10", id + 444, 2));                          /* 222 */
    rig_end(&r);
}

/* SATA 2.6 §13.3.2: "settings outlive a reset" is on and cannot be anything else. */
TEST(set_features_of_serial_ata)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;
    static const struct {
        uint8_t sub, val;
        uint16_t tfd;
    } all[] = {
        { 0x10, 0x06, 0x0050 }, { 0x90, 0x06, 0x0451 }, { 0x10, 0x02, 0x0451 },
        { 0x10, 0x03, 0x0451 }, { 0x10, 0x06, 0x0050 },
    };

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        host_fis(t, 0, 0xef, all[i].sub, 0, all[i].val, 0);
        header(t, 0, 0, 0, 0);
        CHECK_EQ(run(t, 0), all[i].tfd);
        if (all[i].tfd != 0x50)
            port_restart(t, 0);
    }
    make(t, 0, 0, 0xec, 0, 0, AHCI_DAT, 512);
    CHECK_EQ(run(t, 0), 0x50);
    CHECK(hex_is("40 00 40 00", t->ram + AHCI_DAT + 156, 4)); /* words 78, 79 */
    rig_end(&r);
}

TEST(dma_both_ways_through_many_regions)
{
    struct rig r = ahci_disk(1024);
    struct qt *t = r.t;
    static uint8_t back[40 * 512];

    host_fis(t, 0, 0x25, 0, 8, 300, 0x40);
    header(t, 0, 0, 3, 0);
    region(t, 0, 0, AHCI_DAT, 700); /* cut through sectors */
    region(t, 0, 1, AHCI_DAT + 700, 2);
    region(t, 0, 2, AHCI_DAT + 702, 300 * 512); /* more than there is data */
    CHECK_EQ(run(t, 0), 0x50);
    CHECK_EQ(px(t, 0, P_IS), 1);
    CHECK_EQ(prdbc(t, 0, 0), 300 * 512);
    CHECK(sectors_are(t, AHCI_DAT, 8, 300, 512));
    CHECK_EQ(t->ram[AHCI_DAT + 300 * 512], 0);
    CHECK(hex_is("34 40 50 00", t->ram + RFIS(0) + 0x40, 4));
    px_set(t, 0, P_IS, 1);
    for (unsigned i = 0; i < sizeof(back); i++)
        t->ram[AHCI_DAT + i] = i * 3 + (i >> 9);
    make(t, 0, 0, 0x35, 100, 40, AHCI_DAT, sizeof(back));
    put32(t, TAB(0) + 0x80 + 12, (sizeof(back) - 1) | 0x80000000u); /* and wants to know */
    CHECK_EQ(run(t, 0), 0x50);
    CHECK_EQ(px(t, 0, P_IS), 0x21);
    CHECK_EQ(prdbc(t, 0, 0), sizeof(back));
    medium_io(r.blk[0], BLOCK_READ, 100 * 512, back, sizeof(back));
    CHECK(!memcmp(back, t->ram + AHCI_DAT, sizeof(back)));
    rig_end(&r);
}

TEST(dma_where_the_world_lends_no_memory)
{
    struct rig r = ahci_disk(1024);
    struct qt *t = r.t;

    t->no_pin = true;
    make(t, 0, 0, 0x25, 8, 600, AHCI_DAT, 600 * 512);
    CHECK_EQ(run(t, 0), 0x50);
    CHECK_EQ(prdbc(t, 0, 0), 600 * 512);
    CHECK(sectors_are(t, AHCI_DAT, 8, 600, 512));
    rig_end(&r);
}

TEST(sectors_by_pio)
{
    struct rig r = ahci_disk(1024);
    struct qt *t = r.t;
    static uint8_t back[300 * 512];

    make(t, 0, 0, 0x24, 8, 300, AHCI_DAT, 300 * 512);
    CHECK_EQ(run(t, 0), 0x50);
    CHECK_EQ(px(t, 0, P_IS), 2);
    CHECK_EQ(prdbc(t, 0, 0), 300 * 512);
    CHECK(sectors_are(t, AHCI_DAT, 8, 300, 512));
    px_set(t, 0, P_IS, 2);
    for (unsigned i = 0; i < sizeof(back); i++)
        t->ram[AHCI_DAT + i] = i * 5 + (i >> 9);
    make(t, 0, 0, 0x39, 200, 300, AHCI_DAT, sizeof(back)); /* WRITE MULTIPLE EXT */
    CHECK_EQ(run(t, 0), 0x50);
    CHECK_EQ(px(t, 0, P_IS), 3);
    CHECK_EQ(prdbc(t, 0, 0), sizeof(back));
    medium_io(r.blk[0], BLOCK_READ, 200 * 512, back, sizeof(back));
    CHECK(!memcmp(back, t->ram + AHCI_DAT, sizeof(back)));
    rig_end(&r);
}

TEST(slots_go_round)
{
    struct rig r = ahci_disk(1024);
    struct qt *t = r.t;

    for (unsigned s = 0; s < 32; s++)
        make(t, 0, s, 0x25, s * 8, 8, AHCI_DAT + s * 4096, 4096);
    px_set(t, 0, P_CI, 0xffffffff);
    port_settled(t, 0);
    CHECK_EQ(px(t, 0, P_CI), 0);
    CHECK_EQ(px(t, 0, P_TFD), 0x50);
    CHECK(sectors_are(t, AHCI_DAT, 0, 256, 512));
    CHECK_EQ(px(t, 0, P_CMD) >> 8 & 31, 31);
    rig_end(&r);
}

TEST(a_cd_by_packets)
{
    struct rig r = ahci_disk_cd(64, 64);
    struct qt *t = r.t;
    static const uint8_t inquiry[12] = { 0x12, 0, 0, 0, 36 }, ready[12] = { 0 };
    static const uint8_t unknown[12] = { 0xff };
    static const uint8_t sense_p[12] = { 3, 0, 0, 0, 18 };
    static const uint8_t read10[12] = { 0x28, 0, 0, 0, 0, 5, 0, 0, 20 };

    make(t, 1, 0, 0xa1, 0, 0, AHCI_DAT, 512);
    CHECK_EQ(run(t, 1), 0x50);
    CHECK_EQ(t->ram[AHCI_DAT + 1], 0x85);
    px_set(t, 1, P_IS, 0xff);
    make(t, 1, 0, 0xec, 0, 0, AHCI_DAT, 512); /* it is no disk: aborted, with the signature */
    CHECK_EQ(run(t, 1), 0x0451);
    CHECK_EQ(px(t, 1, P_IS) & 0x40000001, 0x40000001);
    CHECK(hex_is("34 40 51 04 01 14 eb", t->ram + RFIS(1) + 0x40, 7));
    CHECK_EQ(px(t, 1, P_CI), 1);
    port_restart(t, 1);
    make_packet(t, 1, 0, inquiry, false, AHCI_DAT, 36);
    CHECK_EQ(run(t, 1), 0x50);
    CHECK_EQ(px(t, 1, P_IS), 3); /* data, then the end; no interrupt for the packet */
    CHECK_EQ(prdbc(t, 1, 0), 36);
    CHECK_EQ(t->ram[AHCI_DAT], 5);
    make_packet(t, 1, 0, ready, false, 0, 0);
    CHECK_EQ(run(t, 1), 0x50);
    make_packet(t, 1, 0, unknown, false, 0, 0);
    CHECK_EQ(run(t, 1), 0x5451);
    port_restart(t, 1);
    make_packet(t, 1, 0, sense_p, true, AHCI_DAT, 18);
    CHECK_EQ(run(t, 1), 0x50);
    CHECK_EQ(t->ram[AHCI_DAT + 2], 5);
    CHECK_EQ(t->ram[AHCI_DAT + 12], 0x20);
    make_packet(t, 1, 0, read10, true, AHCI_DAT, 20 * 2048);
    CHECK_EQ(run(t, 1), 0x50);
    CHECK_EQ(prdbc(t, 1, 0), 20 * 2048);
    CHECK(sectors_are(t, AHCI_DAT, 5, 20, 2048));
    rig_end(&r);
}

TEST(trays_are_those_of_ide)
{
    struct rig r = ahci_disk_cd(64, 64);
    struct qt *t = r.t;
    static const uint8_t ready[12] = { 0 };
    struct err err;

    qt_no_reload(t, "the medium of the configuration is not there any more");
    CHECK(ide_eject(t->dev, 0, false, &err) < 0); /* a disk */
    CHECK_EQ(ide_eject(t->dev, 1, false, &err), 0);
    CHECK(ide_tray_open(t->dev, 1));
    make_packet(t, 1, 0, ready, false, 0, 0);
    CHECK_EQ(run(t, 1), 0x2451);
    port_restart(t, 1);
    CHECK_EQ(ide_insert(t->dev, 1, r.blk[1], &err), 0);
    qt_touched(t);
    make_packet(t, 1, 0, ready, false, 0, 0);
    CHECK_EQ(run(t, 1), 0x2451); /* shown as empty once, then as changed */
    port_restart(t, 1);
    CHECK_EQ(run(t, 1), 0x6451);
    port_restart(t, 1);
    CHECK_EQ(run(t, 1), 0x50);
    rig_end(&r);
}

TEST(errors_stop_the_port_until_it_is_restarted)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    make(t, 0, 0, 0x25, 60, 8, AHCI_DAT, 4096); /* past the end */
    make(t, 0, 1, 0x25, 0, 1, AHCI_DAT, 512);
    px_set(t, 0, P_CI, 3);
    port_settled(t, 0);
    CHECK_EQ(px(t, 0, P_TFD), 0x1451);
    CHECK_EQ(px(t, 0, P_IS), 0x40000001);
    CHECK_EQ(px(t, 0, P_CI), 3);
    CHECK_EQ(px(t, 0, P_CMD) >> 8 & 31, 0);
    px_set(t, 0, P_CI, 3); /* deaf */
    CHECK_EQ(px(t, 0, P_IS), 0x40000001);
    port_restart(t, 0);
    CHECK_EQ(px(t, 0, P_CI), 0);
    f->bad = 5 * 512;
    f->bad_len = 512;
    make(t, 0, 0, 0x25, 2, 8, AHCI_DAT, 4096);
    CHECK_EQ(run(t, 0), 0x4051);
    CHECK_EQ(t->ram[RFIS(0) + 0x44], 5); /* which sector it was */
    CHECK(sectors_are(t, AHCI_DAT, 2, 3, 512));
    port_restart(t, 0);
    make(t, 0, 0, 0x25, 6, 8, AHCI_DAT, 4096);
    CHECK_EQ(run(t, 0), 0x50);
    make(t, 0, 0, 0xf7, 0, 0, 0, 0); /* no such command */
    CHECK_EQ(run(t, 0), 0x0451);
    rig_end(&r);
}

static void note_error(void *arg, unsigned unit, bool is_write, int err, enum ide_action action)
{
    unsigned *seen = arg;

    *seen = unit << 16 | (is_write ? 0x8000 : 0) | (unsigned)action << 8 | (unsigned)err;
}

TEST(a_failed_write_can_be_held_and_tried_again)
{
    static const struct ide_events events = { .io_error = note_error };
    struct rig r = { qt_new(), { NULL } };
    struct qt *t = r.t;
    struct fault *f;
    unsigned seen = 0;
    uint8_t back[512];

    qt_no_reload(t, "the listener is not of the state");
    qt_config(t, "port2.werror", "stop");
    ahci_unit(&r, 2, false, 64);
    ahci_go(&r);
    f = r.blk[2]->priv;
    f->bad = 3 * 512;
    f->bad_len = 512;
    f->err = ENOSPC;
    ide_listen(t->dev, &events, &seen);
    memset(t->ram + AHCI_DAT, 0x5a, 512);
    make(t, 2, 0, 0x35, 3, 1, AHCI_DAT, 512);
    px_set(t, 2, P_CI, 1);
    loop_until(t, seen);
    CHECK_EQ(seen, 2 << 16 | 0x8000 | IDE_STOP << 8 | ENOSPC);
    CHECK_EQ(px(t, 2, P_CI), 1);
    CHECK_EQ(px(t, 2, P_TFD) & 0x80, 0x80);
    CHECK_EQ(ide_drain(t->dev), 0);
    f->bad_len = 0;
    ide_retry(t->dev);
    port_settled(t, 2);
    CHECK_EQ(px(t, 2, P_TFD), 0x50);
    medium_io(r.blk[2], BLOCK_READ, 3 * 512, back, 512);
    CHECK_EQ(back[100], 0x5a);
    rig_end(&r);
}

TEST(a_software_reset)
{
    struct rig r = ahci_disk_cd(64, 16);
    struct qt *t = r.t;

    memset(t->ram + RFIS(1), 0, 0x100);
    host_fis(t, 0, 0, 0, 0, 0, 0);
    t->ram[TAB(0) + 1] = 0;     /* a control FIS */
    t->ram[TAB(0) + 15] = 0x04; /* SRST */
    header(t, 1, 0, 0, 0x500);  /* reset, clear busy */
    host_fis(t, 1, 0, 0, 0, 0, 0);
    t->ram[TAB(1) + 1] = 0;
    header(t, 1, 1, 0, 0);
    px_set(t, 1, P_CI, 1);
    CHECK_EQ(px(t, 1, P_CI), 0);
    CHECK_EQ(t->ram[RFIS(1) + 0x40], 0);
    px_set(t, 1, P_CI, 2);
    CHECK_EQ(px(t, 1, P_CI), 0);
    CHECK(hex_is("34 00 00 01 01 14 eb", t->ram + RFIS(1) + 0x40, 7));
    CHECK_EQ(px(t, 1, P_SIG), 0xeb140101);
    rig_end(&r);
}

TEST(a_drive_in_reset_or_asleep_does_not_answer)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;

    make(t, 0, 0, 0xe6, 0, 0, 0, 0); /* SLEEP */
    CHECK_EQ(run(t, 0), 0x50);
    make(t, 0, 0, 0xec, 0, 0, AHCI_DAT, 512);
    px_set(t, 0, P_CI, 1);
    loop_step(t);
    CHECK_EQ(px(t, 0, P_CI), 1);
    CHECK_EQ(px(t, 0, P_TFD) & 0x80, 0x80);
    px_set(t, 0, P_CMD, 0x10);
    CHECK_EQ(px(t, 0, P_TFD) & 0x80, 0x80);
    px_set(t, 0, P_CMD, 0x18); /* CLO */
    CHECK_EQ(px(t, 0, P_TFD) & 0x88, 0);
    CHECK_EQ(px(t, 0, P_CMD) & 0x08, 0);
    px_set(t, 0, P_SCTL, 1);
    px_set(t, 0, P_SCTL, 0);
    px_set(t, 0, P_CMD, 0x11);
    CHECK_EQ(run(t, 0), 0x50);
    rig_end(&r);
}

TEST(stopping_waits_for_memory_that_is_lent)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    qt_no_reload(t, "the end of a device waits for what is in flight");
    f->hold = true;
    for (unsigned how = 0; how < 3; how++) {
        make(t, 0, 0, 0x25, 0, 8, AHCI_DAT, 4096);
        px_set(t, 0, P_CI, 1);
        CHECK_EQ(px(t, 0, P_CI), 1);
        if (how == 0)
            px_set(t, 0, P_CMD, 0x10);
        else if (how == 1)
            hba_set(t, G_GHC, 1);
        else
            px_set(t, 0, P_SCTL, 1);
        CHECK_EQ(px(t, 0, P_CMD) & 0x8000, 0x8000); /* CR */
        CHECK_EQ(hba(t, G_GHC) & 1, how == 2 ? 0 : 1);
        CHECK_EQ(px(t, 0, P_CI), 0);
        fault_release(r.blk[0]);
        f->hold = true;
        loop_until(t, !t->pins);
        CHECK_EQ(hba(t, G_GHC) & 1, 0);
        px_set(t, 0, P_SCTL, 0);
        port_up(t, 0);
    }
    CHECK_EQ(t->pins, 0);
    f->hold = false;
    make(t, 0, 0, 0x25, 9, 8, AHCI_DAT, 4096);
    CHECK_EQ(run(t, 0), 0x50);
    CHECK(sectors_are(t, AHCI_DAT, 9, 8, 512));
    rig_end(&r);
}

TEST(messages_instead_of_a_line)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;

    cfg_write(t, AHCI_DEVFN, 0x84, 0xfee00000, 4);
    cfg_write(t, AHCI_DEVFN, 0x8c, 0x4021, 2);
    cfg_write(t, AHCI_DEVFN, 0x82, 1, 2);
    make(t, 0, 0, 0xe7, 0, 0, 0, 0);
    CHECK_EQ(run(t, 0), 0x50);
    CHECK_EQ(t->msis, 1);
    CHECK(!intx(t, 4, 0));
    CHECK_EQ(run(t, 0), 0x50); /* not acknowledged yet: nothing new to say */
    CHECK_EQ(t->msis, 1);
    hba_set(t, G_IS, 1); /* the port's is still there: said again */
    CHECK_EQ(t->msis, 2);
    px_set(t, 0, P_IS, 1);
    hba_set(t, G_IS, 1);
    CHECK_EQ(t->msis, 2);
    CHECK_EQ(run(t, 0), 0x50);
    CHECK_EQ(t->msis, 3);
    cfg_write(t, AHCI_DEVFN, 0x82, 0, 2);
    CHECK(intx(t, 4, 0));
    hba_set(t, G_GHC, 0);
    CHECK(!intx(t, 4, 0));
    rig_end(&r);
}

TEST(discarding)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;
    struct fault *f = r.blk[0]->priv;

    r.blk[0]->discard = true;
    memset(t->ram + AHCI_DAT, 0, 512);
    put64(t, AHCI_DAT, 10 | 5ULL << 48);
    put64(t, AHCI_DAT + 8, 30 | 2ULL << 48);
    host_fis(t, 0, 0x06, 1, 0, 1, 0x40);
    header(t, 0, 0, 1, 0);
    region(t, 0, 0, AHCI_DAT, 512);
    CHECK_EQ(run(t, 0), 0x50);
    CHECK(f->ndiscards >= 2); /* a reload tries again */
    CHECK_EQ(f->discards[0][0], 10 * 512);
    CHECK_EQ(f->discards[0][1], 5 * 512);
    CHECK_EQ(f->discards[f->ndiscards - 1][0], 30 * 512);
    rig_end(&r);
}

TEST(unplugging_leaves_the_cds)
{
    struct rig r = ahci_disk_cd(64, 16);
    struct qt *t = r.t;

    make(t, 0, 0, 0x25, 0, 8, AHCI_DAT, 4096);
    px_set(t, 0, P_CI, 1);
    ide_unplug(t->dev, false);
    qt_touched(t);
    CHECK_EQ(px(t, 0, P_SSTS), 0);
    CHECK_EQ(px(t, 0, P_SIG), 0xffffffff);
    CHECK_EQ(px(t, 0, P_TFD), 0x7f);
    CHECK_EQ(px(t, 1, P_SSTS), 0x123);
    CHECK(ide_medium(t->dev, 0) == NULL);
    hba_set(t, G_GHC, 1);
    CHECK_EQ(px(t, 0, P_SSTS), 0);
    device_reset(t->dev, RESET_COLD);
    qt_touched(t);
    cfg_write(t, AHCI_DEVFN, 0x24, ABAR, 4);
    cfg_write(t, AHCI_DEVFN, 0x04, 0x0007, 2);
    CHECK_EQ(px(t, 0, P_SSTS), 0);
    CHECK_EQ(px(t, 1, P_SSTS), 0x123);
    rig_end(&r);
}

/* ---- what no driver does ---- */

static void check_halted(struct qt *t, uint32_t is)
{
    px_set(t, 0, P_CI, 1);
    port_settled(t, 0);
    CHECK_EQ(px(t, 0, P_IS) & 0x78000000, is);
    CHECK_EQ(px(t, 0, P_CI), 1);
    port_restart(t, 0);
    px_set(t, 0, P_CLB, LIST(0));
    px_set(t, 0, P_CLB + 4, 0);
    px_set(t, 0, P_FB, RFIS(0));
    make(t, 0, 0, 0x25, 1, 1, AHCI_DAT, 512);
}

TEST(lists_and_tables_that_are_no_memory)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;

    make(t, 0, 0, 0x25, 1, 1, AHCI_DAT, 512);
    px_set(t, 0, P_CLB, QT_RAM);
    check_halted(t, 0x20000000);
    px_set(t, 0, P_CLB, 0xfffffc00);
    px_set(t, 0, P_CLB + 4, 0xffffffff);
    check_halted(t, 0x20000000);
    put64(t, LIST(0) + 8, 0xffffffffffffff80ULL); /* a table that runs over the end of all */
    check_halted(t, 0x20000000);
    put64(t, LIST(0) + 8, QT_RAM - 128); /* its regions are not there */
    memcpy(t->ram + QT_RAM - 128, t->ram + TAB(0), 128);
    check_halted(t, 0x20000000);
    region(t, 0, 0, 0xfffffffffffffffeULL, 512);
    check_halted(t, 0x20000000);
    region(t, 0, 0, 0xfee00000, 512);
    check_halted(t, 0x20000000);
    region(t, 0, 0, QT_RAM - 256, 512);
    check_halted(t, 0x20000000);
    host_fis(t, 0, 0xec, 0, 0, 0, 0); /* the same by PIO */
    region(t, 0, 0, QT_RAM - 256, 512);
    check_halted(t, 0x20000000);
    px_set(t, 0, P_FB, QT_RAM);
    check_halted(t, 0x20000000);
    CHECK_EQ(run(t, 0), 0x50);
    CHECK(sectors_are(t, AHCI_DAT, 1, 1, 512));
    rig_end(&r);
}

TEST(fises_that_are_none)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;

    make(t, 0, 0, 0x25, 1, 1, AHCI_DAT, 512);
    t->ram[TAB(0)] = 0x34;
    check_halted(t, 0x08000000);
    for (unsigned words = 0; words < 32; words++) {
        if (words >= 2 && words <= 16)
            continue;
        put32(t, LIST(0), 1 << 16 | words);
        check_halted(t, 0x08000000);
    }
    CHECK_EQ(run(t, 0), 0x50);
    rig_end(&r);
}

TEST(tables_that_are_too_short)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;
    uint8_t back[1024];

    make(t, 0, 0, 0x25, 1, 8, AHCI_DAT, 1024); /* room for two sectors */
    CHECK_EQ(run(t, 0), 0x50);
    CHECK_EQ(px(t, 0, P_IS), 0x01000001);
    CHECK(sectors_are(t, AHCI_DAT, 1, 2, 512));
    px_set(t, 0, P_IS, 0xffffffff);
    make(t, 0, 0, 0xec, 0, 0, AHCI_DAT, 100);
    memset(t->ram + AHCI_DAT, 0xee, 512);
    run(t, 0);
    CHECK_EQ(px(t, 0, P_IS) & 0x01000000, 0x01000000);
    CHECK_EQ(t->ram[AHCI_DAT], 0x40);
    CHECK_EQ(t->ram[AHCI_DAT + 100], 0xee);
    px_set(t, 0, P_IS, 0xffffffff);
    for (unsigned pio = 0; pio < 2; pio++) { /* what never came must not pass for written */
        memset(t->ram + AHCI_DAT, 0x77, 4096);
        make(t, 0, 0, pio ? 0x34 : 0x35, 10, 8, AHCI_DAT, 512);
        CHECK_EQ(run(t, 0), 0x0451);
        CHECK_EQ(px(t, 0, P_IS) & 0x41000000, 0x41000000);
        port_restart(t, 0);
        medium_io(r.blk[0], BLOCK_READ, 10 * 512, back, 1024);
        CHECK_EQ(back[511], 0x77);
        CHECK_EQ(back[512], 11);
        make(t, 0, 0, pio ? 0x34 : 0x35, 10, 8, 0, 0); /* none at all */
        CHECK_EQ(run(t, 0), 0x0451);
        port_restart(t, 0);
    }
    rig_end(&r);
}

TEST(regions_of_two_bytes)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;

    put64(t, LIST(0) + 8, 0x200000);
    host_fis(t, 0, 0x25, 0, 2, 16, 0x40);
    memcpy(t->ram + 0x200000, t->ram + TAB(0), 128);
    put32(t, LIST(0), 4096u << 16 | 5);
    for (unsigned i = 0; i < 4096; i++) {
        put64(t, 0x200080 + 16 * i, AHCI_DAT + 2 * i + (i & 1)); /* odd is even */
        put64(t, 0x200080 + 16 * i + 8, 0);                      /* one byte is two */
    }
    CHECK_EQ(run(t, 0), 0x50);
    CHECK_EQ(prdbc(t, 0, 0), 8192);
    CHECK(sectors_are(t, AHCI_DAT, 2, 16, 512));
    rig_end(&r);
}

TEST(without_bus_mastering_nothing_begins)
{
    struct rig r = ahci_disk(64);
    struct qt *t = r.t;

    cfg_write(t, AHCI_DEVFN, 0x04, 0x0003, 2);
    make(t, 0, 0, 0x25, 1, 1, AHCI_DAT, 512);
    px_set(t, 0, P_CI, 1);
    loop_step(t);
    CHECK_EQ(px(t, 0, P_CI), 1);
    cfg_write(t, AHCI_DEVFN, 0x04, 0x0007, 2);
    port_settled(t, 0);
    CHECK_EQ(px(t, 0, P_CI), 0);
    CHECK(sectors_are(t, AHCI_DAT, 1, 1, 512));
    rig_end(&r);
}

static bool refused(const char *key, const char *val, const char *says)
{
    struct qt *t = qt_new();
    struct err err = { "" };

    qt_config(t, key, val);
    CHECK(!device_new(&t->plat, &ahci_type.dev, "ahci0", AHCI_DEVFN, &t->cfg, &err));
    return strstr(err.msg, says) != NULL;
}

TEST(configurations_that_cannot_be)
{
    CHECK(refused("port0.kind", "tape", "use disk or cdrom"));
    CHECK(refused("port5.kind", "disk", "port5 is a disk without an image"));
}
