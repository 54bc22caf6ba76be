/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Am79C970A: the initialization block and the descriptors, in the 16-bit
 * layout of the LANCE (SWSTYLE 0) and the 32-bit ones (SWSTYLE 1 and 2; 3 with
 * the words in another order). DS "Initialization Block", "RMD", "TMD".
 */
#include <string.h>
#include "hw/pcnet-int.h"

#define STYLE_REORDERED 3
#define BLOCK_16        24
#define BLOCK_32        28
#define RLEN_MAX        9 /* 2^9: a longer one is as long */

static bool is_32(const struct pcnet *p)
{
    return p->s.bcr[BCR_STYLE] & B20_SSIZE32;
}

static uint32_t csr32(const struct pcnet *p, unsigned low)
{
    return p->s.csr[low] | (uint32_t)p->s.csr[low + 1] << 16;
}

static void csr32_set(struct pcnet *p, unsigned low, uint32_t val)
{
    p->s.csr[low] = val;
    p->s.csr[low + 1] = val >> 16;
}

/* ---- the rings: where they are, how long, which descriptor is the next ---- */

static unsigned base_csr(int ring)
{
    return ring == RING_RX ? CSR_RX_BASE : CSR_TX_BASE;
}

static unsigned place_csr(int ring)
{
    return ring == RING_RX ? CSR_RX_PLACE : CSR_TX_PLACE;
}

unsigned pc_ring_len(const struct pcnet *p, int ring)
{
    uint16_t len = -p->s.csr[ring == RING_RX ? CSR_RX_LEN : CSR_TX_LEN];

    return len ? len : 1;
}

unsigned pc_ring_at(const struct pcnet *p, int ring)
{
    unsigned len = pc_ring_len(p, ring);
    uint16_t left = -p->s.csr[place_csr(ring)];

    return left && left <= len ? len - left : 0;
}

unsigned pc_ring_next(const struct pcnet *p, int ring, unsigned i)
{
    return i + 1 < pc_ring_len(p, ring) ? i + 1 : 0;
}

static uint32_t desc_gpa(const struct pcnet *p, int ring, unsigned i)
{
    return csr32(p, base_csr(ring)) + i * (is_32(p) ? 16 : 8);
}

void pc_ring_go(struct pcnet *p, int ring, unsigned i)
{
    p->s.csr[place_csr(ring)] = i - pc_ring_len(p, ring);
    csr32_set(p, ring == RING_RX ? CSR_RX_CURRENT : CSR_TX_CURRENT, desc_gpa(p, ring, i));
}

/* ---- descriptors ---- */

uint32_t pc_desc_size(const struct pc_desc *d)
{
    uint32_t size = -d->status & 0xfff;

    return size ? size : 4096;
}

/* 16 bits: address; address and status; length; message count or error of a transmission. */
static void unpack_16(struct pc_desc *d, const uint16_t w[4])
{
    d->addr = w[0] | (uint32_t)(w[1] & 0xff) << 16;
    d->status = (uint32_t)(w[1] & 0xff00) << 16 | w[2];
    d->count = 0;
}

static bool style_3(const struct pcnet *p)
{
    return (p->s.bcr[BCR_STYLE] & B20_STYLE) == STYLE_REORDERED;
}

bool pc_desc_get(struct pcnet *p, int ring, unsigned i, struct pc_desc *d)
{
    uint32_t gpa = desc_gpa(p, ring, i), w[4];
    uint16_t h[4];

    if (!is_32(p)) {
        if (pci_dma_read(&p->pci, gpa, h, sizeof(h))) {
            pc_master_failed(p, gpa);
            return false;
        }
        unpack_16(d, h);
        d->addr |= (uint32_t)p->s.csr[CSR_IADRH] >> 8 << 24;
        return true;
    }
    if (pci_dma_read(&p->pci, gpa, w, sizeof(w))) {
        pc_master_failed(p, gpa);
        return false;
    }
    d->addr = w[style_3(p) ? 2 : 0];
    d->status = w[1];
    d->count = 0;
    return true;
}

/* The status word of the LANCE is the upper half of the 32-bit one; errors have their own word. */
static bool put_16(struct pcnet *p, uint32_t gpa, int ring, const struct pc_desc *d)
{
    uint16_t count = ring == RING_RX ? d->count & 0xfff : d->count >> 16;
    uint8_t status = d->status >> 24;

    return !pci_dma_write(&p->pci, gpa + 6, &count, sizeof(count)) &&
           !pci_dma_write(&p->pci, gpa + 3, &status, sizeof(status));
}

bool pc_desc_put(struct pcnet *p, int ring, unsigned i, const struct pc_desc *d)
{
    uint32_t gpa = desc_gpa(p, ring, i);
    bool ok;

    if (is_32(p))
        ok = !pci_dma_write(&p->pci, gpa + (style_3(p) ? 0 : 8), &d->count, 4) &&
             !pci_dma_write(&p->pci, gpa + 4, &d->status, 4);
    else
        ok = put_16(p, gpa, ring, d);
    if (!ok)
        pc_master_failed(p, gpa);
    return ok;
}

/* ---- the initialization block ---- */

static uint16_t ring_words(unsigned exponent)
{
    return -(1u << (exponent > RLEN_MAX ? RLEN_MAX : exponent));
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t val;

    memcpy(&val, p, sizeof(val));
    return val;
}

static void rings_begin(struct pcnet *p, unsigned rlen, unsigned tlen)
{
    p->s.csr[CSR_RXTX] = tlen << 12 | rlen << 8;
    p->s.csr[CSR_RX_LEN] = ring_words(rlen);
    p->s.csr[CSR_TX_LEN] = ring_words(tlen);
    pc_ring_go(p, RING_RX, 0);
    pc_ring_go(p, RING_TX, 0);
}

static void block_32(struct pcnet *p, const uint8_t *b)
{
    memcpy(&p->s.csr[CSR_PADR], b + 4, 6);
    memcpy(&p->s.csr[CSR_LADRF], b + 12, 8);
    csr32_set(p, CSR_RX_BASE, get32(b + 20) & ~15u);
    csr32_set(p, CSR_TX_BASE, get32(b + 24) & ~15u);
    rings_begin(p, b[2] >> 4, b[3] >> 4);
}

/* Addresses have 24 bits; the upper eight are those of the block itself (DS CSR2). */
static void block_16(struct pcnet *p, const uint8_t *b)
{
    uint32_t high = (uint32_t)(p->s.csr[CSR_IADRH] & 0xff00) << 16;

    memcpy(&p->s.csr[CSR_PADR], b + 2, 6);
    memcpy(&p->s.csr[CSR_LADRF], b + 8, 8);
    csr32_set(p, CSR_RX_BASE, (get32(b + 16) & 0xfffff8) | high);
    csr32_set(p, CSR_TX_BASE, (get32(b + 20) & 0xfffff8) | high);
    rings_begin(p, b[19] >> 5, b[23] >> 5);
}

void pc_init_block(struct pcnet *p)
{
    uint8_t b[BLOCK_32];
    uint32_t gpa = csr32(p, CSR_IADRL);

    if (pci_dma_read(&p->pci, gpa, b, is_32(p) ? BLOCK_32 : BLOCK_16)) {
        pc_master_failed(p, gpa);
        return;
    }
    p->s.csr[CSR_MODE] = b[0] | b[1] << 8;
    if (is_32(p))
        block_32(p, b);
    else
        block_16(p, b);
    p->s.csr[CSR_STATUS] |= C0_IDON | C0_INIT;
    p->s.csr[CSR_STATUS] &= ~C0_STOP;
}
