/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SIGKILL at a random moment, again and again, to a process that writes to a
 * disk through block.h. It tells in shared memory which write it is at, and up
 * to which one a flush has completed. What is left must open, hold every
 * write that was flushed, and of the others old or new, sector by sector. The
 * next process goes on with the same disk.
 *
 * STORAGE_KILLS is the number of kills over all kinds of disk; STORAGE_SEED
 * chooses another run.
 */
#include "tests/unit/qt.h"
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>
#include "tests/storage/disks.h"
#include "tests/storage/util.h"
#include "tests/unit/random.h"

#define SIZE      (24u << 20)
#define SECTORS   (SIZE / 512)
#define COUNT_MAX 64 /* sectors of a write */
#define IN_FLIGHT 6
#define PER_FLUSH 12   /* writes between two flushes */
#define LOG       8192 /* writes that one process may do */

struct write_log {                     /* shared with the process that will be killed */
    _Atomic uint32_t started, flushed; /* writes */
    struct {
        uint32_t first, count;
    } at[LOG];
};

/* ---- sectors: the number of the write, and of the sector, all over it ---- */

static void sector_make(uint8_t s[512], uint32_t sector, uint32_t number)
{
    for (int i = 0; i < 512 && number; i += 8) {
        uint32_t words[2] = { number, sector ^ i };

        memcpy(s + i, words, 8);
    }
    if (!number)
        memset(s, 0, 512);
}

static bool sector_number(const uint8_t s[512], uint32_t sector, uint32_t *number)
{
    uint8_t want[512];

    memcpy(number, s, 4);
    sector_make(want, sector, *number);
    return !memcmp(want, s, 512);
}

/* ---- the process that is killed ---- */

struct writer {
    struct block_req req;
    struct iovec iov;
    uint8_t data[COUNT_MAX * 512];
    bool busy;
};

static void write_done(struct block_req *req, int err)
{
    struct writer *w = req->arg;

    if (err)
        _exit(3);
    w->busy = false;
}

/* Not where another is in flight: which of the two comes last is nobody's promise. */
static bool write_start(struct block *b, struct writer *all, struct writer *w,
                        struct write_log *log, uint32_t base, uint64_t *seed)
{
    uint32_t n = atomic_load(&log->started), count = 1 + rnd_below(seed, COUNT_MAX);
    uint32_t first = rnd_below(seed, SECTORS - count);

    for (int i = 0; i < IN_FLIGHT; i++)
        if (all[i].busy && first * 512ull < all[i].req.offset + all[i].req.len &&
            all[i].req.offset < (first + count) * 512ull)
            return false;
    for (uint32_t i = 0; i < count; i++)
        sector_make(w->data + i * 512, first + i, base + n);
    log->at[n].first = first;
    log->at[n].count = count;
    atomic_store(&log->started, n + 1);
    w->iov = (struct iovec){ w->data, count * 512 };
    w->req = (struct block_req){ .op = BLOCK_WRITE,
                                 .offset = first * 512ull,
                                 .len = count * 512ull,
                                 .iov = &w->iov,
                                 .niov = 1,
                                 .done = write_done,
                                 .arg = w };
    w->busy = true;
    block_submit(b, &w->req);
    return true;
}

static void flush_all(struct block *b, struct writer *all, struct write_log *log,
                      struct uv_loop_s *loop)
{
    struct writer *f = &all[IN_FLIGHT];
    uint32_t n = atomic_load(&log->started);

    for (int i = 0; i < IN_FLIGHT; i++)
        while (all[i].busy)
            uv_run(loop, UV_RUN_ONCE);
    f->busy = true;
    f->req = (struct block_req){ .op = BLOCK_FLUSH, .done = write_done, .arg = f };
    block_submit(b, &f->req);
    while (f->busy)
        uv_run(loop, UV_RUN_ONCE);
    atomic_store(&log->flushed, n);
}

static void write_until_killed(const struct disk_kind *k, struct write_log *log, uint32_t base,
                               uint64_t seed)
{
    static struct writer all[IN_FLIGHT + 1];
    struct uv_loop_s loop;
    struct block *b;

    uv_loop_init(&loop);
    b = disk_open(k, k->name, &loop);
    if (!b)
        _exit(2);
    while (atomic_load(&log->started) < LOG - PER_FLUSH) {
        for (int done = 0; done < PER_FLUSH;) {
            for (int i = 0; i < IN_FLIGHT && done < PER_FLUSH; i++)
                done += !all[i].busy && write_start(b, all, &all[i], log, base, &seed);
            uv_run(&loop, UV_RUN_ONCE);
        }
        flush_all(b, all, log, &loop);
    }
    for (;;)
        pause();
}

/* ---- the one that looks ---- */

struct life { /* of a disk, over several processes */
    const struct disk_kind *kind;
    uint32_t *flushed; /* by sector: the number that must be there, or a later one that may */
    uint32_t base;     /* the next process's first number */
    uint64_t seed;
};

static bool read_all(struct block *b, uint8_t *data, struct uv_loop_s *loop)
{
    struct writer w = { .busy = true };

    w.iov = (struct iovec){ data, SIZE };
    w.req = (struct block_req){
        .op = BLOCK_READ, .len = SIZE, .iov = &w.iov, .niov = 1, .done = write_done, .arg = &w
    };
    block_submit(b, &w.req);
    while (w.busy)
        uv_run(loop, UV_RUN_ONCE);
    return true;
}

/* Was this sector part of that write, and is it one that no flush covered? */
static bool may_be(const struct life *l, const struct write_log *log, uint32_t sector,
                   uint32_t number)
{
    uint32_t n = number - l->base;

    return n >= atomic_load(&log->flushed) && n < atomic_load(&log->started) &&
           sector - log->at[n].first < log->at[n].count;
}

static unsigned count_wrong(struct life *l, const struct write_log *log, const uint8_t *data)
{
    unsigned wrong = 0;

    for (uint32_t n = 0; n < atomic_load(&log->flushed); n++)
        for (uint32_t i = 0; i < log->at[n].count; i++)
            l->flushed[log->at[n].first + i] = l->base + n;
    for (uint32_t s = 0; s < SECTORS; s++) {
        uint32_t number;
        bool known = sector_number(data + s * 512, s, &number);

        if (known && (number == l->flushed[s] || may_be(l, log, s, number))) {
            l->flushed[s] = number; /* and the next process starts from that */
            continue;
        }
        if (!wrong++)
            fprintf(stderr, "sector %u: write %u%s, should be %u (%u to %u were not flushed)\n", s,
                    number, known ? "" : " in part", l->flushed[s],
                    l->base + atomic_load(&log->flushed), l->base + atomic_load(&log->started));
    }
    return wrong;
}

static void check_by_qemu(const struct disk_kind *k)
{
    char out[2048];
    int rc;

    if (!k->qemu_check)
        return;
    rc = run(out, sizeof(out), "qemu-img", "check", "-f", k->qemu, scratch_path(k->name), NULL);
    if (rc && rc != 3) /* 3: clusters that nobody uses, and nothing else */
        fprintf(stderr, "%s: qemu-img check: %s\n", k->name, out);
    CHECK(rc == 0 || rc == 3);
}

/* Lets it come to its first flush, then for a random while more. */
static pid_t start_and_kill(struct life *l, struct write_log *log)
{
    unsigned later = rnd_below(&l->seed, 60000);
    uint64_t seed = rnd64(&l->seed) | 1;
    pid_t pid = fork();
    int status;

    if (pid == 0)
        write_until_killed(l->kind, log, l->base, seed);
    for (int i = 0; i < 60000 && !atomic_load(&log->flushed) && !waitpid(pid, &status, WNOHANG);
         i++)
        usleep(1000);
    usleep(later);
    kill(pid, SIGKILL);
    return pid;
}

static void kill_once(struct life *l, struct write_log *log)
{
    uint8_t *data = malloc(SIZE);
    struct uv_loop_s loop;
    struct block *b;
    unsigned wrong;
    int status = 0;
    pid_t pid;

    memset(log, 0, sizeof(*log));
    pid = start_and_kill(l, log);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    disk_stop();
    CHECK(atomic_load(&log->flushed) > 0);
    uv_loop_init(&loop);
    b = disk_open(l->kind, l->kind->name, &loop);
    CHECK(b != NULL);
    CHECK(read_all(b, data, &loop));
    wrong = count_wrong(l, log, data);
    if (wrong)
        fprintf(stderr, "%s: %u sectors are wrong\n", l->kind->name, wrong);
    CHECK_EQ(wrong, 0);
    disk_close(b, &loop);
    uv_loop_close(&loop);
    check_by_qemu(l->kind);
    l->base += atomic_load(&log->started);
    free(data);
}

static void kill_kind(const struct disk_kind *k, unsigned times, uint64_t seed)
{
    struct life l = { k, calloc(SECTORS, 4), 1, seed };
    struct write_log *log =
        mmap(NULL, sizeof(*log), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(log != MAP_FAILED);
    CHECK(disk_make(k, k->name, SIZE));
    for (unsigned i = 0; i < times; i++)
        kill_once(&l, log);
    munmap(log, sizeof(*log));
    free(l.flushed);
}

TEST(no_flushed_write_is_lost)
{
    uint64_t seed = env_number("STORAGE_SEED", 2026), kills = env_number("STORAGE_KILLS", 24);
    unsigned kinds = 0, left;

    if (qt_new()->reload) /* no device here: one run is enough */
        return;
    for (const struct disk_kind *k = disk_kinds; k->name; k++)
        kinds += !k->snapshot && !k->nbd;
    left = kinds;
    for (const struct disk_kind *k = disk_kinds; k->name; k++) {
        if (k->snapshot || k->nbd) /* nothing stays; and there the server is who writes */
            continue;
        kill_kind(k, kills / left, seed + left);
        kills -= kills / left--;
    }
}
