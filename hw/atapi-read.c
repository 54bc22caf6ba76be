/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CD drive's reads: MMC-3 §6.15-6.24. All sectors are of mode 1; what READ
 * CD gives of one is in atapi-raw.c.
 */
#include <string.h>
#include "hw/atapi.h"

#define MSF_PREGAP 150 /* frames before block 0 */

void atapi_msf(uint8_t *dst, uint64_t lba)
{
    lba += MSF_PREGAP;
    dst[0] = lba / (60 * CD_FRAMES);
    dst[1] = lba / CD_FRAMES % 60;
    dst[2] = lba % CD_FRAMES;
}

/* fields, sub: what of each block; plain READs want the user data. */
static void read_blocks(struct ide_unit *u, uint32_t lba, uint32_t count, unsigned fields,
                        unsigned sub)
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
    s->raw = count && (fields != READ_CD_USER || sub);
    s->fields = fields;
    s->sub = sub;
    s->sector = count ? atapi_sector_size(fields, sub) : 0;
    s->per_drq = count && IDE_BUF / s->sector < IDE_MAX_MUL ? IDE_BUF / s->sector : IDE_MAX_MUL;
    xfer_media(u->ch);
}

void atapi_read10(struct ide_unit *u, const uint8_t *p)
{
    read_blocks(u, be32(p + 2), be16(p + 7), READ_CD_USER, 0);
}

void atapi_read12(struct ide_unit *u, const uint8_t *p)
{
    read_blocks(u, be32(p + 2), be32(p + 6), READ_CD_USER, 0);
}

/* The part READ CD and READ CD MSF share: sector type, fields, subchannel. */
static void read_cd(struct ide_unit *u, const uint8_t *p, uint32_t lba, uint32_t count)
{
    unsigned type = p[1] >> 2 & 7, fields = p[9] & 0xfe, sub = p[10] & 7;

    if (type == 1 || type > 2) /* CD-DA, mode 2: there are none. 0: any, 2: mode 1 */
        atapi_sense(u, SENSE_TRACK_MODE);
    else if (!atapi_fields_ok(fields) || sub == 3 || sub > READ_CD_SUB_RW)
        atapi_sense(u, SENSE_FIELD);
    else if (!atapi_sector_size(fields, sub))
        read_blocks(u, lba, 0, 0, 0);
    else
        read_blocks(u, lba, count, fields, sub);
}

void atapi_read_cd(struct ide_unit *u, const uint8_t *p)
{
    read_cd(u, p, be32(p + 2), be32(p + 5) & 0xffffff);
}

static uint32_t msf_frames(const uint8_t *p)
{
    return (p[0] * 60 + p[1]) * CD_FRAMES + p[2];
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
