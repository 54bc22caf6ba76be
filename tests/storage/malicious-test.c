/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images that lie, one process each: opened, read, written, closed, as every
 * format that there is. Each is refused in one line or gives errors; none ends
 * the process, takes long, or takes more than 64 MiB (not looked at under
 * AddressSanitizer, which has its own idea of memory).
 *
 * The lies are made from good images: the file cut off anywhere, fields set to
 * extremes, tables that point at themselves, and random damage.
 */
#include "tests/unit/qt.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/storage/util.h"
#include "tests/storage/vhd-make.h"
#include "tests/unit/random.h"

#define MIB         (1u << 20)
#define MEMORY_MAX  (64l << 10) /* KiB */
#define SECONDS_MAX 60          /* on a machine that has much else to do */
#define READ_MAX    (96ull * MIB)

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* ---- the process that meets a lie ---- */

static void use(struct image *im)
{
    uint8_t *data = calloc(1, MIB);
    struct err err = { "" };

    for (uint64_t off = 0; off < im->size && off < READ_MAX; off += MIB)
        image_get(im, off, data, im->size - off < MIB ? im->size - off : MIB);
    image_get(im, im->size - 512, data, 512);
    if (!im->readonly) {
        for (int i = 0; i < 20; i++)
            image_put(im, im->size / 20 * i / 512 * 512, data, 512);
        im->ops->zero(im, 0, im->size < MIB ? im->size : MIB, true);
        im->ops->discard(im, im->size / 2 / 512 * 512, 512);
        im->ops->flush(im);
        if (im->ops->resize)
            im->ops->resize(im, im->size + MIB, &err);
        im->ops->flush(im);
    }
    free(data);
}

/* 0: opened; 1: refused in a line; 2: refused badly; 3: too much memory. */
static int meet(const char *path, const char *format, bool readonly)
{
    struct err err = { "" };
    struct rusage before, after;
    struct image *im;

    getrusage(RUSAGE_SELF, &before);
    im = path_image(image_ops_find(format), path, readonly, &err);
    if (!im && (!err.msg[0] || strchr(err.msg, '\n')))
        return 2;
    if (im)
        use(im);
    getrusage(RUSAGE_SELF, &after);
    /* What the parent had is in the child's peak too. */
    if (!SANITIZED && after.ru_maxrss - before.ru_maxrss > MEMORY_MAX)
        return 3;
    image_close(im);
    return im ? 0 : 1;
}

static int meet_alone(const char *path, const char *format, bool readonly)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        alarm(SECONDS_MAX);
        _exit(meet(path, format, readonly));
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* The same lie both ways; it may be one that only readers can live with. */
static void check_lie(const char *name, const char *format, const char *what, uint64_t n)
{
    for (int readonly = 1; readonly >= 0; readonly--) {
        int rc = meet_alone(scratch_path(name), format, readonly);

        if (rc != 0 && rc != 1)
            fprintf(stderr, "%s as %s: %s %llu: ended with %d\n", name, format, what,
                    (unsigned long long)n, rc);
        CHECK(rc == 0 || rc == 1);
    }
}

/* ---- good images ---- */

struct victim {
    const char *format;
    bool (*make)(const char *name);
    uint32_t head; /* bytes that describe the image, worth damaging */
};

static bool make_vhd(const char *name, const struct vhd_make *m)
{
    uint8_t bits[512] = { 0x5a };
    int fd = scratch_file(name);
    bool ok =
        vhd_make(fd, m) &&
        (m->type == 2 || (vhd_make_block(fd, 0, NULL, NULL) && vhd_make_block(fd, 2, bits, NULL)));

    close(fd);
    return ok;
}

static bool make_dynamic(const char *name)
{
    return make_vhd(name, &(struct vhd_make){ .type = 3, .size = 3 * MIB, .block_size = 65536 });
}

static bool make_differencing(const char *name)
{
    close(scratch_file("base.raw"));
    return make_vhd(name, &(struct vhd_make){ .type = 4,
                                              .size = 3 * MIB,
                                              .block_size = 65536,
                                              .locator = { { "MACX", "file://./base.raw" } } });
}

static bool make_fixed(const char *name)
{
    return make_vhd(name, &(struct vhd_make){ .type = 2, .size = 65536 });
}

static bool make_qcow2(const char *name)
{
    return run(NULL, 0, "qemu-img", "create", "-f", "qcow2", "-o", "cluster_size=4096",
               scratch_path(name), "3M", NULL) == 0 &&
           run(NULL, 0, "qemu-io", "-f", "qcow2", "-c", "write 0 200k", "-c", "write -z 1M 64k",
               scratch_path(name), NULL) == 0 &&
           run(NULL, 0, "qemu-img", "snapshot", "-c", "s", scratch_path(name), NULL) == 0;
}

static const struct victim victims[] = {
    { "vhd", make_dynamic, 4608 },
    { "vhd", make_differencing, 4608 },
    { "vhd", make_fixed, 512 },
    { "qcow2", make_qcow2, 32768 },
};

static void put(const char *name, const uint8_t *data, size_t len)
{
    int fd = scratch_file(name);

    CHECK(write(fd, data, len) == (ssize_t)len);
    close(fd);
}

static uint8_t *get(const char *name, size_t *len)
{
    int fd = open(scratch_path(name), O_RDONLY | O_CLOEXEC);
    struct stat st;
    uint8_t *data;

    CHECK(!fstat(fd, &st));
    data = malloc(st.st_size);
    CHECK(read(fd, data, st.st_size) == st.st_size);
    close(fd);
    *len = st.st_size;
    return data;
}

/* ---- lies ---- */

static void cut_off(const struct victim *v, const uint8_t *good, size_t len)
{
    for (size_t n = len - 1; n; n = n * 2 / 3) {
        put("lie", good, n);
        check_lie("lie", v->format, "cut to", n);
    }
}

/* A VHD's checksums are made right again, so that the lie behind them is met. */
static void resum(const struct victim *v)
{
    int fd = open(scratch_path("lie"), O_RDWR | O_CLOEXEC);

    if (!strcmp(v->format, "vhd"))
        CHECK(vhd_make_patch(fd, 0, NULL, 0));
    close(fd);
}

/* Fields of four and eight bytes with the values that break sums and loops. */
static void extremes(const struct victim *v, uint8_t *good, size_t len, uint64_t *seed,
                     unsigned times)
{
    static const uint64_t values[] = {
        0,          1,   ~0ull, 1ull << 63, 0x7fffffffffffffff, 0xffffffff,
        0x80000000, 512, 4096,  65536,      1ull << 40,         0x8000000000001000
    };

    for (unsigned i = 0; i < times; i++) {
        size_t width = rnd_below(seed, 2) ? 4 : 8, head = len < v->head ? len : v->head;
        size_t at = rnd_below(seed, rnd_below(seed, 2) && head > 128 ? 128 : head - 8) & ~3u;
        uint64_t value = values[rnd_below(seed, 12)];
        uint8_t old[8];

        if (rnd_below(seed, 3) == 0) /* the end has a footer */
            at = len - 512 + rnd_below(seed, 504) / 4 * 4;
        memcpy(old, good + at, 8);
        for (size_t k = 0; k < width; k++)
            good[at + k] = value >> 8 * (width - 1 - k);
        put("lie", good, len);
        memcpy(good + at, old, 8);
        resum(v);
        check_lie("lie", v->format, "extreme at", at);
    }
}

static void damage(const struct victim *v, const uint8_t *good, size_t len, uint64_t *seed,
                   unsigned times)
{
    uint8_t *bad = malloc(len);

    for (unsigned i = 0; i < times; i++) {
        memcpy(bad, good, len);
        for (unsigned k = 1 + rnd_below(seed, 30); k; k--)
            bad[rnd_below(seed, len < v->head ? len : v->head)] = rnd(seed);
        put("lie", bad, len);
        resum(v);
        check_lie("lie", v->format, "damage", i);
    }
    free(bad);
}

static void torment(const struct victim *v)
{
    uint64_t seed = env_number("STORAGE_SEED", 2026);
    unsigned times = env_number("STORAGE_LIES", 10);
    uint8_t *good;
    size_t len;

    CHECK(v->make("good"));
    CHECK_EQ(meet_alone(scratch_path("good"), v->format, true), 0);
    good = get("good", &len);
    cut_off(v, good, len);
    extremes(v, good, len, &seed, times);
    damage(v, good, len, &seed, times);
    free(good);
}

TEST(images_that_lie_are_refused_or_give_errors)
{
    if (qt_new()->reload) /* no device here: one run is enough */
        return;
    for (size_t i = 0; i < sizeof(victims) / sizeof(victims[0]); i++)
        torment(&victims[i]);
}

/* The largest table that is taken, and chains of them. */
TEST(large_tables_stay_within_memory)
{
    int rc = 0;

    if (qt_new()->reload)
        return;
    for (unsigned i = 0; i < 6 && !rc; i++) {
        char name[16], url[40];
        struct vhd_make m = { .type = i ? 4 : 3,
                              .size = 1ull << 40,
                              .block_size = 512 << 10,
                              .id = i + 1,
                              .parent_id = i };
        int fd;

        snprintf(name, sizeof(name), "big%u", i);
        snprintf(url, sizeof(url), "file://./big%u", i - 1);
        if (i)
            m.locator[0] = (struct vhd_make_locator){ "MACX", url };
        fd = scratch_file(name);
        CHECK(vhd_make(fd, &m));
        close(fd);
        rc = meet_alone(scratch_path(name), "vhd", false);
        CHECK(rc == 0 || rc == 1);
        CHECK(i > 3 || rc == 0);
    }
    CHECK_EQ(rc, 1); /* a limit there is */
}
