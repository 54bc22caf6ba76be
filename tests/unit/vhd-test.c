/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/vhd*.c as an image format without its worker: against qemu-img both
 * ways, and against images put together from the specification (vhd-make.h).
 */
#include "tests/unit/qt.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "block/store-impl.h"
#include "block/vhd.h"
#include "tests/storage/util.h"
#include "tests/storage/vhd-make.h"
#include "tests/unit/random.h"

#define MIB (1u << 20)

/* There is no device here whose state could be loaded again: one run is enough. */
#define ONCE()                                                                                     \
    if (qt_new()->reload)                                                                          \
    return

static uint64_t file_length(const char *path)
{
    struct stat st;

    return stat(path, &st) ? 0 : st.st_size;
}

static void fill(uint8_t *p, size_t len, uint64_t seed)
{
    seed = seed * 2654435761u + 1;
    for (size_t i = 0; i < len; i++)
        p[i] = rnd(&seed);
}

static struct image *must_open(const char *path, bool readonly)
{
    struct err err = { "" };
    struct image *im = path_image(&image_vhd, path, readonly, &err);

    if (!im)
        fprintf(stderr, "%s\n", err.msg);
    CHECK(im != NULL);
    return im;
}

static void must_fail(const char *path, bool readonly, const char *why)
{
    struct err err = { "" };
    struct image *im = path_image(&image_vhd, path, readonly, &err);

    if (im || !strstr(err.msg, why))
        fprintf(stderr, "expected: %s; came: %s\n", why, im ? "an image" : err.msg);
    CHECK(!im);
    CHECK(strstr(err.msg, why) != NULL);
    CHECK(!strchr(err.msg, '\n'));
    image_close(im);
}

static void make(const char *name, struct vhd_make m)
{
    int fd = scratch_file(name);

    CHECK(vhd_make(fd, &m));
    close(fd);
}

static void make_block(const char *name, uint32_t block, const uint8_t *bits, const uint8_t *data)
{
    int fd = open(scratch_path(name), O_RDWR | O_CLOEXEC);

    CHECK(vhd_make_block(fd, block, bits, data));
    close(fd);
}

static void patch(const char *name, uint64_t at, const void *data, size_t len)
{
    int fd = open(scratch_path(name), O_RDWR | O_CLOEXEC);

    CHECK(vhd_make_patch(fd, at, data, len));
    close(fd);
}

/* Without making the checksums right. */
static void damage(const char *name, uint64_t at, size_t len)
{
    int fd = open(scratch_path(name), O_RDWR | O_CLOEXEC);
    uint8_t *junk = malloc(len);

    memset(junk, 0xa5, len);
    CHECK(pwrite(fd, junk, len, at) == (ssize_t)len);
    free(junk);
    close(fd);
}

static bool all_bytes(const uint8_t *p, size_t len, uint8_t byte)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != byte)
            return false;
    return true;
}

static bool same_as_file(struct image *im, const char *path)
{
    uint8_t *a = malloc(MIB), *b = malloc(MIB);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool same = fd >= 0;

    for (uint64_t at = 0; same && at < im->size; at += MIB) {
        size_t n = im->size - at < MIB ? im->size - at : MIB;

        memset(b, 0, n);
        same = !image_get(im, at, a, n) && pread(fd, b, n, at) >= 0 && !memcmp(a, b, n);
    }
    close(fd);
    free(a);
    free(b);
    return same;
}

static bool qemu_compares(const char *vhd, const char *raw)
{
    char out[1024];
    int rc = run(out, sizeof(out), "qemu-img", "compare", "-f", "vpc", "-F", "raw", vhd, raw, NULL);

    if (rc)
        fprintf(stderr, "qemu-img compare: %s\n", out);
    return rc == 0;
}

static uint64_t qemu_size(const char *path)
{
    char out[4096];
    const char *at;

    CHECK_EQ(run(out, sizeof(out), "qemu-img", "info", "-f", "vpc", "--output=json", path, NULL),
             0);
    at = strstr(out, "\"virtual-size\":");
    return at ? strtoull(at + 15, NULL, 10) : 0;
}

/* ---- images of qemu-img ---- */

static void make_reference(const char *name, uint64_t size)
{
    int fd = scratch_file(name);
    uint8_t *data = malloc(300000);

    fill(data, 300000, size);
    CHECK(!ftruncate(fd, size));
    for (uint64_t at = 1000; at + 300000 < size; at = at * 3 + 300000)
        CHECK(pwrite(fd, data, 300000, at) == 300000);
    CHECK(pwrite(fd, data, 700, size - 700) == 700);
    free(data);
    close(fd);
}

static void check_qemu_image(uint64_t size, const char *options)
{
    const char *raw = scratch_path("reference.raw"), *vhd = scratch_path("qemu.vhd");
    struct image *im;

    make_reference("reference.raw", size);
    CHECK_EQ(run(NULL, 0, "qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", options, raw, vhd,
                 NULL),
             0);
    im = must_open(vhd, true);
    CHECK_EQ(im->size, qemu_size(vhd));
    CHECK(im->size >= size);
    CHECK(same_as_file(im, raw));
    image_close(im);
}

TEST(images_of_qemu_img_read_as_it_reads_them)
{
    static const char *const options[] = {
        "subformat=dynamic,force_size=on",
        "subformat=dynamic,force_size=off",
        "subformat=fixed,force_size=on",
        "subformat=fixed,force_size=off",
    };
    static const uint64_t sizes[] = { 1 * MIB, 5 * MIB + 512, 40 * MIB + 3 * 512, 600ull * MIB };

    ONCE();
    for (size_t o = 0; o < 4; o++)
        for (size_t s = 0; s < 4; s++)
            if (s < 3 || o < 2)
                check_qemu_image(sizes[s], options[o]);
}

/* ---- writing, with a plain file as the model ---- */

#define SCRIBBLE_MAX 200000u

static void scribble_once(struct image *im, int model, uint64_t *seed, uint8_t *a, uint8_t *b)
{
    uint64_t off = rnd64(seed) % im->size;
    size_t len = 1 + rnd_below(seed, SCRIBBLE_MAX);

    if (rnd_below(seed, 2)) {
        off = off / 512 * 512;
        len = (len + 511) / 512 * 512;
    }
    if (len > im->size - off)
        len = im->size - off;
    switch (rnd_below(seed, 8)) {
    case 0:
        CHECK_EQ(im->ops->zero(im, off, len, rnd_below(seed, 2)), 0);
        memset(a, 0, len);
        CHECK(pwrite(model, a, len, off) == (ssize_t)len);
        break;
    case 1:
        CHECK_EQ(im->ops->discard(im, off, len), 0);
        CHECK_EQ(image_get(im, off, a, len), 0); /* no promise what */
        CHECK(pwrite(model, a, len, off) == (ssize_t)len);
        break;
    case 2:
        CHECK_EQ(im->ops->flush(im), 0);
        CHECK(!im->ops->dirty(im));
        break;
    case 3:
    case 4:
        CHECK_EQ(image_get(im, off, a, len), 0);
        CHECK(pread(model, b, len, off) == (ssize_t)len);
        CHECK(!memcmp(a, b, len));
        break;
    default:
        fill(a, len, rnd64(seed));
        CHECK_EQ(image_put(im, off, a, len), 0);
        CHECK(pwrite(model, a, len, off) == (ssize_t)len);
    }
}

static void scribble(const char *vhd, const char *model, unsigned times, uint64_t seed)
{
    uint8_t *a = malloc(SCRIBBLE_MAX + 512), *b = malloc(SCRIBBLE_MAX + 512);
    struct image *im = must_open(vhd, false);
    int fd = open(model, O_RDWR | O_CLOEXEC);

    for (unsigned i = 0; i < times; i++)
        scribble_once(im, fd, &seed, a, b);
    CHECK(same_as_file(im, model));
    image_close(im);
    im = must_open(vhd, true);
    CHECK(same_as_file(im, model));
    image_close(im);
    close(fd);
    free(a);
    free(b);
}

static void empty_model(const char *name, uint64_t size)
{
    int fd = scratch_file(name);

    CHECK(!ftruncate(fd, size));
    close(fd);
}

TEST(what_is_written_compares_equal_by_qemu_img)
{
    static const char *const options[] = { "subformat=dynamic,force_size=on",
                                           "subformat=fixed,force_size=on" };
    const char *vhd = scratch_path("written.vhd"), *model = scratch_path("written.raw");

    ONCE();
    for (size_t o = 0; o < 2; o++) {
        CHECK_EQ(
            run(NULL, 0, "qemu-img", "create", "-f", "vpc", "-o", options[o], vhd, "30M", NULL), 0);
        empty_model("written.raw", 30 * MIB);
        scribble(vhd, model, 120, 7 + o);
        CHECK(qemu_compares(vhd, model));
    }
}

TEST(any_block_size_works_and_bitmaps_are_bounded)
{
    static const uint32_t sizes[] = { 4096, 8192, 65536, 512 << 10, 16 << 20 };

    ONCE();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        make("sizes.vhd", (struct vhd_make){ .type = 3, .size = 37 * MIB, .block_size = sizes[i] });
        empty_model("sizes.raw", 37 * MIB);
        scribble(scratch_path("sizes.vhd"), scratch_path("sizes.raw"), 120, 40 + i);
        CHECK(qemu_compares(scratch_path("sizes.vhd"), scratch_path("sizes.raw")));
    }
}

/* Its size cannot change, and what it has not been given is not zero. */
TEST(a_block_device_of_fixed_size_works)
{
    ONCE();
    uint8_t *a = malloc(SCRIBBLE_MAX + 512), *b = malloc(SCRIBBLE_MAX + 512);
    struct vhd_make m = { .type = 3, .size = 12 * MIB };
    const char *path = scratch_path("device.vhd");
    struct err err = { "" };
    uint64_t seed = 5, end;
    struct store *st;
    struct image *im;
    uint8_t footer[512];
    int fd, model;

    make("device.vhd", m);
    end = file_length(path) - 512;
    damage("device.vhd", end + 512, 9 * MIB);
    fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(pread(fd, footer, 512, end) == 512);
    CHECK(pwrite(fd, footer, 512, end + 9 * MIB) == 512); /* at the end of the device */
    st = path_store(path, false);
    st->fixed = true;
    im = image_open(&image_vhd, st, path, false, NULL, NULL, &err);
    CHECK(im != NULL);
    empty_model("device.raw", 12 * MIB);
    model = open(scratch_path("device.raw"), O_RDWR | O_CLOEXEC);
    im->size = 8 * MIB; /* four blocks fit */
    for (int i = 0; i < 150; i++)
        scribble_once(im, model, &seed, a, b);
    im->size = 12 * MIB;
    memset(a, 1, 512);
    CHECK_EQ(image_put(im, 11 * MIB, a, 512), ENOSPC);
    CHECK(same_as_file(im, scratch_path("device.raw")));
    image_close(im);
    CHECK_EQ(file_length(path), end + 9 * MIB + 512);
    im = must_open(path, true);
    CHECK(same_as_file(im, scratch_path("device.raw")));
    image_close(im);
    close(fd);
    close(model);
    free(a);
    free(b);
}

TEST(map_says_where_the_data_is)
{
    uint8_t data[8192], got[8192];
    uint64_t len = sizeof(data), host;
    struct image *im;
    int fd;

    make("map.vhd", (struct vhd_make){ .type = 3, .size = 8 * MIB });
    im = must_open(scratch_path("map.vhd"), false);
    CHECK(!im->ops->map(im, 2 * MIB - 4096, &len, false, &host));
    fill(data, sizeof(data), 3);
    CHECK_EQ(image_put(im, 2 * MIB - 4096, data, sizeof(data)), 0);
    len = sizeof(data);
    CHECK(im->ops->map(im, 2 * MIB - 4096, &len, true, &host));
    CHECK_EQ(len, 4096);
    CHECK_EQ(host % 4096, 4096 - 4096);
    fd = open(scratch_path("map.vhd"), O_RDONLY | O_CLOEXEC);
    CHECK(pread(fd, got, 4096, host) == 4096);
    CHECK(!memcmp(got, data, 4096));
    len = 100;
    CHECK(im->ops->map(im, 2 * MIB + 4000, &len, false, &host));
    CHECK_EQ(len, 100);
    CHECK(pread(fd, got, 96, host) == 96);
    CHECK(!memcmp(got, data + 8096, 96));
    close(fd);
    image_close(im);
}

/* ---- differencing ---- */

#define KID_SIZE (6 * MIB)

/* grand.vhd <- mid.vhd <- kid.vhd; each has some sectors of block 0 and 1. */
static void make_family(void)
{
    uint8_t bits[512] = { 0 }, *data = malloc(2 * MIB);

    make("grand.vhd", (struct vhd_make){ .type = 3, .size = KID_SIZE, .id = 1, .time = 50 });
    make("mid.vhd", (struct vhd_make){ .type = 4,
                                       .size = KID_SIZE,
                                       .id = 2,
                                       .parent_id = 1,
                                       .parent_time = 50,
                                       .locator = { { "W2ku", "C:\\elsewhere\\grand.vhd" } } });
    make("kid.vhd", (struct vhd_make){ .type = 4,
                                       .size = KID_SIZE,
                                       .id = 3,
                                       .parent_id = 2,
                                       .locator = { { "W2ru", ".\\nowhere.vhd" },
                                                    { "MACX", "file://./mid.vhd" } } });
    memset(data, 0x11, 2 * MIB);
    make_block("grand.vhd", 0, NULL, data);
    bits[0] = 0x40; /* sector 1 */
    bits[1] = 0x80; /* sector 8 */
    memset(data, 0x22, 2 * MIB);
    make_block("mid.vhd", 0, bits, data);
    make_block("mid.vhd", 1, bits, data);
    bits[0] = 0x01; /* sector 7 */
    memset(data, 0x33, 2 * MIB);
    make_block("kid.vhd", 0, bits, data);
    free(data);
}

static int sector_byte(struct image *im, uint64_t sector)
{
    uint8_t s[512];

    CHECK_EQ(image_get(im, sector * 512, s, 512), 0);
    return all_bytes(s, 512, s[0]) ? s[0] : -1;
}

TEST(a_sector_comes_from_the_nearest_image_that_has_it)
{
    uint8_t *all = malloc(KID_SIZE);
    struct image *im;

    make_family();
    im = must_open(scratch_path("kid.vhd"), true);
    CHECK_EQ(im->backing->depth, 1);
    CHECK_EQ(sector_byte(im, 0), 0x11);
    CHECK_EQ(sector_byte(im, 1), 0x22);
    CHECK_EQ(sector_byte(im, 7), 0x33);
    CHECK_EQ(sector_byte(im, 8), 0x33); /* both have it */
    CHECK_EQ(sector_byte(im, 9), 0x11);
    CHECK_EQ(sector_byte(im, 4096 + 8), 0x22);
    CHECK_EQ(sector_byte(im, 4096), 0);
    CHECK_EQ(sector_byte(im, 8192), 0);
    CHECK_EQ(image_get(im, 0, all, KID_SIZE), 0); /* in one request */
    CHECK(all[511] == 0x11 && all[512] == 0x22 && all[1023] == 0x22 && all[1024] == 0x11);
    CHECK(all[7 * 512] == 0x33 && all[9 * 512 - 1] == 0x33 && all[9 * 512] == 0x11);
    CHECK_EQ(image_get(im, 700, all, 400), 0); /* not on a sector */
    CHECK(all[0] == 0x22 && all[323] == 0x22 && all[324] == 0x11);
    image_close(im);
    free(all);
}

TEST(writes_stay_out_of_the_parent)
{
    uint8_t piece[100];
    struct image *im;
    struct stat before, after;

    make_family();
    CHECK(!stat(scratch_path("mid.vhd"), &before));
    im = must_open(scratch_path("kid.vhd"), false);
    memset(piece, 0x44, sizeof(piece));
    CHECK_EQ(image_put(im, 512 + 50, piece, 100), 0); /* the rest of the sector is mid's */
    CHECK_EQ(im->ops->zero(im, 4096 * 512 + 8 * 512, 512, true), 0); /* hides mid's */
    CHECK_EQ(im->ops->zero(im, 4 * MIB, 2 * MIB, true), 0);          /* nobody has that */
    image_close(im);
    im = must_open(scratch_path("kid.vhd"), true);
    uint8_t s[512];
    CHECK_EQ(image_get(im, 512, s, 512), 0);
    CHECK(all_bytes(s, 50, 0x22) && all_bytes(s + 50, 100, 0x44) && all_bytes(s + 150, 362, 0x22));
    CHECK_EQ(sector_byte(im, 4096 + 8), 0);
    CHECK_EQ(vhd_block_pos(im->priv, 2), 0); /* took no space */
    image_close(im);
    CHECK(!stat(scratch_path("mid.vhd"), &after));
    CHECK(before.st_size == after.st_size && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
}

TEST(a_chain_scribbles_like_a_disk)
{
    ONCE();
    uint8_t *all = malloc(KID_SIZE);
    struct image *im;
    int fd;

    make_family();
    im = must_open(scratch_path("kid.vhd"), true);
    CHECK_EQ(image_get(im, 0, all, KID_SIZE), 0);
    image_close(im);
    fd = scratch_file("kid.raw");
    CHECK(write(fd, all, KID_SIZE) == KID_SIZE);
    close(fd);
    scribble(scratch_path("kid.vhd"), scratch_path("kid.raw"), 150, 99);
    free(all);
}

TEST(parents_may_be_raw_fixed_shorter_or_named_in_the_header)
{
    struct image *im;
    uint8_t *data = malloc(2 * MIB);
    int fd = scratch_file("base.raw");

    memset(data, 0x55, 2 * MIB);
    CHECK(write(fd, data, 2 * MIB) == 2 * MIB);
    close(fd);
    make("on-raw.vhd", (struct vhd_make){ .type = 4,
                                          .size = KID_SIZE,
                                          .id = 3,
                                          .locator = { { "MACX", "file://./base.raw" } } });
    im = must_open(scratch_path("on-raw.vhd"), false);
    CHECK_EQ(sector_byte(im, 4095), 0x55);
    CHECK_EQ(sector_byte(im, 4096), 0); /* past the parent's end */
    image_close(im);
    make("fixed.vhd", (struct vhd_make){ .type = 2, .size = 2 * MIB, .id = 8 });
    fd = open(scratch_path("fixed.vhd"), O_RDWR | O_CLOEXEC);
    CHECK(pwrite(fd, data, 2 * MIB, 0) == 2 * MIB);
    close(fd);
    make("on-fixed.vhd", (struct vhd_make){ .type = 4,
                                            .size = KID_SIZE,
                                            .id = 3,
                                            .parent_id = 8,
                                            .parent_name = "D:\\x\\fixed.vhd" });
    im = must_open(scratch_path("on-fixed.vhd"), false);
    CHECK_EQ(sector_byte(im, 4095), 0x55);
    CHECK_EQ(sector_byte(im, 4096), 0); /* not its footer */
    image_close(im);
    free(data);
}

TEST(a_wrong_parent_is_refused)
{
    struct vhd_make kid = { .type = 4, .size = KID_SIZE, .id = 3, .parent_id = 9 };
    struct err err = { "" };

    make_family();
    kid.locator[0] = (struct vhd_make_locator){ "W2ru", "mid.vhd" };
    make("stray.vhd", kid);
    must_fail(scratch_path("stray.vhd"), false, "another identity");
    kid.locator[0].path = "gone.vhd";
    make("stray.vhd", kid);
    must_fail(scratch_path("stray.vhd"), false, "gone.vhd");
    kid.locator[0].code = NULL;
    make("stray.vhd", kid);
    must_fail(scratch_path("stray.vhd"), false, "no name of its parent");
    kid.parent_id = 3;
    kid.locator[0] = (struct vhd_make_locator){ "W2ru", "stray.vhd" };
    make("stray.vhd", kid);
    must_fail(scratch_path("stray.vhd"), true, "");
    kid.parent_id = 4;
    kid.locator[0].path = "stray2.vhd";
    make("stray.vhd", kid);
    kid.id = 4;
    kid.parent_id = 3;
    kid.locator[0].path = "stray.vhd";
    make("stray2.vhd", kid);
    must_fail(scratch_path("stray.vhd"), true, "");
    CHECK(!path_image(&image_vhd, scratch_path("not-there.vhd"), true, &err));
}

TEST(locators_become_paths)
{
    static const struct {
        uint32_t code;
        const char *data;
        size_t len;
        const char *path;
    } rows[] = {
        { VHD_LOC_W2RU, ".\0\\\0a\0.\0v\0", 10, "./a.v" },
        { VHD_LOC_W2KU, "C\0:\0\\\0d\0\\\0a\0", 12, "/d/a" },
        { VHD_LOC_W2KU, "a\0\0\0b\0", 6, "a" },
        { VHD_LOC_W2RU, "\xe4\0\xac\x20\x3d\xd8\x00\xde", 8,
          "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
        { VHD_LOC_W2RU, "\x3d\xd8", 2, NULL },
        { VHD_LOC_W2RU, "\x00\xde\x3d\xd8", 4, NULL },
        { VHD_LOC_MACX, "file://localhost/a/b%20c", 24, "/a/b c" },
        { VHD_LOC_MACX, "file:///a%2", 11, "/a%2" },
        { VHD_LOC_MACX, "file:///a%00b", 13, NULL },
        { VHD_LOC_MACX_XEN, "file://./p.vhd", 14, "./p.vhd" },
        { VHD_LOC_MACX_XEN, "file://", 7, NULL },
        { VHD_LOC_MACX, "http://x/y", 10, NULL },
        { VHD_LOC_W2RU, "", 0, NULL },
        { 0x4d616320, "x", 1, NULL },
    };
    char out[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        /* In memory of exactly that size, so that a read too far is seen. */
        uint8_t *data = malloc(rows[i].len ? rows[i].len : 1);
        bool is_path;

        memcpy(data, rows[i].data, rows[i].len);
        is_path = vhd_locator_path(rows[i].code, data, rows[i].len, out, sizeof(out));
        CHECK_EQ(is_path, rows[i].path != NULL);
        if (rows[i].path)
            CHECK(!strcmp(out, rows[i].path));
        CHECK(!rows[i].path || rows[i].len < 2 ||
              !vhd_locator_path(rows[i].code, data, rows[i].len, out, strlen(rows[i].path)));
        free(data);
    }
}

/* ---- footers ---- */

static void make_with_data(const char *name)
{
    uint8_t *data = malloc(2 * MIB);

    make(name, (struct vhd_make){ .type = 3, .size = 6 * MIB, .id = 7 });
    memset(data, 0x66, 2 * MIB);
    make_block(name, 1, NULL, data);
    free(data);
}

static bool footers_agree(const char *path)
{
    uint8_t a[512] = { 0 }, b[512] = { 1 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool same = pread(fd, a, 512, 0) == 512 && pread(fd, b, 512, file_length(path) - 512) == 512 &&
                !memcmp(a, b, 512) && !memcmp(a, "conectix", 8);

    close(fd);
    return same;
}

TEST(a_damaged_footer_is_replaced_when_writing_is_allowed)
{
    const char *path = scratch_path("foot.vhd");

    for (int which = 0; which < 4; which++) {
        uint64_t len;
        struct image *im;

        make_with_data("foot.vhd");
        len = file_length(path);
        if (which == 0)
            damage("foot.vhd", len - 512, 512);
        else if (which == 1)
            damage("foot.vhd", 0, 512);
        else if (which == 2)
            CHECK(!truncate(path, len - 512));
        else
            damage("foot.vhd", len, 70000); /* a block that was never finished */
        im = must_open(path, true);
        CHECK_EQ(sector_byte(im, 4096), 0x66);
        image_close(im);
        CHECK(!footers_agree(path)); /* opened to read only */
        im = must_open(path, false);
        CHECK_EQ(sector_byte(im, 4096), 0x66);
        image_close(im);
        CHECK(footers_agree(path));
        CHECK_EQ(file_length(path), len);
    }
    make_with_data("foot.vhd");
    damage("foot.vhd", file_length(path) - 512, 512);
    damage("foot.vhd", 0, 512);
    must_fail(path, true, "no footer");
}

/* Blocks that a killed process took and never put into the table take no space twice. */
TEST(blocks_nobody_names_are_cut_off)
{
    const char *path = scratch_path("lost.vhd");
    uint8_t sector[512];
    struct image *im;
    uint64_t len;

    make_with_data("lost.vhd");
    len = file_length(path);
    damage("lost.vhd", len - 512, 2 * MIB);
    im = must_open(path, true);
    image_close(im);
    im = must_open(path, false);
    memset(sector, 0x77, sizeof(sector));
    CHECK_EQ(image_put(im, 512, sector, 512), 0);
    CHECK_EQ(sector_byte(im, 2), 0);
    image_close(im);
    CHECK(footers_agree(path));
    CHECK(file_length(path) <= len + 512 + 4096 + 2 * MIB);
    im = must_open(path, true);
    CHECK_EQ(sector_byte(im, 1), 0x77);
    CHECK_EQ(sector_byte(im, 0), 0);
    image_close(im);
}

/* The guest of a fixed disk writes a dynamic disk's head into its first sectors. */
TEST(a_guest_cannot_make_its_fixed_disk_another)
{
    uint8_t head[8192];
    struct image *im;
    int fd;

    make("forged.vhd", (struct vhd_make){ .type = 4,
                                          .size = 2 * MIB,
                                          .locator = { { "MACX", "file:///etc/passwd" } } });
    fd = open(scratch_path("forged.vhd"), O_RDONLY | O_CLOEXEC);
    CHECK(pread(fd, head, 4096, 0) == 4096);
    close(fd);
    make("victim.vhd", (struct vhd_make){ .type = 2, .size = 2 * MIB });
    im = must_open(scratch_path("victim.vhd"), false);
    CHECK_EQ(image_put(im, 0, head, 4096), 0);
    image_close(im);
    im = must_open(scratch_path("victim.vhd"), false);
    CHECK_EQ(((struct vhd *)im->priv)->type, VHD_FIXED);
    CHECK(!im->backing);
    image_close(im);
}

/* ---- lies ---- */

TEST(what_cannot_be_is_refused)
{
    static const uint8_t be_big[8] = { 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
    static const uint8_t zero[8];
    static const struct {
        uint64_t at;
        uint8_t data[8];
        unsigned len;
        const char *why;
    } rows[] = {
        { 512 + 32, { 0, 0, 0x08, 0 }, 4, "block size" },
        { 512 + 32, { 0, 0x20, 0, 1 }, 4, "block size" },
        { 512 + 32, { 0x80, 0, 0, 0 }, 4, "block size" },
        { 512 + 32, { 0, 0, 0, 0 }, 4, "block size" },
        { 512 + 28, { 0, 0, 0, 2 }, 4, "too small" },
        { 512 + 28, { 0xff, 0xff, 0xff, 0xff }, 4, "more than is supported" },
        { 512 + 28, { 0, 0x3f, 0xff, 0xff }, 4, "not in the file" },
        { 512 + 16, { 0, 0, 0, 0, 0, 0, 0x10, 1 }, 8, "not in the file" },
        { 512 + 16, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0 }, 8, "not in the file" },
        { 512 + 16, { 0, 0, 0, 0, 0, 0, 0, 0 }, 8, "not in the file" },
        { 4100, { 0, 0, 0, 2 }, 4, "overlaps" },
        { 4100, { 0, 0, 0, 8 }, 4, "overlaps" },
        { 4096, { 0xff, 0xff, 0xff, 0xfe }, 4, "not in the file" },
        { 4096, { 0, 0, 0, 9 }, 4, "share a place" },
        { 4096, { 0, 0, 0, 10 }, 4, "share a place" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_with_data("lie.vhd");
        patch("lie.vhd", rows[i].at, rows[i].data, rows[i].len);
        must_fail(scratch_path("lie.vhd"), false, rows[i].why);
    }
    make("lie.vhd", (struct vhd_make){ .type = 2, .size = 2 * MIB });
    patch("lie.vhd", 2 * MIB + 48, be_big, 8);
    must_fail(scratch_path("lie.vhd"), true, "such a size");
    patch("lie.vhd", 2 * MIB + 48, zero, 8);
    must_fail(scratch_path("lie.vhd"), true, "such a size");
    patch("lie.vhd", 2 * MIB + 48, "\0\0\0\0\0\x20\x02\0", 8);
    must_fail(scratch_path("lie.vhd"), true, "shorter");
    patch("lie.vhd", 2 * MIB + 60, "\0\0\0\x06", 4);
    must_fail(scratch_path("lie.vhd"), true, "unknown type");
    make("lie.vhd", (struct vhd_make){ .type = 3, .size = 6 * MIB, .hidden = true });
    must_fail(scratch_path("lie.vhd"), false, "hidden");
    image_close(must_open(scratch_path("lie.vhd"), true));
}

TEST(a_block_that_is_not_there_is_an_error_to_read)
{
    const char *path = scratch_path("cut.vhd");
    struct image *im;
    uint8_t s[512];

    make_with_data("cut.vhd");
    CHECK(!truncate(path, file_length(path) - 512 - MIB));
    must_fail(path, false, "not in the file");
    im = must_open(path, true);
    CHECK_EQ(sector_byte(im, 0), 0);
    CHECK_EQ(image_get(im, 2 * MIB, s, 512), EIO);
    image_close(im);
}

TEST(a_file_of_any_length_is_refused_or_read)
{
    const char *path = scratch_path("short.vhd");

    ONCE();
    for (uint64_t len = 5000;; len = len * 9 / 10) {
        struct err err = { "" };
        struct image *im;

        make_with_data("short.vhd");
        CHECK(!truncate(path, len));
        im = path_image(&image_vhd, path, false, &err);
        CHECK(!im && err.msg[0]);
        if (!len)
            break;
    }
}

/* ---- resizing ---- */

static void check_grown(const char *name, uint64_t from, uint64_t to)
{
    const char *path = scratch_path(name);
    struct err err = { "" };
    struct image *im;

    empty_model("grown.raw", from);
    scribble(path, scratch_path("grown.raw"), 40, to);
    im = must_open(path, false);
    CHECK_EQ(im->ops->resize(im, to, &err), 0);
    CHECK_EQ(im->size, to);
    CHECK(!truncate(scratch_path("grown.raw"), to));
    CHECK(same_as_file(im, scratch_path("grown.raw")));
    image_close(im);
    scribble(path, scratch_path("grown.raw"), 40, to + 1);
    CHECK(qemu_compares(path, scratch_path("grown.raw")));
    im = must_open(path, true);
    CHECK_EQ(im->size, to);
    CHECK_EQ(qemu_size(path), to);
    image_close(im);
}

TEST(an_image_grows_in_its_table_and_beyond)
{
    ONCE();
    make("grow.vhd", (struct vhd_make){ .type = 3, .size = 20 * MIB + 512 });
    check_grown("grow.vhd", 20 * MIB + 512, 31 * MIB);
    make("grow.vhd", (struct vhd_make){ .type = 3, .size = 20 * MIB, .spare_entries = 3 });
    check_grown("grow.vhd", 20 * MIB, 25 * MIB);
    make("grow.vhd", (struct vhd_make){ .type = 3, .size = 5 * MIB, .block_size = 8192 });
    check_grown("grow.vhd", 5 * MIB, 50 * MIB);
    make("grow.vhd", (struct vhd_make){ .type = 2, .size = 5 * MIB });
    check_grown("grow.vhd", 5 * MIB, 5 * MIB + 512);
    make("grow.vhd", (struct vhd_make){ .type = 2, .size = 5 * MIB });
    check_grown("grow.vhd", 5 * MIB, 9 * MIB);
}

TEST(xens_batmap_moves_with_the_table)
{
    struct err err = { "" };
    struct image *im;
    struct vhd *v;
    uint8_t raw[512];

    ONCE();
    make("batmap.vhd",
         (struct vhd_make){
             .type = 3, .size = 5 * MIB, .block_size = 8192, .creator = "tap", .batmap = true });
    check_grown("batmap.vhd", 5 * MIB, 50 * MIB);
    im = must_open(scratch_path("batmap.vhd"), false);
    v = im->priv;
    CHECK_EQ(v->blocks, 6400);
    CHECK_EQ(image_file_get(im, v->header.table_offset + 6400 * 4, raw, 512), 0);
    CHECK(!memcmp(raw, "tdbatmap", 8));
    CHECK_EQ(vhd_get64(raw + 8), v->header.table_offset + 6400 * 4 + 512);
    CHECK(vhd_get32(raw + 16) * 512 * 8 >= 6400);
    CHECK_EQ(vhd_get32(raw + 24), ~0u);
    for (unsigned i = 0; i < vhd_get32(raw + 16); i++) {
        uint8_t bits[512];

        CHECK_EQ(image_file_get(im, vhd_get64(raw + 8) + i * 512, bits, 512), 0);
        CHECK(all_bytes(bits, 512, 0));
    }
    CHECK(im->ops->resize(im, 40 * MIB, &err) < 0);
    CHECK(strstr(err.msg, "smaller") != NULL);
    CHECK(im->ops->resize(im, VHD_MAX_SIZE + 512, &err) == -EFBIG);
    CHECK(strstr(err.msg, "2040") != NULL);
    CHECK(im->ops->resize(im, 100ull << 30, &err) == -EFBIG);
    CHECK(strstr(err.msg, "32 GiB") != NULL);
    CHECK_EQ(im->size, 50 * MIB);
    image_close(im);
}

TEST(the_size_is_the_geometry_for_some_creators)
{
    static const struct {
        const char *creator;
        bool geometry;
    } rows[] = { { "vpc ", true },  { "qemu", true }, { "vs  ", true },  { "win ", false },
                 { "qem2", false }, { "tap", false }, { "vbox", false }, { "d2v ", false } };
    uint64_t by_geometry = 20 * MIB / 512 / 16 / 63 * 16 * 63 * 512;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct image *im;

        make("creator.vhd",
             (struct vhd_make){ .type = 3, .size = 20 * MIB, .creator = rows[i].creator });
        im = must_open(scratch_path("creator.vhd"), true);
        CHECK_EQ(im->size, rows[i].geometry ? by_geometry : 20 * MIB);
        image_close(im);
    }
}
