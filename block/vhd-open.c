/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening a VHD image: which of its two footers to believe, and whether what
 * the file says can be true. Nothing in it is trusted. An image that is to be
 * written must be sound; one that is only read may have blocks that are not
 * there, and reading those is an error.
 *
 * Xen's own addition to the format, the "batmap" behind the table, has one bit
 * for each block that has all its sectors. A bit that is off is always right,
 * so writing need not change it, and no sector's mark is ever taken away here.
 */
#include "block/vhd.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "block/store.h"
#include "hw/core/log.h"

static int bad(const struct vhd *v, struct err *err, const char *what)
{
    return err_set(err, -EINVAL, "disk %s: VHD: %s; repair or restore the image", v->im->file,
                   what);
}

/* ---- footers ---- */

/* The footer that ends at `size`, of 512 bytes, or 511 as early versions of Virtual PC wrote it. */
static bool read_end_footer(struct vhd *v, uint64_t size, uint64_t *at)
{
    memset(v->footer_raw, 0, VHD_FOOTER_SIZE);
    for (unsigned len = VHD_FOOTER_SIZE; len >= VHD_FOOTER_SIZE - 1; len--) {
        *at = size - len;
        v->footer_raw[VHD_FOOTER_SIZE - 1] = 0;
        if (!image_file_get(v->im, *at, v->footer_raw, len) &&
            vhd_footer_parse(v->footer_raw, &v->footer))
            return true;
    }
    return false;
}

/*
 * A fixed disk's first sector is the guest's, who may write anything there. So
 * when the end of the file has a good footer of a fixed disk, that is it. In
 * all other cases the copy at the start is the one that no allocation of a
 * block overwrites.
 */
static int choose_footer(struct vhd *v, uint64_t size, struct err *err)
{
    uint8_t end[VHD_FOOTER_SIZE];
    struct vhd_footer end_footer = { 0 };
    uint64_t at = 0;
    bool end_ok;

    if (size < VHD_FOOTER_SIZE)
        return bad(v, err, "the file is too short");
    end_ok = read_end_footer(v, size, &at);
    if (end_ok && v->footer.type == VHD_FIXED) {
        v->file_size = at;
        return 0;
    }
    memcpy(end, v->footer_raw, sizeof(end));
    end_footer = v->footer;
    if (image_file_get(v->im, 0, v->footer_raw, VHD_FOOTER_SIZE))
        return err_set(err, -EIO, "disk %s: cannot be read", v->im->file);
    if (vhd_footer_parse(v->footer_raw, &v->footer) && v->footer.type != VHD_FIXED) {
        v->end_clean = end_ok && !memcmp(end, v->footer_raw, sizeof(end));
        return 0;
    }
    if (!memcmp(v->footer_raw, "v_poison", 8))
        return bad(v, err, "a resize was interrupted; vhd-util revert can undo it");
    if (!end_ok)
        return bad(v, err, "no footer with a right checksum");
    memcpy(v->footer_raw, end, sizeof(end));
    v->footer = end_footer;
    return 0;
}

static int check_footer(struct vhd *v, uint64_t size, struct err *err)
{
    const struct vhd_footer *f = &v->footer;

    if (f->type != VHD_FIXED && f->type != VHD_DYNAMIC && f->type != VHD_DIFFERENCING)
        return err_set(err, -ENOTSUP, "disk %s: VHD of unknown type %u; convert it", v->im->file,
                       f->type);
    if (!f->size || f->size % VHD_SECTOR || f->size > VHD_MAX_SIZE)
        return bad(v, err, "a disk of such a size cannot be");
    if (f->hidden && !v->im->readonly)
        return err_set(
            err, -EROFS,
            "disk %s: VHD is marked as hidden, other images stand on it; open it read only",
            v->im->file);
    if (f->type == VHD_FIXED && f->size > v->file_size)
        return bad(v, err, "the file is shorter than the disk");
    return 0;
}

/* ---- the header and the table ---- */

static uint64_t table_bytes(uint64_t entries)
{
    return (entries * 4 + VHD_SECTOR - 1) / VHD_SECTOR * VHD_SECTOR;
}

/* Blocks of the VHD images above this one, which are in memory too. */
static uint64_t chain_blocks(const struct image *im)
{
    uint64_t n = 0;

    for (im = im->above; im; im = im->above)
        if (im->ops == &image_vhd)
            n += ((const struct vhd *)im->priv)->blocks;
    return n;
}

static int check_header(struct vhd *v, uint64_t size, struct err *err)
{
    const struct vhd_header *h = &v->header;

    if (h->block_size < VHD_BLOCK_MIN || h->block_size > VHD_BLOCK_MAX ||
        h->block_size & (h->block_size - 1))
        return bad(v, err, "a block size that is no power of two from 4 KiB to 256 MiB");
    if ((uint64_t)h->entries * h->block_size < v->footer.size)
        return bad(v, err, "the block allocation table is too small for the disk");
    if (h->entries > VHD_ENTRIES_MAX || h->entries + chain_blocks(v->im) > VHD_CHAIN_MAX)
        return err_set(err, -EFBIG,
                       "disk %s: VHD: a block allocation table of %u entries is more than is "
                       "supported; convert it to larger blocks, or coalesce the chain",
                       v->im->file, h->entries);
    if (h->table_offset % VHD_SECTOR || h->table_offset < VHD_FOOTER_SIZE ||
        h->table_offset > size || table_bytes(h->entries) > size - h->table_offset)
        return bad(v, err, "the block allocation table is not in the file");
    return 0;
}

static int read_header(struct vhd *v, uint64_t size, struct err *err)
{
    uint64_t at = v->footer.data_offset;

    if (at % VHD_SECTOR || at < VHD_FOOTER_SIZE || at > size || size - at < VHD_HEADER_SIZE)
        return bad(v, err, "the dynamic disk header is not in the file");
    if (image_file_get(v->im, at, v->header_raw, VHD_HEADER_SIZE))
        return err_set(err, -EIO, "disk %s: cannot be read", v->im->file);
    if (!memcmp(v->header_raw, "v_poison", 8))
        return bad(v, err, "a resize was interrupted; vhd-util revert can undo it");
    if (!vhd_header_parse(v->header_raw, &v->header))
        return bad(v, err, "no dynamic disk header with a right checksum");
    return check_header(v, size, err);
}

static int alloc_tables(struct vhd *v, struct err *err)
{
    uint32_t cache = v->im->above ? VHD_CACHE_PARENT : VHD_CACHE_TOP;

    v->slots = cache / v->bitmap_size > VHD_CACHE_MIN ? cache / v->bitmap_size : VHD_CACHE_MIN;
    if (v->slots > v->blocks)
        v->slots = v->blocks;
    v->bat = malloc(table_bytes(v->blocks));
    v->bat_dirty = calloc(table_bytes(v->blocks) / VHD_SECTOR, 1);
    v->slot = calloc(v->slots, sizeof(*v->slot));
    v->bits = calloc(v->slots, v->bitmap_size);
    if (!v->bat || !v->bat_dirty || !v->slot || !v->bits)
        return err_set(err, -ENOMEM, "disk %s: out of memory", v->im->file);
    for (uint32_t i = 0; i < v->slots; i++)
        v->slot[i].block = VHD_UNUSED;
    return 0;
}

static int read_table(struct vhd *v, struct err *err)
{
    int rc = alloc_tables(v, err);

    if (rc)
        return rc;
    if (image_file_get(v->im, v->header.table_offset, v->bat, (size_t)v->blocks * 4))
        return err_set(err, -EIO, "disk %s: cannot be read", v->im->file);
    for (uint32_t i = 0; i < v->blocks; i++)
        v->bat[i] = vhd_get32((const uint8_t *)&v->bat[i]);
    return 0;
}

/* ---- what is where ---- */

struct extent {
    uint64_t at, len;
};
#define FIXED_EXTENTS (4 + VHD_LOCATORS)

/* Xen's batmap behind the table: what it takes, its header included. */
static void add_batmap(struct vhd *v, struct extent *ext, unsigned *n)
{
    uint64_t at = v->header.table_offset + table_bytes(v->blocks);
    uint8_t raw[VHD_SECTOR];

    if (memcmp(v->footer.creator, "tap", 4) || image_file_get(v->im, at, raw, sizeof(raw)) ||
        memcmp(raw, "tdbatmap", 8))
        return;
    ext[(*n)++] = (struct extent){ at, VHD_SECTOR };
    ext[(*n)++] = (struct extent){ vhd_get64(raw + 8), (uint64_t)vhd_get32(raw + 16) * VHD_SECTOR };
}

/* All that is not a block; the count. */
static unsigned metadata_extents(struct vhd *v, struct extent ext[FIXED_EXTENTS])
{
    unsigned n = 0;

    ext[n++] = (struct extent){ 0, v->footer.data_offset + VHD_HEADER_SIZE };
    ext[n++] = (struct extent){ v->header.table_offset, table_bytes(v->blocks) };
    add_batmap(v, ext, &n);
    for (int i = 0; i < VHD_LOCATORS && v->type == VHD_DIFFERENCING; i++) {
        const struct vhd_locator *l = &v->header.locator[i];

        if (l->code)
            ext[n++] = (struct extent){ l->offset, l->space > l->len ? l->space : l->len };
    }
    return n;
}

static int compare_sectors(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* The first of the n sorted sectors that is at `at` or behind. */
static uint32_t lower_bound(const uint32_t *sorted, uint32_t n, uint64_t at)
{
    uint32_t lo = 0;

    while (lo < n) {
        uint32_t mid = lo + (n - lo) / 2;

        if ((uint64_t)sorted[mid] * VHD_SECTOR < at)
            lo = mid + 1;
        else
            n = mid;
    }
    return lo;
}

/* Do n blocks, sorted, lie in the file and apart from each other and from the rest? */
static const char *check_places(struct vhd *v, const uint32_t *sorted, uint32_t n,
                                const struct extent *ext, unsigned exts)
{
    uint64_t stride = (uint64_t)v->bitmap_size + v->block_size;

    for (uint32_t i = 0; i + 1 < n; i++)
        if ((uint64_t)(sorted[i + 1] - sorted[i]) * VHD_SECTOR < stride)
            return "two blocks share a place";
    if (n && (uint64_t)sorted[n - 1] * VHD_SECTOR + stride > v->file_size)
        return "a block is not in the file";
    for (unsigned e = 0; e < exts; e++) {
        uint64_t from = ext[e].at > stride ? ext[e].at - stride + 1 : 0;
        uint32_t i = lower_bound(sorted, n, from);

        if (ext[e].at > v->file_size || ext[e].len > v->file_size - ext[e].at)
            return "a part of the file's description is not in the file";
        if (i < n && (uint64_t)sorted[i] * VHD_SECTOR < ext[e].at + ext[e].len)
            return "a block overlaps the file's description";
    }
    return NULL;
}

/* For an image that is to be written: all checks, and where the free space begins. */
static int check_layout(struct vhd *v, struct err *err)
{
    struct extent ext[FIXED_EXTENTS];
    unsigned exts = metadata_extents(v, ext);
    uint32_t *sorted = malloc((size_t)v->blocks * 4), n = 0;
    uint64_t stride = (uint64_t)v->bitmap_size + v->block_size;
    const char *what;

    if (!sorted)
        return err_set(err, -ENOMEM, "disk %s: out of memory", v->im->file);
    for (uint32_t i = 0; i < v->blocks; i++)
        if (v->bat[i] != VHD_UNUSED)
            sorted[n++] = v->bat[i];
    qsort(sorted, n, sizeof(*sorted), compare_sectors);
    what = check_places(v, sorted, n, ext, exts);
    v->end = n ? (uint64_t)sorted[n - 1] * VHD_SECTOR + stride : 0;
    free(sorted);
    if (what)
        return bad(v, err, what);
    for (unsigned e = 0; e < exts; e++)
        if (v->end < ext[e].at + ext[e].len)
            v->end = ext[e].at + ext[e].len;
    v->end = (v->end + VHD_SECTOR - 1) / VHD_SECTOR * VHD_SECTOR;
    return 0;
}

/* ---- putting it together ---- */

/* An interrupted write may have left the end without a footer, and a torn write the start. */
static int repair_footers(struct vhd *v, struct err *err)
{
    uint8_t copy[VHD_FOOTER_SIZE];
    bool damaged = !v->end_clean;
    int rc = 0;

    v->end_clean = !damaged && v->file_size == v->end + VHD_FOOTER_SIZE;
    if (image_file_get(v->im, 0, copy, sizeof(copy)) || memcmp(copy, v->footer_raw, sizeof(copy))) {
        rc = image_file_put(v->im, 0, v->footer_raw, VHD_FOOTER_SIZE);
        if (!rc)
            rc = image_file_sync(v->im);
        damaged = true;
    }
    if (!rc && damaged) {
        log_line("disk %s: VHD: writing a damaged footer anew", v->im->file);
        rc = vhd_write_end(v);
    }
    return rc ? err_set(err, -rc, "disk %s: VHD: its footer cannot be repaired: %s", v->im->file,
                        strerror(rc))
              : 0;
}

static int open_sparse(struct vhd *v, uint64_t size, struct err *err)
{
    int rc = read_header(v, size, err);

    if (rc)
        return rc;
    v->block_size = v->header.block_size;
    v->bitmap_size = (v->block_size / VHD_SECTOR / 8 + VHD_SECTOR - 1) / VHD_SECTOR * VHD_SECTOR;
    v->blocks = v->header.entries;
    v->file_size = size;
    rc = read_table(v, err);
    if (!rc && !v->im->readonly)
        rc = check_layout(v, err);
    if (!rc && v->type == VHD_DIFFERENCING)
        rc = vhd_open_parent(v, err);
    if (!rc && !v->im->readonly)
        rc = repair_footers(v, err);
    return rc;
}

int vhd_open(struct image *im, struct err *err)
{
    struct vhd *v = im->priv;
    uint64_t size = image_file_size(im);
    int rc;

    v->im = im;
    pthread_mutex_init(&v->lock, NULL);
    v->growable = !store_is_device(im->store);
    rc = choose_footer(v, size, err);
    if (!rc)
        rc = check_footer(v, size, err);
    if (!rc) {
        v->type = v->footer.type;
        im->size = v->footer.size;
        im->align = 512;
        if (v->type != VHD_FIXED)
            rc = open_sparse(v, size, err);
    }
    if (rc)
        vhd_free(v);
    return rc;
}

void vhd_free(struct vhd *v)
{
    free(v->bat);
    free(v->bat_dirty);
    free(v->slot);
    free(v->bits);
    pthread_mutex_destroy(&v->lock);
}
