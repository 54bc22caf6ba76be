/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cards that come and go by the control protocol, with a real machine behind
 * it: the user's side over the socket, the guest's through its ports. And the
 * verbs that say what devices there are.
 */
#include <stdlib.h>
#include <string.h>
#include "hw/piix4-pm.h"
#include "net/filter.h"
#include "tests/unit/qmp-rig.h"
#include "tests/unit/qt.h"

#define UP     0xae00
#define DOWN   0xae04
#define EJECT  0xae08
#define GPE    0xafe0
#define SLOT16 (1u << 16)

struct plug {
    struct rig *r;
    struct client *c;
    struct qt *t;
};

static struct plug start(void)
{
    struct plug p = { .r = rig_new("-nodefaults|-uuid|12345678-1234-1234-1234-123456789abc|") };
    struct machine_spec *spec = calloc(1, sizeof(*spec));
    struct vm *vm = &p.r->f->vm;
    struct err err = { "" };

    p.t = qt_new();
    qt_no_reload(p.t, "the machine is this test's own, not the runner's");
    machine_spec_add(spec, "PIIX4_PM", "pm");
    vm->plat = &p.t->plat;
    CHECK(machine_build(&vm->machine, vm->plat, spec, &err) == 0);
    vm_plug_listen(vm);
    machine_spec_free(spec);
    free(spec);
    p.c = libxl(p.r);
    return p;
}

static void end(struct plug *p)
{
    hang_up(p->c);
    machine_free(&p->r->f->vm.machine);
    vm_plug_free(&p->r->f->vm);
    rig_free(p->r);
}

static void say_and(struct plug *p, const char *verb, const char *args, const char *reply)
{
    char text[1024];

    snprintf(text, sizeof(text), "{\"execute\":\"%s\",\"arguments\":{%s}}", verb, args);
    say(p->c, text);
    CHECK(had(p->c, reply));
}

#define ADD(args, reply) say_and(&p, "device_add", args, reply)
#define DONE             "{\"return\": {}}\r\n"

TEST(a_card_comes_and_the_guest_lets_it_go)
{
    struct plug p = start();

    outb(p.t, GPE + 2, 0x02); /* GPE1_EN */
    ADD("\"driver\":\"e1000\",\"id\":\"n1\",\"addr\":\"10\",\"mac\":\"52:54:00:11:22:33\"", DONE);
    CHECK_EQ(inl(p.t, UP), SLOT16);
    CHECK(inb(p.t, GPE) & 0x02);
    CHECK(irq(p.t, 9));
    CHECK_EQ(cfg_read(p.t, 0x80, 0, 4), 0x100e8086);
    cfg_write(p.t, 0x80, 0x10, 0xf0000000, 4);
    cfg_write(p.t, 0x80, 0x04, 0x0007, 2);
    CHECK_EQ(mmio_read(p.t, 0xf0000008, 4) != 0xffffffff, 1); /* STATUS */
    outb(p.t, GPE, 0x02);
    CHECK(!irq(p.t, 9));

    say_and(&p, "device_del", "\"id\":\"n1\"", DONE);
    CHECK_EQ(inl(p.t, DOWN), SLOT16);
    CHECK(irq(p.t, 9));
    say_and(&p, "device_del", "\"id\":\"n1\"", "Device n1 is already in the process of unplug");
    CHECK_EQ(cfg_read(p.t, 0x80, 0, 4), 0x100e8086); /* until the guest says so */
    outl(p.t, EJECT, SLOT16);
    CHECK(had(p.c, "\"event\": \"DEVICE_DELETED\", \"data\": {\"device\": \"n1\", \"path\": "
                   "\"/machine/peripheral/n1\"}}\r\n"));
    CHECK_EQ(cfg_read(p.t, 0x80, 0, 4), 0xffffffff);
    CHECK_EQ(mmio_read(p.t, 0xf0000008, 4), 0xffffffff);
    CHECK_EQ(inl(p.t, UP), 0);
    CHECK_EQ(inl(p.t, DOWN), 0);
    say_and(&p, "device_del", "\"id\":\"n1\"", "\"class\": \"DeviceNotFound\"");
    outl(p.t, EJECT, 0xffffffff); /* a guest that ejects everything takes no board device with it */
    CHECK_EQ(cfg_read(p.t, 0, 0, 4), 0x12378086);
    end(&p);
}

TEST(a_reset_lets_go_as_well)
{
    struct plug p = start();

    ADD("\"driver\":\"rtl8139\"", DONE);
    CHECK_EQ(cfg_read(p.t, 0x10, 0, 4), 0x813910ec); /* the first free slot */
    say_and(&p, "device_del", "\"id\":\"/machine/peripheral-anon/device[0]\"", DONE);
    vm_unplug_asked(&p.r->f->vm);
    CHECK(had(p.c, "\"data\": {\"path\": \"/machine/peripheral-anon/device[0]\"}}\r\n"));
    CHECK_EQ(cfg_read(p.t, 0x10, 0, 4), 0xffffffff);
    end(&p);
}

TEST(cards_that_cannot_be)
{
    static const struct {
        const char *args, *reply;
    } table[] = {
        { "\"driver\":\"nope\"", "'nope' is not a valid device model name" },
        { "\"driver\":\"ide-hd\"", "Bus 'ide.0' does not support hotplugging" },
        { "\"driver\":\"ide-cd\",\"bus\":\"ide.1\"", "Bus 'ide.1' does not support hotplugging" },
        { "\"driver\":\"isa-serial\"", "Bus 'isa.0' does not support hotplugging" },
        { "\"driver\":\"VGA\"", "Device 'VGA' does not support hotplugging" },
        { "\"driver\":\"pci-device\"", "expects a non-abstract device type" },
        { "\"driver\":\"e1000\",\"foo\":\"1\"", "Property 'e1000.foo' not found" },
        { "\"driver\":\"e1000\",\"netdev\":\"nn\"",
          "Property 'e1000.netdev' can't find value 'nn'" },
        { "\"driver\":\"e1000\",\"id\":\"n1\"", "Duplicate device ID 'n1'" },
        { "\"driver\":\"e1000\",\"addr\":\"0x5\"",
          "PCI: slot 5 function 0 not available for e1000" },
        { "\"driver\":\"e1000\",\"addr\":40", "PCI: slot 5 function 0 not available for e1000" },
        { "\"driver\":\"e1000\",\"addr\":\"1\"", "PCI: slot 1 function 0 not available for e1000" },
        { "\"driver\":\"e1000\",\"addr\":\"20\"", "doesn't take value '20'" },
        { "\"driver\":\"e1000\",\"addr\":\"x\"", "doesn't take value 'x'" },
        { "\"driver\":\"e1000\",\"addr\":-1", "doesn't take value" },
        { "\"driver\":\"e1000\",\"addr\":{}", "Invalid parameter type for 'addr'" },
        { "\"driver\":\"e1000\",\"bus\":\"pci.9\"", "Bus 'pci.9' not found" },
        { "\"driver\":\"e1000\",\"mac\":\"zz\"", "\"class\": \"GenericError\"" },
        { "\"driver\":7", "Invalid parameter type for 'driver', expected: string" },
        { "\"id\":\"x\"", "Parameter 'driver' is missing" },
    };
    struct plug p = start();
    unsigned n;

    ADD("\"driver\":\"e1000\",\"id\":\"n1\",\"addr\":\"5\"", DONE);
    n = p.r->f->vm.machine.n;
    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        ADD(table[i].args, table[i].reply);
    CHECK_EQ(p.r->f->vm.machine.n, n);
    end(&p);
}

TEST(every_slot_and_then_no_more)
{
    struct plug p = start();

    for (unsigned slot = 2; slot < 32; slot++)
        ADD("\"driver\":\"rtl8139\"", DONE);
    ADD("\"driver\":\"rtl8139\"", "no PCI slot is free");
    outl(p.t, EJECT, 0xffffffff); /* unasked: all go, and say so */
    CHECK(had(p.c, "DEVICE_DELETED"));
    CHECK_EQ(cfg_read(p.t, 31 << 3, 0, 4), 0xffffffff);
    ADD("\"driver\":\"rtl8139\"", DONE);
    end(&p);
}

/* A netdev without a tap's privileges: the cable in memory that the test puts in its place. */
static struct net *cable(struct plug *p, const char *id)
{
    struct vm_netdev *n = &p->r->f->vm.netdevs[0];
    struct err err;

    n->id = strdup(id);
    n->type = "mem";
    n->net = net_open_mem(&err);
    return n->net;
}

/* Also the command line's: its id was never free again. */
TEST(netdev_del_of_the_command_line)
{
    struct plug p = start();
    struct vm *vm = &p.r->f->vm;
    struct err err;
    struct net *net = net_open_mem(&err);

    vm->args.nnics = 1;
    vm->args.nics[0].netdev = strdup("c1");
    vm->nets[0] = net;
    say_and(&p, "netdev_add", "\"type\":\"null\",\"id\":\"c1\"", "Duplicate ID 'c1'");
    say_and(&p, "netdev_del", "\"id\":\"c1\"", DONE);
    CHECK(net->is_shut);
    say_and(&p, "netdev_del", "\"id\":\"c1\"", "\"class\": \"DeviceNotFound\"");
    say_and(&p, "netdev_add", "\"type\":\"null\",\"id\":\"c1\"", DONE);
    say_and(&p, "netdev_del", "\"id\":\"c1\"", DONE);
    vm->args.nnics = 0;
    vm->nets[0] = NULL;
    net_close(net);
    end(&p);
}

TEST(cables)
{
    struct plug p = start();
    struct net *net = cable(&p, "c1");

    ADD("\"driver\":\"rtl8139\",\"id\":\"n1\",\"netdev\":\"c1\",\"mac\":\"52:54:00:11:22:33\"",
        DONE);
    ADD("\"driver\":\"rtl8139\",\"netdev\":\"c1\"", "can't take value 'c1', it's in use");
    say_and(&p, "set_link", "\"name\":\"n1\",\"up\":false", DONE);
    CHECK(net->link_down);
    say_and(&p, "set_link", "\"name\":\"c1\",\"up\":true", DONE);
    CHECK(!net->link_down);
    say_and(&p, "set_link", "\"name\":\"zz\",\"up\":true", "\"class\": \"DeviceNotFound\"");
    say_and(&p, "qom-get", "\"path\":\"n1\",\"property\":\"mac\"", "\"52:54:00:11:22:33\"");
    say_and(&p, "netdev_add", "\"type\":\"nosuch\",\"id\":\"c2\"", "\"class\": \"GenericError\"");
    say_and(&p, "netdev_add", "\"type\":\"tap\",\"id\":\"c1\",\"ifname\":\"x\"",
            "Duplicate ID 'c1'");
    say_and(&p, "netdev_del", "\"id\":\"c1\"", DONE);
    say_and(&p, "netdev_del", "\"id\":\"c1\"", "\"class\": \"DeviceNotFound\"");
    CHECK(net->is_shut && !net_link(net)); /* the card keeps a dead cable */
    outl(p.t, EJECT, 1u << 2);
    CHECK(had(p.c, "DEVICE_DELETED"));
    CHECK(!p.r->f->vm.netdevs[0].net);
    end(&p);
}

TEST(filters_come_and_go)
{
    struct plug p = start();
    struct net *net = cable(&p, "c1");

    net->takes = NET_TAKES_SUM;
    say_and(&p, "object-add", "\"qom-type\":\"filter-mac\",\"id\":\"f\",\"netdev\":\"c1\"", DONE);
    CHECK(net->nfilters == 1 && !net_takes(net));
    say_and(&p, "object-add", "\"qom-type\":\"filter-mac\",\"id\":\"f\",\"netdev\":\"c1\"",
            "attempt to add duplicate property 'f'");
    say_and(&p, "object-add",
            "\"qom-type\":\"filter-shape\",\"id\":\"g\",\"netdev\":\"c1\",\"bps\":1000", DONE);
    say_and(&p, "object-add", "\"qom-type\":\"filter-mac\",\"id\":\"h\",\"netdev\":\"zz\"",
            "can't find value 'zz'");
    say_and(&p, "object-add", "\"qom-type\":\"filter-mac\",\"id\":\"h\"", "netdev= is missing");
    say_and(&p, "object-add", "\"qom-type\":\"filter-mac\",\"id\":\"h\",\"netdev\":\"c1\",\"x\":1",
            "unknown key 'x'");
    say_and(&p, "object-add", "\"qom-type\":\"rng-random\",\"id\":\"h\"",
            "rng-random: not supported");
    say_and(&p, "object-del", "\"id\":\"f\"", DONE);
    say_and(&p, "object-del", "\"id\":\"f\"", "object 'f' not found");
    CHECK(net->nfilters == 1 && !strcmp(net->filter[0]->id, "g"));
    say_and(&p, "object-del", "\"id\":\"g\"", DONE);
    CHECK(!net->nfilters && net_takes(net));
    end(&p);
}

TEST(groups_come_and_go)
{
    struct plug p = start();

    say_and(&p, "object-add",
            "\"qom-type\":\"throttle-group\",\"id\":\"g\",\"limits\":{\"iops-total\":9}", DONE);
    say_and(&p, "object-add", "\"qom-type\":\"throttle-group\",\"id\":\"g\"",
            "attempt to add duplicate property 'g' to object (type 'container')");
    say_and(&p, "object-add",
            "\"qom-type\":\"throttle-group\",\"id\":\"h\",\"limits\":{\"iops-total\":-1}",
            "not a number");
    CHECK_EQ(p.r->f->vm.args.ngroups, 1);
    say_and(&p, "blockdev-add",
            "\"driver\":\"throttle\",\"node-name\":\"t\",\"throttle-group\":\"g\","
            "\"file\":{\"driver\":\"null-co\",\"read-zeroes\":true}",
            DONE);
    say_and(&p, "object-del", "\"id\":\"g\"", "object 'g' is in use, can not be deleted");
    say_and(&p, "blockdev-del", "\"node-name\":\"t\"", DONE);
    say_and(&p, "object-del", "\"id\":\"g\"", DONE);
    say_and(&p, "object-del", "\"id\":\"g\"", "object 'g' not found");
    CHECK_EQ(p.r->f->vm.args.ngroups, 0);
    end(&p);
}

TEST(what_devices_there_are)
{
    struct plug p = start();

    say_and(&p, "qom-list-types", "\"implements\":\"device\"",
            "{\"name\": \"ide-hd\", \"parent\": \"ide-device\"}");
    say_and(
        &p, "qom-list-types", "\"implements\":\"ide-device\"",
        "{\"return\": [{\"name\": \"ide-hd\", \"parent\": \"ide-device\"}, {\"name\": \"ide-cd\", "
        "\"parent\": \"ide-device\"}]}\r\n");
    say_and(
        &p, "qom-list-types", "\"implements\":\"pci-ide\",\"abstract\":true",
        "{\"return\": [{\"name\": \"pci-ide\", \"abstract\": true, \"parent\": \"pci-device\"}, "
        "{\"name\": \"piix3-ide\", \"parent\": \"pci-ide\"}]}\r\n");
    say_and(&p, "qom-list-types", "\"implements\":\"nosuch\"", "{\"return\": []}\r\n");
    say_and(&p, "device-list-properties", "\"typename\":\"rtl8139\"",
            "{\"name\": \"mac\", \"type\": \"str\"}");
    say_and(&p, "device-list-properties", "\"typename\":\"pci-device\"", "non-abstract");
    say_and(&p, "device-list-properties", "\"typename\":\"zz\"", "\"class\": \"DeviceNotFound\"");
    say_and(&p, "qom-get", "\"path\":\"/machine\",\"property\":\"type\"", "xenfv-4.2-machine");
    say_and(&p, "qom-get", "\"path\":\"/machine\",\"property\":\"nope\"",
            "Property 'xenfv-4.2-machine.nope' not found");
    say_and(&p, "qom-list", "\"path\":\"/machine/peripheral\"", "{\"name\": \"ide-5696\", ");
    say_and(&p, "qom-list", "\"path\":\"/machine/nope\"", "Device '/machine/nope' not found");
    say_and(&p, "qom-get", "\"path\":\"ide-5696\",\"property\":\"drive\"", "\"ide-5696\"");
    say_and(&p, "query-pci", "", "\"class_info\": {\"class\": 1537, \"desc\": \"ISA bridge\"}");
    hang_up(p.c);
    p.c = libxl(p.r);
    end(&p);
}

TEST(monitor_shows_the_machine)
{
    static const char *const lines[][2] = {
        { "info pci",
          "  Bus  0, device   1, function 1:\\r\\n    IDE controller: PCI device 8086:7010" },
        { "info qtree", "dev: e1000, id \\\"n1\\\", addr 02.0" },
        { "info mtree", "000000000000ae00-000000000000ae17 (prio 0, i/o): pm" },
        { "info irq", "ISA IRQ  9: low (0)" },
        { "info state pm", "pm.pci_up=00000004" },
        { "info network", "{\"return\": \"\"}" },
        { "xp /2xw 0x1000", "0000000000001000: 0x12345678 0x00000000\\r\\n" },
        { "xp/1xg 0x1000", "0000000000001000: 0x0000000012345678\\r\\n" },
        { "xp /0x 0", "invalid format" },
        { "xp /4xw", "an address is missing" },
        { "xp /1xw 0xfffffffff0000000", "Cannot access memory" },
        { "i /b 0xafe0", "portb[0xafe0] = 0x02" },
        { "i /w 0xae00", "portl[0xae00] = 0x00000004" },
        { "o /b 0xafe0 2", "{\"return\": \"\"}" },
        { "i /b 0xafe0", "portb[0xafe0] = 0x00" },
        { "device_del n1", "{\"return\": \"\"}" },
        { "device_del n2", "Error: Device 'n2' not found" },
        { "device_add e1000,id=n3,addr=7", "{\"return\": \"\"}" },
        { "device_add", "too few arguments" },
        { "mouse_button x", "{\"return\": \"\"}" },
    };
    struct plug p = start();

    ADD("\"driver\":\"e1000\",\"id\":\"n1\"", DONE);
    put32(p.t, 0x1000, 0x12345678);
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char args[128];

        snprintf(args, sizeof(args), "\"command-line\":\"%s\"", lines[i][0]);
        say_and(&p, "human-monitor-command", args, lines[i][1]);
    }
    CHECK_EQ(cfg_read(p.t, 7 << 3, 0, 4), 0x100e8086);
    end(&p);
}
