/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks of a table of regions of guest memory, the bus master's or AHCI's. A
 * walk pauses after A_STEP entries: regions of two bytes would make it 65536
 * for one request.
 */
#include "hw/ide-int.h"

#define A_STEP 512 /* more than any driver's table has: theirs are never cut */

static bool table_fetch(struct dma_table *t, struct dma_cursor *cur)
{
    cur->walked++;
    return t->fetch(t, cur);
}

bool ide_dma_paused(const struct dma_cursor *cur)
{
    return cur->walked >= A_STEP;
}

enum dma_result ide_dma_move(struct dma_table *t, struct dma_cursor *cur, void *buf, uint32_t len,
                             uint32_t unit, bool to_guest, uint32_t *moved)
{
    struct pci_func *pci = t->pci;
    struct dma_cursor mark = *cur; /* behind the last whole unit */
    uint8_t *p = buf;
    uint32_t whole = 0;

    *moved = 0;
    while (*moved < len) {
        uint32_t n = len - *moved;
        int rc;

        if (!cur->left && cur->last)
            return DMA_SHORT;
        if (!cur->left && ide_dma_paused(cur) && whole) {
            *cur = mark;
            *moved = whole;
            return DMA_DONE;
        }
        if (!cur->left && !table_fetch(t, cur))
            return DMA_ERROR;
        if (n > cur->left)
            n = cur->left;
        rc = to_guest ? pci_dma_write(pci, cur->addr, p + *moved, n)
                      : pci_dma_read(pci, cur->addr, p + *moved, n);
        if (rc &&
            (!to_guest || pci_may_master(pci))) /* with no bus, what is written goes nowhere */
            return DMA_ERROR;
        cur->addr += n;
        cur->left -= n;
        cur->moved += n;
        *moved += n;
        if (*moved - whole >= unit) {
            uint32_t over = *moved % unit;

            whole = *moved - over;
            mark = *cur;
            mark.addr -= over;
            mark.left += over;
            mark.moved -= over;
        }
    }
    return DMA_DONE;
}

void ide_dma_release(struct dma_table *t, struct iovec *iov, int *niov, int from, bool written)
{
    while (*niov > from) {
        struct iovec *v = &iov[--*niov];

        dma_unpin(&t->pci->dev, v->iov_base, v->iov_len, written);
    }
}

/* Cuts iov[], which has total bytes, down to len. */
static void gather_trim(struct dma_table *t, struct iovec *iov, int *niov, uint64_t total,
                        uint64_t len)
{
    while (*niov && total - len >= iov[*niov - 1].iov_len) {
        total -= iov[*niov - 1].iov_len;
        ide_dma_release(t, iov, niov, *niov - 1, false);
    }
    if (*niov)
        iov[*niov - 1].iov_len -= total - len;
}

uint64_t ide_dma_gather(struct dma_table *t, struct dma_cursor *cur, struct iovec *iov, int *niov,
                        uint64_t max, uint32_t unit, bool to_guest)
{
    struct dma_cursor mark = *cur; /* behind the last whole unit */
    uint64_t total = 0, whole = 0, n, got;
    void *host;

    *niov = 0;
    while (total < max && *niov < IDE_SG) {
        if (!cur->left && (cur->last || ide_dma_paused(cur) || !table_fetch(t, cur)))
            break;
        n = max - total < cur->left ? max - total : cur->left;
        host = pci_dma_pin(t->pci, cur->addr, n, to_guest, &got);
        if (!host)
            break;
        iov[(*niov)++] = (struct iovec){ host, got };
        cur->addr += got;
        cur->left -= got;
        cur->moved += got;
        total += got;
        if (total - whole >= unit) {
            uint32_t over = total % unit;

            whole = total - over;
            mark = *cur;
            mark.addr -= over;
            mark.left += over;
            mark.moved -= over;
        }
    }
    gather_trim(t, iov, niov, total, whole);
    *cur = mark;
    return whole;
}
