/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VHD images: fixed, dynamic and differencing. Microsoft, "Virtual Hard Disk
 * Image Format Specification", version 1.0, 2006. What is where is in
 * vhd-format.h, how writing is ordered in vhd.h, which parent is taken in
 * vhd-parent.c. Not modelled: images split over several files.
 */
#include "block/vhd.h"
#include <errno.h>
#include <string.h>
#include "block/impl.h"
#include "block/store.h"

struct piece { /* of a request: inside one block */
    uint32_t block, off, len;
};

static struct piece piece_at(const struct vhd *v, uint64_t off, uint64_t len)
{
    struct piece p = { off / v->block_size, off % v->block_size, 0 };

    p.len = len < v->block_size - p.off ? len : v->block_size - p.off;
    return p;
}

/* ---- reading ---- */

static int read_behind(struct vhd *v, uint64_t off, uint64_t len, const struct image_buf *buf)
{
    if (v->type == VHD_DIFFERENCING)
        return image_read_backing(v->im, off, len, buf);
    image_buf_zero(buf, len);
    return 0;
}

/* A piece of a block that has a place: runs of sectors that are here or behind. */
static int read_block(struct vhd *v, const struct piece *p, const struct image_buf *buf)
{
    uint64_t pos = vhd_block_pos(v, p->block) + v->bitmap_size;
    uint64_t base = (uint64_t)p->block * v->block_size;
    uint32_t done = 0, slot;
    int rc = vhd_bitmap(v, p->block, &slot);

    while (!rc && done < p->len) {
        uint32_t at = p->off + done, s = at / VHD_SECTOR;
        uint32_t sectors = (p->off + p->len - 1) / VHD_SECTOR - s + 1;
        struct image_buf to = image_buf_at(buf, done);
        bool here;
        uint32_t n = vhd_run(vhd_bits(v, slot), s, sectors, &here) * VHD_SECTOR - at % VHD_SECTOR;

        if (n > p->len - done)
            n = p->len - done;
        rc = here ? image_file_read(v->im, pos + at, n, &to) : read_behind(v, base + at, n, &to);
        done += n;
    }
    return rc;
}

static int vhd_read(struct image *im, uint64_t off, uint64_t len, const struct image_buf *buf)
{
    struct vhd *v = im->priv;
    uint64_t done = 0;
    int rc = 0;

    if (v->type == VHD_FIXED)
        return image_file_read(im, off, len, buf);
    while (!rc && done < len) {
        struct piece p = piece_at(v, off + done, len - done);
        struct image_buf to = image_buf_at(buf, done);

        rc = vhd_block_pos(v, p.block) ? read_block(v, &p, &to)
                                       : read_behind(v, off + done, p.len, &to);
        done += p.len;
    }
    return rc;
}

/* ---- writing ---- */

/* Whole sectors of one block. buf NULL: zeroes. */
static int write_sectors(struct vhd *v, const struct piece *p, const struct image_buf *buf,
                         bool may_unmap)
{
    uint32_t slot;
    uint64_t pos;
    int rc = 0;

    if (!vhd_block_pos(v, p->block))
        rc = vhd_alloc(v, p->block);
    if (!rc)
        rc = vhd_bitmap(v, p->block, &slot);
    if (rc)
        return rc;
    pos = vhd_block_pos(v, p->block) + v->bitmap_size + p->off;
    rc = buf ? image_file_write(v->im, pos, p->len, buf)
             : -store_zero(v->im->store, pos, p->len, may_unmap);
    if (!rc)
        vhd_mark(v, slot, p->off / VHD_SECTOR, p->len / VHD_SECTOR);
    return rc;
}

/* A part of one sector: a mark counts for all of it. */
static int write_part(struct vhd *v, const struct piece *p, const struct image_buf *buf)
{
    uint8_t sector[VHD_SECTOR];
    struct iovec iov = { sector, sizeof(sector) };
    struct image_buf all = { &iov, 1, 0 };
    uint32_t in = p->off % VHD_SECTOR;
    struct piece whole = { p->block, p->off - in, VHD_SECTOR };
    uint64_t off = (uint64_t)p->block * v->block_size + whole.off;
    int rc = vhd_read(v->im, off, VHD_SECTOR, &all);

    if (rc)
        return rc;
    if (buf)
        iov_read(buf->iov, buf->niov, buf->at, sector + in, p->len);
    else
        memset(sector + in, 0, p->len);
    return write_sectors(v, &whole, &all, false);
}

/* As much of a piece as can be written at once: a part of a sector, or whole ones. */
static uint32_t write_size(const struct piece *p)
{
    uint32_t in = p->off % VHD_SECTOR, rest = VHD_SECTOR - in;

    if (in || p->len < VHD_SECTOR)
        return p->len < rest ? p->len : rest;
    return p->len / VHD_SECTOR * VHD_SECTOR;
}

static int vhd_write(struct image *im, uint64_t off, uint64_t len, const struct image_buf *buf)
{
    struct vhd *v = im->priv;
    uint64_t done = 0;
    int rc = 0;

    if (v->type == VHD_FIXED)
        return image_file_write(im, off, len, buf);
    while (!rc && done < len) {
        struct piece p = piece_at(v, off + done, len - done);
        struct image_buf from = image_buf_at(buf, done);

        p.len = write_size(&p);
        rc = p.len % VHD_SECTOR ? write_part(v, &p, &from) : write_sectors(v, &p, &from, false);
        done += p.len;
    }
    return rc;
}

/* ---- zeroes ---- */

/* Does nothing in the whole chain say anything about this block? Then it reads as zeroes. */
static bool nothing_behind(const struct vhd *v, uint64_t off, uint32_t len)
{
    const struct image *im = v->im->backing;

    for (; im; im = im->backing) {
        const struct vhd *p = im->priv;

        if (off >= im->size)
            return true;
        if (im->ops != &image_vhd || p->type == VHD_FIXED)
            return false;
        for (uint64_t b = off / p->block_size; b <= (off + len - 1) / p->block_size; b++)
            if (b < p->blocks && p->bat[b] != VHD_UNUSED)
                return false;
    }
    return true;
}

/*
 * Zeroes in one block. Marks are not taken away, though a disk without a parent
 * could do that: QEMU's reader looks at no marks, so the zeroes have to be
 * there anyhow, and Xen's batmap would have to follow.
 */
static int zero_piece(struct vhd *v, const struct piece *p, bool may_unmap, bool discard)
{
    uint64_t off = (uint64_t)p->block * v->block_size + p->off;

    if (!vhd_block_pos(v, p->block) && (discard || nothing_behind(v, off, p->len)))
        return 0;
    if (p->len % VHD_SECTOR)
        return discard ? 0 : write_part(v, p, NULL);
    return write_sectors(v, p, NULL, may_unmap);
}

static int zero_range(struct vhd *v, uint64_t off, uint64_t len, bool may_unmap, bool discard)
{
    int rc = 0;

    for (uint64_t done = 0; !rc && done < len;) {
        struct piece p = piece_at(v, off + done, len - done);

        p.len = write_size(&p);
        rc = zero_piece(v, &p, may_unmap, discard);
        done += p.len;
    }
    return rc;
}

static int vhd_zero(struct image *im, uint64_t off, uint64_t len, bool may_unmap)
{
    struct vhd *v = im->priv;

    if (v->type == VHD_FIXED)
        return -store_zero(im->store, off, len, may_unmap);
    return zero_range(v, off, len, may_unmap, false);
}

static int vhd_discard(struct image *im, uint64_t off, uint64_t len)
{
    struct vhd *v = im->priv;

    if (v->type == VHD_FIXED)
        return -store_discard(im->store, off, len);
    return zero_range(v, off, len, true, true);
}

/* ---- the rest ---- */

static int vhd_flush(struct image *im)
{
    struct vhd *v = im->priv;
    int rc = v->type == VHD_FIXED ? 0 : vhd_commit(v);

    return rc ? rc : image_file_sync(im);
}

static void vhd_close(struct image *im)
{
    struct vhd *v = im->priv;

    if (!im->readonly && v->type != VHD_FIXED)
        vhd_commit(v);
    vhd_free(v);
}

/* The sectors of one block that are all here; called with the lock. */
static bool map_block(struct vhd *v, uint64_t off, uint64_t *len, uint64_t *host)
{
    struct piece p = piece_at(v, off, *len);
    uint32_t slot = p.block % v->slots, s = p.off / VHD_SECTOR;
    uint64_t n;
    bool here;

    if (p.block >= v->blocks || v->bat[p.block] == VHD_UNUSED || v->slot[slot].block != p.block)
        return false;
    n = vhd_run(vhd_bits(v, slot), s, (p.off + p.len - 1) / VHD_SECTOR - s + 1, &here);
    n = n * VHD_SECTOR - p.off % VHD_SECTOR;
    if (!here)
        return false;
    *len = n < p.len ? n : p.len;
    *host = (uint64_t)v->bat[p.block] * VHD_SECTOR + v->bitmap_size + p.off;
    return true;
}

static bool vhd_map(struct image *im, uint64_t off, uint64_t *len, bool write, uint64_t *host)
{
    struct vhd *v = im->priv;
    bool found;

    if (v->type == VHD_FIXED) {
        *host = off;
        return true;
    }
    pthread_mutex_lock(&v->lock);
    found = *len && map_block(v, off, len, host);
    pthread_mutex_unlock(&v->lock);
    return found;
}

static bool vhd_dirty(struct image *im)
{
    struct vhd *v = im->priv;
    bool dirty;

    pthread_mutex_lock(&v->lock);
    dirty = v->ndirty;
    pthread_mutex_unlock(&v->lock);
    return dirty;
}

static bool vhd_probe(const uint8_t *head, size_t len)
{
    return len >= 8 && !memcmp(head, "conectix", 8);
}

const struct image_ops image_vhd = {
    .name = "vpc",
    .priv_size = sizeof(struct vhd),
    .probe = vhd_probe,
    .open = vhd_open,
    .close = vhd_close,
    .read = vhd_read,
    .write = vhd_write,
    .flush = vhd_flush,
    .discard = vhd_discard,
    .zero = vhd_zero,
    .resize = vhd_resize,
    .map = vhd_map,
    .dirty = vhd_dirty,
};
