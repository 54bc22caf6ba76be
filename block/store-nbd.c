/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store at an NBD server. When the connection breaks it is made anew, and
 * the command that was under way is sent again: reads, writes, zeroing and
 * flushes can all be repeated. A server that stays away or silent for the
 * reconnect delay costs the command an EIO.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include "block/nbd-conn.h"
#include "block/store-impl.h"

struct nstore {
    struct nbd_handle *h; /* NULL: to be made anew */
    struct nbd_export e;
    uint64_t delay; /* ns */
};

struct ncmd {
    enum block_op op;
    uint64_t off, len;
    void *buf;
    uint32_t flags;
};

static int64_t issue(struct nbd_handle *h, const struct ncmd *c)
{
    switch (c->op) {
    case BLOCK_READ:
        return nbd_aio_pread(h, c->buf, c->len, c->off, NBD_NULL_COMPLETION, 0);
    case BLOCK_WRITE:
        return nbd_aio_pwrite(h, c->buf, c->len, c->off, NBD_NULL_COMPLETION, 0);
    case BLOCK_FLUSH:
        return nbd_aio_flush(h, NBD_NULL_COMPLETION, 0);
    case BLOCK_DISCARD:
        return nbd_aio_trim(h, c->len, c->off, NBD_NULL_COMPLETION, 0);
    default:
        return nbd_aio_zero(h, c->len, c->off, NBD_NULL_COMPLETION, c->flags);
    }
}

/* 1: the command is done and well; 0: the connection is lost; a negative errno: it failed. */
static int attempt(struct nstore *n, const struct ncmd *c, uint64_t until)
{
    int64_t cookie = issue(n->h, c);
    int rc = 0;

    if (cookie < 0)
        return nbd_lost(n->h) ? 0 : -nbd_get_errno();
    while (!rc) {
        rc = nbd_aio_command_completed(n->h, cookie);
        if (rc < 0)
            return nbd_lost(n->h) ? 0 : -(nbd_get_errno() ? nbd_get_errno() : EIO);
        if (!rc && (uv_hrtime() > until || nbd_poll(n->h, 1000) < 0))
            return 0;
    }
    return 1;
}

static void come_back(struct nstore *n, const char *uri, uint64_t until)
{
    struct nbd_export e;
    useconds_t pause = NBD_BACKOFF_MIN * 1000;

    while (!n->h && uv_hrtime() < until) {
        n->h = nbd_dial(uri, NBD_OPEN_MS, &e, NULL);
        if (n->h && nbd_same(&n->e, &e))
            return;
        nbd_close(n->h);
        n->h = NULL;
        usleep(pause);
        pause = pause * 2 > NBD_BACKOFF_MAX * 1000 ? NBD_BACKOFF_MAX * 1000 : pause * 2;
    }
}

static int command(struct store *s, const struct ncmd *c)
{
    struct nstore *n = s->priv;
    uint64_t until = uv_hrtime() + n->delay;
    int rc = 0;

    while (!rc) {
        if (!n->h)
            come_back(n, s->name, until);
        if (!n->h)
            return -EIO;
        rc = attempt(n, c, until);
        if (!rc) {
            nbd_close(n->h);
            n->h = NULL;
        }
    }
    return rc > 0 ? 0 : rc;
}

static int in_pieces(struct store *s, struct ncmd c)
{
    uint64_t left = c.len;
    int rc = 0;

    while (left && !rc) {
        c.len = left < NBD_PIECE ? left : NBD_PIECE;
        rc = command(s, &c);
        c.off += c.len;
        c.buf = c.buf ? (char *)c.buf + c.len : NULL;
        left -= c.len;
    }
    return rc;
}

static uint64_t nstore_size(struct store *s)
{
    return ((struct nstore *)s->priv)->e.size;
}

static int nstore_read(struct store *s, uint64_t off, void *buf, size_t len)
{
    return in_pieces(s, (struct ncmd){ BLOCK_READ, off, len, buf, 0 });
}

static int nstore_write(struct store *s, uint64_t off, const void *buf, size_t len)
{
    return in_pieces(s, (struct ncmd){ BLOCK_WRITE, off, len, (void *)buf, 0 });
}

static int nstore_flush(struct store *s)
{
    struct nstore *n = s->priv;

    return n->e.can_flush ? command(s, &(struct ncmd){ .op = BLOCK_FLUSH }) : 0;
}

static int nstore_discard(struct store *s, uint64_t off, uint64_t len)
{
    struct nstore *n = s->priv;

    return n->e.can_trim ? in_pieces(s, (struct ncmd){ BLOCK_DISCARD, off, len, NULL, 0 })
                         : -EOPNOTSUPP;
}

static int nstore_zero(struct store *s, uint64_t off, uint64_t len, bool may_unmap)
{
    struct nstore *n = s->priv;
    uint32_t flags = may_unmap ? 0 : LIBNBD_CMD_FLAG_NO_HOLE;

    return n->e.can_zero ? in_pieces(s, (struct ncmd){ BLOCK_ZERO, off, len, NULL, flags })
                         : -EOPNOTSUPP;
}

static void nstore_close(struct store *s)
{
    struct nstore *n = s->priv;

    if (n->h)
        nbd_aio_disconnect(n->h, 0); /* politely, but without waiting for an answer */
    nbd_close(n->h);
    store_free(s);
}

static const struct store_ops nstore_ops = {
    .close = nstore_close,
    .size = nstore_size,
    .read = nstore_read,
    .write = nstore_write,
    .flush = nstore_flush,
    .discard = nstore_discard,
    .zero = nstore_zero,
};

struct store *store_open_nbd(const struct block_options *o, struct err *err)
{
    struct nbd_export e;
    struct nbd_handle *h = nbd_dial(o->file, NBD_OPEN_MS, &e, err);
    struct store *s;

    if (!h)
        return NULL;
    if ((e.readonly && !o->readonly) || e.align > 1) {
        err_set(err, -EINVAL,
                e.align > 1 ? "disk %s: the server takes whole blocks only; put "
                              "nbdkit --filter=blocksize in between"
                            : "disk %s: the export is read-only; say readonly=on",
                o->file);
        nbd_close(h);
        return NULL;
    }
    s = store_new(&nstore_ops, sizeof(struct nstore), o->file);
    if (!s) {
        err_set(err, -ENOMEM, "disk %s: out of memory", o->file);
        nbd_close(h);
        return NULL;
    }
    *(struct nstore *)s->priv =
        (struct nstore){ .h = h,
                         .e = e,
                         .delay = (o->reconnect_delay ? o->reconnect_delay : NBD_RECONNECT) *
                                  1000000000ull };
    s->readonly = o->readonly;
    s->fixed = true;
    return s;
}
