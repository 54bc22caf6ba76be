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
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOOKING_MS   2000 /* after the last wish for a picture */
#define PICTURE_MS   2000 /* portico-dm has to answer VM_ADMITTED */
#define MESSAGES     64   /* of the client at a time */
#define RESIZE_LATER 4    /* ExtendedDesktopSize: passed on, it may happen */

int64_t server_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
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

/* A viewer's window has another size: the guest may follow. Nothing of it is decided here. */
static int on_size(int width, int height, int screens, rfbExtDesktopScreen *screen, rfbClientPtr cl)
{
    struct helper *h = helper_of(cl);
    struct viewer_msg m = { .type = VM_SIZE, .size = { (uint32_t)width, (uint32_t)height } };

    if (!h->resizable || (h->flags & CONFIG_VIEW_ONLY))
        return rfbExtDesktopSize_ResizeProhibited;
    if (width <= 0 || height <= 0 || screens != 1)
        return rfbExtDesktopSize_InvalidScreenLayout;
    channel_say(&m);
    return RESIZE_LATER;
}

/* XVP, the buttons of viewers: 2 shuts down, 3 reboots (nothing here can), 4 resets. */
static rfbBool on_xvp(rfbClientPtr cl, uint8_t version, uint8_t code)
{
    if (version != 1 || (code != rfbXvp_Shutdown && code != rfbXvp_Reset))
        return FALSE;
    console_ask(code == rfbXvp_Reset ? ASK_RESET : ASK_POWER);
    return TRUE;
}

static void on_clip(char *text, int len, rfbClientPtr cl)
{
    if (len >= 0)
        paste_clip(helper_of(cl), text, (size_t)len, true);
}

static void on_clip_utf8(char *text, int len, rfbClientPtr cl)
{
    if (len >= 0)
        paste_clip(helper_of(cl), text, strnlen(text, (size_t)len), false);
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
    s->passwordCheck = auth_check;
    s->setDesktopSizeHook = on_size;
    s->setXCutText = on_clip;
    s->setXCutTextUTF8 = on_clip_utf8;
    if ((h->flags & CONFIG_POWER) && !(h->flags & CONFIG_VIEW_ONLY))
        s->xvpHook = on_xvp;
    s->deferUpdateTime = 0; /* portico-dm sets the pace */
    s->maxClientWait = STREAM_WAIT_MS;
    s->permitFileTransfer = FALSE;
    screen_blank(h);
    input_start(h);
}

/* The first message: who is to be served, and how. Then what the flags promise, and the password.
 */
static int hear_config(struct helper *h)
{
    struct viewer_msg m;
    int client, fd;

    channel_hear(&m, &client, true);
    if (m.type != VM_CONFIG || client < 0)
        _exit(EXIT_FAILED);
    memcpy(h->name, m.config.name, sizeof(h->name) - 1);
    m.config.keymap[sizeof(m.config.keymap) - 1] = 0;
    h->keymap = keymap_find(m.config.keymap);
    if (!h->keymap)
        _exit(EXIT_FAILED);
    h->auth = m.config.auth != 0;
    h->flags = m.config.flags;
    h->key_ms = m.config.key_ms;
    /* portico-dm says the pointer's mode behind all that belongs to the start. */
    do {
        channel_hear(&m, &fd, true);
        screen_hear(h, &m, fd);
    } while (m.type != VM_POINTER_MODE);
    if (((h->flags & CONFIG_TLS) && !h->creds) || ((h->flags & CONFIG_TOKEN) && !h->token[0]))
        _exit(EXIT_FAILED);
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
    int client = hear_config(h);

    h->stream.fd = client;
    keep_alive(client);
    signal(SIGPIPE, SIG_IGN);
    rfbLog = rfbErr = silent;
    if (h->flags & CONFIG_WEB) {
        if ((h->flags & CONFIG_TLS) && auth_start_tls(h))
            return -1;
        if (!web_greet(h))
            return -1;
    }
    h->screen = rfbGetScreen(NULL, NULL, 640, 480, 8, 3, 4);
    if (!h->screen)
        return -1;
    set_up_screen(h);
    h->screen->authPasswdData = h->auth ? h : NULL;
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
static void say_admitted(struct helper *h, bool shared)
{
    struct viewer_msg m = { .type = VM_ADMITTED, .admitted = { shared } };

    h->admitted = h->looking = true;
    h->wanted_ms = server_now();
    explicit_bzero(h->password, sizeof(h->password));
    channel_say(&m);
}

/* ClientInit (RFC 6143 7.3.1) is one byte: whether others may look too. */
static void greet_init(struct helper *h)
{
    uint8_t shared;

    if (h->cl->state == RFB_INITIALISATION && !h->admitted &&
        stream_peek(&h->stream, &shared, 1, 0) == 1)
        say_admitted(h, shared != 0);
    else if (h->cl->state == RFB_INITIALISATION_SHARED && !h->admitted)
        say_admitted(h, true);
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
        h->wanted_ms = server_now();
    say_looking(h, server_now() - h->wanted_ms < LOOKING_MS);
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
    if (cl->state == RFB_NORMAL && h->stage < 2) {
        h->stage = 2;
        alarm(0);
    }
    if (cl->state == RFB_NORMAL)
        check_looking(h);
}

static bool wait_for_picture(const struct helper *h)
{
    return h->admitted && !h->answered && server_now() - h->wanted_ms < PICTURE_MS;
}

static int poll_timeout(struct helper *h)
{
    bool waits = h->cl->state == RFB_NORMAL && !sraRgnEmpty(h->cl->requestedRegion);
    int typing = h->cl->state == RFB_NORMAL ? paste_step(h) : -1;

    if (wait_for_picture(h))
        return PICTURE_MS;
    if (stream_pending(&h->stream))
        return 0;
    if (typing >= 0)
        return typing;
    if (h->cl->state != RFB_NORMAL || waits || !h->looking)
        return -1;
    return LOOKING_MS;
}

/* What the client says, as far as it is here and may be said yet. */
static void serve(struct helper *h)
{
    for (unsigned i = 0; i < MESSAGES && h->cl->sock >= 0 && stream_ready(&h->stream); i++) {
        greet_init(h);
        if (wait_for_picture(h))
            return;
        if (h->cl->state == RFB_INITIALISATION && !h->admitted) { /* it hung up instead */
            h->gone = true;
            return;
        }
        rfbProcessClientMessage(h->cl);
        if (h->gone || h->cl->sock < 0)
            return;
        check_state(h);
    }
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
        serve(h);
        if (h->gone || h->cl->sock < 0)
            return;
        if (h->cl->state == RFB_NORMAL)
            rfbUpdateClient(h->cl);
        if (h->cl->sock >= 0)
            check_state(h);
    }
}
