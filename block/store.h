/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/store.h: a row of bytes for the code of an image format, which runs in
 * a thread of its own and may wait. It lies in a file, on a block device or at
 * an NBD server. One thread at a time may use a store; it need not be the one
 * that opened it. All functions that return int give 0 or a negative errno.
 */
#pragma once
#include <stddef.h>
#include "block/block.h"

struct store;

/*
 * Opens what o->file (a path or an NBD URI) or o->fd (owned from here on, also
 * on failure) names. Honours readonly, direct, no_flush, locking,
 * lock_later and reconnect_delay; the rest is ignored. A file of no bytes is fine. NULL and a
 * line in err on failure.
 */
struct store *store_open(const struct block_options *o, struct err *err);
void store_close(struct store *s); /* NULL is fine; does not flush */

const char *store_name(const struct store *s); /* what it was opened by, for messages */
bool store_readonly(const struct store *s);
bool store_is_device(const struct store *s); /* of fixed size: a block device or NBD */
uint64_t store_size(struct store *s);        /* bytes, as of now */

/* What lies past the end reads as zeroes. Any alignment will do, also with O_DIRECT. */
int store_read(struct store *s, uint64_t off, void *buf, size_t len);
int store_readv(struct store *s, uint64_t off, const struct iovec *iov, int niov);
/*
 * Writes all of it, or fails; a failed one may have written some. A file grows
 * as needed, a device gives -ENOSPC, a read-only store -EROFS.
 */
int store_write(struct store *s, uint64_t off, const void *buf, size_t len);
int store_writev(struct store *s, uint64_t off, const struct iovec *iov, int niov);
int store_flush(struct store *s); /* what was written is on stable storage now */
/* The bytes are not needed any more and take no space if the host can help it. Never grows. */
int store_discard(struct store *s, uint64_t off, uint64_t len);
/* The bytes read as zeroes; may_unmap: and may take no space. Grows a file like a write. */
int store_zero(struct store *s, uint64_t off, uint64_t len, bool may_unmap);
int store_resize(struct store *s, uint64_t size);          /* -ENOTSUP for a device */
int store_lock(struct store *s, bool on, struct err *err); /* see block_lock(); any thread */
/*
 * Where the next byte at or after off that is not in a hole lies, and how many
 * follow before the next hole; *len 0 when there is none up to the end. A host
 * that cannot tell says that all is data.
 */
int store_next_data(struct store *s, uint64_t off, uint64_t *start, uint64_t *len);
