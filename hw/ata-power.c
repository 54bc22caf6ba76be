/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power management of an ATA disk: ATA/ATAPI-7 volume 1 §4.13, §6.12, §6.18,
 * §6.19, §6.51-6.53. Nothing spins; what a guest can see is CHECK POWER MODE
 * and that a disk put to SLEEP hears nothing but a reset (hw/ide.c).
 */
#include "hw/ata-int.h"

#define COUNT_ACTIVE  0xff /* CHECK POWER MODE */
#define COUNT_IDLE    0x80
#define COUNT_STANDBY 0x00

#define MINUTE (60 * NS_PER_S)

/* The standby timer's period (table 18); 0: off. */
static int64_t standby_period(uint8_t code)
{
    if (code <= 240)
        return code * 5 * NS_PER_S;
    if (code <= 251)
        return (code - 240) * 30 * MINUTE;
    if (code == 253)
        return 8 * 60 * MINUTE;
    return code == 252 ? 21 * MINUTE : 21 * MINUTE + 15 * NS_PER_S; /* 254 is reserved */
}

static void standby_arm(struct ide_unit *u)
{
    struct platform *plat = ide_dev(u)->plat;
    int64_t period = standby_period(u->s->standby_code);

    timer_set(plat, &u->s->standby, period ? platform_now(plat) + period : TIMER_OFF);
}

void ata_standby_fired(void *unit)
{
    struct ide_unit *u = unit;

    if (chan_active(u->ch) == u && u->ch->s->phase != PH_IDLE)
        standby_arm(u);
    else if (u->s->power < PM_STANDBY)
        u->s->power = PM_STANDBY;
}

void ata_wake(struct ide_unit *u)
{
    u->s->power = PM_ACTIVE;
    if (u->s->standby_code)
        standby_arm(u);
}

void ata_standby_now(struct ide_unit *u, unsigned flags)
{
    u->s->power = PM_STANDBY;
    timer_set(ide_dev(u)->plat, &u->s->standby, TIMER_OFF);
    xfer_flush(u->ch);
}

void ata_standby(struct ide_unit *u, unsigned flags)
{
    u->s->standby_code = u->s->count[0];
    ata_standby_now(u, flags);
}

void ata_idle_now(struct ide_unit *u, unsigned flags)
{
    u->s->power = PM_IDLE;
    ata_ok(u);
}

void ata_idle(struct ide_unit *u, unsigned flags)
{
    u->s->standby_code = u->s->count[0];
    standby_arm(u);
    ata_idle_now(u, flags);
}

void ata_sleep(struct ide_unit *u, unsigned flags)
{
    ata_standby_now(u, flags);
    u->s->power = PM_SLEEP;
}

void ata_check_power(struct ide_unit *u, unsigned flags)
{
    static const uint8_t mode[] = { COUNT_ACTIVE, COUNT_IDLE, COUNT_STANDBY, COUNT_STANDBY };

    u->s->count[0] = mode[u->s->power < PM_COUNT ? u->s->power : PM_ACTIVE];
    ata_ok(u);
}
