/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/pv/pv.h: the back ends of paravirtual devices, as control/ sees them,
 * and the seam to the hypervisor. Everything else in this folder works on
 * struct pv_ops alone: ioreq/xen-pv.c fills it in for Xen, tests with memory.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "block/block.h"
#include "hw/core/err.h"

struct display;
struct pv;
struct pv_type;
struct sink;
struct uv_loop_s;

#define PV_PAGE 4096u

struct pv_copy { /* of one piece of a page that the guest has granted */
    uint32_t ref;
    uint16_t off, len; /* off + len <= PV_PAGE */
    void *local;
    bool to_guest;
    bool failed; /* result */
};

/* Paths without a leading "/" are relative to our own domain. All calls return at once. */
struct pv_ops {
    char *(*read)(void *arg, const char *path); /* for free(); NULL: there is none */
    int (*write)(void *arg, const char *path, const char *val); /* 0 or -errno */
    /* Names of children, for free() of one block; NULL: none. */
    char **(*list)(void *arg, const char *path, unsigned *n);
    /* Every change at or below path is told by pv_watch_fired(), the first time at once. */
    int (*watch)(void *arg, const char *path, const char *token, bool on);
    /* Side by side in our memory, or NULL when one of them cannot be had. */
    void *(*map)(void *arg, uint32_t *refs, unsigned n);
    void (*unmap)(void *arg, void *host, unsigned n);
    void (*copy)(void *arg, struct pv_copy *c, unsigned n);
    void *(*map_gfn)(void *arg, uint64_t gfn); /* a page of the guest's own; unmap_gfn() */
    void (*unmap_gfn)(void *arg, void *host);
    int (*bind)(void *arg, uint32_t remote); /* an event channel's local port, or -errno */
    void (*unbind)(void *arg, int port);
    void (*notify)(void *arg, int port);
};

/* What back ends reach besides images. */
struct pv_outside {
    struct display *display;
    /* The sink of a chardev by its id, or NULL. */
    struct sink *(*sink)(void *arg, const char *id);
    void *arg;
};

/* Every kind of back end that there is; ends with NULL. */
extern const struct pv_type *const pv_types[];

/* types, ops, arg and outside must outlive it. NULL: out of memory. Nothing happens before
 * pv_start(). */
struct pv *pv_new(struct uv_loop_s *loop, unsigned domid, const struct pv_type *const *types,
                  const struct pv_ops *ops, void *arg);
/* Looks for back ends that are to be served, from now on. 0, or -errno and a line in err. */
int pv_start(struct pv *pv, const struct pv_outside *outside, struct err *err);
/* No back end is served from here on; waits for what is in flight. NULL is fine. */
void pv_stop(struct pv *pv);
/* Waits for what is in flight; front ends see their back ends stay as they are. NULL is fine. */
void pv_free(struct pv *pv);

/* From the seam: a watch with that token has fired (several may be told in a row, then settle). */
void pv_watch_fired(struct pv *pv, const char *token);
void pv_watches_settled(struct pv *pv);
void pv_event(struct pv *pv, int port);

/* pv may be NULL in all of these. */
/* `stop`: no request is begun while held. */
void pv_hold(struct pv *pv, bool held);
/* What is in flight is done, flushed, and answered. 0 or a positive errno. Blocks. */
int pv_drain(struct pv *pv);
/* block_lock() of all images. */
int pv_lock(struct pv *pv, bool on, struct err *err);
bool pv_busy(const struct pv *pv); /* requests are in flight */

struct pv_disk {         /* what a front end is connected to, or will be */
    char name[16];       /* "hda", "xvdb": as the toolstack calls it */
    unsigned id;         /* 768 */
    struct block *block; /* NULL: not connected, or no medium */
    bool connected;
    bool removable;
    unsigned queues, ring_pages;
    bool persistent;
};
/* The n-th disk; false: there are not so many. */
bool pv_disk(const struct pv *pv, unsigned n, struct pv_disk *d);
