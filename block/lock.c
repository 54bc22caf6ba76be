/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks on images: open file description locks (fcntl(2), F_OFD_SETLK), which
 * end when the file is closed, be it by SIGKILL. The bytes are those that
 * QEMU's manual describes under "Disk image file locking", so that either
 * program sees the other: for each permission p, byte 100 + p is held by who
 * uses it and byte 200 + p by who does not let others use it. All of them are
 * held as read locks; a conflict is seen by asking whether a write lock would
 * be granted on the opposite byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "block/hostfile.h"

enum { USES = 100, DENIES = 200 };
enum { P_READ = 0, P_WRITE = 1, P_RESIZE = 3 };

static int lock_byte(int fd, int cmd, short type, off_t at, struct flock *out)
{
    struct flock fl = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

    if (fcntl(fd, cmd, &fl))
        return -errno;
    if (out)
        *out = fl;
    return 0;
}

static int take(int fd, bool readonly)
{
    int rc = lock_byte(fd, F_OFD_SETLK, F_RDLCK, USES + P_READ, NULL);

    if (!rc && !readonly)
        rc = lock_byte(fd, F_OFD_SETLK, F_RDLCK, USES + P_WRITE, NULL);
    if (!rc)
        rc = lock_byte(fd, F_OFD_SETLK, F_RDLCK, DENIES + P_WRITE, NULL);
    if (!rc)
        rc = lock_byte(fd, F_OFD_SETLK, F_RDLCK, DENIES + P_RESIZE, NULL);
    return rc;
}

void hostfile_unlock(int fd)
{
    struct flock fl = {
        .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = USES, .l_len = 2 * (DENIES - USES)
    };

    fcntl(fd, F_OFD_SETLK, &fl);
}

/* Whether somebody else holds the byte: 1, 0 or a negative errno. */
static int held(int fd, off_t at)
{
    struct flock fl = { .l_type = F_UNLCK };
    int rc = lock_byte(fd, F_OFD_GETLK, F_WRLCK, at, &fl);

    return rc ? rc : fl.l_type != F_UNLCK;
}

/* What is wrong, for the message; NULL: nothing, or *rc says that it cannot be known. */
static const char *conflict(int fd, bool readonly, int *rc)
{
    *rc = held(fd, USES + P_WRITE);
    if (*rc > 0)
        return "another process has it open for writing";
    if (!*rc)
        *rc = held(fd, DENIES + P_READ);
    if (*rc > 0)
        return "another process wants it for itself";
    if (!*rc && !readonly)
        *rc = held(fd, DENIES + P_WRITE);
    return *rc > 0 ? "another process reads it and must not see it change" : NULL;
}

int hostfile_lock(int fd, const char *file, bool readonly, enum block_locking locking,
                  struct err *err)
{
    const char *why = NULL;
    int rc;

    if (locking == BLOCK_LOCK_OFF)
        return 0;
    rc = take(fd, readonly);
    if (!rc)
        why = conflict(fd, readonly, &rc);
    if (!rc)
        return 0;
    hostfile_unlock(fd);
    if (why || rc == -EAGAIN || rc == -EACCES)
        return err_set(err, -EBUSY,
                       "disk %s: is in use: %s; shut down the other guest or tool, or, if sharing "
                       "it is safe, say file.locking=off",
                       file, why ? why : "another process has locked it");
    if (locking == BLOCK_LOCK_AUTO)
        return 0;
    return err_set(err, rc, "disk %s: cannot be locked: %s; say file.locking=auto to go without",
                   file, strerror(-rc));
}
