/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System control port A (0x92) and the coprocessor error port (0xf0), as the
 * PS/2 had them and the 82371SB datasheet (§2.5) describes them.
 *
 * A20 is remembered and masks nothing: an HVM guest's memory has no A20 gate.
 * A write to 0xf0 would drop IGNNE#; floating-point errors are the CPU's.
 */
#include "hw/devices.h"
#include "hw/core/platform.h"
#include "hw/core/state.h"

#define P92_RESET 0x01
#define P92_A20   0x02
#define P92_BITS  (P92_RESET | P92_A20)

struct port92 {
    struct device dev;
    struct {
        uint8_t val;
    } s;
};

static const struct field port92_state[] = { FIELD(struct port92, val, .bits = P92_BITS),
                                             FIELDS_END };

static uint64_t port92_read(struct device *dev, uint64_t off, unsigned width)
{
    return container_of(dev, struct port92, dev)->s.val;
}

static void port92_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct port92 *p = container_of(dev, struct port92, dev);
    uint8_t risen = val & ~p->s.val;

    p->s.val = val & P92_BITS;
    if (risen & P92_RESET)
        platform_power(dev->plat, POWER_RESET);
}

static void fpu_error_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
}

static const struct io_range port92_io[] = { { IO_PORT, 0x92, 1, 1, port92_read, port92_write },
                                             { IO_PORT, 0xf0, 1, 1, NULL, fpu_error_write },
                                             { 0 } };

const struct device_type port92_type = {
    .name = "port92",
    .version = 1,
    DEVICE_LAYOUT(struct port92),
    .io = port92_io,
    .state = port92_state,
};
