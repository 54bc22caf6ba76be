/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli/scan.h: where in a configuration file each key and each item of its
 * list stands. libxlutil reads the values, but it lists no keys and tells no
 * lines.
 */
#pragma once

#define SCAN_KEYS  256
#define SCAN_ITEMS 64 /* of a list, whose lines are kept */

struct scan_key {
    char *name;
    unsigned line;   /* of the last assignment */
    unsigned before; /* of the one that it overrides; 0: none */
    unsigned nitems, items[SCAN_ITEMS];
};

struct scan {
    struct scan_key *keys; /* in the order of their first assignment */
    unsigned n;
};

/* Reads a text of any content. What is not an assignment is passed over: complaining is the
 * parser's. */
void scan_read(struct scan *s, const char *text);
const struct scan_key *scan_find(const struct scan *s, const char *name);
/* The line of item `item` of a list, or of the key when item < 0 or not known; 0: no such key. */
unsigned scan_line(const struct scan *s, const char *name, int item);
void scan_free(struct scan *s);
