/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC's two Intel 8237A DMA controllers (Intel 231466) and their page
 * registers. The second one has its registers at every other port, and its
 * channel 0 is the cascade.
 *
 * A device that wants its bytes moved calls dma8237_transfer(). Not modelled: memory to memory,
 * software requests (they are remembered and start nothing), priorities and timing of the command
 * word.
 */
#include "hw/dma8237.h"
#include <string.h>
#include "hw/core/platform.h"
#include "hw/core/state.h"
#include "hw/devices.h"

#define CHANNELS 4
#define PAGES    16
#define WATCHERS 4

/* Registers beyond the eight address and count ones; meaning when written / read */
enum {
    REG_COMMAND = 8, /* command / status */
    REG_REQUEST,
    REG_MASK_ONE,
    REG_MODE,
    REG_FLIPFLOP, /* clear byte pointer */
    REG_MASTER,   /* master clear / temporary */
    REG_MASK_CLEAR,
    REG_MASK_ALL,
    REGS
};

#define CMD_DISABLE 0x04

#define MODE_KIND    0x0c
#define MODE_VERIFY  0x00
#define MODE_WRITE   0x04 /* to memory */
#define MODE_READ    0x08
#define MODE_AUTO    0x10
#define MODE_DOWN    0x20
#define MODE_CASCADE 0xc0

#define CH_BITS    0x03
#define ONE_SET    0x04 /* in REG_REQUEST and REG_MASK_ONE */
#define ALL_MASKED 0x0f

struct dma_chip {
    uint16_t base_addr[CHANNELS], base_count[CHANNELS];
    uint16_t addr[CHANNELS], count[CHANNELS];
    uint8_t mode[CHANNELS];
    uint8_t command, status, mask, request, temporary;
    bool high; /* the flip-flop: the next byte is the high one */
};

struct dma8237 {
    struct device dev;
    struct {
        struct device *dev;
        void (*look)(struct device *dev);
    } watch[WATCHERS];
    struct {
        struct dma_chip chip[2];
        uint8_t page[PAGES];
    } s;
};

#define CHIP_FIELDS(n)                                                                             \
    ARRAY(struct dma8237, chip[n].base_addr), ARRAY(struct dma8237, chip[n].base_count),           \
        ARRAY(struct dma8237, chip[n].addr), ARRAY(struct dma8237, chip[n].count),                 \
        ARRAY(struct dma8237, chip[n].mode), FIELD(struct dma8237, chip[n].command),               \
        FIELD(struct dma8237, chip[n].status),                                                     \
        FIELD(struct dma8237, chip[n].mask, .bits = ALL_MASKED),                                   \
        FIELD(struct dma8237, chip[n].request, .bits = ALL_MASKED),                                \
        FIELD(struct dma8237, chip[n].temporary), FIELD(struct dma8237, chip[n].high)

static const struct field dma8237_state[] = { CHIP_FIELDS(0), CHIP_FIELDS(1),
                                              ARRAY(struct dma8237, page), FIELDS_END };

/* What master clear does: the address and count registers stay. */
static void chip_clear(struct dma_chip *c)
{
    c->command = c->status = c->request = c->temporary = 0;
    c->mask = ALL_MASKED;
    c->high = false;
}

static uint8_t *half(uint16_t *reg, bool high)
{
    return (uint8_t *)reg + high; /* little endian, as the guest is */
}

static uint8_t chip_read(struct dma_chip *c, unsigned reg)
{
    unsigned ch = reg / 2 % CHANNELS;
    uint8_t val;

    if (reg < REG_COMMAND) {
        val = *half(reg & 1 ? &c->count[ch] : &c->addr[ch], c->high);
        c->high = !c->high;
        return val;
    }
    switch (reg) {
    case REG_COMMAND:
        val = c->status | c->request << 4;
        c->status = 0; /* terminal counts are cleared by reading */
        return val;
    case REG_MASTER:
        return c->temporary;
    case REG_MASK_ALL: /* as the chip sets of the 440FX's time let one */
        return 0xf0 | c->mask;
    default:
        return 0xff;
    }
}

/* Sets or clears one channel's bit, as REG_REQUEST and REG_MASK_ONE are written. */
static uint8_t with_bit(uint8_t bits, uint8_t val)
{
    uint8_t bit = 1 << (val & CH_BITS);

    return val & ONE_SET ? bits | bit : bits & ~bit;
}

static void chip_write(struct dma_chip *c, unsigned reg, uint8_t val)
{
    unsigned ch = reg / 2 % CHANNELS;

    if (reg < REG_COMMAND) {
        *half(reg & 1 ? &c->base_count[ch] : &c->base_addr[ch], c->high) = val;
        *half(reg & 1 ? &c->count[ch] : &c->addr[ch], c->high) = val;
        c->high = !c->high;
        return;
    }
    switch (reg) {
    case REG_COMMAND:
        c->command = val;
        break;
    case REG_REQUEST:
        c->request = with_bit(c->request, val);
        break;
    case REG_MASK_ONE:
        c->mask = with_bit(c->mask, val);
        break;
    case REG_MODE:
        c->mode[val & CH_BITS] = val;
        break;
    case REG_FLIPFLOP:
        c->high = false;
        break;
    case REG_MASTER:
        chip_clear(c);
        break;
    case REG_MASK_CLEAR:
        c->mask = 0;
        break;
    case REG_MASK_ALL:
        c->mask = val & ALL_MASKED;
        break;
    }
}

static struct dma8237 *dma_of(struct device *dev)
{
    return container_of(dev, struct dma8237, dev);
}

/* Addresses, counts, terminal counts: let those who move now and then do it now. */
static void ask_watchers(struct dma8237 *d, unsigned reg)
{
    for (unsigned i = 0; i < WATCHERS && reg <= REG_COMMAND; i++) {
        if (d->watch[i].look)
            d->watch[i].look(d->watch[i].dev);
    }
}

static uint64_t dma1_read(struct device *dev, uint64_t off, unsigned width)
{
    ask_watchers(dma_of(dev), (unsigned)off);
    return chip_read(&dma_of(dev)->s.chip[0], off);
}

static void dma1_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    chip_write(&dma_of(dev)->s.chip[0], off, val);
}

static uint64_t dma2_read(struct device *dev, uint64_t off, unsigned width)
{
    ask_watchers(dma_of(dev), (unsigned)off / 2);
    return chip_read(&dma_of(dev)->s.chip[1], off / 2);
}

static void dma2_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    chip_write(&dma_of(dev)->s.chip[1], off / 2, val);
}

/*
 * Page registers. Port 0x80, of the same block, is left to the platform (POST
 * codes). One handler serves each window: they start at different ports, which
 * `first` makes good.
 */
#define PAGE_WINDOW(name, first)                                                                   \
    static uint64_t name##_read(struct device *dev, uint64_t off, unsigned width)                  \
    {                                                                                              \
        return dma_of(dev)->s.page[((first) + off) & (PAGES - 1)];                                 \
    }                                                                                              \
    static void name##_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)       \
    {                                                                                              \
        dma_of(dev)->s.page[((first) + off) & (PAGES - 1)] = val;                                  \
    }
PAGE_WINDOW(page_81, 0x1)
PAGE_WINDOW(page_87, 0x7)
PAGE_WINDOW(page_89, 0x9)
PAGE_WINDOW(page_8f, 0xf)

/* ---- transfers ---- */

/* Page registers of channels 0-7, by port 0x80 + n; channel 4 is the cascade. */
static const uint8_t page_of[2 * CHANNELS] = { 0x7, 0x3, 0x1, 0x2, 0xf, 0xb, 0x9, 0xa };

static struct dma8237 *dma_find(struct platform *p)
{
    for (unsigned i = 0; i < p->nwindows[IO_PORT]; i++) {
        if (p->windows[IO_PORT][i].dev->type == &dma8237_type)
            return dma_of(p->windows[IO_PORT][i].dev);
    }
    return NULL;
}

static bool channel_ready(const struct dma_chip *c, unsigned ch, enum dma_dir dir)
{
    unsigned kind = c->mode[ch] & MODE_KIND;

    if ((c->command & CMD_DISABLE) || (c->mask & 1u << ch) ||
        (c->mode[ch] & MODE_CASCADE) == MODE_CASCADE)
        return false;
    return kind == MODE_VERIFY || kind == (dir == DMA_TO_MEMORY ? MODE_WRITE : MODE_READ);
}

static bool is_channel(unsigned channel)
{
    return channel < 2 * CHANNELS && channel != CHANNELS;
}

bool dma8237_ready(struct device *dev, unsigned channel, enum dma_dir dir)
{
    struct dma8237 *d = dma_find(dev->plat);

    return d && is_channel(channel) &&
           channel_ready(&d->s.chip[channel / CHANNELS], channel % CHANNELS, dir);
}

void dma8237_watch(struct device *dev, void (*look)(struct device *dev))
{
    struct dma8237 *d = dma_find(dev->plat);
    unsigned free = WATCHERS;

    for (unsigned i = 0; d && i < WATCHERS; i++) {
        if (d->watch[i].dev == dev) {
            free = i;
            break;
        }
        if (!d->watch[i].dev && free == WATCHERS)
            free = i;
    }
    if (free < WATCHERS) {
        d->watch[free].dev = look ? dev : NULL;
        d->watch[free].look = look;
    }
}

/* n bytes that do not cross the end of the page, upwards. */
static void move_up(struct dma8237 *d, uint64_t gpa, uint8_t *buf, size_t n, enum dma_dir dir)
{
    int rc =
        dir == DMA_TO_MEMORY ? dma_write(&d->dev, gpa, buf, n) : dma_read(&d->dev, gpa, buf, n);

    if (rc)
        guest_err(&d->dev, "ISA DMA at %llx is not memory", (unsigned long long)gpa);
}

/* The second chip's addresses are those of words: bit 0 of its pages is not used. */
static uint64_t where(const struct dma8237 *d, unsigned channel)
{
    uint64_t page = d->s.page[page_of[channel]], addr;

    addr = d->s.chip[channel / CHANNELS].addr[channel % CHANNELS];
    return channel < CHANNELS ? page << 16 | addr : (page & ~UINT64_C(1)) << 16 | addr << 1;
}

/* `units` bytes or words. */
static void channel_move(struct dma8237 *d, unsigned channel, uint8_t *buf, size_t units,
                         enum dma_dir dir)
{
    struct dma_chip *c = &d->s.chip[channel / CHANNELS];
    unsigned ch = channel % CHANNELS, shift = channel / CHANNELS;
    bool down = c->mode[ch] & MODE_DOWN, real = (c->mode[ch] & MODE_KIND) != MODE_VERIFY;
    size_t n, done = 0;

    if (!real && dir == DMA_FROM_MEMORY)
        memset(buf, 0, units << shift);
    for (; done < units; done += n) {
        n = down ? 1 : 0x10000 - c->addr[ch];
        if (n > units - done)
            n = units - done;
        if (real)
            move_up(d, where(d, channel), buf + (done << shift), n << shift, dir);
        c->addr[ch] += down ? -1 : (int)n;
    }
    c->count[ch] -= units;
}

static void terminal_count(struct dma_chip *c, unsigned ch)
{
    c->status |= 1u << ch;
    c->request &= ~(1u << ch);
    if (c->mode[ch] & MODE_AUTO) {
        c->addr[ch] = c->base_addr[ch];
        c->count[ch] = c->base_count[ch];
    } else {
        c->mask |= 1u << ch;
    }
}

size_t dma8237_transfer(struct device *dev, unsigned channel, void *buf, size_t len,
                        enum dma_dir dir, bool *tc)
{
    struct dma8237 *d = dma_find(dev->plat);
    unsigned ch = channel % CHANNELS, shift = channel / CHANNELS;
    struct dma_chip *c;
    size_t units;

    *tc = false;
    if (!d || !is_channel(channel))
        return 0;
    c = &d->s.chip[shift];
    units = len >> shift;
    if (!units || !channel_ready(c, ch, dir))
        return 0;
    *tc = units > c->count[ch];
    if (*tc)
        units = (size_t)c->count[ch] + 1;
    channel_move(d, channel, buf, units, dir);
    if (*tc)
        terminal_count(c, ch);
    return units << shift;
}

static void dma8237_reset(struct device *dev, enum reset_kind kind)
{
    chip_clear(&dma_of(dev)->s.chip[0]);
    chip_clear(&dma_of(dev)->s.chip[1]);
}

static const struct io_range dma8237_io[] = { { IO_PORT, 0x00, REGS, 1, dma1_read, dma1_write },
                                              { IO_PORT, 0xc0, 2 * REGS, 1, dma2_read, dma2_write },
                                              { IO_PORT, 0x81, 3, 1, page_81_read, page_81_write },
                                              { IO_PORT, 0x87, 1, 1, page_87_read, page_87_write },
                                              { IO_PORT, 0x89, 3, 1, page_89_read, page_89_write },
                                              { IO_PORT, 0x8f, 1, 1, page_8f_read, page_8f_write },
                                              { 0 } };

const struct device_type dma8237_type = {
    .name = "i8257",
    .version = 1,
    DEVICE_LAYOUT(struct dma8237),
    .io = dma8237_io,
    .state = dma8237_state,
    .reset = dma8237_reset,
};
