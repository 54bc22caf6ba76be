/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making a VHD's disk larger. What the larger disk needs is written first and
 * synced: a table at the end of the file, say. Then one write of one sector,
 * the header's first, makes it count. The footers, which have the size, are
 * last: a table that is larger than the disk needs is nothing wrong.
 */
#include "block/vhd.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "block/store.h"

#define BATMAP_VERSION  0x00010002u
#define BATMAP_CHECKSUM 24 /* where in its header */

static uint64_t table_bytes(uint64_t entries)
{
    return (entries * 4 + VHD_SECTOR - 1) / VHD_SECTOR * VHD_SECTOR;
}

static uint64_t batmap_bytes(uint64_t entries)
{
    return (entries / 8 + VHD_SECTOR) / VHD_SECTOR * VHD_SECTOR;
}

/* Xen's, behind the table: one sector that describes it, then the bits. */
static bool has_batmap(struct vhd *v)
{
    uint8_t raw[VHD_SECTOR];

    return !memcmp(v->footer.creator, "tap", 4) &&
           !image_file_get(v->im, v->header.table_offset + table_bytes(v->blocks), raw,
                           sizeof(raw)) &&
           !memcmp(raw, "tdbatmap", 8);
}

/* One in which no block is said to be complete, which is right for any image. */
static int write_batmap(struct vhd *v, uint64_t at, uint32_t entries)
{
    uint8_t raw[VHD_SECTOR] = "tdbatmap";

    vhd_put64(raw + 8, at + VHD_SECTOR);
    vhd_put32(raw + 16, batmap_bytes(entries) / VHD_SECTOR);
    vhd_put32(raw + 20, BATMAP_VERSION);
    vhd_put32(raw + BATMAP_CHECKSUM, ~0u);
    return image_file_put(v->im, at, raw, sizeof(raw))
               ? EIO
               : -store_zero(v->im->store, at + VHD_SECTOR, batmap_bytes(entries), false);
}

/* Larger arrays in memory, the new entries unused. */
static int grow_arrays(struct vhd *v, uint32_t entries)
{
    uint32_t *bat = malloc(table_bytes(entries));
    uint8_t *dirty = calloc(table_bytes(entries) / VHD_SECTOR, 1);

    if (!bat || !dirty) {
        free(bat);
        free(dirty);
        return ENOMEM;
    }
    memset(bat, 0xff, table_bytes(entries));
    memcpy(bat, v->bat, (size_t)v->blocks * 4);
    pthread_mutex_lock(&v->lock);
    free(v->bat);
    free(v->bat_dirty);
    v->bat = bat;
    v->bat_dirty = dirty;
    v->blocks = entries;
    pthread_mutex_unlock(&v->lock);
    return 0;
}

/* Writes a table of so many entries at `at`, the known ones and unused ones. */
static int put_table(struct vhd *v, uint64_t at, uint32_t entries)
{
    uint8_t raw[VHD_SECTOR];
    uint32_t n = table_bytes(entries) / 4;
    int rc = 0;

    for (uint32_t i = 0; i < n && !rc; i += VHD_SECTOR / 4) {
        for (uint32_t k = 0; k < VHD_SECTOR / 4; k++)
            vhd_put32(raw + k * 4, i + k < v->blocks ? v->bat[i + k] : VHD_UNUSED);
        rc = image_file_put(v->im, at + (uint64_t)i * 4, raw, sizeof(raw));
    }
    return rc;
}

/* A place for the larger table: where it is, or behind all else. */
static int place_table(struct vhd *v, uint32_t entries, uint64_t *at)
{
    bool batmap = has_batmap(v);
    uint64_t end =
        v->end + table_bytes(entries) + (batmap ? VHD_SECTOR + batmap_bytes(entries) : 0);
    int rc = 0;

    *at = v->header.table_offset;
    if (table_bytes(entries) == table_bytes(v->blocks))
        return put_table(v, *at, entries);
    *at = v->end;
    if (!v->growable && end + VHD_FOOTER_SIZE > image_file_size(v->im))
        return ENOSPC;
    if (v->growable)
        rc = image_file_put(v->im, end, v->footer_raw, VHD_FOOTER_SIZE);
    if (!rc)
        rc = put_table(v, *at, entries);
    if (!rc && batmap)
        rc = write_batmap(v, *at + table_bytes(entries), entries);
    if (!rc)
        v->end = end;
    return rc;
}

static int grow_table(struct vhd *v, uint32_t entries)
{
    uint8_t raw[VHD_HEADER_SIZE];
    uint64_t at;
    int rc = vhd_commit(v);

    if (!rc && v->growable && !v->end_clean)
        rc = vhd_write_end(v);
    if (!rc)
        rc = place_table(v, entries, &at);
    if (!rc)
        rc = image_file_sync(v->im);
    if (rc)
        return rc;
    memcpy(raw, v->header_raw, sizeof(raw));
    vhd_header_set_table(raw, at, entries);
    rc = image_file_put(v->im, v->footer.data_offset, raw, VHD_SECTOR);
    if (!rc)
        rc = image_file_sync(v->im);
    if (!rc)
        rc = grow_arrays(v, entries);
    if (rc)
        return rc;
    memcpy(v->header_raw, raw, sizeof(raw));
    v->header.table_offset = at;
    v->header.entries = entries;
    return 0;
}

static int resize_sparse(struct vhd *v, uint64_t size)
{
    uint32_t entries = (size + v->block_size - 1) / v->block_size;
    int rc = entries > v->blocks ? grow_table(v, entries) : 0;

    if (rc)
        return rc;
    vhd_footer_set_size(v->footer_raw, size);
    rc = image_file_put(v->im, 0, v->footer_raw, VHD_FOOTER_SIZE);
    if (!rc)
        rc = image_file_sync(v->im);
    return rc ? rc : vhd_write_end(v);
}

/* The disk grows over its old footer, which must not become the guest's data. */
static int resize_fixed(struct vhd *v, uint64_t size)
{
    uint64_t old_end = v->file_size + VHD_FOOTER_SIZE,
             at = size > v->file_size ? size : v->file_size;
    uint64_t stale = (old_end < size ? old_end : size) - v->footer.size;
    int rc;

    if (!v->growable && at != v->file_size)
        return ENOSPC;
    vhd_footer_set_size(v->footer_raw, size);
    if (at == v->file_size) { /* there was room before the footer */
        rc = -store_zero(v->im->store, v->footer.size, stale, false);
        return rc ? rc : image_file_put(v->im, at, v->footer_raw, VHD_FOOTER_SIZE);
    }
    rc = image_file_put(v->im, at, v->footer_raw, VHD_FOOTER_SIZE);
    if (!rc)
        rc = image_file_sync(v->im);
    if (!rc)
        rc = -store_zero(v->im->store, v->footer.size, stale, false);
    v->file_size = at;
    return rc;
}

int vhd_resize(struct image *im, uint64_t size, struct err *err)
{
    struct vhd *v = im->priv;
    uint8_t old[VHD_FOOTER_SIZE];
    uint64_t blocks;
    int rc;

    if (size == im->size)
        return 0;
    if (size < im->size)
        return err_set(err, -ENOTSUP, "disk %s: a VHD cannot be made smaller", im->file);
    blocks = v->type == VHD_FIXED ? 0 : (size + v->block_size - 1) / v->block_size;
    if (size > VHD_MAX_SIZE || blocks > VHD_ENTRIES_MAX)
        return err_set(err, -EFBIG, "disk %s: a VHD%s holds at most %llu GiB", im->file,
                       size > VHD_MAX_SIZE ? "" : " of such small blocks",
                       (unsigned long long)((size > VHD_MAX_SIZE
                                                 ? VHD_MAX_SIZE
                                                 : (uint64_t)VHD_ENTRIES_MAX * v->block_size) >>
                                            30));
    memcpy(old, v->footer_raw, sizeof(old));
    rc = v->type == VHD_FIXED ? resize_fixed(v, size) : resize_sparse(v, size);
    if (!rc)
        rc = image_file_sync(im);
    if (rc) {
        memcpy(v->footer_raw, old, sizeof(old));
        return err_set(err, -rc, "disk %s: VHD: cannot be made larger: %s", im->file, strerror(rc));
    }
    im->size = v->footer.size = size;
    vhd_footer_parse(v->footer_raw, &v->footer);
    return 0;
}
