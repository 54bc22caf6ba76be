/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/iso.c: is a CD image whole? What a broken download says of itself. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "control/parts.h"

#define SECTOR        2048
#define VOLUME_SECTOR 16        /* of the primary volume descriptor, ECMA-119 §6.7.1 */
#define ISO_SLACK     (1 << 20) /* writers differ about the padding at the end */

static uint32_t le32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

int iso_check(const char *file, int opened, struct err *err)
{
    uint8_t pvd[SECTOR];
    struct stat st;
    uint64_t want;
    int fd = opened >= 0 ? opened : open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;

    if (fd < 0)
        return 0; /* block_open() says it better */
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) &&
        pread(fd, pvd, sizeof(pvd), VOLUME_SECTOR * SECTOR) == sizeof(pvd) && pvd[0] == 1 &&
        !memcmp(pvd + 1, "CD001", 5)) {
        want = (uint64_t)le32(pvd + 80) * SECTOR;
        if (want > (uint64_t)st.st_size + ISO_SLACK)
            rc = err_set(err, -EIO,
                         "CD image %s is truncated: it has %llu bytes, its volume says %llu; "
                         "fetch it again",
                         file, (unsigned long long)st.st_size, (unsigned long long)want);
    }
    if (opened < 0)
        close(fd);
    return rc;
}
