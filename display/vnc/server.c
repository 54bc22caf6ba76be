/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-vnc: libvncserver, tamed. It is made for threads and many clients
 * and waits inside its calls (up to rfbMaxClientWait for a client that does
 * not read); with one client a process that is all right. What it must not
 * do: listen, move files, scale (copies of the screen at the client's wish),
 * write to the log at the client's wish.
 */
#include "display/vnc/helper.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <rfb/rfbregion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHALLENGE        16
#define WAIT_MS          10000 /* for a client that neither reads nor writes what it began */
#define LOOKING_MS       2000  /* after the last wish for a picture */
#define PICTURE_MS       2000  /* portico-dm has to answer VM_ADMITTED */
#define PASSWORD_SECONDS 60    /* someone has to type it */

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- authentication ---- */

/* In place of the library's, whose challenge can be guessed from time and process id. */
void rfbRandomBytes(unsigned char *bytes)
{
    if (getrandom(bytes, CHALLENGE, 0) != CHALLENGE)
        _exit(EXIT_FAILED);
}

static bool password_counts(const struct helper *h)
{
    return h->password[0] && (h->expires == 0 || time(NULL) < h->expires);
}

/* RFC 6143 7.2.2. The time it takes tells nothing about the password. */
static rfbBool check_password(rfbClientPtr cl, const char *response, int len)
{
    struct helper *h = cl->screen->screenData;
    struct viewer_msg m = { .type = VM_REFUSED };
    unsigned char want[CHALLENGE], differ = 0;

    memcpy(want, cl->authChallenge, CHALLENGE);
    rfbEncryptBytes(want, h->password);
    for (int i = 0; i < CHALLENGE && i < len; i++)
        differ |= want[i] ^ (unsigned char)response[i];
    /* A library that refuses to do DES (FIPS) leaves the challenge as it was. */
    if (len == CHALLENGE && differ == 0 && password_counts(h) &&
        memcmp(want, cl->authChallenge, CHALLENGE) != 0)
        return TRUE;
    channel_say(&m);
    if (password_counts(h))
        sleep(1); /* one guess a second */
    return FALSE;
}

/* ---- hooks ---- */

static void silent(const char *format, ...)
{
}

static void on_gone(rfbClientPtr cl)
{
    struct helper *h = cl->screen->screenData;

    h->gone = true;
}

static enum rfbNewClientAction on_new(rfbClientPtr cl)
{
    cl->clientGoneHook = on_gone;
    return RFB_CLIENT_ACCEPT;
}

static rfbCursorPtr get_cursor(rfbClientPtr cl)
{
    struct helper *h = cl->screen->screenData;

    return h->cursor.width ? &h->cursor : NULL;
}

/* Before an update. A guest that never gave a cursor leaves the viewer its own. */
static void before_update(rfbClientPtr cl)
{
    struct helper *h = cl->screen->screenData;

    if (h->cursor.width)
        h->cursor_told = true;
    else if (!h->cursor_told)
        cl->cursorWasChanged = FALSE;
}

/* ---- start ---- */

static void set_up_screen(struct helper *h)
{
    rfbScreenInfoPtr s = h->screen;

    s->screenData = h;
    s->desktopName = h->name;
    s->alwaysShared = TRUE;
    s->cursor = NULL;
    s->getCursorPtr = get_cursor;
    s->displayHook = before_update;
    s->newClientHook = on_new;
    s->passwordCheck = check_password;
    s->deferUpdateTime = 0; /* portico-dm sets the pace */
    s->maxClientWait = WAIT_MS;
    s->permitFileTransfer = FALSE;
    screen_blank(h);
    input_start(h);
}

/* The first message: who is to be served, and how. */
static int hear_config(struct helper *h, bool *auth)
{
    struct viewer_msg m;
    int client;

    channel_hear(&m, &client, true);
    if (m.type != VM_CONFIG || client < 0)
        _exit(EXIT_FAILED);
    memcpy(h->name, m.config.name, sizeof(h->name) - 1);
    m.config.keymap[sizeof(m.config.keymap) - 1] = 0;
    h->keymap = keymap_find(m.config.keymap);
    if (!h->keymap)
        _exit(EXIT_FAILED);
    *auth = m.config.auth != 0;
    return client;
}

/* A client whose machine has vanished does not stay for ever. Not of TCP: no harm. */
static void keep_alive(int client)
{
    int on = 1, idle = 60, every = 15, times = 4;

    setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(client, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(client, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
    setsockopt(client, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof(times));
}

int server_start(struct helper *h)
{
    bool auth = false;
    int client = hear_config(h, &auth);

    keep_alive(client);
    signal(SIGPIPE, SIG_IGN);
    rfbLog = rfbErr = silent;
    h->screen = rfbGetScreen(NULL, NULL, 640, 480, 8, 3, 4);
    if (!h->screen)
        return -1;
    set_up_screen(h);
    h->screen->authPasswdData = auth ? h : NULL;
    h->cl = rfbNewClient(h->screen, client);
    return h->cl && !h->gone ? 0 : -1;
}

/* ---- the loop ---- */

static void hear_all(struct helper *h)
{
    struct viewer_msg m;
    int fd;

    while (!h->gone && channel_hear(&m, &fd, false))
        screen_hear(h, &m, fd);
}

/* After the password, before the library tells the client how large the screen is. */
static void say_admitted(struct helper *h)
{
    struct viewer_msg m = { .type = VM_ADMITTED };

    h->admitted = h->looking = true;
    h->wanted_ms = now_ms();
    explicit_bzero(h->password, sizeof(h->password));
    channel_say(&m);
}

static void say_looking(struct helper *h, bool looking)
{
    struct viewer_msg m = { .type = VM_LOOKING, .looking = { looking } };

    if (h->looking != looking)
        channel_say(&m);
    h->looking = looking;
}

/* A viewer that is minimised asks for nothing: then nothing need be drawn. */
static void check_looking(struct helper *h)
{
    if (!sraRgnEmpty(h->cl->requestedRegion))
        h->wanted_ms = now_ms();
    say_looking(h, now_ms() - h->wanted_ms < LOOKING_MS);
}

static void check_state(struct helper *h)
{
    rfbClientPtr cl = h->cl;

    if (cl->scaledScreen != h->screen) { /* a scaled copy of the screen: not offered */
        rfbCloseClient(cl);
        return;
    }
    if (cl->state == RFB_AUTHENTICATION && h->stage == 0) {
        h->stage = 1;
        alarm(PASSWORD_SECONDS);
    }
    if (!h->admitted && (cl->state == RFB_INITIALISATION || cl->state == RFB_NORMAL))
        say_admitted(h);
    if (cl->state == RFB_NORMAL && h->stage < 2) {
        h->stage = 2;
        alarm(0);
    }
    if (cl->state == RFB_NORMAL)
        check_looking(h);
}

static bool wait_for_picture(const struct helper *h)
{
    return h->admitted && !h->answered && now_ms() - h->wanted_ms < PICTURE_MS;
}

static int poll_timeout(const struct helper *h)
{
    bool waits = h->cl->state == RFB_NORMAL && !sraRgnEmpty(h->cl->requestedRegion);

    if (wait_for_picture(h))
        return PICTURE_MS;
    if (h->cl->state != RFB_NORMAL || waits || !h->looking)
        return -1;
    return LOOKING_MS;
}

void server_run(struct helper *h)
{
    while (!h->gone && h->cl->sock >= 0) {
        bool wait = wait_for_picture(h);
        struct pollfd p[2] = { { VIEWER_FD, POLLIN, 0 }, { wait ? -1 : h->cl->sock, POLLIN, 0 } };

        if (poll(p, 2, poll_timeout(h)) < 0)
            continue;
        hear_all(h);
        if (h->gone || wait_for_picture(h))
            continue;
        rfbProcessEvents(h->screen, 0);
        if (!h->gone)
            check_state(h);
    }
}
