/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/block.h: bytes by request. done() always comes from the loop, never
 * from inside block_submit(), and exactly once, cancelled or not.
 *
 * FLUSH: what was written is on stable storage when it completes. DISCARD: the
 * guest has no use for the bytes; what they read afterwards is not promised.
 * ZERO: they read as zeroes, and with may_unmap they may cease to take space.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include "hw/core/err.h"

struct uv_loop_s;
struct block;
struct block_group;

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD, BLOCK_ZERO };
#define BLOCK_OPS 5

struct block_req { /* embedded in the drive: one in flight, one struct */
    enum block_op op;
    uint64_t offset, len;    /* bytes; checked against the size in block_submit() */
    const struct iovec *iov; /* stays valid until done(); sums to len for READ and WRITE */
    int niov;
    bool may_unmap;                               /* of ZERO */
    void (*done)(struct block_req *req, int err); /* 0 or a positive errno */
    void *arg;                                    /* the submitter's */
    bool busy;                                    /* between block_submit() and done() */
    /* The back end's, while busy. */
    struct block *block;
    struct block_req *next;
    int status;
    bool ended;    /* only done() is still to come */
    int64_t began; /* host ns */
    void *back[4];
};

enum block_event {
    BLOCK_RESIZED, /* block.size has a new value */
    BLOCK_MEDIUM,  /* a host drive has another medium, or none (size 0) */
};

struct block_ops { /* back ends: file, nbd, image, null, mem; the rest are filters */
    const char *name;
    void (*close)(struct block *b);
    void (*submit)(struct block *b, struct block_req *req); /* bounds are already checked */
    void (*cancel)(struct block *b, struct block_req *req); /* done() still comes; may be NULL */
    /* Blocks until something has finished. NULL: nothing but block_finish_later() finishes. */
    void (*wait)(struct block *b);
    int (*resize)(struct block *b, uint64_t size, struct err *err); /* NULL: it cannot */
    int (*lock)(struct block *b, bool on,
                struct err *err); /* NULL: nothing is locked; not of filters */
};

struct block_stat {      /* of one kind of request, for query-blockstats */
    uint64_t ops, bytes; /* that went well; bytes asked for */
    uint64_t failed;     /* with an error of the host; a cancelled request is in neither */
    uint64_t invalid;    /* refused by the bounds check */
    uint64_t ns;         /* from block_submit() to done(), summed over ops and failed */
};

struct block {
    const struct block_ops *ops;
    struct block *below; /* of a filter; owned by it */
    struct uv_loop_s *loop;
    uint64_t size; /* bytes */
    bool readonly;
    bool discard;       /* off: DISCARD does nothing and ZERO unmaps nothing */
    bool no_flush;      /* FLUSH does nothing */
    bool direct;        /* past the host's page cache */
    bool zeroes;        /* detect_zeroes was asked for */
    char *name;         /* the file, for messages and query-block */
    const char *format; /* as query-block calls it */
    unsigned align;     /* bytes that a request should be a multiple of; at least 1 */
    unsigned backing_depth;
    unsigned inflight;
    struct block_stat stat[BLOCK_OPS];
    struct uv_async_s *later; /* wakes the loop for the requests in `ready` */
    struct block_req *ready, *ready_last;
    void (*changed)(void *arg, enum block_event event);
    void *changed_arg;
    void *priv;
};

/*
 * auto: locks the image like on, and goes on without where the host cannot
 * lock. off is for the second back end of one guest that shares a file in the
 * same process. (The kernel's, under Xen, takes no such locks.)
 * docs/block.md has the byte ranges.
 */
enum block_locking { BLOCK_LOCK_AUTO, BLOCK_LOCK_ON, BLOCK_LOCK_OFF };

enum { BLOCK_LIMIT_TOTAL, BLOCK_LIMIT_READ, BLOCK_LIMIT_WRITE, BLOCK_LIMITS };

struct block_limit {
    uint64_t avg;    /* a second; 0: no limit */
    uint64_t max;    /* a second in a burst; 0: none beyond a tenth of avg */
    unsigned length; /* seconds a burst of max may last; 0: 1 */
};

struct block_throttle {
    struct block_limit iops[BLOCK_LIMITS], bps[BLOCK_LIMITS];
    uint64_t iops_size; /* a request counts once for each such number of bytes; 0: once */
};

struct block_options {  /* zeroes but for fd, which BLOCK_OPTIONS() sets */
    const char *file;   /* a path, or nbd:// or nbd+unix:// */
    const char *format; /* a name of block_formats; NULL: see block_open() */
    int fd;             /* an open descriptor to use instead of opening file; or -1 */
    bool readonly;      /* writes fail with EROFS */
    bool direct;        /* cache=none, directsync: O_DIRECT */
    bool no_flush;      /* cache=unsafe */
    bool discard;       /* discard=unmap */
    bool detect_zeroes; /* WRITE of zeroes becomes ZERO, unmapping with discard */
    bool snapshot;      /* writes go to a temporary file and are thrown away */
    enum block_locking locking;
    bool lock_later;          /* opened without its lock: block_lock() is to follow */
    const char *backing;      /* instead of the backing file the image names; "": none */
    unsigned reconnect_delay; /* seconds NBD tries to come back; 0: 30 */
    struct block_throttle throttle;
    const char *fault; /* what goes wrong: see block/fault.h; NULL: nothing */
    const char *trace; /* a file that gets a line for each request; NULL: none */
};
#define BLOCK_OPTIONS(...) ((struct block_options){ .fd = -1, __VA_ARGS__ })

struct block_format {
    const char *name;
    /* Are these the first bytes of such an image? NULL: cannot be told. */
    bool (*probe)(const uint8_t *head, size_t len);
    /* Owns o->fd, also on failure. Ignores what block_open() stacks on top. */
    struct block *(*open)(struct uv_loop_s *loop, const struct block_options *o, struct err *err);
};
extern const struct block_format block_formats[]; /* ends with a NULL name; block/formats.c */

const struct block_format *block_format_find(const char *name);                 /* or NULL */
const struct block_format *block_format_probe(const uint8_t *head, size_t len); /* or NULL: raw */

/*
 * Opens what the options say, with its filters. The result is the caller's
 * until block_close(). NULL and a line in err naming the file on failure.
 * Without a format the image is raw; one that looks like something else is
 * refused, because the guest of a raw image can write any header into it.
 * o->fd is owned from here on, also on failure. The options are copied.
 */
struct block *block_open(struct uv_loop_s *loop, const struct block_options *o, struct err *err);
/* A disk in memory, for tests. Completion comes from the loop as for a file. */
struct block *block_open_mem(struct uv_loop_s *loop, uint64_t size);
/*
 * Waits for what is in flight (calling its done() from in here), then closes.
 * The loop must turn once more to let go of the handles. NULL is fine.
 */
void block_close(struct block *b);

void block_submit(struct block *b, struct block_req *req);
void block_cancel(struct block_req *req);
/*
 * At exit and on "stop": calls done() of all that is in flight, and of what
 * those submit, until there is nothing left; then FLUSH. 0 or an errno.
 */
int block_drain(struct block *b);
/* Waits for all requests in flight, and flushes nothing. */
void block_settle(struct block *b);

/* Calls changed(arg, ...) from the loop, or from inside block_resize(). NULL ends it. */
void block_listen(struct block *b, void (*changed)(void *arg, enum block_event event), void *arg);
/*
 * Makes the medium `size` bytes long (a multiple of 512). What is added reads
 * as zeroes. Waits for what is in flight. 0, or a negative errno and a line in err.
 */
int block_resize(struct block *b, uint64_t size, struct err *err);
/*
 * Takes the locks that the options of block_open() speak of, or lets go of them
 * for another process that goes on with the guest: then nothing is in flight,
 * nothing is unflushed, and no request but reads may come until they are taken
 * again. Done already: 0. Never waits. 0, or -EBUSY and the line that
 * block_open() would have said.
 */
int block_lock(struct block *b, bool on, struct err *err);
/*
 * Other limits from now on, for its whole group, bursts forgotten. -ENOTSUP for
 * a block not from block_open(), -EINVAL for a burst limit below the average.
 */
int block_set_throttle(struct block *b, const struct block_throttle *t, struct err *err);
/* The limits in force; all zeroes where there are none. */
void block_get_throttle(const struct block *b, struct block_throttle *t);

/*
 * Disks that share their limits. A disk of block_open() has a group of its own,
 * without a name, until it is put into another one; what waits goes along. A
 * group lives as long as somebody holds it or a disk is in it.
 */
struct block_group *block_group_new(struct uv_loop_s *loop, const char *name); /* NULL: no memory */
void block_group_ref(struct block_group *g);
void block_group_unref(struct block_group *g);             /* NULL is fine */
bool block_group_is_used(const struct block_group *g);     /* by more than one holder or disk */
const char *block_group_name(const struct block_group *g); /* NULL: it has none */
/* The limits must have passed block_limits_check(), whose line begins with `whose`. */
void block_group_set(struct block_group *g, const struct block_throttle *t);
void block_group_get(const struct block_group *g, struct block_throttle *t);
int block_limits_check(const struct block_throttle *t, const char *whose, struct err *err);
/* Puts b into g; NULL: into one of its own, without limits. 0, or -ENOTSUP, -ENOMEM and a line. */
int block_set_group(struct block *b, struct block_group *g, struct err *err);
const struct block_group *block_group_of(const struct block *b); /* NULL: not from block_open() */
