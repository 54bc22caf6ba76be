/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * display/protocol.h: what portico-dm and a viewer process (one portico-vnc
 * for each client) say to each other over a SOCK_SEQPACKET pair. Fixed-size
 * structs, host byte order (one machine), one a packet; a descriptor rides
 * with the packet. The viewer gets the pixels as a memfd sealed so that it can
 * neither write nor resize it. portico-dm never waits: a
 * viewer is only told the newest state, never a queue of old ones (damage is
 * merged). A viewer may wait: its only work is for its one client.
 *
 * Order: VM_CONFIG first. A viewer has no pixels until it has said VM_ADMITTED;
 * the answer to that is a VM_SURFACE, and from then on surface and damage come.
 */
#pragma once
#include <assert.h>
#include <stdint.h>

#define VIEWER_FD 3 /* the viewer's end of the pair, in the viewer */

enum viewer_msg_type {
    /* portico-dm -> viewer */
    VM_CONFIG = 1, /* a network viewer: carries the socket of its client */
    VM_SURFACE,    /* carries the memfd; width 0: there is no picture, and no descriptor */
    VM_DAMAGE,
    VM_CURSOR,       /* carries a memfd with w*h ARGB pixels; w = 0: none */
    VM_PASSWORD,     /* the one that counts from now on */
    VM_POINTER_MODE, /* does the guest's pointer take positions? */
    VM_FORK,         /* to a nursery: carries the viewer's end of the pair for a new process */
    VM_TOKEN,        /* what a web client must show besides; CONFIG_TOKEN */
    VM_CREDS,        /* carries a memfd with a struct creds_file; CONFIG_TLS */
    VM_PAGES,        /* carries a memfd with a struct pages_file; CONFIG_CONSOLE */
    VM_LEDS,         /* the lights of the guest's keyboard */
    VM_COPY,         /* pixels moved inside the picture, and the surface shows it already */
    VM_PASTE,        /* type what the client's clipboard has */
    VM_ANSWER,       /* to a VM_ASK; carries a memfd with len bytes of text unless len is 0 */
    /* viewer -> portico-dm */
    VM_KEY = 64,
    VM_POINTER,
    VM_LOOKING,  /* n > 0: someone waits for pictures, draw; 0: nobody does */
    VM_ADMITTED, /* the client has passed authentication */
    VM_REFUSED,  /* it did not know the password */
    VM_SIZE,     /* the client would like the guest's screen this large */
    VM_CLIP,     /* the client's clipboard has so many bytes of text */
    VM_ASK,      /* a button of the web console, or XVP; answered by VM_ANSWER */
    VM_CLOSED,   /* a local window was closed */
};

enum viewer_config_flags {
    CONFIG_WEB = 1,           /* the socket speaks HTTP and WebSocket */
    CONFIG_TLS = 2,           /* from the first byte with CONFIG_WEB, else by VeNCrypt */
    CONFIG_CONSOLE = 4,       /* serve the page and hear its buttons */
    CONFIG_TOKEN = 8,         /* a web client must know the token */
    CONFIG_POWER = 16,        /* reset and power button are allowed */
    CONFIG_VIEW_ONLY = 32,    /* no key, no pointer, no button */
    CONFIG_PASTE_KEY = 64,    /* Ctrl-Alt-V types the clipboard */
    CONFIG_LOCAL_ONLY = 128,  /* no secret protects this page: refuse names that are not ours */
    CONFIG_FULL_SCREEN = 256, /* of a local window */
    CONFIG_KEEP_OPEN = 512,   /* closing it does nothing */
};

enum viewer_ask { ASK_RESET, ASK_POWER, ASK_EJECT, ASK_CLOSE_TRAY, ASK_TEXT, ASK_END };

/* -object tls-creds-*: PEM texts, one behind the other, lengths without a 0 byte. */
enum { CREDS_CERT, CREDS_KEY, CREDS_CA, CREDS_CRL, CREDS_PARTS };
struct creds_file {
    uint32_t anonymous, verify_peer;
    uint32_t len[CREDS_PARTS];
};
static_assert(sizeof(struct creds_file) == 24, "layout shared by two processes");
#define CREDS_MAX (1u << 20)

/* The web console's scripts that are not ours: entries, then the bytes. */
struct pages_entry {
    char path[88]; /* "core/rfb.js" */
    uint32_t off, len;
};
struct pages_file {
    uint32_t n, pad;
    struct pages_entry entry[];
};
static_assert(sizeof(struct pages_entry) == 96, "layout shared by two processes");
#define PAGES_FILES 256
#define PAGES_MAX   (8u << 20)

#define SECRET_MAX 64 /* of passwords and tokens, with the 0 byte */

struct viewer_msg {
    uint32_t type; /* enum viewer_msg_type */
    uint32_t pad;
    union {
        /* auth: 0 none, 2 VNC (RFB 7.1.2); strings end with a 0 byte */
        struct {
            char name[64], keymap[16];
            uint32_t auth, flags, key_ms;
        } config;
        struct {
            uint32_t width, height, stride, resizable;
        } surface;
        struct {
            int32_t x, y, w, h;
        } damage;
        struct {
            int32_t w, h, hot_x, hot_y;
        } cursor;
        struct {
            int64_t expires;
            char password[SECRET_MAX];
        } password; /* unix s, 0 never; "": nobody */
        struct {
            char token[SECRET_MAX];
        } token;
        struct {
            uint32_t leds;
        } leds;
        struct {
            int32_t x, y, w, h, from_x, from_y;
        } copy;
        struct {
            uint32_t absolute;
        } pointer_mode;
        struct {
            uint32_t code, down;
        } key; /* evdev */
        /* relative: x and y are a movement, not a place; dz > 0: wheel towards the user */
        struct {
            int32_t x, y, dz;
            uint32_t buttons, relative;
        } pointer;
        struct {
            uint32_t n;
        } looking;
        struct {
            uint32_t shared; /* RFB's shared flag */
        } admitted;
        struct {
            uint32_t width, height;
        } size;
        struct {
            uint32_t n;
        } clip;
        struct {
            uint32_t what; /* enum viewer_ask */
        } ask;
        struct {
            uint32_t what, failed, len;
        } answer;
    };
};
static_assert(sizeof(struct viewer_msg) == 104, "layout shared by two processes");

/* portico-dm's side; fd -1: none rides along. 0, or -errno; -EAGAIN: the pair is full. */
int viewer_send(int chan, struct viewer_msg *m, int fd);
