/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "block/cdwatch.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

struct cdwatch {
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows up to `last` */
    pthread_cond_t stopped;
    bool stop, news;
    uint64_t size;
    uint64_t last; /* the thread's */
    unsigned interval_ms;
    struct cd_look (*probe)(void *arg);
    void (*told)(void *arg, uint64_t size);
    void *arg;
    uv_async_t *wake;
};

static void tell(uv_async_t *wake)
{
    struct cdwatch *w = wake->data;
    uint64_t size;
    bool news;

    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    news = w->news;
    size = w->size;
    w->news = false;
    pthread_mutex_unlock(&w->lock);
    if (news)
        w->told(w->arg, size);
}

/* Sleeps for the interval; with the lock. */
static void rest(struct cdwatch *w)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += w->interval_ms / 1000;
    until.tv_nsec += (long)(w->interval_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (!w->stop && !pthread_cond_timedwait(&w->stopped, &w->lock, &until))
        ;
}

static void *watch(void *arg)
{
    struct cdwatch *w = arg;
    struct cd_look look;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        rest(w);
        if (w->stop)
            break;
        pthread_mutex_unlock(&w->lock);
        look = w->probe(w->arg);
        pthread_mutex_lock(&w->lock);
        if (look.size == w->last && !(look.changed && look.size))
            continue;
        w->size = w->last = look.size;
        w->news = true;
        uv_async_send(w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void handle_closed(uv_handle_t *handle)
{
    free(handle);
}

static void put_away(struct cdwatch *w)
{
    w->wake->data = NULL;
    uv_close((uv_handle_t *)w->wake, handle_closed);
    pthread_cond_destroy(&w->stopped);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static int start_thread(struct cdwatch *w)
{
    sigset_t all, old;
    int rc;

    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&w->thread, NULL, watch, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}

struct cdwatch *cdwatch_new(struct uv_loop_s *loop, unsigned interval_ms, uint64_t size,
                            struct cd_look (*probe)(void *arg),
                            void (*told)(void *arg, uint64_t size), void *arg)
{
    struct cdwatch *w = calloc(1, sizeof(*w));
    uv_async_t *wake = calloc(1, sizeof(*wake));
    pthread_condattr_t attr;

    if (!w || !wake || uv_async_init(loop, wake, tell)) {
        free(wake);
        free(w);
        return NULL;
    }
    *w = (struct cdwatch){ .size = size,
                           .last = size,
                           .interval_ms = interval_ms,
                           .probe = probe,
                           .told = told,
                           .arg = arg,
                           .wake = wake };
    wake->data = w;
    uv_unref((uv_handle_t *)wake);
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->stopped, &attr);
    pthread_condattr_destroy(&attr);
    if (start_thread(w)) {
        put_away(w);
        return NULL;
    }
    return w;
}

void cdwatch_free(struct cdwatch *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->stopped);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    put_away(w);
}
