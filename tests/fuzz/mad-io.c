/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the mad guest reads and writes: numbers, ports, memory, config cycles, junk in RAM. */
#include <string.h>
#include <time.h>
#include "tests/fuzz/mad-impl.h"
#include "tests/unit/random.h"

/* ---- numbers ---- */

static uint64_t take(struct mad *f, unsigned n)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < n && f->bytes < f->end; i++)
        v |= (uint64_t)*f->bytes++ << (8 * i);
    return v;
}

uint64_t any64(struct mad *f)
{
    return f->end ? take(f, 8) : rnd64(&f->seed);
}

uint32_t any(struct mad *f)
{
    return f->end ? take(f, 4) : rnd(&f->seed);
}

unsigned below(struct mad *f, unsigned n)
{
    if (!f->end)
        return rnd_below(&f->seed, n);
    return n <= 1 ? 0 : take(f, n <= 256 ? 1 : n <= 65536 ? 2 : 4) % n;
}

int64_t cpu_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static unsigned sends(const struct mad *f)
{
    unsigned n = 0;

    for (unsigned i = 0; i < MAD_NETS; i++)
        n += net_mem_sends(f->net[i]);
    return n;
}

int64_t mad_begin(struct mad *f)
{
    f->t->dma.calls = f->t->dma.bytes = 0;
    f->sends = f->nics ? sends(f) : 0;
    return cpu_now();
}

/*
 * In a handler a card does some 256 frames' worth of work (many descriptors
 * and bytes count as more) and goes on from a timer; one packet, cut into 1500
 * segments at most, may come on top. The clock may make all four cards do so.
 * From the cable two such packets may come, the rest of one and another; a
 * segment costs up to 18 looks at descriptors.
 */
static bool too_much(struct mad *f, enum mad_timed kind, const struct io_req *req)
{
    const unsigned cards = kind == T_TIMERS ? MAD_NETS : 1;
    const struct mad_cost most = { kind == T_FRAMES ? 2 * 1500 * 18 : 8192 * cards,
                                   (3u << 20) * cards, 1800 * cards },
                          now = { f->t->dma.calls, f->t->dma.bytes, sends(f) - f->sends };
    struct mad_cost *worst = &f->most[kind];

    worst->dma = now.dma > worst->dma ? now.dma : worst->dma;
    worst->bytes = now.bytes > worst->bytes ? now.bytes : worst->bytes;
    worst->frames = now.frames > worst->frames ? now.frames : worst->frames;
    if (now.dma <= most.dma && now.bytes <= most.bytes && now.frames <= most.frames)
        return false;
    fprintf(stderr,
            "one call (kind %d, address %llx, data %llx): %llu accesses, %llu bytes, %llu frames\n",
            kind, req ? (unsigned long long)req->addr : 0, req ? (unsigned long long)req->data : 0,
            (unsigned long long)now.dma, (unsigned long long)now.bytes,
            (unsigned long long)now.frames);
    return true;
}

void note(struct mad *f, enum mad_timed kind, int64_t began, const struct io_req *req)
{
    int64_t ns = cpu_now() - began;

    if (f->nics && too_much(f, kind, req))
        f->failed = true;
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
uint32_t ram_addr(struct mad *f)
{
    switch (below(f, 8)) {
    case 0:
        return below(f, QT_RAM);
    case 1:
        return QT_RAM - below(f, 0x2000);
    case 2:
        return below(f, 0x40000);
    default:
        return below(f, 64) << 12;
    }
}

uint32_t value(struct mad *f)
{
    switch (below(f, 9)) {
    case 0:
        return 0;
    case 1:
        return 0xffffffff;
    case 2:
        return 1u << below(f, 32);
    case 3:
        return below(f, 256);
    case 4:
    case 5:
        return ram_addr(f);
    case 6:
        return below(f, 0x10000);
    default:
        return any(f);
    }
}

void io(struct mad *f, enum io_space space, bool write, uint64_t addr, uint64_t val, unsigned width)
{
    struct io_req req = { space, write, width, addr, val };
    int64_t began = mad_begin(f);

    if (write && width < 8)
        req.data &= (1ULL << 8 * width) - 1;
    platform_io(&f->t->plat, &req);
    note(f, space == IO_PORT ? T_PORT : T_MEM, began, &req);
}

void config_cycle(struct mad *f, bool write, unsigned devfn, unsigned off, uint32_t val,
                  unsigned width)
{
    struct io_req req = { IO_PORT, write, width, devfn << 8 | off, val };
    int64_t began = mad_begin(f);

    platform_pci_cfg(&f->t->plat, devfn, off, &req);
    note(f, T_CONFIG, began, &req);
}

void any_window(struct mad *f)
{
    enum io_space space = below(f, 3) ? IO_PORT : IO_MEM;
    unsigned n = f->t->plat.nwindows[space], width = 1u << below(f, 4);
    const struct window *w;
    uint64_t off;

    if (!n)
        return;
    w = &f->t->plat.windows[space][below(f, n)];
    off = any(f) % (w->size + 4);
    if (below(f, 3))
        off = any(f) % (w->size > 256 ? 256 : w->size);
    if (space == IO_PORT && width == 8)
        width = 4;
    io(f, space, below(f, 3), w->base + off, value(f) | (uint64_t)value(f) << 32, width);
}

static unsigned any_function(struct mad *f)
{
    for (unsigned i = 0; i < 64; i++) {
        unsigned devfn = below(f, 256);

        if (f->t->plat.pci[devfn])
            return devfn;
    }
    return 0;
}

void any_config(struct mad *f)
{
    unsigned devfn = any_function(f);

    config_cycle(f, below(f, 4), devfn, below(f, 256), value(f), 1u << below(f, 3));
}

void mad_place_windows(struct mad *f)
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

void mad_poke(struct mad *f, uint32_t addr, uint32_t val)
{
    if (addr <= QT_RAM - 4)
        memcpy(f->t->ram + addr, &val, 4);
}

static uint32_t flags(struct mad *f)
{
    static const uint32_t cmd[] = { 0x0b000000, 0x2f100000, 0x25000000, 0x27000000, 0xaf000000 };

    return cmd[below(f, 5)] | (below(f, 2) ? any(f) : 0x40);
}

void junk_page(struct mad *f)
{
    uint32_t at = (ram_addr(f) % QT_RAM) & ~0xfffu, kind = below(f, 5);

    for (unsigned i = 0; i < 0x1000; i += 16) {
        bool last = below(f, 40) == 0;
        uint32_t len = below(f, 3) ? below(f, 0x1000) : any(f);

        for (unsigned k = 0; k < 16; k += 4)
            mad_poke(f, at + i + k, kind == 0 ? any(f) : 0);
        if (kind == 1) { /* PRD table, two entries */
            mad_poke(f, at + i, ram_addr(f));
            mad_poke(f, at + i + 4, (len & 0xfffe) | (uint32_t)last << 31);
            mad_poke(f, at + i + 8, below(f, 9) ? ram_addr(f) : value(f));
            mad_poke(f, at + i + 12, any(f) & 0x7fffffff);
        } else if (kind == 2) { /* e1000: data, legacy, context */
            mad_poke(f, at + i, ram_addr(f));
            mad_poke(f, at + i + 4, last ? value(f) : 0);
            mad_poke(f, at + i + 8, flags(f) | (len & 0xfffff));
            mad_poke(f, at + i + 12, value(f));
        } else if (kind == 3) { /* rtl8139 C+ */
            mad_poke(f, at + i,
                     0x80000000 | (uint32_t)last << 30 | (value(f) & 0x3fff0000) | (len & 0xffff));
            mad_poke(f, at + i + 4, value(f));
            mad_poke(f, at + i + 8, ram_addr(f));
        } else if (kind == 4) { /* a frame */
            static const uint8_t tcp[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54,
                                           0,    0x12, 0x34, 0x56, 8,    0,    0x45, 0 };

            memcpy(f->t->ram + at + i, tcp, i % 256 ? 0 : sizeof(tcp));
        }
    }
}

/* Descriptors of the firmware configuration device. */
void firmware_dma(struct mad *f)
{
    static const uint8_t control[] = { 0x02, 0x04, 0x0a, 0x0c, 0x18, 0x1f };
    uint32_t at = ram_addr(f) & ~7u, to = ram_addr(f);
    uint32_t len = below(f, 4) ? below(f, 5000) : value(f);

    mad_poke(f, at, __builtin_bswap32(below(f, 48) << 16 | control[below(f, sizeof(control))]));
    mad_poke(f, at + 4, __builtin_bswap32(len));
    mad_poke(f, at + 8, 0);
    mad_poke(f, at + 12, __builtin_bswap32(to));
    io(f, IO_PORT, true, 0x514, 0, 4);
    io(f, IO_PORT, true, 0x518, __builtin_bswap32(at), 4);
}
