/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC's two Intel 8237A DMA controllers (Intel 231466) and their page
 * registers. The second one has its registers at every other port, and its
 * channel 0 is the cascade.
 *
 * A device that wants its bytes moved calls dma8237_transfer(); that is the
 * 8-bit channels only. Not modelled: memory to memory, software requests (they
 * are remembered and start nothing), priorities and timing of the command word.
 */
#include "hw/dma8237.h"
#include <string.h>
#include "hw/core/platform.h"
#include "hw/core/state.h"
#include "hw/devices.h"

#define CHANNELS 4
#define PAGES    16

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

static uint64_t dma1_read(struct device *dev, uint64_t off, unsigned width)
{
    return chip_read(&dma_of(dev)->s.chip[0], off);
}

static void dma1_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    chip_write(&dma_of(dev)->s.chip[0], off, val);
}

static uint64_t dma2_read(struct device *dev, uint64_t off, unsigned width)
{
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

/* Page registers of channels 0-3, by port 0x80 + n */
static const uint8_t page_of[CHANNELS] = { 0x7, 0x3, 0x1, 0x2 };

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

bool dma8237_ready(struct device *dev, unsigned channel, enum dma_dir dir)
{
    struct dma8237 *d = dma_find(dev->plat);

    return d && channel < CHANNELS && channel_ready(&d->s.chip[0], channel, dir);
}

/* n bytes that do not cross the end of the 64 KiB, upwards. */
static void move_up(struct dma8237 *d, uint64_t gpa, uint8_t *buf, size_t n, enum dma_dir dir)
{
    int rc =
        dir == DMA_TO_MEMORY ? dma_write(&d->dev, gpa, buf, n) : dma_read(&d->dev, gpa, buf, n);

    if (rc)
        guest_err(&d->dev, "ISA DMA at %llx is not memory", (unsigned long long)gpa);
}

static size_t channel_move(struct dma8237 *d, unsigned ch, uint8_t *buf, size_t len,
                           enum dma_dir dir)
{
    struct dma_chip *c = &d->s.chip[0];
    bool down = c->mode[ch] & MODE_DOWN, real = (c->mode[ch] & MODE_KIND) != MODE_VERIFY;
    uint64_t page = (uint64_t)d->s.page[page_of[ch]] << 16;
    size_t left = (size_t)c->count[ch] + 1, n, done = 0;

    if (len > left)
        len = left;
    if (!real && dir == DMA_FROM_MEMORY)
        memset(buf, 0, len);
    for (; done < len; done += n) {
        n = down ? 1 : 0x10000 - c->addr[ch];
        if (n > len - done)
            n = len - done;
        if (real)
            move_up(d, page | c->addr[ch], buf + done, n, dir);
        c->addr[ch] += down ? -1 : (int)n;
    }
    c->count[ch] -= len;
    return len;
}

size_t dma8237_transfer(struct device *dev, unsigned channel, void *buf, size_t len,
                        enum dma_dir dir, bool *tc)
{
    struct dma8237 *d = dma_find(dev->plat);
    struct dma_chip *c = d ? &d->s.chip[0] : NULL;
    size_t n;

    *tc = false;
    if (!d || channel >= CHANNELS || !len || !channel_ready(c, channel, dir))
        return 0;
    *tc = len > c->count[channel];
    n = channel_move(d, channel, buf, len, dir);
    if (!*tc)
        return n;
    c->status |= 1u << channel;
    c->request &= ~(1u << channel);
    if (c->mode[channel] & MODE_AUTO) {
        c->addr[channel] = c->base_addr[channel];
        c->count[channel] = c->base_count[channel];
    } else {
        c->mask |= 1u << channel;
    }
    return n;
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
