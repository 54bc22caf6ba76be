/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Voices become one stream. Each writes into a ring of sums at its own place;
 * what all that play have written goes to the sink. A voice of the sink's own
 * rate passes unchanged, others are drawn with straight lines between frames.
 */
#include "sound/sound.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/config.h"

#define ONE        (UINT64_C(1) << 32)
#define GAIN_MAX   (64 * SOUND_UNITY)
#define QUIET      (-192) /* half decibels */
#define EMIT       256    /* frames at a time */
#define USUAL_RATE 44100

uint32_t sound_half_db(int halves)
{
    double gain = halves < QUIET ? 0 : pow(10.0, halves / 40.0) * SOUND_UNITY + 0.5;

    return gain > GAIN_MAX ? GAIN_MAX : (uint32_t)gain;
}

static int16_t clipped(int32_t v)
{
    return (int16_t)(v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v);
}

/* Hands the sink everything before frame `end`; places are free again afterwards. */
static void emit(struct sound *s, uint64_t end)
{
    int16_t out[EMIT][2];

    while (s->head < end) {
        size_t n = 0;

        for (; n < EMIT && s->head < end; n++, s->head++) {
            int32_t *sum = s->mix[s->head % SOUND_MIX];

            out[n][0] = clipped(sum[0]);
            out[n][1] = clipped(sum[1]);
            sum[0] = sum[1] = 0;
        }
        s->ops->play(s, &out[0][0], n);
    }
}

/* What every voice that plays has given; all of it when none does. */
static void flush(struct sound *s)
{
    uint64_t end = s->tail;

    for (unsigned i = 0; i < s->nvoices; i++) {
        if (s->voices[i]->on && s->voices[i]->at < end)
            end = s->voices[i]->at;
    }
    emit(s, end);
}

static void put(struct sound_voice *v, int32_t left, int32_t right)
{
    struct sound *s = v->sound;
    int32_t *sum;

    if (v->at < s->head) /* it slept, and the others went on */
        v->at = s->head;
    if (v->at - s->head >= SOUND_MIX)
        emit(s, v->at - SOUND_MIX / 2);
    sum = s->mix[v->at % SOUND_MIX];
    sum[0] += (int32_t)((int64_t)left * v->gain[0] / SOUND_UNITY);
    sum[1] += (int32_t)((int64_t)right * v->gain[1] / SOUND_UNITY);
    v->at++;
    if (v->at > s->tail)
        s->tail = v->at;
}

static void frame(struct sound_voice *v, int32_t left, int32_t right)
{
    uint64_t step = ((uint64_t)v->format.rate << 32) / v->sound->rate;

    if (v->format.rate == v->sound->rate) {
        put(v, left, right);
        return;
    }
    for (; v->phase < ONE; v->phase += step) {
        int64_t part = (int64_t)(v->phase >> 16);

        put(v, (int32_t)(v->last[0] + (left - v->last[0]) * part / 65536),
            (int32_t)(v->last[1] + (right - v->last[1]) * part / 65536));
    }
    v->phase -= ONE;
    v->last[0] = left;
    v->last[1] = right;
}

static int32_t sample(const struct sound_format *f, const uint8_t *p)
{
    int32_t v = f->bits == 16 ? p[0] | p[1] << 8 : p[0] << 8;

    if (!f->is_signed)
        return v - 0x8000;
    return v >= 0x8000 ? v - 0x10000 : v;
}

void sound_play(struct sound_voice *v, const void *data, size_t len)
{
    const struct sound_format *f = &v->format;
    unsigned size = f->channels * f->bits / 8u;
    const uint8_t *p = data;

    if (!v->sound || !v->on)
        return;
    while (len) {
        v->torn[v->ntorn++] = *p++;
        len--;
        if (v->ntorn < size)
            continue;
        v->ntorn = 0;
        frame(v, sample(f, v->torn), sample(f, f->channels == 2 ? v->torn + size / 2 : v->torn));
    }
    flush(v->sound);
}

/* A voice begins where the others are: what they have given is what has been. */
static uint64_t place_to_begin(const struct sound *s)
{
    uint64_t at = 0;

    for (unsigned i = 0; i < s->nvoices; i++) {
        if (s->voices[i]->on && s->voices[i]->at > at)
            at = s->voices[i]->at;
    }
    return at > s->head ? at : s->head;
}

static bool same(const struct sound_format *a, const struct sound_format *b)
{
    return a->rate == b->rate && a->channels == b->channels && a->bits == b->bits &&
           a->is_signed == b->is_signed;
}

void sound_set(struct sound_voice *v, const struct sound_format *f)
{
    bool good = f && f->rate && f->rate <= SOUND_RATE_MAX;

    if (!v->sound || (!good && !v->on) || (good && v->on && same(f, &v->format)))
        return;
    if (!good) {
        v->on = false;
        flush(v->sound);
        return;
    }
    if (!v->on || f->rate != v->format.rate) {
        v->phase = 0;
        v->last[0] = v->last[1] = 0;
    }
    if (!v->on)
        v->at = place_to_begin(v->sound);
    v->ntorn = 0;
    v->format = *f;
    v->on = true;
}

void sound_gain(struct sound_voice *v, uint32_t left, uint32_t right)
{
    v->gain[0] = left < GAIN_MAX ? left : GAIN_MAX;
    v->gain[1] = right < GAIN_MAX ? right : GAIN_MAX;
}

void sound_attach(struct sound_voice *v, struct sound *s)
{
    memset(v, 0, sizeof(*v));
    v->gain[0] = v->gain[1] = SOUND_UNITY;
    if (!s || s->nvoices == SOUND_VOICES)
        return;
    v->sound = s;
    s->voices[s->nvoices++] = v;
}

void sound_detach(struct sound_voice *v)
{
    struct sound *s = v->sound;

    if (!s)
        return;
    sound_set(v, NULL);
    for (unsigned i = 0; i < s->nvoices; i++) {
        if (s->voices[i] == v)
            s->voices[i] = s->voices[--s->nvoices];
    }
    v->sound = NULL;
}

struct sound *sound_new(const struct sound_ops *ops, const struct config *cfg, struct err *err)
{
    struct sound *s;
    uint64_t rate;

    if (config_uint(cfg, "out.frequency", USUAL_RATE, SOUND_RATE_MAX, &rate, err))
        return NULL;
    if (rate < 1000) {
        err_set(err, -EINVAL, "out.frequency=%u: use 1000 to %u", (unsigned)rate, SOUND_RATE_MAX);
        return NULL;
    }
    s = calloc(1, sizeof(*s));
    if (!s) {
        err_set(err, -ENOMEM, "out of memory");
        return NULL;
    }
    s->ops = ops;
    s->rate = (uint32_t)rate;
    return s;
}

void sound_close(struct sound *s)
{
    if (!s)
        return;
    emit(s, s->tail);
    s->ops->close(s);
    free(s);
}
