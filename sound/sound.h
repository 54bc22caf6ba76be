/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sound/sound.h: what a guest plays, on its way out. A card has voices; a
 * voice gives PCM frames at the pace of guest time to a sound, which brings
 * them to one rate, mixes them and hands them to its sink. Nothing here
 * waits, and nothing tells a card to: the card's clock is the guest's. There
 * is no way in: cards that record hear silence.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/core/err.h"

#define SOUND_VOICES   16    /* of one sound */
#define SOUND_MIX      16384 /* frames that one voice may be ahead of another */
#define SOUND_RATE_MAX 192000
#define SOUND_UNITY    0x10000

struct config;
struct sound;
struct uv_loop_s;

struct sound_format { /* of what a card plays; 16 bits are little endian */
    uint32_t rate;    /* frames a second, 1 to SOUND_RATE_MAX */
    uint8_t channels; /* 1, 2 */
    uint8_t bits;     /* 8, 16 */
    bool is_signed;
};

struct sound_voice { /* embedded in a card; its inside is sound.c's */
    struct sound *sound;
    struct sound_format format;
    bool on;
    uint32_t gain[2]; /* left, right */
    int32_t last[2];  /* the frame before, for what lies between two */
    uint64_t phase;   /* how far behind it the next frame of the sink is, 32.32 */
    uint64_t at;      /* frame of the sink that comes next */
    uint8_t torn[4];  /* the beginning of a frame */
    uint8_t ntorn;
};

/* s NULL: nobody listens, and all that follows does nothing. */
void sound_attach(struct sound_voice *v, struct sound *s);
void sound_detach(struct sound_voice *v);
/* The voice plays in this format from now on, or with NULL it pauses. Again the same: nothing. */
void sound_set(struct sound_voice *v, const struct sound_format *f);
/* Of each side, SOUND_UNITY being as it comes; at most 64 times that. */
void sound_gain(struct sound_voice *v, uint32_t left, uint32_t right);
/* The next frames; a torn one waits for its rest. While the voice pauses they vanish. */
void sound_play(struct sound_voice *v, const void *data, size_t len);
/* A gain from halves of a decibel, 0 being SOUND_UNITY; below -96 dB it is 0. */
uint32_t sound_half_db(int halves);

/*
 * The sound that cfg's `driver` names ("none", "wav", "sdl"), with the keys of
 * docs/sound.md. loop NULL: nothing of it is done by and by. dir: where
 * portico-sound is. NULL and a line in err on failure.
 */
struct sound *sound_open(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                         const char *dir, struct err *err);
bool sound_has_driver(const char *driver);
/* Its voices must be detached; s may be NULL. What was played is with the sink then. */
void sound_close(struct sound *s);

/* ---- for sinks ---- */

struct sound_ops {
    const char *name;
    /* The next n frames, left and right; must not block. */
    void (*play)(struct sound *s, const int16_t *frames, size_t n);
    void (*close)(struct sound *s); /* frees what priv is */
};

struct sound {
    const struct sound_ops *ops;
    void *priv;
    uint32_t rate; /* of the sink */
    struct sound_voice *voices[SOUND_VOICES];
    unsigned nvoices;
    uint64_t head, tail; /* frames: with the sink already; mixed by anybody */
    int32_t mix[SOUND_MIX][2];
};

/* A new one of the sink's rate; NULL and a line in err. Freed by sound_close(). */
struct sound *sound_new(const struct sound_ops *ops, const struct config *cfg, struct err *err);
/* sound/wav.c: for sound_open(). */
struct sound *sound_open_wav(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                             const char *dir, struct err *err);
/* sound/sdl.c: likewise, with dir/portico-sound. */
struct sound *sound_open_sdl(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                             const char *dir, struct err *err);
