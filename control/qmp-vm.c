/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/qmp-vm.c: verbs about the guest as a whole: run, stop, save; who it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "control/keyval.h"
#include "control/qmp-impl.h"

static const char *status_name(const struct vm *vm)
{
    if (vm->running)
        return vm->suspended ? "suspended" : "running";
    if (vm->halt == HALT_IO_ERROR)
        return "io-error";
    if (vm->halt == HALT_SHUTDOWN)
        return "shutdown";
    return vm->prelaunch && vm->args.incoming < 0 ? "prelaunch" : "paused";
}

static void query_status(struct qmp_call *c)
{
    c->ret = json_pack("{s:s, s:b, s:b}", "status", status_name(c->vm), "singlestep", 0, "running",
                       c->vm->running && !c->vm->suspended);
}

static void query_name(struct qmp_call *c)
{
    c->ret = json_object();
    if (c->vm->args.name)
        json_object_set_new(c->ret, "name", qmp_str(c->vm->args.name));
}

static void query_uuid(struct qmp_call *c)
{
    const char *uuid = c->vm->args.uuid;

    c->ret = json_pack("{s:s}", "UUID", uuid ? uuid : "00000000-0000-0000-0000-000000000000");
}

static void query_kvm(struct qmp_call *c)
{
    const char *accel = c->vm->args.accel;
    bool kvm = accel && !strcmp(accel, "kvm");

    c->ret = json_pack("{s:b, s:b}", "enabled", kvm, "present", kvm || !access("/dev/kvm", F_OK));
}

static void add_chardev(json_t *list, const char *label, const char *filename)
{
    json_array_append_new(list, json_pack("{s:b, s:o, s:o}", "frontend-open", 1, "filename",
                                          qmp_str(filename), "label", qmp_str(label)));
}

/* libxl takes the ptys of the labels serialK from here. */
static void query_chardev(struct qmp_call *c)
{
    const struct vm_args *a = &c->vm->args;

    c->ret = json_array();
    for (unsigned i = 0; i < c->q->nlisteners; i++) {
        const struct qmp_listener *l = &c->q->listener[i];

        add_chardev(c->ret, l->id, l->name);
    }
    for (unsigned i = 0; i < a->nchardevs; i++) {
        if (!a->chardevs[i].monitor)
            add_chardev(c->ret, a->chardevs[i].id,
                        c->vm->channel_open[i] ? sink_name(&c->vm->channels[i])
                                               : a->chardevs[i].kind);
    }
    for (unsigned i = 0; i < a->nserials; i++) {
        const char *name = vm_serial_name(c->vm, i);
        char *label = xasprintf("serial%u", i);

        if (name)
            add_chardev(c->ret, label, name);
        free(label);
    }
}

static void cont(struct qmp_call *c)
{
    bool was = c->vm->running;
    struct err err = { "" };

    if (vm_cont(c->vm, &err))
        qmp_fail(c, "%s", err.msg);
    else if (!was)
        qmp_event(c->q, "RESUME", NULL);
}

static void stop(struct qmp_call *c)
{
    bool was = c->vm->running;
    struct err err = { "" };

    if (vm_stop(c->vm, &err))
        qmp_fail(c, "stop: %s", err.msg);
    if (was && !c->vm->running)
        qmp_event(c->q, "STOP", NULL);
}

static void wakeup(struct qmp_call *c)
{
    struct err err = { "" };

    if (vm_power(c->vm, POWER_WAKE, &err))
        qmp_fail(c, "%s", err.msg);
    else if (!vm_power_is_foreign(c->vm))
        qmp_event(c->q, "WAKEUP", NULL);
}

static void reset(struct qmp_call *c)
{
    struct err err = { "" };

    if (vm_power(c->vm, POWER_RESET, &err))
        qmp_fail(c, "system_reset: %s", err.msg);
    else
        qmp_event(c->q, "RESET",
                  json_pack("{s:b, s:s}", "guest", 0, "reason", "host-qmp-system-reset"));
}

static void powerdown(struct qmp_call *c)
{
    struct err err = { "" };

    if (vm_power_button(c->vm, &err))
        qmp_fail(c, "system_powerdown: %s", err.msg);
    else
        qmp_event(c->q, "POWERDOWN", NULL);
}

static void inject_nmi(struct qmp_call *c)
{
    struct err err = { "" };

    if (vm_nmi(c->vm, &err))
        qmp_fail(c, "inject-nmi: %s", err.msg);
}

static void preconfig_over(struct qmp_later *l, struct qmp_call *c, int rc)
{
    if (rc)
        qmp_fail(c, "The machine was not made");
}

/* Answered when the guest runs, or is to wait for "cont". */
static void exit_preconfig(struct qmp_call *c)
{
    struct qmp_later *l;

    if (!c->vm->preconfig) {
        qmp_fail(c, "The command is permitted only before machine initialization");
        return;
    }
    l = calloc(1, sizeof(*l));
    if (!l)
        abort();
    l->done = preconfig_over;
    qmp_hold(c, l);
    c->vm->preconfig = false;
    c->vm->preconfig_exit = l;
}

void qmp_preconfig_done(struct vm *vm, int rc)
{
    struct qmp_later *l = vm->preconfig_exit;

    vm->preconfig_exit = NULL;
    if (l)
        qmp_finish(l, rc);
}

static void quit(struct qmp_call *c)
{
    vm_quit(c->vm);
    qmp_event(c->q, "SHUTDOWN", json_pack("{s:b, s:s}", "guest", 0, "reason", "host-qmp-quit"));
}

/* ---- save ---- */

static void dirty_log(struct qmp_call *c)
{
    struct err err = { "" };

    if (vm_set_dirty_log(c->vm, qmp_arg_bool(c, "enable", false), &err))
        qmp_fail(c, "xen-set-global-dirty-log: %s", err.msg);
}

static int open_save_file(struct qmp_call *c, const char *filename)
{
    int fd = qmp_fdset_open(c, filename, true, NULL);

    if (fd != -2)
        return fd;
    fd = open(filename, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0)
        qmp_fail(c, "%s: %s", filename, strerror(errno));
    return fd;
}

/* From offset 0, and nothing of an earlier, longer save behind it. */
static bool rewind_file(struct qmp_call *c, int fd, const char *filename)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
        return true; /* a pipe has no beginning */
    if (lseek(fd, 0, SEEK_SET) == 0 && ftruncate(fd, 0) == 0)
        return true;
    qmp_fail(c, "%s: %s", filename, strerror(errno));
    return false;
}

static void save_to(struct qmp_call *c, int fd)
{
    bool was = c->vm->running;
    struct err err = { "" }, again = { "" };

    if (was && vm_stop(c->vm, &err)) {
        qmp_fail(c, "xen-save-devices-state: %s", err.msg);
        return;
    }
    if (vm_save(c->vm, fd, &err))
        qmp_fail(c, "xen-save-devices-state: %s", err.msg);
    if (was && vm_cont(c->vm, &again) && !c->error)
        qmp_fail(c, "xen-save-devices-state: the guest does not go on: %s", again.msg);
}

/* "live": the guest goes on in another process, which needs the locks of the images. */
static void save_devices(struct qmp_call *c)
{
    const char *filename = qmp_arg(c, "filename", "");
    int fd = open_save_file(c, filename);

    if (fd < 0)
        return;
    if (rewind_file(c, fd, filename))
        save_to(c, fd);
    if (!c->error && !c->vm->running && qmp_arg_bool(c, "live", true))
        vm_let_go(c->vm);
    if (close(fd) && !c->error)
        qmp_fail(c, "%s: %s", filename, strerror(errno));
}

#define NO_COLO "COLO replication is not there; migrate with `xl migrate`"

const struct qmp_verb qmp_vm_verbs[] = {
    { "query-status", query_status, NULL, NULL },
    { "query-name", query_name, NULL, NULL },
    { "query-uuid", query_uuid, NULL, NULL },
    { "query-kvm", query_kvm, NULL, NULL },
    { "query-chardev", query_chardev, NULL, NULL },
    { "cont", cont, NULL, NULL },
    { "stop", stop, NULL, NULL },
    { "x-exit-preconfig", exit_preconfig, NULL, NULL },
    { "quit", quit, NULL, NULL },
    { "system_wakeup", wakeup, NULL, NULL },
    { "system_reset", reset, NULL, NULL },
    { "system_powerdown", powerdown, NULL, NULL },
    { "inject-nmi", inject_nmi, NULL, NULL },
    { "xen-set-global-dirty-log", dirty_log, "enable:b", NULL },
    { "xen-save-devices-state", save_devices, "filename:s live:b?", NULL },
    { "xen-load-devices-state", qmp_refuse, "*",
      "a state is loaded at start only (-incoming fd:N, `xl restore`)" },
    { "nbd-server-start", qmp_refuse, "*", NO_COLO },
    { "nbd-server-add", qmp_refuse, "*", NO_COLO },
    { "nbd-server-stop", qmp_refuse, "*", NO_COLO },
    { "xen-set-replication", qmp_refuse, "*", NO_COLO },
    { "query-xen-replication-status", qmp_refuse, "*", NO_COLO },
    { "xen-colo-do-checkpoint", qmp_refuse, "*", NO_COLO },
    { "x-blockdev-change", qmp_refuse, "*", NO_COLO },
    { NULL, NULL, NULL, NULL },
};
