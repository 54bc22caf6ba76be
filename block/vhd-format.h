/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/vhd-format.h: the two structures of a VHD file, as bytes and as
 * values. Microsoft, "Virtual Hard Disk Image Format Specification", version
 * 1.0, 2006: "Hard Disk Footer Format", "Dynamic Disk Header Format". All
 * numbers are big endian, checksums are the complement of the sum of the bytes.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#define VHD_SECTOR      512u
#define VHD_FOOTER_SIZE 512u
#define VHD_HEADER_SIZE 1024u
#define VHD_LOCATORS    8
#define VHD_UNUSED      0xffffffffu                  /* in the block allocation table */
#define VHD_MAX_SIZE    (UINT64_C(2040) << 30)       /* of a disk, in bytes */
#define VHD_NONE        UINT64_C(0xffffffffffffffff) /* an offset to nothing */

enum vhd_type {
    VHD_RAW = 0, /* not in a file: a parent that is no VHD */
    VHD_FIXED = 2,
    VHD_DYNAMIC = 3,
    VHD_DIFFERENCING = 4,
};

struct vhd_footer {
    uint64_t data_offset; /* of the header */
    uint64_t size;        /* bytes the guest sees: see vhd_footer_parse() */
    uint32_t timestamp;   /* seconds since 2000-01-01 00:00 UTC */
    uint32_t type;        /* enum vhd_type */
    uint8_t creator[4];
    uint32_t creator_version;
    uint8_t uuid[16];
    bool hidden; /* Xen: somebody's parent, not to be written */
};

struct vhd_locator {
    uint32_t code; /* 0: not used */
    uint64_t offset;
    uint32_t space, len; /* bytes */
};

struct vhd_header {
    uint64_t table_offset;
    uint32_t entries, block_size;
    uint8_t parent_uuid[16];
    uint32_t parent_timestamp;
    uint8_t parent_name[512]; /* UTF-16BE */
    struct vhd_locator locator[VHD_LOCATORS];
};

#define VHD_LOC_W2RU     0x57327275u /* UTF-16LE, relative */
#define VHD_LOC_W2KU     0x57326b75u /* UTF-16LE, absolute */
#define VHD_LOC_MACX     0x4d616358u /* a file URL; written as MACX by Xen */
#define VHD_LOC_MACX_XEN 0x4d414358u

static inline uint16_t vhd_get16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static inline uint32_t vhd_get32(const uint8_t *p)
{
    return (uint32_t)vhd_get16(p) << 16 | vhd_get16(p + 2);
}

static inline uint64_t vhd_get64(const uint8_t *p)
{
    return (uint64_t)vhd_get32(p) << 32 | vhd_get32(p + 4);
}

static inline void vhd_put32(uint8_t *p, uint32_t v)
{
    p[0] = v >> 24;
    p[1] = v >> 16;
    p[2] = v >> 8;
    p[3] = v;
}

static inline void vhd_put64(uint8_t *p, uint64_t v)
{
    vhd_put32(p, v >> 32);
    vhd_put32(p + 4, v);
}

/*
 * Reads 512 bytes. False: not a footer, or its checksum is wrong. The size is
 * the "current size", but for those creators that mean the geometry (Virtual
 * PC, Virtual Server, qemu-img without force_size) and whose geometry is not
 * the largest one there is.
 */
bool vhd_footer_parse(const uint8_t raw[VHD_FOOTER_SIZE], struct vhd_footer *f);
/*
 * Puts another size and its geometry into the bytes of a footer. A creator
 * whose size is the geometry becomes one whose size is the size.
 */
void vhd_footer_set_size(uint8_t raw[VHD_FOOTER_SIZE], uint64_t size);
/* Reads 1024 bytes. False: not a header, or its checksum is wrong. */
bool vhd_header_parse(const uint8_t raw[VHD_HEADER_SIZE], struct vhd_header *h);
void vhd_header_set_table(uint8_t raw[VHD_HEADER_SIZE], uint64_t table_offset, uint32_t entries);
/* The geometry for a number of sectors; the specification's appendix. */
void vhd_geometry(uint64_t sectors, uint16_t *cyls, uint8_t *heads, uint8_t *spt);
/* The checksum of len bytes without the four at `at`. */
uint32_t vhd_checksum(const uint8_t *raw, size_t len, size_t at);
