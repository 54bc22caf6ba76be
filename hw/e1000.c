/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel 82540EM gigabit Ethernet (8086:100e, "e1000"): registers, interrupts,
 * statistics. Source: Intel's PCI/PCI-X Family of Gigabit Ethernet Controllers
 * Software Developer's Manual 4.0 (SDM), chapter 13; and what Linux's e1000,
 * iPXE and Windows expect. The rest is in e1000-rx.c, e1000-tx.c, e1000-phy.c.
 * Not modelled: flash, wake-up, management, flow control, packet buffer memory.
 */
#include <string.h>
#include "hw/core/state.h"
#include "hw/devices.h"
#include "hw/e1000-int.h"

#define CTRL_INIT     0x00140241
#define CTRL_WRITABLE 0x7bffffff /* all but those that clear themselves */
#define STATUS_FD     0x00000001
#define STATUS_LU     0x00000002
#define STATUS_1000   0x00000080
#define CTRL_EXT_EE   0x00002000 /* EEPROM reload: clears itself */
#define VET_INIT      0x00008100
#define PBA_INIT      0x00100030
#define LEDCTL_INIT   0x07068302
#define ITR_UNIT_NS   256
#define DELAY_UNIT_NS 1024
#define RDTR_FPD      0x80000000 /* flush partial descriptors: clears itself */
#define IO_REGISTERS  0x20000
#define ALL           0xffffffff

#define E        struct e1000
#define REG(m)   FIELD(E, r.m)
#define INDEX(m) FIELD(E, r.m, .max = 0xffff)
static const struct field e1000_state[] = { FIELD(E, throttle),
                                            FIELD(E, aneg),
                                            FIELD(E, more),
                                            FIELD(E, rx_delay, .since = 2),
                                            FIELD(E, rx_limit, .since = 2),
                                            FIELD(E, tx_delay, .since = 2),
                                            FIELD(E, tx_limit, .since = 2),
                                            REG(ctrl),
                                            REG(eerd),
                                            REG(ctrl_ext),
                                            REG(fla),
                                            REG(mdic),
                                            REG(fcal),
                                            REG(fcah),
                                            REG(fct),
                                            REG(vet),
                                            FIELD(E, r.icr, .bits = ICR_BITS),
                                            FIELD(E, r.itr, .max = 0xffff),
                                            FIELD(E, r.ims, .bits = ICR_BITS),
                                            FIELD(E, r.rctl, .bits = RCTL_WRITABLE),
                                            REG(fcttv),
                                            REG(txcw),
                                            REG(tctl),
                                            REG(tipg),
                                            REG(ait),
                                            REG(ledctl),
                                            REG(pba),
                                            REG(fcrtl),
                                            REG(fcrth),
                                            REG(rdbal),
                                            REG(rdbah),
                                            FIELD(E, r.rdlen, .bits = 0xfff80),
                                            INDEX(rdh),
                                            INDEX(rdt),
                                            REG(rdtr),
                                            REG(rxdctl),
                                            REG(radv),
                                            REG(rsrpd),
                                            REG(tdbal),
                                            REG(tdbah),
                                            FIELD(E, r.tdlen, .bits = 0xfff80),
                                            INDEX(tdh),
                                            INDEX(tdt),
                                            REG(tidv),
                                            REG(txdctl),
                                            REG(tadv),
                                            REG(tspmt),
                                            REG(txdmac),
                                            REG(rxcsum),
                                            REG(wuc),
                                            REG(wufc),
                                            REG(wus),
                                            REG(manc),
                                            REG(ipav),
                                            REG(wupl),
                                            REG(ioaddr),
                                            ARRAY(E, r.rx_fifo),
                                            ARRAY(E, r.tx_fifo),
                                            ARRAY(E, r.ctx[0]),
                                            ARRAY(E, r.ctx[1]),
                                            ARRAY(E, r.ra),
                                            ARRAY(E, r.mta),
                                            ARRAY(E, r.vfta),
                                            ARRAY(E, r.stat),
                                            EEPROM_FIELDS(E, ee),
                                            ARRAY(E, phy),
                                            FIELD(E, eecd),
                                            FIELD(E, asserted),
                                            FIELD(E, waiting),
                                            FIELDS_END };

/* ---- interrupts (SDM 13.4.17) and statistics (13.7) ---- */

void e1000_cause(struct e1000 *e, uint32_t bits)
{
    e->s.r.icr |= bits & ICR_BITS;
}

struct e1000_delay e1000_rx_delay(struct e1000 *e)
{
    return (struct e1000_delay){ &e->s.rx_delay, &e->s.rx_limit, e->s.r.rdtr, e->s.r.radv,
                                 ICR_RXT0 };
}

struct e1000_delay e1000_tx_delay(struct e1000 *e)
{
    return (struct e1000_delay){ &e->s.tx_delay, &e->s.tx_limit, e->s.r.tidv, e->s.r.tadv,
                                 ICR_TXDW };
}

void e1000_cause_now(struct e1000 *e, const struct e1000_delay *d)
{
    timer_stop(e->pci.dev.plat, d->delay);
    timer_stop(e->pci.dev.plat, d->limit);
    e1000_cause(e, d->cause);
}

/* SDM 13.4.30, 13.4.31, 13.4.44, 13.4.46: the absolute timer is started by the first packet. */
void e1000_cause_late(struct e1000 *e, const struct e1000_delay *d)
{
    struct platform *plat = e->pci.dev.plat;
    int64_t now;

    if (!d->delay_reg) {
        e1000_cause_now(e, d);
        return;
    }
    now = platform_now(plat);
    timer_set(plat, d->delay, now + (int64_t)d->delay_reg * DELAY_UNIT_NS);
    if (d->limit_reg && d->limit->at == TIMER_OFF)
        timer_set(plat, d->limit, now + (int64_t)d->limit_reg * DELAY_UNIT_NS);
}

/* ITR holds back a new assertion, never ends one. */
static void interrupt_sync(struct e1000 *e)
{
    struct platform *plat = e->pci.dev.plat;

    if (!(e->s.r.icr & e->s.r.ims)) {
        e->s.asserted = false;
    } else if (!e->s.asserted && e->s.throttle.at == TIMER_OFF) {
        e->s.asserted = true;
        if (e->s.r.itr)
            timer_set(plat, &e->s.throttle, platform_now(plat) + (int64_t)e->s.r.itr * ITR_UNIT_NS);
    }
    pci_intx(&e->pci, e->s.asserted);
}

void e1000_sync(struct device *dev)
{
    struct e1000 *e = E1000(dev);

    interrupt_sync(e);
    e1000_rx_room(e);
}

void e1000_count(struct e1000 *e, unsigned stat)
{
    uint32_t *n = &e->s.r.stat[stat % STATS];

    if (*n != ALL)
        ++*n;
}

static void count64(struct e1000 *e, unsigned low, size_t len)
{
    uint32_t *n = &e->s.r.stat[low % (STATS - 1)];
    uint64_t sum = (n[0] | (uint64_t)n[1] << 32) + len;

    n[0] = sum;
    n[1] = sum >> 32;
}

/* With FCS: 64; 65-127; 128-255; 256-511; 512-1023; 1024 and more */
static void count_size(struct e1000 *e, unsigned first, size_t len)
{
    unsigned i = 0;

    for (size_t end = 64; i < 5 && len + NIC_FCS > end; i++)
        end = i == 0 ? 127 : end * 2 + 1;
    e1000_count(e, first + i);
}

void e1000_count_frame(struct e1000 *e, const struct e1000_counters *to, const uint8_t *frame,
                       size_t len)
{
    e1000_count(e, to->all);
    e1000_count(e, to->good);
    count64(e, to->good_bytes, len + NIC_FCS);
    count64(e, to->bytes, len + NIC_FCS);
    count_size(e, to->sizes, len);
    if (nic_is_broadcast(frame))
        e1000_count(e, to->broadcast);
    else if (frame[0] & 1)
        e1000_count(e, to->multicast);
}

/* ---- reset ---- */

/* CTRL.RST: all but PHY, EEPROM lines and PCI configuration. */
static void soft_reset(struct e1000 *e)
{
    struct e1000_regs *r = &e->s.r;

    memset(r, 0, sizeof(*r));
    r->ctrl = CTRL_INIT;
    r->vet = VET_INIT;
    r->pba = PBA_INIT;
    r->ledctl = LEDCTL_INIT;
    memcpy(&r->ra[0], e->nic.mac, 4);
    r->ra[1] = RAH_AV | e->nic.mac[4] | e->nic.mac[5] << 8;
    timer_stop(e->pci.dev.plat, &e->s.throttle);
    timer_stop(e->pci.dev.plat, &e->s.more);
    timer_stop(e->pci.dev.plat, &e->s.rx_delay);
    timer_stop(e->pci.dev.plat, &e->s.rx_limit);
    timer_stop(e->pci.dev.plat, &e->s.tx_delay);
    timer_stop(e->pci.dev.plat, &e->s.tx_limit);
}

/* ---- registers that are more than a place to store ---- */

struct e1000_reg {
    uint32_t off, at; /* at: of the place in struct e1000; 0: none */
    uint32_t count;   /* of consecutive registers */
    uint32_t writable;
    uint32_t (*read)(struct e1000 *e, unsigned i); /* i: which of count */
    void (*write)(struct e1000 *e, unsigned i, uint32_t val);
};

static void ctrl_write(struct e1000 *e, unsigned i, uint32_t val)
{
    if (val & CTRL_RST)
        soft_reset(e);
    else
        e->s.r.ctrl = val & CTRL_WRITABLE;
    if (val & CTRL_PHY_RST)
        e1000_phy_reset(e);
}

static uint32_t status_read(struct e1000 *e, unsigned i)
{
    return STATUS_1000 | STATUS_FD | (e1000_link(e) ? STATUS_LU : 0);
}

static uint32_t eecd_read(struct e1000 *e, unsigned i)
{
    return e1000_eecd_read(e);
}

static void eecd_write(struct e1000 *e, unsigned i, uint32_t val)
{
    e1000_eecd_write(e, val);
}

static void eerd_write(struct e1000 *e, unsigned i, uint32_t val)
{
    e1000_eerd_write(e, val);
}

static void mdic_write(struct e1000 *e, unsigned i, uint32_t val)
{
    e1000_mdic_write(e, val);
}

static uint32_t icr_read(struct e1000 *e, unsigned i)
{
    uint32_t val = e->s.r.icr;

    e->s.r.icr = 0;
    return val;
}

static void icr_write(struct e1000 *e, unsigned i, uint32_t val)
{
    e->s.r.icr &= ~val;
}

static void ics_write(struct e1000 *e, unsigned i, uint32_t val)
{
    e1000_cause(e, val);
}

static void ims_write(struct e1000 *e, unsigned i, uint32_t val)
{
    e->s.r.ims |= val & ICR_BITS;
}

static void imc_write(struct e1000 *e, unsigned i, uint32_t val)
{
    e->s.r.ims &= ~val;
}

/* FPD announces at once what was being delayed (SDM 13.4.30). */
static void flush_now(struct e1000 *e, struct e1000_delay d)
{
    if (d.delay->at != TIMER_OFF)
        e1000_cause_now(e, &d);
}

static void rdtr_write(struct e1000 *e, unsigned i, uint32_t val)
{
    e->s.r.rdtr = val & 0xffff;
    if (val & RDTR_FPD)
        flush_now(e, e1000_rx_delay(e));
}

static void tidv_write(struct e1000 *e, unsigned i, uint32_t val)
{
    e->s.r.tidv = val & 0xffff;
    if (val & RDTR_FPD)
        flush_now(e, e1000_tx_delay(e));
}

static void tctl_write(struct e1000 *e, unsigned i, uint32_t val)
{
    e->s.r.tctl = val;
    e1000_tx(e);
}

static void tdt_write(struct e1000 *e, unsigned i, uint32_t val)
{
    e->s.r.tdt = val & 0xffff;
    e1000_tx(e);
}

/* Cleared by reading; of a pair of registers the high one clears both (SDM 13.7). */
static uint32_t stat_read(struct e1000 *e, unsigned i)
{
    static const uint64_t low_of_pair =
        1ULL << ST_GORCL | 1ULL << ST_GOTCL | 1ULL << ST_TORL | 1ULL << ST_TOTL;
    uint32_t *n = &e->s.r.stat[i % STATS], val = *n;

    if (low_of_pair >> i % STATS & 1)
        return val;
    *n = 0;
    if (i && low_of_pair >> (i - 1) % STATS & 1)
        n[-1] = 0;
    return val;
}

/* ---- the table of registers, by offset ---- */

#define AT(m) offsetof(struct e1000, s.r.m)
#define PLAIN(off, m)                                                                              \
    {                                                                                              \
        off, AT(m), 1, ALL, NULL, NULL                                                             \
    }
#define MASKED(off, m, w)                                                                          \
    {                                                                                              \
        off, AT(m), 1, w, NULL, NULL                                                               \
    }
#define MANY(off, m, n)                                                                            \
    {                                                                                              \
        off, AT(m), n, ALL, NULL, NULL                                                             \
    }
static const struct e1000_reg regs[] = {
    { 0x0000, AT(ctrl), 1, ALL, NULL, ctrl_write },
    { 0x0004, AT(ctrl), 1, ALL, NULL, ctrl_write },
    { 0x0008, 0, 1, 0, status_read, NULL },
    { 0x0010, 0, 1, ALL, eecd_read, eecd_write },
    { 0x0014, AT(eerd), 1, ALL, NULL, eerd_write },
    MASKED(0x0018, ctrl_ext, ALL & ~CTRL_EXT_EE),
    PLAIN(0x001c, fla),
    { 0x0020, AT(mdic), 1, ALL, NULL, mdic_write },
    PLAIN(0x0028, fcal),
    PLAIN(0x002c, fcah),
    PLAIN(0x0030, fct),
    PLAIN(0x0038, vet),
    { 0x00c0, 0, 1, ALL, icr_read, icr_write },
    MASKED(0x00c4, itr, 0xffff),
    { 0x00c8, 0, 1, ALL, NULL, ics_write },
    { 0x00d0, AT(ims), 1, ALL, NULL, ims_write },
    { 0x00d8, 0, 1, ALL, NULL, imc_write },
    MASKED(0x0100, rctl, RCTL_WRITABLE),
    MASKED(0x0170, fcttv, 0xffff),
    PLAIN(0x0178, txcw),
    { 0x0400, AT(tctl), 1, ALL, NULL, tctl_write },
    PLAIN(0x0410, tipg),
    PLAIN(0x0458, ait),
    PLAIN(0x0e00, ledctl),
    PLAIN(0x1000, pba),
    PLAIN(0x2160, fcrtl),
    PLAIN(0x2168, fcrth),
    PLAIN(0x2410, rx_fifo[0]),
    PLAIN(0x2418, rx_fifo[1]),
    PLAIN(0x2420, rx_fifo[2]),
    PLAIN(0x2428, rx_fifo[3]),
    PLAIN(0x2430, rx_fifo[4]),
    MASKED(0x2800, rdbal, 0xfffffff0),
    PLAIN(0x2804, rdbah),
    MASKED(0x2808, rdlen, 0xfff80),
    MASKED(0x2810, rdh, 0xffff),
    MASKED(0x2818, rdt, 0xffff),
    { 0x2820, AT(rdtr), 1, ALL, NULL, rdtr_write },
    PLAIN(0x2828, rxdctl),
    MASKED(0x282c, radv, 0xffff),
    PLAIN(0x2c00, rsrpd),
    PLAIN(0x3000, txdmac),
    PLAIN(0x3410, tx_fifo[0]),
    PLAIN(0x3418, tx_fifo[1]),
    PLAIN(0x3420, tx_fifo[2]),
    PLAIN(0x3428, tx_fifo[3]),
    PLAIN(0x3430, tx_fifo[4]),
    MASKED(0x3800, tdbal, 0xfffffff0),
    PLAIN(0x3804, tdbah),
    MASKED(0x3808, tdlen, 0xfff80),
    MASKED(0x3810, tdh, 0xffff),
    { 0x3818, AT(tdt), 1, ALL, NULL, tdt_write },
    { 0x3820, AT(tidv), 1, ALL, NULL, tidv_write },
    PLAIN(0x3828, txdctl),
    MASKED(0x382c, tadv, 0xffff),
    PLAIN(0x3830, tspmt),
    { 0x4000, AT(stat), STATS, 0, stat_read, NULL },
    MASKED(0x5000, rxcsum, 0x7ff),
    MANY(0x5200, mta, 128),
    MANY(0x5400, ra, 2 * RA_PAIRS),
    MANY(0x5600, vfta, 128),
    PLAIN(0x5800, wuc),
    PLAIN(0x5808, wufc),
    PLAIN(0x5810, wus),
    PLAIN(0x5820, manc),
    PLAIN(0x5838, ipav),
    PLAIN(0x5900, wupl),
};
#define REGS (sizeof(regs) / sizeof(regs[0]))

static const struct e1000_reg *reg_find(uint64_t off)
{
    unsigned lo = 0, hi = REGS;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (off < regs[mid].off)
            hi = mid;
        else if (off < regs[mid].off + 4 * regs[mid].count)
            return &regs[mid];
        else
            lo = mid + 1;
    }
    return NULL;
}

/* Where the i-th register of an entry is kept; i comes from reg_find()'s bounds. */
static uint32_t *reg_place(struct e1000 *e, const struct e1000_reg *g, unsigned i)
{
    return (uint32_t *)(void *)((char *)e + g->at) + (i < g->count ? i : 0);
}

static uint64_t e1000_read(struct device *dev, uint64_t off, unsigned width)
{
    struct e1000 *e = E1000(dev);
    const struct e1000_reg *g = reg_find(off);
    unsigned i = g ? (off - g->off) / 4 : 0;
    uint32_t val = 0;

    if (g && g->read) {
        val = g->read(e, i);
        e1000_sync(dev);
    } else if (g && g->at) {
        val = *reg_place(e, g, i);
    }
    return val;
}

static void e1000_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct e1000 *e = E1000(dev);
    const struct e1000_reg *g = reg_find(off);
    unsigned i = g ? (off - g->off) / 4 : 0;

    if (g && g->write) {
        g->write(e, i, val);
    } else if (g && g->at) {
        uint32_t *p = reg_place(e, g, i);

        *p = (*p & ~g->writable) | (val & g->writable);
    } else {
        guest_err(dev, "write %08llx to register %05llx", (unsigned long long)val,
                  (unsigned long long)off);
    }
    e1000_sync(dev);
}

/* The I/O window: IOADDR, IODATA (SDM 13.2.2) */
static uint64_t port_read(struct device *dev, uint64_t off, unsigned width)
{
    struct e1000 *e = E1000(dev);

    if (off == 0)
        return e->s.r.ioaddr;
    return off == 4 && e->s.r.ioaddr < IO_REGISTERS ? e1000_read(dev, e->s.r.ioaddr & ~3u, 4) : 0;
}

static void port_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct e1000 *e = E1000(dev);

    if (off == 0)
        e->s.r.ioaddr = val;
    else if (off == 4 && e->s.r.ioaddr < IO_REGISTERS)
        e1000_write(dev, e->s.r.ioaddr & ~3u, val, 4);
}

/* ---- the device ---- */

static void e1000_link_changed(void *dev)
{
    struct e1000 *e = E1000(dev);

    e1000_cause(e, ICR_LSC);
    e1000_sync(&e->pci.dev);
}

static void throttle_fired(void *arg)
{
    struct e1000 *e = arg;

    e1000_sync(&e->pci.dev);
}

static void rx_due(void *arg)
{
    struct e1000 *e = arg;
    struct e1000_delay d = e1000_rx_delay(e);

    e1000_cause_now(e, &d);
    e1000_sync(&e->pci.dev);
}

static void tx_due(void *arg)
{
    struct e1000 *e = arg;
    struct e1000_delay d = e1000_tx_delay(e);

    e1000_cause_now(e, &d);
    e1000_sync(&e->pci.dev);
}

static void more_fired(void *arg)
{
    struct e1000 *e = arg;

    e1000_tx(e);
    e1000_sync(&e->pci.dev);
}

static void e1000_reset(struct device *dev, enum reset_kind kind)
{
    struct e1000 *e = E1000(dev);

    soft_reset(e);
    e1000_phy_reset(e);
    timer_stop(dev->plat, &e->s.aneg); /* it was up before the guest looked */
    e->s.ee.out = true;
    net_kick(e->nic.net); /* who waited need not any more: nobody listens */
}

static const struct nic_ops e1000_nic = { e1000_can_receive, e1000_receive, e1000_link_changed };

static int e1000_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct e1000 *e = E1000(dev);
    int rc = nic_init(&e->nic, &e->pci, cfg, "pxe-e1000.rom", &e1000_nic, err);

    if (rc)
        return rc;
    e1000_eeprom_fill(e);
    timer_init(dev->plat, &e->s.throttle, throttle_fired, e);
    timer_init(dev->plat, &e->s.aneg, e1000_link_changed, e);
    timer_init(dev->plat, &e->s.more, more_fired, e);
    timer_init(dev->plat, &e->s.rx_delay, rx_due, e);
    timer_init(dev->plat, &e->s.rx_limit, rx_due, e);
    timer_init(dev->plat, &e->s.tx_delay, tx_due, e);
    timer_init(dev->plat, &e->s.tx_limit, tx_due, e);
    return 0;
}

static void e1000_fini(struct device *dev)
{
    struct e1000 *e = E1000(dev);

    timer_fini(dev->plat, &e->s.throttle);
    timer_fini(dev->plat, &e->s.aneg);
    timer_fini(dev->plat, &e->s.more);
    timer_fini(dev->plat, &e->s.rx_delay);
    timer_fini(dev->plat, &e->s.rx_limit);
    timer_fini(dev->plat, &e->s.tx_delay);
    timer_fini(dev->plat, &e->s.tx_limit);
    nic_fini(&e->nic);
}

static const struct io_range e1000_mem = {
    .space = IO_MEM, .size = 0x20000, .widths = 4, .read = e1000_read, .write = e1000_write
};
static const struct io_range e1000_ports = {
    .space = IO_PORT, .size = 64, .widths = 4, .read = port_read, .write = port_write
};

const struct pci_type e1000_type = {
    .dev = { .name = "e1000",
             .version = 2,
             DEVICE_LAYOUT(struct e1000),
             .state = e1000_state,
             .pci = true,
             .init = e1000_init,
             .fini = e1000_fini,
             .reset = e1000_reset,
             .sync = e1000_sync },
    .vendor = 0x8086,
    .device = 0x100e,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = 0x020000,
    .revision = 0x03,
    .intx = 1,
    .bar = { &e1000_mem, &e1000_ports },
};
