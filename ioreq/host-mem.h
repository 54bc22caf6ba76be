/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/host-mem.h: guest memory that is this process's own, for worlds that
 * bring none. RAM is split round the hole below 4 GiB as on a PC;
 * 0xa0000-0xbffff belongs to the display card; firmware ends below 4 GiB.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ioreq/world.h"

#define HOST_MEM_VGA_BASE 0xa0000 /* between these there is no RAM */
#define HOST_MEM_VGA_END  0xc0000
#define HOST_MEM_GIB4     (UINT64_C(1) << 32)

#define HOST_MEM_CHIPS 4

struct platform;

struct host_chip { /* a flash chip of the machine; its memory is the device's */
    uint64_t at, size;
    uint8_t *host; /* NULL: none */
    bool shown;    /* reads go to it; else they are the device's */
    bool copied;   /* the world has put what it wanted of it elsewhere */
};

struct host_mem {
    /* Its host bridge says what of 0xc0000-0xfffff is RAM. NULL: all, with the firmware's end. */
    const struct platform *board;
    uint8_t *ram; /* low part, then high part; untouched pages cost nothing */
    uint64_t low, high, mapped;
    bool huge;    /* of huge pages */
    uint8_t *rom; /* the last bytes below 4 GiB; NULL: none */
    uint64_t rom_size;
    struct host_chip chip[HOST_MEM_CHIPS];
    uint8_t *vram;
    uint64_t vram_size, vram_at; /* vram_at 0: no BAR */
    uint64_t *vram_dirty;        /* a bit a page */
};

/* With board set: o.ram bytes and o.firmware. 0, or -errno with a line in err; close() either way.
 */
int host_mem_open(struct host_mem *m, const struct world_options *o, struct err *err);
void host_mem_close(struct host_mem *m); /* a zeroed one is fine */

/*
 * What is guest memory at gpa; *len is cut to what is in one piece. NULL: none, for *len bytes.
 * Where it is video memory and written, its pages are noted as dirty.
 */
uint8_t *host_mem_at(struct host_mem *m, uint64_t gpa, uint64_t *len, bool write);
/* 0, or -EFAULT when any byte is not memory (bytes before it may have been copied). */
int host_mem_read(struct host_mem *m, uint64_t gpa, void *dst, size_t len);
int host_mem_write(struct host_mem *m, uint64_t gpa, const void *src, size_t len);
/* As mem_pin of hw/core/platform.h has it; nothing is to be given back. */
void *host_mem_pin(struct host_mem *m, uint64_t gpa, uint64_t len, bool write, uint64_t *got);

/* The op rom, less what the world does itself: which chip it was, or NULL: there are too many. */
struct host_chip *host_mem_chip(struct host_mem *m, uint64_t gpa, uint64_t size, uint8_t *host,
                                bool shown);

/* The ops vram_alloc and vram_dirty; where it is, the world says in vram_at. */
int host_vram_alloc(struct host_mem *m, uint64_t size, void **host, struct err *err);
int host_vram_dirty(struct host_mem *m, uint64_t first_page, size_t pages, uint64_t *bits);
size_t host_vram_words(uint64_t size); /* of vram_dirty, for video memory of that size */
