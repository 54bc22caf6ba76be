/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walks over a state table. Stream of one device: name, version; per field
 * name, kind, count, values; an empty name ends it; for a PCI function the 256
 * config bytes follow. A timer is a flag and its remaining nanoseconds.
 */
#include "hw/core/state.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/buf.h"
#include "hw/core/pci.h"

static const uint8_t kind_size[] = {
    [F_END] = 0, [F_BOOL] = sizeof(bool),          [F_U8] = 1, [F_U16] = 2, [F_U32] = 4,
    [F_U64] = 8, [F_TIMER] = sizeof(struct timer),
};

static const struct field no_fields[] = { FIELDS_END };

static const struct field *fields_of(const struct device_type *type)
{
    return type->state ? type->state : no_fields;
}

static uint64_t value_get(const struct field *f, const void *p)
{
    switch (f->kind) {
    case F_BOOL:
    case F_U8:
        return *(const uint8_t *)p;
    case F_U16:
        return *(const uint16_t *)p;
    case F_U32:
        return *(const uint32_t *)p;
    case F_U64:
        return *(const uint64_t *)p;
    default:
        return 0;
    }
}

static void value_set(const struct field *f, void *p, uint64_t val)
{
    switch (f->kind) {
    case F_BOOL:
    case F_U8:
        *(uint8_t *)p = val;
        break;
    case F_U16:
        *(uint16_t *)p = val;
        break;
    case F_U32:
        *(uint32_t *)p = val;
        break;
    case F_U64:
        *(uint64_t *)p = val;
        break;
    default:
        break;
    }
}

static bool value_ok(const struct field *f, uint64_t val)
{
    if (f->kind == F_BOOL)
        return val <= 1;
    return (!f->max || val <= f->max) && (!f->bits || !(val & ~f->bits));
}

static void save_timer(const struct device *dev, const struct timer *t, struct buf *out)
{
    int64_t now = platform_now(dev->plat);

    buf_put_uint(out, t->at != TIMER_OFF, 1);
    buf_put_uint(out, t->at == TIMER_OFF || t->at < now ? 0 : t->at - now, 8);
}

void state_save(const struct device *dev, struct buf *out)
{
    buf_put_str(out, dev->type->name);
    buf_put_uint(out, dev->type->version, 4);
    for (const struct field *f = fields_of(dev->type); f->kind != F_END; f++) {
        const char *p = (const char *)dev + f->off;

        buf_put_str(out, f->name);
        buf_put_uint(out, f->kind, 1);
        buf_put_uint(out, f->count, 4);
        if (f->kind == F_U8) {
            buf_put(out, p, f->count);
            continue;
        }
        for (unsigned i = 0; i < f->count; i++, p += kind_size[f->kind]) {
            if (f->kind == F_TIMER)
                save_timer(dev, (const struct timer *)(const void *)p, out);
            else
                buf_put_uint(out, value_get(f, p), f->kind == F_BOOL ? 1 : kind_size[f->kind]);
        }
    }
    buf_put_str(out, "");
    if (dev->type->pci)
        buf_put(out, container_of(dev, const struct pci_func, dev)->cfg, 256);
}

/* One field's values into the scratch copy of s. */
static int load_values(const struct device *dev, const struct field *f, char *s, struct buf *in,
                       struct err *err)
{
    char *p = s + f->off - dev->type->s_off;
    int64_t now = platform_now(dev->plat);

    for (unsigned i = 0; i < f->count; i++, p += kind_size[f->kind]) {
        if (f->kind == F_TIMER) {
            struct timer *t = (struct timer *)(void *)p;
            bool on = buf_get_uint(in, 1) != 0;
            uint64_t left = buf_get_uint(in, 8);

            if (left > INT64_MAX / 2)
                return err_set(err, -EINVAL, "%s: %s: timer out of bounds", dev->id, f->name);
            t->at = on ? now + (int64_t)left : TIMER_OFF;
        } else {
            uint64_t val = buf_get_uint(in, f->kind == F_BOOL ? 1 : kind_size[f->kind]);

            if (!value_ok(f, val))
                return err_set(err, -EINVAL, "%s: %s[%u] = %llx is over its maximum", dev->id,
                               f->name, i, (unsigned long long)val);
            value_set(f, p, val);
        }
    }
    return in->bad ? err_set(err, -EINVAL, "%s: the saved state ends early", dev->id) : 0;
}

static int load_fields(const struct device *dev, unsigned version, char *s, struct buf *in,
                       struct err *err)
{
    const struct field *f = fields_of(dev->type);
    char name[256];

    for (;; f++) {
        unsigned kind, count;
        int rc;

        if (!buf_get_str(in, name, sizeof(name)))
            return err_set(err, -EINVAL, "%s: the saved state ends early", dev->id);
        while (f->kind != F_END && f->since > version && strcmp(f->name, name))
            f++; /* newer than the stream: stays as reset left it */
        if (!name[0])
            break;
        kind = buf_get_uint(in, 1);
        count = buf_get_uint(in, 4);
        if (f->kind == F_END || strcmp(f->name, name) || f->kind != kind || f->count != count)
            return err_set(err, -EINVAL, "%s: saved field %s does not match %s", dev->id, name,
                           f->kind == F_END ? "(end)" : f->name);
        rc = load_values(dev, f, s, in, err);
        if (rc)
            return rc;
    }
    return f->kind == F_END
               ? 0
               : err_set(err, -EINVAL, "%s: saved field %s is missing", dev->id, f->name);
}

static int load_header(const struct device *dev, struct buf *in, unsigned *version, struct err *err)
{
    char name[256];

    if (!buf_get_str(in, name, sizeof(name)) || strcmp(name, dev->type->name))
        return err_set(err, -EINVAL, "%s: the saved state is not of a %s", dev->id,
                       dev->type->name);
    *version = buf_get_uint(in, 4);
    if (in->bad || *version > dev->type->version)
        return err_set(err, -EINVAL, "%s: state version %u is newer than this program's %u",
                       dev->id, *version, dev->type->version);
    return 0;
}

/* Puts the checked scratch in place, or back again when the device says it cannot be. */
static int load_commit(struct device *dev, char *scratch, const uint8_t *cfg, struct err *err)
{
    char *s = (char *)dev + dev->type->s_off, *old = malloc(dev->type->s_size + 1);
    size_t size = dev->type->s_size;

    if (!old)
        return err_set(err, -ENOMEM, "%s: out of memory", dev->id);
    memcpy(old, s, size);
    memcpy(s, scratch, size);
    if (!state_valid(dev)) {
        memcpy(s, old, size);
        free(old);
        return err_set(err, -EINVAL, "%s: no guest can bring this state about", dev->id);
    }
    free(old);
    for (const struct field *f = fields_of(dev->type); f->kind != F_END; f++) {
        struct timer *t = (struct timer *)(void *)((char *)dev + f->off);

        for (unsigned i = 0; f->kind == F_TIMER && i < f->count; i++)
            timer_set(dev->plat, &t[i], t[i].at);
    }
    if (dev->type->pci) {
        struct pci_func *pf = pci_of(dev);

        for (unsigned i = 0; i < 256; i++)
            pf->cfg[i] = (pf->init[i] & ~(pf->writable[i] | pf->w1c[i])) |
                         (cfg[i] & (pf->writable[i] | pf->w1c[i]));
        pci_remap(pf);
    }
    if (dev->type->sync)
        dev->type->sync(dev);
    return 0;
}

int state_load(struct device *dev, struct buf *in, struct err *err)
{
    size_t size = dev->type->s_size;
    uint8_t cfg[256] = { 0 };
    unsigned version = 0;
    char *scratch = malloc(size + 1);
    int rc;

    if (!scratch)
        return err_set(err, -ENOMEM, "%s: out of memory", dev->id);
    memcpy(scratch, (char *)dev + dev->type->s_off, size);
    rc = load_header(dev, in, &version, err);
    if (!rc)
        rc = load_fields(dev, version, scratch, in, err);
    if (!rc && dev->type->pci && !buf_get(in, cfg, sizeof(cfg)))
        rc = err_set(err, -EINVAL, "%s: the saved state ends early", dev->id);
    if (!rc)
        rc = load_commit(dev, scratch, cfg, err);
    free(scratch);
    return rc;
}

bool state_valid(const struct device *dev)
{
    for (const struct field *f = fields_of(dev->type); f->kind != F_END; f++) {
        const char *p = (const char *)dev + f->off;

        if (f->kind == F_TIMER || (f->kind != F_BOOL && !f->max && !f->bits))
            continue;
        for (unsigned i = 0; i < f->count; i++, p += kind_size[f->kind]) {
            if (!value_ok(f, value_get(f, p)))
                return false;
        }
    }
    return !dev->type->check || dev->type->check(dev);
}

bool state_covers(const struct device_type *type)
{
    uint8_t *seen = calloc(1, type->s_size + 1);
    bool ok = seen != NULL;

    for (const struct field *f = fields_of(type); ok && f->kind != F_END; f++) {
        size_t off = f->off - type->s_off, len = (size_t)f->count * kind_size[f->kind];

        if (f->off < type->s_off || off + len > type->s_size) {
            ok = false;
            break;
        }
        for (size_t i = 0; i < len; i++)
            ok = ok && seen[off + i]++ == 0;
    }
    for (size_t i = 0; ok && i < type->s_size; i++)
        ok = seen[i] == 1;
    free(seen);
    return ok;
}

void state_print(const struct device *dev, FILE *out)
{
    int64_t now = platform_now(dev->plat);

    for (const struct field *f = fields_of(dev->type); f->kind != F_END; f++) {
        const char *p = (const char *)dev + f->off;

        fprintf(out, "%s.%s=", dev->id, f->name);
        for (unsigned i = 0; i < f->count; i++, p += kind_size[f->kind]) {
            const struct timer *t = (const struct timer *)(const void *)p;

            if (f->kind == F_TIMER && t->at == TIMER_OFF)
                fprintf(out, "%soff", i ? " " : "");
            else if (f->kind == F_TIMER)
                fprintf(out, "%s+%lldns", i ? " " : "", (long long)(t->at - now));
            else
                fprintf(out, "%s%0*llx", i ? " " : "", kind_size[f->kind] * 2,
                        (unsigned long long)value_get(f, p));
        }
        fputc('\n', out);
    }
}
