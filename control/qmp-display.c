/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/qmp-display.c: verbs about the screen: VNC, screenshots, the screen as text. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "control/keyval.h"
#include "control/qmp-impl.h"
#include "display/vnc.h"

static json_t *vnc_clients(const struct vnc_info *info)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < info->nclients && i < VNC_CLIENTS; i++) {
        const struct vnc_client *cl = &info->clients[i];

        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:b}", "host", qmp_str(cl->host),
                                              "service", qmp_str(cl->service), "family",
                                              qmp_str(cl->family), "websocket", cl->websocket));
    }
    return list;
}

static void query_vnc(struct qmp_call *c)
{
    struct vnc_info info = { 0 };

    vnc_query(c->vm->vnc, &info);
    if (!info.enabled)
        c->ret = json_pack("{s:b}", "enabled", 0);
    else
        c->ret =
            json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "enabled", 1, "auth", qmp_str(info.auth),
                      "family", qmp_str(info.family), "clients", vnc_clients(&info), "service",
                      qmp_str(info.service), "host", qmp_str(info.host));
}

static json_t *vnc_server(const char *host, const char *service, const char *family,
                          const char *auth, bool web)
{
    return json_pack("{s:o, s:o, s:b, s:o, s:o}", "host", qmp_str(host), "service",
                     qmp_str(service), "websocket", web, "family", qmp_str(family), "auth",
                     qmp_str(auth));
}

static void query_vnc_servers(struct qmp_call *c)
{
    struct vnc_info info = { 0 };
    json_t *servers = json_array();

    vnc_query(c->vm->vnc, &info);
    c->ret = json_array();
    if (info.enabled && info.host[0])
        json_array_append_new(servers,
                              vnc_server(info.host, info.service, info.family, info.auth, false));
    if (info.enabled && info.web_service[0])
        json_array_append_new(
            servers, vnc_server(info.web_host, info.web_service, info.web_family, info.auth, true));
    if (info.enabled)
        json_array_append_new(c->ret,
                              json_pack("{s:s, s:O, s:o, s:o}", "id", "default", "server", servers,
                                        "clients", vnc_clients(&info), "auth", qmp_str(info.auth)));
    json_decref(servers);
}

static bool has_vnc(struct qmp_call *c)
{
    if (c->vm->vnc)
        return true;
    qmp_fail(c, "%s: this guest has no VNC display (vnc=1)", c->verb->name);
    return false;
}

static void set_vnc_password(struct qmp_call *c)
{
    struct err err = { "" };

    if (has_vnc(c) && vnc_set_password(c->vm->vnc, qmp_arg(c, "password", ""), &err))
        qmp_fail(c, "%s: %s", c->verb->name, err.msg);
}

static bool is_vnc(struct qmp_call *c)
{
    const char *protocol = qmp_arg(c, "protocol", "");

    if (!strcmp(protocol, "vnc"))
        return true;
    qmp_fail(c, "%s: protocol '%s' is not supported; use vnc", c->verb->name, protocol);
    return false;
}

static void set_password(struct qmp_call *c)
{
    const char *connected = qmp_arg(c, "connected", "keep");

    if (!is_vnc(c))
        return;
    if (strcmp(connected, "keep"))
        qmp_fail(c, "set_password: connected '%s' is not supported; use keep", connected);
    else
        set_vnc_password(c);
}

/* "now", "never", "+SECONDS" or Unix seconds → as vnc_expire_password() has it. */
static bool parse_expiry(const char *s, int64_t *when)
{
    uint64_t n;

    if (!strcmp(s, "now") || !strcmp(s, "never")) {
        *when = !strcmp(s, "now") ? -1 : 0;
        return true;
    }
    if (!parse_uint(*s == '+' ? s + 1 : s, INT64_MAX / 2, &n))
        return false;
    *when = (int64_t)n + (*s == '+' ? (int64_t)time(NULL) : 0);
    if (!*when)
        *when = -1; /* 1970 has been */
    return true;
}

static void expire_password(struct qmp_call *c)
{
    struct err err = { "" };
    int64_t when;

    if (!is_vnc(c) || !has_vnc(c))
        return;
    if (!parse_expiry(qmp_arg(c, "time", ""), &when))
        qmp_fail(c, "expire_password: time '%s' is not now, never, +SECONDS or SECONDS",
                 qmp_arg(c, "time", ""));
    else if (vnc_expire_password(c->vm->vnc, when, &err))
        qmp_fail(c, "expire_password: %s", err.msg);
}

/* The clipboard of whoever last copied something beside a viewer; nothing is typed by itself. */
static void paste(struct qmp_call *c)
{
    struct err err = { "" };

    if (has_vnc(c) && vnc_paste(c->vm->vnc, &err))
        qmp_fail(c, "portico-paste: %s", err.msg);
}

/* ---- pictures ---- */

static int open_picture(struct qmp_call *c, const char *filename)
{
    int fd = qmp_fdset_open(c, filename, true, NULL);

    if (fd != -2)
        return fd;
    fd = open(filename, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0)
        qmp_fail(c, "screendump: %s: %s", filename, strerror(errno));
    return fd;
}

struct picture {
    struct qmp_later later; /* first */
    struct surface copy;
    int fd;
    bool png;
    char *filename;
};

static int write_picture(struct qmp_later *l)
{
    struct picture *p = (struct picture *)l;
    int rc = p->png ? surface_write_png(&p->copy, p->fd) : surface_write_ppm(&p->copy, p->fd);

    if (close(p->fd) && !rc)
        rc = -errno;
    return rc;
}

static void picture_written(struct qmp_later *l, struct qmp_call *c, int rc)
{
    struct picture *p = (struct picture *)l;

    if (rc)
        qmp_fail(c, "screendump: %s: %s", p->filename, strerror(-rc));
    free(p->filename);
    free(p->copy.pixels);
}

/* A copy of the surface: the guest draws on while a thread compresses it. */
static struct picture *copy_picture(const struct surface *s)
{
    struct picture *p = calloc(1, sizeof(*p));
    size_t size = (size_t)s->stride * s->height;

    if (!p)
        return NULL;
    p->copy = *s;
    p->copy.fd = -1;
    p->copy.pixels = malloc(size);
    if (!p->copy.pixels) {
        free(p);
        return NULL;
    }
    memcpy(p->copy.pixels, s->pixels, size);
    return p;
}

static void screendump(struct qmp_call *c)
{
    const char *filename = qmp_arg(c, "filename", ""), *format = qmp_arg(c, "format", "ppm");
    bool png = !strcmp(format, "png");
    const struct surface *s;
    struct picture *p;
    int fd;

    if (!png && strcmp(format, "ppm")) {
        qmp_fail(c, "screendump: format '%s' is not supported; use png or ppm", format);
        return;
    }
    s = c->vm->display ? display_refresh(c->vm->display, true) : NULL;
    if (!s) {
        qmp_fail(c, "screendump: there is no picture; the guest has no display (vga=)");
        return;
    }
    fd = open_picture(c, filename);
    if (fd < 0)
        return;
    p = copy_picture(s);
    if (!p) {
        close(fd);
        qmp_fail(c, "screendump: out of memory");
        return;
    }
    p->fd = fd;
    p->png = png;
    p->filename = xstrdup(filename);
    p->later.run = write_picture;
    p->later.done = picture_written;
    qmp_later(c, &p->later);
}

const struct qmp_verb qmp_display_verbs[] = {
    { "query-vnc", query_vnc, NULL, NULL },
    { "query-vnc-servers", query_vnc_servers, NULL, NULL },
    { "change-vnc-password", set_vnc_password, "password:s", NULL },
    { "set_password", set_password, "protocol:s password:s connected:s? display:s?", NULL },
    { "expire_password", expire_password, "protocol:s time:s display:s?", NULL },
    { "portico-paste", paste, NULL, NULL },
    { "screendump", screendump, "filename:s format:s? device:s? head:i?", NULL },
    { NULL, NULL, NULL, NULL },
};
