/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2 images that qemu-img makes read back identical, and what is written to
 * them here is what qemu-img finds, with nothing for "qemu-img check" to say.
 */
#include "tests/unit/qt.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/qcow2-util.h"

#define SIZE (5u << 20)

static const char *const options[] = {
    "compat=0.10",
    "compat=0.10,cluster_size=512",
    "compat=0.10,cluster_size=2M",
    "compat=1.1",
    "cluster_size=512",
    "cluster_size=512,refcount_bits=64",
    "cluster_size=1024,refcount_bits=1",
    "cluster_size=4096,refcount_bits=2",
    "cluster_size=2M",
    "refcount_bits=4",
    "refcount_bits=8,lazy_refcounts=on",
    "refcount_bits=32",
    "refcount_bits=64,cluster_size=16384",
    "compression_type=zstd",
    "extended_l2=on",
    "extended_l2=on,cluster_size=16384",
    "extended_l2=on,cluster_size=2M",
    "preallocation=metadata",
    "preallocation=metadata,cluster_size=4096",
    "preallocation=falloc",
    "preallocation=full,compat=0.10",
    "preallocation=metadata,extended_l2=on",
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

static struct image *open_rw(const char *name)
{
    struct err why = { "" };
    struct image *im = img_open(name, false, &why);

    if (!im)
        fprintf(stderr, "%s\n", why.msg);
    CHECK(im != NULL);
    return im;
}

static bool reads_like(const char *name, const char *raw)
{
    struct err why = { "" };
    struct image *im = img_open(name, true, &why);
    bool same = im && im->size == SIZE && same_as_raw(im, raw);

    if (!im)
        fprintf(stderr, "%s\n", why.msg);
    image_close(im);
    return same;
}

static bool right_after(const char *name, const char *raw)
{
    return qemu_check(name) == 0 && sh("qemu-img compare -f raw -F qcow2 %s %s", raw, name) == 0 &&
           reads_like(name, raw);
}

TEST(what_qemu_img_makes_reads_back)
{
    ONCE;
    make_raw("a.raw", SIZE, 77);
    for (size_t i = 0; i < OPTIONS; i++) {
        bool same;

        CHECK_EQ(sh("qemu-img convert -O qcow2 -o %s a.raw b.img", options[i]), 0);
        same = reads_like("b.img", "a.raw");
        if (!strstr(options[i], "prealloc")) {
            CHECK_EQ(sh("qemu-img convert -c -O qcow2 -o %s a.raw b.img", options[i]), 0);
            same = same && reads_like("b.img", "a.raw");
        }
        if (!same)
            fprintf(stderr, "options: %s\n", options[i]);
        CHECK(same);
    }
}

static void write_and_compare(const char *opts, const char *how, uint64_t max)
{
    struct image *im;
    bool right;

    make_raw("a.raw", SIZE, 5);
    CHECK_EQ(sh("qemu-img convert %s -O qcow2 -o %s a.raw b.img", how, opts), 0);
    im = open_rw("b.img");
    scribble(im, "a.raw", &(struct scribble){ .ops = 150, .seed = 99, .max = max });
    CHECK(same_as_raw(im, "a.raw"));
    image_close(im);
    right = right_after("b.img", "a.raw");
    if (!right)
        fprintf(stderr, "options: %s %s\n", opts, how);
    CHECK(right);
}

TEST(what_is_written_is_what_qemu_img_finds)
{
    ONCE;
    for (size_t i = 0; i < OPTIONS; i++)
        write_and_compare(options[i], "", 65536 + 4096);
}

TEST(compressed_clusters_become_normal_ones)
{
    ONCE;
    write_and_compare("compat=1.1", "-c", 200000 / 512 * 512);
    write_and_compare("compression_type=zstd,cluster_size=4096", "-c", 8192);
    write_and_compare("compat=0.10,cluster_size=512", "-c", 4096);
    write_and_compare("extended_l2=on", "-c", 65536);
    write_and_compare("cluster_size=2M", "-c", 65536);
}

TEST(an_empty_image_grows_from_nothing)
{
    ONCE;
    for (size_t i = 0; i < OPTIONS; i++) {
        struct image *im;
        bool right;

        CHECK_EQ(sh("rm -f a.raw; truncate -s %u a.raw; qemu-img create -q -f qcow2 -o %s b.img %u",
                    SIZE, options[i], SIZE),
                 0);
        im = open_rw("b.img");
        scribble(im, "a.raw", &(struct scribble){ .ops = 120, .seed = i + 3, .max = 300 * 1024 });
        image_close(im);
        right = right_after("b.img", "a.raw");
        if (!right)
            fprintf(stderr, "options: %s\n", options[i]);
        CHECK(right);
    }
}

static void snapshot_survives(const char *opts)
{
    struct image *im;

    make_raw("a.raw", SIZE, 31);
    CHECK_EQ(
        sh("qemu-img convert -O qcow2 -o %s a.raw b.img && qemu-img snapshot -c one b.img", opts),
        0);
    CHECK_EQ(sh("cp a.raw one.raw"), 0);
    im = open_rw("b.img");
    scribble(im, "a.raw", &(struct scribble){ .ops = 60, .seed = 4, .max = 100 * 1024 });
    image_close(im);
    CHECK(right_after("b.img", "a.raw"));
    CHECK_EQ(sh("qemu-img snapshot -c two b.img && cp a.raw two.raw"), 0);
    im = open_rw("b.img");
    scribble(im, "a.raw", &(struct scribble){ .ops = 60, .seed = 5, .max = 100 * 1024 });
    image_close(im);
    CHECK(right_after("b.img", "a.raw"));
    CHECK_EQ(sh("qemu-img convert -l one -O raw b.img x.raw && cmp x.raw one.raw"), 0);
    CHECK_EQ(sh("qemu-img convert -l two -O raw b.img x.raw && cmp x.raw two.raw"), 0);
    CHECK_EQ(sh("qemu-img snapshot -d one b.img"), 0);
    im = open_rw("b.img");
    scribble(im, "a.raw", &(struct scribble){ .ops = 60, .seed = 6, .max = 100 * 1024 });
    image_close(im);
    CHECK(right_after("b.img", "a.raw"));
    CHECK_EQ(sh("qemu-img convert -l two -O raw b.img x.raw && cmp x.raw two.raw"), 0);
}

TEST(snapshots_keep_what_they_hold)
{
    ONCE;
    snapshot_survives("compat=1.1");
    snapshot_survives("compat=0.10,cluster_size=4096");
    snapshot_survives("extended_l2=on");
    snapshot_survives("cluster_size=512,refcount_bits=2");
}
