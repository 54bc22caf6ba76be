/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/e1000-int.h: between the files of the 82540EM. Registers and bits are
 * named as in Intel's "PCI/PCI-X Family of Gigabit Ethernet Controllers
 * Software Developer's Manual" 4.0 (SDM), chapter 13.
 */
#pragma once
#include "hw/eeprom93c46.h"
#include "hw/nic.h"

#define CTRL_FD      0x00000001
#define CTRL_RST     0x04000000
#define CTRL_VME     0x40000000
#define CTRL_PHY_RST 0x80000000

#define ICR_TXDW   0x00000001
#define ICR_TXQE   0x00000002
#define ICR_LSC    0x00000004
#define ICR_RXDMT0 0x00000010
#define ICR_RXO    0x00000040
#define ICR_RXT0   0x00000080
#define ICR_MDAC   0x00000200
#define ICR_TXDLOW 0x00008000
#define ICR_SRPD   0x00010000
#define ICR_BITS   0x0001fedf

#define RCTL_EN       0x00000002
#define RCTL_SBP      0x00000004
#define RCTL_UPE      0x00000008
#define RCTL_MPE      0x00000010
#define RCTL_LPE      0x00000020
#define RCTL_LBM(r)   ((r) >> 6 & 3)
#define RCTL_RDMTS(r) ((r) >> 8 & 3)
#define RCTL_MO(r)    ((r) >> 12 & 3)
#define RCTL_BAM      0x00008000
#define RCTL_BSIZE(r) ((r) >> 16 & 3)
#define RCTL_VFE      0x00040000
#define RCTL_CFIEN    0x00080000
#define RCTL_CFI      0x00100000
#define RCTL_DPF      0x00400000
#define RCTL_PMCF     0x00800000
#define RCTL_BSEX     0x02000000
#define RCTL_SECRC    0x04000000
#define RCTL_WRITABLE 0x06dfb3fe
#define LBM_MAC       1

#define TCTL_EN  0x00000002
#define RAH_AV   0x80000000
#define RA_PAIRS 16
#define DESC     16 /* bytes of every descriptor */

#define RXCSUM_PCSS(r) ((r)&0xff)
#define RXCSUM_IPOFL   0x0100
#define RXCSUM_TUOFL   0x0200

/* Statistics: index of the register in stat[], that is (offset - 0x4000) / 4 */
enum {
    ST_MPC = 4,
    ST_PRC64 = 23,
    ST_GPRC = 29,
    ST_BPRC,
    ST_MPRC,
    ST_GPTC,
    ST_GORCL = 34,
    ST_GORCH,
    ST_GOTCL,
    ST_GOTCH,
    ST_RNBC = 40,
    ST_RUC,
    ST_ROC = 43,
    ST_TORL = 48,
    ST_TORH,
    ST_TOTL,
    ST_TOTH,
    ST_TPR,
    ST_TPT,
    ST_PTC64,
    ST_MPTC = 60,
    ST_BPTC,
    ST_TSCTC,
    ST_TSCTFC,
    STATS
};
_Static_assert(STATS == 64, "0x4000 to 0x40fc");

enum { PHY_BMCR, PHY_BMSR, PHY_REGS = 32 };
#define BMCR_LOOPBACK 0x4000

enum { CTX_NORMAL, CTX_TSO };

struct e1000_regs { /* what CTRL.RST brings back */
    uint32_t ctrl, eerd, ctrl_ext, fla, mdic, fcal, fcah, fct, vet;
    uint32_t icr, itr, ims, rctl, fcttv, txcw, tctl, tipg, ait, ledctl, pba;
    uint32_t fcrtl, fcrth, rdbal, rdbah, rdlen, rdh, rdt, rdtr, rxdctl, radv, rsrpd;
    uint32_t tdbal, tdbah, tdlen, tdh, tdt, tidv, txdctl, tadv, tspmt, txdmac;
    uint32_t rxcsum, wuc, wufc, wus, manc, ipav, wupl, ioaddr;
    uint32_t rx_fifo[5], tx_fifo[5]; /* RDFH and on, TDFH and on: diagnostic, only stored */
    uint32_t ctx[2][4];              /* the last context descriptors: for sums, for TSO */
    uint32_t ra[2 * RA_PAIRS], mta[128], vfta[128], stat[STATS];
};

#define E1000_TX_FRAME(e) ((e)->tx + NIC_TAG)
struct e1000 {
    struct pci_func pci;
    struct nic nic;
    uint16_t eeprom[EEPROM_WORDS];
    uint8_t tx[NIC_TAG + NIC_TX_MAX]; /* one frame; room for nic_tag() before it */
    struct {
        struct timer throttle;           /* ITR: no new interrupt before */
        struct timer aneg;               /* negotiating: the link is down until then */
        struct timer more;               /* transmission goes on: it had its share of one step */
        struct timer rx_delay, rx_limit; /* RDTR, RADV: then a packet is announced */
        struct timer tx_delay, tx_limit; /* TIDV, TADV */
        struct e1000_regs r;
        struct eeprom93c46 ee;
        uint16_t phy[PHY_REGS];
        uint16_t eecd;
        bool asserted; /* INTA#: stays until its causes are gone */
        bool waiting;  /* a frame waits in the cable for room */
    } s;
};

#define E1000(devp) container_of(pci_of(devp), struct e1000, pci)

void e1000_sync(struct device *dev);
void e1000_cause(struct e1000 *e, uint32_t bits); /* sets bits of ICR; sync follows */

/* RXT0 or TXDW after the delays of the registers, in units of 1.024 us; delay 0: at once. */
struct e1000_delay {
    struct timer *delay, *limit; /* restarted by each packet; runs from the first one */
    uint32_t delay_reg, limit_reg, cause;
};
void e1000_cause_late(struct e1000 *e, const struct e1000_delay *d);
void e1000_cause_now(struct e1000 *e, const struct e1000_delay *d); /* not later than now */
struct e1000_delay e1000_rx_delay(struct e1000 *e);
struct e1000_delay e1000_tx_delay(struct e1000 *e);

void e1000_count(struct e1000 *e, unsigned stat); /* sticks at its end */

/* Which statistics a direction has: frames, good ones, kinds; bytes; the first of the sizes. */
struct e1000_counters {
    uint8_t all, good, broadcast, multicast, good_bytes, bytes, sizes;
};
/* Counts a frame of len bytes (without FCS). */
void e1000_count_frame(struct e1000 *e, const struct e1000_counters *to, const uint8_t *frame,
                       size_t len);

/* hw/e1000-phy.c: the PHY, the link and the EEPROM */
bool e1000_link(const struct e1000 *e);
void e1000_phy_reset(struct e1000 *e);
void e1000_eeprom_fill(struct e1000 *e);
void e1000_mdic_write(struct e1000 *e, uint32_t val);
uint32_t e1000_eecd_read(const struct e1000 *e);
void e1000_eecd_write(struct e1000 *e, uint32_t val);
void e1000_eerd_write(struct e1000 *e, uint32_t val);

/* hw/e1000-rx.c: nic_ops */
bool e1000_can_receive(void *dev);
void e1000_receive(void *dev, const uint8_t *frame, size_t len);
void e1000_rx_room(struct e1000 *e); /* from sync: does a waiting frame fit now? */

/* hw/e1000-tx.c: sends from TDH to TDT, a bounded part of it; s.more continues. */
void e1000_tx(struct e1000 *e);
