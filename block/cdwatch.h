/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/cdwatch.h: looks at a CD-ROM drive of the host every so often, in a
 * thread, because asking a drive may take as long as it takes to spin up.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define CDWATCH_MS 2000

struct uv_loop_s;
struct cdwatch;

struct cd_look {
    uint64_t size; /* bytes of the medium; 0: there is none */
    bool changed;  /* it is another one than at the last look, perhaps of the same size */
};

/*
 * probe(arg) is called in the thread every interval_ms; when what it says is
 * new, told(arg, size) is called from the loop. size is what is known already.
 * Does not keep the loop alive. NULL: out of memory or threads.
 */
struct cdwatch *cdwatch_new(struct uv_loop_s *loop, unsigned interval_ms, uint64_t size,
                            struct cd_look (*probe)(void *arg),
                            void (*told)(void *arg, uint64_t size), void *arg);
/* Waits for a look that is being taken; told() is not called again. NULL is fine. */
void cdwatch_free(struct cdwatch *w);
