/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/monitor-impl.h: between monitor.c, monitor-info.c and monitor-mem.c; nobody else. */
#pragma once
#include <stdio.h>
#include "control/qmp-impl.h"

#define WORDS_MAX 8

struct line { /* one command while it runs */
    struct qmp_call *c;
    FILE *out;
    char *word[WORDS_MAX];
    unsigned n;
};

struct command { /* a table of them ends with name NULL */
    const char *name, *args, *help;
    void (*run)(struct line *l);
    unsigned min; /* words behind the name */
};

extern const struct command monitor_infos[];
extern const struct command monitor_mem_commands[];

/* Runs a verb and says why when it fails; its result, or NULL. args is taken over. */
json_t *monitor_verb(struct line *l, const char *name, json_t *args);
