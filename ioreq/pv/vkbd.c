/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vkbd: keyboard and pointer as a PV device (xen/io/kbdif.h), fed by the
 * viewers. Positions are told in 0..32767 over the whole screen: the nodes
 * "width" and "height" say so. Where the guest has not asked for positions it
 * is told movements. Events that the guest does not take are dropped.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include "display/display.h"
#include "ioreq/pv/bus.h"

#define RANGE       32768
#define RING_AT     1024
#define RING_EVENTS 51
#define EVENT_BYTES 40

enum { IN_CONS = 0, IN_PROD = 4 };
enum { TYPE_MOTION = 1, TYPE_KEY = 3, TYPE_POS = 4 };

/* linux/input-event-codes.h */
#define BTN_LEFT   0x110
#define BTN_RIGHT  0x111
#define BTN_MIDDLE 0x112

struct vkbd {
    struct pv_dev dev;
    uint8_t *page;
    bool granted; /* page: by a grant, not a frame of the guest's own */
    int port;     /* -1: none */
    uint32_t prod;
    unsigned buttons; /* as last told */
    bool listening;
};

struct vkbd_event {
    uint8_t type, pressed, pad[2];
    int32_t v[9]; /* key: code; motion and position: x, y, wheel */
};
static_assert(sizeof(struct vkbd_event) == EVENT_BYTES, "as kbdif.h has it");
static_assert(RING_AT + RING_EVENTS * EVENT_BYTES <= RING_AT + 2048, "the ring's room");

static struct vkbd *vkbd_of(struct pv_dev *dev)
{
    return (struct vkbd *)(void *)((char *)dev - offsetof(struct vkbd, dev));
}

static uint32_t *page_word(const struct vkbd *k, unsigned at)
{
    return (uint32_t *)(void *)(k->page + at);
}

static void put(struct vkbd *k, const struct vkbd_event *e)
{
    uint32_t cons = __atomic_load_n(page_word(k, IN_CONS), __ATOMIC_ACQUIRE);

    if (k->dev.pv->held || k->prod - cons >= RING_EVENTS)
        return;
    memcpy(k->page + RING_AT + k->prod % RING_EVENTS * EVENT_BYTES, e, sizeof(*e));
    k->prod++;
    __atomic_store_n(page_word(k, IN_PROD), k->prod, __ATOMIC_RELEASE);
    k->dev.pv->ops->notify(k->dev.pv->arg, k->port);
}

static void put_key(struct vkbd *k, int code, bool down)
{
    put(k, &(struct vkbd_event){ .type = TYPE_KEY, .pressed = down, .v = { code } });
}

static void put_buttons(struct vkbd *k, unsigned buttons)
{
    static const struct {
        unsigned bit;
        int code;
    } all[] = { { BUTTON_LEFT, BTN_LEFT },
                { BUTTON_RIGHT, BTN_RIGHT },
                { BUTTON_MIDDLE, BTN_MIDDLE } };

    for (unsigned i = 0; i < 3; i++) {
        if ((buttons ^ k->buttons) & all[i].bit)
            put_key(k, all[i].code, buttons & all[i].bit);
    }
    k->buttons = buttons;
}

static void on_key(void *dev, uint16_t code, bool down)
{
    put_key(dev, code, down);
}

static void on_rel(void *dev, int dx, int dy, int dz, unsigned buttons)
{
    if (dx || dy || dz)
        put(dev, &(struct vkbd_event){ .type = TYPE_MOTION, .v = { dx, dy, -dz } });
    put_buttons(dev, buttons);
}

static void on_abs(void *dev, uint16_t x, uint16_t y, int dz, unsigned buttons)
{
    put(dev, &(struct vkbd_event){ .type = TYPE_POS, .v = { x, y, -dz } });
    put_buttons(dev, buttons);
}

static bool vkbd_ours(struct pv_dev *dev)
{
    return dev->pv->outside.display != NULL;
}

static void vkbd_offer(struct pv_dev *dev)
{
    pv_back_set(dev, "feature-abs-pointer", "1");
    pv_back_set(dev, "feature-raw-pointer", "1");
    pv_back_set(dev, "width", "%d", RANGE);
    pv_back_set(dev, "height", "%d", RANGE);
}

/* Old front ends name a frame of theirs, newer ones grant it. */
static int map_page(struct vkbd *k, struct err *err)
{
    const struct pv *pv = k->dev.pv;
    uint64_t gref = pv_front_number(&k->dev, "page-gref", UINT32_MAX, UINT64_MAX);
    uint64_t gfn = pv_front_number(&k->dev, "page-ref", UINT64_MAX >> 13, UINT64_MAX);
    uint32_t ref = (uint32_t)gref;

    k->granted = gref != UINT64_MAX;
    if (k->granted)
        k->page = pv->ops->map(pv->arg, &ref, 1);
    else if (gfn != UINT64_MAX)
        k->page = pv->ops->map_gfn(pv->arg, gfn);
    return k->page ? 0 : err_set(err, -EINVAL, "cannot map the front end's page");
}

static int vkbd_connect(struct pv_dev *dev, struct err *err)
{
    static const struct input_ops absolute = { .key = on_key, .abs = on_abs };
    static const struct input_ops relative = { .key = on_key, .rel = on_rel };
    struct vkbd *k = vkbd_of(dev);
    uint32_t port = (uint32_t)pv_front_number(dev, "event-channel", INT32_MAX, 0);
    bool abs = pv_front_number(dev, "request-abs-pointer", 1, 0);
    int rc;

    k->port = -1;
    k->buttons = 0;
    rc = map_page(k, err);
    if (rc)
        return rc;
    k->port = port ? dev->pv->ops->bind(dev->pv->arg, port) : -EINVAL;
    if (k->port < 0)
        return err_set(err, -EINVAL, "cannot bind the front end's event channel");
    k->prod = *page_word(k, IN_PROD);
    display_add_input(dev->pv->outside.display, abs ? &absolute : &relative, k);
    k->listening = true;
    return 0;
}

static void vkbd_disconnect(struct pv_dev *dev)
{
    struct vkbd *k = vkbd_of(dev);
    const struct pv *pv = dev->pv;

    if (k->listening)
        display_remove_input(pv->outside.display, k);
    k->listening = false;
    if (k->port >= 0)
        pv->ops->unbind(pv->arg, k->port);
    k->port = -1;
    if (k->page && k->granted)
        pv->ops->unmap(pv->arg, k->page, 1);
    else if (k->page)
        pv->ops->unmap_gfn(pv->arg, k->page);
    k->page = NULL;
}

const struct pv_type pv_vkbd_type = {
    .name = "vkbd",
    .size = sizeof(struct vkbd),
    .ours = vkbd_ours,
    .offer = vkbd_offer,
    .connect = vkbd_connect,
    .disconnect = vkbd_disconnect,
};
