/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real-time clock: the MC146818's registers, flags and interrupt 8. */
#include <string.h>
#include <time.h>
#include "hw/core/buf.h"
#include "hw/devices.h"
#include "hw/rtc.h"
#include "tests/unit/qt.h"

enum { SEC, SEC_AL, MIN, MIN_AL, HOUR, HOUR_AL, WDAY, MDAY, MONTH, YEAR, A, B, C, D };

#define CENTURY 0x32

static uint8_t rd(struct qt *t, uint8_t index)
{
    outb(t, 0x70, index);
    return inb(t, 0x71);
}

static void wr(struct qt *t, uint8_t index, uint8_t val)
{
    outb(t, 0x70, index);
    outb(t, 0x71, val);
}

static struct qt *start_at(const char *base)
{
    struct qt *t = qt_new();

    qt_config(t, "rtc", "on");
    qt_config(t, "base", base);
    qt_add(t, &cmos_type, -1);
    return t;
}

/* hh:mm:ss as it stands in the registers */
static unsigned hms(struct qt *t)
{
    return rd(t, HOUR) << 16 | rd(t, MIN) << 8 | rd(t, SEC);
}

/* ccyymmdd */
static unsigned date(struct qt *t)
{
    return (unsigned)rd(t, CENTURY) << 24 | rd(t, YEAR) << 16 | rd(t, MONTH) << 8 | rd(t, MDAY);
}

TEST(power_on)
{
    struct qt *t = start_at("2006-06-17T16:01:21");

    CHECK_EQ(date(t), 0x20060617);
    CHECK_EQ(hms(t), 0x160121);
    CHECK_EQ(rd(t, WDAY), 7); /* a Saturday */
    CHECK_EQ(rd(t, A), 0x26);
    CHECK_EQ(rd(t, B), 0x02);
    CHECK_EQ(rd(t, C), 0x00);
    CHECK_EQ(rd(t, D), 0x80);
    CHECK_EQ(rd(t, 0x37), 0x20); /* the century's other place */
    CHECK(!irq(t, 8));
}

TEST(seconds_and_everything_above)
{
    struct qt *t = start_at("1999-12-31T23:59:58");

    clock_step(t, NS_PER_S - 1);
    CHECK_EQ(hms(t), 0x235958);
    clock_step(t, 1);
    CHECK_EQ(hms(t), 0x235959);
    CHECK_EQ(rd(t, WDAY), 6);
    clock_step(t, NS_PER_S);
    CHECK_EQ(hms(t), 0x000000);
    CHECK_EQ(date(t), 0x20000101);
    CHECK_EQ(rd(t, WDAY), 7);
    wr(t, WDAY, 3); /* it counts from where the guest put it */
    wr(t, MONTH, 0x02);
    wr(t, MDAY, 0x28);
    wr(t, HOUR, 0x23);
    wr(t, MIN, 0x59);
    wr(t, SEC, 0x59);
    clock_step(t, NS_PER_S);
    CHECK_EQ(date(t), 0x20000229); /* a leap year */
    CHECK_EQ(rd(t, WDAY), 4);
}

TEST(binary_and_twelve_hours)
{
    struct qt *t = start_at("2024-05-06T12:59:59");

    wr(t, B, 0x06); /* binary, 24 hours: the time stays the same */
    CHECK_EQ(rd(t, HOUR), 12);
    CHECK_EQ(rd(t, MIN), 59);
    wr(t, B, 0x00); /* BCD, 12 hours */
    CHECK_EQ(rd(t, HOUR), 0x92);
    wr(t, B, 0x86); /* under SET the registers are the guest's: not converted */
    CHECK_EQ(rd(t, HOUR), 0x92);
    wr(t, B, 0x06);
    wr(t, YEAR, 24);
    wr(t, MONTH, 11);
    wr(t, MDAY, 30);
    wr(t, HOUR, 23);
    wr(t, MIN, 59);
    wr(t, SEC, 59);
    clock_step(t, NS_PER_S);
    CHECK_EQ(hms(t), 0);
    CHECK_EQ(date(t), 0x20180c01);
    wr(t, B, 0x00); /* BCD, 12 hours */
    wr(t, MONTH, 0x12);
    wr(t, HOUR, 0x11);
    wr(t, MIN, 0x59);
    wr(t, SEC, 0x59);
    clock_step(t, NS_PER_S);
    CHECK_EQ(hms(t), 0x920000); /* noon is 12 PM */
    clock_step(t, 3600 * NS_PER_S);
    CHECK_EQ(hms(t), 0x810000);
    wr(t, HOUR, 0x91);
    wr(t, MIN, 0x59);
    wr(t, SEC, 0x59);
    clock_step(t, NS_PER_S);
    CHECK_EQ(hms(t), 0x120000); /* midnight is 12 AM */
    wr(t, B, 0x04);
    wr(t, HOUR, 0x80 | 11);
    wr(t, MIN, 59);
    wr(t, SEC, 59);
    clock_step(t, NS_PER_S);
    CHECK_EQ(hms(t), 0x0c0000);
}

TEST(set_stops_the_updates)
{
    struct qt *t = start_at("2024-05-06T07:08:09");

    wr(t, B, 0x92); /* with UIE, which SET clears */
    CHECK_EQ(rd(t, B), 0x82);
    clock_step(t, 5 * NS_PER_S);
    CHECK_EQ(hms(t), 0x070809);
    CHECK_EQ(rd(t, C) & 0x10, 0);
    wr(t, SEC, 0x30);
    clock_step(t, 999800 * NS_PER_US);
    CHECK_EQ(rd(t, A), 0x26); /* no update in progress */
    wr(t, B, 0x02);
    CHECK_EQ(rd(t, A), 0xa6);
    clock_step(t, NS_PER_MS);
    CHECK_EQ(hms(t), 0x070831);
}

TEST(update_in_progress_comes_244_us_before)
{
    struct qt *t = start_at("2024-05-06T07:08:09");

    clock_step(t, NS_PER_S - 245 * NS_PER_US);
    CHECK_EQ(rd(t, A), 0x26);
    clock_step(t, NS_PER_US);
    CHECK_EQ(rd(t, A), 0xa6);
    CHECK_EQ(rd(t, SEC), 0x09);
    clock_step(t, 244 * NS_PER_US);
    CHECK_EQ(rd(t, A), 0x26);
    CHECK_EQ(rd(t, SEC), 0x10);
    wr(t, A, 0xa6); /* UIP cannot be written */
    CHECK_EQ(rd(t, A), 0x26);
}

TEST(update_ended_interrupt)
{
    struct qt *t = start_at("2024-05-06T07:08:09");

    clock_step(t, NS_PER_S);
    CHECK(!irq(t, 8));
    CHECK_EQ(rd(t, C) & 0x90, 0x10);
    wr(t, B, 0x12);
    CHECK(!irq(t, 8));
    clock_step(t, NS_PER_S);
    CHECK(irq(t, 8));
    CHECK_EQ(rd(t, C) & 0x90, 0x90);
    CHECK(!irq(t, 8));
    CHECK_EQ(rd(t, C), 0);
    clock_step(t, NS_PER_S);
    CHECK(irq(t, 8));
    wr(t, B, 0x02); /* the flag without its enable */
    CHECK(!irq(t, 8));
    wr(t, C, 0); /* read only */
    CHECK_EQ(rd(t, C) & 0x90, 0x10);
    wr(t, D, 0);
    CHECK_EQ(rd(t, D), 0x80);
}

TEST(alarm)
{
    struct qt *t = start_at("2024-05-06T07:08:09");

    wr(t, HOUR_AL, 0x07);
    wr(t, MIN_AL, 0x08);
    wr(t, SEC_AL, 0x12);
    wr(t, B, 0x22);
    clock_step(t, 2 * NS_PER_S);
    CHECK(!irq(t, 8));
    clock_step(t, NS_PER_S);
    CHECK(irq(t, 8));
    CHECK_EQ(rd(t, C) & 0xa0, 0xa0);
    clock_step(t, 61 * NS_PER_S);
    CHECK(!irq(t, 8));
    wr(t, HOUR_AL, 0xff); /* every hour, every minute */
    wr(t, MIN_AL, 0xc0);
    clock_step(t, 60 * NS_PER_S);
    CHECK(irq(t, 8));
    CHECK_EQ(rd(t, C) & 0xa0, 0xa0);
    wr(t, SEC_AL, 0xcc); /* every second */
    clock_step(t, NS_PER_S);
    CHECK(irq(t, 8));
    rd(t, C);
    wr(t, B, 0x20); /* 12 hours: 8 PM is not 8 AM */
    wr(t, HOUR, 0x07);
    wr(t, MIN, 0x59);
    wr(t, SEC, 0x59);
    wr(t, HOUR_AL, 0x88);
    wr(t, MIN_AL, 0x00);
    wr(t, SEC_AL, 0x00);
    clock_step(t, NS_PER_S);
    CHECK_EQ(hms(t), 0x080000);
    CHECK(!irq(t, 8));
    wr(t, HOUR, 0x87);
    wr(t, MIN, 0x59);
    wr(t, SEC, 0x59);
    clock_step(t, NS_PER_S);
    CHECK(irq(t, 8));
}

/* How often the flag comes up within a second when each is read at once. */
static unsigned flags_in_a_second(struct qt *t)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 16384; i++) {
        clock_step(t, (i + 1) * NS_PER_S / 16384 - i * NS_PER_S / 16384);
        n += (rd(t, C) & 0x40) != 0;
    }
    return n;
}

TEST(periodic_rates)
{
    static const unsigned hz[16] = { 0,   256, 128, 8192, 4096, 2048, 1024, 512,
                                     256, 128, 64,  32,   16,   8,    4,    2 };
    struct qt *t = start_at("utc");

    qt_no_reload(t, "some 260000 accesses; the next test reloads");
    for (unsigned rate = 0; rate < 16; rate++) {
        wr(t, A, 0x20 | rate);
        rd(t, C);
        CHECK_EQ(flags_in_a_second(t), hz[rate]);
    }
}

TEST(periodic_interrupt)
{
    struct qt *t = start_at("utc");

    wr(t, A, 0x2f); /* 500 ms */
    wr(t, B, 0x42);
    clock_step(t, NS_PER_S / 2 - 1);
    CHECK(!irq(t, 8));
    clock_step(t, 1);
    CHECK(irq(t, 8));
    clock_step(t, 10 * NS_PER_S); /* unread: it stays one */
    CHECK_EQ(rd(t, C) & 0xc0, 0xc0);
    CHECK(!irq(t, 8));
    clock_step(t, NS_PER_S / 4);
    CHECK(!irq(t, 8));
    clock_step(t, NS_PER_S / 4);
    CHECK(irq(t, 8));
    CHECK_EQ(rd(t, C) & 0xc0, 0xc0);
    wr(t, A, 0x20);
    clock_step(t, NS_PER_S);
    CHECK(!irq(t, 8));
}

/* Windows counts time by interrupts whose rate it changes: those cut short made its clock run fast.
 */
TEST(a_change_of_rate_cuts_no_period_short)
{
    struct qt *t = start_at("utc");
    int64_t passed = 0;

    wr(t, A, 0x2d);
    wr(t, B, 0x42);
    for (unsigned i = 0; i < 20; i++) {
        int64_t period = NS_PER_S / (i % 2 ? 2 : 8);

        wr(t, A, i % 2 ? 0x2f : 0x2d); /* 500 ms, 125 ms */
        clock_step(t, period - 1);
        CHECK(!irq(t, 8));
        clock_step(t, 1);
        CHECK(irq(t, 8));
        CHECK_EQ(rd(t, C) & 0xc0, 0xc0);
        passed += period;
    }
    CHECK_EQ(passed, 6250 * NS_PER_MS);
    wr(t, A, 0x2d);
    clock_step(t, NS_PER_S / 4); /* amid a period of 125 ms, the second one */
    CHECK_EQ(rd(t, C) & 0xc0, 0xc0);
    clock_step(t, NS_PER_S / 16);
    wr(t, A, 0x2f);
    clock_step(t, NS_PER_S / 2 - NS_PER_S / 16 - 1);
    CHECK(!irq(t, 8));
    clock_step(t, 1);
    CHECK(irq(t, 8));
    wr(t, A, 0x7f); /* the divider's reset begins all anew */
    rd(t, C);
    wr(t, A, 0x2f);
    clock_step(t, NS_PER_S / 2);
    CHECK(irq(t, 8));
    CHECK_EQ(rd(t, C) & 0xd0, 0xd0);
}

static unsigned interrupts(struct qt *t, int64_t step, unsigned n)
{
    unsigned seen = 0;

    for (unsigned i = 0; i < n; i++) {
        clock_step(t, step);
        if (irq(t, 8)) {
            seen++;
            rd(t, C);
        }
    }
    return seen;
}

TEST(missed_interrupts_come_later)
{
    struct qt *t = qt_new();

    qt_config(t, "rtc", "on");
    qt_config(t, "driftfix", "slew");
    qt_add(t, &cmos_type, -1);
    wr(t, A, 0x2a); /* 64 Hz */
    wr(t, B, 0x42);
    clock_step(t, NS_PER_S / 8); /* eight came, seven were not seen */
    CHECK(irq(t, 8));
    rd(t, C);
    CHECK_EQ(interrupts(t, NS_PER_MS, 1000), 64 + 7);
    CHECK_EQ(interrupts(t, NS_PER_MS, 1000), 64);
    clock_step(t, NS_PER_S);
    wr(t, B, 0x02); /* they are not owed to one that does not want them */
    wr(t, B, 0x42);
    rd(t, C);
    CHECK_EQ(interrupts(t, NS_PER_MS, 1000), 64);
}

TEST(without_slew_they_are_lost)
{
    struct qt *t = start_at("utc");

    wr(t, A, 0x2a);
    wr(t, B, 0x42);
    clock_step(t, NS_PER_S / 8);
    rd(t, C);
    CHECK_EQ(interrupts(t, NS_PER_MS, 1000), 64);
}

TEST(divider_reset)
{
    struct qt *t = start_at("2024-05-06T07:08:09");

    wr(t, A, 0x76);
    clock_step(t, 10 * NS_PER_S);
    CHECK_EQ(hms(t), 0x070809);
    CHECK_EQ(rd(t, C), 0);
    wr(t, A, 0x26);
    clock_step(t, NS_PER_S / 2 - 1);
    CHECK_EQ(hms(t), 0x070809);
    clock_step(t, 1); /* the first update is half a second away */
    CHECK_EQ(hms(t), 0x070810);
    clock_step(t, NS_PER_S);
    CHECK_EQ(hms(t), 0x070811);
}

TEST(resets)
{
    struct qt *t = start_at("2024-05-06T07:08:09");

    wr(t, B, 0x7a);
    wr(t, YEAR, 0x30);
    clock_step(t, NS_PER_S);
    CHECK(irq(t, 8));
    device_reset(t->dev, RESET_WARM);
    CHECK(!irq(t, 8));
    CHECK_EQ(rd(t, B), 0x02);
    CHECK_EQ(rd(t, C), 0);
    CHECK_EQ(date(t), 0x20300506);
    CHECK_EQ(hms(t), 0x070810);
}

TEST(a_cold_reset_does_not_set_the_clock_back)
{
    struct qt *t = start_at("2024-05-06T07:08:09");

    qt_no_reload(t, "the base counts from when the device was made");
    clock_step(t, 60 * NS_PER_S);
    device_reset(t->dev, RESET_COLD);
    CHECK_EQ(hms(t), 0x070909);
    CHECK_EQ(rd(t, A), 0x26);
}

static bool near_host(struct qt *t, int64_t ahead)
{
    int64_t sec, now = time(NULL);
    struct tm tm = { 0 };
    unsigned d = date(t), h = hms(t);

#define BCD(x, at) (((x) >> ((at) + 4) & 15) * 10 + ((x) >> (at)&15))
    tm.tm_year = BCD(d, 24) * 100 + BCD(d, 16) - 1900;
    tm.tm_mon = BCD(d, 8) - 1;
    tm.tm_mday = BCD(d, 0);
    tm.tm_hour = BCD(h, 16);
    tm.tm_min = BCD(h, 8);
    tm.tm_sec = BCD(h, 0);
    sec = timegm(&tm) - ahead;
    return sec > now - 60 && sec < now + 60;
}

TEST(utc_is_the_hosts_time)
{
    CHECK(near_host(start_at("utc"), 0));
}

TEST(clock_host_follows_over_a_pause)
{
    struct qt *t = qt_new();

    qt_config(t, "rtc", "on");
    qt_config(t, "clock", "host");
    qt_config(t, "base", "2001-02-03");
    qt_add(t, &cmos_type, -1);
    CHECK_EQ(date(t), 0x20010203);
    clock_step(t, 100000 * NS_PER_S); /* guest time runs away; the host's did not */
    CHECK_EQ(date(t), 0x20010203);
    wr(t, YEAR, 0x05);
    clock_step(t, 10 * NS_PER_S); /* what the guest set stays set */
    CHECK_EQ(date(t), 0x20050203);
}

TEST(nonsense_in_the_registers)
{
    struct qt *t = start_at("2024-05-06T07:08:09");

    for (unsigned reg = 0; reg < 10; reg++)
        wr(t, reg, 0xff);
    wr(t, CENTURY, 0xff);
    clock_step(t, 10 * NS_PER_S);
    CHECK((rd(t, SEC) & 15) < 10 && rd(t, SEC) < 0x60);
    CHECK(rd(t, MONTH) >= 1 && rd(t, MONTH) <= 0x12);
    CHECK(rd(t, WDAY) >= 1);
    for (unsigned reg = 0; reg < 10; reg++)
        wr(t, reg, 0);
    wr(t, CENTURY, 0);
    clock_step(t, 10 * NS_PER_S);
    CHECK_EQ(rd(t, SEC), 0x10);
}

TEST(off_it_is_plain_memory)
{
    struct qt *t = qt_start(&cmos_type);

    wr(t, C, 0x55);
    wr(t, SEC, 0x59);
    clock_step(t, 10 * NS_PER_S);
    CHECK_EQ(rd(t, C), 0x55);
    CHECK_EQ(rd(t, SEC), 0x59);
    wr(t, 0x37, 0x44);
    CHECK_EQ(rd(t, 0x37), 0x44);
    CHECK(rd(t, CENTURY) != 0x44);
}

TEST(alarm_reaches_power_management)
{
    struct qt *t = start_at("2024-05-06T07:08:09");
    const unsigned pm = PCI_DEVFN(1, 3);

    qt_config(t, "pm1-timer", "on");
    qt_add(t, &piix4_pm_type.dev, pm);
    cfg_write(t, pm, 0x40, 0xb001, 4);
    cfg_write(t, pm, 0x80, 1, 1);
    outb(t, 0xb2, 0xf1);
    outw(t, 0xb002, 0x0400);
    for (unsigned reg = SEC_AL; reg <= HOUR_AL; reg += 2)
        wr(t, reg, 0xff);
    clock_step(t, NS_PER_S);
    CHECK_EQ(inw(t, 0xb000) & 0x0400, 0x0400);
    CHECK(irq(t, 9));
    outw(t, 0xb000, 0x0400);
    CHECK(!irq(t, 9));
}

/* An image of before there was a clock: it starts to run. */
TEST(version_1_loads)
{
    struct qt *t = start_at("2024-05-06T07:08:09");
    struct buf image = { 0 };
    struct err err = { "" };
    uint8_t ram[CMOS_SIZE] = { 0 };

    ram[YEAR] = 0x23;
    ram[B] = 0x02;
    ram[A] = 0x26;
    buf_put_str(&image, "cmos");
    buf_put_uint(&image, 1, 4);
    buf_put_str(&image, "index");
    buf_put_uint(&image, F_U8, 1);
    buf_put_uint(&image, 1, 4);
    buf_put_uint(&image, YEAR, 1);
    buf_put_str(&image, "nmi_off");
    buf_put_uint(&image, F_BOOL, 1);
    buf_put_uint(&image, 1, 4);
    buf_put_uint(&image, 0, 1);
    buf_put_str(&image, "ram");
    buf_put_uint(&image, F_U8, 1);
    buf_put_uint(&image, sizeof(ram), 4);
    buf_put(&image, ram, sizeof(ram));
    buf_put_str(&image, "");
    CHECK(state_load(t->dev, &image, &err) == 0);
    buf_free(&image);
    CHECK_EQ(inb(t, 0x71), 0x23);
    clock_step(t, NS_PER_S);
    CHECK_EQ(rd(t, SEC), 1);
}

TEST(bad_config_is_refused)
{
    static const char *const bad[][2] = {
        { "base", "today" },      { "base", "2024-13-01" },          { "clock", "sundial" },
        { "driftfix", "always" }, { "base", "2024-01-01T25:00:00" }, { "base", "2024-01-01T1" },
    };
    struct qt *t = qt_new();

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct config cfg = { 0 };
        struct err err = { "" };

        config_set(&cfg, "rtc", "on");
        config_set(&cfg, bad[i][0], bad[i][1]);
        CHECK(!device_new(&t->plat, &cmos_type, "cmos", -1, &cfg, &err));
        CHECK(strstr(err.msg, bad[i][1]) != NULL);
        config_free(&cfg);
    }
}

static struct {
    unsigned n;
    int64_t offset;
} sets;

static void note_set(void *arg, int64_t offset)
{
    sets.n++;
    sets.offset = offset;
}

TEST(who_listens_hears_of_a_time_that_was_set)
{
    struct qt *t = qt_new();

    sets.n = 0;
    qt_config(t, "rtc", "on");
    qt_config(t, "clock", "vm");
    qt_config(t, "base", "2006-06-17T16:01:21");
    qt_add(t, &cmos_type, -1);
    qt_no_reload(t, "a listener is not state");
    rtc_listen(t->dev, note_set, NULL);
    clock_step(t, 5 * NS_PER_S);
    CHECK_EQ(sets.n, 0);
    wr(t, B, 0x82); /* SET */
    wr(t, HOUR, 0x15);
    wr(t, MIN, 0x02);
    CHECK_EQ(sets.n, 0); /* it does not run */
    wr(t, B, 0x02);
    CHECK_EQ(sets.n, 1);
    CHECK_EQ(sets.offset, -3600 + 60);
    wr(t, MIN_AL, 0x30);
    wr(t, A, 0x2f);
    wr(t, B, 0x42);
    CHECK_EQ(sets.n, 1); /* nothing of that is the time */
    wr(t, MDAY, 0x18);
    CHECK_EQ(sets.n, 2);
    CHECK_EQ(sets.offset, -3600 + 60 + 86400);
    rtc_listen(t->dev, NULL, NULL);
    wr(t, MDAY, 0x19);
    CHECK_EQ(sets.n, 2);
}
