/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ATA disk: ATA/ATAPI-7 volume 1 (T13/1532D), general feature set, power
 * management, 48-bit addresses, READ/WRITE MULTIPLE, bus master DMA. Every
 * opcode is a row of ata_cmds[]; what has no row is aborted. Not modelled:
 * security, host protected area (only the READ NATIVE MAX commands), streaming,
 * queuing, SLEEP's deafness (it is a standby that any command ends), and READ
 * VERIFY reads nothing, it checks the address. A bad sector of the image is
 * found by going sector by sector after an error, so its number is exact.
 */
#include "hw/ata-int.h"
#include <errno.h>
#include <string.h>

/* What a row says about its opcode */
#define A_EXT   0x01 /* 48-bit address, 16-bit count */
#define A_WRITE 0x02
#define A_DMA   0x04
#define A_MULT  0x08 /* DRQ blocks of SET MULTIPLE MODE's size */
#define A_MEDIA 0x10 /* moves sectors: the registers tell where it ended */

#define LBA28_MAX 0x0fffffffu

#define COUNT_ACTIVE  0xff /* CHECK POWER MODE */
#define COUNT_IDLE    0x80
#define COUNT_STANDBY 0x00

struct ata_cmd {
    void (*run)(struct ide_unit *u, unsigned flags);
    uint8_t flags;
};
static const struct ata_cmd ata_cmds[256];

void ata_abort(struct ide_unit *u)
{
    ide_complete(u, ST_DRDY | ST_DSC | ST_ERR, ER_ABRT);
}

void ata_ok(struct ide_unit *u)
{
    ide_complete(u, ST_DRDY | ST_DSC, 0);
}

void ata_reply_sector(struct ide_unit *u)
{
    u->ch->s->limit = IDE_BUF;
    xfer_reply(u->ch, IDE_SECTOR);
}

/* ---- addresses (§6.2) ---- */

/* The command's first sector; false: a CHS address that is none. */
static bool ata_lba(const struct ide_unit *u, unsigned flags, uint64_t *lba)
{
    const struct ide_unit_state *s = u->s;
    uint8_t                      device = u->ch->s->device;
    uint32_t                     low24 = s->low[0] | s->mid[0] << 8 | (uint32_t)s->high[0] << 16;

    if (flags & A_EXT) {
        *lba = low24 | (uint64_t)s->low[1] << 24 | (uint64_t)s->mid[1] << 32 |
               (uint64_t)s->high[1] << 40;
        return true;
    }
    if (device & DEV_LBA) {
        *lba = low24 | (uint32_t)(device & DEV_HEAD) << 24;
        return true;
    }
    *lba = ((uint64_t)(s->mid[0] | s->high[0] << 8) * s->heads + (device & DEV_HEAD)) * s->secs +
           s->low[0] - 1;
    return s->low[0] >= 1 && s->low[0] <= s->secs && (device & DEV_HEAD) < s->heads;
}

static uint32_t ata_count(const struct ide_unit *u, unsigned flags)
{
    uint32_t n = u->s->count[0];

    if (flags & A_EXT)
        n |= u->s->count[1] << 8;
    return n ? n : flags & A_EXT ? 65536 : 256;
}

/* Shows a sector's address in the registers the way the command gave it. */
static void ata_show_lba(struct ide_unit *u, unsigned flags, uint64_t lba)
{
    struct ide_unit_state *s = u->s;
    struct ide_chan_state *cs = u->ch->s;
    uint32_t               track;

    if ((flags & A_EXT) || (cs->device & DEV_LBA)) {
        s->low[0] = lba;
        s->mid[0] = lba >> 8;
        s->high[0] = lba >> 16;
        if (flags & A_EXT) {
            s->low[1] = lba >> 24;
            s->mid[1] = lba >> 32;
            s->high[1] = lba >> 40;
        } else {
            cs->device = (cs->device & ~DEV_HEAD) | (lba >> 24 & DEV_HEAD);
        }
    } else if (s->secs && s->heads) {
        track = lba / s->secs;
        s->low[0] = lba % s->secs + 1;
        s->mid[0] = track / s->heads;
        s->high[0] = track / s->heads >> 8;
        cs->device = (cs->device & ~DEV_HEAD) | track % s->heads;
    }
}

static void ata_error_at(struct ide_unit *u, unsigned flags, uint64_t lba, uint8_t error)
{
    ata_show_lba(u, flags, lba);
    ide_complete(u, ST_DRDY | ST_DSC | ST_ERR, error);
}

/* Address and count checked against the disk; false: the command has ended with IDNF. */
static bool ata_range(struct ide_unit *u, unsigned flags, uint64_t *lba, uint32_t *count)
{
    *count = ata_count(u, flags);
    if (!ata_lba(u, flags, lba)) {
        ide_complete(u, ST_DRDY | ST_DSC | ST_ERR, ER_IDNF | ER_ABRT);
        return false;
    }
    if (*lba < u->blocks && *count <= u->blocks - *lba)
        return true;
    ata_error_at(u, flags, *lba < u->blocks ? u->blocks : *lba, ER_IDNF | ER_ABRT);
    return false;
}

/* ---- reading and writing ---- */

static void cmd_rw(struct ide_unit *u, unsigned flags)
{
    struct ide_chan_state *s = u->ch->s;
    uint64_t               lba;
    uint32_t               count;

    if ((flags & A_MULT) && !u->s->multiple) {
        ata_abort(u);
        return;
    }
    if (!ata_range(u, flags, &lba, &count))
        return;
    if ((flags & A_WRITE) && u->blk && u->blk->readonly) {
        ata_error_at(u, flags, lba, ER_ABRT | ER_UNC);
        return;
    }
    u->s->power = PM_ACTIVE;
    s->lba = lba;
    s->left = count;
    s->out = flags & A_WRITE;
    s->dma = flags & A_DMA;
    s->through = s->out && !u->s->wcache;
    s->per_drq = flags & A_MULT ? u->s->multiple : 1;
    s->limit = IDE_BUF;
    xfer_media(u->ch);
}

static void cmd_verify(struct ide_unit *u, unsigned flags)
{
    uint64_t lba;
    uint32_t count;

    if (!ata_range(u, flags, &lba, &count))
        return;
    ata_show_lba(u, flags, lba + count - 1);
    u->s->count[0] = 0;
    ata_ok(u);
}

static void cmd_seek(struct ide_unit *u, unsigned flags)
{
    uint64_t lba;

    if (!ata_lba(u, flags, &lba) || lba >= u->blocks)
        ide_complete(u, ST_DRDY | ST_DSC | ST_ERR, ER_IDNF | ER_ABRT);
    else
        ata_ok(u);
}

static void cmd_recalibrate(struct ide_unit *u, unsigned flags)
{
    u->s->mid[0] = u->s->high[0] = 0;
    ata_ok(u);
}

static void cmd_flush(struct ide_unit *u, unsigned flags)
{
    xfer_flush(u->ch);
}

/* ---- settings ---- */

static void cmd_identify(struct ide_unit *u, unsigned flags)
{
    ata_identify(u, u->ch->s->buf);
    ata_reply_sector(u);
}

static void cmd_set_multiple(struct ide_unit *u, unsigned flags)
{
    uint8_t n = u->s->count[0];

    if (n > IDE_MAX_MUL || (n & (n - 1))) {
        u->s->multiple = 0;
        ata_abort(u);
        return;
    }
    u->s->multiple = n;
    ata_ok(u);
}

static void cmd_init_params(struct ide_unit *u, unsigned flags)
{
    if (!u->s->count[0]) {
        ata_abort(u);
        return;
    }
    u->s->secs = u->s->count[0];
    u->s->heads = (u->ch->s->device & DEV_HEAD) + 1;
    ata_ok(u);
}

static void cmd_native_max(struct ide_unit *u, unsigned flags)
{
    uint64_t last = u->blocks - 1;

    if (!(flags & A_EXT) && last > LBA28_MAX - 1)
        last = LBA28_MAX - 1;
    ata_show_lba(u, flags, last);
    ata_ok(u);
}

static void cmd_nop(struct ide_unit *u, unsigned flags) /* §6.22: always aborted */
{
    ata_abort(u);
}

/* ---- power (§4.13) ---- */

static void cmd_standby(struct ide_unit *u, unsigned flags)
{
    u->s->power = PM_STANDBY;
    xfer_flush(u->ch);
}

static void cmd_idle(struct ide_unit *u, unsigned flags)
{
    u->s->power = PM_IDLE;
    ata_ok(u);
}

static void cmd_check_power(struct ide_unit *u, unsigned flags)
{
    static const uint8_t mode[] = { COUNT_ACTIVE, COUNT_IDLE, COUNT_STANDBY };

    u->s->count[0] = mode[u->s->power < PM_COUNT ? u->s->power : PM_ACTIVE];
    ata_ok(u);
}

/* ---- the table ---- */

#define RW(extra) { cmd_rw, A_MEDIA | (extra) }

static const struct ata_cmd ata_cmds[256] = {
    [0x00] = { cmd_nop },
    [0x10 ... 0x1f] = { cmd_recalibrate },
    [0x20] = RW(0), [0x21] = RW(0),                           /* READ SECTOR(S) */
    [0x24] = RW(A_EXT), [0x25] = RW(A_EXT | A_DMA),           /* ... EXT, READ DMA EXT */
    [0x27] = { cmd_native_max, A_EXT },
    [0x29] = RW(A_EXT | A_MULT),                              /* READ MULTIPLE EXT */
    [0x30] = RW(A_WRITE), [0x31] = RW(A_WRITE),               /* WRITE SECTOR(S) */
    [0x34] = RW(A_EXT | A_WRITE), [0x35] = RW(A_EXT | A_WRITE | A_DMA),
    [0x39] = RW(A_EXT | A_WRITE | A_MULT),                    /* WRITE MULTIPLE EXT */
    [0x40] = { cmd_verify }, [0x41] = { cmd_verify }, [0x42] = { cmd_verify, A_EXT },
    [0x70 ... 0x7f] = { cmd_seek },
    [0x91] = { cmd_init_params },
    [0x94] = { cmd_standby }, [0x95] = { cmd_idle },          /* the old opcodes of E0-E6 */
    [0x96] = { cmd_standby }, [0x97] = { cmd_idle },
    [0x98] = { cmd_check_power }, [0x99] = { cmd_standby },
    [0xb0] = { ata_smart },
    [0xc4] = RW(A_MULT), [0xc5] = RW(A_MULT | A_WRITE),       /* READ, WRITE MULTIPLE */
    [0xc6] = { cmd_set_multiple },
    [0xc8] = RW(A_DMA), [0xc9] = RW(A_DMA),                   /* READ DMA */
    [0xca] = RW(A_DMA | A_WRITE), [0xcb] = RW(A_DMA | A_WRITE),
    [0xe0] = { cmd_standby }, [0xe1] = { cmd_idle },
    [0xe2] = { cmd_standby }, [0xe3] = { cmd_idle },
    [0xe5] = { cmd_check_power }, [0xe6] = { cmd_standby },   /* E6: SLEEP */
    [0xe7] = { cmd_flush }, [0xea] = { cmd_flush },
    [0xec] = { cmd_identify },
    [0xef] = { ata_set_features },
    [0xf8] = { cmd_native_max },
};

static void ata_command(struct ide_unit *u, uint8_t cmd)
{
    const struct ata_cmd *row = &ata_cmds[cmd];

    if (row->run)
        row->run(u, row->flags);
    else
        ata_abort(u);
}

static void ata_finished(struct ide_unit *u)
{
    struct ide_chan_state *s = u->ch->s;
    unsigned               flags = ata_cmds[s->command].flags;

    if (flags & A_MEDIA) {
        ata_show_lba(u, flags, s->lba - 1);
        u->s->count[0] = u->s->count[1] = 0;
    }
    if (s->len && !s->out && !s->dma)
        u->s->status = ST_DRDY | ST_DSC; /* PIO in: the last DRQ was the last interrupt */
    else
        ata_ok(u);
}

static void ata_failed(struct ide_unit *u, enum xfer_fail why, int err)
{
    struct ide_chan_state *s = u->ch->s;
    unsigned               flags = ata_cmds[s->command].flags;
    uint8_t                error = ER_ABRT;

    if (why == FAIL_SHORT) { /* the host's bus master stopped: it has to notice by itself */
        u->s->status = ST_DRDY | ST_DSC;
        return;
    }
    if (why == FAIL_IO && (flags & A_MEDIA))
        error = !s->out ? ER_UNC : err == EROFS ? ER_ABRT | ER_UNC : ER_ABRT;
    if (flags & A_MEDIA)
        ata_error_at(u, flags, s->lba, error);
    else
        ide_complete(u, ST_DRDY | ST_DSC | ST_ERR, error);
}

static void ata_reset(struct ide_unit *u)
{
    ide_signature(u, 0, 0);
    u->s->error = 0x01; /* diagnostic code: passed */
    u->s->status = ST_DRDY | ST_DSC;
    u->s->power = PM_ACTIVE;
}

static void ata_drq(struct ide_unit *u, uint32_t bytes)
{
    u->s->status = ST_DRDY | ST_DSC;
}

static void ata_accepted(struct ide_unit *u) /* no command takes data that is not sectors */
{
    ata_abort(u);
}

const struct ide_unit_ops ata_ops = {
    .reset = ata_reset,
    .command = ata_command,
    .drq = ata_drq,
    .accepted = ata_accepted,
    .packet = ata_accepted,
    .finished = ata_finished,
    .failed = ata_failed,
};
