/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/world.h: who runs the guest's CPUs, as control/ sees it. Xen, KVM or a
 * test: each is one const struct world, chosen by the name -accel gives it.
 * What a world does for the devices is hw/core/platform.h's.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "hw/core/platform.h"

struct pv;

struct world_options {
    int domid;               /* Xen only: -xen-domid; -1: none */
    unsigned cpus, max_cpus; /* KVM only: vCPUs at the start, and there can ever be (-smp) */
    uint32_t hyperv;         /* KVM only: what of it the guest is told (ioreq/hyperv.h) */
    uint64_t ram;            /* bytes of guest RAM, video memory not counted (-m) */
    uint64_t huge_page;      /* bytes: RAM is of such pages of the kernel's pool; 0: it is not */
    uint64_t low_ram_max;    /* where RAM stops below 4 GiB (-machine max-ram-below-4g) */
    bool incoming;           /* the guest's memory, VRAM included, is restored already */
    const char *firmware; /* a file that ends below 4 GiB; NULL: none (Xen: hvmloader brings it) */
    const char *qtest;    /* -qtest: where the client is; NULL: not said */
    const char *replay;   /* -replay: a file of record.h */
    /* It has been played: status 0 and what there was, or 1 and the first difference. */
    void (*replayed)(void *arg, int status, const char *line);
    const char *qtest_log;                      /* -qtest-log: a file; NULL: not said */
    void (*gone)(void *arg);                    /* the guest has gone from under us: end */
    void (*broken)(void *arg, const char *why); /* the hypervisor cannot run it on: end, failed */
    bool (*busy)(void *arg); /* the loop is needed soon: disk requests are in flight */
    /* The guest asks for it, or platform_power() for it. Xen tells the hypervisor instead. */
    void (*power)(void *arg, enum power what);
    void *arg;
};

/*
 * Every member but name, open and close may be NULL: there is nothing to do.
 * Those that return int return 0, or -errno and one line in err.
 */
struct world {
    const char *name;
    /* So far that devices can claim windows. NULL and one line in err. close() ends it. */
    struct platform *(*open)(struct uv_loop_s *loop, const struct world_options *o,
                             struct err *err);
    void (*close)(struct platform *p); /* NULL is fine */
    /* The machine is built: answer requests from now on. */
    int (*start)(struct platform *p, struct err *err);
    /* Tell the toolstack that the device model is ready. */
    int (*announce)(struct platform *p, struct err *err);
    /* Turns the loop until *quit. NULL: uv_run() does. */
    void (*loop)(struct platform *p, const bool *quit);
    /* ACPI S3: no processor runs until the next reset; devices and guest time do. */
    void (*sleep)(struct platform *p);
    /* The devices have been reset: the processors, too. */
    void (*reset)(struct platform *p);
    /* `stop` and `cont`: requests wait and guest time stands still in between. */
    void (*pause)(struct platform *p);
    void (*resume)(struct platform *p);
    int (*nmi)(struct platform *p, struct err *err); /* the NMI button; NULL: there is none */
    void (*log_dirty)(struct platform *p, bool on);  /* for live migration */
    struct pv *(*pv)(struct platform *p); /* the back ends of PV devices; may return NULL */
    /*
     * A word for the process that serves the guest's next start, which need not be this one;
     * "" takes it back. take: true when one was left, and it is no longer.
     */
    int (*leave_word)(struct platform *p, const char *word, struct err *err);
    bool (*take_word)(struct platform *p, char *word, size_t size);
    /* -xen-domid-restrict: from here on every handle is good for this guest only. */
    int (*restrict_handles)(struct platform *p, struct err *err);
};

extern const struct world world_xen, world_kvm, world_qtest, world_replay;

/* By the name -accel gives it; NULL: there is no such world here. */
const struct world *world_find(const char *name);

/* The calls, where NULL means that there is nothing to do. */
int world_start(const struct world *w, struct platform *p, struct err *err);
int world_announce(const struct world *w, struct platform *p, struct err *err);
/* Turns the loop until *quit, which uv_stop() comes with. */
void world_loop(const struct world *w, struct platform *p, const bool *quit);
void world_sleep(const struct world *w, struct platform *p);
void world_reset(const struct world *w, struct platform *p);
void world_pause(const struct world *w, struct platform *p);
void world_resume(const struct world *w, struct platform *p);
void world_log_dirty(const struct world *w, struct platform *p, bool on);
struct pv *world_pv(const struct world *w, struct platform *p); /* or NULL */
int world_leave_word(const struct world *w, struct platform *p, const char *word, struct err *err);
bool world_take_word(const struct world *w, struct platform *p, char *word, size_t size);
int world_restrict(const struct world *w, struct platform *p, struct err *err);
