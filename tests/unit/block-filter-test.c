/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters of block/: what they promise on top of a good disk, and of a bad one. */
#include <stdio.h>
#include "block/filter.h"
#include "tests/unit/block-util.h"

#define MIB (1u << 20)

static struct block *open_on(struct qt *t, int fd, struct block_options o)
{
    o.file = "image";
    o.format = "raw";
    o.fd = dup(fd);
    o.locking = BLOCK_LOCK_OFF;
    return must_open(t, &o);
}

TEST(snapshot_takes_writes_and_leaves_the_image_alone)
{
    struct qt *t = qt_new();
    static uint8_t data[MIB], got[MIB], now[MIB];
    int fd = sparse_image(0);
    struct block *b;

    fill(data, MIB - 512, 3);
    CHECK(pwrite(fd, data, MIB - 512, 0) == MIB - 512);
    b = open_on(t, fd, BLOCK_OPTIONS(.snapshot = true));
    CHECK(!b->readonly && b->size == MIB - 512);
    /* part of one cluster; across a border; whole ones; up to the end. */
    static const struct {
        uint64_t off, len;
    } w[] = { { 512, 1024 },        { 4096 - 512, 1024 }, { 8192, 16384 },
              { MIB - 1536, 1024 }, { 12288 + 512, 512 }, { 40960, 512 * 99 } };
    for (unsigned i = 0; i < sizeof(w) / sizeof(w[0]); i++) {
        fill(now, w[i].len, 100 + i);
        CHECK_EQ(io_run(t, b, BLOCK_WRITE, w[i].off, now, w[i].len), 0);
        memcpy(data + w[i].off, now, w[i].len);
    }
    CHECK_EQ(io_run(t, b, BLOCK_ZERO, 9000 / 512 * 512, NULL, 20480), 0);
    memset(data + 9000 / 512 * 512, 0, 20480);
    CHECK_EQ(io_run(t, b, BLOCK_DISCARD, 0, NULL, 4096), 0);
    CHECK_EQ(io_run(t, b, BLOCK_FLUSH, 0, NULL, 0), 0);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 0, got, MIB - 512), 0);
    CHECK(!memcmp(got, data, MIB - 512));
    block_close(b);
    fill(data, MIB - 512, 3);
    CHECK(pread(fd, got, MIB - 512, 0) == MIB - 512 && !memcmp(got, data, MIB - 512));
    close(fd);
}

TEST(snapshot_of_a_huge_disk_stays_small)
{
    struct qt *t = qt_new();
    int fd = sparse_image(15ull << 40);
    struct block *b = open_on(t, fd, BLOCK_OPTIONS(.snapshot = true));
    uint8_t out[1024], in[1024];

    fill(out, sizeof(out), 8);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, (15ull << 40) - 4096, out, sizeof(out)), 0);
    CHECK_EQ(io_run(t, b, BLOCK_READ, (15ull << 40) - 4096, in, sizeof(in)), 0);
    CHECK(!memcmp(in, out, sizeof(in)));
    block_close(b);
    close(fd);
}

TEST(random_changes_over_a_snapshot_read_back)
{
    enum { SIZE = 256 << 10, N = 24 };
    static uint8_t model[SIZE], got[SIZE], buf[N][8192];
    struct qt *t = qt_new();
    int fd = sparse_image(SIZE);
    struct block *b = open_on(t, fd,
                              BLOCK_OPTIONS(.snapshot = true, .fault = "delay=0-2,ops=read",
                                            .detect_zeroes = true, .discard = true));
    struct io io[N];
    uint64_t seed = 12345;

    memset(model, 0, SIZE);
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < N; i++) { /* each in its own slot: the outcome has to be certain */
            uint64_t slot = SIZE / N / 512 * 512;
            uint64_t len, off;

            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            len = 512 * (1 + (seed >> 33) % 16);
            off = i * slot + 512 * ((seed >> 43) % 4);
            fill(buf[i], len, seed >> 50);
            if (i % 5 == 0)
                memset(buf[i], 0, len);
            memcpy(model + off, buf[i], len);
            io_start(b, &io[i], BLOCK_WRITE, off, buf[i], len);
        }
        CHECK_EQ(block_drain(b), 0);
        for (int i = 0; i < N; i++)
            CHECK(io[i].times == 1 && !io[i].err);
    }
    CHECK_EQ(io_run(t, b, BLOCK_READ, 0, got, SIZE), 0);
    CHECK(!memcmp(got, model, SIZE));
    block_close(b);
    close(fd);
}

TEST(throttle_holds_back_in_order_and_drains_at_once)
{
    enum { N = 30 };
    struct qt *t = qt_new();
    int fd = sparse_image(MIB);
    struct block_throttle set = { .iops[BLOCK_LIMIT_TOTAL] = { .avg = 20 } }, seen;
    struct block *b = open_on(t, fd, BLOCK_OPTIONS(.throttle = set));
    struct io io[N], flush;
    uint8_t buf[512];
    uint64_t began = uv_hrtime();
    unsigned n = 0;

    block_get_throttle(b, &seen);
    CHECK_EQ(seen.iops[BLOCK_LIMIT_TOTAL].avg, 20);
    for (int i = 0; i < N; i++)
        io_start(b, &io[i], BLOCK_READ, i * 512, buf, 512);
    io_start(b, &flush, BLOCK_FLUSH, 0, NULL, 0);
    CHECK_EQ(io_wait(t, &flush), 0); /* flushes are free */
    CHECK_EQ(io_wait(t, &io[9]), 0);
    /* 2 go at once and leave the bucket at its brim; each more has to leak first: 50 ms. */
    CHECK(uv_hrtime() - began >= 7 * 50000000ull - 20000000ull);
    block_cancel(&io[N - 1].req);
    CHECK_EQ(io_wait(t, &io[N - 1]), ECANCELED);
    CHECK(io[N - 2].times == 0 || uv_hrtime() - began > 1000000000ull);
    for (int i = 1; i < 10; i++) /* one at a time below, so in the order of the queue */
        CHECK(io[i].order > io[i - 1].order || i < 3);
    CHECK_EQ(block_drain(b), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(io[i].times, 1);
        n += !io[i].err;
    }
    CHECK_EQ(n, N - 1);
    block_close(b);
    close(fd);
}

TEST(throttle_changes_while_requests_wait)
{
    struct qt *t = qt_new();
    int fd = sparse_image(MIB);
    struct block_throttle slow = { .bps[BLOCK_LIMIT_WRITE] = { .avg = 512 } }, none = { 0 };
    struct block_throttle bad = { .iops[BLOCK_LIMIT_READ] = { .avg = 10, .max = 5 } };
    struct block *b = open_on(t, fd, BLOCK_OPTIONS(.throttle = slow)), *mem;
    struct io a, c, r;
    struct err err = { "" };
    static uint8_t buf[65536];

    io_start(b, &a, BLOCK_WRITE, 0, buf, 65536); /* 128 s of it */
    CHECK_EQ(io_wait(t, &a), 0);                 /* the first finds the bucket empty */
    io_start(b, &c, BLOCK_WRITE, 0, buf, 512);
    io_start(b, &r, BLOCK_READ, 0, buf, 512);
    CHECK_EQ(io_wait(t, &r), 0); /* reads do not wait behind writes */
    CHECK_EQ(c.times, 0);
    CHECK_EQ(block_set_throttle(b, &bad, &err), -EINVAL);
    CHECK_EQ(c.times, 0);
    CHECK_EQ(block_set_throttle(b, &none, &err), 0);
    CHECK_EQ(io_wait(t, &c), 0);
    block_close(b);
    mem = block_open_mem(t->plat.loop, 512);
    CHECK_EQ(block_set_throttle(mem, &none, &err), -ENOTSUP);
    block_close(mem);
    close(fd);
}

/* One bucket for all: what one disk pours in, the other one waits for, and they take turns. */
TEST(disks_of_a_group_share_their_limits)
{
    enum { N = 6 };
    struct qt *t = qt_new();
    int fd = sparse_image(MIB);
    struct block_throttle slow = { .iops[BLOCK_LIMIT_TOTAL] = { .avg = 20 } }, seen, none = { 0 };
    struct block_group *g = block_group_new(t->plat.loop, "g");
    struct block *a = open_on(t, fd, BLOCK_OPTIONS()), *b = open_on(t, fd, BLOCK_OPTIONS());
    struct io of_a[N], of_b[N];
    uint8_t buf[512];
    uint64_t began = uv_hrtime();

    CHECK(!block_group_name(block_group_of(a)) && !block_group_is_used(g));
    block_group_set(g, &slow);
    CHECK_EQ(block_set_group(a, g, NULL), 0);
    CHECK_EQ(block_set_group(b, g, NULL), 0);
    CHECK(block_group_of(b) == g && block_group_is_used(g));
    block_get_throttle(b, &seen);
    CHECK_EQ(seen.iops[BLOCK_LIMIT_TOTAL].avg, 20);
    for (int i = 0; i < N; i++)
        io_start(a, &of_a[i], BLOCK_READ, i * 512, buf, 512);
    for (int i = 0; i < N; i++)
        io_start(b, &of_b[i], BLOCK_READ, i * 512, buf, 512);
    CHECK_EQ(io_wait(t, &of_b[N - 1]), 0);
    CHECK_EQ(io_wait(t, &of_a[N - 1]), 0);
    /* 12 requests, 3 at once and 50 ms for each of the others, were they one disk's or two's */
    CHECK(uv_hrtime() - began >= 9 * 50000000ull - 20000000ull);
    CHECK(of_b[0].order < of_a[N - 1].order && of_b[1].order < of_a[N - 1].order);

    for (int i = 0; i < N; i++)
        io_start(a, &of_a[i], BLOCK_WRITE, i * 512, buf, 512);
    io_start(b, &of_b[0], BLOCK_WRITE, 0, buf, 512);
    CHECK_EQ(block_set_group(b, NULL, NULL), 0); /* what waits goes along, into no limits */
    CHECK_EQ(io_wait(t, &of_b[0]), 0);
    CHECK_EQ(of_a[N - 1].times, 0);
    block_close(b);
    block_group_set(g, &none);
    CHECK_EQ(io_wait(t, &of_a[N - 1]), 0);
    CHECK(block_drain(a) == 0);
    block_group_unref(g);
    CHECK(!strcmp(block_group_name(block_group_of(a)), "g")); /* the disk holds it */
    block_close(a);
    close(fd);
}

TEST(fault_rate_is_the_same_for_the_same_seed)
{
    struct qt *t = qt_new();
    int fd = sparse_image(MIB), first[200], failed = 0;
    uint8_t buf[512];

    for (int round = 0; round < 2; round++) {
        struct block *b =
            open_on(t, fd, BLOCK_OPTIONS(.fault = "rate=0.25,errno=ENOSPC,ops=write,seed=7"));

        for (int i = 0; i < 200; i++) {
            int err = io_run(t, b, BLOCK_WRITE, i * 512, buf, 512);

            CHECK(err == 0 || err == ENOSPC);
            CHECK_EQ(io_run(t, b, BLOCK_READ, i * 512, buf, 512), 0);
            CHECK(round == 0 || err == first[i]);
            first[i] = err;
            failed += err != 0;
        }
        CHECK_EQ(b->stat[BLOCK_WRITE].failed, failed / (round + 1));
        CHECK_EQ(b->stat[BLOCK_WRITE].ops, 200 - failed / (round + 1));
        block_close(b);
    }
    CHECK(failed > 40 && failed < 160); /* of 400 */
    close(fd);
}

TEST(torn_writes_write_whole_sectors_from_the_front)
{
    struct qt *t = qt_new();
    int fd = sparse_image(MIB), cut = 0;
    static uint8_t ones[16384], got[16384];
    struct block *b = open_on(t, fd, BLOCK_OPTIONS(.fault = "torn=1,errno=5"));

    memset(ones, 1, sizeof(ones));
    for (int i = 0; i < 10; i++) {
        unsigned n = 0;

        CHECK_EQ(io_run(t, b, BLOCK_WRITE, i * 16384, ones, 16384), EIO);
        CHECK(pread(fd, got, 16384, i * 16384) == 16384);
        while (n < 16384 && got[n])
            n++;
        CHECK(n % 512 == 0 && n < 16384);
        for (unsigned k = n; k < 16384; k++)
            CHECK(!got[k]);
        cut += n > 0;
    }
    CHECK(cut > 0);
    block_close(b);
    close(fd);
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");

    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

TEST(blkdebug_rules_fire_by_event_sector_and_state)
{
    struct qt *t = qt_new();
    int fd = sparse_image(MIB);
    char name[] = "/tmp/portico-blkdebug-XXXXXX", spec[64];
    int cfg = mkstemp(name);
    struct block *b;
    uint8_t buf[4096];

    write_file(name, "# a comment\n[inject-error]\nevent = \"read_aio\"\nerrno = \"5\"\n"
                     "sector = \"8\"\n\n[inject-error]\n  event = \"write_aio\"\nerrno=\"28\"\n"
                     "once = \"on\"\nimmediately = \"off\"\nstate = \"2\"\n"
                     "[set-state]\nevent = \"flush_to_disk\"\nstate = \"1\"\nnew_state = \"2\"\n"
                     "[inject-error]\nevent = \"l2_load\"\n");
    snprintf(spec, sizeof(spec), "config=%s", name);
    b = open_on(t, fd, BLOCK_OPTIONS(.fault = spec));
    CHECK_EQ(io_run(t, b, BLOCK_READ, 0, buf, 4096), 0);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 4096, buf, 512), EIO);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 2048, buf, 4096), EIO);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 4608, buf, 4096), 0);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 4096, buf, 512), 0);
    CHECK_EQ(io_run(t, b, BLOCK_FLUSH, 0, NULL, 0), 0);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 4096, buf, 512), ENOSPC);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 4096, buf, 512), 0); /* once */
    block_close(b);
    close(cfg);
    unlink(name);
    close(fd);
}

TEST(blkdebug_rules_in_the_options)
{
    struct qt *t = qt_new();
    int fd = sparse_image(MIB);
    struct block *b = open_on(
        t, fd,
        BLOCK_OPTIONS(.discard = true,
                      .fault = "rule=inject-error:event=none:iotype=write+discard:errno=28:state=2,"
                               "rule=set-state:event=read_aio:state=1:new_state=2,"
                               "rule=inject-error:sector=9:once=on"));
    uint8_t buf[512];

    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 9 * 512, buf, 512), EIO);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 9 * 512, buf, 512), 0); /* once */
    CHECK_EQ(io_run(t, b, BLOCK_READ, 0, buf, 512), 0);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 0, buf, 512), ENOSPC);
    CHECK_EQ(io_run(t, b, BLOCK_DISCARD, 0, NULL, 512), ENOSPC);
    CHECK_EQ(io_run(t, b, BLOCK_ZERO, 0, NULL, 512), 0);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 0, buf, 512), 0);
    block_close(b);
    close(fd);
}

TEST(nonsense_in_options_is_told_in_one_line)
{
    static const struct {
        const char *fault, *says;
    } bad[] = {
        { "rate", "'=' is missing" },
        { "rate=2", "fault rate=" },
        { "errno=EWHAT", "fault errno=" },
        { "ops=reed", "fault ops=" },
        { "rule=do:event=none", "fault rule: do" },
        { "rule=inject-error:event=x", "fault rule: event" },
        { "delay=9-1", "fault delay=" },
        { "config=/nowhere/x", "/nowhere/x: No such file" },
    };
    struct qt *t = qt_new();
    int fd = sparse_image(MIB);

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err err = { "" };

        CHECK(!block_open(t->plat.loop,
                          &BLOCK_OPTIONS(.file = "image", .fd = dup(fd), .fault = bad[i].fault),
                          &err));
        CHECK(strstr(err.msg, bad[i].says) != NULL);
    }
    close(fd);
}

TEST(trace_has_a_line_for_each_request)
{
    struct qt *t = qt_new();
    int fd = sparse_image(MIB), out;
    char name[] = "/tmp/portico-trace-XXXXXX", text[512] = "", op[16];
    struct block *b;
    unsigned long long at, off, len, took;
    int err, used = 0;
    uint8_t buf[1024];

    out = mkstemp(name);
    b = open_on(t, fd, BLOCK_OPTIONS(.trace = name));
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 1024, buf, 1024), 0);
    CHECK_EQ(io_run(t, b, BLOCK_FLUSH, 0, NULL, 0), 0); /* writes the lines out */
    CHECK(read(out, text, sizeof(text) - 1) > 0);
    CHECK(sscanf(text, "%llu %15s %llu %llu %d %llu\n%n", &at, op, &off, &len, &err, &took,
                 &used) == 6);
    CHECK(!strcmp(op, "write") && off == 1024 && len == 1024 && err == 0);
    CHECK(strstr(text + used, " flush 0 0 0 ") != NULL);
    block_close(b);
    close(out);
    unlink(name);
    close(fd);
}

TEST(written_zeroes_leave_holes)
{
    struct qt *t = qt_new();
    int fd = sparse_image(0);
    static uint8_t data[MIB];
    struct block *b;

    memset(data, 7, MIB);
    CHECK(pwrite(fd, data, MIB, 0) == MIB);
    b = open_on(t, fd, BLOCK_OPTIONS(.detect_zeroes = true, .discard = true));
    memset(data, 0, MIB);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 65536, data, 65536), 0);
    CHECK_EQ(b->stat[BLOCK_WRITE].ops + b->stat[BLOCK_ZERO].ops, 1);
    CHECK(pread(fd, data, 65536, 65536) == 65536);
    for (int i = 0; i < 65536; i++)
        CHECK(!data[i]);
    if (lseek(fd, 0, SEEK_HOLE) < MIB) /* a file system with holes */
        CHECK_EQ(lseek(fd, 65536, SEEK_HOLE), 65536);
    block_close(b);
    close(fd);
}

TEST(filters_in_a_pile_complete_everything_once)
{
    enum { N = 400 };
    struct qt *t = qt_new();
    int fd = sparse_image(MIB);
    struct block_throttle set = { .iops[BLOCK_LIMIT_TOTAL] = { .avg = 2000 } };
    struct io *io = calloc(N, sizeof(*io));
    static uint8_t buf[65536];
    uint64_t seed = 99;

    for (int round = 0; round < 3; round++) {
        struct block *b =
            open_on(t, fd,
                    BLOCK_OPTIONS(.fault = "rate=0.1,torn=0.1,delay=0-5,seed=3",
                                  .snapshot = round == 1, .throttle = set, .trace = "/dev/null",
                                  .detect_zeroes = round == 2, .discard = true));

        for (int i = 0; i < N; i++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            io_start(b, &io[i], (seed >> 33) % BLOCK_OPS, (seed >> 40) % 1800 * 512, buf,
                     512 * ((seed >> 50) % 60));
            if ((seed >> 20) % 4 == 0)
                block_cancel(&io[seed % (i + 1)].req);
            if ((seed >> 24) % 8 == 0)
                uv_run(t->plat.loop, UV_RUN_NOWAIT);
        }
        if (round)
            block_drain(b);
        block_close(b);
        for (int i = 0; i < N; i++) {
            CHECK_EQ(io[i].times, 1);
            CHECK(!io[i].err || io[i].err == EIO || io[i].err == ECANCELED);
        }
    }
    free(io);
    close(fd);
}
