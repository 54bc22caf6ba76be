/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/blockopts.c: QEMU's graph of block nodes, flattened: the block layer
 * has one image with options and filters on top, in a fixed order. What that
 * cannot say (two images under one filter, a filter below a format's cluster
 * mapping that would see other offsets) is refused by name.
 */
#include "control/blockopts.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "block/fault.h"
#include "control/args-impl.h"
#include "hw/core/log.h"

#define NODE_DEPTH 8

struct walk {
    struct block_want *w;
    const struct vm_args *a;
    struct err *err;
    const char *what; /* "-blockdev n1", for messages */
    unsigned depth;
};

struct node { /* a node: the keys of cfg that begin with prefix */
    const struct config *cfg;
    const char *prefix; /* "" or "file." */
};

static const char *get(const struct node *n, const char *key)
{
    char full[160];

    snprintf(full, sizeof(full), "%s%s", n->prefix, key);
    return config_str(n->cfg, full, NULL);
}

/* Keeps a copy of val for as long as the options live. */
static const char *keep(struct walk *k, const char *val)
{
    char name[24];

    snprintf(name, sizeof(name), "%zu", k->w->keep.n);
    config_set(&k->w->keep, name, val);
    return config_str(&k->w->keep, name, NULL);
}

static int get_bool(struct walk *k, const struct node *n, const char *key, bool *out)
{
    const char *val = get(n, key);
    struct config one = { 0 };
    int rc;

    if (!val)
        return 0;
    config_set(&one, key, val);
    rc = keyval_bool(&one, k->what, key, *out, out, k->err);
    config_free(&one);
    return rc;
}

static int get_uint(struct walk *k, const struct node *n, const char *key, uint64_t max,
                    uint64_t *out)
{
    const char *val = get(n, key);

    if (val && !parse_uint(val, max, out))
        return err_set(k->err, -EINVAL, "%s: %s=%s: not a number from 0 to %llu", k->what, key, val,
                       (unsigned long long)max);
    return 0;
}

/* Options that every node may have */

static int walk_common(struct walk *k, const struct node *n)
{
    struct block_options *o = &k->w->o;
    const char *discard = get(n, "discard"), *zeroes = get(n, "detect-zeroes");
    int rc = get_bool(k, n, "read-only", &o->readonly);

    if (!rc)
        rc = get_bool(k, n, "cache.direct", &o->direct);
    if (!rc)
        rc = get_bool(k, n, "cache.no-flush", &o->no_flush);
    if (rc)
        return rc;
    if (discard && (!strcmp(discard, "unmap") || !strcmp(discard, "on")))
        o->discard = true;
    else if (discard && (!strcmp(discard, "ignore") || !strcmp(discard, "off")))
        o->discard = false;
    else if (discard)
        return err_set(k->err, -EINVAL,
                       "%s: discard=%s: Invalid discard option; use ignore or unmap", k->what,
                       discard);
    if (!zeroes || !strcmp(zeroes, "off"))
        return 0;
    if (strcmp(zeroes, "on") && strcmp(zeroes, "unmap"))
        return err_set(k->err, -EINVAL, "%s: detect-zeroes=%s: use off, on or unmap", k->what,
                       zeroes);
    if (!strcmp(zeroes, "unmap") && !o->discard)
        return err_set(k->err, -EINVAL,
                       "%s: setting detect-zeroes to unmap is not allowed without setting "
                       "discard operation to unmap",
                       k->what);
    o->detect_zeroes = true;
    return 0;
}

static int walk_locking(struct walk *k, const struct node *n)
{
    const char *val = get(n, "locking");

    if (!val)
        return 0;
    if (!strcmp(val, "auto"))
        k->w->o.locking = BLOCK_LOCK_AUTO;
    else if (!strcmp(val, "on"))
        k->w->o.locking = BLOCK_LOCK_ON;
    else if (!strcmp(val, "off"))
        k->w->o.locking = BLOCK_LOCK_OFF;
    else
        return err_set(k->err, -EINVAL, "%s: locking=%s: use on, off or auto", k->what, val);
    return 0;
}

/* Throttling */

static int walk_limit(struct walk *k, const struct node *n, const char *stem, const char *unit,
                      const char *kind, struct block_limit *l)
{
    uint64_t length = l->length;
    char key[64];
    int rc;

    snprintf(key, sizeof(key), "%s.%s-%s", stem, unit, kind);
    rc = get_uint(k, n, key, 1000000000000000, &l->avg);
    snprintf(key, sizeof(key), "%s.%s-%s-max", stem, unit, kind);
    if (!rc)
        rc = get_uint(k, n, key, 1000000000000000, &l->max);
    if (!rc && l->max && !l->avg)
        return err_set(k->err, -EINVAL,
                       "%s: %s: bps_max/iops_max require corresponding bps/iops "
                       "values",
                       k->what, key);
    if (!rc && l->max && l->max < l->avg)
        return err_set(k->err, -EINVAL, "%s: %s: bps_max/iops_max cannot be lower than bps/iops",
                       k->what, key);
    snprintf(key, sizeof(key), "%s.%s-%s-max-length", stem, unit, kind);
    if (!rc)
        rc = get_uint(k, n, key, 86400, &length);
    l->length = (unsigned)length;
    return rc;
}

static int walk_throttle(struct walk *k, const struct node *n, const char *stem)
{
    static const char *const kinds[] = { "total", "read", "write" };
    static const char *const units[] = { "iops", "bps" };
    struct block_throttle *t = &k->w->o.throttle;
    char key[64];
    int rc = 0;

    for (unsigned u = 0; u < 2; u++) {
        struct block_limit *l = u ? t->bps : t->iops;

        for (unsigned i = 0; !rc && i < BLOCK_LIMITS; i++)
            rc = walk_limit(k, n, stem, units[u], kinds[i], &l[i]);
        if (!rc && l[BLOCK_LIMIT_TOTAL].avg &&
            (l[BLOCK_LIMIT_READ].avg || l[BLOCK_LIMIT_WRITE].avg))
            rc = err_set(k->err, -EINVAL,
                         "%s: %s.%s-total: bps/iops/max total values and read/write values "
                         "cannot be used at the same time",
                         k->what, stem, units[u]);
    }
    snprintf(key, sizeof(key), "%s.iops-size", stem);
    return rc ? rc : get_uint(k, n, key, UINT32_MAX, &t->iops_size);
}

static bool is_limited(const struct block_throttle *t)
{
    for (unsigned i = 0; i < BLOCK_LIMITS; i++) {
        if (t->iops[i].avg || t->bps[i].avg)
            return true;
    }
    return false;
}

int block_want_limits(struct block_throttle *t, const struct config *cfg, const char *what,
                      struct err *err)
{
    struct block_want w = { .o = { 0 } };
    struct walk k = { &w, NULL, err, what, 0 };
    struct node n = { cfg, "" };
    int rc = walk_throttle(&k, &n, "limits");

    *t = w.o.throttle;
    return rc;
}

/* Drivers */

static int walk_node(struct walk *k, const struct node *n);

static int walk_named(struct walk *k, const char *name)
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
    const char *ref = get(n, name);
    char prefix[128];
    struct node child = { n->cfg, prefix };

    if (ref)
        return walk_named(k, ref);
    if (snprintf(prefix, sizeof(prefix), "%s%s.", n->prefix, name) >= (int)sizeof(prefix))
        return err_set(k->err, -EINVAL, "%s: nested too deep", k->what);
    if (!get(&child, "driver") && !get(&child, "filename"))
        return err_set(k->err, -EINVAL, "%s: A block device must be specified for \"%s\"", k->what,
                       name);
    return walk_node(k, &child);
}

static int set_format(struct walk *k, const char *format)
{
    if (k->w->o.format)
        return err_set(k->err, -ENOTSUP, "%s: not supported: %s inside %s", k->what, format,
                       k->w->o.format);
    k->w->o.format = keep(k, format);
    return 0;
}

static int drv_file(struct walk *k, const struct node *n, const char *driver)
{
    const char *file = get(n, "filename");

    if (!file || !*file)
        return err_set(k->err, -EINVAL, "%s: Parameter 'filename' is missing", k->what);
    k->w->o.file = keep(k, file);
    if (!k->w->o.format)
        k->w->o.format = keep(k, !strcmp(driver, "file") ? "raw" : driver);
    return walk_locking(k, n);
}

static int drv_raw(struct walk *k, const struct node *n, const char *driver)
{
    int rc = 0;

    if (get(n, "offset") || get(n, "size"))
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
    const char *backing = get(n, "backing");
    int rc = set_format(k, driver);

    if (!rc && get(n, "backing.driver"))
        backing = get(n, "backing.filename") ? get(n, "backing.filename")
                                             : get(n, "backing.file.filename");
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
        k->w->o.backing = keep(k, backing);
    return rc ? rc : walk_child(k, n, "file");
}

static int drv_nbd(struct walk *k, const struct node *n, const char *driver)
{
    const char *type = get(n, "server.type"), *path = get(n, "server.path");
    const char *host = get(n, "server.host"), *port = get(n, "server.port");
    const char *export = get(n, "export");
    uint64_t delay = 0;
    char *url;
    int rc;

    path = path ? path : get(n, "path");
    host = host ? host : get(n, "host");
    port = port ? port : get(n, "port");
    if (get(n, "tls-creds"))
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
    k->w->o.file = keep(k, url);
    free(url);
    rc = get_uint(k, n, "reconnect-delay", 86400, &delay);
    k->w->o.reconnect_delay = (unsigned)delay;
    return rc;
}

static int drv_null(struct walk *k, const struct node *n, const char *driver)
{
    const char *size = get(n, "size");
    uint64_t bytes = UINT64_C(1) << 30;
    char *text;

    if (size && !parse_size(size, 1, INT64_MAX, &bytes))
        return err_set(k->err, -EINVAL, "%s: size=%s: not a size", k->what, size);
    if (k->w->o.format && strcmp(k->w->o.format, "raw"))
        return err_set(k->err, -ENOTSUP, "%s: not supported: %s in %s", k->what, driver,
                       k->w->o.format);
    text = xasprintf("null-co://%llu", (unsigned long long)bytes);
    k->w->o.file = keep(k, text);
    k->w->o.format = keep(k, "null-co");
    free(text);
    return 0;
}

/* Faults lie on top of everything. text: block/fault.h. */
static void add_fault(struct walk *k, const char *text)
{
    const char *had = k->w->o.fault;
    char *both = had ? xasprintf("%s,%s", had, text) : xstrdup(text);

    k->w->o.fault = keep(k, both);
    free(both);
}

/* config= is a file of rules. */
static int set_fault(struct walk *k, const char *config)
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
    val = get(n, full);
    all = val ? xstrdup(val) : NULL;
    for (unsigned i = 0; !val && i < BLOCK_OPS; i++) {
        char *longer;

        snprintf(full, sizeof(full), "%s.%s.%u", stem, key, i);
        if (!get(n, full))
            break;
        longer = all ? xasprintf("%s+%s", all, get(n, full)) : xstrdup(get(n, full));
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
    const char *config = get(n, "config");
    int rc = config && *config ? set_fault(k, config) : 0;

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
    const char *group = get(n, "throttle-group");
    int rc = 0;

    if (k->w->group)
        return err_set(k->err, -ENOTSUP, "%s: not supported: throttle twice", k->what);
    if (group && !args_find_group((struct vm_args *)k->a, group))
        return err_set(k->err, -EINVAL,
                       "%s: Throttle group '%s' does not exist; say -object throttle-group,id=%s "
                       "before it",
                       k->what, group, group);
    if (group)
        k->w->group = keep(k, group);
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

static const struct block_driver {
    const char *name;
    int (*walk)(struct walk *k, const struct node *n, const char *driver);
    const struct keyval_key *keys; /* NULL: any */
} drivers[] = {
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

static const struct block_driver *find_driver(const char *name)
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

static int walk_node(struct walk *k, const struct node *n)
{
    const char *driver = get(n, "driver");
    const struct block_driver *d = find_driver(driver ? driver : "file");
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

/* A -drive's file= */

static int walk_json(struct walk *k, const char *text)
{
    struct config cfg = { 0 };
    struct node n = { &cfg, "" };
    int rc = keyval_parse(&cfg, k->what, text, NULL, NULL, k->err);

    if (!rc)
        rc = walk_node(k, &n);
    config_free(&cfg);
    return rc;
}

/* QEMU's old spelling: nbd:HOST:PORT[:exportname=X] or nbd:unix:PATH[:exportname=X]. */
static int walk_old_nbd(struct walk *k, const char *text)
{
    char *copy = xstrdup(text), *name = strstr(copy, ":exportname="), *colon, *url = NULL;

    if (name)
        *name = 0;
    name = name ? name + strlen(":exportname=") : copy + strlen(copy);
    colon = strrchr(copy, ':');
    if (!strncmp(copy, "unix:", 5))
        url = xasprintf("nbd+unix:///%s?socket=%s", name, copy + 5);
    else if (colon)
        url = xasprintf("nbd://%s/%s", copy, name);
    if (url)
        k->w->o.file = keep(k, url);
    free(url);
    free(copy);
    return k->w->o.file
               ? 0
               : err_set(k->err, -EINVAL, "%s: nbd:%s: use nbd://HOST:PORT/EXPORT", k->what, text);
}

static int walk_file(struct walk *k, const char *file)
{
    if (!strncmp(file, "json:", 5))
        return walk_json(k, file + 5);
    if (!strncmp(file, "nbd:", 4) && strncmp(file, "nbd://", 6))
        return walk_old_nbd(k, file + 4);
    if (!strncmp(file, "null-co://", 10) || !strncmp(file, "null-aio://", 11)) {
        struct config none = { 0 };
        struct node n = { &none, "" };

        return drv_null(k, &n, file[5] == 'c' ? "null-co" : "null-aio");
    }
    if (!strncmp(file, "blkdebug:", 9)) {
        const char *image = strchr(file + 9, ':');
        char *config = image ? xstrndup(file + 9, (size_t)(image - file - 9)) : NULL;
        int rc = !config   ? err_set(k->err, -EINVAL,
                                     "%s: blkdebug requires both config and image path", k->what)
                 : *config ? set_fault(k, config)
                           : 0;

        free(config);
        return rc || !image ? rc : walk_file(k, image + 1);
    }
    if (!strncmp(file, "file:", 5))
        file += 5;
    k->w->o.file = keep(k, file);
    return 0;
}

static int walk_drive(struct walk *k, const struct drive_arg *d)
{
    const struct config *opts = &d->opts;
    struct node top = { opts, "" }, file = { opts, "file." };
    const struct block_driver *drv = d->format ? find_driver(d->format) : NULL;
    int rc = walk_common(k, &top);

    if (!rc)
        rc = walk_throttle(k, &top, "throttling");
    if (!rc && is_limited(&k->w->o.throttle)) {
        k->w->group = keep(k, get(&top, "throttling.group") ? get(&top, "throttling.group")
                              : d->id                       ? d->id
                                                            : "?");
        k->w->set_group = true;
    }
    if (!rc)
        rc = walk_locking(k, &file);
    if (rc)
        return rc;
    if (d->file) {
        k->w->o.format = d->format;
        return walk_file(k, d->file);
    }
    if (config_str(opts, "file.driver", config_str(opts, "file.filename", NULL))) {
        k->w->o.format = d->format;
        return walk_node(k, &file);
    }
    if (drv && (drv->walk == drv_null || drv->walk == drv_nbd))
        return drv->walk(k, &top, d->format);
    k->w->empty = true;
    return 0;
}

static void begin(struct block_want *w, const struct vm_args *a)
{
    memset(w, 0, sizeof(*w));
    w->o = BLOCK_OPTIONS(.discard = a->domid >= 0);
}

int block_want_node(struct block_want *w, const struct vm_args *a, const char *node,
                    struct err *err)
{
    char what[96];
    struct walk k = { w, a, err, what, 0 };

    begin(w, a);
    snprintf(what, sizeof(what), "-blockdev %s", node);
    return walk_named(&k, node);
}

int block_want_config(struct block_want *w, const struct vm_args *a, const struct config *cfg,
                      struct err *err)
{
    char what[96];
    struct walk k = { w, a, err, what, 0 };
    struct node n = { cfg, "" };

    begin(w, a);
    snprintf(what, sizeof(what), "-blockdev %s", config_str(cfg, "node-name", "?"));
    return walk_node(&k, &n);
}

int block_want_drive(struct block_want *w, const struct vm_args *a, const struct drive_arg *d,
                     struct err *err)
{
    char what[96];
    struct walk k = { w, a, err, what, 0 };
    struct node top = { &d->opts, "" };
    int rc;

    if (d->node) {
        rc = block_want_node(w, a, d->node, err);
    } else {
        begin(w, a);
        snprintf(what, sizeof(what), "-drive %s", d->id ? d->id : "?");
        rc = walk_drive(&k, d);
        if (!rc)
            rc = get_bool(&k, &top, "snapshot", &w->o.snapshot);
    }
    w->o.readonly |= d->readonly;
    return rc;
}

void block_want_free(struct block_want *w)
{
    config_free(&w->keep);
}
