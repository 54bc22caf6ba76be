/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the IDE controller share: a controller with units, PIO, DMA, packets. */
#pragma once
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "block/impl.h"
#include "hw/ide.h"
#include "tests/unit/qt.h"

#define PRI       0x1f0
#define SEC       0x170
#define CTL(base) ((base) + 0x206)
#define BM_BASE   0xc000
#define IDE_DEVFN 0x09

enum { R_DATA, R_FEAT, R_COUNT, R_LOW, R_MID, R_HIGH, R_DEV, R_CMD };

/* A medium that can be told to fail or to take its time. */
struct fault {
    struct block *below;
    uint64_t bad, bad_len; /* bytes; 0: none */
    int err;
    bool hold, once; /* once: the next try of the bad bytes succeeds */
    bool bad_flush;
    bool bad_discard;
    uint64_t discards[64][2]; /* offset, length */
    unsigned ndiscards;
    struct block_req *held;
};

static inline void fault_pass(struct block *b, struct block_req *req)
{
    struct fault *f = b->priv;

    bool bad = f->bad_len && req->op <= BLOCK_WRITE && req->offset < f->bad + f->bad_len &&
               f->bad < req->offset + req->len;

    bad |= (req->op == BLOCK_FLUSH && f->bad_flush) || (req->op == BLOCK_DISCARD && f->bad_discard);
    if (req->op == BLOCK_DISCARD && f->ndiscards < 64) {
        f->discards[f->ndiscards][0] = req->offset;
        f->discards[f->ndiscards++][1] = req->len;
    }
    if (bad && f->once)
        f->bad_len = 0;
    if (bad)
        block_finish_later(req, f->err);
    else
        f->below->ops->submit(f->below, req);
}

static inline void fault_release(struct block *b)
{
    struct fault *f = b->priv;

    f->hold = false;
    while (f->held) {
        struct block_req *req = f->held;

        f->held = req->next;
        fault_pass(b, req);
    }
}

static inline void fault_submit(struct block *b, struct block_req *req)
{
    struct fault *f = b->priv;

    if (!f->hold) {
        fault_pass(b, req);
        return;
    }
    req->next = f->held;
    f->held = req;
}

static inline void fault_close(struct block *b)
{
    block_close(((struct fault *)b->priv)->below);
    block_free(b);
}

static const struct block_ops fault_ops = {
    .name = "fault", .submit = fault_submit, .close = fault_close, .wait = fault_release
};

static inline struct block *fault_open(struct qt *t, uint64_t size)
{
    struct block *b = block_new(t->plat.loop, &fault_ops, sizeof(struct fault), "fault");
    struct fault *f = b->priv;

    f->below = block_open_mem(t->plat.loop, size);
    f->err = EIO;
    b->size = size;
    return b;
}

/* A large empty medium, on the real back end. */
static inline struct block *sparse_open(struct qt *t, uint64_t size)
{
    int fd = memfd_create("sparse", MFD_CLOEXEC);

    CHECK(ftruncate(fd, size) == 0);
    return block_open_file(t->plat.loop, &BLOCK_OPTIONS(.file = "sparse", .fd = fd), false, NULL);
}

struct rig {
    struct qt *t;
    struct block *blk[4];
};

static void medium_done(struct block_req *req, int err)
{
    CHECK_EQ(err, 0);
}

/* Reads or writes a medium behind the controller's back. */
static inline void medium_io(struct block *b, enum block_op op, uint64_t off, void *data,
                             size_t len)
{
    struct iovec iov = { data, len };
    struct block_req req = {
        .op = op, .offset = off, .len = len, .iov = &iov, .niov = 1, .done = medium_done
    };

    block_submit(b, &req);
    while (req.busy)
        block_wait(b);
}

/* Sector n of a fresh medium: its number, then bytes that differ everywhere. */
static inline void pattern(uint8_t *p, uint64_t n, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (n * 7 + i * 13) ^ (i >> 8) ^ (n >> 5);
    memcpy(p, &n, 4);
}

static inline void medium_fill(struct block *b, size_t bsize)
{
    uint8_t buf[2048];

    for (uint64_t n = 0; n < b->size / bsize; n++) {
        pattern(buf, n, bsize);
        medium_io(b, BLOCK_WRITE, n * bsize, buf, bsize);
    }
}

/*
 * Unit n: sectors of 512, or blocks of 2048 for a CD; 0: a CD drive without medium. Up to 8192
 * of them hold the pattern; more are zeroes.
 */
static inline void rig_unit(struct rig *r, unsigned n, bool cd, uint64_t count)
{
    char key[32];

    snprintf(key, sizeof(key), "drive%u.kind", n);
    qt_config(r->t, key, cd ? "cdrom" : "disk");
    snprintf(key, sizeof(key), "drive%u", n);
    if (!count)
        return;
    if (count <= 8192) {
        r->blk[n] = fault_open(r->t, count * (cd ? 2048 : 512));
        medium_fill(r->blk[n], cd ? 2048 : 512);
    } else {
        r->blk[n] = sparse_open(r->t, count * (cd ? 2048 : 512));
    }
    if (cd)
        r->blk[n]->readonly = true;
    qt_config_obj(r->t, key, r->blk[n]);
}

static inline void rig_go(struct rig *r)
{
    struct qt *t = r->t;

    qt_add(t, &piix3_ide_type.dev, IDE_DEVFN);
    cfg_write(t, IDE_DEVFN, 0x20, BM_BASE | 1, 4);
    cfg_write(t, IDE_DEVFN, 0x04, 0x0005, 2);
}

static inline struct rig rig_disk(uint64_t sectors)
{
    struct rig r = { qt_new(), { NULL } };

    rig_unit(&r, 0, false, sectors);
    rig_go(&r);
    return r;
}

static inline void rig_end(struct rig *r)
{
    loop_step(r->t);
    for (int i = 0; i < 4; i++)
        block_close(r->blk[i]);
}

/* Waits for BSY to drop; returns the status without acknowledging the interrupt. */
static inline uint8_t settled(struct qt *t, unsigned base)
{
    for (int i = 0; i < 50; i++) {
        uint8_t st = inb(t, CTL(base));

        if (!(st & 0x80))
            return st;
        loop_step(t);
    }
    CHECK(!"still busy");
    return 0xff;
}

static inline void command(struct qt *t, unsigned base, uint8_t dev, uint64_t lba, uint16_t count,
                           uint8_t cmd)
{
    static const uint8_t ext[] = { 0x06, 0x24, 0x25, 0x27, 0x29, 0x34,
                                   0x35, 0x37, 0x39, 0x3d, 0x42, 0xce };

    outb(t, base + R_DEV, dev);
    if (memchr(ext, cmd, sizeof(ext))) {
        outb(t, base + R_COUNT, count >> 8);
        outb(t, base + R_LOW, lba >> 24);
        outb(t, base + R_MID, lba >> 32);
        outb(t, base + R_HIGH, lba >> 40);
    }
    outb(t, base + R_COUNT, count);
    outb(t, base + R_LOW, lba);
    outb(t, base + R_MID, lba >> 8);
    outb(t, base + R_HIGH, lba >> 16);
    outb(t, base + R_CMD, cmd);
}

/* By words; by double words where every access is a new life of the device. */
static inline void pio_in(struct qt *t, unsigned base, void *data, size_t len)
{
    size_t i = 0;

    for (; t->reload && i + 4 <= len; i += 4) {
        uint32_t l = inl(t, base);

        memcpy((uint8_t *)data + i, &l, 4);
    }
    for (; i < len; i += 2) {
        uint16_t w = inw(t, base);

        memcpy((uint8_t *)data + i, &w, len - i < 2 ? 1 : 2);
    }
}

static inline void pio_out(struct qt *t, unsigned base, const void *data, size_t len)
{
    size_t i = 0;

    for (; t->reload && i + 4 <= len; i += 4) {
        uint32_t l;

        memcpy(&l, (const uint8_t *)data + i, 4);
        outl(t, base, l);
    }
    for (; i < len; i += 2) {
        uint16_t w;

        memcpy(&w, (const uint8_t *)data + i, 2);
        outw(t, base, w);
    }
}

static inline void prd(struct qt *t, uint32_t table, unsigned i, uint32_t addr, uint32_t len,
                       bool last)
{
    put32(t, table + 8 * i, addr);
    put32(t, table + 8 * i + 4, (len & 0xffff) | (last ? 0x80000000u : 0));
}

static inline void bm_start(struct qt *t, unsigned ch, uint32_t table, bool to_ram)
{
    unsigned bm = BM_BASE + 8 * ch;

    outb(t, bm + 2, 0x06);
    outl(t, bm + 4, table);
    outb(t, bm, to_ram ? 0x08 : 0);
    outb(t, bm, (to_ram ? 0x08 : 0) | 1);
}

/* Sends a packet; the rest is the caller's. dma: the feature bit. */
static inline void packet(struct qt *t, unsigned base, uint8_t dev, const uint8_t *p,
                          uint16_t limit, bool dma)
{
    outb(t, base + R_DEV, dev);
    outb(t, base + R_FEAT, dma);
    outb(t, base + R_MID, limit);
    outb(t, base + R_HIGH, limit >> 8);
    outb(t, base + R_CMD, 0xa0);
    CHECK_EQ(settled(t, base) & 0x89, 0x08);
    CHECK_EQ(inb(t, base + R_COUNT) & 3, 1); /* a command goes out */
    pio_out(t, base, p, 12);
}

/* Runs a packet by PIO; returns the bytes received, or -1 with the error register's key. */
static inline int packet_in(struct qt *t, unsigned base, uint8_t dev, const uint8_t *p, void *data,
                            size_t size)
{
    size_t got = 0;
    uint8_t st;

    packet(t, base, dev, p, 0xfffe, false);
    for (st = settled(t, base); st & 0x08; st = settled(t, base)) {
        unsigned n = inb(t, base + R_MID) | inb(t, base + R_HIGH) << 8;

        CHECK_EQ(inb(t, base + R_COUNT) & 3, 2);
        CHECK(n && got + n <= size);
        pio_in(t, base, (uint8_t *)data + got, n);
        got += n;
    }
    CHECK_EQ(inb(t, base + R_COUNT) & 3, 3);
    return st & 1 ? -1 : (int)got;
}

/* The sense as key << 16 | asc << 8 | ascq. */
static inline uint32_t sense(struct qt *t, unsigned base, uint8_t dev)
{
    uint8_t p[12] = { 0x03, 0, 0, 0, 18 }, r[18];

    CHECK_EQ(packet_in(t, base, dev, p, r, sizeof(r)), 18);
    CHECK_EQ(r[0], 0x70);
    return (r[2] & 15) << 16 | r[12] << 8 | r[13];
}
