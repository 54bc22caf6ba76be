/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/args-world.c: -cpu and memory backends: what the hypervisor is asked for. */
#include <errno.h>
#include <string.h>
#include "control/args-impl.h"
#include "hw/core/log.h"
#include "ioreq/hyperv.h"

#define HUGE_MIN (2ull << 20)
#define HUGE_MAX (1ull << 30)

static int add_part(struct args_ctx *c, const char *name, const char *val)
{
    uint32_t bit = hyperv_by_name(name);

    if (!bit)
        return err_set(c->err, -ENOTSUP, "-cpu %s: not supported; leave it out", name);
    if (!strcmp(val, "off"))
        c->a->hyperv &= ~bit;
    else
        c->a->hyperv |= bit; /* hv-spinlocks=0xfff: here a lock is always spun on */
    return 0;
}

/* The model and its flags: KVM shows this machine's own CPU, Xen what its toolstack says. */
int args_cpu(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 };
    int rc = keyval_parse(&cfg, "-cpu", arg, "model", NULL, c->err);
    bool more = false;

    c->a->hyperv = 0;
    for (unsigned i = 0; !rc && i < cfg.n; i++) {
        const struct config_item *it = &cfg.items[i];

        if (!strncmp(it->key, "hv-", 3) || !strncmp(it->key, "hv_", 3))
            rc = add_part(c, it->key, it->val);
        else
            more |= strcmp(it->key, "model") || strcmp(it->val, "host");
    }
    config_free(&cfg);
    rc = rc ? rc : hyperv_check(c->a->hyperv, c->err);
    if (!rc && more)
        log_line("-cpu %s: the guest sees this machine's CPU, but for hv-*; Xen's as cpuid= says",
                 arg);
    return rc;
}

static int check_size(struct args_ctx *c, const struct config *cfg)
{
    const char *text = config_str(cfg, "hugetlbsize", "2M");
    uint64_t size;

    if (!parse_size(text, 1, HUGE_MAX, &size) || (size != HUGE_MIN && size != HUGE_MAX))
        return err_set(c->err, -EINVAL, "-object hugetlbsize=%s: must be 2M or 1G", text);
    c->a->huge_page = size;
    return 0;
}

bool args_is_memory(const char *type)
{
    return !strcmp(type, "memory-backend-memfd") || !strcmp(type, "memory-backend-ram");
}

int args_add_memory(struct args_ctx *c, const struct config *cfg)
{
    static const struct keyval_key keys[] = {
        { "qom-type", 0 }, { "id", 0 },    { "size", 0 },    { "share", 0 },
        { "prealloc", 0 }, { "merge", 0 }, { "hugetlb", 0 }, { "hugetlbsize", 0 },
        { "dump", 0 },     { NULL, 0 },
    };
    const char *id = config_str(cfg, "id", "");
    bool huge = false;
    int rc = keyval_check(cfg, "-object", keys, c->err);

    if (!rc && !*id)
        rc =
            err_set(c->err, -EINVAL, "-object %s: id= is missing", config_str(cfg, "qom-type", ""));
    if (!rc && c->memory_id)
        rc = err_set(c->err, -EINVAL, "-object id=%s: guests have one memory; leave it out", id);
    rc = rc ? rc : keyval_bool(cfg, "-object", "hugetlb", false, &huge, c->err);
    if (rc)
        return rc;
    args_replace(&c->memory_id, id);
    args_replace(&c->memory_size, config_str(cfg, "size", ""));
    return huge ? check_size(c, cfg) : 0;
}

int args_check_memory(struct args_ctx *c)
{
    const struct vm_args *a = c->a;
    const char *want = c->memory_wanted;
    uint64_t size = 0;

    if (want && (!c->memory_id || strcmp(want, c->memory_id)))
        return err_set(c->err, -EINVAL, "-machine memory-backend=%s: there is no such -object",
                       want);
    if (!want || !a->own_clocks) {
        if (a->huge_page && !a->own_clocks)
            return err_set(c->err, -ENOTSUP, "-object hugetlb=on: the guest's memory is Xen's");
        c->a->huge_page = 0; /* nobody uses it */
        return 0;
    }
    if (*c->memory_size && (!parse_size(c->memory_size, 1, UINT64_MAX, &size) || size != a->ram))
        return err_set(c->err, -EINVAL, "-object id=%s: size=%s must be what -m says", want,
                       c->memory_size);
    if (a->huge_page && a->ram % a->huge_page)
        return err_set(c->err, -EINVAL, "-m: must be a multiple of hugetlbsize=%lluM",
                       (unsigned long long)(a->huge_page >> 20));
    return 0;
}
