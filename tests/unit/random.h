/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/random.h: numbers for tests that try nonsense, the same ones
 * everywhere and every time. xorshift64* (S. Vigna, "An experimental
 * exploration of Marsaglia's xorshift generators, scrambled"). A seed is not 0.
 */
#pragma once
#include <stdint.h>

static inline uint64_t rnd64(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * 0x2545f4914f6cdd1dULL;
}

static inline uint32_t rnd(uint64_t *seed)
{
    return rnd64(seed) >> 32;
}

/* Less than n. */
static inline unsigned rnd_below(uint64_t *seed, unsigned n)
{
    return rnd(seed) % n;
}
