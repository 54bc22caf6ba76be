/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QMP's verbs do to the guest as a whole. */
#include "control/vm.h"
#include <errno.h>
#include <string.h>
#include "control/parts.h"
#include "hw/fdc.h"
#include "hw/devices.h"
#include "hw/ide.h"
#include "hw/pflash.h"
#include "hw/piix4-pm.h"

/* A card's DMA must not change the memory of a guest that stands still. */
static void hold_nets(struct vm *vm, bool held)
{
    for (unsigned i = 0; i < vm->args.nnics; i++)
        net_hold(vm->nets[i], held);
    for (unsigned i = 0; i < ARGS_NICS; i++)
        net_hold(vm->netdevs[i].net, held);
}

int vm_cont(struct vm *vm, struct err *err)
{
    if (vm->halt == HALT_SHUTDOWN && !vm->running)
        return err_set(err, -EINVAL, "Resetting the Virtual Machine is required");
    if (vm->let_go) {
        int rc = drives_lock(vm, false, err);

        if (rc)
            return rc;
        vm->let_go = false;
    }
    if (!vm->running)
        world_resume(vm->world, vm->plat);
    vm->running = true;
    vm->halt = HALT_PAUSED;
    vm->halt_asked = false;
    for (unsigned i = 0; i < vm->args.ndrives; i++)
        vm->drives[i].failed = 0;
    tape_retry(vm->tape);
    drives_retry(vm);
    tape_done(vm->tape);
    hold_nets(vm, false);
    pv_hold(vm->pv, false);
    vm->prelaunch = false;
    return 0;
}

int vm_drain(struct vm *vm, struct err *err)
{
    struct device *fdc = machine_find(&vm->machine, "fdc");
    int rc = drives_drain(vm);
    int floppies = fdc ? floppy_drain(fdc) : 0;
    int pv = pv_drain(vm->pv);

    for (unsigned i = 0; i < vm->machine.n; i++) {
        int one = vm->machine.dev[i]->type == &pflash_type ? pflash_drain(vm->machine.dev[i]) : 0;

        rc = rc ? rc : one;
    }
    rc = rc ? rc : floppies ? floppies : pv;
    return rc ? err_set(err, -rc, "cannot flush the disks: %s", strerror(rc)) : 0;
}

int vm_stop(struct vm *vm, struct err *err)
{
    if (!vm->running)
        return 0;
    world_pause(vm->world, vm->plat);
    vm->running = false;
    hold_nets(vm, true);
    pv_hold(vm->pv, true);
    return vm_drain(vm, err);
}

int vm_save(struct vm *vm, int fd, struct err *err)
{
    if (vm->running)
        return err_set(err, -EBUSY, "the guest must be stopped first");
    return save_write(vm, fd, err);
}

void vm_let_go(struct vm *vm)
{
    drives_unlock(vm);
    vm->let_go = true;
}

int vm_set_dirty_log(struct vm *vm, bool on, struct err *err)
{
    world_log_dirty(vm->world, vm->plat, on);
    vm->dirty_log = on;
    return 0;
}

void vm_quit(struct vm *vm)
{
    vm->quit = true;
    uv_stop(vm->loop);
}

bool vm_cpu_present(const struct vm *vm, unsigned index)
{
    const struct device *pm = machine_find(&vm->machine, "pm");

    return pm ? pm_cpu_present(pm, index) : index < vm->args.cpus;
}

int vm_cpu_plug(struct vm *vm, unsigned index, struct err *err)
{
    struct device *pm = machine_find(&vm->machine, "pm");

    if (!pm)
        return err_set(err, -ENOTSUP, "CPU hot-plug needs acpi=1");
    if (index >= vm->args.max_cpus)
        return err_set(err, -EINVAL, "cpu %u: the guest has at most %u (maxvcpus=)", index,
                       vm->args.max_cpus);
    if (pm_cpu_present(pm, index))
        return err_set(err, -EEXIST, "cpu %u is plugged in already", index);
    tape_stop(vm->tape, "a processor was plugged in");
    pm_cpu_plug(pm, index);
    return 0;
}

const char *vm_serial_name(struct vm *vm, unsigned n)
{
    return n < ARGS_SERIALS && vm->serial_open[n] ? sink_name(&vm->serials[n]) : NULL;
}
