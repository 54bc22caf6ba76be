/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile front end of PV disks: it writes into its ring, its pages and its
 * xenstore nodes while the back end is at work, takes grants back, and comes
 * and goes. The input is its program: a byte that says what it does, and what
 * that needs. No page that was not granted may change, and at the end nothing
 * may be mapped or bound any more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake-pv.h"

#define FE    "/local/domain/7/device/vbd/768"
#define BE    "backend/qdisk/7/768"
#define STEPS 400
#define TURNS 3
#define SPARE (FAKE_PAGES - 8) /* the last pages are never granted */

struct program {
    const uint8_t *p;
    size_t left;
};

static unsigned get(struct program *in, unsigned bytes)
{
    unsigned v = 0;

    while (bytes-- && in->left) {
        v = v << 8 | *in->p++;
        in->left--;
    }
    return v;
}

static void turn(uv_loop_t *loop, unsigned n)
{
    while (n--)
        uv_run(loop, UV_RUN_NOWAIT);
}

static void set_nodes(struct fake_pv *f)
{
    fake_set(f, BE "/frontend", FE);
    fake_set(f, BE "/frontend-id", "7");
    fake_set(f, BE "/params", "null-co:x");
    fake_set(f, BE "/mode", "w");
    fake_set(f, BE "/dev", "hda");
    fake_set(f, BE "/discard-enable", "1");
    fake_set(f, BE "/online", "1");
    fake_set(f, BE "/state", "1");
    fake_set(f, FE "/state", "1");
}

static void word(struct fake_pv *f, unsigned at, uint32_t v)
{
    memcpy(f->page[1] + at, &v, sizeof(v));
}

/* As an honest one would, but for what the input says. */
static void do_connect(struct fake_pv *f, struct program *in)
{
    unsigned how = get(in, 1);

    fake_set(f, FE "/protocol", how & 1 ? "x86_32-abi" : "x86_64-abi");
    fake_set(f, FE "/feature-persistent", "%d", how >> 1 & 1);
    fake_set(f, FE "/ring-ref", "1");
    for (unsigned i = 0; i < 4; i++) {
        char key[96];

        snprintf(key, sizeof(key), FE "/ring-ref%u", i);
        fake_set(f, key, "%u", 1 + i);
    }
    fake_set(f, FE "/event-channel", "5");
    if (how & 4)
        fake_set(f, FE "/ring-page-order", "%u", how >> 3 & 3);
    else
        fake_rm(f, FE "/ring-page-order");
    memset(f->page[1], 0, PV_PAGE);
    fake_set(f, FE "/state", "3");
}

/* A request that may well be a good one. */
static void do_request(struct fake_pv *f, struct program *in)
{
    uint32_t prod;
    uint8_t *s;

    memcpy(&prod, f->page[1], sizeof(prod));
    s = f->page[1] + 64 + (size_t)(prod % 32) * 112;
    s[0] = (uint8_t)get(in, 1) % 8;
    s[1] = (uint8_t)get(in, 1);
    s[2] = (uint8_t)get(in, 1);
    s[3] = 0;
    s[16] = (uint8_t)get(in, 1);
    for (unsigned i = 0; i < 11; i++) {
        uint32_t ref = 8 + get(in, 1);

        memcpy(s + 24 + 8 * (size_t)i, &ref, 4);
        s[28 + 8 * i] = 0;
        s[29 + 8 * i] = (uint8_t)get(in, 1) % 9;
    }
    word(f, 0, prod + 1);
}

static void do_node(struct fake_pv *f, struct program *in)
{
    static const char *const keys[] = { "state",
                                        "ring-ref",
                                        "event-channel",
                                        "protocol",
                                        "ring-page-order",
                                        "multi-queue-num-queues",
                                        "feature-persistent",
                                        "queue-0/ring-ref",
                                        "queue-1/event-channel" };
    char path[96], val[24];
    unsigned n = get(in, 1) % 20;

    snprintf(path, sizeof(path), FE "/%s", keys[get(in, 1) % (sizeof(keys) / sizeof(keys[0]))]);
    if (!n) {
        fake_rm(f, path);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        val[i] = (char)(get(in, 1) % 95 + 32);
    val[n] = 0;
    fake_set(f, path, "%s", val);
}

static void step(struct fake_pv *f, struct program *in, uv_loop_t *loop)
{
    unsigned at;

    switch (get(in, 1) % 14) {
    case 0:
        do_connect(f, in);
        break;
    case 1:
    case 2:
    case 3:
        do_request(f, in);
        break;
    case 4:
    case 5:
        fake_event(f, 5);
        break;
    case 6: /* anywhere in the ring's first page, or the list of an indirect request */
        at = get(in, 2) % (PV_PAGE / 4) * 4;
        word(f, at, get(in, 4));
        break;
    case 7:
        at = get(in, 2) % PV_PAGE;
        f->page[8 + get(in, 1)][at] = (uint8_t)get(in, 1);
        break;
    case 8:
        do_node(f, in);
        break;
    case 9:
        fake_set(f, FE "/state", "%u", get(in, 1) % 9);
        break;
    case 10:
        at = get(in, 2) % SPARE;
        f->granted[at] = at && !f->granted[at];
        break;
    case 11: /* the toolstack's part */
        at = get(in, 1);
        if (at & 1)
            fake_set(f, BE "/online", "%u", at >> 1 & 1);
        else
            set_nodes(f);
        break;
    case 12:
        pv_hold(f->pv, true);
        pv_drain(f->pv);
        pv_hold(f->pv, false);
        break;
    default:
        fake_settle(f);
        turn(loop, TURNS);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t zeroes[PV_PAGE];
    struct program in = { data, size };
    struct fake_pv *f = malloc(sizeof(*f));
    uv_loop_t loop;

    uv_loop_init(&loop);
    if (!f || !fake_pv_open(f, &loop, NULL) || !fake_pv_start(f, NULL))
        abort();
    for (unsigned i = SPARE; i < FAKE_PAGES; i++)
        f->granted[i] = false;
    set_nodes(f);
    fake_settle(f);
    for (unsigned i = 0; in.left && i < STEPS; i++)
        step(f, &in, &loop);
    fake_event(f, 5);
    turn(&loop, TURNS);
    for (unsigned i = SPARE; i < FAKE_PAGES; i++) {
        if (memcmp(f->page[i], zeroes, PV_PAGE))
            abort(); /* memory of nobody's that was written */
    }
    if (!fake_pv_close(f))
        abort(); /* something is still mapped or bound */
    free(f);
    turn(&loop, 2);
    if (uv_loop_close(&loop)) { /* the engine of files, or whatever is still closing */
        uv_run(&loop, UV_RUN_DEFAULT);
        if (uv_loop_close(&loop))
            abort();
    }
    return 0;
}
