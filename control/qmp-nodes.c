/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-nodes.c: blockdev-add and -del: images that are open before they
 * are in a drive. A node is a format over a file; filters are options of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/keyval.h"
#include "control/parts.h"
#include "control/qmp-impl.h"

#define LEVELS 6

struct vm_node *qmp_node_find(struct vm *vm, const char *name)
{
    for (unsigned i = 0; i < VM_NODES; i++) {
        if (vm->nodes[i].name && !strcmp(vm->nodes[i].name, name))
            return &vm->nodes[i];
    }
    return NULL;
}

struct vm_node *qmp_node_of(struct vm *vm, const struct block *b)
{
    for (unsigned i = 0; b && i < VM_NODES; i++) {
        if (vm->nodes[i].block == b)
            return &vm->nodes[i];
    }
    return NULL;
}

bool qmp_node_in_use(struct vm *vm, const struct vm_node *n)
{
    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        if (n->block && (vm->drives[i].block == n->block || vm->drives[i].waiting == n->block))
            return true;
    }
    for (unsigned i = 0; i < VM_NODES; i++) {
        if (vm->nodes[i].name && vm->nodes[i].below == n)
            return true;
    }
    return false;
}

/* {"file": {"filename": "x"}} → file.filename=x */
static bool flatten(struct qmp_call *c, const json_t *o, const char *prefix, unsigned level,
                    struct config *cfg)
{
    const char *key;
    json_t *val;

    json_object_foreach((json_t *)(uintptr_t)o, key, val)
    {
        char name[128], text[24];

        if (snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "", key) >=
            (int)sizeof(name))
            return false;
        if (json_is_object(val)) {
            if (level == LEVELS || !flatten(c, val, name, level + 1, cfg))
                return false;
            continue;
        }
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(val));
        if (json_is_string(val))
            config_set(cfg, name, json_string_value(val));
        else if (json_is_boolean(val))
            config_set(cfg, name, json_is_true(val) ? "on" : "off");
        else if (json_is_integer(val))
            config_set(cfg, name, text);
        else if (!json_is_null(val))
            return false;
    }
    return true;
}

static bool is_protocol(const char *driver)
{
    static const char *const names[] = { "file", "host_device", "host_cdrom", "nbd" };

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!strcmp(driver, names[i]))
            return true;
    }
    return false;
}

/* The key of a protocol node's config: the same whether it stands alone or under "file". */
static const char *get(const struct config *cfg, const char *prefix, const char *key)
{
    char full[64];

    snprintf(full, sizeof(full), "%s%s", prefix, key);
    return config_str(cfg, full, NULL);
}

/* "/disk.img", "nbd://host:10809/export"; NULL and a failed call. Caller frees. */
static char *location(struct qmp_call *c, const struct config *cfg, const char *prefix)
{
    const char *driver = get(cfg, prefix, "driver"), *file = get(cfg, prefix, "filename");
    const char *host = get(cfg, prefix, "server.host"), *path = get(cfg, prefix, "server.path");
    const char *port = get(cfg, prefix, "server.port"), *export = get(cfg, prefix, "export");

    if (driver && !strcmp(driver, "nbd") && path)
        return xasprintf("nbd+unix:///%s?socket=%s", export ? export : "", path);
    if (driver && !strcmp(driver, "nbd") && host)
        return xasprintf("nbd://%s:%s/%s", host, port ? port : "10809", export ? export : "");
    if (file && (!driver || is_protocol(driver)))
        return xstrdup(file);
    if (driver && !is_protocol(driver))
        qmp_fail(c, "Unknown driver '%s'", driver);
    else
        qmp_fail(c, "Parameter '%sfilename' is missing", prefix);
    return NULL;
}

static bool open_node(struct qmp_call *c, struct vm_node *n, const struct config *cfg)
{
    const char *driver = config_str(cfg, "driver", ""), *ref = config_str(cfg, "file", NULL);
    struct block_options o = BLOCK_OPTIONS(.format = is_protocol(driver) ? "raw" : driver);
    struct err err = { "" };

    if (ref) {
        n->below = qmp_node_find(c->vm, ref);
        if (!n->below || !n->below->file || is_protocol(driver))
            qmp_fail(c, "Cannot find device='' nor node-name='%s'", ref);
        else if (qmp_node_in_use(c->vm, n->below) && n->below != n)
            qmp_fail(c, "Node '%s' is already in use", ref);
        else
            n->file = xstrdup(n->below->file);
    } else {
        n->file = location(c, cfg, is_protocol(driver) ? "" : "file.");
    }
    if (!n->file || c->error)
        return false;
    o.file = n->file;
    o.readonly = config_bool(cfg, "read-only", config_bool(cfg, "file.read-only", false));
    o.direct = config_bool(cfg, "cache.direct", config_bool(cfg, "file.cache.direct", false));
    o.no_flush = config_bool(cfg, "cache.no-flush", false);
    o.discard = !strcmp(config_str(cfg, "discard", "ignore"), "unmap");
    o.detect_zeroes = strcmp(config_str(cfg, "detect-zeroes", "off"), "off") != 0;
    if (is_protocol(driver))
        return true; /* the format node above it opens the file */
    n->block = block_open(c->vm->loop, &o, &err);
    if (!n->block)
        qmp_fail(c, "Could not open '%s': %s", n->file, err.msg);
    return n->block != NULL;
}

static void forget(struct vm_node *n)
{
    block_close(n->block);
    free(n->name);
    free(n->file);
    memset(n, 0, sizeof(*n));
}

bool qmp_flatten(struct qmp_call *c, struct config *cfg)
{
    return flatten(c, c->args, "", 0, cfg);
}

static void add(struct qmp_call *c)
{
    const char *name = qmp_arg(c, "node-name", NULL);
    struct config cfg = { 0 };
    struct vm_node *n = NULL;

    for (unsigned i = 0; i < VM_NODES && !n; i++) {
        if (!c->vm->nodes[i].name)
            n = &c->vm->nodes[i];
    }
    if (!name)
        qmp_fail(c, "'node-name' must be specified for the root node");
    else if (!*name || strlen(name) > 31)
        qmp_fail(c, "Invalid node-name: '%.40s'", name);
    else if (qmp_node_find(c->vm, name))
        qmp_fail(c, "Duplicate nodes with node-name='%s'", name);
    else if (vm_find_drive(c->vm, name))
        qmp_fail(c, "node-name=%s is conflicting with a device id", name);
    else if (!n)
        qmp_fail(c, "more than %d nodes", VM_NODES);
    else if (!qmp_flatten(c, &cfg))
        qmp_fail(c, "Invalid parameter type in a node; strings, numbers and booleans only");
    else if (open_node(c, n, &cfg))
        n->name = xstrdup(name);
    else
        forget(n);
    config_free(&cfg);
}

static void del(struct qmp_call *c)
{
    const char *name = qmp_arg(c, "node-name", "");
    struct vm_node *n = qmp_node_find(c->vm, name);

    if (!n)
        qmp_fail(c, "Failed to find node with node-name='%s'", name);
    else if (qmp_node_in_use(c->vm, n))
        qmp_fail(c, "Node %s is in use", name);
    else
        forget(n);
}

void vm_nodes_free(struct vm *vm)
{
    for (unsigned i = 0; i < VM_NODES; i++)
        forget(&vm->nodes[i]);
}

const struct qmp_verb qmp_node_verbs[] = {
    { "blockdev-add", add, "driver:s node-name:s? *", NULL },
    { "blockdev-del", del, "node-name:s", NULL },
    { NULL, NULL, NULL, NULL },
};
