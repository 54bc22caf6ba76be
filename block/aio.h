/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/aio.h: the engine that carries file requests to the kernel: one
 * io_uring for all files of a loop, or libuv's thread pool where the kernel
 * refuses one. It moves one step of a request at a time; file.c says what the
 * step is and what its result means.
 */
#pragma once
#include "block/block.h"

struct aio;

struct aio_step { /* what to ask the kernel for */
    enum block_op op;
    int fd, niov;
    const struct iovec *iov;
    uint64_t offset, len;
    int (*call)(struct block_req *req); /* instead, in a thread: 0 or -errno; not in the ring */
    struct block_req *req;              /* for call */
};

struct aio_ops {
    /* The next step of req; false: there is none, it is complete. */
    bool (*next)(struct block_req *req, struct aio_step *step);
    /* The step gave res (bytes, or -errno). True: req is complete, *err its outcome. */
    bool (*result)(struct block_req *req, int64_t res, int *err);
    /* In the loop or in aio_wait(): req is complete. Ends in block_finish(). */
    void (*done)(struct block_req *req, int err);
    /* From aio_cancel(): req had not begun. Ends in block_finish_later(). */
    void (*cancelled)(struct block_req *req);
};

/* The loop's engine, made at the first call. threads: the pool even where io_uring works. */
struct aio *aio_get(struct uv_loop_s *loop, const struct aio_ops *ops, bool threads);
void aio_put(struct aio *a);
void aio_submit(struct aio *a, struct block_req *req);
void aio_cancel(struct aio *a, struct block_req *req);
/* Blocks until at least one step has come back, and acts on it. Something must be in flight. */
void aio_wait(struct aio *a);
