/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store that remembers: see record.h. */
#include "tests/storage/record.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "block/store-impl.h"
#include "tests/unit/random.h"

#define SECTOR 512u

enum step_kind { STEP_WRITE, STEP_SIZE, STEP_FLUSH };

struct step {
    enum step_kind kind;
    uint64_t off, len; /* SIZE: off is the size */
    uint8_t *data;     /* NULL: zeroes */
};

struct bytes {
    uint8_t *p;
    uint64_t size, room;
};

struct record {
    struct bytes first, now;
    struct step *step;
    size_t steps, room;
};

static bool bytes_size(struct bytes *b, uint64_t size)
{
    if (size > b->room) {
        uint64_t room = size * 2;
        uint8_t *p = realloc(b->p, room);

        if (!p)
            return false;
        b->p = p;
        b->room = room;
    }
    if (size > b->size)
        memset(b->p + b->size, 0, size - b->size);
    b->size = size;
    return true;
}

static bool bytes_put(struct bytes *b, uint64_t off, uint64_t len, const uint8_t *data)
{
    if (off + len > b->size && !bytes_size(b, off + len))
        return false;
    if (data)
        memcpy(b->p + off, data, len);
    else
        memset(b->p + off, 0, len);
    return true;
}

static int note(struct record *r, enum step_kind kind, uint64_t off, uint64_t len, const void *data)
{
    struct step *s;

    if (r->steps == r->room) {
        size_t room = r->room ? r->room * 2 : 1024;

        s = realloc(r->step, room * sizeof(*s));
        if (!s)
            return -ENOMEM;
        r->step = s;
        r->room = room;
    }
    s = &r->step[r->steps++];
    *s = (struct step){ kind, off, len, data ? malloc(len) : NULL };
    if (data && !s->data)
        return -ENOMEM;
    if (data)
        memcpy(s->data, data, len);
    return 0;
}

static struct record *of(struct store *s)
{
    return *(struct record **)s->priv;
}

static void rec_close(struct store *s)
{
    store_free(s);
}

static uint64_t rec_size(struct store *s)
{
    return of(s)->now.size;
}

static int rec_read(struct store *s, uint64_t off, void *buf, size_t len)
{
    struct record *r = of(s);

    if (off > r->now.size || len > r->now.size - off)
        return -EIO;
    memcpy(buf, r->now.p + off, len);
    return 0;
}

static int rec_write(struct store *s, uint64_t off, const void *buf, size_t len)
{
    if (!bytes_put(&of(s)->now, off, len, buf))
        return -ENOMEM;
    return note(of(s), STEP_WRITE, off, len, buf);
}

static int rec_flush(struct store *s)
{
    return note(of(s), STEP_FLUSH, 0, 0, NULL);
}

static int rec_zero(struct store *s, uint64_t off, uint64_t len, bool may_unmap)
{
    if (!bytes_put(&of(s)->now, off, len, NULL))
        return -ENOMEM;
    return note(of(s), STEP_WRITE, off, len, NULL);
}

static int rec_discard(struct store *s, uint64_t off, uint64_t len)
{
    return rec_zero(s, off, len, true);
}

static int rec_resize(struct store *s, uint64_t size)
{
    if (!bytes_size(&of(s)->now, size))
        return -ENOMEM;
    return note(of(s), STEP_SIZE, size, 0, NULL);
}

static const struct store_ops rec_ops = {
    .close = rec_close,
    .size = rec_size,
    .read = rec_read,
    .write = rec_write,
    .flush = rec_flush,
    .discard = rec_discard,
    .zero = rec_zero,
    .resize = rec_resize,
};

static bool read_file(struct bytes *b, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    bool ok = fd >= 0 && !fstat(fd, &st) && bytes_size(b, st.st_size) &&
              read(fd, b->p, st.st_size) == st.st_size;

    if (fd >= 0)
        close(fd);
    return ok;
}

struct store *record_new(const char *path, struct record **out)
{
    struct store *s = store_new(&rec_ops, sizeof(struct record *), path);
    struct record *r = calloc(1, sizeof(*r));

    if (!s || !r || !read_file(&r->first, path) ||
        !bytes_put(&r->now, 0, r->first.size, r->first.p))
        return NULL;
    *(struct record **)s->priv = r;
    *out = r;
    return s;
}

void record_free(struct record *r)
{
    for (size_t i = 0; i < r->steps; i++)
        free(r->step[i].data);
    free(r->step);
    free(r->first.p);
    free(r->now.p);
    free(r);
}

size_t record_steps(const struct record *r)
{
    return r->steps;
}

/* A write of which some sectors got through: all, none, or each by chance. */
static bool put_some(struct bytes *b, const struct step *s, bool all, uint64_t *seed)
{
    unsigned luck = all ? 0 : rnd_below(seed, 4);
    bool ok = true;

    if (luck == 0)
        return bytes_put(b, s->off, s->len, s->data);
    for (uint64_t done = 0; luck > 1 && ok && done < s->len;) {
        uint64_t at = s->off + done, n = SECTOR - at % SECTOR;

        if (n > s->len - done)
            n = s->len - done;
        if (rnd_below(seed, 2))
            ok = bytes_put(b, at, n, s->data ? s->data + done : NULL);
        done += n;
    }
    return ok;
}

bool record_crash(const struct record *r, size_t steps, bool all, uint64_t *seed, const char *path)
{
    struct bytes b = { 0 };
    size_t flushed = steps;
    bool ok = bytes_put(&b, 0, r->first.size, r->first.p);
    int fd;

    while (flushed && r->step[flushed - 1].kind != STEP_FLUSH)
        flushed--;
    for (size_t i = 0; i < steps && ok; i++) {
        const struct step *s = &r->step[i];

        if (s->kind == STEP_SIZE)
            ok = bytes_size(&b, s->off);
        else if (s->kind == STEP_WRITE)
            ok = put_some(&b, s, all || i < flushed, seed);
    }
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ok = ok && fd >= 0 && write(fd, b.p, b.size) == (ssize_t)b.size;
    if (fd >= 0)
        close(fd);
    free(b.p);
    return ok;
}
