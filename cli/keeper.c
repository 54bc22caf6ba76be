/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One keeper for each guest. It has a control socket of its own and sleeps on
 * it: an event says how the guest ended, the end of the stream that
 * portico-dm did.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "cli/bridge.h"
#include "cli/dm-line.h"
#include "cli/keeper.h"

#define START_MS     60000 /* as libxl: LIBXL_DEVICE_MODEL_START_TIMEOUT */
#define ANSWER_MS    30000
#define CRASH_SECOND 10 /* a guest that crashes sooner would do so for ever */

static long long seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

void keeper_say(struct keeper *k, const char *fmt, ...)
{
    char text[600];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    dprintf(k->log, "portico: %s\n", text);
}

int keeper_log(const struct place *p, const char *name, char *path, size_t size)
{
    char old[700];

    if (snprintf(path, size, "%s/%s.log", p->log, name) >= (int)size ||
        snprintf(old, sizeof(old), "%s.1", path) >= (int)sizeof(old))
        return complain("%s: the name of the log is too long", name), -1;
    rename(path, old);
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
}

/*
 * In the child: what portico-dm inherits is its log, and the guest's lock that it lives under. A
 * keeper that dies takes the guest with it, in order: nobody would do what on_reboot= says.
 */
static void run_dm(struct keeper *k)
{
    int null = open("/dev/null", O_RDWR);

    signal(SIGINT, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(null, 0);
    dup2(k->log, 1);
    dup2(k->log, 2);
    if (null > 2)
        close(null);
    fcntl(k->spot.lock, F_SETFD, 0);
    execv(k->line[0], k->line);
    dprintf(2, "portico: %s: %s\n", k->line[0], strerror(errno));
    _exit(127);
}

/* The last line that portico-dm wrote, which says why it did not start. */
static void last_words(struct keeper *k, off_t from)
{
    char path[64], text[4096], *line = text, *nl;
    int fd;
    ssize_t n = 0;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", k->log);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = pread(fd, text, sizeof(text) - 1, from);
        close(fd);
    }
    text[n > 0 ? n : 0] = 0;
    nl = text + strlen(text);
    while (nl > text && nl[-1] == '\n')
        *--nl = 0;
    nl = strrchr(text, '\n');
    if (nl)
        line = nl + 1;
    snprintf(k->err, sizeof(k->err), "%.500s", *line ? line : "portico-dm ended without a word");
}

/* Tries the control socket until it is there or the program is not. */
static int meet(struct keeper *k, off_t from)
{
    const struct timespec pause = { .tv_nsec = 5000000 };
    long long until = seconds() + START_MS / 1000;
    int status;

    while (qmp_open(&k->qmp, k->spot.dir, "keeper", ANSWER_MS)) {
        qmp_close(&k->qmp);
        if (waitpid(k->pid, &status, WNOHANG) == k->pid) {
            k->pid = 0;
            last_words(k, from);
            return -1;
        }
        if (seconds() > until) {
            snprintf(k->err, sizeof(k->err), "portico-dm does not answer after %d s",
                     START_MS / 1000);
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    return 0;
}

static int set_password(struct keeper *k)
{
    const char *password = k->g->screen.vnc_password;

    if (!password || !k->g->screen.vnc || k->g->screen.nographic)
        return 0;
    if (qmp_do(&k->qmp, "change-vnc-password", json_pack("{s:s}", "password", password),
               ANSWER_MS)) {
        snprintf(k->err, sizeof(k->err), "the VNC password cannot be set: %.400s", k->qmp.err);
        return -1;
    }
    return 0;
}

static int plug_cables(struct keeper *k)
{
    const struct guest *g = k->g;

    for (unsigned i = 0; i < g->nnics; i++) {
        char name[IFNAME_SIZE];

        if (g->nics[i].user || k->user_nics & 1u << i)
            continue;
        dm_ifname(g, i, k->spot.id, name);
        if (bridge_add(g->nics[i].bridge, name, k->err, sizeof(k->err)))
            return -1;
    }
    return 0;
}

static void give_up(struct keeper *k)
{
    qmp_close(&k->qmp);
    if (k->pid > 0) {
        kill(k->pid, SIGKILL);
        waitpid(k->pid, NULL, 0);
    }
    k->pid = 0;
}

int keeper_start(struct keeper *k)
{
    off_t from = lseek(k->log, 0, SEEK_END);

    k->err[0] = 0;
    k->qmp.fd = -1;
    k->pid = fork();
    if (k->pid < 0) {
        snprintf(k->err, sizeof(k->err), "fork: %s", strerror(errno));
        return -1;
    }
    if (k->pid == 0)
        run_dm(k);
    k->started = seconds();
    if (meet(k, from) || set_password(k) || plug_cables(k)) {
        give_up(k);
        return -1;
    }
    facts_set(k->place, &k->spot, "dm", json_integer(k->pid));
    facts_set(k->place, &k->spot, "started", json_integer(time(NULL)));
    return 0;
}

int keeper_go(struct keeper *k)
{
    if (!qmp_do(&k->qmp, "cont", NULL, ANSWER_MS))
        return 0;
    snprintf(k->err, sizeof(k->err), "the guest cannot run: %.400s", k->qmp.err);
    return -1;
}

enum keeper_end keeper_end(const char *reason, int status, bool reboot_asked, bool destroy_asked)
{
    if (destroy_asked || (reason && !strncmp(reason, "host-", 5)))
        return END_ASKED;
    if (reason && !strcmp(reason, "guest-shutdown"))
        return reboot_asked ? END_REBOOT : END_POWEROFF;
    if (reason && !strcmp(reason, "guest-reset"))
        return END_REBOOT;
    return status ? END_CRASH : END_ASKED;
}

/* `portico reboot` and `portico destroy` leave a mark. */
static bool marked(const struct keeper *k, const char *mark)
{
    char path[sizeof(k->spot.dir) + 16];

    snprintf(path, sizeof(path), "%s/%s", k->spot.dir, mark);
    return unlink(path) == 0;
}

static enum keeper_end how_ended(const struct keeper *k, const char *reason, int status)
{
    bool reboot = marked(k, KEEPER_REBOOT), destroy = marked(k, KEEPER_DESTROY);

    return keeper_end(reason, status, reboot, destroy);
}

static enum guest_then what_then(const struct keeper *k, enum keeper_end end)
{
    switch (end) {
    case END_POWEROFF:
        return k->g->on_poweroff;
    case END_REBOOT:
        return k->g->on_reboot;
    case END_CRASH:
        return k->g->on_crash;
    default:
        return THEN_DESTROY;
    }
}

/* The guest stands still and portico-dm is still there: only so with -no-shutdown. */
static void act(struct keeper *k, const char *reason)
{
    enum guest_then then = what_then(k, how_ended(k, reason, 0));

    if (then == THEN_PRESERVE) {
        keeper_say(k, "the guest has ended (%s) and is kept; `portico destroy` removes it", reason);
    } else if (then == THEN_DESTROY) {
        qmp_do(&k->qmp, "quit", NULL, ANSWER_MS);
    } else {
        keeper_say(k, "the guest has ended (%s) and is started again", reason);
        qmp_do(&k->qmp, "system_reset", NULL, ANSWER_MS);
        keeper_go(k);
    }
}

/* Until the stream ends; the reason of the last SHUTDOWN event is left in `reason`. */
static void listen(struct keeper *k, char reason[64])
{
    bool stands = k->g->on_poweroff != THEN_DESTROY || k->g->on_reboot == THEN_PRESERVE;
    json_t *msg;

    reason[0] = 0;
    while ((msg = qmp_next(&k->qmp, -1))) {
        const char *event = fact(msg, "event");
        const char *why = fact(json_object_get(msg, "data"), "reason");

        if (!strcmp(event, "SHUTDOWN"))
            snprintf(reason, 64, "%s", why);
        if (!strcmp(event, "SHUTDOWN") && stands && !strncmp(why, "guest-", 6))
            act(k, reason);
        json_decref(msg);
    }
    qmp_close(&k->qmp);
}

static int wait_for_dm(struct keeper *k)
{
    int status = 0;

    while (waitpid(k->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    k->pid = 0;
    return status;
}

/* true: it runs again */
static bool again(struct keeper *k, enum keeper_end end)
{
    if (end == END_CRASH && seconds() - k->started < CRASH_SECOND) {
        keeper_say(k, "it crashed within %d s and is not started again", CRASH_SECOND);
        return false;
    }
    keeper_say(k, "the guest is started again");
    if (!keeper_start(k) && !keeper_go(k))
        return true;
    keeper_say(k, "it is not: %s", k->err);
    give_up(k);
    return false;
}

int keeper_stay(struct keeper *k)
{
    char reason[64];

    for (;;) {
        enum keeper_end end;
        enum guest_then then;
        int status;

        listen(k, reason);
        status = wait_for_dm(k);
        end = how_ended(k, *reason ? reason : NULL, status);
        then = what_then(k, end);
        if (WIFSIGNALED(status))
            keeper_say(k, "portico-dm died of signal %d", WTERMSIG(status));
        else if (end == END_CRASH)
            keeper_say(k, "portico-dm ended with status %d", WEXITSTATUS(status));
        if (then != THEN_RESTART || !again(k, end))
            return end == END_CRASH ? 1 : 0;
    }
}
