/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ioreq/pc-lines.h"
#include "hw/core/pci.h"

static void isa_changed(struct pc_lines *l, unsigned irq)
{
    bool level = l->isa[irq];

    for (unsigned i = 0; i < 4; i++)
        level |= irq && l->route[i] == irq && l->link[i];
    l->changed(l, irq, level);
}

void pc_lines_isa(struct pc_lines *l, unsigned pin, bool level)
{
    l->isa[pin & 15] = level;
    isa_changed(l, pin & 15);
}

void pc_lines_intx(struct pc_lines *l, unsigned devfn, unsigned pin, bool level)
{
    unsigned i = (PCI_SLOT(devfn) + pin + 3) & 3;

    l->link[i] = (uint8_t)(level ? l->link[i] + 1 : l->link[i] - 1);
    if (l->route[i])
        isa_changed(l, l->route[i]);
}

void pc_lines_route(struct pc_lines *l, unsigned link, unsigned irq)
{
    unsigned old = l->route[link & 3];

    l->route[link & 3] = irq & 15;
    if (old)
        isa_changed(l, old);
    if (irq & 15)
        isa_changed(l, irq & 15);
}
