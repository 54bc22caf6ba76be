/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/core/sink.h: where a port's bytes go, and come from: a host file, a pty,
 * a socket, nothing. Spelled as QEMU's -serial spells it:
 *   null  stdio  pty  file:PATH  pipe:PATH  PATH of a device (/dev/ttyS0)
 *   unix:PATH[,server][,wait]  tcp:HOST:PORT[,server][,wait]  telnet:…  udp:HOST:PORT
 * and, for tests, mem: (kept in memory, see sink_mem()).
 * Writing never blocks: bytes a slow reader does not take wait in a small
 * ring, and then the oldest are dropped. A file is appended to, not truncated.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/core/err.h"

struct config;
struct uv_loop_s;
struct sink_impl;

struct sink {
    struct sink_impl *impl;      /* NULL: null sink */
    void (*readable)(void *arg); /* input has arrived; take it with sink_get() */
    void *arg;
};

/*
 * Opens what cfg's `key` says ("null" when absent). -errno and a line in err on failure.
 * An object under key is a struct sink that is open already: s then shares it, and the one
 * who opened last hears of input. Input waits until sink_get() takes it.
 */
int sink_open(struct sink *s, struct uv_loop_s *loop, const struct config *cfg, const char *key,
              struct err *err);
void sink_close(struct sink *s);
void sink_put(struct sink *s, uint8_t byte);
int sink_get(struct sink *s); /* next input byte or -1 */
/* It was opened with "server,wait", and nobody has connected yet: the guest is not to begin. */
bool sink_is_awaited(const struct sink *s);
/* QEMU's name of it for query-chardev: "pty:/dev/pts/3", "file:/x", "null", … */
const char *sink_name(const struct sink *s);
/* mem: sinks only: what was written so far; give input. */
const uint8_t *sink_mem(const struct sink *s, size_t *len);
void sink_feed(struct sink *s, const void *data, size_t len);
/* tap is called before input comes to the device, and with len 0 behind that. */
void sink_tap(struct sink *s, void (*tap)(void *arg, const uint8_t *data, size_t len), void *arg);
