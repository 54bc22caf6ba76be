/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floppy controller: the command phase (82078 datasheet, 5.0; table 5-1).
 * Commands of the 82078 that are invalid here: the scans (which it has not
 * got), SAVE, RESTORE, OPTION, FORMAT AND WRITE.
 */
#include <string.h>
#include "hw/fdc-int.h"

#define RECALIBRATE_STEPS 80 /* at most, until the head is at track 0 */
#define PART_82078        0x41
#define VERSION_ENHANCED  0x90
#define OVERWRITE         0x80 /* of PERPENDICULAR MODE: take the drive bits as well */
#define DRIVE_BITS        0x3c
#define SPEC_DONE         0x80
#define SPEC_NO_RESULT    0x40

#define ST3_PROTECTED 0x40
#define ST3_READY     0x20
#define ST3_TRACK0    0x10
#define ST3_TWO_SIDES 0x08

struct fdc_cmd {
    uint8_t mask, code, params;
    void (*run)(struct fdc *f);
};

static unsigned unit_of(const struct fdc *f)
{
    return f->s.fifo[1] & (FDC_UNITS - 1);
}

/* ---- commands that move sectors ---- */

static void transfer(struct fdc *f, enum fdc_job job)
{
    const uint8_t *p = f->s.fifo;

    f->s.job = job;
    f->s.unit = unit_of(f);
    f->s.head = p[1] & ST0_HEAD;
    f->s.multi = p[0] & 0x80;
    f->s.skip = p[0] & 0x20;
    f->s.c = p[2];
    f->s.h = p[3];
    f->s.r = p[4];
    f->s.n = p[5];
    f->s.eot = p[6];
    f->s.seeked = f->s.counted = false;
    f->s.left = 0;
    fdc_start(f);
}

static void read_data(struct fdc *f)
{
    transfer(f, FJ_READ);
}

static void read_deleted(struct fdc *f)
{
    transfer(f, FJ_READ_DELETED);
}

/* From the index hole on, whatever sector was named. */
static void read_track(struct fdc *f)
{
    f->s.fifo[0] &= 0x7f;
    f->s.fifo[4] = 1;
    transfer(f, FJ_TRACK);
}

/* A raw image has no place for the deleted mark: both write plain sectors. */
static void write_data(struct fdc *f)
{
    transfer(f, FJ_WRITE);
}

/* EC, the top bit of the drive byte: DTL is the number of sectors. */
static void verify(struct fdc *f)
{
    const uint8_t *p = f->s.fifo;
    bool counted = p[1] & 0x80;
    uint8_t count = p[8];

    f->s.job = FJ_VERIFY;
    f->s.unit = unit_of(f);
    f->s.head = p[1] & ST0_HEAD;
    f->s.multi = p[0] & 0x80;
    f->s.skip = p[0] & 0x20;
    f->s.c = p[2];
    f->s.h = p[3];
    f->s.r = p[4];
    f->s.n = p[5];
    f->s.eot = p[6];
    f->s.seeked = false;
    f->s.counted = counted;
    f->s.left = counted ? count : 0;
    fdc_start(f);
}

static void format_track(struct fdc *f)
{
    const uint8_t *p = f->s.fifo;

    f->s.job = FJ_FORMAT;
    f->s.unit = unit_of(f);
    f->s.head = p[1] & ST0_HEAD;
    f->s.multi = f->s.skip = f->s.counted = f->s.seeked = false;
    f->s.c = f->s.pcn[f->s.unit];
    f->s.h = f->s.head;
    f->s.r = 1;
    f->s.n = p[2];
    f->s.left = p[3];
    f->s.eot = p[3];
    f->s.filler = p[5];
    fdc_start(f);
}

/* The ID that passes under the head: each time the next sector's. */
static void read_id(struct fdc *f)
{
    unsigned unit = unit_of(f);
    struct fdc_drive *d = fdc_drive_of(f, unit);
    uint64_t at;

    f->s.unit = unit;
    f->s.head = f->s.fifo[1] & ST0_HEAD;
    f->s.st1 = f->s.st2 = 0;
    f->s.seeked = false;
    f->s.phase = FP_EXEC;
    f->s.seeks = 0;
    f->s.c = d ? f->s.track[unit] : f->s.pcn[unit];
    f->s.h = f->s.head;
    f->s.r = 1;
    f->s.n = FDC_SIZE_N;
    if (!fdc_readable(f, unit) || !fdc_sector(f, unit, f->s.c, f->s.h, 1, &at)) {
        fdc_finish(f, ST0_ABNORMAL, ST1_NO_MARK, 0);
        return;
    }
    f->s.next_id[unit] = f->s.next_id[unit] % d->geo->sectors + 1;
    f->s.r = f->s.next_id[unit];
    fdc_finish(f, 0, 0, 0);
}

/* ---- seeks ---- */

static void seek_done(struct fdc *f, unsigned unit, uint8_t st0)
{
    f->s.seeks |= 1u << unit;
    f->s.seek_st0[unit] = st0 | unit;
    fdc_idle(f);
    f->s.irq = true;
}

static void recalibrate(struct fdc *f)
{
    unsigned unit = unit_of(f);
    bool there = fdc_drive_of(f, unit), found = there && f->s.track[unit] <= RECALIBRATE_STEPS;

    f->s.pcn[unit] = 0;
    if (there)
        fdc_seek(f, unit, found ? 0 : f->s.track[unit] - RECALIBRATE_STEPS);
    seek_done(f, unit, found ? ST0_SEEK : ST0_ABNORMAL | ST0_SEEK | ST0_CHECK);
}

static void seek(struct fdc *f)
{
    unsigned unit = unit_of(f);

    f->s.pcn[unit] = f->s.fifo[2];
    fdc_seek(f, unit, f->s.fifo[2]);
    seek_done(f, unit, ST0_SEEK | (f->s.fifo[1] & ST0_HEAD));
}

/* Bit 6 of the command: towards the spindle. It stops at the ends of what there is. */
static void relative_seek(struct fdc *f)
{
    unsigned unit = unit_of(f), steps = f->s.fifo[2], at = f->s.pcn[unit];

    if (f->s.fifo[0] & 0x40)
        at = at + steps > UINT8_MAX ? UINT8_MAX : at + steps;
    else
        at = at < steps ? 0 : at - steps;
    f->s.pcn[unit] = at;
    fdc_seek(f, unit, at);
    seek_done(f, unit, ST0_SEEK | (f->s.fifo[1] & ST0_HEAD));
}

/* After a reset four of them, one a drive; then the ends of seeks; then it is invalid. */
static void sense_interrupt(struct fdc *f)
{
    unsigned unit;

    f->s.irq = false;
    if (f->s.senses) {
        unit = FDC_UNITS - f->s.senses--;
        f->s.fifo[0] = ST0_POLL | unit;
    } else if (f->s.seeks) {
        unit = __builtin_ctz(f->s.seeks) & (FDC_UNITS - 1);
        f->s.seeks &= ~(1u << unit);
        f->s.fifo[0] = f->s.seek_st0[unit];
    } else {
        f->s.fifo[0] = ST0_INVALID;
        fdc_result(f, 1, false);
        return;
    }
    f->s.fifo[1] = f->s.pcn[unit];
    fdc_result(f, 2, false);
    f->s.irq = !f->s.senses && f->s.seeks; /* another drive's seek */
}

static void sense_drive(struct fdc *f)
{
    unsigned unit = unit_of(f);
    struct fdc_drive *d = fdc_drive_of(f, unit);
    uint8_t st3 = unit | (f->s.fifo[1] & ST0_HEAD) | ST3_READY | ST3_TWO_SIDES;

    if (d && f->s.track[unit] == 0)
        st3 |= ST3_TRACK0;
    if (d && (!d->blk || d->blk->readonly))
        st3 |= ST3_PROTECTED;
    f->s.fifo[0] = st3;
    fdc_result(f, 1, false);
}

/* ---- settings ---- */

static void specify(struct fdc *f)
{
    f->s.step_rate = f->s.fifo[1];
    f->s.load_time = f->s.fifo[2]; /* and ND, bit 0 */
    fdc_idle(f);
}

static void configure(struct fdc *f)
{
    f->s.config = f->s.fifo[2] & (CFG_SEEK | CFG_NO_FIFO | CFG_NO_POLL | CFG_THRESH);
    f->s.pretrk = f->s.fifo[3];
    fdc_idle(f);
}

static void perpendicular(struct fdc *f)
{
    uint8_t val = f->s.fifo[1], drives = val & OVERWRITE ? val : f->s.perpendicular;

    f->s.perpendicular = (drives & DRIVE_BITS) | (val & 3);
    fdc_idle(f);
}

static void lock(struct fdc *f)
{
    f->s.lock = f->s.fifo[0] & 0x80;
    f->s.fifo[0] = f->s.lock << 4;
    fdc_result(f, 1, false);
}

static void dump(struct fdc *f)
{
    uint8_t *p = f->s.fifo;

    memcpy(p, f->s.pcn, FDC_UNITS);
    p[4] = f->s.step_rate;
    p[5] = f->s.load_time;
    p[6] = f->s.eot;
    p[7] = f->s.lock << 7 | f->s.perpendicular;
    p[8] = f->s.config;
    p[9] = f->s.pretrk;
    fdc_result(f, 10, false);
}

static void version(struct fdc *f)
{
    f->s.fifo[0] = VERSION_ENHANCED;
    fdc_result(f, 1, false);
}

static void part_id(struct fdc *f)
{
    f->s.fifo[0] = PART_82078;
    fdc_result(f, 1, false);
}

static void power_down(struct fdc *f)
{
    f->s.power = f->s.fifo[1];
    f->s.fifo[0] = f->s.power;
    fdc_result(f, 1, false);
}

/* Bytes of one drive each, until one is marked as the last. */
static void drive_spec(struct fdc *f)
{
    uint8_t val = f->s.fifo[f->s.have - 1];

    if (!(val & SPEC_DONE)) {
        f->s.spec[val >> 5 & (FDC_UNITS - 1)] = val & 0x1f;
        if (f->s.have < FDC_FIFO)
            f->s.need = f->s.have + 1;
        else
            fdc_idle(f);
        return;
    }
    if (val & SPEC_NO_RESULT) {
        fdc_idle(f);
        return;
    }
    memcpy(f->s.fifo, f->s.spec, FDC_UNITS);
    fdc_result(f, FDC_UNITS, false);
}

static void invalid(struct fdc *f)
{
    f->s.fifo[0] = ST0_INVALID;
    fdc_result(f, 1, false);
}

static const struct fdc_cmd commands[] = {
    { 0x1f, 0x06, 8, read_data },     { 0x1f, 0x0c, 8, read_deleted },
    { 0x3f, 0x05, 8, write_data },    { 0x3f, 0x09, 8, write_data },
    { 0x9f, 0x02, 8, read_track },    { 0x1f, 0x16, 8, verify },
    { 0xbf, 0x0d, 5, format_track },  { 0xbf, 0x0a, 1, read_id },
    { 0xff, 0x07, 1, recalibrate },   { 0xff, 0x08, 0, sense_interrupt },
    { 0xff, 0x03, 2, specify },       { 0xff, 0x04, 1, sense_drive },
    { 0xff, 0x0f, 2, seek },          { 0xbf, 0x8f, 2, relative_seek },
    { 0xff, 0x13, 3, configure },     { 0xff, 0x0e, 0, dump },
    { 0xff, 0x12, 1, perpendicular }, { 0x7f, 0x14, 0, lock },
    { 0xff, 0x10, 0, version },       { 0xff, 0x18, 0, part_id },
    { 0xff, 0x17, 1, power_down },    { 0xff, 0x8e, 1, drive_spec },
    { 0x00, 0x00, 0, invalid }, /* everything else */
};

static const struct fdc_cmd *find(uint8_t code)
{
    const struct fdc_cmd *cmd = commands;

    while ((code & cmd->mask) != cmd->code)
        cmd++;
    return cmd;
}

void fdc_command(struct fdc *f, uint8_t val)
{
    const struct fdc_cmd *cmd;

    if (f->s.phase == FP_IDLE) {
        memset(f->s.fifo, 0, sizeof(f->s.fifo));
        f->s.have = 0;
        f->s.phase = FP_COMMAND;
        f->s.need = 1 + find(val)->params;
    }
    if (f->s.have < FDC_FIFO)
        f->s.fifo[f->s.have++] = val;
    cmd = find(f->s.fifo[0]);
    if (cmd->run == invalid)
        guest_err(&f->dev, "command %02x does not exist", val);
    if (f->s.have >= f->s.need)
        cmd->run(f);
}
