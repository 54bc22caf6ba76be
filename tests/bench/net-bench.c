/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames through a network card, without a guest: the client plays the driver
 * over qtest, and is the other end of the card's cable, a stream at the path
 * in $BENCH_NET (each frame with its length before it).
 *
 *   e1000-outN, rtl8139-outN   frames of N bytes from the guest
 *   e1000-inN, rtl8139-inN     to the guest
 *   e1000-tso, rtl8139-tso     packets of 60000 bytes from the guest, cut at 1448
 *
 * Printed is what the device model's CPU time allows: frames or bits a second.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "qtest-peer.h"

#define DEVFN   0x18
#define BAR     0xfe000000u
#define RING    0x100000u
#define RX_RING 0x110000u
#define BUFFER  0x200000u
#define RX_BUFS 0x400000u
#define ROUND   60 /* frames at a time; an 8139's ring has 64 */
#define SECONDS 1.5
#define PIECE   12000 /* of a large packet: a descriptor each */
#define LARGE   60000
#define MSS     1448
#define HEADERS 54

struct cable {
    int fd;
    uint8_t out[ROUND * (4 + 1518)];
    size_t out_len;
    int64_t frames, bytes; /* come in */
    uint8_t in[1 << 18];
    size_t have;
};

static void send_words(struct peer *p, uint32_t at, const uint32_t *w, unsigned n)
{
    static char text[1 << 16];
    size_t len = (size_t)snprintf(text, sizeof(text), "write 0x%x 0x%x 0x", at, n * 4);

    for (unsigned i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%08x", __builtin_bswap32(w[i]));
    text[len++] = '\n';
    say(p, text, len);
    answer(p, NULL, NULL);
}

static void poke(struct peer *p, const char *op, uint32_t at, uint32_t val)
{
    char text[64];

    snprintf(text, sizeof(text), "%s 0x%x 0x%x", op, BAR + at, val);
    ask(p, text);
}

static uint32_t peek(struct peer *p, uint32_t at)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "readl 0x%x\n", at);

    say(p, text, (size_t)len);
    return (uint32_t)strtoul(answer(p, NULL, NULL) + 2, NULL, 16);
}

/* A TCP segment over IPv4 with room for len bytes in all, to everybody. */
static void put_frame(struct peer *p, unsigned len)
{
    static uint32_t words[(LARGE + 3) / 4];
    static const uint8_t head[HEADERS] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0,  0, 0,    1,    8,    0,    0x45, 0, 0,    0,
        0x12, 0x34, 0x40, 0,    64,   6,    0, 0, 10, 0, 0,    1,    10,   0,    0,    2, 0x04, 0,
        0x13, 0x89, 0,    0,    0,    1,    0, 0, 0,  1, 0x50, 0x10, 0xff, 0xff, 0,    0, 0,    0
    };

    memset(words, 0x5a, sizeof(words));
    memcpy(words, head, sizeof(head));
    ((uint8_t *)words)[16] = (len - 14) >> 8;
    ((uint8_t *)words)[17] = len - 14;
    for (unsigned at = 0; at < len; at += 4096)
        send_words(p, BUFFER + at, words + at / 4, 1024);
}

/* ---- the cable ---- */

static void cable_open(struct cable *c, const char *path, int *listener)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    memset(c, 0, sizeof(*c));
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    unlink(path);
    *listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(*listener, (struct sockaddr *)&addr, sizeof(addr)) || listen(*listener, 1))
        fail(path);
}

static void cable_accept(struct cable *c, int listener)
{
    int size = 4 << 20;

    c->fd = accept(listener, NULL, NULL);
    if (c->fd < 0)
        fail("accept");
    setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    close(listener);
    usleep(200000); /* QEMU takes the connection a turn of its loop later */
}

static void count_in(struct cable *c)
{
    size_t at = 0;

    while (c->have - at >= 4) {
        size_t len = (size_t)c->in[at + 1] << 16 | c->in[at + 2] << 8 | c->in[at + 3];

        if (c->have - at < 4 + len)
            break;
        c->frames++;
        c->bytes += (int64_t)len;
        at += 4 + len;
    }
    memmove(c->in, c->in + at, c->have - at);
    c->have -= at;
}

/* Reads until `frames` have come, or for 10 s none. */
static void cable_drain(struct cable *c, int64_t frames)
{
    struct pollfd waits = { .fd = c->fd, .events = POLLIN };

    while (c->frames < frames) {
        ssize_t n;

        if (poll(&waits, 1, 10000) <= 0) {
            fprintf(stderr, "%lld of %lld frames\n", (long long)c->frames, (long long)frames);
            fail("frames are missing");
        }
        n = read(c->fd, c->in + c->have, sizeof(c->in) - c->have);
        if (n <= 0)
            fail("cable");
        c->have += (size_t)n;
        count_in(c);
    }
}

static void cable_fill(struct cable *c, unsigned len)
{
    for (unsigned i = 0; i < ROUND; i++) {
        uint8_t *f = c->out + c->out_len;

        memset(f, 0x5a, 4 + len);
        f[0] = f[1] = 0;
        f[2] = (uint8_t)(len >> 8);
        f[3] = (uint8_t)len;
        memset(f + 4, 0xff, 6);
        memcpy(f + 10, "\2\0\0\0\0\1\x88\xb5", 8);
        c->out_len += 4 + len;
    }
}

static void cable_send(struct cable *c)
{
    for (size_t at = 0; at < c->out_len;) {
        ssize_t n = write(c->fd, c->out + at, c->out_len - at);

        if (n <= 0)
            fail("cable");
        at += (size_t)n;
    }
}

/* ---- the cards ---- */

struct card {
    void (*begin)(struct peer *p);
    void (*out)(struct peer *p, unsigned round, unsigned len); /* ROUND frames */
    void (*large)(struct peer *p, unsigned round);             /* one packet of LARGE bytes */
    void (*room)(struct peer *p, unsigned round);              /* descriptors for ROUND frames */
    bool (*heard)(struct peer *p, unsigned round);             /* are they used? */
};

/* e1000: rings of 256; a round goes on where the one before ended. */
static void e1000_begin(struct peer *p)
{
    uint32_t rx[256 * 4] = { 0 };

    for (unsigned i = 0; i < 256; i++)
        rx[4 * i] = RX_BUFS + 2048 * i;
    send_words(p, RX_RING, rx, 256 * 4);
    poke(p, "writel", 0x2800, RX_RING);
    poke(p, "writel", 0x2808, 4096);
    poke(p, "writel", 0x3800, RING);
    poke(p, "writel", 0x3808, 4096);
    poke(p, "writel", 0x0400, 2);
    poke(p, "writel", 0x0000, 0x40); /* SLU */
    poke(p, "writel", 0x0100, 0x801a);
    ask(p, "clock_step 1100000000"); /* QEMU listens a second after it was switched on */
}

static void e1000_out(struct peer *p, unsigned round, unsigned len)
{
    if (round == 0) {
        uint32_t tx[256 * 4];

        for (unsigned i = 0; i < 256; i++)
            memcpy(&tx[4 * i], (uint32_t[]){ BUFFER, 0, 0x0b000000 | len, 0 }, 16);
        send_words(p, RING, tx, 256 * 4);
    }
    poke(p, "writel", 0x3818, (round + 1) * ROUND % 256);
}

/* A context, then the packet in pieces; all of it stands in the ring again and again. */
static void e1000_large(struct peer *p, unsigned round)
{
    enum { DESCS = 1 + LARGE / PIECE };
    uint32_t tx[8 * 4] = { 0 };

    if (round == 0) {
        poke(p, "writel", 0x3808, 128); /* eight descriptors: two of them to pass over */
        memcpy(tx,
               (uint32_t[]){ 14 | 24 << 8 | 33 << 16, 34 | 50 << 8, 0x27000000 | LARGE,
                             HEADERS << 8 | MSS << 16 },
               16);
        for (unsigned i = 0; i < LARGE / PIECE; i++)
            memcpy(&tx[4 * (i + 1)],
                   (uint32_t[]){ BUFFER + PIECE * i, 0,
                                 0x26100000 | (i == LARGE / PIECE - 1 ? 0x09000000 : 0) | PIECE,
                                 0x300 },
                   16);
        send_words(p, RING, tx, 8 * 4);
    }
    poke(p, "writel", 0x3810, 0);
    poke(p, "writel", 0x3818, DESCS);
}

static void e1000_room(struct peer *p, unsigned round)
{
    poke(p, "writel", 0x2818, (round * ROUND + 255) % 256);
}

static bool e1000_heard(struct peer *p, unsigned round)
{
    return peek(p, BAR + 0x2810) == (round + 1) * ROUND % 256;
}

/* rtl8139 in C+ mode: rings of ROUND; each round gives all of it anew. */
static void rtl_begin(struct peer *p)
{
    poke(p, "writeb", 0x37, 0x10);
    poke(p, "writew", 0xe0, 0x23);
    poke(p, "writel", 0x20, RING);
    poke(p, "writel", 0x24, 0);
    poke(p, "writel", 0xe4, RX_RING);
    poke(p, "writel", 0xe8, 0);
    poke(p, "writeb", 0x37, 0x0c);
    poke(p, "writel", 0x40, 0x03000700);
    poke(p, "writel", 0x44, 0xf);
}

static void rtl_out(struct peer *p, unsigned round, unsigned len)
{
    uint32_t tx[ROUND * 4];

    for (unsigned i = 0; i < ROUND; i++)
        memcpy(&tx[4 * i],
               (uint32_t[]){ 0xb0000000 | (i == ROUND - 1 ? 0x40000000 : 0) | len, 0, BUFFER, 0 },
               16);
    send_words(p, RING, tx, ROUND * 4);
    poke(p, "writeb", 0xd9, 0x40);
}

static void rtl_large(struct peer *p, unsigned round)
{
    enum { DESCS = LARGE / PIECE };
    uint32_t tx[DESCS * 4];

    for (unsigned i = 0; i < DESCS; i++)
        memcpy(&tx[4 * i],
               (uint32_t[]){ 0x88000000 | MSS << 16 | (i ? 0 : 0x20000000) |
                                 (i == DESCS - 1 ? 0x50000000 : 0) | PIECE,
                             0, BUFFER + PIECE * i, 0 },
               16);
    send_words(p, RING, tx, DESCS * 4);
    poke(p, "writeb", 0xd9, 0x40);
}

static void rtl_room(struct peer *p, unsigned round)
{
    uint32_t rx[ROUND * 4];

    for (unsigned i = 0; i < ROUND; i++)
        memcpy(&rx[4 * i],
               (uint32_t[]){ 0x80000000 | (i == ROUND - 1 ? 0x40000000 : 0) | 2000, 0,
                             RX_BUFS + 2048 * i, 0 },
               16);
    send_words(p, RX_RING, rx, ROUND * 4);
    ask(p, "clock_step 3000000"); /* an 8139 that waited for a descriptor looks by time */
}

static bool rtl_heard(struct peer *p, unsigned round)
{
    return !(peek(p, RX_RING + 16 * (ROUND - 1)) & 0x80000000);
}

static const struct {
    const char *name;
    struct card card;
} cards[] = {
    { "e1000-", { e1000_begin, e1000_out, e1000_large, e1000_room, e1000_heard } },
    { "rtl8139-", { rtl_begin, rtl_out, rtl_large, rtl_room, rtl_heard } },
};

/* ---- the work ---- */

static double run_out(struct peer *p, struct cable *c, const struct card *card, unsigned len)
{
    int64_t began = now(CLOCK_MONOTONIC), cpu = cpu_of(p->pid);

    put_frame(p, len);
    for (unsigned r = 0; now(CLOCK_MONOTONIC) - began < SECONDS * 1e9; r++) {
        card->out(p, r, len);
        cable_drain(c, (int64_t)(r + 1) * ROUND);
    }
    return (double)c->frames * 1e9 / (double)(cpu_of(p->pid) - cpu);
}

/* Bits of payload a second. */
static double run_large(struct peer *p, struct cable *c, const struct card *card)
{
    int64_t began = now(CLOCK_MONOTONIC), cpu = cpu_of(p->pid), each = 0;

    put_frame(p, LARGE);
    for (unsigned r = 0; now(CLOCK_MONOTONIC) - began < SECONDS * 1e9; r++) {
        card->large(p, r);
        if (!each)
            each = (LARGE - HEADERS + MSS - 1) / MSS;
        cable_drain(c, each * (r + 1));
    }
    return (double)c->frames / (double)each * (LARGE - HEADERS) * 8e9 /
           (double)(cpu_of(p->pid) - cpu);
}

static double run_in(struct peer *p, struct cable *c, const struct card *card, unsigned len)
{
    int64_t began = now(CLOCK_MONOTONIC), cpu = cpu_of(p->pid);
    unsigned r = 0;

    cable_fill(c, len);
    for (; now(CLOCK_MONOTONIC) - began < SECONDS * 1e9; r++) {
        card->room(p, r);
        cable_send(c);
        for (unsigned tries = 0; !card->heard(p, r); tries++) {
            if (tries > 100000)
                fail("frames are missing");
        }
    }
    return (double)r * ROUND * 1e9 / (double)(cpu_of(p->pid) - cpu);
}

void net_bench(const char *what, char **cmd)
{
    static struct cable c;
    static struct peer p;
    const struct card *card = NULL;
    int listener;

    for (unsigned i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
        if (!strncmp(what, cards[i].name, strlen(cards[i].name)))
            card = &cards[i].card;
    }
    if (!card || !getenv("BENCH_NET"))
        fail("no such card, or no BENCH_NET");
    what = strchr(what, '-') + 1;
    cable_open(&c, getenv("BENCH_NET"), &listener);
    start(&p, cmd);
    cable_accept(&c, listener);
    config(&p, DEVFN, 0x10, "outl", card == &cards[0].card ? BAR : 0xc001);
    config(&p, DEVFN, 0x14, "outl", card == &cards[0].card ? 0xc001 : BAR);
    config(&p, DEVFN, 0x04, "outw", 7);
    card->begin(&p);
    if (!strncmp(what, "out", 3))
        printf("rate %.0f\n", run_out(&p, &c, card, (unsigned)atoi(what + 3)));
    else if (!strncmp(what, "in", 2))
        printf("rate %.0f\n", run_in(&p, &c, card, (unsigned)atoi(what + 2)));
    else
        printf("rate %.0f\n", run_large(&p, &c, card));
    end(&p);
}
