/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/storage/util.h: files, tools and images for the tests of storage. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "block/image.h"

/* A folder of its own for this process, made at the first call, removed at its end. */
const char *scratch(void);
/* The path of `name` in it; good for the next 16 calls. */
const char *scratch_path(const char *name);
/* Creates (empties) a file of that name in it; an open descriptor. */
int scratch_file(const char *name);

/*
 * Runs a program, the arguments up to a NULL. Its exit status (127: there is no
 * such program), and what it printed on both outputs in out, if not NULL.
 */
int run(char *out, size_t size, const char *program, ...);
bool have_tool(const char *program);

/* Opens a store on a path, or says why not and gives NULL. */
struct store *path_store(const char *path, bool readonly);
/* Opens a path as an image of this format, without a worker. NULL: err says why not. */
struct image *path_image(const struct image_ops *ops, const char *path, bool readonly,
                         struct err *err);
/* The image's own functions on flat memory. 0 or an errno. */
int image_get(struct image *im, uint64_t off, void *data, size_t len);
int image_put(struct image *im, uint64_t off, const void *data, size_t len);

/* An environment variable as a number, or what it is by default. */
uint64_t env_number(const char *name, uint64_t otherwise);
