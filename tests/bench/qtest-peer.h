/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/bench/qtest-peer.h: a device model at the other end of the qtest protocol. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct peer {
    pid_t pid;
    int fd;
    char in[1 << 16];
    size_t at, len;
    int64_t started, answered;
};

int64_t now(clockid_t clock);
int64_t cpu_of(pid_t pid); /* ns */
__attribute__((noreturn)) void fail(const char *what);
void start(struct peer *p, char **cmd);
void end(struct peer *p);
void say(struct peer *p, const char *text, size_t len); /* requests; the answers are due */
/* One answer. Interrupt messages before it are counted in *raised, when the line is `irq`. */
const char *answer(struct peer *p, const char *irq, unsigned *raised);
void ask(struct peer *p, const char *request);
void config(struct peer *p, unsigned devfn, unsigned off, const char *op, uint32_t val);

/* net-bench.c. what: CARD-WAY, as in "e1000-out64" */
void net_bench(const char *what, char **cmd);
