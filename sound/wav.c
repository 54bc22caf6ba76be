/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest plays, into a WAVE file (Microsoft/IBM, Multimedia Programming
 * Interface and Data Specifications 1.0, 1991: RIFF, "fmt " and "data"). Its
 * head is put right whenever data is written, so a copy of it is good at any
 * time. Frames are gathered in memory and written when enough are there, or
 * soon after.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include "hw/core/config.h"
#include "hw/core/log.h"
#include "sound/sound.h"

#define GATHER   (64 * 1024)
#define WRITE_MS 200
#define WAVE_PCM 1
#define DATA_MAX (UINT32_MAX - 2 * GATHER) /* RIFF counts in 32 bits */

struct wav_head {
    char riff[4];
    uint32_t riff_len;
    char wave[4], fmt[4];
    uint32_t fmt_len;
    uint16_t tag, channels;
    uint32_t rate, bytes_a_second;
    uint16_t frame_size, bits;
    char data[4];
    uint32_t data_len;
};
_Static_assert(sizeof(struct wav_head) == 44, "the file's");

struct wav {
    int fd;           /* -1: the disk or the file is full */
    uv_timer_t *soon; /* its own allocation: libuv lets go of it after us; NULL: no loop */
    char *path;
    struct wav_head head;
    size_t have;
    uint8_t buf[GATHER];
};

static void give_up(struct wav *w, const char *why)
{
    log_line("wav file %s: %s; nothing more is written", w->path, why);
    close(w->fd);
    w->fd = -1;
}

static bool write_all(struct wav *w, const void *data, size_t len, off_t at)
{
    const uint8_t *p = data;

    while (len) {
        ssize_t n = pwrite(w->fd, p, len, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            give_up(w, n ? strerror(errno) : "nothing was written");
            return false;
        }
        p += n;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static void wav_write(struct wav *w)
{
    struct wav_head *h = &w->head;
    size_t have = w->have;

    w->have = 0;
    if (w->fd < 0 || !have || !write_all(w, w->buf, have, (off_t)(sizeof(*h) + h->data_len)))
        return;
    h->data_len += (uint32_t)have;
    h->riff_len = (uint32_t)(sizeof(*h) - 8 + h->data_len);
    if (write_all(w, h, sizeof(*h), 0) && h->data_len >= DATA_MAX)
        give_up(w, "4 GiB are full");
}

static void wav_soon(uv_timer_t *t)
{
    wav_write(t->data);
}

static void put_sample(struct wav *w, int16_t v)
{
    if (w->head.bits == 8) {
        w->buf[w->have++] = (uint8_t)((v + 0x8000) >> 8);
        return;
    }
    w->buf[w->have++] = (uint8_t)v;
    w->buf[w->have++] = (uint8_t)((uint16_t)v >> 8);
}

static void wav_play(struct sound *s, const int16_t *frames, size_t n)
{
    struct wav *w = s->priv;

    if (w->fd < 0)
        return;
    for (; n; n--, frames += 2) {
        if (w->have + w->head.frame_size > sizeof(w->buf))
            wav_write(w);
        if (w->head.channels == 2) {
            put_sample(w, frames[0]);
            put_sample(w, frames[1]);
        } else {
            put_sample(w, (int16_t)((frames[0] + frames[1]) / 2));
        }
    }
    if (w->soon && !uv_is_active((uv_handle_t *)w->soon))
        uv_timer_start(w->soon, wav_soon, WRITE_MS, 0);
}

static void timer_closed(uv_handle_t *h)
{
    free(h);
}

static void wav_close(struct sound *s)
{
    struct wav *w = s->priv;

    wav_write(w);
    if (w->soon)
        uv_close((uv_handle_t *)w->soon, timer_closed);
    if (w->fd >= 0)
        close(w->fd);
    free(w->path);
    free(w);
}

static const struct sound_ops wav_ops = { .name = "wav", .play = wav_play, .close = wav_close };

static int wav_format(struct wav_head *h, const struct config *cfg, uint32_t rate, struct err *err)
{
    const char *format = config_str(cfg, "out.format", "s16");
    uint64_t channels;
    int rc = config_uint(cfg, "out.channels", 2, 2, &channels, err);

    if (rc)
        return rc;
    if (!channels)
        return err_set(err, -EINVAL, "out.channels=0: use 1 or 2");
    if (strcmp(format, "s16") && strcmp(format, "u8"))
        return err_set(err, -EINVAL, "out.format=%.16s: use s16 or u8", format);
    memcpy(h->riff, "RIFF", 4);
    memcpy(h->wave, "WAVE", 4);
    memcpy(h->fmt, "fmt ", 4);
    memcpy(h->data, "data", 4);
    h->fmt_len = 16;
    h->tag = WAVE_PCM;
    h->channels = (uint16_t)channels;
    h->bits = strcmp(format, "u8") ? 16 : 8;
    h->rate = rate;
    h->frame_size = (uint16_t)(h->channels * h->bits / 8);
    h->bytes_a_second = rate * h->frame_size;
    h->riff_len = sizeof(*h) - 8;
    return 0;
}

static int wav_init(struct wav *w, const struct config *cfg, uint32_t rate, struct err *err)
{
    const char *path = config_str(cfg, "path", "qemu.wav");
    int rc = wav_format(&w->head, cfg, rate, err);

    w->fd = -1;
    if (rc)
        return rc;
    w->path = strdup(path);
    if (!w->path)
        return err_set(err, -ENOMEM, "out of memory");
    w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (w->fd < 0)
        return err_set(err, -errno, "path=%.200s: %s", path, strerror(errno));
    if (!write_all(w, &w->head, sizeof(w->head), 0))
        return err_set(err, -EIO, "path=%.200s: cannot be written", path);
    return 0;
}

struct sound *sound_open_wav(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                             const char *dir, struct err *err)
{
    struct sound *s = sound_new(&wav_ops, cfg, err);
    struct wav *w = s ? calloc(1, sizeof(*w)) : NULL;

    if (!s)
        return NULL;
    if (!w)
        err_set(err, -ENOMEM, "out of memory");
    if (!w || wav_init(w, cfg, s->rate, err)) {
        if (w && w->fd >= 0)
            close(w->fd);
        if (w)
            free(w->path);
        free(w);
        free(s);
        return NULL;
    }
    w->soon = loop ? malloc(sizeof(*w->soon)) : NULL;
    if (w->soon) {
        uv_timer_init(loop, w->soon);
        w->soon->data = w;
    }
    s->priv = w;
    return s;
}
