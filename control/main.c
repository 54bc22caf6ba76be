/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-dm: one process per guest. Reads the command line, assembles the
 * guest, tells the toolstack, and runs the loop until told to end.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "control/keyval.h"
#include "control/parts.h"
#include "control/qmp.h"
#include "display/sdl.h"
#include "display/vnc.h"
#include "hw/core/log.h"

struct signals {
    uv_signal_t hup, term, intr;
};

static void on_signal(uv_signal_t *h, int signum)
{
    vm_quit(h->data);
}

static void signals_start(struct vm *vm, struct signals *s)
{
    uv_signal_t *all[] = { &s->hup, &s->term, &s->intr };
    const int num[] = { SIGHUP, SIGTERM, SIGINT };

    signal(SIGPIPE, SIG_IGN); /* a peer that leaves is an error of write() */
    for (unsigned i = 0; i < 3; i++) {
        uv_signal_init(vm->loop, all[i]);
        all[i]->data = vm;
        uv_signal_start(all[i], on_signal, num[i]);
    }
}

/*
 * Closing the loop gives the signals back their old meaning. A SIGTERM behind a "quit" is not to
 * kill a process that is about to end with status 0.
 */
static void signals_end(void)
{
    sigset_t all;

    sigemptyset(&all);
    sigaddset(&all, SIGHUP);
    sigaddset(&all, SIGTERM);
    sigaddset(&all, SIGINT);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

static void on_gone(void *arg)
{
    struct vm *vm = arg;

    log_line("the guest is gone; ending");
    vm_quit(vm);
}

static void on_broken(void *arg, const char *why)
{
    struct vm *vm = arg;

    log_line("the guest cannot go on: %s; ending", why);
    vm->status = 1;
    vm_quit(vm);
}

static bool disks_busy(void *arg)
{
    const struct vm *vm = arg;

    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        if (vm->drives[i].block && vm->drives[i].block->inflight)
            return true;
    }
    return pv_busy(vm->pv);
}

static void on_replayed(void *arg, int status, const char *line)
{
    struct vm *vm = arg;

    log_line("%s", line);
    vm->status = status;
    vm_quit(vm);
}

/* What a tape needs to know of a guest of another world would be another machine. */
static int check_replay(const struct vm_args *a, struct err *err)
{
    char world[8];
    int rc = replay_world(a->replay, world, err);

    if (rc)
        return rc;
    if (strcmp(world, a->accel ? a->accel : "xen"))
        return err_set(err, -EINVAL,
                       "-replay %s: was recorded with -accel %.7s: give the options "
                       "of that command line",
                       a->replay, world);
    return 0;
}

static int open_tape(struct vm *vm, struct err *err)
{
    if (vm->args.replay)
        vm->tape = replay_tape(vm->plat);
    else if (vm->args.trace)
        vm->tape = record_new(vm->plat, vm->args.trace, vm->world->name, err);
    return vm->tape || !vm->args.trace ? 0 : -EIO;
}

static int open_world(struct vm *vm, struct err *err)
{
    const struct vm_args *a = &vm->args;
    const char *name = a->accel ? a->accel : "xen";
    char firmware[PATH_MAX] = "";
    struct world_options o = {
        .domid = a->domid,
        .cpus = a->cpus,
        .max_cpus = a->max_cpus,
        .hyperv = a->hyperv,
        .ram = a->ram,
        .huge_page = a->huge_page,
        .low_ram_max = a->max_ram_below_4g,
        .incoming = a->incoming >= 0,
        .qtest = a->qtest,
        .qtest_log = a->qtest_log,
        .replay = a->replay,
        .replayed = on_replayed,
        .gone = on_gone,
        .broken = on_broken,
        .busy = disks_busy,
        .power = vm_power_asked,
        .arg = vm,
    };

    if (a->replay && check_replay(a, err))
        return -EINVAL;
    vm->status = a->replay != NULL; /* until all of it has been played */
    vm->world = a->replay ? &world_replay : world_find(name);
    if (!vm->world)
        return err_set(err, -ENOTSUP, "-accel %s: not supported by this version", name);
    if (vm->world == &world_xen && a->domid < 0)
        return err_set(err, -EINVAL,
                       "-xen-domid is missing: say which domain to serve; "
                       "xl does so by device_model_override=");
    if (vm->world != &world_xen && !a->replay && firmware_find(a, firmware, sizeof(firmware), err))
        return -ENOENT;
    o.firmware = *firmware ? firmware : NULL;
    vm->plat = vm->world->open(vm->loop, &o, err);
    if (!vm->plat)
        return -EIO;
    vm->pv = world_pv(vm->world, vm->plat);
    return open_tape(vm, err);
}

static void reset_again(void *arg)
{
    struct vm *vm = arg;

    machine_reset(&vm->machine, RESET_WARM);
}

static void retry_again(void *arg)
{
    drives_retry(arg);
}

/* The machine is there: what comes from outside from now on is on the tape. */
static void connect_tape(struct vm *vm)
{
    const struct tape_hooks hooks = { .reset = reset_again, .retry = retry_again, .arg = vm };

    for (unsigned i = 0; i < vm->args.nnics; i++)
        tape_net(vm->tape, i, vm->nets[i]);
    for (unsigned i = 0; i < ARGS_SERIALS; i++) {
        if (vm->serial_open[i])
            tape_sink(vm->tape, i, &vm->serials[i]);
    }
    tape_display(vm->tape, vm->display);
    tape_built(vm->tape, &hooks);
}

static int build_machine(struct vm *vm, struct err *err)
{
    struct machine_spec *spec;
    int rc;

    vm->machine.plat = vm->plat;
    if (!strcmp(vm->args.machine, "none")) /* a process to ask, with no guest in it */
        return 0;
    spec = calloc(1, sizeof(*spec));

    if (!spec)
        return err_set(err, -ENOMEM, "out of memory");
    rc = spec_make(vm, spec, err);
    if (!rc)
        rc = machine_build(&vm->machine, vm->plat, spec, err);
    machine_spec_free(spec);
    free(spec);
    return rc;
}

/* The other programs are beside us, wherever the folder was copied to. */
static void find_helpers(struct vm *vm)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    self[n > 0 ? n : 0] = 0;
    vm->helpers = xstrdup(n > 0 ? dirname(self) : ".");
}

static int open_vnc(struct vm *vm, struct err *err)
{
    const struct vnc_arg *a = &vm->args.vnc;
    char helper[PATH_MAX + 16];
    struct vnc_options o = {
        .host = a->host,
        .display = a->display,
        .to = a->to,
        .unix_path = a->unix_path,
        .password = a->password,
        .keymap = vm->args.keymap,
        .name = vm->args.name,
        .helper = helper,
        .early = vm->args.chroot != NULL,
    };

    if ((!a->enabled && !vm->args.web.console) || vm->args.replay)
        return 0;
    snprintf(helper, sizeof(helper), "%s/portico-vnc", vm->helpers);
    if (access(helper, X_OK))
        return err_set(err, -errno, "%s: %s; it belongs beside portico-dm", helper,
                       strerror(errno));
    return console_open(vm, &o, err);
}

static void on_window_closed(void *arg)
{
    struct vm *vm = arg;

    log_line("the window was closed; ending");
    qmp_event(vm->qmp, "SHUTDOWN", json_pack("{s:b, s:s}", "guest", 0, "reason", "host-ui"));
    vm_quit(vm);
}

static int open_window(struct vm *vm, struct err *err)
{
    char helper[PATH_MAX + 16];
    struct sdl_options o = { .name = vm->args.name,
                             .helper = helper,
                             .full_screen = vm->args.full_screen,
                             .keep_open = vm->args.keep_open,
                             .closed = on_window_closed,
                             .arg = vm };

    if (!vm->args.sdl || vm->args.replay)
        return 0;
    snprintf(helper, sizeof(helper), "%s/portico-sdl", vm->helpers);
    if (access(helper, X_OK))
        return err_set(err, -errno, "%s: %s; it is built where SDL 2 is installed", helper,
                       strerror(errno));
    return sdl_open(&vm->sdl, vm->loop, vm->display, &o, err);
}

static struct net *open_netdev(struct vm *vm, const struct nic_arg *nic, struct err *err)
{
    const struct vm_args *a = &vm->args;

    if (a->replay)
        return tape_net_open(vm->tape, (unsigned)(nic - a->nics));
    for (unsigned i = 0; i < a->nnetdevs; i++) {
        if (!strcmp(a->netdevs[i].id, nic->netdev))
            return net_open(vm->loop, nic->netdev, &a->netdevs[i].cfg, vm->helpers, err);
    }
    err_set(err, -EINVAL, "NIC %s: there is no netdev %s", nic->id, nic->netdev);
    return NULL;
}

static int open_nets(struct vm *vm, struct err *err)
{
    for (unsigned i = 0; i < vm->args.nnics; i++) {
        const struct nic_arg *a = &vm->args.nics[i];

        if (a->netdev) {
            vm->nets[i] = open_netdev(vm, a, err);
            if (!vm->nets[i])
                return -EIO;
            net_hold(vm->nets[i], vm->args.paused);
        }
        if (!machine_has_card(a->model))
            log_line("NIC %s: model %s is not emulated; the guest has its PV twin only",
                     a->id ? a->id : "?", a->model);
    }
    for (unsigned i = 0; i < vm->args.nnetdevs && !vm->args.replay; i++) {
        const struct netdev_arg *n = &vm->args.netdevs[i];

        /* One that no NIC has: for a card that is plugged later. */
        if (!n->used && vm_netdev_add(vm, n->type, n->id, &n->cfg, err))
            return -EIO;
    }
    for (unsigned i = 0; i < vm->args.nobjects && !vm->args.replay; i++) {
        if (vm_filter_add(vm, &vm->args.objects[i], err))
            return -EIO;
    }
    return 0;
}

static int open_sounds(struct vm *vm, struct err *err)
{
    for (unsigned i = 0; i < vm->args.naudiodevs && !vm->args.replay; i++) {
        const struct audiodev_arg *a = &vm->args.audiodevs[i];

        vm->sounds[i] = sound_open(vm->loop, a->id, &a->cfg, vm->helpers, err);
        if (!vm->sounds[i])
            return -EIO;
    }
    return 0;
}

static int assemble(struct vm *vm, struct err *err)
{
    int rc = open_world(vm, err);

    find_helpers(vm);
    vm->display = display_new(vm->loop);
    if (!rc)
        rc = vm_groups_open(vm, err);
    if (!rc)
        rc = drives_open(vm, err);
    if (!rc)
        rc = vm_nodes_open(vm, err);
    if (!rc)
        rc = open_nets(vm, err);
    if (!rc)
        rc = open_sounds(vm, err);
    if (!rc)
        rc = preconfig_run(vm, err);
    if (vm->quit)
        return rc;
    if (!rc && vm->pv && !vm->args.replay)
        rc = channels_open(vm, err);
    if (!rc)
        rc = build_machine(vm, err);
    if (!rc)
        rc = firmware_tables(vm, err);
    if (!rc)
        connect_tape(vm);
    if (!rc)
        rc = open_vnc(vm, err);
    if (!rc)
        rc = open_window(vm, err);
    if (!rc)
        rc = qmp_open(vm, err);
    if (!rc)
        drives_listen(vm);
    if (!rc)
        vm_plug_listen(vm);
    if (!rc)
        vm_platform_listen(vm);
    if (!rc)
        vm_events_listen(vm);
    if (!rc && vm->args.incoming >= 0)
        rc = save_read(vm, vm->args.incoming, err);
    vm->let_go = vm->args.incoming >= 0; /* with -S the guest may still be another process's */
    if (!rc && vm->let_go && !vm->args.paused) {
        rc = drives_lock(vm, true, err);
        vm->let_go = rc != 0;
    }
    return rc;
}

/*
 * Handles that are good for one domain only have no xenstore, and so no back ends: xl's
 * dm_restrict=1 does not have them with qemu-xen either.
 */
static int start_pv(struct vm *vm, struct err *err)
{
    const struct pv_outside outside = { .display = vm->display, .sink = channel_sink, .arg = vm };

    if (!vm->pv || vm->args.replay)
        return 0;
    if (vm->args.domid_restrict) {
        log_line("-xen-domid-restrict: no back ends of PV devices (qdisk, vkbd) are served");
        return 0;
    }
    pv_hold(vm->pv, vm->args.paused);
    return pv_start(vm->pv, &outside, err);
}

/* From here on the guest may run. */
static int go(struct vm *vm, struct err *err)
{
    int rc;

    clients_wait(vm);
    if (vm->quit)
        return 0;
    rc = vm_world_start(vm, err);
    if (rc)
        return rc;
    vm->running = !vm->args.paused;
    vm->prelaunch = vm->args.paused;
    rc = start_pv(vm, err);
    if (!rc && !vm->args.paused)
        rc = world_announce(vm->world, vm->plat, err);
    if (!rc && !vm->args.replay)
        rc = confine(vm, err);
    if (!rc)
        preconfig_ends(vm);
    if (!rc)
        world_loop(vm->world, vm->plat, &vm->quit);
    return rc;
}

static void close_if_open(uv_handle_t *h, void *arg)
{
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

static void take_apart(struct vm *vm)
{
    struct err err;

    if (vm_drain(vm, &err))
        log_line("at the end: %s", err.msg);
    pv_stop(vm->pv);
    channels_close(vm);
    qmp_preconfig_done(vm, -EIO);
    qmp_free(vm->qmp);
    vnc_close(vm->vnc);
    sdl_close(vm->sdl);
    machine_free(&vm->machine);
    for (unsigned i = 0; i < vm->args.nnics; i++)
        net_close(vm->nets[i]);
    for (unsigned i = 0; i < vm->args.naudiodevs; i++)
        sound_close(vm->sounds[i]);
    vm_plug_free(vm);
    drives_close(vm);
    vm_nodes_free(vm);
    vm_groups_free(vm);
    for (unsigned i = 0; i < ARGS_SERIALS; i++) {
        if (vm->serial_open[i])
            sink_close(&vm->serials[i]);
    }
    display_free(vm->display);
    tape_close(vm->tape);
    if (vm->world)
        vm->world->close(vm->plat);
    signals_end();
    uv_walk(vm->loop, close_if_open, NULL);
    uv_run(vm->loop, UV_RUN_DEFAULT);
    uv_loop_close(vm->loop);
    args_free(&vm->args);
    free(vm->helpers);
}

static int run(struct vm *vm)
{
    struct signals signals;
    uv_loop_t loop;
    struct err err = { "" };
    int rc;

    vm->loop = &loop;
    if (uv_loop_init(&loop)) {
        fprintf(stderr, "portico-dm: cannot make an event loop\n");
        return 1;
    }
    signals_start(vm, &signals);
    rc = assemble(vm, &err);
    if (!rc && !vm->quit)
        rc = go(vm, &err);
    if (rc)
        fprintf(stderr, "portico-dm: %s\n", err.msg);
    take_apart(vm);
    return rc ? 1 : vm->status;
}

int main(int argc, char **argv)
{
    struct vm *vm = calloc(1, sizeof(*vm));
    struct err err = { "" };
    int rc = 1;

    if (!vm || args_parse(&vm->args, argc, argv, &err)) {
        fprintf(stderr, "portico-dm: %s\n", vm ? err.msg : "out of memory");
    } else if (vm->args.print) { /* "-device help" and its like */
        puts(vm->args.print);
        args_free(&vm->args);
        rc = 0;
    } else if (vm->args.show_help || vm->args.show_version) {
        puts(vm->args.show_help ? args_help() : "portico-dm " PORTICO_VERSION);
        args_free(&vm->args);
        rc = 0;
    } else {
        rc = run(vm);
    }
    free(vm);
    return rc;
}
