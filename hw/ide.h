/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/ide.h: ATA drives: the PIIX3's IDE function with its four units, 0-3 =
 * hda-hdd, the AHCI controller with a unit on each of its six ports, and what
 * the outside may do to their media. Config of the PIIX3's, N = 0-3 (AHCI's
 * keys are portN, portN.kind and so on, N = 0-5):
 *   driveN          object: struct block *, the medium; absent: none (a CD drive is empty)
 *   driveN.kind     "disk" or "cdrom"; absent: no such unit
 *   driveN.serial   up to 20 characters      driveN.model  up to 40
 *   driveN.ver      up to 8: firmware revision (also: driveN.version)
 *   driveN.wwn      a disk's world-wide name, a number; 0: none
 *   driveN.cyls, driveN.heads (up to 16), driveN.secs (up to 255): a disk's geometry, all or none
 *   driveN.cache    "writeback" (default) or "writethrough"
 *   driveN.werror   "enospc" (default), "report", "ignore", "stop": errors of writes, flushes and
 *                   discards; driveN.rerror: of reads, "report" (default), "ignore", "stop"
 * Blocks stay their opener's; the device must be freed before its media are
 * closed.
 */
#pragma once
#include "hw/core/pci.h"

#define IDE_UNITS 4

struct block;

extern const struct pci_type piix3_ide_type;

/* What to do about an error of the host; ENOSPC: stop on that one, report others. */
enum ide_action { IDE_REPORT, IDE_IGNORE, IDE_STOP, IDE_ENOSPC };

struct ide_events { /* any may be NULL */
    /*
     * A request of the unit has failed with err, and action (never IDE_ENOSPC) is what is done:
     * the guest is told; it is told that all is well; or the request is held, and the receiver
     * should stop the guest. A guest can cause as many of these as it likes.
     */
    void (*io_error)(void *arg, unsigned unit, bool is_write, int err, enum ide_action action);
    /* The guest opened or closed the tray. The medium stays in it. */
    void (*tray)(void *arg, unsigned unit, bool open);
    /* The device has let go of the medium (unplug): nothing in flight, caches flushed. */
    void (*released)(void *arg, unsigned unit, struct block *medium);
};
/* Is it a controller of ATA drives? All functions here are for such a device. */
bool ide_is_host(const struct device *dev);
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
int ide_insert(struct device *ide, unsigned unit, struct block *medium, struct err *err);
/* Closes the tray of a CD drive with nothing in it; closed already: 0. */
int ide_close_tray(struct device *ide, unsigned unit, struct err *err);
bool ide_tray_locked(struct device *ide, unsigned unit);
bool ide_tray_open(struct device *ide, unsigned unit);
struct block *ide_medium(struct device *ide, unsigned unit);

/* Tries again what IDE_STOP holds, before the guest goes on. It may be held again. */
void ide_retry(struct device *ide);

/*
 * Runs every command that the disks can finish to its end, then flushes all
 * media. 0 or a positive errno of the first flush that failed. Blocks.
 */
int ide_drain(struct device *ide);

/*
 * The Xen unplug port: disks (not CD drives) vanish from the bus, as if never
 * attached; drained and flushed, and `released` called, before this returns.
 * aux_only: all but unit 0, the primary master. Idempotent. Survives reset,
 * save and load, until ide_replug().
 */
void ide_unplug(struct device *ide, bool aux_only);
/* The same of one disk; nothing when the unit is none. */
void ide_unplug_unit(struct device *ide, unsigned unit);
bool ide_is_unplugged(struct device *ide, unsigned unit);
/* Before a reset: the disk is there again, with its medium (block.h's owner keeps owning it). */
void ide_replug(struct device *ide, unsigned unit, struct block *medium);
