/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/args-object.c: -object: filters on the cables of NICs (net/filter.h); throttle groups. */
#include <errno.h>
#include <string.h>
#include "control/args-impl.h"
#include "net/filter.h"

#define KEYS 16

/* The keys of that type, with those of every filter. */
static void make_keys(const char *type, struct keyval_key keys[KEYS])
{
    static const struct keyval_key common[] = { { "qom-type", 0 }, { "id", 0 }, { "netdev", 0 } };
    unsigned n = 0;

    for (; n < sizeof(common) / sizeof(common[0]); n++)
        keys[n] = common[n];
    for (unsigned i = 0; n < KEYS - 1 && net_filter_key(type, i); i++, n++)
        keys[n] = (struct keyval_key){ net_filter_key(type, i),
                                       !strcmp(net_filter_key(type, i), "file") ? KV_NAME : 0 };
    keys[n] = (struct keyval_key){ NULL, 0 };
}

int args_check_filter(const char *opt, const struct config *cfg, struct err *err)
{
    struct keyval_key keys[KEYS];
    const char *type = config_str(cfg, "qom-type", "");

    if (!net_filter_has_type(type))
        return err_set(err, -ENOTSUP,
                       "%s %s: not supported; there are throttle-group, filter-dump, filter-mac, "
                       "filter-shape and filter-buffer",
                       opt, type);
    make_keys(type, keys);
    if (keyval_check(cfg, opt, keys, err))
        return -EINVAL;
    if (!*config_str(cfg, "id", ""))
        return err_set(err, -EINVAL, "%s %s: id= is missing", opt, type);
    if (!*config_str(cfg, "netdev", ""))
        return err_set(err, -EINVAL, "%s %s: netdev= is missing: the id of the cable", opt, type);
    return 0;
}

/* The type is the first word in QEMU's spelling, or qom-type=. */
static void type_of(const char *arg, char *type, size_t size)
{
    const char *at = strstr(arg, "qom-type=");
    size_t len;

    arg = at && (at == arg || at[-1] == ',') ? at + strlen("qom-type=") : arg;
    len = strcspn(arg, ",");
    if (len >= size)
        len = size - 1;
    memcpy(type, arg, len);
    type[len] = 0;
}

int args_object(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct vm_args *a = c->a;
    struct keyval_key keys[KEYS];
    struct config cfg = { 0 };
    char type[40];
    int rc;

    if (args_is_secret(arg))
        return args_secret(c, arg);
    type_of(arg, type, sizeof(type));
    make_keys(type, keys);
    rc = keyval_parse(&cfg, "-object", arg, "qom-type",
                      *arg != '{' && net_filter_has_type(type) ? keys : NULL, c->err);
    if (!rc && !strcmp(config_str(&cfg, "qom-type", ""), "throttle-group")) {
        rc = args_add_group(a, &cfg, c->err);
        config_free(&cfg);
        return rc;
    }
    if (!rc && args_is_memory(config_str(&cfg, "qom-type", ""))) {
        rc = args_add_memory(c, &cfg);
        config_free(&cfg);
        return rc;
    }
    if (!rc)
        rc = args_check_filter("-object", &cfg, c->err);
    if (!rc && a->nobjects == ARGS_OBJECTS)
        rc = err_set(c->err, -EINVAL, "-object %s: more than %u", type, ARGS_OBJECTS);
    for (unsigned i = 0; !rc && i < a->nobjects; i++) {
        if (!strcmp(config_str(&a->objects[i], "id", ""), config_str(&cfg, "id", "")))
            rc = err_set(c->err, -EINVAL, "-object id=%s: there are two of that name",
                         config_str(&cfg, "id", ""));
    }
    if (rc)
        config_free(&cfg);
    else
        a->objects[a->nobjects++] = cfg;
    return rc;
}
