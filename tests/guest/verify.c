/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk under random requests, several in flight, each byte of which is checked. Every sector
 * that was written holds its number and the generation of the write, so a sector that is stale,
 * torn, lost or somebody else's is told from a right one. Linux's native asynchronous I/O with
 * O_DIRECT: the requests reach the disk as they are, and AHCI gets queued commands.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "guest.h"

#define SECTOR  512
#define LONGEST 256 /* sectors of a request */
#define DEPTH   16

struct slot {
    struct iocb cb;
    bool busy;
    uint32_t first, count; /* sectors; none for a flush */
    uint8_t *buf;
};

struct verifier {
    const char *hd;
    int fd;
    aio_context_t aio;
    uint32_t sectors, *generation; /* 0: not written by us */
    uint32_t writes;
    uint64_t seed, bytes[2]; /* read, written */
    unsigned flushes, wrong;
    struct slot slots[DEPTH];
};

static uint32_t random_below(struct verifier *v, uint32_t n)
{
    v->seed ^= v->seed << 13, v->seed ^= v->seed >> 7, v->seed ^= v->seed << 17;
    return (v->seed >> 16) % n;
}

static void fill(uint8_t *buf, uint32_t sector, uint32_t generation)
{
    uint64_t x = ((uint64_t)generation << 32 | sector) + 1;

    for (size_t i = 0; i < SECTOR; i += 8, x += 0x9e3779b97f4a7c15ull) {
        uint64_t word = i ? (x ^ x >> 31) * 0xbf58476d1ce4e5b9ull : x;

        memcpy(buf + i, &word, 8);
    }
}

static void check(struct verifier *v, const uint8_t *buf, uint32_t first, uint32_t count)
{
    uint8_t want[SECTOR];
    uint64_t id;

    for (uint32_t i = 0; i < count; i++, buf += SECTOR) {
        if (!v->generation[first + i])
            continue;
        fill(want, first + i, v->generation[first + i]);
        if (!memcmp(want, buf, SECTOR))
            continue;
        memcpy(&id, buf, 8);
        if (!v->wrong++)
            say("verify %s wrong: sector %u generation %u holds %llx", v->hd, first + i,
                v->generation[first + i], (unsigned long long)(id - 1));
    }
}

static bool overlaps(const struct verifier *v, uint32_t first, uint32_t count)
{
    for (int i = 0; i < DEPTH; i++) {
        const struct slot *s = &v->slots[i];

        if (s->busy && first < s->first + s->count && s->first < first + count)
            return true;
    }
    return false;
}

/* Half writes, most of the rest reads, and flushes; half of the requests are of one page. */
static bool start(struct verifier *v, struct slot *s)
{
    struct iocb *cbs[1] = { &s->cb };
    unsigned what = random_below(v, 32), op = IOCB_CMD_PREAD;

    s->count = what == 31 ? 0 : what & 1 ? 8 : 1 + random_below(v, LONGEST);
    do
        s->first = random_below(v, v->sectors - s->count);
    while (overlaps(v, s->first, s->count));
    if (!s->count) {
        op = IOCB_CMD_FSYNC;
        v->flushes++;
    } else if (what < 16) {
        op = IOCB_CMD_PWRITE;
        v->writes++;
        for (uint32_t i = 0; i < s->count; i++) {
            v->generation[s->first + i] = v->writes;
            fill(s->buf + i * SECTOR, s->first + i, v->writes);
        }
    }
    s->cb = (struct iocb){ .aio_data = (uintptr_t)s,
                           .aio_lio_opcode = op,
                           .aio_fildes = v->fd,
                           .aio_buf = op == IOCB_CMD_FSYNC ? 0 : (uintptr_t)s->buf,
                           .aio_nbytes = s->count * SECTOR,
                           .aio_offset = op == IOCB_CMD_FSYNC ? 0 : (int64_t)s->first * SECTOR };
    s->busy = syscall(SYS_io_submit, v->aio, 1L, cbs) == 1;
    if (!s->busy)
        say("error verify %s: submit: %m", v->hd);
    return s->busy;
}

static bool finish_some(struct verifier *v)
{
    struct io_event ev[DEPTH];
    long n = syscall(SYS_io_getevents, v->aio, 1L, (long)DEPTH, ev, NULL);

    for (long i = 0; i < n; i++) {
        struct slot *s = (struct slot *)(uintptr_t)ev[i].data;

        s->busy = false;
        if (ev[i].res != (int64_t)s->count * SECTOR) {
            say("error verify %s: sector %u: %lld", v->hd, s->first, (long long)ev[i].res);
            return false;
        }
        v->bytes[s->cb.aio_lio_opcode == IOCB_CMD_PWRITE] += ev[i].res;
        if (s->cb.aio_lio_opcode == IOCB_CMD_PREAD)
            check(v, s->buf, s->first, s->count);
    }
    return n > 0;
}

static bool scribble(struct verifier *v, int requests)
{
    int flying = 0;
    bool ok = true;

    for (int i = 0; i < DEPTH; i++)
        v->slots[i].buf = aligned_alloc(4096, LONGEST * SECTOR);
    while (ok && (requests || flying)) {
        for (int i = 0; i < DEPTH && requests && ok; i++)
            if (!v->slots[i].busy) {
                ok = start(v, &v->slots[i]);
                requests--;
            }
        ok = ok && finish_some(v);
        flying = 0;
        for (int i = 0; i < DEPTH; i++)
            flying += v->slots[i].busy;
    }
    return ok && !fsync(v->fd);
}

/* The whole area once more, in order; its checksum is what must be in the image. */
static bool read_all(struct verifier *v, char hex[33])
{
    enum { STEP = 1 << 20 };
    uint8_t *buf = aligned_alloc(4096, STEP);
    struct md5 m;
    uint32_t at = 0;

    md5_init(&m);
    for (; at < v->sectors && pread(v->fd, buf, STEP, (off_t)at * SECTOR) == STEP;
         at += STEP / SECTOR) {
        check(v, buf, at, STEP / SECTOR);
        md5_add(&m, buf, STEP);
    }
    free(buf);
    md5_hex(&m, hex);
    return at == v->sectors;
}

/* verify DISK [MIB [REQUESTS [SEED]]] */
static void cmd_verify(int argc, char **argv)
{
    struct verifier v = { .hd = argc > 1 ? argv[1] : "hda",
                          .sectors = (uint32_t)num(argc, argv, 2, 64) << 11,
                          .seed = 0x9e3779b97f4a7c15ull + num(argc, argv, 4, 1) };
    int requests = num(argc, argv, 3, 1000);
    double began = seconds(), took;
    char hex[33] = "";
    bool ok;

    v.fd = open_disk(v.hd, O_RDWR);
    if (v.fd < 0)
        return;
    v.generation = calloc(v.sectors, sizeof(*v.generation));
    ok = !syscall(SYS_io_setup, DEPTH, &v.aio) && scribble(&v, requests);
    took = seconds() - began;
    if (ok && read_all(&v, hex))
        say("verify %s wrong=%u requests=%d read=%llu written=%llu flushes=%u seconds=%.1f md5=%s",
            v.hd, v.wrong, requests, (unsigned long long)v.bytes[0], (unsigned long long)v.bytes[1],
            v.flushes, took, hex);
    else
        say("error verify %s: %m", v.hd);
    syscall(SYS_io_destroy, v.aio); /* waits for what is in flight: the buffers may go */
    for (int i = 0; i < DEPTH; i++)
        free(v.slots[i].buf);
    free(v.generation);
    close(v.fd);
}

const struct command verify_commands[] = {
    { "verify", cmd_verify, "DISK [MIB [REQUESTS [SEED]]]: random requests, every byte checked" },
    { 0 }
};
