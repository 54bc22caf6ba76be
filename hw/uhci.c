/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The USB 1.1 host controller of the 82371SB (PIIX3), function 2: UHCI Design
 * Guide 1.1 (registers §2, legacy support §5); 82371FB/82371SB datasheet, §2.4
 * and §3.4. Two ports, full speed devices (hw/usb.h). uhci-frame.c executes
 * the schedule.
 *
 * Not modelled: single steps (SWDBG), the traps of legacy support, isochronous
 * transfers with a device that has them, and data toggles.
 */
#include "hw/uhci-int.h"
#include <string.h>
#include "hw/core/config.h"
#include "hw/devices.h"

#define REG_CMD   0x00
#define REG_STS   0x02
#define REG_INTR  0x04
#define REG_FRNUM 0x06
#define REG_BASE  0x08
#define REG_SOF   0x0c
#define REG_PORT  0x10

#define INTR_TIMEOUT 0x01
#define INTR_RESUME  0x02
#define INTR_IOC     0x04
#define INTR_SHORT   0x08
#define INTR_BITS    0x0f
#define STS_W1C      0x1f
#define SOF_DEFAULT  0x40
#define SOF_BITS     0x7f

#define PORT_W1C    (PORT_CONN_CHG | PORT_EN_CHG)
#define PORT_RW     (PORT_ENABLED | PORT_RESUME | PORT_RESET | PORT_SUSPEND)
#define PORT_STORED (PORT_CONNECTED | PORT_W1C | PORT_RW)

#define CFG_LEGACY    0xc0
#define LEGACY_PIRQEN 0x2000

static const struct field uhci_state[] = {
    FIELD(struct uhci, frame),
    FIELD(struct uhci, base),
    FIELD(struct uhci, cmd, .bits = CMD_BITS & ~(CMD_HCRESET)),
    FIELD(struct uhci, sts, .bits = STS_W1C),
    FIELD(struct uhci, intr, .bits = INTR_BITS),
    FIELD(struct uhci, frnum, .max = FRNUM_MAX),
    ARRAY(struct uhci, port, .bits = PORT_STORED),
    FIELD(struct uhci, sofmod, .bits = SOF_BITS),
    FIELD(struct uhci, cause, .bits = CAUSE_IOC | CAUSE_SHORT),
    FIELD(struct uhci, busy, .max = 64),
    FIELD(struct uhci, backoff, .max = 8),
    FIELDS_END
};

void uhci_update_irq(struct uhci *u)
{
    uint16_t sts = u->s.sts, en = u->s.intr;
    bool level = (u->s.cause & CAUSE_IOC && en & INTR_IOC) ||
                 (u->s.cause & CAUSE_SHORT && en & INTR_SHORT) ||
                 (sts & STS_ERR && en & INTR_TIMEOUT) || (sts & STS_RESUME && en & INTR_RESUME) ||
                 sts & (STS_HSE | STS_HCPE);

    pci_intx(&u->pci, level && pci_cfg16(&u->pci, CFG_LEGACY) & LEGACY_PIRQEN);
}

static void uhci_sync(struct device *dev)
{
    struct uhci *u = uhci_of(dev);

    if (u->s.frame.at != TIMER_OFF)
        u->due = u->s.frame.at;
    uhci_update_irq(u);
}

void uhci_halt(struct uhci *u, uint16_t why)
{
    uint16_t frnum = uhci_frnum(u);

    u->s.sts |= why;
    if (!(u->s.cmd & CMD_RS))
        return;
    u->s.cmd &= ~CMD_RS;
    u->s.frnum = frnum;
    uhci_stop(u);
}

/* ---- ports ---- */

/* A device has come, or gone. */
static void uhci_plugged(struct usb_bus *bus, unsigned port)
{
    struct uhci *u = container_of(bus, struct uhci, bus);
    uint16_t *p = &u->s.port[port], was = *p;

    if (bus->port[port]) {
        *p |= PORT_CONNECTED | PORT_CONN_CHG;
    } else {
        *p &= ~(PORT_CONNECTED | PORT_ENABLED | PORT_SUSPEND | PORT_RESUME);
        *p |= (was & PORT_CONNECTED ? PORT_CONN_CHG : 0) | (was & PORT_ENABLED ? PORT_EN_CHG : 0);
    }
    if (u->s.cmd & CMD_EGSM) /* §2.1.2: coming and going resume a suspended bus */
        u->s.sts |= STS_RESUME;
    uhci_update_irq(u);
}

/* A device has something to send; where it sleeps it may wake the host (USB 1.1 §7.1.7.5). */
static void uhci_wake(struct usb_bus *bus, unsigned port)
{
    struct uhci *u = container_of(bus, struct uhci, bus);
    bool may = bus->port[port]->s->remote_wakeup;

    if (u->s.port[port] & PORT_SUSPEND || u->s.cmd & CMD_EGSM) {
        if (!may || !(u->s.port[port] & PORT_ENABLED))
            return;
        if (u->s.port[port] & PORT_SUSPEND)
            u->s.port[port] |= PORT_RESUME;
        u->s.sts |= STS_RESUME;
        uhci_update_irq(u);
    }
    uhci_input(u);
}

static uint16_t port_read(const struct uhci *u, unsigned port)
{
    uint16_t val = u->s.port[port] | PORT_ALWAYS1;

    if ((val & PORT_CONNECTED) && !(val & PORT_RESET))
        val |= val & PORT_RESUME ? 0 : PORT_DPLUS; /* a full speed device at rest; K is D- */
    return val;
}

static void port_write(struct uhci *u, unsigned port, uint16_t val, uint16_t mask)
{
    uint16_t *p = &u->s.port[port], was = *p;
    uint16_t next = (was & ~(PORT_RW & mask)) | (val & PORT_RW & mask);

    next &= ~(val & mask & PORT_W1C);
    if (!(next & PORT_CONNECTED))
        next &= ~(PORT_ENABLED | PORT_SUSPEND | PORT_RESUME);
    if (next & PORT_RESET)
        next &= ~(PORT_ENABLED | PORT_SUSPEND | PORT_RESUME);
    if (was & PORT_RESUME && !(next & PORT_RESUME)) /* §2.1.7: resuming ends the suspension */
        next &= ~PORT_SUSPEND;
    *p = next;
    if (next & PORT_RESET && !(was & PORT_RESET) && u->bus.port[port])
        usb_reset(u->bus.port[port]);
    uhci_stir(u);
}

static void reset_ports(struct uhci *u)
{
    for (unsigned i = 0; i < USB_PORTS; i++) {
        u->s.port[i] = u->bus.port[i] ? PORT_CONNECTED | PORT_CONN_CHG : 0;
        if (u->bus.port[i])
            usb_reset(u->bus.port[i]);
    }
}

/* ---- registers ---- */

static void reset_registers(struct uhci *u)
{
    uhci_halt(u, 0);
    u->s.cmd = u->s.sts = u->s.intr = u->s.frnum = 0;
    u->s.base = 0;
    u->s.cause = 0;
    u->s.sofmod = SOF_DEFAULT;
}

static void cmd_write(struct uhci *u, uint16_t val)
{
    uint16_t was = u->s.cmd, risen = val & ~was;

    if (val & CMD_HCRESET) { /* §2.1.1: ends by itself */
        reset_registers(u);
        reset_ports(u);
        return;
    }
    if (risen & CMD_GRESET) {
        reset_registers(u);
        reset_ports(u);
        was = 0;
    }
    if (was & CMD_RS && !(val & CMD_RS))
        uhci_halt(u, 0);
    u->s.cmd = val & CMD_BITS;
    if (u->s.cmd & CMD_RS && !(was & CMD_RS))
        uhci_run(u);
    else
        uhci_stir(u);
}

static uint64_t reg_get(const struct uhci *u, unsigned reg)
{
    switch (reg) {
    case REG_CMD:
        return u->s.cmd;
    case REG_STS:
        return u->s.sts | (u->s.cmd & CMD_RS ? 0 : STS_HALTED);
    case REG_INTR:
        return u->s.intr;
    case REG_FRNUM:
        return uhci_frnum(u);
    case REG_BASE:
        return u->s.base & 0xffff;
    case REG_BASE + 2:
        return u->s.base >> 16;
    case REG_SOF:
        return u->s.sofmod;
    case REG_PORT:
    case REG_PORT + 2:
        return port_read(u, (reg - REG_PORT) / 2);
    default:
        return reg < REG_PORT ? 0 : 0xff7f; /* §2.1.7: bit 7 is 1 in every port that is there */
    }
}

static void base_write(struct uhci *u, unsigned shift, uint16_t val, uint16_t mask)
{
    u->s.base = (u->s.base & ~((uint32_t)mask << shift)) | (uint32_t)(val & mask) << shift;
    u->s.base &= ~0xfffu;
    uhci_stir(u);
}

/* The bits of mask; a byte access has eight. */
static void reg_set(struct uhci *u, unsigned reg, uint16_t val, uint16_t mask)
{
    switch (reg) {
    case REG_CMD:
        cmd_write(u, (u->s.cmd & ~mask) | (val & mask));
        break;
    case REG_STS:
        u->s.sts &= ~(val & mask & STS_W1C);
        if (!(u->s.sts & STS_USBINT))
            u->s.cause = 0;
        break;
    case REG_INTR:
        u->s.intr = ((u->s.intr & ~mask) | (val & mask)) & INTR_BITS;
        break;
    case REG_FRNUM: /* §2.1.4: only while halted */
        if (!(u->s.cmd & CMD_RS))
            u->s.frnum = ((u->s.frnum & ~mask) | (val & mask)) & FRNUM_MAX;
        break;
    case REG_BASE:
    case REG_BASE + 2:
        base_write(u, 8 * (reg - REG_BASE), val, mask);
        break;
    case REG_SOF:
        u->s.sofmod = ((u->s.sofmod & ~mask) | (val & mask)) & SOF_BITS;
        break;
    case REG_PORT:
    case REG_PORT + 2:
        port_write(u, (reg - REG_PORT) / 2, val, mask);
        break;
    default:
        break;
    }
}

static uint64_t uhci_read(struct device *dev, uint64_t off, unsigned width)
{
    uint64_t word = reg_get(uhci_of(dev), off & ~1u);

    return width == 1 ? word >> (off & 1 ? 8 : 0) : word;
}

static void uhci_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct uhci *u = uhci_of(dev);
    unsigned shift = off & 1 ? 8 : 0;

    reg_set(u, off & ~1u, (uint16_t)(val << shift), width == 1 ? 0xff << shift : 0xffff);
    uhci_update_irq(u);
}

/* ---- life ---- */

static void uhci_cfg_written(struct pci_func *f, unsigned off, unsigned len)
{
    uhci_update_irq(container_of(f, struct uhci, pci));
}

static void uhci_reset(struct device *dev, enum reset_kind kind)
{
    struct uhci *u = uhci_of(dev);

    u->s.sofmod = SOF_DEFAULT;
    reset_ports(u);
}

static bool uhci_check(const struct device *dev)
{
    const struct uhci *u = container_of(dev, const struct uhci, pci.dev);
    bool on = u->s.cmd & CMD_RS;

    return !(u->s.base & 0xfff) && on == (u->s.frame.at != TIMER_OFF) &&
           (u->s.cause == 0 || u->s.sts & STS_USBINT);
}

static int uhci_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct uhci *u = uhci_of(dev);
    int rc;

    u->bus.plugged = uhci_plugged;
    u->bus.wake = uhci_wake;
    rc = usb_bus_add(&u->bus, dev, config_str(cfg, "id", NULL), err);
    if (rc)
        return rc;
    timer_init(dev->plat, &u->s.frame, uhci_due, u);
    return 0;
}

static void uhci_fini(struct device *dev)
{
    struct uhci *u = uhci_of(dev);

    pci_intx(&u->pci, false);
    usb_bus_remove(&u->bus);
    timer_fini(dev->plat, &u->s.frame);
}

static const struct io_range uhci_bar = { IO_PORT, 0, 0x20, 1 | 2, uhci_read, uhci_write };

static const struct pci_reg uhci_regs[] = { { 0x60, 1, 0x10, 0, 0 }, /* USB release 1.0 */
                                            { CFG_LEGACY, 2, LEGACY_PIRQEN, 0x20bf, 0x8f00 },
                                            { 0 } };

const struct pci_type piix3_uhci_type = {
    .dev = { .name = "piix3-usb-uhci",
             .version = 1,
             DEVICE_LAYOUT(struct uhci),
             .state = uhci_state,
             .pci = true,
             .init = uhci_init,
             .fini = uhci_fini,
             .reset = uhci_reset,
             .sync = uhci_sync,
             .check = uhci_check },
    .vendor = 0x8086,
    .device = 0x7020,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = 0x0c0300,
    .revision = 1,
    .intx = 4,
    .bar = { [4] = &uhci_bar },
    .regs = uhci_regs,
    .cfg_written = uhci_cfg_written,
};
