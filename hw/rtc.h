/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/rtc.h: between the CMOS (hw/cmos.c) and the clock in its first bytes (hw/rtc.c). */
#pragma once
#include "hw/core/irq.h"
#include "hw/core/platform.h"

#define CMOS_SIZE       128
#define RTC_REGS        14   /* indexes that are the clock's */
#define RTC_CENTURY     0x32 /* BCD */
#define RTC_CENTURY_PS2 0x37 /* the same byte, where the PS/2 had it */

struct config;

struct rtc { /* what is not the guest's to see */
    struct irq irq;
    bool on;                 /* the clock is ours; else indexes 0-13 are plain memory */
    bool follows;            /* the host's clock, over pauses of the guest */
    bool cut;                /* the HPET has taken interrupt 8 over */
    bool slew;               /* periodic interrupts that the guest missed come later */
    int64_t base;            /* seconds since 1970 at guest time `born` */
    int64_t born, born_wall; /* guest ns; the host's seconds */
    void (*was_set)(void *arg, int64_t offset); /* rtc_listen() */
    void *was_set_arg;
    int64_t second_due, period_due; /* the timers' deadlines: a timer that fires forgets its own */
};

struct cmos {
    struct device dev;
    struct rtc rtc;
    uint8_t factory[CMOS_SIZE]; /* what config asked for */
    uint8_t battery[CMOS_SIZE]; /* follows s.ram; outlives a warm reset */
    uint8_t order[2];           /* boot order from the second boot on: bytes 0x38 and 0x3d */
    uint8_t once;               /* resets until it counts; 0: it always has */
    struct {
        struct timer second;  /* the next update */
        struct timer period;  /* the next periodic flag */
        struct timer again;   /* one that was missed comes now */
        uint64_t host_offset; /* seconds that the clock is ahead of the host's; wraps */
        uint32_t lost;        /* periodic interrupts still owed */
        uint8_t index;
        bool nmi_off;
        uint8_t spare[2];
        uint8_t ram[CMOS_SIZE];
        uint16_t phase; /* a periodic flag's place, in ticks of the crystal behind a second */
        uint8_t spare2[6];
    } s;
};

/*
 * Config: rtc (on), base (utc, localtime, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS),
 * clock (vm, host), driftfix (none, slew).
 */
int rtc_init(struct cmos *c, const struct config *cfg, struct err *err);
void rtc_fini(struct cmos *c);
void rtc_reset(struct cmos *c, enum reset_kind kind); /* s.ram holds factory or battery */
void rtc_sync(struct cmos *c);
bool rtc_check(const struct cmos *c);
uint8_t rtc_read(struct cmos *c, unsigned index);
void rtc_write(struct cmos *c, unsigned index, uint8_t val); /* also RTC_CENTURY */
/*
 * Hears of each time that the guest sets: offset is by how many seconds its clock is ahead then of
 * what it would have shown. A guest can cause as many as it likes. dev: a cmos; NULL ends it.
 */
void rtc_listen(struct device *dev, void (*was_set)(void *arg, int64_t offset), void *arg);
/* The HPET's legacy replacement: the clock's interrupt goes nowhere while cut. dev: a cmos. */
void rtc_cut(struct device *dev, bool cut);
