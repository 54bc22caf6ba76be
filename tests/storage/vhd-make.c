/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VHD files byte by byte: see vhd-make.h. Section names are the specification's. */
#include "tests/storage/vhd-make.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TABLE_AT 4096u /* the table; the locators' data is between the header and it */

static void be(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = v >> 8 * (bytes - 1 - i);
}

static uint64_t from_be(const uint8_t *p, int bytes)
{
    uint64_t v = 0;

    for (int i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

static bool put(int fd, uint64_t at, const void *data, size_t len)
{
    return pwrite(fd, data, len, at) == (ssize_t)len;
}

static bool get(int fd, uint64_t at, void *data, size_t len)
{
    return pread(fd, data, len, at) == (ssize_t)len;
}

uint32_t vhd_make_sum(const uint8_t *p, size_t len, size_t field)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += i - field < 4 ? 0 : p[i];
    return ~sum;
}

/* "Hard Disk Footer Format" */
static void make_footer(uint8_t f[512], const struct vhd_make *m)
{
    memset(f, 0, 512);
    memcpy(f, "conectix", 8);
    be(f + 8, 2, 4);
    be(f + 12, 0x00010000, 4);
    be(f + 16, m->type == 2 ? ~0ull : 512, 8);
    be(f + 24, m->time, 4);
    memcpy(f + 28, m->creator ? m->creator : "win ", 4);
    be(f + 32, m->batmap ? 0x00010003 : 0x00060001, 4);
    memcpy(f + 36, "Wi2k", 4);
    be(f + 40, m->size, 8);
    be(f + 48, m->size, 8);
    be(f + 56, m->size / 512 / 16 / 63, 2);
    f[58] = 16;
    f[59] = 63;
    be(f + 60, m->type, 4);
    memset(f + 68, m->id, 16);
    f[85] = m->hidden;
    be(f + 64, vhd_make_sum(f, 512, 64), 4);
}

/* "Dynamic Disk Header Format" */
static void make_header(uint8_t h[1024], const struct vhd_make *m, uint32_t entries)
{
    memset(h, 0, 1024);
    memcpy(h, "cxsparse", 8);
    be(h + 8, ~0ull, 8);
    be(h + 16, TABLE_AT, 8);
    be(h + 24, 0x00010000, 4);
    be(h + 28, entries, 4);
    be(h + 32, m->block_size ? m->block_size : 2u << 20, 4);
    if (m->type == 4) {
        memset(h + 40, m->parent_id, 16);
        be(h + 56, m->parent_time, 4);
    }
    for (size_t i = 0; m->parent_name && m->parent_name[i] && i < 255; i++)
        h[64 + i * 2 + 1] = m->parent_name[i];
}

/* "Parent Locator": the data from 1536 on, 320 bytes each, so that eight end before the table. */
static bool make_locators(int fd, uint8_t h[1024], const struct vhd_make *m)
{
    for (int i = 0; i < 8 && m->locator[i].code; i++) {
        uint8_t data[320] = { 0 };
        const struct vhd_make_locator *l = &m->locator[i];
        bool wide = !strncmp(l->code, "W2", 2);
        size_t n = strlen(l->path), at = 1536 + (size_t)i * sizeof(data);

        if (n > sizeof(data) / 2)
            return false;
        for (size_t k = 0; k < n; k++)
            data[wide ? k * 2 : k] = l->path[k];
        memcpy(h + 576 + i * 24, l->code, 4);
        be(h + 576 + i * 24 + 4, 512, 4);
        be(h + 576 + i * 24 + 8, wide ? n * 2 : n, 4);
        be(h + 576 + i * 24 + 16, at, 8);
        if (!put(fd, at, data, sizeof(data)))
            return false;
    }
    return true;
}

/* Xen's, behind the table; no block is complete. */
static bool make_batmap(int fd, uint64_t at, uint32_t entries, uint64_t *end)
{
    uint8_t raw[512] = "tdbatmap";
    uint64_t sectors = entries / 8 / 512 + 1;

    be(raw + 8, at + 512, 8);
    be(raw + 16, sectors, 4);
    be(raw + 20, 0x00010002, 4);
    be(raw + 24, ~0u, 4);
    *end = at + 512 + sectors * 512;
    return put(fd, at, raw, sizeof(raw)) && !ftruncate(fd, *end);
}

static bool make_table(int fd, uint32_t entries, uint64_t *end)
{
    uint8_t unused[512];

    memset(unused, 0xff, sizeof(unused));
    *end = TABLE_AT;
    for (uint32_t i = 0; i < entries; i += 128, *end += sizeof(unused))
        if (!put(fd, *end, unused, sizeof(unused)))
            return false;
    return true;
}

bool vhd_make(int fd, const struct vhd_make *m)
{
    uint8_t footer[512], header[1024];
    uint32_t block = m->block_size ? m->block_size : 2u << 20;
    uint32_t entries = (m->size + block - 1) / block + m->spare_entries;
    uint64_t end;

    make_footer(footer, m);
    if (m->type == 2)
        return !ftruncate(fd, m->size) && put(fd, m->size, footer, sizeof(footer));
    make_header(header, m, entries);
    if (!make_table(fd, entries, &end) || !make_locators(fd, header, m))
        return false;
    if (m->batmap && !make_batmap(fd, end, entries, &end))
        return false;
    be(header + 36, vhd_make_sum(header, 1024, 36), 4);
    return put(fd, 0, footer, 512) && put(fd, 512, header, 1024) && put(fd, end, footer, 512);
}

bool vhd_make_block(int fd, uint32_t block, const uint8_t *bits, const uint8_t *data)
{
    uint8_t footer[512], header[1024], entry[4], *whole;
    uint32_t size, bitmap;
    struct stat st;
    bool ok;

    if (fstat(fd, &st) || !get(fd, 0, footer, 512) || !get(fd, 512, header, 1024))
        return false;
    size = from_be(header + 32, 4);
    bitmap = (size / 512 / 8 + 511) / 512 * 512;
    be(entry, (st.st_size - 512) / 512, 4);
    whole = calloc(1, (size_t)bitmap + size);
    if (!whole)
        return false;
    memset(whole, 0xff, bitmap);
    if (bits)
        memcpy(whole, bits, size / 512 / 8 ? size / 512 / 8 : 1);
    if (data)
        memcpy(whole + bitmap, data, size);
    ok = put(fd, st.st_size - 512, whole, (size_t)bitmap + size) &&
         put(fd, st.st_size - 512 + bitmap + size, footer, 512) &&
         put(fd, from_be(header + 16, 8) + block * 4ull, entry, 4);
    free(whole);
    return ok;
}

static bool resum(int fd, uint64_t at, size_t len, size_t field, const char *cookie)
{
    uint8_t raw[1024];

    if (!get(fd, at, raw, len) || memcmp(raw, cookie, 8))
        return true;
    be(raw + field, vhd_make_sum(raw, len, field), 4);
    return put(fd, at, raw, len);
}

bool vhd_make_patch(int fd, uint64_t at, const void *data, size_t len)
{
    struct stat st;

    return put(fd, at, data, len) && !fstat(fd, &st) && resum(fd, 0, 512, 64, "conectix") &&
           resum(fd, 512, 1024, 36, "cxsparse") &&
           (st.st_size < 512 || resum(fd, st.st_size - 512, 512, 64, "conectix"));
}
