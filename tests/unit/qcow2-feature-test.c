/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: what stands behind an image, zeroes and discard, resize, the header's
 * bits; and requests in flight together through block.h, compared with a copy
 * in memory.
 */
#include "tests/unit/qt.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/unit/qcow2-util.h"
#include "tests/unit/random.h"

#define MIB (1u << 20)

static struct image *open_img(const char *name, bool readonly)
{
    struct err why = { "" };
    struct image *im = img_open(name, readonly, &why);

    if (!im)
        fprintf(stderr, "%s\n", why.msg);
    CHECK(im != NULL);
    return im;
}

static bool refuses(const char *name, bool readonly, const char *says)
{
    struct err why = { "" };
    struct image *im = img_open(name, readonly, &why);

    if (!im && strstr(why.msg, says) && !strchr(why.msg, '\n'))
        return true;
    fprintf(stderr, "said: %s\n", im ? "nothing" : why.msg);
    image_close(im);
    return false;
}

static void poke(const char *name, uint64_t off, const void *data, size_t len)
{
    int fd = open(in_dir(name), O_RDWR);

    CHECK(fd >= 0 && pwrite(fd, data, len, off) == (ssize_t)len);
    close(fd);
}

static uint8_t peek(const char *name, uint64_t off)
{
    int fd = open(in_dir(name), O_RDONLY);
    uint8_t b = 0;

    CHECK(fd >= 0 && pread(fd, &b, 1, off) == 1);
    close(fd);
    return b;
}

static void check_both(const char *name, const char *raw)
{
    CHECK_EQ(qemu_check(name), 0);
    CHECK_EQ(sh("qemu-img compare -f raw -F qcow2 %s %s", raw, name), 0);
}

TEST(images_behind_show_through)
{
    ONCE;
    static const char *const options[] = { "compat=1.1", "compat=0.10", "extended_l2=on",
                                           "cluster_size=512" };

    for (int i = 0; i < 4; i++) {
        struct image *im;

        /* raw (short) <- qcow2 <- qcow2 (longer) */
        make_raw("base.raw", 3 * MIB + 512, 3);
        CHECK_EQ(sh("mkdir -p sub; qemu-img create -q -f qcow2 -o %s -b ../base.raw -F raw "
                    "sub/mid.img && qemu-img create -q -f qcow2 -o %s -b sub/mid.img -F qcow2 "
                    "top.img 5M && cp base.raw all.raw && truncate -s 5M all.raw",
                    options[i], options[i]),
                 0);
        im = open_img("top.img", false);
        CHECK(im->backing && im->backing->backing && !im->backing->backing->backing);
        CHECK(same_as_raw(im, "all.raw"));
        scribble(im, "all.raw", &(struct scribble){ .ops = 150, .seed = 8, .max = 150 * 1024 });
        CHECK(same_as_raw(im, "all.raw"));
        image_close(im);
        check_both("top.img", "all.raw");
    }
}

TEST(images_behind_that_cannot_be)
{
    ONCE;
    make_raw("base.raw", MIB, 3);
    CHECK_EQ(sh("qemu-img create -q -f qcow2 a.img 1M && qemu-img create -q -f qcow2 -b a.img "
                "-F qcow2 b.img && qemu-img rebase -u -F qcow2 -b b.img a.img"),
             0);
    CHECK(refuses("a.img", true, "stands above it as well"));
    CHECK(refuses("b.img", false, "stands above it as well"));
    CHECK_EQ(sh("qemu-img create -q -f qcow2 -u -b nowhere.img -F qcow2 c.img 1M"), 0);
    CHECK(refuses("c.img", true, "nowhere.img: No such file"));
    CHECK_EQ(sh("qemu-img create -q -f qcow2 -u -b base.raw -F raw c.img 1M"), 0);
    CHECK_EQ(sh("qemu-img rebase -u -F '' -b base.raw c.img || true"), 0);
    poke("c.img", 104 + 8, "\0\0\0\0\0\0\0\0\0\0\0\0", 8); /* no extension says the format */
    CHECK(refuses("c.img", true, "does not say the format"));
    CHECK_EQ(sh("cp base.raw n0.img; for i in $(seq 1 70); do qemu-img create -q -f qcow2 -u "
                "-b n$((i-1)).img -F $([ $i = 1 ] && echo raw || echo qcow2) n$i.img 1M; done"),
             0);
    CHECK(refuses("n70.img", true, "images behind each other"));
    image_close(open_img("n60.img", true));
}

TEST(zero_and_discard_give_space_back)
{
    ONCE;
    struct image *im;
    struct stat before, after;
    uint8_t *buf = malloc(4 * MIB);

    pattern(buf, 4 * MIB, 2);
    CHECK_EQ(sh("qemu-img create -q -f qcow2 d.img 4M && truncate -s 4M zero.raw"), 0);
    im = open_img("d.img", false);
    CHECK_EQ(img_write(im, 0, buf, 4 * MIB), 0);
    CHECK_EQ(im->ops->flush(im), 0);
    CHECK(stat(in_dir("d.img"), &before) == 0);
    CHECK_EQ(im->ops->discard(im, 0, 2 * MIB), 0);
    CHECK_EQ(im->ops->zero(im, 2 * MIB, 2 * MIB, true), 0);
    CHECK_EQ(im->ops->flush(im), 0);
    CHECK(stat(in_dir("d.img"), &after) == 0);
    CHECK(after.st_blocks * 512 + 3 * MIB < before.st_blocks * 512);
    CHECK(same_as_raw(im, "zero.raw"));
    /* What was given back is used again: the file does not grow. */
    CHECK_EQ(img_write(im, 0, buf, 4 * MIB), 0);
    image_close(im);
    CHECK(stat(in_dir("d.img"), &after) == 0);
    CHECK_EQ(after.st_size, before.st_size);
    CHECK_EQ(qemu_check("d.img"), 0);
    /* Without leave to unmap the place is kept. */
    im = open_img("d.img", false);
    CHECK_EQ(im->ops->zero(im, 0, 4 * MIB, false), 0);
    CHECK(same_as_raw(im, "zero.raw"));
    image_close(im);
    CHECK_EQ(sh("qemu-img map --output=json d.img | grep -q '\"zero\": true, \"data\": false, "
                "\"offset\"'"),
             0);
    check_both("d.img", "zero.raw");
    free(buf);
}

static void resize_one(const char *opts)
{
    struct image *im;
    struct err why = { "" };

    make_raw("a.raw", MIB + 512, 4);
    CHECK_EQ(sh("qemu-img convert -O qcow2 -o %s a.raw r.img", opts), 0);
    im = open_img("r.img", false);
    scribble(im, "a.raw", &(struct scribble){ .ops = 20, .seed = 5, .max = 65536 });
    CHECK_EQ(im->ops->resize(im, 40 * MIB + 1024, &why), 0);
    CHECK_EQ(im->size, 40 * MIB + 1024);
    CHECK_EQ(sh("truncate -s %u a.raw", 40 * MIB + 1024), 0);
    scribble(im, "a.raw", &(struct scribble){ .ops = 60, .seed = 6, .max = 65536 });
    image_close(im);
    check_both("r.img", "a.raw");
    im = open_img("r.img", false);
    CHECK(same_as_raw(im, "a.raw"));
    CHECK_EQ(im->ops->resize(im, MIB, &why), -EBUSY);
    CHECK(strstr(why.msg, "there is data behind") != NULL);
    CHECK_EQ(im->ops->zero(im, 2 * MIB, 38 * MIB + 1024, true), 0);
    CHECK_EQ(im->ops->resize(im, 2 * MIB, &why), 0);
    image_close(im);
    CHECK_EQ(sh("truncate -s 2M a.raw"), 0);
    check_both("r.img", "a.raw");
}

TEST(resize_both_ways)
{
    ONCE;
    resize_one("compat=1.1");
    resize_one("compat=0.10,cluster_size=512");
    resize_one("cluster_size=512,refcount_bits=64");
    resize_one("extended_l2=on");
}

TEST(growing_does_not_uncover_what_is_behind)
{
    ONCE;
    struct image *im;
    struct err why = { "" };
    uint8_t buf[4096];

    CHECK_EQ(sh("head -c 4M /dev/zero | tr '\\0' x > base.raw && qemu-img create -q -f qcow2 "
                "-b base.raw -F raw g.img 1M"),
             0);
    im = open_img("g.img", false);
    CHECK_EQ(im->ops->resize(im, 8 * MIB, &why), 0);
    for (uint64_t off = MIB; off < 8 * MIB; off += sizeof(buf)) {
        CHECK_EQ(img_read(im, off, buf, sizeof(buf)), 0);
        for (unsigned i = 0; i < sizeof(buf); i++)
            CHECK_EQ(buf[i], 0);
    }
    image_close(im);
    CHECK_EQ(qemu_check("g.img"), 0);
}

TEST(the_dirty_bit_is_answered_by_new_refcounts)
{
    ONCE;
    static const char *const options[] = { "compat=1.1", "cluster_size=512,refcount_bits=8",
                                           "extended_l2=on", "cluster_size=4096" };

    for (int i = 0; i < 4; i++) {
        char zero[8192] = { 0 };
        uint8_t rt[8];
        uint64_t block = 0;
        int fd;

        make_raw("a.raw", 4 * MIB, 6);
        CHECK_EQ(sh("qemu-img convert -O qcow2 -o %s,lazy_refcounts=on a.raw l.img && "
                    "qemu-img snapshot -c s l.img",
                    options[i]),
                 0);
        /* Some refcounts of data are lost; the first cluster's too. */
        fd = open(in_dir("l.img"), O_RDONLY);
        CHECK(pread(fd, rt, 8, 48) == 8);
        for (int k = 0; k < 8; k++)
            block = block << 8 | rt[k];
        CHECK(pread(fd, rt, 8, block) == 8);
        for (int k = 0; k < 8; k++)
            block = block << 8 | rt[k];
        close(fd);
        poke("l.img", block, zero, i == 1 ? 64 : 256);
        rt[0] = peek("l.img", 79);
        poke("l.img", 79, &(uint8_t){ rt[0] | 1 }, 1);
        CHECK(sh_quiet("qemu-img check l.img") == 2 || i);
        image_close(open_img("l.img", true)); /* reading needs no refcounts, and repairs none */
        CHECK_EQ(peek("l.img", 79), rt[0] | 1);
        image_close(open_img("l.img", false));
        CHECK_EQ(peek("l.img", 79), rt[0]);
        check_both("l.img", "a.raw");
        CHECK_EQ(sh("qemu-img convert -l s -O raw l.img x.raw && cmp x.raw a.raw"), 0);
    }
}

TEST(header_bits)
{
    ONCE;
    make_raw("a.raw", MIB, 6);
    CHECK_EQ(sh("qemu-img convert -O qcow2 a.raw h.img"), 0);
    poke("h.img", 95, "\4", 1); /* an autoclear bit that nobody knows */
    image_close(open_img("h.img", true));
    CHECK_EQ(peek("h.img", 95), 4);
    image_close(open_img("h.img", false));
    CHECK_EQ(peek("h.img", 95), 0);
    poke("h.img", 79, "\2", 1);
    CHECK(refuses("h.img", false, "marked as damaged and can only be read"));
    image_close(open_img("h.img", true));
    poke("h.img", 79, "\x20", 1);
    CHECK(refuses("h.img", true, "uses the feature number 5"));
    poke("h.img", 79, "\4", 1);
    CHECK(refuses("h.img", true, "external data file"));
    poke("h.img", 79, "\0", 1);
    poke("h.img", 35, "\2", 1);
    CHECK(refuses("h.img", true, "encrypted (LUKS)"));
    poke("h.img", 35, "\1", 1);
    CHECK(refuses("h.img", true, "encrypted (AES)"));
    CHECK_EQ(sh("qemu-img create -q -f qcow2 h.img 1M"), 0);
    poke("h.img", 79, "\x20", 1);
    /* In the image's own table of names: the first entry becomes bit 5's. */
    poke("h.img", 112 + 8 + 1,
         "\5"
         "teleportation\0",
         15);
    CHECK(refuses("h.img", true, "\"teleportation\""));
}

TEST(persistent_bitmaps_are_marked_stale)
{
    ONCE;
    CHECK_EQ(sh("qemu-img create -q -f qcow2 p.img 1M && qemu-img bitmap --add p.img b0"), 0);
    CHECK_EQ(peek("p.img", 95), 1);
    image_close(open_img("p.img", false));
    CHECK_EQ(peek("p.img", 95), 0);
}

/* ---- through block.h ---- */

#define DEPTH  16
#define REGION (64u << 10)

struct load {
    struct block *b;
    uint8_t *model;
    uint64_t seed;
    unsigned left, done, bad;
    struct one {
        struct block_req req;
        struct iovec iov;
        struct load *load;
        uint8_t buf[REGION];
        bool busy;
    } one[DEPTH];
};

static void load_next(struct load *l, struct one *o);

static void load_done(struct block_req *req, int err)
{
    struct one *o = (struct one *)req;
    struct load *l = o->load;

    l->done++;
    o->busy = false;
    if (err && err != ECANCELED)
        l->bad++;
    if (!err && req->op == BLOCK_READ && memcmp(o->buf, l->model + req->offset, req->len))
        l->bad++;
    if (l->left)
        load_next(l, o);
}

/* Each of them has the 64 KiB steps that are its own, so that the model is exact. */
static void load_next(struct load *l, struct one *o)
{
    unsigned mine = o - l->one, what = rnd_below(&l->seed, 16);
    uint64_t step = (rnd_below(&l->seed, l->b->size / REGION / DEPTH) * DEPTH + mine) * REGION;
    uint64_t len = 512 * (1 + rnd_below(&l->seed, REGION / 512));
    uint64_t off = step + rnd_below(&l->seed, (REGION - len) / 512 + 1) * 512;

    l->left--;
    o->busy = true;
    o->load = l;
    o->iov = (struct iovec){ o->buf, len };
    o->req = (struct block_req){
        .op = BLOCK_READ, .offset = off, .len = len, .iov = &o->iov, .niov = 1, .done = load_done
    };
    if (what < 7) {
        o->req.op = BLOCK_WRITE;
        pattern(o->buf, len, rnd(&l->seed));
        memcpy(l->model + off, o->buf, len);
    } else if (what == 7) {
        o->req.op = BLOCK_ZERO;
        o->req.may_unmap = len & 512;
        memset(l->model + off, 0, len);
    } else if (what == 8) {
        o->req = (struct block_req){ .op = BLOCK_FLUSH, .done = load_done };
    }
    block_submit(l->b, &o->req);
    if (o->req.op == BLOCK_READ && what == 15)
        block_cancel(&o->req);
}

static void load_run(struct qt *t, const char *name, uint64_t size)
{
    struct load *l = calloc(1, sizeof(*l));
    struct err why = { "" };

    l->b =
        block_open(t->plat.loop,
                   &BLOCK_OPTIONS(.file = in_dir(name), .format = "qcow2", .discard = true), &why);
    if (!l->b)
        fprintf(stderr, "%s\n", why.msg);
    CHECK(l->b && l->b->size == size && !strcmp(l->b->format, "qcow2"));
    l->model = calloc(1, size);
    l->seed = 12;
    l->left = 3000;
    for (int i = 0; i < DEPTH; i++)
        load_next(l, &l->one[i]);
    loop_until(t, l->done >= 1500);
    CHECK_EQ(block_drain(l->b), 0);
    CHECK_EQ(l->left, 0);
    CHECK_EQ(l->done, 3000);
    CHECK_EQ(l->bad, 0);
    CHECK_EQ(block_resize(l->b, size + 64 * MIB, &why), 0);
    CHECK_EQ(l->b->size, size + 64 * MIB);
    block_close(l->b);
    loop_step(t);
    {
        int fd = open(in_dir("model.raw"), O_RDWR | O_CREAT | O_TRUNC, 0600);

        CHECK(fd >= 0 && write(fd, l->model, size) == (ssize_t)size);
        CHECK(ftruncate(fd, size + 64 * MIB) == 0);
        close(fd);
    }
    check_both(name, "model.raw");
    free(l->model);
    free(l);
}

TEST(many_requests_at_once)
{
    struct qt *t = qt_new();
    static const char *const options[] = { "compat=1.1", "extended_l2=on", "cluster_size=4096",
                                           "preallocation=metadata" };

    qt_no_reload(t, "no device");
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(sh("rm -f m.img; qemu-img create -q -f qcow2 -o %s m.img 16M", options[i]), 0);
        load_run(t, "m.img", 16 * MIB);
    }
}
