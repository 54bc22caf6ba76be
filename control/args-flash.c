/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-flash.c: flash chips below 4 GiB: -drive if=pflash, and
 * -machine pflash0= and pflash1=, which name a -drive if=none or a -blockdev.
 * Chip 0 is the topmost, so it is the firmware; chip 1 is under it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"
#include "hw/core/log.h"

int args_check_flash(const struct drive_arg *d, struct err *err)
{
    if (d->cdrom)
        return err_set(err, -EINVAL, "-drive if=pflash: media=cdrom: a flash is no CD");
    if (!d->file && !config_str(&d->opts, "file.filename", NULL))
        return err_set(err, -EINVAL, "-drive if=pflash: file= is missing");
    return 0;
}

static struct drive_arg *node_drive(struct args_ctx *c, unsigned unit, const char *node)
{
    struct vm_args *a = c->a;
    struct drive_arg *d;

    for (unsigned i = 0; i < a->ndrives; i++) {
        if (a->drives[i].node && !strcmp(a->drives[i].node, node)) {
            err_set(c->err, -EINVAL, "-machine pflash%u=%s: that node is in use already", unit,
                    node);
            return NULL;
        }
    }
    if (a->ndrives == ARGS_DRIVES) {
        err_set(c->err, -EINVAL, "-machine pflash%u=%s: more than %u drives", unit, node,
                ARGS_DRIVES);
        return NULL;
    }
    d = &a->drives[a->ndrives++];
    d->id = xasprintf("pflash%u", unit);
    d->node = xstrdup(node);
    d->unit = -1;
    d->writeback = true;
    return d;
}

static int join_one(struct args_ctx *c, unsigned unit, const char *name)
{
    struct drive_arg *d = args_find_drive(c->a, name);

    if (args_drive_at(c->a, DRIVE_PFLASH, (int)unit))
        return err_set(c->err, -EINVAL, "-machine pflash%u=%s: there is a -drive if=pflash there",
                       unit, name);
    if (d && (d->iface != DRIVE_NONE || d->cdrom))
        return err_set(c->err, -EINVAL, "-machine pflash%u=%s: that drive is in use already", unit,
                       name);
    if (!d && args_find_node(c->a, name)) {
        d = node_drive(c, unit, name);
        if (!d)
            return -EINVAL;
    }
    if (!d)
        return err_set(c->err, -EINVAL, "-machine pflash%u=%s: Can't find value '%s'", unit, name,
                       name);
    d->iface = DRIVE_PFLASH;
    d->index = (int)unit;
    return 0;
}

int args_join_flash(struct args_ctx *c)
{
    struct vm_args *a = c->a;
    bool have[ARGS_FLASHES];

    for (unsigned i = 0; i < ARGS_FLASHES; i++) {
        if (c->flash[i] && join_one(c, i, c->flash[i]))
            return -EINVAL;
        have[i] = args_drive_at(a, DRIVE_PFLASH, (int)i) != NULL;
    }
    if (have[1] && !have[0])
        return err_set(c->err, -EINVAL,
                       "-drive if=pflash: pflash1 requires pflash0: unit 0 has the firmware");
    if (have[0] && !a->own_clocks && a->domid >= 0)
        return err_set(c->err, -ENOTSUP,
                       "-drive if=pflash: not supported; the firmware is the hypervisor's "
                       "(bios=, bios_path_override=)");
    if (have[0] && a->bios)
        log_line("-bios %s: not used; the firmware is in the flash (pflash0)", a->bios);
    return 0;
}
