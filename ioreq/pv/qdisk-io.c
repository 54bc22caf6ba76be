/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PV disk's requests: from the ring to the image and back. Data moves
 * straight between the image and the guest's pages where they are persistent
 * grants, and else through a buffer, by the hypervisor's grant copy. What is
 * in the data does not matter here. Nobody waits: an image's completions
 * come from the loop, and what one turn of it has completed is answered
 * together.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ioreq/pv/qdisk.h"

#define SECTOR_MAX (UINT64_MAX / BLK_SECTOR / 2)

static void answer_later(struct qdisk_io *io, enum blk_status status);

/* ---- memory of the guest ---- */

/* The whole request by grant copy. False: one of the pages is not the guest's to give. */
static bool copy_all(struct qdisk_io *io, bool to_guest)
{
    struct pv *pv = io->q->disk->dev.pv;
    struct pv_copy c[BLK_INDIRECT_MAX];
    uint8_t *at = io->bounce;

    for (unsigned i = 0; i < io->in.nsegs; i++) {
        const struct blk_seg *s = &io->seg[i];
        uint16_t len = (uint16_t)((s->last - s->first + 1) * BLK_SECTOR);

        c[i] = (struct pv_copy){ .ref = s->ref,
                                 .off = (uint16_t)(s->first * BLK_SECTOR),
                                 .len = len,
                                 .local = at,
                                 .to_guest = to_guest };
        at += len;
    }
    pv->ops->copy(pv->arg, c, io->in.nsegs);
    for (unsigned i = 0; i < io->in.nsegs; i++) {
        if (c[i].failed)
            return false;
    }
    return true;
}

/* Neighbours in our memory become one piece: less for the kernel to look at. */
static void iov_add(struct qdisk_io *io, uint8_t *base, size_t len)
{
    struct iovec *last = io->niov ? &io->iov[io->niov - 1] : NULL;

    if (last && (uint8_t *)last->iov_base + last->iov_len == base)
        last->iov_len += len;
    else
        io->iov[io->niov++] = (struct iovec){ base, len };
}

/* Past the host's page cache the kernel would have to pin foreign pages, which it may refuse. */
static bool use_grants(struct qdisk_io *io)
{
    uint32_t ref[BLK_INDIRECT_MAX];
    void *page[BLK_INDIRECT_MAX];

    if (!io->q->grants || io->q->disk->blk->direct)
        return false;
    for (unsigned i = 0; i < io->in.nsegs; i++)
        ref[i] = io->seg[i].ref;
    if (!grants_get(io->q->grants, ref, io->in.nsegs, page))
        return false;
    for (unsigned i = 0; i < io->in.nsegs; i++) {
        const struct blk_seg *s = &io->seg[i];

        iov_add(io, (uint8_t *)page[i] + s->first * BLK_SECTOR,
                (s->last - s->first + 1u) * BLK_SECTOR);
    }
    return true;
}

static bool use_buffer(struct qdisk_io *io, bool write)
{
    size_t len = io->in.nsectors * BLK_SECTOR;

    if (posix_memalign((void **)&io->bounce, PV_PAGE, len))
        io->bounce = NULL;
    if (!io->bounce)
        return false;
    iov_add(io, io->bounce, len);
    return !write || copy_all(io, false);
}

/* The segments that an indirect request has in pages of its own: copied, then looked at. */
static bool fetch_segments(struct qdisk_io *io)
{
    struct pv *pv = io->q->disk->dev.pv;
    uint8_t page[PV_PAGE];
    uint32_t ref = io->in.page_ref[0];
    struct pv_copy c = { .ref = ref, .len = (uint16_t)(io->in.nsegs * 8), .local = page };
    void *mapped;

    static_assert(BLK_INDIRECT_MAX <= BLK_PAGE_SEGMENTS, "one page has them all");
    if (io->q->grants && grants_get(io->q->grants, &ref, 1, &mapped))
        memcpy(page, mapped, c.len);
    else
        pv->ops->copy(pv->arg, &c, 1);
    if (c.failed)
        return false;
    io->in.nsectors = blkring_segments(page, io->in.nsegs, io->far);
    io->seg = io->far;
    return io->in.nsectors != 0;
}

/* ---- to the image ---- */

static void submit_data(struct qdisk_io *io)
{
    bool write = io->in.op != BLK_READ;
    struct block_req *req = &io->blk;

    if (!use_grants(io) && !use_buffer(io, write)) {
        answer_later(io, BLK_ERROR);
        return;
    }
    req->op = write ? BLOCK_WRITE : BLOCK_READ;
    req->offset = io->in.sector * BLK_SECTOR;
    req->len = io->in.nsectors * BLK_SECTOR;
    req->iov = io->iov;
    req->niov = io->niov;
    block_submit(io->q->disk->blk, req);
}

static void data_done(struct block_req *req, int err)
{
    struct qdisk_io *io = req->arg;

    if (!err && io->bounce && io->in.op == BLK_READ && !copy_all(io, true))
        err = EFAULT;
    answer_later(io, err == ENOTSUP ? BLK_UNSUPPORTED : err ? BLK_ERROR : BLK_OK);
}

/* A flush may bring data, which is written behind it. */
static void flush_done(struct block_req *req, int err)
{
    struct qdisk_io *io = req->arg;

    req->done = data_done;
    if (err || !io->in.nsegs)
        answer_later(io, err ? BLK_ERROR : BLK_OK);
    else
        submit_data(io);
}

static void submit_plain(struct qdisk_io *io, enum block_op op)
{
    io->blk.op = op;
    io->blk.offset = op == BLOCK_DISCARD ? io->in.sector * BLK_SECTOR : 0;
    io->blk.len = op == BLOCK_DISCARD ? io->in.nsectors * BLK_SECTOR : 0;
    io->blk.iov = NULL;
    io->blk.niov = 0;
    block_submit(io->q->disk->blk, &io->blk);
}

/* What can be said without asking the image; BLK_OK: it is to be asked. */
static enum blk_status refuse(const struct qdisk_io *io)
{
    const struct qdisk *d = io->q->disk;
    const struct blk_req *in = &io->in;

    if (in->unsupported || (in->op == BLK_DISCARD && (!d->discard || in->secure)))
        return BLK_UNSUPPORTED;
    if (in->bad || !d->blk || (in->op != BLK_READ && d->readonly))
        return BLK_ERROR;
    return in->sector <= SECTOR_MAX && in->nsectors <= SECTOR_MAX ? BLK_OK : BLK_ERROR;
}

static void begin(struct qdisk_io *io)
{
    enum blk_status no = refuse(io);

    io->bounce = NULL;
    io->niov = 0;
    io->seg = io->in.seg;
    io->blk.done = io->in.op == BLK_FLUSH ? flush_done : data_done;
    io->blk.arg = io;
    if (no != BLK_OK || (io->in.npages && !fetch_segments(io)))
        answer_later(io, no != BLK_OK ? no : BLK_ERROR);
    else if (io->in.op == BLK_FLUSH)
        submit_plain(io, BLOCK_FLUSH);
    else if (io->in.op == BLK_DISCARD)
        submit_plain(io, BLOCK_DISCARD);
    else
        submit_data(io);
}

/* ---- back to the guest ---- */

static void check_turned(uv_check_t *h)
{
    struct qdisk *d = h->data;

    uv_check_stop(h);
    for (unsigned i = 0; i < d->nqueues; i++)
        qdisk_queue_answer(&d->queue[i]);
    for (unsigned i = 0; i < d->nqueues; i++) /* nqueues is 0 as soon as it is disconnected */
        qdisk_queue_run(&d->queue[i]);
}

static void answer_later(struct qdisk_io *io, enum blk_status status)
{
    io->status = status;
    io->next = io->q->done;
    io->q->done = io;
    uv_check_start(io->q->disk->check, check_turned);
}

void qdisk_queue_answer(struct qdisk_queue *q)
{
    struct qdisk_io *io = q->done;

    q->done = NULL;
    if (!io)
        return;
    while (io) {
        struct qdisk_io *next = io->next;

        blkring_respond(&q->ring, &io->in, io->status);
        free(io->bounce);
        io->bounce = NULL;
        io->next = q->free;
        q->free = io;
        q->busy--;
        io = next;
    }
    if (blkring_publish(&q->ring))
        q->disk->dev.pv->ops->notify(q->disk->dev.pv->arg, q->port);
}

static void again_turned(uv_idle_t *h)
{
    struct qdisk *d = h->data;

    uv_idle_stop(h);
    for (unsigned i = 0; i < d->nqueues; i++)
        qdisk_queue_run(&d->queue[i]);
}

/* True: look again, there may be more. */
static bool take_some(struct qdisk_queue *q, unsigned *left)
{
    while (q->free && *left) {
        struct qdisk_io *io = q->free;
        int rc = blkring_pop(&q->ring, &io->in);

        if (rc < 0) {
            pv_break(&q->disk->dev, "its ring's indices make no sense");
            return false;
        }
        if (!rc)
            return blkring_rest(&q->ring);
        q->free = io->next;
        q->busy++;
        (*left)--;
        begin(io);
        qdisk_queue_answer(q); /* what needed no image has been answered by now */
    }
    return false;
}

void qdisk_queue_run(struct qdisk_queue *q)
{
    struct qdisk *d = q->disk;
    unsigned left = QDISK_ROUND;

    if (!d || d->dev.pv->held || !d->nqueues)
        return;
    while (take_some(q, &left))
        ;
    if (d->nqueues && !left)
        uv_idle_start(d->again, again_turned);
}

/* ---- set-up ---- */

int qdisk_queue_start(struct qdisk_queue *q, enum blk_abi abi, bool persistent)
{
    if (!blkring_init(&q->ring, q->mem, (size_t)q->pages * PV_PAGE, abi))
        return -EINVAL;
    q->nio = q->ring.entries < QDISK_DEPTH ? q->ring.entries : QDISK_DEPTH;
    q->io = calloc(q->nio, sizeof(*q->io));
    if (persistent)
        q->grants = grants_new(q->disk->dev.pv->ops, q->disk->dev.pv->arg);
    if (!q->io || (persistent && !q->grants))
        return -ENOMEM;
    for (unsigned i = 0; i < q->nio; i++) {
        q->io[i].q = q;
        q->io[i].next = q->free;
        q->free = &q->io[i];
    }
    return 0;
}

void qdisk_queue_stop(struct qdisk_queue *q)
{
    grants_free(q->grants);
    free(q->io);
    q->grants = NULL;
    q->io = q->free = q->done = NULL;
}
