/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/sound-util.h: what a card plays, on a wav file that the test reads. */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sound/sound.h"
#include "tests/unit/qt.h"

struct record {
    struct sound *sound;
    char path[64];
    uint8_t *bytes; /* of the file */
    size_t len;
};

static inline void record_start(struct record *r, const char *rate)
{
    struct config cfg = { 0 };
    struct err err = { "" };
    int fd;

    memset(r, 0, sizeof(*r));
    snprintf(r->path, sizeof(r->path), "/tmp/portico-sound-XXXXXX");
    fd = mkstemp(r->path);
    CHECK(fd >= 0);
    close(fd);
    config_set(&cfg, "driver", "wav");
    config_set(&cfg, "path", r->path);
    config_set(&cfg, "out.frequency", rate);
    r->sound = sound_open(NULL, "rec", &cfg, ".", &err);
    if (!r->sound)
        fprintf(stderr, "%s\n", err.msg);
    CHECK(r->sound != NULL);
    config_free(&cfg);
}

/* The file is whole, and there to be looked at. Voices must be gone. */
static inline void record_stop(struct record *r)
{
    FILE *f;

    sound_close(r->sound);
    f = fopen(r->path, "rb");
    CHECK(f != NULL);
    r->bytes = calloc(1, 16 << 20);
    CHECK(r->bytes != NULL);
    r->len = fread(r->bytes, 1, 16 << 20, f);
    fclose(f);
    unlink(r->path);
    CHECK(r->len >= 44);
}

static inline void record_free(struct record *r)
{
    free(r->bytes);
}

/* All devices of t go, and with them their voices. */
static inline void record_end(struct qt *t, struct record *r)
{
    while (t->ndevs) {
        t->ndevs--;
        device_free(t->devs[t->ndevs]);
        config_free(&t->cfgs[t->ndevs]);
    }
    record_stop(r);
}

static inline size_t record_frames(const struct record *r)
{
    return (r->len - 44) / 4;
}

static inline int record_sample(const struct record *r, size_t frame, unsigned side)
{
    const uint8_t *p = r->bytes + 44 + 4 * frame + 2 * side;

    CHECK(frame < record_frames(r));
    return (int16_t)(p[0] | p[1] << 8);
}

/* A tone that no other frame of the first second has: a saw on the left, a slower one right. */
static inline int tone(size_t frame, unsigned side)
{
    return (int16_t)(side ? frame * 331 + 7 : frame * 1237 - 20000);
}

static inline bool record_is_tone(const struct record *r, size_t from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (from + i >= record_frames(r) || record_sample(r, from + i, 0) != tone(i, 0) ||
            record_sample(r, from + i, 1) != tone(i, 1)) {
            fprintf(stderr, "frame %zu (of %zu) is not the tone's %zu\n", from + i,
                    record_frames(r), i);
            return false;
        }
    }
    return true;
}

/* Stereo, 16 bits, from frame `first` of the tone. */
static inline void put_tone(struct qt *t, uint32_t addr, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put32(t, addr + 4 * (uint32_t)i,
              (uint16_t)tone(first + i, 0) | (uint32_t)(uint16_t)tone(first + i, 1) << 16);
}
