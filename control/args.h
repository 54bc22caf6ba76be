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

#define ARGS_DRIVES    16
#define ARGS_NODES     32
#define ARGS_GROUPS    16
#define ARGS_DEVICES   64
#define ARGS_CHARDEVS  32
#define ARGS_SERIALS   4
#define ARGS_NICS      16
#define ARGS_SECRETS   8
#define ARGS_OBJECTS   32
#define ARGS_FLASHES   2
#define ARGS_AUDIODEVS 8

/* Where ROM images are looked for after the -L directories. */
#define ARGS_ROM_DIRS "/usr/share/portico:/usr/share/seabios:/usr/lib/ipxe/qemu:/usr/share/qemu"

struct chardev_arg { /* -chardev KIND,id=ID,… or -qmp unix:PATH */
    char *id, *kind; /* "socket", "pty", "file", "pipe", "serial", "stdio", "null", "ringbuf" */
    char *path;      /* of a socket (NULL when fd or host is given), file, pipe, serial line */
    char *host;      /* of a TCP socket; "": all addresses */
    int port;        /* of host */
    int fd;          /* an inherited listening socket, or -1 */
    bool server;     /* a socket that listens; false: it is connected to */
    bool wait;       /* a server that lets nothing begin before its client is there */
    bool abstract;   /* path is a name in the abstract namespace */
    bool append;     /* to a file */
    int reconnect;   /* seconds between attempts of a client; 0: none */
    int size;        /* of a ring buffer, bytes */
    bool monitor;    /* a -mon chardev=ID,mode=control names it */
    bool pretty;     /* its answers are indented */
};

struct node_arg {      /* -blockdev: one node of the graph of block devices */
    char *name;        /* node-name */
    struct config cfg; /* all of it, dotted: "driver", "file", "file.filename", … */
};

struct audiodev_arg { /* -audiodev DRIVER,id=ID,…; of -audio the id may be made up */
    char *id;
    struct config cfg; /* all of it, for sound_open() */
};

enum drive_if { DRIVE_NONE, DRIVE_IDE, DRIVE_FLOPPY, DRIVE_PFLASH, DRIVE_AHCI };

struct drive_arg { /* -drive …, with what a -device ide-cd/ide-hd,drive=ID said of it */
    char *id;      /* "ide-5632"; for if=ide made up as QEMU does: "ide0-hd0", "ide1-cd0" */
    char *file;    /* NULL: empty */
    char *format;  /* "raw", …; NULL: raw */
    bool cdrom, readonly;
    int unit;       /* 0-3 = hda-hdd; -1: not attached to IDE */
    bool writeback; /* cache=writeback or default; false: writethrough/none/directsync */
    char *serial;   /* or NULL */
    enum drive_if iface;
    int index;    /* of a floppy (0: A) or flash (0: the topmost), port of AHCI; unused for IDE */
    char *bus;    /* of AHCI: id of the controller */
    char *node;   /* a -blockdev of this node-name is the medium: file and opts are not used */
    char *device; /* id= of the -device it is plugged into, or NULL */
    struct config opts;  /* for the block layer: every key of -drive that is about the image */
    struct config props; /* for the drive: model, ver, wwn, cyls, heads, secs, rerror, werror, … */
};

struct device_arg { /* -device DRIVER,key=value,… that is not an IDE drive */
    char *driver;
    struct config cfg;
};

struct nic_arg { /* -device MODEL,…,netdev=D with -netdev tap,id=D,… */
    char *model, *id;
    char *ifname;      /* tap; NULL: no tap */
    char *netdev;      /* id of its netdev, of any type, or NULL */
    struct config cfg; /* addr, romfile, rombar, bootindex, multifunction: as given */
    uint8_t mac[6];    /* as given; under Xen 00:16:3e:…, elsewhere 52:54:00:12:34:56 and up */
    bool mac_given;
    unsigned after; /* of devices[] came before it: PCI slots go by command-line order */
};

struct netdev_arg { /* -netdev TYPE,id=ID,…; -nic and -net make them too */
    char *id, *type;
    struct config cfg;
    bool used; /* a NIC names it */
};

enum rtc_base { RTC_UTC, RTC_LOCALTIME, RTC_DATE };

struct rtc_arg { /* -rtc base=,clock=,driftfix= */
    enum rtc_base base;
    int64_t date;  /* of RTC_DATE: seconds since 1970-01-01 00:00, what the clock shows first */
    bool vm_clock; /* clock=vm: stands while the guest does; false: host */
    bool slew;     /* driftfix=slew: lost periodic interrupts are delivered later */
};

#define BOOT_NOT_SAID (-2)

struct boot_arg { /* -boot, but for order=, which is vm_args.boot */
    char once[8]; /* the order of the first boot; "": none */
    int menu;     /* 0, 1 or BOOT_NOT_SAID */
    bool strict;
    char *splash;       /* a picture; NULL: none */
    int splash_time;    /* ms, 0-65535, or BOOT_NOT_SAID */
    int reboot_timeout; /* ms, 0-65535; -1: never; or BOOT_NOT_SAID */
};

enum on_reboot { REBOOT_RESET, REBOOT_END };       /* -no-reboot, -action reboot=shutdown */
enum on_shutdown { SHUTDOWN_END, SHUTDOWN_PAUSE }; /* -no-shutdown, -action shutdown=pause */

struct vnc_arg {
    bool enabled;
    char *host;      /* "127.0.0.1", "::", … or NULL */
    int display;     /* port 5900 + display */
    int to;          /* last display to try; == display when not given */
    bool password;   /* a password will be set and is needed */
    char *unix_path; /* unix:PATH instead of host:display */
    unsigned share;  /* enum vnc_share */
    bool view_only, paste_key, power_control;
    unsigned key_ms;
    char *tls_creds, *password_secret; /* ids of -object; NULL: none */
};

#define WEB_FOLLOWS (-1) /* 5700 + the display */
struct web_arg {         /* -vnc websocket=, -web-console */
    int port;            /* 0: none; or WEB_FOLLOWS */
    char *host;          /* NULL: the VNC display's */
    bool console;        /* the page as well */
    bool power_control;
    char *novnc;                    /* a folder; NULL: the usual one */
    char *tls_creds, *token_secret; /* ids of -object; NULL: none */
};

struct vm_args {
    int domid; /* -xen-domid; -1: none */
    char *name;
    char *machine;   /* "xenfv", "pc" (the default), "none" */
    char *accel;     /* "xen", "kvm", "qtest"; NULL: none named and no -xen-domid */
    bool own_clocks; /* not under Xen, which has them: fw_cfg, RTC, HPET, PM timer are ours */
    bool hpet;       /* not -no-hpet, -machine hpet=off; of no meaning under Xen */
    bool nodefaults;
    bool fdc;               /* -device isa-fdc: a floppy controller even without a drive */
    bool platform_pci;      /* machine xenfv */
    struct config platform; /* -global xen-platform.KEY=VALUE */
    bool acpi;              /* not -no-acpi */
    bool paused;            /* -S */
    bool preconfig;         /* -preconfig: QMP comes before the machine */
    bool usb;               /* the board's USB controller */
    uint64_t ram;           /* -m, bytes; 128 MiB by default */
    bool ram_said;
    uint64_t huge_page;        /* bytes of a page of it, with hugetlb=on; 0: ordinary ones */
    uint32_t hyperv;           /* of ioreq/hyperv.h: -cpu host,hv-…; of no meaning under Xen */
    uint64_t max_ram_below_4g; /* bytes; 0xf0000000 by default, without Xen at most 0xe0000000 */
    unsigned cpus, max_cpus;   /* 1 <= cpus <= max_cpus <= 128 */
    unsigned sockets, dies, cores, threads; /* their product is max_cpus */
    char boot[8];                           /* "cda" */
    struct boot_arg bootopt;
    char *bootorder; /* OFW paths in bootindex order, '\n' between them; NULL: none */
    struct rtc_arg rtc;
    char *kernel, *initrd, *append; /* files, and the kernel's command line; NULL: not said */
    struct config smbios;           /* -smbios: "TYPE.key"; of type 11 "11.N", N from 0 */
    unsigned noem;                  /* how many of those */
    char *smbios_file;              /* structures to pass on; NULL: none */
    bool smbios_sized;              /* each begins with its size, 32 bits */
    char *acpi_tables;              /* -acpitable file=: tables to pass on; NULL: none */
    char *bios;      /* -bios FILE, found in rom_path or as a path; NULL: the default */
    bool fd_bootchk; /* not -no-fd-bootchk */
    enum on_reboot on_reboot;
    enum on_shutdown on_shutdown;
    char *keymap;
    struct vnc_arg vnc;
    struct web_arg web;
    struct config secrets[ARGS_SECRETS]; /* -object secret, tls-creds-x509, tls-creds-anon */
    unsigned nsecrets;
    bool sdl, full_screen;       /* a window on this machine */
    bool keep_open;              /* window-close=off */
    char *serials[ARGS_SERIALS]; /* sink.h's spelling; "none": leave this COM port out */
    unsigned nserials;
    struct chardev_arg chardevs[ARGS_CHARDEVS];
    unsigned nchardevs;
    struct drive_arg drives[ARGS_DRIVES];
    unsigned ndrives;
    struct device_arg devices[ARGS_DEVICES]; /* in command-line order */
    unsigned ndevices;
    struct nic_arg nics[ARGS_NICS];
    unsigned nnics;
    struct netdev_arg netdevs[ARGS_NICS];
    struct config objects[ARGS_OBJECTS]; /* -object filter-…: every key, checked */
    unsigned nobjects;
    unsigned nnetdevs;
    struct audiodev_arg audiodevs[ARGS_AUDIODEVS];
    unsigned naudiodevs;
    struct node_arg nodes[ARGS_NODES];
    unsigned nnodes;
    struct node_arg groups[ARGS_GROUPS]; /* -object throttle-group: id, and its "limits." */
    unsigned ngroups;
    char *rom_path; /* -L directories, colon separated, then the built-in list */
    int incoming;   /* -incoming fd:K, or -1 */
    bool domid_restrict;
    char *chroot, *runas;
    char *debugcon;          /* -debugcon SINK or -device isa-debugcon,…; sink.h's spelling */
    uint64_t debugcon_port;  /* where it is: 0x402 */
    char *parallel;          /* -parallel SINK; NULL: no port */
    char *uuid;              /* lower case, or NULL */
    char *trace;             /* -trace ioreq=FILE; or NULL */
    char *replay;            /* -replay FILE; or NULL */
    char *qtest, *qtest_log; /* -qtest, -qtest-log, as given; or NULL */
    bool show_version, show_help; /* the rest of the command line was not looked at */
    char *print;                  /* likewise: the answer to "-machine help", "-device help", … */
};

/*
 * One thing from key=value pairs, for the command line and for QMP at run time
 * (keyval_from_json() makes the pairs). Each returns 0, or -EINVAL/-ENOTSUP
 * with one line in err and *a as it was. Nothing is opened or built: that is
 * the caller's, with what was appended to a's arrays.
 */
int args_add_drive(struct vm_args *a, const struct config *cfg, struct err *err); /* -drive */
/* Where the next one will be in drives[]; ARGS_DRIVES: there is no room. */
unsigned args_drive_slot(const struct vm_args *a);
/* Ends a drive; one that is plugged in leaves its place, without an id or an image. */
void args_drop_drive(struct vm_args *a, unsigned slot);
void args_forget_drive(struct vm_args *a, unsigned slot);
int args_add_node(struct vm_args *a, const struct config *cfg, struct err *err);   /* -blockdev */
int args_add_netdev(struct vm_args *a, const struct config *cfg, struct err *err); /* -netdev */
/* -object throttle-group, as groups[ngroups - 1]. */
int args_add_group(struct vm_args *a, const struct config *cfg, struct err *err);
void args_drop_group(struct vm_args *a, const char *name); /* none of that name: fine */
/* The -object secret or tls-creds-* of that id, or NULL. */
const struct config *args_find_secret(const struct vm_args *a, const char *id);
/* The text of a secret: dst is filled with it and zeros. 0, or -errno and a line. */
int args_read_secret(const struct vm_args *a, const char *id, char *dst, size_t size,
                     struct err *err);
/* The keys of a filter (-object, object-add): 0, or -errno and a line that begins with opt. */
int args_check_filter(const char *opt, const struct config *cfg, struct err *err);

enum args_kind { ARGS_CARD, ARGS_NIC, ARGS_DRIVE, ARGS_OTHER };
struct args_added {
    enum args_kind kind;
    unsigned index; /* in devices[], nics[] or drives[] */
};
/* -device, joined with the drive, node or netdev that it names. */
int args_add_device(struct vm_args *a, const struct config *cfg, struct args_added *added,
                    struct err *err);
/* -device DRIVER,help; NULL: no such driver. The caller frees it. */
char *args_device_help(const char *driver);

/* What a drive says of itself; also for the keys of -device ide-hd. */
int args_check_props(const struct config *cfg, const char *opt, struct err *err);
void args_free_drive(struct drive_arg *d); /* *d is empty afterwards */

/*
 * Fills *a (whatever was in it). 0, or -EINVAL/-ENOTSUP with one line in err
 * that names the option and what to use instead; *a is then empty. What is
 * accepted but has no effect is said in one line of the log. argv is not kept.
 */
int args_parse(struct vm_args *a, int argc, char **argv, struct err *err);
void args_free(struct vm_args *a);
/* What -help prints; a constant. */
const char *args_help(void);
