/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ISA parallel port LPT1, compatibility mode (IEEE 1284-1994, clause 5; IBM PC
 * Technical Reference, printer adapter). A byte is sent when the guest raises
 * STROBE with the printer selected and not held in reset; the printer takes it
 * at once, so the port is never seen busy, and acknowledges with IRQ 7. Not
 * modelled: the bidirectional, EPP and ECP modes. Config: sink.
 */
#include "hw/core/irq.h"
#include "hw/core/platform.h"
#include "hw/core/sink.h"
#include "hw/core/state.h"
#include "hw/devices.h"

enum { REG_DATA, REG_STATUS, REG_CONTROL, REG_END };

/* Status. _N: the wire is low when the thing is so. */
#define ST_ERROR_N  0x08
#define ST_SELECTED 0x10
#define ST_ACK_N    0x40
#define ST_BUSY_N   0x80

#define CT_STROBE 0x01
#define CT_INIT_N 0x04
#define CT_SELECT 0x08
#define CT_IRQ    0x10
#define CT_BITS   0x3f /* the top two read as ones */

struct parallel {
    struct device dev;
    struct irq irq;
    struct sink out;
    struct {
        uint8_t data, control;
        bool acked;
    } s;
};

static const struct field parallel_state[] = { FIELD(struct parallel, data),
                                               FIELD(struct parallel, control, .bits = CT_BITS),
                                               FIELD(struct parallel, acked), FIELDS_END };

static void parallel_sync(struct device *dev)
{
    struct parallel *p = container_of(dev, struct parallel, dev);

    irq_set(&p->irq, p->s.acked && (p->s.control & CT_IRQ));
}

static void parallel_control(struct parallel *p, uint8_t val)
{
    uint8_t risen = val & ~p->s.control;
    bool ready = (val & (CT_INIT_N | CT_SELECT)) == (CT_INIT_N | CT_SELECT);

    p->s.control = val & CT_BITS;
    if ((risen & CT_STROBE) && ready) {
        sink_put(&p->out, p->s.data);
        p->s.acked = true;
    }
}

static uint64_t parallel_read(struct device *dev, uint64_t off, unsigned width)
{
    struct parallel *p = container_of(dev, struct parallel, dev);

    switch (off) {
    case REG_DATA:
        return p->s.data;
    case REG_STATUS:
        p->s.acked = false; /* reading it is what clears the interrupt */
        parallel_sync(dev);
        return ST_BUSY_N | ST_ACK_N | ST_SELECTED | ST_ERROR_N;
    default:
        return p->s.control | (uint8_t)~CT_BITS;
    }
}

static void parallel_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct parallel *p = container_of(dev, struct parallel, dev);

    if (off == REG_DATA)
        p->s.data = val;
    else if (off == REG_CONTROL)
        parallel_control(p, val);
    else
        guest_err(dev, "write %02x to the status register", (unsigned)val);
    parallel_sync(dev);
}

static int parallel_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct parallel *p = container_of(dev, struct parallel, dev);

    irq_isa(dev, &p->irq, 7);
    return sink_open(&p->out, dev->plat->loop, cfg, "sink", err);
}

static void parallel_fini(struct device *dev)
{
    struct parallel *p = container_of(dev, struct parallel, dev);

    irq_set(&p->irq, false);
    sink_close(&p->out);
}

static const struct io_range parallel_io[] = {
    { IO_PORT, 0x378, REG_END, 1, parallel_read, parallel_write }, { 0 }
};

const struct device_type parallel_type = {
    .name = "isa-parallel",
    .version = 1,
    DEVICE_LAYOUT(struct parallel),
    .io = parallel_io,
    .state = parallel_state,
    .init = parallel_init,
    .fini = parallel_fini,
    .sync = parallel_sync,
};
