/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/storage/vhd-make.h: VHD files put together byte by byte from the
 * specification, for what qemu-img does not make: differencing images, Xen's
 * additions, odd block sizes, half-filled blocks, lies. Shares nothing with
 * block/vhd*.c.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vhd_make_locator {
    const char *code; /* "W2ru" and so on */
    const char *path; /* as it stands in the file, in ASCII; made UTF-16 where the code says so */
};

struct vhd_make {
    unsigned type;         /* 2 fixed, 3 dynamic, 4 differencing */
    uint64_t size;         /* bytes */
    uint32_t block_size;   /* 0: 2 MiB */
    const char *creator;   /* four characters; NULL: "win " */
    uint8_t id, parent_id; /* all bytes of the UUIDs */
    uint32_t time, parent_time;
    bool batmap, hidden;
    unsigned spare_entries; /* of the table, beyond what the disk needs */
    struct vhd_make_locator locator[8];
    const char *parent_name; /* the header's own field; NULL: none */
};

/* Writes such an image without blocks to an empty file; a fixed one is zeroes. False: cannot. */
bool vhd_make(int fd, const struct vhd_make *m);
/*
 * Puts a block at the end of a file that vhd_make() made, and the footer behind
 * it. bits NULL: all sectors are there; data NULL: zeroes.
 */
bool vhd_make_block(int fd, uint32_t block, const uint8_t *bits, const uint8_t *data);
/* Puts len bytes at an offset and makes the three checksums right again. */
bool vhd_make_patch(int fd, uint64_t at, const void *data, size_t len);
/* The specification's checksum. */
uint32_t vhd_make_sum(const uint8_t *p, size_t len, size_t field);
