/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real-time clock of a PC: Motorola MC146818A, in indexes 0-13 of the
 * CMOS, interrupt 8. Under Xen the hypervisor has it and this stays off.
 *
 * The time is what stands in the registers; a timer counts it up once a second.
 * Not modelled: daylight saving, the square wave pin, and crystals other than
 * 32.768 kHz (every divider setting but its reset runs at that rate). An update
 * takes no time: UIP is seen for the 244 µs before it.
 */
#include "hw/rtc.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "hw/core/config.h"
#include "hw/devices.h"
#include "hw/piix4-pm.h"
#include "hw/rtc-int.h"

#define CRYSTAL     32768
#define DAY         86400
#define UIP_NS      (8 * NS_PER_S / CRYSTAL) /* 244 µs */
#define LOST_MAX    65535
#define HOST_SLACK  2 /* seconds that the guest's time may be off the host's */
#define AGAIN_SHARE 8 /* a missed interrupt comes after this part of a period */

static int64_t rtc_now(struct cmos *c)
{
    return platform_now(c->dev.plat);
}

static bool rtc_running(const struct cmos *c)
{
    return (c->s.ram[RTC_A] & A_RESET) != A_RESET;
}

/* ---- updates ---- */

static bool alarm_part(const struct cmos *c, unsigned reg, unsigned val)
{
    uint8_t set = c->s.ram[reg];

    if ((set & ANY) == ANY)
        return true;
    return (reg == RTC_HOUR_ALARM ? rtc_decode_hour(c, set) : rtc_decode(c, set)) == val;
}

/* Did the alarm's time come in the n seconds after `from`? */
static bool alarm_met(const struct cmos *c, int64_t from, int64_t n)
{
    for (int64_t i = 1; i <= n && i <= DAY; i++) {
        unsigned sec = ((from + i) % DAY + DAY) % DAY;

        if (alarm_part(c, RTC_SEC_ALARM, sec % 60) && alarm_part(c, RTC_MIN_ALARM, sec / 60 % 60) &&
            alarm_part(c, RTC_HOUR_ALARM, sec / 3600))
            return true;
    }
    return false;
}

/* Power management hears of an alarm as well: RTC_STS. */
static void alarm_tell(struct cmos *c)
{
    struct device *pm = pm_find(c->dev.plat);

    if (pm)
        pm_rtc_alarm(pm);
}

/* n updates, or with a host whose clock was set back less than none. */
static void rtc_advance(struct cmos *c, int64_t n)
{
    int64_t from = rtc_get(c);

    if (c->s.ram[RTC_B] & B_SET)
        return;
    if (alarm_met(c, from, n)) {
        c->s.ram[RTC_C] |= C_AF;
        alarm_tell(c);
    }
    rtc_put(c, from + n);
    rtc_put_wday(c, rtc_days(from + n) - rtc_days(from));
    c->s.ram[RTC_C] |= C_UF;
}

/* A guest that was stopped, or saved and restored: its clock goes on with the host's. */
static int64_t host_correction(const struct cmos *c, int64_t n)
{
    int64_t off =
        (int64_t)((uint64_t)platform_wall(c->dev.plat) + c->s.host_offset) - (rtc_get(c) + n);

    return c->rtc.follows && (off >= HOST_SLACK || off <= -HOST_SLACK) ? off : 0;
}

static void second_set(struct cmos *c, int64_t at)
{
    c->rtc.second_due = at;
    timer_set(c->dev.plat, &c->s.second, at);
}

/* Does the updates that are due, however late we are. */
static void rtc_catch_up(struct cmos *c)
{
    int64_t now = rtc_now(c), due = c->rtc.second_due, n;

    if (!c->rtc.on || due == TIMER_OFF || due > now)
        return;
    n = (now - due) / NS_PER_S + 1;
    second_set(c, due + n * NS_PER_S);
    rtc_advance(c, n + host_correction(c, n));
}

static void rtc_second(void *arg)
{
    struct cmos *c = arg;

    rtc_catch_up(c);
    c->dev.type->sync(&c->dev);
}

/* The guest wrote the time. */
static void rtc_was_set(struct cmos *c)
{
    c->s.host_offset = (uint64_t)rtc_get(c) - (uint64_t)platform_wall(c->dev.plat);
}

void rtc_listen(struct device *dev, void (*was_set)(void *arg, int64_t offset), void *arg)
{
    struct cmos *c = container_of(dev, struct cmos, dev);

    c->rtc.was_set = was_set;
    c->rtc.was_set_arg = arg;
}

/* And its clock runs from there. */
static void tell_was_set(struct cmos *c)
{
    int64_t gone = c->rtc.follows ? platform_wall(c->dev.plat) - c->rtc.born_wall
                                  : (rtc_now(c) - c->rtc.born) / NS_PER_S;

    if (c->rtc.was_set && rtc_running(c) && !(c->s.ram[RTC_B] & B_SET))
        c->rtc.was_set(c->rtc.was_set_arg, rtc_get(c) - (c->rtc.base + gone));
}

/* ---- the periodic interrupt ---- */

/* In crystal ticks; 0: none (MC146818A, table 5). */
static int64_t period_ticks(const struct cmos *c)
{
    unsigned rate = c->s.ram[RTC_A] & A_RATE;

    if (!rate || !rtc_running(c))
        return 0;
    return rate < 3 ? 64LL << rate : 1LL << (rate - 1);
}

/* The crystal's ticks are counted from the coming second: they are negative up to there. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((b - 1 - a) / b);
}

static int64_t ticks_now(struct cmos *c)
{
    return floor_div((rtc_now(c) - c->rtc.second_due) * CRYSTAL, NS_PER_S);
}

static int64_t tick_time(const struct cmos *c, int64_t tick)
{
    if (tick <= 0)
        return c->rtc.second_due - -tick * NS_PER_S / CRYSTAL;
    return c->rtc.second_due + (tick * NS_PER_S + CRYSTAL - 1) / CRYSTAL;
}

/* The tick at which the current period began. */
static int64_t period_begin(struct cmos *c)
{
    int64_t ticks = period_ticks(c);

    return c->s.phase + floor_div(ticks_now(c) - c->s.phase, ticks) * ticks;
}

static int64_t period_end(struct cmos *c)
{
    return tick_time(c, period_begin(c) + period_ticks(c));
}

/*
 * A period of another length is measured from where the current one began, not
 * by the divider's taps as the chip does it: systems that count time by these
 * interrupts and change the rate amid it believe that none is cut short.
 */
static void period_keep(struct cmos *c)
{
    if (period_ticks(c) && c->rtc.second_due != TIMER_OFF)
        c->s.phase = ((period_begin(c) % CRYSTAL) + CRYSTAL) % CRYSTAL;
}

static bool period_wanted(const struct cmos *c)
{
    const uint8_t *r = c->s.ram;

    if (!period_ticks(c) || c->rtc.second_due == TIMER_OFF)
        return false;
    return !(r[RTC_C] & C_PF) || (c->rtc.slew && (r[RTC_B] & B_PIE));
}

static void lose(struct cmos *c, int64_t n)
{
    if (!c->rtc.slew || !(c->s.ram[RTC_B] & B_PIE))
        return;
    c->s.lost = n > LOST_MAX - c->s.lost ? LOST_MAX : c->s.lost + n;
}

static void rtc_period(void *arg)
{
    struct cmos *c = arg;
    int64_t ticks = period_ticks(c), late = rtc_now(c) - c->rtc.period_due;

    rtc_catch_up(c);
    if (ticks && late > 0 && late < NS_PER_S * DAY)
        lose(c, late * CRYSTAL / (ticks * NS_PER_S));
    if (c->s.ram[RTC_C] & C_PF)
        lose(c, 1);
    c->s.ram[RTC_C] |= C_PF;
    c->dev.type->sync(&c->dev);
}

static void rtc_again(void *arg)
{
    struct cmos *c = arg;

    if (c->s.lost && !(c->s.ram[RTC_C] & C_PF)) {
        c->s.lost--;
        c->s.ram[RTC_C] |= C_PF;
    }
    c->dev.type->sync(&c->dev);
}

/* ---- registers ---- */

static uint8_t read_a(struct cmos *c)
{
    bool soon = c->rtc.second_due != TIMER_OFF && c->rtc.second_due - rtc_now(c) <= UIP_NS;

    return c->s.ram[RTC_A] | (soon && !(c->s.ram[RTC_B] & B_SET) ? A_UIP : 0);
}

static uint8_t read_c(struct cmos *c)
{
    uint8_t val = c->s.ram[RTC_C];
    int64_t ticks = period_ticks(c);

    c->s.ram[RTC_C] = 0;
    if (c->s.lost && ticks && (c->s.ram[RTC_B] & B_PIE))
        timer_set(c->dev.plat, &c->s.again, rtc_now(c) + ticks * NS_PER_S / CRYSTAL / AGAIN_SHARE);
    c->dev.type->sync(&c->dev);
    return val;
}

uint8_t rtc_read(struct cmos *c, unsigned index)
{
    rtc_catch_up(c);
    c->dev.type->sync(&c->dev);
    if (index == RTC_A)
        return read_a(c);
    if (index == RTC_C)
        return read_c(c);
    return c->s.ram[index & (CMOS_SIZE - 1)];
}

/* The first update comes half a second after the divider's reset is over. */
static void write_a(struct cmos *c, uint8_t val)
{
    bool ran = rtc_running(c);

    period_keep(c);
    c->s.ram[RTC_A] = val & ~A_UIP;
    if (!rtc_running(c)) {
        second_set(c, TIMER_OFF);
        c->s.phase = 0;
    } else if (!ran) {
        second_set(c, rtc_now(c) + NS_PER_S / 2);
    }
    timer_set(c->dev.plat, &c->s.period, TIMER_OFF);
    timer_set(c->dev.plat, &c->s.again, TIMER_OFF);
    c->s.lost = 0;
}

/*
 * The datasheet wants all ten bytes written anew after a change of DM or 24/12. Who does not stop
 * the clock for it meets the time he knows, in the new form; bytes written under SET stay.
 */
static void write_b(struct cmos *c, uint8_t val)
{
    int64_t seconds = rtc_get(c);
    bool form = (c->s.ram[RTC_B] ^ val) & (B_BINARY | B_24H);
    bool ends_set = c->s.ram[RTC_B] & ~val & B_SET;

    form &= !((c->s.ram[RTC_B] | val) & B_SET);
    if (val & B_SET)
        val &= ~B_UIE; /* SET clears it */
    if (!(val & B_PIE))
        c->s.lost = 0;
    c->s.ram[RTC_B] = val;
    if (form)
        rtc_put(c, seconds);
    rtc_was_set(c);
    if (ends_set)
        tell_was_set(c);
}

static bool is_alarm(unsigned index)
{
    return index == RTC_SEC_ALARM || index == RTC_MIN_ALARM || index == RTC_HOUR_ALARM;
}

void rtc_write(struct cmos *c, unsigned index, uint8_t val)
{
    rtc_catch_up(c);
    if (index == RTC_A) {
        write_a(c, val);
    } else if (index == RTC_B) {
        write_b(c, val);
    } else if (index < RTC_A || index == RTC_CENTURY) {
        c->s.ram[index] = val;
        rtc_was_set(c);
        if (!is_alarm(index))
            tell_was_set(c);
    } /* C and D cannot be written */
    c->dev.type->sync(&c->dev);
}

/* ---- life ---- */

void rtc_sync(struct cmos *c)
{
    uint8_t *r = c->s.ram;

    if (!c->rtc.on)
        return;
    c->rtc.second_due = c->s.second.at != TIMER_OFF ? c->s.second.at : c->rtc.second_due;
    if (!rtc_running(c))
        c->rtc.second_due = TIMER_OFF;
    else if (c->rtc.second_due == TIMER_OFF)
        second_set(c, rtc_now(c) + NS_PER_S); /* a state of before there was a clock */
    if (!period_wanted(c)) {
        timer_set(c->dev.plat, &c->s.period, TIMER_OFF);
    } else {
        if (c->s.period.at == TIMER_OFF)
            timer_set(c->dev.plat, &c->s.period, period_end(c));
        c->rtc.period_due = c->s.period.at;
    }
    r[RTC_C] &= C_BITS & ~C_IRQF;
    if (r[RTC_C] & r[RTC_B])
        r[RTC_C] |= C_IRQF;
    irq_set(&c->rtc.irq, (r[RTC_C] & C_IRQF) && !c->rtc.cut);
}

void rtc_cut(struct device *dev, bool cut)
{
    struct cmos *c = container_of(dev, struct cmos, dev);

    c->rtc.cut = cut;
    rtc_sync(c);
}

bool rtc_check(const struct cmos *c)
{
    int64_t soon = platform_now(c->dev.plat) + NS_PER_S;

    return !c->rtc.on || ((c->s.second.at == TIMER_OFF || c->s.second.at <= soon) &&
                          (c->s.period.at == TIMER_OFF || c->s.period.at <= soon) &&
                          (c->s.again.at == TIMER_OFF || c->s.again.at <= soon));
}

void rtc_reset(struct cmos *c, enum reset_kind kind)
{
    uint8_t *r = c->s.ram;
    int64_t now = rtc_now(c);

    if (!c->rtc.on)
        return;
    r[RTC_C] = 0;
    if (kind == RESET_COLD) {
        time_t t = c->rtc.base + (now - c->rtc.born) / NS_PER_S;
        struct tm tm;

        r[RTC_A] = A_START;
        r[RTC_B] = B_24H;
        r[RTC_D] = D_VRT;
        rtc_put(c, t);
        r[RTC_WDAY] = gmtime_r(&t, &tm) ? tm.tm_wday + 1 : 1;
    }
    r[RTC_B] &= ~(B_PIE | B_AIE | B_UIE | B_SQWE);
    second_set(c, rtc_running(c) ? now + NS_PER_S : TIMER_OFF);
    rtc_was_set(c);
}

/* A date of the command line, or now as the host's clock shows it. */
static int parse_base(struct platform *plat, const char *base, int64_t *seconds, struct err *err)
{
    struct tm tm = { 0 };
    time_t now = platform_wall(plat);
    int end = 0;

    if (!strcmp(base, "utc")) {
        *seconds = now;
        return 0;
    }
    if (!strcmp(base, "localtime")) {
        *seconds = localtime_r(&now, &tm) ? timegm(&tm) : now;
        return 0;
    }
    sscanf(base, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &end);
    if (end && base[end] == 'T') {
        const char *clock = base + end + 1;

        end = 0;
        sscanf(clock, "%2d:%2d:%2d%n", &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end);
        end = end && !clock[end] ? 1 : 0;
    } else {
        end = end && !base[end];
    }
    if (!end || tm.tm_year < 1900 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
        tm.tm_mday > 31 || tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 ||
        tm.tm_sec < 0 || tm.tm_sec > 59)
        return err_set(err, -EINVAL,
                       "rtc base=%s: not utc, localtime, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS", base);
    tm.tm_year -= 1900;
    tm.tm_mon--;
    *seconds = timegm(&tm);
    return 0;
}

int rtc_init(struct cmos *c, const struct config *cfg, struct err *err)
{
    const char *clock = config_str(cfg, "clock", "vm");
    const char *fix = config_str(cfg, "driftfix", "none");

    c->rtc.on = config_bool(cfg, "rtc", false);
    c->rtc.follows = !strcmp(clock, "host");
    c->rtc.slew = !strcmp(fix, "slew");
    c->rtc.second_due = TIMER_OFF;
    c->rtc.born = rtc_now(c);
    c->rtc.born_wall = platform_wall(c->dev.plat);
    if (!c->rtc.follows && strcmp(clock, "vm"))
        return err_set(err, -EINVAL, "rtc clock=%s: not host or vm", clock);
    if (!c->rtc.slew && strcmp(fix, "none"))
        return err_set(err, -EINVAL, "rtc driftfix=%s: not none or slew", fix);
    if (parse_base(c->dev.plat, config_str(cfg, "base", "utc"), &c->rtc.base, err))
        return -EINVAL;
    if (c->rtc.on)
        irq_isa(&c->dev, &c->rtc.irq, 8);
    timer_init(c->dev.plat, &c->s.second, rtc_second, c);
    timer_init(c->dev.plat, &c->s.period, rtc_period, c);
    timer_init(c->dev.plat, &c->s.again, rtc_again, c);
    return 0;
}

void rtc_fini(struct cmos *c)
{
    irq_set(&c->rtc.irq, false);
    timer_fini(c->dev.plat, &c->s.second);
    timer_fini(c->dev.plat, &c->s.period);
    timer_fini(c->dev.plat, &c->s.again);
}
