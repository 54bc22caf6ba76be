/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/filter.h: blocks that stand on another one. A filter either passes a
 * request on as it is (the request stays its own; the block below does not
 * count it), or submits one of its own below. Each block_open_X() here takes
 * over `below` when it succeeds, and gives NULL, with a line in err if there
 * is one, and below untouched, when it does not.
 */
#pragma once
#include "block/impl.h"

/* A filter like the block below it, with priv_size zeroed bytes. NULL: out of memory. */
struct block *filter_new(const struct block_ops *ops, size_t priv_size, struct block *below);
void filter_pass(struct block *b, struct block_req *req);
/* For block_ops: what a filter does that has no opinion. */
void filter_submit(struct block *b, struct block_req *req);
void filter_cancel(struct block *b, struct block_req *req);
void filter_wait(struct block *b);
int filter_resize(struct block *b, uint64_t size, struct err *err);
void filter_close(struct block *b);

struct block *block_open_zeroes(struct block *below);   /* detect-zeroes */
struct block *block_open_throttle(struct block *below); /* no limits at first */
struct block *block_open_trace(struct block *below, const char *file, struct err *err);
struct block *block_open_snapshot(struct block *below, struct err *err);
struct block *block_open_fault(struct block *below, const char *spec, struct err *err);

bool block_is_throttle(const struct block *b);
/* Of a throttle. NULL: a new group of its own, without limits. 0 or -ENOMEM. */
int throttle_join(struct block *b, struct block_group *g);
struct block_group *throttle_group(const struct block *b);
