/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/qtest-rig.h: a real portico-dm in the qtest world, and a client of it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct rig {
    pid_t pid;
    int fd, out; /* to it; from it (the same socket, but for stdio) */
    char *text;  /* what has come and was not taken */
    size_t len, cap, taken;
};

/*
 * Starts PORTICO_DM with the words of `options` behind "-accel qtest
 * -nodefaults -vga none -display none"; a "%d" becomes the number of an inherited socket,
 * whose other end the rig has. "stdio" in them: the rig has both ends of two pipes instead.
 */
struct rig *rig_start(const char *options);
/* The usual way: rig_start("-qtest fd:%d -qtest-log none " options). */
struct rig *rig_new(const char *options);
/* One that listens or connects: the caller has the socket. */
void rig_take_socket(struct rig *r, int fd);

void rig_send(struct rig *r, const void *bytes, size_t len);
/* The next line without its newline; NULL when the other side has closed, or 30 s have passed. */
const char *rig_line(struct rig *r);
/* Sends the line; all lines up to the answer (which begins with OK, FAIL or ERR), joined by '|'. */
const char *ask(struct rig *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool is(const char *answer, const char *expected); /* says what came if not */
/* Waits for its end; exit status, -1 when it died of a signal or does not end. */
int rig_wait(struct rig *r);
bool rig_lives(struct rig *r);
void rig_free(struct rig *r); /* kills it, if it still is */
