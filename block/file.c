/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw images: regular files and block devices. Short reads and writes are
 * continued; the tail of a file that is no multiple of 512 reads as zeroes and
 * is never written. What was there at open and is gone (somebody truncated the
 * file) is EIO, not zeroes: a guest must not take lost data for empty data.
 * Not done: locks on the image, O_DIRECT.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/fs.h>
#include "block/aio.h"
#include "block/hostfile.h"
#include "block/impl.h"

#define FILE_SECTOR 512

/* What file.c keeps in struct block_req.back[]. */
enum { BACK_POS, BACK_FILE, BACK_IOV /* and the one after it: a struct iovec */ };

struct file {
    int fd;
    uint64_t size; /* bytes that exist; block.size is rounded up */
    struct aio *aio;
};

/* How many bytes of the request exist in the file. */
static uint64_t req_limit(const struct file *f, const struct block_req *req)
{
    uint64_t there = req->offset < f->size ? f->size - req->offset : 0;

    return req->len < there ? req->len : there;
}

/* Points step at the part of one iovec element that comes next. */
static void step_piece(struct block_req *req, uint64_t pos, uint64_t limit, struct aio_step *step)
{
    struct iovec *piece = (struct iovec *)&req->back[BACK_IOV];
    uint64_t skip = pos;
    int i = 0;

    while (i < req->niov - 1 && skip >= req->iov[i].iov_len)
        skip -= req->iov[i++].iov_len;
    piece->iov_base = (char *)req->iov[i].iov_base + skip;
    piece->iov_len = req->iov[i].iov_len - skip;
    if (piece->iov_len > limit - pos)
        piece->iov_len = limit - pos;
    step->iov = piece;
    step->niov = 1;
}

static bool file_next(struct block_req *req, struct aio_step *step)
{
    struct file *f = req->back[BACK_FILE];
    uint64_t pos = (uintptr_t)req->back[BACK_POS], limit = req_limit(f, req);

    *step = (struct aio_step){ .op = req->op, .fd = f->fd, .offset = req->offset + pos };
    if (req->op == BLOCK_FLUSH)
        return pos == 0;
    step->len = limit - pos;
    if (pos >= limit)
        return false;
    if (req->op >= BLOCK_DISCARD)
        return true;
    step->iov = req->iov;
    step->niov = req->niov;
    if (pos || limit < req->len)
        step_piece(req, pos, limit, step);
    return true;
}

static bool file_result(struct block_req *req, int64_t res, int *err)
{
    struct file *f = req->back[BACK_FILE];
    uint64_t pos = (uintptr_t)req->back[BACK_POS], limit = req_limit(f, req);

    if (res == -EINTR || res == -EAGAIN)
        return false;
    if (res < 0 || req->op >= BLOCK_FLUSH) {
        /* An old kernel knows no FALLOCATE in the ring. */
        *err = req->op >= BLOCK_DISCARD && res == -EINVAL ? EOPNOTSUPP : res < 0 ? -res : 0;
        return true;
    }
    if (res == 0) {
        *err = EIO;
        return true;
    }
    pos += res;
    req->back[BACK_POS] = (void *)(uintptr_t)pos;
    if (pos < limit)
        return false;
    if (req->op == BLOCK_READ && limit < req->len)
        iov_zero(req->iov, req->niov, limit, req->len - limit);
    return true;
}

static const struct aio_ops file_aio_ops = { file_next, file_result };

static void file_submit(struct block *b, struct block_req *req)
{
    struct file *f = b->priv;

    req->back[BACK_FILE] = f;
    if (req->op == BLOCK_READ && req_limit(f, req) == 0)
        iov_zero(req->iov, req->niov, 0, req->len);
    aio_submit(f->aio, req);
}

static void file_cancel(struct block *b, struct block_req *req)
{
    aio_cancel(((struct file *)b->priv)->aio, req);
}

static void file_wait(struct block *b)
{
    aio_wait(((struct file *)b->priv)->aio);
}

static void file_close(struct block *b)
{
    struct file *f = b->priv;

    close(f->fd);
    aio_put(f->aio);
    block_free(b);
}

static const struct block_ops file_ops = {
    .name = "file",
    .close = file_close,
    .submit = file_submit,
    .cancel = file_cancel,
    .wait = file_wait,
};

struct block *block_open_file(struct uv_loop_s *loop, const struct block_options *o, bool threads,
                              struct err *err)
{
    struct block *b = NULL;
    struct aio *aio;
    struct hostfile h;

    if (hostfile_open(&h, o, false, false, err))
        return NULL;
    aio = aio_get(loop, &file_aio_ops, threads);
    if (aio)
        b = block_new(loop, &file_ops, sizeof(struct file), o->file);
    if (!b) {
        if (aio)
            aio_put(aio);
        close(h.fd);
        err_set(err, -ENOMEM, "disk %s: out of memory", o->file);
        return NULL;
    }
    *(struct file *)b->priv = (struct file){ .fd = h.fd, .size = h.size, .aio = aio };
    b->size = (h.size + FILE_SECTOR - 1) / FILE_SECTOR * FILE_SECTOR;
    b->readonly = h.readonly;
    return b;
}
