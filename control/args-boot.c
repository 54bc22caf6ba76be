/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-boot.c: what the firmware is told and when the guest ends:
 * -boot, -rtc, -bios, -action, -name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "control/args-impl.h"
#include "hw/core/log.h"

#define BOOT_MS_MAX 65535

/* QEMU's letters for a PC: a b floppies, c disk, d CD, n o p network cards. */
static int set_order(struct args_ctx *c, const char *key, const char *order, char *out, size_t size)
{
    for (const char *p = order; *p; p++) {
        if (!strchr("abcdnop", *p) || strchr(p + 1, *p))
            return err_set(c->err, -EINVAL,
                           "-boot %s=%s: use each of a (floppy), c (disk), "
                           "d (CD), n (network) at most once",
                           key, order);
    }
    if (strlen(order) < size)
        memcpy(out, order, strlen(order) + 1);
    return 0;
}

/* Milliseconds for the firmware, in QEMU's words when they are out of range. */
static int set_ms(struct args_ctx *c, const struct config *cfg, const char *key, int min, int *out)
{
    const char *val = config_str(cfg, key, NULL);
    int64_t ms;

    if (!val)
        return 0;
    if (keyval_int(cfg, "-boot", key, 0, min, BOOT_MS_MAX, &ms, NULL))
        return err_set(c->err, -EINVAL,
                       "-boot %s=%s: %s is invalid,it should be a value between %d and %d", key,
                       val, key, min, BOOT_MS_MAX);
    *out = (int)ms;
    return 0;
}

int args_boot(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const struct keyval_key keys[] = { { "order", 0 },       { "once", 0 },
                                              { "menu", 0 },        { "splash", KV_NAME },
                                              { "splash-time", 0 }, { "reboot-timeout", 0 },
                                              { "strict", 0 },      { NULL, 0 } };
    struct boot_arg *b = &c->a->bootopt;
    struct config cfg = { 0 };
    bool menu = b->menu == 1;
    int rc = keyval_parse(&cfg, "-boot", arg, "order", keys, c->err);

    if (!rc && config_str(&cfg, "order", NULL))
        rc = set_order(c, "order", config_str(&cfg, "order", ""), c->a->boot, sizeof(c->a->boot));
    c->seen.boot |= config_str(&cfg, "order", NULL) != NULL;
    if (!rc && config_str(&cfg, "once", NULL))
        rc = set_order(c, "once", config_str(&cfg, "once", ""), b->once, sizeof(b->once));
    if (!rc)
        rc = keyval_bool(&cfg, "-boot", "menu", menu, &menu, c->err);
    if (!rc && config_str(&cfg, "menu", NULL))
        b->menu = menu;
    if (!rc)
        rc = keyval_bool(&cfg, "-boot", "strict", b->strict, &b->strict, c->err);
    if (!rc)
        rc = set_ms(c, &cfg, "splash-time", 0, &b->splash_time);
    if (!rc)
        rc = set_ms(c, &cfg, "reboot-timeout", -1, &b->reboot_timeout);
    if (!rc && config_str(&cfg, "splash", NULL))
        args_replace(&b->splash, config_str(&cfg, "splash", ""));
    config_free(&cfg);
    return rc;
}

/* "2022-11-02" or "2022-11-02T01:02:03", taken as it is: what the clock shows. */
static bool parse_date(const char *s, int64_t *out)
{
    struct tm tm = { 0 }, back;
    int end = 0;
    time_t t;

    if (sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &end) != 6 ||
        s[end]) {
        memset(&tm, 0, sizeof(tm));
        end = 0;
        if (sscanf(s, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &end) != 3 || s[end])
            return false;
    }
    tm.tm_year -= 1900;
    tm.tm_mon--;
    back = tm;
    t = timegm(&tm);
    if (tm.tm_mon != back.tm_mon || tm.tm_mday != back.tm_mday || tm.tm_hour != back.tm_hour ||
        tm.tm_min != back.tm_min || tm.tm_sec != back.tm_sec)
        return false; /* the 31st of February */
    *out = t;
    return true;
}

int args_rtc(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const struct keyval_key keys[] = {
        { "base", 0 }, { "clock", 0 }, { "driftfix", 0 }, { NULL, 0 }
    };
    static const char *const clocks[] = { "host", "rt", "vm", NULL };
    static const char *const fixes[] = { "none", "slew", NULL };
    struct rtc_arg *r = &c->a->rtc;
    struct config cfg = { 0 };
    const char *base;
    int clock, fix, rc = keyval_parse(&cfg, "-rtc", arg, "base", keys, c->err);

    clock =
        rc ? rc : keyval_word(&cfg, "-rtc", "clock", clocks, r->vm_clock ? "vm" : "host", c->err);
    fix = clock < 0
              ? clock
              : keyval_word(&cfg, "-rtc", "driftfix", fixes, r->slew ? "slew" : "none", c->err);
    rc = fix < 0 ? fix : 0;
    base = config_str(&cfg, "base", NULL);
    if (!rc && base && !strcmp(base, "utc"))
        r->base = RTC_UTC;
    else if (!rc && base && !strcmp(base, "localtime"))
        r->base = RTC_LOCALTIME;
    else if (!rc && base && parse_date(base, &r->date))
        r->base = RTC_DATE;
    else if (!rc && base)
        rc = err_set(c->err, -EINVAL,
                     "-rtc base=%s: invalid datetime format; use utc, localtime, "
                     "2006-06-17T16:01:21 or 2006-06-17",
                     base);
    if (!rc) {
        r->vm_clock = clock == 2;
        r->slew = fix == 1;
    }
    config_free(&cfg);
    return rc;
}

int args_action(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const struct keyval_key keys[] = {
        { "reboot", 0 }, { "shutdown", 0 }, { "panic", 0 }, { "watchdog", 0 }, { NULL, 0 }
    };
    static const char *const reboots[] = { "reset", "shutdown", NULL };
    static const char *const shutdowns[] = { "poweroff", "pause", NULL };
    static const char *const panics[] = { "shutdown", "pause", "exit-failure", "none", NULL };
    struct config cfg = { 0 };
    int reboot = 0, down = 0, rc = keyval_parse(&cfg, "-action", arg, NULL, keys, c->err);

    if (!rc) {
        reboot = keyval_word(&cfg, "-action", "reboot", reboots, reboots[c->a->on_reboot], c->err);
        rc = reboot < 0 ? reboot : 0;
    }
    if (!rc) {
        down = keyval_word(&cfg, "-action", "shutdown", shutdowns, shutdowns[c->a->on_shutdown],
                           c->err);
        rc = down < 0 ? down : 0;
    }
    if (!rc) { /* there is no panic device and no watchdog: nothing can ask for it */
        rc = keyval_word(&cfg, "-action", "panic", panics, "shutdown", c->err);
        rc = rc < 0 ? rc : 0;
    }
    if (!rc) {
        c->a->on_reboot = (enum on_reboot)reboot;
        c->a->on_shutdown = (enum on_shutdown)down;
    }
    config_free(&cfg);
    return rc;
}

int args_no_reboot(struct args_ctx *c, const struct option *o, const char *arg)
{
    c->a->on_reboot = REBOOT_END;
    return 0;
}

int args_no_shutdown(struct args_ctx *c, const struct option *o, const char *arg)
{
    c->a->on_shutdown = SHUTDOWN_PAUSE;
    return 0;
}

int args_bios(struct args_ctx *c, const struct option *o, const char *arg)
{
    if (!*arg)
        return err_set(c->err, -EINVAL, "-bios: the file name is empty");
    args_replace(&c->a->bios, arg);
    return 0;
}

/*
 * libxl's names may hold any character and are taken as they are. Elsewhere it
 * is QEMU's spelling: NAME or guest=NAME, and what only names threads.
 */
int args_join_name(struct args_ctx *c)
{
    static const struct keyval_key keys[] = {
        { "guest", 0 }, { "debug-threads", 0 }, { "process", 0 }, { NULL, 0 }
    };
    struct config cfg = { 0 };
    bool threads;
    int rc;

    if (!c->a->name || !c->a->own_clocks)
        return 0;
    rc = keyval_parse(&cfg, "-name", c->a->name, "guest", keys, c->err);
    if (!rc)
        rc = keyval_bool(&cfg, "-name", "debug-threads", false, &threads, c->err);
    if (!rc) {
        free(c->a->name);
        c->a->name =
            config_str(&cfg, "guest", NULL) ? xstrdup(config_str(&cfg, "guest", "")) : NULL;
    }
    config_free(&cfg);
    return rc;
}
