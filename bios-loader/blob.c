/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bios-loader/blob.h"
#include <stdlib.h>
#include <string.h>

static bool room(struct blob *b, size_t len)
{
    size_t cap = b->cap ? b->cap : 1024;
    uint8_t *data;

    while (cap < b->len + len)
        cap *= 2;
    if (b->failed || cap == b->cap)
        return !b->failed;
    data = realloc(b->data, cap);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

size_t blob_bytes(struct blob *b, const void *data, size_t len)
{
    size_t at = b->len;

    if (!len || !room(b, len))
        return at;
    if (data)
        memcpy(b->data + at, data, len);
    else
        memset(b->data + at, 0, len);
    b->len += len;
    return at;
}

size_t blob_uint(struct blob *b, uint64_t val, unsigned bytes)
{
    size_t at = blob_bytes(b, NULL, bytes);

    blob_set(b, at, val, bytes);
    return at;
}

size_t blob_align(struct blob *b, size_t to)
{
    blob_bytes(b, NULL, -b->len & (to - 1));
    return b->len;
}

void blob_set(struct blob *b, size_t at, uint64_t val, unsigned bytes)
{
    for (unsigned i = 0; i < bytes && at + i < b->len; i++)
        b->data[at + i] = (uint8_t)(val >> (8 * i));
}

uint8_t blob_checksum(const struct blob *b, size_t at, size_t len)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < len && at + i < b->len; i++)
        sum += b->data[at + i];
    return (uint8_t)-sum;
}
