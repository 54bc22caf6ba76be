/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * display/sdl.h: a window on this machine's screen, as control/ sees it. The
 * window is the helper program portico-sdl (display/sdl/), which gets the
 * picture and sends keys as portico-vnc does (display/protocol.h): what talks
 * to the X server and the graphics driver has no guest memory and no disk.
 */
#pragma once
#include <stdbool.h>
#include "hw/core/err.h"

struct display;
struct uv_loop_s;
struct sdl;

struct sdl_options {    /* nothing is kept after sdl_open() returns */
    const char *name;   /* the guest's, for the title; NULL: "portico" */
    const char *helper; /* path of portico-sdl */
    bool full_screen;
    bool keep_open;            /* closing the window does nothing */
    void (*closed)(void *arg); /* it was closed; not called with keep_open */
    void *arg;
};

/*
 * Opens the window: -errno and a line in err when the helper cannot be run or finds no display
 * within ten seconds. d and loop must outlive *out.
 */
int sdl_open(struct sdl **out, struct uv_loop_s *loop, struct display *d,
             const struct sdl_options *o, struct err *err);
void sdl_close(struct sdl *s); /* NULL is fine; its handles close in the loop's next turns */
