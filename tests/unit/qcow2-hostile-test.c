/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2 images that lie: cut off, cyclic, overlapping, of absurd sizes, and
 * hundreds with random damage in their tables. Each is refused or read with an
 * error; none crashes, runs for long or takes 64 MiB. What overlaps metadata is
 * never written.
 */
#include "tests/unit/qt.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/fuzz/fuzz.h"
#include "tests/unit/qcow2-util.h"
#include "tests/unit/random.h"

#define MIB (1u << 20)

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

struct file {
    uint8_t *data;
    size_t len;
};

static struct file load(const char *name)
{
    int fd = open(in_dir(name), O_RDONLY);
    struct file f = { malloc(4 * MIB), 0 };
    ssize_t n = read(fd, f.data, 4 * MIB);

    CHECK(n > 0);
    f.len = n;
    close(fd);
    return f;
}

static uint64_t get64(const struct file *f, uint64_t off)
{
    uint64_t v;

    CHECK(off + 8 <= f->len);
    memcpy(&v, f->data + off, 8);
    return __builtin_bswap64(v);
}

static void put(struct file *f, uint64_t off, uint64_t v, unsigned bytes)
{
    CHECK(off + bytes <= f->len);
    for (unsigned i = 0; i < bytes; i++)
        f->data[off + i] = v >> (8 * (bytes - 1 - i));
}

static void save(const struct file *f, const char *name)
{
    int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0 && write(fd, f->data, f->len) == (ssize_t)f->len);
    close(fd);
}

static struct file sample(const char *opts)
{
    make_raw("a.raw", MIB, 9);
    CHECK_EQ(sh("qemu-img convert -O qcow2 -o %s a.raw s.img", opts), 0);
    return load("s.img");
}

static bool refused(const struct file *f, bool readonly, const char *says)
{
    struct err why = { "" };
    struct image *im;

    save(f, "h.img");
    im = img_open("h.img", readonly, &why);
    if (!im && strstr(why.msg, says) && !strchr(why.msg, '\n'))
        return true;
    fprintf(stderr, "said: %s\n", im ? "nothing" : why.msg);
    image_close(im);
    return false;
}

static const struct lie { /* one number of the header, and what is said of it */
    unsigned off, bytes;
    uint64_t val;
    const char *says;
} lies[] = {
    { 4, 4, 4, "no qcow2 header" },
    { 20, 4, 8, "size of its clusters" },
    { 20, 4, 22, "size of its clusters" },
    { 20, 4, 0xffffffff, "size of its clusters" },
    { 24, 8, 1ULL << 62, "L1 table is too large, or too small" },
    { 24, 8, UINT64_MAX, "L1 table is too large, or too small" },
    { 36, 4, 0xffffffff, "L1 table is too large" },
    { 36, 4, 0, "too small for the disk" },
    { 40, 8, 512, "not in the file" },
    { 40, 8, 1ULL << 63, "not in the file" },
    { 40, 8, -65536ULL, "not in the file" },
    { 48, 8, 0, "not in the file" },
    { 48, 8, 1ULL << 40, "not in the file" },
    { 56, 4, 0, "refcount table is too large or not there" },
    { 56, 4, 0xffffffff, "refcount table is too large" },
    { 56, 4, 100, "not in the file" },
    { 60, 4, 65537, "snapshot table" },
    { 60, 4, 1, "snapshot table" },
    { 96, 4, 7, "wider than 64 bits" },
    { 100, 4, 0xfffffff8, "header's length" },
    { 100, 4, 100, "header's length" },
    { 112 + 4, 4, 0xffffffff, "header extension does not fit" },
};

TEST(headers_that_lie)
{
    ONCE;
    struct file good = sample("compat=1.1");

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct file f = { malloc(good.len), good.len };

        memcpy(f.data, good.data, good.len);
        put(&f, lies[i].off, lies[i].val, lies[i].bytes);
        CHECK(refused(&f, false, lies[i].says));
        CHECK(refused(&f, true, lies[i].says));
        free(f.data);
    }
    good.len = 60;
    CHECK(refused(&good, true, "too short"));
    free(good.data);
}

/* Writing gives an error; what was there is untouched but for the corrupt bit. */
static void must_not_write(struct file *f, uint64_t precious, size_t len)
{
    uint8_t buf[4096], before[512];
    struct err why = { "" };
    struct image *im;
    struct file now;

    memcpy(before, f->data + precious, sizeof(before));
    save(f, "h.img");
    im = img_open("h.img", false, &why);
    CHECK(im != NULL);
    pattern(buf, sizeof(buf), 3);
    CHECK(img_write(im, 0, buf, sizeof(buf)) != 0);
    CHECK(im->ops->flush(im) != 0);
    CHECK(img_write(im, im->size - 4096, buf, sizeof(buf)) != 0);
    image_close(im);
    now = load("h.img");
    CHECK(now.data[79] & 2);
    CHECK(precious < 112 || !memcmp(now.data + precious, before, len));
    CHECK(!memcmp(now.data + 80, f->data + 80, 32));
    free(now.data);
}

TEST(tables_that_lie_on_each_other)
{
    ONCE;
    struct file good = sample("compat=1.1");
    uint64_t l1 = get64(&good, 40), rt = get64(&good, 48);
    uint64_t l2 = get64(&good, l1) & 0xfffffffffffe00, rb = get64(&good, rt);
    const uint64_t where[] = { 0x10000 * 0, l1, rt, rb, l2 };
    struct file f = { malloc(good.len), good.len };

    for (int i = 1; i < 5; i++) {
        /* a data cluster on metadata, marked as written in place */
        memcpy(f.data, good.data, good.len);
        put(&f, l2, where[i] | 1ULL << 63, 8);
        must_not_write(&f, where[i], where[i] == l2 ? 8 : 512);
        /* an L2 table there */
        memcpy(f.data, good.data, good.len);
        put(&f, l1, (where[i] == l2 ? l1 : where[i]) | 1ULL << 63, 8);
        must_not_write(&f, where[i], where[i] == l1 ? 8 : 512);
        /* it counts as free, so that the next allocation would take it */
        memcpy(f.data, good.data, good.len);
        put(&f, rb + 2 * (where[i] >> 16), 0, 2);
        put(&f, l2, 0, 8);
        must_not_write(&f, where[i], 8);
    }
    /* a refcount block that is the L2 table; beyond the file; crooked */
    for (int i = 0; i < 3; i++) {
        memcpy(f.data, good.data, good.len);
        put(&f, rt, i == 0 ? l2 : i == 1 ? 1ULL << 50 : 0x10200, 8);
        put(&f, l2, 0, 8);
        must_not_write(&f, l2, 8);
    }
    free(f.data);
    free(good.data);
}

TEST(entries_out_of_this_world_are_errors)
{
    ONCE;
    struct file f = sample("compat=1.1");
    uint64_t l1 = get64(&f, 40), l2 = get64(&f, l1) & 0xfffffffffffe00;
    struct err why = { "" };
    uint8_t buf[4096];
    struct image *im;

    put(&f, l2, 1ULL << 63 | 1ULL << 55, 8);             /* far beyond the file */
    put(&f, l2 + 8, 1ULL << 62 | 0x3fffffffffffffff, 8); /* compressed, everything set */
    put(&f, l2 + 16, 1ULL << 62 | 0x30000, 8);           /* compressed, but no such stream */
    put(&f, l2 + 24, 1ULL << 63 | 0x10200, 8);           /* crooked */
    save(&f, "h.img");
    im = img_open("h.img", true, &why);
    CHECK(im != NULL);
    for (int i = 0; i < 4; i++)
        CHECK(img_read(im, i * 65536u, buf, sizeof(buf)) != 0);
    image_close(im);
    free(f.data);
}

/* ---- damage by chance ---- */

static void damage(struct file *f, const struct file *good, uint64_t *seed)
{
    uint64_t l1 = get64(good, 40), rt = get64(good, 48);
    uint64_t l2 = get64(good, l1) & 0xfffffffffffe00, rb = get64(good, rt) & ~511ULL;
    const uint64_t places[] = { 0, l1, rt, l2, rb, 72, l2 };

    f->len = good->len;
    memcpy(f->data, good->data, good->len);
    for (unsigned n = 1 + rnd_below(seed, 6); n-- > 0;) {
        uint64_t at = places[rnd_below(seed, 7)] + rnd_below(seed, 128);

        if (at + 8 > f->len)
            continue;
        switch (rnd_below(seed, 4)) {
        case 0:
            f->data[at] = rnd(seed);
            break;
        case 1:
            f->data[at] ^= 1u << rnd_below(seed, 8);
            break;
        case 2: /* a pointer to some cluster */
            put(f, at & ~7ULL, (uint64_t)rnd_below(seed, 40) << good->data[23] | 1ULL << 63, 8);
            break;
        default:
            put(f, at & ~7ULL, rnd_below(seed, 2) ? UINT64_MAX : rnd64(seed), 8);
        }
    }
    if (!rnd_below(seed, 8))
        f->len = rnd(seed) % f->len;
}

/* In a process of its own, to see what it takes. */
static void run_corpus(const struct file *good, uint64_t seed, unsigned rounds)
{
    pid_t pid = fork();
    struct rusage use;
    int status;

    if (pid == 0) {
        struct file f = { malloc(good->len), 0 };

        if (!SANITIZED) /* a sanitizer wants terabytes of addresses */
            setrlimit(RLIMIT_AS, &(struct rlimit){ 512u << 20, 512u << 20 });
        alarm(120);
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        for (unsigned i = 0; i < rounds; i++) {
            damage(&f, good, &seed);
            LLVMFuzzerTestOneInput(f.data, f.len);
        }
        _exit(0);
    }
    CHECK(wait4(pid, &status, 0, &use) == pid);
    CHECK_EQ(status, 0);
    if (!SANITIZED)
        CHECK(use.ru_maxrss < 64 * 1024);
}

TEST(random_damage)
{
    ONCE;
    static const char *const options[] = { "compat=1.1", "compat=0.10,cluster_size=512",
                                           "extended_l2=on,cluster_size=16384",
                                           "cluster_size=4096,lazy_refcounts=on,refcount_bits=1",
                                           "cluster_size=65536,compression_type=zstd" };
    const char *env = getenv("PORTICO_DAMAGES");
    unsigned rounds = env ? (unsigned)strtoul(env, NULL, 0) : 150;

    for (int i = 0; i < 5; i++) {
        struct file f;

        make_raw("a.raw", MIB, 9);
        CHECK_EQ(
            sh("qemu-img convert %s -O qcow2 -o %s a.raw s.img", i >= 3 ? "-c" : "", options[i]),
            0);
        if (i < 3)
            CHECK_EQ(sh("qemu-img snapshot -c s s.img"), 0);
        f = load("s.img");
        if (i == 3)
            f.data[79] |= 1; /* dirty: the repair is tried too */
        run_corpus(&f, 1000 + i, rounds);
        free(f.data);
    }
}

/* A sparse file may be as large as it likes. */
TEST(absurd_but_legal)
{
    ONCE;
    struct err why = { "" };
    struct image *im;
    uint8_t buf[4096];

    CHECK_EQ(sh("qemu-img create -q -f qcow2 -o cluster_size=2M huge.img 1P"), 0);
    im = img_open("huge.img", false, &why);
    CHECK(im && im->size == 1ULL << 50);
    pattern(buf, sizeof(buf), 1);
    CHECK_EQ(img_write(im, (1ULL << 50) - 4096, buf, 4096), 0);
    CHECK_EQ(im->ops->zero(im, 0, 1ULL << 49, true), 0);
    CHECK_EQ(im->ops->discard(im, 0, 1ULL << 49), 0);
    image_close(im);
    CHECK_EQ(qemu_check("huge.img"), 0);
    CHECK_EQ(sh("cp huge.img dirty.img && truncate -s 100T dirty.img && "
                "printf '\\1' | dd of=dirty.img bs=1 seek=79 conv=notrunc"),
             0);
    im = img_open("dirty.img", false, &why);
    CHECK(im || strstr(why.msg, "too large to repair"));
    image_close(im);
}
