/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line for each request as it completes, in a file of the user's choice:
 *
 *     MICROSECONDS OP OFFSET LENGTH ERRNO LATENCY
 *
 * both times in us, the first since the disk was opened. The lines are kept
 * in a buffer and written when it is full, at a FLUSH and at the end; a file
 * that takes no more (a full disk) is left alone and the disk goes on.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "block/filter.h"

struct trace {
    FILE *out;
    uint64_t began;
};

struct traced {
    struct block_req own;
    struct block_req *req;
    struct block *b;
    uint64_t at;
};

static void traced_done(struct block_req *own, int err)
{
    static const char *const names[BLOCK_OPS] = { "read", "write", "flush", "discard", "zero" };
    struct traced *x = own->arg;
    struct trace *t = x->b->priv;
    struct block_req *req = x->req;
    uint64_t now = uv_hrtime();

    if (t->out && (fprintf(t->out, "%" PRIu64 " %s %" PRIu64 " %" PRIu64 " %d %" PRIu64 "\n",
                           (now - t->began) / 1000, names[req->op], req->offset, req->len, err,
                           (now - x->at) / 1000) < 0 ||
                   (req->op == BLOCK_FLUSH && fflush(t->out)))) {
        fclose(t->out);
        t->out = NULL;
    }
    free(x);
    block_finish(req, err);
}

static void trace_submit(struct block *b, struct block_req *req)
{
    struct traced *x = malloc(sizeof(*x));

    if (!x) {
        block_finish_later(req, ENOMEM);
        return;
    }
    *x = (struct traced){ .req = req, .b = b, .at = uv_hrtime() };
    x->own = (struct block_req){ .op = req->op,
                                 .offset = req->offset,
                                 .len = req->len,
                                 .iov = req->iov,
                                 .niov = req->niov,
                                 .may_unmap = req->may_unmap,
                                 .done = traced_done,
                                 .arg = x };
    req->back[0] = x;
    block_submit(b->below, &x->own);
}

static void trace_cancel(struct block *b, struct block_req *req)
{
    struct traced *x = req->back[0];

    if (x)
        block_cancel(&x->own);
}

static void trace_close(struct block *b)
{
    struct trace *t = b->priv;

    if (t->out)
        fclose(t->out);
    filter_close(b);
}

static const struct block_ops trace_ops = {
    .name = "trace",
    .close = trace_close,
    .submit = trace_submit,
    .cancel = trace_cancel,
    .wait = filter_wait,
    .resize = filter_resize,
};

struct block *block_open_trace(struct block *below, const char *file, struct err *err)
{
    FILE *out = fopen(file, "we");
    struct block *b;

    if (!out) {
        err_set(err, -errno, "disk %s: trace=%s: %s", below->name, file, strerror(errno));
        return NULL;
    }
    b = filter_new(&trace_ops, sizeof(struct trace), below);
    if (!b) {
        fclose(out);
        err_set(err, -ENOMEM, "disk %s: out of memory", below->name);
        return NULL;
    }
    *(struct trace *)b->priv = (struct trace){ .out = out, .began = uv_hrtime() };
    return b;
}
