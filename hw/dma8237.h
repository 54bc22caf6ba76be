/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/dma8237.h: how a device moves bytes by ISA DMA. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/core/device.h"

enum dma_dir { DMA_TO_MEMORY, DMA_FROM_MEMORY };

/*
 * What a device gets when it raises DREQ of a channel: the 8237A moves bytes
 * between buf and guest memory until `len` are moved or the count runs out,
 * then sets *tc. Channels 0-3 move bytes; 5-7 words, so that an odd last byte
 * of len stays. dev is any device of the machine: the controller is looked up
 * on its platform.
 *
 * Returns the bytes moved, 0 to len. 0 while the channel is masked, the
 * controller is disabled or absent, the mode is cascade, or its direction is
 * not `dir`. In verify mode addresses and count run, nothing is moved, and
 * with DMA_FROM_MEMORY buf is filled with zeroes. Where there is no memory,
 * ones are read and writes vanish, as on the bus: it is no error.
 *
 * At the terminal count the status bit is set, and the channel starts again
 * (autoinitialize) or masks itself. Addresses run within 64 KiB (128 KiB of
 * words): they wrap, the page stays. Intel 231466, "Transfer Types",
 * "Autoinitialize"; for words Intel 290562 (82371SB), "DMA Controller".
 */
size_t dma8237_transfer(struct device *dev, unsigned channel, void *buf, size_t len,
                        enum dma_dir dir, bool *tc);
/* Would dma8237_transfer() move something? */
bool dma8237_ready(struct device *dev, unsigned channel, enum dma_dir dir);
/*
 * Before the guest reads an address, a count or the status, look(dev) is called, so that a device
 * which moves its data now and then can bring them up to date. NULL ends that. Again the same, as
 * from a sync: nothing. Of more than four devices the last are not called.
 */
void dma8237_watch(struct device *dev, void (*look)(struct device *dev));
