/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block/store-impl.h: what the kinds of store have in common. Only for block/store*.c. */
#pragma once
#include "block/store.h"

struct store_ops { /* offsets and lengths are within the size, len > 0 */
    void (*close)(struct store *s);
    uint64_t (*size)(struct store *s);
    int (*read)(struct store *s, uint64_t off, void *buf, size_t len);
    int (*write)(struct store *s, uint64_t off, const void *buf, size_t len); /* file: or beyond */
    int (*readv)(struct store *s, uint64_t off, const struct iovec *iov, int niov);  /* or NULL */
    int (*writev)(struct store *s, uint64_t off, const struct iovec *iov, int niov); /* or NULL */
    int (*flush)(struct store *s);
    int (*discard)(struct store *s, uint64_t off, uint64_t len);
    int (*zero)(struct store *s, uint64_t off, uint64_t len, bool may_unmap); /* or -EOPNOTSUPP */
    int (*resize)(struct store *s, uint64_t size);                            /* or NULL */
    int (*lock)(struct store *s, bool on, struct err *err);                   /* or NULL */
    int (*next_data)(struct store *s, uint64_t off, uint64_t *start, uint64_t *len); /* or NULL */
};

struct store {
    const struct store_ops *ops;
    char *name;
    bool readonly, fixed, no_flush;
    void *priv;
};

/* A store with priv_size zeroed bytes at priv; NULL when out of memory. */
struct store *store_new(const struct store_ops *ops, size_t priv_size, const char *name);
void store_free(struct store *s);
struct store *store_open_file(const struct block_options *o, struct err *err);
struct store *store_open_nbd(const struct block_options *o, struct err *err);
