/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world of the VNC tests, see the header. */
#include "tests/unit/vnc-world.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the card and the input devices ---- */

uint32_t pattern(uint32_t seed, uint32_t x, uint32_t y)
{
    return (x * 7 + y * 13 + seed * 101) * 2654435761u & 0xffffff;
}

static void card_draw(void *card, struct display *d, bool all)
{
    struct world *w = card;
    struct surface *s = display_resize(d, w->width, w->height);
    bool whole = all || w->width != w->drawn_width || w->height != w->drawn_height;
    struct rect r = whole ? (struct rect){ 0, 0, (int)w->width, (int)w->height } : w->change;

    w->drawn_width = w->width;
    w->drawn_height = w->height;
    w->draws++;
    if (s && w->copy.w) {
        struct rect to = { w->copy.x, w->copy.y - 16, w->copy.w, w->copy.h };
        memmove((char *)s->pixels + (size_t)to.y * s->stride,
                (char *)s->pixels + (size_t)w->copy.y * s->stride, (size_t)s->stride * to.h);
        display_copied(d, to, w->copy.x, w->copy.y);
        w->copy = (struct rect){ 0 };
    }
    if (!s || r.w == 0)
        return;
    for (int y = r.y; y < r.y + r.h; y++) {
        for (int x = r.x; x < r.x + r.w; x++)
            s->pixels[(size_t)y * s->stride / 4 + x] = pattern(w->seed, x, y);
    }
    w->change = (struct rect){ 0 };
    display_damage(d, r);
}

static void card_want_size(void *card, uint32_t width, uint32_t height)
{
    struct world *w = card;

    w->want_w = width;
    w->want_h = height;
}

static const struct card_ops card = { .draw = card_draw, .want_size = card_want_size };

static void note(struct world *w, char what, int a, int b, int c, int d)
{
    if (w->nevents == EVENTS)
        return;
    w->events[w->nevents].what = what;
    w->events[w->nevents].a = a;
    w->events[w->nevents].b = b;
    w->events[w->nevents].c = c;
    w->events[w->nevents++].d = d;
}

static void on_key(void *dev, uint16_t code, bool down)
{
    note(dev, 'k', code, down, 0, 0);
}

static void on_rel(void *dev, int dx, int dy, int dz, unsigned buttons)
{
    note(dev, 'r', dx, dy, dz, (int)buttons);
}

static void on_abs(void *dev, uint16_t x, uint16_t y, int dz, unsigned buttons)
{
    note(dev, 'a', x, y, dz, (int)buttons);
}

const struct input_ops keyboard_mouse = { .key = on_key, .rel = on_rel };
const struct input_ops tablet = { .abs = on_abs };

/* ---- a world with a display ---- */

unsigned open_files(void)
{
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));

    uv_loop_init(&w->loop);
    w->width = 720;
    w->height = 400;
    w->display = display_new(&w->loop);
    display_set_card(w->display, &card, w);
    display_add_input(w->display, &keyboard_mouse, w);
    return w;
}

/* The options every test begins with: a free port of the loopback. */
struct vnc_options usual(void)
{
    return (struct vnc_options){ .host = "127.0.0.1",
                                 .display = 200 + (int)getpid() % 5000,
                                 .to = 50000,
                                 .name = "test guest",
                                 .helper = PORTICO_VNC };
}

int world_open(struct world *w, const struct vnc_options *o)
{
    int rc = vnc_open(&w->vnc, &w->loop, w->display, o, &w->err);

    if (!rc)
        vnc_query(w->vnc, &w->info);
    return rc;
}

struct world *world_usual(void)
{
    struct world *w = world_new();
    struct vnc_options o = usual();

    CHECK(world_open(w, &o) == 0);
    return w;
}

/* The first child process, 0: none. */
pid_t child(void)
{
    char path[64], list[256] = "";
    int fd;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, list, sizeof(list) - 1) < 0)
        list[0] = 0;
    close(fd);
    return (pid_t)strtol(list, NULL, 10);
}

void world_free(struct world *w)
{
    vnc_close(w->vnc);
    display_free(w->display);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&w->loop) == 0);
    CHECK_EQ(child(), 0);
    free(w);
}

bool shows(const struct rfb *c, const struct world *w, uint32_t seed)
{
    if (c->width != w->width || c->height != w->height) {
        printf("%u x %u, not %u x %u\n", c->width, c->height, w->width, w->height);
        return false;
    }
    for (uint32_t y = 0; y < c->height; y++) {
        for (uint32_t x = 0; x < c->width; x++) {
            uint32_t is = c->pixels[(size_t)y * c->width + x] & 0xffffff;
            if (is != pattern(seed, x, y)) {
                printf("%06x, not %06x at %u, %u\n", is, pattern(seed, x, y), x, y);
                return false;
            }
        }
    }
    return true;
}

/* Connects, logs in without a password and waits for the whole picture. */
bool visit(struct rfb *c, struct world *w)
{
    static const int32_t enc[] = { 0, RFB_SIZE, RFB_SCANCODES };

    if (!rfb_connect(c, &w->loop, w->info.service) || !rfb_login(c, NULL))
        return false;
    rfb_encodings(c, enc, 3);
    rfb_request(c, false);
    return rfb_update(c);
}

unsigned clients(const struct world *w)
{
    struct vnc_info i;

    vnc_query(w->vnc, &i);
    return i.nclients;
}

/* Until the devices have had n events, and a little longer: there should not be more. */
void n_events(struct world *w, unsigned n)
{
    for (unsigned i = 0; i < 200 && w->nevents < n; i++)
        rfb_pump(&w->loop, 10);
    rfb_pump(&w->loop, 30);
}

bool event_is(const struct world *w, unsigned n, char what, int a, int b, int c, int d)
{
    if (n < w->nevents && w->events[n].what == what && w->events[n].a == a && w->events[n].b == b &&
        w->events[n].c == c && w->events[n].d == d)
        return true;
    printf("event %u of %u is %c %d %d %d %d\n", n, w->nevents,
           n < w->nevents ? w->events[n].what : '-', n < w->nevents ? w->events[n].a : 0,
           n < w->nevents ? w->events[n].b : 0, n < w->nevents ? w->events[n].c : 0,
           n < w->nevents ? w->events[n].d : 0);
    return false;
}

bool lets_in(struct world *w, const char *password)
{
    struct rfb c;
    bool in;

    CHECK(rfb_connect(&c, &w->loop, w->info.service));
    in = rfb_login(&c, password);
    rfb_close(&c);
    return in;
}
