/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/fdc-int.h: between the files of the floppy controller. */
#pragma once
#include "block/block.h"
#include "hw/core/irq.h"
#include "hw/core/platform.h"
#include "hw/fdc.h"

#define FDC_SECTOR  512
#define FDC_SIZE_N  2  /* code of 512 bytes a sector */
#define FDC_TRACKS  85 /* that the heads reach, with or without a medium */
#define FDC_UNITS   4  /* that a command can name */
#define FDC_FIFO    16
#define FDC_AHEAD   72 /* sectors of the longest track, both sides */
#define FDC_CHANNEL 2  /* of the 8237 */

enum fdc_phase { FP_IDLE, FP_COMMAND, FP_EXEC, FP_RESULT, FP_COUNT };

/* What execution waits for */
enum fdc_step {
    FS_NONE,
    FS_READ,  /* a sector from the medium */
    FS_OUT,   /* the host, to take buf */
    FS_IN,    /* the host, to fill buf */
    FS_WRITE, /* buf to be on the medium */
    FS_COUNT
};

/* What is being executed */
enum fdc_job { FJ_READ, FJ_READ_DELETED, FJ_TRACK, FJ_VERIFY, FJ_WRITE, FJ_FORMAT, FJ_COUNT };

#define ST0_ABNORMAL 0x40
#define ST0_INVALID  0x80
#define ST0_POLL     0xc0
#define ST0_SEEK     0x20
#define ST0_CHECK    0x10
#define ST0_HEAD     0x04
#define ST1_END      0x80 /* of the cylinder */
#define ST1_DATA     0x20 /* error in the data */
#define ST1_OVERRUN  0x10
#define ST1_NO_DATA  0x04 /* no such sector */
#define ST1_PROTECT  0x02
#define ST1_NO_MARK  0x01
#define ST2_CONTROL  0x40 /* a mark of the other kind */
#define ST2_DATA     0x20

#define DOR_RUN 0x04 /* not held in reset */
#define DOR_DMA 0x08

#define CFG_SEEK    0x40
#define CFG_NO_FIFO 0x20
#define CFG_NO_POLL 0x10
#define CFG_THRESH  0x0f

struct fdc_geometry {
    uint16_t kib;
    uint8_t tracks, heads, sectors;
    uint8_t rates; /* bit n: data rate n of CCR reads it */
    uint8_t type;  /* of the drive, in CMOS */
};

struct fdc_drive { /* of the host's side */
    bool there;
    struct block *blk; /* NULL: no medium */
    const struct fdc_geometry *geo;
};

struct fdc {
    struct device dev;
    struct irq irq;
    struct fdc_drive drive[FLOPPY_DRIVES];
    struct block_req req;
    struct iovec iov;
    uint32_t latest, io_seq;            /* wishes: of this process; what req was submitted for */
    uint8_t io[FDC_AHEAD * FDC_SECTOR]; /* the bytes of req */
    uint64_t ahead_at;                  /* io holds these bytes of the medium, for the command */
    uint32_t ahead_n;                   /* that runs; 0: it holds none */
    bool single;                        /* a sector is bad: no more than one in a request */
    bool closing;
    struct {
        struct timer again; /* the DMA channel was not ready: look again */
        uint32_t seq;       /* of the latest wish of execution */
        uint16_t pos;       /* in buf */
        uint8_t phase, step, job;
        uint8_t unit;       /* drive of the running command */
        uint8_t c, h, r, n; /* the sector it is at */
        uint8_t eot, left;  /* last sector of a side; sectors of VERIFY and FORMAT still to come */
        uint8_t filler;     /* of FORMAT */
        uint8_t st1, st2;
        bool head, multi, skip, counted, seeked, tc;
        uint8_t tries;      /* of the DMA channel */
        uint8_t have, need; /* bytes of the command; in the result phase: those read, of how many */
        uint8_t fifo[FDC_FIFO];
        uint8_t dor, rate, tdr, config, pretrk, perpendicular, step_rate, load_time, power;
        bool lock, irq;
        uint8_t senses; /* interrupts of a reset still to be sensed */
        uint8_t seeks;  /* bit n: the end of drive n's seek is still to be sensed */
        uint8_t seek_st0[FDC_UNITS], pcn[FDC_UNITS], spec[FDC_UNITS];
        uint8_t track[FLOPPY_DRIVES];   /* where the heads are */
        uint8_t next_id[FLOPPY_DRIVES]; /* the sector that comes by next */
        bool changed[FLOPPY_DRIVES];
        uint8_t spare[5];
        uint8_t buf[FDC_SECTOR];
    } s;
};

static inline struct fdc *fdc_of(struct device *dev)
{
    return container_of(dev, struct fdc, dev);
}

/* ---- fdc.c ---- */
/* The controller waits for a command again. */
void fdc_idle(struct fdc *f);
/* n bytes of s.fifo are the result; raise: with an interrupt. */
void fdc_result(struct fdc *f, unsigned n, bool raise);

/* ---- fdc-cmd.c ---- */
/* A byte of a command has come. */
void fdc_command(struct fdc *f, uint8_t val);

/* ---- fdc-xfer.c ---- */
/* Starts the job of s with the parameters in s. */
void fdc_start(struct fdc *f);
/* Ends it: the seven bytes of result. st0 without head and drive. */
void fdc_finish(struct fdc *f, uint8_t st0, uint8_t st1, uint8_t st2);
/* Submits whatever I/O s asks for. */
void fdc_resume(struct fdc *f);
void fdc_stop(struct fdc *f); /* whatever is in flight is for nobody */
bool fdc_is_pio(const struct fdc *f);
/* The guest reads or writes a byte of data in PIO mode. */
uint8_t fdc_pio_read(struct fdc *f);
void fdc_pio_write(struct fdc *f, uint8_t val);
void fdc_again(void *arg);

/* ---- fdc-media.c ---- */
/* The drive a command named; NULL when there is none. */
struct fdc_drive *fdc_drive_of(struct fdc *f, unsigned unit);
void fdc_set_medium(struct fdc_drive *d, struct block *blk);
/* Moves the heads; a step tells the change line that the medium was seen. True: they moved. */
bool fdc_seek(struct fdc *f, unsigned unit, unsigned track);
/* Can the medium be read at all, at this data rate? */
bool fdc_readable(struct fdc *f, unsigned unit);
/* Byte offset of sector c, h, r of the medium; false: it has none such. */
bool fdc_sector(struct fdc *f, unsigned unit, unsigned c, unsigned h, unsigned r, uint64_t *at);
