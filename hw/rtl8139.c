/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Realtek RTL8139C+ (10ec:8139 rev 20), the network card that xl gives by
 * default: state, timer, reset. Sources: RTL8139C(L)+ datasheet 1.6 chapter 5,
 * RTL8139C(L) datasheet 1.4, and what Linux's 8139cp, 8139too and iPXE expect.
 * Registers, receiving and transmitting: rtl8139-regs.c, -rx.c and -tx.c.
 * Not modelled: waking (its registers are there), CardBus registers, flash, PHY tuning.
 */
#include <string.h>
#include "hw/core/state.h"
#include "hw/devices.h"
#include "hw/rtl8139-int.h"

#define COUNTER_MHZ    33
#define COUNTER_PERIOD ((1LL << 32) * 1000 / COUNTER_MHZ) /* ns */
#define BMCR_INIT      0x3100 /* 100 Mbit/s, autonegotiation, full duplex */
#define ANAR_INIT      0x05e1
#define CONFIG3_INIT   0x01
#define EEPROM_ID      0x8129

#define R struct rtl8139
static const struct field rtl8139_state[] = { FIELD(R, wrap),
                                              FIELD(R, alarm),
                                              FIELD(R, more),
                                              FIELD(R, starved),
                                              FIELD(R, tally.tx_ok),
                                              FIELD(R, tally.rx_ok),
                                              FIELD(R, tally.tx_err),
                                              FIELD(R, tally.rx_err),
                                              FIELD(R, tally.missed),
                                              FIELD(R, tally.align_err),
                                              FIELD(R, tally.tx_1col),
                                              FIELD(R, tally.tx_mcol),
                                              FIELD(R, tally.rx_ok_phys),
                                              FIELD(R, tally.rx_ok_bcast),
                                              FIELD(R, tally.rx_ok_mcast),
                                              FIELD(R, tally.tx_abort),
                                              FIELD(R, tally.tx_underrun),
                                              EEPROM_FIELDS(R, ee),
                                              ARRAY(R, tsd),
                                              ARRAY(R, tsad),
                                              ARRAY(R, dtccr),
                                              ARRAY(R, rdsar),
                                              FIELD(R, rbstart),
                                              FIELD(R, tcr, .bits = TCR_WRITABLE),
                                              FIELD(R, rcr, .bits = RCR_WRITABLE),
                                              FIELD(R, mpc, .bits = 0xffffff),
                                              FIELD(R, timer_int),
                                              FIELD(R, rx_at, .max = 0xffff),
                                              FIELD(R, imr),
                                              FIELD(R, isr, .bits = ISR_BITS),
                                              FIELD(R, capr),
                                              FIELD(R, mulint, .bits = 0xfff),
                                              FIELD(R, cpcr, .bits = CPCR_WRITABLE),
                                              FIELD(R, bmcr, .bits = BMCR_WRITABLE),
                                              FIELD(R, anar),
                                              FIELD(R, nwaytr),
                                              ARRAY(R, idr),
                                              ARRAY(R, mar),
                                              FIELD(R, cr, .bits = CR_RE | CR_TE),
                                              FIELD(R, eecr),
                                              FIELD(R, config1),
                                              FIELD(R, config3),
                                              FIELD(R, config4),
                                              FIELD(R, config5),
                                              FIELD(R, msr, .bits = MSR_FLOW),
                                              FIELD(R, mtps),
                                              FIELD(R, tx_slot, .max = TX_SLOTS - 1),
                                              ARRAY(R, tx_at, .max = CP_RING - 1),
                                              FIELD(R, rx_desc, .max = CP_RING - 1),
                                              FIELD(R, polled, .max = 3),
                                              FIELD(R, waiting),
                                              ARRAY(R, wake, .since = 2),
                                              FIELDS_END };

/* ---- the timer (§5.14 TCTR, TimerInt) ---- */

static int64_t now(const struct rtl8139 *r)
{
    return platform_now(r->pci.dev.plat);
}

uint32_t rtl_counter(const struct rtl8139 *r)
{
    int64_t left = r->s.wrap.at - now(r);

    return left > 0 && left <= COUNTER_PERIOD ? -(uint32_t)((left * COUNTER_MHZ + 999) / 1000) : 0;
}

void rtl_alarm_set(struct rtl8139 *r)
{
    uint32_t left = r->s.timer_int - rtl_counter(r);
    uint64_t ticks = left ? left : 1ULL << 32;

    timer_set(r->pci.dev.plat, &r->s.alarm,
              r->s.timer_int ? now(r) + (int64_t)(ticks * 1000 / COUNTER_MHZ + 1) : TIMER_OFF);
}

void rtl_counter_start(struct rtl8139 *r)
{
    timer_set(r->pci.dev.plat, &r->s.wrap, now(r) + COUNTER_PERIOD);
    rtl_alarm_set(r);
}

static void wrap_fired(void *arg)
{
    struct rtl8139 *r = arg;

    timer_set(r->pci.dev.plat, &r->s.wrap, now(r) + COUNTER_PERIOD);
}

static void alarm_fired(void *arg)
{
    struct rtl8139 *r = arg;

    r->s.isr |= ISR_TIMEOUT;
    rtl_alarm_set(r);
    rtl_sync(&r->pci.dev);
}

static void more_fired(void *arg)
{
    struct rtl8139 *r = arg;

    rtl_tx(r);
    rtl_sync(&r->pci.dev);
}

static void starved_fired(void *arg)
{
    rtl_rx_room(arg);
}

/* ---- reset ---- */

void rtl_autoload(struct rtl8139 *r)
{
    memcpy(r->s.idr, r->nic.mac, sizeof(r->s.idr));
    r->s.config1 = CONFIG1_INIT;
    r->s.config3 = CONFIG3_INIT;
    r->s.config4 = r->s.config5 = 0;
}

void rtl_mii_reset(struct rtl8139 *r)
{
    r->s.bmcr = BMCR_INIT;
    r->s.anar = ANAR_INIT;
}

/* CR bit RST: everything but IDR, MAR, what the EEPROM loads, and the PHY. */
void rtl_soft_reset(struct rtl8139 *r)
{
    for (unsigned i = 0; i < TX_SLOTS; i++) {
        r->s.tsd[i] = TSD_OWN;
        r->s.tsad[i] = 0;
    }
    r->s.cr = r->s.mtps = r->s.polled = r->s.tx_slot = 0;
    r->s.imr = r->s.isr = r->s.mulint = r->s.cpcr = 0;
    r->s.rbstart = r->s.tcr = r->s.rcr = r->s.mpc = r->s.timer_int = 0;
    memset(r->s.dtccr, 0, sizeof(r->s.dtccr));
    memset(r->s.rdsar, 0, sizeof(r->s.rdsar));
    memset(r->s.tx_at, 0, sizeof(r->s.tx_at));
    memset(&r->s.tally, 0, sizeof(r->s.tally));
    timer_stop(r->pci.dev.plat, &r->s.more);
    rtl_rx_start(r);
    rtl_counter_start(r);
}

/* ---- the device ---- */

void rtl_sync(struct device *dev)
{
    struct rtl8139 *r = RTL(dev);

    pci_intx(&r->pci, r->s.isr & r->s.imr);
    rtl_rx_room(r);
}

static void rtl_reset(struct device *dev, enum reset_kind kind)
{
    struct rtl8139 *r = RTL(dev);

    rtl_autoload(r);
    rtl_mii_reset(r);
    r->s.ee.out = true;
    r->s.msr = MSR_FLOW;
    memset(r->s.wake, 0, sizeof(r->s.wake));
    rtl_soft_reset(r);
    net_kick(r->nic.net); /* who waited need not any more: nobody listens */
}

static void rtl_link_changed(void *dev)
{
    struct rtl8139 *r = RTL(dev);

    r->s.isr |= ISR_LINKCHG;
    rtl_sync(&r->pci.dev);
}

static const struct nic_ops rtl_nic = { rtl_can_receive, rtl_receive, rtl_link_changed };

static void eeprom_fill(struct rtl8139 *r)
{
    r->eeprom[0] = EEPROM_ID;
    r->eeprom[1] = r->eeprom[3] = 0x10ec; /* vendor and device, and of the subsystem */
    r->eeprom[2] = r->eeprom[4] = 0x8139;
    for (unsigned i = 0; i < 3; i++)
        r->eeprom[7 + i] = r->nic.mac[2 * i] | r->nic.mac[2 * i + 1] << 8;
}

static int rtl_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct rtl8139 *r = RTL(dev);
    int rc = nic_init(&r->nic, &r->pci, cfg, "pxe-rtl8139.rom", &rtl_nic, err);

    if (rc)
        return rc;
    eeprom_fill(r);
    timer_init(dev->plat, &r->s.wrap, wrap_fired, r);
    timer_init(dev->plat, &r->s.alarm, alarm_fired, r);
    timer_init(dev->plat, &r->s.more, more_fired, r);
    timer_init(dev->plat, &r->s.starved, starved_fired, r);
    return 0;
}

static void rtl_fini(struct device *dev)
{
    struct rtl8139 *r = RTL(dev);

    timer_fini(dev->plat, &r->s.wrap);
    timer_fini(dev->plat, &r->s.alarm);
    timer_fini(dev->plat, &r->s.more);
    timer_fini(dev->plat, &r->s.starved);
    nic_fini(&r->nic);
}

static const struct io_range rtl_ports = {
    .space = IO_PORT, .size = 256, .widths = 1 | 2 | 4, .read = rtl_read, .write = rtl_write
};
static const struct io_range rtl_mem = {
    .space = IO_MEM, .size = 256, .widths = 1 | 2 | 4, .read = rtl_read, .write = rtl_write
};

const struct pci_type rtl8139_type = {
    .dev = { .name = "rtl8139",
             .version = 2,
             DEVICE_LAYOUT(struct rtl8139),
             .state = rtl8139_state,
             .pci = true,
             .init = rtl_init,
             .fini = rtl_fini,
             .reset = rtl_reset,
             .sync = rtl_sync },
    .vendor = 0x10ec,
    .device = 0x8139,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = 0x020000,
    .revision = 0x20,
    .intx = 1,
    .bar = { &rtl_ports, &rtl_mem },
};
