/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/rtc-int.h: the clock's registers, for hw/rtc.c and hw/rtc-time.c. */
#pragma once
#include "hw/rtc.h"

enum {
    RTC_SEC,
    RTC_SEC_ALARM,
    RTC_MIN,
    RTC_MIN_ALARM,
    RTC_HOUR,
    RTC_HOUR_ALARM,
    RTC_WDAY,
    RTC_MDAY,
    RTC_MONTH,
    RTC_YEAR,
    RTC_A,
    RTC_B,
    RTC_C,
    RTC_D,
};

#define A_UIP    0x80
#define A_RESET  0x60 /* both bits: the divider is held in reset */
#define A_RATE   0x0f
#define A_START  0x26 /* 32.768 kHz, 1024 Hz */
#define B_SET    0x80
#define B_PIE    0x40
#define B_AIE    0x20
#define B_UIE    0x10
#define B_SQWE   0x08
#define B_BINARY 0x04
#define B_24H    0x02
#define C_IRQF   0x80
#define C_PF     0x40
#define C_AF     0x20
#define C_UF     0x10
#define C_BITS   0xf0
#define D_VRT    0x80 /* the battery is good */
#define HOUR_PM  0x80
#define ANY      0xc0 /* of an alarm: both bits, and every value matches */

/* hw/rtc-time.c. A register as a number, in the form that register B says. */
unsigned rtc_decode(const struct cmos *c, uint8_t val);
unsigned rtc_decode_hour(const struct cmos *c, uint8_t val);
/* Seconds since 1970 as the registers have them; nonsense in them is carried over. */
int64_t rtc_get(const struct cmos *c);
void rtc_put(struct cmos *c, int64_t seconds);
int64_t rtc_days(int64_t seconds); /* whole ones since 1970 */
/* The day of the week is a counter of its own: the guest says where it stands. */
void rtc_put_wday(struct cmos *c, int64_t passed);
