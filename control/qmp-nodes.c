/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-nodes.c: the nodes of -blockdev, blockdev-add and -del: images
 * that are open before they are in a drive. control/blockopts.c knows what
 * their options mean.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"
#include "control/blockopts.h"
#include "control/keyval.h"
#include "control/parts.h"
#include "control/qmp-impl.h"

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

/* "-blockdev n1: what is wrong" → "what is wrong" */
static void fail_of(struct qmp_call *c, const struct err *err)
{
    const char *colon = strstr(err->msg, ": ");
    bool named = colon && !strncmp(err->msg, "-blockdev ", 10);

    qmp_fail(c, "%s", named ? colon + 2 : err->msg);
}

/* ---- the graph ---- */

/* Does the node with these options stand on the one called name? */
static bool stands_on(const struct config *cfg, const char *name)
{
    static const char *const links[] = { "file", "image", "backing" };

    for (size_t i = 0; i < cfg->n; i++) {
        const char *dot = strrchr(cfg->items[i].key, '.');
        const char *key = dot ? dot + 1 : cfg->items[i].key;

        for (unsigned k = 0; k < 3; k++) {
            if (!strcmp(key, links[k]) && !strcmp(cfg->items[i].val, name))
                return true;
        }
    }
    return false;
}

static const struct config *options_of(struct vm *vm, const struct vm_node *n)
{
    static const struct config none;
    const struct node_arg *a = args_find_node(&vm->args, n->name);

    return a ? &a->cfg : &none;
}

static struct vm_node *node_above(struct vm *vm, const struct vm_node *n)
{
    for (unsigned i = 0; i < VM_NODES; i++) {
        struct vm_node *m = &vm->nodes[i];

        if (m->name && m != n && stands_on(options_of(vm, m), n->name))
            return m;
    }
    return NULL;
}

bool qmp_node_in_use(struct vm *vm, const struct vm_node *n)
{
    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        if (n->block && (vm->drives[i].block == n->block || vm->drives[i].waiting == n->block))
            return true;
    }
    return node_above(vm, n) != NULL;
}

static struct vm_node *new_node(struct vm *vm, const char *name)
{
    for (unsigned i = 0; i < VM_NODES; i++) {
        if (!vm->nodes[i].name) {
            vm->nodes[i].name = xstrdup(name);
            return &vm->nodes[i];
        }
    }
    return NULL;
}

/*
 * The block layer has an image with all that is on top of it as one thing. So only the topmost
 * node of each pile is open; one that another is put upon is closed for as long.
 */
static int open_node(struct vm *vm, struct vm_node *n, struct err *err)
{
    struct block_want w;
    struct err why = { "" };
    int rc = block_want_node(&w, &vm->args, n->name, err);

    w.o.lock_later = vm->let_go || vm->args.incoming >= 0;
    if (!rc)
        n->block = block_open(vm->loop, &w.o, &why);
    if (!rc && !n->block)
        rc = err_set(err, -EIO, "Could not open '%.200s': %.250s", w.o.file ? w.o.file : "",
                     why.msg);
    if (!rc && w.group)
        rc = vm_join_group(vm, n->block, w.group, err);
    block_want_free(&w);
    return rc;
}

static int open_topmost(struct vm *vm, struct err *err)
{
    int rc = 0;

    for (unsigned i = 0; i < VM_NODES && !rc; i++) {
        struct vm_node *n = &vm->nodes[i];

        if (n->name && !n->block && !node_above(vm, n))
            rc = open_node(vm, n, err);
    }
    return rc;
}

/* The node of a drive that has opened it already; it is the node's from now on. */
static struct block *taken_from_drive(struct vm *vm, const char *name)
{
    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        const struct drive_arg *a = vm->drives[i].arg;

        if (a && a->node && !strcmp(a->node, name))
            return vm->drives[i].block;
    }
    return NULL;
}

int vm_nodes_open(struct vm *vm, struct err *err)
{
    for (unsigned i = 0; i < vm->args.nnodes; i++) {
        struct vm_node *n = new_node(vm, vm->args.nodes[i].name);

        if (n)
            n->block = taken_from_drive(vm, n->name);
    }
    return open_topmost(vm, err);
}

/* The image that shows what n has: its own, or that of what stands on it. */
const struct block *qmp_node_image(struct vm *vm, const struct vm_node *n)
{
    for (unsigned i = 0; n && !n->block && i < VM_NODES; i++)
        n = node_above(vm, n);
    return n ? n->block : NULL;
}

const char *qmp_node_option(struct vm *vm, const struct vm_node *n, const char *key)
{
    return config_str(options_of(vm, n), key, NULL);
}

/* ---- the verbs ---- */

static void forget(struct vm *vm, struct vm_node *n)
{
    args_drop_node(&vm->args, n->name);
    block_close(n->block);
    free(n->name);
    memset(n, 0, sizeof(*n));
}

bool qmp_flatten(struct qmp_call *c, struct config *cfg)
{
    return !keyval_from_json(cfg, "node", c->args, NULL);
}

/* What it stands on must be free, and is closed. */
static bool take_below(struct qmp_call *c, const struct config *cfg)
{
    for (unsigned i = 0; i < VM_NODES; i++) {
        const struct vm_node *n = &c->vm->nodes[i];

        if (n->name && stands_on(cfg, n->name) && qmp_node_in_use(c->vm, n)) {
            qmp_fail(c, "Node '%s' is already in use", n->name);
            return false;
        }
    }
    for (unsigned i = 0; i < VM_NODES; i++) {
        struct vm_node *n = &c->vm->nodes[i];

        if (n->name && stands_on(cfg, n->name)) {
            block_close(n->block);
            n->block = NULL;
        }
    }
    return true;
}

static void add_node(struct qmp_call *c, const char *name, const struct config *cfg)
{
    struct err err = { "" }, again = { "" };
    struct block_want w;
    struct vm_node *n;
    int rc = block_want_config(&w, &c->vm->args, cfg, &err);

    block_want_free(&w);
    if (rc) {
        fail_of(c, &err);
        return;
    }
    if (!take_below(c, cfg))
        return;
    rc = args_add_node(&c->vm->args, cfg, &err);
    n = rc ? NULL : new_node(c->vm, name);
    if (rc) {
        fail_of(c, &err);
    } else if (open_node(c->vm, n, &err)) {
        fail_of(c, &err);
        forget(c->vm, n);
    }
    if (c->error)
        open_topmost(c->vm, &again);
}

static void add(struct qmp_call *c)
{
    const char *name = qmp_arg(c, "node-name", NULL);
    struct config cfg = { 0 };

    if (!name)
        qmp_fail(c, "'node-name' must be specified for the root node");
    else if (!*name || strlen(name) > 31)
        qmp_fail(c, "Invalid node-name: '%.40s'", name);
    else if (qmp_node_find(c->vm, name))
        qmp_fail(c, "Duplicate nodes with node-name='%s'", name);
    else if (vm_find_drive(c->vm, name))
        qmp_fail(c, "node-name=%s is conflicting with a device id", name);
    else if (!qmp_flatten(c, &cfg))
        qmp_fail(c, "Invalid parameter type in a node; strings, numbers and booleans only");
    else
        add_node(c, name, &cfg);
    config_free(&cfg);
}

static void del(struct qmp_call *c)
{
    const char *name = qmp_arg(c, "node-name", "");
    struct vm_node *n = qmp_node_find(c->vm, name);
    struct err err = { "" };

    if (!n)
        qmp_fail(c, "Failed to find node with node-name='%s'", name);
    else if (qmp_node_in_use(c->vm, n))
        qmp_fail(c, "Node %s is in use", name);
    else
        forget(c->vm, n);
    open_topmost(c->vm, &err); /* what it stood on can be used again */
}

void vm_nodes_free(struct vm *vm)
{
    for (unsigned i = 0; i < VM_NODES; i++) {
        block_close(vm->nodes[i].block);
        free(vm->nodes[i].name);
        memset(&vm->nodes[i], 0, sizeof(vm->nodes[i]));
    }
}

const struct qmp_verb qmp_node_verbs[] = {
    { "blockdev-add", add, "driver:s node-name:s? *", NULL },
    { "blockdev-del", del, "node-name:s", NULL },
    { NULL, NULL, NULL, NULL },
};
