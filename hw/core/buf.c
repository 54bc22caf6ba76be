/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A byte buffer for the save stream. */
#include "hw/core/buf.h"
#include <stdlib.h>
#include <string.h>

void buf_free(struct buf *b)
{
    free(b->data);
    memset(b, 0, sizeof(*b));
}

void buf_put(struct buf *b, const void *src, size_t len)
{
    if (b->bad || len > SIZE_MAX / 4 - b->len) {
        b->bad = true;
        return;
    }
    if (b->len + len > b->cap) {
        size_t cap = (b->len + len) * 2 + 256;
        uint8_t *data = realloc(b->data, cap);

        if (!data) {
            b->bad = true;
            return;
        }
        b->data = data;
        b->cap = cap;
    }
    if (len)
        memcpy(b->data + b->len, src, len);
    b->len += len;
}

void buf_put_uint(struct buf *b, uint64_t val, unsigned bytes)
{
    uint8_t le[8];

    for (unsigned i = 0; i < sizeof(le); i++)
        le[i] = val >> (8 * i);
    buf_put(b, le, bytes < sizeof(le) ? bytes : sizeof(le));
}

void buf_put_str(struct buf *b, const char *s)
{
    size_t len = strnlen(s, 255);

    buf_put_uint(b, len, 1);
    buf_put(b, s, len);
}

bool buf_get(struct buf *b, void *dst, size_t len)
{
    if (b->bad || len > b->len - b->pos) {
        b->bad = true;
        memset(dst, 0, len);
        return false;
    }
    if (len)
        memcpy(dst, b->data + b->pos, len);
    b->pos += len;
    return true;
}

uint64_t buf_get_uint(struct buf *b, unsigned bytes)
{
    uint8_t le[8] = { 0 };
    uint64_t val = 0;

    if (bytes > sizeof(le) || !buf_get(b, le, bytes)) {
        b->bad = true;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        val |= (uint64_t)le[i] << (8 * i);
    return val;
}

bool buf_get_str(struct buf *b, char *dst, size_t size)
{
    size_t len = buf_get_uint(b, 1);

    if (b->bad || len >= size || len > b->len - b->pos) {
        b->bad = true;
        dst[0] = 0;
        return false;
    }
    buf_get(b, dst, len);
    dst[len] = 0;
    return true;
}
