/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-net.c: NICs: -device MODEL,netdev=D with -netdev TYPE,id=D; -nic
 * makes both at once. A -netdev is kept as it was given: who opens it is main.c.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"
#include "hw/core/log.h"
#include "net/net.h"

static const struct keyval_key tap_keys[] = {
    { "type", 0 },         { "id", 0 },
    { "ifname", KV_NAME }, { "br", 0 },
    { "script", KV_NAME }, { "downscript", KV_NAME },
    { "vhost", 0 },        { "vnet_hdr", 0 },
    { "sndbuf", 0 },       { "fd", 0 },
    { "fds", 0 },          { "queues", 0 },
    { "helper", KV_NAME }, { "colo_script", KV_NAME },
    { NULL, 0 },
};
static const struct keyval_key socket_keys[] = {
    { "type", 0 },  { "id", 0 },        { "fd", 0 },  { "listen", 0 }, { "connect", 0 },
    { "mcast", 0 }, { "localaddr", 0 }, { "udp", 0 }, { NULL, 0 },
};
static const struct keyval_key dgram_keys[] = {
    { "type", 0 }, { "id", 0 }, { "local.", 0 }, { "remote.", 0 }, { NULL, 0 }
};
static const struct keyval_key stream_keys[] = { { "type", 0 },      { "id", 0 },
                                                 { "addr.", 0 },     { "server", 0 },
                                                 { "reconnect", 0 }, { NULL, 0 } };
static const struct keyval_key user_keys[] = {
    { "type", 0 },
    { "id", 0 },
    { "ipv4", 0 },
    { "ipv6", 0 },
    { "restrict", 0 },
    { "net", 0 },
    { "host", 0 },
    { "hostname", 0 },
    { "tftp", KV_NAME },
    { "tftp-server-name", 0 },
    { "bootfile", KV_NAME },
    { "dhcpstart", 0 },
    { "dns", 0 },
    { "dnssearch", KV_LIST },
    { "dnssearch.", 0 },
    { "domainname", 0 },
    { "ipv6-net", 0 },
    { "ipv6-prefix", 0 },
    { "ipv6-prefixlen", 0 },
    { "ipv6-host", 0 },
    { "ipv6-dns", 0 },
    { "smb", KV_NAME },
    { "smbserver", 0 },
    { "hostfwd", KV_LIST },
    { "hostfwd.", 0 },
    { "guestfwd", KV_LIST },
    { "guestfwd.", 0 },
    { NULL, 0 },
};
static const struct keyval_key null_keys[] = { { "type", 0 }, { "id", 0 }, { NULL, 0 } };
/* Of a -nic, what is the card's. */
static const struct keyval_key nic_only[] = {
    { "model", 0 }, { "mac", 0 }, { "macaddr", 0 }, { "addr", 0 }, { "id", 0 }, { NULL, 0 },
};
const struct keyval_key args_nic_keys[] = {
    { "driver", 0 },
    { "id", 0 },
    { "netdev", 0 },
    { "mac", 0 },
    { "bus", 0 },
    { "addr", 0 },
    { "bootindex", 0 },
    { "romfile", KV_NAME },
    { "rombar", 0 },
    { "multifunction", 0 },
    { "mitigation", 0 },
    { "autonegotiation", 0 },
    { "extra_mac_registers", 0 },
    { NULL, 0 },
};

static const struct netdev_type {
    const char *name;
    const struct keyval_key *keys;
} netdev_types[] = {
    { "tap", tap_keys },       { "user", user_keys },   { "null", null_keys },
    { "socket", socket_keys }, { "dgram", dgram_keys }, { "stream", stream_keys },
};

static const struct netdev_type *find_type(const char *name, size_t len)
{
    for (unsigned i = 0; i < sizeof(netdev_types) / sizeof(netdev_types[0]); i++) {
        if (strlen(netdev_types[i].name) == len && !memcmp(netdev_types[i].name, name, len))
            return &netdev_types[i];
    }
    return NULL;
}

static struct netdev_arg *find_netdev(struct vm_args *a, const char *id)
{
    for (unsigned i = 0; i < a->nnetdevs; i++) {
        if (!strcmp(a->netdevs[i].id, id))
            return &a->netdevs[i];
    }
    return NULL;
}

static int check_tap(const struct config *cfg, const char *id, struct err *err)
{
    const char *ifname = config_str(cfg, "ifname", "");
    const char *script = config_str(cfg, "script", "no");

    if (config_str(cfg, "fd", NULL) || config_str(cfg, "fds", NULL))
        return err_set(err, -ENOTSUP, "-netdev id=%s: fd= is not supported; use ifname=", id);
    if (!*ifname || strlen(ifname) >= IFNAMSIZ || strchr(ifname, '/'))
        return err_set(err, -EINVAL,
                       "-netdev id=%s: ifname=%s is not an interface name (1 to "
                       "%d characters)",
                       id, ifname, IFNAMSIZ - 1);
    if (strcmp(script, "no") && *script)
        return err_set(err, -ENOTSUP,
                       "-netdev id=%s: script=%s is not run; use script=no and "
                       "bridge %s yourself",
                       id, script, ifname);
    return 0;
}

int args_add_netdev(struct vm_args *a, const struct config *cfg, struct err *err)
{
    const char *type = config_str(cfg, "type", ""), *id = config_str(cfg, "id", "");
    const struct netdev_type *t = find_type(type, strlen(type));
    struct netdev_arg *n;
    int rc;

    if (!t)
        return err_set(err, -ENOTSUP, "-netdev %s: not supported; use type=tap or type=user", type);
    rc = keyval_check(cfg, "-netdev", t->keys, err);
    if (rc)
        return rc;
    if (!*id)
        return err_set(err, -EINVAL, "-netdev %s: id= is missing", type);
    if (find_netdev(a, id))
        return err_set(err, -EINVAL, "-netdev id=%s: there are two of that name", id);
    if (a->nnetdevs == ARGS_NICS)
        return err_set(err, -EINVAL, "-netdev id=%s: more than %u cables; a guest can have no more",
                       id, ARGS_NICS);
    rc = !strcmp(type, "tap") ? check_tap(cfg, id, err) : 0;
    if (rc)
        return rc;
    n = &a->netdevs[a->nnetdevs++];
    n->id = xstrdup(id);
    n->type = xstrdup(type);
    for (size_t i = 0; i < cfg->n; i++)
        config_set(&n->cfg, cfg->items[i].key, cfg->items[i].val);
    return 0;
}

/* The type comes first in QEMU's spelling, or as type=; its table says which keys there are. */
static const struct netdev_type *type_of(const char *arg)
{
    size_t len = strcspn(arg, "=,");
    const char *type = arg;

    if (arg[len] == '=') { /* type=tap, or id=n,type=tap */
        type = !strncmp(arg, "type=", 5) ? arg : strstr(arg, ",type=");
        if (!type)
            return &netdev_types[0];
        type = strchr(type, '=') + 1;
    }
    return find_type(type, strcspn(type, ","));
}

int args_netdev(struct args_ctx *c, const struct option *o, const char *arg)
{
    const struct netdev_type *t = *arg == '{' ? NULL : type_of(arg);
    struct config cfg = { 0 };
    int rc = 0;

    if (!t && *arg != '{') /* before its keys are unknown ones */
        rc = err_set(c->err, -ENOTSUP, "-netdev %s: not supported; use type=tap or type=user", arg);
    if (!rc)
        rc = keyval_parse(&cfg, "-netdev", arg, "type", t ? t->keys : NULL, c->err);
    if (!rc)
        rc = args_add_netdev(c->a, &cfg, c->err);
    config_free(&cfg);
    return rc;
}

int args_net(struct args_ctx *c, const struct option *o, const char *arg)
{
    c->seen.net = true;
    if (!strcmp(arg, "none"))
        return 0;
    return err_set(c->err, -ENOTSUP,
                   "-%s %s: not supported; use -device rtl8139,netdev=D,mac=M "
                   "with -netdev tap,id=D,ifname=IF,script=no",
                   o->name, arg);
}

/* Moves the keys that are the card's from a -nic to nic; the rest are its netdev's. */
static void split_nic(const struct config *all, struct config *nic, struct config *netdev)
{
    for (size_t i = 0; i < all->n; i++) {
        const char *key = all->items[i].key, *val = all->items[i].val;
        bool card = false;

        for (const struct keyval_key *k = nic_only; k->name; k++)
            card |= !strcmp(k->name, key);
        if (!card)
            config_set(netdev, key, val);
        else if (strcmp(key, "model"))
            config_set(nic, !strcmp(key, "macaddr") ? "mac" : key, val);
    }
}

/* A -nic has the keys of a card and those of its type of netdev. */
static int parse_nic(struct config *all, const char *arg, const struct netdev_type *t,
                     struct err *err)
{
    struct keyval_key keys[64] = { { NULL, 0 } };
    unsigned n = 0;

    for (const struct keyval_key *k = nic_only; k->name; k++)
        keys[n++] = *k;
    for (const struct keyval_key *k = t->keys; k->name && n < 63; k++)
        keys[n++] = *k;
    return keyval_parse(all, "-nic", arg, "type", keys, err);
}

static bool is_nic_model(const char *model)
{
    static const char *const models[] = { "e1000", "e1000-82540em", "rtl8139", "pcnet",
                                          "ne2k_pci" };

    for (unsigned i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (!strcmp(model, models[i]))
            return true;
    }
    return false;
}

int args_nic(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config all = { 0 }, nic = { 0 }, netdev = { 0 };
    unsigned n = c->a->nnetdevs;
    const char *model;
    char *id;
    int rc;

    if (!strcmp(arg, "none") || !type_of(arg))
        return args_net(c, o, arg);
    c->seen.net = true;
    rc = parse_nic(&all, arg, type_of(arg), c->err);
    if (!rc) {
        model = config_str(&all, "model", "e1000");
        split_nic(&all, &nic, &netdev);
        id = xasprintf("#net%u", n);
        config_set(&netdev, "id", id);
        config_set(&nic, "netdev", id);
        free(id);
        rc = args_add_netdev(c->a, &netdev, c->err);
        if (!rc && !is_nic_model(model))
            rc = err_set(c->err, -ENOTSUP,
                         "-nic model=%s: not supported; use rtl8139, e1000, pcnet or ne2k_pci",
                         model);
        if (!rc)
            rc = args_nic_device(c, model, &nic);
    }
    config_free(&all);
    config_free(&nic);
    config_free(&netdev);
    return rc;
}

static int check_nic(struct args_ctx *c, const struct config *cfg, const char *model, uint8_t *mac)
{
    const uint8_t made_up[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, (uint8_t)(0x56 + c->a->nnics) };
    const char *given = config_str(cfg, "mac", NULL);

    if (c->a->nnics == ARGS_NICS)
        return err_set(c->err, -EINVAL, "-device %s: more than %u NICs", model, ARGS_NICS);
    if (given && !net_parse_mac(given, mac))
        return err_set(c->err, -EINVAL,
                       "-device %s: mac=%s is not a MAC address of a NIC "
                       "(00:16:3e:xx:xx:xx)",
                       model, given);
    if (!given)
        memcpy(mac, made_up, sizeof(made_up));
    return 0;
}

int args_nic_device(struct args_ctx *c, const char *driver, const struct config *cfg)
{
    static const char *const own[] = { "driver", "id", "netdev", "mac" };
    struct nic_arg *nic = &c->a->nics[c->a->nnics];
    const char *netdev = config_str(cfg, "netdev", NULL);
    uint8_t mac[6];
    char *id;
    int rc = keyval_check(cfg, "-device", args_nic_keys, c->err);

    if (!rc)
        rc = check_nic(c, cfg, driver, mac);
    if (rc)
        return rc;
    id = xasprintf("nic%u", c->a->nnics);
    nic->model = xstrdup(!strcmp(driver, "e1000-82540em") ? "e1000" : driver);
    nic->id = xstrdup(config_str(cfg, "id", id));
    nic->after = c->a->ndevices;
    nic->netdev = netdev ? xstrdup(netdev) : NULL;
    memcpy(nic->mac, mac, sizeof(mac));
    nic->mac_given = config_str(cfg, "mac", NULL) != NULL;
    for (size_t i = 0; i < cfg->n; i++) {
        bool mine = false;

        for (unsigned k = 0; k < sizeof(own) / sizeof(own[0]); k++)
            mine |= !strcmp(own[k], cfg->items[i].key);
        if (!mine)
            config_set(&nic->cfg, cfg->items[i].key, cfg->items[i].val);
    }
    c->a->nnics++;
    c->seen.net = true;
    free(id);
    return 0;
}

int args_join_nic(struct vm_args *a, struct nic_arg *nic, struct err *err)
{
    struct netdev_arg *n = nic->netdev ? find_netdev(a, nic->netdev) : NULL;

    if (!nic->netdev)
        return 0;
    if (!n)
        return err_set(err, -EINVAL, "-device %s,netdev=%s: there is no -netdev of that id",
                       nic->model, nic->netdev);
    if (n->used)
        return err_set(err, -EINVAL, "-device %s,netdev=%s: another NIC has that netdev",
                       nic->model, nic->netdev);
    n->used = true;
    if (!strcmp(n->type, "tap"))
        nic->ifname = xstrdup(config_str(&n->cfg, "ifname", ""));
    return 0;
}

/*
 * Under Xen an address that is not given is one of Xen's (00:16:3e), and the same one each time
 * this guest is started: its last three bytes are made from the UUID, or the name, by FNV-1a.
 */
static void make_mac(const struct vm_args *a, unsigned index, uint8_t mac[6])
{
    const char *p = a->uuid ? a->uuid : a->name ? a->name : "";
    uint32_t hash = 2166136261u;

    for (; *p; p++)
        hash = (hash ^ (uint8_t)*p) * 16777619u;
    hash = (hash ^ index) * 16777619u;
    hash ^= hash >> 24;
    mac[0] = 0x00;
    mac[1] = 0x16;
    mac[2] = 0x3e;
    mac[3] = hash >> 16 & 0x7f;
    mac[4] = hash >> 8 & 0xff;
    mac[5] = hash & 0xff;
}

static int check_macs(const struct vm_args *a, struct err *err)
{
    for (unsigned i = 0; i < a->nnics; i++) {
        for (unsigned k = 0; k < i; k++) {
            const uint8_t *m = a->nics[i].mac;

            if (!memcmp(m, a->nics[k].mac, 6))
                return err_set(err, -EINVAL,
                               "-device %s,mac=%02x:%02x:%02x:%02x:%02x:%02x: NIC %s has that "
                               "address already; give each its own",
                               a->nics[i].model, m[0], m[1], m[2], m[3], m[4], m[5], a->nics[k].id);
        }
    }
    return 0;
}

int args_join_nics(struct args_ctx *c)
{
    struct vm_args *a = c->a;
    int rc;

    for (unsigned i = 0; i < a->nnics && !a->own_clocks; i++) {
        if (!a->nics[i].mac_given)
            make_mac(a, i, a->nics[i].mac);
    }
    rc = check_macs(a, c->err);
    for (unsigned i = 0; !rc && i < a->nnics; i++)
        rc = args_join_nic(a, &a->nics[i], c->err);
    for (unsigned i = 0; !rc && i < a->nobjects; i++) {
        const char *id = config_str(&a->objects[i], "netdev", "");
        const struct netdev_arg *n = find_netdev(a, id);

        if (!n || !n->used)
            rc = err_set(c->err, -EINVAL, "-object %s,netdev=%s: %s",
                         config_str(&a->objects[i], "qom-type", ""), id,
                         n ? "no NIC uses that netdev" : "there is no -netdev of that id");
    }
    return rc;
}
