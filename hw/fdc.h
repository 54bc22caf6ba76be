/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/fdc.h: the floppy controller with drives 0 (A) and 1 (B), and what the
 * outside may do to their media. Config of the device, N = 0 or 1:
 *   driveN        "on": there is a drive (also when there is a medium or a type)
 *   driveN.medium object: struct block *; absent: the drive is empty
 * Blocks stay their opener's; the device must be freed before its media are
 * closed.
 */
#pragma once
#include "hw/core/device.h"

#define FLOPPY_DRIVES 2

struct block;

extern const struct device_type fdc_type;

/* Type of the drive that takes media of `size` bytes, as CMOS 0x10 has it; 0: an empty drive. */
unsigned floppy_cmos_type(uint64_t size);

/*
 * Takes the medium out: a running command ends with an error, what is in flight
 * is waited for, and on return the caller may close the block. Empty already:
 * 0. -EINVAL when there is no such drive. Nothing can lock a floppy in.
 */
int floppy_eject(struct device *fdc, unsigned drive, struct err *err);
/* Puts a medium in; the change line tells the guest. -EBUSY when there is one. */
int floppy_insert(struct device *fdc, unsigned drive, struct block *medium, struct err *err);
struct block *floppy_medium(struct device *fdc, unsigned drive);
/* Waits for what is in flight, then flushes all media. 0 or a positive errno. Blocks. */
int floppy_drain(struct device *fdc);
