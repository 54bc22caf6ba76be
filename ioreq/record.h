/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/record.h: a tape of what went into a machine and what came out of it:
 * made by `-trace ioreq=FILE` in any world, played by `-replay FILE` without a
 * guest. docs/record-replay.md says how to use it.
 *
 * The file. A header of 32 bytes, then records; all numbers little endian.
 *
 *   header  "PORTICO-IOREQ\n" and two NULs, version (32 bits), flags (32 bits,
 *           0), name of the world (8 bytes, NUL padded)
 *   record  kind (a byte), its numbers, then, for some kinds, a number that is
 *           the count of bytes that follow
 *   number  7 bits a byte, the lowest first, bit 7 set in all but the last;
 *           signed ones are folded: 0, -1, 1, -2, ... are 0, 1, 2, 3, ...
 *
 * ioreq/record-kinds.c has the table of kinds. Those of the first half come
 * from outside (a request, a timer, the end of a disk request, a frame, a
 * key) and begin with the guest's time as the difference in ns to the last
 * time told. Those of the second half are what the machine said in return,
 * in the order in which it did, up to the next from outside. Before the first
 * from outside stands what it said while it was built. The last is "end".
 *
 * The bytes that a device reads from guest memory are in the tape. Those that
 * it writes, to guest memory or to a cable, are to be compared only: of more
 * than TAPE_WHOLE there is a hash (FNV-1a, 64 bits).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/core/err.h"

#define TAPE_MAGIC   "PORTICO-IOREQ\n\0" /* and the string's own NUL */
#define TAPE_VERSION 1
#define TAPE_WHOLE   256

struct tape_header {
    char magic[16];
    uint32_t version, flags;
    char world[8];
};
_Static_assert(sizeof(struct tape_header) == 32, "the layout of a file");

struct block;
struct display;
struct net;
struct platform;
struct sink;
struct tape;

/* What a tape does to the machine as a whole; all of the caller's. */
struct tape_hooks {
    void (*reset)(void *arg);
    void (*retry)(void *arg); /* disk requests that failed and were held */
    void *arg;
};

/*
 * Records from now on into `file`, which is made or emptied. p has nothing
 * built on it yet; `world` is its name. NULL and a line in err. A file that
 * cannot be written fast enough ends the recording with a line in the log.
 */
struct tape *record_new(struct platform *p, const char *file, const char *world, struct err *err);
/* Of world_replay's platform. */
struct tape *replay_tape(struct platform *p);
/* Ends a recording, waiting for the file; p's ops are the world's again. NULL, and replay's: fine.
 */
void tape_close(struct tape *t);
/* 0, or -errno and a line in err: is `file` a tape? world: of the machine that was recorded. */
int replay_world(const char *file, char world[8], struct err *err);

/*
 * What the machine is connected to. All calls do nothing where t is NULL.
 * tape_disk: the block to use in b's place (owned, and owning b); NULL: out of
 * memory, b is as it was. The others: when the machine is built.
 */
struct block *tape_disk(struct tape *t, unsigned drive, struct block *b);
void tape_net(struct tape *t, unsigned n, struct net *net);
void tape_sink(struct tape *t, unsigned n, struct sink *s);
void tape_display(struct tape *t, struct display *d);
/* The cable of a machine that is played: frames come from the tape. NULL: out of memory. */
struct net *tape_net_open(struct tape *t, unsigned n);
void tape_built(struct tape *t, const struct tape_hooks *hooks);

/* Around what the user's verbs do to the machine, from outside any handler. */
void tape_reset(struct tape *t);
void tape_retry(struct tape *t);
void tape_done(struct tape *t);
/* Something changes the machine that no tape can hold: the recording ends, with a line that says
 * why. */
void tape_stop(struct tape *t, const char *why);
