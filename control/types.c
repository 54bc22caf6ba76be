/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/types.c: the table of types. A row counts only when hw/machine.c has
 * the device: clients learn here what they may ask for. Properties are those
 * that the command line takes and that have an effect.
 */
#include "control/types.h"
#include <stdlib.h>
#include <string.h>
#include "control/keyval.h"

#define DISK_PROPS                                                                                 \
    "drive:str unit:uint32=4294967295 serial:str ver:str model:str wwn:uint64=0 bootindex:int32 "  \
    "rerror:BlockdevOnError=auto werror:BlockdevOnError=auto write-cache:OnOffAuto=auto"
#define NIC_PROPS "mac:str netdev:str bootindex:int32"
#define FD_PROPS  "fdtypeA:FdcDriveType=auto fdtypeB:FdcDriveType=auto"

const struct qom_type qom_types[] = {
    { "object", NULL, true, "", NULL },
    { "container", "object", false, "", NULL },
    { "machine", "object", true, "", NULL },
    { "none-machine", "machine", false, "", NULL },
    { "x86-machine", "machine", true, "", NULL },
    { "generic-pc-machine", "x86-machine", true, "", NULL },
    { "pc-i440fx-7.2-machine", "generic-pc-machine", false, "", NULL },
    { "xenfv-4.2-machine", "generic-pc-machine", false, "", NULL },
    { "bus", "object", true, "", NULL },
    { "PCI", "bus", false, "", NULL },
    { "ISA", "bus", false, "", NULL },
    { "IDE", "bus", false, "", NULL },
    { "System", "bus", false, "", NULL },
    { "device", "object", true, "", NULL },
    { "cpu", "device", true, "", NULL },
    { "x86_64-cpu", "cpu", true, "", NULL },
    { "sys-bus-device", "device", true, "", NULL },
    { "pci-host-bridge", "sys-bus-device", true, "", NULL },
    { "i440FX-pcihost", "pci-host-bridge", false, "pci-host", NULL },
    { "hpet", "sys-bus-device", false, NULL, NULL },
    { "cfi.pflash01", "sys-bus-device", false, NULL, "drive:str" },
    { "fw_cfg", "sys-bus-device", true, "", NULL },
    { "fw_cfg_io", "fw_cfg", false, "fw_cfg", NULL },

    { "pci-device", "device", true, "",
      "addr:int32=-1 romfile:str rombar:uint32=1 multifunction:bool=false" },
    { "i440FX", "pci-device", false, NULL, NULL },
    { "pci-piix3", "pci-device", true, "", NULL },
    { "PIIX3", "pci-piix3", false, NULL, NULL },
    { "pci-ide", "pci-device", true, "", NULL },
    { "piix3-ide", "pci-ide", false, NULL, NULL },
    { "PIIX4_PM", "pci-device", false, NULL, NULL },
    { "xen-platform", "pci-device", false, NULL, NULL },
    { "pci-vga", "pci-device", true, "", NULL },
    { "VGA", "pci-vga", false, NULL, "vgamem_mb:uint32=16 xres:uint32=0 yres:uint32=0" },
    { "cirrus-vga", "pci-device", false, NULL, "vgamem_mb:uint32=4 xres:uint32=0 yres:uint32=0" },
    { "rtl8139", "pci-device", false, NULL, NIC_PROPS },
    { "e1000-base", "pci-device", true, "", NIC_PROPS },
    { "e1000", "e1000-base", false, NULL, NULL },
    { "pcnet", "pci-device", false, NULL, NIC_PROPS },
    { "ne2k_pci", "pci-device", false, NULL, NIC_PROPS },
    { "pci-uhci-usb", "pci-device", true, "", NULL },
    { "piix3-usb-uhci", "pci-uhci-usb", false, NULL, NULL },
    { "piix4-usb-uhci", "pci-uhci-usb", false, NULL, NULL },
    { "pci-ehci-usb", "pci-device", true, "", NULL },
    { "usb-ehci", "pci-ehci-usb", false, NULL, NULL },
    { "ich9-usb-ehci1", "pci-ehci-usb", false, NULL, NULL },
    { "ich9-ahci", "pci-device", false, NULL, NULL },
    { "ES1370", "pci-device", false, NULL, NULL },
    { "AC97", "pci-device", false, NULL, NULL },
    { "intel-hda-generic", "pci-device", true, "", NULL },
    { "intel-hda", "intel-hda-generic", false, NULL, NULL },

    { "isa-device", "device", true, "", NULL },
    { "i8042", "isa-device", false, NULL, NULL },
    { "i8257", "isa-device", false, NULL, NULL },
    { "port92", "isa-device", false, NULL, NULL },
    { "mc146818rtc", "isa-device", false, "cmos", NULL },
    { "isa-serial", "isa-device", false, NULL,
      "chardev:str index:uint32=4294967295 iobase:uint32=4294967295 irq:uint32=4294967295" },
    { "isa-parallel", "isa-device", false, NULL, "chardev:str" },
    { "isa-debugcon", "isa-device", false, NULL, "chardev:str iobase:uint32=233" },
    { "isa-fdc", "isa-device", false, NULL, FD_PROPS },
    { "sb16", "isa-device", false, NULL, NULL },

    { "ide-device", "device", true, "", DISK_PROPS },
    { "ide-hd", "ide-device", false, "piix3-ide",
      "cyls:uint32=0 heads:uint32=0 secs:uint32=0 bios-chs-trans:BiosAtaTranslation=auto" },
    { "ide-cd", "ide-device", false, "piix3-ide", NULL },
    { "floppy", "device", false, "isa-fdc",
      "drive:str unit:uint32=4294967295 drive-type:FdcDriveType=auto" },
    { "usb-device", "device", true, "", "port:str" },
    { "usb-hid", "usb-device", true, "", NULL },
    { "usb-tablet", "usb-hid", false, NULL, NULL },
    { "usb-mouse", "usb-hid", false, NULL, NULL },
    { "usb-kbd", "usb-hid", false, NULL, NULL },
    { NULL, NULL, false, NULL, NULL },
};

const struct qom_type *qom_type_find(const char *name)
{
    for (const struct qom_type *t = qom_types; t->name; t++) {
        const char *needs = t->needs ? t->needs : t->name;

        if (!strcmp(t->name, name))
            return !*needs || machine_has_type(needs) ? t : NULL;
    }
    return NULL;
}

bool qom_type_is(const struct qom_type *t, const char *ancestor)
{
    while (t && strcmp(t->name, ancestor))
        t = t->parent ? qom_type_find(t->parent) : NULL;
    return t;
}

static json_t *default_of(const char *type, const char *text)
{
    if (!text)
        return NULL;
    if (!strcmp(type, "bool"))
        return json_boolean(!strcmp(text, "true"));
    if (!strncmp(type, "uint", 4) || !strncmp(type, "int", 3))
        return json_integer(strtoll(text, NULL, 10));
    return json_string(text);
}

static bool one_prop(const char *text, size_t len,
                     bool (*fn)(void *arg, const char *name, const char *type, json_t *def),
                     void *arg)
{
    char *name = xstrndup(text, len), *type = strchr(name, ':'), *def;
    bool on;

    *type++ = 0;
    def = strchr(type, '=');
    if (def)
        *def++ = 0;
    on = fn(arg, name, type, default_of(type, def));
    free(name);
    return on;
}

bool qom_type_props(const struct qom_type *t,
                    bool (*fn)(void *arg, const char *name, const char *type, json_t *def),
                    void *arg)
{
    bool on = true;

    for (; on && t; t = t->parent ? qom_type_find(t->parent) : NULL) {
        for (const char *p = t->props; on && p && *p; p += strspn(p, " ")) {
            size_t len = strcspn(p, " ");

            on = one_prop(p, len, fn, arg);
            p += len;
        }
    }
    return on;
}
