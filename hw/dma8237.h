/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/dma8237.h: how a device moves bytes by ISA DMA. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/core/device.h"

enum dma_dir { DMA_TO_MEMORY, DMA_FROM_MEMORY };

/*
 * What a device gets when it raises DREQ of an 8-bit channel (0-3): the 8237A
 * moves bytes between buf and guest memory until `len` are moved or the count
 * runs out, then sets *tc. dev is any device of the machine: the controller is
 * looked up on its platform.
 *
 * Returns the bytes moved, 0 to len. 0 while the channel is masked, the
 * controller is disabled or absent, the mode is cascade, or its direction is
 * not `dir`. In verify mode addresses and count run, nothing is moved, and
 * with DMA_FROM_MEMORY buf is filled with zeroes. Where there is no memory,
 * ones are read and writes vanish, as on the bus: it is no error.
 *
 * At the terminal count the status bit is set, and the channel starts again
 * (autoinitialize) or masks itself. Addresses run within 64 KiB: they wrap,
 * the page stays. Intel 231466, "Transfer Types", "Autoinitialize".
 */
size_t dma8237_transfer(struct device *dev, unsigned channel, void *buf, size_t len,
                        enum dma_dir dir, bool *tc);
/* Would dma8237_transfer() move something? */
bool dma8237_ready(struct device *dev, unsigned channel, enum dma_dir dir);
