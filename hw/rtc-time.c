/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/rtc-time.c: seconds since 1970 as the MC146818A's ten bytes have them, and back. */
#include <time.h>
#include "hw/rtc-int.h"

#define DAY 86400

static unsigned from_bcd(uint8_t val)
{
    return (val >> 4) * 10 + (val & 0x0f);
}

static uint8_t to_bcd(unsigned val)
{
    return val / 10 % 10 << 4 | val % 10;
}

unsigned rtc_decode(const struct cmos *c, uint8_t val)
{
    return c->s.ram[RTC_B] & B_BINARY ? val : from_bcd(val);
}

static uint8_t encode(const struct cmos *c, unsigned val)
{
    return c->s.ram[RTC_B] & B_BINARY ? val : to_bcd(val);
}

unsigned rtc_decode_hour(const struct cmos *c, uint8_t val)
{
    if (c->s.ram[RTC_B] & B_24H)
        return rtc_decode(c, val);
    return rtc_decode(c, val & ~HOUR_PM) % 12 + (val & HOUR_PM ? 12 : 0);
}

static uint8_t encode_hour(const struct cmos *c, unsigned hour)
{
    if (c->s.ram[RTC_B] & B_24H)
        return encode(c, hour);
    return encode(c, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

int64_t rtc_get(const struct cmos *c)
{
    const uint8_t *r = c->s.ram;
    struct tm tm = {
        .tm_sec = rtc_decode(c, r[RTC_SEC]),
        .tm_min = rtc_decode(c, r[RTC_MIN]),
        .tm_hour = rtc_decode_hour(c, r[RTC_HOUR]),
        .tm_mday = rtc_decode(c, r[RTC_MDAY]),
        .tm_mon = (int)rtc_decode(c, r[RTC_MONTH]) - 1,
        .tm_year = (int)(from_bcd(r[RTC_CENTURY]) * 100 + rtc_decode(c, r[RTC_YEAR])) - 1900,
    };

    return timegm(&tm);
}

void rtc_put(struct cmos *c, int64_t seconds)
{
    uint8_t *r = c->s.ram;
    time_t t = seconds;
    struct tm tm;

    if (!gmtime_r(&t, &tm))
        return;
    r[RTC_SEC] = encode(c, tm.tm_sec % 60);
    r[RTC_MIN] = encode(c, tm.tm_min);
    r[RTC_HOUR] = encode_hour(c, tm.tm_hour);
    r[RTC_MDAY] = encode(c, tm.tm_mday);
    r[RTC_MONTH] = encode(c, tm.tm_mon + 1);
    r[RTC_YEAR] = encode(c, (unsigned)(tm.tm_year + 1900) % 100);
    r[RTC_CENTURY] = to_bcd((unsigned)(tm.tm_year + 1900) / 100);
}

int64_t rtc_days(int64_t seconds)
{
    return seconds >= 0 ? seconds / DAY : (seconds + 1) / DAY - 1;
}

void rtc_put_wday(struct cmos *c, int64_t passed)
{
    int64_t wday = (rtc_decode(c, c->s.ram[RTC_WDAY]) + 6 + passed % 7 + 7) % 7;

    if (passed)
        c->s.ram[RTC_WDAY] = encode(c, wday + 1);
}
