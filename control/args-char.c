/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-char.c: byte streams: -chardev, -mon and -qmp (the control
 * sockets), -serial and -debugcon (sinks, spelled as hw/core/sink.h reads them).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"
#include "hw/core/log.h"

static const struct keyval_key chardev_keys[] = {
    { "backend", 0 },
    { "id", 0 },
    { "path", KV_NAME },
    { "fd", 0 },
    { "server", KV_BARE },
    { "wait", KV_BARE },
    { "nowait", KV_BARE },
    { "host", 0 },
    { "port", 0 },
    { "telnet", KV_BARE },
    { "nodelay", KV_BARE },
    { "reconnect", 0 },
    { "logfile", KV_NAME },
    { "logappend", 0 },
    { "mux", 0 },
    { "append", 0 },
    { "signal", 0 },
    { "name", 0 },
    { "debug", 0 },
    { "tls-creds", 0 },
    { "abstract", KV_BARE },
    { "websocket", KV_BARE },
    { "input-path", KV_NAME },
    { NULL, 0 },
};

static const struct {
    const char *kind, *text;
} chardev_refused[] = {
    { "spicevmc", "use -vnc" },
    { "spiceport", "use -vnc" },
    { "udp", "use -serial udp:HOST:PORT" },
    { "vc", "use pty" },
    { "msmouse", "use -usbdevice tablet" },
    { "ringbuf", "use file" },
};

static const char *const chardev_kinds[] = { "socket", "pty", "file",  "pipe",
                                             "serial", "tty", "stdio", "null" };

static struct chardev_arg *find_chardev(struct vm_args *a, const char *id)
{
    for (unsigned i = 0; i < a->nchardevs; i++) {
        if (!strcmp(a->chardevs[i].id, id))
            return &a->chardevs[i];
    }
    return NULL;
}

static int check_kind(struct args_ctx *c, const char *kind)
{
    for (unsigned i = 0; i < sizeof(chardev_kinds) / sizeof(chardev_kinds[0]); i++) {
        if (!strcmp(chardev_kinds[i], kind))
            return 0;
    }
    for (unsigned i = 0; i < sizeof(chardev_refused) / sizeof(chardev_refused[0]); i++) {
        if (!strcmp(chardev_refused[i].kind, kind))
            return err_set(c->err, -ENOTSUP, "-chardev %s: not supported; %s", kind,
                           chardev_refused[i].text);
    }
    return err_set(c->err, -ENOTSUP,
                   "-chardev %s: not supported; use socket, pty, file, pipe, "
                   "serial, stdio or null",
                   kind);
}

static int check_chardev(struct args_ctx *c, const struct config *cfg, const char *kind)
{
    const char *id = config_str(cfg, "id", ""), *path = config_str(cfg, "path", NULL);
    bool socket = !strcmp(kind, "socket");
    int rc = check_kind(c, kind);

    if (rc)
        return rc;
    if (!*id)
        return err_set(c->err, -EINVAL, "-chardev %s: id= is missing", kind);
    if (find_chardev(c->a, id))
        return err_set(c->err, -EINVAL, "-chardev id=%s: there are two of that name", id);
    if (c->a->nchardevs == ARGS_CHARDEVS)
        return err_set(c->err, -EINVAL, "-chardev id=%s: more than %u", id, ARGS_CHARDEVS);
    if (config_str(cfg, "host", NULL) || config_str(cfg, "port", NULL))
        return err_set(c->err, -ENOTSUP,
                       "-chardev id=%s: host= and port= are not supported; use "
                       "path=, or -serial tcp:HOST:PORT",
                       id);
    if (socket && !path == !config_str(cfg, "fd", NULL))
        return err_set(c->err, -EINVAL, "-chardev socket,id=%s: needs path=FILE or fd=N", id);
    if (!path && strcmp(kind, "pty") && strcmp(kind, "stdio") && strcmp(kind, "null") && !socket)
        return err_set(c->err, -EINVAL, "-chardev %s,id=%s: path= is missing", kind, id);
    return 0;
}

int args_chardev(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 };
    const char *kind, *path;
    uint64_t fd = 0;
    bool server = false;
    int rc = keyval_parse(&cfg, "-chardev", arg, "backend", chardev_keys, c->err);

    kind = config_str(&cfg, "backend", "");
    path = config_str(&cfg, "path", NULL);
    if (!rc)
        rc = check_chardev(c, &cfg, kind);
    if (!rc)
        rc = keyval_uint(&cfg, "-chardev", "fd", 0, 65535, &fd, c->err);
    if (!rc)
        rc = keyval_bool(&cfg, "-chardev", "server", false, &server, c->err);
    if (!rc) {
        struct chardev_arg *ch = &c->a->chardevs[c->a->nchardevs++];

        ch->id = xstrdup(config_str(&cfg, "id", ""));
        ch->kind = xstrdup(!strcmp(kind, "tty") ? "serial" : kind);
        ch->path = path ? xstrdup(path) : NULL;
        ch->fd = config_str(&cfg, "fd", NULL) ? (int)fd : -1;
        ch->server = server;
    }
    config_free(&cfg);
    return rc;
}

int args_mon(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const struct keyval_key keys[] = {
        { "chardev", 0 }, { "mode", 0 }, { "pretty", KV_BARE }, { NULL, 0 }
    };
    struct config cfg = { 0 };
    const char *id;
    int rc = keyval_parse(&cfg, "-mon", arg, "chardev", keys, c->err);

    id = config_str(&cfg, "chardev", "");
    if (!rc && strcmp(config_str(&cfg, "mode", "readline"), "control"))
        rc = err_set(c->err, -ENOTSUP,
                     "-mon chardev=%s: only mode=control is supported; for the "
                     "human monitor use `xl qemu-monitor-command`",
                     id);
    if (!rc && c->nmons == ARGS_CHARDEVS)
        rc = err_set(c->err, -EINVAL, "-mon chardev=%s: more than %u", id, ARGS_CHARDEVS);
    if (!rc)
        c->mons[c->nmons++].chardev = xstrdup(id);
    config_free(&cfg);
    return rc;
}

/* -qmp unix:PATH,server,nowait is -chardev and -mon in one. */
int args_qmp(struct args_ctx *c, const struct option *o, const char *arg)
{
    unsigned n = c->a->nchardevs;
    char *spec;
    struct chardev_arg *ch;
    int rc;

    if (strncmp(arg, "unix:", 5))
        return err_set(c->err, -ENOTSUP, "-qmp %s: not supported; use unix:PATH,server,nowait",
                       arg);
    spec = xasprintf("socket,id=compat_monitor%u,path=%s", n, arg + 5);
    rc = args_chardev(c, o, spec);
    free(spec);
    if (rc)
        return rc;
    ch = &c->a->chardevs[n];
    ch->monitor = true;
    if (!ch->server || !*ch->path)
        return err_set(c->err, -EINVAL, "-qmp %s: needs unix:PATH,server,nowait", arg);
    return 0;
}

int args_monitor(struct args_ctx *c, const struct option *o, const char *arg)
{
    if (strcmp(arg, "none") && strcmp(arg, "null"))
        log_line("-monitor %s: has no effect; use `xl qemu-monitor-command`", arg);
    return 0;
}

/* A -serial argument in sink.h's spelling; what a "chardev:ID" is, is known only at the end. */
int args_serial(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct vm_args *a = c->a;

    if (!*arg)
        return err_set(c->err, -EINVAL, "-serial: the argument is empty");
    if (a->nserials == ARGS_SERIALS)
        return err_set(c->err, -EINVAL, "-serial %s: a PC has %u serial ports", arg, ARGS_SERIALS);
    if (!strncmp(arg, "mon:", 4)) {
        log_line("-serial %s: no monitor on it; use `xl qemu-monitor-command`", arg);
        arg += 4;
    }
    if (!strcmp(arg, "vc") || !strncmp(arg, "vc:", 3)) {
        log_line("-serial %s: there is no such window; the output is dropped, use pty", arg);
        arg = "null";
    }
    a->serials[a->nserials++] = xstrdup(arg);
    return 0;
}

int args_debugcon(struct args_ctx *c, const struct option *o, const char *arg)
{
    if (!*arg)
        return err_set(c->err, -EINVAL, "-debugcon: the argument is empty");
    args_replace(&c->a->debugcon, arg);
    return 0;
}

int args_isa_debugcon(struct args_ctx *c, const char *arg)
{
    static const struct keyval_key keys[] = {
        { "driver", 0 }, { "chardev", 0 }, { "iobase", 0 }, { "id", 0 }, { NULL, 0 }
    };
    struct config cfg = { 0 };
    const char *iobase, *chardev;
    int rc = keyval_parse(&cfg, "-device isa-debugcon", arg, "driver", keys, c->err);

    iobase = config_str(&cfg, "iobase", "0x402");
    chardev = config_str(&cfg, "chardev", NULL);
    if (!rc && !chardev)
        rc = err_set(c->err, -EINVAL, "-device isa-debugcon: chardev= is missing");
    if (!rc && strcmp(iobase, "0x402") && strcmp(iobase, "1026"))
        rc = err_set(c->err, -ENOTSUP,
                     "-device isa-debugcon,iobase=%s: not supported; use 0x402 "
                     "(0xe9 is the hypervisor's)",
                     iobase);
    if (!rc) {
        free(c->a->debugcon);
        c->a->debugcon = xasprintf("chardev:%s", chardev);
    }
    config_free(&cfg);
    return rc;
}

static char *chardev_sink(const struct chardev_arg *ch)
{
    if (!strcmp(ch->kind, "socket"))
        return xasprintf("unix:%s%s", ch->path, ch->server ? ",server,nowait" : "");
    if (!strcmp(ch->kind, "file") || !strcmp(ch->kind, "pipe"))
        return xasprintf("%s:%s", ch->kind, ch->path);
    return xstrdup(!strcmp(ch->kind, "serial") ? ch->path : ch->kind);
}

static int resolve_sink(struct args_ctx *c, const char *opt, char **spec)
{
    const struct chardev_arg *ch;

    if (!*spec || strncmp(*spec, "chardev:", 8))
        return 0;
    ch = find_chardev(c->a, *spec + 8);
    if (!ch)
        return err_set(c->err, -EINVAL, "-%s %s: there is no -chardev of that id", opt, *spec);
    if (ch->monitor || ch->fd >= 0)
        return err_set(c->err, -EINVAL, "-%s %s: that chardev is not for a port", opt, *spec);
    free(*spec);
    *spec = chardev_sink(ch);
    return 0;
}

int args_join_chardevs(struct args_ctx *c)
{
    struct vm_args *a = c->a;
    int rc = 0;

    for (unsigned i = 0; i < c->nmons; i++) {
        const char *id = c->mons[i].chardev;
        struct chardev_arg *ch = find_chardev(a, id);

        if (!ch)
            return err_set(c->err, -EINVAL, "-mon chardev=%s: there is no -chardev of that id", id);
        if (strcmp(ch->kind, "socket") || !ch->server)
            return err_set(c->err, -ENOTSUP,
                           "-mon chardev=%s: not supported; use a -chardev "
                           "socket,path=FILE,server=on,wait=off",
                           id);
        if (ch->monitor)
            return err_set(c->err, -EINVAL, "-mon chardev=%s: named twice", id);
        ch->monitor = true;
    }
    for (unsigned i = 0; !rc && i < a->nserials; i++)
        rc = resolve_sink(c, "serial", &a->serials[i]);
    rc = rc ? rc : resolve_sink(c, "parallel", &a->parallel);
    return rc ? rc : resolve_sink(c, "debugcon", &a->debugcon);
}
