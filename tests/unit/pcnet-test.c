/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Am79C970A, driven as Linux's pcnet32 and the LANCE's drivers drive it. */
#include "hw/devices.h"
#include "tests/unit/nic-frames.h"

#define PORT  0xc000
#define MEM   0xf0000000u
#define DEVFN 0x20

#define BLOCK   0x8000
#define RX_RING 0x10000
#define TX_RING 0x11000
#define RX_BUFS 0x20000
#define TX_BUFS 0x40000
#define BUF     1544

#define OWN 0x80000000u
#define STP 0x02000000u
#define ENP 0x01000000u

#define CSR0_DONE 0x0100
#define CSR0_TINT 0x0200
#define CSR0_RINT 0x0400

static struct net *net;

static struct qt *start(void)
{
    struct qt *t = qt_new();

    net = cable(t);
    qt_add(t, &pcnet_type.dev, DEVFN);
    cfg_write(t, DEVFN, PCI_BAR0, PORT, 4);
    cfg_write(t, DEVFN, PCI_BAR0 + 4, MEM, 4);
    cfg_write(t, DEVFN, PCI_COMMAND, 7, 2);
    return t;
}

static void end(struct qt *t)
{
    cable_end(t, net);
}

static uint16_t csr(struct qt *t, unsigned reg)
{
    outw(t, PORT + 0x12, reg);
    return inw(t, PORT + 0x10);
}

static void set_csr(struct qt *t, unsigned reg, uint16_t val)
{
    outw(t, PORT + 0x12, reg);
    outw(t, PORT + 0x10, val);
}

static uint16_t bcr(struct qt *t, unsigned reg)
{
    outw(t, PORT + 0x12, reg);
    return inw(t, PORT + 0x16);
}

static void set_bcr(struct qt *t, unsigned reg, uint16_t val)
{
    outw(t, PORT + 0x12, reg);
    outw(t, PORT + 0x16, val);
}

static uint32_t bcnt(unsigned n)
{
    return (-n & 0xfff) | 0xf000;
}

static void desc(struct qt *t, unsigned style, uint32_t at, uint32_t addr, uint32_t status)
{
    if (style == 0) {
        put32(t, at, (addr & 0xffffff) | (status >> 24) << 24);
        put32(t, at + 4, status & 0xffff);
    } else {
        put32(t, at + (style == 3 ? 8 : 0), addr);
        put32(t, at + 4, status);
        put32(t, at + (style == 3 ? 0 : 8), 0xdddddddd);
        put32(t, at + 12, 0x99999999);
    }
}

static unsigned desc_len(unsigned style)
{
    return style ? 16 : 8;
}

/* The status of a descriptor as the 32-bit layout has it. */
static uint32_t status(struct qt *t, unsigned style, uint32_t at)
{
    uint32_t val = ram32(t, at + 4);

    return style ? val : (ram32(t, at) & 0xff000000) | (val & 0xffff);
}

static unsigned count(struct qt *t, unsigned style, uint32_t at)
{
    return style == 0 ? ram32(t, at + 4) >> 16 : ram32(t, at + (style == 3 ? 0 : 8));
}

static void block(struct qt *t, unsigned style, uint16_t mode, unsigned rlen, unsigned tlen)
{
    uint8_t *b = t->ram + BLOCK;
    unsigned at = style ? 4 : 2;

    memset(b, 0, 32);
    b[0] = mode;
    b[1] = mode >> 8;
    if (style) {
        b[2] = rlen << 4;
        b[3] = tlen << 4;
    }
    memcpy(b + at, mac_card, 6);
    if (style) {
        put32(t, BLOCK + 20, RX_RING);
        put32(t, BLOCK + 24, TX_RING);
    } else {
        put32(t, BLOCK + 16, RX_RING | rlen << 29);
        put32(t, BLOCK + 20, TX_RING | tlen << 29);
    }
}

/* As pcnet32_open(): style, block, INIT, IDON, STRT with interrupts. Four descriptors each way. */
static void open_card(struct qt *t, unsigned style, uint16_t mode)
{
    inw(t, PORT + 0x14);
    set_bcr(t, 20, style);
    set_csr(t, 4, 0x0915);
    for (unsigned i = 0; i < 4; i++) {
        desc(t, style, RX_RING + i * desc_len(style), RX_BUFS + i * 2048, OWN | bcnt(BUF));
        desc(t, style, TX_RING + i * desc_len(style), 0, 0);
    }
    block(t, style, mode, 2, 2);
    set_csr(t, 1, BLOCK & 0xffff);
    set_csr(t, 2, BLOCK >> 16);
    set_csr(t, 0, 1);
    CHECK_EQ(csr(t, 0), 0x0181);
    set_csr(t, 0, 0x0042);
    CHECK_EQ(csr(t, 0) & 0x0077, 0x0073 & ~(mode & 1 ? 0x20 : 0) & ~(mode & 2 ? 0x10 : 0));
    set_csr(t, 0, CSR0_DONE | 0x40);
}

static void send(struct qt *t, unsigned style, unsigned i, const uint8_t *f, unsigned len,
                 uint32_t flags)
{
    memcpy(t->ram + TX_BUFS + i * 4096, f, len);
    desc(t, style, TX_RING + i * desc_len(style), TX_BUFS + i * 4096, OWN | flags | bcnt(len));
}

TEST(it_is_an_am79c970a)
{
    struct qt *t = start();

    CHECK_EQ(cfg_read(t, DEVFN, PCI_VENDOR_ID, 4), 0x20001022);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_REVISION, 4), 0x02000010);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_INT_LINE, 4) >> 8, 0xff0601);
    /* pcnet32_probe1(): reset by words, CSR0 is STOP, RAP keeps 88 */
    inw(t, PORT + 0x14);
    CHECK_EQ(csr(t, 0), 4);
    outw(t, PORT + 0x12, 88);
    CHECK_EQ(inw(t, PORT + 0x12), 88);
    CHECK_EQ(csr(t, 88) | (uint32_t)csr(t, 89) << 16, 0x02621003);
    CHECK_EQ(csr(t, 12), 0x1600);
    CHECK_EQ(csr(t, 14), 0x3322);
    CHECK_EQ(csr(t, 4), 0x0115);
    CHECK_EQ(csr(t, 80), 0x1410);
    CHECK_EQ(bcr(t, 2), 0x0002);
    CHECK_EQ(bcr(t, 4), 0x80c0);
    CHECK_EQ(bcr(t, 18), 0x9001);
    CHECK_EQ(bcr(t, 20), 0x0200);
    CHECK_EQ(bcr(t, 32), 0);
    net_set_link(net, false);
    CHECK_EQ(bcr(t, 4), 0x00c0);
    end(t);
}

TEST(the_address_prom)
{
    struct qt *t = start();
    unsigned sum = 0;

    for (unsigned i = 0; i < 6; i++)
        CHECK_EQ(inb(t, PORT + i), mac_card[i]);
    CHECK_EQ(inb(t, PORT + 9), 0x11);
    for (unsigned i = 0; i < 16; i++)
        sum += i == 12 || i == 13 ? 0 : inb(t, PORT + i);
    CHECK_EQ(inw(t, PORT + 12), sum);
    CHECK_EQ(inw(t, PORT + 14), 0x5757);
    outb(t, PORT, 0xaa);
    CHECK_EQ(inb(t, PORT), 0x00);
    set_bcr(t, 2, 0x0102); /* APROMWE */
    outb(t, PORT, 0xaa);
    CHECK_EQ(inb(t, PORT), 0xaa);
    set_bcr(t, 19, 0x4000); /* PREAD */
    CHECK_EQ(inb(t, PORT), 0x00);
    end(t);
}

/* BCR19: the same bytes wire by wire. */
TEST(the_eeprom)
{
    struct qt *t = start();
    uint16_t val = 0;

    set_bcr(t, 19, 0x0014);
    for (int i = 8; i >= 0; i--) {
        unsigned di = 0x182 >> i & 1;

        set_bcr(t, 19, 0x0014 | di);
        set_bcr(t, 19, 0x0016 | di);
    }
    for (int i = 0; i < 16; i++) {
        set_bcr(t, 19, 0x0014);
        set_bcr(t, 19, 0x0016);
        val = val << 1 | (bcr(t, 19) & 1);
    }
    CHECK_EQ(val, 0x3322);
    CHECK_EQ(bcr(t, 19) & 0xa000, 0xa000);
    end(t);
}

TEST(words_and_dwords)
{
    struct qt *t = start();

    CHECK_EQ(inl(t, PORT + 0x10), 0xffffffff);
    CHECK_EQ(inb(t, PORT + 0x10), 0xff);
    outl(t, PORT + 0x10, 0); /* chooses dwords */
    CHECK_EQ(inw(t, PORT + 0x10), 0xffff);
    outl(t, PORT + 0x14, 88);
    CHECK_EQ(inl(t, PORT + 0x14), 88);
    CHECK_EQ(inl(t, PORT + 0x10), 0x1003);
    outl(t, PORT + 0x14, 18);
    CHECK_EQ(inl(t, PORT + 0x1c), 0x9081);
    inl(t, PORT + 0x18); /* S_RESET leaves it so */
    outl(t, PORT + 0x14, 18);
    CHECK_EQ(inl(t, PORT + 0x1c), 0x9081);
    CHECK_EQ(mmio_read(t, MEM + 0x1c, 4), 0x9081);
    device_reset(t->dev, RESET_WARM);
    cfg_write(t, DEVFN, PCI_BAR0, PORT, 4);
    cfg_write(t, DEVFN, PCI_COMMAND, 7, 2);
    CHECK_EQ(csr(t, 0), 4);
    end(t);
}

TEST(styles)
{
    struct qt *t = start();

    for (unsigned i = 0; i < 4; i++) {
        static const uint16_t want[] = { 0x200, 0x101, 0x302, 0x303 };

        set_bcr(t, 20, i);
        CHECK_EQ(bcr(t, 20), want[i]);
        CHECK_EQ(csr(t, 58), want[i]);
    }
    set_csr(t, 58, 2);
    CHECK_EQ(bcr(t, 20), 0x302);
    set_bcr(t, 20, 77);
    CHECK_EQ(bcr(t, 20), 0x302);
    open_card(t, 2, 0);
    set_bcr(t, 20, 0); /* only while it is stopped */
    CHECK_EQ(bcr(t, 20), 0x302);
    set_csr(t, 15, 0x8000);
    CHECK_EQ(csr(t, 15), 0);
    end(t);
}

TEST(the_block_of_both_layouts)
{
    struct qt *t = start();

    for (unsigned style = 0; style < 4; style++) {
        open_card(t, style, 0);
        CHECK_EQ(csr(t, 12), 0x1600);
        CHECK_EQ(csr(t, 14), 0x3322);
        CHECK_EQ(csr(t, 24) | (uint32_t)csr(t, 25) << 16, RX_RING);
        CHECK_EQ(csr(t, 30) | (uint32_t)csr(t, 31) << 16, TX_RING);
        CHECK_EQ(csr(t, 6), 0x2200);
        CHECK_EQ(csr(t, 76), 0xfffc);
        CHECK_EQ(csr(t, 78), 0xfffc);
        CHECK_EQ(csr(t, 72), 0xfffc);
        CHECK_EQ(csr(t, 16), BLOCK);
        /* another block, while both rings are at their second descriptor */
        set_csr(t, 0, 4);
        set_csr(t, 72, 0xfffd);
        set_csr(t, 74, 0xfffd);
        for (unsigned i = 0; i < 14; i++)
            t->ram[BLOCK + (style ? 4 : 2) + i + (style && i > 5 ? 2 : 0)] = 0x10 + i;
        set_csr(t, 0, 1);
        CHECK_EQ(csr(t, 12) | (uint32_t)csr(t, 13) << 16, 0x13121110);
        CHECK_EQ(csr(t, 14), 0x1514);
        CHECK_EQ(csr(t, 8) | (uint32_t)csr(t, 9) << 16, 0x19181716);
        CHECK_EQ(csr(t, 10) | (uint32_t)csr(t, 11) << 16, 0x1d1c1b1a);
        CHECK_EQ(csr(t, 72), 0xfffc);
        CHECK_EQ(csr(t, 74), 0xfffc);
        CHECK_EQ(csr(t, 34) | (uint32_t)csr(t, 35) << 16, TX_RING);
    }
    put32(t, BLOCK, 0xf0f00000); /* rings longer than there are */
    set_csr(t, 0, 4);
    set_csr(t, 0, 1);
    CHECK_EQ(csr(t, 76), 0xfe00);
    end(t);
}

TEST(sends_in_every_layout)
{
    struct qt *t = start();
    uint8_t f[600];
    const uint8_t *got;
    size_t len;

    frame_ether(f, mac_all, 0x1234);
    for (unsigned i = 14; i < sizeof(f); i++)
        f[i] = i * 5;
    for (unsigned style = 0; style < 4; style++) {
        open_card(t, style, 0);
        for (unsigned i = 0; i < 6; i++) {
            uint32_t at = TX_RING + i % 4 * desc_len(style);

            f[20] = i;
            send(t, style, i % 4, f, 100 + i, STP | ENP);
            set_csr(t, 0, 0x48); /* TDMD */
            got = net_mem_get(net, &len);
            CHECK(got && len == 100 + i && !memcmp(got, f, len));
            CHECK_EQ(status(t, style, at), STP | ENP | bcnt(100 + i));
            CHECK_EQ(count(t, style, at), 0);
            CHECK_EQ(csr(t, 0), 0x02f3);
            CHECK(intx(t, 4, 0));
            set_csr(t, 0, CSR0_TINT | 0x40);
            CHECK(!intx(t, 4, 0));
        }
        CHECK_EQ(csr(t, 74), 0xfffe);
    }
    end(t);
}

TEST(chains_make_one_frame)
{
    struct qt *t = start();
    uint8_t f[300];
    const uint8_t *got;
    size_t len;

    frame_ether(f, mac_all, 0x1234);
    for (unsigned i = 14; i < sizeof(f); i++)
        f[i] = i;
    for (unsigned style = 0; style < 4; style += 2) {
        uint32_t at[3];

        open_card(t, style, 0);
        for (unsigned i = 0; i < 3; i++)
            at[i] = TX_RING + i * desc_len(style);
        send(t, style, 1, f + 100, 100, 0);
        send(t, style, 0, f, 100, STP);
        set_csr(t, 0, 0x48);
        CHECK(!net_mem_get(net, &len)); /* its end is not there yet */
        CHECK(status(t, style, at[0]) & OWN);
        send(t, style, 2, f + 200, 100, ENP);
        set_csr(t, 0, 0x48);
        got = net_mem_get(net, &len);
        CHECK(got && len == 300 && !memcmp(got, f, 300));
        CHECK(!net_mem_get(net, &len));
        for (unsigned i = 0; i < 3; i++)
            CHECK(!(status(t, style, at[i]) & OWN));
    }
    end(t);
}

TEST(a_packet_without_a_start_is_passed)
{
    struct qt *t = start();
    uint8_t f[100] = { 0 };
    size_t len;

    open_card(t, 2, 0);
    frame_ether(f, mac_all, 0x1234);
    send(t, 2, 0, f, 100, ENP);
    send(t, 2, 1, f, 100, STP | ENP);
    set_csr(t, 0, 0x48);
    CHECK(net_mem_get(net, &len));
    CHECK(!net_mem_get(net, &len));
    CHECK(!(status(t, 2, TX_RING) & OWN));
    end(t);
}

/* A ring whose descriptors are all the chip's and have no end: an underflow, and it is off. */
TEST(a_ring_without_an_end_ends)
{
    struct qt *t = start();
    uint8_t f[100] = { 0 };
    size_t len;

    for (unsigned dxsuflo = 0; dxsuflo < 2; dxsuflo++) {
        open_card(t, 2, 0);
        set_csr(t, 3, dxsuflo ? 0x40 : 0);
        for (unsigned i = 0; i < 4; i++)
            send(t, 2, i, f, 100, STP);
        set_csr(t, 0, 0x48);
        CHECK(!net_mem_get(net, &len));
        CHECK_EQ(csr(t, 0) & 0x0210, dxsuflo ? 0x0210 : 0x0200);
        CHECK(!(status(t, 2, TX_RING) & OWN));
        CHECK_EQ(status(t, 2, TX_RING + 48) >> 30, 1); /* ERR */
        CHECK_EQ(count(t, 2, TX_RING + 48), 0xc0000000);
        set_csr(t, 3, 0);
    }
    end(t);
}

/* A ring that the driver fills as fast as it is emptied: served in parts. */
TEST(a_ring_over_itself_is_served_in_parts)
{
    struct qt *t = start();
    unsigned n = 0;
    size_t len;

    open_card(t, 2, 0);
    set_csr(t, 0, 4);
    set_csr(t, 15, 0);
    set_csr(t, 30, TX_RING & 0xffff);
    set_csr(t, 78, -512);
    set_csr(t, 74, -512);
    for (unsigned i = 0; i < 512; i++)
        desc(t, 2, TX_RING + 16 * i, 0x100, OWN | STP | ENP | bcnt(64));
    set_csr(t, 0, 0x42);
    while (net_mem_get(net, &len))
        n++;
    CHECK(n >= 100 && n < 400);
    clock_step(t, 1000);
    while (net_mem_get(net, &len))
        n++;
    CHECK_EQ(n, 512);
    end(t);
}

TEST(descriptors_are_polled_for)
{
    struct qt *t = start();
    uint8_t f[100] = { 0 };
    size_t len;

    open_card(t, 2, 0);
    frame_ether(f, mac_all, 0x1234);
    send(t, 2, 0, f, 100, STP | ENP);
    clock_step(t, 3 * NS_PER_MS);
    CHECK(net_mem_get(net, &len) && len == 100);
    clock_step(t, 2 * NS_PER_S); /* it grows lazy, but not deaf */
    send(t, 2, 1, f, 100, STP | ENP);
    clock_step(t, 50 * NS_PER_MS);
    CHECK(net_mem_get(net, &len) && len == 100);
    set_csr(t, 4, 0x1915); /* DPOLL */
    send(t, 2, 2, f, 100, STP | ENP);
    clock_step(t, NS_PER_S);
    CHECK(!net_mem_get(net, &len));
    set_csr(t, 0, 0x48);
    CHECK(net_mem_get(net, &len));
    end(t);
}

TEST(receives_in_every_layout)
{
    struct qt *t = start();
    uint8_t f[200];
    uint32_t crc;

    frame_ether(f, mac_card, 0x1234);
    for (unsigned i = 14; i < sizeof(f); i++)
        f[i] = i;
    for (unsigned style = 0; style < 4; style++) {
        uint32_t flags = STP | ENP | (style ? 0x00400000 : 0); /* PAM */

        open_card(t, style, 0);
        CHECK_EQ(hear(t, net, f, 200), 0);
        CHECK_EQ(status(t, style, RX_RING), flags | bcnt(BUF));
        CHECK_EQ(count(t, style, RX_RING), 204);
        CHECK(!memcmp(t->ram + RX_BUFS, f, 200));
        memcpy(&crc, t->ram + RX_BUFS + 200, 4);
        CHECK_EQ(crc, slow_crc(f, 200));
        CHECK_EQ(csr(t, 0), 0x04f3);
        CHECK(intx(t, 4, 0));
        CHECK_EQ(csr(t, 72), 0xfffd);
        set_csr(t, 0, CSR0_RINT | 0x40);
        memset(t->ram + RX_BUFS + 2048, 0xee, 64);
        CHECK_EQ(hear(t, net, f, 20), 0); /* a short one is padded */
        CHECK_EQ(count(t, style, RX_RING + desc_len(style)), 64);
        CHECK(!memcmp(t->ram + RX_BUFS + 2048, f, 20));
        for (unsigned i = 20; i < 60; i++)
            CHECK_EQ(t->ram[RX_BUFS + 2048 + i], 0);
    }
    end(t);
}

TEST(a_frame_is_split_over_buffers)
{
    struct qt *t = start();
    uint8_t f[500];

    frame_ether(f, mac_all, 0x1234);
    for (unsigned i = 14; i < sizeof(f); i++)
        f[i] = i;
    open_card(t, 2, 0);
    for (unsigned i = 0; i < 4; i++)
        desc(t, 2, RX_RING + 16 * i, RX_BUFS + 2048 * i, OWN | bcnt(200));
    CHECK_EQ(hear(t, net, f, 500), 0);
    CHECK_EQ(status(t, 2, RX_RING), STP | bcnt(200));
    CHECK_EQ(status(t, 2, RX_RING + 16), bcnt(200));
    CHECK_EQ(status(t, 2, RX_RING + 32), ENP | 0x00100000 | bcnt(200)); /* BAM */
    CHECK_EQ(count(t, 2, RX_RING + 32), 504);
    CHECK(!memcmp(t->ram + RX_BUFS + 4096, f + 400, 100));
    CHECK(status(t, 2, RX_RING + 48) & OWN);
    CHECK_EQ(hear(t, net, f, 500), 0); /* too little is left for it */
    CHECK_EQ(csr(t, 0) & 0x9000, 0x9000);
    CHECK_EQ(csr(t, 112), 1);
    end(t);
}

/* CSR112 counts what was missed; going over its end is an event of its own (CSR4 MFCO). */
TEST(missed_frames_are_counted)
{
    struct qt *t = start();
    uint8_t f[1000] = { 0 };

    open_card(t, 2, 0);
    set_csr(t, 0, 4);
    set_csr(t, 112, 0xfffe);
    set_csr(t, 3, 0x1000); /* MISSM */
    set_csr(t, 4, 0x0815); /* MFCO is not masked */
    for (unsigned i = 0; i < 4; i++)
        desc(t, 2, RX_RING + 16 * i, RX_BUFS + 2048 * i, OWN | bcnt(200));
    set_csr(t, 0, 0x42);
    frame_ether(f, mac_card, 0x1234);
    hear(t, net, f, sizeof(f));
    CHECK_EQ(csr(t, 0) & 0x1000, 0x1000);
    CHECK_EQ(csr(t, 112), 0xffff);
    CHECK_EQ(csr(t, 4) & 0x0200, 0);
    CHECK(!intx(t, 4, 0));
    hear(t, net, f, sizeof(f));
    CHECK_EQ(csr(t, 112), 0);
    CHECK_EQ(csr(t, 4) & 0x0200, 0x0200);
    CHECK(intx(t, 4, 0));
    set_csr(t, 4, 0x0a15);
    CHECK_EQ(csr(t, 4) & 0x0200, 0);
    CHECK(!intx(t, 4, 0));
    hear(t, net, f, sizeof(f));
    CHECK_EQ(csr(t, 112), 1);
    CHECK(!intx(t, 4, 0));
    end(t);
}

TEST(frames_wait_for_descriptors)
{
    struct qt *t = start();
    uint8_t f[100] = { 0 };

    open_card(t, 2, 0);
    frame_ether(f, mac_card, 0x1234);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(hear(t, net, f, 100), 0);
    CHECK_EQ(hear(t, net, f, 100), 1);
    CHECK_EQ(csr(t, 0) & 0x1000, 0);
    desc(t, 2, RX_RING, RX_BUFS, OWN | bcnt(BUF)); /* given back without a write */
    clock_step(t, 5 * NS_PER_MS);
    CHECK(net_mem_kicks(net) > 0);
    CHECK_EQ(net_mem_run(net), 0);
    CHECK_EQ(count(t, 2, RX_RING), 104);
    end(t);
}

TEST(filters_by_address)
{
    static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0x01, 0x02, 0x03 };
    static const uint8_t stranger[6] = { 0x00, 0x16, 0x3e, 0x99, 0x99, 0x99 };
    static const struct {
        const uint8_t *dst;
        uint16_t mode;
        bool hashed;
        uint32_t match; /* 1: taken, for no reason of these */
    } cases[] = {
        { mac_card, 0, false, 0x00400000 },
        { mac_card, 0x2000, false, 0 },
        { mac_all, 0, false, 0x00100000 },
        { mac_all, 0x4000, false, 0 },
        { group, 0, false, 0 },
        { group, 0, true, 0x00200000 },
        { stranger, 0, true, 0 },
        { stranger, 0x8000, false, 1 },
        { group, 0x8000, false, 1 },
        { mac_card, 0x8001, false, 0 },
    };
    struct qt *t = start();
    unsigned hash = ~slow_crc(group, 6) >> 26;
    uint8_t f[64] = { 0 };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t got;

        open_card(t, 2, cases[i].mode);
        if (cases[i].hashed) {
            set_csr(t, 5, 1); /* suspended, it can be written */
            set_csr(t, 8 + hash / 16, 1 << hash % 16);
            set_csr(t, 5, 0);
        }
        frame_ether(f, cases[i].dst, 0x1234);
        CHECK_EQ(hear(t, net, f, sizeof(f)), 0);
        got = status(t, 2, RX_RING);
        CHECK_EQ(!(got & OWN), cases[i].match != 0);
        if (cases[i].match)
            CHECK_EQ(got & 0x00700000, cases[i].match & ~1u);
    }
    end(t);
}

/* pcnet32_loopback_test(): LOOP and INTL; what is sent comes back, and nowhere else. */
TEST(loopback_stays_inside)
{
    struct qt *t = start();
    uint8_t f[80];
    size_t len;

    open_card(t, 2, 0x0044);
    frame_ether(f, mac_card, 0x1234);
    for (unsigned i = 14; i < 80; i++)
        f[i] = i;
    send(t, 2, 0, f, 80, STP | ENP);
    set_csr(t, 0, 0x48);
    CHECK(!net_mem_get(net, &len));
    CHECK_EQ(count(t, 2, RX_RING), 84);
    CHECK(!memcmp(t->ram + RX_BUFS, f, 80));
    CHECK_EQ(csr(t, 0) & 0x0600, 0x0600);
    end(t);
}

TEST(a_driver_that_makes_its_own_fcs)
{
    struct qt *t = start();
    uint8_t f[104];
    uint32_t crc;
    size_t len;

    open_card(t, 2, 0x0008);
    frame_ether(f, mac_all, 0x1234);
    memset(f + 14, 0x33, 86);
    crc = slow_crc(f, 100);
    memcpy(f + 100, &crc, 4);
    send(t, 2, 0, f, 104, STP | ENP);
    f[50] ^= 1;
    send(t, 2, 1, f, 104, STP | ENP);              /* nobody takes a wrong one */
    send(t, 2, 2, f, 100, STP | ENP | 0x20000000); /* ADD_FCS */
    set_csr(t, 0, 0x48);
    CHECK(net_mem_get(net, &len) && len == 100);
    CHECK(net_mem_get(net, &len) && len == 100);
    CHECK(!net_mem_get(net, &len));
    end(t);
}

TEST(pads_are_stripped_when_asked_for)
{
    struct qt *t = start();
    uint8_t f[64] = { 0 };

    open_card(t, 2, 0);
    set_csr(t, 4, 0x0d15); /* ASTRP_RCV */
    frame_ether(f, mac_card, 30);
    hear(t, net, f, 60);
    CHECK_EQ(count(t, 2, RX_RING), 44);
    frame_ether(f, mac_card, 0x0800);
    hear(t, net, f, 60);
    CHECK_EQ(count(t, 2, RX_RING + 16), 64);
    end(t);
}

TEST(interrupts_have_masks)
{
    struct qt *t = start();
    uint8_t f[64] = { 0 };

    open_card(t, 2, 0);
    frame_ether(f, mac_card, 0x1234);
    set_csr(t, 3, 0x0400); /* RINTM */
    hear(t, net, f, 64);
    CHECK_EQ(csr(t, 0) & 0x0480, 0x0400);
    CHECK(!intx(t, 4, 0));
    set_csr(t, 3, 0);
    CHECK(intx(t, 4, 0));
    set_csr(t, 0, 0x0400); /* acknowledged, and off with it */
    CHECK_EQ(csr(t, 0) & 0x0440, 0);
    set_csr(t, 0, 0x0040);
    set_csr(t, 4, 0x0995); /* UINTCMD */
    CHECK_EQ(csr(t, 4) & 0x0040, 0x0040);
    CHECK(intx(t, 4, 0));
    set_csr(t, 4, 0x0955);
    CHECK(!intx(t, 4, 0));
    send(t, 2, 0, f, 64, STP | ENP);
    set_csr(t, 4, 0x0911); /* TXSTRT is not masked */
    set_csr(t, 3, 0x0200);
    set_csr(t, 0, 0x48);
    CHECK(intx(t, 4, 0));
    set_csr(t, 4, 0x0919);
    CHECK(!intx(t, 4, 0));
    end(t);
}

/* CSR5: TINT only for the packets that ask for it. */
TEST(late_transmit_interrupts)
{
    struct qt *t = start();
    uint8_t f[64] = { 0 };

    open_card(t, 2, 0);
    frame_ether(f, mac_all, 0x1234);
    set_csr(t, 5, 0x8000); /* TOKINTD: nobody looks at LTINT */
    send(t, 2, 3, f, 64, STP | ENP | 0x10000000);
    for (unsigned i = 0; i < 3; i++) /* they end at the fourth */
        send(t, 2, i, f, 64, STP | ENP);
    set_csr(t, 0, 0x48);
    CHECK_EQ(csr(t, 74), 0xfffc); /* around */
    CHECK_EQ(csr(t, 0) & CSR0_TINT, 0);
    set_csr(t, 5, 0xc000); /* TOKINTD, LTINTEN */
    send(t, 2, 0, f, 64, STP | ENP);
    set_csr(t, 0, 0x48);
    CHECK_EQ(csr(t, 0) & CSR0_TINT, 0);
    send(t, 2, 1, f, 64, STP | ENP | 0x10000000);
    set_csr(t, 0, 0x48);
    CHECK_EQ(csr(t, 0) & CSR0_TINT, CSR0_TINT);
    end(t);
}

/* pcnet32_suspend(): nothing moves until it ends. */
TEST(suspended_nothing_moves)
{
    struct qt *t = start();
    uint8_t f[64] = { 0 };
    size_t len;

    open_card(t, 2, 0);
    frame_ether(f, mac_card, 0x1234);
    set_csr(t, 5, 1);
    CHECK_EQ(csr(t, 5) & 1, 1);
    CHECK_EQ(hear(t, net, f, 64), 1);
    send(t, 2, 0, f, 64, STP | ENP);
    set_csr(t, 0, 0x48);
    clock_step(t, 100 * NS_PER_MS);
    CHECK(!net_mem_get(net, &len));
    set_csr(t, 5, 0);
    CHECK(net_mem_get(net, &len));
    CHECK_EQ(net_mem_run(net), 0);
    CHECK(csr(t, 0) & CSR0_RINT);
    end(t);
}

TEST(no_carrier_without_a_cable)
{
    struct qt *t = start();
    uint8_t f[64] = { 0 };
    size_t len;

    open_card(t, 2, 0);
    net_set_link(net, false);
    frame_ether(f, mac_all, 0x1234);
    send(t, 2, 0, f, 64, STP | ENP);
    set_csr(t, 0, 0x48);
    CHECK(!net_mem_get(net, &len));
    CHECK_EQ(status(t, 2, TX_RING) >> 30, 1);
    CHECK_EQ(count(t, 2, TX_RING), 0x08000000);
    end(t);
}

TEST(dma_that_finds_nobody_stops_it)
{
    struct qt *t = start();
    uint8_t f[64] = { 0 };

    open_card(t, 2, 0);
    desc(t, 2, TX_RING, 0xe0000000, OWN | STP | ENP | bcnt(64));
    set_csr(t, 0, 0x48);
    CHECK_EQ(csr(t, 0), 0x88c3); /* ERR MERR INTR IENA STRT INIT */
    CHECK(intx(t, 4, 0));
    set_csr(t, 0, 4);
    CHECK_EQ(csr(t, 0), 4);
    CHECK(!intx(t, 4, 0));
    cfg_write(t, DEVFN, PCI_COMMAND, 3, 2); /* no bus mastering: the block cannot be read */
    set_csr(t, 0, 1);
    CHECK_EQ(csr(t, 0) & 0x8900, 0x8800);
    hear(t, net, f, 64);
    end(t);
}

TEST(long_frames_babble)
{
    static uint8_t f[4096];
    struct qt *t = start();
    size_t len;

    open_card(t, 2, 0);
    frame_ether(f, mac_all, 0x1234);
    send(t, 2, 0, f, 4095, STP | ENP);
    set_csr(t, 0, 0x48);
    CHECK(net_mem_get(net, &len) && len == 4095);
    CHECK_EQ(csr(t, 0) & 0xc000, 0xc000);
    hear(t, net, f, 4096); /* one that MCNT cannot say */
    CHECK(status(t, 2, RX_RING) & OWN);
    end(t);
}

TEST(nonsense_does_no_harm)
{
    struct qt *t = start();
    uint64_t s = 79970;
    uint8_t f[1600] = { 0 };
    size_t len;

    for (unsigned i = 0; i < accesses(t); i++) {
        switch (rnd_below(&s, 8)) {
        case 0:
            if (rnd_below(&s, 40) == 0)
                open_card(t, rnd_below(&s, 4), 0);
            break;
        case 1:
            set_csr(t, rnd_below(&s, 128), rnd(&s));
            break;
        case 2:
            if (rnd_below(&s, 10) == 0)
                set_bcr(t, rnd_below(&s, 24), rnd(&s) & ~0x80);
            break;
        case 3:
            frame_ether(f, mac_all, rnd(&s));
            hear_if_room(t, net, f, 1 + rnd_below(&s, sizeof(f)));
            break;
        case 4:
            desc(t, 2, TX_RING + 16 * rnd_below(&s, 4), rnd(&s) & 0xfffff, OWN | rnd(&s));
            break;
        case 5:
            desc(t, 2, RX_RING + 16 * rnd_below(&s, 4), rnd(&s) & 0xfffff, OWN | rnd(&s));
            break;
        case 6:
            set_csr(t, 0, 0x42 | (rnd(&s) & 0x4b));
            break;
        default:
            clock_step(t, rnd_below(&s, 3000000));
        }
        while (net_mem_get(net, &len))
            ;
    }
    end(t);
}
