/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control/ tells a tape, and nothing that needs more of the house than that. */
#include "ioreq/record-impl.h"

void tape_leave(struct tape *t)
{
    if (t->depth)
        t->depth--;
}

void tape_built(struct tape *t, const struct tape_hooks *hooks)
{
    if (!t)
        return;
    t->hooks = *hooks;
    t->depth = 0;
}

static void tape_verb(struct tape *t, uint8_t kind)
{
    struct tape_rec r = { .kind = kind };

    if (t && !t->player)
        t->enter(t, &r);
}

void tape_reset(struct tape *t)
{
    tape_verb(t, T_RESET);
}

void tape_retry(struct tape *t)
{
    tape_verb(t, T_RETRY);
}

void tape_done(struct tape *t)
{
    if (t && !t->player)
        tape_leave(t);
}

void tape_stop(struct tape *t, const char *why)
{
    if (t && t->stop)
        t->stop(t, why);
}

void tape_close(struct tape *t)
{
    if (t && t->close)
        t->close(t);
}
