/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every device of the PC under a guest whose accesses, memory, frames, keys,
 * clock, resets and save files are drawn from the input (mad-guest.h). After
 * each act every device has to be in a state that its table allows.
 */
#include <stdlib.h>
#include <string.h>
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mad-guest.h"

#define STEPS 400 /* what an input may cost */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mad f; /* large */

    if (size < 2)
        return 0;
    memset(&f, 0, sizeof(f));
    f.bytes = data;
    f.end = data + size;
    f.cirrus = *data & 2;
    mad_start(&f);
    if (*f.bytes++ & 1)
        mad_place_windows(&f);
    for (unsigned i = 0; i < STEPS && f.bytes < f.end && !f.failed; i++)
        mad_step(&f);
    mad_finish(&f);
    qt_end();
    if (f.failed)
        abort();
    return 0;
}
