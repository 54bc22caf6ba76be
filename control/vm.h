/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/vm.h: one running guest, as main.c assembles it and QMP's verbs see
 * it. The only struct that knows all parts; nothing below control/ includes it.
 */
#pragma once
#include <uv.h>
#include "block/block.h"
#include "control/args.h"
#include "display/display.h"
#include "hw/core/sink.h"
#include "hw/machine.h"
#include "ioreq/world.h"
#include "net/net.h"

struct vnc;
struct qmp;

struct vm_drive {
    const struct drive_arg *arg;
    struct block           *block; /* NULL: empty tray, or not attached */
    bool                    tray_open;
};

struct vm_fd { /* QMP add-fd; lives as long as the connection that brought it */
    const void *owner; /* that connection; NULL: a free slot */
    int         fdset, fd;
    char        opaque[256];
};

struct vm {
    struct vm_args   args;
    uv_loop_t       *loop;
    const struct world *world; /* who runs the guest: -accel */
    struct platform *plat;
    struct machine   machine;
    struct display  *display;
    struct vnc      *vnc;  /* NULL: -vnc none */
    struct qmp      *qmp;
    struct vm_drive  drives[ARGS_DRIVES]; /* parallel to args.drives */
    struct net      *nets[ARGS_NICS];
    struct sink      serials[ARGS_SERIALS];
    bool             serial_open[ARGS_SERIALS];
    struct vm_fd     fds[32];
    bool             running;   /* false: stopped by `stop`, or -S */
    bool             prelaunch; /* -S, before the first cont */
    bool             dirty_log; /* xen-set-global-dirty-log */
    bool             quit;      /* leave the loop */
};

/* main.c and the worlds' verbs, for QMP. Each returns 0 or -errno with a line in err. */
int  vm_cont(struct vm *vm, struct err *err);
int  vm_stop(struct vm *vm, struct err *err); /* drains disks; the guest's clock stands */
int  vm_save(struct vm *vm, int fd, struct err *err); /* of a stopped vm; fd stays the caller's */
int  vm_set_dirty_log(struct vm *vm, bool on, struct err *err);
void vm_quit(struct vm *vm);
/* CPU hot-plug: number present; make cpu `index` present and tell the guest. */
bool vm_cpu_present(const struct vm *vm, unsigned index);
int  vm_cpu_plug(struct vm *vm, unsigned index, struct err *err);
/* Of -serial n as sink_name() has it: "pty:/dev/pts/3"; NULL: there is no such port. */
const char *vm_serial_name(struct vm *vm, unsigned n);
/* POWER_WAKE: end ACPI S3; POWER_RESET, POWER_OFF: as if the guest had asked. */
int vm_power(struct vm *vm, enum power what, struct err *err);
/*
 * CD: take the medium out and leave the tray open (force: also when the guest
 * locked it; an empty drive is fine); put one in and close the tray (owned
 * from here on, also on failure). Both keep tray_open right.
 */
struct vm_drive *vm_find_drive(struct vm *vm, const char *id);
int  vm_eject(struct vm *vm, struct vm_drive *d, bool force, struct err *err);
int  vm_insert(struct vm *vm, struct vm_drive *d, struct block *medium, struct err *err);
bool vm_tray_locked(struct vm *vm, struct vm_drive *d);
