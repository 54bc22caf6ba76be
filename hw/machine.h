/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/machine.h: builds the PC that machine.c lists. */
#pragma once
#include "hw/core/config.h"
#include "hw/core/platform.h"

#define MACHINE_DEVICES 64

struct device_spec {     /* what the user configured about one device */
    char          type[32]; /* "VGA", "isa-serial", …: hw/machine.c's first column */
    char          id[24];
    struct config cfg;
};

struct machine_spec {
    struct device_spec dev[MACHINE_DEVICES];
    unsigned           n;
};

struct machine {
    struct platform *plat;
    struct device   *dev[MACHINE_DEVICES];
    unsigned         n;
};

/* Adds an entry and returns its config to be filled; NULL when there are too many. */
struct config *machine_spec_add(struct machine_spec *spec, const char *type, const char *id);
void           machine_spec_free(struct machine_spec *spec);

/* Board devices in machine.c's order, then the plug-in cards in spec's order on free slots. */
int            machine_build(struct machine *m, struct platform *plat,
                             const struct machine_spec *spec, struct err *err);
void           machine_free(struct machine *m);
/* Is there a plug-in card of this name (as -device spells it)? */
bool           machine_has_card(const char *name);
struct device *machine_find(const struct machine *m, const char *id);
