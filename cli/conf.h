/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli/conf.h: a configuration file in the language of xl.cfg(5), read by
 * libxlutil. The getters report what does not fit, with the line it stands in,
 * and then answer as if the key were absent.
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include "cli/report.h"
#include "cli/scan.h"

#define CONF_MAX (1u << 20) /* bytes of a file */

struct conf {
    void *xlu; /* XLU_Config: its header is large, and only conf.c and guest-disk.c need it */
    struct scan scan;
    unsigned own_lines; /* of the file; behind them is what was said beside it */
    struct report *report;
    char said[2048]; /* what libxlutil wrote, as much as there is room for */
    size_t said_len;
    FILE *stream; /* where it writes */
};

/*
 * Opens the file, with the lines of `extra` (may be NULL) behind its own; 0, or -1 with a line
 * in the report. conf_close() in both cases.
 */
int conf_open(struct conf *c, const char *path, const char *extra, struct report *report);
int conf_open_text(struct conf *c, const char *text, struct report *report);
void conf_close(struct conf *c);

bool conf_has(const struct conf *c, const char *key);
/* NULL: not there. A list is reported. The string lives as long as the conf. */
const char *conf_string(struct conf *c, const char *key);
/* false, and *v as it was: not there, no number, or not within min and max (reported). */
bool conf_number(struct conf *c, const char *key, long min, long max, long *v);
/* A number as a truth value; otherwise *v stays. */
void conf_flag(struct conf *c, const char *key, bool *v);
/* Items of a list; of a string: 1, the string itself. Reports an item that is no string. */
unsigned conf_count(struct conf *c, const char *key);
const char *conf_item(struct conf *c, const char *key, unsigned i);
/* As conf_count(), but a string is an error. */
unsigned conf_list(struct conf *c, const char *key);

/* Messages about a key, or (item >= 0) about an item of its list: "disk[1]". */
void conf_error(struct conf *c, const char *key, int item, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void conf_warn(struct conf *c, const char *key, int item, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* What libxlutil said since conf_hush(), without line feeds at its end; "": nothing. */
const char *conf_said(struct conf *c);
void conf_hush(struct conf *c);
