/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli/report.h: what is wrong with a configuration file, one line each:
 * FILE:LINE: KEY: what is wrong; what to do. The lines are kept until
 * somebody prints them, so that a test can read them.
 */
#pragma once
#include <stddef.h>

#define REPORT_MAX 100 /* lines kept; what comes after is counted only */

struct report {
    const char *file; /* how the messages name it; not owned */
    char *lines[REPORT_MAX];
    unsigned at[REPORT_MAX]; /* the line of the file each is about; ascending */
    unsigned n, errors, warnings;
};

/* Messages are kept in the order of the file's lines. line 0: of the file as a whole. key NULL: of
 * no key. Line feeds in the text become blanks. */
void report_error(struct report *r, unsigned line, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void report_warn(struct report *r, unsigned line, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Prints all lines to standard error and forgets them; the counts stay. */
void report_print(struct report *r);
void report_free(struct report *r);
