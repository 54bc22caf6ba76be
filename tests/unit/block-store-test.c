/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host files under block/: O_DIRECT, locks, growing and shrinking, full disks, stores. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "block/store.h"
#include "tests/unit/block-util.h"

#define MIB (1u << 20)

static void temp_name(char *name, size_t size, uint64_t len)
{
    int fd;

    snprintf(name, size, "/var/tmp/portico-store-XXXXXX");
    fd = mkstemp(name);
    CHECK(fd >= 0 && ftruncate(fd, len) == 0);
    close(fd);
}

/* O_DIRECT where /var/tmp has it, buffered elsewhere. */
static bool has_direct(const char *name)
{
    int fd = open(name, O_RDONLY | O_DIRECT);

    if (fd < 0)
        fprintf(stderr, "no O_DIRECT on /var/tmp: tested buffered\n");
    else
        close(fd);
    return fd >= 0;
}

TEST(crooked_requests_with_o_direct)
{
    enum { N = 32 };
    struct qt *t = qt_new();
    char name[64];
    static uint8_t model[MIB + 512], got[MIB + 512], buf[N][4096 + 1];
    struct block *b;
    struct io io[N];
    struct stat st;

    temp_name(name, sizeof(name), MIB + 300); /* and an odd tail */
    b = must_open(t, &BLOCK_OPTIONS(.file = name, .format = "raw", .direct = has_direct(name)));
    CHECK_EQ(b->size, MIB + 512);
    memset(model, 0, sizeof(model));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) { /* next to each other, within the same blocks */
            fill(buf[i], sizeof(buf[i]), i + 40 * round);
            memcpy(model + i * 100, buf[i] + (i & 1), 100);
            io_start(b, &io[i], BLOCK_WRITE, i * 100, buf[i] + (i & 1), 100);
        }
        for (int i = 0; i < N; i++)
            CHECK_EQ(io_wait(t, &io[i]), 0);
    }
    memset(buf[0], 0x5a, 1024);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, MIB - 512, buf[0], 1024), 0);
    memset(model + MIB - 512, 0x5a, 512 + 300);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 0, got, MIB + 512), 0);
    CHECK(!memcmp(got, model, MIB + 512));
    CHECK_EQ(block_drain(b), 0);
    CHECK(!stat(name, &st) && st.st_size == MIB + 300); /* not rounded up */
    CHECK_EQ(io_run(t, b, BLOCK_READ, 512, got + 1, 1536), 0);
    CHECK(!memcmp(got + 1, model + 512, 1536));
    block_close(b);
    unlink(name);
}

/* A write of part of a block must not bring back what a write beside it has replaced. */
TEST(a_crooked_write_undoes_no_other)
{
    enum { N = 64 };
    struct qt *t = qt_new();
    char name[64];
    uint8_t *whole = aligned_alloc(4096, N * 4096), got[4096], part[100];
    struct io a[N], c[N];
    struct block *b;

    temp_name(name, sizeof(name), MIB);
    b = must_open(t, &BLOCK_OPTIONS(.file = name, .format = "raw", .direct = has_direct(name)));
    memset(part, 0xcc, sizeof(part));
    for (int round = 1; round < 6; round++) {
        memset(whole, round, N * 4096);
        for (int i = 0; i < N; i++) {
            io_start(b, &c[i], BLOCK_WRITE, i * 4096 + 100, part, sizeof(part));
            io_start(b, &a[i], BLOCK_WRITE, i * 4096, whole + i * 4096, 4096);
            uv_run(t->plat.loop, UV_RUN_NOWAIT);
        }
        CHECK_EQ(block_drain(b), 0);
        for (int i = 0; i < N; i++) {
            CHECK(a[i].times == 1 && c[i].times == 1 && !a[i].err && !c[i].err);
            CHECK_EQ(io_run(t, b, BLOCK_READ, i * 4096, got, 4096), 0);
            CHECK(got[0] == round && got[99] == round && got[200] == round && got[511] == round);
        }
    }
    block_close(b);
    unlink(name);
    free(whole);
}

TEST(stores_of_any_alignment)
{
    struct qt *t = qt_new();
    char name[64];
    static uint8_t out[600000], in[600000];
    struct err err = { "" };

    (void)t;
    for (int direct = 0; direct < 2; direct++) {
        struct store *s;
        struct stat st;

        temp_name(name, sizeof(name), 0);
        s = store_open(&BLOCK_OPTIONS(.file = name, .direct = direct && has_direct(name)), &err);
        CHECK(s && store_size(s) == 0 && !store_is_device(s) && !store_readonly(s));
        fill(out, sizeof(out), direct);
        CHECK_EQ(store_write(s, 777, out, sizeof(out)), 0);
        CHECK_EQ(store_size(s), 777 + sizeof(out));
        CHECK_EQ(store_read(s, 777, in, sizeof(in)), 0);
        CHECK(!memcmp(in, out, sizeof(in)));
        memset(in, 0xee, 2000);
        CHECK_EQ(store_read(s, 777 + sizeof(out) - 1000, in, 2000), 0);
        CHECK(!memcmp(in, out + sizeof(out) - 1000, 1000) && !in[1000] && !in[1999]);
        CHECK_EQ(store_zero(s, 1000, 100000, true), 0);
        CHECK_EQ(store_zero(s, 777 + sizeof(out), 5000, false), 0); /* grows */
        CHECK_EQ(store_size(s), 777 + sizeof(out) + 5000);
        CHECK_EQ(store_discard(s, 300000, UINT64_MAX / 4), 0);
        CHECK_EQ(store_size(s), 777 + sizeof(out) + 5000);
        CHECK_EQ(store_read(s, 777, in, sizeof(in)), 0);
        CHECK(!memcmp(in, out, 223) && !in[223] && !in[100222]);
        CHECK(!memcmp(in + 100223, out + 100223, 100000));
        CHECK_EQ(store_write(s, UINT64_MAX - 5, out, 100), -EFBIG);
        CHECK_EQ(store_resize(s, 1000), 0);
        CHECK_EQ(store_flush(s), 0);
        store_close(s);
        CHECK(!stat(name, &st) && st.st_size == 1000);
        s = store_open(&BLOCK_OPTIONS(.file = name, .readonly = true), &err);
        CHECK(s && store_write(s, 0, out, 1) == -EROFS && store_resize(s, 5) == -EROFS);
        CHECK(store_zero(s, 0, 1, true) == -EROFS && store_discard(s, 0, 1) == -EROFS);
        store_close(s);
        unlink(name);
    }
}

static bool locked_out(struct qt *t, const char *name, bool readonly, enum block_locking locking)
{
    struct err err = { "" };
    struct block *b = block_open(
        t->plat.loop,
        &BLOCK_OPTIONS(.file = name, .format = "raw", .readonly = readonly, .locking = locking),
        &err);
    bool out = !b;

    if (out)
        CHECK(strstr(err.msg, name) && strstr(err.msg, "is in use") &&
              strstr(err.msg, "file.locking=off"));
    block_close(b);
    return out;
}

static struct block *hold(struct qt *t, const char *name, bool readonly, enum block_locking locking)
{
    return must_open(
        t, &BLOCK_OPTIONS(.file = name, .format = "raw", .readonly = readonly, .locking = locking));
}

TEST(one_writer_or_many_readers)
{
    struct qt *t = qt_new();
    char name[64];
    struct block *a, *b;

    temp_name(name, sizeof(name), MIB);
    a = hold(t, name, false, BLOCK_LOCK_AUTO);
    CHECK(locked_out(t, name, false, BLOCK_LOCK_AUTO));
    CHECK(locked_out(t, name, true, BLOCK_LOCK_ON));
    CHECK(!locked_out(t, name, false, BLOCK_LOCK_OFF)); /* the back end of the same guest */
    CHECK(locked_out(t, name, false, BLOCK_LOCK_ON));   /* and that took no lock away */
    block_close(a);
    a = hold(t, name, true, BLOCK_LOCK_ON);
    b = hold(t, name, true, BLOCK_LOCK_ON);
    CHECK(locked_out(t, name, false, BLOCK_LOCK_ON));
    block_close(a);
    CHECK(locked_out(t, name, false, BLOCK_LOCK_ON));
    block_close(b);
    CHECK(!locked_out(t, name, false, BLOCK_LOCK_ON));
    unlink(name);
}

/* The bytes are a treaty with other programs: 100 + p used, 200 + p denied. */
TEST(locks_lie_where_others_look)
{
    static const struct {
        off_t at;
        bool writer, reader;
    } want[] = { { 100, true, true }, { 101, true, false },  { 201, true, true },
                 { 203, true, true }, { 200, false, false }, { 0, false, false } };
    struct qt *t = qt_new();
    char name[64];

    temp_name(name, sizeof(name), MIB);
    for (int readonly = 0; readonly < 2; readonly++) {
        struct block *b = hold(t, name, readonly, BLOCK_LOCK_ON);
        int fd = open(name, O_RDWR);

        for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
            struct flock fl = { .l_type = F_WRLCK, .l_start = want[i].at, .l_len = 1 };

            CHECK(fcntl(fd, F_OFD_GETLK, &fl) == 0);
            CHECK_EQ(fl.l_type != F_UNLCK, readonly ? want[i].reader : want[i].writer);
        }
        close(fd);
        block_close(b);
    }
    unlink(name);
}

static void note_event(void *arg, enum block_event event)
{
    *(int *)arg += event == BLOCK_RESIZED ? 1 : 100;
}

TEST(resizing_is_told_through_all_filters)
{
    struct qt *t = qt_new();
    char name[64];
    struct block *b;
    struct err err = { "" };
    int events = 0;
    uint8_t buf[512] = { 1 }, got[512];

    temp_name(name, sizeof(name), MIB);
    b = must_open(t, &BLOCK_OPTIONS(.file = name, .format = "raw", .fault = "rate=0",
                                    .detect_zeroes = true, .trace = "/dev/null"));
    block_listen(b, note_event, &events);
    CHECK_EQ(block_resize(b, 2 * MIB, &err), 0);
    CHECK_EQ(b->size, 2 * MIB);
    CHECK_EQ(events, 1);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 2 * MIB - 512, buf, 512), 0);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 2 * MIB - 512, got, 512), 0);
    CHECK_EQ(got[0], 1);
    CHECK_EQ(io_run(t, b, BLOCK_READ, MIB + 512, got, 512), 0);
    CHECK_EQ(got[0], 0);
    CHECK_EQ(block_resize(b, 1000, &err), -EINVAL);
    CHECK_EQ(block_resize(b, MIB / 2, &err), 0);
    CHECK_EQ(io_run(t, b, BLOCK_READ, MIB / 2, got, 512), EINVAL);
    block_close(b);
    b = hold(t, name, true, BLOCK_LOCK_ON);
    CHECK_EQ(block_resize(b, MIB, &err), -EROFS);
    block_close(b);
    unlink(name);
}

TEST(a_full_disk_and_a_shrunk_file_are_errors)
{
    struct qt *t = qt_new();
    int fd = sparse_image(MIB);
    struct rlimit old, low;
    struct block *b = must_open(
        t, &BLOCK_OPTIONS(.file = "image", .format = "raw", .fd = dup(fd), .discard = true));
    static uint8_t buf[8192];
    void (*was)(int) = signal(SIGXFSZ, SIG_IGN);

    CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
    low = (struct rlimit){ 512 << 10, old.rlim_max };
    CHECK(setrlimit(RLIMIT_FSIZE, &low) == 0);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 600 << 10, buf, 8192), EFBIG);
    CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
    signal(SIGXFSZ, was);
    CHECK_EQ(b->stat[BLOCK_WRITE].failed, 1);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 600 << 10, buf, 8192), 0);
    CHECK(ftruncate(fd, 4096) == 0);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 8192, buf, 512), EIO);
    CHECK_EQ(io_run(t, b, BLOCK_ZERO, 8192, NULL, 512), EIO);
    CHECK_EQ(io_run(t, b, BLOCK_DISCARD, 8192, NULL, 512), EIO);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 4096); /* nothing made it grow again */
    block_close(b);
    close(fd);
}

TEST(what_looks_like_another_format_wants_a_name)
{
    struct qt *t = qt_new();
    int fd = sparse_image(MIB);
    struct err err = { "" };
    struct block *b;

    CHECK(pwrite(fd, "QFI\xfb\0\0\0\3", 8, 0) == 8);
    CHECK(!block_open(t->plat.loop, &BLOCK_OPTIONS(.file = "x.img", .fd = dup(fd)), &err));
    CHECK(strstr(err.msg, "x.img: looks like qcow2") && strstr(err.msg, "format=raw"));
    CHECK(pwrite(fd, "KDMV\1\0\0\0", 8, 0) == 8); /* no format of ours, and no raw disk either */
    CHECK(!block_open(t->plat.loop, &BLOCK_OPTIONS(.file = "x.img", .fd = dup(fd)), &err));
    CHECK(strstr(err.msg, "x.img: looks like vmdk") != NULL);
    b = must_open(t, &BLOCK_OPTIONS(.file = "x.img", .fd = dup(fd), .format = "raw"));
    CHECK_EQ(b->size, MIB);
    block_close(b);
    close(fd);
}

TEST(null_takes_everything)
{
    struct qt *t = qt_new();
    struct block *b =
        must_open(t, &BLOCK_OPTIONS(.file = "null-co://1048576", .format = "null-co"));
    uint8_t buf[512] = { 1 };

    CHECK_EQ(b->size, MIB);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 0, buf, 512), 0);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 0, buf, 512), 0);
    CHECK_EQ(buf[0], 0);
    block_close(b);
}

TEST(options_make_discards_and_flushes_idle)
{
    struct qt *t = qt_new();
    int fd = sparse_image(MIB);
    struct block *b;
    static uint8_t buf[4096];

    memset(buf, 3, sizeof(buf));
    b = must_open(t, &BLOCK_OPTIONS(.file = "x", .format = "raw", .fd = dup(fd), .no_flush = true,
                                    .fault = "rate=1,ops=flush+discard"));
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 0, buf, 4096), 0);
    CHECK_EQ(io_run(t, b, BLOCK_DISCARD, 0, NULL, 4096), 0);
    CHECK_EQ(io_run(t, b, BLOCK_FLUSH, 0, NULL, 0), 0); /* neither came as far as the fault */
    CHECK_EQ(io_run(t, b, BLOCK_READ, 0, buf, 4096), 0);
    CHECK_EQ(buf[0], 3);
    block_close(b);
    close(fd);
}
