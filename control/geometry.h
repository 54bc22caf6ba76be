/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/geometry.h: the cylinders, heads and sectors that a disk and the CMOS tell of. */
#pragma once
#include "control/vm.h"

struct geometry {
    unsigned cyls, heads, secs;
    const char *trans; /* "none", "lba", "large", "rechs": how firmware is to bend them */
    bool told;         /* the drive must be told: they are not what it makes of its size */
};

/*
 * As -device ide-hd asked (cyls, heads, secs, bios-chs-trans); else as the
 * partition table at the medium's start has it; else by size.
 */
void geometry_of(const struct vm_drive *d, struct geometry *g);
/* Of a medium of `sectors` whose first sector is mbr (NULL: it cannot be read). */
void geometry_guess(uint64_t sectors, const uint8_t *mbr, struct geometry *g);
