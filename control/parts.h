/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/parts.h: the steps main.c takes to make a struct vm out of its arguments. */
#pragma once
#include "control/vm.h"
#include "display/vnc.h"
#include "hw/machine.h"

/* drives.c: opens every image of vm->args; nothing is left open on failure. */
int drives_open(struct vm *vm, struct err *err);
void drives_close(struct vm *vm);
/* One of them, with its arg set; what is not plugged in anywhere is opened all the same. */
int drive_open(struct vm *vm, struct vm_drive *d, struct err *err);
/* The controller of an ATA drive, and its unit there; NULL for any other drive. */
struct device *drive_host(struct vm *vm, const struct vm_drive *d, unsigned *unit);
/*
 * iso.c: 0, or -EIO with a line in err when the file's ISO 9660 volume is longer than the file by
 * over a MiB: a download that broke off (ECMA-119 8.4.8). fd: it is open already; or -1.
 */
int iso_check(const char *file, int fd, struct err *err);
/*
 * Takes the locks of all images, or lets go of them. 0, or -EBUSY and a line in err. patient:
 * waits some seconds for another process that is about to let go; for before the loop runs.
 */
int drives_lock(struct vm *vm, bool patient, struct err *err);
void drives_unlock(struct vm *vm);
/* Once the machine is built: hear of trays that the guest moves. */
void drives_listen(struct vm *vm);
/* Disks that were unplugged come back: before the machine is reset. */
void drives_replug(struct vm *vm);
void drives_retry(struct vm *vm); /* what an error has held; before the guest goes on */
int drives_drain(struct vm *vm);  /* ide_drain() of every controller */

/* vm.c: everything the guest had asked of its disks is done, and is on the disks. */
int vm_drain(struct vm *vm, struct err *err);

/* preconfig.c: vm->qmp; the world begins to ask. Also more than once. 0, or -errno and a line. */
int qmp_open(struct vm *vm, struct err *err);
int vm_world_start(struct vm *vm, struct err *err);
/* preconfig.c: with -preconfig, turns the loop until a client has said enough, or quit. */
int preconfig_run(struct vm *vm, struct err *err);
void preconfig_ends(struct vm *vm); /* it all runs now: that client is answered */
/* Turns the loop until every control socket and serial port with wait=on has a client, or quit. */
void clients_wait(struct vm *vm);

/* channel.c: sinks for the chardevs of xl's channel=, and the one of that id or NULL. */
int channels_open(struct vm *vm, struct err *err);
void channels_close(struct vm *vm);
struct sink *channel_sink(void *vm, const char *id);

/* platform.c: once the machine is built: hear of network cards that the guest unplugs. */
void vm_platform_listen(struct vm *vm);
/* Sets in the platform device's config what xen-set-next-boot has left for this start. */
void vm_platform_word(struct vm *vm, struct config *cfg);

/* events.c: once the machine is built: what the guest does that a client may want to know. */
void vm_events_listen(struct vm *vm);
/* For struct vnc_actions, arg the vm. */
void vm_vnc_client(void *arg, enum vnc_client_is what, const struct vnc_client *who);

/* console.c: opens vm->vnc; o has what main.c knows of it, the rest comes from the arguments. */
int console_open(struct vm *vm, struct vnc_options *o, struct err *err);

/* spec.c: what each device of the machine is to be told. The spec is the caller's to free. */
int spec_make(struct vm *vm, struct machine_spec *spec, struct err *err);

/* save.c: the blob that libxl carries from one device model to the next. */
int save_write(struct vm *vm, int fd, struct err *err);
int save_read(struct vm *vm, int fd, struct err *err);

/* confine.c: -chroot, -runas and -xen-domid-restrict, when all is open that ever will be. */
int confine(const struct vm *vm, struct err *err);

/*
 * firmware.c: the path of -bios, or of SeaBIOS where nothing was said; "" when
 * it is not installed. -ENOENT when what was said is nowhere.
 */
int firmware_find(const struct vm_args *a, char *path, size_t size, struct err *err);
/* With the machine built: what firmware is told where no hypervisor tells it. */
int firmware_tables(struct vm *vm, struct err *err);
