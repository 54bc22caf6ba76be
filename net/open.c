/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of back ends, the cable that leads nowhere, and addresses of cards. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/config.h"
#include "net/net.h"

static bool null_send(struct net *n, const uint8_t *frame, size_t len)
{
    return true;
}

static void null_shut(struct net *n)
{
}

static void null_free(struct net *n)
{
    free(n);
}

struct net *net_open_null(struct err *err)
{
    static const struct net_ops ops = {
        .name = "null", .shut = null_shut, .free = null_free, .send = null_send
    };
    struct net *n = calloc(1, sizeof(*n));

    if (n)
        n->ops = &ops;
    else
        err_set(err, -ENOMEM, "out of memory");
    return n;
}

static struct net *open_tap(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                            const char *dir, struct err *err)
{
    return net_open_tap(loop, config_str(cfg, "ifname", ""), err);
}

static struct net *open_socket(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                               const char *dir, struct err *err)
{
    return net_open_socket(loop, id, cfg, err);
}

static struct net *open_null(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                             const char *dir, struct err *err)
{
    return net_open_null(err);
}

static const struct {
    const char *type;
    struct net *(*open)(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                        const char *dir, struct err *err);
} types[] = {
    { "tap", open_tap },      { "user", net_open_user }, { "socket", open_socket },
    { "dgram", open_socket }, { "stream", open_socket }, { "null", open_null },
};

bool net_has_type(const char *type)
{
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!strcmp(types[i].type, type))
            return true;
    }
    return false;
}

struct net *net_open(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                     const char *dir, struct err *err)
{
    const char *type = config_str(cfg, "type", "");

    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!strcmp(types[i].type, type))
            return types[i].open(loop, id, cfg, dir, err);
    }
    err_set(err, -ENOTSUP, "netdev %s: type=%s: there is no such back end", id, type);
    return NULL;
}

static int hex_digit(char ch)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *p = ch ? strchr(digits, ch) : NULL;

    if (!p)
        return -1;
    return p - digits < 16 ? (int)(p - digits) : (int)(p - digits) - 6;
}

bool net_parse_mac(const char *s, uint8_t mac[6])
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
