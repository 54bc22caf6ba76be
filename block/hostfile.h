/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/hostfile.h: a file, block device or CD-ROM drive of the host, opened
 * and locked as block_options say. What raw images and image formats share.
 */
#pragma once
#include <stddef.h>
#include "block/block.h"

struct hostfile {
    int fd;
    uint64_t size; /* bytes; 0: a CD-ROM drive without a medium */
    bool device, cdrom, readonly, direct;
    enum block_locking locking;
    bool locked;        /* as far as the host can */
    unsigned align;     /* of offset and length; 1 without O_DIRECT */
    unsigned mem_align; /* of memory; 1 without O_DIRECT */
};

/*
 * Opens o->file, or takes over o->fd (owned from here on, also on failure).
 * Honours readonly, direct, locking and lock_later. cdrom: an empty drive is fine. An
 * empty file is not, unless empty_ok. 0, or a negative errno and a line in err.
 */
int hostfile_open(struct hostfile *h, const struct block_options *o, bool cdrom, bool empty_ok,
                  struct err *err);
/* Is what the options name a CD-ROM drive of the host? */
bool hostfile_is_cdrom(const struct block_options *o);
/*
 * Of a CD-ROM drive, in a thread: the size of the medium there is now (0: none), and whether
 * another one was put in since it was asked last. May wait for the drive.
 */
uint64_t hostfile_look_at_cd(const struct hostfile *h, bool *changed);
/* The size as it is now, in bytes; 0 when it cannot be told or there is no medium. */
uint64_t hostfile_size(const struct hostfile *h);
/*
 * DISCARD (zero false) and ZERO in the calling thread, without growing the
 * file. 0 or a negative errno: -EOPNOTSUPP when zeroes have to be written.
 */
int hostfile_discard(const struct hostfile *h, uint64_t off, uint64_t len);
int hostfile_zero(const struct hostfile *h, uint64_t off, uint64_t len, bool may_unmap);
/* Makes the file size bytes long. -ENOTSUP for a device of another size. */
int hostfile_resize(struct hostfile *h, uint64_t size);
/* block_lock() of this file; name is for the message. */
int hostfile_relock(struct hostfile *h, const char *name, bool on, struct err *err);
/*
 * Locks the image as docs/block.md says, for writing or for reading only.
 * Never waits. 0, or a negative errno and a line in err; 0 too where the host
 * cannot lock and the option is auto.
 */
int hostfile_lock(int fd, const char *file, bool readonly, enum block_locking locking,
                  struct err *err);
/* Ends what hostfile_lock() began; fine without. */
void hostfile_unlock(int fd);
