/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sound cards driven with some sense, so that the nonsense gets deep into them. */
#include "hw/core/pci.h"
#include "tests/fuzz/mad-impl.h"

static uint32_t ports_of(struct mad *f, const char *id, unsigned bar)
{
    const struct device *dev = machine_find(&f->m, id);

    return dev ? container_of(dev, const struct pci_func, dev)->mapped[bar] : 0;
}

/* A list of buffers, many of them short or empty, and a bus master that runs along it. */
void ac97_list(struct mad *f)
{
    uint32_t nam = ports_of(f, "AC97", 0), nabm = ports_of(f, "AC97", 1), list = ram_addr(f);
    uint32_t master = nabm + 16 * below(f, 3);

    if (!nam || !nabm)
        return;
    for (unsigned i = 0; i < 32; i++) {
        mad_poke(f, list + 8 * i, below(f, 8) ? ram_addr(f) : value(f));
        mad_poke(f, list + 8 * i + 4,
                 below(f, 4) << 30 | (below(f, 4) ? below(f, 400) : below(f, 3) * 0x7fff));
    }
    io(f, IO_PORT, true, nam + (below(f, 2) ? 0x2a : 2 * below(f, 64)), value(f), 2);
    io(f, IO_PORT, true, nam + 0x2c + 2 * below(f, 5), value(f), 2);
    if (below(f, 2))
        io(f, IO_PORT, true, nam + (below(f, 2) ? 0x02 : 0x18), value(f) & 0x1f1f, 2);
    if (below(f, 4) == 0)
        io(f, IO_PORT, true, master + 0xb, 2, 1);
    io(f, IO_PORT, true, master, list, 4);
    io(f, IO_PORT, true, master + 5, value(f), 1);
    io(f, IO_PORT, true, master + 0xb, below(f, 4) ? 0x1d : value(f), 1);
    for (unsigned i = below(f, 20); i > 0; i--) {
        if (below(f, 2))
            clock_on(f);
        io(f, IO_PORT, below(f, 2), nabm + below(f, 64), value(f), 1u << below(f, 3));
    }
}

/* Buffers of all sizes for its three streams, which begin, pause and end. */
void es1370_frames(struct mad *f)
{
    uint32_t ports = ports_of(f, "ES1370", 0), page = 0x0c + below(f, 2);

    if (!ports)
        return;
    io(f, IO_PORT, true, ports + 0x0c, below(f, 8) ? page : value(f), 4);
    for (unsigned i = 0; i < 2; i++) {
        io(f, IO_PORT, true, ports + 0x30 + 8 * i, below(f, 8) ? ram_addr(f) : value(f), 4);
        io(f, IO_PORT, true, ports + 0x34 + 8 * i, below(f, 2) ? below(f, 300) : value(f), 4);
    }
    for (unsigned i = 0; i < 3; i++)
        io(f, IO_PORT, true, ports + 0x24 + 4 * i, below(f, 2) ? below(f, 300) : value(f), 4);
    io(f, IO_PORT, true, ports + 0x20, below(f, 2) ? 0x73f & value(f) : value(f), 4);
    io(f, IO_PORT, true, ports, below(f, 2) ? 0x001e3070 : value(f), 4);
    for (unsigned i = below(f, 6); i > 0; i--)
        io(f, IO_PORT, true, ports + 0x10, below(f, 0x20) << 8 | below(f, 256), 2);
    for (unsigned i = below(f, 20); i > 0; i--) {
        if (below(f, 2))
            clock_on(f);
        io(f, IO_PORT, below(f, 2), ports + below(f, 64), value(f), 1u << below(f, 3));
    }
}

/* Whole DSP commands, with one of the card's DMA channels set up. */
void sb16_block(struct mad *f)
{
    static const uint8_t start[] = { 0x14, 0x1c, 0x24, 0x2c, 0x75, 0x7f, 0x80, 0x90,
                                     0xb0, 0xb6, 0xb8, 0xc0, 0xc4, 0xc8, 0xce };
    bool words = below(f, 2);
    uint32_t chip = words ? 0xc0 : 0x00, step = words ? 2 : 1, addr = ram_addr(f) >> words;

    io(f, IO_PORT, true, chip + 0x0c * step, 0, 1);
    io(f, IO_PORT, true, chip + 0x0b * step, (value(f) & 0xbc) | 1, 1);
    io(f, IO_PORT, true, chip + 2 * step, addr, 1);
    io(f, IO_PORT, true, chip + 2 * step, addr >> 8, 1);
    io(f, IO_PORT, true, words ? 0x8b : 0x83, addr >> (16 - words), 1);
    io(f, IO_PORT, true, chip + 3 * step, below(f, 2) ? below(f, 100) : value(f), 1);
    io(f, IO_PORT, true, chip + 3 * step, below(f, 4), 1);
    io(f, IO_PORT, true, chip + 0x0a * step, 1, 1);
    if (below(f, 4) == 0)
        io(f, IO_PORT, true, 0x226, below(f, 2), 1);
    io(f, IO_PORT, true, 0x22c, below(f, 2) ? 0x40 : 0x41, 1);
    io(f, IO_PORT, true, 0x22c, value(f), 1);
    io(f, IO_PORT, true, 0x22c, below(f, 4) ? start[below(f, sizeof(start))] : value(f), 1);
    for (unsigned i = below(f, 5); i > 0; i--)
        io(f, IO_PORT, true, 0x22c, below(f, 2) ? below(f, 2) : value(f), 1);
    for (unsigned i = below(f, 20); i > 0; i--) {
        if (below(f, 2))
            clock_on(f);
        io(f, IO_PORT, below(f, 2), 0x220 + below(f, 16), value(f), 1u << below(f, 3));
    }
}
