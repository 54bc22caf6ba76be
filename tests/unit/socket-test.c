/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames over sockets, both ways, and peers that misbehave. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>
#include "hw/core/config.h"
#include "net/net.h"
#include "tests/unit/qt.h"

struct end { /* a card, and the loop it lives on */
    uv_loop_t loop;
    struct net *net;
    struct err err;
    bool room, takes_one; /* takes_one: a frame fills the card */
    unsigned got, bytes;
    uint8_t last[NET_FRAME_MAX];
    int links;
};

static bool can_receive(void *nic)
{
    return ((struct end *)nic)->room;
}

static void receive(void *nic, const uint8_t *frame, size_t len)
{
    struct end *e = nic;

    e->got++;
    e->room = e->room && !e->takes_one;
    e->bytes = (unsigned)len;
    memcpy(e->last, frame, len);
}

static void link_changed(void *nic)
{
    ((struct end *)nic)->links++;
}

/* text: "key=value key=value" */
static struct end *end_new(const char *text)
{
    struct end *e = calloc(1, sizeof(*e));
    struct config cfg = { 0 };
    char *copy = strdup(text), *rest = copy, *word;

    uv_loop_init(&e->loop);
    e->room = true;
    while ((word = strsep(&rest, " "))) {
        char *eq = strchr(word, '=');

        *eq = 0;
        config_set(&cfg, word, eq + 1);
    }
    e->net = net_open_socket(&e->loop, "n", &cfg, &e->err);
    if (e->net) {
        e->net->nic = e;
        e->net->can_receive = can_receive;
        e->net->receive = receive;
        e->net->link_changed = link_changed;
    }
    config_free(&cfg);
    free(copy);
    return e;
}

static void end_free(struct end *e)
{
    net_close(e->net);
    uv_run(&e->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&e->loop) == 0);
    free(e);
}

/* Turns the loop until `want` frames have come; ten seconds at most. */
static void turn(struct end *e, unsigned want)
{
    for (unsigned i = 0; i < 1000 && e->got < want; i++) {
        uv_run(&e->loop, UV_RUN_NOWAIT);
        if (e->got < want)
            usleep(10000);
    }
    CHECK_EQ(e->got, want);
}

static struct end *over_fd(int type, int *peer)
{
    char text[64];
    int fd[2];
    struct end *e;

    CHECK(socketpair(AF_UNIX, type, 0, fd) == 0);
    snprintf(text, sizeof(text), "type=socket fd=%d", fd[0]);
    e = end_new(text);
    CHECK(e->net);
    *peer = fd[1];
    return e;
}

TEST(a_stream_has_lengths_before_frames)
{
    static const uint8_t two[] = { 0, 0, 0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'd' };
    uint8_t out[16];
    int peer;
    struct end *e = over_fd(SOCK_STREAM, &peer);

    CHECK(write(peer, two, sizeof(two)) == sizeof(two));
    turn(e, 2);
    CHECK(e->bytes == 1 && e->last[0] == 'd');
    CHECK(write(peer, two, 5) == 5); /* a frame in two pieces */
    uv_run(&e->loop, UV_RUN_NOWAIT);
    CHECK(e->got == 2);
    CHECK(write(peer, two + 5, 2) == 2);
    turn(e, 3);
    CHECK(e->bytes == 3 && !memcmp(e->last, "abc", 3));
    CHECK(net_send(e->net, (const uint8_t *)"xyz", 3));
    CHECK(read(peer, out, sizeof(out)) == 7 && !memcmp(out, "\0\0\0\3xyz", 7));
    close(peer);
    end_free(e);
}

TEST(a_card_without_room_lets_frames_wait)
{
    int peer;
    struct end *e = over_fd(SOCK_DGRAM, &peer);

    e->room = false;
    CHECK(write(peer, "one", 3) == 3 && write(peer, "three", 5) == 5);
    for (unsigned i = 0; i < 10; i++)
        uv_run(&e->loop, UV_RUN_NOWAIT);
    CHECK(e->got == 0);
    e->room = true;
    net_kick(e->net);
    turn(e, 2);
    CHECK(e->bytes == 5);
    close(peer);
    end_free(e);
}

static void read_ahead(bool gone)
{
    uint8_t many[200 * 5];
    int peer;
    struct end *e = over_fd(SOCK_STREAM, &peer);

    for (unsigned i = 0; i < 200; i++)
        memcpy(many + 5 * i, (uint8_t[]){ 0, 0, 0, 1, (uint8_t)i }, 5);
    CHECK(write(peer, many, sizeof(many)) == sizeof(many));
    if (gone)
        close(peer);
    e->takes_one = true;
    for (unsigned i = 1; i <= 100; i++) {
        turn(e, i);
        CHECK_EQ(e->last[0], i - 1);
        for (unsigned k = 0; k < 3; k++)
            uv_run(&e->loop, UV_RUN_NOWAIT);
        CHECK_EQ(e->got, i);
        e->room = true;
        net_kick(e->net);
    }
    e->takes_one = false;
    turn(e, 200); /* more than one turn delivers */
    CHECK_EQ(e->last[0], 199);
    if (!gone)
        close(peer);
    end_free(e);
}

/* Read in one go, taken one by one: no event of the socket comes any more. */
TEST(frames_read_ahead_wait_for_the_card)
{
    read_ahead(false);
}

TEST(frames_of_a_peer_that_has_gone_still_come)
{
    read_ahead(true);
}

TEST(a_peer_out_of_step_is_cut_off)
{
    static const uint8_t heads[2][4] = { { 0, 0, 0, 0 }, { 0xff, 0xff, 0xff, 0xff } };

    for (unsigned i = 0; i < 2; i++) {
        int peer;
        struct end *e = over_fd(SOCK_STREAM, &peer);

        CHECK(write(peer, heads[i], 4) == 4);
        for (unsigned k = 0; k < 1000 && !e->links; k++)
            uv_run(&e->loop, UV_RUN_NOWAIT);
        CHECK(e->links == 1 && !net_link(e->net) && e->got == 0);
        CHECK(!net_send(e->net, (const uint8_t *)"x", 1));
        close(peer);
        end_free(e);
    }
}

TEST(a_slow_reader_costs_frames_not_memory)
{
    static uint8_t big[60000];
    unsigned sent = 0;
    int peer;
    struct end *e = over_fd(SOCK_STREAM, &peer);

    while (sent < 1000 && net_send(e->net, big, sizeof(big)))
        sent++;
    CHECK(sent > 1 && sent < 1000);
    close(peer);
    end_free(e);
}

TEST(a_server_takes_the_next_peer)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    char text[200];
    struct end *e;

    snprintf(un.sun_path, sizeof(un.sun_path), "/tmp/portico-socket-test-%d", (int)getpid());
    snprintf(text, sizeof(text), "type=stream server=on addr.type=unix addr.path=%s", un.sun_path);
    e = end_new(text);
    CHECK(e->net);
    for (unsigned i = 1; i <= 2; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        CHECK(connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0);
        CHECK(write(fd, "\0\0\0\1z", 5) == 5);
        turn(e, i);
        close(fd);
        for (unsigned k = 0; k < 20; k++)
            uv_run(&e->loop, UV_RUN_NOWAIT);
        CHECK(net_link(e->net));
    }
    end_free(e);
    CHECK(access(un.sun_path, F_OK) != 0); /* the name is gone too */
}

TEST(datagrams_between_two)
{
    char text[300];
    struct end *a, *b;
    unsigned id = (unsigned)getpid();

    snprintf(
        text, sizeof(text),
        "type=dgram local.type=unix local.path=/tmp/pa-%u remote.type=unix remote.path=/tmp/pb-%u",
        id, id);
    a = end_new(text);
    snprintf(
        text, sizeof(text),
        "type=dgram local.type=unix local.path=/tmp/pb-%u remote.type=unix remote.path=/tmp/pa-%u",
        id, id);
    CHECK(a->net);
    CHECK(!net_send(a->net, (const uint8_t *)"early", 5)); /* nobody is there yet */
    b = end_new(text);
    CHECK(b->net);
    CHECK(net_send(a->net, (const uint8_t *)"hello", 5));
    turn(b, 1);
    CHECK(b->bytes == 5 && !memcmp(b->last, "hello", 5));
    CHECK(net_send(b->net, (const uint8_t *)"you", 3));
    turn(a, 1);
    end_free(a);
    end_free(b);
}

TEST(what_cannot_be_opened)
{
    static const struct {
        const char *cfg, *words;
    } table[] = {
        { "type=socket", "exactly one of listen=" },
        { "type=socket fd=1 listen=:1", "exactly one of" },
        { "type=socket fd=x", "fd=x: not a descriptor" },
        { "type=socket fd=9999", "fd 9999: Bad file descriptor" },
        { "type=socket connect=nowhere", "nowhere: not HOST:PORT" },
        { "type=socket udp=127.0.0.1:1", "localaddr= is mandatory" },
        { "type=socket mcast=127.0.0.1:1", "not a multicast address" },
        { "type=dgram", "requires local= or remote=" },
        { "type=dgram local.type=inet local.host=127.0.0.1 local.port=0",
          "remote.type is missing" },
        { "type=stream", "addr.type is missing" },
        { "type=stream addr.type=unix", "path=: must have" },
        { "type=stream addr.type=unix addr.path=/nonexistent/x",
          "cannot connect to /nonexistent/x" },
        { "type=stream addr.type=pigeon", "addr.type=pigeon" },
        { "type=stream addr.type=inet addr.host=127.0.0.1 addr.port=http", "127.0.0.1:http" },
    };

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct end *e = end_new(table[i].cfg);

        if (e->net || !strstr(e->err.msg, table[i].words))
            fprintf(stderr, "%s: %s\n", table[i].cfg, e->err.msg);
        CHECK(!e->net && strstr(e->err.msg, table[i].words) && !strncmp(e->err.msg, "netdev n", 8));
        end_free(e);
    }
}
