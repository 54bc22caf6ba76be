/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-blockdev.c: -blockdev, a named node, and -object throttle-group;
 * control/blockopts.c knows what they mean.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"
#include "control/blockopts.h"

#define NODE_NAME_MAX 31

struct node_arg *args_find_node(struct vm_args *a, const char *name)
{
    for (unsigned i = 0; i < a->nnodes; i++) {
        if (!strcmp(a->nodes[i].name, name))
            return &a->nodes[i];
    }
    return NULL;
}

void args_drop_node(struct vm_args *a, const char *name)
{
    struct node_arg *n = args_find_node(a, name);

    if (!n)
        return;
    free(n->name);
    config_free(&n->cfg);
    memmove(n, n + 1, (size_t)(&a->nodes[--a->nnodes] - n) * sizeof(*n));
    memset(&a->nodes[a->nnodes], 0, sizeof(*n));
}

int args_add_node(struct vm_args *a, const struct config *cfg, struct err *err)
{
    const char *name = config_str(cfg, "node-name", "");
    struct block_want w;
    struct node_arg *n;
    int rc;

    if (!*name)
        return err_set(err, -EINVAL, "-blockdev: 'node-name' must be specified for the root node");
    if (strlen(name) > NODE_NAME_MAX || strchr("0123456789-._", *name))
        return err_set(err, -EINVAL, "-blockdev: Invalid node-name: '%s'", name);
    if (args_find_node(a, name))
        return err_set(err, -EINVAL, "-blockdev %s: Duplicate nodes with node-name='%s'", name,
                       name);
    if (args_find_drive(a, name))
        return err_set(err, -EINVAL, "-blockdev %s: node-name=%s is conflicting with a device id",
                       name, name);
    if (a->nnodes == ARGS_NODES)
        return err_set(err, -EINVAL, "-blockdev %s: more than %u", name, ARGS_NODES);
    rc = block_want_config(&w, a, cfg, err);
    block_want_free(&w);
    if (rc)
        return rc;
    n = &a->nodes[a->nnodes++];
    n->name = xstrdup(name);
    for (size_t i = 0; i < cfg->n; i++)
        config_set(&n->cfg, cfg->items[i].key, cfg->items[i].val);
    return 0;
}

int args_blockdev(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 };
    int rc = keyval_parse(&cfg, "-blockdev", arg, "driver", NULL, c->err);

    if (!rc)
        rc = args_add_node(c->a, &cfg, c->err);
    config_free(&cfg);
    return rc;
}

struct node_arg *args_find_group(struct vm_args *a, const char *name)
{
    for (unsigned i = 0; i < a->ngroups; i++) {
        if (!strcmp(a->groups[i].name, name))
            return &a->groups[i];
    }
    return NULL;
}

void args_drop_group(struct vm_args *a, const char *name)
{
    struct node_arg *g = args_find_group(a, name);

    if (!g)
        return;
    free(g->name);
    config_free(&g->cfg);
    memmove(g, g + 1, (size_t)(&a->groups[--a->ngroups] - g) * sizeof(*g));
    memset(&a->groups[a->ngroups], 0, sizeof(*g));
}

/* "x-iops-total" is the older spelling of "limits.iops-total". */
static int take_limits(const struct config *cfg, struct config *out, const char *what,
                       struct err *err)
{
    static const struct keyval_key keys[] = {
        { "qom-type", 0 }, { "id", 0 }, { "limits.", 0 }, { NULL, 0 }
    };
    struct block_throttle t;
    int rc;

    for (size_t i = 0; i < cfg->n; i++) {
        const char *key = cfg->items[i].key;
        char *full = strncmp(key, "x-", 2) ? xstrdup(key) : xasprintf("limits.%s", key + 2);

        config_set(out, full, cfg->items[i].val);
        free(full);
    }
    rc = keyval_check(out, what, keys, err);
    return rc ? rc : block_want_limits(&t, out, what, err);
}

int args_add_group(struct vm_args *a, const struct config *cfg, struct err *err)
{
    const char *id = config_str(cfg, "id", NULL);
    struct node_arg *g;
    char what[96];
    int rc;

    if (!id || !*id)
        return err_set(err, -EINVAL, "-object throttle-group: Parameter 'id' is missing");
    if (args_find_group(a, id))
        return err_set(err, -EINVAL,
                       "attempt to add duplicate property '%s' to object (type 'container')", id);
    if (a->ngroups == ARGS_GROUPS)
        return err_set(err, -EINVAL, "-object throttle-group: more than %u", ARGS_GROUPS);
    g = &a->groups[a->ngroups];
    snprintf(what, sizeof(what), "-object %.80s", id);
    rc = take_limits(cfg, &g->cfg, what, err);
    if (rc) {
        config_free(&g->cfg);
        memset(g, 0, sizeof(*g));
        return rc;
    }
    g->name = xstrdup(id);
    a->ngroups++;
    return 0;
}
