/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cables: the memory one, a real tap where the host lets us make one, and what cards share. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>
#include "hw/nic.h"
#include "tests/unit/nic-frames.h"

struct card { /* a NIC reduced to what a cable sees */
    bool room;
    unsigned got, links;
    size_t len;
    uint8_t first;
};

static bool card_room(void *nic)
{
    return ((struct card *)nic)->room;
}

static void card_receive(void *nic, const uint8_t *frame, size_t len)
{
    struct card *c = nic;

    c->got++;
    c->len = len;
    c->first = frame[0];
}

static void card_link(void *nic)
{
    ((struct card *)nic)->links++;
}

static void plug(struct net *n, struct card *c)
{
    n->can_receive = card_room;
    n->receive = card_receive;
    n->link_changed = card_link;
    n->nic = c;
}

TEST(memory_cable_keeps_order_and_waits)
{
    struct err err = { "" };
    struct net *n = net_open_mem(&err);
    struct card c = { .room = true };
    size_t len;
    const uint8_t *f;

    CHECK(net_mem_put(n, "x", 1));
    CHECK_EQ(net_mem_run(n), 0); /* nobody there: discarded */
    plug(n, &c);
    CHECK(net_send(n, (const uint8_t *)"ab", 2) && net_send(n, (const uint8_t *)"c", 1));
    f = net_mem_get(n, &len);
    CHECK(f && len == 2 && f[1] == 'b');
    f = net_mem_get(n, &len);
    CHECK(f && len == 1 && f[0] == 'c');
    CHECK(!net_mem_get(n, &len));
    c.room = false;
    CHECK(net_mem_put(n, "1", 1) && net_mem_put(n, "2", 1));
    CHECK_EQ(net_mem_run(n), 2);
    c.room = true;
    CHECK_EQ(net_mem_run(n), 0);
    CHECK(c.got == 2 && c.first == '2');
    net_close(n);
}

TEST(held_down_and_cut_cables_are_silent)
{
    struct err err = { "" };
    struct net *n = net_open_mem(&err);
    struct card c = { .room = true };
    size_t len;

    plug(n, &c);
    net_hold(n, true);
    CHECK(net_mem_put(n, "1", 1));
    CHECK_EQ(net_mem_run(n), 1); /* waits: a stopped guest loses nothing */
    net_hold(n, false);
    CHECK_EQ(net_mem_run(n), 0);
    CHECK_EQ(c.got, 1);
    net_set_link(n, false);
    CHECK(c.links == 1 && !net_link(n));
    CHECK(net_mem_put(n, "2", 1));
    CHECK_EQ(net_mem_run(n), 0); /* lost, as on a pulled cable */
    CHECK(!net_send(n, (const uint8_t *)"3", 1) && !net_mem_get(n, &len));
    net_set_link(n, true);
    net_set_link(n, true);
    CHECK_EQ(c.links, 2);
    net_shut(n);
    net_shut(n);
    CHECK(c.links == 3 && !net_link(n));
    CHECK(!net_mem_put(n, "4", 1) && !net_send(n, (const uint8_t *)"5", 1));
    CHECK_EQ(c.got, 1);
    net_close(n);
    net_kick(NULL);
    net_close(NULL);
    CHECK(!net_send(NULL, (const uint8_t *)"6", 1) && !net_link(NULL));
}

TEST(frames_of_no_or_too_much_length_are_dropped)
{
    struct err err = { "" };
    struct net *n = net_open_mem(&err);
    struct card c = { .room = true };
    uint8_t *f = calloc(1, NET_FRAME_MAX + 1);

    plug(n, &c);
    CHECK(!net_send(n, f, 0) && !net_send(n, f, NET_FRAME_MAX + 1));
    CHECK(net_send(n, f, NET_FRAME_MAX));
    CHECK(net_mem_put(n, f, NET_FRAME_MAX + 1) && net_mem_put(n, f, 0));
    CHECK_EQ(net_mem_run(n), 0);
    CHECK_EQ(c.got, 0);
    free(f);
    net_close(n);
}

TEST(tap_names_are_checked)
{
    struct qt *t = qt_new();
    struct err err = { "" };

    CHECK(!net_open_tap(t->plat.loop, "", &err));
    CHECK(!net_open_tap(t->plat.loop, "a-name-of-too-many-characters", &err));
    CHECK(strstr(err.msg, "15 characters") != NULL);
}

/* A tap of our own, and a packet socket on its other side. NULL where we may not. */
static struct net *open_tap(struct qt *t, const char *name, int *sock)
{
    struct err err = { "" };
    struct net *n = net_open_tap(t->plat.loop, name, &err);
    struct sockaddr_ll addr = { .sll_family = AF_PACKET, .sll_protocol = htons(0x88b5) };
    struct ifreq ifr = { 0 };

    *sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(0x88b5));
    memcpy(ifr.ifr_name, name, strlen(name));
    addr.sll_ifindex = if_nametoindex(name);
    ifr.ifr_flags = IFF_UP;
    if (n && *sock >= 0 && !ioctl(*sock, SIOCSIFFLAGS, &ifr) &&
        !bind(*sock, (struct sockaddr *)&addr, sizeof(addr)))
        return n;
    fprintf(stderr, "no tap here (%s): skipped\n", err.msg);
    net_close(n);
    if (*sock >= 0)
        close(*sock);
    return NULL;
}

/* The kernel brings a frame when it finds the time: it may be a moment. */
static ssize_t sock_receive(int sock, uint8_t *buf, size_t size)
{
    struct pollfd pfd = { .fd = sock, .events = POLLIN };

    return poll(&pfd, 1, 20000) == 1 ? recv(sock, buf, size, 0) : -1;
}

/* The host's own neighbour discovery is on that cable too: only ours are counted. */
static void tap_receive(void *nic, const uint8_t *frame, size_t len)
{
    if (len >= 14 && get16(frame + 12) == 0x88b5)
        card_receive(nic, frame + 14, len - 14);
}

TEST(tap_carries_frames_both_ways)
{
    struct qt *t = qt_new();
    int sock;
    struct net *n = open_tap(t, "portico-test0", &sock);
    struct card c = { .room = true };
    uint8_t f[100] = { 0 }, got[200] = { 0 };
    struct err err;

    if (!n)
        return;
    plug(n, &c);
    n->receive = tap_receive;
    CHECK(!net_open_tap(t->plat.loop, "portico-test0", &err)); /* it is taken, and said so */
    CHECK(strstr(err.msg, "another process") != NULL);
    frame_ether(f, mac_all, 0x88b5);
    f[14] = 'h';
    CHECK(net_send(n, f, sizeof(f)));
    CHECK_EQ(sock_receive(sock, got, sizeof(got)), 100);
    CHECK(!memcmp(f, got, 100));

    for (unsigned i = 0; i < 200; i++) { /* more than one round of the loop */
        f[14] = i;
        CHECK_EQ(send(sock, f, sizeof(f), 0), 100);
    }
    loop_until(t, c.got == 200);
    CHECK(c.got == 200 && c.first == 199 && c.len == 86);
    c.room = false;
    CHECK_EQ(send(sock, f, sizeof(f), 0), 100);
    CHECK_EQ(send(sock, f, sizeof(f), 0), 100);
    loop_step(t);
    CHECK_EQ(c.got, 200);
    c.room = true;
    loop_step(t);
    CHECK_EQ(c.got, 200); /* it is the card that says so */
    net_kick(n);
    loop_until(t, c.got == 202);
    CHECK_EQ(c.got, 202);
    close(sock);
    net_shut(n);
    loop_until(t, !if_nametoindex("portico-test0"));
    CHECK_EQ(if_nametoindex("portico-test0"), 0);
    loop_step(t);
    net_close(n);
}

TEST(sums_agree_with_the_slow_way)
{
    uint8_t f[1600];
    uint64_t seed = 1071;

    for (unsigned i = 0; i < 2000; i++) {
        size_t at = rnd(&seed) % 8, len = rnd(&seed) % 1500;
        uint32_t start = rnd(&seed);

        for (size_t k = 0; k < len; k++)
            f[at + k] = i % 3 ? rnd(&seed) : 0xff;
        CHECK_EQ(net_fold(net_sum(f + at, len, start)) % 0xffff,
                 slow_sum(f + at, len, net_fold(start)) % 0xffff);
        CHECK_EQ(nic_fcs(f + at, len), slow_crc(f + at, len));
    }
}

TEST(headers_that_lie_are_not_followed)
{
    uint8_t f[200];
    struct nic_ip4 ip;
    uint64_t seed = 791;
    size_t n = frame_ip4(f, 6, 100);

    CHECK(nic_ip4(&ip, f, n) && ip.tcp && ip.l4 == 34 && ip.end == n);
    CHECK(!nic_ip4(&ip, f, n - 1));
    set16(f + 20, 0x2000);
    CHECK(nic_ip4(&ip, f, n) && ip.fragment && !ip.tcp);
    f[14] = 0x4f;
    set16(f + 16, 50);
    CHECK(!nic_ip4(&ip, f, n));
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t *copy = malloc(n);
        size_t len = rnd(&seed) % (n + 1);

        frame_ip4(f, rnd(&seed) % 2 ? 6 : 17, n - 54);
        f[12 + rnd(&seed) % 10] = rnd(&seed);
        memcpy(copy, f, n);
        copy = realloc(copy, len ? len : 1); /* what is read behind it, ASan sees */
        if (nic_ip4(&ip, copy, len)) {
            CHECK(ip.l3 < ip.l4 && ip.l4 <= ip.end && ip.end <= len);
            nic_ip4_sum_ok(&ip, copy);
            if (ip.tcp || ip.udp)
                nic_l4_sum_ok(&ip, copy);
        }
        free(copy);
    }
}

TEST(a_card_wants_a_proper_mac)
{
    static const char *const bad[] = { "", "00:16:3e:11:22", "00:16:3e:11:22:33:44", "x" };
    struct pci_func f = { 0 };
    struct nic nic = { 0 };
    struct err err = { "" };
    struct config cfg = { 0 };

    for (unsigned i = 0; i < 4; i++) {
        config_set(&cfg, "mac", bad[i]);
        CHECK_EQ(nic_init(&nic, &f, &cfg, "none.rom", NULL, &err), (uint64_t)-EINVAL);
        CHECK(strstr(err.msg, "aa:bb:cc:dd:ee:ff") != NULL);
    }
    config_free(&cfg);
}
