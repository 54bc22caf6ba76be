/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of a tape. Written by a thread of its own from a ring in memory, so
 * that the loop never waits for a disk: a ring that is full ends the
 * recording. Read with the mistrust that a file deserves.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ioreq/record-impl.h"

#define RING      (16u << 20)
#define LAST_ROOM 512         /* of it, for the end */
#define BATCH     (64u << 10) /* the thread is woken for so much, or after a second */
#define TIME_MAX  (INT64_C(1) << 60)
#define HEAD_MAX  (1 + 10 * (TAPE_NUMBERS + 2))

/* ---- writing ---- */

struct tape_writer {
    uint8_t *ring;
    _Atomic size_t head, tail; /* counts of bytes put and written; the loop's, the thread's */
    size_t woken;              /* head when the thread was woken last */
    int64_t woken_at;
    atomic_int error;
    atomic_bool closing;
    int fd;
    uv_sem_t wake;
    uv_thread_t thread;
};

static void write_all(struct tape_writer *w)
{
    size_t head = atomic_load(&w->head), tail = atomic_load(&w->tail);

    while (tail != head) {
        size_t at = tail % RING, n = head - tail < RING - at ? head - tail : RING - at;
        ssize_t done = atomic_load(&w->error) ? (ssize_t)n : write(w->fd, w->ring + at, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) { /* no more of it: what comes is thrown away */
            atomic_store(&w->error, done ? errno : EIO);
            continue;
        }
        tail += (size_t)done;
        atomic_store(&w->tail, tail);
        head = atomic_load(&w->head);
    }
}

static void writer_thread(void *arg)
{
    struct tape_writer *w = arg;
    bool closing;

    do {
        uv_sem_wait(&w->wake);
        closing = atomic_load(&w->closing);
        write_all(w);
    } while (!closing);
}

static int writer_begin(struct tape_writer *w, const char *world)
{
    struct tape_header head = { .magic = TAPE_MAGIC, .version = TAPE_VERSION };

    snprintf(head.world, sizeof(head.world), "%s", world);
    w->ring = malloc(RING);
    if (!w->ring || uv_sem_init(&w->wake, 0))
        return -ENOMEM;
    memcpy(w->ring, &head, sizeof(head));
    atomic_store(&w->head, sizeof(head));
    if (!uv_thread_create(&w->thread, writer_thread, w))
        return 0;
    uv_sem_destroy(&w->wake);
    return -EAGAIN;
}

struct tape_writer *tape_writer_new(const char *file, const char *world, struct err *err)
{
    struct tape_writer *w = calloc(1, sizeof(*w));
    int rc = -ENOMEM;

    if (w) {
        w->fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
        rc = w->fd < 0 ? -errno : writer_begin(w, world);
    }
    if (!rc)
        return w;
    err_set(err, rc, "-trace ioreq=%s: %s", file, strerror(-rc));
    if (w && w->fd >= 0)
        close(w->fd);
    free(w ? w->ring : NULL);
    free(w);
    return NULL;
}

static uint8_t *put_number(uint8_t *p, uint64_t val)
{
    for (; val > 0x7f; val >>= 7)
        *p++ = (uint8_t)(val | 0x80);
    *p++ = (uint8_t)val;
    return p;
}

static void ring_put(struct tape_writer *w, size_t head, const uint8_t *bytes, size_t len)
{
    size_t at = head % RING, n = len < RING - at ? len : RING - at;

    memcpy(w->ring + at, bytes, n);
    memcpy(w->ring, bytes + n, len - n);
}

static int put(struct tape_writer *w, const struct tape_rec *r, int64_t *time, size_t limit)
{
    size_t head = atomic_load_explicit(&w->head, memory_order_relaxed), n;
    int64_t at = tape_from_outside(r->kind) ? r->time : *time;
    uint8_t bytes[HEAD_MAX], *p = bytes;

    if (atomic_load_explicit(&w->error, memory_order_relaxed))
        return -atomic_load(&w->error);
    *p++ = r->kind;
    if (tape_from_outside(r->kind))
        p = put_number(p, at > *time ? (uint64_t)(at - *time) : 0);
    if (at < *time)
        at = *time;
    for (unsigned i = 0; i < tape_numbers(r->kind); i++) {
        if (r->kind == T_NOW) {
            p = put_number(p, (int64_t)r->v[0] > at ? r->v[0] - (uint64_t)at : 0);
            at = (int64_t)r->v[0] > at ? (int64_t)r->v[0] : at;
        } else {
            p = put_number(p, tape_signed(r->kind, i) ? tape_fold((int64_t)r->v[i]) : r->v[i]);
        }
    }
    if (tape_has_bytes(r->kind))
        p = put_number(p, r->len);
    n = (size_t)(p - bytes);
    if (n + r->len > limit - (head - atomic_load(&w->tail)))
        return -ENOSPC;
    ring_put(w, head, bytes, n);
    if (r->len)
        ring_put(w, head + n, r->data, r->len);
    *time = at;
    head += n + r->len;
    atomic_store(&w->head, head);
    if (head - w->woken >= BATCH || at - w->woken_at >= NS_PER_S) {
        w->woken = head;
        w->woken_at = at;
        uv_sem_post(&w->wake);
    }
    return 0;
}

int tape_put(struct tape_writer *w, const struct tape_rec *r, int64_t *time)
{
    size_t used = atomic_load_explicit(&w->head, memory_order_relaxed) - atomic_load(&w->tail);

    /* Room for the end is kept; put() itself looks again. */
    return used > RING - LAST_ROOM ? -ENOSPC : put(w, r, time, RING - LAST_ROOM);
}

void tape_writer_end(struct tape_writer *w, const struct tape_rec *last, int64_t *time)
{
    put(w, last, time, RING);
    uv_sem_post(&w->wake);
}

int tape_writer_free(struct tape_writer *w)
{
    int rc;

    atomic_store(&w->closing, true);
    uv_sem_post(&w->wake);
    uv_thread_join(&w->thread);
    rc = atomic_load(&w->error);
    if (close(w->fd) && !rc)
        rc = errno;
    uv_sem_destroy(&w->wake);
    free(w->ring);
    free(w);
    return -rc;
}

/* ---- reading ---- */

struct tape_reader {
    FILE *in;
    struct tape_rec rec;
    bool peeked, ended;
    const char *why;
    uint8_t *bytes;
    size_t cap;
    int64_t time;
    uint64_t count;
};

static int read_header(FILE *in, const char *file, struct tape_header *head, struct err *err)
{
    struct stat st;

    if (fstat(fileno(in), &st) || !S_ISREG(st.st_mode))
        return err_set(err, -EINVAL, "-replay %s: not a file", file);
    if (fread(head, sizeof(*head), 1, in) != 1 ||
        memcmp(head->magic, TAPE_MAGIC, sizeof(head->magic)))
        return err_set(err, -EINVAL, "-replay %s: not made by -trace ioreq=", file);
    if (head->version != TAPE_VERSION || head->flags)
        return err_set(err, -EINVAL,
                       "-replay %s: of version %u, not %u; use the portico-dm that "
                       "made it",
                       file, head->version, TAPE_VERSION);
    if (head->world[sizeof(head->world) - 1])
        return err_set(err, -EINVAL, "-replay %s: damaged: its header is not sane", file);
    return 0;
}

struct tape_reader *tape_reader_new(const char *file, struct tape_header *head, struct err *err)
{
    struct tape_reader *rd = calloc(1, sizeof(*rd));
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (rd)
        rd->in = fd < 0 ? NULL : fdopen(fd, "r");
    if (rd && rd->in && !read_header(rd->in, file, head, err))
        return rd;
    if (!rd || fd < 0)
        err_set(err, -errno, "-replay %s: %s", file, strerror(errno));
    if (rd && rd->in)
        fclose(rd->in);
    else if (fd >= 0)
        close(fd);
    free(rd);
    return NULL;
}

static bool get_number(FILE *in, uint64_t *val)
{
    *val = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        int c = getc(in);

        if (c == EOF)
            return false;
        *val |= (uint64_t)(c & 0x7f) << shift;
        if (!(c & 0x80))
            return true;
    }
    return false;
}

static bool get_time(struct tape_reader *rd)
{
    uint64_t delta;

    if (!get_number(rd->in, &delta) || delta > (uint64_t)(TIME_MAX - rd->time))
        return false;
    rd->time += (int64_t)delta;
    return true;
}

static bool get_bytes(struct tape_reader *rd, struct tape_rec *r)
{
    uint64_t len;

    if (!get_number(rd->in, &len) || len > TAPE_BYTES)
        return false;
    if (len > rd->cap) {
        uint8_t *more = realloc(rd->bytes, len);

        if (!more)
            return false;
        rd->bytes = more;
        rd->cap = len;
    }
    r->data = rd->bytes;
    r->len = (uint32_t)len;
    return !len || fread(rd->bytes, len, 1, rd->in) == 1;
}

static bool get_record(struct tape_reader *rd)
{
    struct tape_rec *r = &rd->rec;
    int kind = getc(rd->in);

    memset(r, 0, sizeof(*r));
    rd->why = "it ends without an end mark: it was cut off";
    if (kind == EOF)
        return false;
    rd->why = "it is damaged or cut off";
    if (!tape_kind_known((unsigned)kind))
        return false;
    r->kind = (uint8_t)kind;
    if (tape_from_outside(r->kind) && !get_time(rd))
        return false;
    for (unsigned i = 0; i < tape_numbers(r->kind); i++) {
        if (r->kind == T_NOW) {
            if (!get_time(rd))
                return false;
            r->v[i] = (uint64_t)rd->time;
        } else if (!get_number(rd->in, &r->v[i])) {
            return false;
        } else if (tape_signed(r->kind, i)) {
            r->v[i] = (uint64_t)tape_unfold(r->v[i]);
        }
    }
    r->time = rd->time;
    return !tape_has_bytes(r->kind) || get_bytes(rd, r);
}

const struct tape_rec *tape_peek(struct tape_reader *rd, const char **why)
{
    if (!rd->peeked && !rd->ended) {
        rd->peeked = get_record(rd);
        rd->ended = !rd->peeked;
    }
    *why = rd->peeked ? NULL : rd->why;
    return rd->peeked ? &rd->rec : NULL;
}

void tape_next(struct tape_reader *rd)
{
    rd->count += rd->peeked;
    rd->peeked = false;
}

uint64_t tape_count(const struct tape_reader *rd)
{
    return rd->count;
}

void tape_reader_free(struct tape_reader *rd)
{
    if (!rd)
        return;
    fclose(rd->in);
    free(rd->bytes);
    free(rd);
}

int replay_world(const char *file, char world[8], struct err *err)
{
    struct tape_header head;
    struct tape_reader *rd = tape_reader_new(file, &head, err);

    if (!rd)
        return -EINVAL;
    memcpy(world, head.world, sizeof(head.world));
    tape_reader_free(rd);
    return 0;
}
