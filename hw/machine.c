/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * THE LIST of devices in the PC. Read this file first: which chip sits in
 * which slot. A device's ports and IRQ are in its own file; what a user
 * configured comes as a device_spec of the same id.
 */
#include "hw/machine.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "hw/devices.h"

enum present {
    ALWAYS,
    IF_ASKED, /* only when the spec has an entry of this id */
};

static const struct {
    const struct device_type *type;
    const char *id;
    int devfn; /* -1: not PCI */
    enum present when;
} board[] = {
    { &i440fx_type.dev, "host", PCI_DEVFN(0, 0), ALWAYS },
    { &piix3_type.dev, "isa", PCI_DEVFN(1, 0), ALWAYS },
    { &piix3_ide_type.dev, "ide", PCI_DEVFN(1, 1), ALWAYS },
    { &piix3_uhci_type.dev, "piix3-usb", PCI_DEVFN(1, 2), IF_ASKED },
    { &piix4_pm_type.dev, "pm", PCI_DEVFN(1, 3), IF_ASKED },
    { &xen_platform_type.dev, "platform", PCI_DEVFN(2, 0), IF_ASKED },
    { &pci_host_type, "pci-host", -1, ALWAYS },
    { &port92_type, "port92", -1, ALWAYS },
    { &cmos_type, "cmos", -1, ALWAYS },
    { &dma8237_type, "dma", -1, ALWAYS },
    { &i8042_type, "i8042", -1, ALWAYS },
    { &serial_type, "serial0", -1, IF_ASKED },
    { &serial_type, "serial1", -1, IF_ASKED },
    { &serial_type, "serial2", -1, IF_ASKED },
    { &serial_type, "serial3", -1, IF_ASKED },
    { &parallel_type, "parallel0", -1, IF_ASKED },
    { &debugcon_type, "debugcon", -1, IF_ASKED },
    { &fw_cfg_type, "fw_cfg", -1, IF_ASKED },
    { &hpet_type, "hpet", -1, IF_ASKED },
    { &fdc_type, "fdc", -1, IF_ASKED },
    { &pflash_type, "flash0", -1, IF_ASKED },
    { &pflash_type, "flash1", -1, IF_ASKED },
};

/* Cards: each entry of the spec takes the next free slot (or USB port), in the order given. */
static const struct {
    const char *name; /* as -device spells it */
    const struct device_type *type;
} cards[] = {
    { "cirrus-vga", &cirrus_type.dev },
    { "VGA", &vga_type.dev },
    { "rtl8139", &rtl8139_type.dev },
    { "pcnet", &pcnet_type.dev },
    { "ne2k_pci", &ne2000_type.dev },
    { "e1000", &e1000_type.dev },
    { "piix3-usb-uhci", &piix3_uhci_type.dev },
    { "usb-tablet", &usb_tablet_type },
    { "usb-mouse", &usb_mouse_type },
    { "usb-kbd", &usb_kbd_type },
    { "AC97", &ac97_type.dev },
    { "ES1370", &es1370_type.dev },
    { "sb16", &sb16_type },
    { "ahci", &ahci_type.dev },
    { "ich9-ahci", &ahci_type.dev },
};

struct config *machine_spec_add(struct machine_spec *spec, const char *type, const char *id)
{
    struct device_spec *d;

    if (spec->n == MACHINE_DEVICES)
        return NULL;
    d = &spec->dev[spec->n++];
    memset(d, 0, sizeof(*d));
    snprintf(d->type, sizeof(d->type), "%s", type);
    snprintf(d->id, sizeof(d->id), "%s", id);
    return &d->cfg;
}

void machine_spec_free(struct machine_spec *spec)
{
    for (unsigned i = 0; i < spec->n; i++)
        config_free(&spec->dev[i].cfg);
    spec->n = 0;
}

static const struct device_spec *spec_find(const struct machine_spec *spec, const char *id)
{
    for (unsigned i = 0; i < spec->n; i++) {
        if (!strcmp(spec->dev[i].id, id))
            return &spec->dev[i];
    }
    return NULL;
}

static int machine_add(struct machine *m, const struct device_type *type, const char *id, int devfn,
                       const struct config *cfg, struct err *err)
{
    struct device *dev;

    if (m->n == MACHINE_DEVICES)
        return err_set(err, -ENOSPC, "%s: more than %d devices", id, MACHINE_DEVICES);
    dev = device_new(m->plat, type, id, devfn, cfg, err);
    if (!dev)
        return -EINVAL;
    m->dev[m->n++] = dev;
    return 0;
}

static int machine_add_board(struct machine *m, const struct machine_spec *spec, struct err *err)
{
    for (unsigned i = 0; i < sizeof(board) / sizeof(board[0]); i++) {
        const struct device_spec *d = spec_find(spec, board[i].id);
        int rc;

        if (board[i].when == IF_ASKED && !d)
            continue;
        rc = machine_add(m, board[i].type, board[i].id, board[i].devfn, d ? &d->cfg : NULL, err);
        if (rc)
            return rc;
    }
    return 0;
}

const struct device_type *machine_card_type(const char *name)
{
    for (unsigned i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
        if (!strcmp(cards[i].name, name))
            return cards[i].type;
    }
    return NULL;
}

bool machine_has_card(const char *name)
{
    return machine_card_type(name) != NULL;
}

bool machine_has_type(const char *name)
{
    for (unsigned i = 0; i < sizeof(board) / sizeof(board[0]); i++) {
        if (!strcmp(board[i].type->name, name))
            return true;
    }
    return machine_has_card(name);
}

/* The USB controller can be both. */
static bool is_on_board(const struct device_spec *d)
{
    for (unsigned i = 0; i < sizeof(board) / sizeof(board[0]); i++) {
        if (!strcmp(board[i].type->name, d->type) && !strcmp(board[i].id, d->id))
            return true;
    }
    return false;
}

static int machine_add_cards(struct machine *m, const struct machine_spec *spec, struct err *err)
{
    for (unsigned i = 0; i < spec->n; i++) {
        const struct device_spec *d = &spec->dev[i];

        if (!machine_has_card(d->type) || is_on_board(d))
            continue; /* configures a board device */
        if (!machine_plug(m, d->type, d->id, &d->cfg, err))
            return -EINVAL;
    }
    return 0;
}

int machine_build(struct machine *m, struct platform *plat, const struct machine_spec *spec,
                  struct err *err)
{
    int rc;

    memset(m, 0, sizeof(*m));
    m->plat = plat;
    rc = machine_add_board(m, spec, err);
    m->nboard = m->n;
    if (!rc)
        rc = machine_add_cards(m, spec, err);
    if (rc)
        machine_free(m);
    return rc;
}

void machine_free(struct machine *m)
{
    while (m->n)
        device_free(m->dev[--m->n]);
}

struct device *machine_find(const struct machine *m, const char *id)
{
    for (unsigned i = 0; i < m->n; i++) {
        if (!strcmp(m->dev[i]->id, id))
            return m->dev[i];
    }
    return NULL;
}
