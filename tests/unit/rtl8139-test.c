/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The RTL8139C+: both modes, driven as 8139too, 8139cp and iPXE drive it. */
#include "hw/devices.h"
#include "tests/unit/nic-frames.h"

#define PORT  0xc000
#define MEM   0xf0000000u
#define DEVFN 0x20

#define RX_RING 0x10000 /* C mode */
#define TX_BUF  0x30000
#define CP_RX   0x50000 /* C+ rings and buffers */
#define CP_TX   0x51000
#define CP_HI   0x52000
#define RX_BUFS 0x60000
#define BUF     2048

#define OWN 0x80000000u
#define EOR 0x40000000u
#define FS  0x20000000u
#define LS  0x10000000u

static struct net *net;

static struct qt *start(void)
{
    struct qt *t = qt_new();

    net = cable(t);
    qt_add(t, &rtl8139_type.dev, DEVFN);
    cfg_write(t, DEVFN, PCI_BAR0, PORT, 4);
    cfg_write(t, DEVFN, PCI_BAR0 + 4, MEM, 4);
    cfg_write(t, DEVFN, PCI_COMMAND, 7, 2);
    return t;
}

static void end(struct qt *t)
{
    cable_end(t, net);
}

static void start_c(struct qt *t, uint32_t rcr)
{
    outb(t, PORT + 0x37, 0x10);
    CHECK_EQ(inb(t, PORT + 0x37), 0x01);
    outl(t, PORT + 0x30, RX_RING);
    outb(t, PORT + 0x37, 0x0c);
    outl(t, PORT + 0x44, rcr);
    outw(t, PORT + 0x3c, 0xe07f);
}

static void desc(struct qt *t, uint32_t at, uint32_t opts, uint32_t vlan, uint64_t addr)
{
    put32(t, at + 4, vlan);
    put32(t, at + 8, addr);
    put32(t, at + 12, addr >> 32);
    put32(t, at, opts);
}

/* C+ mode as 8139cp starts it, with n receive descriptors of `size` bytes. */
static void start_cp(struct qt *t, uint16_t cpcr, unsigned n, uint32_t size)
{
    for (unsigned i = 0; i < n; i++)
        desc(t, CP_RX + 16 * i, OWN | (i == n - 1 ? EOR : 0) | size, 0, RX_BUFS + BUF * i);
    outb(t, PORT + 0x37, 0x10);
    outw(t, PORT + 0xe0, cpcr | 3);
    outl(t, PORT + 0xe4, CP_RX);
    outl(t, PORT + 0xe8, 0);
    outl(t, PORT + 0x20, CP_TX);
    outl(t, PORT + 0x24, 0);
    outl(t, PORT + 0x28, CP_HI);
    outl(t, PORT + 0x2c, 0);
    outb(t, PORT + 0x37, 0x0c);
    outl(t, PORT + 0x44, 0xe);
    outw(t, PORT + 0x3c, 0xe1ff);
}

static uint16_t ee_read(struct qt *t, unsigned addr, unsigned addr_bits)
{
    unsigned cmd = addr | 6 << addr_bits;
    uint16_t val = 0;

    outb(t, PORT + 0x50, 0x80);
    outb(t, PORT + 0x50, 0x88);
    for (int i = addr_bits + 2; i >= 0; i--) {
        outb(t, PORT + 0x50, 0x88 | (cmd >> i & 1) << 1);
        outb(t, PORT + 0x50, 0x8c | (cmd >> i & 1) << 1);
    }
    CHECK(addr_bits > 6 || !(inb(t, PORT + 0x50) & 1)); /* the zero before the word */
    for (int i = 0; i < 16; i++) {
        outb(t, PORT + 0x50, 0x88);
        outb(t, PORT + 0x50, 0x8c);
        val = val << 1 | (inb(t, PORT + 0x50) & 1);
    }
    outb(t, PORT + 0x50, 0x80);
    outb(t, PORT + 0x50, 0);
    return val;
}

/* It could be written before: a driver that is wrong worked here, and not on the chip. */
TEST(tcr_wants_the_transmitter_on)
{
    struct qt *t = start();
    uint32_t was;

    outb(t, PORT + 0x37, 0x08);
    was = inl(t, PORT + 0x40);
    outl(t, PORT + 0x40, 0x03060700);
    outb(t, PORT + 0x41, 0x07);
    CHECK_EQ(inl(t, PORT + 0x40), was);
    outb(t, PORT + 0x37, 0x0c);
    outl(t, PORT + 0x40, 0x03060700);
    CHECK_EQ(inl(t, PORT + 0x40), 0x77860700);
    outb(t, PORT + 0x37, 0x08);
    outl(t, PORT + 0x40, 0);
    CHECK_EQ(inl(t, PORT + 0x40), 0x77860700);
    end(t);
}

TEST(it_is_an_rtl8139c_plus)
{
    struct qt *t = start();

    CHECK_EQ(cfg_read(t, DEVFN, PCI_VENDOR_ID, 4), 0x813910ec);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_REVISION, 4), 0x02000020);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_INT_PIN, 1), 1);
    CHECK_EQ(inl(t, PORT + 0x40) & 0x7cc00000, 0x74800000);
    CHECK_EQ(inb(t, PORT + 0x58) & 4, 0);
    CHECK_EQ(inw(t, PORT + 0x64) & 0x24, 0x24);
    CHECK_EQ(mmio_read(t, MEM, 4), 0x113e1600);
    CHECK_EQ(inw(t, PORT + 4), 0x3322);
    cfg_write(t, DEVFN, PCI_BAR0, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_BAR0, 4), 0xffffff01);
    end(t);
}

/* romfile= was taken and the card had its ROM all the same. */
TEST(no_rom_when_none_is_wanted)
{
    static const char *const none[][2] = { { "romfile", "" }, { "rombar", "off" } };

    for (unsigned i = 0; i < 2; i++) {
        struct qt *t = qt_new();

        qt_config(t, none[i][0], none[i][1]);
        qt_add(t, &rtl8139_type.dev, DEVFN);
        cfg_write(t, DEVFN, PCI_ROM_BAR, 0xffffffff, 4);
        CHECK_EQ(cfg_read(t, DEVFN, PCI_ROM_BAR, 4), 0);
    }
}

TEST(eeprom_has_the_mac)
{
    struct qt *t = start();

    CHECK_EQ(ee_read(t, 0, 6), 0x8129);
    CHECK_EQ(ee_read(t, 7, 6), 0x1600);
    CHECK_EQ(ee_read(t, 8, 6), 0x113e);
    CHECK_EQ(ee_read(t, 9, 6), 0x3322);
    CHECK(ee_read(t, 0, 8) != 0x8129); /* how a driver tells a 93C46 from a 93C56 */
    end(t);
}

TEST(config_registers_are_locked)
{
    struct qt *t = start();

    outb(t, PORT + 0x5a, 0x55);
    CHECK_EQ(inb(t, PORT + 0x5a), 0);
    outb(t, PORT + 0x50, 0xc0);
    outb(t, PORT + 0x5a, 0x55);
    outl(t, PORT, 0x44332211);
    outb(t, PORT + 0x50, 0);
    CHECK_EQ(inb(t, PORT + 0x5a), 0x55);
    CHECK_EQ(inl(t, PORT), 0x44332211);
    outb(t, PORT + 0x37, 0x10);
    CHECK_EQ(inl(t, PORT), 0x44332211); /* a reset leaves the address */
    outb(t, PORT + 0x50, 0x40);         /* but the EEPROM has it */
    CHECK_EQ(inl(t, PORT), 0x113e1600);
    CHECK_EQ(inb(t, PORT + 0x50) & 0xc0, 0);
    end(t);
}

TEST(wake_up_registers_are_kept)
{
    struct qt *t = start();

    outb(t, PORT + 0x50, 0xc0);
    outb(t, PORT + 0x59, 0x30); /* Magic, LinkUp */
    CHECK_EQ(inb(t, PORT + 0x59), 0x30 | 0x01);
    outb(t, PORT + 0x59, 0x0f); /* the low bits are the chip's */
    CHECK_EQ(inb(t, PORT + 0x59), 0x01);
    outb(t, PORT + 0xd8, 0x7c);
    outl(t, PORT + 0x84, 0x44332211);
    outl(t, PORT + 0x82, 0xbbaa9988); /* its upper half is CRC0 and CRC1 */
    outl(t, PORT + 0xc8, 0x12345678);
    outl(t, PORT + 0xd0, 0x9abcdef0);
    CHECK_EQ(inl(t, PORT + 0x84), 0x4433bbaa);
    CHECK_EQ(inw(t, PORT + 0xca), 0x1234);
    CHECK_EQ(inl(t, PORT + 0xd2), 0x9abc);
    outb(t, PORT + 0x37, 0x10); /* reset of the card: the host still wants to be woken */
    CHECK_EQ(inb(t, PORT + 0xc8), 0x78);
    CHECK_EQ(inb(t, PORT + 0xd8), 0x7c);
    device_reset(t->dev, RESET_COLD);
    cfg_write(t, DEVFN, PCI_BAR0, PORT, 4);
    cfg_write(t, DEVFN, PCI_COMMAND, 7, 2);
    CHECK_EQ(inl(t, PORT + 0xc8), 0);
    end(t);
}

TEST(c_mode_sends_four_slots_in_turn)
{
    struct qt *t = start();
    uint8_t f[200];
    size_t len;
    const uint8_t *got;

    start_c(t, 0xe);
    frame_ether(f, mac_other, 0x88b5);
    memset(f + 14, 0x5a, sizeof(f) - 14);
    for (unsigned i = 0; i < 6; i++) {
        f[14] = i;
        memcpy(t->ram + TX_BUF + 256 * i, f, sizeof(f));
        CHECK(inl(t, PORT + 0x10 + 4 * (i % 4)) & 0x2000);
        outl(t, PORT + 0x20 + 4 * (i % 4), TX_BUF + 256 * i);
        outl(t, PORT + 0x10 + 4 * (i % 4), 100 + i);
        CHECK_EQ(inl(t, PORT + 0x10 + 4 * (i % 4)), 0xa000 | (100 + i));
        got = net_mem_get(net, &len);
        CHECK(got && len == 100 + i && !memcmp(got, f, len));
    }
    CHECK_EQ(inw(t, PORT + 0x60), 0xf00f);
    CHECK_EQ(inw(t, PORT + 0x3e), 0x0004);
    CHECK(intx(t, DEVFN >> 3, 0));
    outw(t, PORT + 0x3e, 0x0004);
    CHECK(!intx(t, DEVFN >> 3, 0));
    end(t);
}

TEST(c_mode_pads_and_waits_for_its_turn)
{
    struct qt *t = start();
    size_t len;

    start_c(t, 0xe);
    outl(t, PORT + 0x24, TX_BUF);
    outl(t, PORT + 0x14, 20); /* slot 1: slot 0 is first */
    CHECK(!net_mem_get(net, &len));
    outl(t, PORT + 0x20, TX_BUF);
    outl(t, PORT + 0x10, 0x1fff);
    CHECK(net_mem_get(net, &len) && len == 0x1fff);
    CHECK(net_mem_get(net, &len) && len == 60);
    outl(t, PORT + 0x28, 0xfffffff0); /* no memory there */
    outl(t, PORT + 0x18, 100);
    CHECK(!net_mem_get(net, &len));
    CHECK_EQ(inl(t, PORT + 0x18), 0x40002000 | 100);
    CHECK_EQ(inw(t, PORT + 0x3e), 0x000c);
    end(t);
}

static void check_c_packet(struct qt *t, uint32_t at, uint16_t status, const uint8_t *f, size_t len)
{
    uint32_t crc = slow_crc(f, len);

    CHECK_EQ(ram32(t, RX_RING + at), status | (len + 4) << 16);
    CHECK(!memcmp(t->ram + RX_RING + at + 4, f, len));
    CHECK(!memcmp(t->ram + RX_RING + at + 4 + len, &crc, 4));
}

TEST(c_mode_receives_into_the_ring)
{
    struct qt *t = start();
    uint8_t f[1514] = { 0 };

    start_c(t, 0x8e);
    frame_ether(f, mac_card, 0x88b5);
    memset(f + 14, 0x33, 40);
    CHECK_EQ(hear(t, net, f, 42), 0); /* shorter than a wire carries: padded */
    CHECK(intx(t, DEVFN >> 3, 0));
    CHECK_EQ(inw(t, PORT + 0x3e), 1);
    CHECK_EQ(inb(t, PORT + 0x37), 0x0c);
    memset(f + 42, 0, 18);
    check_c_packet(t, 0, 0x4001, f, 60);
    CHECK_EQ(inw(t, PORT + 0x3a), 68);
    frame_ether(f, mac_all, 0x88b5);
    CHECK_EQ(hear(t, net, f, 61), 0);
    check_c_packet(t, 68, 0x2001, f, 61);
    CHECK_EQ(inw(t, PORT + 0x3a), 68 + 72);
    outw(t, PORT + 0x38, 68 + 72 - 16);
    CHECK_EQ(inb(t, PORT + 0x37), 0x0d);
    CHECK_EQ(inw(t, PORT + 0x38), 68 + 72 - 16);
    end(t);
}

TEST(c_mode_wraps_both_ways)
{
    struct qt *t = start();
    uint8_t f[1200];

    memset(f, 0x77, sizeof(f));
    frame_ether(f, mac_card, 0x88b5);
    for (unsigned wrap = 0; wrap < 2; wrap++) {
        uint32_t at = 0, need = 4 + 1200 + 4;

        start_c(t, wrap ? 0x8e : 0xe);
        memset(t->ram + RX_RING, 0, 16384);
        for (unsigned i = 0; i < 6; i++) { /* the last one ends at 7248 */
            CHECK_EQ(hear(t, net, f, sizeof(f)), 0);
            at += need;
            outw(t, PORT + 0x38, at - 16);
        }
        CHECK_EQ(hear(t, net, f, sizeof(f)), 0);
        CHECK_EQ(ram32(t, RX_RING + at), 0x4001 | 1204 << 16);
        CHECK_EQ(inw(t, PORT + 0x3a), at + need - 8192);
        if (wrap) { /* goes on behind the ring; the next begins as if it had wrapped */
            check_c_packet(t, at, 0x4001, f, sizeof(f));
        } else {
            uint32_t part = 8192 - at - 4;

            CHECK(!memcmp(t->ram + RX_RING + at + 4, f, part));
            CHECK(!memcmp(t->ram + RX_RING, f + part, 1200 - part));
            CHECK_EQ(ram32(t, RX_RING + 8192), 0);
        }
        CHECK_EQ(hear(t, net, f, sizeof(f)), 0);
        CHECK_EQ(ram32(t, RX_RING + at + need - 8192), 0x4001 | 1204 << 16);
    }
    end(t);
}

TEST(c_mode_makes_frames_wait_for_room)
{
    struct qt *t = start();
    uint8_t f[1514];
    unsigned n, kicks;

    memset(f, 0x11, sizeof(f));
    frame_ether(f, mac_card, 0x88b5);
    start_c(t, 0xe);
    for (n = 0; hear(t, net, f, sizeof(f)) == 0; n++)
        CHECK(n < 6);
    CHECK_EQ(n, 5);
    CHECK_EQ(inw(t, PORT + 0x3e), 1); /* nothing is lost, so nothing is said */
    kicks = net_mem_kicks(net);
    outw(t, PORT + 0x38, 2 * 1524 - 16);
    CHECK(net_mem_kicks(net) > kicks);
    CHECK_EQ(net_mem_run(net), 0);
    CHECK_EQ(inl(t, PORT + 0x4c), 0);
    end(t);
}

TEST(c_mode_says_so_when_it_must_drop)
{
    struct qt *t = start();
    uint8_t f[8000];

    memset(f, 0x11, sizeof(f));
    frame_ether(f, mac_card, 0x88b5);
    start_c(t, 0xe);
    CHECK_EQ(hear(t, net, f, 1000), 0);
    CHECK_EQ(hear(t, net, f, 8000), 0); /* giant: there is room for a usual frame, not for this */
    CHECK_EQ(inw(t, PORT + 0x3e), 0x11);
    CHECK_EQ(inl(t, PORT + 0x4c), 1);
    outl(t, PORT + 0x4c, 0);
    CHECK_EQ(inl(t, PORT + 0x4c), 0);
    CHECK_EQ(hear(t, net, f, 7176), 0); /* just as long as what is free: full would look empty */
    CHECK_EQ(inl(t, PORT + 0x4c), 1);
    CHECK_EQ(hear(t, net, f, 7172), 0);
    CHECK_EQ(inl(t, PORT + 0x4c), 1);
    CHECK_EQ(inb(t, PORT + 0x37), 0x0c);
    end(t);
}

TEST(a_receiver_that_is_switched_on_begins_anew)
{
    struct qt *t = start();
    uint8_t f[100] = { 0 };

    start_c(t, 0xe);
    frame_ether(f, mac_card, 0x88b5);
    hear(t, net, f, 100);
    CHECK_EQ(inw(t, PORT + 0x3a), 108);
    outb(t, PORT + 0x37, 0x04); /* how 8139too gets over an error */
    outb(t, PORT + 0x37, 0x0c);
    CHECK_EQ(inw(t, PORT + 0x3a), 0);
    CHECK_EQ(inb(t, PORT + 0x37), 0x0d);
    hear(t, net, f, 100);
    check_c_packet(t, 0, 0x4001, f, 100);
    end(t);
}

TEST(filters_by_address)
{
    static const uint8_t multi[6] = { 0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb };
    struct qt *t = start();
    uint8_t f[64] = { 0 };
    uint32_t crc = ~slow_crc(multi, 6);
    unsigned hash = 0, at = 0;

    for (unsigned i = 0; i < 6; i++)
        hash |= (crc >> i & 1) << (5 - i);
    for (unsigned bits = 0; bits < 16; bits++) {
        const uint8_t *dst[4] = { mac_other, mac_card, multi, mac_all };

        start_c(t, bits);
        outl(t, PORT + 8 + hash / 32 * 4, 1u << hash % 32);
        outl(t, PORT + 12 - hash / 32 * 4, 0);
        at = 0;
        for (unsigned i = 0; i < 4; i++) {
            bool want = (bits >> i & 1) || (i == 1 && (bits & 1));

            frame_ether(f, dst[i], 0x88b5);
            hear(t, net, f, 64);
            at += want ? 72 : 0;
            CHECK_EQ(inw(t, PORT + 0x3a), at);
        }
    }
    outl(t, PORT + 8, 0);
    outl(t, PORT + 12, 0);
    frame_ether(f, multi, 0x88b5);
    hear(t, net, f, 64);
    CHECK_EQ(inw(t, PORT + 0x3a), at);
    outb(t, PORT + 0x37, 0x04);
    frame_ether(f, mac_card, 0x88b5);
    CHECK_EQ(hear(t, net, f, 64), 0); /* nobody listens: it passes by, it does not wait */
    CHECK_EQ(inw(t, PORT + 0x3a), at);
    end(t);
}

TEST(loopback_stays_inside)
{
    struct qt *t = start();
    uint8_t f[100] = { 0 };
    size_t len;

    start_c(t, 0xe);
    frame_ether(f, mac_card, 0x88b5);
    memcpy(t->ram + TX_BUF, f, sizeof(f));
    outl(t, PORT + 0x40, 0x60000);
    outl(t, PORT + 0x20, TX_BUF);
    outl(t, PORT + 0x10, 100);
    CHECK(!net_mem_get(net, &len));
    check_c_packet(t, 0, 0x4001, f, 100);
    CHECK_EQ(inw(t, PORT + 0x3e), 5);
    end(t);
}

TEST(cp_receives_into_descriptors)
{
    struct qt *t = start();
    uint8_t f[700];
    size_t len;
    uint32_t crc;

    start_cp(t, 0x20, 4, 1536);
    len = frame_ip4(f, 6, 600);
    frame_sums(f);
    CHECK_EQ(hear(t, net, f, len), 0);
    CHECK_EQ(ram32(t, CP_RX), FS | LS | 1 << 25 | 1 << 16 | (len + 4));
    CHECK(!memcmp(t->ram + RX_BUFS, f, len));
    crc = slow_crc(f, len);
    CHECK_EQ(ram32(t, RX_BUFS + len), crc);
    CHECK(intx(t, DEVFN >> 3, 0));
    f[300] ^= 1; /* wrong TCP sum */
    hear(t, net, f, len);
    CHECK_EQ(ram32(t, CP_RX + 16), FS | LS | 1 << 25 | 1 << 16 | 0x2000 | (len + 4));
    len = frame_ip4(f, 17, 100);
    frame_sums(f);
    f[FRAME_IP + 8]++; /* wrong IP sum */
    hear(t, net, f, len);
    CHECK_EQ(ram32(t, CP_RX + 32), FS | LS | 1 << 25 | 2 << 16 | 0x8000 | (len + 4));
    frame_ether(f, mac_all, 0x0806);
    hear(t, net, f, 60);
    CHECK_EQ(ram32(t, CP_RX + 48), EOR | FS | LS | 1 << 24 | 64);
    CHECK_EQ(hear(t, net, f, 60), 1); /* the ring is used up: it waits */
    desc(t, CP_RX, OWN | 1536, 0, RX_BUFS);
    outw(t, PORT + 0x3e, 0xffff);
    CHECK_EQ(net_mem_run(net), 0);
    CHECK_EQ(ram32(t, CP_RX), FS | LS | 1 << 24 | 64);
    end(t);
}

TEST(cp_looks_for_descriptors_by_itself)
{
    struct qt *t = start();
    uint8_t f[60] = { 0 };
    unsigned kicks;

    start_cp(t, 0, 1, 1536);
    frame_ether(f, mac_card, 0x88b5);
    CHECK_EQ(hear(t, net, f, 60), 0);
    CHECK_EQ(hear(t, net, f, 60), 1);
    kicks = net_mem_kicks(net);
    clock_step(t, 10 * NS_PER_MS);
    CHECK(t->reload || net_mem_kicks(net) == kicks); /* a new card says so once */
    kicks = net_mem_kicks(net);
    desc(t, CP_RX, OWN | EOR | 1536, 0, RX_BUFS); /* and no register is written */
    clock_step(t, 10 * NS_PER_MS);
    CHECK(net_mem_kicks(net) > kicks);
    CHECK_EQ(net_mem_run(net), 0);
    end(t);
}

TEST(cp_splits_a_frame_over_descriptors)
{
    struct qt *t = start();
    uint8_t f[1000];
    uint32_t crc;

    for (unsigned i = 0; i < sizeof(f); i++)
        f[i] = i;
    frame_ether(f, mac_card, 0x88b5);
    crc = slow_crc(f, 1000);
    start_cp(t, 0, 4, 400);
    CHECK_EQ(hear(t, net, f, 1000), 0);
    CHECK_EQ(ram32(t, CP_RX), FS | 400);
    CHECK_EQ(ram32(t, CP_RX + 16), 400);
    CHECK_EQ(ram32(t, CP_RX + 32), LS | 1 << 25 | 1004);
    CHECK(!memcmp(t->ram + RX_BUFS, f, 400) && !memcmp(t->ram + RX_BUFS + BUF, f + 400, 400) &&
          !memcmp(t->ram + RX_BUFS + 2 * BUF, f + 800, 200));
    CHECK_EQ(ram32(t, RX_BUFS + 2 * BUF + 200), crc);
    outw(t, PORT + 0x3e, 0xffff);
    CHECK_EQ(hear(t, net, f, 1000), 0); /* one is left: not enough, and it is said */
    CHECK_EQ(inw(t, PORT + 0x3e), 0x10);
    CHECK_EQ(ram32(t, CP_RX + 48), OWN | EOR | 400);
    start_cp(t, 0, 1, 400); /* a ring of one is not three descriptors */
    CHECK_EQ(hear(t, net, f, 1000), 0);
    CHECK_EQ(inw(t, PORT + 0x3e), 0x10);
    CHECK_EQ(ram32(t, CP_RX), OWN | EOR | 400);
    end(t);
}

TEST(cp_takes_tags_out_and_puts_them_in)
{
    struct qt *t = start();
    uint8_t f[100];
    size_t len;
    const uint8_t *got;

    memset(f, 0x42, sizeof(f));
    frame_ether(f, mac_card, 0x8100);
    set16(f + 14, 0x6123);
    set16(f + 16, 0x88b5);
    start_cp(t, 0x40, 4, 1536);
    CHECK_EQ(hear(t, net, f, 100), 0);
    CHECK_EQ(ram32(t, CP_RX), FS | LS | 1 << 25 | 100);
    CHECK_EQ(ram32(t, CP_RX + 4), 0x10000 | 0x2361);
    CHECK(!memcmp(t->ram + RX_BUFS, f, 12) && !memcmp(t->ram + RX_BUFS + 12, f + 16, 84));

    memcpy(t->ram + TX_BUF, t->ram + RX_BUFS, 96);
    desc(t, CP_TX, OWN | EOR | FS | LS | 96, 0x20000 | 0x2361, TX_BUF);
    outb(t, PORT + 0xd9, 0x40);
    got = net_mem_get(net, &len);
    CHECK(got && len == 100 && !memcmp(got, f, 100));
    end(t);
}

TEST(cp_sends_chains_with_sums)
{
    struct qt *t = start();
    uint8_t f[500];
    size_t len;
    const uint8_t *got;

    start_cp(t, 0, 4, 1536);
    for (unsigned proto = 6; proto <= 17; proto += 11) {
        uint32_t cs = proto == 6 ? 0x50000 : 0x60000, at = CP_TX + (proto == 6 ? 0 : 32);
        size_t n = frame_ip4(f, proto, 333);

        set16(f + FRAME_L4 + (proto == 6 ? 16 : 6), 0xdead); /* what a stack left there */
        memcpy(t->ram + TX_BUF, f, n);
        desc(t, at, OWN | FS | cs | 50, 0, TX_BUF);
        desc(t, at + 16, OWN | LS | cs | (proto == 17 ? EOR : 0) | (n - 50), 0, TX_BUF + 50);
        outb(t, PORT + 0xd9, 0x40);
        frame_sums(f);
        got = net_mem_get(net, &len);
        CHECK(got && len == n && !memcmp(got, f, n));
        CHECK_EQ(ram32(t, at), FS | 50);
        CHECK_EQ(ram32(t, at + 16) & ~EOR, LS | (n - 50));
    }
    CHECK_EQ(inw(t, PORT + 0x3e), 0x84);
    CHECK_EQ(inb(t, PORT + 0xd9), 0);
    end(t);
}

TEST(cp_waits_for_a_whole_packet)
{
    struct qt *t = start();
    size_t len;

    start_cp(t, 0, 4, 1536);
    desc(t, CP_TX, OWN | FS | 100, 0, TX_BUF);
    desc(t, CP_TX + 16, 0, 0, 0);
    outb(t, PORT + 0xd9, 0x40);
    CHECK(!net_mem_get(net, &len));
    CHECK_EQ(ram32(t, CP_TX), OWN | FS | 100);
    desc(t, CP_TX + 16, OWN | EOR | LS | 28, 0, TX_BUF);
    outb(t, PORT + 0xd9, 0x40);
    CHECK(net_mem_get(net, &len) && len == 128);
    end(t);
}

TEST(cp_sends_high_priority_first)
{
    struct qt *t = start();
    size_t len;
    const uint8_t *got;

    start_cp(t, 0, 4, 1536);
    memset(t->ram + TX_BUF, 1, 64);
    memset(t->ram + TX_BUF + 64, 2, 64);
    desc(t, CP_TX, OWN | EOR | FS | LS | 64, 0, TX_BUF);
    desc(t, CP_HI, OWN | EOR | FS | LS | 64, 0, TX_BUF + 64);
    outb(t, PORT + 0xd9, 0xc0);
    got = net_mem_get(net, &len);
    CHECK(got && got[0] == 2);
    got = net_mem_get(net, &len);
    CHECK(got && got[0] == 1);
    end(t);
}

TEST(cp_cuts_a_large_send)
{
    struct qt *t = start();
    uint8_t *f = malloc(65536);
    size_t len = frame_ip4(f, 6, 30000);

    start_cp(t, 0, 4, 1536);
    for (unsigned tagged = 0; tagged < 2; tagged++) {
        uint32_t large = 1 << 27 | 1448 << 16, vlan = tagged ? 0x20000 | 0x0500 : 0;

        memcpy(t->ram + 0x100000, f, len);
        set16(t->ram + 0x100000 + FRAME_IP + 2, tagged ? 0 : len - FRAME_IP);
        desc(t, CP_TX + 32 * tagged, OWN | FS | 0x50000 | 1000, vlan, 0x100000);
        desc(t, CP_TX + 16 + 32 * tagged, OWN | LS | (tagged ? EOR : 0) | large | (len - 1000),
             vlan, 0x100000 + 1000);
        outb(t, PORT + 0xd9, 0x40);
        CHECK_EQ(check_segments(net, f, len, 1448, tagged ? 5 : 0), (30000 + 1447) / 1448);
        CHECK_EQ(ram32(t, CP_TX + 16 + 32 * tagged) & ~EOR, LS | (len - 1000));
    }
    free(f);
    end(t);
}

TEST(cp_refuses_a_large_send_of_crumbs)
{
    struct qt *t = start();
    uint8_t *f = malloc(65536);
    size_t len = frame_ip4(f, 6, 60000), got;

    start_cp(t, 0, 4, 1536);
    memcpy(t->ram + 0x100000, f, len);
    desc(t, CP_TX, OWN | EOR | FS | LS | 1 << 27 | 1 << 16 | len, 0, 0x100000);
    outb(t, PORT + 0xd9, 0x40);
    CHECK(!net_mem_get(net, &got));
    CHECK_EQ(ram32(t, CP_TX), EOR | FS | LS | 1 << 23 | len);
    CHECK_EQ(inw(t, PORT + 0x3e), 0x88);
    CHECK_EQ(guest_errors(t), 1);
    free(f);
    end(t);
}

TEST(cp_ring_without_an_end_ends)
{
    struct qt *t = start();
    size_t len;

    start_cp(t, 0, 4, 1536);
    for (unsigned i = 0; i < 70; i++) /* no EOR, no LS */
        desc(t, CP_TX + 16 * i, OWN | FS | 0xffff, 0, 0x100000);
    outb(t, PORT + 0xd9, 0x40);
    clock_step(t, 100);
    CHECK(!net_mem_get(net, &len));
    CHECK_EQ(ram32(t, CP_TX) & OWN, 0);
    CHECK_EQ(ram32(t, CP_TX + 16 * 63) & OWN, 0);
    CHECK_EQ(ram32(t, CP_TX + 16 * 64) & OWN, OWN);
    end(t);
}

TEST(cp_ring_that_shrinks_ends)
{
    struct qt *t = start();
    size_t len;

    start_cp(t, 0, 4, 1536);
    for (unsigned i = 0; i < 5; i++)
        desc(t, CP_TX + 16 * i, OWN | FS | LS | 64, 0, TX_BUF);
    desc(t, CP_TX + 16 * 5, 0, 0, 0);
    outb(t, PORT + 0xd9, 0x40);
    for (unsigned i = 0; i < 5; i++)
        CHECK(net_mem_get(net, &len));
    for (unsigned i = 0; i < 7; i++) /* from 5 on, and round three that never meet 5 again */
        desc(t, CP_TX + 16 * i, OWN | FS | (i == 2 || i == 6 ? EOR : 0) | 1, 0, TX_BUF);
    outb(t, PORT + 0xd9, 0x40);
    CHECK(!net_mem_get(net, &len));
    CHECK_EQ(guest_errors(t), 1);
    CHECK_EQ(ram32(t, CP_TX + 16) & OWN, 0);
    outl(t, PORT + 0x20, CP_HI); /* a new ring begins at its start */
    desc(t, CP_HI, OWN | EOR | FS | LS | 99, 0, TX_BUF);
    outb(t, PORT + 0xd9, 0x40);
    CHECK(net_mem_get(net, &len) && len == 99);
    end(t);
}

TEST(cp_ring_that_feeds_itself_is_served_in_parts)
{
    struct qt *t = start();
    unsigned n = 0;
    size_t len;

    start_cp(t, 0, 4, 1536);
    /* Its one buffer is the descriptor itself... and in loopback it receives it again. */
    outl(t, PORT + 0x44, 0xf);
    outl(t, PORT + 0x40, 0x60000);
    desc(t, CP_TX, OWN | EOR | FS | LS | 64, 0, CP_TX);
    desc(t, CP_RX, OWN | EOR | 2048, 0, CP_TX); /* writes OWN back */
    outl(t, PORT + 0xe4, CP_RX);
    outb(t, PORT + 0xd9, 0x40);
    clock_step(t, 100);
    while (net_mem_get(net, &len))
        n++;
    CHECK_EQ(n, 0);
    end(t);
}

TEST(many_packets_are_sent_in_steps)
{
    struct qt *t = start();
    size_t len;
    unsigned n = 0;
    uint8_t f[8192];

    frame_ip4(f, 6, 7000); /* 1400 segments a packet, cut to fit the cable's memory by reading */
    memcpy(t->ram + 0x100000, f, 7054);
    start_cp(t, 0, 4, 1536);
    for (unsigned i = 0; i < 64; i++)
        desc(t, CP_TX + 16 * i, OWN | FS | LS | 1 << 27 | 70 << 16 | 7054, 0, 0x100000);
    outb(t, PORT + 0xd9, 0x40);
    while (net_mem_get(net, &len))
        n++;
    CHECK(n < 500 && n > 100);
    CHECK_EQ(ram32(t, CP_TX + 16 * 10) & OWN, OWN);
    for (unsigned i = 0; i < 64; i++) {
        clock_step(t, 1);
        while (net_mem_get(net, &len))
            n++;
    }
    CHECK_EQ(n, 6400);
    CHECK_EQ(ram32(t, CP_TX + 16 * 63) & OWN, 0);
    end(t);
}

TEST(tallies_are_dumped)
{
    struct qt *t = start();
    uint8_t f[60] = { 0 };

    start_cp(t, 0, 4, 1536);
    frame_ether(f, mac_all, 0x88b5);
    hear(t, net, f, 60);
    desc(t, CP_TX, OWN | EOR | FS | LS | 64, 0, TX_BUF);
    outb(t, PORT + 0xd9, 0x40);
    outl(t, PORT + 0x14, 0);
    outl(t, PORT + 0x10, 0x80000 | 8);
    CHECK_EQ(inl(t, PORT + 0x10), 0x80000);
    CHECK_EQ(ram32(t, 0x80000), 1);
    CHECK_EQ(ram32(t, 0x80008), 1);
    CHECK_EQ(ram32(t, 0x80000 + 48), 1); /* broadcasts */
    end(t);
}

TEST(timer_counts_and_interrupts)
{
    struct qt *t = start();

    outl(t, PORT + 0x48, 123);
    CHECK_EQ(inl(t, PORT + 0x48), 0);
    clock_step(t, NS_PER_MS);
    CHECK_EQ(inl(t, PORT + 0x48), 33000);
    outw(t, PORT + 0x3c, 0x4000);
    outl(t, PORT + 0x54, 66000);
    clock_step(t, NS_PER_MS - 1000);
    CHECK(!intx(t, DEVFN >> 3, 0));
    clock_step(t, 2000);
    CHECK(intx(t, DEVFN >> 3, 0));
    outw(t, PORT + 0x3e, 0x4000);
    CHECK(!intx(t, DEVFN >> 3, 0));
    outl(t, PORT + 0x48, 0);
    clock_step(t, 2 * NS_PER_MS + 1000);
    CHECK(intx(t, DEVFN >> 3, 0));
    clock_step(t, 131 * NS_PER_S);
    CHECK(inl(t, PORT + 0x48) < 33000000);
    end(t);
}

TEST(link_changes_are_told)
{
    struct qt *t = start();
    size_t len;

    start_c(t, 0xe);
    net_set_link(net, false);
    qt_touched(t);
    CHECK(intx(t, DEVFN >> 3, 0));
    CHECK_EQ(inw(t, PORT + 0x3e), 0x20);
    CHECK_EQ(inb(t, PORT + 0x58) & 4, 4);
    CHECK_EQ(inw(t, PORT + 0x64) & 4, 0);
    outl(t, PORT + 0x20, TX_BUF);
    outl(t, PORT + 0x10, 64);
    CHECK(!net_mem_get(net, &len));
    net_set_link(net, true);
    qt_touched(t);
    CHECK_EQ(inb(t, PORT + 0x58) & 4, 0);
    end(t);
}

TEST(reset_forgets)
{
    struct qt *t = start();

    start_cp(t, 0x63, 4, 1536);
    outl(t, PORT + 0x54, 5);
    outb(t, PORT + 0x37, 0x10);
    CHECK_EQ(inb(t, PORT + 0x37), 1);
    CHECK_EQ(inw(t, PORT + 0xe0), 0);
    CHECK_EQ(inl(t, PORT + 0x44), 0);
    CHECK_EQ(inl(t, PORT + 0x20), 0);
    CHECK_EQ(inl(t, PORT + 0xe4), 0);
    CHECK_EQ(inl(t, PORT + 0x54), 0);
    CHECK_EQ(inl(t, PORT + 0x3c), 0);
    CHECK_EQ(inl(t, PORT + 0x10), 0x2000);
    CHECK_EQ(inl(t, PORT + 0x38), 0x0000fff0);
    device_reset(t->dev, RESET_COLD);
    qt_touched(t);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_BAR0, 4), 1);
    end(t);
}

TEST(dma_needs_bus_mastering)
{
    struct qt *t = start();
    size_t len;

    start_c(t, 0xe);
    cfg_write(t, DEVFN, PCI_COMMAND, 3, 2);
    outl(t, PORT + 0x20, TX_BUF);
    outl(t, PORT + 0x10, 64);
    CHECK(!net_mem_get(net, &len));
    CHECK_EQ(inl(t, PORT + 0x10), 0x40002000 | 64);
    end(t);
}

static void random_descriptor(struct qt *t, uint64_t *seed, uint32_t at)
{
    static const uint32_t bits[] = { OWN, OWN, OWN, EOR, FS, LS, LS, 1 << 27, 7 << 16, 0x7ff0000 };
    uint32_t opts = rnd(seed) & (rnd(seed) % 4 ? 0x7ff : 0xffff);

    for (unsigned i = 0; i < 5; i++)
        opts |= bits[rnd(seed) % 10];
    desc(t, at, opts, rnd(seed), rnd(seed) % 16 ? rnd(seed) % QT_RAM : rnd(seed) * 256ULL);
}

TEST(nonsense_does_no_harm)
{
    struct qt *t = start();
    uint64_t seed = 8139;
    uint8_t f[2000];
    size_t len;

    for (unsigned i = 0; i < accesses(t); i++) {
        unsigned reg = rnd(&seed) & 0xff, width = 1 << rnd(&seed) % 3;
        uint32_t val = rnd(&seed) % 3 ? rnd(&seed) << 8 : rnd(&seed) & 0xff;

        if (reg == 0x37)
            val = 0x0c;
        if (reg >= 0x20 && reg < 0x34 && rnd(&seed) % 2)
            val = CP_RX + rnd(&seed) % 4 * 4096;
        switch (rnd(&seed) % 8) {
        case 0:
            mmio_read(t, MEM + reg, width);
            break;
        case 1:
            random_descriptor(t, &seed, CP_RX + rnd(&seed) % 1024 * 16);
            break;
        case 2:
            frame_ip4(f, rnd(&seed) % 2 ? 6 : 17, 1000);
            f[rnd(&seed) % 60] ^= rnd(&seed);
            hear_if_room(t, net, f, 1 + rnd(&seed) % 1999);
            break;
        case 3:
            memcpy(t->ram + rnd(&seed) % 0x100000, f, 200);
            mmio_write(t, MEM + 0xd9, 0xc0, 1);
            break;
        case 4:
            clock_step(t, rnd(&seed) % 1000);
            break;
        default:
            mmio_write(t, MEM + reg, val, width);
        }
        while (net_mem_get(net, &len))
            CHECK(len >= 60 && len <= NET_FRAME_MAX);
        if (i % 4096 == 0)
            cfg_write(t, DEVFN, PCI_COMMAND, 7, 2);
    }
    end(t);
}
