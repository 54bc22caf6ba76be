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

struct plug_def { /* -device ide-cd|ide-hd|floppy */
    struct config cfg;
};

struct mon_def {
    char *chardev;
    bool pretty;
};

struct set_def { /* -global DRIVER.KEY=VAL, or -set device.ID.KEY=VAL */
    bool by_id;
    char *what, *key, *val;
};

struct args_ctx {
    struct vm_args *a;
    struct err *err;
    struct plug_def plugs[ARGS_DRIVES];
    unsigned nplugs;
    struct default_seen { /* what a command line named: then the PC's own is left out */
        bool vga, serial, parallel, floppy, cdrom, net, boot;
    } seen;
    struct args_added joined; /* the last -device that was joined */
    struct mon_def mons[ARGS_CHARDEVS];
    unsigned nmons;
    struct set_def sets[ARGS_DEVICES];
    unsigned nsets;
    char *ids[ARGS_DEVICES]; /* of every -device */
    unsigned nids;
    bool snapshot;                 /* -snapshot */
    bool debugcon_default;         /* -device isa-debugcon without iobase= */
    char *bad_accel;               /* "-accel accel=tcg": the first that is not here */
    char *flash[ARGS_FLASHES];     /* -machine pflash0=, pflash1=; NULL: not said */
    char *memory_id, *memory_size; /* of the one -object memory-backend-*; NULL: none */
    char *memory_wanted;           /* -machine memory-backend=; NULL: not said */
    char *accel_opt;               /* of -accel, which wins over -machine accel= */
};

extern const struct keyval_key args_nic_keys[], args_ide_keys[], args_floppy_keys[];

struct option;
typedef int option_fn(struct args_ctx *c, const struct option *o, const char *arg);

struct option {
    const char *name; /* without the dash */
    bool takes_arg;
    option_fn *handle;
    const char *text; /* for refuse and note: what to do instead, or why nothing is done */
};

/* args-machine.c */
option_fn args_machine, args_accel, args_memory, args_smp, args_uuid, args_domid;
int args_check_accel(struct args_ctx *c);
/* args-boot.c */
option_fn args_boot, args_rtc, args_action, args_no_reboot, args_no_shutdown, args_bios;
int args_join_name(struct args_ctx *c);
/* args-firmware.c */
option_fn args_kernel, args_smbios, args_acpitable;
int args_join_kernel(struct args_ctx *c);
/* args-char.c */
option_fn args_chardev, args_mon, args_serial, args_qmp, args_debugcon, args_monitor, args_parallel;
int args_isa_debugcon(struct args_ctx *c, const struct config *cfg);
int args_isa_port(struct args_ctx *c, const char *driver, const struct config *cfg);
int args_join_chardevs(struct args_ctx *c);
/* args-drive.c */
option_fn args_drive, args_drive_short;
struct drive_arg *args_find_drive(struct vm_args *a, const char *id);
struct drive_arg *args_drive_at(struct vm_args *a, enum drive_if iface, int index);
/* Puts d on an IDE unit, -1: the first free one. `what` is for messages. */
int args_place_ide(struct vm_args *a, struct drive_arg *d, int unit, const char *what,
                   struct err *err);
/* args-flash.c */
int args_check_flash(const struct drive_arg *d, struct err *err); /* of -drive if=pflash */
int args_join_flash(struct args_ctx *c);
/* args-config.c */
option_fn args_readconfig;
const struct option *args_find_option(const char *name); /* args.c; without the dash; or NULL */
/* args-object.c */
option_fn args_object;
/* args-plug.c */
int args_note_plug(struct args_ctx *c, const char *driver, const struct config *cfg);
int args_join_plugs(struct args_ctx *c);
/* args-blockdev.c */
option_fn args_blockdev;
struct node_arg *args_find_node(struct vm_args *a, const char *name);
struct node_arg *args_find_group(struct vm_args *a, const char *name);
void args_drop_node(struct vm_args *a, const char *name); /* none of that name: fine */
/* args-device.c */
option_fn args_device, args_usbdevice, args_vga, args_global, args_set;
int args_join_sets(struct args_ctx *c);
int args_join_defaults(struct args_ctx *c);
/* bootorder.c */
int args_join_bootorder(struct args_ctx *c);
/* args-help.c */
const char *args_machines(void);
/* args-net.c */
option_fn args_netdev, args_net, args_nic;
int args_nic_device(struct args_ctx *c, const char *driver, const struct config *cfg);
int args_join_nic(struct vm_args *a, struct nic_arg *nic, struct err *err);
int args_join_nics(struct args_ctx *c);
/* args-vnc.c */
option_fn args_vnc, args_display, args_web_console;
/* args-secret.c */
bool args_is_secret(const char *type); /* the first word of an -object */
int args_secret(struct args_ctx *c, const char *arg);

/* args-world.c */
option_fn args_cpu;
bool args_is_memory(const char *type); /* an -object's: a memory backend */
int args_add_memory(struct args_ctx *c, const struct config *cfg);
int args_check_memory(struct args_ctx *c); /* when all has been read, and the world is known */
void args_free_vnc(struct vm_args *a);     /* strings of vnc, web, secrets */

/* args-audio.c */
option_fn args_audiodev, args_audio, args_soundhw;
struct audiodev_arg *args_find_audiodev(struct vm_args *a, const char *id);
int args_join_audio(struct args_ctx *c);
void args_free_audiodevs(struct vm_args *a);

void args_free_ctx(struct args_ctx *c);
void args_free_nic(struct nic_arg *nic);      /* *nic is empty afterwards */
void args_replace(char **p, const char *val); /* frees the old value; copies */
