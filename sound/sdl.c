/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest plays, on this machine's sound card: portico-sound has SDL 2,
 * and frames go to it as they come. A packet for which its socket has no room
 * is left out, as nobody waits for a sound card; when it dies, the guest plays
 * on unheard.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>
#include "hw/core/config.h"
#include "hw/core/helper.h"
#include "hw/core/log.h"
#include "sound/protocol.h"
#include "sound/sound.h"

#define START_MS 10000
#define ROOM     65536 /* bytes of the socket: a fraction of a second */

struct speaker {
    int chan; /* -1: it has ended */
    pid_t pid;
    uv_poll_t *watch; /* its own allocation: libuv lets go of it after us; NULL: no loop */
};

static void watch_closed(uv_handle_t *h)
{
    free(h);
}

static void speaker_over(struct speaker *k)
{
    if (k->chan < 0)
        return;
    if (k->watch)
        uv_close((uv_handle_t *)k->watch, watch_closed);
    k->watch = NULL;
    close(k->chan);
    k->chan = -1;
    kill(k->pid, SIGKILL);
    waitpid(k->pid, NULL, 0);
}

static void speaker_died(struct speaker *k)
{
    log_line("portico-sound ended; the guest plays on, and nobody hears it");
    speaker_over(k);
}

/* It has no more to say, so this is its end. */
static void on_event(uv_poll_t *h, int status, int events)
{
    speaker_died(h->data);
}

static void sdl_play(struct sound *s, const int16_t *frames, size_t n)
{
    struct speaker *k = s->priv;

    while (n && k->chan >= 0) {
        size_t some = n < SPEAKER_FRAMES ? n : SPEAKER_FRAMES;
        ssize_t rc = send(k->chan, frames, some * 2 * sizeof(*frames), MSG_DONTWAIT | MSG_NOSIGNAL);

        if (rc < 0 && errno == EINTR)
            continue;
        if (rc < 0 && errno != EAGAIN && errno != ENOBUFS)
            speaker_died(k);
        frames += 2 * some;
        n -= some;
    }
}

static void sdl_close(struct sound *s)
{
    struct speaker *k = s->priv;

    speaker_over(k);
    free(k);
}

static const struct sound_ops sdl_ops = { .name = "sdl", .play = sdl_play, .close = sdl_close };

static int spawn(const char *helper, int chan, pid_t *pid)
{
    char name[] = "portico-sound";
    char *argv[] = { name, NULL };
    const struct helper_fd fd = { chan, SPEAKER_FD };

    return helper_spawn(helper, argv, &fd, 1, pid);
}

/* A pair whose other end does not have SPEAKER_FD's number, so that it is not closed there. */
static int make_pair(int pair[2])
{
    int high;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return -errno;
    high = fcntl(pair[1], F_DUPFD_CLOEXEC, SPEAKER_FD + 1);
    close(pair[1]);
    pair[1] = high;
    if (high >= 0)
        return 0;
    close(pair[0]);
    return -EMFILE;
}

static int start(struct speaker *k, const char *helper, uint32_t rate, struct err *err)
{
    struct speaker_config c = { .magic = SPEAKER_MAGIC, .rate = rate };
    struct pollfd p = { .events = POLLIN };
    int pair[2], room = ROOM, rc = make_pair(pair);
    char ready;

    if (rc)
        return err_set(err, rc, "%s", strerror(-rc));
    rc = spawn(helper, pair[1], &k->pid);
    close(pair[1]);
    if (rc) {
        close(pair[0]);
        return err_set(err, rc, "%.200s: %s; it is built where SDL 2 is installed", helper,
                       strerror(-rc));
    }
    p.fd = k->chan = pair[0];
    setsockopt(k->chan, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    if (send(k->chan, &c, sizeof(c), MSG_NOSIGNAL) == sizeof(c) && poll(&p, 1, START_MS) == 1 &&
        recv(k->chan, &ready, 1, MSG_DONTWAIT) == 1)
        return 0;
    speaker_over(k);
    return err_set(err, -ENODEV, "there is no sound device; the line above says why");
}

struct sound *sound_open_sdl(struct uv_loop_s *loop, const char *id, const struct config *cfg,
                             const char *dir, struct err *err)
{
    struct sound *s = sound_new(&sdl_ops, cfg, err);
    struct speaker *k = s ? calloc(1, sizeof(*k)) : NULL;
    char helper[4096];

    if (!s)
        return NULL;
    snprintf(helper, sizeof(helper), "%s/portico-sound", dir);
    if (!k)
        err_set(err, -ENOMEM, "out of memory");
    if (!k || start(k, helper, s->rate, err)) {
        free(k);
        free(s);
        return NULL;
    }
    k->watch = loop ? malloc(sizeof(*k->watch)) : NULL;
    if (k->watch) {
        uv_poll_init(loop, k->watch, k->chan);
        k->watch->data = k;
        uv_poll_start(k->watch, UV_READABLE, on_event);
    }
    s->priv = k;
    return s;
}
