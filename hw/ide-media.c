/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ATA drives, whosever they are: what the outside does to media: eject, insert, drain, unplug. */
#include <errno.h>
#include "hw/devices.h"
#include "hw/ide-int.h"

static struct ide_unit *ide_unit(struct device *dev, unsigned unit)
{
    return unit < ide_host_of(dev)->nunits ? &ide_host_of(dev)->unit[unit] : NULL;
}

void ide_set_medium(struct ide_unit *u, struct block *blk)
{
    u->blk = blk;
    u->blocks = blk && u->bsize ? (blk->size + u->bsize - 1) / u->bsize : 0;
}

/* A host drive has another disc, or an image another size: told from the loop. */
static void medium_changed(void *arg, enum block_event event)
{
    struct ide_unit *u = arg;

    ide_set_medium(u, u->blk);
    if (u->kind != IDE_CD)
        return;
    u->s->event = u->blocks ? EV_NEW_MEDIUM : EV_REMOVED;
    u->s->attention = u->blocks ? UA_CHANGED : UA_NONE;
}

void ide_watch_medium(struct ide_unit *u, bool on)
{
    if (u->blk)
        block_listen(u->blk, on ? medium_changed : NULL, u);
}

bool ide_is_host(const struct device *dev)
{
    return dev->type == &piix3_ide_type.dev || dev->type == &ahci_type.dev;
}

void ide_listen(struct device *ide, const struct ide_events *events, void *arg)
{
    ide_host_of(ide)->events = events;
    ide_host_of(ide)->events_arg = arg;
}

static bool is_cdrom(struct device *ide, unsigned unit)
{
    struct ide_unit *u = ide_unit(ide, unit);

    return u && u->kind == IDE_CD;
}

bool ide_tray_locked(struct device *ide, unsigned unit)
{
    return is_cdrom(ide, unit) && ide_unit(ide, unit)->s->locked;
}

bool ide_tray_open(struct device *ide, unsigned unit)
{
    return is_cdrom(ide, unit) && ide_unit(ide, unit)->s->tray_open;
}

struct block *ide_medium(struct device *ide, unsigned unit)
{
    struct ide_unit *u = ide_unit(ide, unit);

    return u ? u->blk : NULL;
}

/* Takes the medium from under a running command, which then fails for want of it. */
static void unit_release(struct ide_unit *u)
{
    struct ide_chan *ch = u->ch;
    struct block *blk = u->blk;

    ide_watch_medium(u, false);
    ide_set_medium(u, NULL);
    if (chan_active(ch) == u)
        ch->s->held = false;
    if (ch->req.busy && ch->req.block == blk) {
        block_cancel(&ch->req);
        block_drain(blk);
    }
    ide_sync_chan(ch);
}

int ide_eject(struct device *ide, unsigned unit, bool force, struct err *err)
{
    struct ide_unit *u = ide_unit(ide, unit);

    if (!is_cdrom(ide, unit))
        return err_set(err, -EINVAL, "%s: unit %u is not a CD drive", ide->id, unit);
    if (u->s->locked && !force) {
        u->s->event = EV_EJECT_REQUEST;
        return err_set(err, -EBUSY,
                       "%s: the guest has locked the tray of unit %u; eject it there, or force",
                       ide->id, unit);
    }
    if (u->blk) {
        unit_release(u);
        u->s->event = EV_REMOVED;
        u->s->attention = UA_NONE;
    }
    u->s->locked = false;
    u->s->tray_open = true;
    return 0;
}

int ide_close_tray(struct device *ide, unsigned unit, struct err *err)
{
    if (!is_cdrom(ide, unit))
        return err_set(err, -EINVAL, "%s: unit %u is not a CD drive", ide->id, unit);
    ide_unit(ide, unit)->s->tray_open = false;
    return 0;
}

int ide_insert(struct device *ide, unsigned unit, struct block *medium, struct err *err)
{
    struct ide_unit *u = ide_unit(ide, unit);

    if (!is_cdrom(ide, unit))
        return err_set(err, -EINVAL, "%s: unit %u is not a CD drive", ide->id, unit);
    if (u->blk)
        return err_set(err, -EBUSY, "%s: there is a medium in unit %u; eject it first", ide->id,
                       unit);
    ide_set_medium(u, medium);
    ide_watch_medium(u, true);
    u->s->tray_open = false;
    u->s->event = EV_NEW_MEDIUM;
    u->s->attention = UA_ABSENT;
    return 0;
}

void ide_retry(struct device *dev)
{
    struct ide_host *host = ide_host_of(dev);

    for (unsigned i = 0; i < host->nch; i++) {
        host->ch[i].s->held = false;
        if (host->tr->retry)
            host->tr->retry(&host->ch[i]);
        ide_sync_chan(&host->ch[i]);
    }
}

int ide_drain(struct device *ide)
{
    struct ide_host *host = ide_host_of(ide);
    int rc = 0;

    for (unsigned i = 0; i < host->nunits; i++) {
        struct block *blk = host->unit[i].blk;
        int one = blk ? block_drain(blk) : 0;

        rc = rc ? rc : one;
    }
    return rc;
}

/* The unit is no longer there; its medium's owner may close it. */
static void unit_drop(struct ide_host *host, unsigned n)
{
    struct ide_unit *u = &host->unit[n];
    struct block *blk = u->blk;

    host->gone |= 1u << n;
    if (blk)
        block_drain(blk);
    if (chan_active(u->ch) == u && u->ch->s->phase != PH_IDLE)
        xfer_stop(u->ch);
    if (host->tr->drop)
        host->tr->drop(u->ch);
    ide_watch_medium(u, false);
    ide_set_medium(u, NULL);
    u->ops = NULL;
    u->s->intrq = false;
    if (blk && host->events && host->events->released)
        host->events->released(host->events_arg, n, blk);
}

void ide_drop_gone(struct ide_host *host)
{
    for (unsigned n = 0; n < host->nunits; n++) {
        if (host->unit[n].s->gone && host->unit[n].ops)
            unit_drop(host, n);
    }
}

void ide_unplug_from(struct ide_host *host, unsigned first)
{
    for (unsigned n = first; n < host->nunits; n++) {
        struct ide_unit *u = &host->unit[n];

        if (u->kind != IDE_DISK || u->s->gone)
            continue;
        u->s->gone = true;
        unit_drop(host, n);
    }
    for (unsigned i = 0; i < host->nch; i++)
        ide_sync_chan(&host->ch[i]);
}

void ide_unplug(struct device *dev, bool aux_only)
{
    ide_unplug_from(ide_host_of(dev), aux_only ? 1 : 0);
}

void ide_unplug_unit(struct device *dev, unsigned n)
{
    struct ide_host *host = ide_host_of(dev);

    if (n >= host->nunits || host->unit[n].kind != IDE_DISK || host->unit[n].s->gone)
        return;
    host->unit[n].s->gone = true;
    unit_drop(host, n);
    for (unsigned i = 0; i < host->nch; i++)
        ide_sync_chan(&host->ch[i]);
}

bool ide_is_unplugged(struct device *dev, unsigned unit)
{
    return unit < ide_host_of(dev)->nunits && (ide_host_of(dev)->gone & (1u << unit));
}

void ide_replug(struct device *dev, unsigned unit, struct block *medium)
{
    struct ide_unit *u = ide_unit(dev, unit);

    if (!u || !ide_is_unplugged(dev, unit))
        return;
    ide_host_of(dev)->gone &= ~(1u << unit);
    u->s->gone = false;
    u->ops = &ata_ops;
    ide_set_medium(u, medium);
    ide_watch_medium(u, true);
}
