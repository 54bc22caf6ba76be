/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/args-vnc.c: -vnc HOST:N[,…], unix:PATH or none; -web-console; and -display. */
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
    { "view-only", KV_BARE },
    { "paste-key", KV_BARE },
    { NULL, 0 },
};

static const struct keyval_key web_keys[] = {
    { "address", 0 },     { "token-secret", 0 },        { "tls-creds", 0 },
    { "novnc", KV_NAME }, { "power-control", KV_BARE }, { NULL, 0 },
};

/* What would make a listener less open than it then is must not be ignored. */
static const char *const vnc_refused[] = { "reverse", "tls-authz", "sasl", "sasl-authz", "acl" };

static void forget(struct vnc_arg *v)
{
    free(v->host);
    free(v->unix_path);
    free(v->tls_creds);
    free(v->password_secret);
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

/* "8443", "HOST:8443", "[::1]:8443" */
static int set_web(struct args_ctx *c, const char *opt, const char *where)
{
    struct web_arg *w = &c->a->web;
    const char *colon = strrchr(where, ':'), *port = colon ? colon + 1 : where;
    uint64_t n;

    if (!parse_uint(port, 65535, &n) || n == 0)
        return err_set(c->err, -EINVAL, "%s: %s is not [HOST:]PORT with a port from 1 to 65535",
                       opt, where);
    free(w->host);
    w->host = colon && colon > where ? xstrndup(where, (size_t)(colon - where)) : NULL;
    w->port = (int)n;
    return 0;
}

/* on: 5700 + the display that is found, as QEMU has it. */
static int set_websocket(struct args_ctx *c, const char *val)
{
    struct web_arg *w = &c->a->web;

    if (!val || !strcmp(val, "off"))
        return 0;
    if (strcmp(val, "on"))
        return set_web(c, "-vnc websocket", val);
    if (c->a->vnc.unix_path)
        return err_set(c->err, -EINVAL,
                       "-vnc unix:…,websocket=on: name the TCP port: websocket=PORT");
    w->port = WEB_FOLLOWS;
    return 0;
}

static void keep(char **dst, const struct config *cfg, const char *key)
{
    if (config_str(cfg, key, NULL))
        args_replace(dst, config_str(cfg, key, NULL));
}

static int set_extras(struct args_ctx *c, const struct config *cfg)
{
    static const char *const shares[] = { "allow-exclusive", "force-shared", "ignore", NULL };
    struct vnc_arg *v = &c->a->vnc;
    uint64_t delay = 10;
    int rc = keyval_word(cfg, "-vnc", "share", shares, "allow-exclusive", c->err);

    if (rc < 0)
        return rc;
    v->share = (unsigned)rc;
    keep(&v->tls_creds, cfg, "tls-creds");
    keep(&v->password_secret, cfg, "password-secret");
    v->password |= v->password_secret != NULL;
    rc = keyval_bool(cfg, "-vnc", "view-only", false, &v->view_only, c->err);
    if (!rc)
        rc = keyval_bool(cfg, "-vnc", "paste-key", false, &v->paste_key, c->err);
    if (!rc)
        rc = keyval_bool(cfg, "-vnc", "power-control", false, &v->power_control, c->err);
    if (!rc)
        rc = keyval_uint(cfg, "-vnc", "key-delay-ms", 10, 1000, &delay, c->err);
    v->key_ms = (unsigned)delay;
    return rc ? rc : set_websocket(c, config_str(cfg, "websocket", NULL));
}

static int set_vnc_keys(struct args_ctx *c, const struct config *cfg)
{
    struct vnc_arg *v = &c->a->vnc;
    uint64_t to;
    int rc;

    for (unsigned i = 0; i < sizeof(vnc_refused) / sizeof(vnc_refused[0]); i++) {
        if (config_str(cfg, vnc_refused[i], NULL))
            return err_set(c->err, -ENOTSUP,
                           "-vnc %s: not supported; use password=on, tls-creds=, or listen "
                           "on 127.0.0.1 and tunnel with ssh",
                           vnc_refused[i]);
    }
    rc = keyval_bool(cfg, "-vnc", "password", false, &v->password, c->err);
    if (!rc)
        rc = keyval_uint(cfg, "-vnc", "to", (uint64_t)v->display, DISPLAY_MAX, &to, c->err);
    if (!rc) /* libxl says to=99 whatever the display is */
        v->to = (int)to > v->display ? (int)to : v->display;
    return rc ? rc : set_extras(c, cfg);
}

int args_web_console(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct web_arg *w = &c->a->web;
    struct config cfg = { 0 };
    int rc = keyval_parse(&cfg, "-web-console", arg, "address", web_keys, c->err);

    if (!rc)
        rc = set_web(c, "-web-console", config_str(&cfg, "address", ""));
    if (!rc)
        rc = keyval_bool(&cfg, "-web-console", "power-control", true, &w->power_control, c->err);
    if (!rc) {
        w->console = true;
        keep(&w->token_secret, &cfg, "token-secret");
        keep(&w->tls_creds, &cfg, "tls-creds");
        keep(&w->novnc, &cfg, "novnc");
        if (!w->host)
            w->host = xstrdup("127.0.0.1");
    }
    config_free(&cfg);
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

static const struct keyval_key sdl_keys[] = {
    { "type", 0 }, { "full-screen", KV_BARE }, { "window-close", KV_BARE },
    { "gl", 0 },   { "grab-mod", 0 },          { "show-cursor", KV_BARE },
    { NULL, 0 },
};

static int display_sdl(struct args_ctx *c, const char *arg)
{
    struct vm_args *a = c->a;
    struct config cfg = { 0 };
    bool close = !a->keep_open;
    int rc = keyval_parse(&cfg, "-display", arg, "type", sdl_keys, c->err);

    if (!rc)
        rc = keyval_bool(&cfg, "-display", "full-screen", a->full_screen, &a->full_screen, c->err);
    if (!rc)
        rc = keyval_bool(&cfg, "-display", "window-close", close, &close, c->err);
    a->keep_open = !close;
    a->sdl = true;
    config_free(&cfg);
    return rc;
}

int args_display(struct args_ctx *c, const struct option *o, const char *arg)
{
    if (!strcmp(arg, "none"))
        return 0;
    if (!strcmp(arg, "sdl") || !strncmp(arg, "sdl,", 4))
        return display_sdl(c, arg);
    if (!strncmp(arg, "vnc=", 4))
        return args_vnc(c, o, arg + 4);
    return err_set(c->err, -ENOTSUP,
                   "-display %s: not supported; use vnc=1 (-vnc HOST:N) or sdl=1 (-display sdl) in "
                   "the guest's configuration",
                   arg);
}
