/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/ata.h: what others need to know of a disk. */
#pragma once
#include <stdint.h>

/*
 * The default CHS translation of a disk of that many sectors, as IDENTIFY
 * DEVICE words 1, 3 and 6 and the CMOS give it: 16 heads, 63 sectors a track,
 * at most 16383 cylinders (ATA/ATAPI-7 §6.2).
 */
void ata_geometry(uint64_t sectors, unsigned *cyls, unsigned *heads, unsigned *secs);
