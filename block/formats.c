/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of image formats, and block_open(), which puts the filters on top. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "block/image.h"
#include "block/impl.h"

static struct block *open_raw(struct uv_loop_s *loop, const struct block_options *o,
                              struct err *err)
{
    return block_open_file(loop, o, false, err);
}

static bool probe_qcow2(const uint8_t *head, size_t len)
{
    return len >= 8 && !memcmp(head, "QFI\xfb\0\0\0", 7) && (head[7] == 2 || head[7] == 3);
}

static bool probe_vhd(const uint8_t *head, size_t len)
{
    return len >= 8 && !memcmp(head, "conectix", 8);
}

static struct block *open_none(struct uv_loop_s *loop, const struct block_options *o,
                               struct err *err)
{
    err_set(err, -ENOTSUP,
            "disk %s: format %s is not supported yet; convert with qemu-img convert -O raw",
            o->file, o->format);
    if (o->fd >= 0)
        close(o->fd);
    return NULL;
}

const struct block_format block_formats[] = {
    { "raw", NULL, open_raw },
    { "file", NULL, open_raw },
    { "host_device", NULL, open_raw },
    { "host_cdrom", NULL, open_raw },
    { "qcow2", probe_qcow2, open_none },
    { "vpc", probe_vhd, image_block_open },
    { "vhd", probe_vhd, image_block_open },
    { NULL, NULL, NULL },
};

const struct block_format *block_format_find(const char *name)
{
    const struct block_format *f = block_formats;

    while (f->name && strcmp(f->name, name))
        f++;
    return f->name ? f : NULL;
}

const struct block_format *block_format_probe(const uint8_t *head, size_t len)
{
    const struct block_format *f = block_formats;

    while (f->name && !(f->probe && f->probe(head, len)))
        f++;
    return f->name ? f : NULL;
}

struct block *block_open(struct uv_loop_s *loop, const struct block_options *o, struct err *err)
{
    const struct block_format *format = block_format_find(o->format ? o->format : "raw");
    struct block *b, *filter;

    if (!format) {
        err_set(err, -ENOTSUP,
                "disk %s: format %s is unknown; convert with qemu-img convert -O raw", o->file,
                o->format);
        if (o->fd >= 0)
            close(o->fd);
        return NULL;
    }
    b = format->open(loop, o, err);
    if (!b)
        return NULL;
    b->discard = o->discard;
    b->no_flush = o->no_flush;
    if (!o->readonly)
        return b;
    filter = block_open_readonly(b);
    if (!filter) {
        block_close(b);
        err_set(err, -ENOMEM, "disk %s: out of memory", o->file);
    }
    return filter;
}
