/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `portico top`: what each guest uses, again and again. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cli/verbs.h"

#define TOP_GUESTS 128
#define TOP_MS     2000 /* patience with one guest */

struct sample { /* of one guest, since its start */
    long long id;
    double cpu, at; /* seconds */
    long long accesses, rd_bytes, wr_bytes, rd_ops, wr_ops;
};

struct top {
    struct place place;
    struct sample old[TOP_GUESTS];
    unsigned nold;
};

static double now_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void ask_disks(struct qmp *q, struct sample *s)
{
    json_t *list = qmp_call(q, "query-blockstats", NULL, TOP_MS), *d;
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        d = json_array_get(list, i);
        const json_t *stats = json_object_get(d, "stats");

        s->rd_bytes += fact_number(stats, "rd_bytes");
        s->wr_bytes += fact_number(stats, "wr_bytes");
        s->rd_ops += fact_number(stats, "rd_operations");
        s->wr_ops += fact_number(stats, "wr_operations");
    }
    json_decref(list);
}

/* The accesses that left the hypervisor for the device model: "N accesses, …". */
static void ask_accesses(struct qmp *q, struct sample *s)
{
    json_t *ret = qmp_call(q, "human-monitor-command",
                           json_pack("{s:s}", "command-line", "info accesses"), TOP_MS);

    s->accesses = json_string_value(ret) ? strtoll(json_string_value(ret), NULL, 10) : 0;
    json_decref(ret);
}

static void take_sample(const struct place *p, const json_t *f, struct sample *s, char state[32])
{
    struct spot spot;
    struct qmp q;
    json_t *ret = NULL;

    memset(s, 0, sizeof(*s));
    s->id = fact_number(f, "id");
    s->cpu = process_seconds(fact_number(f, "dm"));
    s->at = now_seconds();
    place_spot(p, (unsigned)s->id, &spot);
    if (!qmp_open(&q, spot.dir, "qmp", TOP_MS)) {
        ret = qmp_call(&q, "query-status", NULL, TOP_MS);
        ask_disks(&q, s);
        ask_accesses(&q, s);
    }
    snprintf(state, 32, "%s", ret ? fact(ret, "status") : "no answer");
    json_decref(ret);
    qmp_close(&q);
}

static const struct sample *before(const struct top *t, long long id)
{
    for (unsigned i = 0; i < t->nold; i++) {
        if (t->old[i].id == id)
            return &t->old[i];
    }
    return NULL;
}

static void print_row(const json_t *f, const struct sample *n, const struct sample *o,
                      const char *state)
{
    double t = o && n->at > o->at ? n->at - o->at : 0;
    long rss = process_rss(fact_number(f, "dm"));

    printf("%-24.24s %5lld %-8.8s %9.0f %6.1f %7lld %8ld", fact(f, "name"), n->id, state, n->cpu,
           t > 0 ? 100 * (n->cpu - o->cpu) / t : 0.0, fact_number(f, "memory"), rss);
    printf(" %8.0f %8.0f %7.0f %9.0f\n",
           t > 0 ? (double)(n->rd_bytes - o->rd_bytes) / t / 1024 : 0.0,
           t > 0 ? (double)(n->wr_bytes - o->wr_bytes) / t / 1024 : 0.0,
           t > 0 ? (double)(n->rd_ops + n->wr_ops - o->rd_ops - o->wr_ops) / t : 0.0,
           t > 0 ? (double)(n->accesses - o->accesses) / t : 0.0);
}

static void show(struct top *t)
{
    json_t *list = place_list(&t->place), *f;
    struct sample *fresh = calloc(TOP_GUESTS, sizeof(*fresh));
    unsigned n = 0;
    size_t i;

    printf("%-24s %5s %-8s %9s %6s %7s %8s %8s %8s %7s %9s\n", "NAME", "ID", "STATE", "CPU(sec)",
           "CPU(%)", "MEM(M)", "RSS(K)", "RD(K/s)", "WR(K/s)", "IO(/s)", "IOREQ(/s)");
    for (i = 0; i < json_array_size(list); i++) {
        f = json_array_get(list, i);
        char state[32];

        if (!fresh || n == TOP_GUESTS)
            break;
        take_sample(&t->place, f, &fresh[n], state);
        print_row(f, &fresh[n], before(t, fresh[n].id), state);
        n++;
    }
    if (fresh)
        memcpy(t->old, fresh, n * sizeof(*fresh));
    t->nold = n;
    free(fresh);
    json_decref(list);
    fflush(stdout);
}

/* "q" and Return, or the end of a pipe, ends it. */
static bool wait_or_quit(unsigned seconds, bool keys)
{
    struct pollfd p = { .fd = keys ? 0 : -1, .events = POLLIN };
    char c[64];

    if (poll(&p, 1, (int)seconds * 1000) <= 0)
        return false;
    return read(0, c, sizeof(c)) <= 0 || c[0] == 'q';
}

int verb_top(int argc, char **argv)
{
    unsigned delay = 2, times = 0;
    bool batch = false, terminal = isatty(1);
    struct top *t;
    int opt;

    while ((opt = getopt(argc, argv, "bd:i:")) != -1) {
        if (opt == 'b')
            batch = true;
        else if (opt == 'd' || opt == 'i')
            *(opt == 'd' ? &delay : &times) = (unsigned)strtoul(optarg, NULL, 10);
        else
            return complain("top: only -b, -d SECONDS and -i TIMES are known"), 2;
    }
    if (optind != argc || delay < 1 || delay > 3600)
        return complain("top: write portico top [-b] [-d SECONDS] [-i TIMES]"), 2;
    t = calloc(1, sizeof(*t));
    if (!t || place_find(&t->place)) {
        free(t);
        return 1;
    }
    for (unsigned i = 0; !times || i < times; i++) {
        if (i && wait_or_quit(delay, !batch))
            break;
        if (terminal && !batch)
            printf("\033[H\033[2J");
        show(t);
    }
    free(t);
    return 0;
}
