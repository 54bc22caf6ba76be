/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The back ends' side of xenbus (xen/io/xenbus.h, docs/pv.md): which there
 * are, and where each stands. Watches only mark what has to be looked at, so
 * that a guest that writes its nodes without end costs one look a turn of the
 * loop, however many events there are.
 */
#include "ioreq/pv/bus.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/log.h"

/* ---- nodes ---- */

uint64_t pv_number(const char *text, uint64_t max, uint64_t def)
{
    uint64_t val = 0;

    if (!text || !*text)
        return def;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || val > (UINT64_MAX - 9) / 10)
            return def;
        val = val * 10 + (uint64_t)(*text - '0');
    }
    return val <= max ? val : def;
}

static char *node_text(struct pv *pv, const char *base, const char *key)
{
    char path[2 * PV_PATH];

    snprintf(path, sizeof(path), "%s/%s", base, key);
    return pv->ops->read(pv->arg, path);
}

static uint64_t node_number(struct pv *pv, const char *base, const char *key, uint64_t max,
                            uint64_t def)
{
    char *text = node_text(pv, base, key);
    uint64_t val = pv_number(text, max, def);

    free(text);
    return val;
}

char *pv_back_text(struct pv_dev *dev, const char *key)
{
    return node_text(dev->pv, dev->back, key);
}

char *pv_front_text(struct pv_dev *dev, const char *key)
{
    return node_text(dev->pv, dev->front, key);
}

uint64_t pv_back_number(struct pv_dev *dev, const char *key, uint64_t max, uint64_t def)
{
    return node_number(dev->pv, dev->back, key, max, def);
}

uint64_t pv_front_number(struct pv_dev *dev, const char *key, uint64_t max, uint64_t def)
{
    return node_number(dev->pv, dev->front, key, max, def);
}

static void node_set(struct pv *pv, const char *base, const char *key, const char *fmt, va_list ap)
{
    char path[2 * PV_PATH], val[256];

    snprintf(path, sizeof(path), "%s/%s", base, key);
    vsnprintf(val, sizeof(val), fmt, ap);
    pv->ops->write(pv->arg, path, val);
}

void pv_back_set(struct pv_dev *dev, const char *key, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    node_set(dev->pv, dev->back, key, fmt, ap);
    va_end(ap);
}

void pv_front_set(struct pv_dev *dev, const char *key, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    node_set(dev->pv, dev->front, key, fmt, ap);
    va_end(ap);
}

/* ---- the state machine ---- */

static void set_state(struct pv_dev *dev, enum pv_state state)
{
    if (dev->state == state)
        return;
    dev->state = state;
    pv_back_set(dev, "state", "%d", state);
}

static void let_go(struct pv_dev *dev)
{
    if (dev->connected)
        dev->type->disconnect(dev);
    dev->connected = false;
}

static void offer(struct pv_dev *dev)
{
    let_go(dev);
    dev->broken = false;
    dev->type->offer(dev);
    set_state(dev, PV_INIT_WAIT);
}

static void go(struct pv_dev *dev)
{
    struct err err = { "" };

    dev->connected = true; /* for who breaks it from inside connect() */
    if (!dev->type->connect(dev, &err)) {
        if (dev->connected && !dev->broken)
            set_state(dev, PV_CONNECTED);
        return;
    }
    log_provoked("%s %u: %s", dev->type->name, dev->id, err.msg);
    let_go(dev);
    set_state(dev, PV_CLOSING);
}

/* What the front end's state asks for. */
static void step(struct pv_dev *dev, enum pv_state front, bool online)
{
    switch (front) {
    case PV_INITIALISING: /* a driver starts, or starts anew without a word of goodbye */
        if (online && dev->state != PV_INIT_WAIT)
            offer(dev);
        break;
    case PV_INITIALISED:
    case PV_CONNECTED:
        if (dev->state == PV_INIT_WAIT && online)
            go(dev);
        break;
    case PV_CLOSING:
        if (dev->state < PV_CLOSING)
            set_state(dev, PV_CLOSING);
        break;
    case PV_CLOSED:
    case PV_UNKNOWN:
        let_go(dev);
        set_state(dev, PV_CLOSED);
        break;
    default:
        break;
    }
    if (!online && !dev->connected)
        set_state(dev, PV_CLOSED);
}

static void look(struct pv_dev *dev)
{
    enum pv_state back = pv_back_number(dev, "state", PV_RECONFIGURED, PV_UNKNOWN);
    enum pv_state front = pv_front_number(dev, "state", PV_RECONFIGURED, PV_UNKNOWN);
    bool online = pv_back_number(dev, "online", 1, 0);

    dev->dirty = false;
    if (back == PV_UNKNOWN) { /* the toolstack has removed it */
        let_go(dev);
        dev->dead = true;
        return;
    }
    if (back == PV_CLOSING && dev->state < PV_CLOSING) /* the toolstack detaches it */
        dev->state = PV_CLOSING;
    step(dev, front, online);
    if (dev->state == PV_CLOSED && !online)
        dev->dead = true;
    else if (dev->type->changed)
        dev->type->changed(dev);
}

void pv_break(struct pv_dev *dev, const char *why)
{
    if (dev->broken)
        return;
    dev->broken = true;
    log_provoked("%s %u: %s; disconnected", dev->type->name, dev->id, why);
    let_go(dev);
    set_state(dev, PV_CLOSING);
}

void pv_changed_again(struct pv_dev *dev)
{
    if (dev->state == PV_CONNECTED)
        pv_back_set(dev, "state", "%d", PV_CONNECTED);
}

/* ---- which there are ---- */

static void front_watch(struct pv_dev *dev, bool on)
{
    char path[2 * PV_PATH], token[64];

    snprintf(path, sizeof(path), "%s/state", dev->front);
    snprintf(token, sizeof(token), "fe/%s/%u", dev->type->name, dev->id);
    dev->pv->ops->watch(dev->pv->arg, path, token, on);
}

static struct pv_dev *find(const struct pv *pv, const struct pv_type *type, unsigned id)
{
    for (struct pv_dev *d = pv->devs; d; d = d->next) {
        if (d->type == type && d->id == id && !d->dead)
            return d;
    }
    return NULL;
}

static unsigned count(const struct pv *pv)
{
    unsigned n = 0;

    for (const struct pv_dev *d = pv->devs; d; d = d->next)
        n++;
    return n;
}

/* A child of the folder of back ends; not ours, or not ready: left alone. */
static void discover(struct pv *pv, const struct pv_type *type, unsigned id)
{
    struct pv_dev *dev = calloc(1, type->size);
    char *front = NULL;

    if (!dev)
        return;
    dev->type = type;
    dev->pv = pv;
    dev->id = id;
    snprintf(dev->back, sizeof(dev->back), "backend/%s/%u/%u", type->name, pv->domid, id);
    if (pv_back_number(dev, "online", 1, 0) == 1 &&
        pv_back_number(dev, "state", PV_RECONFIGURED, PV_UNKNOWN) == PV_INITIALISING &&
        pv_back_number(dev, "frontend-id", UINT16_MAX, UINT16_MAX) == pv->domid)
        front = pv_back_text(dev, "frontend");
    if (!front || strlen(front) >= sizeof(dev->front) || count(pv) >= PV_ALL) {
        free(front);
        free(dev);
        return;
    }
    memcpy(dev->front, front, strlen(front) + 1);
    free(front);
    if (!type->ours(dev)) {
        free(dev);
        return;
    }
    dev->state = PV_INITIALISING;
    dev->next = pv->devs;
    pv->devs = dev;
    offer(dev);
    front_watch(dev, true);
    dev->dirty = true;
}

static void scan(struct pv *pv, const struct pv_type *type)
{
    char path[PV_PATH];
    unsigned n = 0;
    char **names;

    snprintf(path, sizeof(path), "backend/%s/%u", type->name, pv->domid);
    names = pv->ops->list(pv->arg, path, &n);
    for (unsigned i = 0; i < n; i++) {
        uint64_t id = pv_number(names[i], UINT32_MAX, UINT64_MAX);

        if (id <= UINT32_MAX && !find(pv, type, (unsigned)id))
            discover(pv, type, (unsigned)id);
    }
    free(names);
    for (struct pv_dev *d = pv->devs; d; d = d->next) /* one of its nodes may have changed */
        d->dirty |= d->type == type;
}

static void bury(struct pv *pv)
{
    struct pv_dev **at = &pv->devs;

    while (*at) {
        struct pv_dev *dev = *at;

        if (!dev->dead) {
            at = &dev->next;
            continue;
        }
        *at = dev->next;
        let_go(dev);
        front_watch(dev, false);
        free(dev);
    }
}

/* ---- from the seam ---- */

void pv_watch_fired(struct pv *pv, const char *token)
{
    char name[32] = "";
    unsigned id = 0;

    if (sscanf(token, "fe/%31[a-z0-9]/%u", name, &id) == 2) {
        for (struct pv_dev *d = pv->devs; d; d = d->next)
            d->dirty |= d->id == id && !strcmp(d->type->name, name);
        return;
    }
    for (unsigned i = 0; pv->types[i]; i++) {
        if (!strncmp(token, "be/", 3) && !strcmp(token + 3, pv->types[i]->name))
            pv->scan |= 1u << i;
    }
}

void pv_watches_settled(struct pv *pv)
{
    unsigned wanted = pv->scan;

    if (!pv->started)
        return;
    pv->scan = 0;
    for (unsigned i = 0; pv->types[i]; i++) {
        if (wanted & 1u << i)
            scan(pv, pv->types[i]);
    }
    for (struct pv_dev *d = pv->devs; d; d = d->next) {
        if (d->dirty && !d->dead)
            look(d);
    }
    bury(pv);
}

void pv_event(struct pv *pv, int port)
{
    for (struct pv_dev *d = pv->devs; d; d = d->next) {
        if (d->connected && d->type->event)
            d->type->event(d, port);
    }
}

/* ---- for control/ ---- */

struct pv *pv_new(struct uv_loop_s *loop, unsigned domid, const struct pv_type *const *types,
                  const struct pv_ops *ops, void *arg)
{
    struct pv *pv = calloc(1, sizeof(*pv));

    if (!pv)
        return NULL;
    pv->loop = loop;
    pv->domid = domid;
    pv->types = types;
    pv->ops = ops;
    pv->arg = arg;
    return pv;
}

int pv_start(struct pv *pv, const struct pv_outside *outside, struct err *err)
{
    pv->outside = *outside;
    pv->started = true;
    for (unsigned i = 0; pv->types[i]; i++) {
        char path[PV_PATH], token[40];
        int rc;

        snprintf(path, sizeof(path), "backend/%s/%u", pv->types[i]->name, pv->domid);
        snprintf(token, sizeof(token), "be/%s", pv->types[i]->name);
        rc = pv->ops->watch(pv->arg, path, token, true);
        if (rc)
            return err_set(err, rc, "cannot watch %s in xenstore: %s", path, strerror(-rc));
    }
    return 0;
}

void pv_stop(struct pv *pv)
{
    if (!pv)
        return;
    pv->started = false;
    for (struct pv_dev *d = pv->devs; d; d = d->next)
        d->dead = true;
    bury(pv);
}

void pv_free(struct pv *pv)
{
    pv_stop(pv);
    free(pv);
}

void pv_hold(struct pv *pv, bool held)
{
    if (!pv || pv->held == held)
        return;
    pv->held = held;
    for (struct pv_dev *d = pv->devs; d; d = d->next) {
        if (d->connected && d->type->hold)
            d->type->hold(d, held);
    }
    bury(pv);
}

int pv_drain(struct pv *pv)
{
    int rc = 0;

    for (struct pv_dev *d = pv ? pv->devs : NULL; d; d = d->next) {
        int one = d->connected && d->type->drain ? d->type->drain(d) : 0;

        rc = rc ? rc : one;
    }
    return rc;
}
