/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioreq/pv/qdisk.h: between qdisk.c (xenbus, the image) and qdisk-io.c (requests). */
#pragma once
#include <uv.h>
#include "ioreq/pv/blkring.h"
#include "ioreq/pv/bus.h"
#include "ioreq/pv/grants.h"

#define QDISK_QUEUES     4
#define QDISK_RING_ORDER 4   /* log2 of the pages of a ring */
#define QDISK_DEPTH      64  /* requests at work for one queue */
#define QDISK_ROUND      256 /* requests of one visit; the loop has others to serve */

struct qdisk_queue;

struct qdisk_io { /* one request at work */
    struct block_req blk;
    struct qdisk_io *next; /* of the free, or of the done */
    struct qdisk_queue *q;
    struct blk_req in;
    enum blk_status status;
    uint8_t *bounce; /* NULL: iov[] is memory of the guest */
    int niov;
    struct blk_seg *seg; /* in.seg, or far[] */
    struct blk_seg far[BLK_INDIRECT_MAX];
    struct iovec iov[BLK_INDIRECT_MAX];
};

struct qdisk_queue {
    struct qdisk *disk;
    struct blkring ring;
    void *mem;
    unsigned pages;
    int port;
    struct grants *grants; /* NULL: not persistent */
    struct qdisk_io *io, *free, *done;
    unsigned nio, busy;
};

struct qdisk {
    struct pv_dev dev;
    char name[16]; /* "hda" */
    char *params;  /* the image as it is open: "qcow2:/x" */
    struct block *blk;
    bool cdrom, removable, readonly, discard;
    unsigned nqueues, ring_pages;
    bool persistent;
    struct qdisk_queue queue[QDISK_QUEUES];
    struct uv_check_s *check; /* behind a turn in which something was done */
    struct uv_idle_s *again;  /* a visit was cut short */
};

static inline struct qdisk *qdisk_of(struct pv_dev *dev)
{
    return (struct qdisk *)(void *)((char *)dev - offsetof(struct qdisk, dev));
}

/* What is needed to serve requests; q->mem, pages and port are the caller's. 0 or -errno. */
int qdisk_queue_start(struct qdisk_queue *q, enum blk_abi abi, bool persistent);
void qdisk_queue_stop(struct qdisk_queue *q); /* nothing is in flight */
/* Takes requests from the ring. The disk may be disconnected when this returns. */
void qdisk_queue_run(struct qdisk_queue *q);
/* Answers what is done. */
void qdisk_queue_answer(struct qdisk_queue *q);
