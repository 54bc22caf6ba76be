/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same to every kind of disk: random reads, writes, zeroes, discards and
 * flushes of any size and alignment, several in flight, through block.h; and
 * to a model in memory. Reads must give what the model has. Then the disk is
 * closed, opened again and compared, by us and by qemu-img.
 *
 * STORAGE_SEED chooses another run, STORAGE_REQUESTS how many requests.
 */
#include "tests/unit/qt.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include "tests/storage/disks.h"
#include "tests/storage/util.h"
#include "tests/unit/random.h"

#define SIZE      ((20u << 20) + 33 * 512)
#define LEN_MAX   150000u
#define IN_FLIGHT 8

struct scribbler;

struct request {
    struct block_req req;
    struct scribbler *owner;
    struct iovec iov[3];
    uint8_t *data;
    bool busy;
    bool adopt; /* a read of what a discard has left */
};

struct scribbler {
    struct block *b;
    uint8_t *model;
    uint64_t seed;
    unsigned left, flying;
    bool wrong;
    struct request slot[IN_FLIGHT];
};

static void request_done(struct block_req *req, int err);

/* In up to three pieces, as a guest's PRD table has it; every other one in one, aligned. */
static void request_submit(struct request *r, enum block_op op, uint64_t off, size_t len)
{
    struct scribbler *s = r->owner;
    size_t first = rnd_below(&s->seed, 2) ? len : len / 3;
    size_t second = rnd_below(&s->seed, len - first + 1);

    r->iov[0] = (struct iovec){ r->data, first };
    r->iov[1] = (struct iovec){ r->data + first, second };
    r->iov[2] = (struct iovec){ r->data + first + second, len - first - second };
    r->req = (struct block_req){ .op = op,
                                 .offset = off,
                                 .len = len,
                                 .iov = r->iov,
                                 .niov = 3,
                                 .may_unmap = rnd_below(&s->seed, 2),
                                 .done = request_done,
                                 .arg = r };
    if (op == BLOCK_FLUSH)
        r->req.offset = r->req.len = 0;
    r->busy = true;
    s->flying++;
    block_submit(s->b, &r->req);
}

static void read_came(struct request *r)
{
    struct scribbler *s = r->owner;
    uint8_t *model = s->model + r->req.offset;

    if (r->adopt) {
        memcpy(model, r->data, r->req.len);
        r->adopt = false;
        return;
    }
    for (uint64_t i = 0; i < r->req.len && !s->wrong; i++)
        if (r->data[i] != model[i]) {
            s->wrong = true;
            fprintf(stderr, "byte %llu of %llu+%llu: %02x, should be %02x\n",
                    (unsigned long long)(r->req.offset + i), (unsigned long long)r->req.offset,
                    (unsigned long long)r->req.len, r->data[i], model[i]);
        }
}

static void request_done(struct block_req *req, int err)
{
    struct request *r = req->arg;
    struct scribbler *s = r->owner;

    s->flying--;
    r->busy = false;
    if (err) {
        fprintf(stderr, "request %d of %llu+%llu: %s\n", req->op, (unsigned long long)req->offset,
                (unsigned long long)req->len, strerror(err));
        s->wrong = true;
    } else if (req->op == BLOCK_READ) {
        read_came(r);
    } else if (req->op == BLOCK_DISCARD) {
        r->adopt = true;
        request_submit(r, BLOCK_READ, req->offset, req->len);
    }
}

/* Two requests for one place at one time have no answer that a model could know. */
static bool is_free(const struct scribbler *s, uint64_t off, size_t len)
{
    for (int i = 0; i < IN_FLIGHT; i++) {
        const struct request *r = &s->slot[i];

        if (r->busy && off < r->req.offset + r->req.len && r->req.offset < off + len)
            return false;
    }
    return true;
}

static void scribble_one(struct scribbler *s, struct request *r)
{
    static const enum block_op ops[] = { BLOCK_READ,  BLOCK_READ,   BLOCK_READ, BLOCK_WRITE,
                                         BLOCK_WRITE, BLOCK_WRITE,  BLOCK_ZERO, BLOCK_WRITE,
                                         BLOCK_FLUSH, BLOCK_DISCARD };
    enum block_op op = ops[rnd_below(&s->seed, 10)];
    uint64_t off = rnd64(&s->seed) % SIZE, fill;
    size_t len = 1 + rnd_below(&s->seed, rnd_below(&s->seed, 4) ? 9000 : LEN_MAX);

    if (rnd_below(&s->seed, 4)) {
        uint64_t grain = rnd_below(&s->seed, 2) ? 512 : 4096; /* O_DIRECT takes the latter */

        off &= ~(grain - 1);
        len = (len + grain - 1) & ~(grain - 1);
    }
    if (len > SIZE - off)
        len = SIZE - off;
    if (!is_free(s, off, len))
        return;
    fill = rnd64(&s->seed);
    for (size_t i = 0; op == BLOCK_WRITE && i < len; i++)
        r->data[i] = fill >> (i % 8 * 8) ^ i >> 3;
    if (op == BLOCK_WRITE)
        memcpy(s->model + off, r->data, len);
    else if (op == BLOCK_ZERO)
        memset(s->model + off, 0, len);
    request_submit(r, op, off, len);
    s->left--;
}

static void play(struct scribbler *s, struct uv_loop_s *loop)
{
    while ((s->left || s->flying) && !s->wrong) {
        for (int i = 0; i < IN_FLIGHT && s->left; i++)
            if (!s->slot[i].busy && !s->slot[i].adopt)
                scribble_one(s, &s->slot[i]);
        uv_run(loop, UV_RUN_ONCE);
    }
    while (s->flying)
        uv_run(loop, UV_RUN_ONCE);
}

static bool holds(struct block *b, const uint8_t *model, struct uv_loop_s *loop)
{
    struct scribbler s = { .b = b, .model = (uint8_t *)(uintptr_t)model, .seed = 1 };
    struct request *r = &s.slot[0];

    r->owner = &s;
    r->data = malloc(1 << 20);
    for (uint64_t off = 0; off < SIZE && !s.wrong; off += 1 << 20) {
        request_submit(r, BLOCK_READ, off, SIZE - off < 1 << 20 ? SIZE - off : 1 << 20);
        while (s.flying)
            uv_run(loop, UV_RUN_ONCE);
    }
    free(r->data);
    return !s.wrong;
}

static void qemu_agrees(const struct disk_kind *k, const uint8_t *model)
{
    const char *raw = scratch_path("model.raw"), *path = scratch_path(k->name);
    char out[1024] = "";
    int fd = scratch_file("model.raw");

    CHECK(write(fd, model, SIZE) == SIZE);
    close(fd);
    if (run(out, sizeof(out), "qemu-img", "compare", "-f", k->qemu, "-F", "raw", path, raw, NULL))
        fprintf(stderr, "%s: %s\n", k->name, out);
    CHECK(strstr(out, "identical") != NULL);
    CHECK(!k->qemu_check || !run(NULL, 0, "qemu-img", "check", "-f", k->qemu, path, NULL));
}

static void reopen_and_compare(const struct disk_kind *k, uint8_t *model, struct uv_loop_s *loop)
{
    struct block *b;

    if (k->snapshot)
        memset(model, 0, SIZE); /* nothing of it may have stayed */
    b = disk_open(k, k->name, loop);
    CHECK(b != NULL);
    CHECK(holds(b, model, loop));
    disk_close(b, loop);
    disk_stop();
    if (k->qemu)
        qemu_agrees(k, model);
}

static void scribble_kind(const struct disk_kind *k, struct uv_loop_s *loop, uint64_t seed)
{
    struct scribbler *s = calloc(1, sizeof(*s));

    CHECK(disk_make(k, k->name, SIZE));
    s->b = disk_open(k, k->name, loop);
    CHECK(s->b != NULL);
    CHECK_EQ(s->b->size, SIZE);
    s->model = calloc(1, SIZE);
    s->seed = seed;
    s->left = env_number("STORAGE_REQUESTS", 500);
    for (int i = 0; i < IN_FLIGHT; i++) {
        s->slot[i].owner = s;
        s->slot[i].data = aligned_alloc(4096, (LEN_MAX + 4096) & ~4095u);
    }
    play(s, loop);
    if (s->wrong)
        fprintf(stderr, "%s: seed %llu\n", k->name, (unsigned long long)seed);
    CHECK(!s->wrong);
    CHECK(holds(s->b, s->model, loop));
    disk_close(s->b, loop);
    reopen_and_compare(k, s->model, loop);
    for (int i = 0; i < IN_FLIGHT; i++)
        free(s->slot[i].data);
    free(s->model);
    free(s);
}

static void scribble(const char *name)
{
    struct qt *t = qt_new();

    if (t->reload) /* no device here: one run is enough */
        return;
    for (const struct disk_kind *k = disk_kinds; k->name; k++)
        if (!strcmp(k->name, name))
            scribble_kind(k, t->plat.loop, env_number("STORAGE_SEED", 2026));
}

TEST(raw)
{
    scribble("raw");
}

TEST(qcow2)
{
    scribble("qcow2");
}

TEST(qcow2_of_small_clusters)
{
    scribble("qcow2-small");
}

TEST(vhd_fixed)
{
    scribble("vhd-fixed");
}

TEST(vhd_dynamic)
{
    scribble("vhd-dynamic");
}

TEST(vhd_differencing)
{
    scribble("vhd-differencing");
}

TEST(raw_past_the_page_cache)
{
    scribble("raw-direct");
}

TEST(qcow2_past_the_page_cache)
{
    scribble("qcow2-direct");
}

TEST(vhd_past_the_page_cache)
{
    scribble("vhd-direct");
}

TEST(nbd)
{
    scribble("nbd");
}

TEST(qcow2_at_a_server)
{
    scribble("qcow2-nbd");
}

TEST(vhd_at_a_server)
{
    scribble("vhd-nbd");
}

TEST(snapshot)
{
    scribble("snapshot");
}
