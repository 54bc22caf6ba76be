/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The allocation table of a VHD image, its bitmaps, and taking new blocks: see vhd.h. */
#include "block/vhd.h"
#include <errno.h>
#include <string.h>
#include "block/store.h"

#define PER_SECTOR (VHD_SECTOR / 4) /* entries of the table in a sector */
#define DATA_ALIGN 4096u            /* where a block's data likes to begin */
#define ALIGN_MIN  65536u           /* smaller blocks are not worth the room */

uint64_t vhd_block_pos(struct vhd *v, uint32_t block)
{
    uint64_t pos = v->bat[block] == VHD_UNUSED ? 0 : (uint64_t)v->bat[block] * VHD_SECTOR;

    return pos;
}

/* ---- bitmaps ---- */

uint32_t vhd_run(const uint8_t *bits, uint32_t s, uint32_t n, bool *set)
{
    uint32_t run = 0;

    *set = bits[s / 8] & (0x80 >> s % 8);
    while (run < n) {
        uint32_t at = s + run;

        if (at % 8 == 0 && n - run >= 8 && bits[at / 8] == (*set ? 0xff : 0))
            run += 8;
        else if (!(bits[at / 8] & (0x80 >> at % 8)) == !*set)
            run++;
        else
            break;
    }
    return run;
}

void vhd_mark(struct vhd *v, uint32_t slot, uint32_t s, uint32_t n)
{
    uint8_t *bits = vhd_bits(v, slot);
    bool set;

    if (vhd_run(bits, s, n, &set) == n && set)
        return;
    pthread_mutex_lock(&v->lock);
    for (uint32_t i = s; i < s + n; i++)
        bits[i / 8] |= 0x80 >> i % 8;
    v->ndirty += !v->slot[slot].dirty;
    v->slot[slot].dirty = true;
    pthread_mutex_unlock(&v->lock);
}

/* Empties the slot that this block's bitmap goes to. */
static int slot_take(struct vhd *v, uint32_t block, uint32_t *slot)
{
    *slot = block % v->slots;
    if (v->slot[*slot].dirty) {
        int rc = vhd_commit(v);

        if (rc)
            return rc;
    }
    pthread_mutex_lock(&v->lock);
    v->slot[*slot].block = VHD_UNUSED;
    pthread_mutex_unlock(&v->lock);
    return 0;
}

int vhd_bitmap(struct vhd *v, uint32_t block, uint32_t *slot)
{
    uint64_t pos = vhd_block_pos(v, block);
    int rc;

    *slot = block % v->slots;
    if (v->slot[*slot].block == block)
        return 0;
    if (v->im->readonly && pos + v->bitmap_size + v->block_size > v->file_size)
        return EIO;
    rc = slot_take(v, block, slot);
    if (!rc)
        rc = image_file_get(v->im, pos, vhd_bits(v, *slot), v->bitmap_size);
    if (rc)
        return rc;
    pthread_mutex_lock(&v->lock);
    v->slot[*slot].block = block;
    pthread_mutex_unlock(&v->lock);
    return 0;
}

/* ---- writing back ---- */

static int write_bitmaps(struct vhd *v, bool fresh)
{
    int rc = 0;

    for (uint32_t i = 0; i < v->slots && !rc; i++)
        if (v->slot[i].dirty && v->slot[i].fresh == fresh)
            rc = image_file_put(v->im, vhd_block_pos(v, v->slot[i].block), vhd_bits(v, i),
                                v->bitmap_size);
    return rc;
}

/* One sector of the table, filled up with unused entries. */
static int write_table_sector(struct vhd *v, uint32_t sector)
{
    uint8_t raw[VHD_SECTOR];
    uint32_t first = sector * PER_SECTOR;

    for (uint32_t i = 0; i < PER_SECTOR; i++)
        vhd_put32(raw + i * 4, first + i < v->blocks ? v->bat[first + i] : VHD_UNUSED);
    return image_file_put(v->im, v->header.table_offset + (uint64_t)sector * VHD_SECTOR, raw,
                          sizeof(raw));
}

static uint32_t table_sectors(uint32_t blocks)
{
    return (blocks + PER_SECTOR - 1) / PER_SECTOR;
}

static int write_table(struct vhd *v)
{
    int rc = 0;

    for (uint32_t i = 0; i < table_sectors(v->blocks) && !rc; i++)
        if (v->bat_dirty[i])
            rc = write_table_sector(v, i);
    return rc;
}

static void all_clean(struct vhd *v)
{
    pthread_mutex_lock(&v->lock);
    for (uint32_t i = 0; i < v->slots; i++)
        v->slot[i].dirty = v->slot[i].fresh = false;
    memset(v->bat_dirty, 0, table_sectors(v->blocks));
    v->ndirty = 0;
    pthread_mutex_unlock(&v->lock);
}

int vhd_commit(struct vhd *v)
{
    int rc;

    if (!v->ndirty)
        return 0;
    rc = write_bitmaps(v, true);
    if (!rc)
        rc = image_file_sync(v->im);
    if (!rc)
        rc = write_bitmaps(v, false);
    if (!rc)
        rc = write_table(v);
    if (!rc)
        all_clean(v);
    return rc;
}

/* ---- new blocks ---- */

int vhd_write_end(struct vhd *v)
{
    int rc = 0;

    if (!v->growable) /* on a device the footer is the last sector of that */
        return image_file_put(v->im, image_file_size(v->im) / VHD_SECTOR * VHD_SECTOR - VHD_SECTOR,
                              v->footer_raw, VHD_FOOTER_SIZE);
    if (image_file_size(v->im) > v->end)
        rc = -store_resize(v->im->store, v->end);
    if (!rc)
        rc = image_file_put(v->im, v->end, v->footer_raw, VHD_FOOTER_SIZE);
    v->end_clean = !rc;
    return rc;
}

/* Puts the footer behind a new block, which ends there. */
static int make_room(struct vhd *v, uint64_t end)
{
    int rc = 0;

    if (end / VHD_SECTOR >= VHD_UNUSED)
        return ENOSPC;
    if (!v->growable)
        return end + VHD_FOOTER_SIZE > image_file_size(v->im) ? ENOSPC : 0;
    if (!v->end_clean)
        rc = vhd_write_end(v);
    return rc ? rc : image_file_put(v->im, end, v->footer_raw, VHD_FOOTER_SIZE);
}

/*
 * In a file the new block lies where nothing was before, so all of it reads as
 * zeroes. Without a parent that is what its sectors have to be, and all are
 * marked at once: fewer bitmaps to write, and readers that look at no bitmap
 * are right as well.
 */
int vhd_alloc(struct vhd *v, uint32_t block)
{
    uint32_t align = v->block_size < ALIGN_MIN ? VHD_SECTOR : DATA_ALIGN, slot;
    uint64_t pos = (v->end + v->bitmap_size + align - 1) / align * align - v->bitmap_size;
    uint64_t end = pos + v->bitmap_size + v->block_size;
    bool full = v->growable && v->type == VHD_DYNAMIC;
    int rc = slot_take(v, block, &slot);

    if (!rc)
        rc = make_room(v, end);
    if (rc)
        return rc;
    pthread_mutex_lock(&v->lock);
    memset(vhd_bits(v, slot), full ? 0xff : 0, v->bitmap_size);
    v->slot[slot] = (struct vhd_slot){ block, true, true };
    v->bat[block] = pos / VHD_SECTOR;
    v->ndirty += 1 + !v->bat_dirty[block / PER_SECTOR];
    v->bat_dirty[block / PER_SECTOR] = 1;
    pthread_mutex_unlock(&v->lock);
    v->end = end;
    return 0;
}
