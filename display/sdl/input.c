/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-sdl: keys and pointer. A guest with a tablet is told places; for one
 * with a mouse the pointer is grabbed by a click, and its movement is told.
 * Ctrl-Alt-G grabs and releases, Ctrl-Alt-F is full screen, Ctrl-Alt-U the
 * guest's own size; these keys the guest does not see.
 */
#include "display/display.h"
#include "display/sdl/window.h"

static void say_key(uint16_t code, bool down)
{
    struct viewer_msg m = { .type = VM_KEY };

    m.key.code = code;
    m.key.down = down;
    say(&m);
}

static void say_pointer(const struct window *w, int dx, int dy, int dz)
{
    struct viewer_msg m = { .type = VM_POINTER };

    m.pointer.relative = !w->absolute;
    m.pointer.x = w->absolute ? w->x : dx;
    m.pointer.y = w->absolute ? w->y : dy;
    m.pointer.dz = dz < -16 ? -16 : dz > 16 ? 16 : dz;
    m.pointer.buttons = w->buttons;
    say(&m);
}

void input_grab(struct window *w, bool grab)
{
    if (w->grabbed == grab)
        return;
    w->grabbed = grab;
    SDL_SetWindowKeyboardGrab(w->win, grab);
    SDL_SetRelativeMouseMode(grab && !w->absolute);
    set_title(w);
}

/* Ctrl-Alt-KEY; true: it was ours. */
static bool hot_key(struct window *w, const SDL_KeyboardEvent *e)
{
    if (!(e->keysym.mod & KMOD_CTRL) || !(e->keysym.mod & KMOD_ALT))
        return false;
    switch (e->keysym.scancode) {
    case SDL_SCANCODE_G:
        input_grab(w, !w->grabbed);
        return true;
    case SDL_SCANCODE_F:
        toggle_full_screen(w);
        return true;
    case SDL_SCANCODE_U:
        natural_size(w);
        return true;
    default:
        return false;
    }
}

void input_key(struct window *w, const SDL_KeyboardEvent *e)
{
    bool down = e->state == SDL_PRESSED;
    uint16_t code = key_code(e->keysym.scancode);

    if (!code || (down && hot_key(w, e)) || (!down && !w->down[e->keysym.scancode]))
        return;
    w->down[e->keysym.scancode] = down;
    say_key(code, down);
}

void input_release(struct window *w)
{
    for (unsigned i = 0; i < SDL_NUM_SCANCODES; i++) {
        if (w->down[i])
            say_key(key_code((SDL_Scancode)i), false);
        w->down[i] = false;
    }
    if (!w->buttons)
        return;
    w->buttons = 0;
    say_pointer(w, 0, 0, 0);
}

void input_motion(struct window *w, const SDL_MouseMotionEvent *e)
{
    w->x = e->x;
    w->y = e->y;
    if (w->absolute || w->grabbed)
        say_pointer(w, e->xrel, e->yrel, 0);
}

static uint32_t button_bit(uint8_t button)
{
    return button == SDL_BUTTON_LEFT     ? BUTTON_LEFT
           : button == SDL_BUTTON_RIGHT  ? BUTTON_RIGHT
           : button == SDL_BUTTON_MIDDLE ? BUTTON_MIDDLE
                                         : 0;
}

void input_button(struct window *w, const SDL_MouseButtonEvent *e)
{
    uint32_t bit = button_bit(e->button);

    if (!w->absolute && !w->grabbed) { /* the click that grabs is not the guest's */
        if (e->state == SDL_PRESSED && bit == BUTTON_LEFT)
            input_grab(w, true);
        return;
    }
    w->x = e->x;
    w->y = e->y;
    w->buttons = e->state == SDL_PRESSED ? w->buttons | bit : w->buttons & ~bit;
    say_pointer(w, 0, 0, 0);
}

void input_wheel(struct window *w, const SDL_MouseWheelEvent *e)
{
    if (e->y && (w->absolute || w->grabbed))
        say_pointer(w, 0, 0, -e->y);
}
