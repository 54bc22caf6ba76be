/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sink.c (rings and the loop) and sink-open.c (spellings and host files)
 * share. Nobody else includes this.
 */
#pragma once
#include <limits.h>
#include <termios.h>
#include <uv.h>
#include "hw/core/sink.h"

#define SINK_OUT  16384 /* output waiting for a slow or absent reader */
#define SINK_IN   1024  /* input waiting for the guest */
#define SINK_MEM  65536 /* what a mem: sink keeps */
#define SINK_NAME (PATH_MAX + 64)

struct ring {
    uint8_t *data;
    size_t size, head, len; /* head: the oldest byte */
};

/* One watched descriptor. Allocated apart: libuv wants it until its close callback. */
struct watch {
    uv_poll_t poll;
    struct sink_impl *impl;
    int fd, events;
    bool polled; /* false: a regular file, always ready */
};

struct sink_impl {
    unsigned refs;
    void (*tap)(void *arg, const uint8_t *data, size_t len);
    void *tap_arg;
    struct sink *sink; /* whom to tell of input: the last that opened it */
    uv_loop_t *loop;
    uv_async_t wake; /* "there is something to write": safe from any thread */
    struct watch *in, *out, *lis;
    struct ring outq, inq;
    bool mem, telnet, datagram, is_socket, complained;
    bool awaited; /* a server with "wait", and nobody has come yet */
    uint8_t telnet_state;

    /* What sink_open_spec() fills: descriptors, -1 for none. */
    int rfd, wfd, lfd, slave;
    int spare; /* of accept_next() */
    char name[SINK_NAME];
    char unlink_path[PATH_MAX]; /* our listening socket's */
    bool tty_changed;           /* standard input's mode, to be put back */
    struct termios tty;

    uint8_t out_data[SINK_OUT], in_data[SINK_IN];
    uint8_t mem_data[SINK_MEM];
    size_t mem_len;
};

/* Opens what spec says: rfd, wfd, lfd, slave, flags and name. Closes all again on failure. */
int sink_open_spec(struct sink_impl *impl, const char *spec, struct err *err);
bool sink_needs_loop(const char *spec);
