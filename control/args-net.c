/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/args-net.c: NICs: -device MODEL,netdev=D with -netdev tap,id=D; -net none. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"
#include "hw/core/log.h"

static const struct keyval_key netdev_keys[] = {
    { "type", 0 },         { "id", 0 },
    { "ifname", KV_NAME }, { "br", 0 },
    { "script", KV_NAME }, { "downscript", KV_NAME },
    { "vhost", 0 },        { "vnet_hdr", 0 },
    { "sndbuf", 0 },       { "fd", 0 },
    { "fds", 0 },          { "queues", 0 },
    { "helper", KV_NAME }, { "colo_script", KV_NAME },
    { NULL, 0 },
};

static struct netdev_def *find_netdev(struct args_ctx *c, const char *id)
{
    for (unsigned i = 0; i < c->nnetdevs; i++) {
        if (!strcmp(c->netdevs[i].id, id))
            return &c->netdevs[i];
    }
    return NULL;
}

static int check_netdev(struct args_ctx *c, const struct config *cfg)
{
    const char *type = config_str(cfg, "type", ""), *id = config_str(cfg, "id", "");
    const char *ifname = config_str(cfg, "ifname", "");
    const char *script = config_str(cfg, "script", "no");

    if (strcmp(type, "tap"))
        return err_set(c->err, -ENOTSUP, "-netdev %s: not supported; use type=tap", type);
    if (!*id)
        return err_set(c->err, -EINVAL, "-netdev tap: id= is missing");
    if (find_netdev(c, id))
        return err_set(c->err, -EINVAL, "-netdev id=%s: there are two of that name", id);
    if (c->nnetdevs == ARGS_NICS)
        return err_set(c->err, -EINVAL, "-netdev id=%s: more than %u", id, ARGS_NICS);
    if (config_str(cfg, "fd", NULL) || config_str(cfg, "fds", NULL))
        return err_set(c->err, -ENOTSUP, "-netdev id=%s: fd= is not supported; use ifname=", id);
    if (!*ifname || strlen(ifname) >= IFNAMSIZ || strchr(ifname, '/'))
        return err_set(c->err, -EINVAL,
                       "-netdev id=%s: ifname=%s is not an interface name (1 to "
                       "%d characters)",
                       id, ifname, IFNAMSIZ - 1);
    if (strcmp(script, "no") && *script)
        return err_set(c->err, -ENOTSUP,
                       "-netdev id=%s: script=%s is not run; use script=no and "
                       "bridge %s yourself",
                       id, script, ifname);
    return 0;
}

static bool names_tap(const char *arg)
{
    const char *type = !strncmp(arg, "type=", 5) ? arg + 5 : arg;
    size_t len = strcspn(type, "=,");

    return type[len] == '=' || (len == 3 && !memcmp(type, "tap", 3));
}

int args_netdev(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 };
    int rc = 0;

    if (!names_tap(arg)) /* before its keys are unknown ones */
        rc = err_set(c->err, -ENOTSUP, "-netdev %s: not supported; use type=tap", arg);
    if (!rc)
        rc = keyval_parse(&cfg, "-netdev", arg, "type", netdev_keys, c->err);
    if (!rc)
        rc = check_netdev(c, &cfg);
    if (!rc) {
        struct netdev_def *n = &c->netdevs[c->nnetdevs++];

        n->id = xstrdup(config_str(&cfg, "id", ""));
        n->ifname = xstrdup(config_str(&cfg, "ifname", ""));
    }
    config_free(&cfg);
    return rc;
}

int args_net(struct args_ctx *c, const struct option *o, const char *arg)
{
    if (!strcmp(arg, "none"))
        return 0;
    return err_set(c->err, -ENOTSUP,
                   "-%s %s: not supported; use -device rtl8139,netdev=D,mac=M "
                   "with -netdev tap,id=D,ifname=IF,script=no",
                   o->name, arg);
}

static int hex_digit(char ch)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *p = ch ? strchr(digits, ch) : NULL;

    if (!p)
        return -1;
    return p - digits < 16 ? (int)(p - digits) : (int)(p - digits) - 6;
}

/* Six pairs of digits with ':' or '-' between; a multicast address is no NIC's. */
static bool parse_mac(const char *s, uint8_t mac[6])
{
    for (unsigned i = 0; i < 6; i++) {
        int hi = hex_digit(s[0]), lo = hi < 0 ? -1 : hex_digit(s[1]);

        if (lo < 0)
            return false;
        mac[i] = (uint8_t)(hi << 4 | lo);
        s += 2;
        if (i < 5 && *s != ':' && *s != '-')
            return false;
        if (i < 5)
            s++;
    }
    return !*s && !(mac[0] & 1);
}

static int check_nic(struct args_ctx *c, const struct config *cfg, const char *model, uint8_t *mac)
{
    const uint8_t made_up[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, (uint8_t)(0x56 + c->a->nnics) };
    const char *given = config_str(cfg, "mac", NULL);

    if (c->a->nnics == ARGS_NICS)
        return err_set(c->err, -EINVAL, "-device %s: more than %u NICs", model, ARGS_NICS);
    if (given && !parse_mac(given, mac))
        return err_set(c->err, -EINVAL,
                       "-device %s: mac=%s is not a MAC address of a NIC "
                       "(00:16:3e:xx:xx:xx)",
                       model, given);
    if (!given)
        memcpy(mac, made_up, sizeof(made_up));
    return 0;
}

int args_nic_device(struct args_ctx *c, const char *driver, const char *arg)
{
    static const struct keyval_key keys[] = {
        { "driver", 0 }, { "id", 0 },        { "netdev", 0 },        { "mac", 0 },    { "bus", 0 },
        { "addr", 0 },   { "bootindex", 0 }, { "romfile", KV_NAME }, { "rombar", 0 }, { NULL, 0 }
    };
    struct config cfg = { 0 };
    uint8_t mac[6];
    int rc = keyval_parse(&cfg, "-device", arg, "driver", keys, c->err);

    if (!rc)
        rc = check_nic(c, &cfg, driver, mac);
    if (!rc) {
        const char *netdev = config_str(&cfg, "netdev", NULL);
        struct nic_arg *nic = &c->a->nics[c->a->nnics];
        char *id = xasprintf("nic%u", c->a->nnics);

        nic->model = xstrdup(!strcmp(driver, "e1000-82540em") ? "e1000" : driver);
        nic->id = xstrdup(config_str(&cfg, "id", id));
        nic->after = c->a->ndevices;
        memcpy(nic->mac, mac, sizeof(mac));
        c->nic_netdev[c->a->nnics++] = netdev ? xstrdup(netdev) : NULL;
        free(id);
    }
    config_free(&cfg);
    return rc;
}

int args_join_nics(struct args_ctx *c)
{
    for (unsigned i = 0; i < c->a->nnics; i++) {
        struct nic_arg *nic = &c->a->nics[i];
        const char *id = c->nic_netdev[i];
        struct netdev_def *n = id ? find_netdev(c, id) : NULL;

        if (!id)
            continue;
        if (!n)
            return err_set(c->err, -EINVAL, "-device %s,netdev=%s: there is no -netdev of that id",
                           nic->model, id);
        if (n->used)
            return err_set(c->err, -EINVAL, "-device %s,netdev=%s: another NIC has that netdev",
                           nic->model, id);
        n->used = true;
        nic->ifname = xstrdup(n->ifname);
    }
    for (unsigned i = 0; i < c->nnetdevs; i++) {
        if (!c->netdevs[i].used)
            log_line("-netdev id=%s: no NIC uses it; it is not opened", c->netdevs[i].id);
    }
    return 0;
}
