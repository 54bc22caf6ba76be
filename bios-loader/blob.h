/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bios-loader/blob.h: bytes that grow at the end. Numbers are little endian. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob {
    uint8_t *data; /* free() it */
    size_t len, cap;
    bool failed; /* out of memory: nothing was added any more */
};

/* Each returns where what it added begins. */
size_t blob_bytes(struct blob *b, const void *data, size_t len); /* data NULL: zeros */
size_t blob_uint(struct blob *b, uint64_t val, unsigned bytes);
size_t blob_align(struct blob *b, size_t to); /* a power of two */
void blob_set(struct blob *b, size_t at, uint64_t val, unsigned bytes);
/* What makes the sum of those bytes 0. */
uint8_t blob_checksum(const struct blob *b, size_t at, size_t len);
