/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory through foreign mappings. A mapping follows the machine page,
 * not the guest's address, so everything is dropped when Xen says that the
 * guest's map changed. At most CHUNKS mappings exist at a time, and PINS more
 * that are lent to requests (guest_mem_pin) and are no longer found: those
 * stay until they are given back. What a request then does to a page that the
 * guest no longer has (ballooned out in the middle of its own DMA) it does to
 * a page that Xen keeps until we unmap it.
 */
#include "ioreq/guest-mem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xendevicemodel.h>
#include <xenforeignmemory.h>

#define PAGE_SHIFT  12
#define CHUNK_SHIFT 20 /* 1 MiB */
#define CHUNK_PAGES (1u << (CHUNK_SHIFT - PAGE_SHIFT))
#define CHUNK_SIZE  (1ULL << CHUNK_SHIFT)
#define CHUNKS      256 /* a power of two; address space for 256 MiB of guest */

#define PINS 64

struct pin {       /* a mapping that is lent */
    uint8_t *host; /* NULL: free */
    uint64_t index;
    unsigned uses;
    bool orphan; /* no chunk has it any more */
};

struct chunk {
    uint8_t *host;  /* NULL: empty */
    uint64_t index; /* gpa >> CHUNK_SHIFT */
    uint64_t valid[CHUNK_PAGES / 64];
};

struct guest_mem {
    xenforeignmemory_handle *fmem;
    xendevicemodel_handle *dmod;
    unsigned domid;
    bool log_dirty;
    struct pin pin[PINS];
    struct chunk chunk[CHUNKS]; /* direct mapped by index */
};

struct guest_mem *guest_mem_new(struct xenforeignmemory_handle *fmem,
                                struct xendevicemodel_handle *dmod, unsigned domid)
{
    struct guest_mem *m = calloc(1, sizeof(*m));

    if (m) {
        m->fmem = fmem;
        m->dmod = dmod;
        m->domid = domid;
    }
    return m;
}

/* The pin of the mapping at host; with NULL a free one; NULL when there is none. */
static struct pin *pin_of(struct guest_mem *m, const uint8_t *host)
{
    for (unsigned i = 0; i < PINS; i++) {
        if (m->pin[i].host == host)
            return &m->pin[i];
    }
    return NULL;
}

static void chunk_drop(struct guest_mem *m, struct chunk *c)
{
    struct pin *pin = c->host ? pin_of(m, c->host) : NULL;

    if (pin)
        pin->orphan = true;
    else if (c->host)
        xenforeignmemory_unmap(m->fmem, c->host, CHUNK_PAGES);
    c->host = NULL;
}

void guest_mem_drop(struct guest_mem *m)
{
    for (unsigned i = 0; i < CHUNKS; i++)
        chunk_drop(m, &m->chunk[i]);
}

void guest_mem_free(struct guest_mem *m)
{
    if (!m)
        return;
    guest_mem_drop(m);
    for (unsigned i = 0; i < PINS; i++) { /* none, when every device has been freed */
        if (m->pin[i].host)
            xenforeignmemory_unmap(m->fmem, m->pin[i].host, CHUNK_PAGES);
    }
    free(m);
}

static void chunk_map(struct guest_mem *m, struct chunk *c, uint64_t index)
{
    xen_pfn_t gfns[CHUNK_PAGES];
    int errs[CHUNK_PAGES];
    bool any = false;

    chunk_drop(m, c);
    for (unsigned i = 0; i < CHUNK_PAGES; i++)
        gfns[i] = (index << (CHUNK_SHIFT - PAGE_SHIFT)) + i;
    c->host =
        xenforeignmemory_map(m->fmem, m->domid, PROT_READ | PROT_WRITE, CHUNK_PAGES, gfns, errs);
    if (!c->host)
        return;
    c->index = index;
    memset(c->valid, 0, sizeof(c->valid));
    for (unsigned i = 0; i < CHUNK_PAGES; i++) {
        if (!errs[i]) {
            c->valid[i / 64] |= 1ULL << (i % 64);
            any = true;
        }
    }
    if (!any)
        chunk_drop(m, c);
}

static bool chunk_has(const struct chunk *c, uint64_t index, unsigned page)
{
    return c->host && c->index == index && (c->valid[page / 64] >> (page % 64) & 1);
}

/* The host address of gpa, good for the rest of its page; NULL when it is not RAM. */
static uint8_t *guest_mem_at(struct guest_mem *m, uint64_t gpa)
{
    uint64_t index = gpa >> CHUNK_SHIFT;
    unsigned page = gpa >> PAGE_SHIFT & (CHUNK_PAGES - 1);
    struct chunk *c = &m->chunk[index & (CHUNKS - 1)];

    /* A hole may have been filled since it was mapped (nobody tells): look again. */
    if (!chunk_has(c, index, page))
        chunk_map(m, c, index);
    if (!chunk_has(c, index, page))
        return NULL;
    return c->host + (gpa & (CHUNK_SIZE - 1));
}

int guest_mem_copy(struct guest_mem *m, uint64_t gpa, void *buf, size_t len, bool write)
{
    uint64_t first = gpa >> PAGE_SHIFT;
    uint8_t *p = buf;

    if (gpa + len < gpa || gpa >> 52)
        return -EFAULT;
    while (len) {
        size_t n = (1u << PAGE_SHIFT) - (gpa & ((1u << PAGE_SHIFT) - 1));
        uint8_t *host = guest_mem_at(m, gpa);

        if (!host)
            return -EFAULT;
        if (n > len)
            n = len;
        if (write)
            memcpy(host, p, n);
        else
            memcpy(p, host, n);
        p += n;
        gpa += n;
        len -= n;
    }
    if (write && m->log_dirty)
        xendevicemodel_modified_memory(m->dmod, m->domid, first,
                                       (uint32_t)((gpa - 1) >> PAGE_SHIFT) - (uint32_t)first + 1);
    return 0;
}

/* Bytes from gpa on, at most len, that are RAM in the chunk that gpa is in. */
static uint64_t chunk_run(const struct chunk *c, uint64_t gpa, uint64_t len)
{
    uint64_t off = gpa & (CHUNK_SIZE - 1), end = off + len;

    if (len > CHUNK_SIZE - off)
        end = CHUNK_SIZE;
    for (unsigned page = off >> PAGE_SHIFT; (uint64_t)page << PAGE_SHIFT < end; page++) {
        if (!chunk_has(c, gpa >> CHUNK_SHIFT, page))
            end = (uint64_t)page << PAGE_SHIFT;
    }
    return end - off;
}

void *guest_mem_pin(struct guest_mem *m, uint64_t gpa, uint64_t len, uint64_t *got)
{
    uint64_t index = gpa >> CHUNK_SHIFT;
    struct chunk *c = &m->chunk[index & (CHUNKS - 1)];
    uint8_t *host = gpa >> 52 || !len ? NULL : guest_mem_at(m, gpa);
    struct pin *pin = host ? pin_of(m, c->host) : NULL;

    if (host && !pin)
        pin = pin_of(m, NULL);
    if (!pin)
        return NULL;
    if (!pin->host)
        *pin = (struct pin){ .host = c->host, .index = index };
    pin->uses++;
    *got = chunk_run(c, gpa, len);
    return host;
}

void guest_mem_unpin(struct guest_mem *m, void *host, uint64_t len, bool written)
{
    uint8_t *p = host;
    struct pin *pin = NULL;
    uint64_t first, last;

    for (unsigned i = 0; i < PINS && !pin; i++) {
        if (m->pin[i].host && p >= m->pin[i].host && p < m->pin[i].host + CHUNK_SIZE)
            pin = &m->pin[i];
    }
    if (!pin)
        return;
    first = (pin->index << CHUNK_SHIFT) + (p - pin->host);
    last = first + (len ? len - 1 : 0);
    if (written && m->log_dirty)
        xendevicemodel_modified_memory(m->dmod, m->domid, first >> PAGE_SHIFT,
                                       (uint32_t)((last >> PAGE_SHIFT) - (first >> PAGE_SHIFT)) +
                                           1);
    if (--pin->uses)
        return;
    if (pin->orphan)
        xenforeignmemory_unmap(m->fmem, pin->host, CHUNK_PAGES);
    pin->host = NULL;
}

void guest_mem_log_dirty(struct guest_mem *m, bool on)
{
    m->log_dirty = on;
}
