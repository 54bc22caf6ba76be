/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-audio.c: -audiodev, where what a guest plays goes; -audio, the
 * same with a card; and -soundhw, as older toolstacks ask for a card.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"
#include "hw/core/log.h"
#include "sound/sound.h"

/* What QEMU takes for its mixer: ours has one way of working, which these do not change. */
static const char *const no_effect[] = {
    "timer-period",    "in.mixing-engine",  "in.fixed-settings", "in.frequency",
    "in.channels",     "in.format",         "in.voices",         "in.buffer-length",
    "in.buffer-count", "in.latency",        "out.mixing-engine", "out.fixed-settings",
    "out.voices",      "out.buffer-length", "out.buffer-count",  "out.latency",
};

static const struct keyval_key audiodev_keys[] = {
    { "driver", 0 },
    { "id", 0 },
    { "path", KV_NAME },
    { "out.frequency", 0 },
    { "out.channels", 0 },
    { "out.format", 0 },
    { "timer-period", 0 },
    { "in.", 0 },
    { "out.mixing-engine", 0 },
    { "out.fixed-settings", 0 },
    { "out.voices", 0 },
    { "out.buffer-length", 0 },
    { "out.buffer-count", 0 },
    { "out.latency", 0 },
    { NULL, 0 },
};

struct audiodev_arg *args_find_audiodev(struct vm_args *a, const char *id)
{
    for (unsigned i = 0; i < a->naudiodevs; i++) {
        if (!strcmp(a->audiodevs[i].id, id))
            return &a->audiodevs[i];
    }
    return NULL;
}

static bool is_without_effect(const char *key)
{
    for (unsigned i = 0; i < sizeof(no_effect) / sizeof(no_effect[0]); i++) {
        if (!strcmp(no_effect[i], key))
            return true;
    }
    return false;
}

static int check_keys(const struct config *cfg, const char *opt, struct err *err)
{
    const char *driver = config_str(cfg, "driver", "");
    int rc = keyval_check(cfg, opt, audiodev_keys, err);

    if (rc)
        return rc;
    if (config_str(cfg, "path", NULL) && strcmp(driver, "wav"))
        return err_set(err, -EINVAL, "%s %.64s: unknown key 'path'", opt, driver);
    for (size_t i = 0; i < cfg->n; i++) {
        const char *key = cfg->items[i].key;

        if (!strncmp(key, "in.", 3) && !is_without_effect(key))
            return err_set(err, -EINVAL, "%s: unknown key '%.64s'", opt, key);
        if (is_without_effect(key))
            log_line("%s %s=%s: has no effect", opt, key, cfg->items[i].val);
    }
    return 0;
}

static int add_audiodev(struct args_ctx *c, const char *opt, const struct config *cfg,
                        const char *id)
{
    const char *driver = config_str(cfg, "driver", "");
    struct vm_args *a = c->a;
    struct audiodev_arg *d = &a->audiodevs[a->naudiodevs];
    int rc;

    if (!*driver || !*id)
        return err_set(c->err, -EINVAL, "%s: Parameter '%s' is missing", opt,
                       *driver ? "id" : "driver");
    if (!sound_has_driver(driver))
        return err_set(c->err, -ENOTSUP, "%s %.64s: not supported; use none, wav or sdl", opt,
                       driver);
    if (args_find_audiodev(a, id))
        return err_set(c->err, -EINVAL, "%s %.64s: Duplicate audiodev ID '%.64s'", opt, driver, id);
    if (a->naudiodevs == ARGS_AUDIODEVS)
        return err_set(c->err, -EINVAL, "%s %.64s: more than %u", opt, driver, ARGS_AUDIODEVS);
    rc = check_keys(cfg, opt, c->err);
    if (rc)
        return rc;
    d->id = xstrdup(id);
    for (size_t i = 0; i < cfg->n; i++)
        config_set(&d->cfg, cfg->items[i].key, cfg->items[i].val);
    a->naudiodevs++;
    return 0;
}

static bool is_help(const char *s)
{
    return !strcmp(s, "help") || !strcmp(s, "?");
}

int args_audiodev(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 };
    int rc = 0;

    if (is_help(arg))
        c->a->print = xstrdup("Available audio drivers:\nnone\nwav\nsdl");
    else
        rc = keyval_parse(&cfg, "-audiodev", arg, "driver", audiodev_keys, c->err);
    if (!rc && !c->a->print)
        rc = add_audiodev(c, "-audiodev", &cfg, config_str(&cfg, "id", ""));
    config_free(&cfg);
    return rc;
}

/* Cards by the names of -soundhw and of -audio's model=. */
static const struct {
    const char *name, *driver, *text;
} models[] = {
    { "ac97", "AC97", "Intel 82801AA AC97 Audio" },
    { "es1370", "ES1370", "ENSONIQ AudioPCI ES1370" },
    { "sb16", "sb16", "Creative Sound Blaster 16" },
};

static char *list_models(void)
{
    char *text = xstrdup("Valid audio device model names:"), *longer;

    for (unsigned i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        longer = xasprintf("%s\n%-11s %s", text, models[i].name, models[i].text);
        free(text);
        text = longer;
    }
    return text;
}

static int add_model(struct args_ctx *c, const char *opt, const char *name, const char *audiodev)
{
    const char *driver = NULL;
    char *arg;
    int rc;

    for (unsigned i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (!strcmp(models[i].name, name))
            driver = models[i].driver;
    }
    if (!driver)
        return err_set(c->err, -ENOTSUP, "%s %.64s: not supported; use ac97, es1370 or sb16", opt,
                       name);
    arg = audiodev ? xasprintf("%s,audiodev=%s", driver, audiodev) : xstrdup(driver);
    rc = args_device(c, NULL, arg);
    free(arg);
    return rc;
}

/* -audio [driver=]D,model=M[,KEY=VALUE]: an audiodev without a name, and a card that has it. */
int args_audio(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 }, rest = { 0 };
    int rc = keyval_parse(&cfg, "-audio", arg, "driver", NULL, c->err);
    char *model = xstrdup(config_str(&cfg, "model", "")), *id = NULL;

    if (!rc && (is_help(model) || is_help(arg)))
        c->a->print =
            is_help(model) ? list_models() : xstrdup("Available audio drivers:\nnone\nwav\nsdl");
    for (size_t i = 0; i < cfg.n; i++) {
        if (strcmp(cfg.items[i].key, "model"))
            config_set(&rest, cfg.items[i].key, cfg.items[i].val);
    }
    if (!rc && !c->a->print) {
        id = xasprintf("audio%u", c->a->naudiodevs);
        rc = add_audiodev(c, "-audio", &rest, config_str(&rest, "id", id));
        if (!rc && *model)
            rc = add_model(c, "-audio", model, config_str(&rest, "id", id));
    }
    free(id);
    free(model);
    config_free(&rest);
    config_free(&cfg);
    return rc;
}

int args_soundhw(struct args_ctx *c, const struct option *o, const char *arg)
{
    char *list = xstrdup(arg), *save = NULL;
    int rc = 0;

    if (is_help(arg))
        c->a->print = list_models();
    for (char *word = strtok_r(list, ",", &save); word && !rc && !c->a->print;
         word = strtok_r(NULL, ",", &save))
        rc = add_model(c, "-soundhw", word, NULL);
    free(list);
    return rc;
}

/* What a card names must be there. */
int args_join_audio(struct args_ctx *c)
{
    for (unsigned i = 0; i < c->a->ndevices; i++) {
        const struct device_arg *d = &c->a->devices[i];
        const char *id = config_str(&d->cfg, "audiodev", NULL);

        if (id && !args_find_audiodev(c->a, id))
            return err_set(c->err, -EINVAL,
                           "-device %s: Property '%s.audiodev' can't find value '%.64s'", d->driver,
                           d->driver, id);
    }
    return 0;
}

void args_free_audiodevs(struct vm_args *a)
{
    for (unsigned i = 0; i < a->naudiodevs; i++) {
        free(a->audiodevs[i].id);
        config_free(&a->audiodevs[i].cfg);
    }
}
