/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of a flash chip on their way to the image. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "hw/pflash-int.h"

static void loaded(struct block_req *req, int err)
{
    req->status = err;
}

int flash_open(struct flash_store *s, struct block *blk, const char *whose, struct err *err)
{
    struct iovec iov;
    struct block_req req = { .op = BLOCK_READ, .iov = &iov, .niov = 1, .done = loaded };

    if (!blk || !blk->size || blk->size % PFLASH_BLOCK || blk->size > PFLASH_MAX)
        return err_set(err, -EINVAL,
                       "%s: the image of a flash chip has a multiple of %u bytes, up to %u MiB; "
                       "this one has %llu",
                       whose, PFLASH_BLOCK, PFLASH_MAX >> 20,
                       blk ? (unsigned long long)blk->size : 0ull);
    s->mem = mmap(NULL, blk->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s->mem == MAP_FAILED) {
        s->mem = NULL;
        return err_set(err, -ENOMEM, "%s: out of memory", whose);
    }
    s->blk = blk;
    s->size = req.len = blk->size;
    iov = (struct iovec){ s->mem, s->size };
    block_submit(blk, &req);
    block_settle(blk);
    if (req.status) {
        flash_close(s);
        return err_set(err, -req.status, "%s: cannot read %s: %s", whose, blk->name,
                       strerror(req.status));
    }
    return 0;
}

void flash_close(struct flash_store *s)
{
    if (s->blk)
        block_settle(s->blk);
    if (s->mem)
        munmap(s->mem, s->size);
    s->mem = NULL;
    s->blk = NULL;
}

static void append(struct flash_store *s, uint32_t sector)
{
    unsigned at = (s->first + s->n++) % STORE_RING;

    s->sector[at] = sector;
    memcpy(s->data[at], s->mem + (uint64_t)sector * STORE_SECTOR, STORE_SECTOR);
}

/* The ring is empty: the first of those that found it full. */
static void append_late(struct flash_store *s)
{
    for (unsigned w = 0; w < STORE_WORDS; w++) {
        if (!s->late[w])
            continue;
        append(s, w * 64 + (unsigned)__builtin_ctzll(s->late[w]));
        s->late[w] &= s->late[w] - 1;
        s->nlate--;
        return;
    }
}

static void go_on(struct flash_store *s);

static void written(struct block_req *req, int err)
{
    struct flash_store *s = req->arg;

    s->first = (s->first + 1) % STORE_RING;
    s->n--;
    if (err)
        s->failed(s->arg, err);
    go_on(s);
}

static void go_on(struct flash_store *s)
{
    if (s->req.busy)
        return;
    if (!s->n && s->nlate)
        append_late(s);
    if (!s->n)
        return;
    s->iov = (struct iovec){ s->data[s->first], STORE_SECTOR };
    s->req = (struct block_req){ .op = BLOCK_WRITE,
                                 .offset = (uint64_t)s->sector[s->first] * STORE_SECTOR,
                                 .len = STORE_SECTOR,
                                 .iov = &s->iov,
                                 .niov = 1,
                                 .done = written,
                                 .arg = s };
    block_submit(s->blk, &s->req);
}

static void sector_changed(struct flash_store *s, uint32_t sector)
{
    unsigned last = (s->first + s->n - 1) % STORE_RING;
    uint64_t *w = &s->late[sector / 64], bit = 1ULL << sector % 64;

    if (s->nlate || s->n == STORE_RING) {
        s->nlate += !(*w & bit);
        *w |= bit;
    } else if (s->n > 1 && s->sector[last] == sector) { /* the first one is on its way */
        memcpy(s->data[last], s->mem + (uint64_t)sector * STORE_SECTOR, STORE_SECTOR);
    } else {
        append(s, sector);
    }
}

void flash_changed(struct flash_store *s, uint64_t off, uint64_t len)
{
    for (uint64_t at = off / STORE_SECTOR; at * STORE_SECTOR < off + len; at++)
        sector_changed(s, (uint32_t)at);
    go_on(s);
}
