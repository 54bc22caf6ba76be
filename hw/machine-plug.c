/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cards: put into a free slot of the machine, taken out of it, and reset with it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/pci.h"
#include "hw/machine.h"
#include "hw/usb.h"

#define SLOTS       32
#define CARD_TIMERS 16 /* no card has more */

static bool slot_is_free(const struct platform *p, unsigned slot)
{
    for (unsigned fn = 0; fn < 8; fn++) {
        if (p->pci[PCI_DEVFN(slot, fn)] || p->away[PCI_DEVFN(slot, fn)])
            return false;
    }
    return true;
}

static int next_slot(const struct machine *m, const char *id, struct err *err)
{
    for (int slot = 2; slot < SLOTS; slot++) {
        if (slot_is_free(m->plat, slot))
            return slot;
    }
    return err_set(err, -ENOSPC, "%s: no PCI slot is free", id);
}

/* "6", "06.0", "0x6": a card has function 0 only. */
static int wanted_slot(const struct machine *m, const char *type, const char *addr, struct err *err)
{
    char *end;
    unsigned long slot = strtoul(addr, &end, 16), fn = 0;
    struct device *there;

    if (end != addr && *end == '.')
        fn = strtoul(end + 1, &end, 16);
    if (end == addr || *end || slot >= SLOTS || fn > 7)
        return err_set(err, -EINVAL, "Property '%s.addr' doesn't take value '%s'", type, addr);
    if (fn)
        return err_set(err, -EINVAL, "%s: addr=%s: cards are function 0 of their slot; use %lx.0",
                       type, addr, slot);
    if (slot_is_free(m->plat, (unsigned)slot))
        return (int)slot;
    there = machine_card_in(m, (unsigned)slot);
    return err_set(err, -EBUSY, "PCI: slot %lu function 0 not available for %s, in use by %s,id=%s",
                   slot, type, there ? there->type->name : "the board", there ? there->id : "");
}

struct device *machine_plug(struct machine *m, const char *type, const char *id,
                            const struct config *cfg, struct err *err)
{
    const struct device_type *t = machine_card_type(type);
    const char *addr = config_str(cfg, "addr", NULL);
    struct device *dev;
    int slot = 0;

    if (!t) {
        err_set(err, -EINVAL, "'%s' is not a valid device model name", type);
        return NULL;
    }
    if (m->n == MACHINE_DEVICES || m->plat->ntimers + CARD_TIMERS > PLATFORM_TIMERS) {
        err_set(err, -ENOSPC, "%s: too many devices", id);
        return NULL;
    }
    if (t->pci)
        slot = addr ? wanted_slot(m, type, addr, err) : next_slot(m, id, err);
    if (slot < 0)
        return NULL;
    dev = device_new(m->plat, t, id, t->pci ? PCI_DEVFN(slot, 0) : -1, cfg, err);
    if (dev)
        m->dev[m->n++] = dev;
    return dev;
}

void machine_unplug(struct machine *m, struct device *dev)
{
    for (unsigned i = m->nboard; i < m->n; i++) {
        if (m->dev[i] != dev)
            continue;
        memmove(&m->dev[i], &m->dev[i + 1], (m->n - i - 1) * sizeof(m->dev[0]));
        m->n--;
        device_free(dev);
        return;
    }
}

struct device *machine_card_in(const struct machine *m, unsigned slot)
{
    for (unsigned i = m->nboard; i < m->n; i++) {
        if (m->dev[i]->type->pci && PCI_SLOT(pci_of(m->dev[i])->devfn) == slot)
            return m->dev[i];
    }
    return NULL;
}

static const struct usb_dev *usb_dev_of(const struct platform *p, const struct device *dev)
{
    for (unsigned i = 0; i < p->nusb; i++) {
        for (unsigned k = 0; k < USB_PORTS; k++) {
            const struct usb_dev *u = p->usb[i]->port[k];

            if (u && &u->dev == dev)
                return u;
        }
    }
    return NULL;
}

void machine_place(const struct machine *m, const struct device *dev, char out[MACHINE_PLACE])
{
    const struct usb_dev *u = usb_dev_of(m->plat, dev);

    out[0] = 0;
    for (unsigned i = 0; i < m->nboard; i++) {
        if (m->dev[i] == dev)
            return;
    }
    if (dev->type->pci)
        snprintf(out, MACHINE_PLACE, "addr=%x",
                 PCI_SLOT(container_of(dev, const struct pci_func, dev)->devfn));
    else if (u)
        snprintf(out, MACHINE_PLACE, "bus=%s,port=%u", u->bus->name, u->port + 1);
}

void machine_reset(struct machine *m, enum reset_kind kind)
{
    for (unsigned i = 0; i < m->n; i++)
        device_reset(m->dev[i], kind);
}
