/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network cards: addresses, DHCP (RFC 2131), echo requests, and bytes over TCP both ways. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "guest.h"

#define BLOCK       (256 * 1024)
#define ADD_VLAN    0 /* linux/if_vlan.h */
#define SIOCSIFVLAN 0x8983

struct vlan_args { /* struct vlan_ioctl_args */
    int cmd;
    char device[24];
    union {
        char device2[24];
        int id;
    } u;
    short qos;
};

static int set(const char *name, unsigned long what, struct ifreq *r)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

    snprintf(r->ifr_name, sizeof(r->ifr_name), "%s", name);
    rc = ioctl(fd, what, r);
    close(fd);
    return rc;
}

static int up(const char *name, bool on)
{
    struct ifreq r = { 0 };

    set(name, SIOCGIFFLAGS, &r);
    r.ifr_flags = (short)(on ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
    return set(name, SIOCSIFFLAGS, &r);
}

static int set_addr(const char *name, unsigned long what, uint32_t addr)
{
    struct ifreq r = { 0 };
    struct sockaddr_in *in = (struct sockaddr_in *)&r.ifr_addr;

    in->sin_family = AF_INET;
    in->sin_addr.s_addr = addr;
    return set(name, what, &r);
}

static bool attribute(const char *name, const char *what, char *out, size_t size)
{
    char path[128];

    snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, what);
    return slurp(path, out, size);
}

/* The interface of that name, driver or address; NULL: it has been said. */
static const char *find(const char *word)
{
    static char name[IFNAMSIZ];
    struct dirent **e;
    int n = scandir("/sys/class/net", &e, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char path[300], link[256] = "", mac[32] = "";
        const char *driver;

        snprintf(path, sizeof(path), "/sys/class/net/%s/device/driver", e[i]->d_name);
        if (readlink(path, link, sizeof(link) - 1) < 0)
            link[0] = 0;
        driver = strrchr(link, '/') ? strrchr(link, '/') + 1 : link;
        attribute(e[i]->d_name, "address", mac, sizeof(mac));
        if (strcmp(e[i]->d_name, word) && strcmp(driver, word) && (!*link || strcmp(mac, word)))
            continue;
        snprintf(name, sizeof(name), "%.15s", e[i]->d_name);
        return name;
    }
    say("error no interface %s", word);
    return NULL;
}

static void cmd_net(int argc, char **argv)
{
    struct dirent **e;
    int n, cards = 0;

    load_modules("/modules/net", ""); /* who does not ask for cards need not wait for them */
    n = scandir("/sys/class/net", &e, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[300], link[256] = "", mac[32], carrier[8];
        const char *name = e[i]->d_name;

        snprintf(path, sizeof(path), "/sys/class/net/%s/device/driver", name);
        if (readlink(path, link, sizeof(link) - 1) < 0)
            continue;
        attribute(name, "address", mac, sizeof(mac));
        if (!attribute(name, "carrier", carrier, sizeof(carrier)))
            snprintf(carrier, sizeof(carrier), "down");
        say("card %s driver=%s mac=%s carrier=%s", name, strrchr(link, '/') + 1, mac, carrier);
        cards++;
    }
    say("net cards=%d", cards);
}

/* "10.0.0.1/24"; nought with a mask of nought takes the address away. */
static int configure(const char *name, const char *text, const char *gateway)
{
    char addr[32];
    const char *slash = strchr(text, '/');
    int bits = slash ? atoi(slash + 1) : 24, rc;
    struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };

    snprintf(addr, sizeof(addr), "%.*s", (int)(slash ? slash - text : (long)strlen(text)), text);
    rc = up(name, true);
    rc |= set_addr(name, SIOCSIFADDR, inet_addr(addr));
    rc |= set_addr(name, SIOCSIFNETMASK, htonl(bits ? ~0u << (32 - bits) : 0));
    if (!rc && gateway) {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        *(struct sockaddr_in *)&route.rt_dst = (struct sockaddr_in){ .sin_family = AF_INET };
        *(struct sockaddr_in *)&route.rt_genmask = (struct sockaddr_in){ .sin_family = AF_INET };
        *(struct sockaddr_in *)&route.rt_gateway =
            (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { inet_addr(gateway) } };
        rc = ioctl(fd, SIOCADDRT, &route);
        close(fd);
    }
    return rc;
}

static void cmd_addr(int argc, char **argv)
{
    const char *name = argc > 2 ? find(argv[1]) : NULL;

    if (!name)
        return;
    if (configure(name, argv[2], argc > 3 ? argv[3] : NULL))
        say("error %s: %m", name);
    else
        say("addr %s %s", name, argv[2]);
}

static void cmd_down(int argc, char **argv)
{
    const char *name = argc > 1 ? find(argv[1]) : NULL;

    if (!name)
        return;
    set_addr(name, SIOCSIFADDR, 0);
    up(name, false);
    say("down %s", name);
}

static void cmd_mtu(int argc, char **argv)
{
    const char *name = argc > 2 ? find(argv[1]) : NULL;
    struct ifreq r = { .ifr_mtu = num(argc, argv, 2, 1500) };

    if (!name)
        return;
    if (set(name, SIOCSIFMTU, &r))
        say("error %s: %m", name);
    else
        say("mtu %d", num(argc, argv, 2, 1500));
}

static void cmd_vlan(int argc, char **argv)
{
    const char *name = argc > 3 ? find(argv[1]) : NULL;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct vlan_args v = { .cmd = ADD_VLAN };
    char vlan[64];

    if (!name)
        return;
    v.u.id = num(argc, argv, 2, 1);
    snprintf(v.device, sizeof(v.device), "%s", name);
    snprintf(vlan, sizeof(vlan), "%s.%d", name, v.u.id);
    up(name, true);
    if (ioctl(fd, SIOCSIFVLAN, &v)) {
        say("error vlan: %m");
    } else { /* the kernel's own habit of names: vlan0007, eth0.7, … */
        char other[64];

        snprintf(other, sizeof(other), "vlan%04d", v.u.id);
        if (configure(vlan, argv[3], NULL) && configure(other, argv[3], NULL))
            say("error %s: %m", vlan);
        else
            say("vlan %s", argv[3]);
    }
    close(fd);
}

static void cmd_carrier(int argc, char **argv)
{
    const char *name = argc > 3 ? find(argv[1]) : NULL;
    double end = seconds() + num(argc, argv, 3, 10);
    char now[8] = "";

    while (name && seconds() < end) {
        if (attribute(name, "carrier", now, sizeof(now)) && !strcmp(now, argv[2]))
            break;
        usleep(50000);
    }
    if (name)
        say("carrier %s", *now ? now : "?");
}

/* ---- DHCP, without an address yet: whole IP packets ---- */

struct dhcp {
    struct iphdr ip;
    struct udphdr udp;
    uint8_t op, htype, hlen, hops;
    uint32_t xid;
    uint16_t secs, flags;
    uint32_t ciaddr, yiaddr, siaddr, giaddr;
    uint8_t chaddr[16], sname[64], file[128], magic[4], options[312];
} __attribute__((packed));

static uint16_t ip_sum(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)(p[i] << 8 | p[i + 1]);
    if (len & 1)
        sum += (uint32_t)p[len - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

static const uint8_t *option(const struct dhcp *d, uint8_t code)
{
    for (size_t at = 0; at + 2 < sizeof(d->options) && d->options[at] != 255;
         at += 2u + d->options[at + 1]) {
        if (d->options[at] == code)
            return d->options + at + 2;
    }
    return NULL;
}

static void make_dhcp(struct dhcp *d, const uint8_t mac[6], uint8_t type, const struct dhcp *offer)
{
    uint8_t *o = d->options;

    memset(d, 0, sizeof(*d));
    d->ip = (struct iphdr){ .version = 4,
                            .ihl = 5,
                            .ttl = 64,
                            .protocol = IPPROTO_UDP,
                            .tot_len = htons(sizeof(*d)),
                            .daddr = 0xffffffff };
    d->ip.check = ip_sum(&d->ip, sizeof(d->ip));
    d->udp.source = htons(68);
    d->udp.dest = htons(67);
    d->udp.len = htons(sizeof(*d) - sizeof(d->ip));
    d->op = d->htype = 1;
    d->hlen = 6;
    d->xid = 0x12345678;
    d->flags = htons(0x8000); /* the answer by broadcast */
    memcpy(d->chaddr, mac, 6);
    memcpy(d->magic, "\x63\x82\x53\x63", 4);
    *o++ = 53, *o++ = 1, *o++ = type;
    if (offer) {
        *o++ = 50, *o++ = 4;
        memcpy(o, &offer->yiaddr, 4), o += 4;
        if (option(offer, 54)) {
            *o++ = 54, *o++ = 4;
            memcpy(o, option(offer, 54), 4), o += 4;
        }
    }
    *o = 255;
}

/* Sends it every two seconds until the server answers with that type. */
static bool exchange(int fd, int index, const struct dhcp *out, uint8_t type, struct dhcp *in)
{
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_protocol = htons(0x0800), .sll_ifindex = index, .sll_halen = 6
    };

    memset(to.sll_addr, 0xff, 6);
    for (int i = 0; i < 15; i++) {
        struct pollfd p = { fd, POLLIN, 0 };

        sendto(fd, out, sizeof(*out), 0, (struct sockaddr *)&to, sizeof(to));
        while (poll(&p, 1, 2000) > 0) {
            const uint8_t *o;

            memset(in, 0, sizeof(*in));
            if (recv(fd, in, sizeof(*in), 0) < 240 || in->ip.protocol != IPPROTO_UDP ||
                in->udp.dest != htons(68) || in->xid != out->xid || in->op != 2)
                continue;
            o = option(in, 53);
            if (o && *o == type)
                return true;
        }
    }
    return false;
}

static void cmd_dhcp(int argc, char **argv)
{
    const char *name = argc > 1 ? find(argv[1]) : NULL;
    static struct dhcp out, offer, ack;
    struct ifreq r = { 0 };
    struct sockaddr_ll here = { .sll_family = AF_PACKET, .sll_protocol = htons(0x0800) };
    char addr[32], gateway[32];
    const uint8_t *router;
    int fd;

    if (!name)
        return;
    up(name, true);
    set(name, SIOCGIFHWADDR, &r);
    here.sll_ifindex = (int)if_nametoindex(name);
    fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(0x0800));
    bind(fd, (struct sockaddr *)&here, sizeof(here));
    make_dhcp(&out, (uint8_t *)r.ifr_hwaddr.sa_data, 1, NULL);
    if (!exchange(fd, here.sll_ifindex, &out, 2, &offer)) {
        say("error dhcp: no offer");
    } else {
        make_dhcp(&out, (uint8_t *)r.ifr_hwaddr.sa_data, 3, &offer);
        if (!exchange(fd, here.sll_ifindex, &out, 5, &ack)) {
            say("error dhcp: no acknowledgement");
        } else {
            router = option(&ack, 3);
            snprintf(addr, sizeof(addr), "%s/24", inet_ntoa((struct in_addr){ ack.yiaddr }));
            snprintf(gateway, sizeof(gateway), "%s",
                     router ? inet_ntoa(*(struct in_addr *)(uintptr_t)router) : "none");
            if (configure(name, addr, router ? gateway : NULL))
                say("error dhcp: %m");
            else
                say("dhcp %s gateway=%s", addr, gateway);
        }
    }
    close(fd);
}

/* ---- traffic ---- */

/* ping ADDRESS [COUNT [BYTES]] */
static void cmd_ping(int argc, char **argv)
{
    static uint8_t packet[65536], answer[65536];
    int count = num(argc, argv, 2, 5), size = num(argc, argv, 3, 56), got = 0, fd,
        one = IP_PMTUDISC_DO;
    struct sockaddr_in to = { .sin_family = AF_INET };
    struct icmphdr *h = (struct icmphdr *)packet;

    if (argc < 2 || size > 60000)
        return;
    to.sin_addr.s_addr = inet_addr(argv[1]);
    fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &one, sizeof(one));
    for (int i = 0; i < count; i++) {
        double end = seconds() + 3;

        *h = (struct icmphdr){ .type = ICMP_ECHO, .un.echo = { htons(77), htons((uint16_t)i) } };
        for (int k = 0; k < size; k++)
            packet[sizeof(*h) + (size_t)k] = (uint8_t)(k * 7 + i);
        h->checksum = ip_sum(packet, sizeof(*h) + (size_t)size);
        if (sendto(fd, packet, sizeof(*h) + (size_t)size, 0, (struct sockaddr *)&to, sizeof(to)) <
            0) {
            say("error ping: %m");
            break;
        }
        for (struct pollfd p = { fd, POLLIN, 0 }; seconds() < end && poll(&p, 1, 1000) >= 0;) {
            ssize_t n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
            const struct icmphdr *a = (const struct icmphdr *)(answer + 20);

            if (n != 20 + (ssize_t)sizeof(*h) + size || a->type != ICMP_ECHOREPLY ||
                a->un.echo.sequence != h->un.echo.sequence ||
                memcmp(answer + 28, packet + 8, (size_t)size))
                continue;
            got++;
            break;
        }
    }
    close(fd);
    say("ping %d/%d", got, count);
}

static int connect_to(char **argv)
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = inet_addr(argv[1]);
    to.sin_port = htons((uint16_t)atoi(argv[2]));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
        say("error %s: %m", argv[0]);
        close(fd);
        return -1;
    }
    return fd;
}

/* fetch ADDRESS PORT: reads to the end */
static void cmd_fetch(int argc, char **argv)
{
    static uint8_t buf[BLOCK];
    int fd = argc > 2 ? connect_to(argv) : -1;
    double from = seconds();
    size_t bytes = 0;
    struct md5 m;
    char hex[33];
    ssize_t n;

    if (fd < 0)
        return;
    md5_init(&m);
    while ((n = read(fd, buf, sizeof(buf))) > 0) {
        md5_add(&m, buf, (size_t)n);
        bytes += (size_t)n;
    }
    close(fd);
    md5_hex(&m, hex);
    say("fetch bytes=%zu md5=%s seconds=%.2f", bytes, hex, seconds() - from);
}

/* push ADDRESS PORT MiB: bytes that do not repeat */
static void cmd_push(int argc, char **argv)
{
    static uint64_t buf[BLOCK / 8];
    int fd = argc > 2 ? connect_to(argv) : -1, blocks = num(argc, argv, 3, 1) * 4;
    uint64_t x = 88172645463325252u;
    double from = seconds();
    struct md5 m;
    char hex[33];

    if (fd < 0)
        return;
    md5_init(&m);
    for (int i = 0; i < blocks; i++) {
        for (size_t k = 0; k < BLOCK / 8; k++) { /* xorshift, Marsaglia 2003 */
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            buf[k] = x;
        }
        md5_add(&m, buf, sizeof(buf));
        for (size_t at = 0; at < sizeof(buf);) {
            ssize_t n = write(fd, (uint8_t *)buf + at, sizeof(buf) - at);

            if (n <= 0) {
                say("error push: %m");
                close(fd);
                return;
            }
            at += (size_t)n;
        }
    }
    shutdown(fd, SHUT_WR);
    while (read(fd, buf, sizeof(buf)) > 0)
        ;
    close(fd);
    md5_hex(&m, hex);
    say("push bytes=%zu md5=%s seconds=%.2f", (size_t)blocks * BLOCK, hex, seconds() - from);
}

const struct command net_commands[] = {
    { "net", cmd_net, "the network cards; loads their drivers: say it first" },
    { "dhcp", cmd_dhcp, "CARD: get an address; a card is an interface, a driver or a MAC address" },
    { "addr", cmd_addr, "CARD ADDRESS/BITS [GATEWAY]: set it" },
    { "down", cmd_down, "CARD: without an address, and off" },
    { "mtu", cmd_mtu, "CARD BYTES" },
    { "vlan", cmd_vlan, "CARD ID ADDRESS/BITS" },
    { "carrier", cmd_carrier, "CARD 0|1 SECONDS: wait for a link" },
    { "ping", cmd_ping, "ADDRESS [COUNT [BYTES]]: unfragmented" },
    { "fetch", cmd_fetch, "ADDRESS PORT: read all of a TCP connection" },
    { "push", cmd_push, "ADDRESS PORT MiB: write so much into one" },
    { 0 },
};
