/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-device.c: -device and its relatives (-vga, -usbdevice, -global,
 * -set). One table of driver names says what becomes of each.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"
#include "hw/core/log.h"
#include "hw/machine.h"

enum verdict {
    DEV_CARD, /* goes to devices[] as it is */
    DEV_IDE,  /* joined with its -drive */
    DEV_NIC,
    DEV_USB, /* a card, on the USB bus */
    DEV_DEBUGCON,
    DEV_PORT, /* isa-serial, isa-parallel */
    DEV_FLOPPY,
    DEV_FDC,
    DEV_NOTE, /* left out, with a line in the log */
    DEV_REFUSE,
};

static const struct keyval_key vga_keys[] = {
    { "driver", 0 },
    { "id", 0 },
    { "bus", 0 },
    { "addr", 0 },
    { "romfile", 0 },
    { "rombar", 0 },
    { "multifunction", 0 },
    { "bootindex", 0 },
    { "vgamem_mb", 0 },
    { "mmio", 0 },
    { "edid", 0 },
    { "xres", 0 },
    { "yres", 0 },
    { "xmax", 0 },
    { "ymax", 0 },
    { "refresh_rate", 0 },
    { "blitter", 0 },
    { "qemu-extended-regs", 0 },
    { "big-endian-framebuffer", 0 },
    { "global-vmstate", 0 },
    { NULL, 0 },
};
static const struct keyval_key debugcon_keys[] = { { "driver", 0 }, { "chardev", 0 },
                                                   { "iobase", 0 }, { "readback", 0 },
                                                   { "id", 0 },     { NULL, 0 } };
static const struct keyval_key ahci_keys[] = { { "driver", 0 }, { "id", 0 },
                                               { "bus", 0 },    { "addr", 0 },
                                               { "rombar", 0 }, { "multifunction", 0 },
                                               { NULL, 0 } };
static const struct keyval_key sound_keys[] = { { "driver", 0 },        { "id", 0 },
                                                { "bus", 0 },           { "addr", 0 },
                                                { "multifunction", 0 }, { "rombar", 0 },
                                                { "audiodev", 0 },      { NULL, 0 } };
static const struct keyval_key sb16_keys[] = { { "driver", 0 }, { "id", 0 },       { "version", 0 },
                                               { "iobase", 0 }, { "irq", 0 },      { "dma", 0 },
                                               { "dma16", 0 },  { "audiodev", 0 }, { NULL, 0 } };
static const struct keyval_key usb_keys[] = { { "driver", 0 },      { "id", 0 },
                                              { "bus", 0 },         { "port", 0 },
                                              { "usb_version", 0 }, { "display", 0 },
                                              { "serial", 0 },      { NULL, 0 } };
static const struct keyval_key fdc_keys[] = { { "driver", 0 }, { "id", 0 },  { "iobase", 0 },
                                              { "irq", 0 },    { "dma", 0 }, { NULL, 0 } };
static const struct keyval_key port_keys[] = { { "driver", 0 }, { "chardev", 0 }, { "index", 0 },
                                               { "iobase", 0 }, { "irq", 0 },     { "id", 0 },
                                               { NULL, 0 } };

#define NO_SCSI  "use hd* vdevs (hda to hdd)"
#define NO_HDA   "use soundhw=\"ac97\", \"es1370\" or \"sb16\""
#define NO_USB   "use usbversion=1 or usb=1"
#define NO_NIC   "use model=rtl8139, e1000, pcnet or ne2k_pci"
#define NO_SPICE "use -vnc"
#define NO_PASS  "devices of the host are not passed through"
#define NO_VGA   "use vga=\"stdvga\""

static const struct {
    const char *name;
    enum verdict verdict;
    const char *text;
    const struct keyval_key *keys; /* NULL: the device says itself which keys it knows */
} drivers[] = {
    { "VGA", DEV_CARD, NULL, vga_keys },
    { "cirrus-vga", DEV_CARD, NULL, vga_keys },
    { "ac97", DEV_CARD, NULL, sound_keys },
    { "AC97", DEV_CARD, NULL, sound_keys },
    { "es1370", DEV_CARD, NULL, sound_keys },
    { "ES1370", DEV_CARD, NULL, sound_keys },
    { "sb16", DEV_CARD, NULL, sb16_keys },
    { "ide-cd", DEV_IDE, NULL, args_ide_keys },
    { "ide-hd", DEV_IDE, NULL, args_ide_keys },
    { "rtl8139", DEV_NIC, NULL, args_nic_keys },
    { "e1000", DEV_NIC, NULL, args_nic_keys },
    { "e1000-82540em", DEV_NIC, NULL, args_nic_keys },
    { "pcnet", DEV_NIC, NULL, args_nic_keys },
    { "ne2k_pci", DEV_NIC, NULL, args_nic_keys },
    { "usb-tablet", DEV_USB, NULL, usb_keys },
    { "usb-mouse", DEV_USB, NULL, usb_keys },
    { "usb-kbd", DEV_USB, NULL, usb_keys },
    { "piix3-usb-uhci", DEV_CARD, NULL, ahci_keys },
    { "isa-debugcon", DEV_DEBUGCON, NULL, debugcon_keys },
    { "isa-serial", DEV_PORT, NULL, port_keys },
    { "isa-parallel", DEV_PORT, NULL, port_keys },
    { "floppy", DEV_FLOPPY, "boot from a CD image instead", args_floppy_keys },
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
    { "ahci", DEV_CARD, NULL, ahci_keys },
    { "ich9-ahci", DEV_CARD, NULL, ahci_keys },
    { "isa-fdc", DEV_FDC, "boot from a CD image instead", fdc_keys },
    { "adlib", DEV_REFUSE, NO_HDA },
    { "cs4231a", DEV_REFUSE, NO_HDA },
    { "gus", DEV_REFUSE, NO_HDA },
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
    { "ne2k_isa", DEV_REFUSE, NO_NIC },
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
    { "pci-serial", DEV_REFUSE, "use -serial" },
    { "virtio-balloon-pci", DEV_REFUSE, "the hypervisor balloons (memory=, maxmem=)" },
    { "virtio-rng-pci", DEV_REFUSE, "leave it out" },
    { "tpm-tis", DEV_REFUSE, "leave it out" },
    { "pvpanic", DEV_REFUSE, "leave it out" },
};

static bool have_fdc(void)
{
    return machine_has_type("isa-fdc");
}

/* QEMU's second names of cards. */
static const char *real_name(const char *driver)
{
    if (!strcmp(driver, "ac97"))
        return "AC97";
    return strcmp(driver, "es1370") ? driver : "ES1370";
}

static int add_card(struct args_ctx *c, const char *driver, const struct config *cfg)
{
    struct device_arg *d = &c->a->devices[c->a->ndevices];

    if (c->a->ndevices == ARGS_DEVICES)
        return err_set(c->err, -EINVAL, "-device %s: more than %u", driver, ARGS_DEVICES);
    d->driver = xstrdup(real_name(driver));
    for (size_t i = 0; i < cfg->n; i++)
        config_set(&d->cfg, cfg->items[i].key, cfg->items[i].val);
    c->a->ndevices++;
    c->seen.vga |= !strcmp(driver, "VGA") || !strcmp(driver, "cirrus-vga");
    return 0;
}

static int check_bus(struct args_ctx *c, const char *driver, const struct config *cfg)
{
    const char *bus = config_str(cfg, "bus", "pci.0");

    if (strcmp(bus, "pci.0") && strcmp(bus, "pci") && strcmp(bus, "pci.0/"))
        return err_set(c->err, -EINVAL, "-device %s: Bus '%s' not found; cards sit on pci.0",
                       driver, bus);
    return 0;
}

static int add_known(struct args_ctx *c, unsigned i, const struct config *cfg)
{
    const char *driver = drivers[i].name;
    int rc = 0;

    if (drivers[i].keys)
        rc = keyval_check(cfg, "-device", drivers[i].keys, c->err);
    if (!rc && (drivers[i].verdict == DEV_CARD || drivers[i].verdict == DEV_NIC))
        rc = check_bus(c, driver, cfg);
    if (rc)
        return rc;
    switch (drivers[i].verdict) {
    case DEV_CARD:
        return add_card(c, driver, cfg);
    case DEV_IDE:
        return args_note_plug(c, driver, cfg);
    case DEV_FLOPPY:
        if (have_fdc())
            return args_note_plug(c, driver, cfg);
        break;
    case DEV_FDC:
        c->a->fdc = have_fdc();
        if (c->a->fdc)
            return 0;
        break;
    case DEV_NIC:
        return args_nic_device(c, driver, cfg);
    case DEV_DEBUGCON:
        return args_isa_debugcon(c, cfg);
    case DEV_PORT:
        return args_isa_port(c, driver, cfg);
    case DEV_USB:
        return add_card(c, driver, cfg);
    case DEV_NOTE:
        log_line("-device %s: left out; %s", driver, drivers[i].text);
        return 0;
    case DEV_REFUSE: /* unless somebody has written it since */
        if (machine_has_card(real_name(driver)))
            return add_card(c, driver, cfg);
        break;
    }
    return err_set(c->err, -ENOTSUP, "-device %s: not supported; %s", driver, drivers[i].text);
}

static int find_driver(const char *name)
{
    for (unsigned i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        if (!strcmp(drivers[i].name, name))
            return (int)i;
    }
    return -1;
}

static int same_id(struct args_ctx *c, const char *id)
{
    for (unsigned i = 0; i < c->nids; i++) {
        if (!strcmp(c->ids[i], id))
            return err_set(c->err, -EINVAL, "-device id=%s: Duplicate device ID '%s'", id, id);
    }
    if (c->nids < ARGS_DEVICES)
        c->ids[c->nids++] = xstrdup(id);
    return 0;
}

static int add_device(struct args_ctx *c, const struct config *cfg)
{
    const char *driver = config_str(cfg, "driver", ""), *id = config_str(cfg, "id", NULL);
    int i = find_driver(driver), rc;

    if (i < 0 && !machine_has_card(driver))
        return err_set(c->err, -ENOTSUP,
                       "-device %.64s: '%.64s' is not a valid device model name; "
                       "-device help lists those that are",
                       driver, driver);
    rc = id ? same_id(c, id) : 0;
    if (rc)
        return rc;
    return i < 0 ? add_card(c, driver, cfg) : add_known(c, (unsigned)i, cfg);
}

static bool is_help(const char *s)
{
    return !strcmp(s, "help") || !strcmp(s, "?");
}

int args_device(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config cfg = { 0 };
    int rc = keyval_parse(&cfg, "-device", arg, "driver", NULL, c->err);
    const char *driver = config_str(&cfg, "driver", "");

    if (!rc && (is_help(driver) || config_str(&cfg, "help", NULL))) {
        c->a->print = args_device_help(is_help(driver) ? NULL : driver);
        if (!c->a->print)
            rc = err_set(c->err, -ENOTSUP,
                         "-device %.64s: '%.64s' is not a valid device model name", driver, driver);
    } else if (!rc) {
        rc = add_device(c, &cfg);
    }
    config_free(&cfg);
    return rc;
}

static char *append(char *text, const char *line)
{
    char *longer = text ? xasprintf("%s\n%s", text, line) : xstrdup(line);

    free(text);
    return longer;
}

static bool is_there(unsigned i)
{
    const char *name =
        !strcmp(drivers[i].name, "e1000-82540em") ? "e1000" : real_name(drivers[i].name);

    switch (drivers[i].verdict) {
    case DEV_CARD:
    case DEV_NIC:
    case DEV_USB:
    case DEV_REFUSE:
        return machine_has_card(name);
    case DEV_FLOPPY:
    case DEV_FDC:
        return have_fdc();
    case DEV_IDE:
    case DEV_DEBUGCON:
    case DEV_PORT:
        return true;
    default:
        return false;
    }
}

char *args_device_help(const char *driver)
{
    static const char *const pci_keys[] = { "addr", "bus", "multifunction", "rombar", "romfile" };
    int i = driver ? find_driver(driver) : -1;
    char *text = NULL, *line;

    if (driver && (i < 0 ? !machine_has_card(driver) : !is_there((unsigned)i)))
        return NULL;
    if (!driver) {
        for (unsigned d = 0; d < sizeof(drivers) / sizeof(drivers[0]); d++) {
            line = xasprintf("name \"%s\"", drivers[d].name);
            text = is_there(d) ? append(text, line) : text;
            free(line);
        }
        return text;
    }
    line = xasprintf("%s options:", driver);
    text = append(text, line);
    free(line);
    for (const struct keyval_key *k = i < 0 ? NULL : drivers[i].keys; k && k->name; k++) {
        line = xasprintf("  %s=<value>", k->name);
        text = strcmp(k->name, "driver") ? append(text, line) : text;
        free(line);
    }
    for (unsigned k = 0; (i < 0 || !drivers[i].keys) && k < sizeof(pci_keys) / sizeof(pci_keys[0]);
         k++) {
        line = xasprintf("  %s=<value>", pci_keys[k]);
        text = append(text, line);
        free(line);
    }
    return text;
}

int args_add_device(struct vm_args *a, const struct config *cfg, struct args_added *added,
                    struct err *err)
{
    struct args_ctx *c = calloc(1, sizeof(*c));
    unsigned nnics = a->nnics, ndevices = a->ndevices;
    int rc;

    if (!c)
        return err_set(err, -ENOMEM, "out of memory");
    c->a = a;
    c->err = err;
    c->joined.kind = ARGS_OTHER;
    rc = add_device(c, cfg);
    if (!rc)
        rc = args_join_plugs(c);
    if (!rc && a->nnics > nnics) {
        c->joined = (struct args_added){ ARGS_NIC, nnics };
        rc = args_join_nic(a, &a->nics[nnics], err);
        if (rc)
            args_free_nic(&a->nics[--a->nnics]);
    }
    if (!rc && a->ndevices > ndevices)
        c->joined = (struct args_added){ ARGS_CARD, ndevices };
    *added = c->joined;
    args_free_ctx(c);
    free(c);
    return rc;
}

int args_usbdevice(struct args_ctx *c, const struct option *o, const char *arg)
{
    static const struct {
        const char *name, *driver;
    } devices[] = { { "tablet", "usb-tablet" },
                    { "mouse", "usb-mouse" },
                    { "keyboard", "usb-kbd" } };
    struct config none = { 0 };

    for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        if (strcmp(devices[i].name, arg))
            continue;
        c->a->usb = true;
        return add_card(c, devices[i].driver, &none);
    }
    return err_set(c->err, -ENOTSUP, "-usbdevice %s: not supported; use usbdevice=\"tablet\"", arg);
}

int args_vga(struct args_ctx *c, const struct option *o, const char *arg)
{
    struct config none = { 0 };
    int rc = 0;

    if (!strcmp(arg, "std"))
        rc = add_card(c, "VGA", &none);
    else if (!strcmp(arg, "cirrus"))
        rc = add_card(c, "cirrus-vga", &none);
    else if (strcmp(arg, "none"))
        rc = err_set(c->err, -ENOTSUP, "-vga %s: not supported; use std, cirrus or none", arg);
    c->seen.vga = true;
    return rc;
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

/*
 * -set is about one device and wins; -global is a default that the device's own key overrides.
 * Cards are known only by now; of NICs and drives the keys that they keep are set.
 */
static bool apply_set(struct config *cfg, const struct set_def *s, const char *driver,
                      const char *id)
{
    if (strcmp(s->by_id ? (id ? id : "") : driver, s->what))
        return false;
    if (s->by_id || !config_str(cfg, s->key, NULL))
        config_set(cfg, s->key, s->val);
    return true;
}

/* -global reaches the drives that -drive if=ide, -hda and -cdrom made, too. */
static bool apply_to_drive(struct drive_arg *d, const struct set_def *s)
{
    if (s->by_id || d->iface != DRIVE_IDE || strcmp(s->what, d->cdrom ? "ide-cd" : "ide-hd"))
        return false;
    if (strcmp(s->key, "serial"))
        return apply_set(&d->props, s, s->what, NULL);
    if (!d->serial)
        args_replace(&d->serial, s->val);
    return true;
}

static bool apply_to_all(struct args_ctx *c, const struct set_def *s)
{
    struct vm_args *a = c->a;
    bool found = false;

    for (unsigned i = 0; i < a->ndevices; i++)
        found |= apply_set(&a->devices[i].cfg, s, a->devices[i].driver,
                           config_str(&a->devices[i].cfg, "id", NULL));
    for (unsigned i = 0; i < a->nnics; i++)
        found |= apply_set(&a->nics[i].cfg, s, a->nics[i].model, a->nics[i].id);
    for (unsigned i = 0; i < a->ndrives; i++)
        found |= apply_to_drive(&a->drives[i], s);
    for (unsigned i = 0; i < c->nplugs; i++)
        found |= apply_set(&c->plugs[i].cfg, s, config_str(&c->plugs[i].cfg, "driver", ""),
                           config_str(&c->plugs[i].cfg, "id", NULL));
    if (a->platform_pci || !strcmp(s->what, "xen-platform"))
        found |= apply_set(&a->platform, s, "xen-platform", NULL);
    return found;
}

/* Before the plugs are joined: theirs are the same keys. */
int args_join_sets(struct args_ctx *c)
{
    for (unsigned i = 0; i < c->nsets; i++) {
        const struct set_def *s = &c->sets[i];

        if (!apply_to_all(c, s))
            log_line("-%s%s.%s=%s: has no effect; no card here is called %s",
                     s->by_id ? "set device." : "global ", s->what, s->key, s->val, s->what);
    }
    return 0;
}
