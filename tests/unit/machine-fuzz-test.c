/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole machine with a guest gone mad in it: any access to any window,
 * config cycles that move windows about, rings and PRD tables of junk, keys,
 * frames, resets, restores from good and from spoilt images. After every step
 * each device must be in a state that its table allows. Run with sanitizers.
 *
 *   MACHINE_FUZZ_SEED=n      another run than the usual one
 *   MACHINE_FUZZ_SECONDS=n   how long, instead of the usual number of steps
 *   MACHINE_FUZZ_TIMES=1     print the longest call of each kind (CPU time)
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "block/block.h"
#include "display/display.h"
#include "hw/core/buf.h"
#include "hw/core/sink.h"
#include "hw/ide.h"
#include "hw/machine.h"
#include "hw/piix4-pm.h"
#include "net/net.h"
#include "tests/unit/qt.h"
#include "tests/unit/random.h"

#define STEPS 60000
#define DISKS 2
#define CD    2 /* unit; the disks are 0 and 1 */
#define SINKS 4

enum timed { T_PORT, T_MEM, T_CONFIG, T_TIMERS, T_DRAW, T_FRAMES, T_RESET, T_KINDS };

struct fuzz {
    struct qt          *t;
    struct machine      m;
    struct machine_spec spec;
    struct block       *blk[3];
    struct net         *net[2];
    struct display     *display;
    struct sink         sink[SINKS];
    uint64_t            seed;
    bool                failed;
    struct {
        int64_t  ns;
        uint64_t addr, data;
        unsigned width;
        bool     write;
    } worst[T_KINDS];
};

static bool always_looking(void *viewer)
{
    return true;
}

static void seen(void *viewer, const struct surface *s, struct rect r)
{
}

static const struct viewer_ops viewer = { .damaged = seen, .looking = always_looking };

/* ---- the world ---- */

static struct config *add(struct fuzz *f, const char *type, const char *id)
{
    return machine_spec_add(&f->spec, type, id);
}

static void add_sink(struct fuzz *f, unsigned i, const char *type, const char *id)
{
    struct config  how = { 0 };
    struct config *cfg = add(f, type, id);
    struct err     err;

    config_set(&how, "sink", "mem:");
    CHECK(sink_open(&f->sink[i], NULL, &how, "sink", &err) == 0);
    config_free(&how);
    config_set_obj(cfg, "sink", &f->sink[i]);
    if (!strcmp(id, "serial1"))
        config_set(cfg, "index", "1");
}

static void add_drives(struct fuzz *f)
{
    static const uint64_t size[] = { 8 << 20, 70000 * 512, 4 << 20 };
    struct config        *ide = add(f, "piix3-ide", "ide");

    for (unsigned i = 0; i < 3; i++) {
        char key[16], kind[24];

        f->blk[i] = block_open_mem(f->t->plat.loop, size[i]);
        snprintf(key, sizeof(key), "drive%u", i);
        snprintf(kind, sizeof(kind), "drive%u.kind", i);
        config_set_obj(ide, key, f->blk[i]);
        config_set(ide, kind, i == CD ? "cdrom" : "disk");
    }
}

static void add_cards(struct fuzz *f)
{
    static const char *const type[] = { "rtl8139", "e1000" };
    struct config           *vga = add(f, "VGA", "vga");
    struct err               err;

    config_set_obj(vga, "display", f->display);
    config_set(vga, "romfile", "");
    config_set(vga, "vgamem_mb", "8");
    for (unsigned i = 0; i < 2; i++) {
        f->net[i] = net_open_mem(&err);
        config_set_obj(add(f, type[i], type[i]), "net", f->net[i]);
    }
}

static void build(struct fuzz *f)
{
    struct err err = { "" };
    int        rc = machine_build(&f->m, &f->t->plat, &f->spec, &err);

    if (rc)
        fprintf(stderr, "%s\n", err.msg);
    CHECK(rc == 0);
}

static void start(struct fuzz *f, uint64_t seed)
{
    f->seed = seed;
    f->t = qt_new();
    f->display = display_new(NULL);
    display_add_viewer(f->display, &viewer, f);
    add_drives(f);
    config_set_obj(add(f, "i8042", "i8042"), "display", f->display);
    add(f, "PIIX4_PM", "pm");
    add(f, "xen-platform", "platform");
    add_sink(f, 0, "isa-serial", "serial0");
    add_sink(f, 1, "isa-serial", "serial1");
    add_sink(f, 2, "isa-parallel", "parallel0");
    add_sink(f, 3, "isa-debugcon", "debugcon");
    add_cards(f);
    build(f);
}

static void finish(struct fuzz *f)
{
    machine_free(&f->m);
    for (unsigned i = 0; i < 3; i++)
        block_close(f->blk[i]);
    for (unsigned i = 0; i < 2; i++)
        net_close(f->net[i]);
    for (unsigned i = 0; i < SINKS; i++)
        sink_close(&f->sink[i]);
    display_remove_viewer(f->display, f);
    display_free(f->display);
    machine_spec_free(&f->spec);
}

static int64_t cpu_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void note(struct fuzz *f, enum timed kind, int64_t began, const struct io_req *req)
{
    int64_t ns = cpu_now() - began;

    if (ns <= f->worst[kind].ns)
        return;
    f->worst[kind].ns = ns;
    if (!req)
        return;
    f->worst[kind].addr = req->addr;
    f->worst[kind].data = req->data;
    f->worst[kind].width = req->width;
    f->worst[kind].write = req->write;
}

/* ---- what a guest writes ---- */

/* Most of what it writes is in its first 256 KiB, so that rings and tables meet their junk. */
static uint32_t ram_addr(struct fuzz *f)
{
    switch (rnd_below(&f->seed, 8)) {
    case 0:
        return rnd_below(&f->seed, QT_RAM);
    case 1:
        return QT_RAM - rnd_below(&f->seed, 0x2000);
    case 2:
        return rnd_below(&f->seed, 0x40000);
    default:
        return rnd_below(&f->seed, 64) << 12;
    }
}

static uint32_t value(struct fuzz *f)
{
    switch (rnd_below(&f->seed, 9)) {
    case 0:
        return 0;
    case 1:
        return 0xffffffff;
    case 2:
        return 1u << rnd_below(&f->seed, 32);
    case 3:
        return rnd_below(&f->seed, 256);
    case 4:
    case 5:
        return ram_addr(f);
    case 6:
        return rnd_below(&f->seed, 0x10000);
    default:
        return rnd(&f->seed);
    }
}

static void io(struct fuzz *f, enum io_space space, bool write, uint64_t addr, uint64_t val,
               unsigned width)
{
    struct io_req req = { space, write, width, addr, val };
    int64_t       began = cpu_now();

    if (write && width < 8)
        req.data &= (1ULL << 8 * width) - 1;
    platform_io(&f->t->plat, &req);
    note(f, space == IO_PORT ? T_PORT : T_MEM, began, &req);
}

static void config_cycle(struct fuzz *f, bool write, unsigned devfn, unsigned off, uint32_t val,
                         unsigned width)
{
    struct io_req req = { IO_PORT, write, width, devfn << 8 | off, val };
    int64_t       began = cpu_now();

    platform_pci_cfg(&f->t->plat, devfn, off, &req);
    note(f, T_CONFIG, began, &req);
}

static void any_window(struct fuzz *f)
{
    enum io_space        space = rnd_below(&f->seed, 3) ? IO_PORT : IO_MEM;
    unsigned             n = f->t->plat.nwindows[space], width = 1u << rnd_below(&f->seed, 4);
    const struct window *w;
    uint64_t             off;

    if (!n)
        return;
    w = &f->t->plat.windows[space][rnd_below(&f->seed, n)];
    off = rnd(&f->seed) % (w->size + 4);
    if (rnd_below(&f->seed, 3))
        off = rnd(&f->seed) % (w->size > 256 ? 256 : w->size);
    if (space == IO_PORT && width == 8)
        width = 4;
    io(f, space, rnd_below(&f->seed, 3), w->base + off,
       value(f) | (uint64_t)value(f) << 32, width);
}

static unsigned any_function(struct fuzz *f)
{
    for (unsigned i = 0; i < 64; i++) {
        unsigned devfn = rnd_below(&f->seed, 256);

        if (f->t->plat.pci[devfn])
            return devfn;
    }
    return 0;
}

static void any_config(struct fuzz *f)
{
    unsigned devfn = any_function(f);

    config_cycle(f, rnd_below(&f->seed, 4), devfn, rnd_below(&f->seed, 256), value(f),
                 1u << rnd_below(&f->seed, 3));
}

/* What firmware does: every window somewhere sensible, decoding and mastering on. */
static void place_windows(struct fuzz *f)
{
    uint32_t port = 0xc000, mem = 0xe0000000;

    for (unsigned devfn = 0; devfn < 256; devfn++) {
        struct pci_func *pf = f->t->plat.pci[devfn];

        for (unsigned b = 0; pf && b < PCI_BARS; b++) {
            const struct io_range *r = pci_type_of(pf)->bar[b];

            if (!r)
                continue;
            config_cycle(f, true, devfn, PCI_BAR0 + 4 * b, r->space == IO_PORT ? port : mem, 4);
            port += r->space == IO_PORT ? 0x100 : 0;
            mem += r->space == IO_MEM ? 0x1000000 : 0;
        }
        if (pf)
            config_cycle(f, true, devfn, PCI_COMMAND, 7, 2);
    }
    config_cycle(f, true, PCI_DEVFN(1, 3), 0x40, 0xb001, 4);
    config_cycle(f, true, PCI_DEVFN(1, 3), 0x80, 1, 1);
    config_cycle(f, true, PCI_DEVFN(1, 3), 0x90, 0xb101, 4);
    config_cycle(f, true, PCI_DEVFN(1, 3), 0xd2, 9, 1);
}

/* ---- junk in RAM: a page of what a controller would read from there ---- */

static void poke(struct fuzz *f, uint32_t addr, uint32_t val)
{
    if (addr <= QT_RAM - 4)
        memcpy(f->t->ram + addr, &val, 4);
}

static uint32_t flags(struct fuzz *f)
{
    static const uint32_t cmd[] = { 0x0b000000, 0x2f100000, 0x25000000, 0x27000000, 0xaf000000 };

    return cmd[rnd_below(&f->seed, 5)] | (rnd_below(&f->seed, 2) ? rnd(&f->seed) : 0x40);
}

static void junk_page(struct fuzz *f)
{
    uint32_t at = (ram_addr(f) % QT_RAM) & ~0xfffu, kind = rnd_below(&f->seed, 5);

    for (unsigned i = 0; i < 0x1000; i += 16) {
        bool     last = rnd_below(&f->seed, 40) == 0;
        uint32_t len = rnd_below(&f->seed, 3) ? rnd_below(&f->seed, 0x1000) : rnd(&f->seed);

        for (unsigned k = 0; k < 16; k += 4)
            poke(f, at + i + k, kind == 0 ? rnd(&f->seed) : 0);
        if (kind == 1) { /* PRD table, two entries */
            poke(f, at + i, ram_addr(f));
            poke(f, at + i + 4, (len & 0xfffe) | (uint32_t)last << 31);
            poke(f, at + i + 8, rnd_below(&f->seed, 9) ? ram_addr(f) : value(f));
            poke(f, at + i + 12, rnd(&f->seed) & 0x7fffffff);
        } else if (kind == 2) { /* e1000: data, legacy, context */
            poke(f, at + i, ram_addr(f));
            poke(f, at + i + 4, last ? value(f) : 0);
            poke(f, at + i + 8, flags(f) | (len & 0xfffff));
            poke(f, at + i + 12, value(f));
        } else if (kind == 3) { /* rtl8139 C+ */
            poke(f, at + i, 0x80000000 | (uint32_t)last << 30 | (value(f) & 0x3fff0000) |
                                 (len & 0xffff));
            poke(f, at + i + 4, value(f));
            poke(f, at + i + 8, ram_addr(f));
        } else if (kind == 4) { /* a frame */
            static const uint8_t tcp[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54,
                                           0,    0x12, 0x34, 0x56, 8,    0,    0x45, 0 };

            memcpy(f->t->ram + at + i, tcp, i % 256 ? 0 : sizeof(tcp));
        }
    }
}

/* ---- devices driven with some sense, so that the nonsense gets deep ---- */

static void ide_command(struct fuzz *f)
{
    static const uint8_t cmds[] = { 0xa0, 0xa0, 0x20, 0x30, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0x25,
                                    0x35, 0x24, 0xec, 0xa1, 0xef, 0xe7, 0xb0, 0x08, 0x90, 0x29,
                                    0x39, 0xea, 0x91, 0x10, 0xe0, 0x40, 0xf8, 0x00 };
    bool     second = rnd_below(&f->seed, 3) == 0;
    uint16_t base = second ? 0x170 : 0x1f0, bm = second ? 0xc008 : 0xc000;

    io(f, IO_PORT, true, base + 0x206, 0, 1);
    io(f, IO_PORT, true, base + 6, 0x40 | (rnd_below(&f->seed, 2) << 4), 1);
    for (unsigned i = 1; i < 6; i++)
        io(f, IO_PORT, true, base + i, rnd_below(&f->seed, 2) ? rnd(&f->seed) & 3 : rnd(&f->seed),
           1);
    if (rnd_below(&f->seed, 2))
        io(f, IO_PORT, true, base + 1, 1, 1); /* a packet by DMA */
    io(f, IO_PORT, true, bm + 4, ram_addr(f), 4);
    io(f, IO_PORT, true, base + 7, cmds[rnd_below(&f->seed, sizeof(cmds))], 1);
    io(f, IO_PORT, true, bm, 1 | (rnd(&f->seed) & 8), 1);
    for (unsigned i = rnd_below(&f->seed, 600); i > 0; i--)
        io(f, IO_PORT, i & 1, base, value(f), 4);
}

static void cd_packet(struct fuzz *f)
{
    static const uint8_t ops[] = { 0x00, 0x03, 0x12, 0x15, 0x1a, 0x1b, 0x1e, 0x23, 0x25, 0x28,
                                   0x2b, 0x2f, 0x42, 0x43, 0x46, 0x4a, 0x51, 0x52, 0x55, 0x5a,
                                   0xa8, 0xad, 0xb9, 0xbb, 0xbd, 0xbe, 0xa4, 0x4e };
    bool                 dma = rnd_below(&f->seed, 2);
    uint8_t              p[12] = { ops[rnd_below(&f->seed, sizeof(ops))] };

    io(f, IO_PORT, true, 0x376, 0, 1);
    io(f, IO_PORT, true, 0x176, 0x40, 1);
    io(f, IO_PORT, true, 0x171, dma, 1);
    io(f, IO_PORT, true, 0x174, value(f), 1);
    io(f, IO_PORT, true, 0x175, rnd_below(&f->seed, 2) ? 8 : value(f), 1);
    io(f, IO_PORT, true, 0xc00c, ram_addr(f), 4);
    io(f, IO_PORT, true, 0x177, 0xa0, 1);
    for (unsigned i = 1; i < 12; i++)
        p[i] = rnd_below(&f->seed, 3) ? rnd_below(&f->seed, 3) : rnd(&f->seed);
    if (rnd_below(&f->seed, 2))
        p[2] = p[3] = p[4] = p[6] = p[7] = 0; /* there is a disc under such addresses */
    for (unsigned i = 0; i < 12; i += 2)
        io(f, IO_PORT, true, 0x170, p[i] | p[i + 1] << 8, 2);
    if (dma)
        io(f, IO_PORT, true, 0xc008, 9, 1);
    if (rnd_below(&f->seed, 2))
        loop_step(f->t);
    for (unsigned i = rnd_below(&f->seed, 1200); i > 0; i--)
        io(f, IO_PORT, p[0] == 0x15 || p[0] == 0x55, 0x170, rnd_below(&f->seed, 2), 4);
}

static uint32_t window_base(struct fuzz *f, const char *id, unsigned bar)
{
    const struct device *dev = machine_find(&f->m, id);

    return dev ? container_of(dev, const struct pci_func, dev)->mapped[bar] : 0;
}

static void e1000_ring(struct fuzz *f)
{
    static const uint16_t regs[] = { 0x0000, 0x0008, 0x0014, 0x0018, 0x0020, 0x0028, 0x0038, 0x00c0,
                                     0x00c4, 0x00c8, 0x00d0, 0x00d8, 0x0100, 0x0170, 0x0400, 0x0410,
                                     0x1000, 0x2800, 0x2804, 0x2808, 0x2810, 0x2818, 0x2820, 0x282c,
                                     0x3800, 0x3804, 0x3808, 0x3810, 0x3818, 0x3820, 0x3828, 0x5000,
                                     0x5400, 0x5404, 0x5200, 0x5600, 0x5800, 0x5820 };
    uint32_t base = window_base(f, "e1000", 0), dir = rnd_below(&f->seed, 2) ? 0x2800 : 0x3800;

    if (!base)
        return;
    for (unsigned i = rnd_below(&f->seed, 4); i > 0; i--)
        io(f, IO_MEM, rnd_below(&f->seed, 4),
           base + regs[rnd_below(&f->seed, sizeof(regs) / sizeof(regs[0]))], value(f), 4);
    io(f, IO_MEM, true, base + dir, ram_addr(f), 4);
    io(f, IO_MEM, true, base + dir + 4, 0, 4);
    io(f, IO_MEM, true, base + dir + 8, rnd_below(&f->seed, 4) ? 0x1000 : value(f), 4);
    io(f, IO_MEM, true, base + dir + 0x10, rnd_below(&f->seed, 256), 4);
    io(f, IO_MEM, true, base + 0x0100, rnd_below(&f->seed, 2) ? 0x801e : value(f), 4);
    io(f, IO_MEM, true, base + 0x0400, rnd_below(&f->seed, 4) ? 0x0a : value(f), 4);
    io(f, IO_MEM, true, base + dir + 0x18, rnd_below(&f->seed, 4) ? rnd_below(&f->seed, 256)
                                                                 : value(f), 4);
}

static void rtl8139_ring(struct fuzz *f)
{
    uint32_t base = window_base(f, "rtl8139", 1);

    if (!base)
        return;
    io(f, IO_MEM, true, base + 0x37, rnd_below(&f->seed, 4) ? 0x0c : value(f), 1);
    io(f, IO_MEM, true, base + 0x40, rnd_below(&f->seed, 2) ? value(f) : 0x60000, 4);
    io(f, IO_MEM, true, base + 0x44, rnd_below(&f->seed, 2) ? value(f) : 0xf80f, 4);
    io(f, IO_MEM, true, base + 0x30, ram_addr(f), 4);
    io(f, IO_MEM, true, base + 0xe0, rnd_below(&f->seed, 2) ? 3 : value(f), 2);
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

static void vbe_mode(struct fuzz *f)
{
    for (unsigned i = 1; i <= 9; i++) {
        unsigned reg = i == 4 ? 9 : i == 9 ? 4 : i;

        io(f, IO_PORT, true, 0x1ce, reg, 2);
        io(f, IO_PORT, true, 0x1cf, reg == 3 ? 8 * (1 + rnd_below(&f->seed, 4))
                                    : reg == 4 ? 0x41 | value(f)
                                    : rnd_below(&f->seed, 3) ? rnd_below(&f->seed, 4100)
                                                             : value(f), 2);
    }
}

static void vga_mode(struct fuzz *f)
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
    io(f, IO_PORT, true, 0x3c4, 0x0302 | rnd_below(&f->seed, 16) << 8, 2);
    io(f, IO_PORT, true, 0x3ce, 0x0006 | rnd_below(&f->seed, 16) << 8, 2);
    io(f, IO_PORT, false, 0x3da, 0, 1);
    for (unsigned i = 0; i < 42; i++)
        io(f, IO_PORT, true, 0x3c0, i & 1 ? value(f) : i / 2, 1);
    io(f, IO_PORT, true, 0x3c0, 0x20, 1);
    for (unsigned i = 0; i < 50; i++)
        io(f, IO_MEM, rnd_below(&f->seed, 3), 0xa0000 + rnd_below(&f->seed, 0x20000),
           rnd64(&f->seed), 1u << rnd_below(&f->seed, 4));
}

static void ps2(struct fuzz *f)
{
    static const uint8_t cmds[] = { 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xee, 0xf0, 0xf2,
                                    0xf3, 0xf4, 0xf5, 0xf6, 0xff, 200,  100,  80,   0xed, 0xfb };

    for (unsigned i = 0; i < 6; i++) {
        if (rnd_below(&f->seed, 3))
            io(f, IO_PORT, true, 0x64, 0xd4, 1);
        io(f, IO_PORT, true, 0x60, rnd_below(&f->seed, 4)
                                       ? cmds[rnd_below(&f->seed, sizeof(cmds))] : value(f), 1);
        if (rnd_below(&f->seed, 2))
            io(f, IO_PORT, false, 0x60, 0, 1);
    }
    if (rnd_below(&f->seed, 4) == 0)
        io(f, IO_PORT, true, 0x64, value(f), 1);
}

static void cmos(struct fuzz *f)
{
    io(f, IO_PORT, true, 0x70 + 2 * rnd_below(&f->seed, 2), rnd_below(&f->seed, 128), 1);
    io(f, IO_PORT, rnd_below(&f->seed, 2), 0x71 + 2 * rnd_below(&f->seed, 2), value(f), 1);
}

static void smbus(struct fuzz *f)
{
    for (unsigned i = 0; i < 16; i++)
        io(f, IO_PORT, rnd_below(&f->seed, 3), 0xb100 + rnd_below(&f->seed, 16), value(f), 1);
}

/* ---- what comes from outside ---- */

static void clock_on(struct fuzz *f)
{
    int64_t began;

    f->t->now += rnd_below(&f->seed, 4) ? rnd_below(&f->seed, NS_PER_MS)
                                        : rnd_below(&f->seed, NS_PER_S);
    began = cpu_now();
    timers_run(&f->t->plat, f->t->now);
    note(f, T_TIMERS, began, NULL);
}

static void frame_in(struct fuzz *f)
{
    static const uint32_t sizes[] = { 1, 14, 60, 64, 1500, 1514, 1518, 9000, 65000, 65549 };
    unsigned              which = rnd_below(&f->seed, 2), len;
    uint8_t              *frame = calloc(1, NET_FRAME_MAX);
    int64_t               began;

    CHECK(frame != NULL);
    len = sizes[rnd_below(&f->seed, sizeof(sizes) / sizeof(sizes[0]))];
    if (rnd_below(&f->seed, 2))
        len = 1 + rnd_below(&f->seed, 2000);
    for (unsigned i = 0; i < len && i < 100; i++)
        frame[i] = i < 6 ? 0xff : rnd(&f->seed);
    if (rnd_below(&f->seed, 2))
        memcpy(frame + 12, rnd_below(&f->seed, 2) ? "\x08\0E" : "\x81\0\0\1\x08\0E", 3);
    net_mem_put(f->net[which], frame, len);
    free(frame);
    began = cpu_now();
    net_mem_run(f->net[which]);
    note(f, T_FRAMES, began, NULL);
    while (net_mem_get(f->net[which], &(size_t){ 0 }))
        ;
    if (rnd_below(&f->seed, 20) == 0)
        net_set_link(f->net[which], rnd_below(&f->seed, 2));
}

static void input(struct fuzz *f)
{
    uint64_t data = rnd(&f->seed);

    display_key(f->display, rnd_below(&f->seed, 300), rnd_below(&f->seed, 2));
    display_pointer(f->display, (int)rnd(&f->seed), (int)rnd(&f->seed), (int)rnd(&f->seed),
                    rnd(&f->seed));
    if (rnd_below(&f->seed, 8) == 0)
        display_release_all(f->display);
    sink_feed(&f->sink[rnd_below(&f->seed, 2)], &data, sizeof(data));
}

static void draw(struct fuzz *f)
{
    int64_t began = cpu_now();

    f->t->vram_dirty[rnd_below(&f->seed, 32)] |= rnd(&f->seed);
    display_refresh(f->display, rnd_below(&f->seed, 8) == 0);
    note(f, T_DRAW, began, NULL);
    free(display_text(f->display));
}

static void change_disc(struct fuzz *f)
{
    struct device *ide = machine_find(&f->m, "ide");
    struct err     err;

    if (rnd_below(&f->seed, 4) == 0)
        ide_eject(ide, CD, rnd_below(&f->seed, 2), &err);
    else
        ide_insert(ide, CD, f->blk[CD], &err);
    loop_step(f->t);
}

static void reset(struct fuzz *f)
{
    enum reset_kind kind = rnd_below(&f->seed, 2) ? RESET_WARM : RESET_COLD;
    int64_t         began = cpu_now();

    for (unsigned i = 0; i < f->m.n; i++)
        device_reset(f->m.dev[i], kind);
    note(f, T_RESET, began, NULL);
}

static void load(struct fuzz *f, unsigned i, struct buf *image, bool spoil)
{
    struct device *dev = f->m.dev[i];
    struct buf     again = { 0 };
    struct err     err = { "" };
    unsigned       flips = spoil ? 1 + rnd_below(&f->seed, 4) : 0;

    while (flips--)
        image->data[rnd_below(&f->seed, image->len)] ^= 1u << rnd_below(&f->seed, 8);
    if (state_load(dev, image, &err) && !spoil) {
        fprintf(stderr, "%s\n", err.msg);
        f->failed = true;
    }
    state_save(dev, &again);
    if (!spoil && (again.len != image->len || memcmp(again.data, image->data, again.len))) {
        fprintf(stderr, "%s: differs after save and load\n", dev->id);
        state_print(dev, stderr);
        f->failed = true;
    }
    buf_free(&again);
}

/* As libxl does it: the guest stands, the disks are drained, another process goes on. */
static void restore(struct fuzz *f, bool spoil)
{
    struct buf image[MACHINE_DEVICES] = { 0 };
    unsigned   n = f->m.n;

    CHECK(ide_drain(machine_find(&f->m, "ide")) == 0);
    for (unsigned i = 0; i < n; i++) {
        if (f->m.dev[i]->type->sync) /* cards look into their rings again: so does a load */
            f->m.dev[i]->type->sync(f->m.dev[i]);
        state_save(f->m.dev[i], &image[i]);
    }
    machine_free(&f->m);
    build(f);
    for (unsigned i = 0; i < n; i++) {
        load(f, i, &image[i], spoil);
        buf_free(&image[i]);
    }
}

/* ---- a step ---- */

static const struct {
    unsigned weight;
    void (*fn)(struct fuzz *f);
} acts[] = {
    { 400, any_window }, { 40, any_config }, { 4, place_windows }, { 30, junk_page },
    { 40, ide_command }, { 40, e1000_ring }, { 40, rtl8139_ring }, { 4, vbe_mode },
    { 4, smbus },        { 40, clock_on },   { 20, frame_in },     { 10, input },
    { 6, draw },         { 4, change_disc }, { 40, cd_packet },    { 6, vga_mode },
    { 10, ps2 },         { 6, cmos },
};

static void act(struct fuzz *f)
{
    unsigned total = 0, pick;

    for (unsigned i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
        total += acts[i].weight;
    pick = rnd_below(&f->seed, total + 14);
    for (unsigned i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (pick < acts[i].weight) {
            acts[i].fn(f);
            return;
        }
        pick -= acts[i].weight;
    }
    if (pick < 10)
        loop_step(f->t);
    else if (pick == 10)
        restore(f, rnd_below(&f->seed, 2));
    else if (pick == 11 && rnd_below(&f->seed, 4) == 0)
        reset(f);
}

static void step(struct fuzz *f)
{
    act(f);
    for (unsigned i = 0; i < f->m.n; i++) {
        if (!state_valid(f->m.dev[i])) {
            state_print(f->m.dev[i], stderr);
            fprintf(stderr, "%s: not a state that can be\n", f->m.dev[i]->id);
            f->failed = true;
        }
    }
}

static void report(const struct fuzz *f, uint64_t seed, unsigned steps)
{
    static const char *const name[] = { "port", "memory", "config", "timers", "draw", "frames",
                                        "reset" };

    fprintf(stderr, "seed %llu: %u steps; longest calls in us:", (unsigned long long)seed, steps);
    for (unsigned i = 0; i < T_KINDS; i++)
        fprintf(stderr, " %s %lld", name[i], (long long)f->worst[i].ns / 1000);
    fputc('\n', stderr);
    for (unsigned i = 0; i <= T_CONFIG; i++)
        fprintf(stderr, "  %s: %s %llx/%u %llx\n", name[i], f->worst[i].write ? "write" : "read",
                (unsigned long long)f->worst[i].addr, f->worst[i].width,
                (unsigned long long)f->worst[i].data);
}

static uint64_t number(const char *name, uint64_t def)
{
    const char *s = getenv(name);

    return s ? strtoull(s, NULL, 0) : def;
}

TEST(a_mad_guest_in_the_whole_machine)
{
    static struct fuzz f; /* large */
    uint64_t           seed = number("MACHINE_FUZZ_SEED", 20240817);
    uint64_t           seconds = number("MACHINE_FUZZ_SECONDS", 0);
    int64_t            end = cpu_now() + (int64_t)seconds * NS_PER_S;
    unsigned           n = 0;

    memset(&f, 0, sizeof(f));
    start(&f, seed ? seed : 1);
    if (!f.t->reload) { /* it saves and loads by itself */
        place_windows(&f);
        for (; !f.failed && (seconds ? cpu_now() < end : n < STEPS); n++)
            step(&f);
    }
    if (n && number("MACHINE_FUZZ_TIMES", 0))
        report(&f, seed, n);
    finish(&f);
    CHECK(!f.failed);
}
