/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-device.c: -device and its relatives (-vga, -usbdevice, -global,
 * -set). One table of driver names says what becomes of each.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"
#include "hw/core/log.h"

enum verdict {
    DEV_CARD, /* goes to devices[] as it is */
    DEV_IDE,  /* joined with its -drive */
    DEV_NIC,
    DEV_TABLET,
    DEV_UHCI,
    DEV_DEBUGCON,
    DEV_NOTE, /* left out, with a line in the log */
    DEV_REFUSE,
};

#define NO_AHCI  "use hdtype=\"ide\""
#define NO_SCSI  "use hd* vdevs (hda to hdd)"
#define NO_HDA   "guests have no sound yet; remove soundhw="
#define NO_USB   "use usbversion=1 or usb=1"
#define NO_NIC   "use model=rtl8139 or model=e1000"
#define NO_SPICE "use -vnc"
#define NO_PASS  "devices of the host are not passed through"
#define NO_VGA   "use vga=\"stdvga\""

static const struct {
    const char *name;
    enum verdict verdict;
    const char *text;
} drivers[] = {
    { "VGA", DEV_CARD, NULL },
    { "cirrus-vga", DEV_CARD, NULL },
    { "ac97", DEV_CARD, NULL },
    { "AC97", DEV_CARD, NULL },
    { "ide-cd", DEV_IDE, NULL },
    { "ide-hd", DEV_IDE, NULL },
    { "rtl8139", DEV_NIC, NULL },
    { "e1000", DEV_NIC, NULL },
    { "e1000-82540em", DEV_NIC, NULL },
    { "usb-tablet", DEV_TABLET, NULL },
    { "piix3-usb-uhci", DEV_UHCI, NULL },
    { "isa-debugcon", DEV_DEBUGCON, NULL },
    { "usb-mouse", DEV_NOTE, "the guest has a PS/2 mouse; or use usbdevice=\"tablet\"" },
    { "usb-kbd", DEV_NOTE, "the guest has a PS/2 keyboard" },
    { "qxl-vga", DEV_REFUSE, NO_VGA },
    { "qxl", DEV_REFUSE, NO_VGA },
    { "virtio-vga", DEV_REFUSE, NO_VGA },
    { "virtio-gpu-pci", DEV_REFUSE, NO_VGA },
    { "vmware-svga", DEV_REFUSE, NO_VGA },
    { "secondary-vga", DEV_REFUSE, NO_VGA },
    { "bochs-display", DEV_REFUSE, NO_VGA },
    { "ramfb", DEV_REFUSE, NO_VGA },
    { "lsi53c895a", DEV_REFUSE, NO_SCSI },
    { "lsi", DEV_REFUSE, NO_SCSI },
    { "megasas", DEV_REFUSE, NO_SCSI },
    { "pvscsi", DEV_REFUSE, NO_SCSI },
    { "virtio-scsi-pci", DEV_REFUSE, NO_SCSI },
    { "virtio-blk-pci", DEV_REFUSE, NO_SCSI },
    { "nvme", DEV_REFUSE, NO_SCSI },
    { "scsi-hd", DEV_REFUSE, NO_SCSI },
    { "scsi-cd", DEV_REFUSE, NO_SCSI },
    { "scsi-disk", DEV_REFUSE, NO_SCSI },
    { "ahci", DEV_REFUSE, NO_AHCI },
    { "ich9-ahci", DEV_REFUSE, NO_AHCI },
    { "floppy", DEV_REFUSE, "boot from a CD image instead" },
    { "adlib", DEV_REFUSE, NO_HDA },
    { "cs4231a", DEV_REFUSE, NO_HDA },
    { "es1370", DEV_REFUSE, NO_HDA },
    { "ES1370", DEV_REFUSE, NO_HDA },
    { "gus", DEV_REFUSE, NO_HDA },
    { "sb16", DEV_REFUSE, NO_HDA },
    { "intel-hda", DEV_REFUSE, NO_HDA },
    { "ich9-intel-hda", DEV_REFUSE, NO_HDA },
    { "hda-duplex", DEV_REFUSE, NO_HDA },
    { "hda-output", DEV_REFUSE, NO_HDA },
    { "ich9-usb-ehci1", DEV_REFUSE, NO_USB },
    { "ich9-usb-uhci1", DEV_REFUSE, NO_USB },
    { "ich9-usb-uhci2", DEV_REFUSE, NO_USB },
    { "ich9-usb-uhci3", DEV_REFUSE, NO_USB },
    { "usb-ehci", DEV_REFUSE, NO_USB },
    { "nec-usb-xhci", DEV_REFUSE, NO_USB },
    { "qemu-xhci", DEV_REFUSE, NO_USB },
    { "usb-redir", DEV_REFUSE, NO_SPICE " (it needs spice)" },
    { "usb-host", DEV_REFUSE, NO_PASS },
    { "usb-storage", DEV_REFUSE, NO_SCSI },
    { "usb-wacom-tablet", DEV_REFUSE, "use usbdevice=\"tablet\"" },
    { "virtio-serial", DEV_REFUSE, NO_SPICE " (spicevdagent needs spice)" },
    { "virtio-serial-pci", DEV_REFUSE, NO_SPICE " (spicevdagent needs spice)" },
    { "virtserialport", DEV_REFUSE, NO_SPICE " (spicevdagent needs spice)" },
    { "ne2k_pci", DEV_REFUSE, NO_NIC },
    { "ne2k_isa", DEV_REFUSE, NO_NIC },
    { "pcnet", DEV_REFUSE, NO_NIC },
    { "virtio-net", DEV_REFUSE, NO_NIC },
    { "virtio-net-pci", DEV_REFUSE, NO_NIC },
    { "vmxnet3", DEV_REFUSE, NO_NIC },
    { "e1000e", DEV_REFUSE, NO_NIC },
    { "e1000-82544gc", DEV_REFUSE, NO_NIC },
    { "e1000-82545em", DEV_REFUSE, NO_NIC },
    { "i82550", DEV_REFUSE, NO_NIC },
    { "i82551", DEV_REFUSE, NO_NIC },
    { "i82557b", DEV_REFUSE, NO_NIC },
    { "i82559er", DEV_REFUSE, NO_NIC },
    { "tulip", DEV_REFUSE, NO_NIC },
    { "xen-pvdevice", DEV_REFUSE, "remove vendor_device= from the guest's configuration" },
    { "xen-platform", DEV_REFUSE, "use xen_platform_pci=1 (-machine xenfv)" },
    { "xen-pci-passthrough", DEV_REFUSE, NO_PASS },
    { "vfio-pci", DEV_REFUSE, NO_PASS },
    { "isa-serial", DEV_REFUSE, "use -serial" },
    { "pci-serial", DEV_REFUSE, "use -serial" },
    { "isa-parallel", DEV_REFUSE, "use -parallel" },
    { "virtio-balloon-pci", DEV_REFUSE, "the hypervisor balloons (memory=, maxmem=)" },
    { "virtio-rng-pci", DEV_REFUSE, "leave it out" },
    { "tpm-tis", DEV_REFUSE, "leave it out" },
    { "pvpanic", DEV_REFUSE, "leave it out" },
};

static int add_card(struct args_ctx *c, const char *driver, const char *arg)
{
    struct config cfg = { 0 };
    int rc = keyval_parse(&cfg, "-device", arg, "driver", NULL, c->err);

    if (!rc && c->a->ndevices == ARGS_DEVICES)
        rc = err_set(c->err, -EINVAL, "-device %s: more than %u", driver, ARGS_DEVICES);
    if (rc) {
        config_free(&cfg);
        return rc;
    }
    c->a->devices[c->a->ndevices].driver = xstrdup(driver);
    c->a->devices[c->a->ndevices++].cfg = cfg;
    return 0;
}

static int add_device(struct args_ctx *c, unsigned i, const char *arg)
{
    const char *driver = drivers[i].name;

    switch (drivers[i].verdict) {
    case DEV_CARD:
        return add_card(c, driver, arg);
    case DEV_IDE:
        return args_ide_device(c, driver, arg);
    case DEV_NIC:
        return args_nic_device(c, driver, arg);
    case DEV_DEBUGCON:
        return args_isa_debugcon(c, arg);
    case DEV_TABLET:
        c->a->tablet = true;
        return 0;
    case DEV_UHCI:
        c->a->usb = true;
        return 0;
    case DEV_NOTE:
        log_line("-device %s: left out; %s", driver, drivers[i].text);
        return 0;
    case DEV_REFUSE:
        break;
    }
    return err_set(c->err, -ENOTSUP, "-device %s: not supported; %s", driver, drivers[i].text);
}

int args_device(struct args_ctx *c, const struct option *o, const char *arg)
{
    size_t len;

    if (!strncmp(arg, "driver=", 7))
        arg += 7;
    len = strcspn(arg, ",");
    for (unsigned i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        if (strlen(drivers[i].name) == len && !memcmp(drivers[i].name, arg, len))
            return add_device(c, i, arg);
    }
    return err_set(c->err, -ENOTSUP,
                   "-device %.*s: unknown; cards are VGA, cirrus-vga, rtl8139, "
                   "e1000 and ac97",
                   (int)(len < 64 ? len : 64), arg);
}

int args_usbdevice(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const struct {
        const char *name;
        bool tablet;
    } devices[] = { { "tablet", true }, { "mouse", false }, { "keyboard", false } };

    for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        if (strcmp(devices[i].name, arg))
            continue;
        c->a->usb = true;
        c->a->tablet |= devices[i].tablet;
        if (!devices[i].tablet)
            log_line("-usbdevice %s: left out; the guest has a PS/2 %s", arg, arg);
        return 0;
    }
    return err_set(c->err, -ENOTSUP, "-usbdevice %s: not supported; use usbdevice=\"tablet\"", arg);
}

int args_vga(struct args_ctx *c, const struct option *o, const char *arg)
{
    if (!strcmp(arg, "none"))
        return 0;
    if (!strcmp(arg, "std"))
        return add_card(c, "VGA", "VGA");
    if (!strcmp(arg, "cirrus"))
        return add_card(c, "cirrus-vga", "cirrus-vga");
    return err_set(c->err, -ENOTSUP, "-vga %s: not supported; use std, cirrus or none", arg);
}

/* WHAT.KEY=VAL */
static int note_set(struct args_ctx *c, const char *opt, const char *arg, bool by_id)
{
    const char *dot = strchr(arg, '.'), *eq = dot ? strchr(dot, '=') : NULL;
    struct set_def *s;

    if (!eq || dot == arg || eq == dot + 1)
        return err_set(c->err, -EINVAL, "-%s %s: not %s.KEY=VALUE", opt, arg,
                       by_id ? "device.ID" : "DRIVER");
    if (c->nsets == ARGS_DEVICES)
        return err_set(c->err, -EINVAL, "-%s %s: more than %u", opt, arg, ARGS_DEVICES);
    s = &c->sets[c->nsets++];
    s->by_id = by_id;
    s->what = xstrndup(arg, (size_t)(dot - arg));
    s->key = xstrndup(dot + 1, (size_t)(eq - dot - 1));
    s->val = xstrdup(eq + 1);
    return 0;
}

int args_global(struct args_ctx *c, const struct option *o, const char *arg)
{
    return note_set(c, o->name, arg, false);
}

int args_set(struct args_ctx *c, const struct option *o, const char *arg)
{
    if (strncmp(arg, "device.", 7))
        return err_set(c->err, -ENOTSUP, "-set %s: not supported; only device.ID.KEY=VALUE is",
                       arg);
    return note_set(c, o->name, arg + 7, true);
}

/* -set is about one device and wins; -global is a default that the device's own key overrides. */
static bool apply_set(struct vm_args *a, const struct set_def *s)
{
    bool found = false;

    for (unsigned i = 0; i < a->ndevices; i++) {
        struct device_arg *d = &a->devices[i];
        const char *name = s->by_id ? config_str(&d->cfg, "id", "") : d->driver;

        if (strcmp(name, s->what))
            continue;
        found = true;
        if (s->by_id || !config_str(&d->cfg, s->key, NULL))
            config_set(&d->cfg, s->key, s->val);
    }
    return found;
}

int args_join_sets(struct args_ctx *c)
{
    for (unsigned i = 0; i < c->nsets; i++) {
        const struct set_def *s = &c->sets[i];

        if (!apply_set(c->a, s))
            log_line("-%s%s.%s=%s: has no effect; no card here is called %s",
                     s->by_id ? "set device." : "global ", s->what, s->key, s->val, s->what);
    }
    return 0;
}
