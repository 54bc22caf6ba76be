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
#include "display/display.h"
#include "display/keymap.h"
#include "display/protocol.h"
#include "display/vnc/stream.h"

#define HELPER_KEYS      768
#define HELPER_PRESSED   32
#define CLIP_MAX         (64u << 10) /* bytes of a client's clipboard that are kept */
#define GREETING_SECONDS 10
#define PASSWORD_SECONDS 60 /* someone has to type it */

enum { EXIT_GONE, EXIT_FAILED }; /* vnc-peer.c reads these */

struct helper {
    rfbScreenInfoPtr screen;
    rfbClientPtr cl;
    const struct keymap *keymap;
    struct stream stream;
    char name[64];
    char password[SECRET_MAX]; /* "": nobody gets in */
    char token[SECRET_MAX];
    int64_t expires;
    uint32_t flags, key_ms; /* of VM_CONFIG */
    struct creds *creds;    /* auth.c's; NULL: no TLS */
    const uint8_t *pages;   /* the web console's scripts; NULL: none */
    size_t pages_len;
    bool auth, gone;

    uint8_t stage; /* of the time limits: greeting, password, in */
    bool admitted; /* portico-dm has been told */
    bool answered; /* and has sent the picture, if there is one */
    bool looking;
    int64_t wanted_ms; /* when the client last waited for a picture */
    bool resizable;    /* the guest can be told of a size */
    void *pixels;      /* mapped read-only */
    size_t pixels_len;
    rfbCursor cursor; /* width 0: the guest gave none */
    bool cursor_told;

    struct {                          /* input.c */
        bool scancodes, motion, leds; /* the client speaks the QEMU extensions */
        bool leds_known;
        unsigned lights;
        bool absolute; /* the guest's pointer takes positions */
        bool caps;
        int buttons; /* RFB's mask of the last event */
        uint8_t down[HELPER_KEYS / 8];
        struct {
            uint32_t keysym;
            uint16_t code; /* 0: free */
        } pressed[HELPER_PRESSED];
    } in;

    struct {           /* paste.c */
        char *clip;    /* UTF-8, of the client's clipboard; NULL: none */
        char *typing;  /* what is being typed; NULL: nothing */
        size_t at;     /* in it */
        uint16_t held; /* the key that is down for it */
        unsigned mods; /* and the modifiers */
        int64_t due;   /* when to go on, in ms of CLOCK_MONOTONIC */
    } paste;
};

static inline struct helper *helper_of(rfbClientPtr cl)
{
    return cl->screen->screenData;
}

/* channel.c: the pair to portico-dm. Trouble there ends the process. */
void channel_say(const struct viewer_msg *m); /* waits while portico-dm is busy */
/* False: nothing there (never when wait is set). *fd: the descriptor that came along, or -1. */
bool channel_hear(struct viewer_msg *m, int *fd, bool wait);

/* server.c */
int server_start(struct helper *h); /* hears who is to be served, greets; -1: already gone */
void server_run(struct helper *h);  /* returns when the client has gone */
int64_t server_now(void);           /* ms, of a clock that only goes forward */

/* auth.c */
void auth_warm_up(void); /* lets the libraries read their files, while there are any */
rfbBool auth_check(rfbClientPtr cl, const char *response, int len); /* passwordCheck */
void auth_refused(const struct helper *h, bool guessed); /* tells portico-dm; a guess costs time */
/* Is a, alen bytes, the string in b, an array of `size`? It takes the same time whether or not. */
bool auth_same(const char *a, size_t alen, const char *b, size_t size);
/* Takes a struct creds_file; NULL, or what is wrong with it. */
const char *auth_creds(struct helper *h, int fd);
int auth_start_tls(struct helper *h); /* 0 or -1 */

/* web.c: HTTP, until the client asks for a WebSocket (true) or goes. */
bool web_greet(struct helper *h);

/* console.c: the buttons of the page, and what becomes of them */
void console_hear(void *h, const char *text, size_t len);
void console_answer(struct helper *h, const struct viewer_msg *m, int fd);
void console_ask(uint32_t what);

/* screen.c: what portico-dm shows */
void screen_blank(struct helper *h); /* until there is a picture */
void screen_hear(struct helper *h, const struct viewer_msg *m, int fd); /* owns fd */

/* input.c: what the client does */
void input_start(struct helper *h); /* before the client is greeted */
void input_mode(struct helper *h, bool absolute);
void input_leds(struct helper *h, unsigned leds);
void input_say(uint16_t code, bool down); /* a key of the guest, whatever else is held */
bool input_is_down(const struct helper *h, uint16_t code);
/* Every modifier the client holds: up (for what is typed) or down again. */
void input_lift_modifiers(const struct helper *h, bool lift);

/* paste.c: text that is typed */
void paste_clip(struct helper *h, const char *text, size_t len, bool latin1);
void paste_type(struct helper *h, const char *text, size_t len); /* UTF-8 */
void paste_start(struct helper *h);                              /* types the clipboard */
int paste_step(struct helper *h); /* goes on; ms until the next time, -1: nothing to type */

/* sandbox.c: give up all that is not needed. Before the first byte of the client is read. */
void sandbox_enter(void);
void sandbox_close(void); /* and the right to fork, and all system calls but a few */
/* seccomp.c: from here on, for the whole process. 0, or -errno when the kernel has no filters. */
int sandbox_filter(void);
