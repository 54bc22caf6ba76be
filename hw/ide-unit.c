/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One ATA drive, whosever: what its configuration says, what power-on makes of
 * it, how a command begins and ends. Also a channel's own memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/config.h"
#include "hw/ide-int.h"

/* ---- commands ---- */

void ide_sync_chan(struct ide_chan *ch)
{
    xfer_resume(ch);
    ch->host->tr->sync(ch);
}

void ide_raise(struct ide_unit *u)
{
    u->s->intrq = true;
}

void ide_complete(struct ide_unit *u, uint8_t status, uint8_t error)
{
    u->s->status = status;
    u->s->error = error;
    ide_raise(u);
}

void ide_signature(struct ide_unit *u, uint8_t mid, uint8_t high)
{
    struct ide_unit_state *s = u->s;

    s->count[0] = s->low[0] = 1;
    s->mid[0] = mid;
    s->high[0] = high;
    s->count[1] = s->low[1] = s->mid[1] = s->high[1] = 0;
}

void ide_begin(struct ide_unit *u, uint8_t cmd)
{
    struct ide_chan_state *s = u->ch->s;

    s->active = u->index;
    s->command = cmd;
    s->dma = s->out = s->raw = s->through = s->single = s->verify = false;
    s->limit = 0;
    s->left = s->pos = s->end = s->len = 0;
    s->per_drq = 1;
    u->s->intrq = false;
    u->s->error = 0;
    u->s->status = ST_DRDY | ST_DSC;
    ide_set_medium(u, u->blk); /* its size may be another by now */
    u->ops->command(u, cmd);
}

void ide_unit_reset(struct ide_unit *u)
{
    struct ide_unit_state *s = u->s;

    s->gone = u->ch->host->gone & (1u << u->number);
    s->wcache = u->writeback;
    s->look_ahead = s->smart = s->smart_save = true;
    s->multiple = u->kind == IDE_DISK ? IDE_MAX_MUL : 0;
    s->xfer_mode = 0x08; /* PIO 0; the guest sets what it wants */
    s->heads = u->cyls ? u->heads : 16;
    s->secs = u->cyls ? u->secs : 63;
    s->attention = u->kind == IDE_CD ? UA_RESET : UA_NONE;
    s->page01[0] = 0x20; /* TB clear; read retries below */
    s->page01[1] = 5;
    s->page0e[0] = 0x04; /* IMMED, as the standard fixes it */
}

/* ---- configuration ---- */

static const char *unit_str(const struct config *cfg, const char *unit, const char *what,
                            const char *def)
{
    char key[32];

    snprintf(key, sizeof(key), "%s.%s", unit, what);
    return config_str(cfg, key, def);
}

/* -EINVAL and a line when what the key says is none of the first n words. */
static int unit_policy(struct ide_unit *u, const char *unit, const struct config *cfg,
                       const char *key, unsigned words, uint8_t *out, struct err *err)
{
    static const char *const word[] = { "report", "ignore", "stop", "enospc" };
    const char *val = unit_str(cfg, unit, key, word[*out]);

    for (unsigned i = 0; i < words; i++) {
        if (!strcmp(val, word[i])) {
            *out = i;
            return 0;
        }
    }
    return err_set(err, -EINVAL, "%s: %s.%s is %s; use report, ignore, stop%s", ide_dev(u)->id,
                   unit, key, val, words > 3 ? " or enospc" : "");
}

static int unit_number(const char *unit, const struct config *cfg, const char *what, uint64_t max,
                       uint64_t *out, struct err *err)
{
    char key[32];

    snprintf(key, sizeof(key), "%s.%s", unit, what);
    return config_uint(cfg, key, 0, max, out, err);
}

/* A geometry that was asked for, and the world-wide name. */
static int unit_numbers(struct ide_unit *u, const char *unit, const struct config *cfg,
                        struct err *err)
{
    uint64_t cyls, heads, secs;
    int rc = unit_number(unit, cfg, "wwn", UINT64_MAX, &u->wwn, err);

    if (!rc)
        rc = unit_number(unit, cfg, "cyls", 65535, &cyls, err);
    if (!rc)
        rc = unit_number(unit, cfg, "heads", 16, &heads, err);
    if (!rc)
        rc = unit_number(unit, cfg, "secs", 255, &secs, err);
    if (rc)
        return rc;
    if ((cyls || heads || secs) && !(cyls && heads && secs))
        return err_set(err, -EINVAL, "%s: %s: give cyls, heads and secs, or none of them",
                       ide_dev(u)->id, unit);
    u->cyls = cyls;
    u->heads = heads;
    u->secs = secs;
    return 0;
}

static void unit_strings(struct ide_unit *u, const char *unit, const struct config *cfg)
{
    const char *model = u->kind == IDE_DISK ? "PORTICO HARDDISK" : "PORTICO DVD-ROM";
    char serial[16];

    snprintf(serial, sizeof(serial), "PT%05u", u->number + 1u);
    snprintf(u->serial, sizeof(u->serial), "%s", unit_str(cfg, unit, "serial", serial));
    snprintf(u->model, sizeof(u->model), "%s", unit_str(cfg, unit, "model", model));
    snprintf(u->version, sizeof(u->version), "%s",
             unit_str(cfg, unit, "ver", unit_str(cfg, unit, "version", "1.0")));
}

static int chan_alloc(struct ide_chan *ch, struct err *err)
{
    if (!ch->bounce)
        ch->bounce = malloc(IDE_BOUNCE);
    return ch->bounce ? 0 : err_set(err, -ENOMEM, "%s: out of memory", ch->host->pci.dev.id);
}

int ide_unit_init(struct ide_unit *u, const char *unit, const struct config *cfg, struct err *err)
{
    const char *kind = unit_str(cfg, unit, "kind", NULL);
    int rc;

    if (!kind)
        return 0;
    if (strcmp(kind, "disk") && strcmp(kind, "cdrom"))
        return err_set(err, -EINVAL, "%s: %s.kind is %s; use disk or cdrom", ide_dev(u)->id, unit,
                       kind);
    u->kind = kind[0] == 'd' ? IDE_DISK : IDE_CD;
    u->ops = u->kind == IDE_DISK ? &ata_ops : &atapi_ops;
    u->bsize = u->kind == IDE_DISK ? IDE_SECTOR : 2048;
    u->writeback = strcmp(unit_str(cfg, unit, "cache", "writeback"), "writethrough");
    u->werror = IDE_ENOSPC;
    u->rerror = IDE_REPORT;
    unit_strings(u, unit, cfg);
    ide_set_medium(u, config_obj(cfg, unit));
    ide_watch_medium(u, true);
    if (u->kind == IDE_DISK && !u->blk)
        return err_set(err, -EINVAL, "%s: %s is a disk without an image; name its file",
                       ide_dev(u)->id, unit);
    rc = unit_policy(u, unit, cfg, "werror", 4, &u->werror, err);
    if (!rc)
        rc = unit_policy(u, unit, cfg, "rerror", 3, &u->rerror, err);
    if (!rc)
        rc = unit_numbers(u, unit, cfg, err);
    return rc ? rc : chan_alloc(u->ch, err);
}

void ide_chan_fini(struct ide_chan *ch)
{
    ch->closing = true;
    block_cancel(&ch->req);
    if (ch->req.busy)
        block_drain(ch->req.block);
    free(ch->bounce);
    ch->bounce = NULL;
}
