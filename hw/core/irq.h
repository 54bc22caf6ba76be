/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/core/irq.h: a wire. It remembers its level, so setting it twice is free. */
#pragma once
#include <stdbool.h>

struct device;
struct irq {
    void (*drive)(void *to, unsigned pin, bool level);
    void *to;
    unsigned pin;
    bool level;
};
static inline void irq_set(struct irq *irq, bool level)
{
    if (irq->drive && irq->level != level) {
        irq->level = level;
        irq->drive(irq->to, irq->pin, level);
    }
}
/* Wires irq to PIC input pin (0-15). Devices that share a pin are wire-ORed by the platform. */
void irq_isa(struct device *dev, struct irq *irq, unsigned pin);
