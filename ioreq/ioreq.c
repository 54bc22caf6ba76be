/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's requests, turned into struct io_req. Source: the public header
 * hvm/ioreq.h and what a live Xen 4.17 was seen to send (docs/xen.md).
 */
#include "ioreq/ioreq.h"
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#define CHUNK      4096u  /* Xen keeps a transfer inside a page */
#define COUNT_MAX  65536u /* more than a page of bytes is never sent */
#define STATE_BYTE 30     /* of struct ioreq: state in the low nibble, flags above */
#define STATE_MASK 0x0f

static_assert(sizeof(struct ioreq) == 32, "the shared page is an array of these");
static_assert(sizeof(struct buf_ioreq) == 8, "the ring is an array of these");
static_assert(sizeof(buffered_iopage_t) == 8 + 511 * 8, "pointers, then 511 slots");

static uint64_t size_mask(unsigned size)
{
    return size >= 8 ? ~0ULL : (1ULL << (8 * size)) - 1;
}

/* One element: a port stays where it is, memory and config space are addressed by step. */
static void serve_one(struct platform *p, const struct ioreq *req, uint64_t addr, uint64_t *data)
{
    struct io_req io = {
        .space = req->type == IOREQ_TYPE_COPY ? IO_MEM : IO_PORT,
        .write = req->dir == IOREQ_WRITE,
        .width = req->size,
        .addr = addr,
        .data = io.write ? *data & size_mask(req->size) : 0,
    };

    if (req->type == IOREQ_TYPE_PCI_CONFIG)
        platform_pci_cfg(p, addr >> 32 & 0xff, addr & 0xfff, &io);
    else
        platform_io(p, &io);
    if (!io.write)
        *data = io.data;
}

static uint64_t element_addr(const struct ioreq *req, uint32_t i)
{
    int64_t step = req->type == IOREQ_TYPE_COPY ? (int64_t)i * req->size : 0;

    return req->df ? req->addr - step : req->addr + step;
}

/* n elements from the i-th on, whose data lie in guest memory. */
static void serve_chunk(struct platform *p, const struct ioreq *req, uint32_t i, uint32_t n)
{
    uint8_t bytes[CHUNK];
    uint32_t len = n * req->size;
    uint64_t lowest = req->df ? req->data - (uint64_t)(i + n - 1) * req->size
                              : req->data + (uint64_t)i * req->size;

    if (req->dir == IOREQ_WRITE && (!p->ops->mem_read || p->ops->mem_read(p, lowest, bytes, len)))
        return; /* no such memory: the writes are dropped */
    for (uint32_t k = 0; k < n; k++) {
        uint8_t *at = bytes + (req->df ? n - 1 - k : k) * req->size;
        uint64_t data = 0;

        if (req->dir == IOREQ_WRITE)
            memcpy(&data, at, req->size);
        serve_one(p, req, element_addr(req, i + k), &data);
        if (req->dir == IOREQ_READ)
            memcpy(at, &data, req->size);
    }
    if (req->dir == IOREQ_READ && p->ops->mem_write && p->ops->mem_write(p, lowest, bytes, len))
        return; /* no such memory: what was read is lost, as on a bus */
}

static void serve_io(struct platform *p, struct ioreq *req)
{
    uint32_t count = req->count < COUNT_MAX ? req->count : COUNT_MAX;

    if (!req->data_is_ptr) {
        for (uint32_t i = 0; i < count; i++)
            serve_one(p, req, element_addr(req, i), &req->data);
        return;
    }
    for (uint32_t i = 0; i < count;) {
        uint32_t n = count - i < CHUNK / req->size ? count - i : CHUNK / req->size;

        serve_chunk(p, req, i, n);
        i += n;
    }
}

bool ioreq_serve(struct platform *p, const struct ioreq_hooks *hooks, struct ioreq *req)
{
    bool power_of_two = req->size && req->size <= 8 && !(req->size & (req->size - 1));

    switch (req->type) {
    case IOREQ_TYPE_PIO:
    case IOREQ_TYPE_COPY:
    case IOREQ_TYPE_PCI_CONFIG:
        if (power_of_two) {
            serve_io(p, req);
            return true;
        }
        break;
    case IOREQ_TYPE_TIMEOFFSET:
        if (hooks->time_offset)
            hooks->time_offset(p, (int64_t)req->data);
        return true;
    case IOREQ_TYPE_INVALIDATE:
        if (hooks->invalidate)
            hooks->invalidate(p);
        return true;
    default:
        break;
    }
    if (req->dir == IOREQ_READ && !req->data_is_ptr)
        req->data = ~0ULL;
    return false;
}

static void slot_state(struct ioreq *slot, uint8_t state)
{
    _Atomic uint8_t *byte = (_Atomic uint8_t *)((uint8_t *)slot + STATE_BYTE);
    uint8_t flags = atomic_load_explicit(byte, memory_order_relaxed) & ~STATE_MASK;

    atomic_store_explicit(byte, flags | state, memory_order_release);
}

bool ioreq_waits(const struct ioreq *slot)
{
    const _Atomic uint8_t *byte = (const _Atomic uint8_t *)((const uint8_t *)slot + STATE_BYTE);

    return (atomic_load_explicit(byte, memory_order_acquire) & STATE_MASK) == STATE_IOREQ_READY;
}

bool ioreq_slot(struct platform *p, const struct ioreq_hooks *hooks, struct ioreq *slot,
                buffered_iopage_t *ring)
{
    struct ioreq req;

    if (!ioreq_waits(slot))
        return false;
    req = *slot;
    slot_state(slot, STATE_IOREQ_INPROCESS);
    if (ring)
        ioreq_drain(p, hooks, ring); /* what this vCPU wrote before comes first */
    ioreq_serve(p, hooks, &req);
    if (req.dir == IOREQ_READ && !req.data_is_ptr)
        slot->data = req.data;
    slot_state(slot, STATE_IORESP_READY);
    return true;
}

static uint64_t ring_pointers(buffered_iopage_t *ring)
{
    /* Xen moves both pointers down together; one 64-bit load never sees half of that. */
    return atomic_load_explicit((_Atomic uint64_t *)(void *)ring, memory_order_acquire);
}

/* Copies the entry at `at` out of the ring. Slots it took: 1 or 2, 0 when half of a pair is due. */
static unsigned ring_entry(buffered_iopage_t *ring, uint32_t at, uint32_t avail, struct ioreq *req)
{
    struct buf_ioreq e = ring->buf_ioreq[at % IOREQ_BUFFER_SLOT_NUM];
    unsigned slots = e.size == 3 ? 2 : 1;

    if (slots > avail)
        return 0;
    *req = (struct ioreq){ .addr = e.addr,
                           .data = e.data,
                           .count = 1,
                           .size = 1u << e.size,
                           .dir = e.dir,
                           .type = e.type };
    if (slots == 2)
        req->data |= (uint64_t)ring->buf_ioreq[(at + 1) % IOREQ_BUFFER_SLOT_NUM].data << 32;
    return slots;
}

unsigned ioreq_drain(struct platform *p, const struct ioreq_hooks *hooks, buffered_iopage_t *ring)
{
    unsigned n = 0;

    while (n < IOREQ_BUFFER_SLOT_NUM) { /* a guest that writes on and on does not hold the loop */
        uint64_t both = ring_pointers(ring);
        uint32_t rd = (uint32_t)both, wr = both >> 32;
        struct ioreq req;
        unsigned slots;

        if (rd == wr || wr - rd > IOREQ_BUFFER_SLOT_NUM)
            break;
        slots = ring_entry(ring, rd, wr - rd, &req);
        if (!slots)
            break;
        ioreq_serve(p, hooks, &req);
        atomic_fetch_add_explicit((_Atomic uint32_t *)(void *)ring, slots, memory_order_release);
        n++;
    }
    return n;
}
