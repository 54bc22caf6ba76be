/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/args-vnc.c: -vnc HOST:N[,…], unix:PATH or none; and -display. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"

#define VNC_PORT    5900
#define DISPLAY_MAX (65535 - VNC_PORT)

static const struct keyval_key vnc_keys[] = {
    { "vnc", KV_NAME },
    { "password", KV_BARE },
    { "to", 0 },
    { "share", 0 },
    { "ipv4", KV_BARE },
    { "ipv6", KV_BARE },
    { "lossy", KV_BARE },
    { "non-adaptive", KV_BARE },
    { "key-delay-ms", 0 },
    { "power-control", 0 },
    { "websocket", KV_BARE },
    { "reverse", KV_BARE },
    { "tls-creds", 0 },
    { "tls-authz", 0 },
    { "sasl", KV_BARE },
    { "sasl-authz", 0 },
    { "acl", KV_BARE },
    { "password-secret", 0 },
    { "audiodev", 0 },
    { NULL, 0 },
};

/* What would make a listener less open than it then is must not be ignored. */
static const char *const vnc_refused[] = {
    "websocket", "reverse", "tls-creds", "tls-authz", "sasl", "sasl-authz", "acl", "password-secret"
};

static void forget(struct vnc_arg *v)
{
    free(v->host);
    free(v->unix_path);
    memset(v, 0, sizeof(*v));
}

static int set_unix(struct args_ctx *c, const char *path)
{
    if (!*path)
        return err_set(c->err, -EINVAL, "-vnc unix: the path of the socket is missing");
    args_replace(&c->a->vnc.unix_path, path);
    return 0;
}

/* HOST:N; the last colon counts, so that ::1:3 works; brackets round an IPv6 address are dropped.
 */
static int set_host(struct args_ctx *c, const char *where)
{
    struct vnc_arg *v = &c->a->vnc;
    const char *colon = strrchr(where, ':'), *end = colon;
    uint64_t display;

    if (!colon || !parse_uint(colon + 1, DISPLAY_MAX, &display))
        return err_set(c->err, -EINVAL, "-vnc %s: not HOST:N with a display number N from 0 to %u",
                       where, DISPLAY_MAX);
    if (*where == '[') {
        where++;
        end--;
        if (end < where || *end != ']')
            return err_set(c->err, -EINVAL, "-vnc [%s: the ']' is missing before :N", where);
    }
    if (end > where)
        v->host = xstrndup(where, (size_t)(end - where));
    v->display = (int)display;
    return 0;
}

static int set_vnc_keys(struct args_ctx *c, const struct config *cfg)
{
    struct vnc_arg *v = &c->a->vnc;
    uint64_t to;
    int rc;

    for (unsigned i = 0; i < sizeof(vnc_refused) / sizeof(vnc_refused[0]); i++) {
        if (config_str(cfg, vnc_refused[i], NULL))
            return err_set(c->err, -ENOTSUP,
                           "-vnc %s: not supported; use password=on, or listen "
                           "on 127.0.0.1 and tunnel with ssh",
                           vnc_refused[i]);
    }
    rc = keyval_bool(cfg, "-vnc", "password", false, &v->password, c->err);
    if (!rc)
        rc = keyval_uint(cfg, "-vnc", "to", (uint64_t)v->display, DISPLAY_MAX, &to, c->err);
    if (!rc) /* libxl says to=99 whatever the display is */
        v->to = (int)to > v->display ? (int)to : v->display;
    return rc;
}

int args_vnc(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct vnc_arg *v = &c->a->vnc;
    struct config cfg = { 0 };
    const char *where;
    int rc;

    forget(v);
    rc = keyval_parse(&cfg, "-vnc", arg, "vnc", vnc_keys, c->err);
    where = config_str(&cfg, "vnc", "");
    if (!rc && strcmp(where, "none")) {
        v->enabled = true;
        rc = !strncmp(where, "unix:", 5) ? set_unix(c, where + 5) : set_host(c, where);
        if (!rc)
            rc = set_vnc_keys(c, &cfg);
    }
    config_free(&cfg);
    return rc;
}

int args_display(struct args_ctx *c, const struct option *o, const char *arg)
{
    if (!strcmp(arg, "none"))
        return 0;
    if (!strncmp(arg, "vnc=", 4))
        return args_vnc(c, o, arg + 4);
    return err_set(c->err, -ENOTSUP,
                   "-display %s: not supported; use vnc=1 in the guest's "
                   "configuration (-vnc HOST:N)",
                   arg);
}
