/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks at an NBD server that nobody here wrote: nbdkit. It is killed and
 * started again, refuses, is slow, or never answers. Without nbdkit the tests
 * say so and pass.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "block/store.h"
#include "tests/unit/block-util.h"
#include "tests/unit/listening.h"

struct server {
    char dir[64], uri[160], sock[96], file[96];
    pid_t pid;
};

static bool have_nbdkit(void)
{
    bool have = !access("/usr/sbin/nbdkit", X_OK) || !access("/usr/bin/nbdkit", X_OK);

    if (!have)
        fprintf(stderr, "no nbdkit: nothing tested\n");
    return have;
}

/* nbdkit on the socket with up to five more words; waits until it listens. */
static void server_start(struct server *s, const char *const *words)
{
    const char *argv[16] = { "nbdkit", "-f", "--exit-with-parent", "-U", s->sock };
    unsigned n = 5;

    while (*words)
        argv[n++] = *words++;
    unlink(s->sock);
    s->pid = fork();
    if (!s->pid) {
        execvp("nbdkit", (char **)argv);
        _exit(127);
    }
    CHECK(wait_listening(s->sock, 30000));
}

static void server_kill(struct server *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGCONT);
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
    unlink(s->sock);
}

static void server_init(struct server *s)
{
    strcpy(s->dir, "/tmp/portico-nbd-XXXXXX");
    CHECK(mkdtemp(s->dir) != NULL);
    snprintf(s->sock, sizeof(s->sock), "%s/sock", s->dir);
    snprintf(s->file, sizeof(s->file), "%s/image", s->dir);
    snprintf(s->uri, sizeof(s->uri), "nbd+unix:///?socket=%s", s->sock);
    s->pid = 0;
}

static void server_end(struct server *s)
{
    server_kill(s);
    unlink(s->file);
    rmdir(s->dir);
}

static void file_server(struct server *s, uint64_t size)
{
    const char *words[] = { "file", s->file, NULL };
    int fd = open(s->file, O_RDWR | O_CREAT, 0600);

    CHECK(fd >= 0 && ftruncate(fd, size) == 0);
    close(fd);
    server_start(s, words);
}

#define MIB (1u << 20)

TEST(reads_and_writes_what_the_server_has)
{
    static uint8_t out[5 * MIB], in[5 * MIB];
    struct qt *t = qt_new();
    struct server s;
    struct block *b;
    struct io io = { 0 };
    int fd;

    if (!have_nbdkit())
        return;
    server_init(&s);
    file_server(&s, 8 * MIB);
    b = must_open(t, &BLOCK_OPTIONS(.file = s.uri, .format = "raw", .discard = true));
    CHECK_EQ(b->size, 8 * MIB);
    fill(out, sizeof(out), 5);
    io.iov[0] = (struct iovec){ out, 100 };
    io.iov[1] = (struct iovec){ out + 100, 3 * MIB };
    io.iov[2] = (struct iovec){ out + 100 + 3 * MIB, 2 * MIB - 100 };
    io.req = (struct block_req){ .op = BLOCK_WRITE,
                                 .offset = 512,
                                 .len = 5 * MIB,
                                 .iov = io.iov,
                                 .niov = 3,
                                 .done = io_done,
                                 .arg = &io };
    block_submit(b, &io.req);
    CHECK_EQ(io_wait(t, &io), 0);
    CHECK_EQ(io_run(t, b, BLOCK_FLUSH, 0, NULL, 0), 0);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 512, in, 5 * MIB), 0);
    CHECK(!memcmp(in, out, 5 * MIB));
    CHECK_EQ(io_run(t, b, BLOCK_ZERO, 4096, NULL, 3 * MIB), 0);
    memset(out + 4096 - 512, 0, 3 * MIB);
    CHECK_EQ(io_run(t, b, BLOCK_DISCARD, 6 * MIB, NULL, MIB), 0);
    fd = open(s.file, O_RDONLY);
    CHECK(pread(fd, in, 5 * MIB, 512) == 5 * MIB && !memcmp(in, out, 5 * MIB));
    close(fd);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 8 * MIB - 512, in, 1024), EINVAL);
    block_close(b);
    server_end(&s);
}

TEST(a_killed_server_that_comes_back_costs_nothing_but_time)
{
    enum { N = 64 };
    static uint8_t data[N][4096], got[4096];
    struct qt *t = qt_new();
    struct server s;
    struct block *b;
    struct io io[N];

    if (!have_nbdkit())
        return;
    server_init(&s);
    file_server(&s, MIB);
    b = must_open(t, &BLOCK_OPTIONS(.file = s.uri));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            fill(data[i], 4096, i + round * 77);
            io_start(b, &io[i], BLOCK_WRITE, i * 4096, data[i], 4096);
            if (i == N / 2) {
                uv_run(t->plat.loop, UV_RUN_NOWAIT);
                server_kill(&s);
            }
        }
        for (int i = 0; i < 20; i++) {
            uv_run(t->plat.loop, UV_RUN_NOWAIT);
            usleep(10000);
        }
        file_server(&s, MIB);
        if (round == 2) /* the blocking way must come back, too */
            CHECK_EQ(block_drain(b), 0);
        for (int i = 0; i < N; i++)
            CHECK_EQ(io_wait(t, &io[i]), 0);
        for (int i = 0; i < N; i++) {
            CHECK_EQ(io_run(t, b, BLOCK_READ, i * 4096, got, 4096), 0);
            CHECK(!memcmp(got, data[i], 4096));
        }
    }
    block_close(b);
    server_end(&s);
}

TEST(a_server_that_stays_away_is_an_error_after_the_delay)
{
    struct qt *t = qt_new();
    struct server s;
    struct block *b;
    struct io io, c;
    uint8_t buf[512];
    uint64_t began;

    if (!have_nbdkit())
        return;
    server_init(&s);
    file_server(&s, MIB);
    b = must_open(t, &BLOCK_OPTIONS(.file = s.uri, .reconnect_delay = 1));
    server_kill(&s);
    began = uv_hrtime();
    io_start(b, &io, BLOCK_WRITE, 0, buf, 512);
    CHECK_EQ(io_wait(t, &io), EIO);
    CHECK(uv_hrtime() - began > 500000000ull);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 0, buf, 512), EIO);
    file_server(&s, 2 * MIB);       /* of another size: not ours */
    for (int i = 0; i < 250; i++) { /* time for an attempt or two */
        CHECK_EQ(io_run(t, b, BLOCK_READ, 0, buf, 512), EIO);
        usleep(10000);
    }
    server_kill(&s);
    unlink(s.file);
    file_server(&s, MIB);
    for (int i = 0; i < 3000 && io_run(t, b, BLOCK_READ, 0, buf, 512); i++)
        usleep(10000);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 0, buf, 512), 0);
    kill(s.pid, SIGSTOP);                            /* there, but silent */
    CHECK(waitpid(s.pid, NULL, WUNTRACED) == s.pid); /* when all its threads stand */
    io_start(b, &io, BLOCK_READ, 0, buf, 512);
    io_start(b, &c, BLOCK_READ, 0, buf, 512);
    block_cancel(&c.req);
    CHECK_EQ(io_wait(t, &io), EIO);
    io_wait(t, &c);
    block_close(b);
    server_end(&s);
}

TEST(errors_of_the_server_reach_done)
{
    const char *words[] = { "memory",          "1M", "--filter=error", "error=ENOSPC",
                            "error-rate=100%", NULL };
    struct qt *t = qt_new();
    struct server s;
    struct block *b;
    uint8_t buf[512];

    if (!have_nbdkit())
        return;
    server_init(&s);
    server_start(&s, words);
    b = must_open(t, &BLOCK_OPTIONS(.file = s.uri, .format = "nbd"));
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 0, buf, 512), ENOSPC);
    CHECK_EQ(io_run(t, b, BLOCK_READ, 0, buf, 512), ENOSPC);
    CHECK_EQ(b->stat[BLOCK_READ].failed, 1);
    block_close(b);
    server_end(&s);
}

static bool refused(struct qt *t, const struct block_options *o, const char *says)
{
    struct err err = { "" };
    struct block *b = block_open(t->plat.loop, o, &err);
    bool ok = !b && strstr(err.msg, says) && !strchr(err.msg, '\n');

    if (!ok)
        fprintf(stderr, "said: %s\n", err.msg);
    block_close(b);
    return ok;
}

TEST(what_cannot_be_used_is_refused)
{
    const char *words[] = { "-r", "memory", "1M", NULL };
    struct qt *t = qt_new();
    struct server s;
    struct block *b;
    uint8_t buf[512];

    if (!have_nbdkit())
        return;
    server_init(&s);
    CHECK(refused(t, &BLOCK_OPTIONS(.file = s.uri), s.uri));
    CHECK(refused(t, &BLOCK_OPTIONS(.file = "/etc/passwd", .format = "nbd"), "no NBD address"));
    CHECK(refused(t, &BLOCK_OPTIONS(.file = "nbd://[bad"), "disk nbd://[bad: "));
    server_start(&s, words);
    CHECK(refused(t, &BLOCK_OPTIONS(.file = s.uri), "readonly=on"));
    b = must_open(t, &BLOCK_OPTIONS(.file = s.uri, .readonly = true));
    CHECK_EQ(io_run(t, b, BLOCK_READ, 0, buf, 512), 0);
    CHECK_EQ(io_run(t, b, BLOCK_WRITE, 0, buf, 512), EROFS);
    block_close(b);
    server_end(&s);
}

TEST(a_store_lives_at_a_server_too)
{
    static uint8_t out[3 * MIB], in[3 * MIB];
    struct server s;
    struct store *st;
    struct err err = { "" };

    if (!have_nbdkit())
        return;
    server_init(&s);
    file_server(&s, 4 * MIB);
    st = store_open(&BLOCK_OPTIONS(.file = s.uri, .reconnect_delay = 20), &err);
    CHECK(st != NULL);
    CHECK_EQ(store_size(st), 4 * MIB);
    CHECK(store_is_device(st));
    fill(out, sizeof(out), 9);
    CHECK_EQ(store_write(st, 100, out, sizeof(out)), 0);
    server_kill(&s);
    file_server(&s, 4 * MIB);
    CHECK_EQ(store_read(st, 100, in, sizeof(in)), 0);
    CHECK(!memcmp(in, out, sizeof(in)));
    CHECK_EQ(store_zero(st, 200, MIB, true), 0);
    CHECK_EQ(store_flush(st), 0);
    CHECK_EQ(store_write(st, 4 * MIB - 1, out, 2), -ENOSPC);
    CHECK_EQ(store_resize(st, 8 * MIB), -ENOTSUP);
    CHECK_EQ(store_read(st, 4 * MIB - 1, in, 2), 0);
    CHECK_EQ(in[1], 0);
    store_close(st);
    server_end(&s);
}
