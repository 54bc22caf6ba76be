/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices driven with some sense, so that the nonsense gets deep into them. */
#include "tests/fuzz/mad-impl.h"

void ide_command(struct mad *f)
{
    static const uint8_t cmds[] = { 0xa0, 0xa0, 0x20, 0x30, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0x25,
                                    0x35, 0x24, 0xec, 0xa1, 0xef, 0xe7, 0xb0, 0x08, 0x90, 0x29,
                                    0x39, 0xea, 0x91, 0x10, 0xe0, 0x40, 0xf8, 0x00 };
    bool second = below(f, 3) == 0;
    uint16_t base = second ? 0x170 : 0x1f0, bm = second ? 0xc008 : 0xc000;

    io(f, IO_PORT, true, base + 0x206, 0, 1);
    io(f, IO_PORT, true, base + 6, 0x40 | (below(f, 2) << 4), 1);
    for (unsigned i = 1; i < 6; i++)
        io(f, IO_PORT, true, base + i, below(f, 2) ? any(f) & 3 : any(f), 1);
    if (below(f, 2))
        io(f, IO_PORT, true, base + 1, 1, 1); /* a packet by DMA */
    io(f, IO_PORT, true, bm + 4, ram_addr(f), 4);
    io(f, IO_PORT, true, base + 7, cmds[below(f, sizeof(cmds))], 1);
    io(f, IO_PORT, true, bm, 1 | (any(f) & 8), 1);
    for (unsigned i = below(f, 600); i > 0; i--)
        io(f, IO_PORT, i & 1, base, value(f), 4);
}

void cd_packet(struct mad *f)
{
    static const uint8_t ops[] = { 0x00, 0x03, 0x12, 0x15, 0x1a, 0x1b, 0x1e, 0x23, 0x25, 0x28,
                                   0x2b, 0x2f, 0x42, 0x43, 0x46, 0x4a, 0x51, 0x52, 0x55, 0x5a,
                                   0xa8, 0xad, 0xb9, 0xbb, 0xbd, 0xbe, 0xa4, 0x4e };
    bool dma = below(f, 2);
    uint8_t p[12] = { ops[below(f, sizeof(ops))] };

    io(f, IO_PORT, true, 0x376, 0, 1);
    io(f, IO_PORT, true, 0x176, 0x40, 1);
    io(f, IO_PORT, true, 0x171, dma, 1);
    io(f, IO_PORT, true, 0x174, value(f), 1);
    io(f, IO_PORT, true, 0x175, below(f, 2) ? 8 : value(f), 1);
    io(f, IO_PORT, true, 0xc00c, ram_addr(f), 4);
    io(f, IO_PORT, true, 0x177, 0xa0, 1);
    for (unsigned i = 1; i < 12; i++)
        p[i] = below(f, 3) ? below(f, 3) : any(f);
    if (below(f, 2))
        p[2] = p[3] = p[4] = p[6] = p[7] = 0; /* there is a disc under such addresses */
    for (unsigned i = 0; i < 12; i += 2)
        io(f, IO_PORT, true, 0x170, p[i] | p[i + 1] << 8, 2);
    if (dma)
        io(f, IO_PORT, true, 0xc008, 9, 1);
    if (below(f, 2))
        loop_step(f->t);
    for (unsigned i = below(f, 1200); i > 0; i--)
        io(f, IO_PORT, p[0] == 0x15 || p[0] == 0x55, 0x170, below(f, 2), 4);
}

uint32_t mad_window(struct mad *f, const char *id, unsigned bar)
{
    const struct device *dev = machine_find(&f->m, id);

    return dev ? container_of(dev, const struct pci_func, dev)->mapped[bar] : 0;
}

/* A list of commands for the disk (port 0) or the CD (port 3), some with sense, some issued at
 * once. */
void ahci_command(struct mad *f)
{
    static const uint8_t cmds[] = { 0x60, 0x61, 0x60, 0x61, 0x25, 0x35, 0xc8, 0xca,
                                    0x20, 0x30, 0xec, 0xa0, 0xa0, 0xa1, 0x2f, 0xef,
                                    0xea, 0x06, 0xb0, 0x40, 0x00, 0x3d };
    uint32_t base = mad_window(f, "ahci", 5), port = below(f, 2) ? 0x280 : 0x100;
    uint32_t list = ram_addr(f) & ~0x3ffu, table = ram_addr(f) & ~0x7fu, slots = 0;

    if (!base)
        return;
    io(f, IO_MEM, true, base + 4, 0x80000002, 4);
    io(f, IO_MEM, true, base + port, list, 4);
    io(f, IO_MEM, true, base + port + 8, ram_addr(f) & ~0xffu, 4);
    io(f, IO_MEM, true, base + port + 0x14, below(f, 2) ? 0xffffffff : value(f), 4);
    io(f, IO_MEM, true, base + port + 0x18, below(f, 8) ? 0x11 : value(f), 4);
    for (unsigned i = below(f, 6); i > 0; i--) {
        uint32_t slot = below(f, 32), fis = 0x8027 | (uint32_t)cmds[below(f, sizeof(cmds))] << 16;

        mad_poke(f, list + slot * 32,
                 (below(f, 8) ? 5 : below(f, 32)) | (value(f) & 0xffe0) | below(f, 4) << 16);
        mad_poke(f, list + slot * 32 + 8, table);
        mad_poke(f, list + slot * 32 + 12, 0);
        mad_poke(f, table, fis | below(f, 256) << 24);
        mad_poke(f, table + 4, 0x40000000 | below(f, 1 << 16));
        mad_poke(f, table + 8, below(f, 8) ? 0 : value(f));
        mad_poke(f, table + 12, (slot << 3) | below(f, 4) << 8);
        mad_poke(f, table + 0x40, cmds[below(f, sizeof(cmds))] | (value(f) & 0xff00));
        for (unsigned k = 0; k < 3; k++) {
            mad_poke(f, table + 0x80 + 16 * k, ram_addr(f));
            mad_poke(f, table + 0x84 + 16 * k, 0);
            mad_poke(f, table + 0x8c + 16 * k, below(f, 4) ? below(f, 0x10000) : value(f));
        }
        slots |= 1u << slot;
        table = ram_addr(f) & ~0x7fu;
    }
    if (below(f, 2))
        io(f, IO_MEM, true, base + port + 0x34, slots, 4);
    io(f, IO_MEM, true, base + port + 0x38, slots, 4);
    if (below(f, 3) == 0)
        io(f, IO_MEM, true, base + port + 4 * below(f, 16), value(f), 4);
}

void e1000_ring(struct mad *f)
{
    static const uint16_t regs[] = { 0x0000, 0x0008, 0x0014, 0x0018, 0x0020, 0x0028, 0x0038, 0x00c0,
                                     0x00c4, 0x00c8, 0x00d0, 0x00d8, 0x0100, 0x0170, 0x0400, 0x0410,
                                     0x1000, 0x2800, 0x2804, 0x2808, 0x2810, 0x2818, 0x2820, 0x282c,
                                     0x3800, 0x3804, 0x3808, 0x3810, 0x3818, 0x3820, 0x3828, 0x5000,
                                     0x5400, 0x5404, 0x5200, 0x5600, 0x5800, 0x5820 };
    uint32_t base = mad_window(f, "e1000", 0), dir = below(f, 2) ? 0x2800 : 0x3800;

    if (!base)
        return;
    for (unsigned i = below(f, 4); i > 0; i--)
        io(f, IO_MEM, below(f, 4), base + regs[below(f, sizeof(regs) / sizeof(regs[0]))], value(f),
           4);
    io(f, IO_MEM, true, base + dir, ram_addr(f), 4);
    io(f, IO_MEM, true, base + dir + 4, 0, 4);
    io(f, IO_MEM, true, base + dir + 8, below(f, 4) ? 0x1000 : value(f), 4);
    io(f, IO_MEM, true, base + dir + 0x10, below(f, 256), 4);
    io(f, IO_MEM, true, base + 0x0100, below(f, 2) ? 0x801e : value(f), 4);
    io(f, IO_MEM, true, base + 0x0400, below(f, 4) ? 0x0a : value(f), 4);
    io(f, IO_MEM, true, base + dir + 0x18, below(f, 4) ? below(f, 256) : value(f), 4);
}

void rtl8139_ring(struct mad *f)
{
    uint32_t base = mad_window(f, "rtl8139", 1);

    if (!base)
        return;
    io(f, IO_MEM, true, base + 0x37, below(f, 4) ? 0x0c : value(f), 1);
    io(f, IO_MEM, true, base + 0x40, below(f, 2) ? value(f) : 0x60000, 4);
    io(f, IO_MEM, true, base + 0x44, below(f, 2) ? value(f) : 0xf80f, 4);
    io(f, IO_MEM, true, base + 0x30, ram_addr(f), 4);
    io(f, IO_MEM, true, base + 0xe0, below(f, 2) ? 3 : value(f), 2);
    io(f, IO_MEM, true, base + 0x20, ram_addr(f), 4);
    io(f, IO_MEM, true, base + 0x24, 0, 4);
    io(f, IO_MEM, true, base + 0x28, ram_addr(f), 4);
    io(f, IO_MEM, true, base + 0x2c, 0, 4);
    io(f, IO_MEM, true, base + 0xe4, ram_addr(f), 4);
    io(f, IO_MEM, true, base + 0xe8, 0, 4);
    for (unsigned i = 0; i < 4; i++)
        io(f, IO_MEM, true, base + 0x10 + 4 * i, value(f), 4);
    io(f, IO_MEM, true, base + 0xd9, value(f), 1);
    io(f, IO_MEM, true, base + 0x38, value(f), 2);
}

/* A READ by the pins of 9346CR, and more clocks than there are words. */
void rtl8139_eeprom(struct mad *f)
{
    uint32_t base = mad_window(f, "rtl8139", 1), bits = 0x180 | below(f, 64);
    unsigned clocks = 9 + 16 * below(f, 140);

    if (!base)
        return;
    io(f, IO_MEM, true, base + 0x50, 0x80, 1);
    for (unsigned i = 0; i < clocks; i++) {
        uint8_t in = i < 9 ? (bits >> (8 - i) & 1) << 1 : 0;

        io(f, IO_MEM, true, base + 0x50, 0x88 | in, 1);
        io(f, IO_MEM, true, base + 0x50, 0x8c | in, 1);
    }
    io(f, IO_MEM, true, base + 0x50, 0x80, 1);
}

static void pcnet_csr(struct mad *f, uint32_t base, unsigned reg, uint16_t val)
{
    io(f, IO_MEM, true, base + 0x12, reg, 2);
    io(f, IO_MEM, true, base + 0x10, val, 2);
}

static uint32_t pcnet_desc(struct mad *f, bool tx)
{
    uint32_t own = below(f, 8) ? 0x80000000 : 0,
             ends = (below(f, 4) << 24) | (below(f, 8) ? 0 : 0x300);

    return own | ends | (tx ? 0x0200f000 : 0xf000) | (below(f, 4) ? below(f, 0x1000) : value(f));
}

/* Initialization block, rings of junk with OWN set, start; in words or dwords, any style. */
void pcnet_ring(struct mad *f)
{
    uint32_t base = mad_window(f, "pcnet", 1), block = ram_addr(f) & ~15u;
    uint32_t rx = ram_addr(f) & ~15u, tx = ram_addr(f) & ~15u;
    unsigned style = below(f, 4);

    if (!base)
        return;
    pcnet_csr(f, base, 0, 4);
    io(f, IO_MEM, true, base + 0x12, 20, 2);
    io(f, IO_MEM, true, base + 0x16, style, 2);
    mad_poke(f, block,
             style ? below(f, 256) << 24 | below(f, 256) << 16 | (value(f) & 0xe04f) : value(f));
    mad_poke(f, block + 4, value(f));
    for (unsigned i = 8; i < 28; i += 4)
        mad_poke(f, block + i, style || i < 16 ? value(f) : rx | any(f) << 29);
    if (style) {
        mad_poke(f, block + 20, rx);
        mad_poke(f, block + 24, tx);
    }
    for (unsigned i = 0; i < 16; i++) {
        mad_poke(f, rx + 16 * i, ram_addr(f));
        mad_poke(f, rx + 16 * i + 4, pcnet_desc(f, false));
        mad_poke(f, tx + 16 * i, ram_addr(f));
        mad_poke(f, tx + 16 * i + 4, pcnet_desc(f, true));
        mad_poke(f, tx + 16 * i + 8, ram_addr(f));
    }
    pcnet_csr(f, base, 1, block);
    pcnet_csr(f, base, 2, block >> 16);
    pcnet_csr(f, base, 4, value(f));
    pcnet_csr(f, base, 0, below(f, 4) ? 0x43 : value(f));
    for (unsigned i = below(f, 4); i > 0; i--)
        pcnet_csr(f, base, below(f, 128), value(f));
    pcnet_csr(f, base, 0, 0x48);
    if (below(f, 16) == 0)
        io(f, IO_MEM, false, base + 0x14, 0, 2);
}

/* A ring, a packet by remote DMA, and its transmission. */
void ne2000_packet(struct mad *f)
{
    static const uint8_t setup[][2] = { { 0x0e, 0x49 }, { 0x01, 0x4c }, { 0x02, 0xc0 },
                                        { 0x03, 0x4c }, { 0x0c, 0x1c }, { 0x0d, 0 },
                                        { 0x04, 0x40 }, { 0x0f, 0x7f } };
    uint32_t base = mad_window(f, "ne2k_pci", 0);

    if (!base)
        return;
    io(f, IO_PORT, true, base, below(f, 2) ? 0x21 : 0x22, 1);
    for (unsigned i = 0; i < sizeof(setup) / sizeof(setup[0]); i++)
        io(f, IO_PORT, true, base + setup[i][0], below(f, 8) ? setup[i][1] : value(f), 1);
    for (unsigned i = 5; i < 12; i++)
        io(f, IO_PORT, true, base + i, i == 9 ? 0x40 : i == 7 ? 0xff : value(f), 1);
    io(f, IO_PORT, true, base, 0x62, 1);
    io(f, IO_PORT, true, base + 7, below(f, 4) ? 0x4d : value(f), 1);
    io(f, IO_PORT, true, base, 0x02 | (1 + below(f, 3)) << 3, 1);
    for (unsigned i = below(f, 400); i > 0; i--)
        io(f, IO_PORT, below(f, 2), base + 0x10, any(f), 1u << below(f, 3));
    io(f, IO_PORT, true, base, below(f, 4) ? 0x26 : value(f), 1);
    for (unsigned i = below(f, 8); i > 0; i--)
        io(f, IO_PORT, below(f, 2), base + below(f, 32), value(f), 1);
}

void vbe_mode(struct mad *f)
{
    for (unsigned i = 1; i <= 9; i++) {
        unsigned reg = i == 4 ? 9 : i == 9 ? 4 : i;

        io(f, IO_PORT, true, 0x1ce, reg, 2);
        io(f, IO_PORT, true, 0x1cf,
           reg == 3      ? 8 * (1 + below(f, 4))
           : reg == 4    ? 0x41 | value(f)
           : below(f, 3) ? below(f, 4100)
                         : value(f),
           2);
    }
}

void vga_mode(struct mad *f)
{
    static const struct {
        uint16_t index, data, n;
    } bank[] = { { 0x3c4, 0x3c5, 5 }, { 0x3ce, 0x3cf, 9 }, { 0x3d4, 0x3d5, 25 } };

    io(f, IO_PORT, true, 0x1ce, 4, 2);
    io(f, IO_PORT, true, 0x1cf, 0, 2);
    io(f, IO_PORT, true, 0x3c2, 0x63, 1);
    io(f, IO_PORT, true, 0x3d4, 0x11, 2);
    for (unsigned b = 0; b < 3; b++)
        for (unsigned i = 0; i < bank[b].n; i++)
            io(f, IO_PORT, true, bank[b].index, i | (value(f) & 0xff) << 8, 2);
    io(f, IO_PORT, true, 0x3c4, 0x0302 | below(f, 16) << 8, 2);
    io(f, IO_PORT, true, 0x3ce, 0x0006 | below(f, 16) << 8, 2);
    io(f, IO_PORT, false, 0x3da, 0, 1);
    for (unsigned i = 0; i < 42; i++)
        io(f, IO_PORT, true, 0x3c0, i & 1 ? value(f) : i / 2, 1);
    io(f, IO_PORT, true, 0x3c0, 0x20, 1);
    for (unsigned i = 0; i < 50; i++)
        io(f, IO_MEM, below(f, 3), 0xa0000 + below(f, 0x20000), any64(f), 1u << below(f, 4));
}

/* A blit of the Cirrus, mostly small, and data for it wherever data may go; the rest of its
 * registers now and then. */
void cirrus_blit(struct mad *f)
{
    uint32_t lfb = mad_window(f, "cirrus", 0), regs = mad_window(f, "cirrus", 1);

    if (!lfb || !regs)
        return;
    io(f, IO_PORT, true, 0x3c4, 0x1206, 2);
    io(f, IO_PORT, true, 0x3c4, 0x0007 | below(f, 16) << 8, 2);
    if (below(f, 4) == 0) {
        io(f, IO_PORT, true, 0x3c4, below(f, 256) | (value(f) & 0xff) << 8, 2);
        io(f, IO_PORT, true, 0x3ce, below(f, 64) | (value(f) & 0xff) << 8, 2);
        io(f, IO_PORT, true, 0x3d4, below(f, 64) | (value(f) & 0xff) << 8, 2);
        io(f, IO_PORT, true, 0x3c4, (below(f, 2) ? 0x2417 : 0x6417), 2);
    }
    for (unsigned i = 0; i < 8; i++)
        io(f, IO_MEM, true, regs + 0x100 + i, any(f), 1);
    io(f, IO_MEM, true, regs + 0x108, below(f, below(f, 8) ? 200 : 8192) | below(f, 64) << 16, 4);
    io(f, IO_MEM, true, regs + 0x10c, any(f), 4);
    io(f, IO_MEM, true, regs + 0x114, any(f), 4);
    io(f, IO_MEM, true, regs + 0x118, any(f), 4);
    if (below(f, 2))
        io(f, IO_MEM, true, regs + 0x118, any(f), 1);
    io(f, IO_MEM, true, regs + 0x11a, below(f, 4) ? 0x0d : any(f), 1);
    io(f, IO_MEM, true, regs + 0x110, any(f), 4);
    io(f, IO_MEM, true, regs + 0x140, below(f, 8) ? 2 : value(f), 1);
    for (unsigned i = below(f, 100); i > 0; i--) {
        uint32_t at = below(f, 2) ? 0xa0000 + below(f, 0x20000) : lfb + below(f, 0x2000000);

        io(f, IO_MEM, below(f, 4), at, any64(f), 1u << below(f, 4));
    }
}

void ps2(struct mad *f)
{
    static const uint8_t cmds[] = { 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xee, 0xf0, 0xf2,
                                    0xf3, 0xf4, 0xf5, 0xf6, 0xff, 200,  100,  80,   0xed, 0xfb };

    for (unsigned i = 0; i < 6; i++) {
        if (below(f, 3))
            io(f, IO_PORT, true, 0x64, 0xd4, 1);
        io(f, IO_PORT, true, 0x60, below(f, 4) ? cmds[below(f, sizeof(cmds))] : value(f), 1);
        if (below(f, 2))
            io(f, IO_PORT, false, 0x60, 0, 1);
    }
    if (below(f, 4) == 0)
        io(f, IO_PORT, true, 0x64, value(f), 1);
}

void cmos(struct mad *f)
{
    io(f, IO_PORT, true, 0x70 + 2 * below(f, 2), below(f, 128), 1);
    io(f, IO_PORT, below(f, 2), 0x71 + 2 * below(f, 2), value(f), 1);
}

void smbus(struct mad *f)
{
    for (unsigned i = 0; i < 16; i++)
        io(f, IO_PORT, below(f, 3), 0xb100 + below(f, 16), value(f), 1);
}

/* A command of the floppy controller that may work, with its DMA channel, and maybe its data. */
void floppy_command(struct mad *f)
{
    static const uint8_t codes[] = { 0xe6, 0x46, 0xc5, 0x4d, 0x4a, 0x56, 0x42, 0x0c, 0x0f, 0x07,
                                     0x08, 0x03, 0x13, 0x8f, 0x0e, 0x8e, 0x12, 0x94, 0x04 };
    uint32_t addr = ram_addr(f), len = below(f, 4) ? 512 * (1 + below(f, 36)) : value(f);
    uint8_t code = below(f, 8) ? codes[below(f, sizeof(codes))] : value(f);

    io(f, IO_PORT, true, 0x3f2, below(f, 4) ? 0x1c : value(f), 1);
    io(f, IO_PORT, true, 0x3f7, below(f, 8) ? 0 : value(f), 1);
    io(f, IO_PORT, true, 0x0c, 0, 1);
    io(f, IO_PORT, true, 0x0b, below(f, 2) ? 0x46 : 0x4a, 1);
    for (unsigned i = 0; i < 2; i++)
        io(f, IO_PORT, true, 0x04, addr >> 8 * i & 0xff, 1);
    for (unsigned i = 0; i < 2; i++)
        io(f, IO_PORT, true, 0x05, (len - 1) >> 8 * i & 0xff, 1);
    io(f, IO_PORT, true, 0x81, addr >> 16 & 0xff, 1);
    io(f, IO_PORT, true, 0x0a, below(f, 8) ? 0x02 : 0x06, 1);
    io(f, IO_PORT, true, 0x3f5, code, 1);
    for (unsigned i = 1; i < 9; i++) {
        static const uint8_t good[] = { 0, 0, 0, 0, 1, 2, 18, 27, 255 };

        io(f, IO_PORT, true, 0x3f5, below(f, 6) ? good[i] : value(f), 1);
    }
    loop_step(f->t);
    for (unsigned i = below(f, 600); i > 0; i--)
        io(f, IO_PORT, below(f, 8) == 0, 0x3f5, value(f), 1);
}

/* A queue of transfers that a device may understand, in every frame or in one. */
void usb_schedule(struct mad *f)
{
    static const uint8_t pids[] = { 0x2d, 0x69, 0x69, 0x69, 0xe1 };
    static const uint8_t setups[][8] = {
        { 0x00, 5, 1 },
        { 0x00, 9, 1 },
        { 0x80, 6, 0, 1, 0, 0, 18 },
        { 0x80, 6, 2, 3, 9, 4, 255 },
        { 0x81, 6, 0, 0x22, 0, 0, 255 },
        { 0x21, 9, 0, 2, 0, 0, 1 },
        { 0x21, 10, 0, 1 },
        { 0xa1, 1, 0, 1, 0, 0, 8 },
        { 0x02, 3, 0, 0, 0x81 },
        { 0x00, 3, 1 },
    };
    const uint8_t *setup = setups[below(f, 10)];
    uint32_t base = mad_window(f, below(f, 4) ? "piix3-usb" : "piix3-usb-uhci", 4);
    uint32_t list = ram_addr(f) & ~0xfffu, qh = ram_addr(f) & ~0xfu, td = ram_addr(f) & ~0xfu;
    unsigned port = 0x10 + 2 * below(f, 2), n = 1 + below(f, 4), addr = below(f, 2);

    if (!base)
        return;
    io(f, IO_PORT, true, base + port, below(f, 6) ? 4 : value(f), 2);
    if (below(f, 24) == 0)
        io(f, IO_PORT, true, base + port, 0x200, 2);
    mad_poke(f, qh, below(f, 4) ? 1 : qh | 2);
    mad_poke(f, qh + 4, td);
    for (unsigned i = 0; i < n; i++) {
        uint8_t pid = i || !below(f, 4) ? pids[below(f, 5)] : 0x2d;
        uint32_t len = pid == 0x2d ? 7 : below(f, 8) ? (below(f, 9) - 1) & 0x7ff : below(f, 0x800);

        mad_poke(f, td + 32 * i, i + 1 < n ? (td + 32 * (i + 1)) | below(f, 2) * 4 : 1);
        mad_poke(f, td + 32 * i + 4, below(f, 16) ? 0x18800000 | (any(f) & 0x21000000) : any(f));
        mad_poke(f, td + 32 * i + 8,
                 pid | addr << 8 | (below(f, 2) ? 0 : below(f, 3) << 15) | len << 21);
        mad_poke(f, td + 32 * i + 12, pid == 0x2d ? qh + 16 : ram_addr(f));
    }
    mad_poke(f, qh + 16, setup[0] | setup[1] << 8 | setup[2] << 16 | (uint32_t)setup[3] << 24);
    mad_poke(f, qh + 20, setup[4] | setup[6] << 16);
    for (unsigned i = 0; i < 1024; i++)
        mad_poke(f, list + 4 * i, i % 512 == 300 && !below(f, 8) ? value(f) : i & 7 ? qh | 2 : 1);
    io(f, IO_PORT, true, base + 8, list, 4);
    io(f, IO_PORT, true, base + 4, value(f), 2);
    io(f, IO_PORT, true, base, below(f, 16) ? 0xc1 : value(f), 2);
    for (unsigned i = below(f, 6); i > 0; i--) {
        clock_on(f);
        input(f);
    }
}

void flash_command(struct mad *f)
{
    static const uint8_t cmds[] = { 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90, 0x98, 0xd0, 0xe8 };
    uint32_t at = 0xffff0000u + below(f, 0x10000);
    unsigned n = below(f, 8);

    io(f, IO_MEM, true, at, 0xff, 1); /* whatever came before */
    io(f, IO_MEM, true, at, cmds[below(f, sizeof(cmds))], 1);
    io(f, IO_MEM, true, at, below(f, 2) ? n : 0xd0, 1);
    for (unsigned i = 0; i <= n; i++)
        io(f, IO_MEM, true, below(f, 16) ? at + i : value(f), value(f), 1);
    io(f, IO_MEM, true, at, below(f, 4) ? 0xd0 : value(f), 1);
    io(f, IO_MEM, false, at, 0, 4);
}
