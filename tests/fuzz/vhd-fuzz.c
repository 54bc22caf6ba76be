/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VHD format as code under block/image.h. The input is the file, but for
 * its last bytes: those say how to open it and what to do then. Checksums are
 * made right, so that what they guard is reached. The parent locators' reader
 * gets the input by itself; no file that an input names is opened.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "block/impl.h"
#include "block/store.h"
#include "block/vhd.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (1u << 20)
#define ACT_BYTES 48 /* of the input's end: one flag, then acts of four bytes */
#define PIECE     70000

static void put_sum(int fd, uint64_t at, size_t len, size_t field, const char *cookie)
{
    uint8_t raw[VHD_HEADER_SIZE];

    if (pread(fd, raw, len, at) != (ssize_t)len || memcmp(raw, cookie, 8))
        return;
    vhd_put32(raw + field, vhd_checksum(raw, len, field));
    if (pwrite(fd, raw, len, at) != (ssize_t)len)
        return;
}

static int make_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz.vhd", MFD_CLOEXEC);
    uint8_t offset[8];

    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        close(fd);
        return -1;
    }
    put_sum(fd, 0, VHD_FOOTER_SIZE, 64, "conectix");
    if (size >= VHD_FOOTER_SIZE)
        put_sum(fd, size - VHD_FOOTER_SIZE, VHD_FOOTER_SIZE, 64, "conectix");
    if (pread(fd, offset, 8, 16) == 8 && vhd_get64(offset) < size)
        put_sum(fd, vhd_get64(offset), VHD_HEADER_SIZE, 36, "cxsparse");
    return fd;
}

/* Places near the ends of things, and in between. */
static uint64_t place(const struct image *im, const uint8_t *act)
{
    uint64_t at = (uint64_t)act[1] * (im->size / 255);

    at += act[2] & 1 ? act[2] : act[2] * 512ull;
    return at < im->size ? at : im->size - 1;
}

static void do_act(struct image *im, const uint8_t *act)
{
    static uint8_t data[PIECE];
    struct iovec iov = { data, sizeof(data) };
    struct image_buf buf = { &iov, 1, 0 };
    uint64_t off = place(im, act), len = 1 + act[3] * 273ull, host;
    struct err err;

    if (len > im->size - off)
        len = im->size - off;
    if (act[0] % 8 == 0)
        im->ops->read(im, off, len, &buf);
    else if (act[0] % 8 == 6)
        im->ops->map(im, off, &len, act[0] & 8, &host);
    else if (im->readonly)
        return;
    else if (act[0] % 8 == 1 || act[0] % 8 == 7)
        im->ops->write(im, off, len, &buf);
    else if (act[0] % 8 == 2)
        im->ops->zero(im, off, len * 64 < im->size - off ? len * 64 : len, act[0] & 8);
    else if (act[0] % 8 == 3)
        im->ops->discard(im, off, len);
    else if (act[0] % 8 == 4)
        im->ops->flush(im);
    else
        im->ops->resize(im, im->size + act[1] * 512ull * (act[2] + 1), &err);
}

static void play(int fd, const uint8_t *acts, size_t n)
{
    bool readonly = acts[0] & 1;
    struct err err = { "" };
    struct store *st = store_open(
        &BLOCK_OPTIONS(.file = "fuzz.vhd", .fd = fd, .readonly = readonly, .no_flush = true), &err);
    struct image *im;

    if (!st)
        return;
    im = image_open(&image_vhd, st, "fuzz.vhd", readonly, "", NULL, &err);
    for (size_t i = 1; im && i + 4 <= n; i += 4)
        do_act(im, acts + i);
    image_close(im);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t codes[] = { VHD_LOC_MACX, VHD_LOC_MACX_XEN, VHD_LOC_W2RU, VHD_LOC_W2KU };
    char path[256];
    int fd;

    if (size < ACT_BYTES || size > INPUT_MAX)
        return 0;
    vhd_locator_path(codes[data[size - 1] % 4], data, size < 300 ? size : 300, path, sizeof(path));
    fd = make_file(data, size - ACT_BYTES);
    if (fd >= 0)
        play(fd, data + size - ACT_BYTES, ACT_BYTES);
    return 0;
}
