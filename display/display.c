/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen between a card and its viewers, and the keys and pointer that go
 * the other way. The picture lives in a memfd so that a viewer process can map
 * it; it is made when somebody first looks and given back when nobody has
 * looked for a while.
 */
#include "display/display.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>
#include "hw/core/log.h"

#define VIEWERS       16
#define INPUTS        16
#define KEY_CODES     0x300 /* KEY_CNT of linux/input-event-codes.h */
#define KEY_WORDS     (KEY_CODES / 64)
#define ABS_MAX_VALUE 32767
#define PLACE_MAX     (1 << 24) /* a mouse without places may go on beyond the screen */

#define FAST_MS    10   /* between frames while the picture changes */
#define SHARE      4    /* drawing takes at most this part of the time: one in so many */
#define SLOW_MS    250  /* and at most when it stands still */
#define GAP_MS     5    /* a wake-up never draws sooner than this after a frame */
#define RELEASE_MS 5000 /* the surface goes this long after the last look */

struct viewer {
    const struct viewer_ops *ops; /* NULL: free slot */
    void *ctx;
};

struct input {
    const struct input_ops *ops;
    void *dev;
};

struct display {
    const struct card_ops *card_ops;
    void *card;
    struct surface surface; /* pixels NULL: none */
    struct viewer viewers[VIEWERS];
    struct input inputs[INPUTS]; /* oldest first */
    unsigned ninputs;
    bool damaged; /* in the present draw */
    bool idle;    /* nobody looked since the last frame */
    unsigned interval;
    unsigned gap;       /* ms the next frame must wait for the last one's sake */
    uint64_t last_draw; /* loop time in ms */
    uv_loop_t *loop;
    uv_timer_t timer;
    uint64_t keys[KEY_WORDS]; /* down, as the devices were told */
    uint32_t width, height;   /* of the last picture, for scaling the pointer */
    int x, y;                 /* pointer */
    bool have_pointer;
    unsigned buttons, leds;
    void (*tap)(void *arg, const struct input_event *e);
    void *tap_arg;
};

static void display_tell_surface(struct display *d)
{
    for (unsigned i = 0; i < VIEWERS; i++) {
        struct viewer *v = &d->viewers[i];

        if (v->ops && v->ops->resized)
            v->ops->resized(v->ctx, d->surface.pixels ? &d->surface : NULL);
    }
}

static void surface_release(struct surface *s)
{
    if (!s->pixels)
        return;
    munmap(s->pixels, (size_t)s->stride * s->height);
    close(s->fd);
    *s = (struct surface){ .fd = -1 };
}

/* Ours stays writable; where the kernel knows how, nobody can map it writable any more. */
static bool surface_seal(int fd)
{
    int seals = F_SEAL_GROW | F_SEAL_SHRINK;

#ifdef F_SEAL_FUTURE_WRITE
    if (!fcntl(fd, F_ADD_SEALS, seals | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL))
        return true;
#endif
    return !fcntl(fd, F_ADD_SEALS, seals | F_SEAL_SEAL);
}

static bool surface_make(struct surface *s, uint32_t w, uint32_t h)
{
    size_t size = (size_t)w * 4 * h;
    int fd = memfd_create("portico-screen", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    void *p;

    if (fd < 0)
        return false;
    if (ftruncate(fd, size))
        goto fail;
    p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        goto fail;
    if (!surface_seal(fd)) {
        munmap(p, size);
        goto fail;
    }
    *s = (struct surface){ .width = w, .height = h, .stride = w * 4, .pixels = p, .fd = fd };
    return true;
fail:
    close(fd);
    return false;
}

static bool display_looked_at(const struct display *d)
{
    for (unsigned i = 0; i < VIEWERS; i++) {
        const struct viewer *v = &d->viewers[i];

        if (v->ops && (!v->ops->looking || v->ops->looking(v->ctx)))
            return true;
    }
    return false;
}

static void display_draw(struct display *d, bool all)
{
    uint64_t begin = uv_hrtime();

    d->damaged = false;
    if (!d->card_ops)
        return;
    all |= d->idle || !d->surface.pixels;
    d->idle = false;
    d->card_ops->draw(d->card, d, all);
    d->gap = (unsigned)((uv_hrtime() - begin) * SHARE / 1000000);
    if (d->loop)
        d->last_draw = uv_now(d->loop);
}

static void display_tick(uv_timer_t *timer);

static void display_arm(struct display *d, uint64_t ms)
{
    uv_timer_start(&d->timer, display_tick, ms, 0);
}

static void display_tick(uv_timer_t *timer)
{
    struct display *d = timer->data;

    if (!display_looked_at(d)) {
        uint64_t age = uv_now(d->loop) - d->last_draw;

        d->idle = true;
        if (!d->surface.pixels)
            return;
        if (age < RELEASE_MS) {
            display_arm(d, RELEASE_MS - age);
            return;
        }
        surface_release(&d->surface);
        display_tell_surface(d);
        return;
    }
    display_draw(d, false);
    if (d->damaged)
        d->interval = FAST_MS;
    else
        d->interval += d->interval / 4;
    if (d->interval > SLOW_MS)
        d->interval = SLOW_MS;
    display_arm(d, d->interval > d->gap ? d->interval : d->gap);
}

/* Draws as soon as the gap after the last frame allows. */
static void display_soon(struct display *d)
{
    uint64_t age, gap;

    if (!d->loop || !display_looked_at(d))
        return;
    age = uv_now(d->loop) - d->last_draw;
    d->interval = FAST_MS;
    gap = d->gap > GAP_MS ? d->gap : GAP_MS;
    display_arm(d, age >= gap ? 0 : gap - age);
}

struct display *display_new(struct uv_loop_s *loop)
{
    struct display *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->surface.fd = -1;
    d->interval = FAST_MS;
    d->idle = true;
    d->loop = loop;
    if (loop) {
        uv_timer_init(loop, &d->timer);
        d->timer.data = d;
    }
    return d;
}

static void display_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void display_free(struct display *d)
{
    if (!d)
        return;
    surface_release(&d->surface);
    if (d->loop)
        uv_close((uv_handle_t *)&d->timer, display_closed);
    else
        free(d);
}

void display_set_card(struct display *d, const struct card_ops *ops, void *card)
{
    d->card_ops = ops;
    d->card = card;
    d->idle = true; /* whatever it draws first, it draws whole */
}

struct surface *display_resize(struct display *d, uint32_t w, uint32_t h)
{
    struct surface fresh;

    if (!w || !h || w > SURFACE_MAX_WIDTH || h > SURFACE_MAX_HEIGHT)
        return NULL;
    if (d->surface.pixels && d->surface.width == w && d->surface.height == h)
        return &d->surface;
    if (!surface_make(&fresh, w, h)) {
        log_line("display: no memory for a %ux%u screen", w, h);
        return NULL;
    }
    surface_release(&d->surface);
    d->surface = fresh;
    d->width = w;
    d->height = h;
    display_tell_surface(d);
    return &d->surface;
}

/* The part of [at, at + len) that lies in [0, limit). */
static void clip(int32_t *at, int32_t *len, uint32_t limit)
{
    int64_t from = *at, to = from + *len;

    if (from < 0)
        from = 0;
    if (to > limit)
        to = limit;
    *at = from;
    *len = to > from ? to - from : 0;
}

void display_damage(struct display *d, struct rect r)
{
    if (!d->surface.pixels)
        return;
    clip(&r.x, &r.w, d->surface.width);
    clip(&r.y, &r.h, d->surface.height);
    if (!r.w || !r.h)
        return;
    d->damaged = true;
    for (unsigned i = 0; i < VIEWERS; i++) {
        struct viewer *v = &d->viewers[i];

        if (v->ops && v->ops->damaged)
            v->ops->damaged(v->ctx, &d->surface, r);
    }
}

static bool inside(const struct surface *s, int x, int y, int w, int h)
{
    return x >= 0 && y >= 0 && w > 0 && h > 0 && (int64_t)x + w <= s->width &&
           (int64_t)y + h <= s->height;
}

void display_copied(struct display *d, struct rect to, int from_x, int from_y)
{
    const struct surface *s = &d->surface;

    if (!s->pixels || !inside(s, to.x, to.y, to.w, to.h) ||
        !inside(s, from_x, from_y, to.w, to.h)) {
        display_damage(d, to);
        return;
    }
    d->damaged = true;
    for (unsigned i = 0; i < VIEWERS; i++) {
        struct viewer *v = &d->viewers[i];

        if (v->ops && v->ops->copied)
            v->ops->copied(v->ctx, s, to, from_x, from_y);
        else if (v->ops && v->ops->damaged)
            v->ops->damaged(v->ctx, s, to);
    }
}

void display_cursor(struct display *d, const struct surface *img, int hx, int hy)
{
    for (unsigned i = 0; i < VIEWERS; i++) {
        struct viewer *v = &d->viewers[i];

        if (v->ops && v->ops->cursor)
            v->ops->cursor(v->ctx, img, hx, hy);
    }
}

void display_add_viewer(struct display *d, const struct viewer_ops *ops, void *viewer)
{
    for (unsigned i = 0; i < VIEWERS; i++) {
        if (d->viewers[i].ops)
            continue;
        d->viewers[i] = (struct viewer){ ops, viewer };
        if (d->surface.pixels && ops->resized)
            ops->resized(viewer, &d->surface);
        display_wake(d);
        return;
    }
    log_line("display: more than %d viewers: one is left out", VIEWERS);
}

void display_remove_viewer(struct display *d, void *viewer)
{
    for (unsigned i = 0; i < VIEWERS; i++) {
        if (d->viewers[i].ops && d->viewers[i].ctx == viewer)
            d->viewers[i] = (struct viewer){ 0 };
    }
}

void display_wake(struct display *d)
{
    display_soon(d);
}

const struct surface *display_refresh(struct display *d, bool all)
{
    display_draw(d, all);
    if (d->loop && !display_looked_at(d))
        display_arm(d, RELEASE_MS); /* a screenshot's surface is not kept for ever */
    return d->card_ops && d->surface.pixels ? &d->surface : NULL;
}

char *display_text(struct display *d)
{
    return d->card_ops && d->card_ops->text ? d->card_ops->text(d->card) : NULL;
}

bool display_want_size(struct display *d, uint32_t w, uint32_t h)
{
    if (!d->card_ops || !d->card_ops->want_size || !w || !h || w > SURFACE_MAX_WIDTH ||
        h > SURFACE_MAX_HEIGHT)
        return false;
    d->card_ops->want_size(d->card, w, h);
    return true;
}

bool display_takes_size(const struct display *d)
{
    return d->card_ops && d->card_ops->want_size;
}

void display_set_leds(struct display *d, unsigned leds)
{
    if (leds == d->leds)
        return;
    d->leds = leds;
    for (unsigned i = 0; i < VIEWERS; i++) {
        const struct viewer *v = &d->viewers[i];

        if (v->ops && v->ops->leds)
            v->ops->leds(v->ctx, leds);
    }
}

unsigned display_leds(const struct display *d)
{
    return d->leds;
}

struct screen_cells *display_cells(struct display *d)
{
    return d->card_ops && d->card_ops->cells ? d->card_ops->cells(d->card) : NULL;
}

const uint8_t *display_rom(struct display *d, size_t *len)
{
    *len = 0;
    return d->card_ops && d->card_ops->rom ? d->card_ops->rom(d->card, len) : NULL;
}

void display_add_input(struct display *d, const struct input_ops *ops, void *dev)
{
    if (d->ninputs == INPUTS) {
        log_line("display: more than %d input devices: one is left out", INPUTS);
        return;
    }
    d->inputs[d->ninputs++] = (struct input){ ops, dev };
}

void display_remove_input(struct display *d, void *dev)
{
    unsigned n = 0;

    for (unsigned i = 0; i < d->ninputs; i++) {
        if (d->inputs[i].dev != dev)
            d->inputs[n++] = d->inputs[i];
    }
    d->ninputs = n;
}

static bool input_takes(const struct input_ops *ops, const struct input_event *e)
{
    return e->kind == INPUT_KEY   ? ops->key != NULL
           : e->kind == INPUT_REL ? ops->rel != NULL
                                  : ops->abs != NULL;
}

static void input_tell(struct display *d, const struct input *in, const struct input_event *e)
{
    const int *v = e->v;

    if (d->tap)
        d->tap(d->tap_arg, e);
    if (e->kind == INPUT_KEY)
        in->ops->key(in->dev, (uint16_t)v[0], v[1]);
    else if (e->kind == INPUT_REL)
        in->ops->rel(in->dev, v[0], v[1], v[2], (unsigned)v[3]);
    else
        in->ops->abs(in->dev, (uint16_t)v[0], (uint16_t)v[1], v[2], (unsigned)v[3]);
    if (d->tap)
        d->tap(d->tap_arg, NULL);
}

void display_tap(struct display *d, void (*tap)(void *arg, const struct input_event *e), void *arg)
{
    d->tap = tap;
    d->tap_arg = arg;
}

void display_inject(struct display *d, const struct input_event *e)
{
    for (unsigned i = d->ninputs; i-- > 0;) {
        if (input_takes(d->inputs[i].ops, e)) {
            input_tell(d, &d->inputs[i], e);
            return;
        }
    }
}

void display_key(struct display *d, uint16_t code, bool down)
{
    struct input_event e = { INPUT_KEY, { code, down } };
    uint64_t bit = 1ULL << (code % 64);

    if (code >= KEY_CODES)
        return;
    for (unsigned i = d->ninputs; i-- > 0;) {
        const struct input *in = &d->inputs[i];

        if (!in->ops->key)
            continue;
        if (down)
            d->keys[code / 64] |= bit;
        else
            d->keys[code / 64] &= ~bit;
        input_tell(d, in, &e);
        break;
    }
    display_soon(d);
}

static int clamp(int val, int min, int max)
{
    return val < min ? min : val > max ? max : val;
}

/* A surface coordinate as a part of the whole screen. */
static uint16_t to_abs(int at, uint32_t size)
{
    if (size < 2)
        return 0;
    return (int64_t)clamp(at, 0, (int)size - 1) * ABS_MAX_VALUE / (size - 1);
}

static const struct input *find_abs(const struct display *d)
{
    for (unsigned i = d->ninputs; i-- > 0;) {
        if (d->inputs[i].ops->abs)
            return &d->inputs[i];
    }
    return NULL;
}

static const struct input *find_rel(const struct display *d)
{
    for (unsigned i = d->ninputs; i-- > 0;) {
        if (d->inputs[i].ops->rel)
            return &d->inputs[i];
    }
    return NULL;
}

void display_pointer(struct display *d, int x, int y, int dz, unsigned buttons)
{
    const struct input *in = find_abs(d);
    int dx, dy;

    x = clamp(x, -PLACE_MAX, PLACE_MAX);
    y = clamp(y, -PLACE_MAX, PLACE_MAX);
    dx = d->have_pointer ? x - d->x : 0;
    dy = d->have_pointer ? y - d->y : 0;
    d->x = x;
    d->y = y;
    d->have_pointer = true;
    d->buttons = buttons;
    if (in) {
        struct input_event e = { INPUT_ABS,
                                 { to_abs(x, d->width), to_abs(y, d->height), dz, (int)buttons } };

        input_tell(d, in, &e);
    } else {
        struct input_event e = { INPUT_REL, { dx, dy, dz, (int)buttons } };

        in = find_rel(d);
        if (in)
            input_tell(d, in, &e);
    }
    display_soon(d);
}

bool display_pointer_is_absolute(const struct display *d)
{
    return find_abs(d) != NULL;
}

void display_release_all(struct display *d)
{
    for (unsigned code = 0; code < KEY_CODES; code++) {
        if (d->keys[code / 64] & 1ULL << (code % 64))
            display_key(d, code, false);
    }
    memset(d->keys, 0, sizeof(d->keys));
    if (d->buttons)
        display_pointer(d, d->x, d->y, 0, 0);
}
