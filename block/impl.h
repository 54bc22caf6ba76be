/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block/impl.h: what the back ends of block.h share. Only for block/ and its tests. */
#pragma once
#include <stddef.h>
#include "block/block.h"

/* A block with priv_size zeroed bytes at priv. NULL when out of memory. */
struct block *block_new(struct uv_loop_s *loop, const struct block_ops *ops, size_t priv_size,
                        const char *name);
/* What block_close() ends with: the struct, once the loop has let go of it. */
void block_free(struct block *b);

/* The back end is done with req: from the loop or from ops->wait(), not from ops->submit(). */
void block_finish(struct block_req *req, int err);
/* The same from anywhere: done() comes at the loop's next turn. */
void block_finish_later(struct block_req *req, int err);
/* Finishes at least one request of b, blocking; nothing when none is in flight. */
void block_wait(struct block *b);

/* Tells the listener; a back end calls it after it has set b->size. */
void block_changed(struct block *b, enum block_event event);

/* Whether a file name is an NBD URI. NULL is not. */
bool block_is_nbd(const char *file);

/* Puts a filter that refuses writes above b (owned by it). NULL when out of memory. */
struct block *block_open_readonly(struct block *below);

/* The "open" of raw files. threads: not io_uring. */
struct block *block_open_file(struct uv_loop_s *loop, const struct block_options *o, bool threads,
                              struct err *err);
/*
 * Takes note of the size that a file of block_open_file() has now: an image in it grows. From
 * then on a tail that is no sector is not there: requests in flight do not see it become one.
 */
void block_file_look(struct block *b);

/* Copies between a flat buffer and the bytes [off, off + len) of an iovec; stops at its end. */
void iov_read(const struct iovec *iov, int niov, size_t off, void *dst, size_t len);
void iov_write(const struct iovec *iov, int niov, size_t off, const void *src, size_t len);
void iov_zero(const struct iovec *iov, int niov, size_t off, size_t len);

/* The "open" of disks at NBD servers, and of null-co. */
struct block *block_open_nbd(struct uv_loop_s *loop, const struct block_options *o,
                             struct err *err);
struct block *block_open_null(struct uv_loop_s *loop, const struct block_options *o,
                              struct err *err);
