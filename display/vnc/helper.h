/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of portico-vnc share. One process serves one client, so
 * there is one struct helper, and a call that waits for the client makes
 * nobody else wait.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <rfb/rfb.h>
#include "display/keymap.h"
#include "display/protocol.h"

#define HELPER_KEYS    768
#define HELPER_PRESSED 32

enum { EXIT_GONE, EXIT_FAILED }; /* vnc-peer.c reads these */

struct helper {
    rfbScreenInfoPtr screen;
    rfbClientPtr cl;
    const struct keymap *keymap;
    char name[64];
    char password[16]; /* "": nobody gets in */
    int64_t expires;
    bool gone;

    uint8_t stage; /* of the time limits: greeting, password, in */
    bool admitted; /* portico-dm has been told */
    bool answered; /* and has sent the picture, if there is one */
    bool looking;
    int64_t wanted_ms; /* when the client last waited for a picture */
    void *pixels;      /* mapped read-only */
    size_t pixels_len;
    rfbCursor cursor; /* width 0: the guest gave none */
    bool cursor_told;

    struct {                    /* input.c */
        bool scancodes, motion; /* the client speaks the QEMU extensions */
        bool absolute;          /* the guest's pointer takes positions */
        bool caps;
        int buttons; /* RFB's mask of the last event */
        uint8_t down[HELPER_KEYS / 8];
        struct {
            uint32_t keysym;
            uint16_t code; /* 0: free */
        } pressed[HELPER_PRESSED];
    } in;
};

/* channel.c: the pair to portico-dm. Trouble there ends the process. */
void channel_say(const struct viewer_msg *m); /* waits while portico-dm is busy */
/* False: nothing there (never when wait is set). *fd: the descriptor that came along, or -1. */
bool channel_hear(struct viewer_msg *m, int *fd, bool wait);

/* server.c */
int server_start(struct helper *h); /* hears who is to be served, greets; -1: already gone */
void server_run(struct helper *h);  /* returns when the client has gone */

/* screen.c: what portico-dm shows */
void screen_blank(struct helper *h); /* until there is a picture */
void screen_hear(struct helper *h, const struct viewer_msg *m, int fd); /* owns fd */

/* input.c: what the client does */
void input_start(struct helper *h); /* before the client is greeted */
void input_mode(struct helper *h, bool absolute);

/* sandbox.c: give up all that is not needed. Before the first byte of the client is read. */
void sandbox_enter(void);
void sandbox_close(void); /* and the right to fork */
