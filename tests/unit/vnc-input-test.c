/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and pointer of VNC clients as the guest gets them. */
#include "tests/unit/vnc-world.h"
#include <linux/input-event-codes.h>
#include <string.h>
#include "display/protocol.h"

VNC_TEST(keys_by_keysym)
{
    struct world *w = world_usual();
    struct rfb c;
    unsigned n = 0;

    CHECK(visit(&c, w));
    rfb_key(&c, 'a', true);
    rfb_key(&c, 'a', false);
    rfb_key(&c, 0xffe1, true); /* Shift, '@', Shift: held as the layout wants it */
    rfb_key(&c, '@', true);
    rfb_key(&c, '2', false); /* the viewer let Shift go first in its own mind */
    rfb_key(&c, 0xffe1, false);
    rfb_key(&c, 'Q', true); /* without Shift: it is added for the stroke */
    rfb_key(&c, 'Q', false);
    rfb_key(&c, 0xffe3, true); /* but not into a shortcut */
    rfb_key(&c, 'C', true);
    rfb_key(&c, 'C', false);
    rfb_key(&c, 0xffe3, false);
    rfb_key(&c, 0x12345, true); /* no such key */
    rfb_key(&c, 'x', false);    /* was never pressed */
    n_events(w, 14);
    CHECK(event_is(w, n++, 'k', KEY_A, 1, 0, 0));
    CHECK(event_is(w, n++, 'k', KEY_A, 0, 0, 0));
    CHECK(event_is(w, n++, 'k', KEY_LEFTSHIFT, 1, 0, 0));
    CHECK(event_is(w, n++, 'k', KEY_2, 1, 0, 0));
    CHECK(event_is(w, n++, 'k', KEY_2, 0, 0, 0));
    CHECK(event_is(w, n++, 'k', KEY_LEFTSHIFT, 0, 0, 0));
    CHECK(event_is(w, n++, 'k', KEY_LEFTSHIFT, 1, 0, 0));
    CHECK(event_is(w, n++, 'k', KEY_Q, 1, 0, 0));
    CHECK(event_is(w, n++, 'k', KEY_LEFTSHIFT, 0, 0, 0));
    CHECK(event_is(w, n++, 'k', KEY_Q, 0, 0, 0));
    CHECK(event_is(w, n++, 'k', KEY_LEFTCTRL, 1, 0, 0));
    CHECK(event_is(w, n++, 'k', KEY_C, 1, 0, 0));
    CHECK(event_is(w, n++, 'k', KEY_C, 0, 0, 0));
    CHECK(event_is(w, n++, 'k', KEY_LEFTCTRL, 0, 0, 0));
    CHECK_EQ(w->nevents, n);
    rfb_close(&c);
    world_free(w);
}

VNC_TEST(keys_of_another_layout)
{
    struct world *w = world_new();
    struct vnc_options o = usual();
    struct rfb c;

    o.keymap = "de";
    CHECK(world_open(w, &o) == 0);
    CHECK(visit(&c, w));
    rfb_key(&c, 'z', true);
    rfb_key(&c, 'z', false);
    rfb_key(&c, 0xffe1, true); /* a US viewer's Shift+2 */
    rfb_key(&c, '@', true);
    n_events(w, 8);
    CHECK(event_is(w, 0, 'k', KEY_Y, 1, 0, 0));
    CHECK(event_is(w, 1, 'k', KEY_Y, 0, 0, 0));
    CHECK(event_is(w, 2, 'k', KEY_LEFTSHIFT, 1, 0, 0));
    CHECK(event_is(w, 3, 'k', KEY_LEFTSHIFT, 0, 0, 0));
    CHECK(event_is(w, 4, 'k', KEY_RIGHTALT, 1, 0, 0));
    CHECK(event_is(w, 5, 'k', KEY_Q, 1, 0, 0));
    CHECK(event_is(w, 6, 'k', KEY_LEFTSHIFT, 1, 0, 0));
    CHECK(event_is(w, 7, 'k', KEY_RIGHTALT, 0, 0, 0));
    CHECK_EQ(w->nevents, 8);
    rfb_close(&c);
    world_free(w);
}

VNC_TEST(keys_by_scancode_and_none_stays_pressed)
{
    struct world *w = world_usual();
    struct rfb c, other;

    CHECK(visit(&c, w) && visit(&other, w));
    CHECK(c.scancodes);
    rfb_scancode(&c, 'q', 0x1e, true); /* an AZERTY viewer: the key is what counts */
    rfb_scancode(&c, 'q', 0x1e, false);
    rfb_scancode(&c, 0xffe4, 0x9d, true);
    rfb_scancode(&c, 'b', 0xffff, true); /* no scancode: the keysym serves */
    rfb_pointer(&c, 1, 10, 10);
    n_events(w, 5);
    rfb_key(&other, 'z', true);
    n_events(w, 6);
    CHECK(event_is(w, 0, 'k', KEY_A, 1, 0, 0));
    CHECK(event_is(w, 1, 'k', KEY_A, 0, 0, 0));
    CHECK(event_is(w, 2, 'k', KEY_RIGHTCTRL, 1, 0, 0));
    CHECK(event_is(w, 3, 'k', KEY_B, 1, 0, 0));
    CHECK_EQ(w->nevents, 6);
    w->nevents = 0;
    rfb_close(&c);
    n_events(w, 3);
    CHECK(event_is(w, 0, 'k', KEY_B, 0, 0, 0));
    CHECK(event_is(w, 1, 'k', KEY_RIGHTCTRL, 0, 0, 0));
    CHECK(event_is(w, 2, 'r', 0, 0, 0, 0));
    CHECK_EQ(w->nevents, 3); /* what the other one holds stays held */
    rfb_close(&other);
    n_events(w, 4);
    CHECK(event_is(w, 3, 'k', KEY_Z, 0, 0, 0));
    world_free(w);
}

VNC_TEST(pointer_by_place)
{
    struct world *w = world_usual();
    struct rfb c;

    display_add_input(w->display, &tablet, w);
    CHECK(visit(&c, w));
    rfb_pointer(&c, 0, 0, 0);
    rfb_pointer(&c, 1, 719, 399);
    rfb_pointer(&c, 2 | 4, 719, 399);
    rfb_pointer(&c, 8, 0, 399); /* a wheel click is a press and a release */
    rfb_pointer(&c, 0, 0, 399);
    rfb_pointer(&c, 16, 0, 399);
    n_events(w, 6);
    CHECK(event_is(w, 0, 'a', 0, 0, 0, 0));
    CHECK(event_is(w, 1, 'a', 32767, 32767, 0, BUTTON_LEFT));
    CHECK(event_is(w, 2, 'a', 32767, 32767, 0, BUTTON_MIDDLE | BUTTON_RIGHT));
    CHECK(event_is(w, 3, 'a', 0, 32767, -1, 0));
    CHECK(event_is(w, 4, 'a', 0, 32767, 0, 0));
    CHECK(event_is(w, 5, 'a', 0, 32767, 1, 0));
    CHECK_EQ(w->nevents, 6);
    rfb_close(&c);
    world_free(w);
}

VNC_TEST(pointer_by_movement)
{
    static const int32_t enc[] = { 0, RFB_SIZE, RFB_MOTION };
    struct world *w = world_usual();
    struct rfb c, plain;

    CHECK(visit(&c, w));
    rfb_encodings(&c, enc, 3);
    rfb_request(&c, false);
    CHECK(rfb_update(&c));
    CHECK_EQ(c.absolute, 0);
    rfb_pointer(&c, 0, 0x7fff, 0x7fff);
    rfb_pointer(&c, 1, 0x7fff + 5, 0x7fff - 7);
    rfb_pointer(&c, 1, 0x7fff + 2000, 0x7fff + 3000); /* further than the screen is wide */
    rfb_pointer(&c, 0, 0x7fff + 2000, 0x7fff);
    n_events(w, 4);
    CHECK(event_is(w, 1, 'r', 5, -7, 0, BUTTON_LEFT));
    CHECK(event_is(w, 2, 'r', 2000, 3000, 0, BUTTON_LEFT));
    CHECK(event_is(w, 3, 'r', 2000, 0, 0, 0));

    display_add_input(w->display, &tablet, w); /* the guest has found its tablet */
    w->change = (struct rect){ 0, 0, 8, 8 };
    rfb_request(&c, true);
    CHECK(rfb_update(&c));
    rfb_pump(&w->loop, 100);
    w->change = (struct rect){ 0, 0, 8, 8 };
    rfb_request(&c, true);
    CHECK(rfb_update(&c));
    CHECK_EQ(c.absolute, 1);
    w->nevents = 0;
    rfb_pointer(&c, 0, 719, 0);
    n_events(w, 1);
    CHECK(event_is(w, 0, 'a', 32767, 0, 0, 0));
    rfb_close(&c);

    display_remove_input(w->display, w);
    display_add_input(w->display, &keyboard_mouse, w);
    CHECK(visit(&plain, w)); /* a viewer that only knows places: the differences */
    w->nevents = 0;
    rfb_pointer(&plain, 0, 100, 100);
    rfb_pointer(&plain, 0, 110, 95);
    n_events(w, 2);
    CHECK(event_is(w, 1, 'r', 10, -5, 0, 0));
    rfb_close(&plain);
    world_free(w);
}
