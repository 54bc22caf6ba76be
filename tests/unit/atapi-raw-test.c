/* SPDX-License-Identifier: GPL-2.0-or-later */
/* READ CD: every selection of a sector's parts; EDC and ECC by their equations (ECMA-130). */
#include "tests/unit/cd-util.h"

TEST(read_cd)
{
    struct rig r = rig_cd(5000);
    struct qt *t = r.t;
    uint8_t p[12] = { 0xbe, 0, 0, 0, 0x10, 0x00, 0, 0, 2, 0x10 }, buf[2 * 2352];
    uint8_t msf[12] = { 0xb9, 0, 0, 0, 3, 5, 0, 3, 7, 0xf8 };

    cd_awake(t);
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), 4096);
    check_block(buf + 2048, 4097);
    p[9] = 0xf8;
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), 2 * 2352);
    CHECK(buf[0] == 0 && buf[1] == 0xff && buf[10] == 0xff && buf[11] == 0);
    /* Block 4096 is frame 4246: 00:56:46, in BCD. */
    CHECK(buf[12] == 0x00 && buf[13] == 0x56 && buf[14] == 0x46 && buf[15] == 1);
    check_block(buf + 16, 4096);
    check_block(buf + 2352 + 16, 4097);
    CHECK_EQ(cd(t, msf, buf, sizeof(buf)), 2 * 2352); /* 00:03:05 to 00:03:07 */
    check_block(buf + 16, 3 * 75 + 5 - 150);
    msf[8] = 4; /* end before start */
    CHECK_EQ(cd(t, msf, buf, sizeof(buf)), -1);
    p[9] = 0;
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), 0);
    p[9] = 0x10;
    p[1] = 0x04; /* CD-DA */
    CHECK_EQ(cd(t, p, buf, sizeof(buf)), -1);
    CHECK_EQ(cd_sense(t), 0x056400);
    rig_end(&r);
}

/* Every selection of sync, subheader, header, user data, EDC/ECC: MMC-3 table 350, mode 1. */
TEST(every_selection)
{
    static const int want[32] = { 0,    -1,   2048, 2336, 4,    -1, 2052, 2340, 0,    -1,  2048,
                                  2336, 4,    -1,   2052, 2340, 12, -1,   -1,   -1,   16,  -1,
                                  2064, 2352, 12,   -1,   -1,   -1, 16,   -1,   2064, 2352 };
    struct rig r = rig_cd(64);
    struct qt *t = r.t;
    uint8_t p[12] = { 0xbe, 2 << 2, 0, 0, 0, 5, 0, 0, 1 }, buf[2800];

    qt_no_reload(t, "32 selections with subchannels and error flags");
    cd_awake(t);
    for (unsigned i = 0; i < 32; i++) {
        static const int extra[4] = { 0, 294, 296, -1 }, subs[5] = { 0, 96, 16, -1, 96 };

        for (unsigned c2 = 0; c2 < 4; c2++) {
            for (unsigned sub = 0; sub < 5; sub++) {
                int size = want[i] + extra[c2] + subs[sub];

                if (want[i] < 0 || extra[c2] < 0 || subs[sub] < 0)
                    size = -1;
                if (i >= 24 && want[i] == 12)
                    size = -1; /* sync and subheader are no neighbours */
                p[9] = i << 3 | c2 << 1;
                p[10] = sub;
                CHECK_EQ(cd(t, p, buf, sizeof(buf)), size);
                if (size >= 0 && (i & 2))
                    check_block(buf + (i & 16 ? 16 : i & 4 ? 4 : 0), 5);
            }
        }
    }
    rig_end(&r);
}

TEST(by_dma_too)
{
    struct rig r = rig_cd(64);
    struct qt *t = r.t;

    cd_awake(t);
    prd(t, 0x10000, 0, 0x20000, 3 * 2064, true);
    packet(t, SEC, DEV, (uint8_t[12]){ 0xbe, 0, 0, 0, 0, 5, 0, 0, 3, 0xb0 }, 0, true);
    bm_start(t, 1, 0x10000, true);
    CHECK_EQ(settled(t, SEC), 0x50);
    for (unsigned i = 0; i < 3; i++)
        check_block(t->ram + 0x20000 + 2064 * i + 16, 5 + i);
    rig_end(&r);
}

static uint8_t gf_times(uint8_t a, uint8_t b)
{
    unsigned product = 0;

    for (unsigned i = 0; i < 8; i++)
        product ^= b & 1 << i ? (unsigned)a << i : 0;
    for (unsigned i = 15; i >= 8; i--)
        product ^= product & 1u << i ? 0x11du << (i - 8) : 0;
    return product;
}

/* Both parity equations of the codeword of n bytes. */
static void check_word(const uint8_t *v, unsigned n)
{
    uint8_t sum = 0, weighed = 0, power = 1;

    for (unsigned i = n; i-- > 0; power = gf_times(power, 2)) {
        sum ^= v[i];
        weighed ^= gf_times(v[i], power);
    }
    CHECK_EQ(sum, 0);
    CHECK_EQ(weighed, 0);
}

/* Word n of the code, as annex A numbers them from the header on; byte: 0 low, 1 high. */
static uint8_t word_byte(const uint8_t *sector, unsigned n, unsigned byte)
{
    return sector[12 + 2 * n + byte];
}

TEST(edc_and_ecc_satisfy_their_equations)
{
    struct rig r = rig_cd(64);
    struct qt *t = r.t;
    uint8_t p[12] = { 0xbe, 0, 0, 0, 0, 9, 0, 0, 1, 0xf8 }, s[2352], v[45];
    uint32_t crc = 0;

    cd_awake(t);
    CHECK_EQ(cd(t, p, s, sizeof(s)), 2352);
    for (unsigned i = 0; i < 2068 * 8; i++) { /* with the CRC behind it the rest is zero */
        bool bit = (s[i / 8] >> i % 8 ^ crc) & 1;

        crc = crc >> 1 ^ (bit ? 0xd8018001 : 0);
    }
    CHECK_EQ(crc, 0);
    CHECK(s[2064] | s[2065] | s[2066] | s[2067]);
    for (unsigned i = 2068; i < 2076; i++)
        CHECK_EQ(s[i], 0);
    for (unsigned byte = 0; byte < 2; byte++) {
        for (unsigned np = 0; np < 43; np++) {
            for (unsigned mp = 0; mp < 26; mp++)
                v[mp] = word_byte(s, 43 * mp + np, byte);
            check_word(v, 26);
        }
        for (unsigned nq = 0; nq < 26; nq++) {
            for (unsigned mq = 0; mq < 43; mq++)
                v[mq] = word_byte(s, (44 * mq + 43 * nq) % 1118, byte);
            v[43] = word_byte(s, 1118 + nq, byte);
            v[44] = word_byte(s, 1118 + 26 + nq, byte);
            check_word(v, 45);
        }
    }
    rig_end(&r);
}

TEST(subchannels)
{
    struct rig r = rig_cd(64);
    struct qt *t = r.t;
    uint8_t p[12] = { 0xbe, 0, 0, 0, 0, 9, 0, 0, 1, 0, 2 }, q[16], raw[96];

    cd_awake(t);
    CHECK_EQ(cd(t, p, q, sizeof(q)), 16);
    CHECK(hex_is("41 01 01 00 00 09 00 00 02 09", q, 10));
    p[10] = 1;
    CHECK_EQ(cd(t, p, raw, sizeof(raw)), 96);
    for (unsigned i = 0; i < 96; i++)
        CHECK_EQ(raw[i], q[i / 8] >> (7 - i % 8) & 1 ? 0x40 : 0);
    rig_end(&r);
}
