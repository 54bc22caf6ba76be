/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The EDID says what it was told, in the standard's places. */
#include "hw/edid.h"
#include "tests/unit/qt.h"

static void check_mode(unsigned x, unsigned y)
{
    uint8_t e[128], sum = 0, *d = e + 54;
    unsigned clock;

    edid_make(e, x, y);
    for (unsigned i = 0; i < 128; i++)
        sum += e[i];
    CHECK_EQ(sum, 0);
    CHECK(e[0] == 0 && e[1] == 0xff && e[6] == 0xff && e[7] == 0);
    CHECK(e[18] == 1 && e[19] == 4 && e[126] == 0);
    CHECK_EQ(d[2] | (d[4] >> 4) << 8, x);
    CHECK_EQ(d[5] | (d[7] >> 4) << 8, y);
    clock = d[0] | d[1] << 8;
    CHECK(clock > 0 && (uint64_t)clock * 10000 <= (uint64_t)(x + 160) * (y + 130) * 60);
    CHECK(d[17] & 0x80 ? 0 : 1); /* not interlaced */
}

TEST(preferred_modes)
{
    check_mode(1280, 800);
    check_mode(1024, 768);
    check_mode(1920, 1080);
    check_mode(640, 480);
    check_mode(EDID_MAX_PIXELS, EDID_MAX_PIXELS);
}

TEST(refresh_is_sixty)
{
    uint8_t e[128], *d = e + 54;
    unsigned clock, htotal, vtotal;

    edid_make(e, 1280, 800);
    clock = (unsigned)(d[0] | d[1] << 8) * 10000;
    htotal = 1280u + d[3] + ((d[4] & 15u) << 8);
    vtotal = 800u + d[6] + ((d[7] & 15u) << 8);
    CHECK(clock / (htotal * vtotal) == 59 || clock / (htotal * vtotal) == 60);
}
