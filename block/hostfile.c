/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening, measuring and thinning out what images lie in: files, block devices, CD-ROM drives. */
#include "block/hostfile.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/cdrom.h>
#include <linux/falloc.h>
#include <linux/fs.h>

#define DIRECT_ALIGN 4096 /* where the host does not say */
#define SIZE_MAX_OK  (INT64_MAX - 4096)

/* Refuses what is neither a file nor a block device before open() could block on it. */
static int check_kind(const struct stat *st, const char *file, struct err *err)
{
    if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
        return 0;
    if (S_ISDIR(st->st_mode))
        return err_set(err, -EISDIR, "disk %s: is a directory; name an image file", file);
    return err_set(err, -EINVAL, "disk %s: is neither a file nor a block device", file);
}

static int open_failed(const char *file, const struct block_options *o, int rc, struct err *err)
{
    const char *how = o->readonly ? "reading" : "reading and writing";

    if (rc == EINVAL && o->direct)
        return err_set(err, -EINVAL,
                       "disk %s: its file system has no O_DIRECT; say cache=writeback", file);
    if (rc == EROFS || (rc == EACCES && !o->readonly))
        return err_set(err, -rc, "disk %s: cannot open for %s: %s; say readonly=on", file, how,
                       strerror(rc));
    return err_set(err, -rc, "disk %s: cannot open for %s: %s", file, how, strerror(rc));
}

static int open_path(const struct block_options *o, bool cdrom, struct err *err)
{
    const char *file = o->file ? o->file : "";
    int flags = (o->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC;
    struct stat st;
    int fd, rc;

    if (!file[0])
        return err_set(err, -EINVAL, "disk: the file name is empty");
    if (stat(file, &st))
        return err_set(err, -errno, "disk %s: %s", file, strerror(errno));
    rc = check_kind(&st, file, err);
    if (rc)
        return rc;
    if (cdrom && !S_ISBLK(st.st_mode))
        return err_set(err, -EINVAL, "disk %s: is no CD-ROM drive; use format=raw", file);
    if (cdrom) /* or open() would fail without a medium */
        flags = (flags & ~O_ACCMODE) | O_RDONLY | O_NONBLOCK;
    if (o->direct)
        flags |= O_DIRECT;
    fd = open(file, flags);
    return fd >= 0 ? fd : open_failed(file, o, errno, err);
}

/* A descriptor from outside: is it of use for what is wanted? Sets its flags. */
static int check_fd(int fd, const struct block_options *o, bool cdrom, struct err *err)
{
    int mode = fcntl(fd, F_GETFL), acc = mode & O_ACCMODE;

    if (mode < 0)
        return err_set(err, -errno, "disk %s: %s", o->file, strerror(errno));
    if (acc == O_WRONLY || (mode & O_PATH) || (!o->readonly && acc != O_RDWR))
        return err_set(err, -EBADF, "disk %s: the descriptor given is not open for %s", o->file,
                       o->readonly ? "reading" : "reading and writing");
    if (!cdrom)
        mode &= ~O_NONBLOCK; /* or io_uring would answer EAGAIN instead of waiting */
    mode = o->direct ? mode | O_DIRECT : mode & ~O_DIRECT;
    if (fcntl(fd, F_SETFL, mode))
        return open_failed(o->file, o, errno, err);
    return 0;
}

static bool is_alignment(unsigned n)
{
    return n >= 512 && n <= 65536 && !(n & (n - 1));
}

static void find_alignment(struct hostfile *h)
{
    int sector = 0;

    h->align = h->mem_align = 1;
    if (!h->direct)
        return;
    h->align = h->mem_align = DIRECT_ALIGN;
    if (h->device && !ioctl(h->fd, BLKSSZGET, &sector) && is_alignment((unsigned)sector))
        h->align = h->mem_align = (unsigned)sector; /* memory may be as crooked: open(2) */
#ifdef STATX_DIOALIGN
    struct statx sx;

    if (!h->device && !statx(h->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &sx) &&
        (sx.stx_mask & STATX_DIOALIGN) && is_alignment(sx.stx_dio_offset_align)) {
        h->align = sx.stx_dio_offset_align;
        if (sx.stx_dio_mem_align <= 512) /* guests put sectors at multiples of that */
            h->mem_align = 512;
        else if (is_alignment(sx.stx_dio_mem_align))
            h->mem_align = sx.stx_dio_mem_align;
    }
#endif
}

uint64_t hostfile_size(const struct hostfile *h)
{
    struct stat st;
    uint64_t size = 0;
    int status;

    if (h->cdrom) {
        status = ioctl(h->fd, CDROM_DRIVE_STATUS, CDSL_CURRENT);
        if (status == CDS_NO_DISC || status == CDS_TRAY_OPEN || status == CDS_DRIVE_NOT_READY)
            return 0;
    }
    if (!h->device)
        return fstat(h->fd, &st) || st.st_size < 0 ? 0 : (uint64_t)st.st_size;
    return ioctl(h->fd, BLKGETSIZE64, &size) || size > SIZE_MAX_OK ? 0 : size;
}

bool hostfile_is_cdrom(const struct block_options *o)
{
    int fd = o->fd;
    struct stat st;
    bool is;

    if (fd < 0 && (!o->file || stat(o->file, &st) || !S_ISBLK(st.st_mode)))
        return false;
    if (fd < 0)
        fd = open(o->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    is = fd >= 0 && !fstat(fd, &st) && S_ISBLK(st.st_mode) &&
         ioctl(fd, CDROM_DRIVE_STATUS, CDSL_CURRENT) >= 0;
    if (fd >= 0 && fd != o->fd)
        close(fd);
    return is;
}

/* The kernel reads the size of a medium when the device is opened, so it is, once more. */
uint64_t hostfile_look_at_cd(const struct hostfile *h, bool *changed)
{
    char self[32];
    int fd;

    *changed = ioctl(h->fd, CDROM_MEDIA_CHANGED, CDSL_CURRENT) > 0;
    snprintf(self, sizeof(self), "/proc/self/fd/%d", h->fd);
    fd = open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return hostfile_size(h);
}

static int look(struct hostfile *h, const struct block_options *o, bool cdrom, bool empty_ok,
                struct err *err)
{
    struct stat st;
    int rc = check_fd(h->fd, o, cdrom, err);

    if (rc)
        return rc;
    if (fstat(h->fd, &st))
        return err_set(err, -errno, "disk %s: %s", o->file, strerror(errno));
    rc = check_kind(&st, o->file, err);
    if (rc)
        return rc;
    h->device = S_ISBLK(st.st_mode);
    h->cdrom = h->device && ioctl(h->fd, CDROM_DRIVE_STATUS, CDSL_CURRENT) >= 0;
    if (cdrom && !h->cdrom)
        return err_set(err, -EINVAL, "disk %s: is no CD-ROM drive; use format=raw", o->file);
    h->cdrom = cdrom;
    h->readonly = o->readonly || cdrom;
    h->direct = o->direct;
    h->size = hostfile_size(h);
    if ((!h->size && !cdrom && !empty_ok) || h->size > SIZE_MAX_OK)
        return err_set(err, -EINVAL, "disk %s: is empty; a disk needs at least one sector",
                       o->file);
    find_alignment(h);
    h->locking = cdrom ? BLOCK_LOCK_OFF : o->locking;
    return o->lock_later ? 0 : hostfile_relock(h, o->file, true, err);
}

int hostfile_relock(struct hostfile *h, const char *name, bool on, struct err *err)
{
    int rc = 0;

    if (on && !h->locked)
        rc = hostfile_lock(h->fd, name, h->readonly, h->locking, err);
    else if (!on && h->locked && h->locking != BLOCK_LOCK_OFF)
        hostfile_unlock(h->fd);
    if (!rc)
        h->locked = on;
    return rc;
}

int hostfile_open(struct hostfile *h, const struct block_options *o, bool cdrom, bool empty_ok,
                  struct err *err)
{
    int rc;

    *h = (struct hostfile){ .fd = o->fd >= 0 ? o->fd : open_path(o, cdrom, err) };
    if (h->fd < 0)
        return h->fd;
    rc = look(h, o, cdrom, empty_ok, err);
    if (rc) {
        close(h->fd);
        h->fd = -1;
    }
    return rc;
}

static int punch(const struct hostfile *h, int mode, uint64_t off, uint64_t len)
{
    int rc;

    do {
        rc = fallocate(h->fd, mode | FALLOC_FL_KEEP_SIZE, off, len) ? -errno : 0;
    } while (rc == -EINTR);
    return rc == -ENOTTY || rc == -ENOSYS || rc == -ENODEV ? -EOPNOTSUPP : rc;
}

int hostfile_discard(const struct hostfile *h, uint64_t off, uint64_t len)
{
    uint64_t range[2] = { off, len };

    if (!h->device)
        return punch(h, FALLOC_FL_PUNCH_HOLE, off, len);
    if (!ioctl(h->fd, BLKDISCARD, range))
        return 0;
    return errno == ENOTTY || errno == EINVAL ? -EOPNOTSUPP : -errno;
}

int hostfile_zero(const struct hostfile *h, uint64_t off, uint64_t len, bool may_unmap)
{
    uint64_t range[2] = { off, len };
    int rc;

    if (h->device) {
        if (may_unmap && !punch(h, FALLOC_FL_PUNCH_HOLE, off, len))
            return 0; /* a block device grants this only if what it unmaps reads as zeroes */
        if (!ioctl(h->fd, BLKZEROOUT, range))
            return 0;
        return errno == ENOTTY || errno == EINVAL ? -EOPNOTSUPP : -errno;
    }
    if (may_unmap) {
        rc = punch(h, FALLOC_FL_PUNCH_HOLE, off, len);
        if (rc != -EOPNOTSUPP)
            return rc;
    }
    return punch(h, FALLOC_FL_ZERO_RANGE, off, len);
}

int hostfile_resize(struct hostfile *h, uint64_t size)
{
    if (h->device) { /* somebody else changes those: take note of it */
        h->size = hostfile_size(h);
        return h->size >= size ? 0 : -ENOTSUP;
    }
    if (ftruncate(h->fd, size))
        return -errno;
    h->size = size;
    return 0;
}
