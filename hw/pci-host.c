/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI configuration mechanism 1 (82441FX datasheet §3.1, PCI 2.1 §3.2.2.3.2)
 * and the PIIX3 reset control register RC (82371SB datasheet §2.5.3) that
 * shares its ports: CONFADD answers only 32-bit accesses to 0xcf8, so a byte
 * at 0xcf9 is RC.
 *
 * Only bus 0 exists. Xen decodes configuration cycles itself; there the
 * address port still arrives, and the data ports only while bit 31 is clear.
 * A soft and a hard reset are the same to us. Bits 1:0 of CONFADD are reserved
 * and read as zero; but software that writes the whole register number there and
 * then uses the first data port gets the byte it named, as it does elsewhere.
 */
#include "hw/devices.h"
#include "hw/core/platform.h"
#include "hw/core/state.h"

#define OFF_ADDRESS 0
#define OFF_RC      1
#define OFF_DATA    4

#define CA_ENABLE 0x80000000
#define CA_BITS   0x80ffffff
#define CA_READ   0x80fffffc

#define RC_HARD  0x02
#define RC_RESET 0x04
#define RC_BITS  (RC_HARD | RC_RESET)

struct pci_host {
    struct device dev;
    struct {
        uint32_t address;
        uint32_t rc;
    } s;
};

static const struct field pci_host_state[] = { FIELD(struct pci_host, address, .bits = CA_BITS),
                                               FIELD(struct pci_host, rc, .bits = RC_BITS),
                                               FIELDS_END };

static void write_rc(struct pci_host *h, uint8_t val)
{
    uint8_t risen = val & ~h->s.rc;

    h->s.rc = val & RC_BITS;
    if (risen & RC_RESET)
        platform_power(h->dev.plat, POWER_RESET);
}

/* A configuration cycle; ones where there is none. */
static uint64_t config_cycle(struct pci_host *h, struct io_req req)
{
    unsigned bus = (h->s.address >> 16) & 0xff, devfn = (h->s.address >> 8) & 0xff;

    if ((h->s.address & CA_ENABLE) && bus == 0)
        platform_pci_cfg(h->dev.plat, devfn, (h->s.address & 0xff) | (req.addr & 3), &req);
    return req.data;
}

static uint64_t pci_host_read(struct device *dev, uint64_t off, unsigned width)
{
    struct pci_host *h = container_of(dev, struct pci_host, dev);

    if (off >= OFF_DATA)
        return config_cycle(h, (struct io_req){ IO_PORT, false, width, off, ~0ULL });
    if (off == OFF_ADDRESS && width == 4)
        return h->s.address & CA_READ;
    if (off == OFF_RC)
        return h->s.rc;
    return off == OFF_ADDRESS && width == 2 ? h->s.rc << 8 | 0xff : ~0ULL;
}

static void pci_host_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct pci_host *h = container_of(dev, struct pci_host, dev);

    if (off >= OFF_DATA)
        config_cycle(h, (struct io_req){ IO_PORT, true, width, off, val });
    else if (off == OFF_ADDRESS && width == 4)
        h->s.address = val & CA_BITS;
    else if (off == OFF_RC)
        write_rc(h, val);
    else if (off == OFF_ADDRESS && width == 2)
        write_rc(h, val >> 8);
}

static const struct io_range pci_host_io[] = {
    { IO_PORT, 0xcf8, 8, 1 | 2 | 4, pci_host_read, pci_host_write }, { 0 }
};

const struct device_type pci_host_type = {
    .name = "pci-host",
    .version = 1,
    DEVICE_LAYOUT(struct pci_host),
    .io = pci_host_io,
    .state = pci_host_state,
};
