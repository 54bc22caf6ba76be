/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-slirp: the keys of -netdev user, as QEMU 7.2 has them. The guest's
 * network is 10.0.2.0/24 when nothing else is said: the host is .2, the name
 * server .3, and addresses are given out from .15 on; over IPv6 fec0::/64 with
 * ::2 and ::3.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "net/slirp/helper.h"

#define HOST_PART  0x02 /* of the last byte of addresses made up */
#define DNS_PART   0x03
#define DHCP_PART  0x0f
#define PREFIX_MAX 126

struct given { /* the keys' values, NULL: not given */
    const char *ipv4, *ipv6, *restricted, *net, *host, *dhcpstart, *dns;
    const char *prefix, *prefix_len, *host6, *dns6, *net6;
    const char *hostname, *tftp, *tftp_name, *bootfile, *domainname;
};

static int bad(struct err *err, const char *key, const char *val, const char *why)
{
    return err_set(err, -EINVAL, "%s=%s: %s", key, val, why);
}

static int parse_bool(const char *key, const char *val, bool *out, struct err *err)
{
    if (!val)
        return 0;
    *out = !strcmp(val, "on") || !strcmp(val, "yes") || !strcmp(val, "true") || !strcmp(val, "y");
    if (*out || !strcmp(val, "off") || !strcmp(val, "no") || !strcmp(val, "false") ||
        !strcmp(val, "n"))
        return 0;
    return bad(err, key, val, "say on or off");
}

static bool parse_number(const char *s, unsigned max, unsigned *out)
{
    char *end;
    unsigned long n = strtoul(s, &end, 10);

    *out = (unsigned)n;
    return *s >= '0' && *s <= '9' && !*end && n <= max;
}

/* ---- addresses ---- */

static int parse_addr(const char *key, const char *val, struct in_addr *out, struct err *err)
{
    if (!val || inet_pton(AF_INET, val, out) == 1)
        return 0;
    return bad(err, key, val, "not an IPv4 address");
}

static int parse_addr6(const char *key, const char *val, struct in6_addr *out, struct err *err)
{
    if (!val || inet_pton(AF_INET6, val, out) == 1)
        return 0;
    return bad(err, key, val, "not an IPv6 address");
}

/* A network without a mask has that of its class, private ones that of their block (RFC 1918). */
static uint32_t usual_mask(uint32_t net)
{
    if (net >> 20 == 0xac1) /* 172.16/12 */
        return 0xfff00000;
    if (net >> 17 == 0xc612 >> 1) /* 198.18/15 */
        return 0xfffe0000;
    if (net >> 31 == 0)
        return 0xff000000;
    return net >> 16 == 0xc0a8 || net >> 30 == 2 ? 0xffff0000 : 0xffffff00;
}

static bool parse_mask(const char *text, uint32_t *mask)
{
    struct in_addr a;
    unsigned bits;

    if (parse_number(text, 32, &bits)) {
        *mask = bits ? ~UINT32_C(0) << (32 - bits) : 0;
        return bits != 0;
    }
    if (inet_pton(AF_INET, text, &a) != 1)
        return false;
    *mask = ntohl(a.s_addr);
    return *mask && !(~*mask & (~*mask + 1)); /* ones, then noughts */
}

/* "10.0.2.0", "10.0.2.0/24", "10.0.2.0/255.255.255.0" */
static int parse_net(SlirpConfig *c, const char *text, struct err *err)
{
    char addr[INET_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    struct in_addr a = { 0 };
    uint32_t net, mask;

    snprintf(addr, sizeof(addr), "%.*s", (int)(len < sizeof(addr) ? len : sizeof(addr) - 1), text);
    if (len >= sizeof(addr) || inet_pton(AF_INET, addr, &a) != 1)
        return bad(err, "net", text, "not ADDRESS/MASK, as 10.0.2.0/24");
    net = ntohl(a.s_addr);
    mask = usual_mask(net);
    if (slash && !parse_mask(slash + 1, &mask))
        return bad(err, "net", text, "the mask is neither 1 to 32 nor of the form 255.255.255.0");
    if (~mask < 0x1f)
        return bad(err, "net", text, "too small: a mask of at most 27 bits leaves room");
    if (net >> 29 == 7)
        return bad(err, "net", text, "not a network of hosts");
    c->vnetwork.s_addr = htonl(net & mask);
    c->vnetmask.s_addr = htonl(mask);
    return 0;
}

static struct in_addr in_net(const SlirpConfig *c, uint32_t part)
{
    uint32_t mask = ntohl(c->vnetmask.s_addr);

    /* Of a network larger than 256 addresses, as QEMU has it: x.x.2.y */
    part |= ~mask > 0xffff ? 0x200 : 0;
    return (struct in_addr){ htonl(ntohl(c->vnetwork.s_addr) | (part & ~mask)) };
}

static bool is_in_net(const SlirpConfig *c, struct in_addr a)
{
    uint32_t host = ntohl(a.s_addr) & ~ntohl(c->vnetmask.s_addr);

    return (a.s_addr & c->vnetmask.s_addr) == c->vnetwork.s_addr && host &&
           host != ~ntohl(c->vnetmask.s_addr);
}

static int check_places(const SlirpConfig *c, const struct given *g, struct err *err)
{
    if (!is_in_net(c, c->vhost))
        return bad(err, "host", g->host, "not an address of the network (net=)");
    if (!is_in_net(c, c->vnameserver))
        return bad(err, "dns", g->dns, "not an address of the network (net=)");
    if (!is_in_net(c, c->vdhcp_start))
        return bad(err, "dhcpstart", g->dhcpstart, "not an address of the network (net=)");
    if (c->vhost.s_addr == c->vnameserver.s_addr)
        return bad(err, "dns", g->dns ? g->dns : "", "is the address of the host (host=)");
    if (c->vhost.s_addr == c->vdhcp_start.s_addr || c->vnameserver.s_addr == c->vdhcp_start.s_addr)
        return bad(err, "dhcpstart", g->dhcpstart ? g->dhcpstart : "",
                   "is the address of the host or the name server");
    return 0;
}

static int settle_ipv4(SlirpConfig *c, const struct given *g, struct err *err)
{
    int rc = parse_net(c, g->net ? g->net : "10.0.2.0/24", err);

    if (rc)
        return rc;
    c->vhost = in_net(c, HOST_PART);
    c->vnameserver = in_net(c, DNS_PART);
    c->vdhcp_start = in_net(c, DHCP_PART);
    rc = parse_addr("host", g->host, &c->vhost, err);
    if (!rc)
        rc = parse_addr("dns", g->dns, &c->vnameserver, err);
    if (!rc)
        rc = parse_addr("dhcpstart", g->dhcpstart, &c->vdhcp_start, err);
    return rc ? rc : check_places(c, g, err);
}

/* "fec0::/64"; the length may be missing. */
static int parse_net6(SlirpConfig *c, const char *text, struct err *err)
{
    char addr[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    unsigned bits = 64;

    snprintf(addr, sizeof(addr), "%.*s", (int)(len < sizeof(addr) ? len : sizeof(addr) - 1), text);
    if (len >= sizeof(addr) || inet_pton(AF_INET6, addr, &c->vprefix_addr6) != 1 ||
        (slash && !parse_number(slash + 1, PREFIX_MAX, &bits)))
        return bad(err, "ipv6-net", text, "not PREFIX/LENGTH, as fec0::/64");
    c->vprefix_len = (uint8_t)bits;
    return 0;
}

static bool is_in_net6(const SlirpConfig *c, const struct in6_addr *a)
{
    unsigned whole = c->vprefix_len / 8, rest = c->vprefix_len % 8;
    uint8_t mask = (uint8_t)(0xff00 >> rest);

    return !memcmp(a, &c->vprefix_addr6, whole) &&
           !((a->s6_addr[whole] ^ c->vprefix_addr6.s6_addr[whole]) & mask);
}

static int settle_ipv6(SlirpConfig *c, const struct given *g, struct err *err)
{
    unsigned bits = 64;
    int rc = parse_net6(c, g->net6 ? g->net6 : "fec0::/64", err);

    if (!rc)
        rc = parse_addr6("ipv6-prefix", g->prefix, &c->vprefix_addr6, err);
    if (!rc && g->prefix_len && !parse_number(g->prefix_len, PREFIX_MAX, &bits))
        rc = bad(err, "ipv6-prefixlen", g->prefix_len, "not a number from 0 to 126");
    if (rc)
        return rc;
    if (g->prefix_len)
        c->vprefix_len = (uint8_t)bits;
    c->vhost6 = c->vnameserver6 = c->vprefix_addr6;
    c->vhost6.s6_addr[15] |= HOST_PART;
    c->vnameserver6.s6_addr[15] |= DNS_PART;
    rc = parse_addr6("ipv6-host", g->host6, &c->vhost6, err);
    if (!rc)
        rc = parse_addr6("ipv6-dns", g->dns6, &c->vnameserver6, err);
    if (!rc && !is_in_net6(c, &c->vhost6))
        rc = bad(err, "ipv6-host", g->host6, "not an address of the network (ipv6-net=)");
    if (!rc && !is_in_net6(c, &c->vnameserver6))
        rc = bad(err, "ipv6-dns", g->dns6, "not an address of the network (ipv6-net=)");
    return rc;
}

/* ---- forwarded ports ---- */

/* Cuts "ADDR:PORT" off *text up to `end` (0: the end of all). */
static bool take_place(const char **text, char end, struct in_addr *a, int *port)
{
    const char *colon = strchr(*text, ':'), *stop = colon ? strchr(colon, end) : NULL;
    char addr[INET_ADDRSTRLEN] = "", num[8] = "";
    unsigned n;

    if (!colon || !stop || colon - *text >= (long)sizeof(addr) ||
        stop - colon - 1 >= (long)sizeof(num))
        return false;
    memcpy(addr, *text, (size_t)(colon - *text));
    memcpy(num, colon + 1, (size_t)(stop - colon - 1));
    if ((*addr && inet_pton(AF_INET, addr, a) != 1) || !parse_number(num, 65535, &n))
        return false;
    *port = (int)n;
    *text = stop + (end != 0);
    return true;
}

/* "[tcp|udp]:[HOST]:PORT-[GUEST]:PORT" */
static int add_forward(struct settings *s, const char *text, struct err *err)
{
    struct forward *f = &s->forwards[s->nforwards];
    const char *rest = text;

    if (s->nforwards == SLIRP_FORWARDS)
        return bad(err, "hostfwd", text, "there are 64 already");
    *f = (struct forward){ .text = text };
    f->udp = !strncmp(text, "udp:", 4);
    if (f->udp || !strncmp(text, "tcp:", 4))
        rest += 4;
    else if (*text == ':')
        rest += 1;
    else
        return bad(err, "hostfwd", text, "begins with neither tcp: nor udp:");
    if (!take_place(&rest, '-', &f->host, &f->host_port) ||
        !take_place(&rest, 0, &f->guest, &f->guest_port) || !f->guest_port)
        return bad(err, "hostfwd", text, "not tcp:[HOST]:PORT-[GUEST]:PORT, as tcp::2222-:22");
    s->nforwards++;
    return 0;
}

static int add_domain(struct settings *s, const char *text, struct err *err)
{
    if (s->ndomains == SLIRP_DOMAINS)
        return bad(err, "dnssearch", text, "there are 32 already");
    s->domains[s->ndomains++] = text;
    return 0;
}

/* ---- all of it ---- */

static int take_text(const char *key, const char *val, struct given *g, struct err *err)
{
    const struct {
        const char *key, **to;
    } keys[] = {
        { "ipv4", &g->ipv4 },
        { "ipv6", &g->ipv6 },
        { "restrict", &g->restricted },
        { "net", &g->net },
        { "host", &g->host },
        { "dhcpstart", &g->dhcpstart },
        { "dns", &g->dns },
        { "ipv6-net", &g->net6 },
        { "ipv6-prefix", &g->prefix },
        { "ipv6-prefixlen", &g->prefix_len },
        { "ipv6-host", &g->host6 },
        { "ipv6-dns", &g->dns6 },
        { "hostname", &g->hostname },
        { "tftp", &g->tftp },
        { "tftp-server-name", &g->tftp_name },
        { "bootfile", &g->bootfile },
        { "domainname", &g->domainname },
    };

    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!strcmp(keys[i].key, key)) {
            *keys[i].to = val;
            return 0;
        }
    }
    return bad(err, key, val, "unknown key");
}

static bool is_of_list(const char *key, const char *list)
{
    size_t n = strlen(list);

    return !strncmp(key, list, n) && (!key[n] || key[n] == '.'); /* "hostfwd.0.str" */
}

static int take(struct settings *s, struct given *g, char *arg, struct err *err)
{
    char *val = strchr(arg, '=');

    if (!val)
        return err_set(err, -EINVAL, "%s: not KEY=VALUE", arg);
    *val++ = 0;
    if (is_of_list(arg, "hostfwd"))
        return add_forward(s, val, err);
    if (is_of_list(arg, "dnssearch"))
        return add_domain(s, val, err);
    if (is_of_list(arg, "guestfwd"))
        return bad(err, "guestfwd", val,
                   "not supported; the guest reaches services of the host at its address (host=)");
    if (!strcmp(arg, "smb") || !strcmp(arg, "smbserver"))
        return bad(err, arg, val, "not supported; run a file server on the host");
    return take_text(arg, val, g, err);
}

static int settle_names(SlirpConfig *c, const struct given *g, struct err *err)
{
    struct stat st;

    c->vhostname = g->hostname;
    c->vdomainname = g->domainname;
    c->tftp_path = g->tftp;
    c->bootfile = g->bootfile;
    c->tftp_server_name = g->tftp_name;
    if (g->domainname && !*g->domainname)
        return bad(err, "domainname", "", "is empty");
    if (g->domainname && strlen(g->domainname) > 255)
        return bad(err, "domainname", g->domainname, "longer than 255 characters");
    if (g->tftp_name && strlen(g->tftp_name) > 255)
        return bad(err, "tftp-server-name", g->tftp_name, "longer than 255 characters");
    if (g->bootfile && strlen(g->bootfile) > 127)
        return bad(err, "bootfile", g->bootfile, "longer than 127 characters");
    if (g->tftp && stat(g->tftp, &st))
        return err_set(err, -errno, "tftp=%s: %s", g->tftp, strerror(errno));
    if (g->tftp && !S_ISDIR(st.st_mode))
        return bad(err, "tftp", g->tftp, "not a directory");
    return 0;
}

int settings_parse(struct settings *s, int argc, char **argv, struct err *err)
{
    struct given g = { 0 };
    SlirpConfig *c = &s->slirp;
    bool ipv4 = true, ipv6 = true, restricted = false;
    int rc = 0;

    for (int i = 0; !rc && i < argc; i++)
        rc = take(s, &g, argv[i], err);
    if (!rc)
        rc = parse_bool("ipv4", g.ipv4, &ipv4, err);
    if (!rc)
        rc = parse_bool("ipv6", g.ipv6, &ipv6, err);
    if (!rc)
        rc = parse_bool("restrict", g.restricted, &restricted, err);
    if (rc)
        return rc;
    if (g.ipv4 && !g.ipv6 && ipv4) /* one that is asked for by name stands alone, as in QEMU */
        ipv6 = false;
    if (g.ipv6 && !g.ipv4 && ipv6)
        ipv4 = false;
    if (!ipv4 && !ipv6)
        return err_set(err, -EINVAL, "ipv4=off,ipv6=off: one of them must be on");
    c->version = 1;
    c->restricted = restricted;
    c->in_enabled = ipv4;
    c->in6_enabled = ipv6;
    c->vdnssearch = s->ndomains ? s->domains : NULL;
    rc = settle_names(c, &g, err);
    if (!rc)
        rc = settle_ipv4(c, &g, err);
    return rc ? rc : settle_ipv6(c, &g, err);
}
