/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/qmp-pci.c: query-pci: the functions of bus 0 as the guest has set them up. */
#include "hw/core/pci.h"
#include "control/qmp-impl.h"
#include "control/types.h"

static const struct {
    uint16_t class;
    const char *desc;
} classes[] = {
    { 0x0100, "SCSI controller" },
    { 0x0101, "IDE controller" },
    { 0x0106, "SATA controller" },
    { 0x0200, "Ethernet controller" },
    { 0x0300, "VGA controller" },
    { 0x0401, "Audio controller" },
    { 0x0403, "Audio controller" },
    { 0x0600, "Host bridge" },
    { 0x0601, "ISA bridge" },
    { 0x0604, "PCI bridge" },
    { 0x0680, "Bridge" },
    { 0x0c03, "USB controller" },
    { 0x0c05, "SMBus" },
};

const char *qmp_pci_class(unsigned class)
{
    for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (classes[i].class == class)
            return classes[i].desc;
    }
    return NULL;
}

/* address is -1 while the guest has not mapped it. */
static json_t *region(const struct pci_func *f, unsigned bar)
{
    const struct pci_type *t = pci_type_of(f);
    bool io = bar < PCI_BARS && t->bar[bar] && t->bar[bar]->space == IO_PORT;
    json_t *r = json_pack(
        "{s:i, s:I, s:I, s:s}", "bar", (int)bar, "size", (json_int_t)f->bar_size[bar], "address",
        f->mapped[bar] ? (json_int_t)f->mapped[bar] : (json_int_t)-1, "type", io ? "io" : "memory");

    if (!io) {
        json_object_set_new(r, "prefetch",
                            json_boolean(bar < PCI_BARS && (t->bar_prefetch & (1u << bar))));
        json_object_set_new(r, "mem_type_64", json_false());
    }
    return r;
}

static json_t *function(struct vm *vm, struct pci_func *f)
{
    unsigned class = pci_cfg16(f, PCI_CLASS + 1);
    const char *desc = qmp_pci_class(class);
    struct qom_object o = { .id = "" };
    json_t *regions = json_array(), *info = json_pack("{s:i}", "class", (int)class), *fn;

    qom_of_device(vm, &f->dev, &o);
    if (desc)
        json_object_set_new(info, "desc", json_string(desc));
    for (unsigned bar = 0; bar <= PCI_ROM; bar++) {
        if (f->bar_size[bar])
            json_array_append_new(regions, region(f, bar));
    }
    fn = json_pack("{s:i, s:i, s:i, s:o, s:{s:i, s:i, s:i, s:i}, s:o, s:i, s:s}", "bus", 0, "slot",
                   PCI_SLOT(f->devfn), "function", f->devfn & 7, "class_info", info, "id", "device",
                   pci_cfg16(f, PCI_DEVICE_ID), "vendor", pci_cfg16(f, PCI_VENDOR_ID), "subsystem",
                   pci_cfg16(f, PCI_SUBSYSTEM_ID), "subsystem-vendor",
                   pci_cfg16(f, PCI_SUBVENDOR_ID), "regions", regions, "irq_pin",
                   f->cfg[PCI_INT_PIN], "qdev_id", o.user ? o.id : "");
    if (f->cfg[PCI_INT_PIN])
        json_object_set_new(fn, "irq", json_integer(f->cfg[PCI_INT_LINE]));
    return fn;
}

static void query_pci(struct qmp_call *c)
{
    json_t *list = json_array();

    c->ret = json_array();
    for (unsigned devfn = 0; c->vm->plat && devfn < 256; devfn++) {
        if (c->vm->plat->pci[devfn])
            json_array_append_new(list, function(c->vm, c->vm->plat->pci[devfn]));
    }
    if (machine_find(&c->vm->machine, "host"))
        json_array_append_new(c->ret, json_pack("{s:i, s:o}", "bus", 0, "devices", list));
    else
        json_decref(list); /* -machine none */
}

const struct qmp_verb qmp_pci_verbs[] = {
    { "query-pci", query_pci, NULL, NULL },
    { NULL, NULL, NULL, NULL },
};
