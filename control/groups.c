/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/groups.c: throttle groups by name: drives that share their limits. */
#include <errno.h>
#include <string.h>
#include "control/blockopts.h"
#include "control/vm.h"

static struct vm_group *slot_of(struct vm *vm, const char *name)
{
    for (unsigned i = 0; i < VM_GROUPS; i++) {
        struct vm_group *g = &vm->groups[i];

        if (g->group && !strcmp(block_group_name(g->group), name))
            return g;
    }
    return NULL;
}

/* A group that no drive is in any more is over, but for those of -object. */
static struct vm_group *free_slot(struct vm *vm)
{
    for (unsigned i = 0; i < VM_GROUPS; i++) {
        struct vm_group *g = &vm->groups[i];

        if (g->group && !g->object && !block_group_is_used(g->group)) {
            block_group_unref(g->group);
            g->group = NULL;
        }
        if (!g->group)
            return g;
    }
    return NULL;
}

/* Found or made, without limits; it stays vm's. */
static struct block_group *group_called(struct vm *vm, const char *name, struct err *err)
{
    struct vm_group *g = slot_of(vm, name);

    if (g && (g->object || block_group_is_used(g->group)))
        return g->group;
    if (g) { /* nobody has been in it since: its limits are over */
        block_group_unref(g->group);
        g->group = NULL;
    }
    g = g ? g : free_slot(vm);
    if (g) {
        g->object = false;
        g->group = block_group_new(vm->loop, name);
    }
    if (!g || !g->group) {
        err_set(err, -ENOMEM, "throttle group %s: %s", name, g ? "out of memory" : "too many");
        return NULL;
    }
    return g->group;
}

static int open_group(struct vm *vm, const struct node_arg *a, struct err *err)
{
    struct block_group *g = group_called(vm, a->name, err);
    struct block_throttle t;
    int rc = g ? block_want_limits(&t, &a->cfg, a->name, err) : -ENOMEM;

    if (rc)
        return rc;
    block_group_set(g, &t);
    slot_of(vm, a->name)->object = true;
    return 0;
}

int vm_groups_open(struct vm *vm, struct err *err)
{
    int rc = 0;

    for (unsigned i = 0; i < vm->args.ngroups && !rc; i++)
        rc = open_group(vm, &vm->args.groups[i], err);
    return rc;
}

int vm_group_add(struct vm *vm, const struct config *cfg, struct err *err)
{
    int rc = args_add_group(&vm->args, cfg, err);

    if (rc)
        return rc;
    rc = open_group(vm, &vm->args.groups[vm->args.ngroups - 1], err);
    if (rc)
        args_drop_group(&vm->args, config_str(cfg, "id", ""));
    return rc;
}

int vm_group_del(struct vm *vm, const char *name, struct err *err)
{
    struct vm_group *g = slot_of(vm, name);

    if (!g || !g->object)
        return err_set(err, -ENOENT, "object '%s' not found", name);
    if (block_group_is_used(g->group))
        return err_set(err, -EBUSY, "object '%s' is in use, can not be deleted", name);
    block_group_unref(g->group);
    *g = (struct vm_group){ 0 };
    args_drop_group(&vm->args, name);
    return 0;
}

void vm_groups_free(struct vm *vm)
{
    for (unsigned i = 0; i < VM_GROUPS; i++) {
        block_group_unref(vm->groups[i].group);
        vm->groups[i].group = NULL;
    }
}

int vm_join_group(struct vm *vm, struct block *b, const char *name, struct err *err)
{
    struct block_group *g = group_called(vm, name, err);

    return g ? block_set_group(b, g, err) : -ENOMEM;
}

int vm_drive_join(struct vm *vm, struct vm_drive *d, const char *name, struct err *err)
{
    struct block_group *g = name ? group_called(vm, name, err) : NULL;
    int rc = name && !g ? -ENOMEM : 0;

    if (!rc && d->block)
        rc = block_set_group(d->block, g, err);
    if (rc)
        return rc;
    if (g)
        block_group_ref(g);
    block_group_unref(d->group);
    d->group = g;
    return 0;
}
