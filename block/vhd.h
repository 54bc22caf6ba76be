/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/vhd.h: an open VHD image, for the vhd-*.c files. An image format of
 * block/image.h: all of it runs on the image's worker thread, but for `map` and
 * `dirty`. `lock` guards what those look at: the allocation table, the cached
 * bitmaps and their flags. It is never held during I/O.
 *
 * On the order of writes. A block is taken at the end of the file, the footer
 * behind it first. Bitmaps and the allocation table change in memory only, and
 * reach the file in vhd_commit(): the bitmaps of new blocks; a sync, so that
 * they and all data are on the disk; then the other bitmaps and the table. So
 * at any moment the table on the disk names complete blocks, and a bitmap
 * marks only sectors that are there. Blocks that were taken and never
 * committed lie behind the last one the table names and are cut off later.
 */
#pragma once
#include <pthread.h>
#include "block/image.h"
#include "block/vhd-format.h"

#define VHD_CACHE_TOP    (2u << 20)  /* bytes of bitmaps kept for an image */
#define VHD_CACHE_PARENT (64u << 10) /* and for one behind it */
#define VHD_CACHE_MIN    4           /* bitmaps */
#define VHD_ENTRIES_MAX  (4u << 20)  /* blocks an image may have: 16 MiB of table */
#define VHD_CHAIN_MAX    (9u << 20)  /* and a chain: 36 MiB */
#define VHD_BLOCK_MIN    4096u
#define VHD_BLOCK_MAX    (256u << 20)

struct vhd_slot {   /* a cached bitmap */
    uint32_t block; /* VHD_UNUSED: empty */
    bool dirty;
    bool fresh; /* the table on the disk does not name this block yet */
};

struct vhd {
    struct image *im;
    enum vhd_type type;
    struct vhd_footer footer;
    struct vhd_header header;
    uint8_t footer_raw[VHD_FOOTER_SIZE], header_raw[VHD_HEADER_SIZE];
    /* Of dynamic and differencing images: */
    uint32_t block_size, bitmap_size; /* bytes */
    uint64_t end;                     /* of all that is in use */
    bool end_clean;                   /* the footer stands there, and the file ends with it */
    bool growable;                    /* the file can become longer, and is then zero */
    uint64_t file_size;               /* at open; what is behind it cannot be read */
    pthread_mutex_t lock;
    uint32_t *bat, blocks; /* the table: sectors, VHD_UNUSED */
    uint8_t *bat_dirty;    /* one byte for each sector of the table */
    uint32_t ndirty;       /* dirty bitmaps and sectors of the table */
    struct vhd_slot *slot;
    uint8_t *bits; /* slots * bitmap_size */
    uint32_t slots;
};

/* ---- vhd-open.c ---- */
int vhd_open(struct image *im, struct err *err);
void vhd_free(struct vhd *v);

/* ---- vhd-parent.c ---- */

/* Opens what a differencing image stands on. 0, or a negative errno and a line in err. */
int vhd_open_parent(struct vhd *v, struct err *err);
/*
 * A parent locator's bytes as a path for this host, in out. False: it is no
 * path. Drive letters are dropped, backslashes turned, URLs decoded.
 */
bool vhd_locator_path(uint32_t code, const uint8_t *data, size_t len, char *out, size_t size);

/* ---- vhd-meta.c: the table, the bitmaps, blocks. Errors are positive errnos ---- */

/* Where a block's bitmap is in the file, 0: nowhere. */
uint64_t vhd_block_pos(struct vhd *v, uint32_t block);
/* The block's bitmap is cached at *slot; valid until the next call of this or of vhd_alloc(). */
int vhd_bitmap(struct vhd *v, uint32_t block, uint32_t *slot);
/* Gives an unused block its place. */
int vhd_alloc(struct vhd *v, uint32_t block);
/* From sector s of n: how many have the same mark; *set says which. */
uint32_t vhd_run(const uint8_t *bits, uint32_t s, uint32_t n, bool *set);
/* Marks sectors as being there. */
void vhd_mark(struct vhd *v, uint32_t slot, uint32_t s, uint32_t n);
/* Writes bitmaps and table in the order above. The last of it is not synced. */
int vhd_commit(struct vhd *v);
/* Cuts off what is behind `end`, puts the footer there. */
int vhd_write_end(struct vhd *v);
int vhd_resize(struct image *im, uint64_t size, struct err *err);

static inline uint8_t *vhd_bits(struct vhd *v, uint32_t slot)
{
    return v->bits + (size_t)slot * v->bitmap_size;
}
