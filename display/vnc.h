/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * display/vnc.h: the VNC display as control/ sees it. The sockets are bound
 * here; what comes in over them is parsed by the helper program portico-vnc
 * (display/vnc/): each client has a process of its own, which starts when it
 * connects and ends when it leaves. docs/vnc.md has the picture.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "hw/core/err.h"

struct display;
struct uv_loop_s;
struct vnc;

#define VNC_CLIENTS 32 /* at once; one more is turned away */

struct vnc_options {       /* nothing is kept after vnc_open() returns */
    const char *host;      /* address or name; NULL or "": every interface */
    int display;           /* TCP port 5900 + display, 0..59635 */
    int to;                /* last display to try; below display: only display */
    const char *unix_path; /* listen here instead; NULL: TCP */
    bool password;         /* clients must know one; until it is set nobody gets in */
    const char *keymap;    /* of clients without scancodes: "en-us", "de", …; NULL: en-us */
    const char *name;      /* the guest's, shown in window titles; NULL: "portico" */
    const char *helper;    /* path of portico-vnc */
    bool early;            /* load the helper now: after a chroot it cannot be found any more */
};

/*
 * Binds the first free display of display..to and begins to listen: whoever
 * connects from now on is served. Errors: -EADDRINUSE (the line names host and
 * ports), -EINVAL (unknown keymap: the line lists the known ones; a path too
 * long), other -errno of the socket calls. loop and d must outlive *out. The
 * caller closes *out with vnc_close() before it closes the loop; what is left
 * of the handles closes in the loop's next turns.
 */
int vnc_open(struct vnc **out, struct uv_loop_s *loop, struct display *d,
             const struct vnc_options *o, struct err *err);
void vnc_close(struct vnc *v); /* ends the helpers, throws every client out; NULL is fine */

struct vnc_client {
    char host[48], service[16], family[8]; /* as in struct vnc_info */
};
struct vnc_info {      /* strings as query-vnc spells them */
    bool enabled;      /* false, and nothing else set, for a NULL vnc */
    char host[108];    /* numeric; the path for a Unix socket */
    char service[16];  /* the port in decimal; "" for a Unix socket */
    char family[8];    /* "ipv4", "ipv6", "unix" */
    char auth[8];      /* "none", "vnc" */
    unsigned nclients; /* that have passed authentication */
    struct vnc_client clients[VNC_CLIENTS];
};
void vnc_query(const struct vnc *v, struct vnc_info *out); /* v may be NULL */

/*
 * The password of new clients; those that are in stay. Only the first eight
 * characters count: VNC authentication knows no more. NULL or "": nobody may
 * log in. -EINVAL when the display was opened without a password.
 */
int vnc_set_password(struct vnc *v, const char *password, struct err *err);
/* From when on no one can log in any more: Unix seconds; 0: never; -1: now. Errors as above. */
int vnc_expire_password(struct vnc *v, int64_t when, struct err *err);
