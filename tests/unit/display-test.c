/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Surfaces, viewers, the refresh timer, input, and pictures in files. */
#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>
#include "display/display.h"
#include "display/screen-text.h"
#include "tests/unit/qt.h"

/* ---- a card and a viewer that count ---- */

struct fake_card {
    unsigned draws, whole;
    uint32_t w, h;
    bool changing;
};

static void fake_draw(void *card, struct display *d, bool all)
{
    struct fake_card *c = card;

    c->draws++;
    c->whole += all;
    if (display_resize(d, c->w, c->h) && (all || c->changing))
        display_damage(d, (struct rect){ 1, 2, 3, 4 });
}

static const struct card_ops fake_card_ops = { .draw = fake_draw };

struct fake_viewer {
    unsigned resized, damaged;
    const struct surface *surface;
    struct rect last;
    bool looking;
};

static void fake_resized(void *viewer, const struct surface *s)
{
    struct fake_viewer *v = viewer;

    v->resized++;
    v->surface = s;
}

static void fake_damaged(void *viewer, const struct surface *s, struct rect r)
{
    struct fake_viewer *v = viewer;

    v->damaged++;
    v->last = r;
}

static bool fake_looking(void *viewer)
{
    return ((struct fake_viewer *)viewer)->looking;
}

static const struct viewer_ops fake_viewer_ops = { .resized = fake_resized,
                                                   .damaged = fake_damaged,
                                                   .looking = fake_looking };

static bool rect_is(struct rect r, int x, int y, int w, int h)
{
    return r.x == x && r.y == y && r.w == w && r.h == h;
}

/* ---- surfaces ---- */

TEST(surfaces_are_sealed_and_bounded)
{
    struct display *d = display_new(NULL);
    struct surface *s = display_resize(d, 100, 50);
    int seals;
    void *p;

    CHECK(s && s->width == 100 && s->height == 50 && s->stride >= 400 && s->pixels[99] == 0);
    s->pixels[0] = 0x123456;
    CHECK(display_resize(d, 100, 50) == s && s->pixels[0] == 0x123456);
    seals = fcntl(s->fd, F_GET_SEALS);
    CHECK((seals & (F_SEAL_GROW | F_SEAL_SHRINK)) == (F_SEAL_GROW | F_SEAL_SHRINK));
    CHECK(ftruncate(s->fd, 1) != 0);
    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    CHECK(p == MAP_FAILED); /* a viewer may look, not paint */
    p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, s->fd, 0);
    CHECK(p != MAP_FAILED && *(uint32_t *)p == 0x123456);
    munmap(p, 4096);
    CHECK(!display_resize(d, 0, 50) && !display_resize(d, 100, 0));
    CHECK(!display_resize(d, SURFACE_MAX_WIDTH + 1, 1));
    CHECK(!display_resize(d, 1, UINT32_MAX));
    CHECK(display_resize(d, 100, 50)->pixels[0] == 0x123456);
    CHECK(display_resize(d, SURFACE_MAX_WIDTH, 1) != NULL);
    display_free(d);
}

TEST(damage_is_clipped)
{
    struct display *d = display_new(NULL);
    struct fake_viewer v = { 0 };

    display_add_viewer(d, &fake_viewer_ops, &v);
    display_damage(d, (struct rect){ 0, 0, 10, 10 });
    CHECK_EQ(v.damaged, 0); /* nothing there yet */
    display_resize(d, 100, 50);
    CHECK_EQ(v.resized, 1);
    display_damage(d, (struct rect){ 90, 40, 100, 100 });
    CHECK(rect_is(v.last, 90, 40, 10, 10));
    display_damage(d, (struct rect){ -5, -5, 10, INT32_MAX });
    CHECK(rect_is(v.last, 0, 0, 5, 50));
    CHECK_EQ(v.damaged, 2);
    display_damage(d, (struct rect){ INT32_MAX, 0, INT32_MAX, 1 });
    display_damage(d, (struct rect){ 0, 0, -1, 1 });
    display_damage(d, (struct rect){ INT32_MIN, 0, INT32_MAX, 1 });
    CHECK_EQ(v.damaged, 2);
    display_remove_viewer(d, &v);
    display_damage(d, (struct rect){ 0, 0, 10, 10 });
    CHECK_EQ(v.damaged, 2);
    display_free(d);
}

TEST(refresh_without_a_loop)
{
    struct display *d = display_new(NULL);
    struct fake_card c = { .w = 64, .h = 32 };
    const struct surface *s;

    CHECK(display_refresh(d, true) == NULL);
    CHECK(display_text(d) == NULL);
    display_set_card(d, &fake_card_ops, &c);
    s = display_refresh(d, false);
    CHECK(s && s->width == 64);
    CHECK(c.draws == 1 && c.whole == 1); /* the first is whole */
    display_refresh(d, false);
    CHECK(c.draws == 2 && c.whole == 1);
    c.w = 65;
    CHECK(display_refresh(d, false)->width == 65);
    display_set_card(d, NULL, NULL);
    CHECK(display_refresh(d, false) == NULL);
    display_free(d);
}

/* ---- the timer ---- */

static void run_for(uv_loop_t *loop, uint64_t ms)
{
    uint64_t end;

    uv_update_time(loop);
    end = uv_now(loop) + ms;
    while (uv_now(loop) < end) {
        uv_run(loop, UV_RUN_NOWAIT);
        usleep(1000);
        uv_update_time(loop);
    }
    uv_run(loop, UV_RUN_NOWAIT); /* what fell due in the last sleep */
}

TEST(nothing_is_drawn_unless_someone_looks)
{
    struct qt *t = qt_new();
    struct display *d = display_new(t->plat.loop);
    struct fake_card c = { .w = 64, .h = 32 };
    struct fake_viewer v = { 0 };

    display_set_card(d, &fake_card_ops, &c);
    display_add_viewer(d, &fake_viewer_ops, &v);
    display_key(d, 30, true);
    display_wake(d);
    run_for(t->plat.loop, 60);
    CHECK(c.draws == 0 && v.resized == 0);
    v.looking = true;
    display_wake(d);
    run_for(t->plat.loop, 20);
    CHECK(c.draws >= 1 && v.resized == 1 && v.damaged == 1);
    v.looking = false;
    run_for(t->plat.loop, 100);
    c.draws = 0;
    run_for(t->plat.loop, 100);
    CHECK_EQ(c.draws, 0);
    v.looking = true;
    display_wake(d);
    run_for(t->plat.loop, 20);
    CHECK_EQ(c.whole, 2); /* whoever looks again sees everything */
    display_free(d);
}

TEST(a_still_picture_is_looked_at_less_often)
{
    struct qt *t = qt_new();
    struct display *d = display_new(t->plat.loop);
    struct fake_card c = { .w = 64, .h = 32, .changing = true };
    struct fake_viewer v = { .looking = true };
    unsigned draws;

    display_set_card(d, &fake_card_ops, &c);
    display_add_viewer(d, &fake_viewer_ops, &v);
    run_for(t->plat.loop, 300);
    CHECK(c.draws >= 3 && c.draws <= 31);
    c.changing = false;
    run_for(t->plat.loop, 600);
    c.draws = 0;
    run_for(t->plat.loop, 500);
    CHECK(c.draws >= 1 && c.draws <= 4);
    draws = c.draws;
    display_key(d, 30, true);
    run_for(t->plat.loop, 15);
    CHECK(c.draws > draws);
    display_free(d);
}

TEST(the_surface_goes_when_nobody_looks)
{
    struct qt *t = qt_new();
    struct display *d = display_new(t->plat.loop);
    struct fake_card c = { .w = 64, .h = 32 };
    struct fake_viewer v = { 0 };

    if (t->reload) { /* once is enough: it takes seconds */
        display_free(d);
        return;
    }
    display_set_card(d, &fake_card_ops, &c);
    display_add_viewer(d, &fake_viewer_ops, &v);
    CHECK(display_refresh(d, false) != NULL); /* a screenshot */
    CHECK(v.resized == 1 && v.surface);
    run_for(t->plat.loop, 5200);
    CHECK(v.resized == 2 && !v.surface);
    v.looking = true;
    display_wake(d);
    run_for(t->plat.loop, 20);
    CHECK(v.resized == 3 && v.surface && c.whole == 2);
    display_free(d);
}

/* ---- input ---- */

struct fake_input {
    unsigned keys, rels, abss, buttons, code;
    bool down;
    int x, y, z;
};

static void fake_key(void *dev, uint16_t code, bool down)
{
    struct fake_input *in = dev;

    in->keys++;
    in->code = code;
    in->down = down;
}

static void fake_rel(void *dev, int dx, int dy, int dz, unsigned buttons)
{
    struct fake_input *in = dev;

    in->rels++;
    in->x = dx;
    in->y = dy;
    in->z = dz;
    in->buttons = buttons;
}

static void fake_abs(void *dev, uint16_t x, uint16_t y, int dz, unsigned buttons)
{
    struct fake_input *in = dev;

    in->abss++;
    in->x = x;
    in->y = y;
    in->z = dz;
    in->buttons = buttons;
}

static const struct input_ops keyboard = { .key = fake_key };
static const struct input_ops mouse = { .rel = fake_rel };
static const struct input_ops tablet = { .abs = fake_abs };

TEST(keys_go_to_the_newest_keyboard)
{
    struct display *d = display_new(NULL);
    struct fake_input a = { 0 }, b = { 0 }, m = { 0 };

    display_key(d, 30, true); /* nobody there */
    display_add_input(d, &keyboard, &a);
    display_add_input(d, &keyboard, &b);
    display_add_input(d, &mouse, &m);
    display_key(d, 30, true);
    CHECK(b.keys == 1 && b.code == 30 && b.down && !a.keys);
    display_remove_input(d, &b);
    display_key(d, 31, true);
    CHECK(a.keys == 1 && a.code == 31);
    display_key(d, 0xffff, true); /* no such code */
    CHECK_EQ(a.keys, 1);
    display_release_all(d);
    CHECK(a.keys == 3 && !a.down && a.code == 31);
    display_release_all(d);
    CHECK_EQ(a.keys, 3);
    display_free(d);
}

TEST(the_pointer_is_absolute_where_it_can_be)
{
    struct display *d = display_new(NULL);
    struct fake_input m = { 0 }, a = { 0 };

    display_resize(d, 101, 201);
    display_pointer(d, 5, 5, 0, 0);
    display_add_input(d, &mouse, &m);
    CHECK(!display_pointer_is_absolute(d));
    display_pointer(d, 15, 3, 1, BUTTON_LEFT);
    CHECK(m.rels == 1 && m.x == 10 && m.y == -2 && m.z == 1 && m.buttons == BUTTON_LEFT);
    display_pointer(d, 500, 3, 0, 0); /* a mouse goes on beyond the edge */
    CHECK_EQ(m.x, 485);
    display_add_input(d, &tablet, &a);
    CHECK(display_pointer_is_absolute(d));
    display_pointer(d, 50, 200, 0, BUTTON_RIGHT);
    CHECK(a.abss == 1 && a.x == 16383 && a.y == 32767);
    display_pointer(d, -10, 100000, 0, BUTTON_RIGHT);
    CHECK(a.x == 0 && a.y == 32767);
    display_release_all(d);
    CHECK(a.abss == 3 && a.buttons == 0);
    display_remove_input(d, &a);
    CHECK(!display_pointer_is_absolute(d));
    display_free(d);
}

/* ---- files ---- */

static struct surface *painted(struct display *d)
{
    struct surface *s = display_resize(d, 37, 21);

    for (uint32_t i = 0; s && i < 37 * 21; i++)
        s->pixels[i] = (i * 0x30507) & 0xffffff;
    return s;
}

TEST(png_comes_back_as_it_went)
{
    struct display *d = display_new(NULL);
    struct surface *s = painted(d);
    int fd = memfd_create("png", 0);
    png_image img = { .version = PNG_IMAGE_VERSION };
    FILE *f = fdopen(fd, "r+");
    uint8_t rgb[37 * 21 * 3];

    CHECK_EQ(surface_write_png(s, fd), 0);
    rewind(f);
    CHECK(png_image_begin_read_from_stdio(&img, f));
    CHECK(img.width == 37 && img.height == 21);
    img.format = PNG_FORMAT_RGB;
    CHECK(png_image_finish_read(&img, NULL, rgb, 0, NULL));
    for (uint32_t i = 0; i < 37 * 21; i++)
        CHECK_EQ(rgb[3 * i] << 16 | rgb[3 * i + 1] << 8 | rgb[3 * i + 2], s->pixels[i]);
    fclose(f);
    display_free(d);
}

TEST(ppm_is_plain)
{
    struct display *d = display_new(NULL);
    struct surface *s = painted(d);
    int fd = memfd_create("ppm", 0);
    char data[13 + 37 * 21 * 3 + 1];
    const uint8_t *rgb = (const uint8_t *)data + 13;

    CHECK_EQ(surface_write_ppm(s, fd), 0);
    CHECK_EQ(pread(fd, data, sizeof(data), 0), 13 + 37 * 21 * 3);
    CHECK(!memcmp(data, "P6\n37 21\n255\n", 13));
    CHECK_EQ(rgb[300] << 16 | rgb[301] << 8 | rgb[302], s->pixels[100]);
    close(fd);
    display_free(d);
}

TEST(files_that_cannot_be_written)
{
    struct display *d = display_new(NULL);
    struct surface *s = painted(d);
    int full = open("/dev/full", O_WRONLY);

    CHECK_EQ(surface_write_png(s, full), -ENOSPC);
    CHECK_EQ(surface_write_ppm(s, full), -ENOSPC);
    close(full);
    CHECK_EQ(surface_write_png(s, full), -EBADF);
    display_free(d);
}

TEST(text_is_utf8)
{
    char *text = screen_text((const uint8_t *)"ab  \xe1\0\xff \xb0"
                                              "  x",
                             4, 3);

    CHECK(!strcmp(text, "ab\n\xc3\x9f\n\xe2\x96\x91  x"));
    free(text);
    text = screen_text((const uint8_t *)"", 0, 0);
    CHECK(!strcmp(text, ""));
    free(text);
}
