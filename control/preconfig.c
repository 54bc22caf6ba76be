/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/preconfig.c: what the process waits for before its guest begins:
 * -preconfig's x-exit-preconfig, with drives and cables but no machine yet;
 * and the clients of sockets with wait=on.
 */
#include <errno.h>
#include "control/parts.h"
#include "control/qmp.h"
#include "hw/core/log.h"

int qmp_open(struct vm *vm, struct err *err)
{
    if (!vm->qmp)
        qmp_new(vm->loop, vm, vm->args.chardevs, vm->args.replay ? 0 : vm->args.nchardevs, err);
    return vm->qmp ? 0 : -EIO;
}

int vm_world_start(struct vm *vm, struct err *err)
{
    int rc = vm->started ? 0 : world_start(vm->world, vm->plat, err);

    vm->started = !rc;
    return rc;
}

int preconfig_run(struct vm *vm, struct err *err)
{
    int rc = 0;

    if (!vm->args.preconfig)
        return 0;
    /* A test's client says something before it is through with the control protocol. */
    if (vm->world == &world_qtest)
        rc = vm_world_start(vm, err);
    if (rc || qmp_open(vm, err))
        return rc ? rc : -EIO;
    vm->preconfig = vm->prelaunch = true;
    while (vm->preconfig && !vm->quit)
        uv_run(vm->loop, UV_RUN_ONCE);
    return 0;
}

void preconfig_ends(struct vm *vm)
{
    if (!vm->preconfig_exit)
        return;
    if (vm->running)
        qmp_event(vm->qmp, "RESUME", NULL);
    qmp_preconfig_done(vm, 0);
}

/* A socket with wait=on that nobody has come to, as query-chardev calls it; NULL: none. */
static const char *awaited(const struct vm *vm)
{
    for (unsigned i = 0; i < ARGS_SERIALS; i++) {
        if (vm->serial_open[i] && sink_is_awaited(&vm->serials[i]))
            return sink_name(&vm->serials[i]);
    }
    return qmp_awaited(vm->qmp);
}

void clients_wait(struct vm *vm)
{
    qmp_hold_clients(vm->qmp, true);
    for (const char *whom = NULL, *now; (now = awaited(vm)) && !vm->quit; whom = now) {
        if (now != whom)
            log_line("waiting for connection on: %s", now);
        uv_run(vm->loop, UV_RUN_ONCE);
    }
    qmp_hold_clients(vm->qmp, false);
}
