/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/qmp.h: the control protocol of portico-dm (docs/qmp.md), from the client's side. */
#pragma once
#include <jansson.h>
#include <stddef.h>

#define QMP_MAX (8u << 20) /* bytes of an answer */

struct qmp {
    int fd;
    char *buf; /* what has come and is not taken yet */
    size_t len, cap;
    char err[512]; /* why the last call failed */
};

/* Connects and negotiates. 0, or -1 with q->err; qmp_close() in both cases. */
int qmp_open(struct qmp *q, const char *dir, const char *name, int timeout_ms);
void qmp_close(struct qmp *q);
/*
 * Says a verb and waits for its answer; events in between are dropped. args (may be NULL) is taken.
 * The value of "return", or NULL with q->err.
 */
json_t *qmp_call(struct qmp *q, const char *verb, json_t *args, int timeout_ms);
/* The same for who wants no value: 0 or -1. */
int qmp_do(struct qmp *q, const char *verb, json_t *args, int timeout_ms);
/* The next message of any kind; timeout_ms < 0: however long it takes. NULL: end, or nothing came.
 */
json_t *qmp_next(struct qmp *q, int timeout_ms);
