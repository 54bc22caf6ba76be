/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A card that paints a pattern, input devices that take notes, and a VNC display on them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>
#include "display/display.h"
#include "display/vnc.h"
#include "tests/unit/qt.h"
#include "tests/unit/vnc-client.h"

#define EVENTS 256

/* There is no device whose state could be reloaded: the second run of each is left out. */
#define VNC_TEST(name)                                                                             \
    static void once_##name(void);                                                                 \
    TEST(name)                                                                                     \
    {                                                                                              \
        static bool ran;                                                                           \
        if (!ran) {                                                                                \
            ran = true;                                                                            \
            once_##name();                                                                         \
        }                                                                                          \
    }                                                                                              \
    static void once_##name(void)

struct world {
    uv_loop_t loop;
    struct display *display;
    struct vnc *vnc;
    struct vnc_info info;
    struct err err;
    uint32_t width, height, seed; /* of the card's picture */
    uint32_t drawn_width, drawn_height;
    struct rect change;      /* to be painted anew at the next draw */
    struct rect copy;        /* a part that moves up by 16 lines at the next draw */
    uint32_t want_w, want_h; /* as a viewer would like it */
    unsigned draws;
    unsigned nevents;
    struct {
        char what; /* key, rel, abs */
        int a, b, c, d;
    } events[EVENTS];
};

extern const struct input_ops keyboard_mouse, tablet;

uint32_t pattern(uint32_t seed, uint32_t x, uint32_t y);
unsigned open_files(void);
struct world *world_new(void);
struct vnc_options usual(void);
int world_open(struct world *w, const struct vnc_options *o);
struct world *world_usual(void);
pid_t child(void);
void world_free(struct world *w);
bool shows(const struct rfb *c, const struct world *w, uint32_t seed);
bool visit(struct rfb *c, struct world *w);
unsigned clients(const struct world *w);
void n_events(struct world *w, unsigned n);
bool event_is(const struct world *w, unsigned n, char what, int a, int b, int c, int d);
bool lets_in(struct world *w, const char *password);
