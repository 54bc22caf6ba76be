/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/blockopts-impl.h: what the blockopts-*.c files share; nobody else includes it.
 *   blockopts.c          -drive and its file=, and what control/blockopts.h offers
 *   blockopts-drivers.c  a node of each driver, with those below it
 *   blockopts-keys.c     keys that any node may have, limits, numbers
 */
#pragma once
#include "control/blockopts.h"
#include "control/keyval.h"

struct walk {
    struct block_want *w;
    const struct vm_args *a;
    struct err *err;
    const char *what; /* "-blockdev n1", for messages */
    unsigned depth;
};

struct node { /* a node: the keys of cfg that begin with prefix */
    const struct config *cfg;
    const char *prefix; /* "" or "file." */
};

struct block_driver {
    const char *name;
    int (*walk)(struct walk *k, const struct node *n, const char *driver);
    const struct keyval_key *keys; /* NULL: any */
};

/* blockopts-keys.c. A node's key, or NULL; a copy that lives as long as the options. */
const char *opts_get(const struct node *n, const char *key);
const char *opts_keep(struct walk *k, const char *val);
/* *out is set when the node has the key. 0, or -EINVAL and a line. */
int opts_bool(struct walk *k, const struct node *n, const char *key, bool *out);
int opts_uint(struct walk *k, const struct node *n, const char *key, uint64_t max, uint64_t *out);
bool opts_limited(const struct block_throttle *t);
/* What of the options a node says: those that any may have, its locks, its limits behind `stem`. */
int walk_common(struct walk *k, const struct node *n);
int walk_locking(struct walk *k, const struct node *n);
int walk_throttle(struct walk *k, const struct node *n, const char *stem);

/* blockopts-drivers.c. NULL: there is no such driver. */
const struct block_driver *opts_driver(const char *name);
/* A node and what is below it; by its name. */
int walk_node(struct walk *k, const struct node *n);
int walk_named(struct walk *k, const char *name);
int walk_fault(struct walk *k, const char *config); /* a blkdebug file */
int drv_null(struct walk *k, const struct node *n, const char *driver);
int drv_nbd(struct walk *k, const struct node *n, const char *driver);
