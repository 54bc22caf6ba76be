/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User-mode networking with a real portico-slirp: what a guest asks first of a
 * network, ports both ways, deaths, and what the process can still do.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>
#include "hw/core/config.h"
#include "net/net.h"
#include "net/segment.h"
#include "tests/unit/listening.h"
#include "tests/unit/qt.h"

#define HOST     0x0a000202
#define GUEST    0x0a00020f
#define PATIENCE 20000 /* ms */

struct guest {
    uv_loop_t loop;
    struct net *net;
    struct err err;
    bool (*wanted)(const uint8_t *f, size_t len); /* what is waited for */
    bool came;
    unsigned count; /* of those */
    uint8_t last[NET_FRAME_MAX];
    size_t len;
};

static const uint8_t guest_mac[6] = { 0x00, 0x16, 0x3e, 0x01, 0x02, 0x03 };

static void receive(void *nic, const uint8_t *frame, size_t len)
{
    struct guest *g = nic;

    if (!g->wanted || !g->wanted(frame, len))
        return;
    g->count++;
    if (g->came)
        return;
    g->came = true;
    memcpy(g->last, frame, len);
    g->len = len;
}

/* text: "key=value key=value" */
static struct guest *guest_new(const char *text)
{
    struct guest *g = calloc(1, sizeof(*g));
    struct config cfg = { 0 };
    char *copy = strdup(text), *rest = copy, *word;

    uv_loop_init(&g->loop);
    if (strncmp(text, "type=", 5))
        config_set(&cfg, "type", "user");
    while (*text && (word = strsep(&rest, " "))) {
        char *eq = strchr(word, '=');

        *eq = 0;
        config_set(&cfg, word, eq + 1);
    }
    g->net = net_open(&g->loop, "n", &cfg, SLIRP_DIR, &g->err);
    if (g->net) {
        g->net->nic = g;
        g->net->receive = receive;
    }
    config_free(&cfg);
    free(copy);
    return g;
}

static void guest_free(struct guest *g)
{
    net_close(g->net);
    uv_run(&g->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&g->loop) == 0);
    free(g);
}

/* Sends the frame again every second until the answer is there: also while a worker starts. */
static bool ask(struct guest *g, const uint8_t *frame, size_t len,
                bool (*wanted)(const uint8_t *f, size_t len), unsigned patience)
{
    g->came = false;
    g->count = 0;
    g->wanted = wanted;
    for (unsigned ms = 0; ms < patience && !g->came; ms++) {
        if (frame && ms % 1000 == 0)
            net_send(g->net, frame, len);
        uv_run(&g->loop, UV_RUN_NOWAIT);
        if (!g->came)
            usleep(1000);
    }
    return g->came;
}

/* ---- frames ---- */

static void set32(uint8_t *p, uint32_t v)
{
    net_put_be16(p, v >> 16);
    net_put_be16(p + 2, v & 0xffff);
}

static uint32_t word32(const uint8_t *p)
{
    return (uint32_t)net_be16(p) << 16 | net_be16(p + 2);
}

static void ether(uint8_t *f, unsigned type)
{
    static const uint8_t host[6] = { 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02 };

    memcpy(f, host, 6);
    memcpy(f + 6, guest_mac, 6);
    net_put_be16(f + 12, type);
}

static size_t arp(uint8_t *f, uint32_t target)
{
    static const uint8_t head[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };

    memset(f, 0, 60);
    ether(f, 0x0806);
    memset(f, 0xff, 6);
    memcpy(f + 14, head, sizeof(head));
    memcpy(f + 22, guest_mac, 6);
    set32(f + 28, GUEST);
    set32(f + 38, target);
    return 60;
}

static bool is_arp_reply(const uint8_t *f, size_t len)
{
    return len >= 42 && net_be16(f + 12) == 0x0806 && f[21] == 2;
}

static size_t udp(uint8_t *f, uint32_t from, uint32_t to, unsigned sport, unsigned dport,
                  const void *data, size_t len)
{
    ether(f, 0x0800);
    memset(f + 14, 0, 28);
    f[14] = 0x45;
    net_put_be16(f + 16, (unsigned)len + 28);
    f[22] = 64;
    f[23] = 17;
    set32(f + 26, from);
    set32(f + 30, to);
    net_put_sum(f, 34, 14, 34, 24, false);
    net_put_be16(f + 34, sport);
    net_put_be16(f + 36, dport);
    net_put_be16(f + 38, (unsigned)len + 8);
    memcpy(f + 42, data, len);
    return len + 42;
}

static bool is_udp(const uint8_t *f, size_t len)
{
    return len > 42 && net_be16(f + 12) == 0x0800 && f[23] == 17;
}

/* ---- tests ---- */

static bool dhcp_option(const uint8_t *f, size_t len, uint8_t code, uint8_t *val, size_t size)
{
    for (size_t at = 42 + 240; at + 2 <= len && f[at] != 255; at += 2u + f[at + 1]) {
        if (f[at] != code)
            continue;
        memset(val, 0, size);
        memcpy(val, f + at + 2, f[at + 1] < size ? f[at + 1] : size);
        return true;
    }
    return false;
}

static size_t dhcp_discover(uint8_t *f)
{
    uint8_t boot[300] = { 1, 1, 6, 0, 0x11, 0x22, 0x33, 0x44 };
    static const uint8_t options[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255 };
    size_t len;

    memcpy(boot + 28, guest_mac, 6);
    memcpy(boot + 236, options, sizeof(options));
    len = udp(f, 0, 0xffffffff, 68, 67, boot, sizeof(boot));
    memset(f, 0xff, 6);
    return len;
}

static bool is_offer(const uint8_t *f, size_t len)
{
    return is_udp(f, len) && net_be16(f + 36) == 68 && len > 42 + 240;
}

TEST(a_guest_is_given_an_address)
{
    struct guest *g =
        guest_new("hostname=box tftp=/usr/share bootfile=pxe.0 domainname=lab.example "
                  "dnssearch.0.str=a.example dnssearch.1.str=b.example");
    uint8_t f[1600], val[64];

    if (!g->net)
        fprintf(stderr, "%s\n", g->err.msg);
    CHECK(g->net);
    CHECK(ask(g, f, dhcp_discover(f), is_offer, PATIENCE));
    CHECK_EQ(word32(g->last + 42 + 16), GUEST);
    CHECK_EQ(word32(g->last + 42 + 20), HOST); /* where its boot file is */
    CHECK(!strcmp((char *)g->last + 42 + 108, "pxe.0"));
    CHECK(dhcp_option(g->last, g->len, 1, val, 4) && word32(val) == 0xffffff00);
    CHECK(dhcp_option(g->last, g->len, 3, val, 4) && word32(val) == HOST);
    CHECK(dhcp_option(g->last, g->len, 6, val, 4) && word32(val) == HOST + 1);
    CHECK(dhcp_option(g->last, g->len, 12, val, sizeof(val)) && !strcmp((char *)val, "box"));
    CHECK(dhcp_option(g->last, g->len, 15, val, sizeof(val)) &&
          !strcmp((char *)val, "lab.example"));
    CHECK(dhcp_option(g->last, g->len, 119, val, sizeof(val)) && !memcmp(val, "\1a\7example", 9));
    guest_free(g);
}

TEST(the_network_is_where_it_is_told)
{
    struct guest *g = guest_new("net=192.168.76.0/24 host=192.168.76.9 dhcpstart=192.168.76.40 "
                                "dns=192.168.76.10");
    uint8_t f[1600], val[4];

    CHECK(g->net && ask(g, f, dhcp_discover(f), is_offer, PATIENCE));
    CHECK_EQ(word32(g->last + 42 + 16), 0xc0a84c28);
    CHECK(dhcp_option(g->last, g->len, 3, val, 4) && word32(val) == 0xc0a84c09);
    CHECK(dhcp_option(g->last, g->len, 6, val, 4) && word32(val) == 0xc0a84c0a);
    guest_free(g);
}

/* passt takes the interface that leads out, and does not start on a host without one. */
static bool has_way_out(void)
{
    char line[256];
    bool found = false;
    FILE *f = fopen("/proc/net/route", "r");

    while (f && fgets(line, sizeof(line), f))
        found |= strstr(line, "\t00000000\t") != NULL;
    if (f)
        fclose(f);
    return found;
}

/* passt is the other network of this kind: a program of its own, over its socket (passt(1)). */
TEST(passt_gives_an_address_too)
{
    char dir[] = "/tmp/portico-passt-XXXXXX", sock[64], text[128], line[256];
    char *argv[24] = { NULL }, *save = NULL;
    struct guest *g = NULL;
    uint8_t f[1600], val[4];
    posix_spawn_file_actions_t fa;
    unsigned n = 0;
    pid_t pid;

    if (!has_way_out())
        return;
    CHECK(mkdtemp(dir) && !chmod(dir, 0777)); /* passt does not stay root */
    snprintf(sock, sizeof(sock), "%s/s", dir);
    snprintf(line, sizeof(line), "passt -f -q -4 -a 192.0.2.5 -n 24 -g 192.0.2.1 -s %s", sock);
    for (char *w = strtok_r(line, " ", &save); w && n < 23; w = strtok_r(NULL, " ", &save))
        argv[n++] = w;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0);
    CHECK(!posix_spawnp(&pid, "passt", &fa, NULL, argv, environ));
    posix_spawn_file_actions_destroy(&fa);
    CHECK(wait_listening(sock, PATIENCE));
    snprintf(text, sizeof(text), "type=stream addr.type=unix addr.path=%s", sock);
    g = guest_new(text);
    if (!g->net)
        fprintf(stderr, "%s\n", g->err.msg);
    CHECK(g->net && ask(g, f, dhcp_discover(f), is_offer, PATIENCE));
    CHECK_EQ(word32(g->last + 42 + 16), 0xc0000205);
    CHECK(dhcp_option(g->last, g->len, 3, val, 4) && word32(val) == 0xc0000201);
    CHECK(ask(g, f, arp(f, 0xc0000201), is_arp_reply, PATIENCE));
    guest_free(g);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    unlink(sock);
    rmdir(dir);
}

static bool is_tftp_data(const uint8_t *f, size_t len)
{
    return is_udp(f, len) && net_be16(f + 36) == 1069 && net_be16(f + 42) == 3;
}

static bool is_tftp_error(const uint8_t *f, size_t len)
{
    return is_udp(f, len) && net_be16(f + 36) == 1069 && net_be16(f + 42) == 5;
}

TEST(files_come_by_tftp_and_none_from_outside)
{
    char dir[] = "/tmp/portico-tftp-XXXXXX", path[64], text[96];
    static const char get[] = "\0\1hello\0octet", climb[] = "\0\1../../etc/passwd\0octet";
    uint8_t f[1600];
    struct guest *g;
    FILE *file;

    CHECK(mkdtemp(dir) && !chmod(dir, 0755));
    snprintf(path, sizeof(path), "%s/hello", dir);
    file = fopen(path, "w");
    CHECK(file && fputs("all of it", file) >= 0 && !fclose(file) && !chmod(path, 0644));
    snprintf(text, sizeof(text), "tftp=%s", dir);
    g = guest_new(text);
    CHECK(g->net && ask(g, f, arp(f, HOST), is_arp_reply, PATIENCE));
    CHECK(ask(g, f, udp(f, GUEST, HOST, 1069, 69, get, sizeof(get)), is_tftp_data, PATIENCE));
    CHECK(g->len >= 42 + 13 && !memcmp(g->last + 46, "all of it", 9));
    CHECK(ask(g, f, udp(f, GUEST, HOST, 1069, 69, climb, sizeof(climb)), is_tftp_error, PATIENCE));
    guest_free(g);
    unlink(path);
    rmdir(dir);
}

/* A socket of the host's on 127.0.0.1, and its port. */
static int host_socket(unsigned *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof(a)) &&
          !getsockname(fd, (struct sockaddr *)&a, &len));
    *port = ntohs(a.sin_port);
    return fd;
}

/* Sends the frame until the socket hears of it. */
static bool host_hears(struct guest *g, int fd, const uint8_t *f, size_t len, unsigned patience,
                       struct sockaddr_in *from)
{
    char text[64];
    socklen_t size = sizeof(*from);

    for (unsigned ms = 0; ms < patience; ms++) {
        if (ms % 1000 == 0)
            net_send(g->net, f, len);
        uv_run(&g->loop, UV_RUN_NOWAIT);
        if (recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)from, &size) > 0)
            return true;
        usleep(1000);
    }
    return false;
}

static bool is_pong(const uint8_t *f, size_t len)
{
    return is_udp(f, len) && len >= 46 && !memcmp(f + 42, "pong", 4);
}

TEST(a_guest_reaches_the_host_and_is_answered)
{
    struct guest *g = guest_new("");
    struct sockaddr_in from = { 0 };
    unsigned port;
    int fd = host_socket(&port);
    uint8_t f[1600];

    CHECK(g->net && ask(g, f, arp(f, HOST), is_arp_reply, PATIENCE));
    CHECK(g->last[22] == 0x52 && g->last[27] == 0x02);
    CHECK(host_hears(g, fd, f, udp(f, GUEST, HOST, 4000, port, "ping", 4), PATIENCE, &from));
    CHECK(sendto(fd, "pong", 4, 0, (struct sockaddr *)&from, sizeof(from)) == 4);
    CHECK(ask(g, NULL, 0, is_pong, PATIENCE));
    CHECK(word32(g->last + 26) == HOST && net_be16(g->last + 34) == port &&
          net_be16(g->last + 36) == 4000);
    close(fd);
    guest_free(g);
}

TEST(a_restricted_guest_reaches_nobody)
{
    struct guest *g = guest_new("restrict=on");
    struct sockaddr_in from = { 0 };
    unsigned port;
    int fd = host_socket(&port);
    uint8_t f[1600];

    CHECK(g->net && ask(g, f, arp(f, HOST), is_arp_reply, PATIENCE));
    CHECK(!host_hears(g, fd, f, udp(f, GUEST, HOST, 4000, port, "ping", 4), 300, &from));
    CHECK(ask(g, f, dhcp_discover(f), is_offer, PATIENCE)); /* all that came before was seen */
    CHECK(recv(fd, f, sizeof(f), 0) < 0);
    close(fd);
    guest_free(g);
}

static bool is_syn(const uint8_t *f, size_t len)
{
    return len >= 54 && net_be16(f + 12) == 0x0800 && f[23] == 6 && (f[47] & 0x12) == 0x02;
}

static bool is_forwarded(const uint8_t *f, size_t len)
{
    return is_udp(f, len) && net_be16(f + 36) == 53;
}

TEST(ports_of_the_host_lead_to_the_guest)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    unsigned port, port2;
    int probe = host_socket(&port), probe2 = host_socket(&port2), tcp, other;
    char text[128];
    struct guest *g;
    uint8_t f[1600];

    close(probe);
    close(probe2);
    snprintf(text, sizeof(text),
             "hostfwd.0.str=udp:127.0.0.1:%u-:53 hostfwd.1.str=tcp::%u-10.0.2.77:22", port, port2);
    g = guest_new(text);
    CHECK(g->net && ask(g, f, arp(f, HOST), is_arp_reply, PATIENCE));
    other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    a.sin_port = htons((uint16_t)port);
    CHECK(sendto(other, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)) == 1);
    CHECK(ask(g, NULL, 0, is_forwarded, PATIENCE));
    CHECK(g->last[42] == 'x' && word32(g->last + 30) == GUEST);
    arp(f, HOST); /* it is told where the other guest is, for it would ask */
    set32(f + 28, 0x0a00024d);
    CHECK(ask(g, f, 60, is_arp_reply, PATIENCE));
    tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    a.sin_port = htons((uint16_t)port2);
    CHECK(!connect(tcp, (struct sockaddr *)&a, sizeof(a)) || errno == EINPROGRESS);
    CHECK(ask(g, NULL, 0, is_syn, PATIENCE));
    CHECK(net_be16(g->last + 36) == 22 && word32(g->last + 30) == 0x0a00024d);
    close(tcp);
    close(other);
    guest_free(g);
}

static bool is_router(const uint8_t *f, size_t len)
{
    return len >= 70 && net_be16(f + 12) == 0x86dd && f[20] == 58 && f[54] == 134;
}

TEST(a_router_speaks_ipv6)
{
    struct guest *g = guest_new("ipv6=on ipv6-net=fd00:1::/64");
    static const uint8_t all_routers[16] = { 0xff, 2, [15] = 2 };
    uint8_t f[62] = { 0x33, 0x33, 0, 0, 0, 2 };
    bool found = false;

    ether(f, 0x86dd);
    f[0] = f[1] = 0x33;
    memset(f + 2, 0, 3);
    f[5] = 2;
    f[14] = 0x60;
    f[19] = 8; /* an ICMPv6 solicitation, from fe80::1 */
    f[20] = 58;
    f[21] = 255;
    f[22] = 0xfe;
    f[23] = 0x80;
    f[37] = 1;
    memcpy(f + 38, all_routers, 16);
    f[54] = 133;
    net_put_be16(f + 56, net_fold(net_sum(f + 22, 32, 58 + 8)));
    net_put_sum(f, sizeof(f), 54, sizeof(f), 56, false);
    CHECK(g->net && ask(g, f, sizeof(f), is_router, PATIENCE));
    for (size_t i = 70; i + 6 < g->len; i++)
        found |= !memcmp(g->last + i, "\xfd\x00\x00\x01\x00\x00", 6);
    CHECK(found);
    guest_free(g);
}

/* ---- the processes ---- */

/* The first child of that process which is a portico-slirp; 0: none. */
static pid_t child_of(pid_t parent)
{
    char path[64], line[256] = "", *p = line, *end;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
    f = fopen(path, "r");
    if (!f || !fgets(line, sizeof(line), f))
        line[0] = 0;
    if (f)
        fclose(f);
    for (long pid; (pid = strtol(p, &end, 10)) > 0 && end != p; p = end) {
        char name[32] = "";

        snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
        f = fopen(path, "r");
        if (f && fgets(name, sizeof(name), f) && !strncmp(name, "portico-slirp", 13)) {
            fclose(f);
            return (pid_t)pid;
        }
        if (f)
            fclose(f);
    }
    return 0;
}

static pid_t other_child(pid_t parent, pid_t old)
{
    for (unsigned ms = 0; ms < PATIENCE; ms++) {
        pid_t now = child_of(parent);

        if (now && now != old)
            return now;
        usleep(1000);
    }
    return 0;
}

TEST(a_worker_that_dies_is_not_missed)
{
    struct guest *g = guest_new("");
    pid_t supervisor = child_of(getpid()), worker;
    uint8_t f[1600];

    CHECK(g->net && ask(g, f, arp(f, HOST), is_arp_reply, PATIENCE));
    CHECK(supervisor > 0);
    worker = child_of(supervisor);
    CHECK(worker > 0 && !kill(worker, SIGKILL));
    CHECK(other_child(supervisor, worker) > 0);
    CHECK(ask(g, f, arp(f, HOST), is_arp_reply, PATIENCE) && net_link(g->net));
    CHECK_EQ(child_of(getpid()), supervisor);
    guest_free(g);
    CHECK(!child_of(getpid()));
}

TEST(all_of_it_is_started_again)
{
    struct guest *g = guest_new("");
    pid_t supervisor = child_of(getpid());
    uint8_t f[1600];

    CHECK(g->net && ask(g, f, arp(f, HOST), is_arp_reply, PATIENCE));
    CHECK(supervisor > 0 && !kill(supervisor, SIGKILL));
    for (unsigned ms = 0; ms < PATIENCE && child_of(getpid()) == supervisor; ms++) {
        uv_run(&g->loop, UV_RUN_NOWAIT); /* its death is heard of */
        usleep(1000);
    }
    CHECK(ask(g, f, dhcp_discover(f), is_offer, PATIENCE) && net_link(g->net));
    CHECK(child_of(getpid()) > 0 && child_of(getpid()) != supervisor);
    net_shut(g->net);
    CHECK(!child_of(getpid()) && !net_send(g->net, f, 60));
    guest_free(g);
}

static long status_of(pid_t pid, const char *key, int base)
{
    char path[64], line[256];
    long val = -1;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f)) {
        if (!strncmp(line, key, strlen(key)))
            val = strtol(line + strlen(key), NULL, base);
    }
    if (f)
        fclose(f);
    return val;
}

TEST(the_worker_can_do_nothing_but_network)
{
    struct guest *g = guest_new("");
    pid_t worker = child_of(child_of(getpid()));
    char path[64];
    unsigned files = 0;
    DIR *d;

    CHECK(g->net && worker > 0);
    CHECK_EQ(status_of(worker, "NoNewPrivs:", 10), 1);
    CHECK_EQ(status_of(worker, "Seccomp:", 10), 2);
    CHECK_EQ(status_of(worker, "CapEff:", 16), 0);
    CHECK(status_of(worker, "Uid:", 10) != 0);
    snprintf(path, sizeof(path), "/proc/%d/fd", worker);
    d = opendir(path); /* root may look; others may not, and need not */
    while (d && readdir(d))
        files++;
    CHECK(files <= 2 + 6);
    if (d)
        closedir(d);
    guest_free(g);
}

TEST(a_guest_that_stands_still_holds_its_senders)
{
    struct guest *g = guest_new("");
    struct sockaddr_in from = { 0 };
    unsigned port;
    int fd = host_socket(&port);
    uint8_t f[1600];
    char block[1000] = "pong";

    CHECK(g->net && ask(g, f, arp(f, HOST), is_arp_reply, PATIENCE));
    CHECK(host_hears(g, fd, f, udp(f, GUEST, HOST, 4000, port, "ping", 4), PATIENCE, &from));
    net_hold(g->net, true);
    for (unsigned i = 0; i < 40; i++)
        CHECK(sendto(fd, block, sizeof(block), 0, (struct sockaddr *)&from, sizeof(from)) > 0);
    CHECK(!ask(g, NULL, 0, is_pong, 100));
    net_hold(g->net, false);
    CHECK(ask(g, NULL, 0, is_pong, PATIENCE));
    for (unsigned ms = 0; ms < PATIENCE && g->count < 40; ms++) {
        uv_run(&g->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    CHECK_EQ(g->count, 40);
    close(fd);
    guest_free(g);
}

TEST(what_makes_no_sense_is_refused)
{
    static const struct {
        const char *text, *words;
    } bad[] = {
        { "net=10.0.2.0/33", "netdev n: net=10.0.2.0/33: the mask is neither" },
        { "net=10.0.2.0/30", "net=10.0.2.0/30: too small" },
        { "net=ten", "net=ten: not ADDRESS/MASK" },
        { "host=10.0.3.2", "host=10.0.3.2: not an address of the network" },
        { "dns=10.0.2.2", "dns=10.0.2.2: is the address of the host" },
        { "dhcpstart=10.0.2.2", "dhcpstart=10.0.2.2: is the address of the host or" },
        { "dhcpstart=10.0.2.255", "dhcpstart=10.0.2.255: not an address of the network" },
        { "host=host", "host=host: not an IPv4 address" },
        { "ipv6-host=fec1::2", "ipv6-host=fec1::2: not an address of the network" },
        { "ipv6-prefixlen=127", "ipv6-prefixlen=127: not a number from 0 to 126" },
        { "ipv4=off ipv6=off", "one of them must be on" },
        { "restrict=perhaps", "restrict=perhaps: say on or off" },
        { "hostfwd.0.str=tcp:2222-:22", "hostfwd=tcp:2222-:22: not tcp:[HOST]:PORT-[GUEST]:PORT" },
        { "hostfwd.0.str=sctp::1-:2", "begins with neither tcp: nor udp:" },
        { "hostfwd.0.str=tcp::99999-:22", "not tcp:[HOST]" },
        { "hostfwd.0.str=tcp:192.0.2.1:2222-:22", "cannot take that port of the host" },
        { "guestfwd.0.str=tcp:10.0.2.100:80-cmd:cat", "guestfwd=tcp:10.0.2.100:80-cmd:cat: not" },
        { "smb=/tmp", "smb=/tmp: not supported" },
        { "tftp=/no/such", "tftp=/no/such: No such file or directory" },
        { "tftp=/etc/passwd", "tftp=/etc/passwd: not a directory" },
        { "domainname=", "domainname=: is empty" },
        { "colour=red", "colour=red: unknown key" },
    };

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct guest *g = guest_new(bad[i].text);

        if (g->net || !strstr(g->err.msg, bad[i].words))
            fprintf(stderr, "%s: %s\n", bad[i].text, g->err.msg);
        CHECK(!g->net && strstr(g->err.msg, bad[i].words) && !strchr(g->err.msg, '\n'));
        uv_run(&g->loop, UV_RUN_DEFAULT);
        CHECK(!uv_loop_close(&g->loop));
        free(g);
    }
    CHECK(!child_of(getpid()));
}
