/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame check sequence (IEEE 802.3 §3.2.9). Every frame that a card puts
 * into a guest's memory has one behind it, so it is made by carry-less
 * multiplication where the host can: V. Gopal et al., "Fast CRC Computation for
 * Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009), which has the
 * constants for this polynomial, bits reflected. Else, and for the rest, zlib's.
 */
#include <zlib.h>
#include "hw/nic.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define FOLD 64 /* bytes of one step */

/* x^n mod P: what a lane is multiplied by to move it n bits on, for its low and its high half. */
#define FOLD_LANE(x, k, data)                                                                      \
    _mm_xor_si128(                                                                                 \
        _mm_xor_si128(_mm_clmulepi64_si128((x), (k), 0x00), _mm_clmulepi64_si128((x), (k), 0x11)), \
        (data))

__attribute__((target("pclmul,sse4.1"))) static __m128i load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* 128 bits to 32: by x^64 and x^32, then Barrett's reduction. */
__attribute__((target("pclmul,sse4.1"))) static uint32_t reduce(__m128i x)
{
    const __m128i k34 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
    const __m128i k5 = _mm_set_epi64x(0, 0x163cd6124);
    const __m128i poly = _mm_set_epi64x(0x1f7011641, 0x1db710641);
    const __m128i low32 = _mm_setr_epi32(-1, 0, -1, 0);
    __m128i t = _mm_clmulepi64_si128(x, k34, 0x10);

    x = _mm_xor_si128(_mm_srli_si128(x, 8), t);
    t = _mm_srli_si128(x, 4);
    x = _mm_xor_si128(_mm_clmulepi64_si128(_mm_and_si128(x, low32), k5, 0x00), t);
    t = _mm_clmulepi64_si128(_mm_and_si128(x, low32), poly, 0x10);
    t = _mm_clmulepi64_si128(_mm_and_si128(t, low32), poly, 0x00);
    return (uint32_t)_mm_extract_epi32(_mm_xor_si128(x, t), 1);
}

/* len: a multiple of 16, FOLD at least. The state of the CRC's register, not inverted. */
__attribute__((target("pclmul,sse4.1"))) static uint32_t fold(uint32_t crc, const uint8_t *p,
                                                              size_t len)
{
    const __m128i k12 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);
    const __m128i k34 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
    __m128i x[4], all;

    for (unsigned i = 0; i < 4; i++)
        x[i] = load(p + 16 * i);
    x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128((int)crc));
    for (p += FOLD, len -= FOLD; len >= FOLD; p += FOLD, len -= FOLD) {
        for (unsigned i = 0; i < 4; i++)
            x[i] = FOLD_LANE(x[i], k12, load(p + 16 * i));
    }
    all = x[0];
    for (unsigned i = 1; i < 4; i++)
        all = FOLD_LANE(all, k34, x[i]);
    for (; len >= 16; p += 16, len -= 16)
        all = FOLD_LANE(all, k34, load(p));
    return reduce(all);
}

uint32_t nic_fcs(const uint8_t *frame, size_t len)
{
    size_t folded = len & ~(size_t)15;
    uint32_t crc;

    if (len < FOLD || !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1"))
        return crc32(0, frame, len);
    crc = ~fold(~0u, frame, folded);
    return folded == len ? crc : crc32(crc, frame + folded, len - folded);
}
#else
uint32_t nic_fcs(const uint8_t *frame, size_t len)
{
    return crc32(0, frame, len);
}
#endif
