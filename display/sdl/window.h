/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of portico-sdl share. */
#pragma once
#include <SDL2/SDL.h>
#include <stdbool.h>
#include <stdint.h>
#include "display/protocol.h"

#define EXIT_GONE 3 /* portico-dm hung up */

struct window {
    SDL_Window *win;
    SDL_Renderer *renderer;
    SDL_Texture *texture; /* as large as the picture; NULL: no picture */
    const uint8_t *pixels;
    size_t len;
    uint32_t width, height, stride;
    uint32_t heard; /* SDL's number of the event that carries a message */
    char name[64];
    bool keep_open, absolute, grabbed, full, sized; /* sized: by the user, who is not overruled */
    bool down[SDL_NUM_SCANCODES];                   /* keys that the guest was told of */
    uint32_t buttons;
    int x, y;
};

struct heard { /* of a message that arrived; data1 of the event, to be freed */
    struct viewer_msg m;
    int fd;
};

/* keys.c: evdev's code of a key; 0: it has none */
uint16_t key_code(SDL_Scancode code);

/* input.c */
void input_key(struct window *w, const SDL_KeyboardEvent *e);
void input_motion(struct window *w, const SDL_MouseMotionEvent *e);
void input_button(struct window *w, const SDL_MouseButtonEvent *e);
void input_wheel(struct window *w, const SDL_MouseWheelEvent *e);
void input_release(struct window *w); /* the window has lost the keyboard */
void input_grab(struct window *w, bool grab);

/* main.c */
void say(const struct viewer_msg *m);
void toggle_full_screen(struct window *w);
void natural_size(struct window *w); /* one pixel of the guest is one of the window */
void set_title(const struct window *w);
