/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block/: the promises of block.h, for memory and for files by both engines. */
#include "tests/unit/qt.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <uv.h>
#include "block/aio.h"
#include "block/cdwatch.h"
#include "block/impl.h"

struct io {
    struct block_req req;
    struct iovec iov[4];
    int err;
    unsigned times;
};

static void io_done(struct block_req *req, int err)
{
    struct io *io = req->arg;

    io->err = err;
    io->times++;
}

static void io_start(struct block *b, struct io *io, enum block_op op, uint64_t off, void *data,
                     size_t len)
{
    memset(io, 0, sizeof(*io));
    io->iov[0] = (struct iovec){ data, len };
    io->req = (struct block_req){
        .op = op, .offset = off, .len = len, .iov = io->iov, .niov = 1, .done = io_done, .arg = io
    };
    block_submit(b, &io->req);
    CHECK(io->times == 0); /* never from inside block_submit() */
    CHECK(io->req.busy);
}

static int io_run(struct qt *t, struct block *b, enum block_op op, uint64_t off, void *data,
                  size_t len)
{
    struct io io;

    io_start(b, &io, op, off, data, len);
    for (int i = 0; i < 100 && !io.times; i++)
        loop_step(t);
    CHECK_EQ(io.times, 1);
    CHECK(!io.req.busy);
    return io.err;
}

static void fill(uint8_t *p, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (i * 31 + seed) ^ i >> 8;
}

static int image(const uint8_t *data, size_t len)
{
    int fd = memfd_create("image", MFD_CLOEXEC);

    CHECK(write(fd, data, len) == (ssize_t)len);
    return fd;
}

static struct block *file_on(struct qt *t, int fd, bool readonly, bool threads)
{
    struct err err = { "" };
    struct block *b = block_open_file(
        t->plat.loop, &BLOCK_OPTIONS(.file = "image", .readonly = readonly, .fd = dup(fd)), threads,
        &err);

    if (!b)
        fprintf(stderr, "%s\n", err.msg);
    CHECK(b != NULL);
    return b;
}

static void check_round_trip(struct qt *t, struct block *b)
{
    uint8_t out[8192], in[8192];

    fill(out, sizeof(out), 7);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 4096, out, sizeof(out)), 0);
    CHECK_EQ(io_run(t, b, BLOCK_FLUSH, 0, NULL, 0), 0);
    memset(in, 0, sizeof(in));
    CHECK_EQ(io_run(t, b, BLOCK_READ, 4096, in, sizeof(in)), 0);
    CHECK(!memcmp(in, out, sizeof(in)));
    CHECK_EQ(b->stat[BLOCK_WRITE].bytes, sizeof(out));
    CHECK_EQ(b->stat[BLOCK_READ].ops, 1);
    CHECK_EQ(b->stat[BLOCK_FLUSH].ops, 1);
    CHECK_EQ(b->inflight, 0);
}

static void check_bounds(struct qt *t, struct block *b)
{
    uint8_t buf[1024];

    CHECK_EQ(io_run(t, b, BLOCK_READ, b->size - 512, buf, 1024), EINVAL);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, b->size, buf, 512), EINVAL);
    CHECK_EQ(io_run(t, b, BLOCK_READ, UINT64_MAX - 511, buf, 1024), EINVAL);
    CHECK_EQ(io_run(t, b, BLOCK_READ, b->size, buf, 0), 0);
    CHECK_EQ(io_run(t, b, BLOCK_READ, b->size - 512, buf, 512), 0);
}

TEST(memory_round_trip_and_bounds)
{
    struct qt *t = qt_new();
    struct block *b = block_open_mem(t->plat.loop, 65536);

    check_round_trip(t, b);
    check_bounds(t, b);
    block_close(b);
}

TEST(file_round_trip_and_bounds_by_both_engines)
{
    static uint8_t zero[65536];

    for (int threads = 0; threads < 2; threads++) {
        struct qt *t = qt_new();
        int fd = image(zero, sizeof(zero));
        struct block *b = file_on(t, fd, false, threads);

        CHECK_EQ(b->size, 65536);
        check_round_trip(t, b);
        check_bounds(t, b);
        block_close(b);
        close(fd);
    }
}

TEST(one_engine_serves_all_files_of_a_loop)
{
    uint8_t data[512] = { 1 };
    struct qt *t = qt_new();
    int fd = image(data, 512);
    struct block *a = file_on(t, fd, false, false), *b = file_on(t, fd, false, false);
    struct aio *x = aio_get(t->plat.loop, NULL, false), *y = aio_get(t->plat.loop, NULL, false);

    CHECK(x && x == y);
    aio_put(x);
    aio_put(y);
    block_close(a);
    block_close(b);
    close(fd);
}

TEST(odd_tail_reads_zero_and_is_never_written)
{
    for (int threads = 0; threads < 2; threads++) {
        struct qt *t = qt_new();
        uint8_t data[1000], buf[1024];
        int fd;
        struct block *b;
        struct stat st;

        fill(data, sizeof(data), 1);
        fd = image(data, sizeof(data));
        b = file_on(t, fd, false, threads);
        CHECK_EQ(b->size, 1024);
        memset(buf, 0xee, sizeof(buf));
        CHECK_EQ(io_run(t, b, BLOCK_READ, 0, buf, 1024), 0);
        CHECK(!memcmp(buf, data, 1000));
        for (int i = 1000; i < 1024; i++)
            CHECK_EQ(buf[i], 0);
        memset(buf, 0x55, sizeof(buf));
        CHECK_EQ(io_run(t, b, BLOCK_WRITE, 512, buf, 512), 0);
        CHECK(fstat(fd, &st) == 0);
        CHECK_EQ(st.st_size, 1000);
        CHECK_EQ(io_run(t, b, BLOCK_READ, 512, buf, 512), 0);
        CHECK_EQ(buf[487], 0x55);
        CHECK_EQ(buf[488], 0);
        block_close(b);
        close(fd);
    }
}

TEST(what_was_truncated_away_is_an_error)
{
    for (int threads = 0; threads < 2; threads++) {
        static uint8_t zero[8192];
        struct qt *t = qt_new();
        int fd = image(zero, sizeof(zero));
        struct block *b = file_on(t, fd, false, threads);
        uint8_t buf[1024];

        CHECK(ftruncate(fd, 4096 + 512) == 0);
        CHECK_EQ(io_run(t, b, BLOCK_READ, 4096, buf, 512), 0);
        CHECK_EQ(io_run(t, b, BLOCK_READ, 4096, buf, 1024), EIO);
        CHECK_EQ(io_run(t, b, BLOCK_READ, 6144, buf, 512), EIO);
        block_close(b);
        close(fd);
    }
}

TEST(scattered_buffers)
{
    for (int threads = 0; threads < 2; threads++) {
        struct qt *t = qt_new();
        uint8_t data[3000], a[100], c[1948];
        int fd;
        struct block *b;
        struct io io = { 0 };

        fill(data, sizeof(data), 3);
        fd = image(data, sizeof(data));
        b = file_on(t, fd, true, threads);
        /* 2048 bytes from 1024 in three pieces, the middle one empty; the last 72 are tail. */
        io.iov[0] = (struct iovec){ a, sizeof(a) };
        io.iov[1] = (struct iovec){ NULL, 0 };
        io.iov[2] = (struct iovec){ c, sizeof(c) };
        io.req = (struct block_req){ .op = BLOCK_READ,
                                     .offset = 1024,
                                     .len = 2048,
                                     .iov = io.iov,
                                     .niov = 3,
                                     .done = io_done,
                                     .arg = &io };
        block_submit(b, &io.req);
        CHECK_EQ(block_drain(b), 0);
        CHECK_EQ(io.times, 1);
        CHECK_EQ(io.err, 0);
        CHECK(!memcmp(a, data + 1024, 100));
        CHECK(!memcmp(c, data + 1124, 3000 - 1124));
        CHECK_EQ(c[3000 - 1124], 0);
        io.req.niov = 2; /* does not sum to len */
        block_submit(b, &io.req);
        CHECK_EQ(block_drain(b), 0);
        CHECK_EQ(io.err, EINVAL);
        block_close(b);
        close(fd);
    }
}

TEST(readonly_refuses_writes_whatever_the_descriptor)
{
    static uint8_t zero[4096];
    struct qt *t = qt_new();
    int fd = image(zero, sizeof(zero));
    struct err err = { "" };
    struct block *b = block_open(
        t->plat.loop, &BLOCK_OPTIONS(.file = "image", .readonly = true, .fd = dup(fd)), &err);
    uint8_t buf[512] = { 9 };

    CHECK(b && b->readonly && b->size == 4096);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 0, buf, 512), EROFS);
    CHECK_EQ(io_run(t, b, BLOCK_DISCARD, 0, NULL, 512), EROFS);
    CHECK_EQ(io_run(t, b, BLOCK_FLUSH, 0, NULL, 0), 0);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 0, buf, 512), 0);
    CHECK_EQ(buf[0], 0);
    CHECK_EQ(block_drain(b), 0);
    block_close(b);
    close(fd);
}

TEST(discard_makes_zeroes)
{
    for (int threads = 0; threads < 2; threads++) {
        struct qt *t = qt_new();
        uint8_t data[16384], buf[8192];
        int fd, err;
        struct block *b;

        fill(data, sizeof(data), 5);
        fd = image(data, sizeof(data));
        b = file_on(t, fd, false, threads);
        err = io_run(t, b, BLOCK_DISCARD, 4096, NULL, 8192);
        CHECK(err == 0 || err == EOPNOTSUPP);
        CHECK_EQ(io_run(t, b, BLOCK_READ, 4096, buf, 8192), 0);
        for (int i = 0; !err && i < 8192; i++)
            CHECK_EQ(buf[i], 0);
        block_close(b);
        close(fd);
    }
}

TEST(many_at_once_complete_exactly_once)
{
    for (int threads = 0; threads < 2; threads++) {
        struct qt *t = qt_new();
        enum { N = 300 }; /* more than the ring holds */
        uint8_t *data = malloc(N * 512), *back = calloc(N, 512);
        struct io *io = calloc(N, sizeof(*io));
        int fd;
        struct block *b;

        memset(data, 0, N * 512);
        fd = image(data, N * 512);
        b = file_on(t, fd, false, threads);
        fill(data, N * 512, 11);
        for (int i = 0; i < N; i++)
            io_start(b, &io[i], BLOCK_WRITE, i * 512, data + i * 512, 512);
        block_cancel(&io[N - 1].req);
        CHECK_EQ(block_drain(b), 0);
        CHECK_EQ(b->inflight, 0);
        for (int i = 0; i < N; i++) {
            CHECK_EQ(io[i].times, 1);
            CHECK(io[i].err == 0 || (i == N - 1 && io[i].err == ECANCELED));
        }
        CHECK_EQ(io_run(t, b, BLOCK_READ, 0, back, N * 512), 0);
        CHECK(!memcmp(data, back, (N - 1) * 512));
        block_close(b);
        close(fd);
        free(data);
        free(back);
        free(io);
    }
}

TEST(closing_waits_for_what_is_in_flight)
{
    for (int threads = 0; threads < 2; threads++) {
        static uint8_t data[65536], buf[65536];
        struct qt *t = qt_new();
        int fd;
        struct block *b;
        struct io io[3];

        fill(data, sizeof(data), 2);
        fd = image(data, sizeof(data));
        b = file_on(t, fd, false, threads);
        for (int i = 0; i < 3; i++)
            io_start(b, &io[i], BLOCK_READ, 0, buf, sizeof(buf));
        block_close(b);
        for (int i = 0; i < 3; i++)
            CHECK(io[i].times == 1 && !io[i].err);
        CHECK(!memcmp(data, buf, sizeof(buf)));
        close(fd);
    }
}

static bool refused(struct qt *t, const char *file, const char *format, int fd, const char *says)
{
    struct err err = { "" };
    struct block *b =
        block_open(t->plat.loop, &BLOCK_OPTIONS(.file = file, .format = format, .fd = fd), &err);

    if (!b && strstr(err.msg, says) && !strchr(err.msg, '\n'))
        return true;
    fprintf(stderr, "said: %s\n", err.msg);
    block_close(b);
    return false;
}

TEST(what_cannot_be_opened_says_why)
{
    struct qt *t = qt_new();
    int empty = image((const uint8_t *)"", 0);

    CHECK(refused(t, "/nowhere/x.img", "raw", -1, "disk /nowhere/x.img: No such file"));
    CHECK(refused(t, "/", "raw", -1, "is a directory"));
    CHECK(refused(t, "/dev/null", "raw", -1, "neither a file nor a block device"));
    CHECK(refused(t, "", "raw", -1, "file name is empty"));
    CHECK(refused(t, "x.qed", "qed", -1, "convert with qemu-img convert -O raw"));
    CHECK(refused(t, "x.vhd", "vpc", empty, "too short"));
    empty = image((const uint8_t *)"", 0);
    CHECK(refused(t, "x.img", NULL, empty, "is empty"));
    CHECK(refused(t, "x.img", NULL, open("/proc/self/exe", O_RDONLY), "not open for reading and"));
}

TEST(opening_by_name)
{
    struct qt *t = qt_new();
    char name[] = "/tmp/portico-block-XXXXXX";
    int fd = mkstemp(name);
    struct err err = { "" };
    struct block *b;
    uint8_t buf[512];

    CHECK(fd >= 0 && ftruncate(fd, 1 << 20) == 0);
    b = block_open(t->plat.loop, &BLOCK_OPTIONS(.file = name, .format = "raw"), &err);
    CHECK(b && b->size == 1 << 20 && !strcmp(b->name, name) && !strcmp(b->format, "raw"));
    fill(buf, 512, 4);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 512, buf, 512), 0);
    CHECK_EQ(block_drain(b), 0);
    block_close(b);
    unlink(name);
    close(fd);
}

/* ---- the watch over a CD-ROM drive of the host ---- */

struct drive { /* one that is not there */
    uint64_t size;
    bool changed;
    unsigned looks, told;
    uint64_t told_size;
    uv_mutex_t lock;
};

static struct cd_look drive_look(void *arg)
{
    struct drive *d = arg;
    struct cd_look look;

    uv_mutex_lock(&d->lock);
    look = (struct cd_look){ d->size, d->changed };
    d->changed = false;
    d->looks++;
    uv_mutex_unlock(&d->lock);
    return look;
}

static void drive_told(void *arg, uint64_t size)
{
    struct drive *d = arg;

    d->told++;
    d->told_size = size;
}

static void drive_is_now(struct drive *d, uint64_t size, bool changed)
{
    uv_mutex_lock(&d->lock);
    d->size = size;
    d->changed = changed;
    d->looks = 0;
    uv_mutex_unlock(&d->lock);
}

/* Until it was looked at three times more and the loop has heard of it. */
static void drive_settles(struct drive *d, uv_loop_t *loop)
{
    unsigned looks = 0;

    for (int i = 0; i < 20000 && looks < 3; i++) {
        uv_run(loop, UV_RUN_NOWAIT);
        uv_mutex_lock(&d->lock);
        looks = d->looks;
        uv_mutex_unlock(&d->lock);
        usleep(1000);
    }
    uv_run(loop, UV_RUN_NOWAIT);
    CHECK(looks >= 3);
}

TEST(a_drive_of_the_host_is_watched)
{
    struct drive d = { .size = 4096 };
    uv_async_t alive;
    uv_loop_t loop;
    struct cdwatch *w;

    uv_mutex_init(&d.lock);
    uv_loop_init(&loop);
    uv_async_init(&loop, &alive, NULL); /* as a program's loop has something to wait for */
    w = cdwatch_new(&loop, 1, 4096, drive_look, drive_told, &d);
    CHECK(w != NULL);
    drive_settles(&d, &loop);
    CHECK_EQ(d.told, 0); /* nothing new */
    drive_is_now(&d, 0, true);
    drive_settles(&d, &loop);
    CHECK(d.told == 1 && d.told_size == 0); /* taken out: that is told once */
    drive_is_now(&d, 8192, true);
    drive_settles(&d, &loop);
    CHECK(d.told == 2 && d.told_size == 8192);
    drive_is_now(&d, 8192, true); /* one of the same size */
    drive_settles(&d, &loop);
    CHECK_EQ(d.told, 3);
    drive_is_now(&d, 2048, false);
    cdwatch_free(w); /* whatever it has seen */
    uv_close((uv_handle_t *)&alive, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_EQ(d.told, 3);
    CHECK_EQ(uv_loop_close(&loop), 0);
    uv_mutex_destroy(&d.lock);
}
