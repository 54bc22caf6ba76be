/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli/place.h: where running guests are kept: a folder for each, named by its
 * number, with its sockets, "facts" (JSON) and "lock". The lock is held by the
 * keeper and by portico-dm, so a folder whose lock is free is a guest that is
 * gone, however it went; whoever comes by sweeps it away.
 */
#pragma once
#include <jansson.h>

#define PLACE_DIR_MAX 80 /* characters, so that the path of a socket fits (unix(7): 107) */

struct place {
    char run[PLACE_DIR_MAX]; /* $PORTICO_RUN_DIR, /run/portico, $XDG_RUNTIME_DIR/portico, … */
    char log[512];           /* $PORTICO_LOG_DIR, /var/log/portico, the XDG state folder */
};

struct spot { /* a guest's own folder */
    unsigned id;
    char dir[PLACE_DIR_MAX + 16];
    int lock; /* held, or -1 */
};

/* One line on standard error, "portico: ..."; returns 1, the exit status it means. */
int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Finds both folders and makes what is missing. 0, or a line and -1. */
int place_find(struct place *p);
/* All changes of who is there are made while this is held; -1 with a line. close() gives it back.
 */
int place_lock(const struct place *p);
/* Is somebody of that name there? The number, or -1. Sweeps. */
int place_by_name(const struct place *p, const char *name);
/* Both need the lock of the place. The first makes a folder and holds its lock. */
int place_new(const struct place *p, struct spot *s);
void place_remove(const struct spot *s);

/* The facts of all guests that are there, by number; json_decref() it. Sweeps what is gone. */
json_t *place_list(const struct place *p);
/* One of them, by name or number; NULL with a line. */
json_t *place_get(const struct place *p, const char *name);
void place_spot(const struct place *p, unsigned id, struct spot *s); /* without its lock */
/* Is the guest's lock free, that is, has it ended? */
int place_gone(const struct spot *s);

json_t *facts_read(const struct spot *s);
int facts_write(const struct spot *s, const json_t *facts);
/* Changes one of them, under the lock of the place; takes value. */
int facts_set(const struct place *p, const struct spot *s, const char *key, json_t *value);
const char *fact(const json_t *facts, const char *key); /* a string; "" when there is none */
long long fact_number(const json_t *facts, const char *key);
