/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressed clusters: a raw deflate stream, or a zstd one, that ends when it
 * has given a cluster. Read in small pieces, because the sectors an entry
 * names may be twice a cluster; into a buffer that the whole chain shares.
 */
#include "block/qcow2.h"
#include <errno.h>
#include <zlib.h>
#include <zstd.h>

#define PIECE        16384
#define ZSTD_LOG_MAX 23 /* of the window: 8 MiB, four times the largest cluster */

struct source { /* of packed bytes */
    struct qcow2 *q;
    uint64_t pos, len;
    uint8_t buf[PIECE];
};

/* The next piece: its length, 0 at the end or on an error. */
static size_t next_piece(struct source *s)
{
    size_t n = s->len < PIECE ? s->len : PIECE;

    if (!n || image_file_get(s->q->im, s->pos, s->buf, n))
        return 0;
    s->pos += n;
    s->len -= n;
    return n;
}

static bool unpack_zlib(struct source *s, uint8_t *out, size_t len)
{
    z_stream z = { .next_out = out, .avail_out = len };
    int rc = Z_OK;

    if (inflateInit2(&z, -15) != Z_OK)
        return false;
    while (rc == Z_OK && z.avail_out) {
        if (!z.avail_in) {
            z.avail_in = next_piece(s);
            z.next_in = s->buf;
            if (!z.avail_in)
                break;
        }
        rc = inflate(&z, Z_NO_FLUSH);
    }
    inflateEnd(&z);
    return !z.avail_out;
}

static bool unpack_zstd(struct source *s, uint8_t *out, size_t len)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    ZSTD_outBuffer dst = { out, len, 0 };
    ZSTD_inBuffer src = { s->buf, 0, 0 };
    size_t rc = 1;

    if (!ctx)
        return false;
    ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, ZSTD_LOG_MAX);
    while (dst.pos < len && !ZSTD_isError(rc)) {
        if (src.pos == src.size) {
            src = (ZSTD_inBuffer){ s->buf, next_piece(s), 0 };
            if (!src.size)
                break;
        }
        rc = ZSTD_decompressStream(ctx, &dst, &src);
    }
    ZSTD_freeDCtx(ctx);
    return dst.pos == len;
}

int q_unpack(struct qcow2 *q, uint64_t desc, const uint8_t **data)
{
    struct image_scratch *scratch = image_scratch(q->im, q_csize(q));
    struct source s = { .q = q };

    if (!scratch)
        return ENOMEM;
    *data = scratch->data;
    if (scratch->whose == q->im && scratch->what == desc)
        return 0;
    scratch->whose = NULL;
    q_packed_range(q, desc, &s.pos, &s.len);
    if (s.pos >= q->end)
        return q_damaged(q, "a compressed cluster is where none can be", s.pos);
    if (!(q->zstd ? unpack_zstd : unpack_zlib)(&s, scratch->data, q_csize(q)))
        return EIO;
    scratch->whose = q->im;
    scratch->what = desc;
    return 0;
}
