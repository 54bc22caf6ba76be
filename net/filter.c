/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net/filter.c: the list of filters, and what all of them are told. */
#include "net/filter.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/config.h"

static const struct net_filter_ops *const types[] = {
    &net_filter_dump,
    &net_filter_mac,
    &net_filter_shape,
    &net_filter_buffer,
};
static const char *const common_keys[] = { "queue", "status" };
#define COMMON (sizeof(common_keys) / sizeof(common_keys[0]))

static const struct net_filter_ops *find_type(const char *type)
{
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!strcmp(types[i]->type, type))
            return types[i];
    }
    return NULL;
}

bool net_filter_has_type(const char *type)
{
    return find_type(type) != NULL;
}

const char *net_filter_key(const char *type, unsigned n)
{
    const struct net_filter_ops *ops = find_type(type);

    if (n < COMMON)
        return common_keys[n];
    for (unsigned i = COMMON; ops && ops->keys[i - COMMON]; i++) {
        if (i == n)
            return ops->keys[i - COMMON];
    }
    return NULL;
}

unsigned net_filter_place(const struct net_filter *f)
{
    unsigned i = 0;

    while (i < f->net->nfilters && f->net->filter[i] != f)
        i++;
    return i;
}

static int choose(struct net_filter *f, const struct config *cfg, struct err *err)
{
    const char *queue = config_str(cfg, "queue", "all"), *on = config_str(cfg, "status", "on");

    if (strcmp(queue, "all") && strcmp(queue, "rx") && strcmp(queue, "tx"))
        return err_set(err, -EINVAL, "queue=%s: use all, rx (the guest sends) or tx (it receives)",
                       queue);
    if (strcmp(on, "on") && strcmp(on, "off"))
        return err_set(err, -EINVAL, "status=%s: say on or off", on);
    f->from_guest = !strcmp(on, "on") && strcmp(queue, "tx") != 0;
    f->to_guest = !strcmp(on, "on") && strcmp(queue, "rx") != 0;
    return 0;
}

static int set_up(struct net_filter *f, const struct config *cfg, struct err *err)
{
    const char *type = config_str(cfg, "qom-type", "");
    int rc;

    f->ops = find_type(type);
    if (!f->ops)
        return err_set(err, -EINVAL, "there is no such filter");
    if (f->net->nfilters == NET_FILTERS)
        return err_set(err, -ENOSPC, "more than %d filters on one netdev", NET_FILTERS);
    rc = choose(f, cfg, err);
    return rc ? rc : f->ops->init(f, cfg, err);
}

struct net_filter *net_filter_add(struct uv_loop_s *loop, struct net *n, const struct config *cfg,
                                  struct err *err)
{
    struct net_filter *f = calloc(1, sizeof(*f));
    const char *id = config_str(cfg, "id", "");
    struct err why = { "out of memory" };
    int rc = -ENOMEM;

    if (f) {
        f->net = n;
        f->loop = loop;
        f->id = strdup(id);
        rc = f->id ? set_up(f, cfg, &why) : -ENOMEM;
    }
    if (rc) {
        err_set(err, rc, "-object %s,id=%s: %s", config_str(cfg, "qom-type", ""), id, why.msg);
        if (f)
            free(f->id);
        free(f);
        return NULL;
    }
    n->filter[n->nfilters++] = f;
    return f;
}

void net_filter_remove(struct net_filter *f)
{
    struct net *n = f->net;
    unsigned at = net_filter_place(f);

    f->ops->fini(f);
    memmove(&n->filter[at], &n->filter[at + 1], (n->nfilters - at - 1) * sizeof(n->filter[0]));
    n->nfilters--;
    free(f->id);
    free(f);
}
