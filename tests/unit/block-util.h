/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of block/ share: requests that count how often they complete, and images. */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include "block/impl.h"
#include "tests/unit/qt.h"

struct io {
    struct block_req req;
    struct iovec iov[4];
    int err;
    unsigned times;
    uint64_t order; /* of completion, from 1 */
};

static uint64_t io_order;

static inline void io_done(struct block_req *req, int err)
{
    struct io *io = req->arg;

    io->err = err;
    io->times++;
    io->order = ++io_order;
}

static inline void io_start(struct block *b, struct io *io, enum block_op op, uint64_t off,
                            void *data, size_t len)
{
    memset(io, 0, sizeof(*io));
    io->iov[0] = (struct iovec){ data, len };
    io->req = (struct block_req){ .op = op,
                                  .offset = off,
                                  .len = len,
                                  .iov = io->iov,
                                  .niov = 1,
                                  .may_unmap = true,
                                  .done = io_done,
                                  .arg = io };
    block_submit(b, &io->req);
    CHECK(io->times == 0); /* never from inside block_submit() */
    CHECK(io->req.busy);
}

/* Turns the loop until io is done, for up to 30 s. */
static inline int io_wait(struct qt *t, struct io *io)
{
    uint64_t until = uv_hrtime() + 30000000000ull;

    while (!io->times && uv_hrtime() < until) {
        uv_run(t->plat.loop, UV_RUN_NOWAIT);
        if (!io->times)
            usleep(500);
    }
    CHECK_EQ(io->times, 1);
    CHECK(!io->req.busy);
    return io->err;
}

static inline int io_run(struct qt *t, struct block *b, enum block_op op, uint64_t off, void *data,
                         size_t len)
{
    struct io io;

    io_start(b, &io, op, off, data, len);
    return io_wait(t, &io);
}

static inline void fill(uint8_t *p, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (i * 31 + seed) ^ i >> 8;
}

static inline int sparse_image(uint64_t size)
{
    char name[] = "/tmp/portico-block-XXXXXX";
    int fd = mkstemp(name);

    CHECK(fd >= 0 && ftruncate(fd, size) == 0);
    unlink(name);
    return fd;
}

static inline struct block *must_open(struct qt *t, const struct block_options *o)
{
    struct err err = { "" };
    struct block *b = block_open(t->plat.loop, o, &err);

    if (!b)
        fprintf(stderr, "said: %s\n", err.msg);
    CHECK(b != NULL);
    return b;
}
