/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net/filter.h: what stands on a cable and looks at each frame: -object
 * filter-…,netdev=. The first one is next to the back end, so what goes to the
 * guest passes the filters in their order, and what it sends in the reverse.
 */
#pragma once
#include "net/net.h"

struct config;

enum net_verdict {
    NET_PASS,
    NET_DROP,
    NET_KEPT, /* a copy goes on later, by net_filter_send() or net_filter_deliver() */
};

struct net_filter_ops {
    const char *type; /* "filter-dump", … */
    /* 0, or -errno and a line in err that begins with what is wrong; f is zeroed but for f->…. */
    int (*init)(struct net_filter *f, const struct config *cfg, struct err *err);
    void (*fini)(struct net_filter *f);
    enum net_verdict (*frame)(struct net_filter *f, bool to_guest, const uint8_t *frame,
                              size_t len);
    bool (*wants)(struct net_filter *f); /* room for a frame to the guest? NULL: as behind it */
    void (*kick)(struct net_filter *f);  /* there may be room behind it again; never delivers */
    const char *const *keys;             /* its own, NULL at the end */
};

struct net_filter {
    const struct net_filter_ops *ops;
    struct net *net;
    struct uv_loop_s *loop;
    char *id;
    bool from_guest, to_guest; /* queue=, and status= */
    void *priv;
};

/*
 * Puts a filter of cfg's `qom-type` on n, as the last one; keys: id, queue
 * (all, rx: what the guest sends, tx: what goes to it), status and its own.
 * NULL and a line in err on failure. The cable's end frees it.
 */
struct net_filter *net_filter_add(struct uv_loop_s *loop, struct net *n, const struct config *cfg,
                                  struct err *err);
void net_filter_remove(struct net_filter *f); /* what it has kept is dropped */
bool net_filter_has_type(const char *type);
/* Of that type: the n-th key it takes, NULL behind the last; without id, qom-type, netdev. */
const char *net_filter_key(const char *type, unsigned n);

/* For a filter: its place, and the chain from behind a place (place + 1, or for _send its own). */
unsigned net_filter_place(const struct net_filter *f);
bool net_filter_send(struct net *n, unsigned at, const uint8_t *frame, size_t len);
void net_filter_deliver(struct net *n, unsigned at, const uint8_t *frame, size_t len);
bool net_filter_wants(struct net *n, unsigned at);
void net_filter_kick(struct net *n, unsigned at); /* tells those before place `at` of room */

extern const struct net_filter_ops net_filter_dump, net_filter_mac, net_filter_shape,
    net_filter_buffer;
