/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The RTL8029AS, driven as Linux's ne2k-pci and 8390 drive it. */
#include "hw/devices.h"
#include "tests/unit/nic-frames.h"

#define PORT   0xc000
#define DEVFN  0x20
#define DATA   (PORT + 0x10)
#define TX     0x40 /* pages, as the driver divides them */
#define RX     0x4c
#define RX_END 0x80

static struct net *net;

static struct qt *start(void)
{
    struct qt *t = qt_new();

    net = cable(t);
    qt_add(t, &ne2000_type.dev, DEVFN);
    cfg_write(t, DEVFN, PCI_BAR0, PORT, 4);
    cfg_write(t, DEVFN, PCI_COMMAND, 1, 2);
    return t;
}

static void end(struct qt *t)
{
    cable_end(t, net);
}

static void set_remote(struct qt *t, unsigned addr, unsigned len)
{
    outb(t, PORT, 0x22);
    outb(t, PORT + 0x0a, len);
    outb(t, PORT + 0x0b, len >> 8);
    outb(t, PORT + 0x08, addr);
    outb(t, PORT + 0x09, addr >> 8);
}

/* As 8390's NS8390_init(): words, ring, address, all interrupts. */
static void init(struct qt *t)
{
    outb(t, PORT, 0x21);
    outb(t, PORT + 0x0e, 0x49);
    outb(t, PORT + 0x0a, 0);
    outb(t, PORT + 0x0b, 0);
    outb(t, PORT + 0x0c, 0x20);
    outb(t, PORT + 0x0d, 0x02);
    outb(t, PORT + 0x04, TX);
    outb(t, PORT + 0x01, RX);
    outb(t, PORT + 0x03, RX);
    outb(t, PORT + 0x02, RX_END);
    outb(t, PORT + 0x07, 0xff);
    outb(t, PORT + 0x0f, 0);
    outb(t, PORT, 0x61);
    for (unsigned i = 0; i < 6; i++)
        outb(t, PORT + 1 + i, mac_card[i]);
    for (unsigned i = 0; i < 8; i++)
        outb(t, PORT + 8 + i, 0);
    outb(t, PORT + 0x07, RX);
    outb(t, PORT, 0x21);
    outb(t, PORT + 0x07, 0xff);
    outb(t, PORT + 0x0f, 0x7f);
    outb(t, PORT, 0x22);
    outb(t, PORT + 0x0d, 0);
    outb(t, PORT + 0x0c, 0x04);
}

static void upload(struct qt *t, const uint8_t *frame, unsigned len)
{
    set_remote(t, TX * 256, (len + 1) & ~1);
    outb(t, PORT, 0x12);
    for (unsigned i = 0; i < len; i += 2)
        outw(t, DATA, frame[i] | (i + 1 < len ? frame[i + 1] : 0) << 8);
}

static void transmit(struct qt *t, unsigned len)
{
    outb(t, PORT + 0x04, TX);
    outb(t, PORT + 0x05, len);
    outb(t, PORT + 0x06, len >> 8);
    outb(t, PORT, 0x26);
}

/* Card memory by words. */
static void fetch(struct qt *t, unsigned addr, uint8_t *to, unsigned len)
{
    set_remote(t, addr, len);
    outb(t, PORT, 0x0a);
    for (unsigned i = 0; i < len; i += 2) {
        uint16_t w = inw(t, DATA);

        to[i] = w;
        if (i + 1 < len)
            to[i + 1] = w >> 8;
    }
}

static uint8_t curr(struct qt *t)
{
    uint8_t val;

    outb(t, PORT, 0x62);
    val = inb(t, PORT + 0x07);
    outb(t, PORT, 0x22);
    return val;
}

TEST(it_is_an_rtl8029as)
{
    struct qt *t = start();

    CHECK_EQ(cfg_read(t, DEVFN, PCI_VENDOR_ID, 4), 0x802910ec);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_REVISION, 4), 0x02000000);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_INT_PIN, 1), 1);
    cfg_write(t, DEVFN, PCI_BAR0, 0xffffffff, 4);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_BAR0, 4), 0xffffffe1);
    cfg_write(t, DEVFN, PCI_BAR0, PORT, 4);
    outb(t, PORT, 0x21);
    CHECK_EQ(inb(t, PORT + 0x0a), 0x50);
    CHECK_EQ(inb(t, PORT + 0x0b), 0x43);
    outb(t, PORT, 0xe1);
    CHECK_EQ(inb(t, PORT + 0x0e), 0x29);
    CHECK_EQ(inb(t, PORT + 0x0f), 0x80);
    end(t);
}

/* ne2k_pci_init_one(): the reset port, then the counter of page 0, then the address PROM. */
TEST(the_driver_finds_it)
{
    static const uint8_t prog[][2] = { { 0x61 - 0x40, 0 }, { 0x49, 0x0e }, { 0, 0x0a },
                                       { 0, 0x0b },        { 0, 0x0f },    { 0xff, 0x07 },
                                       { 0x20, 0x0c },     { 2, 0x0d },    { 32, 0x0a },
                                       { 0, 0x0b },        { 0, 0x08 },    { 0, 0x09 },
                                       { 0x0a, 0 } };
    struct qt *t = start();

    outb(t, PORT, 0x61);
    outb(t, PORT + 0x0d, 0xff);
    outb(t, PORT, 0x20);
    inb(t, PORT + 0x0d); /* cleared by reading */
    CHECK_EQ(inb(t, PORT + 0x0d), 0);
    outb(t, PORT + 0x1f, inb(t, PORT + 0x1f));
    CHECK(inb(t, PORT + 0x07) & 0x80);
    outb(t, PORT + 0x07, 0xff);
    CHECK_EQ(inb(t, PORT + 0x07), 0x80); /* it says that it is stopped, whatever is written */
    for (unsigned i = 0; i < sizeof(prog) / sizeof(prog[0]); i++)
        outb(t, PORT + prog[i][1], prog[i][0]);
    for (unsigned i = 0; i < 16; i++)
        CHECK_EQ(inb(t, DATA), i < 6 ? mac_card[i] : i >= 14 ? 0x57 : 0);
    CHECK_EQ(inb(t, PORT + 0x07), 0x40);
    end(t);
}

TEST(bytes_come_twice_when_bytes_are_asked_for)
{
    struct qt *t = start();

    outb(t, PORT, 0x21);
    outb(t, PORT + 0x0e, 0x48);
    set_remote(t, 0, 32);
    outb(t, PORT, 0x0a);
    for (unsigned i = 0; i < 32; i++)
        CHECK_EQ(inb(t, DATA), i < 12 ? mac_card[i / 2] : i >= 28 ? 0x57 : 0);
    CHECK_EQ(inb(t, DATA), 0); /* done */
    end(t);
}

TEST(sends_what_was_uploaded)
{
    struct qt *t = start();
    uint8_t f[300];
    const uint8_t *got;
    size_t len;

    init(t);
    frame_ether(f, mac_all, 0x0806);
    for (unsigned i = 14; i < sizeof(f); i++)
        f[i] = i * 3;
    upload(t, f, 299);
    CHECK_EQ(inb(t, PORT + 0x07), 0x40);
    CHECK(intx(t, 4, 0));
    outb(t, PORT + 0x07, 0x40);
    CHECK(!intx(t, 4, 0));
    transmit(t, 299);
    CHECK_EQ(inb(t, PORT), 0x22); /* TXP is off again */
    CHECK_EQ(inb(t, PORT + 0x04), 0x01);
    CHECK_EQ(inb(t, PORT + 0x07), 0x02);
    got = net_mem_get(net, &len);
    CHECK(got && len == 299 && !memcmp(got, f, 299));
    upload(t, f, 20); /* a short one is padded */
    transmit(t, 20);
    got = net_mem_get(net, &len);
    CHECK(got && len == 60 && !memcmp(got, f, 20) && !got[20] && !got[59]);
    end(t);
}

TEST(dwords_and_bytes_move_too)
{
    struct qt *t = start();
    uint8_t got[8];

    init(t);
    set_remote(t, 0x4100, 8);
    outb(t, PORT, 0x12);
    outl(t, DATA, 0x44332211);
    outl(t, DATA, 0x88776655);
    CHECK(inb(t, PORT + 0x07) & 0x40);
    fetch(t, 0x4100, got, 8);
    CHECK(hex_is("11 22 33 44 55 66 77 88", got, 8));
    set_remote(t, 0x4100, 4);
    outb(t, PORT, 0x0a);
    CHECK_EQ(inl(t, DATA), 0x44332211);
    outb(t, PORT + 0x0e, 0x48);
    set_remote(t, 0x4103, 3);
    outb(t, PORT, 0x12);
    for (unsigned i = 0; i < 5; i++) /* two more than were announced */
        outb(t, DATA, 0xa0 + i);
    outb(t, PORT + 0x0e, 0x49);
    fetch(t, 0x4100, got, 8);
    CHECK(hex_is("11 22 33 a0 a1 a2 77 88", got, 8));
    end(t);
}

TEST(receives_into_the_ring)
{
    struct qt *t = start();
    uint8_t f[200], got[208];
    uint32_t crc;

    init(t);
    frame_ether(f, mac_card, 0x1234);
    for (unsigned i = 14; i < sizeof(f); i++)
        f[i] = i;
    CHECK_EQ(hear(t, net, f, sizeof(f)), 0);
    CHECK_EQ(inb(t, PORT + 0x07), 0x01);
    CHECK_EQ(inb(t, PORT + 0x0c), 0x01);
    CHECK(intx(t, 4, 0));
    CHECK_EQ(curr(t), RX + 1);
    fetch(t, RX * 256, got, 208);
    CHECK_EQ(got[0], 1);
    CHECK_EQ(got[1], RX + 1);
    CHECK_EQ(got[2] | got[3] << 8, 204);
    CHECK(!memcmp(got + 4, f, 200));
    memcpy(&crc, got + 204, 4);
    CHECK_EQ(crc, slow_crc(f, 200));
    outb(t, PORT + 0x07, 0xff);
    CHECK(!intx(t, 4, 0));
    CHECK_EQ(hear(t, net, f, 20), 0); /* a short one is padded */
    CHECK_EQ(curr(t), RX + 2);
    fetch(t, (RX + 1) * 256, got, 4);
    CHECK_EQ(got[2] | got[3] << 8, 64);
    end(t);
}

TEST(the_ring_turns_and_makes_frames_wait)
{
    struct qt *t = start();
    uint8_t f[1514] = { 0 }, got[4];
    unsigned n = 0, at = RX + 6;

    init(t);
    frame_ether(f, mac_card, 0x1234);
    f[1513] = 0x77;
    while (!hear(t, net, f, sizeof(f)))
        n++;
    CHECK_EQ(n, 8); /* of 52 pages, six each, with a usual frame's room to spare */
    CHECK_EQ(curr(t), RX + 48);
    CHECK_EQ(inb(t, PORT + 0x07) & 0x10, 0);
    outb(t, PORT + 0x03, RX + 12); /* the first two are read: the waiting one comes */
    CHECK_EQ(net_mem_run(net), 0);
    CHECK_EQ(curr(t), RX + 2);
    for (unsigned i = 0; i < 8; i++) {
        fetch(t, at * 256, got, 4);
        at = at + 6 >= RX_END ? at + 6 - (RX_END - RX) : at + 6;
        CHECK_EQ(got[1], at);
    }
    fetch(t, (RX + 1) * 256 + 0xec, got, 2); /* the end of the frame that turned */
    CHECK_EQ(got[1], 0x77);
    end(t);
}

TEST(a_giant_overflows)
{
    struct qt *t = start();
    static uint8_t f[20000];

    init(t);
    frame_ether(f, mac_card, 0x1234);
    hear(t, net, f, sizeof(f));
    CHECK_EQ(inb(t, PORT + 0x07), 0x10);
    CHECK_EQ(inb(t, PORT + 0x0f), 1);
    CHECK_EQ(inb(t, PORT + 0x0f), 0);
    CHECK_EQ(curr(t), RX);
    end(t);
}

/* DP 7.0: the page at BNRY is never filled, as CURR there would say that the ring is empty. */
TEST(the_last_page_stays_free)
{
    struct qt *t = start();
    uint8_t f[60] = { 0 };

    init(t);
    outb(t, PORT + 0x02, RX + 4);
    frame_ether(f, mac_card, 0x1234);
    for (unsigned i = 1; i < 4; i++) {
        hear(t, net, f, sizeof(f));
        CHECK_EQ(curr(t), RX + i);
        CHECK_EQ(inb(t, PORT + 0x07), 0x01);
    }
    hear(t, net, f, sizeof(f));
    CHECK_EQ(curr(t), RX + 3);
    CHECK_EQ(inb(t, PORT + 0x07), 0x11);
    CHECK_EQ(inb(t, PORT + 0x0f), 1);
    outb(t, PORT + 0x07, 0xff);
    outb(t, PORT + 0x03, RX + 1); /* one is read: one fits */
    hear(t, net, f, sizeof(f));
    CHECK_EQ(curr(t), RX);
    CHECK_EQ(inb(t, PORT + 0x07), 0x01);
    end(t);
}

TEST(filters_by_address)
{
    static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0x01, 0x02, 0x03 };
    static const uint8_t stranger[6] = { 0x00, 0x16, 0x3e, 0x99, 0x99, 0x99 };
    static const struct {
        const uint8_t *dst;
        uint8_t rcr, rsr;
    } cases[] = {
        { mac_card, 0x00, 0x01 }, { mac_all, 0x00, 0 },     { mac_all, 0x04, 0x21 },
        { group, 0x04, 0 },       { group, 0x08, 0x21 },    { stranger, 0x0c, 0 },
        { stranger, 0x10, 0x01 }, { mac_card, 0x20, 0x41 },
    };
    struct qt *t = start();
    uint8_t f[64] = { 0 };
    uint32_t crc = ~slow_crc(group, 6);
    unsigned hash = 0;

    for (unsigned i = 0; i < 6; i++)
        hash = hash << 1 | (crc >> i & 1);
    init(t);
    outb(t, PORT, 0x62);
    outb(t, PORT + 8 + hash / 8, 1 << hash % 8);
    outb(t, PORT, 0x22);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t before = curr(t);

        outb(t, PORT + 0x0c, cases[i].rcr);
        outb(t, PORT + 0x07, 0xff);
        frame_ether(f, cases[i].dst, 0x1234);
        hear(t, net, f, sizeof(f));
        CHECK_EQ(inb(t, PORT + 0x07), cases[i].rsr && !(cases[i].rcr & 0x20) ? 1 : 0);
        CHECK_EQ(curr(t) != before, cases[i].rsr && !(cases[i].rcr & 0x20));
        if (cases[i].rsr)
            CHECK_EQ(inb(t, PORT + 0x0c), cases[i].rsr);
    }
    CHECK_EQ(inb(t, PORT + 0x0f), 1); /* the one only looked at is a missed one */
    end(t);
}

TEST(counters_stick_and_tell)
{
    struct qt *t = start();
    uint8_t f[64] = { 0 };

    init(t);
    outb(t, PORT + 0x0c, 0x24);
    frame_ether(f, mac_all, 0x1234);
    for (unsigned i = 0; i < 127; i++)
        hear(t, net, f, sizeof(f));
    CHECK_EQ(inb(t, PORT + 0x07), 0);
    for (unsigned i = 0; i < 200; i++)
        hear(t, net, f, sizeof(f));
    CHECK_EQ(inb(t, PORT + 0x07), 0x20);
    CHECK_EQ(inb(t, PORT + 0x0f), 0xc0);
    end(t);
}

/* DP 8.0: "send packet" takes the packet at BNRY out of the ring by itself. */
TEST(send_packet_command)
{
    struct qt *t = start();
    uint8_t f[100] = { 0 };
    unsigned n = 0;

    init(t);
    frame_ether(f, mac_card, 0x1234);
    f[99] = 0x5a;
    hear(t, net, f, sizeof(f));
    outb(t, PORT + 0x07, 0xff);
    outb(t, PORT, 0x1a);
    CHECK_EQ(inb(t, PORT + 0x08) | inb(t, PORT + 0x09) << 8, RX * 256);
    CHECK_EQ(inw(t, DATA), 0x01 | (RX + 1) << 8);
    for (n = 2; !(inb(t, PORT + 0x07) & 0x40); n += 2)
        inw(t, DATA);
    CHECK_EQ(n, 104);
    CHECK_EQ(inb(t, PORT + 0x03), RX + 1);
    end(t);
}

TEST(loopback_stays_inside)
{
    struct qt *t = start();
    uint8_t f[64];
    uint32_t crc, seen = 0;
    size_t len;

    init(t);
    frame_ether(f, mac_card, 0x1234);
    for (unsigned i = 14; i < 64; i++)
        f[i] = i;
    upload(t, f, 64);
    outb(t, PORT + 0x0d, 0x02);
    transmit(t, 64);
    CHECK(!net_mem_get(net, &len));
    CHECK_EQ(inb(t, PORT + 0x04), 0x01);
    CHECK_EQ(inb(t, PORT + 0x0c), 0x01);
    CHECK_EQ(curr(t), RX);
    crc = slow_crc(f, 64);
    CHECK_EQ(inb(t, PORT + 0x06), 63);
    for (unsigned i = 0; i < 4; i++)
        seen |= (uint32_t)inb(t, PORT + 0x06) << 8 * i;
    CHECK_EQ(seen, crc);
    CHECK_EQ(inb(t, PORT + 0x06), 68);
    hear(t, net, f, sizeof(f)); /* the wire is not heard meanwhile */
    CHECK_EQ(curr(t), RX);
    end(t);
}

TEST(page_2_shows_what_page_0_was_given)
{
    struct qt *t = start();

    init(t);
    outb(t, PORT, 0xa2);
    CHECK_EQ(inb(t, PORT + 0x01), RX);
    CHECK_EQ(inb(t, PORT + 0x02), RX_END);
    CHECK_EQ(inb(t, PORT + 0x04), TX);
    CHECK_EQ(inb(t, PORT + 0x0c), 0xc4);
    CHECK_EQ(inb(t, PORT + 0x0d), 0xe0);
    CHECK_EQ(inb(t, PORT + 0x0e), 0xc9);
    CHECK_EQ(inb(t, PORT + 0x0f), 0xff);
    outb(t, PORT + 0x02, 0x12);
    CHECK_EQ(inb(t, PORT + 0x02), RX_END);
    inb(t, PORT + 0x1f); /* a reset: the mask is gone, the ring stays (DP 10.1) */
    outb(t, PORT, 0xa2);
    CHECK_EQ(inb(t, PORT + 0x0f), 0x80);
    CHECK_EQ(inb(t, PORT + 0x01), RX);
    CHECK_EQ(inb(t, PORT + 0x02), RX_END);
    end(t);
}

/* set_realtek_fdx(): CONFIG3's duplex bit, behind the lock in 9346CR. */
TEST(config_is_locked_and_the_eeprom_read)
{
    struct qt *t = start();
    uint16_t val = 0;

    outb(t, PORT, 0xe1);
    outb(t, PORT + 0x06, 0);
    CHECK_EQ(inb(t, PORT + 0x06), 0x40);
    outb(t, PORT + 0x01, 0xc0);
    outb(t, PORT + 0x06, 0);
    CHECK_EQ(inb(t, PORT + 0x06), 0);
    outb(t, PORT + 0x01, 0x40); /* loads it again, and is normal again */
    CHECK_EQ(inb(t, PORT + 0x06), 0x40);
    CHECK_EQ(inb(t, PORT + 0x01) & 0xc0, 0);
    outb(t, PORT + 0x01, 0x88);
    for (int i = 8; i >= 0; i--) { /* READ 1: the first word of the address */
        unsigned di = (0x181 >> i & 1) << 1;

        outb(t, PORT + 0x01, 0x88 | di);
        outb(t, PORT + 0x01, 0x8c | di);
    }
    for (int i = 0; i < 16; i++) {
        outb(t, PORT + 0x01, 0x88);
        outb(t, PORT + 0x01, 0x8c);
        val = val << 1 | (inb(t, PORT + 0x01) & 1);
    }
    CHECK_EQ(val, 0x1600);
    end(t);
}

TEST(a_stopped_card_hears_nothing)
{
    struct qt *t = start();
    uint8_t f[64] = { 0 };

    init(t);
    frame_ether(f, mac_card, 0x1234);
    outb(t, PORT, 0x21);
    CHECK_EQ(inb(t, PORT + 0x07), 0x80);
    CHECK(!intx(t, 4, 0));
    CHECK_EQ(hear(t, net, f, sizeof(f)), 0);
    CHECK_EQ(inb(t, PORT + 0x07), 0x80);
    outb(t, PORT, 0x22);
    CHECK_EQ(inb(t, PORT + 0x07), 0);
    CHECK_EQ(hear(t, net, f, sizeof(f)), 0);
    CHECK_EQ(inb(t, PORT + 0x07), 1);
    device_reset(t->dev, RESET_COLD);
    cfg_write(t, DEVFN, PCI_BAR0, PORT, 4);
    cfg_write(t, DEVFN, PCI_COMMAND, 1, 2);
    CHECK_EQ(inb(t, PORT), 0x21);
    CHECK(!intx(t, 4, 0));
    end(t);
}

/* Rings that make no sense: upside down, empty, outside of the memory. */
TEST(impossible_rings_do_no_harm)
{
    static const uint8_t rings[][4] = { { 0x80, 0x4c, 0x50, 0x50 }, { 0x4c, 0x4c, 0x4c, 0x4c },
                                        { 0, 0xff, 0, 0 },          { 0xf0, 0xff, 0xf0, 0xf8 },
                                        { 0x4c, 0x80, 0x90, 0x10 }, { 0x4c, 0x4e, 0x4c, 0x4c } };
    struct qt *t = start();
    uint8_t f[1514] = { 0 };

    frame_ether(f, mac_card, 0x1234);
    for (unsigned i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
        init(t);
        outb(t, PORT + 0x01, rings[i][0]);
        outb(t, PORT + 0x02, rings[i][1]);
        outb(t, PORT + 0x03, rings[i][2]);
        outb(t, PORT, 0x62);
        outb(t, PORT + 0x07, rings[i][3]);
        outb(t, PORT, 0x22);
        for (unsigned k = 0; k < 60; k++)
            hear_if_room(t, net, f, k & 1 ? 60 : sizeof(f));
    }
    end(t);
}

TEST(nonsense_does_no_harm)
{
    struct qt *t = start();
    uint64_t rng = 8029;
    uint8_t f[1600] = { 0 };
    size_t len;

    for (unsigned i = 0; i < accesses(t); i++) {
        unsigned off = rnd_below(&rng, 32), val = rnd(&rng);

        if (rnd_below(&rng, 8) == 0)
            off = 0;
        switch (rnd_below(&rng, 5)) {
        case 0:
            inb(t, PORT + off);
            break;
        case 1:
            outl(t, PORT + (off & ~3u), val);
            break;
        case 2:
            frame_ether(f, mac_all, val);
            hear_if_room(t, net, f, 1 + rnd_below(&rng, sizeof(f)));
            break;
        default:
            outb(t, PORT + off, val);
        }
        while (net_mem_get(net, &len))
            ;
    }
    end(t);
}
