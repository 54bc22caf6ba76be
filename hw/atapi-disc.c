/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the CD drive tells of the disc: MMC-3 READ TOC (§6.26), READ DISC
 * INFORMATION, READ TRACK INFORMATION, READ DVD STRUCTURE, READ SUB-CHANNEL.
 * One session, one data track from block 0 to the lead-out, no CD-TEXT. A DVD
 * has one layer, no copy protection and no burst cutting area.
 */
#include "hw/atapi.h"

#define TRACK_DATA 0x14 /* ADR 1, control: data track */
#define LEAD_OUT   0xaa

/* Four bytes of a TOC address. */
static void put_addr(uint8_t *p, uint64_t lba, bool msf)
{
    if (msf)
        atapi_msf(p + 1, lba);
    else
        put_be32(p, lba);
}

static uint8_t *toc_track(uint8_t *p, unsigned track, uint64_t lba, bool msf)
{
    p[1] = TRACK_DATA;
    p[2] = track;
    put_addr(p + 4, lba, msf);
    return p + 8;
}

static unsigned toc_tracks(struct ide_unit *u, uint8_t *r, unsigned start, bool msf)
{
    uint8_t *p = r + 4;

    if (start > 1 && start != LEAD_OUT)
        return 0;
    r[2] = r[3] = 1; /* first and last track */
    if (start <= 1)
        p = toc_track(p, 1, 0, msf);
    p = toc_track(p, LEAD_OUT, u->blocks, msf);
    return p - r;
}

static unsigned toc_sessions(struct ide_unit *u, uint8_t *r, unsigned start, bool msf)
{
    r[2] = r[3] = 1;
    return toc_track(r + 4, 1, 0, msf) - r; /* first track of the last complete session */
}

/* One entry of the Q subchannel of the lead-in; always in MSF. */
static uint8_t *toc_point(uint8_t *p, uint8_t point, uint8_t m, uint8_t s, uint8_t f)
{
    p[0] = 1; /* session */
    p[1] = TRACK_DATA;
    p[3] = point;
    p[8] = m;
    p[9] = s;
    p[10] = f;
    return p + 11;
}

static unsigned toc_full(struct ide_unit *u, uint8_t *r, unsigned start, bool msf)
{
    uint8_t *p = r + 4, at[3];

    if (start > 1)
        return 0;
    r[2] = r[3] = 1;                 /* first and last session */
    p = toc_point(p, 0xa0, 1, 0, 0); /* first track; disc type CD-ROM */
    p = toc_point(p, 0xa1, 1, 0, 0); /* last track */
    atapi_msf(at, u->blocks);
    p = toc_point(p, 0xa2, at[0], at[1], at[2]);
    atapi_msf(at, 0);
    p = toc_point(p, 1, at[0], at[1], at[2]);
    return p - r;
}

/* CD-TEXT: there is none, which is no error (MMC-3 §6.26.3.6). PMA, ATIP: not of a pressed disc. */
static unsigned toc_text(struct ide_unit *u, uint8_t *r, unsigned start, bool msf)
{
    return 4;
}

static unsigned toc_none(struct ide_unit *u, uint8_t *r, unsigned start, bool msf)
{
    return 0;
}

void atapi_read_toc(struct ide_unit *u, const uint8_t *p)
{
    static unsigned (*const toc[])(struct ide_unit *, uint8_t *, unsigned,
                                   bool) = { toc_tracks, toc_sessions, toc_full,
                                             toc_none,   toc_none,     toc_text };
    uint8_t *r = atapi_buf(u);
    unsigned format = p[2] & 0x0f ? p[2] & 0x0f : p[9] >> 6; /* SFF-8020i had it in byte 9 */
    unsigned len = format < sizeof(toc) / sizeof(toc[0]) ? toc[format](u, r, p[6], p[1] & 0x02) : 0;

    if (!len) {
        atapi_sense(u, SENSE_FIELD);
        return;
    }
    put_be16(r, len - 2);
    atapi_reply(u, len, be16(p + 7));
}

void atapi_disc_info(struct ide_unit *u, const uint8_t *p)
{
    uint8_t *r = atapi_buf(u);

    if (p[1] & 7) {
        atapi_sense(u, SENSE_FIELD);
        return;
    }
    put_be16(r, 32);
    r[2] = 0x0e;                   /* last session complete, disc finalized */
    r[3] = r[4] = r[5] = r[6] = 1; /* first track, sessions, first and last track of the last */
    r[7] = 0x20;                   /* unrestricted use */
    put_be32(r + 16, 0xffffffff);  /* no further lead-in or lead-out */
    put_be32(r + 20, 0xffffffff);
    atapi_reply(u, 34, be16(p + 7));
}

void atapi_track_info(struct ide_unit *u, const uint8_t *p)
{
    uint8_t *r = atapi_buf(u);
    uint32_t number = be32(p + 2);
    unsigned type = p[1] & 3;

    if (type == 3 || (type == 0 && number >= u->blocks) || (type && number != 1)) {
        atapi_sense(u, SENSE_FIELD);
        return;
    }
    put_be16(r, 34);
    r[2] = r[3] = 1; /* track, session */
    r[5] = 4;        /* data track */
    r[6] = 1;        /* mode 1 */
    put_be32(r + 24, u->blocks);
    atapi_reply(u, 36, be16(p + 7));
}

/* ---- READ DVD STRUCTURE (§6.20) ---- */

static void dvd_physical(struct ide_unit *u, uint8_t *r)
{
    r[0] = 0x01;               /* DVD-ROM, version 1 */
    r[1] = 0x0f;               /* 120 mm, no rate limit */
    r[2] = 0x01;               /* one layer, read-only */
    put_be32(r + 4, 0x030000); /* first physical sector of the data area */
    put_be32(r + 8, 0x030000 + u->blocks - 1);
}

static void dvd_list(struct ide_unit *u, uint8_t *r);

static const struct {
    uint8_t format;
    uint16_t len;                                 /* after the header */
    void (*fill)(struct ide_unit *u, uint8_t *r); /* NULL: zeroes */
} dvd_formats[] = {
    { 0x00, 2048, dvd_physical },
    { 0x01, 4, NULL },    /* copyright: no protection, all regions */
    { 0x04, 2048, NULL }, /* the manufacturer says nothing */
    { 0xff, 16, dvd_list },
};
#define DVD_FORMATS (sizeof(dvd_formats) / sizeof(dvd_formats[0]))

static void dvd_list(struct ide_unit *u, uint8_t *r)
{
    for (unsigned i = 0; i < DVD_FORMATS; i++, r += 4) {
        r[0] = dvd_formats[i].format;
        r[1] = 0x40; /* can be read */
        put_be16(r + 2, dvd_formats[i].len + 4);
    }
}

void atapi_dvd_structure(struct ide_unit *u, const uint8_t *p)
{
    uint8_t *r = atapi_buf(u);

    if (p[7] == 0xff ? !atapi_present(u) : !atapi_is_dvd(u)) {
        atapi_sense(u, SENSE_WRONG_FORMAT);
        return;
    }
    for (unsigned i = 0; i < DVD_FORMATS; i++) {
        if (dvd_formats[i].format != p[7] || p[6]) /* layer */
            continue;
        put_be16(r, dvd_formats[i].len + 2);
        if (dvd_formats[i].fill)
            dvd_formats[i].fill(u, r + 4);
        atapi_reply(u, dvd_formats[i].len + 4, be16(p + 8));
        return;
    }
    atapi_sense(u, SENSE_FIELD);
}

void atapi_subchannel(struct ide_unit *u, const uint8_t *p)
{
    uint8_t *r = atapi_buf(u);
    unsigned len = 4;

    r[1] = 0x15;       /* no audio status to return */
    if (p[2] & 0x40) { /* SubQ */
        if (p[3] < 1 || p[3] > 3) {
            atapi_sense(u, SENSE_FIELD);
            return;
        }
        len = p[3] == 1 ? 16 : 24; /* position; or catalog number or ISRC, of which there is none */
        r[4] = p[3];
        if (p[3] == 1) {
            r[5] = TRACK_DATA;
            r[6] = r[7] = 1; /* track, index */
            put_addr(r + 8, 0, p[1] & 0x02);
        }
    }
    put_be16(r + 2, len - 4);
    atapi_reply(u, len, be16(p + 7));
}
