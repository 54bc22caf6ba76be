/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log. Token buckets bound it, because a guest, an image or a peer can
 * provoke messages and the file they land in belongs to the host.
 */
#include "hw/core/log.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct allowance {
    _Atomic long spent, dropped;
};

/* The only file-scope variables of the house that change: there is one standard error. */
static struct allowance ours, theirs;

static bool log_allowed(struct allowance *a)
{
    struct timespec ts;
    long earned;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    earned = ts.tv_sec / LOG_SECONDS_PER_LINE;
    if (atomic_load(&a->spent) < earned)
        atomic_store(&a->spent, earned);
    if (atomic_load(&a->spent) >= LOG_BURST + earned) {
        atomic_fetch_add(&a->dropped, 1);
        return false;
    }
    atomic_fetch_add(&a->spent, 1);
    return true;
}

static void log_put(struct allowance *a, const char *fmt, va_list ap)
{
    char line[1024];
    int n;
    long dropped;

    if (!log_allowed(a))
        return;
    dropped = atomic_exchange(&a->dropped, 0);
    n = snprintf(line, sizeof(line), "portico-dm: ");
    n += vsnprintf(line + n, sizeof(line) - n, fmt, ap);
    if (n > (int)sizeof(line) - 64)
        n = sizeof(line) - 64;
    if (dropped)
        n += snprintf(line + n, sizeof(line) - n, " (%ld messages before this were dropped)",
                      dropped);
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, n) < 0)
        return; /* there is nowhere left to say it */
}

void log_line(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_put(&ours, fmt, ap);
    va_end(ap);
}

void log_provoked(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_put(&theirs, fmt, ap);
    va_end(ap);
}
