/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mad guest (tests/fuzz/mad-guest.h) let loose for some thousand steps.
 *
 *   MACHINE_FUZZ_SEED=n      another run than the usual one
 *   MACHINE_FUZZ_SECONDS=n   how long, instead of the usual number of steps
 *   MACHINE_FUZZ_TIMES=1     print the longest call of each kind (CPU time), and of the
 *                            network cards the most that one call did
 */
#include <stdlib.h>
#include <string.h>
#include "tests/fuzz/mad-impl.h"

#define STEPS 60000

static void report(const struct mad *f, uint64_t seed, unsigned steps)
{
    static const char *const name[] = { "port", "memory", "config", "timers",
                                        "draw", "frames", "reset" };

    fprintf(stderr, "seed %llu: %u steps; longest calls in us:", (unsigned long long)seed, steps);
    for (unsigned i = 0; i < T_KINDS; i++)
        fprintf(stderr, " %s %lld", name[i], (long long)f->worst[i].ns / 1000);
    fputc('\n', stderr);
    for (unsigned i = 0; f->nics && i < T_KINDS; i++)
        fprintf(stderr, "  %s: at most %llu accesses of memory, %llu bytes, %llu frames sent\n",
                name[i], (unsigned long long)f->most[i].dma, (unsigned long long)f->most[i].bytes,
                (unsigned long long)f->most[i].frames);
    for (unsigned i = 0; i <= T_CONFIG; i++)
        fprintf(stderr, "  %s: %s %llx/%u %llx\n", name[i], f->worst[i].write ? "write" : "read",
                (unsigned long long)f->worst[i].addr, f->worst[i].width,
                (unsigned long long)f->worst[i].data);
}

static uint64_t number(const char *name, uint64_t def)
{
    const char *s = getenv(name);

    return s ? strtoull(s, NULL, 0) : def;
}

enum who { ALL, CIRRUS, NICS };

static void run(enum who who, unsigned steps)
{
    static struct mad f; /* large */
    uint64_t seed = number("MACHINE_FUZZ_SEED", 20240817);
    uint64_t seconds = number("MACHINE_FUZZ_SECONDS", 0);
    int64_t end = cpu_now() + (int64_t)seconds * NS_PER_S;
    unsigned n = 0;

    memset(&f, 0, sizeof(f));
    f.seed = seed ? seed : 1;
    f.cirrus = who == CIRRUS;
    f.nics = who == NICS;
    mad_start(&f);
    if (!f.t->reload) { /* it saves and loads by itself */
        mad_place_windows(&f);
        for (; !f.failed && (seconds ? cpu_now() < end : n < steps); n++)
            mad_step(&f);
    }
    if (n && number("MACHINE_FUZZ_TIMES", 0))
        report(&f, seed, n);
    mad_finish(&f);
    CHECK(!f.failed);
}

TEST(a_mad_guest_in_the_whole_machine)
{
    run(ALL, STEPS);
}

TEST(a_mad_guest_with_a_cirrus)
{
    run(CIRRUS, STEPS / 4);
}

TEST(a_mad_guest_after_its_network_cards)
{
    run(NICS, STEPS / 10);
}
