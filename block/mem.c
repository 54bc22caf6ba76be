/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk in memory, for tests: the copy is made at once, done() comes from the loop. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "block/impl.h"

struct mem {
    uint8_t *data;
};

static void mem_submit(struct block *b, struct block_req *req)
{
    struct mem *m = b->priv;

    if (req->op == BLOCK_READ)
        iov_write(req->iov, req->niov, 0, m->data + req->offset, req->len);
    else if (req->op == BLOCK_WRITE)
        iov_read(req->iov, req->niov, 0, m->data + req->offset, req->len);
    else if (req->op == BLOCK_DISCARD || req->op == BLOCK_ZERO)
        memset(m->data + req->offset, 0, req->len);
    block_finish_later(req, 0);
}

static int mem_resize(struct block *b, uint64_t size, struct err *err)
{
    struct mem *m = b->priv;
    uint8_t *data = realloc(m->data, size);

    if (!data)
        return err_set(err, -ENOMEM, "disk %s: out of memory", b->name);
    if (size > b->size)
        memset(data + b->size, 0, size - b->size);
    m->data = data;
    b->size = size;
    block_changed(b, BLOCK_RESIZED);
    return 0;
}

static void mem_close(struct block *b)
{
    struct mem *m = b->priv;

    free(m->data);
    block_free(b);
}

static const struct block_ops mem_ops = {
    .name = "mem",
    .close = mem_close,
    .submit = mem_submit,
    .resize = mem_resize,
};

struct block *block_open_mem(struct uv_loop_s *loop, uint64_t size)
{
    struct block *b = block_new(loop, &mem_ops, sizeof(struct mem), "mem");
    struct mem *m;

    if (!b)
        return NULL;
    m = b->priv;
    m->data = calloc(1, size ? size : 1);
    if (!m->data) {
        block_free(b);
        return NULL;
    }
    b->size = size;
    return b;
}
