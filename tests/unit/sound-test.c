/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Voices, the mixer and the wav file, without a card. */
#include <math.h>
#include <sys/stat.h>
#include "tests/unit/sound-util.h"

static const struct sound_format cd = { 44100, 2, 16, true };

static void play16(struct sound_voice *v, int left, int right)
{
    uint8_t f[4] = { (uint8_t)left, (uint8_t)((uint16_t)left >> 8), (uint8_t)right,
                     (uint8_t)((uint16_t)right >> 8) };

    sound_play(v, f, sizeof(f));
}

static bool frame_is(const struct record *r, size_t i, int left, int right)
{
    if (i < record_frames(r) && record_sample(r, i, 0) == left && record_sample(r, i, 1) == right)
        return true;
    fprintf(stderr, "frame %zu of %zu: %d %d\n", i, record_frames(r), record_sample(r, i, 0),
            record_sample(r, i, 1));
    return false;
}

TEST(a_voice_of_the_sinks_rate_passes_unchanged)
{
    struct record r;
    struct sound_voice v;

    record_start(&r, "44100");
    sound_attach(&v, r.sound);
    play16(&v, 1, 1); /* it pauses */
    sound_set(&v, &cd);
    for (size_t i = 0; i < 40000; i++)
        play16(&v, tone(i, 0), tone(i, 1));
    sound_detach(&v);
    record_stop(&r);
    CHECK_EQ(record_frames(&r), 40000);
    CHECK(record_is_tone(&r, 0, 40000));
    CHECK(!memcmp(r.bytes, "RIFF", 4) && !memcmp(r.bytes + 8, "WAVEfmt \x10\0\0\0\1\0\2\0", 16));
    CHECK(!memcmp(r.bytes + 24, "\x44\xac\0\0\x10\xb1\2\0\4\0\x10\0data\0\x71\2\0", 20));
    CHECK(!memcmp(r.bytes + 4, "\x24\x71\2\0", 4));
    record_free(&r);
}

TEST(formats)
{
    static const struct {
        struct sound_format f;
        uint8_t bytes[4];
        int left, right;
    } cases[] = {
        { { 44100, 1, 8, false }, { 0x80 }, 0, 0 },
        { { 44100, 1, 8, false }, { 0xff }, 0x7f00, 0x7f00 },
        { { 44100, 2, 8, false }, { 0x00, 0x81 }, -0x8000, 0x100 },
        { { 44100, 2, 8, true }, { 0x80, 0x7f }, -0x8000, 0x7f00 },
        { { 44100, 1, 16, true }, { 0xfe, 0xff }, -2, -2 },
        { { 44100, 2, 16, false }, { 0x00, 0x80, 0x01, 0x00 }, 0, -0x7fff },
    };
    struct record r;
    struct sound_voice v;

    record_start(&r, "44100");
    sound_attach(&v, r.sound);
    for (unsigned i = 0; i < 6; i++) {
        sound_set(&v, &cases[i].f);
        for (unsigned b = 0; b < cases[i].f.channels * cases[i].f.bits / 8u; b++)
            sound_play(&v, &cases[i].bytes[b], 1); /* torn into bytes */
    }
    sound_detach(&v);
    record_stop(&r);
    CHECK_EQ(record_frames(&r), 6);
    for (unsigned i = 0; i < 6; i++)
        CHECK(frame_is(&r, i, cases[i].left, cases[i].right));
    record_free(&r);
}

TEST(voices_are_added_and_clipped)
{
    struct record r;
    struct sound_voice a, b;

    record_start(&r, "44100");
    sound_attach(&a, r.sound);
    sound_attach(&b, r.sound);
    sound_set(&a, &cd);
    play16(&a, 100, -100);
    sound_set(&b, &cd); /* begins where a is */
    play16(&a, 200, -200);
    play16(&a, 30000, -30000);
    play16(&b, 11, 22);
    play16(&b, 30000, -30000);
    sound_set(&b, NULL);
    play16(&a, 300, 300);
    sound_detach(&a);
    sound_detach(&b);
    record_stop(&r);
    CHECK_EQ(record_frames(&r), 4);
    CHECK(frame_is(&r, 0, 100, -100) && frame_is(&r, 1, 211, -178));
    CHECK(frame_is(&r, 2, 32767, -32768) && frame_is(&r, 3, 300, 300));
    record_free(&r);
}

/* A voice that is on and gives nothing holds the others up for SOUND_MIX frames, no longer. */
TEST(a_voice_that_sleeps_is_left_behind)
{
    struct record r;
    struct sound_voice a, b;

    record_start(&r, "44100");
    sound_attach(&a, r.sound);
    sound_attach(&b, r.sound);
    sound_set(&b, &cd);
    sound_set(&a, &cd);
    for (size_t i = 0; i < 3 * SOUND_MIX; i++)
        play16(&a, tone(i, 0), tone(i, 1));
    CHECK(r.sound->head >= SOUND_MIX);
    play16(&b, 5, 5);
    sound_detach(&a);
    sound_detach(&b);
    record_stop(&r);
    CHECK_EQ(record_frames(&r), 3 * SOUND_MIX);
    CHECK(record_is_tone(&r, 0, SOUND_MIX));
    record_free(&r);
}

TEST(gain)
{
    struct record r;
    struct sound_voice v;

    CHECK_EQ(sound_half_db(0), SOUND_UNITY);
    CHECK_EQ(sound_half_db(-12), 32846); /* -6 dB */
    CHECK_EQ(sound_half_db(24), 260904); /* +12 dB */
    CHECK_EQ(sound_half_db(-193), 0);
    CHECK_EQ(sound_half_db(1000), 64 * SOUND_UNITY);
    record_start(&r, "44100");
    sound_attach(&v, r.sound);
    sound_set(&v, &cd);
    sound_gain(&v, SOUND_UNITY / 2, 2 * SOUND_UNITY);
    play16(&v, -1001, 1001);
    sound_gain(&v, 0, UINT32_MAX);
    play16(&v, 1001, -1);
    sound_detach(&v);
    record_stop(&r);
    CHECK(frame_is(&r, 0, -500, 2002) && frame_is(&r, 1, 0, -64));
    record_free(&r);
}

/* 11025 into 44100: three points on the line between two frames, and the frame. */
TEST(slower_voices_are_drawn_with_lines)
{
    struct record r;
    struct sound_voice v;
    struct sound_format f = { 11025, 2, 16, true };

    record_start(&r, "44100");
    sound_attach(&v, r.sound);
    sound_set(&v, &f);
    play16(&v, 4000, -400);
    play16(&v, 0, 400);
    sound_detach(&v);
    record_stop(&r);
    CHECK_EQ(record_frames(&r), 8);
    CHECK(frame_is(&r, 0, 0, 0) && frame_is(&r, 1, 1000, -100) && frame_is(&r, 3, 3000, -300));
    CHECK(frame_is(&r, 4, 4000, -400) && frame_is(&r, 5, 3000, -200) && frame_is(&r, 7, 1000, 200));
    record_free(&r);
}

/* Of any rate a second is a second, and a sine stays one. */
TEST(rates)
{
    static const uint32_t rates[] = { 1, 172, 4000, 8000, 22050, 44099, 48000, 96000, 192000 };

    for (unsigned k = 0; k < sizeof(rates) / sizeof(rates[0]); k++) {
        struct sound_format f = { rates[k], 1, 16, true };
        struct record r;
        struct sound_voice v;
        int worst = 0;

        record_start(&r, "44100");
        sound_attach(&v, r.sound);
        sound_set(&v, &f);
        for (unsigned i = 0; i < rates[k]; i++) {
            int s = (int)lrint(20000 * sin(2 * M_PI * 40 * i / rates[k]));
            uint8_t b[2] = { (uint8_t)s, (uint8_t)((uint16_t)s >> 8) };

            sound_play(&v, b, 2);
        }
        sound_detach(&v);
        record_stop(&r);
        CHECK(record_frames(&r) >= 44099 && record_frames(&r) <= 44101);
        for (unsigned i = 200; i < 44000 && rates[k] >= 4000; i++) {
            double at = (double)i / 44100 - 1.0 / rates[k]; /* one frame behind */
            int want = (int)lrint(20000 * sin(2 * M_PI * 40 * at));
            int off = abs(record_sample(&r, i, 0) - want);

            if (rates[k] == 44100)
                want = 0;
            worst = off > worst ? off : worst;
        }
        if (worst > 60)
            fprintf(stderr, "%u Hz: off by %d\n", rates[k], worst);
        CHECK(worst <= 60);
        record_free(&r);
    }
}

TEST(nobody_listens)
{
    struct sound_voice v;
    struct config cfg = { 0 };
    struct err err = { "" };
    struct sound *s;

    sound_attach(&v, NULL);
    sound_set(&v, &cd);
    play16(&v, 1, 1);
    sound_detach(&v);
    config_set(&cfg, "driver", "none");
    s = sound_open(NULL, "n", &cfg, ".", &err);
    CHECK(s != NULL);
    sound_attach(&v, s);
    sound_set(&v, &cd);
    for (size_t i = 0; i < 100; i++)
        play16(&v, 1, 1);
    CHECK_EQ(s->head, 100);
    sound_detach(&v);
    sound_close(s);
    config_free(&cfg);
}

TEST(a_wav_of_one_channel_and_eight_bits)
{
    struct config cfg = { 0 };
    struct err err = { "" };
    struct record r = { .path = "/tmp/portico-sound-XXXXXX" };
    struct sound_voice v;

    close(mkstemp(r.path));
    config_set(&cfg, "driver", "wav");
    config_set(&cfg, "path", r.path);
    config_set(&cfg, "out.channels", "1");
    config_set(&cfg, "out.format", "u8");
    r.sound = sound_open(NULL, "w", &cfg, ".", &err);
    CHECK(r.sound != NULL);
    sound_attach(&v, r.sound);
    sound_set(&v, &cd);
    play16(&v, 0x1000, 0x3000);
    play16(&v, -0x8000, -0x8000);
    sound_detach(&v);
    record_stop(&r);
    CHECK_EQ(r.len, 46);
    CHECK(!memcmp(r.bytes + 44, "\xa0\0", 2) && r.bytes[22] == 1 && r.bytes[34] == 8);
    record_free(&r);
    config_free(&cfg);
}

TEST(what_cannot_be_opened_says_why)
{
    static const char *const bad[][4] = {
        { "wav", "path", "/nonexistent/x.wav",
          "-audiodev wav,id=a: path=/nonexistent/x.wav: No such file or directory" },
        { "wav", "out.channels", "0", "-audiodev wav,id=a: out.channels=0: use 1 or 2" },
        { "wav", "out.format", "f32", "-audiodev wav,id=a: out.format=f32: use s16 or u8" },
        { "none", "out.frequency", "7",
          "-audiodev none,id=a: out.frequency=7: use 1000 to 192000" },
        { "pa", "server", "x", "-audiodev pa,id=a: there is no such sink; use none, wav or sdl" },
    };

    for (unsigned i = 0; i < 5; i++) {
        struct config cfg = { 0 };
        struct err err = { "" };

        config_set(&cfg, "driver", bad[i][0]);
        config_set(&cfg, bad[i][1], bad[i][2]);
        CHECK(!sound_open(NULL, "a", &cfg, ".", &err));
        if (strcmp(err.msg, bad[i][3]))
            fprintf(stderr, "%s\n", err.msg);
        CHECK(!strcmp(err.msg, bad[i][3]));
        config_free(&cfg);
    }
}

/* A disk that is full ends the file, not the guest. */
TEST(a_full_disk)
{
    struct config cfg = { 0 };
    struct err err = { "" };
    struct sound_voice v;
    struct sound *s;

    config_set(&cfg, "driver", "wav");
    config_set(&cfg, "path", "/dev/full");
    CHECK(!sound_open(NULL, "a", &cfg, ".", &err)); /* found at once, while the head is written */
    config_free(&cfg);
    config_set(&cfg, "driver", "wav");
    config_set(&cfg, "path", "/dev/null");
    s = sound_open(NULL, "a", &cfg, ".", &err);
    CHECK(s != NULL);
    sound_attach(&v, s);
    sound_set(&v, &cd);
    for (size_t i = 0; i < 100000; i++)
        play16(&v, 1, 1);
    sound_detach(&v);
    sound_close(s);
    config_free(&cfg);
}
