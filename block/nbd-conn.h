/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/nbd-conn.h: connections to NBD servers, as nbd.c (in the loop) and
 * store-nbd.c (in a thread) both need them. libnbd speaks the protocol.
 */
#pragma once
#include "block/nbd-lib.h"
#include "block/impl.h"

#define NBD_RECONNECT   30         /* seconds, when the options say nothing */
#define NBD_OPEN_MS     10000      /* how long opening may take */
#define NBD_PIECE       (2u << 20) /* bytes of one command; every server takes 32 MiB */
#define NBD_BACKOFF_MIN 100        /* ms between attempts to come back, doubled each time */
#define NBD_BACKOFF_MAX 5000

struct nbd_export { /* what the server offers */
    uint64_t size;
    unsigned align; /* it refuses smaller or crooked requests */
    bool readonly, can_flush, can_trim, can_zero;
};

/* A handle that has begun to connect; NULL and a line in err when it cannot even begin. */
struct nbd_handle *nbd_begin(const char *uri, struct err *err);
/* 1: connected and *e filled in; 0: not yet; negative errno: it failed, with a line in err. */
int nbd_progress(struct nbd_handle *h, const char *uri, struct nbd_export *e, struct err *err);
/* Both, waiting at most ms. NULL and a line in err on failure. */
struct nbd_handle *nbd_dial(const char *uri, unsigned ms, struct nbd_export *e, struct err *err);
/* Whether the export of a second connection can stand in for that of the first. */
bool nbd_same(const struct nbd_export *was, const struct nbd_export *is);
/* What libnbd says of its last error, without the name of its function. */
const char *nbd_why(void);
/* The connection is beyond use. */
bool nbd_lost(struct nbd_handle *h);
