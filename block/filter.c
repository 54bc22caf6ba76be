/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What filters share, and the two smallest: read-only, and turning written zeroes into ZERO. */
#include "block/filter.h"
#include <errno.h>
#include <string.h>

static void below_changed(void *arg, enum block_event event)
{
    struct block *b = arg;

    b->size = b->below->size;
    block_changed(b, event);
}

struct block *filter_new(const struct block_ops *ops, size_t priv_size, struct block *below)
{
    struct block *b = block_new(below->loop, ops, priv_size, below->name);

    if (!b)
        return NULL;
    b->below = below;
    b->size = below->size;
    b->format = below->format;
    b->readonly = below->readonly;
    b->direct = below->direct;
    b->align = below->align;
    b->backing_depth = below->backing_depth;
    block_listen(below, below_changed, b);
    return b;
}

void filter_pass(struct block *b, struct block_req *req)
{
    b->below->ops->submit(b->below, req);
}

void filter_submit(struct block *b, struct block_req *req)
{
    filter_pass(b, req);
}

void filter_cancel(struct block *b, struct block_req *req)
{
    if (b->below->ops->cancel)
        b->below->ops->cancel(b->below, req);
}

void filter_wait(struct block *b)
{
    if (b->below->ready)
        block_wait(b->below);
    else if (b->below->ops->wait)
        b->below->ops->wait(b->below);
}

int filter_resize(struct block *b, uint64_t size, struct err *err)
{
    return block_resize(b->below, size, err);
}

void filter_close(struct block *b)
{
    block_close(b->below);
    block_free(b);
}

/* ---- read-only ---- */

/* The file below is open for reading only too; this holds also where the descriptor was given. */
static void readonly_submit(struct block *b, struct block_req *req)
{
    if (req->op == BLOCK_READ)
        filter_pass(b, req);
    else
        block_finish_later(req, req->op == BLOCK_FLUSH ? 0 : EROFS);
}

static const struct block_ops readonly_ops = {
    .name = "readonly",
    .close = filter_close,
    .submit = readonly_submit,
    .cancel = filter_cancel,
    .wait = filter_wait,
};

struct block *block_open_readonly(struct block *below)
{
    struct block *b = filter_new(&readonly_ops, 0, below);

    if (b)
        b->readonly = true;
    return b;
}

/* ---- zeroes ---- */

static bool all_zero(const struct block_req *req)
{
    for (int i = 0; i < req->niov; i++) {
        const char *p = req->iov[i].iov_base;
        size_t n = req->iov[i].iov_len;

        if (n && (*p || memcmp(p, p + 1, n - 1)))
            return false;
    }
    return true;
}

static void zeroes_submit(struct block *b, struct block_req *req)
{
    if (req->op == BLOCK_WRITE && all_zero(req)) {
        req->op = BLOCK_ZERO; /* counted as one, too */
        req->may_unmap = b->discard;
    }
    filter_pass(b, req);
}

static const struct block_ops zeroes_ops = {
    .name = "zeroes",
    .close = filter_close,
    .submit = zeroes_submit,
    .cancel = filter_cancel,
    .wait = filter_wait,
    .resize = filter_resize,
};

struct block *block_open_zeroes(struct block *below)
{
    return filter_new(&zeroes_ops, 0, below);
}
