/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-xen.c: what the guest's PV drivers have said of themselves and
 * unplugged, and the way to start a guest without them when they are broken.
 */
#include <string.h>
#include "control/qmp-impl.h"
#include "hw/xen-platform.h"

static struct device *platform_of(const struct vm *vm)
{
    struct device *dev = machine_find(&vm->machine, "platform");

    return dev && xp_is_platform(dev) ? dev : NULL;
}

static json_t *unplugged(unsigned mask)
{
    static const char *const names[] = { "disks", "nics", "aux-disks", "nvme" };
    json_t *list = json_array();

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (mask & 1u << i)
            json_array_append_new(list, json_string(names[i]));
    }
    return list;
}

static void query_platform(struct qmp_call *c)
{
    struct device *dev = platform_of(c->vm);
    struct xp_info x;
    json_t *log = json_array();

    if (!dev) {
        json_decref(log);
        qmp_fail(c, "there is no Xen platform device; xen_platform_pci=1 makes one");
        return;
    }
    xp_info(dev, &x);
    for (unsigned i = 0; i < x.nlines; i++)
        json_array_append_new(log, qmp_str(x.line[i]));
    c->ret = json_pack("{s:i, s:b, s:o, s:b, s:o}", "protocol", x.protocol, "refused", x.refused,
                       "unplugged", unplugged(x.unplugged), "rom-locked", x.rom_locked, "log", log);
    if (x.named) {
        const char *name = xp_product_name(x.product);

        json_object_set_new(c->ret, "product", json_integer(x.product));
        json_object_set_new(c->ret, "product-name", json_string(name ? name : "unknown"));
        json_object_set_new(c->ret, "build", json_integer(x.build));
    }
}

static void next_boot(struct qmp_call *c)
{
    const char *mode = qmp_arg(c, "mode", "");
    bool normal = !strcmp(mode, "normal");
    struct err err = { "" };

    if (!normal && strcmp(mode, "no-unplug"))
        qmp_fail(c, "Invalid parameter '%s': normal or no-unplug", mode);
    else if (!platform_of(c->vm))
        qmp_fail(c, "there is no Xen platform device; xen_platform_pci=1 makes one");
    else if (vm_next_boot(c->vm, normal, &err))
        qmp_fail(c, "%s", err.msg);
}

const struct qmp_verb qmp_xen_verbs[] = {
    { "query-xen-platform", query_platform, NULL, NULL },
    { "xen-set-next-boot", next_boot, "mode:s", NULL },
    { NULL, NULL, NULL, NULL },
};
