/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The standby timer by its table (ATA/ATAPI-7 volume 1, table 18), and a disk past 28 bits. */
#include "tests/unit/ide-util.h"

#define IDLE            0xe3
#define CHECK_POWER     0xe5
#define READ_NATIVE_MAX 0xf8

#define MINUTE (60 * NS_PER_S)

static uint8_t done(struct qt *t)
{
    settled(t, PRI);
    return inb(t, PRI + R_CMD);
}

/* ff: active or idle by choice of the host, 80: idle, 00: standby */
static uint8_t power(struct qt *t)
{
    outb(t, PRI + R_CMD, CHECK_POWER);
    CHECK_EQ(done(t), 0x50);
    return inb(t, PRI + R_COUNT);
}

TEST(periods_of_the_standby_timer)
{
    static const struct {
        uint8_t code;
        int64_t ns;
    } all[] = {
        { 1, 5 * NS_PER_S },
        { 240, 20 * MINUTE },
        { 241, 30 * MINUTE },
        { 251, 330 * MINUTE },
        { 252, 21 * MINUTE },
        { 253, 480 * MINUTE },
        { 255, 21 * MINUTE + 15 * NS_PER_S },
    };
    struct rig r = rig_disk(64);
    struct qt *t = r.t;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        command(t, PRI, 0xe0, 0, all[i].code, IDLE);
        CHECK_EQ(done(t), 0x50);
        clock_step(t, all[i].ns - 1);
        CHECK_EQ(power(t), 0x80);
        clock_step(t, 2);
        CHECK_EQ(power(t), 0x00);
    }
    command(t, PRI, 0xe0, 0, 0, IDLE); /* 0: no timer */
    CHECK_EQ(done(t), 0x50);
    clock_step(t, 1440 * MINUTE);
    CHECK_EQ(power(t), 0x80);
    rig_end(&r);
}

/* A transfer that the host leaves half way for longer than the period is no idleness. */
TEST(a_command_keeps_the_disk_awake)
{
    struct rig r = rig_disk(64);
    struct qt *t = r.t;
    uint8_t got[1024], want[1024];

    command(t, PRI, 0xe0, 0, 2, IDLE); /* ten seconds */
    CHECK_EQ(done(t), 0x50);
    command(t, PRI, 0xe0, 5, 2, 0x20);
    CHECK_EQ(settled(t, PRI) & 0x89, 0x08);
    pio_in(t, PRI, got, 512);
    clock_step(t, 25 * NS_PER_S);
    CHECK_EQ(settled(t, PRI) & 0x89, 0x08);
    pio_in(t, PRI, got + 512, 512);
    CHECK_EQ(done(t), 0x50);
    pattern(want, 5, 512);
    pattern(want + 512, 6, 512);
    CHECK(!memcmp(got, want, 1024));
    CHECK_EQ(power(t), 0xff);
    clock_step(t, 11 * NS_PER_S); /* and then the timer has gone on */
    CHECK_EQ(power(t), 0x00);
    rig_end(&r);
}

/* ATA/ATAPI-6 §8.31: what does not fit into 28 bits is told as 268,435,454. */
TEST(a_disk_past_28_bits)
{
    struct rig r = rig_disk((1ULL << 28) + 100);
    struct qt *t = r.t;

    command(t, PRI, 0xe0, 0, 0, READ_NATIVE_MAX);
    CHECK_EQ(done(t), 0x50);
    CHECK_EQ(inb(t, PRI + R_LOW), 0xfe);
    CHECK_EQ(inb(t, PRI + R_MID), 0xff);
    CHECK_EQ(inb(t, PRI + R_HIGH), 0xff);
    CHECK_EQ(inb(t, PRI + R_DEV) & 0x0f, 0x0f);
    command(t, PRI, 0xe0, 0, 0, 0x27); /* READ NATIVE MAX ADDRESS EXT */
    CHECK_EQ(done(t), 0x50);
    CHECK_EQ(inb(t, PRI + R_LOW), 99);
    outb(t, CTL(PRI), 0x80); /* the higher halves */
    CHECK_EQ(inb(t, PRI + R_LOW), 0x10);
    CHECK_EQ(inb(t, PRI + R_MID), 0);
    rig_end(&r);
}
