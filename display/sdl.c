/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window's end in portico-dm: starts portico-sdl, tells it what changed,
 * and takes its keys and pointer. Nothing is queued: what it has yet to be
 * told is a set of bits. When it dies the guest goes on without a window.
 */
#include "display/sdl.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>
#include "display/display.h"
#include "display/protocol.h"
#include "hw/core/helper.h"
#include "hw/core/log.h"

#define PACKETS_PER_TURN 64
#define START_MS         10000
#define KEYS             0x300 /* KEY_CNT of linux/input-event-codes.h */
#define PLACE_MAX        65536

enum sdl_news { NEWS_SURFACE = 1, NEWS_DAMAGE = 2, NEWS_MODE = 4 };

struct sdl {
    uv_loop_t *loop;
    struct display *display;
    uv_poll_t poll;
    int chan; /* -1: it has ended */
    pid_t pid;
    unsigned dirty;
    struct surface surface; /* the display's; fd -1: no picture */
    struct rect damage;
    bool looking, absolute;
    int32_t x, y;
    void (*closed)(void *arg);
    void *arg;
};

static void sdl_flush(struct sdl *s);

/* ---- to the window ---- */

static int say_surface(struct sdl *s)
{
    struct viewer_msg m = { .type = VM_SURFACE };

    if (s->surface.fd >= 0) {
        m.surface.width = s->surface.width;
        m.surface.height = s->surface.height;
        m.surface.stride = s->surface.stride;
    }
    return viewer_send(s->chan, &m, s->surface.fd);
}

static int say_damage(struct sdl *s)
{
    struct viewer_msg m = { .type = VM_DAMAGE };

    m.damage.x = s->damage.x;
    m.damage.y = s->damage.y;
    m.damage.w = s->damage.w;
    m.damage.h = s->damage.h;
    s->damage = (struct rect){ 0 };
    return viewer_send(s->chan, &m, -1);
}

static int say_mode(struct sdl *s)
{
    struct viewer_msg m = { .type = VM_POINTER_MODE };

    m.pointer_mode.absolute = s->absolute;
    return viewer_send(s->chan, &m, -1);
}

static void tell(struct sdl *s, unsigned news)
{
    s->dirty |= news;
    if (s->chan >= 0)
        sdl_flush(s);
}

static void on_resized(void *viewer, const struct surface *surface)
{
    struct sdl *s = viewer;

    s->surface = surface ? *surface : (struct surface){ .fd = -1 };
    s->damage = (struct rect){ 0 };
    s->dirty &= ~(unsigned)NEWS_DAMAGE;
    tell(s, NEWS_SURFACE);
}

/* Of what has not been told yet only the box around all of it is kept. */
static void on_damaged(void *viewer, const struct surface *surface, struct rect r)
{
    struct sdl *s = viewer;
    struct rect *d = &s->damage;
    int32_t right = r.x + r.w, bottom = r.y + r.h;

    if (d->w) {
        right = right > d->x + d->w ? right : d->x + d->w;
        bottom = bottom > d->y + d->h ? bottom : d->y + d->h;
        r.x = r.x < d->x ? r.x : d->x;
        r.y = r.y < d->y ? r.y : d->y;
    }
    *d = (struct rect){ r.x, r.y, right - r.x, bottom - r.y };
    tell(s, NEWS_DAMAGE);
}

static void check_mode(struct sdl *s)
{
    bool absolute = display_pointer_is_absolute(s->display);

    if (absolute == s->absolute)
        return;
    s->absolute = absolute;
    tell(s, NEWS_MODE);
}

static bool on_looking(void *viewer)
{
    struct sdl *s = viewer;

    check_mode(s);
    return s->looking;
}

static const struct viewer_ops sdl_viewer = { .resized = on_resized,
                                              .damaged = on_damaged,
                                              .looking = on_looking };

/* ---- from the window ---- */

static bool in_range(int32_t v)
{
    return v >= -PLACE_MAX && v <= PLACE_MAX;
}

static bool heard_pointer(struct sdl *s, const struct viewer_msg *m)
{
    if (!in_range(m->pointer.x) || !in_range(m->pointer.y) || m->pointer.dz < -16 ||
        m->pointer.dz > 16 || m->pointer.buttons > 7)
        return false;
    s->x = m->pointer.relative ? s->x + m->pointer.x : m->pointer.x;
    s->y = m->pointer.relative ? s->y + m->pointer.y : m->pointer.y;
    if (!in_range(s->x / 128) || !in_range(s->y / 128))
        s->x = s->y = 0; /* a mouse may be moved for ever; the display counts from anywhere */
    display_pointer(s->display, s->x, s->y, m->pointer.dz, m->pointer.buttons);
    check_mode(s);
    return true;
}

static bool hear(struct sdl *s, const struct viewer_msg *m)
{
    switch (m->type) {
    case VM_KEY:
        if (!m->key.code || m->key.code >= KEYS || m->key.down > 1)
            return false;
        display_key(s->display, (uint16_t)m->key.code, m->key.down);
        return true;
    case VM_POINTER:
        return heard_pointer(s, m);
    case VM_LOOKING:
        s->looking = m->looking.n > 0;
        if (s->looking)
            display_wake(s->display);
        return true;
    case VM_CLOSED:
        if (s->closed)
            s->closed(s->arg);
        return true;
    default:
        return false;
    }
}

static void sdl_over(struct sdl *s)
{
    if (s->chan < 0)
        return;
    uv_poll_stop(&s->poll);
    close(s->chan);
    s->chan = -1;
    s->looking = false;
    display_release_all(s->display);
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
}

static void sdl_read(struct sdl *s)
{
    for (int i = 0; i < PACKETS_PER_TURN && s->chan >= 0; i++) {
        struct viewer_msg m;
        ssize_t n = recv(s->chan, &m, sizeof(m), MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n == sizeof(m) && hear(s, &m))
            continue;
        log_line("the window has gone (portico-sdl ended); the guest runs on");
        sdl_over(s);
    }
}

static void on_event(uv_poll_t *h, int status, int events)
{
    struct sdl *s = h->data;

    if (status < 0 || events & UV_READABLE)
        sdl_read(s);
    if (s->chan >= 0 && events & UV_WRITABLE)
        sdl_flush(s);
}

static void sdl_flush(struct sdl *s)
{
    static int (*const say[])(struct sdl *) = { say_surface, say_damage, say_mode };
    int rc = 0;

    for (unsigned i = 0; i < 3 && !rc; i++) {
        struct rect damage = s->damage;

        if (!(s->dirty & 1u << i))
            continue;
        rc = say[i](s);
        if (!rc)
            s->dirty &= ~(1u << i);
        else
            s->damage = damage;
    }
    /* An error is a window that died: reading finds that out too. */
    uv_poll_start(&s->poll, rc == -EAGAIN ? UV_READABLE | UV_WRITABLE : UV_READABLE, on_event);
}

/* ---- life ---- */

static int spawn(const char *helper, int chan, pid_t *pid)
{
    char name[] = "portico-sdl";
    char *argv[] = { name, NULL };
    const struct helper_fd fd = { chan, VIEWER_FD };

    return helper_spawn(helper, argv, &fd, 1, pid);
}

/* Its first word is VM_LOOKING, when there is a window. */
static int first_word(struct sdl *s, struct err *err)
{
    struct pollfd p = { .fd = s->chan, .events = POLLIN };
    struct viewer_msg m = { 0 };

    if (poll(&p, 1, START_MS) == 1 && recv(s->chan, &m, sizeof(m), MSG_DONTWAIT) == sizeof(m) &&
        m.type == VM_LOOKING) {
        s->looking = true;
        return 0;
    }
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    return err_set(err, -ENODEV,
                   "-display sdl: there is no window; DISPLAY is %s, and the line "
                   "above says why",
                   getenv("DISPLAY") ? getenv("DISPLAY") : "not set");
}

static int start(struct sdl *s, const struct sdl_options *o, struct err *err)
{
    struct viewer_msg m = { .type = VM_CONFIG };
    int pair[2], rc;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return err_set(err, -errno, "-display sdl: %s", strerror(errno));
    rc = spawn(o->helper, pair[1], &s->pid);
    close(pair[1]);
    s->chan = pair[0];
    if (rc)
        return err_set(err, rc, "%s: %s", o->helper, strerror(-rc));
    snprintf(m.config.name, sizeof(m.config.name), "%s", o->name ? o->name : "portico");
    m.config.flags =
        (o->full_screen ? CONFIG_FULL_SCREEN : 0) | (o->keep_open ? CONFIG_KEEP_OPEN : 0);
    rc = viewer_send(s->chan, &m, -1);
    return rc ? err_set(err, rc, "-display sdl: %s", strerror(-rc)) : first_word(s, err);
}

int sdl_open(struct sdl **out, struct uv_loop_s *loop, struct display *d,
             const struct sdl_options *o, struct err *err)
{
    struct sdl *s = calloc(1, sizeof(*s));
    int rc;

    *out = NULL;
    if (!s)
        return err_set(err, -ENOMEM, "-display sdl: out of memory");
    s->loop = loop;
    s->display = d;
    s->chan = -1;
    s->surface.fd = -1;
    s->closed = o->closed;
    s->arg = o->arg;
    rc = start(s, o, err);
    if (rc) {
        if (s->chan >= 0)
            close(s->chan);
        free(s);
        return rc;
    }
    uv_poll_init(loop, &s->poll, s->chan);
    s->poll.data = s;
    uv_poll_start(&s->poll, UV_READABLE, on_event);
    display_add_viewer(d, &sdl_viewer, s);
    tell(s, NEWS_MODE);
    *out = s;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

void sdl_close(struct sdl *s)
{
    if (!s)
        return;
    display_remove_viewer(s->display, s);
    sdl_over(s);
    uv_close((uv_handle_t *)&s->poll, on_closed);
}
