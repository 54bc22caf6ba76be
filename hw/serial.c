/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PC serial port: National PC16550D ("Universal Asynchronous
 * Receiver/Transmitter with FIFOs", June 1995).
 *
 * The transmitter sends at once, at any divisor, so it is never seen busy. The
 * receiver takes a byte from the host only when there is room for it, so it
 * never overruns but in loopback; its time-out interrupt keeps to the divisor.
 * The modem at the other end is always ready (CTS, DSR, DCD) and never rings.
 * Line errors do not happen; a break can be received in loopback. DMA modes
 * have no pins here.
 *
 * Config: index 0-3 (COM1-COM4), sink.
 */
#include <string.h>
#include "hw/core/config.h"
#include "hw/core/irq.h"
#include "hw/core/platform.h"
#include "hw/core/sink.h"
#include "hw/core/state.h"
#include "hw/devices.h"

enum { REG_DATA, REG_IER, REG_IIR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR, REGS };

#define IER_RDA  0x01
#define IER_THRE 0x02
#define IER_RLS  0x04
#define IER_MSI  0x08
#define IER_BITS 0x0f

#define IIR_MSI     0x00
#define IIR_NONE    0x01
#define IIR_THRE    0x02
#define IIR_RDA     0x04
#define IIR_RLS     0x06
#define IIR_TIMEOUT 0x0c
#define IIR_FIFO    0xc0

#define FCR_ENABLE   0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04
#define FCR_TRIGGER  0xc0
#define FCR_STORED   (FCR_TRIGGER | 0x08 | FCR_ENABLE)

#define LCR_STOP2  0x04
#define LCR_PARITY 0x08
#define LCR_BREAK  0x40
#define LCR_DLAB   0x80

#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08 /* on a PC: lets the interrupt through */
#define MCR_LOOP 0x10
#define MCR_BITS 0x1f

#define LSR_DR      0x01
#define LSR_OE      0x02
#define LSR_BI      0x10
#define LSR_THRE    0x20
#define LSR_TEMT    0x40
#define LSR_IN_FIFO 0x80

#define MSR_DELTA 0x0f
#define MSR_TERI  0x04
#define MSR_CTS   0x10
#define MSR_DSR   0x20
#define MSR_RI    0x40
#define MSR_DCD   0x80
#define MSR_MODEM (MSR_CTS | MSR_DSR | MSR_DCD)

#define FIFO  16
#define CLOCK 1843200 /* Hz; 16 cycles a bit at divisor 1 */
#define PORTS 4

struct serial {
    struct device dev;
    struct irq irq;
    struct sink sink;
    uint16_t base;
    struct {
        struct timer timeout; /* four character times without a read or a byte */
        uint16_t divisor;
        uint8_t fifo[FIFO];   /* received, oldest at head */
        uint8_t errors[FIFO]; /* LSR bits that came with each */
        uint8_t head, len;
        uint8_t ier, fcr, lcr, mcr, scr;
        uint8_t msr_lines; /* the upper half as last seen */
        uint8_t msr_delta;
        uint8_t last, sent; /* what the receive and the transmit register still hold */
        bool overrun;
        bool thr_empty; /* the THRE interrupt is due */
        bool timed_out;
    } s;
};

static const struct field serial_state[] = { FIELD(struct serial, timeout),
                                             FIELD(struct serial, divisor),
                                             ARRAY(struct serial, fifo),
                                             ARRAY(struct serial, errors, .max = LSR_BI),
                                             FIELD(struct serial, head, .max = FIFO - 1),
                                             FIELD(struct serial, len, .max = FIFO),
                                             FIELD(struct serial, ier, .bits = IER_BITS),
                                             FIELD(struct serial, fcr, .bits = FCR_STORED),
                                             FIELD(struct serial, lcr),
                                             FIELD(struct serial, mcr, .bits = MCR_BITS),
                                             FIELD(struct serial, scr),
                                             FIELD(struct serial, msr_lines),
                                             FIELD(struct serial, msr_delta, .bits = MSR_DELTA),
                                             FIELD(struct serial, last),
                                             FIELD(struct serial, sent),
                                             FIELD(struct serial, overrun),
                                             FIELD(struct serial, thr_empty),
                                             FIELD(struct serial, timed_out),
                                             FIELDS_END };

static struct serial *serial_of(struct device *dev)
{
    return container_of(dev, struct serial, dev);
}

static bool fifo_on(const struct serial *p)
{
    return p->s.fcr & FCR_ENABLE;
}

/* How many bytes the receiver holds. */
static unsigned rx_depth(const struct serial *p)
{
    return fifo_on(p) ? FIFO : 1;
}

static unsigned rx_trigger(const struct serial *p)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };

    return fifo_on(p) ? levels[p->s.fcr >> 6] : 1;
}

/* Interrupts */

static uint8_t rx_errors(const struct serial *p)
{
    return (p->s.overrun ? LSR_OE : 0) | (p->s.len ? p->s.errors[p->s.head % FIFO] : 0);
}

/* The cause of highest priority (table 4 of the datasheet), without the FIFO bits. */
static uint8_t iir_cause(const struct serial *p)
{
    if ((p->s.ier & IER_RLS) && rx_errors(p))
        return IIR_RLS;
    if ((p->s.ier & IER_RDA) && p->s.len >= rx_trigger(p))
        return IIR_RDA;
    if ((p->s.ier & IER_RDA) && p->s.len && p->s.timed_out)
        return IIR_TIMEOUT;
    if ((p->s.ier & IER_THRE) && p->s.thr_empty)
        return IIR_THRE;
    if ((p->s.ier & IER_MSI) && p->s.msr_delta)
        return IIR_MSI;
    return IIR_NONE;
}

static void serial_sync(struct device *dev)
{
    struct serial *p = serial_of(dev);

    irq_set(&p->irq, iir_cause(p) != IIR_NONE && (p->s.mcr & MCR_OUT2));
}

/* Receiver */

static int64_t char_ns(const struct serial *p)
{
    unsigned bits =
        1 + 5 + (p->s.lcr & 3) + !!(p->s.lcr & LCR_PARITY) + (p->s.lcr & LCR_STOP2 ? 2 : 1);
    unsigned divisor = p->s.divisor ? p->s.divisor : 1;

    return (int64_t)bits * divisor * 16 * NS_PER_S / CLOCK;
}

/* The time-out starts anew with every byte that comes or is read; not without a FIFO. */
static void restart_timeout(struct serial *p)
{
    bool wanted = fifo_on(p) && p->s.len && !p->s.timed_out;

    timer_set(p->dev.plat, &p->s.timeout,
              wanted ? platform_now(p->dev.plat) + 4 * char_ns(p) : TIMER_OFF);
}

static void timeout_fired(void *arg)
{
    struct serial *p = arg;

    p->s.timed_out = true;
    serial_sync(&p->dev);
}

static void rx_put(struct serial *p, uint8_t byte, uint8_t errors)
{
    unsigned at;

    if (p->s.len >= rx_depth(p)) {
        p->s.overrun = true;
        if (fifo_on(p))
            return;   /* the newest is lost, */
        p->s.len = 0; /* without a FIFO the one before it */
    }
    at = (p->s.head + p->s.len) % FIFO;
    p->s.fifo[at] = byte;
    p->s.errors[at] = errors;
    p->s.len++;
    restart_timeout(p);
}

/* Takes from the host what there is room for. */
static void rx_fill(struct serial *p)
{
    int byte;

    while (!(p->s.mcr & MCR_LOOP) && p->s.len < rx_depth(p) && (byte = sink_get(&p->sink)) >= 0)
        rx_put(p, byte, 0);
}

static void rx_readable(void *arg)
{
    struct serial *p = arg;

    rx_fill(p);
    serial_sync(&p->dev);
}

static uint8_t rx_get(struct serial *p)
{
    if (p->s.len) {
        p->s.last = p->s.fifo[p->s.head % FIFO];
        p->s.head = (p->s.head + 1) % FIFO;
        p->s.len--;
    }
    p->s.timed_out = false;
    rx_fill(p);
    restart_timeout(p);
    return p->s.last;
}

static void rx_clear(struct serial *p)
{
    p->s.len = 0;
    p->s.timed_out = false;
    restart_timeout(p);
}

/* Transmitter */

static void tx_put(struct serial *p, uint8_t byte)
{
    p->s.sent = byte;
    if (p->s.mcr & MCR_LOOP)
        rx_put(p, byte, 0);
    else
        sink_put(&p->sink, byte);
    p->s.thr_empty = true; /* it is gone already */
}

/* Modem lines: what the other end drives or, in loopback, our own outputs. */
static uint8_t modem_lines(const struct serial *p)
{
    uint8_t mcr = p->s.mcr;

    if (!(mcr & MCR_LOOP))
        return MSR_MODEM;
    return (mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
           (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0);
}

static void modem_update(struct serial *p)
{
    uint8_t lines = modem_lines(p), changed = lines ^ p->s.msr_lines;

    p->s.msr_delta |= (changed & ~MSR_RI) >> 4;
    if ((changed & MSR_RI) && !(lines & MSR_RI))
        p->s.msr_delta |= MSR_TERI; /* only the end of ringing counts */
    p->s.msr_lines = lines;
}

/* Registers */

static uint8_t read_lsr(struct serial *p)
{
    uint8_t lsr = LSR_TEMT | LSR_THRE | (p->s.len ? LSR_DR : 0) | rx_errors(p);

    for (unsigned i = 0; i < p->s.len && fifo_on(p); i++)
        if (p->s.errors[(p->s.head + i) % FIFO])
            lsr |= LSR_IN_FIFO;
    p->s.overrun = false;
    if (p->s.len)
        p->s.errors[p->s.head % FIFO] = 0;
    return lsr;
}

static uint8_t read_iir(struct serial *p)
{
    uint8_t cause = iir_cause(p);

    if (cause == IIR_THRE)
        p->s.thr_empty = false;
    return cause | (fifo_on(p) ? IIR_FIFO : 0);
}

static uint8_t read_msr(struct serial *p)
{
    uint8_t msr = p->s.msr_lines | p->s.msr_delta;

    p->s.msr_delta = 0;
    return msr;
}

static uint8_t read_reg(struct serial *p, uint64_t reg)
{
    bool dlab = p->s.lcr & LCR_DLAB;

    switch (reg) {
    case REG_DATA:
        return dlab ? p->s.divisor & 0xff : rx_get(p);
    case REG_IER:
        return dlab ? p->s.divisor >> 8 : p->s.ier;
    case REG_IIR:
        return read_iir(p);
    case REG_LCR:
        return p->s.lcr;
    case REG_MCR:
        return p->s.mcr;
    case REG_LSR:
        return read_lsr(p);
    case REG_MSR:
        return read_msr(p);
    default:
        return p->s.scr;
    }
}

static uint64_t serial_read(struct device *dev, uint64_t off, unsigned width)
{
    uint8_t val = read_reg(serial_of(dev), off);

    serial_sync(dev);
    return val;
}

static void write_ier(struct serial *p, uint8_t val)
{
    uint8_t risen = val & ~p->s.ier;

    p->s.ier = val & IER_BITS;
    if (risen & IER_THRE)
        p->s.thr_empty = true; /* enabling it while empty raises it */
}

static void write_fcr(struct serial *p, uint8_t val)
{
    bool toggled = (val ^ p->s.fcr) & FCR_ENABLE;

    if (!(val & FCR_ENABLE))
        val = 0; /* the others count only together with it */
    p->s.fcr = val & FCR_STORED;
    if (toggled || (val & FCR_CLEAR_RX))
        rx_clear(p);
    rx_fill(p);
}

static void write_lcr(struct serial *p, uint8_t val)
{
    uint8_t risen = val & ~p->s.lcr;

    p->s.lcr = val;
    if ((risen & LCR_BREAK) && (p->s.mcr & MCR_LOOP))
        rx_put(p, 0, LSR_BI);
}

static void write_mcr(struct serial *p, uint8_t val)
{
    p->s.mcr = val & MCR_BITS;
    modem_update(p);
    rx_fill(p);
}

static void write_reg(struct serial *p, uint64_t reg, uint8_t val)
{
    bool dlab = p->s.lcr & LCR_DLAB;

    switch (reg) {
    case REG_DATA:
        if (dlab)
            p->s.divisor = (p->s.divisor & 0xff00) | val;
        else
            tx_put(p, val);
        break;
    case REG_IER:
        if (dlab)
            p->s.divisor = (p->s.divisor & 0x00ff) | val << 8;
        else
            write_ier(p, val);
        break;
    case REG_IIR:
        write_fcr(p, val);
        break;
    case REG_LCR:
        write_lcr(p, val);
        break;
    case REG_MCR:
        write_mcr(p, val);
        break;
    case REG_SCR:
        p->s.scr = val;
        break;
    default: /* LSR and MSR: for the factory's tests only */
        break;
    }
}

static void serial_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    write_reg(serial_of(dev), off, val);
    serial_sync(dev);
}

/* The device's life */

static const struct io_range serial_window = { IO_PORT, 0, REGS, 1, serial_read, serial_write };

static const struct {
    uint16_t base;
    uint8_t irq;
} ports[PORTS] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

static void serial_reset(struct device *dev, enum reset_kind kind)
{
    struct serial *p = serial_of(dev);

    p->s.divisor = 12; /* 9600; undefined on the chip */
    p->s.thr_empty = true;
    p->s.msr_lines = modem_lines(p);
}

static int serial_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct serial *p = serial_of(dev);
    uint64_t index;
    int rc = config_uint(cfg, "index", 0, PORTS - 1, &index, err);

    if (rc < 0)
        return rc;
    p->base = ports[index].base;
    irq_isa(dev, &p->irq, ports[index].irq);
    p->sink.readable = rx_readable;
    p->sink.arg = p;
    timer_init(dev->plat, &p->s.timeout, timeout_fired, p);
    rc = sink_open(&p->sink, dev->plat->loop, cfg, "sink", err);
    if (rc == 0) {
        rc = platform_map(dev->plat, dev, &serial_window, p->base, REGS);
        if (rc == 0)
            return 0;
        err_set(err, rc, "%s: ports %x-%x are taken by another device", dev->id, p->base,
                p->base + REGS - 1);
    }
    sink_close(&p->sink);
    timer_fini(dev->plat, &p->s.timeout);
    return rc;
}

static void serial_fini(struct device *dev)
{
    struct serial *p = serial_of(dev);

    platform_unmap(dev->plat, dev, &serial_window, p->base);
    irq_set(&p->irq, false);
    sink_close(&p->sink);
    timer_fini(dev->plat, &p->s.timeout);
}

const struct device_type serial_type = {
    .name = "isa-serial",
    .version = 1,
    DEVICE_LAYOUT(struct serial),
    .state = serial_state,
    .init = serial_init,
    .fini = serial_fini,
    .reset = serial_reset,
    .sync = serial_sync,
};
