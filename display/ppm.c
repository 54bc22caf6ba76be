/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A surface as a portable pixmap (P6): a line of text, then RGB bytes. */
#include "display/display.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int put_all(int fd, const uint8_t *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        data += n;
        len -= n;
    }
    return 0;
}

int surface_write_ppm(const struct surface *s, int fd)
{
    char head[40];
    int n = snprintf(head, sizeof(head), "P6\n%u %u\n255\n", s->width, s->height);
    uint8_t *row = malloc((size_t)s->width * 3);
    int rc = row ? put_all(fd, (const uint8_t *)head, n) : -ENOMEM;

    for (uint32_t y = 0; !rc && y < s->height; y++) {
        const uint32_t *src = s->pixels + (size_t)y * (s->stride / 4);

        for (uint32_t x = 0; x < s->width; x++) {
            row[3 * x] = src[x] >> 16;
            row[3 * x + 1] = src[x] >> 8;
            row[3 * x + 2] = src[x];
        }
        rc = put_all(fd, row, (size_t)s->width * 3);
    }
    free(row);
    return rc;
}
