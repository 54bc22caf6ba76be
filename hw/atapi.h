/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/atapi.h: between the files of the CD drive; its media verbs are in hw/ide.h. */
#pragma once
#include "hw/ide-int.h"

#define CD_MAX_BLOCKS 360000 /* 80 minutes; a larger image is a DVD */
#define CD_BLOCK      2048
#define CD_SPEED      8467 /* 48 times 176.4 kB/s */
#define CD_BUFFER     512  /* KiB, as the drive says */
#define CD_FRAMES     75   /* a second */

/* READ CD byte 9: what of a sector to transfer; byte 10: subchannels */
#define READ_CD_SYNC      0x80
#define READ_CD_SUBHEADER 0x40 /* of which a mode 1 sector has none */
#define READ_CD_HEADER    0x20
#define READ_CD_USER      0x10
#define READ_CD_EDC       0x08
#define READ_CD_C2        0x06
#define READ_CD_C2_FLAGS  0x02
#define READ_CD_SUB_RAW   1
#define READ_CD_SUB_Q     2
#define READ_CD_SUB_RW    4

/* Sense: key, additional code and qualifier in one number (MMC-3 annex F) */
#define SENSE(key, asc, ascq) ((key) << 16 | (asc) << 8 | (ascq))
#define SENSE_NO_MEDIUM       SENSE(0x2, 0x3a, 0x01) /* 02 instead of 01: tray open */
#define SENSE_READ_ERROR      SENSE(0x3, 0x11, 0x00)
#define SENSE_LIST_LENGTH     SENSE(0x5, 0x1a, 0x00)
#define SENSE_OPCODE          SENSE(0x5, 0x20, 0x00)
#define SENSE_LBA             SENSE(0x5, 0x21, 0x00)
#define SENSE_FIELD           SENSE(0x5, 0x24, 0x00)
#define SENSE_PARAMETER       SENSE(0x5, 0x26, 0x00)
#define SENSE_TRACK_MODE      SENSE(0x5, 0x64, 0x00)
#define SENSE_NO_KEY          SENSE(0x5, 0x6f, 0x01)
#define SENSE_SEQUENCE        SENSE(0x5, 0x2c, 0x00)
#define SENSE_WRONG_FORMAT    SENSE(0x5, 0x30, 0x02)
#define SENSE_NO_SAVED_PAGES  SENSE(0x5, 0x39, 0x00)
#define SENSE_REMOVAL_FORBID  SENSE(0x5, 0x53, 0x02)
#define SENSE_MEDIUM_CHANGED  SENSE(0x6, 0x28, 0x00)
#define SENSE_RESET           SENSE(0x6, 0x29, 0x00)
#define SENSE_DATA_PHASE      SENSE(0xb, 0x4b, 0x00)

static inline unsigned be16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static inline uint32_t be32(const uint8_t *p)
{
    return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static inline void put_be16(uint8_t *p, unsigned val)
{
    p[0] = val >> 8;
    p[1] = val;
}

static inline void put_be32(uint8_t *p, uint32_t val)
{
    put_be16(p, val >> 16);
    put_be16(p + 2, val);
}

static inline bool atapi_present(const struct ide_unit *u)
{
    return u->blk && u->blocks && !u->s->tray_open;
}

static inline bool atapi_is_dvd(const struct ide_unit *u)
{
    return u->blocks > CD_MAX_BLOCKS;
}

/* ---- atapi.c: how a packet command ends ---- */
void atapi_ok(struct ide_unit *u);
void atapi_sense(struct ide_unit *u, uint32_t sense);
/* A byte count limit of zero and data to move by PIO: the command is aborted (true). */
bool atapi_no_room(struct ide_unit *u);
/* The reply, len bytes of the zeroed buffer, cut to what the guest allocated. */
uint8_t *atapi_buf(struct ide_unit *u);
void atapi_reply(struct ide_unit *u, uint32_t len, uint32_t alloc);

/* ---- commands; p: the packet ---- */
typedef void atapi_fn(struct ide_unit *u, const uint8_t *p);
/* atapi-read.c */
atapi_fn atapi_read10, atapi_read12, atapi_read_cd, atapi_read_cd_msf, atapi_read_capacity,
    atapi_seek;
/* Three bytes M, S, F of a block address. */
void atapi_msf(uint8_t *dst, uint64_t lba);
/* atapi-raw.c */
void atapi_cook(struct ide_unit *u, uint64_t lba, const uint8_t *src, uint8_t *dst);
/* Is it a selection of neighbouring parts (MMC-3 table 350)? Bytes of it; 0: nothing to move. */
bool atapi_fields_ok(unsigned fields);
unsigned atapi_sector_size(unsigned fields, unsigned sub);
/* atapi-disc.c */
atapi_fn atapi_read_toc, atapi_disc_info, atapi_track_info, atapi_dvd_structure, atapi_subchannel;
/* atapi-drive.c */
atapi_fn atapi_inquiry, atapi_get_config, atapi_get_event, atapi_mechanism, atapi_set_speed,
    atapi_buffer_capacity, atapi_report_key, atapi_play, atapi_pause;
/* atapi-mode.c */
atapi_fn atapi_mode_sense, atapi_mode_select;
void atapi_mode_selected(struct ide_unit *u); /* its data has come */
