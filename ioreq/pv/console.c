/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console: channels of xl's channel=, as PV consoles (xen/io/console.h) of
 * type "ioemu". (The guest's first console is xenconsoled's.) Bytes go to and
 * from the chardev that libxl made for this channel. The node that names it is
 * the guest's to write, so only this channel's own is taken.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/sink.h"
#include "ioreq/pv/bus.h"

#define IN_BYTES  1024u
#define OUT_BYTES 2048u
#define OUT_AT    IN_BYTES

enum { IN_CONS = 3072, IN_PROD = 3076, OUT_CONS = 3080, OUT_PROD = 3084 };

struct console {
    struct pv_dev dev;
    struct sink *sink;
    uint8_t *page;
    int port; /* -1: none */
};

static struct console *console_of(struct pv_dev *dev)
{
    return (struct console *)(void *)((char *)dev - offsetof(struct console, dev));
}

static uint32_t *page_word(const struct console *c, unsigned at)
{
    return (uint32_t *)(void *)(c->page + at);
}

/* The guest's output, at most a ring full of it. True: some was taken. */
static bool take_output(struct console *c)
{
    uint32_t cons = *page_word(c, OUT_CONS);
    uint32_t prod = __atomic_load_n(page_word(c, OUT_PROD), __ATOMIC_ACQUIRE);
    uint32_t n = prod - cons;

    if (!n || n > OUT_BYTES) /* more than there is room for is nonsense: left lying */
        return false;
    for (uint32_t i = 0; i < n; i++)
        sink_put(c->sink, c->page[OUT_AT + (cons + i) % OUT_BYTES]);
    __atomic_store_n(page_word(c, OUT_CONS), cons + n, __ATOMIC_RELEASE);
    return true;
}

static bool give_input(struct console *c)
{
    uint32_t cons = __atomic_load_n(page_word(c, IN_CONS), __ATOMIC_ACQUIRE);
    uint32_t prod = *page_word(c, IN_PROD);
    bool any = false;
    int byte;

    for (; prod - cons < IN_BYTES && (byte = sink_get(c->sink)) >= 0; any = true)
        c->page[prod++ % IN_BYTES] = (uint8_t)byte;
    if (any)
        __atomic_store_n(page_word(c, IN_PROD), prod, __ATOMIC_RELEASE);
    return any;
}

static void move(struct console *c)
{
    bool out, in;

    if (!c->page || c->dev.pv->held)
        return;
    out = take_output(c);
    in = give_input(c);
    if (out || in)
        c->dev.pv->ops->notify(c->dev.pv->arg, c->port);
}

static void readable(void *arg)
{
    move(arg);
}

static bool console_ours(struct pv_dev *dev)
{
    struct console *c = console_of(dev);
    const struct pv_outside *o = &dev->pv->outside;
    char *type = pv_front_text(dev, "type"), *output = pv_front_text(dev, "output"), own[40];
    bool ours = dev->id && type && !strcmp(type, "ioemu") && o->sink;

    snprintf(own, sizeof(own), "chardev:libxl-channel%u", dev->id);
    if (ours && output && !strcmp(output, own))
        c->sink = o->sink(o->arg, own + strlen("chardev:"));
    free(type);
    free(output);
    return c->sink != NULL;
}

static void console_offer(struct pv_dev *dev)
{
}

static int console_connect(struct pv_dev *dev, struct err *err)
{
    struct console *c = console_of(dev);
    const struct pv *pv = dev->pv;
    uint64_t gref = pv_front_number(dev, "ring-ref", UINT32_MAX, UINT64_MAX);
    uint32_t ref = (uint32_t)gref, port = (uint32_t)pv_front_number(dev, "port", INT32_MAX, 0);

    c->port = -1;
    c->page = gref <= UINT32_MAX ? pv->ops->map(pv->arg, &ref, 1) : NULL;
    if (!c->page)
        return err_set(err, -EINVAL, "cannot map the front end's ring");
    c->port = port ? pv->ops->bind(pv->arg, port) : -EINVAL;
    if (c->port < 0)
        return err_set(err, -EINVAL, "cannot bind the front end's event channel");
    c->sink->readable = readable;
    c->sink->arg = c;
    move(c);
    return 0;
}

static void console_disconnect(struct pv_dev *dev)
{
    struct console *c = console_of(dev);
    const struct pv *pv = dev->pv;

    c->sink->readable = NULL;
    if (c->port >= 0)
        pv->ops->unbind(pv->arg, c->port);
    if (c->page)
        pv->ops->unmap(pv->arg, c->page, 1);
    c->page = NULL;
    c->port = -1;
}

static void console_event(struct pv_dev *dev, int port)
{
    if (port == console_of(dev)->port)
        move(console_of(dev));
}

static void console_hold(struct pv_dev *dev, bool held)
{
    if (!held)
        move(console_of(dev));
}

const struct pv_type pv_console_type = {
    .name = "console",
    .size = sizeof(struct console),
    .ours = console_ours,
    .offer = console_offer,
    .connect = console_connect,
    .disconnect = console_disconnect,
    .event = console_event,
    .hold = console_hold,
};
