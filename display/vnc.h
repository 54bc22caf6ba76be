/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * display/vnc.h: the VNC display as control/ sees it. The sockets are bound
 * here; what comes in over them is parsed by the helper program portico-vnc
 * (display/vnc/): each client has a process of its own, which starts when it
 * connects and ends when it leaves. docs/vnc.md has the picture.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/core/err.h"

struct display;
struct uv_loop_s;
struct vnc;

#define VNC_CLIENTS 32 /* at once; one more is turned away */

enum vnc_share { VNC_ALLOW_EXCLUSIVE, VNC_FORCE_SHARED, VNC_IGNORE }; /* QEMU's share= */

struct vnc_client;
enum vnc_client_is { /* each once for a client, in this order; it may leave before it is let in */
                     VNC_CLIENT_CONNECTED,
                     VNC_CLIENT_ADMITTED,
                     VNC_CLIENT_GONE
};

/* What a client may ask of the guest, besides keys: ask() gets an enum viewer_ask, answers 0 or
 * -errno, and writes a line or a text (of at most size - 1 bytes) for the person. */
struct vnc_actions {
    int (*ask)(void *ctx, unsigned what, char *text, size_t size);
    /* What has become of one; who is borrowed. May be NULL. */
    void (*client)(void *ctx, enum vnc_client_is what, const struct vnc_client *who);
};
#define VNC_ANSWER_MAX (64u << 10)

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
    bool no_vnc;           /* listen for web clients only */
    enum vnc_share share;
    bool view_only;     /* keys and pointer of clients are not heard */
    bool power_control; /* clients may press reset and the power button (XVP, the web console) */
    bool paste_key;     /* Ctrl-Alt-V in a viewer types its clipboard into the guest */
    unsigned key_ms;    /* between key events that are typed for somebody; 0: 10 */
    int creds;          /* vnc_creds(): TLS for web clients; 0 or less: none */
    bool tls_vnc;       /* and for the others */
    int web_port; /* WebSocket on this TCP port of web_host; 0: none; -1: 5700 + the display */
    const char *web_host;              /* NULL: host */
    bool console;                      /* and the web console's page there */
    bool web_power_control;            /* as power_control, for those of the page */
    const char *novnc;                 /* where noVNC is; NULL: /usr/share/novnc */
    const char *token;                 /* web clients must show it; NULL: none */
    const struct vnc_actions *actions; /* NULL: none of them works */
    void *actions_ctx;
};

/*
 * The files of a tls-creds-x509 folder (ca-cert.pem, ca-crl.pem, server-cert.pem,
 * server-key.pem), or anonymous TLS when dir is NULL, as a sealed file for
 * vnc_options.creds: a descriptor, the caller's, or -errno and a line.
 */
int vnc_creds(const char *dir, bool verify_peer, struct err *err);

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
    bool websocket;
};
struct vnc_info {     /* strings as query-vnc spells them */
    bool enabled;     /* false, and nothing else set, for a NULL vnc */
    char host[108];   /* numeric; the path for a Unix socket */
    char service[16]; /* the port in decimal; "" for a Unix socket */
    char family[8];   /* "ipv4", "ipv6", "unix" */
    char auth[24];    /* "none", "vnc", "vencrypt+x509+vnc" and the like */
    char web_host[108], web_service[16], web_family[8]; /* "" when there is none */
    bool console;
    unsigned nclients; /* that have passed authentication */
    struct vnc_client clients[VNC_CLIENTS];
};
void vnc_query(const struct vnc *v, struct vnc_info *out); /* v may be NULL */

/*
 * The password of new clients; those that are in stay. VNC authentication uses
 * its first eight characters, VeNCrypt's Plain all (63 at most). NULL or "": nobody may
 * log in. -EINVAL when the display was opened without a password.
 */
int vnc_set_password(struct vnc *v, const char *password, struct err *err);
/* From when on no one can log in any more: Unix seconds; 0: never; -1: now. Errors as above. */
int vnc_expire_password(struct vnc *v, int64_t when, struct err *err);

/*
 * Types the text that a client's clipboard has into the guest; of several
 * clients, that of the one whose clipboard changed last. -ENOENT and a line
 * when no client has told of any text.
 */
int vnc_paste(struct vnc *v, struct err *err);
