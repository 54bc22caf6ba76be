/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/power.c: reset, power off and sleep in worlds that leave them to us.
 * The guest asks from inside a device's handler; what it asked is done when
 * the loop next turns, because a device is not reset while it runs.
 */
#include <errno.h>
#include <string.h>
#include "control/parts.h"
#include "control/qmp.h"
#include "hw/core/log.h"
#include "hw/piix4-pm.h"

bool vm_power_is_foreign(const struct vm *vm)
{
    return vm->world == &world_xen;
}

static json_t *why(bool guest, const char *reason)
{
    return json_pack("{s:b, s:s}", "guest", guest, "reason", reason);
}

static void reset_machine(struct vm *vm)
{
    vm_unplug_asked(vm);
    drives_replug(vm);
    tape_reset(vm->tape);
    machine_reset(&vm->machine, RESET_WARM);
    world_reset(vm->world, vm->plat);
    tape_done(vm->tape);
    vm->suspended = false;
    vm->power_asked &= ~(1u << POWER_SUSPEND | 1u << POWER_WAKE);
    if (!vm->running && vm->halt == HALT_SHUTDOWN)
        vm->halt = HALT_PAUSED;
}

/*
 * Out of ACPI S3: memory is as it was, all else has been without power. Firmware finds in the CMOS
 * that it is to go on at the waking vector. Not a boot: what waits for the next one waits on.
 */
static void wake_machine(struct vm *vm)
{
    tape_stop(vm->tape, "the guest woke up");
    machine_reset(&vm->machine, RESET_WAKE);
    world_reset(vm->world, vm->plat);
    vm->suspended = false;
}

static void end(struct vm *vm, const char *reason)
{
    struct err err = { "" };

    qmp_event(vm->qmp, "SHUTDOWN", why(true, reason));
    if (vm->args.on_shutdown != SHUTDOWN_PAUSE) {
        vm_quit(vm);
        return;
    }
    vm_stop(vm, &err);
    vm->halt = HALT_SHUTDOWN;
    qmp_event(vm->qmp, "STOP", NULL);
}

static void act(struct vm *vm, enum power what)
{
    switch (what) {
    case POWER_OFF:
        end(vm, "guest-shutdown");
        break;
    case POWER_RESET:
        if (vm->args.on_reboot == REBOOT_END) {
            end(vm, "guest-reset");
            break;
        }
        reset_machine(vm);
        qmp_event(vm->qmp, "RESET", why(true, "guest-reset"));
        break;
    case POWER_SUSPEND:
        world_sleep(vm->world, vm->plat);
        vm->suspended = true;
        qmp_event(vm->qmp, "SUSPEND", NULL);
        break;
    case POWER_WAKE:
        if (!vm->suspended)
            break;
        wake_machine(vm);
        qmp_event(vm->qmp, "WAKEUP", NULL);
        break;
    }
}

static void stand(struct vm *vm)
{
    enum vm_halt why = vm->halt;
    struct err err = { "" };

    vm->halt_asked = false;
    if (!vm->running)
        return;
    if (vm_stop(vm, &err))
        log_line("%s", err.msg);
    vm->halt = why;
    qmp_event(vm->qmp, "STOP", NULL);
}

static void on_timer(uv_timer_t *t)
{
    struct vm *vm = t->data;
    unsigned asked = vm->power_asked;

    vm->power_asked = 0;
    if (asked & 1u << POWER_RESET)
        asked &= ~(1u << POWER_SUSPEND | 1u << POWER_WAKE);
    if (vm->halt_asked)
        stand(vm);
    for (unsigned what = POWER_OFF; what <= POWER_WAKE; what++) {
        if (asked & 1u << what)
            act(vm, what);
    }
}

static void soon(struct vm *vm)
{
    if (!vm->power_made) {
        uv_timer_init(vm->loop, &vm->power);
        vm->power.data = vm;
        vm->power_made = true;
    }
    uv_timer_start(&vm->power, on_timer, 0, 0);
}

void vm_power_asked(void *arg, enum power what)
{
    struct vm *vm = arg;

    vm->power_asked |= 1u << what;
    soon(vm);
}

void vm_halt(struct vm *vm, enum vm_halt why_halted)
{
    vm->halt = why_halted;
    vm->halt_asked = true;
    soon(vm);
}

int vm_power(struct vm *vm, enum power what, struct err *err)
{
    struct device *pm = machine_find(&vm->machine, "pm");

    if (vm_power_is_foreign(vm)) {
        if (pm && what == POWER_WAKE)
            pm_woken(pm);
        platform_power(vm->plat, what);
    } else if (what == POWER_RESET) {
        reset_machine(vm);
    } else if (what == POWER_WAKE) {
        if (!vm->suspended)
            return err_set(err, -EINVAL, "Unable to wake up: guest is not in suspended state");
        wake_machine(vm);
    } else {
        return err_set(err, -EINVAL, "not a wish of the user");
    }
    return 0;
}

int vm_nmi(struct vm *vm, struct err *err)
{
    if (vm->world->nmi)
        return vm->world->nmi(vm->plat, err);
    if (vm_power_is_foreign(vm))
        return err_set(err, -ENOTSUP,
                       "not supported; NMIs are the hypervisor's: `xl trigger DOMAIN nmi`");
    return err_set(err, -ENOTSUP, "not supported; there are no processors in this world");
}

int vm_power_button(struct vm *vm, struct err *err)
{
    struct device *pm = machine_find(&vm->machine, "pm");

    if (vm_power_is_foreign(vm))
        return err_set(err, -ENOTSUP,
                       "not supported; the power button is the hypervisor's: `xl shutdown -F` or "
                       "`xl trigger DOMAIN power`");
    tape_stop(vm->tape, "the power button was pressed");
    if (pm)
        pm_power_button(pm);
    return 0;
}
