/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/machine.h: builds the PC that machine.c lists. */
#pragma once
#include "hw/core/config.h"
#include "hw/core/platform.h"

#define MACHINE_DEVICES 64

struct device_spec { /* what the user configured about one device */
    char type[32];   /* "VGA", "isa-serial", …: hw/machine.c's first column */
    char id[24];
    struct config cfg;
};

struct machine_spec {
    struct device_spec dev[MACHINE_DEVICES];
    unsigned n;
};

struct machine {
    struct platform *plat;
    struct device *dev[MACHINE_DEVICES]; /* the board's, then the cards */
    unsigned n, nboard;
};

/* Adds an entry and returns its config to be filled; NULL when there are too many. */
struct config *machine_spec_add(struct machine_spec *spec, const char *type, const char *id);
void machine_spec_free(struct machine_spec *spec);

/* Board devices in machine.c's order, then the plug-in cards in spec's order on free slots. */
int machine_build(struct machine *m, struct platform *plat, const struct machine_spec *spec,
                  struct err *err);
void machine_free(struct machine *m);
/* Is there a plug-in card of this name (as -device spells it)? */
bool machine_has_card(const char *name);
/* Is there any device of this type's name, on the board or as a card? */
bool machine_has_type(const char *name);
struct device *machine_find(const struct machine *m, const char *id);

/*
 * hw/machine-plug.c. A card that comes while the guest runs: `type` is as for
 * machine_has_card(), its slot cfg's "addr" ("6" or "06.0", hexadecimal) or the
 * next free one. NULL and a line in err: no such card or property, no slot, or
 * what its init says. The guest is not told: that is pm_pci_plugged().
 */
struct device *machine_plug(struct machine *m, const char *type, const char *id,
                            const struct config *cfg, struct err *err);
/* Takes a card out and frees it, with its windows, lines and timers. Not for the board's. */
void machine_unplug(struct machine *m, struct device *dev);
/* The card in a slot (of function 0), or NULL; the board's devices are none. */
struct device *machine_card_in(const struct machine *m, unsigned slot);
/*
 * Where a card is, as -device would say it: "addr=5" or "bus=usb-bus.0,port=1"; "" for what is on
 * the board.
 */
#define MACHINE_PLACE 64
void machine_place(const struct machine *m, const struct device *dev, char out[MACHINE_PLACE]);
/* Every device, in the order they were made. */
void machine_reset(struct machine *m, enum reset_kind kind);
/* machine.c, for machine-plug.c. */
const struct device_type *machine_card_type(const char *name);
