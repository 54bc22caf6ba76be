/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that portico-vnc needs and may not open: noVNC's scripts for the web
 * console, and the certificates of TLS. They are read once, at the start, and
 * handed over as sealed files.
 */
#include "display/vnc-impl.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 6

struct pages {
    uint8_t *data; /* pages_file and the bytes */
    size_t len;    /* of the bytes */
    uint32_t n;
    const char *dir;
};

#define HEAD_SIZE (sizeof(struct pages_file) + PAGES_FILES * sizeof(struct pages_entry))

/* The whole file behind what is there; bytes, or -errno. */
static ssize_t read_into(int fd, uint8_t *dst, size_t room)
{
    size_t len = 0;

    for (;;) {
        ssize_t n = read(fd, dst + len, room - len);
        if (n < 0)
            return -errno;
        if (n == 0)
            return (ssize_t)len;
        len += (size_t)n;
        if (len == room)
            return -EFBIG;
    }
}

static int add_file(struct pages *p, int dirfd, const char *name, const char *path)
{
    struct pages_file *head = (struct pages_file *)p->data;
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = p->n == PAGES_FILES || strlen(path) >= sizeof(head->entry[0].path)
            ? -EFBIG
            : read_into(fd, p->data + HEAD_SIZE + p->len, PAGES_MAX - p->len);
    close(fd);
    if (n < 0)
        return (int)n;
    snprintf(head->entry[p->n].path, sizeof(head->entry[0].path), "%s", path);
    head->entry[p->n].off = (uint32_t)(HEAD_SIZE + p->len);
    head->entry[p->n++].len = (uint32_t)n;
    p->len += (size_t)n;
    return 0;
}

static bool is_script(const char *name)
{
    size_t len = strlen(name);

    return len > 3 && !strcmp(name + len - 3, ".js");
}

/* Every script below dir/path; no links are followed. */
static int add_folder(struct pages *p, int at, const char *name, const char *path, unsigned depth)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;

    if (!d) {
        rc = -errno;
        if (fd >= 0)
            close(fd);
        return rc;
    }
    while (!rc && (e = readdir(d))) {
        char full[256];
        struct stat st;

        if (e->d_name[0] == '.' || fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
            snprintf(full, sizeof(full), "%s/%s", path, e->d_name) >= (int)sizeof(full))
            continue;
        if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            rc = add_folder(p, fd, e->d_name, full, depth + 1);
        else if (S_ISREG(st.st_mode) && is_script(e->d_name))
            rc = add_file(p, fd, e->d_name, full);
    }
    closedir(d);
    return rc;
}

int vnc_pages(const char *dir, struct err *err)
{
    struct pages p = { .dir = dir, .data = calloc(1, HEAD_SIZE + PAGES_MAX) };
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), rc = fd < 0 ? -errno : 0;

    if (!p.data)
        rc = -ENOMEM;
    if (!rc)
        rc = add_folder(&p, fd, "core", "core", 0);
    if (!rc)
        rc = add_folder(&p, fd, "vendor", "vendor", 0);
    if (fd >= 0)
        close(fd);
    if (!rc) {
        ((struct pages_file *)p.data)->n = p.n;
        rc = vnc_file(p.data, HEAD_SIZE + p.len);
    }
    free(p.data);
    if (rc < 0)
        err_set(err, rc,
                "the web console needs noVNC in %s: %s; install Debian's package novnc, or name "
                "its folder (novnc=)",
                dir, strerror(-rc));
    return rc;
}

/* ---- TLS ---- */

/* A part that may be missing when need is false. */
static int add_part(uint8_t *data, size_t *at, uint32_t *len, const char *dir, const char *name,
                    bool need, struct err *err)
{
    char path[4096];
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && errno == ENOENT && !need)
        return 0;
    n = fd < 0 ? -errno : read_into(fd, data + *at, CREDS_MAX - *at);
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return err_set(err, (int)n, "tls-creds-x509: %s: %s", path, strerror((int)-n));
    *len = (uint32_t)n;
    *at += (size_t)n;
    return 0;
}

int vnc_creds(const char *dir, bool verify_peer, struct err *err)
{
    static const char *const names[] = { "server-cert.pem", "server-key.pem", "ca-cert.pem",
                                         "ca-crl.pem" };
    struct creds_file head = { .anonymous = dir == NULL, .verify_peer = verify_peer };
    uint8_t *data = calloc(1, CREDS_MAX);
    size_t at = sizeof(head);
    int rc = 0;

    if (!data)
        return err_set(err, -ENOMEM, "tls-creds: out of memory");
    for (unsigned i = 0; dir && !rc && i < CREDS_PARTS; i++)
        rc = add_part(data, &at, &head.len[i], dir, names[i],
                      i < CREDS_CA || (i == CREDS_CA && verify_peer), err);
    memcpy(data, &head, sizeof(head));
    if (!rc) {
        rc = vnc_file(data, at);
        if (rc < 0)
            err_set(err, rc, "tls-creds: %s", strerror(-rc));
    }
    explicit_bzero(data, CREDS_MAX);
    free(data);
    return rc;
}
