/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MD5 (RFC 1321): to compare with what md5sum says in dom0. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "guest.h"

static uint32_t rol(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static void md5_block(struct md5 *m, const uint8_t *p)
{
    static const uint8_t shift[16] = { 7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21 };
    static uint32_t k[64];
    uint32_t w[16], a = m->s[0], b = m->s[1], c = m->s[2], d = m->s[3], f, t;

    for (int i = 0; !k[63] && i < 64; i++)
        k[i] = (uint32_t)(fabs(sin(i + 1)) * 4294967296.0);
    memcpy(w, p, 64);
    for (int i = 0; i < 64; i++) {
        int g;

        switch (i / 16) {
        case 0:
            f = (b & c) | (~b & d);
            g = i;
            break;
        case 1:
            f = (d & b) | (~d & c);
            g = (5 * i + 1) % 16;
            break;
        case 2:
            f = b ^ c ^ d;
            g = (3 * i + 5) % 16;
            break;
        default:
            f = c ^ (b | ~d);
            g = (7 * i) % 16;
            break;
        }
        t = d, d = c, c = b;
        b += rol(a + f + k[i] + w[g], shift[i / 16 * 4 + i % 4]);
        a = t;
    }
    m->s[0] += a, m->s[1] += b, m->s[2] += c, m->s[3] += d;
}

void md5_init(struct md5 *m)
{
    *m = (struct md5){ .s = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } };
}

void md5_add(struct md5 *m, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len) {
        size_t at = m->len % 64, n = len < 64 - at ? len : 64 - at;

        memcpy(m->buf + at, p, n);
        m->len += n, p += n, len -= n;
        if (m->len % 64 == 0)
            md5_block(m, m->buf);
    }
}

void md5_hex(struct md5 *m, char out[33])
{
    uint64_t bits = m->len * 8;

    md5_add(m, "\x80", 1);
    while (m->len % 64 != 56)
        md5_add(m, "", 1);
    md5_add(m, &bits, 8);
    for (int i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", (uint8_t)(m->s[i / 4] >> (i % 4 * 8)));
}
