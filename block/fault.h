/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/fault.h: what a disk does wrong, on purpose, as text:
 *
 *     key=value,key=value,...
 *
 *     rate=F      a share F (0 to 1) of the requests fails
 *     errno=E     with this error: a number or EIO, ENOSPC, EPERM, EROFS, ...; EIO
 *     ops=A+B     of these kinds: read, write, flush, discard, zero; all
 *     delay=A-B   each request takes A to B ms longer (or exactly A)
 *     torn=F      a share F of the writes is cut off at a sector, and fails
 *     seed=N      of the dice: the same requests get the same faults; 1
 *     config=PATH rules in the format of QEMU's blkdebug, read once
 *     rule=R      one such rule: inject-error:key=value:key=value, or set-state:...
 *
 * A blkdebug file has sections [inject-error] (event, iotype, state, errno,
 * sector, once, immediately) and [set-state] (event, state, new_state). Kinds
 * of requests (iotype, joined by +): read, write, write-zeroes, discard, flush;
 * all but where there is none. Events: none
 * (any request), read_aio, write_aio, flush_to_os, flush_to_disk; those of
 * image formats are taken and never happen, since faults lie on top of the
 * format. The state is 1 at first; a rule without state holds in all.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "block/block.h"

#define FAULT_RULES 64

struct fault_rule {
    bool set_state; /* else inject-error */
    uint8_t ops;    /* bits 1 << enum block_op */
    uint8_t events; /* bits of enum fault_event */
    unsigned state, new_state;
    int err;
    int64_t sector; /* -1: any */
    bool once, spent;
};

enum fault_event { FAULT_READ = 1, FAULT_WRITE = 2, FAULT_FLUSH_OS = 4, FAULT_FLUSH_DISK = 8 };
#define FAULT_ANY 0x1f

struct fault_plan {
    double rate, torn;
    int err;
    unsigned ops; /* bits 1 << enum block_op */
    unsigned delay_min, delay_max;
    uint64_t dice; /* never 0 */
    unsigned state, nrules;
    struct fault_rule rules[FAULT_RULES];
};

/* Fills in *p from the text. 0, or a negative errno and a line in err. */
int fault_parse(struct fault_plan *p, const char *spec, struct err *err);
