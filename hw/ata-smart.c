/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMART of an ATA disk: ATA/ATAPI-7 volume 1 §6.53 and the attribute tables
 * every driver knows (SFF-8035i). Self tests pass at once and are logged; the
 * error log has the errors of the host that the guest was told. No threshold
 * is ever exceeded: what ails the host's disk is the host's to watch.
 */
#include <string.h>
#include "hw/ata-int.h"

#define SMART_MID  0x4f /* the key in the LBA mid and high registers */
#define SMART_HIGH 0xc2

#define LOG_DIRECTORY 0x00
#define LOG_ERRORS    0x01
#define LOG_TESTS     0x06

/* Where a command's fields are in an entry of s.err_log[]. */
enum { EL_COMMAND, EL_FEATURE, EL_COUNT, EL_LOW, EL_MID, EL_HIGH, EL_DEVICE, EL_ERROR, EL_STATUS };

static const struct {
    uint8_t id, flags, value, threshold;
} smart_attr[] = {
    { 1, 0x0f, 100, 6 },   /* read error rate */
    { 5, 0x33, 100, 36 },  /* reallocated sectors */
    { 9, 0x32, 100, 0 },   /* power-on hours */
    { 12, 0x32, 100, 0 },  /* power cycles */
    { 197, 0x12, 100, 0 }, /* pending sectors */
};

static void smart_reply(struct ide_unit *u)
{
    uint8_t *page = u->ch->s->buf, sum = 0;

    for (unsigned i = 0; i < IDE_SECTOR - 1; i++)
        sum += page[i];
    page[IDE_SECTOR - 1] = -sum;
    ata_reply_sector(u);
}

static uint8_t *smart_page(struct ide_unit *u)
{
    memset(u->ch->s->buf, 0, IDE_SECTOR);
    return u->ch->s->buf;
}

static uint8_t *smart_attributes(struct ide_unit *u, bool thresholds)
{
    uint8_t *page = smart_page(u);

    page[0] = 0x10; /* revision */
    for (unsigned i = 0; i < sizeof(smart_attr) / sizeof(smart_attr[0]); i++) {
        uint8_t *a = page + 2 + 12 * i;

        a[0] = smart_attr[i].id;
        a[1] = thresholds ? smart_attr[i].threshold : smart_attr[i].flags;
        if (!thresholds)
            a[3] = a[4] = smart_attr[i].value;
    }
    return page;
}

static void smart_data(struct ide_unit *u)
{
    uint8_t *page = smart_attributes(u, false);

    page[362] = 0x02; /* off-line collection: completed without error */
    page[364] = 1;    /* seconds it takes */
    page[367] = 0x11; /* EXECUTE OFF-LINE IMMEDIATE, self tests */
    page[368] = 0x03; /* saves attributes, autosave */
    page[370] = 0x01; /* logs errors */
    page[372] = 1;    /* minutes: short and extended self test */
    page[373] = 1;
    smart_reply(u);
}

static void smart_thresholds(struct ide_unit *u)
{
    smart_attributes(u, true);
    smart_reply(u);
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

/* ---- self tests (§6.53.5) ---- */

static void smart_offline(struct ide_unit *u)
{
    struct ide_unit_state *s = u->s;
    uint8_t test = s->low[0];

    switch (test) {
    case 0x00: /* off-line collection */
    case 0x7f: /* abort the test: none is running */
        break;
    case 0x01: /* short, extended; as they are, or captive */
    case 0x02:
    case 0x81:
    case 0x82:
        s->test_last = s->test_last < SMART_TESTS ? s->test_last + 1 : 1;
        s->test_log[2 * (s->test_last - 1)] = test;
        s->test_log[2 * (s->test_last - 1) + 1] = 0; /* completed without error */
        break;
    default:
        ata_abort(u);
        return;
    }
    ata_ok(u);
}

/* ---- logs (§6.53.6, annex A) ---- */

void ata_log_error(struct ide_unit *u)
{
    struct ide_unit_state *s = u->s;
    uint8_t *e;

    if (!s->smart || s->err_next >= SMART_ERRORS)
        return;
    e = s->err_log + s->err_next * SMART_ERROR_BYTES;
    e[EL_COMMAND] = u->ch->s->command;
    e[EL_FEATURE] = s->feature[0];
    e[EL_COUNT] = s->count[0];
    e[EL_LOW] = s->low[0];
    e[EL_MID] = s->mid[0];
    e[EL_HIGH] = s->high[0];
    e[EL_DEVICE] = u->ch->s->device;
    e[EL_ERROR] = s->error;
    e[EL_STATUS] = s->status;
    s->err_next = (s->err_next + 1) % SMART_ERRORS;
    if (s->err_count < UINT16_MAX)
        s->err_count++;
}

static void log_directory(struct ide_unit *u)
{
    uint8_t *page = smart_page(u);

    page[0] = 1;              /* version */
    page[2 * LOG_ERRORS] = 1; /* sectors each */
    page[2 * LOG_TESTS] = 1;
    ata_reply_sector(u); /* has no checksum */
}

/* The summary error log: five structures of five commands, of which we keep the last, and the
 * error. */
static void log_errors(struct ide_unit *u)
{
    const struct ide_unit_state *s = u->s;
    uint8_t *page = smart_page(u);

    page[0] = 1;                                                            /* version */
    page[1] = !s->err_count ? 0 : s->err_next ? s->err_next : SMART_ERRORS; /* the newest */
    for (unsigned i = 0; i < SMART_ERRORS && i < s->err_count; i++) {
        const uint8_t *e = s->err_log + i * SMART_ERROR_BYTES;
        uint8_t *d = page + 2 + 90 * i, *cmd = d + 4 * 12, *err = d + 5 * 12;

        cmd[1] = e[EL_FEATURE];
        memcpy(cmd + 2, e + EL_COUNT, 5); /* count, LBA, device */
        cmd[7] = e[EL_COMMAND];
        err[1] = e[EL_ERROR];
        memcpy(err + 2, e + EL_COUNT, 5);
        err[7] = e[EL_STATUS];
        err[27] = 0x03; /* active or idle */
    }
    page[452] = s->err_count;
    page[453] = s->err_count >> 8;
    smart_reply(u);
}

static void log_tests(struct ide_unit *u)
{
    const struct ide_unit_state *s = u->s;
    uint8_t *page = smart_page(u);

    page[0] = 1; /* revision, 16 bits */
    for (unsigned i = 0; i < SMART_TESTS; i++) {
        page[2 + 24 * i] = s->test_log[2 * i];
        page[2 + 24 * i + 1] = s->test_log[2 * i + 1];
    }
    page[508] = s->test_last;
    smart_reply(u);
}

static void smart_read_log(struct ide_unit *u)
{
    if (u->s->count[0] != 1)
        ata_abort(u);
    else if (u->s->low[0] == LOG_DIRECTORY)
        log_directory(u);
    else if (u->s->low[0] == LOG_ERRORS)
        log_errors(u);
    else if (u->s->low[0] == LOG_TESTS)
        log_tests(u);
    else
        ata_abort(u);
}

/* RETURN STATUS leaves the key as it is: no threshold exceeded. */
static const struct ata_sub smart_cmds[] = {
    { 0xd0, smart_data },   { 0xd1, smart_thresholds }, { 0xd2, smart_autosave },
    { 0xd3, ata_ok },       { 0xd4, smart_offline },    { 0xd5, smart_read_log },
    { 0xd8, smart_enable }, { 0xd9, smart_disable },    { 0xda, ata_ok },
};

void ata_smart(struct ide_unit *u, unsigned flags)
{
    bool key = u->s->mid[0] == SMART_MID && u->s->high[0] == SMART_HIGH;

    if (!key || (!u->s->smart && u->s->feature[0] != 0xd8) || !ATA_SUB_RUN(u, smart_cmds))
        ata_abort(u);
}
