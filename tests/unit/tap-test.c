/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A real tap, in a network namespace of the test's own. That takes root; who is
 * not root sees these tests pass without having asked anything.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>
#include "net/net.h"
#include "net/segment.h"
#include "tests/unit/qt.h"

#define HOST     0xc0000201 /* 192.0.2.1, the tap's own */
#define GUEST    0xc0000202
#define PATIENCE 20000 /* ms */

static const uint8_t guest_mac[6] = { 0x02, 0, 0, 0, 0, 2 };

struct card {
    uv_loop_t loop;
    struct net *net;
    struct err err;
    bool room;
    unsigned got; /* UDP packets for us */
    uint8_t last[2048];
    size_t len;
};

static bool can_receive(void *nic)
{
    return ((struct card *)nic)->room;
}

/* The kernel says other things of its own accord on a new interface. */
static void receive(void *nic, const uint8_t *f, size_t len)
{
    struct card *c = nic;

    if (len < 42 || len > sizeof(c->last) || net_be16(f + 12) != 0x0800 || f[23] != 17)
        return;
    c->got++;
    memcpy(c->last, f, len);
    c->len = len;
}

static void in(struct sockaddr *sa, uint32_t addr)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(addr) } };

    memcpy(sa, &a, sizeof(a));
}

/* Brings the tap up with an address, and tells the host where the guest is: no ARP is needed. */
static void bring_up(const char *name)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq r = { 0 };
    struct arpreq arp = { .arp_flags = ATF_PERM | ATF_COM };

    strncpy(r.ifr_name, name, IFNAMSIZ - 1);
    in(&r.ifr_addr, HOST);
    CHECK(!ioctl(fd, SIOCSIFADDR, &r));
    in(&r.ifr_netmask, 0xffffff00);
    CHECK(!ioctl(fd, SIOCSIFNETMASK, &r));
    CHECK(!ioctl(fd, SIOCGIFFLAGS, &r));
    r.ifr_flags |= IFF_UP;
    CHECK(!ioctl(fd, SIOCSIFFLAGS, &r));
    in(&arp.arp_pa, GUEST);
    arp.arp_ha.sa_family = ARPHRD_ETHER;
    memcpy(arp.arp_ha.sa_data, guest_mac, 6);
    strncpy(arp.arp_dev, name, sizeof(arp.arp_dev) - 1);
    CHECK(!ioctl(fd, SIOCSARP, &arp));
    close(fd);
}

static struct card *card_new(void)
{
    struct card *c;

    if (geteuid() || unshare(CLONE_NEWNET))
        return NULL;
    c = calloc(1, sizeof(*c));
    uv_loop_init(&c->loop);
    c->room = true;
    c->net = net_open_tap(&c->loop, "portico0", &c->err);
    if (!c->net && access("/dev/net/tun", R_OK | W_OK)) { /* a container without one */
        uv_loop_close(&c->loop);
        free(c);
        return NULL;
    }
    CHECK(c->net);
    c->net->nic = c;
    c->net->can_receive = can_receive;
    c->net->receive = receive;
    bring_up("portico0");
    return c;
}

static void card_free(struct card *c)
{
    net_close(c->net);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    CHECK(!uv_loop_close(&c->loop));
    free(c);
}

static void turn(struct card *c, unsigned want)
{
    for (unsigned ms = 0; ms < PATIENCE && c->got < want; ms++) {
        uv_run(&c->loop, UV_RUN_NOWAIT);
        if (c->got < want)
            usleep(1000);
    }
    CHECK_EQ(c->got, want);
}

static int host_socket(unsigned port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr = { htonl(HOST) } };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof(a)));
    return fd;
}

static void say(int fd, const void *data, size_t len)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(7),
                             .sin_addr = { htonl(GUEST) } };

    CHECK(sendto(fd, data, len, 0, (struct sockaddr *)&a, sizeof(a)) == (ssize_t)len);
}

static uint32_t pseudo(const uint8_t *f, size_t len)
{
    return net_sum(f + 26, 8, 17 + (uint32_t)(len - 34));
}

TEST(the_host_leaves_sums_and_a_card_sees_them_done)
{
    struct card *c = card_new();
    int fd;

    if (!c)
        return;
    fd = host_socket(9);
    say(fd, "hello", 5);
    turn(c, 1);
    CHECK(c->len == 47 && !memcmp(c->last, guest_mac, 6) && !memcmp(c->last + 42, "hello", 5));
    CHECK(net_be16(c->last + 40) != 0);
    CHECK_EQ(net_fold(net_sum(c->last + 34, c->len - 34, pseudo(c->last, c->len))), 0xffff);
    close(fd);
    card_free(c);
}

/* A packet of UDP from the guest, its sum done or left to the host. */
static size_t packet(uint8_t *f, const char *text, bool done)
{
    size_t len = 42 + strlen(text);

    memset(f, 0, 42);
    memset(f, 0xff, 6);
    memcpy(f + 6, guest_mac, 6);
    f[12] = 8;
    f[14] = 0x45;
    net_put_be16(f + 16, (unsigned)len - 14);
    f[22] = 64;
    f[23] = 17;
    net_put_be16(f + 26, GUEST >> 16);
    net_put_be16(f + 28, GUEST & 0xffff);
    net_put_be16(f + 30, HOST >> 16);
    net_put_be16(f + 32, HOST & 0xffff);
    net_put_sum(f, len, 14, 34, 24, false);
    net_put_be16(f + 34, 7);
    net_put_be16(f + 36, 9);
    net_put_be16(f + 38, (unsigned)len - 34);
    memcpy(f + 42, text, strlen(text));
    net_put_be16(f + 40, net_fold(pseudo(f, len)));
    if (done)
        net_put_sum(f, len, 34, len, 40, true);
    return len;
}

static void heard(int fd, const char *text)
{
    char buf[64] = "";
    ssize_t n = -1;

    for (unsigned ms = 0; ms < PATIENCE && n < 0; ms++) {
        n = recv(fd, buf, sizeof(buf) - 1, 0);
        if (n < 0)
            usleep(1000);
    }
    CHECK(n == (ssize_t)strlen(text) && !strcmp(buf, text));
}

TEST(a_card_may_leave_sums_to_the_host)
{
    struct card *c = card_new();
    const struct net_offload o = { .flags = NET_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6 };
    uint8_t f[128];
    size_t len;
    int fd;

    if (!c)
        return;
    fd = host_socket(9);
    CHECK_EQ(net_takes(c->net), NET_TAKES_SUM | NET_TAKES_TSO4 | NET_TAKES_TSO6);
    len = packet(f, "whole", true);
    memset(f, 0xff, 6);
    CHECK(net_send(c->net, f, len));
    len = packet(f, "undone", false);
    CHECK(net_send_offload(c->net, &o, f, len));
    heard(fd, "whole");
    heard(fd, "undone");
    CHECK(net_send(c->net, f, len)); /* said to be done, and is not: the host drops it */
    len = packet(f, "last", true);
    CHECK(net_send(c->net, f, len));
    heard(fd, "last");
    close(fd);
    card_free(c);
}

TEST(frames_wait_in_the_taps_queue)
{
    struct card *c = card_new();
    int fd;

    if (!c)
        return;
    fd = host_socket(9);
    c->room = false;
    for (char ch = 'a'; ch < 'a' + 20; ch++)
        say(fd, &ch, 1);
    for (unsigned i = 0; i < 20; i++)
        uv_run(&c->loop, UV_RUN_NOWAIT);
    CHECK(!c->got);
    c->room = true;
    net_kick(c->net);
    CHECK(!c->got); /* a kick delivers nothing itself */
    turn(c, 20);
    CHECK_EQ(c->last[42], 'a' + 19);
    close(fd);
    card_free(c);
}

TEST(a_storm_has_its_share_of_a_turn)
{
    struct card *c = card_new();
    char block[1400] = "";
    int fd;

    if (!c)
        return;
    fd = host_socket(9);
    for (unsigned i = 0; i < 200; i++)
        say(fd, block, sizeof(block));
    for (unsigned before = 0, i = 0; c->got < 200 && i < PATIENCE; i++) {
        uv_run(&c->loop, UV_RUN_NOWAIT);
        CHECK(c->got - before <= NET_TURN_FRAMES);
        before = c->got;
    }
    CHECK_EQ(c->got, 200);
    close(fd);
    card_free(c);
}

TEST(a_tap_has_one_user_and_goes_with_him)
{
    struct card *c = card_new();
    struct err err = { "" };

    CHECK(!net_open_tap(NULL, "sixteencharacter", &err) && strstr(err.msg, "1 to 15 characters"));
    CHECK(!net_open_tap(NULL, "", &err));
    if (!c)
        return;
    CHECK(!net_open_tap(&c->loop, "portico0", &err));
    CHECK(strstr(err.msg, "tap portico0: Device or resource busy; another process has it"));
    CHECK(!net_open_tap(&c->loop, "lo", &err) && strstr(err.msg, "that is no tap"));
    CHECK(if_nametoindex("portico0"));
    net_shut(c->net);
    CHECK(!if_nametoindex("portico0") && !net_link(c->net) && !net_takes(c->net));
    card_free(c);
}
