/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/pflash-int.h: a flash chip's bytes, as hw/pflash.c changes them. They are
 * in memory; what changes goes to the image sector by sector, one request at a
 * time and in the guest's order, so that an image after a power cut is one that
 * a chip could have been left with.
 */
#pragma once
#include "block/block.h"
#include "hw/pflash.h"

#define STORE_SECTOR 512u
#define STORE_RING   256u
#define STORE_WORDS  (PFLASH_MAX / STORE_SECTOR / 64)

struct flash_store {
    struct block *blk;
    uint8_t *mem; /* size bytes, on a page's boundary */
    uint64_t size;
    struct block_req req; /* of the ring's first sector, while it is busy */
    struct iovec iov;
    unsigned first, n; /* in the ring */
    uint32_t sector[STORE_RING];
    uint8_t data[STORE_RING][STORE_SECTOR];
    /*
     * When the ring is full, sectors are noted here and their order is lost; the ring goes first.
     * So it is until there are none left.
     */
    uint64_t late[STORE_WORDS];
    unsigned nlate;
    void (*failed)(void *arg, int err); /* the image was not written; err is an errno */
    void *arg;
};

/* Reads the image, and waits for it. 0, or -errno and a line that begins with `whose`. */
int flash_open(struct flash_store *s, struct block *blk, const char *whose, struct err *err);
/* Waits for what is not written yet. The block stays its owner's. A zeroed one is fine. */
void flash_close(struct flash_store *s);
/* The bytes [off, off + len) of s->mem are others now: they are to go to the image. */
void flash_changed(struct flash_store *s, uint64_t off, uint64_t len);
