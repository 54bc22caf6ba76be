/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Footer and header of a VHD file: bytes to values and back. See vhd-format.h. */
#include "block/vhd-format.h"
#include <string.h>

enum { /* offsets in the footer */
       F_DATA_OFFSET = 16,
       F_TIMESTAMP = 24,
       F_CREATOR = 28,
       F_CREATOR_VERSION = 32,
       F_SIZE = 48,
       F_CYLS = 56,
       F_HEADS = 58,
       F_SPT = 59,
       F_TYPE = 60,
       F_CHECKSUM = 64,
       F_UUID = 68,
       F_HIDDEN = 85, /* reserved in the specification; Xen's */
};

enum { /* offsets in the header */
       H_TABLE_OFFSET = 16,
       H_ENTRIES = 28,
       H_BLOCK_SIZE = 32,
       H_CHECKSUM = 36,
       H_PARENT_UUID = 40,
       H_PARENT_TIMESTAMP = 56,
       H_PARENT_NAME = 64,
       H_LOCATORS = 576,
       LOCATOR_SIZE = 24,
};

#define MAX_CYLS  65535u
#define MAX_HEADS 16u
#define MAX_SPT   255u

uint32_t vhd_checksum(const uint8_t *raw, size_t len, size_t at)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++)
        if (i < at || i >= at + 4)
            sum += raw[i];
    return ~sum;
}

/* Does this creator say how large the disk is by its geometry? */
static bool size_is_geometry(const uint8_t creator[4])
{
    static const char by_geometry[][5] = { "vpc ", "vs  ", "qemu" };

    for (size_t i = 0; i < sizeof(by_geometry) / sizeof(by_geometry[0]); i++)
        if (!memcmp(creator, by_geometry[i], 4))
            return true;
    return false;
}

static uint64_t footer_size(const uint8_t *raw)
{
    uint64_t cyls = vhd_get16(raw + F_CYLS), heads = raw[F_HEADS], spt = raw[F_SPT];
    bool largest = cyls == MAX_CYLS && heads == MAX_HEADS && spt == MAX_SPT;
    uint64_t by_geometry = cyls * heads * spt * VHD_SECTOR;

    if (size_is_geometry(raw + F_CREATOR) && !largest && by_geometry)
        return by_geometry;
    return vhd_get64(raw + F_SIZE);
}

bool vhd_footer_parse(const uint8_t raw[VHD_FOOTER_SIZE], struct vhd_footer *f)
{
    if (memcmp(raw, "conectix", 8) ||
        vhd_get32(raw + F_CHECKSUM) != vhd_checksum(raw, VHD_FOOTER_SIZE, F_CHECKSUM))
        return false;
    f->data_offset = vhd_get64(raw + F_DATA_OFFSET);
    f->size = footer_size(raw);
    f->timestamp = vhd_get32(raw + F_TIMESTAMP);
    f->type = vhd_get32(raw + F_TYPE);
    memcpy(f->creator, raw + F_CREATOR, 4);
    f->creator_version = vhd_get32(raw + F_CREATOR_VERSION);
    memcpy(f->uuid, raw + F_UUID, 16);
    f->hidden = raw[F_HIDDEN] == 1;
    return true;
}

void vhd_geometry(uint64_t sectors, uint16_t *cyls, uint8_t *heads, uint8_t *spt)
{
    uint64_t limit = (uint64_t)MAX_CYLS * MAX_HEADS * MAX_SPT, cyl_heads;
    unsigned h;

    if (sectors > limit)
        sectors = limit;
    if (sectors >= (uint64_t)MAX_CYLS * 16 * 63) {
        *spt = MAX_SPT;
        *heads = MAX_HEADS;
        *cyls = sectors / MAX_SPT / MAX_HEADS;
        return;
    }
    *spt = 17;
    cyl_heads = sectors / 17;
    h = (cyl_heads + 1023) / 1024;
    if (h < 4)
        h = 4;
    if (cyl_heads >= h * 1024 || h > 16) {
        *spt = 31;
        h = 16;
        cyl_heads = sectors / 31;
    }
    if (cyl_heads >= h * 1024) {
        *spt = 63;
        h = 16;
        cyl_heads = sectors / 63;
    }
    *heads = h;
    *cyls = cyl_heads / h;
}

void vhd_footer_set_size(uint8_t raw[VHD_FOOTER_SIZE], uint64_t size)
{
    uint16_t cyls;
    uint8_t heads, spt;

    vhd_geometry(size / VHD_SECTOR, &cyls, &heads, &spt);
    vhd_put64(raw + F_SIZE, size);
    raw[F_CYLS] = cyls >> 8;
    raw[F_CYLS + 1] = cyls;
    raw[F_HEADS] = heads;
    raw[F_SPT] = spt;
    if (size_is_geometry(raw + F_CREATOR))
        memcpy(raw + F_CREATOR, "qem2", 4); /* what qemu-img's force_size writes */
    vhd_put32(raw + F_CHECKSUM, vhd_checksum(raw, VHD_FOOTER_SIZE, F_CHECKSUM));
}

static void locator_parse(const uint8_t *raw, struct vhd_locator *l)
{
    uint32_t space = vhd_get32(raw + 4);

    l->code = vhd_get32(raw);
    /* The specification counts sectors; what Windows and Xen write are bytes. */
    l->space = space < VHD_SECTOR ? space * VHD_SECTOR : space;
    l->len = vhd_get32(raw + 8);
    l->offset = vhd_get64(raw + 16);
}

bool vhd_header_parse(const uint8_t raw[VHD_HEADER_SIZE], struct vhd_header *h)
{
    if (memcmp(raw, "cxsparse", 8) ||
        vhd_get32(raw + H_CHECKSUM) != vhd_checksum(raw, VHD_HEADER_SIZE, H_CHECKSUM))
        return false;
    h->table_offset = vhd_get64(raw + H_TABLE_OFFSET);
    h->entries = vhd_get32(raw + H_ENTRIES);
    h->block_size = vhd_get32(raw + H_BLOCK_SIZE);
    memcpy(h->parent_uuid, raw + H_PARENT_UUID, 16);
    h->parent_timestamp = vhd_get32(raw + H_PARENT_TIMESTAMP);
    memcpy(h->parent_name, raw + H_PARENT_NAME, sizeof(h->parent_name));
    for (int i = 0; i < VHD_LOCATORS; i++)
        locator_parse(raw + H_LOCATORS + i * LOCATOR_SIZE, &h->locator[i]);
    return true;
}

void vhd_header_set_table(uint8_t raw[VHD_HEADER_SIZE], uint64_t table_offset, uint32_t entries)
{
    vhd_put64(raw + H_TABLE_OFFSET, table_offset);
    vhd_put32(raw + H_ENTRIES, entries);
    vhd_put32(raw + H_CHECKSUM, vhd_checksum(raw, VHD_HEADER_SIZE, H_CHECKSUM));
}
