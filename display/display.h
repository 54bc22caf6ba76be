/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * display/display.h: a card draws, a viewer looks; neither calls the other's
 * name. Keys and pointer go the other way.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct screen_cells;
struct uv_loop_s;

#define SURFACE_MAX_WIDTH  4096
#define SURFACE_MAX_HEIGHT 4096

struct rect {
    int32_t x, y, w, h;
};

struct surface {                    /* always 32-bit xRGB, little endian */
    uint32_t width, height, stride; /* stride in bytes */
    uint32_t *pixels;               /* owned by the display: a mapped memfd */
    int fd;                         /* the memfd, at least stride * height bytes, grow-sealed */
};

struct display;
/* draw: bring the surface up to date: resize, paint what changed (all: everything), damage. */
struct card_ops {
    void (*draw)(void *card, struct display *d, bool all);
    /* Text the screen shows, for tests and people: rows joined by '\n'; NULL in graphics modes.
     * The caller frees it. The op may be NULL. */
    char *(*text)(void *card);
    /* The same as cells (display/screen-text.h). May be NULL. */
    struct screen_cells *(*cells)(void *card);
    /* The card's firmware, whose fonts graphics modes show; NULL: none. May be NULL. */
    const uint8_t *(*rom)(void *card, size_t *len);
    /* A viewer would like the picture this large: offer it to the guest (EDID). May be NULL. */
    void (*want_size)(void *card, uint32_t w, uint32_t h);
};
struct viewer_ops {
    /* A new surface: new fd. NULL: it went, nobody was looking; the next look makes another. */
    void (*resized)(void *viewer, const struct surface *s);
    void (*damaged)(void *viewer, const struct surface *s, struct rect r);
    void (*cursor)(void *viewer, const struct surface *img, int hx, int hy); /* may be NULL */
    /* True when this viewer wants pictures now. With none, nothing is ever drawn. */
    bool (*looking)(void *viewer);
    void (*leds)(void *viewer, unsigned leds); /* LED_*; may be NULL */
    /* As display_copied() has it. NULL: damaged() is told instead. */
    void (*copied)(void *viewer, const struct surface *s, struct rect to, int from_x, int from_y);
};

/*
 * loop may be NULL (tests): then nothing is drawn but by display_refresh().
 * With a loop, a timer draws while any viewer is looking: every 10 ms while
 * the picture changes, less often (up to 250 ms) when it stands still, and
 * soon after a key or pointer event.
 */
struct display *display_new(struct uv_loop_s *loop);
void display_free(struct display *d);

/* The card's side. */
void display_set_card(struct display *d, const struct card_ops *ops, void *card);
/* A surface of w x h, zeroed when new; NULL (and no change) when 0 or over the maximum. */
struct surface *display_resize(struct display *d, uint32_t w, uint32_t h);
void display_damage(struct display *d, struct rect r); /* clipped to the surface */
/*
 * Pixels moved: `to` now shows what was at (from_x, from_y), all inside the
 * surface, which has been painted already. Told in draw(), before the damage of
 * the same draw; a viewer that cannot make use of it takes it as damage of `to`.
 */
void display_copied(struct display *d, struct rect to, int from_x, int from_y);
/* The card's own pointer, for cards that have one: img NULL for none; hx, hy: its hot spot. */
void display_cursor(struct display *d, const struct surface *img, int hx, int hy);

/* The viewers' side. */
void display_add_viewer(struct display *d, const struct viewer_ops *ops, void *viewer);
void display_remove_viewer(struct display *d, void *viewer);
void display_wake(struct display *d); /* a viewer began to look, or asked for a frame */
/* Draws now and returns the current surface (NULL: there is no card or no picture). */
const struct surface *display_refresh(struct display *d, bool all);
char *display_text(struct display *d); /* see card_ops.text */
struct screen_cells *display_cells(struct display *d);
const uint8_t *display_rom(struct display *d, size_t *len);
/* A viewer's wish; false: there is no card that could pass it on, or no such size can be. */
bool display_want_size(struct display *d, uint32_t w, uint32_t h);
bool display_takes_size(const struct display *d); /* is there such a card? */

/* Input. Keys are Linux evdev codes (KEY_A = 30, linux/input-event-codes.h). */
#define BUTTON_LEFT   0x01
#define BUTTON_RIGHT  0x02
#define BUTTON_MIDDLE 0x04
struct input_ops { /* NULL where the device has no such thing */
    void (*key)(void *dev, uint16_t evdev_code, bool down);
    void (*rel)(void *dev, int dx, int dy, int dz, unsigned buttons);
    /* x, y: 0..32767 over the whole screen */
    void (*abs)(void *dev, uint16_t x, uint16_t y, int dz, unsigned buttons);
};
struct input_event {
    enum { INPUT_KEY, INPUT_REL, INPUT_ABS } kind;
    int v[4]; /* the numbers of input_ops, in its order */
};
/* tap is called before a device hears of input, and with NULL behind that. */
void display_tap(struct display *d, void (*tap)(void *arg, const struct input_event *e), void *arg);
/* What a tap heard, told to the device that takes such input now. */
void display_inject(struct display *d, const struct input_event *e);
/* A device that takes input. The newest that has the op gets the event. */
void display_add_input(struct display *d, const struct input_ops *ops, void *dev);
void display_remove_input(struct display *d, void *dev);
void display_key(struct display *d, uint16_t evdev_code, bool down);
/* x, y in surface pixels: told as abs where a device has it, else as the difference to the last. */
void display_pointer(struct display *d, int x, int y, int dz, unsigned buttons);
bool display_pointer_is_absolute(const struct display *d);
/* What the guest shows on its keyboard; viewers are told of changes. */
#define LED_SCROLL 0x01
#define LED_NUM    0x02
#define LED_CAPS   0x04
void display_set_leds(struct display *d, unsigned leds);
unsigned display_leds(const struct display *d);
/* Releases every key and button, for one who does not know which are its own. */
void display_release_all(struct display *d);

/* display/png.c, display/ppm.c: write the surface to fd. 0 or -errno. */
int surface_write_png(const struct surface *s, int fd);
int surface_write_ppm(const struct surface *s, int fd);
