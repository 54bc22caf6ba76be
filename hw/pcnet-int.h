/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/pcnet-int.h: between the files of the Am79C970A. Registers and bits are
 * named as in AMD's data sheet 19436 (PCnet-PCI II, 1996; "DS").
 */
#pragma once
#include "hw/eeprom93c46.h"
#include "hw/nic.h"

#define C0_INIT 0x0001
#define C0_STRT 0x0002
#define C0_STOP 0x0004
#define C0_TDMD 0x0008
#define C0_TXON 0x0010
#define C0_RXON 0x0020
#define C0_IENA 0x0040
#define C0_INTR 0x0080
#define C0_IDON 0x0100
#define C0_TINT 0x0200
#define C0_RINT 0x0400
#define C0_MERR 0x0800
#define C0_MISS 0x1000
#define C0_CERR 0x2000
#define C0_BABL 0x4000
#define C0_ERR  0x8000 /* BABL, CERR, MISS or MERR */

#define C3_BSWP     0x0004
#define C3_DXSUFLO  0x0040
#define C3_WRITABLE 0x5f7c

#define C4_TXSTRTM   0x0004
#define C4_TXSTRT    0x0008
#define C4_UINT      0x0040
#define C4_UINTCMD   0x0080
#define C4_MFCO      0x0200
#define C4_ASTRP_RCV 0x0400
#define C4_APAD_XMT  0x0800
#define C4_DPOLL     0x1000
#define C4_EVENTS    0x026a /* MFCO UINT RCVCCO TXSTRT JAB: write one to clear */

#define C5_SPND     0x0001
#define C5_MPEVENTS 0x0a90 /* SINT, SLPINT, EXDINT, MPINT: write one to clear */
#define C5_SINT     0x0800
#define C5_SINTE    0x0400
#define C5_LTINTEN  0x4000
#define C5_TOKINTD  0x8000
#define C5_WRITABLE 0xc56f

#define MODE_DRX     0x0001
#define MODE_DTX     0x0002
#define MODE_LOOP    0x0004
#define MODE_DXMTFCS 0x0008
#define MODE_DRCVPA  0x2000
#define MODE_DRCVBC  0x4000
#define MODE_PROM    0x8000

#define B2_APROMWE  0x0100
#define B18_DWIO    0x0080
#define B19_EEN     0x0010
#define B19_ECS     0x0004
#define B19_ESK     0x0002
#define B19_EDI     0x0001
#define B19_EEDET   0x2000
#define B19_PREAD   0x4000
#define B19_PVALID  0x8000
#define B20_SSIZE32 0x0100
#define B20_CSRPC   0x0200
#define B20_STYLE   0x00ff

enum { /* CSRs that are more than a place to store */
       CSR_STATUS = 0,
       CSR_IADRL,
       CSR_IADRH,
       CSR_MASK,
       CSR_FEATURE,
       CSR_EXT,
       CSR_RXTX,
       CSR_LADRF = 8,
       CSR_PADR = 12,
       CSR_MODE = 15,
       CSR_IADRL2,
       CSR_IADRH2,
       CSR_RX_BASE = 24,
       CSR_RX_CURRENT = 28,
       CSR_TX_BASE = 30,
       CSR_TX_CURRENT = 34,
       CSR_POLLINT = 47,
       CSR_STYLE = 58,
       CSR_RX_PLACE = 72, /* RCVRC: two's complement of the descriptors up to the ring's end */
       CSR_TX_PLACE = 74,
       CSR_RX_LEN = 76, /* two's complement */
       CSR_TX_LEN = 78,
       CSR_BURST = 80,
       CSR_ID_LOW = 88,
       CSR_ID_HIGH,
       CSR_TIMEOUT = 100,
       CSR_MFC = 112,
       CSR_COLLISIONS = 114,
       CSRS = 128
};
enum {
    BCR_MASTER_RD,
    BCR_MASTER_WR,
    BCR_MC,
    BCR_LNKST = 4,
    BCR_LED1,
    BCR_LED2,
    BCR_LED3,
    BCR_FDC = 9,
    BCR_IOBASEL = 16,
    BCR_IOBASEU,
    BCR_BSBC,
    BCR_EECAS,
    BCR_STYLE,
    BCR_INTC,
    BCR_PCILAT,
    BCRS = 32
};

#define APROM_SIZE   16
#define RING_MAX     65535 /* what CSR76 and CSR78 can say; an init block no more than 512 */
#define PC_IDLE_MAX  64
#define PC_FRAME_MAX 16384 /* a longer chain is given back with UFLO */

struct pcnet {
    struct pci_func pci;
    struct nic nic;
    uint16_t eeprom[EEPROM_WORDS];
    uint8_t tx[PC_FRAME_MAX];
    struct {
        struct timer poll;    /* look for descriptors to send: they may come without a write */
        struct timer starved; /* the same for a frame that waits */
        struct timer more;    /* transmission goes on: it had its share of one step */
        struct eeprom93c46 ee;
        uint16_t csr[CSRS], bcr[BCRS];
        uint32_t idle; /* how often poll found nothing: it comes less often then */
        uint16_t rap;
        uint16_t waiting; /* 1: a frame waits in the cable for room */
        uint8_t aprom[APROM_SIZE];
    } s;
};

#define PC(devp) container_of(pci_of(devp), struct pcnet, pci)

static inline bool pc_stopped(const struct pcnet *p)
{
    return p->s.csr[CSR_STATUS] & C0_STOP;
}

static inline bool pc_suspended(const struct pcnet *p)
{
    return p->s.csr[CSR_EXT] & C5_SPND;
}

/* hw/pcnet.c */
void pc_sync(struct device *dev);
void pc_interrupt(struct pcnet *p);        /* the line, from s */
uint16_t pc_status(const struct pcnet *p); /* CSR0 with what is derived: INTR, ERR */
void pc_stop(struct pcnet *p);
void pc_soft_reset(struct pcnet *p); /* by reading the reset register */
void pc_master_failed(struct pcnet *p, uint64_t gpa);

/* hw/pcnet-regs.c: handlers of both BARs */
uint64_t pc_read(struct device *dev, uint64_t off, unsigned width);
void pc_write(struct device *dev, uint64_t off, uint64_t val, unsigned width);

/* hw/pcnet-ring.c: descriptors of all three layouts (DS "Buffer Management"). */
enum { RING_RX, RING_TX };
struct pc_desc {
    uint32_t addr;
    uint32_t status; /* as in the 32-bit layout: OWN is bit 31, BCNT the lowest 12 */
    uint32_t count;  /* MCNT, or errors and collisions of a transmission */
};
#define PD_OWN   0x80000000
#define PD_ERR   0x40000000
#define PD_FCS   0x20000000 /* transmit: ADD_FCS */
#define PD_LTI   0x10000000 /* transmit: LTINT */
#define PD_STP   0x02000000
#define PD_ENP   0x01000000
#define PD_PAM   0x00400000 /* receive: which address it was for; not in the 16-bit layout */
#define PD_LAFM  0x00200000
#define PD_BAM   0x00100000
#define PD_BUFF  0x04000000 /* receive */
#define PDC_UFLO 0x40000000 /* transmit, in count */
#define PDC_BUFF 0x80000000
#define PDC_LCAR 0x08000000
uint32_t pc_desc_size(const struct pc_desc *d);         /* 1 to 4096 bytes of buffer */
unsigned pc_ring_len(const struct pcnet *p, int ring);  /* 1 to RING_MAX */
unsigned pc_ring_at(const struct pcnet *p, int ring);   /* index of the current descriptor */
void pc_ring_go(struct pcnet *p, int ring, unsigned i); /* it is i now */
unsigned pc_ring_next(const struct pcnet *p, int ring, unsigned i);
/* False: a bus master error, told to the guest. */
must_check bool pc_desc_get(struct pcnet *p, int ring, unsigned i, struct pc_desc *d);
/* Gives it back: count first, the owner last. */
must_check bool pc_desc_put(struct pcnet *p, int ring, unsigned i, const struct pc_desc *d);
void pc_init_block(struct pcnet *p);

/* hw/pcnet-xfer.c: nic_ops and transmission */
bool pc_can_receive(void *dev);
void pc_receive(void *dev, const uint8_t *frame, size_t len);
void pc_rx_room(struct pcnet *p); /* from sync: does a waiting frame fit now? */
void pc_tx(struct pcnet *p);      /* sends what is handed over, a bounded part of it */
void pc_poll_start(struct pcnet *p);
