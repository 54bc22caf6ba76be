/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/monitor-info.c: what the human monitor's `info` shows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/monitor-impl.h"
#include "control/types.h"
#include "hw/core/pci.h"
#include "hw/core/state.h"

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static bool flag(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

/* ---- info ---- */

static void info_version(struct line *l)
{
    json_t *v = monitor_verb(l, "query-version", NULL);
    int major = 0, minor = 0, micro = 0;

    if (v && !json_unpack(v, "{s:{s:i, s:i, s:i}}", "qemu", "major", &major, "minor", &minor,
                          "micro", &micro))
        fprintf(l->out, "%d.%d.%d (%s)\n", major, minor, micro, str(v, "package"));
    json_decref(v);
}

static void info_status(struct line *l)
{
    json_t *v = monitor_verb(l, "query-status", NULL);

    if (v && flag(v, "running"))
        fprintf(l->out, "VM status: running\n");
    else if (v)
        fprintf(l->out, "VM status: paused (%s)\n", str(v, "status"));
    json_decref(v);
}

static void info_name(struct line *l)
{
    json_t *v = monitor_verb(l, "query-name", NULL);

    if (v)
        fprintf(l->out, "%s\n", str(v, "name"));
    json_decref(v);
}

static void info_uuid(struct line *l)
{
    json_t *v = monitor_verb(l, "query-uuid", NULL);

    if (v)
        fprintf(l->out, "%s\n", str(v, "UUID"));
    json_decref(v);
}

static void info_block(struct line *l)
{
    json_t *v = monitor_verb(l, "query-block", NULL), *d;
    size_t i;

    json_array_foreach(v, i, d)
    {
        const json_t *in = json_object_get(d, "inserted");

        if (in)
            fprintf(l->out, "%s: %s (%s%s)\n", str(d, "device"), str(in, "file"), str(in, "drv"),
                    flag(in, "ro") ? ", read-only" : "");
        else
            fprintf(l->out, "%s: [not inserted]\n", str(d, "device"));
        if (flag(d, "removable"))
            fprintf(l->out, "    Removable device: %slocked, tray %s\n",
                    flag(d, "locked") ? "" : "not ", flag(d, "tray_open") ? "open" : "closed");
    }
    json_decref(v);
}

static void info_blockstats(struct line *l)
{
    static const char *const keys[] = { "rd_bytes", "wr_bytes", "rd_operations", "wr_operations",
                                        "flush_operations" };
    json_t *v = monitor_verb(l, "query-blockstats", NULL), *d;
    size_t i;

    json_array_foreach(v, i, d)
    {
        const json_t *stats = json_object_get(d, "stats");

        fprintf(l->out, "%s:", str(d, "device"));
        for (unsigned k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
            fprintf(l->out, " %s=%lld", keys[k],
                    (long long)json_integer_value(json_object_get(stats, keys[k])));
        fputc('\n', l->out);
    }
    json_decref(v);
}

static void info_vnc(struct line *l)
{
    json_t *v = monitor_verb(l, "query-vnc", NULL), *cl;
    size_t i;

    if (v && !flag(v, "enabled"))
        fprintf(l->out, "VNC: disabled\n");
    else if (v)
        fprintf(l->out, "Server: %s:%s (%s)\n  Auth: %s\n", str(v, "host"), str(v, "service"),
                str(v, "family"), str(v, "auth"));
    json_array_foreach(json_object_get(v, "clients"), i, cl)
    {
        fprintf(l->out, "Client: %s:%s (%s)\n", str(cl, "host"), str(cl, "service"),
                str(cl, "family"));
    }
    json_decref(v);
}

static void info_chardev(struct line *l)
{
    json_t *v = monitor_verb(l, "query-chardev", NULL), *ch;
    size_t i;

    json_array_foreach(v, i, ch)
    {
        fprintf(l->out, "%s: filename=%s\n", str(ch, "label"), str(ch, "filename"));
    }
    json_decref(v);
}

static void info_cpus(struct line *l)
{
    json_t *v = monitor_verb(l, "query-cpus-fast", NULL), *cpu;
    size_t i;

    json_array_foreach(v, i, cpu)
    {
        fprintf(l->out, "CPU #%lld\n",
                (long long)json_integer_value(json_object_get(cpu, "cpu-index")));
    }
    json_decref(v);
}

static void print_registers(struct line *l, const struct device *dev)
{
    fprintf(l->out, "%s (%s), %u guest errors\n", dev->id, dev->type->name, dev->guest_errors);
    if (dev->type->state)
        state_print(dev, l->out);
}

/* Which windows the guest keeps busy: the first thing to look at when a guest is slow. */
static void info_accesses(struct line *l)
{
    const struct platform *p = l->c->vm->plat;

    fprintf(l->out, "%llu accesses, %llu of them to PCI configuration space\n",
            (unsigned long long)p->accesses, (unsigned long long)p->config_cycles);
    for (unsigned space = IO_PORT; space <= IO_MEM; space++) {
        for (unsigned i = 0; i < p->nwindows[space]; i++) {
            const struct window *w = &p->windows[space][i];

            if (w->hits)
                fprintf(l->out, "%12llu  %s %llx-%llx  %s\n", (unsigned long long)w->hits,
                        space == IO_PORT ? "ports " : "memory", (unsigned long long)w->base,
                        (unsigned long long)(w->base + w->size - 1), w->dev->id);
        }
    }
}

/* Of the devices: the CPUs' are the hypervisor's. */
static void info_registers(struct line *l)
{
    const struct machine *m = &l->c->vm->machine;
    bool found = l->n < 3;

    for (unsigned i = 0; i < m->n; i++) {
        if (l->n >= 3 && strcmp(m->dev[i]->id, l->word[2]))
            continue;
        print_registers(l, m->dev[i]);
        found = true;
    }
    if (!found)
        fprintf(l->out, "Error: Device '%s' not found; `info qtree` lists them\n", l->word[2]);
}

/* ---- the tree of devices, PCI, networks ---- */

static long long num(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static void print_region(struct line *l, const json_t *r)
{
    bool io = !strcmp(str(r, "type"), "io");

    fprintf(l->out, "      BAR%lld: ", num(r, "bar"));
    if (io)
        fprintf(l->out, "I/O at 0x%04llx [0x%04llx].\n", num(r, "address"),
                num(r, "address") + num(r, "size") - 1);
    else
        fprintf(l->out, "32 bit %smemory at 0x%08llx [0x%08llx].\n",
                flag(r, "prefetch") ? "prefetchable " : "", num(r, "address"),
                num(r, "address") + num(r, "size") - 1);
}

static void info_pci(struct line *l)
{
    json_t *v = monitor_verb(l, "query-pci", NULL), *f, *r;
    json_t *list = json_object_get(json_array_get(v, 0), "devices");
    size_t i, k;

    json_array_foreach(list, i, f)
    {
        const json_t *id = json_object_get(f, "id"), *info = json_object_get(f, "class_info");
        const char *desc = str(info, "desc");

        fprintf(l->out, "  Bus  0, device %3lld, function %lld:\n    ", num(f, "slot"),
                num(f, "function"));
        if (*desc)
            fprintf(l->out, "%s", desc);
        else
            fprintf(l->out, "Class %04llx", num(info, "class"));
        fprintf(l->out, ": PCI device %04llx:%04llx\n      PCI subsystem %04llx:%04llx\n",
                num(id, "vendor"), num(id, "device"), num(id, "subsystem-vendor"),
                num(id, "subsystem"));
        if (num(f, "irq_pin"))
            fprintf(l->out, "      IRQ %lld, pin %c\n", num(f, "irq"),
                    (char)('A' + num(f, "irq_pin") - 1));
        json_array_foreach(json_object_get(f, "regions"), k, r)
        {
            print_region(l, r);
        }
        fprintf(l->out, "      id \"%s\"\n", str(f, "qdev_id"));
    }
    json_decref(v);
}

static bool print_prop(void *arg, const char *name, const char *type, json_t *def)
{
    struct line *l = arg;
    struct qmp_call sub;
    json_t *args = json_pack("{s:s, s:s}", "path", l->word[2], "property", name);
    char *text;

    json_decref(def);
    qmp_run(l->c, "qom-get", args, &sub);
    text = sub.ret ? json_dumps(sub.ret, JSON_ENCODE_ANY) : NULL;
    if (text)
        fprintf(l->out, "        %s = %s\n", name, text);
    free(text);
    json_decref(sub.ret);
    return true;
}

static void print_object(struct line *l, struct qom_object *o)
{
    struct line at = *l;

    fprintf(l->out, "      dev: %s, id \"%s\"", o->type, o->user ? o->id : "");
    if (o->dev && o->dev->type->pci)
        fprintf(l->out, ", addr %02x.%x", PCI_SLOT(pci_of(o->dev)->devfn),
                pci_of(o->dev)->devfn & 7);
    fprintf(l->out, "%s%s\n", o->dev ? ", state " : "", o->dev ? o->dev->id : "");
    at.word[2] = o->path;
    qom_type_props(qom_type_find(o->type), print_prop, &at);
}

/* Each bus with what sits on it. */
static void info_qtree(struct line *l)
{
    static const struct {
        const char *bus, *type, *of;
    } buses[] = { { "main-system-bus", "System", "sys-bus-device" },
                  { "pci.0", "PCI", "pci-device" },
                  { "isa.0", "ISA", "isa-device" },
                  { "ide", "IDE", "ide-device" },
                  { "floppy-bus.0", "floppy-bus", "floppy" },
                  { "usb-bus.0", "usb-bus", "usb-device" } };
    struct qom_object all[QOM_OBJECTS];
    unsigned n = qom_objects(l->c->vm, all);

    for (unsigned b = 0; b < sizeof(buses) / sizeof(buses[0]); b++) {
        bool said = false;

        for (unsigned i = 0; i < n; i++) {
            if (!qom_type_is(qom_type_find(all[i].type), buses[b].of))
                continue;
            if (!said)
                fprintf(l->out, "bus: %s\n  type %s\n", buses[b].bus, buses[b].type);
            said = true;
            print_object(l, &all[i]);
        }
    }
}

static void info_network(struct line *l)
{
    const struct machine *m = &l->c->vm->machine;
    unsigned index = 0;

    for (unsigned i = 0; i < m->n; i++) {
        const struct net *net = vm_net_of(l->c->vm, m->dev[i]);

        if (net)
            fprintf(l->out,
                    "%s: index=%u,type=nic,model=%s,macaddr=%02x:%02x:%02x:%02x:%02x:%02x\n"
                    " \\ type=%s,link=%s\n",
                    m->dev[i]->id, index++, m->dev[i]->type->name, net->mac[0], net->mac[1],
                    net->mac[2], net->mac[3], net->mac[4], net->mac[5], net->ops->name,
                    net_link(net) ? "up" : "down");
    }
}

static void info_mice(struct line *l)
{
    json_t *v = monitor_verb(l, "query-mice", NULL), *m;
    size_t i;

    json_array_foreach(v, i, m)
    {
        fprintf(l->out, "%c Mouse #%lld: %s%s\n", flag(m, "current") ? '*' : ' ', num(m, "index"),
                str(m, "name"), flag(m, "absolute") ? " (absolute)" : "");
    }
    json_decref(v);
}

/* Every window of registers, whoever used it or not. */
static void info_mtree(struct line *l)
{
    const struct platform *p = l->c->vm->plat;

    static const enum io_space spaces[] = { IO_MEM, IO_PORT };

    for (unsigned s = 0; p && s < sizeof(spaces) / sizeof(spaces[0]); s++) {
        enum io_space space = spaces[s];

        fprintf(l->out, "address-space: %s\n", space == IO_PORT ? "I/O" : "memory");
        for (unsigned i = 0; i < p->nwindows[space]; i++) {
            const struct window *w = &p->windows[space][i];

            fprintf(l->out, "  %016llx-%016llx (prio 0, i/o): %s\n", (unsigned long long)w->base,
                    (unsigned long long)(w->base + w->size - 1), w->dev->id);
        }
    }
}

static void info_irq(struct line *l)
{
    const struct platform *p = l->c->vm->plat;

    for (unsigned i = 0; p && i < 16; i++)
        fprintf(l->out, "ISA IRQ %2u: %s (%u)\n", i, p->isa_level[i] ? "high" : "low",
                p->isa_level[i]);
    for (unsigned slot = 0; p && slot < 32; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            if (p->intx_level[slot][pin])
                fprintf(l->out, "PCI 00:%02x INT%c: asserted\n", slot, 'A' + pin);
        }
    }
}

static void info_roms(struct line *l)
{
    const struct machine *m = &l->c->vm->machine;

    for (unsigned i = 0; i < m->n; i++) {
        const struct pci_func *f = m->dev[i]->type->pci ? pci_of(m->dev[i]) : NULL;

        if (f && f->rom)
            fprintf(l->out, "addr=%016llx size=0x%06llx mem=rom name=\"%s\"\n",
                    (unsigned long long)f->mapped[PCI_ROM],
                    (unsigned long long)f->bar_size[PCI_ROM], m->dev[i]->id);
    }
}

static void info_platform(struct line *l)
{
    json_t *v = monitor_verb(l, "query-xen-platform", NULL), *item;
    size_t i;

    if (!v)
        return;
    if (json_object_get(v, "product"))
        fprintf(l->out, "PV drivers: product %lld (%s), build %lld%s\n", num(v, "product"),
                str(v, "product-name"), num(v, "build"),
                flag(v, "refused") ? ", told to stay away" : "");
    else
        fprintf(l->out, "PV drivers: none have announced themselves\n");
    fprintf(l->out, "Unplugged:");
    json_array_foreach(json_object_get(v, "unplugged"), i, item)
    {
        fprintf(l->out, " %s", json_string_value(item));
    }
    fprintf(l->out, "\nROM area: %s\n", flag(v, "rom-locked") ? "read-only" : "writable");
    json_array_foreach(json_object_get(v, "log"), i, item)
    {
        fprintf(l->out, "Log: %s\n", json_string_value(item));
    }
    json_decref(v);
}

const struct command monitor_infos[] = {
    { "version", "", "of the program and of the dialect", info_version, 0 },
    { "status", "", "running or paused", info_status, 0 },
    { "name", "", "of the guest", info_name, 0 },
    { "uuid", "", "of the guest", info_uuid, 0 },
    { "block", "", "drives and what is in them", info_block, 0 },
    { "blockstats", "", "bytes and requests of each drive", info_blockstats, 0 },
    { "vnc", "", "where it listens, who looks", info_vnc, 0 },
    { "chardev", "", "serial ports and control sockets", info_chardev, 0 },
    { "cpus", "", "that are plugged in", info_cpus, 0 },
    { "qtree", "", "the devices, by bus", info_qtree, 0 },
    { "pci", "", "the functions of the PCI bus", info_pci, 0 },
    { "network", "", "the NICs and their cables", info_network, 0 },
    { "mice", "", "the pointers", info_mice, 0 },
    { "mtree", "", "every window of registers", info_mtree, 0 },
    { "irq", "", "the levels of the interrupt lines", info_irq, 0 },
    { "xen-platform", "", "PV drivers: who they are, what they unplugged, their log", info_platform,
      0 },
    { "roms", "", "option ROMs", info_roms, 0 },
    { "accesses", "", "how often the guest used each window of registers", info_accesses, 0 },
    { "registers", "[ID]", "state of one device, or of all", info_registers, 0 },
    { "state", "[ID]", "the same", info_registers, 0 },
    { NULL, NULL, NULL, NULL, 0 },
};
