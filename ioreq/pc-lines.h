/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/pc-lines.h: the wiring between interrupt sources and the 16 ISA
 * interrupts of a PC, for worlds that have none of their own: an ISA interrupt
 * is held up by the chips on its pin and by the PCI links routed to it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct pc_lines {
    void (*changed)(struct pc_lines *l, unsigned irq, bool level); /* may be told twice the same */
    uint8_t route[4]; /* PIRQ A-D: ISA interrupt; 0: none */
    uint8_t link[4];  /* pins that pull them */
    bool isa[16];
};

void pc_lines_isa(struct pc_lines *l, unsigned pin, bool level);
/* The board's wiring: pin A of slot 1 pulls PIRQA, of slot 2 PIRQB, and so on round. */
void pc_lines_intx(struct pc_lines *l, unsigned devfn, unsigned pin, bool level);
void pc_lines_route(struct pc_lines *l, unsigned link, unsigned irq);
