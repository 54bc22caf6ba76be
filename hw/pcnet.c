/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD PCnet-PCI II, Am79C970A (1022:2000, "pcnet"): state, interrupts, reset.
 * Sources: AMD's data sheet 19436 (1996; "DS"), and what Linux's pcnet32,
 * iPXE and Windows' AMDPCN expect. Registers: pcnet-regs.c; initialization
 * block and descriptors: pcnet-ring.c; frames: pcnet-xfer.c. Not modelled:
 * collisions and errors of the medium, magic packets and sleep, the expansion
 * bus, look-ahead, byte swapping (BSWP), test registers. There is no MII: the
 * chip has its own 10BASE-T transceiver.
 */
#include <string.h>
#include "hw/core/state.h"
#include "hw/devices.h"
#include "hw/pcnet-int.h"

#define CSR4_INIT    0x0115
#define CSR80_INIT   0x1410
#define CSR100_INIT  0x0200
#define ID_LOW       0x1003
#define ID_HIGH      0x0262
#define HARDWARE_ID  0x11 /* of the APROM's ninth byte: AMD's drivers look at it */
#define EEPROM_SUM   0xff /* of its first 32 bytes */
#define EEPROM_BYTES 32
#define C0_CAUSES    0x5f00
#define C0_ERRORS    (C0_BABL | C0_CERR | C0_MISS | C0_MERR)

#define P struct pcnet
static const struct field pcnet_state[] = { FIELD(P, poll),
                                            FIELD(P, starved),
                                            FIELD(P, more),
                                            EEPROM_FIELDS(P, ee),
                                            ARRAY(P, csr),
                                            ARRAY(P, bcr),
                                            FIELD(P, rap, .bits = CSRS - 1),
                                            FIELD(P, idle, .max = PC_IDLE_MAX),
                                            ARRAY(P, aprom),
                                            FIELD(P, waiting, .max = 1),
                                            FIELDS_END };

/* ---- interrupts (DS "CSR0", "CSR3", "CSR4", "CSR5") ---- */

uint16_t pc_status(const struct pcnet *p)
{
    uint16_t status = p->s.csr[CSR_STATUS], mask = p->s.csr[CSR_MASK];
    uint16_t feature = p->s.csr[CSR_FEATURE], ext = p->s.csr[CSR_EXT];
    bool intr = (status & ~mask & C0_CAUSES) || (feature & C4_UINT) ||
                ((feature >> 1) & ~feature & (C4_EVENTS & ~C4_UINT) >> 1) ||
                ((ext >> 1) & ext & C5_MPEVENTS >> 1);

    return status | (intr ? C0_INTR : 0) | (status & C0_ERRORS ? C0_ERR : 0);
}

void pc_interrupt(struct pcnet *p)
{
    uint16_t status = pc_status(p);

    pci_intx(&p->pci, (status & C0_INTR) && (status & C0_IENA));
}

void pc_sync(struct device *dev)
{
    struct pcnet *p = PC(dev);

    pc_rx_room(p);
    pc_interrupt(p);
}

/* DS "CSR0 MERR", "CSR5 SINT": a cycle of the chip's found nobody. */
void pc_master_failed(struct pcnet *p, uint64_t gpa)
{
    guest_err(&p->pci.dev, "DMA at %llx failed", (unsigned long long)gpa);
    p->s.csr[CSR_STATUS] |= C0_MERR;
    p->s.csr[CSR_STATUS] &= ~(C0_RXON | C0_TXON);
    p->s.csr[CSR_EXT] |= C5_SINT;
    pc_interrupt(p);
}

/* ---- reset ---- */

void pc_stop(struct pcnet *p)
{
    struct platform *plat = p->pci.dev.plat;

    p->s.csr[CSR_STATUS] = C0_STOP;
    p->s.csr[CSR_FEATURE] &= ~(C4_EVENTS | C4_UINTCMD);
    p->s.csr[CSR_EXT] &= ~(C5_MPEVENTS | C5_SPND);
    p->s.idle = 0;
    timer_stop(plat, &p->s.poll);
    timer_stop(plat, &p->s.more);
    timer_stop(plat, &p->s.starved);
}

/* Neither the BCRs nor the kind of access (DWIO) change (DS "S_RESET"). */
void pc_soft_reset(struct pcnet *p)
{
    uint16_t style = p->s.csr[CSR_STYLE];

    pc_stop(p);
    memset(p->s.csr, 0, sizeof(p->s.csr));
    p->s.rap = 0;
    p->s.csr[CSR_STATUS] = C0_STOP;
    p->s.csr[CSR_FEATURE] = CSR4_INIT;
    p->s.csr[CSR_STYLE] = style;
    p->s.csr[CSR_BURST] = CSR80_INIT;
    p->s.csr[CSR_ID_LOW] = ID_LOW;
    p->s.csr[CSR_ID_HIGH] = ID_HIGH;
    p->s.csr[CSR_TIMEOUT] = CSR100_INIT;
    memcpy(&p->s.csr[CSR_PADR], p->s.aprom, 6);
}

static void pc_reset(struct device *dev, enum reset_kind kind)
{
    static const struct {
        uint8_t bcr;
        uint16_t val;
    } init[] = {
        { BCR_MASTER_RD, 0x0005 }, { BCR_MASTER_WR, 0x0005 }, { BCR_MC, 0x0002 },
        { BCR_LNKST, 0x00c0 },     { BCR_LED1, 0x0084 },      { BCR_LED2, 0x0088 },
        { BCR_LED3, 0x0090 },      { BCR_BSBC, 0x9001 },      { BCR_EECAS, B19_PVALID | B19_EEDET },
        { BCR_STYLE, B20_CSRPC },  { BCR_PCILAT, 0xff06 },
    };
    struct pcnet *p = PC(dev);

    for (unsigned i = 0; i < sizeof(init) / sizeof(init[0]); i++)
        p->s.bcr[init[i].bcr % BCRS] = init[i].val;
    memcpy(p->s.aprom, p->eeprom, sizeof(p->s.aprom));
    p->s.ee.out = true;
    p->s.csr[CSR_STYLE] = p->s.bcr[BCR_STYLE];
    pc_soft_reset(p);
    net_kick(p->nic.net); /* who waited need not any more: nobody listens */
}

/* ---- the device ---- */

static void pc_link_changed(void *dev)
{
    /* BCR4 shows it; there is no interrupt of it. */
}

static void tx_fired(void *arg)
{
    struct pcnet *p = arg;

    pc_tx(p);
    pc_sync(&p->pci.dev);
}

static void starved_fired(void *arg)
{
    struct pcnet *p = arg;

    pc_sync(&p->pci.dev);
}

static const struct nic_ops pc_nic = { pc_can_receive, pc_receive, pc_link_changed };

/* The address PROM (DS "Address PROM"): address, hardware ID, a sum, "WW"; a sum over all of it. */
static void eeprom_fill(struct pcnet *p)
{
    uint8_t b[EEPROM_BYTES] = { 0 };
    unsigned sum = 0;

    memcpy(b, p->nic.mac, 6);
    b[9] = HARDWARE_ID;
    b[14] = b[15] = 0x57;
    for (unsigned i = 0; i < APROM_SIZE; i++)
        sum += b[i];
    b[12] = sum;
    b[13] = sum >> 8;
    sum = 0;
    for (unsigned i = 0; i < EEPROM_BYTES - 1; i++)
        sum += b[i];
    b[EEPROM_BYTES - 1] = EEPROM_SUM - sum;
    memcpy(p->eeprom, b, sizeof(b));
}

static int pc_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct pcnet *p = PC(dev);
    int rc = nic_init(&p->nic, &p->pci, cfg, "pxe-pcnet.rom", &pc_nic, err);

    if (rc)
        return rc;
    eeprom_fill(p);
    timer_init(dev->plat, &p->s.poll, tx_fired, p);
    timer_init(dev->plat, &p->s.starved, starved_fired, p);
    timer_init(dev->plat, &p->s.more, tx_fired, p);
    return 0;
}

static void pc_fini(struct device *dev)
{
    struct pcnet *p = PC(dev);

    timer_fini(dev->plat, &p->s.poll);
    timer_fini(dev->plat, &p->s.starved);
    timer_fini(dev->plat, &p->s.more);
    nic_fini(&p->nic);
}

static const struct io_range pc_ports = {
    .space = IO_PORT, .size = 32, .widths = 1 | 2 | 4, .read = pc_read, .write = pc_write
};
static const struct io_range pc_mem = {
    .space = IO_MEM, .size = 32, .widths = 1 | 2 | 4, .read = pc_read, .write = pc_write
};
static const struct pci_reg pc_regs[] = { { 0x3e, 2, 0xff06, 0, 0 }, /* MIN_GNT, MAX_LAT */
                                          { 0 } };

const struct pci_type pcnet_type = {
    .dev = { .name = "pcnet",
             .version = 1,
             DEVICE_LAYOUT(struct pcnet),
             .state = pcnet_state,
             .pci = true,
             .init = pc_init,
             .fini = pc_fini,
             .reset = pc_reset,
             .sync = pc_sync },
    .vendor = 0x1022,
    .device = 0x2000,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = 0x020000,
    .revision = 0x10,
    .intx = 1,
    .bar = { &pc_ports, &pc_mem },
    .regs = pc_regs,
};
