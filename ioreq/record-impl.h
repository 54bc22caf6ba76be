/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/record-impl.h: what the files of record.h share; nobody else includes it.
 *   record-kinds.c  the table of kinds; records to bytes, to words and back
 *   record-file.c   the file: a writer that never waits, a reader that trusts nothing
 *   record.c        the recorder: between the world and the machine
 *   record-ends.c   disks, cables, serial ports, keys: of recorder and player
 *   record-verbs.c  what control/ tells a tape
 *   replay.c        the player, a world
 */
#pragma once
#include <uv.h>
#include "block/filter.h"
#include "display/display.h"
#include "hw/core/platform.h"
#include "hw/core/sink.h"
#include "ioreq/record.h"
#include "ioreq/world.h"
#include "net/net.h"

#define TAPE_NUMBERS 5
#define TAPE_BYTES   (1u << 24) /* more is in no record */
#define TAPE_NETS    16
#define TAPE_DISKS   16
#define TAPE_SINKS   4

/* The numbers are the file's: new ones go to the end of their half. */
enum tape_kind {
    T_NONE,
    /* From outside. */
    T_IN,      /* port, width */
    T_OUT,     /* port, width, value */
    T_MEM_IN,  /* address, width */
    T_MEM_OUT, /* address, width, value */
    T_CFG_IN,  /* devfn, offset, width */
    T_CFG_OUT, /* devfn, offset, width, value */
    T_TIMERS,  /* run at the record's time */
    T_DISK,    /* drive, request, errno */
    T_WANTS,   /* card: may it have a frame? */
    T_FRAME,   /* card; bytes */
    T_LINK,    /* card, up */
    T_KEY,     /* code, down */
    T_REL,     /* dx, dy, dz, buttons */
    T_ABS,     /* x, y, dz, buttons */
    T_SERIAL,  /* port; bytes */
    T_RESET,
    T_RETRY,
    T_VRAM, /* page; bytes: video memory as the CPU left it */
    T_END,  /* 0: the usual end; bytes: why */
    /* From the machine. */
    T_ANSWER = 64, /* value */
    T_NOW,         /* time */
    T_WALL,        /* s since 1970 */
    T_READ,        /* address, length, status; bytes */
    T_WRITE,       /* address, length, status; bytes or hash */
    T_READONLY,    /* address, length, on, status */
    T_RANGE,       /* add, space, base, size, status */
    T_PCI,         /* add, devfn, status */
    T_VRAM_ALLOC,  /* size, status */
    T_VRAM_PLACE,  /* address, status */
    T_ISA,         /* pin, level */
    T_INTX,        /* devfn, pin, level */
    T_ROUTE,       /* link, irq */
    T_MSI,         /* address, data */
    T_POWER,       /* enum power */
    T_SUBMIT,      /* drive, op, offset, length */
    T_SEND,        /* card, length, taken; bytes or hash */
    T_KINDS
};

struct tape_rec {
    uint8_t kind;
    uint64_t v[TAPE_NUMBERS];
    const uint8_t *data;
    uint32_t len;
    int64_t time; /* of those from outside */
};

/* ---- record-kinds.c ---- */

/* A kind there is? How many numbers; the first `given` of them are not the world's answer. */
bool tape_kind_known(unsigned kind);
bool tape_from_outside(unsigned kind);
unsigned tape_numbers(unsigned kind);
unsigned tape_given(unsigned kind);
bool tape_signed(unsigned kind, unsigned number);
bool tape_has_bytes(unsigned kind);
/* One line of what it says, at most 160 characters. */
void tape_words(const struct tape_rec *r, char *text, size_t size);
/* Of more than TAPE_WHOLE bytes the hash takes their place, in hash[]. */
void tape_digest(struct tape_rec *r, const void *bytes, size_t len, uint8_t hash[8]);
uint64_t tape_fold(int64_t val);
int64_t tape_unfold(uint64_t val);

/* ---- record-file.c ---- */

struct tape_writer;
struct tape_writer *tape_writer_new(const char *file, const char *world, struct err *err);
/* *time: the last told; it never goes back. 0; -ENOSPC: the buffer is full; or what writing the
 * file said. */
int tape_put(struct tape_writer *w, const struct tape_rec *r, int64_t *time);
/* The last of all, for which there is always room. Does not wait. */
void tape_writer_end(struct tape_writer *w, const struct tape_rec *last, int64_t *time);
int tape_writer_free(struct tape_writer *w); /* waits for the file. 0 or -errno */

struct tape_reader;
struct tape_reader *tape_reader_new(const char *file, struct tape_header *head, struct err *err);
/*
 * *r is the next record, not yet taken, with its bytes good until tape_next().
 * NULL: the file ends or is damaged, as *why says.
 */
const struct tape_rec *tape_peek(struct tape_reader *rd, const char **why);
void tape_next(struct tape_reader *rd);
uint64_t tape_count(const struct tape_reader *rd); /* of records taken */
void tape_reader_free(struct tape_reader *rd);     /* NULL is fine */

/* ---- both ---- */

struct tape_disk {
    struct tape *tape;
    unsigned drive;
    uint64_t submitted;
    struct taped_req *first; /* of a player: those in flight */
};

struct tape_end { /* of a cable */
    struct tape *tape;
    unsigned n;
    struct net *net;
};

struct tape_port {
    struct tape *tape;
    unsigned n;
    struct sink *sink;
};

struct tape { /* embedded in recorder and player */
    bool player;
    unsigned depth; /* in something from outside: what the machine says counts */
    struct block *disks[TAPE_DISKS];
    struct tape_end nets[TAPE_NETS];
    struct tape_port ports[TAPE_SINKS];
    struct display *display;
    struct tape_hooks hooks;
    /* r comes in from outside; until tape_leave() the machine speaks. */
    void (*enter)(struct tape *t, struct tape_rec *r);
    /* The machine says r. A player compares, and puts the numbers of the answer in. */
    void (*say)(struct tape *t, struct tape_rec *r);
    void (*close)(struct tape *t);
    void (*stop)(struct tape *t, const char *why);
};

void tape_leave(struct tape *t);
/* A player's: what the record r says to a disk, cable, port or display. False: there is no such. */
bool tape_deliver(struct tape *t, const struct tape_rec *r);
/* A player's: has the request that r ends been done by the image? -1: there is no such request. */
int tape_disk_ready(struct tape *t, const struct tape_rec *r);
/* A player's, in replay.c: the image has done a request; a disk must give one back now. */
void replay_kick(struct tape *t);
bool replay_release(struct tape *t, struct block *b);
