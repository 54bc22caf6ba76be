/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building the PC from a spec: what cannot be, where cards go, what a failure leaves. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/pci.h"
#include "hw/machine.h"
#include "net/net.h"
#include "tests/unit/qt.h"

struct pc {
    struct qt *t;
    struct machine m;
    struct machine_spec spec;
    struct err err;
};

static struct pc *pc_new(void)
{
    struct pc *pc = calloc(1, sizeof(*pc));

    CHECK(pc != NULL);
    pc->t = qt_new();
    return pc;
}

static struct config *spec(struct pc *pc, const char *type, const char *id)
{
    struct config *cfg = machine_spec_add(&pc->spec, type, id);

    CHECK(cfg != NULL);
    config_set(cfg, "romfile", "");
    return cfg;
}

static void build(struct pc *pc)
{
    if (machine_build(&pc->m, &pc->t->plat, &pc->spec, &pc->err))
        fprintf(stderr, "%s\n", pc->err.msg);
    CHECK(pc->m.n != 0);
}

static void pc_free(struct pc *pc)
{
    machine_free(&pc->m);
    machine_spec_free(&pc->spec);
    free(pc);
}

static struct device *plug(struct pc *pc, const char *id, const char *addr)
{
    struct config cfg = { 0 };
    struct device *dev;

    config_set(&cfg, "romfile", "");
    if (addr)
        config_set(&cfg, "addr", addr);
    pc->err.msg[0] = 0;
    dev = machine_plug(&pc->m, "rtl8139", id, &cfg, &pc->err);
    config_free(&cfg);
    return dev;
}

TEST(what_is_not_asked_for_is_not_there)
{
    struct pc *pc = pc_new();

    spec(pc, "isa-serial", "serial1");
    build(pc);
    CHECK(machine_find(&pc->m, "serial1") && !machine_find(&pc->m, "serial0"));
    CHECK(machine_find(&pc->m, "ide") && !machine_find(&pc->m, "pm"));
    CHECK_EQ(pc->m.n, pc->m.nboard);
    CHECK(machine_has_card("e1000") && machine_has_type("e1000"));
    CHECK(!machine_has_card("isa-serial") && machine_has_type("isa-serial"));
    CHECK(!machine_has_type("gus"));
    CHECK(!machine_card_in(&pc->m, 1)); /* the board's are no cards */
    pc_free(pc);
}

TEST(a_spec_has_an_end)
{
    struct pc *pc = pc_new();

    for (unsigned i = 0; i < MACHINE_DEVICES; i++)
        CHECK(machine_spec_add(&pc->spec, "VGA", "v") != NULL);
    CHECK(!machine_spec_add(&pc->spec, "VGA", "v"));
    machine_spec_free(&pc->spec);
    CHECK(machine_spec_add(&pc->spec, "VGA", "v") != NULL);
    pc_free(pc);
}

static bool nothing_left(const struct pc *pc)
{
    const struct platform *p = &pc->t->plat;

    for (unsigned i = 0; i < 256; i++) {
        if (p->pci[i])
            return false;
    }
    return !pc->m.n && !p->nwindows[IO_PORT] && !p->nwindows[IO_MEM] && !p->ntimers;
}

TEST(a_board_device_or_a_card_that_fails_takes_all_with_it)
{
    struct pc *pc = pc_new();

    config_set(spec(pc, "isa-serial", "serial0"), "sink", "file:/no/such/dir/x");
    CHECK(machine_build(&pc->m, &pc->t->plat, &pc->spec, &pc->err) < 0);
    CHECK(strstr(pc->err.msg, "/no/such/dir/x") != NULL);
    CHECK(nothing_left(pc));
    machine_spec_free(&pc->spec);

    config_set(spec(pc, "rtl8139", "n"), "mac", "not:a:mac");
    CHECK(machine_build(&pc->m, &pc->t->plat, &pc->spec, &pc->err) < 0);
    CHECK(strstr(pc->err.msg, "not:a:mac") != NULL);
    CHECK(nothing_left(pc));
    machine_spec_free(&pc->spec);

    spec(pc, "rtl8139", "n");
    build(pc);
    CHECK(machine_find(&pc->m, "n") != NULL);
    pc_free(pc);
}

TEST(cards_go_into_the_next_free_slot_or_where_they_are_told)
{
    struct pc *pc = pc_new();
    struct device *a, *b;

    config_set(spec(pc, "rtl8139", "first"), "addr", "4");
    spec(pc, "e1000", "second");
    build(pc);
    CHECK_EQ(pci_of(machine_find(&pc->m, "first"))->devfn, PCI_DEVFN(4, 0));
    CHECK_EQ(pci_of(machine_find(&pc->m, "second"))->devfn, PCI_DEVFN(2, 0));
    a = plug(pc, "a", NULL);
    b = plug(pc, "b", "0x1f.0");
    CHECK(a && b);
    CHECK_EQ(pci_of(a)->devfn, PCI_DEVFN(3, 0));
    CHECK_EQ(pci_of(b)->devfn, PCI_DEVFN(31, 0));
    CHECK(machine_card_in(&pc->m, 31) == b && machine_card_in(&pc->m, 3) == a);
    machine_unplug(&pc->m, a);
    CHECK(!machine_find(&pc->m, "a") && !machine_card_in(&pc->m, 3));
    machine_unplug(&pc->m, machine_find(&pc->m, "ide")); /* soldered */
    CHECK(machine_find(&pc->m, "ide") && !machine_find(&pc->m, "a"));
    a = plug(pc, "again", NULL);
    CHECK(a && pci_of(a)->devfn == PCI_DEVFN(3, 0));
    pc_free(pc);
}

TEST(places_that_cannot_be)
{
    static const struct {
        const char *addr, *says;
    } bad[] = {
        { "20", "Property 'rtl8139.addr' doesn't take value '20'" },
        { "x", "doesn't take value 'x'" },
        { "", "doesn't take value ''" },
        { "6.8", "doesn't take value '6.8'" },
        { "6.0.0", "doesn't take value '6.0.0'" },
        { "6.1", "addr=6.1: cards are function 0 of their slot; use 6.0" },
        { "1", "PCI: slot 1 function 0 not available for rtl8139, in use by the board" },
        { "2", "PCI: slot 2 function 0 not available for rtl8139, in use by e1000,id=there" },
    };
    struct pc *pc = pc_new();

    spec(pc, "e1000", "there");
    build(pc);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!plug(pc, "n", bad[i].addr));
        if (!strstr(pc->err.msg, bad[i].says))
            fprintf(stderr, "%s\n", pc->err.msg);
        CHECK(strstr(pc->err.msg, bad[i].says) != NULL);
    }
    CHECK(!machine_plug(&pc->m, "ne2k", "n", NULL, &pc->err));
    CHECK(!strcmp(pc->err.msg, "'ne2k' is not a valid device model name"));
    CHECK_EQ(pc->m.n, pc->m.nboard + 1);
    pc_free(pc);
}

/* Thirty slots are for cards, and a machine that is full says so. */
TEST(a_full_machine_refuses)
{
    struct pc *pc = pc_new();
    char id[16];
    unsigned n = 0;

    build(pc);
    for (; n < 40; n++) {
        snprintf(id, sizeof(id), "n%u", n);
        if (!plug(pc, id, NULL))
            break;
    }
    CHECK_EQ(n, 30);
    CHECK(!strcmp(pc->err.msg, "n30: no PCI slot is free"));
    machine_unplug(&pc->m, machine_find(&pc->m, "n7"));
    pc->t->plat.ntimers += PLATFORM_TIMERS; /* as if many more were there */
    CHECK(!plug(pc, "late", NULL));
    CHECK(!strcmp(pc->err.msg, "late: too many devices"));
    pc->t->plat.ntimers -= PLATFORM_TIMERS;
    CHECK(plug(pc, "late", NULL) && pci_of(machine_find(&pc->m, "late"))->devfn == 9 * 8);
    pc_free(pc);
}

TEST(a_reset_reaches_every_device)
{
    struct pc *pc = pc_new();

    spec(pc, "isa-serial", "serial0");
    spec(pc, "rtl8139", "n");
    build(pc);
    outb(pc->t, 0x3ff, 0x42); /* the scratch register of COM1 */
    cfg_write(pc->t, PCI_DEVFN(2, 0), PCI_INT_LINE, 11, 1);
    CHECK_EQ(inb(pc->t, 0x3ff), 0x42);
    machine_reset(&pc->m, RESET_WARM);
    CHECK_EQ(cfg_read(pc->t, PCI_DEVFN(2, 0), PCI_INT_LINE, 1), 0);
    CHECK_EQ(inb(pc->t, 0x3ff), 0);
    pc_free(pc);
}
