/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/storage/record.h: a store in memory that remembers what was done to it
 * in which order, and can say what a disk would hold after the power went at
 * any moment. Of what was not yet flushed then, each sector is there or not.
 */
#pragma once
#include "block/store.h"

struct record;

/* A store with the bytes of a file. The record outlives the store. NULL: cannot. */
struct store *record_new(const char *path, struct record **r);
void record_free(struct record *r);
size_t record_steps(const struct record *r); /* done so far: writes, flushes, changes of size */
/*
 * What is left when the power goes after so many steps, in a file. With `all`
 * every write has reached the disk, as after a SIGKILL. False: cannot.
 */
bool record_crash(const struct record *r, size_t steps, bool all, uint64_t *seed, const char *path);
