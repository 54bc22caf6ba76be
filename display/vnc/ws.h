/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a browser sends: the head of an HTTP request (RFC 9112) and WebSocket
 * frames (RFC 6455). Pure: bytes in, bytes out; nothing here reads or writes.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HTTP_HEAD_MAX 8192
#define WS_TEXT_MAX   (16u << 10) /* of one text message; more ends the connection */
#define WS_CONTROL    125         /* RFC 6455 5.5 */

struct http_request {
    char method[8], path[256]; /* without the query */
    char token[128];           /* of the query, percent signs resolved; "" */
    char host[256], origin[256];
    char key[64];  /* Sec-WebSocket-Key */
    bool upgrade;  /* to WebSocket, version 13 */
    bool binary;   /* the subprotocol "binary" is offered */
    bool close;    /* the client wants no other answer on this connection */
    bool has_body; /* which nobody reads */
};

/* Length of the head; 0: there is more to come; -1: that is no request. text need not end in 0. */
ssize_t http_parse(const char *text, size_t len, struct http_request *r);

enum ws_op { WS_MORE = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

struct ws_decoder { /* zeroed to begin with */
    uint8_t head[14], mask[4];
    unsigned have;       /* bytes of head */
    bool in_frame;       /* head is complete */
    uint64_t left;       /* of the frame */
    unsigned at;         /* in the mask */
    uint8_t op, message; /* of the frame; of the message that continues, 0: none */
    bool fin;
    uint8_t control[WS_CONTROL];
    size_t ncontrol;
    char text[WS_TEXT_MAX + 1];
    size_t ntext;
};

struct ws_events {                                         /* each may be NULL */
    void (*text)(void *ctx, const char *text, size_t len); /* a whole message, 0 behind it */
    void (*ping)(void *ctx, const uint8_t *data, size_t len);
};

/*
 * Takes n bytes from the client; what is RFB goes to out, which has room for
 * n. How much that was, or -1: closed, or it breaks the protocol.
 */
ssize_t ws_decode(struct ws_decoder *d, const uint8_t *in, size_t n, uint8_t *out,
                  const struct ws_events *ev, void *ctx);
/* The head of a frame from the server, at most 10 bytes: its length. */
size_t ws_head(uint8_t head[10], enum ws_op op, size_t len);
