/* SPDX-License-Identifier: GPL-2.0-or-later */
/* USB devices behind a UHCI, found and driven as a driver does it. */
#include <linux/input-event-codes.h>
#include "tests/unit/uhci-util.h"

static struct display *display;

static struct qt *start(const struct device_type *type)
{
    struct qt *t = qt_new();

    display = display_new(NULL);
    CHECK(display_resize(display, 1024, 768) != NULL);
    qt_config_obj(t, "display", display);
    qt_add(t, &piix3_uhci_type.dev, UHCI_DEVFN);
    qt_add(t, type, -1);
    uhci_setup(t);
    uhci_go(t);
    return t;
}

static void end(struct qt *t)
{
    t->reload = false; /* what follows is not for the device */
    while (t->ndevs) {
        device_free(t->devs[--t->ndevs]);
        config_free(&t->cfgs[t->ndevs]);
    }
    display_free(display);
}

static void point(struct qt *t, int x, int y, int dz, unsigned buttons)
{
    display_pointer(display, x, y, dz, buttons);
    qt_touched(t);
}

static void key(struct qt *t, uint16_t code, bool down)
{
    display_key(display, code, down);
    qt_touched(t);
}

TEST(a_driver_finds_the_tablet)
{
    struct qt *t = start(&usb_tablet_type);

    CHECK_EQ(inw(t, UHCI + 0x10), 0x0093); /* connected, changed, D+ */
    CHECK_EQ(inw(t, UHCI + 0x12), 0x0080);
    port_enable(t, 0);
    CHECK_EQ(inw(t, UHCI + 0x10), 0x0095);
    /* as Linux begins: 64 bytes of which 8 come first; the address; all of it */
    CHECK_EQ(request(t, 0, 0x80, 6, 0x0100, 0, 64), 18);
    CHECK_EQ(request(t, 0, 0x00, 5, 7, 0, 0), 0);
    CHECK_EQ(request(t, 0, 0x80, 6, 0x0100, 0, 18), -2); /* nobody is at 0 any more */
    CHECK_EQ(request(t, 7, 0x80, 6, 0x0100, 0, 18), 18);
    CHECK(hex_is("12 01 10 01 00 00 00 08 27 06 01 00 00 00 01 02 04 01", t->ram + DATA_AT, 18));
    CHECK_EQ(request(t, 7, 0x80, 6, 0x0200, 0, 9), 9);
    CHECK(hex_is("09 02 22 00 01 01 03 a0 32", t->ram + DATA_AT, 9));
    CHECK_EQ(request(t, 7, 0x80, 6, 0x0200, 0, 34), 34);
    CHECK(hex_is("09 04 00 00 01 03 00 00 00", t->ram + DATA_AT + 9, 9));
    CHECK(hex_is("07 05 81 03 08 00 0a", t->ram + DATA_AT + 27, 7));
    CHECK_EQ(request(t, 7, 0x80, 6, 0x0300, 0, 255), 4);
    CHECK(hex_is("04 03 09 04", t->ram + DATA_AT, 4));
    CHECK_EQ(request(t, 7, 0x80, 6, 0x0302, 0x409, 255), 2 + 2 * 15);
    CHECK(!memcmp(t->ram + DATA_AT + 2, "Q\0E\0M\0U\0 \0U\0S\0B\0 \0T\0a\0b\0l\0e\0t", 29));
    CHECK_EQ(request(t, 7, 0x80, 6, 0x0304, 0x409, 255), 2 + 2 * 20);
    CHECK(!memcmp(t->ram + DATA_AT + 2, "2\0008\0007\0005\0004\0-", 11));
    CHECK_EQ(request(t, 7, 0x80, 6, 0x0305, 0x409, 255), -1);
    CHECK_EQ(request(t, 7, 0x80, 6, 0x0600, 0, 10), -1); /* no device qualifier */
    CHECK_EQ(request(t, 7, 0x80, 8, 0, 0, 1), 1);
    CHECK_EQ(t->ram[DATA_AT], 0);
    CHECK(!display_pointer_is_absolute(display));
    CHECK_EQ(request(t, 7, 0x00, 9, 1, 0, 0), 0);
    CHECK(!display_pointer_is_absolute(display)); /* firmware configures it, too */
    CHECK(report_is(t, 7, 8, ""));
    CHECK(display_pointer_is_absolute(display));
    CHECK_EQ(request(t, 7, 0x81, 6, 0x2200, 0, 255), 74);
    CHECK(hex_is("05 01 09 02 a1 01", t->ram + DATA_AT, 6));
    CHECK_EQ(request(t, 7, 0x21, 10, 0, 0, 0), 0); /* idle: only changes */
    CHECK(intx(t, 1, 3));
    outw(t, UHCI + 2, 0x3f);
    CHECK(!intx(t, 1, 3));
    end(t);
}

TEST(the_pointer_lands_where_the_viewer_has_it)
{
    struct qt *t = start(&usb_tablet_type);

    enumerate(t, 0, 1);
    CHECK(report_is(t, 1, 8, "")); /* nothing has happened */
    point(t, 1023, 767, 0, 0);
    CHECK(report_is(t, 1, 8, "00 ff 7f ff 7f 00"));
    point(t, 0, 0, 0, 0);
    CHECK(report_is(t, 1, 8, "00 00 00 00 00 00"));
    /* 341 of 1023 is 10922.3 of 32767, 100 of 767 is 4272.1 */
    point(t, 341, 100, 0, BUTTON_LEFT);
    CHECK(report_is(t, 1, 8, "01 aa 2a b0 10 00"));
    /* a click between two polls is two reports; movement adds up to one */
    point(t, 341, 100, 0, 0);
    point(t, 341, 100, 0, BUTTON_RIGHT);
    point(t, 600, 0, 0, BUTTON_RIGHT);
    point(t, 1023, 0, 1, BUTTON_RIGHT); /* and a notch of the wheel towards the user */
    CHECK(report_is(t, 1, 8, "00 aa 2a b0 10 00"));
    CHECK(report_is(t, 1, 8, "02 ff 7f 00 00 ff"));
    CHECK(report_is(t, 1, 8, ""));
    end(t);
}

TEST(a_full_queue_keeps_the_last_place_and_buttons)
{
    struct qt *t = start(&usb_tablet_type);

    enumerate(t, 0, 1);
    for (unsigned i = 0; i < 40; i++)
        point(t, 10 * (int)i, 0, 0, i & 1);
    point(t, 1023, 767, 0, 4);
    for (unsigned i = 0; i < 15; i++)
        CHECK(!report_is(t, 1, 8, "04 ff 7f ff 7f 00"));
    CHECK(report_is(t, 1, 8, "04 ff 7f ff 7f 00"));
    CHECK(report_is(t, 1, 8, ""));
    end(t);
}

TEST(the_mouse_tells_far_movements_in_parts)
{
    struct qt *t = start(&usb_mouse_type);

    enumerate(t, 0, 1);
    CHECK(!display_pointer_is_absolute(display));
    point(t, 100, 100, 0, 0);
    CHECK(report_is(t, 1, 4, "00 00 00 00"));
    point(t, 300, 90, -1, 4);
    CHECK(report_is(t, 1, 4, "04 7f f6 01"));
    CHECK(report_is(t, 1, 4, "04 49 00 00"));
    CHECK(report_is(t, 1, 4, ""));
    CHECK_EQ(request(t, 1, 0x21, 11, 0, 0, 0), 0); /* boot protocol: no wheel */
    point(t, 299, 90, 1, 0);
    CHECK(report_is(t, 1, 4, "00 ff 00"));
    CHECK(report_is(t, 1, 4, ""));
    CHECK_EQ(request(t, 1, 0xa1, 3, 0, 0, 1), 1);
    CHECK_EQ(t->ram[DATA_AT], 0);
    end(t);
}

TEST(keys_come_in_order_and_none_is_lost)
{
    struct qt *t = start(&usb_kbd_type);

    enumerate(t, 0, 1);
    CHECK_EQ(request(t, 1, 0x21, 10, 0, 0, 0), 0);
    key(t, KEY_LEFTSHIFT, true);
    key(t, KEY_A, true);
    key(t, KEY_A, false);
    key(t, KEY_LEFTSHIFT, false);
    CHECK(report_is(t, 1, 8, "02 00 00 00 00 00 00 00"));
    CHECK(report_is(t, 1, 8, "02 00 04 00 00 00 00 00"));
    CHECK(report_is(t, 1, 8, "02 00 00 00 00 00 00 00"));
    CHECK(report_is(t, 1, 8, "00 00 00 00 00 00 00 00"));
    key(t, KEY_A, false); /* is up already */
    key(t, KEY_B, true);
    key(t, KEY_B, true); /* a viewer's repetition is no second key */
    key(t, KEY_B, false);
    CHECK(report_is(t, 1, 8, "00 00 00 00 00 00 00 00"));
    CHECK(report_is(t, 1, 8, "00 00 05 00 00 00 00 00"));
    CHECK(report_is(t, 1, 8, "00 00 05 00 00 00 00 00"));
    CHECK(report_is(t, 1, 8, "00 00 00 00 00 00 00 00"));
    for (uint16_t code = KEY_1; code <= KEY_7; code++) {
        key(t, code, true);
        CHECK(!report_is(t, 1, 8, ""));
    }
    CHECK(hex_is("00 00 01 01 01 01 01 01", t->ram + POLL_AT, 8)); /* seven are too many */
    key(t, KEY_1, false);
    CHECK(report_is(t, 1, 8, "00 00 1f 20 21 22 23 24"));
    t->ram[DATA_AT] = 0x02; /* caps lock's light */
    CHECK_EQ(request(t, 1, 0x21, 9, 0x0200, 0, 1), 1);
    CHECK_EQ(request(t, 1, 0xa1, 1, 0x0200, 0, 1), 1);
    CHECK_EQ(t->ram[DATA_AT], 2);
    CHECK_EQ(display_leds(display), LED_CAPS);
    end(t);
}

TEST(a_report_is_repeated_at_the_idle_rate)
{
    struct qt *t = start(&usb_kbd_type);

    enumerate(t, 0, 1);
    CHECK_EQ(request(t, 1, 0x21, 10, 25 << 8, 0, 0), 0); /* every 100 ms */
    CHECK_EQ(request(t, 1, 0xa1, 2, 0, 0, 1), 1);
    CHECK_EQ(t->ram[DATA_AT], 25);
    key(t, KEY_B, true);
    CHECK(report_is(t, 1, 8, "00 00 05 00 00 00 00 00"));
    poll_start(t, 1, 8);
    ms(t, 90);
    CHECK(!poll_done(t));
    ms(t, 20);
    CHECK(poll_done(t));
    CHECK(hex_is("00 00 05 00 00 00 00 00", t->ram + POLL_AT, 8));
    poll_start(t, 1, 8); /* once: the time begins anew */
    ms(t, 85);
    CHECK(!poll_done(t));
    ms(t, 25);
    CHECK(poll_done(t));
    CHECK_EQ(request(t, 1, 0x21, 10, 0, 0, 0), 0); /* from now on only changes are told */
    CHECK(report_is(t, 1, 8, ""));
    end(t);
}

TEST(input_goes_to_usb_only_while_it_is_polled)
{
    struct qt *t = start(&usb_tablet_type);

    CHECK(!display_pointer_is_absolute(display));
    enumerate(t, 0, 1);
    CHECK(display_pointer_is_absolute(display));
    CHECK_EQ(request(t, 1, 0, 9, 0, 0, 0), 0);
    CHECK(!display_pointer_is_absolute(display));
    CHECK_EQ(request(t, 1, 0, 9, 1, 0, 0), 0);
    CHECK(report_is(t, 1, 8, ""));
    CHECK(display_pointer_is_absolute(display));
    outw(t, UHCI, 2); /* the controller is reset, and with it the bus */
    CHECK(!display_pointer_is_absolute(display));
    CHECK_EQ(inw(t, UHCI + 0x10), 0x0093);
    end(t);
}

TEST(requests_that_are_not_there_stall_and_do_no_harm)
{
    struct qt *t = start(&usb_tablet_type);

    port_enable(t, 0);
    CHECK_EQ(request(t, 0, 0x00, 9, 2, 0, 0), -1);
    CHECK_EQ(request(t, 0, 0x00, 7, 0x0100, 0, 18), -1); /* SET_DESCRIPTOR */
    CHECK_EQ(request(t, 0, 0x40, 1, 0, 0, 0), -1);       /* vendor */
    CHECK_EQ(request(t, 0, 0x00, 5, 128, 0, 0), -1);     /* addresses end with 127 */
    CHECK_EQ(request(t, 0, 0x00, 5, 127, 0, 0), 0);
    CHECK_EQ(request(t, 127, 0x80, 6, 0x0100, 0, 18), 18);
    CHECK_EQ(request(t, 127, 0x00, 5, 0, 0, 0), 0);
    CHECK_EQ(request(t, 0, 0x21, 9, 0x0200, 0, 300), -1); /* longer than a device takes */
    CHECK_EQ(request(t, 0, 0x82, 0, 0, 0x81, 2), -1);     /* not configured: no endpoint 1 */
    CHECK_EQ(request(t, 0, 0x00, 9, 1, 0, 0), 0);
    CHECK_EQ(request(t, 0, 0x02, 3, 0, 0x81, 0), 0); /* halt it */
    CHECK_EQ(request(t, 0, 0x82, 0, 0, 0x81, 2), 2);
    CHECK_EQ(t->ram[DATA_AT], 1);
    poll_start(t, 0, 8);
    ms(t, 10);
    CHECK_EQ(ram32(t, POLL_TD + 4) & (TD_STALLED | TD_ACTIVE), TD_STALLED);
    CHECK_EQ(request(t, 0, 0x02, 1, 0, 0x81, 0), 0);
    CHECK(report_is(t, 0, 8, ""));
    point(t, 1023, 0, 0, 0);
    CHECK(report_is(t, 0, 8, "00 ff 7f 00 00 00"));
    CHECK_EQ(request(t, 0, 0x80, 0, 0, 0, 2), 2);
    CHECK_EQ(t->ram[DATA_AT], 0);
    CHECK_EQ(request(t, 0, 0x00, 3, 1, 0, 0), 0); /* remote wake-up */
    CHECK_EQ(request(t, 0, 0x80, 0, 0, 0, 2), 2);
    CHECK_EQ(t->ram[DATA_AT], 2);
    end(t);
}
