/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of image formats. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "block/image.h"
#include "block/impl.h"

static struct block *open_raw(struct uv_loop_s *loop, const struct block_options *o,
                              struct err *err)
{
    return o->fd < 0 && block_is_nbd(o->file) ? block_open_nbd(loop, o, err)
                                              : block_open_file(loop, o, false, err);
}

static bool probe_qcow2(const uint8_t *head, size_t len)
{
    return len >= 8 && !memcmp(head, "QFI\xfb\0\0\0", 7) && (head[7] == 2 || head[7] == 3);
}

static bool probe_vhd(const uint8_t *head, size_t len)
{
    return len >= 8 && !memcmp(head, "conectix", 8);
}

const struct block_format block_formats[] = {
    { "raw", NULL, open_raw },
    { "file", NULL, open_raw },
    { "host_device", NULL, open_raw },
    { "host_cdrom", NULL, open_raw },
    { "qcow2", probe_qcow2, image_block_open },
    { "vpc", probe_vhd, image_block_open },
    { "vhd", probe_vhd, image_block_open },
    { "nbd", NULL, block_open_nbd },
    { "null-co", NULL, block_open_null },
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
