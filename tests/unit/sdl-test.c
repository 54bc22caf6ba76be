/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The window's process: started on SDL's dummy screen, shown pictures of all sizes, ended. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include "display/display.h"
#include "display/sdl.h"
#include "tests/unit/qt.h"

static unsigned drawn, width;

static void draw(void *card, struct display *d, bool all)
{
    struct surface *s = display_resize(d, width, 200);

    for (unsigned i = 0; s && i < width * 200; i++)
        s->pixels[i] = drawn;
    display_damage(d, (struct rect){ 0, 0, (int)width, 200 });
    drawn++;
}

/* Lets time go by: the display draws by a timer of the loop's. */
static void turn(struct qt *t)
{
    uv_run(t->plat.loop, UV_RUN_NOWAIT);
    usleep(3000);
}

static const struct card_ops card = { .draw = draw };

TEST(the_window_looks_and_takes_every_picture)
{
    struct qt *t = qt_new();
    struct display *d = display_new(t->plat.loop);
    struct sdl_options o = { .name = "g1", .helper = PORTICO_SDL, .keep_open = true };
    struct err err = { "" };
    struct sdl *s = NULL;

    drawn = 0;
    width = 320;
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    display_set_card(d, &card, NULL);
    if (sdl_open(&s, t->plat.loop, d, &o, &err))
        fprintf(stderr, "%s\n", err.msg);
    CHECK(s != NULL);
    for (unsigned i = 0; i < 6; i++) { /* nothing is drawn when nobody looks: it is still there */
        unsigned before = drawn;

        width = 200 + 100 * i;
        for (unsigned n = 0; n < 6000 && drawn <= before + 1; n++)
            turn(t);
        CHECK(drawn > before + 1);
    }
    sdl_close(s);
    drawn = 0;
    for (unsigned i = 0; i < 50; i++)
        turn(t);
    CHECK_EQ(drawn, 0);
    display_free(d);
    turn(t);
}

TEST(no_display_is_one_line)
{
    struct qt *t = qt_new();
    struct sdl_options o = { .helper = PORTICO_SDL };
    struct err err = { "" };
    struct sdl *s;

    setenv("DISPLAY", ":nowhere", 1);
    setenv("SDL_VIDEODRIVER", "x11", 1);
    CHECK(sdl_open(&s, t->plat.loop, NULL, &o, &err) < 0 && !s);
    CHECK(strstr(err.msg, "DISPLAY is :nowhere"));
    o.helper = "/no/such/program";
    CHECK(sdl_open(&s, t->plat.loop, NULL, &o, &err) < 0 && !s);
    CHECK(strstr(err.msg, "/no/such/program: No such file"));
}
