/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/fuzz/mad-guest.h: the whole machine with a guest gone mad in it: any
 * access to any window, config cycles that move windows about, rings and PRD
 * tables of junk, keys, frames, resets, restores from good and from spoilt
 * images. What it does is drawn from a seed, or from bytes (libFuzzer's).
 */
#pragma once
#include "block/block.h"
#include "display/display.h"
#include "hw/core/sink.h"
#include "hw/machine.h"
#include "net/net.h"
#include "sound/sound.h"
#include "tests/unit/qt.h"

#define MAD_DISKS 3
#define MAD_CD    2 /* unit; the disks are 0 and 1 */
#define MAD_SINKS 4
#define MAD_NETS  4

/* What the network cards may do in one call: counted, as clocks say little on a busy machine. */
struct mad_cost {
    uint64_t dma, bytes, frames; /* accesses of guest memory, their bytes; frames sent */
};

enum mad_timed { T_PORT, T_MEM, T_CONFIG, T_TIMERS, T_DRAW, T_FRAMES, T_RESET, T_KINDS };

struct mad {
    struct qt *t;
    struct machine m;
    struct machine_spec spec;
    struct block *blk[MAD_DISKS], *floppy, *flash, *sata[2];
    struct net *net[MAD_NETS];
    struct sound *sound;
    struct display *display;
    struct sink sink[MAD_SINKS];
    uint64_t seed;              /* the numbers come from here … */
    const uint8_t *bytes, *end; /* … or from here, and are 0 past the end */
    bool cirrus;                /* the card is a Cirrus: set before mad_start() */
    bool nics;                  /* it is after the network cards only: see mad-net.c */
    bool failed;                /* a device was in a state that its table does not allow */
    struct {
        int64_t ns;
        uint64_t addr, data;
        unsigned width;
        bool write;
    } worst[T_KINDS]; /* the longest call of each kind, in CPU time */
    struct mad_cost most[T_KINDS];
    unsigned sends;      /* of all cables, when the call began */
    bool full[MAD_NETS]; /* a frame waits in that cable */
};

/* Builds the machine in *f, all zeroes but for cirrus, nics and seed, or bytes and end.
 * mad_finish() takes it apart.
 */
void mad_start(struct mad *f);
void mad_finish(struct mad *f);
/* What firmware does: every window somewhere sensible, decoding and mastering on. */
void mad_place_windows(struct mad *f);
/* One act of the guest or of the world around it, then a look at every device's state. */
void mad_step(struct mad *f);
