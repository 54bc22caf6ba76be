/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CD drive's reads: MMC-3 §6.15-6.24. READ CD gives the 2048 user bytes or
 * the whole 2352-byte mode 1 sector with sync and header made up; the error
 * correction bytes of those are zero.
 */
#include <string.h>
#include "hw/atapi.h"

#define MSF_PREGAP 150 /* frames before block 0 */
#define FRAMES     75

/* READ CD byte 9: what of a sector to transfer */
#define READ_CD_USER 0x10
#define READ_CD_ALL  0xf8
#define READ_CD_C2   0x06

void atapi_msf(uint8_t *dst, uint64_t lba)
{
    lba += MSF_PREGAP;
    dst[0] = lba / (60 * FRAMES);
    dst[1] = lba / FRAMES % 60;
    dst[2] = lba % FRAMES;
}

static uint8_t bcd(unsigned n)
{
    return n / 10 % 10 << 4 | n % 10;
}

void atapi_cook(struct ide_unit *u, uint64_t lba, const uint8_t *src, uint8_t *dst)
{
    uint8_t msf[3];

    atapi_msf(msf, lba);
    memset(dst, 0, IDE_RAW);
    memset(dst + 1, 0xff, 10); /* 00, ten ff, 00: sync */
    for (int i = 0; i < 3; i++)
        dst[12 + i] = bcd(msf[i]);
    dst[15] = 1; /* mode 1 */
    memcpy(dst + 16, src, CD_BLOCK);
}

static void read_blocks(struct ide_unit *u, uint32_t lba, uint32_t count, bool raw)
{
    struct ide_chan_state *s = u->ch->s;

    if (lba > u->blocks || count > u->blocks - lba || (count && lba == u->blocks)) {
        atapi_sense(u, SENSE_LBA);
        return;
    }
    if (count && atapi_no_room(u))
        return;
    s->lba = lba;
    s->left = count;
    s->raw = raw;
    s->per_drq = IDE_BUF / (raw ? IDE_RAW : CD_BLOCK);
    xfer_media(u->ch);
}

void atapi_read10(struct ide_unit *u, const uint8_t *p)
{
    read_blocks(u, be32(p + 2), be16(p + 7), false);
}

void atapi_read12(struct ide_unit *u, const uint8_t *p)
{
    read_blocks(u, be32(p + 2), be32(p + 6), false);
}

/* The part READ CD and READ CD MSF share: sector type, fields, subchannel. */
static void read_cd(struct ide_unit *u, const uint8_t *p, uint32_t lba, uint32_t count)
{
    unsigned type = p[1] >> 2 & 7, fields = p[9] & 0xf8;

    if (type == 1 || type > 2) /* CD-DA, mode 2: there are none. 0: any, 2: mode 1 */
        atapi_sense(u, SENSE(0x5, 0x64, 0x00));
    else if ((p[9] & READ_CD_C2) || (p[10] & 7))
        atapi_sense(u, SENSE_FIELD);
    else if (!fields || !count)
        read_blocks(u, lba, 0, false);
    else if (fields == READ_CD_USER || fields == READ_CD_ALL)
        read_blocks(u, lba, count, fields == READ_CD_ALL);
    else
        atapi_sense(u, SENSE_FIELD);
}

void atapi_read_cd(struct ide_unit *u, const uint8_t *p)
{
    read_cd(u, p, be32(p + 2), be32(p + 5) & 0xffffff);
}

static uint32_t msf_frames(const uint8_t *p)
{
    return (p[0] * 60 + p[1]) * FRAMES + p[2];
}

void atapi_read_cd_msf(struct ide_unit *u, const uint8_t *p)
{
    uint32_t start = msf_frames(p + 3), end = msf_frames(p + 6);

    if (start < MSF_PREGAP || end < start)
        atapi_sense(u, SENSE_FIELD);
    else
        read_cd(u, p, start - MSF_PREGAP, end - start);
}

void atapi_read_capacity(struct ide_unit *u, const uint8_t *p)
{
    uint8_t *r = atapi_buf(u);

    put_be32(r, u->blocks - 1);
    put_be32(r + 4, CD_BLOCK);
    atapi_reply(u, 8, 8);
}

void atapi_seek(struct ide_unit *u, const uint8_t *p)
{
    if (be32(p + 2) >= u->blocks)
        atapi_sense(u, SENSE_LBA);
    else
        atapi_ok(u);
}
