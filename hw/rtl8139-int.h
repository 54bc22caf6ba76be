/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/rtl8139-int.h: between the files of the RTL8139C+. Bits are named
 * by their register; sections are of the RTL8139C(L)+ datasheet 1.6 (5.x:
 * registers, 7.x: C+ descriptors) and the RTL8139C(L) datasheet 1.4.
 */
#pragma once
#include "hw/eeprom93c46.h"
#include "hw/nic.h"

#define CR_BUFE 0x01
#define CR_TE   0x04
#define CR_RE   0x08
#define CR_RST  0x10

#define ISR_ROK     0x0001
#define ISR_RER     0x0002
#define ISR_TOK     0x0004
#define ISR_TER     0x0008
#define ISR_RXOVW   0x0010 /* in C+ mode: no descriptor */
#define ISR_LINKCHG 0x0020
#define ISR_FOVW    0x0040
#define ISR_TDU     0x0080
#define ISR_SWINT   0x0100
#define ISR_TIMEOUT 0x4000
#define ISR_SERR    0x8000
#define ISR_BITS    0xe1ff

#define TSD_SIZE     0x00001fff
#define TSD_OWN      0x00002000 /* done: the driver's again */
#define TSD_TOK      0x00008000
#define TSD_ERTXTH   0x003f0000
#define TSD_TABT     0x40000000
#define TSD_WRITABLE (TSD_SIZE | TSD_OWN | TSD_ERTXTH)
#define TX_SLOTS     4

#define TCR_LOOPBACK 0x00060000 /* both bits: loopback mode */
#define TCR_WRITABLE 0x030f07f0
#define TCR_VERSION  0x74800000 /* the RTL8139C+ */

#define RCR_AAP      0x00000001 /* everything that is for one station */
#define RCR_APM      0x00000002 /* what is for this one */
#define RCR_AM       0x00000004
#define RCR_AB       0x00000008
#define RCR_AR       0x00000010 /* runts */
#define RCR_WRAP     0x00000080
#define RCR_RBLEN(r) (8192u << ((r) >> 11 & 3))
#define RCR_WRITABLE 0x0f03ffbf

#define EE_MODE_LOAD   0x40
#define EE_MODE_PROG   0x80
#define EE_MODE_CONFIG 0xc0
#define EE_CS          0x08
#define EE_SK          0x04
#define EE_DI          0x02
#define EE_DO          0x01

#define CPCR_TX       0x0001
#define CPCR_RX       0x0002
#define CPCR_RXCHK    0x0020
#define CPCR_RXVLAN   0x0040
#define CPCR_WRITABLE 0x007b

#define BMCR_WRITABLE 0x3100
#define MSR_FLOW      0xc0
#define CONFIG1_INIT  0x0c /* mapped to I/O and to memory: read only */

#define WAKE_START 0x84 /* CRC0-7, Wakeup0-7 (masks of 8 bytes), LSBCRC0-7 */
#define WAKE_END   0xd4

#define CP_RING 64 /* descriptors of a C+ ring, at most (§7) */
struct cp_desc {
    uint32_t opts, vlan;
    uint32_t addr_low, addr_high;
};
_Static_assert(sizeof(struct cp_desc) == 16, "§7.1");
#define CP_OWN 0x80000000
#define CP_EOR 0x40000000
#define CP_FS  0x20000000
#define CP_LS  0x10000000

struct cp_tally { /* §5.6: what DTCCR dumps; in this order and these widths */
    uint64_t tx_ok, rx_ok, tx_err;
    uint32_t rx_err;
    uint16_t missed, align_err;
    uint32_t tx_1col, tx_mcol;
    uint64_t rx_ok_phys, rx_ok_bcast;
    uint32_t rx_ok_mcast;
    uint16_t tx_abort, tx_underrun;
};
_Static_assert(sizeof(struct cp_tally) == 64, "§5.6");

#define RTL_TX_FRAME(r) ((r)->tx + NIC_TAG)
struct rtl8139 {
    struct pci_func pci;
    struct nic nic;
    uint16_t eeprom[EEPROM_WORDS];
    uint8_t tx[NIC_TAG + NIC_TX_MAX]; /* one frame; room for nic_tag() before it */
    struct {
        struct timer wrap;    /* the 33 MHz counter is 0 then: TCTR is derived */
        struct timer alarm;   /* it is TimerInt then */
        struct timer more;    /* transmission goes on: it had its share of one step */
        struct timer starved; /* look again for a descriptor: they come without a write */
        struct cp_tally tally;
        struct eeprom93c46 ee;
        uint32_t tsd[TX_SLOTS], tsad[TX_SLOTS]; /* C+: tsad are TNPDS, THPDS */
        uint32_t dtccr[2], rdsar[2];
        uint32_t rbstart, tcr, rcr, mpc, timer_int;
        uint32_t rx_at; /* C mode: next write, from rbstart; CBR shows 16 bits of it */
        uint16_t imr, isr, capr, mulint, cpcr, bmcr, anar, nwaytr;
        uint16_t tx_at[2], rx_desc; /* C+: places in the rings; [1]: high priority */
        uint16_t polled;            /* C+: rings to be sent, a bit each */
        uint8_t idr[6], mar[8];
        uint8_t wake[WAKE_END - WAKE_START];
        uint8_t cr, eecr, config1, config3, config4, config5, msr, mtps;
        uint8_t tx_slot; /* C mode: of tsd[], the next to be sent */
        bool waiting;    /* a frame waits in the cable for room */
    } s;
};

#define RTL(devp) container_of(pci_of(devp), struct rtl8139, pci)

static inline bool rtl_cplus_rx(const struct rtl8139 *r)
{
    return r->s.cpcr & CPCR_RX;
}

static inline bool rtl_cplus_tx(const struct rtl8139 *r)
{
    return r->s.cpcr & CPCR_TX;
}

static inline uint64_t rtl_addr(const uint32_t reg[2])
{
    return reg[0] | (uint64_t)reg[1] << 32;
}

static inline uint64_t rtl_desc_addr(const struct cp_desc *d)
{
    return d->addr_low | (uint64_t)d->addr_high << 32;
}

/* hw/rtl8139.c */
void rtl_sync(struct device *dev);
uint32_t rtl_counter(const struct rtl8139 *r); /* §5.14: TCTR */
void rtl_counter_start(struct rtl8139 *r);     /* at 0 */
void rtl_alarm_set(struct rtl8139 *r);         /* after a change of counter or TimerInt */
void rtl_autoload(struct rtl8139 *r);          /* what the EEPROM loads */
void rtl_mii_reset(struct rtl8139 *r);
void rtl_soft_reset(struct rtl8139 *r); /* CR.RST: but not IDR, MAR, autoload and the PHY */

/* hw/rtl8139-regs.c: handlers of both BARs */
uint64_t rtl_read(struct device *dev, uint64_t off, unsigned width);
void rtl_write(struct device *dev, uint64_t off, uint64_t val, unsigned width);

/* hw/rtl8139-rx.c: nic_ops, and CR's "ring is empty" */
bool rtl_can_receive(void *dev);
void rtl_receive(void *dev, const uint8_t *frame, size_t len);
bool rtl_rx_empty(const struct rtl8139 *r);
void rtl_rx_start(struct rtl8139 *r); /* the receiver begins anew, at the start of its buffers */
void rtl_rx_room(struct rtl8139 *r);  /* from sync: does a waiting frame fit now? */

/* hw/rtl8139-tx.c: sends what is handed over, a bounded part of it; s.more continues. */
void rtl_tx(struct rtl8139 *r);
