/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/pv/blkring.h: the ring of a PV disk (xen/io/blkif.h, xen/io/ring.h),
 * the back end's side. Its memory is shared with a guest that may write
 * anything into it at any moment: each request is copied once and only the
 * copy is looked at; what is in a struct blk_req is within the bounds said
 * here. Pure: memory in, memory out.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLK_SEGMENTS       11  /* in a request itself */
#define BLK_INDIRECT_MAX   256 /* in pages that a request names: what we offer */
#define BLK_INDIRECT_PAGES 8   /* that the layout has room for */
#define BLK_PAGE_SEGMENTS  512 /* in one such page */
#define BLK_SECTOR         512
#define BLK_PAGE_SECTORS   8

enum blk_abi { BLK_ABI_64, BLK_ABI_32 };
enum blk_op { BLK_READ = 0, BLK_WRITE = 1, BLK_FLUSH = 3, BLK_DISCARD = 5, BLK_INDIRECT = 6 };
enum blk_status { BLK_OK = 0, BLK_ERROR = -1, BLK_UNSUPPORTED = -2 };

struct blk_seg { /* sectors first..last of a granted page */
    uint32_t ref;
    uint8_t first, last; /* first <= last < BLK_PAGE_SECTORS */
};

struct blk_req {
    uint64_t id, sector;
    uint64_t
        nsectors;     /* of a discard; else the sum of the segments, or 0 while they are indirect */
    uint8_t op;       /* never BLK_INDIRECT */
    uint8_t raw_op;   /* for the response */
    bool secure;      /* of a discard */
    bool bad;         /* malformed: an error response is due, nothing else is set but id, raw_op */
    bool unsupported; /* likewise */
    unsigned nsegs;   /* at most BLK_SEGMENTS, or BLK_INDIRECT_MAX when indirect */
    unsigned npages;  /* indirect pages; 0: the segments are in seg[] */
    uint32_t page_ref[BLK_INDIRECT_PAGES];
    struct blk_seg seg[BLK_SEGMENTS];
};

struct blkring {
    volatile uint8_t *mem;
    unsigned entries; /* a power of two */
    enum blk_abi abi;
    uint32_t req_cons, rsp_prod;
};

/* What the front end set up and is there already stays. False: bytes holds no entry. */
bool blkring_init(struct blkring *r, void *mem, size_t bytes, enum blk_abi abi);
/* 1: *req is the next request; 0: there is none; -1: the indices make no sense, give up. */
int blkring_pop(struct blkring *r, struct blk_req *req);
/* Every popped request gets one response, in any order; the guest sees it after a publish. */
void blkring_respond(struct blkring *r, const struct blk_req *req, enum blk_status status);
/* True: the guest wants to be notified. */
bool blkring_publish(struct blkring *r);
/* Asks for a notification of the next request. True: there is one already. */
bool blkring_rest(struct blkring *r);

/*
 * The segments of an indirect request, from a copy of its pages: n of them
 * into seg, checked like those of a request. The sum of their sectors, or 0
 * when one is malformed.
 */
uint64_t blkring_segments(const uint8_t *pages, unsigned n, struct blk_seg *seg);
