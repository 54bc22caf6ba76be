/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening images and what stands behind them, the raw format behind another
 * image, and the small tools that formats share.
 */
#include "block/image.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "block/impl.h"
#include "block/store.h"

/* ---- raw ---- */

static int raw_open(struct image *im, struct err *err)
{
    uint64_t size = store_size(im->store);

    if (size > INT64_MAX - 511)
        return err_set(err, -EFBIG, "disk %s: is too large", im->file);
    im->size = (size + 511) & ~511ULL;
    return 0;
}

static void raw_close(struct image *im)
{
}

static int raw_read(struct image *im, uint64_t off, uint64_t len, const struct image_buf *buf)
{
    return image_file_read(im, off, len, buf);
}

static int raw_write(struct image *im, uint64_t off, uint64_t len, const struct image_buf *buf)
{
    return image_file_write(im, off, len, buf);
}

static int raw_flush(struct image *im)
{
    return image_file_sync(im);
}

static int raw_discard(struct image *im, uint64_t off, uint64_t len)
{
    return -store_discard(im->store, off, len);
}

static int raw_zero(struct image *im, uint64_t off, uint64_t len, bool may_unmap)
{
    return -store_zero(im->store, off, len, may_unmap);
}

const struct image_ops image_raw = {
    .name = "raw",
    .open = raw_open,
    .close = raw_close,
    .read = raw_read,
    .write = raw_write,
    .flush = raw_flush,
    .discard = raw_discard,
    .zero = raw_zero,
};

/* ---- which format ---- */

static const struct {
    const char *name;
    const struct image_ops *ops;
} formats[] = {
    { "raw", &image_raw },     { "file", &image_raw }, { "host_device", &image_raw },
    { "qcow2", &image_qcow2 }, { "vpc", &image_vhd },  { "vhd", &image_vhd },
};

const struct image_ops *image_ops_find(const char *name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (!strcmp(formats[i].name, name))
            return formats[i].ops;
    }
    return NULL;
}

const struct image_ops *image_ops_probe(const uint8_t *head, size_t len)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (formats[i].ops->probe && formats[i].ops->probe(head, len))
            return formats[i].ops;
    }
    return NULL;
}

/* ---- open and close ---- */

struct image *image_open(const struct image_ops *ops, struct store *st, const char *file,
                         bool readonly, const char *backing_override, struct image *above,
                         struct err *err)
{
    struct image *im = calloc(1, sizeof(*im) + ops->priv_size);
    int rc = -ENOMEM;

    if (im) {
        im->ops = ops;
        im->store = st;
        im->file = strdup(file);
        im->readonly = readonly;
        im->backing_override = backing_override;
        im->above = above;
        im->depth = above ? above->depth + 1 : 0;
        im->priv = im + 1;
    }
    if (im && im->file)
        rc = ops->open(im, err);
    else
        err_set(err, -ENOMEM, "disk %s: out of memory", file);
    if (!rc) {
        im->backing_override = NULL;
        return im;
    }
    if (im) {
        image_close(im->backing);
        free(im->file);
    }
    free(im);
    store_close(st);
    return NULL;
}

void image_close(struct image *im)
{
    while (im) {
        struct image *behind = im->backing;

        im->ops->close(im);
        store_close(im->store);
        free(im->scratch.data);
        free(im->file);
        free(im);
        im = behind;
    }
}

/* Has the name a protocol, as "nbd://" has? */
static bool has_protocol(const char *name)
{
    return strcspn(name, ":") < strcspn(name, "/") && name[strcspn(name, ":")];
}

/* name as seen from the folder of `from`; to be freed. */
static char *beside(const char *from, const char *name)
{
    const char *slash = strrchr(from, '/');
    char *path = NULL;

    if (name[0] == '/' || !slash || has_protocol(name) || has_protocol(from))
        return strdup(name);
    if (asprintf(&path, "%.*s/%s", (int)(slash - from), from, name) < 0)
        return NULL;
    return path;
}

/* Is `path` one of the images from im upwards? */
static bool is_loop(const struct image *im, const char *path)
{
    struct stat a, b;

    if (has_protocol(path) || stat(path, &a))
        return false;
    for (; im; im = im->above) {
        if (!stat(im->file, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
            return true;
    }
    return false;
}

static const struct image_ops *backing_format(const struct image *im, struct store *st,
                                              const char *path, const char *format, struct err *err)
{
    uint8_t head[IMAGE_HEAD];
    uint64_t size = store_size(st);
    size_t len = size < sizeof(head) ? size : sizeof(head);
    const struct image_ops *ops;

    if (format && format[0]) {
        ops = image_ops_find(format);
        if (!ops)
            err_set(err, -ENOTSUP, "disk %s: its backing file %s has format %s, which is unknown",
                    im->file, path, format);
        return ops;
    }
    if (store_read(st, 0, head, len)) {
        err_set(err, -EIO, "disk %s: cannot read its backing file %s", im->file, path);
        return NULL;
    }
    ops = image_ops_probe(head, len);
    if (!ops)
        err_set(err, -EINVAL,
                "disk %s: does not say the format of its backing file %s; if that is a raw "
                "disk: qemu-img rebase -u -F raw -b BACKING %s",
                im->file, path, im->file);
    return ops;
}

static int open_behind(struct image *im, const char *path, const char *format, struct err *err)
{
    const struct image_ops *ops;
    struct err why = { "" };
    struct store *st;

    if (is_loop(im, path))
        return err_set(err, -ELOOP, "disk %s: its backing file %s stands above it as well",
                       im->file, path);
    st = store_open(&BLOCK_OPTIONS(.file = path, .readonly = true), &why);
    if (!st)
        return err_set(err, -ENOENT, "%.200s (the backing file of %.200s)", why.msg, im->file);
    ops = backing_format(im, st, path, format, err);
    if (!ops) {
        store_close(st);
        return -EINVAL;
    }
    im->backing = image_open(ops, st, path, true, NULL, im, err);
    return im->backing ? 0 : -EINVAL;
}

int image_open_backing(struct image *im, const char *name, const char *format, struct err *err)
{
    char *path;
    int rc;

    if (im->backing_override) {
        if (!im->backing_override[0])
            return 0;
        return open_behind(im, im->backing_override, format, err);
    }
    if (im->depth + 1 >= IMAGE_CHAIN_MAX)
        return err_set(err, -ELOOP, "disk %s: more than %d images behind each other; commit some",
                       im->file, IMAGE_CHAIN_MAX);
    if (!strncmp(name, "file:", 5))
        name += 5;
    if (!strncmp(name, "json:", 5))
        return err_set(err, -ENOTSUP,
                       "disk %s: its backing file is given as JSON; name it by "
                       "qemu-img rebase -u -b FILE %s",
                       im->file, im->file);
    path = beside(im->file, name);
    if (!path)
        return err_set(err, -ENOMEM, "disk %s: out of memory", im->file);
    rc = open_behind(im, path, format, err);
    free(path);
    return rc;
}

int image_read_backing(struct image *im, uint64_t off, uint64_t len, const struct image_buf *buf)
{
    struct image *behind = im->backing;
    uint64_t there = behind && off < behind->size ? behind->size - off : 0;
    struct image_buf rest;

    if (there > len)
        there = len;
    rest = image_buf_at(buf, there);
    image_buf_zero(&rest, len - there);
    return there ? behind->ops->read(behind, off, there, buf) : 0;
}

/* ---- memory ---- */

void image_buf_zero(const struct image_buf *buf, size_t len)
{
    iov_zero(buf->iov, buf->niov, buf->at, len);
}

void image_buf_put(const struct image_buf *buf, const void *src, size_t len)
{
    iov_write(buf->iov, buf->niov, buf->at, src, len);
}

struct image_scratch *image_scratch(struct image *im, size_t size)
{
    struct image_scratch *s;

    while (im->above)
        im = im->above;
    s = &im->scratch;
    if (s->size < size) {
        free(s->data);
        *s = (struct image_scratch){ .data = malloc(size), .size = size };
        if (!s->data)
            s->size = 0;
    }
    return s->data ? s : NULL;
}

/* ---- the file ---- */

/* The piece [buf.at, + len) as an iovec of at most max elements; *len is shortened to fit. */
static int buf_slice(const struct image_buf *buf, uint64_t *len, struct iovec *out, int max)
{
    size_t skip = buf->at;
    uint64_t got = 0;
    int n = 0;

    for (int i = 0; i < buf->niov && n < max && got < *len; i++) {
        size_t there = buf->iov[i].iov_len;

        if (skip >= there) {
            skip -= there;
            continue;
        }
        there -= skip;
        if (there > *len - got)
            there = *len - got;
        out[n++] = (struct iovec){ (char *)buf->iov[i].iov_base + skip, there };
        got += there;
        skip = 0;
    }
    *len = got;
    return n;
}

static int file_rw(struct image *im, bool write, uint64_t pos, uint64_t len,
                   const struct image_buf *buf)
{
    struct image_buf at = *buf;
    struct iovec iov[64];
    int rc = 0;

    while (len && !rc) {
        uint64_t n = len;
        int niov = buf_slice(&at, &n, iov, 64);

        if (!niov)
            return EINVAL;
        rc = write ? store_writev(im->store, pos, iov, niov)
                   : store_readv(im->store, pos, iov, niov);
        at.at += n;
        pos += n;
        len -= n;
    }
    return -rc;
}

int image_file_read(struct image *im, uint64_t pos, uint64_t len, const struct image_buf *buf)
{
    return file_rw(im, false, pos, len, buf);
}

int image_file_write(struct image *im, uint64_t pos, uint64_t len, const struct image_buf *buf)
{
    return file_rw(im, true, pos, len, buf);
}

int image_file_get(struct image *im, uint64_t pos, void *data, size_t len)
{
    return -store_read(im->store, pos, data, len);
}

int image_file_put(struct image *im, uint64_t pos, const void *data, size_t len)
{
    return -store_write(im->store, pos, data, len);
}

int image_file_sync(struct image *im)
{
    return -store_flush(im->store);
}

uint64_t image_file_size(struct image *im)
{
    return store_size(im->store);
}
