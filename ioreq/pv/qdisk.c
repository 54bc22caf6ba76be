/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qdisk: the back end of PV disks (xen/io/blkif.h) on images of block/. The
 * image is opened when the front end connects, and closed when it goes: until
 * then it may be the emulated disk's, which the guest has to unplug first. If
 * it has not, the image is locked, and the front end does not come up: better
 * than two writers that know nothing of each other.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/log.h"
#include "ioreq/pv/qdisk.h"

enum { INFO_CDROM = 1, INFO_REMOVABLE = 2, INFO_READONLY = 4 };

/* ---- the image ---- */

static bool text_is(char *text, const char *what)
{
    bool same = text && !strcmp(text, what);

    free(text);
    return same;
}

static uint64_t sectors(const struct qdisk *d)
{
    return d->blk ? d->blk->size / BLK_SECTOR : 0;
}

static void tell_size(struct qdisk *d)
{
    pv_back_set(&d->dev, "sectors", "%llu", (unsigned long long)sectors(d));
    pv_back_set(&d->dev, "sector-size", "%u", BLK_SECTOR);
    pv_back_set(&d->dev, "info", "%u",
                (d->cdrom ? INFO_CDROM : 0u) | (d->removable ? INFO_REMOVABLE : 0u) |
                    (d->readonly ? INFO_READONLY : 0u));
}

static void image_changed(void *arg, enum block_event event)
{
    struct qdisk *d = arg;

    tell_size(d);
    pv_changed_again(&d->dev);
}

/* "aio:/x" is raw, "vhd:/x" is vpc, "qcow2:/x" is what it says; "/x" is raw. */
static const char *split_params(const char *params, char *format, size_t size)
{
    const char *colon = strchr(params, ':');

    snprintf(format, size, "raw");
    if (!colon || params[0] == '/')
        return params;
    if (!strncmp(params, "vhd:", 4))
        snprintf(format, size, "vpc");
    else if (strncmp(params, "aio:", 4))
        snprintf(format, size, "%.*s", (int)(colon - params), params);
    return colon + 1;
}

/* No name: an empty drive, which is no error. */
static int open_image(struct qdisk *d, struct err *err)
{
    const char *params = d->params ? d->params : "";
    char format[24];
    const char *file = split_params(params, format, sizeof(format));

    if (!*file)
        return 0;
    d->blk = block_open(d->dev.pv->loop,
                        &BLOCK_OPTIONS(.file = file, .format = format, .readonly = d->readonly,
                                       .discard = d->discard,
                                       .direct = pv_back_number(&d->dev, "direct-io-safe", 1, 0)),
                        err);
    if (!d->blk)
        return -EIO;
    block_listen(d->blk, image_changed, d);
    return 0;
}

static void close_image(struct qdisk *d)
{
    int rc = d->blk ? block_drain(d->blk) : 0;

    if (rc)
        log_line("qdisk %u: cannot flush %s: %s", d->dev.id, d->params, strerror(rc));
    block_close(d->blk);
    d->blk = NULL;
    free(d->params);
    d->params = NULL;
}

/* ---- xenbus ---- */

static bool qdisk_ours(struct pv_dev *dev)
{
    struct qdisk *d = qdisk_of(dev);
    char *name = pv_back_text(dev, "dev");

    snprintf(d->name, sizeof(d->name), "%s", name ? name : "");
    free(name);
    d->cdrom = text_is(pv_back_text(dev, "device-type"), "cdrom");
    d->removable = pv_back_number(dev, "removable", 1, 0);
    d->readonly = d->cdrom || !text_is(pv_back_text(dev, "mode"), "w");
    d->discard = !d->readonly && pv_back_number(dev, "discard-enable", 1, 0);
    return true;
}

static void qdisk_offer(struct pv_dev *dev)
{
    struct qdisk *d = qdisk_of(dev);

    pv_back_set(dev, "feature-flush-cache", "1");
    pv_back_set(dev, "feature-persistent", "1");
    pv_back_set(dev, "feature-max-indirect-segments", "%u", BLK_INDIRECT_MAX);
    pv_back_set(dev, "max-ring-page-order", "%u", QDISK_RING_ORDER);
    pv_back_set(dev, "multi-queue-max-queues", "%u", QDISK_QUEUES);
    if (d->discard) {
        pv_back_set(dev, "feature-discard", "1");
        pv_back_set(dev, "discard-granularity", "%u", PV_PAGE);
        pv_back_set(dev, "discard-alignment", "0");
    }
    pv_back_set(dev, "hotplug-status", "connected");
    pv_front_set(dev, "virtual-device", "%u", dev->id);
    pv_front_set(dev, "device-type", d->cdrom ? "cdrom" : "disk");
}

struct wiring { /* of one queue, as the front end has it in its nodes */
    uint32_t ref[1 << QDISK_RING_ORDER];
    uint32_t port;
    unsigned pages;
};

static int read_wiring(struct qdisk *d, const char *base, bool ordered, unsigned order,
                       struct wiring *w, struct err *err)
{
    char key[48];

    w->pages = 1u << order;
    for (unsigned i = 0; i < w->pages; i++) {
        uint64_t ref;

        snprintf(key, sizeof(key), ordered ? "%sring-ref%u" : "%sring-ref", base, i);
        ref = pv_front_number(&d->dev, key, UINT32_MAX, UINT64_MAX);
        if (ref > UINT32_MAX)
            return err_set(err, -EINVAL, "the front end's %s is no grant reference", key);
        w->ref[i] = (uint32_t)ref;
    }
    snprintf(key, sizeof(key), "%sevent-channel", base);
    w->port = (uint32_t)pv_front_number(&d->dev, key, INT32_MAX, 0);
    return w->port ? 0 : err_set(err, -EINVAL, "the front end's %s is no event channel", key);
}

static int wire(struct qdisk *d, struct qdisk_queue *q, struct wiring *w, enum blk_abi abi,
                struct err *err)
{
    const struct pv_ops *ops = d->dev.pv->ops;
    int rc;

    q->disk = d;
    q->pages = w->pages;
    q->mem = ops->map(d->dev.pv->arg, w->ref, w->pages);
    if (!q->mem)
        return err_set(err, -EINVAL, "cannot map the front end's ring");
    rc = qdisk_queue_start(q, abi, d->persistent);
    if (rc)
        return err_set(err, rc, "cannot serve a ring: %s", strerror(-rc));
    q->port = ops->bind(d->dev.pv->arg, w->port);
    return q->port >= 0 ? 0 : err_set(err, q->port, "cannot bind the front end's event channel");
}

/* protocol: none is that of the back end's own host. */
static int read_abi(struct qdisk *d, enum blk_abi *abi, struct err *err)
{
    char *text = pv_front_text(&d->dev, "protocol");
    int rc = 0;

    *abi = text && !strcmp(text, "x86_32-abi") ? BLK_ABI_32 : BLK_ABI_64;
    if (text && *abi == BLK_ABI_64 && strcmp(text, "x86_64-abi"))
        rc = err_set(err, -EINVAL, "the front end's protocol is neither x86_64-abi nor x86_32-abi");
    free(text);
    return rc;
}

static int wire_all(struct qdisk *d, struct err *err)
{
    uint64_t order = pv_front_number(&d->dev, "ring-page-order", UINT32_MAX, UINT64_MAX);
    unsigned n = (unsigned)pv_front_number(&d->dev, "multi-queue-num-queues", QDISK_QUEUES + 1, 1);
    bool ordered = order != UINT64_MAX;
    enum blk_abi abi;
    int rc = read_abi(d, &abi, err);

    if (rc)
        return rc;
    if ((ordered && order > QDISK_RING_ORDER) || !n || n > QDISK_QUEUES)
        return err_set(err, -EINVAL, "the front end wants more than was offered");
    d->persistent = pv_front_number(&d->dev, "feature-persistent", 1, 0);
    d->ring_pages = ordered ? 1u << order : 1;
    for (unsigned i = 0; i < n; i++) {
        struct wiring w;
        char base[24] = "";

        if (n > 1)
            snprintf(base, sizeof(base), "queue-%u/", i);
        rc = read_wiring(d, base, ordered, ordered ? (unsigned)order : 0, &w, err);
        if (rc)
            return rc;
        d->nqueues = i + 1; /* for who takes it apart again */
        d->queue[i].port = -1;
        rc = wire(d, &d->queue[i], &w, abi, err);
        if (rc)
            return rc;
    }
    return 0;
}

static int make_handles(struct qdisk *d, struct err *err)
{
    d->check = calloc(1, sizeof(*d->check));
    d->again = calloc(1, sizeof(*d->again));
    if (!d->check || !d->again) {
        free(d->check);
        free(d->again);
        d->check = NULL;
        d->again = NULL;
        return err_set(err, -ENOMEM, "out of memory");
    }
    uv_check_init(d->dev.pv->loop, d->check);
    uv_idle_init(d->dev.pv->loop, d->again);
    d->check->data = d->again->data = d;
    return 0;
}

static int qdisk_connect(struct pv_dev *dev, struct err *err)
{
    struct qdisk *d = qdisk_of(dev);
    int rc = make_handles(d, err);

    d->params = pv_back_text(dev, "params");
    if (!rc)
        rc = open_image(d, err);
    if (!rc)
        rc = wire_all(d, err);
    if (rc)
        return rc;
    tell_size(d);
    for (unsigned i = 0; i < d->nqueues; i++) /* there may be requests already */
        qdisk_queue_run(&d->queue[i]);
    return 0;
}

static void free_handle(uv_handle_t *h)
{
    free(h);
}

static void qdisk_disconnect(struct pv_dev *dev)
{
    struct qdisk *d = qdisk_of(dev);
    const struct pv_ops *ops = dev->pv->ops;
    unsigned n = d->nqueues;

    if (d->blk)
        block_settle(d->blk);
    d->nqueues = 0; /* no request is taken from here on */
    for (unsigned i = 0; i < n; i++) {
        struct qdisk_queue *q = &d->queue[i];

        if (q->mem && q->port >= 0)
            qdisk_queue_answer(q);
        if (q->port >= 0)
            ops->unbind(dev->pv->arg, q->port);
        qdisk_queue_stop(q);
        if (q->mem)
            ops->unmap(dev->pv->arg, q->mem, q->pages);
        memset(q, 0, sizeof(*q));
    }
    close_image(d);
    if (d->check) {
        uv_close((uv_handle_t *)d->check, free_handle);
        uv_close((uv_handle_t *)d->again, free_handle);
        d->check = NULL;
        d->again = NULL;
    }
}

static void qdisk_event(struct pv_dev *dev, int port)
{
    struct qdisk *d = qdisk_of(dev);

    for (unsigned i = 0; i < d->nqueues; i++) {
        if (d->queue[i].port == port)
            qdisk_queue_run(&d->queue[i]);
    }
}

/* Another CD: the toolstack writes "" for a moment, then the new name. */
static void qdisk_changed(struct pv_dev *dev)
{
    struct qdisk *d = qdisk_of(dev);
    struct err err = { "" };
    char *params;

    if (!dev->connected || !(d->cdrom || d->removable))
        return;
    params = pv_back_text(dev, "params");
    if (!params || !strcmp(params, d->params ? d->params : "")) {
        free(params);
        return;
    }
    if (d->blk)
        block_settle(d->blk);
    for (unsigned i = 0; i < d->nqueues; i++)
        qdisk_queue_answer(&d->queue[i]);
    close_image(d);
    d->params = params;
    if (open_image(d, &err))
        log_provoked("qdisk %u: %s; the drive is empty", dev->id, err.msg);
    tell_size(d);
    pv_changed_again(dev);
}

static void qdisk_hold(struct pv_dev *dev, bool held)
{
    struct qdisk *d = qdisk_of(dev);

    for (unsigned i = 0; !held && i < d->nqueues; i++)
        qdisk_queue_run(&d->queue[i]);
}

static int qdisk_drain(struct pv_dev *dev)
{
    struct qdisk *d = qdisk_of(dev);
    int rc = d->blk ? block_drain(d->blk) : 0;

    for (unsigned i = 0; i < d->nqueues; i++)
        qdisk_queue_answer(&d->queue[i]);
    return rc;
}

const struct pv_type pv_qdisk_type = {
    .name = "qdisk",
    .size = sizeof(struct qdisk),
    .ours = qdisk_ours,
    .offer = qdisk_offer,
    .connect = qdisk_connect,
    .disconnect = qdisk_disconnect,
    .changed = qdisk_changed,
    .event = qdisk_event,
    .hold = qdisk_hold,
    .drain = qdisk_drain,
};

/* ---- for control/ ---- */

bool pv_disk(const struct pv *pv, unsigned n, struct pv_disk *out)
{
    for (struct pv_dev *dev = pv ? pv->devs : NULL; dev; dev = dev->next) {
        const struct qdisk *d = qdisk_of(dev);

        if (dev->type != &pv_qdisk_type || n--)
            continue;
        *out = (struct pv_disk){ .id = dev->id,
                                 .block = d->blk,
                                 .connected = dev->connected,
                                 .removable = d->removable,
                                 .queues = d->nqueues,
                                 .ring_pages = d->ring_pages,
                                 .persistent = d->persistent };
        snprintf(out->name, sizeof(out->name), "%s", d->name);
        return true;
    }
    return false;
}

int pv_lock(struct pv *pv, bool on, struct err *err)
{
    struct pv_disk d;
    int rc = 0;

    for (unsigned i = 0; !rc && pv_disk(pv, i, &d); i++)
        rc = d.block ? block_lock(d.block, on, err) : 0;
    return rc;
}

bool pv_busy(const struct pv *pv)
{
    struct pv_disk d;

    for (unsigned i = 0; pv_disk(pv, i, &d); i++) {
        if (d.block && d.block->inflight)
            return true;
    }
    return false;
}
