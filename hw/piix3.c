/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel 82371SB (PIIX3), function 0: the ISA bridge. Intel 290550, chapter 2.2.
 *
 * What works is the routing of PCI interrupts (PIRQRC[A:D]): it is told to the
 * platform, which owns the interrupt controllers. The other registers hold
 * what is written. ELCR (ports 0x4d0, 0x4d1) is the platform's; the DMA
 * controllers, port 0x92 and the reset port 0xcf9 are devices of their own.
 */
#include "hw/devices.h"

#define PIRQRC        0x60
#define PIRQRC_OFF    0x80
#define PIRQRC_IRQ    0x0f
#define LINKS         4
#define ROUTE_UNKNOWN 0xff /* nothing was told to the platform yet */

struct piix3 {
    struct pci_func pci;
    uint8_t told[LINKS];
};

static struct piix3 *piix3_of(struct device *dev)
{
    return container_of(pci_of(dev), struct piix3, pci);
}

static void piix3_sync(struct device *dev)
{
    struct piix3 *p = piix3_of(dev);
    struct platform *plat = dev->plat;

    for (unsigned link = 0; link < LINKS; link++) {
        uint8_t route = p->pci.cfg[PIRQRC + link];
        uint8_t irq = route & PIRQRC_OFF ? 0 : route & PIRQRC_IRQ;

        if (p->told[link] == irq)
            continue;
        p->told[link] = irq;
        if (plat->ops->pci_link)
            plat->ops->pci_link(plat, link, irq);
    }
}

static int piix3_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct piix3 *p = piix3_of(dev);

    for (unsigned link = 0; link < LINKS; link++)
        p->told[link] = ROUTE_UNKNOWN;
    return 0;
}

static const struct pci_reg piix3_regs[] = {
    { 0x04, 2, 0x0007, 0x0108, 0 },         /* PCICMD: the first three are hardwired on */
    { 0x06, 2, 0x0200, 0, 0x7800 },         /* PCISTS: DEVSEL# medium */
    { 0x4c, 1, 0x4d, 0xff, 0 },             /* IORT */
    { 0x4e, 2, 0x0003, 0xffff, 0 },         /* XBCS */
    { 0x60, 4, 0x80808080, 0x8f8f8f8f, 0 }, /* PIRQRC[A:D] */
    { 0x69, 1, 0x02, 0xff, 0 },             /* TOM */
    { 0x6a, 2, 0x0000, 0xffff, 0 },         /* MSTAT */
    { 0x70, 1, 0x80, 0xff, 0 },             /* MBIRQ0 */
    { 0x76, 2, 0x0c0c, 0xffff, 0 },         /* MBDMA0-1 */
    { 0x78, 2, 0x0002, 0xffff, 0 },         /* PCSC */
    { 0x80, 1, 0x00, 0x7f, 0 },             /* APICBASE */
    { 0x82, 1, 0x00, 0x0f, 0 },             /* DLC */
    { 0xa0, 1, 0x08, 0x1f, 0 },             /* SMICNTL */
    { 0xa2, 2, 0x0000, 0xffff, 0 },         /* SMIEN */
    { 0xa4, 4, 0x00000000, 0xffffffff, 0 }, /* SEE */
    { 0xa8, 1, 0x0f, 0xff, 0 },             /* FTMR */
    { 0xaa, 2, 0x0000, 0xffff, 0 },         /* SMIREQ */
    { 0xac, 1, 0x00, 0xff, 0 },             /* CTLTMR */
    { 0xae, 1, 0x00, 0xff, 0 },             /* CTHTMR */
    { 0 }
};

const struct pci_type piix3_type = {
    .dev = { .name = "PIIX3",
             .version = 1,
             .size = sizeof(struct piix3),
             .pci = true,
             .init = piix3_init,
             .sync = piix3_sync },
    .vendor = 0x8086,
    .device = 0x7000,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = 0x060100,
    .multifunction = true,
    .regs = piix3_regs,
};
