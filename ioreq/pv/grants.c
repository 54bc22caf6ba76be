/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Persistent grants: a hash table of pages, and the stretches in which they were mapped. */
#include "ioreq/pv/grants.h"
#include <assert.h>
#include <stdlib.h>

#define SLOTS   (2 * GRANTS_MAX) /* at most half full */
#define TRIES   64               /* a guest chooses the keys: it must not choose the time too */
#define AT_ONCE 512

struct stretch {
    struct stretch *next;
    void *host;
    unsigned n;
};

struct grants {
    const struct pv_ops *ops;
    void *arg;
    struct stretch *stretches;
    unsigned mapped;
    struct {
        uint32_t ref;
        void *page; /* NULL: free */
    } slot[SLOTS];
};

static_assert((SLOTS & (SLOTS - 1)) == 0, "a power of two");

struct grants *grants_new(const struct pv_ops *ops, void *arg)
{
    struct grants *g = calloc(1, sizeof(*g));

    if (g) {
        g->ops = ops;
        g->arg = arg;
    }
    return g;
}

void grants_free(struct grants *g)
{
    while (g && g->stretches) {
        struct stretch *s = g->stretches;

        g->stretches = s->next;
        g->ops->unmap(g->arg, s->host, s->n);
        free(s);
    }
    free(g);
}

unsigned grants_mapped(const struct grants *g)
{
    return g->mapped;
}

/* The slot that has ref or could have it; SLOTS: none within reach. */
static unsigned slot_of(const struct grants *g, uint32_t ref)
{
    unsigned at = ref * 2654435761u % SLOTS;

    for (unsigned i = 0; i < TRIES; i++, at = (at + 1) % SLOTS) {
        if (!g->slot[at].page || g->slot[at].ref == ref)
            return at;
    }
    return SLOTS;
}

/* Those of refs that are not mapped yet, each once. False: there is no room. */
static bool missing(const struct grants *g, const uint32_t *refs, unsigned n, uint32_t *want,
                    unsigned *nwant)
{
    *nwant = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned at = slot_of(g, refs[i]), k;

        if (at == SLOTS)
            return false;
        if (g->slot[at].page)
            continue;
        for (k = 0; k < *nwant && want[k] != refs[i]; k++)
            ;
        if (k == *nwant)
            want[(*nwant)++] = refs[i];
    }
    return g->mapped + *nwant <= GRANTS_MAX;
}

static bool map_all(struct grants *g, uint32_t *want, unsigned n)
{
    struct stretch *s = malloc(sizeof(*s));
    bool all = true;

    if (!s)
        return false;
    s->host = g->ops->map(g->arg, want, n);
    if (!s->host) {
        free(s);
        return false;
    }
    s->n = n;
    s->next = g->stretches;
    g->stretches = s;
    g->mapped += n;
    for (unsigned i = 0; i < n; i++) {
        unsigned at = slot_of(g, want[i]);

        if (at == SLOTS) { /* the ones before it took the last place within reach */
            all = false;
            continue;
        }
        g->slot[at].ref = want[i];
        g->slot[at].page = (uint8_t *)s->host + (size_t)i * PV_PAGE;
    }
    return all;
}

bool grants_get(struct grants *g, const uint32_t *refs, unsigned n, void **page)
{
    uint32_t want[AT_ONCE];
    unsigned nwant;

    if (n > AT_ONCE || !missing(g, refs, n, want, &nwant))
        return false;
    if (nwant && !map_all(g, want, nwant))
        return false;
    for (unsigned i = 0; i < n; i++)
        page[i] = g->slot[slot_of(g, refs[i])].page;
    return true;
}
