/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-frame.h: finds where a JSON message begins and ends in a stream
 * of bytes, without any separator (xentop sends none) and without parsing.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum qmp_frame_is {
    FRAME_SKIP, /* the byte is between messages */
    FRAME_KEEP, /* it is part of one */
    FRAME_END,  /* it is the last of one */
    FRAME_BAD,  /* no JSON: forget what was kept; a new message may begin with the next line or { */
    FRAME_DEEP, /* more than QMP_DEPTH_MAX levels: give up */
};

struct qmp_frame {  /* zeroed: between messages */
    uint64_t kinds; /* bit n: level n is an array; up to QMP_DEPTH_MAX levels */
    unsigned depth;
    bool string, escape; /* in "…" or '…'; behind a backslash */
    uint8_t quote;       /* that ends the string */
    bool garbage;        /* already reported; skipping to the next line or { */
};

enum qmp_frame_is qmp_frame_byte(struct qmp_frame *f, uint8_t byte);
