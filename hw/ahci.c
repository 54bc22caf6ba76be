/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SATA function of the 82801IR (ICH9R) in AHCI mode: Serial ATA AHCI 1.3.1,
 * registers of version 1.0; 82801IR data sheet §14, §15. Six ports of one drive
 * each, 32 slots, native command queuing, 64-bit addresses. This file is the
 * PCI function, the registers of the whole and the interrupt. The drives are
 * those of hw/ide.h. Not modelled: port multipliers, command completion
 * coalescing, enclosure management, power states of the link, staggered
 * spin-up, and the IDE modes of this chip.
 */
#include "hw/ahci-int.h"
#include <stdio.h>
#include "hw/devices.h"

enum { REG_CAP = 0x00, REG_GHC = 0x04, REG_IS = 0x08, REG_PI = 0x0c, REG_VS = 0x10 };

/* 64-bit, queuing, override of the command list, 3 Gb/s, AHCI only; slots and ports less one */
#define CAP_BITS  (0xc1200000u | 1u << 18 | (AHCI_SLOTS - 1) << 8 | (AHCI_PORTS - 1))
#define PORT_MASK ((1u << AHCI_PORTS) - 1)
#define VERSION   0x00010000

#define GHC_HR 0x00000001
#define GHC_IE 0x00000002
#define GHC_AE 0x80000000u

#define PORT_BASE 0x100
#define ABAR_SIZE 0x1000

/* Configuration registers */
#define CFG_MSI  0x80
#define CFG_SATA 0xa8
#define MSI_ON   0x0001

#define IDP_INDEX 0x10
#define IDP_DATA  0x14
#define IDP_SIZE  0x20

static struct ahci *ahci_of(struct device *dev)
{
    return container_of(dev, struct ahci, host.pci.dev);
}

bool ahci_read(struct ahci *a, uint64_t gpa, void *dst, size_t len)
{
    return gpa <= UINT64_MAX - len && !pci_dma_read(&a->host.pci, gpa, dst, len);
}

bool ahci_write(struct ahci *a, uint64_t gpa, const void *src, size_t len)
{
    return gpa <= UINT64_MAX - len && !pci_dma_write(&a->host.pci, gpa, src, len);
}

/* ---- interrupt (§10.7) ---- */

static bool msi_on(const struct ahci *a)
{
    return pci_cfg16(&a->host.pci, CFG_MSI + 2) & MSI_ON;
}

static void msi_send(struct ahci *a)
{
    struct platform *plat = a->host.pci.dev.plat;
    uint64_t addr =
        pci_cfg32(&a->host.pci, CFG_MSI + 4) | (uint64_t)pci_cfg32(&a->host.pci, CFG_MSI + 8) << 32;

    if (plat->ops->msi && (pci_cfg16(&a->host.pci, PCI_COMMAND) & PCI_COMMAND_MASTER))
        plat->ops->msi(plat, addr, pci_cfg16(&a->host.pci, CFG_MSI + 12));
}

void ahci_irq(struct ahci *a)
{
    uint32_t pending = 0, fresh;
    bool level;

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        if (ahci_port_read(&a->port[i], PX_IS) & a->s.port[i].ie)
            pending |= 1u << i;
    }
    fresh = pending & ~a->s.is;
    a->s.is |= pending;
    level = (a->s.ghc & GHC_IE) && a->s.is;
    if (msi_on(a) && level && (!a->s.sent || fresh))
        msi_send(a);
    a->s.sent = msi_on(a) && level;
    pci_intx(&a->host.pci, level && !msi_on(a));
}

/* ---- registers (§3.1) ---- */

static void hba_reset(struct ahci *a)
{
    a->s.ghc = GHC_AE;
    a->s.is = 0;
    for (unsigned i = 0; i < AHCI_PORTS; i++)
        ahci_port_reset(&a->port[i]);
}

/* The reset is over when no request of before has guest memory any more. */
static uint32_t ghc_read(const struct ahci *a)
{
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        if (ahci_port_lingers(&a->port[i]) && !(a->s.port[i].cmd & CMD_ST))
            return a->s.ghc | GHC_HR;
    }
    return a->s.ghc;
}

static uint32_t reg_read(struct ahci *a, unsigned off)
{
    if (off >= PORT_BASE + AHCI_PORTS * PX_END)
        return 0;
    if (off >= PORT_BASE)
        return ahci_port_read(&a->port[(off - PORT_BASE) / PX_END], off % PX_END);
    switch (off) {
    case REG_CAP:
        return CAP_BITS;
    case REG_GHC:
        return ghc_read(a);
    case REG_IS:
        return a->s.is;
    case REG_PI:
        return PORT_MASK;
    case REG_VS:
        return VERSION;
    default:
        return 0;
    }
}

static void reg_write(struct ahci *a, unsigned off, uint32_t val)
{
    if (off >= PORT_BASE + AHCI_PORTS * PX_END)
        return;
    if (off >= PORT_BASE) {
        ahci_port_write(&a->port[(off - PORT_BASE) / PX_END], off % PX_END, val);
    } else if (off == REG_GHC && (val & GHC_HR)) {
        hba_reset(a);
    } else if (off == REG_GHC) {
        a->s.ghc = GHC_AE | (val & GHC_IE);
    } else if (off == REG_IS) {
        a->s.is &= ~val;
        a->s.sent = false; /* what is left gets a message of its own (§10.7.2.1) */
    }
    ahci_irq(a);
}

static uint64_t abar_read(struct device *dev, uint64_t off, unsigned width)
{
    uint64_t val = reg_read(ahci_of(dev), off & ~3u) >> (8 * (off & 3));

    return width < 4 ? val & ((1u << (8 * width)) - 1) : val;
}

static void abar_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    if (width < 4)
        guest_err(dev, "write of %u bytes to %llx", width, (unsigned long long)off);
    else
        reg_write(ahci_of(dev), off, val);
}

static const struct io_range abar = { IO_MEM, 0, ABAR_SIZE, 1 | 2 | 4, abar_read, abar_write };

/* The same registers through two I/O ports (§3.4), for real-mode firmware. */
static uint64_t idp_read(struct device *dev, uint64_t off, unsigned width)
{
    struct ahci *a = ahci_of(dev);

    if (off == IDP_INDEX)
        return a->s.index;
    return off == IDP_DATA ? reg_read(a, a->s.index) : 0;
}

static void idp_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct ahci *a = ahci_of(dev);

    if (off == IDP_INDEX)
        a->s.index = val & (ABAR_SIZE - 4);
    else if (off == IDP_DATA)
        reg_write(a, a->s.index, val);
}

static const struct io_range idp_io = { IO_PORT, 0, IDP_SIZE, 4, idp_read, idp_write };

/* ---- the device ---- */

static void ahci_sync(struct device *dev)
{
    struct ahci *a = ahci_of(dev);

    ide_drop_gone(&a->host);
    for (unsigned i = 0; i < AHCI_PORTS; i++)
        ide_sync_chan(&a->ch[i]);
    ahci_irq(a);
}

static void ahci_reset(struct device *dev, enum reset_kind kind)
{
    struct ahci *a = ahci_of(dev);

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        a->s.port[i].slot = AHCI_NO_SLOT;
        ide_unit_reset(&a->unit[i]);
        if (kind == RESET_COLD) /* power-on is long past when the guest looks */
            a->unit[i].s->attention = UA_NONE;
    }
    hba_reset(a);
    for (unsigned i = 0; i < AHCI_PORTS; i++) { /* firmware finds the machine's memory at rest */
        if (xfer_lingers(&a->ch[i]))
            block_drain(a->ch[i].req.block);
        ahci_ncq_drain(&a->port[i]);
    }
}

static void ahci_fini(struct device *dev)
{
    struct ahci *a = ahci_of(dev);

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        a->port[i].closing = true;
        ide_chan_fini(&a->ch[i]);
        ahci_ncq_fini(&a->port[i]);
        timer_fini(dev->plat, &a->unit[i].s->standby);
    }
}

static void ahci_wire(struct ahci *a)
{
    a->host.tr = &ahci_transport;
    a->host.sata = true;
    a->host.ch = a->ch;
    a->host.unit = a->unit;
    a->host.nch = a->host.nunits = AHCI_PORTS;
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        struct ide_chan *ch = &a->ch[i];
        struct ide_unit *u = &a->unit[i];

        ch->host = &a->host;
        ch->s = &a->s.port[i].ch;
        ch->unit = u;
        ch->table = (struct dma_table){ &a->host.pci, ahci_fetch };
        u->s = &a->s.port[i].unit;
        u->ch = ch;
        u->number = i;
        a->port[i] =
            (struct ahci_port){ .ahci = a, .s = &a->s.port[i], .ch = ch, .u = u, .index = i };
        timer_init(a->host.pci.dev.plat, &u->s->standby, ata_standby_fired, u);
    }
}

static int ahci_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct ahci *a = ahci_of(dev);
    int rc = 0;

    ahci_wire(a);
    for (unsigned i = 0; !rc && i < AHCI_PORTS; i++) {
        char key[16];

        snprintf(key, sizeof(key), "port%u", i);
        rc = ide_unit_init(&a->unit[i], key, cfg, err);
        if (!rc && a->unit[i].kind == IDE_DISK)
            rc = ahci_ncq_init(&a->port[i], err);
    }
    if (rc)
        ahci_fini(dev);
    return rc;
}

static const struct pci_reg ahci_regs[] = {
    { .off = PCI_STATUS, .len = 1, .init = 0x10 }, /* there are capabilities */
    { .off = 0x34, .len = 1, .init = CFG_MSI },
    { .off = CFG_MSI, .len = 2, .init = CFG_SATA << 8 | 0x05 },
    { .off = CFG_MSI + 2, .len = 2, .init = 0x0080, .writable = MSI_ON }, /* 64-bit, one message */
    { .off = CFG_MSI + 4, .len = 4, .writable = 0xfffffffc },
    { .off = CFG_MSI + 8, .len = 4, .writable = 0xffffffff },
    { .off = CFG_MSI + 12, .len = 2, .writable = 0xffff },
    { .off = 0x90, .len = 1, .init = 0x40 }, /* MAP: AHCI mode */
    { .off = CFG_SATA, .len = 2, .init = 0x0012 },
    { .off = CFG_SATA + 2, .len = 2, .init = 0x0010 },     /* revision 1.0 */
    { .off = CFG_SATA + 4, .len = 4, .init = 0x00000048 }, /* the ports are at BAR 4 + 10h */
    { 0 }
};

const struct pci_type ahci_type = {
    .dev = { .name = "ich9-ahci",
             .version = 2,
             DEVICE_LAYOUT(struct ahci),
             .pci = true,
             .state = ahci_fields,
             .init = ahci_init,
             .fini = ahci_fini,
             .reset = ahci_reset,
             .sync = ahci_sync,
             .check = ahci_check },
    .vendor = 0x8086,
    .device = 0x2922,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = 0x010601,
    .revision = 2,
    .intx = 1,
    .bar = { [4] = &idp_io, [5] = &abar },
    .regs = ahci_regs,
};
