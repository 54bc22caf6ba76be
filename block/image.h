/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/image.h: image formats (qcow2, VHD) as plain synchronous code over a
 * byte store. One worker thread an image, chain and all, runs every function
 * of struct image_ops except `map`; so a format needs no locks of its own and
 * may block. block/image-block.c is the other side: it takes requests on the
 * loop, hands them over in batches, and completes them on the loop.
 *
 * The fast path: `map` is called on the loop's thread while the worker runs.
 * It says, without I/O, where in the file the bytes are if they are plain
 * allocated data, and the request goes to the file as it is. What `map`
 * answered stays true while such requests are in flight, because the requests
 * that can take data away from under them (DISCARD, ZERO, resize) wait for
 * them and hold new ones back. A READ or WRITE of a format must therefore
 * never give up data that `map` has answered; a flush must not either.
 *
 * All functions that can fail return 0 or a positive errno, unless they take a
 * struct err: those return 0 or a negative errno with one line in err.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include "block/block.h"

struct store; /* block/store.h */
struct image;

#define IMAGE_CHAIN_MAX 64  /* images that may stand behind each other, the top one included */
#define IMAGE_HEAD      512 /* bytes that probe is shown, fewer where the file is shorter */

struct image_buf { /* memory of a request, from byte `at` on */
    const struct iovec *iov;
    int niov;
    size_t at;
};

struct image_ops {
    const char *name; /* as query-block calls it */
    size_t priv_size; /* zeroed bytes at im->priv */
    bool (*probe)(const uint8_t *head, size_t len);
    /*
     * im->store, im->file, im->readonly are set; sets im->size, opens what is
     * behind with image_open_backing(). Nothing is written when readonly. On
     * failure close is not called.
     */
    int (*open)(struct image *im, struct err *err);
    /* Writes back what is pending (readonly: nothing), frees. The store is closed by the caller. */
    void (*close)(struct image *im);
    /* [off, off + len) is within im->size. */
    int (*read)(struct image *im, uint64_t off, uint64_t len, const struct image_buf *buf);
    int (*write)(struct image *im, uint64_t off, uint64_t len, const struct image_buf *buf);
    int (*flush)(struct image *im); /* data and metadata are on stable storage */
    int (*discard)(struct image *im, uint64_t off, uint64_t len);
    int (*zero)(struct image *im, uint64_t off, uint64_t len, bool may_unmap);
    int (*resize)(struct image *im, uint64_t size, struct err *err); /* NULL: it cannot */
    /*
     * On the loop's thread: true when the bytes [off, off + *len) or the first
     * part of them (*len is shortened) are plain data at *host in the file,
     * and for `write` may be changed in place. Never blocks, does no I/O.
     * NULL: there is no fast path.
     */
    bool (*map)(struct image *im, uint64_t off, uint64_t *len, bool write, uint64_t *host);
    /* Is there anything that a flush would have to write but data? Any thread. NULL: always. */
    bool (*dirty)(struct image *im);
};

struct image_scratch { /* a buffer that all images of a chain share: there may be many */
    uint8_t *data;
    size_t size;
    const struct image *whose; /* who has put what is in it; NULL: nothing */
    uint64_t what;
};

struct image {
    const struct image_ops *ops;
    struct store *store; /* the file; owned */
    char *file;          /* its name, for messages and for relative names of what is behind */
    uint64_t size;       /* bytes, as the guest sees it */
    unsigned align; /* what open says of the file: data and tables lie in blocks of so many bytes */
    bool readonly;
    const char
        *backing_override; /* during open: instead of the header's; "": none; NULL: header's */
    struct image *backing; /* owned; read only; NULL: none */
    struct image_scratch scratch; /* of the top image */
    struct image *above;          /* who has opened this one as its backing; NULL: top */
    unsigned depth;               /* of the top image: 0 */
    void *priv;
};

/*
 * Opens the image in st (owned from here on, also on failure) as `ops`, with
 * what is behind it. above: NULL, or the image that names it. On the thread
 * that will use it, or before that thread starts.
 */
struct image *image_open(const struct image_ops *ops, struct store *st, const char *file,
                         bool readonly, const char *backing_override, struct image *above,
                         struct err *err);
void image_close(struct image *im); /* and what is behind; NULL is fine */

/*
 * For a format's open: opens `name`, as the header of im has it, as im->backing:
 * relative to the folder of im->file; a loop, or more than IMAGE_CHAIN_MAX, is
 * an error. format: as the header has it, or NULL: then the file is probed, and
 * one that looks like no format is refused, since a guest can write any header
 * into a raw disk. Does nothing when im->backing_override is "".
 */
int image_open_backing(struct image *im, const char *name, const char *format, struct err *err);

/* The format of that name or of those first bytes ("raw" is one); NULL: none. */
const struct image_ops *image_ops_find(const char *name);
const struct image_ops *image_ops_probe(const uint8_t *head, size_t len);

/* Reads from what is behind; zeroes where it ends or where there is nothing. */
int image_read_backing(struct image *im, uint64_t off, uint64_t len, const struct image_buf *buf);

/* ---- helpers for formats ---- */

/* The chain's buffer with at least size bytes; NULL: out of memory. */
struct image_scratch *image_scratch(struct image *im, size_t size);
/* buf, n bytes further on. */
static inline struct image_buf image_buf_at(const struct image_buf *buf, size_t n)
{
    return (struct image_buf){ buf->iov, buf->niov, buf->at + n };
}
void image_buf_zero(const struct image_buf *buf, size_t len);
void image_buf_put(const struct image_buf *buf, const void *src, size_t len); /* into the request */
/* The file's bytes at pos. Reading past its end gives zeroes; writing there makes it longer. */
int image_file_read(struct image *im, uint64_t pos, uint64_t len, const struct image_buf *buf);
int image_file_write(struct image *im, uint64_t pos, uint64_t len, const struct image_buf *buf);
/* The same with flat memory. */
int image_file_get(struct image *im, uint64_t pos, void *data, size_t len);
int image_file_put(struct image *im, uint64_t pos, const void *data, size_t len);
int image_file_sync(struct image *im);
uint64_t image_file_size(struct image *im); /* bytes, now */

/* The formats. */
extern const struct image_ops image_raw, image_qcow2, image_vhd;

/*
 * The "open" of a struct block_format that is an image format (by o->format):
 * see block.h. block/image-block.c.
 */
struct block *image_block_open(struct uv_loop_s *loop, const struct block_options *o,
                               struct err *err);
