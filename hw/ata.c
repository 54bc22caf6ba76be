/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ATA disk: ATA/ATAPI-7 volume 1 (T13/1532D), general feature set, power
 * management (ata-power.c), 48-bit addresses, READ/WRITE MULTIPLE, bus master
 * DMA, FUA, host protected area, SMART (ata-smart.c), and ATA8-ACS's TRIM,
 * which discards when the image was opened so. Every opcode is a row of ata_cmds[];
 * what has no row is aborted. Not modelled: security, a host protected area
 * that outlives the power, streaming, queuing. A bad sector of the image is
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
#define A_FUA   0x20 /* done when it is on stable storage, whatever the write cache */
#define A_SLEEP 0x40 /* does not wake the disk, nor put off the standby timer */

#define LBA28_MAX 0x0fffffffu

#define SET_MAX_KEEP 0x01 /* in the count register: over power cycles */
#define DSM_TRIM     0x01

struct ata_cmd {
    ata_fn *run;
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

uint64_t ata_sectors(const struct ide_unit *u)
{
    return u->s->max && u->s->max < u->blocks ? u->s->max : u->blocks;
}

/* The command's first sector; false: a CHS address that is none. */
static bool ata_lba(const struct ide_unit *u, unsigned flags, uint64_t *lba)
{
    const struct ide_unit_state *s = u->s;
    uint8_t device = u->ch->s->device;
    uint32_t low24 = s->low[0] | s->mid[0] << 8 | (uint32_t)s->high[0] << 16;

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
    uint32_t track;

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
    uint64_t all = ata_sectors(u);

    *count = ata_count(u, flags);
    if (!ata_lba(u, flags, lba)) {
        ide_complete(u, ST_DRDY | ST_DSC | ST_ERR, ER_IDNF | ER_ABRT);
        return false;
    }
    if (*lba < all && *count <= all - *lba)
        return true;
    ata_error_at(u, flags, *lba < all ? all : *lba, ER_IDNF | ER_ABRT);
    return false;
}

/* ---- reading and writing ---- */

static void cmd_rw(struct ide_unit *u, unsigned flags)
{
    struct ide_chan_state *s = u->ch->s;
    uint64_t lba;
    uint32_t count;

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
    s->lba = lba;
    s->left = count;
    s->out = flags & A_WRITE;
    s->dma = flags & A_DMA;
    s->through = s->out && ((flags & A_FUA) || !u->s->wcache);
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
    u->ch->s->lba = lba;
    u->ch->s->left = count;
    u->ch->s->verify = true;
    xfer_media(u->ch);
}

static void cmd_seek(struct ide_unit *u, unsigned flags)
{
    uint64_t lba;

    if (!ata_lba(u, flags, &lba) || lba >= ata_sectors(u))
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

/* ---- host protected area (§4.11, §6.34, §6.49) ---- */

static void cmd_native_max(struct ide_unit *u, unsigned flags)
{
    uint64_t last = u->blocks - 1;

    if (!(flags & A_EXT) && last > LBA28_MAX - 1)
        last = LBA28_MAX - 1;
    ata_show_lba(u, flags, last);
    ata_ok(u);
    u->s->native = true;
}

static void cmd_set_max(struct ide_unit *u, unsigned flags)
{
    uint64_t lba;

    if (!u->s->native || (u->s->count[0] & SET_MAX_KEEP)) {
        ata_abort(u);
    } else if (!ata_lba(u, flags, &lba) || lba >= u->blocks) {
        ide_complete(u, ST_DRDY | ST_DSC | ST_ERR, ER_IDNF | ER_ABRT);
    } else {
        u->s->max = lba + 1 < u->blocks ? lba + 1 : 0;
        ata_ok(u);
    }
    u->s->native = false;
}

/* ---- data that is not sectors ---- */

static void cmd_read_buffer(struct ide_unit *u, unsigned flags)
{
    memcpy(u->ch->s->buf, u->s->scratch, IDE_SECTOR);
    ata_reply_sector(u);
}

static void cmd_write_buffer(struct ide_unit *u, unsigned flags)
{
    u->ch->s->limit = IDE_BUF;
    xfer_accept(u->ch, IDE_SECTOR);
    u->s->intrq = false; /* the first block of a PIO write is asked for by DRQ alone */
}

bool ata_trims(const struct ide_unit *u)
{
    return u->blk && !u->blk->readonly; /* without discard= it is advice that nobody takes */
}

/* DATA SET MANAGEMENT (ATA8-ACS §7.10) */
static void cmd_dsm(struct ide_unit *u, unsigned flags)
{
    /* Word 105 keeps the upper half at zero; a client may leave there what the register held. */
    uint32_t blocks = u->s->count[0];

    if (!ata_trims(u) || !(u->s->feature[0] & DSM_TRIM) || !blocks ||
        blocks > IDE_BUF / IDE_SECTOR) {
        ata_abort(u);
        return;
    }
    u->ch->s->dma = true;
    xfer_accept(u->ch, blocks * IDE_SECTOR);
}

static void dsm_accepted(struct ide_unit *u)
{
    uint64_t lba, all = ata_sectors(u);
    uint32_t count;

    for (uint32_t pos = 0; pos < u->ch->s->len; pos += IDE_TRIM) {
        xfer_trim_entry(u->ch, pos, &lba, &count);
        if (count && (lba >= all || count > all - lba)) { /* all of the list, or nothing */
            ide_complete(u, ST_DRDY | ST_DSC | ST_ERR, ER_IDNF | ER_ABRT);
            return;
        }
    }
    xfer_trim(u->ch);
}

static void cmd_nop(struct ide_unit *u, unsigned flags) /* §6.22: always aborted */
{
    ata_abort(u);
}

/* ---- the table ---- */

#define RW(extra)                                                                                  \
    {                                                                                              \
        cmd_rw, A_MEDIA | (extra)                                                                  \
    }

static const struct ata_cmd ata_cmds[256] = {
    [0x00] = { cmd_nop, A_SLEEP },
    [0x06] = { cmd_dsm, A_EXT | A_DMA },
    [0x10 ... 0x1f] = { cmd_recalibrate },
    [0x20] = RW(0),
    [0x21] = RW(0), /* READ SECTOR(S) */
    [0x24] = RW(A_EXT),
    [0x25] = RW(A_EXT | A_DMA), /* ... EXT, READ DMA EXT */
    [0x27] = { cmd_native_max, A_EXT | A_SLEEP },
    [0x29] = RW(A_EXT | A_MULT), /* READ MULTIPLE EXT */
    [0x2f] = { ata_read_log, A_EXT | A_SLEEP },
    [0x30] = RW(A_WRITE),
    [0x31] = RW(A_WRITE), /* WRITE SECTOR(S) */
    [0x34] = RW(A_EXT | A_WRITE),
    [0x35] = RW(A_EXT | A_WRITE | A_DMA),
    [0x37] = { cmd_set_max, A_EXT | A_SLEEP },
    [0x39] = RW(A_EXT | A_WRITE | A_MULT), /* WRITE MULTIPLE EXT */
    [0x3d] = RW(A_EXT | A_WRITE | A_DMA | A_FUA),
    [0x40] = { cmd_verify, A_MEDIA },
    [0x41] = { cmd_verify, A_MEDIA },
    [0x42] = { cmd_verify, A_MEDIA | A_EXT },
    [0x70 ... 0x7f] = { cmd_seek },
    [0x91] = { cmd_init_params, A_SLEEP },
    [0x94] = { ata_standby_now, A_SLEEP }, /* the old opcodes of E0-E6 */
    [0x95] = { ata_idle_now, A_SLEEP },
    [0x96] = { ata_standby, A_SLEEP },
    [0x97] = { ata_idle, A_SLEEP },
    [0x98] = { ata_check_power, A_SLEEP },
    [0x99] = { ata_sleep, A_SLEEP },
    [0xb0] = { ata_smart, A_SLEEP },
    [0xc4] = RW(A_MULT),
    [0xc5] = RW(A_MULT | A_WRITE), /* READ, WRITE MULTIPLE */
    [0xc6] = { cmd_set_multiple, A_SLEEP },
    [0xc8] = RW(A_DMA),
    [0xc9] = RW(A_DMA), /* READ DMA */
    [0xca] = RW(A_DMA | A_WRITE),
    [0xcb] = RW(A_DMA | A_WRITE),
    [0xce] = RW(A_EXT | A_WRITE | A_MULT | A_FUA),
    [0xe0] = { ata_standby_now, A_SLEEP },
    [0xe1] = { ata_idle_now, A_SLEEP },
    [0xe2] = { ata_standby, A_SLEEP },
    [0xe3] = { ata_idle, A_SLEEP },
    [0xe4] = { cmd_read_buffer },
    [0xe5] = { ata_check_power, A_SLEEP },
    [0xe6] = { ata_sleep, A_SLEEP },
    [0xe7] = { cmd_flush, A_SLEEP },
    [0xe8] = { cmd_write_buffer },
    [0xea] = { cmd_flush, A_SLEEP },
    [0xec] = { cmd_identify, A_SLEEP },
    [0xef] = { ata_set_features, A_SLEEP },
    [0xf8] = { cmd_native_max, A_SLEEP },
    [0xf9] = { cmd_set_max, A_SLEEP },
};

static void ata_command(struct ide_unit *u, uint8_t cmd)
{
    const struct ata_cmd *row = &ata_cmds[cmd];

    if (row->run != cmd_set_max)
        u->s->native = false;
    if (!row->run) {
        ata_abort(u);
        return;
    }
    if (!(row->flags & A_SLEEP))
        ata_wake(u);
    row->run(u, row->flags);
}

static void ata_finished(struct ide_unit *u)
{
    struct ide_chan_state *s = u->ch->s;
    unsigned flags = ata_cmds[s->command].flags;

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
    unsigned flags = ata_cmds[s->command].flags;
    uint8_t error = ER_ABRT;

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
    if (why == FAIL_IO)
        ata_log_error(u);
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

static void ata_accepted(struct ide_unit *u)
{
    struct ide_chan_state *s = u->ch->s;

    if (ata_cmds[s->command].run == cmd_dsm) {
        dsm_accepted(u);
    } else if (ata_cmds[s->command].run == cmd_write_buffer) {
        memcpy(u->s->scratch, s->buf, IDE_SECTOR);
        ata_ok(u);
    } else {
        ata_abort(u);
    }
}

static void ata_no_packet(struct ide_unit *u)
{
    ata_abort(u);
}

const struct ide_unit_ops ata_ops = {
    .reset = ata_reset,
    .command = ata_command,
    .drq = ata_drq,
    .accepted = ata_accepted,
    .packet = ata_no_packet,
    .finished = ata_finished,
    .failed = ata_failed,
};
