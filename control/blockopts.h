/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/blockopts.h: what a -drive, or a node of -blockdev with all that is
 * below it, asks of the block layer.
 */
#pragma once
#include "block/block.h"
#include "control/args.h"

struct block_want {
    struct block_options o; /* for block_open(); its strings live as long as this */
    bool empty;             /* there is no medium to open */
    const char *group;      /* the throttle group it is to be in; NULL: one of its own */
    bool set_group;         /* o.throttle becomes the group's limits */
    struct config keep;     /* owns the strings */
};

/*
 * Zeroed or not before; block_want_free() is due also on failure. 0, or
 * -EINVAL/-ENOTSUP and a line in err that names the drive or node and the key.
 * Nothing is opened.
 */
int block_want_drive(struct block_want *w, const struct vm_args *a, const struct drive_arg *d,
                     struct err *err);
int block_want_node(struct block_want *w, const struct vm_args *a, const char *node,
                    struct err *err);
/* The same of a node that has no name yet: cfg is as -blockdev and blockdev-add have it. */
int block_want_config(struct block_want *w, const struct vm_args *a, const struct config *cfg,
                      struct err *err);
/* "limits.iops-total" and so on. 0, or -EINVAL and a line in err that begins with `what`. */
int block_want_limits(struct block_throttle *t, const struct config *cfg, const char *what,
                      struct err *err);
void block_want_free(struct block_want *w);
