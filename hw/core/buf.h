/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A byte buffer that grows when written and never runs over when read. Used
 * for the save stream: everything in it is little endian.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *data;
    size_t len, cap, pos; /* pos: the reader's place */
    bool bad;             /* out of memory, or read past the end */
};

void buf_free(struct buf *b);
void buf_put(struct buf *b, const void *src, size_t len);
void buf_put_uint(struct buf *b, uint64_t val, unsigned bytes);
void buf_put_str(struct buf *b, const char *s); /* length byte, then the characters */
bool buf_get(struct buf *b, void *dst, size_t len);
uint64_t buf_get_uint(struct buf *b, unsigned bytes); /* 0 and bad=true past the end */
bool buf_get_str(struct buf *b, char *dst, size_t size);
