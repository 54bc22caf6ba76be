/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * High precision event timers (IA-PC HPET Specification 1.0a): a 64-bit counter
 * of 10 ns at 0xfed00000 and three comparators, each periodic if asked and with
 * a 32-bit mode, with legacy replacement. Timers not so replaced can be routed
 * to I/O APIC input 2, the one no ISA device has. Not modelled: interrupts
 * by message (FSB), and a rate above MIN_NS: what comes faster comes as one.
 */
#include "hw/core/irq.h"
#include "hw/core/platform.h"
#include "hw/core/state.h"
#include "hw/devices.h"
#include "hw/rtc.h"

#define HPET_BASE 0xfed00000
#define HPET_SIZE 0x400
#define TIMERS    3
#define TICK_NS   10
#define MIN_NS    (50 * NS_PER_US)
#define FAR_NS    (1LL << 61)

enum { REG_ID = 0x00, REG_GEN = 0x10, REG_STATUS = 0x20, REG_COUNTER = 0xf0, REG_TIMER = 0x100 };
enum { TIMER_CONF = 0x00, TIMER_CMP = 0x08, TIMER_STEP = 0x20 };

/* Revision 1, three timers, 64 bits, legacy replacement, Intel; 10^7 fs a tick */
#define ID_VALUE 0x009896808086a201ULL

#define GEN_ENABLE 0x01
#define GEN_LEGACY 0x02

#define TN_LEVEL    0x0002
#define TN_ENABLE   0x0004
#define TN_PERIODIC 0x0008
#define TN_SET      0x0040
#define TN_32       0x0100
#define TN_ROUTE    0x3e00
#define TN_ROUTE_2  0x0400
#define TN_BITS     (TN_LEVEL | TN_ENABLE | TN_PERIODIC | TN_SET | TN_32)
#define TN_CAPS     0x0000000400000030ULL /* periodic, 64 bits; input 2 */

#define LINES     3
#define PIN_TIMER 0
#define PIN_RTC   8
#define PIN_APIC  2 /* an input that no ISA device has: the cascade's */

struct hpet {
    struct device dev;
    struct irq line[LINES]; /* PIN_TIMER, PIN_RTC, PIN_APIC */
    bool cut;               /* we took the clock's interrupt */
    struct {
        struct timer far;          /* tells how long the counter has been running */
        struct timer fire[TIMERS]; /* the next match of each */
        uint64_t base;             /* the counter when it was started, or while it is halted */
        uint64_t cmp[TIMERS], period[TIMERS];
        uint16_t conf[TIMERS];
        uint8_t gen, status;
    } s;
};

static const struct field hpet_state[] = { FIELD(struct hpet, far),
                                           ARRAY(struct hpet, fire),
                                           FIELD(struct hpet, base),
                                           ARRAY(struct hpet, cmp),
                                           ARRAY(struct hpet, period),
                                           ARRAY(struct hpet, conf, .bits = TN_BITS | TN_ROUTE_2),
                                           FIELD(struct hpet, gen, .bits = GEN_ENABLE | GEN_LEGACY),
                                           FIELD(struct hpet, status, .max = (1 << TIMERS) - 1),
                                           FIELDS_END };

static struct hpet *hpet_of(struct device *dev)
{
    return container_of(dev, struct hpet, dev);
}

/* ---- the counter ---- */

static int64_t running_ns(const struct hpet *h)
{
    if (h->s.far.at == TIMER_OFF)
        return 0;
    return FAR_NS - (h->s.far.at - platform_now(h->dev.plat));
}

static uint64_t counter(const struct hpet *h)
{
    return h->s.base + (uint64_t)running_ns(h) / TICK_NS;
}

static void counter_start(struct hpet *h)
{
    timer_set(h->dev.plat, &h->s.far, platform_now(h->dev.plat) + FAR_NS);
}

/* After 73 years: it goes on from there, with the part of a tick that has gone by. */
static void hpet_far(void *arg)
{
    struct hpet *h = arg;

    h->s.base += FAR_NS / TICK_NS;
    timer_set(h->dev.plat, &h->s.far, platform_now(h->dev.plat) + FAR_NS - FAR_NS % TICK_NS);
}

/* ---- comparators ---- */

static uint64_t width_of(const struct hpet *h, unsigned n)
{
    return h->s.conf[n] & TN_32 ? UINT32_MAX : UINT64_MAX;
}

/* Sets the time of timer n's next match. A value that has gone by comes round again. */
static void timer_arm(struct hpet *h, unsigned n)
{
    uint64_t ticks = (h->s.cmp[n] - counter(h)) & width_of(h, n);
    int64_t at = TIMER_OFF, now = platform_now(h->dev.plat), wait;

    if (!ticks) /* this very tick has had its match */
        ticks = width_of(h, n) == UINT32_MAX ? 1ULL << 32 : UINT64_MAX;
    if ((h->s.gen & GEN_ENABLE) && (h->s.conf[n] & (TN_ENABLE | TN_PERIODIC)) &&
        ticks < (uint64_t)FAR_NS / TICK_NS) {
        wait = (int64_t)ticks * TICK_NS - running_ns(h) % TICK_NS;
        at = now + wait;
    }
    timer_set(h->dev.plat, &h->s.fire[n], at);
}

static void arm_all(struct hpet *h)
{
    for (unsigned n = 0; n < TIMERS; n++)
        timer_arm(h, n);
}

/* Legacy replacement routes timers 0 and 1, the others go where they say (section 2.2.3). */
static struct irq *line_of(struct hpet *h, unsigned n)
{
    if (n < 2 && (h->s.gen & GEN_LEGACY))
        return &h->line[n];
    return &h->line[h->s.conf[n] & TN_ROUTE ? 2 : 0];
}

/* The comparator goes on by whole periods to beyond now (section 2.3.9.2.2). */
static void timer_accumulate(struct hpet *h, unsigned n)
{
    uint64_t period = h->s.period[n], mask = width_of(h, n), passed;

    if (!period)
        return;
    passed = (counter(h) - h->s.cmp[n]) & mask;
    h->s.cmp[n] = (h->s.cmp[n] + (passed / period + 1) * period) & mask;
}

static void timer_match(struct hpet *h, unsigned n)
{
    struct irq *line = line_of(h, n);
    int64_t soonest = platform_now(h->dev.plat) + MIN_NS;
    bool pulse = (h->s.conf[n] & (TN_ENABLE | TN_LEVEL)) == TN_ENABLE;

    if (h->s.conf[n] & TN_PERIODIC)
        timer_accumulate(h, n);
    timer_arm(h, n);
    if (h->s.fire[n].at < soonest)
        timer_set(h->dev.plat, &h->s.fire[n], soonest);
    if ((h->s.conf[n] & TN_ENABLE) && (h->s.conf[n] & TN_LEVEL))
        h->s.status |= 1u << n;
    if (pulse && !line->level) {
        irq_set(line, true);
        irq_set(line, false);
    }
    h->dev.type->sync(&h->dev);
}

static void fire0(void *arg)
{
    timer_match(arg, 0);
}

static void fire1(void *arg)
{
    timer_match(arg, 1);
}

static void fire2(void *arg)
{
    timer_match(arg, 2);
}

/* ---- registers, as 64-bit values ---- */

static uint64_t timer_get(const struct hpet *h, unsigned n, unsigned reg)
{
    if (reg == TIMER_CONF)
        return h->s.conf[n] | TN_CAPS;
    return reg == TIMER_CMP ? h->s.cmp[n] & width_of(h, n) : 0;
}

static uint64_t reg_get(const struct hpet *h, unsigned reg)
{
    unsigned n = (reg - REG_TIMER) / TIMER_STEP;

    if (reg >= REG_TIMER && n < TIMERS)
        return timer_get(h, n, reg % TIMER_STEP);
    switch (reg) {
    case REG_ID:
        return ID_VALUE;
    case REG_GEN:
        return h->s.gen;
    case REG_STATUS:
        return h->s.status;
    case REG_COUNTER:
        return counter(h);
    default:
        return 0;
    }
}

static void conf_put(struct hpet *h, unsigned n, uint64_t val)
{
    uint16_t route = val & TN_ROUTE; /* one that is not offered does not stick */

    if (route && route != TN_ROUTE_2)
        route = h->s.conf[n] & TN_ROUTE;
    h->s.conf[n] = (val & TN_BITS) | route;
    h->s.cmp[n] &= width_of(h, n);
    h->s.period[n] &= width_of(h, n);
    if (!(val & TN_LEVEL))
        h->s.status &= ~(1u << n);
    timer_arm(h, n);
}

/*
 * In periodic mode a write sets the period, and with VAL_SET, which it clears,
 * the comparator too (section 2.3.9.2.2, and the two writes of drivers).
 */
static void cmp_put(struct hpet *h, unsigned n, uint64_t val, uint64_t mask)
{
    bool periodic = h->s.conf[n] & TN_PERIODIC;

    val &= mask;
    if (periodic)
        h->s.period[n] = ((h->s.period[n] & ~mask) | val) & width_of(h, n);
    if (!periodic || (h->s.conf[n] & TN_SET))
        h->s.cmp[n] = ((h->s.cmp[n] & ~mask) | val) & width_of(h, n);
    h->s.conf[n] &= ~TN_SET;
    timer_arm(h, n);
}

static void gen_put(struct hpet *h, uint8_t val)
{
    bool on = val & GEN_ENABLE, was = h->s.gen & GEN_ENABLE;

    if (was && !on) {
        h->s.base = counter(h);
        timer_set(h->dev.plat, &h->s.far, TIMER_OFF);
    } else if (on && !was) {
        counter_start(h);
    }
    h->s.gen = val & (GEN_ENABLE | GEN_LEGACY);
    arm_all(h);
}

static void counter_put(struct hpet *h, uint64_t val)
{
    if (h->s.gen & GEN_ENABLE)
        guest_err(&h->dev, "write to the counter while it runs");
    else
        h->s.base = val;
}

/* val: of the whole register; mask: what of it was written. */
static void reg_put(struct hpet *h, unsigned reg, uint64_t val, uint64_t mask)
{
    unsigned n = (reg - REG_TIMER) / TIMER_STEP;
    uint64_t merged = (reg_get(h, reg) & ~mask) | (val & mask);

    if (reg >= REG_TIMER && n < TIMERS) {
        if (reg % TIMER_STEP == TIMER_CONF)
            conf_put(h, n, merged);
        else if (reg % TIMER_STEP == TIMER_CMP)
            cmp_put(h, n, val, mask);
    } else if (reg == REG_GEN) {
        gen_put(h, merged);
    } else if (reg == REG_STATUS) {
        h->s.status &= ~(val & mask);
    } else if (reg == REG_COUNTER) {
        counter_put(h, merged);
    }
}

static uint64_t hpet_read(struct device *dev, uint64_t off, unsigned width)
{
    uint64_t val = reg_get(hpet_of(dev), off & ~7u);

    return off & 4 ? val >> 32 : val;
}

static void hpet_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    uint64_t mask = width == 8 ? UINT64_MAX : UINT32_MAX;
    unsigned shift = off & 4 ? 32 : 0;

    reg_put(hpet_of(dev), off & ~7u, val << shift, mask << shift);
    dev->type->sync(dev);
}

/* ---- life ---- */

/* With legacy replacement the clock's interrupt 8 is timer 1's (section 2.2.3). */
static void cut_clock(struct hpet *h, bool cut)
{
    struct platform *p = h->dev.plat;

    for (unsigned i = 0; i < p->nwindows[IO_PORT]; i++) {
        struct device *dev = p->windows[IO_PORT][i].dev;

        if (dev->type == &cmos_type && h->cut != cut)
            rtc_cut(dev, cut);
    }
    h->cut = cut;
}

static void hpet_sync(struct device *dev)
{
    struct hpet *h = hpet_of(dev);
    bool level[LINES] = { false };

    for (unsigned n = 0; n < TIMERS; n++) {
        if ((h->s.gen & GEN_ENABLE) && (h->s.status & 1u << n) && (h->s.conf[n] & TN_ENABLE))
            level[line_of(h, n) - h->line] = true;
    }
    cut_clock(h, h->s.gen & GEN_LEGACY);
    for (unsigned i = 0; i < LINES; i++)
        irq_set(&h->line[i], level[i]);
}

static bool hpet_check(const struct device *dev)
{
    const struct hpet *h = container_of(dev, const struct hpet, dev);

    if ((h->s.far.at != TIMER_OFF) != !!(h->s.gen & GEN_ENABLE) || running_ns(h) < 0)
        return false;
    for (unsigned n = 0; n < TIMERS; n++) {
        if ((h->s.cmp[n] | h->s.period[n]) & ~width_of(h, n))
            return false;
        if ((h->s.status & 1u << n) && !(h->s.conf[n] & TN_LEVEL))
            return false;
        if (h->s.fire[n].at != TIMER_OFF && !(h->s.gen & GEN_ENABLE))
            return false;
    }
    return true;
}

static void hpet_reset(struct device *dev, enum reset_kind kind)
{
    struct hpet *h = hpet_of(dev);

    for (unsigned n = 0; n < TIMERS; n++)
        h->s.cmp[n] = UINT64_MAX;
}

static int hpet_init(struct device *dev, const struct config *cfg, struct err *err)
{
    static void (*const fire[TIMERS])(void *arg) = { fire0, fire1, fire2 };
    struct hpet *h = hpet_of(dev);

    irq_isa(dev, &h->line[0], PIN_TIMER);
    irq_isa(dev, &h->line[1], PIN_RTC);
    irq_isa(dev, &h->line[2], PIN_APIC);
    timer_init(dev->plat, &h->s.far, hpet_far, h);
    for (unsigned n = 0; n < TIMERS; n++)
        timer_init(dev->plat, &h->s.fire[n], fire[n], h);
    return 0;
}

static void hpet_fini(struct device *dev)
{
    struct hpet *h = hpet_of(dev);

    for (unsigned i = 0; i < LINES; i++)
        irq_set(&h->line[i], false);
    cut_clock(h, false);
    timer_fini(dev->plat, &h->s.far);
    for (unsigned n = 0; n < TIMERS; n++)
        timer_fini(dev->plat, &h->s.fire[n]);
}

static const struct io_range hpet_io[] = {
    { IO_MEM, HPET_BASE, HPET_SIZE, 4 | 8, hpet_read, hpet_write }, { 0 }
};

const struct device_type hpet_type = {
    .name = "hpet",
    .version = 1,
    DEVICE_LAYOUT(struct hpet),
    .io = hpet_io,
    .state = hpet_state,
    .init = hpet_init,
    .fini = hpet_fini,
    .reset = hpet_reset,
    .sync = hpet_sync,
    .check = hpet_check,
};
