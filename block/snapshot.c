/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes that are thrown away: they go to a temporary file without a name
 * (in $TMPDIR, else /var/tmp), which the host frees when the process ends,
 * however it ends. A bitmap says which clusters are there; a write of part of
 * a cluster copies the rest of it first. The cluster grows with the disk, from
 * 4 KiB, so that the bitmap never takes more than 8 MiB. Changes are made one
 * at a time, reads go on beside them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "block/filter.h"
#include "block/req-list.h"

#define CLUSTER_MIN  4096u
#define CLUSTERS_MAX (64u << 20)

struct snapshot {
    struct block *over; /* the temporary file */
    uint64_t cluster;
    uint64_t *there; /* a bit for each cluster */
    struct req_list changes;
    bool changing;
    unsigned busy; /* requests of our own in flight */
};

struct step { /* a request, taken cluster by cluster or run by run */
    struct block_req own;
    struct block_req *req;
    struct block *b;
    uint64_t pos, len; /* of the part under way */
    struct iovec *iov; /* room for req->niov + 2 */
    uint8_t *fill;     /* two clusters, with what surrounds a write */
    bool cancelled;
};

static bool is_there(const struct snapshot *s, uint64_t c)
{
    return s->there[c / 64] >> c % 64 & 1;
}

static uint64_t min64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void step_end(struct step *x, int err)
{
    struct block *b = x->b;
    struct block_req *req = x->req;

    ((struct snapshot *)b->priv)->busy--;
    free(x->iov);
    free(x->fill);
    free(x);
    block_finish(req, err);
}

/* Points x->iov at n bytes of the request from pos on; gives how many elements. */
static int step_iov(struct step *x, struct iovec *to, uint64_t pos, uint64_t n)
{
    int used = 0;

    for (int i = 0; i < x->req->niov && n; i++) {
        const struct iovec *v = &x->req->iov[i];
        uint64_t skip = min64(pos, v->iov_len), take = min64(v->iov_len - skip, n);

        pos -= skip;
        if (!take)
            continue;
        to[used++] = (struct iovec){ (char *)v->iov_base + skip, take };
        n -= take;
    }
    return used;
}

static void step_submit(struct step *x, struct block *to, enum block_op op, uint64_t off,
                        uint64_t len, int niov, void (*done)(struct block_req *, int))
{
    x->own = (struct block_req){ .op = op,
                                 .offset = off,
                                 .len = len,
                                 .iov = x->iov,
                                 .niov = niov,
                                 .may_unmap = true,
                                 .done = done,
                                 .arg = x };
    block_submit(to, &x->own);
}

/* ---- reading ---- */

static void read_next(struct step *x);

static void read_done(struct block_req *own, int err)
{
    struct step *x = own->arg;

    x->pos += x->len;
    if (err || x->cancelled || x->pos >= x->req->len)
        step_end(x, err ? err : x->cancelled && x->pos < x->req->len ? ECANCELED : 0);
    else
        read_next(x);
}

/* The next run of clusters that lie on the same side. */
static void read_next(struct step *x)
{
    struct snapshot *s = x->b->priv;
    uint64_t off = x->req->offset + x->pos, end = x->req->offset + x->req->len;
    uint64_t c = off / s->cluster;
    bool side = is_there(s, c);

    do {
        c++;
    } while (c * s->cluster < end && is_there(s, c) == side);
    x->len = min64(c * s->cluster, end) - off;
    step_submit(x, side ? s->over : x->b->below, BLOCK_READ, off, x->len,
                step_iov(x, x->iov, x->pos, x->len), read_done);
}

/* ---- changing ---- */

static void change_begin(struct step *x);

/* The next one in the queue, if none is under way. */
static void change_turn(struct block *b)
{
    struct snapshot *s = b->priv;
    struct block_req *req = s->changing ? NULL : list_pop(&s->changes);

    if (req) {
        s->changing = true;
        change_begin(req->back[0]);
    }
}

static void change_end(struct step *x, int err)
{
    struct block *b = x->b;
    struct snapshot *s = b->priv;

    s->changing = false;
    change_turn(b); /* first: done() may close or submit */
    step_end(x, err);
}

static void change_next(struct step *x);

static void change_done(struct block_req *own, int err)
{
    struct step *x = own->arg;
    struct snapshot *s = x->b->priv;
    uint64_t off = x->req->offset + x->pos;

    if (!err) {
        for (uint64_t c = off / s->cluster; c * s->cluster < off + x->len; c++)
            s->there[c / 64] |= 1ull << c % 64;
        x->pos += x->len;
    }
    if (err || x->pos >= x->req->len)
        change_end(x, err);
    else if (x->cancelled)
        change_end(x, ECANCELED);
    else
        change_next(x);
}

/* The part [off, off + x->len) with what surrounds it, which has been read into x->fill. */
static void change_write(struct step *x, bool whole)
{
    struct snapshot *s = x->b->priv;
    uint64_t off = x->req->offset + x->pos, start = off / s->cluster * s->cluster;
    uint64_t lead = whole ? off - start : 0, n = 0;

    if (x->req->op != BLOCK_WRITE) {
        if (whole) {
            memset(x->fill + lead, 0, x->len);
            n = min64(s->cluster, s->over->size - start);
            x->iov[0] = (struct iovec){ x->fill, n };
        }
        step_submit(x, s->over, whole ? BLOCK_WRITE : BLOCK_ZERO, whole ? start : off,
                    whole ? n : x->len, whole, change_done);
        return;
    }
    if (!whole) {
        step_submit(x, s->over, BLOCK_WRITE, off, x->len, step_iov(x, x->iov, x->pos, x->len),
                    change_done);
        return;
    }
    iov_read(x->req->iov, x->req->niov, x->pos, x->fill + lead, x->len);
    n = min64(s->cluster, s->over->size - start);
    x->iov[0] = (struct iovec){ x->fill, n };
    step_submit(x, s->over, BLOCK_WRITE, start, n, 1, change_done);
}

static void copied(struct block_req *own, int err)
{
    struct step *x = own->arg;

    if (err)
        change_end(x, err);
    else
        change_write(x, true);
}

/* Whole clusters and those that are there in one go; part of a fresh one needs the rest of it. */
static void change_next(struct step *x)
{
    struct snapshot *s = x->b->priv;
    uint64_t off = x->req->offset + x->pos, end = x->req->offset + x->req->len;
    uint64_t c = off / s->cluster, start = c * s->cluster, at = off;

    while (at < end) {
        uint64_t next = min64((at / s->cluster + 1) * s->cluster, end);
        bool part = at % s->cluster || (next % s->cluster && next < x->b->size);

        if (part && !is_there(s, at / s->cluster))
            break;
        at = next;
    }
    if (at > off) {
        x->len = at - off;
        change_write(x, false);
        return;
    }
    x->len = min64(start + s->cluster, end) - off;
    x->iov[0] = (struct iovec){ x->fill, min64(s->cluster, x->b->below->size - start) };
    memset(x->fill, 0, s->cluster);
    step_submit(x, x->b->below, BLOCK_READ, start, x->iov[0].iov_len, 1, copied);
}

static void change_begin(struct step *x)
{
    struct block *b = x->b;
    struct snapshot *s = b->priv;

    x->fill = aligned_alloc(4096, s->cluster);
    if (x->fill) {
        change_next(x);
        return;
    }
    s->changing = false;
    s->busy--;
    free(x->iov);
    block_finish_later(x->req, ENOMEM);
    free(x);
    change_turn(b);
}

static void snapshot_submit(struct block *b, struct block_req *req)
{
    struct snapshot *s = b->priv;
    struct step *x;

    if (req->op == BLOCK_FLUSH || req->op == BLOCK_DISCARD) {
        block_finish_later(req, 0); /* nothing here is to last */
        return;
    }
    x = calloc(1, sizeof(*x));
    if (x)
        x->iov = calloc(req->niov + 2, sizeof(*x->iov));
    if (!x || !x->iov) {
        free(x);
        block_finish_later(req, ENOMEM);
        return;
    }
    x->req = req;
    x->b = b;
    req->back[0] = x;
    s->busy++;
    if (req->op == BLOCK_READ) {
        read_next(x);
        return;
    }
    list_push(&s->changes, req);
    change_turn(b);
}

static void snapshot_cancel(struct block *b, struct block_req *req)
{
    struct snapshot *s = b->priv;
    struct step *x = req->back[0];

    if (!x)
        return;
    x->cancelled = true; /* the rest is not done */
    if (list_remove(&s->changes, req)) {
        s->busy--;
        free(x->iov);
        free(x);
        block_finish_later(req, ECANCELED);
    }
}

static void snapshot_wait(struct block *b)
{
    struct snapshot *s = b->priv;

    if (b->below->inflight)
        block_wait(b->below);
    else
        block_wait(s->over);
}

static void snapshot_close(struct block *b)
{
    struct snapshot *s = b->priv;

    block_close(s->over);
    free(s->there);
    filter_close(b);
}

static const struct block_ops snapshot_ops = {
    .name = "snapshot",
    .close = snapshot_close,
    .submit = snapshot_submit,
    .cancel = snapshot_cancel,
    .wait = snapshot_wait,
};

static int temporary(uint64_t size, struct err *err)
{
    const char *env = getenv("TMPDIR"), *dir = env && *env ? env : "/var/tmp";
    char name[4096];
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0 && snprintf(name, sizeof(name), "%s/portico-XXXXXX", dir) < (int)sizeof(name)) {
        fd = mkostemp(name, O_CLOEXEC); /* a file system without O_TMPFILE */
        if (fd >= 0)
            unlink(name);
    }
    if (fd >= 0 && ftruncate(fd, size)) {
        int rc = errno;

        close(fd);
        errno = rc;
        fd = -1;
    }
    if (fd < 0)
        err_set(err, -errno, "snapshot=on: no temporary file in %s: %s; set TMPDIR", dir,
                strerror(errno));
    return fd;
}

struct block *block_open_snapshot(struct block *below, struct err *err)
{
    struct snapshot s = { .cluster = CLUSTER_MIN };
    struct block *b = NULL;
    uint64_t n;
    int fd = temporary(below->size, err);

    if (fd < 0)
        return NULL;
    while (below->size / s.cluster >= CLUSTERS_MAX)
        s.cluster *= 2;
    n = below->size / s.cluster + 1;
    s.there = calloc(n / 64 + 1, sizeof(*s.there));
    s.over = block_open_file(
        below->loop, &BLOCK_OPTIONS(.file = "(snapshot)", .fd = fd, .locking = BLOCK_LOCK_OFF),
        false, err);
    if (s.there && s.over)
        b = filter_new(&snapshot_ops, sizeof(s), below);
    if (!b) {
        block_close(s.over);
        free(s.there);
        return NULL;
    }
    *(struct snapshot *)b->priv = s;
    b->readonly = false;
    return b;
}
