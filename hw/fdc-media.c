/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The floppy drives: geometry of raw images, heads, and media that come and go. */
#include <errno.h>
#include "hw/fdc-int.h"

#define RATE_500 0x01
#define RATE_300 0x02
#define RATE_250 0x04
#define RATE_1M  0x08

#define DRIVE_1200K 2
#define DRIVE_1440K 4
#define DRIVE_2880K 5

/* An image of another size has the first entry's geometry, as far as it goes. */
static const struct fdc_geometry geometries[] = {
    { 1440, 80, 2, 18, RATE_500, DRIVE_1440K },
    { 160, 40, 1, 8, RATE_300 | RATE_250, DRIVE_1200K },
    { 180, 40, 1, 9, RATE_300 | RATE_250, DRIVE_1200K },
    { 320, 40, 2, 8, RATE_300 | RATE_250, DRIVE_1200K },
    { 360, 40, 2, 9, RATE_300 | RATE_250, DRIVE_1200K },
    { 720, 80, 2, 9, RATE_250, DRIVE_1440K },
    { 800, 80, 2, 10, RATE_250, DRIVE_1440K },
    { 820, 82, 2, 10, RATE_250, DRIVE_1440K },
    { 1200, 80, 2, 15, RATE_500, DRIVE_1200K },
    { 1600, 80, 2, 20, RATE_500, DRIVE_1440K },
    { 1680, 80, 2, 21, RATE_500, DRIVE_1440K },
    { 1722, 82, 2, 21, RATE_500, DRIVE_1440K },
    { 1743, 83, 2, 21, RATE_500, DRIVE_1440K },
    { 1760, 80, 2, 22, RATE_500, DRIVE_1440K },
    { 1840, 80, 2, 23, RATE_500, DRIVE_1440K },
    { 1920, 80, 2, 24, RATE_500, DRIVE_1440K },
    { 2880, 80, 2, 36, RATE_1M, DRIVE_2880K },
    { 3120, 80, 2, 39, RATE_1M, DRIVE_2880K },
    { 3200, 80, 2, 40, RATE_1M, DRIVE_2880K },
    { 3520, 80, 2, 44, RATE_1M, DRIVE_2880K },
    { 3840, 80, 2, 48, RATE_1M, DRIVE_2880K },
};

static const struct fdc_geometry *geometry_of(uint64_t size)
{
    for (unsigned i = 0; i < sizeof(geometries) / sizeof(geometries[0]); i++) {
        if (size == geometries[i].kib * 1024ULL)
            return &geometries[i];
    }
    return &geometries[0];
}

unsigned floppy_cmos_type(uint64_t size)
{
    return size ? geometry_of(size)->type : DRIVE_2880K; /* which takes everything of 3.5 inches */
}

struct fdc_drive *fdc_drive_of(struct fdc *f, unsigned unit)
{
    return unit < FLOPPY_DRIVES && f->drive[unit].there ? &f->drive[unit] : NULL;
}

void fdc_set_medium(struct fdc_drive *d, struct block *blk)
{
    d->blk = blk;
    d->geo = blk ? geometry_of(blk->size) : NULL;
}

bool fdc_seek(struct fdc *f, unsigned unit, unsigned track)
{
    struct fdc_drive *d = fdc_drive_of(f, unit);

    if (track > FDC_TRACKS - 1)
        track = FDC_TRACKS - 1; /* the heads are at the stop */
    /* Without a medium the heads go home only: a step after one was put in is seen by DSKCHG. */
    if (!d || (!d->blk && track) || f->s.track[unit] == track)
        return false;
    f->s.track[unit] = track;
    if (d->blk)
        f->s.changed[unit] = false;
    return true;
}

bool fdc_readable(struct fdc *f, unsigned unit)
{
    struct fdc_drive *d = fdc_drive_of(f, unit);

    return d && d->blk && (d->geo->rates & 1u << (f->s.rate & 3));
}

bool fdc_sector(struct fdc *f, unsigned unit, unsigned c, unsigned h, unsigned r, uint64_t *at)
{
    struct fdc_drive *d = fdc_drive_of(f, unit);

    if (!d || !d->blk || c >= d->geo->tracks || h >= d->geo->heads || !r || r > d->geo->sectors)
        return false;
    *at = (((uint64_t)c * d->geo->heads + h) * d->geo->sectors + r - 1) * FDC_SECTOR;
    return *at + FDC_SECTOR <= d->blk->size;
}

/* ---- from outside ---- */

int floppy_eject(struct device *fdc, unsigned drive, struct err *err)
{
    struct fdc *f = fdc_of(fdc);
    struct fdc_drive *d = fdc_drive_of(f, drive);
    struct block *blk;

    if (!d)
        return err_set(err, -EINVAL, "%s: there is no floppy drive %u", fdc->id, drive);
    blk = d->blk;
    fdc_set_medium(d, NULL);
    f->s.changed[drive] = true;
    if (f->req.busy && f->req.block == blk) {
        block_cancel(&f->req);
        block_drain(blk);
    }
    fdc->type->sync(fdc);
    return 0;
}

int floppy_insert(struct device *fdc, unsigned drive, struct block *medium, struct err *err)
{
    struct fdc *f = fdc_of(fdc);
    struct fdc_drive *d = fdc_drive_of(f, drive);

    if (!d)
        return err_set(err, -EINVAL, "%s: there is no floppy drive %u", fdc->id, drive);
    if (d->blk)
        return err_set(err, -EBUSY, "%s: there is a medium in drive %u; eject it first", fdc->id,
                       drive);
    fdc_set_medium(d, medium);
    f->s.changed[drive] = true;
    return 0;
}

struct block *floppy_medium(struct device *fdc, unsigned drive)
{
    struct fdc_drive *d = fdc_drive_of(fdc_of(fdc), drive);

    return d ? d->blk : NULL;
}

int floppy_drain(struct device *fdc)
{
    int rc = 0;

    for (unsigned i = 0; i < FLOPPY_DRIVES; i++) {
        struct block *blk = fdc_of(fdc)->drive[i].blk;
        int one = blk ? block_drain(blk) : 0;

        rc = rc ? rc : one;
    }
    return rc;
}
