/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filter that refuses writes with EROFS. The file below is opened for
 * reading only as well; this one also holds where the descriptor was given by
 * somebody else.
 */
#include <errno.h>
#include "block/impl.h"

static void readonly_submit(struct block *b, struct block_req *req)
{
    if (req->op != BLOCK_READ && req->op != BLOCK_FLUSH)
        block_finish_later(req, EROFS);
    else if (req->op == BLOCK_FLUSH)
        block_finish_later(req, 0);
    else
        b->below->ops->submit(b->below, req);
}

static void readonly_cancel(struct block *b, struct block_req *req)
{
    if (b->below->ops->cancel)
        b->below->ops->cancel(b->below, req);
}

static void readonly_wait(struct block *b)
{
    if (b->below->ops->wait)
        b->below->ops->wait(b->below);
}

static void readonly_close(struct block *b)
{
    block_close(b->below);
    block_free(b);
}

static const struct block_ops readonly_ops = {
    .name = "readonly",
    .close = readonly_close,
    .submit = readonly_submit,
    .cancel = readonly_cancel,
    .wait = readonly_wait,
};

struct block *block_open_readonly(struct block *below)
{
    struct block *b = block_new(below->loop, &readonly_ops, 0, below->name);

    if (!b)
        return NULL;
    b->below = below;
    b->size = below->size;
    b->format = below->format;
    b->readonly = true;
    return b;
}
