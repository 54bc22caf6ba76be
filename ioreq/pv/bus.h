/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/pv/bus.h: what a kind of back end has to know of xenbus
 * (xen/io/xenbus.h): bus.c watches the nodes and plays the state machine, and
 * calls the kind when there is something to do. Nodes of the front end are the
 * guest's to write at any moment: read once, check, use.
 */
#pragma once
#include "ioreq/pv/pv.h"

enum pv_state {
    PV_UNKNOWN,
    PV_INITIALISING,
    PV_INIT_WAIT,
    PV_INITIALISED,
    PV_CONNECTED,
    PV_CLOSING,
    PV_CLOSED,
    PV_RECONFIGURING,
    PV_RECONFIGURED,
};

struct pv_dev;

struct pv_type {
    const char *name; /* of the folder of back ends: "qdisk" */
    size_t size;      /* of the struct that begins with a struct pv_dev */
    /* False: it is somebody else's, leave it alone. */
    bool (*ours)(struct pv_dev *dev);
    /* Writes what the front end may want to know before it connects. */
    void (*offer)(struct pv_dev *dev);
    /* The front end is ready. 0, or -errno and a line in err: then the back end closes. */
    int (*connect)(struct pv_dev *dev, struct err *err);
    /* Waits for what is in flight; also after a connect that failed. */
    void (*disconnect)(struct pv_dev *dev);
    /* NULL: nothing to do. */
    void (*changed)(struct pv_dev *dev); /* something of the back end's nodes, while it is there */
    void (*event)(struct pv_dev *dev, int port);
    void (*hold)(struct pv_dev *dev, bool held);
    int (*drain)(struct pv_dev *dev);
};

#define PV_PATH 160

struct pv_dev {
    const struct pv_type *type;
    struct pv *pv;
    struct pv_dev *next;
    unsigned id;
    char back[PV_PATH], front[PV_PATH];
    enum pv_state state; /* the back end's, as last written */
    bool connected;
    bool dirty;  /* something has changed: look */
    bool dead;   /* its nodes are gone, or it was detached */
    bool broken; /* the front end does not play by the rules: until it begins anew */
};

struct pv {
    struct uv_loop_s *loop;
    unsigned domid;
    const struct pv_type *const *types; /* ends with NULL */
    const struct pv_ops *ops;
    void *arg;
    struct pv_outside outside;
    struct pv_dev *devs;
    unsigned scan; /* bit n: the children of types[n] have changed */
    bool started, held;
};

extern const struct pv_type pv_qdisk_type, pv_vkbd_type, pv_console_type;

#define PV_ALL 64u /* back ends of one guest; more are not served */

/* Nodes below the back end or the front end. Text is for free(), NULL when there is none. */
char *pv_back_text(struct pv_dev *dev, const char *key);
char *pv_front_text(struct pv_dev *dev, const char *key);
/* A decimal number that is the whole text and at most max; else def. */
uint64_t pv_number(const char *text, uint64_t max, uint64_t def);
uint64_t pv_back_number(struct pv_dev *dev, const char *key, uint64_t max, uint64_t def);
uint64_t pv_front_number(struct pv_dev *dev, const char *key, uint64_t max, uint64_t def);
/* Failures of these are the toolstack's to notice. */
void pv_back_set(struct pv_dev *dev, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void pv_front_set(struct pv_dev *dev, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* From a kind, while connected: the front end breaks the rules; the back end closes. */
void pv_break(struct pv_dev *dev, const char *why);
/* Tells the front end to read its nodes again: after a resize. */
void pv_changed_again(struct pv_dev *dev);
