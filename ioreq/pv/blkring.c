/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ring of a PV disk. Layouts are those of xen/io/blkif.h for x86_64 and
 * for x86_32 guests, where a 64-bit number is aligned to 4 bytes only: every
 * field behind the first four bytes sits 4 bytes lower.
 */
#include "ioreq/pv/blkring.h"
#include <assert.h>
#include <string.h>

#define RING_HEADER 64 /* req_prod, req_event, rsp_prod, rsp_event, padding */
#define SLOT_64     112
#define SLOT_32     108
#define SEG_BYTES   8

enum { REQ_PROD = 0, REQ_EVENT = 4, RSP_PROD = 8, RSP_EVENT = 12 };

/* Offsets on x86_64; on x86_32 they are 4 less. */
enum {
    AT_ID = 8,
    AT_SECTOR = 16,
    AT_SEGS = 24,     /* READ, WRITE, FLUSH */
    AT_NSECTORS = 24, /* DISCARD */
    AT_PAGES = 28,    /* INDIRECT */
};

static_assert(AT_SEGS + BLK_SEGMENTS * SEG_BYTES == SLOT_64, "a request is the largest entry");
static_assert(AT_PAGES + 4 * BLK_INDIRECT_PAGES <= SLOT_64, "an indirect request fits");

static unsigned slot_bytes(const struct blkring *r)
{
    return r->abi == BLK_ABI_64 ? SLOT_64 : SLOT_32;
}

static volatile uint32_t *word(const struct blkring *r, unsigned at)
{
    return (volatile uint32_t *)(r->mem + at);
}

static volatile uint8_t *slot(const struct blkring *r, uint32_t index)
{
    return r->mem + RING_HEADER + (size_t)(index & (r->entries - 1)) * slot_bytes(r);
}

bool blkring_init(struct blkring *r, void *mem, size_t bytes, enum blk_abi abi)
{
    *r = (struct blkring){ .mem = mem, .abi = abi };
    if (bytes < RING_HEADER + slot_bytes(r))
        return false;
    for (r->entries = 1; RING_HEADER + 2 * (size_t)r->entries * slot_bytes(r) <= bytes;)
        r->entries *= 2;
    /* After a restore of ours the guest's ring is fresh; a front end that is not tells by these. */
    r->rsp_prod = r->req_cons = __atomic_load_n(word(r, RSP_PROD), __ATOMIC_ACQUIRE);
    return true;
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static unsigned get16(const uint8_t *p)
{
    return p[0] | p[1] << 8;
}

/* The sum of the sectors, or 0. */
static uint64_t parse_segments(const uint8_t *p, unsigned n, struct blk_seg *seg)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++, p += SEG_BYTES) {
        seg[i] = (struct blk_seg){ get32(p), p[4], p[5] };
        if (seg[i].first > seg[i].last || seg[i].last >= BLK_PAGE_SECTORS)
            return 0;
        sum += seg[i].last - seg[i].first + 1u;
    }
    return sum;
}

uint64_t blkring_segments(const uint8_t *pages, unsigned n, struct blk_seg *seg)
{
    return n <= BLK_INDIRECT_MAX ? parse_segments(pages, n, seg) : 0;
}

static void parse_data(struct blk_req *req, const uint8_t *p, unsigned shift)
{
    req->nsegs = p[1];
    if (req->nsegs > BLK_SEGMENTS) {
        req->bad = true;
        return;
    }
    req->nsectors = parse_segments(p + AT_SEGS - shift, req->nsegs, req->seg);
    req->bad = !req->nsectors && (req->nsegs || req->op != BLK_FLUSH);
}

static void parse_indirect(struct blk_req *req, const uint8_t *p, unsigned shift)
{
    req->op = req->raw_op = p[1]; /* what drivers want to see in the response */
    req->nsegs = get16(p + 2);
    req->npages = (req->nsegs + BLK_PAGE_SEGMENTS - 1) / BLK_PAGE_SEGMENTS;
    req->bad = !req->nsegs || req->nsegs > BLK_INDIRECT_MAX ||
               (req->op != BLK_READ && req->op != BLK_WRITE);
    for (unsigned i = 0; !req->bad && i < req->npages; i++)
        req->page_ref[i] = get32(p + AT_PAGES - shift + 4 * (size_t)i);
}

static void parse(struct blk_req *req, const uint8_t *p, enum blk_abi abi)
{
    unsigned shift = abi == BLK_ABI_64 ? 0 : 4;

    memset(req, 0, sizeof(*req));
    req->raw_op = req->op = p[0];
    req->id = get64(p + AT_ID - shift);
    req->sector = get64(p + AT_SECTOR - shift);
    switch (req->op) {
    case BLK_READ:
    case BLK_WRITE:
    case BLK_FLUSH:
        parse_data(req, p, shift);
        break;
    case BLK_DISCARD:
        req->secure = p[1] & 1;
        req->nsectors = get64(p + AT_NSECTORS - shift);
        break;
    case BLK_INDIRECT:
        parse_indirect(req, p, shift);
        break;
    default:
        req->unsupported = true;
        break;
    }
}

int blkring_pop(struct blkring *r, struct blk_req *req)
{
    uint32_t prod = __atomic_load_n(word(r, REQ_PROD), __ATOMIC_ACQUIRE);
    uint8_t copy[SLOT_64] = { 0 };
    volatile const uint8_t *from = slot(r, r->req_cons);

    /* What has no response yet is in the ring too: a request there would be overwritten by one. */
    if (prod - r->rsp_prod > r->entries || prod - r->req_cons > r->entries)
        return -1;
    if (prod == r->req_cons)
        return 0;
    memcpy(copy, (const void *)from, slot_bytes(r));
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* the copy is what is looked at, not the ring */
    r->req_cons++;
    parse(req, copy, r->abi);
    return 1;
}

void blkring_respond(struct blkring *r, const struct blk_req *req, enum blk_status status)
{
    uint8_t rsp[12] = { 0 };
    int16_t st = (int16_t)status;

    memcpy(rsp, &req->id, sizeof(req->id));
    rsp[8] = req->raw_op;
    memcpy(rsp + 10, &st, sizeof(st));
    /* At these offsets in both layouts, which differ in the padding behind. */
    memcpy((void *)(uintptr_t)slot(r, r->rsp_prod), rsp, sizeof(rsp));
    r->rsp_prod++;
}

bool blkring_publish(struct blkring *r)
{
    uint32_t old = *word(r, RSP_PROD), event;

    __atomic_store_n(word(r, RSP_PROD), r->rsp_prod, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    event = *word(r, RSP_EVENT);
    return (uint32_t)(r->rsp_prod - event) < (uint32_t)(r->rsp_prod - old);
}

bool blkring_rest(struct blkring *r)
{
    __atomic_store_n(word(r, REQ_EVENT), r->req_cons + 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return *word(r, REQ_PROD) != r->req_cons;
}
