/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/blockopts-keys.c: what any node may say, and the limits of a throttle group. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "control/blockopts-impl.h"

const char *opts_get(const struct node *n, const char *key)
{
    char full[160];

    snprintf(full, sizeof(full), "%s%s", n->prefix, key);
    return config_str(n->cfg, full, NULL);
}

/* Keeps a copy of val for as long as the options live. */
const char *opts_keep(struct walk *k, const char *val)
{
    char name[24];

    snprintf(name, sizeof(name), "%zu", k->w->keep.n);
    config_set(&k->w->keep, name, val);
    return config_str(&k->w->keep, name, NULL);
}

int opts_bool(struct walk *k, const struct node *n, const char *key, bool *out)
{
    const char *val = opts_get(n, key);
    struct config one = { 0 };
    int rc;

    if (!val)
        return 0;
    config_set(&one, key, val);
    rc = keyval_bool(&one, k->what, key, *out, out, k->err);
    config_free(&one);
    return rc;
}

int opts_uint(struct walk *k, const struct node *n, const char *key, uint64_t max, uint64_t *out)
{
    const char *val = opts_get(n, key);

    if (val && !parse_uint(val, max, out))
        return err_set(k->err, -EINVAL, "%s: %s=%s: not a number from 0 to %llu", k->what, key, val,
                       (unsigned long long)max);
    return 0;
}

/* Options that every node may have */

int walk_common(struct walk *k, const struct node *n)
{
    struct block_options *o = &k->w->o;
    const char *discard = opts_get(n, "discard"), *zeroes = opts_get(n, "detect-zeroes");
    int rc = opts_bool(k, n, "read-only", &o->readonly);

    if (!rc)
        rc = opts_bool(k, n, "cache.direct", &o->direct);
    if (!rc)
        rc = opts_bool(k, n, "cache.no-flush", &o->no_flush);
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

int walk_locking(struct walk *k, const struct node *n)
{
    const char *val = opts_get(n, "locking");

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
    rc = opts_uint(k, n, key, 1000000000000000, &l->avg);
    snprintf(key, sizeof(key), "%s.%s-%s-max", stem, unit, kind);
    if (!rc)
        rc = opts_uint(k, n, key, 1000000000000000, &l->max);
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
        rc = opts_uint(k, n, key, 86400, &length);
    l->length = (unsigned)length;
    return rc;
}

int walk_throttle(struct walk *k, const struct node *n, const char *stem)
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
    return rc ? rc : opts_uint(k, n, key, UINT32_MAX, &t->iops_size);
}

bool opts_limited(const struct block_throttle *t)
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
