/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/blockopts-drivers.c: the nodes there are: what each driver's keys
 * mean for the one image that the block layer has of the whole pile.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "block/fault.h"
#include "control/args-impl.h"
#include "control/blockopts-impl.h"

#define NODE_DEPTH 8

int walk_named(struct walk *k, const char *name)
{
    struct node_arg *def = args_find_node((struct vm_args *)k->a, name);
    struct node n = { NULL, "" };

    if (!def)
        return err_set(k->err, -EINVAL, "%s: Cannot find device='' nor node-name='%s'", k->what,
                       name);
    n.cfg = &def->cfg;
    return walk_node(k, &n);
}

/* The node below: "file=NODE", or its own keys behind "file.". */
static int walk_child(struct walk *k, const struct node *n, const char *name)
{
    const char *ref = opts_get(n, name);
    char prefix[128];
    struct node child = { n->cfg, prefix };

    if (ref)
        return walk_named(k, ref);
    if (snprintf(prefix, sizeof(prefix), "%s%s.", n->prefix, name) >= (int)sizeof(prefix))
        return err_set(k->err, -EINVAL, "%s: nested too deep", k->what);
    if (!opts_get(&child, "driver") && !opts_get(&child, "filename"))
        return err_set(k->err, -EINVAL, "%s: A block device must be specified for \"%s\"", k->what,
                       name);
    return walk_node(k, &child);
}

static int set_format(struct walk *k, const char *format)
{
    if (k->w->o.format)
        return err_set(k->err, -ENOTSUP, "%s: not supported: %s inside %s", k->what, format,
                       k->w->o.format);
    k->w->o.format = opts_keep(k, format);
    return 0;
}

static int drv_file(struct walk *k, const struct node *n, const char *driver)
{
    const char *file = opts_get(n, "filename");

    if (!file || !*file)
        return err_set(k->err, -EINVAL, "%s: Parameter 'filename' is missing", k->what);
    k->w->o.file = opts_keep(k, file);
    if (!k->w->o.format)
        k->w->o.format = opts_keep(k, !strcmp(driver, "file") ? "raw" : driver);
    return walk_locking(k, n);
}

static int drv_raw(struct walk *k, const struct node *n, const char *driver)
{
    int rc = 0;

    if (opts_get(n, "offset") || opts_get(n, "size"))
        return err_set(k->err, -ENOTSUP,
                       "%s: raw: offset= and size= are not supported; use a loop "
                       "device (losetup -o)",
                       k->what);
    if (!k->w->o.format)
        rc = set_format(k, "raw");
    return rc ? rc : walk_child(k, n, "file");
}

static int drv_format(struct walk *k, const struct node *n, const char *driver)
{
    const char *backing = opts_get(n, "backing");
    int rc = set_format(k, driver);

    if (!rc && opts_get(n, "backing.driver"))
        backing = opts_get(n, "backing.filename") ? opts_get(n, "backing.filename")
                                                  : opts_get(n, "backing.file.filename");
    else if (!rc && backing && *backing) {
        const struct node_arg *def = args_find_node((struct vm_args *)k->a, backing);

        if (!def)
            return err_set(k->err, -EINVAL, "%s: Cannot find device='' nor node-name='%s'", k->what,
                           backing);
        backing = config_str(&def->cfg, "filename", config_str(&def->cfg, "file.filename", NULL));
        if (!backing)
            return err_set(k->err, -ENOTSUP,
                           "%s: backing=%s: not supported; a backing node must "
                           "be a format over a file",
                           k->what, def->name);
    }
    if (!rc && backing)
        k->w->o.backing = opts_keep(k, backing);
    return rc ? rc : walk_child(k, n, "file");
}

int drv_nbd(struct walk *k, const struct node *n, const char *driver)
{
    const char *type = opts_get(n, "server.type"), *path = opts_get(n, "server.path");
    const char *host = opts_get(n, "server.host"), *port = opts_get(n, "server.port");
    const char *export = opts_get(n, "export");
    uint64_t delay = 0;
    char *url;
    int rc;

    path = path ? path : opts_get(n, "path");
    host = host ? host : opts_get(n, "host");
    port = port ? port : opts_get(n, "port");
    if (opts_get(n, "tls-creds"))
        return err_set(k->err, -ENOTSUP, "%s: tls-creds: not supported; tunnel with ssh", k->what);
    if (type && strcmp(type, "unix") && strcmp(type, "inet"))
        return err_set(k->err, -ENOTSUP, "%s: server.type=%s: not supported; use unix or inet",
                       k->what, type);
    if (!path == !host)
        return err_set(k->err, -EINVAL, "%s: nbd: give server.path, or server.host and server.port",
                       k->what);
    if (path)
        url = xasprintf("nbd+unix:///%s?socket=%s", export ? export : "", path);
    else
        url = xasprintf("nbd://%s:%s/%s", host, port ? port : "10809", export ? export : "");
    k->w->o.file = opts_keep(k, url);
    free(url);
    rc = opts_uint(k, n, "reconnect-delay", 86400, &delay);
    k->w->o.reconnect_delay = (unsigned)delay;
    return rc;
}

int drv_null(struct walk *k, const struct node *n, const char *driver)
{
    const char *size = opts_get(n, "size");
    uint64_t bytes = UINT64_C(1) << 30;
    char *text;

    if (size && !parse_size(size, 1, INT64_MAX, &bytes))
        return err_set(k->err, -EINVAL, "%s: size=%s: not a size", k->what, size);
    if (k->w->o.format && strcmp(k->w->o.format, "raw"))
        return err_set(k->err, -ENOTSUP, "%s: not supported: %s in %s", k->what, driver,
                       k->w->o.format);
    text = xasprintf("null-co://%llu", (unsigned long long)bytes);
    k->w->o.file = opts_keep(k, text);
    k->w->o.format = opts_keep(k, "null-co");
    free(text);
    return 0;
}

/* Faults lie on top of everything. text: block/fault.h. */
static void add_fault(struct walk *k, const char *text)
{
    const char *had = k->w->o.fault;
    char *both = had ? xasprintf("%s,%s", had, text) : xstrdup(text);

    k->w->o.fault = opts_keep(k, both);
    free(both);
}

/* config= is a file of rules. */
int walk_fault(struct walk *k, const char *config)
{
    char *text;

    if (k->w->o.fault)
        return err_set(k->err, -ENOTSUP, "%s: not supported: blkdebug twice", k->what);
    if (strchr(config, ','))
        return err_set(k->err, -ENOTSUP, "%s: config=%s: not supported: a comma in the name",
                       k->what, config);
    text = xasprintf("config=%s", config);
    add_fault(k, text);
    free(text);
    return 0;
}

/* "iotype.0=read", "iotype.1=write": the parts are joined by +. */
static char *rule_value(const struct node *n, const char *stem, const char *key)
{
    char full[96];
    const char *val;
    char *all;

    snprintf(full, sizeof(full), "%s.%s", stem, key);
    val = opts_get(n, full);
    all = val ? xstrdup(val) : NULL;
    for (unsigned i = 0; !val && i < BLOCK_OPS; i++) {
        char *longer;

        snprintf(full, sizeof(full), "%s.%s.%u", stem, key, i);
        if (!opts_get(n, full))
            break;
        longer = all ? xasprintf("%s+%s", all, opts_get(n, full)) : xstrdup(opts_get(n, full));
        free(all);
        all = longer;
    }
    return all;
}

/* The rule whose keys begin with stem ("inject-error.0"), or nothing: *found is false. */
static int add_rule(struct walk *k, const struct node *n, const char *kind, const char *stem,
                    bool *found)
{
    static const char *const keys[] = { "event", "iotype", "state",       "new_state",
                                        "errno", "sector", "immediately", "once" };
    char *text = xasprintf("rule=%s", kind);

    *found = false;
    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char *val = rule_value(n, stem, keys[i]), *longer;

        if (!val)
            continue;
        *found = true;
        if (strpbrk(val, ",:")) {
            int rc = err_set(k->err, -EINVAL, "%s: %s.%s=%s: not understood", k->what, stem,
                             keys[i], val);

            free(val);
            free(text);
            return rc;
        }
        longer = xasprintf("%s:%s=%s", text, keys[i], val);
        free(text);
        free(val);
        text = longer;
    }
    if (*found)
        add_fault(k, text);
    free(text);
    return 0;
}

static int add_rules(struct walk *k, const struct node *n, const char *kind)
{
    bool found = true;
    int rc = 0;

    for (unsigned i = 0; found && !rc && i < FAULT_RULES; i++) {
        char stem[40];

        snprintf(stem, sizeof(stem), "%s.%u", kind, i);
        rc = add_rule(k, n, kind, stem, &found);
    }
    return rc;
}

/* The line of what is not understood comes now, not when the image is opened. */
static int check_fault(struct walk *k)
{
    struct fault_plan plan;
    struct err why = { "" };
    const char *spec = k->w->o.fault;

    if (!spec || !strncmp(spec, "config=", 7) || !fault_parse(&plan, spec, &why))
        return 0;
    return err_set(k->err, -EINVAL, "%s: %.400s", k->what, why.msg);
}

static int drv_blkdebug(struct walk *k, const struct node *n, const char *driver)
{
    const char *config = opts_get(n, "config");
    int rc = config && *config ? walk_fault(k, config) : 0;

    if (!rc)
        rc = add_rules(k, n, "inject-error");
    if (!rc)
        rc = add_rules(k, n, "set-state");
    if (!rc)
        rc = check_fault(k);
    return rc ? rc : walk_child(k, n, "image");
}

static int drv_throttle(struct walk *k, const struct node *n, const char *driver)
{
    const char *group = opts_get(n, "throttle-group");
    int rc = 0;

    if (k->w->group)
        return err_set(k->err, -ENOTSUP, "%s: not supported: throttle twice", k->what);
    if (group && !args_find_group((struct vm_args *)k->a, group))
        return err_set(k->err, -EINVAL,
                       "%s: Throttle group '%s' does not exist; say -object throttle-group,id=%s "
                       "before it",
                       k->what, group, group);
    if (group)
        k->w->group = opts_keep(k, group);
    else
        rc = walk_throttle(k, n, "limits");
    return rc ? rc : walk_child(k, n, "file");
}

static int drv_refused(struct walk *k, const struct node *n, const char *driver)
{
    return err_set(k->err, -ENOTSUP, "%s: driver=%s: not supported; copy the image first", k->what,
                   driver);
}

#define COMMON                                                                                     \
    { "driver", 0 }, { "node-name", 0 }, { "read-only", 0 }, { "auto-read-only", 0 },              \
        { "discard", 0 }, { "detect-zeroes", 0 }, { "force-share", 0 }, { "cache.direct", 0 },     \
    {                                                                                              \
        "cache.no-flush", 0                                                                        \
    }

static const struct keyval_key file_keys[] = { COMMON,
                                               { "filename", 0 },
                                               { "locking", 0 },
                                               { "aio", 0 },
                                               { "pr-manager", 0 },
                                               { "aio-max-batch", 0 },
                                               { "drop-cache", 0 },
                                               { NULL, 0 } };
static const struct keyval_key raw_keys[] = { COMMON,          { "file", 0 }, { "file.", 0 },
                                              { "offset", 0 }, { "size", 0 }, { NULL, 0 } };
static const struct keyval_key qcow2_keys[] = {
    COMMON,
    { "file", 0 },
    { "file.", 0 },
    { "backing", 0 },
    { "backing.", 0 },
    { "lazy-refcounts", 0 },
    { "pass-discard-request", 0 },
    { "pass-discard-snapshot", 0 },
    { "pass-discard-other", 0 },
    { "overlap-check", 0 },
    { "cache-size", 0 },
    { "l2-cache-size", 0 },
    { "l2-cache-entry-size", 0 },
    { "refcount-cache-size", 0 },
    { "cache-clean-interval", 0 },
    { NULL, 0 },
};
static const struct keyval_key vpc_keys[] = {
    COMMON, { "file", 0 }, { "file.", 0 }, { "force-size", 0 }, { NULL, 0 }
};
static const struct keyval_key nbd_keys[] = { COMMON,
                                              { "server.", 0 },
                                              { "host", 0 },
                                              { "port", 0 },
                                              { "path", 0 },
                                              { "export", 0 },
                                              { "reconnect-delay", 0 },
                                              { "open-timeout", 0 },
                                              { "tls-creds", 0 },
                                              { "tls-hostname", 0 },
                                              { NULL, 0 } };
static const struct keyval_key null_keys[] = {
    COMMON, { "size", 0 }, { "latency-ns", 0 }, { "read-zeroes", 0 }, { NULL, 0 }
};
static const struct keyval_key throttle_keys[] = { COMMON,           { "file", 0 },
                                                   { "file.", 0 },   { "throttle-group", 0 },
                                                   { "limits.", 0 }, { NULL, 0 } };

static const struct keyval_key blkdebug_keys[] = {
    COMMON,
    { "config", 0 },
    { "image", 0 },
    { "image.", 0 },
    { "inject-error.", 0 },
    { "set-state.", 0 },
    { "align", 0 }, /* of requests: the image below takes any */
    { "max-transfer", 0 },
    { "opt-write-zero", 0 },
    { "max-write-zero", 0 },
    { "opt-discard", 0 },
    { "max-discard", 0 },
    { NULL, 0 }
};

static const struct block_driver drivers[] = {
    { "file", drv_file, file_keys },
    { "host_device", drv_file, file_keys },
    { "host_cdrom", drv_file, file_keys },
    { "raw", drv_raw, raw_keys },
    { "qcow2", drv_format, qcow2_keys },
    { "vpc", drv_format, vpc_keys },
    { "nbd", drv_nbd, nbd_keys },
    { "null-co", drv_null, null_keys },
    { "null-aio", drv_null, null_keys },
    { "throttle", drv_throttle, throttle_keys },
    { "blkdebug", drv_blkdebug, blkdebug_keys },
    { "copy-on-read", drv_refused, NULL },
    { "quorum", drv_refused, NULL },
    { "blkverify", drv_refused, NULL },
    { "blkreplay", drv_refused, NULL },
    { "vmdk", drv_refused, NULL },
    { "vdi", drv_refused, NULL },
    { "vhdx", drv_refused, NULL },
    { "qcow", drv_refused, NULL },
    { "qed", drv_refused, NULL },
    { "luks", drv_refused, NULL },
};

const struct block_driver *opts_driver(const char *name)
{
    for (unsigned i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        if (!strcmp(drivers[i].name, name))
            return &drivers[i];
    }
    return NULL;
}

/* Every key of the node itself must be one of its driver's; children check their own. */
static int check_node_keys(struct walk *k, const struct node *n, const struct block_driver *d)
{
    size_t len = strlen(n->prefix);
    struct config own = { 0 };
    int rc;

    if (!d->keys)
        return 0;
    for (size_t i = 0; i < n->cfg->n; i++) {
        if (!strncmp(n->cfg->items[i].key, n->prefix, len))
            config_set(&own, n->cfg->items[i].key + len, "");
    }
    rc = keyval_check(&own, k->what, d->keys, k->err);
    config_free(&own);
    return rc;
}

int walk_node(struct walk *k, const struct node *n)
{
    const char *driver = opts_get(n, "driver");
    const struct block_driver *d = opts_driver(driver ? driver : "file");
    int rc;

    if (++k->depth > NODE_DEPTH)
        return err_set(k->err, -EINVAL, "%s: more than %d nodes one below the other", k->what,
                       NODE_DEPTH);
    if (!driver && !*n->prefix)
        return err_set(k->err, -EINVAL, "%s: Parameter 'driver' is missing", k->what);
    if (!d)
        return err_set(k->err, -EINVAL, "%s: Unknown driver '%s'", k->what, driver);
    rc = check_node_keys(k, n, d);
    if (!rc)
        rc = walk_common(k, n);
    return rc ? rc : d->walk(k, n, d->name);
}
