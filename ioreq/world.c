/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of worlds, and their calls. */
#include "ioreq/world.h"
#include <errno.h>
#include <string.h>
#include <uv.h>

static const struct world *const worlds[] = { &world_xen, &world_kvm, &world_qtest, &world_replay };

const struct world *world_find(const char *name)
{
    for (unsigned i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++) {
        if (!strcmp(worlds[i]->name, name))
            return worlds[i];
    }
    return NULL;
}

int world_start(const struct world *w, struct platform *p, struct err *err)
{
    return w->start ? w->start(p, err) : 0;
}

int world_announce(const struct world *w, struct platform *p, struct err *err)
{
    return w->announce ? w->announce(p, err) : 0;
}

void world_loop(const struct world *w, struct platform *p, const bool *quit)
{
    if (w->loop)
        w->loop(p, quit);
    else if (!*quit)
        uv_run(p->loop, UV_RUN_DEFAULT);
}

void world_sleep(const struct world *w, struct platform *p)
{
    if (w->sleep)
        w->sleep(p);
}

void world_reset(const struct world *w, struct platform *p)
{
    if (w->reset)
        w->reset(p);
}

void world_pause(const struct world *w, struct platform *p)
{
    if (w->pause)
        w->pause(p);
}

void world_resume(const struct world *w, struct platform *p)
{
    if (w->resume)
        w->resume(p);
}

void world_log_dirty(const struct world *w, struct platform *p, bool on)
{
    if (w->log_dirty)
        w->log_dirty(p, on);
}

struct pv *world_pv(const struct world *w, struct platform *p)
{
    return w && w->pv ? w->pv(p) : NULL;
}

int world_leave_word(const struct world *w, struct platform *p, const char *word, struct err *err)
{
    return w->leave_word ? w->leave_word(p, word, err)
                         : err_set(err, -ENOTSUP, "not in a guest of %s", w->name);
}

bool world_take_word(const struct world *w, struct platform *p, char *word, size_t size)
{
    return w->take_word && w->take_word(p, word, size);
}

int world_restrict(const struct world *w, struct platform *p, struct err *err)
{
    return w->restrict_handles ? w->restrict_handles(p, err) : 0;
}
