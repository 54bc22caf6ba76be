/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mouse by itself. */
#include <string.h>
#include "hw/ps2.h"
#include "tests/unit/qt.h"

static struct ps2_mouse *start(void)
{
    static struct ps2_mouse m;

    memset(&m, 0, sizeof(m));
    ps2_mouse_reset(&m);
    return &m;
}

static bool sends(struct ps2_mouse *m, const char *hex)
{
    uint8_t got[128];
    unsigned n = 0;

    for (int byte; n < sizeof(got); got[n++] = byte) {
        ps2_mouse_fill(m);
        byte = ps2_take(&m->out);
        if (byte < 0)
            break;
    }
    return hex_is(hex, got, n);
}

static bool command(struct ps2_mouse *m, uint8_t cmd, const char *hex)
{
    ps2_mouse_write(m, cmd);
    return sends(m, hex);
}

static void rates(struct ps2_mouse *m, uint8_t a, uint8_t b, uint8_t c)
{
    uint8_t r[] = { a, b, c };

    for (unsigned i = 0; i < 3; i++) {
        CHECK(command(m, 0xf3, "fa"));
        CHECK(command(m, r[i], "fa"));
    }
}

TEST(reset_and_identity)
{
    struct ps2_mouse *m = start();

    CHECK(command(m, 0xff, "fa aa 00"));
    CHECK(command(m, 0xf2, "fa 00"));
    CHECK(command(m, 0xe9, "fa 00 02 64"));
    CHECK(command(m, 0xe7, "fa"));
    CHECK(command(m, 0xf4, "fa"));
    CHECK(command(m, 0xe8, "fa"));
    CHECK(command(m, 0x03, "fa"));
    CHECK(command(m, 0xe9, "fa 30 03 64"));
    CHECK(command(m, 0xf6, "fa"));
    CHECK(command(m, 0xe9, "fa 00 02 64"));
}

TEST(nonsense)
{
    struct ps2_mouse *m = start();

    CHECK(command(m, 0x00, "fe"));
    CHECK(command(m, 0xf1, "fe"));
    CHECK(command(m, 0xe8, "fa"));
    CHECK(command(m, 0x04, "fc"));
    CHECK(command(m, 0xf3, "fa"));
    CHECK(command(m, 0x7f, "fc"));
    CHECK(command(m, 0xe9, "fa 00 02 64"));
    CHECK(command(m, 0xfe, "64"));
}

TEST(no_packets_before_they_are_asked_for)
{
    struct ps2_mouse *m = start();

    ps2_mouse_move(m, 5, 5, 0, 0);
    CHECK(sends(m, ""));
    CHECK(command(m, 0xf4, "fa"));
    CHECK(sends(m, "")); /* that movement is past */
    ps2_mouse_move(m, 5, 6, 0, 1);
    CHECK(sends(m, "29 05 fa")); /* up is positive on the wire */
    ps2_mouse_move(m, -3, -2, 0, 1);
    CHECK(sends(m, "19 fd 02"));
    CHECK(command(m, 0xf5, "fa"));
    ps2_mouse_move(m, 1, 1, 0, 0);
    CHECK(sends(m, ""));
}

TEST(buttons)
{
    struct ps2_mouse *m = start();

    CHECK(command(m, 0xf4, "fa"));
    ps2_mouse_move(m, 0, 0, 0, 2);
    ps2_mouse_move(m, 0, 0, 0, 6);
    ps2_mouse_move(m, 0, 0, 0, 0);
    CHECK(sends(m, "0a 00 00 0e 00 00 08 00 00"));
    CHECK(command(m, 0xe9, "fa 20 02 64"));
    ps2_mouse_move(m, 0, 0, 0, 1 | 4);
    CHECK(command(m, 0xe9, "fa 26 02 64"));
    ps2_mouse_move(m, 0, 0, 0, 2);
    CHECK(command(m, 0xe9, "fa 21 02 64"));
}

TEST(a_click_is_where_it_was_made)
{
    struct ps2_mouse *m = start();

    CHECK(command(m, 0xf4, "fa"));
    ps2_mouse_move(m, 1, 0, 0, 0);
    ps2_mouse_move(m, 10, 0, 0, 0);
    ps2_mouse_move(m, 0, 0, 0, 1);
    ps2_mouse_move(m, 20, 0, 0, 1);
    ps2_mouse_move(m, 0, 0, 0, 0);
    CHECK(sends(m, "08 0b 00 09 00 00 09 14 00 08 00 00"));
}

TEST(movement_is_never_lost)
{
    struct ps2_mouse *m = start();
    int sum = 0, packets = 0, head, x;

    CHECK(command(m, 0xf4, "fa"));
    for (int i = 0; i < 1000; i++)
        ps2_mouse_move(m, 3, 0, 0, i & 1);
    for (;; packets++) {
        ps2_mouse_fill(m);
        head = ps2_take(&m->out);
        if (head < 0)
            break;
        x = ps2_take(&m->out);
        sum += head & 0x10 ? x - 256 : x;
        CHECK_EQ(ps2_take(&m->out), 0);
    }
    CHECK_EQ(sum, 3000);
    CHECK(packets < 40);
    CHECK_EQ(head, -1);
}

TEST(far_movement_takes_several_packets)
{
    struct ps2_mouse *m = start();

    CHECK(command(m, 0xf4, "fa"));
    ps2_mouse_move(m, 300, -300, 0, 0);
    CHECK(sends(m, "08 ff ff 08 2d 2d"));
    ps2_mouse_move(m, -300, 0, 0, 0);
    CHECK(sends(m, "18 01 00 18 d3 00"));
    ps2_mouse_move(m, 0x7fffffff, -0x7fffffff - 1, 0, 0);
    ps2_mouse_fill(m);
    CHECK_EQ(ps2_take(&m->out), 0x08);
    CHECK(command(m, 0xf4, "fa"));
    CHECK(sends(m, ""));
}

TEST(the_wheel_by_its_knock)
{
    struct ps2_mouse *m = start();

    CHECK(command(m, 0xf4, "fa"));
    ps2_mouse_move(m, 0, 0, 1, 0);
    CHECK(sends(m, "")); /* a mouse without a wheel */
    rates(m, 200, 100, 80);
    CHECK(command(m, 0xf2, "fa 03"));
    CHECK(command(m, 0xf4, "fa"));
    ps2_mouse_move(m, 1, 0, -1, 0);
    CHECK(sends(m, "08 01 00 ff"));
    ps2_mouse_move(m, 0, 0, 0, 0x10);
    CHECK(sends(m, "")); /* three buttons */
    rates(m, 200, 200, 80);
    CHECK(command(m, 0xf2, "fa 04"));
    CHECK(command(m, 0xf4, "fa"));
    ps2_mouse_move(m, 0, 0, 2, 0x10);
    CHECK(sends(m, "08 00 00 22"));
    ps2_mouse_move(m, 0, 0, -9, 0x08);
    CHECK(sends(m, "08 00 00 19 08 00 00 1e"));
    CHECK(command(m, 0xff, "fa aa 00"));
    CHECK(command(m, 0xf2, "fa 00"));
    rates(m, 100, 200, 80);
    CHECK(command(m, 0xf2, "fa 00"));
}

TEST(remote_mode)
{
    struct ps2_mouse *m = start();

    CHECK(command(m, 0xf0, "fa"));
    CHECK(command(m, 0xf4, "fa"));
    ps2_mouse_move(m, 4, 0, 0, 1);
    ps2_mouse_move(m, 4, 0, 0, 1);
    CHECK(sends(m, ""));
    CHECK(command(m, 0xeb, "fa 09 08 00"));
    CHECK(command(m, 0xeb, "fa 09 00 00"));
    CHECK(command(m, 0xe9, "fa 64 02 64"));
    CHECK(command(m, 0xea, "fa"));
    ps2_mouse_move(m, 4, 0, 0, 1);
    CHECK(sends(m, "09 04 00"));
}

TEST(wrap_mode_echoes)
{
    struct ps2_mouse *m = start();

    CHECK(command(m, 0xf4, "fa"));
    CHECK(command(m, 0xee, "fa"));
    CHECK(command(m, 0xf2, "f2"));
    CHECK(command(m, 0xfe, "fe"));
    ps2_mouse_move(m, 1, 1, 0, 0);
    CHECK(sends(m, ""));
    CHECK(command(m, 0xec, "fa"));
    CHECK(command(m, 0xf2, "fa 00"));
    CHECK(command(m, 0xee, "fa"));
    CHECK(command(m, 0xff, "fa aa 00"));
    CHECK(command(m, 0xf2, "fa 00"));
}

TEST(scaling)
{
    static const int in[] = { 1, 2, 3, 4, 5, 6, 7, -3 }, out[] = { 1, 1, 3, 6, 9, 12, 14, -3 };
    struct ps2_mouse *m = start();
    char hex[16];

    CHECK(command(m, 0xf4, "fa"));
    CHECK(command(m, 0xe7, "fa"));
    for (unsigned i = 0; i < 8; i++) {
        ps2_mouse_move(m, in[i], 0, 0, 0);
        snprintf(hex, sizeof(hex), "%02x %02x 00", out[i] < 0 ? 0x18 : 0x08, out[i] & 0xff);
        CHECK(sends(m, hex));
    }
    CHECK(command(m, 0xe6, "fa"));
    ps2_mouse_move(m, 5, 0, 0, 0);
    CHECK(sends(m, "08 05 00"));
}

TEST(a_command_gives_up_a_half_sent_packet)
{
    struct ps2_mouse *m = start();

    CHECK(command(m, 0xf4, "fa"));
    ps2_mouse_move(m, 5, 0, 0, 0);
    ps2_mouse_fill(m);
    CHECK_EQ(ps2_take(&m->out), 0x08);
    CHECK(command(m, 0xf2, "fa 00"));
}
