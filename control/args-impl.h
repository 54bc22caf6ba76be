/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-impl.h: what the args-*.c files share; nobody else includes it.
 * An option is a row of a const table with a handler. Things that name each
 * other (-device and its -drive, -mon and its -chardev) are noted as they
 * come and joined when the last argument has been read.
 */
#pragma once
#include "control/args.h"
#include "control/keyval.h"

struct netdev_def {
    char *id, *ifname;
    bool  used;
};

struct ide_def { /* -device ide-cd|ide-hd */
    char *drive, *serial;
    bool  cdrom;
    int   unit; /* 0-3; -1: the next free one */
};

struct mon_def {
    char *chardev;
};

struct set_def { /* -global DRIVER.KEY=VAL, or -set device.ID.KEY=VAL */
    bool by_id;
    char *what, *key, *val;
};

struct args_ctx {
    struct vm_args   *a;
    struct err       *err;
    struct netdev_def netdevs[ARGS_NICS];
    unsigned          nnetdevs;
    char             *nic_netdev[ARGS_NICS]; /* parallel to a->nics */
    struct ide_def    ides[ARGS_DRIVES];
    unsigned          nides;
    struct mon_def    mons[ARGS_CHARDEVS];
    unsigned          nmons;
    struct set_def    sets[ARGS_DEVICES];
    unsigned          nsets;
    char             *accel_opt; /* of -accel, which wins over -machine accel= */
};

struct option;
typedef int option_fn(struct args_ctx *c, const struct option *o, const char *arg);

struct option {
    const char *name; /* without the dash */
    bool        takes_arg;
    option_fn  *handle;
    const char *text; /* for refuse and note: what to do instead, or why nothing is done */
};

/* args-machine.c */
option_fn args_machine, args_accel, args_memory, args_smp, args_boot, args_uuid, args_domid;
/* args-char.c */
option_fn args_chardev, args_mon, args_serial, args_qmp, args_debugcon, args_monitor;
int args_isa_debugcon(struct args_ctx *c, const char *arg);
int args_join_chardevs(struct args_ctx *c);
/* args-drive.c */
option_fn args_drive, args_drive_short;
int args_ide_device(struct args_ctx *c, const char *driver, const char *arg);
int args_join_drives(struct args_ctx *c);
/* args-device.c */
option_fn args_device, args_usbdevice, args_vga, args_global, args_set;
int args_join_sets(struct args_ctx *c);
/* args-net.c */
option_fn args_netdev, args_net;
int args_nic_device(struct args_ctx *c, const char *driver, const char *arg);
int args_join_nics(struct args_ctx *c);
/* args-vnc.c */
option_fn args_vnc, args_display;

void args_replace(char **p, const char *val); /* frees the old value; copies */
