/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest unplugs by the Xen platform device, as far as it is not drives.c's. */
#include <string.h>
#include "control/parts.h"
#include "hw/core/log.h"
#include "hw/xen-platform.h"

#define NO_UNPLUG "no-unplug"

/* Its tap goes, as the toolstack's scripts know it; in other worlds the guest may get it back. */
static void nic_leaves(void *arg, struct device *nic)
{
    struct vm *vm = arg;

    tape_stop(vm->tape, "a network card was unplugged");
    if (vm_power_is_foreign(vm))
        net_shut(vm_net_of(vm, nic));
}

void vm_platform_listen(struct vm *vm)
{
    static const struct xp_events events = { .nic_leaves = nic_leaves };

    struct device *dev = machine_find(&vm->machine, "platform");

    if (dev)
        xp_listen(dev, &events, vm);
}

void vm_platform_word(struct vm *vm, struct config *cfg)
{
    char word[32];

    if (vm->args.incoming >= 0 || !world_take_word(vm->world, vm->plat, word, sizeof(word)) ||
        strcmp(word, NO_UNPLUG))
        return;
    log_line("next-boot=" NO_UNPLUG " was set: this start is without PV drivers");
    config_set(cfg, "unplug", "off");
}

int vm_next_boot(struct vm *vm, bool unplug, struct err *err)
{
    struct device *dev = machine_find(&vm->machine, "platform");

    if (vm_power_is_foreign(vm)) /* that will be another process */
        return world_leave_word(vm->world, vm->plat, unplug ? "" : NO_UNPLUG, err);
    if (dev)
        xp_welcome_next(dev, unplug);
    return 0;
}
