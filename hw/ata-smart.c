/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMART and SET FEATURES of an ATA disk: ATA/ATAPI-7 volume 1 §6.46, §6.53 and
 * the attribute tables every driver knows (SFF-8035i). The disk is always
 * well; self tests pass at once. No logs.
 */
#include <string.h>
#include "hw/ata-int.h"

#define SMART_MID  0x4f /* the key in the LBA mid and high registers */
#define SMART_HIGH 0xc2

struct sub_cmd { /* one value of the feature register */
    uint8_t code;
    void (*run)(struct ide_unit *u);
};

static bool sub_run(struct ide_unit *u, const struct sub_cmd *tab, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (tab[i].code == u->s->feature[0]) {
            tab[i].run(u);
            return true;
        }
    }
    return false;
}
#define SUB_RUN(u, tab) sub_run((u), (tab), sizeof(tab) / sizeof((tab)[0]))

/* ---- SMART ---- */

static const struct {
    uint8_t id, flags, value, threshold;
} smart_attr[] = {
    { 1, 0x0f, 100, 6 },   /* read error rate */
    { 5, 0x33, 100, 36 },  /* reallocated sectors */
    { 9, 0x32, 100, 0 },   /* power-on hours */
    { 12, 0x32, 100, 0 },  /* power cycles */
    { 197, 0x12, 100, 0 }, /* pending sectors */
};

static void smart_checksum(uint8_t *page)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < IDE_SECTOR - 1; i++)
        sum += page[i];
    page[IDE_SECTOR - 1] = -sum;
}

static void smart_page(struct ide_unit *u, bool thresholds)
{
    uint8_t *page = u->ch->s->buf;

    memset(page, 0, IDE_SECTOR);
    page[0] = 0x10; /* revision */
    for (unsigned i = 0; i < sizeof(smart_attr) / sizeof(smart_attr[0]); i++) {
        uint8_t *a = page + 2 + 12 * i;

        a[0] = smart_attr[i].id;
        a[1] = thresholds ? smart_attr[i].threshold : smart_attr[i].flags;
        if (!thresholds)
            a[3] = a[4] = smart_attr[i].value;
    }
    if (!thresholds) {
        page[362] = 0x02; /* off-line collection: completed without error */
        page[364] = 1;    /* seconds it takes */
        page[367] = 0x11; /* EXECUTE OFF-LINE IMMEDIATE, self tests */
        page[368] = 0x03; /* saves attributes, autosave */
        page[372] = 1;    /* minutes: short and extended self test */
        page[373] = 1;
    }
    smart_checksum(page);
    ata_reply_sector(u);
}

static void smart_data(struct ide_unit *u)
{
    smart_page(u, false);
}

static void smart_thresholds(struct ide_unit *u)
{
    smart_page(u, true);
}

static void smart_autosave(struct ide_unit *u)
{
    u->s->smart_save = u->s->count[0] != 0;
    ata_ok(u);
}

static void smart_enable(struct ide_unit *u)
{
    u->s->smart = true;
    ata_ok(u);
}

static void smart_disable(struct ide_unit *u)
{
    u->s->smart = false;
    ata_ok(u);
}

/* RETURN STATUS leaves the key as it is: no threshold exceeded. */
static const struct sub_cmd smart_cmds[] = {
    { 0xd0, smart_data },     { 0xd1, smart_thresholds }, { 0xd2, smart_autosave },
    { 0xd3, ata_ok },         { 0xd4, ata_ok },           { 0xd8, smart_enable },
    { 0xd9, smart_disable },  { 0xda, ata_ok },
};

void ata_smart(struct ide_unit *u, unsigned flags)
{
    bool key = u->s->mid[0] == SMART_MID && u->s->high[0] == SMART_HIGH;

    if (!key || (!u->s->smart && u->s->feature[0] != 0xd8) || !SUB_RUN(u, smart_cmds))
        ata_abort(u);
}

/* ---- SET FEATURES ---- */

static void feature_wcache_on(struct ide_unit *u)
{
    u->s->wcache = true;
    ata_ok(u);
}

static void feature_wcache_off(struct ide_unit *u)
{
    u->s->wcache = false;
    xfer_flush(u->ch);
}

static void feature_mode(struct ide_unit *u)
{
    if (ide_set_mode(u, u->s->count[0]))
        ata_ok(u);
    else
        ata_abort(u);
}

static void feature_look_ahead_on(struct ide_unit *u)
{
    u->s->look_ahead = true;
    ata_ok(u);
}

static void feature_look_ahead_off(struct ide_unit *u)
{
    u->s->look_ahead = false;
    ata_ok(u);
}

static const struct sub_cmd features[] = {
    { 0x02, feature_wcache_on },      { 0x03, feature_mode }, { 0x55, feature_look_ahead_off },
    { 0x66, ata_ok },                 { 0x82, feature_wcache_off },
    { 0xaa, feature_look_ahead_on },  { 0xcc, ata_ok }, /* 66, CC: settings survive SRST or not */
};

void ata_set_features(struct ide_unit *u, unsigned flags)
{
    if (!SUB_RUN(u, features))
        ata_abort(u);
}
