/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ensoniq AudioPCI: ES1370 (1274:5000) with an AK4531 codec. Sources: what
 * the drivers of Linux (snd_ens1370), FreeBSD (es137x) and NetBSD (eap) say of
 * Ensoniq's ES1370 specification. Two players and a recorder go round in
 * buffers of their own ("frames", counted in dwords) and interrupt when so
 * many samples have gone. What is recorded is silence.
 *
 * Not modelled: the chip's sample caches (pages 0-b read zeros), MIDI's wires
 * (what is sent is lost, nothing comes in), the joystick, the CCB interrupt,
 * MPEG's clocks and DAC_SYNC (remembered). Config: sound.
 */
#include <string.h>
#include "hw/ak4531.h"
#include "hw/core/config.h"
#include "hw/core/state.h"
#include "hw/devices.h"
#include "hw/pace.h"
#include "sound/sound.h"

enum { DAC1, DAC2, ADC, STREAMS };

/* Registers, as dwords */
#define R_CONTROL 0x00
#define R_STATUS  0x04
#define R_UART    0x08 /* data, status or control, test */
#define R_PAGE    0x0c
#define R_CODEC   0x10
#define R_SERIAL  0x20
#define R_COUNT   0x24 /* three of them */
#define R_MEMORY  0x30 /* four dwords of the page */
#define R_END     0x40

#define CTL_UART_EN  0x00000008
#define CTL_ADC_EN   0x00000010
#define CTL_DAC2_EN  0x00000020
#define CTL_DAC1_EN  0x00000040
#define CTL_RATE1    12 /* 2 bits: of DAC 1 */
#define CTL_DIV      16 /* 13 bits: of the others' clock */
#define CTL_DIV_MAX  0x1fff
#define CTL_ADC_STOP 0x80000000u
#define CTL_RESET    0x00000001

#define SER_MODE      0x3 /* of DAC 1; then of DAC 2 and ADC, two bits each */
#define MODE_STEREO   0x1
#define MODE_16       0x2
#define SER_RELOAD1   0x00000080 /* DAC 1's sample counter, now */
#define SER_INT1      8          /* bits 8-10: interrupt enables */
#define SER_PAUSE1    11         /* bits 11-12 */
#define SER_STOP1     13         /* bits 13-15: stop when the samples have gone */
#define SER_BITS      0x007fffff
#define STATUS_INTR   0x80000000u
#define STATUS_VOICE  0x60 /* the voice code: none is served */
#define STATUS_UART   0x08
#define UART_TXRDY    0x02
#define UART_TXINT    0x04
#define UART_TXINTEN  0x60 /* of the control register: 01 */
#define UART_TXINT_ON 0x20

#define PAGE_BITS  0x0f
#define PAGE_DAC   0x0c
#define PAGE_ADC   0x0d
#define MASTER_CLK 1411200

/* Interrupt bits of STATUS, and enables of CONTROL */
static const uint8_t pending_bit[] = { [DAC1] = 4, [DAC2] = 2, [ADC] = 1 };
static const uint32_t enable_bit[] = {
    [DAC1] = CTL_DAC1_EN, [DAC2] = CTL_DAC2_EN, [ADC] = CTL_ADC_EN
};

struct es1370 {
    struct pci_func pci;
    struct sound_voice voice[2];
    struct es1370_engine {
        struct es1370 *card;
        struct pace pace;
    } engine[STREAMS];
    struct {
        struct timer tick[STREAMS];
        uint32_t ahead[STREAMS];
        uint32_t control, serial, addr[STREAMS], phantom[2];
        uint16_t samples[STREAMS], left[STREAMS]; /* less one: a period's, until it ends */
        uint16_t size[STREAMS], place[STREAMS];   /* dwords: the buffer's less one, in it */
        uint8_t part[STREAMS];                    /* bytes of the dword that have gone */
        uint8_t page, codec[AK4531_REGS];
        uint8_t pending, stopped; /* STATUS' bits; bit n: stream n has stopped at its end */
        uint8_t uart_control, uart_test;
    } s;
};

#define E     struct es1370
#define ES(d) container_of((d), struct es1370, pci.dev)
static const struct field es1370_state[] = { ARRAY(E, tick),
                                             ARRAY(E, ahead, .max = PACE_FRAMES),
                                             FIELD(E, control),
                                             FIELD(E, serial, .bits = SER_BITS),
                                             ARRAY(E, addr),
                                             ARRAY(E, phantom),
                                             ARRAY(E, samples),
                                             ARRAY(E, left),
                                             ARRAY(E, size),
                                             ARRAY(E, place),
                                             ARRAY(E, part, .max = 3),
                                             FIELD(E, page, .bits = PAGE_BITS),
                                             ARRAY(E, codec),
                                             FIELD(E, pending, .bits = 7),
                                             FIELD(E, stopped, .bits = 7),
                                             FIELD(E, uart_control),
                                             FIELD(E, uart_test),
                                             FIELDS_END };

/* ---- what follows from the state ---- */

static bool runs(const struct es1370 *c, unsigned n)
{
    bool paused = n != ADC && (c->s.serial >> (SER_PAUSE1 + n) & 1);

    return (c->s.control & enable_bit[n]) && !paused && !(c->s.stopped >> n & 1);
}

static uint32_t rate_of(const struct es1370 *c, unsigned n)
{
    static const uint16_t rates[] = { 5512, 11025, 22050, 44100 };
    uint32_t rate = MASTER_CLK / ((c->s.control >> CTL_DIV & CTL_DIV_MAX) + 2);

    if (n == DAC1)
        return rates[c->s.control >> CTL_RATE1 & 3];
    return rate < PACE_RATE_MAX ? rate : PACE_RATE_MAX;
}

static unsigned mode_of(const struct es1370 *c, unsigned n)
{
    return c->s.serial >> 2 * n & SER_MODE;
}

static unsigned frame_size(const struct es1370 *c, unsigned n)
{
    unsigned mode = mode_of(c, n);

    return (mode & MODE_STEREO ? 2 : 1) * (mode & MODE_16 ? 2 : 1);
}

/* The transmitter takes every byte at once, so it asks for the next as long as it may. */
static bool uart_interrupts(const struct es1370 *c)
{
    return (c->s.control & CTL_UART_EN) && (c->s.uart_control & UART_TXINTEN) == UART_TXINT_ON;
}

static void es1370_sync(struct device *dev)
{
    struct es1370 *c = ES(dev);

    for (unsigned n = 0; n < STREAMS; n++) {
        unsigned mode = mode_of(c, n);
        struct sound_format f = { .rate = rate_of(c, n),
                                  .channels = mode & MODE_STEREO ? 2 : 1,
                                  .bits = mode & MODE_16 ? 16 : 8,
                                  .is_signed = mode & MODE_16 };
        uint32_t left, right;

        pace_sync(&c->engine[n].pace);
        if (n == ADC)
            continue;
        ak4531_gain(c->s.codec, n == DAC1 ? AK4531_FM : AK4531_VOICE, &left, &right);
        sound_gain(&c->voice[n], left, right);
        sound_set(&c->voice[n], runs(c, n) ? &f : NULL);
    }
    pci_intx(&c->pci, c->s.pending || uart_interrupts(c));
}

/* ---- streams ---- */

static void transfer(struct es1370 *c, unsigned n, uint32_t addr, uint32_t len)
{
    uint8_t data[PACE_FRAMES * 4];
    int rc;

    memset(data, mode_of(c, n) & MODE_16 ? 0 : 0x80, sizeof(data));
    if (n == ADC && (c->s.control & CTL_ADC_STOP))
        return;
    if (n == ADC)
        rc = pci_dma_write(&c->pci, addr, data, len);
    else
        rc = pci_dma_read(&c->pci, addr, data, len);
    if (rc) {
        guest_err(&c->pci.dev, "no memory at %08x", addr);
        memset(data, mode_of(c, n) & MODE_16 ? 0 : 0x80, sizeof(data));
    }
    if (n != ADC)
        sound_play(&c->voice[n], data, len);
}

/* Round and round in the buffer, of which each turn is 4 bytes at least. */
static void move(struct es1370 *c, unsigned n, uint32_t frames)
{
    uint32_t bytes = frames * frame_size(c, n);

    while (bytes) {
        uint32_t size = 4 * (c->s.size[n] + 1u), at = 4u * c->s.place[n] + c->s.part[n];
        uint32_t len;

        if (at >= size)
            at = 0; /* a place behind the end */
        len = bytes < size - at ? bytes : size - at;
        transfer(c, n, c->s.addr[n] + at, len);
        at = at + len == size ? 0 : at + len;
        c->s.place[n] = (uint16_t)(at / 4);
        c->s.part[n] = at % 4;
        bytes -= len;
    }
}

/* So many frames have gone; the period may have ended once or, if it is short, often. */
static void run(struct es1370 *c, unsigned n, uint32_t frames)
{
    uint32_t period = c->s.samples[n] + 1u, until = c->s.left[n] + 1u;

    if (frames < until) {
        move(c, n, frames);
        c->s.left[n] -= frames;
        return;
    }
    if (c->s.serial >> (SER_INT1 + n) & 1)
        c->s.pending |= pending_bit[n];
    if (c->s.serial >> (SER_STOP1 + n) & 1) {
        move(c, n, until);
        c->s.left[n] = c->s.samples[n];
        c->s.stopped |= 1u << n;
        pace_stop(&c->engine[n].pace);
        return;
    }
    move(c, n, frames);
    c->s.left[n] = (uint16_t)(period - 1 - (frames - until) % period);
}

static void arm(struct es1370 *c, unsigned n)
{
    if (runs(c, n))
        pace_arm(&c->engine[n].pace, rate_of(c, n), c->s.left[n] + 1u);
}

static void catch_up(struct es1370 *c)
{
    for (unsigned n = 0; n < STREAMS; n++) {
        uint32_t frames = pace_due(&c->engine[n].pace, rate_of(c, n));

        if (frames)
            run(c, n, frames);
    }
}

static void es1370_tick(void *arg)
{
    struct es1370_engine *e = arg;
    struct es1370 *c = e->card;
    unsigned n = (unsigned)(e - c->engine);

    run(c, n, pace_fired(&e->pace));
    arm(c, n);
    es1370_sync(&c->pci.dev);
}

/* ---- registers ---- */

/* After CONTROL or SERIAL: streams that begin, end, or go on at another rate. */
static void settle(struct es1370 *c, const bool *ran, const uint32_t *rate)
{
    for (unsigned n = 0; n < STREAMS; n++) {
        if (!(c->s.serial >> (SER_INT1 + n) & 1))
            c->s.pending &= ~pending_bit[n];
        if (!(c->s.control & enable_bit[n])) {
            c->s.stopped &= ~(1u << n);
            c->s.left[n] = c->s.samples[n];
        }
        if (!runs(c, n))
            pace_stop(&c->engine[n].pace);
        else if (!ran[n] || rate[n] != rate_of(c, n))
            arm(c, n);
    }
}

static void write_modes(struct es1370 *c, uint32_t control, uint32_t serial)
{
    uint32_t rate[STREAMS];
    bool ran[STREAMS];

    for (unsigned n = 0; n < STREAMS; n++) {
        ran[n] = runs(c, n);
        rate[n] = rate_of(c, n);
    }
    c->s.control = control;
    c->s.serial = serial & SER_BITS;
    if (c->s.serial & SER_RELOAD1)
        c->s.left[DAC1] = c->s.samples[DAC1];
    settle(c, ran, rate);
}

/* Which stream a dword of the memory page is about; STREAMS: none. */
static unsigned page_stream(const struct es1370 *c, unsigned off)
{
    if (c->s.page == PAGE_DAC)
        return off < R_MEMORY + 8 ? DAC1 : DAC2;
    return c->s.page == PAGE_ADC && off < R_MEMORY + 8 ? ADC : STREAMS;
}

static uint32_t read_memory(const struct es1370 *c, unsigned off)
{
    unsigned n = page_stream(c, off);

    if (n == STREAMS)
        return c->s.page == PAGE_ADC ? c->s.phantom[off / 4 % 2] : 0;
    return off & 4 ? c->s.size[n] | (uint32_t)c->s.place[n] << 16 : c->s.addr[n];
}

static void write_memory(struct es1370 *c, unsigned off, uint32_t val)
{
    unsigned n = page_stream(c, off);

    if (n == STREAMS) {
        if (c->s.page == PAGE_ADC)
            c->s.phantom[off / 4 % 2] = val;
    } else if (off & 4) {
        c->s.size[n] = (uint16_t)val;
        c->s.place[n] = val >> 16;
        c->s.part[n] = 0;
    } else {
        c->s.addr[n] = val;
    }
}

static uint32_t status(const struct es1370 *c)
{
    uint32_t why = c->s.pending | (uart_interrupts(c) ? STATUS_UART : 0);

    return why | STATUS_VOICE | (why ? STATUS_INTR : 0);
}

static uint32_t uart(const struct es1370 *c)
{
    uint32_t ready = c->s.control & CTL_UART_EN ? UART_TXRDY : 0;

    return (ready | (uart_interrupts(c) ? UART_TXINT : 0)) << 8 | (uint32_t)c->s.uart_test << 16;
}

static uint32_t read_dword(const struct es1370 *c, unsigned off)
{
    switch (off) {
    case R_CONTROL:
        return c->s.control;
    case R_STATUS:
        return status(c);
    case R_UART:
        return uart(c);
    case R_PAGE:
        return c->s.page;
    case R_SERIAL:
        return c->s.serial;
    case R_COUNT:
    case R_COUNT + 4:
    case R_COUNT + 8:
        off = (off - R_COUNT) / 4;
        return c->s.samples[off] | (uint32_t)c->s.left[off] << 16;
    default:
        return off >= R_MEMORY ? read_memory(c, off) : 0;
    }
}

static void write_count(struct es1370 *c, unsigned n, uint16_t val)
{
    c->s.samples[n] = val;
    if (!runs(c, n) || c->s.left[n] > val) /* else from the next period on */
        c->s.left[n] = val;
}

/* mask: the bits of val that were written. */
static void write_dword(struct es1370 *c, unsigned off, uint32_t val, uint32_t mask)
{
    uint32_t all = (read_dword(c, off) & ~mask) | val;

    switch (off) {
    case R_CONTROL:
        write_modes(c, all, c->s.serial);
        break;
    case R_UART:
        if (mask & 0xff00)
            c->s.uart_control = (uint8_t)(val >> 8);
        c->s.uart_test = (uint8_t)(all >> 16);
        break;
    case R_PAGE:
        c->s.page = all & PAGE_BITS;
        break;
    case R_CODEC:
        if (mask & 0xff00)
            ak4531_write(c->s.codec, val >> 8 & 0xff, (uint8_t)val);
        break;
    case R_SERIAL:
        write_modes(c, c->s.control, all);
        break;
    case R_COUNT:
    case R_COUNT + 4:
    case R_COUNT + 8:
        write_count(c, (off - R_COUNT) / 4, (uint16_t)all);
        break;
    default:
        if (off >= R_MEMORY)
            write_memory(c, off, all);
    }
}

static uint64_t es1370_read(struct device *dev, uint64_t off, unsigned width)
{
    struct es1370 *c = ES(dev);
    uint32_t val;

    catch_up(c);
    val = read_dword(c, (unsigned)off & ~3u) >> 8 * (off & 3);
    es1370_sync(dev);
    return width == 4 ? val : val & ((1u << 8 * width) - 1);
}

static void es1370_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct es1370 *c = ES(dev);
    uint32_t mask = (width == 4 ? ~0u : (1u << 8 * width) - 1) << 8 * (off & 3);

    catch_up(c);
    write_dword(c, (unsigned)off & ~3u, (uint32_t)val << 8 * (off & 3), mask);
    es1370_sync(dev);
}

/* ---- the device ---- */

static void es1370_reset(struct device *dev, enum reset_kind kind)
{
    struct es1370 *c = ES(dev);

    c->s.control = CTL_RESET;
    ak4531_reset(c->s.codec);
}

static bool es1370_check(const struct device *dev)
{
    const struct es1370 *c = container_of(dev, const struct es1370, pci.dev);

    for (unsigned n = 0; n < STREAMS; n++) {
        bool enabled = c->s.control & enable_bit[n];

        if (!pace_check(&c->engine[n].pace, runs(c, n)) || c->s.left[n] > c->s.samples[n] ||
            (!enabled && (c->s.stopped >> n & 1)))
            return false;
        if (!(c->s.serial >> (SER_INT1 + n) & 1) && (c->s.pending & pending_bit[n]))
            return false;
    }
    for (unsigned i = 0x1a; i < AK4531_REGS; i++) {
        if (c->s.codec[i])
            return false;
    }
    return true;
}

static int es1370_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct es1370 *c = ES(dev);

    for (unsigned n = 0; n < STREAMS; n++) {
        c->engine[n].card = c;
        pace_init(&c->engine[n].pace, dev, &c->s.tick[n], &c->s.ahead[n], es1370_tick,
                  &c->engine[n]);
    }
    for (unsigned n = 0; n < 2; n++)
        sound_attach(&c->voice[n], config_obj(cfg, "sound"));
    return 0;
}

static void es1370_fini(struct device *dev)
{
    struct es1370 *c = ES(dev);

    for (unsigned n = 0; n < 2; n++)
        sound_detach(&c->voice[n]);
    for (unsigned n = 0; n < STREAMS; n++)
        pace_fini(&c->engine[n].pace);
}

static const struct io_range es1370_ports = {
    .space = IO_PORT, .size = R_END, .widths = 1 | 2 | 4, .read = es1370_read, .write = es1370_write
};
/* Status: slow DEVSEL#; MIN_GNT and MAX_LAT as Ensoniq's. */
static const struct pci_reg es1370_regs[] = {
    { PCI_STATUS, 2, 0x0400, 0, 0xf900 }, { 0x3e, 1, 0x0c, 0, 0 }, { 0x3f, 1, 0x80, 0, 0 }, { 0 }
};

const struct pci_type es1370_type = {
    .dev = { .name = "ES1370",
             .version = 1,
             DEVICE_LAYOUT(struct es1370),
             .state = es1370_state,
             .pci = true,
             .init = es1370_init,
             .fini = es1370_fini,
             .reset = es1370_reset,
             .sync = es1370_sync,
             .check = es1370_check },
    .vendor = 0x1274,
    .device = 0x5000,
    .subvendor = 0x4942,
    .subdevice = 0x4c4c,
    .class_code = 0x040100,
    .intx = 1,
    .bar = { &es1370_ports },
    .regs = es1370_regs,
};
