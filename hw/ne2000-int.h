/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/ne2000-int.h: between the files of the RTL8029AS. Bits are named by their
 * register; DP: National Semiconductor's DP8390D/NS32490D data sheet.
 */
#pragma once
#include "hw/eeprom93c46.h"
#include "hw/nic.h"

#define RAM_START 0x4000
#define RAM_SIZE  0x8000
#define PROM_SIZE 32
#define PAGE      256

#define CR_STP   0x01
#define CR_STA   0x02
#define CR_TXP   0x04
#define CR_ABORT 0x20 /* remote DMA: none */

#define ISR_PRX 0x01
#define ISR_PTX 0x02
#define ISR_OVW 0x10
#define ISR_CNT 0x20
#define ISR_RDC 0x40
#define ISR_RST 0x80
#define IMR_ALL 0x7f

#define DCR_LAS  0x04
#define DCR_BITS 0x7f
#define TCR_LB   0x06
#define TCR_BITS 0x1f
#define RCR_BITS 0x3f
#define CNTR_MAX 0xc0

#define EE_MODE      0xc0 /* as on Realtek's other cards */
#define EE_CS        0x08
#define EE_SK        0x04
#define EE_DI        0x02
#define CONFIG2_BITS 0xf0
#define CONFIG3_BITS 0x76
#define TX_MAX       65535
#define FIFO_SIZE    8

struct ne2000 {
    struct pci_func pci;
    struct nic nic;
    uint16_t eeprom[EEPROM_WORDS];
    uint8_t prom[PROM_SIZE];
    uint8_t tx[TX_MAX];
    struct {
        struct eeprom93c46 ee;
        uint16_t tbcr;
        uint16_t rsar, rbcr; /* also where remote DMA is, and what is left of it */
        uint16_t clda;       /* local DMA */
        uint16_t fifo_at;
        uint8_t par[6], mar[8], cntr[3], fifo[FIFO_SIZE];
        uint8_t cr, pstart, pstop, bnry, curr, tpsr, tsr, isr, rsr, rcr, tcr, dcr, imr;
        uint8_t eecr, config2, config3;
        bool waiting; /* a frame waits in the cable for room */
        uint8_t ram[RAM_SIZE];
    } s;
};

#define NE(devp) container_of(pci_of(devp), struct ne2000, pci)

/* hw/ne2000.c: the card's memory, both kinds of packets, reset */
void ne_sync(struct device *dev);
uint8_t ne_mem_get(const struct ne2000 *n, uint16_t at);
void ne_mem_put(struct ne2000 *n, uint16_t at, uint8_t val);
uint16_t ne_ring_next(const struct ne2000 *n, uint16_t at); /* the address after it in the ring */
void ne_transmit(struct ne2000 *n);
void ne_chip_reset(struct ne2000 *n);
void ne_autoload(struct ne2000 *n); /* what the EEPROM loads */

/* hw/ne2000-regs.c: handlers of the BAR */
uint64_t ne_read(struct device *dev, uint64_t off, unsigned width);
void ne_write(struct device *dev, uint64_t off, uint64_t val, unsigned width);
