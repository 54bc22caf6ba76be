/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VNC client for tests: RFB 3.8 (RFC 6143), raw encoding, in one thread with the loop. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uv_loop_s;

#define RFB_SIZE      (-223)
#define RFB_CURSOR    (-239)
#define RFB_MOTION    (-257)
#define RFB_SCANCODES (-258)

struct rfb {
    struct uv_loop_s *loop;
    int fd;
    uint32_t width, height;
    uint32_t *pixels; /* width * height, as the server says they are */
    char name[64];
    uint8_t challenge[16];
    unsigned rects;  /* of the last update that had pixels */
    int x, y, w, h;  /* the last of those */
    bool scancodes;  /* the server has agreed */
    int absolute;    /* of the last motion change; -1: none yet */
    int cursor_w;    /* of the last cursor; -1: none yet */
    int leds;        /* of the keyboard; -1: none yet */
    unsigned copies; /* rectangles of CopyRect */
};

/* Runs the loop for so many ms. */
void rfb_pump(struct uv_loop_s *loop, int ms);
/* Connects; the server need not have answered. */
bool rfb_connect(struct rfb *c, struct uv_loop_s *loop, const char *service);
bool rfb_connect_unix(struct rfb *c, struct uv_loop_s *loop, const char *path);
void rfb_close(struct rfb *c);
/* Up to ServerInit. password NULL: expects security type none. False: turned down. */
bool rfb_login(struct rfb *c, const char *password);
bool rfb_login_as(struct rfb *c, const char *password, bool shared);
void rfb_encodings(struct rfb *c, const int32_t *list, unsigned n);
void rfb_pixel_format(struct rfb *c, unsigned bits);
void rfb_request(struct rfb *c, bool incremental);
bool rfb_message(struct rfb *c); /* reads one update, of whatever */
/* Reads updates until one with pixels is in; answers a new size with a new request. */
bool rfb_update(struct rfb *c);
void rfb_key(struct rfb *c, uint32_t keysym, bool down);
void rfb_scancode(struct rfb *c, uint32_t keysym, uint32_t xt, bool down);
void rfb_pointer(struct rfb *c, unsigned buttons, unsigned x, unsigned y);
/* Exactly n bytes within five seconds. */
bool rfb_read(struct rfb *c, void *dst, size_t n);
bool rfb_write(struct rfb *c, const void *src, size_t n);
/* Throws away what comes, until nothing has come for so many ms; false: the server hung up. */
bool rfb_drain(struct rfb *c, int quiet_ms);
bool rfb_ended(struct rfb *c, int ms); /* the server hangs up within so many ms */
