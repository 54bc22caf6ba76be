/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verbs have in common, and those that change how a guest runs. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cli/keeper.h"
#include "cli/verbs.h"

#define END_SECONDS 10 /* that destroy waits for an orderly end */

int words(int argc, char **argv, const char *letters, bool *flags, int least, int most)
{
    static const struct option names[] = {
        { "json", no_argument, NULL, 'j' },  { "long", no_argument, NULL, 'l' },
        { "wait", no_argument, NULL, 'w' },  { "all", no_argument, NULL, 'a' },
        { "force", no_argument, NULL, 'F' }, { NULL, 0, NULL, 0 },
    };
    int opt, left;

    while ((opt = getopt_long(argc, argv, letters, names, NULL)) != -1) {
        const char *at = opt == '?' ? NULL : strchr(letters, opt);

        if (!at) {
            complain("%s: unknown option; `portico help` lists them", argv[0]);
            return -1;
        }
        flags[at - letters] = true;
    }
    left = argc - optind;
    if (left >= least && left <= most)
        return optind;
    complain("%s: too %s words; `portico help` shows how it is written", argv[0],
             left < least ? "few" : "many");
    return -1;
}

int target_open(struct target *t, const char *name, bool connect)
{
    memset(t, 0, sizeof(*t));
    t->qmp.fd = -1;
    if (place_find(&t->place))
        return 1;
    t->facts = place_get(&t->place, name);
    if (!t->facts)
        return 1;
    place_spot(&t->place, (unsigned)fact_number(t->facts, "id"), &t->spot);
    if (connect && qmp_open(&t->qmp, t->spot.dir, "qmp", ANSWER_MS))
        return complain("%s: its device model cannot be reached: %s; `portico destroy %s` ends it",
                        name, t->qmp.err, name);
    return 0;
}

void target_close(struct target *t)
{
    qmp_close(&t->qmp);
    json_decref(t->facts);
    t->facts = NULL;
}

json_t *target_call(struct target *t, const char *verb, json_t *args)
{
    json_t *ret = qmp_call(&t->qmp, verb, args, ANSWER_MS);

    if (!ret)
        complain("%s: %s", fact(t->facts, "name"), t->qmp.err);
    return ret;
}

int target_do(struct target *t, const char *verb, json_t *args)
{
    json_t *ret = target_call(t, verb, args);

    json_decref(ret);
    return ret ? 0 : 1;
}

/* A verb of one guest that is one verb of the control protocol. */
static int simple(int argc, char **argv, const char *verb)
{
    int at = words(argc, argv, "", NULL, 1, 1), rc;
    struct target t;

    if (at < 0)
        return 2;
    rc = target_open(&t, argv[at], true);
    if (!rc)
        rc = target_do(&t, verb, NULL);
    target_close(&t);
    return rc;
}

int verb_pause(int argc, char **argv)
{
    return simple(argc, argv, "stop");
}

int verb_unpause(int argc, char **argv)
{
    return simple(argc, argv, "cont");
}

/* For the keeper; on false the mark of an earlier verb, which nothing came of, is taken away. */
static void mark(const struct target *t, const char *name, bool on)
{
    char path[sizeof(t->spot.dir) + 16];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", t->spot.dir, name);
    unlink(path);
    fd = !on ? -1 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

static void wait_gone(const struct spot *s, int seconds)
{
    const struct timespec pause = { .tv_nsec = 20000000 };

    for (long long left = seconds < 0 ? -1 : seconds * 50ll; left && !place_gone(s); left--)
        nanosleep(&pause, NULL);
}

static int shut_one(const char *name, bool wait)
{
    struct target t;
    int rc = target_open(&t, name, true);

    if (!rc) {
        mark(&t, KEEPER_REBOOT, false);
        rc = target_do(&t, "system_powerdown", NULL);
    }
    qmp_close(&t.qmp);
    if (!rc && wait)
        wait_gone(&t.spot, -1);
    target_close(&t);
    return rc;
}

int verb_shutdown(int argc, char **argv)
{
    bool flags[3] = {
        false
    }; /* -F, which xl needs for guests without PV drivers: always so here */
    int at = words(argc, argv, "awF", flags, 0, 1), rc = 0;
    struct place place;
    json_t *list, *f;
    size_t i;

    if (at < 0)
        return 2;
    if (!flags[0]) {
        if (at == argc)
            return complain("shutdown: which guest? portico shutdown NAME, or -a for all"), 2;
        return shut_one(argv[at], flags[1]);
    }
    if (place_find(&place))
        return 1;
    list = place_list(&place);
    for (i = 0; i < json_array_size(list); i++)
        rc |= shut_one(fact(json_array_get(list, i), "name"), false);
    for (i = 0; i < json_array_size(list); i++) {
        f = json_array_get(list, i);
        struct spot s;

        place_spot(&place, (unsigned)fact_number(f, "id"), &s);
        if (flags[1])
            wait_gone(&s, -1);
    }
    json_decref(list);
    return rc;
}

int verb_reboot(int argc, char **argv)
{
    bool flags[3] = { false };
    int at = words(argc, argv, "awF", flags, 1, 1), rc;
    struct target t;

    if (at < 0)
        return 2;
    rc = target_open(&t, argv[at], true);
    if (!rc && flags[2]) {
        rc = target_do(&t, "system_reset", NULL);
    } else if (!rc) {
        mark(&t, KEEPER_REBOOT, true);
        rc = target_do(&t, "system_powerdown", NULL);
    }
    target_close(&t);
    return rc;
}

/* The lock is held as long as they live, so the numbers are still theirs. */
static void pull_plug(const struct target *t)
{
    static const char *const who[] = { "dm", "keeper" };

    for (unsigned i = 0; i < 2 && !place_gone(&t->spot); i++) {
        pid_t pid = (pid_t)fact_number(t->facts, who[i]);

        if (pid > 0) {
            kill(pid, SIGKILL);
            wait_gone(&t->spot, END_SECONDS);
        }
    }
}

/* Asks, then pulls the plug: a device model that hangs must not keep the guest's name. */
int verb_destroy(int argc, char **argv)
{
    int at = words(argc, argv, "", NULL, 1, 1), rc;
    struct target t;

    if (at < 0)
        return 2;
    rc = target_open(&t, argv[at], false);
    if (!rc) {
        mark(&t, KEEPER_DESTROY, true);
        if (!qmp_open(&t.qmp, t.spot.dir, "qmp", END_SECONDS * 1000) &&
            !qmp_do(&t.qmp, "quit", NULL, END_SECONDS * 1000))
            wait_gone(&t.spot, END_SECONDS);
        pull_plug(&t);
        if (!place_gone(&t.spot))
            rc = complain("%s: its processes do not end; look into its log", argv[at]);
    }
    target_close(&t);
    return rc;
}

static const struct {
    const char *name, *verb; /* verb NULL: text says why */
    const char *text;
} triggers[] = {
    { "power", "system_powerdown", NULL },
    { "reset", "system_reset", NULL },
    { "nmi", "inject-nmi", NULL },
    { "s3resume", "system_wakeup", NULL },
    { "sleep", NULL, "there is no sleep button" },
    { "init", NULL, "there is no INIT button; use reset" },
};

int verb_trigger(int argc, char **argv)
{
    int at = words(argc, argv, "", NULL, 2, 3), rc;
    struct target t;

    if (at < 0)
        return 2;
    for (unsigned i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++) {
        if (strcmp(argv[at + 1], triggers[i].name))
            continue;
        if (!triggers[i].verb)
            return complain("trigger %s: %s", triggers[i].name, triggers[i].text);
        rc = target_open(&t, argv[at], true);
        if (!rc)
            rc = target_do(&t, triggers[i].verb, NULL);
        target_close(&t);
        return rc;
    }
    complain("trigger %s: not known; use power, reset, nmi or s3resume", argv[at + 1]);
    return 2;
}

int verb_rename(int argc, char **argv)
{
    int at = words(argc, argv, "", NULL, 2, 2), rc = 1, fd;
    const char *name;
    struct target t;

    if (at < 0)
        return 2;
    name = argv[at + 1];
    if (!*name || strlen(name) > 80 || strpbrk(name, "/,") ||
        strspn(name, "0123456789") == strlen(name))
        return complain(
                   "rename: \"%.90s\" is no name; give 1 to 80 characters, not only digits, no "
                   "slash, no comma",
                   name),
               2;
    if (target_open(&t, argv[at], false)) {
        target_close(&t);
        return 1;
    }
    fd = place_lock(&t.place);
    json_decref(t.facts);
    t.facts = fd >= 0 ? facts_read(&t.spot) : NULL; /* nobody changes them from here on */
    if (fd >= 0 && place_by_name(&t.place, name) >= 0)
        complain("%s runs already; take another name", name);
    else if (t.facts && !json_object_set_new(t.facts, "name", json_string(name)))
        rc = facts_write(&t.spot, t.facts) ? 1 : 0;
    if (fd >= 0)
        close(fd);
    target_close(&t);
    return rc;
}
