/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block_open(): the image, and the filters that the options ask for on top of it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "block/filter.h"

#define HEAD 512

/* Formats that are not read here, and how their first bytes tell them: a guest must not boot junk.
 */
static const char *foreign_format(const uint8_t *head, size_t len)
{
    static const struct {
        const char *name;
        unsigned off, len;
        const char *magic;
    } foreign[] = {
        { "vmdk", 0, 4, "KDMV" },
        { "vmdk", 0, 4, "COWD" },
        { "vmdk", 0, 21, "# Disk DescriptorFile" },
        { "vhdx", 0, 8, "vhdxfile" },
        { "vdi", 64, 4, "\x7f\x10\xda\xbe" },
        { "qed", 0, 4, "QED" },
        { "parallels", 0, 16, "WithoutFreeSpace" },
        { "parallels", 0, 16, "WithouFreSpacExt" },
    };

    for (unsigned i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        unsigned off = foreign[i].off, n = foreign[i].len;

        if (off + n <= len && !memcmp(head + off, foreign[i].magic, n))
            return foreign[i].name;
    }
    return NULL;
}

/* 0, or -EINVAL with a line when an image without a format does not look raw. */
static int check_raw(const struct block_options *o, struct err *err)
{
    const struct block_format *f;
    const char *name = NULL;
    uint8_t head[HEAD];
    struct stat st;
    ssize_t n = -1;
    int fd;

    if (o->format || !o->file || block_is_nbd(o->file))
        return 0;
    fd = o->fd >= 0 ? dup(o->fd) : open(o->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return 0; /* opening it in earnest says why */
    if (!fstat(fd, &st) && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
        n = pread(fd, head, sizeof(head), 0);
    close(fd);
    f = n > 0 ? block_format_probe(head, n) : NULL;
    if (f)
        name = f->name;
    else if (n > 0)
        name = foreign_format(head, n);
    if (!name)
        return 0;
    return err_set(err, -EINVAL,
                   "disk %s: looks like %s, and no format is given; say format=%s, or format=raw "
                   "if the guest itself wrote that",
                   o->file, name, name);
}

static struct block *open_base(struct uv_loop_s *loop, const struct block_options *o,
                               struct err *err)
{
    const struct block_format *format = block_format_find(o->format ? o->format : "raw");
    struct block_options base = *o;
    int rc = 0;

    if (!format)
        rc =
            err_set(err, -ENOTSUP,
                    "disk %s: format %s is unknown; convert with qemu-img convert -O raw, or serve "
                    "it by qemu-nbd and name nbd+unix:///?socket=PATH",
                    o->file, o->format);
    if (!rc)
        rc = check_raw(o, err);
    if (rc || !format) {
        if (o->fd >= 0)
            close(o->fd);
        return NULL;
    }
    base.readonly |= o->snapshot; /* what is written goes elsewhere */
    /* cppcheck-suppress returnDanglingLifetime ; a back end copies what it needs */
    return format->open(loop, &base, err);
}

/* What stands on *b takes its place; NULL: a line is in err, or memory has run out. */
static int put_on(struct block **b, struct block *filter, struct err *err)
{
    if (!filter)
        return err->msg[0] ? -EIO : err_set(err, -ENOMEM, "disk %s: out of memory", (*b)->name);
    *b = filter;
    return 0;
}

static int put_filters(struct block **b, const struct block_options *o, struct err *err)
{
    int rc = 0;

    if (o->fault)
        rc = put_on(b, block_open_fault(*b, o->fault, err), err);
    if (!rc && o->snapshot)
        rc = put_on(b, block_open_snapshot(*b, err), err);
    if (!rc && (o->readonly || (*b)->readonly))
        rc = put_on(b, block_open_readonly(*b), err);
    if (!rc && o->detect_zeroes) {
        rc = put_on(b, block_open_zeroes(*b), err);
        (*b)->discard = o->discard;
    }
    if (!rc && o->trace)
        rc = put_on(b, block_open_trace(*b, o->trace, err), err);
    return rc ? rc : put_on(b, block_open_throttle(*b), err);
}

struct block *block_open(struct uv_loop_s *loop, const struct block_options *o, struct err *err)
{
    struct err own = { "" };
    struct block *b = open_base(loop, o, err ? err : &own);

    if (!b)
        return NULL;
    if (put_filters(&b, o, &own)) {
        if (err)
            *err = own;
        block_close(b);
        return NULL;
    }
    b->discard = o->discard;
    b->no_flush = o->no_flush;
    b->zeroes = o->detect_zeroes;
    block_group_set(throttle_group(b), &o->throttle);
    return b;
}

int block_limits_check(const struct block_throttle *t, const char *whose, struct err *err)
{
    for (unsigned i = 0; i < BLOCK_LIMITS; i++) {
        const struct block_limit *l[2] = { &t->iops[i], &t->bps[i] };

        for (unsigned k = 0; k < 2; k++) {
            if (l[k]->max && (!l[k]->avg || l[k]->max < l[k]->avg))
                return err_set(err, -EINVAL,
                               "%s: a burst limit needs an average limit, and not a higher one",
                               whose);
        }
    }
    return 0;
}

int block_set_throttle(struct block *b, const struct block_throttle *t, struct err *err)
{
    int rc = block_limits_check(t, b->name, err);

    if (!rc && !block_is_throttle(b))
        rc = err_set(err, -ENOTSUP, "disk %s: cannot be throttled", b->name);
    if (!rc)
        block_group_set(throttle_group(b), t);
    return rc;
}

void block_get_throttle(const struct block *b, struct block_throttle *t)
{
    if (block_is_throttle(b))
        block_group_get(throttle_group(b), t);
    else
        memset(t, 0, sizeof(*t));
}

int block_set_group(struct block *b, struct block_group *g, struct err *err)
{
    if (!block_is_throttle(b))
        return err_set(err, -ENOTSUP, "disk %s: cannot be throttled", b->name);
    return throttle_join(b, g) ? err_set(err, -ENOMEM, "disk %s: out of memory", b->name) : 0;
}

const struct block_group *block_group_of(const struct block *b)
{
    return block_is_throttle(b) ? throttle_group(b) : NULL;
}
