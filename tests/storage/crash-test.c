/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the power goes: a guest writes, zeroes, discards and flushes through an
 * image format, on a store that remembers each step. Then the file is put
 * together as a disk may hold it after any of these steps, where of all that
 * the format had not flushed each sector got through or did not. Such an image
 * must open and hold, for every sector, what the last flush that the guest saw
 * complete promised, or something newer. Then it must go on working.
 *
 * STORAGE_SEED chooses another run, STORAGE_CRASHES how many ends are tried for
 * each format.
 */
#include "tests/unit/qt.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "block/store.h"
#include "tests/storage/record.h"
#include "tests/storage/util.h"
#include "tests/storage/vhd-make.h"
#include "tests/unit/random.h"

#define MIB     (1u << 20)
#define SIZE    (12 * MIB)
#define SECTORS (SIZE / 512)
#define ACTS    400
#define ANY     UINT32_MAX /* after a discard: no promise */
#define LATER   1000000u   /* the version of what is written after the crash */
#define BEHIND  2000000u   /* and of the parent's sectors */

enum act_kind { ACT_WRITE, ACT_ZERO, ACT_DISCARD, ACT_FLUSH };

struct act { /* of the guest */
    enum act_kind kind;
    uint32_t first, count; /* sectors */
    size_t begin, end;     /* steps of the store when it was asked, and when it was done */
};

struct format {
    const char *name, *ops;
    bool (*make)(const char *name);
    bool checks;     /* qemu-img check knows it */
    uint32_t behind; /* the version of all sectors at first */
};

/* ---- sectors: which write of which sector; version 0 is zeroes ---- */

static void sector_make(uint8_t s[512], uint32_t sector, uint32_t version)
{
    uint64_t seed = ((uint64_t)version << 32 | sector) + 1;

    memset(s, 0, 512);
    if (!version)
        return;
    memcpy(s, &version, 4);
    memcpy(s + 4, &sector, 4);
    for (int i = 8; i < 512; i += 8) {
        uint64_t word = rnd64(&seed);

        memcpy(s + i, &word, 8);
    }
}

/* The version of these bytes; false: it is none of this sector. */
static bool sector_version(const uint8_t s[512], uint32_t sector, uint32_t *version)
{
    uint8_t want[512];

    memcpy(version, s, 4);
    sector_make(want, sector, *version);
    return !memcmp(s, want, 512);
}

/* ---- the images ---- */

static bool make_vhd(const char *name, struct vhd_make m)
{
    int fd = scratch_file(name);
    bool ok = vhd_make(fd, &m);

    close(fd);
    return ok;
}

static bool make_dynamic(const char *name)
{
    return make_vhd(name, (struct vhd_make){ .type = 3, .size = SIZE, .block_size = 512 << 10 });
}

static bool make_small_blocks(const char *name)
{
    return make_vhd(name, (struct vhd_make){ .type = 3, .size = SIZE, .block_size = 4096 });
}

static bool make_fixed(const char *name)
{
    return make_vhd(name, (struct vhd_make){ .type = 2, .size = SIZE });
}

/* Its parent is full, so that a sector which wrongly counts as written is seen. */
static bool make_differencing(const char *name)
{
    struct vhd_make m = {
        .type = 4, .size = SIZE, .id = 2, .locator = { { "MACX", "file://./parent.raw" } }
    };
    uint8_t *data = malloc(SIZE);
    int fd = scratch_file("parent.raw");
    bool ok;

    for (uint32_t s = 0; s < SECTORS; s++)
        sector_make(data + s * 512, s, BEHIND);
    ok = write(fd, data, SIZE) == SIZE;
    free(data);
    close(fd);
    return ok && make_vhd(name, m);
}

static bool make_qcow2(const char *name)
{
    return run(NULL, 0, "qemu-img", "create", "-f", "qcow2", "-o", "cluster_size=4096",
               scratch_path(name), "12M", NULL) == 0;
}

static bool make_qcow2_lazy(const char *name)
{
    return run(NULL, 0, "qemu-img", "create", "-f", "qcow2", "-o",
               "lazy_refcounts=on,compat=v3,cluster_size=65536", scratch_path(name), "12M",
               NULL) == 0;
}

static const struct format formats[] = {
    { "vhd-dynamic", "vhd", make_dynamic, false },
    { "vhd-small-blocks", "vhd", make_small_blocks, false },
    { "vhd-differencing", "vhd", make_differencing, false, BEHIND },
    { "vhd-fixed", "vhd", make_fixed, false },
    { "qcow2", "qcow2", make_qcow2, true },
    { "qcow2-lazy", "qcow2", make_qcow2_lazy, true },
};

/* ---- the guest ---- */

static void act_once(struct image *im, struct act *a, uint32_t version, uint8_t *data)
{
    uint64_t off = a->first * 512ull, len = a->count * 512ull;
    int rc = 0;

    for (uint32_t i = 0; a->kind == ACT_WRITE && i < a->count; i++)
        sector_make(data + i * 512, a->first + i, version);
    if (a->kind == ACT_WRITE)
        rc = image_put(im, off, data, len);
    else if (a->kind == ACT_ZERO)
        rc = im->ops->zero(im, off, len, true);
    else if (a->kind == ACT_DISCARD)
        rc = im->ops->discard(im, off, len);
    else
        rc = im->ops->flush(im);
    CHECK_EQ(rc, 0);
}

static void act_choose(struct act *a, uint64_t *seed)
{
    static const enum act_kind kinds[] = { ACT_WRITE, ACT_WRITE, ACT_WRITE,   ACT_WRITE,
                                           ACT_WRITE, ACT_ZERO,  ACT_DISCARD, ACT_FLUSH };

    a->kind = kinds[rnd_below(seed, 8)];
    a->count = a->kind == ACT_WRITE ? 1 + rnd_below(seed, 40) : 1 + rnd_below(seed, 600);
    a->first = rnd_below(seed, SECTORS - a->count);
    if (a->kind != ACT_WRITE && rnd_below(seed, 2)) { /* clusters and blocks as a whole */
        a->first &= ~127u;
        a->count = (a->count + 127) & ~127u;
        if (a->first + a->count > SECTORS)
            a->first = SECTORS - a->count;
    }
}

static struct record *play(const struct format *f, const char *path, struct act *acts,
                           uint64_t *seed)
{
    uint8_t *data = malloc(64 * 512);
    struct err err = { "" };
    struct record *r = NULL;
    struct store *st = record_new(path, &r);
    struct image *im;

    CHECK(st != NULL);
    im = image_open(image_ops_find(f->ops), st, path, false, NULL, NULL, &err);
    if (!im)
        fprintf(stderr, "%s: %s\n", f->name, err.msg);
    CHECK(im != NULL);
    for (uint32_t i = 0; i < ACTS; i++) {
        act_choose(&acts[i], seed);
        acts[i].begin = record_steps(r);
        act_once(im, &acts[i], i + 1, data);
        acts[i].end = record_steps(r);
    }
    image_close(im);
    free(data);
    return r;
}

/* ---- the verdict ---- */

static void spread(uint32_t *versions, const struct act *a, uint32_t i)
{
    uint32_t v = a->kind == ACT_WRITE ? i + 1 : a->kind == ACT_ZERO ? 0 : ANY;

    for (uint32_t s = 0; a->kind != ACT_FLUSH && s < a->count; s++)
        versions[a->first + s] = v;
}

/* Did one of the acts that nobody flushed put this there? */
static bool is_newer(const struct act *acts, uint32_t from, size_t steps, uint32_t sector,
                     uint32_t version)
{
    for (uint32_t i = from; i < ACTS && acts[i].begin < steps; i++)
        if (acts[i].kind != ACT_FLUSH && sector - acts[i].first < acts[i].count &&
            (acts[i].kind == ACT_DISCARD || version == (acts[i].kind == ACT_WRITE ? i + 1 : 0)))
            return true;
    return false;
}

static unsigned count_wrong(struct image *im, const struct act *acts, size_t steps, uint32_t first)
{
    uint32_t *promised = calloc(SECTORS, sizeof(*promised)), flushed = 0;
    unsigned wrong = 0;

    for (uint32_t i = 0; i < SECTORS; i++)
        promised[i] = first;
    for (uint32_t i = 0; i < ACTS && acts[i].end <= steps; i++)
        if (acts[i].kind == ACT_FLUSH)
            flushed = i;
    for (uint32_t i = 0; i < flushed; i++)
        spread(promised, &acts[i], i);
    for (uint32_t s = 0; s < SECTORS; s++) {
        uint8_t sector[512];
        uint32_t v = 0;
        bool known = !image_get(im, s * 512ull, sector, 512) && sector_version(sector, s, &v);

        if (promised[s] == ANY || (known && v == promised[s]) ||
            (known && is_newer(acts, flushed, steps, s, v)))
            continue;
        if (!wrong++)
            fprintf(stderr, "sector %u: version %u%s, promised %u (acts flushed: %u)\n", s, v,
                    known ? "" : " (not one of its own)", promised[s], flushed);
    }
    free(promised);
    return wrong;
}

static bool check_passes(const char *path)
{
    char out[2048];
    int rc = run(out, sizeof(out), "qemu-img", "check", "-f", "qcow2", path, NULL);

    if (rc && rc != 3) /* 3: leaked clusters only */
        fprintf(stderr, "qemu-img check: %d: %s\n", rc, out);
    return rc == 0 || rc == 3;
}

/* Opens what is left, looks at all of it, writes on, looks again. */
static unsigned judge(const struct format *f, const char *path, const struct act *acts,
                      size_t steps)
{
    struct err err = { "" };
    struct image *im = path_image(image_ops_find(f->ops), path, false, &err);
    uint8_t data[512];
    uint32_t v;
    unsigned wrong;

    if (!im) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    wrong = count_wrong(im, acts, steps, f->behind);
    for (uint32_t s = 7; s < SECTORS && !wrong; s += SECTORS / 10) {
        sector_make(data, s, LATER);
        wrong += image_put(im, s * 512ull, data, 512) != 0;
    }
    wrong += im->ops->flush(im) != 0;
    image_close(im);
    if (f->checks && !check_passes(path))
        wrong++;
    im = path_image(image_ops_find(f->ops), path, true, &err);
    for (uint32_t s = 7; im && s < SECTORS && !wrong; s += SECTORS / 10)
        wrong += image_get(im, s * 512ull, data, 512) || !sector_version(data, s, &v) || v != LATER;
    wrong += !im;
    image_close(im);
    return wrong;
}

static void crash(const struct format *f, uint64_t seed, unsigned times)
{
    struct act *acts = calloc(ACTS, sizeof(*acts));
    const char *path = scratch_path("crash.img"), *left = scratch_path("left.img");
    uint64_t first = seed;
    struct record *r;

    CHECK(f->make("crash.img"));
    r = play(f, path, acts, &seed);
    for (unsigned i = 0; i < times; i++) {
        size_t steps = rnd_below(&seed, record_steps(r) + 1);
        bool all = rnd_below(&seed, 4) == 0;
        unsigned wrong;

        CHECK(record_crash(r, steps, all, &seed, left));
        wrong = judge(f, left, acts, steps);
        if (wrong)
            fprintf(stderr, "%s: seed %llu: %s after step %zu of %zu: %u wrong\n", f->name,
                    (unsigned long long)first, all ? "killed" : "power lost", steps,
                    record_steps(r), wrong);
        CHECK_EQ(wrong, 0);
    }
    record_free(r);
    free(acts);
}

static void crash_format(const char *name)
{
    uint64_t seed = env_number("STORAGE_SEED", 2026);
    unsigned times = env_number("STORAGE_CRASHES", 12);

    if (qt_new()->reload) /* no device here: one run is enough */
        return;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (!strcmp(formats[i].name, name)) {
            CHECK(image_ops_find(formats[i].ops) != NULL);
            crash(&formats[i], seed, times);
        }
}

TEST(dynamic_vhd_survives)
{
    crash_format("vhd-dynamic");
}

TEST(vhd_of_small_blocks_survives)
{
    crash_format("vhd-small-blocks");
}

TEST(differencing_vhd_survives)
{
    crash_format("vhd-differencing");
}

TEST(fixed_vhd_survives)
{
    crash_format("vhd-fixed");
}

TEST(qcow2_survives)
{
    crash_format("qcow2");
}

TEST(qcow2_with_lazy_refcounts_survives)
{
    crash_format("qcow2-lazy");
}
