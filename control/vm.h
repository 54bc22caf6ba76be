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
#include "ioreq/pv/pv.h"
#include "ioreq/record.h"
#include "ioreq/world.h"
#include "net/net.h"
#include "sound/sound.h"

struct sdl;
struct vnc;
struct qmp;

struct vm_drive {
    const struct drive_arg *arg;
    struct block_group *group; /* whose limits each of its media has; NULL: they have their own */
    struct block *block;       /* NULL: empty tray, or not attached */
    bool tray_open;
    bool unplugged;        /* the guest did, by the Xen platform device */
    struct block *waiting; /* lies in the tray that the user opened; not seen yet */
    int failed;            /* errno that stopped the guest; 0: none */
    uint64_t told;         /* loop time of the last BLOCK_IO_ERROR; 0: none */
};

struct vm_host { /* what a controller of drives is told to call back with */
    struct vm *vm;
    struct device *dev;
};

#define VM_NODES 32

struct vm_node {         /* -blockdev, blockdev-add; its options are in args.nodes */
    char *name;          /* NULL: a free slot */
    struct block *block; /* NULL: another node stands on it and has it open */
};

#define VM_GROUPS 32

struct vm_group {              /* drives that share their limits */
    struct block_group *group; /* NULL: a free slot */
    bool object;               /* of -object: it stays without drives, too */
};

struct vm_fd {         /* QMP add-fd; lives as long as the connection that brought it */
    const void *owner; /* that connection; NULL: a free slot */
    int fdset, fd;
    char opaque[256];
};

struct vm_card {        /* device_add brought it */
    struct device *dev; /* NULL: a free slot */
    bool named;         /* the user gave it its id */
};

struct vm_netdev { /* netdev_add brought it, or a NIC of the command line has it */
    char *id;
    const char *type; /* a constant: "tap" */
    struct net *net;
};

enum vm_halt { /* why a guest that does not run does not: query-status */
               HALT_PAUSED,
               HALT_IO_ERROR,
               HALT_SHUTDOWN, /* it powered off, and -no-shutdown was given */
};

struct vm {
    struct vm_args args;
    uv_loop_t *loop;
    struct tape *tape;         /* -trace ioreq=, -replay; NULL: none */
    int status;                /* of the process, when it ends well */
    const struct world *world; /* who runs the guest: -accel */
    struct platform *plat;
    struct pv *pv; /* the world's back ends of PV devices; NULL: none */
    struct machine machine;
    struct display *display;
    struct vnc *vnc; /* NULL: -vnc none */
    struct sdl *sdl; /* NULL: no window */
    struct qmp *qmp;
    struct { /* the guest's clock was set: events.c */
        uv_timer_t pause;
        int64_t offset;
        bool waits;
    } rtc;
    struct vm_drive drives[ARGS_DRIVES]; /* parallel to args.drives */
    struct vm_host hosts[MACHINE_DEVICES];
    struct net *nets[ARGS_NICS];
    struct sound *sounds[ARGS_AUDIODEVS]; /* parallel to args.audiodevs */
    char *helpers;                        /* the directory portico-vnc and portico-slirp are in */
    struct sink serials[ARGS_SERIALS];
    bool serial_open[ARGS_SERIALS];
    struct sink channels[ARGS_CHARDEVS]; /* parallel to args.chardevs: those of PV consoles */
    bool channel_open[ARGS_CHARDEVS];
    struct vm_fd fds[32];
    bool started;                     /* the world asks */
    bool preconfig;                   /* there is no machine yet, and most verbs wait for it */
    struct qmp_later *preconfig_exit; /* x-exit-preconfig, to be answered; NULL: none */
    bool running;                     /* false: stopped by `stop`, or -S */
    bool prelaunch;                   /* -S, before the first cont */
    bool dirty_log;                   /* xen-set-global-dirty-log */
    bool let_go;    /* the images' locks: another process may go on with the guest */
    bool quit;      /* leave the loop */
    bool suspended; /* in ACPI S3, where the world tells us */
    enum vm_halt halt;
    struct vm_card cards[MACHINE_DEVICES];
    struct vm_netdev netdevs[ARGS_NICS];
    struct vm_node nodes[VM_NODES];
    struct vm_group groups[VM_GROUPS];
    uv_timer_t power; /* to act on what the guest asked, outside its handler */
    bool power_made;
    unsigned power_asked; /* bit n: enum power n */
    bool halt_asked;      /* for `halt` */
};

/* main.c and the worlds' verbs, for QMP. Each returns 0 or -errno with a line in err. */
int vm_cont(struct vm *vm, struct err *err);
int vm_stop(struct vm *vm, struct err *err);         /* drains disks; the guest's clock stands */
int vm_save(struct vm *vm, int fd, struct err *err); /* of a stopped vm; fd stays the caller's */
/* Behind vm_save(): lets go of the images' locks for who loads what was saved. vm_cont() takes
 * them again, and fails when somebody else has them. */
void vm_let_go(struct vm *vm);
int vm_set_dirty_log(struct vm *vm, bool on, struct err *err);
void vm_quit(struct vm *vm);
/* CPU hot-plug: number present; make cpu `index` present and tell the guest. */
bool vm_cpu_present(const struct vm *vm, unsigned index);
int vm_cpu_plug(struct vm *vm, unsigned index, struct err *err);
/* Of -serial n as sink_name() has it: "pty:/dev/pts/3"; NULL: there is no such port. */
const char *vm_serial_name(struct vm *vm, unsigned n);
/*
 * From inside a device: the guest stands when the loop next turns, with the event STOP, and
 * query-status says why. `cont` tries again what an I/O error held.
 */
void vm_halt(struct vm *vm, enum vm_halt why);
/* Is the hypervisor told of power off, reset and sleep, and acts by itself? */
bool vm_power_is_foreign(const struct vm *vm);
/*
 * The user's wish. POWER_RESET: every device, at once (or, foreign, the
 * hypervisor's). POWER_WAKE: end ACPI S3. The events are the caller's.
 */
int vm_power(struct vm *vm, enum power what, struct err *err);
/* An NMI for every vCPU that takes it at its pin. -ENOTSUP where it is the hypervisor's. */
int vm_nmi(struct vm *vm, struct err *err);
/* ACPI's power button. -ENOTSUP where it is the hypervisor's. */
int vm_power_button(struct vm *vm, struct err *err);
/*
 * For struct world_options.power, arg the vm: the guest asked. It is done when
 * the loop next turns, -action and -no-reboot looked at, with its events.
 */
void vm_power_asked(void *arg, enum power what);

/*
 * What a card of this config plays goes there: its audiodev=, or the first there is; NULL: nobody
 * listens. cfg may be NULL.
 */
struct sound *vm_sound_of(struct vm *vm, const struct config *cfg);

/* platform.c. Whether the next start of the guest is to have its PV drivers. */
int vm_next_boot(struct vm *vm, bool unplug, struct err *err);

/* plug.c. Cards that come and go; a line in err is in QEMU's words. */
void vm_plug_listen(struct vm *vm); /* once the machine is built: hear of slots the guest lets go */
/* id NULL: none. cfg: as the command line's -device; not kept. */
int vm_device_add(struct vm *vm, const char *driver, const char *id, const struct config *cfg,
                  struct err *err);
/* Asks the guest to let go; DEVICE_DELETED comes when it has. -EBUSY when it was asked before. */
int vm_device_del(struct vm *vm, struct device *dev, struct err *err);
bool vm_card_is_named(const struct vm *vm, const struct device *dev);
/* Those the guest was asked for leave now: at a reset. */
void vm_unplug_asked(struct vm *vm);
/* NULL when there is none of that id; *card, unless NULL, is the NIC it is plugged into or NULL. */
struct net *vm_find_netdev(struct vm *vm, const char *id, struct device **card);
/* -EEXIST, -EINVAL, or what opening says. */
int vm_netdev_add(struct vm *vm, const char *type, const char *id, const struct config *cfg,
                  struct err *err);
int vm_netdev_del(struct vm *vm, const char *id, struct err *err);
/* The cable of a NIC; NULL: none, or no NIC. */
struct net *vm_net_of(struct vm *vm, const struct device *dev);
/* -object and object-add of a filter, whose config has been checked; and the end of one. */
int vm_filter_add(struct vm *vm, const struct config *cfg, struct err *err);
int vm_filter_del(struct vm *vm, const char *id, struct err *err);
void vm_plug_free(struct vm *vm); /* at the end, behind the machine */
/*
 * CD: take the medium out and leave the tray open (force: also when the guest
 * locked it; an empty drive is fine); put one in and close the tray (owned
 * from here on, also on failure). Both keep tray_open right.
 */
struct vm_drive *vm_find_drive(struct vm *vm, const char *id);
/*
 * hotdrive.c. A drive of -drive's keys, with if=none; and the end of one, for
 * its guest, too. 0, or -errno and a line in QEMU's words.
 */
int vm_drive_add(struct vm *vm, const struct config *cfg, struct err *err);
int vm_drive_del(struct vm *vm, struct vm_drive *d, struct err *err);
int vm_eject(struct vm *vm, struct vm_drive *d, bool force, struct err *err);
int vm_insert(struct vm *vm, struct vm_drive *d, struct block *medium, struct err *err);
bool vm_tray_locked(struct vm *vm, struct vm_drive *d);
int vm_close_tray(struct vm *vm, struct vm_drive *d, struct err *err); /* with nothing in it */
/* qmp-nodes.c. Behind drives_open(): those of -blockdev that no drive has opened, too. */
int vm_nodes_open(struct vm *vm, struct err *err);
void vm_nodes_free(struct vm *vm); /* qmp-nodes.c; at the end, behind the machine */

/*
 * groups.c. Throttle groups by name; one that is not there is made, without
 * limits. They end with their last drive. 0, or a negative errno and a line in err.
 */
int vm_groups_open(struct vm *vm, struct err *err);                         /* those of -object */
int vm_group_add(struct vm *vm, const struct config *cfg, struct err *err); /* object-add */
int vm_group_del(struct vm *vm, const char *name, struct err *err); /* -ENOENT: none; -EBUSY */
void vm_groups_free(struct vm *vm);
int vm_join_group(struct vm *vm, struct block *b, const char *name, struct err *err);
/* The drive, whatever medium it will have. NULL: it has no limits from now on. */
int vm_drive_join(struct vm *vm, struct vm_drive *d, const char *name, struct err *err);
