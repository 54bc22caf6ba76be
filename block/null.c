/* SPDX-License-Identifier: GPL-2.0-or-later */
/* null-co: a disk that takes every write and reads as zeroes, for measuring all but the disk. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "block/impl.h"

#define NULL_SIZE (1ull << 30) /* without a size in the name */

static void null_submit(struct block *b, struct block_req *req)
{
    if (req->op == BLOCK_READ)
        iov_zero(req->iov, req->niov, 0, req->len);
    block_finish_later(req, 0);
}

static int null_resize(struct block *b, uint64_t size, struct err *err)
{
    b->size = size;
    block_changed(b, BLOCK_RESIZED);
    return 0;
}

static void null_close(struct block *b)
{
    block_free(b);
}

static const struct block_ops null_ops = {
    .name = "null-co",
    .close = null_close,
    .submit = null_submit,
    .resize = null_resize,
};

/* The file is "null-co://", or that and a number of bytes. */
struct block *block_open_null(struct uv_loop_s *loop, const struct block_options *o,
                              struct err *err)
{
    const char *file = o->file ? o->file : "", *colon = strstr(file, "://");
    const char *digits = colon ? colon + 3 : "";
    uint64_t size = *digits ? strtoull(digits, NULL, 10) : NULL_SIZE;
    struct block *b = NULL;

    if (o->fd >= 0)
        close(o->fd);
    if (!size || size % 512 || size > INT64_MAX)
        err_set(err, -EINVAL, "disk %s: not a size in bytes, a multiple of 512", file);
    else if (!(b = block_new(loop, &null_ops, 0, file)))
        err_set(err, -ENOMEM, "disk %s: out of memory", file);
    if (b) {
        b->size = size;
        b->readonly = o->readonly;
        b->format = "null-co";
    }
    return b;
}
