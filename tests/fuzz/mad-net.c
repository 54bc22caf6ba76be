/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mad guest that is after its network cards, and a mad peer at the other end
 * of their cables: frames of 1 to 65536 bytes, finished or not, right or
 * broken; rings made as a driver makes them and then spoilt (chains without an
 * end, lengths of nought and of 64 KiB, rings at the end of memory); all
 * registers. And a check that only counting can make: with good rings no byte
 * beside the buffers may change, whatever comes by the cable.
 */
#include <string.h>
#include "tests/fuzz/mad-impl.h"

enum { RTL8139, E1000, PCNET, NE2000 }; /* as in add_cards() */
static const char *const ids[MAD_NETS] = { "rtl8139", "e1000", "pcnet", "ne2k_pci" };

/* ---- numbers that hurt ---- */

/* Where a ring of that many bytes may be: mostly whole, now and then over the end of memory. */
static uint32_t ring_place(struct mad *f, unsigned bytes)
{
    switch (below(f, 8)) {
    case 0:
        return QT_RAM - bytes;
    case 1:
        return QT_RAM - 16 * (1 + below(f, bytes / 16));
    case 2:
        return below(f, 2) ? 0xfffffff0u : ram_addr(f) & ~15u;
    default:
        return 0x100000 + below(f, 64) * 0x1000;
    }
}

static uint32_t length(struct mad *f)
{
    static const uint32_t odd[] = {
        0, 1, 4, 13, 14, 15, 59, 60, 4095, 4096, 0x3fff, 0xffff, 0xfffff
    };

    return below(f, 3) ? 42 + below(f, 1500) : below(f, 2) ? odd[below(f, 13)] : below(f, 0x10000);
}

static uint32_t buffer(struct mad *f)
{
    return below(f, 16) ? 0x200000 + below(f, 256) * 0x800 : value(f);
}

/* ---- frames ---- */

static void put16(uint8_t *p, unsigned val)
{
    p[0] = val >> 8;
    p[1] = val;
}

/* An IP header that may be right, and TCP or UDP behind it. */
static void ip_frame(struct mad *f, uint8_t *p, size_t len, size_t l3)
{
    bool v6 = below(f, 4) == 0;
    size_t l4 = l3 + (v6 ? 40 : 20), rest = len - l3;

    put16(p + l3 - 2, v6 ? 0x86dd : 0x0800);
    p[l3] = v6 ? 0x60 : below(f, 8) ? 0x45 : 0x40 | below(f, 16);
    if (!v6)
        put16(p + l3 + 2, below(f, 4) ? rest : any(f));
    else
        put16(p + l3 + 4, below(f, 4) ? rest - 40 : any(f));
    p[l3 + (v6 ? 6 : 9)] = below(f, 8) ? (below(f, 2) ? 6 : 17) : any(f);
    p[l4 + 12] = below(f, 4) ? 0x50 : any(f);
    if (!v6 && below(f, 4))
        memset(p + l3 + 6, 0, 2);
}

static size_t make_frame(struct mad *f, unsigned card, uint8_t *p, size_t *l3)
{
    static const uint16_t sizes[] = { 1,    5,    6,    13,   14,   59,   60,   64,
                                      1500, 1514, 1518, 1522, 4091, 8184, 9018, 16380 };
    size_t len = below(f, 3)   ? 42 + below(f, 1473)
                 : below(f, 2) ? sizes[below(f, 16)]
                               : 1 + below(f, 65536);

    memset(p, any(f), NET_FRAME_MAX);
    for (unsigned i = 0; i < 80; i++)
        p[i] = any(f);
    if (below(f, 4))
        memset(p, 0xff, 6);
    else if (below(f, 4))
        memcpy(p, f->net[card]->mac, 6);
    *l3 = 14;
    while (below(f, 4) == 0 && *l3 < 26) {
        put16(p + *l3 - 2, below(f, 2) ? 0x8100 : 0x88a8);
        *l3 += 4;
    }
    if (below(f, 4))
        ip_frame(f, p, len < *l3 + 40 ? *l3 + 40 : len, *l3);
    else if (below(f, 3) == 0)
        put16(p + *l3 - 2, below(f, 2) ? 0x8808 : below(f, 1600));
    return len;
}

static void peer_sends(struct mad *f, unsigned card)
{
    static uint8_t frame[NET_FRAME_MAX]; /* too large for a stack; filled for each */
    struct net_offload o = { 0 };
    size_t l3, len = make_frame(f, card, frame, &l3);

    if (below(f, 3) == 0) {
        o = mad_undone(f);
        if (below(f, 4))
            o.csum_start = l3 + (frame[l3 - 2] == 0x86 ? 40 : 20);
        if (below(f, 4) == 0)
            o.gso_size = 1 + below(f, 100); /* as many segments as can be */
    }
    mad_deliver(f, card, &o, frame, len);
}

static void frames_in(struct mad *f)
{
    unsigned card = below(f, MAD_NETS);

    for (unsigned i = below(f, 12); i > 0; i--)
        peer_sends(f, card);
    if (below(f, 40) == 0)
        net_set_link(f->net[card], below(f, 4));
}

/* ---- rings, as a driver makes them ---- */

static void mem(struct mad *f, uint32_t base, uint32_t off, uint32_t val, unsigned width)
{
    io(f, IO_MEM, true, base + off, val, width);
}

static void desc(struct mad *f, uint32_t at, uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3)
{
    const uint32_t w[4] = { w0, w1, w2, w3 };

    for (unsigned i = 0; i < 4; i++)
        mad_poke(f, at + 4 * i, w[i]);
}

/* Some bytes of a ring are something else now. */
static void spoil(struct mad *f, uint32_t ring, unsigned n)
{
    for (unsigned i = below(f, 4) ? below(f, 8) : 0; i > 0; i--)
        mad_poke(f, ring + 16 * below(f, n) + 4 * below(f, 4), value(f));
}

/* Headers that are to be sent, so that segmentation and sums find something. */
static void packet_to_send(struct mad *f)
{
    static uint8_t frame[NET_FRAME_MAX];
    size_t l3;

    make_frame(f, below(f, MAD_NETS), frame, &l3);
    memcpy(f->t->ram + 0x200000 + below(f, 256) * 0x800, frame, 0x800);
}

static uint32_t e1000_tx_cmd(struct mad *f, bool end)
{
    static const uint32_t kind[] = { 0x00000000, 0x20100000, 0x20100000, 0x24100000, 0x24100000 };

    return kind[below(f, 5)] | (end ? 0x01000000 : 0) | (below(f, 2) ? 0x08000000 : 0) |
           (below(f, 4) ? 0 : any(f) & 0xc6000000) | length(f);
}

static void e1000_tx_ring(struct mad *f, uint32_t base)
{
    unsigned n = 8u << below(f, below(f, 8) ? 6 : 10), every = 1 + below(f, below(f, 4) ? 4 : 300);
    uint32_t ring = ring_place(f, 16 * n);

    for (unsigned i = 0; i < n; i++)
        desc(f, ring + 16 * i, buffer(f), 0, e1000_tx_cmd(f, i % every == every - 1),
             any(f) & 0xffff0300);
    for (unsigned i = below(f, 3); i > 0; i--) /* contexts: plausible offsets, any MSS */
        desc(f, ring + 16 * below(f, n), 14 | 24 << 8 | 33 << 16, 34 | 50 << 8,
             0x20000000 | (below(f, 2) ? 0x07000000 : any(f) & 0x0f000000) |
                 (below(f, 3) ? length(f) : 0xfffff),
             54 << 8 | (below(f, 3) ? 1448 : value(f)) << 16);
    spoil(f, ring, n);
    mem(f, base, 0x3800, ring, 4);
    mem(f, base, 0x3804, below(f, 40) ? 0 : value(f), 4);
    mem(f, base, 0x3808, below(f, 16) ? 16 * n : value(f), 4);
    mem(f, base, 0x3810, below(f, 4) ? 0 : value(f), 4);
    mem(f, base, 0x0400, 0x0a, 4);
    mem(f, base, 0x3818, below(f, 2) ? n - 1 : below(f, 4) ? below(f, n) : value(f), 4);
}

static void e1000_rx_ring(struct mad *f, uint32_t base)
{
    static const uint32_t rctl[] = { 0x0000801a, 0x0000803a, 0x0003801a,
                                     0x0203803a, 0x040180da, 0x000c801a };
    unsigned n = 8u << below(f, 6);
    uint32_t ring = ring_place(f, 16 * n);

    for (unsigned i = 0; i < n; i++)
        desc(f, ring + 16 * i, buffer(f), 0, any(f), any(f));
    spoil(f, ring, n);
    mem(f, base, 0x2800, ring, 4);
    mem(f, base, 0x2804, below(f, 40) ? 0 : value(f), 4);
    mem(f, base, 0x2808, below(f, 16) ? 16 * n : value(f), 4);
    mem(f, base, 0x2810, below(f, 4) ? 0 : value(f), 4);
    mem(f, base, 0x2818, below(f, 8) ? n - 1 : value(f), 4);
    mem(f, base, 0x0000, below(f, 2) ? 0x40000040 : 0x40, 4);
    mem(f, base, 0x5000, below(f, 2) ? 0x300 | below(f, 64) : value(f), 4);
    mem(f, base, 0x0100, below(f, 8) ? rctl[below(f, 6)] : value(f), 4);
}

static void e1000_driver(struct mad *f)
{
    uint32_t base = mad_window(f, "e1000", 0);

    if (!base)
        return;
    if (below(f, 2))
        e1000_rx_ring(f, base);
    if (below(f, 2))
        e1000_tx_ring(f, base);
    else
        mem(f, base, 0x2818, below(f, 256), 4);
    mem(f, base, 0x00d0, any(f), 4);
    io(f, IO_MEM, false, base + 0xc0, 0, 4);
}

static void rtl_cplus(struct mad *f, uint32_t base, bool tx)
{
    unsigned n = 1 + below(f, 64), every = 1 + below(f, below(f, 4) ? 4 : 64);
    uint32_t ring = ring_place(f, 16 * n) & ~0xffu, opts;

    for (unsigned i = 0; i < n; i++) {
        opts = (below(f, 60) ? 0x80000000 : 0) | (i == n - 1 && below(f, 8) ? 0x40000000 : 0);
        if (tx)
            opts |= (i % every ? 0 : 0x20000000) | (i % every == every - 1 ? 0x10000000 : 0) |
                    (below(f, 3)   ? 0
                     : below(f, 2) ? 0x00070000
                                   : 0x08000000 | below(f, 0x800) << 16);
        desc(f, ring + 16 * i, opts | (length(f) & 0xffff), any(f) & 0x3ffff, buffer(f), 0);
    }
    spoil(f, ring, n);
    if (tx) {
        bool high = below(f, 2);

        mem(f, base, high ? 0x28 : 0x20, ring, 4);
        mem(f, base, high ? 0x2c : 0x24, below(f, 40) ? 0 : value(f), 4);
        mem(f, base, 0xd9, high ? 0x80 : 0x40, 1);
    } else {
        mem(f, base, 0xe4, ring, 4);
        mem(f, base, 0xe8, below(f, 40) ? 0 : value(f), 4);
    }
}

static void rtl_driver(struct mad *f)
{
    uint32_t base = mad_window(f, "rtl8139", 1);

    if (!base)
        return;
    mem(f, base, 0xe0, below(f, 8) ? (below(f, 2) ? 0x63 : 0) : value(f), 2);
    mem(f, base, 0x37, below(f, 16) ? 0x0c : value(f), 1);
    mem(f, base, 0x40, below(f, 8) ? 0x03000700 : value(f), 4);
    mem(f, base, 0x44, below(f, 8) ? 0xf | below(f, 4) << 11 | below(f, 2) << 7 : value(f), 4);
    mem(f, base, 0x30, below(f, 4) ? 0x300000 : QT_RAM - below(f, 0x11000), 4);
    mem(f, base, 0x38, value(f), 2);
    rtl_cplus(f, base, false);
    rtl_cplus(f, base, true);
    for (unsigned i = 0; i < 4; i++) {
        mem(f, base, 0x20 + 4 * i, buffer(f), 4);
        mem(f, base, 0x10 + 4 * i, length(f) & 0x1fff, 4);
    }
}

static void pcnet_csr(struct mad *f, uint32_t base, unsigned reg, uint16_t val)
{
    mem(f, base, 0x12, reg, 2);
    mem(f, base, 0x10, val, 2);
}

static uint32_t pcnet_status(struct mad *f, bool end)
{
    return (below(f, 60) ? 0x80000000 : 0) |
           (end           ? 0x03000000
            : below(f, 2) ? 0x02000000
                          : 0) |
           0xf000 | (-length(f) & 0xfff);
}

/* Layout 2: the initialization block, then rings of up to 512; CSR76 and 78 can say 65535. */
static void pcnet_driver(struct mad *f)
{
    uint32_t base = mad_window(f, "pcnet", 1), block = 0x0ff000;
    unsigned n = 1u << below(f, 10), every = 1 + below(f, 80);
    uint32_t rx = ring_place(f, 16 * n), tx = ring_place(f, 16 * n);

    if (!base)
        return;
    pcnet_csr(f, base, 0, 4);
    mem(f, base, 0x12, 20, 2);
    mem(f, base, 0x16, below(f, 8) ? 2 : below(f, 4), 2);
    mad_poke(f, block,
             (uint32_t)below(f, 10) << 28 | (uint32_t)below(f, 10) << 20 |
                 (below(f, 4) ? 0x8000 : value(f) & 0xffff));
    for (unsigned i = 4; i < 20; i += 4)
        mad_poke(f, block + i, any(f));
    mad_poke(f, block + 20, rx);
    mad_poke(f, block + 24, tx);
    for (unsigned i = 0; i < n; i++) {
        desc(f, rx + 16 * i, buffer(f), pcnet_status(f, false), 0, 0);
        desc(f, tx + 16 * i, buffer(f), pcnet_status(f, i % every == every - 1), 0, 0);
    }
    spoil(f, rx, n);
    spoil(f, tx, n);
    pcnet_csr(f, base, 1, block);
    pcnet_csr(f, base, 2, block >> 16);
    pcnet_csr(f, base, 3, below(f, 2) ? 0x40 : value(f));
    pcnet_csr(f, base, 0, 1);
    if (below(f, 8) == 0)
        pcnet_csr(f, base, 76 + 2 * below(f, 2), value(f));
    pcnet_csr(f, base, 0, 0x4a);
}

/* ---- good rings: nothing beside the buffers may change ---- */

#define GUARD_AT   0x800000u
#define GUARD_STEP 0x800u /* a buffer and what is behind it */
#define GUARD_N    64u
#define GUARD      0xa5

static void guards_make(struct mad *f)
{
    memset(f->t->ram + GUARD_AT, GUARD, GUARD_N * GUARD_STEP);
}

static void guards_check(struct mad *f, const char *id, unsigned size)
{
    for (unsigned i = 0; i < GUARD_N; i++) {
        const uint8_t *p = f->t->ram + GUARD_AT + i * GUARD_STEP;

        for (unsigned k = size; k < GUARD_STEP; k++) {
            if (p[k] == GUARD)
                continue;
            fprintf(stderr, "%s wrote behind buffer %u of %u bytes, at %u\n", id, i, size, k);
            f->failed = true;
            return;
        }
    }
}

/* The card as it is after power-on, where nothing is left of what was done to it; its BAR. */
static uint32_t fresh(struct mad *f, unsigned card, unsigned bar)
{
    device_reset(machine_find(&f->m, ids[card]), RESET_COLD);
    mad_place_windows(f);
    return mad_window(f, ids[card], bar);
}

static void storm(struct mad *f, unsigned card)
{
    for (unsigned i = 0; i < 40; i++)
        peer_sends(f, card);
}

static void e1000_guarded(struct mad *f)
{
    uint32_t base = fresh(f, E1000, 0), ring = 0x7ff000, k = 1 + below(f, 3);

    if (!base)
        return;
    for (unsigned i = 0; i < GUARD_N; i++)
        desc(f, ring + 16 * i, GUARD_AT + i * GUARD_STEP, 0, 0, 0);
    mem(f, base, 0x2800, ring, 4);
    mem(f, base, 0x2804, 0, 4);
    mem(f, base, 0x2808, 16 * GUARD_N, 4);
    mem(f, base, 0x2810, 0, 4);
    mem(f, base, 0x2818, GUARD_N - 1, 4);
    guards_make(f);
    mem(f, base, 0x0100, 0x801a | k << 16 | below(f, 2) << 5 | below(f, 2) << 26, 4);
    storm(f, E1000);
    guards_check(f, "e1000", 2048 >> k);
    mem(f, base, 0x0100, 0, 4);
}

static void rtl_guarded(struct mad *f)
{
    uint32_t base = fresh(f, RTL8139, 1), ring = 0x7ff000, size = 1 + below(f, GUARD_STEP - 1);

    if (!base)
        return;
    for (unsigned i = 0; i < GUARD_N; i++)
        desc(f, ring + 16 * i, 0x80000000 | (i == GUARD_N - 1 ? 0x40000000 : 0) | size, 0,
             GUARD_AT + i * GUARD_STEP, 0);
    mem(f, base, 0x37, 0x10, 1);
    mem(f, base, 0xe0, 0x62, 2);
    mem(f, base, 0xe4, ring, 4);
    mem(f, base, 0xe8, 0, 4);
    guards_make(f);
    mem(f, base, 0x37, 0x08, 1);
    mem(f, base, 0x44, 0xf, 4);
    storm(f, RTL8139);
    guards_check(f, "rtl8139", size);
    mem(f, base, 0x37, 0x10, 1);
}

/* The ring buffer of the C mode: its size, 16 bytes, and with WRAP a frame (which may be long). */
static void rtl_ring_guarded(struct mad *f)
{
    uint32_t base = fresh(f, RTL8139, 1), wrap = below(f, 2), size = 8192 + 16 + wrap * 8192;

    if (!base)
        return;
    mem(f, base, 0x37, 0x10, 1);
    mem(f, base, 0x30, GUARD_AT, 4);
    guards_make(f);
    mem(f, base, 0x37, 0x08, 1);
    mem(f, base, 0x44, 0xf | wrap << 7, 4);
    for (unsigned i = 0; i < 8; i++) {
        storm(f, RTL8139);
        mem(f, base, 0x38, below(f, 8192) & ~3u, 2);
    }
    for (unsigned k = size; k < GUARD_N * GUARD_STEP && !f->failed; k++) {
        if (f->t->ram[GUARD_AT + k] == GUARD)
            continue;
        fprintf(stderr, "rtl8139 wrote behind its ring, at %u\n", k);
        f->failed = true;
    }
    mem(f, base, 0x37, 0x10, 1);
}

static void pcnet_guarded(struct mad *f)
{
    uint32_t base = fresh(f, PCNET, 1), ring = 0x7ff000, block = 0x7fe000;
    uint32_t size = 1 + below(f, GUARD_STEP - 1);

    if (!base)
        return;
    for (unsigned i = 0; i < GUARD_N; i++)
        desc(f, ring + 16 * i, GUARD_AT + i * GUARD_STEP, 0x8000f000 | (-size & 0xfff), 0, 0);
    pcnet_csr(f, base, 0, 4);
    mem(f, base, 0x12, 20, 2);
    mem(f, base, 0x16, 2, 2);
    desc(f, block, 6u << 20 | 0x8000, 0, 0, 0);
    desc(f, block + 16, 0, ring, 0x600000, 0);
    pcnet_csr(f, base, 1, block);
    pcnet_csr(f, base, 2, block >> 16);
    pcnet_csr(f, base, 0, 1);
    guards_make(f);
    pcnet_csr(f, base, 0, 2);
    storm(f, PCNET);
    guards_check(f, "pcnet", size);
    pcnet_csr(f, base, 0, 4);
}

/* ---- all registers, in any order ---- */

static void registers(struct mad *f)
{
    static const struct {
        uint8_t card, bar;
        enum io_space space;
        uint32_t most; /* of it mostly the first this many bytes */
    } windows[] = { { RTL8139, 0, IO_PORT, 256 }, { RTL8139, 1, IO_MEM, 256 },
                    { E1000, 0, IO_MEM, 0x6000 }, { E1000, 1, IO_PORT, 64 },
                    { PCNET, 0, IO_PORT, 32 },    { PCNET, 1, IO_MEM, 32 },
                    { NE2000, 0, IO_PORT, 32 } };
    unsigned w = below(f, sizeof(windows) / sizeof(windows[0]));
    uint32_t base = mad_window(f, ids[windows[w].card], windows[w].bar);

    if (!base)
        return;
    for (unsigned i = below(f, 40); i > 0; i--)
        io(f, windows[w].space, below(f, 3),
           base + below(f, below(f, 8) ? windows[w].most : 0x20004), value(f), 1u << below(f, 3));
}

static void config(struct mad *f)
{
    static const unsigned command[] = { 0, 3, 4, 7, 7, 7, 7, 0x407 };

    for (unsigned devfn = 0; devfn < 256; devfn++) {
        const struct pci_func *pf = f->t->plat.pci[devfn];

        if (!pf || pci_type_of(pf)->class_code != 0x020000)
            continue;
        if (below(f, 4) == 0)
            config_cycle(f, true, devfn, PCI_COMMAND, command[below(f, 8)], 2);
        if (below(f, 8) == 0)
            config_cycle(f, below(f, 2), devfn, 0x40 + below(f, 0xc0), value(f), 1u << below(f, 3));
    }
}

static void clock_and_drain(struct mad *f)
{
    clock_on(f);
    for (unsigned i = 0; i < MAD_NETS; i++)
        while (net_mem_get(f->net[i], &(size_t){ 0 }))
            ;
}

static void world_ends(struct mad *f)
{
    if (below(f, 4) == 0)
        restore(f, below(f, 4) == 0);
    else if (below(f, 4) == 0)
        reset(f);
    mad_place_windows(f);
}

void mad_net_act(struct mad *f)
{
    static const struct {
        unsigned weight;
        void (*fn)(struct mad *f);
    } acts[] = { { 30, registers },       { 30, frames_in },       { 20, e1000_driver },
                 { 20, rtl_driver },      { 20, pcnet_driver },    { 15, ne2000_packet },
                 { 15, pcnet_ring },      { 10, rtl8139_ring },    { 10, e1000_ring },
                 { 10, packet_to_send },  { 20, clock_and_drain }, { 2, config },
                 { 1, rtl8139_eeprom },   { 1, e1000_guarded },    { 1, rtl_guarded },
                 { 1, rtl_ring_guarded }, { 1, pcnet_guarded },    { 1, world_ends },
                 { 2, mad_place_windows } };
    unsigned total = 0, pick;

    for (unsigned i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
        total += acts[i].weight;
    pick = below(f, total);
    for (unsigned i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (pick < acts[i].weight) {
            acts[i].fn(f);
            return;
        }
        pick -= acts[i].weight;
    }
}
