/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/args-firmware.c: what firmware is given besides: -kernel, -initrd, -append. */
#include <errno.h>
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

int args_join_kernel(struct args_ctx *c)
{
    const struct vm_args *a = c->a;

    if (!a->kernel && (a->initrd || a->append))
        return err_set(c->err, -EINVAL, "-%s: only allowed with -kernel option",
                       a->append ? "append" : "initrd");
    return 0;
}
