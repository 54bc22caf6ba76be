/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floppy controller: an Intel 82078 (datasheet 290475) at port 0x3f0,
 * interrupt 6, DMA channel 2, with two drives of raw images. This file is the
 * registers (section 2) and the device's life; fdc-cmd.c has the commands,
 * fdc-xfer.c what moves sectors, fdc-media.c the drives.
 *
 * Not modelled: time (heads are there at once, nothing waits for a motor or an
 * index hole), status registers A and the tape drives, deleted marks and
 * sectors of other than 512 bytes (a raw image has neither).
 * Config: see hw/fdc.h.
 */
#include "hw/fdc-int.h"
#include <stdio.h>
#include <string.h>
#include "hw/core/config.h"
#include "hw/core/state.h"
#include "hw/devices.h"

/* Offsets from 0x3f1 */
enum { REG_SRB, REG_DOR, REG_TDR, REG_MSR, REG_FIFO, REG_END };

#define MSR_READY  0x80
#define MSR_READ   0x40 /* from us to the host */
#define MSR_PIO    0x20
#define MSR_BUSY   0x10
#define SRB_ONES   0xc0
#define DSR_RESET  0x80
#define RATE_BITS  0x03
#define DIR_CHANGE 0x80
#define TDR_BITS   0x03

#define F struct fdc
static const struct field fdc_state[] = {
    FIELD(F, again),
    FIELD(F, seq),
    FIELD(F, pos, .max = FDC_SECTOR),
    FIELD(F, phase, .max = FP_COUNT - 1),
    FIELD(F, step, .max = FS_COUNT - 1),
    FIELD(F, job, .max = FJ_COUNT - 1),
    FIELD(F, unit, .max = FDC_UNITS - 1),
    FIELD(F, c),
    FIELD(F, h),
    FIELD(F, r),
    FIELD(F, n),
    FIELD(F, eot),
    FIELD(F, left),
    FIELD(F, filler),
    FIELD(F, st1),
    FIELD(F, st2),
    FIELD(F, head),
    FIELD(F, multi),
    FIELD(F, skip),
    FIELD(F, counted),
    FIELD(F, seeked),
    FIELD(F, tc),
    FIELD(F, tries, .max = 100),
    FIELD(F, have, .max = FDC_FIFO),
    FIELD(F, need, .max = FDC_FIFO),
    ARRAY(F, fifo),
    FIELD(F, dor),
    FIELD(F, rate, .max = RATE_BITS),
    FIELD(F, tdr, .max = TDR_BITS),
    FIELD(F, config, .bits = CFG_SEEK | CFG_NO_FIFO | CFG_NO_POLL | CFG_THRESH),
    FIELD(F, pretrk),
    FIELD(F, perpendicular, .max = 0x3f),
    FIELD(F, step_rate),
    FIELD(F, load_time),
    FIELD(F, power),
    FIELD(F, lock),
    FIELD(F, irq),
    FIELD(F, senses, .max = FDC_UNITS),
    FIELD(F, seeks, .max = (1 << FDC_UNITS) - 1),
    ARRAY(F, seek_st0),
    ARRAY(F, pcn),
    ARRAY(F, spec, .max = 0x1f),
    ARRAY(F, track, .max = FDC_TRACKS - 1),
    ARRAY(F, next_id),
    ARRAY(F, changed),
    ARRAY(F, spare),
    ARRAY(F, buf),
    FIELDS_END
};

/* ---- phases ---- */

void fdc_idle(struct fdc *f)
{
    f->s.phase = FP_IDLE;
    f->s.have = f->s.need = 0;
}

void fdc_result(struct fdc *f, unsigned n, bool raise)
{
    f->s.phase = FP_RESULT;
    f->s.have = 0;
    f->s.need = n;
    if (raise)
        f->s.irq = true;
}

static uint8_t result_read(struct fdc *f)
{
    uint8_t val = f->s.have < FDC_FIFO ? f->s.fifo[f->s.have] : 0;

    if (++f->s.have >= f->s.need) {
        f->s.irq = false;
        fdc_idle(f);
        f->s.irq = !f->s.senses && f->s.seeks; /* a seek ended that nobody sensed */
    }
    return val;
}

/* What a software reset does (section 4): settings that LOCK protects stay. */
static void soft_reset(struct fdc *f)
{
    fdc_stop(f);
    fdc_idle(f);
    f->s.st1 = f->s.st2 = 0;
    f->s.seeks = 0;
    memset(f->s.pcn, 0, sizeof(f->s.pcn));
    f->s.perpendicular &= ~3;
    if (!f->s.lock) {
        f->s.config = CFG_NO_FIFO;
        f->s.pretrk = 0;
    }
}

/* The drives are polled, and found to have become ready: one interrupt. */
static void reset_over(struct fdc *f)
{
    f->s.senses = f->s.config & CFG_NO_POLL ? 0 : FDC_UNITS;
    f->s.irq = f->s.senses;
}

/* ---- registers ---- */

static uint8_t srb_read(const struct fdc *f)
{
    return SRB_ONES | (f->s.dor & 1) << 5 | (f->s.dor >> 4 & 3);
}

static uint8_t msr_read(const struct fdc *f)
{
    bool host = f->s.step == FS_OUT || f->s.step == FS_IN;

    if (!(f->s.dor & DOR_RUN))
        return 0;
    switch (f->s.phase) {
    case FP_IDLE:
        return MSR_READY;
    case FP_COMMAND:
        return MSR_READY | MSR_BUSY;
    case FP_RESULT:
        return MSR_READY | MSR_READ | MSR_BUSY;
    default:
        if (!fdc_is_pio(f))
            return MSR_BUSY;
        return MSR_BUSY | MSR_PIO | (host ? MSR_READY : 0) | (f->s.step == FS_OUT ? MSR_READ : 0);
    }
}

static uint8_t fifo_read(struct fdc *f)
{
    if (f->s.phase == FP_RESULT)
        return result_read(f);
    if (f->s.step == FS_OUT && fdc_is_pio(f))
        return fdc_pio_read(f);
    return 0;
}

static void fifo_write(struct fdc *f, uint8_t val)
{
    if (!(f->s.dor & DOR_RUN))
        return;
    if (f->s.phase == FP_IDLE || f->s.phase == FP_COMMAND)
        fdc_command(f, val);
    else if (f->s.step == FS_IN && fdc_is_pio(f))
        fdc_pio_write(f, val);
    else
        guest_err(&f->dev, "byte %02x when none was asked for", val);
}

static void dor_write(struct fdc *f, uint8_t val)
{
    bool ran = f->s.dor & DOR_RUN, runs = val & DOR_RUN;

    f->s.dor = val;
    if (ran && !runs) {
        soft_reset(f);
        f->s.senses = 0;
        f->s.irq = false;
    } else if (runs && !ran) {
        reset_over(f);
    }
    if (!fdc_is_pio(f) && (f->s.step == FS_OUT || f->s.step == FS_IN))
        timer_set(f->dev.plat, &f->s.again, platform_now(f->dev.plat)); /* DMA was turned on */
}

static uint64_t fdc_read(struct device *dev, uint64_t off, unsigned width)
{
    struct fdc *f = fdc_of(dev);
    uint8_t val;

    switch (off) {
    case REG_SRB:
        return srb_read(f);
    case REG_DOR:
        return f->s.dor;
    case REG_TDR:
        return f->s.tdr;
    case REG_MSR:
        return msr_read(f);
    default:
        val = fifo_read(f);
        dev->type->sync(dev);
        return val;
    }
}

static void fdc_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct fdc *f = fdc_of(dev);

    if (off == REG_DOR) {
        dor_write(f, val);
    } else if (off == REG_TDR) {
        f->s.tdr = val & TDR_BITS;
    } else if (off ==
               REG_MSR) { /* written it is DSR: the data rate, and a reset that ends itself */
        f->s.rate = val & RATE_BITS;
        if ((val & DSR_RESET) && (f->s.dor & DOR_RUN)) {
            soft_reset(f);
            reset_over(f);
        }
    } else if (off == REG_FIFO) {
        fifo_write(f, val);
    }
    dev->type->sync(dev);
}

/* 0x3f7: the other bits are the hard disk's, on another bus. */
static uint64_t dir_read(struct device *dev, uint64_t off, unsigned width)
{
    struct fdc *f = fdc_of(dev);
    unsigned unit = f->s.dor & 3;
    struct fdc_drive *d = fdc_drive_of(f, unit);

    return d && (!d->blk || f->s.changed[unit]) ? DIR_CHANGE : 0;
}

static void ccr_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    fdc_of(dev)->s.rate = val & RATE_BITS;
}

/* ---- life ---- */

static void fdc_sync(struct device *dev)
{
    struct fdc *f = fdc_of(dev);

    fdc_resume(f);
    irq_set(&f->irq, f->s.irq);
}

static bool fdc_check(const struct device *dev)
{
    const struct fdc *f = container_of(dev, const struct fdc, dev);

    if ((f->s.phase == FP_EXEC) != (f->s.step != FS_NONE))
        return false;
    if ((f->s.phase == FP_COMMAND || f->s.phase == FP_RESULT) && f->s.have >= f->s.need)
        return false;
    if (f->s.phase == FP_COMMAND && !f->s.have)
        return false;
    for (unsigned i = 0; i < sizeof(f->s.spare); i++) {
        if (f->s.spare[i])
            return false;
    }
    return f->s.pos < FDC_SECTOR && (f->s.again.at == TIMER_OFF || f->s.step != FS_NONE);
}

static void fdc_reset(struct device *dev, enum reset_kind kind)
{
    struct fdc *f = fdc_of(dev);

    f->s.dor = DOR_RUN | DOR_DMA;
    f->s.config = CFG_NO_FIFO;
    f->s.seq = ++f->latest; /* what is in flight is for nobody */
    for (unsigned i = 0; i < FLOPPY_DRIVES; i++)
        f->s.changed[i] = f->drive[i].there;
}

static int fdc_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct fdc *f = fdc_of(dev);

    for (unsigned i = 0; i < FLOPPY_DRIVES; i++) {
        char key[16];

        snprintf(key, sizeof(key), "drive%u.medium", i);
        fdc_set_medium(&f->drive[i], config_obj(cfg, key));
        snprintf(key, sizeof(key), "drive%u", i);
        f->drive[i].there = f->drive[i].blk || config_bool(cfg, key, false);
    }
    irq_isa(dev, &f->irq, 6);
    timer_init(dev->plat, &f->s.again, fdc_again, f);
    return 0;
}

static void fdc_fini(struct device *dev)
{
    struct fdc *f = fdc_of(dev);

    f->closing = true;
    if (f->req.busy) {
        block_cancel(&f->req);
        block_drain(f->req.block);
    }
    irq_set(&f->irq, false);
    timer_fini(dev->plat, &f->s.again);
}

static const struct io_range fdc_io[] = { { IO_PORT, 0x3f1, REG_END, 1, fdc_read, fdc_write },
                                          { IO_PORT, 0x3f7, 1, 1, dir_read, ccr_write },
                                          { 0 } };

const struct device_type fdc_type = {
    .name = "isa-fdc",
    .version = 1,
    DEVICE_LAYOUT(struct fdc),
    .io = fdc_io,
    .state = fdc_state,
    .init = fdc_init,
    .fini = fdc_fini,
    .reset = fdc_reset,
    .sync = fdc_sync,
    .check = fdc_check,
};
