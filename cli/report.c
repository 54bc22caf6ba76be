/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages about a configuration file. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "cli/report.h"

#define LINE_SIZE 1024

static void flatten(char *s)
{
    for (; *s; s++) {
        if ((unsigned char)*s < ' ' || *s == 127)
            *s = ' ';
    }
}

static void __attribute__((format(printf, 5, 0)))
keep(struct report *r, unsigned line, const char *kind, const char *key, const char *fmt,
     va_list ap)
{
    char text[LINE_SIZE], where[16] = "", *whole = NULL;
    unsigned i;

    if (r->n == REPORT_MAX)
        return;
    vsnprintf(text, sizeof(text), fmt, ap);
    if (line)
        snprintf(where, sizeof(where), "%u:", line);
    if (asprintf(&whole, "%s:%s %s%s%s%s", r->file, where, kind, key ? key : "", key ? ": " : "",
                 text) < 0)
        return;
    flatten(whole);
    for (i = r->n++; i && r->at[i - 1] > line; i--) {
        r->lines[i] = r->lines[i - 1];
        r->at[i] = r->at[i - 1];
    }
    r->lines[i] = whole;
    r->at[i] = line;
}

void report_error(struct report *r, unsigned line, const char *key, const char *fmt, ...)
{
    va_list ap;

    r->errors++;
    va_start(ap, fmt);
    keep(r, line, "", key, fmt, ap);
    va_end(ap);
}

void report_warn(struct report *r, unsigned line, const char *key, const char *fmt, ...)
{
    va_list ap;

    r->warnings++;
    va_start(ap, fmt);
    keep(r, line, "warning: ", key, fmt, ap);
    va_end(ap);
}

void report_free(struct report *r)
{
    for (unsigned i = 0; i < r->n; i++)
        free(r->lines[i]);
    r->n = 0;
}

void report_print(struct report *r)
{
    for (unsigned i = 0; i < r->n; i++)
        fprintf(stderr, "%s\n", r->lines[i]);
    report_free(r);
}
