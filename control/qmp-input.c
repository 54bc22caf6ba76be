/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-input.c: keys and pointer from scripts: send-key presses, waits
 * and releases; input-send-event says each movement. A message is checked as a
 * whole before anything of it reaches the guest.
 */
#include <string.h>
#include "control/qmp-impl.h"
#include "display/keymap.h"

#define HOLD_MS     100 /* unless told */
#define HOLD_MS_MAX 10000
#define CHORD_MAX   16 /* keys held together */
#define EVENTS_MAX  256
#define PLACE_MAX   (1 << 24) /* as the display's: a mouse without places goes beyond the screen */

/* ---- send-key ---- */

static void keys_pump(struct qmp *q);

static void on_timer(uv_timer_t *t)
{
    struct qmp *q = t->data;

    q->keys.waiting = false;
    q->keys.key[q->keys.first].wait = 0;
    keys_pump(q);
}

static void keys_pump(struct qmp *q)
{
    struct qmp_keys *k = &q->keys;

    while (k->n && !k->waiting) {
        const struct qmp_key *key = &k->key[k->first];

        if (key->wait) {
            k->waiting = true;
            uv_timer_start(&k->timer, on_timer, key->wait, 0);
            return;
        }
        display_key(q->vm->display, key->code, key->down);
        k->first = (k->first + 1) % QMP_KEYS_MAX;
        k->n--;
    }
}

static void keys_put(struct qmp_keys *k, uint16_t code, bool down, uint32_t wait)
{
    k->key[(k->first + k->n) % QMP_KEYS_MAX] = (struct qmp_key){ code, down, wait };
    k->n++;
}

/* {"type": "qcode", "data": "a"} or {"type": "number", "data": scancode}; 0 and a failed call. */
static uint16_t key_code(struct qmp_call *c, const json_t *key)
{
    const char *type = json_string_value(json_object_get(key, "type"));
    const json_t *data = json_object_get(key, "data");
    uint16_t code = 0;

    if (type && !strcmp(type, "qcode") && json_is_string(data)) {
        code = qmp_qcode(json_string_value(data));
        if (!code)
            qmp_fail(c, "Invalid key name '%s'", json_string_value(data));
    } else if (type && !strcmp(type, "number") && json_is_integer(data)) {
        if (json_integer_value(data) > 0 && json_integer_value(data) <= 0xff)
            code = keymap_scancode((uint32_t)json_integer_value(data));
        if (!code)
            qmp_fail(c, "Invalid key number %lld", (long long)json_integer_value(data));
    } else {
        qmp_fail(c, "a key is {\"type\": \"qcode\", \"data\": NAME} or "
                    "{\"type\": \"number\", \"data\": SCANCODE}");
    }
    return code;
}

static void send_key(struct qmp_call *c)
{
    const json_t *keys = json_object_get(c->args, "keys");
    json_int_t hold = qmp_arg_int(c, "hold-time", HOLD_MS);
    size_t n = json_array_size(keys);
    struct qmp_keys *k = &c->q->keys;
    uint16_t code[CHORD_MAX];

    if (hold < 1 || hold > HOLD_MS_MAX) {
        qmp_fail(c, "hold-time %lld is not from 1 to %d ms", (long long)hold, HOLD_MS_MAX);
        return;
    }
    if (!n || n > CHORD_MAX) {
        qmp_fail(c, "send-key: from 1 to %d keys go together", CHORD_MAX);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        code[i] = key_code(c, json_array_get(keys, i));
        if (!code[i])
            return;
    }
    if (k->n + 2 * n > QMP_KEYS_MAX) {
        qmp_fail(c, "send-key: too many keys are waiting to be pressed");
        return;
    }
    for (size_t i = 0; i < n; i++)
        keys_put(k, code[i], true, !i && k->n ? (uint32_t)hold : 0);
    for (size_t i = n; i-- > 0;)
        keys_put(k, code[i], false, i == n - 1 ? (uint32_t)hold : 0);
    keys_pump(c->q);
}

/* ---- input-send-event ---- */

static const struct {
    const char *name;
    unsigned bit;
    int wheel;
} buttons[] = {
    { "left", BUTTON_LEFT, 0 }, { "middle", BUTTON_MIDDLE, 0 }, { "right", BUTTON_RIGHT, 0 },
    { "wheel-up", 0, -1 },      { "wheel-down", 0, 1 },
};

struct pointer { /* what the events of one message add up to */
    bool moved, drawn;
    int x, y, wheel;
    unsigned buttons;
    const struct surface *screen;
};

struct key_event {
    uint16_t code;
    bool down;
};

static bool button_event(struct qmp_call *c, const json_t *data, struct pointer *p)
{
    const char *name = json_string_value(json_object_get(data, "button"));
    bool down = json_is_true(json_object_get(data, "down"));

    for (unsigned i = 0; name && i < sizeof(buttons) / sizeof(buttons[0]); i++) {
        if (strcmp(buttons[i].name, name))
            continue;
        p->buttons = down ? p->buttons | buttons[i].bit : p->buttons & ~buttons[i].bit;
        p->wheel += down ? buttons[i].wheel : 0;
        p->moved = true;
        return true;
    }
    qmp_fail(c, "Invalid button '%s'", name ? name : "");
    return false;
}

/* Relative steps add up; absolute 0..32767 spans the screen. */
static bool axis_event(struct qmp_call *c, const json_t *data, bool rel, struct pointer *p)
{
    const char *axis = json_string_value(json_object_get(data, "axis"));
    const json_t *value = json_object_get(data, "value");
    json_int_t v = json_integer_value(value), limit = rel ? 32767 : 0;
    const struct surface *s;
    bool x = axis && !strcmp(axis, "x");
    int *to = x ? &p->x : &p->y;

    if ((!x && (!axis || strcmp(axis, "y"))) || !json_is_integer(value) || v < -limit ||
        v > 32767) {
        qmp_fail(c, "a movement is {\"axis\": \"x\" or \"y\", \"value\": %s32767}",
                 rel ? "-32767 to " : "0 to ");
        return false;
    }
    p->moved = true;
    if (rel) {
        if (*to + v >= -PLACE_MAX && *to + v <= PLACE_MAX)
            *to += (int)v;
        return true;
    }
    if (!p->drawn) /* once a message: it takes as long as the guest's screen is large */
        p->screen = display_refresh(c->vm->display, false);
    p->drawn = true;
    s = p->screen;
    if (s)
        *to = (int)(v * ((x ? s->width : s->height) - 1) / 32767);
    return true;
}

/* One of the events into *key (code 0: it is no key) or *p. */
static bool one_event(struct qmp_call *c, const json_t *event, struct key_event *key,
                      struct pointer *p)
{
    const char *type = json_string_value(json_object_get(event, "type"));
    const json_t *data = json_object_get(event, "data");

    if (type && !strcmp(type, "key")) {
        key->code = key_code(c, json_object_get(data, "key"));
        key->down = json_is_true(json_object_get(data, "down"));
        return key->code;
    }
    key->code = 0;
    if (type && !strcmp(type, "btn"))
        return button_event(c, data, p);
    if (type && (!strcmp(type, "rel") || !strcmp(type, "abs")))
        return axis_event(c, data, !strcmp(type, "rel"), p);
    qmp_fail(c, "Invalid event type '%s'", type ? type : "");
    return false;
}

static void input_send_event(struct qmp_call *c)
{
    const json_t *events = json_object_get(c->args, "events");
    struct qmp_keys *k = &c->q->keys;
    struct pointer p = { .x = k->x, .y = k->y, .buttons = k->buttons };
    struct key_event key[EVENTS_MAX];
    size_t n = json_array_size(events);

    if (n > EVENTS_MAX) {
        qmp_fail(c, "more than %d events in one message", EVENTS_MAX);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!one_event(c, json_array_get(events, i), &key[i], &p))
            return;
    }
    for (size_t i = 0; i < n; i++) {
        if (key[i].code)
            display_key(c->vm->display, key[i].code, key[i].down);
    }
    if (!p.moved)
        return;
    /* A mouse is told differences: let it know where from. */
    if (!k->placed && !display_pointer_is_absolute(c->vm->display))
        display_pointer(c->vm->display, k->x, k->y, 0, k->buttons);
    k->placed = true;
    k->x = p.x;
    k->y = p.y;
    k->buttons = p.buttons;
    display_pointer(c->vm->display, p.x, p.y, p.wheel, p.buttons);
}

const struct qmp_verb qmp_input_verbs[] = {
    { "send-key", send_key, "keys:a hold-time:i?", NULL },
    { "input-send-event", input_send_event, "events:a device:s? head:i?", NULL },
    { NULL, NULL, NULL, NULL },
};
