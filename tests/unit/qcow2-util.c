/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/qcow2-util.h"
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "block/store.h"
#include "tests/unit/qt.h"
#include "tests/unit/random.h"

static char dir[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static pid_t owner;

static void remove_dir(void)
{
    if (getpid() == owner)
        nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_dir(void)
{
    if (dir[0])
        return;
    snprintf(dir, sizeof(dir), "%s/portico-qcow2-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm"); /* there a sync costs nothing */
    CHECK(mkdtemp(dir) != NULL);
    owner = getpid();
    atexit(remove_dir);
}

const char *in_dir(const char *name)
{
    static char path[8][256];
    static unsigned n;
    char *p = path[n++ % 8];

    make_dir();
    snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
    return p;
}

static int run(const char *fmt, va_list ap, bool quiet)
{
    char cmd[1024], line[2048];
    int rc;

    make_dir();
    vsnprintf(cmd, sizeof(cmd), fmt, ap);
    snprintf(line, sizeof(line), "cd %s && { %s; } >out.txt 2>&1", dir, cmd);
    rc = system(line);
    rc = WIFEXITED(rc) ? WEXITSTATUS(rc) : 255;
    if (rc && !quiet) {
        fprintf(stderr, "%s: status %d\n", cmd, rc);
        snprintf(line, sizeof(line), "head -c 3000 %s/out.txt >&2", dir);
        if (system(line))
            fprintf(stderr, "nothing to show\n");
    }
    return rc;
}

int sh(const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = run(fmt, ap, false);
    va_end(ap);
    return rc;
}

int sh_quiet(const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = run(fmt, ap, true);
    va_end(ap);
    return rc;
}

int qemu_check(const char *name)
{
    return sh("qemu-img check -q -f qcow2 %s || { s=$?; qemu-img check -f qcow2 %s; exit $s; }",
              name, name);
}

struct image *img_open(const char *name, bool readonly, struct err *why)
{
    struct store *st;

    st = store_open(&BLOCK_OPTIONS(.file = in_dir(name), .readonly = readonly), why);
    if (!st)
        return NULL;
    return image_open(&image_qcow2, st, in_dir(name), readonly, NULL, NULL, why);
}

int img_read(struct image *im, uint64_t off, void *data, size_t len)
{
    struct iovec iov = { data, len };
    struct image_buf buf = { &iov, 1, 0 };

    return im->ops->read(im, off, len, &buf);
}

int img_write(struct image *im, uint64_t off, const void *data, size_t len)
{
    /* In two pieces, so that the seams are tried as well. */
    struct iovec iov[2] = { { (void *)(uintptr_t)data, len / 3 },
                            { (char *)(uintptr_t)data + len / 3, len - len / 3 } };
    struct image_buf buf = { iov, 2, 0 };

    return im->ops->write(im, off, len, &buf);
}

void pattern(uint8_t *p, size_t len, uint64_t seed)
{
    for (size_t i = 0; i < len; i++)
        p[i] = ((i * 0x9e3779b9u + seed * 0x85ebca6bu) >> 13) | 1;
}

void make_raw(const char *name, uint64_t size, uint64_t seed)
{
    int fd = open(in_dir(name), O_RDWR | O_CREAT | O_TRUNC, 0600);
    uint8_t buf[65536];

    CHECK(fd >= 0 && ftruncate(fd, size) == 0);
    for (int i = 0; i < 24; i++) {
        uint64_t len = 512 * (1 + rnd_below(&seed, 128)), off = rnd64(&seed) % (size - len);

        pattern(buf, len, rnd(&seed));
        CHECK(pwrite(fd, buf, len, off) == (ssize_t)len);
    }
    close(fd);
}

bool same_as_raw(struct image *im, const char *raw)
{
    int fd = open(in_dir(raw), O_RDONLY);
    size_t step = 1 << 20;
    uint8_t *a = malloc(step), *b = malloc(step);
    bool same = fd >= 0;

    for (uint64_t off = 0; same && off < im->size; off += step) {
        size_t n = im->size - off < step ? im->size - off : step;
        int rc = img_read(im, off, a, n);

        memset(b, 0, n);
        same = !rc && pread(fd, b, n, off) >= 0 && !memcmp(a, b, n);
        for (size_t i = 0; !same && i < n; i++) {
            if (rc || a[i] != b[i]) {
                fprintf(stderr, "at %llu: error %d, is %02x, should be %02x\n",
                        (unsigned long long)(off + i), rc, a[i], b[i]);
                break;
            }
        }
    }
    close(fd);
    free(a);
    free(b);
    return same;
}

static void scribble_one(struct image *im, int fd, const struct scribble *how, uint64_t *seed,
                         uint8_t *buf)
{
    uint64_t len = 512 * (1 + rnd_below(seed, how->max / 512)), off, what = rnd_below(seed, 10);

    if (len > im->size)
        len = im->size;
    off = rnd64(seed) % (im->size - len + 1) & ~511ULL;
    if (what < 7) {
        pattern(buf, len, rnd(seed));
        CHECK_EQ(img_write(im, off, buf, len), 0);
    } else if (what == 7 && !how->no_discard) {
        CHECK_EQ(im->ops->discard(im, off, len), 0);
        CHECK_EQ(img_read(im, off, buf, len), 0); /* that is what it is now */
    } else if (what == 8) {
        CHECK_EQ(im->ops->flush(im), 0);
        return;
    } else {
        memset(buf, 0, len);
        CHECK_EQ(im->ops->zero(im, off, len, rnd_below(seed, 2)), 0);
    }
    CHECK(pwrite(fd, buf, len, off) == (ssize_t)len);
}

void scribble(struct image *im, const char *raw, const struct scribble *how)
{
    int fd = open(in_dir(raw), O_RDWR);
    uint8_t *buf = malloc(how->max);
    uint64_t seed = how->seed;

    for (unsigned i = 0; i < how->ops; i++)
        scribble_one(im, fd, how, &seed, buf);
    close(fd);
    free(buf);
}
