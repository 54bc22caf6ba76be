/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw images: regular files and block devices. Short reads and writes are
 * continued; the tail of a file that is no multiple of 512 reads as zeroes and
 * is never written. What was there at open and is gone (somebody truncated the
 * file) is EIO, not zeroes: a guest must not take lost data for empty data.
 *
 * What the kernel takes as it is goes through the ring. DISCARD and ZERO, and
 * with O_DIRECT what is not aligned as the host wants it, go through a thread
 * and a struct store. A write of part of a block reads the block first, so it
 * has the image to itself: other changes wait until it is done.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include "block/aio.h"
#include "block/cdwatch.h"
#include "block/hostfile.h"
#include "block/impl.h"
#include "block/req-list.h"
#include "block/store-impl.h"

#define FILE_SECTOR 512

/* What file.c keeps in struct block_req.back[]. */
enum { BACK_POS, BACK_FILE, BACK_IOV /* and the one after it: a struct iovec */ };

struct file {
    struct hostfile h; /* h.size: bytes that exist; block.size is rounded up */
    struct aio *aio;   /* the ring, or threads */
    struct aio *slow;
    struct store *store;             /* on the same file, for slow requests */
    uv_mutex_t lock;                 /* of store: one thread at a time */
    unsigned slow_inflight, changes; /* writing requests in flight */
    bool alone;                      /* and it is one that reads blocks first */
    struct req_list held;            /* changes that wait for that */
    struct cdwatch *watch;           /* of a CD-ROM drive */
};

/* How many bytes of the request exist in the file. */
static uint64_t req_limit(const struct file *f, const struct block_req *req)
{
    uint64_t there = req->offset < f->h.size ? f->h.size - req->offset : 0;

    return req->len < there ? req->len : there;
}

static bool req_changes(const struct block_req *req)
{
    return req->op != BLOCK_READ && req->op != BLOCK_FLUSH;
}

/* Whether a write would have to read first. */
static bool req_crooked(const struct file *f, const struct block_req *req)
{
    return (req->offset | req_limit(f, req)) & (f->h.align - 1);
}

static bool req_is_slow(const struct file *f, const struct block_req *req)
{
    if (req->op >= BLOCK_DISCARD)
        return true;
    if (!f->h.direct || req->op == BLOCK_FLUSH)
        return false;
    if (req_crooked(f, req))
        return true;
    for (int i = 0; i < req->niov; i++) {
        if (req->iov[i].iov_len && ((uintptr_t)req->iov[i].iov_base & (f->h.mem_align - 1) ||
                                    req->iov[i].iov_len & (f->h.align - 1)))
            return true;
    }
    return false;
}

/* ---- the slow way, in a thread ---- */

static int slow_rw(struct file *f, struct block_req *req, uint64_t limit)
{
    uint64_t off = req->offset;
    int rc = 0;

    for (int i = 0; i < req->niov && limit && !rc; i++) {
        size_t n = req->iov[i].iov_len < limit ? req->iov[i].iov_len : limit;

        rc = req->op == BLOCK_READ ? store_read(f->store, off, req->iov[i].iov_base, n)
                                   : store_write(f->store, off, req->iov[i].iov_base, n);
        off += n;
        limit -= n;
    }
    return rc;
}

static int file_call(struct block_req *req)
{
    struct file *f = req->back[BACK_FILE];
    uint64_t limit = req_limit(f, req);
    int rc = -EIO;

    uv_mutex_lock(&f->lock);
    if (store_size(f->store) < req->offset + limit)
        rc = -EIO; /* the file has shrunk: the store would read zeroes, or grow it */
    else if (req->op == BLOCK_DISCARD)
        rc = store_discard(f->store, req->offset, limit);
    else if (req->op == BLOCK_ZERO)
        rc = store_zero(f->store, req->offset, limit, req->may_unmap);
    else
        rc = slow_rw(f, req, limit);
    uv_mutex_unlock(&f->lock);
    return rc;
}

/* ---- steps ---- */

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

    *step = (struct aio_step){ .op = req->op, .fd = f->h.fd, .offset = req->offset + pos };
    if (req->op == BLOCK_FLUSH)
        return pos == 0;
    if (pos >= limit)
        return false;
    if (req_is_slow(f, req)) {
        step->call = file_call;
        step->req = req;
        return true;
    }
    step->len = limit - pos;
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
        *err = res < 0 ? -res : 0;
        return true;
    }
    if (req_is_slow(f, req))
        res = limit; /* it is all or nothing */
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

/* ---- requests ---- */

static void file_start(struct file *f, struct block_req *req)
{
    bool slow = req_is_slow(f, req);

    if (req_changes(req)) {
        f->changes++;
        f->alone = f->h.direct && req_crooked(f, req);
    }
    f->slow_inflight += slow;
    aio_submit(slow ? f->slow : f->aio, req);
}

static bool must_wait(const struct file *f, const struct block_req *req)
{
    return f->alone || (f->h.direct && f->changes && req_crooked(f, req));
}

static void file_submit(struct block *b, struct block_req *req)
{
    struct file *f = b->priv;

    req->back[BACK_FILE] = f;
    if (req->op != BLOCK_FLUSH && req_limit(f, req) == 0) { /* all of it lies in the odd tail */
        if (req->op == BLOCK_READ)
            iov_zero(req->iov, req->niov, 0, req->len);
        block_finish_later(req, 0);
        return;
    }
    if (!req_changes(req) || !(f->held.first || must_wait(f, req))) {
        file_start(f, req);
        return;
    }
    list_push(&f->held, req);
}

/* A request has left the engine: those that waited for it may go. */
static void file_left(struct file *f, const struct block_req *req)
{
    f->slow_inflight -= req_is_slow(f, req);
    if (!req_changes(req))
        return;
    f->changes--;
    f->alone = false;
    while (f->held.first && !must_wait(f, f->held.first))
        file_start(f, list_pop(&f->held));
}

static void file_done(struct block_req *req, int err)
{
    file_left(req->back[BACK_FILE], req);
    block_finish(req, err);
}

static void file_cancelled(struct block_req *req)
{
    file_left(req->back[BACK_FILE], req);
    block_finish_later(req, ECANCELED);
}

static const struct aio_ops file_aio_ops = { file_next, file_result, file_done, file_cancelled };

static void file_cancel(struct block *b, struct block_req *req)
{
    struct file *f = b->priv;

    if (list_remove(&f->held, req))
        block_finish_later(req, ECANCELED);
    else
        aio_cancel(req_is_slow(f, req) ? f->slow : f->aio, req);
}

static void file_wait(struct block *b)
{
    struct file *f = b->priv;

    aio_wait(f->slow_inflight ? f->slow : f->aio);
}

static int file_resize(struct block *b, uint64_t size, struct err *err)
{
    struct file *f = b->priv;
    int rc = hostfile_resize(&f->h, size);

    if (rc == -ENOTSUP)
        return err_set(err, rc, "disk %s: the device is smaller than that; make it larger first",
                       b->name);
    if (rc)
        return err_set(err, rc, "disk %s: cannot be made %llu bytes long: %s", b->name,
                       (unsigned long long)size, strerror(-rc));
    b->size = size;
    block_changed(b, BLOCK_RESIZED);
    return 0;
}

static struct cd_look look_at_cd(void *arg)
{
    struct block *b = arg;
    struct file *f = b->priv;
    struct cd_look look;

    look.size = hostfile_look_at_cd(&f->h, &look.changed);
    return look;
}

static void cd_is_another(void *arg, uint64_t size)
{
    struct block *b = arg;
    struct file *f = b->priv;

    f->h.size = size;
    b->size = (size + FILE_SECTOR - 1) / FILE_SECTOR * FILE_SECTOR;
    block_changed(b, BLOCK_MEDIUM);
}

static void file_free(struct file *f)
{
    cdwatch_free(f->watch);
    if (f->aio)
        aio_put(f->aio);
    if (f->slow)
        aio_put(f->slow);
    uv_mutex_destroy(&f->lock);
    store_close(f->store);
    close(f->h.fd);
}

static void file_close(struct block *b)
{
    file_free(b->priv);
    block_free(b);
}

static int file_lock(struct block *b, bool on, struct err *err)
{
    struct file *f = b->priv;

    return hostfile_relock(&f->h, b->name, on, err);
}

static const struct block_ops file_ops = {
    .name = "file",
    .close = file_close,
    .submit = file_submit,
    .cancel = file_cancel,
    .wait = file_wait,
    .resize = file_resize,
    .lock = file_lock,
};

void block_file_look(struct block *b)
{
    struct file *f = b->priv;

    f->h.size = hostfile_size(&f->h);
    b->size = f->h.size / FILE_SECTOR * FILE_SECTOR;
}

/* A store on the same open file: same flags, same locks. */
static struct store *store_beside(const struct hostfile *h, const struct block_options *o)
{
    int fd = dup(h->fd);

    if (fd < 0 || h->cdrom) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    return store_open_file(&BLOCK_OPTIONS(.file = o->file, .fd = fd, .readonly = h->readonly,
                                          .direct = h->direct, .locking = BLOCK_LOCK_OFF),
                           NULL);
}

struct block *block_open_file(struct uv_loop_s *loop, const struct block_options *o, bool threads,
                              struct err *err)
{
    bool cdrom = (o->format && !strcmp(o->format, "host_cdrom")) ||
                 (o->readonly && hostfile_is_cdrom(o)); /* xl says format=raw */
    struct hostfile h;
    struct block *b;
    struct file *f;

    if (hostfile_open(&h, o, cdrom, false, err))
        return NULL;
    b = block_new(loop, &file_ops, sizeof(struct file), o->file);
    if (!b) {
        close(h.fd);
        err_set(err, -ENOMEM, "disk %s: out of memory", o->file);
        return NULL;
    }
    f = b->priv;
    f->h = h;
    uv_mutex_init(&f->lock);
    f->aio = aio_get(loop, &file_aio_ops, threads);
    f->slow = aio_get(loop, &file_aio_ops, true);
    f->store = store_beside(&h, o);
    if (cdrom)
        f->watch = cdwatch_new(loop, CDWATCH_MS, h.size, look_at_cd, cd_is_another, b);
    if (!f->aio || !f->slow || (cdrom ? !f->watch : !f->store)) {
        err_set(err, -ENOMEM, "disk %s: out of memory or descriptors", o->file);
        file_close(b);
        return NULL;
    }
    b->size = (h.size + FILE_SECTOR - 1) / FILE_SECTOR * FILE_SECTOR;
    b->readonly = h.readonly;
    b->direct = h.direct;
    b->align = h.align;
    return b;
}
