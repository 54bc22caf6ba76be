/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args.h: the command line, in the dialect libxl speaks to qemu-xen,
 * turned into one struct. Knows nothing of devices: -device stays a driver
 * name and key=value pairs.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "hw/core/config.h"

#define ARGS_DRIVES   16
#define ARGS_DEVICES  64
#define ARGS_CHARDEVS 32
#define ARGS_SERIALS  4
#define ARGS_NICS     16

/* Where ROM images are looked for after the -L directories. */
#define ARGS_ROM_DIRS "/usr/share/portico:/usr/share/seabios:/usr/lib/ipxe/qemu:/usr/share/qemu"

struct chardev_arg { /* -chardev KIND,id=ID,… or -qmp unix:PATH */
    char *id, *kind; /* "socket", "pty", "file", "pipe", "serial", "stdio", "null" */
    char *path;      /* of a socket (NULL when fd is given), file, pipe, serial line */
    int   fd;        /* an inherited listening socket, or -1 */
    bool  server;    /* a socket that listens */
    bool  monitor;   /* a -mon chardev=ID,mode=control names it */
};

struct drive_arg { /* -drive …, with what a -device ide-cd/ide-hd,drive=ID said of it */
    char *id;      /* "ide-5632"; for if=ide made up as QEMU does: "ide0-hd0", "ide1-cd0" */
    char *file;    /* NULL: empty */
    char *format;  /* "raw", …; NULL: raw */
    bool  cdrom, readonly;
    int   unit;      /* 0-3 = hda-hdd; -1: not attached to IDE */
    bool  writeback; /* cache=writeback or default; false: writethrough/none/directsync */
    char *serial;    /* or NULL */
};

struct device_arg { /* -device DRIVER,key=value,… that is not an IDE drive */
    char         *driver;
    struct config cfg;
};

struct nic_arg { /* -device MODEL,…,netdev=D with -netdev tap,id=D,… */
    char    *model, *id;
    char    *ifname; /* tap; NULL: no back end */
    uint8_t  mac[6]; /* as given, or 52:54:00:12:34:56 and up */
    unsigned after;  /* of devices[] came before it: PCI slots go by command-line order */
};

struct vnc_arg {
    bool  enabled;
    char *host;       /* "127.0.0.1", "::", … or NULL */
    int   display;    /* port 5900 + display */
    int   to;         /* last display to try; == display when not given */
    bool  password;   /* a password will be set and is needed */
    char *unix_path;  /* unix:PATH instead of host:display */
};

struct vm_args {
    int      domid; /* -xen-domid; -1: none */
    char    *name;
    char    *machine; /* "xenfv", "pc" (the default) */
    char    *accel;   /* "xen", "kvm", "qtest"; NULL: none named and no -xen-domid */
    bool     platform_pci; /* machine xenfv */
    bool     acpi;         /* not -no-acpi */
    bool     paused;       /* -S */
    bool     usb, tablet;  /* tablet implies usb */
    uint64_t ram;          /* -m, bytes; 128 MiB by default */
    uint64_t max_ram_below_4g; /* bytes; 0xf0000000 by default */
    unsigned cpus, max_cpus;   /* 1 <= cpus <= max_cpus <= 128 */
    char     boot[8];      /* "cda" */
    char    *keymap;
    struct vnc_arg vnc;
    bool     sdl; /* never set: -display sdl is refused */
    char    *serials[ARGS_SERIALS]; /* sink.h's spelling; "none": leave this COM port out */
    unsigned nserials;
    struct chardev_arg chardevs[ARGS_CHARDEVS];
    unsigned nchardevs;
    struct drive_arg   drives[ARGS_DRIVES];
    unsigned ndrives;
    struct device_arg  devices[ARGS_DEVICES]; /* in command-line order */
    unsigned ndevices;
    struct nic_arg     nics[ARGS_NICS];
    unsigned nnics;
    char    *rom_path; /* -L directories, colon separated, then the built-in list */
    int      incoming; /* -incoming fd:K, or -1 */
    bool     domid_restrict;
    char    *chroot, *runas;
    char    *debugcon; /* -debugcon SINK or -device isa-debugcon,…; sink.h's spelling */
    char    *parallel; /* -parallel SINK; NULL: no port */
    char    *uuid;     /* lower case, or NULL */
    bool     show_version, show_help; /* the rest of the command line was not looked at */
};

/*
 * Fills *a (whatever was in it). 0, or -EINVAL/-ENOTSUP with one line in err
 * that names the option and what to use instead; *a is then empty. What is
 * accepted but has no effect is said in one line of the log. argv is not kept.
 */
int  args_parse(struct vm_args *a, int argc, char **argv, struct err *err);
void args_free(struct vm_args *a);
/* What -help prints; a constant. */
const char *args_help(void);
