/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2 images, versions 2 and 3, read and written; after the specification
 * "qcow2" in docs/interop of the QEMU project. The parts:
 *
 *   qcow2.c           the header                qcow2-io.c        read and write
 *   qcow2-cache.c     tables, order of writes   qcow2-zero.c      zero, discard
 *   qcow2-refcount.c  free clusters             qcow2-resize.c    resize
 *   qcow2-map.c       L1 and L2 tables          qcow2-unpack.c    compressed clusters
 *   qcow2-check.c     damage                    qcow2-repair.c    the dirty bit
 *   qcow2-snapshot.c  internal snapshots
 *
 * Refcounts are always kept, also where the image allows to postpone them, so
 * the dirty bit is never set here. Not done, and refused: encryption, external
 * data files. Persistent bitmaps are not kept up to date: writing marks them
 * inconsistent, as the specification wants it.
 */
#include "block/qcow2.h"
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/log.h"

#define CACHE_TOP    (2u << 20) /* bytes */
#define CACHE_BEHIND (256u << 10)
#define BACKING_MAX  1023 /* of the backing file */
#define HEADER_MAX   4096 /* that header_length may say */
#define EXT_MAX      1024 /* extensions that are looked at */

struct q_header { /* the fields, in this machine's order */
    uint64_t backing_off, size, l1_off, rt_off, snap_off, compatible, autoclear;
    uint32_t backing_len, cluster_bits, crypt, l1_size, rt_clusters, nsnaps, order;
    uint32_t compression;
    char format[64];               /* of the backing file; "": not said */
    uint64_t names_off, names_len; /* the feature name table */
    char backing[BACKING_MAX + 1];
};

static uint32_t be32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return be32toh(v);
}

static uint64_t be64(const uint8_t *p)
{
    return (uint64_t)be32(p) << 32 | be32(p + 4);
}

int q_header_put(struct qcow2 *q, unsigned off, const void *data, size_t len)
{
    int rc;

    q->unsynced = true; /* what the header will refer to comes first */
    rc = q_barrier(q);
    if (!rc)
        rc = image_file_put(q->im, off, data, len);
    q->unsynced = true;
    return rc ? rc : q_barrier(q);
}

/* ---- reading the header ---- */

static int bad(struct qcow2 *q, struct err *err, const char *what)
{
    return err_set(err, -EINVAL, "disk %s: qcow2: %s; qemu-img check may tell more", q->im->file,
                   what);
}

static int parse_v3(struct qcow2 *q, const uint8_t *p, struct q_header *h, struct err *err)
{
    q->incompat = be64(p + 72);
    h->compatible = be64(p + 80);
    h->autoclear = be64(p + 88);
    h->order = be32(p + 96);
    q->header_len = be32(p + 100);
    if (q->header_len < 104 || q->header_len & 7 || q->header_len > HEADER_MAX)
        return bad(q, err, "the header's length makes no sense");
    h->compression = q->header_len > 104 ? p[104] : 0;
    return 0;
}

static int parse(struct qcow2 *q, struct q_header *h, struct err *err)
{
    uint8_t p[112] = { 0 };

    if (q->end < 72 || image_file_get(q->im, 0, p, sizeof(p)))
        return bad(q, err, "the file is too short or cannot be read");
    q->version = be32(p + 4);
    if (memcmp(p, "QFI\xfb", 4) || q->version < 2 || q->version > 3)
        return bad(q, err, "there is no qcow2 header of version 2 or 3");
    h->backing_off = be64(p + 8);
    h->backing_len = be32(p + 16);
    h->cluster_bits = be32(p + 20);
    h->size = be64(p + 24);
    h->crypt = be32(p + 32);
    h->l1_size = be32(p + 36);
    h->l1_off = be64(p + 40);
    h->rt_off = be64(p + 48);
    h->rt_clusters = be32(p + 56);
    h->nsnaps = be32(p + 60);
    h->snap_off = be64(p + 64);
    h->order = 4;
    q->header_len = 72;
    return q->version == 3 ? parse_v3(q, p, h, err) : 0;
}

/* ---- header extensions ---- */

static int extension(struct qcow2 *q, struct q_header *h, uint32_t type, uint64_t off, uint32_t len,
                     struct err *err)
{
    uint8_t p[24] = { 0 };

    switch (type) {
    case 0xe2792aca:
        if (len >= sizeof(h->format))
            return bad(q, err, "the name of the backing file's format is too long");
        return -image_file_get(q->im, off, h->format, len);
    case 0x6803f857:
        h->names_off = off;
        h->names_len = len;
        return 0;
    case 0x23852875:
        if (len < sizeof(p) || image_file_get(q->im, off, p, sizeof(p)))
            return bad(q, err, "the bitmaps extension is too short");
        q->bitmap_size = be64(p + 8);
        q->bitmap_off = be64(p + 16);
        return 0;
    default:
        return 0; /* "can be safely ignored" */
    }
}

static int extensions(struct qcow2 *q, struct q_header *h, struct err *err)
{
    uint64_t pos = q->header_len, end = q_csize(q);
    uint8_t head[8];
    int rc;

    if (h->backing_off && h->backing_off < end)
        end = h->backing_off;
    for (unsigned i = 0; i < EXT_MAX && pos + 8 <= end; i++) {
        uint32_t type, len;

        if (image_file_get(q->im, pos, head, sizeof(head)))
            return bad(q, err, "the header cannot be read");
        type = be32(head);
        len = be32(head + 4);
        if (!type)
            return 0;
        pos += 8;
        if (len > end - pos)
            return bad(q, err, "a header extension does not fit into the header");
        rc = extension(q, h, type, pos, len, err);
        if (rc)
            return rc;
        pos += (len + 7) & ~7U;
    }
    return 0;
}

/* ---- features ---- */

/* The name of an incompatible feature, from the image's own table. */
static void feature_name(struct qcow2 *q, const struct q_header *h, unsigned bit, char *name,
                         size_t size)
{
    snprintf(name, size, "number %u", bit);
    for (uint64_t off = 0; off + 48 <= h->names_len; off += 48) {
        uint8_t p[48];

        if (image_file_get(q->im, h->names_off + off, p, sizeof(p)))
            return;
        if (p[0] || p[1] != bit)
            continue;
        snprintf(name, size, "\"%.46s\"", (const char *)p + 2);
        for (char *c = name; *c; c++)
            *c = *c < ' ' || *c > '~' ? '?' : *c; /* it goes to a terminal */
        return;
    }
}

static int check_features(struct qcow2 *q, const struct q_header *h, struct err *err)
{
    uint64_t unknown = q->incompat & ~(uint64_t)(Q_DIRTY | Q_CORRUPT | Q_ZSTD | Q_EXTENDED);
    char name[64];

    if (h->crypt)
        return err_set(err, -ENOTSUP,
                       "disk %s: is encrypted (%s), which is not supported; qemu-img convert can "
                       "decrypt it",
                       q->im->file, h->crypt == 1 ? "AES" : "LUKS");
    if (unknown & Q_EXTERNAL)
        return err_set(err, -ENOTSUP,
                       "disk %s: has an external data file, which is not supported; qemu-img "
                       "convert -O qcow2 makes one file of it",
                       q->im->file);
    if (unknown) {
        feature_name(q, h, __builtin_ctzll(unknown), name, sizeof(name));
        return err_set(err, -ENOTSUP, "disk %s: uses the feature %s, which is not supported",
                       q->im->file, name);
    }
    if (h->compression > 1 || !(q->incompat & Q_ZSTD) != !h->compression)
        return bad(q, err, "its compression is not known");
    if (q->incompat & Q_CORRUPT && !q->im->readonly)
        return err_set(err, -EUCLEAN,
                       "disk %s: is marked as damaged and can only be read; qemu-img check -r all, "
                       "or open it read-only",
                       q->im->file);
    q->zstd = h->compression == 1;
    q->extended = q->incompat & Q_EXTENDED;
    return 0;
}

/* ---- geometry ---- */

static bool table_fits(const struct qcow2 *q, uint64_t off, uint64_t len)
{
    return off && !(off & (q_csize(q) - 1)) && len <= q->end && off <= q->end - len;
}

static int set_geometry(struct qcow2 *q, const struct q_header *h, struct err *err)
{
    uint64_t span;

    if (h->order > 6)
        return bad(q, err, "the refcounts are wider than 64 bits");
    q->refcount_order = h->order;
    q->rb_bits = q->cluster_bits + 3 - h->order;
    q->l2_bits = q->cluster_bits - (q->extended ? 4 : 3);
    q->unit_bits = q->cluster_bits - (q->extended ? 5 : 0);
    if (q->extended && q->cluster_bits < 14)
        return bad(q, err, "its clusters are too small for subclusters");
    span = 1ULL << (q->cluster_bits + q->l2_bits);
    if (h->l1_size > Q_L1_MAX / 8 || h->size > INT64_MAX - 511 ||
        h->size / span + !!(h->size % span) > h->l1_size)
        return bad(q, err, "the L1 table is too large, or too small for the disk");
    if (h->rt_clusters > Q_REFTABLE_MAX >> q->cluster_bits || !h->rt_clusters)
        return bad(q, err, "the refcount table is too large or not there");
    if ((h->l1_size && !table_fits(q, h->l1_off, h->l1_size * 8ULL)) ||
        !table_fits(q, h->rt_off, (uint64_t)h->rt_clusters << q->cluster_bits))
        return bad(q, err, "a table is not in the file (is it cut off?)");
    if (h->nsnaps > Q_SNAPSHOTS || (h->nsnaps && !table_fits(q, h->snap_off, 40)))
        return bad(q, err, "the snapshot table is not in the file (is it cut off?)");
    q->l1_off = h->l1_off;
    q->l1_size = h->l1_size;
    q->rt_off = h->rt_off;
    q->rt_size = ((uint64_t)h->rt_clusters << q->cluster_bits) / 8;
    q->nsnaps = h->nsnaps;
    q->snap_off = h->nsnaps ? h->snap_off : 0;
    q->im->size = (h->size + 511) & ~511ULL;
    q->im->align = 1u << q->cluster_bits;
    return 0;
}

static int read_backing_name(struct qcow2 *q, struct q_header *h, struct err *err)
{
    if (!h->backing_off)
        return 0;
    if (h->backing_len > BACKING_MAX || h->backing_off > q_csize(q) ||
        h->backing_off + h->backing_len > q_csize(q))
        return bad(q, err, "the name of the backing file is not in the header");
    if (image_file_get(q->im, h->backing_off, h->backing, h->backing_len))
        return bad(q, err, "the header cannot be read");
    for (uint32_t i = 0; i < h->backing_len; i++) {
        if ((uint8_t)h->backing[i] < ' ')
            return bad(q, err, "the name of the backing file has strange bytes");
    }
    return 0;
}

static int read_header(struct qcow2 *q, struct q_header *h, struct err *err)
{
    int rc = parse(q, h, err);

    if (rc)
        return rc;
    q->cluster_bits = h->cluster_bits;
    if (q->cluster_bits < 9 || q->cluster_bits > 21)
        return bad(q, err, "the size of its clusters is not supported (512 bytes to 2 MiB)");
    rc = extensions(q, h, err);
    if (!rc)
        rc = check_features(q, h, err);
    if (!rc)
        rc = set_geometry(q, h, err);
    return rc ? rc : read_backing_name(q, h, err);
}

/* ---- opening ---- */

/* Clears header bits on the disk, before the first write to the image. */
static int clear_bits(struct qcow2 *q, unsigned off, uint64_t val, struct err *err)
{
    uint64_t be = htobe64(val);
    int rc = q_header_put(q, off, &be, sizeof(be));

    return rc ? err_set(err, -rc, "disk %s: cannot write its header: %s", q->im->file, strerror(rc))
              : 0;
}

static int open_writable(struct qcow2 *q, const struct q_header *h, struct err *err)
{
    int rc;

    q->chunk = malloc(Q_CHUNK);
    if (!q->chunk)
        return err_set(err, -ENOMEM, "disk %s: out of memory", q->im->file);
    rc = q_meta_init(q, err);
    if (!rc && q->incompat & Q_DIRTY)
        rc = q_repair(q, err);
    if (!rc && q->corrupt)
        rc = bad(q, err, "it is damaged");
    if (!rc && q->incompat & Q_DIRTY) {
        q->incompat &= ~(uint64_t)Q_DIRTY;
        rc = clear_bits(q, 72, q->incompat, err);
    }
    if (!rc && h->autoclear)
        rc = clear_bits(q, 88, 0, err);
    return rc;
}

static void q_free(struct qcow2 *q)
{
    q_cache_free(q);
    q_meta_free(q);
    free(q->chunk);
}

static int q_open(struct image *im, struct err *err)
{
    struct qcow2 *q = im->priv;
    struct q_header h = { 0 };
    int rc;

    q->im = im;
    q->end = image_file_size(im);
    rc = read_header(q, &h, err);
    if (rc)
        return rc;
    if (q_cache_init(q, im->depth ? CACHE_BEHIND : CACHE_TOP))
        rc = err_set(err, -ENOMEM, "disk %s: out of memory", im->file);
    if (!rc && !im->readonly)
        rc = open_writable(q, &h, err);
    if (!rc && (h.backing_off || (im->backing_override && im->backing_override[0])))
        rc = image_open_backing(im, h.backing, h.format[0] ? h.format : NULL, err);
    if (rc)
        q_free(q);
    return rc;
}

static void q_close(struct image *im)
{
    struct qcow2 *q = im->priv;

    if (!im->readonly && q_flush_meta(q))
        log_line("disk %s: its tables could not be written; some clusters may be lost", im->file);
    q_free(q);
}

static int q_flush(struct image *im)
{
    struct qcow2 *q = im->priv;
    int rc = q_flush_meta(q);

    q->unsynced = true; /* what went past the worker */
    if (!rc)
        rc = q_barrier(q);
    return rc || !q->corrupt ? rc : EIO;
}

static bool q_dirty(struct image *im)
{
    struct qcow2 *q = im->priv;

    return __atomic_load_n(&q->busy_meta, __ATOMIC_SEQ_CST) ||
           __atomic_load_n(&q->corrupt, __ATOMIC_SEQ_CST);
}

static bool q_probe(const uint8_t *head, size_t len)
{
    return len >= 8 && !memcmp(head, "QFI\xfb", 4) && (be32(head + 4) == 2 || be32(head + 4) == 3);
}

const struct image_ops image_qcow2 = {
    .name = "qcow2",
    .priv_size = sizeof(struct qcow2),
    .probe = q_probe,
    .open = q_open,
    .close = q_close,
    .read = q_read,
    .write = q_write,
    .flush = q_flush,
    .discard = q_discard,
    .zero = q_zero,
    .resize = q_resize,
    .map = q_map,
    .dirty = q_dirty,
};
