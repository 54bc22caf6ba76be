/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that writes to a qcow2 image through block.h is killed at a moment
 * of chance. What it had flushed is there, every sector holds something it was
 * given, and qemu-img finds at worst clusters that nobody uses. PORTICO_KILLS
 * says how often; 12 without.
 */
#include "tests/unit/qt.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>
#include "tests/unit/qcow2-util.h"
#include "tests/unit/random.h"

#define BLOCKS 1500u
#define BLOCK  4096u
#define STRIDE 20480u /* between blocks: some share a cluster, others do not */
#define DEPTH  8
#define SIZE   (BLOCKS * STRIDE)

struct diary { /* shared with the process that is killed; written before what it tells of */
    uint32_t begun[BLOCKS];     /* the newest generation submitted */
    uint32_t stable[BLOCKS];    /* the newest that was flushed */
    uint32_t last_zero[BLOCKS]; /* the newest generation that was zeroes */
    uint32_t done;              /* requests */
};

struct slot {
    struct block_req req;
    struct iovec iov;
    unsigned block;
    uint32_t gen;
    uint8_t data[BLOCK];
};

struct writer {
    struct diary *diary;
    struct block *b;
    struct slot slot[DEPTH];
    struct block_req flush;
    uint64_t seed;
    uint32_t gen, completed[BLOCKS], flushing[BLOCKS];
    bool in_flight[BLOCKS];
};

static void fill(uint8_t *p, unsigned block, uint32_t gen)
{
    for (unsigned i = 0; i < BLOCK; i += 8) {
        memcpy(p + i, &gen, 4);
        memcpy(p + i + 4, &(uint32_t){ block | 0x80000000u }, 4);
    }
}

static void next(struct writer *w, struct slot *s);

static void written(struct block_req *req, int err)
{
    struct slot *s = (struct slot *)req;
    struct writer *w = req->arg;

    if (err)
        _exit(3);
    w->completed[s->block] = s->gen;
    w->in_flight[s->block] = false;
    w->diary->done++;
    next(w, s);
}

static void next(struct writer *w, struct slot *s)
{
    unsigned kind = rnd_below(&w->seed, 12);

    do {
        s->block = rnd_below(&w->seed, 4) ? rnd_below(&w->seed, BLOCKS) : w->gen % BLOCKS;
        if (w->in_flight[s->block])
            w->gen++;
    } while (w->in_flight[s->block]);
    w->in_flight[s->block] = true;
    s->gen = ++w->gen;
    if (kind < 2)
        w->diary->last_zero[s->block] = s->gen;
    __atomic_store_n(&w->diary->begun[s->block], s->gen, __ATOMIC_SEQ_CST);
    fill(s->data, s->block, s->gen);
    s->iov = (struct iovec){ s->data, BLOCK };
    s->req = (struct block_req){ .op = kind < 2 ? BLOCK_ZERO : BLOCK_WRITE,
                                 .iov = &s->iov,
                                 .niov = 1,
                                 .offset = (uint64_t)s->block * STRIDE,
                                 .len = BLOCK,
                                 .may_unmap = kind == 0,
                                 .done = written,
                                 .arg = w };
    block_submit(w->b, &s->req);
}

static void flush(struct writer *w);

static void flushed(struct block_req *req, int err)
{
    struct writer *w = req->arg;

    if (err)
        _exit(4);
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (w->flushing[i] > w->diary->stable[i])
            w->diary->stable[i] = w->flushing[i];
    }
    flush(w);
}

static void flush(struct writer *w)
{
    memcpy(w->flushing, w->completed, sizeof(w->flushing));
    w->flush = (struct block_req){ .op = BLOCK_FLUSH, .done = flushed, .arg = w };
    block_submit(w->b, &w->flush);
}

static void write_until_killed(struct diary *diary, uint64_t seed)
{
    struct writer *w = calloc(1, sizeof(*w));
    struct err why = { "" };
    uv_loop_t loop;

    w->diary = diary;
    w->seed = seed;
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (w->gen < diary->begun[i])
            w->gen = diary->begun[i];
    }
    uv_loop_init(&loop);
    w->b = block_open(
        &loop, &BLOCK_OPTIONS(.file = in_dir("k.img"), .format = "qcow2", .discard = true), &why);
    if (!w->b) {
        fprintf(stderr, "%s\n", why.msg);
        _exit(2);
    }
    for (unsigned i = 0; i < DEPTH; i++)
        next(w, &w->slot[i]);
    flush(w);
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(5);
}

/* Is a sector of a block something that it can hold after the kill? */
static bool sector_right(const struct diary *d, unsigned block, const uint8_t *p, uint32_t *gen)
{
    uint32_t words[2];

    memcpy(words, p, sizeof(words));
    for (unsigned i = 8; i < 512; i += 8) {
        if (memcmp(p, p + i, 8))
            return false;
    }
    *gen = words[0];
    if (!words[0] && !words[1])
        return !d->stable[block] || d->last_zero[block] >= d->stable[block];
    return words[1] == (block | 0x80000000u) && words[0] >= d->stable[block] &&
           words[0] <= d->begun[block];
}

static bool all_right(struct image *im, struct diary *d)
{
    uint8_t buf[BLOCK];

    for (unsigned i = 0; i < BLOCKS; i++) {
        uint32_t gen = 0;

        if (img_read(im, (uint64_t)i * STRIDE, buf, BLOCK))
            return false;
        for (unsigned s = 0; s < BLOCK; s += 512) {
            if (sector_right(d, i, buf + s, &gen))
                continue;
            fprintf(stderr, "block %u: generation %u, flushed %u, begun %u, zero %u\n", i, gen,
                    d->stable[i], d->begun[i], d->last_zero[i]);
            return false;
        }
    }
    return true;
}

static void kill_once(struct diary *d, uint64_t *seed)
{
    uint32_t before = d->done, more = 1 + rnd_below(seed, 1500);
    pid_t pid = fork();
    int status = 0;

    if (pid == 0)
        write_until_killed(d, rnd64(seed) | 1);
    for (int i = 0; i < 60000 && __atomic_load_n(&d->done, __ATOMIC_SEQ_CST) - before < more; i++) {
        usleep(1000);
        if (waitpid(pid, &status, WNOHANG))
            break;
    }
    CHECK_EQ(status, 0); /* it did not end by itself */
    usleep(rnd_below(seed, 3000));
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void forget_what_is_lost(struct image *im, struct diary *d)
{
    uint8_t buf[BLOCK];

    /* What was not flushed has been read now and can be relied on: it is the new truth. */
    for (unsigned i = 0; i < BLOCKS; i++) {
        fill(buf, i, d->begun[i]);
        CHECK_EQ(img_write(im, (uint64_t)i * STRIDE, buf, BLOCK), 0);
        d->stable[i] = d->begun[i];
        d->last_zero[i] = 0;
    }
    CHECK_EQ(im->ops->flush(im), 0);
}

static void make_image(unsigned which)
{
    static const char *const options[] = {
        "compat=1.1",     "cluster_size=4096", "lazy_refcounts=on,cluster_size=8192",
        "extended_l2=on", "cluster_size=512",  "compat=0.10"
    };

    CHECK_EQ(sh("rm -f k.img; qemu-img create -q -f qcow2 -o %s k.img %u",
                options[which % (sizeof(options) / sizeof(options[0]))], SIZE),
             0);
}

TEST(killed_at_any_moment)
{
    ONCE;
    const char *env = getenv("PORTICO_KILLS");
    unsigned kills = env ? (unsigned)strtoul(env, NULL, 0) : 12;
    struct diary *d =
        mmap(NULL, sizeof(*d), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t seed = 20;

    CHECK(d != MAP_FAILED);
    for (unsigned i = 0; i < kills; i++) {
        struct err why = { "" };
        struct image *im;
        int rc;

        if (i % 2 == 0) {
            make_image(i / 2);
            memset(d, 0, sizeof(*d));
        } else if (i % 4 == 1) {
            CHECK_EQ(sh("qemu-img snapshot -c s%u k.img", i), 0);
        }
        kill_once(d, &seed);
        rc = sh_quiet("qemu-img check -f qcow2 k.img");
        if (rc != 0 && rc != 3)
            sh("qemu-img check -f qcow2 k.img");
        CHECK(rc == 0 || rc == 3);
        im = img_open("k.img", false, &why);
        CHECK(im != NULL);
        CHECK(all_right(im, d));
        forget_what_is_lost(im, d);
        image_close(im);
        rc = sh_quiet("qemu-img check -f qcow2 k.img");
        CHECK(rc == 0 || rc == 3);
    }
    munmap(d, sizeof(*d));
}
