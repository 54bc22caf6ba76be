/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vnc.c, vnc-listen.c and vnc-peer.c share. Nobody else includes it. */
#pragma once
#include <sys/types.h>
#include <uv.h>
#include "display/display.h"
#include "display/protocol.h"
#include "display/vnc.h"

#define VNC_SOCKETS  4
#define VNC_KEYS     768 /* KEY_MAX + 1 of linux/input-event-codes.h */
#define VNC_PASSWORD 8   /* significant characters: RFB 7.2.2 */

/* What a peer has not been told yet: bits of vnc_peer.dirty, sent in this order. */
enum vnc_news {
    NEWS_CONFIG,
    NEWS_PASSWORD,
    NEWS_MODE,
    NEWS_SURFACE,
    NEWS_CURSOR,
    NEWS_DAMAGE,
    NEWS_END,
};

/* One client and the portico-vnc process that talks to it. */
struct vnc_peer {
    struct vnc *v;
    uv_poll_t chan_poll, exit_poll;
    unsigned handles; /* of the two, not yet closed; 0: the slot is free */
    int chan;         /* our end of the pair; -1: ended, waiting to be reaped */
    int pidfd;        /* -1: not our child, but the nursery's */
    int sock;         /* the client's connection: kept to be cut, never read */
    uint64_t since;   /* uv_now() */
    struct vnc_client who;
    bool admitted, refused, looking;
    unsigned dirty;
    struct rect damage; /* w 0: none */
    unsigned buttons;
    uint8_t keys[VNC_KEYS / 8]; /* pressed by this client */
};

struct vnc {
    uv_loop_t *loop;
    struct display *display;
    char *helper, *unix_path;
    char name[64], keymap[16];
    char password[VNC_PASSWORD + 1];
    int64_t expires; /* Unix seconds, 0 never */
    bool auth, closing, absolute;
    bool full;            /* and that has been logged */
    struct vnc_info info; /* host, service, family, auth */
    /* What the peers see. fd: the display's, sealed; -1: no picture. */
    struct surface surface;
    int cursor_fd; /* ours */
    int32_t cursor_w, cursor_h, cursor_x, cursor_y;
    int32_t x, y; /* of the pointer */

    int fds[VNC_SOCKETS];
    uv_poll_t polls[VNC_SOCKETS];
    unsigned nfds;
    uv_timer_t pause; /* while it runs nobody listens */
    unsigned tokens;
    uint64_t tokens_at; /* uv_now() of the last refill */

    int nursery; /* our end of the pair; -1: none, programs are started as they are needed */
    pid_t nursery_pid;

    unsigned handles; /* listeners, timer and peers' not yet closed */
    struct vnc_peer peers[VNC_CLIENTS];
};

/* vnc-listen.c: fills fds, nfds, info. */
int vnc_listen(struct vnc *v, const struct vnc_options *o, struct err *err);
void vnc_unlisten(struct vnc *v);

/* vnc-peer.c */
/* Starts a portico-vnc for sock, which is owned (closed on failure). 0 or -errno. */
int vnc_peer_start(struct vnc *v, struct vnc_peer *p, int sock, const struct vnc_client *who);
void vnc_peer_end(struct vnc_peer *p); /* throws the client out; the slot is free some time later */
void vnc_peer_stop(struct vnc_peer *p); /* the same, and waits until the process is gone */
/* A process that was started while the program could be found, and forks when told to. */
int vnc_nursery_start(struct vnc *v);
void vnc_nursery_stop(struct vnc *v);
void vnc_peer_tell(struct vnc_peer *p, enum vnc_news what);
/* What its process said. False: no honest one says that, put it out. */
bool vnc_peer_hear(struct vnc_peer *p, const struct viewer_msg *m);

/* vnc.c */
void vnc_admitted(struct vnc *v,
                  struct vnc_peer *p); /* passed authentication: show it the screen */
void vnc_check_mode(struct vnc *v);
void vnc_handle_closed(struct vnc *v); /* the last one frees v */
