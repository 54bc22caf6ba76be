/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of sinks, and the one that nobody hears. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "hw/core/config.h"
#include "sound/sound.h"

static void none_play(struct sound *s, const int16_t *frames, size_t n)
{
}

static void none_close(struct sound *s)
{
}

static struct sound *open_none(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                               const char *dir, struct err *err)
{
    static const struct sound_ops ops = { .name = "none", .play = none_play, .close = none_close };

    return sound_new(&ops, cfg, err);
}

static const struct {
    const char *driver;
    struct sound *(*open)(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                          const char *dir, struct err *err);
} drivers[] = {
    { "none", open_none },
    { "wav", sound_open_wav },
    { "sdl", sound_open_sdl },
};

bool sound_has_driver(const char *driver)
{
    for (unsigned i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        if (!strcmp(drivers[i].driver, driver))
            return true;
    }
    return false;
}

struct sound *sound_open(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                         const char *dir, struct err *err)
{
    const char *driver = config_str(cfg, "driver", "");

    for (unsigned i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        struct sound *s;

        if (strcmp(drivers[i].driver, driver))
            continue;
        s = drivers[i].open(loop, id, cfg, dir, err);
        if (!s && err) {
            struct err why = *err;

            err_set(err, -EINVAL, "-audiodev %s,id=%s: %.300s", driver, id, why.msg);
        }
        return s;
    }
    err_set(err, -ENOTSUP, "-audiodev %.64s,id=%s: there is no such sink; use none, wav or sdl",
            driver, id);
    return NULL;
}
