/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/ide.h: the PIIX3's IDE function with its four units, 0-3 = hda-hdd, and
 * what the outside may do to their media. Config of the device, N = 0-3:
 *   driveN          object: struct block *, the medium; absent: none (a CD drive is empty)
 *   driveN.kind     "disk" or "cdrom"; absent: no such unit
 *   driveN.serial   up to 20 characters      driveN.model  up to 40
 *   driveN.version  up to 8: firmware revision
 *   driveN.cache    "writeback" (default) or "writethrough"
 * Blocks stay their opener's; the device must be freed before its media are
 * closed.
 */
#pragma once
#include "hw/core/pci.h"

#define IDE_UNITS 4

struct block;

extern const struct pci_type piix3_ide_type;

struct ide_events { /* any may be NULL */
    /* The guest opened or closed the tray. The medium stays in it. */
    void (*tray)(void *arg, unsigned unit, bool open);
    /* The device has let go of the medium (unplug): nothing in flight, caches flushed. */
    void (*released)(void *arg, unsigned unit, struct block *medium);
};
void ide_listen(struct device *ide, const struct ide_events *events, void *arg);

/*
 * Takes the medium out of a CD drive: what is in flight is cancelled and waited
 * for (the guest's command ends with "medium not present"); on return the
 * caller may close it. Empty already: 0. -EBUSY when the guest has locked the
 * tray and not force (the guest is told of the request, and may eject by
 * itself); -EINVAL when the unit is no CD drive. The tray is open afterwards.
 */
int ide_eject(struct device *ide, unsigned unit, bool force, struct err *err);
/*
 * Puts a medium in and closes the tray. -EBUSY when there is one. The guest is
 * shown an empty drive once and then "medium may have changed".
 */
int           ide_insert(struct device *ide, unsigned unit, struct block *medium, struct err *err);
bool          ide_tray_locked(struct device *ide, unsigned unit);
bool          ide_tray_open(struct device *ide, unsigned unit);
struct block *ide_medium(struct device *ide, unsigned unit);

/*
 * Runs every command that the disks can finish to its end, then flushes all
 * media. 0 or a positive errno of the first flush that failed. Blocks.
 */
int ide_drain(struct device *ide);

/*
 * The Xen unplug port: disks (not CD drives) vanish from the bus for good, as
 * if never attached; drained and flushed before this returns. aux_only: all
 * but the primary master. Idempotent. Survives reset, save and load.
 * hw/xen-platform.c will call it; as long as there are no PV disks it refuses.
 */
void ide_unplug(struct device *ide, bool aux_only);
