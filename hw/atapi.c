/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ATAPI CD/DVD-ROM drive: packet protocol of ATA/ATAPI-7 volume 2 §11 and
 * SFF-8020i, commands of MMC-3. The medium is an image of 2048-byte blocks:
 * one session, one data track. This file: the ATA side, the packet table,
 * sense, tray. Not modelled: audio, subchannel data, writing, overlap.
 */
#include "hw/atapi.h"
#include <string.h>

#define CMD_DEVICE_RESET    0x08
#define CMD_PACKET          0xa0
#define CMD_IDENTIFY_PACKET 0xa1

#define FEATURE_DMA 0x01
#define FEATURE_OVL 0x02

/* What a row of the packet table says about its opcode */
#define P_MEDIUM 0x01 /* needs one */
#define P_ALWAYS 0x02 /* runs also when a unit attention is pending (MMC-3 §4.1.6) */

struct packet_cmd {
    atapi_fn *run;
    uint8_t flags;
};

/* ---- how a command ends ---- */

static void packet_end(struct ide_unit *u, uint8_t status, uint8_t error)
{
    u->s->count[0] = REASON_IO | REASON_CD;
    ide_complete(u, status, error);
}

void atapi_ok(struct ide_unit *u)
{
    packet_end(u, ST_DRDY | ST_DSC, 0);
}

void atapi_sense(struct ide_unit *u, uint32_t sense)
{
    u->s->sense_key = sense >> 16;
    u->s->asc = sense >> 8;
    u->s->ascq = sense;
    packet_end(u, ST_DRDY | ST_DSC | ST_ERR, u->s->sense_key << 4 | ER_ABRT);
}

static uint32_t no_medium(const struct ide_unit *u)
{
    return SENSE_NO_MEDIUM + (u->s->tray_open ? 1 : 0);
}

bool atapi_no_room(struct ide_unit *u)
{
    if (u->ch->s->dma || u->ch->s->limit)
        return false;
    packet_end(u, ST_DRDY | ST_DSC | ST_ERR, ER_ABRT);
    return true;
}

uint8_t *atapi_buf(struct ide_unit *u)
{
    memset(u->ch->s->buf, 0, sizeof(u->ch->s->buf));
    return u->ch->s->buf;
}

void atapi_reply(struct ide_unit *u, uint32_t len, uint32_t alloc)
{
    if (len > alloc)
        len = alloc;
    if (!len)
        atapi_ok(u);
    else if (!atapi_no_room(u))
        xfer_reply(u->ch, len);
}

/* ---- small packet commands ---- */

static void cmd_nothing(struct ide_unit *u, const uint8_t *p)
{
    atapi_ok(u);
}

static uint32_t attention_sense(const struct ide_unit *u)
{
    switch (u->s->attention) {
    case UA_RESET:
        return SENSE_RESET;
    case UA_ABSENT: /* a new medium is shown as an empty drive first: drivers look for that */
        return SENSE_NO_MEDIUM;
    case UA_CHANGED:
        return SENSE_MEDIUM_CHANGED;
    default:
        return 0;
    }
}

static uint32_t attention_take(struct ide_unit *u)
{
    uint32_t sense = attention_sense(u);

    u->s->attention = u->s->attention == UA_ABSENT ? UA_CHANGED : UA_NONE;
    return sense;
}

static void cmd_request_sense(struct ide_unit *u, const uint8_t *p)
{
    uint8_t *r = atapi_buf(u);
    uint32_t sense = SENSE(u->s->sense_key, u->s->asc, u->s->ascq);

    if (!sense)
        sense = attention_take(u);
    u->s->sense_key = u->s->asc = u->s->ascq = 0;
    r[0] = 0x70; /* current error, fixed format */
    r[2] = sense >> 16;
    r[7] = 10; /* bytes that follow */
    r[12] = sense >> 8;
    r[13] = sense;
    atapi_reply(u, 18, p[4]);
}

static void tray_move(struct ide_unit *u, bool open)
{
    const struct ide_host *host = u->ch->host;

    if (u->s->tray_open == open)
        return;
    u->s->tray_open = open;
    u->s->event = open ? EV_REMOVED : u->blk ? EV_NEW_MEDIUM : EV_NONE;
    if (!open && u->blk)
        u->s->attention = UA_CHANGED;
    if (host->events && host->events->tray)
        host->events->tray(host->events_arg, u->number, open);
}

static void cmd_start_stop(struct ide_unit *u, const uint8_t *p)
{
    bool load_eject = p[4] & 0x02, start = p[4] & 0x01;

    if ((p[4] & 0xf0) || !load_eject) { /* power conditions, spin up or down */
        atapi_ok(u);
        return;
    }
    if (!start && u->s->locked) {
        atapi_sense(u, SENSE_REMOVAL_FORBID);
        return;
    }
    tray_move(u, !start);
    atapi_ok(u);
}

static void cmd_prevent(struct ide_unit *u, const uint8_t *p)
{
    u->s->locked = p[4] & 0x01;
    atapi_ok(u);
}

/* ---- the packet table ---- */

static const struct packet_cmd packet_cmds[256] = {
    [0x00] = { cmd_nothing, P_MEDIUM }, /* TEST UNIT READY */
    [0x03] = { cmd_request_sense, P_ALWAYS },
    [0x12] = { atapi_inquiry, P_ALWAYS },
    [0x15] = { atapi_mode_select }, /* MODE SELECT(6) */
    [0x1a] = { atapi_mode_sense },  /* MODE SENSE(6) */
    [0x1b] = { cmd_start_stop },
    [0x1e] = { cmd_prevent },
    [0x25] = { atapi_read_capacity, P_MEDIUM },
    [0x28] = { atapi_read10, P_MEDIUM },
    [0x2b] = { atapi_seek, P_MEDIUM },
    [0x42] = { atapi_subchannel, P_MEDIUM },
    [0x43] = { atapi_read_toc, P_MEDIUM },
    [0x45] = { atapi_play, P_MEDIUM }, /* PLAY AUDIO (10), MSF, (12) */
    [0x47] = { atapi_play, P_MEDIUM },
    [0xa5] = { atapi_play, P_MEDIUM },
    [0x4b] = { atapi_pause, P_MEDIUM },
    [0x4e] = { cmd_nothing, P_MEDIUM }, /* STOP PLAY/SCAN */
    [0x5c] = { atapi_buffer_capacity },
    [0xa4] = { atapi_report_key, P_MEDIUM },
    [0x46] = { atapi_get_config, P_ALWAYS },
    [0x4a] = { atapi_get_event, P_ALWAYS },
    [0x51] = { atapi_disc_info, P_MEDIUM },
    [0x52] = { atapi_track_info, P_MEDIUM },
    [0x55] = { atapi_mode_select },
    [0x5a] = { atapi_mode_sense },
    [0xa8] = { atapi_read12, P_MEDIUM },
    [0xad] = { atapi_dvd_structure, P_MEDIUM },
    [0xb9] = { atapi_read_cd_msf, P_MEDIUM },
    [0xbb] = { atapi_set_speed },
    [0xbd] = { atapi_mechanism },
    [0xbe] = { atapi_read_cd, P_MEDIUM },
};

static void atapi_packet(struct ide_unit *u)
{
    struct ide_chan_state *s = u->ch->s;
    uint8_t p[IDE_PACKET];
    const struct packet_cmd *row;

    memcpy(p, s->buf, sizeof(p));
    memcpy(s->packet, p, sizeof(s->packet));
    s->pos = s->end = s->len = 0;
    row = &packet_cmds[p[0]];
    if (p[0] != 0x03)
        u->s->sense_key = u->s->asc = u->s->ascq = 0;
    if (!row->run)
        atapi_sense(u, SENSE_OPCODE);
    else if (u->s->attention && !(row->flags & P_ALWAYS))
        atapi_sense(u, attention_take(u));
    else if ((row->flags & P_MEDIUM) && !atapi_present(u))
        atapi_sense(u, no_medium(u));
    else
        row->run(u, p);
}

/* ---- the ATA side ---- */

static void atapi_reset(struct ide_unit *u)
{
    ide_signature(u, 0x14, 0xeb);
    u->s->error = 0x01; /* diagnostic code: passed */
    u->s->status = 0;   /* DRDY comes with the first command */
    u->s->power = PM_ACTIVE;
}

static void ata_side_abort(struct ide_unit *u)
{
    ide_complete(u, ST_DRDY | ST_DSC | ST_ERR, ER_ABRT);
}

static void ata_side_ok(struct ide_unit *u)
{
    ide_complete(u, ST_DRDY | ST_DSC, 0);
}

/* The commands by which a host finds out what is there: signature, then abort (§6.16). */
static void ata_side_signature(struct ide_unit *u)
{
    ide_signature(u, 0x14, 0xeb);
    ata_side_abort(u);
}

static void ata_side_reset(struct ide_unit *u)
{
    xfer_stop(u->ch);
    atapi_reset(u); /* and no interrupt (§6.10) */
}

static void ata_side_packet(struct ide_unit *u)
{
    struct ide_chan_state *s = u->ch->s;
    unsigned limit = u->s->mid[0] | u->s->high[0] << 8;

    if (u->s->feature[0] & FEATURE_OVL) {
        ata_side_abort(u);
        return;
    }
    s->dma = u->s->feature[0] & FEATURE_DMA;
    s->limit = limit & 0xfffe;
    s->len = s->end = IDE_PACKET;
    s->phase = PH_PACKET;
    u->s->count[0] = REASON_CD;
}

static void ata_side_identify(struct ide_unit *u)
{
    uint8_t *id = atapi_buf(u);

    ide_identify_common(u, id);
    ide_word(id, 0, 0x85c0);  /* ATAPI, CD-ROM, removable, DRQ within 50 us, 12-byte packets */
    ide_word(id, 49, 0x0f00); /* DMA, LBA, IORDY */
    ide_word(id, 50, 0x4000);
    ide_word(id, 53, 0x0006); /* words 64-70 and 88 are valid */
    ide_word(id, 71, 30);     /* microseconds to release the bus, to clear BSY */
    ide_word(id, 72, 30);
    ide_word(id, 82, 0x0218); /* DEVICE RESET, PACKET, power management */
    ide_word(id, 83, 0x4000);
    ide_word(id, 84, 0x4000);
    ide_word(id, 85, 0x0218);
    ide_word(id, 87, 0x4000);
    ide_identify_checksum(id);
    u->ch->s->limit = IDE_BUF;
    xfer_reply(u->ch, IDE_SECTOR);
}

static void ata_side_sleep(struct ide_unit *u)
{
    u->s->power = PM_SLEEP; /* until a reset */
    ata_side_ok(u);
}

static void ata_side_check_power(struct ide_unit *u)
{
    u->s->count[0] = 0xff; /* active */
    ata_side_ok(u);
}

static void ata_side_features(struct ide_unit *u)
{
    uint8_t sub = u->s->feature[0];

    if ((sub == 0x03 && ide_set_mode(u, u->s->count[0])) || sub == 0x66 || sub == 0xcc)
        ata_side_ok(u);
    else
        ata_side_abort(u);
}

static void (*const ata_side_cmds[256])(struct ide_unit *u) = {
    [CMD_DEVICE_RESET] = ata_side_reset,
    [0x20] = ata_side_signature,
    [CMD_PACKET] = ata_side_packet,
    [CMD_IDENTIFY_PACKET] = ata_side_identify,
    [0xe0] = ata_side_ok,
    [0xe1] = ata_side_ok, /* STANDBY, IDLE IMMEDIATE */
    [0xe5] = ata_side_check_power,
    [0xe6] = ata_side_sleep,
    [0xec] = ata_side_signature,
    [0xef] = ata_side_features,
};

static void atapi_command(struct ide_unit *u, uint8_t cmd)
{
    if (ata_side_cmds[cmd])
        ata_side_cmds[cmd](u);
    else
        ata_side_abort(u);
}

static void atapi_drq(struct ide_unit *u, uint32_t bytes)
{
    u->s->status = ST_DRDY | ST_DSC;
    if (u->ch->s->command != CMD_PACKET)
        return;
    u->s->count[0] = u->ch->s->out ? 0 : REASON_IO;
    u->s->mid[0] = bytes;
    u->s->high[0] = bytes >> 8;
}

static void atapi_finished(struct ide_unit *u)
{
    if (u->ch->s->command == CMD_PACKET)
        atapi_ok(u);
    else
        u->s->status = ST_DRDY | ST_DSC; /* IDENTIFY: the DRQ was the interrupt */
}

static void atapi_failed(struct ide_unit *u, enum xfer_fail why, int err)
{
    switch (why) {
    case FAIL_GONE:
        atapi_sense(u, no_medium(u));
        break;
    case FAIL_DMA:
        atapi_sense(u, SENSE_DATA_PHASE);
        break;
    case FAIL_SHORT: /* the host's bus master stopped: it has to notice by itself */
        u->s->status = ST_DRDY | ST_DSC;
        break;
    default:
        atapi_sense(u, SENSE_READ_ERROR);
        break;
    }
}

const struct ide_unit_ops atapi_ops = {
    .reset = atapi_reset,
    .command = atapi_command,
    .packet = atapi_packet,
    .drq = atapi_drq,
    .accepted = atapi_mode_selected,
    .cook = atapi_cook,
    .finished = atapi_finished,
    .failed = atapi_failed,
};
