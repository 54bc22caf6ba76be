/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/qtest-impl.h: what the qtest-*.c files share. Nobody else includes it.
 *   qtest.c        the world: the platform's operations, interrupt lines, time
 *   qtest-proto.c  one request in, one answer out
 *   qtest-words.c  the words of a request: numbers, bytes in hex and in base 64
 *   qtest-conn.c   the client: connecting, buffers, the log
 * docs/qtest.md has the protocol.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "ioreq/host-mem.h"
#include "ioreq/pc-lines.h"
#include "ioreq/world.h"

#define QTEST_LINES      24          /* inputs of the I/O APIC */
#define QTEST_BYTES_MAX  (16u << 20) /* of one read or write request */
#define QTEST_FILL_MAX   (64u << 20) /* of memset */
#define QTEST_LINE_MAX   (2 * QTEST_BYTES_MAX + 256)
#define QTEST_FIRE_SLICE 4096 /* timers run before the loop looks elsewhere */

/* ---- qtest-conn.c ---- */

struct qtest_watch { /* of one descriptor; pointless on a plain file, which is always ready */
    uv_poll_t poll;
    int events; /* what is waited for now */
};

struct qtest_conn {
    uv_loop_t *loop;
    struct qtest_watch rd, wr; /* wr only where answers have a descriptor of their own */
    uv_poll_t listen;
    uv_idle_t idle; /* the loop turns once more: for a plain file, and where work goes on */
    unsigned nhandles;
    int in_fd, out_fd, listen_fd; /* -1: none */
    int spare;                    /* of accept_next() */
    bool pollable, own_fds, broken, eof;
    bool met;     /* a client that was let in, and has not gone */
    int flags[2]; /* of stdin and stdout, to be put back; -1: not changed */
    char unlink_path[108];
    char *in, *out;
    size_t in_len, in_cap, scanned; /* in[0, scanned) has no newline */
    size_t out_len, out_cap, out_sent;
    bool skipping; /* the rest of a line that was too long */
    int log_fd;    /* -1: none */
    int64_t log_start;
};

struct qtest {
    struct platform plat;
    struct world_options o;
    struct host_mem mem;
    struct qtest_conn conn;
    int64_t now, step_to; /* guest ns; step_to > now: clock_step goes on */
    bool stepping;
    bool watched;           /* the I/O APIC's inputs are intercepted */
    int intercept;          /* which device is: enum in qtest-proto.c; 0: none */
    bool told[QTEST_LINES]; /* what the client knows of them */
    struct pc_lines lines;
    bool serving; /* a request: what it caused goes with its answer */
    bool yield;   /* the guest asked for a reset: let the loop turn before the next */
};

#define qtest_of(p) container_of((p), struct qtest, plat)

int qtest_conn_open(struct qtest *q, struct err *err);
int qtest_conn_start(struct qtest *q, struct err *err);
void qtest_conn_close(struct qtest *q);
/* Room for n bytes of answer, to be followed by qtest_conn_put(); NULL: out of memory. */
char *qtest_conn_room(struct qtest *q, size_t n);
void qtest_conn_put(struct qtest *q, size_t n);
void qtest_conn_flush(struct qtest *q);
void qtest_conn_log(struct qtest *q, char kind, const char *text, size_t len);

/* ---- qtest.c ---- */

void qtest_line(struct qtest *q, unsigned n, bool level); /* I/O APIC input n */
/* Time goes on to `to`, timers firing on the way; false: not there yet, call again. */
bool qtest_advance(struct qtest *q, int64_t to);

/* ---- qtest-proto.c ---- */

/* Serves one line, without its newline. */
void qtest_request(struct qtest *q, const char *line, size_t len);
/* The clock_step in progress goes on; true when it has been answered. */
bool qtest_step_on(struct qtest *q);
void qtest_client_new(struct qtest *q);

/* ---- qtest-words.c ---- */

struct qtest_word {
    const char *p;
    size_t len;
};

#define QTEST_WORDS 6
struct qtest_words {
    unsigned n;
    struct qtest_word w[QTEST_WORDS];
};

void qtest_split(struct qtest_words *w, const char *line, size_t len);
bool qtest_number(const struct qtest_words *w, unsigned i, uint64_t *val);
bool qtest_is(const struct qtest_words *w, unsigned i, const char *text);
void qtest_hex_put(char *to, const uint8_t *bytes, size_t n);
void qtest_hex_get(uint8_t *bytes, size_t n, const char *hex, size_t len);
size_t qtest_b64_put(char *to, const uint8_t *bytes, size_t n); /* 4 * ((n + 2) / 3) chars */
size_t qtest_b64_get(uint8_t *bytes, size_t max, const char *text, size_t len);
