/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the CD drive tells of itself: INQUIRY with vital product data (SPC-2
 * §7.3, §8.4), GET CONFIGURATION (MMC-3 §5, §6.6), GET EVENT/STATUS
 * NOTIFICATION (§6.7, media class only, polled), MECHANISM STATUS.
 */
#include <string.h>
#include "hw/atapi.h"

/* Pads with spaces to len; no terminator. */
static void put_text(uint8_t *dst, unsigned len, const char *s)
{
    for (unsigned i = 0; i < len; i++)
        dst[i] = *s ? *s++ : ' ';
}

static unsigned inquiry_standard(struct ide_unit *u, uint8_t *r)
{
    r[1] = 0x80; /* removable */
    r[3] = 0x21; /* ATAPI version 2, SPC-2's response format 1 */
    r[4] = 31;
    put_text(r + 8, 8, "PORTICO");
    put_text(r + 16, 16, "DVD-ROM");
    put_text(r + 32, 4, u->version);
    return 36;
}

static unsigned inquiry_pages(struct ide_unit *u, uint8_t *r)
{
    r[3] = 3;
    r[5] = 0x80;
    r[6] = 0x83;
    return 7;
}

static unsigned inquiry_serial(struct ide_unit *u, uint8_t *r)
{
    r[1] = 0x80;
    r[3] = 20;
    put_text(r + 4, 20, u->serial);
    return 24;
}

static unsigned inquiry_id(struct ide_unit *u, uint8_t *r)
{
    r[1] = 0x83;
    r[3] = 24;
    r[4] = 0x02; /* ASCII, vendor specific, of the unit */
    r[7] = 20;
    put_text(r + 8, 20, u->serial);
    return 28;
}

void atapi_inquiry(struct ide_unit *u, const uint8_t *p)
{
    uint8_t *r = atapi_buf(u);
    unsigned len = 0;

    r[0] = 0x05; /* CD-ROM */
    if (!(p[1] & 0x03))
        len = p[2] ? 0 : inquiry_standard(u, r);
    else if ((p[1] & 0x03) == 0x01 && p[2] == 0x00)
        len = inquiry_pages(u, r);
    else if ((p[1] & 0x03) == 0x01 && p[2] == 0x80)
        len = inquiry_serial(u, r);
    else if ((p[1] & 0x03) == 0x01 && p[2] == 0x83)
        len = inquiry_id(u, r);
    if (!len)
        atapi_sense(u, SENSE_FIELD);
    else
        atapi_reply(u, len, be16(p + 3));
}

/* ---- GET CONFIGURATION ---- */

#define PROFILE_CD  0x0008
#define PROFILE_DVD 0x0010

enum { FEAT_ALWAYS, FEAT_MEDIUM, FEAT_CD, FEAT_DVD }; /* when it is current */

static const struct {
    uint16_t code;
    uint8_t flags; /* version << 2, persistent; bit 0 is filled in */
    uint8_t when, len;
    uint8_t data[8];
} features[] = {
    { 0x0000, 0x02, FEAT_ALWAYS, 8, { 0, PROFILE_DVD, 0, 0, 0, PROFILE_CD, 0, 0 } },
    { 0x0001, 0x06, FEAT_ALWAYS, 8, { 0, 0, 0, 2 /* ATAPI */, 0x01 } },
    { 0x0002, 0x06, FEAT_ALWAYS, 4, { 0x00 } },                /* morphing: polled events only */
    { 0x0003, 0x02, FEAT_ALWAYS, 4, { 0x29 } },                /* tray, ejects, locks */
    { 0x0010, 0x00, FEAT_MEDIUM, 8, { 0, 0, 8, 0, 0, 1, 1 } }, /* readable in blocks of 2048 */
    { 0x001e, 0x08, FEAT_CD, 4, { 0x00 } },
    { 0x001f, 0x00, FEAT_DVD, 4, { 0x00 } },
};

static bool feature_current(const struct ide_unit *u, unsigned when)
{
    if (when == FEAT_ALWAYS)
        return true;
    if (!atapi_present(u))
        return false;
    return when == FEAT_MEDIUM || (when == FEAT_DVD) == atapi_is_dvd(u);
}

static uint8_t *put_feature(const struct ide_unit *u, uint8_t *r, unsigned i)
{
    put_be16(r, features[i].code);
    r[2] = features[i].flags | feature_current(u, features[i].when);
    r[3] = features[i].len;
    memcpy(r + 4, features[i].data, features[i].len);
    if (features[i].code == 0x0000 && atapi_present(u))
        r[atapi_is_dvd(u) ? 6 : 10] = 1; /* this profile is current */
    return r + 4 + features[i].len;
}

void atapi_get_config(struct ide_unit *u, const uint8_t *p)
{
    uint8_t *r = atapi_buf(u), *end = r + 8;
    unsigned rt = p[1] & 3, start = be16(p + 2);

    if (rt == 3) {
        atapi_sense(u, SENSE_FIELD);
        return;
    }
    for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        bool current = feature_current(u, features[i].when);

        if (rt == 2 ? features[i].code == start : features[i].code >= start && (rt == 0 || current))
            end = put_feature(u, end, i);
    }
    put_be32(r, end - r - 4);
    if (atapi_present(u))
        put_be16(r + 6, atapi_is_dvd(u) ? PROFILE_DVD : PROFILE_CD);
    atapi_reply(u, end - r, be16(p + 7));
}

/* ---- events, mechanism ---- */

#define EVENT_MEDIA      4    /* class */
#define EVENT_MEDIA_MASK 0x10 /* in the request and in the list of what there is */

void atapi_get_event(struct ide_unit *u, const uint8_t *p)
{
    static const uint8_t code[] = { 0, 1 /* eject request */, 2 /* new */, 3 /* removed */ };
    uint8_t *r = atapi_buf(u);

    if (!(p[1] & 0x01)) { /* not polled: needs queuing */
        atapi_sense(u, SENSE_FIELD);
        return;
    }
    r[3] = EVENT_MEDIA_MASK;
    if (!(p[4] & EVENT_MEDIA_MASK)) {
        put_be16(r, 2);
        r[2] = 0x80; /* no event available */
        atapi_reply(u, 4, be16(p + 7));
        return;
    }
    put_be16(r, 6);
    r[2] = EVENT_MEDIA;
    r[4] = code[u->s->event < EV_COUNT ? u->s->event : EV_NONE];
    r[5] = (u->s->tray_open ? 0x01 : 0) | (atapi_present(u) ? 0x02 : 0);
    if (be16(p + 7) > 4)
        u->s->event = EV_NONE;
    atapi_reply(u, 8, be16(p + 7));
}

void atapi_mechanism(struct ide_unit *u, const uint8_t *p)
{
    uint8_t *r = atapi_buf(u);

    r[1] = u->s->tray_open ? 0x10 : 0; /* door open; everything else idle, no changer slots */
    atapi_reply(u, 8, be16(p + 8));
}

/* ---- speed, buffer, keys, audio ---- */

void atapi_set_speed(struct ide_unit *u, const uint8_t *p)
{
    unsigned speed = be16(p + 2);

    u->s->speed = speed < CD_SPEED ? speed : 0; /* ffff: the fastest */
    atapi_ok(u);
}

void atapi_buffer_capacity(struct ide_unit *u, const uint8_t *p)
{
    uint8_t *r = atapi_buf(u);

    put_be16(r, 10);
    put_be32(r + 4, CD_BUFFER * 1024);
    put_be32(r + 8, CD_BUFFER * 1024); /* all of it is free: nothing is written */
    atapi_reply(u, 12, be16(p + 7));
}

/* MMC-3 §6.29. Nothing is scrambled, so there are no keys; a player asks for the region first. */
void atapi_report_key(struct ide_unit *u, const uint8_t *p)
{
    uint8_t *r = atapi_buf(u);

    if (!atapi_is_dvd(u)) {
        atapi_sense(u, SENSE_WRONG_FORMAT);
    } else if (p[7] || (p[10] & 0x3f) != 0x08) { /* key class; format: RPC state */
        atapi_sense(u, SENSE_NO_KEY);
    } else {
        put_be16(r, 6);
        atapi_reply(u, 8, be16(p + 8)); /* no region set, none enforced */
    }
}

void atapi_play(struct ide_unit *u, const uint8_t *p)
{
    atapi_sense(u, SENSE_TRACK_MODE); /* the track is data */
}

void atapi_pause(struct ide_unit *u, const uint8_t *p)
{
    atapi_sense(u, SENSE_SEQUENCE); /* nothing plays */
}
