/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A surface as a PNG file: 8-bit RGB, no alpha, through libpng. */
#include "display/display.h"
#include <errno.h>
#include <png.h>
#include <stdlib.h>
#include <unistd.h>

struct png_out {
    int fd, err;
};

static void png_put(png_structp png, png_bytep data, png_size_t len)
{
    struct png_out *out = png_get_io_ptr(png);

    while (len) {
        ssize_t n = write(out->fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            out->err = n < 0 ? -errno : -EIO;
            png_error(png, "write");
        }
        data += n;
        len -= n;
    }
}

static void png_put_end(png_structp png)
{
}

static void png_quiet(png_structp png, png_const_charp msg)
{
}

static void png_fail(png_structp png, png_const_charp msg)
{
    png_longjmp(png, 1);
}

/* Everything after the set-up, in a function of its own: no local outlives a longjmp. */
static int png_run(png_structp png, png_infop info, const struct surface *s, uint8_t *row,
                   struct png_out *out)
{
    if (setjmp(png_jmpbuf(png)))
        return out->err ? out->err : -EIO;
    png_set_write_fn(png, out, png_put, png_put_end);
    png_set_compression_level(png, 3);
    png_set_IHDR(png, info, s->width, s->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (uint32_t y = 0; y < s->height; y++) {
        const uint32_t *src = s->pixels + (size_t)y * (s->stride / 4);

        for (uint32_t x = 0; x < s->width; x++) {
            row[3 * x] = src[x] >> 16;
            row[3 * x + 1] = src[x] >> 8;
            row[3 * x + 2] = src[x];
        }
        png_write_row(png, row);
    }
    png_write_end(png, info);
    return 0;
}

int surface_write_png(const struct surface *s, int fd)
{
    struct png_out out = { .fd = fd };
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, png_fail, png_quiet);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    uint8_t *row = malloc((size_t)s->width * 3);
    int rc = -ENOMEM;

    if (info && row)
        rc = png_run(png, info, s, row, &out);
    free(row);
    if (png)
        png_destroy_write_struct(&png, &info);
    return rc;
}
