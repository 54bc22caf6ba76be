/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/storage/disks.h: one disk of each kind that portico-dm can open. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "block/block.h"

struct uv_loop_s;

struct disk_kind {
    const char *name;
    const char *format; /* for block_open() */
    const char *qemu;   /* for qemu-img compare; NULL: it cannot read it */
    bool (*make)(const char *name, uint64_t size); /* an empty disk in scratch() */
    bool nbd;                                      /* served by nbdkit */
    bool direct;                                   /* O_DIRECT, where scratch() has it */
    bool snapshot;                                 /* what is written is thrown away */
    bool qemu_check;
};

extern const struct disk_kind disk_kinds[]; /* ends with a NULL name */

/* A new disk in the file scratch_path(name). */
bool disk_make(const struct disk_kind *k, const char *name, uint64_t size);
/* Opens it; the server, if one is needed, runs until disk_stop(). NULL: it said why. */
struct block *disk_open(const struct disk_kind *k, const char *name, struct uv_loop_s *loop);
void disk_stop(void);
/* Closes, and turns the loop until all handles are gone. */
void disk_close(struct block *b, struct uv_loop_s *loop);
