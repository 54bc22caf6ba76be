/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-type.c: portico-type types a text on the guest's keyboard, by
 * the layout that the guest has set (-k, or the verb's own argument). Keys
 * follow one another at the pace of a fast typist, since firmware and boot
 * loaders lose what comes faster; the answer comes when the last is released.
 */
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>
#include "control/keyval.h"
#include "control/qmp-impl.h"
#include "display/keymap.h"

#define PACE_MS  20 /* from press to release, and to the next press */
#define PACE_MAX 1000
#define TEXT_MAX 65536

struct typing {
    struct qmp_later later; /* first */
    uv_timer_t timer;       /* .data: this */
    const struct keymap *map;
    uint64_t pace;
    char *text;
    size_t at;
    struct keymap_key down; /* code 0: none */
};

/* The character at *at, which goes on behind it; 0: not UTF-8. */
static uint32_t next_char(const char *text, size_t *at)
{
    const uint8_t *p = (const uint8_t *)text + *at;
    unsigned more = p[0] < 0x80 ? 0 : p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 4;
    uint32_t c = more ? p[0] & (0x3fu >> more) : p[0];

    for (unsigned i = 1; i <= more; i++) {
        if (more > 3 || (p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    *at += more + 1;
    return c;
}

/* X11 protocol, appendix A: Latin-1 is itself, the rest by Unicode; controls by their keys. */
static uint32_t keysym_of(uint32_t c)
{
    switch (c) {
    case '\n':
    case '\r':
        return 0xff0d;
    case '\t':
        return 0xff09;
    case '\b':
        return 0xff08;
    case 0x1b:
        return 0xff1b;
    case 0x20ac:
        return 0x20ac; /* EuroSign has a keysym of its own */
    default:
        return c < 0x100 ? c : 0x01000000 | c;
    }
}

static bool key_of(const struct keymap *map, uint32_t c, struct keymap_key *key)
{
    return c && keymap_lookup(map, keysym_of(c), 0, key);
}

static void modifiers(struct typing *t, bool down)
{
    struct display *d = t->later.q->vm->display;

    if (t->down.mods & KEYMAP_SHIFT)
        display_key(d, KEY_LEFTSHIFT, down);
    if (t->down.mods & KEYMAP_ALTGR)
        display_key(d, KEY_RIGHTALT, down);
}

static void typing_closed(uv_handle_t *timer)
{
    struct typing *t = timer->data;

    qmp_finish(&t->later, 0);
}

static void typing_step(uv_timer_t *timer)
{
    struct typing *t = timer->data;

    if (t->later.q->closing) { /* the guest's devices may be gone */
        uv_close((uv_handle_t *)timer, typing_closed);
        return;
    }
    if (t->down.code) {
        display_key(t->later.q->vm->display, t->down.code, false);
        modifiers(t, false);
        t->down.code = 0;
    } else if (t->later.client && t->text[t->at]) {
        key_of(t->map, next_char(t->text, &t->at), &t->down);
        modifiers(t, true);
        display_key(t->later.q->vm->display, t->down.code, true);
    } else {
        uv_close((uv_handle_t *)timer, typing_closed);
        return;
    }
    uv_timer_start(timer, typing_step, t->pace, 0);
}

static void typed(struct qmp_later *l, struct qmp_call *c, int rc)
{
    free(((struct typing *)l)->text);
}

/* All of it must have keys before the first is pressed. */
static bool can_type(struct qmp_call *c, const struct keymap *map, const char *text,
                     const char *layout)
{
    struct keymap_key key;

    for (size_t at = 0; text[at];) {
        size_t from = at;
        uint32_t ch = next_char(text, &at);

        if (key_of(map, ch, &key))
            continue;
        qmp_fail(c, "portico-type: layout %s has no key for the character at %zu (U+%04X)", layout,
                 from, ch);
        return false;
    }
    return true;
}

static void type_text(struct qmp_call *c)
{
    const char *text = qmp_arg(c, "text", ""), *layout = qmp_arg(c, "layout", NULL);
    json_int_t pace = qmp_arg_int(c, "pace", PACE_MS);
    const struct keymap *map;
    struct typing *t;

    if (!layout)
        layout = c->vm->args.keymap ? c->vm->args.keymap : "en-us";
    map = keymap_find(layout);
    if (!map) {
        char names[512];

        keymap_names(names, sizeof(names));
        qmp_fail(c, "portico-type: no layout '%s'; there are %s", layout, names);
        return;
    }
    if (c->nested || !c->vm->display || pace < 1 || pace > PACE_MAX || strlen(text) > TEXT_MAX) {
        qmp_fail(c, "portico-type: a text of at most %d bytes, and a pace of 1 to %d ms", TEXT_MAX,
                 PACE_MAX);
        return;
    }
    if (!can_type(c, map, text, layout))
        return;
    t = calloc(1, sizeof(*t));
    if (!t) {
        qmp_fail(c, "portico-type: out of memory");
        return;
    }
    t->map = map;
    t->pace = (uint64_t)pace;
    t->text = xstrdup(text);
    t->later.done = typed;
    t->timer.data = t;
    uv_timer_init(c->q->loop, &t->timer);
    qmp_hold(c, &t->later);
    uv_timer_start(&t->timer, typing_step, 0, 0);
}

const struct qmp_verb qmp_type_verbs[] = {
    { "portico-type", type_text, "text:s layout:s? pace:i?", NULL },
    { NULL, NULL, NULL, NULL },
};
