/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MODE SENSE and MODE SELECT of the CD drive: SPC-2 §7.6-7.9, pages of MMC-3
 * §5.5: 01 (error recovery), 0D (CD parameters), 0E (audio control), 1A (power), 2A
 * (capabilities, read-only). What is selected is kept and told again; nothing
 * depends on it. No block descriptors, no saved pages.
 */
#include <string.h>
#include "hw/atapi.h"

#define PC_CURRENT    0
#define PC_CHANGEABLE 1
#define PC_DEFAULT    2
#define PC_SAVED      3

#define ALL_PAGES 0x3f

struct mode_page {
    uint8_t code, len;                  /* len: after the two header bytes */
    uint8_t *(*of)(struct ide_unit *u); /* where it is kept; NULL: made up, read-only */
    uint8_t initial[14];
};

static uint8_t *page01(struct ide_unit *u)
{
    return u->s->page01;
}

static uint8_t *page0d(struct ide_unit *u)
{
    return u->s->page0d;
}

static uint8_t *page0e(struct ide_unit *u)
{
    return u->s->page0e;
}

static uint8_t *page1a(struct ide_unit *u)
{
    return u->s->page1a;
}

static const struct mode_page pages[] = {
    { 0x01, 6, page01, { 0x20, 5 } }, { 0x0d, 6, page0d, { 0x00 } }, { 0x0e, 14, page0e, { 0x04 } },
    { 0x1a, 10, page1a, { 0 } },      { 0x2a, 18, NULL, { 0 } },
};
#define PAGES (sizeof(pages) / sizeof(pages[0]))

static void capabilities(const struct ide_unit *u, uint8_t *r) /* r: after the header */
{
    r[0] = 0x0b;                             /* reads CD-R, CD-RW, DVD-ROM */
    r[2] = 0x70;                             /* mode 2 forms 1 and 2, multi-session */
    r[4] = 0x29 | (u->s->locked ? 0x02 : 0); /* tray, ejects, locks; locked now */
    put_be16(r + 6, CD_SPEED);
    put_be16(r + 10, CD_BUFFER);
    put_be16(r + 12, u->s->speed ? u->s->speed : CD_SPEED);
}

static uint8_t *put_page(struct ide_unit *u, uint8_t *r, const struct mode_page *page, unsigned pc)
{
    r[0] = page->code;
    r[1] = page->len;
    if (pc == PC_CHANGEABLE)
        memset(r + 2, page->of ? 0xff : 0, page->len);
    else if (!page->of)
        capabilities(u, r + 2);
    else
        memcpy(r + 2, pc == PC_DEFAULT ? page->initial : page->of(u), page->len);
    return r + 2 + page->len;
}

static uint8_t medium_type(const struct ide_unit *u)
{
    return u->s->tray_open ? 0x71 : u->blk ? 0x01 : 0x70; /* open; 120 mm data; none */
}

void atapi_mode_sense(struct ide_unit *u, const uint8_t *p)
{
    bool ten = p[0] == 0x5a;
    uint8_t *r = atapi_buf(u), *end = r + (ten ? 8 : 4);
    unsigned pc = p[2] >> 6, code = p[2] & 0x3f;
    bool found = false;

    if (pc == PC_SAVED) {
        atapi_sense(u, SENSE_NO_SAVED_PAGES);
        return;
    }
    for (unsigned i = 0; i < PAGES; i++) {
        if (code == ALL_PAGES || code == pages[i].code) {
            end = put_page(u, end, &pages[i], pc);
            found = true;
        }
    }
    if (!found) {
        atapi_sense(u, SENSE_FIELD);
        return;
    }
    if (ten) {
        put_be16(r, end - r - 2);
        r[2] = medium_type(u);
    } else {
        r[0] = end - r - 1;
        r[1] = medium_type(u);
    }
    atapi_reply(u, end - r, ten ? be16(p + 7) : p[4]);
}

void atapi_mode_select(struct ide_unit *u, const uint8_t *p)
{
    uint32_t len = p[0] == 0x55 ? be16(p + 7) : p[4];

    if (!len)
        atapi_ok(u);
    else if (len > IDE_BUF)
        atapi_sense(u, SENSE_LIST_LENGTH);
    else if (!atapi_no_room(u))
        xfer_accept(u->ch, len);
}

static const struct mode_page *page_find(uint8_t code)
{
    for (unsigned i = 0; i < PAGES; i++) {
        if (pages[i].code == code)
            return &pages[i];
    }
    return NULL;
}

/* Checks, or with store also keeps, the pages in [p, end). 0 or a sense. */
static uint32_t pages_take(struct ide_unit *u, const uint8_t *p, const uint8_t *end, bool store)
{
    while (p < end) {
        const struct mode_page *page = page_find(p[0] & 0x3f);

        if (end - p < 2 || end - p - 2 < p[1])
            return SENSE_LIST_LENGTH;
        if (!page || page->len != p[1])
            return SENSE_PARAMETER;
        if (store && page->of)
            memcpy(page->of(u), p + 2, page->len);
        p += 2 + p[1];
    }
    return 0;
}

void atapi_mode_selected(struct ide_unit *u)
{
    struct ide_chan_state *s = u->ch->s;
    bool ten = s->packet[0] == 0x55;
    uint32_t header = ten ? 8 : 4, len = s->len < IDE_BUF ? s->len : IDE_BUF, sense;

    if (len >= header)
        header += ten ? be16(s->buf + 6) : s->buf[3]; /* block descriptors: skipped */
    if (len < header) {
        atapi_sense(u, SENSE_LIST_LENGTH);
        return;
    }
    sense = pages_take(u, s->buf + header, s->buf + len, false);
    if (!sense)
        pages_take(u, s->buf + header, s->buf + len, true);
    if (sense)
        atapi_sense(u, sense);
    else
        atapi_ok(u);
}
