/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/args-default.c: what a PC has without being asked. */
#include <string.h>
#include "control/args-impl.h"
#include "hw/machine.h"

/* Puts a card before all others: the board's own come first, on the first free slots. */
static void put_first(struct vm_args *a, const char *driver)
{
    memmove(&a->devices[1], &a->devices[0], a->ndevices * sizeof(a->devices[0]));
    memset(&a->devices[0], 0, sizeof(a->devices[0]));
    a->devices[0].driver = xstrdup(driver);
    a->ndevices++;
    for (unsigned i = 0; i < a->nnics; i++)
        a->nics[i].after++;
}

static int default_nic(struct args_ctx *c)
{
    struct vm_args *a = c->a;
    struct config cfg = { 0 };
    struct nic_arg nic;
    int rc = args_nic_device(c, "e1000", &cfg);

    config_free(&cfg);
    if (rc)
        return rc;
    nic = a->nics[a->nnics - 1]; /* before those that were asked for */
    memmove(&a->nics[1], &a->nics[0], (a->nnics - 1) * sizeof(nic));
    a->nics[0] = nic;
    a->nics[0].after = a->ndevices && !strcmp(a->devices[0].driver, "VGA") ? 1 : 0;
    return 0;
}

static int default_drive(struct args_ctx *c, const char *iface, const char *index, bool cd)
{
    struct config cfg = { 0 };
    int rc;

    config_set(&cfg, "if", iface);
    config_set(&cfg, "index", index);
    config_set(&cfg, "media", cd ? "cdrom" : "disk");
    rc = args_add_drive(c->a, &cfg, c->err);
    config_free(&cfg);
    return rc;
}

/*
 * What QEMU's pc has without being asked, unless -nodefaults: a VGA, an e1000,
 * a serial and a parallel port, a CD drive as hdc, a floppy drive. Under Xen
 * nobody adds anything to what the toolstack said.
 */
int args_join_defaults(struct args_ctx *c)
{
    struct vm_args *a = c->a;
    bool fdc = machine_has_type("isa-fdc");
    int rc = 0;

    if (!a->own_clocks || a->nodefaults || !strcmp(a->machine, "none"))
        return 0;
    if (!c->seen.vga && a->ndevices < ARGS_DEVICES)
        put_first(a, "VGA");
    if (!c->seen.net)
        rc = default_nic(c);
    if (!a->nserials && !c->seen.serial)
        a->serials[a->nserials++] = xstrdup("null");
    if (!a->parallel && !c->seen.parallel)
        a->parallel = xstrdup("null");
    if (!rc && !c->seen.cdrom && !args_drive_at(a, DRIVE_IDE, 2))
        rc = default_drive(c, "ide", "2", true);
    if (!rc && fdc && !c->seen.floppy && !args_drive_at(a, DRIVE_FLOPPY, 0))
        rc = default_drive(c, "floppy", "0", false);
    return rc;
}
