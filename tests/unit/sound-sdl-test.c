/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portico-sound, on a sound card of SDL's own making: a file. */
#include <signal.h>
#include <uv.h>
#include "hw/core/config.h"
#include "tests/unit/sound-util.h"

#define PATIENCE 6000 /* turns of 5 ms */
#define TONE     6000 /* frames: less than it lets wait */

static const struct sound_format format = {
    .rate = 44100, .channels = 2, .bits = 16, .is_signed = true
};

static struct sound *start(struct qt *t, char *path, const char *driver)
{
    struct config cfg = { 0 };
    struct err err = { "" };
    struct sound *s;
    int fd;

    snprintf(path, 32, "/tmp/portico-sdl-XXXXXX");
    fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    setenv("SDL_AUDIODRIVER", driver, 1);
    setenv("SDL_DISKAUDIOFILE", path, 1);
    config_set(&cfg, "driver", "sdl");
    s = sound_open(t->plat.loop, "card", &cfg, PORTICO_SOUND_DIR, &err);
    config_free(&cfg);
    if (!s) {
        CHECK(strstr(err.msg, "-audiodev sdl,id=card: there is no sound device") != NULL);
        unlink(path);
    }
    return s;
}

/* As a card gives it: so much every 10 ms. */
static void play_tone(struct sound_voice *v, size_t from, size_t n)
{
    int16_t frame[441][2];

    for (size_t i = 0; i < n;) {
        size_t some = 0;

        for (; some < 441 && i < n; some++, i++) {
            frame[some][0] = (int16_t)tone(from + i, 0);
            frame[some][1] = (int16_t)tone(from + i, 1);
        }
        sound_play(v, frame, some * sizeof(frame[0]));
    }
}

/*
 * How many frames of the tone, from its second on, lie in the file one after the other. A process
 * that has to wait for its CPU may run dry, so there may be silence between them.
 */
static size_t heard(const char *path)
{
    static int16_t got[2 << 20][2];
    size_t n, next = 1;
    FILE *f = fopen(path, "rb");

    CHECK(f != NULL);
    n = fread(got, sizeof(got[0]), sizeof(got) / sizeof(got[0]), f);
    fclose(f);
    for (size_t i = 0; i < n; i++) {
        if (got[i][0] == tone(next, 0) && got[i][1] == tone(next, 1))
            next++;
        else if (next > 1 && (got[i][0] || got[i][1]))
            break;
    }
    return next - 1;
}

static void turn(struct qt *t)
{
    uv_run(t->plat.loop, UV_RUN_NOWAIT);
    usleep(5000);
}

static void end(struct qt *t, struct sound *s, struct sound_voice *v, const char *path)
{
    sound_detach(v);
    sound_close(s);
    turn(t);
    unlink(path);
}

TEST(a_tone_comes_out_of_the_card)
{
    struct qt *t = qt_new();
    struct sound_voice v;
    char path[32];
    struct sound *s = start(t, path, "disk");
    size_t n = 0;

    CHECK(s != NULL);
    sound_attach(&v, s);
    sound_set(&v, &format);
    play_tone(&v, 0, TONE);
    for (unsigned i = 0; i < PATIENCE && n < TONE - 1; i++) {
        turn(t);
        n = heard(path);
    }
    CHECK(n >= TONE - 1);
    end(t, s, &v, path);
}

/* Less than it waits for, and then nothing: it is played all the same. */
TEST(a_short_sound)
{
    struct qt *t = qt_new();
    struct sound_voice v;
    char path[32];
    struct sound *s = start(t, path, "disk");
    size_t n = 0;

    CHECK(s != NULL);
    sound_attach(&v, s);
    sound_set(&v, &format);
    play_tone(&v, 0, 300);
    for (unsigned i = 0; i < PATIENCE && n < 299; i++) {
        turn(t);
        n = heard(path);
    }
    CHECK(n >= 299);
    end(t, s, &v, path);
}

/* A minute at once: nobody waits for the card, and only its share arrives. */
TEST(a_flood)
{
    struct qt *t = qt_new();
    struct sound_voice v;
    char path[32];
    struct sound *s = start(t, path, "disk");
    size_t n = 0;

    CHECK(s != NULL);
    sound_attach(&v, s);
    sound_set(&v, &format);
    play_tone(&v, 0, 60 * 44100);
    for (unsigned i = 0; i < PATIENCE && !n; i++) {
        turn(t);
        n = heard(path);
    }
    CHECK(n > 0 && n < 30 * 44100);
    end(t, s, &v, path);
}

/* The first child of this process by that name; 0: none. */
static pid_t child(void)
{
    char path[64], name[16];
    pid_t pid = 0;
    FILE *f, *comm;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    f = fopen(path, "r");
    while (f && !pid && fscanf(f, "%d", &pid) == 1) {
        snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
        comm = fopen(path, "r");
        if (!comm || !fgets(name, sizeof(name), comm) || strncmp(name, "portico-sound", 13) != 0)
            pid = 0;
        if (comm)
            fclose(comm);
    }
    if (f)
        fclose(f);
    return pid;
}

TEST(its_death_is_no_ones)
{
    struct qt *t = qt_new();
    struct sound_voice v;
    char path[32];

    for (unsigned round = 0; round < 2; round++) {
        struct sound *s = start(t, path, "disk");
        pid_t pid;

        CHECK(s != NULL);
        sound_attach(&v, s);
        sound_set(&v, &format);
        pid = child();
        CHECK(pid > 0);
        kill(pid, SIGKILL);
        for (unsigned i = 0; i < PATIENCE && child(); i++) {
            if (round)
                play_tone(&v, 0, 1000); /* it is found dead when it is played to … */
            else
                turn(t); /* … or by the loop */
        }
        CHECK_EQ(child(), 0);
        play_tone(&v, 0, 100000);
        end(t, s, &v, path);
    }
}

TEST(no_card)
{
    struct qt *t = qt_new();
    char path[32];

    CHECK(!start(t, path, "nosuch"));
    CHECK_EQ(child(), 0);
}
