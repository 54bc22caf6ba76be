/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cards leave to a cable that takes it, and what a cable gives cards that
 * take only finished frames: sums and the cutting of large packets (net/net.h).
 */
#include "hw/devices.h"
#include "hw/nic.h"
#include "tests/unit/nic-frames.h"

#define PORT    0xc000
#define MEM     0xf0000000u
#define DEVFN   0x20
#define TX_RING 0x20000
#define RX_RING 0x28000
#define RX_BUFS 0x40000
#define BIG     0x100000
#define RX_N    16
#define OWN     0x80000000u
#define EOR     0x40000000u
#define FS      0x20000000u
#define LS      0x10000000u

static struct net *net;

static struct qt *start(const struct device_type *type)
{
    struct qt *t = qt_new();

    net = cable(t);
    qt_add(t, type, DEVFN);
    cfg_write(t, DEVFN, PCI_BAR0, type == &e1000_type.dev ? MEM : PORT, 4);
    cfg_write(t, DEVFN, PCI_COMMAND, 7, 2);
    return t;
}

static void wr(struct qt *t, uint32_t reg, uint32_t val)
{
    mmio_write(t, MEM + reg, val, 4);
}

static uint32_t rd(struct qt *t, uint32_t reg)
{
    return mmio_read(t, MEM + reg, 4);
}

static struct qt *start_e1000(void)
{
    struct qt *t = start(&e1000_type.dev);

    for (unsigned i = 0; i < RX_N; i++)
        put64(t, RX_RING + 16 * i, RX_BUFS + 2048 * i);
    wr(t, 0x2800, RX_RING);
    wr(t, 0x2808, RX_N * 16);
    wr(t, 0x2818, RX_N - 1);
    wr(t, 0x3800, TX_RING);
    wr(t, 0x3808, 64 * 16);
    wr(t, 0x0400, 2);
    wr(t, 0x5000, 0x300); /* RXCSUM: IP and TCP */
    wr(t, 0x0100, 2);
    return t;
}

/* IPv4, TCP at 34 with options of n bytes, as Linux's e1000 fills a context. */
static void e1000_context(struct qt *t, unsigned i, uint32_t mss, bool tcp)
{
    uint32_t at = TX_RING + 16 * i;

    put32(t, at, 14 | 24 << 8 | 33 << 16);
    put32(t, at + 4, 34 | (34 + (tcp ? 16 : 6)) << 8);
    put32(t, at + 8, 0x20000000 | (mss ? 0x04000000 : 0) | 0x02000000 | (tcp ? 0x01000000 : 0));
    put32(t, at + 12, 54 << 8 | mss << 16);
}

static void e1000_data(struct qt *t, unsigned i, uint32_t cmd, uint32_t len)
{
    put64(t, TX_RING + 16 * i, BIG);
    put32(t, TX_RING + 16 * i + 8, cmd | 0x21100000 | len);
    put32(t, TX_RING + 16 * i + 12, 0x300 | 0x0ab30000);
}

/* TCP's sum is the pseudo header's; cut: without the length, as drivers prepare TSO. */
static void prepare(uint8_t *f, size_t len, bool cut)
{
    uint8_t *ip = f + FRAME_IP;

    set16(ip + 10, 0);
    if (cut)
        set16(ip + 2, 0);
    set16(f + FRAME_L4 + (ip[9] == 6 ? 16 : 6),
          slow_sum(ip + 12, 8, ip[9] + (cut ? 0 : len - FRAME_L4)));
}

static void check_undone(size_t len, unsigned gso, unsigned mss, unsigned l4)
{
    const struct net_offload *o = net_mem_offload(net);

    CHECK_EQ(o->flags, NET_F_NEEDS_CSUM);
    CHECK_EQ(o->gso_type, gso);
    CHECK_EQ(o->gso_size, mss);
    CHECK_EQ(o->csum_start, l4);
    CHECK_EQ(o->csum_offset, 16);
    CHECK_EQ(o->hdr_len, gso ? l4 + 20 : 0);
}

/* The packet is whole; IP's sum is right, TCP's is the pseudo header's with the length. */
static void check_uncut(const uint8_t *got, size_t len, const uint8_t *f, size_t tag)
{
    const uint8_t *ip = got + FRAME_IP + tag;

    CHECK(!memcmp(ip + 40, f + FRAME_TCP_DATA, len - FRAME_TCP_DATA));
    CHECK_EQ(get16(ip + 2), len - FRAME_IP);
    CHECK_EQ(slow_sum(ip, 20, 0), 0xffff);
    CHECK_EQ(get16(ip + 36), slow_sum(ip + 12, 8, 6 + len - FRAME_L4));
}

TEST(e1000_leaves_tso_to_the_cable)
{
    struct qt *t = start_e1000();
    uint8_t *f = malloc(65536);
    size_t len = frame_ip4(f, 6, 40000), got_len;
    const uint8_t *got;

    memcpy(t->ram + BIG, f, len);
    prepare(t->ram + BIG, len, true);
    net->takes = NET_TAKES_SUM | NET_TAKES_TSO4;
    e1000_context(t, 0, 1448, true);
    e1000_data(t, 1, 0x0d000000, len);
    wr(t, 0x3818, 2);
    got = net_mem_get(net, &got_len);
    CHECK(got && got_len == len);
    check_uncut(got, len, f, 0);
    check_undone(len, NET_GSO_TCP4, 1448, 34);
    CHECK_EQ(rd(t, 0x4080), 28); /* GPTC: as many as there will be */
    CHECK_EQ(rd(t, 0x40f8), 1);

    wr(t, 0x0000, 0x40000000); /* with a tag, and CWR set */
    t->ram[BIG + FRAME_L4 + 13] |= 0x80;
    e1000_data(t, 2, 0x4d000000, len);
    wr(t, 0x3818, 3);
    got = net_mem_get(net, &got_len);
    CHECK(got && got_len == len + 4);
    CHECK_EQ(get32(got + 12), 0x81000ab3);
    check_undone(len, NET_GSO_TCP4 | NET_GSO_ECN, 1448, 38);

    net->takes = NET_TAKES_SUM; /* cannot: the card cuts, and CWR is only in the first */
    e1000_data(t, 3, 0x0d000000, len);
    wr(t, 0x3818, 4);
    for (unsigned i = 0; (got = net_mem_get(net, &got_len)); i++) {
        CHECK_EQ(net_mem_offload(net)->flags, 0);
        CHECK(ip_sums_ok(got + FRAME_IP));
        CHECK_EQ(got[FRAME_L4 + 13] & 0x80, i ? 0 : 0x80);
    }
    free(f);
    cable_end(t, net);
}

TEST(e1000_leaves_sums_to_the_cable)
{
    struct qt *t = start_e1000();
    uint8_t f[700];
    size_t len = frame_ip4(f, 6, 600), got_len;
    const uint8_t *got;

    memcpy(t->ram + BIG, f, len);
    prepare(t->ram + BIG, len, false);
    net->takes = NET_TAKES_SUM;
    e1000_context(t, 0, 0, true);
    e1000_data(t, 1, 0x09000000, len);
    wr(t, 0x3818, 2);
    got = net_mem_get(net, &got_len);
    CHECK(got && got_len == len);
    check_uncut(got, len, f, 0);
    check_undone(len, NET_GSO_NONE, 0, 34);
    wr(t, 0x0100, 0x42); /* never in loopback */
    e1000_data(t, 2, 0x09000000, len);
    wr(t, 0x3818, 3);
    CHECK(!net_mem_get(net, &got_len));
    cable_end(t, net);
}

/* Numbers that the packet does not bear out are the card's own business. */
TEST(e1000_leaves_no_nonsense)
{
    struct qt *t = start_e1000();
    uint8_t *f = malloc(65536);
    size_t len = frame_ip4(f, 6, 5000), got;

    net->takes = NET_TAKES_SUM | NET_TAKES_TSO4 | NET_TAKES_TSO6;
    for (unsigned wrong = 0; wrong < 4; wrong++) {
        unsigned i = 2 * wrong, n = 0;

        memcpy(t->ram + BIG, f, len);
        prepare(t->ram + BIG, len, true);
        e1000_context(t, i, 1448, true);
        if (wrong == 0)
            t->ram[BIG + 12] = 0x86; /* not IPv4 */
        else if (wrong == 1)
            t->ram[BIG + FRAME_IP + 9] = 17;
        else if (wrong == 2)
            t->ram[BIG + FRAME_L4 + 12] = 0xf0;
        else
            put32(t, TX_RING + 16 * i, 14 | 25 << 8 | 33 << 16);
        e1000_data(t, i + 1, 0x0d000000, len);
        wr(t, 0x3818, i + 2);
        while (net_mem_get(net, &got)) {
            CHECK_EQ(net_mem_offload(net)->flags, 0);
            n++;
        }
        CHECK_EQ(n, 4);
    }
    free(f);
    cable_end(t, net);
}

static void rtl_start(struct qt *t)
{
    outb(t, PORT + 0x37, 0x10);
    outw(t, PORT + 0xe0, 0x23);
    outl(t, PORT + 0x20, TX_RING);
    outl(t, PORT + 0xe4, RX_RING);
    outb(t, PORT + 0x37, 0x0c);
    outl(t, PORT + 0x44, 0xe);
    for (unsigned i = 0; i < RX_N; i++) {
        put32(t, RX_RING + 16 * i, OWN | (i == RX_N - 1 ? EOR : 0) | 2000);
        put32(t, RX_RING + 16 * i + 8, RX_BUFS + 2048 * i);
    }
}

static void rtl_send(struct qt *t, uint32_t opts)
{
    outl(t, PORT + 0x20, TX_RING);
    put32(t, TX_RING, OWN | EOR | FS | LS | opts);
    put32(t, TX_RING + 4, 0);
    put32(t, TX_RING + 8, BIG);
    put32(t, TX_RING + 12, 0);
    outb(t, PORT + 0xd9, 0x40);
}

TEST(rtl8139_leaves_both_to_the_cable)
{
    struct qt *t = start(&rtl8139_type.dev);
    uint8_t *f = malloc(65536);
    size_t len = frame_ip4(f, 6, 30000), got_len;
    const uint8_t *got;

    rtl_start(t);
    net->takes = NET_TAKES_SUM | NET_TAKES_TSO4;
    memcpy(t->ram + BIG, f, len);
    rtl_send(t, 1 << 27 | 1448 << 16 | len);
    got = net_mem_get(net, &got_len);
    CHECK(got && got_len == len);
    check_uncut(got, len, f, 0);
    check_undone(len, NET_GSO_TCP4, 1448, 34);

    len = frame_ip4(f, 6, 700);
    memcpy(t->ram + BIG, f, len);
    rtl_send(t, 0x50000 | len);
    got = net_mem_get(net, &got_len);
    CHECK(got && got_len == len);
    check_uncut(got, len, f, 0);
    check_undone(len, NET_GSO_NONE, 0, 34);
    rtl_send(t, 0x50000 | (len + 3)); /* what is behind the packet must not count */
    got = net_mem_get(net, &got_len);
    CHECK(got && got_len == len + 3 && ip_sums_ok(got + FRAME_IP));
    CHECK_EQ(net_mem_offload(net)->flags, 0);
    free(f);
    cable_end(t, net);
}

/* ---- the other way ---- */

static struct net_offload tcp4(unsigned mss)
{
    return (struct net_offload){ .flags = NET_F_NEEDS_CSUM,
                                 .gso_type = mss ? NET_GSO_TCP4 : NET_GSO_NONE,
                                 .gso_size = mss,
                                 .csum_start = FRAME_L4,
                                 .csum_offset = 16 };
}

/* Segment i of f in a buffer of the guest's. */
static void check_heard(struct qt *t, uint32_t buf, const uint8_t *f, size_t len, unsigned mss,
                        unsigned i)
{
    const uint8_t *got = t->ram + buf;
    size_t at = FRAME_TCP_DATA + (size_t)mss * i, part = len - at < mss ? len - at : mss;

    CHECK_EQ(get16(got + FRAME_IP + 2), 40 + part);
    CHECK(ip_sums_ok(got + FRAME_IP));
    CHECK(!memcmp(got + FRAME_TCP_DATA, f + at, part));
    CHECK_EQ(get32(got + FRAME_L4 + 4), get32(f + FRAME_L4 + 4) + mss * i);
}

TEST(a_large_packet_is_cut_for_the_card_and_waits_for_room)
{
    struct qt *t = start_e1000();
    uint8_t *f = malloc(65536);
    size_t len = frame_ip4(f, 6, 40000);
    struct net_offload o = tcp4(1400);
    uint8_t more[60] = "\x00\x16\x3e\x11\x22\x33 and one more";

    prepare(f, len, false);
    CHECK(net_mem_put_offload(net, &o, f, len));
    CHECK(net_mem_put(net, more, sizeof(more)));
    CHECK_EQ(net_mem_run(net), 1); /* 15 segments are there, 14 and a frame wait */
    qt_touched(t);
    CHECK_EQ(rd(t, 0x2810), RX_N - 1);
    for (unsigned i = 0; i < 15; i++) {
        check_heard(t, RX_BUFS + 2048 * i, f, len, 1400, i);
        CHECK_EQ(ram64(t, RX_RING + 16 * i + 8) >> 32 & 0xffff, 0x0063); /* sums seen, right */
    }
    wr(t, 0x2818, 14);
    CHECK_EQ(net_mem_run(net), 0);
    qt_touched(t);
    for (unsigned i = 15; i < 29; i++)
        check_heard(t, RX_BUFS + 2048 * (i % RX_N), f, len, 1400, i);
    CHECK_EQ(rd(t, 0x2810), 30 % RX_N);
    CHECK(!memcmp(t->ram + RX_BUFS + 2048 * (29 % RX_N) + 7, "and one", 7));
    free(f);
    cable_end(t, net);
}

TEST(sums_are_made_for_the_card)
{
    struct qt *t = start(&rtl8139_type.dev);
    uint8_t f[700];
    size_t len = frame_ip4(f, 6, 600);
    struct net_offload o = tcp4(0);

    rtl_start(t);
    prepare(f, len, false);
    set16(f + FRAME_IP + 10, 0xffff - slow_sum(f + FRAME_IP, 20, 0));
    CHECK(net_mem_put_offload(net, &o, f, len));
    CHECK_EQ(net_mem_run(net), 0);
    qt_touched(t);
    CHECK(ip_sums_ok(t->ram + RX_BUFS + FRAME_IP));
    CHECK_EQ(ram32(t, RX_RING) & 0x3e000, 0x10000); /* TCP, no sum wrong */
    cable_end(t, net);
}

TEST(ipv6_is_cut_too)
{
    struct qt *t = start_e1000();
    uint8_t f[3074] = { 0 };
    struct net_offload o = { NET_F_NEEDS_CSUM, NET_GSO_TCP6, 74, 1000, 54, 16 };
    unsigned at = RX_BUFS;

    frame_ether(f, mac_card, 0x86dd);
    f[14] = 0x60;
    set16(f + 18, 3020);
    f[20] = 6;
    for (unsigned i = 22; i < 54; i++)
        f[i] = i;
    f[54 + 12] = 0x50;
    for (unsigned i = 74; i < sizeof(f); i++)
        f[i] = i;
    CHECK(net_mem_put_offload(net, &o, f, sizeof(f)));
    CHECK_EQ(net_mem_run(net), 0);
    qt_touched(t);
    for (unsigned i = 0; i < 3; i++, at += 2048) {
        CHECK_EQ(get16(t->ram + at + 18), 1020);
        CHECK_EQ(slow_sum(t->ram + at + 54, 1020, slow_sum(f + 22, 32, 1026)), 0xffff);
        CHECK(!memcmp(t->ram + at + 74, f + 74 + 1000 * i, 1000));
    }
    CHECK_EQ(rd(t, 0x2810), 3);
    cable_end(t, net);
}

TEST(unfinished_nonsense_is_dropped)
{
    struct qt *t = start_e1000();
    uint8_t f[3000];
    size_t len = frame_ip4(f, 6, 2900);
    struct net_offload bad[10];

    for (unsigned i = 0; i < 10; i++)
        bad[i] = tcp4(i < 9 ? 1000 : 0);
    bad[0].gso_type = 77;
    bad[1].gso_type = NET_GSO_TCP6;
    bad[2].gso_size = 0;
    bad[3].gso_size = 1; /* 2900 segments */
    bad[4].csum_start = 20;
    bad[5].csum_start = 2990;
    bad[6].csum_offset = 6;
    bad[7].flags = 0;
    bad[8].csum_start = 0xffff;
    bad[9].csum_start = 2950;
    for (unsigned i = 0; i < 10; i++) {
        CHECK(net_mem_put_offload(net, &bad[i], f, len));
        CHECK_EQ(net_mem_run(net), 0);
        qt_touched(t);
        CHECK_EQ(rd(t, 0x2810), 0);
    }
    cable_end(t, net);
}

/* A cable that is pulled, shut or closed with segments in it lets go of them. */
TEST(waiting_segments_go_with_the_cable)
{
    struct qt *t = start_e1000();
    uint8_t *f = malloc(65536);
    size_t len = frame_ip4(f, 6, 60000);
    struct net_offload o = tcp4(1400);

    CHECK(net_mem_put_offload(net, &o, f, len));
    net_mem_run(net);
    qt_touched(t);
    net_set_link(net, false);
    CHECK_EQ(net_mem_run(net), 0);
    net_set_link(net, true);
    wr(t, 0x2818, 14);
    CHECK_EQ(net_mem_run(net), 0);
    CHECK_EQ(rd(t, 0x2810), 15); /* what waited went by */
    CHECK(net_mem_put_offload(net, &o, f, len));
    net_mem_run(net);
    qt_touched(t);
    free(f);
    cable_end(t, net);
}

/* Every length and place, against one bit and one word at a time. */
TEST(fast_sums_are_the_slow_ones)
{
    uint8_t f[700];
    uint64_t s = 802;

    for (unsigned i = 0; i < sizeof(f); i++)
        f[i] = i < 350 ? rnd(&s) : 0xff; /* ones make the most carries */
    for (unsigned len = 0; len < 400; len++) {
        const uint8_t *p = f + len % 17 + (len & 1 ? 200 : 0);

        CHECK_EQ(nic_fcs(p, len), slow_crc(p, len));
        CHECK_EQ(net_fold(net_sum(p, len, 0)), slow_sum(p, len, 0));
    }
}
