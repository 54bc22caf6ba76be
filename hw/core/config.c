/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key=value pairs of one device. Only used at set-up, so out of memory may end the process. */
#include "hw/core/config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void *set_up(void *p)
{
    if (!p)
        abort(); /* no memory before the guest exists */
    return p;
}

void config_free(struct config *cfg)
{
    for (size_t i = 0; i < cfg->n; i++) {
        free(cfg->items[i].key);
        free(cfg->items[i].val);
    }
    free(cfg->items);
    memset(cfg, 0, sizeof(*cfg));
}

static struct config_item *config_find(const struct config *cfg, const char *key)
{
    for (size_t i = 0; cfg && i < cfg->n; i++) {
        if (!strcmp(cfg->items[i].key, key))
            return &cfg->items[i];
    }
    return NULL;
}

static struct config_item *config_slot(struct config *cfg, const char *key)
{
    struct config_item *it = config_find(cfg, key);

    if (it)
        return it;
    cfg->items = set_up(realloc(cfg->items, (cfg->n + 1) * sizeof(*cfg->items)));
    it = &cfg->items[cfg->n++];
    memset(it, 0, sizeof(*it));
    it->key = set_up(strdup(key));
    return it;
}

void config_set(struct config *cfg, const char *key, const char *val)
{
    struct config_item *it = config_slot(cfg, key);
    char *copy = set_up(strdup(val));

    free(it->val);
    it->val = copy;
}

void config_set_obj(struct config *cfg, const char *key, void *obj)
{
    config_slot(cfg, key)->obj = obj;
}

const char *config_str(const struct config *cfg, const char *key, const char *def)
{
    const struct config_item *it = config_find(cfg, key);

    return it && it->val ? it->val : def;
}

bool config_bool(const struct config *cfg, const char *key, bool def)
{
    const char *val = config_str(cfg, key, NULL);

    if (!val)
        return def;
    return !strcasecmp(val, "on") || !strcasecmp(val, "yes") || !strcasecmp(val, "true") ||
           !strcmp(val, "1");
}

void *config_obj(const struct config *cfg, const char *key)
{
    const struct config_item *it = config_find(cfg, key);

    return it ? it->obj : NULL;
}

int config_uint(const struct config *cfg, const char *key, uint64_t def, uint64_t max,
                uint64_t *out, struct err *err)
{
    const char *val = config_str(cfg, key, NULL);
    char *end;

    *out = def;
    if (!val)
        return 0;
    errno = 0;
    *out = strtoull(val, &end, 0);
    if (errno || end == val || *end || val[0] == '-' || *out > max) {
        *out = def;
        return err_set(err, -EINVAL, "%s=%s: not a number from 0 to %llu", key, val,
                       (unsigned long long)max);
    }
    return 0;
}
