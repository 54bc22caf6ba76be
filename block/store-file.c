/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store in a file or on a block device. With O_DIRECT, what is not aligned
 * goes through a buffer, and a write of part of a block reads the block first.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "block/hostfile.h"
#include "block/store-impl.h"

#define BOUNCE (256u << 10) /* a multiple of every alignment */

struct fstore {
    struct hostfile h;
    uint8_t *bounce; /* with O_DIRECT */
};

static int full_read(int fd, uint64_t off, void *buf, size_t len)
{
    while (len) {
        ssize_t n = pread(fd, buf, len, off);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO; /* it was there a moment ago: somebody cuts it off */
        buf = (char *)buf + n;
        off += n;
        len -= n;
    }
    return 0;
}

static int full_write(int fd, uint64_t off, const void *buf, size_t len)
{
    while (len) {
        ssize_t n = pwrite(fd, buf, len, off);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        buf = (const char *)buf + n;
        off += n;
        len -= n;
    }
    return 0;
}

static bool aligned(const struct hostfile *h, uint64_t off, const void *buf, uint64_t len)
{
    return !((off | len) & (h->align - 1)) && !((uintptr_t)buf & (h->mem_align - 1));
}

static uint64_t fstore_size(struct store *s)
{
    struct fstore *f = s->priv;

    return f->h.device ? f->h.size : hostfile_size(&f->h);
}

/* The blocks around [off, off + len) into the bounce buffer, zeroes past the end of the file. */
static int bounce_load(struct store *s, uint64_t start, size_t n)
{
    struct fstore *f = s->priv;
    uint64_t size = fstore_size(s);
    size_t got = 0;

    while (got < n && start + got < size) {
        ssize_t r = pread(f->h.fd, f->bounce + got, n - got, start + got);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -errno;
        if (r == 0)
            return -EIO;
        got += r;
        if (got % f->h.align) /* the end of the file lies in here */
            break;
    }
    memset(f->bounce + got, 0, n - got);
    return 0;
}

/* The next piece of an access: at most a buffer full, from the start of a block. */
static size_t bounce_piece(const struct fstore *f, uint64_t off, size_t len, uint64_t *start,
                           size_t *n)
{
    size_t lead = off & (f->h.align - 1), piece = BOUNCE - lead;

    if (piece > len)
        piece = len;
    *start = off - lead;
    *n = (lead + piece + f->h.align - 1) & ~(size_t)(f->h.align - 1);
    return piece;
}

static int fstore_read(struct store *s, uint64_t off, void *buf, size_t len)
{
    struct fstore *f = s->priv;
    uint64_t start;
    size_t n, piece;
    int rc = 0;

    if (aligned(&f->h, off, buf, len))
        return full_read(f->h.fd, off, buf, len);
    for (; len && !rc; off += piece, len -= piece, buf = (char *)buf + piece) {
        piece = bounce_piece(f, off, len, &start, &n);
        rc = bounce_load(s, start, n);
        if (!rc)
            memcpy(buf, f->bounce + (off - start), piece);
    }
    return rc;
}

static int fstore_write(struct store *s, uint64_t off, const void *buf, size_t len)
{
    struct fstore *f = s->priv;
    uint64_t size, end = off + len, start, written = 0;
    size_t n, piece;
    int rc = 0;

    if (aligned(&f->h, off, buf, len))
        return full_write(f->h.fd, off, buf, len);
    size = fstore_size(s);
    for (; len && !rc; off += piece, len -= piece, buf = (const char *)buf + piece) {
        piece = bounce_piece(f, off, len, &start, &n);
        rc = piece < n ? bounce_load(s, start, n) : 0;
        if (rc)
            break;
        memcpy(f->bounce + (off - start), buf, piece);
        rc = full_write(f->h.fd, start, f->bounce, n);
        written = start + n;
    }
    if (end < size)
        end = size;
    /* Only what we have made longer by writing the last block whole: others let it grow, too. */
    if (!rc && !f->h.device && written > end && ftruncate(f->h.fd, end))
        rc = -errno;
    return rc;
}

static int fstore_readv(struct store *s, uint64_t off, const struct iovec *iov, int niov)
{
    struct fstore *f = s->priv;
    ssize_t n = -1, sum = 0;
    int rc = 0;

    for (int i = 0; i < niov; i++)
        sum += iov[i].iov_len;
    if (!f->h.direct && niov <= IOV_MAX)
        n = preadv(f->h.fd, iov, niov, off);
    if (n == sum)
        return 0;
    for (int i = 0; i < niov && !rc; off += iov[i++].iov_len)
        rc = iov[i].iov_len ? fstore_read(s, off, iov[i].iov_base, iov[i].iov_len) : 0;
    return rc;
}

static int fstore_writev(struct store *s, uint64_t off, const struct iovec *iov, int niov)
{
    struct fstore *f = s->priv;
    ssize_t n = -1, sum = 0;
    int rc = 0;

    for (int i = 0; i < niov; i++)
        sum += iov[i].iov_len;
    if (!f->h.direct && niov <= IOV_MAX)
        n = pwritev(f->h.fd, iov, niov, off);
    if (n == sum)
        return 0;
    for (int i = 0; i < niov && !rc; off += iov[i++].iov_len)
        rc = iov[i].iov_len ? fstore_write(s, off, iov[i].iov_base, iov[i].iov_len) : 0;
    return rc;
}

static int fstore_flush(struct store *s)
{
    return fdatasync(((struct fstore *)s->priv)->h.fd) ? -errno : 0;
}

static int fstore_discard(struct store *s, uint64_t off, uint64_t len)
{
    return hostfile_discard(&((struct fstore *)s->priv)->h, off, len);
}

static int fstore_zero(struct store *s, uint64_t off, uint64_t len, bool may_unmap)
{
    return hostfile_zero(&((struct fstore *)s->priv)->h, off, len, may_unmap);
}

static int fstore_resize(struct store *s, uint64_t size)
{
    return hostfile_resize(&((struct fstore *)s->priv)->h, size);
}

static int fstore_next_data(struct store *s, uint64_t off, uint64_t *start, uint64_t *len)
{
    int fd = ((struct fstore *)s->priv)->h.fd;
    off_t data = lseek(fd, off, SEEK_DATA), hole;

    if (data < 0 && errno == ENXIO) {
        *len = 0;
        return 0;
    }
    hole = data < 0 ? data : lseek(fd, data, SEEK_HOLE);
    if (hole > data) { /* else the host cannot tell, and all is data */
        *start = data;
        *len = hole - data;
    }
    return 0;
}

static int fstore_lock(struct store *s, bool on, struct err *err)
{
    struct fstore *f = s->priv;

    return hostfile_relock(&f->h, s->name, on, err);
}

static void fstore_close(struct store *s)
{
    struct fstore *f = s->priv;

    close(f->h.fd);
    free(f->bounce);
    store_free(s);
}

static const struct store_ops fstore_ops = {
    .close = fstore_close,
    .size = fstore_size,
    .read = fstore_read,
    .write = fstore_write,
    .readv = fstore_readv,
    .writev = fstore_writev,
    .flush = fstore_flush,
    .discard = fstore_discard,
    .zero = fstore_zero,
    .resize = fstore_resize,
    .lock = fstore_lock,
    .next_data = fstore_next_data,
};

struct store *store_open_file(const struct block_options *o, struct err *err)
{
    struct store *s;
    struct fstore *f;
    struct hostfile h;

    if (hostfile_open(&h, o, false, true, err))
        return NULL;
    s = store_new(&fstore_ops, sizeof(*f), o->file);
    if (s) {
        f = s->priv;
        f->h = h;
        s->readonly = h.readonly;
        s->fixed = h.device;
        if (h.direct)
            f->bounce = aligned_alloc(h.mem_align, BOUNCE);
    }
    if (!s || (h.direct && !f->bounce)) {
        err_set(err, -ENOMEM, "disk %s: out of memory", o->file);
        close(h.fd);
        if (s)
            store_free(s);
        return NULL;
    }
    return s;
}
