/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Birth, reset and end of a device. */
#include "hw/core/device.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/log.h"
#include "hw/core/pci.h"
#include "hw/core/state.h"

static void device_unmap(struct device *dev, const struct io_range *end)
{
    for (const struct io_range *r = dev->type->io; r && r != end && r->size; r++)
        platform_unmap(dev->plat, dev, r, r->base);
}

static int device_map(struct device *dev, struct err *err)
{
    for (const struct io_range *r = dev->type->io; r && r->size; r++) {
        int rc = platform_map(dev->plat, dev, r, r->base, r->size);

        if (rc) {
            device_unmap(dev, r);
            return err_set(err, rc, "%s: cannot claim %s 0x%llx-0x%llx: %s", dev->id,
                           r->space == IO_PORT ? "ports" : "memory", (unsigned long long)r->base,
                           (unsigned long long)(r->base + r->size - 1), strerror(-rc));
        }
    }
    return 0;
}

struct device *device_new(struct platform *plat, const struct device_type *type, const char *id,
                          int devfn, const struct config *cfg, struct err *err)
{
    struct device *dev = calloc(1, type->size);
    int rc = -ENOMEM;

    if (!dev) {
        err_set(err, rc, "%s: out of memory", id);
        return NULL;
    }
    dev->type = type;
    dev->plat = plat;
    snprintf(dev->id, sizeof(dev->id), "%s", id);
    if (type->pci && pci_attach(pci_of(dev), devfn, err))
        goto fail;
    if (type->init && type->init(dev, cfg, err))
        goto fail_detach;
    if (device_map(dev, err))
        goto fail_fini;
    if (type->pci && pci_plug(pci_of(dev), err))
        goto fail_unmap;
    device_reset(dev, RESET_COLD);
    return dev;

fail_unmap:
    device_unmap(dev, NULL);
fail_fini:
    if (type->fini)
        type->fini(dev);
fail_detach:
    if (type->pci)
        pci_detach(pci_of(dev));
fail:
    free(dev);
    return NULL;
}

/* Zeroes s; a timer in it keeps who it belongs to, and stops. */
static void device_clear_state(struct device *dev)
{
    struct timer keep[PLATFORM_TIMERS];
    unsigned n = 0;

    for (int restore = 0; restore < 2; restore++) {
        n = 0;
        for (const struct field *f = dev->type->state; f && f->kind != F_END; f++) {
            struct timer *t = (struct timer *)(void *)((char *)dev + f->off);

            for (unsigned i = 0; f->kind == F_TIMER && i < f->count && n < PLATFORM_TIMERS; i++) {
                if (restore) {
                    t[i] = keep[n++];
                    timer_set(dev->plat, &t[i], TIMER_OFF);
                } else {
                    keep[n++] = t[i];
                }
            }
        }
        if (!restore)
            memset((char *)dev + dev->type->s_off, 0, dev->type->s_size);
    }
}

void device_reset(struct device *dev, enum reset_kind kind)
{
    device_clear_state(dev);
    if (dev->type->pci)
        pci_reset(pci_of(dev));
    if (dev->type->reset)
        dev->type->reset(dev, kind);
    if (dev->type->sync)
        dev->type->sync(dev);
}

void device_free(struct device *dev)
{
    if (!dev)
        return;
    device_unmap(dev, NULL);
    if (dev->type->pci)
        pci_detach(pci_of(dev));
    if (dev->type->fini)
        dev->type->fini(dev);
    free(dev);
}

void guest_err(struct device *dev, const char *fmt, ...)
{
    char msg[256];
    va_list ap;

    dev->guest_errors++;
    if (dev->guest_errors > 4 && (dev->guest_errors & (dev->guest_errors - 1)))
        return;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof(msg), fmt, ap);
    va_end(ap);
    log_provoked("%s: guest: %s (%u so far)", dev->id, msg, dev->guest_errors);
}
