/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/qcow2-util.h: images on disk for the qcow2 tests, made and judged
 * by qemu-img. Everything lies in a folder of its own in memory, which is
 * removed at the end of the program.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "block/image.h"

struct qt;

/* The path of a file in the folder; of the last eight calls. */
const char *in_dir(const char *name);
/* Runs a shell command there; its exit status. What it says is shown when it fails. */
int sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, and the status is of no interest to anybody but the caller. */
int sh_quiet(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* qemu-img check: 0 clean, 3 leaks, other: worse. */
int qemu_check(const char *name);

/* Opens an image without a loop. NULL: why has the line. */
struct image *img_open(const char *name, bool readonly, struct err *why);
int img_read(struct image *im, uint64_t off, void *data, size_t len);
int img_write(struct image *im, uint64_t off, const void *data, size_t len);

/* Fills with bytes that depend on seed; never zero. */
void pattern(uint8_t *p, size_t len, uint64_t seed);
/* A raw file of that size with some data here and there. */
void make_raw(const char *name, uint64_t size, uint64_t seed);
/* Does the image read like the raw file, zeroes beyond its end? */
bool same_as_raw(struct image *im, const char *raw);
/* Random writes, zeroes and discards to image and raw file alike. */
struct scribble {
    unsigned ops;
    uint64_t seed;
    uint64_t max;    /* bytes of one write */
    bool no_discard; /* what a discard leaves is not promised, but for images with nothing behind */
};
void scribble(struct image *im, const char *raw, const struct scribble *how);

/* There is no device here, so a test's second run would be the first again. */
#define ONCE                                                                                       \
    do {                                                                                           \
        static bool ran_;                                                                          \
        if (ran_)                                                                                  \
            return;                                                                                \
        ran_ = true;                                                                               \
    } while (0)
