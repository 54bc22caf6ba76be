/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-sdl: one guest's screen in a window of this machine (SDL 2). It is
 * started by portico-dm, which shares the picture read-only and hears of keys
 * and pointer (display/protocol.h). A thread waits for portico-dm's messages
 * and hands them to SDL's queue; everything else is on the main thread, which
 * sleeps until something happens.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "display/display.h"
#include "display/sdl/window.h"

#define FIRST_WIDTH  720
#define FIRST_HEIGHT 400

static void fail(const char *what)
{
    fprintf(stderr, "portico-sdl: %s: %s\n", what, SDL_GetError());
    exit(1);
}

void say(const struct viewer_msg *m)
{
    ssize_t n;

    do {
        n = send(VIEWER_FD, m, sizeof(*m), MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n != sizeof(*m))
        _exit(EXIT_GONE);
}

/* ---- messages ---- */

static bool hear(struct heard *h)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } ctl = { 0 };
    struct iovec iov = { &h->m, sizeof(h->m) };
    struct msghdr msg = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = ctl.bytes,
                          .msg_controllen = sizeof(ctl.bytes) };
    struct cmsghdr *c;
    ssize_t n;

    h->fd = -1;
    do {
        n = recvmsg(VIEWER_FD, &msg, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n != sizeof(h->m))
        return false;
    c = CMSG_FIRSTHDR(&msg);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&h->fd, CMSG_DATA(c), sizeof(int));
    return true;
}

static int listen_thread(void *arg)
{
    const struct window *w = arg;

    for (;;) {
        struct heard *h = malloc(sizeof(*h));
        SDL_Event e = { .type = w->heard };

        if (!h || !hear(h))
            _exit(EXIT_GONE); /* portico-dm has ended, and with it the guest */
        e.user.data1 = h;
        if (SDL_PushEvent(&e) < 1) {
            if (h->fd >= 0)
                close(h->fd);
            free(h);
        }
    }
}

/* ---- the picture ---- */

void set_title(const struct window *w)
{
    char title[160];

    snprintf(title, sizeof(title), "%s - Portico%s", w->name,
             w->grabbed ? " (Ctrl+Alt+G releases keyboard and mouse)" : "");
    SDL_SetWindowTitle(w->win, title);
}

void natural_size(struct window *w)
{
    w->sized = false;
    if (!w->full && w->texture)
        SDL_SetWindowSize(w->win, (int)w->width, (int)w->height);
}

void toggle_full_screen(struct window *w)
{
    w->full = !w->full;
    SDL_SetWindowFullscreen(w->win, w->full ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
}

static void paint(struct window *w)
{
    SDL_SetRenderDrawColor(w->renderer, 0, 0, 0, 255);
    SDL_RenderClear(w->renderer);
    if (w->texture)
        SDL_RenderCopy(w->renderer, w->texture, NULL, NULL);
    SDL_RenderPresent(w->renderer);
}

static void update(struct window *w, SDL_Rect r)
{
    if (!w->texture || r.x < 0 || r.y < 0 || r.w <= 0 || r.h <= 0 || (uint32_t)r.x >= w->width ||
        (uint32_t)r.y >= w->height)
        return;
    if ((uint32_t)r.w > w->width - (uint32_t)r.x)
        r.w = (int)w->width - r.x;
    if ((uint32_t)r.h > w->height - (uint32_t)r.y)
        r.h = (int)w->height - r.y;
    SDL_UpdateTexture(w->texture, &r, w->pixels + (size_t)r.y * w->stride + (size_t)r.x * 4,
                      (int)w->stride);
    paint(w);
}

static void forget_picture(struct window *w)
{
    if (w->texture)
        SDL_DestroyTexture(w->texture);
    if (w->pixels)
        munmap((void *)(uintptr_t)w->pixels, w->len);
    w->texture = NULL;
    w->pixels = NULL;
}

static void new_picture(struct window *w, const struct heard *h)
{
    uint32_t width = h->m.surface.width, height = h->m.surface.height;
    bool same = w->width == width && w->height == height;
    struct stat st;
    void *p;

    forget_picture(w);
    if (!width) {
        paint(w);
        return;
    }
    w->stride = h->m.surface.stride;
    if (width > SURFACE_MAX_WIDTH || !height || height > SURFACE_MAX_HEIGHT ||
        w->stride < width * 4 || w->stride > SURFACE_MAX_WIDTH * 8 || fstat(h->fd, &st) ||
        st.st_size < (off_t)w->stride * height)
        exit(1);
    w->len = (size_t)w->stride * height;
    p = mmap(NULL, w->len, PROT_READ, MAP_SHARED, h->fd, 0);
    if (p == MAP_FAILED)
        exit(1);
    w->pixels = p;
    w->width = width;
    w->height = height;
    w->texture = SDL_CreateTexture(w->renderer, SDL_PIXELFORMAT_RGB888, SDL_TEXTUREACCESS_STREAMING,
                                   (int)width, (int)height);
    if (!w->texture)
        fail("texture");
    SDL_RenderSetLogicalSize(w->renderer, (int)width, (int)height);
    if (!same && !w->sized && !w->full)
        SDL_SetWindowSize(w->win, (int)width, (int)height);
    update(w, (SDL_Rect){ 0, 0, (int)width, (int)height });
}

static void heard_message(struct window *w, struct heard *h)
{
    switch (h->m.type) {
    case VM_SURFACE:
        new_picture(w, h);
        break;
    case VM_DAMAGE:
        update(w, (SDL_Rect){ h->m.damage.x, h->m.damage.y, h->m.damage.w, h->m.damage.h });
        break;
    case VM_POINTER_MODE:
        w->absolute = h->m.pointer_mode.absolute;
        if (w->grabbed)
            SDL_SetRelativeMouseMode(!w->absolute);
        break;
    default:
        break;
    }
    if (h->fd >= 0)
        close(h->fd);
    free(h);
}

/* ---- the window ---- */

static void say_looking(bool looking)
{
    struct viewer_msg m = { .type = VM_LOOKING };

    m.looking.n = looking;
    say(&m);
}

static void window_event(struct window *w, const SDL_WindowEvent *e)
{
    switch (e->event) {
    case SDL_WINDOWEVENT_HIDDEN:
    case SDL_WINDOWEVENT_MINIMIZED:
        say_looking(false);
        break;
    case SDL_WINDOWEVENT_SHOWN:
    case SDL_WINDOWEVENT_RESTORED:
        say_looking(true);
        break;
    case SDL_WINDOWEVENT_RESIZED: /* by the user or the window manager, not by us */
        w->sized |= e->data1 != (int)w->width || e->data2 != (int)w->height;
        paint(w);
        break;
    case SDL_WINDOWEVENT_EXPOSED:
        paint(w);
        break;
    case SDL_WINDOWEVENT_FOCUS_LOST:
        input_release(w);
        input_grab(w, false);
        break;
    default:
        break;
    }
}

static void event(struct window *w, const SDL_Event *e)
{
    struct viewer_msg closed = { .type = VM_CLOSED };

    if (e->type == w->heard) {
        heard_message(w, e->user.data1);
        return;
    }
    switch (e->type) {
    case SDL_QUIT:
        if (!w->keep_open)
            say(&closed);
        break;
    case SDL_WINDOWEVENT:
        window_event(w, &e->window);
        break;
    case SDL_KEYDOWN:
    case SDL_KEYUP:
        input_key(w, &e->key);
        break;
    case SDL_MOUSEMOTION:
        input_motion(w, &e->motion);
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        input_button(w, &e->button);
        break;
    case SDL_MOUSEWHEEL:
        input_wheel(w, &e->wheel);
        break;
    default:
        break;
    }
}

static void open_window(struct window *w, const struct viewer_msg *config)
{
    bool full = config->config.flags & CONFIG_FULL_SCREEN;

    memcpy(w->name, config->config.name, sizeof(w->name));
    w->name[sizeof(w->name) - 1] = 0;
    w->keep_open = config->config.flags & CONFIG_KEEP_OPEN;
    SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "1"); /* linear when it is not 1:1 */
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    if (SDL_Init(SDL_INIT_VIDEO))
        fail("no display");
    w->win = SDL_CreateWindow(w->name, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                              FIRST_WIDTH, FIRST_HEIGHT,
                              SDL_WINDOW_RESIZABLE | (full ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0));
    if (!w->win)
        fail("window");
    w->full = full;
    w->renderer = SDL_CreateRenderer(w->win, -1, 0);
    if (!w->renderer)
        fail("renderer");
    SDL_EnableScreenSaver();
    w->heard = SDL_RegisterEvents(1);
    set_title(w);
}

int main(int argc, char **argv)
{
    static struct window w;
    struct heard config;
    SDL_Event e;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!hear(&config) || config.m.type != VM_CONFIG)
        return EXIT_GONE;
    open_window(&w, &config.m);
    say_looking(true);
    if (!SDL_CreateThread(listen_thread, "listen", &w))
        fail("thread");
    while (SDL_WaitEvent(&e))
        event(&w, &e);
    fail("events");
    return 1;
}
