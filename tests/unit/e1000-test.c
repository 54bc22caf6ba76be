/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 82540EM, driven as Linux's e1000 and iPXE drive it. */
#include "hw/devices.h"
#include "tests/unit/nic-frames.h"

#define PORT  0xc000
#define MEM   0xf0000000u
#define DEVFN 0x20

#define RX_RING 0x10000
#define TX_RING 0x20000
#define TX_BUF  0x30000
#define RX_BUFS 0x60000
#define BIG     0x100000
#define RX_N    16
#define TX_N    64

#define CTRL 0x0000
#define ICR  0x00c0
#define RCTL 0x0100
#define RDH  0x2810
#define RDT  0x2818
#define TDH  0x3810
#define TDT  0x3818

static struct net *net;

static uint32_t rd(struct qt *t, uint32_t reg)
{
    return mmio_read(t, MEM + reg, 4);
}

static void wr(struct qt *t, uint32_t reg, uint32_t val)
{
    mmio_write(t, MEM + reg, val, 4);
}

static struct qt *start(void)
{
    struct qt *t = qt_new();

    net = cable(t);
    qt_add(t, &e1000_type.dev, DEVFN);
    cfg_write(t, DEVFN, PCI_BAR0, MEM, 4);
    cfg_write(t, DEVFN, PCI_BAR0 + 4, PORT, 4);
    cfg_write(t, DEVFN, PCI_COMMAND, 7, 2);
    return t;
}

static void end(struct qt *t)
{
    cable_end(t, net);
}

/* Rings of RX_N and TX_N; all receive descriptors but one are given. */
static void start_rings(struct qt *t, uint32_t rctl, uint32_t buf)
{
    memset(t->ram + RX_RING, 0, RX_N * 16);
    for (unsigned i = 0; i < RX_N; i++)
        put64(t, RX_RING + 16 * i, RX_BUFS + buf * i);
    wr(t, 0x2800, RX_RING);
    wr(t, 0x2804, 0);
    wr(t, 0x2808, RX_N * 16);
    wr(t, RDH, 0);
    wr(t, RDT, RX_N - 1);
    wr(t, 0x3800, TX_RING);
    wr(t, 0x3804, 0);
    wr(t, 0x3808, TX_N * 16);
    wr(t, TDH, 0);
    wr(t, TDT, 0);
    wr(t, 0x0400, 0x2);
    wr(t, RCTL, rctl | 2);
    wr(t, 0x00d8, 0xffffffff);
    rd(t, ICR);
    wr(t, 0x00d0, 0x1fedf);
}

/* The second half of receive descriptor i: length, sum, status, errors, special. */
static uint64_t done(struct qt *t, unsigned i)
{
    return ram64(t, RX_RING + 16 * i + 8);
}

static uint16_t phy(struct qt *t, unsigned reg)
{
    wr(t, 0x0020, 0x08000000 | 1 << 21 | reg << 16);
    CHECK_EQ(rd(t, 0x0020) & 0xf0000000, 0x10000000);
    return rd(t, 0x0020);
}

static void phy_set(struct qt *t, unsigned reg, uint16_t val)
{
    wr(t, 0x0020, 0x04000000 | 1 << 21 | reg << 16 | val);
}

static uint16_t eerd(struct qt *t, unsigned addr)
{
    wr(t, 0x0014, addr << 8 | 1);
    CHECK_EQ(rd(t, 0x0014) & 0x10, 0x10);
    return rd(t, 0x0014) >> 16;
}

static uint16_t ee_bits(struct qt *t, unsigned addr)
{
    unsigned cmd = 6 << 6 | addr;
    uint16_t val = 0;

    wr(t, 0x0010, 0x40);
    CHECK_EQ(rd(t, 0x0010) & 0x3c0, 0x1c0); /* granted, present, 64 words */
    wr(t, 0x0010, 0x42);
    for (int i = 8; i >= 0; i--) {
        wr(t, 0x0010, 0x42 | (cmd >> i & 1) << 2);
        wr(t, 0x0010, 0x43 | (cmd >> i & 1) << 2);
    }
    for (int i = 0; i < 16; i++) {
        wr(t, 0x0010, 0x42);
        wr(t, 0x0010, 0x43);
        val = val << 1 | (rd(t, 0x0010) >> 3 & 1);
    }
    wr(t, 0x0010, 0);
    return val;
}

TEST(it_is_an_82540em)
{
    struct qt *t = start();

    CHECK_EQ(cfg_read(t, DEVFN, PCI_VENDOR_ID, 4), 0x100e8086);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_INT_PIN, 1), 1);
    CHECK_EQ(rd(t, 0x0008), 0x83);
    CHECK_EQ(rd(t, 0x5400), 0x113e1600);
    CHECK_EQ(rd(t, 0x5404), 0x80003322);
    CHECK_EQ(rd(t, 0x1000), 0x00100030);
    cfg_write(t, DEVFN, PCI_BAR0, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_BAR0, 4), 0xfffe0000);
    cfg_write(t, DEVFN, PCI_BAR0 + 4, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_BAR0 + 4, 4), 0xffffffc1);
    end(t);
}

TEST(eeprom_both_ways)
{
    struct qt *t = start();
    uint16_t sum = 0;

    for (unsigned i = 0; i < 64; i++) {
        sum += eerd(t, i);
        if (i < 3)
            CHECK_EQ(ee_bits(t, i), eerd(t, i));
    }
    CHECK_EQ(sum, 0xbaba);
    CHECK_EQ(eerd(t, 0), 0x1600);
    CHECK_EQ(eerd(t, 2), 0x3322);
    CHECK_EQ(eerd(t, 14), 0x8086);
    CHECK_EQ(ee_bits(t, 63), eerd(t, 63));
    CHECK_EQ(eerd(t, 64), 0xffff);
    end(t);
}

TEST(phy_negotiates)
{
    struct qt *t = start();

    wr(t, 0x00d0, 4);
    CHECK_EQ(phy(t, 2), 0x0141);
    CHECK_EQ(phy(t, 3) & 0xfff0, 0x0c20);
    CHECK_EQ(phy(t, 1) & 0x24, 0x24);
    CHECK_EQ(phy(t, 17) & 0x8400, 0x8400);
    phy_set(t, 0, 0x1340);
    CHECK_EQ(phy(t, 0), 0x1140); /* restart clears itself */
    CHECK_EQ(phy(t, 1) & 0x24, 0);
    CHECK_EQ(rd(t, 0x0008), 0x81);
    CHECK(!intx(t, DEVFN >> 3, 0));
    clock_step(t, NS_PER_S);
    CHECK(intx(t, DEVFN >> 3, 0));
    CHECK_EQ(rd(t, ICR), 4);
    CHECK(!intx(t, DEVFN >> 3, 0));
    CHECK_EQ(phy(t, 1) & 0x24, 0x24);
    phy_set(t, 2, 0);
    CHECK_EQ(phy(t, 2), 0x0141);
    wr(t, 0x0020, 0x08000000 | 2 << 21); /* nobody at that address */
    CHECK_EQ(rd(t, 0x0020) & 0x50000000, 0x50000000);
    wr(t, CTRL, 0x80000000);
    CHECK_EQ(rd(t, 0x0008), 0x81);
    net_set_link(net, false);
    qt_touched(t);
    clock_step(t, NS_PER_S);
    CHECK_EQ(rd(t, 0x0008), 0x81);
    end(t);
}

static void legacy(struct qt *t, unsigned i, uint64_t addr, uint32_t cmd_len, uint32_t opts)
{
    put64(t, TX_RING + 16 * i, addr);
    put64(t, TX_RING + 16 * i + 8, cmd_len | (uint64_t)opts << 32);
}

TEST(sends_legacy_descriptors)
{
    struct qt *t = start();
    uint8_t f[300];
    size_t len;
    const uint8_t *got;

    start_rings(t, 0, 2048);
    for (unsigned i = 0; i < sizeof(f); i++)
        f[i] = i;
    frame_ether(f, mac_other, 0x88b5);
    memcpy(t->ram + TX_BUF, f, 300);
    legacy(t, 0, TX_BUF, 0x00000000 | 100, 0);
    legacy(t, 1, TX_BUF + 100, 0x0b000000 | 200, 0);
    wr(t, TDT, 1);
    CHECK(!net_mem_get(net, &len)); /* not whole yet */
    CHECK_EQ(rd(t, TDH), 0);
    wr(t, TDT, 2);
    got = net_mem_get(net, &len);
    CHECK(got && len == 300 && !memcmp(got, f, 300));
    CHECK_EQ(rd(t, TDH), 2);
    CHECK_EQ(ram64(t, TX_RING + 8) >> 32, 0);
    CHECK_EQ(ram64(t, TX_RING + 24) >> 32, 1); /* done, where it was asked */
    CHECK(intx(t, DEVFN >> 3, 0));
    CHECK_EQ(rd(t, ICR), 3);
    CHECK(!intx(t, DEVFN >> 3, 0));
    legacy(t, 2, TX_BUF, 0x0b000000 | 20, 0);
    wr(t, TDT, 3);
    CHECK(net_mem_get(net, &len) && len == 60);
    end(t);
}

TEST(legacy_sum_and_tag)
{
    struct qt *t = start();
    uint8_t f[300];
    size_t len, n = frame_ip4(f, 17, 100);
    const uint8_t *got;

    start_rings(t, 0, 2048);
    wr(t, CTRL, 0x40000000);
    memcpy(t->ram + TX_BUF, f, n);
    /* the sum of the IP header alone is wanted; IC sums to the packet's end, so send just that */
    legacy(t, 0, TX_BUF, 0x4f000000 | 34 | 24 << 16, 0x51230000 | 14 << 8);
    wr(t, TDT, 1);
    got = net_mem_get(net, &len);
    CHECK(got && len == 60);
    CHECK_EQ(get32(got + 12), 0x81005123);
    CHECK_EQ(slow_sum(got + 18, 20, 0), 0xffff);
    end(t);
}

static void context(struct qt *t, unsigned i, unsigned proto, unsigned tucmd, unsigned header,
                    unsigned mss)
{
    unsigned at = proto == 6 ? 50 : 40;

    put64(t, TX_RING + 16 * i, 14 | 24 << 8 | 33 << 16 | (uint64_t)34 << 32 | (uint64_t)at << 40);
    put64(t, TX_RING + 16 * i + 8,
          0x20000000 | tucmd << 24 | (uint64_t)header << 40 | (uint64_t)mss << 48);
}

static void data(struct qt *t, unsigned i, uint64_t addr, uint32_t dcmd, uint32_t len,
                 uint32_t popts, uint32_t tag)
{
    put64(t, TX_RING + 16 * i, addr);
    put64(t, TX_RING + 16 * i + 8,
          0x20100000 | dcmd << 24 | len | (uint64_t)popts << 40 | (uint64_t)tag << 48);
}

/* What Linux leaves for the card: the pseudo header's sum, with or without the length. */
static void seed(uint8_t *f, unsigned len)
{
    uint8_t *ip = f + FRAME_IP;

    set16(f + FRAME_L4 + (ip[9] == 6 ? 16 : 6), slow_sum(ip + 12, 8, ip[9] + len));
    set16(ip + 10, 0);
}

TEST(inserts_sums)
{
    struct qt *t = start();
    uint8_t f[600];
    size_t len;
    const uint8_t *got;

    start_rings(t, 0, 2048);
    for (unsigned proto = 6, i = 0; proto <= 17; proto += 11, i += 3) {
        size_t n = frame_ip4(f, proto, 501);

        seed(f, n - FRAME_L4);
        memcpy(t->ram + TX_BUF, f, n);
        context(t, i, proto, proto == 6 ? 3 : 2, 0, 0);
        data(t, i + 1, TX_BUF, 0x08, 77, 3, 0);
        data(t, i + 2, TX_BUF + 77, 0x09, n - 77, 0, 0);
        wr(t, TDT, i + 3);
        frame_sums(f);
        got = net_mem_get(net, &len);
        CHECK(got && len == n && !memcmp(got, f, n));
        CHECK_EQ(ram64(t, TX_RING + 16 * i + 24) >> 32 & 1, 1);
    }
    /* without a new context the last one holds; without POPTS nothing is summed */
    data(t, 6, TX_BUF, 0x01, 100, 0, 0);
    wr(t, TDT, 7);
    got = net_mem_get(net, &len);
    CHECK(got && len == 100 && !memcmp(got, t->ram + TX_BUF, 100));
    end(t);
}

TEST(cuts_tcp_into_segments)
{
    struct qt *t = start();
    uint8_t *f = malloc(65536);
    size_t len = frame_ip4(f, 6, 40000);

    start_rings(t, 0, 2048);
    wr(t, CTRL, 0x40000000);
    for (unsigned tagged = 0, i = 0; tagged < 2; tagged++) {
        memcpy(t->ram + BIG, f, len);
        seed(t->ram + BIG, 0);
        set16(t->ram + BIG + FRAME_IP + 2, 0);
        context(t, i++, 6, 7, 54, 1448);
        data(t, i++, BIG, 0x04, 54, 3, 0);
        for (size_t at = 54; at < len; at += 8000) {
            bool last = len - at <= 8000;

            data(t, i++, BIG + at, last ? (tagged ? 0x4d : 0x0d) : 0x04, last ? len - at : 8000, 3,
                 0x6005);
        }
        wr(t, TDT, i);
        CHECK_EQ(check_segments(net, f, len, 1448, tagged ? 0x6005 : 0), 28);
    }
    CHECK_EQ(rd(t, 0x40f8), 2);
    free(f);
    end(t);
}

TEST(cuts_tcp_over_ipv6)
{
    struct qt *t = start();
    uint8_t f[4074] = { 0 };
    const uint8_t *got;
    size_t len;
    unsigned n = 0;

    frame_ether(f, mac_card, 0x86dd);
    f[14] = 0x60;
    f[20] = 6;
    memset(f + 22, 0x20, 32);
    f[54 + 12] = 0x50;
    set16(f + 54 + 16, slow_sum(f + 22, 32, 6));
    memset(f + 74, 0x99, 4000);
    memcpy(t->ram + BIG, f, sizeof(f));
    start_rings(t, 0, 2048);
    put64(t, TX_RING, 14 | (uint64_t)54 << 32 | (uint64_t)70 << 40);
    put64(t, TX_RING + 8, 0x25000000 | (uint64_t)74 << 40 | (uint64_t)1000 << 48);
    data(t, 1, BIG, 0x0d, sizeof(f), 2, 0);
    wr(t, TDT, 2);
    while ((got = net_mem_get(net, &len))) {
        CHECK_EQ(len, 1074);
        CHECK_EQ(get16(got + 18), 1020);
        CHECK_EQ(get32(got + 58), 1000 * n++);
        CHECK_EQ(slow_sum(got + 54, 1020, slow_sum(got + 22, 32, 6 + 1020)), 0xffff);
    }
    CHECK_EQ(n, 4);
    end(t);
}

TEST(refuses_segments_that_make_no_sense)
{
    struct qt *t = start();
    size_t len;

    start_rings(t, 0, 2048);
    context(t, 0, 6, 7, 54, 0);
    data(t, 1, BIG, 0x0d, 5000, 3, 0);
    context(t, 2, 6, 7, 54, 1); /* 65000 segments */
    data(t, 3, BIG, 0x0d, 65000, 3, 0);
    context(t, 4, 6, 7, 30, 1448); /* the header ends before TCP's */
    data(t, 5, BIG, 0x0d, 5000, 3, 0);
    context(t, 6, 6, 7, 36, 1448); /* in it, and no sum of it is wanted */
    data(t, 7, BIG, 0x0d, 5000, 1, 0);
    wr(t, TDT, 8);
    CHECK(!net_mem_get(net, &len));
    CHECK_EQ(guest_errors(t), 4);
    CHECK_EQ(rd(t, TDH), 8);
    CHECK_EQ(ram64(t, TX_RING + 24) >> 32 & 1, 1);
    end(t);
}

TEST(endless_packets_end)
{
    struct qt *t = start();
    size_t len;

    start_rings(t, 0, 2048);
    for (unsigned i = 0; i < TX_N; i++)
        data(t, i, BIG, 0x04, 0xfffff, 3, 0);
    wr(t, TDT, TX_N - 1);
    CHECK(!net_mem_get(net, &len));
    wr(t, 0x3808, 0x1000 * 16); /* a ring of 4096 in which nothing ends */
    for (unsigned i = 0; i < 4096; i++)
        data(t, i, BIG, 0x00, 60000, 0, 0);
    wr(t, TDT, 4095);
    CHECK(rd(t, TDH) < 4000);
    clock_step(t, 1000);
    CHECK(!net_mem_get(net, &len));
    CHECK(4095 - rd(t, TDH) < 256); /* what is left could still be the start of a packet */
    wr(t, 0x3808, 0);
    wr(t, TDT, 7);
    CHECK(guest_errors(t) > 0);
    wr(t, 0x3808, 128);
    wr(t, TDT, 0xffff);
    CHECK(!net_mem_get(net, &len));
    end(t);
}

TEST(many_packets_are_sent_in_steps)
{
    struct qt *t = start();
    size_t len;
    unsigned n = 0;

    start_rings(t, 0, 2048);
    wr(t, 0x3808, 4096 * 16);
    for (unsigned i = 0; i < 4095; i++)
        legacy(t, i, TX_BUF, 0x01000000 | 60, 0);
    wr(t, TDT, 4095);
    while (net_mem_get(net, &len))
        n++;
    CHECK(n >= 100 && n <= 300);
    for (unsigned i = 0; i < 100; i++) {
        clock_step(t, 1);
        while (net_mem_get(net, &len))
            n++;
    }
    CHECK_EQ(n, 4095);
    CHECK_EQ(rd(t, TDH), 4095);
    CHECK_EQ(rd(t, 0x4080), 4095);
    CHECK_EQ(rd(t, 0x4080), 0); /* cleared by reading */
    CHECK_EQ(rd(t, 0x4090), 4095 * 64);
    CHECK_EQ(rd(t, 0x4094), 0);
    CHECK_EQ(rd(t, 0x4090), 0);
    CHECK_EQ(rd(t, 0x40d8), 4095); /* of 64 bytes */
    end(t);
}

TEST(receives_with_sums)
{
    struct qt *t = start();
    uint8_t f[1000];
    size_t n = frame_ip4(f, 6, 700);
    uint32_t crc;

    frame_sums(f);
    crc = slow_crc(f, n);
    start_rings(t, 0, 2048);
    wr(t, 0x5000, 0x300);
    CHECK_EQ(hear(t, net, f, n), 0);
    CHECK(!memcmp(t->ram + RX_BUFS, f, n));
    CHECK_EQ((uint32_t)ram64(t, RX_BUFS + n), crc);
    CHECK_EQ(done(t, 0) & 0xffff, n + 4);
    CHECK_EQ(done(t, 0) >> 16 & 0xffff, 0xffff - slow_sum(f, n, 0));
    CHECK_EQ(done(t, 0) >> 32, 0x63);
    CHECK_EQ(rd(t, RDH), 1);
    CHECK(intx(t, DEVFN >> 3, 0));
    CHECK_EQ(rd(t, ICR), 0x80);
    f[500] ^= 1;
    wr(t, RCTL, 0x04000002); /* strip the FCS */
    hear(t, net, f, n);
    CHECK_EQ(done(t, 1) & 0xffff, n);
    CHECK_EQ(done(t, 1) >> 32, 0x2063);
    n = frame_ip4(f, 17, 100);
    frame_sums(f);
    f[22]++;
    hear(t, net, f, n);
    CHECK_EQ(done(t, 2) >> 32, 0x4063);
    frame_ether(f, mac_card, 0x0806);
    hear(t, net, f, 30);
    CHECK_EQ(done(t, 3) & 0xffff, 60);
    CHECK_EQ(done(t, 3) >> 32, 0x07); /* no IP: ignore what is said of sums */
    end(t);
}

TEST(receives_into_small_and_large_buffers)
{
    static const struct {
        uint32_t rctl, size;
    } kind[] = { { 0x30000, 256 },    { 0x20000, 512 },    { 0x10000, 1024 },   { 0, 2048 },
                 { 0x2030000, 4096 }, { 0x2020000, 8192 }, { 0x2010000, 16384 } };
    struct qt *t = start();
    uint8_t f[9000];

    for (unsigned i = 0; i < sizeof(f); i++)
        f[i] = i * 3;
    frame_ether(f, mac_card, 0x88b5);
    for (unsigned k = 0; k < 7; k++) {
        for (unsigned jumbo = 0; jumbo < 2; jumbo++) {
            uint32_t len = jumbo ? 3000 : 1500, size = kind[k].size;
            unsigned n = (len + size - 1) / size;

            start_rings(t, 0x04000020 | kind[k].rctl, size);
            CHECK_EQ(hear(t, net, f, len), 0);
            CHECK_EQ(rd(t, RDH), n);
            CHECK(!memcmp(t->ram + RX_BUFS, f, len));
            for (unsigned i = 0; i < n; i++) {
                CHECK_EQ(done(t, i) & 0xffff, i < n - 1 ? size : len - i * size);
                CHECK_EQ(done(t, i) >> 32 & 0xff, i < n - 1 ? 1 : 7);
            }
        }
    }
    start_rings(t, 0x04000000, 2048);
    CHECK_EQ(hear(t, net, f, 1519), 0); /* long packets are not enabled */
    CHECK_EQ(rd(t, RDH), 0);
    CHECK_EQ(rd(t, 0x40ac), 1);
    CHECK_EQ(hear(t, net, f, 1518), 0);
    CHECK_EQ(rd(t, RDH), 1);
    end(t);
}

TEST(filters_by_address)
{
    static const uint8_t multi[6] = { 0x01, 0x00, 0x5e, 0x12, 0x34, 0xfb };
    static const uint32_t mode[] = { 0x8, 0x10, 0x8000, 0 };
    struct qt *t = start();
    uint8_t f[64] = { 0 };

    for (unsigned m = 0; m < 4; m++) {
        const uint8_t *dst[4] = { mac_other, multi, mac_all, mac_card };
        unsigned n = 0;

        start_rings(t, mode[m], 2048);
        for (unsigned i = 0; i < 4; i++) {
            frame_ether(f, dst[i], 0x88b5);
            hear(t, net, f, 64);
            n += i == 3 || i == m || (m == 1 && i == 2);
            CHECK_EQ(rd(t, RDH), n);
        }
    }
    for (unsigned mo = 0; mo < 4; mo++) { /* the hash takes bits of the last two bytes */
        static const unsigned shift[4] = { 4, 3, 2, 0 };
        unsigned hash = 0xfb34 >> shift[mo] & 0xfff;

        for (unsigned i = 0; i < 128; i++)
            wr(t, 0x5200 + 4 * i, i == hash / 32 ? 1u << hash % 32 : 0);
        start_rings(t, mo << 12, 2048);
        frame_ether(f, multi, 0x88b5);
        hear(t, net, f, 64);
        CHECK_EQ(rd(t, RDH), 1);
        CHECK_EQ(done(t, 0) >> 32 & 0x80, 0x80);
        f[5] ^= 0x01;
        hear(t, net, f, 64);
        CHECK_EQ(rd(t, RDH), 1);
    }
    start_rings(t, 0, 2048);
    wr(t, 0x5408, 0xbbaa02u | 0xccu << 24);
    wr(t, 0x540c, 0xeedd);
    frame_ether(f, mac_other, 0x88b5);
    hear(t, net, f, 64);
    CHECK_EQ(rd(t, RDH), 0); /* not valid yet */
    wr(t, 0x540c, 0x8000eedd);
    hear(t, net, f, 64);
    CHECK_EQ(rd(t, RDH), 1);
    end(t);
}

TEST(tags_are_taken_out_and_filtered)
{
    struct qt *t = start();
    uint8_t f[100];

    memset(f, 0x24, sizeof(f));
    frame_ether(f, mac_card, 0x8100);
    set16(f + 14, 0x6123);
    set16(f + 16, 0x88b5);
    start_rings(t, 0x04000000, 2048);
    wr(t, CTRL, 0x40000000);
    CHECK_EQ(hear(t, net, f, 100), 0);
    CHECK_EQ(done(t, 0) & 0xffff, 96);
    CHECK_EQ(done(t, 0) >> 32, 0x6123000f);
    CHECK(!memcmp(t->ram + RX_BUFS, f, 12) && !memcmp(t->ram + RX_BUFS + 12, f + 16, 84));
    wr(t, RCTL, 0x04040002);
    hear(t, net, f, 100);
    CHECK_EQ(rd(t, RDH), 1);
    wr(t, 0x5600 + 4 * (0x123 / 32), 1u << (0x123 % 32));
    hear(t, net, f, 100);
    CHECK_EQ(rd(t, RDH), 2);
    wr(t, CTRL, 0);
    hear(t, net, f, 100);
    CHECK_EQ(done(t, 2) & 0xffff, 100);
    CHECK(!memcmp(t->ram + RX_BUFS + 2 * 2048, f, 100));
    end(t);
}

TEST(frames_wait_for_room)
{
    struct qt *t = start();
    uint8_t f[1000];
    unsigned kicks;

    memset(f, 1, sizeof(f));
    frame_ether(f, mac_card, 0x88b5);
    start_rings(t, 0, 2048);
    for (unsigned i = 0; i < RX_N - 1; i++) {
        CHECK_EQ(hear(t, net, f, sizeof(f)), 0);
        CHECK_EQ(rd(t, ICR), i < 6 ? 0x80 : 0x90); /* half of the ring is left: RXDMT0 */
    }
    CHECK_EQ(hear(t, net, f, sizeof(f)), 1);
    CHECK_EQ(rd(t, ICR), 0);
    kicks = net_mem_kicks(net);
    wr(t, RDT, 3);
    CHECK(net_mem_kicks(net) > kicks);
    CHECK_EQ(net_mem_run(net), 0);
    qt_touched(t);
    CHECK_EQ(rd(t, RDH), 0);
    CHECK_EQ(rd(t, 0x40a0), 0);
    wr(t, RCTL, 0x30002); /* buffers of 256: three are no longer enough */
    CHECK_EQ(hear(t, net, f, sizeof(f)), 1);
    wr(t, RDT, 8);
    CHECK_EQ(net_mem_run(net), 0);
    qt_touched(t);
    CHECK_EQ(rd(t, RDH), 4);
    end(t);
}

TEST(a_giant_without_room_is_dropped_and_told)
{
    struct qt *t = start();
    uint8_t f[16000];

    memset(f, 1, sizeof(f));
    frame_ether(f, mac_card, 0x88b5);
    start_rings(t, 0x20, 2048);
    wr(t, RDT, 7); /* enough for usual jumbo frames */
    CHECK_EQ(hear(t, net, f, sizeof(f)), 0);
    CHECK_EQ(rd(t, ICR), 0x40);
    CHECK_EQ(rd(t, RDH), 0);
    CHECK_EQ(rd(t, 0x40a0), 1);
    CHECK_EQ(rd(t, 0x4010), 1);
    end(t);
}

TEST(interrupts_are_throttled)
{
    struct qt *t = start();

    wr(t, 0x00d0, 0x80);
    wr(t, 0x00c4, 1000); /* 256 us */
    wr(t, 0x00c8, 0x80);
    CHECK(intx(t, DEVFN >> 3, 0));
    CHECK_EQ(rd(t, ICR), 0x80);
    CHECK(!intx(t, DEVFN >> 3, 0));
    wr(t, 0x00c8, 0x80);
    CHECK(!intx(t, DEVFN >> 3, 0));
    clock_step(t, 255 * NS_PER_US);
    CHECK(!intx(t, DEVFN >> 3, 0));
    clock_step(t, 2 * NS_PER_US);
    CHECK(intx(t, DEVFN >> 3, 0));
    wr(t, 0x00d8, 0x80);
    CHECK(!intx(t, DEVFN >> 3, 0));
    CHECK_EQ(rd(t, 0x00d0), 0);
    end(t);
}

/* RDTR from the last packet, RADV from the first; FPD; small packets at once. */
TEST(receive_interrupts_can_be_late)
{
    struct qt *t = start();
    uint8_t f[200] = { 0 };

    start_rings(t, 0, 2048);
    frame_ether(f, mac_card, 0x1234);
    wr(t, 0x2820, 100); /* 102.4 us */
    wr(t, 0x282c, 250);
    hear(t, net, f, sizeof(f));
    CHECK(!intx(t, 4, 0));
    clock_step(t, 100000);
    CHECK(!intx(t, 4, 0));
    clock_step(t, 3000);
    CHECK_EQ(rd(t, ICR), 0x80);
    for (unsigned i = 0; i < 5; i++) { /* 50 us apart: RADV ends it after 256 */
        CHECK(!intx(t, 4, 0));
        hear(t, net, f, sizeof(f));
        clock_step(t, 50000);
    }
    CHECK(!intx(t, 4, 0));
    clock_step(t, 7000);
    CHECK_EQ(rd(t, ICR), 0x80);
    wr(t, RDT, 5); /* away from RXDMT0 */
    clock_step(t, 1000000);
    CHECK(!intx(t, 4, 0));
    hear(t, net, f, sizeof(f));
    wr(t, 0x2820, 0x80000064);
    CHECK_EQ(rd(t, 0x2820), 100);
    CHECK_EQ(rd(t, ICR), 0x80);
    wr(t, 0x2c00, 80); /* RSRPD */
    hear(t, net, f, sizeof(f));
    CHECK(!intx(t, 4, 0));
    hear(t, net, f, 64);
    CHECK_EQ(rd(t, ICR), 0x10080);
    end(t);
}

/* TIDV, TADV for descriptors with IDE. */
TEST(transmit_interrupts_can_be_late)
{
    struct qt *t = start();

    start_rings(t, 0, 2048);
    wr(t, 0x3820, 100);
    wr(t, 0x382c, 150);
    legacy(t, 0, TX_BUF, 0x09000000 | 64, 0);
    wr(t, TDT, 1);
    CHECK_EQ(rd(t, ICR), 0x03);
    legacy(t, 1, TX_BUF, 0x89000000 | 64, 0);
    wr(t, TDT, 2);
    CHECK_EQ(rd(t, ICR), 0x02);
    clock_step(t, 90000);
    legacy(t, 2, TX_BUF, 0x89000000 | 64, 0);
    wr(t, TDT, 3);
    CHECK_EQ(rd(t, ICR), 0x02);
    clock_step(t, 60000);
    CHECK_EQ(rd(t, ICR), 0);
    clock_step(t, 4000);
    CHECK_EQ(rd(t, ICR), 0x01);
    wr(t, 0x3828, 0x02000000); /* LWTHRESH */
    legacy(t, 3, TX_BUF, 0x01000000 | 64, 0);
    wr(t, TDT, 4);
    CHECK_EQ(rd(t, ICR), 0x8002);
    end(t);
}

TEST(control_frames_stay_in_the_mac)
{
    struct qt *t = start();
    uint8_t f[64] = { 0 };

    start_rings(t, 0x8008, 2048);
    frame_ether(f, mac_card, 0x8808);
    hear(t, net, f, sizeof(f));
    CHECK_EQ(rd(t, RDH), 0);
    wr(t, RCTL, 0x80800a);
    hear(t, net, f, sizeof(f));
    CHECK_EQ(rd(t, RDH), 1);
    end(t);
}

/* CFIEN: of tagged frames only those with the CFI of RCTL. */
TEST(tags_are_filtered_by_cfi)
{
    struct qt *t = start();
    uint8_t f[64] = { 0 };

    start_rings(t, 0xc0002, 2048);
    wr(t, 0x5600, 1 << 5);
    frame_ether(f, mac_card, 0x8100);
    set16(f + 14, 5);
    hear(t, net, f, sizeof(f));
    CHECK_EQ(rd(t, RDH), 1);
    set16(f + 14, 0x1005);
    hear(t, net, f, sizeof(f));
    CHECK_EQ(rd(t, RDH), 1);
    wr(t, RCTL, 0x1c0002);
    hear(t, net, f, sizeof(f));
    CHECK_EQ(rd(t, RDH), 2);
    end(t);
}

/* With long packets on, one is not let in to be dropped: room for 9022 bytes is waited for. */
TEST(jumbo_frames_wait_for_room)
{
    struct qt *t = start();
    uint8_t *f = calloc(1, 9018);

    start_rings(t, 0x20, 2048);
    frame_ether(f, mac_card, 0x1234);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(hear(t, net, f, 9018), 0);
    CHECK_EQ(hear(t, net, f, 9018), 1);
    CHECK_EQ(rd(t, RDH), 15);
    wr(t, RDT, 6);
    CHECK_EQ(net_mem_run(net), 0);
    CHECK_EQ(rd(t, RDH), 4);
    CHECK_EQ(rd(t, 0x4010), 0);
    free(f);
    end(t);
}

TEST(loopback_stays_inside)
{
    struct qt *t = start();
    size_t len;

    for (unsigned way = 0; way < 2; way++) {
        start_rings(t, way ? 0x40 : 0, 2048);
        phy_set(t, 0, way ? 0x0140 : 0x4140);
        frame_ether(t->ram + TX_BUF, mac_card, 0x88b5);
        legacy(t, 0, TX_BUF, 0x0b000000 | 100, 0);
        wr(t, TDT, 1);
        CHECK(!net_mem_get(net, &len));
        CHECK_EQ(rd(t, RDH), 1);
        CHECK(!memcmp(t->ram + RX_BUFS, t->ram + TX_BUF, 100));
    }
    end(t);
}

TEST(reset_forgets_but_keeps_the_phy)
{
    struct qt *t = start();

    start_rings(t, 0x8000, 2048);
    phy_set(t, 4, 0x1234);
    wr(t, 0x5400, 0);
    outl(t, PORT, CTRL); /* as Linux does it: by the I/O window */
    outl(t, PORT + 4, 0x04000000);
    CHECK_EQ(inl(t, PORT), 0);
    CHECK_EQ(rd(t, RCTL), 0);
    CHECK_EQ(rd(t, 0x0400), 0);
    CHECK_EQ(rd(t, 0x2808), 0);
    CHECK_EQ(rd(t, RDT), 0);
    CHECK_EQ(rd(t, 0x00d0), 0);
    CHECK_EQ(rd(t, CTRL) & 0x04000000, 0);
    CHECK_EQ(rd(t, 0x5400), 0x113e1600);
    CHECK_EQ(phy(t, 4), 0x1234);
    outl(t, PORT, 0x5400);
    CHECK_EQ(inl(t, PORT + 4), 0x113e1600);
    device_reset(t->dev, RESET_COLD);
    qt_touched(t);
    cfg_write(t, DEVFN, PCI_BAR0, MEM, 4);
    cfg_write(t, DEVFN, PCI_COMMAND, 7, 2);
    CHECK_EQ(phy(t, 4), 0x0de1);
    end(t);
}

static void random_descriptor(struct qt *t, uint64_t *s, uint32_t at)
{
    put64(t, at, rnd(s) % 16 ? rnd(s) % QT_RAM : rnd(s) * 100000ULL);
    put64(t, at + 8,
          (uint64_t)(rnd(s) << 8) << 32 | (rnd(s) % 4 ? 0x20100000 : 0x20000000) |
              (rnd(s) & 0x7f) << 24 | (rnd(s) & (rnd(s) % 4 ? 0xfff : 0xfffff)));
    if (rnd(s) % 4 == 0) /* plausible offsets */
        put64(t, at, 14 | 24 << 8 | 33 << 16 | (uint64_t)34 << 32 | (uint64_t)50 << 40);
}

TEST(nonsense_does_no_harm)
{
    static const uint32_t hot[16] = { 0x0100, 0x0400, 0x2808, 0x2810, 0x2818, 0x3808,
                                      0x3810, 0x3818, 0x2800, 0x3800, 0x5000, 0x0000,
                                      0x0010, 0x0014, 0x0020, 0x00c8 };
    struct qt *t = start();
    uint64_t s = 82540;
    uint8_t f[2000];
    size_t len;

    for (unsigned i = 0; i < accesses(t); i++) {
        uint32_t reg = rnd(&s) % 3 ? hot[rnd(&s) % 16] : rnd(&s) & 0x7ffc;
        uint32_t val = rnd(&s) % 3 ? rnd(&s) << 8 | (rnd(&s) & 0xff) : rnd(&s) & 0x7f;

        if (reg == 0 && rnd(&s) % 64)
            val &= ~0x04000000u;
        if (reg == 0x2800 || reg == 0x3800)
            val = RX_RING + rnd(&s) % 4 * 4096;
        if (reg == 0x2808 || reg == 0x3808)
            val = rnd(&s) % 8 ? 128 * (rnd(&s) % 8) : val;
        if (reg == 0x0100 || reg == 0x0400)
            val |= 2;
        switch (rnd(&s) % 8) {
        case 0:
            rd(t, reg);
            break;
        case 1:
            random_descriptor(t, &s, RX_RING + rnd(&s) % 1024 * 16);
            break;
        case 2:
            frame_ip4(f, rnd(&s) % 2 ? 6 : 17, 1000);
            f[rnd(&s) % 60] ^= rnd(&s);
            hear_if_room(t, net, f, 1 + rnd(&s) % 1999);
            break;
        case 3:
            clock_step(t, rnd(&s) % 1000);
            break;
        default:
            wr(t, reg, val);
        }
        while (net_mem_get(net, &len))
            CHECK(len >= 60 && len <= NET_FRAME_MAX);
        if (i % 1024 == 0) {
            cfg_write(t, DEVFN, PCI_COMMAND, 7, 2);
            start_rings(t, 0x8018, 2048);
        }
    }
    end(t);
}
