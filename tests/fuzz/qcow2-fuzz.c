/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a qcow2 image: opened for reading and for writing, read,
 * written, zeroed, discarded, resized, flushed and closed. Nothing is expected
 * of it but that it comes to an end, in bounded memory.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "block/image.h"
#include "block/store.h"
#include "tests/fuzz/fuzz.h"

#define PLACES 24
#define PIECE  8192

static struct image *open_bytes(const uint8_t *data, size_t len, bool readonly)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct err err = { "" };
    struct store *st;

    if (fd < 0 || write(fd, data, len) != (ssize_t)len) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    st = store_open(&BLOCK_OPTIONS(.file = "/nowhere/fuzz", .fd = fd, .readonly = readonly,
                                   .locking = BLOCK_LOCK_OFF),
                    &err);
    /* "": the input must not open files of this machine */
    return st ? image_open(&image_qcow2, st, "/nowhere/fuzz", readonly, "", NULL, &err) : NULL;
}

/* Where the n-th access goes: the ends, and places that the input chooses. */
static uint64_t place(const struct image *im, const uint8_t *data, size_t len, unsigned n)
{
    uint64_t off = 0;

    if (n < 4)
        off = (uint64_t)n * PIECE * 3;
    else if (n < 8)
        off = im->size - (uint64_t)(n - 3) * PIECE;
    else
        memcpy(&off, data + (len / PLACES * n & ~7ULL) % (len - 7), 8);
    return im->size > PIECE ? off % (im->size - PIECE) & ~511ULL : 0;
}

static void use(struct image *im, const uint8_t *data, size_t len)
{
    static uint8_t piece[PIECE];
    struct iovec iov = { piece, PIECE };
    struct image_buf buf = { &iov, 1, 0 };
    uint64_t n = im->size < PIECE ? im->size : PIECE, got, host;
    struct err err = { "" };

    for (unsigned i = 0; n && i < PLACES; i++) {
        uint64_t off = place(im, data, len, i);

        got = n;
        im->ops->map(im, off, &got, true, &host);
        im->ops->read(im, off, n, &buf);
        if (im->readonly)
            continue;
        im->ops->write(im, off, n, &buf);
        if (i % 5 == 3)
            im->ops->zero(im, off, n, i % 2);
        if (i % 5 == 4)
            im->ops->discard(im, off & ~0xffffULL,
                             im->size - (off & ~0xffffULL) < 1 << 20 ? im->size - (off & ~0xffffULL)
                                                                     : 1 << 20);
        if (i % 8 == 7)
            im->ops->flush(im);
    }
    if (!im->readonly && im->size < 1ULL << 40)
        im->ops->resize(im, im->size + (1 << 20), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 16)
        return 0;
    for (int readonly = 0; readonly < 2; readonly++) {
        struct image *im = open_bytes(data, len, readonly);

        if (!im)
            continue;
        use(im, data, len);
        image_close(im);
    }
    return 0;
}
