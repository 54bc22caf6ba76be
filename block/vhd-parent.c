/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parent of a differencing VHD. The header names it up to eight times, in
 * the ways of several systems, and once more in a field of its own; the first
 * name is taken under which an image with the right identity is found. Which
 * names: specification, "Parent Locator"; that Xen writes "MACX" and puts a
 * file URL there, relative ones too, and that it marks a raw parent by an
 * identity of zeroes, was seen in its images.
 */
#include "block/vhd.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/log.h"

#define LOCATOR_MAX 8192 /* bytes: a path of 4096 characters in UTF-16 */
#define PATH_SPACE  4096

/* ---- text ---- */

struct text { /* UTF-8 being written */
    char *out;
    size_t len, size;
    bool bad;
};

static void put_byte(struct text *t, unsigned byte)
{
    if (!byte || t->len + 1 >= t->size)
        t->bad = true;
    else
        t->out[t->len++] = byte;
}

static void put_char(struct text *t, uint32_t c)
{
    if (c < 0x80) {
        put_byte(t, c);
        return;
    }
    if (c < 0x800) {
        put_byte(t, 0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            put_byte(t, 0xe0 | c >> 12);
        } else {
            put_byte(t, 0xf0 | c >> 18);
            put_byte(t, 0x80 | (c >> 12 & 0x3f));
        }
        put_byte(t, 0x80 | (c >> 6 & 0x3f));
    }
    put_byte(t, 0x80 | (c & 0x3f));
}

static uint32_t get_unit(const uint8_t *p, bool big)
{
    return big ? p[0] << 8 | p[1] : p[1] << 8 | p[0];
}

/* Up to the first zero or the end. A lone surrogate is an error. */
static void put_utf16(struct text *t, const uint8_t *data, size_t len, bool big)
{
    for (size_t i = 0; i + 1 < len && !t->bad; i += 2) {
        uint32_t c = get_unit(data + i, big), low;

        if (!c)
            return;
        if (c >= 0xd800 && c < 0xe000) {
            low = i + 3 < len ? get_unit(data + i + 2, big) : 0;
            if (c >= 0xdc00 || low < 0xdc00 || low >= 0xe000) {
                t->bad = true;
                return;
            }
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        }
        put_char(t, c);
    }
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* file://host/path, file:///path, and Xen's file://./path; "%20" is a blank. */
static void put_url(struct text *t, const uint8_t *data, size_t len)
{
    static const char scheme[] = "file://";
    size_t i = sizeof(scheme) - 1;

    if (len <= i || memcmp(data, scheme, i)) {
        t->bad = true;
        return;
    }
    if (data[i] != '.')
        while (i < len && data[i] != '/')
            i++;
    for (; i < len && data[i] && !t->bad; i++) {
        int high = data[i] == '%' && i + 2 < len ? hex_digit(data[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(data[i + 2]) : -1;

        put_byte(t, low >= 0 ? high << 4 | low : data[i]);
        if (low >= 0)
            i += 2;
    }
}

/* C:\dir\x.vhd and .\x.vhd as they would be here. */
static void from_windows(char *path)
{
    size_t len = strlen(path);

    for (size_t i = 0; i < len; i++)
        if (path[i] == '\\')
            path[i] = '/';
    if (len >= 2 && path[1] == ':')
        memmove(path, path + 2, len - 1);
}

bool vhd_locator_path(uint32_t code, const uint8_t *data, size_t len, char *out, size_t size)
{
    struct text t = { out, 0, size, false };

    if (!size)
        return false;
    if (code == VHD_LOC_MACX || code == VHD_LOC_MACX_XEN)
        put_url(&t, data, len);
    else if (code == VHD_LOC_W2RU || code == VHD_LOC_W2KU)
        put_utf16(&t, data, len, false);
    else
        t.bad = true;
    out[t.len] = '\0';
    if (!t.bad && (code == VHD_LOC_W2RU || code == VHD_LOC_W2KU))
        from_windows(out);
    return !t.bad && out[0];
}

/* ---- finding it ---- */

static bool is_null(const uint8_t uuid[16])
{
    static const uint8_t zero[16];

    return !memcmp(uuid, zero, 16);
}

/* Is im->backing what the header means? Closes it if not. */
static int check_parent(struct vhd *v, const char *path, struct err *err)
{
    struct image *parent = v->im->backing;
    const struct vhd *p = parent->ops == &image_vhd ? parent->priv : NULL;

    if (p && memcmp(p->footer.uuid, v->header.parent_uuid, 16)) {
        image_close(parent);
        v->im->backing = NULL;
        return err_set(err, -EINVAL,
                       "disk %s: VHD: its parent %s has another identity than it had; name the "
                       "right one, or coalesce them while they still match",
                       v->im->file, path);
    }
    /* Xen does not keep the time up to date; Windows looks at it. */
    if (p && p->footer.timestamp != v->header.parent_timestamp)
        log_line("disk %s: VHD: parent %s has another time stamp than it had", v->im->file, path);
    return 0;
}

static int try_path(struct vhd *v, const char *path, struct err *err)
{
    int rc = image_open_backing(v->im, path, is_null(v->header.parent_uuid) ? "raw" : "vhd", err);

    if (rc || !v->im->backing)
        return rc;
    return check_parent(v, path, err);
}

/* A Windows path may have come here with its folder's files only. */
static int try_here(struct vhd *v, const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    struct err last;
    int rc = try_path(v, path, err);

    if (rc != -ENOENT || !slash || !slash[1])
        return rc;
    return try_path(v, slash + 1, &last) ? rc : 0;
}

static int try_locator(struct vhd *v, const struct vhd_locator *l, char *path, struct err *err)
{
    uint8_t *data;
    int rc;

    if (!l->len || l->len > LOCATOR_MAX || l->offset > v->file_size ||
        l->len > v->file_size - l->offset)
        return -ENOENT;
    data = malloc(l->len);
    if (!data)
        return err_set(err, -ENOMEM, "disk %s: out of memory", v->im->file);
    rc = image_file_get(v->im, l->offset, data, l->len);
    if (!rc && !vhd_locator_path(l->code, data, l->len, path, PATH_SPACE))
        rc = ENOENT;
    free(data);
    return rc ? -rc : try_here(v, path, err);
}

static int try_name(struct vhd *v, char *path, struct err *err)
{
    struct text t = { path, 0, PATH_SPACE, false };

    put_utf16(&t, v->header.parent_name, sizeof(v->header.parent_name), true);
    path[t.len] = '\0';
    if (t.bad || !path[0])
        return -ENOENT;
    from_windows(path);
    return try_here(v, path, err);
}

/* The relative names first: images that are moved are moved together. */
static int try_all(struct vhd *v, char *path, struct err *err)
{
    static const uint32_t order[] = { VHD_LOC_W2RU, VHD_LOC_MACX, VHD_LOC_MACX_XEN, VHD_LOC_W2KU };

    err_set(err, -ENOENT,
            "disk %s: VHD: no name of its parent can be read; give one with backing=", v->im->file);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        for (int k = 0; k < VHD_LOCATORS; k++)
            if (v->header.locator[k].code == order[i] &&
                !try_locator(v, &v->header.locator[k], path, err))
                return 0;
    return try_name(v, path, err) ? -ENOENT : 0;
}

/* An ancestor with the identity of one above it: a circle. */
static bool is_circle(const struct vhd *v)
{
    for (const struct image *im = v->im->above; im; im = im->above)
        if (im->ops == &image_vhd &&
            !memcmp(((const struct vhd *)im->priv)->footer.uuid, v->footer.uuid, 16))
            return true;
    return false;
}

int vhd_open_parent(struct vhd *v, struct err *err)
{
    char *path;
    int rc;

    if (is_circle(v))
        return err_set(err, -ELOOP, "disk %s: VHD: it is its own parent's parent", v->im->file);
    if (v->im->backing_override)
        return image_open_backing(v->im, v->im->backing_override,
                                  is_null(v->header.parent_uuid) ? "raw" : NULL, err);
    path = malloc(PATH_SPACE);
    if (!path)
        return err_set(err, -ENOMEM, "disk %s: out of memory", v->im->file);
    rc = try_all(v, path, err);
    free(path);
    return rc;
}
