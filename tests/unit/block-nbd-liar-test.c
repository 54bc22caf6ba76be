/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks at NBD servers that hang, break off, and lie. A small server of our own, one process for
 * each bad habit: nbdkit cannot be made to break the protocol. Whatever it does, a request ends
 * once, with an error when the delay is over, and what the server does well goes on. The words of
 * the protocol are those of doc/proto.md of NBD.
 */
#include <endian.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "block/store.h"
#include "tests/unit/block-util.h"

#define SIZE (1u << 20)
#define BAD  (SIZE / 2) /* requests from here on meet the server's habit; the others are served */

#define OPT_MAGIC     0x49484156454f5054ull /* "IHAVEOPT" */
#define OPT_REPLY     0x3e889045565a9ull
#define REQUEST_MAGIC 0x25609513u
#define REPLY_MAGIC   0x67446698u
#define CHUNK_MAGIC   0x668e33efu

enum habit {
    HONEST,
    WRONG_MAGIC,
    WRONG_COOKIE,
    TWO_ANSWERS,
    HALF_AN_ANSWER,
    BREAKS_OFF,
    SILENT,
    ODD_ERROR,
    CHUNK_BEHIND, /* structured replies from here on: data for memory behind the buffer */
    CHUNK_HUGE,
    CHUNK_OF_NO_KIND,
    HABITS
};

/* ---- the server ---- */

static bool take(int fd, void *data, size_t len)
{
    uint8_t *p = data;

    for (ssize_t n; len; p += n, len -= (size_t)n) {
        n = read(fd, p, len);
        if (n <= 0)
            return false;
    }
    return true;
}

static bool give(int fd, const void *data, size_t len)
{
    return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static size_t put(uint8_t *p, uint64_t val, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        p[i] = (uint8_t)(val >> 8 * (bytes - 1 - i));
    return bytes;
}

static uint64_t get(const uint8_t *p, size_t bytes)
{
    uint64_t val = 0;

    for (size_t i = 0; i < bytes; i++)
        val = val << 8 | p[i];
    return val;
}

static bool answer_option(int fd, uint32_t option, uint32_t kind, const uint8_t *data, size_t len)
{
    uint8_t p[64];
    size_t n = put(p, OPT_REPLY, 8);

    n += put(p + n, option, 4);
    n += put(p + n, kind, 4);
    n += put(p + n, len, 4);
    if (len)
        memcpy(p + n, data, len);
    return give(fd, p, n + len);
}

/* Fixed newstyle, up to NBD_OPT_GO. Structured replies only to who needs them for its habit. */
static bool greet(int fd, enum habit habit)
{
    uint8_t p[4096];
    size_t n;

    memcpy(p, "NBDMAGIC", 8);
    put(p + 8, OPT_MAGIC, 8);
    put(p + 16, 3, 2); /* fixed newstyle, no zeroes */
    if (!give(fd, p, 18) || !take(fd, p, 4))
        return false;
    while (take(fd, p, 16)) {
        uint32_t option = (uint32_t)get(p + 8, 4);

        n = get(p + 12, 4);
        if (get(p, 8) != OPT_MAGIC || n > sizeof(p) || !take(fd, p, n))
            return false;
        if (option == 8 && habit >= CHUNK_BEHIND) {
            answer_option(fd, option, 1, NULL, 0);
        } else if (option == 7) {
            n = put(p, 0, 2);
            n += put(p + n, SIZE, 8);
            n += put(p + n, 1 | 4, 2); /* can flush */
            return answer_option(fd, option, 3, p, n) && answer_option(fd, option, 1, NULL, 0);
        } else {
            answer_option(fd, option, 0x80000001u, NULL, 0);
        }
    }
    return false;
}

/* One chunk of a structured reply; the data of a read is preceded by where it belongs. */
static bool chunk(int fd, const uint8_t *cookie, unsigned kind, uint64_t off, const uint8_t *data,
                  uint32_t len)
{
    static uint8_t p[SIZE + 64];
    size_t n = put(p, CHUNK_MAGIC, 4);

    n += put(p + n, 1, 2); /* the last */
    n += put(p + n, kind, 2);
    memcpy(p + n, cookie, 8);
    n += 8;
    n += put(p + n, len ? len + 8 : 0, 4);
    if (len) {
        n += put(p + n, off, 8);
        memcpy(p + n, data, len);
    }
    return give(fd, p, n + len);
}

static bool simple(int fd, uint32_t magic, uint32_t error, uint64_t cookie, const uint8_t *data,
                   size_t len)
{
    static uint8_t p[SIZE + 64];
    size_t n = put(p, magic, 4);

    n += put(p + n, error, 4);
    memcpy(p + n, &cookie, 8);
    n += 8;
    memcpy(p + n, data, len);
    return give(fd, p, n + len);
}

/* False: the connection ends here. */
static bool misbehave(int fd, enum habit habit, const uint8_t *req, const uint8_t *data, size_t len)
{
    uint64_t cookie, off = get(req + 16, 8);

    memcpy(&cookie, req + 8, 8);
    switch (habit) {
    case WRONG_MAGIC:
        return simple(fd, REPLY_MAGIC + 1, 0, cookie, data, len);
    case WRONG_COOKIE:
        return simple(fd, REPLY_MAGIC, 0, ~cookie, data, len);
    case TWO_ANSWERS:
        return simple(fd, REPLY_MAGIC, 0, cookie, data, len) &&
               simple(fd, REPLY_MAGIC, 0, cookie, data, len);
    case HALF_AN_ANSWER:
        simple(fd, REPLY_MAGIC, 0, cookie, data, len / 2);
        return false;
    case BREAKS_OFF:
        return false;
    case SILENT:
        return true;
    case ODD_ERROR:
        return simple(fd, REPLY_MAGIC, 0xdeadbeef, cookie, data, 0);
    case CHUNK_BEHIND:
        return chunk(fd, req + 8, 1, off + len - 8, data, (uint32_t)len);
    case CHUNK_HUGE:
        return chunk(fd, req + 8, 1, off, data, SIZE);
    case CHUNK_OF_NO_KIND:
        return chunk(fd, req + 8, 0x7777, off, data, (uint32_t)len);
    default:
        return simple(fd, REPLY_MAGIC, 0, cookie, data, len);
    }
}

/* All bytes read as 0x5a; what is written is forgotten. */
static void converse(int fd, enum habit habit)
{
    static uint8_t data[SIZE];
    uint8_t req[28];
    uint64_t cookie;

    while (take(fd, req, sizeof(req)) && get(req, 4) == REQUEST_MAGIC) {
        uint64_t kind = get(req + 6, 2), off = get(req + 16, 8), len = get(req + 24, 4);
        size_t back = kind == 0 ? len : 0;

        if (kind == 2 || len > SIZE || (kind == 1 && !take(fd, data, len)))
            return;
        memset(data, 0x5a, SIZE);
        memcpy(&cookie, req + 8, 8);
        if (off >= BAD && kind < 2) {
            if (!misbehave(fd, habit, req, data, back))
                return;
        } else if (habit >= CHUNK_BEHIND && back) {
            if (!chunk(fd, req + 8, 1, off, data, (uint32_t)back))
                return;
        } else if (!simple(fd, REPLY_MAGIC, 0, cookie, data, back)) {
            return;
        }
    }
}

static void serve(int listener, enum habit habit)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0 && !fork()) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (greet(fd, habit))
                converse(fd, habit);
            _exit(0);
        }
        close(fd);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
}

struct liar {
    char dir[40], sock[64], uri[120];
    pid_t pid;
};

static void liar_start(struct liar *l, enum habit habit)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(l->dir, "/tmp/portico-liar-XXXXXX");
    CHECK(mkdtemp(l->dir) != NULL);
    snprintf(l->sock, sizeof(l->sock), "%s/sock", l->dir);
    snprintf(l->uri, sizeof(l->uri), "nbd+unix:///?socket=%s", l->sock);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", l->sock);
    CHECK(!bind(fd, (struct sockaddr *)&sa, sizeof(sa)) && !listen(fd, 16));
    l->pid = fork();
    if (!l->pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(fd, habit);
    }
    close(fd);
}

static void liar_end(struct liar *l)
{
    kill(l->pid, SIGKILL);
    waitpid(l->pid, NULL, 0);
    unlink(l->sock);
    rmdir(l->dir);
}

/* ---- the tests ---- */

/* With two answers the first is right; the second is to nobody, and costs the connection only. */
static bool is_well(enum habit habit)
{
    return habit == HONEST || habit == TWO_ANSWERS;
}

/* All habits at once, so that their delays are one. Reads that are served stand before and behind.
 */
static void ask_all(struct qt *t, struct block **b, enum block_op op)
{
    static uint8_t buf[HABITS][3][8192];
    struct io bad[HABITS], good[HABITS][2];

    for (unsigned h = 0; h < HABITS; h++) {
        memset(buf[h], 0, sizeof(buf[h]));
        io_start(b[h], &good[h][0], BLOCK_READ, 0, buf[h][0], 8192);
        io_start(b[h], &bad[h], op, BAD, buf[h][1], 8192);
    }
    for (unsigned h = 0; h < HABITS; h++) {
        int err = io_wait(t, &bad[h]);

        if (!err != is_well(h))
            fprintf(stderr, "habit %u, request %u: %d\n", h, op, err);
        CHECK(!err == is_well(h));
        io_wait(t, &good[h][0]); /* it may have shared the bad one's fate */
    }
    for (unsigned h = 0; h < HABITS; h++) { /* and then the server is there again */
        for (int i = 0; i < 3000 && io_run(t, b[h], BLOCK_READ, 512, buf[h][2], 8192); i++)
            usleep(10000);
        CHECK(buf[h][2][0] == 0x5a && buf[h][2][8191] == 0x5a);
        CHECK(bad[h].times == 1 && good[h][0].times == 1);
    }
}

TEST(whatever_a_server_does_a_request_ends_once)
{
    struct qt *t = qt_new();
    struct liar l[HABITS];
    struct block *b[HABITS];

    if (t->reload) /* no device here: one run is enough */
        return;
    for (unsigned h = 0; h < HABITS; h++) {
        liar_start(&l[h], h);
        b[h] = must_open(t, &BLOCK_OPTIONS(.file = l[h].uri, .reconnect_delay = 1));
        CHECK_EQ(b[h]->size, SIZE);
    }
    ask_all(t, b, BLOCK_READ);
    for (unsigned h = 0; h < HABITS; h++)
        liar_end(&l[h]);
    for (unsigned h = 0; h < HABITS; h++) /* nobody is there to say good-bye to */
        block_close(b[h]);
}

TEST(a_store_outlives_its_server_too)
{
    static const enum habit habits[] = { WRONG_COOKIE, HALF_AN_ANSWER, BREAKS_OFF, SILENT,
                                         CHUNK_BEHIND };
    struct qt *t = qt_new();
    uint8_t buf[4096];

    if (t->reload)
        return;
    for (unsigned i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
        struct err err = { "" };
        struct store *st;
        struct liar l;

        liar_start(&l, habits[i]);
        st = store_open(&BLOCK_OPTIONS(.file = l.uri, .reconnect_delay = 1), &err);
        CHECK(st != NULL);
        CHECK(store_read(st, BAD, buf, sizeof(buf)) < 0);
        CHECK_EQ(store_read(st, 0, buf, sizeof(buf)), 0);
        CHECK(buf[0] == 0x5a && buf[4095] == 0x5a);
        store_close(st);
        liar_end(&l);
    }
}
