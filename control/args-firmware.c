/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-firmware.c: what firmware is given besides: -kernel, -initrd, -append,
 * -smbios, -acpitable.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "control/args-impl.h"

int args_kernel(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct vm_args *a = c->a;
    bool text = !strcmp(o->name, "append");

    if (!*arg && !text)
        return err_set(c->err, -EINVAL, "-%s: the argument is empty", o->name);
    args_replace(text ? &a->append : !strcmp(o->name, "initrd") ? &a->initrd : &a->kernel, arg);
    return 0;
}

/* ---- SMBIOS: the keys of QEMU, of the types that a user has words for ---- */

#define SMBIOS_OEM 16

static const struct {
    unsigned type;
    const char *keys[9];
} smbios_types[] = {
    { 0, { "vendor", "version", "date" } },
    { 1, { "manufacturer", "product", "version", "serial", "uuid", "sku", "family" } },
    { 2, { "manufacturer", "product", "version", "serial", "asset", "location" } },
    { 3, { "manufacturer", "version", "serial", "asset", "sku" } },
};

static bool smbios_knows(uint64_t type, const char *key)
{
    for (unsigned i = 0; i < sizeof(smbios_types) / sizeof(smbios_types[0]); i++) {
        for (unsigned k = 0; smbios_types[i].type == type && smbios_types[i].keys[k]; k++) {
            if (!strcmp(smbios_types[i].keys[k], key))
                return true;
        }
    }
    return type == 11 && !strcmp(key, "value");
}

static int smbios_string(struct args_ctx *c, uint64_t type, const char *key, const char *val)
{
    struct vm_args *a = c->a;
    char full[40];

    if (!smbios_knows(type, key))
        return err_set(c->err, -ENOTSUP,
                       "-smbios type=%u: %s: not supported; of types 0 to 3 the strings and of 11 "
                       "value= are, or use file=",
                       (unsigned)type, key);
    if (type == 1 && !strcmp(key, "uuid"))
        return args_uuid(c, NULL, val);
    snprintf(full, sizeof(full), "%u.%s", (unsigned)type, key);
    if (type == 11) {
        if (a->noem == SMBIOS_OEM)
            return err_set(c->err, -EINVAL, "-smbios type=11: more than %d strings", SMBIOS_OEM);
        snprintf(full, sizeof(full), "11.%u", a->noem++);
    }
    config_set(&a->smbios, full, val);
    return 0;
}

int args_smbios(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 };
    const char *file, *sized;
    uint64_t type = 0;
    int rc = keyval_parse(&cfg, "-smbios", arg, NULL, NULL, c->err);

    file = config_str(&cfg, "file", NULL);
    sized = config_str(&cfg, "sized-file", NULL);
    if (!rc && (file || sized)) {
        args_replace(&c->a->smbios_file, sized ? sized : file);
        c->a->smbios_sized = sized != NULL;
        config_free(&cfg);
        return 0;
    }
    if (!rc && !config_str(&cfg, "type", NULL))
        rc = err_set(c->err, -EINVAL, "-smbios %s: neither type= nor file=", arg);
    if (!rc)
        rc = keyval_uint(&cfg, "-smbios", "type", 0, 255, &type, c->err);
    for (size_t i = 0; !rc && i < cfg.n; i++) {
        if (cfg.items[i].val && strcmp(cfg.items[i].key, "type"))
            rc = smbios_string(c, type, cfg.items[i].key, cfg.items[i].val);
    }
    config_free(&cfg);
    return rc;
}

int args_acpitable(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const struct keyval_key keys[] = { { "file", 0 }, { NULL, 0 } };
    struct config cfg = { 0 };
    int rc = keyval_parse(&cfg, "-acpitable", arg, NULL, keys, c->err);

    if (!rc && !config_str(&cfg, "file", NULL))
        rc = err_set(c->err, -EINVAL, "-acpitable %s: file= is missing: whole tables", arg);
    if (!rc)
        args_replace(&c->a->acpi_tables, config_str(&cfg, "file", NULL));
    config_free(&cfg);
    return rc;
}

int args_join_kernel(struct args_ctx *c)
{
    const struct vm_args *a = c->a;

    if (!a->kernel && (a->initrd || a->append))
        return err_set(c->err, -EINVAL, "-%s: only allowed with -kernel option",
                       a->append ? "append" : "initrd");
    return 0;
}
