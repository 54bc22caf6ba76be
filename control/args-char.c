/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-char.c: byte streams: -chardev, -mon and -qmp (the control
 * sockets), -serial and -debugcon (sinks, spelled as hw/core/sink.h reads them).
 */
#include <errno.h>
#include <stdio.h>
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
    { "to", 0 },
    { "ipv4", KV_BARE },
    { "ipv6", KV_BARE },
    { "keep-alive", KV_BARE },
    { "size", 0 },
    { "delay", 0 },
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
    { "tight", 0 },
    { "tn3270", KV_BARE },
    { "input-path", KV_NAME },
    { NULL, 0 },
};

static const struct {
    const char *kind, *text;
} chardev_refused[] = {
    { "spicevmc", "use -vnc" },
    { "spiceport", "use -vnc" },
    { "udp", "use -serial udp:HOST:PORT" },
    { "parport", "use -parallel file:PATH" },
    { "braille", "use pty" },
    { "testdev", "leave it out" },
    { "wctablet", "use -usbdevice tablet" },
    { "vc", "use pty" },
    { "msmouse", "use -usbdevice tablet" },
};

static const char *const chardev_kinds[] = { "socket", "pty",   "file", "pipe",    "serial",
                                             "tty",    "stdio", "null", "ringbuf", "memory" };

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
    if (config_str(cfg, "tls-creds", NULL))
        return err_set(c->err, -ENOTSUP,
                       "-chardev id=%s: tls-creds is not supported; tunnel with ssh", id);
    if (socket && !!path + !!config_str(cfg, "fd", NULL) + !!config_str(cfg, "port", NULL) != 1)
        return err_set(c->err, -EINVAL,
                       "-chardev socket,id=%s: needs path=FILE or fd=N, or host= and port=", id);
    if (!path && (!strcmp(kind, "file") || !strcmp(kind, "pipe") || !strcmp(kind, "serial") ||
                  !strcmp(kind, "tty")))
        return err_set(c->err, -EINVAL, "-chardev %s,id=%s: path= is missing", kind, id);
    return 0;
}

/* server= wait= nowait= and the numbers, for any kind: those that make no sense are not used. */
static int read_flags(struct args_ctx *c, const struct config *cfg, struct chardev_arg *ch)
{
    bool nowait = false, telnet = false;
    uint64_t fd = 0, port = 0, reconnect = 0, size = 65536;
    int rc = keyval_uint(cfg, "-chardev", "fd", 0, 65535, &fd, c->err);

    if (!rc)
        rc = keyval_uint(cfg, "-chardev", "port", 0, 65535, &port, c->err);
    if (!rc)
        rc = keyval_uint(cfg, "-chardev", "reconnect", 0, 86400, &reconnect, c->err);
    if (!rc)
        rc = keyval_bool(cfg, "-chardev", "server", false, &ch->server, c->err);
    if (!rc)
        rc = keyval_bool(cfg, "-chardev", "nowait", false, &nowait, c->err);
    if (!rc)
        rc = keyval_bool(cfg, "-chardev", "wait", ch->server && !nowait, &ch->wait, c->err);
    if (!rc)
        rc = keyval_bool(cfg, "-chardev", "abstract", false, &ch->abstract, c->err);
    if (!rc)
        rc = keyval_bool(cfg, "-chardev", "append", false, &ch->append, c->err);
    if (!rc)
        rc = keyval_bool(cfg, "-chardev", "telnet", false, &telnet, c->err);
    if (!rc && telnet)
        rc = err_set(c->err, -ENOTSUP, "-chardev telnet=on: not supported; use -serial telnet:H:P");
    if (!rc && ch->server && reconnect)
        rc = err_set(c->err, -EINVAL,
                     "-chardev: 'reconnect' option is incompatible with socket in "
                     "server listen mode");
    if (!rc && config_str(cfg, "size", NULL) &&
        (!parse_size(config_str(cfg, "size", ""), 1, 16 << 20, &size) || size & (size - 1)))
        rc =
            err_set(c->err, -EINVAL, "-chardev ringbuf: size=%s: must be a power of two, up to 16M",
                    config_str(cfg, "size", ""));
    ch->fd = config_str(cfg, "fd", NULL) ? (int)fd : -1;
    ch->port = (int)port;
    ch->reconnect = (int)reconnect;
    ch->size = (int)size;
    return rc;
}

static int add_chardev(struct args_ctx *c, const char *arg)
{
    struct config cfg = { 0 };
    struct chardev_arg made = { .fd = -1 };
    const char *kind, *path, *host;
    int rc = keyval_parse(&cfg, "-chardev", arg, "backend", chardev_keys, c->err);

    kind = config_str(&cfg, "backend", "");
    path = config_str(&cfg, "path", NULL);
    host = config_str(&cfg, "host", config_str(&cfg, "port", NULL) ? "" : NULL);
    if (!rc)
        rc = check_chardev(c, &cfg, kind);
    if (!rc)
        rc = read_flags(c, &cfg, &made);
    if (!rc) {
        struct chardev_arg *ch = &c->a->chardevs[c->a->nchardevs++];

        *ch = made;
        ch->id = xstrdup(config_str(&cfg, "id", ""));
        ch->kind = xstrdup(!strcmp(kind, "tty")      ? "serial"
                           : !strcmp(kind, "memory") ? "ringbuf"
                                                     : kind);
        ch->path = path ? xstrdup(path) : NULL;
        ch->host = host ? xstrdup(host) : NULL;
    }
    config_free(&cfg);
    return rc;
}

int args_chardev(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const char list[] = "Available chardev backend types:\n  socket\n  pty\n  file\n  pipe\n"
                               "  serial\n  stdio\n  null\n  ringbuf";

    if (!strcmp(arg, "help") || !strcmp(arg, "?")) {
        args_replace(&c->a->print, list);
        return 0;
    }
    return add_chardev(c, arg);
}

int args_mon(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const struct keyval_key keys[] = {
        { "chardev", 0 }, { "mode", 0 }, { "pretty", KV_BARE }, { "id", 0 }, { NULL, 0 }
    };
    struct config cfg = { 0 };
    const char *id;
    bool pretty = false;
    int rc = keyval_parse(&cfg, "-mon", arg, "chardev", keys, c->err);

    id = config_str(&cfg, "chardev", "");
    if (!rc && strcmp(config_str(&cfg, "mode", "readline"), "control"))
        rc = err_set(c->err, -ENOTSUP,
                     "-mon chardev=%s: only mode=control is supported; for the "
                     "human monitor use `xl qemu-monitor-command`",
                     id);
    if (!rc)
        rc = keyval_bool(&cfg, "-mon", "pretty", false, &pretty, c->err);
    if (!rc && c->nmons == ARGS_CHARDEVS)
        rc = err_set(c->err, -EINVAL, "-mon chardev=%s: more than %u", id, ARGS_CHARDEVS);
    if (!rc) {
        c->mons[c->nmons].pretty = pretty;
        c->mons[c->nmons++].chardev = xstrdup(id);
    }
    config_free(&cfg);
    return rc;
}

/* "tcp:HOST:PORT,more" as -chardev's keys; NULL when there is no port in it. */
static char *tcp_chardev(const char *id, const char *where)
{
    size_t len = strcspn(where, ",");
    char *copy = xstrndup(where, len), *colon = strrchr(copy, ':'), *spec = NULL;

    if (colon) {
        *colon = 0;
        spec = xasprintf("socket,id=%s,host=%s,port=%s%s", id, copy, colon + 1, where + len);
    }
    free(copy);
    return spec;
}

/* -qmp unix:PATH[,server=on][,wait=off] or tcp:HOST:PORT[,…] is -chardev and -mon in one. */
int args_qmp(struct args_ctx *c, const struct option *o, const char *arg)
{
    unsigned n = c->a->nchardevs;
    char *spec = NULL, *id;
    int rc;

    if (!strcmp(arg, "none"))
        return 0;
    id = xasprintf("compat_monitor%u", n);
    if (!strncmp(arg, "unix:", 5))
        spec = xasprintf("socket,id=%s,path=%s", id, arg + 5);
    else if (!strncmp(arg, "tcp:", 4))
        spec = tcp_chardev(id, arg + 4);
    else if (!strcmp(arg, "stdio"))
        spec = xasprintf("stdio,id=%s", id);
    free(id);
    if (!spec)
        return err_set(c->err, -ENOTSUP, "-%s %s: not supported; use unix:PATH,server,nowait",
                       o->name, arg);
    rc = add_chardev(c, spec);
    free(spec);
    if (rc)
        return rc;
    if (!c->a->chardevs[n].path == !c->a->chardevs[n].host && strcmp(arg, "stdio"))
        return err_set(c->err, -EINVAL, "-%s %s: needs unix:PATH,server,nowait", o->name, arg);
    if (c->a->chardevs[n].path && !*c->a->chardevs[n].path)
        return err_set(c->err, -EINVAL, "-%s %s: needs unix:PATH,server,nowait", o->name, arg);
    c->a->chardevs[n].monitor = true;
    c->a->chardevs[n].pretty = !strcmp(o->name, "qmp-pretty");
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
    c->seen.serial = true;
    return 0;
}

int args_debugcon(struct args_ctx *c, const struct option *o, const char *arg)
{
    if (!*arg)
        return err_set(c->err, -EINVAL, "-debugcon: the argument is empty");
    args_replace(&c->a->debugcon, arg);
    c->debugcon_default = true;
    return 0;
}

int args_parallel(struct args_ctx *c, const struct option *o, const char *arg)
{
    c->seen.parallel = true;
    if (!strcmp(arg, "none"))
        return 0;
    if (!*arg)
        return err_set(c->err, -EINVAL, "-parallel: the argument is empty");
    args_replace(&c->a->parallel, !strcmp(arg, "vc") ? "null" : arg);
    return 0;
}

int args_isa_debugcon(struct args_ctx *c, const struct config *cfg)
{
    const char *chardev = config_str(cfg, "chardev", NULL);
    uint64_t port, readback;
    int rc = keyval_addr(cfg, "-device isa-debugcon", "iobase", 0xe9, 0xffff, &port, c->err);

    if (!rc)
        rc = keyval_addr(cfg, "-device isa-debugcon", "readback", 0xe9, 0xff, &readback, c->err);
    if (!rc && readback != 0xe9)
        rc = err_set(c->err, -ENOTSUP,
                     "-device isa-debugcon,readback=0x%02x: not supported; firmware looks for 0xe9",
                     (unsigned)readback);
    if (!rc && !chardev)
        rc = err_set(c->err, -EINVAL, "-device isa-debugcon: chardev= is missing");
    if (rc)
        return rc;
    c->a->debugcon_port = port;
    c->debugcon_default = !config_str(cfg, "iobase", NULL);
    free(c->a->debugcon);
    c->a->debugcon = xasprintf("chardev:%s", chardev);
    return 0;
}

/* The port of a PC that has this base and interrupt; -1: none. */
static int known_port(uint64_t iobase, uint64_t irq)
{
    static const struct {
        unsigned iobase, irq;
    } com[] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

    for (int i = 0; i < ARGS_SERIALS; i++) {
        if ((!iobase || com[i].iobase == iobase) && (!irq || com[i].irq == irq))
            return i;
    }
    return -1;
}

static int isa_parallel(struct args_ctx *c, const char *chardev, uint64_t index, uint64_t iobase,
                        uint64_t irq)
{
    if (index || (iobase && iobase != 0x378) || (irq && irq != 7))
        return err_set(c->err, -ENOTSUP,
                       "-device isa-parallel: only index=0 (iobase=0x378,irq=7) "
                       "is emulated");
    if (c->a->parallel)
        return err_set(c->err, -EINVAL, "-device isa-parallel: a PC has one parallel port");
    c->a->parallel = xasprintf("chardev:%s", chardev);
    c->seen.parallel = true;
    return 0;
}

int args_isa_port(struct args_ctx *c, const char *driver, const struct config *cfg)
{
    const char *chardev = config_str(cfg, "chardev", NULL);
    struct vm_args *a = c->a;
    uint64_t index, iobase, irq;
    char opt[40];
    int rc, com;

    snprintf(opt, sizeof(opt), "-device %s", driver);
    rc = keyval_uint(cfg, opt, "index", 0, ARGS_SERIALS - 1, &index, c->err);
    if (!rc)
        rc = keyval_addr(cfg, opt, "iobase", 0, 0xffff, &iobase, c->err);
    if (!rc)
        rc = keyval_uint(cfg, opt, "irq", 0, 15, &irq, c->err);
    if (!rc && !chardev)
        rc = err_set(c->err, -EINVAL, "%s: chardev= is missing", opt);
    if (rc)
        return rc;
    if (!strcmp(driver, "isa-parallel"))
        return isa_parallel(c, chardev, index, iobase, irq);
    com = config_str(cfg, "index", NULL) ? (int)index : (int)a->nserials;
    if (iobase || irq)
        com = known_port(iobase, irq);
    if (com < 0 || com >= ARGS_SERIALS)
        return err_set(c->err, -ENOTSUP,
                       "%s: only the four COM ports of a PC are emulated "
                       "(0x3f8,4 0x2f8,3 0x3e8,4 0x2e8,3)",
                       opt);
    while (a->nserials <= (unsigned)com)
        a->serials[a->nserials++] = xstrdup("none");
    if (strcmp(a->serials[com], "none"))
        return err_set(c->err, -EINVAL, "%s: index=%d: COM%d is taken by '%s'", opt, com, com + 1,
                       a->serials[com]);
    free(a->serials[com]);
    a->serials[com] = xasprintf("chardev:%s", chardev);
    c->seen.serial = true;
    return 0;
}

static char *chardev_sink(const struct chardev_arg *ch)
{
    const char *server = !ch->server ? "" : ch->wait ? ",server,wait" : ",server,nowait";

    if (!strcmp(ch->kind, "ringbuf"))
        return xstrdup("mem:");
    if (!strcmp(ch->kind, "socket") && ch->host)
        return xasprintf("tcp:%s:%d%s", ch->host, ch->port, server);
    if (!strcmp(ch->kind, "socket"))
        return xasprintf("unix:%s%s", ch->path, server);
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
    if (ch->monitor || ch->fd >= 0 || (ch->abstract && ch->path))
        return err_set(c->err, -EINVAL, "-%s %s: that chardev is not for a port", opt, *spec);
    free(*spec);
    *spec = chardev_sink(ch);
    return 0;
}

static bool is_stdio(const char *sink)
{
    return sink && !strcmp(sink, "stdio");
}

/* Two readers would share the input by chance. */
static int check_stdio(struct args_ctx *c)
{
    const struct vm_args *a = c->a;
    unsigned users = is_stdio(a->qtest);

    for (unsigned i = 0; i < a->nchardevs; i++)
        users += a->chardevs[i].monitor && is_stdio(a->chardevs[i].kind);
    for (unsigned i = 0; i < a->nserials; i++)
        users += is_stdio(a->serials[i]);
    if (users < 2)
        return 0;
    return err_set(c->err, -EINVAL, "stdio: cannot use stdio by multiple character devices");
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
        if (strcmp(ch->kind, "socket") && strcmp(ch->kind, "stdio"))
            return err_set(c->err, -ENOTSUP,
                           "-mon chardev=%s: not supported; use a -chardev "
                           "socket,path=FILE,server=on,wait=off",
                           id);
        if (ch->monitor)
            return err_set(c->err, -EINVAL, "-mon chardev=%s: named twice", id);
        ch->monitor = true;
        ch->pretty = c->mons[i].pretty;
    }
    for (unsigned i = 0; !rc && i < a->nserials; i++)
        rc = resolve_sink(c, "serial", &a->serials[i]);
    rc = rc ? rc : resolve_sink(c, "parallel", &a->parallel);
    rc = rc ? rc : resolve_sink(c, "debugcon", &a->debugcon);
    return rc ? rc : check_stdio(c);
}
