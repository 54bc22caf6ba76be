/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portico-vnc: the bytes to and from the one client, whatever they are wrapped in. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "display/vnc/ws.h"

struct gnutls_session_int;

#define STREAM_IN      32768
#define STREAM_WAIT_MS 10000 /* for a client that neither reads nor writes what it began */

struct stream {
    int fd;                         /* does not wait */
    struct gnutls_session_int *tls; /* NULL: in the clear */
    bool ws;
    struct ws_decoder rx;
    uint8_t in[STREAM_IN]; /* payload that nobody has read */
    size_t in_at, in_len;
    bool ended;                                               /* nothing more comes */
    void (*on_text)(void *ctx, const char *text, size_t len); /* WebSocket's text messages */
    void *ctx;
};

/* 1: done; 0: the client has gone; -1: errno says what, ETIMEDOUT when nothing more came. */
int stream_read(struct stream *s, void *buf, size_t len, int timeout_ms);
int stream_peek(struct stream *s, void *buf, size_t len, int timeout_ms); /* len <= STREAM_IN/2 */
int stream_write(struct stream *s, const void *data, size_t len);
/* n rows of len bytes, stride bytes apart. */
int stream_write_rows(struct stream *s, const uint8_t *rows, size_t len, size_t stride, unsigned n);
int stream_frame(struct stream *s, enum ws_op op, const void *data, size_t len);
bool stream_pending(const struct stream *s); /* there is something to read without waiting */
/* Takes what is there: can a byte, or the end, be read now? */
bool stream_ready(struct stream *s);
/* What has been read ahead; more of it (as stream_read()); away with the first n bytes. */
size_t stream_buffered(const struct stream *s, const uint8_t **bytes);
int stream_more(struct stream *s, int timeout_ms);
void stream_skip(struct stream *s, size_t n);
/* Shakes hands over the bare socket; from then on all goes through tls. 0 or -1. */
int stream_start_tls(struct stream *s, struct gnutls_session_int *tls);
