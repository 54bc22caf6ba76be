/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/pflash.h: what the rest of the program asks of a flash chip of hw/pflash.c. */
#pragma once
#include "hw/core/device.h"

#define PFLASH_MAX   (8u << 20) /* bytes of one chip, and of all together below 4 GiB */
#define PFLASH_BLOCK 4096u      /* what is erased at once; a chip is a multiple of it */

/* Waits until the image has what the guest has written, and flushes it. 0, or an errno. */
int pflash_drain(struct device *dev);
