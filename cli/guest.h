/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli/guest.h: what a configuration file asks for, as far as a guest on KVM
 * can have it. Made by guest_read(), turned into a command line by dm_line().
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "cli/conf.h"

#define GUEST_SMBIOS  32
#define GUEST_DISKS   4 /* hda to hdd */
#define GUEST_NICS    8
#define GUEST_SERIALS 4
#define GUEST_USB     2 /* ports of a UHCI controller */
#define GUEST_ARGS    64
#define GUEST_CPUS    64 /* that portico-dm runs on KVM */

struct guest_disk {
    char *vdev;   /* "hda" to "hdd" */
    char *path;   /* NULL: an empty CD drive */
    char *format; /* as portico-dm spells it: "raw", "qcow2", "vpc" */
    bool cdrom, readonly, direct, no_discard;
    unsigned unit; /* 0 to 3 */
    int item;      /* of disk=[], for messages */
};

struct guest_nic {
    char *model, *bridge;
    char *ifname; /* vifname=; NULL: to be made of the guest's number */
    uint8_t mac[6];
    uint64_t rate; /* bytes a second; 0: no limit */
    bool user;     /* type=user: without a bridge */
    int item;
};

enum guest_then { THEN_DESTROY, THEN_RESTART, THEN_PRESERVE };

struct guest_screen {
    char *vga;         /* "VGA", "cirrus-vga"; NULL: none */
    unsigned videoram; /* MiB */
    bool vnc, sdl, nographic;
    char *vnc_listen, *vnc_password, *keymap;
    unsigned vnc_display;
    bool vnc_unused; /* the first free display from there */
};

struct guest {
    char *name, *uuid;
    unsigned memory; /* MiB */
    unsigned vcpus, max_vcpus;
    char *boot;                       /* letters */
    char *kernel, *ramdisk, *cmdline; /* a kernel that is started directly; NULL: none */
    char *bios;                       /* a file; NULL: SeaBIOS */
    char *smbios[GUEST_SMBIOS];       /* "TYPE,key=value" */
    unsigned nsmbios;
    char *smbios_file, *acpi_file; /* tables to pass on; NULL: none */
    char *nvram, *nvram_from; /* UEFI's variables, and what they begin as; NULL: bios is no UEFI */
    char *dm;                 /* device_model_override=; NULL: the installed one */
    bool acpi, hpet, ahci, usb, localtime;
    bool rtc_offset_given;
    long rtc_offset; /* seconds */
    long mmio_hole;  /* MiB; 0: not said */
    unsigned hyperv; /* sets of viridian=, bits of guest-hyperv.c; 0: none */
    bool hugepages;
    char *sound; /* the -device to give; NULL: none */
    struct guest_screen screen;
    struct guest_disk disks[GUEST_DISKS];
    unsigned ndisks;
    struct guest_nic nics[GUEST_NICS];
    unsigned nnics;
    char *serials[GUEST_SERIALS]; /* as portico-dm's -serial takes them */
    unsigned nserials;
    char *usb_devices[GUEST_USB];
    unsigned nusb;
    enum guest_then on_poweroff, on_reboot, on_crash;
    char *args[GUEST_ARGS]; /* device_model_args, as they are */
    unsigned nargs;
};

/*
 * Fills *g from the configuration. Everything that is wrong is in the report; 0 when nothing is,
 * else -1. guest_free() in both cases. What the file leaves out is as xl has it.
 */
int guest_read(struct guest *g, struct conf *c);
/* Are the files there that it names? As guest_read(): the report tells what is not, with -1. */
int guest_look(const struct guest *g, struct conf *c);
void guest_free(struct guest *g);
/* The file of UEFI's variables, if the guest is to have one that is not there yet. 0, or -1 with a
 * line. */
int guest_make_nvram(const struct guest *g);

/* Parts of guest_read(): they report, and take what they can. */
void guest_read_disks(struct guest *g, struct conf *c);
void guest_read_nics(struct guest *g, struct conf *c);
void guest_read_screen(struct guest *g, struct conf *c);
void guest_read_ports(struct guest *g, struct conf *c); /* serial, usb, sound */
void guest_read_hyperv(struct guest *g, struct conf *c);
void guest_read_firmware(struct guest *g, struct conf *c);
void guest_look_firmware(const struct guest *g, struct conf *c);
void guest_check_keys(struct conf *c); /* what is ignored, refused or not known */

/* What portico-dm's -cpu takes for that: "host,hv-relaxed,…". Of static storage. */
const char *guest_hyperv_cpu(const struct guest *g);
/* A number that belongs to this name on this machine, for addresses and identifiers. */
uint64_t guest_hash(const char *name, const char *what, unsigned index);
/* A copy that is never NULL: without memory the program ends with a line. NULL becomes NULL. */
char *guest_copy(const char *s);
