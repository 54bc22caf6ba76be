/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/block.h: bytes by request. done() always comes from the loop, never
 * from inside block_submit(), and exactly once, cancelled or not.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include "hw/core/err.h"

struct uv_loop_s;
struct block;

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD };

struct block_req { /* embedded in the drive: one in flight, one struct */
    enum block_op       op;
    uint64_t            offset, len; /* bytes; checked against the size in block_submit() */
    const struct iovec *iov;         /* stays valid until done(); sums to len for READ and WRITE */
    int                 niov;
    void (*done)(struct block_req *req, int err); /* 0 or a positive errno */
    void *arg;                                    /* the submitter's */
    bool  busy;                                   /* between block_submit() and done() */
    /* The back end's, while busy. */
    struct block     *block;
    struct block_req *next;
    int               status;
    void             *back[4];
};

struct block_ops { /* file (raw), mem; filters: readonly; later qcow2, vhd, nbd, fault, trace */
    const char *name;
    void (*close)(struct block *b);
    void (*submit)(struct block *b, struct block_req *req); /* bounds are already checked */
    void (*cancel)(struct block *b, struct block_req *req); /* done() still comes */
    void (*wait)(struct block *b); /* blocks until the back end has finished something */
};

struct block {
    const struct block_ops *ops;
    struct block           *below; /* of a filter */
    struct uv_loop_s       *loop;
    uint64_t                size; /* bytes */
    bool                    readonly;
    char                   *name; /* the file, for messages and query-block */
    const char             *format;
    unsigned                inflight;
    uint64_t                rd_ops, rd_bytes, wr_ops, wr_bytes, flush_ops; /* query-blockstats */
    struct uv_async_s      *later; /* wakes the loop for the requests in `ready` */
    struct block_req       *ready, *ready_last;
    void                   *priv;
};

/*
 * Buffered I/O; FLUSH is fdatasync(), DISCARD punches a hole (EOPNOTSUPP where
 * the host cannot). A file whose size is not a multiple of 512 is rounded up:
 * its tail reads as zeroes and writes to it go nowhere. A file that shrinks
 * while it is open gives EIO for what is gone. No locks are taken.
 */

/*
 * Opens `file` as `format` ("raw"; "host_device" is raw) for the loop. The
 * result is the caller's until block_close(). NULL and a line in err naming
 * the file on failure; other formats are refused with what to use instead.
 * fd >= 0: an already open descriptor to use instead of opening file (owned
 * from here on, also on failure).
 */
struct block *block_open(struct uv_loop_s *loop, const char *file, const char *format,
                         bool readonly, int fd, struct err *err);
/* A disk in memory, for tests. Completion comes from the loop as for a file. */
struct block *block_open_mem(struct uv_loop_s *loop, uint64_t size);
/*
 * Waits for what is in flight (calling its done() from in here), then closes.
 * The loop must turn once more to let go of the handles. NULL is fine.
 */
void block_close(struct block *b);

void block_submit(struct block *b, struct block_req *req);
void block_cancel(struct block_req *req);
/*
 * At exit and on "stop": calls done() of all that is in flight, and of what
 * those submit, until there is nothing left; then fdatasync. 0 or an errno.
 */
int block_drain(struct block *b);
