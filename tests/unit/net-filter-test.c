/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters on a cable: what passes, what waits, in which order, and what a capture holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>
#include "net/filter.h"
#include "tests/unit/qt.h"

struct card {
    uv_loop_t loop;
    struct net *net;
    struct err err;
    bool room;
    unsigned got;
    uint8_t last[NET_FRAME_MAX], seen[4096]; /* the first bytes of what came */
    size_t len;
};

static bool can_receive(void *nic)
{
    return ((struct card *)nic)->room;
}

static void receive(void *nic, const uint8_t *frame, size_t len)
{
    struct card *c = nic;

    c->seen[c->got++ % sizeof(c->seen)] = frame[len - 1];
    memcpy(c->last, frame, len);
    c->len = len;
}

static struct card *card_new(void)
{
    struct card *c = calloc(1, sizeof(*c));
    static const uint8_t mac[6] = { 0, 0x16, 0x3e, 1, 2, 3 };

    uv_loop_init(&c->loop);
    c->room = true;
    c->net = net_open_mem(&c->err);
    c->net->nic = c;
    c->net->can_receive = can_receive;
    c->net->receive = receive;
    memcpy(c->net->mac, mac, sizeof(mac));
    return c;
}

static void card_free(struct card *c)
{
    net_close(c->net);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&c->loop) == 0);
    free(c);
}

/* text: "qom-type=T key=value …" */
static struct net_filter *add(struct card *c, const char *text)
{
    struct config cfg = { 0 };
    char *copy = strdup(text), *rest = copy, *word;
    struct net_filter *f;

    config_set(&cfg, "id", "f");
    while ((word = strsep(&rest, " "))) {
        char *eq = strchr(word, '=');

        *eq = 0;
        config_set(&cfg, word, eq + 1);
    }
    f = net_filter_add(&c->loop, c->net, &cfg, &c->err);
    config_free(&cfg);
    free(copy);
    return f;
}

static void frame_of(uint8_t f[64], const uint8_t src[6], uint8_t mark)
{
    memset(f, 0, 64);
    memset(f, 0xff, 6);
    memcpy(f + 6, src, 6);
    f[12] = 0x08;
    f[63] = mark;
}

static bool send_mark(struct card *c, uint8_t mark)
{
    uint8_t f[64];

    frame_of(f, c->net->mac, mark);
    return net_send(c->net, f, sizeof(f));
}

static bool put_mark(struct card *c, uint8_t mark)
{
    static const uint8_t other[6] = { 2, 0, 0, 0, 0, 9 };
    uint8_t f[64];

    frame_of(f, other, mark);
    return net_mem_put(c->net, f, sizeof(f));
}

/* How many the other end has been sent; *last: the last byte of the last one. */
static unsigned sent(struct card *c, uint8_t *last)
{
    const uint8_t *f;
    size_t len;
    unsigned n = 0;

    while ((f = net_mem_get(c->net, &len))) {
        if (last)
            *last = f[len - 1];
        n++;
    }
    return n;
}

/* Turns the loop until the card has `want`; ten seconds at most. */
static void turn(struct card *c, unsigned want)
{
    for (unsigned i = 0; i < 10000 && c->got < want; i++) {
        net_mem_run(c->net);
        uv_run(&c->loop, UV_RUN_NOWAIT);
        if (c->got < want)
            usleep(1000);
    }
    CHECK_EQ(c->got, want);
}

TEST(a_card_speaks_under_its_own_address)
{
    struct card *c = card_new();
    static const uint8_t other[6] = { 0, 0x16, 0x3e, 1, 2, 4 };
    uint8_t f[64];

    CHECK(add(c, "qom-type=filter-mac"));
    CHECK(send_mark(c, 1));
    frame_of(f, other, 2);
    CHECK(!net_send(c->net, f, sizeof(f)));
    CHECK(!net_send(c->net, f, 13)); /* no type: no frame */
    frame_of(f, c->net->mac, 3);
    f[13] = 0x06; /* ARP under its own address, which says another one's */
    memcpy(f + 22, other, 6);
    CHECK(!net_send(c->net, f, sizeof(f)));
    CHECK(!net_send(c->net, f, 27));
    memcpy(f + 22, c->net->mac, 6);
    CHECK(net_send(c->net, f, sizeof(f)));
    f[12] = 0x81; /* the same behind a tag */
    f[13] = f[14] = 0;
    f[16] = 0x08;
    f[17] = 0x06;
    memcpy(f + 26, other, 6);
    CHECK(!net_send(c->net, f, sizeof(f)));
    memcpy(f + 26, c->net->mac, 6);
    CHECK(net_send(c->net, f, sizeof(f)));
    CHECK_EQ(sent(c, NULL), 3);
    CHECK(put_mark(c, 7)); /* others are not locked */
    CHECK(!net_mem_run(c->net) && c->got == 1 && c->last[63] == 7);
    card_free(c);
}

TEST(an_address_can_be_given)
{
    struct card *c = card_new();
    static const uint8_t given[6] = { 0xaa, 0, 0, 0, 0, 1 };
    uint8_t f[64];

    CHECK(!add(c, "qom-type=filter-mac mac=01:00:00:00:00:01"));
    CHECK(strstr(c->err.msg, "-object filter-mac,id=f: mac=01:00:00:00:00:01: not the address"));
    CHECK(add(c, "qom-type=filter-mac mac=aa:00:00:00:00:01"));
    CHECK(!send_mark(c, 1));
    frame_of(f, given, 2);
    CHECK(net_send(c->net, f, sizeof(f)));
    card_free(c);
}

TEST(a_rate_holds_back_what_is_sent_and_what_comes)
{
    struct card *c = card_new();
    uint64_t from = uv_hrtime();
    unsigned n = 0;
    uint8_t last = 0;

    /* 64 kB/s, one frame at once: 30 frames of 64 bytes take 29 ms at the least. */
    CHECK(add(c, "qom-type=filter-shape bps=64000 burst=64"));
    for (uint8_t i = 0; i < 30; i++)
        CHECK(send_mark(c, i));
    for (unsigned i = 0; i < 10000 && n < 30; i++) {
        uv_run(&c->loop, UV_RUN_NOWAIT);
        n += sent(c, &last);
        usleep(500);
    }
    CHECK(n == 30 && last == 29 && uv_hrtime() - from >= 29000000);
    from = uv_hrtime();
    for (uint8_t i = 0; i < 30; i++)
        CHECK(put_mark(c, i));
    turn(c, 30);
    CHECK(uv_hrtime() - from >= 28000000);
    for (unsigned i = 0; i < 30; i++)
        CHECK_EQ(c->seen[i], i);
    card_free(c);
}

TEST(a_slow_cable_drops_what_is_sent_too_fast)
{
    struct card *c = card_new();
    unsigned taken = 0;

    CHECK(add(c, "qom-type=filter-shape bps=1 burst=0"));
    for (unsigned i = 0; i < 2000; i++)
        taken += send_mark(c, 0);
    CHECK_EQ(taken, 1024);
    card_free(c); /* what is kept goes with it */
}

TEST(delayed_frames_wait_for_room_in_the_card)
{
    struct card *c = card_new();

    CHECK(add(c, "qom-type=filter-shape delay=5 queue=tx"));
    CHECK(send_mark(c, 1) && sent(c, NULL) == 1); /* the other direction is not delayed */
    c->room = false;
    CHECK(!put_mark(c, 1) || net_mem_run(c->net) == 1); /* a full card: it waits in the queue */
    c->room = true;
    net_mem_run(c->net);
    CHECK(put_mark(c, 2) && !net_mem_run(c->net) && c->got == 0); /* on its way */
    c->room = false;
    for (unsigned i = 0; i < 20; i++) {
        uv_run(&c->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    CHECK_EQ(c->got, 0);
    c->room = true;
    net_kick(c->net);
    turn(c, 2);
    CHECK(c->seen[0] == 1 && c->seen[1] == 2);
    card_free(c);
}

TEST(a_full_queue_says_so_and_a_free_one_too)
{
    struct card *c = card_new();
    unsigned kicks = net_mem_kicks(c->net), i = 0;

    CHECK(add(c, "qom-type=filter-shape delay=20"));
    CHECK(net_wants(c->net));
    for (; i < 5000 && net_wants(c->net); i++) {
        uint8_t f[64] = { 0 };

        net_deliver(c->net, f, sizeof(f));
    }
    CHECK_EQ(i, 1024);
    turn(c, 1024);
    CHECK(net_mem_kicks(c->net) > kicks && net_wants(c->net));
    net_hold(c->net, true);
    CHECK(!net_wants(c->net));
    card_free(c);
}

static unsigned survivors(const char *how)
{
    struct card *c = card_new();
    unsigned n = 0;

    CHECK(add(c, how));
    for (unsigned i = 0; i < 1000; i++)
        n += send_mark(c, 0);
    CHECK(n == sent(c, NULL) || n > NET_MEM_FRAMES);
    card_free(c);
    return n;
}

TEST(so_many_of_a_hundred_are_lost)
{
    unsigned n;

    CHECK_EQ(survivors("qom-type=filter-shape loss=100"), 0);
    CHECK(survivors("qom-type=filter-shape loss=0") == 512); /* as many as the cable keeps */
    n = survivors("qom-type=filter-shape loss=75 seed=9");
    CHECK(n > 190 && n < 310);
    CHECK_EQ(survivors("qom-type=filter-shape loss=75 seed=9"), n); /* the same ones */
    CHECK(survivors("qom-type=filter-shape loss=99.9999 seed=1") < 5);
}

TEST(an_interval_is_waited_for)
{
    struct card *c = card_new();
    uint64_t slot = uv_hrtime() / 50000000;

    CHECK(add(c, "qom-type=filter-buffer interval=50000"));
    CHECK(put_mark(c, 5));
    turn(c, 1);
    CHECK(uv_hrtime() / 50000000 > slot);
    card_free(c);
}

TEST(the_first_is_next_to_the_cable)
{
    struct card *c = card_new();
    struct net_filter *f;

    /* A lock behind the loss sees nothing of what comes; one before it would. */
    CHECK(add(c, "qom-type=filter-shape loss=100 queue=tx"));
    CHECK((f = add(c, "qom-type=filter-shape loss=100 queue=rx status=off")));
    c->net->takes = NET_TAKES_SUM;
    CHECK(!net_takes(c->net)); /* who looks at frames looks at whole ones */
    CHECK(send_mark(c, 1) && put_mark(c, 1));
    CHECK(!net_mem_run(c->net) && !c->got && sent(c, NULL) == 1);
    net_filter_remove(c->net->filter[0]);
    CHECK(c->net->nfilters == 1 && c->net->filter[0] == f);
    CHECK(put_mark(c, 1) && !net_mem_run(c->net) && c->got == 1);
    net_filter_remove(f);
    CHECK_EQ(net_takes(c->net), NET_TAKES_SUM);
    card_free(c);
}

static size_t slurp(const char *path, uint8_t *buf, size_t size)
{
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(buf, 1, size, f) : 0;

    if (f)
        fclose(f);
    return n;
}

static uint32_t word(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

TEST(a_capture_has_what_went_both_ways)
{
    struct card *c = card_new();
    char dir[] = "/tmp/portico-dump-XXXXXX", path[64], text[128];
    uint8_t buf[4096];
    size_t n = 0;

    CHECK(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/a.pcap", dir);
    snprintf(text, sizeof(text), "qom-type=filter-dump file=%s maxlen=50", path);
    CHECK(add(c, text));
    CHECK_EQ(slurp(path, buf, sizeof(buf)), 24);
    CHECK(word(buf) == 0xa1b2c3d4 && buf[4] == 2 && buf[6] == 4 && word(buf + 16) == 50 &&
          word(buf + 20) == 1);
    CHECK(send_mark(c, 1) && put_mark(c, 2) && !net_mem_run(c->net));
    for (unsigned i = 0; i < 10000 && n != 24 + 2 * 66; i++) { /* without an end being made */
        uv_run(&c->loop, UV_RUN_NOWAIT);
        usleep(1000);
        n = slurp(path, buf, sizeof(buf));
    }
    CHECK_EQ(n, 24 + 2 * 66);
    CHECK(word(buf + 32) == 50 && word(buf + 36) == 64 && !memcmp(buf + 46, c->net->mac, 6));
    CHECK(word(buf + 24) > 1600000000 && word(buf + 28) < 1000000);
    CHECK(buf[24 + 66 + 16 + 6] == 2 && buf[24 + 66 + 16 + 11] == 9);
    for (unsigned i = 0; i < 10; i++)
        CHECK(put_mark(c, 3) && !net_mem_run(c->net));
    net_filter_remove(c->net->filter[0]); /* writes the rest */
    CHECK_EQ(slurp(path, buf, sizeof(buf)), 24 + 12 * 66);
    snprintf(text, sizeof(text), "qom-type=filter-dump file=%s/no/such", dir);
    CHECK(!add(c, text) && strstr(c->err.msg, "/no/such: No such file or directory"));
    unlink(path);
    rmdir(dir);
    card_free(c);
}

/* What somebody else's program reads in it. */
TEST(tcpdump_reads_a_capture)
{
    static const uint8_t hello[] = { 0x45, 0,    0, 32, 0, 1,   0,   0,   64,  17, 0,
                                     0,    192,  0, 2,  1, 192, 0,   2,   2,   0,  7,
                                     0x0f, 0xa0, 0, 12, 0, 0,   'h', 'i', '!', '!' };
    struct card *c = card_new();
    char dir[] = "/tmp/portico-dump-XXXXXX", path[64], text[128], line[256] = "";
    uint8_t f[14 + sizeof(hello)];
    FILE *out;

    CHECK(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/a.pcap", dir);
    snprintf(text, sizeof(text), "qom-type=filter-dump file=%s", path);
    CHECK(add(c, text));
    memset(f, 0xff, 6);
    memcpy(f + 6, c->net->mac, 6);
    f[12] = 8;
    f[13] = 0;
    memcpy(f + 14, hello, sizeof(hello));
    CHECK(net_send(c->net, f, sizeof(f)) && put_mark(c, 1) && !net_mem_run(c->net));
    card_free(c);
    snprintf(text, sizeof(text), "tcpdump -nneK -r %s 2>/dev/null", path);
    out = popen(text, "r");
    CHECK(out && fgets(line, sizeof(line), out));
    CHECK(
        strstr(line, "00:16:3e:01:02:03 > ff:ff:ff:ff:ff:ff, ethertype IPv4 (0x0800), length 46"));
    CHECK(strstr(line, "192.0.2.1.7 > 192.0.2.2.4000: UDP, length 4"));
    CHECK(fgets(line, sizeof(line), out) && strstr(line, "02:00:00:00:00:09 > ff:ff:ff"));
    CHECK(!fgets(line, sizeof(line), out) && pclose(out) == 0);
    unlink(path);
    rmdir(dir);
}

TEST(what_makes_no_sense_is_refused)
{
    static const struct {
        const char *text, *words;
    } bad[] = {
        { "qom-type=filter-mirror", "there is no such filter" },
        { "qom-type=filter-mac queue=both", "queue=both: use all, rx" },
        { "qom-type=filter-mac status=maybe", "status=maybe: say on or off" },
        { "qom-type=filter-dump", "file= is missing" },
        { "qom-type=filter-dump file=/x maxlen=99999999", "maxlen=99999999" },
        { "qom-type=filter-shape loss=101", "loss=101: percent" },
        { "qom-type=filter-shape loss=", "loss=: percent" },
        { "qom-type=filter-shape loss=-1", "loss=-1: percent" },
        { "qom-type=filter-shape delay=60001", "delay=60001" },
        { "qom-type=filter-shape bps=fast", "bps=fast" },
        { "qom-type=filter-buffer", "interval= is missing" },
    };
    struct card *c = card_new();

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        bool refused = !add(c, bad[i].text);

        if (!refused || !strstr(c->err.msg, bad[i].words))
            fprintf(stderr, "%s: %s\n", bad[i].text, c->err.msg);
        CHECK(refused && strstr(c->err.msg, bad[i].words));
    }
    for (unsigned i = 0; i < NET_FILTERS; i++)
        CHECK(add(c, "qom-type=filter-mac"));
    CHECK(!add(c, "qom-type=filter-mac") && strstr(c->err.msg, "more than 8 filters"));
    card_free(c);
}

/* A storm of frames leaves other events their turn: so many in one, and no more. */
TEST(a_storm_does_not_starve_the_loop)
{
    struct card *c = card_new();

    CHECK(add(c, "qom-type=filter-shape delay=1"));
    for (unsigned i = 0; i < 500; i++)
        CHECK(put_mark(c, 1));
    net_mem_run(c->net);
    usleep(20000);
    for (unsigned before = 0; c->got < 500;) {
        uv_run(&c->loop, UV_RUN_NOWAIT);
        CHECK(c->got - before <= NET_TURN_FRAMES);
        before = c->got;
    }
    card_free(c);
}
