/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vnc.c, vnc-listen.c and vnc-peer.c share. Nobody else includes it. */
#pragma once
#include <sys/types.h>
#include <uv.h>
#include "display/display.h"
#include "display/protocol.h"
#include "display/vnc.h"

#define VNC_SOCKETS 8
#define VNC_KEYS    768 /* KEY_MAX + 1 of linux/input-event-codes.h */

/* What a peer has not been told yet: bits of vnc_peer.dirty, sent in this order. */
enum vnc_news {
    NEWS_CONFIG,
    NEWS_PASSWORD,
    NEWS_TOKEN,
    NEWS_CREDS,
    NEWS_PAGES,
    NEWS_MODE,
    NEWS_LEDS,
    NEWS_SURFACE,
    NEWS_CURSOR,
    NEWS_COPY,
    NEWS_DAMAGE,
    NEWS_PASTE,
    NEWS_ANSWER,
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
    bool web; /* it came in by the web port */
    bool admitted, refused, looking;
    bool exclusive; /* it asked to be alone */
    unsigned dirty;
    struct rect damage; /* w 0: none */
    struct rect copy;   /* to be told before the damage */
    int copy_x, copy_y; /* from where */
    uint64_t clip;      /* when its clipboard last had text, in v->clips; 0: never */
    uint64_t asked;     /* uv_now() of its last question */
    uint32_t answer_what, answer_failed;
    char *answer; /* to be sent; NULL: without text */
    unsigned buttons;
    uint8_t keys[VNC_KEYS / 8]; /* pressed by this client */
};

struct vnc {
    uv_loop_t *loop;
    struct display *display;
    char *helper, *unix_path;
    char name[64], keymap[16];
    char password[SECRET_MAX], token[SECRET_MAX];
    uint32_t flags, key_ms; /* of VM_CONFIG, but for CONFIG_WEB */
    uint32_t web_flags;     /* and of web clients */
    enum vnc_share share;
    int creds, pages; /* descriptors; -1: none */
    const struct vnc_actions *actions;
    void *actions_ctx;
    uint64_t clips;
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
    bool web[VNC_SOCKETS]; /* parallel to fds */
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
/* A sealed file with these bytes; or -errno. */
int vnc_file(const void *bytes, size_t len);
void vnc_peer_end(struct vnc_peer *p); /* throws the client out; the slot is free some time later */
void vnc_peer_stop(struct vnc_peer *p); /* the same, and waits until the process is gone */
/* A process that was started while the program could be found, and forks when told to. */
int vnc_nursery_start(struct vnc *v);
void vnc_nursery_stop(struct vnc *v);
int vnc_check_creds(struct vnc *v, struct err *err); /* 0, or -EINVAL and what is wrong */
void vnc_peer_tell(struct vnc_peer *p, enum vnc_news what);
/* What its process said. False: no honest one says that, put it out. */
bool vnc_peer_hear(struct vnc_peer *p, const struct viewer_msg *m);

/* vnc.c */
void vnc_admitted(struct vnc *v,
                  struct vnc_peer *p); /* passed authentication: show it the screen */
void vnc_check_mode(struct vnc *v);
void vnc_add_damage(struct vnc_peer *p, struct rect r);

/* vnc-ask.c: what a client may ask besides keys and pictures. False: no honest one says that. */
bool vnc_asked(struct vnc_peer *p, const struct viewer_msg *m);
bool vnc_wants_size(struct vnc_peer *p, const struct viewer_msg *m);
bool vnc_has_clip(struct vnc_peer *p, const struct viewer_msg *m);
/* By the share= policy: false when p may not stay; others may have been put out for it. */
bool vnc_may_share(struct vnc *v, struct vnc_peer *p, bool shared);

/* vnc-pages.c: noVNC's scripts as a sealed struct pages_file; a descriptor or -errno. */
int vnc_pages(const char *dir, struct err *err);
void vnc_handle_closed(struct vnc *v); /* the last one frees v */
