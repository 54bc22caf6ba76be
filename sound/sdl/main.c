/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-sound: what one guest plays, on this machine's sound card (SDL 2).
 * portico-dm starts it and sends frames as the guest's time goes by
 * (sound/protocol.h). The two clocks are not one: what is ahead of the card by
 * more than FULL is left out, and when the card has run dry it begins again
 * behind FILL, or when no more comes.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <SDL.h>
#include "sound/protocol.h"

#define FRAME_SIZE 4
#define FILL_MS    60
#define FULL_MS    300
#define QUIET_MS   100 /* no more comes */
#define LAST_MS    1000
#define STEP_MS    10
#define RATE_MIN   1000
#define RATE_MAX   192000

struct player {
    SDL_AudioDeviceID dev;
    uint32_t rate;
    bool playing;
};

static int fail(const char *what)
{
    fprintf(stderr, "portico-sound: %s: %s\n", what, SDL_GetError());
    return 1;
}

static uint32_t bytes_of(const struct player *p, unsigned ms)
{
    return (uint32_t)((uint64_t)p->rate * ms / 1000) * FRAME_SIZE;
}

static ssize_t hear(void *buf, size_t len)
{
    ssize_t n;

    do {
        n = recv(SPEAKER_FD, buf, len, 0);
    } while (n < 0 && errno == EINTR);
    return n;
}

static void play(struct player *p, bool on)
{
    if (p->playing != on)
        SDL_PauseAudioDevice(p->dev, !on);
    p->playing = on;
}

static void take(struct player *p, const int16_t *frames, size_t len)
{
    uint32_t queued = SDL_GetQueuedAudioSize(p->dev);

    if (!queued)
        play(p, false);
    if (queued + len <= bytes_of(p, FULL_MS))
        SDL_QueueAudio(p->dev, frames, (Uint32)len);
    if (queued + len >= bytes_of(p, FILL_MS))
        play(p, true);
}

static int open_device(struct player *p, const struct speaker_config *c)
{
    SDL_AudioSpec want = {
        .freq = (int)c->rate, .format = AUDIO_S16LSB, .channels = 2, .samples = 1024
    };

    if (SDL_Init(SDL_INIT_AUDIO))
        return fail("SDL");
    p->rate = c->rate;
    p->dev = SDL_OpenAudioDevice(NULL, 0, &want, NULL, 0);
    return p->dev ? 0 : fail("sound device");
}

static void run(struct player *p)
{
    int16_t frames[2 * SPEAKER_FRAMES];
    struct pollfd fd = { .fd = SPEAKER_FD, .events = POLLIN };

    for (;;) {
        bool waiting = !p->playing && SDL_GetQueuedAudioSize(p->dev);
        ssize_t n;

        if (waiting && poll(&fd, 1, QUIET_MS) == 0) {
            play(p, true);
            continue;
        }
        n = hear(frames, sizeof(frames));
        if (n <= 0)
            return;
        take(p, frames, (size_t)n / FRAME_SIZE * FRAME_SIZE);
    }
}

int main(int argc, char **argv)
{
    struct player p = { 0 };
    struct speaker_config c;

    prctl(PR_SET_NAME, "portico-sound");
    if (hear(&c, sizeof(c)) != sizeof(c) || c.magic != SPEAKER_MAGIC || c.rate < RATE_MIN ||
        c.rate > RATE_MAX) {
        fprintf(stderr, "portico-sound: portico-dm starts this program (-audiodev sdl)\n");
        return 1;
    }
    if (open_device(&p, &c))
        return 1;
    if (send(SPEAKER_FD, "r", 1, MSG_NOSIGNAL) != 1)
        return 1;
    run(&p);
    play(&p, true);
    for (unsigned ms = 0; ms < LAST_MS && SDL_GetQueuedAudioSize(p.dev); ms += STEP_MS)
        SDL_Delay(STEP_MS);
    SDL_Quit();
    return 0;
}
